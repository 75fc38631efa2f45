from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from derive.cli import cli
from derive.errors import DeriveError
from derive.worksheet import mathml
from derive.worksheet.run import run
from derive.worksheet.workers import Workers
from renderers import need_chromium, need_math_core, printed
from sheets_text import RELU, document, html_text, made, numbers, pdf_pages, plan

FOREIGN = 'Łukasz <b>x</b> & "y" \\input{x} ${7*7}$ </title><script>1</script>'


@pytest.fixture(autouse=True)
def _math_core() -> None:
    need_math_core()


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("level", ["bare", "scaffold", "full"])
def test_the_numbers_are_those_of_markdown(level: str, language: str) -> None:
    pages = made(plan("html", level=level, language=language))
    for html, markdown in zip(pages, made(plan("markdown", level=level, language=language)), strict=True):
        assert html.variant == markdown.variant
        for shown, wanted in ((html.sheet, markdown.sheet), (html.key, markdown.key)):
            assert numbers(html_text(shown)) == numbers(re.sub(r"!\[.*?\)|\\rule\{.*?\}\{.*?\}", "", wanted))


def test_the_picture_has_the_numbers_of_its_file() -> None:
    for html, markdown in zip(made(plan("html")), made(plan("markdown")), strict=True):
        (file,) = markdown.figures.values()
        (inside,) = re.findall(r"<svg.*?</svg>", html.sheet, re.DOTALL)
        assert inside[inside.index(">") :] in file
        assert numbers(inside)


@pytest.mark.parametrize("level", ["bare", "full"])
def test_one_file_without_script_and_network(level: str) -> None:
    of = plan("html", level=level)
    page = document(of, made(of)[0].sheet)
    assert page.startswith("<!doctype html>")
    assert page.count("<html") == page.count("</html>") == 1
    assert not re.search(r"<script|javascript:|\son\w+=|<link|<img|<iframe|@import", page)
    assert set(re.findall(r"https?://[^\"'\s)]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert re.findall(r"url\((.{15})", page) == ["data:font/woff2"]
    assert "Latin Modern Math" in page
    assert "GUST Font License" in page


def test_the_body_is_well_formed() -> None:
    for sheet in made(plan("html", level="scaffold")):
        for body in (sheet.sheet, sheet.key):
            ElementTree.fromstring(re.sub(r"<(/?)svg", r"<\1s", body.replace("&ApplyFunction;", "")))


def test_a_foreign_name_stays_a_name() -> None:
    (sheet,) = made(plan("html"), FOREIGN)
    assert FOREIGN in html_text(sheet.sheet)
    assert "<b>x</b>" not in sheet.sheet
    assert "<script" not in sheet.sheet + sheet.key


def test_powers_of_ten_are_raised() -> None:
    assert mathml.number("-1.5e-07", "en") == "−1.5</mn><mo>⋅</mo><msup><mn>10</mn><mn>−7</mn></msup><mn>"
    assert mathml.number("1.5e+12", "de") == "1,5</mn><mo>⋅</mo><msup><mn>10</mn><mn>12</mn></msup><mn>"
    assert mathml.number("-0.25", "de") == "−0,25"


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"w_{5} = 0{,}15", "<msub><mi>w</mi><mn>5</mn></msub><mo>=</mo><mn>0,15</mn>"),
        ("x = \ue000", 'class="blank"'),
        (r"\frac{a}{b}", "<mfrac><mi>a</mi><mi>b</mi></mfrac>"),
    ],
)
def test_formulas(latex: str, shown: str) -> None:
    assert shown in mathml.mathml(latex)


def test_a_formula_that_is_unknown_is_refused() -> None:
    with pytest.raises(DeriveError, match="nosuchcommand"):
        mathml.mathml(r"\nosuchcommand")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "math_core", None)
    mathml._converter.cache_clear()
    mathml.mathml.cache_clear()
    found = CliRunner().invoke(cli, ["worksheet", "backprop-2-2-1", "--format", "html", "--allow", "mistake"])
    assert found.exit_code == 2
    assert 'pip install "derive-nn[html]"' in found.output


def test_the_same_bytes_whatever_the_number_of_workers(tmp_path: Path) -> None:
    of = plan("html", bundle=True, language="de")
    files = []
    for name, workers in (("one", Workers()), ("again", Workers()), ("two", Workers(2))):
        run(of, tmp_path / name, 3, (), workers)
        files.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir() if path.is_file()})
    assert files[0] == files[1] == files[2]
    assert "sheets.html" in files[0]


@pytest.mark.renderer
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_browser_prints_it_without_blank_pages(tmp_path: Path, language: str) -> None:
    need_chromium()
    of = plan("html", RELU, language=language)
    sheets = made(of)
    (tmp_path / "page.html").write_text(document(of, "\n".join(sheet.key for sheet in sheets)), encoding="utf-8")
    pages = pdf_pages(printed(tmp_path / "page.html", tmp_path / "print.pdf"), tmp_path)
    assert all(len(page.strip()) > 20 for page in pages)
    starts = [place for place, page in enumerate(pages) for sheet in sheets if sheet.variant in page]
    assert len(starts) == len(set(starts)) == 3
    wanted = sum((numbers(html_text(sheet.key)) for sheet in sheets), start=numbers(""))
    assert numbers("\n".join(pages)) == wanted
