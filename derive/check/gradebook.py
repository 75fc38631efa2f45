"""Verdicts as data: JSON, a row for each answer, a row for each student, and back again."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from derive.check.model import Mistake, Verdict
from derive.check.phrases import say
from derive.check.written import harmless
from derive.errors import DeriveError

Verdicts = Sequence[Verdict]
"""What is said of one student: a verdict for each expected answer."""

FULL = frozenset(("correct", "rounded"))
FOR_A_PERSON = frozenset(("unreadable", "undecided"))
OPEN = "?"
"""What stands for marks that a person must give."""

_PLAIN_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_BEGINS_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%")


def cell(text: str) -> str:
    """Text for a cell of a spreadsheet, on one line: what would be run as a formula gets an apostrophe in front."""
    text = harmless(text)
    if text.lstrip(" ").startswith(_BEGINS_FORMULA) and not _PLAIN_NUMBER.fullmatch(text):
        return "'" + text
    return text


def written_marks(marks: float | None) -> str:
    """Marks as people write them: 1, 0.5, and ? where a person must decide."""
    return OPEN if marks is None else f"{marks:.4g}" if abs(marks) < 1000 else f"{marks:.10g}"


def shown_marks(verdict: Verdict) -> str:
    """The marks of one answer; ? where a person must decide, so that nothing becomes a silent zero."""
    return OPEN if is_open(verdict) and not verdict.marks else written_marks(verdict.marks)


def is_open(verdict: Verdict) -> bool:
    """Whether a person must look at the answer: it could not be read or decided, or no marks were given."""
    return verdict.marks is None or verdict.status in FOR_A_PERSON


def is_right(verdict: Verdict) -> bool:
    """Whether the answer is right and gets full marks for it."""
    return verdict.status in FULL and verdict.marks is not None and verdict.marks >= 1


def is_about_digits(verdict: Verdict, language: str) -> bool:
    """Whether the note tells the teacher that more digits should have been asked for."""
    return bool(verdict.note) and verdict.note.startswith(say("notes", "digits", language))


def alone(message: str, language: str) -> str:
    """The message of a mistake without the words that say that it is one of several."""
    return message.removeprefix(say("added", "one_of", language))


def marks_of(verdicts: Iterable[Verdict]) -> float:
    """The marks that are certain."""
    return sum(verdict.marks or 0 for verdict in verdicts)


def first_error(verdicts: Verdicts) -> Verdict | None:
    """The first answer that is wrong by itself and not because of an earlier one."""
    return next((verdict for verdict in verdicts if verdict.status == "wrong"), None)


# --- JSON ----------------------------------------------------------------------------------------------------------


def as_data(verdict: Verdict) -> dict[str, Any]:
    """The verdict as a JSON object."""
    marks = verdict.marks
    return {
        "student": verdict.student,
        "quantity": verdict.quantity,
        "answer": verdict.answer,
        "status": verdict.status,
        "expected": verdict.expected,
        "accepted": list(verdict.accepted) if verdict.accepted else None,
        "mistake": _mistake_as_data(verdict.mistake) if verdict.mistake else None,
        "marks": int(marks) if marks is not None and marks == int(marks) else marks,
        "note": verdict.note,
        "variant": verdict.variant,
        "chance": verdict.chance,
    }


def _mistake_as_data(mistake: Mistake) -> dict[str, Any]:
    return {
        "id": mistake.id,
        "message": mistake.message,
        "certain": mistake.certain,
        "others": [_mistake_as_data(other) for other in mistake.others],
        "step": mistake.step,
        "convention": mistake.convention,
    }


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_QUOTED = json.encoder.encode_basestring


def as_json_line(verdict: Verdict) -> str:
    """The verdict as one line of JSON: what a JSON encoder makes of `as_data`, in a fifth of its time."""
    text = _QUOTED
    marks = verdict.marks
    accepted = f"[{text(verdict.accepted[0])}, {text(verdict.accepted[1])}]" if verdict.accepted else "null"
    mistake = _ENCODER.encode(_mistake_as_data(verdict.mistake)) if verdict.mistake else "null"
    number = "null" if marks is None else repr(int(marks) if marks == int(marks) else marks)
    chance = "null" if verdict.chance is None else repr(verdict.chance)
    return (
        f'{{"student": {text(verdict.student)}, "quantity": {text(verdict.quantity)}, '
        f'"answer": {text(verdict.answer)}, "status": "{verdict.status}", "expected": {text(verdict.expected)}, '
        f'"accepted": {accepted}, "mistake": {mistake}, "marks": {number}, "note": {text(verdict.note)}, '
        f'"variant": {text(verdict.variant)}, "chance": {chance}}}'
    )


def from_data(data: Mapping[str, Any]) -> Verdict:
    """The verdict that a JSON object holds; raises KeyError or TypeError for what is none."""
    accepted, mistake = data.get("accepted"), data.get("mistake")
    return Verdict(
        student=str(data["student"]),
        quantity=str(data["quantity"]),
        answer=str(data.get("answer") or ""),
        status=data["status"],
        expected=str(data.get("expected") or ""),
        accepted=(str(accepted[0]), str(accepted[1])) if accepted else None,
        mistake=_mistake_from_data(mistake) if mistake else None,
        marks=data.get("marks"),
        note=str(data.get("note") or ""),
        variant=str(data.get("variant") or ""),
        chance=data.get("chance"),
    )


def _mistake_from_data(data: Mapping[str, Any]) -> Mistake:
    others = tuple(_mistake_from_data(other) for other in data.get("others", ()))
    convention = bool(data.get("convention"))
    return Mistake(data["id"], data["message"], data.get("certain", True), others, data.get("step", ""), convention)


def read_verdicts(lines: Iterable[str], place: str) -> Iterator[Verdict]:
    """The verdicts of JSON lines, or of one JSON array on them; raises DeriveError with the line."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            yield from map(from_data, data if isinstance(data, list) else [data])
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
            accepted = "verdicts as --format jsonl prints them"
            raise DeriveError(f"{place}, line {number}: found no verdict; accepted: {accepted}") from None


# --- tables --------------------------------------------------------------------------------------------------------


class Gradebook:
    """Writes a row for each student: marks, out of, how many wait for a person, each quantity, the first error."""

    def __init__(self, file: IO[str], expected: Sequence[str], *, variants: bool = False) -> None:
        self._rows = csv.writer(file, lineterminator="\n")
        self._variants = variants
        header = ["student", *(["variant"] if variants else []), "marks", "out of", "to decide", *expected]
        self._rows.writerow([*map(cell, header), "first error"])

    def add(self, verdicts: Verdicts) -> None:
        """The row of one student."""
        wrong = first_error(verdicts)
        who = [verdicts[0].student, *([verdicts[0].variant] if self._variants else [])]
        decide = sum(map(is_open, verdicts))
        marks = [shown_marks(verdict) for verdict in verdicts]
        row = [*map(cell, who), written_marks(marks_of(verdicts)), len(verdicts), decide, *marks]
        self._rows.writerow([*row, cell(wrong.quantity if wrong else "")])
