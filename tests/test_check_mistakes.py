"""Mistakes made by rule: their table, their sentences, what is promised of each, slips of published examples."""

from __future__ import annotations

import math
import re
import time
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from cases import Printed, cases, folder, network
from derive.check.mistakes import mutants
from derive.check.mistakes.derivatives import Differentiation, Unknown
from derive.check.mistakes.scene import base_and_step
from derive.check.mistakes.sentences import sentence
from derive.check.mistakes.table import HABITS, ROWS
from derive.check.model import Mutant
from derive.check.phrases import phrases
from derive.derivation.evaluator import Evaluator
from derive.errors import DeriveError
from derive.formula.expression import names_in
from derive.formula.grammar import read
from derive.problem.file import bundled, find, from_dict, loads
from derive.worked import WorkedExample, quantity_names
from mistaken import Mistaken, named
from networks import examples

NAMES = [name for name, *_ in bundled()]
BATCH_OF_FOUR = """
inputs = [[0.5, 0.1, -0.2], [0.3, -0.4, 0.9], [-0.6, 0.7, 0.2], [0.1, 0.2, 0.8]]
targets = [[1, 0], [0, 1], [1, 0], [0, 1]]
loss = "cross-entropy"
[[layers]]
neurons = 4
activation = "tanh"
weights = [[0.1, 0.2, -0.3], [0.4, -0.5, 0.6], [0.7, 0.8, 0.9], [-0.1, 0.3, 0.2]]
bias = [0.1, -0.1, 0.2, 0.3]
[[layers]]
neurons = 3
activation = "relu"
weights = [[0.1, 0.2, 0.3, 0.4], [0.5, -0.6, 0.7, 0.8], [-0.9, 0.1, 0.2, 0.3]]
bias = [0.1, 0.2, 0.3]
[[layers]]
neurons = 2
activation = "softmax"
weights = [[0.3, -0.2, 0.5], [0.1, 0.6, -0.4]]
bias = [0.0, 0.1]
[update]
learning_rate = 0.1
"""


@cache
def _bundled(name: str) -> tuple[WorkedExample, list[Mutant]]:
    example = WorkedExample(find(name))
    return example, mutants(example, _some(example))


