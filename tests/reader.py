"""A second, strict reader for printed lines, sharing no code with the package: text in, exact value out.

Functions are stand-ins (`stand_in`): a fixed rational made from the name and the arguments, so that every value is
exact and two lines agree only when they mean the same.  It accepts a minus sign only at the start of a line, of a
bracket, of an argument or of a braced group; anything else that is not a clean formula raises `Malformed`.
"""

from __future__ import annotations

import hashlib
import re
from fractions import Fraction

SUPERSCRIPTS = {"⁻": "-", **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True))}
SAME = {
    "sigma": "sigmoid", "σ": "sigmoid", "ReLU": "relu", "LReLU": "leaky_relu", "√": "sqrt",
}  # fmt: skip
TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?)"
    r"|(?P<word>\\(?:mathrm|text)\{[A-Za-z ]+\}|\\(?:begin|end)\{cases\}|\\\\|\\[A-Za-z]+|[A-Za-zσ√][A-Za-z_]*)"
    r"|(?P<super>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
    r"|(?P<sign><=|>=|==|[-−+*/^(){},<>≤≥=|&·]))"
)


class Malformed(Exception):
    pass


def stand_in(function: str, *args: Fraction) -> Fraction:
    """The value of every function that is not rational: the same for the same arguments, else different."""
    if function == "abs":
        return abs(args[0])
    if function in ("max", "min"):
        return max(args) if function == "max" else min(args)
    digest = hashlib.sha256(repr((function, args)).encode()).digest()
    return Fraction(int.from_bytes(digest[:2], "big") - 30000, digest[3] + 1)


def power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator == 1 and abs(exponent) <= 12:
        return base ** int(exponent)
    return stand_in("power", base, exponent)


def tokens(line: str) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(line.rstrip()):
        match = TOKEN.match(line, place)
        if match is None:
            raise Malformed(f"column {place}: {line[place:]!r}")
        place = match.end()
        found.append(_token(match))
    return [token for token in found if token not in ("\\left", "\\right")]


def _token(match: re.Match[str]) -> str:
    if match["super"]:
        return "^" + "".join(SUPERSCRIPTS[char] for char in match["super"])
    word = match["word"]
    if word:
        inner = re.fullmatch(r"\\(?:mathrm|text)\{(.*)\}", word)
        word = inner[1].strip() if inner else word
        return {"\\cdot": "*", "\\le": "<=", "\\ge": ">="}.get(word, word)
    return {"−": "-", "·": "*", "≤": "<=", "≥": ">=", "=": "=="}.get(match["sign"] or "", match[0].strip())


class Reader:
    def __init__(self, line: str) -> None:
        self.tokens = tokens(line)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.peek()
        if (expected and token not in expected) or not token:
            raise Malformed(f"{token!r} instead of {expected} in {' '.join(self.tokens)}")
        self.at += 1
        return token

    def took(self, token: str) -> bool:
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def choice(self) -> Fraction:
        value = self.sum()
        if not self.took("if"):
            return value
        holds = self.condition()
        self.take("else")
        otherwise = self.choice()
        return value if holds else otherwise

    def condition(self) -> bool:
        left, relation, right = self.sum(), self.take("<", "<=", ">", ">=", "=="), self.sum()
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right, "==": left == right}[
            relation
        ]

    def sum(self) -> Fraction:
        value = -self.product() if self.took("-") else self.product()
        while self.peek() in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self) -> Fraction:
        value = self.power()
        while self.peek() in ("*", "/"):
            value = value * self.power() if self.take() == "*" else value / self.power()
        return value

    def power(self) -> Fraction:
        base, is_e = self.atom()
        if self.took("^"):
            exponent = self.group() if self.peek() == "{" else self.atom()[0]
        elif self.peek().startswith("^"):
            exponent = Fraction(self.take()[1:])
        elif is_e:
            raise Malformed("e without an exponent")
        else:
            return base
        if self.peek().startswith("^"):
            raise Malformed("two exponents")
        return stand_in("exp", exponent) if is_e else power(base, exponent)

    def group(self, left: str = "{", right: str = "}") -> Fraction:
        self.take(left)
        value = self.choice()
        self.take(right)
        return value

    def atom(self) -> tuple[Fraction, bool]:
        token = self.peek()
        if token[:1].isdigit():
            return Fraction(self.take()), False
        if token == "(":
            return self.group("(", ")"), False
        if token == "|":
            return abs(self.group("|", "|")), False
        self.take()
        if token == "e":
            return Fraction(0), True
        if token == "\\frac":
            top = self.group()
            return top / self.group(), False
        if token == "\\sqrt":
            return stand_in("sqrt", self.group()), False
        if token == "\\lvert":
            value = self.choice()
            self.take("\\rvert")
            return abs(value), False
        if token == "\\begin{cases}":
            return self.cases(), False
        return self.call(token.lstrip("\\")), False

    def call(self, function: str) -> Fraction:
        self.take("(")
        args = [self.choice()]
        while self.took(","):
            args.append(self.choice())
        self.take(")")
        return stand_in(SAME.get(function, function), *args)

    def cases(self) -> Fraction:
        chosen: Fraction | None = None
        while True:
            value = self.sum()
            self.take("&")
            if self.take("if", "otherwise") == "otherwise":
                self.take("\\end{cases}")
                return value if chosen is None else chosen
            if self.condition() and chosen is None:
                chosen = value
            self.take("\\\\")


def value_of(line: str) -> Fraction:
    """The value of one printed line (LaTeX, Unicode or ASCII).  ZeroDivisionError where it divides by zero."""
    reader = Reader(line)
    value = reader.choice()
    if reader.peek():
        raise Malformed(f"{reader.peek()!r} left over in {line}")
    return value
