"""Formulas for quantities after several updates: w5@2, dE/dw5@1, out_o1@3, with and without updates in their names."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import derive
from derive.check.expressions import FormulaVerdict, judge_formula
from derive.check.formula_text import read_formula
from derive.check.moments import Moments
from derive.formula.expression import Number, Product, Sum
from derive.formula.grammar import write
from derive.formula.resolved import Formulas
from derive.problem.file import from_dict
from derive.worked import WorkedExample
from networks import examples

NET = "backprop-2-2-1"
DELTA = "(out_o1 - y)*out_o1*(1 - out_o1)"
ADAM: dict[str, Any] = {
    "inputs": [Decimal("0.6")], "targets": [1],
    "layers": [{"neurons": 1, "activation": "sigmoid", "weights": [[Decimal("0.5")]], "bias": Decimal("0.2")}],
    "update": {"learning_rate": 1, "optimizer": "adam"},
}  # fmt: skip


@cache
def problem(name: str) -> WorkedExample:
    return WorkedExample(from_dict(ADAM)) if name == "adam" else derive.load(name)


def judged(name: str, quantity: str, text: str) -> FormulaVerdict:
    return judge_formula(problem(name), quantity, read_formula(text, problem(name), quantity))


RIGHT = [
    (NET, "w5@2", "w5@1 - eta*dE/dw5@1"),
    (NET, "w5@2", "w5_new - eta*dE/dw5@1"),
    (NET, "w5@2", "w5⁺ − η·∂E/∂w5@1"),
    (NET, "w5@2", r"w_{5}^{+} - \eta \cdot \frac{\partial E}{\partial w_{5}^{[1]}}"),
    (NET, "w5@2", "w5@2 = w5@1 - eta*∂E/∂w5@1"),
    (NET, "w5@2", "w5 - eta*dE/dw5 - eta*dE/dw5@1"),
    (NET, "w5@3", "w5_new - eta*(dE/dw5@1 + dE/dw5@2)"),
    (NET, "w5@7", "w5@6 - eta*dE/dw5@6"),
    (NET, "w5@70", "w5@69 - eta*delta_o1@69*out_h1@69"),
    (NET, "dE/dw5@1", f"{DELTA}*out_h1".replace("out_o1", "out_o1@1").replace("out_h1", "out_h1@1")),
    (NET, "dE/dw1@2", "delta_h1@2*x1"),
    (NET, "out_o1@1", "1/(1 + exp(-net_o1@1))"),
    (NET, "net_h1@2", "w1@2*x1 + w2@2*x2 + b1"),
    (NET, "net_h1@1", "net_h1 - eta*(x1^2 + x2^2)*dE/dnet_h1"),
    (NET, "E_new", "1/2*(y - out_o1@1)^2"),
    ("momentum-steps", "w@1", "w - eta*g_w@1"),
    ("adam", "m_w1@2", "beta1*m_w1@1 + (1 - beta1)*dE/dw1@1"),
    ("adam", "m_w1@2", "9/10*m_w1@1 + 1/10*dE/dw1@1"),
    ("adam", "m_hat_w1@2", "m_w1@2/(1 - beta1^2)"),
    ("adam", "w1@3", "w1@2 - eta*m_hat_w1@3/(sqrt(v_hat_w1@3) + epsilon)"),
    ("adam-two-gradients", "w@2", "w@1 - eta*m_hat_w@2/(sqrt(v_hat_w@2) + epsilon)"),
]
MEANT_THEN = [
    # names without an update stand for the values when the quantity is computed: which update that is
    (NET, "w5@2", "w5 - eta*dE/dw5", 1),
    (NET, "w5@4", f"w5 - eta*{DELTA}*out_h1", 3),
    (NET, "dE/dw5@1", f"{DELTA}*out_h1", 1),
    (NET, "E_new", "1/2*(y - out_o1)^2", 1),
    (NET, "net_h1@2", "w1*x1 + w2*x2 + b1", 2),
]
WRONG = [
    (NET, "w5@2", "w5@1 + eta*dE/dw5@1", "dE/dw5@1 = 0.08312"),
    (NET, "w5@2", "w5 - 2*eta*dE/dw5", "yours gives"),
    (NET, "w5@7", "w5@6 - eta*dE/dw5@5", "w5@6 = "),
    (NET, "w5_new", "w5 - eta*dE/dw5@1", "yours gives"),
    (NET, "dE/dw5@1", "(out_o1@1 - y)*out_h1@1", "yours gives"),
    (NET, "E_new", "(y - out_o1)^2", "yours gives"),
    (NET, "E_new", "E", "repeats"),
    (NET, "E_new", "E@1", "repeats"),
    (NET, "w5@2", "w5@2", "repeats"),
    ("adam", "m_hat_w1@2", "m_w1@2/(1 - beta1)", "yours gives"),
    ("adam", "m_w1@2", "beta2*m_w1 + (1 - beta1)*dE/dw1@1", "yours gives"),
]


@pytest.mark.parametrize(("name", "quantity", "text"), RIGHT)
def test_a_formula_that_says_after_which_update(name: str, quantity: str, text: str) -> None:
    found = judged(name, quantity, text)
    assert (found.status, found.note) == ("correct", "")


@pytest.mark.parametrize(("name", "quantity", "text", "updates"), MEANT_THEN)
def test_a_formula_that_leaves_it_open(name: str, quantity: str, text: str, updates: int) -> None:
    found = judged(name, quantity, text)
    assert found.status == "correct"
    assert found.note.startswith(f"right, with the values after update {updates} ")


@pytest.mark.parametrize(("name", "quantity", "text", "note"), WRONG)
def test_what_is_wrong_is_refuted_with_numbers(name: str, quantity: str, text: str, note: str) -> None:
    found = judged(name, quantity, text)
    assert found.status == "wrong"
    assert note in found.note


def test_numbers_may_be_written_for_what_was_found() -> None:
    found = judged(NET, "w5@2", "0.35891648 - 0.5*dE/dw5@1")
    assert (found.status, found.how) == ("correct", "numbers")


def test_updates_far_apart_are_left_to_a_person() -> None:
    for text in ("w5@1 - eta*dE/dw5@8", "w5@9 - w5@100000", "w5 - eta*(dE/dw5 + dE/dw5@8)"):
        found = judged(NET, "w5@9", text)
        assert found.status == "undecided"
        assert found.note == "more than two updates lie between the quantities in it and w5@9"


@pytest.mark.parametrize(
    ("name", "quantity", "text"),
    [
        (NET, "w5@2", "w5@1 - eta*dE/dw5"),
        (NET, "dE/dw1@1", "delta_o1@1*w5*out_h1@1*(1 - out_h1@1)*x1"),
        ("adam", "m_w1@2", "beta1*m_w1 + (1 - beta1)*dE/dw1@1"),
    ],
)
def test_what_is_right_under_one_reading_only_is_for_a_person(name: str, quantity: str, text: str) -> None:
    found = judged(name, quantity, text)
    assert found.status == "undecided"
    assert found.note.startswith("right only if ")


def test_names_are_counted_from_the_start_and_back() -> None:
    derivation = problem(NET).derivation
    later = Moments(derivation, 4)
    assert [later.said(name) for name in ("w5", "w5_new", "w5@3", "x1", "dE/dw5", "eta")] == [
        "w5@4", "w5@5", "w5@7", "x1", "dE/dw5@4", "eta",
    ]  # fmt: skip
    assert [Moments(derivation).split(name) for name in ("w5@7", "w5_new", "x1", "dE/dw5@2")] == [
        ("w5", 7), ("w5", 1), ("x1", 0), ("dE/dw5", 2),
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(example=examples(updated=True, most_width=3, most_depth=3), data=st.data())
def test_the_formulas_that_a_page_exports_are_right_and_twice_them_wrong(
    example: WorkedExample, data: st.DataObject
) -> None:
    derivation = example.derivation
    if not derivation.updated():
        return
    parameter = data.draw(st.sampled_from(derivation.updated()))
    step = data.draw(st.integers(1, 3))
    quantity = data.draw(st.sampled_from([parameter, f"dE/d{parameter}", *list(example.graph.forward())[:4]]))
    expr = Formulas(derivation).formula(quantity, step)
    name = f"{quantity}@{step}"
    if expr is None or Moments(derivation).definition(Moments(derivation).joined(quantity, step)) is None:
        return
    right = judge_formula(example, name, read_formula(write(expr), example, name))
    assert right.status != "wrong", (name, write(expr), right)
    twice = Sum((Product((Number(Fraction(2)), expr)), Number(Fraction(1))))
    doubled = judge_formula(example, name, read_formula(write(twice), example, name))
    assert doubled.status != "correct" or doubled.how == "numbers", (name, write(twice), doubled)
