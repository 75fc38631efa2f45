"""What a language changes in a formula: the decimal mark, and the words that stand in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from derive.formula.symbols import Style


@dataclass(frozen=True, slots=True)
class Language:
    """The decimal mark of a language, its words for those of the formulas, and for those that are symbols."""

    decimal: str
    words: tuple[tuple[str, str], ...] = ()
    symbols: Mapping[str, str] = field(default_factory=dict)


LANGUAGES: dict[str, Language] = {
    "en": Language("."),
    "de": Language(
        ",",
        (
            ("if", "falls"), ("otherwise", "sonst"), ("since", "da"), ("else", "sonst"), ("with", "mit"),
            ("for", "für"),
        ),
        {
            "samples": "Beispiele", "below": "unten", "new": "neu", "deviation": "Standardabweichung",
            "limit": "Grenze", "updates": "Updates",
        },
    ),
}  # fmt: skip

_WORD = re.compile(r"(?<![A-Za-z\\])[a-z]{3,}(?![A-Za-z])")
_POINT = re.compile(r"(?<=[0-9])\.(?=[0-9])")


def decimals(text: str, language: str, style: Style) -> str:
    """A number, or text with numbers, with the decimal mark of the language; {,} in LaTeX, where "," makes a gap."""
    mark = LANGUAGES[language].decimal
    if mark == ".":
        return text
    return _POINT.sub("{,}" if style == "latex" else mark, text)


def said(formula: str, language: str, style: Style) -> str:
    """A formula in that language; where numbers have a comma, semicolons part what a function is called with."""
    if language == "en":
        return formula
    for english, word in LANGUAGES[language].words:
        old, new = (
            (rf"\\text{{{english}( ?)}}", rf"\\text{{{word}\1}}")
            if style == "latex"
            else (rf" {english} ", f" {word} ")
        )
        formula = re.sub(old, new, formula)
    return decimals(formula, language, style).replace(", ", "; ")


def named(symbol: str, language: str) -> str:
    """A symbol that is a word of the page, or has one for its index, in that language."""
    words = LANGUAGES[language].symbols
    return _WORD.sub(lambda word: words.get(word[0], word[0]), symbol) if words else symbol


def inline_in(language: str, style: Style, inline: Callable[[str], str]) -> Callable[[str], str]:
    """`inline`, for formulas in that language."""
    return inline if language == "en" else lambda formula: inline(said(formula, language, style))
