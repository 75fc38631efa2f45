"""The keys of problem files: one table for each kind, from which files are read and the JSON Schema is made."""

from __future__ import annotations

import re
from typing import Any

from derive.catalogue.activations import ACTIVATIONS, SECOND_NAMES
from derive.catalogue.initializers import INITIALIZERS
from derive.catalogue.initializers import OTHER_NAMES as OTHER_INITIALIZERS
from derive.catalogue.losses import LOSSES
from derive.formula.grammar import FUNCTIONS
from derive.numbers.rounding import MOST_DIGITS
from derive.problem.optimizer_keys import OPTIMIZER_KEYS
from derive.problem.shape import (
    Key,
    Schema,
    Shape,
    checked_text,
    either,
    entries_of,
    flag,
    grid_of,
    in_words,
    list_of,
    name,
    name_fault,
    number,
    quote,
    shown,
    suggestion,
    table,
    text,
    whole,
    word,
)

KINDS = ("network", "expression", "activation", "loss", "perceptron", "training", "optimizer", "initializer")
NOTATIONS = ("net-out", "z-a", "matrix")
VARY_GROUPS = ("weights", "inputs", "biases", "targets", "learning_rate")
RESERVED = frozenset((*FUNCTIONS, "log", "softmax", "if", "else", "σ"))
"""Words of the grammar: no quantity can have one of these names."""

OTHER_ACTIVATIONS = {
    "logistic": "sigmoid", "identity": "linear", "none": "linear", "lrelu": "leaky-relu", "rectifier": "relu",
    "gelu-erf": "gelu", "parameterized-relu": "parametric-relu",
}  # fmt: skip
OTHER_LOSSES = {
    "mse": "mean-squared-error", "sse": "squared-error", "half-sse": "half-squared-error",
    "bce": "binary-cross-entropy", "log-loss": "binary-cross-entropy", "categorical-cross-entropy": "cross-entropy",
    "mae": "mean-absolute-error", "l1": "mean-absolute-error", "rmse": "root-mean-squared-error",
    "mape": "mean-absolute-percentage-error", "msle": "mean-squared-logarithmic-error", "smooth-l1": "huber",
    "sparse-categorical-cross-entropy": "cross-entropy", "nll": "cross-entropy", "kl": "kullback-leibler",
    "kl-divergence": "kullback-leibler", "kld": "kullback-leibler", "svm": "multiclass-hinge",
    "softmax-cross-entropy": "cross-entropy-logits", "bce-with-logits": "binary-cross-entropy-logits",
    "sigmoid-cross-entropy": "binary-cross-entropy-logits", "label-smoothing": "smoothed-cross-entropy",
}  # fmt: skip

FORMULA_IN_Z = 'an expression in z, for example "z/(1 + exp(-z))"'
MOST_WIDE = 10_000
ALL_NUMBERS = "numbers"

_weight_name = name(empty=True, reserved=RESERVED)
_plain_name = name(reserved=RESERVED)
_unit_name = name(digits=True, reserved=RESERVED)
_formula = text(2000)


_gap = Shape('""', {"const": ""}, lambda value: value == "", lambda _value, _place, _report: "")
_entry = either(number(), _gap, accepted='a number (or "" where there is no connection)')


def _known_activation(value: str) -> str | tuple[str, str] | None:
    if value in ACTIVATIONS:
        return None
    return (
        f"unknown activation {quote(value)}{suggestion(value, ACTIVATIONS, OTHER_ACTIVATIONS)}",
        in_words(ACTIVATIONS),
    )


