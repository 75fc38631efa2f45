"""More mistakes with the wrong number that comes of each, worked out in plain Python without the package."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, exp, log, sin, sqrt, tanh

Row = tuple[str, str, float]
"""The id of a mistake, the quantity that is asked, the wrong number."""


def s(z: float) -> float:
    return 1 / (1 + exp(-z))


# --- two sigmoid layers with two outputs, the squared error ----------------------------------------------------------

WIDE = """
inputs = [0.35, 0.9]
targets = [0.2, 0.79]
loss = "squared-error"
[[layers]]
neurons = 2
activation = "sigmoid"
weights = [[0.1, 0.8], [0.4, 0.6]]
bias = [0.2, 0.15]
[[layers]]
neurons = 2
activation = "sigmoid"
weights = [[0.3, 0.9], [0.5, 0.25]]
bias = [0.12, 0.32]
[update]
learning_rate = 0.3
"""
n1, n2 = 0.1 * 0.35 + 0.8 * 0.9 + 0.2, 0.4 * 0.35 + 0.6 * 0.9 + 0.15
h1, h2 = s(n1), s(n2)
p1, p2 = 0.3 * h1 + 0.9 * h2 + 0.12, 0.5 * h1 + 0.25 * h2 + 0.32
o1, o2 = s(p1), s(p2)
g1, g2 = 2 * (o1 - 0.2), 2 * (o2 - 0.79)
d1, d2 = g1 * o1 * (1 - o1), g2 * o2 * (1 - o2)
back = d1 * 0.3 + d2 * 0.5
E = (0.2 - o1) ** 2 + (0.79 - o2) ** 2
SLOPE_1 = h1 * (1 - h1)


def after(rate: float, biases: float) -> float:
    """The error after one update, the weights moved by one rate and the biases by another."""
    b1, b2 = back * SLOPE_1, (d1 * 0.9 + d2 * 0.25) * h2 * (1 - h2)
    k1 = s((0.1 - rate * b1 * 0.35) * 0.35 + (0.8 - rate * b1 * 0.9) * 0.9 + 0.2 - biases * b1)
    k2 = s((0.4 - rate * b2 * 0.35) * 0.35 + (0.6 - rate * b2 * 0.9) * 0.9 + 0.15 - biases * b2)
    y1 = s((0.3 - rate * d1 * h1) * k1 + (0.9 - rate * d1 * h2) * k2 + 0.12 - biases * d1)
    y2 = s((0.5 - rate * d2 * h1) * k1 + (0.25 - rate * d2 * h2) * k2 + 0.32 - biases * d2)
    return (0.2 - y1) ** 2 + (0.79 - y2) ** 2



WIDE_ROWS: list[Row] = [
    ("biases-not-updated", "E@1", after(0.3, 0)),
    ("inputs-for-outputs", "net_o1", 0.3 * 0.35 + 0.9 * 0.9 + 0.12),
    ("wrong-bias", "net_h1", n1 - 0.2 + 0.12),
    ("sign-turned", "net_h1", 0.1 * 0.35 - 0.8 * 0.9 + 0.2),
    ("another-activation", "out_h1", 1),
    ("derivative-squared", "dout_h1/dnet_h1", SLOPE_1**2),
    ("derivative-squared", "dE/dw1", (g1 * (o1 * (1 - o1)) ** 2 * 0.3 + g2 * (o2 * (1 - o2)) ** 2 * 0.5)
     * SLOPE_1**2 * 0.35),
    ("factor-used-twice", "dout_h1/dnet_h1", h1**2 * (1 - h1)),
    ("factor-used-twice", "dout_h1/dnet_h1", h1 * (1 - h1) ** 2),
    ("slope-of-another-layer", "dE/dnet_h1", back * o1 * (1 - o1)),
    ("slope-of-another-layer", "dE/dnet_o1", g1 * h1 * (1 - h1)),
    ("output-left-out", "dE/dout_o1", -2 * 0.2),
    ("errors-of-all-outputs", "dE/dout_o1", g1 + g2),
    ("error-without-sign", "dE/dw1", (abs(g1) * o1 * (1 - o1) * 0.3 + abs(g2) * o2 * (1 - o2) * 0.5) * SLOPE_1 * 0.35),
    ("wrong-input", "dE/dout_o1", 2 * (o2 - 0.2)),
    ("square-of-the-sum", "E", (0.2 - o1 + 0.79 - o2) ** 2),
    ("tenfold-step", "w5_new", 0.3 - 0.3 * 10 * d1 * h1),
    ("tenth-of-step", "w1_new", 0.1 - 0.03 * back * SLOPE_1 * 0.35),
    ("half-too-many", "E_o1", (0.2 - o1) ** 2 / 2),
    ("sum-averaged", "E", E / 2),
    ("loss-for-delta", "dE/dw5", E * h1),
    ("wrong-input", "dE/dw5", d1 * o1),
    ("sum-for-product", "dE/dnet_h1", back + SLOPE_1),
    ("wrong-weight", "dE/dout_h1", d1 * 0.9 + d2 * 0.25),
    ("wrong-weight", "dE/dout_h1", d1 * 0.1 + d2 * 0.8),
    ("wrong-weight", "dE/dout_h1", d1 * 0.1 + d2 * 0.5),
    ("output-for-weight", "dE/dout_h1", (d1 + d2) * h1),
    ("factor-used-twice", "dE/dout_h1", d1 * 0.3**2 + d2 * 0.5**2),
    ("updated-weight-used-early", "dE/dout_h1", d1 * (0.3 - 0.3 * d1 * h1) + d2 * (0.5 - 0.3 * d2 * h1)),
    ("brackets-put", "w5_new", (0.3 - 0.3) * d1 * h1),
    ("brackets-put", "w6_new", 0.3 * (0.9 - d1 * h2)),
    ("rate-at-the-weight", "w5_new", 0.3 * 0.3 - d1 * h1),
    ("two-too-many", "w5_new", 0.3 - 2 * 0.3 * d1 * h1),
    ("half-too-many", "w5_new", 0.3 - 0.3 * d1 * h1 / 2),
    ("gradient-of-another-weight", "b4_new", 0.32 - 0.3 * d1),
    ("wrong-weight", "b4_new", 0.12 - 0.3 * d2),
]  # fmt: skip

# --- a long chain, with δ and σ′ asked for ----------------------------------------------------------------------------

CHAIN = """
inputs = [0.5]
targets = [0.9]
[[layers]]
neurons = ["h"]
activation = "tanh"
weights = [[0.7]]
bias = 0.1
[[layers]]
neurons = ["o"]
activation = "sigmoid"
weights = [[0.4]]
bias = 0.2
[update]
learning_rate = 0.5
frozen = ["b1"]
"""
h = tanh(0.7 * 0.5 + 0.1)
o = s(0.4 * h + 0.2)
d = (o - 0.9) * o * (1 - o)
g_first = d * 0.4 * (1 - h**2) * 0.5
CHAIN_ROWS: list[Row] = [
    ("upstream-left-out", "dE/dw1", 0.5),
    ("upstream-left-out", "dE/dw1", (1 - h**2) * 0.5),
    ("sum-for-product", "dE/dw1", ((o - 0.9) + o * (1 - o)) * 0.4 * (1 - h**2) * 0.5),
    ("error-without-sign", "dE/dout_o", abs(o - 0.9)),
    ("slope-of-error", "dout_o/dnet_o", (o - 0.9) * (1 - (o - 0.9))),
    ("slope-of-error", "dE/dw2", (o - 0.9) * (0.9 - o) * (1 - (0.9 - o)) * h),
    ("rate-left-out", "w2_new", 0.4 - d * h),
]

# --- one parameter after the other ------------------------------------------------------------------------------------

LINEAR = """
inputs = [[1], [2], [4]]
targets = [2, 3, 7]
loss = "mean-squared-error"
[[layers]]
neurons = ["o"]
activation = "linear"
weights = [[0.5]]
bias = 0.25
[update]
learning_rate = 0.1
"""
DATA = ((1, 2), (2, 3), (4, 7))


def slope_w(w: float, b: float) -> float:
    return sum(2 * (w * x + b - t) * x for x, t in DATA) / 3


def slope_b(w: float, b: float) -> float:
    return sum(2 * (w * x + b - t) for x, t in DATA) / 3


def one_by_one(w: float, b: float) -> tuple[float, float]:
    """The parameters after an update for each sample."""
    for x, t in DATA:
        error = w * x + b - t
        w, b = w - 0.1 * 2 * error * x, b - 0.1 * 2 * error
    return w, b


ONE_BY_ONE = one_by_one(0.5, 0.25)
LINEAR_ROWS: list[Row] = [
    ("updated-one-after-the-other", "b1_new", 0.25 - 0.1 * slope_b(0.5 - 0.1 * slope_w(0.5, 0.25), 0.25)),
    ("updated-one-after-the-other", "w1_new", 0.5 - 0.1 * slope_w(0.5, 0.25 - 0.1 * slope_b(0.5, 0.25))),
    ("updated-after-each-sample", "w1_new", ONE_BY_ONE[0]),
    ("updated-after-each-sample", "b1_new", ONE_BY_ONE[1]),
    ("one-sample-only", "dE/dw1", 2 * (0.5 * 2 + 0.25 - 3) * 2),
    ("one-sample-only", "dE/dw1", 2 * (0.5 * 4 + 0.25 - 7) * 4 / 3),
    ("sample-left-out", "dE/db1", (2 * (0.75 - 2) + 2 * (1.25 - 3)) / 2),
    ("mean-over-wrong-count", "dE/db1", slope_b(0.5, 0.25) * 3 / 2),
    ("wrong-input", "dE/dw1", (2 * (0.75 - 2) * 2 + 2 * (1.25 - 3) * 2 + 2 * (2.25 - 7) * 4) / 3),
    ("wrong-target", "dE/dout_o[1]", 2 * (0.75 - 3) / 3),
    ("bias-for-its-slope", "dE/db1", 0.25 * slope_b(0.5, 0.25)),
    ("bias-slope-zero", "dE/db1", 0),
    ("upstream-left-out", "dE/db1", 1),
]

# --- a slip in one sample only ----------------------------------------------------------------------------------------

LOGISTIC = """
inputs = [[1, 2], [2, -1]]
targets = [1, 0]
loss = "binary-cross-entropy"
[[layers]]
neurons = ["o"]
activation = "sigmoid"
weights = [[0.2, -0.1]]
bias = 0.05
"""
q1, q2 = s(0.2 - 0.2 + 0.05), s(0.4 + 0.1 + 0.05)
LOGISTIC_ROWS: list[Row] = [
    ("bias-used-twice", "dE/dw1", ((s(0.1) - 1) + q2 * 2) / 2),
    ("output-for-error", "dE/dw1", (q1 + q2 * 2) / 2),
    ("two-too-many", "dE/dw1", (2 * (q1 - 1) + q2 * 2) / 2),
    ("half-too-many", "dE/dw1", ((q1 - 1) / 2 + q2 * 2) / 2),
    ("factor-left-out", "dE/dw2", ((q1 - 1) + q2 * -1) / 2),
    ("factor-left-out", "dE/dw1", (-1 / q1 + q2 * 2) / 2),
    ("logarithm-to-base-2", "E", (-log(q1) / log(2) - log(1 - q2)) / 2),
    ("weight-for-input", "dE/dw1", ((q1 - 1) + q2) * 0.2 / 2),
    ("sum-for-product", "dE/dw1", ((q1 - 1) / 2 + 1) + (q2 / 2 + 2)),
]

# --- a penalty on the weights ----------------------------------------------------------------------------------------

DECAY = """
inputs = [0.4, 0.7]
targets = [0.9]
l2 = 0.1
[[layers]]
neurons = ["o"]
activation = "sigmoid"
weights = [[0.5, -0.3]]
bias = 0.2
[update]
learning_rate = 0.5
"""
r = s(0.2 - 0.21 + 0.2)
k = (r - 0.9) * r * (1 - r) * 0.7
DECAY_ROWS: list[Row] = [
    ("two-too-many", "dE/dw2", k + 2 * 0.1 * -0.3),
    ("half-too-many", "dE/dw2", k + 0.1 * -0.3 / 2),
    ("penalty-without-strength", "dE/dw2", k - 0.3),
    ("penalty-not-differentiated", "dE/dw2", k + 0.1 * 0.09),
    ("penalty-not-differentiated", "dE/dw2", k + 0.05 * 0.09),
    ("sign-for-weight", "dE/dw2", k - 0.1),
    ("sign-for-weight", "dE_l2/dw2", -0.1),
    ("factor-left-out", "dE/dw2", k + 0.1),
    ("wrong-input", "dE/dw2", k / 0.7 * 0.4 + 0.1 * -0.3),
    ("division-for-product", "dE/dw2", k / 0.49 + 0.1 * -0.3),
]

# --- losses of their own ---------------------------------------------------------------------------------------------


def _loss(name: str, predictions: str, targets: str) -> str:
    return f'kind = "loss"\nloss = "{name}"\npredictions = {predictions}\ntargets = {targets}\n'


LOSSES: Mapping[str, tuple[str, list[Row]]] = {
    "hinge": (_loss("hinge", "[0.4, -0.3, 1.6]", "[1, 1, -1]"), [
        ("another-loss", "E", 0.6**2 + 1.3**2 + 2.6**2),
        ("another-loss", "dE/do1", -2 * 0.6),
        ("wrong-branch", "dE/do1", 0),
        ("value-for-slope", "dE/do1", -0.4),
        ("own-value-for-slope", "dE/do3", -1.6),
        ("target-left-out", "dE/do3", -1),
        ("loss-for-slope", "dE/do1", 0.6),
        ("half-too-many", "E", (0.6 + 1.3 + 2.6) / 2),
        ("sign-lost", "E", 1.4 + 0.7 + 0),
    ]),
    "squared hinge": (_loss("squared-hinge", "[0.4, -0.3, 1.6]", "[1, 1, -1]"), [
        ("another-loss", "dE/do2", -1),
        ("inner-derivative-left-out", "dE/do1", 2 * 0.6),
        ("factor-left-out", "dE/do1", -0.6),
        ("power-left-out", "E", 0.6 + 1.3 + 2.6),
    ]),
    "huber": (_loss("huber", "[2.5, 0.3, -1.7]", "[1, 0.8, 1]"), [
        ("wrong-branch", "dE/do1", 1.5),
        ("wrong-branch", "E", (1.5**2 + 0.5**2 + 2.7**2) / 2),
        ("error-without-sign", "dE/do3", 1),
        ("error-without-sign", "dE/do2", 0.5),
        ("loss-for-slope", "dE/do3", 2.7 - 0.5),
    ]),
    "absolute": (_loss("mean-absolute-error", "[2.5, 0.3, -1.7]", "[1, 0.8, 1.2]"), [
        ("difference-for-sign", "dE/do3", -2.9 / 3),
        ("wrong-branch", "dE/do3", 1 / 3),
        ("sign-turned", "dE/do1", -1 / 3),
        ("another-loss", "E", (1.5**2 + 0.5**2 + 2.9**2) / 3),
        ("absolute-value-left-out", "E", (1.5 - 0.5 - 2.9) / 3),
        ("loss-for-slope", "dE/do3", 2.9 / 3),
    ]),
    "entropy": (_loss("cross-entropy", "[0.6, 0.3, 0.1]", "[1, 0, 0]"), [
        ("wrong-input", "E", -log(0.3)),
        ("logarithm-left-out", "E", 1 - 0.6),
        ("squared-error-for-cross-entropy", "dE/do1", -0.8),
    ]),
}  # fmt: skip

# --- optimizers ------------------------------------------------------------------------------------------------------


def _rule(rule: str) -> str:
    return (
        f'kind = "optimizer"\noptimizer = {rule}\nlearning_rate = 0.2\n'
        "parameters = { w = 0.5 }\ngradients = [[0.4], [-0.3]]\n"
    )


m1, v1 = 0.1 * 0.4, 0.001 * 0.16
m2, v2 = 0.9 * m1 - 0.1 * 0.3, 0.999 * v1 + 0.001 * 0.09
w1 = 0.5 - 0.2 * 0.4 / (0.4 + 1e-8)
u1 = 0.1 * 0.16
RULES: Mapping[str, tuple[str, list[Row]]] = {
    "adam, more": (_rule('"adam"'), [
        ("gradient-for-average", "w@2", w1 - 0.2 * -0.3 / (sqrt(v2 / (1 - 0.999**2)) + 1e-8)),
        ("power-of-another-step", "m_hat_w@2", m2 / (1 - 0.9**3)),
        ("one-minus-beta-left-out", "m_w@2", 0.9 * 0.4 - 0.3),
        ("shares-exchanged", "m_w@2", 0.1 * 0.9 * 0.4 + 0.9 * -0.3),
        ("bias-correction-left-out", "w@2", w1 - 0.2 * m2 / (1 - 0.9**2) / (sqrt(v2) + 1e-8)),
        ("bias-correction-left-out", "w@2", w1 - 0.2 * m2 / (sqrt(v2 / (1 - 0.999**2)) + 1e-8)),
        ("product-for-division", "m_hat_w@2", m2 * (1 - 0.9**2)),
        ("square-left-out", "v_w@2", 0.999 * 0.001 * 0.4 - 0.001 * 0.3),
    ]),
    "adagrad": (_rule('{ name = "adagrad", epsilon = 0.01 }'), [
        ("mean-for-sum", "s_w@2", (0.16 + 0.09) / 2),
        ("absolute-for-square", "s_w@2", 0.4 + 0.3),
        ("root-left-out", "w@1", 0.5 - 0.2 * 0.4 / (0.16 + 0.01)),
    ]),
    "rmsprop": (_rule('{ name = "rmsprop", epsilon = 0.01 }'), [
        ("shares-left-out", "v_w@2", 0.16 + 0.09),
        ("same-share", "v_w@2", 0.9 * 0.9 * 0.16 + 0.9 * 0.09),
        ("bias-correction-made", "w@1", 0.5 - 0.2 * 0.4 / (sqrt(u1 / 0.1) + 0.01)),
    ]),
    "momentum, more": (_rule('"momentum"'), [
        ("one-minus-momentum-used", "v_w@2", 0.9 * -0.1 * 0.2 * 0.4 + 0.1 * 0.2 * 0.3),
        ("one-minus-momentum-used", "v_w@2", 0.9 * -0.1 * 0.4 + 0.1 * 0.3),
        ("step-of-another-rule", "w@1", 0.5 - 0.9 * 0.08 - 0.08),
    ]),
    "nesterov": (_rule('"nesterov"'), [
        ("step-of-another-rule", "w@2", 0.5 - 0.08 * 1.9 + (0.9 * -0.08 + 0.06) * 1.9),
        ("step-of-another-rule", "w@2", 0.5 - 0.08 + (0.9 * -0.08 + 0.06)),
    ]),
}  # fmt: skip

# --- calculus --------------------------------------------------------------------------------------------------------

CALCULUS = """
kind = "expression"
output = "f"
[given]
x = 0.7
a = 1.3
[define]
p = "x^3"
i = "1/x"
l = "ln(1 + x^2)"
e = "exp(-x^2)"
r = "exp(a*x)"
g = "sigmoid(a*x)"
t = "tanh(3*x)"
c = "x^2 + 3*a"
b = "x*sin(x)"
q = "a*ln(x)"
f = "p + i + l + e + r + g + t + c + b + q"
"""
x, a = 0.7, 1.3
sg, th = s(a * x), tanh(3 * x)
CALCULUS_ROWS: list[Row] = [
    ("antiderivative", "dp/dx", x**4 / 4),
    ("antiderivative", "di/dx", log(x)),
    ("reduced-exponent-in-front", "dp/dx", 2 * x**2),
    ("slope-at-inner-derivative", "dl/dx", 1 / (2 * x)),
    ("slope-at-inner-derivative", "de/dx", exp(-2 * x)),
    ("slope-of-logarithm", "dl/dx", 2 * x / (1 + x**2) ** 2),
    ("slope-of-exponential", "dr/dx", a * x * exp(a * x - 1)),
    ("gradient-of-another-weight", "dr/dx", x * exp(a * x)),
    ("slope-of-sigmoid", "dg/dx", a * (1 - sg)),
    ("slope-of-sigmoid", "dg/dx", a * sg * (1 + sg)),
    ("slope-of-tanh", "dt/dx", 3 * th * (1 - th)),
    ("slope-of-tanh", "dt/dx", 3 * (1 - 9 * x**2)),
    ("constant-kept", "dc/dx", 2 * x + 3 * a),
    ("product-rule-one-term", "db/dx", x * cos(x)),
    ("product-rule-one-term", "db/dx", sin(x)),
    ("factor-left-out", "dq/dx", 1 / x),
    ("value-for-slope", "dq/dx", a * log(x)),
]

TABLES: Mapping[str, tuple[str, list[Row]]] = {
    "2-2-2": (WIDE, WIDE_ROWS),
    "frozen": (f'{WIDE}frozen = ["b1"]', [("frozen-parameter-updated", "b1@1", 0.2 - 0.3 * back * SLOPE_1)]),
    "1-1-1": (CHAIN, CHAIN_ROWS),
    "linear": (LINEAR, LINEAR_ROWS),
    "logistic": (LOGISTIC, LOGISTIC_ROWS),
    "decay, more": (DECAY, DECAY_ROWS),
    "calculus": (CALCULUS, CALCULUS_ROWS),
    **LOSSES,
    **RULES,
}
