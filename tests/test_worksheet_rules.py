from __future__ import annotations

import numpy as np
import pytest

from derive.check.verdicts import honest_range
from derive.problem.file import loads
from derive.worked import WorkedExample
from derive.worksheet.good_numbers import RULES, Fitness, known_mistakes
from derive.worksheet.honest import REGROUPED, Honest
from derive.worksheet.source import Source, read_source
from derive.worksheet.values import Table
from derive.worksheet.variants import Space, space_of

NEURON = """
inputs = [{x}, 0.5]
targets = [{y}]
[[layers]]
neurons = ["o"]
activation = "{activation}"
weights = [[{w}, 0.4]]
bias = 0.1
[update]
learning_rate = 0.1
[rounding]
decimals = {decimals}
[vary]
w1 = {{ choose = [{w}] }}
"""
FINE = {"x": "0.3", "y": "1", "w": "0.7", "activation": "sigmoid", "decimals": 5}
REFUSED = [
    ("saturated", {"w": "20"}),
    ("saturated", {"w": "20", "activation": "tanh"}),
    ("dead", {"w": "-2", "activation": "relu"}),
    ("kink", {"w": "-1", "activation": "relu"}),
    ("kink", {"w": "-0.99999", "activation": "relu"}),
    ("zero", {"x": "0.0"}),
    ("zero", {"w": "0.7", "y": "0.51", "activation": "linear"}),
    ("small", {"x": "0.00001"}),
    ("tie", {"w": "0.7005", "decimals": 4}),
    ("mistake", {"x": "0.49999", "decimals": 4}),
]
ASKED = ("out_o", "dE/dw1", "w1_new")


def _fitness(words: dict[str, object]) -> Fitness:
    space = space_of([Source("neuron", NEURON.format(**FINE | words), {})])
    example = WorkedExample(space.problems[0])
    return Fitness(_table(space, example, 1), ASKED, known_mistakes(example, ASKED))


def _table(space: Space, example: WorkedExample, count: int) -> Table:
    stream = space.stream(1)
    picks = [space.picks(stream.at(place)) for place in range(count)]
    return Table(space, 0, example, np.array(picks, dtype=np.intp).reshape(count, len(space.varied)))


def _refusing(words: dict[str, object]) -> set[str]:
    fitness = _fitness(words)
    return {rule.name for rule in RULES if rule.refuses(fitness).any()}


def test_fit_numbers_are_refused_by_no_rule() -> None:
    assert _refusing({}) == set()
    assert _refusing({"activation": "leaky-relu"}) == set()


@pytest.mark.parametrize(("rule", "words"), REFUSED)
def test_each_rule_refuses_what_it_is_for(rule: str, words: dict[str, object]) -> None:
    assert rule in _refusing(words)


def test_fewer_digits_hide_more_mistakes() -> None:
    """To one decimal hardly any mistake can be told from honest rounding."""
    assert "mistake" in _refusing({"decimals": 1})


@pytest.mark.parametrize("name", ["backprop-2-2-1", "mazur-2-2-2", "neuron-0.55"])
def test_honest_ranges_are_those_of_the_checker(name: str) -> None:
    """Two pieces of code that know nothing of each other: inside the room that is left for regrouping."""
    source = read_source(name, {"decimals": 5})
    space = space_of([source])
    example = WorkedExample(space.problems[0])
    table = _table(space, example, 4)
    honest = Honest(table)
    names = [found for found in ("net_h1", "out_h1", "out_o1", "E", "dE/dw1", "w5_new") if _has(example, found)]
    assert names
    for quantity in names:
        span = honest.span(quantity)
        for row in range(table.count):
            own = WorkedExample(space.problem(0, table.picks[row].tolist()))
            found = honest_range(own, quantity, decimals=5)
            assert found is not None
            low, high = map(float, found)
            room = REGROUPED * 1.001e-5
            assert span.lo[row] - room <= low <= span.lo[row] + 1.001e-5, quantity
            assert span.hi[row] - 1.001e-5 <= high <= span.hi[row] + room, quantity


def _has(example: WorkedExample, name: str) -> bool:
    try:
        example.find(name)
    except Exception:
        return False
    return example.value(name) is not None


def test_a_problem_in_the_package_with_vary_gives_sheets() -> None:
    assert loads(read_source("backprop-2-2-1").text).vary
