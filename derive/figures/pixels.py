"""Grey and coloured pictures made of pixels: as PNG, inside an SVG, as TikZ, in letters for a terminal."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

from derive.figures.text import xml

Grid = Sequence[Sequence[int]]
"""Rows of grey values, 0 (dark) to 255 (lit)."""

SHADES = {False: " ·░▒▓█", True: " .:+#@"}
MARK = "#c0392b"
SIZE = 8


def png(rows: Sequence[bytes], *, colour: bool = False) -> bytes:
    """A PNG of rows of bytes: one for each pixel, or three (red, green, blue) with `colour`."""
    width = len(rows[0]) // (3 if colour else 1)
    header = struct.pack(">IIBBBBB", width, len(rows), 8, 2 if colour else 0, 0, 0, 0)
    lines = b"".join(b"\0" + row for row in rows)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def data_uri(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def svg(grid: Grid, title: str, mark: tuple[int, int] | None = None) -> str:
    """Ink on paper, one square a pixel; `mark` (row, column, counted from 1) is framed."""
    wide, high = len(grid[0]) * SIZE, len(grid) * SIZE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
        'role="img">',
        f"<title>{xml(title)}</title>",
        f'<rect width="{wide}" height="{high}" fill="#ffffff" stroke="#b0b0b0"/>',
        '<g shape-rendering="crispEdges">',
    ]
    size = f'width="{SIZE}" height="{SIZE}"'
    lines += [
        f'<rect x="{column * SIZE}" y="{row * SIZE}" {size} fill="#{3 * f"{255 - grey:02x}"}"/>'
        for row, column, grey in _lit(grid)
    ]
    lines.append("</g>")
    if mark:
        x, y = (mark[1] - 1) * SIZE, (mark[0] - 1) * SIZE
        frame = f'x="{x - 1}" y="{y - 1}" width="{SIZE + 2}" height="{SIZE + 2}"'
        lines.append(f'<rect {frame} fill="none" stroke="{MARK}" stroke-width="2"/>')
    return "\n".join([*lines, "</svg>", ""])


def _lit(grid: Grid) -> list[tuple[int, int, int]]:
    return [(row, column, grey) for row, line in enumerate(grid) for column, grey in enumerate(line) if grey]


def tikz(grid: Grid, mark: tuple[int, int] | None = None) -> str:
    """The same as a tikzpicture."""
    lines = [r"\begin{tikzpicture}[x=1.6mm, y=-1.6mm]"]
    lines += [
        rf"\fill[black!{round(grey / 2.55)}] ({column},{row}) rectangle ++(1,1);"
        for row, column, grey in _lit(grid)
        if round(grey / 2.55)
    ]
    lines.append(rf"\draw[black!30] (0,0) rectangle ({len(grid[0])},{len(grid)});")
    if mark:
        lines.append(rf"\draw[red!70!black, thick] ({mark[1] - 1},{mark[0] - 1}) rectangle ++(1,1);")
    return "\n".join([*lines, r"\end{tikzpicture}", ""])


def letters(grid: Grid, mark: tuple[int, int] | None = None, *, ascii: bool = False) -> str:
    """Two letters a pixel, without the empty margin; the marked pixel stands in brackets."""
    shades = SHADES[ascii]
    cells = [[shades[-(-grey * (len(shades) - 1) // 255)] * 2 for grey in line] for line in grid]
    if mark:
        cells[mark[0] - 1][mark[1] - 1] = "[]"
    used = [(row, column) for row, line in enumerate(cells) for column, cell in enumerate(line) if cell.strip()]
    if not used:
        return ""
    left, right = min(column for _, column in used), max(column for _, column in used)
    top, bottom = min(row for row, _ in used), max(row for row, _ in used)
    return "\n".join("".join(line[left : right + 1]).rstrip() for line in cells[top : bottom + 1])
