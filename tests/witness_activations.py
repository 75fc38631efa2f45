"""Activations in words of their own: for numbers of mpmath, and as torch has them.

`p` holds the parameters of the row by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mpmath
from mpmath import mpf

Parameters = Mapping[str, Any]


def _clip(z: Any, low: Any, high: Any) -> Any:
    return min(high, max(low, z))


def _gelu_inner(z: Any) -> Any:
    return mpmath.sqrt(2 / mpmath.pi) * (z + mpf("0.044715") * z**3)


def _elu(z: Any, alpha: Any) -> Any:
    return z if z > 0 else alpha * mpmath.expm1(z)


PRECISE: dict[str, Callable[[Any, Parameters], Any]] = {
    "linear": lambda z, _: z,
    "step": lambda z, p: mpf(1) if z > 0 else p["at_zero"] if z == 0 else mpf(0),
    "sigmoid": lambda z, _: 1 / (1 + mpmath.exp(-z)),
    "tanh": lambda z, _: mpmath.tanh(z),
    "relu": lambda z, _: max(mpf(0), z),
    "leaky-relu": lambda z, p: z if z > 0 else p["alpha"] * z,
    "parametric-relu": lambda z, p: z if z > 0 else p["alpha"] * z,
    "thresholded-relu": lambda z, p: z if z > p["theta"] else mpf(0),
    "relu6": lambda z, _: _clip(z, mpf(0), mpf(6)),
    "elu": lambda z, p: _elu(z, p["alpha"]),
    "selu": lambda z, p: p["scale"] * _elu(z, p["alpha"]),
    "celu": lambda z, p: z if z > 0 else p["alpha"] * mpmath.expm1(z / p["alpha"]),
    "softplus": lambda z, _: max(z, mpf(0)) + mpmath.log1p(mpmath.exp(-abs(z))),
    "softsign": lambda z, _: z / (1 + abs(z)),
    "hard-sigmoid": lambda z, _: _clip(z + 3, mpf(0), mpf(6)) / 6,
    "hard-sigmoid-keras2": lambda z, _: _clip(z / 5 + mpf(1) / 2, mpf(0), mpf(1)),
    "hard-tanh": lambda z, _: _clip(z, mpf(-1), mpf(1)),
    "silu": lambda z, _: z / (1 + mpmath.exp(-z)),
    "hard-silu": lambda z, _: z * _clip(z + 3, mpf(0), mpf(6)) / 6,
    "gelu": lambda z, _: z * mpmath.ncdf(z),
    "gelu-tanh": lambda z, _: z / (1 + mpmath.exp(-2 * _gelu_inner(z))),
    "mish": lambda z, _: z * mpmath.tanh(mpmath.log1p(mpmath.exp(z))),
    "log-sigmoid": lambda z, _: min(z, mpf(0)) - mpmath.log1p(mpmath.exp(-abs(z))),
    "squareplus": lambda z, p: (z + mpmath.sqrt(z * z + p["b"])) / 2,
    "tanh-shrink": lambda z, _: z - mpmath.tanh(z),
    "custom": lambda z, _: z / (1 + mpmath.exp(-z)),
}


def _softmax(nets: Sequence[Any]) -> list[Any]:
    powers = [mpmath.exp(net) for net in nets]
    return [power / sum(powers) for power in powers]


PRECISE_VECTORS: dict[str, Callable[[Sequence[Any]], list[Any]]] = {
    "softmax": _softmax,
    "log-softmax": lambda nets: [mpmath.log(value) for value in _softmax(nets)],
    "maxout": lambda nets: [max(nets)],
}


def _tensor(torch: Any, value: Any) -> Any:
    return torch.as_tensor(value, dtype=torch.float64).reshape(1)


def of_torch(torch: Any) -> dict[str, Callable[[Any, Parameters], Any]]:
    """The functions of torch for a tensor of net inputs.

    hardsigmoid, hardswish and celu of torch work with a constant of single precision even for doubles: they are
    written out here.
    """
    functional = torch.nn.functional
    return {
        "linear": lambda z, _: z,
        "step": lambda z, p: torch.where(z == 0, p["at_zero"], (z > 0).double()) + 0 * z,
        "sigmoid": lambda z, _: torch.sigmoid(z),
        "tanh": lambda z, _: torch.tanh(z),
        "relu": lambda z, _: functional.relu(z),
        "leaky-relu": lambda z, p: functional.leaky_relu(z, p["alpha"]),
        "parametric-relu": lambda z, p: functional.prelu(z, _tensor(torch, p["alpha"])),
        "thresholded-relu": lambda z, p: functional.threshold(z, p["theta"], 0),
        "relu6": lambda z, _: functional.relu6(z),
        "elu": lambda z, p: functional.elu(z, p["alpha"]),
        "selu": lambda z, p: p["scale"] * functional.elu(z, p["alpha"]),
        "celu": lambda z, p: torch.where(z > 0, z, p["alpha"] * torch.expm1(torch.clamp(z, max=0) / p["alpha"])),
        "softplus": lambda z, _: functional.softplus(z, threshold=700),
        "softsign": lambda z, _: functional.softsign(z),
        "hard-sigmoid": lambda z, _: torch.clamp(z + 3, 0, 6) / 6,
        "hard-sigmoid-keras2": lambda z, _: torch.clamp(0.2 * z + 0.5, 0, 1),
        "hard-tanh": lambda z, _: functional.hardtanh(z),
        "silu": lambda z, _: functional.silu(z),
        "hard-silu": lambda z, _: z * torch.clamp(z + 3, 0, 6) / 6,
        "gelu": lambda z, _: functional.gelu(z),
        "gelu-tanh": lambda z, _: functional.gelu(z, approximate="tanh"),
        "mish": lambda z, _: functional.mish(z),
        "log-sigmoid": lambda z, _: functional.logsigmoid(z),
        "squareplus": lambda z, p: (z + torch.sqrt(z * z + p["b"])) / 2,
        "tanh-shrink": lambda z, _: functional.tanhshrink(z),
        "softmax": lambda z, _: torch.softmax(z, 0),
        "log-softmax": lambda z, _: torch.log_softmax(z, 0),
        "custom": lambda z, _: functional.silu(z),
    }
