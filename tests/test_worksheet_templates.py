from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from derive.cli import cli
from derive.errors import DeriveError
from derive.pages.prose import templates_folder
from derive.worksheet.run import run, verify
from derive.worksheet.templates import copy_templates, own_prose, read_own
from sheets_text import made, plan


def worksheet(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["worksheet", "neuron-3.1", *map(str, arguments)])


def own(folder: Path, **texts: str) -> tuple[tuple[str, str], ...]:
    for name, text in texts.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return read_own(folder)


@pytest.mark.parametrize("format", ["markdown", "latex", "html", "pdf-typst"])
def test_a_copy_of_the_templates_makes_the_same_sheets(format: str, tmp_path: Path) -> None:
    if format == "html":
        pytest.importorskip("math_core", reason="math-core is an extra: html")
    copy_templates(tmp_path)
    assert made(plan(format, templates=read_own(tmp_path))) == made(plan(format))


def test_a_changed_template_changes_the_sheets(tmp_path: Path) -> None:
    text = (templates_folder() / "sheets" / "sheet.md.jinja").read_text(encoding="utf-8")
    changed = text.replace("# {{ block.text }}\n", "# {{ block.text }}\n\nUniversity of Examples\n", 1)
    found = made(plan("markdown", templates=own(tmp_path, sheet__md__jinja=changed)))
    for own_sheet, usual in zip(found, made(plan("markdown")), strict=True):
        assert own_sheet.sheet.count("University of Examples") == 1
        assert own_sheet.sheet.replace("\n\nUniversity of Examples\n", "\n") == usual.sheet


def test_own_sentences(tmp_path: Path) -> None:
    templates = own(tmp_path, de__toml='[worksheet]\nbare_heading = "Hausaufgabe"\n[titles]\n"problem 0" = "Netz"\n')
    sheet = made(plan("markdown", templates=templates, language="de"))[0].sheet
    assert "## Hausaufgabe" in sheet
    assert "Berechnen Sie" in sheet
    assert "Hausaufgabe" not in made(plan("markdown", templates=templates))[0].sheet
    assert own_prose(templates, "en") == {}


ESCAPES = {
    "attribute": "{{ ''.__class__.__mro__ }}",
    "globals": "{{ cycler.__init__.__globals__ }}",
    "function": "{{ math.__globals__ }}",
    "block": "{{ blocks[0].__class__.__init__.__globals__ }}",
    "change": "{{ blocks.append(1) }}",
    "undefined": "{{ nobody }}",
    "outside": "{% include '../prose/en.toml' %}",
    "absolute": "{% include '/etc/hostname' %}",
    "import": "{% import 'os' as os %}{{ os }}",
    "filter": "{{ 'a' | map(attribute='__class__') | attr('x') }}",
    "loop": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "range": "{{ range(999999999) | list }}",
    "long": "{{ 'a' * 999999999 }}",
    "longer": "{{ 9 ** 99999 }}",
    "wide": "{{ '%999999999d' % 1 }}",
    "format": "{{ '{:999999999}'.format(1) }}",
    "centred": "{{ 'a'.center(999999999) }}",
    "replaced": "{{ ('a' * 9999) | replace('a', 'b' * 9999) }}",
    "joined": "{{ ('a' * 9999) | list | join('b' * 9999) }}",
    "doubled": "{% set n = namespace(t='a') %}{% for _ in range(99) %}{% set n.t = n.t ~ n.t %}{% endfor %}",
    "added": "{% set n = namespace(t='a') %}{% for _ in range(99) %}{% set n.t = n.t + n.t %}{% endfor %}",
    "lorem": "{{ lipsum(n=999999999) }}",
    "deep": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "zero": "{{ 1 // 0 }}",
    "type": "{{ 'a' + 1 }}",
}


@pytest.mark.parametrize("name", ESCAPES)
def test_a_template_reaches_nothing_and_ends(name: str, tmp_path: Path) -> None:
    text = '{% if part == "body" %}\none\n' + ESCAPES[name] + "\n{% endif %}"
    start = time.perf_counter()
    with pytest.raises(DeriveError, match=r"^sheet\.md\.jinja:3: "):
        made(plan("markdown", templates=own(tmp_path, sheet__md__jinja=text)))
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize(
    ("text", "line"), [("{% if %}", 1), ("a\n{{ b", 2), ("a\n\n{% endfor %}", 3), ("{{ 1 | nofilter }}", 1)]
)
def test_a_broken_template_is_told_with_its_line(text: str, line: int, tmp_path: Path) -> None:
    (tmp_path / "sheet.md.jinja").write_text(text)
    found = worksheet("--templates", tmp_path)
    assert found.exit_code == 2
    assert f"sheet.md.jinja:{line}: " in found.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[worksheet", "en.toml"),
        ("[nothing]\na = 'b'", "[nothing]"),
        ("[worksheet]\nnothing = 'b'", "worksheet.nothing"),
        ("[worksheet]\ntitle = 3", "worksheet.title"),
        ("[worksheet]\nbare_task = '{{ nobody }}'", "worksheet.bare_task"),
        ("[worksheet]\nbare_task = \"{{ ''.__class__ }}\"", "worksheet.bare_task"),
        ("[worksheet]\nbare_task = '{{ oops'", "worksheet.bare_task"),
    ],
)
def test_broken_sentences(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text(text)
    found = worksheet("--templates", tmp_path)
    assert found.exit_code == 2
    assert said in found.output


def test_a_folder_without_templates(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        found = worksheet("--templates", folder)
        assert found.exit_code == 2
        assert "accepted:" in found.output


def test_a_link_out_of_the_folder_is_read_as_a_template_only(tmp_path: Path) -> None:
    """Whatever is read is the lecturer's to read; nothing but templates and sentences is looked at."""
    (tmp_path / "sheet.md.jinja").write_text("{{ part }}")
    (tmp_path / "notes.txt").write_text("secret")
    assert [name for name, _ in read_own(tmp_path)] == ["sheet.md.jinja"]


def test_a_folder_of_sheets_is_checked_without_its_templates(tmp_path: Path) -> None:
    mine, sheets = tmp_path / "mine", tmp_path / "sheets"
    assert worksheet("--copy-templates", mine).exit_code == 0
    template = mine / "sheet.md.jinja"
    template.write_text(template.read_text(encoding="utf-8").replace("# {{", "# Mine: {{", 1), encoding="utf-8")
    of = plan("markdown", templates=read_own(mine))
    run(of, sheets, 3)
    shutil.rmtree(mine)
    assert verify(sheets) == []
    manifest = json.loads((sheets / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["templates"]) == {name for name, _ in of.style.templates}
    assert all(len(digest) == 64 for digest in manifest["templates"].values())
    with pytest.raises(DeriveError, match="other sheets"):
        run(plan("markdown"), sheets, 3)


def test_templates_are_not_written_over(tmp_path: Path) -> None:
    assert worksheet("--copy-templates", tmp_path).exit_code == 0
    again = worksheet("--copy-templates", tmp_path)
    assert again.exit_code == 2
    assert "is there already" in again.output
