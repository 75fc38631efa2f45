"""Losses: their derivatives, what cancels, and problem files of the kind "loss"."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import sympy

from derive.calculus.loss_terms import named_terms
from derive.calculus.symbolic import prove_loss, to_sympy
from derive.catalogue.cancellations import CANCELLATIONS
from derive.catalogue.losses import LOSSES, ROWS, Loss
from derive.errors import ProblemError
from derive.formula.expression import Name, replace_names
from derive.formula.grammar import write
from derive.pages.index_notation import IndexNotation
from derive.pages.loss_lessons import written_out
from derive.pages.render import Look
from derive.pages.writers import writer
from derive.problem.file import find, from_dict
from derive.problem.loss import LossSetting
from derive.worked import Options, WorkedExample

D = Decimal


def example(loss: object, predictions: object, targets: object = True, **more: object) -> WorkedExample:
    data: dict[str, Any] = {"kind": "loss", "loss": loss, "predictions": predictions, "targets": targets}
    options = more.pop("options", Options())
    assert isinstance(options, Options)
    return WorkedExample(from_dict(data | more), options)


# -- proofs


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_derivative_is_proved_and_a_wrong_one_refused(row: Loss) -> None:
    assert prove_loss(row)
    if row.derivative:
        assert not prove_loss(replace(row, derivative=f"-({row.derivative})"))
        assert not prove_loss(replace(row, derivative=f"({row.derivative}) + t"))
    for place in range(len(row.edges)):
        edges = [(target, slope if k != place else f"{slope} + 1") for k, (target, slope) in enumerate(row.edges)]
        assert not prove_loss(replace(row, edges=tuple(edges)))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("mean-squared-error", "2*(o - t)"),
        ("huber", "o - t if abs(t - o) <= delta else delta"),
        ("hinge", "-t if t*o < 2 else 0"),
        ("cross-entropy-logits", "exp(o)/sum_i(exp(o_i))"),
        ("root-mean-squared-error", "(o - t)/E"),
        ("multiclass-hinge", "(1 - t)*(1 if o - sum_j(t_j*o_j) + margin > 0 else 0)"),
    ],
)
def test_a_plausible_wrong_derivative_is_refused(name: str, wrong: str) -> None:
    assert not prove_loss(replace(LOSSES[name], derivative=wrong))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_derivative_of_the_whole_loss_with_several_outputs(row: Loss) -> None:
    """The sum of the parts differentiated by SymPy at a point, against the textbook slope."""
    found = named_terms(row, 3)
    if (slope := found.slope(2)) is None:
        return
    whole = found.whole()
    values = {"t1": "1/4", "t2": "1/3", "t3": "5/12", "o1": "1/5", "o2": "3/10", "o3": "7/11"}
    point = {sympy.Symbol(name, real=True): sympy.Rational(value) for name, value in values.items()}
    derived = sympy.diff(to_sympy(whole), sympy.Symbol("o2", real=True)).subs(point)
    stated = to_sympy(replace_names(slope, {"E": whole})).subs(point)
    assert abs(float(derived) - float(stated)) < 1e-12


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("position", [1, 2])
def test_every_line_of_the_softmax_cancellation(size: int, position: int) -> None:
    z = sympy.symbols(f"z1:{size + 1}", real=True)
    t = sympy.symbols(f"t1:{size + 1}", real=True)
    chances = [sympy.exp(one) / sum(map(sympy.exp, z)) for one in z]
    wanted = sympy.diff(-sum(a * sympy.log(b) for a, b in zip(t, chances, strict=True)), z[position - 1])
    put_in: dict[sympy.Basic, sympy.Expr] = {
        sympy.Symbol(f"o{k}", real=True): chance for k, chance in enumerate(chances, 1)
    }
    for k, chance in enumerate(chances, 1):
        put_in[sympy.Symbol(f"do{k}/dz{position}", real=True)] = sympy.diff(chance, z[position - 1])
    lines = written_out(named_terms(LOSSES["cross-entropy"], size), position, f"z{position}")
    assert len(lines) == len(CANCELLATIONS["softmax"])
    for line in lines[:-1]:
        assert sympy.simplify(to_sympy(line).subs(put_in) - wanted) == 0, write(line)
    assert sympy.simplify(to_sympy(lines[-1]).subs(put_in) - wanted) != 0
    sums_to_one = {t[-1]: 1 - sum(t[:-1])}
    assert sympy.simplify((to_sympy(lines[-1]).subs(put_in) - wanted).subs(sums_to_one)) == 0


def test_every_line_of_the_sigmoid_cancellation() -> None:
    z, t = sympy.symbols("z1 t1", real=True)
    chance = 1 / (1 + sympy.exp(-z))
    wanted = sympy.diff(-(t * sympy.log(chance) + (1 - t) * sympy.log(1 - chance)), z)
    put_in = {sympy.Symbol("o1", real=True): chance, sympy.Symbol("do1/dz1", real=True): sympy.diff(chance, z)}
    for line in written_out(named_terms(LOSSES["binary-cross-entropy"], 1), 1, "z1"):
        assert sympy.simplify(to_sympy(line).subs(put_in) - wanted) == 0, write(line)


@pytest.mark.parametrize("name", [row.name for row in ROWS if row.cancels])
def test_what_cancels_equals_the_long_way(name: str) -> None:
    activation = LOSSES[name].cancels
    given = {"predictions": [D("0.3"), D("-1.2"), D("0.7")], "targets": [D("0.2"), D("0.5"), D("0.3")]}
    for loss in (name, {"name": name, "over": "mean"}):
        short = example(loss, activation=activation, **given)
        long = example(loss, activation=activation, options=Options(cancel=False), **given)
        for k in (1, 2, 3):
            assert short.derivation.quantity(f"dE/dz{k}").rule == "cancellation"
            assert long.derivation.quantity(f"dE/dz{k}").rule != "cancellation"
            assert short.value(f"dE/dz{k}") == pytest.approx(long.value(f"dE/dz{k}"), rel=1e-13)


def test_nothing_cancels_where_targets_do_not_sum_to_one() -> None:
    found = example("cross-entropy", [1, 2], [D("0.5"), D("0.6")], activation="softmax")
    assert found.derivation.quantity("dE/dz1").rule == "sum-over-paths"
    assert "taken to sum to 1" not in found.text()


# -- values


def test_the_mean_squared_error_of_the_notes() -> None:
    found = WorkedExample(find("mse-3"))
    assert found.exact("E") == Fraction(1, 100)
    assert [found.exact(f"dE/do{k}") for k in (1, 2, 3)] == [Fraction(-1, 15), Fraction(1, 15), Fraction(-1, 15)]


def test_softmax_with_cross_entropy_gives_outputs_minus_targets() -> None:
    found = example("cross-entropy", [1, 2, 3], [0, 0, 1], activation="softmax")
    assert found.shown("E") == "0.40761"
    assert [found.shown(f"dE/dz{k}") for k in (1, 2, 3)] == ["0.09003", "0.24473", "-0.33476"]
    assert write(found.derivation.quantity("dE/dz3").definition or Name("")) == "o3 - t3"


@pytest.mark.parametrize(
    ("loss", "predictions", "targets", "value", "slopes"),
    [
        ("half-squared-error", [3, 1], [1, 1], "2", ["2", "0"]),
        ("squared-error", [3, 1], [1, 1], "4", ["4", "0"]),
        ("root-mean-squared-error", [1, 2], [3, 4], "2", ["-1/2", "-1/2"]),
        ("mean-absolute-error", [3, 1, 0], [1, 1, 1], "1", ["1/3", "0", "-1/3"]),
        ("mean-absolute-percentage-error", [3, 1], [2, -4], "7/8", ["1/4", "1/8"]),
        ({"name": "huber", "delta": D("0.5")}, [3, D("1.25")], [1, 1], "29/32", ["1/2", "1/4"]),
        ({"name": "huber", "over": "mean"}, [3, 1], [1, 1], "3/4", ["1/2", "0"]),
        ("hinge", [D("0.5"), 2, D("0.5")], [1, 1, -1], "2", ["-1", "0", "1"]),
        ("squared-hinge", [D("0.5"), 2, D("0.5")], [1, 1, -1], "5/2", ["-1", "0", "3"]),
        ("categorical-hinge", [1, 2, 3], 0, "3", ["-1", "0", "1"]),
        ("categorical-hinge", [-1, -2, -3], [1, 0, 0], "2", ["-1", "0", "0"]),
        ({"name": "multiclass-hinge", "margin": 10}, [13, -7, 11], 0, "8", ["-1", "0", "1"]),
        ("multiclass-hinge", [10, -2, 3], [0], "0", ["0", "0", "0"]),
        ("cross-entropy", [1, 0], [1, 0], "0", ["-1", "0"]),
        ("kullback-leibler", [D("0.5"), D("0.5")], [D("0.5"), D("0.5")], "0", ["-1", "-1"]),
        ("binary-cross-entropy", [0, 1], [0, 1], "0", ["1", "-1"]),
        ("binary-cross-entropy-logits", [0], [1], None, ["-1/2"]),
        ("cross-entropy-logits", [4, 4], 1, None, ["1/2", "-1/2"]),
        ("smoothed-cross-entropy-logits", [4, 4], 1, None, ["9/20", "-9/20"]),
        ("log-cosh", [2], [2], "0", ["0"]),
        ("poisson", [1, 2], [3, 0], "3", ["-2", "1"]),
    ],
)
def test_exact_values(loss: object, predictions: object, targets: object, value: str | None, slopes: list[str]) -> None:
    found = example(loss, predictions, targets)
    if value is not None:
        assert found.exact("E") == Fraction(value)
    assert [found.exact(f"dE/do{k}") for k in range(1, len(slopes) + 1)] == [Fraction(slope) for slope in slopes]


def test_the_losses_with_a_logarithm() -> None:
    assert example("binary-cross-entropy-logits", [0], [1]).shown("E") == "0.69315"
    assert example("cross-entropy-logits", [4, 4], 1).shown("E") == "0.69315"
    assert example("cross-entropy", [D("0.7"), D("0.1"), D("0.2")], 0).shown("E") == "0.35667"
    assert example("mean-squared-logarithmic-error", [2, 3], [2, 7]).shown("E") == "0.24023"
    assert example("mean-squared-logarithmic-error", [2, 3], [2, 3]).value("dE/do1") == 0


def test_a_batch_is_averaged_or_added_up() -> None:
    rows, labels = [[D("0.7"), D("0.1"), D("0.2")], [D("0.1"), D("0.5"), D("0.4")]], [0, 1]
    mean, total = (example("cross-entropy", rows, labels, reduction=how) for how in ("mean", "sum"))
    assert mean.shown("E[1]") == "0.35667"
    assert mean.value("E") == pytest.approx((0.35667494393873245 + 0.6931471805599453) / 2)
    assert total.value("dE/do1[1]") == pytest.approx(-1 / 0.7)
    assert mean.value("dE/do1[1]") == pytest.approx(-1 / 1.4)


def test_predictions_at_infinite_loss_are_named() -> None:
    from derive.numbers.exact import Undefined

    with pytest.raises(Undefined, match="E_o1: ln"):
        example("cross-entropy", [0, 1], [1, 0]).value("E")


# -- in networks

NETWORK: dict[str, Any] = {
    "inputs": [[1, 2], [D("0.5"), -1]],
    "layers": [{"neurons": 3, "activation": "linear", "weights": [[D("0.1"), D("0.2")]] * 2 + [[D("-0.3"), 1]]}],
}


def test_a_loss_with_parameters_in_a_network() -> None:
    data = NETWORK | {"targets": [[1, 0, 0], [0, 1, 0]], "loss": {"name": "huber", "delta": D("0.25")}}
    found = WorkedExample(from_dict(data))
    assert found.exact("E_o3[1]") == Fraction(1, 4) * (Fraction(17, 10) - Fraction(1, 8))
    assert found.exact("dE/dout_o3[1]") == Fraction(1, 8)


@pytest.mark.parametrize("name", [row.name for row in ROWS if row.labels and row.outputs == "any"])
def test_labels_in_a_network(name: str) -> None:
    one_hot = WorkedExample(from_dict(NETWORK | {"targets": [[1, 0, 0], [0, 0, 1]], "loss": name}))
    labels = WorkedExample(from_dict(NETWORK | {"targets": [0, 2], "loss": name}))
    assert labels.value("E") == one_hot.value("E")
    assert labels.value("dE/dw1") == one_hot.value("dE/dw1")
    assert "E_o1[1]" not in list(labels.graph.forward())


def test_the_gradient_of_a_whole_loss_goes_through_the_network() -> None:
    """Cross-entropy on the logits of a linear layer is softmax with cross-entropy."""
    logits = WorkedExample(from_dict(NETWORK | {"targets": [0, 2], "loss": "cross-entropy-logits"}))
    layer = NETWORK["layers"][0] | {"activation": "softmax"}
    softmax = WorkedExample(from_dict(NETWORK | {"layers": [layer], "targets": [0, 2], "loss": "cross-entropy"}))
    for name in ("E", "dE/dw1", "dE/dw5", "dE/dnet_o3[2]"):
        assert logits.value(name) == pytest.approx(softmax.value(name), rel=1e-13)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_network_page_states_the_loss(row: Loss) -> None:
    data = NETWORK | {"inputs": [1, 2], "targets": [1, 0, 0] if row.targets != "signs" else [1, -1, 1]}
    data["layers"] = [data["layers"][0] | {"activation": "sigmoid"}]
    if row.name == "mean-absolute-percentage-error":
        data["targets"] = [1, 2, 3]
    page = WorkedExample(from_dict(data | {"loss": row.name})).text()
    assert f"Loss: {row.title.split()[0]}" in page


def test_a_network_with_softmax_and_divergence_has_its_cancellation() -> None:
    data = NETWORK | {"targets": [0, 2], "loss": "kullback-leibler"}
    data["layers"] = [data["layers"][0] | {"activation": "softmax"}]
    assert "a_k·Σ_{i=1..3} t_i − t_k" in WorkedExample(from_dict(data)).text()


# -- pages


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("format", ["text", "markdown", "latex"])
def test_pages(row: Loss, format: str) -> None:
    targets = {"signs": [1, -1]}.get(row.targets, [1, 0] if row.labels else [D("0.2"), D("0.8")])
    for found in (
        example(row.name, 3 if row.whole else 1),
        example(row.name, [D("0.6"), D("0.4")], targets),
        example(row.name, [[D("0.6"), D("0.4")], [D("0.5"), D("0.3")]], [targets, targets]),
    ):
        page = found.page(Look(format))  # type: ignore[arg-type]  # one of the three above
        assert row.title in page
        assert "_new" not in page


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_formula_on_a_page_has_its_factor(row: Loss) -> None:
    formula, factor = IndexNotation(row, 4, writer("text", "github", "net-out")).formula()
    assert ("1/4" in factor) == (row.over == "fixed" and not row.whole)
    assert factor in formula
    if row.over == "sum":
        mean = replace(row, over="mean")
        assert "1/4" in IndexNotation(mean, 4, writer("text", "github", "net-out")).formula()[0]


def test_a_page_derives_the_cancellation_line_by_line() -> None:
    page = WorkedExample(find("softmax-cross-entropy")).text()
    for line in ("o_k·Σ_{i=1..3} t_i − t_k", "o1·(t1 + t2 + t3) − t1", "o3 − t3", "−0.33476"):
        assert line in page


def test_the_json_has_every_quantity() -> None:
    data = WorkedExample(find("softmax-cross-entropy")).json()
    assert data["kind"] == "loss"
    assert {"z1", "t1", "o1", "E_o1", "E", "dE/dz1", "dE/do1", "do1/dz2"} <= data["quantities"].keys()
    assert data["quantities"]["dE/dz1"]["formula"] == "o1 - t1"
    assert data["quantities"]["z1"]["exact"] == "1"


# -- problem files

BROKEN: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "unknown loss": ({"loss": "huger"}, [("loss", 'did you mean "huber"')]),
    "other people's name": ({"loss": "mse"}, [("loss", 'did you mean "mean-squared-error"')]),
    "no loss": ({"loss": None}, [("loss", "missing")]),
    "no predictions": ({"predictions": None}, [("predictions", "missing")]),
    "unknown parameter": ({"loss": {"name": "huber", "delt": 1}}, [("loss.delt", 'did you mean "delta"')]),
    "no parameter": ({"loss": {"name": "hinge", "delta": 1}}, [("loss.delta", "unknown parameter")]),
    "delta of zero": ({"loss": {"name": "huber", "delta": 0}}, [("loss.delta", "the number 0")]),
    "smoothing above one": (
        {"loss": {"name": "smoothed-cross-entropy", "smoothing": 2}}, [("loss.smoothing", "the number 2")]
    ),
    "over of what": ({"loss": {"name": "huber", "over": "max"}}, [("loss.over", '"max"')]),
    "mean of a mean": ({"loss": {"name": "mean-squared-error", "over": "mean"}}, [("loss.over", "unknown parameter")]),
    "nameless table": ({"loss": {"delta": 1}}, [("loss.name", "no name")]),
    "uneven rows": (
        {"predictions": [[1, 2], [3]], "targets": [[1, 2], [3, 4]]}, [("predictions[2]", "a row of 1")]
    ),
    "too few targets": ({"targets": [1]}, [("targets", "a list of 1")]),
    "no probability": (
        {"loss": "cross-entropy", "predictions": [D("0.5"), D("1.5")]}, [("predictions[2]", "the number 1.5")]
    ),
    "not positive": ({"loss": "poisson", "predictions": [1, -1]}, [("predictions[2]", "the number -1")]),
    "no such class": ({"loss": "cross-entropy-logits", "targets": 2}, [("targets[1]", "the label 2")]),
    "no label": ({"loss": "hinge", "targets": [0, 1]}, [("targets", "the target 0")]),
    "no distribution": ({"loss": "cross-entropy-logits", "targets": [1, 1]}, [("targets", "targets that sum to 2")]),
    "unknown activation": ({"activation": "softmaks"}, [("activation", "softmaks")]),
    "unknown key": ({"prediction": [1, 2]}, [("prediction", 'did you mean "predictions"')]),
    "two mistakes": (
        {"predictions": ["a", 2], "reduction": "max"}, [("predictions[1]", '"a"'), ("reduction", "max")]
    ),
    "nothing to vary": (
        {"vary": {"o3": {"choose": [1]}}}, [("vary.o3", "nothing that is given")]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_every_place(name: str) -> None:
    changes, wanted = BROKEN[name]
    data = {"kind": "loss", "loss": "half-squared-error", "predictions": [1, 2], "targets": [1, 1]} | changes
    with pytest.raises(ProblemError) as caught:
        from_dict({key: value for key, value in data.items() if value is not None})
    found = caught.value.mistakes
    assert [mistake.place for mistake in found] == [place for place, _ in wanted]
    for mistake, (_, words) in zip(found, wanted, strict=True):
        assert words in f"{mistake}"


def test_a_network_refuses_what_its_loss_is_not_made_for() -> None:
    with pytest.raises(ProblemError, match="targets -1 and 1"):
        from_dict(NETWORK | {"targets": [[0, 1, 1], [1, 1, 1]], "loss": "hinge"})
    with pytest.raises(ProblemError, match="the label 3"):
        from_dict(NETWORK | {"targets": [0, 3], "loss": "cross-entropy-logits"})


def test_a_file_of_symbols() -> None:
    found = example("mean-squared-error", 2)
    setting = found.problem.body
    assert isinstance(setting, LossSetting)
    assert setting.outputs == 2
    assert found.value("E") is None
    assert "2/2" not in found.text()
