"""The graph of predictions against targets: each output's part, the loss of each sample, the loss of the batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property

from derive.calculus.loss_terms import LossTerms
from derive.calculus.rules import rational, read_once
from derive.derivation.graph import Node
from derive.derivation.network import loss_cancelled, loss_factor, loss_slopes, tidy
from derive.formula.expression import (
    ONE,
    ZERO,
    Call,
    Expr,
    Name,
    Negative,
    Number,
    Product,
    Quotient,
    Sum,
    add,
    multiply,
    names_in,
    number,
    rebuild,
    replace_names,
)
from derive.problem.loss import LossSetting


class LossGraph:
    """The nodes o1, … (where an activation makes them), E_o1, …, E[k] and E."""

    def __init__(self, setting: LossSetting, given: Mapping[str, Number] | None = None) -> None:
        self.setting = setting
        self.given = given or {}

    @property
    def root(self) -> str | None:
        return "E"

    @property
    def all_lead_to_root(self) -> bool:
        return False

    @property
    def has_parts(self) -> bool:
        """Whether the loss of a sample is the sum of named parts, one for each output."""
        return self.setting.outputs > 1 and not self.setting.loss.whole

    def terms(self, suffix: str) -> LossTerms:
        """The loss of the sample with that suffix in its targets and outputs."""
        targets = [Name(name) for name in self.setting.names("t", suffix)]
        outputs = [Name(name) for name in self.setting.names("o", suffix)]
        return LossTerms(self.setting.loss, targets, outputs, f"E{suffix}")

    # --- nodes ---------------------------------------------------------------------------------------------------

    @cached_property
    def _nodes(self) -> dict[str, Node]:
        made = [node for suffix in self.setting.suffixes() for node in self._of_sample(suffix)]
        if self.setting.samples > 1:
            made.append(Node("E", "total", self._over_samples()))
        return {node.name: node for node in made}

    def _of_sample(self, suffix: str) -> Iterator[Node]:
        setting, terms = self.setting, self.terms(suffix)
        positions = range(1, setting.outputs + 1)
        if setting.activation is not None:
            yield from (self._output(position, suffix) for position in positions)
        if setting.loss.whole:
            slopes = tuple((name, self._known(slope)) for name, slope in loss_slopes(terms, positions))
            yield Node(f"E{suffix}", "loss", self._known(tidy(terms.whole())), textbook=slopes)
            return
        if not self.has_parts:
            yield Node(f"E{suffix}", "loss", tidy(terms.part(1)), textbook=self._slope(terms, 1))
            return
        for position in positions:
            name = f"E_o{position}{suffix}"
            yield Node(name, "loss-part", tidy(terms.part(position)), textbook=self._slope(terms, position))
        parts = add(*(Name(f"E_o{position}{suffix}") for position in positions))
        yield Node(f"E{suffix}", "total", multiply(loss_factor(setting.loss, setting.outputs), parts))

    def _output(self, position: int, suffix: str) -> Node:
        row = self.setting.activation
        assert row is not None
        name = f"o{position}{suffix}"
        inputs = [Name(other) for other in self.setting.names("z", suffix)]
        own = inputs[position - 1]
        if row.vector:
            outputs = [Name(other) for other in self.setting.names("o", suffix)]
            slope, places = row.vector.slope, enumerate(inputs)
            slopes = tuple((one.name, slope(position - 1, j, outputs)) for j, one in places) if slope else ()
            definition = row.vector.output(position - 1, inputs)
            return Node(name, "softmax", definition, activation=row, textbook=slopes)
        names: dict[str, Expr] = {"z": own, "a": Name(name), **dict(row.parameters)}
        if row.name == "custom":
            definition = replace_names(read_once(row.formula), names)
        else:
            definition = Call(row.function, (own, *(value for _, value in row.parameters)))
        textbook = ((own.name, tidy(replace_names(read_once(row.derivative), names))),) if row.derivative else ()
        return Node(name, "activation", definition, activation=row, textbook=textbook)

    def _slope(self, terms: LossTerms, position: int) -> tuple[tuple[str, Expr], ...]:
        """The textbook slope; at an output of exactly 0 or 1 the one for this target, where there is one."""
        target, output = terms.targets[position - 1], terms.outputs[position - 1]
        assert isinstance(target, Name)
        assert isinstance(output, Name)
        given, at = self.given.get(target.name), self.given.get(output.name)
        if given is not None and at is not None and at.value in (0, 1):
            for edge, slope in terms.loss.edges:
                if given.value == int(edge):
                    return ((output.name, tidy(terms.of(slope, position))),)
        return loss_slopes(terms, (position,))

    def _known(self, expr: Expr) -> Expr:
        """A formula over all outputs with targets that are 0 or 1 put in, where every target is."""
        values = [self.given.get(name) for name in self.targets]
        if not all(value is not None and value.value in (0, 1) for value in values):
            return expr
        return folded(replace_names(expr, {name: self.given[name] for name in self.targets}))

    def _over_samples(self) -> Expr:
        total = add(*(Name(f"E{suffix}") for suffix in self.setting.suffixes()))
        if self.setting.reduction == "sum":
            return total
        return Product((Quotient(ONE, number(self.setting.samples)), total))

    # --- what a derivation asks ------------------------------------------------------------------------------------

    def node(self, name: str) -> Node:
        if name in self._nodes:
            return self._nodes[name]
        if name in self.leaves() or name in self.targets:
            return Node(name, "given")
        raise KeyError(name)

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """t1, t2, … of every sample."""
        return tuple(name for suffix in self.setting.suffixes() for name in self.setting.names("t", suffix))

    def leaves(self) -> tuple[str, ...]:
        letter = self.setting.given_letter
        return tuple(name for suffix in self.setting.suffixes() for name in self.setting.names(letter, suffix))

    def parents(self, name: str) -> tuple[str, ...]:
        definition = self.node(name).definition
        if definition is None:
            return ()
        return tuple(dict.fromkeys(part for part in names_in(definition) if part in self._nodes))

    @cached_property
    def _children(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name, node in self._nodes.items():
            for part in dict.fromkeys(names_in(node.definition) if node.definition is not None else ()):
                found.setdefault(part, []).append(name)
        return {name: tuple(users) for name, users in found.items()}

    def children(self, name: str) -> tuple[str, ...]:
        return self._children.get(name, ())

    def cancellation(self, name: str) -> tuple[str, Expr] | None:
        """Sigmoid with binary cross-entropy, softmax with cross-entropy: ∂E/∂z = o − t (Bishop, PRML 4.3)."""
        row, loss = self.setting.activation, self.setting.loss
        if row is None or not loss.cancels or loss.cancels != row.function or name not in self.leaves():
            return None
        head, bracket, tail = name.partition("[")
        suffix = bracket + tail
        if row.vector and not self._targets_sum_to_one(suffix):
            return None
        return f"E{suffix}", loss_cancelled(self.terms(suffix), int(head[1:]))

    def _targets_sum_to_one(self, suffix: str) -> bool:
        """Symbolic targets are taken to be a distribution; a page says so."""
        given = [self.given.get(name) for name in self.setting.names("t", suffix)]
        known = [value.value for value in given if value is not None]
        return len(known) < len(given) or sum(known) == 1

    def general_fork(self, name: str) -> Expr | None:  # noqa: ARG002  # no layer here is large
        return None

    def forward(self) -> Iterator[str]:
        return iter(self._nodes)


def folded(expr: Expr) -> Expr:
    """The tree with what 0 and 1 make superfluous left out: (1 - 0)*o2 is o2, 0*o1 is 0; other numbers stay."""
    expr = rebuild(expr, folded)
    match expr:
        case Sum(terms):
            kept = [term for term in terms if rational(term) != 0]
            values = [rational(term) for term in kept]
            plain = [value for value in values if value in (1, -1)]
            return number(sum(plain, Fraction(0))) if len(plain) == len(kept) else add(*kept)
        case Product():
            return tidy(multiply(*expr.factors))
        case Negative(arg) if arg == ZERO:
            return ZERO
        case _:
            return expr
