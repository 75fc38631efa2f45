from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from renderers import github_refuses, katex_check, latex_compiles, math_in_markdown, screenshot

PAGE = r"""
Inline $`a_1 + b`$ and $x^2$, a price of \$5, `$code$` and ``$`code`$``.

```math
\frac{a}{b}
```

```python
price = "$5"
```

$$
\begin{aligned} a &= b \\ c &= d \end{aligned}
$$

| $`p`$ | $q$ |
|---|---|
| 1 | $$r$$ |

A formula $a +
b$ over two lines.
"""


def document(body: str) -> str:
    return "\\documentclass{article}\n\\begin{document}\n" + body + "\n\\end{document}\n"


def test_every_formula_of_a_page_is_found_in_order() -> None:
    assert math_in_markdown(PAGE) == [
        ("a_1 + b", False),
        ("x^2", False),
        (r"\frac{a}{b}", True),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", True),
        ("p", False),
        ("q", False),
        ("r", True),
        ("a +\nb", False),
    ]


@pytest.mark.parametrize("page", ["```math\na", "$$\na", "an amount of $5", "$a$ and $b"])
def test_a_formula_left_open_is_an_error(page: str) -> None:
    with pytest.raises(ValueError, match=r"never closed|opens no formula"):
        math_in_markdown(page)


@pytest.mark.renderer
def test_katex_accepts_good_formulas_and_names_each_bad_one() -> None:
    bad = [r"\frac{a}", r"\label{a}", r"é", r"\unknown", r"a_b_c"]  # é: only strict mode refuses it
    good = [r"\begin{aligned} a &= b \\ c &= d \end{aligned}", r"\sigma'(z) = a\,(1 - a)"]
    refusals = katex_check([(tex, True) for tex in good + bad])
    assert [refusal.split("in: ")[-1] for refusal in refusals] == bad


def test_what_github_blocks_is_found() -> None:
    assert github_refuses([(r"\operatorname{softmax}", False), (r"\mathrm{softmax}", False)]) == [
        r"\operatorname{softmax}"
    ]


@pytest.mark.renderer
def test_a_good_document_compiles(tmp_path: Path) -> None:
    report = latex_compiles(document(r"$\frac{\partial E}{\partial w_5} = 0.08217$"), tmp_path)
    assert report.complaints == ()
    assert report.pdf
    assert report.pdf.read_bytes().startswith(b"%PDF")


@pytest.mark.renderer
@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (r"\nosuchcommand", "Undefined control sequence"),
        (r"$\frac{a}{b$", "File ended"),
        (r"\input{/nosuchfile}", "not found"),
        (r"Net input σ", "Unicode character"),
        (r"\font\small=cmr10 \small \char200", "Missing character"),
    ],
)
def test_a_bad_document_is_caught(body: str, complaint: str, tmp_path: Path) -> None:
    assert complaint in "\n".join(latex_compiles(document(body), tmp_path).errors)


@pytest.mark.renderer
@pytest.mark.parametrize(("excess", "caught"), [(4, False), (6, True)])
def test_an_overfull_box_is_caught_above_five_points(excess: int, caught: bool, tmp_path: Path) -> None:
    body = rf"\noindent\hbox to \textwidth{{\rule{{\textwidth}}{{1pt}}\rule{{{excess}pt}}{{1pt}}}}"
    report = latex_compiles(document(body), tmp_path)
    assert (report.errors, bool(report.overfull)) == ((), caught)


@pytest.mark.renderer
def test_a_page_becomes_a_picture(tmp_path: Path) -> None:
    page = tmp_path / "page.svg"
    page.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>', "utf-8")
    assert screenshot(page, tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


SKIPPING = """
import pytest

def test_passes():
    pass

def test_skips():
    pytest.skip("no such renderer")

@pytest.mark.data
def test_needs_data():
    pass
"""


@pytest.mark.parametrize(("ci", "closing"), [("true", "1 failed, 1 passed, 1 error"), ("", "1 passed, 2 skipped")])
def test_a_skip_is_a_failure_in_ci_only(ci: str, closing: str, tmp_path: Path) -> None:
    conftest = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
    (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
    (tmp_path / "test_skipping.py").write_text(SKIPPING, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = data\n", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=tmp_path, env=os.environ | {"CI": ci, "DERIVE_MNIST": "", "PYTEST_ADDOPTS": ""},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert closing in run.stdout
    assert ("nothing may be skipped in CI" in run.stdout) == bool(ci)
