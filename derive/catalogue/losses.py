"""Losses, a row each: adding a row adds its use in networks, its derivation, its page and its tests.

The texts are formulas of the grammar in t (the target), o (the output), n (the number of outputs) and the parameters.
What stands in sum_i(…) is added up over all outputs, with t_i and o_i for their targets and outputs; sum_j(…) is the
same with another letter, largest_i(…) takes the largest.  That the derivative of every row is right is proved by SymPy
in the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from derive.formula.expression import Number, number

Over = Literal["sum", "mean", "fixed"]
Targets = Literal["any", "signs", "sum-to-one"]
Outputs = Literal["any", "probability", "positive", "above-minus-one"]


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss of one sample.

    part        what one output contributes; the loss of the sample is the sum of the parts
    whole       the loss of the sample where it is no sum of such parts (`part` is empty then)
    derivative  ∂E/∂o of one output, E being the name of the loss; empty where SymPy's form is used
    edges       the derivative where the target is the number in front, for outputs at which `derivative` is 0/0
    cancels     the activation (its `function`) with which ∂E/∂net becomes `cancelled`, for softmax only when the
                targets of a sample sum to 1
    over        how the parts are put together; "fixed" where the formula itself says so
    labels      the target may be given as the number of the right class
    targets     which targets the formula is made for; `outputs`: which outputs it is defined for
    """

    name: str
    title: str
    part: str
    derivative: str
    parameters: tuple[tuple[str, Number], ...] = ()
    whole: str = ""
    edges: tuple[tuple[str, str], ...] = ()
    cancels: str = ""
    cancelled: str = "o - t"
    over: Over = "sum"
    labels: bool = False
    targets: Targets = "any"
    outputs: Outputs = "any"

    def with_parameters(self, given: Mapping[str, Number], over: Over | None = None) -> Loss:
        """The row with the values that a problem file gives to its parameters, and how it puts its parts together."""
        chosen = tuple((key, given.get(key, value)) for key, value in self.parameters)
        return replace(self, parameters=chosen, over=over or self.over)


SMOOTHED = "(1 - smoothing)*t + smoothing/n"
SMOOTHED_I = "((1 - smoothing)*t_i + smoothing/n)"
_SMOOTHING = (("smoothing", number("0.1")),)

ROWS = (
    Loss("half-squared-error", "half squared error", "1/2*(t - o)^2", "o - t"),
    Loss("squared-error", "squared error", "(t - o)^2", "2*(o - t)"),
    Loss("mean-squared-error", "mean squared error", "1/n*(t - o)^2", "2/n*(o - t)", over="fixed"),
    Loss(
        "root-mean-squared-error", "root mean squared error", "",
        "(o - t)/(n*E)", whole="sqrt(1/n*sum_i((t_i - o_i)^2))", over="fixed",
    ),
    Loss(
        "mean-absolute-error", "mean absolute error",
        "1/n*abs(t - o)", "1/n if o > t else -1/n if o < t else 0", over="fixed",
    ),
    Loss(
        "mean-absolute-percentage-error", "mean absolute percentage error (as a fraction)",
        "1/n*(abs(t - o)/abs(t))", "1/(n*abs(t)) if o > t else -1/(n*abs(t)) if o < t else 0", over="fixed",
    ),
    Loss(
        "mean-squared-logarithmic-error", "mean squared logarithmic error",
        "1/n*(ln(1 + t) - ln(1 + o))^2", "2/n*(ln(1 + o) - ln(1 + t))/(1 + o)", over="fixed",
        outputs="above-minus-one",
    ),
    Loss(
        "huber", "Huber loss",
        "1/2*(t - o)^2 if abs(t - o) <= delta else delta*(abs(t - o) - 1/2*delta)",
        "o - t if abs(t - o) <= delta else delta if o > t else -delta",
        parameters=(("delta", number("1")),),
    ),
    Loss("log-cosh", "log-cosh loss", "ln((exp(o - t) + exp(t - o))/2)", "tanh(o - t)"),
    Loss(
        "binary-cross-entropy", "binary cross-entropy",
        "-(t*ln(o) + (1 - t)*ln(1 - o))", "(o - t)/(o*(1 - o))",
        edges=(("0", "1/(1 - o)"), ("1", "-1/o")), cancels="sigmoid", outputs="probability",
    ),
    Loss(
        "binary-cross-entropy-logits", "binary cross-entropy on logits",
        "ln(1 + exp(o)) - t*o", "sigmoid(o) - t",
    ),
    Loss(
        "cross-entropy", "cross-entropy", "-t*ln(o)", "-t/o",
        edges=(("0", "0"),), cancels="softmax", labels=True, outputs="probability",
    ),
    Loss(
        "cross-entropy-logits", "cross-entropy on logits", "",
        "exp(o)/sum_i(exp(o_i)) - t", whole="ln(sum_i(exp(o_i))) - sum_i(t_i*o_i)",
        over="fixed", labels=True, targets="sum-to-one",
    ),
    Loss(
        "smoothed-cross-entropy", "cross-entropy with label smoothing",
        f"-({SMOOTHED})*ln(o)", f"-({SMOOTHED})/o",
        parameters=_SMOOTHING, cancels="softmax", cancelled=f"o - ({SMOOTHED})", labels=True, outputs="probability",
    ),
    Loss(
        "smoothed-cross-entropy-logits", "cross-entropy on logits with label smoothing", "",
        f"exp(o)/sum_i(exp(o_i)) - ({SMOOTHED})", whole=f"ln(sum_i(exp(o_i))) - sum_i({SMOOTHED_I}*o_i)",
        parameters=_SMOOTHING, over="fixed", labels=True, targets="sum-to-one",
    ),
    Loss("hinge", "hinge loss", "max(0, 1 - t*o)", "-t if t*o < 1 else 0", targets="signs"),
    Loss("squared-hinge", "squared hinge loss", "max(0, 1 - t*o)^2", "-2*t*max(0, 1 - t*o)", targets="signs"),
    Loss(
        "categorical-hinge", "categorical hinge loss", "", "",
        whole="max(0, 1 + largest_i((1 - t_i)*o_i) - sum_i(t_i*o_i))", over="fixed", labels=True,
    ),
    Loss(
        "multiclass-hinge", "multiclass hinge loss", "",
        "(1 - t)*(1 if o - sum_j(t_j*o_j) + margin > 0 else 0)"
        " - t*sum_i((1 - t_i)*(1 if o_i - sum_j(t_j*o_j) + margin > 0 else 0))",
        parameters=(("margin", number("1")),),
        whole="sum_i((1 - t_i)*max(0, o_i - sum_j(t_j*o_j) + margin))", over="fixed", labels=True,
    ),
    Loss(
        "kullback-leibler", "Kullback-Leibler divergence", "t*ln(t/o)", "-t/o",
        edges=(("0", "0"),), cancels="softmax", labels=True, outputs="probability",
    ),
    Loss("poisson", "Poisson loss", "o - t*ln(o)", "1 - t/o", edges=(("0", "1"),), outputs="positive"),
)  # fmt: skip

LOSSES = {row.name: row for row in ROWS}
