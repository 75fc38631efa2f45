"""Answers that are formulas: every right form is right, what is wrong is never called right, the same every time."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import count

import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import derive
from derive.check.equality import decided
from derive.check.expressions import FormulaVerdict, judge_formula
from derive.check.field import _is_prime, _prime
from derive.check.formula_text import read_formula
from derive.check.model import Formula, Mutant
from derive.derivation.names import UnknownQuantity
from derive.errors import DeriveError
from derive.formula.expression import (
    Call,
    Expr,
    Name,
    Negative,
    Number,
    Product,
    Sum,
    children,
    names_in,
    rebuild,
    replace_names,
)
from derive.formula.grammar import Unreadable, read, write
from derive.numbers.exact import Arithmetic, Undefined
from derive.worked import WorkedExample, quantity_names
from networks import examples

MAZUR = "mazur-2-2-2"
RIGHT = "(out_o1 - y1)*out_o1*(1 - out_o1)*out_h1"


@cache
def problem(name: str) -> WorkedExample:
    return derive.load(name)


def judged(name: str, quantity: str, text: str, *mutants: Mutant) -> FormulaVerdict:
    example = problem(name)
    return judge_formula(example, quantity, read_formula(text, example, quantity), mutants)


# --- reading ---------------------------------------------------------------------------------------------------------

READINGS = [
    ("2*dE/dw5*out_h1", "2*dE/dw5*out_h1"),
    (r"\frac{\partial E}{\partial w_5}", "dE/dw5"),
    (r"\dfrac{\partial E}{\partial w_{5}}", "dE/dw5"),
    (r"\frac{\mathrm{d}E}{\mathrm{d}w_5}\cdot 2", "dE/dw5*2"),
    ("∂E/∂out_o1·∂out_o1/∂net_o1·∂net_{o1}/∂w_5", "dE/dout_o1*dout_o1/dnet_o1*dnet_o1/dw5"),
    ("∂E / ∂w5", "dE/dw5"),
    ("d E/d w5", "dE/dw5"),
    ("dE_dw5", "dE/dw5"),
    ("dE_total/dw5", "dE/dw5"),
    ("w5 - eta*dE/dw5", "w5 - eta*dE/dw5"),
    ("out_h1/dE/dw5", "out_h1/(dE/dw5)"),
    ("dE/dw5/out_h1", "(dE/dw5)/out_h1"),
    ("delta_o1*out_h1", "dE/dnet_o1*out_h1"),
    ("δ_o1 out_h1", "dE/dnet_o1*out_h1"),
    (r"\delta_{o1}\,\mathrm{out}_{h1}", "dE/dnet_o1*out_h1"),
    ("sigma(net_h1)", "sigmoid(net_h1)"),
    (r"\sigma(net_{h1})", "sigmoid(net_h1)"),
    ("1/(1+e^-net_h1)", "1/(1 + exp(-net_h1))"),
    ("out_o1(1-out_o1)", "out_o1*(1 - out_o1)"),
    ("a_o1(1 − a_o1)", "out_o1*(1 - out_o1)"),
    ("2 w5 i1", "2*w5*i1"),
    ("1/2 (y1-out_o1)^2", "1/2*(y1 - out_o1)^2"),
    ("½(y_1 - out_o1)²", "1/2*(y1 - out_o1)^2"),
    ("$out_o1-y1$", "out_o1 - y1"),
    ("dE/dw5 = out_o1", "out_o1"),
    ("∂E/∂w5 = delta_o1*out_h1", "dE/dnet_o1*out_h1"),
    ("w5_new", "w5_new"),
    ("E_total", "E"),
]


@pytest.mark.parametrize(("text", "meant"), READINGS)
def test_a_formula_is_read_with_the_names_of_the_problem(text: str, meant: str) -> None:
    found = read_formula(text, problem(MAZUR), "dE/dw5")
    known = set(names_in(found.expr))
    plain = {name: f"q{place}" for place, name in enumerate(sorted(known))}
    swapped = meant
    for name in sorted(known, key=len, reverse=True):
        swapped = swapped.replace(name, plain[name])
    assert replace_names(found.expr, {old: Name(new) for old, new in plain.items()}) == read(swapped)


REFUSED = [
    ("2*foo", 3, 'unknown name "foo"'),
    ("w55@3", 1, "unknown name"),
    ("net_h9_new", 1, "unknown name"),
    ("dE/dq", 1, "unknown name"),
    ("dE/dw5 = 2*foo", 12, 'unknown name "foo"'),
    ("dE/dw6 = out_o1", 8, 'found "="'),
    ("1/2 out_o1", 5, "found"),
    ("out_o1..", 7, "found"),
]


@pytest.mark.parametrize(("text", "column", "found"), REFUSED)
def test_what_is_no_formula_is_refused_with_its_place(text: str, column: int, found: str) -> None:
    with pytest.raises(Unreadable) as error:
        read_formula(text, problem(MAZUR), "dE/dw5")
    assert error.value.column == column
    assert found in error.value.found


# --- verdicts --------------------------------------------------------------------------------------------------------

PROVED = [
    (MAZUR, "dE/dw5", RIGHT),
    (MAZUR, "dE/dw5", "-(y1 - out_o1)out_o1(1 - out_o1)out_h1"),
    (MAZUR, "dE/dw5", "delta_o1*out_h1"),
    (MAZUR, "dE/dw5", "dE/dout_o1*dout_o1/dnet_o1*dnet_o1/dw5"),
    (MAZUR, "dE/dw5", r"\frac{\partial E}{\partial out_{o1}}\frac{\partial out_{o1}}{\partial net_{o1}} out_{h1}"),
    (MAZUR, "dE/dw5", "(σ(net_o1) - y1)*σ(net_o1)*(1 - σ(net_o1))/(1 + e^-net_h1)"),
    (MAZUR, "dE/dw5", "out_o1^2*(1 - out_o1)*out_h1 - y1*(out_o1 - out_o1^2)*out_h1"),
    (MAZUR, "dE/dw1", "(delta_o1*w5 + delta_o2*w7)*out_h1*(1 - out_h1)*i1"),
    (MAZUR, "dE/dw1", "delta_h1*i1"),
    (MAZUR, "dE/dw1", "(dE_o1/dout_h1 + dE_o2/dout_h1)*dout_h1/dnet_h1*i1"),
    (MAZUR, "w5_new", "w5 - eta*dE/dw5"),
    (MAZUR, "w5+", "w5 - eta*delta_o1*out_h1"),
    (MAZUR, "net_h1", "b1 + i2*w2 + i1*w1"),
    (MAZUR, "out_h1", "e^net_h1/(1 + e^net_h1)"),
    (MAZUR, "out_h1", "1/2 + 1/2*tanh(net_h1/2)"),
    (MAZUR, "E", "((y1 - out_o1)^2 + (out_o2 - y2)^2)/2"),
    ("softmax-cross-entropy", "dE/dz3", "o3 - t3"),
    ("softmax-cross-entropy", "E", "-(t1*ln(o1) + t2 ln(o2) + t3*ln(o3))"),
    ("adam-2-2-1", "w5_new", "w5 - eta*m_hat_w5_new/(sqrt(v_hat_w5_new) + epsilon)"),
]
COMPARED = [
    (MAZUR, "out_h1", "1/2 + (e^net_h1 - 1)/(2*(e^(net_h1/2))^2 + 2)"),
    (MAZUR, "out_h1", "1/(1 + (e^(-net_h1/2))^2)"),
    (MAZUR, "dE/dw5", "sqrt(out_h1^2)*delta_o1*sqrt(out_h1)^2/out_h1"),
    ("softmax-cross-entropy", "o1", "1/(1 + e^(z2 - z1) + e^(z3 - z1))"),
]
FOR_THESE_NUMBERS = [
    (MAZUR, "dE/dw5", "(out_o1 - 0.01)*out_o1*(1 - out_o1)*out_h1"),
    (MAZUR, "dE/dw1", "(delta_o1*0.4 + delta_o2*0.5)*out_h1*(1 - out_h1)*0.05"),
    (MAZUR, "dE/dw5", "(0.7514 - 0.01)*0.7514*(1 - 0.7514)*0.5933"),
    (MAZUR, "w5_new", "w5 - 0.5*dE/dw5"),
    (MAZUR, "w5_new", "0.40 - 0.5*0.08217"),
    (MAZUR, "net_h1", "0.15*0.05 + 0.2*0.1 + 0.35"),
    ("softmax-cross-entropy", "E", "-ln(o3)"),
    ("softmax-cross-entropy", "dE/dz3", "o3 - 1"),
]
WRONG = [
    (MAZUR, "dE/dw5", "(out_o1 - y1)*out_h1", "0.7514"),
    (MAZUR, "dE/dw5", "(y1 - out_o1)*out_o1*(1 - out_o1)*out_h1", "yours gives -0.08217, the right one 0.08217"),
    (MAZUR, "dE/dw5", "(out_o1 - y1)*out_o1*(1 - out_o1)*out_h2", "yours gives"),
    (MAZUR, "dE/dw5", "2*dE/dw5", "yours gives 0.1643"),
    (MAZUR, "dE/dw5", "(out_o1 - 0.99)*out_o1*(1 - out_o1)*out_h1", "yours gives -0.02645"),
    (MAZUR, "dE/dw5", "0.09", "yours gives 0.09"),
    (MAZUR, "dE/dw5", "1/0", "no value"),
    (MAZUR, "dE/dw5", "ln(-out_h1^2)", "no value"),
    (MAZUR, "dE/dw5", "dE/dw5", "repeats"),
    (MAZUR, "dE/dw5", "2*dE/dw5/2 + 0", "repeats"),
    (MAZUR, "dE/dnet_o1", "delta_o1", "repeats"),
    (MAZUR, "dE/dw1", "delta_o1*w5*out_h1*(1 - out_h1)*i1", "yours gives"),
    (MAZUR, "w5_new", "w5 + eta*dE/dw5", "yours gives 0.4411, the right one 0.3589"),
    (MAZUR, "dE/dw5", f"{RIGHT} + 10^-30", "too far behind"),
    ("softmax-cross-entropy", "E", "-ln(o1)", "yours gives 2.408"),
    ("softmax-cross-entropy", "dE/dz3", "t3 - o3", "yours gives"),
    ("adam-2-2-1", "w5_new", "w5 - eta*dE/dw5", "yours gives"),
]
UNDECIDED = [
    (MAZUR, "dE/dw5", "(w5 - w5_new)/eta", "w5_new hangs on dE/dw5 itself"),
    (MAZUR, "net_h1", "ln(out_h1/(1 - out_h1))", "out_h1 hangs on net_h1 itself"),
    (MAZUR, "dE/dw5", "dE_o1/dw5", "another name"),
    (MAZUR, "dE/dw5", f"{RIGHT} + 1e-60", "too few points"),
    (MAZUR, "dE/dw5", f"{RIGHT} + exp(-1000)", "too few points"),
    (MAZUR, "dE/dw5", f"{RIGHT}*(1 + exp(-200))", "too few points"),
    (MAZUR, "dE/dw5", f"{RIGHT}*erf(30)", "too few points"),
    (MAZUR, "dE/dw5", f"max({RIGHT}, -1000)", "not every case"),
    (MAZUR, "dE/dw5", f"{RIGHT} if w5 < 1000 else 0", "not every case"),
    (MAZUR, "dE/dw5", f"sin(1e300*out_h1) + {RIGHT}", "too few points"),
    (MAZUR, "dE/dw5", f"{RIGHT} + 1e-400*(" + "+".join(f"ln({i} + w1^2)" for i in range(1, 90)) + ")", "too long"),
    (MAZUR, "w5", "w5", "is given"),
    (MAZUR, "w5@5", "w5 - eta*(dE/dw5 + dE/dw5@4)", "more than two updates"),
]


@pytest.mark.parametrize(("name", "quantity", "text"), PROVED)
def test_what_can_be_proved_is(name: str, quantity: str, text: str) -> None:
    assert judged(name, quantity, text) == FormulaVerdict("correct", how="proved")


@pytest.mark.parametrize(("name", "quantity", "text"), COMPARED)
def test_what_only_agrees_everywhere_is_right_as_well(name: str, quantity: str, text: str) -> None:
    assert judged(name, quantity, text) == FormulaVerdict("correct", how="compared")


@pytest.mark.parametrize(("name", "quantity", "text"), FOR_THESE_NUMBERS)
def test_numbers_of_the_problem_may_be_substituted(name: str, quantity: str, text: str) -> None:
    verdict = judged(name, quantity, text)
    assert (verdict.status, verdict.how) == ("correct", "numbers")
    assert verdict.note.startswith("right for the ")


@pytest.mark.parametrize(("name", "quantity", "text", "note"), WRONG)
def test_what_is_wrong_is_refuted_with_numbers(name: str, quantity: str, text: str, note: str) -> None:
    verdict = judged(name, quantity, text)
    assert verdict.status == "wrong"
    assert note in verdict.note


@pytest.mark.parametrize(("name", "quantity", "text", "note"), UNDECIDED)
def test_what_is_neither_is_left_to_a_person(name: str, quantity: str, text: str, note: str) -> None:
    verdict = judged(name, quantity, text)
    assert verdict.status == "undecided"
    assert note in verdict.note


def test_a_counterexample_can_be_recomputed_by_hand() -> None:
    note = judged(MAZUR, "dE/dw5", "(out_o1 - y1)*out_h1").note
    assert note == "at out_o1 = 0.7514, y1 = 0.01, out_h1 = 0.5933: yours gives 0.4398, the right one 0.08217"


def test_agreement_by_chance_of_the_numbers_is_not_called_right() -> None:
    text = """
        inputs = [1, 1]
        targets = [0]
        [[layers]]
        neurons = ["o1"]
        activation = "sigmoid"
        weights = [[0.5, 0.5]]
        bias = 0
    """
    example = derive.loads(text)
    verdict = judge_formula(example, "net_o1", read_formula("2*w1*x1 + b1", example))
    assert (verdict.status, verdict.note) == ("undecided", "right for the numbers of this problem, but not for others")


def test_a_gradient_that_vanishes_here_says_little() -> None:
    text = """
        inputs = [1]
        targets = [1]
        loss = "half-squared-error"
        [[layers]]
        neurons = ["h1"]
        activation = "relu"
        weights = [[-2]]
        [[layers]]
        neurons = ["o1"]
        activation = "linear"
        weights = [[0.5]]
    """
    example = derive.loads(text)
    for wrong in ("0*w2", "0.7*(out_o1 - y)*out_h1", "(out_o1 - y)*(1 if net_h1 > 0 else 0)*x1*0.7"):
        assert judge_formula(example, "dE/dw1", read_formula(wrong, example)).status == "undecided"
    for right in ("(out_o1 - y)*w2*x1 if net_h1 > 0 else 0", "(out_o1 - y)*w2*(1 if 0 < net_h1 else 0)*x1"):
        assert judge_formula(example, "dE/dw1", read_formula(right, example)).status == "correct"
    assert judge_formula(example, "out_h1", read_formula("max(net_h1, 0)", example)).status == "correct"
    assert judge_formula(example, "out_h1", read_formula("(net_h1 + abs(net_h1))/2", example)).how == "compared"
    assert judge_formula(example, "out_h1", read_formula("net_h1", example)).status == "wrong"


def test_unknown_quantities_are_said() -> None:
    with pytest.raises(UnknownQuantity):
        judge_formula(problem(MAZUR), "w99", Formula("1", read("1")))
    verdict = judge_formula(problem(MAZUR), "dE/dw5", Formula("foo", Name("foo")))
    assert (verdict.status, verdict.note) == ("undecided", "foo is no quantity of this problem")


# --- mistakes --------------------------------------------------------------------------------------------------------


def mutant(kind: str, step: str, likelihood: int = 5, convention: bool = False, **definitions: str) -> Mutant:
    names = {key.replace("__", "/"): read_formula(text, problem(MAZUR)).expr for key, text in definitions.items()}
    return Mutant(kind, f"{kind} at {step}", step, names, likelihood, convention)


MUTANTS = [
    mutant("sigma-left-out", "dE/dw5", dE__dw5="dE/dout_o1*dnet_o1/dw5"),
    mutant("net-for-out", "dout_o1/dnet_o1", dout_o1__dnet_o1="net_o1*(1 - net_o1)"),
    mutant("sign", "dE/dout_o1", likelihood=9, dE__dout_o1="y1 - out_o1"),
    mutant("minus-lost", "dE/dw5", likelihood=2, dE__dw5="-dE/dout_o1*dout_o1/dnet_o1*dnet_o1/dw5"),
    mutant("no-half", "E_o1", convention=True, dE__dout_o1="2*(out_o1 - y1)"),
    mutant("elsewhere", "net_h2", net_h2="w3*i1"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(out_o1 - y1)*out_h1", ["sigma-left-out"]),
        ("(out_o1 - y1)*net_o1*(1 - net_o1)*out_h1", ["net-for-out"]),
        ("(y1 - out_o1)*out_o1*(1 - out_o1)*out_h1", ["sign", "minus-lost"]),
        ("2*delta_o1*out_h1", ["no-half"]),
        ("(out_o1 - 0.01)*out_h1", ["sigma-left-out"]),
        ("3*delta_o1*out_h1", []),
    ],
)
def test_mistakes_in_formulas_are_named(text: str, expected: list[str]) -> None:
    verdict = judged(MAZUR, "dE/dw5", text, *MUTANTS)
    assert verdict.status == "wrong"
    found = [verdict.mistake, *verdict.mistake.others] if verdict.mistake else []
    assert [mistake.id for mistake in found] == expected
    assert all(mistake.certain == (len(expected) == 1) for mistake in found)
    assert all(mistake.convention == (mistake.id == "no-half") for mistake in found)


def test_a_mistake_is_carried_through_the_graph() -> None:
    text = "((out_o1 - y1)*net_o1*(1 - net_o1)*w5 + delta_o2*w7)*out_h1*(1 - out_h1)*i1"
    verdict = judged(MAZUR, "dE/dw1", text, *MUTANTS)
    assert verdict.mistake is not None
    assert verdict.mistake.id == "net-for-out"


def test_a_quantity_that_is_named_is_the_right_one() -> None:
    """w5 + eta·dE/dw5 is no gradient with a wrong sign: the gradient is there by its name."""
    ascent = mutant("ascent", "w5_new", likelihood=1, w5_new="w5 + eta*dE/dw5")
    for text in ("w5 + eta*dE/dw5", "w5 + 0.5*dE/dw5", "0.4 + 0.5*dE/dw5"):
        verdict = judged(MAZUR, "w5_new", text, *MUTANTS, ascent)
        assert verdict.mistake is not None
        assert (verdict.mistake.id, verdict.mistake.others) == ("ascent", ())
    hidden = judged(MAZUR, "w5_new", "w5 + eta*(out_o1 - y1)*out_o1*(1 - out_o1)*out_h1", *MUTANTS, ascent)
    assert hidden.mistake is not None
    assert {hidden.mistake.id, *(other.id for other in hidden.mistake.others)} == {"ascent", "sign", "minus-lost"}


# --- properties ------------------------------------------------------------------------------------------------------

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(examples(most_width=3, most_depth=3), st.randoms(use_true_random=False))
def test_every_definition_is_right_as_it_is_written_and_read(example: WorkedExample, rng: random.Random) -> None:
    names = list(quantity_names(example))
    for name in rng.sample(names, min(8, len(names))):
        quantity = example.derivation.quantity(name)
        if quantity.definition is None or quantity.definition == Name(name):
            continue
        for form in (quantity.definition, *quantity.forms):
            verdict = judge_formula(example, name, Formula(name, form))
            assert verdict.status == "correct" or "same derivative" in verdict.note, (name, form, verdict)


@FEW
@given(examples(most_width=3, most_depth=2), st.randoms(use_true_random=False))
def test_nothing_is_called_right_that_gives_another_number(example: WorkedExample, rng: random.Random) -> None:
    """Random changes in definitions, evaluated by Python."""
    names = [name for name in quantity_names(example) if example.derivation.quantity(name).definition is not None]
    known = [*names, *example.graph.leaves()]
    for name in rng.sample(names, min(8, len(names))):
        definition = example.derivation.quantity(name).definition
        assert definition is not None
        changed = _changed(definition, rng, known)
        verdict = judge_formula(example, name, Formula(write(definition), changed))
        yours, right = _by_python(changed, example), example.value(name)
        if yours is None or right is None or math.isclose(yours, right, rel_tol=1e-9, abs_tol=1e-12):
            continue
        assert verdict.status == "wrong" or "too " in verdict.note, (name, changed, verdict)


def _changed(expr: Expr, rng: random.Random, known: list[str]) -> Expr:
    """A tree with one part exchanged."""
    match expr:
        case Name():
            other = Name(rng.choice(known))
            slips: list[Expr] = [other, Negative(expr), Product((expr, other))]
            return rng.choice(slips)
        case Number(value):
            return Number(value + 1)
        case Sum(parts) if len(parts) > 2 and rng.random() < 0.3:
            return Sum(parts[1:])
        case Product(parts) if len(parts) > 2 and rng.random() < 0.3:
            return Product(parts[1:])
        case Negative(arg) if rng.random() < 0.3:
            return arg
    places = count()
    chosen = rng.randrange(max(len(children(expr)), 1))

    def change(part: Expr) -> Expr:
        return _changed(part, rng, known) if next(places) == chosen else part

    return rebuild(expr, change)


def _by_python(expr: Expr, example: WorkedExample) -> float | None:
    names = {name: f"v{place}" for place, name in enumerate(dict.fromkeys(names_in(expr)))}
    if any(isinstance(part, Call) for part in _all(expr)):
        return None
    text = write(replace_names(expr, {old: Name(new) for old, new in names.items()})).replace("^", "**")
    values = {new: example.value(old) for old, new in names.items()}
    try:
        found = eval(text, {}, values)
    except (ArithmeticError, TypeError, DeriveError):
        return None
    return None if isinstance(found, complex) else float(found)


def _all(expr: Expr) -> Iterator[Expr]:
    yield expr
    for part in children(expr):
        yield from _all(part)


def test_derivatives_of_the_composed_loss_by_sympy_are_right() -> None:
    """dE/dw of mazur-2-2-2 written out to the inputs, as SymPy prints it."""
    w = sympy.symbols("w1:9")
    i1, i2, b1, b2, y1, y2 = sympy.symbols("i1 i2 b1 b2 y1 y2")

    def out(net: sympy.Expr) -> sympy.Expr:
        return 1 / (1 + sympy.exp(-net))

    h1, h2 = out(w[0] * i1 + w[1] * i2 + b1), out(w[2] * i1 + w[3] * i2 + b1)
    o1, o2 = out(w[4] * h1 + w[5] * h2 + b2), out(w[6] * h1 + w[7] * h2 + b2)
    loss = ((y1 - o1) ** 2 + (y2 - o2) ** 2) / 2
    for place in (0, 3, 4, 7):
        slope = sympy.diff(loss, w[place])
        assert judged(MAZUR, f"dE/dw{place + 1}", str(slope)).status == "correct"
        assert judged(MAZUR, f"dE/dw{place + 1}", str(-slope)).status == "wrong"
        assert judged(MAZUR, f"dE/dw{(place + 1) % 8 + 1}", str(slope)).status == "wrong"


def test_verdicts_are_the_same_every_time() -> None:
    """In another process, with other hash seeds, in another order."""
    script = """
