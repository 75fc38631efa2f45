"""Which mistake gives a wrong number: mutants of the derivation, evaluated as arrays over mistakes and students.

Two questions are asked of every mistake: what it gives at the step itself, from what the student wrote before, and what
it gives carried through the graph from the given numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from derive.check.enclosure import evaluate, point
from derive.check.model import Mutant
from derive.check.plan import Plan, references
from derive.check.precision import DOUBLE, EXACT, Flags, Floats, Grid, Precision, Range, last_digit_of
from derive.check.program import Program, exchanged
from derive.check.values import value

MOST_PAIRED = 60
"""The likeliest mistakes, of which pairs are tried."""
MOST_PAIRS = 1200


MOST_COINCIDENT = 5
"""So many mistakes are kept that give a number which honest rounding reaches."""
MOST_ENCLOSED = 25
"""So many mistakes are enclosed for the wrong numbers of one quantity, the nearest first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One or two mistakes made together, as exchanged plans by key; `needs` is what each of these is computed from."""

    mutants: tuple[Mutant, ...]
    plans: Mapping[str, Plan]
    needs: Mapping[str, frozenset[str]]

    @property
    def likelihood(self) -> float:
        return min(mutant.likelihood for mutant in self.mutants) - 4 * (len(self.mutants) - 1)


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate that gives the answer; `tight` when its full value rounds to it."""

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
    own          the students' environment; what is pinned in it is a point, what they wrote
    pinned       where each quantity was written by them
    ranges       each precision, which of them may work at it, and their environment of enclosures
    """

    key: str
    value: Floats
    scale: Floats
    truncatable: Flags
    wide: Floats
    columns: NDArray[np.intp]
    own: Mapping[str, Range]
    pinned: Mapping[str, Flags]
    ranges: Sequence[tuple[Grid, Flags, Mapping[str, Range]]]


class Diagnosis:
    """The mistakes of a problem, compiled once."""

    def __init__(self, program: Program, mutants: Sequence[Mutant]) -> None:
        self._program = program
        self._parents = {
            key: references(node.simple) if node.simple is not None else set() for key, node in program.nodes.items()
        }
        compiled = ((mutant, exchanged(program, mutant.definitions)) for mutant in mutants)
        self.single = [_candidate((mutant,), plans) for mutant, plans in compiled if plans]
        self._places = {id(each.mutants[0]): place for place, each in enumerate(self.single)}
        self._true = {key: point(np.nan if value is None else value) for key, value in program.truth.items()}
        self._carried: dict[int, dict[str, Floats]] = {}
        self._honest: dict[Precision, dict[str, Range]] = {DOUBLE: self._true}
        self._pairs: list[Candidate] | None = None
        self._behind: dict[str, frozenset[str]] = {}

    def among(self, truth: Mapping[str, Floats]) -> Diagnosis:
        """The same mistakes for students of whom each has numbers of their own: true values by key."""
        found = copy(self)
        found._true = {key: point(values) for key, values in truth.items()}
        found._carried, found._honest = {}, {DOUBLE: found._true}
        return found

    def behind(self, key: str) -> frozenset[str]:
        """Everything that a quantity hangs on, itself included."""
        if key not in self._behind:
            found, stack = {key}, [key]
            while stack:
                for parent in self._parents[stack.pop()] - found:
                    found.add(parent)
                    stack.append(parent)
            self._behind[key] = frozenset(found)
        return self._behind[key]

    def pairs(self) -> list[Candidate]:
        """Pairs of the likeliest mistakes at different quantities, the likeliest first."""
        if self._pairs is None:
            likely = sorted(self.single, key=lambda each: -each.likelihood)[:MOST_PAIRED]
            both = [
                _candidate(a.mutants + b.mutants, {**a.plans, **b.plans})
                for a, b in combinations(likely, 2)
                if not a.plans.keys() & b.plans.keys()
            ]
            self._pairs = sorted(both, key=lambda each: -each.likelihood)[:MOST_PAIRS]
        return self._pairs

    # --- values under mistakes -----------------------------------------------------------------------------------

    def carried(self, key: str, candidates: list[Candidate]) -> Floats:
        """The full value of a quantity under each candidate, from the given numbers.

        The second axis is that of the students where they have numbers of their own, else of length 1.
        """
        found = self._carried.setdefault(id(candidates), {})
        if key not in found:
            keys = self._sorted(self._with_exchanged(self.behind(key), candidates))
            for name, reached in self._evaluated(keys, candidates, self._true, {}, EXACT, known=True).items():
                if name == key or name not in found:
                    found[name] = np.broadcast_to(reached.lo, (len(candidates), reached.lo.shape[1]))
        return found[key]

    def alone(self, key: str, candidate: Candidate, column: int) -> Iterator[float]:
        """What each mistake of a candidate makes of a quantity of a student by itself, from the given numbers."""
        for mutant in candidate.mutants:
            if (place := self._places.get(id(mutant))) is not None:
                made = self.carried(key, self.single)[place]
                yield float(made[column if made.size > 1 else 0])

    def _sorted(self, keys: Collection[str], last: str = "") -> list[str]:
        """In the order of evaluation, the quantity asked about at the end."""
        found = [key for key in self._program.nodes if key in keys and key != last]
        return [*found, last] if last else found

    def _honestly(self, grid: Grid) -> dict[str, Range]:
        """Every quantity from the given numbers, rounded to a precision, without any mistake."""
        precision = grid.precisions[0]
        if precision not in self._honest:
            env: dict[str, Range] = {}
            for key, node in self._program.nodes.items():
                simple = node.simple
                env[key] = self._true[key] if simple is None else grid.rounded(evaluate(simple, env, grid))
            self._honest[precision] = env
        return self._honest[precision]

    def _evaluated(
        self,
        keys: Sequence[str],
        candidates: Sequence[Candidate],
        start: Mapping[str, Range],
        pinned: Mapping[str, Flags],
        grid: Grid,
        *,
        known: bool,
    ) -> dict[str, Range]:
        """The quantities with one candidate in each row.

        start    everything: given numbers, pinned quantities, and with `known` whatever no candidate changes
        pinned   where a quantity is kept as it is in `start`
        """
        env: dict[str, Range] = {}
        changed: set[str] = set()
        for key in keys:
            node, held, last = self._program.nodes[key], pinned.get(key), key == keys[-1]
            places = [place for place, candidate in enumerate(candidates) if key in candidate.plans]
            if node.simple is None or (held is not None and held.all()):
                env[key] = start[key]
                continue
            if known and key in start and not places and not last and not self._parents[key] & changed:
                env[key] = start[key]
                continue
            if not self._parents[key] <= env.keys():
                env[key] = start[key]
                continue
            found = _worked_out(node.simple, env, grid, last=last)
            if places:
                found = self._exchanged(found, key, places, candidates, (env, start), grid, last=last)
            if held is not None:
                kept = start[key]
                found = Range(np.where(held, kept.lo, found.lo), np.where(held, kept.hi, found.hi))
            changed.add(key)
            env[key] = found
        return env

    def _exchanged(
        self,
        found: Range,
        key: str,
        places: Sequence[int],
        candidates: Sequence[Candidate],
        known: tuple[Mapping[str, Range], Mapping[str, Range]],
        grid: Grid,
        *,
        last: bool,
    ) -> Range:
        """The value of a quantity with the rows of those candidates that exchange its definition."""
        env, start = known
        rows: list[tuple[int, Range]] = []
        for place in places:
            candidate = candidates[place]
            inside = {
                name: _row(env[name], place) if name in env else start[name]
                for name in candidate.needs[key]
            }
            rows.append((place, _worked_out(candidate.plans[key], inside, grid, last=last)))
        width = max(found.lo.shape[1], *(reached.lo.shape[1] for _, reached in rows))
        lo = np.array(np.broadcast_to(found.lo, (len(candidates), width)))
        hi = np.array(np.broadcast_to(found.hi, (len(candidates), width)))
        for place, reached in rows:
            lo[place], hi[place] = reached.lo[0], reached.hi[0]
        return Range(lo, hi)

    # --- answers -------------------------------------------------------------------------------------------------

    def tight(self, question: Question, all_of: int) -> tuple[list[list[Match]], list[int]]:
        """For each number the single mistakes whose full value rounds to it, and how many they are.

        Every one is listed for the first `all_of` numbers, the likeliest ones for the others.
        """
        found: list[list[Match]] = [[] for _ in question.value]
        count = np.zeros(question.value.size, dtype=np.int_)
        seen: set[tuple[int, int]] = set()
        for lot in self._lots(question):
            hits = lot.rounds_to(question)
            count = np.maximum(count, hits.sum(axis=0))
            if all_of < question.value.size:
                likely = np.array([candidate.likelihood for candidate in lot.candidates])
                best = np.where(hits, likely[:, None], -np.inf).max(axis=0)
                hits[:, all_of:] &= (likely[:, None] >= best)[:, all_of:]
                hits[:, all_of:] &= hits[:, all_of:].cumsum(axis=0) <= MOST_COINCIDENT
            for which, place in zip(*(axis.tolist() for axis in np.nonzero(hits)), strict=True):
                self._note(found, seen, lot, question, which, place, tight=True)
        return found, count.tolist()

    def loose(self, question: Question) -> list[list[Match]]:
        """For each number the single mistakes whose honest roundings reach it."""
        found: list[list[Match]] = [[] for _ in question.value]
        seen: set[tuple[int, int]] = set()
        for lot in self._lots(question):
            near = _nearest(lot, question)
            rows = np.flatnonzero(near.any(axis=1))
            if rows.size:
                reached = near[rows] & self._reached(question, [lot.candidates[row] for row in rows], lot)
                for which, place in zip(*np.nonzero(reached), strict=True):
                    self._note(found, seen, lot, question, int(rows[which]), int(place), tight=False)
        return found

    def paired(self, question: Question) -> list[list[Match]]:
        """For each number the pairs of mistakes whose full value rounds to it."""
        found: list[list[Match]] = [[] for _ in question.value]
        lot = self._from_given(question, self.pairs())
        if lot is not None:
            for which, place in zip(*np.nonzero(lot.rounds_to(question)), strict=True):
                self._note(found, set(), lot, question, int(which), int(place), tight=True)
        return found

    def relevant(self, key: str) -> int:
        """How many single mistakes change a quantity."""
        behind = self.behind(key)
        return sum(1 for candidate in self.single if candidate.plans.keys() & behind)

    def _note(
        self,
        found: list[list[Match]],
        seen: set[tuple[int, int]],
        lot: Lot,
        question: Question,
        which: int,
        place: int,
        *,
        tight: bool,
    ) -> None:
        candidate = lot.candidates[which]
        if (id(candidate), place) not in seen:
            seen.add((id(candidate), place))
            distance = abs(float(lot.values[which, place]) - float(question.value[place]))
            found[place].append(Match(candidate, tight, lot.own, distance))

    def _lots(self, question: Question) -> Iterator[Lot]:
        for lot in (self._at_the_step(question), self._from_given(question, self.single)):
            if lot is not None:
                yield lot

    def _at_the_step(self, question: Question) -> Lot | None:
        """Mistakes in what was not written between the answer and the written quantities nearest to it.

        None where nothing before it was written: then all is carried through from the given numbers.
        """
        if not question.pinned.keys() & self.behind(question.key):
            return None
        near = self._near(question)
        chosen = [each for each in self.single if each.plans.keys() & near]
        if not chosen:
            return None
        free = {key: held for key, held in question.pinned.items() if key != question.key}
        needed = self._open(question.key, free)
        for candidate in chosen:
            for key in candidate.plans.keys() & near:
                for name in candidate.needs[key] - needed:
                    needed |= self._open(name, question.pinned)
        keys = self._sorted(needed, question.key)
        start = _Otherwise(question.own, self._true, question.columns)
        env = self._evaluated(keys, chosen, start, question.pinned, EXACT, known=False)
        plain = self._evaluated(keys, (), start, question.pinned, EXACT, known=False)
        values = np.broadcast_to(env[question.key].lo, (len(chosen), question.value.size))
        baseline = np.broadcast_to(plain[question.key].lo[0], question.value.shape)
        return Lot(chosen, values, baseline, keys, own=True)

    def _near(self, question: Question) -> set[str]:
        """The quantity itself and what lies behind it up to those that all of the students wrote."""
        free = {key: held for key, held in question.pinned.items() if key != question.key}
        found = self._open(question.key, free)
        return {key for key in found if not (key in free and free[key].all())}

    def _open(self, key: str, pinned: Mapping[str, Flags]) -> set[str]:
        """What has to be evaluated for a quantity, down to what everybody wrote."""
        found, stack = {key}, [key]
        while stack:
            here = stack.pop()
            if here in pinned and pinned[here].all():
                continue
            for parent in self._parents[here] - found:
                found.add(parent)
                stack.append(parent)
        return found

    def _from_given(self, question: Question, candidates: list[Candidate]) -> Lot | None:
        behind = self.behind(question.key)
        places = [place for place, each in enumerate(candidates) if each.plans.keys() & behind]
        if not places:
            return None
        values = self.carried(question.key, candidates)[places]
        values = values[:, question.columns] if values.shape[1] > 1 else values
        chosen = [candidates[place] for place in places]
        keys = self._sorted(self._with_exchanged(behind, chosen), question.key)
        shape = (len(chosen), question.value.size)
        true = _of_columns(self._true[question.key], question.columns).lo[0]
        return Lot(
            chosen, np.broadcast_to(values, shape), np.broadcast_to(true, question.value.shape), keys, own=False
        )

    def _with_exchanged(self, behind: frozenset[str], chosen: Sequence[Candidate]) -> set[str]:
        needed = set(behind)
        for candidate in chosen:
            for key in candidate.plans.keys() & behind:
                for name in candidate.needs[key] - needed:
                    needed |= self.behind(name)
        return needed

    def _reached(self, question: Question, candidates: Sequence[Candidate], lot: Lot) -> Flags:
        found = np.zeros((len(candidates), question.value.size), dtype=np.bool_)
        slack = 1e-7 / question.scale
        for grid, at, env in question.ranges:
            whole = self._true if lot.own else self._honestly(grid)
            start = _Otherwise(env if lot.own else {}, whole, question.columns)
            pinned = question.pinned if lot.own else {}
            reach = self._evaluated(lot.keys, candidates, start, pinned, grid, known=True)[question.key]
            ends = last_digit_of(reach, question.scale, truncated=question.truncatable)
            found |= at & (question.value >= ends.lo - slack) & (question.value <= ends.hi + slack)
        return found


@dataclass(frozen=True, slots=True)
class Lot:
    """Candidates and what each gives for each student; `baseline` is what no mistake gives, `keys` what it takes."""

    candidates: list[Candidate]
    values: Floats
    baseline: Floats
    keys: list[str]
    own: bool

    def changed(self) -> Flags:
        """Where a mistake changes anything."""
        found: Flags = abs(self.values - self.baseline) > 1e-9 * (abs(self.values) + abs(self.baseline))
        return found

    def rounds_to(self, question: Question) -> Flags:
        """Where the value, rounded or truncated at the written place, is the answer."""
        with np.errstate(all="ignore"):
            off = abs(self.values - question.value)
            half = 0.5 / question.scale * (1 + 1e-7) + 1e-12 * abs(self.values)
            cut = question.truncatable & (abs(self.values) >= abs(question.value)) & (off < 2 * half)
            return self.changed() & ((off <= half) | (cut & (self.values * question.value > 0)))

    def near(self, question: Question) -> Flags:
        """Where the value is so near that honest rounding may reach the answer."""
        with np.errstate(all="ignore"):
            growth = np.maximum(1.0, 2 * abs(self.values) / np.maximum(abs(self.baseline), 1e-300))
            found: Flags = abs(self.values - question.value) <= question.wide * np.minimum(growth, 1e4)
            return found & self.changed()


def _nearest(lot: Lot, question: Question) -> Flags:
    """The candidates that may reach the answers: of very many the nearest."""
    near = lot.near(question)
    rows = np.flatnonzero(near.any(axis=1))
    if rows.size > MOST_ENCLOSED:
        off = np.where(near[rows], abs(lot.values[rows] - question.value), np.inf).min(axis=1)
        near[rows[np.argsort(off)[MOST_ENCLOSED:]]] = False
    return near


def _candidate(mutants: tuple[Mutant, ...], plans: Mapping[str, Plan]) -> Candidate:
    return Candidate(mutants, plans, {key: frozenset(references(plan)) for key, plan in plans.items()})


def _worked_out(plan: Plan, env: Mapping[str, Range], grid: Grid, *, last: bool) -> Range:
    """What is carried on of a plan's value; of the last one what is rounded when it is written."""
    if grid.exact:
        found = value(plan, _Points(env))
        return Range(found, found)
    reached = evaluate(plan, env, grid)
    return reached if last else grid.rounded(reached)


