"""The optimizers in NumPy, written by hand from their papers: no line of the catalogue's rules is compiled here.

Only names, numbers and conventions come from the catalogue, as a `Recipe`.  All parameters are one flat vector w, their
gradients another, g.  An update changes w and the states in place and may use g as scratch space.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.catalogue.recipes import Recipe, Schedule

Array = NDArray[Any]
States = dict[str, Array]


class Settings:
    """The numbers of a recipe as floats, and its conventions; `start` has the first number of each state."""

    def __init__(self, recipe: Recipe) -> None:
        self.name = recipe.row.name
        self.numbers = {hyper.key: float(recipe.value(hyper.key).value) for hyper in recipe.row.all_hypers()}
        self.options = {choice.key: recipe.option(choice.key) for choice in recipe.row.all_choices()}
        self.clip = recipe.clip
        self.clip_at = float(recipe.clip_at.value) if recipe.clip_at is not None else math.inf
        self.clip_epsilon = float(recipe.clip_epsilon.value)
        self.schedule = rate_of(recipe.schedule, {key: float(value.value) for key, value in recipe.schedule_numbers})
        self.start = STATES[self.name](self)

    def __getitem__(self, key: str) -> float:
        return self.numbers[key]

    def is_(self, key: str, option: str = "true") -> bool:
        return self.options[key] == option


class Optimizer:
    """An update rule with its states; states of one number belong to all parameters together."""

    def __init__(self, recipe: Recipe, learning_rate: float) -> None:
        self.settings = Settings(recipe)
        self.learning_rate = learning_rate
        self.step_number = 0
        self.states: States = {}

    def rate(self) -> float:
        """The learning rate of the update that `step` did last."""
        return self.settings.schedule(self.learning_rate, self.step_number)

    def begin(self, w: Array) -> None:
        """Before the first update of the vector w."""
        self.step_number = 0
        shared = {"mu_product"}
        self.states = {
            name: np.full(1 if name in shared else w.shape, start, np.float64 if name in shared else w.dtype)
            for name, start in self.settings.start.items()
        }

    def step(self, w: Array, g: Array) -> None:
        """One update of w, in place, from the gradients g: clipping, sign, weight decay, the rule."""
        settings = self.settings
        self.step_number += 1
        rate = self.rate()
        prepare(settings, w, g)
        decay = settings["weight_decay"] if settings.is_("decay", "decoupled") else 0.0
        taken_off = rate * decay * w if decay else None
        RULES[settings.name](settings, self.states, w, g, rate, self.step_number)
        if taken_off is not None:
            w -= taken_off


def prepare(settings: Settings, w: Array, g: Array) -> None:
    """Clipping, then the sign, then coupled weight decay, in g."""
    if settings.clip == "value":
        np.clip(g, -settings.clip_at, settings.clip_at, out=g)
    elif settings.clip == "norm":
        norm = float(np.sqrt(np.dot(g, g))) + settings.clip_epsilon
        if norm > settings.clip_at:
            g *= settings.clip_at / norm
    if settings.is_("maximize"):
        np.negative(g, out=g)
    if settings["weight_decay"] and settings.is_("decay", "coupled"):
        g += settings["weight_decay"] * w


# --- rules -----------------------------------------------------------------------------------------------------------


def _mean(state: Array, kept: float, new: Array) -> None:
    """The running mean: state ← kept·state + (1 − kept)·new."""
    state *= kept
    state += (1 - kept) * new


def _root(squares: Array, epsilon: float, place: str) -> Array:
    return np.asarray(np.sqrt(squares + epsilon) if place == "inside" else np.sqrt(squares) + epsilon)


def _sgd(_: Settings, __: States, w: Array, g: Array, rate: float, ___: int) -> None:
    g *= rate
    w -= g


def _momentum(s: Settings, states: States, w: Array, g: Array, rate: float, t: int) -> None:
    v, mu, form = states["v"], s["momentum"], s.options["form"]
    v *= 0 if form == "pytorch" and s["dampening"] and t == 1 else mu
    match form:
        case "classical":
            v -= rate * g
            w += v
        case "change":
            v += rate * g
            w -= v
        case "average":
            v += (1 - mu) * g
            w -= rate * v
        case _:
            v += g if t == 1 else (1 - s["dampening"]) * g
            w -= rate * v


def _nesterov(s: Settings, states: States, w: Array, g: Array, rate: float, _: int) -> None:
    v, mu = states["v"], s["momentum"]
    v *= mu
    if s.is_("form", "keras"):
        v -= rate * g
        w += mu * v - rate * g
    else:
        v += g
        w -= rate * (g + mu * v)


def _adagrad(s: Settings, states: States, w: Array, g: Array, rate: float, _: int) -> None:
    states["s"] += g * g
    w -= rate * g / _root(states["s"], s["epsilon"], s.options["epsilon_place"])


def _rmsprop(s: Settings, states: States, w: Array, g: Array, rate: float, _: int) -> None:
    squares = states["v"]
    _mean(squares, s["rho"], g * g)
    if s.is_("centered"):
        _mean(states["m"], s["rho"], g)
        squares = squares - states["m"] ** 2
    step = g / _root(squares, s["epsilon"], s.options["epsilon_place"])
    if not s["momentum"]:
        w -= rate * step
        return
    velocity, inside = states["b"], s.is_("rate_place", "inside")
    velocity *= s["momentum"]
    velocity += rate * step if inside else step
    w -= velocity if inside else rate * velocity


def _adadelta(s: Settings, states: States, w: Array, g: Array, rate: float, _: int) -> None:
    _mean(states["v"], s["rho"], g * g)
    step = np.sqrt((states["u"] + s["epsilon"]) / (states["v"] + s["epsilon"])) * g
    _mean(states["u"], s["rho"], step * step)
    w -= rate * step


def _adam(s: Settings, states: States, w: Array, g: Array, rate: float, t: int) -> None:
    m, v = states["m"], states["v"]
    _mean(m, s["beta1"], g)
    _mean(v, s["beta2"], g * g)
    _adam_step(s, m, v, w, rate, t)


def _adam_step(s: Settings, m: Array, v: Array, w: Array, rate: float, t: int) -> None:
    """The step w ← w − rate·m̂/(√v̂ + epsilon), in the convention that was chosen."""
    first, second = (1 - s["beta1"] ** t, 1 - s["beta2"] ** t) if s.is_("bias_correction") else (1.0, 1.0)
    place = s.options["epsilon_place"]
    if place == "uncorrected":
        w -= rate * math.sqrt(second) / first * m / (np.sqrt(v) + s["epsilon"])
    else:
        w -= rate / first * m / _root(v / second, s["epsilon"], place)


def _amsgrad(s: Settings, states: States, w: Array, g: Array, rate: float, t: int) -> None:
    m, v, largest = states["m"], states["v"], states["v_max"]
    _mean(m, s["beta1"], g)
    _mean(v, s["beta2"], g * g)
    corrected = s.is_("bias_correction") and not s.is_("epsilon_place", "uncorrected")
    if corrected and s.is_("maximum_of", "v_hat"):
        np.maximum(largest, v / (1 - s["beta2"] ** t), out=largest)
        w -= rate / (1 - s["beta1"] ** t) * m / _root(largest, s["epsilon"], s.options["epsilon_place"])
    else:
        np.maximum(largest, v, out=largest)
        _adam_step(s, m, largest, w, rate, t)


def _nadam(s: Settings, states: States, w: Array, g: Array, rate: float, t: int) -> None:
    m, v, beta1 = states["m"], states["v"], s["beta1"]
    _mean(m, beta1, g)
    _mean(v, s["beta2"], g * g)
    if s.is_("momentum_schedule", "rising"):
        now, following = (beta1 * (1 - 0.5 * 0.96 ** (s["psi"] * n)) for n in (t, t + 1))
        states["mu_product"] *= now
        product = float(states["mu_product"][0])
        ahead = following / (1 - product * following) * m + (1 - now) / (1 - product) * g
    else:
        ahead = beta1 / (1 - beta1 ** (t + 1)) * m + (1 - beta1) / (1 - beta1**t) * g
    w -= rate * ahead / _root(v / (1 - s["beta2"] ** t), s["epsilon"], s.options["epsilon_place"])


Rule = Callable[[Settings, States, Array, Array, float, int], None]
RULES: Mapping[str, Rule] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "nesterov": _nesterov,
    "adagrad": _adagrad,
    "rmsprop": _rmsprop,
    "adadelta": _adadelta,
    "adam": _adam,
    "adamw": _adam,
    "amsgrad": _amsgrad,
    "nadam": _nadam,
}


def _rmsprop_states(s: Settings) -> dict[str, float]:
    centered = {"m": 0.0} if s.is_("centered") else {}
    return {"v": s["start"]} | centered | ({"b": 0.0} if s["momentum"] else {})


STATES: Mapping[str, Callable[[Settings], dict[str, float]]] = {
    "sgd": lambda _: {},
    "momentum": lambda _: {"v": 0.0},
    "nesterov": lambda _: {"v": 0.0},
    "adagrad": lambda s: {"s": s["start"]},
    "rmsprop": _rmsprop_states,
    "adadelta": lambda _: {"v": 0.0, "u": 0.0},
    "adam": lambda _: {"m": 0.0, "v": 0.0},
    "adamw": lambda _: {"m": 0.0, "v": 0.0},
    "amsgrad": lambda _: {"m": 0.0, "v": 0.0, "v_max": 0.0},
    "nadam": lambda s: {"m": 0.0, "v": 0.0} | ({"mu_product": 1.0} if s.is_("momentum_schedule", "rising") else {}),
}
"""What each rule carries from update to update, and the number that it starts from."""


# --- schedules -------------------------------------------------------------------------------------------------------

Rate = Callable[[float, int], float]
"""The rate of update t, counted from 1, from the given rate."""

SCHEDULES: Mapping[str, Callable[..., float]] = {
    "constant": lambda rate, _: rate,
    "step": lambda rate, t, factor, every: rate * factor ** ((t - 1) // every),
    "exponential": lambda rate, t, factor, every: rate * factor ** ((t - 1) / every),
    "cosine": lambda rate, t, least, over: (
        least + (rate - least) * (1 + math.cos(math.pi * min(t - 1, over) / over)) / 2
    ),
    "inverse-time": lambda rate, t, factor, every: rate / (1 + factor * (t - 1) / every),
}


def rate_of(row: Schedule, given: Mapping[str, float]) -> Rate:
    numbers = {hyper.key: given.get(hyper.key, float(hyper.default.value)) for hyper in row.hypers}
    function = SCHEDULES[row.name]
    return lambda rate, t: function(rate, t, **numbers)
