"""Every committed page of the gallery in the real renderers: KaTeX, LaTeX, an XML parser."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from renderers import Formula, github_refuses, katex_check, latex_compiles, math_in_markdown

OUTPUT = Path(__file__).resolve().parent.parent / "output"


def files(suffix: str) -> list[str]:
    return sorted(path.name for path in OUTPUT.glob(f"*{suffix}"))


def formulas() -> dict[str, list[Formula]]:
    return {name: math_in_markdown((OUTPUT / name).read_text(encoding="utf-8")) for name in files(".md")}


def test_there_are_pages_with_formulas_and_pictures() -> None:
    found = formulas()
    assert len(files(".tex")) >= 10
    assert len(files(".svg")) >= 10
    assert all(found.values()), [name for name, of_page in found.items() if not of_page]


@pytest.mark.renderer
def test_katex_accepts_every_formula_of_every_page() -> None:
    every = [formula for of_page in formulas().values() for formula in of_page]
    assert katex_check(list(dict.fromkeys(every))) == []


def test_github_blocks_no_formula() -> None:
    assert github_refuses(formula for of_page in formulas().values() for formula in of_page) == []


@pytest.mark.parametrize("name", files(".md"))
def test_tables_have_a_cell_for_each_column(name: str) -> None:
    width = 0
    for line in (OUTPUT / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        width = width or cells
        assert cells == width, line


@pytest.mark.parametrize("name", files(".md"))
def test_links_lead_to_files(name: str) -> None:
    text = re.sub(r"\$`.*?`\$|```math.*?```", "", (OUTPUT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (OUTPUT / target).is_file(), target


@pytest.mark.renderer
@pytest.mark.parametrize("name", files(".tex"))
def test_latex_compiles(name: str, tmp_path: Path) -> None:
    report = latex_compiles((OUTPUT / name).read_text(encoding="utf-8"), tmp_path)
    assert report.complaints == ()


@pytest.mark.parametrize("name", files(".svg"))
def test_pictures_are_whole(name: str) -> None:
    root = ElementTree.parse(OUTPUT / name).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox")
    assert len(list(root.iter())) > 5
    assert any(element.tag.endswith("title") and element.text for element in root.iter())
