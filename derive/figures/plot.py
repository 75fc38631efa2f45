"""Plots of functions of one number, as a standalone SVG and for pgfplots; the same bytes every time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from derive.figures.geometry import Point
from derive.figures.text import runs, tex, width, xml
from derive.figures.theme import INK, PAPER, THIN_WIRE
from derive.formula.languages import LANGUAGES, decimals, named

COLOURS = ("#1f4e79", "#b3541e", "#3d6b35", "#6b3d7a", "#7a6b16", "#4d4d4d")
DASHES = ("", "7 4", "2 3", "9 3 2 3", "", "7 4")
_PGF_DASHES = ("solid", "dashed", "dotted", "dash dot", "solid", "dashed")

WIDTH, HEIGHT = 560, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 14.0, 16.0, 40.0
_FONT = 13.0


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve: each run is drawn without a gap; `dots` are points that lie on it where it jumps."""

    label: str
    latex: str
    runs: tuple[tuple[Point, ...], ...]
    dots: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """Curves over x within low … high; what lies outside of y is cut off; `counted`: x is marked at whole numbers.

    language   has the decimal mark of the axes
    """

    curves: tuple[Curve, ...]
    x: tuple[float, float]
    y: tuple[float, float]
    x_label: str
    x_latex: str
    title: str = "Plot"
    counted: bool = False
    language: str = "en"

    @property
    def x_ticks(self) -> list[float]:
        span = max(1, math.floor(self.x[1] - self.x[0]))
        return ticks(*self.x, min(10, span) if self.counted else 10)


# What both printers share


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most so many round numbers between the ends, 0 among them where it lies between."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * size for size in (1, 2, 5, 10) if power * size >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def inside(run: Sequence[Point], low: float, high: float) -> list[list[Point]]:
    """The parts of a run whose y lies within low … high, cut where it crosses them."""
    parts: list[list[Point]] = [[]]
    for start, end in pairwise(run):
        cut = _cut(start, end, low, high)
        if cut is None:
            parts.append([])
            continue
        if not parts[-1] or parts[-1][-1] != cut[0]:
            parts.append([cut[0]])
        parts[-1].append(cut[1])
    return [_thinned(part) for part in parts if len(part) > 1]


def _cut(start: Point, end: Point, low: float, high: float) -> tuple[Point, Point] | None:
    (x0, y0), (x1, y1) = start, end
    if max(y0, y1) < low or min(y0, y1) > high:
        return None

    def at(level: float) -> Point:
        return x0 + (level - y0) / (y1 - y0) * (x1 - x0), level

    def held(point: Point) -> Point:
        return at(low) if point[1] < low else at(high) if point[1] > high else point

    return held(start), held(end)


def _thinned(part: list[Point]) -> list[Point]:
    """Without the points that lie on the straight line between their neighbours."""
    kept = [part[0]]
    for here, after in pairwise(part[1:]):
        (ax, ay), (bx, by), (cx, cy) = kept[-1], here, after
        if abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) > 1e-7:
            kept.append(here)
    return [*kept, part[-1]]


# SVG


def svg(plot: Plot) -> str:
    """The plot as SVG text, with a legend above it."""
    return "\n".join([*_svg_lines(plot), "</svg>", ""])


def _svg_lines(plot: Plot) -> Iterator[str]:
    across, down = _scale(plot)
    legend = 22.0
    high = HEIGHT + legend
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high:g}" width="{WIDTH}" height="{high:g}" '
        'role="img" font-family="serif">'
    )
    yield f"<title>{xml(plot.title)}</title>"
    yield f'<rect width="{WIDTH}" height="{high:g}" fill="{PAPER}"/>'
    yield from _legend(plot)
    yield f'<g transform="translate(0 {legend:g})">'
    yield from _axes(plot, across, down)
    for place, curve in enumerate(plot.curves):
        colour, dashes = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        yield f'<g stroke="{colour}" stroke-width="2" fill="none" stroke-linejoin="round"{dashed}>'
        for run in curve.runs:
            for part in inside(run, *plot.y):
                way = "L".join(f"{_n(across(x))},{_n(down(y))}" for x, y in part)
                yield f'<path d="M{way}"/>'
        yield "</g>"
        for x, y in curve.dots:
            yield f'<circle cx="{_n(across(x))}" cy="{_n(down(y))}" r="3.5" fill="{colour}"/>'
    yield "</g>"


