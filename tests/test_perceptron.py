"""The perceptron: its run against an independent one, its proofs checked by themselves, its cycles, its pages."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import Case, cases, folder
from derive.derivation.evaluate import Values
from derive.derivation.perceptron import CHECKPOINT, PerceptronGraph
from derive.errors import DeriveError, ProblemError
from derive.numbers.inequalities import Contradiction, Solution
from derive.pages.perceptron_verdict import common_point
from derive.problem.file import from_dict, loads
from derive.worked import Options, WorkedExample

CORNERS = [[0, 0], [0, 1], [1, 0], [1, 1]]
AND, OR, XOR = [0, 0, 0, 1], [0, 1, 1, 1], [0, 1, 1, 0]


def example(**fields: Any) -> WorkedExample:
    return WorkedExample(from_dict({"kind": "perceptron", **fields}))


def graph(found: WorkedExample) -> PerceptronGraph:
    assert isinstance(found.graph, PerceptronGraph)
    return found.graph


def logic(targets: list[int], **fields: Any) -> WorkedExample:
    return example(inputs=CORNERS, targets=targets, bias=0, **fields)


# --- against another perceptron ------------------------------------------------------------------------------------


def independent(fields: dict[str, Any]) -> tuple[list[float], list[list[float]], bool, int]:
    """Sums, weights after each presentation, whether it converged, epochs: in floats that are exact for eighths."""
    points = np.hstack([np.array(fields["inputs"], float), np.full((len(fields["inputs"]), 1), fields["bias_input"])])
    targets = np.array(fields["targets"], float)
    weights = np.array([*fields["weights"], fields["bias"]], float)
    lower = targets.min() if -1 in targets else 0.0
    sums, after = [], []
    for epoch in range(1, fields["epochs"] + 1):
        mistakes = 0
        for x, y in zip(points, targets, strict=True):
            net = float(weights @ x)
            at_zero = fields["step_at_zero"]
            out = (1.0 if net > 0 else lower) if net else (1.0 + lower - y if at_zero == "mistake" else float(at_zero))
            error = y - out if fields["update"] == "difference" else (y if y != out else 0.0)
            weights = weights + fields["learning_rate"] * error * x
            mistakes += y != out
            sums.append(net)
            after.append(weights.tolist())
            if y != out and fields["order"] == "restart":
                break
        if not mistakes:
            return sums, after, True, epoch
    return sums, after, False, fields["epochs"]


EIGHTHS = st.integers(-16, 16).map(lambda n: n / 8)


@st.composite
def problems(draw: st.DrawFn) -> dict[str, Any]:
    width, count = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    signs = draw(st.booleans())
    labels = [-1, 1] if signs else [0, 1]
    targets = draw(st.lists(st.sampled_from(labels), min_size=count, max_size=count))
    if signs and -1 not in targets:
        targets[0] = -1
    return {
        "inputs": draw(st.lists(st.lists(EIGHTHS, min_size=width, max_size=width), min_size=count, max_size=count)),
        "targets": targets,
        "weights": draw(st.lists(EIGHTHS, min_size=width, max_size=width)),
        "bias": draw(EIGHTHS),
        "bias_input": draw(st.sampled_from([1, -1, 2])),
        "learning_rate": draw(st.sampled_from([1, 0.5, 0.25])),
        "step_at_zero": draw(st.sampled_from([*labels, "mistake", *([0] if signs else [])])),
        "update": draw(st.sampled_from(["difference", "label"])) if signs else "difference",
        "order": draw(st.sampled_from(["cycle", "restart"])),
        "epochs": draw(st.integers(1, 12)),
    }


@settings(max_examples=150)
@given(problems())
def test_a_run_agrees_with_numpy(fields: dict[str, Any]) -> None:
    run = graph(example(**fields)).run
    sums, after, converged, epochs = independent(fields)
    places = range(1, run.presentations + 1)
    assert [float(run.presentation(place).net) for place in places] == sums
    assert [list(map(float, run.weights(place))) for place in places] == after
    assert (run.converged, run.epochs) == (converged, epochs)


@settings(max_examples=40)
@given(problems(), st.sampled_from(["full", "displayed"]))
def test_the_definitions_give_what_the_run_found(fields: dict[str, Any], carry: str) -> None:
    found = example(**fields, rounding={"decimals": 1, "carry": carry})
    run = graph(found).run
    for place in range(1, run.presentations + 1):
        one = run.presentation(place)
        names = (f"net[{place}]", f"out[{place}]", *(f"{name}[{place}]" for name in ("w1", "b")))
        assert [found.exact(name) for name in names] == [one.net, one.out, one.weights[0], one.weights[-1]]
    assert found.exact("converged") == run.converged
    assert found.exact("epochs") == run.epochs


def test_values_that_are_found_from_a_checkpoint_are_those_of_the_whole_chain() -> None:
    found = logic(XOR, epochs=CHECKPOINT // 4 + 5, learning_rate=Decimal("0.3"))
    given_numbers = {name: number.value for name, number in found.problem.given.items()}
    last = graph(found).run.presentations
    whole = Values(found.derivation, given_numbers, found.problem.rounding)
    assert f"w1[{CHECKPOINT}]" in found.values.given
    assert whole.exact(f"w1[{last}]") == found.exact(f"w1[{last}]") == graph(found).run.weights(last)[0]


# --- separable or not ----------------------------------------------------------------------------------------------


def outputs(found: WorkedExample, weights: tuple[Fraction, ...]) -> list[Fraction]:
    """The output for each point with these weights, from the file's own words."""
    shape, numbers = graph(found).perceptron, found.problem.given
    result = []
    for point in range(1, shape.samples + 1):
        x = [*(numbers[shape.of_point(name, point)].value for name in shape.inputs), shape.bias_input.value]
        net = sum(a * b for a, b in zip(weights, x, strict=False))
        zero = shape.at_zero
        result.append(Fraction(shape.labels[net > 0]) if net else Fraction(2 if zero is None else zero))
    return result


