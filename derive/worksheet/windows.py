"""Which numbers a learning platform is told to accept: from what honest rounding reaches, for many variants at once.

A platform compares a number with an interval and knows nothing of the digits that were written.  Numbers are counted
in units of the last place that the page shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import numpy as np

from derive.check.enclosure import evaluate, hull, point
from derive.check.precision import MOST_DIGITS, Grid, Precision, Range
from derive.check.program import Program, compiled
from derive.numbers.rounding import Rounding
from derive.worked import WorkedExample
from derive.worksheet.later import plain_of
from derive.worksheet.values import Table

Platform = Literal["moodle", "classic", "new"]
"""Moodle, and the Classic and the New Quizzes of Canvas."""

CANVAS_DECIMALS = 4
"""Canvas's Classic Quizzes keep so many decimals of what a student types, cut or rounded."""

FURTHEST = 10**6
"""An interval of more units of the last place tells nothing apart: there the answer alone is accepted."""

_HALF = Decimal("0.5")
_CLOSE = Decimal("0.000001")
"""Of a unit: an end so near to a rounding tie may be written either way."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is accepted of one answer.

    answer       as the page shows it
    unit         of its last place
    least, most  the first and last number that honest rounding reaches, in units from the answer: least <= 0 <= most
    bounded      False where honest rounding has no bounds, or none that tell anything apart
    """

    answer: Decimal
    unit: Decimal
    least: int
    most: int
    bounded: bool = True

    @property
    def low(self) -> Decimal:
        return self.answer + self.least * self.unit

    @property
    def high(self) -> Decimal:
        return self.answer + self.most * self.unit

    def interval(self, platform: Platform) -> tuple[Decimal, Decimal]:
        """From where to where the platform accepts; who keeps the digits of the page on the way is never refused.

        Half a unit more than the numbers at the digits of the page: those with more digits lie that far beyond.
        """
        if platform == "moodle":
            tolerance = self.tolerance
            return self.answer - tolerance, self.answer + tolerance
        half = self.unit * _HALF
        ends = [self.low - half, self.high + half]
        if platform == "classic":
            modes = "ROUND_DOWN", "ROUND_HALF_UP"
            ends += [_kept(number, mode) for number in (self.low, self.high) for mode in modes]
        return min(ends), max(ends)

    @property
    def tolerance(self) -> Decimal:
        """On both sides of the answer: as far as the larger side reaches."""
        return (max(-self.least, self.most) + _HALF) * self.unit

    def beyond(self, platform: Platform) -> tuple[int, int]:
        """How many numbers with the digits of the page are accepted below and above those that are honest."""
        low, high = self.interval(platform)
        below, above = (self.low - low) / self.unit, (high - self.high) / self.unit
        return int(below), int(above)


def _kept(number: Decimal, mode: str) -> Decimal:
    """What the Classic Quizzes keep of a number."""
    return number.quantize(Decimal(1).scaleb(-CANVAS_DECIMALS), rounding=mode)


class Windows:
    """The windows of the asked quantities of a table; `example` has the problem with any numbers."""

    def __init__(self, table: Table, example: WorkedExample, asked: tuple[str, ...]) -> None:
        self._table = table
        self._example = example
        self._asked = asked
        self._found: dict[str, list[Window]] = {}
        self._environments: dict[tuple[str, ...], Mapping[str, Range]] = {}

    def of(self, name: str) -> list[Window]:
        """One for each variant."""
        if name not in self._found:
            low, high = self._reached(name)
            unit = _units(self._table, name)
            self._found[name] = list(map(_window, self._table.texts(name), unit, low.tolist(), high.tolist()))
        return self._found[name]

    def _reached(self, name: str) -> Range:
        """What honest rounding reaches, alone and by way of the other quantities that are asked for."""
        ends = []
        for asked in dict.fromkeys(((name,), self._asked)):
            reached = self._environment(asked)[_programs(plain_of(self._example), asked).asked[name]]
            ends.append(Range(*(np.broadcast_to(end[0], self._table.count) for end in reached)))
        return hull(*ends)

    def _environment(self, asked: tuple[str, ...]) -> Mapping[str, Range]:
        """What is reached of every quantity; of all that is asked for together it is kept."""
        found = self._environments.get(asked)
        if found is None:
            grid = Grid((precision_of(self._table.rounding),))
            found = _environment(_programs(plain_of(self._example), asked), grid, self._table)
            if asked == self._asked:
                self._environments[asked] = found
        return found


def precision_of(rounding: Rounding) -> Precision:
    """The precision of the page, as far as doubles have digits."""
    if rounding.significant is not None:
        return Precision("significant", min(rounding.significant, MOST_DIGITS))
    return Precision("decimals", min(rounding.decimals or 0, MOST_DIGITS))


@lru_cache(maxsize=64)
def _programs(example: WorkedExample, asked: tuple[str, ...]) -> Program:
    return compiled(example, asked)


def _environment(program: Program, grid: Grid, table: Table) -> Mapping[str, Range]:
    """Every quantity behind what is asked, a column for each variant."""
    env: dict[str, Range] = {}
    with np.errstate(all="ignore"):
        for key, node in program.nodes.items():
            ways = (*node.routes, *node.late)
            env[key] = grid.rounded(hull(*(evaluate(way, env, grid) for way in ways))) if ways else _given(key, table)
    return env


def _given(key: str, table: Table) -> Range:
    if not table.has_number(key):
        return point(np.nan)
    return point(table.column(key).value)


def _units(table: Table, name: str) -> Iterator[Decimal]:
    """A unit of the last place that is shown, for each variant."""
    rounding = table.rounding
    if rounding.significant is None:
        unit = Decimal(1).scaleb(-(rounding.decimals or 0))
        return (unit for _ in range(table.count))
    return (_last_place(Decimal(text), rounding.significant) for text in table.texts(name))


def _last_place(number: Decimal, significant: int) -> Decimal:
    place = number.adjusted() if number else 0
    return Decimal(1).scaleb(place - significant + 1)


def _window(text: str, unit: Decimal, low: float, high: float) -> Window:
    answer = Decimal(text)
    if not (np.isfinite(low) and np.isfinite(high)):
        return Window(answer, unit, 0, 0, bounded=False)
    least, most = ((Decimal(end) - answer) / unit + _CLOSE * side for end, side in ((low, -1), (high, 1)))
    if max(-least, most) > FURTHEST:
        return Window(answer, unit, 0, 0, bounded=False)
    whole = [int(end.to_integral_value("ROUND_HALF_UP")) for end in (least, most)]
    return Window(answer, unit, min(whole[0], 0), max(whole[1], 0))


def plain(number: Decimal) -> str:
    """The number without a power of ten and without zeros at its end."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) if number else "0"
