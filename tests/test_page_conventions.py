from __future__ import annotations

import pytest

import derive
from derive.derivation.chain_rule import derivative_name
from derive.pages.loss_plot import plot_of
from derive.problem.loss import LossSetting

EXPRESSION = """
kind = "expression"
output = "f"
[given]
x = {x}
y = {y}
[define]
f = "{formula}"
"""


def page(formula: str, x: str = "0", y: str = "0") -> str:
    return " ".join(derive.loads(EXPRESSION.format(formula=formula, x=x, y=y)).text().split())


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("max(x, y)", "Where two arguments of max are equal"),
        ("min(x, y)", "Where two arguments of min are equal"),
        ("abs(x) + y", "The slope of |u| is 0 where u = 0."),
        ("log(1 + x*x) + y", "ln is the natural logarithm."),
        ("relu(x) + y", "ReLU has a kink at z = 0; the slope 0 is taken there."),
    ],
)
def test_an_expression_states_the_conventions_of_its_functions(formula: str, said: str) -> None:
    assert said in page(formula)
    assert said not in page("x*y")


@pytest.mark.parametrize(("x", "reason"), [("0", "since 0 = 0"), ("2", "since 2 > 0"), ("-2", "since (−2) < 0")])
def test_the_case_that_holds_is_the_one_that_is_given_as_the_reason(x: str, reason: str) -> None:
    assert reason.replace("(−2)", "−2") in page("abs(x) + y", x).replace("(−2)", "−2")


@pytest.mark.parametrize(
    "name", ["huber", "mse-3", "softmax-cross-entropy", "sigmoid-binary-cross-entropy", "multiclass-hinge"]
)
def test_the_dots_of_a_loss_plot_are_the_numbers_of_its_page(name: str) -> None:
    example = derive.load(name)
    drawn = plot_of(example, "")
    assert drawn is not None
    setting = example.problem.body
    assert isinstance(setting, LossSetting)
    suffix = setting.suffixes()[0]
    first = setting.names(setting.given_letter, suffix)[0]
    root = f"E{suffix}"
    for curve, quantity in zip(drawn.curves, (root, derivative_name(root, first)), strict=True):
        ((x, y),) = curve.dots
        assert x == pytest.approx(float(example.problem.given[first].value))
        assert y == pytest.approx(example.value(quantity), rel=1e-12)
