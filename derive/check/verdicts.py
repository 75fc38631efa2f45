"""The verdicts on answer sheets: every expected answer of every student gets one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from derive.check.diagnosis import Diagnosis, Match, Question
from derive.check.enclosure import evaluate, hull, point
from derive.check.grading import Graded, Standing, grade
from derive.check.model import (
    ONE_OF,
    Blank,
    Formula,
    Marking,
    Mistake,
    Mutant,
    Sheet,
    Status,
    Unreadable,
    Verdict,
    Written,
)
from derive.check.own import MOST_SHOWN, Alike, Own
from derive.check.precision import Floats, Grid, Precision, Range
from derive.check.program import compiled
from derive.check.slips import Reach, relatives, slips
from derive.check.style import LARGEST, NO_PLACE, Numbers, numbers, usual_decimals
from derive.errors import DeriveError
from derive.formula.expression import names_in
from derive.worked import WorkedExample

BATCH = 1000
"""So many sheets are judged at once."""
MOST_OTHERS = 12
SURELY = 0.001
"""A mistake that goes against another answer is named where chance gives the number more rarely than this."""
MOST_COPIED = 100
"""In a graph of so many quantities the number of any of them may have been copied."""

_STATUS: dict[int, Status] = {
    Standing.CORRECT: "correct",
    Standing.ROUNDED: "rounded",
    Standing.FOLLOWS: "follow-through",
    Standing.TRIVIAL: "follow-through",
    Standing.EITHER: "follow-through",
    Standing.WRONG: "wrong",
    Standing.SYMBOLIC: "undecided",
}
TRIVIAL = "An earlier wrong answer makes this one trivial, so it earns nothing."
WIDE = "At the digits written, honest rounding reaches zero as well: too few were asked for to tell anything apart."
MANY = "At the digits written, {count} mistakes give numbers that honest rounding reaches too."
SYMBOLIC = "The problem gives no numbers for this quantity, so a number cannot be judged."

_ACCEPTED = (Standing.CORRECT, Standing.ROUNDED)
Columns = NDArray[np.intp]
Mutants = Callable[[WorkedExample, Sequence[str]], list[Mutant]]


def judge(
    example: WorkedExample,
    sheets: Iterable[Sheet],
    expected: Sequence[str],
    marking: Marking,
    *,
    mutants: Mutants | None = None,
) -> Iterator[Verdict]:
    """One verdict for each expected quantity of each sheet, in their order, as the sheets come.

    mutants   the mistakes that may have been made; those derived from the graph where nothing is said

    Raises UnknownQuantity where `expected` names what the problem does not have.
    """
    judged = Judge(example, expected, marking, mutants)
    waiting = iter(sheets)
    while batch := list(islice(waiting, BATCH)):
        yield from judged.verdicts(batch)


def _derived(example: WorkedExample, expected: Sequence[str]) -> list[Mutant]:
    from derive.check.mistakes import mutants

    return mutants(example, expected)


class Judge:
    """A problem and what is expected, compiled once."""

    def __init__(
        self, example: WorkedExample, expected: Sequence[str], marking: Marking, mutants: Mutants | None = None
    ) -> None:
        self._expected = tuple(expected)
        self._marking = marking
        made = (mutants or _derived)(example, self._expected)
        self._mutants = made
        self.program = compiled(example, self._expected, _mentioned(made) | _neighbours(example, self._expected))
        self.diagnosis = Diagnosis(self.program, made)
        self._marks: dict[int, float | None] = {
            Standing.CORRECT: 1.0,
            Standing.ROUNDED: 1.0,
            Standing.FOLLOWS: marking.follow_through,
            Standing.TRIVIAL: 0.0,
            Standing.EITHER: 1.0,
            Standing.WRONG: 0.0,
            Standing.SYMBOLIC: None,
        }
        self._alike = Alike(example, self.program)

    def verdicts(self, sheets: Sequence[Sheet], own: Own | None = None) -> Iterator[Verdict]:
        """The verdicts of a few sheets; the same answers are judged once, and those that are rounded alike together.

        own   where each sheet has numbers of its own: the same problem, and the numbers for each sheet
        """
        if own is not None:
            yield from self._of_own(sheets, own)
            return
        answers = [tuple(sheet.answers.get(quantity, _BLANK) for quantity in self._expected) for sheet in sheets]
        texts = [tuple([(type(each), each.text) for each in row]) for row in answers]
        first = {each: place for place, each in reversed(list(enumerate(texts)))}
        alike: dict[int, list[int]] = {}
        for place in sorted(first.values()):
            alike.setdefault(usual_decimals(answers[place]), []).append(place)
        where: dict[int, tuple[_Findings, int]] = {}
        for places in alike.values():
            some = [sheets[place] for place in places]
            batch = numbers(some, self._expected)
            found = _Findings(self, batch, grade(self.program, batch), some, self._alike, self.diagnosis)
            where |= {place: (found, column) for column, place in enumerate(places)}
        for sheet, each in zip(sheets, texts, strict=True):
            found, column = where[first[each]]
            for row, quantity in enumerate(self._expected):
                yield self._verdict(sheet, quantity, row, column, found.batch, found.graded, found)

    def _of_own(self, sheets: Sequence[Sheet], own: Own) -> Iterator[Verdict]:
        alike: dict[int, list[int]] = {}
        for place, sheet in enumerate(sheets):
            written = (sheet.answers.get(quantity, _BLANK) for quantity in self._expected)
            alike.setdefault(usual_decimals(written), []).append(place)
        where: dict[int, tuple[_Findings, int]] = {}
        for places in alike.values():
            some, theirs = [sheets[place] for place in places], own.some(places)
            batch = numbers(some, self._expected)
            graded = grade(self.program, batch, theirs.truth)
            found = _Findings(self, batch, graded, some, theirs, self.diagnosis.among(theirs.truth))
            where |= {place: (found, column) for column, place in enumerate(places)}
        for place, sheet in enumerate(sheets):
            found, column = where[place]
            for row, quantity in enumerate(self._expected):
                yield self._verdict(sheet, quantity, row, column, found.batch, found.graded, found)

    # --- one verdict ---------------------------------------------------------------------------------------------

    def _verdict(
        self, sheet: Sheet, quantity: str, row: int, column: int, batch: Numbers, graded: Graded, found: _Findings
    ) -> Verdict:
        answer = sheet.answers.get(quantity, _BLANK)
        if isinstance(answer, Written):
            return self._of_number(sheet, quantity, answer, row, column, batch, graded, found)
        verdict = Verdict(sheet.student, quantity, answer.text, "blank", found.shown(quantity, column))
        verdict = replace(verdict, variant=sheet.variant)
        if isinstance(answer, Unreadable):
            return replace(verdict, status="unreadable", note=answer.why, marks=None)
        if not isinstance(answer, Formula):
            return verdict
        return self._of_formula(verdict, quantity, answer, found.known.example(column))

    def _of_number(
        self,
        sheet: Sheet,
        quantity: str,
        answer: Written,
        row: int,
        column: int,
        batch: Numbers,
        graded: Graded,
        found: _Findings,
    ) -> Verdict:
        standing = int(graded.standing[quantity][column])
        mistake, chance, count = found.of(row, column)
        status, marks = _STATUS[standing], self._marks[standing]
        note = _remark(standing, quantity, found, column, count)
        if status == "wrong" and (other := _accepted(mistake, self._marking)):
            status, marks, note = "correct", 1.0, _convention(other)
        if note_of_form := _form(answer, self._marking):
            marks, note = (0.0 if marks is not None else None), f"{note} {note_of_form}".strip()
        accepted = _interval(graded, quantity, column, batch, row)
        return Verdict(
            sheet.student, quantity, answer.text, status, found.shown(quantity, column, answer), accepted, mistake,
            marks, note, sheet.variant, chance,
        )  # fmt: skip

    def _of_formula(self, verdict: Verdict, quantity: str, answer: Formula, example: WorkedExample) -> Verdict:
        from derive.check.expressions import judge_formula

        try:
            judged = judge_formula(example, quantity, answer, self._mutants)
        except DeriveError as error:
            return replace(verdict, status="undecided", note=str(error), marks=None)
        marks = {"correct": 1.0, "wrong": 0.0}.get(judged.status)
        verdict = replace(verdict, status=judged.status, note=judged.note, mistake=judged.mistake, marks=marks)
        if verdict.status == "wrong" and (other := _accepted(verdict.mistake, self._marking)):
            return replace(verdict, status="correct", marks=1.0, note=_convention(other))
        return verdict


_BLANK = Blank()


def _remark(standing: int, quantity: str, found: _Findings, column: int, count: int) -> str:
    if standing in (Standing.SYMBOLIC, Standing.TRIVIAL):
        return SYMBOLIC if standing == Standing.SYMBOLIC else TRIVIAL
    if standing in (Standing.CORRECT, Standing.ROUNDED):
        low, high = (ends[quantity][column] for ends in (found.graded.low, found.graded.high))
        if found.true(quantity, column) and low <= 0 <= high:
            return WIDE
        if count > 1:
            return MANY.format(count=count)
    return ""


def _convention(mistake: Mistake) -> str:
    return f"Right under another convention: {mistake.message.removeprefix(ONE_OF)}"


def _accepted(mistake: Mistake | None, marking: Marking) -> Mistake | None:
    """The first of the suggestions that is a convention which the teacher accepts."""
    if mistake is None or not marking.accept_conventions:
        return None
    accepted = marking.accept_conventions
    return next((each for each in (mistake, *mistake.others) if each.convention and (
        "all" in accepted or each.id in accepted)), None)  # fmt: skip


def _form(answer: Written, marking: Marking) -> str:
    """What is wrong with the form of an answer, "" where nothing is."""
    found = []
    for needed, written, what in (
        (marking.require_decimals, answer.decimals, "decimals"),
        (marking.require_significant, answer.significant, "significant digits"),
    ):
        if needed is not None and (written is None or written < needed):
            found.append(f"Written with {written if written is not None else 'no'} {what}; asked for are {needed}.")
    return " ".join(found)


def _mentioned(mutants: Iterable[Mutant]) -> set[str]:
    found: set[str] = set()
    for mutant in mutants:
        found.update(mutant.definitions)
        for expr in mutant.definitions.values():
            found.update(names_in(expr))
    return found


def _neighbours(example: WorkedExample, expected: Iterable[str]) -> set[str]:
    """What is easily copied instead of what is asked: the forward pass of a small graph, the updated value."""
    forward = set(islice(example.graph.forward(), MOST_COPIED + 1))
    found = forward if len(forward) <= MOST_COPIED else set()
    return found | {f"{name.removeprefix('dE/d')}_new" for name in expected if name.startswith("dE/d")}


def _interval(graded: Graded, quantity: str, column: int, batch: Numbers, row: int) -> tuple[str, str] | None:
    low, high = float(graded.low[quantity][column]), float(graded.high[quantity][column])
    if low > high or not (np.isfinite(low) and np.isfinite(high)):
        return None
    return _texts(low, high, float(batch.scale[row, column]), bool(batch.decimals[row, column] == NO_PLACE))


@lru_cache(maxsize=4096)
def _texts(low: float, high: float, scale: float, exact: bool) -> tuple[str, str]:
    places = 12 if exact else max(0, round(float(np.log10(scale))))
    low_text, high_text = (format(end + 0.0, f".{min(places, 30)}f") for end in (low, high))
    return low_text, high_text


class _Findings:
    """The mistakes behind the wrong numbers of a batch."""

    def __init__(
        self, judge: Judge, batch: Numbers, graded: Graded, sheets: Sequence[Sheet], known: Alike | Own,
        diagnosis: Diagnosis,
    ) -> None:  # fmt: skip
        self.known, self._diagnosis = known, diagnosis
        self._relatives: dict[str, list[str]] = {}
        self._judge, self.batch, self.graded, self._sheets = judge, batch, graded, sheets
        self._matches: dict[tuple[int, int], list[Match]] = {}
        self._slips: dict[tuple[int, int], list[Mistake]] = {}
        self._hidden: dict[tuple[int, int], int] = {}
        self._chance: dict[tuple[int, int], float] = {}
        self._accepted: dict[int, list[tuple[int, str]]] = {}
        self._seen: list[dict[str, int]] = [{} for _ in sheets]
        with np.errstate(all="ignore"):
            for row, quantity in enumerate(judge._expected):
                self._look(row, quantity)

    def true(self, quantity: str, column: int) -> float:
        """The true value; 0 where there is none."""
        value = self.known.value(self._judge.program.asked[quantity], column)
        return 0.0 if value is None else value

    def shown(self, quantity: str, column: int, answer: Written | None = None) -> str:
        """The right number with the digits of the page or of the answer, whichever are more."""
        places = min((answer.decimals if answer else None) or 0, MOST_SHOWN)
        return self.known.shown(quantity, column, places)

    def _others(self, quantity: str, column: int) -> dict[str, float]:
        """The quantities whose number is easily written instead."""
        if quantity not in self._relatives:
            self._relatives[quantity] = relatives(quantity, self._judge.program.truth)
        values = {key: self.known.value(key, column) for key in self._relatives[quantity]}
        return {key: value for key, value in values.items() if value is not None}

    def of(self, row: int, column: int) -> tuple[Mistake | None, float | None, int]:
        """The mistake, the number of chance matches to expect, and how many mistakes honest rounding hides."""
        quantity = self._judge._expected[row]
        standing = int(self.graded.standing[quantity][column])
        matches = self._matches.get((row, column), [])
        chance = self._chance.get((row, column))
        if standing in (Standing.CORRECT, Standing.ROUNDED):
            return self._mistake(matches[:1], [], column, certain=False), chance, self._hidden.get((row, column), 0)
        if standing != Standing.WRONG:
            return None, chance, 0
        return self._mistake(matches, self._slips.get((row, column), []), column, certain=True), chance, 0

    # --- looking -------------------------------------------------------------------------------------------------

    def _look(self, row: int, quantity: str) -> None:
        standing = self.graded.standing[quantity]
        wrong = np.flatnonzero(standing == Standing.WRONG)
        diagnosis = self._diagnosis
        tried = diagnosis.relevant(self._judge.program.asked[quantity])
        for column in np.flatnonzero(~np.isnan(self.batch.value[row])).tolist():
            self._chance[row, column] = self._by_chance(row, quantity, column, tried)
        rounded = np.flatnonzero(standing == Standing.ROUNDED)
        columns = np.concatenate([wrong, rounded])
        if not columns.size:
            return
        matched, counts = diagnosis.tight(self._question(row, quantity, columns), wrong.size)
        for column, matches, count in zip(columns.tolist(), matched, counts, strict=True):
            self._keep(row, column, matches)
            self._hidden[row, column] = count
        for column in rounded.tolist():
            self._follow(row, quantity, column)
        self._again(row, quantity, wrong, diagnosis.loose)
        for column in wrong.tolist():
            if slipped := self._slip(row, quantity, column):
                self._slips[row, column] = slipped
        without = [column for column in wrong.tolist() if (row, column) not in self._slips]
        self._again(row, quantity, np.array(without, dtype=np.intp), diagnosis.paired)
        for column in wrong.tolist():
            for identity in {match.candidate.mutants[0].id for match in self._matches.get((row, column), ())}:
                self._seen[column][identity] = self._seen[column].get(identity, 0) + 1

    def _follow(self, row: int, quantity: str, column: int) -> None:
        """A number that honest rounding reaches, but which a mistake made before gives outright, follows from that."""
        ids = {match.candidate.mutants[0].id for match in self._matches.get((row, column), ())}
        if ids & self._seen[column].keys():
            self.graded.standing[quantity][column] = Standing.EITHER

    def _again(
        self, row: int, quantity: str, wrong: Columns, look: Callable[[Question], list[list[Match]]]
    ) -> None:
        """Look once more at the wrong numbers that have no name yet."""
        unnamed = np.array([column for column in wrong if (row, column) not in self._matches], dtype=np.intp)
        if unnamed.size:
            question = self._question(row, quantity, unnamed)
            for column, matches in zip(unnamed.tolist(), look(question), strict=True):
                self._keep(row, column, matches)

    def _keep(self, row: int, column: int, matches: list[Match]) -> None:
        kept = [match for match in matches if not self._is_contradicted(match, row, column)]
        if not kept and self._chance.get((row, column), 1.0) < SURELY:
            kept = [match for match in matches if match.tight and len(match.candidate.mutants) == 1]
        if kept:
            self._matches[row, column] = kept

    def _is_contradicted(self, match: Match, row: int, column: int) -> bool:
        """Whether a mistake is said to have been made at a number that the student wrote right."""
        judge, candidate = self._judge, match.candidate
        if judge.program.asked[judge._expected[row]] in candidate.plans:
            return False
        steps = {mutant.step for mutant in candidate.mutants}
        for place, key in self._right(column):
            if key in steps and key in candidate.plans:
                value, unit = self.batch.value[place, column], 1 / self.batch.scale[place, column]
                if any(abs(made - value) > unit for made in self._diagnosis.alone(key, candidate, column)):
                    return True
        return False

    def _right(self, column: int) -> list[tuple[int, str]]:
        """The rows and keys of the numbers that a student wrote right."""
        if column not in self._accepted:
            asked = self._judge.program.asked.items()
            self._accepted[column] = [
                (place, key) for place, (name, key) in enumerate(asked)
                if name in self.graded.standing and self.graded.standing[name][column] in _ACCEPTED
            ]  # fmt: skip
        return self._accepted[column]

    def _question(self, row: int, quantity: str, columns: Columns) -> Question:
        batch, graded, program = self.batch, self.graded, self._judge.program
        key = program.asked[quantity]
        points: dict[str, Range] = {}
        pinned = {}
        for place, (name, asked) in enumerate(program.asked.items()):
            there = graded.standing[name][columns] != Standing.NONE
            if asked != key and there.any() and name in graded.standing:
                value = batch.value[place, columns]
                nearest = _taken(graded.own[asked], 0, columns)
                points[asked] = Range(*(np.where(there, value, end) for end in nearest))
                pinned[asked] = there
        ranges = [
            (Grid((precision,)), at[row, columns], Taken(graded.own, place, columns, {}))
            for place, (precision, at) in enumerate(batch.precisions.items())
            if at[row, columns].any()
        ]
        own = Taken(graded.own, 0, columns, points)
        unit = 1.0 / batch.scale[row, columns]
        width = graded.high[quantity][columns] - graded.low[quantity][columns]
        wide = 1.5 * (np.where(np.isfinite(width), width, 0.0) + 2 * unit)
        truncatable = batch.truncatable[row, columns]
        scale = np.where(batch.decimals[row, columns] == NO_PLACE, 1e12, batch.scale[row, columns])
        return Question(key, batch.value[row, columns], scale, truncatable, wide, columns, own, pinned, ranges)

    def _by_chance(self, row: int, quantity: str, column: int, tried: int) -> float:
        """The mistakes tried, times the share of the plausible range that the answer's last digit stands for."""
        true = self.true(quantity, column)
        value, unit = self.batch.value[row, column], 1 / self.batch.scale[row, column]
        plausible = 4 * max(abs(true), abs(float(value)), float(unit))
        return round(min(float(tried), tried * float(unit) / plausible), 4) if np.isfinite(plausible) else 0.0

    def _slip(self, row: int, quantity: str, column: int) -> list[Mistake]:
        answer = self._sheets[column].answers[quantity]
        graded = self.graded
        assert isinstance(answer, Written)
        reaches = [Reach(float(graded.low[quantity][column]), float(graded.high[quantity][column]))]
        if graded.own_low[quantity][column] <= graded.own_high[quantity][column]:
            reaches.append(Reach(float(graded.own_low[quantity][column]), float(graded.own_high[quantity][column])))
        others = self._others(quantity, column)
        unit = float(1 / self.batch.scale[row, column])
        if abs(self.batch.value[row, column]) >= LARGEST:
            return []
        return list(slips(quantity, answer, tuple(reaches), others, unit))

    # --- naming --------------------------------------------------------------------------------------------------

    def _mistake(
        self, matches: Sequence[Match], slipped: Sequence[Mistake], column: int, *, certain: bool
    ) -> Mistake | None:
        ranked = sorted(matches, key=lambda match: self._rank(match, column))
        named = [_of_match(match) for match in ranked]
        tight = sum(1 for match in ranked if match.tight and len(match.candidate.mutants) == 1)
        suggestions = _distinct([*named[:tight], *slipped, *named[tight:]])[: MOST_OTHERS + 1]
        if not suggestions:
            return None
        first, *others = suggestions
        message = first.message if not others else f"{ONE_OF}{first.message}"
        return Mistake(first.id, message, certain and not others, tuple(others), first.step, first.convention)

    def _rank(self, match: Match, column: int) -> tuple[float, ...]:
        mutants = match.candidate.mutants
        seen = max(self._seen[column].get(mutant.id, 0) for mutant in mutants)
        likelihood = match.candidate.likelihood
        return (len(mutants), not match.tight, -min(seen, 3), -likelihood, not match.own, match.distance)


