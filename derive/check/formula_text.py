r"""An answer that is a formula, read with the names of the problem.

Derivatives count as names: dE/dw5, ∂E/∂w5, \frac{\partial E}{\partial w_5} are one token each before the grammar sees
the text, so that 2*dE/dw5 is twice a derivative and no quotient of 2·dE and dw5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

from derive.check.model import Formula
from derive.check.moments import Moments
from derive.derivation.names import UnknownQuantity, resolve
from derive.errors import DeriveError
from derive.formula.expression import Expr, Name, names_in, replace_names
from derive.formula.grammar import Unreadable, read
from derive.formula.tokens import MAX_CHARACTERS, Token
from derive.formula.vocabulary import Vocabulary
from derive.worked import WorkedExample

_OPENING = ("$$", "$", r"\(", r"\[")
_CLOSING = ("$$", "$", r"\)", r"\]")
_UPDATED = re.compile(r"(?<=[0-9A-Za-z}\]])(?:⁺|\^\{\+\}|\^\{\[([0-9]{1,6})\]\})(?![\w@⁺])")
_SIGMOID = frozenset(("sigma", "sig", "logistic"))


def read_formula(text: str, example: WorkedExample, quantity: str = "") -> Formula:
    """The formula that somebody wrote; its expression holds canonical names of the problem.

    quantity  what was asked: "dE/dw5 = …" may stand in front of the formula

    Raises `Unreadable` with the column for what the grammar does not know and for a name that is no quantity of the
    problem.
    """
    names = _Names(example)
    start = _start_of(text, names, quantity)
    body = text[start : len(text) - _closing(text)]
    try:
        expr = _as_on_pages(body, names) or read(body, names=names.is_known, joined=names.joined)
    except Unreadable as error:
        accepted = names.some() if error.accepted == "a known name" else error.accepted
        raise Unreadable(error.column + start, error.found, accepted) from error
    return Formula(text, names.canonical(expr))


def _as_on_pages(text: str, names: _Names) -> Expr | None:
    """A formula with the updates of its names as pages print them, w5⁺ or w_{5}^{[2]}; None where there are none."""
    marked = _UPDATED.sub(lambda found: f"@{found[1] or 1}", text)
    if marked == text:
        return None
    try:
        return read(marked, names=names.is_known, joined=names.joined)
    except Unreadable:
        return None


def _start_of(text: str, names: _Names, quantity: str) -> int:
    """Where the formula begins: behind a dollar sign and "dE/dw5 ="."""
    start = next((len(sign) for sign in _OPENING if text.startswith(sign)), 0)
    before, equals, after = text[: MAX_CHARACTERS + 1].partition("=")
    if not quantity or not equals or after.startswith("=") or before.endswith(("<", ">", "=")):
        return start
    try:
        asked = names.canonical(read(before[start:], names=names.is_known, joined=names.joined))
    except DeriveError:
        return start
    return len(before) + 1 if asked == Name(quantity) else start


def _closing(text: str) -> int:
    return next((len(sign) for sign in _CLOSING if text.endswith(sign)), 0)


class _Names:
    """The quantities of a problem under the names that people give them."""

    def __init__(self, example: WorkedExample) -> None:
        self._example = example
        self.find = lru_cache(maxsize=None)(self._find)
        self._spelt = Vocabulary((), self.is_known, latex=True)

    def _find(self, word: str) -> str | None:
        """The canonical name of a quantity with a definition or a value of its own; None where there is none."""
        derivation = self._example.derivation
        try:
            found = resolve(word, derivation, suggest=False)
        except UnknownQuantity:
            return None
        return Moments(derivation).joined(found.name, found.step)

    def is_known(self, word: str) -> bool:
        return self.find(word) is not None

    def some(self) -> str:
        return "names such as " + ", ".join(islice(self._example.graph.forward(), 4))

    def canonical(self, expr: Expr) -> Expr:
        spelt = set(names_in(expr))
        return replace_names(expr, {word: Name(self.find(word) or word) for word in spelt})

    def joined(self, tokens: list[Token]) -> list[Token]:
        """The tokens with each derivative as one name, and with σ written as sigma."""
        found: list[Token] = []
        at = 0
        while at < len(tokens):
            token, at = self._derivative(tokens, at)
            found.append(token)
        return [self._as_function(token, following) for token, following in zip(found, [*found[1:], None], strict=True)]

    def _derivative(self, tokens: Sequence[Token], at: int) -> tuple[Token, int]:
        """The token at a place, or the derivative that begins there; and the place after it."""
        for shape in (_plain, _fraction):
            top, bottom, end = shape(tokens, at)
            name = f"{top}/{bottom}"
            if end and not self.is_known(top) and self._spelt.name(name):
                first, last = tokens[at], tokens[end - 1]
                source = "".join(token.source for token in tokens[at:end])
                padded = source.ljust(last.end - first.column)
                return Token("name", name, first.column, padded), end
        return tokens[at], at + 1

    def _as_function(self, token: Token, following: Token | None) -> Token:
        called = following is not None and following.kind == "sign" and following.text == "("
        if called and token.kind == "name" and token.text in _SIGMOID and not self.is_known(token.text):
            return Token("name", "sigmoid", token.column, token.source)
        return token


def _plain(tokens: Sequence[Token], at: int) -> tuple[str, str, int]:
    """dE/dw5, d E/d w5: top, bottom and the place after them; 0 for anything else."""
    top, at = _differential(tokens, at)
    if not top or not _is_sign(tokens, at, "/"):
        return "", "", 0
    bottom, at = _differential(tokens, at + 1)
    return top, bottom, at if bottom else 0


def _fraction(tokens: Sequence[Token], at: int) -> tuple[str, str, int]:
    r"""\frac{dE}{dw5} in the same way."""
    if not _is_sign(tokens, at, r"\frac"):
        return "", "", 0
    parts = []
    at += 1
    for _ in range(2):
        part, end = _differential(tokens, at + 1)
        if not (_is_sign(tokens, at, "{") and part and _is_sign(tokens, end, "}")):
            return "", "", 0
        parts.append(part)
        at = end + 1
    return parts[0], parts[1], at


def _differential(tokens: Sequence[Token], at: int) -> tuple[str, int]:
    r"""dw5, or d and w5 apart (\mathrm{d}w_5); empty for anything else."""
    if at >= len(tokens) or tokens[at].kind != "name" or not tokens[at].text.startswith("d"):
        return "", at
    text = tokens[at].text
    if len(text) > 1:
        return text, at + 1
    following = tokens[at + 1]
    return ("d" + following.text, at + 2) if following.kind == "name" else ("", at)


def _is_sign(tokens: Sequence[Token], at: int, text: str) -> bool:
    return at < len(tokens) and tokens[at].kind == "sign" and tokens[at].text == text
