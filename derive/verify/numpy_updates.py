"""One update by the optimizer of `derive.mlp`, with everything by name that a page shows of it.

The optimizer keeps parameters and states only; what it computes on its way is written out here from the same papers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.mlp.optimizers import Optimizer, Settings

Array = NDArray[Any]
Numbers = dict[str, float]
SHARED = ("mu_product",)


def updated(optimizer: Optimizer, names: list[str], w: Array, g: Array) -> Numbers:
    """Update w in place; the rate, states and intermediate results by name: m_w5, m_hat_w5, g_norm."""
    before = {name: values.copy() for name, values in optimizer.states.items()}
    old, found = w.copy(), {}
    optimizer.step(w, g.copy())
    used, each, shared = _prepared(optimizer.settings, old, g)
    now = _Now(optimizer.settings, optimizer.step_number, optimizer.rate(), used, before, optimizer.states)
    found = {"eta": now.rate, **shared}
    for name, make in ON_THE_WAY.get(optimizer.settings.name, {}).items():
        value = make(now)
        if np.ndim(value):
            each[name] = value
        else:
            found[name] = float(value)
    for name, values in {**optimizer.states, **each}.items():
        if name in SHARED:
            found[name] = float(values[0])
        else:
            found |= {f"{name}_{parameter}": float(value) for parameter, value in zip(names, values, strict=True)}
    return found


def _prepared(s: Settings, w: Array, g: Array) -> tuple[Array, dict[str, Array], Numbers]:
    """The gradient that the rule is given, and clipping, sign and decay on the way to it."""
    each: dict[str, Array] = {}
    shared: Numbers = {}
    if s.clip == "value":
        g = each["g_clip"] = np.maximum(np.minimum(g, s.clip_at), -s.clip_at)
    elif s.clip == "norm":
        squares = float((g * g).sum())
        length = sqrt(squares) + s.clip_epsilon
        factor = 1.0 if length <= s.clip_at else s.clip_at / length
        shared = {"g_squares": squares, "g_norm": sqrt(squares), "g_factor": factor}
        g = each["g_clip"] = factor * g
    if s.is_("maximize"):
        g = each["g_up"] = -g
    if s["weight_decay"] and s.is_("decay", "coupled"):
        g = each["g_decay"] = g + s["weight_decay"] * w
    return g, each, shared


@dataclass(frozen=True, slots=True)
class _Now:
    """One update: settings, its number, its rate, the gradient, the states before and after it."""

    s: Settings
    t: int
    rate: float
    g: Array
    before: Mapping[str, Array]
    after: Mapping[str, Array]

    def left(self, key: str, beyond: int = 0) -> float:
        """1 − beta^t"""
        return float(1 - self.s[key] ** (self.t + beyond))


def _corrected(state: str, key: str) -> Callable[[_Now], Array]:
    return lambda now: now.after[state] / now.left(key)


def _divisor(now: _Now) -> Array:
    squares = now.after["v"] - now.after["m"] ** 2 if now.s.is_("centered") else now.after["v"]
    inside = now.s.is_("epsilon_place", "inside")
    return np.asarray(np.sqrt(squares + now.s["epsilon"]) if inside else np.sqrt(squares) + now.s["epsilon"])


def _change(now: _Now) -> Array:
    epsilon = now.s["epsilon"]
    return np.asarray(np.sqrt(now.before["u"] + epsilon) / np.sqrt(now.after["v"] + epsilon) * now.g)


def _amsgrad_v_hat(now: _Now) -> Array:
    of = "v_max" if now.s.is_("maximum_of", "v") else "v"
    return now.after[of] / now.left("beta2")


def _step_size(now: _Now) -> float:
    return now.rate * sqrt(now.left("beta2")) / now.left("beta1")


def _momentum(now: _Now, beyond: int = 0) -> float:
    return float(now.s["beta1"] * (1 - 0.96 ** (now.s["psi"] * (now.t + beyond)) / 2))


def _look_ahead(now: _Now) -> Array:
    m, g, beta = now.after["m"], now.g, now.s["beta1"]
    if not now.s.is_("momentum_schedule", "rising"):
        return beta * m / now.left("beta1", 1) + (1 - beta) * g / now.left("beta1")
    product, following = now.after["mu_product"][0], _momentum(now, 1)
    return np.asarray(following * m / (1 - product * following) + (1 - _momentum(now)) * g / (1 - product))


_ADAM = {"alpha": _step_size, "m_hat": _corrected("m", "beta1"), "v_hat": _corrected("v", "beta2")}
ON_THE_WAY: Mapping[str, Mapping[str, Callable[[_Now], Any]]] = {
    "rmsprop": {"q": _divisor},
    "adadelta": {"d": _change},
    "adam": _ADAM,
    "adamw": _ADAM,
    "amsgrad": {**_ADAM, "v_hat": _amsgrad_v_hat},
    "nadam": {
        "m_bar": _look_ahead, "v_hat": _corrected("v", "beta2"), "mu_now": _momentum,
        "mu_next": lambda now: _momentum(now, 1),
    },
}  # fmt: skip
"""What a rule computes on its way, by the name that the pages give it."""
