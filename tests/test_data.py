"""What `derive show --format json` says, against the pages and against Python's own arithmetic."""

from __future__ import annotations

import json
import math
import re
from fractions import Fraction
from typing import Any

import pytest

from derive.data import EVERY_PARAMETER, EVERY_STEP, as_data
from derive.errors import DeriveError
from derive.formula.grammar import read
from derive.problem.file import bundled, find, loads
from derive.worked import Options, WorkedExample, quantity_names

XOR = """
title = "A batch through two hidden layers"
inputs = [[0, 1], [1, 0], [1, 1]]
targets = [[1, 0], [0, 1], [0.5, 0.5]]
loss = "{loss}"
l2 = 0.1
[[layers]]
neurons = 2
activation = "tanh"
weights = [[0.5, -0.25], [-0.75, 0.125]]
bias = [0.1, -0.2]
[[layers]]
neurons = 2
activation = {{name = "leaky-relu", alpha = 0.1}}
weights = [[0.3, -0.6], [0.9, 0.2]]
bias = 0.05
[[layers]]
neurons = 2
activation = "{last}"
weights = [[0.4, 0.7], [-0.2, 0.6]]
[update]
learning_rate = 0.5
steps = 2
frozen = ["b1"]
"""
PROBLEMS = {
    "softmax": XOR.format(loss="cross-entropy", last="softmax"),
    "squares": XOR.format(loss="mean-squared-error", last="sigmoid"),
    "expression": 'kind = "expression"\noutput = "f"\n[given]\nx = -2\ny = 5\nz = -4\n'
    '[define]\nq = "x + y"\ns = "sigmoid(q)*q"\nf = "q*z + s^2 + exp(x)"\n',
}
STEEP = """
inputs = [1]
targets = [0]
[[layers]]
neurons = 1
activation = "linear"
weights = [[3]]
[update]
learning_rate = 0.25
steps = {steps}
"""


def example_of(name: str, **options: Any) -> WorkedExample:
    problem = loads(PROBLEMS[name]) if name in PROBLEMS else find(name)
    return WorkedExample(problem, Options(**options))


def leaky_relu(z: float, alpha: float) -> float:
    return z if z > 0 else alpha * z


FUNCTIONS = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "exp": math.exp,
    "ln": math.log,
    "leaky_relu": leaky_relu,
}
NAME = re.compile(r"d\w+(?:\[\d+\])?/d\w+(?:\[[\d,]+\])?|[A-Za-z]\w*(?:\[[\d,]+\])?(?:@\d+)?")


def python_value(formula: str, quantities: dict[str, Any]) -> float:
    """The formula by Python's arithmetic, with the values of the other quantities."""

    def replaced(found: re.Match[str]) -> str:
        word = found[0]
        return word if word in FUNCTIONS or word in ("if", "else") else repr(quantities[word]["value"])

    text = NAME.sub(lambda found: f"({replaced(found)})" if found[0] in quantities else replaced(found), formula)
    return float(eval(text.replace("^", "**"), {"__builtins__": {}}, FUNCTIONS))


@pytest.mark.parametrize("cancel", [True, False])
@pytest.mark.parametrize("name", ["backprop-2-2-1", "mazur-2-2-2", *PROBLEMS])
def test_every_formula_gives_its_value(name: str, cancel: bool) -> None:
    quantities = example_of(name, cancel=cancel).json()["quantities"]
    for key, entry in quantities.items():
        assert python_value(entry["formula"], quantities) == pytest.approx(entry["value"], rel=1e-9, abs=1e-12), key


@pytest.mark.parametrize("name", ["backprop-2-2-1", "mazur-2-2-2", "expression"])
def test_every_formula_of_a_small_problem_is_in_forward_names_and_can_be_read(name: str) -> None:
    example = example_of(name)
    for key, entry in example.json()["quantities"].items():
        assert "/d" not in entry["formula"], key
        read(entry["formula"])


def test_long_formulas_keep_delta_as_a_name() -> None:
    quantities = example_of("softmax").json()["quantities"]
    assert quantities["dE/dnet_o1[1]"]["formula"] == "1/3*(out_o1[1] - y1[1])"
    deltas = "delta_h1_1[1]*x1[1] + delta_h1_1[2]*x1[2] + delta_h1_1[3]*x1[3]"
    assert quantities["dE/dw1"]["formula"] == f"{deltas} + 0.1*w1"
    assert quantities["w1_new"]["formula"] == f"w1 - eta*({deltas} + 0.1*w1)"