def targets_of(found: WorkedExample) -> list[Fraction]:
    shape = graph(found).perceptron
    assert shape.target is not None
    return [found.problem.given[shape.of_point(shape.target, point)].value for point in range(1, shape.samples + 1)]


@settings(max_examples=200)
@given(problems())
def test_what_is_said_about_separability_is_proved(fields: dict[str, Any]) -> None:
    found = example(**fields)
    separation = graph(found).separation
    assert separation is not None
    if isinstance(separation.verdict, Solution):
        assert outputs(found, separation.verdict.values) == targets_of(found)
        return
    assert not graph(found).run.converged
    multipliers = separation.verdict.multipliers
    for column in range(len(separation.rows[0])):
        assert sum(times * separation.rows[place][column] for place, times in multipliers.items()) == 0
    assert any(separation.strict[place] for place in multipliers)
    shape, labels = graph(found).perceptron, targets_of(found)
    for place, times in multipliers.items():
        assert times > 0
        sign = 1 if labels[place] == shape.labels[1] else -1
        own = tuple(Fraction(x) * sign for x in (*fields["inputs"][place], fields["bias_input"]))
        assert own == separation.rows[place]


@settings(max_examples=100)
@given(st.data(), st.integers(2, 4))
def test_points_on_two_sides_of_a_plane_are_separated_by_the_line_found(data: st.DataObject, width: int) -> None:
    normal = data.draw(st.lists(st.integers(-4, 4), min_size=width, max_size=width).filter(any))
    whole = st.lists(st.integers(-4, 4), min_size=width, max_size=width)
    points = data.draw(st.lists(whole.filter(lambda x: np.dot(x, normal) != 1), min_size=2, max_size=8))
    targets = [int(np.dot(x, normal) > 1) for x in points]
    found = example(inputs=points, targets=targets, bias=0, epochs=2000)
    run = graph(found).run
    assert isinstance(graph(found).separation.verdict, Solution)  # type: ignore[union-attr]  # few points
    assert run.converged
    assert outputs(found, run.weights(run.presentations)) == targets


