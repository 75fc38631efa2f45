from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from derive.cli import cli
from derive.formula.languages import LANGUAGES, decimals, said
from derive.pages.prose import templates_folder
from derive.pages.writers import writer
from derive.worksheet.plan import LEVELS, Plan, Style
from derive.worksheet.press import Entry, Press
from derive.worksheet.source import read_source
from renderers import katex_check, latex_compiles, math_in_markdown, need_katex, need_latexmk
from sheets_text import document, html_text, made, numbers, plan

ENGLISH = (
    "Given", "Conventions", "Answers", "Questions", "Learning rate", "Loss", "Sheet", " since ", "otherwise", "{if ",
)  # fmt: skip
BUNDLED = ("backprop-2-2-1", "mazur-2-2-2", "neuron-3.1", "neuron-0.55")
_TIKZ = re.compile(r"\\begin\{tikz.*?\\end\{tikzpicture\}", re.DOTALL)
_SIZES = re.compile(
    r"!\[.*?\)|\\(?:rule|blank|scalebox|vspace|makebox)\{.*?\}(?:\{.*?\})?|[0-9.]+(?:em\b|pt\b|\\textwidth)|\[[0-9.]+e?m?\]"
)
POINT = re.compile(r"(?<![0-9.])[0-9]+\.[0-9]+")


@pytest.mark.parametrize(
    ("text", "style", "wanted"),
    [
        ("0.15", "latex", "0{,}15"),
        ("-0.15", "unicode", "-0,15"),
        ("w_{1,2} = 1.5e-7", "latex", "w_{1,2} = 1{,}5e-7"),
        ("W1[300,17] = 3", "unicode", "W1[300,17] = 3"),
    ],
)
def test_the_decimal_mark(text: str, style: str, wanted: str) -> None:
    assert decimals(text, "de", style) == wanted  # type: ignore[arg-type]
    assert decimals(text, "en", style) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("formula", "style", "wanted"),
    [
        (r"\max(0, 0.35) = 0.35", "latex", r"\max(0; 0{,}35) = 0{,}35"),
        (
            r"z & \text{if } z \ge 0.5 \\ 0 & \text{otherwise}", "latex",
            r"z & \text{falls } z \ge 0{,}5 \\ 0 & \text{sonst}",
        ),
        (r"1 \quad \text{since } 0.1 > 0", "latex", r"1 \quad \text{da } 0{,}1 > 0"),
        ("z if z >= 0 else 0", "unicode", "z falls z >= 0 sonst 0"),
        ("max(0, 0.35)", "unicode", "max(0; 0,35)"),
    ],
)  # fmt: skip
def test_formulas_in_german(formula: str, style: str, wanted: str) -> None:
    assert said(formula, "de", style) == wanted  # type: ignore[arg-type]
    assert said(formula, "en", style) == formula  # type: ignore[arg-type]


def test_numbers_of_a_writer() -> None:
    assert writer("markdown", "github", "net-out", language="de").number("-1.5e-07") == r"-1{,}5 \cdot 10^{-7}"
    assert writer("text", "dollar", "net-out", language="de").number("-1.5") == "−1,5"
    assert writer("latex", "dollar", "net-out", language="de").inline("x = 1.5") == "$x = 1{,}5$"


@pytest.mark.parametrize("problem", BUNDLED)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("format", ["markdown", "latex", "html"])
def test_sheets_in_german(problem: str, level: str, format: str) -> None:
    pages = {}
    for language in LANGUAGES:
        style = Style(format, level=level, language=language)
        (sheet,) = Press(Plan((read_source(problem, {}),), 3, style=style)).make([Entry(5)])
        body = sheet.sheet + sheet.key
        pages[language] = html_text(body) if format == "html" else _TIKZ.sub("", body)
    assert not [word for word in ENGLISH if word in pages["de"]]
    assert "Gegeben" in pages["de"]
    assert numbers(pages["de"]) - numbers(pages["en"]) == numbers("")
    assert not POINT.findall(_SIZES.sub("", pages["de"]))


def test_pieces_of_a_slope_are_said_in_german() -> None:
    (sheet, *_) = made(plan("markdown", language="de", level="full"))
    assert r"\text{falls }" in sheet.sheet or r"\text{da }" in sheet.sheet
    assert r"\max(0; " in sheet.sheet


@pytest.mark.parametrize("format", ["markdown", "latex"])
def test_the_labels_of_a_figure_have_commas_and_its_coordinates_points(format: str) -> None:
    english, german = (made(plan(format, language=language))[0] for language in ("en", "de"))
    if format == "markdown":
        shown = [re.findall(r"<text.*?</text>", next(iter(sheet.figures.values()))) for sheet in (english, german)]
        marks = [[re.sub(r"<.*?>", "", text) for text in texts] for texts in shown]
    else:
        marks = [re.findall(r"\{(\$[^$]*\$)\};", sheet.sheet) for sheet in (english, german)]
    assert [decimals(text, "de", "latex" if format == "latex" else "unicode") for text in marks[0]] == marks[1]
    assert any("," in text for text in marks[1])
    assert not any(POINT.search(text) for text in marks[1])


def test_json_keeps_points() -> None:
    english, german = (made(plan("json", language=language))[0] for language in ("en", "de"))
    assert english == german
    assert POINT.search(json.loads(german.key)["problems"][0]["answers"]["E"])


@pytest.mark.renderer
def test_katex_and_tex_accept_german_sheets(tmp_path: Path) -> None:
    need_katex()
    formulas = []
    for level in LEVELS:
        for sheet in made(plan("markdown", language="de", level=level)):
            formulas += math_in_markdown(sheet.sheet) + (math_in_markdown(sheet.key) if sheet.key else [])
    assert katex_check(list(dict.fromkeys(formulas))) == []
    need_latexmk()
    of = plan("latex", language="de")
    (sheet, *_) = made(of)
    assert latex_compiles(document(of, sheet.sheet + sheet.key), tmp_path).complaints == ()


def test_titles_of_bundled_problems_are_translated() -> None:
    shown = CliRunner().invoke(cli, ["worksheet", "neuron-3.1", "--lang", "de", "--seed", "4", "--format", "markdown"])
    assert shown.exit_code == 0, shown.output
    assert "# Ein Sigmoid-Neuron mit zwei Eingaben" in shown.output
    assert "Berechnen Sie jede Größe" in shown.output


def test_german_has_its_own_sentences() -> None:
    english, german = ((templates_folder() / "prose" / f"{language}.toml").read_text() for language in ("en", "de"))
    for group in ("[worksheet]", "[verification]", "[report]"):
        assert group in english
        assert group in german


@pytest.mark.parametrize("name", ["mazur-2-2-2", "adam-2-2-1", "softmax-1-2-3", "initializer-zeros", "huber"])
@pytest.mark.parametrize("format", ["markdown", "text"])
def test_pages_in_german_have_commas(name: str, format: str, tmp_path: Path) -> None:
    suffix = {"markdown": "md", "text": "txt"}[format]
    shown = CliRunner().invoke(cli, ["show", name, "--lang", "de", "-o", str(tmp_path / f"page.{suffix}")])
    assert shown.exit_code == 0, shown.output
    page = (tmp_path / f"page.{suffix}").read_text(encoding="utf-8")
    assert re.search(r"[0-9](?:\{,\}|,)[0-9]", page)
    assert not POINT.findall(re.sub(r"!\[.*?\)", "", page))
