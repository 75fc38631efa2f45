"""Every published loss case: right numbers are reproduced, wrong ones are not ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from cases import Case, Printed, cases, folder
from derive.problem.file import from_dict
from derive.worked import WorkedExample

KNOWN = {"37-cs231n-losses", "40-optax-ce", "41-sklearn-metrics", "43-nnfs"}
FINE = {"decimals": 60}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a key stands for: factor · Σ weight · quantity, of problems of the case, or the root of that."""

    terms: tuple[tuple[str, str, Fraction], ...]
    factor: Fraction = Fraction(1)
    root: bool = False


def is_(problem: str, name: str = "E") -> Meaning:
    return Meaning(((problem, name, Fraction(1)),))


def mean(*problems: str, weights: Sequence[str] = ()) -> Meaning:
    """The mean of the losses of several problems, or their weighted sum."""
    shares = [Fraction(weight) for weight in weights] or [Fraction(1, len(problems))] * len(problems)
    return Meaning(tuple((problem, "E", share) for problem, share in zip(problems, shares, strict=True)))


def loss(name: object, predictions: object, targets: object, **more: object) -> dict[str, Any]:
    data = {"kind": "loss", "loss": name, "predictions": predictions, "targets": targets}
    return data | {"rounding": FINE} | more


def classes(rows: object, labels: object, **more: object) -> dict[str, Any]:
    """Cross-entropy of probabilities, or of logits with activation = "softmax", against classes."""
    return loss("cross-entropy", rows, labels, **more)


