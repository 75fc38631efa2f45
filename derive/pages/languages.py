"""What a language changes in a formula: the decimal mark, and the words that stand in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from derive.formula.symbols import Style
from derive.pages.blocks import Block, Equation


@dataclass(frozen=True, slots=True)
class Language:
    """The decimal mark of a language and its words for those of the formulas."""

    decimal: str
    words: tuple[tuple[str, str], ...] = ()


LANGUAGES: dict[str, Language] = {
    "en": Language("."),
    "de": Language(",", (("if", "falls"), ("otherwise", "sonst"), ("since", "da"), ("else", "sonst"))),
}

_NUMBER = re.compile(r"[-−]?[0-9]+\.[0-9]+(?:e[-+]?[0-9]+|[·⋅]10\S*)?")
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


def said_equation(equation: Equation, language: str, style: Style) -> Equation:
    if language == "en":
        return equation
    rows = tuple(replace(row, right=said(row.right, language, style)) for row in equation.rows)
    return replace(equation, left=said(equation.left, language, style), rows=rows)


def said_block(block: Block, language: str, style: Style) -> Block:
    """The formulas and numbers of a block that are not inside a sentence."""
    if language == "en":
        return block
    text = said(block.text, language, style) if block.kind == "display" else block.text
    lines = tuple(said_equation(line, language, style) for line in block.equations)
    rows = tuple(tuple(_cell(cell, language) for cell in row) for row in block.rows)
    return replace(block, text=text, equations=lines, rows=rows)


def _cell(cell: str, language: str) -> str:
    """A number that is a cell of its own."""
    return decimals(cell, language, "unicode") if _NUMBER.fullmatch(cell) else cell


def inline_in(language: str, style: Style, inline: Callable[[str], str]) -> Callable[[str], str]:
    """`inline`, for formulas in that language."""
    return inline if language == "en" else lambda formula: inline(said(formula, language, style))