_activation_name = checked_text(in_words(ACTIVATIONS), {"enum": [*ACTIVATIONS, *SECOND_NAMES]}, _known_activation)
_activation_table = entries_of(text(60), either(number(), text(2000)), 'a table {name = "…", parameter = number}')
_activation_schema: Schema = {
    "anyOf": [
        {"enum": [*ACTIVATIONS, *SECOND_NAMES]},
        {"type": "string", "pattern": r"(^|[^A-Za-z0-9_])z($|[^A-Za-z0-9_])"},
        {
            "type": "object",
            "properties": {"name": {"enum": [*ACTIVATIONS, *SECOND_NAMES]}},
            "required": ["name"],
            "additionalProperties": {"type": "number"},
        },
        {
            "type": "object",
            "properties": {"expression": {"type": "string"}, "derivative": {"type": "string"}},
            "required": ["expression"],
            "additionalProperties": False,
        },
    ]
}
_activation = either(
    _formula,
    _activation_table,
    accepted=f'{in_words(ACTIVATIONS)}, a table such as {{name = "leaky-relu", alpha = 0.1}}, or {FORMULA_IN_Z}',
)
ACTIVATION = Shape(_activation.accepted, _activation_schema, _activation.takes, _activation.read)
ACTIVATION_NAME = _activation_name

def _known_loss(value: str) -> str | None:
    return None if value in LOSSES else f"unknown loss {quote(value)}{suggestion(value, LOSSES, OTHER_LOSSES)}"


LOSS_NAME = checked_text(
    'a loss such as "half-squared-error", "cross-entropy" or "huber"; `derive loss list` prints all',
    {"enum": list(LOSSES)},
    _known_loss,
)
_loss = either(
    LOSS_NAME,
    entries_of(text(60), either(number(), text(60)), 'a table {name = "…", parameter = number}'),
    accepted=f'{LOSS_NAME.accepted}, or a table such as {{name = "huber", delta = 1.0}}',
)
_loss_schema: Schema = {
    "anyOf": [
        LOSS_NAME.schema,
        {
            "type": "object",
            "properties": {"name": LOSS_NAME.schema, "over": {"enum": ["sum", "mean"]}},
            "required": ["name"],
            "additionalProperties": {"type": "number"},
        },
    ]
}
LOSS = Shape(_loss.accepted, _loss_schema, _loss.takes, _loss.read)

ROUNDING = table(
    {
        "decimals": Key(whole(0, MOST_DIGITS), "Digits after the point."),
        "significant": Key(whole(1, MOST_DIGITS), "Significant digits, instead of decimals."),
        "carry": Key(
            word(("full", "displayed")), "What is carried on: full precision (default), or the displayed numbers."
        ),
        "mode": Key(word(("half-up", "half-even")), "Where a tie goes (default half-up: away from zero)."),
    }
)

_range = table(
    {
        "from": Key(number(), "The first value."),
        "to": Key(number(), "The last value."),
        "step": Key(number("a number above 0", above=0), "The distance between two values."),
        "choose": Key(list_of(number(), "a list of numbers", least=1, most=1000), "The values to choose from."),
    },
    "{from = …, to = …, step = …} or {choose = […]}",
)


def _vary_key(value: str) -> str | None:
    """A group, a name, an entry such as x1[2] or W1[300,17], or the given gradient g_w@1 of an update."""
    name, mark, step = value.partition("@")
    if mark and not (step.isascii() and step.isdecimal()):
        return name_fault(value, digits=True)
    return name_fault(name.partition("[")[0], digits=True)


VARY = entries_of(
    checked_text(f"one of {', '.join(VARY_GROUPS)}, or the name of a given quantity", {"maxLength": 60}, _vary_key),
    _range,
    "a table of {from, to, step} or {choose} tables",
)


def _prose_key(value: str) -> str | None:
    return name_fault(value.replace("-", "_"), digits=False)


PROSE = entries_of(
    checked_text("a name, such as context", {"maxLength": 40}, _prose_key), text(10_000, lines=True), "a table of texts"
)


def _not_a_quantity(value: str) -> str | None:
    return None if re.fullmatch(r"[\w/@\[\],'+().∂′δ⁺$\\{} -]{1,100}", value) else shown(value)


_quantity = checked_text('a quantity, such as "dE/dw5"', {"minLength": 1, "maxLength": 100}, _not_a_quantity)

