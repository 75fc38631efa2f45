"""Pages, pictures and reports in German hold no English."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from german import CALCULATION, SETTINGS, left, of_svg, without_commands, without_formulas

import derive
from derive.catalogue.activations import ACTIVATIONS
from derive.catalogue.initializers import INITIALIZERS
from derive.catalogue.losses import LOSSES
from derive.catalogue.optimizers import OPTIMIZERS
from derive.cli import cli
from derive.formula.languages import named
from derive.pages.blocks import heading
from derive.pages.prose import Prose, templates_folder
from derive.pages.render import Format, Look, figure_svg, render
from derive.pages.writers import writer
from derive.problem.file import bundled, loads
from derive.reports.look import page as report
from derive.reports.look import style
from derive.worked import WorkedExample
from renderers import latex_compiles, need_latexmk

NAMES = [name for name, *_ in bundled()]
POINT = re.compile(r"(?<![\w.-])[0-9]+\.[0-9]+(?![\w.-])")
CODE = re.compile(r"`[^`$]*`|\bderive \w+ .*")
ALLOWED = SETTINGS | CALCULATION | {"pre"}
"""pre: an index of matrices."""


@cache
def page(name: str, format: Format) -> str:
    return render(derive.load(name), Look(format, language="de", width=10**6))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_and_its_picture_have_no_english(name: str) -> None:
    text = page(name, "text")
    assert left(text, ALLOWED) == []
    assert POINT.findall(CODE.sub("", text)) == []
    drawn = figure_svg(derive.load(name), "de")
    assert left(of_svg(drawn or "")) == []
    assert POINT.findall(of_svg(drawn or "")) == []


@pytest.mark.parametrize("name", NAMES[1::5])
def test_a_page_of_latex_has_no_english(name: str) -> None:
    assert left(without_commands(page(name, "latex")), ALLOWED) == []


def test_english_is_found() -> None:
    """What these tests look for is there on an English page."""
    assert len(left(render(derive.load("backprop-2-2-1"), Look("text")))) > 30
    assert left("Der loss ist 3.") == ["loss"]


@cache
def titles() -> dict[str, str]:
    found: dict[str, str] = tomllib.loads((templates_folder() / "prose" / "de.toml").read_text("utf-8"))["titles"]
    return found


def catalogue() -> set[str]:
    """What the catalogue and the bundled problems say in words."""
    found = {row.title for rows in (ACTIVATIONS, LOSSES, OPTIMIZERS) for row in rows.values()}
    for row in OPTIMIZERS.values():
        found.add(row.about)
        for choice in row.all_choices():
            found |= {choice.about, *(meaning for _, meaning in choice.options)}
        for library in row.libraries:
            found |= {library.name, library.note}
    for kind in INITIALIZERS.values():
        found |= {kind.source, *(call for _, call in kind.libraries if not call.isidentifier())}
    for name in NAMES:
        problem = derive.load(name).problem
        found |= {problem.title, *problem.prose.values()}
    return found - {""}


def test_the_catalogue_and_the_bundled_problems_are_said_in_german() -> None:
    assert {text for text in catalogue() - titles().keys() if left(text)} == set()
    assert {german for german in titles().values() if left(german)} == set()


@pytest.mark.renderer
@pytest.mark.parametrize("name", ["momentum-steps", "initializer-he", "mazur-2-2-2"])
def test_tex_sets_german(name: str, tmp_path: Path) -> None:
    need_latexmk()
    assert latex_compiles(render(derive.load(name), Look("latex", language="de")), tmp_path).complaints == ()


COMMANDS = (
    "activation gelu", "activation maxout", "activation z/(1+exp(-z)) --at 0.5", "loss hinge", "loss cross-entropy",
    "optimizer nadam", "optimizer rmsprop", "initializer normal", "initializer pytorch-linear", "collapse linear-2-3-2",
    "epochs --samples 1050 --batch 100 --epochs 10", "forward neuron-3.1",
    "gradient backprop-2-2-1 dE/dw1",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_page_of_any_command_has_no_english(command: str) -> None:
    shown = CliRunner().invoke(cli, [*command.split(), "--lang", "de"])
    assert shown.exit_code == 0, shown.output
    assert left(shown.stdout, ALLOWED) == []
    assert POINT.findall(CODE.sub("", shown.stdout)) == []


@pytest.mark.parametrize(
    ("title", "german"),
    [
        ("A 3-4-2 network", "Ein 3-4-2-Netz"), ("A neuron with 7 inputs", "Ein Neuron mit 7 Eingaben"),
        ("The activation leaky ReLU", "Die Aktivierung Leaky ReLU"), ("Hinge loss", "Hinge-Verlust"),
        ("Gradient descent, 1 step", "Gradientenabstieg, 1 Schritt"), ("The gradient descent of Max", ""), ("", ""),
    ],
)  # fmt: skip
def test_titles_that_are_made_of_others(title: str, german: str) -> None:
    """Whoever names a problem otherwise has that name on the page."""
    assert Prose(writer("text", "dollar", "net-out"), "de").translated(title) == (german or title)
    assert Prose(writer("text", "dollar", "net-out"), "en").translated(title) == title


# --- reports ---------------------------------------------------------------------------------------------------------

ANSWERS = """student,net_h1,out_h1,net_o1,out_o1,E,dE/dw5,dE/dw1,w5_new
Ann,0.3775,0.5933,1.1059,0.7514,0.2748,0.0822,0.0007,0.3589
Bo,0.3775,0.3775,1.1059,0.7514,0.5496,0.0822,0.0007,0.4411
Cy,"0,3775",0.5933,,abc(,0.2748,(out_o1-y)*out_o1*out_h1,0.0007,0.3589
Di,0.3775,0.5933,1.1059,0.7514,0.2784,0.8,0.00068,0.3589
Ed,0.3775,0.9533,1.1,1.2,0.7,out_o1+w5,7,w5 = 1/0
Flo,0.3,0.6,1.1,0.8,0.3,0.1,0.001,dE/dw9
"""


def checked(folder: Path, *options: str, answers: str = ANSWERS) -> Result:
    path = folder / "answers.csv"
    path.write_text(answers, encoding="utf-8")
    return CliRunner().invoke(cli, ["check", "backprop-2-2-1", str(path), "--lang", "de", *options])


@pytest.mark.parametrize("pages", ["markdown", "html", "latex", "text"])
def test_a_folder_of_reports_has_no_english(pages: str, tmp_path: Path) -> None:
    checked(tmp_path, "-o", str(tmp_path / "out"), "--pages", pages)
    found = [path for path in (tmp_path / "out").rglob("*") if path.suffix in (".md", ".html", ".tex", ".txt", ".svg")]
    assert len(found) == (8 if pages == "markdown" else 7)
    for path in found:
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL)
        text = without_commands(text) if pages == "latex" else without_formulas(text)
        assert left(text, frozenset(("comma",))) == [], path.name


def test_a_report_shows_german_numbers_and_the_answers_as_they_were_written(tmp_path: Path) -> None:
    shown = checked(tmp_path, answers="\n".join(ANSWERS.splitlines()[:3])).stdout
    assert "Sie haben 0.3775, richtig ist 0,59327." in shown
    assert re.search(r"out_h1 +0\.3775 +0,59327 +falsch", shown)
    assert "Bei out_h1 fehlt die Aktivierung (Sigmoid)" in shown
    assert "0,5933 " not in shown


def test_marks_and_means_have_a_comma(tmp_path: Path) -> None:
    wrong_early = "student,net_h1,out_h1\nAnn,0.5775,0.6405\n"
    one = checked(tmp_path, "--follow-through", "0.5", answers=wrong_early).stdout
    assert "0,5 von 2 Punkten." in one
    assert "Punkte: 0,5" in one
    several = wrong_early + "".join(f"{name},0.3775,0.5933\n" for name in ("Bo", "Cy", "Di", "Ed"))
    assert "Im Mittel 1,7 von 2 Punkten." in checked(tmp_path, "--follow-through", "0.5", answers=several).stdout


def test_names_for_machines_stay(tmp_path: Path) -> None:
    book = checked(tmp_path, "--format", "csv").stdout.splitlines()
    assert book[0] == "student,marks,out of,to decide,net_h1,out_h1,net_o1,out_o1,E,dE/dw5,dE/dw1,w5_new,first error"
    english = CliRunner().invoke(cli, ["check", "backprop-2-2-1", str(tmp_path / "answers.csv"), "--format", "csv"])
    assert english.stdout.splitlines() == book
    lines = checked(tmp_path, "--format", "jsonl").stdout
    assert '"id": "activation-left-out"' in lines
    assert '"expected": "0.59327"' in lines


def test_what_changes_is_said_in_german(tmp_path: Path) -> None:
    old = tmp_path / "old.jsonl"
    old.write_text(checked(tmp_path, "--format", "jsonl").stdout, encoding="utf-8")
    changed = ANSWERS.replace("Ann,0.3775,0.5933,1.1059", "Ann,0.3775,0.5933,2.1").replace("Bo,", "Bodo,")
    shown = checked(tmp_path, "--regrade", str(old), answers=changed).stdout
    assert left(shown) == []
    assert "vorher richtig, jetzt falsch" in " ".join(shown.split())


# --- words inside formulas -------------------------------------------------------------------------------------------

NAMED = """
kind = "expression"
output = "loss"
[given]
limit = 2
samples = 0.5
[define]
loss = "limit * samples + samples"
"""


def test_names_of_the_author_stay() -> None:
    """Only symbols of the pages themselves are exchanged."""
    text = render(WorkedExample(loads(NAMED)), Look("text", language="de"))
    assert "loss = limit·samples + samples" in text
    assert "Grenze" not in text
    assert "limit = 2; samples = 0,5" in text


@pytest.mark.parametrize(
    ("symbol", "german"),
    [
        (r"E_{\mathrm{samples}}", r"E_{\mathrm{Beispiele}}"), ("E[x_new²]/E[x²]", "E[x_neu²]/E[x²]"),
        ("deviation", "Standardabweichung"), (r"\limits", r"\limits"), ("news", "news"), ("w5", "w5"),
    ],
)  # fmt: skip
def test_words_that_are_symbols(symbol: str, german: str) -> None:
    assert named(symbol, "de") == german
    assert named(symbol, "en") == symbol


def test_a_report_says_its_language() -> None:
    example = derive.load("backprop-2-2-1")
    for language in ("en", "de"):
        assert f'<html lang="{language}">' in report([heading(1, "T")], style("html", example, language=language))


def test_formulas_of_a_message_are_printed_with_a_comma() -> None:
    said = style("latex", derive.load("backprop-2-2-1"), language="de").sentence
    assert said("Bei out_h1: 1/(1 + 2,7^(-net_h1)).") == (
        r"Bei $\mathrm{out}_{h1}$: $\frac{1}{1 + 2{,}7^{-\mathrm{net}_{h1}}}$."
    )
    assert said("1.234 könnte 1234 oder 1,234 sein.") == "1.234 könnte 1234 oder 1,234 sein."
