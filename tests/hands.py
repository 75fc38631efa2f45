"""People who compute networks by hand, each in a manner of their own; nothing here uses the checker.

What somebody writes is a rounding of what they computed; what they go on with is what they wrote, or a digit more of
it, or all that their calculator holds.  Every formula has several forms that textbooks use.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

CUT, EVEN, UP = ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP
SIZES = ((2, 2, 1), (1, 2, 1), (2, 2, 2), (3, 2, 2), (2, 3, 1), (3, 4, 2), (2, 2, 2, 1), (3, 4, 3, 2))


@dataclass(frozen=True)
class Keeps:
    """So many decimals or significant digits, rounded in a mode, in plain or in scientific notation."""

    digits: int
    significant: bool = False
    mode: str = UP
    trims: bool = False
    scientific: bool = False

    def place(self, number: Decimal, more: int = 0) -> int:
        if self.significant:
            return (number.adjusted() if number else 0) - self.digits - more + 1
        return -self.digits - more

    def number(self, value: float, more: int = 0) -> Decimal:
        exact = Decimal(repr(float(f"{value:.13g}")))
        found = exact.quantize(Decimal(1).scaleb(self.place(exact, more)), rounding=self.mode)
        return found.quantize(Decimal(1).scaleb(self.place(found, more)))  # 0.09996 becomes 0.100

    def text(self, value: float) -> str:
        found = self.number(value)
        if self.scientific and found:
            return f"{found:e}"
        text = f"{found:f}"
        return (text.rstrip("0").rstrip(".") or "0") if self.trims and "." in text else text


CARRIES = ("written", "written", "one more", "two more", "calculator", "inside")
"""What is carried on.  Inside: a quantity is worked out in one go on the calculator, from what was written."""


@dataclass(frozen=True)
class Manner:
    """How somebody works."""

    forward: Keeps
    backward: Keeps
    carries: str
    forms: random.Random

    def one_of(self, *ways: str) -> str:
        return self.forms.choice(ways)


@dataclass(frozen=True)
class Task:
    """A network with its numbers; weights[layer][unit][source]."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    weights: Sequence[Sequence[Sequence[Decimal]]]
    biases: Sequence[Sequence[Decimal]]
    inputs: Sequence[Decimal]
    targets: Sequence[Decimal]
    rate: Decimal

    def units(self, layer: int) -> list[str]:
        letter = "o" if layer == len(self.sizes) - 2 else "hg"[layer]
        return [f"{letter}{place + 1}" for place in range(self.sizes[layer + 1])]

    def weight(self, layer: int, unit: int, source: int) -> str:
        return f"w{layer + 1}{unit + 1}{source + 1}"

    def problem(self) -> dict[str, Any]:
        layers = []
        for layer, (fan_in, size) in enumerate(pairwise(self.sizes)):
            layers.append({
                "neurons": self.units(layer),
                "activation": self.activations[layer],
                "weight_names": [[self.weight(layer, u, s) for s in range(fan_in)] for u in range(size)],
                "weights": [list(row) for row in self.weights[layer]],
                "bias_names": [f"b{layer + 1}{unit + 1}" for unit in range(size)],
                "bias": list(self.biases[layer]),
            })
        return {
            "inputs": [list(self.inputs)], "targets": [list(self.targets)], "loss": self.loss, "layers": layers,
            "update": {"learning_rate": self.rate},
        }  # fmt: skip


ENDS = {
    "half-squared-error": ("sigmoid", "tanh", "linear"), "squared-error": ("sigmoid", "tanh"),
    "mean-squared-error": ("sigmoid", "linear"), "binary-cross-entropy": ("sigmoid",), "cross-entropy": ("softmax",),
}  # fmt: skip


