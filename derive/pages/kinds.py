"""Which page and which picture each kind of problem has: a new kind is a row in each table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from derive.pages.blocks import Block
from derive.pages.page import Page
from derive.pages.writers import Writer, writer
from derive.worked import WorkedExample


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a page is built with: the writer, the widths of `Equations`, the language of the prose."""

    writer: Writer
    width: int
    line_width: int
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of a page, drawn when asked for: a standalone SVG, a tikzpicture."""

    svg: Callable[[], str]
    tikz: Callable[[], str]


def _graph_page(example: WorkedExample, sheet: Sheet) -> list[Block]:
    return Page(example, sheet.writer, sheet.width, sheet.line_width, sheet.language).blocks()


def _graph_picture(example: WorkedExample, title: str) -> Picture:
    from derive.figures import svg, tikz
    from derive.pages.diagrams import diagram

    ways = [writer(way, "dollar", example.problem.notation) for way in ("text", "latex")]
    drawn = diagram(example, ways[0], ways[1], title)
    return Picture(lambda: svg(drawn), lambda: tikz(drawn))


PAGES: dict[str, Callable[[WorkedExample, Sheet], list[Block]]] = {"network": _graph_page, "expression": _graph_page}
PICTURES: dict[str, Callable[[WorkedExample, str], Picture]] = {
    "network": _graph_picture,
    "expression": _graph_picture,
}


def blocks_of(example: WorkedExample, sheet: Sheet) -> list[Block]:
    """The blocks of the page, the first of them its title."""
    return PAGES[example.problem.kind](example, sheet)


def picture_of(example: WorkedExample, title: str) -> Picture | None:
    """The picture of the page under that accessible title; None for a kind without one."""
    make = PICTURES.get(example.problem.kind)
    return make(example, title) if make else None
