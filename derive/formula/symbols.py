"""How a quantity is written: its canonical name ("w5", "dE/dnet_o1[2]") as LaTeX, Unicode or ASCII text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from derive.errors import DeriveError

Style = Literal["latex", "unicode", "ascii"]

GREEK = dict(
    zip(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
        "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split(),
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ",
        strict=True,
    )
)
VARIANTS = {"ϵ": "epsilon", "ϑ": "theta", "ϕ": "phi", "ϱ": "rho", "ϖ": "pi", "ς": "sigma", "µ": "mu"}
WORDS = {letter: word for word, letter in GREEK.items()} | VARIANTS
LOOK_LATIN = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True))
ACCENTS = {
    "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0307": "dot", "\u0308": "ddot", "\u0301": "acute",
    "\u0300": "grave", "\u030c": "check", "\u0306": "breve",
}  # fmt: skip
Z_A = {"net": "z", "out": "a"}

_SHAPE = re.compile(r"(\w+)((?:\[\w+(?:,\w+)*\]|@[0-9]+|_new)*)")
_SUFFIX = re.compile(r"\[([^]]*)\]|@([0-9]+)|_new")
_RUNS = re.compile(r"[0-9]+|_+|[^\W\d_]+")
_PLAIN = re.compile(r"([^\W\d_]+)([0-9]*)")
_LAYERED = re.compile("([WB])([0-9]+)")
_BIASES = re.compile("B[0-9]+")
_POINT = r"z[0-9]*(?:\[[0-9]+\])?"
_AT_POINT = re.compile(rf"(f[0-9]*'?|df[0-9]*/dz[0-9]*)\(([-+0-9.eE,]+|{_POINT})\)")
_COMMAND_AT_END = re.compile(r"\\[A-Za-z]+$")


@dataclass(frozen=True, slots=True)
class _Parts:
    """A name taken apart: `index` is printed below ("300,17", "i"), `marks` are sample, step and renewal."""

    stem: str
    index: str = ""
    marks: tuple[str, ...] = ()


@lru_cache(maxsize=1 << 16)
def symbol(name: str, style: Style, notation: str = "net-out") -> str:
    """A canonical name as it is printed: "w5" is `w_{5}` in LaTeX; under the notation "z-a", net is z and out is a.

    Raises DeriveError for anything but letters, the digits 0-9 and _ [ ] , @ / in the order of a canonical name.
    """
    if (at_point := _AT_POINT.fullmatch(name)) is not None:
        return _value_at(at_point[1], at_point[2].split(","), style)
    if not all(char.isalpha() or char in "0123456789_[],@/" for char in name):
        raise _unprintable(name)
    if "/" in name:
        over, found, under = name.partition("/d")
        if not (found and over.startswith("d") and len(over) > 1 and under) or "/" in under:
            raise _unprintable(name)
        return _derivative(symbol(over[1:], style, notation), symbol(under, style, notation), style)
    parts = _renamed(_taken_apart(name), notation)
    return _latex(parts) if style == "latex" else _text(parts, style)


def _value_at(function: str, numbers: list[str], style: Style) -> str:
    """f'(0.5), f1(1, 2, 3), ∂f1/∂z2(1, 2, 3), f(z1)"""
    minus = "−" if style == "unicode" else "-"
    point = ", ".join(
        symbol(number, style) if number.startswith("z") else number.replace("-", minus) for number in numbers
    )
    prime = "'" if function.endswith("'") else ""
    return f"{symbol(function.removesuffix(prime), style)}{prime}({point})"


def _unprintable(name: str) -> DeriveError:
    return DeriveError(
        f'the name "{name}" cannot be printed; accepted: a name of letters, digits and "_", such as w5, net_h1[2], '
        "w5@3, W1[300,17] or dE/dw5"
    )


def _derivative(over: str, under: str, style: Style) -> str:
    if style == "latex":
        return rf"\frac{{\partial {over}}}{{\partial {under}}}"
    d = "∂" if style == "unicode" else "d"
    return f"{d}{over}/{d}{under}"


def _taken_apart(name: str) -> _Parts:
    shape = _SHAPE.fullmatch(name)
    if shape is None:
        raise _unprintable(name)
    stem, marks, index = shape[1], [], ""
    renewed = stem.endswith("_new") and stem != "_new"
    stem = stem.removesuffix("_new") if renewed else stem
    for suffix in _SUFFIX.finditer(shape[2]):
        inside, step = suffix[1], suffix[2]
        is_index = inside is not None and not index and _is_index(stem, inside)
        if is_index:
            index = inside
        elif inside is not None and not inside.isdecimal():
            raise _unprintable(name)
        else:
            marks.append(f"[{inside}]" if inside is not None else f"@{step}" if step else "_new")
    return _Parts(stem, index, (*marks, "_new") if renewed else tuple(marks))