@settings(max_examples=60)
@given(st.data(), st.integers(2, 4))
def test_a_point_among_those_of_the_other_class_makes_it_inseparable(data: st.DataObject, width: int) -> None:
    whole = st.lists(st.integers(-4, 4), min_size=width, max_size=width)
    around = data.draw(st.lists(whole, min_size=2, max_size=6))
    shares = data.draw(st.lists(st.integers(1, 3), min_size=len(around), max_size=len(around)))
    mixed = [Fraction(sum(n * x[i] for n, x in zip(shares, around, strict=True)), sum(shares)) for i in range(width)]
    found = example(inputs=[*around, mixed], targets=[1] * len(around) + [0], bias=0, epochs=5)
    separation = graph(found).separation
    assert separation is not None
    assert isinstance(separation.verdict, Contradiction)
    assert not graph(found).run.converged
    common = common_point(graph(found))
    assert common is not None
    assert set(common.lower) == {len(around) + 1}
    assert common.place == tuple(mixed)
    assert sum(common.upper.values()) == sum(common.lower.values()) == 1


def test_without_a_bias_the_origin_decides() -> None:
    points = {"inputs": [[0, 0], [1, 1]], "targets": [0, 1], "epochs": 3}
    inseparable = graph(example(**points)).separation
    assert inseparable is not None
    assert inseparable.verdict == Contradiction({0: 1})
    assert graph(example(**points, step_at_zero=0)).run.converged
    assert common_point(graph(example(**points))) is None


# --- cycles --------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(problems(), st.integers(2, 30))
def test_a_cycle_comes_back(fields: dict[str, Any], epochs: int) -> None:
    run = graph(example(**(fields | {"epochs": epochs}))).run
    cycle = run.cycle
    if cycle is None:
        return
    longer = graph(example(**(fields | {"epochs": cycle.first + 2 * cycle.period}))).run
    assert not longer.converged

    def before(epoch: int) -> tuple[Fraction, ...]:
        return longer.weights(longer.of_epoch(epoch).start - 1)

    starts = [before(epoch) for epoch in range(1, cycle.first + cycle.period + 1)]
    assert starts[-1] == starts[cycle.first - 1]
    assert len(set(starts[:-1])) == len(starts) - 1
    assert before(cycle.first + 2 * cycle.period) == starts[-1]


@pytest.mark.parametrize("rate", [1, 0.5, 0.1])
def test_xor_runs_in_a_cycle_whatever_the_learning_rate(rate: float) -> None:
    found = graph(logic(XOR, learning_rate=rate, epochs=2))
    assert found.run.cycle is not None
    assert (found.run.cycle.first, found.run.cycle.period) == (3, 1)
    assert found.separation is not None
    assert found.separation.verdict == Contradiction({0: 1, 1: 1, 2: 1, 3: 1})


def test_a_run_that_was_stopped_too_early_says_when_it_would_converge() -> None:
    whole = graph(logic(AND)).run
    early = graph(logic(AND, epochs=2)).run
    assert whole.converged
    assert not early.converged
    assert early.cycle is None
    assert early.converges_in == whole.epochs == 6
    assert "epoch 6 is the first without a mistake" in logic(AND, epochs=2).text().replace("\n", " ")


# --- conventions ---------------------------------------------------------------------------------------------------


def test_the_label_update_is_half_of_the_difference() -> None:
    fields = {"inputs": [[1, 2]], "targets": [-1], "bias": 0, "learning_rate": 0.5, "epochs": 1}
    assert [example(**fields).exact(name) for name in ("w1[1]", "w2[1]", "b[1]")] == [
        Fraction(-1, 2), -1, Fraction(-1, 2),
    ]  # fmt: skip
    twice = example(**fields, update="difference")
    assert [twice.exact(name) for name in ("w1[1]", "w2[1]", "b[1]")] == [-1, -2, -1]


@pytest.mark.parametrize(
    ("at_zero", "target", "out", "weight"),
    [(1, 1, 1, 0), (1, -1, 1, -1), (-1, 1, -1, 1), ("mistake", 1, -1, 1), ("mistake", -1, 1, -1), (0, 1, 0, 1)],
)
def test_the_output_at_zero(at_zero: int | str, target: int, out: int, weight: int) -> None:
    found = example(inputs=[[1], [2]], targets=[target, -target], step_at_zero=at_zero, epochs=1)
    assert found.exact("net[1]") == 0
    assert found.exact("out[1]") == out
    assert found.exact("w1[1]") == weight


