"""What the checker says: its sentences, one file a language beside the templates, filled with names and numbers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from derive.errors import DeriveError


@cache
def _read(name: str) -> Mapping[str, Mapping[str, str]]:
    package = Path(__file__).parents[1]
    for folder in (package / "templates", package.parent / "templates"):
        path = folder / "prose" / name
        if path.is_file():
            return tomllib.loads(path.read_text(encoding="utf-8"))
    raise DeriveError(f"the templates are missing: no prose/{name}; install derive-nn again")


def phrases(language: str) -> Mapping[str, Mapping[str, str]]:
    """The sentences by group and key, with their placeholders."""
    return _read(f"mistakes.{language}.toml")


def titles(language: str) -> Mapping[str, str]:
    """How the titles of the catalogue are said in a language; nothing in English."""
    return {} if language == "en" else _read(f"{language}.toml")["titles"]


@dataclass(frozen=True, slots=True)
class Why:
    """Why an answer cannot be read: the key of a sentence and what fills it."""

    key: str
    words: Mapping[str, object] = field(default_factory=dict)

    def said(self, language: str) -> str:
        return say("unreadable", self.key, language, **self.words)


def say(group: str, key: str, language: str = "en", /, **words: object) -> str:
    """A sentence with its placeholders filled; KeyError where there is none."""
    return phrases(language)[group][key].format_map(words)
