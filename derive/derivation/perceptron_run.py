"""The run of a perceptron in exact numbers, the cycle that it ends in, and whether its points can be separated."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import cast

from derive.numbers.inequalities import Contradiction, Solution, solve
from derive.numbers.rounding import Rounding, round_exact
from derive.problem.model import Problem
from derive.problem.perceptron import Perceptron

State = tuple[Fraction, ...]

LOOK_AHEAD = 200_000
"""So many presentations beyond the last epoch a cycle is looked for."""

MOST_ENTRIES = 6_000
"""With more numbers than this (points times unknowns) nobody asks whether a line separates the points."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """One point put to the perceptron: `weights` (and bias) are those after it."""

    number: int
    epoch: int
    point: int
    net: Fraction
    out: int
    mistake: bool
    weights: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Cycle:
    """The weights before epoch `first` come back after `period` epochs, and so for ever."""

    first: int
    period: int


@dataclass(slots=True)
class _Record:
    """The run so far, a list for each thing, in the scale of the machine."""

    points: list[int] = field(default_factory=list)
    nets: list[Fraction] = field(default_factory=list)
    outs: list[int] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    mistakes: list[int] = field(default_factory=list)


class _Machine:
    """One epoch after another.

    With full precision everything is multiplied by common denominators first and is whole; with displayed numbers
    carried on, every sum and every new weight is rounded.
    """

    def __init__(self, problem: Problem, perceptron: Perceptron) -> None:
        given = {name: value.value for name, value in problem.given.items()}
        self._perceptron = perceptron
        constant = (perceptron.bias_input.value,) if perceptron.bias else ()
        rows = [
            (*(given[perceptron.of_point(name, point)] for name in perceptron.inputs), *constant)
            for point in range(1, perceptron.samples + 1)
        ]
        target = perceptron.target
        points = range(1, perceptron.samples + 1)
        self._targets = [int(given[perceptron.of_point(target, point)]) for point in points] if target else None
        start = tuple(given[name] for name in perceptron.parameters)
        rate = given.get("eta", Fraction(0))
        self._rounding: Rounding | None = problem.rounding if problem.rounding.carry == "displayed" else None
        self.row_scale = 1 if self._rounding else lcm(*(entry.denominator for row in rows for entry in row))
        steps = [tuple(rate * entry for entry in row) for row in rows]
        used = [value for row in (*steps, start) for value in row]
        self.scale = 1 if self._rounding else lcm(*(value.denominator for value in used))
        self._rows = [tuple(self._scaled(entry, self.row_scale) for entry in row) for row in rows]
        self._steps = [tuple(self._scaled(entry, self.scale) for entry in row) for row in steps]
        self.start: State = tuple(self._scaled(value, self.scale) for value in start)

    def _scaled(self, value: Fraction, scale: int) -> Fraction:
        """Whole numbers stand for fractions unless they are rounded: they do the same and are faster."""
        return value if self._rounding else cast("Fraction", int(value * scale))

    def epoch(self, state: State, record: _Record) -> State:
        """Go through the points once, in restart order up to the first mistake, and note what happens."""
        restart = self._perceptron.order == "restart" and self._targets is not None
        mistakes = 0
        for place in range(self._perceptron.samples):
            net, out = self._output(state, place)
            factor = self.factor(place, out)
            if factor or self._rounding:
                state = self._moved(state, place, factor)
            record.points.append(place + 1)
            record.nets.append(net)
            record.outs.append(out)
            record.states.append(state)
            mistakes += bool(factor)
            if factor and restart:
                break
        record.ends.append(len(record.points))
        record.mistakes.append(mistakes)
        return state

    def _output(self, state: State, place: int) -> tuple[Fraction, int]:
        net = sum((a * b for a, b in zip(state, self._rows[place], strict=True)), cast("Fraction", 0))
        if self._rounding:
            net = round_exact(Fraction(net), self._rounding)
        lower, upper = self._perceptron.labels
        if net:
            return net, upper if net > 0 else lower
        if self._perceptron.at_zero is None:
            return net, upper + lower - (self._targets[place] if self._targets else upper)
        return net, self._perceptron.at_zero

    def factor(self, place: int, out: int) -> int:
        """What the step η·x is multiplied by; 0 where there is no mistake."""
        if self._targets is None or self._targets[place] == out:
            return 0
        return self._targets[place] if self._perceptron.update == "label" else self._targets[place] - out

    def _moved(self, state: State, place: int, factor: int) -> State:
        moved = [old + factor * step for old, step in zip(state, self._steps[place], strict=True)]
        if self._rounding:
            return tuple(round_exact(Fraction(value), self._rounding) for value in moved)
        return tuple(moved)


class Run:
    """What happens when the points are presented, at most `epochs` times: presentations counted from 1."""

    def __init__(self, problem: Problem, perceptron: Perceptron) -> None:
        self._machine = _Machine(problem, perceptron)
        self._record = _Record()
        self._perceptron = perceptron
        state = self._machine.start
        for _ in range(perceptron.epochs if perceptron.target else 1):
            state = self._machine.epoch(state, self._record)
            if not self._record.mistakes[-1]:
                break

    @property
    def presentations(self) -> int:
        return len(self._record.points)

    @property
    def epochs(self) -> int:
        return len(self._record.ends)

    @property
    def converged(self) -> bool:
        return self._record.mistakes[-1] == 0

    def mistakes(self, epoch: int) -> int:
        return self._record.mistakes[epoch - 1]

    def updates(self) -> int:
        return sum(self._record.mistakes)

    def of_epoch(self, epoch: int) -> range:
        """The numbers of its presentations."""
        return range(self._start(epoch) + 1, self._record.ends[epoch - 1] + 1)

    def _start(self, epoch: int) -> int:
        return self._record.ends[epoch - 2] if epoch > 1 else 0

    def presentation(self, place: int, epoch: int = 0) -> Presentation:
        """The presentation of that number; `epoch` is passed on."""
        record, at = self._record, place - 1
        net = Fraction(record.nets[at]) / (self._machine.scale * self._machine.row_scale)
        factor = self._machine.factor(record.points[at] - 1, record.outs[at])
        return Presentation(place, epoch, record.points[at], net, record.outs[at], bool(factor), self.weights(place))

    def point(self, place: int) -> int:
        return self._record.points[place - 1]

    def weights(self, place: int) -> tuple[Fraction, ...]:
        """The weights (and the bias) after that presentation; 0: the given ones."""
        state = self._record.states[place - 1] if place else self._machine.start
        return tuple(Fraction(value) / self._machine.scale for value in state)

    @cached_property
    def _future(self) -> tuple[Cycle | None, int]:
        """The cycle of the weights at the starts of epochs, and the epoch beyond the last that makes no mistake."""
        if self.converged or not self._perceptron.target:
            return None, 0
        seen: dict[State, int] = {}
        state, beyond, epoch = self._machine.start, 0, 1
        while beyond < LOOK_AHEAD:
            if state in seen:
                return Cycle(seen[state], epoch - seen[state]), 0
            seen[state] = epoch
            if epoch <= self.epochs:
                state = self._record.states[self._record.ends[epoch - 1] - 1]
            else:
                further = _Record()
                state = self._machine.epoch(state, further)
                beyond += len(further.points)
                if not further.mistakes[-1]:
                    return None, epoch
            epoch += 1
        return None, 0

    @property
    def cycle(self) -> Cycle | None:
        """The cycle that the weights run in; looked for in the run and somewhat beyond its last epoch."""
        return self._future[0]

    @property
    def converges_in(self) -> int:
        """Of a run that was stopped too early, the first epoch without a mistake; 0 where none is near."""
        return self._future[1]


# --- can the points be separated at all? ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Separation:
    """What the points ask of the weights: row · (w, b) > 0 where strict, else >= 0; and whether that is possible."""

    rows: tuple[tuple[Fraction, ...], ...]
    strict: tuple[bool, ...]
    verdict: Solution | Contradiction


def separation(problem: Problem, perceptron: Perceptron) -> Separation | None:
    """Whether any weights classify every point rightly, with the proof; None without targets or for too many points."""
    target = perceptron.target
    if target is None or perceptron.samples * len(perceptron.parameters) > MOST_ENTRIES:
        return None
    given = problem.given
    lower, upper = perceptron.labels
    constant = (perceptron.bias_input.value,) if perceptron.bias else ()
    rows, strict = [], []
    for point in range(1, perceptron.samples + 1):
        wanted = given[perceptron.of_point(target, point)].value
        sign = 1 if wanted == upper else -1
        entries = (*(given[perceptron.of_point(name, point)].value for name in perceptron.inputs), *constant)
        rows.append(tuple(sign * entry for entry in entries))
        strict.append(perceptron.at_zero != (upper if sign > 0 else lower))
    return Separation(tuple(rows), tuple(strict), solve(rows, strict))
