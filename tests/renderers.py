"""The real renderers, for tests: KaTeX, latexmk, a browser.

`need_katex`, `need_latexmk` and `need_chromium` skip the test where the renderer is missing (in CI that is a failure,
see conftest.py).  KaTeX is looked for in the folder that DERIVE_KATEX names, then in ~/.cache/derive-katex/node_modules
(`npm install --prefix ~/.cache/derive-katex katex@0.16`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

OVERFULL_LIMIT = 5.0  # points
Formula = tuple[str, bool]  # what stands between the delimiters; whether it is displayed on lines of its own

_KATEX_SCRIPT = r"""
const katex = require(process.argv[1]);
const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
const refusals = formulas.map(([tex, display]) => {
  try {
    katex.renderToString(tex, { displayMode: display, throwOnError: true, strict: "error", trust: false });
    return null;
  } catch (error) { return error.message; }
});
process.stdout.write(JSON.stringify(refusals));
"""


def _katex() -> Path | None:
    folders = (os.environ.get("DERIVE_KATEX", ""), "~/.cache/derive-katex/node_modules")
    found = (Path(folder).expanduser().resolve() / "katex" for folder in folders if folder)
    return next((path for path in found if (path / "package.json").is_file()), None)


def need_katex() -> Path:
    """The folder of the KaTeX package."""
    if not shutil.which("node"):
        pytest.skip("KaTeX needs node")
    return _katex() or pytest.skip("no KaTeX: DERIVE_KATEX names no node_modules folder that has it")


def need_latexmk() -> None:
    if not (shutil.which("latexmk") and shutil.which("pdflatex")):
        pytest.skip("no latexmk with pdflatex")


def need_pdftotext() -> None:
    if not shutil.which("pdftotext"):
        pytest.skip("no pdftotext")


def need_typst() -> None:
    pytest.importorskip("typst", reason="Typst is an extra: pdf")


def need_math_core() -> None:
    pytest.importorskip("math_core", reason="math-core is an extra: html")


def printed(page: Path, pdf: Path) -> bytes:
    """An HTML file as the browser prints it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        subprocess.run(
            [need_chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
             "--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}",
             "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.resolve().as_uri()],
            capture_output=True, timeout=120, check=True,
        )  # fmt: skip
    return pdf.read_bytes()


def need_chromium() -> str:
    """The browser's command."""
    return shutil.which("chromium") or shutil.which("google-chrome") or pytest.skip("no chromium")


def katex_check(formulas: Sequence[Formula]) -> list[str]:
    """What KaTeX refuses in strict mode, each with its formula; one process for all of them."""
    run = subprocess.run(
        ["node", "-e", _KATEX_SCRIPT, str(need_katex())],
        input=json.dumps(formulas), capture_output=True, text=True, encoding="utf-8", timeout=300, check=True,
    )  # fmt: skip
    refusals: list[str | None] = json.loads(run.stdout)
    return [
        f"{refusal}\n  in: {tex.strip()}" for refusal, (tex, _) in zip(refusals, formulas, strict=True) if refusal
    ]


def github_refuses(formulas: Iterable[Formula]) -> list[str]:
    """The formulas that KaTeX accepts and GitHub blocks."""
    return [tex for tex, _ in formulas if re.search(r"\\(operatorname|newcommand|def)\b", tex)]


_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*(\S*)")
_INLINE = re.compile(
    r"""\$`(?P<github>[^`]+)`\$
      | (?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)                      # code
      | \\[\\$`]                                                        # escaped
      | \$\$(?P<display>.+?)\$\$
      | \$(?![\s$])(?P<dollar>(?:\\.|[^$\\])+?)(?<!\s)\$(?!\d)
      | (?P<stray>\$)""",
    re.VERBOSE | re.DOTALL,
)


def math_in_markdown(text: str) -> list[Formula]:
    r"""Every formula of a page, in either dialect and in the order of the page.

    ```math blocks and $`…`$ (github); $…$ and $$…$$ (dollar).  Code is passed over.

    Raises ValueError where a block is left open, or a dollar opens no formula (a literal one is written \$).
    """
    formulas: list[Formula] = []
    paragraph: list[str] = []
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        fence = _FENCE.match(line)
        block = fence or line.strip() == "$$"
        if block or not line.strip() or line.lstrip().startswith("|"):
            formulas += _inline("\n".join(paragraph), number)
            paragraph = []
        if fence:
            body = _until(lines, fence[1], f"line {number}: ``` is never closed")
            formulas += [(body, True)] if fence[2] == "math" else []
        elif block:
            formulas.append((_until(lines, "$$", f"line {number}: $$ is never closed"), True))
        elif line.lstrip().startswith("|"):
            formulas += _inline(line, number)
        else:
            paragraph.append(line)
    return formulas + _inline("\n".join(paragraph), len(text.splitlines()))


def _until(lines: Iterator[tuple[int, str]], closing: str, complaint: str) -> str:
    body: list[str] = []
    for _, line in lines:
        if line.strip() == closing:
            return "\n".join(body)
        body.append(line)
    raise ValueError(complaint)


def _inline(text: str, line: int) -> list[Formula]:
    formulas: list[Formula] = []
    for found in _INLINE.finditer(text):
        if found["stray"]:
            raise ValueError(f"a dollar that opens no formula, at or above line {line}: {text.strip()[:120]}")
        formulas += [(found[name], name == "display") for name in ("github", "dollar", "display") if found[name]]
    return formulas


@dataclass(frozen=True, slots=True)
class TexReport:
    """What a run of latexmk left behind.

    errors     TeX errors and characters that no font has (they would be missing on the page)
    overfull   boxes too wide or too high by more than OVERFULL_LIMIT points
    pdf        the document, None after an error
    """

    errors: tuple[str, ...]
    overfull: tuple[str, ...]
    pdf: Path | None

    @property
    def complaints(self) -> tuple[str, ...]:
        return self.errors + self.overfull


def latex_compiles(tex: str, workdir: Path, stem: str = "page") -> TexReport:
    """Compile a whole document with latexmk in `workdir`, as a reader would, without a shell to escape to."""
    need_latexmk()
    (workdir / f"{stem}.tex").write_text(tex, encoding="utf-8")
    run = subprocess.run(
        ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", f"{stem}.tex"],
        cwd=workdir, env=os.environ | {"max_print_line": "10000"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=180, check=False,
    )  # fmt: skip
    log_file, pdf = workdir / f"{stem}.log", workdir / f"{stem}.pdf"
    log = log_file.read_text(encoding="utf-8", errors="replace") if log_file.is_file() else ""
    errors = re.findall(r"^(?:! .*(?:\n.*){0,3}|Missing character: .*)", log, re.MULTILINE)
    if run.returncode and not errors:
        errors = [run.stdout[-1000:]]
    too_large = re.finditer(r"^Overfull \\[hv]box \(([\d.]+)pt too .*", log, re.MULTILINE)
    overfull = tuple(box[0] for box in too_large if float(box[1]) > OVERFULL_LIMIT)
    return TexReport(tuple(errors), overfull, pdf if pdf.is_file() and not run.returncode else None)


def screenshot(page: Path, picture: Path, width: int = 900, height: int = 1200) -> Path:
    """A PNG of an HTML or SVG file, as the browser shows it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        subprocess.run(
            [need_chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
             "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
             f"--user-data-dir={profile}", f"--window-size={width},{height}", f"--screenshot={picture}",
             page.resolve().as_uri()],
            capture_output=True, timeout=120, check=True,
        )  # fmt: skip
    return picture
