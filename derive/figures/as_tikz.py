r"""A diagram as a tikzpicture; it needs \usetikzlibrary{arrows.meta} and fits the text block of an A4 page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from derive.figures.diagram import Diagram
from derive.figures.geometry import Box
from derive.figures.layout import lay_out
from derive.figures.placed import RADIUS, Layout, PlacedSpot, PlacedWire
from derive.figures.text import shorten, tex
from derive.figures.theme import INK, PAINTS, THIN_WIRE, VALUE_INK, WIRE

_POINTS = 0.75  # of a pixel
_SHRUNK = 0.9  # a smaller scale starts from larger letters
_WIDEST, _TALLEST = 430.0, 600.0  # points: a text block of 16 cm less an indent, and most of its height
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def tikz(diagram: Diagram) -> str:
    """The diagram as a tikzpicture environment, no wider than 430 pt; text shrinks with the picture.

    `latex` fields are printed as they stand, in math mode; all other text is escaped.  Raises DeriveError for a
    diagram whose wires or names do not fit together.
    """
    layout = lay_out(diagram)
    return "\n".join([*_lines(layout), r"\end{tikzpicture}", ""])


def _lines(layout: Layout) -> Iterator[str]:
    scale = min(1.0, _WIDEST / (_POINTS * layout.width), _TALLEST / (_POINTS * layout.height))
    head = "" if layout.dense else ", -{Stealth[length=6pt]}"
    ink, thick = (_colour(THIN_WIRE), "0.4pt") if layout.dense else (_colour(WIRE), "0.7pt")
    large, small = (r"\large", r"\normalsize") if scale < _SHRUNK else (r"\normalsize", r"\small")
    yield r"\begin{tikzpicture}["
    yield f"  x={_POINTS}pt, y=-{_POINTS}pt, scale={scale:.3f}, transform shape,"
    yield f"  spot/.style={{draw, line width=0.8pt, inner sep=0pt, font={large}}},"
    for kind, paint in PAINTS.items():
        if any(spot.spot.kind == kind != "gap" for spot in layout.spots):
            dashed = ", dashed" if paint.dashed else ""
            yield f"  {kind} spot/.style={{spot, draw={_colour(paint.stroke)}, fill={_colour(paint.fill)}{dashed}}},"
    yield f"  wire/.style={{draw={ink}, line width={thick}{head}, rounded corners=15pt}},"
    yield f"  compared/.style={{draw={ink}, line width={thick}, dashed}},"
    yield f"  wire label/.style={{fill=white, inner sep=1pt, font={small}}},"
    yield f"  spot value/.style={{wire label, text={_colour(VALUE_INK)}}},"
    yield f"  column caption/.style={{anchor=base, inner sep=0pt, font={small}}}]"
    yield rf"\path[use as bounding box] (0,0) rectangle ({layout.width:.1f},{layout.height:.1f});"
    yield from map(_wire, layout.wires)
    yield from (_wire_label(wire, wire.box) for wire in layout.wires if wire.box)
    for spot in layout.spots:
        yield from _spot(spot)
    yield from (rf"\node[column caption] at {_at(line.x, line.y)} {{{tex(line.text)}}};" for line in layout.captions)


def _wire(placed: PlacedWire) -> str:
    way = " -- ".join(_at(x, y) for x, y in placed.points)
    return rf"\draw[{'compared' if placed.dashed else 'wire'}] {way};"


def _wire_label(placed: PlacedWire, box: Box) -> str:
    text = _math(placed.latex, placed.text)
    return rf"\node[wire label, rotate={-box.angle + 0.0:.1f}] at {_at(box.x, box.y)} {{{text}}};"


def _spot(placed: PlacedSpot) -> Iterator[str]:
    spot, box = placed.spot, placed.box
    if spot.kind == "gap":
        for dy in (-9, 0, 9):
            yield rf"\fill[fill={_colour(INK)}] {_at(box.x, box.y + dy)} circle[radius=1.5pt];"
    else:
        text = _math(spot.latex if placed.label == spot.label else "", placed.label)
        yield rf"\node[{spot.kind} spot, {_shape(placed)}] ({placed.key}) at {_at(box.x, box.y)} {{{text}}};"
    if placed.value:
        yield rf"\node[spot value] at {_at(placed.value.x, placed.value.y)} {{{_number(spot.value)}}};"


def _shape(placed: PlacedSpot) -> str:
    if placed.round:
        return f"circle, minimum size={2 * RADIUS * _POINTS:.1f}pt"
    wide, high = (2 * half * _POINTS for half in (placed.box.half_width, placed.box.half_height))
    corners = "" if placed.spot.kind == "bias" else ", rounded corners=4pt"
    return f"minimum width={wide:.1f}pt, minimum height={high:.1f}pt{corners}"


def _math(latex: str, plain: str) -> str:
    return f"${latex}$" if latex else tex(plain)


def _number(value: str) -> str:
    return f"${value}$" if _NUMBER.fullmatch(value) else tex(shorten(value))


def _at(x: float, y: float) -> str:
    return f"({x:.1f},{y:.1f})"


def _colour(code: str) -> str:
    red, green, blue = (int(code[start : start + 2], 16) for start in (1, 3, 5))
    return f"{{rgb,255:red,{red};green,{green};blue,{blue}}}"
