"""Where everything stands: sizes of spots, distances of rows and columns, ways of wires, places of labels.

Both printers draw the same layout.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace

from derive.figures.corridors import FULL, NAMES, NONE, Corridor, corridors_between, part
from derive.figures.diagram import Diagram, Spot, check
from derive.figures.geometry import Box, Point
from derive.figures.placed import (
    CAPTION_FONT,
    RADIUS,
    SPOT_FONT,
    VALUE_FONT,
    Layout,
    Line,
    PlacedSpot,
    PlacedWire,
    moved,
    segment_between,
)
from derive.figures.routes import Hop, routes
from derive.figures.text import shorten, width

_BIAS_HALF = 12.0
_BIAS_PITCH = 40.0
_MARGIN = 14.0
_CAPTION_LETTERS = 16
_CAPTION_LINE = 17.0
_MANY = 24  # more wires than these are drawn thin and without arrowheads
_PITCHES = (64.0, 80.0, 104.0, 128.0, 152.0)
_TALLEST = 640.0


def lay_out(diagram: Diagram) -> Layout:
    """The layout of a diagram; the same diagram gives the same layout.  Raises DeriveError as `check` does."""
    check(diagram)
    columns, hops = routes(diagram)
    captions = [textwrap.wrap(caption, _CAPTION_LETTERS) for caption in diagram.captions or [""] * len(columns)]
    for level, pitch in itertools.product((FULL, NAMES, NONE), _pitches(columns)):
        rows = _rows(diagram, columns, pitch)
        corridors = corridors_between(diagram, rows, hops, captions, level)
        if corridors is not None:
            return _assembled(diagram, hops, captions, rows, corridors)
    raise AssertionError("a layout without labels is always found")


def _pitches(columns: list[list[str]]) -> list[float]:
    """Distances of rows to try, roomier for small diagrams."""
    rows = max([1, *map(len, columns)])
    least = min(104.0, 400.0 / rows)
    return [pitch for pitch in _PITCHES if least <= pitch <= _TALLEST / rows] or [_PITCHES[0]]


def _rows(diagram: Diagram, columns: list[list[str]], pitch: float) -> list[list[PlacedSpot]]:
    """Every spot and waypoint at its height, all at x = 0; rows are centred, biases stand above them."""
    spots = {spot.name: spot for column in diagram.columns for spot in column}
    incoming = {wire.target for wire in diagram.wires}
    outgoing = {wire.source for wire in diagram.wires}
    placed: list[list[PlacedSpot]] = []
    for number, names in enumerate(columns, 1):
        biases = [name for name in names if name in spots and spots[name].kind == "bias"]
        others = [name for name in names if name not in biases]
        heights = {name: (row - (len(others) - 1) / 2) * pitch for row, name in enumerate(others)}
        top = min(heights.values(), default=pitch / 2)
        heights |= {name: top - 0.9 * pitch - _BIAS_PITCH * row for row, name in enumerate(reversed(biases))}
        placed.append([])
        for row, name in enumerate(names, 1):
            spot = spots.get(name, Spot(name, "", "", kind="gap"))
            box = Box(0.0, heights[name], *(_half_sides(spot) if name in spots else (0.0, 0.0)))
            value = _value_box(spot, box, name in incoming, name in outgoing) if spot.value else None
            placed[-1].append(PlacedSpot(spot, f"c{number}r{row}", shorten(spot.label), box, value))
    return placed


def _half_sides(spot: Spot) -> tuple[float, float]:
    half = width(shorten(spot.label), SPOT_FONT) / 2
    if spot.kind == "bias":
        return max(_BIAS_HALF, half + 4), _BIAS_HALF
    if spot.kind == "gap" or half <= RADIUS - 3:
        return RADIUS, RADIUS
    return half + 9, RADIUS


def _value_box(spot: Spot, box: Box, incoming: bool, outgoing: bool) -> Box:
    """Left of a spot that nothing feeds, right of one that feeds nothing, below all others."""
    half = width(shorten(spot.value), VALUE_FONT) / 2
    if spot.kind == "gap":
        return Box(0.0, box.y + VALUE_FONT / 2 + 16, half, VALUE_FONT / 2)
    aside = box.half_width + half + 6
    if not incoming:
        return Box(-aside, box.y, half, VALUE_FONT / 2)
    if not outgoing:
        return Box(aside, box.y, half, VALUE_FONT / 2)
    return Box(0.0, box.y + box.half_height + VALUE_FONT / 2 + 4, half, VALUE_FONT / 2)


def _assembled(
    diagram: Diagram,
    hops: list[list[Hop]],
    captions: list[list[str]],
    rows: list[list[PlacedSpot]],
    corridors: list[Corridor],
) -> Layout:
    """Columns and labels moved to their distances, captions below, everything inside a margin from (0, 0)."""
    axes = [sum(corridor.distance for corridor in corridors[:index]) for index in range(len(rows))]
    spots = {spot.spot.name: moved(spot, axis, 0.0) for axis, row in zip(axes, rows, strict=True) for spot in row}
    wires = _placed_wires(diagram, hops, spots, axes, corridors)
    visible = [spots[spot.name] for column in diagram.columns for spot in column]
    boxes = [box for spot in visible for box in (spot.box, spot.value) if box] + [w.box for w in wires if w.box]
    bends = [point for wire in wires for point in wire.points]
    bottom = max([y for box in boxes for _, y in box.corners()] + [y for _, y in bends], default=0.0)
    lines = [
        Line(axis, bottom + 8 + _CAPTION_LINE * (row + 1), text)
        for axis, caption in zip(axes, captions, strict=True)
        for row, text in enumerate(caption)
    ]
    boxes += [Box(line.x, line.y, width(line.text, CAPTION_FONT) / 2, 4.0) for line in lines]
    corners = [*bends, *(corner for box in boxes for corner in box.corners())] or [(0.0, 0.0)]
    left, top = min(x for x, _ in corners) - _MARGIN, min(y for _, y in corners) - _MARGIN
    return Layout(
        max(x for x, _ in corners) + _MARGIN - left,
        max(y for _, y in corners) + _MARGIN - top,
        tuple(moved(spot, -left, -top) for spot in visible),
        tuple(_shifted(wire, -left, -top) for wire in wires),
        tuple(Line(line.x - left, line.y - top, line.text) for line in lines),
        len(wires) > _MANY,
    )


def _placed_wires(
    diagram: Diagram,
    hops: list[list[Hop]],
    spots: Mapping[str, PlacedSpot],
    axes: Sequence[float],
    corridors: Sequence[Corridor],
) -> list[PlacedWire]:
    ways: list[list[Point]] = [[] for _ in diagram.wires]
    for hop in (hop for group in hops for hop in group):
        start, end = segment_between(spots[hop.start], spots[hop.end], hop.shift)
        ways[hop.wire] += [end] if ways[hop.wire] else [start, end]
    labels = {
        wire: (box.moved(axis, 0.0), corridor.level)
        for axis, corridor in zip(axes, corridors, strict=False)
        for wire, box in corridor.boxes.items()
    }
    placed: list[PlacedWire] = []
    for index, wire in enumerate(diagram.wires):
        box, level = labels.get(index, (None, NONE))
        dashed = spots[wire.target].spot.kind == "target"
        placed.append(
            PlacedWire(wire, tuple(ways[index]), dashed, box, part(wire.label, level), part(wire.latex, level))
        )
    return placed


def _shifted(wire: PlacedWire, dx: float, dy: float) -> PlacedWire:
    points = tuple((x + dx, y + dy) for x, y in wire.points)
    return replace(wire, points=points, box=wire.box.moved(dx, dy) if wire.box else None)
