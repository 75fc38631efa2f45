"""The arithmetic of epochs, batches and iterations as definitions."""

from __future__ import annotations

from derive.formula.expression import ONE, Expr, Name, Quotient, add, multiply, number, subtract
from derive.problem.model import Definitions
from derive.problem.training import Training


def training_definitions(training: Training) -> Definitions:
    """Batches an epoch, the samples in the last of them, and iterations in all.

    `rest` is the remainder of samples divided by batch: the samples of a last batch that is not full.
    """
    rest = training.samples % training.batch
    filled: Expr = subtract(Name("samples"), Name("rest")) if rest else Name("samples")
    full = Quotient(filled, Name("batch"))
    short = bool(rest) and not training.drop_last
    return Definitions(
        output="",
        define=(
            ("rest", number(rest)),
            ("batches", add(full, ONE) if short else full),
            ("last", Name("rest") if short else Name("batch")),
            ("iterations", multiply(Name("epochs"), Name("batches"))),
        ),
        leaves=training.leaves,
    )