def _some(example: WorkedExample) -> list[str]:
    """Some quantities of a problem, from everywhere in it."""
    names = list(quantity_names(example))
    return names[:: max(1, len(names) // 20)]


# --- the table and the sentences -------------------------------------------------------------------------------------


def test_every_mistake_has_one_row_and_one_sentence() -> None:
    assert set(phrases("en")["mistakes"]) == set(ROWS)
    assert set(ROWS) >= HABITS


@pytest.mark.parametrize("mistake", ROWS)
def test_a_row_says_how_common_the_mistake_is(mistake: str) -> None:
    assert 1 <= ROWS[mistake].likelihood <= 9
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", mistake)
    said = sentence(mistake)
    assert said[0].isupper() or said[0] == "{"
    assert said.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_every_sentence_of_every_bundled_problem_is_filled(name: str) -> None:
    _, found = _bundled(name)
    for mutant in found:
        assert not set("{}") & set(mutant.message), mutant.message
        assert mutant.message.endswith(".")
        assert "  " not in mutant.message


# --- what is promised of each ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_definitions_are_exchanged_in_quantities_of_the_problem(name: str) -> None:
    example, found = _bundled(name)
    for mutant in found:
        assert mutant.definitions
        for key, tree in mutant.definitions.items():
            for part in (key, *names_in(tree)):
                assert _is_quantity(example, part), (mutant.id, part)
            assert tree != example.derivation.quantity(key).definition


def _is_quantity(example: WorkedExample, name: str) -> bool:
    base, step = base_and_step(name)
    for candidate in (name, base) if step else (name,):
        if candidate == "eta":
            return True
        try:
            example.derivation.quantity(candidate)
        except (KeyError, DeriveError):
            continue
        return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_no_two_slips_exchange_the_same(name: str) -> None:
    _, found = _bundled(name)
    keys = [(frozenset(mutant.definitions.items()), mutant.convention) for mutant in found]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", ["backprop-2-2-1", "batch-2-3-2-matrix", "adam-2-2-1", "perceptron-and"])
def test_the_order_is_always_the_same(name: str) -> None:
    _, found = _bundled(name)
    again = WorkedExample(find(name))
    assert mutants(again, _some(again)) == found


@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(examples(most_width=3, most_depth=3, updated=True))
def test_no_mistake_of_a_random_network_comes_back_to_itself(example: WorkedExample) -> None:
    names = _some(example)[-6:]
    for mutant in mutants(example, names)[::7]:
        for name in names:
            try:
                Mistaken(example, [mutant]).value(name)
            except (ArithmeticError, ValueError, TypeError):  # a logarithm of what is not positive, a complex power
                continue


@pytest.mark.parametrize("name", ["backprop-2-2-1", "mazur-2-2-2", "adam-2-2-1", "softmax-cross-entropy"])
def test_without_a_mistake_the_helper_gives_the_true_value(name: str) -> None:
    example = WorkedExample(find(name))
    for quantity in quantity_names(example):
        true = example.value(quantity)
        assert true is not None
        assert math.isclose(Mistaken(example).value(quantity), true, rel_tol=1e-9, abs_tol=1e-12)


def test_a_mistake_at_one_place_and_the_same_throughout_are_two() -> None:
    example = WorkedExample(find("backprop-2-2-1"))
    found = [m.definitions for m in mutants(example, ["dE/dw1"]) if m.id == "slope-of-net-for-output"]
    assert sorted(map(len, found)) == [1, 1, 2]


def test_a_convention_is_told_from_the_slip_at_one_place() -> None:
    example = WorkedExample(find("mazur-2-2-2"))
    found = [m for m in mutants(example, ["dE/dw1", "dE/dw3"]) if m.id == "updated-weight-used-early"]
    assert {m.convention for m in found if len(m.definitions) == 1} == {False}
    assert [len(m.definitions) for m in found if m.convention] == [2]


@pytest.mark.parametrize(
    ("text", "quantity", "conventions"),
    [
        ("mazur-2-2-2", "E", {"loss-without-half", "half-mean-over-outputs"}),
        ("perceptron-and", "out[1]", {"threshold-at-zero", "labels-convention"}),
        ("momentum-steps", "w@2", {"momentum-convention"}),
        ("cross-entropy-batch", "E", {"sum-over-samples", "mean-over-outputs", "logarithm-to-base-2"}),
    ],
)
def test_other_conventions_are_marked_as_such(text: str, quantity: str, conventions: set[str]) -> None:
    found = mutants(WorkedExample(find(text)), [quantity])
    assert {mutant.id for mutant in found if mutant.convention} >= conventions


def test_only_what_is_behind_the_question_is_exchanged() -> None:
    example = WorkedExample(find("backprop-2-2-1"))
    assert {name for mutant in mutants(example, ["out_h1"]) for name in mutant.definitions} == {"out_h1", "net_h1"}


def test_what_is_asked_after_an_update_is_known_by_both_names() -> None:
    example = WorkedExample(find("backprop-2-2-1"))
    assert mutants(example, ["E_new"]) == mutants(example, ["E@1"])


def test_an_alias_is_exchanged_where_it_is_used() -> None:
    """∂net_o1/∂out_h1 is w5 itself, which the forward pass needs as it is."""
    example = WorkedExample(find("backprop-2-2-1"))
    assert not any("dnet_o1/dout_h1" in mutant.definitions for mutant in mutants(example, ["dE/dw1"]))


def test_of_a_large_network_few_definitions_are_looked_at() -> None:
    layers = "".join(f'[[layers]]\nneurons = {n}\nactivation = "{f}"\n' for n, f in ((128, "relu"), (10, "softmax")))
    text = f"inputs = 784\ntargets = true\n{layers}"
    example = WorkedExample(loads(text))
    start = time.process_time()
    found = mutants(example, ["dE/dW1[300,17]"])
    assert found
    assert time.process_time() - start < 5


def test_speed() -> None:
    small = WorkedExample(find("backprop-2-2-1"))
    names = list(quantity_names(small))[:25]
    batch = WorkedExample(loads(BATCH_OF_FOUR))
    gradients = [f"dE/dw{place}" for place in range(1, 31)] + ["E"]
    for example, asked, seconds in ((small, names, 0.06), (batch, gradients, 0.5)):
        mutants(example, asked)
        best = min(_seconds(example, asked) for _ in range(2))
        assert best < 4 * seconds, f"{best:.3f} s"


def _seconds(example: WorkedExample, asked: list[str]) -> float:
    start = time.process_time()
    mutants(example, asked)
    return time.process_time() - start


# --- wrong differentiation -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["x^3", "(2*x + 1)^4", "x*sin(x)*y", "x/(1 + x^2)", "exp(-x^2)", "ln(1 + x)", "sqrt(x)*y", "cos(3*x)", "tanh(x*y)",
     "sigmoid(x)/x", "max(x, y)", "min(x^2, y)", "abs(x - 5)", "-x", "y", "1/x"],
)  # fmt: skip
def test_with_no_rule_wrong_the_derivative_is_right(text: str) -> None:
    from derive.calculus.symbolic import partial
    from mistaken import Doubles

    tree, at = read(text), {"x": 0.7, "y": 1.9}
    numbers = Evaluator(Doubles(), at.__getitem__)
    assert math.isclose(numbers.value(Differentiation("x").of(tree)), numbers.value(partial(tree, "x")), rel_tol=1e-12)


