"""Optimizers, a row each: the numbers and conventions that they leave open, and one update as ordered definitions.

A definition is a text of the grammar in w (the parameter), g (its gradient), eta (the learning rate), t (the number of
the update, from 1), the states and the hyper-parameters.  A name means its newest value: after `m = …` the name m is
the new m.  `w = …` comes last.  What a definition needs of the conventions stands beside it, so that a choice between
libraries is a choice of rows and never a branch of code.  Formulas in prose stand between backquotes.

Sources: the papers named in the rows; Keras 3 (keras/src/optimizers/*.py), PyTorch 2 (torch/optim/*.py), optax
(optax/_src/transform.py) and TensorFlow 1 (tensorflow/python/training/*.py), as of 2025.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from derive.formula.expression import Number, number

USED, UNUSED = "other than 0", "0"
"""What a condition may say of a hyper-parameter."""


@dataclass(frozen=True, slots=True)
class Hyper:
    """A hyper-parameter: `key` in problem files, `symbol` in formulas; `below` is a bound that it stays under."""

    key: str
    symbol: str
    default: Number
    about: str
    below: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A convention on which libraries differ: (option, what it means) pairs, the default first."""

    key: str
    about: str
    options: tuple[tuple[str, str], ...]

    @property
    def default(self) -> str:
        return self.options[0][0]

    @property
    def is_flag(self) -> bool:
        return {option for option, _ in self.options} == {"true", "false"}


