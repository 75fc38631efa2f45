"""The chain rule over graphs: sums over paths, cancellation, any derivative of anything, large networks lazily."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import networks
from derive.derivation.chain_rule import Derivation, derivative_name, split_derivative
from derive.derivation.evaluate import Values
from derive.derivation.network import NetworkGraph
from derive.derivation.paths import paths
from derive.errors import DeriveError
from derive.formula.expression import Expr, names_in
from derive.formula.grammar import write
from derive.numbers.exact import Undefined
from derive.numbers.rounding import Rounding
from derive.problem.file import from_dict
from derive.worked import Options, WorkedExample, quantity_names

DEEP: dict[str, Any] = {
    "inputs": [1, 2],
    "targets": [1, 0],
    "layers": [
        {"neurons": 2, "activation": "sigmoid", "weights": [[0.1, 0.2], [0.3, 0.4]], "bias": 0.1},
        {"neurons": 3, "activation": "tanh", "weights": [[0.5, 0.6], [0.7, 0.8], [-0.1, -0.2]], "bias": [0, 0.2, 0.3]},
        {"neurons": 2, "activation": "sigmoid", "weights": [[0.3, 0.2, 0.1], [0.6, -0.5, 0.4]]},
    ],
    "update": {"learning_rate": 0.5, "frozen": ["b2"]},
}
CLASSES: dict[str, Any] = {
    "inputs": [1, 2],
    "targets": [0, 1, 0],
    "loss": "cross-entropy",
    "layers": [{"neurons": 3, "activation": "softmax", "weights": [[0.1, 0.2], [0.3, 0.4], [0.5, -0.6]]}],
}


def _example(problem: dict[str, Any], options: Options | None = None, **more: Any) -> WorkedExample:
    return WorkedExample(from_dict(problem | more), options)


def _formulas(given: dict[str, object], define: dict[str, str]) -> WorkedExample:
    return _example({"kind": "expression", "given": given, "define": define})


def _evaluated(example: WorkedExample, expr: Expr) -> float:
    """The value of an expression in quantities."""
    values = Values(example.derivation, example.values.given, Rounding(decimals=40))
    shown = values.shown_of(expr)
    assert shown is not None
    return float(shown)


# -- names of derivatives


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("dE/dw5", ("E", "w5")),
        ("dout_o1[2]/dnet_o1[2]", ("out_o1[2]", "net_o1[2]")),
        ("dE/dW1[300,17]", ("E", "W1[300,17]")),
        ("dd/dd1", ("d", "d1")),
        ("E", None),
        ("delta_o1", None),
        ("d/dx", None),
    ],
)
def test_split(name: str, pair: tuple[str, str] | None) -> None:
    assert split_derivative(name) == pair
    assert pair is None or derivative_name(*pair) == name


# -- the rules


@pytest.mark.parametrize(
    ("name", "rule", "definition"),
    [
        ("net_h1_1", "weighted-sum", "w1*x1 + w2*x2 + b1"),
        ("dE/dE_o1", "local-derivative", "1"),
        ("dE_o1/dout_o1", "local-derivative", "out_o1 - y1"),
        ("dout_o1/dnet_o1", "local-derivative", "out_o1*(1 - out_o1)"),
        ("dout_h2_1/dnet_h2_1", "local-derivative", "1 - out_h2_1^2"),
        ("dnet_o1/dw11", "local-derivative", "out_h2_1"),
        ("dE/dnet_o1", "chain", "dE/dout_o1*dout_o1/dnet_o1"),
        ("dE/dout_h2_1", "sum-over-paths", "delta_o1*w11 + delta_o2*w14"),
        ("delta_h2_1", "alias", "dE/dnet_h2_1"),
        ("dE/db1", "sum-over-paths", "delta_h1_1 + delta_h1_2"),
        ("dnet_h1_1/dw3", "zero", "0"),
        ("dE_o1/dout_o2", "zero", "0"),
        ("w1_new", "update", "w1 - eta*dE/dw1"),
        ("dw1/dw1", "local-derivative", "1"),
    ],
)
def test_rule(name: str, rule: str, definition: str) -> None:
    quantity = _example(DEEP).derivation.quantity(name)
    assert quantity.definition is not None
    assert (quantity.rule, write(quantity.definition)) == (rule, definition)


@pytest.mark.parametrize(
    "name", ["nothing", "dE/dnothing", "dnothing/dE", "b2_new", "delta_x1", "net_h1_3", "net_o1[1]"]
)
def test_no_such_quantity(name: str) -> None:
    with pytest.raises(KeyError):
        _example(DEEP).derivation.quantity(name)


def test_what_is_updated() -> None:
    derivation = _example(DEEP).derivation
    assert derivation.updated() == tuple(name for name in _network_parameters(DEEP) if name != "b2")
    assert not _example(CLASSES).derivation.updates_anything()


def _network_parameters(problem: dict[str, Any]) -> tuple[str, ...]:
    graph = _example(problem).graph
    assert isinstance(graph, NetworkGraph)
    return graph.network.parameters()


# -- sums over paths


@pytest.mark.parametrize("problem", [DEEP, CLASSES], ids=["deep", "softmax"])
@pytest.mark.parametrize("cancel", [True, False])
def test_paths_add_up(problem: dict[str, Any], cancel: bool) -> None:
    example = _example(problem, Options(cancel=cancel))
    for name in ("w1", "w2", "net_o1"):
        found, total = paths(example.derivation, "E", name)
        assert len(found) == total
        assert len({path.nodes for path in found}) == total
        assert {(path.nodes[0], path.nodes[-1]) for path in found} == {(name, "E")}
        products = [_evaluated(example, path.product) for path in found]
        assert sum(products) == pytest.approx(example.value(f"dE/d{name}"), rel=1e-12)


def test_how_many_paths() -> None:
    _, total = paths(_example(DEEP).derivation, "E", "w1")
    assert total == 3 * 2
    some, _ = paths(_example(DEEP).derivation, "E", "b1", most=4)
    assert len(some) == 4


@given(networks.examples(most_width=3, most_depth=3))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_form_of_a_gradient_has_its_value(example: WorkedExample) -> None:
    """A page shows forms before the definition: each is equal to it."""
    for name in quantity_names(example):
        quantity = example.derivation.quantity(name)
        for form in quantity.forms:
            try:
                other = _evaluated(example, form)
            except Undefined:
                continue
            scale = max((abs(example.value(part) or 0.0) for part in names_in(form)), default=1.0)
            near = pytest.approx(example.value(name), rel=1e-12, abs=1e-13 * max(scale, 1))
            assert other == near, (name, write(form))


# -- a parameter used twice, a definition that skips


def test_a_weight_of_two_layers() -> None:
    """Its own edge counts once for each use, however many paths lead on from there."""
    layers = [
        {"neurons": 1, "activation": "linear", "weights": [[2]], "weight_names": [["w"]]},
        {"neurons": 1, "activation": "linear", "weights": [[2]], "weight_names": [["w"]]},
    ]
    example = _example({"inputs": [3], "targets": [0], "layers": layers})
    assert example.exact("out_o1") == 12
    assert example.exact("dout_o1/dw") == 2 * 2 * 3
    assert example.exact("dE/dw") == 12 * 12


def test_a_definition_that_is_reached_directly_and_through_another() -> None:
    example = _formulas({"a": 2}, {"b": "a^2", "c": "a*b", "f": "c + b*a + a"})
    assert example.exact("f") == 8 + 8 + 2
    assert example.exact("df/da") == 3 * 4 + 3 * 4 + 1
    assert example.exact("dc/da") == 3 * 4
    found, total = paths(example.derivation, "f", "a")
    assert total == len(found) == 4
    assert sum(_evaluated(example, path.product) for path in found) == 25


def test_a_constant_has_no_slope() -> None:
    example = _formulas({"a": 2, "unused": 1}, {"k": "3", "f": "a*k"})
    assert example.exact("df/dunused") == 0
    assert example.exact("dk/da") == 0
    assert example.exact("df/dk") == 2


# -- cancellation


@pytest.mark.parametrize(
    ("targets", "cancels"), [([0, 1, 0], True), ([0.2, 0.3, 0.5], True), ([1, 1, 0], False), ([0, 0, 0], False)]
)
def test_softmax_cancels_for_targets_that_sum_to_one(targets: list[float], cancels: bool) -> None:
    example = _example(CLASSES, targets=targets)
    assert (example.derivation.quantity("dE/dnet_o1").rule == "cancellation") == cancels
    whole = _example(CLASSES, Options(cancel=False), targets=targets)
    assert example.value("dE/dnet_o2") == pytest.approx(whole.value("dE/dnet_o2"), rel=1e-14)


def test_without_cancellation_every_path_of_the_jacobian_is_there() -> None:
    quantity = _example(CLASSES, Options(cancel=False)).derivation.quantity("dE/dnet_o1")
    assert quantity.rule == "sum-over-paths"
    assert {name for name in names_in(quantity.forms[0]) if name.startswith("dout")} == {
        f"dout_o{k}/dnet_o1" for k in (1, 2, 3)
    }


def test_cancellation_in_a_batch_keeps_the_mean() -> None:
    layer = {"neurons": 1, "activation": "sigmoid", "weights": [[1, 1]]}
    problem = {"inputs": [[1, 2], [0, 0]], "targets": [1, 0], "loss": "binary-cross-entropy", "layers": [layer]}
    example = _example(problem)
    assert example.exact("dE/dnet_o1[2]") == Fraction(1, 4)
    assert example.exact("dE[2]/dnet_o1[2]") == Fraction(1, 2)
    assert example.exact("dE[1]/dnet_o1[2]") == 0
    assert _example(problem, reduction="sum").exact("dE/dnet_o1[2]") == Fraction(1, 2)


def test_cancelled_gradients_are_defined_where_the_factors_are_not() -> None:
    """An output of exactly 1 leaves −t/o + (1 − t)/(1 − o) undefined, its net input not."""
    layer = {"neurons": 1, "activation": "sigmoid", "weights": [[1]]}
    problem: dict[str, Any] = {"inputs": [20], "targets": [0], "loss": "binary-cross-entropy", "layers": [layer]}
    problem["rounding"] = {"decimals": 4, "carry": "displayed"}
    assert _example(problem).exact("dE/dnet_o1") == 1
    with pytest.raises(DeriveError):
        _example(problem, Options(cancel=False)).value("dE/dnet_o1")


# -- large


MNIST = {
    "inputs": 784,
    "targets": True,
    "loss": "cross-entropy",
    "layers": [
        {"neurons": 128, "activation": "relu", "bias": True},
        {"neurons": 10, "activation": "softmax", "bias": True},
    ],
}


def test_a_large_network_is_made_as_far_as_it_is_looked_at() -> None:
    graph = _example(MNIST).graph
    assert isinstance(graph, NetworkGraph)
    derivation = Derivation(graph)
    start = time.process_time()
    quantity = derivation.quantity("dE/dW1[300,17]")
    taken = time.process_time() - start
    assert quantity.definition is not None
    assert write(quantity.definition) == "dE/dout_h17*dout_h17/dnet_h17*dnet_h17/dW1[300,17]"
    slope = derivation.quantity("dE/dout_h17").definition
    assert slope is not None
    assert "delta_o1*W2[17,1]" in write(slope)
    assert len(graph._made) < 60
    assert taken < 2


@pytest.mark.parametrize("name", ["dE/dW1[785,1]", "dE/dW1[1,129]", "dE/dW3[1,1]", "dE/dW1[0,1]", "dE/dw1", "net_h129"])
def test_a_large_network_has_edges(name: str) -> None:
    with pytest.raises(KeyError):
        _example(MNIST).derivation.quantity(name)
