"""Training: it learns, reproduces bit for bit, goes on from a state, and works inside scikit-learn."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from statistics import median
from typing import Any

import numpy as np
import pytest
from conftest import IN_CI
from numpy.typing import NDArray

from derive.errors import DeriveError
from derive.mlp import MLP, training
from derive.mlp.fast import FastStepper
from derive.mlp.training import Progress

Array = NDArray[Any]


def sparse_bytes(samples: int = 500, width: int = 40) -> tuple[Array, Array]:
    """Images that are mostly 0, with some pixels that are never lit."""
    generator = np.random.default_rng(1)
    lit = generator.random((samples, width)) < np.linspace(0, 0.4, width)
    return (generator.integers(1, 256, (samples, width)) * lit).astype(np.uint8), generator.integers(0, 4, samples)


SETTINGS: dict[str, dict[str, Any]] = {
    "adam": {}, "sgd": {"optimizer": "sgd", "learning_rate": 0.3},
    "sigmoid": {"activation": "sigmoid", "output": "sigmoid", "loss": "half-squared-error", "hidden": (9, 5)},
    "tanh": {"activation": "tanh", "output": "tanh", "loss": "squared-error", "reduction": "sum"},
    "cosine": {"schedule": "cosine"}, "dense": {"scale": 1.0}, "no hidden layer": {"hidden": ()},
    "slow": {"activation": "parametric-relu", "optimizer": {"name": "nadam"}, "dropout": 0.3, "l2": 0.01},
}  # fmt: skip


def made(name: str, **given: Any) -> MLP:
    usual: dict[str, Any] = {"hidden": (12,), "epochs": 6, "batch_size": 33, "seed": 5}
    return MLP(**(usual | SETTINGS[name] | given))


def data(name: str) -> tuple[Array, Array]:
    x, y = sparse_bytes()
    return (np.random.default_rng(0).normal(size=x.shape), y) if name == "dense" else (x, y)


@pytest.mark.parametrize("name", SETTINGS)
def test_fast_steps_are_the_plain_steps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[FastStepper] = []

    class Counted(FastStepper):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            used.append(self)

    monkeypatch.setattr(training, "FastStepper", Counted)
    fast = made(name, dtype="float64").fit(*data(name))
    assert bool(used) == (name != "slow")
    monkeypatch.setattr(training, "can_step", lambda *_: False)
    plain = made(name, dtype="float64").fit(*data(name))
    np.testing.assert_allclose(fast.network_.parameters, plain.network_.parameters, rtol=1e-9, atol=1e-12)
    for state, found in fast.optimizer_.states.items():
        np.testing.assert_allclose(found, plain.optimizer_.states[state], rtol=1e-9, atol=1e-13)
    assert [record["loss"] for record in fast.history_] == pytest.approx([each["loss"] for each in plain.history_])


def test_moments_are_cleaned_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pixel that is lit in the first sample only: its moments shrink for more than a thousand updates."""
    x, y = sparse_bytes(3000)
    x[:, 3] = 0
    x[0, 3] = 255
    given = {"epochs": 1, "batch_size": 2, "shuffle": False}
    cleaned = made("adam", **given).fit(x, y)
    monkeypatch.setattr("derive.mlp.fast.CLEANED", 0.0)
    kept = made("adam", **given).fit(x, y)
    assert (cleaned.network_.parameters == kept.network_.parameters).all()
    denormal = [_denormal(model.optimizer_.states["m"]) for model in (cleaned, kept)]
    assert denormal[0] == 0 < denormal[1]


def _denormal(moment: Array) -> int:
    return int(((moment != 0) & (np.abs(moment) < np.finfo(np.float32).tiny)).sum())


@pytest.mark.parametrize("betas", [(0.0, 0.999), (0.3, 0.99), (0.9, 0.5), (0.9, 0.0)])
def test_adam_with_other_betas(betas: tuple[float, float], monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"optimizer": {"name": "adam", "beta1": betas[0], "beta2": betas[1]}, "epochs": 20, "dtype": "float64"}
    fast = made("adam", **given).fit(*data("adam"))
    monkeypatch.setattr(training, "can_step", lambda *_: False)
    plain = made("adam", **given).fit(*data("adam"))
    np.testing.assert_allclose(fast.network_.parameters, plain.network_.parameters, rtol=1e-6, atol=1e-8)


def same(one: MLP, other: MLP) -> bool:
    left, right = one.state(), other.state()
    return left.keys() == right.keys() and all((left[key] == right[key]).all() for key in left)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_same_seed_gives_the_same_bits(name: str) -> None:
    assert same(made(name).fit(*data(name)), made(name).fit(*data(name)))
    assert not same(made(name).fit(*data(name)), made(name, seed=6).fit(*data(name)))


@pytest.mark.parametrize("name", SETTINGS)
def test_going_on_from_a_state_ends_where_an_undisturbed_run_ends(name: str) -> None:
    states = []
    whole = made(name).fit(*data(name), on_epoch=lambda model, _: states.append(model.state()))
    file = io.BytesIO()
    arrays: dict[str, Any] = states[2]
    np.savez(file, **arrays)
    file.seek(0)
    again = MLP.from_state(np.load(file, allow_pickle=False)).fit(*data(name))
    assert same(again, whole)
    assert [record["epoch"] for record in again.history_] == [1, 2, 3, 4, 5, 6]
    again.fit(*data(name))  # without a state it starts afresh
    assert same(again, whole)


