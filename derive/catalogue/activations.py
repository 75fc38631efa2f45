"""Activations, a row each: adding a row adds its use in networks, its derivation, its pages and its tests.

`formula` and `derivative` are texts of the grammar in z (the net input), a (the output f(z)) and the parameters.
`derivative` is the textbook form; that it equals SymPy's derivative of `formula` is proved in the tests, for every row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from derive.formula.expression import (
    ONE,
    Call,
    Expr,
    Name,
    Negative,
    Number,
    Quotient,
    add,
    multiply,
    number,
    subtract,
)


@dataclass(frozen=True, slots=True)
class Kink:
    """A point where the derivative jumps, and the value that is taken there (both texts in the parameters)."""

    at: str
    derivative: str


@dataclass(frozen=True, slots=True)
class Vector:
    """An activation of several net inputs at once.

    output   a_i from i (counted from 0) and all net inputs
    slope    ∂a_i/∂z_j from i, j and all outputs, in textbook form; None leaves it to SymPy
    single   there is one output, whatever the number of net inputs (maxout)
    """

    output: Callable[[int, Sequence[Expr]], Expr]
    slope: Callable[[int, int, Sequence[Name]], Expr] | None = None
    single: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """All values that an activation takes; the ends are texts in the parameters, "oo" for no end.

    An end with ~ in front has no short exact form and is rounded.
    """

    low: str
    high: str
    has_low: bool
    has_high: bool


@dataclass(frozen=True, slots=True)
class Activation:
    """One activation f.

    name          as in problem files ("leaky-relu")
    function      as in formulas ("leaky_relu"); a call is function(z, parameter, …)
    latex         its short symbol in LaTeX, `text` the same in plain text ("σ")
    formula       f(z); empty for a vector activation
    derivative    f'(z) in z and a = f(z)
    numeric       f(z) in a form that keeps its digits far from 0, where `formula` does not
    range         its values as an interval, "(0, 1)"; empty where nobody said
    zero_centred  whether f(-z) = -f(z)
    trained       parameters that are trained with the weights, one for each layer
    vector        what makes an activation of several net inputs
    """

    name: str
    function: str
    title: str
    latex: str
    text: str
    formula: str
    derivative: str
    parameters: tuple[tuple[str, Number], ...] = ()
    kinks: tuple[Kink, ...] = ()
    numeric: str = ""
    range: str = ""
    zero_centred: bool = False
    trained: tuple[str, ...] = ()
    vector: Vector | None = None

    def with_parameters(self, given: dict[str, Number]) -> Activation:
        """The row with the values that a problem file gives to its parameters."""
        return replace(self, parameters=tuple((key, given.get(key, value)) for key, value in self.parameters))

    def ends(self) -> Range | None:
        """`range` taken apart."""
        if not self.range:
            return None
        low, high = self.range[1:-1].split(", ")
        return Range(low, high, self.range[0] == "[", self.range[-1] == "]")


def _exponentials(nets: Sequence[Expr]) -> Expr:
    return add(*(Call("exp", (net,)) for net in nets))


def _softmax(i: int, nets: Sequence[Expr]) -> Expr:
    return Quotient(Call("exp", (nets[i],)), _exponentials(nets))


def _softmax_slope(i: int, j: int, outs: Sequence[Name]) -> Expr:
    """a_i (1 − a_i) for i = j, −a_i a_j else (Bridle 1990)."""
    return multiply(outs[i], subtract(ONE, outs[i])) if i == j else Negative(multiply(outs[i], outs[j]))


def _log_softmax(i: int, nets: Sequence[Expr]) -> Expr:
    return subtract(nets[i], Call("ln", (_exponentials(nets),)))


def _log_softmax_slope(i: int, j: int, outs: Sequence[Name]) -> Expr:
    """1 − exp(a_i) for i = j, −exp(a_j) else."""
    power = Call("exp", (outs[j],))
    return subtract(ONE, power) if i == j else Negative(power)


def _maxout(_: int, nets: Sequence[Expr]) -> Expr:
    return Call("max", tuple(nets)) if len(nets) > 1 else nets[0]


_SELU_ALPHA = ("alpha", number("1.6732632423543772848170429916717"))
_SELU_SCALE = ("scale", number("1.0507009873554804934193349852946"))
_GELU_INNER = "sqrt(2/pi)*(z + 0.044715*z^3)"

ROWS = (
    Activation(
        "linear", "linear", "linear", r"\mathrm{id}", "id", "z", "1", range="(-oo, oo)", zero_centred=True
    ),
    Activation(
        "step", "step", "step", r"\mathrm{step}", "step", "1 if z > 0 else at_zero if z == 0 else 0", "0",
        parameters=(("at_zero", number("1")),), kinks=(Kink("0", "0"),), range="[0, 1]",
    ),
    Activation(
        "sigmoid", "sigmoid", "sigmoid", r"\sigma", "σ", "1/(1 + exp(-z))", "a*(1 - a)", range="(0, 1)"
    ),
    Activation(
        "tanh", "tanh", "tanh", r"\tanh", "tanh", "(exp(z) - exp(-z))/(exp(z) + exp(-z))", "1 - a^2",
        numeric="1 - 2/(exp(2*z) + 1)", range="(-1, 1)", zero_centred=True,
    ),
    Activation(
        "relu", "relu", "ReLU", r"\mathrm{ReLU}", "ReLU", "max(0, z)", "1 if z > 0 else 0",
        kinks=(Kink("0", "0"),), range="[0, oo)",
    ),
    Activation(
        "leaky-relu", "leaky_relu", "leaky ReLU", r"\mathrm{LReLU}", "LReLU",
        "z if z > 0 else alpha*z", "1 if z > 0 else alpha",
        parameters=(("alpha", number("0.01")),), kinks=(Kink("0", "alpha"),), range="(-oo, oo)",
    ),
    Activation(
        "parametric-relu", "parametric_relu", "parametric ReLU", r"\mathrm{PReLU}", "PReLU",
        "z if z > 0 else alpha*z", "1 if z > 0 else alpha",
        parameters=(("alpha", number("0.25")),), kinks=(Kink("0", "alpha"),), range="(-oo, oo)", trained=("alpha",),
    ),
    Activation(
        "thresholded-relu", "thresholded_relu", "thresholded ReLU", r"\mathrm{TReLU}", "TReLU",
        "z if z > theta else 0", "1 if z > theta else 0",
        parameters=(("theta", number("1")),), kinks=(Kink("theta", "0"),),
    ),
    Activation(
        "relu6", "relu6", "ReLU6", r"\mathrm{ReLU6}", "ReLU6", "min(6, max(0, z))",
        "0 if z <= 0 else 1 if z < 6 else 0", kinks=(Kink("0", "0"), Kink("6", "0")), range="[0, 6]",
    ),
    Activation(
        "elu", "elu", "ELU", r"\mathrm{ELU}", "ELU",
        "z if z > 0 else alpha*(exp(z) - 1)", "1 if z > 0 else a + alpha",
        parameters=(("alpha", number("1")),), kinks=(Kink("0", "alpha"),), range="(-alpha, oo)",
    ),
    Activation(
        "selu", "selu", "SELU", r"\mathrm{SELU}", "SELU",
        "scale*z if z > 0 else scale*alpha*(exp(z) - 1)", "scale if z > 0 else a + scale*alpha",
        parameters=(_SELU_ALPHA, _SELU_SCALE), kinks=(Kink("0", "scale*alpha"),), range="(-scale*alpha, oo)",
    ),
    Activation(
        "celu", "celu", "CELU", r"\mathrm{CELU}", "CELU",
        "z if z > 0 else alpha*(exp(z/alpha) - 1)", "1 if z > 0 else exp(z/alpha)",
        parameters=(("alpha", number("1")),), range="(-alpha, oo)",
    ),
    Activation(
        "softplus", "softplus", "softplus", r"\mathrm{softplus}", "softplus", "ln(1 + exp(z))", "1/(1 + exp(-z))",
        numeric="max(0, z) + ln(1 + exp(-abs(z)))", range="(0, oo)",
    ),
    Activation(
        "softsign", "softsign", "softsign", r"\mathrm{softsign}", "softsign", "z/(1 + abs(z))", "1/(1 + abs(z))^2",
        range="(-1, 1)", zero_centred=True,
    ),
    Activation(
        "hard-sigmoid", "hard_sigmoid", "hard sigmoid", r"\mathrm{hardsigmoid}", "hardsigmoid",
        "max(0, min(1, z/6 + 1/2))", "0 if z <= -3 else 1/6 if z < 3 else 0",
        kinks=(Kink("-3", "0"), Kink("3", "0")), range="[0, 1]",
    ),
    Activation(
        "hard-sigmoid-keras2", "hard_sigmoid_keras2", "hard sigmoid of Keras 2", r"\mathrm{hardsigmoid}_2",
        "hardsigmoid2", "max(0, min(1, 0.2*z + 0.5))", "0 if z <= -2.5 else 0.2 if z < 2.5 else 0",
        kinks=(Kink("-2.5", "0"), Kink("2.5", "0")), range="[0, 1]",
    ),
    Activation(
        "hard-tanh", "hard_tanh", "hard tanh", r"\mathrm{hardtanh}", "hardtanh", "max(-1, min(1, z))",
        "0 if z <= -1 else 1 if z < 1 else 0",
        kinks=(Kink("-1", "0"), Kink("1", "0")), range="[-1, 1]", zero_centred=True,
    ),
    Activation(
        "silu", "silu", "SiLU (swish)", r"\mathrm{SiLU}", "SiLU", "z/(1 + exp(-z))", "sigmoid(z) + a*(1 - sigmoid(z))",
        range="[~-0.27846, oo)",
    ),
    Activation(
        "hard-silu", "hard_silu", "hard SiLU (hard swish)", r"\mathrm{hardSiLU}", "hardSiLU",
        "z*max(0, min(1, z/6 + 1/2))", "0 if z <= -3 else z/3 + 1/2 if z < 3 else 1",
        kinks=(Kink("-3", "0"), Kink("3", "1")), range="[-3/8, oo)",
    ),
    Activation(
        "gelu", "gelu", "GELU", r"\mathrm{GELU}", "GELU", "1/2*z*(1 + erf(z/sqrt(2)))",
        "1/2*(1 + erf(z/sqrt(2))) + z*exp(-z^2/2)/sqrt(2*pi)", range="[~-0.16997, oo)",
    ),
    Activation(
        "gelu-tanh", "gelu_tanh", "GELU in its tanh form", r"\mathrm{GELU}_{\tanh}", "GELUtanh",
        f"1/2*z*(1 + tanh({_GELU_INNER}))",
        f"1/2*(1 + tanh({_GELU_INNER})) + 1/2*z*(1 - tanh({_GELU_INNER})^2)*sqrt(2/pi)*(1 + 0.134145*z^2)",
        numeric=f"z*sigmoid(2*{_GELU_INNER})", range="[~-0.17004, oo)",
    ),
    Activation(
        "mish", "mish", "mish", r"\mathrm{mish}", "mish", "z*tanh(softplus(z))",
        "tanh(softplus(z)) + z*(1 - tanh(softplus(z))^2)*sigmoid(z)",
        numeric="z*(1 - 2/((1 + exp(z))^2 + 1))", range="[~-0.30884, oo)",
    ),
    Activation(
        "log-sigmoid", "log_sigmoid", "log-sigmoid", r"\ln \sigma", "logsigmoid", "-ln(1 + exp(-z))",
        "1/(1 + exp(z))", numeric="min(0, z) - ln(1 + exp(-abs(z)))", range="(-oo, 0)",
    ),
    Activation(
        "squareplus", "squareplus", "squareplus", r"\mathrm{squareplus}", "squareplus", "1/2*(z + sqrt(z^2 + b))",
        "1/2*(1 + z/sqrt(z^2 + b))", parameters=(("b", number("4")),), range="(0, oo)",
        numeric="1/2*(z + sqrt(z^2 + b)) if z > 0 else 1/2*b/(sqrt(z^2 + b) - z)",
    ),
    Activation(
        "tanh-shrink", "tanh_shrink", "tanh shrink", r"\mathrm{tanhshrink}", "tanhshrink", "z - tanh(z)", "tanh(z)^2",
        range="(-oo, oo)", zero_centred=True,
    ),
    Activation(
        "softmax", "softmax", "softmax", r"\mathrm{softmax}", "softmax", "", "", range="(0, 1)",
        vector=Vector(_softmax, _softmax_slope),
    ),
    Activation(
        "log-softmax", "log_softmax", "log-softmax", r"\mathrm{logsoftmax}", "logsoftmax", "", "", range="(-oo, 0)",
        vector=Vector(_log_softmax, _log_softmax_slope),
    ),
    Activation(
        "maxout", "maxout", "maxout", r"\mathrm{maxout}", "maxout", "", "", range="(-oo, oo)",
        parameters=(("pieces", number("2")),), vector=Vector(_maxout, single=True),
    ),
)  # fmt: skip

ACTIVATIONS = {row.name: row for row in ROWS}
BY_FUNCTION = {row.function: row for row in ROWS}
SECOND_NAMES = {"swish": "silu", "hard-swish": "hard-silu", "prelu": "parametric-relu"}


def activation_named(name: str) -> Activation | None:
    """The row of a name, or of a second name that is as common."""
    return ACTIVATIONS.get(SECOND_NAMES.get(name, name))


def custom(text: str, derivative: str = "") -> Activation:
    """An activation typed in a problem file as a formula in z; its derivative is SymPy's unless one is typed too."""
    return Activation("custom", "f", "custom", "f", "f", text, derivative)
