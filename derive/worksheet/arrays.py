"""The numbers of many variants at once: doubles with a bound of their error, and exact integers where they stay exact.

Every operation of `Arrays` bounds its own rounding error (the usual model, |fl(x) − x| <= u·|x| with u = 2^-53; N. J.
Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sections 2.2 and 3.3), so that a digit that
the bound decides is a digit of the true value.  What it leaves open is for the exact engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.catalogue.activations import BY_FUNCTION
from derive.derivation.evaluator import exponents, formula
from derive.formula.expression import (
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
)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

UNIT = 2.0**-52
"""Twice the unit roundoff: covers the rounding of the bounds themselves."""

FUNCTION_ERROR = 8 * UNIT
"""The functions of NumPy are documented to be within 4 units in the last place; twice that is allowed."""

MOST_UNITS = 2**62
"""Integers beyond this are carried on as doubles."""

MOST_POWER = 32
"""Higher powers are left to the exact engine."""

_TINY = 2.0**-1000


@dataclass(frozen=True, slots=True)
class Exact:
    """Decimals as integers: the value is units · 10^-places; no unit is beyond `most`, a Python integer."""

    units: NDArray[np.int64]
    places: int
    most: int


@dataclass(frozen=True, slots=True)
class Column:
    """One quantity of every variant: the double, how far from it the true value may be, the exact value where known."""

    value: Floats
    error: Floats
    exact: Exact | None = None


def constant(value: Fraction, count: int) -> Column:
    """The same number for every variant."""
    return chosen((value,), np.zeros(count, dtype=np.intp))


def chosen(values: tuple[Fraction, ...], picks: NDArray[np.intp]) -> Column:
    """The number that each variant takes of a choice."""
    doubles = np.array([value.numerator / value.denominator for value in values])
    wrong = [abs(Fraction(double) - value) for double, value in zip(doubles.tolist(), values, strict=True)]
    errors = np.array([float(error) * (1 + 1e-9) if error else 0.0 for error in wrong])
    return Column(doubles[picks], errors[picks], _exact_choice(values, picks))


def _exact_choice(values: tuple[Fraction, ...], picks: NDArray[np.intp]) -> Exact | None:
    places = max(map(_places, values))
    if places > 18:
        return None
    units = [int(value * 10**places) for value in values]
    most = max(map(abs, units))
    return Exact(np.array(units, dtype=np.int64)[picks], places, most) if most <= MOST_UNITS else None


def _places(value: Fraction) -> int:
    """How many decimals a number has; 99 where it is none."""
    twos = fives = 0
    rest = value.denominator
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    return 99 if rest != 1 else max(twos, fives)


def from_units(units: NDArray[np.int64], exponent: NDArray[np.int64]) -> Column:
    """Units · 10^exponent, exactly where the integers stay small enough."""
    with np.errstate(over="ignore"):
        power = 10.0 ** np.abs(exponent).astype(float)
        value = np.where(exponent < 0, units / power, units * power)
    places = max(0, -int(exponent.min(initial=0)))
    more = exponent + places
    exact = None
    if places <= 18 and float(np.abs(value).max(initial=0)) * 10.0**places < MOST_UNITS:
        scaled = units * 10 ** np.where(units == 0, 0, more)
        exact = Exact(scaled, places, int(np.abs(scaled).max(initial=0)))
    return Column(value, np.abs(value) * (4 * UNIT), exact)


class Arrays:
    """Evaluates trees for many variants; `lookup` gives the column of a name."""

    def __init__(self, count: int, lookup: Callable[[str], Column]) -> None:
        self._count = count
        self._lookup = lookup

    def value(self, expr: Expr) -> Column:
        """The column of a tree; what cannot be bounded has an infinite error."""
        match expr:
            case Name(name):
                return self._lookup(name)
            case Number(value):
                return constant(value, self._count)
            case Sum() | Series():
                terms = expr.terms if isinstance(expr, Sum) else tuple(map(expr.term, range(1, expr.count + 1)))
                total = self.value(terms[0])
                for term in terms[1:]:
                    total = add(total, self.value(term))
                return total
            case Product(factors):
                total = self.value(factors[0])
                for factor in factors[1:]:
                    total = multiply(total, self.value(factor))
                return total
            case Negative(arg):
                return negate(self.value(arg))
            case Quotient(top, bottom):
                return self._quotient(top, bottom)
            case Power(base, exponent):
                return self._power(base, exponent)
            case Call(function, args):
                return self._call(function, args)
            case Cases():
                return self._cases(expr)

    def _quotient(self, top: Expr, bottom: Expr) -> Column:
        nets = exponents(top, bottom)
        if not nets:
            return divide(self.value(top), self.value(bottom))
        own, *others = map(self.value, nets)
        total = constant(Fraction(1), self._count)
        for other in others:
            total = add(total, exp(add(other, negate(own))))
        return divide(constant(Fraction(1), self._count), total)

    def _power(self, base: Expr, exponent: Expr) -> Column:
        """Small whole powers (also of a name that counts), and square roots; the rest is for the exact engine."""
        if isinstance(exponent, Number) and exponent.value == Fraction(1, 2):
            return sqrt(self.value(base))
        power = whole_constant(self.value(exponent))
        if power is None or not 1 <= power <= MOST_POWER:
            return unknown(self._count)
        found = own = self.value(base)
        for _ in range(power - 1):
            found = multiply(found, own)
        return found

    def _call(self, function: str, args: tuple[Expr, ...]) -> Column:
        values = [self.value(arg) for arg in args]
        row = BY_FUNCTION.get(function)
        if row is not None:
            names = ("z", *(name for name, _ in row.parameters))
            bound = dict(zip(names, values, strict=True))
            return Arrays(self._count, bound.__getitem__).value(formula(row.numeric or row.formula, names))
        if function in ("max", "min") and values:
            found = values[0]
            for other in values[1:]:
                found = larger(found, other) if function == "max" else negate(larger(negate(found), negate(other)))
            return found
        known = FUNCTIONS.get(function)
        return known(values[0]) if known and len(values) == 1 else unknown(self._count)

    def _cases(self, expr: Cases) -> Column:
        found = self.value(expr.otherwise)
        for value, test in reversed(expr.pieces):
            holds, sure = self.holds(test)
            found = choose(holds, sure, self.value(value), found)
        return found

    def holds(self, test: Condition) -> tuple[Flags, Flags]:
        """Where a condition holds, and where that is certain."""
        difference = add(self.value(test.left), negate(self.value(test.right)))
        sign, sure = signs(difference)
        return RELATIONS[test.relation](sign), sure


RELATIONS: Mapping[str, Callable[[NDArray[Any]], Flags]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
    "==": lambda sign: sign == 0,
}


def signs(column: Column) -> tuple[NDArray[Any], Flags]:
    """The sign of each value, and where it is certain."""
    if column.exact is not None:
        sign = np.sign(column.exact.units)
        return sign, np.ones(sign.shape, dtype=bool)
    return np.sign(column.value), np.abs(column.value) > column.error


def whole_constant(column: Column) -> int | None:
    """The whole number that a column holds for every variant, where it does."""
    exact = column.exact
    if exact is None or not exact.units.size or (exact.units != exact.units[0]).any():
        return None
    whole, rest = divmod(int(exact.units[0]), 10**exact.places)
    return None if rest else whole


def unknown(count: int) -> Column:
    """What is left to the exact engine altogether."""
    return Column(np.zeros(count), np.full(count, np.inf))


def add(a: Column, b: Column) -> Column:
    value = a.value + b.value
    exact = None
    if a.exact is not None and b.exact is not None:
        exact = _aligned_sum(a.exact, b.exact)
    return Column(value, a.error + b.error + np.abs(value) * UNIT, exact)


def _aligned_sum(a: Exact, b: Exact) -> Exact | None:
    places = max(a.places, b.places)
    left, right = 10 ** (places - a.places), 10 ** (places - b.places)
    most = a.most * left + b.most * right
    return Exact(a.units * left + b.units * right, places, most) if most <= MOST_UNITS else None


def negate(a: Column) -> Column:
    exact = a.exact and Exact(-a.exact.units, a.exact.places, a.exact.most)
    return Column(-a.value, a.error, exact)


def multiply(a: Column, b: Column) -> Column:
    value = a.value * b.value
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(a.value) * b.error + np.abs(b.value) * a.error + a.error * b.error + np.abs(value) * UNIT
    exact = None
    if a.exact is not None and b.exact is not None:
        most, places = a.exact.most * b.exact.most, a.exact.places + b.exact.places
        if most <= MOST_UNITS and places <= 18:
            exact = Exact(a.exact.units * b.exact.units, places, most)
    return Column(value, _bounded(error) + _TINY, exact)


def divide(a: Column, b: Column) -> Column:
    room = np.abs(b.value) - b.error
    safe = room > 0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        value = np.where(safe, a.value / np.where(safe, b.value, 1.0), 0.0)
        error = (a.error + np.abs(value) * b.error) / np.where(safe, room, 1.0) * (1 + UNIT) + np.abs(value) * UNIT
    exact = None
    if a.exact is not None and b.exact is not None and b.exact.most == 1 and b.exact.places == 0 and safe.all():
        exact = Exact(a.exact.units * b.exact.units, a.exact.places, a.exact.most)
    return Column(value, np.where(safe, _bounded(error), np.inf) + _TINY, exact)


def exp(a: Column) -> Column:
    with np.errstate(over="ignore", invalid="ignore"):
        value = np.exp(a.value)
        error = value * (np.expm1(a.error) * (1 + FUNCTION_ERROR) + FUNCTION_ERROR)
    return _finite(value, error)


def ln(a: Column) -> Column:
    room = a.value - a.error
    safe = room > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(np.where(safe, a.value, 1.0))
        error = a.error / np.where(safe, room, 1.0) * (1 + UNIT) + np.abs(value) * FUNCTION_ERROR + _TINY
    return Column(value, np.where(safe, error, np.inf))


def sqrt(a: Column) -> Column:
    room = a.value - a.error
    safe = room > 0
    value = np.sqrt(np.where(safe, a.value, 1.0))
    error = a.error / np.sqrt(np.where(safe, room, 1.0)) * (1 + UNIT) + value * FUNCTION_ERROR
    return Column(value, np.where(safe, error, np.inf))


def absolute(a: Column) -> Column:
    exact = a.exact and Exact(np.abs(a.exact.units), a.exact.places, a.exact.most)
    return Column(np.abs(a.value), a.error, exact)


def _wave(function: Callable[[Floats], Floats]) -> Callable[[Column], Column]:
    def apply(a: Column) -> Column:
        value = function(a.value)
        error = np.where(np.abs(a.value) < 1e5, a.error + FUNCTION_ERROR, np.inf)
        return Column(value, error)

    return apply


def larger(a: Column, b: Column) -> Column:
    """The larger of two: right either way, for where they cannot be told apart the bounds cover both."""
    first = a.value >= b.value
    exact = None
    if a.exact is not None and b.exact is not None:
        exact = _aligned(a.exact, b.exact, first)
    return Column(np.maximum(a.value, b.value), np.maximum(a.error, b.error), exact)


def choose(first: Flags, sure: Flags, a: Column, b: Column) -> Column:
    exact = None
    if a.exact is not None and b.exact is not None and sure.all():
        exact = _aligned(a.exact, b.exact, first)
    error = np.where(first, a.error, b.error)
    return Column(np.where(first, a.value, b.value), np.where(sure, error, np.inf), exact)


def _aligned(a: Exact, b: Exact, first: Flags) -> Exact | None:
    places = max(a.places, b.places)
    left, right = 10 ** (places - a.places), 10 ** (places - b.places)
    most = max(a.most * left, b.most * right)
    return Exact(np.where(first, a.units * left, b.units * right), places, most) if most <= MOST_UNITS else None


def _bounded(error: Floats) -> Floats:
    return np.where(np.isnan(error), np.inf, error)


def _finite(value: Floats, error: Floats) -> Column:
    fine = np.isfinite(value) & np.isfinite(error)
    return Column(np.where(fine, value, 0.0), np.where(fine, error, np.inf) + _TINY)


FUNCTIONS: Mapping[str, Callable[[Column], Column]] = {
    "exp": exp, "ln": ln, "log": ln, "sqrt": sqrt, "abs": absolute, "sin": _wave(np.sin), "cos": _wave(np.cos),
}  # fmt: skip
