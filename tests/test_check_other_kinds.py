"""The checker on problems that are no networks: perceptrons, optimizers, losses, activations, by plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import erf, exp, log, pi, sqrt

import pytest

from derive.check.mistakes import mutants
from derive.check.model import Marking, Sheet, Verdict, Written
from derive.check.verdicts import judge
from derive.problem.file import loads
from derive.worked import WorkedExample


def written(text: str) -> Written:
    digits = text.lstrip("-").replace(".", "").lstrip("0")
    return Written(text, Fraction(text), len(text.partition(".")[2]), len(digits))


def judged(problem: str, answers: Mapping[str, str], marking: Marking | None = None) -> dict[str, Verdict]:
    sheet = Sheet("s", {name: written(text) for name, text in answers.items()})
    example = WorkedExample(loads(problem))
    found = judge(example, [sheet], list(answers), marking or Marking(), mutants=mutants)
    return {verdict.quantity: verdict for verdict in found}


def named(verdict: Verdict) -> set[str]:
    mistake = verdict.mistake
    return set() if mistake is None else {mistake.id, *(other.id for other in mistake.others)}


def activation(name: str, at: str) -> str:
    return f'kind = "activation"\nactivation = "{name}"\nat = [{at}]\n'


RMSPROP = (
    'kind = "optimizer"\noptimizer = "rmsprop"\nlearning_rate = 0.1\nparameters = { w = 2.0 }\n'
    'objective = "w^2"\nsteps = 1\n'
)
LABELS = (
    'kind = "perceptron"\ninputs = [[-1, -1], [-1, 1], [1, -1], [1, 1]]\ntargets = [-1, -1, -1, 1]\n'
    "weights = [0.3, -0.1]\nbias = 0.2\nlearning_rate = 0.5\nepochs = 20\n"
)


# -- honest rounding


@pytest.mark.parametrize("decimals", [4, 5])
def test_the_rate_divided_by_the_root_first(decimals: int) -> None:
    """(η/q)·g is η·g/q in another order."""
    v = round(0.1 * 16, decimals)
    q = round(sqrt(v), decimals)
    w = round(2 - round(round(0.1 / q, decimals) * 4, decimals), decimals)
    answers = {"v_w@1": v, "q_w@1": q, "w@1": w}
    found = judged(RMSPROP, {name: f"{value:.{decimals}f}" for name, value in answers.items()})
    assert {verdict.status for verdict in found.values()} <= {"correct", "rounded"}


def test_swish_as_the_net_input_times_a_sigmoid() -> None:
    value = round(-1.2 * round(1 / (1 + exp(1.2)), 5), 5)
    assert value == -0.27778  # the exact value is -0.277771…
    found = judged(activation("silu", "-1.2"), {"f(-1.2)": f"{value:.5f}"})
    assert found["f(-1.2)"].status == "rounded"
    assert judged(activation("silu", "-1.2"), {"f(-1.2)": "-0.27790"})["f(-1.2)"].status == "wrong"


def test_the_slope_of_gelu_with_its_density_rounded_first() -> None:
    z = 1.105
    chance = round(0.5 * round(1 + round(erf(round(z / sqrt(2), 4)), 4), 4), 4)
    value = round(chance + round(z * round(exp(-z * z / 2) / sqrt(2 * pi), 4), 4), 4)
    found = judged(activation("gelu", "1.105"), {"f'(1.105)": f"{value:.4f}"})
    assert found["f'(1.105)"].status in ("correct", "rounded")


# -- the other rule of a perceptron with labels -1 and 1


def by_difference(count: int) -> dict[str, str]:
    """The rule w + η(y − o)x, where the problem says w + ηyx after a wrong answer."""
    w, b = [Fraction(3, 10), Fraction(-1, 10)], Fraction(1, 5)
    found: dict[str, str] = {}
    points = [((-1, -1), -1), ((-1, 1), -1), ((1, -1), -1), ((1, 1), 1)]
    for place in range(1, count + 1):
        x, y = points[(place - 1) % 4]
        net = w[0] * x[0] + w[1] * x[1] + b
        out = 1 if net >= 0 else -1
        move = Fraction(1, 2) * (y - out)
        w, b = [w[0] + move * x[0], w[1] + move * x[1]], b + move
        values = {"net": net, "out": out, "w1": w[0], "w2": w[1], "b": b}
        found |= {f"{name}[{place}]": f"{float(value):g}" for name, value in values.items()}
    return found


def test_the_rule_by_difference_is_another_convention() -> None:
    found = judged(LABELS, by_difference(4))
    assert "rule-convention" in named(found["w1[1]"])
    accepted = judged(LABELS, by_difference(4), Marking(accept_conventions=("rule-convention",)))
    assert [verdict.marks for verdict in accepted.values()] == [1] * len(accepted)


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [("1.3", "rate-left-out"), ("-0.2", "error-turned-round"), ("0.55", "rate-used-twice")],
)
def test_slips_of_a_rule_by_label_move_by_the_label(answer: str, mistake: str) -> None:
    assert mistake in named(judged(LABELS, {"w1[1]": answer})["w1[1]"])


# -- slips with a name

Z, S = 0.5, 1 / (1 + exp(-0.5))
PHI, DENSITY = (1 + erf(Z / sqrt(2))) / 2, exp(-Z * Z / 2) / sqrt(2 * pi)
BINARY = 'kind = "loss"\nloss = "binary-cross-entropy"\npredictions = [0.35]\ntargets = [0.6]\n'
DIVERGENCE = 'kind = "loss"\nloss = "kullback-leibler"\npredictions = [0.7, 0.3]\ntargets = [0.4, 0.6]\n'
MEAN = 'kind = "loss"\nloss = "mean-squared-error"\npredictions = [0.5, 0.8, 0.3]\ntargets = [1, 1, 0]\n'
ADAMW = (
    'kind = "optimizer"\noptimizer = { name = "adamw", weight_decay = 0.01 }\nlearning_rate = 0.1\n'
    "parameters = { w = 0.5 }\ngradients = [[0.4]]\n"
)
SLIPS = [
    (activation("gelu", "0.5"), "f(0.5)", PHI, "factor-left-out"),
    (activation("gelu", "0.5"), "f(0.5)", 2 * Z * PHI, "half-left-out"),
    (activation("gelu", "0.5"), "f(0.5)", Z / (1 + exp(-1.702 * Z)), "other-form-of-activation"),
    (activation("gelu", "0.5"), "f'(0.5)", PHI, "product-rule-one-term"),
    (activation("gelu", "0.5"), "f'(0.5)", PHI - Z * DENSITY, "product-rule-minus"),
    (activation("gelu", "0.5"), "f'(0.5)", PHI + DENSITY, "factor-left-out"),
    (activation("silu", "0.5"), "f'(0.5)", S, "product-rule-one-term"),
    (activation("silu", "0.5"), "f'(0.5)", S * (1 - S), "product-rule-as-product"),
    (activation("silu", "0.5"), "f'(0.5)", S - Z * S * (1 - S), "product-rule-minus"),
    (activation("softplus", "0.5"), "f'(0.5)", S * (1 - S), "slope-of-another-activation"),
    (activation("softplus", "0.5"), "f'(0.5)", 1 / (1 + exp(Z)), "exponent-sign-lost"),
    (activation("elu", "0.5"), "f'(0.5)", exp(Z), "wrong-branch"),
    (activation("elu", "-0.5"), "f(-0.5)", exp(-Z), "one-left-out"),
    (activation("elu", "-0.5"), "f'(-0.5)", exp(-Z) - 1, "one-left-out"),
    (BINARY, "E", -(0.6 * log(0.35) + 0.4 * log(0.65)) / 2, "half-too-many"),
    (BINARY, "dE/do1", -0.4 / 0.35 + 0.6 / 0.65, "terms-exchanged"),
    (DIVERGENCE, "E", 0.4 * 0.4 / 0.7 + 0.6 * 0.6 / 0.3, "logarithm-left-out"),
    (DIVERGENCE, "E", log(0.4 / 0.7) + log(0.6 / 0.3), "target-left-out"),
    (MEAN, "E", 2 / 3 * (0.25 + 0.04 + 0.09), "two-too-many"),
    (MEAN, "dE/do1", 0.25, "loss-for-slope"),
    (ADAMW, "w@1", 0.5 - 0.01 * 0.5 - 1, "rate-left-out"),
]


@pytest.mark.parametrize(("problem", "quantity", "wrong", "mistake"), SLIPS, ids=lambda part: str(part)[-24:])
def test_a_slip_has_its_name(problem: str, quantity: str, wrong: float, mistake: str) -> None:
    verdict = judged(problem, {quantity: f"{wrong:.6f}"})[quantity]
    assert verdict.status == "wrong"
    assert mistake in named(verdict)
