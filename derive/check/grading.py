"""One walk over the quantities behind what is asked, for many students at once: what each could honestly have written.

Two environments are kept: `honest`, in which an accepted answer is what its student carried on and a wrong one is
passed over, and `own`, in which every answer is carried on, wrong ones included.  Their arrays have an axis for the
precisions that occur, and one for the students where these differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from derive.check.columns import View, elsewhere, lenient, spread
from derive.check.divisors import Reached
from derive.check.enclosure import evaluate, hull
from derive.check.precision import SINGLE, Flags, Floats, Grid, Precision, Range, last_digit_of
from derive.check.program import Node, Program
from derive.check.style import NO_PLACE, Numbers
from derive.errors import DeriveError
from derive.numbers.exact import NotEnoughDigits, bounds

SURELY_DOUBLE = 9
"""Single precision does not give so many digits, twice."""
_LAST_BITS = 2.0**-50
_TWO_BITS = 2.0**-22
_NEAR = 1e-7


class Standing(IntEnum):
    """How a number stands."""

    NONE = 0
    CORRECT = 1
    ROUNDED = 2
    FOLLOWS = 3
    TRIVIAL = 4
    WRONG = 5
    SYMBOLIC = 6
    EITHER = 7
    """Right from the student's own wrong answers, and within what honest rounding reaches."""


Standings = NDArray[np.int8]


@dataclass(slots=True)
class Graded:
    """What the walk found: arrays over students by quantity, and the two environments.

    low, high   the lowest and highest number that may be written
    own_low …   the same from the student's own answers
    """

    precisions: tuple[Precision, ...]
    standing: dict[str, Standings] = field(default_factory=dict)
    low: dict[str, Floats] = field(default_factory=dict)
    high: dict[str, Floats] = field(default_factory=dict)
    own_low: dict[str, Floats] = field(default_factory=dict)
    own_high: dict[str, Floats] = field(default_factory=dict)
    honest: dict[str, Range] = field(default_factory=dict)
    own: dict[str, Range] = field(default_factory=dict)


def grade(program: Program, numbers: Numbers, given: Mapping[str, Floats] | None = None) -> Graded:
    """Judge the numbers of a batch.

    given   arrays over students instead of the given numbers and true values of the problem, by key
    """
    with np.errstate(all="ignore"):
        return _Walk(program, numbers, given or {}).run()


