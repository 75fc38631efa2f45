"""Initializers, a row each: adding a row adds its page, its place in the catalogue and its tests.

`variance` is a formula of the grammar in fan_in, fan_out (how many inputs and outputs a layer has) and the parameters.
That it is what its `condition` and `activation` ask for is derived with SymPy on the page and in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from derive.formula.expression import Number, number

Distribution = Literal["constant", "uniform", "normal"]
Condition = Literal["none", "forward", "compromise"]


@dataclass(frozen=True, slots=True)
class Initializer:
    """One way to draw the first weights of a layer; all have mean zero but the constants.

    variance    Var(w); of a uniform one on (-limit, limit) that is limit²/3
    condition   what the variance keeps: "forward" the second moment from layer to layer, "compromise" between that and
                the same for the gradients, "none" neither
    activation  the activation that the condition is derived for (a name of the catalogue)
    value       of a constant: the value of every weight
    libraries   (library, how it is called there)
    """

    name: str
    title: str
    distribution: Distribution
    variance: str
    condition: Condition
    source: str
    libraries: tuple[tuple[str, str], ...]
    activation: str = "linear"
    parameters: tuple[tuple[str, Number], ...] = ()
    value: str = ""

    def with_parameters(self, given: dict[str, Number]) -> Initializer:
        """The row with the values that a problem file gives to its parameters."""
        return replace(self, parameters=tuple((key, given.get(key, value)) for key, value in self.parameters))


_XAVIER = "2/(fan_in + fan_out)"
_HE = "2/((1 + slope^2)*fan_in)"
_LECUN = "1/fan_in"
_GLOROT_BENGIO = "Glorot and Bengio, Understanding the difficulty of training deep feedforward networks, 2010"
_HE_ET_AL = "He, Zhang, Ren and Sun, Delving deep into rectifiers, 2015"
_LECUN_ET_AL = "LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998"
_SLOPE = (("slope", number("0")),)

ROWS = (
    Initializer(
        "zeros", "zeros", "constant", "0", "none",
        "Rumelhart, Hinton and Williams, Learning internal representations by error propagation, 1986 (why it fails)",
        (("PyTorch", "nn.init.zeros_"), ("Keras", "Zeros"), ("JAX", "nn.initializers.zeros")), value="0",
    ),
    Initializer(
        "constant", "constant", "constant", "0", "none",
        "Rumelhart, Hinton and Williams, Learning internal representations by error propagation, 1986 (why it fails)",
        (("PyTorch", "nn.init.constant_"), ("Keras", "Constant"), ("JAX", "nn.initializers.constant")),
        parameters=(("value", number("0.5")),), value="value",
    ),
    Initializer(
        "uniform", "uniform", "uniform", "bound^2/3", "none", "no condition: the bound is chosen by hand",
        (("PyTorch", "nn.init.uniform_(w, -bound, bound)"), ("Keras", "RandomUniform (bound 0.05)")),
        parameters=(("bound", number("0.05")),),
    ),
    Initializer(
        "normal", "normal", "normal", "deviation^2", "none", "no condition: the deviation is chosen by hand",
        (("PyTorch", "nn.init.normal_ (deviation 1)"), ("Keras", "RandomNormal (deviation 0.05)"),
         ("JAX", "nn.initializers.normal (deviation 0.01)")),
        parameters=(("deviation", number("0.05")),),
    ),
    Initializer(
        "pytorch-linear", "the default of nn.Linear in PyTorch", "uniform", "1/(3*fan_in)", "none",
        "kaiming_uniform_ with a = sqrt(5), as the source of nn.Linear has it",
        (("PyTorch", "nn.Linear, default; nn.init.kaiming_uniform_(w, a=sqrt(5))"),),
    ),
    Initializer(
        "xavier-uniform", "Xavier (Glorot) uniform", "uniform", _XAVIER, "compromise", _GLOROT_BENGIO,
        (("PyTorch", "nn.init.xavier_uniform_"), ("Keras", "GlorotUniform (default of Dense)"),
         ("JAX", "nn.initializers.glorot_uniform")),
    ),
    Initializer(
        "xavier-normal", "Xavier (Glorot) normal", "normal", _XAVIER, "compromise", _GLOROT_BENGIO,
        (("PyTorch", "nn.init.xavier_normal_"), ("Keras", "GlorotNormal (truncated)"),
         ("JAX", "nn.initializers.glorot_normal (truncated)")),
    ),
    Initializer(
        "he-uniform", "He (Kaiming) uniform", "uniform", _HE, "forward", _HE_ET_AL,
        (("PyTorch", "nn.init.kaiming_uniform_(w, a=slope)"), ("Keras", "HeUniform"),
         ("JAX", "nn.initializers.he_uniform")),
        activation="relu", parameters=_SLOPE,
    ),
    Initializer(
        "he-normal", "He (Kaiming) normal", "normal", _HE, "forward", _HE_ET_AL,
        (("PyTorch", "nn.init.kaiming_normal_(w, a=slope)"), ("Keras", "HeNormal (truncated)"),
         ("JAX", "nn.initializers.he_normal (truncated)")),
        activation="relu", parameters=_SLOPE,
    ),
    Initializer(
        "lecun-uniform", "LeCun uniform", "uniform", _LECUN, "forward", _LECUN_ET_AL,
        (("Keras", "LecunUniform"), ("JAX", "nn.initializers.lecun_uniform")),
    ),
    Initializer(
        "lecun-normal", "LeCun normal", "normal", _LECUN, "forward", _LECUN_ET_AL,
        (("Keras", "LecunNormal (truncated)"), ("JAX", "nn.initializers.lecun_normal (truncated)")),
    ),
)  # fmt: skip

INITIALIZERS = {row.name: row for row in ROWS}
OTHER_NAMES = {
    "glorot": "xavier-uniform", "xavier": "xavier-uniform", "glorot-uniform": "xavier-uniform",
    "glorot-normal": "xavier-normal", "he": "he-normal", "kaiming": "he-normal", "kaiming-uniform": "he-uniform",
    "kaiming-normal": "he-normal", "lecun": "lecun-normal", "zero": "zeros", "random": "normal",
}  # fmt: skip
