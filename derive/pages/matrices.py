"""Matrices as formulas: bmatrix in LaTeX, brackets drawn with characters in text, elided where they are large."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from derive.derivation.matrices import Matrix
from derive.formula.expression import Expr
from derive.formula.printing import seen_width
from derive.formula.symbols import Style

Cell = Callable[[Expr, int], str]
"""The text of an entry of which at most so many terms are written out."""

MOST = (8, 5, 3, 2)
"""So many rows and columns are shown, the first number that fits; of more the first two (or one) and the last."""

TERMS = (99, 4, 3, 2, 1)
EVERY = 30
"""Rows and columns that are shown where nothing is to be left out."""

DOTS = {
    "latex": (r"\cdots", r"\vdots", r"\ddots"),
    "unicode": ("⋯", "⋮", "⋱"),
    "ascii": ("...", ":", "..."),
}
TIMES = {"latex": r" \times ", "unicode": "×", "ascii": "x"}
BRACKETS = {"unicode": ("⎡⎢⎣", "⎤⎥⎦", "[]"), "ascii": ("[[[", "]]]", "[]")}

_INDICES = re.compile(r"_\{((?:[^{}]|\{[^{}]*\})*)\}(?:\^\{([^{}]*)\})?")
_SMALL = 0.7
"""The width of a character of an index, in characters."""

_GAP = 1.8
"""Between two columns of a bmatrix, in characters; about as much as its brackets take."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A matrix and how its entries are written; numbers stand right in their columns."""

    matrix: Matrix
    cell: Cell
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a form: the operator before it, and a formula or a matrix with what stands before it."""

    operator: str
    body: str | Shown
    factor: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """relation term term …; one of the equal sides of a display."""

    relation: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class _Cut:
    most: int
    terms: int


@dataclass(frozen=True, slots=True)
class _Grid:
    cells: tuple[tuple[str, ...], ...]
    shape: str
    is_number: bool


def display(left: str, forms: Sequence[Form], style: Style, width: int, *, whole: bool = False, mark: str = "") -> str:
    """Equal forms on one row of `width` characters, else each on a row, or on several where it is wider."""
    room = width - _width(left, style) - 4
    cut = _cut(forms, style, room, whole)
    rows = [row for form in forms for row in _rows(form, style, room, _fitting(form, cut, style, room))]
    full = _Cut(cut.most, TERMS[0])
    together = sum(_term_width(term, full, style) for form in forms for term in form.terms) + 2 * len(forms)
    if together <= room:
        rows = [[piece for row in rows for piece in row]]
    if style == "latex":
        return _latex(left, rows, mark)
    return _text(left, rows, mark)


def shown_places(count: int, most: int = MOST[0]) -> list[int]:
    """The rows or columns that are shown, counted from 1; 0 stands for those left out."""
    if count <= most:
        return list(range(1, count + 1))
    first = 2 if most > 3 else 1
    return [*range(1, first + 1), 0, count]


# --- how much fits ----------------------------------------------------------------------------------------------------


def _cut(forms: Sequence[Form], style: Style, room: float, whole: bool) -> _Cut:
    """The rows and columns of every matrix of a display."""
    tried = [_Cut(most, TERMS[-1]) for most in ((EVERY, *MOST) if whole else MOST)]
    fits = (cut for cut in tried if all(_fits(form, cut, style, room) for form in forms))
    return next(fits, tried[-1])


def _fitting(form: Form, cut: _Cut, style: Style, room: float) -> _Cut:
    """The same rows and columns with as many terms of each entry as fit."""
    tried = [_Cut(cut.most, terms) for terms in TERMS]
    return next((one for one in tried if _fits(form, one, style, room)), tried[-1])


def _fits(form: Form, cut: _Cut, style: Style, room: float) -> bool:
    return all(_term_width(term, cut, style) <= room for term in form.terms)


def _term_width(term: Term, cut: _Cut, style: Style) -> float:
    before = _width(term.operator, style) + 2 + _width(term.factor, style)
    if isinstance(term.body, str):
        return before + _width(term.body, style)
    return before + _grid_width(_grid(term.body, cut, style), style)


def _grid_width(grid: _Grid, style: Style) -> float:
    columns = [max(_width(cell, style) for cell in column) for column in zip(*grid.cells, strict=True)]
    gap = _GAP if style == "latex" else 2
    return max(sum(columns) + gap * len(columns) + 2, _width(grid.shape, style))


def _width(text: str, style: Style) -> float:
    """About how wide the text is; indices are small, and one above the other where there are two."""
    if style != "latex":
        return seen_width(text, style)
    return seen_width(_INDICES.sub(_index, text.replace(r"\cdots", "xx")), style)


def _index(found: re.Match[str]) -> str:
    longest = max((seen_width(text, "latex") for text in found.groups() if text), default=0)
    return "{" + "x" * ceil(_SMALL * longest) + "}"


def _grid(shown: Shown, cut: _Cut, style: Style) -> _Grid:
    matrix = shown.matrix
    across, down, slanted = DOTS[style]
    rows, columns = shown_places(matrix.rows, cut.most), shown_places(matrix.columns, cut.most)

    def cell(i: int, j: int) -> str:
        if not i or not j:
            return slanted if not i and not j else down if not i else across
        return shown.cell(matrix.entry(i, j), cut.terms)

    cells = tuple(tuple(cell(i, j) for j in columns) for i in rows)
    return _Grid(cells, f"{matrix.rows}{TIMES[style]}{matrix.columns}", shown.is_number)


def _rows(form: Form, style: Style, room: float, cut: _Cut) -> Iterator[list[str | _Grid]]:
    """The pieces of each row; the first piece of a row is its relation, empty where the form goes on."""
    row: list[str | _Grid] = [form.relation]
    used = 0.0
    for term in form.terms:
        width = _term_width(term, cut, style)
        if used and used + width > room:
            yield row
            row, used = [""], 0.0
        used += width
        row += [piece for piece in (term.operator, term.factor) if piece]
        row.append(term.body if isinstance(term.body, str) else _grid(term.body, cut, style))
    yield row


# --- LaTeX ------------------------------------------------------------------------------------------------------------


def _latex(left: str, rows: list[list[str | _Grid]], mark: str) -> str:
    written = [(str(relation), " ".join(_latex_piece(piece) for piece in row)) for relation, *row in rows]
    end = rf" \quad {mark}" if mark else ""
    if len(written) == 1:
        return f"{left} {written[0][0]} {written[0][1]}{end}"
    lines = [_line(relation, text) for relation, text in written]
    return "\\begin{aligned}\n" + left + " " + " \\\\\n".join(lines) + end + "\n\\end{aligned}"


def _line(relation: str, text: str) -> str:
    return f"&{relation} {text}" if relation else rf"&\quad {text}"


def _latex_piece(piece: str | _Grid) -> str:
    if isinstance(piece, str):
        return piece
    body = r" \\ ".join(" & ".join(row) for row in piece.cells)
    return rf"\underset{{{piece.shape}}}{{\begin{{bmatrix}} {body} \end{{bmatrix}}}}"


# --- text -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Box:
    """Lines of one width; `base` is the one that stands on the line of the operators."""

    lines: tuple[str, ...]
    base: int


def _text(left: str, rows: list[list[str | _Grid]], mark: str) -> str:
    found: list[str] = []
    for place, (relation, *row) in enumerate(rows):
        start = _box(left if place == 0 else " " * len(left))
        boxes = [start, _box(f" {relation or ' '} "), *_spaced(row)]
        if mark and place == len(rows) - 1:
            boxes.append(_box(f"  {mark}"))
        found += [line.rstrip() for line in _beside(boxes)]
    return "\n".join(found)


def _spaced(row: Sequence[str | _Grid]) -> Iterator[_Box]:
    for place, piece in enumerate(row):
        if place:
            yield _box(" ")
        yield _box(piece) if isinstance(piece, str) else _bracketed(piece)


def _box(text: str) -> _Box:
    return _Box((text,), 0)


def _beside(boxes: Sequence[_Box]) -> Iterator[str]:
    above = max(box.base for box in boxes)
    below = max(len(box.lines) - box.base for box in boxes)
    for line in range(-above, below):
        yield "".join(_line_of(box, box.base + line) for box in boxes)


def _line_of(box: _Box, line: int) -> str:
    return box.lines[line] if 0 <= line < len(box.lines) else " " * len(box.lines[0])


def _bracketed(grid: _Grid) -> _Box:
    widths = [max(len(cell) for cell in column) for column in zip(*grid.cells, strict=True)]
    rows = [
        "  ".join(_cell(cell, width, grid.is_number) for cell, width in zip(row, widths, strict=True))
        for row in grid.cells
    ]
    style = "ascii" if TIMES["ascii"] in grid.shape else "unicode"
    opening, closing, single = BRACKETS[style]
    if len(rows) == 1:
        lines = [f"{single[0]} {rows[0]} {single[1]}"]
    else:
        kinds = [0, *[1] * (len(rows) - 2), 2]
        lines = [f"{opening[kind]} {row} {closing[kind]}" for kind, row in zip(kinds, rows, strict=True)]
    width = max(len(lines[0]), len(grid.shape))
    return _Box((*(line.center(width) for line in lines), grid.shape.center(width)), (len(rows) - 1) // 2)


def _cell(cell: str, width: int, is_number: bool) -> str:
    if cell in DOTS["unicode"] or cell in DOTS["ascii"]:
        return cell.center(width)
    return cell.rjust(width) if is_number else cell.ljust(width)
