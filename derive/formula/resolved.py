"""The formula of a quantity in names of the forward pass alone, so that it can be read without the derivation."""

from __future__ import annotations

from derive.derivation.chain_rule import Derivation, split_derivative
from derive.formula.expression import (
    Expr,
    Name,
    Product,
    Sum,
    add,
    children,
    multiply,
    names_in,
    rebuild,
    replace_names,
)

SHORT = 60
"""A formula with at most so many nodes is written out in names of the forward pass."""

LONGEST = 200
"""A formula that has more nodes even with δ as names is left as its definition has it."""


class Formulas:
    """Writes gradients out: dE/dw5 becomes (out_o1 - y)*out_o1*(1 - out_o1)*out_h1."""

    def __init__(self, derivation: Derivation) -> None:
        self._derivation = derivation
        self._root = derivation.graph.root

    def formula(self, name: str, step: int = 0) -> Expr | None:
        """The formula of a canonical name after so many updates; None for what is given.

        Derivatives are written out; where that takes more than `SHORT` nodes, δ stays a name (delta_o1).
        """
        if step and self._derivation.is_carried(name):
            return self.formula(f"{name}_new", step - 1)
        if name == "eta":
            return None
        definition = self._derivation.quantity(name).definition
        if definition is None:
            return Name(name) if step else None
        return self._at(self._written_out(definition), step)

    def _written_out(self, definition: Expr) -> Expr:
        for keep_deltas, most in ((False, SHORT), (True, LONGEST)):
            if self._fits(definition, keep_deltas, most):
                return self._expanded(definition, keep_deltas)
        return definition

    def _inside(self, name: str, keep_deltas: bool) -> Expr | None:
        """What stands for a name in a formula that is written out; None where the name stays."""
        pair = split_derivative(name)
        if pair is None and name.endswith(")"):
            return self._derivation.quantity(name).definition
        if pair is None:
            is_alias = name.startswith("delta_") and self._derivation.quantity(name).rule == "alias"
            return self._derivation.quantity(name).definition if is_alias and not keep_deltas else None
        if keep_deltas and pair[0] == self._root and pair[1].startswith("net_"):
            return Name("delta_" + pair[1].removeprefix("net_"))
        return self._derivation.quantity(name).definition

    def _fits(self, definition: Expr, keep_deltas: bool, most: int) -> bool:
        """Whether the written-out formula has at most so many nodes; stops counting there."""
        count, stack = 0, [definition]
        while stack and count <= most:
            part = stack.pop()
            inside = self._inside(part.name, keep_deltas) if isinstance(part, Name) else None
            if inside is not None:
                stack.append(inside)
                continue
            count += 1
            stack.extend(children(part))
        return count <= most

    def _expanded(self, expr: Expr, keep_deltas: bool) -> Expr:
        if isinstance(expr, Name):
            inside = self._inside(expr.name, keep_deltas)
            return expr if inside is None else self._expanded(inside, keep_deltas)
        return _flat(rebuild(expr, lambda part: self._expanded(part, keep_deltas)))

    def _at(self, expr: Expr, step: int) -> Expr:
        """The formula with the names that an update changes marked with the step: w5@2, out_h1@2."""
        if not step:
            return expr
        return replace_names(expr, {name: self._name_at(name, step) for name in set(names_in(expr))})

    def _name_at(self, name: str, step: int) -> Expr:
        base = name.removesuffix("_new")
        if base != name and self._derivation.is_carried(base):
            return Name(f"{base}@{step + 1}")
        if self._derivation.is_carried(name):
            return Name(f"{name}@{step}")
        if name == "eta":
            return Name(name)
        counted = self._derivation.known(name, step)
        if counted is not None and counted != self._derivation.known(name, 0):
            return counted
        return Name(name) if self._derivation.quantity(name).definition is None else Name(f"{name}@{step}")


def _flat(expr: Expr) -> Expr:
    """A product of products, a sum of sums, without the inner brackets."""
    if isinstance(expr, Product):
        inner = (part.factors if isinstance(part, Product) else (part,) for part in expr.factors)
        return multiply(*(factor for factors in inner for factor in factors))
    if isinstance(expr, Sum):
        nested = (part.terms if isinstance(part, Sum) else (part,) for part in expr.terms)
        return add(*(term for terms in nested for term in terms))
    return expr
