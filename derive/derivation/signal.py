"""The seeded experiment behind an initializer: random layers, and what is left of the second moments behind them.

The numbers come from PCG64, whose raw stream NumPy keeps the same from version to version; it is turned into uniform
numbers (the top 53 bits) and into normal ones (Box and Muller 1958) here, so that a page is the same everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from derive.catalogue import numeric
from derive.catalogue.activations import Activation
from derive.catalogue.initializers import Distribution

Array = NDArray[np.float64]


class Draws:
    """One stream of random numbers."""

    def __init__(self, seed: int) -> None:
        self._stream = np.random.PCG64(seed)

    def unit(self, count: int) -> Array:
        """Uniform numbers in [0, 1)."""
        top = np.asarray(self._stream.random_raw(count) >> np.uint64(11), dtype=np.float64)
        return top * 2.0**-53

    def standard(self, distribution: Distribution, rows: int, columns: int) -> Array:
        """Numbers of mean 0 and variance 1."""
        count = rows * columns
        if distribution == "uniform":
            return (2 * self.unit(count) - 1).reshape(rows, columns) * math.sqrt(3)
        pairs = (count + 1) // 2
        radius, angle = np.sqrt(-2 * np.log1p(-self.unit(pairs))), 2 * np.pi * self.unit(pairs)
        found: Array = np.concatenate((radius * np.cos(angle), radius * np.sin(angle)))
        return found[:count].reshape(rows, columns)


@dataclass(frozen=True, slots=True)
class OneLayer:
    """Means over the weights, net inputs and gradients of one random layer.

    weights    the mean of w²
    inputs     the mean of x²;            nets    the mean of net², net = x @ W
    gradients  the mean of δ² at the nets; back   the mean of (δ @ Wᵀ)², the gradient at the inputs
    """

    weights: float
    inputs: float
    nets: float
    gradients: float
    back: float


@lru_cache(maxsize=16)
def one_layer(
    distribution: Distribution, variance: float, fan_in: int, fan_out: int, samples: int, seed: int
) -> OneLayer:
    """A layer of that size, with normal inputs and normal gradients of `samples` samples."""
    draws = Draws(seed)
    weights = math.sqrt(variance) * draws.standard(distribution, fan_in, fan_out)
    inputs = draws.standard("normal", samples, fan_in)
    gradients = draws.standard("normal", samples, fan_out)
    arrays = (weights, inputs, inputs @ weights, gradients, gradients @ weights.T)
    return OneLayer(*(float(np.mean(array**2)) for array in arrays))


@lru_cache(maxsize=16)
def through(
    row: Activation,
    distribution: Distribution,
    variances: tuple[float, ...],
    width: int,
    layers: int,
    samples: int,
    seed: int,
) -> list[list[float]]:
    """The mean of x² after each of `layers` square layers with activation `row`, for each of the variances.

    All columns see the same standard numbers, times their own deviation; the list begins with the inputs.
    """
    draws = Draws(seed)
    inputs = draws.standard("normal", samples, width)
    current = [inputs for _ in variances]
    found = [[float(np.mean(inputs**2))] for _ in variances]
    for _ in range(layers):
        standard = draws.standard(distribution, width, width)
        for k, variance in enumerate(variances):
            current[k] = numeric.value(row, current[k] @ (math.sqrt(variance) * standard))
            found[k].append(float(np.mean(current[k] ** 2)))
    return found
