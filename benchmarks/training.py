"""Training on MNIST beside other libraries: processes that take turns, an epoch each, on the same core."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any

from benchmarks.contenders import CONTENDERS
from benchmarks.measure import CLONE, Figure

SAMPLES = 60_000
ROUNDS = 7
WARM = 2
"""Epochs that do not count: loading and compilation, and one of training."""
GOALS = {
    "torch-documented": (3.5, 2.2), "torch-tuned": (1.6, 1.3), "scikit-learn": (3.5, 2.2), "jax-loop": (1.0, 1.0),
    "jax-scan": (1.0, 1.0),
}  # fmt: skip
BATCHES = (32, 128)
MEMORY = 160


class Contender:
    """A training loop that waits for its next turn."""

    def __init__(self, name: str, batch: int, folder: str, stack: ExitStack) -> None:
        self.name = name
        self.process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.contenders", name, str(batch), folder],
                cwd=CLONE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            )
        )  # fmt: skip
        stack.callback(self.process.kill)
        self.megabytes = 0.0

    def epoch(self) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.megabytes = found["megabytes"]
        return float(found["seconds"])


def training() -> Iterator[Figure]:
    """Samples a second of each loop, and how many times as many those of `derive.mlp` are."""
    folder = os.environ.get("DERIVE_MNIST", "")
    if not folder:
        yield Figure("training on MNIST", "left out: the variable DERIVE_MNIST names no folder with its files")
        return
    there = [name for name, (_, module, _) in CONTENDERS.items() if importlib.util.find_spec(module)]
    for name in CONTENDERS:
        if name not in there:
            yield Figure(CONTENDERS[name][0], f"left out: {CONTENDERS[name][1]} is not installed")
    for place, batch in enumerate(BATCHES):
        yield from _table(there, batch, place, folder)


def _table(names: Sequence[str], batch: int, place: int, folder: str) -> Iterator[Figure]:
    with ExitStack() as stack:
        loops = [Contender(name, batch, folder, stack) for name in names]
        for _ in range(WARM):
            for loop in loops:
                loop.epoch()
        turns = [[loop.epoch() for loop in loops] for _ in range(ROUNDS)]
        memory = loops[0].megabytes
    what = f"784-128-10 with Adam, batch {batch}"
    for at, name in enumerate(names):
        seconds = median(turn[at] for turn in turns)
        ratio = median(turn[at] / turn[0] for turn in turns)
        speed = f"{SAMPLES / seconds / 1000:.0f} thousand samples/s"
        if name == "ours":
            yield Figure(f"{what}: {CONTENDERS[name][0]}", speed)
            yield Figure("  peak memory of its process", f"{memory:.0f} MB", f"under {MEMORY} MB", memory < MEMORY)
        else:
            least = GOALS[name][place]
            goal = "at least level" if least == 1 else f"{least} times or more"
            yield Figure(
                f"{what}, to {CONTENDERS[name][0]}", f"{ratio:.2f} times its {speed}", goal, ratio >= least
            )
