"""Published numbers of optimizers: each case file's inputs as problems, its printed numbers reproduced."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from cases import Case, cases, folder
from derive.problem.file import from_dict
from derive.worked import WorkedExample

FOUND = {case.name: case for case in cases("optimizer")}
pytestmark = pytest.mark.skipif(folder() is None, reason="the case files are not there")


def _run(optimizer: Any, steps: int, rate: Any, starts: Mapping[str, Any], objective: str) -> WorkedExample:
    data = {"kind": "optimizer", "optimizer": optimizer, "learning_rate": rate, "parameters": dict(starts),
            "objective": objective, "steps": steps}  # fmt: skip
    return WorkedExample(from_dict(data))


def _check(case: Case, values: Mapping[str, float | None]) -> None:
    printed = {one.key: one for one in case.printed}
    assert set(printed) == set(values)
    for key, value in values.items():
        assert value is not None
        one = printed[key]
        assert abs(Fraction(value) - Fraction(one.value)) <= one.half_unit * Fraction(11, 10), key
        assert value == pytest.approx(one.computed, rel=1e-11, abs=1e-15), key


def test_there_are_cases() -> None:
    assert {"46-tfkeras-optimizers", "48-mlm-gd-momentum", "50-mlm-adagrad"} <= set(FOUND)


def test_tf_keras() -> None:
    """Half the square of a variable; decay and clipping on given gradients."""
    case = FOUND["46-tfkeras-optimizers"]
    given = case.inputs
    half = "1/2*w^2"

    def on(key: str, steps: int, optimizer: Any) -> WorkedExample:
        return _run(optimizer, steps, given[key]["lr"], {"w": given[key]["var"]}, half)

    def adam(key: str, name: str) -> WorkedExample:
        numbers = {"beta1": given[key]["b1"], "beta2": given[key]["b2"], "epsilon": given[key]["eps"]}
        return on(key, 1, {"name": name, **numbers})

    momentum = on("momentum", 2, {"name": "momentum", "momentum": given["momentum"]["momentum"], "library": "keras"})
    numbers = {"rho": given["rmsprop"]["rho"], "epsilon": given["rmsprop"]["eps"]}
    rmsprop = {"name": "rmsprop", "library": "keras", **numbers}
    clip, decay = given["clip"], given["decay"]
    clipped = {"kind": "optimizer", "learning_rate": clip["lr"], "parameters": {"w": clip["var"]},
               "gradients": [[clip["grad"]]], "clip_value": clip["clipvalue"]}  # fmt: skip
    decayed = {"kind": "optimizer", "learning_rate": decay["lr"], "parameters": {"w": decay["var"]}, "gradients": [[0]],
               "optimizer": {"name": "sgd", "library": "keras", "weight_decay": decay["weight_decay"]}}  # fmt: skip
    exact = [momentum.exact(name) for name in ("w", "w@1", "w@2")]
    first, second = (float(before - after) for before, after in pairwise(exact) if before and after)
    _check(case, {
        "sgd": on("sgd", 1, "sgd").value("w@1"),
        "mom_step1": first,
        "mom_step2": second,
        "rmsprop": on("rmsprop", 1, rmsprop).value("w@1"),
        "adam": adam("adam", "adam").value("w@1"),
        "nadam": adam("nadam", "nadam").value("w@1"),
        "clip": WorkedExample(from_dict(clipped)).value("w@1"),
        "decay": WorkedExample(from_dict(decayed)).value("w@1"),
    })  # fmt: skip


def test_gradient_descent_with_momentum() -> None:
    case = FOUND["48-mlm-gd-momentum"]
    start, rate, mu = case.inputs["x0"], case.inputs["lr"], case.inputs["momentum"]
    plain = _run("sgd", 30, rate, {"x": start}, "x^2")
    momentum = _run({"name": "momentum", "form": "change", "momentum": mu}, 30, rate, {"x": start}, "x^2")
    values: dict[str, float | None] = {}
    for one in case.printed:
        kind, place = one.key.split(".")
        example = momentum if kind.startswith("mom") else plain
        values[one.key] = example.value(f"{'E' if kind.endswith('_f') else 'x'}@{int(place) + 1}")
    _check(case, values)


def test_adagrad() -> None:
    case = FOUND["50-mlm-adagrad"]
    starts = dict(zip("xy", case.inputs["x0"], strict=True))
    optimizer = {"name": "adagrad", "epsilon": Decimal(str(case.inputs["eps"]))}
    example = _run(optimizer, 13, case.inputs["lr"], starts, "x^2 + y^2")
    names = {"x": "x", "y": "y", "f": "E"}
    keys = [one.key.split(".") for one in case.printed]
    _check(case, {f"{kind}.{place}": example.value(f"{names[kind]}@{int(place) + 1}") for kind, place in keys})
