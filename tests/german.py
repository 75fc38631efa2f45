"""What of a German page is English: the words of the English sentences that no German one has."""

from __future__ import annotations

import re
import tomllib
from functools import cache

from derive.pages.prose import templates_folder

WORDS = re.compile(r"[A-Za-zÄÖÜäöüß]{2,}")
ALWAYS = frozenset(
    "the and of is are was be with from to by for that this which where what when each every given loss layer input "
    "inputs output outputs weight weights learning rate target targets sample samples answer answers student students "
    "question questions mark marks step steps slope hidden mean error errors wrong right sheet key name figure diagram "
    "picture value values number numbers normal uniform constant truncated below above otherwise since else if".split()
)
SETTINGS = frozenset("constant decay form coupled decoupled outside inside uncorrected classical average place".split())
"""Keys and words of problem files, in the tables of what libraries do."""
CALCULATION = frozenset("samples batch batches epochs iterations epochs".split())
"""Quantities of a training calculation."""

_FILLED = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{[\w:,]+\}|`.*?`|--[\w-]+", re.DOTALL)
_CODE = re.compile(
    r'\bderive [a-z]+ +[\w.-]+(?: +"[^"]*")?|^- (?:PyTorch|Keras|JAX): .*|\w*[_.=]\w[\w.=]*|'
    r"\b(?:xavier|he|lecun)-(?:uniform|normal)\b|„Deep Learning“|"
    r"(?:Understanding the|Delving deep|Efficient Back|Learning internal)[^\d]*",
    re.MULTILINE,
)


def words_of(text: str) -> set[str]:
    return {word.lower() for word in WORDS.findall(text)}


@cache
def _vocabulary(language: str) -> frozenset[str]:
    found: set[str] = set()
    for name in (f"{language}.toml", f"mistakes.{language}.toml"):
        data = tomllib.loads((templates_folder() / "prose" / name).read_text(encoding="utf-8"))
        for group in data.values():
            for text in group.values():
                found |= words_of(_FILLED.sub(" ", text))
    return frozenset(found)


@cache
def english() -> frozenset[str]:
    """Every word that only English sentences have."""
    return ((_vocabulary("en") - _vocabulary("de")) | ALWAYS) - _SPELT_ALIKE


_SPELT_ALIKE = frozenset(("name", "normal", "rate", "was", "derive"))


def left(text: str, allowed: frozenset[str] = frozenset()) -> list[str]:
    """The English words of a text, without code and the titles of papers; sorted."""
    return sorted((words_of(_CODE.sub(" ", text)) & english()) - allowed)


def without_formulas(markdown: str) -> str:
    """What is said in Markdown: of formulas the words in them, of links their texts."""
    text = re.sub(r"```math.*?```|\$`.*?`\$|\$\$.*?\$\$|\$[^$]*\$", _spoken, markdown, flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)|<[^>]*>", "] ", text)


def _spoken(formula: re.Match[str]) -> str:
    return " ".join(re.findall(r"\\text\{(.*?)\}", formula[0]))


def without_commands(tex: str) -> str:
    """The words of LaTeX that are printed."""
    _, _, body = tex.rpartition(r"\begin{document}")
    body = re.sub(r"\\begin\{tikzpicture\}.*?\\end\{tikzpicture\}", _labels, body, flags=re.DOTALL)
    body = re.sub(r"\\(?:begin|end)\{[a-z]+\*?\}(?:\{[^}]*\})?", " ", body)
    return re.sub(r"\\[A-Za-z]+(?:\[[^\]]*\])?", " ", body)


def _labels(drawing: re.Match[str]) -> str:
    """What a picture of TikZ says."""
    found = re.findall(r"(?:label|legend entries|title)=\{(.*?)\}[,\]\n]|\) \{(.*?)\};", drawing[0])
    return " ".join(piece for pieces in found for piece in pieces)


def of_svg(svg: str) -> str:
    """What a picture says."""
    return " ".join(re.findall(r">([^<]+)<", svg))
