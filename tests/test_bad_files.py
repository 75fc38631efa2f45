"""Broken problem files: each is refused with the places of all its mistakes, and with nothing besides."""

from __future__ import annotations

import io
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.errors import ProblemError
from derive.problem.file import MOST_BYTES, find, from_dict, load, loads, new

NEURON = """
inputs = [1, 2]
[[layers]]
neurons = 1
activation = "sigmoid"
weights = [0.1, 0.2]
bias = 0.3
"""

TWO = """
inputs = [1, 2]
targets = [0.5]
[[layers]]
neurons = ["h1", "h2"]
activation = "sigmoid"
weights = [[0.1, 0.2], [0.3, 0.4]]
bias = 0.5
[[layers]]
neurons = ["o1"]
activation = "linear"
weights = [[0.6, 0.7]]
bias = 0.8
[update]
learning_rate = 0.5
"""

EXPRESSION = """
kind = "expression"
[given]
x = 2
[define]
q = "x + 1"
f = "q^2"
"""


def changed(text: str, *exchanges: tuple[str, str]) -> str:
    for old, new_text in exchanges:
        assert old in text
        text = text.replace(old, new_text, 1)
    return text


def neuron(old: str, new_text: str) -> str:
    return changed(NEURON, (old, new_text))


def two(*exchanges: tuple[str, str]) -> str:
    return changed(TWO, *exchanges)


def expression(old: str, new_text: str) -> str:
    return changed(EXPRESSION, (old, new_text))


WEIGHTS = "weights = [[0.1, 0.2], [0.3, 0.4]]"
INPUTS = "inputs = [1, 2]"

