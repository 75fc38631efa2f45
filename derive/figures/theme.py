"""Colours and strokes that both printers share; they keep their order in greyscale."""

from __future__ import annotations

from dataclasses import dataclass

from derive.figures.diagram import Kind


@dataclass(frozen=True, slots=True)
class Paint:
    fill: str
    stroke: str
    dashed: bool = False


INK = "#1a1a1a"
PAPER = "#ffffff"
WIRE = "#4d4d4d"
THIN_WIRE = "#8c8c8c"
VALUE_INK = "#1f4e79"

PAINTS: dict[Kind, Paint] = {
    "input": Paint("#e3ecf5", "#2f4f6f"),
    "neuron": Paint("#fdf3dc", "#6b5316"),
    "target": Paint("#ffffff", "#4d4d4d", dashed=True),
    "bias": Paint("#ececec", "#4d4d4d"),
    "operation": Paint("#eaf3e6", "#3d5c33"),
    "gap": Paint("none", "none"),
}
