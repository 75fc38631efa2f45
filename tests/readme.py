"""What README shows, as values: fenced blocks and the commands in them.

`python tests/readme.py N` prints README's Nth command line, so that CI can run it as a reader would.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})\s*(\S*)")
_MARK = re.compile(r"<!--\s*(not run|file):\s*(.+?)\s*-->")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    not_run   the reason in the comment <!-- not run: … --> right above it
    file      the name in the comment <!-- file: … --> right above it: the block is the content of that file
    output    the block right below is what this one prints
    """

    language: str
    text: str
    line: int
    not_run: str = ""
    file: str = ""
    output: str | None = None


def blocks(markdown: str) -> list[Block]:
    """The fenced blocks of a page; a ```text block right below a block is its output."""
    found: list[Block] = []
    marks: dict[str, str] = {}
    directly_below = False
    lines = iter(enumerate(markdown.splitlines(), 1))
    for number, line in lines:
        if fence := _FENCE.match(line):
            text = _body(lines, fence[1], number)
            if directly_below and not marks and fence[2] == "text":
                above = found.pop()
                found.append(Block(above.language, above.text, above.line, above.not_run, above.file, text))
            else:
                found.append(Block(fence[2], text, number, marks.get("not run", ""), marks.get("file", "")))
            marks, directly_below = {}, True
        elif line.strip():
            mark = _MARK.fullmatch(line.strip())
            marks = {mark[1]: mark[2]} if mark else {}
            directly_below = False
    return found


def _body(lines: Iterator[tuple[int, str]], closing: str, opened: int) -> str:
    body: list[str] = []
    for _, line in lines:
        if line.strip() == closing:
            return "\n".join([*body, ""])
        body.append(line)
    raise ValueError(f"line {opened}: the block is never closed")


def command_lines(block: Block) -> list[str]:
    """The commands of a shell block, a line each: continued lines joined, comments and empty lines left out.

    In a console block they follow "$ ".
    """
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def all_commands(markdown: str) -> list[str]:
    """The commands of every shell block, in the order of the page."""
    shells = [block for block in blocks(markdown) if block.language in {"bash", "sh", "console"}]
    return [line for block in shells for line in command_lines(block)]


if __name__ == "__main__":
    print(all_commands(README.read_text(encoding="utf-8"))[int(sys.argv[1]) - 1])