def task(rng: random.Random, sizes: tuple[int, ...], loss: str = "") -> Task:
    losses = [name for name in ENDS if name != "cross-entropy" or sizes[-1] > 1]
    loss = loss or rng.choice(losses)
    kinds = (*(rng.choice(("sigmoid", "tanh", "relu")) for _ in sizes[2:]), rng.choice(ENDS[loss]))

    def some(count: int, low: int, high: int) -> list[Decimal]:
        places = rng.choice((1, 2, 2, 3))
        return [Decimal(rng.randint(low, high) or 1).scaleb(-2).quantize(Decimal(1).scaleb(-places)) or Decimal("0.1")
                for _ in range(count)]  # fmt: skip

    weights = [[some(fan_in, -99, 99) for _ in range(size)] for fan_in, size in pairwise(sizes)]
    biases = [some(size, -60, 60) for size in sizes[1:]]
    targets = some(sizes[-1], 1, 99)
    if loss == "cross-entropy":
        hot = rng.randrange(sizes[-1])
        targets = [Decimal(int(place == hot)) for place in range(sizes[-1])]
    elif loss == "binary-cross-entropy":
        targets = [min(each, Decimal("0.9")) if rng.random() < 0.6 else Decimal(rng.randint(0, 1)) for each in targets]
    rate = Decimal(rng.choice(("0.1", "0.5", "0.25", "0.05", "1", "0.01")))
    return Task(sizes, kinds, loss, weights, biases, some(sizes[0], 5, 150), targets, rate)


