"""Verdicts on standard output: each format takes them a student at a time and says what to print when."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from derive.check.gradebook import Gradebook, Verdicts, as_json_line


class Stream(Protocol):
    """What prints verdicts."""

    def add(self, verdicts: Verdicts) -> str:
        """What is printed for one more student."""

    def finish(self) -> str:
        """What is printed at the end."""


@dataclass(slots=True)
class JsonLines:
    """A verdict on each line."""

    def add(self, verdicts: Verdicts) -> str:
        return "".join(as_json_line(verdict) + "\n" for verdict in verdicts)

    def finish(self) -> str:
        return ""


@dataclass(slots=True)
class JsonArray:
    """One array, a verdict on each line."""

    begun: bool = False

    def add(self, verdicts: Verdicts) -> str:
        before = ",\n" if self.begun else "[\n"
        self.begun = True
        return before + ",\n".join(as_json_line(verdict) for verdict in verdicts)

    def finish(self) -> str:
        return "\n]\n" if self.begun else "[]\n"


class GradebookRows:
    """The gradebook."""

    def __init__(self, expected: Sequence[str], *, variants: bool) -> None:
        self._written = io.StringIO()
        self._book = Gradebook(self._written, expected, variants=variants)

    def add(self, verdicts: Verdicts) -> str:
        self._book.add(verdicts)
        return self._taken()

    def finish(self) -> str:
        return self._taken()

    def _taken(self) -> str:
        text = self._written.getvalue()
        self._written.seek(0)
        self._written.truncate()
        return text
