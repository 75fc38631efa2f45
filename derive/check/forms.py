"""Other ways to write a formula that textbooks use, and that rounding makes other numbers of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from derive.formula.expression import ONE, Call, Expr, Name, Negative, Number, Power, Product, Quotient, Sum, names_in
from derive.formula.expression import replace_names as replaced

Definition = Callable[[str], Expr | None]
"""The definition of a quantity by its key; None for what is given."""

_TWO = Number(Fraction(2), "2")


def other_forms(expr: Expr, definition: Definition) -> Iterator[Expr]:
    """The same value, written otherwise."""
    for rule in _RULES:
        if (found := rule(expr, definition)) is not None:
            yield found


def _difference(expr: Expr) -> tuple[Expr, Expr] | None:
    """The terms of a difference: a and b of a − b."""
    match expr:
        case Sum((first, Negative(second))):
            return first, second
    return None


def _two_terms(expr: Expr, _: Definition) -> Expr | None:
    """−t/o + (1 − t)/(1 − o) for (o − t)/(o(1 − o))."""
    match expr:
        case Quotient(top, Product((o, rest))):
            if (parts := _difference(top)) and parts[0] == o and _difference(rest) == (ONE, o):
                t = parts[1]
                others = Quotient(Sum((ONE, Negative(t))), Sum((ONE, Negative(o))))
                return Sum((Negative(Quotient(t, o)), others))
    return None


def _square_taken_off(expr: Expr, _: Definition) -> Expr | None:
    """The square taken off: o − o² for o(1 − o)."""
    match expr:
        case Product((o, rest)) if _difference(rest) == (ONE, o):
            return Sum((o, Negative(Power(o, _TWO))))
    return None


def _as_factors(expr: Expr, _: Definition) -> Expr | None:
    """(1 − o)(1 + o) for 1 − o²."""
    match expr:
        case Sum((first, Negative(Power(o, Number(value))))) if first == ONE and value == 2:
            return Product((Sum((ONE, Negative(o))), Sum((ONE, o))))
    return None


def _factor_in_front(expr: Expr, definition: Definition) -> Expr | None:
    """½(e₁² + e₂²) for ½e₁² + ½e₂², where the parts have names of their own."""
    if not isinstance(expr, Sum):
        return None
    rests, factors = [], set()
    for term in expr.terms:
        part = definition(term.name) if isinstance(term, Name) else term
        match part:
            case Product((Number() | Quotient(Number(), Number()) as factor, *rest)) if rest:
                factors.add(factor)
                rests.append(Product(tuple(rest)) if len(rest) > 1 else rest[0])
            case _:
                return None
    return Product((factors.pop(), Sum(tuple(rests)))) if len(factors) == 1 and len(rests) > 1 else None


def _log_of_sum(expr: Expr, definition: Definition) -> Expr | None:
    """t(ln Σ exp(z) − z) for −t·ln(softmax)."""
    match expr:
        case Negative(Product((t, Call("ln", (Name(out),))))) | Product((Negative(t), Call("ln", (Name(out),)))):
            match definition(out):
                case Quotient(Call("exp", (z,)), Sum() as powers):
                    return Product((t, Sum((Call("ln", (powers,)), Negative(z)))))
    return None


def rate_first(expr: Expr, definition: Definition) -> Expr | None:
    """The gradient opened, though it is asked for: w − (η·δ)·out for w − η·(δ·out)."""
    match expr:
        case Sum((_, Negative(Product((_, Name(gradient)))))) if isinstance(definition(gradient), Product):
            opened = definition(gradient)
            assert opened is not None
            return replaced(expr, {gradient: opened}) if gradient not in names_in(opened) else None
    return None


_RULES: tuple[Callable[[Expr, Definition], Expr | None], ...] = (
    _two_terms, _square_taken_off, _as_factors, _factor_in_front, _log_of_sum,
)  # fmt: skip
