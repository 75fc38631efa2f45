"""Plain labels as typeset text: italic letters with indices, an estimate of their width, escapes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import escape

INDEX_SIZE = 0.72
LONGEST = 28

_WORD = re.compile(
    r"(?P<letter>[^\W\d_])(?P<digits>\d+(?:_\d+)*)(?!\w)|(?P<word>[^\W\d_]+)(?:_(?P<index>[^\W_]+(?:_\d+)*))?"
)
_MINUS = re.compile(r"(?<![\w)])-(?=[\d.])")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NARROW = frozenset(" .,:;'|!()[]/ijlt")
_BROAD = frozenset("=+−<>~×÷±wmWM@%")

_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "−": "$-$", "·": r"$\cdot$", "×": r"$\times$", "÷": r"$\div$",
    "∂": r"$\partial$", "Σ": r"$\Sigma$", "…": r"\ldots{}", "½": r"$\frac{1}{2}$", "²": "${}^{2}$", "³": "${}^{3}$",
    "√": r"$\surd$", "∑": r"$\sum$", "∏": r"$\prod$", "≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\to$", "′": r"${}'$",
    "–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''",
}  # fmt: skip
_GREEK = {
    **dict(zip("αβγδεζηθικλμνξπρστυφχψω", (
        "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon varphi "
        "chi psi omega").split(), strict=True)),
    **dict(zip("ΓΔΘΛΞΠΦΨΩ", "Gamma Delta Theta Lambda Xi Pi Phi Psi Omega".split(), strict=True)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one style; an index is small and lowered."""

    text: str
    italic: bool = False
    index: bool = False


def shorten(text: str) -> str:
    """One line of at most LONGEST characters, the rest as an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def runs(label: str) -> tuple[Run, ...]:
    """The label w1 = -0.15 as w (italic), 1 (index) and the rest; words of several letters stay upright."""
    label = _MINUS.sub("−", label)
    found: list[Run] = []
    end = 0
    for match in _WORD.finditer(label):
        if match.start() > end:
            found.append(Run(label[end : match.start()]))
        base = match["letter"] or match["word"]
        found.append(Run(base, italic=len(base) == 1))
        if index := match["digits"] or match["index"]:
            found.append(Run(index.replace("_", ","), index=True))
        end = match.end()
    if end < len(label):
        found.append(Run(label[end:]))
    return tuple(found)


def width(label: str, size: float) -> float:
    """Width of a label in a font of that size: an upper estimate for the usual serif and sans-serif fonts."""
    return size * sum(sum(map(_advance, run.text)) * (INDEX_SIZE if run.index else 1.0) for run in runs(label))


def _advance(character: str) -> float:
    if character in _NARROW:
        return 0.36
    if character in _BROAD or character.isupper():
        return 0.8
    return 1.05 if unicodedata.east_asian_width(character) in "WF" else 0.6


def xml(text: str) -> str:
    """Text or a double-quoted attribute value of an XML document; characters that XML forbids become U+FFFD."""
    return escape(_NOT_XML.sub("\ufffd", text), quote=False).replace('"', "&quot;")


def tex(text: str) -> str:
    """Plain text for TeX: specials escaped, Greek as math, accents kept, what TeX fonts do not have as a "?"."""
    return "".join(map(_tex_character, _MINUS.sub("−", text)))


def _tex_character(character: str) -> str:
    if character in _TEX:
        return _TEX[character]
    if character in _GREEK:
        return rf"$\{_GREEK[character]}$"
    if character.isspace():
        return " "
    latin = " " <= character <= "~" or (character.isalpha() and character <= "\xff" and character not in "ðÐþÞªº")
    return character if latin else "?"
