"""What follows from a graph: every gradient by the chain rule, every update.

A derivation is a walk that orders and sums; it knows no mathematics.  The derivative of a node with respect to its own
parent is SymPy's, taken once per shape, or the textbook form that the node brings along.
Each quantity is defined by quantities before it, so showing, evaluating and checking are one evaluation each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from derive.calculus.symbolic import partial
from derive.catalogue.recipes import Recipe
from derive.derivation.graph import SERIES_FROM, Graph, Node
from derive.derivation.updating import Updates
from derive.formula.expression import ONE, ZERO, Expr, Name, Number, Product, Quotient, Series, add, multiply
from derive.problem.rule import UpdateRule

Rule = Literal[
    "given", "weighted-sum", "activation", "softmax", "loss", "loss-part", "total", "penalty", "definition",
    "local-derivative", "chain", "sum-over-paths", "cancellation", "zero", "update", "alias",
]  # fmt: skip


MOST_SHOWN = 4
"""A cancellation over more outputs is shown without the sum that it comes from."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity: what it is by definition, and how it may be written before that.

    `forms` are equal expressions that a derivation shows before the definition, most general first.
    """

    name: str
    rule: Rule
    definition: Expr | None
    forms: tuple[Expr, ...] = ()
    node: Node | None = None


def derivative_name(top: str, bottom: str) -> str:
    return f"d{top}/d{bottom}"


def split_derivative(name: str) -> tuple[str, str] | None:
    """("E", "w5") for "dE/dw5"; None for a name that is no derivative, and for df1/dz2(1,2,3), a node of its own."""
    top, slash, bottom = name.partition("/d")
    is_derivative = slash and bottom and top.startswith("d") and len(top) > 1
    return (top[1:], bottom) if is_derivative and not bottom.endswith(")") else None


class Derivation:
    """Every quantity of a graph by name, derived when asked for and then kept.

    cancel    let output activation and loss cancel (out − target) instead of going through the whole Jacobian
    update    parameters that are not `frozen` are updated; each then has a quantity `…_new`
    rule      how they are updated: by gradient descent where nothing is said
    """

    def __init__(
        self,
        graph: Graph,
        *,
        cancel: bool = True,
        update: bool = False,
        frozen: Collection[str] = (),
        rule: UpdateRule | None = None,
    ) -> None:
        self.graph = graph
        self.cancel = cancel
        self._update = update and graph.root is not None
        self._frozen = frozenset(frozen)
        rule = rule or UpdateRule(Recipe(), ONE)
        self.updates = Updates(rule, self._slope, self.is_updated, self._is_node, self.updated)
        self._made: dict[str, Quantity] = {}
        self._above: dict[str, frozenset[str]] = {}

    def is_updated(self, name: str) -> bool:
        """Whether an update changes the parameter of that name."""
        if not self._update or name in self._frozen:
            return False
        if not self._is_node(name):
            return False
        node = self.graph.node(name)
        return node.rule == "given" and node.parameter

    def updates_anything(self) -> bool:
        return any(self.is_updated(name) for name in self.graph.leaves()) if self._update else False

    def updated(self) -> tuple[str, ...]:
        """Every parameter that an update changes."""
        return tuple(name for name in self.graph.leaves() if self.is_updated(name))

    def is_carried(self, name: str) -> bool:
        """Whether an update gives the name a new value: a parameter, a state, what the rule computes on its way."""
        return self.is_updated(name) or (self._update and self.updates.carries(name))

    def knows(self, name: str) -> bool:
        """Whether a name is a state, a number or a counter of the update rule."""
        return self._update and self.updates.knows(name)

    def known(self, name: str, step: int) -> Number | None:
        """What the update rule says of a name after so many updates, without an evaluation."""
        return self.updates.number(name, step) if self._update else None

    def computed(self, parameters: Iterable[str]) -> tuple[str, ...]:
        """What an update computes, in order: for all parameters together, then for each of these, itself last."""
        return tuple(self.updates.computed(parameters))

    def remembered(self) -> tuple[str, ...]:
        """What the next update starts from: parameters and states."""
        parameters = self.updated()
        return (*parameters, *self.updates.remembered(parameters))

    def quantity(self, name: str) -> Quantity:
        """The quantity of that canonical name; KeyError when there is none."""
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name)
        return made

    def _make(self, name: str) -> Quantity:
        if pair := split_derivative(name):
            return self._derivative(name, *pair)
        if name.endswith("_new") and self.is_carried(name.removesuffix("_new")):
            return Quantity(name, "update", self.updates.definition(name.removesuffix("_new")))
        if self.knows(name):
            return Quantity(name, "given", None)
        if name.startswith("delta_") and self.graph.root and not self._is_node(name):
            net = "net_" + name.removeprefix("delta_")
            self.graph.node(net)
            return Quantity(name, "alias", Name(derivative_name(self.graph.root, net)))
        node = self.graph.node(name)
        return Quantity(name, node.rule, node.definition, node=node)

    def _is_node(self, name: str) -> bool:
        try:
            self.graph.node(name)
        except KeyError:
            return False
        return True

    def _slope(self, parameter: str) -> str:
        assert self.graph.root is not None
        return derivative_name(self.graph.root, parameter)

    # --- the chain rule ----------------------------------------------------------------------------------------

    def _derivative(self, name: str, top: str, bottom: str) -> Quantity:
        graph = self.graph
        graph.node(top), graph.node(bottom)
        if top == bottom:
            return Quantity(name, "local-derivative", ONE)
        through = [child for child in graph.children(bottom) if child == top or self._depends(top, child)]
        if not through:
            return Quantity(name, "zero", ZERO)
        if through == [top]:
            node = graph.node(top)
            return Quantity(name, "local-derivative", self.local(node, bottom), node=node)
        if self.cancel and (short := self._cancelled(name, top, bottom)):
            return short
        return self._chain(name, top, bottom, through)

    def _cancelled(self, name: str, top: str, bottom: str) -> Quantity | None:
        found = self.graph.cancellation(bottom)
        if found is None or not (found[0] == top or self._depends(top, found[0])):
            return None
        loss, slope = found
        factors = self._factors_to(top, loss)
        resolved = multiply(*(self._resolved(factor) for factor in factors), slope)
        through = [child for child in self.graph.children(bottom) if self._depends(top, child)]
        long = (add(*self._terms(top, bottom, through)),) if len(through) <= MOST_SHOWN else ()
        return Quantity(name, "cancellation", resolved, long)

    def _chain(self, name: str, top: str, bottom: str, through: list[str]) -> Quantity:
        if len(through) >= SERIES_FROM and (general := self.graph.general_fork(bottom)):
            series = Series(
                "k", len(through), general, lambda k: self._short(self._terms(top, bottom, [through[k - 1]])[0])
            )
            return Quantity(name, "sum-over-paths", series)
        terms = self._terms(top, bottom, through)
        if len(terms) == 1:
            return Quantity(name, "chain", terms[0])
        short = tuple(self._short(term) for term in terms)
        return Quantity(name, "sum-over-paths", add(*short), (add(*terms),))

    def _terms(self, top: str, bottom: str, through: list[str]) -> list[Expr]:
        """One product for each child that the paths from `bottom` to `top` go through."""
        terms = []
        for child in through:
            node = self.graph.node(child)
            if child == top:
                terms.append(self.local(node, bottom))
                continue
            factors = self._factors_to(top, child)
            if self.graph.node(bottom).definition is None and len(through) == 1:
                factors = [part for factor in factors for part in self._unfolded(factor)]
            terms.append(multiply(*factors, self._edge(child, bottom)))
        return terms

    def _edge(self, child: str, bottom: str) -> Expr:
        """∂child/∂bottom along their edge alone: by name, or itself where the name means further paths too.

        In a network that is so for a parameter that is used in several layers.
        """
        if not self.graph.all_lead_to_root or self.graph.node(bottom).parameter:
            others = (other for other in self.graph.children(bottom) if other != child)
            if any(self._depends(child, other) for other in others):
                return self.local(self.graph.node(child), bottom)
        return Name(derivative_name(child, bottom))

    def _factors_to(self, top: str, child: str) -> list[Name]:
        """∂top/∂child as a factor, none where it is 1 because `top` is a plain sum of such nodes."""
        child = self._above_sums(top, child)
        if child == top:
            return []
        slope = Name(derivative_name(top, child))
        return [] if self.quantity(slope.name).definition == ONE else [slope]

    def _above_sums(self, top: str, child: str) -> str:
        """The node itself, or the plain sum above it that changes as it does: E[1] for its part E_o1[1]."""
        while child != top:
            above = [node for node in self.graph.children(child) if node == top or self._depends(top, node)]
            if len(above) != 1 or self.graph.node(above[0]).rule != "total":
                break
            if self.local(self.graph.node(above[0]), child) != ONE:
                break
            child = above[0]
        return child

    def _unfolded(self, factor: Name) -> list[Name]:
        """A factor as the chain that it stands for, as long as there is one path only."""
        quantity = self.quantity(factor.name)
        if quantity.rule != "chain" or not isinstance(quantity.definition, Product):
            return [factor]
        names = [part for part in quantity.definition.factors if isinstance(part, Name)]
        return [inner for part in names for inner in self._unfolded(part)]

    def _short(self, term: Expr) -> Expr:
        """A term of a sum over paths with δ for ∂E/∂net and weights for ∂net/∂out."""
        if isinstance(term, Product):
            return multiply(*(self._short(factor) for factor in term.factors))
        return self._delta(term) if isinstance(term, Name) else term

    def _delta(self, factor: Name) -> Expr:
        pair = split_derivative(factor.name)
        if pair and pair[0] == self.graph.root and pair[1].startswith("net_"):
            return Name("delta_" + pair[1].removeprefix("net_"))
        return self._resolved(factor)

    def _resolved(self, factor: Name) -> Expr:
        """The definition of a local derivative where that is short enough to stand in a line, else the factor."""
        quantity = self.quantity(factor.name)
        penalty = quantity.node is not None and quantity.node.rule == "penalty"
        short = penalty or isinstance(quantity.definition, Name | Number | Quotient)
        plain = quantity.rule == "local-derivative" and short
        return quantity.definition if plain and quantity.definition is not None else factor

    def local(self, node: Node, parent: str) -> Expr:
        """The derivative of a node's own definition with respect to one parent, the others held fixed."""
        for name, slope in node.textbook:
            if name == parent:
                return slope
        assert node.definition is not None
        return partial(node.terms_with(parent) if node.terms_with else node.definition, parent)

    def _depends(self, top: str, name: str) -> bool:
        if top == self.graph.root and self.graph.all_lead_to_root:
            return bool(self.graph.children(name))
        if _beside(self.graph.node(top), self.graph.node(name)):
            return False
        above = self._above.get(top)
        if above is None:
            above = self._above[top] = frozenset(self._ancestors(top))
        return name in above

    def _ancestors(self, top: str) -> Iterator[str]:
        seen = {top}
        stack = [top]
        while stack:
            for parent in self.graph.parents(stack.pop()):
                if parent not in seen:
                    seen.add(parent)
                    stack.append(parent)
                    yield parent


def _beside(one: Node, other: Node) -> bool:
    """Whether two nodes stand beside each other in a layer, where no path leads from one to the other."""
    return one.layer > 0 and (one.layer, one.rule) == (other.layer, other.rule)
