"""Small charts of how the answers of a class fell out: a bar of letters, and a bar chart as SVG or TikZ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from derive.figures.text import xml
from derive.figures.theme import INK, PAPER

PARTS = ("full", "follow", "wrong", "waiting", "blank")
"""The parts of a bar, from the left: full marks, follow-through, wrong, for a person, blank."""

MARKS: Mapping[bool, Mapping[str, str]] = {
    False: {"full": "█", "follow": "▒", "wrong": "×", "waiting": "?", "blank": "·"},
    True: {"full": "#", "follow": "=", "wrong": "x", "waiting": "?", "blank": "."},
}
COLOURS = {"full": "#2f6f4f", "follow": "#a9cbb4", "wrong": "#c4513c", "waiting": "#e8c15a", "blank": "#dddddd"}

_ROW, _BAR, _TOP, _LEGEND = 24, 16, 10, 34
_LETTER, _WIDE, _COUNT = 7.5, 320, 70
_PRINTED_ROW, _PRINTED_BAR, _MOST_ROWS = 16, 240, 35  # points, points, rows


def text_bar(parts: Mapping[str, int], width: int, *, ascii: bool) -> str:
    """A bar of `width` letters; a part that is not empty has at least one of them."""
    total = sum(parts.values())
    if not total:
        return ""
    shares = {part: max(1, round(parts[part] * width / total)) if parts.get(part) else 0 for part in PARTS}
    while sum(shares.values()) > width and max(shares.values()) > 1:
        shares[max(shares, key=lambda part: shares[part])] -= 1
    while sum(shares.values()) < width:
        shares[max(shares, key=lambda part: shares[part])] += 1
    return "".join(MARKS[ascii][part] * shares[part] for part in PARTS)


def svg_bars(rows: Sequence[tuple[str, Mapping[str, int]]], legend: Mapping[str, str], title: str) -> str:
    """A bar for each (label, parts); `legend` has the words for each part."""
    left = max([40.0, *(_LETTER * len(label) + 16 for label, _ in rows)])
    wide = max(round(left + _WIDE + _COUNT), round(sum(_LETTER * len(word) + 34 for word in legend.values()) + 20))
    high = _TOP + _ROW * len(rows) + _LEGEND
    return "\n".join([*_drawn(rows, legend, title, (left, wide, high)), "</svg>", ""])


def _drawn(
    rows: Sequence[tuple[str, Mapping[str, int]]],
    legend: Mapping[str, str],
    title: str,
    size: tuple[float, int, int],
) -> Iterator[str]:
    left, wide, high = size
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
        'role="img" font-family="sans-serif" font-size="13">'
    )
    yield f"<title>{xml(title)}</title>"
    yield f'<rect width="{wide}" height="{high}" fill="{PAPER}"/>'
    for place, (label, parts) in enumerate(rows):
        y = _TOP + place * _ROW
        yield f'<text x="{left - 8:g}" y="{y + 13}" text-anchor="end" fill="{INK}">{xml(label)}</text>'
        yield from _bar(parts, legend, left, y)
        total = sum(parts.values())
        text = f"{parts['full']} / {total}"
        yield f'<text x="{left + _WIDE + 8:g}" y="{y + 13}" fill="{INK}">{text}</text>'
    x = 16.0
    for part in PARTS:
        y = high - 16
        look = f'fill="{COLOURS[part]}" stroke="{INK}" stroke-width="0.5"'
        yield f'<rect x="{x:g}" y="{y - 10}" width="12" height="12" {look}/>'
        yield f'<text x="{x + 18:g}" y="{y + 1}" fill="{INK}">{xml(legend[part])}</text>'
        x += _LETTER * len(legend[part]) + 34


def tikz_bars(rows: Sequence[tuple[str, Mapping[str, int]]], legend: Mapping[str, str]) -> str:
    """The same bars as TikZ, no picture taller than a page; labels and words are TeX."""
    pieces = [rows[start : start + _MOST_ROWS] for start in range(0, len(rows), _MOST_ROWS)]
    keys = "\\quad\n".join(rf"\tikz \{_filled(part)} (0,0) rectangle (6pt,6pt);~{legend[part]}" for part in PARTS)
    return "\n\n".join([*("\n".join(_picture(piece)) for piece in pieces), rf"{{\small {keys}}}"])


def _picture(rows: Sequence[tuple[str, Mapping[str, int]]]) -> Iterator[str]:
    yield r"\begin{tikzpicture}[x=1pt, y=-1pt]"
    for place, (label, parts) in enumerate(rows):
        y = place * _PRINTED_ROW
        yield rf"\node[anchor=east] at (0,{y}) {{{label}}};"
        x, total = 0.0, sum(parts.values())
        for part in PARTS:
            width = parts[part] * _PRINTED_BAR / (total or 1)
            if width:
                yield rf"\{_filled(part)} ({x:.2f},{y - 5}) rectangle ({x + width:.2f},{y + 5});"
            x += width
        yield rf"\node[anchor=west] at ({_PRINTED_BAR},{y}) {{{parts['full']} / {total}}};"
    yield r"\end{tikzpicture}"


def _filled(part: str) -> str:
    red, green, blue = (int(COLOURS[part][start : start + 2], 16) for start in (1, 3, 5))
    return f"filldraw[line width=0.2pt, fill={{rgb,255:red,{red};green,{green};blue,{blue}}}]"


def _bar(parts: Mapping[str, int], legend: Mapping[str, str], left: float, y: int) -> Iterator[str]:
    total = sum(parts.values()) or 1
    x = left
    for part in PARTS:
        width = parts[part] * _WIDE / total
        if width:
            yield (
                f'<rect x="{x:.2f}" y="{y}" width="{width:.2f}" height="{_BAR}" fill="{COLOURS[part]}">'
                f"<title>{xml(legend[part])}: {parts[part]}</title></rect>"
            )
        x += width
