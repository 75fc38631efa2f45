"""What a diagram is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from derive.errors import DeriveError

Kind = Literal["input", "neuron", "target", "bias", "operation", "gap"]


@dataclass(frozen=True, slots=True)
class Spot:
    """A node: `name` is its unique key, `label` plain text inside it, `value` a number beside it.

    `latex` is the label in math mode; empty means that TikZ prints the plain label.
    A bias stands as a small square above its column; a gap prints as dots, for neurons left out.
    """

    name: str
    label: str
    latex: str
    value: str = ""
    kind: Kind = "neuron"


@dataclass(frozen=True, slots=True)
class Wire:
    """A connection from one spot to a spot in a later column; `label` may be "w1 = 0.15" or just "w1"."""

    source: str
    target: str
    label: str = ""
    latex: str = ""


@dataclass(frozen=True, slots=True)
class Diagram:
    """Columns from left to right; `captions` is empty or has one text per column, printed under it."""

    columns: tuple[tuple[Spot, ...], ...]
    wires: tuple[Wire, ...]
    title: str = ""
    captions: tuple[str, ...] = ()


def check(diagram: Diagram) -> None:
    """Raise DeriveError for a name used twice, a wire to nowhere or to an earlier column, captions that do not fit."""
    place: dict[str, int] = {}
    for index, column in enumerate(diagram.columns):
        for spot in column:
            if spot.name in place:
                raise DeriveError(f'diagram: two spots are named "{spot.name}"; accepted: a name for each')
            place[spot.name] = index
    for wire in diagram.wires:
        for name in (wire.source, wire.target):
            if name not in place:
                raise DeriveError(f'diagram: a wire ends at "{name}", which is no spot; accepted: {", ".join(place)}')
        if place[wire.source] >= place[wire.target]:
            raise DeriveError(
                f'diagram: the wire from "{wire.source}" to "{wire.target}" does not lead to a later column; '
                "accepted: wires that run from left to right"
            )
    if len(diagram.captions) not in (0, len(diagram.columns)):
        raise DeriveError(
            f"diagram: {len(diagram.captions)} captions for {len(diagram.columns)} columns; accepted: none, or one each"
        )
