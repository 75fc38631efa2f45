"""The second opinion: every number of every problem, random networks, and what is said where something is wrong."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import networks
from derive import loads
from derive.catalogue.activations import ACTIVATIONS
from derive.catalogue.initializers import INITIALIZERS
from derive.catalogue.losses import LOSSES
from derive.catalogue.optimizers import OPTIMIZERS
from derive.cli import cli
from derive.problem.file import bundled, find, from_dict
from derive.verify import functions, numpy_updates, plain_kinds
from derive.verify.checked import Checked, SecondOpinion, checked
from derive.verify.opinion import Opinion
from derive.verify.random_problems import random_problem
from derive.verify.report import table_lines
from derive.verify.table import verified
from derive.worked import Options, WorkedExample

NAMES = [name for name, _, _ in bundled()]


def run(*arguments: str, text: str | None = None) -> Any:
    return CliRunner().invoke(cli, ["verify", *arguments], input=text)


# -- everything that is there agrees


@pytest.mark.parametrize("name", NAMES)
def test_every_bundled_problem(name: str) -> None:
    example = WorkedExample(find(name))
    table = verified(example, torch=False)
    assert table.agrees, table_lines(table)
    assert all(line.verdict in ("agrees", "at-kink") for line in table.lines), table_lines(table)
    found = checked(example)
    assert found.agrees
    assert found.numbers == sum(line.verdict == "agrees" for line in table.lines)
    if example.problem.kind in ("network", "activation", "loss", "optimizer"):
        assert "mlp" in table.columns


@pytest.mark.parametrize("place", range(40))
def test_random_networks(place: int) -> None:
    example = WorkedExample(loads(random_problem(11, place)).problem)
    table = verified(example, torch=False)
    assert table.agrees, random_problem(11, place)
    assert not [line.name for line in table.lines if line.verdict == "unchecked"]
    assert checked(example).agrees


def test_random_networks_are_the_same_everywhere() -> None:
    assert random_problem(7, 3) == random_problem(7, 3)
    assert random_problem(7, 3) != random_problem(8, 3)
    assert random_problem(0, 0).startswith('title = "Random network 0 of seed 0"\ninputs = [[')


def test_random_networks_cover_the_catalogue() -> None:
    texts = "\n".join(random_problem(7, place) for place in range(200))
    wanted = {*ACTIVATIONS, *LOSSES, *OPTIMIZERS}
    assert not {name for name in wanted if f'"{name}"' not in texts}
    for part in ("bias_input", '"s1"', '""', "l2 = ", "clip_norm", "clip_value", "schedule", "weight_decay", "over ="):
        assert part in texts, part


@given(networks.problems(most_width=3, most_depth=3))
@settings(max_examples=10, deadline=None)
def test_the_networks_of_other_tests(problem: dict[str, Any]) -> None:
    """Another generator, and the way through the whole Jacobian."""
    found = checked(WorkedExample(from_dict(problem), Options(cancel=False)))
    assert found.agrees, found.wrong


# -- the tables of the witnesses are complete


def test_every_row_has_a_witness() -> None:
    assert functions.SCALARS.keys() | functions.VECTORS.keys() == ACTIVATIONS.keys()
    assert functions.PARTS.keys() | functions.WHOLES.keys() == LOSSES.keys()
    assert functions.WHOLES.keys() == {name for name, row in LOSSES.items() if row.whole}
    assert set(plain_kinds._VARIANCES) == set(INITIALIZERS)
    assert set(numpy_updates.ON_THE_WAY) <= set(OPTIMIZERS)


# -- kinks, domains, symbols, displayed digits

KINK = """
inputs = [1, 0]
targets = [1]
[[layers]]
neurons = 2
activation = "relu"
weights = [[0.5, 0.5], [0, 1]]
[[layers]]
neurons = 1
activation = "linear"
weights = [[0.5, 0.25]]
[update]
learning_rate = 0.1
"""


def test_a_kink_is_named_and_not_counted() -> None:
    example = WorkedExample(loads(KINK).problem)
    found = checked(example)
    assert found.agrees
    assert found.kinks == 3
    lines = {line.name: line for line in verified(example, torch=False).lines}
    kinks = {"dE/dnet_h2", "dE/dw3", "dout_h2/dnet_h2"}
    assert {name for name, line in lines.items() if line.verdict == "at-kink"} == kinks
    assert lines["dE/dnet_h2"].numbers["mlp"] == 0
    assert "3 derivatives stand at a kink" in " ".join(example.text().split())
    assert any("at a kink" in line for line in table_lines(verified(example, torch=False)))


def test_two_kinks_that_hide_each_other() -> None:
    """relu(w) − relu(−w) is w: the quotient is 1, the convention says 0, and nobody is wrong."""
    example = loads(
        'inputs = [1]\ntargets = [1]\n[[layers]]\nneurons = 2\nactivation = "relu"\nweights = [[0], [0]]\n'
        'weight_names = [["u"], ["u"]]\n[[layers]]\nneurons = 1\nactivation = "linear"\nweights = [[0.5, 0.25]]\n'
    )
    found = checked(example)
    assert found.agrees
    assert found.kinks >= 1


def test_a_sudden_bend_is_no_kink() -> None:
    """The squared hinge at its edge: both slopes are 0, and the curvature on one side is not."""
    found = checked(loads('kind = "loss"\nloss = "squared-hinge"\npredictions = [1]\ntargets = [1]\n'))
    assert (found.agrees, found.numbers, found.kinks) == (True, 2, 0)


def test_far_into_saturation() -> None:
    """1 − σ(100) is 4e-44: more digits are taken."""
    example = loads(
        'inputs = [100]\ntargets = [0.5]\nloss = "binary-cross-entropy"\n[[layers]]\nneurons = 1\n'
        'activation = "sigmoid"\nweights = [[1]]\n'
    )
    found = checked(example)
    assert found.agrees
    assert found.derivatives >= 3


@pytest.mark.parametrize(
    "text",
    [
        'inputs = 3\ntargets = true\nloss = "cross-entropy"\n[[layers]]\nneurons = 2\nactivation = "tanh"\n'
        '[[layers]]\nneurons = 2\nactivation = "softmax"\n[update]\nlearning_rate = 0.1\n',
        'inputs = 2\ntargets = true\nloss = "hinge"\n[[layers]]\nneurons = 2\nactivation = "tanh"\n',
        'kind = "expression"\noutput = "f"\nsymbols = ["x", "y"]\n[define]\nq = "x*y + ln(x)"\nf = "q^2/y"\n',
        'kind = "loss"\nloss = "huber"\npredictions = 2\n',
    ],
)
def test_symbols_get_numbers(text: str) -> None:
    example = loads(text)
    found = checked(example)
    assert found.agrees
    assert found.stand_ins
    assert found.derivatives > 0
    assert "Checked with numbers put in for the symbols" in " ".join(example.text().split())


def test_displayed_digits_are_carried() -> None:
    example = loads(KINK.replace("[update]", '[rounding]\ncarry = "displayed"\ndecimals = 1\n[update]'))
    found = checked(example)
    assert found.agrees
    assert found.before_rounding
    assert "Checked with full precision carried" in " ".join(example.text().split())


@pytest.mark.parametrize(
    ("value", "shown", "right"),
    [
        ("0.37749", "0.3775", True), ("0.37745", "0.3775", True), ("0.37744", "0.3775", False),
        ("1234.6", "1235", True), ("1234.4", "1235", False), ("0.00012345", "1.23e-4", True),
        ("0.0001236", "1.23e-4", False), ("1/3", "1/3", True), ("0", "0.000", True), ("0.0006", "0.000", False),
    ],
)  # fmt: skip
def test_shown_digits(value: str, shown: str, right: bool) -> None:
    assert Opinion(Fraction(value)).shows(shown) == right


def test_a_wrong_digit_on_a_page_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The values stay right; only what is printed is not."""
    from derive.derivation import evaluate
    from derive.numbers.rounding import show_real as true

    def last_digit_off(value: Any, rounding: Any) -> str | None:
        text = true(value, rounding)
        return text.replace("0.27481", "0.27482") if text else text

    monkeypatch.setattr(evaluate, "show_real", last_digit_off)
    example = WorkedExample(find("backprop-2-2-1"))
    assert checked(example).wrong == ("E",)
    assert "WARNING: do not rely on this page" in example.text()