def test_the_sign_function_moves_half_at_zero() -> None:
    found = example(inputs=[[1], [1]], targets=[1, -1], step_at_zero=0, update="difference", epochs=1)
    assert [found.exact(f"w1[{i}]") for i in (1, 2)] == [1, -1]


def test_a_bias_on_the_input_minus_one_is_a_threshold() -> None:
    names = {"bias_name": "theta", "weight_names": ["u", "v"], "input_names": ["p", "q"]}
    found = logic(OR, bias_input=-1, learning_rate=0.5, **names)
    assert found.exact("theta[1]") == Fraction(1, 2)
    assert found.json()["quantities"]["net[2]"]["formula"] == "u[1]*p[2] + v[1]*q[2] + theta[1]*(-1)"


def test_names_and_formulas_in_json() -> None:
    data = logic(AND).json()
    assert list(data["quantities"])[-2:] == ["converged", "epochs"]
    assert data["quantities"]["out[1]"]["formula"] == "1 if net[1] >= 0 else 0"
    assert data["quantities"]["out[1]"]["shown"] == "1"
    assert data["quantities"]["b[1]"] == {
        "value": -1.0, "exact": "-1", "shown": "-1", "formula": "b + eta*(y[1] - out[1])",
        "latex": r"b + \eta \cdot \left(y^{(1)} - \mathrm{out}^{(1)}\right)",
    }  # fmt: skip
    assert not any("/d" in name for name in data["quantities"])
    assert [step["target"] for step in data["steps"]][:5] == ["net[1]", "out[1]", "w1[1]", "w2[1]", "b[1]"]


@pytest.mark.parametrize("name", ["net[0]", "net[25]", "w3[1]", "x1[5]", "dE/dw1", "net", "w1@3", "w1_new"])
def test_what_is_no_quantity(name: str) -> None:
    with pytest.raises(DeriveError):
        logic(AND).exact(name)


# --- sizes ---------------------------------------------------------------------------------------------------------


def test_a_thousand_epochs_of_a_hundred_points_make_a_short_page() -> None:
    rng = np.random.default_rng(3)
    points = rng.integers(-300, 300, (100, 3)) / 100
    found = example(
        inputs=points.tolist(), targets=rng.integers(0, 2, 100).tolist(), bias=0, epochs=1000, learning_rate=0.1
    )
    page = found.text()
    quantities = found.json()["quantities"]
    assert graph(found).run.presentations == 100_000
    assert found.exact("w1[77777]") == graph(found).run.weights(77777)[0]
    assert len(page) < 20_000
    assert "Epochs 4 to " in page
    assert page.count("\nEpoch ") < 8
    assert len(quantities) < 4000


# --- pages ---------------------------------------------------------------------------------------------------------


def test_the_page_of_xor_has_the_proof_and_the_cycle() -> None:
    page = logic(XOR).text()
    assert "0 = 1·(−b) + 1·(w2 + b) + 1·(w1 + b) + 1·(−w1 − w2 − b)\n      > 0" in page
    flat = page.replace("\n", " ")
    assert "(0.5, 0.5) lies between points of both classes" in flat
    assert "The weights before epoch 3 come back before epoch 4." in flat


def test_the_page_of_and_has_a_table_an_epoch_and_the_line() -> None:
    page = logic(AND).text()
    for epoch in range(1, 7):
        assert f"Epoch {epoch}\n" in page
    assert "Epoch 6 makes no mistake: the perceptron has converged after 6 epochs" in page
    assert "    0 = 2·x1 + x2 − 3\n\n    x2 = −2·x1 + 3\n" in page
    rows = [line.split() for line in page.splitlines()]
    assert "1 1 0 0 0 0 1 −1 0 0 −1 0 0 −1".split() in rows
    assert "4 4 1 1 1 −1 0 1 1 1 1 1 1 0".split() in rows


def test_separable_points_that_did_not_converge_say_so() -> None:
    page = " ".join(logic(AND, epochs=1).text().split())
    assert "the perceptron has not converged" in page
    assert "The points can be separated" in page
    assert "proof" not in page


