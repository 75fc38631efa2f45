"""Activations at points, predictions against targets: small programs (see `derive.verify.program`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from derive.catalogue.activations import Activation
from derive.problem.loss import LossSetting
from derive.verify.arithmetic import Arithmetic
from derive.verify.plain_loss import loss_parts, put_together
from derive.verify.plain_network import activated


class Recalculated:
    """A program that calculates everything again for each nudge: `calculate` is given a keeper of values."""

    def __init__(
        self, given: Mapping[str, Any], calculate: Callable[[Callable[[str], Any], Keep], None], arithmetic: Arithmetic
    ) -> None:
        self.arithmetic = arithmetic
        self._given = given
        self._calculate = calculate
        self._values = self._again("", 0)

    def value(self, name: str) -> Any:
        return self._values[name]

    def nudged(self, name: str, amount: Any) -> Mapping[str, Any]:
        now = self._again(name, amount)
        return {key: value for key, value in now.items() if value != self._values[key]}

    def _again(self, name: str, amount: Any) -> dict[str, Any]:
        values = {key: value + amount if key == name else value for key, value in self._given.items()}

        def keep(key: str, value: Any) -> Any:
            values[key] = value + amount if key == name else value
            return values[key]

        self._calculate(values.__getitem__, keep)
        return values


Keep = Callable[[str, Any], Any]


def point_program(row: Activation, point: tuple[Any, ...], arithmetic: Arithmetic) -> Recalculated:
    """The program of z or z1, z2, … and f or f1, f2, … at one point."""
    several = len(point) > 1
    names = [f"z{k}" if several else "z" for k in range(1, len(point) + 1)]
    parameters = {key: arithmetic.number(value.value) for key, value in row.parameters}

    def calculate(lookup: Callable[[str], Any], keep: Keep) -> None:
        outs = activated(row, [lookup(name) for name in names], parameters, arithmetic)
        for k, out in enumerate(outs, 1):
            keep(f"f{k}" if row.vector and not row.vector.single else "f", out)

    return Recalculated(dict(zip(names, point, strict=True)), calculate, arithmetic)


def loss_program(setting: LossSetting, given: Mapping[str, Any], arithmetic: Arithmetic) -> Recalculated:
    """o1 … from z1 … where an activation makes them, E_o1 …, E[k] and E."""
    row = setting.activation
    parameters = {key: arithmetic.number(value.value) for key, value in row.parameters} if row else {}

    def sample(suffix: str, lookup: Callable[[str], Any], keep: Keep) -> Any:
        names = setting.names("o", suffix)
        if row is not None:
            nets = [lookup(name) for name in setting.names("z", suffix)]
            outs = activated(row, nets, parameters, arithmetic)
            outputs = [keep(name, out) for name, out in zip(names, outs, strict=True)]
        else:
            outputs = [lookup(name) for name in names]
        targets = [lookup(name) for name in setting.names("t", suffix)]
        parts = loss_parts(setting.loss, targets, outputs, arithmetic)
        if len(parts) > 1:
            parts = [keep(f"E_o{k}{suffix}", part) for k, part in enumerate(parts, 1)]
        return keep(f"E{suffix}", put_together(setting.loss, parts, setting.outputs))

    def calculate(lookup: Callable[[str], Any], keep: Keep) -> None:
        losses = [sample(suffix, lookup, keep) for suffix in setting.suffixes()]
        if setting.samples > 1:
            keep("E", sum(losses) / len(losses) if setting.reduction == "mean" else sum(losses))

    return Recalculated(given, calculate, arithmetic)