def test_a_run_on_displayed_digits_of_every_kind() -> None:
    for name in NAMES:
        problem = find(name)
        rounding = problem.rounding.__class__(decimals=3, significant=None, carry="displayed", mode="half-up")
        try:
            found = checked(WorkedExample(problem.with_rounding(rounding)))
        except Exception as error:
            pytest.fail(f"{name}: {error}")
        assert found.agrees, (name, found.wrong)


# -- what pages and JSON say


@pytest.mark.parametrize("name", NAMES)
def test_every_page_has_its_line(name: str) -> None:
    example = WorkedExample(find(name))
    short = example.problem.kind == "initializer" or name.startswith("batch")
    for text in (example.text(ascii=True), *(() if short else (example.markdown(), example.latex()))):
        flat = " ".join(text.split())
        assert ("Checked" in flat) != ("Not checked" in flat)
        assert "WARNING" not in flat
    verdict = example.json()["verified"]
    assert verdict["agrees"] is True
    assert verdict["numbers"] == checked(example).numbers
    json.dumps(verdict, allow_nan=False)


def test_collapsed_layers_are_checked() -> None:
    example = WorkedExample(find("linear-2-3-2"), Options(collapse=True))
    assert checked(example) == Checked(6, 0, 0, (), before_rounding=False, stand_ins=False)
    assert example.json()["verified"]["agrees"]
    assert "Checked: 6 numbers agree" in " ".join(example.text().split())


