"""What a language changes in the formulas and cells of a block."""

from __future__ import annotations

import re
from dataclasses import replace

from derive.formula.languages import decimals, said
from derive.formula.symbols import Style
from derive.pages.blocks import Block, Equation

_NUMBER = re.compile(r"[-−]?[0-9]+\.[0-9]+(?:e[-+]?[0-9]+|[·⋅]10\S*)?")


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
