"""The losses in NumPy, each with its derivative written by hand: no formula of the catalogue is compiled here.

Targets t and outputs o have the shape (samples, outputs).  A value is the loss of each sample, (samples,); a slope is
∂E/∂o, (samples, outputs).  Where a limit is finite it is taken: 0·ln 0 is 0.  An infinite loss is inf.

An output activation and a loss that cancel have one more row, from net inputs: it neither overflows nor divides by 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.catalogue.losses import Loss as Row
from derive.mlp.activations import log_softmax, sigmoid, softmax, softplus

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Functions:
    """Both take (t, o) and the parameters by name; `value` gives a part for each output unless `whole`."""

    value: Callable[..., Array]
    slope: Callable[..., Array]
    whole: bool = False


def times_log(t: Array, o: Array) -> Array:
    """t·ln o, 0 where t is 0."""
    safe = np.where(t == 0, np.ones_like(o), o)
    return np.asarray(t * np.log(safe))


def over(t: Array, o: Array) -> Array:
    """t/o, 0 where t is 0."""
    return np.asarray(t / np.where(t == 0, np.ones_like(o), o))


def smoothed(t: Array, smoothing: float) -> Array:
    return np.asarray((1 - smoothing) * t + smoothing / t.shape[-1])


def _binary_slope(t: Array, o: Array) -> Array:
    """−t/o + (1 − t)/(1 − o)."""
    return np.asarray(over(1 - t, 1 - o) - over(t, o))


def _binary(t: Array, o: Array) -> Array:
    return np.asarray(-times_log(t, o) - times_log(1 - t, 1 - o))


def _huber(t: Array, o: Array, delta: float) -> Array:
    size = np.abs(t - o)
    near = np.minimum(size, delta)
    return np.asarray(near * (size - near / 2))


def _log_cosh(t: Array, o: Array) -> Array:
    """Far from 0 |x| + ln(1 + e^(−2|x|)) − ln 2; near it, where that cancels, ln(1 + (cosh x − 1))."""
    size = np.abs(o - t)
    near = np.log1p(2 * np.sinh(np.minimum(size, 1) / 2) ** 2)
    return np.asarray(np.where(size < 1, near, size + np.log1p(np.exp(-2 * size)) - float(np.log(2))))


def _root(t: Array, o: Array) -> Array:
    return np.asarray(np.sqrt(((t - o) ** 2).mean(-1)))


def _root_slope(t: Array, o: Array) -> Array:
    root = _root(t, o)[..., None]
    return np.asarray((o - t) / (o.shape[-1] * np.where(root > 0, root, np.ones_like(root))))


def _logarithm_difference(t: Array, o: Array) -> Array:
    return np.asarray(np.log1p(o) - np.log1p(t))


def _logits(t: Array, o: Array) -> Array:
    """−Σ t·ln softmax(o), which is ln Σ e^o − Σ t·o where the targets sum to 1."""
    return np.asarray(-(t * log_softmax(o)).sum(-1))


def _wrong_and_right(t: Array, o: Array) -> tuple[Array, Array]:
    """(1 − t)·o of each output, and Σ t·o of the sample."""
    return np.asarray((1 - t) * o), np.asarray((t * o).sum(-1, keepdims=True))


def _categorical(t: Array, o: Array) -> Array:
    wrong, right = _wrong_and_right(t, o)
    return np.asarray(np.maximum(0, 1 + wrong.max(-1) - right[..., 0]))


def _categorical_slope(t: Array, o: Array) -> Array:
    """Of several equally large wrong outputs the first counts."""
    wrong, _ = _wrong_and_right(t, o)
    largest = np.zeros_like(o)
    np.put_along_axis(largest, wrong.argmax(-1)[..., None], 1, -1)
    return np.asarray(((1 - t) * largest - t) * (_categorical(t, o) > 0)[..., None])


def _multiclass(t: Array, o: Array, margin: float) -> Array:
    _, right = _wrong_and_right(t, o)
    return np.asarray(((1 - t) * np.maximum(0, o - right + margin)).sum(-1))


def _multiclass_slope(t: Array, o: Array, margin: float) -> Array:
    _, right = _wrong_and_right(t, o)
    active = (1 - t) * (o - right + margin > 0)
    return np.asarray(active - t * active.sum(-1, keepdims=True))


LOSSES: Mapping[str, Functions] = {
    "half-squared-error": Functions(lambda t, o: (t - o) ** 2 / 2, lambda t, o: o - t),
    "squared-error": Functions(lambda t, o: (t - o) ** 2, lambda t, o: 2 * (o - t)),
    "mean-squared-error": Functions(
        lambda t, o: ((t - o) ** 2).mean(-1), lambda t, o: 2 * (o - t) / o.shape[-1], whole=True
    ),
    "root-mean-squared-error": Functions(_root, _root_slope, whole=True),
    "mean-absolute-error": Functions(
        lambda t, o: np.abs(t - o).mean(-1), lambda t, o: np.sign(o - t) / o.shape[-1], whole=True
    ),
    "mean-absolute-percentage-error": Functions(
        lambda t, o: np.abs((t - o) / t).mean(-1), lambda t, o: np.sign(o - t) / np.abs(t) / o.shape[-1], whole=True
    ),
    "mean-squared-logarithmic-error": Functions(
        lambda t, o: (_logarithm_difference(t, o) ** 2).mean(-1),
        lambda t, o: 2 * _logarithm_difference(t, o) / (1 + o) / o.shape[-1],
        whole=True,
    ),
    "huber": Functions(_huber, lambda t, o, delta: np.clip(o - t, -delta, delta)),
    "log-cosh": Functions(_log_cosh, lambda t, o: np.tanh(o - t)),
    "binary-cross-entropy": Functions(_binary, _binary_slope),
    "binary-cross-entropy-logits": Functions(lambda t, o: softplus(o) - t * o, lambda t, o: sigmoid(o) - t),
    "cross-entropy": Functions(lambda t, o: -times_log(t, o), lambda t, o: -over(t, o)),
    "cross-entropy-logits": Functions(_logits, lambda t, o: softmax(o) - t, whole=True),
    "smoothed-cross-entropy": Functions(
        lambda t, o, smoothing: -times_log(smoothed(t, smoothing), o),
        lambda t, o, smoothing: -over(smoothed(t, smoothing), o),
    ),
    "smoothed-cross-entropy-logits": Functions(
        lambda t, o, smoothing: _logits(smoothed(t, smoothing), o),
        lambda t, o, smoothing: softmax(o) - smoothed(t, smoothing),
        whole=True,
    ),
    "hinge": Functions(lambda t, o: np.maximum(0, 1 - t * o), lambda t, o: -t * (t * o < 1)),
    "squared-hinge": Functions(
        lambda t, o: np.maximum(0, 1 - t * o) ** 2, lambda t, o: -2 * t * np.maximum(0, 1 - t * o)
    ),
    "categorical-hinge": Functions(_categorical, _categorical_slope, whole=True),
    "multiclass-hinge": Functions(_multiclass, _multiclass_slope, whole=True),
    "kullback-leibler": Functions(lambda t, o: times_log(t, t) - times_log(t, o), lambda t, o: -over(t, o)),
    "poisson": Functions(lambda t, o: o - times_log(t, o), lambda t, o: 1 - over(t, o)),
}


def _softmax_slope(s: Array, z: Array) -> Array:
    """−Σ s ln softmax(z) with respect to z, for any targets s."""
    return np.asarray(softmax(z) * s.sum(-1, keepdims=True) - s)


FROM_NETS: Mapping[tuple[str, str], Functions] = {
    ("sigmoid", "binary-cross-entropy"): Functions(lambda t, z: softplus(z) - t * z, lambda t, z: sigmoid(z) - t),
    ("softmax", "cross-entropy"): Functions(lambda t, z: -t * log_softmax(z), _softmax_slope),
    ("softmax", "smoothed-cross-entropy"): Functions(
        lambda t, z, smoothing: -smoothed(t, smoothing) * log_softmax(z),
        lambda t, z, smoothing: _softmax_slope(smoothed(t, smoothing), z),
    ),
    ("softmax", "kullback-leibler"): Functions(
        lambda t, z: times_log(t, t) - t * log_softmax(z), _softmax_slope
    ),
}
"""(output activation, loss): the loss and ∂E/∂z from the net inputs z of the last layer."""


class Loss:
    """A loss of the catalogue with its parameters, as functions of whole batches, behind one output activation."""

    def __init__(self, row: Row, output: str) -> None:
        self.name = row.name
        self.row = row
        self.parameters = {name: float(number.value) for name, number in row.parameters}
        self._functions = LOSSES[row.name]
        self._from_nets = FROM_NETS.get((output, row.name))
        self._averaged = row.over == "mean"

    @property
    def takes_nets(self) -> bool:
        """Whether `slope` is ∂E/∂z of the last layer, not ∂E/∂o."""
        return self._from_nets is not None

    def value(self, t: Array, o: Array, z: Array) -> Array:
        """The loss of each sample."""
        functions, at = (self._from_nets, z) if self._from_nets else (self._functions, o)
        with np.errstate(all="ignore"):
            found = functions.value(t, at, **self.parameters)
        if functions.whole:
            return found
        return np.asarray(found.mean(-1) if self._averaged else found.sum(-1))

    def slope(self, t: Array, o: Array, z: Array) -> Array:
        """∂E/∂z of the last layer if `takes_nets`, else ∂E/∂o, of each sample."""
        functions, at = (self._from_nets, z) if self._from_nets else (self._functions, o)
        with np.errstate(all="ignore"):
            found = functions.slope(t, at, **self.parameters)
        return np.asarray(found / o.shape[-1] if self._averaged and not functions.whole else found)
