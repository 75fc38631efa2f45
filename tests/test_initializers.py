"""Initializers: the variance of every row derived and tried, the symmetry of equal weights, files, the command."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from click.testing import CliRunner

from derive.calculus.moments import (
    kept_backward,
    kept_forward,
    solved,
    squared_sum,
    truncated_deviation,
    uniform_variance,
)
from derive.calculus.symbolic import equal
from derive.catalogue.activations import ACTIVATIONS, Activation
from derive.catalogue.initializers import INITIALIZERS, OTHER_NAMES, ROWS, Initializer
from derive.cli import cli
from derive.derivation.evaluate import Enclosed
from derive.derivation.evaluator import Evaluator
from derive.derivation.initializer import wanted_variance, written_variance
from derive.derivation.signal import Draws, one_layer, through
from derive.derivation.symmetry import EQUAL_WEIGHTS, TEXT, pairs
from derive.errors import ProblemError
from derive.formula.expression import Expr, Number, number
from derive.formula.grammar import read
from derive.numbers.rounding import nearest_double
from derive.pages.trials import variance_of
from derive.problem.file import from_dict, loads, new
from derive.problem.initializer import Initialization
from derive.worked import WorkedExample

RANDOM = [row for row in ROWS if row.distribution != "constant"]
NAMES = pytest.mark.parametrize("row", RANDOM, ids=lambda row: row.name)


def value(tree: Expr, **names: float | int | Fraction) -> float:
    exact = {key: Fraction(number) for key, number in names.items()}
    found = nearest_double(Evaluator(Enclosed(40), exact.__getitem__).value(tree))
    assert found is not None
    return found


def worked(name: str, fan_in: int = 784, fan_out: int = 128, **keys: object) -> WorkedExample:
    problem = {"kind": "initializer", "initializer": name, "fan_in": fan_in, "fan_out": fan_out, **keys}
    return WorkedExample(from_dict(problem))


# --- the table -----------------------------------------------------------------------------------------------------


def test_names_are_unique_and_other_names_lead_to_rows() -> None:
    assert len(INITIALIZERS) == len(ROWS)
    assert set(OTHER_NAMES.values()) <= set(INITIALIZERS)
    assert not set(OTHER_NAMES) & set(INITIALIZERS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_says_where_it_is_from(row: Initializer) -> None:
    assert row.source
    assert row.libraries
    assert row.activation in ACTIVATIONS


@NAMES
def test_the_variance_is_what_the_condition_asks_for(row: Initializer) -> None:
    wanted = wanted_variance(row)
    assert (wanted is None) == (row.condition == "none")
    if wanted is not None:
        assert equal(written_variance(row), wanted, positive=("fan_in", "fan_out"))


def test_a_slope_is_part_of_the_condition() -> None:
    row = INITIALIZERS["he-normal"].with_parameters({"slope": number("0.2")})
    wanted = wanted_variance(row)
    assert wanted is not None
    assert equal(wanted, written_variance(row), positive=("fan_in",))
    assert value(written_variance(row), fan_in=100) == pytest.approx(2 / (1.04 * 100))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("xavier-uniform", 2 / 912), ("xavier-normal", 2 / 912), ("he-uniform", 2 / 784), ("he-normal", 2 / 784),
        ("lecun-uniform", 1 / 784), ("lecun-normal", 1 / 784), ("pytorch-linear", 1 / (3 * 784)),
        ("uniform", 0.05**2 / 3), ("normal", 0.05**2),
    ],
)  # fmt: skip
def test_variances_of_784_to_128(name: str, expected: float) -> None:
    assert variance_of(INITIALIZERS[name], 784, 128) == pytest.approx(expected, rel=1e-15)
    assert worked(name).value("variance") == pytest.approx(expected, rel=1e-15)


# --- what SymPy derives ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_square_of_a_sum_keeps_one_term_for_each_input(count: int) -> None:
    found = squared_sum(count)
    assert equal(found.total, read(f"{count}*m*v"))
    assert len(found.terms) == count * (count + 1) // 2
    assert sum(expectation != read("0") for _, expectation in found.terms) == count


@pytest.mark.parametrize(
    "row",
    [ACTIVATIONS["linear"], ACTIVATIONS["relu"], ACTIVATIONS["leaky-relu"].with_parameters({"alpha": number("0.3")})],
    ids=lambda row: row.name,
)
def test_moments_agree_with_numerical_integration(row: Activation) -> None:
    slope = {"linear": 1.0, "relu": 0.0, "leaky-relu": 0.3}[row.name]
    for deviation in (0.5, 2.0):

        def density(z: mpmath.mpf, s: float = deviation) -> mpmath.mpf:
            return mpmath.exp(-(z**2) / (2 * s**2)) / (s * mpmath.sqrt(2 * mpmath.pi))

        squared = mpmath.quad(lambda z: (z if z > 0 else slope * z) ** 2 * density(z), [-mpmath.inf, 0, mpmath.inf])
        slopes = mpmath.quad(lambda z: (1 if z > 0 else slope) ** 2 * density(z), [-mpmath.inf, 0, mpmath.inf])
        forward, backward = kept_forward(row), kept_backward(row)
        assert value(forward.total, s=deviation) == pytest.approx(float(squared), rel=1e-12)
        assert value(backward.total) == pytest.approx(float(slopes), rel=1e-12)
        assert value(forward.below, s=deviation) + value(forward.above, s=deviation) == pytest.approx(float(squared))


def test_the_limit_of_a_uniform_weight() -> None:
    assert equal(uniform_variance(), read("a^2/3"))
    example = worked("xavier-uniform", 10, 20)
    assert example.value("limit") == pytest.approx(math.sqrt(6 / 30), rel=1e-15)


def test_the_one_solution() -> None:
    assert equal(solved(read("1/2*fan_in*v"), "v"), read("2/fan_in"), positive=("fan_in",))


def test_truncation_takes_the_factor_of_keras() -> None:
    """Keras divides by 0.87962566103423978 (keras/src/initializers/random_initializers.py)."""
    assert value(truncated_deviation()) == pytest.approx(0.87962566103423978, rel=1e-15)


# --- the experiment --------------------------------------------------------------------------------------------------


def test_the_stream_is_that_of_pcg64() -> None:
    expected = np.random.Generator(np.random.PCG64(7)).random(5)
    assert list(Draws(7).unit(5)) == list(expected)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_standard_numbers_have_mean_0_and_variance_1(distribution: str) -> None:
    found = Draws(3).standard(distribution, 400, 501)  # type: ignore[arg-type]
    assert found.shape == (400, 501)
    assert abs(found.mean()) < 0.01
    assert found.var() == pytest.approx(1, abs=0.01)
    fourth = {"uniform": 9 / 5, "normal": 3.0}[distribution]
    assert (found**4).mean() == pytest.approx(fourth, rel=0.03)


@NAMES
def test_one_random_layer_has_the_derived_moments(row: Initializer) -> None:
    variance = variance_of(row, 300, 200)
    found = one_layer(row.distribution, variance, 300, 200, 300, 5)
    assert found.weights == pytest.approx(variance, rel=0.03)
    assert found.nets / found.inputs == pytest.approx(300 * variance, rel=0.05)
    assert found.back / found.gradients == pytest.approx(200 * variance, rel=0.05)


@pytest.mark.parametrize(("name", "variance", "factor"), [
    ("relu", 2 / 200, 1.0), ("relu", 1 / 200, 0.5), ("relu", 4 / 200, 2.0), ("linear", 1 / 200, 1.0),
    ("linear", 0.0001, 0.02),
])  # fmt: skip
def test_a_signal_stays_vanishes_or_explodes_as_derived(name: str, variance: float, factor: float) -> None:
    (found,) = through(ACTIVATIONS[name], "normal", (variance,), 200, 8, 200, 11)
    assert len(found) == 9
    assert math.log(found[-1] / found[0]) / 8 == pytest.approx(math.log(factor), abs=0.12)


def test_a_page_is_the_same_every_time() -> None:
    assert worked("he-normal", layers=3, width=50).text() == worked("he-normal", layers=3, width=50).text()
    assert worked("he-normal", layers=3, width=50, seed=2).text() != worked("he-normal", layers=3, width=50).text()


# --- equal weights ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("constant", ["0", "0.5", "-1.25"])
def test_equal_weights_stay_equal_as_trees_and_as_numbers(constant: str) -> None:
    example = WorkedExample(loads(TEXT.replace("{c}", constant)))
    found = pairs(example.derivation)
    assert all(pair.equal for pair in found)
    assert [(pair.first, pair.second) for pair in found if pair.first == "dE/dw1"] == [("dE/dw1", "dE/dw3")]
    for step in (1, 2):
        assert example.exact(f"w1@{step}") == example.exact(f"w3@{step}")
        for first, second in (("w1", "w3"), ("w2", "w4"), ("w5", "w6"), ("out_h1", "out_h2")):
            assert example.value(f"{first}@{step}") == example.value(f"{second}@{step}")
    assert (example.value("w1_new") == 0) == (constant == "0")


@pytest.mark.parametrize("left_out", sorted(EQUAL_WEIGHTS))
def test_weights_that_differ_give_gradients_that_differ(left_out: str) -> None:
    example = WorkedExample(loads(TEXT.replace("{c}", "0.5")))
    equal_but_one = {name: other for name, other in EQUAL_WEIGHTS.items() if name != left_out}
    found = {pair.first: pair.equal for pair in pairs(example.derivation, equal_but_one)}
    assert not found["dE/dw1"]


def test_zeros_do_not_move_the_hidden_layer_in_the_first_update() -> None:
    text = worked("zeros", 2, 2).text()
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if re.match(r"\s*[wb][1-6]\s", line)}
    assert rows["w1"][:2] == ["0.000000", "0.000000"]
    assert rows["w1"] == rows["w3"]
    assert rows["w5"] == rows["w6"]
    assert rows["w5"][1] != "0.000000"


# --- problem files and pages -----------------------------------------------------------------------------------------

WRONG = {
    "no initializer": ("fan_in = 2\nfan_out = 2\n", ["initializer"], "missing"),
    "no sizes": ('initializer = "zeros"\n', ["fan_in", "fan_out"], "missing"),
    "misspelt": ('initializer = "he-nornal"\nfan_in = 2\nfan_out = 2\n', ["initializer"], 'did you mean "he-normal"'),
    "other name": ('initializer = "kaiming"\nfan_in = 2\nfan_out = 2\n', ["initializer"], 'did you mean "he-normal"'),
    "parameter of another": (
        'initializer = {name = "zeros", slope = 1}\nfan_in = 2\nfan_out = 2\n', ["initializer.slope"], "no parameters"),
    "a bound of nothing": (
        'initializer = {name = "uniform", bound = 0}\nfan_in = 2\nfan_out = 2\n', ["initializer.bound"], "above 0"),
    "three at once": (
        'initializer = "zero"\nfan_in = 0\nfan_out = 2.5\n', ["initializer", "fan_in", "fan_out"], "from 1"),
    "a layer too large": (
        'initializer = "zeros"\nfan_in = 100000\nfan_out = 100000\n', ["fan_out"], "at most 4000000"),
    "too much work": (
        'initializer = "zeros"\nfan_in = 2\nfan_out = 2\nwidth = 2000\nlayers = 100\nsamples = 10000\n', ["layers"],
        "at most"),
    "unknown key": ('initializer = "zeros"\nfan_in = 2\nfan_out = 2\nfan = 1\n', ["fan"], "unknown key"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "places", "words"), WRONG.values(), ids=WRONG)
def test_every_mistake_is_reported(text: str, places: list[str], words: str) -> None:
    with pytest.raises(ProblemError) as caught:
        loads('kind = "initializer"\n' + text)
    assert [mistake.place for mistake in caught.value.mistakes] == places
    assert words in str(caught.value)


def test_a_new_problem_file_works() -> None:
    body = loads(new("initializer")).body
    assert isinstance(body, Initialization)
    assert body.initializer.name == "he-normal"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("format", ["text", "markdown", "latex", "json"])
def test_every_initializer_has_a_page(row: Initializer, format: str) -> None:
    result = CliRunner().invoke(
        cli,
        ["initializer", row.name, "--fan-in", "20", "--fan-out", "10", "--layers", "2", "--width", "8",
         "--samples", "5", "--format", format],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "None" not in result.output
    assert len(result.output) > 200


def test_a_row_of_its_own_has_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Initializer("mine", "my initializer", "uniform", "5/fan_out", "none", "here", (("nowhere", "mine"),))
    monkeypatch.setitem(INITIALIZERS, "mine", row)
    body = Initialization(row, 30, 20, samples=5, layers=2, width=8)
    problem = worked("zeros").problem
    example = WorkedExample(type(problem)("Mine", body, body.given(), problem.rounding))
    assert example.exact("variance") == Fraction(1, 4)
    assert "5/n_out" in example.text()


def test_a_slope_on_the_command_line() -> None:
    result = CliRunner().invoke(cli, ["initializer", "he-normal", "--slope", "0.5", "--layers", "1", "--width", "4"])
    assert "LReLU" in result.output
    wrong = CliRunner().invoke(cli, ["initializer", "he-normal", "--slope", "steep"])
    assert wrong.exit_code == 2
    assert "is not a number" in wrong.output


def test_numbers_are_exact_where_they_can_be() -> None:
    assert worked("he-normal", 8, 4).exact("variance") == Fraction(1, 4)
    assert isinstance(worked("constant").problem.given["value"], Number)
