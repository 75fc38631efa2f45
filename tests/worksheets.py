"""Problems with [vary], and plans of sheets of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from derive.cli import cli
from derive.worksheet.plan import Plan, Style
from derive.worksheet.source import Source

SMALL = """
inputs = [0.5, -0.3]
targets = [1]
[[layers]]
neurons = 2
activation = "tanh"
weights = [[0.4, 0.6], [-0.2, 0.1]]
bias = [0.1, -0.1]
[[layers]]
neurons = 1
activation = "sigmoid"
weights = [[0.7, -0.5]]
[update]
learning_rate = 0.1
[rounding]
decimals = 6
[vary]
weights = { from = -0.9, to = 0.9, step = 0.1 }
w1 = { choose = [0.35, 0.45] }
inputs = { choose = [0.2, 0.5, -0.3] }
"""
EXPRESSION = """
kind = "expression"
output = "f"
[given]
x = -2
y = 5
z = -4
[define]
q = "x + y"
f = "q * z"
[vary]
x = { from = -9, to = 9, step = 1 }
z = { choose = [2, 3] }
"""
PERCEPTRON = """
kind = "perceptron"
inputs  = [[0, 0], [0, 1], [1, 0], [1, 1]]
targets = [0, 0, 0, 1]
weights = [0.5, -0.5]
bias    = 0
[vary]
weights = { from = -1, to = 1, step = 0.5 }
biases  = { from = -1, to = 1, step = 0.5 }
learning_rate = { choose = [0.25, 1] }
"""
ACTIVATION = """
kind = "activation"
activation = "sigmoid"
at = [-2, 1]
ask = ["f(-2)", "f'(1)"]
[vary]
at = { from = -3, to = 3, step = 0.1 }
"""


def plan(*texts: str, **words: Any) -> Plan:
    sources = tuple(Source(f"problem {place}", text, {}) for place, text in enumerate(texts))
    style = Style(**{key: words.pop(key) for key in list(words) if key in Style.__dataclass_fields__})
    return Plan(sources, style=style, **words)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def worksheet(*arguments: object) -> Any:
    return CliRunner().invoke(cli, ["worksheet", *map(str, arguments)])