@dataclass(frozen=True, slots=True)
class Line:
    """target = formula, where the settings are among those of `when` ("a|b" allows both).

    `shared` lines belong to the update as a whole; all others to one parameter each.
    """

    target: str
    formula: str
    when: tuple[tuple[str, str], ...] = ()
    shared: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What is carried from update to update, and the number that it starts from (or the hyper-parameter that says)."""

    name: str
    start: str = "0"


@dataclass(frozen=True, slots=True)
class Library:
    """A library or paper that has the rule with these settings; `rate` is its own default of the learning rate."""

    key: str
    name: str
    settings: tuple[tuple[str, str], ...] = ()
    rate: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Optimizer:
    """One optimizer; see the head of this file."""

    name: str
    title: str
    about: str
    lines: tuple[Line, ...]
    states: tuple[State, ...] = ()
    hypers: tuple[Hyper, ...] = ()
    choices: tuple[Choice, ...] = ()
    libraries: tuple[Library, ...] = ()

    def all_hypers(self) -> tuple[Hyper, ...]:
        """Its own hyper-parameters, and weight decay, which every optimizer takes."""
        own = {hyper.key for hyper in self.hypers}
        return (*self.hypers, *(hyper for hyper in EVERYWHERE if hyper.key not in own))

    def all_choices(self) -> tuple[Choice, ...]:
        own = {choice.key for choice in self.choices}
        return (*self.choices, *(choice for choice in EVERYWHERE_CHOSEN if choice.key not in own))


def hyper(key: str, symbol: str, default: str, about: str, below: int | None = None) -> Hyper:
    return Hyper(key, symbol, number(Decimal(default)), about, below)


def _flag(key: str, about: str, yes: str, no: str, *, default: bool = False) -> Choice:
    options = (("true", yes), ("false", no))
    return Choice(key, about, options if default else options[::-1])


def when(**conditions: str) -> tuple[tuple[str, str], ...]:
    """What a line is for: values of the settings, "a|b" for either."""
    return tuple(conditions.items())


EVERYWHERE = (hyper("weight_decay", "lambda", "0", "Weight decay."),)
_COUPLED = ("coupled", "`lambda*w` is added to the gradient and runs through the rule with it")
_DECOUPLED = ("decoupled", "`eta*lambda*w` is taken off the parameter, beside the rule")
_DECAY = "How weight decay enters."
EVERYWHERE_CHOSEN = (
    Choice("decay", _DECAY, (_COUPLED, _DECOUPLED)),
    _flag("maximize", "Whether the objective is made larger.", "steps follow the gradient", "steps go against it"),
)

_BETA1 = hyper("beta1", "beta1", "0.9", "How much of the mean of the gradients is kept.", 1)
_BETA2 = hyper("beta2", "beta2", "0.999", "How much of the mean of their squares is kept.", 1)
_MU = hyper("momentum", "mu", "0.9", "How much of the velocity is kept.")
_EPSILON = "Keeps the divisor away from 0."
_OUTSIDE = ("outside", "`epsilon` is added to the root")
_INSIDE = ("inside", "`epsilon` is added under the root")
_PLACE = "Where `epsilon` stands."
_BIAS = _flag(
    "bias_correction", "Whether `m` and `v`, which start at 0, are corrected for that.",
    "`m` and `v` are divided by `1 - beta1^t` and `1 - beta2^t`", "`m` and `v` are used as they are", default=True,
)  # fmt: skip

SGD = Optimizer(
    "sgd", "gradient descent", "A step against the gradient.",
    (Line("w", "w - eta*g"),),
    libraries=(
        Library("keras", "Keras SGD", (("decay", "decoupled"),), "0.01"),
        Library("pytorch", "PyTorch SGD", (("decay", "coupled"),), "0.001"),
        Library("optax", "optax sgd"),
    ),
)  # fmt: skip

MOMENTUM = Optimizer(
    "momentum", "momentum", "The velocity `v` remembers earlier gradients; the parameter moves by the velocity.",
    (
        Line("v", "mu*v - eta*g", when(form="classical")),
        Line("w", "w + v", when(form="classical")),
        Line("v", "eta*g + mu*v", when(form="change")),
        Line("w", "w - v", when(form="change")),
        Line("v", "mu*v + g", when(form="pytorch", dampening=UNUSED)),
        Line("v", "g if t == 1 else mu*v + (1 - tau)*g", when(form="pytorch", dampening=USED)),
        Line("w", "w - eta*v", when(form="pytorch")),
        Line("v", "mu*v + (1 - mu)*g", when(form="average")),
        Line("w", "w - eta*v", when(form="average")),
    ),
    (State("v"),),
    (_MU, hyper("dampening", "tau", "0", "What a new gradient is weakened by (form pytorch).")),
    (
        Choice("form", "What the velocity is.", (
            ("classical", "the velocity is the step itself, with the rate inside"),
            ("pytorch", "the velocity adds up gradients; the rate stands outside"),
            ("change", "the step with the other sign"),
            ("average", "the velocity is a running mean of the gradients; the rate stands outside"),
        )),
    ),
    (
        Library("keras", "Keras SGD(momentum)", (("form", "classical"), ("decay", "decoupled")), "0.01"),
        Library("pytorch", "PyTorch SGD(momentum)", (("form", "pytorch"),), "0.001"),
        Library("optax", "optax sgd(momentum)", (("form", "pytorch"),)),
        Library("tensorflow", "TensorFlow 1 MomentumOptimizer", (("form", "pytorch"),)),
        Library("sutskever", "Sutskever et al. 2013", (("form", "classical"),)),
        Library("ng", "Ng, Deep Learning course", (("form", "average"),)),
    ),
)  # fmt: skip

NESTEROV = Optimizer(
    "nesterov", "Nesterov momentum", "Momentum that looks one velocity ahead.",
    (
        Line("v", "mu*v - eta*g", when(form="keras")),
        Line("w", "w + mu*v - eta*g", when(form="keras")),
        Line("v", "mu*v + g", when(form="pytorch")),
        Line("w", "w - eta*(g + mu*v)", when(form="pytorch")),
    ),
    (State("v"),),
    (_MU,),
    (
        Choice("form", "What the velocity is.", (
            ("keras", "the rate stands inside the velocity"),
            ("pytorch", "the rate stands outside the velocity"),
        )),
    ),
    (
        Library("keras", "Keras SGD(nesterov)", (("form", "keras"), ("decay", "decoupled")), "0.01"),
        Library("pytorch", "PyTorch SGD(nesterov)", (("form", "pytorch"),), "0.001"),
        Library("optax", "optax sgd(nesterov)", (("form", "pytorch"),)),
    ),
)  # fmt: skip

ADAGRAD = Optimizer(
    "adagrad", "Adagrad", "Each parameter's rate shrinks with the squares of all its gradients so far.",
    (
        Line("s", "s + g^2"),
        Line("w", "w - eta*g/(sqrt(s) + epsilon)", when(epsilon_place="outside")),
        Line("w", "w - eta*g/sqrt(s + epsilon)", when(epsilon_place="inside")),
    ),
    (State("s", "start"),),
    (
        hyper("epsilon", "epsilon", "1e-10", _EPSILON),
        hyper("start", "s0", "0", "What the sum of squares starts from."),
    ),
    (Choice("epsilon_place", _PLACE, (_OUTSIDE, _INSIDE)),),
    (
        Library("keras", "Keras Adagrad", (
            ("epsilon", "1e-7"), ("epsilon_place", "inside"), ("start", "0.1"), ("decay", "decoupled"),
        ), "0.001"),
        Library("pytorch", "PyTorch Adagrad", (("epsilon", "1e-10"), ("epsilon_place", "outside")), "0.01"),
        Library("optax", "optax adagrad", (("epsilon", "1e-7"), ("epsilon_place", "inside"), ("start", "0.1"))),
        Library("duchi", "Duchi et al. 2011", (("epsilon", "0"),),
                note="without `epsilon` a first gradient of 0 makes 0 divided by 0"),
    ),
)  # fmt: skip

RMSPROP = Optimizer(
    "rmsprop", "RMSprop", "The gradient is divided by a running root mean square of itself.",
    (
        Line("v", "rho*v + (1 - rho)*g^2"),
        Line("m", "rho*m + (1 - rho)*g", when(centered="true")),
        Line("q", "sqrt(v) + epsilon", when(centered="false", epsilon_place="outside")),
        Line("q", "sqrt(v + epsilon)", when(centered="false", epsilon_place="inside")),
        Line("q", "sqrt(v - m^2) + epsilon", when(centered="true", epsilon_place="outside")),
        Line("q", "sqrt(v - m^2 + epsilon)", when(centered="true", epsilon_place="inside")),
        Line("w", "w - eta*g/q", when(momentum=UNUSED)),
        Line("b", "mu*b + g/q", when(momentum=USED, rate_place="outside")),
        Line("w", "w - eta*b", when(momentum=USED, rate_place="outside")),
        Line("b", "mu*b + eta*g/q", when(momentum=USED, rate_place="inside")),
        Line("w", "w - b", when(momentum=USED, rate_place="inside")),
    ),
    (State("v", "start"), State("m"), State("b")),
    (
        hyper("rho", "rho", "0.9", "How much of the mean of the squares is kept.", 1),
        hyper("epsilon", "epsilon", "1e-8", _EPSILON),
        replace(_MU, default=number("0")),
        hyper("start", "v0", "0", "What the mean of squares starts from."),
    ),
    (
        Choice("epsilon_place", _PLACE, (_OUTSIDE, _INSIDE)),
        _flag(
            "centered", "Whether the variance takes the place of the mean square.",
            "`v - m^2` stands for `v`", "`v` as it is",
        ),
        Choice("rate_place", "Where the rate stands when there is momentum.", (
            ("outside", "the velocity `b` adds up gradients"), ("inside", "the velocity `b` is the step itself"),
        )),
    ),
    (
        Library("keras", "Keras RMSprop", (
            ("rho", "0.9"), ("epsilon", "1e-7"), ("epsilon_place", "inside"), ("rate_place", "inside"),
            ("decay", "decoupled"),
        ), "0.001"),
        Library("pytorch", "PyTorch RMSprop", (
            ("rho", "0.99"), ("epsilon", "1e-8"), ("epsilon_place", "outside"), ("rate_place", "outside"),
        ), "0.01"),
        Library("optax", "optax rmsprop", (
            ("rho", "0.9"), ("epsilon", "1e-8"), ("epsilon_place", "inside"), ("rate_place", "inside"),
        )),
        Library("tensorflow", "TensorFlow 1 RMSPropOptimizer", (
            ("rho", "0.9"), ("epsilon", "1e-10"), ("epsilon_place", "inside"), ("rate_place", "inside"),
            ("start", "1"),
        )),
        Library("hinton", "Hinton 2012, lecture 6", (("rho", "0.9"), ("epsilon", "0"))),
    ),
)  # fmt: skip

ADADELTA = Optimizer(
    "adadelta", "Adadelta", "The step is the gradient times the ratio of two running root mean squares.",
    (
        Line("v", "rho*v + (1 - rho)*g^2"),
        Line("d", "sqrt(u + epsilon)/sqrt(v + epsilon)*g"),
        Line("u", "rho*u + (1 - rho)*d^2"),
        Line("w", "w - eta*d"),
    ),
    (State("v"), State("u")),
    (
        hyper("rho", "rho", "0.9", "How much of both means of squares is kept.", 1),
        hyper("epsilon", "epsilon", "1e-6", _EPSILON),
    ),
    libraries=(
        Library("keras", "Keras Adadelta", (("rho", "0.95"), ("epsilon", "1e-7"), ("decay", "decoupled")), "0.001"),
        Library("pytorch", "PyTorch Adadelta", (("rho", "0.9"), ("epsilon", "1e-6")), "1"),
        Library("optax", "optax adadelta", (("rho", "0.9"), ("epsilon", "1e-6"))),
        Library("zeiler", "Zeiler 2012", (("rho", "0.95"), ("epsilon", "1e-6")), "1"),
    ),
)  # fmt: skip

_MEANS = (
    Line("m", "beta1*m + (1 - beta1)*g"),
    Line("v", "beta2*v + (1 - beta2)*g^2"),
)
_CORRECTED = when(bias_correction="true", epsilon_place="outside|inside")
_ALPHA = Line(
    "alpha", "eta*sqrt(1 - beta2^t)/(1 - beta1^t)", when(bias_correction="true", epsilon_place="uncorrected"),
    shared=True,
)  # fmt: skip
_ADAM_LINES = (
    _ALPHA,
    *_MEANS,
    Line("m_hat", "m/(1 - beta1^t)", _CORRECTED),
    Line("v_hat", "v/(1 - beta2^t)", _CORRECTED),
    Line("w", "w - eta*m_hat/(sqrt(v_hat) + epsilon)", when(bias_correction="true", epsilon_place="outside")),
    Line("w", "w - eta*m_hat/sqrt(v_hat + epsilon)", when(bias_correction="true", epsilon_place="inside")),
    Line("w", "w - alpha*m/(sqrt(v) + epsilon)", when(bias_correction="true", epsilon_place="uncorrected")),
    Line("w", "w - eta*m/(sqrt(v) + epsilon)", when(bias_correction="false", epsilon_place="outside|uncorrected")),
    Line("w", "w - eta*m/sqrt(v + epsilon)", when(bias_correction="false", epsilon_place="inside")),
)
_ADAM_PLACE = Choice("epsilon_place", _PLACE, (
    _OUTSIDE,
    ("uncorrected", "`epsilon` is added to `sqrt(v)` before `v` is corrected (the epsilon hat of the paper)"),
    _INSIDE,
))  # fmt: skip
_ADAM_HYPERS = (_BETA1, _BETA2, hyper("epsilon", "epsilon", "1e-8", _EPSILON))
_AT_KERAS = (("epsilon", "1e-7"), ("epsilon_place", "uncorrected"), ("decay", "decoupled"))
_AT_OTHERS = (("epsilon", "1e-8"), ("epsilon_place", "outside"))

ADAM = Optimizer(
    "adam", "Adam", "Momentum on the gradient, divided by a running root mean square of it, both bias-corrected.",
    _ADAM_LINES,
    (State("m"), State("v")),
    _ADAM_HYPERS,
    (_ADAM_PLACE, _BIAS),
    (
        Library("keras", "Keras Adam", _AT_KERAS, "0.001"),
        Library("pytorch", "PyTorch Adam", (*_AT_OTHERS, ("decay", "coupled")), "0.001"),
        Library("optax", "optax adam", _AT_OTHERS, note="its eps_root, which is 0, stands inside"),
        Library("tensorflow", "TensorFlow 1 AdamOptimizer", (("epsilon", "1e-8"), ("epsilon_place", "uncorrected")),
                "0.001"),
        Library("kingma", "Kingma and Ba 2015, Algorithm 1", _AT_OTHERS, "0.001"),
    ),
)  # fmt: skip

ADAMW = Optimizer(
    "adamw", "AdamW", "Adam with weight decay beside the rule, not in the gradient.",
    _ADAM_LINES,
    (State("m"), State("v")),
    (*_ADAM_HYPERS, hyper("weight_decay", "lambda", "0.01", "Weight decay.")),
    (_ADAM_PLACE, _BIAS, Choice("decay", _DECAY, (_DECOUPLED, _COUPLED))),
    (
        Library("keras", "Keras AdamW", (*_AT_KERAS, ("weight_decay", "0.004")), "0.001"),
        Library("pytorch", "PyTorch AdamW", (*_AT_OTHERS, ("weight_decay", "0.01")), "0.001"),
        Library("optax", "optax adamw", (*_AT_OTHERS, ("weight_decay", "0.0001"))),
        Library("loshchilov", "Loshchilov and Hutter 2019, Algorithm 2", _AT_OTHERS,
                note="the paper takes `lambda*w` off, without the rate"),
    ),
)  # fmt: skip

_OF_V, _OF_V_HAT = when(maximum_of="v"), when(maximum_of="v_hat")
AMSGRAD = Optimizer(
    "amsgrad", "AMSGrad", "Adam with the largest mean square so far in the divisor.",
    (
        _ALPHA,
        *_MEANS,
        Line("m_hat", "m/(1 - beta1^t)", _CORRECTED),
        Line("v_hat", "v/(1 - beta2^t)", (*_CORRECTED, *_OF_V_HAT)),
        Line("v_max", "max(v_max, v_hat)", (*_CORRECTED, *_OF_V_HAT)),
        Line("v_max", "max(v_max, v)", (*_CORRECTED, *_OF_V)),
        Line("v_max", "max(v_max, v)", when(bias_correction="false")),
        Line("v_max", "max(v_max, v)", when(bias_correction="true", epsilon_place="uncorrected")),
        Line("v_hat", "v_max/(1 - beta2^t)", (*_CORRECTED, *_OF_V)),
        Line("w", "w - eta*m_hat/(sqrt(v_hat) + epsilon)",
             (*when(bias_correction="true", epsilon_place="outside"), *_OF_V)),
        Line("w", "w - eta*m_hat/(sqrt(v_max) + epsilon)",
             (*when(bias_correction="true", epsilon_place="outside"), *_OF_V_HAT)),
        Line("w", "w - eta*m_hat/sqrt(v_hat + epsilon)",
             (*when(bias_correction="true", epsilon_place="inside"), *_OF_V)),
        Line("w", "w - eta*m_hat/sqrt(v_max + epsilon)",
             (*when(bias_correction="true", epsilon_place="inside"), *_OF_V_HAT)),
        Line("w", "w - alpha*m/(sqrt(v_max) + epsilon)",
             when(bias_correction="true", epsilon_place="uncorrected")),
        Line("w", "w - eta*m/(sqrt(v_max) + epsilon)",
             when(bias_correction="false", epsilon_place="outside|uncorrected")),
        Line("w", "w - eta*m/sqrt(v_max + epsilon)", when(bias_correction="false", epsilon_place="inside")),
    ),
    (State("m"), State("v"), State("v_max")),
    _ADAM_HYPERS,
    (
        _ADAM_PLACE,
        _BIAS,
        Choice("maximum_of", "What the largest is taken of.", (
            ("v", "of `v`, and the largest is corrected"), ("v_hat", "of `v_hat`, the corrected `v`"),
        )),
    ),
    (
        Library("keras", "Keras Adam(amsgrad)", _AT_KERAS, "0.001"),
        Library("pytorch", "PyTorch Adam(amsgrad)", (*_AT_OTHERS, ("maximum_of", "v")), "0.001"),
        Library("optax", "optax amsgrad", (*_AT_OTHERS, ("maximum_of", "v_hat"))),
        Library("reddi", "Reddi et al. 2018", (("bias_correction", "false"), ("epsilon", "0"))),
    ),
)  # fmt: skip

_DOZAT = when(momentum_schedule="rising")
_PLAIN = when(momentum_schedule="constant")
NADAM = Optimizer(
    "nadam", "Nadam", "Adam with Nesterov's look ahead in the mean of the gradients.",
    (
        Line("mu_now", "beta1*(1 - 1/2*0.96^(psi*t))", _DOZAT, shared=True),
        Line("mu_next", "beta1*(1 - 1/2*0.96^(psi*(t + 1)))", _DOZAT, shared=True),
        Line("mu_product", "mu_product*mu_now", _DOZAT, shared=True),
        *_MEANS,
        Line("m_bar", "mu_next*m/(1 - mu_product*mu_next) + (1 - mu_now)*g/(1 - mu_product)", _DOZAT),
        Line("m_bar", "beta1*m/(1 - beta1^(t + 1)) + (1 - beta1)*g/(1 - beta1^t)", _PLAIN),
        Line("v_hat", "v/(1 - beta2^t)"),
        Line("w", "w - eta*m_bar/(sqrt(v_hat) + epsilon)", when(epsilon_place="outside")),
        Line("w", "w - eta*m_bar/sqrt(v_hat + epsilon)", when(epsilon_place="inside")),
    ),
    (State("mu_product", "1"), State("m"), State("v")),
    (*_ADAM_HYPERS, hyper("psi", "psi", "0.004", "How fast the momentum rises.")),
    (
        Choice("momentum_schedule", "Whether the momentum rises towards `beta1`.", (
            ("rising", "the momentum of update `t` is `beta1*(1 - 1/2*0.96^(psi*t))`"),
            ("constant", "it is `beta1` in every update"),
        )),
        Choice("epsilon_place", _PLACE, (_OUTSIDE, _INSIDE)),
    ),
    (
        Library("keras", "Keras Nadam", (("epsilon", "1e-7"), ("psi", "1"), ("decay", "decoupled")), "0.001"),
        Library("pytorch", "PyTorch NAdam", (("epsilon", "1e-8"), ("psi", "0.004")), "0.002"),
        Library("optax", "optax nadam", (("epsilon", "1e-8"), ("momentum_schedule", "constant"))),
        Library("tensorflow", "tf.keras 2 Nadam", (("epsilon", "1e-7"), ("psi", "0.004")), "0.001",
                note="the legacy class; the newer one is that of Keras"),
        Library("dozat", "Dozat 2015", (("epsilon", "1e-8"), ("psi", "0.004")), "0.002"),
    ),
)  # fmt: skip

ROWS = (SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADADELTA, ADAM, ADAMW, AMSGRAD, NADAM)
OPTIMIZERS = {row.name: row for row in ROWS}
OTHER_OPTIMIZERS = {
    "gradient-descent": "sgd", "gd": "sgd", "heavy-ball": "momentum", "nag": "nesterov", "rms-prop": "rmsprop",
    "ams-grad": "amsgrad", "n-adam": "nadam",
}  # fmt: skip
