"""Students who round by hand: random networks, and what somebody writes who rounds every step.

Nothing here uses the checker.  A student who knows networks computes with plain floats, rounds after every operation
and groups as they like; a `Follower` follows any definitions, also wrong ones.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

from derive.formula.expression import (
    Call,
    Cases,
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

MODES = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)
SHAPES = ((2, 2, 1), (2, 2, 2), (2, 3, 1), (3, 2, 2), (3, 4, 2), (2, 3, 2, 1), (3, 4, 3, 2))


@dataclass(frozen=True)
class Rounding:
    """How a student rounds: to decimals or significant digits, in a mode; `trims` leaves last zeros out."""

    decimals: int | None
    significant: int | None
    mode: str
    trims: bool = False

    def text(self, value: float) -> str:
        number = Decimal(repr(float(f"{value:.13g}")))
        if self.decimals is not None:
            place = -self.decimals
        else:
            assert self.significant is not None
            place = (number.adjusted() if number else 0) - self.significant + 1
        rounded = number.quantize(Decimal(1).scaleb(place), rounding=self.mode)
        text = format(rounded, "f")
        if self.trims and "." in text:
            text = text.rstrip("0").rstrip(".")
        return text

    def __call__(self, value: float) -> float:
        return float(self.text(value))


@dataclass(frozen=True)
class Network:
    """A fully connected network with given numbers of two decimals; one activation for each layer."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    given: Mapping[str, Decimal]

    @property
    def eta(self) -> Decimal:
        return Decimal("0.5")

    def weight(self, layer: int, unit: int, source: int) -> str:
        before = sum(self.sizes[each] * self.sizes[each + 1] for each in range(layer))
        return f"w{before + unit * self.sizes[layer] + source + 1}"

    def bias(self, layer: int, unit: int) -> str:
        return f"b{sum(self.sizes[1 : layer + 1]) + unit + 1}"

    def unit(self, layer: int, unit: int) -> str:
        if layer == len(self.sizes) - 2:
            return f"o{unit + 1}"
        return f"h{unit + 1}" if len(self.sizes) == 3 else f"h{layer + 1}{unit + 1}"

    def problem(self) -> dict[str, Any]:
        """As `derive.problem.file.from_dict` takes it."""
        layers = []
        for layer, (fan_in, size) in enumerate(pairwise(self.sizes)):
            names = [[self.weight(layer, unit, source) for source in range(fan_in)] for unit in range(size)]
            biases = [self.bias(layer, unit) for unit in range(size)]
            layers.append({
                "neurons": [self.unit(layer, unit) for unit in range(size)],
                "activation": self.activations[layer],
                "weight_names": names,
                "weights": [[self.given[name] for name in row] for row in names],
                "bias_names": biases,
                "bias": [self.given[name] for name in biases],
            })
        inputs = [f"x{place + 1}" for place in range(self.sizes[0])]
        targets = [f"y{place + 1}" for place in range(self.sizes[-1])] if self.sizes[-1] > 1 else ["y"]
        return {
            "inputs": [[self.given[name] for name in inputs]],
            "input_names": inputs,
            "targets": [[self.given[name] for name in targets]],
            "loss": "cross-entropy" if self.activations[-1] == "softmax" else "half-squared-error",
            "layers": layers,
            "update": {"learning_rate": self.eta},
        }


def network(rng: random.Random, shape: tuple[int, ...], activations: tuple[str, ...]) -> Network:
    """Random numbers in that shape; a softmax has one-hot targets."""
    names: dict[str, Decimal] = {}
    empty = Network(shape, activations, names)
    for layer, (fan_in, size) in enumerate(pairwise(shape)):
        for unit in range(size):
            for source in range(fan_in):
                names[empty.weight(layer, unit, source)] = _number(rng, -90, 90)
            names[empty.bias(layer, unit)] = _number(rng, -60, 60)
    for place in range(shape[0]):
        names[f"x{place + 1}"] = _number(rng, 5, 150)
    if activations[-1] == "softmax":
        hot = rng.randrange(shape[-1])
        names |= {f"y{place + 1}": Decimal(int(place == hot)) for place in range(shape[-1])}
    else:
        for place in range(shape[-1]):
            names[f"y{place + 1}" if shape[-1] > 1 else "y"] = _number(rng, 1, 99)
    return empty


def _number(rng: random.Random, low: int, high: int) -> Decimal:
    found = 0
    while not found:
        found = rng.randint(low, high)
    return Decimal(found) / 100


def _total(parts: Sequence[float]) -> float:
    """A sum as a pocket calculator makes it, in decimals: 0.3 − 0.2999 is 0.0001 and not a little less."""
    return round(math.fsum(parts), 15)