def test_a_state_of_another_network_is_refused() -> None:
    state = made("adam").fit(*data("adam")).state()
    with pytest.raises(DeriveError, match="accepted: 409 of float32"):
        made("adam", hidden=(9,)).resume_from(state)
    with pytest.raises(DeriveError, match='has no "generator"'):
        MLP.from_state({key: value for key, value in state.items() if key != "generator"})
    with pytest.raises(DeriveError, match='"history" cannot be read'):
        MLP.from_state(state | {"history": state["history"][:-3]})


def test_callbacks_see_every_batch_and_can_stop() -> None:
    seen: list[Progress] = []
    model = made("adam").fit(*data("adam"), on_batch=seen.append, on_epoch=lambda _, record: record["epoch"] == 2)
    assert [each.done for each in seen[:16]] == [*range(33, 500, 33), 500]
    assert len(model.history_) == 2
    assert seen[-1].loss == pytest.approx(model.history_[-1]["loss"])


def test_labels_may_be_words_and_targets_may_be_real() -> None:
    x = np.linspace(-1, 1, 64)[:, None]
    words = np.where(x[:, 0] > 0, "up", "down")
    model = MLP((8,), epochs=60, learning_rate=0.02).fit(x, words)
    assert model.score(x, words) > 0.95
    assert MLP.from_state(model.state()).predict([[0.9]]).tolist() == ["up"]
    with pytest.raises(DeriveError, match="the label sideways, which training did not"):
        model.evaluate(x[:1], ["sideways"])
    curve = MLP((16,), activation="tanh", output="linear", loss="half-squared-error", epochs=200, learning_rate=0.01)
    assert curve.fit(x, np.sin(3 * x)).score(x, np.sin(3 * x)) > 0.98
    assert curve.predict(x).shape == (64, 1)


def digits() -> tuple[Array, Array]:
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))  # as they come, the last ones are by other writers
    return (x[order] / 16).astype(np.float32), y[order]


@pytest.mark.parametrize(("settings", "least"), [
    ({}, 0.96), ({"optimizer": "sgd", "learning_rate": 0.3}, 0.95), ({"activation": "gelu", "dropout": 0.1}, 0.96),
    ({"output": "linear", "loss": "multiclass-hinge"}, 0.96), ({"output": "tanh", "loss": "squared-hinge"}, 0.96),
    ({"activation": {"name": "maxout", "pieces": 3}, "optimizer": "amsgrad"}, 0.96),
    ({"output": "sigmoid", "loss": "binary-cross-entropy", "schedule": "cosine"}, 0.93),
])  # fmt: skip
def test_digits_are_learnt(settings: dict[str, Any], least: float) -> None:
    x, y = digits()
    usual: dict[str, Any] = {"hidden": (64,), "epochs": 25, "learning_rate": 3e-3}
    model = MLP(**(usual | settings)).fit(x[:1297], y[:1297])
    assert model.score(x[1297:], y[1297:]) >= least


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_it_works_inside_scikit_learn() -> None:
    base = pytest.importorskip("sklearn.base")
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = digits()
    model = MLP((32,), epochs=8, learning_rate=3e-3)
    assert base.is_classifier(model)
    assert base.clone(model).get_params() == model.get_params()
    assert cross_val_score(make_pipeline(StandardScaler(), model), x[:600], y[:600], cv=3).min() > 0.8
    search = GridSearchCV(model, {"hidden": [(2,), (32,)]}, cv=2).fit(x[:400], y[:400])
    assert search.best_params_ == {"hidden": (32,)}


def test_parameters_are_read_and_set() -> None:
    model = MLP(seed=3)
    assert repr(model.set_params(epochs=2)) == "MLP(epochs=2, seed=3)"
    with pytest.raises(DeriveError, match="MLP has no parameter depth"):
        model.set_params(depth=2)


def test_one_thread_is_asked_for_before_numpy_is_loaded() -> None:
    lines = "import derive.mlp.threads as t, os, sys; first = t.use_one(); import numpy; print(first, t.use_one())"
    environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_NUM_THREADS"}
    code = f"{lines}; print(os.environ['OPENBLAS_NUM_THREADS'])"
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True", "False", "1"]


@pytest.mark.data
def test_mnist_is_learnt() -> None:
    """A narrow network for one epoch, in a process of its own: its accuracy, and less than 160 MB."""
    code = (
        "import os, json, derive.mlp.threads as threads; threads.use_one()\n"
        "from derive.mlp import MLP; from derive.mlp.mnist import load\n"
        "data = load(os.environ['DERIVE_MNIST'])\n"
        "model = MLP((128,), epochs=1).fit(data.train_images, data.train_labels)\n"
        "found = model.evaluate(data.test_images, data.test_labels)\n"
        "status = open('/proc/self/status').read() if os.path.exists('/proc/self/status') else 'VmHWM: 0 kB'\n"
        "print(json.dumps(found | {'kilobytes': int(status.partition('VmHWM:')[2].split()[0])}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = json.loads(run.stdout)
    assert found["accuracy"] > 0.95
    if sys.platform == "linux":
        assert found["kilobytes"] < 160 * 1024


@pytest.mark.data
@pytest.mark.skipif(not IN_CI and not os.environ.get("DERIVE_LONG"), reason="half a minute: DERIVE_LONG=1 asks for it")
def test_mnist_reaches_its_accuracy_with_five_seeds() -> None:
    from derive.mlp.mnist import load

    found = load(os.environ["DERIVE_MNIST"])
    reached = [
        MLP(seed=seed).fit(found.train_images, found.train_labels).score(found.test_images, found.test_labels)
        for seed in range(5)
    ]
    assert median(reached) >= 0.975
    assert min(reached) >= 0.972
