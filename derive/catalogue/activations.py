"""Activations, a row each: adding a row adds its use in networks, its derivation, its pages and its tests.

`formula` and `derivative` are texts of the grammar in z (the net input), a (the output f(z)) and the parameters.
`derivative` is the textbook form; that it equals SymPy's derivative of `formula` is proved in the tests, for every row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from derive.formula.expression import Number, number


@dataclass(frozen=True, slots=True)
class Kink:
    """A point where the derivative jumps, and the value that is taken there (a text in the parameters)."""

    at: str
    derivative: str


@dataclass(frozen=True, slots=True)
class Activation:
    """One activation f.

    name        as in problem files ("leaky-relu")
    function    as in formulas ("leaky_relu"); a call is function(z, parameter, …)
    latex       its short symbol in LaTeX, `text` the same in plain text ("σ")
    formula     f(z); empty for a vector activation
    derivative  f'(z) in z and a = f(z)
    numeric     f(z) in a form that keeps its digits far from 0, where `formula` does not
    vector      the outputs of a layer depend on every net input of the layer (softmax)
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
    vector: bool = False

    def with_parameters(self, given: dict[str, Number]) -> Activation:
        """The row with the values that a problem file gives to its parameters."""
        return replace(self, parameters=tuple((key, given.get(key, value)) for key, value in self.parameters))


ROWS = (
    Activation("linear", "linear", "linear", r"\mathrm{id}", "id", "z", "1"),
    Activation("sigmoid", "sigmoid", "sigmoid", r"\sigma", "σ", "1/(1 + exp(-z))", "a*(1 - a)"),
    Activation(
        "tanh", "tanh", "tanh", r"\tanh", "tanh", "(exp(z) - exp(-z))/(exp(z) + exp(-z))", "1 - a^2",
        numeric="1 - 2/(exp(2*z) + 1)",
    ),
    Activation(
        "relu", "relu", "ReLU", r"\mathrm{ReLU}", "ReLU", "max(0, z)", "1 if z > 0 else 0", kinks=(Kink("0", "0"),)
    ),
    Activation(
        "leaky-relu", "leaky_relu", "leaky ReLU", r"\mathrm{LReLU}", "LReLU",
        "z if z > 0 else alpha*z", "1 if z > 0 else alpha",
        parameters=(("alpha", number("0.01")),), kinks=(Kink("0", "alpha"),),
    ),
    Activation(
        "elu", "elu", "ELU", r"\mathrm{ELU}", "ELU",
        "z if z > 0 else alpha*(exp(z) - 1)", "1 if z > 0 else a + alpha",
        parameters=(("alpha", number("1")),), kinks=(Kink("0", "alpha"),),
    ),
    Activation(
        "softplus", "softplus", "softplus", r"\mathrm{softplus}", "softplus", "ln(1 + exp(z))", "1/(1 + exp(-z))"
    ),
    Activation("softmax", "softmax", "softmax", r"\mathrm{softmax}", "softmax", "", "", vector=True),
)  # fmt: skip

ACTIVATIONS = {row.name: row for row in ROWS}
BY_FUNCTION = {row.function: row for row in ROWS}


def custom(text: str, derivative: str = "") -> Activation:
    """An activation typed in a problem file as a formula in z; its derivative is SymPy's unless one is typed too."""
    return Activation("custom", "f", "custom", "f", "f", text, derivative)


def at_kink(row: Activation, z: Fraction) -> bool:
    """Whether an exactly known z is a kink of a parameter-free row."""
    return any(kink.at.lstrip("-").isdigit() and Fraction(kink.at) == z for kink in row.kinks)
