"""What a page is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an equation; `relation` is empty where a long formula goes on from the row before."""

    relation: str
    right: str


@dataclass(frozen=True, slots=True)
class Equation:
    """left = row = row …; `marked` where the printed operands do not give the printed result."""

    left: str
    rows: tuple[Row, ...]
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a page; which of the fields matter, `kind` says.

    heading    level and text
    text       text
    bullets    items
    equations  equations, one under the other
    table      header and rows of cells
    figure     text is its description
    display    text is a formula in LaTeX, ready-made lines in terminal text
    """

    kind: str
    level: int = 0
    text: str = ""
    items: tuple[str, ...] = ()
    equations: tuple[Equation, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def widths(self) -> tuple[int, ...]:
        """Of a table: how many characters the longest cell of each column has."""
        return tuple(max(len(cell) for cell in column) for column in zip(self.header, *self.rows, strict=True))


def heading(level: int, text: str) -> Block:
    return Block("heading", level=level, text=text)


def paragraph(text: str) -> Block:
    return Block("text", text=text)


def bullets(*items: str) -> Block:
    return Block("bullets", items=items)


def equations(*lines: Equation) -> Block:
    return Block("equations", equations=lines)


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Block:
    return Block("table", header=header, rows=tuple(rows))


def figure(text: str) -> Block:
    return Block("figure", text=text)


def display(text: str) -> Block:
    return Block("display", text=text)
