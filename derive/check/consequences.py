"""What each of many mistakes makes of a quantity, for many students at once, by full values.

What has to be worked out is laid down once, as a tape of array operations: for every quantity a row without any
mistake, and one for each mistake that changes it.  Exchanged definitions of one form are worked out together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from derive.check.candidates import Candidate, Columns
from derive.check.plan import Plan
from derive.check.precision import Flags, Floats
from derive.check.program import Node
from derive.check.shapes import Shapes
from derive.check.values import value

MOST_NUMBERS = 2_000_000
"""So many numbers are worked out at once."""
MOST_ROWS = 2_000_000
"""So many rows has a tape at most, if every mistake changed everything."""
MOST_KEPT = 3_000_000
"""So many places may be noted on the tapes that are kept."""

Values = tuple[Floats, Floats]
"""What each of some mistakes gives for each student, and what none gives."""

Start = Callable[[str], Floats]
"""The numbers of a quantity that is not worked out."""


@dataclass(frozen=True, slots=True)
class _Exchange:
    """Definitions of one form that take the place of a quantity's own: what stands in each, and where it goes."""

    form: Plan
    operands: Sequence[Columns]
    rows: Columns


@dataclass(frozen=True, slots=True)
class _Step:
    """A quantity: its definition from rows of others, and the exchanges; the first row is that without a mistake.

    plan  None for a number that stands as it is
    """

    key: str
    plan: Plan | None
    operands: Mapping[str, Columns]
    rows: slice
    exchanges: Sequence[_Exchange]


