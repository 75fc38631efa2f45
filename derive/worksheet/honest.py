"""What honest rounding of intermediate results can reach, for many variants at once, and what a mistake gives instead.

A student who rounds every intermediate result to the digits of the page, or cuts it off there, reaches at each quantity
a number in the hull of [a, b] and what becomes of a and b, where [a, b] is what the definition gives for the ranges of
its parts.

These numbers only decide which variants are fit for a class.  Every comparison leaves a margin that no short decimal
falls on, so that the last bit of a double, which may differ from one machine to another, decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import add, mul, truediv

import numpy as np
from numpy.typing import NDArray

from derive.catalogue.activations import BY_FUNCTION
from derive.derivation.evaluator import exponents, formula
from derive.formula.expression import (
    Call,
    Cases,
    Expr,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Series,
    Sum,
    is_plain,
    is_step,
)
from derive.numbers.rounding import Rounding
from derive.problem.points import ActivationPoints
from derive.worksheet.arrays import RELATIONS, Arrays, Column, Flags, Floats
from derive.worksheet.kinds import is_exact
from derive.worksheet.values import Table

Rows = NDArray[np.intp]

MARGIN = 1 / 997
"""Of a unit of the last place; 1/997 has no short decimal."""

REGROUPED = 4
"""Units of the last place for what is rounded inside a line: products of several factors, sums term by term."""

JUST = 1 / 999983
"""Of a unit of the last place: what is closer to a whole number of units is one."""


@dataclass(frozen=True, slots=True)
class Span:
    """lo <= hi, a number each for every variant."""

    lo: Floats
    hi: Floats


class Honest:
    """The ranges of the quantities of a table, each found when asked for."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._inside = _inside_lines(table)
        self._spans: dict[str, Span] = {}
        self._rooms: dict[str, Span] = {}

    def room(self, name: str) -> Span:
        """What may be written for a quantity at the digits of the page."""
        if name not in self._rooms:
            span = self.span(name)
            room = units_of(span, self._table.rounding) * self._inside
            self._rooms[name] = Span(span.lo - room, span.hi + room)
        return self._rooms[name]

    def span(self, name: str) -> Span:
        if name not in self._spans:
            self._spans[name] = self._found(name)
        return self._spans[name]

    def _found(self, name: str) -> Span:
        if self._table.is_given(name):
            value = self._table.column(name).value
            return Span(value, value)
        definition = self._table.derivation.quantity(name).definition
        assert definition is not None
        reached = spans(definition, self.span, self._table.count)
        return reached if is_plain(definition) or is_step(definition) else widened(reached, self._table.rounding)


def _inside_lines(table: Table) -> float:
    """Units of the last place for what is rounded inside a line and at its end, where there is anything to round."""
    body = table.problem.body
    if is_exact(table.problem, table.space.choices(table.part)):
        return MARGIN
    direct = body.kind == "perceptron"
    if isinstance(body, ActivationPoints):
        row = body.activation
        direct = bool(row.kinks) and not re.search(r"exp|ln|log|sqrt|tanh", row.formula)
    return (0 if direct else REGROUPED) + 0.5 + MARGIN


def widened(span: Span, rounding: Rounding) -> Span:
    """What may be carried on: the range and its ends cut off or rounded; an end on a tie counts as rounded outward."""
    unit = units_of(span, rounding)
    with np.errstate(all="ignore"):
        cut_lo, cut_hi = (np.trunc(end / unit + np.sign(end) * JUST) * unit for end in (span.lo, span.hi))
        lo = np.floor(span.lo / unit + 0.5 - MARGIN) * unit
        hi = np.ceil(span.hi / unit - 0.5 + MARGIN) * unit
    return Span(np.fmin(np.fmin(span.lo, lo), cut_lo), np.fmax(np.fmax(span.hi, hi), cut_hi))


def units_of(span: Span, rounding: Rounding) -> Floats:
    """One unit of the last place that is shown, of the larger end."""
    if rounding.decimals is not None:
        return np.full(span.lo.shape, 10.0**-rounding.decimals)
    size = np.maximum(np.abs(span.lo), np.abs(span.hi))
    place = np.floor(np.log10(np.where(size > 0, size * (1 + 1e-12), 1.0)))
    unit: Floats = 10.0 ** (place - (rounding.significant or 1) + 1)
    return unit


