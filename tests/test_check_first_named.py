"""Which mistake is named first where several give the same number, and slips on the way to a number."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import exp

import pytest

from derive.check.model import Marking, Sheet, Verdict, Written
from derive.check.verdicts import Judge
from derive.problem.file import loads
from derive.worked import WorkedExample


def written(text: str) -> Written:
    return Written(text, Fraction(text), len(text.partition(".")[2]), len(text.lstrip("-0.").replace(".", "")))


def judged(problem: str, answers: Mapping[str, str]) -> dict[str, Verdict]:
    judge = Judge(WorkedExample(loads(problem)), list(answers), Marking())
    found = judge.verdicts([Sheet("a", {name: written(text) for name, text in answers.items()})])
    return {verdict.quantity: verdict for verdict in found}


def first(verdict: Verdict) -> str:
    assert verdict.status == "wrong"
    return verdict.mistake.id if verdict.mistake is not None else ""


def s(z: float) -> float:
    return 1 / (1 + exp(-z))


# --- the mean over samples -------------------------------------------------------------------------------------------

LOGISTIC = """
inputs = [[1, 2], [2, -1], [0.5, 1], [1.5, 0.3]]
targets = [1, 0, 1, 0]
loss = "binary-cross-entropy"
reduction = "mean"
[[layers]]
neurons = ["o"]
activation = "sigmoid"
weights = [[0.2, -0.1]]
bias = 0.05
[update]
learning_rate = 0.3
"""
SAMPLES = (((1, 2), 1), ((2, -1), 0), ((0.5, 1), 1), ((1.5, 0.3), 0))
ERRORS = [s(0.2 * x[0] - 0.1 * x[1] + 0.05) - t for x, t in SAMPLES]
SUM_W = sum(error * x[0] for error, (x, _) in zip(ERRORS, SAMPLES, strict=True))


@pytest.mark.parametrize(("quantity", "value"), [
    ("dE/dw1", SUM_W), ("dE/db1", sum(ERRORS)), ("w1_new", 0.2 - 0.3 * SUM_W), ("b1_new", 0.05 - 0.3 * sum(ERRORS)),
])  # fmt: skip
def test_a_sum_over_samples_is_said_before_a_factor_left_out(quantity: str, value: float) -> None:
    assert first(judged(LOGISTIC, {quantity: f"{value:.6f}"})[quantity]) == "sum-over-samples"


LINEAR = """
inputs = [[1], [2], [4]]
targets = [2, 3, 7]
loss = "mean-squared-error"
[[layers]]
neurons = ["o"]
activation = "linear"
weights = [[0.5]]
bias = 0.25
[update]
learning_rate = 0.1
"""
HALF = sum((0.5 * x + 0.25 - t) * x for x, t in ((1, 2), (2, 3), (4, 7))) / 3


def test_half_the_gradient_of_one_output_is_the_loss_with_a_half() -> None:
    assert first(judged(LINEAR, {"dE/dw1": f"{HALF:.6f}"})["dE/dw1"]) == "loss-with-half"
    assert first(judged(LINEAR, {"w1_new": f"{0.5 - 0.1 * HALF:.6f}"})["w1_new"]) == "loss-with-half"


def test_what_was_left_out_of_a_mean_is_said() -> None:
    problem = 'kind = "loss"\nloss = "mean-squared-error"\npredictions = [0.4, 0.7, 0.1]\ntargets = [1, 0.2, 0.3]\n'
    for value, factor in ((0.4 - 1, "2/n"), (2 * (0.4 - 1), "1/n")):
        mistake = judged(problem, {"dE/do1": f"{value:.6f}"})["dE/do1"].mistake
        assert mistake is not None
        assert f"the factor {factor} was left out" in " ".join(
            each.message for each in (mistake, *mistake.others) if each.id == "factor-left-out"
        )


# --- a decimal point that slips on the way ---------------------------------------------------------------------------

PUBLISHED = """
inputs = [0.35, 0.7]
targets = [0.5]
[[layers]]
neurons = ["n3", "n4"]
activation = "sigmoid"
weights = [[0.2, 0.2], [0.3, 0.3]]
weight_names = [["w13", "w23"], ["w14", "w24"]]
[[layers]]
neurons = ["n5"]
activation = "sigmoid"
weights = [[0.3, 0.9]]
weight_names = [["w35", "w45"]]
[update]
learning_rate = 1
"""
PRINTED = {
    "net_n3": "0.21", "out_n3": "0.56", "net_n4": "0.315", "out_n4": "0.59", "net_n5": "0.702", "out_n5": "0.67",
    "dE/dnet_n5": "0.0376", "dE/dnet_n3": "0.0027", "dE/dnet_n4": "0.0819", "w45_new": "0.6762",
}  # fmt: skip


def test_a_point_slipped_before_the_update_is_named() -> None:
    sheet = {"out_n4": "0.57811", "dE/dnet_n5": "0.036770", "w45_new": f"{0.9 - 0.3677 * 0.57811:.5f}"}
    assert first(judged(PUBLISHED, sheet)["w45_new"]) == "tenfold-step"
    printed = judged(PUBLISHED, PRINTED)["w45_new"].mistake
    assert printed is not None
    assert "tenfold-step" in {printed.id, *(other.id for other in printed.others)}


def test_a_step_is_no_tenth_where_the_gradient_is_right() -> None:
    found = judged(PUBLISHED, {"w45_new": "0.8787"})["w45_new"]
    assert (found.status, found.mistake) == ("correct", None)


# --- the number of another quantity ----------------------------------------------------------------------------------

RELU = """
inputs = [1, 2]
targets = [1]
loss = "binary-cross-entropy"
[[layers]]
neurons = 2
activation = "relu"
weights = [[0.5, -0.25], [0.3, 0.4]]
bias = [0.1, -0.2]
[[layers]]
neurons = 1
activation = "sigmoid"
weights = [[0.6, -0.5]]
bias = 0.3
[update]
learning_rate = 0.5
"""
B3 = 0.3 - 0.5 * (s(0.6 * 0.1 - 0.5 * 0.9 + 0.3) - 1)


@pytest.mark.parametrize(("answers", "named"), [
    ({"b2_new": f"{B3:.4f}"}, "another-quantity"),
    ({"b2_new": f"{B3 + 1e-4:.4f}"}, "another-quantity"),
    ({"b2_new": f"{B3 + 3e-4:.4f}"}, ""),
    ({"b2_new": f"{B3 + 1e-3:.3f}"}, ""),
    ({"b2_new": "0.5581", "b3_new": "0.5581"}, "another-quantity"),
])  # fmt: skip
def test_another_quantity_rounded_on_the_way(answers: dict[str, str], named: str) -> None:
    verdicts = judged(RELU, answers)
    mistake = verdicts["b2_new"].mistake
    listed = {mistake.id, *(other.id for other in mistake.others)} if mistake else set()
    assert ("another-quantity" in listed) == bool(named)
    if named and mistake:
        assert first(verdicts["b2_new"]) == named
        assert "This is b3_new" in mistake.message
    other = verdicts.get("b3_new")
    assert other is None or other.mistake is None or "another-quantity" not in {
        other.mistake.id, *(each.id for each in other.mistake.others)}  # fmt: skip


# --- a mistake in every one of many updates --------------------------------------------------------------------------

MANY = """
inputs = [0.05, 0.10]
targets = [0.01, 0.99]
[[layers]]
neurons = 2
activation = "sigmoid"
weights = [[0.15, 0.20], [0.25, 0.30]]
bias = 0.35
[[layers]]
neurons = 2
activation = "sigmoid"
weights = [[0.40, 0.45], [0.50, 0.55]]
bias = 0.60
[update]
learning_rate = 0.5
frozen = ["b1", "b2"]
"""


def run(updates: int, *, early: bool) -> tuple[float, float, float, float]:
    """E, out_o1, out_o2 and w1 after so many updates, with the old or the updated weights on the way back."""
    w, v, x, t = [[0.15, 0.2], [0.25, 0.3]], [[0.4, 0.45], [0.5, 0.55]], (0.05, 0.1), (0.01, 0.99)
    for update in range(updates + 1):
        h = [s(sum(a * b for a, b in zip(row, x, strict=True)) + 0.35) for row in w]
        o = [s(sum(a * b for a, b in zip(row, h, strict=True)) + 0.6) for row in v]
        if update == updates:
            break
        d = [(out - target) * out * (1 - out) for out, target in zip(o, t, strict=True)]
        new = [[v[k][j] - 0.5 * d[k] * h[j] for j in range(2)] for k in range(2)]
        used = new if early else v
        back = [sum(d[k] * used[k][j] for k in range(2)) * h[j] * (1 - h[j]) for j in range(2)]
        w = [[w[j][i] - 0.5 * back[j] * x[i] for i in range(2)] for j in range(2)]
        v = new
    return sum((target - out) ** 2 for out, target in zip(o, t, strict=True)) / 2, o[0], o[1], w[0][0]


@pytest.mark.parametrize(("quantity", "place"), [("E", 0), ("out_o1", 1), ("out_o2", 2), ("w1", 3)])
def test_updated_weights_used_early_in_every_update(quantity: str, place: int) -> None:
    asked = f"{quantity}@80"
    assert first(judged(MANY, {asked: f"{run(80, early=True)[place]:.9f}"})[asked]) == "updated-weight-used-early"
    assert judged(MANY, {asked: f"{run(80, early=False)[place]:.9f}"})[asked].status == "correct"


@pytest.mark.parametrize(("updates", "named"), [(79, "one-update-too-few"), (81, "one-update-too-many")])
def test_one_update_of_many_too_few_or_too_many(updates: int, named: str) -> None:
    assert first(judged(MANY, {"E@80": f"{run(updates, early=False)[0]:.9f}"})["E@80"]) == named


def test_a_wrong_number_after_many_updates_that_nothing_gives() -> None:
    found = judged(MANY, {"E@80": "0.031234567"})["E@80"]
    assert (found.status, found.mistake) == ("wrong", None)
    assert found.note
