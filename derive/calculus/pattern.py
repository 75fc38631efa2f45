"""The shape of a formula: the same for w1*x1 and w7*x3, so that a derivative is taken once per shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from derive.calculus.rules import depends, kind_of_factor, negated, product, rational
from derive.formula.expression import (
    Expr,
    Name,
    Negative,
    Number,
    Product,
    Quotient,
    Series,
    Sum,
    add,
    children,
    rebuild,
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A formula in placeholders #0:1, #1:1, … numbered in the order of first appearance; after the colon, their kind.

    Placeholder k stands for `parts[k]`: a name, or a part of the formula that does not contain the name `wrt` (itself
    given as its placeholder).  `writings` tells apart shapes whose numbers are equal but written differently.
    """

    shape: Expr
    wrt: str
    writings: tuple[str, ...]
    parts: tuple[Expr, ...] = field(compare=False)


@lru_cache(maxsize=4096)
def _placeholder(k: int, kind: int) -> Name:
    return Name(f"#{k}:{kind}")


def _index(name: str) -> int:
    return int(name[1 : name.index(":")])


def kind_of_placeholder(leaf: Expr) -> int:
    """The place of a leaf of a shape among the factors of a product, see `kind_of_factor`."""
    return int(leaf.name.rpartition(":")[2]) if isinstance(leaf, Name) else kind_of_factor(leaf)


def _stand_in(part: Expr, found: dict[Expr, Name]) -> Name:
    if part not in found:
        found[part] = _placeholder(len(found), kind_of_factor(part))
    return found[part]


def pattern(definition: Expr, wrt: str) -> Pattern:
    """The shape of those terms of `definition` that contain `wrt`; `wrt` must occur in it."""
    found: dict[Expr, Name] = {}
    shape = _shape(definition, wrt, found, linear=True)
    return Pattern(shape, found[Name(wrt)].name, tuple(_writings(shape)), tuple(found))


def _shape(expr: Expr, wrt: str, found: dict[Expr, Name], linear: bool) -> Expr:
    if isinstance(expr, Name):
        return _stand_in(expr, found)
    if isinstance(expr, Sum | Series):
        return _shape_of_sum(children(expr), wrt, found, linear)
    if rational(expr) is not None:
        return expr
    if not isinstance(expr, Product | Quotient | Negative) and not depends(expr, wrt):
        return _stand_in(expr, found)
    stays_linear = linear and _is_linear(expr, wrt)
    return rebuild(expr, lambda part: _shape(part, wrt, found, stays_linear))


def _shape_of_sum(terms: Sequence[Expr], wrt: str, found: dict[Expr, Name], linear: bool) -> Expr:
    active = [term for term in terms if depends(term, wrt)]
    if not active:
        whole = Sum(tuple(terms)) if len(terms) > 1 else add(*terms)
        return _stand_in(whole, found)
    kept = active if linear else terms
    return add(*(_shape(term, wrt, found, linear) for term in kept))


def _is_linear(expr: Expr, wrt: str) -> bool:
    """Whether exactly one part contains `wrt` and the derivative is the same multiple of that part's derivative."""
    match expr:
        case Negative():
            return True
        case Product(factors):
            return sum(depends(factor, wrt) for factor in factors) == 1
        case Quotient(_, bottom):
            return not depends(bottom, wrt)
        case _:
            return False


def _writings(shape: Expr) -> Iterator[str]:
    if isinstance(shape, Number):
        yield shape.written
    for part in children(shape):
        yield from _writings(part)


def filled(shape: Expr, parts: Sequence[Expr]) -> Expr:
    """The formula with every placeholder exchanged for its part; sums and products stay flat."""
    match shape:
        case Name(name):
            return parts[_index(name)]
        case Number():
            return shape
        case Negative(arg):
            return negated(filled(arg, parts))
        case Product(factors):
            return product(*(filled(factor, parts) for factor in factors))
        case Sum(terms):
            whole = (filled(term, parts) for term in terms)
            return add(*(part for term in whole for part in (term.terms if isinstance(term, Sum) else (term,))))
        case _:
            return rebuild(shape, lambda part: filled(part, parts))