_points = either(
    whole(0, 1000),
    entries_of(_quantity, whole(0, 1000), "a table of points"),
    accepted="the points of each question, or a table with the points of each quantity",
)
SHEET = table(
    {
        "title": Key(text(200), "The title of each sheet, where that of the page names its numbers."),
        "context": Key(text(10_000, lines=True), "The sentences of each sheet, in the place of those of the page."),
        "ask": Key(list_of(_quantity, "a list of quantities"), "What sheets ask for, where that is not what ask says."),
        "course": Key(text(200), "The course, in the head of each sheet."),
        "date": Key(text(60), "The date, in the head of each sheet."),
        "points": Key(_points, "The points of each question, or of each quantity."),
    }
)

COMMON = {
    "title": Key(text(200), "The heading of the page."),
    "kind": Key(word(KINDS, what="kind"), "What the file describes (default network)."),
    "topic": Key(text(60), "A word under which the problem is listed."),
    "ask": Key(list_of(_quantity, "a list of quantities"), 'The quantities that are asked for, such as "dE/dw5".'),
    "rounding": Key(ROUNDING, "How numbers are shown."),
    "vary": Key(VARY, "How given numbers vary from student to student."),
    "sheet": Key(SHEET, "What is printed on worksheets."),
    "prose": Key(PROSE, "Sentences for the page."),
}

LAYER = table(
    {
        "neurons": Key(
            either(
                whole(1, MOST_WIDE),
                list_of(_unit_name, "a list of names with at least one", least=1),
                accepted="how many neurons there are, or a list of their names",
            ),
            "The names of the neurons, or how many there are.",
            required=True,
        ),
        "activation": Key(ACTIVATION, "A name of the catalogue, a table, or an expression in z.", required=True),
        "weights": Key(
            grid_of(_entry, ALL_NUMBERS), "A row for each neuron, in the order of what feeds it; left out: symbols."
        ),
        "weights_by": Key(word(("neuron", "input")), "Whether a row belongs to a neuron (default) or to an input."),
        "weight_names": Key(
            grid_of(_weight_name, "names"), 'The names, laid out as the weights; "" where there is no connection.'
        ),
        "bias": Key(
            either(
                flag(),
                number(),
                list_of(_entry, "a list with a number for each neuron", least=1),
                accepted="a number (shared by the layer), a list (one each), true (symbols) or false (none)",
            ),
            "A number shared by the layer, a list with one each, true for symbols; left out: none.",
        ),
        "bias_names": Key(
            either(_plain_name, list_of(_weight_name, "a list of names", least=1)),
            'A name, or one for each neuron; "" where a neuron has no bias.',
        ),
        "bias_input": Key(
            number("a number other than 0", nonzero=True), "What the bias is multiplied by: 1, or -1 for a threshold."
        ),
    }
)

UPDATE = table(
    {
        **OPTIMIZER_KEYS,
        "learning_rate": Key(number("a number above 0", above=0), "The step size.", required=True),
        "steps": Key(whole(1, 100_000), "How many updates are made (default 1)."),
        "frozen": Key(list_of(text(60), "a list of names of parameters"), "Parameters that are left alone."),
    }
)

