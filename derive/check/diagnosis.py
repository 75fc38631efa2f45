"""Which mistake gives a wrong number: mutants of the derivation, evaluated as arrays over mistakes and students.

Two questions are asked of every mistake: what it gives at the step itself, from what the student wrote before, and what
it gives carried through the graph from the given numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from itertools import combinations

import numpy as np

from derive.check.candidates import Candidate, Columns, Found, Lot, Match, Question, candidate, lot
from derive.check.consequences import Asked, Consequences, Values
from derive.check.intervals import point
from derive.check.model import Mutant
from derive.check.order import order_of
from derive.check.plan import references
from derive.check.precision import Floats, Precision, Range
from derive.check.program import Program, exchanged
from derive.check.reached import Enclosing, Honest
from derive.check.runs import after_run

MOST_PAIRED = 60
"""The likeliest mistakes, of which pairs are tried."""
MOST_PAIRS = 1200
FEWEST_UNITS = 5
"""Chance is looked at among so many numbers on either side at least."""
IN_EVERY_UPDATE = ("updated-weight-used-early",)
"""Habits that are looked for in runs of very many updates."""
MOST_COINCIDENT = 5
"""So many mistakes are kept that give a number which honest rounding reaches."""


class Diagnosis:
    """The mistakes of a problem, compiled once."""

    def __init__(self, program: Program, mutants: Sequence[Mutant]) -> None:
        self._program = program
        self._nodes = program.nodes
        self._parents = {
            key: references(node.simple) if node.simple is not None else set() for key, node in program.nodes.items()
        }
        compiled = ((mutant, exchanged(program, mutant.definitions)) for mutant in mutants)
        self.single = [candidate((mutant,), plans) for mutant, plans in compiled if plans]
        self._places = {id(each.mutants[0]): place for place, each in enumerate(self.single)}
        self._asked = tuple(dict.fromkeys(program.asked.values()))
        self._exchanging: dict[str, list[int]] = {}
        wanted: dict[str, set[str]] = {}
        for place, each in enumerate(self.single):
            for key in each.plans:
                self._exchanging.setdefault(key, []).append(place)
                wanted.setdefault(key, set()).update(each.needs[key] - self._parents[key] - {key})
        self._rank = order_of(self._parents, wanted)
        self._consequences = Consequences(program.nodes, self._parents)
        self._enclosing = Enclosing(program.nodes, self._parents)
        self._pairs: list[Candidate] | None = None
        self._behind: dict[str, frozenset[str]] = {}
        self._with_numbers({key: np.nan if value is None else value for key, value in program.truth.items()})

    def _with_numbers(self, truth: Mapping[str, Floats | float]) -> None:
        self._true = {key: point(values) for key, values in truth.items()}
        self._carried: dict[str, Lot | None] = {}
        self._paired: dict[str, Lot | None] = {}
        self._alone: dict[tuple[str, int], Floats] = {}
        self._ordered: dict[str, Floats] = {}
        self._together: dict[str, Values] | None = None
        self._rows_of: dict[int, int] = {}
        self._honest: dict[tuple[Precision, ...], Honest] = {}
        self._runs: dict[str, list[Lot]] | None = None

    def among(self, truth: Mapping[str, Floats]) -> Diagnosis:
        """The same mistakes for students of whom each has numbers of their own: true values by key."""
        found = copy(self)
        found._with_numbers(truth)
        found._runs = {}
        return found

    # --- the graph -----------------------------------------------------------------------------------------------

    def behind(self, key: str) -> frozenset[str]:
        """Everything that a quantity hangs on, itself included."""
        if key not in self._behind:
            self._behind[key] = frozenset(self._open(key, frozenset()))
        return self._behind[key]

    def _open(self, key: str, fixed: Collection[str]) -> set[str]:
        """What has to be evaluated for a quantity, down to what stands as it is."""
        found, stack = {key}, [key]
        while stack:
            here = stack.pop()
            if here in fixed:
                continue
            for parent in self._parents[here] - found:
                found.add(parent)
                stack.append(parent)
        return found

    def _changing(self, keys: Collection[str]) -> list[int]:
        """The single mistakes that change one of some quantities by themselves."""
        return sorted({place for key in keys for place in self._exchanging.get(key, ())})

    def pairs(self) -> list[Candidate]:
        """Pairs of the likeliest mistakes at different quantities, the likeliest first."""
        if self._pairs is None:
            likely = sorted(self.single, key=lambda each: -each.likelihood)[:MOST_PAIRED]
            both = [
                candidate(a.mutants + b.mutants, {**a.plans, **b.plans})
                for a, b in combinations(likely, 2)
                if not a.plans.keys() & b.plans.keys()
            ]
            self._pairs = sorted(both, key=lambda each: -each.likelihood)[:MOST_PAIRS]
        return self._pairs

    # --- values under mistakes -----------------------------------------------------------------------------------

    def lots(self, question: Question) -> list[Lot]:
        """What the single mistakes give: at the step, where anything before it was written, and from the given."""
        found = (self._at_the_step(question), self._from_given(question))
        return [each for each in found if each is not None]

    def _at_the_step(self, question: Question) -> Lot | None:
        """Mistakes in what was not written between the answer and the written quantities nearest to it.

        None where nothing before it was written: then all is carried through from the given numbers.
        """
        key, pinned = question.key, question.pinned
        if not pinned.keys() & self.behind(key):
            return None
        fixed = frozenset(name for name, held in pinned.items() if held.all() and name != key)
        needed = self._open(key, fixed)
        near = needed - fixed
        chosen = [self.single[place] for place in self._changing(near)]
        if not chosen:
            return None
        for each in chosen:
            for changed in each.plans.keys() & near:
                for name in each.needs[changed] - needed:
                    needed |= self._open(name, fixed)
        asked = Asked((key,), self._sorted(needed, key), fixed, known=False)

        def start(name: str) -> Floats:
            if name in question.points:
                return question.points[name]
            return _of(question.own[name] if name in question.own else self._true[name], question.columns)

        found = self._consequences.values(chosen, asked, start, pinned, question.value.size, name=(key, fixed))
        values, plain = found[key]
        return lot(chosen, values, plain, own=True)

    def _from_given(self, question: Question) -> Lot | None:
        found = self._given(question.key)
        return None if found is None else _of_students(found, question)

    def _given(self, key: str) -> Lot | None:
        """The full values of a quantity under each mistake, from the given numbers."""
        if key not in self._carried:
            places = self._changing(self.behind(key))
            self._carried[key] = _lot([self.single[place] for place in places], self._of_single(key, places))
        return self._carried[key]

    def _of_pairs(self, key: str) -> Lot | None:
        """The same under each pair of mistakes."""
        if key not in self._paired:
            chosen = [each for each in self.pairs() if each.plans.keys() & self.behind(key)]
            self._paired[key] = _lot(chosen, self._worked_out([key], chosen).get(key))
        return self._paired[key]

    def _of_single(self, key: str, places: Sequence[int]) -> Values | None:
        """What each of some mistakes gives.

        Where all students have the same numbers, all quantities that are asked for are worked out at once.
        """
        if self._true[key].lo.shape[1] > 1 or key not in self._asked:
            return self._worked_out([key], [self.single[place] for place in places]).get(key)
        if self._together is None:
            every = self._changing(frozenset().union(*map(self.behind, self._asked)))
            self._rows_of = {place: row for row, place in enumerate(every)}
            self._together = self._worked_out(self._asked, [self.single[place] for place in every])
        if key not in self._together:
            return None
        values, plain = self._together[key]
        return values[[self._rows_of[place] for place in places]], plain

    def _worked_out(self, keys: Sequence[str], chosen: Sequence[Candidate]) -> dict[str, Values]:
        if not chosen:
            return {}
        behind = frozenset().union(*map(self.behind, keys))
        asked = Asked(keys, self._sorted(self._with_needs(behind, chosen)), frozenset(), known=True)
        count = self._true[keys[-1]].lo.shape[1]
        return self._consequences.values(chosen, asked, lambda name: self._true[name].lo, {}, count)

    def _with_needs(self, behind: Collection[str], chosen: Iterable[Candidate]) -> set[str]:
        """What lies behind a quantity, and behind what mistakes in that are computed from."""
        needed = set(behind)
        for each in chosen:
            for changed in each.plans.keys() & needed:
                for name in each.needs[changed] - needed:
                    needed |= self.behind(name)
        return needed

    def alone(self, key: str, mutants: Sequence[Mutant], column: int) -> Iterator[float]:
        """What each of some mistakes makes of a quantity of a student by itself, from the given numbers."""
        for mutant in mutants:
            place = self._places.get(id(mutant))
            if place is None or not self.single[place].plans.keys() & self.behind(key):
                continue
            if (key, place) not in self._alone:
                found = self._of_single(key, [place])
                self._alone[key, place] = found[0][0] if found else np.array([np.nan])
            made = self._alone[key, place]
            yield float(made[column if made.size > 1 else 0])

    def _sorted(self, keys: Collection[str], last: str = "") -> list[str]:
        """In the order of evaluation, what is asked about at the end."""
        found = sorted((key for key in keys if key != last), key=self._rank.__getitem__)
        return [*found, last] if last else found

    # --- answers -------------------------------------------------------------------------------------------------

    def tight(self, question: Question, lots: Sequence[Lot], all_of: int) -> tuple[list[list[Match]], list[int]]:
        """For each number the single mistakes whose full value rounds to it, and how many they are.

        Every one is listed for the first `all_of` numbers, the likeliest ones for the others.
        """
        found = Found(question)
        count = np.zeros(question.value.size, dtype=np.int_)
        for each in lots:
            hits = each.rounds_to(question)
            count = np.maximum(count, hits.sum(axis=0))
            if all_of < question.value.size:
                likely = np.array([candidate.likelihood for candidate in each.candidates])
                best = np.where(hits, likely[:, None], -np.inf).max(axis=0)
                hits[:, all_of:] &= (likely[:, None] >= best)[:, all_of:]
                hits[:, all_of:] &= hits[:, all_of:].cumsum(axis=0) <= MOST_COINCIDENT
            found.note(each, hits, tight=True)
        return found.matches, count.tolist()

    def loose(self, question: Question, lots: Sequence[Lot]) -> list[list[Match]]:
        """For each number the single mistakes whose honest roundings reach it."""
        found = Found(question)
        nears = [(each, near) for each in lots if (near := each.near(question)).any()]
        if nears:
            met = [each.candidates[row] for each, near in nears for row in np.flatnonzero(near.any(axis=1)).tolist()]
            keys = self._sorted(self._with_needs(self.behind(question.key), met), question.key)
            hits = self._enclosing.reached(question, nears, keys, self._honestly)
            for (each, _), where in zip(nears, hits, strict=True):
                found.note(each, where, tight=False)
        return found.matches

    def paired(self, question: Question) -> list[list[Match]]:
        """For each number the pairs of mistakes whose full value rounds to it."""
        found = Found(question)
        if (made := self._of_pairs(question.key)) is not None:
            both = _of_students(made, question)
            found.note(both, both.rounds_to(question), tight=True)
        return found.matches

    def runs(self, question: Question) -> list[list[Match]]:
        """For each number after very many updates the mistakes that give it when they are made in every update."""
        found = Found(question)
        for each in self._repeated(question.key):
            both = _of_students(each, question)
            found.note(both, both.rounds_to(question), tight=True)
        return found.matches

    def _repeated(self, key: str) -> list[Lot]:
        """What each mistake gives that is made in every update, for all that is asked after so many of them at once."""
        if self._runs is None:
            names = self._program.names
            keys = [each for each in self._asked if self._nodes[each].definition is None and names.place(each)[1]]
            self._runs = {each: [] for each in keys}
            for single in self.single:
                (mutant,) = single.mutants
                if mutant.id not in IN_EVERY_UPDATE or not mutant.convention:
                    continue
                made = after_run(names, [names.place(each) for each in keys], mutant.definitions)
                for each, number in zip(keys, made, strict=False):
                    values = np.array([[number]]), self._true[each].lo[0]
                    self._runs[each].append(lot([Candidate((mutant,), {}, {}, mutant.likelihood)], *values, own=False))
        return self._runs.get(key, [])

    def chances(self, key: str, values: Floats, units: Floats, covered: Floats) -> Floats:
        """How many single mistakes a number of that size is expected to match by chance, for each number.

        As many as give a number from half of it to one and a half times it, times the share of these numbers that it
        stands for.

        units    a unit of the last digit
        covered  how wide the values are that a number stands for
        """
        given = self._given(key)
        if given is None:
            return np.zeros(values.size)
        reach = np.maximum(0.5 * abs(values), FEWEST_UNITS * units)
        if given.baseline.size > 1:
            near = given.changed & (given.values >= values - reach) & (given.values <= values + reach)
            found = near.sum(axis=0)
        else:
            if key not in self._ordered:
                self._ordered[key] = np.sort(given.values[given.changed])
            ordered = self._ordered[key]
            found = ordered.searchsorted(values + reach, "right") - ordered.searchsorted(values - reach, "left")
        chance: Floats = np.where(np.isfinite(values), found * covered / (2 * reach), 0.0)
        return chance

    def _honestly(self, precisions: tuple[Precision, ...]) -> Honest:
        if precisions not in self._honest:
            self._honest[precisions] = Honest(self._nodes, self._parents, self._true, precisions)
        return self._honest[precisions]


def _lot(chosen: Sequence[Candidate], found: Values | None) -> Lot | None:
    return lot(chosen, *found, own=False) if chosen and found is not None else None


def _of_students(found: Lot, question: Question) -> Lot:
    """What is the same for all, or each student's own, for the students of a question."""
    several = found.baseline.size > 1
    return found.some(question.columns if several else np.zeros(question.value.size, dtype=np.intp))


def _of(x: Range, columns: Columns) -> Floats:
    return x.lo[:, columns] if x.lo.shape[1] > 1 else x.lo
