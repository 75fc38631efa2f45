"""Formulas as they are written on paper: a small tree that keeps the order of its terms.

SymPy sorts sums and products; a textbook does not.  Everything that is shown, evaluated or read is one of these
trees, and `derive.calculus.symbolic` turns it into SymPy (and back) whenever something is derived or proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

Relation = Literal["<", "<=", ">", ">=", "=="]


@dataclass(frozen=True, slots=True)
class Number:
    """A rational constant; `written` keeps the digits as somebody wrote them ("0.10")."""

    value: Fraction
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A quantity by its canonical name: "w5", "out_h1", "dE/dw5", "w5_new", "net_h1[2]"."""

    name: str


@dataclass(frozen=True, slots=True)
class Sum:
    """At least two terms; a `Negative` term is printed as a subtraction."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """At least two factors."""

    factors: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Quotient:
    top: Expr
    bottom: Expr


@dataclass(frozen=True, slots=True)
class Power:
    base: Expr
    exponent: Expr


@dataclass(frozen=True, slots=True)
class Negative:
    arg: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the grammar, or a scalar activation of the catalogue, applied to its arguments."""

    function: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    left: Expr
    relation: Relation
    right: Expr


@dataclass(frozen=True, slots=True)
class Cases:
    """The first piece whose condition holds; `otherwise` when none does."""

    pieces: tuple[tuple[Expr, Condition], ...]
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class Series:
    """A long sum in Σ form: `general` is the printed body in `index`, `term(i)` the term for i = 1 … count."""

    index: str
    count: int
    general: Expr
    term: Callable[[int], Expr]


Expr = Number | Name | Sum | Product | Quotient | Power | Negative | Call | Cases | Series

ZERO = Number(Fraction(0), "0")
ONE = Number(Fraction(1), "1")
TWO = Number(Fraction(2), "2")
PI = Call("pi", ())


def number(value: int | Fraction | Decimal | str) -> Number:
    """The constant as written: "0.10" keeps its two decimals."""
    if isinstance(value, Fraction):
        return Number(value, str(value) if value.denominator == 1 else "")
    return Number(Fraction(value), format(value, "f") if isinstance(value, Decimal) else str(value))


def add(*terms: Expr) -> Expr:
    """The sum in the order given; zeros are left out, a sum of one term is that term."""
    kept = tuple(term for term in terms if term != ZERO)
    if not kept:
        return ZERO
    return kept[0] if len(kept) == 1 else Sum(kept)


def multiply(*factors: Expr) -> Expr:
    """The product in the order given; ones are left out, a zero makes it zero."""
    if ZERO in factors:
        return ZERO
    kept = tuple(factor for factor in factors if factor != ONE)
    if not kept:
        return ONE
    return kept[0] if len(kept) == 1 else Product(kept)


def subtract(left: Expr, right: Expr) -> Expr:
    return add(left, Negative(right))


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct parts of a tree, left to right; a `Series` counts as its expanded terms."""
    match expr:
        case Sum(terms):
            return terms
        case Product(factors):
            return factors
        case Quotient(top, bottom):
            return (top, bottom)
        case Power(base, exponent):
            return (base, exponent)
        case Negative(arg):
            return (arg,)
        case Call(_, args):
            return args
        case Cases(pieces, otherwise):
            inside = tuple(part for value, test in pieces for part in (value, test.left, test.right))
            return (*inside, otherwise)
        case Series():
            return tuple(expr.term(i) for i in range(1, expr.count + 1))
        case _:
            return ()


def rebuild(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The same node with `change` applied to each direct part."""
    match expr:
        case Sum(terms):
            return Sum(tuple(change(term) for term in terms))
        case Product(factors):
            return Product(tuple(change(factor) for factor in factors))
        case Quotient(top, bottom):
            return Quotient(change(top), change(bottom))
        case Power(base, exponent):
            return Power(change(base), change(exponent))
        case Negative(arg):
            return Negative(change(arg))
        case Call(function, args):
            return Call(function, tuple(change(arg) for arg in args))
        case Cases(pieces, otherwise):
            changed = tuple(
                (change(value), Condition(change(test.left), test.relation, change(test.right)))
                for value, test in pieces
            )
            return Cases(changed, change(otherwise))
        case Series(index, count, general, term):
            return Series(index, count, change(general), lambda i: change(term(i)))
        case _:
            return expr


def names_in(expr: Expr) -> Iterator[str]:
    """Every name in the tree, left to right, repeats included."""
    stack = [expr]
    while stack:
        part = stack.pop()
        if isinstance(part, Name):
            yield part.name
        else:
            stack.extend(reversed(children(part)))


def is_plain(expr: Expr) -> bool:
    """Whether a tree is a name, a number or a fraction of numbers: nothing in it is computed, so nothing is rounded."""
    if isinstance(expr, Negative):
        return not isinstance(expr.arg, Name) and is_plain(expr.arg)
    constant = isinstance(expr, Quotient) and isinstance(expr.top, Number) and isinstance(expr.bottom, Number)
    return constant or isinstance(expr, Name | Number)


def is_step(expr: Expr) -> bool:
    """Whether a tree chooses between whole numbers: its value is one of them and is never rounded."""
    if not isinstance(expr, Cases):
        return False
    values = (*(value for value, _ in expr.pieces), expr.otherwise)
    return all(isinstance(value, Number) and value.value.denominator == 1 for value in values)


def replace_names(expr: Expr, replacement: Mapping[str, Expr]) -> Expr:
    """The tree with names exchanged for other trees."""
    if isinstance(expr, Name):
        return replacement.get(expr.name, expr)
    return rebuild(expr, lambda part: replace_names(part, replacement))


def expanded(expr: Expr) -> Expr:
    """The tree with every Σ written out."""
    if isinstance(expr, Name | Number):
        return expr
    if isinstance(expr, Series):
        return add(*(expanded(term) for term in children(expr)))
    if isinstance(expr, Product) and all(isinstance(factor, Name | Number) for factor in expr.factors):
        return expr
    if isinstance(expr, Sum):
        return add(*(part for term in expr.terms for part in _spliced(term)))
    return rebuild(expr, expanded)


def _spliced(term: Expr) -> tuple[Expr, ...]:
    """The terms of a Σ that stands in a sum; any other term is one."""
    whole = expanded(term)
    return whole.terms if isinstance(term, Series) and isinstance(whole, Sum) else (whole,)
