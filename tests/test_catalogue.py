"""The catalogue page: nothing of the tables is missing, and the committed file is the one that the tables give."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from derive.catalogue import activations, initializers, losses, optimizers, recipes
from derive.catalogue.initializers import Initializer
from derive.formula.expression import Number
from derive.pages import catalogue
from derive.pages.catalogue import catalogue as page

OUTPUT = Path(__file__).resolve().parent.parent / "output"
TABLES: dict[str, Sequence[Any]] = {
    "Activations": activations.ROWS,
    "Losses": losses.ROWS,
    "Optimizers": optimizers.ROWS,
    "Schedules of the learning rate": recipes.SCHEDULE_ROWS,
    "Initializers": initializers.ROWS,
}


@pytest.fixture(scope="module")
def sections() -> dict[str, dict[str, str]]:
    """Section, then name in problem files, then the bullets of the entry."""
    found: dict[str, dict[str, str]] = {}
    for part in page().split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        entries = re.findall(r"^### .*?\n\n- `([^`]+)`\n(.*?)(?=\n### |\Z)", body, re.DOTALL | re.MULTILINE)
        found[title] = dict(entries)
    return found


@pytest.mark.parametrize("title", TABLES)
def test_nothing_is_missing(sections: dict[str, dict[str, str]], title: str) -> None:
    assert list(sections[title]) == [row.name for row in TABLES[title]]


def test_every_entry_has_a_formula(sections: dict[str, dict[str, str]]) -> None:
    for entries in sections.values():
        for name, body in entries.items():
            assert "$`" in body, name


def test_every_parameter_is_there_with_its_default(sections: dict[str, dict[str, str]]) -> None:
    rows = [(title, row) for title, table in TABLES.items() for row in table if hasattr(row, "parameters")]
    assert len(rows) > 40
    for title, row in rows:
        parameters: tuple[tuple[str, Number], ...] = row.parameters
        for _, value in parameters:
            assert value.written in sections[title][row.name], f"{row.name}: {value.written}"


def test_every_library_is_there(sections: dict[str, dict[str, str]]) -> None:
    for row in initializers.ROWS:
        for library, call in row.libraries:
            assert library in sections["Initializers"][row.name]
            assert call.split("(")[0].strip().replace("_", r"\_") in sections["Initializers"][row.name]
    for optimizer in optimizers.ROWS:
        for known in optimizer.libraries:
            assert known.name.split("(")[0] in sections["Optimizers"][optimizer.name]


def test_a_new_row_is_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Initializer("mine", "my initializer", "normal", "7/fan_in", "none", "here", (("nowhere", "mine"),))
    monkeypatch.setattr(catalogue, "INITIALIZERS", (*initializers.ROWS, row))
    assert "- `mine`\n" in page()
    assert r"\frac{7}{n_{\mathrm{in}}}" in page()


def test_the_committed_page_is_up_to_date() -> None:
    assert (OUTPUT / "catalogue.md").read_text(encoding="utf-8") == page(), "run `derive gallery`"
