"""The sentences of the pages: all of them live in templates/prose, one file a language."""

from __future__ import annotations

import re
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


def keys_of(language: str, group: str) -> tuple[str, ...]:
    """The keys of the sentences of a group."""
    return tuple(_phrases(language)[group])


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Titles that are made of others: {} stands for each."""
    titles = _phrases(language).get("titles", {})
    made = ((re.escape(title).replace(r"\{\}", "(.+)"), said) for title, said in titles.items() if "{}" in title)
    return tuple((re.compile(pattern), said) for pattern, said in made)


@cache
def _phrase(language: str, group: str, key: str) -> Template:
    return _own_phrase(language, group, key, _phrases(language)[group][key])


@cache
def _own_phrase(language: str, group: str, key: str, text: str) -> Template:
    try:
        return _environment().from_string(text)
    except TemplateError as error:
        raise _told(language, group, key, error) from error


def _told(language: str, group: str, key: str, error: TemplateError) -> DeriveError:
    return DeriveError(f"{language}.toml, {group}.{key}: {error}; accepted: what the built-in sentence has to fill in")


class Prose:
    """Says a sentence in one language and one way of writing formulas.

    own   sentences, by group and key, that stand in the place of those of the language
    """

    def __init__(
        self, writer: Writer, language: str = "en", own: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        self._writer = writer
        self._language = language
        self._own = own or {}

    def has(self, group: str, key: str) -> bool:
        """Whether there is a sentence of that key."""
        return key in _phrases(self._language).get(group, {})

    def translated(self, text: str) -> str:
        """A text of the catalogue, of a bundled problem, or made of these, in this language; any other as it is."""
        for phrases in (self._own, _phrases(self._language)):
            if text in phrases.get("titles", {}):
                return phrases["titles"][text]
        if self._language == "en" or not text:
            return text
        for pattern, said in _patterns(self._language):
            if found := pattern.fullmatch(text):
                return said.format(*map(self.translated, found.groups()))
        small = text[0].lower() + text[1:]
        told = _phrases(self._language)["titles"].get(small, small)
        return told[0].upper() + told[1:] if told != small else text

    def say(self, group: str, key: str, /, **words: Any) -> str:
        """The sentence of that key; `words` fill it."""
        own = self._own.get(group, {}).get(key)
        text = _phrases(self._language)[group][key] if own is None else own
        if "{" not in text:
            return text
        if "title" in words:
            words["title"] = self.translated(words["title"])
        if own is None:
            template = _phrase(self._language, group, key)
        else:
            template = _own_phrase(self._language, group, key, own)
        try:
            return template.render(words, q=self._writer.quantity, m=self._writer.math)
        except TemplateError as error:
            raise _told(self._language, group, key, error) from error
