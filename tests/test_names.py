"""What people call a quantity: every spelling is one canonical name, what is none is met with the nearest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.derivation.names import UnknownQuantity
from derive.errors import DeriveError
from derive.problem.file import from_dict
from derive.worked import WorkedExample, quantity_names

SINGLE: dict[str, Any] = {
    "inputs": [0.05, 0.10],
    "targets": [0.01],
    "layers": [
        {"neurons": 2, "activation": "sigmoid", "weights": [[0.15, 0.20], [0.25, 0.30]], "bias": 0.35},
        {"neurons": 1, "activation": "sigmoid", "weights": [[0.40, 0.45]], "bias": 0.60},
    ],
    "update": {"learning_rate": 0.5},
}
BATCH = SINGLE | {"inputs": [[0, 1], [1, 1]], "targets": [0, 1]}
FROM_TO = {
    "inputs": [1, 0, 1],
    "input_names": ["1", "2", "3"],
    "targets": [1],
    "layers": [
        {
            "neurons": ["4"],
            "activation": "sigmoid",
            "weights": [[0.2, 0.4, -0.5]],
            "weight_names": [["w14", "w24", "w34"]],
        }
    ],
}
EXPRESSION = {"kind": "expression", "given": {"x": -2, "y": 5, "z": -4}, "define": {"q": "x + y", "f": "q*z"}}


def _find(problem: dict[str, Any], text: str) -> str:
    return str(WorkedExample(from_dict(problem)).find(text))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("net_h1", "net_h1"),
        (" net_h1 ", "net_h1"),
        ("dE/dw5", "dE/dw5"),
        ("dE_dw5", "dE/dw5"),
        ("∂E/∂w5", "dE/dw5"),
        ("∂E/∂net_o1", "dE/dnet_o1"),
        ("dE_dout_h1", "dE/dout_h1"),
        ("dout_o1_dnet_o1", "dout_o1/dnet_o1"),
        ("delta_o1", "dE/dnet_o1"),
        ("δ_o1", "dE/dnet_o1"),
        ("δo1", "dE/dnet_o1"),
        ("E_o1", "E"),
        ("dE_o1/dout_o1", "dE/dout_o1"),
        ("E_total", "E"),
        ("dE_total/dw5", "dE/dw5"),
        ("w5_new", "w5@1"),
        ("w5+", "w5@1"),
        ("w5'", "w5@1"),
        ("w5′", "w5@1"),
        ("w5⁺", "w5@1"),
        ("w5@1", "w5@1"),
        ("w5@3", "w5@3"),
        ("w5@0", "w5"),
        ("E@2", "E@2"),
        ("E_new", "E@1"),
        ("net_h1[1]", "net_h1"),
        ("W1[2,1]", "w2"),
        ("W1[1,2]", "w3"),
        ("W2[2,1]", "w6"),
        ("dE/dW2[1,1]", "dE/dw5"),
        ("B1[2]", "b1"),
        ("z_h1", "net_h1"),
        ("a_h1", "out_h1"),
        ("dE/dz_h1", "dE/dnet_h1"),
        ("da_h1_dz_h1", "dout_h1/dnet_h1"),
        ("dL/dw5", "dE/dw5"),
        ("B1[1]", "b1"),
        ("eta", "eta"),
        ("dE/dE", "dE/dE"),
        ("dnet_h1/dw3", "dnet_h1/dw3"),
    ],
)
def test_spelling(text: str, name: str) -> None:
    assert _find(SINGLE, text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("net_h1[2]", "net_h1[2]"),
        ("∂E/∂net_o1[2]", "dE/dnet_o1[2]"),
        ("delta_o1[2]", "dE/dnet_o1[2]"),
        ("E_o1[2]", "E[2]"),
        ("dE[2]/dw1", "dE[2]/dw1"),
        ("E", "E"),
        ("x1[2]", "x1[2]"),
    ],
)
def test_spelling_in_a_batch(text: str, name: str) -> None:
    assert _find(BATCH, text) == name


@pytest.mark.parametrize(
    ("problem", "text", "name"),
    [
        (FROM_TO, "delta_4", "dE/dnet_4"),
        (FROM_TO, "dE_dw14", "dE/dw14"),
        (FROM_TO, "x1", "x1"),
        (EXPRESSION, "df_dx", "df/dx"),
        (EXPRESSION, "∂f/∂q", "df/dq"),
        (EXPRESSION, "dq/dy", "dq/dy"),
    ],
)
def test_spelling_elsewhere(problem: dict[str, Any], text: str, name: str) -> None:
    assert _find(problem, text) == name


@pytest.mark.parametrize(
    ("problem", "text", "hint"),
    [
        (SINGLE, "net_h3", "net_h"),
        (SINGLE, "dE/dw9", "dE/dw"),
        (SINGLE, "dE/dwo1", "dE/d"),
        (SINGLE, "out_01", "out_o1"),
        (SINGLE, "W1[3,1]", "accepted"),
        (SINGLE, "W9[1,1]", "accepted"),
        (SINGLE, "net_h1[2]", "net_h1"),
        (SINGLE, "", "accepted"),
        (SINGLE, "w" * 300, "accepted"),
        (SINGLE, "\\input{x}", "accepted"),
        (BATCH, "net_h1[3]", "net_h1["),
        (EXPRESSION, "df/dw", "df/d"),
        (EXPRESSION, "delta_o1", "accepted"),
    ],
)
def test_no_quantity(problem: dict[str, Any], text: str, hint: str) -> None:
    with pytest.raises(UnknownQuantity) as error:
        _find(problem, text)
    assert hint in str(error.value)
    assert "no quantity" in str(error.value)


def test_updates_that_nobody_waits_for() -> None:
    assert _find(SINGLE, "w5@10000") == "w5@10000"
    with pytest.raises(UnknownQuantity, match="at most 100000 updates"):
        _find(SINGLE, "w5@999999999")


def test_a_large_network_does_not_list_its_names() -> None:
    layers = [{"neurons": 128, "activation": "relu"}, {"neurons": 10, "activation": "softmax"}]
    large = {"inputs": 784, "targets": True, "loss": "cross-entropy", "layers": layers}
    assert _find(large, "dE_dW1[300,17]") == "dE/dW1[300,17]"
    with pytest.raises(UnknownQuantity, match=r"W1\[3,4\]"):
        _find(large, "W1[785,1]")


@pytest.mark.parametrize(
    "problem", [SINGLE, BATCH, FROM_TO, EXPRESSION], ids=["single", "batch", "from-to", "expression"]
)
def test_canonical_names_are_their_own_spelling(problem: dict[str, Any]) -> None:
    example = WorkedExample(from_dict(problem))
    for name in quantity_names(example):
        expected = f"{name.removesuffix('_new')}@1" if name.endswith("_new") else name
        assert str(example.find(name)) == expected
        assert example.value(name) is not None


@given(st.text(alphabet="dEwxnetouhδ∂/_[]@'+19 ,", max_size=14))
@settings(max_examples=300, deadline=None)
def test_any_text_is_found_or_refused(text: str) -> None:
    example = WorkedExample(from_dict(SINGLE))
    try:
        reference = example.find(text)
    except DeriveError:
        return
    assert str(example.find(str(reference))) == str(reference)