class _Walk:
    def __init__(self, program: Program, numbers: Numbers, given: Mapping[str, Floats]) -> None:
        self._program = program
        self._numbers = numbers
        self._varied = frozenset(given)
        self._truth = {key: np.nan if value is None else value for key, value in program.truth.items()} | dict(given)
        self._count = numbers.value.shape[1]
        self._rows: dict[str, list[tuple[str, int]]] = {}
        for row, (quantity, key) in enumerate(program.asked.items()):
            self._rows.setdefault(key, []).append((quantity, row))
        self._no_single_where_double()
        precisions = tuple(numbers.precisions)
        self._grid = Grid(precisions) if precisions else None
        reached = (Reached(program.nodes, self._grid, evaluate) for _ in range(2))
        self._graded = Graded(precisions, honest=next(reached), own=next(reached))
        there = ~np.isnan(numbers.value) & (numbers.decimals != NO_PLACE)
        self._finest = np.where(there, numbers.read_scale, 0.0).max(axis=0, initial=0.0)
        self._idle: dict[str, Flags] = {}
        self._strayed: dict[str, Flags] = {}

    def _no_single_where_double(self) -> None:
        """What was not computed in single precision: a sheet with numbers right to more digits than that has, and a
        number of nine digits that single precision does not have, unless it is right but for the last bits.
        """
        numbers, found = self._numbers, self._numbers.precisions.get(SINGLE)
        if found is None:
            return
        truth = np.stack([
            np.broadcast_to(np.asarray(self._truth[key], dtype=np.float64), numbers.value.shape[1:])
            for key in self._program.asked.values()
        ])
        fine = (numbers.significant >= SURELY_DOUBLE) & (abs(numbers.value - truth) <= 0.5 / numbers.scale)
        found &= fine.sum(axis=0) < 2
        held = abs(numbers.value.astype(np.float32).astype(np.float64) - numbers.value) * numbers.scale <= 1
        near = abs(numbers.value - truth) <= _TWO_BITS * abs(truth)
        found &= (numbers.significant < SURELY_DOUBLE) | held | near

    def run(self) -> Graded:
        for key, node in self._program.nodes.items():
            if key not in self._program.needed:
                continue
            reached, ways = self._reach(node)
            idle = self._idle_at(node)
            strayed = self._strayed_before(node)
            for place, (quantity, row) in enumerate(self._rows.get(key, ())):
                known = [self._graded.own[key]] if place else []
                self._judge(quantity, node, row, reached, [*ways, *known], idle, strayed)
                strayed = self._strayed[key]
            self._strayed.setdefault(key, strayed)
            if idle is not None:
                self._idle[key] = idle
        return self._graded

    def _strayed_before(self, node: Node) -> Flags:
        """Which students wrote a wrong number somewhere before a quantity."""
        found: Flags = np.zeros(self._count, dtype=np.bool_)
        for key in node.needs:
            found = found | self._strayed[key]
        return found

    # --- what can be reached -------------------------------------------------------------------------------------

    def _reach(self, node: Node) -> tuple[Range, list[Range]]:
        """What may be computed honestly, and from the student's own answers along each route; both are carried on."""
        honest, own = self._graded.honest, self._graded.own
        if not node.routes or self._grid is None:
            honest[node.key] = own[node.key] = lenient(np.asarray(self._truth[node.key], dtype=np.float64))
            return honest[node.key], []
        found = hull(*(evaluate(way, honest, self._grid) for way in node.routes))
        plain = self._grid.rounded(found)
        honest[node.key] = own[node.key] = plain if node.key in self._rows else self._as_beside(node.key, plain)
        if all(own[key] is honest[key] for key in node.needs):
            return found, []
        columns = np.flatnonzero(self._strayed_before(node))
        view = View(own, columns)
        ways = [evaluate(way, view, self._grid) for way in node.routes]
        own[node.key] = spread(honest[node.key], self._grid.rounded(ways[0]), columns, self._count)
        return found, [spread(found, way, columns, self._count) for way in ways]

    def _as_beside(self, key: str, carried: Range) -> Range:
        """What is carried on of a quantity that nobody is asked for, where its like is written with fewer digits."""
        rows = [row for beside in self._program.beside.get(key, ()) for _, row in self._rows[beside]]
        if not rows:
            return carried
        scale = np.where(np.isnan(self._numbers.value[rows]), np.inf, self._numbers.read_scale[rows]).min(axis=0)
        coarse = (scale < self._finest) & (scale > 1)
        if not coarse.any():
            return carried
        scale = np.where(coarse, scale, 1.0)
        rounded = last_digit_of(carried, scale, truncated=coarse)
        lo, hi = np.minimum(carried.lo, rounded.lo), np.maximum(carried.hi, rounded.hi)
        return Range(np.where(coarse, lo, carried.lo), np.where(coarse, hi, carried.hi))

    def _reach_late(self, node: Node, env: Mapping[str, Range], where: Flags, found: Range) -> Range:
        """The interval with the further ways to compute a quantity, for those students that need them."""
        columns = np.flatnonzero(where)
        ways = node.late if env is self._graded.own else (*node.late, *node.past)
        if not ways or not columns.size or self._grid is None:
            return found
        view = View(env, columns)
        more = hull(*(evaluate(way, view, self._grid) for way in ways))
        return hull(found, spread(found, more, columns, self._count))

    def _idle_at(self, node: Node) -> Flags | None:
        """Where a wrong answer made a quantity zero that is not, or one behind it: what follows is trivial."""
        honest, own = self._graded.honest[node.key], self._graded.own[node.key]
        if own is honest:
            return None
        zero = (own.lo <= 0) & (own.hi >= 0) & ((honest.lo > 0) | (honest.hi < 0))
        found: Flags = np.asarray(zero.all(axis=0))
        for key in node.needs:
            if key in self._idle:
                found = found | self._idle[key]
        return found

    # --- what is written -----------------------------------------------------------------------------------------

    def _judge(
        self, quantity: str, node: Node, row: int, reached: Range, ways: list[Range], idle: Flags | None,
        strayed: Flags,
    ) -> None:  # fmt: skip
        graded, numbers, key = self._graded, self._numbers, node.key
        value, there = numbers.value[row], ~np.isnan(numbers.value[row])
        truth = np.broadcast_to(np.asarray(self._truth[key], dtype=np.float64), value.shape)
        at = np.array([flags[row] for flags in numbers.precisions.values()], dtype=np.bool_).reshape(-1, value.size)
        correct = there & self._right(key, value, truth, row)
        honest = self._written(reached, row, at)
        accepted = correct | (there & self._within(value, honest, row))
        if (node.late or node.past) and not accepted.all():
            honest = self._written(self._reach_late(node, graded.honest, there & ~accepted, reached), row, at)
            accepted = correct | (there & self._within(value, honest, row))
        follows = np.zeros(value.shape, dtype=np.bool_)
        mine = Range(np.full(value.shape, np.inf), np.full(value.shape, -np.inf))
        for place, way in enumerate(ways):
            written = self._written(way, row, at)
            follows |= self._within(value, written, row)
            mine = written if not place else mine
        if ways and node.late:
            late = self._reach_late(node, graded.own, there & ~accepted & ~follows & strayed, ways[0])
            follows |= self._within(value, self._written(late, row, at), row)
        follows &= there & ~correct & strayed
        either = follows & accepted
        follows &= ~accepted
        trivial = follows & (idle if idle is not None else False)
        self._carry(node, row, accepted, there, at, strayed)
        standing = np.where(there, int(Standing.WRONG), int(Standing.NONE))
        standing = np.where(follows, int(Standing.FOLLOWS), standing)
        standing = np.where(trivial, int(Standing.TRIVIAL), standing)
        standing = np.where(accepted, int(Standing.ROUNDED), standing)
        standing = np.where(either, int(Standing.EITHER), standing)
        standing = np.where(correct, int(Standing.CORRECT), standing)
        standing = np.where(there & np.isnan(truth), int(Standing.SYMBOLIC), standing)
        graded.standing[quantity] = standing.astype(np.int8)
        graded.low[quantity], graded.high[quantity] = honest
        graded.own_low[quantity], graded.own_high[quantity] = mine

    def _written(self, x: Range, row: int, at: Flags) -> Range:
        """What may be written for an interval at any precision that the student may work at; empty where at none."""
        numbers = self._numbers
        if self._grid is None:
            return Range(np.full(at.shape[1:], np.inf), np.full(at.shape[1:], -np.inf))
        floats = np.array([each.kind in ("single", "double") for each in self._grid.precisions])[:, None]
        if floats.any():
            whole = self._grid.rounded(x)
            x = Range(np.where(floats, whole.lo, x.lo), np.where(floats, whole.hi, x.hi))
        ends = last_digit_of(x, numbers.scale[row], truncated=numbers.truncatable[row])
        exact = numbers.decimals[row] == NO_PLACE
        low, high = np.where(exact, x.lo, ends.lo), np.where(exact, x.hi, ends.hi)
        return Range(np.where(at, low, np.inf).min(axis=0), np.where(at, high, -np.inf).max(axis=0))

    def _within(self, value: Floats, x: Range, row: int) -> Flags:
        slack = np.where(self._numbers.decimals[row] == NO_PLACE, 0.0, 1e-7 / self._numbers.scale[row])
        slack = slack + 1e-13 * abs(value)
        found: Flags = (value >= x.lo - slack) & (value <= x.hi + slack)
        return found

    def _right(self, key: str, value: Floats, truth: Floats, row: int) -> Flags:
        """Within half a unit of the last digit; decided exactly where it is close."""
        numbers = self._numbers
        exact = numbers.decimals[row] == NO_PLACE
        last_bits = np.maximum(1.0, abs(truth)) * _LAST_BITS
        half = np.where(exact, 0.0, 0.5 / numbers.scale[row])
        half = np.where(~exact & (half < last_bits), last_bits, half)
        off = abs(value - truth)
        right: Flags = off <= half
        close = abs(off - half) <= _NEAR * half + 1e-13 * abs(truth)
        for place in np.flatnonzero(close & np.isfinite(value)):
            if key in self._varied:
                right[place] = True
            else:
                right[place] = _decided(self._program, key, float(value[place]), float(half[place]))
        return right

    def _carry(self, node: Node, row: int, accepted: Flags, there: Flags, at: Flags, strayed: Flags) -> None:
        """What the students go on with: what they wrote, or what it may stand for."""
        honest, own, key = self._graded.honest, self._graded.own, node.key
        value, unit = self._numbers.value[row], 1.0 / self._numbers.read_scale[row]
        below, above = np.where(value <= 0, unit, unit / 2), np.where(value >= 0, unit, unit / 2)
        read = Range(value - below, value + above)
        was, was_own = honest[key], own[key]
        same = was_own is was
        more = unit + (was.hi - was.lo) if node.late else 0.0
        may = elsewhere(was, at)
        lo, hi = np.maximum(read.lo, may.lo - more), np.minimum(read.hi, may.hi + more)
        apart = lo > hi
        lo = np.minimum(np.where(apart, read.lo, lo), value)
        hi = np.maximum(np.where(apart, read.hi, hi), value)
        if not accepted.all():
            was = self._as_beside(key, was)
        honest[key] = Range(np.where(accepted, lo, was.lo), np.where(accepted, hi, was.hi))
        self._strayed[key] = strayed | (there & ~accepted)
        if same and not (there & ~accepted).any():
            own[key] = honest[key]
            return
        mine = Range(np.where(accepted, lo, read.lo), np.where(accepted, hi, read.hi))
        own[key] = Range(np.where(there, mine.lo, was_own.lo), np.where(there, mine.hi, was_own.hi))


def _decided(program: Program, key: str, value: float, half: float) -> bool:
    """Whether a number lies within half a unit of the true value, by an enclosure of 40 digits."""
    try:
        true = program.names.real(key)
    except (DeriveError, NotEnoughDigits):
        return True
    if true is None:
        return True
    width, written = Fraction(repr(half)), Fraction(repr(value))
    return any(abs(written - Fraction(end)) <= width for end in bounds(true))
