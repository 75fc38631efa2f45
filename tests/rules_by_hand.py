"""Update rules of optimizers written by hand in NumPy, at the rate 0.1: (w, g, t, states) to the new w."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Rule = Callable[[np.ndarray, np.ndarray, int, dict[str, Any]], Any]


def _kept(states: dict[str, Any], name: str, rho: float, new: np.ndarray) -> np.ndarray:
    states[name] = rho * states.get(name, 0.0) + new
    return np.asarray(states[name])


def classical(w: np.ndarray, g: np.ndarray, _: int, s: dict[str, Any]) -> Any:
    return w + _kept(s, "v", 0.9, -0.1 * g)


def average(w: np.ndarray, g: np.ndarray, _: int, s: dict[str, Any]) -> Any:
    return w - 0.1 * _kept(s, "v", 0.9, 0.1 * g)


def nesterov(w: np.ndarray, g: np.ndarray, _: int, s: dict[str, Any]) -> Any:
    return w + 0.9 * _kept(s, "v", 0.9, -0.1 * g) - 0.1 * g


def adagrad_inside(w: np.ndarray, g: np.ndarray, _: int, s: dict[str, Any]) -> Any:
    s.setdefault("s", 0.1)
    return w - 0.1 * g / np.sqrt(_kept(s, "s", 1.0, g**2) + 1e-7)


def rmsprop_keras(w: np.ndarray, g: np.ndarray, _: int, s: dict[str, Any]) -> Any:
    v = _kept(s, "v", 0.9, 0.1 * g**2)
    return w - _kept(s, "b", 0.5, 0.1 * g / np.sqrt(v + 1e-7))


def rmsprop_centered(w: np.ndarray, g: np.ndarray, _: int, s: dict[str, Any]) -> Any:
    v, m = _kept(s, "v", 0.9, 0.1 * g**2), _kept(s, "m", 0.9, 0.1 * g)
    return w - 0.1 * g / np.sqrt(v - m**2 + 1e-7)


def rmsprop_centered_momentum(w: np.ndarray, g: np.ndarray, _: int, s: dict[str, Any]) -> Any:
    v, m = _kept(s, "v", 0.9, 0.1 * g**2), _kept(s, "m", 0.9, 0.1 * g)
    return w - _kept(s, "b", 0.5, 0.1 * g / np.sqrt(v - m**2 + 1e-7))


def rmsprop_tf1(w: np.ndarray, g: np.ndarray, _: int, s: dict[str, Any]) -> Any:
    s.setdefault("v", 1.0)
    return w - 0.1 * g / np.sqrt(_kept(s, "v", 0.9, 0.1 * g**2) + 1e-10)


def adam_keras(w: np.ndarray, g: np.ndarray, t: int, s: dict[str, Any]) -> Any:
    m, v = _kept(s, "m", 0.9, 0.1 * g), _kept(s, "v", 0.999, 0.001 * g**2)
    return w - 0.1 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)


def adam_inside(w: np.ndarray, g: np.ndarray, t: int, s: dict[str, Any]) -> Any:
    m, v = _kept(s, "m", 0.9, 0.1 * g), _kept(s, "v", 0.999, 0.001 * g**2)
    return w - 0.1 * m / (1 - 0.9**t) / np.sqrt(v / (1 - 0.999**t) + 0.01)


def adam_uncorrected(w: np.ndarray, g: np.ndarray, _: int, s: dict[str, Any]) -> Any:
    m, v = _kept(s, "m", 0.9, 0.1 * g), _kept(s, "v", 0.999, 0.001 * g**2)
    return w - 0.1 * m / (np.sqrt(v) + 0.01)


def adamw_keras(w: np.ndarray, g: np.ndarray, t: int, s: dict[str, Any]) -> Any:
    return adam_keras(w - 0.1 * 0.004 * w, g, t, s)


def amsgrad_optax(w: np.ndarray, g: np.ndarray, t: int, s: dict[str, Any]) -> Any:
    m, v = _kept(s, "m", 0.9, 0.1 * g), _kept(s, "v", 0.7, 0.3 * g**2)
    s["max"] = np.maximum(s.get("max", 0.0), v / (1 - 0.7**t))
    return w - 0.1 * m / (1 - 0.9**t) / (np.sqrt(s["max"]) + 1e-8)


def amsgrad_keras(w: np.ndarray, g: np.ndarray, t: int, s: dict[str, Any]) -> Any:
    m, v = _kept(s, "m", 0.9, 0.1 * g), _kept(s, "v", 0.7, 0.3 * g**2)
    s["max"] = np.maximum(s.get("max", 0.0), v)
    return w - 0.1 * math.sqrt(1 - 0.7**t) / (1 - 0.9**t) * m / (np.sqrt(s["max"]) + 1e-7)


def amsgrad_reddi(w: np.ndarray, g: np.ndarray, _: int, s: dict[str, Any]) -> Any:
    m, v = _kept(s, "m", 0.9, 0.1 * g), _kept(s, "v", 0.7, 0.3 * g**2)
    s["max"] = np.maximum(s.get("max", 0.0), v)
    return w - 0.1 * m / np.sqrt(s["max"])


def adam_bare_inside(w: np.ndarray, g: np.ndarray, _: int, s: dict[str, Any]) -> Any:
    m, v = _kept(s, "m", 0.9, 0.1 * g), _kept(s, "v", 0.999, 0.001 * g**2)
    return w - 0.1 * m / np.sqrt(v + 0.01)


def amsgrad_inside(largest_of_corrected: bool) -> Rule:
    def rule(w: np.ndarray, g: np.ndarray, t: int, s: dict[str, Any]) -> Any:
        m, v = _kept(s, "m", 0.9, 0.1 * g), _kept(s, "v", 0.7, 0.3 * g**2)
        correction = 1 - 0.7**t
        s["max"] = np.maximum(s.get("max", 0.0), v / correction if largest_of_corrected else v)
        v_hat = s["max"] if largest_of_corrected else s["max"] / correction
        return w - 0.1 * m / (1 - 0.9**t) / np.sqrt(v_hat + 0.01)

    return rule


def amsgrad_bare_inside(w: np.ndarray, g: np.ndarray, _: int, s: dict[str, Any]) -> Any:
    m, v = _kept(s, "m", 0.9, 0.1 * g), _kept(s, "v", 0.7, 0.3 * g**2)
    s["max"] = np.maximum(s.get("max", 0.0), v)
    return w - 0.1 * m / np.sqrt(s["max"] + 0.01)


def nadam_inside(w: np.ndarray, g: np.ndarray, t: int, s: dict[str, Any]) -> Any:
    m, v = _kept(s, "m", 0.9, 0.1 * g), _kept(s, "v", 0.999, 0.001 * g**2)
    ahead = 0.9 * m / (1 - 0.9 ** (t + 1)) + 0.1 * g / (1 - 0.9**t)
    return w - 0.1 * ahead / np.sqrt(v / (1 - 0.999**t) + 0.01)


def nadam_optax(w: np.ndarray, g: np.ndarray, t: int, s: dict[str, Any]) -> Any:
    m, v = _kept(s, "m", 0.9, 0.1 * g), _kept(s, "v", 0.999, 0.001 * g**2)
    ahead = 0.9 * m / (1 - 0.9 ** (t + 1)) + 0.1 * g / (1 - 0.9**t)
    return w - 0.1 * ahead / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


def nadam_keras(w: np.ndarray, g: np.ndarray, t: int, s: dict[str, Any]) -> Any:
    m, v = _kept(s, "m", 0.9, 0.1 * g), _kept(s, "v", 0.999, 0.001 * g**2)
    now, later = 0.9 * (1 - 0.5 * 0.96**t), 0.9 * (1 - 0.5 * 0.96 ** (t + 1))
    s["product"] = s.get("product", 1.0) * now
    ahead = later * m / (1 - s["product"] * later) + (1 - now) * g / (1 - s["product"])
    return w - 0.1 * ahead / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
