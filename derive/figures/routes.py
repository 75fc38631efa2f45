"""The way of every wire: straight to the next column, or through a waypoint in every column that it passes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from derive.figures.diagram import Diagram, Wire

SIDE_BY_SIDE = 14.0
ROOM = 22.0  # for all wires with the same ends: less than the height of a bias


@dataclass(frozen=True, slots=True)
class Hop:
    """The part of a wire between two neighbouring columns; ends are names of spots or of waypoints."""

    wire: int
    start: str
    end: str
    shift: float  # wires with the same ends run side by side


def routes(diagram: Diagram) -> tuple[list[list[str]], list[list[Hop]]]:
    """The names in each column, top to bottom, with a waypoint wherever a wire passes a column; hops per corridor."""
    place = {spot.name: index for index, column in enumerate(diagram.columns) for spot in column}
    ways = [_way(index, wire, place) for index, wire in enumerate(diagram.wires)]
    hops: list[list[Hop]] = [[] for _ in diagram.columns[1:]]
    copies = Counter((wire.source, wire.target) for wire in diagram.wires)
    seen: Counter[tuple[str, str]] = Counter()
    for index, way in enumerate(ways):
        ends = way[0], way[-1]
        shift = min(SIDE_BY_SIDE, ROOM / copies[ends]) * (seen[ends] - (copies[ends] - 1) / 2)
        seen[ends] += 1
        for step, (start, end) in enumerate(pairwise(way)):
            hops[place[way[0]] + step].append(Hop(index, start, end, shift))
    return _with_waypoints(diagram, ways, place), hops


def _way(index: int, wire: Wire, place: Mapping[str, int]) -> list[str]:
    """The spots and waypoints of a wire; a waypoint has a name that no text of a user has."""
    stops = [f"\0{index} {column}" for column in range(place[wire.source] + 1, place[wire.target])]
    return [wire.source, *stops, wire.target]


def _with_waypoints(diagram: Diagram, ways: Sequence[list[str]], place: Mapping[str, int]) -> list[list[str]]:
    columns = [[spot.name for spot in column] for column in diagram.columns]
    sources: dict[str, list[str]] = defaultdict(list)
    for way in ways:
        for start, end in pairwise(way):
            sources[end].append(start)
    for index in range(1, len(columns)):
        height = {name: row - (len(columns[index - 1]) - 1) / 2 for row, name in enumerate(columns[index - 1])}
        for way in ways:
            stop = index - place[way[0]]
            if 0 < stop < len(way) - 1:
                row = _row_of(height[way[stop - 1]], columns[index], sources, height)
                columns[index].insert(row, way[stop])
    return columns


def _row_of(level: float, column: list[str], sources: Mapping[str, list[str]], height: Mapping[str, float]) -> int:
    """The row for a waypoint coming from `level`: above the first spot that is fed from further down."""
    for row, name in enumerate(column):
        levels = [height[source] for source in sources[name] if source in height]
        if levels and sum(levels) / len(levels) > level:
            return row
    return len(column)
