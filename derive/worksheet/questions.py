"""One question of a sheet as a learning platform needs it, and the blocks of a sheet by problem."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from derive.pages.blocks import Block


@dataclass(frozen=True, slots=True)
class Question:
    """A quantity that is asked for; texts that differ from sheet to sheet are tokens.

    number     counted from 1 through the whole sheet
    symbol     the quantity as LaTeX
    points     0 where none are printed
    expected   the answer as plain text, with a decimal point
    tolerance  how far from it Moodle accepts
    low, high  from where to where Canvas accepts
    line       its worked line
    """

    number: int
    name: str
    symbol: str
    points: int
    expected: str
    tolerance: str
    low: str
    high: str
    line: str

    @property
    def weight(self) -> int:
        """The points for a platform, which has no questions without any."""
        return max(self.points, 1)


def problems_of(blocks: Sequence[Block]) -> Iterator[tuple[list[Block], list[Block]]]:
    """(what is given, formulas with blanks) of each problem; the list of its questions, with its heading, left out."""
    blocks = [block for block in blocks if block.kind not in ("masthead", "ruled")]
    starts = [place for place, block in enumerate(blocks) if block.kind == "questions"]
    first = 0
    for start in starts:
        end = start + 1
        while end < len(blocks) and blocks[end].kind == "line":
            end += 1
        yield blocks[first : start - 2], blocks[start + 1 : end]
        first = end
