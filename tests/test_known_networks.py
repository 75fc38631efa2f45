"""Networks of the kinds that textbooks work through, against the same numbers worked out line by line with NumPy."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from derive.problem.file import from_dict
from derive.worked import Options, WorkedExample

Expected = dict[str, float]


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def _named(prefix: str, names: str, values: Any, suffix: str = "") -> Expected:
    """{"net_h1": …} from "h1 h2" and a row of values."""
    pairs = zip(names.split(), np.ravel(values), strict=True)
    return {f"{prefix}{name}{suffix}": float(value) for name, value in pairs}


# Negnevitsky, Artificial Intelligence, 6.4: thresholds as weights of a constant input of -1, weights named from-to.
THRESHOLDS: dict[str, Any] = {
    "inputs": [1, 1],
    "targets": [0],
    "layers": [
        {
            "neurons": ["3", "4"], "activation": "sigmoid", "weights": [[0.5, 0.4], [0.9, 1.0]],
            "weight_names": [["w13", "w23"], ["w14", "w24"]], "bias": [0.8, -0.1], "bias_names": ["t3", "t4"],
            "bias_input": -1,
        },
        {
            "neurons": ["5"], "activation": "sigmoid", "weights": [[-1.2, 1.1]], "weight_names": [["w35", "w45"]],
            "bias": [0.3], "bias_names": ["t5"], "bias_input": -1,
        },
    ],
    "update": {"learning_rate": 0.1},
}  # fmt: skip


def _thresholds() -> Expected:
    y3, y4 = _sigmoid(1 * 0.5 + 1 * 0.4 - 0.8), _sigmoid(1 * 0.9 + 1 * 1.0 + 0.1)
    y5 = _sigmoid(-1.2 * y3 + 1.1 * y4 - 0.3)
    d5 = (y5 - 0) * y5 * (1 - y5)
    d3, d4 = y3 * (1 - y3) * d5 * -1.2, y4 * (1 - y4) * d5 * 1.1
    return {
        "out_3": y3, "out_4": y4, "out_5": y5, "delta_5": d5, "dE/dnet_3": d3, "dE/dnet_4": d4,
        "dE/dw35": d5 * y3, "dE/dt5": -d5, "dE/dw13": d3, "dE/dt4": -d4,
        "w13_new": 0.5 - 0.1 * d3, "w14_new": 0.9 - 0.1 * d4, "w35_new": -1.2 - 0.1 * d5 * y3,
        "w45_new": 1.1 - 0.1 * d5 * y4, "t3_new": 0.8 + 0.1 * d3, "t5_new": 0.3 + 0.1 * d5,
    }  # fmt: skip


PRINTED_THRESHOLDS = {
    "out_3": "0.5250", "out_4": "0.8808", "out_5": "0.5097", "delta_5": "0.1274", "delta_3": "-0.0381",
    "delta_4": "0.0147", "w13_new": "0.5038", "w14_new": "0.8985", "w24_new": "0.9985", "w35_new": "-1.2067",
    "w45_new": "1.0888", "t3_new": "0.7962", "t4_new": "-0.0985", "t5_new": "0.3127",
}  # fmt: skip
"""As the book prints them; its δ have the other sign."""


# A constant input of -1 beside the others, whose weights are the thresholds; no biases.
CONSTANT_INPUT: dict[str, Any] = {
    "inputs": [0.6, 0.9, -1],
    "input_names": ["a", "b", "one"],
    "targets": [1],
    "loss": "squared-error",
    "layers": [{"neurons": ["o"], "activation": "tanh", "weights": [[0.3, -0.2, 0.1]]}],
    "update": {"learning_rate": 0.25, "steps": 2},
}


def _constant_input() -> Expected:
    x, w = np.array([0.6, 0.9, -1]), np.array([0.3, -0.2, 0.1])
    found: Expected = {}
    for step in range(3):
        net = float(w @ x)
        out = np.tanh(net)
        slope = 2 * (out - 1) * (1 - out**2)
        at = f"@{step}" if step else ""
        found |= {f"net_o{at}": net, f"out_o{at}": out, f"E{at}": (1 - out) ** 2} | _named("", "w1 w2 w3", w, at)
        found |= {} if step else _named("dE/d", "w1 w2 w3", slope * x) | {"dE/dnet_o": slope}
        w = w - 0.25 * slope * x
    return found


TANH: dict[str, Any] = {
    "inputs": [0.5, -1.5],
    "targets": [0.2, -0.4],
    "layers": [
        {"neurons": 2, "activation": "tanh", "weights": [[0.1, 0.4], [-0.7, 0.2]], "bias": [0.05, -0.1]},
        {"neurons": 2, "activation": "tanh", "weights": [[0.6, -0.3], [0.8, 0.9]], "bias": [0.0, 0.2]},
    ],
    "update": {"learning_rate": 0.1, "frozen": ["b1", "b2", "b3", "b4"]},
}


def _tanh() -> Expected:
    x, t = np.array([0.5, -1.5]), np.array([0.2, -0.4])
    w, v = np.array([[0.1, 0.4], [-0.7, 0.2]]), np.array([[0.6, -0.3], [0.8, 0.9]])
    h = np.tanh(w @ x + [0.05, -0.1])
    o = np.tanh(v @ h + [0.0, 0.2])
    d_out = (o - t) * (1 - o**2)
    d_hidden = (v.T @ d_out) * (1 - h**2)
    return {
        **_named("out_", "h1 h2", h), **_named("out_", "o1 o2", o), **_named("E_", "o1 o2", (t - o) ** 2 / 2),
        "E": float(np.sum((t - o) ** 2) / 2), **_named("delta_", "o1 o2", d_out), **_named("delta_", "h1 h2", d_hidden),
        **_named("dE/dout_", "h1 h2", v.T @ d_out), **_named("dE/d", "w1 w2 w3 w4", np.outer(d_hidden, x)),
        **_named("dE/d", "w5 w6 w7 w8", np.outer(d_out, h)), **_named("dE/d", "b3 b4", d_out),
        "w8_new": 0.9 - 0.1 * d_out[1] * h[1], "dE/dx1": float(w.T[0] @ d_hidden),
        "dE_o2/dout_h1": d_out[1] * 0.8, "dout_o1/dw1": float((1 - o[0] ** 2) * 0.6 * (1 - h[0] ** 2) * 0.5),
    }  # fmt: skip


RELU: dict[str, Any] = {
    "inputs": [1, 2],
    "targets": [3],
    "layers": [
        {"neurons": 3, "activation": "relu", "weights": [[1, -1], [0.5, 0.5], [-1, 2]], "bias": 0},
        {"neurons": 1, "activation": "linear", "weights": [[2, 1, -1]], "bias": 0.5},
    ],
    "update": {"learning_rate": 0.01},
}


def _relu() -> Expected:
    net = np.array([1.0 - 2, 0.5 + 1, -1 + 4])
    out = np.maximum(net, 0)
    o = float(out @ [2, 1, -1]) + 0.5
    d = (o - 3) * np.array([2, 1, -1]) * (net > 0)
    return {
        **_named("net_", "h1 h2 h3", net), **_named("out_", "h1 h2 h3", out), "out_o1": o, "E": (o - 3) ** 2 / 2,
        **_named("dE/dnet_", "h1 h2 h3", d), **_named("dE/d", "w1 w2 w3 w4 w5 w6", np.outer(d, [1, 2])),
        **_named("dE/d", "w7 w8 w9", (o - 3) * out), "dE/db1": float(np.sum(d)), "dE/db2": o - 3,
        "w6_new": 2 - 0.01 * d[2] * 2,
    }  # fmt: skip


SOFTMAX: dict[str, Any] = {
    "inputs": [0.2, 0.7],
    "targets": [0, 1, 0],
    "loss": "cross-entropy",
    "layers": [
        {"neurons": 2, "activation": "sigmoid", "weights": [[0.3, -0.4], [0.5, 0.1]], "bias": 0.1},
        {"neurons": 3, "activation": "softmax", "weights": [[1, -1], [0.5, 0.2], [-0.3, 0.9]], "bias": [0.1, 0, -0.1]},
    ],
    "update": {"learning_rate": 1},
}


def _softmax() -> Expected:
    x, w = np.array([0.2, 0.7]), np.array([[0.3, -0.4], [0.5, 0.1]])
    v = np.array([[1, -1], [0.5, 0.2], [-0.3, 0.9]])
    h = _sigmoid(w @ x + 0.1)
    net = v @ h + [0.1, 0, -0.1]
    p = np.exp(net) / np.sum(np.exp(net))
    d = p - [0, 1, 0]
    d_hidden = (v.T @ d) * h * (1 - h)
    return {
        **_named("net_", "o1 o2 o3", net), **_named("out_", "o1 o2 o3", p), "E": float(-np.log(p[1])),
        "E_o1": 0.0, "E_o2": float(-np.log(p[1])), **_named("dE/dnet_", "o1 o2 o3", d),
        **_named("dE/dnet_", "h1 h2", d_hidden), **_named("dE/d", "w5 w6 w7 w8 w9 w10", np.outer(d, h)),
        **_named("dE/d", "w1 w2 w3 w4", np.outer(d_hidden, x)), "dE/db1": float(np.sum(d_hidden)),
        **_named("dE/d", "b2 b3 b4", d), "dE/dout_o2": -1 / p[1], "dout_o1/dnet_o1": p[0] * (1 - p[0]),
        "dout_o1/dnet_o3": -p[0] * p[2], "b3_new": 0 - d[1], "dout_o1/dout_h1": float(p[0] * (v[0, 0] - p @ v[:, 0])),
    }  # fmt: skip


XOR: dict[str, Any] = {
    "inputs": [[0, 0], [0, 1], [1, 0], [1, 1]],
    "targets": [0, 1, 1, 0],
    "loss": "mean-squared-error",
    "weights_by": "input",
    "layers": [
        {"neurons": 2, "activation": "sigmoid", "weights": [[0.1, -0.2], [0.3, 0.4]], "bias": [0.5, -0.5]},
        {"neurons": 1, "activation": "sigmoid", "weights": [[0.7], [-0.8]], "bias": [0.05]},
    ],
    "update": {"learning_rate": 0.5, "steps": 3},
}


def _xor() -> Expected:
    x, t = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])
    w, b = np.array([[0.1, -0.2], [0.3, 0.4]]), np.array([0.5, -0.5])
    v, c = np.array([[0.7], [-0.8]]), np.array([0.05])
    found: Expected = {}
    for step in range(4):
        h = _sigmoid(x @ w + b)
        o = _sigmoid(h @ v + c)
        loss = float(np.mean((t - o) ** 2))
        d = 2 * (o - t) / 4 * o * (1 - o)
        d_hidden = d @ v.T * h * (1 - h)
        if not step:
            found |= {"E": loss, "net_h2[3]": x[2] @ w[:, 1] + b[1], "out_o1[2]": o[1, 0], "E[2]": (1 - o[1, 0]) ** 2}
            found |= _named("dE/dnet_o1", "[1] [2] [3] [4]", d)
            found |= _named("dE/dnet_h1", "[1] [2] [3] [4]", d_hidden[:, 0])
            found |= _named("dE/d", "w1 w2 w3 w4", (x.T @ d_hidden).T) | _named("dE/d", "w5 w6", h.T @ d)
            found |= _named("dE/d", "b1 b2", d_hidden.sum(axis=0)) | {"dE/db3": float(d.sum())}
        found |= {f"E@{step}": loss, f"w2@{step}": w[1, 0], f"b3@{step}": c[0]} if step else {}
        w, v = w - 0.5 * x.T @ d_hidden, v - 0.5 * h.T @ d
        b, c = b - 0.5 * d_hidden.sum(axis=0), c - 0.5 * d.sum(axis=0)
    return found


DEEP: dict[str, Any] = {
    "inputs": [0.4, -0.3, 0.8],
    "targets": [0.5],
    "layers": [
        {"neurons": 3, "activation": {"name": "leaky-relu", "alpha": 0.1},
         "weights": [[0.2, -0.5, 0.1], [0.7, 0.3, -0.6], [-0.4, 0.9, 0.5]], "bias": 0.1},
        {"neurons": 2, "activation": "softplus", "weights": [[0.3, 0.8, -0.2], [-0.9, 0.4, 0.6]], "bias": -0.2},
        {"neurons": 1, "activation": "2/(1 + exp(-z)) - 1", "weights": [[1.1, -0.7]], "bias": 0.3},
    ],
    "update": {"learning_rate": 0.2},
}  # fmt: skip


def _deep() -> Expected:
    x = np.array([0.4, -0.3, 0.8])
    u = np.array([[0.2, -0.5, 0.1], [0.7, 0.3, -0.6], [-0.4, 0.9, 0.5]])
    v = np.array([[0.3, 0.8, -0.2], [-0.9, 0.4, 0.6]])
    w = np.array([1.1, -0.7])
    net1 = u @ x + 0.1
    a = np.where(net1 > 0, net1, 0.1 * net1)
    net2 = v @ a - 0.2
    b = np.log(1 + np.exp(net2))
    o = 2 / (1 + np.exp(-(w @ b + 0.3))) - 1
    d3 = (o - 0.5) * 0.5 * (1 + o) * (1 - o)
    d2 = d3 * w * _sigmoid(net2)
    d1 = (v.T @ d2) * np.where(net1 > 0, 1, 0.1)
    return {
        **_named("net_", "h1_1 h1_2 h1_3", net1), **_named("out_", "h1_1 h1_2 h1_3", a),
        **_named("out_", "h2_1 h2_2", b), "out_o1": o, "delta_o1": d3, **_named("delta_", "h2_1 h2_2", d2),
        **_named("delta_", "h1_1 h1_2 h1_3", d1),
        **_named("dE/d", "w1 w2 w3 w4 w5 w6 w7 w8 w9", np.outer(d1, x)),
        **_named("dE/d", "w10 w11 w12 w13 w14 w15", np.outer(d2, a)), **_named("dE/d", "w16 w17", d3 * b),
        "dE/db1": float(d1.sum()), "dE/db2": float(d2.sum()), "dE/db3": d3, "w10_new": 0.3 - 0.2 * d2[0] * a[0],
    }  # fmt: skip


LOGISTIC: dict[str, Any] = {
    "inputs": [[0.5, 1.2], [-0.3, 0.8], [1.5, -0.7]],
    "targets": [1, 0, 1],
    "loss": "binary-cross-entropy",
    "l2": 0.1,
    "layers": [{"neurons": 1, "activation": "sigmoid", "weights": [[0.2, -0.4]], "bias": 0.1}],
    "update": {"learning_rate": 0.3},
}


def _logistic() -> Expected:
    x, t, w = np.array([[0.5, 1.2], [-0.3, 0.8], [1.5, -0.7]]), np.array([1, 0, 1]), np.array([0.2, -0.4])
    p = _sigmoid(x @ w + 0.1)
    losses = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    gradient = x.T @ (p - t) / 3 + 0.1 * w
    return {
        **_named("out_o1", "[1] [2] [3]", p), **_named("E", "[1] [2] [3]", losses), "E_data": float(losses.mean()),
        "E_l2": 0.05 * float(w @ w), "E": float(losses.mean()) + 0.05 * float(w @ w),
        **_named("dE/dnet_o1", "[1] [2] [3]", (p - t) / 3), **_named("dE/d", "w1 w2", gradient),
        "dE/db1": float((p - t).mean()), **_named("", "w1_new w2_new", w - 0.3 * gradient),
        "dE/dout_o1[2]": (p[1] - t[1]) / (p[1] * (1 - p[1])) / 3,
    }  # fmt: skip


REGRESSION: dict[str, Any] = {
    "inputs": [[1, 2], [3, 4]],
    "targets": [[1, 0], [0, 1]],
    "loss": "mean-squared-error",
    "reduction": "sum",
    "layers": [{"neurons": 2, "activation": "linear", "weights": [[0.5, -0.5], [0.25, 1]], "bias": 0.125}],
    "update": {"learning_rate": 0.01},
}


def _regression() -> Expected:
    x, t, w = np.array([[1, 2], [3, 4.0]]), np.array([[1, 0], [0, 1.0]]), np.array([[0.5, -0.5], [0.25, 1]])
    o = x @ w.T + 0.125
    d = o - t
    return {
        "out_o2[1]": o[0, 1], "E_o2[1]": (t[0, 1] - o[0, 1]) ** 2 / 2, "E[2]": float(np.sum(d[1] ** 2) / 2),
        "E": float(np.sum(d**2) / 2), **_named("dE/dnet_o1", "[1] [2]", d[:, 0]),
        **_named("dE/d", "w1 w2 w3 w4", d.T @ x), "dE/db1": float(d.sum()), "dE/dx2[2]": float(w[:, 1] @ d[1]),
    }  # fmt: skip


# One weight used in both layers, one connection missing.
SHARED: dict[str, Any] = {
    "inputs": [0.3, 0.9],
    "targets": [1],
    "layers": [
        {
            "neurons": 2, "activation": "sigmoid", "weights": [[0.4, ""], [0.4, 0.6]],
            "weight_names": [["u", ""], ["u", "v"]],
        },
        {"neurons": 1, "activation": "sigmoid", "weights": [[0.4, -0.2]], "weight_names": [["u", "w"]], "bias": 0.1},
    ],
    "update": {"learning_rate": 0.5},
}  # fmt: skip


def _shared() -> Expected:
    h1, h2 = _sigmoid(0.4 * 0.3), _sigmoid(0.4 * 0.3 + 0.6 * 0.9)
    o = _sigmoid(0.4 * h1 - 0.2 * h2 + 0.1)
    d = (o - 1) * o * (1 - o)
    d1, d2 = d * 0.4 * h1 * (1 - h1), d * -0.2 * h2 * (1 - h2)
    u = d * h1 + d1 * 0.3 + d2 * 0.3
    return {
        "out_h1": h1, "out_h2": h2, "out_o1": o, "dE/du": u, "dE/dv": d2 * 0.9, "dE/dw": d * h2, "u_new": 0.4 - 0.5 * u,
        "dE/dx2": d2 * 0.6, "dnet_o1/du": h1 + 0.4 * h1 * (1 - h1) * 0.3 - 0.2 * h2 * (1 - h2) * 0.3,
    }  # fmt: skip


NETWORKS: dict[str, tuple[dict[str, Any], Callable[[], Expected]]] = {
    "thresholds": (THRESHOLDS, _thresholds),
    "constant input": (CONSTANT_INPUT, _constant_input),
    "tanh": (TANH, _tanh),
    "ReLU": (RELU, _relu),
    "softmax": (SOFTMAX, _softmax),
    "XOR as a batch": (XOR, _xor),
    "three layers": (DEEP, _deep),
    "logistic regression": (LOGISTIC, _logistic),
    "regression": (REGRESSION, _regression),
    "shared": (SHARED, _shared),
}
NUMBERS = [
    pytest.param(name, quantity, float(value), id=f"{name}: {quantity}")
    for name, (_, expected) in NETWORKS.items()
    for quantity, value in expected().items()
]


@cache
def _example(name: str) -> WorkedExample:
    return WorkedExample(from_dict(NETWORKS[name][0]))


@cache
def _quantities(name: str) -> dict[str, dict[str, Any]]:
    """Through JSON and back, as another program gets them."""
    data = json.loads(json.dumps(_example(name).json(), allow_nan=False))
    found: dict[str, dict[str, Any]] = data["quantities"]
    return found


@pytest.mark.parametrize(("name", "quantity", "value"), NUMBERS)
def test_number(name: str, quantity: str, value: float) -> None:
    assert _example(name).value(quantity) == pytest.approx(value, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("name", "quantity", "value"), NUMBERS)
def test_number_in_json(name: str, quantity: str, value: float) -> None:
    listed = _quantities(name)
    if quantity not in listed:
        asked = WorkedExample(from_dict(NETWORKS[name][0]), Options(only=(quantity,)))
        listed = asked.json()["quantities"]
    assert listed[quantity]["value"] == pytest.approx(value, rel=1e-12, abs=1e-15)
    assert abs(float(listed[quantity]["shown"]) - value) <= 0.5000001e-5


@pytest.mark.parametrize(("quantity", "printed"), PRINTED_THRESHOLDS.items())
def test_textbook_numbers(quantity: str, printed: str) -> None:
    value = _example("thresholds").value(quantity)
    assert value is not None
    assert abs(value - float(printed)) <= 0.5001e-4
