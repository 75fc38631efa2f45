"""Wrong differentiation: the rules of calculus with one of them wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from derive.check.mistakes.scene import Scene, Slip, slip
from derive.check.mistakes.trees import MOST_TERMS, filled, negated, renamed, text, variants, without
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
    "slope-of-tanh", "antiderivative", "reduced-exponent-in-front", "slope-at-inner-derivative",
)  # fmt: skip


class Unknown(Exception):
    """No rule for a part of the formula."""


@dataclass(frozen=True)
class Differentiation:
    """The derivative of a formula with respect to a name, with one rule wrong; `wrong` "" is the right one.

    slope  which of the wrong derivatives of a function in the table, which term of a product rule
    inner  whether it is multiplied by the inner derivative
    """

    name: str
    wrong: str = ""
    slope: int = 0
    inner: bool = True

    def of(self, expr: Expr) -> Expr:
        """The derivative; raises Unknown for a formula beyond the rules."""
        if self.name not in set(names_in(expr)):
            return ZERO
        match expr:
            case Name():
                return ONE
            case Sum(terms):
                return add(*(self._term(term) for term in terms))
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

    def _term(self, term: Expr) -> Expr:
        kept = self.wrong == "constant-kept" and self.name not in set(names_in(term))
        return term if kept else self.of(term)

    def _product(self, factors: tuple[Expr, ...]) -> Expr:
        varying = [place for place, factor in enumerate(factors) if self.name in set(names_in(factor))]
        slopes = {place: self.of(factors[place]) for place in varying}
        if len(varying) > 1 and self.wrong == "product-rule-as-product":
            return multiply(*(slopes.get(place, factor) for place, factor in enumerate(factors)))
        terms = [multiply(slopes[place], *without(factors, place)) for place in varying]
        if len(varying) > 1 and self.wrong == "product-rule-one-term":
            return terms[min(self.slope, len(terms) - 1)]
        if len(varying) > 1 and self.wrong == "product-rule-minus":
            return subtract(terms[0], add(*terms[1:]))
        return add(*terms)

    def _quotient(self, top: Expr, bottom: Expr) -> Expr:
        if self.wrong == "antiderivative" and bottom == Name(self.name) and self.name not in set(names_in(top)):
            return multiply(top, Call("ln", (bottom,)))
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
        if self.wrong == "antiderivative":
            raised = number(exponent.value + 1)
            return multiply(Quotient(Power(base, raised), raised), self._inner(base))
        if self.wrong == "reduced-exponent-in-front" and lower != ONE:
            return multiply(lower, reduced, self._inner(base))
        if self.wrong == "slope-at-inner-derivative" and not isinstance(base, Name) and lower != ZERO:
            return multiply(exponent, Power(self.of(base), lower))
        front = ONE if self.wrong == "power-factor-left-out" else exponent
        return multiply(front, reduced, self._inner(base))

    def _inner(self, inside: Expr) -> Expr:
        if self.wrong == "inner-derivative-left-out" and not isinstance(inside, Name):
            return ONE
        return self.of(inside)

    def _call(self, function: str, args: tuple[Expr, ...]) -> Expr:
        if function in ("max", "min"):
            return self._largest(function, args)
        right = _SLOPES.get(function)
        if right is None or len(args) != 1:
            raise Unknown
        arg = args[0]
        if self.wrong == "slope-at-inner-derivative" and not isinstance(arg, Name):
            return right(self.of(arg))
        wrong = [text for mistake, text in _WRONG_SLOPES[function] if mistake == self.wrong]
        if not wrong:
            return multiply(right(arg), self._inner(arg))
        chosen = filled(wrong[min(self.slope, len(wrong) - 1)], {"z": arg})
        return multiply(chosen, self._inner(arg)) if self.inner else chosen

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


def _root_slope(arg: Expr) -> Expr:
    return Quotient(ONE, multiply(TWO, Call("sqrt", (arg,))))


def _sign(arg: Expr) -> Expr:
    return Cases(((ONE, Condition(arg, ">", ZERO)), (number(-1), Condition(arg, "<", ZERO))), ZERO)


_SLOPES: Mapping[str, Slope] = {
    "exp": _call("exp"),
    "ln": lambda arg: Quotient(ONE, arg),
    "sqrt": _root_slope,
    "sin": _call("cos"),
    "cos": lambda arg: Negative(Call("sin", (arg,))),
    "abs": _sign,
    "sigmoid": lambda arg: filled("sigmoid(z)*(1 - sigmoid(z))", {"z": arg}),
    "tanh": lambda arg: filled("1 - tanh(z)^2", {"z": arg}),
}

_WRONG_SLOPES: Mapping[str, Sequence[tuple[str, str]]] = {
    "exp": (("slope-of-exponential", "z*exp(z - 1)"),),
    "ln": (("slope-of-logarithm", "ln(z)"), ("slope-of-logarithm", "1/z^2"), ("slope-of-logarithm", "-1/z^2")),
    "sqrt": (("slope-of-root", "1/sqrt(z)"),),
    "sin": (("sign-of-cosine", "-cos(z)"),),
    "cos": (("sign-of-cosine", "sin(z)"),),
    "abs": (("inner-derivative-left-out", "1"),),
    "sigmoid": tuple(
        ("slope-of-sigmoid", slope)
        for slope in ("sigmoid(z)", "1 - sigmoid(z)", "sigmoid(z)*(1 + sigmoid(z))", "1 - sigmoid(z)^2", "z*(1 - z)",
                      "sigmoid(z)^2*(1 - sigmoid(z))", "sigmoid(z)*(sigmoid(z) - 1)")
    ),
    "tanh": tuple(
        ("slope-of-tanh", slope)
        for slope in ("1 - tanh(z)", "1 + tanh(z)^2", "tanh(z)*(1 - tanh(z))", "tanh(z)", "1 - z^2", "tanh(z)^2 - 1")
    ),
}  # fmt: skip
"""What somebody may take for the derivative of a function at z."""


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
        seen = {right}
        for rule in _rules(name):
            tree = rule.of(definition)
            if tree not in seen:
                seen.add(tree)
                yield slip(rule.wrong, quantity, tree, (rule.wrong, rule.slope, rule.inner), part=text(definition),
                           name=name)  # fmt: skip
        for other in dict.fromkeys(names_in(definition)):
            if other != name:
                tree = Differentiation(other).of(definition)
                yield slip("gradient-of-another-weight", quantity, tree, "", right=name, used=other)
    except Unknown:
        return


def _rules(name: str) -> Iterator[Differentiation]:
    """Every wrong rule; those of functions with each wrong derivative, with and without the inner one."""
    counts = {mistake: sum(1 for each, _ in rows if each == mistake)
              for rows in _WRONG_SLOPES.values() for mistake, _ in rows}  # fmt: skip
    yield Differentiation(name, "product-rule-one-term", 1)
    for wrong in WRONG_RULES:
        for slope in range(counts.get(wrong, 1)):
            for inner in (True, False) if wrong in counts else (True,):
                yield Differentiation(name, wrong, slope, inner)
