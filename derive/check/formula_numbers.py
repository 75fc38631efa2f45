"""The numbers that somebody wrote into a formula: which they are, and what may stand in their places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction

from derive.formula.expression import Call, Cases, Expr, Number, Quotient, children, rebuild
from derive.numbers.exact import Real, bounds

WIDEST = Fraction(1, 20)
"""Rounded numbers in a formula must leave its value known to this share, or they say too little."""

_KINKED = frozenset(("abs", "max", "min"))
_FEWEST_DIGITS = 3


def written_numbers(expr: Expr) -> Iterator[Fraction]:
    """The numbers written in a formula, fractions of numbers as one, exponents left out."""
    stack = [expr]
    while stack:
        part = stack.pop()
        if isinstance(part, Number):
            yield part.value
        elif isinstance(part, Quotient) and isinstance(part.top, Number) and isinstance(part.bottom, Number):
            yield part.top.value / part.bottom.value if part.bottom.value else Fraction(0)
        else:
            stack.extend(reversed(children(part)))


def chooses(expr: Expr) -> bool:
    """Whether a formula takes different ways for different numbers."""
    if isinstance(expr, Cases) or (isinstance(expr, Call) and expr.function in _KINKED):
        return True
    return any(map(chooses, children(expr)))


def holder(meant: Mapping[Fraction, Expr | None], number: Number) -> Expr | None:
    """What a number is taken for."""
    return meant.get(number.value)


def exchanged(expr: Expr, meant: Callable[[Number], Expr | None]) -> Expr:
    """The formula with numbers exchanged for what `meant` says, left where it says None."""
    if isinstance(expr, Number):
        return meant(expr) or expr
    return rebuild(expr, lambda part: exchanged(part, meant))


def last_place(number: Number) -> Fraction | None:
    """One unit in the last place of a decimal of three digits or more; None for any other number."""
    digits = number.written.lower()
    if "." not in digits or "e" in digits or len(digits.replace(".", "").lstrip("0")) < _FEWEST_DIGITS:
        return None
    return Fraction(1, 10 ** len(digits.partition(".")[2]))


def is_narrow(lo: Fraction | Decimal, hi: Fraction | Decimal, expected: Real) -> bool:
    """Whether what is left open is little beside the right number."""
    try:
        low, high = float(lo), float(hi)
        right = abs(float(bounds(expected)[0]))
    except (OverflowError, ValueError):
        return False
    return high - low <= float(WIDEST) * right
