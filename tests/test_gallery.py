"""The gallery: its folder in the repository, and what its check says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from derive import gallery
from derive.cli import cli
from derive.problem.file import bundled

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def pages() -> dict[str, bytes]:
    return gallery.pages()


def test_the_gallery_is_up_to_date() -> None:
    result = CliRunner().invoke(cli, ["gallery", str(ROOT / "output"), "--check"])
    assert result.exit_code == 0, f"{result.output}\nrun `derive gallery` and look at what changed"


def test_every_problem_has_its_pages(pages: dict[str, bytes]) -> None:
    names = [name for name, _, _ in bundled()]
    pictures = {name for name in pages if name.endswith(".svg")}
    written = {f"{name}{suffix}" for name in names for suffix in (".md", ".tex")}
    assert set(pages) - pictures == {"README.md", "catalogue.md"} | written
    assert pictures <= {f"{name}.svg" for name in names}
    for name in names:
        assert f"({name}.md)".encode() in pages["README.md"]
        assert f"({name}.tex)".encode() in pages["README.md"]
        assert (f"{name}.svg" in pages) == (f"({name}.svg)".encode() in pages[f"{name}.md"])


def test_networks_have_pictures(pages: dict[str, bytes]) -> None:
    assert {f"{name}.svg" for name, _, topic in bundled() if topic in ("neurons", "networks")} <= set(pages)


def test_the_pages_are_the_same_in_every_process(pages: dict[str, bytes], tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "derive", "gallery", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "LC_ALL": "C"}, timeout=120, check=True,
    )  # fmt: skip
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == pages


def test_the_check_names_what_differs(
    pages: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "pages", lambda: pages)
    for name, content in pages.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "README.md").write_bytes(b"changed")
    (tmp_path / "mazur-2-2-2.svg").unlink()
    (tmp_path / "stranger.md").write_bytes(b"")
    result = CliRunner().invoke(cli, ["gallery", str(tmp_path), "--check"])
    assert result.exit_code == 1
    assert [line.removeprefix(f"{tmp_path}{os.sep}") for line in result.stdout.splitlines()] == [
        "README.md: out of date",
        "mazur-2-2-2.svg: missing",
        "stranger.md: belongs to no bundled problem",
    ]
    assert (tmp_path / "README.md").read_bytes() == b"changed"


def test_what_is_no_page_is_left_alone(
    pages: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "pages", lambda: pages)
    (tmp_path / "stranger.md").write_bytes(b"mine")
    (tmp_path / "picture.png").write_bytes(b"mine")
    result = CliRunner().invoke(cli, ["gallery", str(tmp_path)])
    assert result.exit_code == 1
    assert "stranger.md" in result.stderr
    assert (tmp_path / "stranger.md").read_bytes() == b"mine"
    assert {path.name for path in tmp_path.iterdir()} == {*pages, "stranger.md", "picture.png"}
