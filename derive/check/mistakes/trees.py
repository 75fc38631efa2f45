"""Trees with one thing done wrong, whatever they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache

from derive.formula.expression import (
    ONE,
    Call,
    Cases,
    Condition,
    Expr,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Series,
    Sum,
    add,
    children,
    multiply,
    number,
    replace_names,
)
from derive.formula.grammar import read, write

MOST_TERMS = 12
HALF = Quotient(ONE, number(2))
TEN, DEGREE = number(10), Quotient(Call("pi", ()), number(180))


@cache
def formula(text: str) -> Expr:
    return read(text)


def filled(text: str, names: Mapping[str, Expr]) -> Expr:
    """A formula of a table with its letters exchanged."""
    return replace_names(formula(text), names)


def negated(expr: Expr) -> Expr:
    return expr.arg if isinstance(expr, Negative) else Negative(expr)


def terms_of(expr: Expr) -> tuple[Expr, ...]:
    return expr.terms if isinstance(expr, Sum) else (expr,)


def factors_of(expr: Expr) -> tuple[Expr, ...]:
    return expr.factors if isinstance(expr, Product) else (expr,)


def without(items: Sequence[Expr], place: int) -> tuple[Expr, ...]:
    return (*items[:place], *items[place + 1 :])


def exchanged(items: Sequence[Expr], place: int, item: Expr) -> tuple[Expr, ...]:
    return (*items[:place], item, *items[place + 1 :])


def renamed(expr: Expr, names: Mapping[str, str]) -> Expr:
    return replace_names(expr, {old: Name(new) for old, new in names.items()})


def has_series(expr: Expr) -> bool:
    return isinstance(expr, Series) or any(isinstance(part, Series) for part in terms_of(expr))


def text(expr: Expr) -> str:
    """A part of a formula for a sentence; "" where it is too long to help."""
    written = write(expr)
    return written if len(written) <= 60 else written[:57] + "…"


# --- one thing done wrong --------------------------------------------------------------------------------------------

Wrong = tuple[str, Expr, Mapping[str, str]]
"""The id of a mistake, the tree that comes of it, the words of its sentence."""


def variants(expr: Expr) -> Iterator[Wrong]:
    """Every tree in which one place of a formula is done wrong, the outermost first."""
    if has_series(expr):
        return
    yield from _here(expr)
    for place, part in enumerate(_parts(expr)):
        for mistake, wrong, words in variants(part):
            yield mistake, _with(expr, place, wrong), words


def _parts(expr: Expr) -> tuple[Expr, ...]:
    return (*(value for value, _ in expr.pieces), expr.otherwise) if isinstance(expr, Cases) else children(expr)


def _with(expr: Expr, place: int, part: Expr) -> Expr:
    """The tree with one direct part exchanged."""
    match expr:
        case Sum(terms):
            return Sum(exchanged(terms, place, part))
        case Product(factors):
            return Product(exchanged(factors, place, part))
        case Quotient(top, bottom):
            return Quotient(part, bottom) if place == 0 else Quotient(top, part)
        case Power(base, exponent):
            return Power(part, exponent) if place == 0 else Power(base, part)
        case Negative():
            return Negative(part)
        case Call(function, args):
            return Call(function, exchanged(args, place, part))
        case Cases(pieces, otherwise):
            if place == len(pieces):
                return Cases(pieces, part)
            return Cases((*pieces[:place], (part, pieces[place][1]), *pieces[place + 1 :]), otherwise)
        case _:
            return part


def _here(expr: Expr) -> Iterator[Wrong]:
    match expr:
        case Sum(terms):
            yield from _sum(terms)
        case Product(factors):
            yield from _product(factors)
        case Quotient(top, bottom):
            yield from _quotient(top, bottom)
        case Power(base, exponent):
            yield "power-left-out", base, {"part": text(expr)}
            if isinstance(exponent, Number):
                yield "times-for-power", multiply(exponent, base), {"part": text(expr)}
        case Negative(arg):
            yield "sign-lost", arg, {"part": text(expr)}
        case Call(function, args):
            yield from _call(function, args)
        case Cases(pieces, otherwise):
            values = [*(value for value, _ in pieces), otherwise]
            yield from (("wrong-branch", value, {"branch": text(value)}) for value in dict.fromkeys(values))
            yield from _edges(expr)


def _sum(terms: tuple[Expr, ...]) -> Iterator[Wrong]:
    if len(terms) > MOST_TERMS:
        return
    for place, term in enumerate(terms):
        yield "term-left-out", add(*without(terms, place)), {"term": text(term)}
    for place, term in enumerate(terms):
        mistake = "sign-lost" if isinstance(term, Negative) else "sign-turned"
        yield mistake, Sum(exchanged(terms, place, negated(term))), {"part": text(term)}
    if len(terms) == 2 and isinstance(terms[1], Negative):
        yield "difference-turned-round", Sum((terms[1].arg, Negative(terms[0]))), {"part": text(Sum(terms))}
    yield "product-for-sum", multiply(*terms), {"part": text(Sum(terms))}


def _product(factors: tuple[Expr, ...]) -> Iterator[Wrong]:
    if len(factors) > MOST_TERMS:
        return
    for place, factor in enumerate(factors):
        yield "factor-left-out", multiply(*without(factors, place)), {"factor": text(factor)}
        bottom = multiply(*without(factors, place))
        yield "division-for-product", Quotient(bottom, factor), {"factor": text(factor)}
        if isinstance(factor, Sum):
            yield "brackets-left-out", _unbracketed(factors, place), {"part": text(Product(factors))}
    yield "sum-for-product", add(*factors), {"part": text(Product(factors))}


def _unbracketed(factors: tuple[Expr, ...], place: int) -> Expr:
    """a*(b + c) worked out as a*b + c, (a + b)*c as a + b*c."""
    inside = factors[place]
    assert isinstance(inside, Sum)
    first, last = inside.terms[0], inside.terms[-1]
    if place == 0:
        return Sum((*inside.terms[:-1], multiply(last, *factors[1:])))
    before = multiply(*factors[:place], first)
    rest = (*inside.terms[1:-1], multiply(last, *factors[place + 1 :]))
    return Sum((before, *rest))


def _quotient(top: Expr, bottom: Expr) -> Iterator[Wrong]:
    whole = {"part": text(Quotient(top, bottom))}
    yield "divisor-left-out", top, {"divisor": text(bottom)}
    yield "product-for-division", multiply(top, bottom), whole
    yield "fraction-turned-round", Quotient(bottom, top), whole
    if isinstance(top, Name):
        yield "factor-left-out", Quotient(ONE, bottom), {"factor": top.name}
    if isinstance(bottom, Sum):
        yield "brackets-left-out", Sum((Quotient(top, bottom.terms[0]), *bottom.terms[1:])), whole
    if isinstance(top, Sum):
        yield "brackets-left-out", Sum((*top.terms[:-1], Quotient(top.terms[-1], bottom))), whole


_OTHERS: Mapping[str, tuple[tuple[str, Callable[[tuple[Expr, ...]], Expr]], ...]] = {
    "sqrt": (("root-left-out", lambda args: args[0]),),
    "abs": (("absolute-value-left-out", lambda args: args[0]),),
    "ln": (
        ("logarithm-to-base-10", lambda args: Quotient(Call("ln", args), Call("ln", (TEN,)))),
        ("logarithm-to-base-2", lambda args: Quotient(Call("ln", args), Call("ln", (number(2),)))),
        ("logarithm-left-out", lambda args: args[0]),
    ),
    "exp": (
        ("exponential-left-out", lambda args: args[0]),
        ("exponent-sign-lost", lambda args: Call("exp", (negated(args[0]),))),
        ("exponential-to-base-10", lambda args: Power(TEN, args[0])),
        ("exponential-to-base-2", lambda args: Power(number(2), args[0])),
    ),
    "sin": (
        ("degrees-for-radians", lambda args: Call("sin", (multiply(args[0], DEGREE),))),
        ("cosine-for-sine", lambda args: Call("cos", args)),
    ),
    "cos": (
        ("degrees-for-radians", lambda args: Call("cos", (multiply(args[0], DEGREE),))),
        ("cosine-for-sine", lambda args: Call("sin", args)),
    ),
    "max": (("smallest-for-largest", lambda args: Call("min", args)),),
    "min": (("smallest-for-largest", lambda args: Call("max", args)),),
}


def _call(function: str, args: tuple[Expr, ...]) -> Iterator[Wrong]:
    part = {"part": text(Call(function, args))}
    for mistake, wrong in _OTHERS.get(function, ()):
        yield mistake, wrong(args), part
    if function in ("max", "min"):
        yield from (("wrong-branch", arg, {"branch": text(arg)}) for arg in args)


_AT_THE_EDGE: Mapping[str, str] = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


def _edges(expr: Cases) -> Iterator[Wrong]:
    """Each condition with the edge on the other side."""
    for place, (value, test) in enumerate(expr.pieces):
        relation = _AT_THE_EDGE.get(test.relation)
        if relation:
            moved = Condition(test.left, relation, test.right)  # type: ignore[arg-type]  # a relation by the table
            pieces = (*expr.pieces[:place], (value, moved), *expr.pieces[place + 1 :])
            yield "edge-of-condition", Cases(pieces, expr.otherwise), {"condition": _condition(test)}


def _condition(test: Condition) -> str:
    return f"{write(test.left)} {test.relation} {write(test.right)}"


def fraction(value: Fraction | int) -> Expr:
    """A rational as it is written."""
    value = Fraction(value)
    if value.denominator == 1:
        return number(value.numerator)
    return Quotient(number(value.numerator), number(value.denominator))


def scaled(expr: Expr, by: Fraction | int) -> Expr:
    """The tree times a rational, which is left out where it is 1."""
    return expr if by == 1 else multiply(fraction(by), expr)
