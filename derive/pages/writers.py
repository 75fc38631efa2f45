"""The ways to write: what a formula, a quantity and a stranger's words look like in each format."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from derive.formula.expression import Number
from derive.formula.languages import LANGUAGES, decimals, inline_in
from derive.formula.printing import plain_number
from derive.formula.symbols import Style, symbol

MINUS = {"latex": "-", "unicode": "−", "ascii": "-"}

_SCIENTIFIC = re.compile(r"(-?[0-9.,{}]+)e([-+]?)0*([0-9]+)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip

_TEX_SIGNS = {
    "−": "-", "≈": r"\approx", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "→": r"\to", "∂": r"\partial", "Σ": r"\Sigma",
    "√": r"\surd", "∞": r"\infty", "⁺": "^{+}", "∈": r"\in",
}  # fmt: skip


def escape_markdown(text: str) -> str:
    """Text that Markdown and HTML show as it stands."""
    return re.sub(
        r"[\\`*_{}\[\]#|<>&$~]", lambda found: _ENTITIES.get(found[0], "\\" + found[0]), " ".join(text.split())
    )


def escape_tex(text: str) -> str:
    """Text that TeX prints as it stands."""
    return "".join(_tex_character(char) for char in " ".join(text.split()))


def _tex_character(char: str) -> str:
    """Greek letters and common signs as math, specials escaped, the rest as it is."""
    if char in _TEX:
        return _TEX[char]
    if char in _TEX_SIGNS:
        return rf"\ensuremath{{{_TEX_SIGNS[char]}}}"
    if unicodedata.name(char, "").startswith("GREEK"):
        return rf"\ensuremath{{{symbol(char, 'latex')}}}"
    return char


def plain(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Writer:
    """One way to write.

    inline     puts a formula into a line of prose
    escape     makes a stranger's words harmless
    language   has the decimal mark
    """

    style: Style
    notation: str
    inline: Callable[[str], str]
    escape: Callable[[str], str]
    language: str = "en"

    def name(self, name: str) -> str:
        """The symbol of a quantity, without the marks of a formula."""
        return symbol(name, self.style, self.notation)

    def code(self, text: str) -> str:
        """A command in a line of prose."""
        if self.escape is escape_markdown:
            return f"`{text}`"
        if self.escape is escape_tex:
            words = (re.sub(r"([-/\[])", r"\1\\allowbreak{}", escape_tex(word)) for word in text.split())
            return " ".join(rf"\texttt{{{word}}}" for word in words)
        return text

    def quantity(self, name: str) -> str:
        """The symbol of a quantity in a line of prose."""
        return self.inline(self.name(name))

    def math(self, latex: str, text: str, ascii: str = "") -> str:
        """A fixed formula in a line of prose; without a spelling in ASCII the text is one already."""
        return self.inline({"latex": latex, "unicode": text}.get(self.style, ascii or text))

    def number(self, text: str) -> str:
        """A number as text, with the minus sign of the style and the decimal mark of the language."""
        text = decimals(text, self.language, self.style)
        scientific = _SCIENTIFIC.fullmatch(text)
        if scientific and self.style == "latex":
            mantissa, sign, exponent = scientific.groups()
            return rf"{mantissa} \cdot 10^{{{sign.strip('+')}{exponent}}}"
        return text.replace("-", MINUS[self.style])

    def listed(self, formulas: Iterable[str]) -> str:
        """Formulas one after another; by semicolons where numbers have a comma."""
        return (", " if LANGUAGES[self.language].decimal == "." else "; ").join(formulas)

    def constant(self, constant: Number) -> str:
        return self.number(plain_number(constant, self.style))


def writer(format: str, dialect: str, notation: str, *, ascii: bool = False, language: str = "en") -> Writer:
    """The writer of a format: "markdown" (dialect "github" or "dollar"), "latex" or "text"."""
    if format == "markdown":
        inline = (lambda math: f"$`{math}`$") if dialect == "github" else (lambda math: f"${math}$")
        return Writer("latex", notation, inline_in(language, "latex", inline), escape_markdown, language)
    if format == "latex":
        return Writer("latex", notation, inline_in(language, "latex", lambda math: f"${math}$"), escape_tex, language)
    style: Style = "ascii" if ascii else "unicode"
    return Writer(style, notation, inline_in(language, style, lambda math: math), plain, language)
