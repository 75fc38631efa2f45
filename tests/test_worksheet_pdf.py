from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import derive
from derive.cli import cli
from derive.errors import DeriveError
from derive.pages.render import Look, render
from derive.worksheet import pdf, typst_math
from derive.worksheet.formats import FORMATS
from derive.worksheet.run import run, verify
from derive.worksheet.typst_math import typst
from derive.worksheet.workers import Workers
from renderers import math_in_markdown, need_latexmk, need_pdftotext, need_typst
from sheets_text import document, made, numbers, pdf_pages, pdf_text, plan

FOREIGN = 'Łukasz <b>x</b> & "y" \\input{x} $x$ #eval("1") *a* _b_ @c `d` //e ~ [f]'
LATIN = "Łukasz <b>x</b> \\input{x} $x$ #1 %2 &3 ~4"


@pytest.fixture(autouse=True)
def _typst() -> None:
    need_typst()


def as_pdf(format: str, *students: str, **words: object) -> list[tuple[bytes, bytes]]:
    of = plan(format, **words)
    compiled = {"pdf-typst": pdf.by_typst, "pdf-latexmk": pdf.by_latexmk}[format]
    return [
        tuple(compiled(document(of, body)) if body else b"" for body in (sheet.sheet, sheet.key))  # type: ignore[misc]
        for sheet in made(of, *students)
    ]


FORMULAS = {
    r"w_{5} = 0.40": "w _(5) = 0.40",
    r"0{,}15": '"0,15"',
    r"-0{,}15": '−"0,15"',
    r"\frac{\partial E}{\partial w_{1,2}}": r"frac(∂ E, ∂ w _(1 \, 2))",
    r"\mathrm{net}_{h1}": "upright(n e t) _(h 1)",
    r"\left(1-x\right)^{2}": r"lr(\( 1 −x \)) ^(2)",
    "{}^{+}": '"" ^(+)',
    r"\bigl( a \bigr)": r"\( a \)",
    r"\begin{cases} z & \text{if } z \ge 0 \\ 0 & \text{otherwise} \end{cases}":
        'cases(z & "if " z ≥ 0, 0 & upright(o t h e r w i s e))',
    r"\hat{m}_{w} \cdot 10^{-7}": "hat(m) _(w) ⋅ 10 ^(−7)",
    "a/b": r"a \/ b",
    "x = \ue000": "x = #blank",
    r"\begin{aligned} a &= b \\ &\approx c \end{aligned}": "a & = b \\\n & ≈ c",
}  # fmt: skip


@pytest.mark.parametrize("latex", FORMULAS)
def test_formulas(latex: str) -> None:
    assert typst(latex) == FORMULAS[latex]


@pytest.mark.parametrize("latex", [r"\input{x}", r"\frac{a", "a}", r"\left( a", r"\begin{matrix} a \end{matrix}"])
def test_what_is_unknown_is_refused_not_dropped(latex: str) -> None:
    with pytest.raises(DeriveError, match="has no translation"):
        typst(latex)


@pytest.mark.parametrize(
    ("text", "language", "written"),
    [("0.15", "en", "0.15"), ("-0.15", "de", '-"0,15"'), ("1.5e-07", "de", '"1,5" ⋅ 10^(-7)'), ("3/8", "en", r"3\/8")],
)
def test_numbers(text: str, language: str, written: str) -> None:
    assert typst_math.number(text, language) == written


@pytest.mark.parametrize(
    "name", ["backprop-2-2-1", "softmax-cross-entropy", "mazur-2-2-2", "leaky-relu", "expression-graph"]
)
def test_every_formula_of_a_page_is_typeset(name: str, tmp_path: Path) -> None:
    page = render(derive.load(name), Look("markdown", figure="none"))
    formulas = [tex for tex, _ in math_in_markdown(page)]
    assert formulas
    text = "\n\n".join(f"$ {typst(tex)} $" for tex in formulas)
    shown = pdf_text(pdf.by_typst("#set page(width: 40cm, height: auto)\n" + text), tmp_path)
    assert numbers(shown) == numbers("\n".join(formulas))


def test_powers_and_roots_are_typeset() -> None:
    page = render(derive.load("adam-2-2-1"), Look("markdown", figure="none"))
    assert pdf.by_typst("\n\n".join(f"$ {typst(tex)} $" for tex, _ in math_in_markdown(page)))


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("level", ["bare", "full"])
def test_the_numbers_are_those_of_markdown(level: str, language: str, tmp_path: Path) -> None:
    pages = as_pdf("pdf-typst", level=level, language=language)
    for (sheet, key), markdown in zip(pages, made(plan("markdown", level=level, language=language)), strict=True):
        on_sheet = numbers(re.sub(r"!\[.*?\)", "", markdown.sheet))
        assert on_sheet - numbers(pdf_text(sheet, tmp_path)) == numbers("")
        if key:
            assert numbers(pdf_text(key, tmp_path)) == numbers(markdown.key)


