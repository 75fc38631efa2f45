"""Homogeneous linear inequalities over the rationals: a solution, or the multipliers that prove that there is none.

Exactly one of the two exists (Motzkin's transposition theorem, 1936).  It is found by the simplex method in exact
arithmetic with Bland's rule, which never cycles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

Row = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Solution:
    """Numbers u with row · u > 0 for every strict row and row · u >= 0 for every other."""

    values: Row


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Whole multipliers >= 0 by row, at least one strict row among them, under which the rows add up to zero: 0 > 0.

    At most one row more than there are unknowns is in it, and the multipliers have no common factor.
    """

    multipliers: dict[int, int]


def solve(rows: Sequence[Row], strict: Sequence[bool]) -> Solution | Contradiction:
    """Decide whether row · u > 0 (strict rows) and row · u >= 0 (the others) have a common solution u.

    Each row has at least one entry, all of one length; `strict` has an entry a row.
    """
    columns = [(*map(Fraction, row), Fraction(is_strict)) for row, is_strict in zip(rows, strict, strict=True)]
    size = len(columns[0])
    basis = [-place for place in range(size, 0, -1)]  # below zero: artificial, one for each equation
    inverse = [[Fraction(i == j) for j in range(size)] for i in range(size)]
    level = [Fraction(0)] * (size - 1) + [Fraction(1)]
    while True:
        prices = _prices(basis, inverse)
        entering = next((i for i, column in enumerate(columns) if i not in basis and _dot(prices, column) > 0), None)
        if entering is None:
            break
        _pivot(basis, inverse, level, entering, columns[entering])
    if any(value for place, value in zip(basis, level, strict=True) if place < 0):
        return Solution(_whole([-price for price in prices[:-1]]))
    found = {place: value for place, value in zip(basis, level, strict=True) if place >= 0 and value}
    whole = _whole(list(found.values()))
    return Contradiction({place: int(value) for place, value in sorted(zip(found, whole, strict=True))})


def _dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True) if a and b), Fraction(0))


def _prices(basis: Sequence[int], inverse: Sequence[Sequence[Fraction]]) -> list[Fraction]:
    """The sum of the artificial rows of the inverse: what a unit of each equation still costs."""
    artificial = [row for place, row in zip(basis, inverse, strict=True) if place < 0]
    return [sum((row[j] for row in artificial), Fraction(0)) for j in range(len(inverse))]


def _pivot(basis: list[int], inverse: list[list[Fraction]], level: list[Fraction], entering: int, column: Row) -> None:
    """Bring a column into the basis; of the places that allow it, the one of the lowest number leaves."""
    direction = [_dot(row, column) for row in inverse]
    leaving = min(
        (i for i, step in enumerate(direction) if step > 0), key=lambda i: (level[i] / direction[i], basis[i])
    )
    unit = direction[leaving]
    inverse[leaving] = [entry / unit for entry in inverse[leaving]]
    level[leaving] /= unit
    basis[leaving] = entering
    for i, step in enumerate(direction):
        if i != leaving and step:
            inverse[i] = [entry - step * own for entry, own in zip(inverse[i], inverse[leaving], strict=True)]
            level[i] -= step * level[leaving]


def _whole(values: Sequence[Fraction]) -> Row:
    """The values times a positive number that makes them whole and without a common factor."""
    scale = lcm(*(value.denominator for value in values))
    whole = [int(value * scale) for value in values]
    common = gcd(*whole) or 1
    return tuple(Fraction(value // common) for value in whole)
