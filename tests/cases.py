"""Published worked examples: the inputs of a case file as a problem, the keys of its outputs as quantities.

The case files stand in the folder that DERIVE_CASES names, or in ../shared/cases beside the repository.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

LOSSES = {
    "half_sum_squared_error": "half-squared-error",
    "half_squared_error": "half-squared-error",
    "sum_squared_error": "squared-error",
    "squared_error": "squared-error",
    "mean_squared_error": "mean-squared-error",
    "binary_cross_entropy": "binary-cross-entropy",
    "cross_entropy": "cross-entropy",
    "categorical_cross_entropy": "cross-entropy",
}
WHOLE_DOUBLE = 15
"""A number of at least so many digits is a double as a program prints it, with the roundings of its arithmetic."""

ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid", "leaky_relu": "leaky-relu"}


def folder() -> Path | None:
    """Where the case files are; None when they are not there."""
    named = os.environ.get("DERIVE_CASES", "")
    place = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "cases"
    return place if place.is_dir() else None


@dataclass(frozen=True, slots=True)
class Printed:
    """One number of a case: as printed, and what it is in full precision."""

    key: str
    text: str
    computed: float
    verdict: str
    how: str

    @property
    def value(self) -> Decimal:
        return Decimal(self.text)

    @property
    def half_unit(self) -> Fraction:
        """Half a unit of the last printed place, or the few last bits of a double that is printed whole."""
        digits = self.value.as_tuple()
        assert isinstance(digits.exponent, int)
        half = Fraction(Decimal(5).scaleb(digits.exponent - 1))
        last_bits = max(Fraction(1), abs(Fraction(self.value))) / 2**50
        return half if len(digits.digits) < WHOLE_DOUBLE else max(half, last_bits)


@dataclass(frozen=True, slots=True)
class Case:
    """One published example: `inputs` as in its file."""

    name: str
    kind: str
    inputs: dict[str, Any]
    printed: tuple[Printed, ...]


def cases(kind: str) -> Iterator[Case]:
    """Every case of a kind, in the order of the files; none where there is no folder."""
    place = folder()
    for path in sorted(place.glob("*.toml")) if place else ():
        data = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        if data["kind"] == kind:
            printed = tuple(_printed(entry) for entry in data["outputs"])
            yield Case(data["id"], kind, data.get("inputs", {}), printed)


def _printed(entry: Mapping[str, Any]) -> Printed:
    computed = float(entry["computed"])
    return Printed(entry["key"], entry["published"], computed, entry["verdict"], entry.get("how", ""))


# -- inputs


def network(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A problem for `derive.problem.file.from_dict` from inputs with layers, whatever their shape."""
    rows = inputs["x"]
    sources = list(inputs.get("input_names") or (f"x{i}" for i in range(1, len(rows[0]) + 1)))
    problem: dict[str, Any] = {"inputs": rows, "input_names": sources, "layers": []}
    for layer in inputs["layers"]:
        problem["layers"].append(_layer(layer, sources, inputs.get("biases", {})))
        sources = layer["units"]
    problem |= _loss(inputs)
    if "learning_rate" in inputs and "target" in inputs:
        problem["update"] = {"learning_rate": inputs["learning_rate"], "frozen": list(inputs.get("frozen", ()))}
    return problem


def _loss(inputs: Mapping[str, Any]) -> dict[str, Any]:
    if "target" not in inputs:
        return {}
    loss = {"targets": inputs["target"], "loss": LOSSES[inputs["loss"]]} if "loss" in inputs else {}
    return {"targets": inputs["target"]} | loss | {key: inputs[key] for key in ("reduction", "l2") if key in inputs}


def _layer(layer: Mapping[str, Any], sources: Sequence[str], biases: Mapping[str, Any]) -> dict[str, Any]:
    """A layer with its weights laid out as a row per unit; "" where nothing connects."""
    connections = {(start, end): (name, value) for name, (start, end, value) in layer["weights"].items()}
    unknown = connections.keys() - {(source, unit) for source in sources for unit in layer["units"]}
    if unknown:
        raise ValueError(f"connections from or to what there is not: {sorted(unknown)}")
    grid = [[connections.get((source, unit), ("", "")) for source in sources] for unit in layer["units"]]
    activation = layer["activation"]
    found: dict[str, Any] = {
        "neurons": list(layer["units"]),
        "activation": ACTIVATIONS.get(activation, activation) if isinstance(activation, str) else activation,
        "weight_names": [[name for name, _ in row] for row in grid],
        "weights": [[value for _, value in row] for row in grid],
    }
    of_unit = layer.get("bias", {})
    names = [of_unit.get(unit, "") for unit in layer["units"]]
    if any(names):
        found |= {"bias_names": names, "bias": [biases[name] if name else "" for name in names]}
    return found


# -- keys

_PATTERNS = (
    (r"E_total", "E"),
    (r"E_after_(\d+)", r"E@\1"),
    (r"(o\d*)_after_(\d+)", r"out_\1@\2"),
    (r"d_(\w+)", r"dE/d\1"),
    (r"new_(\w+)", r"\1_new"),
    (r"delta_(\w+)", r"dE/dnet_\1"),
    (r"dact_(\w+)", r"dout_\1/dnet_\1"),
    (r"dE(o\w+)_d(\w+)", r"dE_\1/d\2"),
    (r"dE_(o\w+)_d(\w+)", r"dE_\1/d\2"),
    (r"dE_d(\w+)", r"dE/d\1"),
    (r"d((?:net|out)_\w+?)_d(\w+)", r"d\1/d\2"),
    (r"(net|out|E)_(\w+)", r"\1_\2"),
)


def quantity(key: str) -> str | None:
    """The quantity that a key of a network means; None for a key of one case only."""
    head, bracket, sample = key.partition("[")
    for pattern, name in _PATTERNS:
        if found := re.fullmatch(pattern, head):
            return found.expand(name) + bracket + sample
    return None
