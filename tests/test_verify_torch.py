"""The third opinion: torch, where it is installed."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from derive.cli import cli
from derive.problem.file import bundled, find, loads
from derive.verify.random_problems import random_problem
from derive.verify.report import table_lines
from derive.verify.table import verified
from derive.worked import WorkedExample

pytest.importorskip("torch")

KINDS = ("network", "expression", "activation", "loss")


@pytest.mark.parametrize("name", [name for name, _, _ in bundled() if find(name).kind in KINDS])
def test_bundled_problems(name: str) -> None:
    table = verified(WorkedExample(find(name)))
    assert "torch" in table.columns
    assert table.agrees, table_lines(table)


@pytest.mark.parametrize("place", range(30))
def test_random_networks(place: int) -> None:
    table = verified(WorkedExample(loads(random_problem(5, place))))
    assert table.agrees, random_problem(5, place)
    numbers = {line.name: line.numbers["torch"] for line in table.lines}
    assert numbers["E"] is not None
    assert [number for name, number in numbers.items() if name.startswith("dE/dnet") and number is not None]


def test_torch_has_its_own_optimizers() -> None:
    table = verified(WorkedExample(find("adam-2-2-1")), only=("w5@1", "w5@3", "m_w5@1"))
    torch = [line.numbers["torch"] for line in table.lines]
    assert torch[0] == pytest.approx(table.lines[0].derived, rel=1e-9)
    assert torch[1] == pytest.approx(table.lines[1].derived, rel=1e-9)
    assert torch[2] is None


def test_the_command_asks_torch() -> None:
    found = CliRunner().invoke(cli, ["verify", "backprop-2-2-1", "--format", "json"])
    data = json.loads(found.output)
    assert data["witnesses"] == ["mlp", "again", "torch"]
    assert found.exit_code == 0
