"""How far a training or a download is, on standard error: a changing line on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from derive.mlp.training import Progress

INTERVAL = 0.2
"""Seconds between two looks of the line."""

BAR = 20


class _Line:
    """One line on standard error that is written over; nothing where that is no terminal."""

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty()
        self._width = 0
        self._next = 0.0

    def is_due(self) -> bool:
        return self.shown and time.monotonic() >= self._next

    def show(self, text: str) -> None:
        self._next = time.monotonic() + INTERVAL
        click.echo("\r" + text.ljust(self._width), nl=False, err=True)
        self._width = len(text)

    def clear(self) -> None:
        if self._width:
            click.echo("\r" + " " * self._width + "\r", nl=False, err=True)
            self._width = 0


class TrainingProgress:
    """Loss, accuracy, images a second and the time left."""

    def __init__(self) -> None:
        self._line = _Line()
        self._accuracy = ""
        self._epoch = 0
        self._began = self._work = 0.0
        self._seen = 0

    def batch(self, progress: Progress) -> None:
        """Called after every batch; shows something five times a second at most."""
        if progress.epoch != self._epoch:
            self._epoch, self._began = progress.epoch, time.monotonic()
        if self._line.is_due():
            self._line.show(self._text(progress))

    def _text(self, progress: Progress) -> str:
        seconds = self._work + time.monotonic() - self._began
        speed = (self._seen + progress.done) / seconds if seconds else 0.0
        left = (progress.epochs - progress.epoch + 1) * progress.samples - progress.done
        full = BAR * progress.done // progress.samples
        parts = [
            f"epoch {progress.epoch}/{progress.epochs} [{'#' * full}{'-' * (BAR - full)}]",
            f"loss {progress.loss:.4f}",
            *([self._accuracy] if self._accuracy else []),
            f"{speed:,.0f} images/s",
            f"{clock(left / speed)} left" if speed else "",
        ]
        return "  ".join(parts)[:118]

    def epoch(self, record: dict[str, Any]) -> None:
        """One line for good after each epoch."""
        self._line.clear()
        self._work += record["seconds"]
        self._seen += round(record["seconds"] * record["samples_per_second"])
        judged = "validation" if "validation_accuracy" in record else "test"
        self._accuracy = f"{judged} accuracy {100 * record[f'{judged}_accuracy']:.2f} %"
        click.echo(
            f"epoch {record['epoch']}: loss {record['loss']:.4f}, accuracy {100 * record['accuracy']:.2f} %, "
            f"{self._accuracy}, {record['seconds']:.1f} s, {record['samples_per_second']:,} images/s",
            err=True,
        )

    def close(self) -> None:
        self._line.clear()


class DownloadProgress:
    """What pooch tells how far a download is."""

    def __init__(self, name: str) -> None:
        self.total = 0
        self._name, self._done, self._line = name, 0, _Line()
        if not self._line.shown:
            click.echo(f"downloading {name}", err=True)

    def update(self, count: int) -> None:
        self._done = min(self._done + count, self.total or self._done + count)
        if self._line.is_due():
            self._line.show(f"downloading {self._name}: {self._done / 1e6:.1f} of {self.total / 1e6:.1f} MB")

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        self._line.clear()
        if self._line.shown:
            click.echo(f"downloaded {self._name}", err=True)


def clock(seconds: float) -> str:
    """1:05, 1:02:03."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
