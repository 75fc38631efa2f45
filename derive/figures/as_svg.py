"""A diagram as one SVG document: no styles, identifiers, scripts or fonts of its own, so it can stand inside a page."""

from __future__ import annotations

import math
from collections.abc import Iterator

from derive.figures.diagram import Diagram
from derive.figures.geometry import Box, Point, between, length
from derive.figures.layout import lay_out
from derive.figures.placed import CAPTION_FONT, RADIUS, SPOT_FONT, VALUE_FONT, WIRE_FONT, Layout, PlacedSpot, PlacedWire
from derive.figures.text import INDEX_SIZE, runs, shorten, xml
from derive.figures.theme import INK, PAINTS, PAPER, THIN_WIRE, VALUE_INK, WIRE

_HEAD = 8.0
_BEND = 30.0


def svg(diagram: Diagram) -> str:
    """The diagram as SVG text.  Every spot and wire has its full label as its own title, shown when pointed at.

    Labels that have no free place along their wire are left out of the picture.  Raises DeriveError for a diagram
    whose wires or names do not fit together.
    """
    layout = lay_out(diagram)
    return "\n".join([*_lines(diagram, layout), "</svg>", ""])


def _lines(diagram: Diagram, layout: Layout) -> Iterator[str]:
    wide, high = math.ceil(layout.width), math.ceil(layout.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
        'role="img" font-family="serif">'
    )
    yield f"<title>{xml(diagram.title or 'Diagram')}</title>"
    yield f'<rect width="{wide}" height="{high}" fill="{PAPER}"/>'
    colour, stroke = (THIN_WIRE, "0.7") if layout.dense else (WIRE, "1.2")
    yield f'<g stroke="{colour}" stroke-width="{stroke}" fill="none" stroke-linejoin="round">'
    yield from (_wire(wire, colour, not layout.dense) for wire in layout.wires)
    yield "</g>"
    yield f'<g font-size="{WIRE_FONT:g}" fill="{INK}" text-anchor="middle">'
    yield from (_wire_label(wire.text, wire.box) for wire in layout.wires if wire.box)
    yield "</g>"
    yield f'<g font-size="{SPOT_FONT:g}" fill="{INK}" text-anchor="middle">'
    yield from (_spot(spot) for spot in layout.spots)
    yield "</g>"
    yield f'<g font-size="{VALUE_FONT:g}" fill="{VALUE_INK}" text-anchor="middle">'
    yield from (_value(spot.spot.value, spot.value) for spot in layout.spots if spot.value)
    yield "</g>"
    yield f'<g font-size="{CAPTION_FONT:g}" fill="{INK}" text-anchor="middle">'
    yield from (f'<text x="{_n(line.x)}" y="{_n(line.y)}">{xml(line.text)}</text>' for line in layout.captions)
    yield "</g>"


def _wire(placed: PlacedWire, colour: str, head: bool) -> str:
    wire = placed.wire
    name = f"{wire.source} → {wire.target}" + (f": {wire.label}" if wire.label else "")
    dashes = ' stroke-dasharray="4 3"' if placed.dashed else ""
    arrow = _arrowhead(placed.points[-2], placed.points[-1], colour) if head and not placed.dashed else ""
    return f'<g><title>{xml(name)}</title><path d="{_way(placed.points)}"{dashes}/>{arrow}</g>'


def _way(points: tuple[Point, ...]) -> str:
    """Straight lines with rounded bends."""
    parts = [f"M{_pair(points[0])}"]
    for before, bend, after in zip(points, points[1:], points[2:], strict=False):
        start, end = (between((bend, other), min(_BEND / length((bend, other)), 0.4)) for other in (before, after))
        parts.append(f"L{_pair(start)}Q{_pair(bend)} {_pair(end)}")
    return "".join([*parts, f"L{_pair(points[-1])}"])


def _arrowhead(before: Point, tip: Point, colour: str) -> str:
    angle = math.atan2(tip[1] - before[1], tip[0] - before[0])
    wings = [(tip[0] - _HEAD * math.cos(angle + turn), tip[1] - _HEAD * math.sin(angle + turn)) for turn in (-0.4, 0.4)]
    points = " ".join(map(_pair, (tip, *wings)))
    return f'<polygon points="{points}" fill="{colour}" stroke="none"/>'


def _wire_label(text: str, box: Box) -> str:
    turn = f' transform="rotate({_n(box.angle)} {_n(box.x)} {_n(box.y)})"' if abs(box.angle) > 0.05 else ""
    return f"<g{turn}>{_background(box)}{_text(text, box.x, box.y, WIRE_FONT)}</g>"


def _value(text: str, box: Box) -> str:
    return _background(box) + _text(shorten(text), box.x, box.y, VALUE_FONT)


def _background(box: Box) -> str:
    corner = f'x="{_n(box.x - box.half_width)}" y="{_n(box.y - box.half_height)}"'
    return f'<rect {corner} width="{_n(2 * box.half_width)}" height="{_n(2 * box.half_height)}" fill="{PAPER}"/>'


def _spot(placed: PlacedSpot) -> str:
    spot, box = placed.spot, placed.box
    if spot.kind == "gap":
        dots = "".join(f'<circle cx="{_n(box.x)}" cy="{_n(box.y + dy)}" r="2"/>' for dy in (-9, 0, 9))
        return f"<g><title>{xml(spot.label or '…')}</title>{dots}</g>"
    paint = PAINTS[spot.kind]
    ink = f'fill="{paint.fill}" stroke="{paint.stroke}" stroke-width="1.4"'
    ink += ' stroke-dasharray="4 3"' if paint.dashed else ""
    if placed.round:
        shape = f'<circle cx="{_n(box.x)}" cy="{_n(box.y)}" r="{_n(RADIUS)}" {ink}/>'
    else:
        corner = f'x="{_n(box.x - box.half_width)}" y="{_n(box.y - box.half_height)}"'
        rounding = "" if spot.kind == "bias" else ' rx="6"'
        shape = f'<rect {corner} width="{_n(2 * box.half_width)}" height="{_n(2 * box.half_height)}"{rounding} {ink}/>'
    name = spot.label + (f" = {spot.value}" if spot.value else "")
    return f"<g><title>{xml(name)}</title>{shape}{_text(placed.label, box.x, box.y, SPOT_FONT)}</g>"


def _text(label: str, x: float, y: float, size: float) -> str:
    """A label centred on a point; indices are small and lowered."""
    parts: list[str] = []
    lowered = False
    for run in runs(label):
        shift = (0.25 if run.index else -0.25) * size if run.index != lowered else 0.0
        style = f' font-size="{_n(INDEX_SIZE * size)}"' if run.index else ' font-style="italic"' if run.italic else ""
        style += f' dy="{_n(shift)}"' if shift else ""
        parts.append(f"<tspan{style}>{xml(run.text)}</tspan>" if style else xml(run.text))
        lowered = run.index
    return f'<text x="{_n(x)}" y="{_n(y + 0.33 * size)}">{"".join(parts)}</text>'


def _pair(point: Point) -> str:
    return f"{_n(point[0])},{_n(point[1])}"


def _n(number: float) -> str:
    """At most one decimal, and no negative zero."""
    return f"{round(number, 1) + 0.0:.1f}".removesuffix(".0")