@dataclass(frozen=True, slots=True)
class _Tape:
    """For `count` mistakes, so many rows.

    taken  the rows that stand as they are
    out    the row of each mistake, for each quantity asked about
    plain  the row without a mistake of each of these
    """

    count: int
    size: int
    taken: Mapping[str, int]
    steps: Sequence[_Step]
    out: Mapping[str, Columns]
    plain: Mapping[str, int]
    cost: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be worked out.

    about  the quantities asked about
    keys   all that these hang on, in the order of evaluation
    fixed  those of them that stand as they are
    known  whether those that no mistake changes do as well
    """

    about: Sequence[str]
    keys: Sequence[str]
    fixed: frozenset[str]
    known: bool


class Consequences:
    """The quantities of a program, and the tapes that were laid down."""

    def __init__(self, nodes: Mapping[str, Node], parents: Mapping[str, Collection[str]]) -> None:
        self._nodes = nodes
        self._parents = parents
        self._shapes = Shapes(simple=True)
        self._tapes: dict[object, list[_Tape]] = {}

    def values(
        self,
        candidates: Sequence[Candidate],
        asked: Asked,
        start: Start,
        pinned: Mapping[str, Flags],
        count: int,
        *,
        name: object = None,
    ) -> dict[str, Values]:
        """What each candidate gives for each of `count` students, and what no mistake gives: for each quantity.

        pinned  where a quantity stands as it is, for some of the students
        name    what stands for the candidates and what is asked: equal for equal ones; the tapes are kept by it
        """
        tapes = self._laid_down(candidates, asked, name)
        found = {key: (np.empty((len(candidates), count)), np.empty(count)) for key in asked.about}
        first = 0
        with np.errstate(all="ignore"):
            for tape in tapes:
                places = slice(first, first + tape.count)
                first = places.stop
                width = max(1, MOST_NUMBERS // tape.size)
                for left in range(0, count, width):
                    columns = slice(left, left + width)
                    numbers = self._played(tape, start, pinned, columns, min(width, count - left), known=asked.known)
                    for key, (values, plain) in found.items():
                        values[places, columns] = numbers[tape.out[key]]
                        plain[columns] = numbers[tape.plain[key]]
        return found

    def _laid_down(self, candidates: Sequence[Candidate], asked: Asked, name: object) -> list[_Tape]:
        if name is not None and name in self._tapes:
            return self._tapes[name]
        some = max(1, MOST_ROWS // len(asked.keys))
        tapes = [self._tape(candidates[first : first + some], asked) for first in range(0, len(candidates), some)]
        if name is not None:
            self._tapes[name] = tapes
            while len(self._tapes) > 1 and sum(tape.cost for kept in self._tapes.values() for tape in kept) > MOST_KEPT:
                del self._tapes[next(iter(self._tapes))]
        return tapes

    # --- tapes ---------------------------------------------------------------------------------------------------

    def _tape(self, candidates: Sequence[Candidate], asked: Asked) -> _Tape:
        making = _Making(len(candidates))
        exchanged: dict[str, list[int]] = {}
        for which, candidate in enumerate(candidates):
            for key in candidate.plans:
                exchanged.setdefault(key, []).append(which)
        for key in asked.keys:
            node = self._nodes[key]
            if node.simple is None or key in asked.fixed:
                continue
            rows = making.changed(self._parents[key], exchanged.get(key, ()))
            if rows is None and asked.known:
                continue
            operands = {parent: making.where(parent, rows) for parent in self._parents[key]}
            self._lay(making, key, operands, rows, candidates, exchanged.get(key, ()))
        for key in asked.about:
            if self._nodes[key].simple is None and key in exchanged:
                self._lay(making, key, {}, np.array(exchanged[key], dtype=np.intp), candidates, exchanged[key])
        return making.tape(asked.about)

    def _lay(
        self, making: _Making, key: str, operands: Mapping[str, Columns], rows: Columns | None,
        candidates: Sequence[Candidate], exchanged: Sequence[int],
    ) -> None:  # fmt: skip
        """A step of the tape; nothing that comes before is worked out from it."""
        waiting = []
        for form, shapes, places in self._alike(key, candidates, exchanged):
            parts = [making.of_each(keys, places) for keys in zip(*shapes, strict=True)]
            waiting.append((form, parts, places))
        plan = self._nodes[key].simple
        span = making.add(key, rows)
        exchanges = [
            _Exchange(form, parts, making.of_each([key] * places.size, places)) for form, parts, places in waiting
        ]
        making.steps.append(_Step(key, plan, operands, span, exchanges))

    def _alike(
        self, key: str, candidates: Sequence[Candidate], places: Sequence[int]
    ) -> Iterator[tuple[Plan, list[tuple[str, ...]], Columns]]:
        """The exchanged definitions of a quantity by their form, and what stands in each."""
        found: dict[int, tuple[Plan, list[tuple[str, ...]], list[int]]] = {}
        for place in places:
            shape = self._shapes.of(candidates[place].plans[key])
            _, keys, members = found.setdefault(id(shape.form), (shape.form, [], []))
            keys.append(shape.keys)
            members.append(place)
        for form, keys, members in found.values():
            yield form, keys, np.array(members, dtype=np.intp)

    def _played(
        self, tape: _Tape, start: Start, pinned: Mapping[str, Flags], columns: slice, count: int, *, known: bool
    ) -> Floats:
        """Every row of a tape for some of the students."""
        numbers = np.empty((tape.size, count))
        for key, row in tape.taken.items():
            numbers[row] = _of(start(key), columns)
        for step in tape.steps:
            if step.plan is None:
                numbers[step.rows] = _of(start(step.key), columns)
            else:
                numbers[step.rows] = value(step.plan, {key: numbers[rows] for key, rows in step.operands.items()})
            for each in step.exchanges:
                inside = {str(place): numbers[rows] for place, rows in enumerate(each.operands)}
                numbers[each.rows] = value(each.form, inside)
            if known:
                numbers[step.rows.start] = _of(start(step.key), columns)
            if (held := pinned.get(step.key)) is not None:
                numbers[step.rows] = np.where(held[columns], _of(start(step.key), columns), numbers[step.rows])
        return numbers


class _Making:
    """A tape that is being laid down: where the number of each quantity under each mistake will stand."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._first: dict[str, int] = {}
        self._places: dict[str, Columns] = {}
        self._changed: dict[str, Flags] = {}
        self._taken: dict[str, int] = {}
        self._size = 0
        self._cost = 0
        self.steps: list[_Step] = []

    def changed(self, parents: Collection[str], exchanged: Sequence[int]) -> Columns | None:
        """The mistakes under which a quantity changes; None where there is none."""
        some = [self._changed[parent] for parent in parents if parent in self._changed]
        if not some and not exchanged:
            return None
        found = np.zeros(self._count, dtype=np.bool_)
        for flags in some:
            found |= flags
        found[exchanged] = True
        return np.flatnonzero(found)

    def first(self, key: str) -> int:
        """The row without a mistake; what has none yet stands as it is."""
        if key not in self._first:
            self._first[key] = self._taken[key] = self._size
            self._size += 1
        return self._first[key]

    def where(self, key: str, rows: Columns | None) -> Columns:
        """The rows of a quantity without a mistake and under some of them; one row where they do not change it."""
        first = self.first(key)
        if rows is None or key not in self._places:
            return np.array([first])
        self._cost += rows.size
        return np.concatenate([[first], self._places[key][rows]])

    def of_each(self, keys: Sequence[str], places: Columns) -> Columns:
        """The row of a quantity for each mistake, its own for each."""
        self._cost += len(keys)
        if keys and keys.count(keys[0]) == len(keys):
            first = self.first(keys[0])
            return self._places[keys[0]][places] if keys[0] in self._places else np.array([first])
        rows = [
            int(self._places[key][place]) if key in self._places else self.first(key)
            for key, place in zip(keys, places.tolist(), strict=True)
        ]
        return np.array(rows, dtype=np.intp)

    def add(self, key: str, rows: Columns | None) -> slice:
        """Room for a quantity that is worked out."""
        first = self._first[key] = self._size
        self._size += 1 + (0 if rows is None else rows.size)
        if rows is not None:
            places = np.full(self._count, first, dtype=np.intp)
            places[rows] = np.arange(first + 1, self._size)
            self._places[key] = places
            flags = np.zeros(self._count, dtype=np.bool_)
            flags[rows] = True
            self._changed[key] = flags
        return slice(first, self._size)

    def tape(self, about: Sequence[str]) -> _Tape:
        """What was laid down."""
        plain = {key: self.first(key) for key in about}
        out = {key: self._places.get(key, np.array([first])) for key, first in plain.items()}
        cost = self._cost + self._size + self._count * len(about)
        return _Tape(self._count, self._size, self._taken, self.steps, out, plain, cost)


def _of(numbers: Floats, columns: slice) -> Floats:
    """The numbers of some students; of all where they are the same."""
    row = numbers[0] if numbers.ndim == 2 else numbers
    return row if row.size == 1 else row[columns]
