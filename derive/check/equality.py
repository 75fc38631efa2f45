"""Whether two formulas are equal: proved, or compared at many points with 50 digits, or left to a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Literal

from derive.check.field import proved_equal
from derive.check.points import Sample, TooLarge, World
from derive.formula.expression import Call, Expr, children, names_in
from derive.numbers.exact import Interval, NotEnoughDigits, Real, Undefined, compare
from derive.worked import WorkedExample

DIGITS = 50
KEPT = 16
"""So many problems are remembered, however many variants a class has."""
ENOUGH = 6
"""So many points must agree, …"""
LEAST = 4
"""… or these few where a formula has no value at many; fewer say nothing."""
TRIED = 16
TRIED_AT_KINKS = 24
"""So many points are tried, and these where each side of each kink must be met."""

MOST_EFFORT = 900
"""A formula that costs more is not evaluated with 50 digits: it would take longer than 50 ms."""

_EFFORTS = {"abs": 1, "max": 1, "min": 1, "sqrt": 4, "exp": 16, "ln": 32, "sin": 16, "cos": 16, "erf": 120, "gelu": 140}
_EFFORT_OF_ACTIVATION = 48

_CLOSE = Decimal("1e-25")
_SMALLEST = Decimal("1e-6")
_GIANT = 1000  # powers of ten
_ROUGH = Context(prec=12, rounding=ROUND_CEILING)

Outcome = Literal["equal", "different", "unknown"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found.

    how     "proved" or "compared" of what is equal
    at      where the two differ; None where one has no value at any point, or nothing differs
    reason  why nothing can be said: the key of a sentence
    """

    outcome: Outcome
    how: Literal["proved", "compared", ""] = ""
    at: Sample | None = None
    reason: str = ""


class Bench:
    """A problem at several choices of its numbers, which all formulas are laid on."""

    def __init__(self, example: WorkedExample, start: int = 0) -> None:
        self.world = World(example, start)
        self._samples: dict[tuple[int, tuple[tuple[str, Fraction], ...]], Sample] = {}

    @cached_property
    def given_numbers(self) -> frozenset[Fraction]:
        """Every number that the problem gives."""
        return frozenset(number.value for number in self.world.example.problem.given.values())

    @cached_property
    def own(self) -> Sample:
        """The problem's own numbers."""

        def given(name: str) -> Real:
            value = self.world.leaves.number(name)
            if value is None:
                raise Undefined(f"{name} has no number")
            return value

        return Sample(self.world, DIGITS, given, own=True)

    def sample(self, place: int, fixed: Mapping[str, Fraction]) -> Sample:
        """Drawn numbers, but for those that are fixed."""
        key = (place, tuple(sorted(fixed.items())))
        if key not in self._samples:
            kept, drawn = dict(fixed), self.world.leaves.drawn

            def given(name: str) -> Real:
                return kept[name] if name in kept else drawn(name, place)

            self._samples[key] = Sample(self.world, DIGITS, given)
        return self._samples[key]

    def compare(self, expr: Expr, asked: str, text: str) -> Comparison:
        """An answer against the definition of what was asked; `text` is how it was written."""
        definition = self.world.definition(asked)
        assert definition is not None
        try:
            if proved_equal(self.world, expr, definition, text, whole=False):
                return Comparison("equal", "proved")
            if first := self._differs(expr, asked):
                return Comparison("different", at=first)
            if proved_equal(self.world, expr, definition, text, whole=True):
                return Comparison("equal", "proved")
            return self.agreement(expr, asked)
        except TooLarge as error:
            return Comparison("unknown", reason=str(error))

    def _differs(self, expr: Expr, asked: str) -> Sample | None:
        """The first point, where the two differ there: what most wrong formulas do."""
        if _effort(expr) > MOST_EFFORT:
            return None
        sample = self.sample(0, {})
        sample.fill(self.world.needed((*names_in(expr), asked)))
        try:
            return sample if decided(sample.answer(expr), sample.known(asked)) == "different" else None
        except Undefined:
            return None

    def agreement(self, expr: Expr, asked: str, fixed: Mapping[str, Fraction] | None = None) -> Comparison:
        """The same by numbers alone; raises TooLarge."""
        if (effort := _effort(expr)) > MOST_EFFORT:
            raise TooLarge("too-long")
        names = self.world.needed((*names_in(expr), asked))
        tally = _Tally(ENOUGH if effort <= MOST_EFFORT // 2 else LEAST)
        for place in range(TRIED_AT_KINKS):
            sample = self.sample(place, fixed or {})
            sample.fill(names)
            found = tally.count(sample, expr, asked, names)
            if found == "different":
                return Comparison("different", at=sample)
            if tally.is_enough() or (place >= TRIED and not tally.sides):
                break
        return tally.result()


class _Tally:
    """What the points say together."""

    def __init__(self, enough: int) -> None:
        self._enough = enough
        self.agreed = 0
        self.without = 0
        self.defined = 0
        self.sides: dict[tuple[str, int], set[int]] = {}

    def count(self, sample: Sample, expr: Expr, asked: str, names: Sequence[str]) -> Outcome:
        try:
            expected = sample.known(asked)
        except Undefined:
            return "unknown"
        self.defined += 1
        try:
            yours = sample.answer(expr)
        except Undefined:
            self.without += 1
            return "unknown"
        outcome = decided(yours, expected)
        if outcome == "equal" and sample.shows(names):
            self.agreed += 1
            self._note("", sample.watch.sides)
            for name in names:
                self._note(name, sample.sides.get(name, ()))
        return outcome

    def _note(self, name: str, sides: Iterable[int]) -> None:
        for place, side in enumerate(sides):
            self.sides.setdefault((name, place), set()).add(side)

    def _is_covered(self) -> bool:
        return all({-1, 1} <= met for met in self.sides.values())

    def is_enough(self) -> bool:
        return self.agreed >= self._enough and self._is_covered()

    def result(self) -> Comparison:
        if self.agreed >= LEAST and self._is_covered():
            return Comparison("equal", "compared")
        if self.agreed >= LEAST:
            return Comparison("unknown", reason="not-every-case")
        if self.defined >= LEAST and self.without == self.defined:
            return Comparison("different")
        return Comparison("unknown", reason="too-few-points")


def decided(yours: Real, expected: Real) -> Outcome:
    """Whether two enclosed values are one: "unknown" where the enclosures are too wide to tell."""
    try:
        return "different" if compare(yours, expected) else "equal"
    except NotEnoughDigits:
        pass
    ends = [end for value in (yours, expected) if isinstance(value, Interval) for end in (value.lo, value.hi)]
    if not all(end.is_finite() and end.adjusted() < _GIANT for end in ends):
        return "unknown"
    wide = sum((_ROUGH.subtract(hi, lo) for lo, hi in zip(ends[::2], ends[1::2], strict=True)), Decimal(0))
    scale = max(_SMALLEST, *(end.copy_abs() for end in ends))
    return "equal" if wide <= _ROUGH.multiply(_CLOSE, scale) else "unknown"


def _effort(expr: Expr) -> int:
    """About how many microseconds ÷ 10 it takes to evaluate a tree."""
    effort, stack = 0, [expr]
    while stack:
        part = stack.pop()
        effort += _EFFORTS.get(part.function, _EFFORT_OF_ACTIVATION) if isinstance(part, Call) else 1
        stack.extend(children(part))
    return effort


@lru_cache(maxsize=KEPT)
def bench_of(example: WorkedExample, start: int = 0) -> Bench:
    """The bench of a problem after so many updates, kept for a while: every student of a class lays formulas on it."""
    return Bench(example, start)
