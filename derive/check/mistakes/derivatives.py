"""Wrong differentiation: the rules of calculus with one of them wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from derive.check.mistakes.scene import Scene, Slip, slip
from derive.check.mistakes.trees import MOST_TERMS, negated, renamed, text, variants, without
from derive.derivation.chain_rule import Quantity, split_derivative
from derive.formula.expression import (
    ONE,
    TWO,
    ZERO,
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
    Sum,
    add,
    children,
    multiply,
    names_in,
    number,
    subtract,
)

WRONG_RULES: tuple[str, ...] = (
    "inner-derivative-left-out", "power-factor-left-out", "exponent-not-reduced", "product-rule-as-product",
    "product-rule-one-term", "product-rule-minus", "quotient-rule-order", "quotient-rule-square-left-out",
    "quotient-rule-as-quotient", "quotient-rule-plus", "constant-kept", "sign-of-cosine", "slope-of-logarithm",
    "slope-of-exponential", "slope-of-root", "gradient-to-both", "gradient-to-the-other", "slope-of-sigmoid",
    "slope-of-tanh",
)  # fmt: skip


class Unknown(Exception):
    """No rule for a part of the formula."""


@dataclass(frozen=True)
class Differentiation:
    """The derivative of a formula with respect to a name, with one rule wrong; `wrong` "" is the right one."""

    name: str
    wrong: str = ""

    def of(self, expr: Expr) -> Expr:
        """The derivative; raises Unknown for a formula beyond the rules."""
        if self.name not in set(names_in(expr)):
            kept = self.wrong == "constant-kept" and isinstance(expr, Number)
            return expr if kept else ZERO
        match expr:
            case Name():
                return ONE
            case Sum(terms):
                return add(*(self.of(term) for term in terms))
            case Negative(arg):
                inner = self.of(arg)
                return ZERO if inner == ZERO else negated(inner)
            case Product(factors):
                return self._product(factors)
            case Quotient(top, bottom):
                return self._quotient(top, bottom)
            case Power(base, exponent):
                return self._power(base, exponent)
            case Call(function, args):
                return self._call(function, args)
            case Cases(pieces, otherwise):
                return Cases(tuple((self.of(value), test) for value, test in pieces), self.of(otherwise))
            case _:
                raise Unknown

    def _product(self, factors: tuple[Expr, ...]) -> Expr:
        varying = [place for place, factor in enumerate(factors) if self.name in set(names_in(factor))]
        slopes = {place: self.of(factors[place]) for place in varying}
        if len(varying) > 1 and self.wrong == "product-rule-as-product":
            return multiply(*(slopes.get(place, factor) for place, factor in enumerate(factors)))
        terms = [multiply(slopes[place], *without(factors, place)) for place in varying]
        if len(varying) > 1 and self.wrong == "product-rule-one-term":
            return terms[0]
        if len(varying) > 1 and self.wrong == "product-rule-minus":
            return subtract(terms[0], add(*terms[1:]))
        return add(*terms)

    def _quotient(self, top: Expr, bottom: Expr) -> Expr:
        if self.name not in set(names_in(bottom)):
            return Quotient(self.of(top), bottom)
        first, second = multiply(self.of(top), bottom), multiply(top, self.of(bottom))
        square: Expr = Power(bottom, TWO)
        match self.wrong:
            case "quotient-rule-as-quotient":
                return Quotient(self.of(top), self.of(bottom))
            case "quotient-rule-order":
                return Quotient(subtract(second, first), square)
            case "quotient-rule-plus":
                return Quotient(add(first, second), square)
            case "quotient-rule-square-left-out":
                square = bottom
        return Quotient(subtract(first, second), square)

    def _power(self, base: Expr, exponent: Expr) -> Expr:
        if not isinstance(exponent, Number):
            raise Unknown
        lower = number(exponent.value - 1)
        reduced: Expr = base if lower == ONE else ONE if lower == ZERO else Power(base, lower)
        if self.wrong == "exponent-not-reduced":
            reduced = Power(base, exponent)
        front = ONE if self.wrong == "power-factor-left-out" else exponent
        return multiply(front, reduced, self._inner(base))

    def _inner(self, inside: Expr) -> Expr:
        if self.wrong == "inner-derivative-left-out" and not isinstance(inside, Name):
            return ONE
        return self.of(inside)

    def _call(self, function: str, args: tuple[Expr, ...]) -> Expr:
        if function in ("max", "min"):
            return self._largest(function, args)
        row = _SLOPES.get(function)
        if row is None or len(args) != 1:
            raise Unknown
        right, mistake, wrong = row
        chosen = wrong if self.wrong == mistake else right
        return multiply(chosen(args[0]), self._inner(args[0]))

    def _largest(self, function: str, args: tuple[Expr, ...]) -> Expr:
        if len(args) != 2:
            raise Unknown
        first, second = (self.of(arg) for arg in args)
        if self.wrong == "gradient-to-both":
            return add(first, second)
        if (function == "max") != (self.wrong == "gradient-to-the-other"):
            return Cases(((second, Condition(args[1], ">", args[0])),), first)
        return Cases(((second, Condition(args[1], "<", args[0])),), first)


Slope = Callable[[Expr], Expr]


def _call(function: str) -> Slope:
    return lambda arg: Call(function, (arg,))


def _of_sigmoid(arg: Expr) -> Expr:
    return multiply(Call("sigmoid", (arg,)), subtract(ONE, Call("sigmoid", (arg,))))


_SLOPES: dict[str, tuple[Slope, str, Slope]] = {
    "exp": (_call("exp"), "slope-of-exponential", lambda arg: multiply(arg, Call("exp", (subtract(arg, ONE),)))),
    "ln": (lambda arg: Quotient(ONE, arg), "slope-of-logarithm", _call("ln")),
    "sqrt": (
        lambda arg: Quotient(ONE, multiply(TWO, Call("sqrt", (arg,)))), "slope-of-root",
        lambda arg: Quotient(ONE, Call("sqrt", (arg,))),
    ),
    "sin": (_call("cos"), "sign-of-cosine", lambda arg: Negative(Call("cos", (arg,)))),
    "cos": (lambda arg: Negative(Call("sin", (arg,))), "sign-of-cosine", _call("sin")),
    "abs": (
        lambda arg: Cases(((ONE, Condition(arg, ">", ZERO)), (number(-1), Condition(arg, "<", ZERO))), ZERO),
        "inner-derivative-left-out", lambda arg: ONE,
    ),
    "sigmoid": (_of_sigmoid, "slope-of-sigmoid", _call("sigmoid")),
    "tanh": (
        lambda arg: subtract(ONE, Power(Call("tanh", (arg,)), TWO)), "slope-of-tanh",
        lambda arg: subtract(ONE, Call("tanh", (arg,))),
    ),
}  # fmt: skip


def local(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in the derivative of a definition that somebody typed."""
    pair, node, definition = split_derivative(quantity.name), quantity.node, quantity.definition
    if pair is None or definition is None:
        return
    mistake = "sign-lost" if scene.is_negative(quantity.name) else "sign-turned"
    yield slip(mistake, quantity, negated(definition), "", part=quantity.name)
    if not isinstance(definition, Number):
        yield slip("factor-left-out", quantity, ONE, "", factor=quantity.name)
    if node is not None and node.definition is not None:
        yield from _by_wrong_rules(quantity, node.definition, pair[1])
        if isinstance(node.definition, Product):
            yield slip("own-value-for-slope", quantity, Name(pair[1]), "", name=pair[1])
        yield slip("value-for-slope", quantity, node.definition, "", part=text(node.definition))
        for name in dict.fromkeys(names_in(node.definition)):
            for other in scene.beside(name):
                yield slip("wrong-input", quantity, renamed(definition, {name: other}), "", right=name, used=other)
    yield from (slip(mistake, quantity, wrong, "", **words) for mistake, wrong, words in variants(definition))


def _by_wrong_rules(quantity: Quantity, definition: Expr, name: str) -> Iterator[Slip]:
    if len(children(definition)) > MOST_TERMS:
        return
    try:
        right = Differentiation(name).of(definition)
        for wrong in WRONG_RULES:
            tree = Differentiation(name, wrong).of(definition)
            if tree != right:
                yield slip(wrong, quantity, tree, wrong, part=text(definition), name=name)
    except Unknown:
        return