def test_the_line_of_the_first_page() -> None:
    flat = " ".join(WorkedExample(find("backprop-2-2-1")).text().split())
    assert flat.endswith(
        "Checked: 31 numbers agree to 12 digits or more with a second calculation that knows no derivatives; 17 of "
        "them are derivatives, held against difference quotients."
    )


def test_a_gradient_page_checks_what_it_shows() -> None:
    found = checked(WorkedExample(find("mazur-2-2-2"), Options(only=("dE/dw1",))))
    assert 3 < found.numbers < 20


def test_a_large_network_costs_little() -> None:
    """784-128-10 without numbers: a page shows none, and only what it shows is looked at."""
    example = loads(
        'inputs = 20\ntargets = true\n[[layers]]\nneurons = 10\nactivation = "sigmoid"\n[[layers]]\nneurons = 4\n'
        'activation = "sigmoid"\n'
    )
    assert len(SecondOpinion(example).derived.given) == 264
    assert checked(example).agrees


# -- the command


def test_the_command_agrees() -> None:
    found = run("backprop-2-2-1", "--no-torch")
    assert found.exit_code == 0
    assert "dE/dw1           0.000668396021  0.000668396021  0.000668396021" in found.output
    assert "All agree; the largest relative disagreement is" in found.output


def test_one_quantity_as_json() -> None:
    found = run("mazur-2-2-2", "--no-torch", "--quantity", "w5'", "--quantity", "∂E/∂w5", "--format", "json")
    data = json.loads(found.output)
    assert found.exit_code == 0
    assert list(data["quantities"]) == ["w5@1", "dE/dw5"]
    line = data["quantities"]["dE/dw5"]
    assert line["verdict"] == "agrees"
    assert line["mlp"] == pytest.approx(line["derived"], rel=1e-14)
    assert data["witnesses"] == ["mlp", "again"]


@pytest.mark.parametrize(
    "arguments",
    [("no-such-problem",), (), ("backprop-2-2-1", "--random", "3"), ("--random", "3", "--quantity", "E"),
     ("backprop-2-2-1", "--quantity", "w99", "--no-torch"), ("--random", "0")],
)  # fmt: skip
def test_what_cannot_be_used(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_broken_file() -> None:
    assert run("-", "--no-torch", text="inputs = [1]\n[[layers]]\nneurons = 0\n").exit_code == 2


def test_random_networks_by_command() -> None:
    found = run("--random", "6", "--seed", "3", "--no-torch", "--format", "json")
    data = json.loads(found.output)
    assert found.exit_code == 0
    assert data["networks"] == 6
    assert data["disagree"] == []
    assert math.isfinite(data["largest_disagreement"])


@given(st.integers(0, 10**6))
@settings(max_examples=5, deadline=None)
def test_every_random_problem_is_a_good_file(seed: int) -> None:
    assert loads(random_problem(seed, seed % 97)).graph.root == "E"
