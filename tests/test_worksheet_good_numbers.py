"""Each rule of good numbers, on its own: what it refuses, and what the message says when it refuses too much."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from test_worksheet_rules import FINE, NEURON

from derive.errors import DeriveError
from derive.formula.expression import ONE
from derive.problem.file import text_of
from derive.worksheet.good_numbers import NAMES, RULES, Fitness, can_be_seen
from derive.worksheet.honest import Slip
from derive.worksheet.plan import Plan
from derive.worksheet.press import Press
from derive.worksheet.run import find
from derive.worksheet.search import look
from derive.worksheet.workers import Workers
from worksheets import ACTIVATION, PERCEPTRON, plan


def _neuron(words: dict[str, object], vary: str) -> str:
    return NEURON.format(**FINE | words).partition("[vary]")[0] + f"[vary]\n{vary}\n"


def _activation(name: str, at: str) -> str:
    text = ACTIVATION.partition("ask =")[0].replace("[-2, 1]", "[2]")
    return text.replace("sigmoid", name) + f"[vary]\nz = {{ choose = [{at}] }}\n"


def _perceptron(weights: str, bias: str, more: str = "") -> str:
    text = PERCEPTRON.partition("[vary]")[0].replace("bias    = 0", f"bias = {bias}\n{more}")
    return text + f"[vary]\nweights = {{ choose = [{weights}] }}\n"


REFUSED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("saturated", _neuron({}, "w1 = { from = 15, to = 30, step = 1 }"), ()),
    ("saturated", _neuron({"activation": "elu"}, "w1 = { from = -40, to = -30, step = 1 }"), ()),
    ("saturated", _activation("sigmoid", "-9, 8"), ()),
    ("dead", _neuron({"activation": "relu"}, "w1 = { from = -9, to = -5, step = 0.5 }"), ()),
    ("kink", _neuron({"activation": "relu"}, "w1 = { choose = [-1, -1.00001] }"), ()),
    ("kink", _activation("relu", "0, 0.000001"), ()),
    ("kink", _activation("hard-tanh", "1, -1"), ()),
    ("kink", _perceptron("0.00001, 0.00002", "0.00001", "[rounding]\ndecimals = 4\n"), ()),
    ("zero", _neuron({}, "x1 = { choose = [0, 0.0] }"), ()),
    ("still", _perceptron("1", "-1.5"), ()),
    ("ended", _perceptron("0, 1", "-1.5", "epochs = 9"), ("w1[9]",)),
    ("repeated", _activation("tanh", "1").replace("[2]", "[2, 3]").replace("z =", "at ="), ()),
    ("repeated", PERCEPTRON + "inputs = { choose = [1] }\n", ()),
    ("small", _neuron({}, "x1 = { choose = [0.00001, 0.00002] }"), ()),
    ("tie", _neuron({"decimals": 4}, "w1 = { choose = [0.7005, 0.7015] }"), ()),
    ("mistake", _neuron({"decimals": 1}, "w1 = { from = 0.6, to = 0.8, step = 0.1 }"), ()),
)


def _judged(made: Plan) -> dict[str, list[bool]]:
    press = Press(made)
    table = press.tables(made.space.drawn(1, range(made.space.size)))[0]
    fitness = Fitness(table, made.asked[0], press.slips[0])
    return {rule.name: rule.refuses(fitness).tolist() for rule in RULES}


@pytest.mark.parametrize(("rule", "text", "ask"), REFUSED)
def test_a_rule_refuses_what_it_is_for(rule: str, text: str, ask: tuple[str, ...]) -> None:
    """Each of these variants, or at least one where the range has others; the message says what to change."""
    found = _judged(plan(text, ask=ask))
    assert any(found[rule]), found
    if not all(found[rule]):
        return
    others = tuple(name for name in NAMES if name != rule)
    with pytest.raises(DeriveError) as error:
        find(plan(text, ask=ask, allow=others), 1, Workers())
    row = next(each for each in RULES if each.name == rule)
    assert f"because {row.words}: try {row.advice}, or --allow {rule}" in str(error.value)
    assert find(plan(text, ask=ask, allow=NAMES), 1, Workers()).places


def test_every_rule_is_shown_to_refuse() -> None:
    assert {rule for rule, *_ in REFUSED} == set(NAMES)


def test_a_mistake_is_followed_through_a_long_run() -> None:
    """Thousands of quantities, each of which hangs on the one before."""
    order = [f"q{place}" for place in range(5000)]
    before = dict(pairwise(reversed(order)))

    def parts(name: str) -> tuple[str, ...]:
        return (before[name],) if name in before else ()

    slip = Slip("far", {"q0": ONE}, parts, lambda _: lambda _: np.ones(1))
    assert can_be_seen(slip, order, (order[-1],))


FIT = (
    _neuron({}, "w1 = { choose = [0.7] }"),
    _neuron({"activation": "leaky-relu"}, "w1 = { choose = [-0.7] }"),
    _activation("relu", "-3"),
    _activation("leaky-relu", "-3"),
    _activation("tanh", "-0.5"),
    _perceptron("0", "0"),
    _perceptron("-1", "1"),
)


@pytest.mark.parametrize("text", FIT)
def test_fit_numbers_are_refused_by_no_rule(text: str) -> None:
    """The sum 0 that a perceptron begins with is decided by its rule, and ReLU is 0 below 0."""
    found = _judged(plan(text))
    assert not [rule for rule, flags in found.items() if any(flags)]


def test_a_batch_of_classes_has_fit_numbers() -> None:
    """Two samples of one class: to take the target of the other is no mistake there."""
    text = text_of("batch-2-3-2-matrix").replace("decimals = 4", "decimals = 5")
    numbers = "{ from = 0.1, to = 0.9, step = 0.05 }"
    made = plan(f"{text}\n[vary]\nweights = {numbers}\ninputs = {numbers}\n")
    press = Press(made)
    found = look(made, press.tables(made.space.drawn(1, range(64))), press.slips, 0)
    assert len(found.fit) >= 5


@pytest.mark.parametrize("count", [1, 3])
def test_a_range_that_is_used_up_says_how_many_there_are(count: int) -> None:
    made = plan(_neuron({}, "w1 = { choose = [0.7, 0.8, 20] }"))
    with pytest.raises(DeriveError, match="4 sheets: there are 3 variants; accepted: at most 3, or a wider"):
        find(made, 4, Workers())
    if count == 1:
        assert len(set(find(made, count, Workers()).places)) >= count
        return
    words = "3 sheets: 2 of 3 variants are fit of all that exist; refused were\n  1 because a neuron is saturated"
    with pytest.raises(DeriveError, match=words):
        find(made, count, Workers())


SOFTMAX = """
inputs = [0.5, 0.3]
targets = [1, 0]
loss = "cross-entropy"
ask = ["dE/dw5", "dE/dw1"]
[[layers]]
neurons = 2
activation = "tanh"
weights = [[0.4, -0.7], [0.2, 0.3]]
[[layers]]
neurons = 2
activation = "softmax"
weights = [[0.6, -0.3], [0.2, 0.8]]
bias = [0.1, 0.3]
[vary]
weights = { from = -0.8, to = 0.8, step = 0.2 }
inputs = { choose = [0.1, 0.4] }
"""


def test_what_cancels_in_one_variant_makes_a_mistake_of_nothing_in_no_other() -> None:
    """For a target of 1 the diagonal of the Jacobian alone is right; with w5 = w7 doubles leave 1e-17 for 0."""
    found = find(plan(SOFTMAX), 3, Workers())
    assert found.refused["zero"] > 0
    assert found.mistakes["jacobian-diagonal-only (dE/dnet_o1)"] < found.tried / 2
