"""Activations and losses calculated in words of their own, for any arithmetic: values only, no derivatives.

Nothing here reads a formula of the catalogue: the names of its rows and their parameters are all that is shared.
`f` has the functions of one number (`math` or a context of mpmath), `p` the parameters of the row by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Parameters = Mapping[str, Any]
Scalar = Callable[[Any, Any, Parameters], Any]


def _clip(z: Any, low: Any, high: Any) -> Any:
    return min(max(z, low), high)


def _positive(z: Any) -> Any:
    return z if z > 0 else z * 0


def _sigmoid(f: Any, z: Any) -> Any:
    if z >= 0:
        return 1 / (1 + f.exp(-z))
    small = f.exp(z)
    return small / (1 + small)


def _softplus(f: Any, z: Any) -> Any:
    return z + f.log1p(f.exp(-z)) if z > 0 else f.log1p(f.exp(z))


def _gelu_inner(f: Any, z: Any) -> Any:
    return f.sqrt(2 / f.pi) * (z + 44715 * z**3 / 1000000)


def _squareplus(f: Any, z: Any, b: Any) -> Any:
    root = f.sqrt(z * z + b)
    return (z + root) / 2 if z > 0 else b / (root - z) / 2


def _tanh_shrink(f: Any, z: Any) -> Any:
    """The difference z − tanh z; near 0, where that cancels, its series (an odd function, the terms up to z¹⁹)."""
    if abs(z) > 0.1:
        return z - f.tanh(z)
    square, total, power = z * z, z * 0, z * z * z
    for top, bottom in _SHRINK:
        total = total + power * top / bottom
        power = power * square
    return total


_SHRINK = (
    (1, 3), (-2, 15), (17, 315), (-62, 2835), (1382, 155925), (-21844, 6081075), (929569, 638512875),
    (-6404582, 10854718875), (443861162, 1856156927625), (-18888466084, 194896477400625),
    (113927491862, 2900518163668125), (-58870668456604, 3698160658676859375),
    (8374643517010684, 1298054391195577640625), (-689005380505609448, 263505041412702261046875),
    (129848163681107301953, 122529844256906551386796875),
)  # fmt: skip
"""The coefficients of z³, z⁵, … of z − tanh z."""

SCALARS: dict[str, Scalar] = {
    "linear": lambda _f, z, _p: z,
    "step": lambda _f, z, p: z * 0 + 1 if z > 0 else p["at_zero"] if z == 0 else z * 0,
    "sigmoid": lambda f, z, _p: _sigmoid(f, z),
    "tanh": lambda f, z, _p: f.tanh(z),
    "relu": lambda _f, z, _p: _positive(z),
    "leaky-relu": lambda _f, z, p: z if z > 0 else p["alpha"] * z,
    "parametric-relu": lambda _f, z, p: z if z > 0 else p["alpha"] * z,
    "thresholded-relu": lambda _f, z, p: z if z > p["theta"] else z * 0,
    "relu6": lambda _f, z, _p: _clip(z, z * 0, z * 0 + 6),
    "elu": lambda f, z, p: z if z > 0 else p["alpha"] * f.expm1(z),
    "selu": lambda f, z, p: p["scale"] * (z if z > 0 else p["alpha"] * f.expm1(z)),
    "celu": lambda f, z, p: z if z > 0 else p["alpha"] * f.expm1(z / p["alpha"]),
    "softplus": lambda f, z, _p: _softplus(f, z),
    "softsign": lambda _f, z, _p: z / (1 + abs(z)),
    "hard-sigmoid": lambda _f, z, _p: _clip(z + 3, z * 0, z * 0 + 6) / 6,
    "hard-sigmoid-keras2": lambda _f, z, _p: _clip(2 * z + 5, z * 0, z * 0 + 10) / 10,
    "hard-tanh": lambda _f, z, _p: _clip(z, z * 0 - 1, z * 0 + 1),
    "silu": lambda f, z, _p: z * _sigmoid(f, z),
    "hard-silu": lambda _f, z, _p: z * _clip(z + 3, z * 0, z * 0 + 6) / 6,
    "gelu": lambda f, z, _p: z * f.erfc(-z / f.sqrt(2)) / 2,
    "gelu-tanh": lambda f, z, _p: z * _sigmoid(f, 2 * _gelu_inner(f, z)),
    "mish": lambda f, z, _p: z * f.tanh(_softplus(f, z)),
    "log-sigmoid": lambda f, z, _p: -_softplus(f, -z),
    "squareplus": lambda f, z, p: _squareplus(f, z, p["b"]),
    "tanh-shrink": lambda f, z, _p: _tanh_shrink(f, z),
}


def _powers(f: Any, nets: Sequence[Any]) -> list[Any]:
    highest = max(nets)
    return [f.exp(net - highest) for net in nets]


def _softmax(f: Any, nets: Sequence[Any]) -> list[Any]:
    powers = _powers(f, nets)
    total = sum(powers)
    return [power / total for power in powers]


def _log_softmax(f: Any, nets: Sequence[Any]) -> list[Any]:
    """Net less the logarithm of all powers; the largest power is exactly 1, and the others are added up apart."""
    highest, best = max(nets), list(nets).index(max(nets))
    rest = sum(power for place, power in enumerate(_powers(f, nets)) if place != best)
    beyond = f.log1p(rest)
    return [net - highest - beyond for net in nets]


VECTORS: dict[str, Callable[[Any, Sequence[Any]], list[Any]]] = {
    "softmax": _softmax,
    "log-softmax": _log_softmax,
    "maxout": lambda _f, nets: [max(nets)],
}


# --- losses --------------------------------------------------------------------------------------------------------


def _times_log(f: Any, weight: Any, value: Any) -> Any:
    """Weight · ln(value), 0 where the weight is 0."""
    return weight * f.log(value) if weight != 0 else weight * 0


def _huber(t: Any, o: Any, delta: Any) -> Any:
    size = abs(t - o)
    return size * size / 2 if size <= delta else delta * (size - delta / 2)


def _log_cosh(f: Any, x: Any) -> Any:
    if abs(x) < 1:
        wave = f.sinh(x)
        return f.log1p(wave * wave) / 2
    return abs(x) + f.log1p(f.exp(-2 * abs(x))) - f.log(2)


def _smooth(t: Any, n: int, p: Parameters) -> Any:
    return t - p["smoothing"] * t + p["smoothing"] / n


PARTS: dict[str, Callable[[Any, Any, Any, int, Parameters], Any]] = {
    "half-squared-error": lambda _f, t, o, _n, _p: (t - o) ** 2 / 2,
    "squared-error": lambda _f, t, o, _n, _p: (t - o) ** 2,
    "mean-squared-error": lambda _f, t, o, n, _p: (t - o) ** 2 / n,
    "mean-absolute-error": lambda _f, t, o, n, _p: abs(t - o) / n,
    "mean-absolute-percentage-error": lambda _f, t, o, n, _p: abs(t - o) / abs(t) / n,
    "mean-squared-logarithmic-error": lambda f, t, o, n, _p: (f.log1p(t) - f.log1p(o)) ** 2 / n,
    "huber": lambda _f, t, o, _n, p: _huber(t, o, p["delta"]),
    "log-cosh": lambda f, t, o, _n, _p: _log_cosh(f, o - t),
    "binary-cross-entropy": lambda f, t, o, _n, _p: -_times_log(f, t, o) - _times_log(f, 1 - t, 1 - o),
    "binary-cross-entropy-logits": lambda f, t, o, _n, _p: _softplus(f, o) - t * o,
    "cross-entropy": lambda f, t, o, _n, _p: -_times_log(f, t, o),
    "smoothed-cross-entropy": lambda f, t, o, n, p: -_times_log(f, _smooth(t, n, p), o),
    "hinge": lambda _f, t, o, _n, _p: _positive(1 - t * o),
    "squared-hinge": lambda _f, t, o, _n, _p: _positive(1 - t * o) ** 2,
    "kullback-leibler": lambda f, t, o, _n, _p: _times_log(f, t, t) - _times_log(f, t, o),
    "poisson": lambda f, t, o, _n, _p: o - _times_log(f, t, o),
}
"""What one of n outputs contributes to the loss of a sample."""


def _entropy(f: Any, targets: Sequence[Any], outputs: Sequence[Any], _p: Parameters) -> Any:
    """Cross-entropy of the softmax of the outputs."""
    chances = _log_softmax(f, outputs)
    return -sum(t * chance for t, chance in zip(targets, chances, strict=True))


def _smoothed_entropy(f: Any, targets: Sequence[Any], outputs: Sequence[Any], p: Parameters) -> Any:
    return _entropy(f, [_smooth(t, len(targets), p) for t in targets], outputs, p)


def _root_mean_square(f: Any, targets: Sequence[Any], outputs: Sequence[Any], _p: Parameters) -> Any:
    return f.sqrt(sum((t - o) ** 2 for t, o in zip(targets, outputs, strict=True)) / len(targets))


def _right(targets: Sequence[Any], outputs: Sequence[Any]) -> Any:
    return sum(t * o for t, o in zip(targets, outputs, strict=True))


def _multiclass(_f: Any, targets: Sequence[Any], outputs: Sequence[Any], p: Parameters) -> Any:
    right = _right(targets, outputs)
    return sum((1 - t) * _positive(o - right + p["margin"]) for t, o in zip(targets, outputs, strict=True))


def _categorical(_f: Any, targets: Sequence[Any], outputs: Sequence[Any], _p: Parameters) -> Any:
    best = max((1 - t) * o for t, o in zip(targets, outputs, strict=True))
    return _positive(1 + best - _right(targets, outputs))


WHOLES: dict[str, Callable[[Any, Sequence[Any], Sequence[Any], Parameters], Any]] = {
    "root-mean-squared-error": _root_mean_square,
    "cross-entropy-logits": _entropy,
    "smoothed-cross-entropy-logits": _smoothed_entropy,
    "categorical-hinge": _categorical,
    "multiclass-hinge": _multiclass,
}
"""The loss of a sample where it is no sum over the outputs."""
