"""The NumPy network against central differences, the catalogue's functions, and torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from derive.catalogue import numeric, numeric_losses
from derive.catalogue.activations import ACTIVATIONS
from derive.catalogue.initializers import INITIALIZERS
from derive.catalogue.losses import LOSSES, Loss
from derive.errors import DeriveError
from derive.formula.grammar import read
from derive.mlp import MLP, activations, initializers, losses
from derive.mlp.activations import SCALARS, VECTORS, Activation

Array = NDArray[Any]
SAMPLES, INPUTS, HIDDEN, OUTPUTS = 3, 3, 4, 3
OUTPUT_OF = {"probability": "sigmoid", "positive": "softplus", "above-minus-one": "softplus", "any": "linear"}
"""An output activation whose values every loss of that kind is defined for."""


def test_every_row_of_the_catalogue_has_its_functions() -> None:
    assert {*SCALARS, *VECTORS, "maxout"} == set(ACTIVATIONS)
    assert set(losses.LOSSES) == set(LOSSES)
    assert set(initializers.VARIANCES) == set(INITIALIZERS)
    names = {row.function: name for name, row in ACTIVATIONS.items()}
    cancelling = {(names[loss.cancels], loss.name) for loss in LOSSES.values() if loss.cancels}
    assert cancelling == set(losses.FROM_NETS)


def targets_for(loss: Loss, generator: np.random.Generator) -> Array:
    labels = np.eye(OUTPUTS)[generator.integers(0, OUTPUTS, SAMPLES)]
    if loss.targets == "signs":
        return 2 * labels - 1
    if "hinge" in loss.name:
        return labels
    raw = generator.uniform(0.1, 1, (SAMPLES, OUTPUTS))
    return np.asarray(raw / raw.sum(1, keepdims=True))


def network(hidden: str, output: str, loss: str | dict[str, Any], seed: int, **given: Any) -> MLP:
    generator = np.random.default_rng(seed)
    shapes, fan_in = [], INPUTS
    for name, size in ((hidden, HIDDEN), (output, OUTPUTS)):
        shapes.append((fan_in, size * Activation(ACTIVATIONS[name]).pieces))
        fan_in = size
    weights = [generator.normal(0, 1, shape) for shape in shapes]
    biases = [generator.normal(0, 0.5, shape[1]) for shape in shapes]
    return MLP.with_weights(weights, biases, [hidden, output], loss, **given)


def differences(model: MLP, x: Array, t: Array) -> Array:
    """The slope of the loss in every parameter, from the loss alone."""
    flat, step = model.network_.parameters, 1e-6
    found = np.zeros_like(flat)
    for k in range(flat.size):
        kept = flat[k]
        flat[k] = kept + step
        above = model.network_.loss_of(x, t)
        flat[k] = kept - step
        found[k] = (above - model.network_.loss_of(x, t)) / (2 * step)
        flat[k] = kept
    return found


def agree(model: MLP, x: Array, t: Array) -> None:
    model.gradients(x, t)
    np.testing.assert_allclose(model.network_.gradient, differences(model, x, t), rtol=2e-5, atol=2e-7)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradients_of_every_activation_with_every_loss(name: str) -> None:
    generator = np.random.default_rng(5)
    x = generator.normal(0, 1, (SAMPLES, INPUTS))
    for place, loss in enumerate(LOSSES.values()):
        t = targets_for(loss, generator)
        agree(network(name, OUTPUT_OF[loss.outputs], loss.name, place), x, t)
        behind = network("tanh", name, loss.name, place)
        with np.errstate(invalid="ignore", divide="ignore"):
            defined = np.isfinite(behind.network_.loss_of(x, t))
        assert defined or loss.outputs != "any", loss.name
        if defined:
            agree(behind, x, t)


@pytest.mark.parametrize("settings", [
    {"reduction": "sum"}, {"l2": 0.3}, {"loss": {"name": "huber", "over": "mean", "delta": 0.4}},
    {"loss": {"name": "smoothed-cross-entropy", "smoothing": 0.3}, "output": "softmax"},
])  # fmt: skip
def test_gradients_of_reductions_penalty_and_parameters(settings: dict[str, Any]) -> None:
    generator = np.random.default_rng(2)
    x, t = generator.normal(size=(SAMPLES, INPUTS)), targets_for(LOSSES["cross-entropy"], generator)
    given: dict[str, Any] = {"output": "linear", "loss": "log-cosh", "seed": 3}
    agree(network("elu", **(given | settings)), x, t)


def test_shared_and_missing_biases() -> None:
    generator = np.random.default_rng(1)
    weights = [generator.normal(size=(3, 4)), generator.normal(size=(4, 2))]
    model = MLP.with_weights(weights, [[0.3], None], ["sigmoid", "tanh"], "half-squared-error")
    agree(model, generator.normal(size=(5, 3)), generator.normal(size=(5, 2)))
    assert [each.size for each in model.biases_] == [1, 0]


def test_the_network_of_mazur() -> None:
    """Mazur, A step by step backpropagation example: E = 0.298371109, w5⁺ = 0.35891648, E after it 0.291027924."""
    model = MLP.with_weights(
        [[[0.15, 0.25], [0.20, 0.30]], [[0.40, 0.50], [0.45, 0.55]]], [[0.35, 0.35], [0.60, 0.60]],
        ["sigmoid", "sigmoid"], "half-squared-error", optimizer="sgd", learning_rate=0.5,
    )  # fmt: skip
    assert model.update([[0.05, 0.10]], [[0.01, 0.99]]) == pytest.approx(0.298371109, abs=5e-10)
    assert model.weights_[1][0, 0] == pytest.approx(0.35891648, abs=5e-9)


GRID = np.concatenate([np.linspace(-9, 9, 181), [-800.0, -120.0, -40.0, 40.0, 120.0, 800.0]])


@pytest.mark.parametrize("name", SCALARS)
@pytest.mark.filterwarnings("error")
def test_activations_are_those_of_the_catalogue(name: str) -> None:
    row = ACTIVATIONS[name]
    mine = Activation(row)
    at = GRID[None, :]
    np.testing.assert_allclose(mine.value(at)[0], numeric.value(row, GRID), rtol=3e-13, atol=1e-300)
    slope = mine.backward(at, mine.value(at), np.ones_like(at))[0]
    np.testing.assert_allclose(slope, numeric.slope(row, GRID), rtol=1e-12, atol=1e-16)
    single = at.astype(np.float32)
    assert mine.value(single).dtype == np.float32
    assert mine.backward(single, mine.value(single), single).dtype == np.float32
    assert np.isfinite(mine.value(single)).all()


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_those_of_the_catalogue(name: str) -> None:
    row, generator = LOSSES[name], np.random.default_rng(8)
    t, o = targets_for(row, generator), generator.uniform(0.05, 0.95, (SAMPLES, OUTPUTS))
    value, slope = numeric_losses.evaluate(row, t, o)
    mine = losses.Loss(row, "linear")
    np.testing.assert_allclose(mine.value(t, o, o), value, rtol=1e-13)
    np.testing.assert_allclose(mine.slope(t, o, o), slope, rtol=1e-12, atol=1e-15)
    single = o.astype(np.float32)
    assert mine.slope(t.astype(np.float32), single, single).dtype == np.float32


def test_saturated_outputs_have_finite_losses_and_slopes() -> None:
    for output, loss in losses.FROM_NETS:
        model = MLP.with_weights([np.eye(2) * 900], [None], [output], loss)
        found = model.gradients([[1.0, -1.0]], [[0.0, 1.0]])
        assert np.isfinite(found.loss)
        assert found.loss > 800
        assert np.isfinite(found.weights[0]).all()


def test_a_mutated_formula_of_the_catalogue_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    def gradient() -> Array:
        model = network("tanh", "sigmoid", "squared-error", 4)
        return model.gradients(np.ones((2, INPUTS)), np.zeros((2, OUTPUTS))).weights[0]

    before = gradient()
    monkeypatch.setitem(ACTIVATIONS, "tanh", replace(ACTIVATIONS["tanh"], formula="z", derivative="7", numeric="z"))
    monkeypatch.setitem(LOSSES, "squared-error", replace(LOSSES["squared-error"], part="t", derivative="0"))
    assert (gradient() == before).all()


OF_TORCH: dict[str, Callable[[Any], Any]] = {
    "relu": lambda n: n.ReLU(), "leaky-relu": lambda n: n.LeakyReLU(0.01), "parametric-relu": lambda n: n.PReLU(),
    "relu6": lambda n: n.ReLU6(), "elu": lambda n: n.ELU(), "selu": lambda n: n.SELU(), "celu": lambda n: n.CELU(),
    "softplus": lambda n: n.Softplus(), "softsign": lambda n: n.Softsign(), "hard-sigmoid": lambda n: n.Hardsigmoid(),
    "hard-tanh": lambda n: n.Hardtanh(), "silu": lambda n: n.SiLU(), "hard-silu": lambda n: n.Hardswish(),
    "gelu": lambda n: n.GELU(), "gelu-tanh": lambda n: n.GELU(approximate="tanh"), "mish": lambda n: n.Mish(),
    "log-sigmoid": lambda n: n.LogSigmoid(), "tanh-shrink": lambda n: n.Tanhshrink(), "sigmoid": lambda n: n.Sigmoid(),
    "tanh": lambda n: n.Tanh(), "softmax": lambda n: n.Softmax(-1), "log-softmax": lambda n: n.LogSoftmax(-1),
}  # fmt: skip
LOSSES_OF_TORCH: dict[str, Callable[[Any, Any, Any], Any]] = {
    "mean-squared-error": lambda n, o, t: n.functional.mse_loss(o, t),
    "mean-absolute-error": lambda n, o, t: n.functional.l1_loss(o, t),
    "huber": lambda n, o, t: n.functional.huber_loss(o, t) * OUTPUTS,
    "cross-entropy-logits": lambda n, o, t: n.functional.cross_entropy(o, t),
    "binary-cross-entropy-logits": lambda n, o, t: n.functional.binary_cross_entropy_with_logits(o, t) * OUTPUTS,
}


@pytest.mark.parametrize("name", OF_TORCH)
def test_gradients_are_those_of_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(6)
    x, t = generator.normal(size=(SAMPLES, INPUTS)), targets_for(LOSSES["cross-entropy"], generator)
    for loss, of_torch in LOSSES_OF_TORCH.items():
        model = network(name, "linear", loss, 9)
        first, second = (torch.nn.Linear(n, m).double() for n, m in ((INPUTS, HIDDEN), (HIDDEN, OUTPUTS)))
        for linear, weights, biases in zip((first, second), model.weights_, model.biases_, strict=True):
            linear.weight.data, linear.bias.data = torch.tensor(weights.T.copy()), torch.tensor(biases.copy())
        middle = OF_TORCH[name](torch.nn).double()
        found = of_torch(torch.nn, second(middle(first(torch.tensor(x)))), torch.tensor(t))
        found.backward()
        mine = model.gradients(x, t)
        near = 1e-7 if name.startswith("hard-") else 1e-9  # torch has 1/6 in single precision there
        assert mine.loss == pytest.approx(found.item(), rel=near)
        for linear, weights, biases in zip((first, second), mine.weights, mine.biases, strict=True):
            np.testing.assert_allclose(weights, linear.weight.grad.numpy().T, rtol=near, atol=1e-13)
            np.testing.assert_allclose(biases, linear.bias.grad.numpy(), rtol=near, atol=1e-13)
        if name == "parametric-relu":
            assert mine.trained[0][0] == pytest.approx(middle.weight.grad.item(), rel=1e-10)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_first_weights_have_their_variance(name: str) -> None:
    generator = np.random.default_rng(0)
    found = initializers.draw(INITIALIZERS[name], (200, 300), 200, 300, generator, np.float64)
    row = INITIALIZERS[name]
    numbers = {"fan_in": 200.0, "fan_out": 300.0} | {key: float(number.value) for key, number in row.parameters}
    variance = numeric.evaluated(read(row.variance, names=set(numbers)), numbers)
    assert found.var() == pytest.approx(float(variance), rel=0.03, abs=1e-30)
    assert abs(found.mean() - (0.5 if name == "constant" else 0)) < 0.01


@pytest.mark.parametrize(("given", "found"), [
    ({"activation": "reluu"}, 'did you mean "relu"'),
    ({"activation": {"name": "elu", "beta": 1}}, "has no beta; accepted: alpha"),
    ({"activation": ["relu", "tanh"]}, "names 2 activations; accepted: one, or 1"),
    ({"optimizer": {"name": "adam", "beta1": 1}}, "beta1 = 1; accepted: a number from 0 below 1"),
    ({"optimizer": {"name": "adam", "library": "sutskever"}}, "accepted: keras, pytorch"),
    ({"schedule": "step"}, "every missing"), ({"loss": {"name": "huber", "over": "max"}}, "accepted: sum or mean"),
    ({"clip_norm": 1, "clip_value": 1}, "one of the two"), ({"batch_size": 0}, "batch_size = 0"),
    ({"dtype": "float16"}, "accepted: float32 or float64"), ({"dropout": 1.0}, "below 1"),
])  # fmt: skip
def test_settings_that_nobody_can_mean(given: dict[str, Any], found: str) -> None:
    with pytest.raises(DeriveError, match=found.replace("(", r"\(")):
        MLP(**given).fit([[0.0, 1.0], [1.0, 0.0]], [0, 1])


@pytest.mark.parametrize(("x", "y", "found"), [
    ([[0.0], [1.0]], [0, 1, 1], "2 samples and y 3"), ([[0.0], [float("nan")]], [0, 1], "NaN"),
    ([[0.0], [1.0]], [1, 1], "1 class"), ([["a"], ["b"]], [0, 1], "no number"), ([1.0, 2.0], [0, 1], "shape"),
])  # fmt: skip
def test_data_that_cannot_be_learnt(x: Any, y: Any, found: str) -> None:
    with pytest.raises(DeriveError, match=found):
        MLP().fit(x, y)


def test_a_network_without_weights_says_so() -> None:
    with pytest.raises(DeriveError, match="a call of fit"):
        MLP().predict([[1.0]])
    assert activations.sigmoid(np.array([0.0]))[0] == 0.5
