"""Whether honest rounding takes what somebody computed with a mistake to the number that they wrote.

Each row of the arrays is one mistake, one student and one precision: only what is near the number is enclosed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from derive.check.candidates import Candidate, Columns, Lot, Question
from derive.check.enclosure import evaluate
from derive.check.plan import Plan
from derive.check.precision import Flags, Floats, Grid, Precision, Range, last_digit_of
from derive.check.program import Node
from derive.check.shapes import Shape, Shapes

MOST_AT_ONCE = 1500
"""So many rows are enclosed at once."""

Parents = Mapping[str, Collection[str]]


class Honest:
    """Every quantity from the given numbers, rounded to each of some precisions, without any mistake.

    A row for each precision; worked out when it is asked for.
    """

    def __init__(
        self, nodes: Mapping[str, Node], parents: Parents, true: Mapping[str, Range], precisions: Sequence[Precision]
    ) -> None:
        self._nodes, self._parents, self._true = nodes, parents, true
        self._grid = Grid(precisions)
        self._found: dict[str, Range] = {}

    def __getitem__(self, key: str) -> Range:
        stack = [key]
        while stack:
            here = stack[-1]
            missing = [] if here in self._found else [each for each in self._parents[here] if each not in self._found]
            if missing:
                stack += missing
                continue
            stack.pop()
            if here not in self._found:
                simple = self._nodes[here].simple
                found = self._true[here] if simple is None else self._grid.rounded(
                    evaluate(simple, self._found, self._grid)
                )
                self._found[here] = found
        return self._found[key]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The mistake of each row, its student of the question, and whether the student's own numbers are carried on.

    own_places  the row of its precision in what the student carries on
    places      that in what comes of the given numbers
    """

    mistakes: Columns
    students: Columns
    own: Flags
    own_places: Columns
    places: Columns
    grid: Grid


class Enclosing:
    """Encloses quantities under mistakes."""

    def __init__(self, nodes: Mapping[str, Node], parents: Parents) -> None:
        self.nodes, self.parents = nodes, parents
        self.shapes = Shapes(simple=False)

    def reached(
        self, question: Question, nears: Sequence[tuple[Lot, Flags]], keys: Sequence[str],
        honest: Callable[[tuple[Precision, ...]], Honest],
    ) -> list[Flags]:  # fmt: skip
        """Where the mistakes of some lots reach the answers, of those that are near: over mistakes and students.

        keys  what has to be worked out, in that order
        """
        found = [np.zeros_like(near) for _, near in nears]
        used = [(precision, row, at) for precision, row, at in question.precisions if at.any()]
        if not used:
            return found
        candidates = [each for lot, _ in nears for each in lot.candidates]
        firsts = np.cumsum([0, *(len(lot.candidates) for lot, _ in nears)])
        parts = []
        for number, (lot, near) in enumerate(nears):
            for place, (_, row, at) in enumerate(used):
                mistakes, students = np.nonzero(near & at)
                parts.append(np.stack([mistakes + firsts[number], students, *(
                    np.full(mistakes.size, each) for each in (lot.own, row, place))]))  # fmt: skip
        every = np.concatenate(parts, axis=1)
        precisions = tuple(precision for precision, _, _ in used)
        hit = np.zeros(every.shape[1], dtype=np.bool_)
        for first in range(0, hit.size, MOST_AT_ONCE):
            some = slice(first, first + MOST_AT_ONCE)
            mistakes, students, own, own_places, places = every[:, some]
            grid = Grid([precisions[place] for place in places.tolist()])
            rows = _Rows(mistakes, students, own > 0, own_places, places, grid)
            reach = _Work(self, question, candidates, rows, honest(precisions)).reach(keys)
            hit[some] = _may_write(question, students, reach)
        for number, flags in enumerate(found):
            mine = hit & (every[0] >= firsts[number]) & (every[0] < firsts[number + 1])
            flags[every[0, mine] - firsts[number], every[1, mine]] = True
        return found


def _may_write(question: Question, students: Columns, reach: Range) -> Flags:
    """Whether the answer of each row's student may be written for the interval."""
    value, scale = question.value[students, None], question.scale[students, None]
    ends = last_digit_of(reach, scale, truncated=question.truncatable[students, None])
    found: Flags = ((value >= ends.lo - 1e-7 / scale) & (value <= ends.hi + 1e-7 / scale))[:, 0]
    return found