@dataclass(frozen=True, slots=True)
class _Points(Mapping[str, Floats]):
    """An environment of points as plain arrays."""

    ranges: Mapping[str, Range]

    def __getitem__(self, key: str) -> Floats:
        return self.ranges[key].lo

    def __iter__(self) -> Iterator[str]:
        return iter(self.ranges)

    def __len__(self) -> int:
        return len(self.ranges)


@dataclass(frozen=True, slots=True)
class _Otherwise(Mapping[str, Range]):
    """An environment of some students; what is not in it is taken from one of all students, and not held for known."""

    first: Mapping[str, Range]
    whole: Mapping[str, Range]
    columns: NDArray[np.intp]

    def __getitem__(self, key: str) -> Range:
        return self.first[key] if key in self.first else _of_columns(self.whole[key], self.columns)

    def __contains__(self, key: object) -> bool:
        return key in (self.first or self.whole)

    def __iter__(self) -> Iterator[str]:
        return iter(self.first or self.whole)

    def __len__(self) -> int:
        return len(self.first or self.whole)


def _of_columns(x: Range, columns: NDArray[np.intp]) -> Range:
    return Range(*(end[:, columns] if end.shape[1] > 1 else end for end in x))


def _row(x: Range, place: int) -> Range:
    return Range(*(end[place : place + 1] if end.shape[0] > 1 else end for end in x))
