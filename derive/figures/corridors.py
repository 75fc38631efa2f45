"""How far apart two neighbouring columns stand, so that the labels of the wires between them have room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from derive.figures.diagram import Diagram
from derive.figures.geometry import Box, Segment
from derive.figures.labels import Options, free_places, lined_up, one_by_one
from derive.figures.placed import CAPTION_FONT, WIRE_FONT, PlacedSpot, moved, segment_between
from derive.figures.routes import Hop
from derive.figures.text import width

FULL, NAMES, NONE = range(3)  # how much of the labels is shown

_MOST_LABELS = 48  # between two columns
_GAPS = (128.0, 160.0, 192.0, 224.0, 256.0, 288.0)
_UNLABELLED_GAP = 72.0
_WIDEST = 800.0


@dataclass(frozen=True, slots=True)
class Corridor:
    """The space between two columns: how far apart their axes are, how much of the labels is shown and where.

    The boxes are by number of wire, with the axis of the left column at x = 0.
    """

    distance: float
    level: int
    boxes: Mapping[int, Box]


def corridors_between(
    diagram: Diagram, rows: list[list[PlacedSpot]], hops: list[list[Hop]], captions: list[list[str]], level: int
) -> list[Corridor] | None:
    """The corridors of a diagram that shows so much of its labels everywhere, or None where they do not fit."""
    labelled = sum(any(_carries_label(diagram, hop) for hop in group) for group in hops)
    widest = max(_WIDEST / max(labelled, 1), _GAPS[0])
    corridors: list[Corridor] = []
    for index, group in enumerate(hops):
        corridor = _corridor(diagram, rows[index : index + 2], group, captions[index : index + 2], level, widest)
        if corridor is None:
            return None
        corridors.append(corridor)
    return corridors


def _corridor(
    diagram: Diagram,
    columns: Sequence[Sequence[PlacedSpot]],
    hops: Sequence[Hop],
    captions: Sequence[Sequence[str]],
    level: int,
    widest: float,
) -> Corridor | None:
    """The narrowest corridor in which all labels fit, if possible lined up; None when there is none."""
    sides = sum(
        max((_extent(spot, side) for spot in column), default=0.0)
        for column, side in zip(columns, (1, -1), strict=True)
    )
    least = sum(max((width(line, CAPTION_FONT) for line in caption), default=0.0) for caption in captions) / 2 + 12
    texts = [part(diagram.wires[hop.wire].label, level) if _carries_label(diagram, hop) else "" for hop in hops]
    if not any(texts):
        rows = [spot.box.y for column in columns for spot in column]
        gap = min(max(_UNLABELLED_GAP, 0.5 * (max(rows, default=0.0) - min(rows, default=0.0))), 224.0)
        return Corridor(max(sides + gap, least), level, {})
    if sum(map(bool, texts)) > _MOST_LABELS:
        return None
    sizes = [(width(text, WIRE_FONT), WIRE_FONT) if text else None for text in texts]
    searched: list[tuple[float, Options]] = []
    for gap in (gap for gap in _GAPS if gap <= widest):
        distance = max(sides + gap, least)
        places = free_places(*_between(columns, hops, distance), sizes)
        if places and (chosen := lined_up(places)):
            return Corridor(distance, level, {hops[index].wire: box for index, box in chosen.items()})
        searched += [(distance, places)] if places else []
    for distance, places in searched:
        if chosen := one_by_one(places):
            return Corridor(distance, level, {hops[index].wire: box for index, box in chosen.items()})
    return None


def _extent(spot: PlacedSpot, side: int) -> float:
    """How far a spot and its value reach to the right (side = 1) or left (side = -1) of the column's axis."""
    value = side * spot.value.x + spot.value.half_width if spot.value else 0.0
    return max(spot.box.half_width, value)


def _carries_label(diagram: Diagram, hop: Hop) -> bool:
    """A wire over several columns has its label in the first corridor."""
    wire = diagram.wires[hop.wire]
    return bool(wire.label) and hop.start == wire.source


def part(label: str, level: int) -> str:
    """A label in full, or what stands before its equals sign ("w1 = 0.15", "w1"), or nothing."""
    return (label, label.partition("=")[0].strip(), "")[level]


def _between(
    columns: Sequence[Sequence[PlacedSpot]], hops: Sequence[Hop], distance: float
) -> tuple[list[Segment], list[Box]]:
    """The wires between two columns that far apart, and the spots and values that stand there."""
    starts = {spot.spot.name: spot for spot in columns[0]}
    ends = {spot.spot.name: moved(spot, distance, 0.0) for spot in columns[1]}
    segments = [segment_between(starts[hop.start], ends[hop.end], hop.shift) for hop in hops]
    things = [*starts.values(), *ends.values()]
    return segments, [thing.box for thing in things] + [thing.value for thing in things if thing.value]
