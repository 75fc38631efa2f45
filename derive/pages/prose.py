"""The sentences of the pages: all of them live in templates/prose, one file a language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from derive.errors import DeriveError
from derive.pages.writers import Writer


@cache
def templates_folder() -> Path:
    """The folder of the templates: inside the installed package, else beside it."""
    package = Path(__file__).parents[1]
    for folder in (package / "templates", package.parent / "templates"):
        if folder.is_dir():
            return folder
    raise DeriveError(f"the templates are missing: no folder {package / 'templates'}; install derive-nn again")


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


@cache
def _phrases(language: str) -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((templates_folder() / "prose" / f"{language}.toml").read_text(encoding="utf-8"))


@cache
def _phrase(language: str, group: str, key: str) -> Template:
    text = _phrases(language)[group][key]
    try:
        return _environment().from_string(text)
    except TemplateError as error:
        raise DeriveError(f"prose/{language}.toml, {group}.{key}: {error}") from error


class Prose:
    """Says a sentence in one language and one way of writing formulas."""

    def __init__(self, writer: Writer, language: str = "en") -> None:
        self._writer = writer
        self._language = language

    def has(self, group: str, key: str) -> bool:
        """Whether there is a sentence of that key."""
        return key in _phrases(self._language).get(group, {})

    def translated(self, text: str) -> str:
        """The text of a bundled problem in this language; any other text as it is."""
        return _phrases(self._language).get("titles", {}).get(text, text)

    def say(self, group: str, key: str, /, **words: Any) -> str:
        """The sentence of that key; `words` fill it."""
        text = _phrases(self._language)[group][key]
        if "{" not in text:
            return text
        if "title" in words:
            words["title"] = _phrases(self._language).get("titles", {}).get(words["title"], words["title"])
        template = _phrase(self._language, group, key)
        return template.render(words, q=self._writer.quantity, m=self._writer.math)