class Hand:
    """Somebody at work on a task; `written` is the answer sheet, raises ArithmeticError where they get stuck."""

    def __init__(self, task: Task, manner: Manner) -> None:
        self.task, self.manner = task, manner
        self.written: dict[str, str] = {}
        self._keeps = manner.forward

    # --- rounding ------------------------------------------------------------------------------------------------

    def on_the_way(self, value: float) -> float:
        """An intermediate result that is no quantity of its own."""
        more = {"written": 0, "one more": 1, "two more": 2}.get(self.manner.carries)
        if more is None:
            return value
        return float(self._keeps.number(value, more))

    def note(self, name: str, value: float) -> float:
        """Write a quantity down; what is carried on of it."""
        self.written[name] = self._keeps.text(value)
        if self.manner.carries == "calculator":
            return value
        more = {"one more": 1, "two more": 2}.get(self.manner.carries, 0)
        return float(self._keeps.number(value, more))

    def product(self, *factors: float) -> float:
        """In any order, rounding on the way or not, the last step never."""
        parts = list(factors)
        if self.manner.forms.random() < 0.6:
            self.manner.forms.shuffle(parts)
        if self.manner.forms.random() < 0.4:
            return math.prod(parts)
        while len(parts) > 2:
            a, b = parts.pop(0), parts.pop(0)
            parts.insert(self.manner.forms.choice((0, len(parts))), self.on_the_way(a * b))
        return math.prod(parts)

    def total(self, terms: Sequence[float]) -> float:
        parts = list(terms)
        if self.manner.forms.random() < 0.4:
            self.manner.forms.shuffle(parts)
        if self.manner.forms.random() < 0.5:
            return math.fsum(parts)
        found = parts[0]
        for place, part in enumerate(parts[1:]):
            found = found + part if place == len(parts) - 2 else self.on_the_way(found + part)
        return found

    def either(self, value: float) -> float:
        """Rounded on the way, or not."""
        return self.on_the_way(value) if self.manner.forms.random() < 0.6 else value

    # --- forward -------------------------------------------------------------------------------------------------

    def work(self) -> dict[str, str]:
        task = self.task
        outs = [float(each) for each in task.inputs]
        layers = [outs]
        for layer, kind in enumerate(task.activations):
            nets = []
            for unit, row in enumerate(task.weights[layer]):
                terms = [self.either(float(weight) * out) for weight, out in zip(row, outs, strict=True)]
                bias = float(task.biases[layer][unit])
                terms = [bias, *terms] if self.manner.forms.random() < 0.3 else [*terms, bias]
                nets.append(self.note(f"net_{task.units(layer)[unit]}", self.total(terms)))
            outs = self.softmax(nets) if kind == "softmax" else [self.activation(kind, net) for net in nets]
            outs = [self.note(f"out_{name}", out) for name, out in zip(task.units(layer), outs, strict=True)]
            layers.append(outs)
            last_nets = nets
        self.error(layers[-1], last_nets)
        self.backward(layers)
        return self.written

    def activation(self, kind: str, net: float) -> float:
        r, way = self.either, self.manner.one_of
        if kind == "relu":
            return max(0.0, net)
        if kind == "linear":
            return net
        if kind == "sigmoid":
            match way("button", "steps", "positive"):
                case "steps":
                    return 1 / r(1 + r(math.exp(-net)))
                case "positive":
                    power = r(math.exp(net))
                    return power / r(1 + power)
            return 1 / (1 + math.exp(-net))
        match way("button", "twice", "powers", "sigmoid", "falling"):
            case "twice":
                power = r(math.exp(2 * net))
                return r(power - 1) / r(power + 1)
            case "powers":
                a, b = r(math.exp(net)), r(math.exp(-net))
                return r(a - b) / r(a + b)
            case "sigmoid":
                return 2 * r(1 / (1 + math.exp(-2 * net))) - 1
            case "falling":
                power = r(math.exp(-2 * net))
                return r(1 - power) / r(1 + power)
        return math.tanh(net)

    def softmax(self, nets: Sequence[float]) -> list[float]:
        r = self.on_the_way
        match self.manner.one_of("powers", "shifted", "button"):
            case "powers":
                powers = [r(math.exp(net)) for net in nets]
                total = r(math.fsum(powers))
                return [power / total for power in powers]
            case "shifted":
                powers = [r(math.exp(r(net - max(nets)))) for net in nets]
                total = r(math.fsum(powers))
                return [power / total for power in powers]
        total = math.fsum(math.exp(net) for net in nets)
        return [math.exp(net) / total for net in nets]

    def error(self, outs: Sequence[float], nets: Sequence[float]) -> None:
        task, r, forms = self.task, self.either, self.manner.forms
        pairs = [(float(target), out) for target, out in zip(task.targets, outs, strict=True)]
        if task.loss == "cross-entropy":
            (hot,) = (place for place, (target, _) in enumerate(pairs) if target)
            if self.manner.one_of("log", "sum") == "sum":
                self.note("E", r(math.log(r(math.fsum(r(math.exp(net)) for net in nets)))) - nets[hot])
            else:
                self.note("E", -math.log(outs[hot]))
            return
        if task.loss == "binary-cross-entropy":
            parts = []
            for target, out in pairs:
                terms = [r(target * r(math.log(out)))] if target else []
                terms += [r((1 - target) * r(math.log(r(1 - out))))] if target != 1 else []
                parts.append(-math.fsum(terms))
        else:
            parts = [r(r(target - out) ** 2) for target, out in pairs]
            factor = {"half-squared-error": 0.5, "squared-error": 1.0, "mean-squared-error": 1 / len(pairs)}[task.loss]
            if len(parts) == 1 or forms.random() < 0.5:
                parts = [part * factor for part in parts]
            else:
                self.note("E", self.total(parts) * factor)
                return
        if len(parts) > 1:
            names = task.units(len(task.sizes) - 2)
            parts = [self.note(f"E_{name}", part) for name, part in zip(names, parts, strict=True)]
        self.note("E", self.total(parts))

    # --- backward ------------------------------------------------------------------------------------------------

    def slope(self, kind: str, out: float) -> float:
        r = self.either
        if kind in ("linear", "relu"):
            return 1.0 if kind == "linear" or out > 0 else 0.0
        if kind == "sigmoid":
            taken_off = self.manner.one_of("product", "difference") == "difference"
            return out - r(out * out) if taken_off else out * r(1 - out)
        if self.manner.one_of("square", "product") == "square":
            return 1 - r(out * out)
        return r(1 - out) * r(1 + out)

    def output_delta(self, kind: str, out: float, target: float, name: str) -> tuple[float, list[float]]:
        """∂E/∂net of an output unit, and the factors that it is made of."""
        r, loss, count = self.either, self.task.loss, self.task.sizes[-1]
        if loss in ("cross-entropy", "binary-cross-entropy"):
            if loss == "binary-cross-entropy":
                self.note(f"dE/dout_{name}", self.binary_slope(out, target))
            delta = out - target if self.manner.forms.random() < 0.5 else -(target - out)
            delta = self.note(f"dE/dnet_{name}", delta)
            return delta, [delta]
        factor = {"half-squared-error": 1.0, "squared-error": 2.0, "mean-squared-error": 2 / count}[loss]
        match self.manner.one_of("straight", "minus", "half"):
            case "minus":
                error = -factor * r(target - out)
            case "half":
                error = 2 * (factor / 2 * r(out - target))
            case _:
                error = factor * r(out - target)
        error = self.note(f"dE/dout_{name}", error)
        if kind == "linear":
            return self.note(f"dE/dnet_{name}", error), [error]
        slope = self.note(f"dout_{name}/dnet_{name}", self.slope(kind, out))
        factors = [error, slope]
        if kind == "sigmoid" and self.manner.forms.random() < 0.3:
            factors = [error, out, r(1 - out)]
        return self.note(f"dE/dnet_{name}", self.product(*factors)), factors

    def binary_slope(self, out: float, target: float) -> float:
        r = self.either
        if target in (0.0, 1.0):
            return -1 / out if target else 1 / r(1 - out)
        match self.manner.one_of("terms", "quotient", "turned"):
            case "terms":
                return -r(target / out) + r(r(1 - target) / r(1 - out))
            case "turned":
                return -(r(target / out) - r((1 - target) / r(1 - out)))
        return r(out - target) / r(out * r(1 - out))

    def backward(self, layers: Sequence[Sequence[float]]) -> None:
        task, last = self.task, len(self.task.activations) - 1
        self._keeps = self.manner.backward
        names = task.units(last)
        found = [
            self.output_delta(task.activations[last], out, float(target), name)
            for out, target, name in zip(layers[-1], task.targets, names, strict=True)
        ]
        deltas = [delta for delta, _ in found]
        chains: list[Sequence[float]] = [factors for _, factors in found]
        for layer in range(last, -1, -1):
            self.gradients(layer, deltas, chains, layers[layer])
            if layer:
                deltas, chains = self.behind(layer, deltas, layers[layer])

    def gradients(
        self, layer: int, deltas: Sequence[float], chains: Sequence[Sequence[float]], outs: Sequence[float]
    ) -> None:
        task, r, rate = self.task, self.either, float(self.task.rate)
        for unit, delta in enumerate(deltas):
            bias = f"b{layer + 1}{unit + 1}"
            gradient = self.note(f"dE/d{bias}", delta)
            self.note(f"{bias}_new", float(task.biases[layer][unit]) - r(rate * gradient))
            for source, out in enumerate(outs):
                weight = task.weight(layer, unit, source)
                factors = [*chains[unit], out] if self.manner.forms.random() < 0.3 else [delta, out]
                gradient = self.note(f"dE/d{weight}", self.product(*factors))
                before = float(task.weights[layer][unit][source])
                match self.manner.one_of("plain", "rate first", "sum"):
                    case "rate first":
                        new = before - r(r(rate * delta) * out)
                    case "sum":
                        new = before + r(-rate * gradient)
                    case _:
                        new = before - r(rate * gradient)
                self.note(f"{weight}_new", new)

    def behind(
        self, layer: int, deltas: Sequence[float], outs: Sequence[float]
    ) -> tuple[list[float], list[Sequence[float]]]:
        task, r, kind = self.task, self.either, self.task.activations[layer - 1]
        found: list[float] = []
        chains: list[Sequence[float]] = []
        for source, out in enumerate(outs):
            name = task.units(layer - 1)[source]
            weights = [float(row[source]) for row in task.weights[layer]]
            terms = [r(delta * weight) for delta, weight in zip(deltas, weights, strict=True)]
            whole = self.note(f"dE/dout_{name}", self.total(terms))
            slope = self.slope(kind, out)
            if kind in ("sigmoid", "tanh"):
                slope = self.note(f"dout_{name}/dnet_{name}", slope)
            factors = [whole, slope]
            if len(terms) > 1 and self.manner.forms.random() < 0.2:  # bracket multiplied out
                delta = self.total([r(term * slope) for term in terms])
            else:
                delta = self.product(*factors)
            found.append(self.note(f"dE/dnet_{name}", delta))
            chains.append(factors)
        return found, chains


def manner(rng: random.Random, carries: str = "") -> Manner:
    """A person: rounding, what they carry on, and the forms that they like."""
    significant = rng.random() < 0.3
    digits = rng.choice((3, 4, 5)) if significant else rng.choice((2, 3, 4, 5, 6))
    mode = rng.choice((UP, UP, EVEN, CUT))
    forward = Keeps(digits, significant, mode, rng.random() < 0.15, significant and rng.random() < 0.3)
    backward = forward
    if rng.random() < 0.25 and not significant:
        backward = Keeps(digits + rng.choice((1, 2)), False, mode, forward.trims)
    return Manner(forward, backward, carries or rng.choice(CARRIES), random.Random(rng.random()))