class _Work:
    """The quantities under the mistakes of some rows."""

    def __init__(
        self, around: Enclosing, question: Question, candidates: Sequence[Candidate], rows: _Rows, honest: Honest
    ) -> None:
        self._around, self._question, self._candidates, self._rows = around, question, candidates, rows
        self._honest = honest
        self._env: dict[str, Range] = {}
        self._changed: dict[str, Flags] = {}
        self._exchanged: dict[str, list[tuple[Shape, Flags]]] = {}
        for which in np.unique(rows.mistakes).tolist():
            here = rows.mistakes == which
            for key, plan in candidates[which].plans.items():
                self._exchanged.setdefault(key, []).append((around.shapes.of(plan), here))

    def reach(self, keys: Sequence[str]) -> Range:
        """The interval of the last quantity, before it is rounded itself."""
        for key in keys:
            self._work_out(key, last=key == keys[-1])
        return self._range(keys[-1])

    def _range(self, key: str) -> Range:
        """What each row goes on with."""
        if key not in self._env:
            self._env[key] = self._start(key)
        return self._env[key]

    def _start(self, key: str) -> Range:
        """What each student carries on, or what comes of the given numbers, where no mistake changes it."""
        rows, question = self._rows, self._question
        columns = question.columns[rows.students]
        given = None
        if key not in question.own or not rows.own.all():
            given = Range(*(_gathered(end, rows.places, columns) for end in self._honest[key]))
        if key not in question.own or not rows.own.any():
            assert given is not None
            return given
        own = Range(*(_gathered(end, rows.own_places, columns) for end in question.own[key]))
        if given is None or all(mine is its for mine, its in zip(own, given, strict=True)):
            return own
        lo = np.where(rows.own[:, None], own.lo, given.lo)
        same = own.lo is own.hi and given.lo is given.hi
        return Range(lo, lo if same else np.where(rows.own[:, None], own.hi, given.hi))

    def _work_out(self, key: str, *, last: bool) -> None:
        rows, question = self._rows, self._question
        simple = self._around.nodes[key].simple
        changes = [self._changed[parent] for parent in self._around.parents[key] if parent in self._changed]
        changes += [here for _, here in self._exchanged.get(key, ())]
        unknown = key not in question.own and rows.own.any()
        stands = simple is None and not (last and key in self._exchanged)
        if stands or not (last or changes or unknown):
            return
        changed = np.logical_or.reduce(changes) if changes else np.zeros_like(rows.own)
        held = question.pinned[key][rows.students] & rows.own if key in question.pinned else np.zeros_like(rows.own)
        changed = changed & ~held
        if changed.any():
            self._changed[key] = changed
        todo = ~held if last else (changed | rows.own) & ~held if unknown else changed
        if todo.any():
            self._env[key] = self._found(key, simple, todo, last=last)

    def _found(self, key: str, simple: Plan | None, todo: Flags, *, last: bool) -> Range:
        plain, groups = todo.copy(), dict[int, list[tuple[Shape, Columns]]]()
        for shape, here in self._exchanged.get(key, ()):
            plain &= ~here
            groups.setdefault(id(shape.form), []).append((shape, np.flatnonzero(here & todo)))
        lo, hi = np.empty((todo.size, 1)), np.empty((todo.size, 1))
        if simple is None or not todo.all():
            lo[:], hi[:] = self._start(key)
        if simple is not None and plain.any():
            shape = self._around.shapes.of(simple)
            self._put(lo, hi, shape.form, [(shape, np.flatnonzero(plain))], last=last)
        for group in groups.values():
            self._put(lo, hi, group[0][0].form, group, last=last)
        return Range(lo, hi)

    def _put(
        self, lo: Floats, hi: Floats, form: Plan, group: Sequence[tuple[Shape, Columns]], *, last: bool
    ) -> None:
        """Work out definitions of one form, and put the intervals into their rows."""
        rows = np.concatenate([some for _, some in group])
        if not rows.size:
            return
        inside = {
            str(place): self._operand([shape.keys[place] for shape, _ in group], [some for _, some in group])
            for place in range(len(group[0][0].keys))
        }
        grid = self._rows.grid.some(rows)
        found = evaluate(form, inside, grid)
        lo[rows], hi[rows] = found if last else grid.rounded(found)

    def _operand(self, keys: Sequence[str], rows: Sequence[Columns]) -> Range:
        """What stands in one place of a form, for each of its rows."""
        if keys.count(keys[0]) == len(keys):
            return _some(self._range(keys[0]), np.concatenate(rows))
        parts = [_some(self._range(key), some, widen=True) for key, some in zip(keys, rows, strict=True)]
        lo = np.concatenate([part.lo for part in parts])
        same = all(part.lo is part.hi for part in parts)
        return Range(lo, lo if same else np.concatenate([part.hi for part in parts]))


def _gathered(end: Floats, places: Columns, columns: Columns) -> Floats:
    """For each row the number of its precision and its student, where these differ."""
    several, own = end.shape[0] > 1, end.shape[1] > 1
    if not several and not own:
        return end
    found: Floats = end[places if several else 0, columns if own else 0]
    return found[:, None]


def _some(x: Range, rows: Columns, *, widen: bool = False) -> Range:
    """The interval for some rows; with `widen` a row for each even where all are equal."""
    lo, hi = (
        end[rows] if end.shape[0] > 1 else np.repeat(end, rows.size, axis=0) if widen else end for end in x
    )
    return Range(lo, lo if x.lo is x.hi else hi)
