"""The losses in NumPy: against torch, against mpmath with many digits, and at the extremes."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from mpmath import mpf
from torch.nn import functional

from derive.calculus.loss_terms import named_terms
from derive.catalogue.losses import LOSSES, ROWS, Loss
from derive.catalogue.numeric_losses import evaluate, table
from derive.formula.expression import (
    Call,
    Cases,
    Expr,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    replace_names,
)
from derive.formula.grammar import read

LARGEST = mpf(np.finfo(float).max)
DIGITS = 1000
"""So many digits leave 30 right ones where 1 + e^(−1000) is the question."""

_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: bool(a < b), "<=": lambda a, b: bool(a <= b), ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b), "==": lambda a, b: bool(a == b),
}  # fmt: skip


def precise(expr: Expr, point: dict[str, Any]) -> Any:
    """The value of a formula in mpmath; 0 times anything is 0."""
    match expr:
        case Name(name):
            return point[name]
        case Number(value):
            return mpf(value.numerator) / value.denominator
        case Sum(terms):
            return mpmath.fsum(precise(term, point) for term in terms)
        case Product(factors):
            total = precise(factors[0], point)
            for factor in factors[1:]:
                total = total * precise(factor, point) if total else total
            return total
        case Quotient(top, bottom):
            return precise(top, point) / precise(bottom, point)
        case Power(base, exponent):
            return precise(base, point) ** precise(exponent, point)
        case Negative(arg):
            return -precise(arg, point)
        case Cases(pieces, otherwise):
            holds = (value for value, test in pieces if _HOLDS[test.relation](
                precise(test.left, point), precise(test.right, point)))  # fmt: skip
            return precise(next(holds, otherwise), point)
        case Call(function, args):
            values = [precise(arg, point) for arg in args]
            own: dict[str, Callable[..., Any]] = {"max": max, "abs": abs, "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z))}
            return own[function](*values) if function in own else getattr(mpmath, function)(*values)
    raise AssertionError(expr)


def expected(loss: Loss, targets: list[float], outputs: list[float]) -> tuple[Any, list[Any]]:
    """The loss and its slopes by the formulas of the table."""
    size = len(outputs)
    terms = named_terms(loss, size)
    point = {f"t{k}": mpf(value) for k, value in enumerate(targets, 1)}
    point |= {f"o{k}": mpf(value) for k, value in enumerate(outputs, 1)}
    value = _finite(terms.whole(), point)
    slopes = []
    for k in range(1, size + 1):
        edge = dict(loss.edges).get(f"{targets[k - 1]:g}", "") if outputs[k - 1] in (0, 1) else ""
        slope = read(edge, names={"t", "o"}) if edge else terms.slope(k)
        names = {"t": Name(f"t{k}"), "o": Name(f"o{k}")}
        slopes.append(None if slope is None else _finite(replace_names(slope, names), {**point, "E": value}))
    return value, slopes


def _finite(expr: Expr, point: dict[str, Any]) -> Any:
    try:
        return precise(expr, point)
    except (ZeroDivisionError, ValueError):
        return None


def close(ours: float, true: Any, scale: float = 1.0) -> bool:
    if not mpmath.isfinite(true) or abs(true) > LARGEST:
        return bool(np.isinf(ours))
    return bool(abs(mpf(ours) - true) <= mpf(10) ** -13 * abs(true) + mpf(10) ** -307 + mpf(2) ** -50 * scale)


def check(loss: Loss, targets: list[float], outputs: list[float], scale: float = 0.0) -> None:
    with warnings.catch_warnings(), mpmath.workdps(DIGITS):
        warnings.simplefilter("error")
        value, slope = evaluate(loss, np.array(targets), np.array(outputs))
        true, slopes = expected(loss, targets, outputs)
        assert not np.isnan(value), (targets, outputs)
        assert true is None or close(float(value), true, scale), (targets, outputs, value, mpmath.nstr(true, 20))
        for ours, wanted in zip(slope, slopes, strict=True):
            if wanted is not None:
                assert close(float(ours), wanted), (targets, outputs, ours, mpmath.nstr(wanted, 20))


EXTREMES = {
    "any": [0.0, 1e-300, -1e-300, 1e-8, 0.5, -1.0, 1.0, 30.0, -30.0, 1e3, -1e3, 1e300, -1e300],
    "probability": [0.0, 1e-300, 1e-16, 0.5, 1 - 2**-53, 1.0],
    "positive": [1e-300, 1e-8, 0.5, 1.0, 1e3, 1e300],
    "above-minus-one": [-1 + 2**-53, -1e-300, 0.0, 1e-300, 1e-8, 1e3, 1e300],
}
CLASSES = [[0.0, 0.0, 0.0], [1e-300, -1e-300, 0.0], [1e3, 0.0, -1e3], [1e3, 1e3, 0.0], [-1e300, 1e300, 5.0],
           [30.0, 0.0, -30.0], [700.0, 710.0, 720.0], [-1e3, -1e3, -1e3]]  # fmt: skip


def targets_of(loss: Loss) -> list[float]:
    if loss.targets == "signs":
        return [-1.0, 1.0]
    if loss.outputs == "any" and not loss.name.startswith("binary"):
        return [1.0, -0.5, 1e3, 1e-300]
    return [0.0, 1.0, 0.3]


@pytest.mark.parametrize("row", [row for row in ROWS if not row.whole], ids=lambda row: row.name)
def test_extremes_of_one_output(row: Loss) -> None:
    for target in targets_of(row):
        for output in EXTREMES[row.outputs]:
            if row.name == "mean-absolute-percentage-error" and target == 0:
                continue
            check(row, [target], [output])


@pytest.mark.parametrize("row", [row for row in ROWS if row.whole], ids=lambda row: row.name)
def test_extremes_of_three_outputs(row: Loss) -> None:
    for outputs in CLASSES:
        for targets in ([1.0, 0.0, 0.0], [0.0, 0.0, 1.0]):
            check(row, targets, outputs, scale=float(row.targets == "sum-to-one") * 1e-3)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_random_points(row: Loss) -> None:
    rng = np.random.default_rng(7)
    for _ in range(25):
        targets, outputs = rng.normal(size=3) * 2 + 0.1, rng.normal(size=3) * 2
        if row.outputs != "any":
            outputs = rng.uniform(0.02, 0.98, 3)
            targets = rng.dirichlet(np.ones(3))
        if row.targets == "signs":
            targets = np.sign(targets)
        if row.labels:
            targets = np.eye(3)[rng.integers(3)] if rng.random() < 0.5 else rng.dirichlet(np.ones(3))
        check(row, [float(one) for one in targets], [float(one) for one in outputs], scale=16.0)


def test_infinite_outputs_have_their_limits() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, target, output, value, slope in (
            ("binary-cross-entropy-logits", 1.0, np.inf, 0.0, 0.0),
            ("binary-cross-entropy-logits", 0.0, -np.inf, 0.0, 0.0),
            ("binary-cross-entropy-logits", 0.0, np.inf, np.inf, 1.0),
            ("huber", 0.0, -np.inf, np.inf, -1.0),
            ("log-cosh", 0.0, np.inf, np.inf, 1.0),
            ("hinge", 1.0, np.inf, 0.0, 0.0),
            ("cross-entropy", 1.0, 0.0, np.inf, -np.inf),
            ("cross-entropy", 0.0, 0.0, 0.0, 0.0),
        ):
            found, slopes = evaluate(LOSSES[name], np.array([target]), np.array([output]))
            assert (float(found), float(slopes[0])) == (value, slope), name
        outputs = np.array([np.inf, 0.0, -np.inf])
        for name, target, value in (
            ("cross-entropy-logits", 0, 0.0), ("cross-entropy-logits", 2, np.inf), ("multiclass-hinge", 0, 0.0),
            ("categorical-hinge", 0, 0.0),
        ):  # fmt: skip
            found, slopes = evaluate(LOSSES[name], np.eye(3)[target], outputs)
            assert float(found) == value, name
            assert not np.isnan(slopes).any(), name




TORCH: dict[str, Callable[[Any, Any], Any]] = {
    "half-squared-error": lambda t, o: functional.mse_loss(o, t, reduction="sum") / 2,
    "squared-error": lambda t, o: functional.mse_loss(o, t, reduction="sum"),
    "mean-squared-error": lambda t, o: functional.mse_loss(o, t),
    "root-mean-squared-error": lambda t, o: functional.mse_loss(o, t).sqrt(),
    "mean-absolute-error": lambda t, o: functional.l1_loss(o, t),
    "mean-absolute-percentage-error": lambda t, o: ((t - o) / t).abs().mean(),
    "mean-squared-logarithmic-error": lambda t, o: functional.mse_loss(o.log1p(), t.log1p()),
    "huber": lambda t, o: functional.huber_loss(o, t, reduction="sum", delta=1.0),
    "log-cosh": lambda t, o: (o - t).cosh().log().sum(),
    "binary-cross-entropy": lambda t, o: functional.binary_cross_entropy(o, t, reduction="sum"),
    "binary-cross-entropy-logits": lambda t, o: functional.binary_cross_entropy_with_logits(o, t, reduction="sum"),
    "cross-entropy": lambda t, o: functional.nll_loss(o.log()[None], t.argmax()[None]),
    "cross-entropy-logits": lambda t, o: functional.cross_entropy(o, t),
    "smoothed-cross-entropy": lambda t, o: -((0.9 * t + 0.1 / len(t)) * o.log()).sum(),
    "smoothed-cross-entropy-logits": lambda t, o: functional.cross_entropy(o, t, label_smoothing=0.1),
    "hinge": lambda t, o: (1 - t * o).clamp(min=0).sum(),
    "squared-hinge": lambda t, o: ((1 - t * o).clamp(min=0) ** 2).sum(),
    "categorical-hinge": lambda t, o: (1 + ((1 - t) * o).amax() - (t * o).sum()).clamp(min=0),
    "multiclass-hinge": lambda t, o: functional.multi_margin_loss(o, t.argmax(), margin=1.0) * len(o),
    "kullback-leibler": lambda t, o: functional.kl_div(o.log(), t, reduction="sum"),
    "poisson": lambda t, o: functional.poisson_nll_loss(o, t, log_input=False, eps=0.0, reduction="sum"),
}


def test_every_row_has_numbers_and_a_peer() -> None:
    assert table().keys() == LOSSES.keys() == TORCH.keys()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_against_torch(row: Loss) -> None:
    rng = np.random.default_rng(11)
    for _ in range(40):
        outputs = rng.normal(size=4) * 3 if row.outputs == "any" else rng.uniform(0.02, 0.98, 4)
        targets = np.eye(4)[rng.integers(4)] if row.labels else rng.uniform(0.1, 0.9, 4)
        if row.targets == "signs":
            targets = rng.choice([-1.0, 1.0], 4)
        theirs = torch.tensor(outputs, requires_grad=True)
        value = TORCH[row.name](torch.tensor(targets), theirs)
        value.backward()
        ours, slope = evaluate(row, targets, outputs)
        np.testing.assert_allclose(ours, value.detach().numpy(), rtol=1e-12, atol=1e-14)
        assert theirs.grad is not None
        np.testing.assert_allclose(slope, theirs.grad.numpy(), rtol=1e-9, atol=1e-13)


def test_batches_and_the_mean_over_outputs() -> None:
    rng = np.random.default_rng(3)
    targets, outputs = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5, 3))
    value, slope = evaluate(LOSSES["huber"], targets, outputs)
    mean, mean_slope = evaluate(LOSSES["huber"].with_parameters({}, "mean"), targets, outputs)
    assert value.shape == (2, 5)
    assert slope.shape == (2, 5, 3)
    np.testing.assert_allclose(mean, value / 3)
    np.testing.assert_allclose(mean_slope, slope / 3)


def test_numpy_is_imported_late() -> None:
    code = "import sys, derive.catalogue.numeric_losses; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
