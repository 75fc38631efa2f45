"""Mistakes that may lie behind wrong numbers, what they give, and the numbers that are asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from derive.check.model import Mutant
from derive.check.plan import Plan, references
from derive.check.precision import Flags, Floats, Precision, Range

Columns = NDArray[np.intp]

MOST_ENCLOSED = 25
"""So many mistakes are enclosed for a wrong number, the nearest first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One or two mistakes made together, as exchanged plans by key; `needs` is what each of these is computed from."""

    mutants: tuple[Mutant, ...]
    plans: Mapping[str, Plan]
    needs: Mapping[str, frozenset[str]]
    likelihood: float


def candidate(mutants: tuple[Mutant, ...], plans: Mapping[str, Plan]) -> Candidate:
    """The candidate of one mistake, or of two: a pair is less likely than either."""
    likelihood = min(mutant.likelihood for mutant in mutants) - 4 * (len(mutants) - 1)
    return Candidate(mutants, plans, {key: frozenset(references(plan)) for key, plan in plans.items()}, likelihood)


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate that gives the answer.

    tight     whether its full value rounds to the answer
    own       whether it does so from what the student wrote before
    distance  of its full value from the answer, in units of the last digit
    """

    candidate: Candidate
    tight: bool
    own: bool
    distance: float


@dataclass(frozen=True, slots=True)
class Question:
    """Wrong numbers of one quantity: arrays over the students that wrote them.

    scale        10 to the decimals written
    truncatable  whether a number may be a truncated one
    wide         how far from the answer a mutant's value may be and still be worth enclosing
    columns      which students of the batch they are
    own          what every student of the batch carries on, by precision and student
    points       what these students wrote, by key; where they did not, a number that is not used
    pinned       where each of those was written
    precisions   each precision, its row in `own`, and which of these students may work at it
    """

    key: str
    value: Floats
    scale: Floats
    truncatable: Flags
    wide: Floats
    columns: Columns
    own: Mapping[str, Range]
    points: Mapping[str, Floats]
    pinned: Mapping[str, Flags]
    precisions: Sequence[tuple[Precision, int, Flags]]

    def some(self, places: Columns) -> Question:
        """The question about some of these numbers."""
        return Question(
            self.key,
            self.value[places],
            self.scale[places],
            self.truncatable[places],
            self.wide[places],
            self.columns[places],
            self.own,
            {key: points[places] for key, points in self.points.items()},
            {key: held[places] for key, held in self.pinned.items()},
            [(precision, row, at[places]) for precision, row, at in self.precisions],
        )


@dataclass(frozen=True, slots=True)
class Lot:
    """Candidates and what each gives for each student; `baseline` is what no mistake gives.

    own      from what the student wrote before; else from the given numbers
    changed  where a mistake changes anything
    """

    candidates: Sequence[Candidate]
    values: Floats
    baseline: Floats
    own: bool
    changed: Flags

    def some(self, places: Columns) -> Lot:
        """What they give for some of the students."""
        values, baseline, changed = self.values[:, places], self.baseline[places], self.changed[:, places]
        return Lot(self.candidates, values, baseline, self.own, changed)

    def rounds_to(self, question: Question) -> Flags:
        """Where the value, rounded or truncated at the written place, is the answer."""
        with np.errstate(all="ignore"):
            off, size = abs(self.values - question.value), abs(self.values)
            half = 0.5 / question.scale * (1 + 1e-7) + 1e-12 * size
            near = self.changed & (off < 2 * half)
            if not near.any():
                return near
            cut = question.truncatable & (size >= abs(question.value)) & (self.values * question.value > 0)
            return near & ((off <= half) | cut)

    def near(self, question: Question) -> Flags:
        """Where the value is so near that honest rounding may reach the answer; of very many the nearest."""
        with np.errstate(all="ignore"):
            growth = np.maximum(1.0, 2 * abs(self.values) / np.maximum(abs(self.baseline), 1e-300))
            off = abs(self.values - question.value)
            found: Flags = (off <= question.wide * np.minimum(growth, 1e4)) & self.changed
        crowded = np.flatnonzero(found.sum(axis=0) > MOST_ENCLOSED)
        if crowded.size:
            ranked = np.where(found[:, crowded], off[:, crowded], np.inf).argsort(axis=0, kind="stable")
            farther = np.zeros_like(found[:, crowded])
            np.put_along_axis(farther, ranked[MOST_ENCLOSED:], values=True, axis=0)
            found[:, crowded] &= ~farther
        return found


def lot(candidates: Sequence[Candidate], values: Floats, baseline: Floats, *, own: bool) -> Lot:
    """The lot, with where anything is changed."""
    with np.errstate(all="ignore"):
        changed: Flags = abs(values - baseline) > 1e-9 * (abs(values) + abs(baseline))
    return Lot(candidates, values, baseline, own, changed)


class Found:
    """The mistakes that were found behind each number, each once."""

    def __init__(self, question: Question) -> None:
        self._value, self._scale = question.value, question.scale
        self._seen: set[tuple[int, int]] = set()
        self.matches: list[list[Match]] = [[] for _ in question.value]

    def note(self, lot: Lot, hits: Flags, *, tight: bool) -> None:
        which, places = np.nonzero(hits)
        off = np.round(abs(lot.values[which, places] - self._value[places]) * self._scale[places], 6)
        for mistake, place, distance in zip(which.tolist(), places.tolist(), off.tolist(), strict=True):
            candidate = lot.candidates[mistake]
            if (id(candidate), place) not in self._seen:
                self._seen.add((id(candidate), place))
                self.matches[place].append(Match(candidate, tight, lot.own, distance))
