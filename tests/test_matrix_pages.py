"""Pages in matrix notation: what they say, that their printed numbers are NumPy's, that the renderers take them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, reject, settings
from numpy.typing import NDArray

import networks
from derive.cli import cli
from derive.derivation.network import NetworkGraph
from derive.errors import DeriveError
from derive.numbers.rounding import Rounding
from derive.pages.matrices import shown_places
from derive.pages.render import Look
from derive.problem.file import find, from_dict
from derive.problem.model import Problem
from derive.worked import Options, WorkedExample
from renderers import github_refuses, katex_check, latex_compiles, math_in_markdown

BUNDLED = (
    "backprop-2-2-1-matrix", "batch-2-3-2-matrix", "layer-5-2-matrix", "linear-2-3-2", "network-2-5-1-matrix",
    "three-inputs-5-samples-matrix",
)  # fmt: skip

SHARED: dict[str, Any] = {
    "title": "shared",
    "inputs": [[1, 2], [3, 4]],
    "targets": [[1], [0]],
    "l2": 0.1,
    "layers": [
        {
            "neurons": 2, "activation": {"name": "leaky-relu", "alpha": 0.1}, "weight_names": [["s", "w2"], ["", "s"]],
            "weights": [[0.5, 0.25], ["", 0.5]], "bias": [0.1, -0.3], "bias_input": -1,
        },
        {"neurons": 1, "activation": "z/(1 + exp(-z))", "weights": [[0.5, -0.25]]},
    ],
    "update": {"learning_rate": 0.5, "frozen": ["w2"], "steps": 2},
}  # fmt: skip
JACOBIAN: dict[str, Any] = {
    "inputs": [1, 2],
    "targets": [0.2, 0.3],
    "layers": [
        {"neurons": 3, "activation": "softmax", "bias": True},
        {"neurons": 2, "activation": "linear", "bias": True},
    ],
}
LARGE: dict[str, Any] = {
    "inputs": 784, "samples": 64, "targets": True, "loss": "cross-entropy",
    "layers": [
        {"neurons": 128, "activation": "relu", "bias": True}, {"neurons": 10, "activation": "softmax", "bias": True},
    ],
    "update": {"learning_rate": 0.1},
}  # fmt: skip


def in_matrices(data: dict[str, Any]) -> Problem:
    return from_dict(data).with_notation("matrix")


def problems() -> list[Problem]:
    return [*(find(name) for name in BUNDLED), *(in_matrices(data) for data in (SHARED, JACOBIAN, LARGE))]


def text(problem: Problem, **options: Any) -> str:
    return WorkedExample(problem, Options(**options)).page(Look("text"))


def squeezed(page: str) -> str:
    return " ".join(page.split())


# --- what a page says ---------------------------------------------------------------------------------------------

GOLDEN = {
    "backprop-2-2-1-matrix": [
        """
    W1 = ⎡ w1  w3 ⎤ = ⎡ 0.15  0.25 ⎤
         ⎣ w2  w4 ⎦   ⎣ 0.20  0.30 ⎦
             2×2            2×2
""",
        """
    Y1_pre = X @ W1 + B1
           = [ x1  x2 ] @ ⎡ w1  w3 ⎤ + [ b1  b1 ]
                1×2       ⎣ w2  w4 ⎦      1×2
                              2×2
           = [ w1·x1 + w2·x2 + b1  w3·x1 + w4·x2 + b1 ]
                                1×2
           = [ 0.05  0.10 ] @ ⎡ 0.15  0.25 ⎤ + [ 0.35  0.35 ]
                  1×2         ⎣ 0.20  0.30 ⎦        1×2
                                    2×2
           = [ 0.37750  0.39250 ]
                     1×2