class Student:
    """Somebody who computes a network and rounds after every operation; `regroups` multiplies and adds in any order."""

    def __init__(self, net: Network, rounding: Rounding, rng: random.Random, *, regroups: bool) -> None:
        self._net, self._round, self._rng, self._regroups = net, rounding, rng, regroups
        self.numbers: dict[str, float] = {}

    def answers(self) -> dict[str, str]:
        """Every quantity as this student writes it."""
        self._forward()
        self._backward()
        return {name: self._round.text(value) for name, value in self.numbers.items()}

    def _may(self, chance: float = 0.5) -> bool:
        return self._regroups and self._rng.random() < chance

    def _product(self, factors: Sequence[float]) -> float:
        parts = list(factors)
        if len(parts) == 2 and self._may(0.2):
            return self._round(parts[0] * parts[1])
        while len(parts) > 1:
            first = self._rng.randrange(len(parts)) if self._regroups else 0
            a = parts.pop(first)
            b = parts.pop(self._rng.randrange(len(parts)) if self._regroups else 0)
            parts.insert(0, self._round(a * b))
        return parts[0]

    def _sum(self, terms: Sequence[float]) -> float:
        parts = list(terms)
        if self._regroups:
            self._rng.shuffle(parts)
        if self._may():
            return self._round(_total(parts))
        total = parts[0]
        for part in parts[1:]:
            total = self._round(_total((total, part)))
        return total

    def _forward(self) -> None:
        net = self._net
        outs = [float(net.given[f"x{place + 1}"]) for place in range(net.sizes[0])]
        self.layers = [outs]
        for layer, size in enumerate(net.sizes[1:]):
            nets = [self._net_input(layer, unit, outs) for unit in range(size)]
            outs = self._outputs(net.activations[layer], nets)
            self.layers.append(outs)
            for unit in range(size):
                self.numbers[f"net_{net.unit(layer, unit)}"] = nets[unit]
                self.numbers[f"out_{net.unit(layer, unit)}"] = outs[unit]

    def _net_input(self, layer: int, unit: int, outs: Sequence[float]) -> float:
        net, whole = self._net, self._may(0.3)
        terms = [float(net.given[net.weight(layer, unit, source)]) * out for source, out in enumerate(outs)]
        if not whole:
            terms = [self._round(term) for term in terms]
        terms.append(float(net.given[net.bias(layer, unit)]))
        return self._round(_total(terms)) if whole else self._round(self._sum(terms))

    def _outputs(self, kind: str, nets: Sequence[float]) -> list[float]:
        r = self._round
        if kind == "softmax":
            if self._may():
                top = max(nets)
                total = math.fsum(math.exp(z - top) for z in nets)
                return [r(math.exp(z - top) / total) for z in nets]
            powers = [r(math.exp(z)) for z in nets]
            total = r(math.fsum(powers))
            return [r(power / total) for power in powers]
        if kind == "sigmoid":
            return [r(1 / (1 + math.exp(-z))) if self._may() else r(1 / r(1 + r(math.exp(-z)))) for z in nets]
        if kind == "tanh":
            return [r(math.tanh(z)) for z in nets]
        return [max(0.0, z) if kind == "relu" else z for z in nets]

    def _slope(self, kind: str, out: float) -> list[float]:
        """The factors of dout/dnet, multiplied already or not."""
        if kind == "sigmoid":
            factors = [out, self._round(1 - out)]
            return factors if self._may() else [self._round(factors[0] * factors[1])]
        if kind == "tanh":
            return [self._round(1 - self._round(out * out))] if not self._may() else [self._round(1 - out * out)]
        return [1.0 if kind != "relu" or out > 0 else 0.0]

    def _backward(self) -> None:
        net, last = self._net, len(self._net.sizes) - 2
        targets = [f"y{place + 1}" for place in range(net.sizes[-1])] if net.sizes[-1] > 1 else ["y"]
        wanted = [float(net.given[name]) for name in targets]
        outs = self.layers[-1]
        kind = net.activations[last]
        deltas, chains = [], []
        for unit, (out, target) in enumerate(zip(outs, wanted, strict=True)):
            error = self._round(out - target)
            chain = [error] if kind == "softmax" else [error, *self._slope(kind, out)]
            self.numbers[f"dE/dnet_{net.unit(last, unit)}"] = delta = self._product(chain)
            deltas.append(delta)
            chains.append(chain)
        self.numbers["E"] = self._loss(outs, wanted, kind)
        for layer in range(last, -1, -1):
            self._gradients(layer, deltas, chains)
            if layer:
                deltas, chains = self._behind(layer, deltas)

    def _loss(self, outs: Sequence[float], wanted: Sequence[float], kind: str) -> float:
        r = self._round
        if kind == "softmax":
            right = next(out for out, target in zip(outs, wanted, strict=True) if target)
            if not right:
                raise ZeroDivisionError  # nobody writes a logarithm of 0
            return r(-r(math.log(right)))
        halves = []
        for out, target in zip(outs, wanted, strict=True):
            error = r(target - out)
            halves.append(r(0.5 * error * error) if self._may() else r(r(error * error) / 2))
        return self._sum(halves)

    def _gradients(self, layer: int, deltas: Sequence[float], chains: Sequence[Sequence[float]]) -> None:
        net, r = self._net, self._round
        for unit, delta in enumerate(deltas):
            name = net.unit(layer, unit)
            self.numbers.setdefault(f"dE/dnet_{name}", delta)
            for source, out in enumerate(self.layers[layer]):
                weight = net.weight(layer, unit, source)
                factors = [*chains[unit], out] if self._may() else [delta, out]
                gradient = self._product(factors)
                self.numbers[f"dE/d{weight}"] = gradient
                step = float(net.eta) * gradient
                new = float(net.given[weight]) - (step if self._may() else r(step))
                self.numbers[f"{weight}_new"] = r(new)

    def _behind(self, layer: int, deltas: Sequence[float]) -> tuple[list[float], list[list[float]]]:
        net = self._net
        found, chains = [], []
        for source in range(net.sizes[layer]):
            terms = [
                self._round(delta * float(net.given[net.weight(layer, unit, source)]))
                for unit, delta in enumerate(deltas)
            ]
            total = self._sum(terms) if len(terms) > 1 else terms[0]
            chain = [total, *self._slope(net.activations[layer - 1], self.layers[layer][source])]
            found.append(self._product(chain))
            chains.append(chain)
        return found, chains


