"""Activations: rows, NumPy functions, values at points, networks, and what one more row brings."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from cases import Printed, cases, folder
from derive.calculus.intervals import by_intervals
from derive.calculus.limits import Infinite, constant_sign, is_odd, limit, slope_limit
from derive.calculus.rules import by_rules, rational
from derive.calculus.stepwise import stages
from derive.calculus.symbolic import equal, partial
from derive.catalogue import numeric
from derive.catalogue.activations import ACTIVATIONS, ROWS, Activation
from derive.errors import DeriveError, ProblemError
from derive.formula.expression import Expr, Name, Number, replace_names
from derive.formula.grammar import read, write
from derive.problem.file import from_dict
from derive.problem.points import kink_values
from derive.worked import WorkedExample
from witness_activations import PRECISE, PRECISE_VECTORS, of_torch

ROOT = Path(__file__).resolve().parent.parent
SCALAR = [row for row in ROWS if not row.vector]
VECTOR = [row for row in ROWS if row.vector]
EXTREMES = [-1e300, -1e3, -40.0, -1e-300, 0.0, 1e-300, 40.0, 1e3, 1e300]


def example(activation: object, at: object = None, **more: object) -> WorkedExample:
    points = {} if at is None else {"at": at}
    return WorkedExample(from_dict({"kind": "activation", "activation": activation, **points, **more}))


def parameters(row: Activation) -> dict[str, mpf]:
    return {key: mpf(value.value.numerator) / value.value.denominator for key, value in row.parameters}


def bound(row: Activation, text: str) -> Expr:
    return replace_names(read(text), dict(row.parameters))


def off_kinks(row: Activation, points: list[float]) -> list[float]:
    return [z for z in points if all(abs(z - float(at.value)) > 1e-6 for at in kink_values(row))]


def names(row: object) -> str:
    return row.name if isinstance(row, Activation) else ""


# Rows


@pytest.mark.parametrize("row", SCALAR, ids=names)
def test_a_row_is_complete(row: Activation) -> None:
    for text in (row.formula, row.derivative, row.numeric, *(kink.derivative for kink in row.kinks)):
        assert not text or write(read(text)) == text
    assert row.range or row.name == "thresholded-relu"
    assert row.zero_centred == is_odd(bound(row, row.formula))


@pytest.mark.parametrize("row", [row for row in SCALAR if row.range], ids=names)
def test_the_range_holds_all_values_and_its_ends_are_approached(row: Activation) -> None:
    ends = row.ends()
    assert ends is not None
    kinks = [float(at.value) for at in kink_values(row)]
    z = np.concatenate([np.linspace(-12, 12, 4801), [-1e3, -1e2, 1e2, 1e3], kinks])
    values = numeric.value(row, z)
    given = {key: np.float64(value.value) for key, value in row.parameters}
    low, high = (ends.low, ends.has_low, values.min(), 1), (ends.high, ends.has_high, values.max(), -1)
    for end, is_in, found, sign in (low, high):
        if end in ("oo", "-oo"):
            assert abs(found) >= 10 * (0.01 if row.name == "leaky-relu" else 1)
            continue
        wanted = float(numeric.evaluated(read(end.lstrip("~")), given))
        assert sign * (found - wanted) >= -1e-5
        assert abs(found - wanted) < 0.005
        assert is_in or not end.startswith("~")


@pytest.mark.parametrize("row", SCALAR, ids=names)
def test_limits_are_where_the_function_goes(row: Activation) -> None:
    with mpmath.workdps(30):
        ends: list[tuple[Infinite, mpf]] = [("-oo", mpf(-3000)), ("oo", mpf(3000))]
        for at, far in ends:
            found = limit(bound(row, row.numeric or row.formula), at)
            near = PRECISE[row.name](far, parameters(row))
            assert found is not None
            if isinstance(found, str):
                assert near > 1 if found == "oo" else near < -1
            else:
                value = rational(found)
                assert value is not None
                assert abs(near - mpf(value.numerator) / value.denominator) < 1e-3


def test_a_limit_that_sympy_gets_wrong_is_found_out() -> None:
    slope = read("1/(1 + exp(-z)) + z/(1 + exp(-z))*(1 - 1/(1 + exp(-z)))")
    assert limit(slope, "oo") == Number(Fraction(1))


def test_the_sign_of_all_values() -> None:
    assert constant_sign(read("exp(z)")) == "plus"
    assert constant_sign(read("-z^2")) == "minus"
    assert constant_sign(read("z*exp(-z)")) == ""


# A rule at a time


@pytest.mark.parametrize("row", SCALAR, ids=names)
def test_the_last_stage_is_the_derivative(row: Activation) -> None:
    found = stages(read(row.formula), "z")
    assert found[-1].pending == {}
    assert found[0].pending == {"#0": read(row.formula)}
    if len(row.formula) < 60:
        assert equal(found[-1].form, by_rules(read(row.formula), "z"))


def test_the_stages_of_the_sigmoid() -> None:
    assert [(stage.rules, write(stage.form)) for stage in stages(read("1/(1 + exp(-z))"), "z")] == [
        ((), "#0"),
        (("quotient",), "(-#0)/(1 + exp(-z))^2"),
        (("sum",), "(-#0)/(1 + exp(-z))^2"),
        (("chain",), "(-exp(-z)*(-1))/(1 + exp(-z))^2"),
    ]


@pytest.mark.parametrize("row", [row for row in SCALAR if not row.parameters], ids=names)
def test_cases_by_intervals_are_the_same_function(row: Activation) -> None:
    formula = read(row.formula)
    cases = by_intervals(formula, kink_values(row))
    assert (cases != formula) == any(word in row.formula for word in ("max", "min", "abs"))
    z = np.linspace(-8, 8, 641)
    with np.errstate(divide="ignore"):  # z/(1 - z) is not taken where z = 1
        values = numeric.evaluated(cases, {"z": z})
    assert values == pytest.approx(numeric.value(row, z), rel=1e-12, abs=1e-12)
    assert write(read(write(cases))) == write(cases)


def test_hard_silu_by_intervals() -> None:
    row = ACTIVATIONS["hard-silu"]
    assert write(by_intervals(read(row.formula), kink_values(row))) == "0 if z <= -3 else z*(z/6 + 1/2) if z < 3 else z"


# NumPy


def random_points(seed: str, count: int = 60) -> list[float]:
    rng = random.Random(seed)
    near = [rng.uniform(-9, 9) for _ in range(count)]
    return near + [rng.choice((-1, 1)) * 10 ** rng.uniform(-8, 2) for _ in range(count)]


def precise_slope(row: Activation, z: float) -> mpf:
    """The central difference at 60 digits."""
    with mpmath.workdps(60):
        h = mpf(10) ** -22 * max(1, abs(mpf(z)))
        ahead, behind = (PRECISE[row.name](mpf(z) + step, parameters(row)) for step in (h, -h))
        return (ahead - behind) / (2 * h)


@pytest.mark.parametrize("row", SCALAR, ids=names)
def test_numpy_agrees_with_mpmath(row: Activation) -> None:
    points = random_points(row.name) + EXTREMES
    with np.errstate(all="raise", under="ignore"), mpmath.workdps(60):
        values = numeric.value(row, points)
        for z, found in zip(points, values, strict=True):
            wanted = PRECISE[row.name](mpf(z), parameters(row)) if abs(z) < 1e200 else None
            if wanted is not None:
                slope = precise_slope(row, z) if wanted and abs(z) > 1e-200 else 0
                condition = 1 + (abs(z * slope / wanted) if wanted else 0)
                assert abs(mpf(float(found)) - wanted) <= 3e-14 * condition * abs(wanted) + mpf(10) ** -307, z
        smooth = off_kinks(row, [z for z in points if 1e-200 < abs(z) < 1e200])
        for z, found in zip(smooth, numeric.slope(row, smooth), strict=True):
            wanted = precise_slope(row, z)
            assert abs(mpf(float(found)) - wanted) <= 2e-14 * abs(wanted) + mpf(10) ** -16, z


@pytest.mark.parametrize("row", SCALAR, ids=names)
def test_numpy_at_the_ends_of_the_line(row: Activation) -> None:
    """At ±∞ the limits; nowhere a warning or a NaN."""
    z = np.array([-np.inf, *EXTREMES, np.inf])
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        values, slopes = numeric.value(row, z), numeric.slope(row, z)
    assert not np.isnan(values).any()
    assert np.isfinite(slopes).all()
    ends: list[tuple[Infinite, float, float]] = [("-oo", values[0], slopes[0]), ("oo", values[-1], slopes[-1])]
    for at, value, slope in ends:
        for way, found in ((limit, value), (slope_limit, slope)):
            wanted = way(bound(row, row.numeric or row.formula), at)
            assert wanted is not None
            number = float(wanted.replace("oo", "inf")) if isinstance(wanted, str) else rational(wanted)
            assert number is not None
            assert found == pytest.approx(float(number), rel=1e-15)


@pytest.mark.parametrize("row", SCALAR, ids=names)
def test_numpy_agrees_with_torch(row: Activation) -> None:
    torch = pytest.importorskip("torch")
    points = [z for z in random_points(row.name) + EXTREMES if abs(z) < 1e100]
    z = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    given = {key: float(value.value) for key, value in row.parameters}
    out = of_torch(torch)[row.name](z, given)
    out.sum().backward()
    assert numeric.value(row, points) == pytest.approx(out.detach().numpy(), rel=1e-10, abs=1e-15)
    kept = np.isin(points, off_kinks(row, points))
    assert numeric.slope(row, points)[kept] == pytest.approx(z.grad.numpy()[kept], rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("row", SCALAR, ids=names)
def test_numpy_takes_the_slope_of_the_row_at_a_kink(row: Activation) -> None:
    for at, kink in zip(kink_values(row), row.kinks, strict=True):
        given = {key: np.float64(value.value) for key, value in row.parameters}
        taken = float(numeric.evaluated(read(kink.derivative), given))
        assert numeric.slope(row, float(at.value)) == pytest.approx(taken)


@pytest.mark.parametrize("row", SCALAR, ids=names)
def test_a_formula_alone_makes_a_numpy_function(row: Activation) -> None:
    """What a row without functions of its own gets."""
    from dataclasses import replace

    z = np.linspace(-6, 6, 101)
    plain = replace(row, name="another")
    assert numeric.value(plain, z) == pytest.approx(numeric.value(row, z), rel=1e-12, abs=1e-12)
    assert numeric.slope(plain, z) == pytest.approx(numeric.slope(row, z), rel=1e-9, abs=1e-12)


VECTORS = [[1.0, 2.0, 3.0], [0.0, 0.0], [1e3, -1e3, 1e300], [-1e300, 0.0], [40.0, 39.5, -7.25, 0.125]]


@pytest.mark.parametrize("row", VECTOR, ids=names)
@pytest.mark.parametrize("z", VECTORS, ids=str)
def test_vector_functions_agree_with_mpmath_and_torch(row: Activation, z: list[float]) -> None:
    torch = pytest.importorskip("torch")
    with np.errstate(all="raise", under="ignore"):
        outputs, jacobian = numeric.outputs(row, z), numeric.jacobian(row, z)
    if max(map(abs, z)) < 100:
        with mpmath.workdps(40):
            wanted = [float(value) for value in PRECISE_VECTORS[row.name]([mpf(value) for value in z])]
        assert outputs == pytest.approx(wanted, rel=1e-14)
    function = (lambda t: t.max().reshape(1)) if row.name == "maxout" else lambda t: of_torch(torch)[row.name](t, {})
    expected = torch.autograd.functional.jacobian(function, torch.tensor(z, dtype=torch.float64)).numpy()
    if row.name != "maxout" or len(set(z)) == len(z):
        assert jacobian == pytest.approx(expected, rel=1e-12, abs=1e-16)


def test_infinite_net_inputs_of_softmax() -> None:
    softmax, logarithm = ACTIVATIONS["softmax"], ACTIVATIONS["log-softmax"]
    with np.errstate(all="raise", under="ignore"):
        assert numeric.outputs(softmax, [np.inf, 0]).tolist() == [1, 0]
        assert numeric.outputs(softmax, [-np.inf, 0, 0]).tolist() == [0, 0.5, 0.5]
        assert numeric.outputs(logarithm, [np.inf, 0]).tolist() == [0, -np.inf]


# Values at points


@pytest.mark.parametrize("row", SCALAR, ids=names)
def test_30_digits(row: Activation) -> None:
    rng = random.Random(row.name)
    at = [Decimal(rng.randint(-6000, 6000)) / 1000 for _ in range(6)]
    worked = example(row.name, at, rounding={"decimals": 30})
    with mpmath.workdps(50):
        for z in at:
            wanted = PRECISE[row.name](mpf(str(z)), parameters(row))
            assert abs(mpf(worked.shown(f"f({z})") or "nan") - wanted) <= mpf(10) ** -30
            if off_kinks(row, [float(z)]):
                with mpmath.workdps(90):
                    h = mpf(10) ** -25
                    ahead, behind = (PRECISE[row.name](mpf(str(z)) + step, parameters(row)) for step in (h, -h))
                    slope = (ahead - behind) / (2 * h)
                assert abs(mpf(worked.shown(f"f'({z})") or "nan") - slope) <= mpf(10) ** -29


@pytest.mark.parametrize("row", SCALAR, ids=names)
def test_extremes_are_the_nearest_doubles(row: Activation) -> None:
    at = [-1000, Decimal("-1e-300"), 0, Decimal("1e-300"), 1000]
    worked = example(row.name, at)
    with mpmath.workdps(1000):
        for z in at:
            found = worked.value(f"f({z})")
            assert found == pytest.approx(float(PRECISE[row.name](mpf(str(z)), parameters(row))), rel=1e-15, abs=5e-324)


def test_names_of_values_and_slopes() -> None:
    worked = example("sigmoid", [Decimal("0.5"), -3])
    assert list(worked.graph.forward()) == ["f(0.5)", "f'(0.5)", "f(-3)", "f'(-3)"]
    for name in ("f(0.5)", "f(.5)", "f(0.50)", "f( 5e-1 )"):
        assert worked.value(name) == pytest.approx(0.6224593312018546, rel=1e-15)
    assert worked.value("f′(−3)") == pytest.approx(0.045176659730912, rel=1e-12)
    assert worked.value("f(7)") == pytest.approx(0.9990889488055994, rel=1e-15)
    for name in ("f(x)", "f1(0.5)", "f(1,2)", "g(0.5)", "f''(0.5)", "f()"):
        with pytest.raises(DeriveError):
            worked.value(name)


def test_names_of_a_vector_activation() -> None:
    worked = example("softmax", [[1, 2, 3]])
    assert [worked.shown(f"f{i}(1,2,3)") for i in (1, 2, 3)] == ["0.09003", "0.24473", "0.66524"]
    for name in ("df1/dz2(1,2,3)", "∂f1/∂z2(1, 2, 3)", "df1_dz2(1,2,3)"):
        assert worked.value(name) == pytest.approx(-0.0220330445201743, rel=1e-12)
    quantities = worked.json()["quantities"]
    assert len(quantities) == 12
    assert quantities["df2/dz2(1,2,3)"]["formula"].count("exp") == 8
    for name in ("df4/dz1(1,2,3)", "f4(1,2,3)", "f'(1,2,3)"):
        with pytest.raises(DeriveError):
            worked.value(name)
    assert example("softmax", [5, 5]).exact("f1(5,5)") == Fraction(1, 2)
    assert example("maxout", [[1, 2, 2]]).exact("df/dz2(1,2,2)") == 1
    assert example("maxout", [[1, 2, 2]]).exact("df1/dz3(1,2,2)") == 0


def test_json_formulas_can_be_read_again() -> None:
    for row in SCALAR:
        for name, entry in example(row.name, [Decimal("0.5")]).json()["quantities"].items():
            again = from_dict({"kind": "expression", "define": {"v": entry["formula"]}})
            assert WorkedExample(again).value("v") == pytest.approx(entry["value"], rel=1e-13), (row.name, name)


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({}, "activation: missing"),
    ({"activation": "sigmoidd"}, 'did you mean "sigmoid"'),
    ({"activation": "sigmoid", "at": "1"}, "at: "),
    ({"activation": "sigmoid", "at": []}, "at: an empty list"),
    ({"activation": "sigmoid", "at": [[1, 2]]}, "at: a list of rows"),
    ({"activation": "sigmoid", "at": [1, "x"]}, "at[2]: "),
    ({"activation": "softmax", "at": [1]}, "at: a vector of 1"),
    ({"activation": "softmax", "at": [[1, 2], [1]]}, "at[2]: a vector of 1"),
    ({"activation": "softmax", "at": [[0] * 13]}, "at[1]: a vector of 13"),
    ({"activation": "relu", "at": list(range(300))}, "at: 300 points"),
    ({"activation": {"name": "leaky-relu", "beta": 1}}, "activation.beta: unknown parameter"),
    ({"activation": {"name": "maxout", "pieces": Decimal("1.5")}}, "activation.pieces: the number 1.5"),
    ({"activation": "relu", "vary": {"z8": {"choose": [Decimal(1)]}}}, "vary.z8: nothing that is given"),
    ({"activation": {"expression": "z^2", "derivative": "q"}}, "unknown name"),
]


@pytest.mark.parametrize(("data", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_a_broken_file_says_what_is_wrong(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ProblemError) as caught:
        from_dict({"kind": "activation", **data})
    assert message in str(caught.value)


def test_a_wrong_typed_derivative_is_refused() -> None:
    with pytest.raises(DeriveError, match="not proved"):
        example({"expression": "z^2", "derivative": "z"}, [1]).value("f(1)")


# Pages


def test_the_page_of_the_sigmoid() -> None:
    page = example("sigmoid", [Decimal("0.5")]).text()
    for line in (
        "(−(1 + e^(−z))')/(1 + e^(−z))²   [quotient rule]",
        "= a·(1 − a)   [with a = σ(z)]",
        "σ'(0.5) = σ(0.5)·(1 − σ(0.5)) ≈ 0.62246·(1 − 0.62246) ≈ 0.23500",
        "σ'(10) ≈ 0.0000454,   σ'(10)¹⁰ ≈ 3.72·10⁻⁴⁴",
        "σ'(0) = 0.250,   σ'(0)¹⁰ ≈ 9.54·10⁻⁷",
        "interval (0, 1)",
        "no output is negative",
        "+  +   +   +       +       −    −",
        "−  +   +   −       −       +    +",
        "2 of 4, with ten 2 of 1024",
    ):
        assert line in page, line


def test_the_page_of_softmax() -> None:
    page = example("softmax", [[1, 2, 3]]).text()
    for line in ("= a1·(1 − a1)", "= −a1·a2", "= a_i·(1 − a_i)", "−a_i·a_k   for k ≠ i", "≈ 0.66524", "sum to 1"):
        assert line in page, line


def test_one_sided_limits_at_a_kink() -> None:
    page = example("hard-silu").text()
    assert "hardSiLU'(z)  0               −0.5" in page
    assert "hardSiLU'(3) = 1" in page
    step = example("step").text()
    assert "step(z) itself jumps at z = 0" in step
    assert "With these parameters both sides agree: ELU'(0) = 1." in example("elu").text()
    assert "The convention\ntaken here is ELU'(0) = 0.5." in example({"name": "elu", "alpha": Decimal("0.5")}).text()


def test_a_range_that_other_parameters_change_is_not_claimed() -> None:
    assert "interval (−∞, ∞)" in example("leaky-relu").text()
    assert "interval" not in example({"name": "leaky-relu", "alpha": 0}).text()
    assert "interval (−2, ∞)" in example({"name": "elu", "alpha": 2}).text()


@pytest.mark.parametrize("row", ROWS, ids=names)
def test_every_activation_has_its_page_and_its_plot(row: Activation) -> None:
    from derive.pages.render import Look, figure_svg

    worked = example(row.name)
    assert "Derivative" in worked.text(ascii=True)
    assert worked.text(ascii=True).isascii()
    assert "nan" not in (figure_svg(worked) or "nan")
    page = worked.page(Look("latex"))
    assert r"\begin{axis}" in page
    assert r"\usepackage{pgfplots}" in page


@pytest.mark.renderer
def test_katex_reads_every_page() -> None:
    from renderers import github_refuses, katex_check, math_in_markdown

    formulas = [formula for row in ROWS for formula in math_in_markdown(example(row.name).markdown(dialect="github"))]
    assert katex_check(formulas) == []
    assert github_refuses(formulas) == []


@pytest.mark.renderer
@pytest.mark.parametrize("name", ["sigmoid", "selu", "hard-silu", "gelu-tanh", "log-softmax"])
def test_latex_sets_the_page(name: str, tmp_path: Path) -> None:
    from renderers import latex_compiles

    assert latex_compiles(example(name).latex(), tmp_path).complaints == ()


# Networks


def small(activation: object, rows: int = 2) -> dict[str, Any]:
    weights = [[Decimal("0.7"), Decimal("-0.45")], [Decimal("0.31"), Decimal("0.9")], [Decimal("-1.1"), Decimal("0.2")],
               [Decimal("0.05"), Decimal("0.6")]]  # fmt: skip
    return {
        "inputs": [Decimal("0.8"), Decimal("-1.3")],
        "targets": [Decimal("0.4")],
        "layers": [
            {"neurons": 2, "activation": activation, "weights": weights[:rows], "bias": Decimal("0.15")},
            {"neurons": 1, "activation": "linear", "weights": [[Decimal("0.9"), Decimal("-0.6")]]},
        ],
        "update": {"learning_rate": Decimal("0.1"), "steps": 2},
    }


def loss_by_hand(row: Activation, weights: dict[str, mpf]) -> mpf:
    rows = 4 if row.name == "maxout" else 2
    x = (mpf("0.8"), mpf("-1.3"))
    nets = [weights[f"w{2 * k + 1}"] * x[0] + weights[f"w{2 * k + 2}"] * x[1] + weights["b1"] for k in range(rows)]
    given = parameters(row) | {key: weights[f"{key}1"] for key in row.trained}
    if row.name == "maxout":
        outs = [max(nets[:2]), max(nets[2:])]
    else:
        outs = PRECISE_VECTORS[row.name](nets) if row.vector else [PRECISE[row.name](net, given) for net in nets]
    out = weights[f"w{2 * rows + 1}"] * outs[0] + weights[f"w{2 * rows + 2}"] * outs[1]
    return (mpf("0.4") - out) ** 2 / 2


@pytest.mark.parametrize("row", ROWS, ids=names)
def test_every_activation_works_in_a_network(row: Activation) -> None:
    worked = WorkedExample(from_dict(small(row.name, 4 if row.name == "maxout" else 2)))
    with mpmath.workdps(40):
        given = worked.problem.given.items()
        now = {name: mpf(number.value.numerator) / number.value.denominator for name, number in given}
        assert worked.value("E") == pytest.approx(float(loss_by_hand(row, now)), rel=1e-14)
        for name in worked.derivation.updated():
            h = mpf(10) ** -14
            ahead, behind = (loss_by_hand(row, now | {name: now[name] + step}) for step in (h, -h))
            assert worked.value(f"dE/d{name}") == pytest.approx(float((ahead - behind) / (2 * h)), rel=1e-10, abs=1e-15)
    assert worked.value("E@1") is not None
    assert worked.markdown()


def test_the_slope_of_a_parametric_relu_is_trained() -> None:
    data = small("parametric-relu")
    data["layers"].insert(1, {"neurons": 2, "activation": "parametric-relu", "weights": [[1, -1], [-1, -2]]})
    worked = WorkedExample(from_dict(data))
    assert {"alpha1", "alpha2"} <= set(worked.derivation.updated())
    slope = worked.value("dE/dalpha2")
    assert slope is not None
    assert worked.value("alpha2_new") == pytest.approx(0.25 - 0.1 * slope)
    assert worked.value("alpha1@2") != worked.value("alpha1@1")
    data["update"]["frozen"] = ["alpha1"]
    assert WorkedExample(from_dict(data)).value("alpha1@2") == 0.25


def test_only_the_largest_piece_of_a_maxout_neuron_is_trained() -> None:
    worked = WorkedExample(from_dict(small({"name": "maxout", "pieces": 2}, 4)))
    assert worked.exact("net_h1") == max(worked.exact("net_h1_1") or 0, worked.exact("net_h1_2") or 0)
    assert worked.exact("dE/dw3") == 0
    assert worked.exact("dE/dw1") != 0
    with pytest.raises(ProblemError, match=r"4 rows|rows? of 2"):
        from_dict(small({"name": "maxout", "pieces": 2}, 2))


# One row more


NEW_ROW = """
    Activation(
        "bent-identity", "bent_identity", "bent identity", r"\\mathrm{bent}", "bent", "1/2*(sqrt(z^2 + 1) - 1) + z",
        "z/(2*sqrt(z^2 + 1)) + 1", range="(-oo, oo)",
    ),