def test_chains_that_double_at_every_step_are_not_written_out() -> None:
    defined = "".join(f'q{k + 1} = "sin(q{k})*q{k}"\n' for k in range(40))
    source = f'kind = "expression"\noutput = "q40"\n[given]\nq0 = 0.5\n[define]\n{defined}'
    quantities = as_data(WorkedExample(loads(source)))["quantities"]
    assert quantities["dq40/dq0"]["formula"].startswith("dq40/dq39*dq39/dq38*dq38/dq37*")
    assert quantities["dq2/dq1"]["formula"] == "q1*cos(q1) + sin(q1)"
    assert quantities["dq40/dq39"]["formula"] == "q39*cos(q39) + sin(q39)"


@pytest.mark.parametrize("name", [name for name, _, _ in bundled()] + list(PROBLEMS))
def test_the_shape(name: str) -> None:
    example = example_of(name)
    data = example.json()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert list(data) == ["format", "title", "kind", "rounding", "quantities", "steps", "verified"]
    assert data["format"] == 1
    assert data["kind"] == example.problem.kind
    assert set(data["rounding"]) in ({"decimals", "carry", "mode"}, {"significant", "carry", "mode"})
    assert set(quantity_names(example)) <= set(data["quantities"])
    for key, entry in data["quantities"].items():
        check_quantity(example, key, entry)
    for step in data["steps"]:
        check_step(example, step)


def check_quantity(example: WorkedExample, key: str, entry: dict[str, Any]) -> None:
    assert [*entry] in (["value", "shown", "formula", "latex"], ["value", "exact", "shown", "formula", "latex"])
    assert entry["value"] == example.value(key)
    assert entry.get("exact") == (None if example.exact(key) is None else str(example.exact(key)))
    assert (entry["value"] is None) == (entry["shown"] is None)
    assert isinstance(entry["formula"], str)
    assert entry["latex"]
    if "exact" in entry:
        assert float(Fraction(entry["exact"])) == entry["value"]


def check_step(example: WorkedExample, step: dict[str, Any]) -> None:
    assert list(step) == ["rule", "target", "lines", "steps"]
    example.find(step["target"])
    assert step["lines"]
    for line in step["lines"]:
        assert list(line) == ["symbolic", "substituted", "shown"]
        assert line["shown"] == example.written(step["target"])
    for inner in step["steps"]:
        check_step(example, inner)


def test_the_notes_numbers() -> None:
    data = example_of("backprop-2-2-1").json()
    net = data["quantities"]["net_h1"]
    assert net == {
        "value": 0.3775,
        "exact": "151/400",
        "shown": "0.37750",
        "formula": "w1*x1 + w2*x2 + b1",
        "latex": r"w_{1} \cdot x_{1} + w_{2} \cdot x_{2} + b_{1}",
    }
    assert data["quantities"]["dE/dw5"]["formula"] == "(out_o1 - y)*out_o1*(1 - out_o1)*out_h1"
    assert data["quantities"]["w5_new"]["formula"] == "w5 - eta*(out_o1 - y)*out_o1*(1 - out_o1)*out_h1"
    assert data["quantities"]["w5"]["shown"] == "0.40"
    assert data["steps"][0] == {
        "rule": "weighted-sum",
        "target": "net_h1",
        "lines": [
            {"symbolic": "w1*x1 + w2*x2 + b1", "substituted": "0.15*0.05 + 0.20*0.10 + 0.35", "shown": "0.37750"}
        ],
        "steps": [],
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [("delta_o1", "dE/dnet_o1"), ("w5_new", "w5@1"), ("E_new", "E@1"), ("delta_h1", "dE/dnet_h1")],
)
def test_two_names_of_one_quantity(one: str, other: str) -> None:
    quantities = example_of("backprop-2-2-1").json()["quantities"]
    assert quantities[one] == quantities[other]


def test_deltas_and_gradients_of_a_batch() -> None:
    quantities = example_of("squares").json()["quantities"]
    assert quantities["delta_o1[2]"] == quantities["dE/dnet_o1[2]"]
    assert not [key for key in quantities if re.match(r"dE\[\d\]/dw", key)]


@pytest.mark.parametrize(
    ("steps", "listed"),
    [
        (1, {1}),
        (3, {1, 2, 3}),
        (EVERY_STEP, {*range(1, EVERY_STEP + 1)}),
        (25, {*range(1, 26)}),
        (EVERY_PARAMETER + 1, {1, EVERY_PARAMETER + 1}),
    ],
)
def test_every_update_of_a_few_and_the_ends_of_many(steps: int, listed: set[int]) -> None:
    quantities = as_data(WorkedExample(loads(STEEP.format(steps=steps))))["quantities"]
    assert {int(key.partition("@")[2]) for key in quantities if key.startswith("w1@")} == listed
    assert {int(key.partition("@")[2]) for key in quantities if key.startswith("E@")} == listed
    # E = 1/2 w², so an update multiplies w by 1 - eta = 3/4
    assert quantities[f"w1@{steps}"]["value"] == pytest.approx(3 * 0.75**steps, rel=1e-12)


