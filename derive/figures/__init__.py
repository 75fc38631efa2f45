"""Diagrams of networks and of computation graphs, as a standalone SVG and as TikZ.

A diagram is plain values: columns of spots, wires between them.  Nothing here knows what a neuron is.
"""

from derive.figures.as_svg import svg
from derive.figures.as_tikz import tikz
from derive.figures.diagram import Diagram, Kind, Spot, Wire

__all__ = ["Diagram", "Kind", "Spot", "Wire", "svg", "tikz"]
