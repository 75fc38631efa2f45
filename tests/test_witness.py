"""Gradients against witnesses that share no code with the package: mpmath differences and torch's autograd.

Both work from the structure of the network alone and compute the forward pass in their own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import mpmath
import pytest
from hypothesis import HealthCheck, assume, given, settings

import networks
import witness_activations
import witness_losses
from derive.catalogue.activations import ACTIVATIONS, Activation
from derive.catalogue.losses import LOSSES
from derive.problem.model import Layer, Network
from derive.worked import WorkedExample

STEP = mpmath.mpf(10) ** -14
QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


# -- one forward pass, in any arithmetic that Python's operators know


class Pass:
    """The loss of a network; `number` gives what a given name stands for, `nudge` what is added to a node."""

    def __init__(
        self, network: Network, functions: Any, number: Callable[[str], Any], nudge: Mapping[str, Any] | None = None
    ) -> None:
        self._network = network
        self._functions = functions
        self._number = number
        self._nudge = nudge or {}
        self.nodes: dict[str, Any] = {}
        self.gaps: list[Any] = []

    def loss(self) -> Any:
        network = self._network
        samples = [self._sample(f"[{k}]" if network.samples > 1 else "") for k in range(1, network.samples + 1)]
        total = sum(samples)
        if network.reduction == "mean":
            total = total / network.samples
        if network.penalty:
            strength = self._functions.real(network.penalty.strength.value)
            names = {name for layer in network.layers for row in _rows(layer) for name in row if name}
            squares = sum(self._number(name) ** 2 for name in sorted(names))
            total = total + (strength / 2 if network.penalty.half else strength) * squares
        return total

    def _sample(self, suffix: str) -> Any:
        signals = [self._number(name + suffix) for name in self._network.inputs]
        for layer in self._network.layers:
            signals = self._layer(layer, signals, suffix)
        targets = [self._number(name + suffix) for name in self._network.targets]
        return witness_losses.loss(self._network.loss, targets, signals, self._functions)

    def _layer(self, layer: Layer, signals: Sequence[Any], suffix: str) -> list[Any]:
        if layer.pieces:
            return self._largest(layer, signals, suffix)
        nets = []
        for neuron, row, bias in zip(layer.neurons, _rows(layer), layer.biases, strict=True):
            net = sum(self._number(name) * signal for name, signal in zip(row, signals, strict=True) if name)
            if bias:
                net = net + self._number(bias) * self._functions.real(layer.bias_input.value)
            nets.append(self._kept(f"net_{neuron}{suffix}", net))
        parameters = {key: self._functions.real(value.value) for key, value in layer.activation.parameters}
        parameters |= {key: self._number(name) for key, name in layer.trained}
        outs = self._functions.activate(layer.activation, nets, parameters)
        return [self._kept(f"out_{name}{suffix}", out) for name, out in zip(layer.neurons, outs, strict=True)]

    def _largest(self, layer: Layer, signals: Sequence[Any], suffix: str) -> list[Any]:
        outs = []
        for k, neuron in enumerate(layer.neurons):
            pieces = signals[k * layer.pieces : (k + 1) * layer.pieces]
            self.gaps += [abs(one - other) for one, other in combinations(pieces, 2)]
            outs.append(self._kept(f"out_{neuron}{suffix}", self._kept(f"net_{neuron}{suffix}", max(pieces))))
        return outs

    def _kept(self, name: str, value: Any) -> Any:
        value = value + self._nudge.get(name, 0)
        self.nodes[name] = value
        return value


def _rows(layer: Layer) -> Iterator[list[str | None]]:
    for neuron in range(len(layer.neurons)):
        yield [layer.weights.name(neuron, source) for source in range(layer.weights.fan_in)]


class Precise:
    """mpmath with 40 digits."""

    exp, ln = staticmethod(mpmath.exp), staticmethod(mpmath.ln)

    @staticmethod
    def real(value: Any) -> Any:
        return mpmath.mpf(value.numerator) / value.denominator

    @staticmethod
    def activate(row: Activation, nets: list[Any], parameters: Mapping[str, Any]) -> list[Any]:
        if row.vector:
            return witness_activations.PRECISE_VECTORS[row.name](nets)
        return [witness_activations.PRECISE[row.name](net, parameters) for net in nets]


def _numbers(example: WorkedExample) -> dict[str, Any]:
    return {name: Precise.real(value.value) for name, value in example.problem.given.items()}


def _network(example: WorkedExample) -> Network:
    body = example.problem.body
    assert isinstance(body, Network)
    return body


def _precise(example: WorkedExample, nudge: Mapping[str, Any] | None = None) -> Pass:
    numbers, nudge = _numbers(example), nudge or {}
    return Pass(_network(example), Precise, lambda name: numbers[name] + nudge.get(name, 0), nudge)


def _stay_off_kinks(example: WorkedExample, nodes: Mapping[str, Any], gaps: Sequence[Any]) -> None:
    """Skip a network with a net input at a kink of its activation, or with two equal pieces of a maxout neuron."""
    layers = [layer for layer in _network(example).layers if not layer.pieces]
    kinks = {name: _kinks(layer.activation) for layer in layers for name in layer.neurons}
    for name, value in nodes.items():
        head = name.partition("[")[0]
        for at in kinks.get(head.removeprefix("net_"), ()) if head.startswith("net_") else ():
            assume(abs(value - at) >= 1e-9)
    assume(all(gap >= 1e-9 for gap in gaps))


def _kinks(row: Activation) -> list[float]:
    values = {key: float(value.value) for key, value in row.parameters}
    return [values[kink.at] if kink.at in values else float(kink.at) for kink in row.kinks]


def _wanted(example: WorkedExample, nodes: Mapping[str, Any], most: int) -> list[str]:
    """Parameters, inputs and nodes; of more than `most` every second, third …"""
    network = _network(example)
    suffixes = [f"[{k}]" for k in range(1, network.samples + 1)] if network.samples > 1 else [""]
    inputs = [name + suffix for suffix in suffixes for name in network.inputs]
    names = [*network.parameters(), *inputs, *nodes]
    return names[:: -(-len(names) // most)]


@given(networks.examples())
@settings(max_examples=30, deadline=None, suppress_health_check=QUIET)
def test_differences_at_40_digits(example: WorkedExample) -> None:
    with mpmath.workdps(40):
        whole = _precise(example)
        assert example.value("E") == pytest.approx(float(whole.loss()), rel=1e-14, abs=1e-300)
        _stay_off_kinks(example, whole.nodes, whole.gaps)
        for name in _wanted(example, whole.nodes, 40):
            up, down = (_precise(example, {name: sign * STEP}).loss() for sign in (1, -1))
            slope = (up - down) / (2 * STEP)
            ours = example.value(f"dE/d{name}")
            assert ours is not None
            assert abs(ours - slope) <= 1e-12 * abs(slope) + mpmath.mpf(10) ** -20, name


@given(networks.examples(most_width=3, most_depth=3))
@settings(max_examples=20, deadline=None, suppress_health_check=QUIET)
def test_any_node_by_any_parameter(example: WorkedExample) -> None:
    """∂net/∂w, ∂out/∂w of the last layer, where several paths lead to them."""
    with mpmath.workdps(40):
        whole = _precise(example)
        whole.loss()
        _stay_off_kinks(example, whole.nodes, whole.gaps)
        tops = list(whole.nodes)[-2:]
        for name in _network(example).parameters()[:6]:
            passes = [_precise(example, {name: sign * STEP}) for sign in (1, -1)]
            for one in passes:
                one.loss()
            for top in tops:
                slope = (passes[0].nodes[top] - passes[1].nodes[top]) / (2 * STEP)
                ours = example.value(f"d{top}/d{name}")
                assert ours is not None
                assert abs(ours - slope) <= 1e-12 * abs(slope) + mpmath.mpf(10) ** -20, (top, name)


def test_every_activation_has_a_witness() -> None:
    with mpmath.workdps(40):
        for row in ACTIVATIONS.values():
            parameters = {key: Precise.real(value.value) for key, value in row.parameters}
            outputs = Precise.activate(row, [mpmath.mpf("0.3"), mpmath.mpf("-0.4")], parameters)
            assert len(outputs) == (1 if row.vector and row.vector.single else 2)


def test_every_loss_has_a_witness() -> None:
    assert witness_losses.PARTS.keys() | witness_losses.WHOLES.keys() == LOSSES.keys()


# -- torch


class Torch:
    """torch with doubles; tensors without a dimension."""

    def __init__(self, torch: Any) -> None:
        self.torch, self.ln, self.exp = torch, torch.log, torch.exp

    @staticmethod
    def real(value: Any) -> float:
        return float(value)

    def activate(self, row: Activation, nets: list[Any], parameters: Mapping[str, Any]) -> list[Any]:
        functions = witness_activations.of_torch(self.torch)
        return list(functions[row.name](self.torch.stack(nets), parameters))


def _detached(whole: Pass) -> tuple[dict[str, float], list[float]]:
    nodes = {name: float(value.detach()) for name, value in whole.nodes.items()}
    return nodes, [float(gap.detach()) for gap in whole.gaps]


def _leaves(torch: Any, example: WorkedExample) -> dict[str, Any]:
    return {
        name: torch.tensor(float(value.value), dtype=torch.float64, requires_grad=True)
        for name, value in example.problem.given.items()
    }


@given(networks.examples())
@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
def test_autograd(example: WorkedExample) -> None:
    torch = pytest.importorskip("torch")
    leaves = _leaves(torch, example)
    whole = Pass(_network(example), Torch(torch), leaves.__getitem__)
    loss = whole.loss()
    _stay_off_kinks(example, *_detached(whole))
    names = _wanted(example, whole.nodes, 1000)
    tensors = [leaves[name] if name in leaves else whole.nodes[name] for name in names]
    slopes = torch.autograd.grad(loss, tensors, allow_unused=True)
    found = {name: 0.0 if slope is None else float(slope) for name, slope in zip(names, slopes, strict=True)}
    scale = max(abs(slope) for slope in found.values())
    for name, slope in found.items():
        assert example.value(f"dE/d{name}") == pytest.approx(slope, rel=1e-9, abs=1e-13 * scale + 1e-300), name


@given(networks.examples(updated=True, most_width=3, most_depth=3))
@settings(max_examples=15, deadline=None, suppress_health_check=QUIET)
def test_updates(example: WorkedExample) -> None:
    """Four steps of torch's SGD."""
    torch = pytest.importorskip("torch")
    leaves = _leaves(torch, example)
    parameters = {name: leaves[name] for name in _network(example).parameters()}
    optimizer = torch.optim.SGD(list(parameters.values()), lr=0.1)
    for step in range(1, 5):
        optimizer.zero_grad()
        whole = Pass(_network(example), Torch(torch), leaves.__getitem__)
        whole_loss = whole.loss()
        _stay_off_kinks(example, *_detached(whole))
        whole_loss.backward()
        optimizer.step()
        for name, parameter in parameters.items():
            assert example.value(f"{name}@{step}") == pytest.approx(parameter.item(), rel=1e-9, abs=1e-12), name
