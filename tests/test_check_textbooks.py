"""Worked examples as textbooks and web pages print them, rounded as their authors round: right ones are accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from derive.cli import cli

THRESHOLDS = """
inputs  = [1, 1]
targets = [0]
[[layers]]
neurons = ["n3", "n4"]
activation = "sigmoid"
weights = [[0.5, 0.4], [0.9, 1.0]]
weight_names = [["w13", "w23"], ["w14", "w24"]]
bias = [-0.8, 0.1]
bias_names = ["t3", "t4"]
[[layers]]
neurons = ["n5"]
activation = "sigmoid"
weights = [[-1.2, 1.1]]
weight_names = [["w35", "w45"]]
bias = [-0.3]
bias_names = ["t5"]
[update]
learning_rate = 0.1
"""
THREE_TWO_TWO = """
inputs  = [1, 4, 5]
targets = [0.1, 0.05]
[[layers]]
neurons = 2
activation = "sigmoid"
weights = [[0.1, 0.3, 0.5], [0.2, 0.4, 0.6]]
weight_names = [["w1", "w3", "w5"], ["w2", "w4", "w6"]]
bias = 0.5
[[layers]]
neurons = 2
activation = "sigmoid"
weights = [[0.7, 0.9], [0.8, 0.1]]
weight_names = [["w7", "w9"], ["w8", "w10"]]
bias = 0.5
[update]
learning_rate = 0.01
"""
WITH_SLIPS = """
inputs  = [0.35, 0.7]
targets = [0.5]
[[layers]]
neurons = ["n3", "n4"]
activation = "sigmoid"
weights = [[0.2, 0.2], [0.3, 0.3]]
weight_names = [["w13", "w23"], ["w14", "w24"]]
[[layers]]
neurons = ["n5"]
activation = "sigmoid"
weights = [[0.3, 0.9]]
weight_names = [["w35", "w45"]]
[update]
learning_rate = 1
"""
LOGISTIC = """
inputs  = [[0.5, 1.5], [1, 1], [1.5, 0.5], [3, 0.5]]
targets = [[0], [0], [0], [1]]
loss = "binary-cross-entropy"
reduction = "mean"
[[layers]]
neurons = 1
activation = "sigmoid"
weights = [[0.2, -0.1]]
bias = 0.1
[update]
learning_rate = 0.1
"""
TWO_UPDATES = """
inputs  = [0.6]
targets = [1]
[[layers]]
neurons = 1
activation = "sigmoid"
weights = [[0.5]]
bias = 0.2
[update]
learning_rate = 1
steps = 2
"""
ADAM = """
kind = "optimizer"
optimizer = "adam"
learning_rate = 0.1
parameters = { w = 0.5 }
gradients = [[0.4], [0.3]]
"""
RIGHT = {
    "thresholds": (THRESHOLDS, {
        "out_n3": "0.5250", "out_n4": "0.8808", "out_n5": "0.5097", "dE/dnet_n5": "0.1274", "dE/dnet_n3": "-0.0381",
        "dE/dnet_n4": "0.0147", "w13_new": "0.5038", "w14_new": "0.8985", "w23_new": "0.4038", "w24_new": "0.9985",
        "w35_new": "-1.2067", "w45_new": "1.0888", "t3_new": "-0.7962", "t4_new": "0.0985", "t5_new": "-0.3127",
    }),
    "3-2-2": (THREE_TWO_TWO, {
        "net_h1": "4.3", "out_h1": "0.9866", "net_h2": "5.3", "out_h2": "0.9950", "net_o1": "2.0862",
        "out_o1": "0.8896", "net_o2": "1.3888", "out_o2": "0.8004", "dE/dout_o1": "0.7896",
        "dout_o1/dnet_o1": "0.0983", "dE/dw7": "0.0765", "dE/dw8": "0.1183", "dE/dw9": "0.0772", "dE/dw10": "0.1193",
        "dE/db2": "0.1975", "dE/dw1": "0.0020", "dE/dw2": "0.0004", "dE/dw3": "0.0079", "dE/dw5": "0.0099",
    }),
    "logistic": (LOGISTIC, {
        "out_o1[1]": "0.5125", "out_o1[2]": "0.5498", "out_o1[3]": "0.5866", "out_o1[4]": "0.6570", "E": "0.7050",
        "dE/dw1": "0.1642", "dE/dw2": "0.3601", "dE/db1": "0.3265", "w1_new": "0.1836", "b1_new": "0.0674",
    }),
    "two updates": (TWO_UPDATES, {
        "out_o1": "0.6225", "w1@1": "0.5532", "b1@1": "0.2887", "out_o1@1": "0.6504", "w1@2": "0.6009",
        "b1@2": "0.3682",
    }),
    "adam": (ADAM, {
        "m_w@1": "0.04", "v_w@1": "0.00016", "w@1": "0.40000", "m_w@2": "0.066", "v_w@2": "0.00024984",
        "w@2": "0.30174",
    }),
}  # fmt: skip
"""Numbers that are right or carried on as they are shown."""


def verdicts(problem: str, answers: dict[str, str], place: Path) -> dict[str, dict[str, Any]]:
    (place / "problem.toml").write_text(problem)
    (place / "answers.json").write_text(json.dumps(answers))
    files = [str(place / name) for name in ("problem.toml", "answers.json")]
    result = CliRunner().invoke(cli, ["check", *files, "--format", "json"])
    assert result.exit_code in (0, 1), result.output
    return {found["quantity"]: found for found in json.loads(result.stdout)}


@pytest.mark.parametrize("example", RIGHT)
def test_a_printed_example_is_accepted_as_a_whole_and_number_by_number(example: str, tmp_path: Path) -> None:
    problem, answers = RIGHT[example]
    together = verdicts(problem, answers, tmp_path)
    assert {name for name, found in together.items() if found["status"] not in ("correct", "rounded")} == set()
    alone = json.dumps([{"student": name, "quantity": name, "answer": text} for name, text in answers.items()])
    (tmp_path / "alone.json").write_text(alone)
    files = [str(tmp_path / name) for name in ("problem.toml", "alone.json")]
    lines = CliRunner().invoke(cli, ["check", *files, "--format", "jsonl"]).stdout.splitlines()
    found = [verdict for verdict in map(json.loads, lines) if verdict["status"] != "blank"]
    assert [each["quantity"] for each in found if each["status"] not in ("correct", "rounded")] == []
    assert len(found) == len(answers)


def test_an_example_with_slips_is_taken_apart(tmp_path: Path) -> None:
    """A misread sigmoid, a lost zero, and what follows from them."""
    answers = {
        "net_n3": "0.21", "out_n3": "0.56", "net_n4": "0.315", "out_n4": "0.59", "net_n5": "0.702", "out_n5": "0.67",
        "dE/dnet_n5": "0.0376", "dE/dnet_n3": "0.0027", "dE/dnet_n4": "0.0819", "w45_new": "0.6762",
    }  # fmt: skip
    found = verdicts(WITH_SLIPS, answers, tmp_path)
    assert {name: each["status"] for name, each in found.items() if each["status"] not in ("correct", "rounded")} == {
        "out_n3": "wrong", "out_n4": "wrong", "net_n5": "follow-through", "dE/dnet_n5": "follow-through",
        "dE/dnet_n4": "wrong", "w45_new": "wrong",
    }  # fmt: skip
    assert found["dE/dnet_n4"]["mistake"]["id"] == "decimal-point-slipped"
