"""Activations as NumPy functions that stay finite, and give no warning, where the limit is finite.

A row of `_STABLE` is written so that no step overflows and no digits cancel; a scalar activation without a row there is
compiled from its formula.  Arguments are doubles, infinities included; parameters are floats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from derive.catalogue.activations import BY_FUNCTION, Activation
from derive.errors import DeriveError
from derive.formula.expression import (
    Call,
    Cases,
    Condition,
    Expr,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Series,
    Sum,
    children,
)
from derive.formula.grammar import read

Array = NDArray[np.float64]
Function = Callable[..., Array]

_LARGE = 1e4
"""Beyond it every smooth activation here has reached its limit in doubles."""

_GELU_SLOPE = math.sqrt(2 / math.pi)


# Building blocks


def _decay(z: Array) -> Array:
    """exp(-|z|), between 0 and 1."""
    return np.exp(-np.minimum(np.abs(z), _LARGE))


def _where(test: Array | NDArray[np.bool_], yes: ArrayLike, no: ArrayLike) -> Array:
    return np.where(test, yes, no).astype(np.float64)


def _times(factor: float, z: Array) -> Array:
    """factor·z with 0·∞ = 0."""
    return factor * z if factor else np.zeros_like(z)


def sigmoid(z: Array) -> Array:
    e = _decay(z)
    return _where(z >= 0, 1, e) / (1 + e)


def _sigmoid_slope(z: Array) -> Array:
    e = _decay(z)
    return e / (1 + e) ** 2


def _tanh_slope(z: Array) -> Array:
    e = _decay(z) ** 2
    return 4 * e / (1 + e) ** 2


@cache
def _erfc() -> Callable[[Array], Any]:
    return np.vectorize(math.erfc, otypes=[np.float64])


def _normal(z: Array) -> Array:
    """The distribution function of the standard normal distribution."""
    return np.asarray(_erfc()(-z / math.sqrt(2)) / 2, dtype=np.float64)


def _bounded(z: Array) -> Array:
    return np.clip(z, -_LARGE, _LARGE)


def _from_below(z: Array) -> Array:
    """z, not below a number where z·f(z) has vanished."""
    return np.maximum(z, -_LARGE)


# One pair of functions each


def _gelu(z: Array) -> Array:
    return _from_below(z) * _normal(_from_below(z))


def _gelu_slope(z: Array) -> Array:
    u = _bounded(z)
    return _normal(u) + u * np.exp(-u * u / 2) / math.sqrt(2 * math.pi)


def _gelu_inner(z: Array) -> Array:
    u = _bounded(z)
    return 2 * _GELU_SLOPE * (u + 0.044715 * u**3)


def _gelu_tanh(z: Array) -> Array:
    return _from_below(z) * sigmoid(_gelu_inner(z))


def _gelu_tanh_slope(z: Array) -> Array:
    inner, u = _gelu_inner(z), _bounded(z)
    return sigmoid(inner) + u * _sigmoid_slope(inner) * 2 * _GELU_SLOPE * (1 + 0.134145 * u * u)


def _silu(z: Array) -> Array:
    return _from_below(z) * sigmoid(z)


def _silu_slope(z: Array) -> Array:
    return sigmoid(z) + _bounded(z) * _sigmoid_slope(z)


def _tanh_of_softplus(z: Array) -> tuple[Array, Array]:
    """T = tanh(ln(1 + exp(z))) and 1 − t, by e = exp(−|z|)."""
    e = _decay(z)
    above, below = 1 + 2 * e + 2 * e * e, e * e + 2 * e + 2
    return _where(z >= 0, (1 + 2 * e) / above, (e * e + 2 * e) / below), _where(z >= 0, 2 * e * e / above, 2 / below)


def _mish(z: Array) -> Array:
    return _from_below(z) * _tanh_of_softplus(z)[0]


def _mish_slope(z: Array) -> Array:
    t, rest = _tanh_of_softplus(z)
    return t + _bounded(z) * rest * (1 + t) * sigmoid(z)


def _softsign(z: Array) -> Array:
    size = np.abs(z)
    large = size > 1
    inverse = 1 / _where(large, size, 1)
    return _where(large, np.sign(z) / (1 + inverse), z / (1 + _where(large, 1, size)))


def _squareplus(z: Array, b: float) -> Array:
    root, size = np.hypot(z, math.sqrt(b)), np.abs(z)
    return _where(z > 0, (size + root) / 2, b / 2 / (size + root))


def _squareplus_slope(z: Array, b: float) -> Array:
    root, size = np.hypot(z, math.sqrt(b)), np.abs(z)
    rest = b / root / (2 * (size + root))
    return _where(z > 0, 1 - rest, rest)


def _tanh_shrink(z: Array) -> Array:
    u = np.clip(z, -0.3, 0.3)
    odd = (1 / 3, -2 / 15, 17 / 315, -62 / 2835, 1382 / 155925, -21844 / 6081075, 929569 / 638512875,
           -6404582 / 10854718875, 443861162 / 1856156927625)  # fmt: skip
    series = sum(factor * u ** (2 * k + 3) for k, factor in enumerate(odd))
    return _where(np.abs(z) < 0.3, series, z - np.tanh(z))


def _elu(z: Array, alpha: float, scale: float = 1) -> Array:
    return _where(z > 0, scale * z, scale * alpha * np.expm1(np.minimum(z, 0)))


def _elu_slope(z: Array, alpha: float, scale: float = 1) -> Array:
    return _where(z > 0, scale, scale * alpha * np.exp(np.minimum(z, 0)))


def _leaky(z: Array, alpha: float) -> Array:
    return _where(z > 0, z, _times(alpha, z))


def _leaky_slope(z: Array, alpha: float) -> Array:
    return _where(z > 0, 1, alpha)


def _clipped(z: Array, slope: float, offset: float) -> Array:
    return np.clip(slope * z + offset, 0, 1)


def _inside(z: Array, low: float, high: float, slope: float) -> Array:
    return _where((z > low) & (z < high), slope, 0)


_STABLE: Mapping[str, tuple[Function, Function]] = {
    "linear": (lambda z: z.copy(), np.ones_like),
    "step": (lambda z, at_zero: np.heaviside(z, at_zero), lambda z, **_: np.zeros_like(z)),
    "sigmoid": (sigmoid, _sigmoid_slope),
    "tanh": (np.tanh, _tanh_slope),
    "relu": (lambda z: np.maximum(z, 0), lambda z: _where(z > 0, 1, 0)),
    "leaky-relu": (_leaky, _leaky_slope),
    "parametric-relu": (_leaky, _leaky_slope),
    "thresholded-relu": (lambda z, theta: _where(z > theta, z, 0), lambda z, theta: _where(z > theta, 1, 0)),
    "relu6": (lambda z: np.clip(z, 0, 6), partial(_inside, low=0, high=6, slope=1)),
    "elu": (_elu, _elu_slope),
    "selu": (_elu, _elu_slope),
    "celu": (
        lambda z, alpha: _where(z > 0, z, alpha * np.expm1(np.minimum(z, 0) / alpha)),
        lambda z, alpha: np.exp(np.minimum(z, 0) / alpha),
    ),
    "softplus": (lambda z: np.logaddexp(0, z), sigmoid),
    "softsign": (_softsign, lambda z: (1 / (1 + np.abs(z))) ** 2),
    "hard-sigmoid": (partial(_clipped, slope=1 / 6, offset=0.5), partial(_inside, low=-3, high=3, slope=1 / 6)),
    "hard-sigmoid-keras2": (
        partial(_clipped, slope=0.2, offset=0.5),
        partial(_inside, low=-2.5, high=2.5, slope=0.2),
    ),
    "hard-tanh": (lambda z: np.clip(z, -1, 1), partial(_inside, low=-1, high=1, slope=1)),
    "silu": (_silu, _silu_slope),
    "hard-silu": (
        lambda z: np.maximum(z, -3) * _clipped(z, 1 / 6, 0.5),
        lambda z: _where(z <= -3, 0, _where(z < 3, np.clip(z, -3, 3) / 3 + 0.5, 1)),
    ),
    "gelu": (_gelu, _gelu_slope),
    "gelu-tanh": (_gelu_tanh, _gelu_tanh_slope),
    "mish": (_mish, _mish_slope),
    "log-sigmoid": (lambda z: -np.logaddexp(0, -z), lambda z: sigmoid(-z)),
    "squareplus": (_squareplus, _squareplus_slope),
    "tanh-shrink": (_tanh_shrink, lambda z: np.tanh(z) ** 2),
}


def value(row: Activation, z: ArrayLike) -> Array:
    """f(z) of a scalar activation, for each entry."""
    return _applied(row, z, 0)


def slope(row: Activation, z: ArrayLike) -> Array:
    """f'(z), for each entry; at a kink the slope that the row states.

    A row without functions of its own here needs its `derivative`.
    """
    return _applied(row, z, 1)


def _applied(row: Activation, z: ArrayLike, which: int) -> Array:
    if row.vector:
        raise DeriveError(f'"{row.name}" acts on several numbers at once; accepted: `outputs` and `jacobian`')
    at = np.asarray(z, dtype=np.float64)
    parameters = {key: float(number.value) for key, number in row.parameters}
    known = _STABLE.get(row.name)
    if known:
        return known[which](at, **parameters)
    return _compiled(row, which)(at, parameters)


# Activations of several numbers


def outputs(row: Activation, z: ArrayLike) -> Array:
    """The outputs of a vector activation over the last axis: as many as there are inputs; of maxout one."""
    at = np.asarray(z, dtype=np.float64)
    return _VECTORS[row.name][0](at)


def jacobian(row: Activation, z: ArrayLike) -> Array:
    """∂a_i/∂z_j at one point z of n numbers, a row for each output."""
    at = np.asarray(z, dtype=np.float64)
    return _VECTORS[row.name][1](at)


def _shifted(z: Array) -> Array:
    """Z less its largest entry; equal infinities differ by 0."""
    largest = np.max(z, axis=-1, keepdims=True)
    return np.asarray(np.subtract(z, largest, where=z != largest, out=np.zeros_like(z)))


def _softmax(z: Array) -> Array:
    powers = np.exp(_shifted(z))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _softmax_jacobian(z: Array) -> Array:
    a = _softmax(z)
    off = -np.outer(a, a)
    others = np.where(np.eye(len(a), dtype=bool), 0, a[None, :]).sum(axis=1)
    return off - np.diag(np.diag(off)) + np.diag(a * others)


def _log_softmax(z: Array) -> Array:
    below = _shifted(z)
    return np.asarray(below - np.log(np.exp(below).sum(axis=-1, keepdims=True)))


def _log_softmax_jacobian(z: Array) -> Array:
    a = _softmax(z)
    others = np.where(np.eye(len(a), dtype=bool), 0, a[None, :]).sum(axis=1)
    return np.where(np.eye(len(a), dtype=bool), others[:, None], -a[None, :])


def _maxout_jacobian(z: Array) -> Array:
    return np.eye(len(z))[[int(np.argmax(z))]]


_VECTORS: Mapping[str, tuple[Function, Function]] = {
    "softmax": (_softmax, _softmax_jacobian),
    "log-softmax": (_log_softmax, _log_softmax_jacobian),
    "maxout": (lambda z: np.max(z, axis=-1, keepdims=True), _maxout_jacobian),
}


# From a formula to a function


def _compiled(row: Activation, which: int) -> Callable[[Array, Mapping[str, float]], Array]:
    """The function of a row without one of its own: its numeric formula, or the textbook derivative."""

    def function(z: Array, parameters: Mapping[str, float]) -> Array:
        names: dict[str, Any] = {"z": z, **parameters}
        with np.errstate(all="ignore"):
            found = evaluated(read(row.numeric or row.formula, names=set(names)), names)
            if which:
                names["a"] = found
                found = evaluated(read(row.derivative, names=set(names)), names)
            return np.broadcast_to(found, z.shape).astype(np.float64)

    return function


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": np.exp, "ln": np.log, "sqrt": np.sqrt, "abs": np.abs, "sin": np.sin, "cos": np.cos, "pi": lambda: math.pi,
    "max": lambda *args: np.max(np.broadcast_arrays(*args), axis=0),
    "min": lambda *args: np.min(np.broadcast_arrays(*args), axis=0),
    "erf": lambda z: 1 - _erfc()(z),
}  # fmt: skip
_RELATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
}  # fmt: skip


def evaluated(expr: Expr, names: Mapping[str, Any]) -> Any:
    """The value of a formula in doubles or arrays of them; warnings of NumPy are the caller's."""
    if isinstance(expr, Cases):
        return _by_cases(expr, names)
    parts = [evaluated(part, names) for part in children(expr)]
    match expr:
        case Name(name):
            return names[name]
        case Number(constant):
            return np.float64(constant)
        case Sum() | Series():
            return sum(parts[1:], start=parts[0])
        case Product():
            return math.prod(parts[1:], start=parts[0])
        case Negative():
            return -parts[0]
        case Quotient():
            return parts[0] / parts[1]
        case Power():
            return parts[0] ** parts[1]
        case Call(function, _) if function in _FUNCTIONS:
            return _FUNCTIONS[function](*parts)
        case Call(function, _):
            row = BY_FUNCTION[function]
            given = {key: number for (key, _), number in zip(row.parameters, parts[1:], strict=True)}
            known = _STABLE.get(row.name)
            at = np.asarray(parts[0], dtype=np.float64)
            return known[0](at, **given) if known else _compiled(row, 0)(at, given)


def _by_cases(cases: Cases, names: Mapping[str, Any]) -> Any:
    def holds(test: Condition) -> Any:
        return _RELATIONS[test.relation](evaluated(test.left, names), evaluated(test.right, names))

    found = evaluated(cases.otherwise, names)
    for piece, test in reversed(cases.pieces):
        found = np.where(holds(test), evaluated(piece, names), found)
    return found