def _is_index(stem: str, inside: str) -> bool:
    """Whether the brackets number an entry (W1[300,17], B1[17], x[i]) and not a sample (x1[2])."""
    return not inside.isdecimal() or _BIASES.fullmatch(stem) is not None


def _renamed(parts: _Parts, notation: str) -> _Parts:
    head, line, tail = parts.stem.partition("_")
    if notation != "z-a" or head not in Z_A:
        return parts
    return replace(parts, stem=Z_A[head] + line + tail)


def _text(parts: _Parts, style: Style) -> str:
    write_run = _unicode_run if style == "unicode" else _ascii_run
    stem = "".join(write_run(run) for run in _RUNS.findall(parts.stem))
    layered = _LAYERED.fullmatch(parts.stem) is not None
    if parts.index:
        stem += f"[{parts.index}]" if layered or "_" in stem or "," in parts.index else f"_{parts.index}"
    marks = "".join(parts.marks)
    return stem + (marks.replace("_new", "⁺") if style == "unicode" else marks)


def _unicode_run(run: str) -> str:
    return GREEK.get(run, run)


def _ascii_run(run: str) -> str:
    return "".join(_ascii_letter(char, alone=len(run) == 1) for char in run)


def _ascii_letter(char: str, alone: bool) -> str:
    if char.isascii():
        return char
    if char in WORDS or char in LOOK_LATIN:
        return WORDS.get(char) or LOOK_LATIN[char]
    base, *accents = list(unicodedata.normalize("NFD", char))
    if not accents:
        return f"u{ord(char):04x}"
    return _ascii_letter(base, alone) + ("".join(ACCENTS.get(accent, "") for accent in accents) if alone else "")


def _latex(parts: _Parts) -> str:
    above = "".join(_latex_mark(mark) for mark in parts.marks)
    layered = _LAYERED.fullmatch(parts.stem)
    if layered and parts.index:
        return rf"{layered[1].lower()}^{{({layered[2]}){above}}}_{{{_latex_list(parts.index.split(','))}}}"
    head, below = _head_and_subscript(parts.stem.removesuffix("_") if parts.index else parts.stem)
    if parts.index:
        below = _indexed(below, _latex_list(parts.index.split(",")), parts.stem.endswith("_"))
    return head + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")


def _latex_mark(mark: str) -> str:
    return "+" if mark == "_new" else f"[{mark[1:]}]" if mark.startswith("@") else f"({mark[1:-1]})"


def _indexed(below: str, index: str, apart: bool) -> str:
    if not below:
        return index
    return f"{below},{index}" if apart or below[-1].isdigit() else f"{below}_{{{index}}}"


def _head_and_subscript(stem: str) -> tuple[str, str]:
    r"""w5 -> w, 5; net_h1_2 -> \mathrm{net}, h1,2; words that are no index stay in one piece."""
    head, *tail = stem.split("_")
    plain = _PLAIN.fullmatch(head)
    if plain is None or "" in tail:
        return _upright(stem), ""
    letters, digits = plain[1], plain[2]
    is_symbol = len(letters) == 1 or letters in GREEK
    if tail and not (is_symbol or letters in Z_A or all(piece.isdecimal() for piece in tail)):
        return _upright(stem), ""
    if stem == "E_l2":
        tail = ["L2"]
    if tail and tail[0] in ("hat", "bar") and len(stem) > 4 and letters == head and len(letters) == 1:
        return rf"\{tail[0]}{{{_latex_letter(letters)}}}", _latex_list(tail[1:])
    return _latex_run(letters), _latex_list([digits, *tail] if digits else tail)


def _latex_list(pieces: list[str]) -> str:
    return ",".join(_joined([_latex_run(run) for run in _RUNS.findall(piece)]) for piece in pieces)


def _latex_run(run: str) -> str:
    if run in GREEK:
        return f"\\{run}"
    return _latex_letter(run) if len(run) == 1 or run.isdecimal() else _upright(run)


def _upright(word: str) -> str:
    return rf"\mathrm{{{_joined([_latex_letter(char) for char in word])}}}"


def _latex_letter(char: str) -> str:
    if char.isascii():
        return char.replace("_", r"\_")
    if char in WORDS or char in LOOK_LATIN:
        return f"\\{WORDS[char]}" if char in WORDS else LOOK_LATIN[char]
    base, *accents = list(unicodedata.normalize("NFD", char))
    if len(accents) == 1 and accents[0] in ACCENTS:
        return rf"\{ACCENTS[accents[0]]}{{{_latex_letter(base)}}}"
    return rf"\text{{{char}}}"


def _joined(pieces: list[str]) -> str:
    r"""The pieces in a row, with a space where a command would swallow the next letter (\alpha b)."""
    row = ""
    for piece in pieces:
        swallows = _COMMAND_AT_END.search(row) and piece[:1].isalpha()
        row += f" {piece}" if swallows else piece
    return row
