"""Boxes, segments and whether they touch.  Coordinates in pixels, y downwards, angles in degrees."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

Point = tuple[float, float]
Segment = tuple[Point, Point]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its centre and half sides, turned by `angle` (clockwise on the screen)."""

    x: float
    y: float
    half_width: float
    half_height: float
    angle: float = 0.0

    def moved(self, dx: float, dy: float) -> Box:
        return replace(self, x=self.x + dx, y=self.y + dy)

    def corners(self) -> tuple[Point, ...]:
        cosine, sine = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        half = [(across * self.half_width, down * self.half_height) for across, down in signs]
        return tuple((self.x + a * cosine - d * sine, self.y + a * sine + d * cosine) for a, d in half)


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share an inner point (separating axes)."""
    if math.hypot(one.x - other.x, one.y - other.y) > _reach(one) + _reach(other):
        return False
    first, second = one.corners(), other.corners()
    for angle in {one.angle, one.angle + 90, other.angle, other.angle + 90}:
        cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        a = [x * cosine + y * sine for x, y in first]
        b = [x * cosine + y * sine for x, y in second]
        if max(a) <= min(b) or max(b) <= min(a):
            return False
    return True


def touches(box: Box, segment: Segment) -> bool:
    """Whether a segment passes through a box (clipped in the box's own axes)."""
    cosine, sine = math.cos(math.radians(box.angle)), math.sin(math.radians(box.angle))
    (ax, ay), (bx, by) = segment
    ax, ay, bx, by = ax - box.x, ay - box.y, bx - box.x, by - box.y
    start = (ax * cosine + ay * sine, ay * cosine - ax * sine)
    end = (bx * cosine + by * sine, by * cosine - bx * sine)
    low, high = 0.0, 1.0
    for a, b, half in zip(start, end, (box.half_width, box.half_height), strict=True):
        if abs(b - a) < 1e-9:
            if abs(a) >= half:
                return False
            continue
        first, last = sorted(((-half - a) / (b - a), (half - a) / (b - a)))
        low, high = max(low, first), min(high, last)
    return low < high


def leaves_circle(centre: Point, radius: float, start: Point, end: Point) -> Point:
    """Where the way from `start`, inside the circle, to `end` leaves it."""
    dx, dy, fx, fy = end[0] - start[0], end[1] - start[1], start[0] - centre[0], start[1] - centre[1]
    a, b, c = dx * dx + dy * dy, fx * dx + fy * dy, fx * fx + fy * fy - radius * radius
    share = (-b + math.sqrt(max(b * b - a * c, 0.0))) / a
    return start[0] + share * dx, start[1] + share * dy


def leaves_box(box: Box, start: Point, end: Point) -> Point:
    """Where the way from `start`, inside the upright box, to `end` leaves it."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    shares = [1.0]
    if dx:
        shares.append((box.x + math.copysign(box.half_width, dx) - start[0]) / dx)
    if dy:
        shares.append((box.y + math.copysign(box.half_height, dy) - start[1]) / dy)
    share = min(shares)
    return start[0] + share * dx, start[1] + share * dy


def slope(segment: Segment) -> float:
    (ax, ay), (bx, by) = segment
    return math.degrees(math.atan2(by - ay, bx - ax))


def length(segment: Segment) -> float:
    (ax, ay), (bx, by) = segment
    return math.hypot(bx - ax, by - ay)


def between(segment: Segment, share: float) -> Point:
    (ax, ay), (bx, by) = segment
    return ax + share * (bx - ax), ay + share * (by - ay)


def _reach(box: Box) -> float:
    return math.hypot(box.half_width, box.half_height)
