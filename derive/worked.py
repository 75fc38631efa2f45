"""A worked example: a problem, what is derived from it, and its numbers.  Everything shown or judged starts here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from derive.derivation.chain_rule import Derivation, derivative_name
from derive.derivation.evaluate import Values
from derive.derivation.graph import Graph, sample_suffix
from derive.derivation.kinds import graph_of, known_values
from derive.derivation.names import Reference, resolve
from derive.derivation.network import NetworkGraph
from derive.derivation.steps import Section, forward_sections, sections, selected
from derive.errors import DeriveError
from derive.formula.expression import Expr, Name, is_plain, is_step, names_in, number
from derive.formula.grammar import write
from derive.numbers.exact import Real
from derive.problem.model import Problem
from derive.problem.rule import UpdateRule

if TYPE_CHECKING:
    from derive.pages.render import Dialect, Look


@dataclass(frozen=True, slots=True)
class Options:
    """What is derived and shown.

    cancel   let output activation and loss cancel to out − target; False goes through the whole Jacobian
    whole    leave out nothing of a large network
    expand   write every Σ out
    paths    list each path of a gradient that sums over several
    only     the quantities to show; empty: everything
    forward  the forward pass only
    collapse only what stacks of linear layers amount to
    """

    cancel: bool = True
    whole: bool = False
    expand: bool = False
    paths: bool = False
    only: tuple[str, ...] = ()
    forward: bool = False
    collapse: bool = False


class WorkedExample:
    """A problem with its derivation and values; displays itself in Jupyter."""

    def __init__(self, problem: Problem, options: Options | None = None) -> None:
        self.problem = problem
        self.options = options or Options()

    @cached_property
    def graph(self) -> Graph:
        """The graph of the problem; raises DeriveError for a typed derivative that is not the derivative."""
        return graph_of(self.problem)

    @cached_property
    def derivation(self) -> Derivation:
        update = self.problem.update
        frozen = update.frozen if update else ()
        rule = UpdateRule(update.recipe, update.learning_rate) if update else None
        cancel = self.options.cancel
        return Derivation(self.graph, cancel=cancel, update=update is not None, frozen=frozen, rule=rule)

    @cached_property
    def values(self) -> Values:
        """The values before any update."""
        given: dict[str, Real] = {name: number.value for name, number in self.problem.given.items()}
        if self.problem.update:
            given["eta"] = self.problem.update.learning_rate.value
        given |= known_values(self.graph)
        return Values(self.derivation, given, self.problem.rounding)

    @cached_property
    def _later(self) -> dict[int, Values]:
        return {0: self.values}

    def values_after(self, step: int) -> Values:
        """The values with the parameters after so many updates."""
        if step not in self._later:
            self._later[step] = self.values.after(step)
        return self._later[step]

    @cached_property
    def sections(self) -> list[Section]:
        """The steps, in the order of a page."""
        if self.options.only:
            return selected(self.derivation, [self._shown_as(name) for name in self.options.only])
        if self.options.forward:
            return forward_sections(self.derivation, whole=self.options.whole)
        return sections(self.derivation, whole=self.options.whole)

    def _shown_as(self, name: str) -> str:
        found = self.shown_by(name)
        if found is None:
            raise DeriveError(f"{name} has a value but no derivation; accepted: a quantity that is derived, dE/d{name}")
        return found

    def shown_by(self, name: str) -> str | None:
        """The quantity whose derivation shows what was asked for: w5_new for w5@1; None for what is given and w5@3.

        Raises UnknownQuantity.
        """
        found = self.find(name)
        if found.step:
            updated = found.step == 1 and self.derivation.is_carried(found.name)
            return f"{found.name}_new" if updated else None
        given = found.name == "eta" or self.derivation.quantity(found.name).definition is None
        return None if given else found.name

    # --- single quantities ---------------------------------------------------------------------------------------

    def find(self, name: str) -> Reference:
        """The quantity that a name means, read leniently; raises UnknownQuantity."""
        return resolve(name, self.derivation)

    def _at(self, name: str) -> tuple[Values, str]:
        reference = self.find(name)
        return self.values_after(reference.step), reference.name

    def value(self, name: str) -> float | None:
        """The double nearest to the true value; None where a symbol has no number."""
        values, found = self._at(name)
        return values.double(found)

    def exact(self, name: str) -> Fraction | None:
        """The value as a rational, where it is one."""
        values, found = self._at(name)
        return values.exact(found)

    def shown(self, name: str) -> str | None:
        """The number as the page prints it."""
        values, found = self._at(name)
        return values.shown(found)

    def has_numbers(self) -> bool:
        """Whether anything that is derived has a number."""
        first = next(iter(self.graph.forward()))
        return self.values.shown(first) is not None

    # --- what a line shows ---------------------------------------------------------------------------------------

    def written(self, name: str, values: Values | None = None) -> str | None:
        """The number that stands for a name in a substituted line: as given, else as displayed."""
        values = values or self.values
        source = self._source(name)
        if not isinstance(source, str):
            return write(source)
        if values.step and self.derivation.is_carried(source):
            return values.shown(source)
        if source == "eta" and self.problem.update:
            return self.problem.update.learning_rate.written
        given = self.problem.given.get(source) or self.derivation.known(source, values.step)
        return given.written if given else values.shown(source)

    def _source(self, name: str) -> str | Expr:
        """Where a quantity that is just another one comes from; the constant where it is one."""
        while name not in self.problem.given and name != "eta":
            definition = self.derivation.quantity(name).definition
            if definition is not None and is_step(definition) and (label := self.values.exact(name)) is not None:
                return number(label)
            if definition is None or not is_plain(definition):
                break
            if not isinstance(definition, Name):
                return definition
            name = definition.name
        return name

    def is_rounded(self, name: str) -> bool:
        """Whether the displayed number of a quantity is not its value."""
        text = self.written(name)
        if text is None:
            return False
        return self.values.exact(name) != Fraction(text)

    def reproducible(self, name: str) -> bool:
        """Whether the printed operands of a line give its printed result."""
        definition = self.derivation.quantity(name).definition
        if definition is None or is_plain(definition) or self.values.shown(name) is None:
            return True
        return self.values.recomputed(name, self._operands(definition)) == self.values.shown(name)

    def _operands(self, definition: Expr) -> dict[str, Real]:
        texts = {name: self.written(name) for name in names_in(definition)}
        return {name: Fraction(text) for name, text in texts.items() if text is not None}

    # --- pages ---------------------------------------------------------------------------------------------------

    def page(self, look: Look) -> str:
        """The page in any format (see `derive.pages.render`)."""
        from derive.pages.render import render

        return render(self, look)

    def text(self, *, ascii: bool = False) -> str:
        """The page for a terminal."""
        from derive.pages.render import Look

        return self.page(Look("text", ascii=ascii))

    def markdown(self, *, dialect: Dialect = "github") -> str:
        """The page in Markdown; dialect "github" or "dollar"."""
        from derive.pages.render import Look

        return self.page(Look("markdown", dialect=dialect))

    def latex(self, *, fragment: bool = False) -> str:
        r"""The page as a LaTeX document, or as a fragment to \input."""
        from derive.pages.render import Look

        return self.page(Look("latex", fragment=fragment))

    def json(self) -> dict[str, Any]:
        """The worked example as data: every quantity, every step."""
        if self.options.collapse:
            from derive.stack_data import stacks_as_data

            return stacks_as_data(self)
        from derive.data import as_data

        return as_data(self)

    def _repr_markdown_(self) -> str:
        return self.markdown(dialect="dollar")

    def __str__(self) -> str:
        return self.text()


def quantity_names(example: WorkedExample) -> Iterator[str]:
    """Every quantity of a problem, forward pass first: nodes, gradients, local derivatives, updates."""
    graph, derivation = example.graph, example.derivation
    order = list(graph.forward())
    yield from order
    if graph.root is None:
        return
    yield from dict.fromkeys(_derivatives(graph, order, graph.root))
    yield from (f"{name}_new" for name in derivation.computed(derivation.updated()))


def _derivatives(graph: Graph, order: Iterable[str], root: str) -> Iterator[str]:
    order = list(order)
    yield from (derivative_name(root, name) for name in reversed(order) if name != root)
    yield from (derivative_name(root, name) for name in graph.leaves() if graph.children(name))
    if isinstance(graph, NetworkGraph):
        yield from _of_inputs_and_parts(graph, order)
    for name in reversed(order):
        definition = graph.node(name).definition
        parts = dict.fromkeys(names_in(definition)) if definition is not None else {}
        yield from (derivative_name(name, part) for part in parts if name != root)


def _of_inputs_and_parts(graph: NetworkGraph, order: Iterable[str]) -> Iterator[str]:
    """dE/dx1, and what each part of the loss contributes at a hidden output that feeds several: dE_o1/dout_h1."""
    network = graph.network
    samples = [sample_suffix(sample) for sample in graph.samples]
    yield from (derivative_name("E", name + suffix) for suffix in samples for name in network.inputs)
    parts = [name for name in order if graph.node(name).rule == "loss-part"]
    hidden = [f"out_{neuron}" for layer in network.layers[:-1] for neuron in layer.neurons]
    for part in parts:
        suffix = sample_suffix(graph.node(part).sample)
        yield from (derivative_name(part, name + suffix) for name in hidden)