NETWORK = COMMON | {
    "inputs": Key(
        either(
            whole(1, MOST_WIDE),
            grid_of(number(), ALL_NUMBERS),
            accepted="a list of numbers, a list of rows (one for each sample), or how many inputs there are",
        ),
        "One sample, a row for each sample of a batch, or how many symbolic inputs there are.",
        required=True,
    ),
    "samples": Key(whole(1, MOST_WIDE), "The size of a batch of symbolic inputs."),
    "input_names": Key(list_of(_unit_name, "a list of names", least=1), "The names of the inputs (default x1, x2, …)."),
    "targets": Key(
        either(flag(), grid_of(number(), ALL_NUMBERS), accepted="a list of numbers, a list of rows, or true (symbols)"),
        "The wanted outputs; left out: a forward pass only.",
    ),
    "target_names": Key(
        list_of(_plain_name, "a list of names", least=1), "The names of the targets (default y, or y1, y2, …)."
    ),
    "layers": Key(
        list_of(LAYER, "one [[layers]] table or more", least=1, most=100), "The layers, from the first.", required=True
    ),
    "weights_by": Key(word(("neuron", "input")), "The same for every layer."),
    "loss": Key(LOSS, "The loss, by name or as a table with its parameters (default half-squared-error)."),
    "l2": Key(
        either(
            number("a number from 0", least=0),
            table(
                {
                    "strength": Key(number("a number from 0", least=0), "The factor.", required=True),
                    "half": Key(flag(), "Whether the penalty is strength/2 Σw² (default) or strength Σw²."),
                }
            ),
        ),
        "A penalty on the weights.",
    ),
    "reduction": Key(word(("mean", "sum")), "How the losses of a batch are put together (default mean)."),
    "notation": Key(word(NOTATIONS, what="notation"), "How names are written (default net-out), or matrix."),
    "update": Key(UPDATE, "The update of the parameters; left out: none."),
}

EXPRESSION = COMMON | {
    "output": Key(_plain_name, "The definition whose derivatives are asked for (default: the last one)."),
    "given": Key(entries_of(_plain_name, number(), "a table of numbers"), "The numbers that are given."),
    "symbols": Key(list_of(_plain_name, "a list of names", least=1), "Names without numbers."),
    "define": Key(
        entries_of(_plain_name, _formula, "a table with a formula, a text, for each name", least=1),
        "The definitions, a formula each.",
        required=True,
    ),
}

LOSS_KEYS = COMMON | {
    "loss": Key(LOSS, "The loss, by name or as a table with its parameters.", required=True),
    "predictions": Key(
        either(
            whole(1, 100),
            grid_of(number(), ALL_NUMBERS),
            accepted="a list of numbers, a list of rows (one for each sample), or how many symbolic ones there are",
        ),
        "The outputs of one sample, a row for each sample of a batch; with an activation, what goes into it.",
        required=True,
    ),
    "targets": Key(
        either(
            flag(),
            number(),
            grid_of(number(), ALL_NUMBERS),
            accepted="targets laid out as the predictions, or the class of each sample, counted from 0",
        ),
        "The targets, laid out as the predictions, or the class of each sample; left out: symbols.",
    ),
    "activation": Key(ACTIVATION, "What turns the numbers given as predictions into outputs (softmax, sigmoid)."),
    "reduction": Key(word(("mean", "sum")), "How the losses of a batch are put together (default mean)."),
}

_step_at_zero = either(
    whole(-1, 1), word(("mistake",), what="output"), accepted='0 or 1 (-1, 0 or 1 with targets -1 and 1), or "mistake"'
)

PERCEPTRON = COMMON | {
    "inputs": Key(grid_of(number(), ALL_NUMBERS), "A row for each point; a plain list is one point.", required=True),
    "targets": Key(
        list_of(number("0 or 1, or -1 or 1"), "a list of targets, one for each point", least=1, most=100_000),
        "0 or 1, or -1 or 1, for each point; left out: the points are classified and nothing is learned.",
    ),
    "weights": Key(
        list_of(number(), "a list of numbers, one for each input", least=1), "The weights to start from (default 0)."
    ),
    "bias": Key(number(), "The bias to start from; left out: none."),
    "bias_input": Key(
        number("a number other than 0", nonzero=True), "What the bias is multiplied by: 1, or -1 for a threshold."
    ),
    "learning_rate": Key(number("a number above 0", above=0), "The step size (default 1)."),
    "epochs": Key(whole(1, 1_000_000), "The most epochs; an epoch without a mistake is the last (default 100)."),
    "step_at_zero": Key(_step_at_zero, "The output where the sum is exactly 0 (default 1)."),
    "update": Key(
        word(("difference", "label")),
        "The step: η(y − ŷ)x (difference, default with targets 0 and 1) or ηyx (label, default with -1 and 1).",
    ),
    "order": Key(word(("cycle", "restart")), "Whether the points follow each other (default) or begin again after "
                 "each update."),
    "input_names": Key(list_of(_plain_name, "a list of names", least=1), "The names of the inputs (default x1, …)."),
    "weight_names": Key(list_of(_plain_name, "a list of names", least=1), "The names of the weights (default w1, …)."),
    "bias_name": Key(_plain_name, "The name of the bias (default b)."),
    "target_name": Key(_plain_name, "The name of the target (default y)."),
}  # fmt: skip