def spans(expr: Expr, lookup: Callable[[str], Span], count: int) -> Span:
    """The range of a tree by interval arithmetic."""

    def walk(part: Expr) -> Span:
        return spans(part, lookup, count)

    match expr:
        case Name(name):
            return lookup(name)
        case Number(value):
            return _point(float(value), count)
        case Sum() | Series():
            terms = expr.terms if isinstance(expr, Sum) else tuple(map(expr.term, range(1, expr.count + 1)))
            parts = [walk(term) for term in terms]
            return Span(np.sum([part.lo for part in parts], axis=0), np.sum([part.hi for part in parts], axis=0))
        case Product(factors):
            found = walk(factors[0])
            for factor in factors[1:]:
                found = _times(found, walk(factor))
            return found
        case Negative(arg):
            inner = walk(arg)
            return Span(-inner.hi, -inner.lo)
        case Quotient(top, bottom):
            nets = exponents(top, bottom)
            if nets:
                return _softmax(*map(walk, nets))
            return _times(walk(top), _inverse(walk(bottom)))
        case Power(base, exponent):
            return _power(walk(base), walk(exponent))
        case Call() | Cases():
            return _sampled(expr, lookup, count)


def _point(value: float, count: int) -> Span:
    found = np.full(count, value)
    return Span(found, found)


def _times(a: Span, b: Span) -> Span:
    products = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi]
    return Span(np.min(products, axis=0), np.max(products, axis=0))


def _inverse(a: Span) -> Span:
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = (a.lo > 0) | (a.hi < 0)
        return Span(np.where(apart, 1 / a.hi, -np.inf), np.where(apart, 1 / a.lo, np.inf))


def _power(base: Span, exponent: Span) -> Span:
    """A power with a known exponent: 2 and other even ones are never negative."""
    with np.errstate(all="ignore"):
        ends = [np.power(base.lo, exponent.lo), np.power(base.hi, exponent.lo)]
    even = exponent.lo % 2 == 0
    low = np.where(even & (base.lo <= 0) & (base.hi >= 0), 0.0, np.min(ends, axis=0))
    return Span(low, np.max(ends, axis=0))


def _softmax(own: Span, *others: Span) -> Span:
    low = 1 / (1 + np.sum([np.exp(other.hi - own.lo) for other in others], axis=0))
    high = 1 / (1 + np.sum([np.exp(other.lo - own.hi) for other in others], axis=0))
    return Span(low, high)


def _sampled(expr: Call | Cases, lookup: Callable[[str], Span], count: int) -> Span:
    """A function at the ends of its arguments and between: they are a few units of the last place apart."""
    found = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):

        def at(name: str, share: float = share) -> Column:
            span = lookup(name)
            with np.errstate(invalid="ignore"):
                return Column(span.lo + share * (span.hi - span.lo), np.zeros(count))

        found.append(Arrays(count, at).value(expr).value)
    return Span(np.min(found, axis=0), np.max(found, axis=0))


class Slip:
    """One mistake: definitions that somebody exchanged, and what that changes; the same for every variant.

    parts, usual   the names in the usual definition of a quantity, and how that is calculated
    """

    def __init__(
        self,
        name: str,
        definitions: Mapping[str, Expr],
        parts: Callable[[str], tuple[str, ...]],
        usual: Callable[[str], Calculation],
    ) -> None:
        self.name = name
        self.definitions = definitions
        self._parts = parts
        self._usual = usual
        self._calculations: dict[str, Calculation] = {}
        self._changed: dict[str, bool] = {}

    def calculation(self, name: str) -> Calculation:
        """How somebody who makes the mistake calculates a quantity that is not given."""
        if name not in self.definitions:
            return self._usual(name)
        found = self._calculations.get(name)
        if found is None:
            found = self._calculations[name] = calculation(self.definitions[name])
        return found

    def changes(self, name: str) -> bool:
        """Whether the mistake can be seen in a quantity at all."""
        found = self._changed.get(name)
        if found is None:
            self._changed[name] = False
            found = self._changed[name] = name in self.definitions or any(map(self.changes, self._parts(name)))
        return found


class Mistaken:
    """The values of a table, or of some of its rows, for somebody who makes one mistake."""

    def __init__(self, table: Table, slip: Slip, rows: Rows | None = None, whole: Mapping[str, Floats] = {}) -> None:
        self._table, self._slip, self._rows, self._whole = table, slip, rows, whole
        self._values: dict[str, Floats] = {}

    def some(self, rows: Rows) -> Mistaken:
        """The same for these rows of the table, of all of which this is."""
        return Mistaken(self._table, self._slip, rows, self._values)

    def value(self, name: str) -> Floats:
        """The numbers that the mistake leads to; not a number where there is none."""
        found = self._values.get(name)
        if found is None:
            found = self._values[name] = self._found(name)
        return found

    def _found(self, name: str) -> Floats:
        if name in self._whole:
            return taken(self._whole[name], self._rows)
        if not self._slip.changes(name):
            return taken(self._table.doubles(name), self._rows)
        return self._slip.calculation(name)(self.value)


