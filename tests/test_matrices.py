"""The matrices of a network against NumPy's own products, and stacks of linear layers against theirs."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import networks
from derive.calculus.sympy_trees import to_sympy
from derive.derivation.collapse import MOST_TERMS
from derive.derivation.matrices import Matrix, NetworkMatrices, product
from derive.derivation.network import NetworkGraph
from derive.derivation.stacks import stacks
from derive.errors import DeriveError
from derive.formula.expression import Expr, Name, Negative, Number, Product, Quotient, Sum
from derive.pages.matrix import check_products
from derive.problem.file import from_dict
from derive.worked import WorkedExample

Array = NDArray[np.float64]
QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def matrices_of(example: WorkedExample) -> NetworkMatrices:
    graph = example.graph
    assert isinstance(graph, NetworkGraph)
    return NetworkMatrices(example.derivation, graph)


def value(example: WorkedExample, entry: Expr) -> float:
    """An entry as a double, sums and products of it by Python's own arithmetic."""
    match entry:
        case Name(name):
            found = example.value(name)
            assert found is not None
            return found
        case Number(constant):
            return float(constant)
        case Sum(terms):
            return sum(value(example, term) for term in terms)
        case Product(factors):
            return float(np.prod([value(example, factor) for factor in factors]))
        case Negative(arg):
            return -value(example, arg)
        case Quotient(top, bottom):
            return value(example, top) / value(example, bottom)
    raise AssertionError(entry)


def array(example: WorkedExample, matrix: Matrix) -> Array:
    return np.array([[value(example, entry) for entry in row] for row in matrix.entries()])


def close(one: Array, other: Array) -> None:
    assert one.shape == other.shape
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def example_of(problem: dict[str, Any]) -> WorkedExample:
    """The worked example; passes over problems that no file may state, and layers with several weights an entry."""
    try:
        example = WorkedExample(from_dict(problem))
        check_products(matrices_of(example).graph)
    except DeriveError:
        reject()
    return example


def is_defined(example: WorkedExample) -> bool:
    """Whether every logarithm of the loss has a value."""
    try:
        return example.value("E") is not None and example.value(f"dE/d{example.graph.leaves()[0]}") is not None
    except DeriveError:
        return False


@given(networks.problems(most_width=3, most_depth=3, updated=True))
@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
def test_every_matrix_is_the_product_of_the_others(problem: dict[str, Any]) -> None:
    example = example_of(problem)
    assume(is_defined(example))
    matrices = matrices_of(example)
    delta: Array | None = None
    for number in reversed(matrices.layers):
        delta = check_layer(example, matrices, number, delta)
    check_sums_and_updates(example, matrices)


def check_layer(example: WorkedExample, matrices: NetworkMatrices, number: int, following: Array | None) -> Array:
    def shown(matrix: Matrix) -> Array:
        return array(example, matrix)

    layer, last = matrices.layer(number), matrices.layers[-1]
    constant = float(layer.bias_input.value)
    feeds, weights = shown(matrices.feeds(number)), shown(matrices.weights(number))
    delta = shown(matrices.delta(number))
    net = feeds @ weights + constant * shown(matrices.biases(number))
    close(shown(matrices.net(number)), net)
    close(shown(matrices.sums(number)), net)
    slope = shown(matrices.slope(matrices.out(number)))
    if following is not None:
        close(slope, following @ shown(matrices.weights(number + 1)).T)
    if not layer.activation.vector:
        close(delta, slope * shown(matrices.activation_slopes(number)))
    elif number == last and layer.activation.function == matrices.network.loss.cancels:
        targets = shown(matrices.targets())
        factor = len(targets) if matrices.network.reduction == "mean" else 1
        if np.all(targets.sum(axis=1) == 1) and matrices.network.loss.name == "cross-entropy":
            close(delta, (shown(matrices.out(number)) - targets) / factor)
    connected = np.array([[isinstance(entry, Name) for entry in row] for row in matrices.weights(number).entries()])
    close(shown(matrices.weight_places(number)), (feeds.T @ delta) * connected)
    close(shown(matrices.weight_products(number)), (feeds.T @ delta) * connected)
    biased = np.array([[bias is not None for bias in layer.biases]])
    close(shown(matrices.bias_sums(number)), constant * delta.sum(axis=0, keepdims=True) * biased)
    close(shown(matrices.bias_places(number)), constant * delta.sum(axis=0, keepdims=True) * biased)
    if number == 1:
        close(shown(matrices.slope(matrices.inputs())), delta @ weights.T)
    close(shown(matrices.feed_sums(number)), delta @ weights.T)
    return delta


def check_sums_and_updates(example: WorkedExample, matrices: NetworkMatrices) -> None:
    """The gradient of a parameter adds up its places; the update takes a step along it."""
    total: dict[str, float] = {}
    for number in matrices.layers:
        for names, places in (
            (matrices.weights(number), matrices.weight_places(number)),
            (matrices.bias_row(number), matrices.bias_places(number)),
        ):
            for (i, j), place in np.ndenumerate(array(example, places)):
                entry = names.entry(i + 1, j + 1)
                if isinstance(entry, Name):
                    total[entry.name] = total.get(entry.name, 0) + float(place)
    factor = float(matrices.penalty_factor().value)
    weights = set(matrices.network.weight_names())
    for parameter, found in total.items():
        penalty = factor * value(example, Name(parameter)) if parameter in weights else 0
        assert example.value(f"dE/d{parameter}") == pytest.approx(found + penalty, rel=1e-9, abs=1e-12)
    old = matrices.weights(1)
    step = array(example, matrices.step(old))
    close(array(example, matrices.renewed(old)), array(example, old) - 0.1 * step)


