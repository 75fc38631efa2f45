"""The updates of parameters made anew: the plain step in many digits, every other rule by the NumPy network's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from derive.catalogue.recipes import Recipe
from derive.verify.opinion import DIGITS_OF_DOUBLES, Opinion

Numbers = Mapping[str, Any]
Gradient = Callable[[int, Numbers], Numbers]
"""The gradient after so many updates, at these parameters."""

Move = Callable[[Numbers, Numbers], tuple[dict[str, Any], dict[str, Any]]]
"""From parameters and gradient to the new parameters, and states by name."""

RELATIVE, ABSOLUTE = 1e-10, 1e-14
"""How far a few updates in doubles may be off."""


class Trajectory:
    """Parameters and states after each update, found when they are asked for.

    in_doubles   whether the updates are made in doubles, so that numbers after them are off by as much
    """

    def __init__(self, start: Numbers, gradient: Gradient, move: Move, *, in_doubles: bool) -> None:
        self._parameters: list[Numbers] = [dict(start)]
        self._states: list[Numbers] = [{}]
        self._gradient = gradient
        self._move = move
        self._in_doubles = in_doubles

    def parameters(self, step: int) -> Numbers:
        while len(self._parameters) <= step:
            now = self._parameters[-1]
            moved, states = self._move(now, self._gradient(len(self._parameters) - 1, now))
            self._parameters.append(moved)
            self._states.append(states)
        return self._parameters[step]

    def opinion(self, name: str, step: int) -> Opinion | None:
        """Of a parameter or a state after so many updates; None for another name, and for what is no number."""
        found = self.parameters(step).get(name)
        state = self._states[step].get(name)
        value = state if found is None else found
        if value is None or value != value:
            return None
        return self.after(Opinion(value))

    def after(self, found: Opinion) -> Opinion:
        """An opinion of a number that follows from the parameters after an update."""
        if not self._in_doubles:
            return found
        floor = found.floor + abs(found.value) * RELATIVE + ABSOLUTE
        return replace(found, floor=floor, digits=DIGITS_OF_DOUBLES)


def trajectory_of(recipe: Recipe, rate: Any, start: Numbers, gradient: Gradient) -> Trajectory:
    """The updates of parameters that start from these numbers."""
    if _is_plain(recipe):
        return Trajectory(start, gradient, _plain(rate), in_doubles=False)
    return Trajectory(start, gradient, _by_numpy(recipe, rate, tuple(start)), in_doubles=True)


def _is_plain(recipe: Recipe) -> bool:
    decay = recipe.value("weight_decay").value
    return recipe.row.name == "sgd" and not (
        recipe.is_scheduled() or recipe.clip or decay or recipe.option("maximize") == "true"
    )


def _plain(rate: Any) -> Move:
    def move(now: Numbers, gradient: Numbers) -> tuple[dict[str, Any], dict[str, Any]]:
        return {name: value - rate * gradient[name] for name, value in now.items()}, {}

    return move


def _by_numpy(recipe: Recipe, rate: Any, names: tuple[str, ...]) -> Move:
    """The optimizer of `derive.mlp`, on vectors of doubles."""
    import numpy as np

    from derive.mlp.optimizers import Optimizer
    from derive.verify.numpy_updates import updated

    optimizer = Optimizer(recipe, float(rate))
    optimizer.begin(np.zeros(len(names)))

    def move(now: Numbers, gradient: Numbers) -> tuple[dict[str, Any], dict[str, Any]]:
        vector = np.array([float(now[name]) for name in names])
        slope = np.array([float(gradient[name]) for name in names])
        with np.errstate(all="ignore"):
            found = updated(optimizer, list(names), vector, slope)
        number = type(rate)
        carried = {name: number(value) for name, value in found.items()}
        return {name: number(float(value)) for name, value in zip(names, vector, strict=True)}, carried

    return move