def columns(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


# -- what the inputs of each case are as problems


def _hinge_and_softmax(inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    right = inputs["svm_y"]
    scores = {key: classes(inputs[key], 0, activation="softmax") for key in ("z1", "z2", "z3")}
    powers = {
        f"e{key}": {"kind": "expression", "given": {f"z{i}": value for i, value in enumerate(inputs[f"z{key}"])},
                    "define": {f"e{i}": f"exp(z{i})" for i in range(3)}, "rounding": FINE}
        for key in (1, 2)
    }  # fmt: skip
    return {
        "svm": loss({"name": "multiclass-hinge", "margin": inputs["svm_delta"]}, inputs["svm_scores"], right),
        "svm2": loss({"name": "multiclass-hinge", "margin": 1}, inputs["svm2"], right),
        **scores,
        **powers,
    }


def _optax(inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The logits of the second example are 0 … 23 in rows of 12."""
    wide = [list(range(start, start + 12)) for start in (0, 12)]
    return {
        "ce": classes(inputs["logits"], inputs["labels"], activation="softmax"),
        "wide": loss("cross-entropy-logits", wide, [5, 11]),
    }


_ERRORS = {
    "mae": "mean-absolute-error",
    "mape": "mean-absolute-percentage-error",
    "mse": "mean-squared-error",
    "rmse": "root-mean-squared-error",
    "msle": "mean-squared-logarithmic-error",
}


def _metrics(inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A metric of one output is a loss over the samples as outputs; of several, a problem for each column."""
    found: dict[str, dict[str, Any]] = {}
    for key, name in _ERRORS.items():
        if name != "mean-squared-logarithmic-error":
            found[f"{key}_a"] = loss(name, inputs["a"][1], inputs["a"][0])
        letter = "c" if key == "msle" else "b"
        pairs = zip(columns(inputs[f"{letter}_pred"]), columns(inputs[f"{letter}_true"]), strict=True)
        for place, (predicted, true) in enumerate(pairs):
            found[f"{key}_{place}"] = loss(name, predicted, true)
    found["msle"] = loss("mean-squared-logarithmic-error", inputs["msle"][1], inputs["msle"][0])
    found["log_loss"] = classes(*_log_loss(inputs["logloss"][0]))
    found["brier"] = loss("mean-squared-error", inputs["brier_p"], inputs["brier_y"])
    one_hot = [[int(place == k) for place in range(3)] for k in range(3)]
    found["brier3"] = loss("squared-error", inputs["brier3"], one_hot)
    return found


def _log_loss(right: Sequence[Decimal]) -> tuple[list[list[Decimal]], list[int]]:
    """The probability of the right class of each sample, beside that of the other."""
    return [[chance, 1 - chance] for chance in right], [0] * len(right)


def _nnfs(inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Logits whose softmax are the given probabilities are their logarithms, up to 40 digits."""
    logits = [[value.ln() for value in row] for row in inputs["probs"]]
    one = [value.ln() for value in inputs["s"]]
    return {
        "loss": classes(inputs["probs"], inputs["labels"]),
        "logits": classes(logits, inputs["labels"], activation="softmax"),
        "s": classes(one, 0, activation="softmax"),
    }


PROBLEMS: dict[str, Callable[[Mapping[str, Any]], dict[str, dict[str, Any]]]] = {
    "37-cs231n-losses": _hinge_and_softmax,
    "40-optax-ce": _optax,
    "41-sklearn-metrics": _metrics,
    "43-nnfs": _nnfs,
}

# -- what the keys stand for: patterns of every case, the first that fits


def _weighted(key: str) -> Meaning:
    return mean(f"{key}_0", f"{key}_1", weights=("0.3", "0.7"))


MEANINGS: dict[str, tuple[tuple[str, Callable[..., Meaning]], ...]] = {
    "37-cs231n-losses": (
        (r"(svm2?)", is_),
        (r"(e\d)\.(\d)", lambda problem, k: is_(problem, f"e{k}")),
        (r"p(\d)\.(\d)", lambda case, k: is_(f"z{case}", f"o{int(k) + 1}")),
    ),
    "40-optax-ce": ((r"(ce|wide)\.(\d)", lambda problem, k: is_(problem, f"E[{int(k) + 1}]")),),
    "41-sklearn-metrics": (
        (r"(\w+)_raw\.(\d)", lambda key, place: is_(f"{key}_{place}")),
        (r"(\w+)_w", _weighted),
        (r"(\w+)_[bc]", lambda key: mean(f"{key}_0", f"{key}_1")),
        (r"brier_full", lambda: Meaning((("brier", "E", Fraction(2)),))),
        (r"rmsle", lambda: replace(is_("msle"), root=True)),
        (r"(\w+)", is_),
    ),
    "43-nnfs": (
        (r"loss\.(\d)", lambda k: is_("loss", f"E[{int(k) + 1}]")),
        (r"mean", lambda: is_("loss")),
        (r"jac\.(\d)\.(\d)", lambda i, j: is_("s", f"do{int(i) + 1}/dz{int(j) + 1}")),
        (r"(?:grad|sep)\.(\d)\.(\d)", lambda k, j: is_("logits", f"dE/dz{int(j) + 1}[{int(k) + 1}]")),
    ),
}


def meaning(name: str, key: str) -> Meaning:
    for pattern, make in MEANINGS[name]:
        if found := re.fullmatch(pattern, key):
            return make(*found.groups())
    raise AssertionError(f"nobody said what {key} is")


# -- one number


@cache
def _case(name: str) -> Case:
    return next(case for case in cases("loss") if case.name == name)


@cache
def _example(name: str, problem: str) -> WorkedExample:
    return WorkedExample(from_dict(PROBLEMS[name](_case(name).inputs)[problem], name))


def _value(name: str, key: str) -> Fraction:
    found = meaning(name, key)
    terms = (
        weight * Fraction(_example(name, problem).shown(quantity) or "") for problem, quantity, weight in found.terms
    )
    total = found.factor * sum(terms, Fraction(0))
    return Fraction(_decimal(total).sqrt()) if found.root else total


NUMBERS = [
    pytest.param(case.name, printed, id=f"{case.name}-{printed.key}")
    for case in cases("loss")
    if case.name in KNOWN
    for printed in case.printed
]
missing = pytest.mark.skipif(folder() is None, reason="no folder of published cases; DERIVE_CASES may name it")


@missing
def test_every_known_case_is_there() -> None:
    assert {case.name for case in cases("loss")} >= KNOWN


@missing
@pytest.mark.parametrize(("name", "printed"), NUMBERS or [("", None)])
def test_published_number(name: str, printed: Printed) -> None:
    ours = _value(name, printed.key)
    assert float(ours) == pytest.approx(printed.computed, rel=1e-12, abs=1e-300)
    text = printed.text.removesuffix("...")
    value, unit = Fraction(text), Fraction(Decimal(1).scaleb(int(Decimal(text).as_tuple().exponent)))
    if printed.text.endswith("...") or printed.how in ("prefix", "truncated"):
        assert _cut(ours, text) == Decimal(text)
    elif printed.how == "float32":
        assert 0 < abs(ours - value) < 2 * unit
    elif printed.verdict == "wrong":
        assert abs(ours - value) > printed.half_unit
    else:
        assert abs(ours - value) <= printed.half_unit


def _cut(value: Fraction, like: str) -> Decimal:
    """The value cut off after the digits of a text."""
    return _decimal(value).quantize(Decimal(like), rounding=ROUND_DOWN)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


@missing
def test_a_page_of_a_case_shows_what_was_printed() -> None:
    """The gradients of the batch as the page rounds them to eight decimals."""
    problem = PROBLEMS["43-nnfs"](_case("43-nnfs").inputs)["logits"] | {"rounding": {"decimals": 8}}
    page = WorkedExample(from_dict(problem)).text()
    printed = [entry.text.replace("-", "−") for entry in _case("43-nnfs").printed if entry.key.startswith("grad")]
    assert len(printed) == 9
    assert all(text in page for text in printed)
