"""The pictures of a report, each a standalone SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.figures.pixels import data_uri, png
from derive.figures.plot import Curve, Plot, svg
from derive.figures.text import xml
from derive.figures.theme import INK, PAPER
from derive.mlp.mnist import SIDE

Array = NDArray[Any]

CURVES = (("training", ""), ("held out", "validation_"), ("test", "test_"))
POSITIVE, NEGATIVE = (0xB3, 0x54, 0x1E), (0x1F, 0x4E, 0x79)
ROOM = 0.06


@dataclass(frozen=True, slots=True)
class Mistake:
    """A test image that was taken for another digit; `number` is counted from 1."""

    number: int
    pixels: NDArray[np.uint8]
    label: int
    taken: int
    confidence: float


def curves(records: Sequence[dict[str, Any]], key: str, title: str) -> str:
    """Loss, or accuracy in per cent, after each epoch."""
    factor = 100.0 if key == "accuracy" else 1.0
    drawn, values = [], []
    for label, prefix in CURVES:
        points = tuple(
            (float(record["epoch"]), factor * record[prefix + key]) for record in records if prefix + key in record
        )
        if points:
            drawn.append(Curve(label, "", (points,), points))
            values += [y for _, y in points]
    low, high = (0.0, max(values)) if key == "loss" else (min(values), 100.0)
    room = ROOM * ((high - low) or 1.0)
    last = float(records[-1]["epoch"])
    y = (0.0, high + room) if key == "loss" else (max(0.0, low - room), 100.0)
    return svg(Plot(tuple(drawn), (0.0 if last < 3 else 1.0, last), y, "epoch", r"\text{epoch}", title, counted=True))


def mistakes_svg(mistakes: Sequence[Mistake], columns: int = 8) -> str:
    """The images with what they are and what they were taken for."""
    size, across, down = 84, 108, 130
    rows = -(-len(mistakes) // columns)
    lines = [*_start(columns * across, max(1, rows) * down, "The worst mistakes")]
    for place, each in enumerate(mistakes):
        x, y = place % columns * across + (across - size) // 2, place // columns * down + 4
        picture = data_uri(png([bytes(255 - row) for row in each.pixels.reshape(SIDE, SIDE)]))
        middle = x + size / 2
        lines += [
            f"<g><title>test image {each.number}</title>",
            _image(picture, x, y, size),
            f'<rect x="{x}" y="{y}" width="{size}" height="{size}" fill="none" stroke="#c8c8c8"/>',
            f'<text x="{middle:g}" y="{y + size + 17}" font-size="14" fill="{INK}" text-anchor="middle">'
            f'{each.label} taken for {each.taken}</text>',
            f'<text x="{middle:g}" y="{y + size + 33}" font-size="11.5" fill="#666666" text-anchor="middle">'
            f'{100 * each.confidence:.1f} % · no. {each.number}</text></g>',
        ]  # fmt: skip
    return "\n".join([*lines, "</svg>", ""])


def weights_svg(weights: Array, most: int = 60, columns: int = 12) -> str:
    """The weights of each neuron of the first layer, laid out as its image; the largest ones first."""
    size, across, down = 70, 80, 92
    order = np.argsort(-np.linalg.norm(weights, axis=0), kind="stable")[:most]
    scale = float(np.quantile(np.abs(weights[:, order]), 0.998)) or 1.0
    rows = -(-len(order) // columns)
    lines = [*_start(columns * across, rows * down, "The weights of the first layer")]
    for place, neuron in enumerate(order.tolist()):
        x, y = place % columns * across + (across - size) // 2, place // columns * down + 4
        picture = data_uri(png(list(_coloured(weights[:, neuron] / scale)), colour=True))
        lines += [
            _image(picture, x, y, size),
            f'<text x="{x + size / 2:g}" y="{y + size + 13}" font-size="11.5" fill="#666666" text-anchor="middle">'
            f"{neuron + 1}</text>",
        ]
    return "\n".join([*lines, "</svg>", ""])


def _coloured(values: Array) -> Iterator[bytes]:
    """Rows of pixels from blue (−1) over white to orange (1)."""
    sized = np.clip(values, -1, 1).reshape(SIDE, SIDE, 1)
    ends = np.where(sized < 0, np.array(NEGATIVE), np.array(POSITIVE))
    return (bytes(row.astype(np.uint8)) for row in 255 + (ends - 255) * np.abs(sized))


def _start(wide: int, high: int, title: str) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
        'role="img" font-family="serif">'
    )
    yield f"<title>{xml(title)}</title>"
    yield f'<rect width="{wide}" height="{high}" fill="{PAPER}"/>'


def _image(uri: str, x: int, y: int, size: int) -> str:
    return f'<image href="{uri}" x="{x}" y="{y}" width="{size}" height="{size}" style="image-rendering:pixelated"/>'
