"""First weights: the variances of the catalogue's initializers, written by hand, and draws from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.catalogue.initializers import Initializer

Array = NDArray[Any]

VARIANCES: Mapping[str, Callable[[Mapping[str, float]], float]] = {
    "zeros": lambda _: 0.0,
    "constant": lambda _: 0.0,
    "uniform": lambda p: p["bound"] ** 2 / 3,
    "normal": lambda p: p["deviation"] ** 2,
    "pytorch-linear": lambda p: 1 / (3 * p["fan_in"]),
    "xavier-uniform": lambda p: 2 / (p["fan_in"] + p["fan_out"]),
    "xavier-normal": lambda p: 2 / (p["fan_in"] + p["fan_out"]),
    "he-uniform": lambda p: 2 / ((1 + p["slope"] ** 2) * p["fan_in"]),
    "he-normal": lambda p: 2 / ((1 + p["slope"] ** 2) * p["fan_in"]),
    "lecun-uniform": lambda p: 1 / p["fan_in"],
    "lecun-normal": lambda p: 1 / p["fan_in"],
}
"""Var(w) from fan_in, fan_out and the parameters."""


def draw(
    row: Initializer, shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator, dtype: Any
) -> Array:
    """An array of first weights.  Drawn in doubles, so that both dtypes start from the same network."""
    parameters = {name: float(number.value) for name, number in row.parameters}
    deviation = math.sqrt(VARIANCES[row.name]({"fan_in": fan_in, "fan_out": fan_out} | parameters))
    match row.distribution:
        case "constant":
            return np.full(shape, parameters.get("value", 0.0), dtype)
        case "uniform":
            limit = math.sqrt(3) * deviation
            return generator.uniform(-limit, limit, shape).astype(dtype)
        case "normal":
            return generator.normal(0, deviation, shape).astype(dtype)
