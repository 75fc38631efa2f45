"""What `fit` and `predict` are given, as arrays: inputs kept as small as they came, labels as targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.catalogue.losses import Loss
from derive.errors import DeriveError

Array = NDArray[Any]

BYTE = 1 / 255
"""What images of bytes are multiplied by, so that they lie between 0 and 1."""


def inputs(x: Any, dtype: Any, width: int | None = None) -> Array:
    """Two dimensions, bytes kept as bytes, all else in the dtype of the network; images are laid out as rows."""
    found = np.asarray(x)
    if found.dtype != np.uint8:
        found = _numbers("X", found, dtype)
    if found.ndim > 2:
        found = found.reshape(len(found), -1)
    if found.ndim != 2 or not found.shape[1]:
        raise DeriveError(f"X has the shape {found.shape}; accepted: a row of inputs for each sample")
    if width is not None and found.shape[1] != width:
        raise DeriveError(f"X has {found.shape[1]} inputs for each sample; accepted: {width}, as in training")
    return np.ascontiguousarray(found)


def _numbers(name: str, x: Array, dtype: Any) -> Array:
    try:
        found = np.asarray(x, dtype)
    except (TypeError, ValueError):
        raise DeriveError(f"{name} holds something that is no number; accepted: numbers") from None
    if not np.isfinite(found).all():
        raise DeriveError(f"{name} holds NaN or an infinite number; accepted: finite numbers")
    return found


def scale_of(x: Array, scale: float | None) -> float:
    """What inputs are multiplied by: as asked for, else 1/255 for bytes and 1 for all else."""
    return scale if scale is not None else BYTE if x.dtype == np.uint8 else 1.0


def rows(x: Array, scale: float, dtype: Any) -> Array:
    """Rows as the network takes them."""
    found = x.astype(dtype)
    return found if scale == 1 else np.multiply(found, scale, out=found)


@dataclass(frozen=True, slots=True)
class Targets:
    """What a network is trained towards.

    classes  the labels in order; None where the targets are real numbers
    labels   the number of each sample's class; None where there are no classes
    values   (samples, outputs): given ones, or None where `labels` says it all
    """

    classes: Array | None
    labels: NDArray[np.int64] | None
    values: Array | None
    outputs: int

    def __len__(self) -> int:
        found = self.labels if self.labels is not None else self.values
        assert found is not None
        return len(found)

    def rows(self, chosen: Any, loss: Loss, dtype: Any) -> Array:
        """The targets of the chosen samples; of a label 1 for its class and 0 for others (−1 for a loss of signs)."""
        if self.values is not None:
            return np.asarray(self.values[chosen])
        assert self.labels is not None
        labels = self.labels[chosen]
        found = np.full((len(labels), self.outputs), -1 if loss.targets == "signs" else 0, dtype)
        found[np.arange(len(labels)), labels] = 1
        return found


def targets(y: Any, dtype: Any, classes: Array | None = None, outputs: int | None = None) -> Targets:
    """Labels (whole numbers, words, truth values) in one dimension; else real targets, a row for each sample.

    Rows of one 1 and else 0 are labels, too, as far as accuracy goes.  `classes` are those of training.
    """
    found = np.asarray(y)
    if found.ndim == 2 and found.shape[1] == 1 and found.dtype.kind in "iubUSO":
        found = found[:, 0]
    if found.ndim == 1 and found.dtype.kind in "iubUSO":
        return _labelled(found, classes)
    values = _numbers("y", found, dtype)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or (outputs is not None and values.shape[1] != outputs):
        accepted = f"{outputs} targets for each sample" if outputs else "labels, or a row of targets for each sample"
        raise DeriveError(f"y has the shape {found.shape}; accepted: {accepted}")
    width = values.shape[1]
    if width > 1 and bool((((values == 0) | (values == 1)).all(1) & (values.sum(1) == 1)).all()):
        numbered = np.arange(width) if classes is None else classes
        return Targets(numbered, values.argmax(1), values, width)
    return Targets(None, None, values, width)


def _labelled(labels: Array, classes: Array | None) -> Targets:
    if classes is None:
        known, numbers = np.unique(labels, return_inverse=True)
        if len(known) < 2:
            raise DeriveError(f"y holds {len(known)} class; accepted: two or more")
        return Targets(known, numbers.astype(np.int64), None, len(known))
    numbers = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    strange = classes[numbers] != labels
    if strange.any():
        raise DeriveError(f"y holds the label {labels[strange][0]!s}, which training did not; accepted: {classes!s}")
    return Targets(classes, numbers.astype(np.int64), None, len(classes))
