"""What a right problem file says: names, numbers, sharing, layouts, symbols and the bundled problems."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tomllib
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.formula.expression import Name, Number, Product, Sum
from derive.numbers.rounding import Rounding
from derive.problem.file import BUNDLED, bundled, find, from_dict, load, loads, new, schema
from derive.problem.model import Definitions, Network, Penalty, Problem
from derive.problem.topics import TOPICS

LAYER: dict[str, Any] = {"neurons": 1, "activation": "sigmoid"}


def network(problem: Problem) -> Network:
    assert isinstance(problem.body, Network)
    return problem.body


def written(problem: Problem) -> dict[str, str]:
    return {name: value.written for name, value in problem.given.items()}


def one_neuron(**keys: Any) -> Problem:
    return from_dict({"inputs": [1, 2], "layers": [{**LAYER, **keys}]})


# -- names and numbers


def test_the_network_of_the_lecture_notes() -> None:
    problem = find("backprop-2-2-1")
    assert written(problem) == {
        "x1": "0.05", "x2": "0.10", "w1": "0.15", "w2": "0.20", "w3": "0.25", "w4": "0.30", "b1": "0.35",
        "w5": "0.40", "w6": "0.45", "b2": "0.60", "y": "0.01",
    }  # fmt: skip
    body = network(problem)
    assert [layer.neurons for layer in body.layers] == [("h1", "h2"), ("o1",)]
    assert [layer.biases for layer in body.layers] == [("b1", "b1"), ("b2",)]
    assert list(body.layers[0].weights) == ["w1", "w2", "w3", "w4"]
    assert body.loss.name == "half-squared-error"
    assert problem.update is not None
    assert problem.update.frozen == ("b1", "b2")
    assert problem.rounding == Rounding(decimals=5)
    assert problem.kind == "network"


def test_a_number_is_what_was_written() -> None:
    text = "inputs = [0.10, 1e-3, 1_000, -0.0, +2.50, 3]\n[[layers]]\nneurons = 1\nactivation = 'relu'\n"
    problem = loads(text)
    assert list(written(problem).values()) == ["0.10", "0.001", "1000", "0.0", "2.50", "3"]
    assert problem.given["x1"].value == Fraction(1, 10)
    assert problem.given["x4"].value == 0


@given(st.decimals(min_value=-1000, max_value=1000, allow_nan=False, allow_infinity=False, places=4))
def test_decimals_are_kept_exactly(value: Decimal) -> None:
    problem = loads(f"inputs = [{value}]\n[[layers]]\nneurons = 1\nactivation = 'relu'\n")
    assert problem.given["x1"].value == Fraction(value)
    assert Fraction(problem.given["x1"].written) == Fraction(value)


def test_floats_stand_for_their_shortest_decimals() -> None:
    assert from_dict({"inputs": [0.1], "layers": [LAYER]}).given["x1"] == Number(Fraction(1, 10))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_default_names_are_all_different_and_numbered_in_order(sizes: list[int]) -> None:
    layers = [{"neurons": size, "activation": "tanh", "bias": True} for size in sizes]
    body = network(from_dict({"inputs": 3, "targets": True, "layers": layers}))
    weights = body.weight_names()
    assert weights == tuple(f"w{i}" for i in range(1, len(weights) + 1))
    assert body.bias_names() == tuple(f"b{i}" for i in range(1, sum(sizes) + 1))
    units = [name for layer in body.layers for name in layer.neurons]
    assert len(set(units)) == len(units) == sum(sizes)
    assert body.sizes() == (3, *sizes)
    assert body.targets == (("y",) if sizes[-1] == 1 else tuple(f"y{i}" for i in range(1, sizes[-1] + 1)))


def test_hidden_layers_are_named_layer_first_when_there_are_several() -> None:
    layers = [{"neurons": 2, "activation": "relu"}] * 2 + [LAYER]
    body = network(from_dict({"inputs": 1, "layers": layers}))
    assert [layer.neurons for layer in body.layers] == [("h1_1", "h1_2"), ("h2_1", "h2_2"), ("o1",)]


def test_names_are_overridden() -> None:
    problem = from_dict(
        {
            "inputs": [1, 0, 1],
            "input_names": ["1", "2", "3"],
            "targets": [1],
            "target_names": ["T"],
            "layers": [
                {
                    "neurons": ["4", "5"],
                    "activation": "sigmoid",
                    "weights": [[0.2, 0.4, -0.5], [-0.3, 0.1, 0.2]],
                    "weight_names": [["w14", "w24", "w34"], ["w15", "w25", "w35"]],
                    "bias": [-0.4, 0.2],
                    "bias_names": ["w04", "w05"],
                },
                {"neurons": ["6"], "activation": "sigmoid", "weight_names": ["w46", "w56"], "weights": [-0.3, -0.2]},
            ],
        }
    )
    body = network(problem)
    assert body.inputs == ("x1", "x2", "x3")
    assert body.layers[0].neurons == ("4", "5")
    assert body.parameters() == ("w14", "w24", "w34", "w15", "w25", "w35", "w04", "w05", "w46", "w56")
    assert written(problem)["w15"] == "-0.3"
    assert written(problem)["T"] == "1"


def test_a_neuron_may_be_called_like_its_target_or_with_greek_letters() -> None:
    body = network(
        from_dict({"inputs": [1], "input_names": ["θ"], "targets": [1], "layers": [{**LAYER, "neurons": ["y"]}]})
    )
    assert (body.inputs, body.targets, body.layers[0].neurons) == (("θ",), ("y",), ("y",))


# -- weights


@given(st.integers(1, 4), st.integers(1, 4))
def test_the_transposed_layout_means_the_same(inputs: int, neurons: int) -> None:
    rows = [[Decimal(10 * j + i) for i in range(inputs)] for j in range(neurons)]
    names = [[f"w_{j}{i}" for i in range(inputs)] for j in range(neurons)]
    layer = {"neurons": neurons, "activation": "relu", "weights": rows, "weight_names": names}
    turned = {**layer, "weights": list(zip(*rows, strict=True)), "weight_names": list(zip(*names, strict=True))}
    straight = from_dict({"inputs": inputs, "layers": [layer]})
    assert from_dict({"inputs": inputs, "layers": [{**turned, "weights_by": "input"}]}) == straight
    assert from_dict({"inputs": inputs, "weights_by": "input", "layers": [turned]}) == straight
    unnamed = {key: value for key, value in turned.items() if key != "weight_names"}
    problem = from_dict({"inputs": inputs, "weights_by": "input", "layers": [unnamed]})
    assert list(written(problem).values()) == [str(value) for row in rows for value in row]


def test_a_plain_list_is_the_row_of_the_only_neuron() -> None:
    flat = one_neuron(weights=[3, 4])
    assert written(flat) == {"x1": "1", "x2": "2", "w1": "3", "w2": "4"}
    assert one_neuron(weights=[[3, 4]]) == flat
    assert one_neuron(weights=[3, 4], weights_by="input") == flat
    layer = {"neurons": 2, "activation": "relu", "weights": [3, 4], "weights_by": "input"}
    assert written(from_dict({"inputs": 1, "layers": [layer]})) == {"w1": "3", "w2": "4"}


@pytest.mark.parametrize("row", [[1, "", 3], [1, 0, 3], [1, 3]])
def test_a_missing_connection(row: list[Any]) -> None:
    names = [["a", "", "c"]]
    problem = from_dict({"inputs": 3, "layers": [{**LAYER, "weights": [row], "weight_names": names}]})
    assert network(problem).layers[0].weights.names == (("a", None, "c"),)
    assert written(problem) == {"a": "1", "c": "3"}


def test_a_shared_weight_is_one_parameter() -> None:
    layer = {
        "neurons": 2,
        "activation": "relu",
        "weights": [[1, 2], [1.0, 3]],
        "weight_names": [["u", "v"], ["u", "w"]],
    }
    problem = from_dict({"inputs": 2, "layers": [layer]})
    assert network(problem).weight_names() == ("u", "v", "w")
    assert written(problem) == {"u": "1", "v": "2", "w": "3"}
    tied = {"neurons": 2, "activation": "relu", "weight_names": [["u", "v"], ["p", "q"]]}
    problem = from_dict({"inputs": 2, "layers": [tied, {**tied, "weights": [[1, 2], [3, 4]]}]})
    assert written(problem) == {"u": "1", "v": "2", "p": "3", "q": "4"}


def test_numbering_goes_on_after_the_connections_that_have_names() -> None:
    first = {"neurons": 2, "activation": "relu", "weight_names": [["w1", "w2"], ["", "w3"]]}
    body = network(from_dict({"inputs": 2, "layers": [first, LAYER]}))
    assert list(body.layers[1].weights) == ["w4", "w5"]


def test_a_large_layer_is_named_by_place() -> None:
    layers = [{"neurons": 128, "activation": "relu", "bias": True}, {"neurons": 10, "activation": "softmax"}]
    problem = from_dict({"inputs": 784, "layers": layers})
    body = network(problem)
    assert body.layers[0].weights.name(16, 299) == "W1[300,17]"
    assert body.layers[0].biases[16] == "B1[17]"
    assert body.parameter_count() == 784 * 128 + 128 + 1280
    assert problem.given == {}
    rows = [[i + 40 * j for i in range(40)] for j in range(30)]
    problem = from_dict({"inputs": 40, "layers": [{"neurons": 30, "activation": "relu", "weights": rows}]})
    assert written(problem)["W1[40,30]"] == "1199"


# -- biases


@pytest.mark.parametrize(
    ("keys", "names", "values"),
    [
        ({}, (None, None), {}),
        ({"bias": False}, (None, None), {}),
        ({"bias": True}, ("b1", "b2"), {}),
        ({"bias": 3}, ("b1", "b1"), {"b1": "3"}),
        ({"bias": [3, 4]}, ("b1", "b2"), {"b1": "3", "b2": "4"}),
        ({"bias": 3, "bias_names": "b"}, ("b", "b"), {"b": "3"}),
        ({"bias": 3, "bias_names": ["b"]}, ("b", "b"), {"b": "3"}),
        ({"bias": 3, "bias_names": ["p", "q"]}, ("p", "q"), {"p": "3", "q": "3"}),
        ({"bias": [3, 0], "bias_names": ["p", ""]}, ("p", None), {"p": "3"}),
        ({"bias": [3, ""], "bias_names": ["p", ""]}, ("p", None), {"p": "3"}),
        ({"bias": [3, 3], "bias_names": ["p", "p"]}, ("p", "p"), {"p": "3"}),
        ({"bias_names": ["p", "q"]}, ("p", "q"), {}),
        ({"bias": True, "bias_names": "p"}, ("p", "p"), {}),
    ],
)
def test_biases(keys: dict[str, Any], names: tuple[str | None, ...], values: dict[str, str]) -> None:
    problem = from_dict({"inputs": 1, "layers": [{"neurons": 2, "activation": "relu", **keys}]})
    assert network(problem).layers[0].biases == names
    assert written(problem) == values


def test_shared_and_own_biases_are_numbered_in_one_row() -> None:
    layers = [
        {"neurons": 2, "activation": "relu", "bias": 1},
        {"neurons": 2, "activation": "relu", "bias": [2, 3]},
        {"neurons": 2, "activation": "relu"},
        {"neurons": 2, "activation": "relu", "bias": 4},
    ]
    problem = from_dict({"inputs": 1, "layers": layers})
    assert network(problem).bias_names() == ("b1", "b2", "b3", "b4")
    assert written(problem) == {"b1": "1", "b2": "2", "b3": "3", "b4": "4"}


def test_a_threshold() -> None:
    assert network(one_neuron(bias=0.5, bias_input=-1)).layers[0].bias_input.value == -1


# -- samples


def test_batches() -> None:
    problem = from_dict({"inputs": [[1, 2], [3, 4]], "targets": [5, 6], "reduction": "sum", "layers": [LAYER]})
    assert (network(problem).samples, network(problem).reduction) == (2, "sum")
    assert written(problem) == {"x1[1]": "1", "x2[1]": "2", "x1[2]": "3", "x2[2]": "4", "y[1]": "5", "y[2]": "6"}
    rows = from_dict({"inputs": [[1, 2], [3, 4]], "targets": [[5], [6]], "reduction": "sum", "layers": [LAYER]})
    assert rows == problem


def test_a_single_row_is_one_sample() -> None:
    problem = from_dict({"inputs": [[1, 2]], "targets": [[5]], "layers": [LAYER]})
    assert written(problem) == {"x1": "1", "x2": "2", "y": "5"}
    assert network(problem).samples == 1


def test_symbols() -> None:
    problem = from_dict({"inputs": 2, "samples": 5, "target_names": ["t"], "layers": [LAYER]})
    assert problem.given == {}
    body = network(problem)
    assert (body.inputs, body.samples, body.targets) == (("x1", "x2"), 5, ("t",))
    assert network(from_dict({"inputs": 2, "layers": [LAYER]})).targets == ()


# -- activations, loss, update and the rest


def test_activations() -> None:
    assert network(one_neuron(activation="elu")).layers[0].activation.name == "elu"
    leaky = network(one_neuron(activation={"name": "leaky-relu", "alpha": 0.1})).layers[0].activation
    assert leaky.parameters == (("alpha", Number(Fraction(1, 10))),)
    swish = network(one_neuron(activation="z/(1+exp(-z))")).layers[0].activation
    assert (swish.name, swish.formula) == ("custom", "z/(1+exp(-z))")
    square = network(one_neuron(activation={"expression": "z^2", "derivative": "2*z"})).layers[0].activation
    assert (square.formula, square.derivative) == ("z^2", "2*z")
    assert network(one_neuron(activation=r"\frac{1}{1 + e^{-z}}")).layers[0].activation.name == "custom"


@pytest.mark.parametrize(
    ("l2", "penalty"),
    [
        (Decimal("0.1"), Penalty(Number(Fraction(1, 10)))),
        ({"strength": 2, "half": False}, Penalty(Number(Fraction(2)), half=False)),
        (0, None),
    ],
)
def test_penalty(l2: Any, penalty: Penalty | None) -> None:
    assert network(from_dict({"inputs": 1, "l2": l2, "layers": [LAYER]})).penalty == penalty


def test_update() -> None:
    update = {"learning_rate": Decimal("0.50"), "optimizer": {"name": "sgd"}, "steps": 3, "frozen": ["w1"]}
    problem = from_dict({"inputs": 1, "targets": [1], "update": update, "layers": [LAYER]})
    assert problem.update is not None
    assert (problem.update.learning_rate.written, problem.update.steps) == ("0.50", 3)


def test_rounding_notation_prose_and_questions() -> None:
    problem = from_dict(
        {
            "title": "x → y",
            "inputs": 1,
            "notation": "z-a",
            "rounding": {"significant": 4, "carry": "displayed", "mode": "half-even"},
            "prose": {"context": "One line.\n<b>Another</b>."},
            "ask": ["dE/dw5", "∂E/∂w5", "w1@2", "net_h1[2]", "W1[300,17]"],
            "layers": [LAYER],
        }
    )
    assert problem.rounding == Rounding(significant=4, carry="displayed", mode="half-even")
    assert (problem.title, problem.notation, len(problem.ask)) == ("x → y", "z-a", 5)
    assert problem.prose["context"].endswith("</b>.")


def test_a_title_is_made_when_there_is_none() -> None:
    assert one_neuron().title == "A neuron with 2 inputs"
    assert from_dict({"inputs": 1, "layers": [LAYER, LAYER | {"neurons": 3}]}).title == "A 1-1-3 network"
    assert from_dict({"kind": "expression", "define": {"f": "2"}}).title == "The expression f"


def test_vary() -> None:
    rules = """
    [vary]
    weights = { from = 0.10, to = 0.30, step = 0.05 }
    w1 = { from = -1, to = 1, step = 0.75 }
    inputs = { choose = [0.05, 0.10] }
    """
    vary = loads("inputs = [1]\n[[layers]]\nneurons = 1\nactivation = 'relu'\n" + rules).vary
    assert [value.written for value in vary["weights"].choices] == ["0.10", "0.15", "0.20", "0.25", "0.30"]
    assert [value.written for value in vary["w1"].choices] == ["-1.00", "-0.25", "0.50"]
    assert [value.value for value in vary["w1"].choices] == [-1, Fraction(-1, 4), Fraction(1, 2)]
    assert [value.written for value in vary["inputs"].choices] == ["0.05", "0.10"]


# -- expressions


def definitions(problem: Problem) -> Definitions:
    assert isinstance(problem.body, Definitions)
    return problem.body


def test_an_expression() -> None:
    problem = loads(
        'kind = "expression"\noutput = "f"\n[given]\nx = -2\ny = 5\nz = -4\n[define]\nq = "x + y"\nf = "q * z"\n'
    )
    x, y, z, q = (Name(name) for name in "xyzq")
    assert definitions(problem) == Definitions("f", (("q", Sum((x, y))), ("f", Product((q, z)))), ("x", "y", "z"))
    assert written(problem) == {"x": "-2", "y": "5", "z": "-4"}


def test_definitions_are_put_in_order_and_the_last_is_the_output() -> None:
    define = {"d": "c + a", "a": "x", "b": "2*a", "c": "b^2", "e": "a"}
    body = definitions(from_dict({"kind": "expression", "symbols": ["x"], "define": define}))
    assert [name for name, _ in body.define] == ["a", "b", "c", "d", "e"]
    assert (body.output, body.leaves) == ("e", ("x",))


@given(st.permutations(range(6)))
def test_any_order_of_definitions_is_accepted(order: list[int]) -> None:
    define = {f"v{i}": f"v{i - 1} + 1" if i else "x" for i in order}
    body = definitions(from_dict({"kind": "expression", "given": {"x": 1}, "define": define, "output": "v5"}))
    assert [name for name, _ in body.define] == [f"v{i}" for i in range(6)]


# -- files


def test_bundled_problems() -> None:
    names = [name for name, _, _ in bundled()]
    assert names == sorted(names)
    assert len(names) >= 9
    for name, title, topic in bundled():
        problem = find(name)
        assert problem.source == name
        assert problem.title == title
        assert topic in TOPICS
        assert problem.prose["context"]
        assert load(BUNDLED / f"{name}.toml").body == problem.body


@pytest.mark.parametrize(
    ("name", "sizes", "samples", "numbers"),
    [
        ("neuron-3.1", (2, 1), 1, 5),
        ("neuron-0.55", (3, 1), 1, 7),
        ("pass-fail-neuron", (2, 1), 1, 5),
        ("backprop-2-2-1", (2, 2, 1), 1, 11),
        ("linear-series", (1, 1, 1), 3, 6),
        ("three-inputs-5-samples", (3, 1), 5, 0),
        ("layer-5-2", (5, 2), 3, 0),
        ("network-2-5-1", (2, 5, 1), 1, 0),
        ("mazur-2-2-2", (2, 2, 2), 1, 14),
    ],
)
def test_shapes_of_bundled_problems(name: str, sizes: tuple[int, ...], samples: int, numbers: int) -> None:
    problem = find(name)
    assert network(problem).sizes() == sizes
    assert network(problem).samples == samples
    assert len(problem.given) == numbers


@pytest.mark.parametrize(
    ("name", "total"), [("neuron-3.1", "3.1"), ("neuron-0.55", "0.55"), ("pass-fail-neuron", "2.5")]
)
def test_the_weighted_sums_of_the_bundled_neurons(name: str, total: str) -> None:
    problem = find(name)
    values = {key: value.value for key, value in problem.given.items()}
    count = len(network(problem).inputs)
    assert sum(values[f"w{i}"] * values[f"x{i}"] for i in range(1, count + 1)) + values["b1"] == Fraction(total)


@pytest.mark.parametrize("kind", ["network", "expression"])
def test_a_new_file_loads_and_so_does_every_line_in_it(kind: str) -> None:
    text = new(kind)
    assert loads(text).kind == kind
    for line in text.splitlines():
        key = line.lstrip("# ").partition("=")[0].strip()
        if line.startswith("# ") and "=" in line and key.isidentifier() and key != "kind":
            active = "\n".join(part.lstrip("# ") if part == line else part for part in text.splitlines())
            assert tomllib.loads(active)


def test_commented_lines_of_a_new_network_are_right() -> None:
    text = new("network")
    for line in (
        "# notation",
        "# l2",
        "# reduction",
        "# input_names",
        "# target_names",
        "# weights_by",
        "# weight_names",
    ):
        assert text.count(line) == 1, line
        loads(text.replace(line, line[2:]).replace("[0.3, 0.4]]", "[0.3, 0]]"))
    loads(text.replace("# bias_names", "bias_names").replace('# frozen      = ["b1", "b2"]', ""))
    loads(
        text.replace("# [vary]", "[vary]").replace("# weights = {", "weights = {").replace("# inputs = {", "inputs = {")
    )


def test_standard_input_and_a_byte_order_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        buffer = io.BytesIO(b"\xef\xbb\xbf" + new("network").replace("\n", "\r\n").encode())

    monkeypatch.setattr("sys.stdin", Stream())
    problem = find("-")
    assert (problem.title, problem.source) == ("My network", "-")


def test_reading_loads_nothing_heavy() -> None:
    code = "import sys, derive.problem.file as f; f.find('backprop-2-2-1'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sympy", "numpy", "mpmath", "jinja2"} & set(done.stdout.split())


# -- JSON Schema


def as_json(text: str) -> Any:
    return json.loads(json.dumps(tomllib.loads(text)))


def test_schema_accepts_what_is_right_and_refuses_what_is_broken() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema())
    validator = jsonschema.Draft202012Validator(schema())
    for name, _, _ in bundled():
        validator.validate(as_json((BUNDLED / f"{name}.toml").read_text(encoding="utf-8")))
    for kind in ("network", "expression"):
        validator.validate(as_json(new(kind)))
    layer = {"neurons": 1, "activation": "relu"}
    validator.validate({"inputs": 2, "layers": [{**layer, "bias_names": ["θ_1"], "bias": [""]}]})
    broken: list[dict[str, Any]] = [
        {},
        {"inputs": 2},
        {"inputs": [], "layers": [layer]},
        {"inputs": "a", "layers": [layer]},
        {"inputs": 2, "layers": []},
        {"inputs": 2, "layers": [{"neurons": 1}]},
        {"inputs": 2, "layers": [{**layer, "activation": "sigmod"}]},
        {"inputs": 2, "layers": [{**layer, "colour": 1}]},
        {"inputs": 2, "layers": [{**layer, "neurons": ["\\input{x}"]}]},
        {"inputs": 2, "layers": [{**layer, "neurons": ["a b"]}]},
        {"inputs": 2, "layers": [{**layer, "bias_input": 0}]},
        {"inputs": 2, "layers": [layer], "loss": "mse"},
        {"inputs": 2, "layers": [layer], "update": {}},
        {"inputs": 2, "layers": [layer], "kind": "perceptron"},
        {"kind": "expression", "given": {"x": 1}},
        {"kind": "expression", "define": {"f": 2}},
        {"kind": "expression", "define": {"<b>": "2"}},
    ]
    for data in broken:
        assert not validator.is_valid(data), data


@pytest.mark.parametrize(
    ("second", "name"), [("swish", "silu"), ("prelu", "parametric-relu"), ("hard-swish", "hard-silu")]
)
def test_an_activation_has_its_second_name(second: str, name: str) -> None:
    for written in (second, {"name": second}):
        problem = from_dict({"inputs": 1, "layers": [{"neurons": 1, "activation": written}]})
        assert isinstance(problem.body, Network)
        assert problem.body.layers[0].activation.name == name
