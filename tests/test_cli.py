"""The command `derive`: what it prints, what it writes, what it refuses and with which exit code."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import derive
from derive.cli import COMMANDS, cli
from derive.problem.file import bundled

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("sympy", "numpy", "mpmath", "jinja2")


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=stdin)


def environment(**extra: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **extra}


def process(arguments: Sequence[str], stdin: bytes = b"", **extra: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "derive", *arguments],
        input=stdin, capture_output=True, timeout=120, check=False, env=environment(**extra),
    )  # fmt: skip


def help_of(command: str) -> str:
    return run(*([command] if command else []), "--help").stdout


def commands_in_help(command: str) -> list[str]:
    _, found, below = help_of(command).partition("Examples:\n")
    assert found, f"{command}: no examples"
    return [line.strip() for line in below.splitlines() if line.strip()]


# --- help ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_help_has_examples_that_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = commands_in_help(command)
    assert lines
    for line in lines:
        name, *arguments = shlex.split(line)
        assert name == "derive"
        result = run(*arguments)
        assert result.exit_code == 0, f"{line}\n{result.output}"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_option_is_explained(command: str) -> None:
    shown = cli.get_command(click.Context(cli), command) if command else cli
    assert shown is not None
    for parameter in shown.params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name


def test_the_gallery_is_for_maintainers() -> None:
    assert "gallery" not in help_of("")


@pytest.mark.parametrize("arguments", [["--help"], ["show", "--help"], ["--version"], ["list"], ["schema"]])
def test_nothing_heavy_is_imported_before_it_is_needed(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom derive.cli import cli\n"
        f"cli({arguments!r}, standalone_mode=False)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), timeout=60, check=True
    )
    assert done.stderr.strip() == "[]"


def test_version() -> None:
    assert run("--version").stdout == f"derive {derive.__version__}\n"


# --- pages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("show backprop-2-2-1", "0.08217"),
        ("show backprop-2-2-1 --decimals 8", "0.08216704"),
        ("show backprop-2-2-1 --significant 3", "0.0822"),
        ("show backprop-2-2-1 --notation z-a", "z_h1"),
        ("show backprop-2-2-1 --only dE/dw5", "∂E/∂w5"),
        ("show backprop-2-2-1 --unicode", "∂E/∂w5"),
        ("show backprop-2-2-1 --ascii", "dE/dw5"),
        ("show backprop-2-2-1 --format markdown", "```math"),
        ("show backprop-2-2-1 --format markdown --dialect dollar", "$$"),
        ("show backprop-2-2-1 --format latex", r"\documentclass"),
        ("show backprop-2-2-1 --format json", '"format": 1'),
        ("show backprop-2-2-1 --decimals 3 --carry displayed --format json", '"value": 0.593'),
        ("show neuron-3.1 --decimals 0 --rounding-mode half-even --format json", '"mode": "half-even"'),
        ("forward backprop-2-2-1", "0.37750"),
        ("gradient backprop-2-2-1 w5", "∂E/∂w5"),
        ("gradient backprop-2-2-1 dE_dw1", "∂E/∂w1"),
        ("gradient backprop-2-2-1 w5_new", "0.35892"),
        ("gradient backprop-2-2-1 delta_o1", "0.13850"),
        ("gradient mazur-2-2-2 dout_o1/dw1", "∂out_o1/∂w1"),
        ("gradient mazur-2-2-2 dE/dw1 --paths", "∂E/∂w1"),
    ],
)
def test_a_page_shows(arguments: str, expected: str) -> None:
    result = run(*arguments.split())
    assert result.exit_code == 0, result.output
    assert expected in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        ("forward backprop-2-2-1", "∂"),
        ("show backprop-2-2-1 --format latex --fragment", r"\documentclass"),
        ("show backprop-2-2-1 --format markdown --dialect dollar", "```math"),
        ("gradient backprop-2-2-1 dE/dw5", "∂E/∂w1"),
    ],
)
def test_a_page_does_not_show(arguments: str, absent: str) -> None:
    result = run(*arguments.split())
    assert result.exit_code == 0, result.output
    assert absent not in result.stdout


def test_ascii_text_is_ascii() -> None:
    assert run("show", "mazur-2-2-2", "--ascii").stdout.isascii()


def test_standard_input() -> None:
    source = (ROOT / "derive/problems/backprop-2-2-1.toml").read_text(encoding="utf-8")
    assert run("show", "-", stdin=source).stdout == run("show", "backprop-2-2-1").stdout
    piped = run("gradient", "-", "dE/dw1", stdin=source)
    assert piped.stdout == run("gradient", "backprop-2-2-1", "dE/dw1").stdout


def test_the_encoding_of_the_terminal_decides() -> None:
    plain = process(["show", "backprop-2-2-1"], PYTHONIOENCODING="ascii")
    assert plain.returncode == 0
    assert b"dE/dw5" in plain.stdout
    assert "∂E/∂w5" in process(["show", "backprop-2-2-1"], PYTHONIOENCODING="utf-8").stdout.decode()
    markdown = process(["show", "linear-series", "--format", "json"], PYTHONIOENCODING="ascii")
    assert json.loads(markdown.stdout.decode("utf-8"))["format"] == 1
    assert process(["list"], PYTHONIOENCODING="ascii").returncode == 0


# --- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "begins"),
    [("page.md", b"# "), ("page.MD", b"# "), ("page.tex", b"\\documentclass"), ("page.json", b"{"), ("page", b"Back")],
)
def test_the_suffix_says_the_format(name: str, begins: bytes, tmp_path: Path) -> None:
    result = run("show", "backprop-2-2-1", "-o", str(tmp_path / name))
    assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_the_format_wins_over_the_suffix(tmp_path: Path) -> None:
    assert run("show", "backprop-2-2-1", "--format", "json", "-o", str(tmp_path / "page.txt")).exit_code == 0
    assert json.loads((tmp_path / "page.txt").read_bytes())["format"] == 1


def test_markdown_links_the_figure_beside_it(tmp_path: Path) -> None:
    assert run("show", "backprop-2-2-1", "-o", str(tmp_path / "my page.md")).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"my page.md", "my page.svg"}
    assert "my page.svg" in (tmp_path / "my page.md").read_text(encoding="utf-8").replace("%20", " ")
    assert b"<svg" in (tmp_path / "my page.svg").read_bytes()


def test_a_file_is_overwritten_by_success_only(tmp_path: Path) -> None:
    page = tmp_path / "page.json"
    page.write_text("old", encoding="utf-8")
    assert run("show", "backprop-2-2-1", "--only", "dE/dw99", "-o", str(page)).exit_code == 2
    assert page.read_text(encoding="utf-8") == "old"
    assert run("show", "backprop-2-2-1", "-o", str(page)).exit_code == 0
    assert page.read_bytes().startswith(b"{")
    assert [path.name for path in tmp_path.iterdir()] == ["page.json"]


def test_neither_file_is_written_when_one_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "page.svg").mkdir()
    result = run("show", "backprop-2-2-1", "-o", str(tmp_path / "page.md"))
    assert result.exit_code == 2
    assert "page.svg" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["page.svg"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old", encoding="utf-8")
    (tmp_path / "link.json").symlink_to("real.json")
    assert run("show", "backprop-2-2-1", "-o", str(tmp_path / "link.json")).exit_code == 0
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_bytes().startswith(b"{")


def test_standard_output_by_its_names() -> None:
    page = run("show", "backprop-2-2-1", "--format", "json").stdout
    assert run("show", "backprop-2-2-1", "--format", "json", "-o", "-").stdout == page
    device = process(["show", "backprop-2-2-1", "--format", "json", "-o", "/dev/stdout"])
    assert (device.returncode, device.stdout.decode()) == (0, page)


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("show nothing-like-it", "nothing-like-it"),
        ("show backprop-221", "backprop-2-2-1"),
        ("show .", "folder"),
        ("show", "PROBLEM"),
        ("shwo backprop-2-2-1", "shwo"),
        ("show backprop-2-2-1 --only dE/dw55", "dE/dw5"),
        ("show backprop-2-2-1 --only w5", "no derivation"),
        ("show backprop-2-2-1 --only E@2", "no derivation"),
        ("show backprop-2-2-1 --decimals 101", "0 to 100"),
        ("show backprop-2-2-1 --decimals -1", "0 to 100"),
        ("show backprop-2-2-1 --decimals x", "--decimals"),
        ("show backprop-2-2-1 --significant 0", "1 to 100"),
        ("show backprop-2-2-1 --decimals 3 --significant 3", "one of the two"),
        ("show backprop-2-2-1 --format pdf", "markdown"),
        ("show backprop-2-2-1 --notation matrices", "z-a"),
        ("show backprop-2-2-1 --dialect dollar", "markdown"),
        ("show backprop-2-2-1 --fragment", "latex"),
        ("show backprop-2-2-1 --ascii --format json", "text"),
        ("show backprop-2-2-1 -o no/such/folder/page.md", "no/such/folder/page.md"),
        ("show backprop-2-2-1 -o .", "folder"),
        ("gradient backprop-2-2-1", "QUANTITY"),
        ("gradient backprop-2-2-1 dE/dw55", "dE/dw5"),
        ("gradient backprop-2-2-1 eta", "no derivation"),
        ("gradient neuron-3.1 dE/dw1", "dE/dw1"),
        ("new --kind netwrok", "network"),
        ("new -o no/such/folder/mine.toml", "no/such/folder/mine.toml"),
        ("completion tcsh", "bash"),
    ],
)
def test_what_cannot_be_used_is_said_on_stderr(
    arguments: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments.split())
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe", "UTF-16"), (b"inputs = [", "TOML"), (b"inptus = [1]", "inputs"), (b"", "accepted")],
)
def test_bad_files_make_no_traceback(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    for source, stdin in ((str(tmp_path / "bad.toml"), b""), ("-", content)):
        done = process(["show", source, "-o", str(tmp_path / "page.md")], stdin)
        assert done.returncode == 2
        assert done.stdout == b""
        assert message in done.stderr.decode()
        assert b"Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bad.toml"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of POSIX")
def test_interrupted_while_it_reads(tmp_path: Path) -> None:
    source = tmp_path / "problem.toml"
    os.mkfifo(source)
    running = subprocess.Popen(
        [sys.executable, "-m", "derive", "show", str(source)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a test run in the background ignores it
    )  # fmt: skip
    writing = os.open(source, os.O_WRONLY)  # waits until the command reads
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=60)
    os.close(writing)
    assert (running.returncode, stdout) == (130, b"")
    assert b"Traceback" not in stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of POSIX")
@pytest.mark.parametrize("arguments", [["show", "mazur-2-2-2", "--format", "json"], ["show", "backprop-2-2-1"]])
def test_a_reader_that_has_enough(arguments: list[str]) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "derive", *arguments],
        stdout=write_end, stderr=subprocess.PIPE, timeout=60, check=False, env=environment(),
    )  # fmt: skip
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, b"")


def test_no_colour_anywhere() -> None:
    for arguments in (["list"], ["--help"], ["show", "backprop-2-2-1"], ["show", "nope"]):
        result = CliRunner().invoke(cli, arguments, color=True, env={"NO_COLOR": "1"})
        assert "\x1b" not in result.output


# --- the other commands --------------------------------------------------------------------------------------------


def test_list_has_every_problem_below_its_topic() -> None:
    below: dict[str, str] = {}
    topic = ""
    for line in run("list").stdout.splitlines():
        if line.startswith("  "):
            below[line.split()[0]] = topic
        elif line:
            topic = line
    assert below == {name: topic for name, _, topic in bundled()}


def test_list_as_json() -> None:
    entries = json.loads(run("list", "--format", "json").stdout)
    assert {(entry["name"], entry["title"], entry["topic"]) for entry in entries} == set(bundled())


@pytest.mark.parametrize("kind", ["network", "expression"])
def test_new_writes_a_file_that_can_be_shown(kind: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    assert run("new", "--kind", kind, "-o", str(mine)).exit_code == 0
    assert mine.read_text(encoding="utf-8") == run("new", "--kind", kind).stdout
    assert tomllib.loads(mine.read_text(encoding="utf-8"))
    assert run("show", str(mine)).exit_code == 0


def test_new_overwrites_when_told_to(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("precious", encoding="utf-8")
    refused = run("new", "-o", str(mine))
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert mine.read_text(encoding="utf-8") == "precious"
    assert run("new", "-o", str(mine), "--force").exit_code == 0
    assert mine.read_text(encoding="utf-8") != "precious"


def test_schema_is_json() -> None:
    assert json.loads(run("schema").stdout)["$schema"].startswith("https://json-schema.org/")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str) -> None:
    assert "_DERIVE_COMPLETE" in run("completion", shell).stdout


@pytest.mark.parametrize(
    ("words", "expected", "absent"),
    [
        ("derive show back", "backprop-2-2-1", "mazur-2-2-2"),
        ("derive gradient maz", "mazur-2-2-2", "backprop-2-2-1"),
        ("derive sho", "show", "list"),
        ("derive show x --format j", "json", "latex"),
    ],
)
def test_completion_of(words: str, expected: str, absent: str) -> None:
    code = "import sys; sys.argv[0] = 'derive'; from derive.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False,
        env=environment(_DERIVE_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(words.count(" "))),
    )  # fmt: skip
    offered = [line.partition(",")[2] for line in done.stdout.splitlines()]
    assert expected in offered
    assert absent not in offered