ACTIVATION_KEYS = COMMON | {
    "activation": Key(ACTIVATION, "A name of the catalogue, a table, or an expression in z.", required=True),
    "at": Key(
        grid_of(number(), ALL_NUMBERS),
        "The points: numbers, or vectors for softmax, log-softmax and maxout; left out: usual ones.",
    ),
}

TRAINING = COMMON | {
    "samples": Key(whole(1, 10**12), "How many samples there are.", required=True),
    "batch": Key(whole(1, 10**12), "How many samples a batch has.", required=True),
    "epochs": Key(whole(1, 10**12), "How often all samples are gone through (default 1)."),
    "drop_last": Key(flag(), "Whether a last batch that is too short is left out (default false)."),
}

OPTIMIZER_RUN = COMMON | OPTIMIZER_KEYS | {
    "learning_rate": Key(number("a number above 0", above=0), "The step size.", required=True),
    "parameters": Key(
        entries_of(_plain_name, number(), "a table of numbers, such as { w = 0.5 }", least=1, most=100),
        "The parameters and what they start from.",
        required=True,
    ),
    "gradients": Key(grid_of(number(), ALL_NUMBERS), "A row for each step: the gradient of each parameter."),
    "objective": Key(_formula, "What is made small: a formula in the parameters, whose gradient is derived."),
    "steps": Key(whole(1, 10_000), "How many updates are made on an objective (default 1)."),
}

INITIALIZER_NAME = word(tuple(INITIALIZERS), also=OTHER_INITIALIZERS, what="initializer")
_initializer = either(
    INITIALIZER_NAME,
    entries_of(text(60), either(number(), text(60)), 'a table {name = "…", parameter = number}'),
    accepted=f'{INITIALIZER_NAME.accepted}, or a table such as {{name = "he-normal", slope = 0.1}}',
)
_initializer_schema: Schema = {
    "anyOf": [
        INITIALIZER_NAME.schema,
        {
            "type": "object",
            "properties": {"name": INITIALIZER_NAME.schema},
            "required": ["name"],
            "additionalProperties": {"type": "number"},
        },
    ]
}

INITIALIZER = {key: entry for key, entry in COMMON.items() if key != "vary"} | {
    "initializer": Key(
        Shape(_initializer.accepted, _initializer_schema, _initializer.takes, _initializer.read),
        "The initializer, by name or as a table with its parameters.",
        required=True,
    ),
    "fan_in": Key(whole(1, 1_000_000), "How many inputs a neuron of the layer has.", required=True),
    "fan_out": Key(whole(1, 1_000_000), "How many neurons the layer has.", required=True),
    "samples": Key(whole(1, 10_000), "How many random inputs the experiment has (default 200)."),
    "seed": Key(whole(0, 2**32 - 1), "The seed of the random numbers, from PCG64 (default 1)."),
    "layers": Key(whole(1, 100), "How many layers the experiment goes through (default 10)."),
    "width": Key(whole(2, 2000), "How wide these layers are (default 256)."),
}

BY_KIND: dict[str, dict[str, Key]] = {
    "network": NETWORK, "expression": EXPRESSION, "activation": ACTIVATION_KEYS, "loss": LOSS_KEYS,
    "perceptron": PERCEPTRON, "training": TRAINING, "optimizer": OPTIMIZER_RUN,
    "initializer": INITIALIZER,
}  # fmt: skip


def schema_of(kind: str) -> dict[str, Any]:
    return dict(table(BY_KIND[kind]).schema)
