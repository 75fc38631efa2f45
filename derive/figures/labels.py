"""Where the labels of wires go: on their own wire, clear of everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.figures.geometry import Box, Segment, between, length, overlap, slope, touches

SHARES = (0.5, 0.42, 0.58, 0.36, 0.64, 0.3, 0.7, 0.25, 0.75, 0.2, 0.8, 0.16, 0.84)
TRIES = 3000
CLEAR = 3.0
END = 13.0  # wire seen between a label and a spot: an arrowhead and a little

Options = dict[int, dict[float, Box]]  # for every label the free places, by the share of its wire before them


def free_places(
    segments: Sequence[Segment], obstacles: Sequence[Box], sizes: Sequence[tuple[float, float] | None]
) -> Options | None:
    """For the label of each wire, `sizes` being width and height (None: no label), its places along the wire.

    A place touches no other wire and no obstacle.  None when some label has no place at all.
    """
    options: Options = {}
    for index, size in enumerate(sizes):
        if size is not None:
            others = [other for place, other in enumerate(segments) if place != index]
            options[index] = dict(_places(segments[index], others, size, obstacles))
            if not options[index]:
                return None
    return options


def _places(
    segment: Segment, others: Sequence[Segment], size: tuple[float, float], obstacles: Sequence[Box]
) -> Iterator[tuple[float, Box]]:
    room = length(segment)
    half = size[0] / 2
    for share in SHARES:
        if min(share, 1 - share) * room < half + END:
            continue
        box = Box(*between(segment, share), half + CLEAR, size[1] / 2 + CLEAR / 2, slope(segment))
        if not any(touches(box, other) for other in others) and not any(overlap(box, thing) for thing in obstacles):
            yield share, box


def lined_up(options: Options) -> dict[int, Box] | None:
    """All labels at the same share of their wires."""
    for share in SHARES:
        if all(share in places for places in options.values()):
            chosen = {index: places[share] for index, places in options.items()}
            boxes = list(chosen.values())
            if not any(overlap(one, other) for k, one in enumerate(boxes) for other in boxes[:k]):
                return chosen
    return None


def one_by_one(options: Options) -> dict[int, Box] | None:
    """Each label wherever it fits, those with the fewest places first; gives up after TRIES boxes."""
    order = sorted(options, key=lambda index: (len(options[index]), index))
    waiting = [iter(options[order[0]].values())]
    chosen: list[Box] = []
    for _ in range(TRIES):
        box = next(waiting[-1], None)
        if box is None:
            waiting.pop()
            if not waiting:
                return None
            chosen.pop()
        elif not any(overlap(box, other) for other in chosen):
            chosen.append(box)
            if len(chosen) == len(order):
                return dict(zip(order, chosen, strict=True))
            waiting.append(iter(options[order[len(chosen)]].values()))
    return None