def test_a_sheet_begins_a_page_and_none_is_empty(tmp_path: Path) -> None:
    of = plan("pdf-typst", lines=40)
    sheets = made(of)
    pages = pdf_pages(pdf.by_typst(document(of, "\n".join(sheet.sheet for sheet in sheets))), tmp_path)
    firsts = [page for page in pages if page.rstrip().endswith(" 1")]
    assert len(firsts) == 3
    for sheet, page in zip(sheets, firsts, strict=True):
        assert sheet.variant in page
    assert len(pages) % 3 == 0


@pytest.mark.parametrize("format", ["pdf-typst", "pdf-latexmk"])
def test_every_line_to_write_on_is_printed(format: str, tmp_path: Path) -> None:
    """On a page with nothing but lines too."""
    if format == "pdf-latexmk":
        need_latexmk()
    need_pdftotext()
    of = plan(format, lines=40)
    compiled = FORMATS[format].bytes_of(document(of, made(of)[0].sheet))
    (tmp_path / "page.pdf").write_bytes(compiled)
    command = ["pdftoppm", "-gray", "-r", "100", str(tmp_path / "page.pdf"), str(tmp_path / "page")]
    subprocess.run(command, check=True, timeout=60)
    head = 1
    assert sum(map(_long_lines, sorted(tmp_path.glob("page-*.pgm")))) == head + 40


def _long_lines(path: Path) -> int:
    """How many lines go nearly from edge to edge of a grey picture; each is one or two pixels high."""
    _, sizes, _, pixels = path.read_bytes().split(b"\n", 3)
    width, height = map(int, sizes.split())
    rows = [pixels[start : start + width] for start in range(0, width * height, width)]
    dark = [sum(value < 230 for value in row) > 0.7 * width for row in rows]
    return sum(this and not before for before, this in zip([False, *dark], dark, strict=False))


def test_a_foreign_name_stays_a_name(tmp_path: Path) -> None:
    ((sheet, _),) = as_pdf("pdf-typst", FOREIGN)
    shown = " ".join(pdf_text(sheet, tmp_path).split())
    assert FOREIGN in shown


def test_a_name_that_no_font_has_is_refused() -> None:
    with pytest.raises(DeriveError, match="do not have the"):
        as_pdf("pdf-typst", "李")


def test_the_same_bytes_whatever_the_number_of_workers(tmp_path: Path) -> None:
    of = plan("pdf-typst", bundle=True, language="de")
    for name, workers in (("one", Workers()), ("two", Workers(2))):
        run(of, tmp_path / name, 2, (), workers)
        pdf._compiler.cache_clear()
    assert (tmp_path / "one" / "sheets.pdf").read_bytes() == (tmp_path / "two" / "sheets.pdf").read_bytes()
    assert (tmp_path / "one" / "keys.pdf").read_bytes() == (tmp_path / "two" / "keys.pdf").read_bytes()
    assert verify(tmp_path / "two") == []


def test_no_file_is_read_by_a_document(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for path in (str(secret), "../../../../../../" + str(secret), "/etc/hostname"):
        with pytest.raises(DeriveError, match="Typst"):
            pdf.by_typst(f'#read("{path}")')


@pytest.mark.renderer
def test_latexmk_makes_the_same_numbers_and_the_same_bytes(tmp_path: Path) -> None:
    need_latexmk()
    of = plan("pdf-latexmk", language="de")
    (sheet,) = made(of, LATIN)
    first, again = (pdf.by_latexmk(document(of, sheet.sheet + sheet.key)) for _ in range(2))
    assert first == again
    shown = pdf_text(first, tmp_path)
    assert "Łukasz" in shown
    assert r"\input{x} $x$ #1 %2 &3 ~4" in " ".join(shown.split())
    (markdown,) = made(plan("markdown", language="de"), LATIN)
    assert numbers(markdown.key) - numbers(shown) == numbers("")


def test_latexmk_says_what_it_refused() -> None:
    need_latexmk()
    with pytest.raises(DeriveError, match=r"latexmk: ! .*nosuchcommand"):
        pdf.by_latexmk("\\documentclass{article}\\begin{document}\\nosuchcommand\\end{document}")


def test_the_engine_is_tex_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert [pdf.engine(wanted) for wanted in pdf.ENGINES] == ["latexmk", "latexmk", "typst"]
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert pdf.engine("auto") == "typst"
    with pytest.raises(DeriveError, match="no latexmk"):
        pdf.engine("latexmk")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    pdf._compiler.cache_clear()
    found = CliRunner().invoke(cli, ["worksheet", "backprop-2-2-1", "--format", "pdf", "--pdf-engine", "typst"])
    assert found.exit_code == 2
    assert 'pip install "derive-nn[pdf]"' in found.output
