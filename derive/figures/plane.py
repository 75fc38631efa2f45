"""Points of two classes in a plane (or on an axis) and the line between them, as a standalone SVG and as TikZ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from derive.figures.geometry import Point
from derive.figures.text import INDEX_SIZE, runs, tex, xml
from derive.figures.theme import INK, PAINTS, PAPER, THIN_WIRE, VALUE_INK
from derive.formula.languages import decimals

StrokeKind = Literal["frame", "grid", "line", "hull"]

WIDE, HIGH, FLAT_HIGH = 380.0, 300.0, 90.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 18.0, 34.0, 46.0
FONT, SMALL = 14.0, 12.0
RADIUS = 6.0
NUMBERED = 30
"""So many points are numbered in the picture."""
ALIKE = 4.0
"""Axes whose ranges differ by less than this factor have the same unit."""

_POINTS = 0.75  # of a pixel


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of the upper class (filled) or the lower one (hollow)."""

    x: float
    y: float
    upper: bool


@dataclass(frozen=True, slots=True)
class Plane:
    """`flat`: one axis only, every y is 0.

    line      (a, b, c) for a·x + b·y + c = 0; the side where the sum is above 0 is shaded
    hulls     points that are joined by a dashed outline
    common    a point marked with a cross
    language  has the decimal mark of the axes
    axes      (label, LaTeX) of either axis
    legend    (label, LaTeX) of the upper class and of the lower
    """

    dots: tuple[Dot, ...]
    axes: tuple[tuple[str, str], tuple[str, str]]
    legend: tuple[tuple[str, str], tuple[str, str]]
    title: str = ""
    flat: bool = False
    line: tuple[float, float, float] | None = None
    hulls: tuple[tuple[Point, ...], ...] = ()
    common: Point | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class _Stroke:
    points: tuple[Point, ...]
    kind: StrokeKind


@dataclass(frozen=True, slots=True)
class _Mark:
    at: Point
    filled: bool


