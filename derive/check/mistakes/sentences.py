"""The sentences of mistakes, one file a language beside the templates; {step} and the like are filled with names."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from derive.check.mistakes.scene import Slip
from derive.errors import DeriveError


@cache
def _file(language: str) -> Mapping[str, Mapping[str, str]]:
    package = Path(__file__).parents[2]
    for folder in (package / "templates", package.parent / "templates"):
        path = folder / "prose" / f"mistakes.{language}.toml"
        if path.is_file():
            return tomllib.loads(path.read_text(encoding="utf-8"))
    raise DeriveError(f"the templates are missing: no prose/mistakes.{language}.toml; install derive-nn again")


def sentence(mistake: str, language: str = "en") -> str:
    """The sentence of a mistake with its placeholders; KeyError where there is none."""
    return _file(language)["mistakes"][mistake]


class Sentences:
    """Says a slip in the names of the problem."""

    def __init__(self, language: str = "en") -> None:
        phrases = _file(language)
        self._mistakes, self._added = phrases["mistakes"], phrases["added"]

    def say(self, slip: Slip) -> str:
        said = self._mistakes[slip.id].format_map({"step": slip.step, **slip.words})
        if elsewhere := slip.words.get("elsewhere"):
            said += self._added["elsewhere"].format(places=elsewhere)
        return said