"""
SCRIPT = """
from derive.calculus.symbolic import prove_activation
from derive.catalogue import numeric
from derive.catalogue.activations import ACTIVATIONS
from derive.pages.render import figure_svg
from derive.problem.file import from_dict, schema
from derive.worked import WorkedExample
row = ACTIVATIONS["bent-identity"]
assert prove_activation(row)
assert abs(float(numeric.value(row, 2.0)) - (5**0.5 - 1) / 2 - 2) < 1e-15
assert abs(float(numeric.slope(row, 2.0)) - 1 / 5**0.5 - 1) < 1e-15
worked = WorkedExample(from_dict({"kind": "activation", "activation": "bent-identity", "at": [2]}))
assert abs(worked.value("f'(2)") - 1 / 5**0.5 - 1) < 1e-15
page = worked.text()
for words in ("bent'(z)", "chain rule", "not zero-centred", "does not saturate", "interval"):
    assert words in page, words
assert "<path" in figure_svg(worked) and "axis" in worked.latex()
layers = [{"neurons": 1, "activation": "bent-identity", "weights": [[0.5]]}]
network = WorkedExample(from_dict({"inputs": [2], "targets": [1], "layers": layers, "update": {"learning_rate": 0.1}}))
assert abs(network.value("dout_o1/dnet_o1") - 1 / (2 * 2**0.5) - 1) < 1e-15
assert "bent" in network.markdown()
expression = WorkedExample(from_dict({"kind": "expression", "given": {"x": 1}, "define": {"f": "bent_identity(x)"}}))
assert abs(expression.value("df/dx") - 1 / (2 * 2**0.5) - 1) < 1e-15
assert "bent-identity" in str(schema())
from click.testing import CliRunner
from derive.cli import cli
assert "bent identity" in CliRunner().invoke(cli, ["activation", "list"]).stdout
print("everything")
"""


def test_one_row_more_gets_everything(tmp_path: Path) -> None:
    """A copy of the package with one row added to the table, and no other change."""
    for part in ("derive", "templates"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    table = tmp_path / "derive" / "catalogue" / "activations.py"
    text = table.read_text(encoding="utf-8")
    assert text.count("ROWS = (\n") == 1
    table.write_text(text.replace("ROWS = (\n", "ROWS = (" + NEW_ROW), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.stdout == "everything\n", done.stderr


# The published case


CASE = "44-keras-activations"
KERAS: dict[str, tuple[str, object]] = {
    "relu": ("relu", "relu"),
    "relu_slope": ("relu", {"name": "leaky-relu", "alpha": Decimal("0.5")}),
    "relu_max": ("relu", "min(5, max(0, z))"),
    "relu_thr": ("relu", {"name": "thresholded-relu", "theta": 5}),
    "relu6": ("relu6", "relu6"),
    "sigmoid": ("sigmoid", "sigmoid"),
    "softplus": ("softplus", "softplus"),
    "softsign": ("softsign", "softsign"),
    "silu": ("sigmoid", "silu"),
    "squareplus": ("three", "squareplus"),
    "log_sigmoid": ("log_sigmoid", "log-sigmoid"),
    "leaky_relu": ("three", {"name": "leaky-relu", "alpha": Decimal("0.2")}),
    "hard_sigmoid": ("three", "hard-sigmoid"),
    "hard_silu": ("hard_silu", "hard-silu"),
    "elu": ("three", "elu"),
    "selu": ("three", "selu"),
    "gelu": ("three", "gelu-tanh"),
    "celu": ("three", "celu"),
    "tanh_shrink": ("three", "tanh-shrink"),
    "softmax": ("three", "softmax"),
    "log_softmax": ("three", "log-softmax"),
    "softmax_layer": ("softmax_layer", "softmax"),
}


def keras() -> Iterator[tuple[Printed, list[Decimal]]]:
    for case in cases("activation"):
        if case.name == CASE:
            for printed in case.printed:
                key = printed.key.rpartition(".")[0]
                yield printed, list(case.inputs["glu" if key == "glu" else KERAS[key][0]])


def ours(printed: Printed, inputs: list[Decimal], activation: object = None) -> Fraction:
    """The value to 20 decimals."""
    key, _, place = printed.key.rpartition(".")
    k = int(place)
    if key == "glu":
        half = len(inputs) // 2
        given = {"a": inputs[k], "b": inputs[half + k]}
        problem = {"kind": "expression", "given": given, "define": {"f": "a*sigmoid(b)"}, "rounding": {"decimals": 20}}
        return Fraction(WorkedExample(from_dict(problem)).shown("f") or "")
    row = activation or KERAS[key][1]
    vector = row in ("softmax", "log-softmax")
    worked = example(row, [inputs] if vector else inputs, rounding={"decimals": 20})
    listed = [name for name in worked.graph.forward() if name.startswith("f") and "'" not in name]
    return Fraction(worked.shown(listed[k]) or "")


@pytest.mark.skipif(folder() is None, reason="the case files are not there")
def test_the_keras_case_reproduces() -> None:
    found = list(keras())
    assert len(found) >= 70
    for printed, inputs in found:
        value = ours(printed, inputs)
        assert float(value) == pytest.approx(printed.computed, rel=1e-13, abs=1e-15), printed.key
        published, digits = Fraction(printed.value), printed.value.as_tuple()
        half = Fraction(Decimal(5).scaleb(int(digits.exponent) - 1))
        if printed.verdict == "exact":
            assert abs(value - published) <= half, printed.key
        elif printed.verdict == "rounded-carry":
            assert float(value) == pytest.approx(float(published), rel=3e-7), printed.key
        else:
            assert abs(value - published) > Fraction(1, 10000), printed.key


@pytest.mark.skipif(folder() is None, reason="the case files are not there")
def test_what_keras_printed_wrongly_is_another_definition() -> None:
    """The hard sigmoid of Keras 2 and the exact GELU stand in the documentation of others."""
    others = {"hard_sigmoid": "hard-sigmoid-keras2", "gelu": "gelu"}
    wrong = [(printed, inputs) for printed, inputs in keras() if printed.verdict == "wrong"]
    assert len(wrong) == 4
    for printed, inputs in wrong:
        value = ours(printed, inputs, others[printed.key.partition(".")[0]])
        assert float(value) == pytest.approx(float(printed.value), rel=3e-7)


def test_the_notes() -> None:
    """ReLU(−3) = 0, ReLU(5) = 5; softmax of 1, 2, 3; leaky ReLU with 0.01 and with 0.1."""
    relu = example("relu", [-3, 5])
    assert [relu.exact("f(-3)"), relu.exact("f(5)")] == [0, 5]
    assert example("leaky-relu", [-3]).exact("f(-3)") == Fraction(-3, 100)
    assert example({"name": "leaky-relu", "alpha": Decimal("0.1")}, [-3]).exact("f(-3)") == Fraction(-3, 10)


def test_the_jacobian_of_every_vector_row_is_sympys() -> None:
    nets = [Name(f"z{i}") for i in (1, 2, 3)]
    for row in VECTOR:
        assert row.vector
        if row.vector.slope is None:
            continue
        outs = [Name(f"a{i}") for i in (1, 2, 3)]
        values = {out.name: row.vector.output(i, nets) for i, out in enumerate(outs)}
        for i in range(3):
            for j in range(3):
                slope = replace_names(row.vector.slope(i, j, outs), values)
                assert equal(slope, partial(values[f"a{i + 1}"], nets[j].name)), (row.name, i, j)
