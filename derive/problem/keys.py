"""The keys of problem files: one table for each kind, from which files are read and the JSON Schema is made."""

from __future__ import annotations

import re
from typing import Any

from derive.catalogue.activations import ACTIVATIONS
from derive.catalogue.losses import LOSSES
from derive.formula.grammar import FUNCTIONS
from derive.numbers.rounding import MOST_DIGITS
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

KINDS = ("network", "expression")
LATER_KINDS = ("perceptron", "activation", "loss", "optimizer")
NOTATIONS = ("net-out", "z-a")
OPTIMIZERS = ("sgd",)
LATER_OPTIMIZERS = ("momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw", "nadam")
VARY_GROUPS = ("weights", "inputs", "biases", "targets", "learning_rate")
RESERVED = frozenset((*FUNCTIONS, "log", "softmax", "if", "else", "σ"))
"""Words of the grammar: no quantity can have one of these names."""

OTHER_ACTIVATIONS = {
    "logistic": "sigmoid", "identity": "linear", "none": "linear", "lrelu": "leaky-relu", "rectifier": "relu",
}  # fmt: skip
OTHER_LOSSES = {
    "mse": "mean-squared-error", "sse": "squared-error", "half-sse": "half-squared-error",
    "bce": "binary-cross-entropy", "log-loss": "binary-cross-entropy", "categorical-cross-entropy": "cross-entropy",
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


_activation_name = checked_text(in_words(ACTIVATIONS), {"enum": list(ACTIVATIONS)}, _known_activation)
_activation_table = entries_of(text(60), either(number(), text(2000)), 'a table {name = "…", parameter = number}')
_activation_schema: Schema = {
    "anyOf": [
        {"enum": list(ACTIVATIONS)},
        {"type": "string", "pattern": r"(^|[^A-Za-z0-9_])z($|[^A-Za-z0-9_])"},
        {
            "type": "object",
            "properties": {"name": {"enum": list(ACTIVATIONS)}},
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
    """A group, a name, or an entry such as x1[2] or W1[300,17]."""
    return name_fault(value.partition("[")[0], digits=True)


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

COMMON = {
    "title": Key(text(200), "The heading of the page."),
    "kind": Key(word(KINDS, later=LATER_KINDS, what="kind"), "What the file describes (default network)."),
    "topic": Key(text(60), "A word under which the problem is listed."),
    "ask": Key(list_of(_quantity, "a list of quantities"), 'The quantities that are asked for, such as "dE/dw5".'),
    "rounding": Key(ROUNDING, "How numbers are shown."),
    "vary": Key(VARY, "How given numbers vary from student to student."),
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

OPTIMIZER = either(
    word(OPTIMIZERS, later=LATER_OPTIMIZERS, what="optimizer"),
    table({"name": Key(word(OPTIMIZERS, later=LATER_OPTIMIZERS, what="optimizer"), "The optimizer.", required=True)}),
)

UPDATE = table(
    {
        "optimizer": Key(OPTIMIZER, "The rule of the update (default sgd: gradient descent)."),
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
    "loss": Key(word(tuple(LOSSES), also=OTHER_LOSSES, what="loss"), "The loss (default half-squared-error)."),
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
    "notation": Key(word(NOTATIONS, later=("matrix",), what="notation"), "How names are written (default net-out)."),
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

BY_KIND: dict[str, dict[str, Key]] = {"network": NETWORK, "expression": EXPRESSION}


def schema_of(kind: str) -> dict[str, Any]:
    return dict(table(BY_KIND[kind]).schema)
