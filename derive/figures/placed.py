"""Parts of a diagram in their places.  Lengths are pixels at 96 to the inch, y points downwards."""

from __future__ import annotations

from dataclasses import dataclass, replace

from derive.figures.diagram import Spot, Wire
from derive.figures.geometry import Box, Point, Segment, leaves_box, leaves_circle

SPOT_FONT = 16.0
WIRE_FONT = 13.0
VALUE_FONT = 13.0
CAPTION_FONT = 13.0
RADIUS = 20.0


@dataclass(frozen=True, slots=True)
class PlacedSpot:
    spot: Spot
    key: str  # "c2r1": column and row, counted from 1
    label: str
    box: Box
    value: Box | None = None

    @property
    def round(self) -> bool:
        return self.spot.kind != "bias" and self.box.half_width == RADIUS


@dataclass(frozen=True, slots=True)
class PlacedWire:
    """`points` run from border to border; `box` is where the label `text` is printed, None when it is left out."""

    wire: Wire
    points: tuple[Point, ...]
    dashed: bool
    box: Box | None
    text: str
    latex: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a caption, centred at x, with its baseline at y."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Layout:
    width: float
    height: float
    spots: tuple[PlacedSpot, ...]
    wires: tuple[PlacedWire, ...]
    captions: tuple[Line, ...]
    dense: bool


def segment_between(start: PlacedSpot, end: PlacedSpot, shift: float) -> Segment:
    a, b = (start.box.x, start.box.y + shift), (end.box.x, end.box.y + shift)
    return _border(start, a, b), _border(end, b, a)


def _border(spot: PlacedSpot, inside: Point, outside: Point) -> Point:
    if not spot.box.half_width:
        return inside
    if spot.round:
        return leaves_circle((spot.box.x, spot.box.y), RADIUS, inside, outside)
    return leaves_box(spot.box, inside, outside)


def moved(spot: PlacedSpot, dx: float, dy: float) -> PlacedSpot:
    return replace(spot, box=spot.box.moved(dx, dy), value=spot.value.moved(dx, dy) if spot.value else None)
