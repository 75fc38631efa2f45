"""Losses in words of their own, for numbers of mpmath and tensors of torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from derive.catalogue.losses import Loss


def _largest(values: Sequence[Any]) -> Any:
    found = values[0]
    for value in values[1:]:
        found = max(found, value)
    return found


def _positive(value: Any) -> Any:
    return value if value > 0 else value * 0


def _size(value: Any) -> Any:
    return value if value > 0 else -value


def _huber(t: Any, o: Any, delta: Any) -> Any:
    size = _size(t - o)
    return size * size / 2 if size <= delta else delta * (size - delta / 2)


def _times(weight: Any, value: Callable[[], Any]) -> Any:
    """0 times a logarithm of 0 is 0."""
    return weight * value() if weight != 0 else weight * 0


PARTS: dict[str, Callable[..., Any]] = {
    "half-squared-error": lambda t, o, _f, _n: (t - o) ** 2 / 2,
    "squared-error": lambda t, o, _f, _n: (t - o) ** 2,
    "mean-squared-error": lambda t, o, _f, n: (t - o) ** 2 / n,
    "mean-absolute-error": lambda t, o, _f, n: _size(t - o) / n,
    "mean-absolute-percentage-error": lambda t, o, _f, n: _size(t - o) / _size(t) / n,
    "mean-squared-logarithmic-error": lambda t, o, f, n: (f.ln(1 + t) - f.ln(1 + o)) ** 2 / n,
    "huber": lambda t, o, _f, _n, delta: _huber(t, o, delta),
    "log-cosh": lambda t, o, f, _n: f.ln((f.exp(t - o) + f.exp(o - t)) / 2),
    "binary-cross-entropy": lambda t, o, f, _n: -(t * f.ln(o) + (1 - t) * f.ln(1 - o)),
    "binary-cross-entropy-logits": lambda t, o, f, _n: f.ln(1 + f.exp(o)) - t * o,
    "cross-entropy": lambda t, o, f, _n: -t * f.ln(o),
    "smoothed-cross-entropy": lambda t, o, f, n, smoothing: -(t - smoothing * t + smoothing / n) * f.ln(o),
    "hinge": lambda t, o, _f, _n: _positive(1 - t * o),
    "squared-hinge": lambda t, o, _f, _n: _positive(1 - t * o) ** 2,
    "kullback-leibler": lambda t, o, f, _n: _times(t, lambda: f.ln(t) - f.ln(o)),
    "poisson": lambda t, o, f, _n: o - t * f.ln(o),
}


def _entropy(t: Sequence[Any], o: Sequence[Any], f: Any) -> Any:
    """Cross-entropy of the softmax of the outputs."""
    total = sum(f.exp(one) for one in o)
    return -sum(target * f.ln(f.exp(one) / total) for target, one in zip(t, o, strict=True))


def _smoothed(t: Sequence[Any], o: Sequence[Any], f: Any, smoothing: Any) -> Any:
    return _entropy([(1 - smoothing) * target + smoothing / len(t) for target in t], o, f)


def _multiclass(t: Sequence[Any], o: Sequence[Any], f: Any, margin: Any) -> Any:  # noqa: ARG001  # called alike
    right = sum(target * one for target, one in zip(t, o, strict=True))
    return sum((1 - target) * _positive(one - right + margin) for target, one in zip(t, o, strict=True))


def _categorical(t: Sequence[Any], o: Sequence[Any], f: Any) -> Any:  # noqa: ARG001  # called alike
    right = sum(target * one for target, one in zip(t, o, strict=True))
    return _positive(1 + _largest([(1 - target) * one for target, one in zip(t, o, strict=True)]) - right)


WHOLES: dict[str, Callable[..., Any]] = {
    "root-mean-squared-error": lambda t, o, _f: (
        sum((target - one) ** 2 for target, one in zip(t, o, strict=True)) / len(t)
    ) ** 0.5,
    "cross-entropy-logits": _entropy,
    "smoothed-cross-entropy-logits": _smoothed,
    "categorical-hinge": _categorical,
    "multiclass-hinge": _multiclass,
}


def loss(row: Loss, targets: Sequence[Any], outputs: Sequence[Any], functions: Any) -> Any:
    """The loss of one sample; `functions` has exp, ln and real."""
    parameters = {name: functions.real(number.value) for name, number in row.parameters}
    if row.name in WHOLES:
        return WHOLES[row.name](targets, outputs, functions, **parameters)
    parts = (
        PARTS[row.name](target, out, functions, len(targets), **parameters)
        for target, out in zip(targets, outputs, strict=True)
    )
    return sum(parts) / len(targets) if row.over == "mean" else sum(parts)
