from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from german import WORDS, left

import derive
from derive.check.mistakes import mutants
from derive.errors import DeriveError
from derive.pages.prose import Prose, templates_folder
from derive.pages.render import Look, render
from derive.pages.writers import writer
from derive.worked import WorkedExample

PLACE = re.compile(r"\{(\w+)[^}]*\}")
ENGLISH_ONLY = {"catalogue", "image_gradient", "notes"}
"""Groups of pages that come in English alone; no worksheet has a sentence of them."""


def phrases(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((templates_folder() / "prose" / f"{language}.toml").read_text(encoding="utf-8"))


def checker(language: str) -> dict[str, dict[str, str]]:
    path = templates_folder() / "prose" / f"mistakes.{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


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


# --- what the checker says -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", sorted(checker("en")))
def test_mistakes_are_said_in_german(group: str) -> None:
    """The same sentences, with the same to fill in; in German the place of what cannot be read is enough."""
    english, german = checker("en")[group], checker("de").get(group, {})
    assert german.keys() == english.keys()
    for key, text in english.items():
        left_out = {"found", "accepted"} if (group, key) == ("unreadable", "column") else set()
        filled = set(PLACE.findall(text)) - left_out
        assert set(PLACE.findall(german[key])) == filled, key
        assert german[key].endswith(".") == text.endswith("."), key


@pytest.mark.parametrize("read", [phrases, checker])
def test_no_sentence_is_left_in_english(read: Callable[[str], dict[str, dict[str, str]]]) -> None:
    for group, entries in read("de").items():
        for key, text in entries.items():
            said = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{[^}]*\}|`[^`]*`|--[\w-]+", " ", text)
            assert left(said, frozenset(("mean", "step"))) == [], (group, key)


def test_german_has_no_sentence_that_english_lacks() -> None:
    assert checker("de").keys() == checker("en").keys()


@pytest.mark.parametrize("language", ["en", "de"])
def test_notes_on_digits_are_known_by_their_beginning(language: str) -> None:
    notes = checker(language)["notes"]
    assert [key for key, text in notes.items() if text.startswith(notes["digits"])] == ["digits", "wide", "many"]


def _is_there(example: WorkedExample, name: str) -> bool:
    try:
        example.find(name)
    except DeriveError:
        return False
    return True


@pytest.mark.parametrize("name", ["backprop-2-2-1", "adam-2-2-1", "softmax-cross-entropy", "perceptron-and"])
def test_mistakes_of_a_problem_in_german(name: str) -> None:
    """Every sentence filled, its formulas with a comma, and without English."""
    example = derive.load(name)
    wanted = ("E@1", "w1[4]", "w5_new", "dE/dw1", "dE/dz1")
    asked = [name for name in example.problem.ask or wanted if _is_there(example, name)]
    english, german = mutants(example, asked), mutants(example, asked, "de")
    assert [mutant.definitions for mutant in german] == [mutant.definitions for mutant in english]
    assert len(german) > 20
    for mutant in german:
        names = set(WORDS.findall(" ".join((*mutant.definitions, mutant.step))))
        assert set(left(mutant.message)) <= names, mutant.message
        assert not re.search(r"[{}`]|[0-9]\.[0-9]", mutant.message), mutant.message