# the name of the case: the text, then the place and a word of each mistake, in the order of the file
CASES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    # words
    "misspelt activation": (neuron('"sigmoid"', '"sigmod"'), [("layers[1].activation", 'did you mean "sigmoid"')]),
    "activation in capitals": (neuron('"sigmoid"', '"ReLU"'), [("layers[1].activation", 'did you mean "relu"')]),
    "activation with underscore": (neuron('"sigmoid"', '"leaky_relu"'), [("layers[1].activation", '"leaky-relu"')]),
    "activation by another name": (neuron('"sigmoid"', '"logistic"'), [("layers[1].activation", 'mean "sigmoid"')]),
    "misspelt loss": (two((INPUTS, INPUTS + '\nloss = "half-square-error"')), [("loss", '"half-squared-error"')]),
    "loss by another name": (two((INPUTS, INPUTS + '\nloss = "MSE"')), [("loss", '"mean-squared-error"')]),
    "misspelt key": (neuron("inputs", "input"), [("input", 'mean "inputs"'), ("inputs", "missing")]),
    "misspelt key in a layer": (
        neuron("neurons", "neuron"),
        [("layers[1].neuron", '"neurons"'), ("layers[1].neurons", "missing")],
    ),
    "unknown key": (NEURON + "colour = 1\n", [("layers[1].colour", "unknown key")]),
    "unknown table": (NEURON + "[training]\nepochs = 1\n", [("training", "unknown key")]),
    "unknown kind": ('kind = "netwrok"\n' + NEURON, [("kind", 'mean "network"')]),
    "misspelt notation": ('notation = "matrx"\n' + NEURON, [("notation", 'mean "matrix"')]),
    "misspelt adaptive optimizer": (TWO + 'optimizer = "adm"\n', [("update.optimizer", 'mean "adam"')]),
    "misspelt optimizer": (TWO + 'optimizer = "sdg"\n', [("update.optimizer", 'mean "sgd"')]),
    "misspelt reduction": ('reduction = "men"\n' + NEURON, [("reduction", 'mean "mean"')]),
    "misspelt carry": (NEURON + '[rounding]\ncarry = "display"\n', [("rounding.carry", 'mean "displayed"')]),
    "misspelt weights_by": (
        neuron("bias", 'weights_by = "neurons"\nbias'),
        [("layers[1].weights_by", 'mean "neuron"')],
    ),
    # types
    "title is a number": ("title = 5\n" + NEURON, [("title", "the number 5")]),
    "kind is a list": ('kind = ["network"]\n' + NEURON, [("kind", "a list of 1")]),
    "inputs are texts": (neuron("[1, 2]", '["a", 2]'), [("inputs[1]", 'the text "a"')]),
    "inputs are a date": (neuron("[1, 2]", "[1979-05-27, 2]"), [("inputs[1]", "a date")]),
    "inputs are true": (neuron("[1, 2]", "true"), [("inputs", "true")]),
    "inputs hold true": (neuron("[1, 2]", "[true, 2]"), [("inputs[1]", "true")]),
    "inputs are a fraction": (neuron("[1, 2]", "2.5"), [("inputs", "2.5")]),
    "no inputs": (neuron("[1, 2]", "[]"), [("inputs", "an empty list")]),
    "no input": (neuron("[1, 2]", "0"), [("inputs", "the number 0")]),
    "an empty row": (neuron("[1, 2]", "[[]]"), [("inputs[1]", "an empty list")]),
    "rows and numbers": (neuron("[1, 2]", "[[1, 2], 3]"), [("inputs[2]", "the number 3")]),
    "rows too deep": (neuron("[1, 2]", "[[[1, 2]]]"), [("inputs[1][1]", "a list of 2")]),
    "layers is a table": ('inputs = 2\n[layers]\nneurons = 1\nactivation = "relu"\n', [("layers", "a table")]),
    "layers is a number": ("inputs = 2\nlayers = 3\n", [("layers", "the number 3")]),
    "no layers": ("inputs = [1, 2]\n", [("layers", "missing")]),
    "empty layers": ("inputs = [1, 2]\nlayers = []\n", [("layers", "an empty list")]),
    "an empty layer": (
        "inputs = [1]\n[[layers]]\n",
        [("layers[1].neurons", "missing"), ("layers[1].activation", "missing")],
    ),
    "a layer without neurons": (neuron("neurons = 1", "neurons = []"), [("layers[1].neurons", "an empty list")]),
    "minus one neuron": (neuron("neurons = 1", "neurons = -1"), [("layers[1].neurons", "-1")]),
    "a billion neurons": (neuron("neurons = 1", "neurons = 1000000000"), [("layers[1].neurons", "10000")]),
    "too many weights": (
        'inputs = 10000\n[[layers]]\nneurons = 10000\nactivation = "relu"\n',
        [("layers[1].neurons", "100000000 weights")],
    ),
    "bias is a text": (neuron("bias = 0.3", 'bias = "0.3"'), [("layers[1].bias", 'the text "0.3"')]),
    "update is a number": (
        changed(TWO, ("[update]\nlearning_rate = 0.5", ""), ("inputs", "update = 1\ninputs")),
        [("update", "the number 1")],
    ),
    "empty file": ("", [("inputs", "missing"), ("layers", "missing")]),
    # numbers
    "not a number": (neuron("[1, 2]", "[nan, 2]"), [("inputs[1]", "NaN")]),
    "infinity": (neuron("0.1", "inf"), [("layers[1].weights[1]", "Infinity")]),
    "minus infinity": (neuron("0.3", "-inf"), [("layers[1].bias", "-Infinity")]),
    "1e400": (neuron("0.1", "1e400"), [("layers[1].weights[1]", "too large")]),
    "1e-400": (neuron("0.1", "1e-400"), [("layers[1].weights[1]", "too small")]),
    "0e-999999": (neuron("0.1", "0e-999999"), [("layers[1].weights[1]", "too small")]),
    "a whole number beyond 1e300": (neuron("0.1", "1" + "0" * 310), [("layers[1].weights[1]", "beyond 1e300")]),
    "a whole number of 5000 digits": (neuron("0.1", "7" * 5000), [("", "thousands of digits")]),
    "an exponent out of this world": (neuron("0.1", "1e99999999999999999999"), [("", "too large")]),
    "61 digits": (neuron("0.1", "0." + "1" * 61), [("layers[1].weights[1]", "60 digits")]),
    "61 digits before the point": (neuron("0.1", "1" * 61), [("layers[1].weights[1]", "61 digits")]),
    "learning rate zero": (two(("learning_rate = 0.5", "learning_rate = 0")), [("update.learning_rate", "above 0")]),
    "no learning rate": (two(("learning_rate = 0.5", "steps = 2")), [("update.learning_rate", "missing")]),
    "no steps": (TWO + "steps = 0\n", [("update.steps", "from 1")]),
    "half a step": (TWO + "steps = 1.5\n", [("update.steps", "whole number")]),
    "bias input zero": (NEURON + "bias_input = 0\n", [("layers[1].bias_input", "other than 0")]),
    "negative penalty": ("l2 = -1\n" + NEURON, [("l2", "from 0")]),
    "decimals and significant": (
        NEURON + "[rounding]\ndecimals = 2\nsignificant = 3\n",
        [("rounding.significant", "one of")],
    ),
    "minus two decimals": (NEURON + "[rounding]\ndecimals = -2\n", [("rounding.decimals", "-2")]),
    # sizes
    "too few weights": (neuron("[0.1, 0.2]", "[0.1]"), [("layers[1].weights", "a row of 2")]),
    "too many rows": (two((WEIGHTS, "weights = [[1, 2], [3, 4], [5, 6]]")), [("layers[1].weights", "3 rows")]),
    "uneven rows": (two((WEIGHTS, "weights = [[1, 2], [3]]")), [("layers[1].weights[2]", "a row of 1")]),
    "a plain list for two neurons": (two((WEIGHTS, "weights = [1, 2, 3, 4]")), [("layers[1].weights", "2 rows of 2")]),
    "turned weights": (
        changed(TWO, ("[1, 2]", "[1, 2, 3]"), (WEIGHTS, "weights = [[1, 2], [3, 4], [5, 6]]")),
        [("layers[1].weights", 'weights_by = "input"')],
    ),
    "uneven rows by input": (
        two((WEIGHTS, 'weights_by = "input"\nweights = [[1, 2], [3]]')),
        [
            ("layers[1].weights[2]", "a row of 2"),
        ],
    ),
    "uneven samples": (neuron("[1, 2]", "[[1, 2], [3]]"), [("inputs[2]", "a row of 1")]),
    "too many targets": (two(("targets = [0.5]", "targets = [0.5, 0.6]")), [("targets", "a list of 1")]),
    "targets of another batch": (two((INPUTS, "inputs = [[1, 2], [3, 4]]")), [("targets", "targets for 2")]),
    "a row of targets too many": (two(("[0.5]", "[[0.5], [0.6]]")), [("targets", "targets for 1")]),
    "too many biases": (two(("bias = 0.5", "bias = [1, 2, 3]")), [("layers[1].bias", "a list of 2")]),
    "samples beside numbers": ("samples = 3\n" + NEURON, [("samples", "3 beside 1")]),
    "too many input names": ('input_names = ["a", "b", "c"]\n' + NEURON, [("input_names", "a list of 2")]),
    "too many target names": (two((INPUTS, INPUTS + '\ntarget_names = ["a", "b"]')), [("target_names", "a list of 1")]),
    "too few bias names": (two(("bias = 0.5", 'bias = [1, 2]\nbias_names = ["b1"]')), [("layers[1].bias_names", "2")]),
    "softmax of one": (neuron('"sigmoid"', '"softmax"'), [("layers[1].activation", '"sigmoid"')]),
    # names
    "TeX in a name": ('input_names = ["\\\\input{x}", "b"]\n' + NEURON, [("input_names[1]", "hours_studied")]),
    "HTML in a name": ('input_names = ["<script>", "b"]\n' + NEURON, [("input_names[1]", "letters, digits")]),
    "a space in a name": (
        neuron("neurons = 1", 'neurons = ["my neuron"]'),
        [("layers[1].neurons[1]", "letters, digits")],
    ),
    "an empty name": (neuron("neurons = 1", 'neurons = [""]'), [("layers[1].neurons[1]", "an empty name")]),
    "a long name": (neuron("neurons = 1", f'neurons = ["{"n" * 41}"]'), [("layers[1].neurons[1]", "41 characters")]),
    "a control character in a name": (
        neuron("neurons = 1", 'neurons = ["a\\u001b[2J"]'),
        [("layers[1].neurons[1]", "\\x1b")],
    ),
    "a name that begins with a digit": ('input_names = ["2nd", "b"]\n' + NEURON, [("input_names[1]", "2nd")]),
    "a function's name": ('input_names = ["exp", "b"]\n' + NEURON, [("input_names[1]", "name of a function")]),
    "the name E": ('input_names = ["E", "b"]\n' + NEURON, [("input_names[1]", "kept for")]),
    "a computed name": ('input_names = ["net_h1", "b"]\n' + NEURON, [("input_names[1]", "kept for")]),
    "an updated name": ('input_names = ["w_new", "b"]\n' + NEURON, [("input_names[1]", "kept for")]),
    "two inputs of one name": ('input_names = ["a", "a"]\n' + NEURON, [("input_names[2]", "input_names[1]")]),
    "two neurons of one name": (two(('["o1"]', '["h1"]')), [("layers[2].neurons[1]", "layers[1].neurons[1]")]),
    "an input called like a weight": ('input_names = ["w1", "b"]\n' + NEURON, [("input_names[1]", "numbered")]),
    "an input called like a digit and its quantity": (
        'input_names = ["1", "x1"]\n' + NEURON,
        [("input_names[2]", '"x1"')],
    ),
    "a target called like an input": (
        'input_names = ["y", "b"]\n' + TWO,
        [("input_names[1]", "of the target at targets")],
    ),
    "a shared weight with two values": (
        two((WEIGHTS, WEIGHTS + '\nweight_names = [["u", "v"], ["u", "w"]]')),
        [("layers[1].weights[2][1]", "layers[1].weights[1][1]")],
    ),
    "a weight called like a numbered one": (
        two((WEIGHTS, WEIGHTS + '\nweight_names = [["w3", "w4"], ["w5", "w6"]]')),
        [("layers[1].weight_names[2][1]", "numbered"), ("layers[1].weight_names[2][2]", "numbered")],
    ),
    "a bias called like a weight": (
        neuron("bias", 'bias_names = "w1"\nbias'),
        [("layers[1].bias_names[1]", "of the weight")],
    ),
    "a weight without connection": (
        two((WEIGHTS, WEIGHTS + '\nweight_names = [["u", ""], ["v", "w"]]')),
        [("layers[1].weights[1][2]", "no connection")],
    ),
    "a gap without names": (neuron("[0.1, 0.2]", '[0.1, ""]'), [("layers[1].weights[2]", "weight_names")]),
    "a name without a weight": (
        neuron("[0.1, 0.2]", '[0.1, ""]\nweight_names = ["u", "v"]'),
        [("layers[1].weights[2]", "no number")],
    ),
    "a neuron that nothing feeds": (
        neuron("[0.1, 0.2]", '[0, 0]\nweight_names = ["", ""]'),
        [("layers[1].weight_names", "nothing")],
    ),
    "a bias of a neuron without one": (
        neuron("bias = 0.3", 'bias = [0.3]\nbias_names = [""]'),
        [("layers[1].bias[1]", "without one")],
    ),
    "names of no biases": (neuron("bias = 0.3", 'bias = false\nbias_names = "b"'), [("layers[1].bias_names", "false")]),
    "bias input without bias": (neuron("bias = 0.3", "bias_input = -1"), [("layers[1].bias_input", "without a bias")]),
    "frozen and unknown": (TWO + 'frozen = ["b1", "b3"]\n', [("update.frozen[2]", '"b3"')]),
    "an update without targets": (two(("targets = [0.5]\n", "")), [("update", "without targets")]),
    "a control character in the title": ('title = "a\\u0007b"\n' + NEURON, [("title", "U+0007")]),
    "a long title": (f'title = "{"t" * 201}"\n' + NEURON, [("title", "201 characters")]),
    "prose in a list": (NEURON + '[prose]\ncontext = ["a"]\n', [("prose.context", "a list of 1")]),
    "a control character in the prose": (NEURON + '[prose]\ncontext = "a\\u0000"\n', [("prose.context", "U+0000")]),
    "a question that is none": ('ask = ["<b>"]\n' + NEURON, [("ask[1]", "<b>")]),
    # activations
    "an unknown parameter": (neuron('"sigmoid"', '{name = "elu", alfa = 1}'), [("layers[1].activation.alfa", "alpha")]),
    "a parameter of sigmoid": (
        neuron('"sigmoid"', '{name = "sigmoid", alpha = 1}'),
        [("layers[1].activation.alpha", "no parameters")],
    ),
    "a parameter that is a text": (
        neuron('"sigmoid"', '{name = "elu", alpha = "a"}'),
        [("layers[1].activation.alpha", "a number")],
    ),
    "a misspelt name in a table": (neuron('"sigmoid"', '{name = "eluu"}'), [("layers[1].activation.name", '"elu"')]),
    "an empty activation": (neuron('"sigmoid"', "{}"), [("layers[1].activation", "neither")]),
    "no activation": (neuron('activation = "sigmoid"\n', ""), [("layers[1].activation", "missing")]),
    "an unreadable expression": (neuron('"sigmoid"', '"z/(1 + exp(-z)"'), [("layers[1].activation", "column")]),
    "an expression with a stranger": (neuron('"sigmoid"', '"z + k"'), [("layers[1].activation", '"k"')]),
    "code for an expression": (
        neuron('"sigmoid"', "\"__import__('os').system(z)\""),
        [("layers[1].activation", "column")],
    ),
    "a tower of powers": (neuron('"sigmoid"', f'"z^{"(" * 100}9{")" * 100}"'), [("layers[1].activation", "deep")]),
    "a derivative with a stranger": (
        neuron('"sigmoid"', '{expression = "z^2", derivative = "2*y"}'),
        [("layers[1].activation.derivative", '"y"')],
    ),
    # variation
    "vary a stranger": (NEURON + "[vary]\nw3 = {choose = [1]}\n", [("vary.w3", '"w3"')]),
    "vary the learning rate without update": (
        NEURON + "[vary]\nlearning_rate = {choose = [1]}\n",
        [("vary.learning_rate", "given")],
    ),
    "vary backwards": (NEURON + "[vary]\nw1 = {from = 1, to = 0, step = 0.1}\n", [("vary.w1.to", "below")]),
    "vary in no steps": (NEURON + "[vary]\nw1 = {from = 0, to = 1, step = 0}\n", [("vary.w1.step", "above 0")]),
    "vary without step": (NEURON + "[vary]\nw1 = {from = 0, to = 1}\n", [("vary.w1", "step")]),
    "vary and choose": (NEURON + "[vary]\nw1 = {from = 0, to = 1, step = 1, choose = [1]}\n", [("vary.w1", "choose")]),
    "vary in a million steps": (
        NEURON + "[vary]\nw1 = {from = 0, to = 1, step = 0.000001}\n",
        [("vary.w1", "1000001 values")],
    ),
    "vary by a number": (NEURON + "[vary]\nw1 = 3\n", [("vary.w1", "the number 3")]),
    "choose nothing": (NEURON + "[vary]\nw1 = {choose = []}\n", [("vary.w1.choose", "an empty list")]),
    # expressions
    "nothing defined": ('kind = "expression"\n[given]\nx = 1\n', [("define", "missing")]),
    "an empty define": (expression('q = "x + 1"\nf = "q^2"', ""), [("define", "an empty table")]),
    "a circle": (expression('"x + 1"', '"f + 1"'), [("define.q", "q -> f -> q")]),
    "a definition of itself": (expression('"x + 1"', '"q + 1"'), [("define.q", "q -> q")]),
    "two circles": (
        EXPRESSION + 'a = "b"\nb = "a"\nc = "c + a"\n',
        [("define.a", "a -> b -> a"), ("define.c", "c -> c")],
    ),
    "an unknown name": (expression('"q^2"', '"qq^2"'), [("define.f", 'mean "q"')]),
    "two unknown names": (expression('"q^2"', '"u*q + v"'), [("define.f", '"u"'), ("define.f", '"v"')]),
    "an unknown function": (expression('"q^2"', '"sinus(q)"'), [("define.f", "column")]),
    "an unreadable formula": (expression('"q^2"', '"q +* 2"'), [("define.f", "column")]),
    "a formula that is a number": (expression('"q^2"', "2"), [("define.f", "the number 2")]),
    "given and defined": (expression("x = 2", "x = 2\nq = 3"), [("given.q", "define.q")]),
    "given and symbol": ('symbols = ["x"]\n' + EXPRESSION, [("symbols[1]", "given.x")]),
    "an output that is not defined": ('output = "g"\n' + EXPRESSION, [("output", '"g"')]),
    "a given text": (expression("x = 2", 'x = "2"'), [("given.x", 'the text "2"')]),
    "a given infinity": (expression("x = 2", "x = inf"), [("given.x", "Infinity")]),
    "a hostile given": (expression("x = 2", 'x = 2\n"<b>" = 3'), [('given."<b>"', "letters")]),
    "a key of the other kind": ("inputs = 2\n" + EXPRESSION, [("inputs", "unknown key")]),
    # not TOML
    "prose instead of TOML": ("two inputs, one neuron", [("line 1, column 5", "not TOML")]),
    "an open bracket": ("inputs = [1, 2\n[[layers]]\n", [("line 2, column 1", "not TOML")]),
    "a key twice": ("inputs = 1\ninputs = 2\n", [("line 2, column 11", "not TOML")]),
    "an open text": ('title = "abc\n', [("line 1, column 13", "not TOML")]),
    "JSON": ('{"inputs": [1, 2]}', [("line 1, column 1", "not TOML")]),
    "brackets a thousand deep": ("inputs = " + "[" * 100_000 + "]" * 100_000, [("", "nested too deeply")]),
    "a key of a million parts": ("a" + ".a" * 1_000_000 + " = 1", [("", "64 parts")]),
    "a key of a thousand quoted parts": ("a" + '."b c"' * 1000 + " = 1", [("", "64 parts")]),
    "more than 5 MB": ("# " + "x" * MOST_BYTES, [("", "5 MB")]),
    "a hundred layers too many": ("inputs = 1\n" + "[[layers]]\n" * 200, [("layers", "at most 100")]),
    # several at once
    "several at once": (
        two(
            (INPUTS, 'titel = "t"\ninputs = [nan, 2]'),
            ('"sigmoid"', '"sigmod"'),
            ("[0.3, 0.4]", '["a", 0.4]'),
            ("bias = 0.8", "bias = inf"),
            ("learning_rate = 0.5", 'learning_rate = -1\nfrozen = "b1"'),
        ),
        [
            ("titel", "title"),
            ("inputs[1]", "NaN"),
            ("layers[1].activation", "sigmoid"),
            ("layers[1].weights[2][1]", "a number"),
            ("layers[2].bias", "Infinity"),
            ("update.learning_rate", "above 0"),
            ("update.frozen", "a list"),
        ],
    ),
    "several sizes at once": (
        two(
            ("targets = [0.5]", "targets = [0.5, 1]"),
            ("[0.3, 0.4]", "[0.3]"),
            ("bias = 0.5", "bias = [0.5]"),
            ("[[0.6, 0.7]]", "[[0.6]]"),
        ),
        [("targets", "1"), ("layers[1].weights[2]", "1"), ("layers[1].bias", "2"), ("layers[2].weights[1]", "2")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_mistake_is_reported_with_its_place_and_nothing_besides(name: str) -> None:
    text, expected = CASES[name]
    with pytest.raises(ProblemError) as caught:
        loads(text, "broken.toml")
    mistakes = caught.value.mistakes
    assert [mistake.place for mistake in mistakes] == [place for place, _ in expected], "\n".join(map(str, mistakes))
    for mistake, (_, word) in zip(mistakes, expected, strict=True):
        assert word in str(mistake)
        assert mistake.found
        assert mistake.accepted
    assert str(caught.value).startswith("broken.toml: ")
    assert all(char.isprintable() or char == "\n" for char in str(caught.value))
    assert len(str(caught.value)) < 500 * len(expected)


def test_the_files_that_are_broken_here_are_right_before() -> None:
    for text in (NEURON, TWO, EXPRESSION):
        loads(text)


def test_there_are_enough_broken_files() -> None:
    assert len(CASES) >= 80


FILES = {
    "zeros": (b"inputs = [1]\0\0\0", "binary"),
    "PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
    "Latin-1": ('title = "Gewicht für x"'.encode("latin-1"), "line 1: the byte 0xfc, which is not UTF-8"),
    "UTF-16": (NEURON.encode("utf-16"), "UTF-16"),
    "more than 5 MB": (b"#" * (MOST_BYTES + 1), "5 MB"),
    "random bytes": (bytes(range(128, 256)), "not UTF-8"),
}


@pytest.mark.parametrize("name", FILES)
def test_bytes_that_are_no_text(name: str, tmp_path: Path) -> None:
    content, word = FILES[name]
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ProblemError, match=word) as caught:
        load(path)
    assert len(caught.value.mistakes) == 1


def test_a_sparse_file_of_100_mb_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.toml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(ProblemError, match="5 MB"):
        load(path)


PLACES = {
    "a folder": (".", "a folder"),
    "nothing": ("nowhere/at-all.toml", "no such file"),
    "a misspelt bundled name": ("mazur-2-2", 'did you mean "mazur-2-2-2"'),
    "a path with NUL": ("a\0b", "cannot be read"),
    "a path that is too long": ("a" * 5000, "cannot be read"),
    "a file as a folder": (f"{__file__}/x", "cannot be read"),
}


@pytest.mark.parametrize("name", PLACES)
def test_places_without_a_file(name: str) -> None:
    where, word = PLACES[name]
    with pytest.raises(ProblemError, match=word):
        find(where)


def test_standard_input_is_limited_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        buffer = io.BytesIO(b"#" * (MOST_BYTES + 10))

    monkeypatch.setattr("sys.stdin", Stream())
    with pytest.raises(ProblemError, match=r"-: a file of more than 5 MB"):
        find("-")


@pytest.mark.parametrize(
    "data",
    [
        {"inputs": [float("nan")], "layers": [{"neurons": 1, "activation": "relu"}]},
        {"inputs": [1], "layers": [{"neurons": 1, "activation": object()}]},
        {"inputs": [None], "layers": [{"neurons": 1, "activation": "relu"}]},
        {1: 2},
        {"kind": "expression", "given": {1: 2}, "define": {"f": "2"}},
        {"kind": None},
        {"inputs": [1j], "layers": {}},
    ],
)
def test_values_that_no_file_could_hold(data: dict[object, object]) -> None:
    with pytest.raises(ProblemError):
        from_dict(data)  # type: ignore[arg-type]


def test_a_list_is_no_problem() -> None:
    with pytest.raises(ProblemError, match="a list of 1"):
        from_dict([1])  # type: ignore[arg-type]


def test_a_thousand_mistakes_are_enough() -> None:
    with pytest.raises(ProblemError, match="more mistakes") as caught:
        loads(f"inputs = [{', '.join(['nan'] * 5000)}]\n" + NEURON.replace("inputs = [1, 2]", ""))
    assert len(caught.value.mistakes) == 1001


def test_a_flood_of_mistakes_takes_no_time() -> None:
    text = TWO + "frozen = [" + ", ".join(f'"w{i}"' for i in range(100, 10_000)) + "]\n"
    keys = "".join(f"unknown_{i} = 1\n" for i in range(50_000))
    for flood in (text, keys + NEURON):
        start = time.process_time()
        with pytest.raises(ProblemError, match="more mistakes"):
            loads(flood)
        assert time.process_time() - start < 5


def test_a_new_file_of_an_unknown_kind() -> None:
    with pytest.raises(ProblemError, match="perceptron"):
        new("perceptrons")


def _values() -> st.SearchStrategy[Any]:
    words = ["h1", "", "w1", "b1", "x1", "y", "relu", "softmax", "z^2", "z", "input", "expression", "E", "1", "q", "f"]
    leaves = st.one_of(
        st.integers(-2, 3), st.booleans(), st.sampled_from(words), st.floats(), st.text(max_size=3), st.none()
    )
    return leaves | st.lists(leaves, max_size=3) | st.dictionaries(st.sampled_from(words), leaves, max_size=3)


def _places(data: Any) -> list[tuple[Any, Any]]:
    """Every container in the data with every key or index in it."""
    if not isinstance(data, (dict, list)):
        return []
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    return [(data, key) for key in keys] + [found for key in keys for found in _places(data[key])]


@settings(max_examples=100)
@given(st.data())
def test_a_value_exchanged_for_anything_is_read_or_refused(data: st.DataObject) -> None:
    problem = tomllib.loads(data.draw(st.sampled_from([TWO, EXPRESSION, new("network"), new("expression")])))
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(_places(problem)))
        holder[key] = data.draw(_values())
    try:
        from_dict(problem)
    except ProblemError as error:
        assert error.mistakes  # noqa: PT017  (both outcomes are right)


@given(st.data())
def test_a_text_with_anything_in_it_is_read_or_refused(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([TWO, EXPRESSION]))
    at = data.draw(st.integers(0, len(text)))
    try:
        loads(text[:at] + data.draw(st.text(max_size=5)) + text[at + data.draw(st.integers(0, 5)) :])
    except ProblemError as error:
        assert error.mistakes  # noqa: PT017  (both outcomes are right)