def test_a_decision_needs_no_target() -> None:
    found = example(inputs=[1, 1], weights=[0.6, 0.5], bias=-0.7)
    assert [found.exact(name) for name in ("net[1]", "out[1]")] == [Fraction(2, 5), Fraction(1)]
    page = found.text()
    assert "net[1] = w1·x1 + w2·x2 + b = 0.6·1 + 0.5·1 + (−0.7) = 0.4" in page
    assert "Epoch" not in page
    with pytest.raises(DeriveError):
        found.exact("converged")


def test_asked_quantities_have_their_lines_only() -> None:
    found = WorkedExample(logic(AND).problem, Options(only=("w2[4]",)))
    assert found.text().splitlines()[3:6] == [
        "w2[4]", "", "    w2[4] = w2[3] + η·(y[4] - out[4])·x2[4] = 0 + 1·(1 − 0)·1 = 1".replace(" - ", " − "),
    ]  # fmt: skip


@settings(max_examples=12)
@given(problems())
def test_every_page_can_be_written(fields: dict[str, Any]) -> None:
    found = example(**fields)
    for page in (found.text(ascii=True), found.markdown(), found.latex()):
        assert page.strip()
    assert found.text(ascii=True).isascii()


@pytest.mark.parametrize("points", [CORNERS, [[0], [1], [2], [3]]])
def test_the_picture_has_a_mark_for_each_point_and_the_line(points: list[list[int]]) -> None:
    from derive.pages.render import figure_svg

    found = example(inputs=points, targets=AND, bias=0)
    picture = figure_svg(found)
    assert picture is not None
    assert picture.count("<circle") == len(points) + 2
    assert picture.count('stroke-width="2"') == 1
    assert "<polygon" in picture
    inseparable = figure_svg(example(inputs=points, targets=XOR, bias=0))
    assert inseparable is not None
    assert "<polygon" not in inseparable
    assert 'stroke-dasharray="6 4"' in inseparable


def test_more_than_two_inputs_have_no_picture() -> None:
    from derive.pages.render import figure_svg

    assert figure_svg(example(inputs=[[1, 2, 3], [3, 2, 1]], targets=[0, 1])) is None


# --- broken files --------------------------------------------------------------------------------------------------

GOOD = """
kind = "perceptron"
inputs = [[0, 0], [0, 1], [1, 0], [1, 1]]
targets = [0, 0, 0, 1]
weights = [0, 0]
bias = 0
"""

