"""Tables that would be too wide for a printed page, in pieces that fit."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 64
"""So many characters of numbers fit beside each other."""

_BETWEEN = 2


def in_pieces(columns: Sequence[str], cells: Sequence[Sequence[str | None]], most: int = MOST) -> list[list[str]]:
    """The columns in as few runs as fit; `cells` holds the texts of each column."""
    pieces: list[list[str]] = []
    room = 0
    for column, texts in zip(columns, cells, strict=True):
        width = max((len(text) for text in texts if text), default=0) + _BETWEEN
        if not pieces or width > room:
            pieces.append([])
            room = most
        pieces[-1].append(column)
        room -= width
    return pieces
