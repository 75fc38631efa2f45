"""The networks that are measured: as problems of `derive`, and composed into one formula for SymPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def problem(
    sizes: Sequence[int], hidden: str = "sigmoid", output: str = "sigmoid", loss: str = "half-squared-error"
) -> str:
    """A problem file without numbers: inputs, neurons of each layer."""
    targets = ", ".join(f'"y{k}"' for k in range(1, sizes[-1] + 1))
    head = f'inputs = {sizes[0]}\ntarget_names = [{targets}]\nloss = "{loss}"\n'
    layers = [
        f'[[layers]]\nneurons = {size}\nactivation = "{output if last else hidden}"\nbias = true\n'
        for size, last in ((size, place == len(sizes) - 1) for place, size in enumerate(sizes) if place)
    ]
    return head + "".join(layers)


def composed_loss(sizes: Sequence[int]) -> tuple[Any, list[Any]]:
    """½ Σ (y − o)² with every sigmoid neuron put into the next, and its parameters."""
    import sympy

    values: list[Any] = list(sympy.symbols(f"x1:{sizes[0] + 1}"))
    parameters: list[Any] = []
    for layer, size in enumerate(sizes[1:], 1):
        following = []
        for neuron in range(1, size + 1):
            weights = sympy.symbols(f"w{layer}_{neuron}_1:{len(values) + 1}")
            bias = sympy.Symbol(f"b{layer}_{neuron}")
            parameters += [*weights, bias]
            net = sympy.Add(*(weight * value for weight, value in zip(weights, values, strict=True)), bias)
            following.append(1 / (1 + sympy.exp(-net)))
        values = following
    targets = sympy.symbols(f"y1:{sizes[-1] + 1}")
    loss = sympy.Add(*(sympy.Rational(1, 2) * (y - o) ** 2 for y, o in zip(targets, values, strict=True)))
    return loss, parameters
