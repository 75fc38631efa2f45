"""Losses, a row each.

`part` is what one output contributes to the loss of one sample, a text of the grammar in t (the target), o (the
output) and n (the number of outputs); the loss of the sample is the sum of the parts.  `derivative` is ∂part/∂o in
textbook form, proved equal to SymPy's in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss.

    cancels   the activation (its `function`) with which ∂E/∂net becomes o − t; for softmax only when the targets of a
              sample sum to 1
    """

    name: str
    title: str
    part: str
    derivative: str
    cancels: str = ""


ROWS = (
    Loss("half-squared-error", "half squared error", "1/2*(t - o)^2", "o - t"),
    Loss("squared-error", "squared error", "(t - o)^2", "2*(o - t)"),
    Loss("mean-squared-error", "mean squared error", "1/n*(t - o)^2", "2/n*(o - t)"),
    Loss(
        "binary-cross-entropy", "binary cross-entropy",
        "-(t*ln(o) + (1 - t)*ln(1 - o))", "(o - t)/(o*(1 - o))", cancels="sigmoid",
    ),
    Loss("cross-entropy", "cross-entropy", "-t*ln(o)", "-t/o", cancels="softmax"),
)  # fmt: skip

LOSSES = {row.name: row for row in ROWS}
