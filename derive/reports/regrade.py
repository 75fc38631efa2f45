"""What changes when answers are graded again: whose marks, from what to what, and why."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import IO

from derive.check.gradebook import cell, read_verdicts, shown_marks
from derive.check.model import Verdict
from derive.check.phrases import say
from derive.pages.blocks import Block, bullets, heading, paragraph, table
from derive.reports.look import Style

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One answer whose marks are not what they were; `before` or `after` is empty where there was no verdict."""

    student: str
    variant: str
    quantity: str
    answer: str
    before: str
    after: str
    why: str

    @property
    def direction(self) -> int:
        """1 for more marks, -1 for fewer, 0 where one of them is open."""
        try:
            old, new = float(self.before or 0), float(self.after or 0)
        except ValueError:
            return 0
        return (new > old) - (new < old)


@dataclass(frozen=True, slots=True)
class _Old:
    answer: str
    status: str
    marks: str
    mistake: str


class Regrade:
    """Holds new verdicts against the old ones of a file; says why in a language."""

    def __init__(self, lines: Iterable[str], place: str, language: str = "en") -> None:
        self._language = language
        self._old = {_key(verdict): _remembered(verdict) for verdict in read_verdicts(lines, place)}

    def changes(self, verdicts: Iterable[Verdict]) -> Iterator[Change]:
        """The changes, in the order of the new verdicts; what is there no more comes last."""
        for verdict in verdicts:
            old = self._old.pop(_key(verdict), None)
            new = _remembered(verdict)
            if old is None:
                yield Change(*_key(verdict), verdict.answer, "", new.marks, self._said("new"))
            elif old.marks != new.marks:
                yield Change(*_key(verdict), verdict.answer, old.marks, new.marks, self._why(old, new, verdict))
        for key, old in self._old.items():
            yield Change(*key, old.answer, old.marks, "", self._said("gone"))

    def _said(self, key: str, **words: str) -> str:
        return say("regrade", key, self._language, **words)

    def _why(self, old: _Old, new: _Old, verdict: Verdict) -> str:
        said = self._said
        reasons = []
        if old.answer != new.answer:
            reasons.append(said("answer", answer=old.answer))
        if old.status != new.status:
            reasons.append(said("status", before=said(old.status), after=said(new.status)))
        if new.mistake and new.mistake != old.mistake:
            reasons.append(new.mistake)
        if verdict.note:
            reasons.append(verdict.note)
        return "; ".join(reasons) or said("otherwise")


def _key(verdict: Verdict) -> Key:
    return verdict.student, verdict.variant, verdict.quantity


def _remembered(verdict: Verdict) -> _Old:
    mistake = verdict.mistake.message if verdict.mistake else ""
    return _Old(verdict.answer, verdict.status, shown_marks(verdict), mistake)


def write_changes(changes: Iterable[Change], format: str, file: IO[str]) -> None:
    """The changes as "json", "jsonl" or "csv"."""
    entries = [asdict(change) for change in changes]
    if format == "json":
        file.write(json.dumps(entries, ensure_ascii=False, indent=1) + "\n")
    elif format == "jsonl":
        file.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
    else:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["student", "variant", "quantity", "answer", "before", "after", "why"])
        rows.writerows([cell(text) for text in entry.values()] for entry in entries)


def regrade_blocks(changes: Iterable[Change], style: Style, title: str) -> list[Block]:
    """The changes for reading."""
    found = list(changes)
    say, short = style.say, style.short
    blocks = [heading(1, say("regrade_title", title=style.title(title)))]
    if not found:
        return [*blocks, paragraph(say("regrade_none"))]
    up = sum(change.direction > 0 for change in found)
    down = sum(change.direction < 0 for change in found)
    students = len({(change.student, change.variant) for change in found})
    blocks.append(paragraph(say("regrade_counts", changed=len(found), students=students, up=up, down=down)))
    if style.format == "text":
        return [*blocks, bullets(*(_line(change, style) for change in found))]
    header = tuple(say(key) for key in ("student_column", "quantity", "before", "after", "why"))
    rows: list[tuple[str, ...]] = [
        (
            short(change.student),
            style.quantity(change.quantity),
            style.number(change.before),
            style.number(change.after),
            style.words(change.why),
        )
        for change in found
    ]
    return [*blocks, table(header, rows)]


def _line(change: Change, style: Style) -> str:
    """A change as a line that can be broken, since reasons are long."""
    arrow = "->" if style.look.ascii else "→"
    marks = f"{style.number(change.before) or '-'} {arrow} {style.number(change.after) or '-'}"
    return f"{style.short(change.student)}, {style.quantity(change.quantity)}: {marks} ({style.words(change.why)})"
