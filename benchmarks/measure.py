"""Clocks, and medians of runs that take turns so that a busy machine hinders all of them alike."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

CLONE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table; `met` is None where there is no goal."""

    what: str
    measured: str
    goal: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Medians of runs that took turns: seconds of each, and of the quotients of each turn."""

    ours: float
    peer: float
    ratio: float


def compared(ours: Callable[[], float], peer: Callable[[], float], rounds: int) -> Comparison:
    """Both in turn, `rounds` times after one that does not count; each answers with its seconds."""
    ours(), peer()
    turns = [(ours(), peer()) for _ in range(rounds)]
    ours_each, peer_each = zip(*turns, strict=True)
    return Comparison(median(ours_each), median(peer_each), median(mine / other for mine, other in turns))


def process_seconds(*arguments: str) -> float:
    """Wall time of one whole Python process."""
    start = time.perf_counter()
    python(*arguments)
    return time.perf_counter() - start


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python process in the clone; raises CalledProcessError when it fails.

    It may keep compiled modules, as an installed package has them.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=CLONE, env=kept, check=True, capture_output=True, text=True, encoding="utf-8"
    )


def job(name: str, *arguments: str) -> Mapping[str, Any]:
    """What a job of `benchmarks.jobs` found out in a process of its own, where no cache is warm."""
    found: Mapping[str, Any] = json.loads(python("-m", "benchmarks.jobs", name, *arguments).stdout)
    return found


def exponent(sizes: Sequence[float], times: Sequence[float]) -> float:
    """The p of the least-squares line log(time) = p·log(size) + c."""
    xs, ys = [math.log(size) for size in sizes], [math.log(seconds) for seconds in times]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)
