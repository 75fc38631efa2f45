"""README does what it says: its blocks are run in one folder, in their order, and print what it shows.

A block below the comment <!-- not run: reason --> is left out.  A block below <!-- file: NAME --> is written to that
file first.  A ```text block right below a block is its output, in which a line "…" stands for any lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from readme import README, Block, all_commands, blocks

COMMANDS = Path(sys.executable).parent
PROJECT = tomllib.loads(README.with_name("pyproject.toml").read_text(encoding="utf-8"))["project"]

# The commands of an installation: known by name and checked for what they ask for, not run again.
INSTALLING = re.compile(
    r"""git\ clone\ .+ | cd\ \S+ | python3?\ -m\ venv\ \.venv | (?:\.|source)\ \.venv/bin/activate
      | (?:\.venv/bin/)?python3?\ -m\ pytest
      | (?:\.venv/bin/)?(?:python3?\ -m\ )?pip\ install\ (?:-q\ )?(?:-e\ )?
        (?P<quote>['"]?)(?:\.|derive-nn)(?:\[(?P<extras>[\w,-]+)\])?(?P=quote)""",
    re.VERBOSE,
)


def installs(command: str) -> bool:
    """Whether a command belongs to the installation; asserts that the extras that it names exist."""
    known = INSTALLING.fullmatch(command)
    if known and known["extras"]:
        assert set(known["extras"].split(",")) <= set(PROJECT["optional-dependencies"]), command
    return bool(known)


def without_installation(script: str) -> str:
    """The script less its installing commands, and with the commands of this environment instead of .venv's."""
    lines = []
    for line in script.replace("\\\n", " ").splitlines():
        parts = [part.strip() for part in line.split(" && ")]
        kept = [part for part in parts if not installs(part)]
        lines.append(" && ".join(kept) if len(kept) < len(parts) else line)
    return "\n".join(lines).replace(".venv/bin/", "")


def same(shown: str, printed: str) -> bool:
    """Whether the output is as shown, apart from spaces at the ends of lines; "…" on a line is any lines."""
    lines = [line.rstrip() for line in shown.strip("\n").splitlines()]
    pattern = "".join(r"(?:.*\n)*?" if line.strip() in {"…", "..."} else re.escape(line) + "\n" for line in lines)
    found = "".join(line.rstrip() + "\n" for line in printed.strip("\n").splitlines())
    return re.fullmatch(pattern, found) is not None


def sessions(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that is shown for it."""
    parts = re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.MULTILINE)
    return [(command, shown) for command, _, shown in (part.partition("\n") for part in parts[1:])]


def run(command: list[str], folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", timeout=120, check=False,
        env=os.environ | {"PATH": f"{COMMANDS}:{os.environ['PATH']}", "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    return done.returncode, done.stdout


def steps(block: Block, folder: Path) -> list[tuple[list[str], str | None]]:
    """What a block runs: commands, each with the output that it must have (None: any)."""
    match block.language:
        case "bash" | "sh":
            script = without_installation(block.text)
            return [(["bash", "-euo", "pipefail", "-c", script], block.output)] if script.strip() else []
        case "console":
            kept = [(without_installation(command), shown) for command, shown in sessions(block.text)]
            return [(["bash", "-euo", "pipefail", "-c", command], shown or None) for command, shown in kept if command]
        case "python" | "py" | "pycon":
            session = ">>> " in block.text
            program = folder / f"line_{block.line}.{'txt' if session else 'py'}"
            program.write_text(block.text, encoding="utf-8")
            doctest = ["-m", "doctest", "-o", "ELLIPSIS"] if session else []
            return [([sys.executable, *doctest, str(program)], block.output)]
        case _:
            return []


def failures(markdown: str, folder: Path) -> list[str]:
    """Where a page does not do what it says, a message each."""
    found = []
    for block in blocks(markdown):
        if block.file:
            (folder / Path(block.file).name).write_text(block.text, encoding="utf-8")
        elif not block.not_run:
            for command, shown in steps(block, folder):
                code, printed = run(command, folder)
                if code or (shown is not None and not same(shown, printed)):
                    wanted = "" if shown is None else f"\nREADME shows:\n{shown}"
                    found.append(f"line {block.line}: {command[-1]}\nexit code {code}; printed:\n{printed}{wanted}")
    return found


def test_readme_does_what_it_says(tmp_path: Path) -> None:
    if not (COMMANDS / "derive").exists():
        pytest.skip("the command `derive` is not installed in this environment")
    assert failures(README.read_text(encoding="utf-8"), tmp_path) == []


def test_the_first_command_shows_the_example_and_the_second_runs_the_tests() -> None:
    first, second = all_commands(README.read_text(encoding="utf-8"))[:2]
    assert "pip install" in first
    assert "derive show backprop-2-2-1" in first
    assert second.endswith("python -m pytest")


GOOD = """
```bash
python3 -m venv .venv && .venv/bin/pip install -e ".[test]" && echo \\
  installed
.venv/bin/python -m pytest
. .venv/bin/activate
```
```text
installed
```
<!-- not run: needs a printer -->
```bash
false
```
<!-- file: numbers.txt -->
```text
1
2
3
```
```console
$ cat numbers.txt
1
…
$ echo done
done
```
```python
>>> 1 / 4
0.25
```
Prose.
```python
print(open("numbers.txt").read().split())
```

```text
['1', '2', '3']
```
```toml
title = "not a program"
```
"""


def test_a_good_page_has_no_failures(tmp_path: Path) -> None:
    assert failures(GOOD, tmp_path) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("```text\ninstalled", "```text\nuninstalled"),
        ("  installed\n.venv", "  installed && false\n.venv"),
        ("<!-- not run: needs a printer -->\n", ""),
        ("$ echo done", "$ echo undone"),
        ("$ cat numbers.txt", "$ cat missing.txt"),
        ("0.25", "0.5"),
        ("['1', '2', '3']", "['1', '2', '4']"),
        ("…", "2"),
    ],
)
def test_a_wrong_page_is_caught(right: str, wrong: str, tmp_path: Path) -> None:
    assert right in GOOD
    assert len(failures(GOOD.replace(right, wrong, 1), tmp_path)) == 1


@pytest.mark.parametrize("command", ["pip install -e '.[nosuchextra]'", 'pip install "derive-nn[test,typo]"'])
def test_an_extra_that_does_not_exist_is_caught(command: str) -> None:
    with pytest.raises(AssertionError):
        installs(command)


@pytest.mark.parametrize("command", ["pip install derive-n", "pip install numpy", "derive list"])
def test_other_commands_are_no_installation(command: str) -> None:
    assert not installs(command)
