"""kind = "training": how many batches and iterations there are when a data set is gone through in batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from derive.formula.expression import Number, number
from derive.problem.shape import Report, Table

MOST = 10**12


@dataclass(frozen=True, slots=True)
class Training:
    """The numbers are given by name: samples, batch, epochs.

    drop_last   whether a last batch that is too short is left out
    """

    kind: ClassVar[str] = "training"

    samples: int
    batch: int
    epochs: int
    drop_last: bool = False

    @property
    def leaves(self) -> tuple[str, ...]:
        return ("samples", "batch", "epochs")


def read_training(fields: Table, report: Report) -> tuple[Training, dict[str, Number]] | None:
    """The counts with their numbers, or None when anything was reported."""
    samples, batch = fields.get("samples"), fields.get("batch")
    drop_last = fields.get("drop_last", False)
    if drop_last and samples is not None and batch is not None and batch > samples:
        found = f"a batch of {batch} of {samples} samples, and no batch is left when the short one is dropped"
        report.add("batch", found, f"a whole number from 1 to {samples}, or drop_last = false")
    if report.mistakes:
        return None
    training = Training(samples, batch, fields.get("epochs", 1), drop_last)
    return training, {name: number(getattr(training, name)) for name in training.leaves}
