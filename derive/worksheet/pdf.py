"""Documents as PDF: by TeX where it is, else by Typst; the same bytes from the same text."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from derive.errors import DeriveError
from derive.worksheet.folder import scratch

ENGINES = ("auto", "latexmk", "typst")
LONGEST = 600
"""Seconds that TeX may take for one document."""

_FIXED = {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "max_print_line": "10000"}


def engine(wanted: str = "auto") -> str:
    """The engine that makes the documents; raises DeriveError where it is not installed."""
    tex = shutil.which("latexmk") is not None and shutil.which("pdflatex") is not None
    if wanted == "latexmk" and not tex:
        raise DeriveError("--pdf-engine latexmk: there is no latexmk with pdflatex here; accepted: --pdf-engine typst")
    if wanted != "typst" and tex:
        return "latexmk"
    _compiler()
    return "typst"


def by_typst(text: str) -> bytes:
    """The document; raises DeriveError for what Typst refuses."""
    import typst

    try:
        made: bytes = _compiler().compile(text.encode(), format="pdf", timestamp=0)
    except typst.TypstError as error:
        raise DeriveError(f"Typst: {error}; accepted: templates and names that Typst can read") from None
    return made


@cache
def _compiler() -> Any:
    """One for all documents: it keeps its fonts, which are its own, so that every machine makes the same pages."""
    try:
        import typst
    except ImportError:
        raise DeriveError('PDF needs TeX (latexmk) or Typst: pip install "derive-nn[pdf]"') from None
    return typst.Compiler(ignore_system_fonts=True, root=_nowhere())


@cache
def _nowhere() -> str:
    """An empty folder, so that no document reads a file."""
    folder = tempfile.TemporaryDirectory(prefix="derive-")
    _kept.append(folder)
    return folder.name


_kept: list[tempfile.TemporaryDirectory[str]] = []


def by_latexmk(text: str) -> bytes:
    """The document; raises DeriveError for what TeX refuses.  No shell can be reached from it."""
    with scratch() as folder:
        (folder / "sheet.tex").write_text(text, encoding="utf-8")
        command = [
            "latexmk", "-norc", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "sheet.tex",
        ]  # fmt: skip
        try:
            run = subprocess.run(
                command, cwd=folder, env=os.environ | _FIXED | {"openin_any": "p", "openout_any": "p"},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONGEST,
                check=False,
            )  # fmt: skip
        except FileNotFoundError:
            raise DeriveError("latexmk is not installed here; accepted: --pdf-engine typst") from None
        except subprocess.TimeoutExpired:
            raise DeriveError(f"latexmk took more than {LONGEST} s; accepted: fewer sheets in one file") from None
        made = folder / "sheet.pdf"
        if run.returncode or not made.is_file():
            why = _complaint(folder / "sheet.log", run.stdout)
            raise DeriveError(f"latexmk: {why}; accepted: --pdf-engine typst")
        return made.read_bytes()


def _complaint(log: Path, output: bytes) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else output.decode(errors="replace")
    found = re.search(r"^! .*(?:\n.*){0,2}", text, re.MULTILINE)
    return " ".join((found[0] if found else text[-300:]).split())
