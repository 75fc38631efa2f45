from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

import derive
from derive.pages.prose import Prose, templates_folder
from derive.pages.render import Look, render
from derive.pages.writers import writer

ENGLISH_ONLY = {"catalogue", "image_gradient", "notes"}
"""Groups of pages that come in English alone; no worksheet has a sentence of them."""


def phrases(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((templates_folder() / "prose" / f"{language}.toml").read_text(encoding="utf-8"))


def words_of(text: str) -> set[str]:
    """The names that a template is filled with."""
    code = " ".join(re.findall(r"\{[{%](.*?)[%}]\}", text))
    without_texts = re.sub(r"'[^']*'", "", code)
    known = {"m", "q", "if", "else", "elif", "endif", "is", "defined", "and", "or", "not", "in"}
    return set(re.findall(r"[a-z_]+", without_texts)) - known


@pytest.mark.parametrize("group", sorted(phrases("en").keys() - ENGLISH_ONLY))
def test_german_says_what_english_says(group: str) -> None:
    english, german = phrases("en")[group], phrases("de").get(group, {})
    assert german.keys() == english.keys()
    for key, text in english.items():
        assert words_of(german[key]) <= words_of(text), key


@pytest.mark.parametrize("name", ["backprop-2-2-1", "softmax-cross-entropy", "perceptron-xor", "layer-5-2-matrix"])
@pytest.mark.parametrize("format", ["markdown", "latex", "text"])
def test_a_page_in_german(name: str, format: Any) -> None:
    example = derive.load(name)
    page = render(example, Look(format, language="de"))
    assert "Gegeben" in page
    for english in ("Conventions", "Forward pass", "Given", "learning rate"):
        assert english not in page


def test_titles_of_the_catalogue_are_said_in_german() -> None:
    said = Prose(writer("text", "dollar", "net-out"), "de").say(
        "conventions", "loss", title="squared error", formula="E", factor=""
    )
    assert said == "Verlust: quadratischer Fehler, E."
