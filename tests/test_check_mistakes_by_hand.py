"""Every mistake once, worked out wrongly by hand in plain Python: the mutant must give the same wrong number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from math import cos, erf, exp, log, pi, sin, sqrt, tanh

import pytest
from slips_by_hand import TABLES as MORE

from derive.check.mistakes import mutants
from derive.check.mistakes.table import ROWS
from derive.check.model import Mutant
from derive.problem.file import find, loads
from derive.worked import WorkedExample
from mistaken import named

Row = tuple[str, str, float]
"""The id of a mistake, the quantity that is asked, the wrong number."""


def s(z: float) -> float:
    return 1 / (1 + exp(-z))


# --- the 2-2-1 network: sigmoid, half squared error, gradient descent ------------------------------------------------

x1, x2, w1, w2, w3, w4, w5, w6, b1, b2, y, eta = 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.35, 0.60, 0.01, 0.5
n1, n2 = w1 * x1 + w2 * x2 + b1, w3 * x1 + w4 * x2 + b1
h1, h2 = s(n1), s(n2)
no = w5 * h1 + w6 * h2 + b2
o = s(no)
E = (y - o) ** 2 / 2
d = (o - y) * o * (1 - o)
d1, d2 = d * w5 * h1 * (1 - h1), d * w6 * h2 * (1 - h2)
g1, g2, g3, g4, g5, g6 = d1 * x1, d1 * x2, d2 * x1, d2 * x2, d * h1, d * h2
v5, v6 = w5 - eta * g5, w6 - eta * g6


def after(u: tuple[float, ...]) -> float:
    """The error with these six weights."""
    a1, a2 = s(u[0] * x1 + u[1] * x2 + b1), s(u[2] * x1 + u[3] * x2 + b1)
    return (y - s(u[4] * a1 + u[5] * a2 + b2)) ** 2 / 2


new = tuple(w - eta * g for w, g in zip((w1, w2, w3, w4, w5, w6), (g1, g2, g3, g4, g5, g6), strict=True))


def slopes(u: tuple[float, ...]) -> tuple[float, ...]:
    """The six gradients at these weights."""
    a1, a2 = s(u[0] * x1 + u[1] * x2 + b1), s(u[2] * x1 + u[3] * x2 + b1)
    out = s(u[4] * a1 + u[5] * a2 + b2)
    top = (out - y) * out * (1 - out)
    one, two = top * u[4] * a1 * (1 - a1), top * u[5] * a2 * (1 - a2)
    return one * x1, one * x2, two * x1, two * x2, top * a1, top * a2


newer = tuple(w - eta * g for w, g in zip(new, slopes(new), strict=True))

SMALL: list[Row] = [
    ("bias-left-out", "net_h1", w1 * x1 + w2 * x2),
    ("bias-left-out", "out_o1", s(w5 * s(n1 - b1) + w6 * s(n2 - b1))),  # throughout
    ("bias-used-twice", "net_h1", n1 + b1),
    ("bias-subtracted", "net_h1", n1 - 2 * b1),
    ("bias-times-input", "net_h1", w1 * x1 + w2 * x2 + b1 * x2),
    ("bias-multiplied", "net_h1", (w1 * x1 + w2 * x2) * b1),
    ("wrong-bias", "net_h1", w1 * x1 + w2 * x2 + b2),
    ("term-left-out", "net_h1", w2 * x2 + b1),
    ("sum-averaged", "net_h1", (w1 * x1 + w2 * x2) / 2 + b1),
    ("product-for-sum", "net_h1", w1 * x1 * w2 * x2 * b1),
    ("division-for-product", "net_h1", w1 / x1 + w2 * x2 + b1),
    ("sum-for-product", "net_h1", w1 + x1 + w2 + x2 + b1),
    ("weights-left-out", "net_h1", x1 + x2 + b1),
    ("inputs-left-out", "net_h1", w1 + w2 + b1),
    ("wrong-input", "net_h1", w1 * x2 + w2 * x2 + b1),
    ("inputs-exchanged", "net_h1", w1 * x2 + w2 * x1 + b1),
    ("activation-left-out", "net_o1", w5 * n1 + w6 * n2 + b2),
    ("net-for-output", "dE/dw5", d * n1),
    ("wrong-weight", "net_h1", w1 * x1 + w1 * x2 + b1),
    ("weights-of-another-neuron", "net_h1", n2),
    ("transposed-weights", "net_h2", w2 * x1 + w4 * x2 + b1),
    ("weights-numbered-by-source", "net_h1", w1 * x1 + w3 * x2 + b1),
    ("activation-left-out", "out_h1", n1),
    ("activation-left-out", "E", (y - (w5 * n1 + w6 * n2 + b2)) ** 2 / 2),
    ("activation-twice", "out_h1", s(s(n1))),
    ("another-activation", "out_h1", tanh(n1)),
    ("exponent-sign-lost", "out_h1", 1 / (1 + exp(n1))),
    ("brackets-left-out", "out_h1", 1 / 1 + exp(-n1)),
    ("one-left-out", "out_h1", 1 / exp(-n1)),
    ("minus-for-plus", "out_h1", 1 / (1 - exp(-n1))),
    ("times-for-exponent", "out_h1", 1 / (1 - math.e * n1)),
    ("exponential-to-base-10", "out_h1", 1 / (1 + 10**-n1)),
    ("exponential-to-base-2", "out_h1", 1 / (1 + 2**-n1)),
    ("exponential-left-out", "out_h1", 1 / (1 + n1)),
    ("euler-rounded", "out_h1", 1 / (1 + 2.718**-n1)),
    ("output-for-slope", "dE/dw5", (o - y) * o * h1),
    ("slope-of-net-for-output", "dE/dw5", (o - y) * no * (1 - no) * h1),
    ("slope-of-net-for-output", "dE/dw1", (o - y) * no * (1 - no) * w5 * n1 * (1 - n1) * x1),  # throughout
    ("slope-at-output", "dE/dw5", (o - y) * s(o) * (1 - s(o)) * h1),
    ("slope-of-another-activation", "dE/dw5", (o - y) * (1 - o**2) * h1),
    ("slope-without-a-factor", "dE/dw5", (o - y) * (1 - o) * h1),
    ("slope-of-exponential", "dE/dw5", (o - y) * exp(no) * (1 - exp(no)) * h1),
    ("slope-with-net-and-output", "dE/dw5", (o - y) * no * (1 - o) * h1),
    ("slope-squared", "dE/dw5", (o - y) * (1 - o) ** 2 * h1),
    ("slope-of-another-neuron", "dE/dw1", d * w5 * h2 * (1 - h2) * x1),
    ("sign-turned", "dE/dw5", (o - y) * o * (1 + o) * h1),
    ("square-left-out", "E", (y - o) / 2),
    ("absolute-for-square", "E", abs(y - o)),
    ("difference-of-squares", "E", (y**2 - o**2) / 2),
    ("plus-for-minus", "E", (y + o) ** 2 / 2),
    ("two-for-half", "E", 2 * (y - o) ** 2),
    ("fraction-bar-lost", "E", 12 * (y - o) ** 2),
    ("half-squared", "E", ((y - o) / 2) ** 2),
    ("root-taken", "E", sqrt(E)),
    ("target-left-out", "E", o**2 / 2),
    ("target-minus-output", "dE/dw5", -g5),
    ("two-too-many", "dE/dout_o1", 2 * (o - y)),
    ("half-too-many", "dE/dout_o1", (o - y) / 2),
    ("loss-for-slope", "dE/dout_o1", (o - y) ** 2 / 2),
    ("loss-without-half", "E", (y - o) ** 2),
    ("loss-without-half", "w5_new", w5 - eta * 2 * g5),
    ("delta-target-minus-output", "dE/dw1", -g1),
    ("factor-left-out", "dE/dw1", (o - y) * o * (1 - o) * w5 * h1 * (1 - h1)),
    ("factor-left-out", "dE/dw1", (o - y) * w5 * x1),  # both slopes
    ("factor-used-twice", "dE/dw5", g5 * h1),
    ("two-factors-left-out", "dE/dw1", (o - y) * o * (1 - o) * x1),
    ("wrong-factor", "dE/dw1", d * w5 * h2 * (1 - h2) * x1),
    ("wrong-weight", "dE/dw1", d * w6 * h1 * (1 - h1) * x1),
    ("wrong-input", "dE/dw5", d * h2),
    ("weight-for-input", "dE/dw5", d * w5),
    ("output-for-weight", "dE/dw1", d * h1 * h1 * (1 - h1) * x1),
    ("gradient-of-another-weight", "w5_new", w5 - eta * g6),
    ("shared-parameter-one-use", "dE/db1", d1),
    ("shared-parameter-averaged", "dE/db1", (d1 + d2) / 2),
    ("bias-for-its-slope", "dE/db2", d * b2),
    ("bias-slope-zero", "dE/db2", 0),
    ("updated-weight-used-early", "dE/dw1", d * v5 * h1 * (1 - h1) * x1),
    ("updated-weight-used-early", "w3_new", w3 - eta * d * v6 * h2 * (1 - h2) * x1),
    ("product-of-sums", "dE/dx1", (d1 + d2) * (w1 + w3)),
    ("paths-crossed", "dE/dx1", d1 * w3 + d2 * w1),
    ("one-path-only", "dE/dx1", d1 * w1),
    ("paths-averaged", "dE/dx1", (d1 * w1 + d2 * w3) / 2),
    ("wrong-delta", "dE/dx1", d2 * w1 + d2 * w3),
    ("transposed-weights", "dE/dx1", d1 * w1 + d2 * w2),
    ("ascent-for-descent", "w5_new", w5 + eta * g5),
    ("rate-left-out", "w5_new", w5 - g5),
    ("rate-used-twice", "w5_new", w5 - eta**2 * g5),
    ("rate-divides", "w5_new", w5 - g5 / eta),
    ("old-weight-left-out", "w5_new", -eta * g5),
    ("not-updated", "w5_new", w5),
    ("step-times-old-weight", "w5_new", w5 * (1 - eta * g5)),
    ("gradient-for-update", "w5_new", g5),
    ("gradient-left-out", "w5_new", w5 - eta),
    ("wrong-weight", "w5_new", w6 - eta * g5),
    ("before-the-update", "E@1", E),
    ("one-update-too-many", "E@1", after(newer)),
    ("one-update-too-few", "w5@2", v5),
    ("gradient-not-computed-again", "w5@2", w5 - 2 * eta * g5),
    ("layer-not-updated", "E@1", after((w1, w2, w3, w4, v5, v6))),
]  # fmt: skip

# --- tanh hidden layer, numbers below zero, two linear outputs -------------------------------------------------------

TWO = """
inputs = [0.5, -0.8]
targets = [1, -1]
loss = "squared-error"
[[layers]]
neurons = 2
activation = "tanh"
weights = [[0.4, -0.6], [0.3, 0.7]]
bias = [0.1, -0.2]
[[layers]]
neurons = 3
activation = "relu"
weights = [[0.5, -0.3], [0.8, 0.2], [0.6, 0.9]]
bias = [0.1, 0.2, 0.3]
[[layers]]
neurons = 2
activation = "linear"
weights = [[0.5, 0.4, -0.3], [0.2, 0.7, 0.9]]
bias = [0.0, 0.1]
"""
a1 = 0.4 * 0.5 + 0.6 * 0.8 + 0.1
a2 = 0.3 * 0.5 - 0.7 * 0.8 - 0.2
t1, t2 = tanh(a1), tanh(a2)
m1, m2, m3 = 0.5 * t1 - 0.3 * t2 + 0.1, 0.8 * t1 + 0.2 * t2 + 0.2, 0.6 * t1 + 0.9 * t2 + 0.3
r1, r2, r3 = max(m1, 0), max(m2, 0), max(m3, 0)
p1, p2 = 0.5 * r1 + 0.4 * r2 - 0.3 * r3, 0.2 * r1 + 0.7 * r2 + 0.9 * r3 + 0.1
e1, e2 = 2 * (p1 - 1), 2 * (p2 + 1)
k1, k2, k3 = ((0.5 * e1 + 0.2 * e2) * (m1 > 0), (0.4 * e1 + 0.7 * e2) * (m2 > 0), (-0.3 * e1 + 0.9 * e2) * (m3 > 0))

DEEP: list[Row] = [
    ("sign-lost", "net_h1_1", 0.4 * 0.5 + 0.6 * -0.8 + 0.1),
    ("half-of-the-argument", "out_h1_1", tanh(a1 / 2)),
    ("twice-the-argument", "out_h1_1", tanh(2 * a1)),
    ("tangent-for-tanh", "out_h1_1", sin(a1) / cos(a1)),
    ("degrees-for-radians", "out_h1_1", math.tan(a1 * pi / 180)),
    ("divisor-left-out", "out_h1_1", exp(a1) - exp(-a1)),
    ("argument-sign-turned", "out_h2_1", max(-m1, 0)),
    ("absolute-value", "out_h2_1", abs(m1)),
    ("smallest-for-largest", "out_h2_1", min(m1, 0)),
    ("net-for-slope", "dE/dnet_h2_1", (0.5 * e1 + 0.2 * e2) * m1),
    ("wrong-branch", "dE/dnet_h2_1", 0),
    ("one-part-only", "E", (1 - p1) ** 2),
    ("loss-with-half", "E", ((1 - p1) ** 2 + (-1 - p2) ** 2) / 2),
    ("half-mean-over-outputs", "E", ((1 - p1) ** 2 + (-1 - p2) ** 2) / 4),
    ("wrong-target", "E", (-1 - p1) ** 2 + (-1 - p2) ** 2),
    ("path-left-out", "dE/dout_h1_1", 0.5 * k1 + 0.8 * k2),
    ("one-path-only", "dE/dout_h1_1", 0.8 * k2),
    ("wrong-delta", "dE/dout_h1_1", 0.5 * k2 + 0.8 * k2 + 0.6 * k3),
    ("weights-numbered-by-source", "net_h2_1", 0.5 * t1 + 0.2 * t2 + 0.1),
]  # fmt: skip

# --- a batch with softmax and cross-entropy, a batch of one neuron with a penalty ------------------------------------

BATCH = """
inputs = [[0.5], [-0.4], [0.3]]
targets = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
loss = "cross-entropy"
[[layers]]
neurons = 3
activation = "softmax"
weights = [[0.2], [-0.4], [0.7]]
bias = [0.1, 0.2, -0.3]
[update]
learning_rate = 0.1
"""
Z = [[0.2 * x + 0.1, -0.4 * x + 0.2, 0.7 * x - 0.3] for x in (0.5, -0.4, 0.3)]
P = [[exp(z) / sum(map(exp, row)) for z in row] for row in Z]
G = sum((P[k][0] - (k == 0)) * x for k, x in enumerate((0.5, -0.4, 0.3)))
z1, z2, z3 = Z[0]
q1, q2, q3 = P[0]

SOFTMAX: list[Row] = [
    ("softmax-without-exp", "out_o1[1]", z1 / (z1 + z2 + z3)),
    ("softmax-not-divided", "out_o1[1]", exp(z1)),
    ("softmax-own-term-left-out", "out_o1[1]", exp(z1) / (exp(z2) + exp(z3))),
    ("softmax-term-left-out", "out_o1[1]", exp(z1) / (exp(z1) + exp(z3))),
    ("softmax-by-the-largest", "out_o3[1]", exp(z3) / exp(max(z1, z2, z3))),
    ("sigmoid-for-softmax", "out_o1[1]", s(z1)),
    ("exponential-squared", "out_o1[1]", z1**2 / (z1**2 + z2**2 + z3**2)),
    ("exponential-of-the-sum", "out_o1[1]", exp(z1) / exp(z1 + z2 + z3)),
    ("softmax-over-samples", "out_o1[1]", exp(z1) / sum(exp(row[0]) for row in Z)),
    ("argument-sign-turned", "out_o1[1]", exp(-z1) / (exp(-z1) + exp(-z2) + exp(-z3))),
    ("wrong-sample", "net_o1[1]", Z[1][0]),
    ("logarithm-to-base-10", "E_o1[1]", -math.log10(q1)),
    ("logarithm-to-base-2", "E", -(math.log2(P[0][0]) + math.log2(P[1][1]) + math.log2(P[2][2])) / 3),
    ("sign-lost", "E_o1[1]", log(q1)),
    ("logarithm-of-the-rest", "E_o1[1]", -log(1 - q1)),
    ("logarithm-left-out", "E_o1[1]", -q1),
    ("target-left-out", "E_o2[1]", -log(q2)),
    ("target-and-output-exchanged", "E_o1[1]", 0),
    ("output-in-front", "E_o1[1]", -q1 * log(q1)),
    ("squared-error-for-cross-entropy", "E_o1[1]", (1 - q1) ** 2 / 2),
    ("binary-for-categorical", "E[1]", -log(q1) - log(1 - q2) - log(1 - q3)),
    ("cancelled-form", "dE_o1[1]/dout_o1[1]", q1 - 1),
    ("part-left-out", "E", -(log(P[0][0]) + log(P[1][1])) / 3),
    ("one-part-only", "E", -log(P[0][0])),
    ("mean-over-wrong-count", "E", -(log(P[0][0]) + log(P[1][1]) + log(P[2][2])) / 2),
    ("sum-over-samples", "E", -(log(P[0][0]) + log(P[1][1]) + log(P[2][2]))),
    ("sum-over-samples", "dE/dw1", G),
    ("one-sample-only", "dE/dw1", (P[1][0] - 0) * -0.4 / 3),
    ("sample-left-out", "dE/dw1", ((P[0][0] - 1) * 0.5 + P[1][0] * -0.4) / 3),
    ("samples-averaged", "dE/dw1", G / 9),
    ("mean-over-outputs", "E[1]", -log(q1) / 3),
    ("slope-not-cancelled", "dE/dnet_o1[1]", (q1 - 1) / 3 * q1 * (1 - q1)),
    ("output-for-error", "dE/dnet_o1[1]", q1 / 3),
    ("target-minus-output", "dE/dw1", -G / 3),
    ("jacobian-diagonal-only", "dE/dnet_o1[1]", -1 / q1 / 3 * q1 * (1 - q1)),
    ("jacobian-diagonal-only", "dout_o1[1]/dnet_o2[1]", 0),
    ("jacobian-like-diagonal", "dout_o1[1]/dnet_o2[1]", q1 * (1 - q1)),
    ("jacobian-like-off-diagonal", "dout_o1[1]/dnet_o1[1]", -q1 * q1),
    ("output-for-slope", "dout_o1[1]/dnet_o1[1]", q1),
]  # fmt: skip

DECAY = """
inputs = [[0.5, 0.2], [0.1, -0.3]]
targets = [1, 0]
loss = "binary-cross-entropy"
reduction = "sum"
l2 = 0.1
[[layers]]
neurons = ["o"]
activation = "sigmoid"
weights = [[0.4, -0.6]]
bias = 0.2
[update]
learning_rate = 0.1
"""
c1, c2 = s(0.4 * 0.5 - 0.6 * 0.2 + 0.2), s(0.4 * 0.1 + 0.6 * 0.3 + 0.2)
DATA = -log(c1) - log(1 - c2)
D1 = (c1 - 1) * 0.5 + c2 * 0.1

PENALTY: list[Row] = [
    ("penalty-left-out", "E", DATA),
    ("penalty-left-out", "dE/dw1", D1),
    ("penalty-without-strength", "E_l2", 0.4**2 + 0.6**2),
    ("penalty-on-biases", "E_l2", 0.05 * (0.4**2 + 0.6**2 + 0.2**2)),
    ("penalty-on-biases", "dE/db1", (c1 - 1) + c2 + 0.1 * 0.2),
    ("half-left-out", "E_l2", 0.1 * (0.4**2 + 0.6**2)),
    ("factor-left-out", "dE/dw1", D1 + 0.1),
    ("mean-over-samples", "E_data", DATA / 2),
    ("second-term-left-out", "E[2]", 0),
    ("first-term-left-out", "E[1]", 0),
    ("terms-exchanged", "E[1]", -log(1 - c1)),
    ("squared-error-for-cross-entropy", "E[1]", (1 - c1) ** 2),
    ("divisor-left-out", "dE[1]/dout_o[1]", (c1 - 1) / c1),
]  # fmt: skip

OTHER_OUTPUTS = """
kind = "loss"
loss = { name = "binary-cross-entropy", over = "mean" }
predictions = [0.7, 0.2]
targets = [1, 0]
"""
SHARED = """
inputs = [0.5]
targets = [0.2]
[[layers]]
neurons = 3
activation = "sigmoid"
weights = [[0.3], [0.6], [-0.4]]
bias = 0.1
[[layers]]
neurons = ["o1"]
activation = "linear"
weights = [[0.5, -0.2, 0.8]]
"""
S = [s(0.5 * w + 0.1) for w in (0.3, 0.6, -0.4)]
Q = 0.5 * S[0] - 0.2 * S[1] + 0.8 * S[2] - 0.2
B = [Q * v * h * (1 - h) for v, h in zip((0.5, -0.2, 0.8), S, strict=True)]

MANY: list[Row] = [("shared-parameter-use-left-out", "dE/db1", B[0] + B[1])]
MEAN: list[Row] = [
    ("sum-over-outputs", "E", -log(0.7) - log(0.8)),
    ("mean-squared-twice", "E", 0.01 / 9 * 1),
]  # fmt: skip

# --- activations at points -------------------------------------------------------------------------------------------

POINTS: Mapping[str, tuple[str, list[Row]]] = {
    "hard sigmoid": (
        'kind = "activation"\nactivation = "hard-sigmoid"\nat = [-1, 1]',
        [("other-form-of-activation", "f(-1)", 0.3), ("other-form-of-activation", "f(1)", 0.7)],
    ),
    "relu": ('kind = "activation"\nactivation = "relu"\nat = [0]', [("edge-of-condition", "f'(0)", 1)]),
    "gelu": (
        'kind = "activation"\nactivation = "gelu-tanh"\nat = [-1]',
        [("other-form-of-activation", "f(-1)", -0.5 * (1 + erf(-1 / sqrt(2))))],
    ),
    "leaky": (
        'kind = "activation"\nactivation = { name = "leaky-relu", alpha = 0.2 }\nat = [-3]',
        [("default-of-parameter", "f(-3)", -0.03), ("smallest-for-largest", "f'(-3)", 1)],
    ),
    "sigmoid": (
        'kind = "activation"\nactivation = "sigmoid"\nat = [2]',
        [("slope-at-output", "f'(2)", s(s(2)) * (1 - s(s(2)))), ("slope-of-net-for-output", "f'(2)", 2 * (1 - 2))],
    ),
}  # fmt: skip

# --- formulas and calculus -------------------------------------------------------------------------------------------

CALCULUS = """
kind = "expression"
output = "f"
[given]
x = 1.3
y = 0.7
[define]
a = "(2*x + 1)^3"
b = "x^2*sin(x)"
c = "(x + 1)/(x^2 + 2)"
e = "exp(2*x)"
l = "ln(3*x)"
r = "sqrt(5*x + y)"
m = "max(x^2, 3*y)"
g = "sigmoid(x*y)"
t = "tanh(x*y)"
u = "abs(x - 4)"
v = "(x + 2)*y"
k = "cos(x)"
d = "x - y"
f = "a + b + c + e + l + r + m + g + t + u + v + k + d"
"""
x, w = 1.3, 0.7
sg, th = s(x * w), tanh(x * w)
FORMULAS: list[Row] = [
    ("inner-derivative-left-out", "da/dx", 3 * (2 * x + 1) ** 2),
    ("power-factor-left-out", "da/dx", (2 * x + 1) ** 2 * 2),
    ("exponent-not-reduced", "da/dx", 3 * (2 * x + 1) ** 3 * 2),
    ("product-rule-as-product", "db/dx", 2 * x * cos(x)),
    ("product-rule-one-term", "db/dx", 2 * x * sin(x)),
    ("product-rule-minus", "db/dx", 2 * x * sin(x) - x**2 * cos(x)),
    ("sign-of-cosine", "db/dx", 2 * x * sin(x) - x**2 * cos(x)),
    ("quotient-rule-order", "dc/dx", ((x + 1) * 2 * x - (x**2 + 2)) / (x**2 + 2) ** 2),
    ("quotient-rule-square-left-out", "dc/dx", (x**2 + 2 - (x + 1) * 2 * x) / (x**2 + 2)),
    ("quotient-rule-as-quotient", "dc/dx", 1 / (2 * x)),
    ("quotient-rule-plus", "dc/dx", (x**2 + 2 + (x + 1) * 2 * x) / (x**2 + 2) ** 2),
    ("constant-kept", "da/dx", 3 * (2 * x + 1) ** 2 * 3),
    ("slope-of-exponential", "de/dx", 2 * 2 * x * exp(2 * x - 1)),
    ("slope-of-logarithm", "dl/dx", 3 * log(3 * x)),
    ("slope-of-root", "dr/dx", 5 / sqrt(5 * x + w)),
    ("gradient-to-both", "dm/dx", 2 * x),
    ("gradient-to-the-other", "dm/dx", 2 * x),
    ("slope-of-sigmoid", "dg/dx", sg * w),
    ("slope-of-tanh", "dt/dx", (1 - th) * w),
    ("own-value-for-slope", "dv/dy", w),
    ("value-for-slope", "db/dx", x**2 * sin(x)),
    ("power-left-out", "a", 2 * x + 1),
    ("times-for-power", "a", 3 * (2 * x + 1)),
    ("fraction-turned-round", "c", (x**2 + 2) / (x + 1)),
    ("divisor-left-out", "c", x + 1),
    ("product-for-division", "c", (x + 1) * (x**2 + 2)),
    ("brackets-left-out", "v", x + 2 * w),
    ("brackets-left-out", "c", x + 1 / (x**2 + 2)),
    ("logarithm-to-base-10", "l", math.log10(3 * x)),
    ("exponential-to-base-10", "e", 10 ** (2 * x)),
    ("root-left-out", "r", 5 * x + w),
    ("absolute-value-left-out", "u", x - 4),
    ("degrees-for-radians", "k", cos(x * pi / 180)),
    ("cosine-for-sine", "k", sin(x)),
    ("difference-turned-round", "d", w - x),
    ("smallest-for-largest", "m", min(x**2, 3 * w)),
]  # fmt: skip

# --- optimizers ------------------------------------------------------------------------------------------------------

ADAM = """
kind = "optimizer"
optimizer = { name = "adam", epsilon = 0.01 }
learning_rate = 0.1
parameters = { w = 0.5 }
gradients = [[0.4], [0.3]]
"""
M1, V1 = 0.04, 0.001 * 0.16
M2, V2 = 0.9 * M1 + 0.03, 0.999 * V1 + 0.001 * 0.09
W1 = 0.5 - 0.1 * 0.4 / (0.4 + 0.01)
ADAMS: list[Row] = [
    ("one-minus-beta-left-out", "m_w@2", 0.9 * M1 + 0.3),
    ("epsilon-left-out", "w@1", 0.5 - 0.1),
    ("bias-correction-left-out", "w@1", 0.5 - 0.1 * M1 / (sqrt(V1) + 0.01)),
    ("bias-correction-left-out", "m_hat_w@2", M2),
    ("power-of-beta-left-out", "m_hat_w@2", M2 / (1 - 0.9)),
    ("shares-exchanged", "m_w@2", 0.1 * M1 + 0.9 * 0.3),
    ("betas-exchanged", "m_w@1", (1 - 0.999) * 0.4),
    ("old-state-used", "m_w@2", 0.9 * 0 + 0.1 * 0.3),
    ("epsilon-place", "w@1", 0.5 - 0.1 * 0.4 / sqrt(0.16 + 0.01)),
    ("root-left-out", "w@1", 0.5 - 0.1 * 0.4 / (0.16 + 0.01)),
    ("square-left-out", "v_w@1", 0.001 * 0.4),
    ("gradient-of-another-update", "m_w@2", 0.9 * M1 + 0.1 * 0.4),
    ("old-state-used", "w@2", 0.5 - 0.1 * (M2 / 0.19) / (sqrt(V2 / (1 - 0.999**2)) + 0.01)),
    ("ascent-for-descent", "w@1", 0.5 + 0.1 * 0.4 / 0.41),
    ("rate-left-out", "w@1", 0.5 - 0.4 / 0.41),
]  # fmt: skip
MOMENTUM = """
kind = "optimizer"
optimizer = { name = "momentum", momentum = 0.9 }
learning_rate = 0.1
parameters = { w = 1 }
gradients = [[2], [1]]
"""
MOMENTA: list[Row] = [
    ("momentum-convention", "v_w@1", 2.0),
    ("momentum-convention", "v_w@2", 0.9 * 2 + 1),
    ("old-state-used", "v_w@2", -0.1),
]  # fmt: skip
OTHER_RULES: Mapping[str, tuple[str, list[Row]]] = {
    "decay": (
        'kind = "optimizer"\noptimizer = { name = "adamw", weight_decay = 0.1, epsilon = 0.01 }\nlearning_rate = 0.1\n'
        "parameters = { w = 2 }\ngradients = [[0.4]]",
        [("decay-convention", "w@1", 2 - 0.1 * 0.6 / (0.6 + 0.01))],
    ),
    "centred": (
        'kind = "optimizer"\noptimizer = { name = "rmsprop", centered = true, epsilon = 0.01 }\nlearning_rate = 0.1\n'
        "parameters = { w = 2 }\ngradients = [[0.4]]",
        [("centred-convention", "w@1", 2 - 0.1 * 0.4 / (sqrt(0.1 * 0.16) + 0.01))],
    ),
    "labels": (
        'kind = "perceptron"\ninputs = [[1, 2], [3, -1]]\ntargets = [-1, 1]\nweights = [0.2, -0.1]\nbias = 0.1\n'
        "learning_rate = 0.5\nepochs = 2",
        [("rule-convention", "w1[1]", 0.2 - 0.5 * 2), ("rate-left-out", "w1[1]", 0.2 - 1),
         ("error-turned-round", "w1[1]", 0.2 + 0.5)],
    ),
}  # fmt: skip
TOGETHER = """
kind = "optimizer"
optimizer = "sgd"
learning_rate = 0.1
parameters = { w = 1, b = 2 }
objective = "(w*b - 1)^2"
steps = 1
"""
SEQUENTIAL: list[Row] = [("updated-weight-used-early", "b@1", 2 - 0.1 * 2 * (0.6 * 2 - 1) * 0.6)]

# --- perceptrons -----------------------------------------------------------------------------------------------------

PERCEPTRON = """
kind = "perceptron"
inputs = [[1, 2], [3, -1], [0.5, 1]]
targets = [0, 1, 0]
weights = [0.2, -0.1]
bias = 0
learning_rate = 0.5
step_at_zero = 1
epochs = 2
"""  # the first sum is exactly 0, so the output is 1 and wrong: w = (-0.3, -1.1), b = -0.5
RULE: list[Row] = [
    ("threshold-at-zero", "out[1]", 0),
    ("threshold-at-zero", "w1[1]", 0.2),
    ("threshold-turned-round", "out[2]", 0),
    ("threshold-elsewhere", "out[1]", 0),
    ("labels-convention", "out[2]", -1),
    ("error-turned-round", "w1[1]", 0.2 + 0.5),
    ("absolute-error", "w2[1]", -0.1 + 0.5 * 2),
    ("input-left-out", "w2[1]", -0.1 - 0.5),
    ("updated-on-right-answer", "w1[1]", 0.2),
    ("input-added", "w1[1]", 0.7),
    ("input-subtracted", "w2[1]", -1.1),
    ("bias-not-updated", "b[1]", 0),
    ("bias-times-input", "b[1]", 0 - 0.5 * 2),
    ("rate-left-out", "w1[1]", 0.2 - 1),
    ("rate-used-twice", "w1[1]", 0.2 - 0.25),
    ("not-updated", "w1[1]", 0.2),
    ("net-for-output", "w1[2]", -0.3 + 0.5 * (1 - (-0.3 * 3 + 1.1 - 0.5)) * 3),
    ("start-weights-used", "net[4]", 0.2 - 0.1 * 2),
    ("weights-of-epoch-start", "net[3]", 0.2 * 0.5 - 0.1),
    ("weights-before-last-update", "net[3]", -0.3 * 0.5 - 1.1 - 0.5),
    ("wrong-sample", "net[2]", -0.3 * 0.5 - 1.1 - 0.5),
    ("wrong-input", "w1[1]", 0.2 - 0.5 * 2),
    ("weight-for-input", "w1[1]", 0.2 - 0.5 * 0.2),
    ("step-times-old-weight", "w1[1]", 0.2 - 0.5 * 0.2),
    ("old-weight-left-out", "w1[1]", -0.5),
]  # fmt: skip

MAXIMUM = (
    'kind = "optimizer"\noptimizer = { name = "amsgrad", maximum_of = "v" }\nlearning_rate = 0.1\n'
    "parameters = { w = 2 }\ngradients = [[0.4], [0.1]]"
)
AM = (0.9 * 0.04 + 0.01) / 0.19
AV = max(0.16, (0.999 * 0.00016 + 0.001 * 0.01) / (1 - 0.999**2))
LARGEST: list[Row] = [("maximum-convention", "w@2", 2 - 0.1 * 0.4 / (0.4 + 1e-8) - 0.1 * AM / (sqrt(AV) + 1e-8))]

MSE: list[Row] = [
    ("mean-squared-twice", "E_o1", 0.01 / 9),
    ("loss-without-half", "E_o1", 0.01),
]  # fmt: skip

TABLES: Mapping[str, tuple[str, list[Row]]] = {
    "2-2-1": ("backprop-2-2-1", SMALL),
    "2-2-3-2": (TWO, DEEP),
    "softmax": (BATCH, SOFTMAX),
    "penalty": (DECAY, PENALTY),
    "mean": (OTHER_OUTPUTS, MEAN[:1]),
    "mse": ("mse-3", MSE),
    "shared": (SHARED, MANY),
    "formulas": (CALCULUS, FORMULAS),
    "adam": (ADAM, ADAMS),
    "momentum": (MOMENTUM, MOMENTA),
    "together": (TOGETHER, SEQUENTIAL),
    "amsgrad": (MAXIMUM, LARGEST),
    "perceptron": (PERCEPTRON, RULE),
    **POINTS,
    **OTHER_RULES,
    **MORE,
}
ALL = [(table, *row) for table, (_, rows) in TABLES.items() for row in rows]


@cache
def _example(table: str) -> WorkedExample:
    text = TABLES[table][0]
    return WorkedExample(loads(text) if "\n" in text else find(text))


@cache
def _mutants(table: str, quantity: str) -> list[Mutant]:
    return mutants(_example(table), [quantity])


@pytest.mark.parametrize(("table", "mistake", "quantity", "wrong"), ALL, ids=lambda part: str(part)[:40])
def test_the_wrong_number_worked_out_by_hand(table: str, mistake: str, quantity: str, wrong: float) -> None:
    found = {mutant.id for mutant in named(_example(table), _mutants(table, quantity), quantity, wrong)}
    assert mistake in found


def test_every_mistake_is_worked_out_by_hand() -> None:
    assert set(ROWS) - {mistake for _, mistake, _, _ in ALL} == set()