def test_after_the_second_update() -> None:
    quantities = as_data(WorkedExample(loads(STEEP.format(steps=2))))["quantities"]
    assert quantities["w1@2"]["formula"] == "w1@1 - eta*(out_o1@1 - y)*x1"
    assert quantities["out_o1@2"]["formula"] == "net_o1@2"
    assert quantities["w1@2"]["exact"] == "27/16"


@pytest.mark.parametrize(
    ("only", "keys", "targets"),
    [
        (("w5",), {"w5"}, []),
        (("w5@3",), {"w5@3"}, []),
        (("E'",), {"E_new", "E@1"}, []),
        (("net_h1",), {"net_h1"}, ["net_h1"]),
        (("dE_dnet_o1",), {"dE/dnet_o1", "delta_o1", "dE/dout_o1", "dout_o1/dnet_o1"}, ["dE/dnet_o1"]),
        (("dnet_o1/dw5", "w5"), {"dnet_o1/dw5", "w5"}, ["dnet_o1/dw5"]),
        (("eta",), {"eta"}, []),
    ],
)
def test_only(only: tuple[str, ...], keys: set[str], targets: list[str]) -> None:
    data = example_of("backprop-2-2-1", only=only).json()
    assert set(data["quantities"]) == keys
    assert [step["target"] for step in data["steps"]] == targets


def test_only_what_there_is() -> None:
    with pytest.raises(DeriveError, match="dE/dw5"):
        example_of("backprop-2-2-1", only=("dE/dw55",)).json()


def test_forward_has_no_gradients() -> None:
    data = example_of("mazur-2-2-2", forward=True).json()
    assert not [key for key in data["quantities"] if key.startswith("d") or key.endswith("_new") or "@" in key]
    assert {"net_h1", "out_o2", "E", "w1"} <= set(data["quantities"])


def test_symbols_without_numbers_are_null() -> None:
    data = example_of("network-2-5-1").json()
    entry = data["quantities"]["net_h1"]
    assert entry["value"] is None
    assert entry["shown"] is None
    assert "exact" not in entry
    assert entry["formula"].startswith("w1*x1")
    assert all(line["substituted"] is None for step in data["steps"] for line in step["lines"])


def test_a_large_network_lists_the_forward_pass_and_what_its_page_shows() -> None:
    rows = ", ".join("[" + ", ".join("0.01" for _ in range(50)) + "]" for _ in range(50))
    layer = f'[[layers]]\nneurons = 50\nactivation = "sigmoid"\nweights = [{rows}]\n'
    given = ", ".join("0.5" for _ in range(50))
    source = f"inputs = [{given}]\ntargets = [{given}]\n{layer}"
    quantities = as_data(WorkedExample(loads(source)))["quantities"]
    assert {"net_o1", "net_o25", "out_o50", "E"} <= set(quantities)
    gradients = [key for key in quantities if key.startswith("dE/dW1")]
    assert 0 < len(gradients) < 50
    assert "W1[1,1]" not in quantities


def test_a_sum_stays_one_until_it_is_expanded() -> None:
    weights = ", ".join("0.5" for _ in range(20))
    source = f'inputs = [{weights}]\n[[layers]]\nneurons = 1\nactivation = "linear"\nweights = [[{weights}]]\n'
    line = as_data(WorkedExample(loads(source)))["steps"][0]["lines"][0]
    assert line["symbolic"] == "sum_{i=1..20} W1[i,1]*x[i]"
    assert line["substituted"] is None
    whole = as_data(WorkedExample(loads(source), Options(expand=True)))
    assert whole["steps"][0]["lines"][0]["substituted"] == " + ".join(["0.5*0.5"] * 20)
    assert whole["quantities"]["net_o1"]["formula"].endswith("+ w20*x20")


def test_a_loss_that_is_undefined_after_the_update_is_null() -> None:
    source = """
inputs = [1]
targets = [-1]
loss = "cross-entropy"
[[layers]]
neurons = 1
activation = "linear"
weights = [[1]]
[update]
learning_rate = 1
"""
    quantities = as_data(WorkedExample(loads(source)))["quantities"]
    assert quantities["w1_new"]["exact"] == "0"  # so that E = ln 0
    assert quantities["E_new"] == {**quantities["E_new"], "value": None, "shown": None}


def test_displayed_numbers_are_the_ones_carried_on() -> None:
    problem = find("backprop-2-2-1")
    carried = problem.with_rounding(type(problem.rounding)(decimals=3, carry="displayed"))
    quantities = as_data(WorkedExample(carried))["quantities"]
    assert quantities["out_h1"]["value"] == 0.593
    assert quantities["out_h1"]["shown"] == "0.593"
