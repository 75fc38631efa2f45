"""What becomes of an answer: its status, its marks, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from math import isfinite

from derive.check.findings import Findings
from derive.check.grading import Standing
from derive.check.model import (
    Answer,
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
from derive.check.phrases import say
from derive.errors import DeriveError
from derive.worked import WorkedExample

_STATUS: dict[int, Status] = {
    Standing.CORRECT: "correct",
    Standing.ROUNDED: "rounded",
    Standing.FOLLOWS: "follow-through",
    Standing.TRIVIAL: "follow-through",
    Standing.EITHER: "follow-through",
    Standing.WRONG: "wrong",
    Standing.SYMBOLIC: "undecided",
}


class Marker:
    """How answers are marked."""

    def __init__(self, marking: Marking, mutants: Sequence[Mutant]) -> None:
        self._marking, self._mutants, self._language = marking, mutants, marking.language
        self._has_form = marking.require_decimals is not None or marking.require_significant is not None
        self._marks: dict[int, float | None] = {
            Standing.CORRECT: 1.0,
            Standing.ROUNDED: 1.0,
            Standing.FOLLOWS: marking.follow_through,
            Standing.TRIVIAL: 0.0,
            Standing.EITHER: 1.0,
            Standing.WRONG: 0.0,
            Standing.SYMBOLIC: None,
        }

    def verdicts(self, sheet: Sheet, answers: Sequence[Answer], found: Findings, column: int) -> Iterator[Verdict]:
        """The verdicts on what a student answered to each expected quantity."""
        for row, (quantity, answer) in enumerate(zip(found.expected, answers, strict=True)):
            if isinstance(answer, Written):
                yield self._of_number(sheet, quantity, answer, found, row, column)
            else:
                blank = Verdict(
                    sheet.student, quantity, answer.text, "blank", found.shown(quantity, column), variant=sheet.variant
                )  # fmt: skip
                yield self._of_other(blank, answer, found, column)

    def _of_number(
        self, sheet: Sheet, quantity: str, answer: Written, found: Findings, row: int, column: int
    ) -> Verdict:
        standing = found.standing[row][column]
        mistake = found.mistake(row, column)
        status, marks = _STATUS[standing], self._marks[standing]
        note = _remark(standing, found, row, column, self._language)
        if status == "wrong" and mistake is None and not found.is_followed(row):
            note = say("notes", "unfollowed", self._language)
        if mistake and status == "wrong" and (other := _accepted(mistake, self._marking)):
            status, marks, note = "correct", 1.0, _convention(other, self._language)
        if self._has_form and (note_of_form := _form(answer, self._marking)):
            marks, note = (0.0 if marks is not None else None), f"{note} {note_of_form}".strip()
        return Verdict(
            sheet.student, quantity, answer.text, status, found.shown(quantity, column, answer),
            _interval(found, row, column), mistake, marks, note, sheet.variant, found.chance(row, column),
        )  # fmt: skip

    def _of_other(self, blank: Verdict, answer: Answer, found: Findings, column: int) -> Verdict:
        if isinstance(answer, Unreadable):
            return replace(blank, status="unreadable", note=answer.why, marks=None)
        if not isinstance(answer, Formula):
            return blank
        return self._of_formula(blank, blank.quantity, answer, found.known.example(column))

    def _of_formula(self, verdict: Verdict, quantity: str, answer: Formula, example: WorkedExample) -> Verdict:
        from derive.check.expressions import judge_formula

        try:
            judged = judge_formula(example, quantity, answer, self._mutants, self._language)
        except DeriveError as error:
            return replace(verdict, status="undecided", note=str(error), marks=None)
        marks = {"correct": 1.0, "wrong": 0.0}.get(judged.status)
        verdict = replace(verdict, status=judged.status, note=judged.note, mistake=judged.mistake, marks=marks)
        if verdict.status == "wrong" and (other := _accepted(verdict.mistake, self._marking)):
            return replace(verdict, status="correct", marks=1.0, note=_convention(other, self._language))
        return verdict


def _remark(standing: int, found: Findings, row: int, column: int, language: str) -> str:
    if standing in (Standing.SYMBOLIC, Standing.TRIVIAL):
        return say("notes", "symbolic" if standing == Standing.SYMBOLIC else "trivial", language)
    if standing in (Standing.CORRECT, Standing.ROUNDED):
        if found.low[row][column] <= 0 <= found.high[row][column] and found.true(found.expected[row], column):
            return say("notes", "wide", language)
        count = found.hidden(row, column)
        if count > 1:
            return say("notes", "many", language, count=count)
    return ""


def _convention(mistake: Mistake, language: str) -> str:
    message = mistake.message.removeprefix(say("added", "one_of", language))
    return say("notes", "convention", language, message=message)


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
        (marking.require_significant, answer.significant, "significant"),
    ):
        if needed is not None and (written is None or written < needed):
            language = marking.language
            count = say("notes", "none", language) if written is None else written
            found.append(say("notes", what, language, written=count, needed=needed))
    return " ".join(found)


def _interval(found: Findings, row: int, column: int) -> tuple[str, str] | None:
    low, high = found.low[row][column], found.high[row][column]
    if low > high or not (isfinite(low) and isfinite(high)):
        return None
    return _texts(low, high, found.places[row][column])


@lru_cache(maxsize=4096)
def _texts(low: float, high: float, places: int) -> tuple[str, str]:
    return format(low + 0.0, f".{places}f"), format(high + 0.0, f".{places}f")