BROKEN: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "no inputs": ("inputs = [[0, 0], [0, 1], [1, 0], [1, 1]]", "", [("inputs", "missing")]),
    "a short row": ("[0, 1], [1, 0]", "[0], [1, 0]", [("inputs[2]", "a row of 1")]),
    "a text": ("[0, 1], [1, 0]", '[0, "a"], [1, 0]', [("inputs[2][2]", "the text")]),
    "a target too few": ("[0, 0, 0, 1]", "[0, 0, 1]", [("targets", "4, one for each point")]),
    "a target that is none": ("[0, 0, 0, 1]", "[0, 0, 2, 1]", [("targets[3]", "0 and 1, or -1 and 1")]),
    "both kinds of targets": ("[0, 0, 0, 1]", "[-1, 0, -1, 1]", [("targets[2]", "as the other targets")]),
    "no list of targets": ("[0, 0, 0, 1]", "1", [("targets", "the number 1")]),
    "a weight too many": ("weights = [0, 0]", "weights = [0, 0, 0]", [("weights", "2, one for each input")]),
    "no learning rate": ("bias = 0", "bias = 0\nlearning_rate = 0", [("learning_rate", "above 0")]),
    "half an epoch": ("bias = 0", "bias = 0\nepochs = 0.5", [("epochs", "0.5")]),
    "too long": ("bias = 0", "bias = 0\nepochs = 1000000", [("epochs", "at most 1000000 presentations")]),
    "an odd output at zero": ("bias = 0", "bias = 0\nstep_at_zero = 2", [("step_at_zero", "2")]),
    "half at zero": ("bias = 0", "bias = 0\nstep_at_zero = 0.5", [("step_at_zero", "0.5")]),
    "minus one at zero": ("bias = 0", "bias = 0\nstep_at_zero = -1", [("step_at_zero", "-1")]),
    "a misspelt output": ("bias = 0", 'bias = 0\nstep_at_zero = "mistakes"', [("step_at_zero", 'mean "mistake"')]),
    "a label update": ("bias = 0", 'bias = 0\nupdate = "label"', [("update", "-1 and 1")]),
    "a misspelt update": ("bias = 0", 'bias = 0\nupdate = "labels"', [("update", 'mean "label"')]),
    "a misspelt order": ("bias = 0", 'bias = 0\norder = "cycles"', [("order", 'mean "cycle"')]),
    "no bias": ("bias = 0", "bias_input = -1", [("bias_input", "without a bias")]),
    "a bias of nothing": ("bias = 0", "bias = 0\nbias_input = 0", [("bias_input", "other than 0")]),
    "a name twice": ("bias = 0", 'bias = 0\nbias_name = "w1"', [("bias_name", "weight_names[1] has too")]),
    "a name of a column": ("bias = 0", 'bias = 0\ninput_names = ["net", "x"]', [("input_names[1]", "kept")]),
    "too few names": ("bias = 0", 'bias = 0\ninput_names = ["x"]', [("input_names", "a list of 1")]),
    "nothing to learn": (
        "targets = [0, 0, 0, 1]", "epochs = 3\norder = \"cycle\"",
        [("epochs", "without targets"), ("order", "without targets")],
    ),
    "an unknown key": ("bias = 0", "bias = 0\nactivation = 1", [("activation", "unknown key")]),
    "two mistakes": ("bias = 0", 'bias = "a"\nepochs = 0', [("bias", "the text"), ("epochs", "the number 0")]),
    "a wrong range": ("bias = 0", "bias = 0\n[vary]\nw3 = {choose = [1]}", [("vary.w3", "nothing that is given")]),
}  # fmt: skip


def test_the_file_that_is_broken_below_is_right() -> None:
    assert loads(GOOD).kind == "perceptron"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_every_mistake(name: str) -> None:
    old, new, wanted = BROKEN[name]
    assert old in GOOD
    with pytest.raises(ProblemError) as refused:
        loads(GOOD.replace(old, new, 1))
    found = [(mistake.place, str(mistake)) for mistake in refused.value.mistakes]
    assert [place for place, _ in found] == [place for place, _ in wanted]
    for (_, text), (_, words) in zip(found, wanted, strict=True):
        assert words in text


# --- published cases -----------------------------------------------------------------------------------------------

needs_cases = pytest.mark.skipif(folder() is None, reason="the case files are not there")


def published(name: str) -> Case:
    return next(case for case in cases("perceptron") if case.name == name)


def compare(case: Case, values: dict[str, Fraction]) -> None:
    """Every number of the case, each to the place that it is printed to, and none left out."""
    assert set(values) == {printed.key for printed in case.printed}
    for printed in case.printed:
        assert abs(values[printed.key] - Fraction(printed.value)) <= printed.half_unit, printed.key


def exact(found: WorkedExample, name: str) -> Fraction:
    value = found.exact(name)
    assert value is not None
    return value


@needs_cases
def test_cornell() -> None:
    """Rows of inputs with a constant −1 before the target; weights after every presentation."""
    case = published("28-cornell-or")
    rows = case.inputs["data"]
    *weights, bias = case.inputs["start"]
    found = example(
        inputs=[row[:-2] for row in rows], targets=[row[-1] for row in rows], bias_input=rows[0][-2], bias=bias,
        weights=weights, learning_rate=case.inputs["learning_rate"], step_at_zero=1,
    )  # fmt: skip
    names = {"dot.{}": "net[{}]", "out.{}": "out[{}]", "w.{}.0": "w1[{}]", "w.{}.1": "w2[{}]", "w.{}.2": "b[{}]"}
    compare(case, {key.format(i): exact(found, name.format(i + 1)) for i in range(6) for key, name in names.items()})