def _scale(plot: Plot) -> tuple[_Scale, _Scale]:
    return (
        _Scale(plot.x[0], plot.x[1], _LEFT, WIDTH - _RIGHT),
        _Scale(plot.y[0], plot.y[1], HEIGHT - _BOTTOM, _TOP),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def _axes(plot: Plot, across: _Scale, down: _Scale) -> Iterator[str]:
    bottom, left = HEIGHT - _BOTTOM, _LEFT
    grid = [f"M{_n(across(x))},{_n(_TOP)}V{_n(bottom)}" for x in plot.x_ticks]
    grid += [f"M{_n(left)},{_n(down(y))}H{_n(WIDTH - _RIGHT)}" for y in ticks(*plot.y, 8)]
    yield f'<path d="{"".join(grid)}" stroke="#e0e0e0" stroke-width="1" fill="none"/>'
    zero = [f"M{_n(left)},{_n(down(0))}H{_n(WIDTH - _RIGHT)}"] if plot.y[0] <= 0 <= plot.y[1] else []
    zero += [f"M{_n(across(0))},{_n(_TOP)}V{_n(bottom)}"] if plot.x[0] <= 0 <= plot.x[1] else []
    yield f'<path d="{"".join(zero)}" stroke="{THIN_WIRE}" stroke-width="1.2" fill="none"/>'
    yield f'<g font-size="{_FONT:g}" fill="{INK}" text-anchor="middle">'
    for x in plot.x_ticks:
        yield f'<text x="{_n(across(x))}" y="{_n(bottom + 17)}">{_tick(x, plot.language)}</text>'
    half = width(plot.x_label, _FONT + 1) / 2
    end = WIDTH - _RIGHT - 4 if half <= 20 else WIDTH - 3 - half  # a word, which would be cut off
    corner = f'x="{_n(end)}" y="{_n(bottom + 33)}"'
    yield f'<text {corner} font-size="{_FONT + 1:g}">{_label(plot.x_label)}</text>'
    yield "</g>"
    yield f'<g font-size="{_FONT:g}" fill="{INK}" text-anchor="end">'
    for y in ticks(*plot.y, 8):
        yield f'<text x="{_n(left - 7)}" y="{_n(down(y) + 4.5)}">{_tick(y, plot.language)}</text>'
    yield "</g>"


def _legend(plot: Plot) -> Iterator[str]:
    at = _LEFT
    yield f'<g font-size="{_FONT + 1:g}" fill="{INK}">'
    for place, curve in enumerate(plot.curves):
        dashes = DASHES[place % len(DASHES)]
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        yield f'<path d="M{_n(at)},18h30" stroke="{COLOURS[place % len(COLOURS)]}" stroke-width="2"{dashed}/>'
        yield f'<text x="{_n(at + 37)}" y="22.5">{_label(_words(curve, plot.language))}</text>'
        at += 60 + 7.6 * len(curve.label)
    yield "</g>"


def _label(text: str) -> str:
    parts = []
    for run in runs(text):
        style = ' font-size="11" dy="3"' if run.index else ' font-style="italic"' if run.italic else ""
        after = '<tspan dy="-3">\u200b</tspan>' if run.index else ""
        parts.append(f"<tspan{style}>{xml(run.text)}</tspan>{after}" if style else xml(run.text))
    return "".join(parts)


def _tick(value: float, language: str) -> str:
    return decimals(f"{value:g}", language, "unicode").replace("-", "−")


def _words(curve: Curve, language: str) -> str:
    """What a curve is called; where it has no symbol, in the language."""
    return curve.label if curve.latex else named(curve.label, language)


def _n(number: float) -> str:
    """At most one decimal, and no negative zero."""
    return f"{round(number, 1) + 0.0:.1f}".removesuffix(".0")


# pgfplots


def pgfplots(plot: Plot) -> str:
    r"""The plot as a tikzpicture with an axis environment; it needs \usepackage{pgfplots}."""
    return "\n".join([*_pgf_lines(plot), r"\end{axis}", r"\end{tikzpicture}", ""])


def _pgf_lines(plot: Plot) -> Iterator[str]:
    words = (f"${curve.latex}$" if curve.latex else tex(_words(curve, plot.language)) for curve in plot.curves)
    labels = ", ".join(f"{{{word}}}" for word in words)
    comma = ", tick label style={/pgf/number format/use comma}" if LANGUAGES[plot.language].decimal == "," else ""
    yield r"\begin{tikzpicture}"
    yield (
        r"\begin{axis}[width=0.82\linewidth, height=0.5\linewidth, grid=major, grid style={black!12}, "
        f"xmin={plot.x[0]:g}, xmax={plot.x[1]:g}, ymin={plot.y[0]:g}, ymax={plot.y[1]:g}, "
        f"xlabel={{${plot.x_latex}$}}, legend entries={{{labels}}}, "
        r"legend style={at={(0.5,1.03)}, anchor=south, legend columns=-1, draw=none, "
        r"/tikz/every even column/.append style={column sep=1em}}, legend cell align=left, "
        r"extra x ticks={0}, extra x tick style={grid style={black!45}}, extra x tick labels={}, "
        r"extra y ticks={0}, extra y tick style={grid style={black!45}}, extra y tick labels={}"
        f"{comma}]"
    )
    for place in range(len(plot.curves)):
        look = f"{_PGF_DASHES[place % len(_PGF_DASHES)]}, thick, color={_rgb(COLOURS[place % len(COLOURS)])}"
        yield rf"\addlegendimage{{{look}}}"
    for place, curve in enumerate(plot.curves):
        colour = _rgb(COLOURS[place % len(COLOURS)])
        look = f"{_PGF_DASHES[place % len(_PGF_DASHES)]}, thick, color={colour}"
        for run in curve.runs:
            for part in inside(run, *plot.y):
                way = " ".join(f"({_decimal(x)},{_decimal(y)})" for x, y in part)
                yield rf"\addplot[{look}, forget plot] coordinates {{{way}}};"
        for x, y in curve.dots:
            yield (
                rf"\addplot[only marks, mark=*, mark size=1.6pt, color={colour}, forget plot] "
                rf"coordinates {{({_decimal(x)},{_decimal(y)})}};"
            )


def _decimal(value: float) -> str:
    return f"{round(value, 4) + 0.0:g}"


def _rgb(code: str) -> str:
    red, green, blue = (int(code[start : start + 2], 16) for start in (1, 3, 5))
    return f"{{rgb,255:red,{red};green,{green};blue,{blue}}}"
