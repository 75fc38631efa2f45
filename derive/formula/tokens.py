"""The text of a formula cut into tokens; plain text, Unicode and simple LaTeX give the same tokens."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from derive.errors import DeriveError, nearest

MAX_CHARACTERS = 2000
MAX_DIGITS = 60
MAX_EXPONENT = 400
MAX_NAME = 60

Kind = Literal["number", "name", "sign", "raised", "fraction", "end"]


class Unreadable(DeriveError):
    """A formula that cannot be read: the column (counted from 1), what was found there, what would be accepted."""

    def __init__(self, column: int, found: str, accepted: str) -> None:
        self.column = column
        self.found = found
        self.accepted = accepted
        super().__init__(f"column {column}: {found}; accepted: {accepted}")


@dataclass(frozen=True, slots=True)
class Token:
    r"""One token.

    text     what it means ("*" for "·", "sqrt" for "√", "net_h1" for "net_{h1}", "-2" for "⁻²", "1/2" for "½")
    source   what was written
    bare     a function whose argument may stand without brackets ("√2", "\ln o")
    """

    kind: Kind
    text: str
    column: int
    source: str
    bare: bool = False

    @property
    def end(self) -> int:
        """The column after the token."""
        return self.column + len(self.source)


_GREEK_WORDS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu "
    "nu xi pi rho sigma tau upsilon phi chi psi omega"
).split()
_GREEK_LETTERS = "αβγδεζηθικλμνξπρστυφχψω"
_SMALL = dict(zip(_GREEK_WORDS, _GREEK_LETTERS, strict=True))
GREEK = {**_SMALL, **{word.capitalize(): letter.upper() for word, letter in _SMALL.items()}}
_VARIANTS = {"varepsilon": "ε", "vartheta": "θ", "varrho": "ρ", "varphi": "φ"}
_LETTER_FORMS = {"µ": "μ", "ϵ": "ε", "ϕ": "φ", "ϑ": "θ"}

_SIGNS = {
    "·": "*", "⋅": "*", "∙": "*", "×": "*", "∗": "*", "÷": "/", "∕": "/", "⁄": "/",
    "−": "-", "–": "-", "≤": "<=", "≥": ">=",
}  # fmt: skip
_FRACTIONS = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅙": "1/6", "⅛": "1/8"}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_COMMAND_SIGNS = {
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "le": "<=", "leq": "<=", "ge": ">=", "geq": ">=",
    "lt": "<", "gt": ">", "{": r"\{", "}": r"\}", "lbrace": r"\{", "rbrace": r"\}",
    "frac": r"\frac", "dfrac": r"\frac", "tfrac": r"\frac",
}  # fmt: skip
_COMMAND_FUNCTIONS = frozenset("exp ln log sqrt max min sin cos tanh".split())
_SIZES = "left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr".split()
_SKIPPED = frozenset([*_SIZES, "quad", "qquad", ",", ";", ":", "!", " "])
_WRAPPERS = frozenset("mathrm text textrm mathit mathbf boldsymbol operatorname".split())
_COMMANDS = (*_COMMAND_SIGNS, *_COMMAND_FUNCTIONS, *_WRAPPERS, *GREEK, *_VARIANTS, "partial", "left", "right")

_PLAIN = re.compile(
    "(?P<space>[ \t\r\n\u00a0\u2009\u202f]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<sign>\*\*|<=|>=|==|[-+*/^()\[\]{},<>])"
    "|(?P<raised>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
)
_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
_PARTIAL = re.compile(r"∂ *|\\partial(?![A-Za-z]) *")
_SUFFIX = re.compile(r"(?:\[ *(?:[0-9]{1,9}|[A-Za-z])(?: *, *(?:[0-9]{1,9}|[A-Za-z]))? *\])?(?:@[0-9]{1,9})?")

_ANYTHING = "numbers, names, functions, + - * / ^ and brackets"
_HINTS = {
    "=": 'the formula alone, without "name ="; == in a condition',
    "|": "abs(…)",
    "$": "the formula without dollar signs",
    "%": "a decimal, 0.05 for 5%",
}
_IN_BRACES = {**_LETTER_FORMS, "{": "", "}": "", ",": "_"}


def tokens(text: str) -> list[Token]:
    """The tokens of a formula, an "end" token last; raises `Unreadable`.  Time is linear in the length."""
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(
            MAX_CHARACTERS + 1, f"a text of {len(text):,} characters", f"at most {MAX_CHARACTERS:,} characters"
        )
    found: list[Token] = []
    at = 0
    while at < len(text):
        token, at = _token_at(text, at)
        if token is not None:
            found.append(token)
    return [*found, Token("end", "", len(text) + 1, "")]


def quoted(text: str) -> str:
    """A piece of the text for a message: short, and with invisible characters named."""
    short = text if len(text) <= 24 else text[:23] + "…"
    strange = [char for char in short if not char.isascii() or not char.isprintable()]
    shown = f'"{short}"' if short.isprintable() and not short.isspace() else ""
    named = ", ".join(f"U+{ord(char):04X} {unicodedata.name(char, 'control character')}" for char in strange[:2])
    if shown and named:
        return f"{shown} ({named})"
    return shown or named or f'"{short}"'


def _token_at(text: str, at: int) -> tuple[Token | None, int]:
    """The token that starts at an index (None for space), and the index after it."""
    if match := _PLAIN.match(text, at):
        return _plain_token(match), match.end()
    char = text[at]
    if char in _SIGNS:
        return Token("sign", _SIGNS[char], at + 1, char), at + 1
    if char in _FRACTIONS:
        return Token("fraction", _FRACTIONS[char], at + 1, char), at + 1
    if char == "√":
        return Token("name", "sqrt", at + 1, char, bare=True), at + 1
    if char == "\\":
        return _command_token(text, at)
    if char == "∂" or _is_letter(char):
        return _name_token(text, at)
    raise Unreadable(at + 1, f"found {quoted(char)}", _HINTS.get(char, _ANYTHING))


def _plain_token(match: re.Match[str]) -> Token | None:
    source, column = match.group(), match.start() + 1
    match match.lastgroup:
        case "number":
            _check_size(source, column)
            return Token("number", source, column, source)
        case "sign":
            return Token("sign", "^" if source == "**" else source, column, source)
        case "raised":
            _check_size(source, column)
            return Token("raised", source.translate(_RAISED), column, source)
        case _:
            return None


def _check_size(source: str, column: int) -> None:
    digits, _, exponent = source.lower().partition("e")
    if len(digits) - digits.count(".") > MAX_DIGITS:
        raise Unreadable(column, f"a number of {len(digits)} digits", f"at most {MAX_DIGITS} digits")
    if len(exponent) > 8 or abs(int(exponent or "0")) > MAX_EXPONENT:
        raise Unreadable(column, f"found {quoted(source)}", f"exponents from -{MAX_EXPONENT} to {MAX_EXPONENT}")


def _command_token(text: str, at: int) -> tuple[Token | None, int]:
    match = _COMMAND.match(text, at)
    word = match.group(1) if match else ""
    source = match.group() if match else "\\"
    end = at + len(source)
    if word in _SKIPPED:
        return None, end
    if word in _COMMAND_SIGNS:
        return Token("sign", _COMMAND_SIGNS[word], at + 1, source), end
    if word in _COMMAND_FUNCTIONS:
        return Token("name", word, at + 1, source, bare=True), end
    if word == "partial" or _is_name_command(word):
        return _name_token(text, at)
    raise _unknown_command(source, at)


def _is_name_command(word: str) -> bool:
    return word in _WRAPPERS or word in GREEK or word in _VARIANTS


def _unknown_command(source: str, at: int) -> Unreadable:
    close = nearest(source[1:], _COMMANDS).replace('"', '"\\', 1)
    accepted = r"\frac \cdot \times \left \right \exp \ln \sqrt \mathrm \text and Greek letters"
    return Unreadable(at + 1, f"unknown command {quoted(source)}{close}", accepted)


def _name_token(text: str, at: int) -> tuple[Token, int]:
    start = at
    prefix = ""
    if partial := _PARTIAL.match(text, at):
        prefix, at = "d", partial.end()
    word, at = _word_at(text, at)
    if not _is_letter(word[0]):
        raise Unreadable(start + 1, f"found {quoted(word)}", "a name that begins with a letter")
    suffix = _SUFFIX.match(text, at)
    if suffix:
        word, at = word + suffix.group().replace(" ", ""), suffix.end()
    if len(word) > MAX_NAME:
        raise Unreadable(start + 1, f"a name of {len(word)} characters", f"at most {MAX_NAME} characters")
    return Token("name", prefix + word, start + 1, text[start:at]), at


def _word_at(text: str, at: int) -> tuple[str, int]:
    r"""A name with its subscripts: net_h1, net_{h1}, \mathrm{net}_{h_1}, \delta_\mathrm{o1}."""
    word, at = _piece_at(text, at)
    while text[at : at + 1] == "_" or (word.endswith("_") and text[at : at + 1] in ("{", "\\")):
        piece, at = _run_at(text, at) if text[at] == "_" else _piece_at(text, at)
        word += piece
    return word, at


def _piece_at(text: str, at: int) -> tuple[str, int]:
    if match := _COMMAND.match(text, at):
        command = match.group(1)
        if command in _WRAPPERS:
            return _braced_at(text, match.end())
        if _is_name_command(command):
            return GREEK.get(command) or _VARIANTS[command], match.end()
        raise _unknown_command(match.group(), at)
    if text[at : at + 1] == "{":
        return _braced_at(text, at)
    run, end = _run_at(text, at)
    if not run or not _is_letter(run[0]):
        raise Unreadable(at + 1, f"found {quoted(text[at : at + 1]) if text[at:] else 'the end'}", "a name")
    return run, end


def _run_at(text: str, at: int) -> tuple[str, int]:
    """Letters, digits and underscores."""
    end = at
    while end < len(text) and _is_word_character(text[end]):
        end += 1
    return "".join(_LETTER_FORMS.get(char, char) for char in text[at:end]), end


def _braced_at(text: str, at: int) -> tuple[str, int]:
    r"""The word in { }, inner braces and \mathrm left out, h1,2 for h1_2; spaces may surround it."""
    pieces: list[str] = []
    start, depth = at, 0
    while at < len(text):
        char = text[at]
        depth += {"{": 1, "}": -1}.get(char, 0)
        if at == start and char != "{":
            break
        if char == "\\":
            piece, at = _braced_command(text, at)
        else:
            if char not in "{} ," and not _is_word_character(char):
                raise Unreadable(at + 1, f"found {quoted(char)}", "letters, digits and _ in a name")
            piece, at = _IN_BRACES.get(char, char), at + 1
        pieces.append(piece)
        if depth == 0:
            break
    word = "".join(pieces).strip(" ")
    if depth or not word or " " in word:
        raise Unreadable(start + 1, f"found {quoted(text[start : at + 1])}", "a name in { }")
    return word, at


def _braced_command(text: str, at: int) -> tuple[str, int]:
    match = _COMMAND.match(text, at)
    word = match.group(1) if match else ""
    end = at + 1 + len(word)
    if word == "_" or word in _WRAPPERS:
        return "_" if word == "_" else "", end
    if _is_name_command(word):
        return GREEK.get(word) or _VARIANTS[word], end
    raise _unknown_command("\\" + word, at)


def _is_word_character(char: str) -> bool:
    return char == "_" or char in "0123456789" or _is_letter(char)


def _is_letter(char: str) -> bool:
    """A visible letter that is not a look-alike form (fullwidth, mathematical bold, …) of another one."""
    if char.isascii():
        return char.isalpha()
    if char in _LETTER_FORMS:
        return True
    plain = unicodedata.category(char) in ("Lu", "Ll", "Lt", "Lo") and unicodedata.normalize("NFKC", char) == char
    return plain and char not in "\u115f\u1160"