@needs_cases
def test_li_hang() -> None:
    """One entry for each update: the point, the weights and the bias after it."""
    case = published("30-lihang")
    rows = case.inputs["data"]
    found = example(
        inputs=[row[:-1] for row in rows], targets=[row[-1] for row in rows], bias=0, order="restart",
        step_at_zero="mistake", learning_rate=case.inputs["learning_rate"],
    )  # fmt: skip
    run = graph(found).run
    updates = [place for place in range(1, run.presentations + 1) if run.presentation(place).mistake]
    values: dict[str, Fraction] = {}
    for index, place in enumerate(updates):
        values[f"point.{index}"] = Fraction(run.point(place))
        values |= {f"w.{index}.0": exact(found, f"w1[{place}]"), f"w.{index}.1": exact(found, f"w2[{place}]")}
        values[f"b.{index}"] = exact(found, f"b[{place}]")
    compare(case, values)
    assert run.converged


def in_every_order(rows: list[list[Any]], rate: Any) -> Iterator[WorkedExample]:
    """Runs from zero on a constant input 1, then the inputs, then the target."""
    for order in permutations(rows):
        yield example(
            inputs=[row[1:-1] for row in order], targets=[row[-1] for row in order], bias=0, step_at_zero=0,
            learning_rate=rate, epochs=30,
        )  # fmt: skip


def predictions(rows: list[list[Any]], weights: tuple[str, str, str]) -> list[int]:
    bias, *others = map(Decimal, weights)
    found = example(inputs=[row[1:-1] for row in rows], weights=others, bias=bias, step_at_zero=0)
    return [int(exact(found, f"out[{i}]")) for i in range(1, len(rows) + 1)]


def scores(outs: list[int], targets: list[int]) -> dict[str, Fraction]:
    both = sum(a and b for a, b in zip(outs, targets, strict=True))
    wrong = sum(a != b for a, b in zip(outs, targets, strict=True))
    return {
        "meanerr": Fraction(wrong, len(outs)),
        "recall": Fraction(both, sum(targets)),
        "f1": Fraction(2 * both, sum(outs) + sum(targets)),
    }


def visited(found: WorkedExample) -> set[tuple[Fraction, ...]]:
    """The weights (bias first) in the cycle of a run."""
    run = graph(found).run
    assert run.cycle is not None
    assert run.cycle.first + run.cycle.period <= run.epochs
    epochs = range(run.cycle.first, run.cycle.first + run.cycle.period)
    states = (run.weights(place) for epoch in epochs for place in run.of_epoch(epoch))
    return {(state[-1], *state[:-1]) for state in states}


@needs_cases
def test_boone() -> None:
    """OR is learned in some order, XOR in none; predictions for the printed weights."""
    case = published("33-cboone-xor")
    rows_or, rows_xor, rate = case.inputs["or_data"], case.inputs["xor_data"], case.inputs["learning_rate"]
    texts = {printed.key: printed.text for printed in case.printed}
    learned = tuple(Fraction(texts[f"or_w.{i}"]) for i in range(3))
    after_six = {graph(found).run.weights(6) for found in in_every_order(rows_or, rate)}
    assert (*learned[1:], learned[0]) in after_six
    values = {f"or_w.{i}": weight for i, weight in enumerate(learned)}
    outs = predictions(rows_or, (texts["or_w.0"], texts["or_w.1"], texts["or_w.2"]))
    values |= {f"or_pred.{i}": Fraction(out) for i, out in enumerate(outs)}
    runs = list(in_every_order(rows_xor, rate))
    for letter, weights in (("a", ("0.1", "0.0", "0.1")), ("b", ("0.0", "0.1", "0.0"))):
        outs = predictions(rows_xor, weights)
        values |= {f"xor_pred_{letter}.{i}": Fraction(out) for i, out in enumerate(outs)}
        found = scores(outs, [row[-1] for row in rows_xor])
        values |= {key: found[name] for name in found if (key := f"xor_{name}_{letter}") in texts}
        reached = any(tuple(map(Fraction, weights)) in visited(run) for run in runs)
        values[f"xor_reachable_{letter}"] = Fraction(reached)
    never = all(run.exact("converged") == 0 and graph(run).run.cycle is not None for run in runs)
    values["xor_never_converges"] = Fraction(never)
    compare(case, values)
