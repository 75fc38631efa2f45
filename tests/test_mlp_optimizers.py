"""Every optimizer of the NumPy network, in every convention, against the lines of the catalogue and against torch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from derive.catalogue.numeric import evaluated
from derive.catalogue.optimizers import OPTIMIZERS
from derive.catalogue.recipes import GRADIENTS, SCHEDULES, Recipe
from derive.formula.grammar import read
from derive.mlp import choices
from derive.mlp.optimizers import RULES, STATES, Optimizer
from derive.mlp.optimizers import SCHEDULES as MINE

Array = NDArray[Any]
STEPS = 6
RATE = 0.05


def test_every_row_of_the_catalogue_has_its_rule() -> None:
    assert set(RULES) == set(STATES) == set(OPTIMIZERS)
    assert set(MINE) == set(SCHEDULES)


def gradients() -> Array:
    return np.random.default_rng(3).normal(0, 1, (STEPS, 4)) * [1, 0.01, 30, 1e-5]


def run(recipe: Recipe, rate: float = RATE) -> tuple[Array, dict[str, Array]]:
    w = np.array([0.5, -0.3, 2.0, 1e-3])
    optimizer = Optimizer(recipe, rate)
    optimizer.begin(w)
    for g in gradients():
        optimizer.step(w, g.copy())
    return w, optimizer.states


def by_the_lines(recipe: Recipe) -> tuple[Array, dict[str, Array]]:
    """The same updates from the texts of the catalogue."""
    env: dict[str, Any] = {symbol: float(value.value) for symbol, value in recipe.symbols()} | {"eta_0": RATE}
    env |= {name: np.full(4, float(value.value)) for name, value in recipe.states().items()}
    env["w"] = np.array([0.5, -0.3, 2.0, 1e-3])
    for t, g in enumerate(gradients(), 1):
        env |= {"g": g, "t": t, "k": (t - 1) // recipe.period()}
        env["eta"] = evaluated(read(recipe.schedule.formula, names=set(env)), env)
        decay = env["eta"] * env["lambda"] * env["w"] if recipe.is_decoupled() else 0.0
        for line in recipe.lines():
            env["sum_of_squares"] = (env["g"] ** 2).sum()
            env[line.target] = evaluated(read(line.formula, names=set(env)), env)
            if line.target in GRADIENTS:
                env["g"] = env[line.target]
        env["w"] = env["w"] - decay
    return env["w"], {name: env[name] for name in recipe.states()}


def conventions() -> Iterator[Any]:
    for row in OPTIMIZERS.values():
        keys = [choice.key for choice in row.all_choices()]
        options = [[option for option, _ in choice.options] for choice in row.all_choices()]
        own = {hyper.key for hyper in row.hypers}
        momenta = ("0", "0.8") if row.name == "rmsprop" else ("0.9",)
        dampenings = ("0", "0.3") if "dampening" in own else ("0",)
        for chosen in product(*options):
            for decay, momentum, dampening in product(("0", "0.1"), momenta, dampenings):
                numbers = {"weight_decay": decay, "momentum": momentum, "dampening": dampening}
                settings = dict(zip(keys, chosen, strict=True)) | {
                    key: value for key, value in numbers.items() if key == "weight_decay" or key in own
                }
                yield row.name, settings


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_convention_does_what_the_lines_of_the_catalogue_say(name: str) -> None:
    tried = [settings for row, settings in conventions() if row == name]
    assert tried
    for settings in tried:
        recipe = choices.recipe({"name": name, **settings})
        (w, states), (expected, expected_states) = run(recipe), by_the_lines(recipe)
        np.testing.assert_allclose(w, expected, rtol=1e-11, atol=1e-14, err_msg=str(settings))
        assert set(states) == set(expected_states), settings
        for state, value in states.items():
            wanted = np.ravel(expected_states[state])[: value.size]
            np.testing.assert_allclose(value, wanted, rtol=1e-11, atol=1e-18)


@pytest.mark.parametrize("settings", [
    {"clip_norm": 2.0}, {"clip_value": 0.5}, {"schedule": {"name": "step", "every": 2, "factor": 0.3}},
    {"schedule": {"name": "exponential", "every": 3, "factor": 0.5}}, {"schedule": {"name": "cosine", "over": 4}},
    {"schedule": {"name": "cosine", "over": 9, "least": 0.01}}, {"schedule": {"name": "inverse-time", "factor": 0.7}},
])  # fmt: skip
def test_clipping_and_schedules(settings: dict[str, Any]) -> None:
    for optimizer in ("sgd", {"name": "adam", "clip_epsilon": 1e-3}):
        recipe = choices.recipe(optimizer, **settings)
        np.testing.assert_allclose(run(recipe)[0], by_the_lines(recipe)[0], rtol=1e-12)


@pytest.mark.parametrize(("ours", "theirs", "settings"), [
    ({"name": "sgd", "weight_decay": 0.1}, "SGD", {"weight_decay": 0.1}),
    ({"name": "momentum", "library": "pytorch", "dampening": 0.2}, "SGD", {"momentum": 0.9, "dampening": 0.2}),
    ({"name": "nesterov", "library": "pytorch"}, "SGD", {"momentum": 0.9, "nesterov": True}),
    ({"name": "adagrad", "library": "pytorch"}, "Adagrad", {}),
    ({"name": "rmsprop", "library": "pytorch"}, "RMSprop", {}),
    ({"name": "rmsprop", "library": "pytorch", "centered": True, "momentum": 0.5}, "RMSprop",
     {"centered": True, "momentum": 0.5}),
    ({"name": "adadelta", "library": "pytorch"}, "Adadelta", {}),
    ({"name": "adam", "weight_decay": 0.1, "maximize": True}, "Adam", {"weight_decay": 0.1, "maximize": True}),
    ({"name": "adamw", "library": "pytorch"}, "AdamW", {}),
    ({"name": "amsgrad", "library": "pytorch"}, "Adam", {"amsgrad": True}),
    ({"name": "nadam", "library": "pytorch"}, "NAdam", {}),
])  # fmt: skip
def test_updates_are_those_of_torch(ours: dict[str, Any], theirs: str, settings: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    w = torch.tensor([0.5, -0.3, 2.0, 1e-3], dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, theirs)([w], lr=RATE, **settings)
    for g in gradients():
        w.grad = torch.tensor(g)
        optimizer.step()
    near = 1e-8 if theirs == "NAdam" else 1e-12  # torch keeps its product of momenta in single precision
    np.testing.assert_allclose(run(choices.recipe(ours))[0], w.detach().numpy(), rtol=near, atol=1e-15)