@dataclass(frozen=True, slots=True)
class _Label:
    at: Point
    text: str
    latex: str = ""
    anchor: Literal["start", "middle", "end"] = "middle"
    size: float = SMALL


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Everything in its place, in pixels, y downwards."""

    high: float
    area: tuple[Point, ...]
    strokes: tuple[_Stroke, ...]
    marks: tuple[_Mark, ...]
    cross: Point | None
    labels: tuple[_Label, ...]


# --- places --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Frame:
    """The visible part of the plane and the pixels that it fills."""

    x: tuple[float, float]
    y: tuple[float, float]
    high: float

    def pixel(self, point: Point) -> Point:
        (x0, x1), (y0, y1) = self.x, self.y
        return LEFT + WIDE * (point[0] - x0) / (x1 - x0), TOP + self.high * (y1 - point[1]) / (y1 - y0)

    @property
    def corners(self) -> tuple[Point, ...]:
        (x0, x1), (y0, y1) = self.x, self.y
        return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def _frame(plane: Plane) -> _Frame:
    extra = (plane.common,) if plane.common else ()
    spots = (*((dot.x, dot.y) for dot in plane.dots), *extra)
    x = _range([spot[0] for spot in spots])
    if plane.flat:
        return _Frame(_with_threshold(x, plane.line), (-1.0, 1.0), FLAT_HIGH)
    y = _range([spot[1] for spot in spots])
    units = (x[1] - x[0]) / WIDE, (y[1] - y[0]) / HIGH
    if max(units) < ALIKE * min(units):
        unit = max(units)
        x, y = _widened(x, unit * WIDE), _widened(y, unit * HIGH)
    return _Frame(x, y, HIGH)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.25 * (high - low) or 0.5 * max(abs(low), 1.0)
    return low - margin, high + margin


def _with_threshold(x: tuple[float, float], line: tuple[float, float, float] | None) -> tuple[float, float]:
    """The range with the threshold in it, where it is not too far away."""
    if line is None or not line[0]:
        return x
    at, size = -line[2] / line[0], x[1] - x[0]
    return min(x[0], max(at, x[0] - size) - 0.1 * size), max(x[1], min(at, x[1] + size) + 0.1 * size)


def _widened(span: tuple[float, float], size: float) -> tuple[float, float]:
    middle = (span[0] + span[1]) / 2
    return middle - size / 2, middle + size / 2


def _drawing(plane: Plane) -> _Drawing:
    frame = _frame(plane)
    area, edge = _half(frame.corners, plane.line)
    strokes = [*_grid(frame, plane.flat), _Stroke(tuple(map(frame.pixel, (*frame.corners, frame.corners[0]))), "frame")]
    strokes += [_Stroke(tuple(map(frame.pixel, (*hull, hull[0]))), "hull") for hull in plane.hulls if len(hull) > 1]
    if len(edge) == 2:
        strokes.append(_Stroke(tuple(map(frame.pixel, edge)), "line"))
    marks = tuple(_Mark(frame.pixel((dot.x, dot.y)), dot.upper) for dot in plane.dots)
    ticks = _tick_labels(frame, plane.flat, plane.language)
    labels = (*ticks, *_names(frame, plane), *_numbers(plane, marks), *_legend(plane))
    legend = (_Mark((LEFT + 8, 16), True), _Mark((LEFT + 8 + WIDE / 3, 16), False))
    cross = frame.pixel(plane.common) if plane.common else None
    return _Drawing(frame.high, tuple(map(frame.pixel, area)), tuple(strokes), (*marks, *legend), cross, labels)


def _half(
    corners: tuple[Point, ...], line: tuple[float, float, float] | None
) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """The part of the frame where the sum is at least 0, and the two places where the line meets the frame."""
    if line is None:
        return (), ()
    a, b, c = line
    sums = [a * x + b * y + c for x, y in corners]
    area: list[Point] = []
    edge: list[Point] = []
    for i, here in enumerate(corners):
        after = corners[(i + 1) % len(corners)]
        s, t = sums[i], sums[(i + 1) % len(corners)]
        if s >= 0:
            area.append(here)
        if s == 0 or s * t < 0:
            cut = s / (s - t) if s else 0.0
            spot = (here[0] + cut * (after[0] - here[0]), here[1] + cut * (after[1] - here[1]))
            edge.append(spot)
            if s:
                area.append(spot)
    return tuple(area), tuple(edge)


def _ticks(span: tuple[float, float]) -> list[float]:
    rough = (span[1] - span[0]) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(unit * power for unit in (1, 2, 5, 10) if unit * power >= rough)
    first = math.ceil(span[0] / step)
    return [step * i for i in range(first, math.floor(span[1] / step) + 1)]


def _grid(frame: _Frame, flat: bool) -> Iterator[_Stroke]:
    for x in _ticks(frame.x):
        yield _Stroke((frame.pixel((x, frame.y[0])), frame.pixel((x, frame.y[1]))), "grid")
    for y in [0.0] if flat else _ticks(frame.y):
        yield _Stroke((frame.pixel((frame.x[0], y)), frame.pixel((frame.x[1], y))), "grid")


def _tick_labels(frame: _Frame, flat: bool, language: str) -> Iterator[_Label]:
    for x in _ticks(frame.x):
        yield _Label((frame.pixel((x, 0))[0], TOP + frame.high + 16), _short(x, language))
    for y in [] if flat else _ticks(frame.y):
        yield _Label((LEFT - 7, frame.pixel((0, y))[1] + 4), _short(y, language), anchor="end")


def _short(value: float, language: str) -> str:
    return decimals(f"{round(value, 10) + 0.0:g}", language, "unicode").replace("-", "−")


def _names(frame: _Frame, plane: Plane) -> Iterator[_Label]:
    (x, x_latex), (y, y_latex) = plane.axes
    yield _Label((LEFT + WIDE / 2, TOP + frame.high + 38), x, x_latex, size=FONT)
    if not plane.flat:
        yield _Label((14, TOP + frame.high / 2 + 5), y, y_latex, size=FONT)


def _numbers(plane: Plane, marks: Sequence[_Mark]) -> Iterator[_Label]:
    """The numbers of the points, on the side that looks away from the middle."""
    if len(plane.dots) > NUMBERED:
        return
    middle = [sum(mark.at[axis] for mark in marks) / len(marks) for axis in (0, 1)]
    for number, (x, y) in enumerate((mark.at for mark in marks), 1):
        right, below = x >= middle[0], y > middle[1] and not plane.flat
        place = (x + (9 if right else -9), y + (17 if below else -8))
        yield _Label(place, str(number), anchor="start" if right else "end")


def _legend(plane: Plane) -> Iterator[_Label]:
    for place, (text, latex) in enumerate(plane.legend):
        yield _Label((LEFT + 20 + place * WIDE / 3, 21), text, latex, anchor="start", size=FONT)


# --- SVG -----------------------------------------------------------------------------------------------------------

_STROKES: dict[StrokeKind, str] = {
    "frame": f'stroke="{INK}" stroke-width="1"',
    "grid": f'stroke="{THIN_WIRE}" stroke-width="0.5" stroke-dasharray="1 3"',
    "line": f'stroke="{VALUE_INK}" stroke-width="2"',
    "hull": f'stroke="{INK}" stroke-width="1.2" stroke-dasharray="6 4"',
}


def svg(plane: Plane) -> str:
    """The picture as SVG text."""
    drawing = _drawing(plane)
    wide, high = LEFT + WIDE + RIGHT, TOP + drawing.high + BOTTOM
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" width="{wide:g}" height="{high:g}" '
        'role="img" font-family="serif">',
        f"<title>{xml(plane.title or 'Points')}</title>",
        f'<rect width="{wide:g}" height="{high:g}" fill="{PAPER}"/>',
    ]
    if drawing.area:
        lines.append(f'<polygon points="{_way(drawing.area)}" fill="{PAINTS["neuron"].fill}"/>')
    lines += [f'<polyline points="{_way(one.points)}" fill="none" {_STROKES[one.kind]}/>' for one in drawing.strokes]
    lines += [_svg_mark(mark) for mark in drawing.marks]
    if drawing.cross:
        lines += [f'<path d="{_cross(drawing.cross)}" stroke="{VALUE_INK}" stroke-width="2"/>']
    lines += [_svg_label(label) for label in drawing.labels]
    return "\n".join([*lines, "</svg>", ""])


def _svg_mark(mark: _Mark) -> str:
    fill = INK if mark.filled else PAPER
    return (
        f'<circle cx="{_n(mark.at[0])}" cy="{_n(mark.at[1])}" r="{_n(RADIUS)}" fill="{fill}" stroke="{INK}" '
        'stroke-width="1.5"/>'
    )


def _cross(at: Point) -> str:
    x, y = at
    return f"M{_n(x - 6)},{_n(y - 6)}L{_n(x + 6)},{_n(y + 6)}M{_n(x - 6)},{_n(y + 6)}L{_n(x + 6)},{_n(y - 6)}"


def _svg_label(label: _Label) -> str:
    """A label with small, lowered indices."""
    parts, lowered = [], False
    for run in runs(label.text):
        shift = (0.25 if run.index else -0.25) * label.size if run.index != lowered else 0.0
        style = f' font-size="{_n(INDEX_SIZE * label.size)}"' if run.index else ""
        style += ' font-style="italic"' if run.italic else ""
        style += f' dy="{_n(shift)}"' if shift else ""
        parts.append(f"<tspan{style}>{xml(run.text)}</tspan>" if style else xml(run.text))
        lowered = run.index
    place = f'x="{_n(label.at[0])}" y="{_n(label.at[1])}"'
    style = f'font-size="{_n(label.size)}" fill="{INK}" text-anchor="{label.anchor}"'
    return f"<text {place} {style}>{''.join(parts)}</text>"


def _way(points: Sequence[Point]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _n(number: float) -> str:
    """At most one decimal, and no negative zero."""
    return f"{round(number, 1) + 0.0:.1f}".removesuffix(".0")


# --- TikZ ----------------------------------------------------------------------------------------------------------

_DRAWN: dict[StrokeKind, str] = {
    "frame": "line width=0.6pt",
    "grid": "line width=0.3pt, gray, dotted",
    "line": "line width=1.4pt",
    "hull": "line width=0.8pt, dashed",
}
_ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}


def tikz(plane: Plane) -> str:
    """The picture as a tikzpicture environment."""
    drawing = _drawing(plane)
    wide, high = LEFT + WIDE + RIGHT, TOP + drawing.high + BOTTOM
    lines = [
        rf"\begin{{tikzpicture}}[x={_POINTS}pt, y=-{_POINTS}pt, font=\small]",
        rf"\path[use as bounding box] (0,0) rectangle ({wide:g},{high:g});",
    ]
    if drawing.area:
        lines.append(rf"\fill[black!8] {_path(drawing.area)} -- cycle;")
    lines += [rf"\draw[{_DRAWN[one.kind]}] {_path(one.points)};" for one in drawing.strokes]
    lines += [_tikz_mark(mark) for mark in drawing.marks]
    if drawing.cross:
        (x, y), arm = drawing.cross, 6
        for sign in (1, -1):
            ends = ((x - arm, y - sign * arm), (x + arm, y + sign * arm))
            lines.append(rf"\draw[line width=1.4pt] {_path(ends)};")
    lines += [_tikz_label(label) for label in drawing.labels]
    return "\n".join([*lines, r"\end{tikzpicture}", ""])


def _tikz_mark(mark: _Mark) -> str:
    fill = "black" if mark.filled else "white"
    return rf"\draw[line width=1pt, fill={fill}] {_path((mark.at,))} circle[radius={RADIUS * _POINTS:g}pt];"


def _tikz_label(label: _Label) -> str:
    text = f"${label.latex}$" if label.latex else tex(label.text)
    return rf"\node[anchor={_ANCHORS[label.anchor]}, inner sep=0pt] at {_path((label.at,))} {{{text}}};"


def _path(points: Sequence[Point]) -> str:
    return " -- ".join(f"({x:.1f},{y:.1f})" for x, y in points)