@dataclass(frozen=True, slots=True)
class Taken(Mapping[str, Range]):
    """An environment at one precision, for some students; `instead` is taken where it has a quantity."""

    whole: Mapping[str, Range]
    place: int
    columns: Columns
    instead: Mapping[str, Range]

    def __getitem__(self, key: str) -> Range:
        return self.instead[key] if key in self.instead else _taken(self.whole[key], self.place, self.columns)

    def __contains__(self, key: object) -> bool:
        return key in self.whole or key in self.instead

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole)

    def __len__(self) -> int:
        return len(self.whole)


def _taken(x: Range, place: int, columns: Columns) -> Range:
    return Range(_slice(x.lo, place, columns), _slice(x.hi, place, columns))


def _slice(end: Floats, place: int, columns: Columns) -> Floats:
    rows = end[place : place + 1] if end.shape[0] > 1 else end
    return rows[:, columns] if rows.shape[1] > 1 else rows


def _of_match(match: Match) -> Mistake:
    first, *more = match.candidate.mutants
    identity = "+".join(mutant.id for mutant in match.candidate.mutants)
    message = " ".join(mutant.message for mutant in match.candidate.mutants)
    return Mistake(identity, message, step=first.step, convention=first.convention and all(m.convention for m in more))


def _distinct(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """One of each id and message."""
    return list({(mistake.id, mistake.message): mistake for mistake in reversed(list(mistakes))}.values())[::-1]


def honest_range(
    example: WorkedExample, quantity: str, *, decimals: int | None = None, significant: int | None = None
) -> tuple[Fraction, Fraction] | None:
    """The lowest and highest number that honest rounding of every step reaches; None where there is no number.

    Raises UnknownQuantity.
    """
    kind: Literal["decimals", "significant"] = "decimals" if significant is None else "significant"
    digits = significant if significant is not None else decimals if decimals is not None else 5
    precision = Precision(kind, min(digits, 15))
    grid = Grid((precision,))
    program = compiled(example, [quantity])
    env: dict[str, Range] = {}
    for key, node in program.nodes.items():
        value = program.truth[key]
        if node.routes:
            env[key] = grid.rounded(hull(*(evaluate(way, env, grid) for way in node.routes)))
        elif value is None:
            return None
        else:
            env[key] = point(value)
    low, high = (float(end[0, 0]) for end in env[program.asked[quantity]])
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    return _at_precision(low, precision), _at_precision(high, precision)


def _at_precision(value: float, precision: Precision) -> Fraction:
    places = precision.digits if precision.kind == "decimals" else 12
    return Fraction(format(value, f".{places}f"))
