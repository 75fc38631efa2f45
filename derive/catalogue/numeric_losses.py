"""The losses in NumPy, in forms that neither overflow nor lose their digits: a row for each row of `losses`.

Targets t and outputs o are arrays (…, n); a value function gives the loss of each sample (…), a slope function ∂E/∂o
(…, n).  Where a limit is finite it is taken, without a warning: 0·ln 0 is 0, the slope of binary cross-entropy at
o = t = 1 is −1.  An infinite loss is inf.  At a kink the slope is the one of the table of losses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from derive.catalogue.losses import Loss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class NumericLoss:
    """The value of each sample and the slope of each output; both take t, o and the parameters by name."""

    value: Function
    slope: Function


def evaluate(loss: Loss, targets: Array, outputs: Array) -> tuple[Array, Array]:
    """The loss of each sample (…) and ∂E/∂o (…, n) for targets and outputs of the shape (…, n)."""
    import numpy as np

    t, o = np.asarray(targets, dtype=float), np.asarray(outputs, dtype=float)
    parameters = {name: float(number.value) for name, number in loss.parameters}
    row = table()[loss.name]
    with np.errstate(all="ignore"):
        value, slope = row.value(t, o, **parameters), row.slope(t, o, **parameters)
    if loss.over == "mean":
        value, slope = value / o.shape[-1], slope / o.shape[-1]
    return value, slope


@cache
def table() -> Mapping[str, NumericLoss]:
    """The functions of every loss by its name."""
    return {**_errors(), **_of_probabilities(), **_of_logits(), **_margins()}


def _summed(part: Function) -> Function:
    return lambda t, o, **parameters: part(t, o, **parameters).sum(-1)


def _averaged(part: Function) -> Function:
    return lambda t, o, **parameters: part(t, o, **parameters).mean(-1)


def _shared(slope: Function) -> Function:
    """The slope of a mean over the outputs."""
    return lambda t, o, **parameters: slope(t, o, **parameters) / o.shape[-1]


def _weighted(weight: Array, value: Array) -> Array:
    """The product weight times value, 0 where the weight is 0 whatever the value is."""
    import numpy as np

    return np.asarray(weight * np.where(weight == 0, 0.0, value))


def _errors() -> dict[str, NumericLoss]:
    import numpy as np

    def norm(t: Array, o: Array) -> Array:
        """The Euclidean length of t − o, scaled so that no square overflows or vanishes."""
        size = np.abs(t - o).max(-1, keepdims=True)
        scaled = np.divide(t - o, size, out=np.zeros_like(t - o), where=size > 0)
        return np.asarray((size * np.sqrt((scaled * scaled).sum(-1, keepdims=True)))[..., 0])

    def root_slope(t: Array, o: Array) -> Array:
        length = norm(t, o)[..., None]
        return np.asarray(np.divide(o - t, length * np.sqrt(o.shape[-1]), where=length > 0, out=np.zeros_like(o - t)))

    def huber(t: Array, o: Array, delta: float) -> Array:
        size = np.abs(t - o)
        small = np.minimum(size, delta)
        return np.asarray(small * (size - small / 2))

    def log_cosh(t: Array, o: Array) -> Array:
        """The logarithm of cosh x as |x| + ln(1 + e^(−2|x|)) − ln 2; near 0, where that cancels, ½ ln(1 + sinh² x)."""
        size = np.abs(o - t)
        near = np.log1p(np.sinh(np.minimum(size, 1)) ** 2) / 2
        return np.asarray(np.where(size < 1, near, size + np.log1p(np.exp(-2 * size)) - np.log(2)))

    return {
        "half-squared-error": NumericLoss(_summed(lambda t, o: (t - o) ** 2 / 2), lambda t, o: o - t),
        "squared-error": NumericLoss(_summed(lambda t, o: (t - o) ** 2), lambda t, o: 2 * (o - t)),
        "mean-squared-error": NumericLoss(_averaged(lambda t, o: (t - o) ** 2), _shared(lambda t, o: 2 * (o - t))),
        "root-mean-squared-error": NumericLoss(lambda t, o: norm(t, o) / np.sqrt(o.shape[-1]), root_slope),
        "mean-absolute-error": NumericLoss(
            _averaged(lambda t, o: np.abs(t - o)), _shared(lambda t, o: np.sign(o - t))
        ),
        "mean-absolute-percentage-error": NumericLoss(
            _averaged(lambda t, o: np.abs(t - o) / np.abs(t)), _shared(lambda t, o: np.sign(o - t) / np.abs(t))
        ),
        "mean-squared-logarithmic-error": NumericLoss(
            _averaged(lambda t, o: (np.log1p(t) - np.log1p(o)) ** 2),
            _shared(lambda t, o: 2 * (np.log1p(o) - np.log1p(t)) / (1 + o)),
        ),
        "huber": NumericLoss(_summed(huber), lambda t, o, delta: np.clip(o - t, -delta, delta)),
        "log-cosh": NumericLoss(_summed(log_cosh), lambda t, o: np.tanh(o - t)),
    }


def _of_probabilities() -> dict[str, NumericLoss]:
    import numpy as np

    def times_log(t: Array, o: Array) -> Array:
        return _weighted(t, np.log(o))

    def times_log_complement(t: Array, o: Array) -> Array:
        return _weighted(1 - t, np.log1p(-o))

    def over(t: Array, o: Array) -> Array:
        """t/o, 0 where t is 0."""
        return np.asarray(np.where(t == 0, 0.0, t / np.where(t == 0, 1.0, o)))

    def binary_slope(t: Array, o: Array) -> Array:
        inside = (o - t) / (o * (1 - o))
        return np.asarray(np.where(t == 0, 1 / (1 - o), np.where(t == 1, -1 / o, inside)))

    return {
        "binary-cross-entropy": NumericLoss(
            _summed(lambda t, o: -times_log(t, o) - times_log_complement(t, o)), binary_slope
        ),
        "cross-entropy": NumericLoss(_summed(lambda t, o: -times_log(t, o)), lambda t, o: -over(t, o)),
        "smoothed-cross-entropy": NumericLoss(
            _summed(lambda t, o, smoothing: -times_log(_smoothed(t, smoothing), o)),
            lambda t, o, smoothing: -over(_smoothed(t, smoothing), o),
        ),
        "kullback-leibler": NumericLoss(
            _summed(lambda t, o: times_log(t, t) - times_log(t, o)), lambda t, o: -over(t, o)
        ),
        "poisson": NumericLoss(_summed(lambda t, o: o - times_log(t, o)), lambda t, o: 1 - over(t, o)),
    }  # fmt: skip


def _smoothed(t: Array, smoothing: float) -> Array:
    mixed: Array = (1 - smoothing) * t + smoothing / t.shape[-1]
    return mixed


def _of_logits() -> dict[str, NumericLoss]:
    import numpy as np

    def sigmoid(o: Array) -> Array:
        small = np.exp(-np.abs(o))
        return np.asarray(np.where(o >= 0, 1 / (1 + small), small / (1 + small)))

    def from_logits(t: Array, o: Array) -> Array:
        """ln(1 + e^o) − t·o, with t·o taken apart so that nothing cancels at large outputs."""
        far = np.where(o >= 0, _weighted(1 - t, o), -_weighted(t, o))
        return np.asarray(far + np.log1p(np.exp(-np.abs(o))))

    def sigmoid_slope(t: Array, o: Array) -> Array:
        """σ(o) − t; for a target of 1 as −σ(−o), which keeps its digits."""
        return np.asarray(np.where(t == 1, -sigmoid(-o), sigmoid(o) - t))

    def below_largest(o: Array) -> Array:
        """Each output minus the largest, 0 for the first of the largest even where that is infinite."""
        best = o.argmax(-1)[..., None]
        above = o - np.take_along_axis(o, best, -1)
        np.put_along_axis(above, best, 0.0, -1)
        return np.asarray(above)

    def log_softmax(o: Array) -> Array:
        above = below_largest(o)
        return np.asarray(above - np.log(np.exp(above).sum(-1, keepdims=True)))

    def logits(t: Array, o: Array) -> Array:
        """−Σ t ln softmax(o), which is ln Σ e^o − Σ t·o where the targets sum to 1.

        Where one output stands out, ln Σ is the small ln(1 + rest), added up from the rest alone.
        """
        above = below_largest(o)
        rest = np.exp(above)
        np.put_along_axis(rest, o.argmax(-1)[..., None], 0.0, -1)
        return np.asarray(t.sum(-1) * np.log1p(rest.sum(-1)) - _weighted(t, above).sum(-1))

    def logits_slope(t: Array, o: Array) -> Array:
        """softmax(o) − t; for a target of 1 as minus the sum of the others, which keeps its digits."""
        chances = np.exp(log_softmax(o))
        others = np.stack([np.delete(chances, k, -1).sum(-1) for k in range(o.shape[-1])], -1)
        return np.asarray(np.where(t == 1, -others, chances - t))

    return {
        "binary-cross-entropy-logits": NumericLoss(_summed(from_logits), sigmoid_slope),
        "cross-entropy-logits": NumericLoss(logits, logits_slope),
        "smoothed-cross-entropy-logits": NumericLoss(
            lambda t, o, smoothing: logits(_smoothed(t, smoothing), o),
            lambda t, o, smoothing: logits_slope(_smoothed(t, smoothing), o),
        ),
    }


def _margins() -> dict[str, NumericLoss]:
    import numpy as np

    def short(t: Array, o: Array) -> Array:
        return np.maximum(0.0, 1 - t * o)

    def categorical(t: Array, o: Array) -> Array:
        return np.asarray(np.maximum(0.0, 1 + _weighted(1 - t, o).max(-1) - _weighted(t, o).sum(-1)))

    def categorical_slope(t: Array, o: Array) -> Array:
        """Where several wrong outputs are largest, the first of them counts."""
        largest = np.zeros_like(o)
        np.put_along_axis(largest, _weighted(1 - t, o).argmax(-1)[..., None], 1.0, -1)
        return np.where(categorical(t, o)[..., None] > 0, (1 - t) * largest - t, 0.0)

    def above(t: Array, o: Array, margin: float) -> Array:
        return np.asarray(o - _weighted(t, o).sum(-1, keepdims=True) + margin)

    def multiclass_slope(t: Array, o: Array, margin: float) -> Array:
        active = (1 - t) * (above(t, o, margin) > 0)
        return np.asarray(active - t * active.sum(-1, keepdims=True))

    return {
        "hinge": NumericLoss(_summed(short), lambda t, o: np.where(t * o < 1, -t, 0.0)),
        "squared-hinge": NumericLoss(_summed(lambda t, o: short(t, o) ** 2), lambda t, o: -2 * t * short(t, o)),
        "categorical-hinge": NumericLoss(categorical, categorical_slope),
        "multiclass-hinge": NumericLoss(
            lambda t, o, margin: _weighted(1 - t, np.maximum(0.0, above(t, o, margin))).sum(-1), multiclass_slope
        ),
    }
