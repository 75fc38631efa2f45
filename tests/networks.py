"""Random networks of every shape that a problem file can describe, for witnesses of their gradients."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from derive.catalogue.activations import ACTIVATIONS
from derive.catalogue.losses import LOSSES
from derive.problem.file import from_dict
from derive.worked import Options, WorkedExample

CUSTOM = "z/(1 + exp(-z))"
SHARED = ("s1", "s2")
POSITIVE = ("sigmoid", "softmax", "softplus")
"""Activations whose outputs have a logarithm."""
KINKED_LOSSES = ("mean-absolute-error", "mean-absolute-percentage-error", "hinge", "multiclass-hinge")
DRAWN = tuple(name for name in LOSSES if name != "categorical-hinge")
"""Shared weights make outputs equal, where the slope of the largest of them is a choice."""


def _number(rng: random.Random, low: float = -1.2, high: float = 1.2) -> Decimal:
    return Decimal(rng.randint(round(low * 100), round(high * 100))) / 100


def _output_activations(loss: str) -> list[str]:
    row = LOSSES[loss]
    if loss == "binary-cross-entropy":
        return ["sigmoid", "softmax"]
    if loss in KINKED_LOSSES:
        return ["linear", "sigmoid", "tanh"]
    return [*ACTIVATIONS, CUSTOM] if row.outputs == "any" else list(POSITIVE)


def _targets(rng: random.Random, loss: str, outputs: int) -> list[Decimal | int]:
    """One-hot rows, distributions, and rows that sum to something else."""
    row = LOSSES[loss]
    if row.targets == "sum-to-one" or (row.labels and rng.random() < 0.7):
        one = rng.randrange(outputs)
        return [int(position == one) for position in range(outputs)]
    if row.targets == "signs":
        return [rng.choice((-1, 1)) for _ in range(outputs)]
    if loss == "binary-cross-entropy" and rng.random() < 0.5:
        return [rng.randint(0, 1) for _ in range(outputs)]
    least = 0.1 if loss == "mean-absolute-percentage-error" else 0
    return [_number(rng, least, 1) for _ in range(outputs)]


def _activation(rng: random.Random, name: str, size: int) -> object:
    row = ACTIVATIONS.get(name)
    if row is not None and row.vector and row.vector.single:
        return {"name": name, "pieces": rng.randint(2, 3)}
    if row is not None and row.vector and size == 1:
        name = "sigmoid"
    if row is not None and "alpha" in dict(row.parameters) and rng.random() < 0.5:
        return {"name": name, "alpha": _number(rng, 0.05, 0.9)}
    return name


def _weights(rng: random.Random, fan_in: int, size: int, first: int, shared: bool, gaps: bool) -> dict[str, Any]:
    """Names and values; some names twice, some connections missing, never all of a neuron's."""
    names: list[list[str]] = []
    for neuron in range(size):
        row = [f"w{first + neuron * fan_in + source}" for source in range(fan_in)]
        kept = rng.randrange(fan_in)
        for source in range(fan_in):
            if shared and rng.random() < 0.3:
                row[source] = rng.choice(SHARED)
            elif gaps and source != kept and rng.random() < 0.3:
                row[source] = ""
        names.append(row)
    common = dict(zip(SHARED, (Decimal("0.45"), Decimal("-0.6")), strict=True))
    values = [[common.get(name, _number(rng)) if name else "" for name in row] for row in names]
    return {"weight_names": names, "weights": values}


def _bias(rng: random.Random, layer: int, size: int, shared: bool) -> dict[str, Any]:
    kind = rng.choice(("none", "one", "each", "threshold"))
    if shared and kind != "none":
        return {"bias": Decimal("0.15"), "bias_names": "c"}
    if kind == "one":
        return {"bias": _number(rng), "bias_names": f"b{layer}"}
    if kind == "none":
        return {}
    found = {"bias": [_number(rng) for _ in range(size)], "bias_names": [f"b{layer}{i}" for i in range(size)]}
    return found | ({"bias_input": -1} if kind == "threshold" else {})


@st.composite
def problems(draw: st.DrawFn, *, most_width: int = 6, most_depth: int = 4, updated: bool = False) -> dict[str, Any]:
    """A problem for `from_dict`: 1 to `most_depth` layers of 1 to `most_width` neurons, one sample or a batch."""
    sizes = draw(st.lists(st.integers(1, most_width), min_size=2, max_size=most_depth + 1))
    loss = draw(st.sampled_from(DRAWN))
    hidden = [draw(st.sampled_from([*ACTIVATIONS, CUSTOM])) for _ in sizes[1:-1]]
    kinds = [*hidden, draw(st.sampled_from(_output_activations(loss)))]
    samples, shared, gaps = draw(st.integers(1, 3)), draw(st.booleans()), draw(st.booleans())
    more: dict[str, Any] = {"reduction": draw(st.sampled_from(("mean", "sum")))}
    if draw(st.booleans()):
        strength = Decimal("0.05")
        more["l2"] = strength if draw(st.booleans()) else {"strength": strength, "half": False}
    rng = random.Random(draw(st.integers(0, 10**6)))
    layers, first = [], 1
    for index, (fan_in, size, kind) in enumerate(zip(sizes, sizes[1:], kinds, strict=False)):
        activation = _activation(rng, kind, size)
        sums = size * (activation.get("pieces", 1) if isinstance(activation, dict) else 1)
        weights = _weights(rng, fan_in, sums, first, shared, gaps)
        first += fan_in * sums
        row = {"neurons": size, "activation": activation}
        layers.append(row | weights | _bias(rng, index, sums, shared))
    if updated:
        more["update"] = {"learning_rate": Decimal("0.1"), "steps": 4}
    return {
        "inputs": [[_number(rng, -2, 2) for _ in range(sizes[0])] for _ in range(samples)],
        "targets": [_targets(rng, loss, sizes[-1]) for _ in range(samples)],
        "loss": loss,
        "layers": layers,
        **more,
    }


@st.composite
def examples(draw: st.DrawFn, /, **sizes: Any) -> WorkedExample:
    """A worked example, its gradients with or without the cancellation of output activation and loss."""
    problem = draw(problems(**sizes))
    return WorkedExample(from_dict(problem), Options(cancel=draw(st.booleans())))