""",
        "    ∂E/∂w5 = ∂E/∂net_o1 · ∂net_o1/∂w5 = δ_o1·out_h1 ≈ 0.13850·0.59327 ≈ 0.08217",
        "This is row 1 of Y1ᵀ times column 1 of δ2.",
        "∂E/∂W2 = Y1ᵀ @ δ2",
        "∂E/∂Y1 = δ2 @ W2ᵀ",
        "δ1 = ∂E/∂Y1 ⊙ σ′(Y1_pre)",
        "W1⁺ = W1 − η · ∂E/∂W1",
        "σ(Y1_pre) = [ out_h1  out_h2 ] ≈ [ 0.59327  0.59688 ]",
        "≈ [ 0.01337  0.01500 ]  †",
        "B1 is not updated.",
        'derive gradient backprop-2-2-1-matrix "dE/dW1[2,1]"',
        "Rows are samples",
        "b1 stands in 2 places",
    ],
    "layer-5-2-matrix": [
        "Y_o1_pre = X @ W_o1 + B_o1",
        "W = [ W_o1  W_o2 ]",
        "Y_pre = X @ W + B",
        "⎢ w2  w7  ⎥",
        "Y = softmax(Y_pre)",
    ],
    "network-2-5-1-matrix": ["Y2_pre = Y1 @ W2 + B2", "Y1 = tanh(Y1_pre)", "W2: 5 × 1", "B1: 4 × 5"],
    "three-inputs-5-samples-matrix": ["⎢ w1·x1[3] + w2·x2[3] + w3·x3[3] + b1 ⎥", "Y = tanh(Y_pre)"],
    "batch-2-3-2-matrix": [
        "δ2 = 1/3 · (Y2 − T)",
        "divided by the 3 samples",
        "= δ_h1[1]·x1[1] + δ_h1[2]·x1[2] + δ_h1[3]·x1[3]",
        "E_samples =",
        "E = 1/3·(E[1] + E[2] + E[3])",
    ],
    "linear-2-3-2": [
        "Y2 = (X @ W1 + B1) @ W2 + B2",
        "= X @ (W1 @ W2) + (B1 @ W2 + B2)",
        "w1·w7 + w3·w8 + w5·w9",
        "b1·w7 + b2·w8 + b3·w9 + b4",
        "⎡ 1.06000  −1.73000 ⎤",
        "[ 0.49000  0.38000 ]",
    ],
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_page_says_what_the_notes_say(name: str) -> None:
    page = text(find(name))
    flat = squeezed(page)
    missing = [part for part in GOLDEN[name] if part not in page and squeezed(part) not in flat]
    assert missing == []


def test_shared_frozen_and_missing_parameters_are_explained() -> None:
    page = squeezed(text(in_matrices(SHARED)))
    for part in (
        "⎡ s 0 ⎤", "s stands in 2 places", "W1 has the entry 0; it is no parameter",
        "The step is 0 where a parameter is not updated.", "The penalty adds its own slope", "X @ W1 − B1",
        "∂E/∂W1 = ∂E_data/∂W1 + 0.1 · W1", "times its constant input −1",
    ):  # fmt: skip
        assert part in page


def test_a_softmax_that_does_not_cancel_goes_row_by_row() -> None:
    assert "one entry adds up the slopes of the row" in squeezed(text(in_matrices(JACOBIAN)))
    page = squeezed(text(find("batch-2-3-2-matrix"), cancel=False))
    assert "one entry adds up the slopes of the row" in page
    assert "(Y2 − T)" not in page


def test_notation_never_changes_a_number() -> None:
    batch = find("batch-2-3-2-matrix")
    assert WorkedExample(batch).json() == WorkedExample(batch.with_notation("net-out")).json()


@given(networks.problems(most_width=3, most_depth=3, updated=True))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_network_has_a_page(problem: dict[str, Any]) -> None:
    try:
        page = text(in_matrices(problem))
    except DeriveError:
        reject()
    assert "X @ W" in page


def test_the_forward_pass_alone_has_no_gradient() -> None:
    page = text(find("batch-2-3-2-matrix"), forward=True)
    assert "Y2_pre = Y1 @ W2 + B2" in page
    assert "∂E" not in page


def test_terminal_text_is_no_wider_than_the_terminal() -> None:
    for problem in problems():
        for line in text(problem).splitlines():
            if re.search("[⎡⎢⎣]", line):
                assert len(line) <= 80, line


def test_ascii_pages_are_ascii() -> None:
    for problem in problems():
        page = WorkedExample(problem).page(Look("text", ascii=True))
        assert page.isascii()
        assert "[ " in page


def test_large_matrices_are_elided_and_never_made() -> None:
    example = WorkedExample(in_matrices(LARGE))
    page = example.page(Look("text"))
    assert "784×128" in page
    assert "W1[784,128] ⎦" in page
    assert len(page) < 40_000
    assert isinstance(example.graph, NetworkGraph)
    assert len(example.graph._made) < 3000


@pytest.mark.parametrize(
    ("count", "most", "places"),
    [(8, 8, [1, 2, 3, 4, 5, 6, 7, 8]), (9, 8, [1, 2, 0, 9]), (9, 3, [1, 0, 9]), (2, 2, [1, 2]), (3, 2, [1, 0, 3])],
)
def test_the_first_and_the_last_are_shown(count: int, most: int, places: list[int]) -> None:
    assert shown_places(count, most) == places


def test_maxout_is_no_single_product() -> None:
    layers = [{"neurons": 2, "activation": "linear"}, {"neurons": 1, "activation": "linear"}]
    problem = in_matrices({"inputs": 2, "layers": layers})
    network: Any = problem.body
    single = type("Vector", (), {"single": True})()
    several = replace(network.layers[1].activation, name="maxout", vector=single)
    changed = replace(network, layers=(network.layers[0], replace(network.layers[1], activation=several)))
    with pytest.raises(DeriveError, match="cannot be written as one matrix product"):
        text(replace(problem, body=changed))


# --- the printed numbers ------------------------------------------------------------------------------------------

Array = NDArray[np.float64]


def printed(page: str, left: str) -> Array:
    """The last matrix of the display of its own that begins with these words."""
    found = re.search(r"(?:```math|aligned\})\n" + re.escape(left), page)
    assert found, left
    start = found.start() + 7
    display = page[start : page.index("```", start)]
    body = re.findall(r"\\begin\{bmatrix\} (.*?) \\end\{bmatrix\}", display)[-1]
    return np.array([[float(cell) for cell in row.split("&")] for row in body.split(r"\\")])


def test_the_printed_matrices_are_those_of_numpy() -> None:
    problem = find("batch-2-3-2-matrix").with_rounding(Rounding(decimals=12))
    page = WorkedExample(problem).page(Look("markdown", figure="none"))
    x = np.array([[0.5, 0.1], [-0.2, 0.4], [0.3, 0.8]])
    t = np.array([[1.0, 0], [0, 1], [0, 1]])
    w1, b1 = np.array([[0.2, -0.3, 0.4], [0.3, 0.5, 0.1]]), np.array([0.1, 0.2, -0.1])
    w2, b2 = np.array([[0.6, -0.3], [0.1, 0.2], [-0.4, 0.5]]), np.array([0.05, -0.05])
    y1 = np.tanh(x @ w1 + b1)
    scores = np.exp(y1 @ w2 + b2)
    y2 = scores / scores.sum(axis=1, keepdims=True)
    d2 = (y2 - t) / 3
    d1 = (d2 @ w2.T) * (1 - y1**2)
    slope = r"\frac{{\partial E}}{{\partial {}}} "
    for left, wanted in (
        (r"Y_{1,\mathrm{pre}}", x @ w1 + b1),
        ("Y_{1} ", y1),
        ("Y_{2} ", y2),
        (r"\delta_{2} ", d2),
        (r"\delta_{1} ", d1),
        (slope.format("W_{2}"), y1.T @ d2),
        (slope.format("W_{1}"), x.T @ d1),
        (slope.format("X"), d1 @ w1.T),
        ("W_{1}^{+} ", w1 - 0.5 * x.T @ d1),
        ("W_{2}^{+} ", w2 - 0.5 * y1.T @ d2),
    ):
        np.testing.assert_allclose(printed(page, left), wanted, atol=1e-11, err_msg=left)


# --- renderers ----------------------------------------------------------------------------------------------------


@pytest.mark.renderer
def test_katex_takes_every_formula() -> None:
    pages = [WorkedExample(problem).page(Look("markdown", figure="none")) for problem in problems()]
    pages.append(WorkedExample(find("linear-2-3-2"), Options(collapse=True)).page(Look("markdown", figure="none")))
    formulas = [formula for page in pages for formula in math_in_markdown(page)]
    assert katex_check(formulas) == []
    assert github_refuses(formulas) == []


@pytest.mark.renderer
def test_latex_compiles_without_an_overfull_box(tmp_path: Path) -> None:
    first, *others = problems()
    whole = WorkedExample(first).page(Look("latex"))
    more = "".join(WorkedExample(problem).page(Look("latex", fragment=True)) for problem in others)
    report = latex_compiles(whole.replace(r"\end{document}", more + r"\end{document}"), tmp_path)
    assert report.complaints == ()


# --- commands -----------------------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("entry", "name"),
    [("dE/dW1[2,1]", "∂E/∂w2"), ("W2[3,2]", "∂E/∂w12"), ("dE/dB1[3]", "∂E/∂b3"), ("dE/dX[2,1]", "∂E/∂x1[2]"),
     ("dE/dY1[3,2]", "∂E/∂out_h2[3]")],
)  # fmt: skip
def test_an_entry_expands_to_its_scalar_chain(entry: str, name: str) -> None:
    page = run("gradient", "batch-2-3-2-matrix", entry)
    assert f"{name} = " in page
    assert "⎡" not in page


def test_the_single_layer_needs_no_number() -> None:
    page = run("gradient", "backprop-2-2-1", "W1[1,2]", "--notation", "matrix")
    assert "∂E/∂w3" in page
    data = dict(LARGE, inputs=3, samples=2, layers=[{"neurons": 2, "activation": "softmax"}])
    example = WorkedExample(in_matrices(data))
    assert example.find("dE/dW[3,1]").name == "dE/dw3"
    assert example.find("Y[2,1]").name == "out_o1[2]"
    assert example.find("X[2,3]").name == "x3[2]"


@pytest.mark.parametrize("name", ["W3[1,1]", "W1[3,1]", "X[4,1]", "Y1[1,4]", "X[0,1]", "W[1,1]"])
def test_what_is_outside_a_matrix_is_no_entry(name: str) -> None:
    with pytest.raises(DeriveError, match="no quantity"):
        WorkedExample(find("batch-2-3-2-matrix")).find(name)


def test_collapse_shows_the_one_layer() -> None:
    page = run("collapse", "linear-2-3-2")
    for part in GOLDEN["linear-2-3-2"]:
        assert part in page
    series = run("collapse", "linear-series")
    assert "= W2·W1·X + (W2·B1 + B2)" in series
    assert "This contradiction is a proof." in series
    found = json.loads(run("collapse", "linear-2-3-2", "--format", "json"))
    assert found["stacks"][0]["quantities"]["W[2,1]"] == {
        "value": 0.07, "exact": "7/100", "shown": "0.07000", "formula": "w2*w7 + w4*w8 + w6*w9",
        "latex": r"w_{2} \cdot w_{7} + w_{4} \cdot w_{8} + w_{6} \cdot w_{9}",
    }  # fmt: skip


def test_a_stack_below_an_activation_collapses_too() -> None:
    layers = [{"neurons": 2, "activation": name} for name in ("linear", "sigmoid", "linear")]
    page = WorkedExample(in_matrices({"inputs": 2, "layers": layers}), Options(collapse=True)).page(Look("text"))
    assert "Layers 1 to 2 have only linear activations between them" in squeezed(page)
    assert "Y2_pre = X @ W1 @ W2" in squeezed(page)


@pytest.mark.parametrize("name", ["backprop-2-2-1", "neuron-3.1"])
def test_what_does_not_collapse_is_refused(name: str) -> None:
    result = CliRunner().invoke(cli, ["collapse", name])
    assert result.exit_code == 2
    assert "no layers collapse" in result.stderr
