"""What can go wrong, said so that it can be mended: where, what was found, what would be accepted."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class DeriveError(Exception):
    """An error meant for the user: printed without a traceback, exit code 2."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a problem file.

    `place` is a key path such as "layers[1].weights[2][3]" (counted from 1); empty for the file as a whole.
    """

    place: str
    found: str
    accepted: str

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.found}; accepted: {self.accepted}"


class ProblemError(DeriveError):
    """Every mistake found in one problem file, in the order of the file."""

    def __init__(self, source: str, mistakes: Iterable[Mistake]) -> None:
        self.source = source
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(f"{source}: {mistake}" for mistake in self.mistakes))


def nearest(word: str, known: Iterable[str]) -> str:
    """' (did you mean "sigmoid"?)' for a misspelt word, else an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""