def test_frozen_parameters_take_no_step() -> None:
    example = WorkedExample(from_dict(dense([2, 2, 1], 1) | {"update": {"learning_rate": 0.5, "frozen": ["w1", "b1"]}}))
    matrices = matrices_of(example)
    weights = matrices.weights(1)
    assert array(example, matrices.step(weights))[0, 0] == 0
    assert matrices.renewed(weights).entry(1, 1) == Name("w1")
    assert matrices.renewed(weights).entry(2, 1) == Name("w2_new")
    assert (matrices.all_updated(weights), matrices.updates(weights)) == (False, True)


def dense(sizes: list[int], samples: int, activation: str = "sigmoid", seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    layers = [
        {
            "neurons": size,
            "activation": activation,
            "weights": rng.integers(-9, 10, (size, fan_in)).tolist(),
            "bias": rng.integers(-9, 10, size).tolist(),
        }
        for fan_in, size in pairwise(sizes)
    ]
    inputs = rng.integers(-9, 10, (samples, sizes[0])).tolist()
    return {"inputs": inputs, "targets": [[1] * sizes[-1]] * samples, "layers": layers}


def test_a_product_is_lazy() -> None:
    asked: list[tuple[int, int]] = []

    def entry(i: int, j: int) -> Expr:
        asked.append((i, j))
        return Name(f"w{i}_{j}")

    whole = product(Matrix(10**6, 2, entry), Matrix(2, 10**6, entry))
    assert asked == []
    whole.entry(10**6, 7)
    assert set(asked) == {(10**6, 1), (10**6, 2), (1, 7), (2, 7)}


# --- stacks ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 4), min_size=3, max_size=5), st.integers(1, 3), st.integers(0, 10**6))
@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
def test_a_stack_of_linear_layers_is_the_product_of_its_matrices(sizes: list[int], samples: int, seed: int) -> None:
    example = WorkedExample(from_dict(dense(sizes, samples, "linear", seed)))
    matrices = matrices_of(example)
    (stack,) = stacks(matrices)
    weights, bias = np.eye(sizes[0]), np.zeros((1, sizes[0]))
    for number in matrices.layers:
        following = array(example, matrices.weights(number))
        weights, bias = weights @ following, bias @ following + array(example, matrices.bias_row(number))
    assert stack.weights is not None
    assert stack.biases is not None
    close(array(example, stack.weights), weights)
    close(array(example, stack.biases), bias)
    assert stack.weight_numbers == tuple(tuple(Fraction(int(entry)) for entry in row) for row in weights)
    assert stack.bias_numbers == tuple(Fraction(int(entry)) for entry in bias[0])
    inputs, outputs = array(example, matrices.inputs()), array(example, matrices.out(matrices.layers[-1]))
    close(outputs, inputs @ weights + bias)


def test_the_entries_of_a_stack_are_proved() -> None:
    problem = {"inputs": 2, "layers": [{"neurons": n, "activation": "linear", "bias": True} for n in (3, 2, 2)]}
    matrices = matrices_of(WorkedExample(from_dict(problem)))
    (stack,) = stacks(matrices)
    w1, w2, w3 = (symbolic(matrices.weights(number)) for number in matrices.layers)
    b1, b2, b3 = (symbolic(matrices.bias_row(number)) for number in matrices.layers)
    assert stack.weights is not None
    assert stack.biases is not None
    assert (symbolic(stack.weights) - w1 * w2 * w3).expand() == sympy.zeros(2, 2)
    assert (symbolic(stack.biases) - (b1 * w2 * w3 + b2 * w3 + b3)).expand() == sympy.zeros(1, 2)


def symbolic(matrix: Matrix) -> sympy.Matrix:
    return sympy.Matrix([[to_sympy(entry) for entry in row] for row in matrix.entries()])


@pytest.mark.parametrize(
    ("activations", "found"),
    [
        (("linear", "linear"), [(1, 2)]),
        (("linear", "sigmoid"), [(1, 2)]),
        (("linear", "linear", "tanh", "linear", "linear"), [(1, 3), (4, 5)]),
        (("tanh", "linear"), []),
        (("linear",), []),
        (("sigmoid", "sigmoid"), []),
        (("relu", "linear", "softmax"), [(2, 3)]),
    ],
)
def test_only_linear_layers_in_a_row_are_stacks(activations: tuple[str, ...], found: list[tuple[int, int]]) -> None:
    layers = [{"neurons": 2, "activation": activation} for activation in activations]
    matrices = matrices_of(WorkedExample(from_dict({"inputs": 2, "layers": layers})))
    assert [(stack.first, stack.last) for stack in stacks(matrices)] == found


def test_deep_stacks_have_numbers_but_no_formulas() -> None:
    matrices = matrices_of(WorkedExample(from_dict(dense([2] * 12, 1, "linear"))))
    (stack,) = stacks(matrices)
    assert MOST_TERMS < 2**10
    assert (stack.weights, stack.shape) == (None, (2, 2))
    assert stack.weight_numbers is not None