def taken(values: Floats, rows: Rows | None) -> Floats:
    """Some rows of a column; a number that is the same for all stays as it is."""
    return values if rows is None or not values.ndim else values[rows]


Lookup = Callable[[str], Floats]
Calculation = Callable[[Lookup], Floats]
"""The values of a tree in plain doubles, without a bound of their error, from those of the names in it."""


def calculation(expr: Expr) -> Calculation:
    """A tree, ready to be evaluated again and again."""
    match expr:
        case Name(name):
            return lambda lookup: lookup(name)
        case Number(value):
            number = np.asarray(float(value))
            return lambda _: number
        case Sum() | Series():
            terms = expr.terms if isinstance(expr, Sum) else tuple(map(expr.term, range(1, expr.count + 1)))
            return _folded(add, tuple(map(calculation, terms)))
        case Product(factors):
            return _folded(mul, tuple(map(calculation, factors)))
        case Negative(arg):
            inner = calculation(arg)
            return lambda lookup: -inner(lookup)
        case Quotient(top, bottom):
            return _folded(truediv, (calculation(top), calculation(bottom)))
        case Power(base, exponent):
            parts = calculation(base), calculation(exponent)
            return lambda lookup: np.asarray(parts[0](lookup) ** parts[1](lookup))
        case Call(function, args):
            return _called(function, tuple(map(calculation, args)))
        case Cases():
            return _piecewise(expr)


def _folded(operation: Callable[[Floats, Floats], Floats], parts: tuple[Calculation, ...]) -> Calculation:
    """From the left, as the pages and the checker add and multiply."""
    first, *others = parts
    if len(others) == 1:
        second = others[0]
        return lambda lookup: operation(first(lookup), second(lookup))
    return lambda lookup: reduce(operation, [part(lookup) for part in parts])


def _piecewise(expr: Cases) -> Calculation:
    otherwise = calculation(expr.otherwise)
    pieces = [
        (calculation(piece), RELATIONS[test.relation], calculation(test.left), calculation(test.right))
        for piece, test in reversed(expr.pieces)
    ]

    def found(lookup: Lookup) -> Floats:
        value = otherwise(lookup)
        for piece, holds, left, right in pieces:
            value = np.where(holds(left(lookup) - right(lookup)), piece(lookup), value)
        return value

    return found


def _called(function: str, args: tuple[Calculation, ...]) -> Calculation:
    row = BY_FUNCTION.get(function)
    if row is not None:
        names = ("z", *(name for name, _ in row.parameters))
        inner = _formula(row.numeric or row.formula, names)
        return lambda lookup: inner({name: arg(lookup) for name, arg in zip(names, args, strict=True)}.__getitem__)
    if function in ("max", "min"):
        return _folded(np.maximum if function == "max" else np.minimum, args)
    known = DOUBLES.get(function)
    if known and len(args) == 1:
        return lambda lookup: np.asarray(known(args[0](lookup)))
    constant = np.asarray(np.nan if args else np.pi)
    return lambda _: constant


@lru_cache(maxsize=64)
def _formula(text: str, names: tuple[str, ...]) -> Calculation:
    return calculation(formula(text, names))


DOUBLES: Mapping[str, Callable[[Floats], Floats]] = {
    "exp": np.exp, "ln": np.log, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "sin": np.sin, "cos": np.cos,
}  # fmt: skip


def hidden(room: Span, wrong: Floats) -> Flags:
    """Where a mistake gives a number that honest rounding reaches too."""
    return (wrong >= room.lo) & (wrong <= room.hi)


def alike(right: Floats, wrong: Floats) -> Flags:
    """Where a mistake changes nothing: it is none there, or the numbers happen to hide it altogether.

    Where the terms of a sum cancel, what is left is measured by the largest of the other variants.
    """
    size = np.abs(right)
    largest = np.max(size, where=np.isfinite(size), initial=0.0)
    found: Flags = np.abs(right - wrong) <= size * 1e-9 + largest * 1e-13 + 1e-30
    return found