import json, random, sys
import derive
from derive.check.expressions import judge_formula
from derive.check.formula_text import read_formula
cases, seed = json.load(sys.stdin)
order = list(range(len(cases)))
random.Random(seed).shuffle(order)
found, loaded = {}, {}
for place in order:
    name, quantity, text = cases[place]
    example = loaded.setdefault(name, derive.load(name))
    verdict = judge_formula(example, quantity, read_formula(text, example, quantity))
    found[place] = [verdict.status, verdict.note, verdict.how]
print(json.dumps([found[place] for place in range(len(cases))]))
"""
    cases = [list(case[:3]) for case in (*PROVED[:6], *COMPARED, *FOR_THESE_NUMBERS, *WRONG, *UNDECIDED[:9])]
    results = set()
    for seed in (1, 2):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        done = subprocess.run(
            [sys.executable, "-c", script], input=json.dumps([cases, seed]), env=environment,
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        results.add(done.stdout)
    assert len(results) == 1


# --- numbers ---------------------------------------------------------------------------------------------------------


def test_primes_are_primes() -> None:
    assert [number for number in range(401, 2000, 2) if _is_prime(number)] == list(sympy.primerange(401, 2000))
    for text in ("", "a", "w1*x1"):
        assert sympy.isprime(_prime(text))
        assert _prime(text).bit_length() == 127


def test_a_multiple_of_a_prime_is_not_zero() -> None:
    """Nobody can write a multiple of the prime into the text that the prime hangs on."""
    assert judged(MAZUR, "dE/dw5", f"{RIGHT} + {2**127 - 1}*w5").status == "wrong"
    assert judged(MAZUR, "dE/dw5", f"{RIGHT} + {_prime(RIGHT)}*w5").status == "wrong"


def test_enclosures_decide_or_do_not() -> None:
    numbers = Arithmetic(50)
    third = numbers.divide(numbers.exp(Fraction(1)), Fraction(3))
    assert decided(third, numbers.divide(numbers.exp(Fraction(1)), Fraction(3))) == "equal"
    assert decided(third, Fraction(1)) == "different"
    assert decided(numbers.sin(Fraction(10) ** 1001), Fraction(1, 2)) == "unknown"
    with pytest.raises(Undefined):
        numbers.ln(Fraction(-1))
