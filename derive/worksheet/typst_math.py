r"""Formulas of the pages as Typst writes them.

The LaTeX of the pages is a small language: this reads all of it and refuses the rest, so nothing is dropped.  Signs are
written as themselves (σ, ∂, ⋅) and every bracket is escaped, so Typst finds no meaning of its own in them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from derive.errors import DeriveError
from derive.formula.languages import LANGUAGES
from derive.formula.symbols import GREEK

BLANK = "\ue000"
"""Stands in a formula for what is to be filled in."""

SIGNS = {f"\\{word}": letter for word, letter in GREEK.items()} | {
    r"\epsilon": "ϵ", r"\varepsilon": "ε", r"\phi": "ϕ", r"\varphi": "φ", r"\partial": "∂", r"\cdot": "⋅",
    r"\times": "×", r"\odot": "⊙", r"\approx": "≈", r"\le": "≤", r"\ge": "≥", r"\ne": "≠", r"\in": "∈", r"\to": "→",
    r"\leftarrow": "←", r"\infty": "∞", r"\dagger": "†", r"\pm": "±", r"\cdots": "⋯", r"\dots": "…", r"\vdots": "⋮",
    r"\ddots": "⋱", r"\top": "⊤", r"\surd": "√", r"\sum": "∑", r"\int": "∫", r"\quad": "quad", r"\qquad": "wide",
    r"\,": "thin", r"\;": "thick", r"\ ": "space", r"\!": "", r"\lvert": "bar.v", r"\rvert": "bar.v", r"\lfloor": "⌊",
    r"\rfloor": "⌋", r"\lceil": "⌈", r"\rceil": "⌉", r"\{": r"\{", r"\}": r"\}", r"\_": r"\_", r"\bigl": "",
    r"\bigr": "", r"\nabla": "∇", r"\%": "%", r"\Vert": "‖",
}  # fmt: skip
FUNCTIONS = {rf"\{word}": word for word in ("ln", "exp", "max", "min", "sin", "cos", "tan", "tanh", "log")}
CALLS = {
    r"\sqrt": "sqrt({})", r"\mathrm": "upright({})", r"\mathbf": "upright(bold({}))", r"\boldsymbol": "bold({})",
    r"\hat": "hat({})", r"\tilde": "tilde({})", r"\bar": "macron({})", r"\dot": "dot({})", r"\ddot": "dot.double({})",
    r"\acute": "acute({})", r"\grave": "grave({})", r"\check": "caron({})", r"\breve": "breve({})",
    r"\mathbin": "{}", r"\boxed": "box({})",
}  # fmt: skip

LAST_CYRILLIC = 0x45F
_PRINTED = "†…–—‘’“”„•€−≈≤≥≠→∂√∞∈Σ⁺"

_SCIENTIFIC = re.compile(r"(-?[0-9.]+)e([-+]?)0*([0-9]+)")
_TOKEN = re.compile(r"\\text\{[^{}\\]*\}|\\[A-Za-z]+ ?|\\.|[0-9]+(?:(?:\.|\{,\})[0-9]+)?|\s+|.", re.DOTALL)


@lru_cache(maxsize=1 << 14)
def typst(latex: str) -> str:
    """The formula, without the dollars around it."""
    reader = _Reader(_TOKEN.findall(latex))
    written = reader.row()
    if reader.next is not None:
        raise _unknown(reader.next)
    return written


def text_string(text: str) -> str:
    """A string of Typst."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unknown(token: str) -> DeriveError:
    return DeriveError(f'Typst: "{token}" of a formula has no translation; accepted: --pdf-engine latexmk')


class _Reader:
    """Reads tokens from the left; `next` is the token ahead, None at the end."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [
            token if token == r"\ " else token.strip(" \n") for token in tokens if token.strip() or token == r"\ "
        ]
        self._tokens = [token for token in self._tokens if token]
        self._place = 0

    @property
    def next(self) -> str | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def take(self) -> str:
        token = self.next
        if token is None:
            raise _unknown("the end")
        self._place += 1
        return token

    def expect(self, wanted: str) -> None:
        found = self.take()
        if found != wanted:
            raise _unknown(found)

    def row(self) -> str:
        """Everything up to a closing brace, right, end or the end."""
        found = []
        while self.next not in (None, "}", r"\right", r"\end"):
            found.append(self.piece())
        return " ".join(piece for piece in found if piece).replace("− ", "−")

    def piece(self) -> str:
        token = self.take()
        if token in ("^", "_"):
            return f"{token}({self.argument()})"
        if token == "{":
            inside = self.row()
            self.expect("}")
            return inside or '""'
        if token.startswith("\\"):
            return self.command(token)
        if token[0].isdigit():
            return text_string(token.replace("{,}", ",")) if "{,}" in token else token
        if token == BLANK:
            return "#blank"
        return _character(token)

    def argument(self) -> str:
        return self.piece()

    def raw(self) -> str:
        """What stands between braces, as it is."""
        self.expect("{")
        found = ""
        while (token := self.take()) != "}":
            found += token
        return found

    def command(self, token: str) -> str:
        if token in SIGNS:
            return SIGNS[token]
        if token in FUNCTIONS:
            return FUNCTIONS[token]
        if token in CALLS:
            return CALLS[token].format(self.argument())
        match token:
            case "\\\\":
                return "\\\n"
            case r"\frac":
                over = self.argument()
                return f"frac({over}, {self.argument()})"
            case r"\left":
                return self.delimited()
            case r"\begin":
                return self.environment()
        if token.startswith(r"\text{"):
            return _text(token.removeprefix(r"\text{")[:-1])
        raise _unknown(token)

    def delimited(self) -> str:
        left, inside = _delimiter(self.take()), self.row()
        self.expect(r"\right")
        return f"lr({left} {inside} {_delimiter(self.take())})"

    def environment(self) -> str:
        name = self.raw()
        inside = self.row()
        self.expect(r"\end")
        if self.raw() != name:
            raise _unknown(name)
        if name == "aligned":
            return inside
        if name == "cases":
            return f"cases({', '.join(row.strip() for row in inside.split(chr(92) + chr(10)))})"
        raise _unknown(name)


def _text(text: str) -> str:
    """A word as upright letters, which stand close to what follows; more than a word as a string."""
    return f"upright({' '.join(text)})" if text.isalpha() else text_string(text)


def number(text: str, language: str) -> str:
    """A number to stand in the place of another one in a formula."""
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific:
        mantissa, sign, exponent = scientific.groups()
        return f"{number(mantissa, language)} ⋅ 10^({sign.strip('+')}{exponent})"
    mark = LANGUAGES[language].decimal
    if mark == "." or "." not in text:
        return text.replace("/", r"\/")
    minus = "-" if text.startswith("-") else ""
    return minus + text_string(text.removeprefix("-").replace(".", mark))


def escape(text: str) -> str:
    """Text that Typst prints as it stands; raises DeriveError where its fonts do not have a letter."""
    foreign = next((char for char in text if not (ord(char) <= LAST_CYRILLIC or char in _PRINTED)), None)
    if foreign is not None:
        raise DeriveError(
            f'PDF: its fonts do not have the "{foreign}" of "{text}"; accepted: Latin, Greek, Cyrillic letters, or HTML'
        )
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def _delimiter(token: str) -> str:
    if token == ".":
        return ""
    return SIGNS[token] if token in SIGNS else _character(token)


def _character(char: str) -> str:
    if char == "&" or char.isalnum() or char in "+=<>.'!:†≈":
        return char
    return "−" if char == "-" else f"\\{char}"
