"""Epochs, batches and iterations, against counting them one by one."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from derive.cli import cli
from derive.errors import ProblemError
from derive.problem.file import find, from_dict, loads
from derive.worked import WorkedExample


def training(**fields: Any) -> WorkedExample:
    return WorkedExample(from_dict({"kind": "training", **fields}))


def counted(samples: int, batch: int, epochs: int, drop_last: bool) -> tuple[int, int, int]:
    """Batches an epoch, samples in the last, iterations: by slicing a data set."""
    data = range(samples)
    batches = [data[start : start + batch] for start in range(0, samples, batch)]
    if drop_last:
        batches = [one for one in batches if len(one) == batch]
    return len(batches), len(batches[-1]), epochs * len(batches)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 50), st.booleans())
def test_batches_are_counted(samples: int, batch: int, epochs: int, drop_last: bool) -> None:
    if drop_last and batch > samples:
        with pytest.raises(ProblemError, match="no batch is left"):
            training(samples=samples, batch=batch, epochs=epochs, drop_last=True)
        return
    found = training(samples=samples, batch=batch, epochs=epochs, drop_last=drop_last)
    wanted = counted(samples, batch, epochs, drop_last)
    assert [found.exact(name) for name in ("batches", "last", "iterations")] == list(map(Fraction, wanted))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"samples": 1000, "batch": 100, "epochs": 10}, ["samples/batch = 1000/100 = 10", "10·10 = 100"]),
        ({"samples": 1050, "batch": 100, "epochs": 10}, ["⌈1050/100⌉", "50 are left over", "10·11 = 110"]),
        ({"samples": 1050, "batch": 100, "drop_last": True}, ["⌊1050/100⌋", "They are dropped", "1·10 = 10"]),
    ],
)
def test_the_page(fields: dict[str, Any], words: list[str]) -> None:
    page = " ".join(training(**fields).text().split())
    for word in words:
        assert word in page


def _without_context(page: str) -> str:
    """The page without its second paragraph, which only the file has."""
    title, _, rest = page.split("\n\n", 2)
    return f"{title}\n\n{rest}"


def test_the_command_prints_the_page_of_the_bundled_problem() -> None:
    result = CliRunner().invoke(cli, ["epochs", "--samples", "1000", "--batch", "100", "--epochs", "10", "--unicode"])
    assert result.exit_code == 0
    assert result.stdout == _without_context(WorkedExample(find("epochs-1000")).text())


def test_the_command_refuses_what_a_file_may_not_say() -> None:
    result = CliRunner().invoke(cli, ["epochs", "--samples", "0", "--batch", "100"])
    assert result.exit_code == 2
    assert "samples: the number 0; accepted: a whole number from 1" in result.stderr


def test_json() -> None:
    data = training(samples=1050, batch=100, epochs=10).json()
    shown = {name: entry["shown"] for name, entry in data["quantities"].items()}
    assert shown == {
        "samples": "1050", "batch": "100", "epochs": "10", "rest": "50", "batches": "11", "last": "50",
        "iterations": "110",
    }  # fmt: skip
    assert data["quantities"]["batches"]["formula"] == "(samples - rest)/batch + 1"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("samples = 10", ["batch"]),
        ("samples = 0\nbatch = 5", ["samples"]),
        ("samples = 10\nbatch = 2.5", ["batch"]),
        ("samples = 10\nbatch = 5\nepochs = -1", ["epochs"]),
        ("samples = 10\nbatch = 5\ndrop_last = 1", ["drop_last"]),
        ("samples = 10\nbatch = 50\ndrop_last = true", ["batch"]),
        ("samples = 10\nbatch = 5\nbatches = 2", ["batches"]),
        ("samples = 10\nbatch = 5\n[vary]\nrest = {choose = [1]}", ["vary.rest"]),
        ('samples = "ten"\nbatch = true', ["samples", "batch"]),
    ],
)
def test_broken_files(text: str, places: list[str]) -> None:
    with pytest.raises(ProblemError) as refused:
        loads('kind = "training"\n' + text)
    assert [mistake.place for mistake in refused.value.mistakes] == places
