r"""Formulas as text: a safe reader into `derive.formula.expression` trees, and the writer that is its inverse.

    conditional   sum ("if" sum relation sum "else" sum)*
    sum           [signs] product (("+" | "-") [signs] product)*
    product       factor (("*" | "/" | juxtaposition) factor)*
    factor        [signs] atom ["^" factor]
    atom          number | name | function "(" conditional, … ")" | "(" conditional ")" | \frac{…}{…}

Order and grouping are kept as written.  Nothing is evaluated; the time is linear in the length of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from typing import get_args

from derive.formula.expression import (
    PI,
    Call,
    Cases,
    Condition,
    Expr,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Relation,
    Sum,
    children,
)
from derive.formula.tokens import Token, Unreadable, quoted, tokens
from derive.formula.vocabulary import FUNCTIONS, Names, Signature, Vocabulary
from derive.formula.writing import write

__all__ = ["FUNCTIONS", "MAX_DEPTH", "MAX_NODES", "Signature", "Unreadable", "read", "write"]

MAX_DEPTH = 60
MAX_NODES = 600

_RELATIONS: Mapping[str, Relation] = {relation: relation for relation in get_args(Relation)}
_KEYWORDS = frozenset(("if", "else"))
_CLOSING = {"(": ")", "[": "]", "{": "}", r"\{": r"\}"}
_OPERAND = "a number, a name, a function or an opening bracket"
_EULER = Name("e")
_PI = frozenset(("pi", "π"))


def read(
    text: str,
    *,
    functions: Collection[str] | None = None,
    names: Names | None = None,
    joined: Callable[[list[Token]], list[Token]] | None = None,
) -> Expr:
    """The tree of a formula in plain text, Unicode or simple LaTeX.

    functions   the functions that may be called, all of `FUNCTIONS` by default; one that is not in that table takes
                any number of arguments
    names       the names that may occur (a collection or a test); any name by default; pi is π unless listed
    joined      makes one token of several that are one name together, dE/dw5; then plain text may be written as if
                typeset: 2x, e^-x, o(1 - o)

    Raises `Unreadable` with the column for anything else: at most 2,000 characters, 600 nodes, 60 levels, 60 digits in
    a number, exponents of numbers from -400 to 400.
    """
    cut = tokens(text)
    if len(cut) == 1:
        raise Unreadable(1, "found no formula", _OPERAND)
    latex = "\\" in text or "{" in text
    allowed = FUNCTIONS.keys() if functions is None else functions
    typeset = latex or not text.isascii() or joined is not None
    reader = _Reader(joined(cut) if joined else cut, Vocabulary(allowed, names, latex), typeset=typeset)
    return reader.whole()


class _Reader:
    """Recursive descent; only brackets and bare function arguments recurse, and both are counted."""

    def __init__(self, cut: list[Token], vocabulary: Vocabulary, *, typeset: bool) -> None:
        self.tokens = cut
        self.at = 0
        self.vocabulary = vocabulary
        self.typeset = typeset
        self.depth = 0
        self.nodes = 0
        self.heights: dict[int, tuple[int, Expr]] = {}

    def whole(self) -> Expr:
        expr = self.conditional()
        if self.next.kind != "end":
            raise self.unexpected("an operator (+ - * / ^) or the end of the formula")
        return expr

    # -- tokens

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    @property
    def last(self) -> Token:
        return self.tokens[self.at - 1]

    def take(self) -> Token:
        token = self.next
        self.at += token.kind != "end"
        return token

    def sees(self, *signs: str) -> bool:
        return self.next.kind == "sign" and self.next.text in signs

    def sees_keyword(self, word: str) -> bool:
        return self.next.kind == "name" and self.next.text == word

    def accept(self, sign: str) -> bool:
        seen = self.sees(sign)
        self.at += seen
        return seen

    def unexpected(self, accepted: str) -> Unreadable:
        token = self.next
        found = "the end of the formula" if token.kind == "end" else quoted(token.source)
        return Unreadable(token.column, f"found {found}", accepted)

    # -- nodes

    def made(self, node: Expr, column: int) -> Expr:
        """Every node passes here: its height and the number of nodes are limited."""
        height = 1 + max((self.heights[id(part)][0] for part in children(node)), default=0)
        self.nodes += 1
        if height > MAX_DEPTH:
            raise self.too_deep(column)
        if self.nodes > MAX_NODES:
            raise Unreadable(column, "found a formula that is too long", f"at most {MAX_NODES} numbers and operations")
        self.heights[id(node)] = (height, node)
        return node

    def too_deep(self, column: int) -> Unreadable:
        return Unreadable(column, "found a formula that is nested too deeply", f"at most {MAX_DEPTH} levels")

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.too_deep(self.next.column)

    def negative(self, expr: Expr, signs: int, column: int) -> Expr:
        for _ in range(signs):
            expr = self.made(Negative(expr), column)
        return expr

    def number(self, token: Token, digits: str) -> Expr:
        return self.made(Number(Fraction(digits), digits), token.column)

    # -- the grammar, from loose to tight

    def conditional(self) -> Expr:
        column = self.next.column
        value = self.sum()
        pieces: list[tuple[Expr, Condition]] = []
        while self.sees_keyword("if"):
            self.take()
            pieces.append((value, self.condition()))
            if not self.sees_keyword("else"):
                raise self.unexpected('"else" after one comparison')
            self.take()
            value = self.sum()
        return self.made(Cases(tuple(pieces), value), column) if pieces else value

    def condition(self) -> Condition:
        left = self.sum()
        if not self.sees(*_RELATIONS):
            raise self.unexpected("a comparison: " + " ".join(_RELATIONS))
        relation = _RELATIONS[self.take().text]
        return Condition(left, relation, self.sum())

    def sum(self) -> Expr:
        column = self.next.column
        terms = [self.term(0)]
        while self.sees("+", "-"):
            terms.append(self.term(int(self.take().text == "-")))
        return self.made(Sum(tuple(terms)), column) if len(terms) > 1 else terms[0]

    def term(self, signs: int) -> Expr:
        column = self.next.column
        signs += self.signs()
        return self.negative(self.product(), signs, column)

    def signs(self) -> int:
        """How many minus signs stand here; plus signs are passed over."""
        count = 0
        while self.sees("+", "-"):
            count += self.take().text == "-"
        return count

    def product(self) -> Expr:
        column = self.next.column
        factors = [self.factor()]
        divided = False
        while True:
            if self.accept("/"):
                quotient = Quotient(self.multiplied(factors, column), self.factor())
                factors, divided = [self.made(quotient, column)], True
            elif self.accept("*") or self.is_juxtaposed(factors[-1], divided):
                factors.append(self.factor())
                divided = False
            else:
                return self.multiplied(factors, column)

    def multiplied(self, factors: list[Expr], column: int) -> Expr:
        return self.made(Product(tuple(factors)), column) if len(factors) > 1 else factors[0]

    def is_juxtaposed(self, before: Expr, divided: bool) -> bool:
        """Whether a factor follows without a sign: (a)(b) and 2(a) always, 2x and w x only when typeset."""
        opens = self.sees(*_CLOSING)
        if opens:
            called = self.last.kind == "name" and self.sees("(", r"\{") and self.typeset
            adjoins = called or self.last.kind != "name"
        else:
            hexadecimal = self.last.text == "0" and self.last.end == self.next.column
            adjoins = self.typeset and self.starts_word() and not hexadecimal
        if not adjoins or not divided:
            return adjoins
        if opens and self.last.kind == "number" and _is_fraction(before):
            return True
        raise self.unexpected("* or brackets: a/b*c for (a/b)*c, a/(b*c) otherwise")

    def starts_word(self) -> bool:
        return (self.next.kind == "name" and self.next.text not in _KEYWORDS) or self.sees(r"\frac")

    def factor(self) -> Expr:
        """Signs and exponents, gathered from the left and put together from the right: -a^-b^c = -(a^(-(b^c)))."""
        links: list[tuple[int, Expr, int]] = []
        while True:
            column = self.next.column
            links.append((self.signs(), self.atom(), column))
            if self.next.kind == "raised":
                token = self.take()
                links.append((token.text.count("-"), self.number(token, token.text.lstrip("-")), token.column))
                break
            if not self.accept("^"):
                break
            self.refuse_index()
        signs, result, column = links.pop()
        result = self.negative(result, signs, column)
        for signs, base, column in reversed(links):
            power = Call("exp", (result,)) if base is _EULER else Power(base, result)
            result = self.negative(self.made(power, column), signs, column)
        return result

    def refuse_index(self) -> None:
        """x^{(2)} is a power for some and the second sample for others."""
        match [token.text for token in self.tokens[self.at : self.at + 5]]:
            case ["{", "(", index, ")", "}"] if index.isdigit():
                raise self.unexpected("^{2} for a power, name[2] for a sample")

    def atom(self) -> Expr:
        token = self.next
        if token.kind == "number":
            return self.number(self.take(), token.text)
        if token.kind == "fraction":
            top, bottom = self.take().text.split("/")
            return self.made(Quotient(self.number(token, top), self.number(token, bottom)), token.column)
        if token.kind == "name" and token.text not in _KEYWORDS:
            return self.word()
        if self.accept(r"\frac"):
            top_expr = self.braced(token)
            return self.made(Quotient(top_expr, self.braced(token)), token.column)
        if self.sees(*_CLOSING):
            return self.arguments(1)[0]
        raise self.unexpected(_OPERAND)

    def braced(self, command: Token) -> Expr:
        if not self.sees("{"):
            raise self.unexpected(f"{command.source}{{…}}{{…}}")
        return self.arguments(1)[0]

    def arguments(self, most: int | None = None) -> list[Expr]:
        """What stands between an opening bracket and its partner, separated by commas."""
        opening = self.take()
        self.deeper()
        inside = [self.conditional()]
        while len(inside) != most and self.accept(","):
            inside.append(self.conditional())
        closing = _CLOSING[opening.text]
        if not self.accept(closing):
            raise self.unexpected(f'an operator or "{closing}" for the "{opening.text}" in column {opening.column}')
        self.depth -= 1
        return inside

    def word(self) -> Expr:
        token = self.take()
        if token.source == r"\sqrt" and self.sees("["):
            raise self.unexpected(r"\sqrt{…} for a square root, x^{1/3} for another one")
        opens = self.sees("(", r"\{") or (self.sees("[", "{") and token.bare)
        function = self.vocabulary.function(token.text)
        if function and (opens or token.bare):
            return self.call(token, function, self.arguments() if opens else [self.bare_argument(token)])
        if self.is_euler(token):
            return self.made(_EULER, token.column)
        if token.text in _PI and not self.vocabulary.is_listed(token.text):
            return self.made(PI, token.column)
        if opens and not (self.typeset and self.vocabulary.is_listed(token.text)):
            raise self.unknown_function(token)
        name = self.vocabulary.name(token.text)
        if name is None:
            raise self.unknown_name(token)
        if self.vocabulary.any_name and self.vocabulary.function(token.text.partition("[")[0]):
            raise self.unexpected(f'"(" after the function {token.text.partition("[")[0]}')
        return self.made(Name(name), token.column)

    def is_euler(self, token: Token) -> bool:
        raised = self.sees("^") or self.next.kind == "raised"
        free = token.text == "e" and not self.vocabulary.is_listed("e")
        return raised and free and self.typeset and "exp" in self.vocabulary.functions

    def bare_argument(self, function: Token) -> Expr:
        r"""The argument of √2 or \ln o: one operand, and nothing after it that it could also reach over."""
        self.deeper()
        argument = self.atom()
        if self.sees("^", *_CLOSING) or self.next.kind == "raised" or self.starts_word():
            raise self.unexpected(f"brackets around the argument of {function.text}")
        self.depth -= 1
        return argument

    def call(self, token: Token, function: str, args: list[Expr]) -> Expr:
        signature = FUNCTIONS.get(function, Signature(1, None))
        if len(args) < signature.least or (signature.most is not None and len(args) > signature.most):
            found = f"found {len(args)} argument{'s' * (len(args) != 1)} of {function}"
            raise Unreadable(token.column, found, str(signature))
        missing = signature.defaults[len(args) - signature.least :]
        filled = [*args, *(self.made(value, token.column) for value in missing)]
        return self.made(Call(function, tuple(filled)), token.column)

    def unknown_function(self, token: Token) -> Unreadable:
        if self.vocabulary.is_listed(token.text):
            return Unreadable(self.next.column, f"found {quoted(token.source + '(')}", f"{token.source}*(… to multiply")
        found = f"unknown function {quoted(token.source)}{self.vocabulary.suggestion(token.text)}"
        return Unreadable(token.column, found, self.vocabulary.accepted_functions())

    def unknown_name(self, token: Token) -> Unreadable:
        if self.vocabulary.function(token.text):
            return self.unexpected(f'"(" after the function {token.text}')
        if token.text == "e":
            return Unreadable(token.column, 'unknown name "e"', "exp(…) for a power of e")
        found = f"unknown name {quoted(token.source)}{self.vocabulary.suggestion(token.text)}"
        return Unreadable(token.column, found, self.vocabulary.accepted_names())


def _is_fraction(expr: Expr) -> bool:
    return isinstance(expr, Quotient) and isinstance(expr.top, Number) and isinstance(expr.bottom, Number)