def test_a_formula_beyond_the_rules_is_left_alone() -> None:
    with pytest.raises(Unknown):
        Differentiation("x").of(read("2^x"))


# --- published slips -------------------------------------------------------------------------------------------------

NEURON = """
inputs = [{x}]
targets = [{y}]
loss = "binary-cross-entropy"
[[layers]]
neurons = ["o"]
activation = "sigmoid"
weight_names = [["a"]]
weights = [[{a}]]
bias_names = ["b"]
bias = {b}
[update]
learning_rate = 1
"""
PUBLISHED: dict[tuple[str, str], tuple[str, str]] = {
    ("01-mazur", "E_after_1"): ("E@1", "updated-weight-used-early"),
    ("05-rgu-macleod", "delta1"): ("dE/dnet_n1", "updated-weight-used-early"),
    ("05-rgu-macleod", "new_w3"): ("w3_new", "updated-weight-used-early"),
    ("05-rgu-macleod", "new_w4"): ("w4_new", "updated-weight-used-early"),
    ("05-rgu-macleod", "new_w5"): ("w5_new", "updated-weight-used-early"),
    ("27-dsse-logistic-sign", "ex1_a"): ("a_new", "ascent-for-descent"),
    ("27-dsse-logistic-sign", "ex1_b"): ("b_new", "ascent-for-descent"),
    ("27-dsse-logistic-sign", "ex2_a"): ("a_new", "ascent-for-descent"),
    ("27-dsse-logistic-sign", "ex2_b"): ("b_new", "ascent-for-descent"),
}  # the hard sigmoid and the GELU of case 44 are worked out in test_check_mistakes_by_hand
needs_cases = pytest.mark.skipif(folder() is None, reason="the published cases are not there")


def _inputs(name: str) -> tuple[dict[str, Any], dict[str, Printed]]:
    for case in cases("network"):
        if case.name == name:
            return case.inputs, {printed.key: printed for printed in case.printed}
    raise KeyError(name)


def _example_of(name: str, key: str) -> WorkedExample:
    inputs, _ = _inputs(name)
    if name.startswith("27"):
        values = dict(zip(("x", "y", "a", "b"), inputs[key[:3]], strict=True))
        return WorkedExample(loads(NEURON.format(**values)))
    return WorkedExample(from_dict(network(inputs)))


@needs_cases
@pytest.mark.parametrize(("where", "what"), PUBLISHED.items(), ids=lambda part: "-".join(part))
def test_a_published_slip_is_named(where: tuple[str, str], what: tuple[str, str]) -> None:
    """The likeliest mistake that comes within five units of the printed number (the source rounds on its way)."""
    name, key = where
    quantity, mistake = what
    example, printed = _example_of(name, key), _inputs(name)[1][key]
    likely: dict[str, int] = {}
    for mutant in mutants(example, [quantity]):
        try:
            wrong = Mistaken(example, [mutant]).value(quantity)
        except (ArithmeticError, ValueError):
            continue
        if abs(abs(wrong) - abs(float(printed.text))) <= 10 * float(printed.half_unit):
            likely[mutant.id] = max(likely.get(mutant.id, 0), mutant.likelihood)
    assert likely[mistake] == max(likely.values())


@needs_cases
def test_a_published_run_is_off_by_one_update() -> None:
    inputs, _ = _inputs("01-mazur")
    example = WorkedExample(from_dict(network(inputs)))
    (found,) = [m for m in mutants(example, ["E@10000"]) if m.id == "one-update-too-few"]
    assert list(names_in(found.definitions["E@10000"])) == ["E@9999"]


def test_the_slips_of_the_lecture_notes_are_named() -> None:
    notes = [
        ('kind = "activation"\nactivation = "sigmoid"\nat = [0]', "f(0)", 2.0, "brackets-left-out"),
        ('kind = "activation"\nactivation = "tanh"\nat = [0]', "f(0)", 1.0, "brackets-left-out"),
        ('kind = "loss"\nloss = "half-squared-error"\npredictions = [0.75136]\ntargets = [0.01]', "E",
         12 * 0.74136**2, "fraction-bar-lost"),
        ('kind = "loss"\nloss = "half-squared-error"\npredictions = [0.75136]\ntargets = [0.01]', "E",
         0.74136**2, "loss-without-half"),
    ]  # fmt: skip
    for text, quantity, wrong, mistake in notes:
        example = WorkedExample(loads(text))
        assert mistake in {mutant.id for mutant in named(example, mutants(example, [quantity]), quantity, wrong)}
