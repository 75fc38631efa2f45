"""Answers that come with the package: the numbers that lecture notes and published examples print."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from derive.errors import DeriveError, nearest

FOLDER = Path(__file__).parents[1] / "problems" / "answers"


@cache
def bundled_answers() -> Mapping[str, tuple[str, ...]]:
    """The names of the bundled answers to each bundled problem."""
    found: dict[str, list[str]] = {}
    for path in sorted(FOLDER.glob("*/*.toml")):
        found.setdefault(path.stem, []).append(path.parent.name)
    return {problem: tuple(names) for problem, names in sorted(found.items())}


def answers_path(problem: str, answers: str) -> str:
    """The file that ANSWERS stands for: itself, or bundled answers by name; raises DeriveError."""
    if answers == "-" or Path(answers).exists():
        return answers
    known = bundled_answers().get(problem, ())
    if answers in known:
        return str(FOLDER / answers / f"{problem}.toml")
    accepted = ", ".join(["a file of answers", "-", *known])
    raise DeriveError(f"{answers}: there is no such file{nearest(answers, known)}; accepted: {accepted}")