class Follower:
    """Somebody who evaluates definitions, right or wrong ones, and rounds after every operation."""

    def __init__(
        self, definitions: Callable[[str], Expr | None], given: Mapping[str, float], rounding: Rounding
    ) -> None:
        self._definitions, self._given, self._round = definitions, given, rounding
        self.numbers: dict[str, float] = {}

    def value(self, name: str) -> float:
        if name in self._given:
            return self._given[name]
        if name not in self.numbers:
            definition = self._definitions(name)
            assert definition is not None, name
            found = self._of(definition)
            self.numbers[name] = found if isinstance(definition, Name | Number) else self._round(found)
        return self.numbers[name]

    def text(self, name: str) -> str:
        return self._round.text(self.value(name))

    def _inside(self, expr: Expr) -> float:
        found = self._of(expr)
        return found if isinstance(expr, Name | Number) else self._round(found)

    def _of(self, expr: Expr) -> float:  # noqa: C901  # one line for each kind of node
        match expr:
            case Number(value):
                return float(value)
            case Name(name):
                return self.value(name)
            case Negative(arg):
                return -self._of(arg)
            case Sum() | Series():
                return math.fsum(self._inside(term) for term in children(expr))
            case Product(factors):
                total = self._inside(factors[0])
                for factor in factors[1:-1]:
                    total = self._round(total * self._inside(factor))
                return total * self._inside(factors[-1])
            case Quotient(top, bottom):
                return self._inside(top) / self._inside(bottom)
            case Power(base, exponent):
                return float(self._inside(base) ** self._inside(exponent))
            case Call(function, args):
                return self._called(function, [self._inside(arg) for arg in args])
            case Cases(pieces, otherwise):
                for piece, test in pieces:
                    a, b = self._inside(test.left), self._inside(test.right)
                    if {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b}[test.relation]:
                        return self._of(piece)
                return self._of(otherwise)

    def _called(self, function: str, args: list[float]) -> float:
        z = args[0] if args else 0.0
        table: dict[str, Callable[[], float]] = {
            "sigmoid": lambda: 1 / (1 + math.exp(-z)),
            "tanh": lambda: math.tanh(z),
            "relu": lambda: max(0.0, z),
            "linear": lambda: z,
            "leaky_relu": lambda: z if z > 0 else 0.01 * z,
            "softplus": lambda: math.log(1 + math.exp(z)),
            "sin": lambda: math.sin(z),
            "cos": lambda: math.cos(z),
            "exp": lambda: math.exp(z),
            "ln": lambda: math.log(z),
            "log": lambda: math.log(z),
            "sqrt": lambda: math.sqrt(z),
            "abs": lambda: abs(z),
            "max": lambda: max(args),
            "min": lambda: min(args),
            "pi": lambda: math.pi,
        }
        return table[function]()
