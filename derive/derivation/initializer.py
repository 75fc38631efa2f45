"""An initializer as definitions, and the derivation of its variance as steps."""

from __future__ import annotations

from dataclasses import dataclass

from derive.calculus.moments import Halves, kept_backward, kept_forward, simple, solved
from derive.catalogue.activations import ACTIVATIONS, Activation
from derive.catalogue.initializers import Initializer
from derive.formula.expression import TWO, Call, Expr, Name, Quotient, add, multiply, number
from derive.formula.grammar import read
from derive.problem.initializer import Initialization
from derive.problem.model import Definitions


def initializer_definitions(body: Initialization) -> Definitions:
    """The variance, what follows from it for one weight, and by how much a layer multiplies both second moments."""
    row = body.initializer
    if row.distribution == "constant":
        return Definitions("", (("weight", read(row.value)), ("variance", number(0))), body.leaves)
    given = {key for key, _ in row.parameters}
    defined = [("variance", written_variance(row))]
    if "deviation" not in given:
        defined.append(("deviation", Call("sqrt", (Name("variance"),))))
    if row.distribution == "uniform" and "bound" not in given:
        defined.append(("limit", Call("sqrt", (multiply(number(3), Name("variance")),))))
    kept = kept_share(row)
    for name, fan in (("forward_factor", "fan_in"), ("backward_factor", "fan_out")):
        defined.append((name, multiply(kept, Name(fan), Name("variance"))))
    return Definitions("", tuple(defined), body.leaves)


def written_variance(row: Initializer) -> Expr:
    """The variance with the constants of the activation cleared away; a bound or a deviation stays a name."""
    cleared = tuple((key, value) for key, value in row.parameters if key == "slope")
    return simple(row.variance, cleared) if cleared else read(row.variance)


def activation_of(row: Initializer) -> Activation:
    """The activation that the argument is made for: a slope other than 0 makes ReLU a leaky one."""
    slope = dict(row.parameters).get("slope")
    if slope is not None and slope.value:
        return ACTIVATIONS["leaky-relu"].with_parameters({"alpha": slope})
    return ACTIVATIONS[row.activation]


def kept_share(row: Initializer) -> Expr:
    """How much of a second moment the activation lets through; forward and backward the same, as it has no bends."""
    return kept_backward(activation_of(row)).total


@dataclass(frozen=True, slots=True)
class Argument:
    """The variance, derived.

    forward, backward   E[f(z)²] and E[f'(z)²] of a normal net input, half by half
    keeps_forward       the variance that keeps E[x²] from layer to layer
    keeps_backward      the variance that keeps E[δ²]
    compromise          the variance with the mean of both fans in place of one
    """

    activation: Activation
    forward: Halves
    backward: Halves
    keeps_forward: Expr
    keeps_backward: Expr
    compromise: Expr


def argument(row: Initializer) -> Argument:
    """What SymPy finds for the activation of an initializer."""
    activation = activation_of(row)
    share = kept_share(row)
    mean_fan = Quotient(add(Name("fan_in"), Name("fan_out")), TWO)
    conditions = [multiply(share, fan, Name("variance")) for fan in (Name("fan_in"), Name("fan_out"), mean_fan)]
    found = [solved(condition, "variance") for condition in conditions]
    return Argument(activation, kept_forward(activation), kept_backward(activation), *found)


def wanted_variance(row: Initializer) -> Expr | None:
    """The variance that the condition of a row asks for; None where it asks for nothing."""
    if row.condition == "none":
        return None
    found = argument(row)
    return found.compromise if row.condition == "compromise" else found.keeps_forward
