"""A page as a list of blocks, in the order of reading: what is given, what is derived, what has changed."""

from __future__ import annotations

from collections.abc import Iterator

from derive.derivation.chain_rule import Quantity, derivative_name, split_derivative
from derive.derivation.graph import split_sample
from derive.derivation.network import NetworkGraph
from derive.derivation.steps import Line, Section, Step
from derive.formula.expression import Expr, Name, Product, is_plain
from derive.pages.blocks import Block, Equation, bullets, equations, figure, heading, paragraph
from derive.pages.conventions import conventions
from derive.pages.equations import Equations
from derive.pages.given import given_table, shapes_table
from derive.pages.lessons import slopes
from derive.pages.prose import Prose
from derive.pages.summary import summary
from derive.pages.writers import Writer
from derive.worked import WorkedExample


class Page:
    """Builds the blocks of one worked example in one way of writing; for the widths see `Equations`."""

    def __init__(
        self, example: WorkedExample, writer: Writer, width: int, line_width: int, language: str = "en"
    ) -> None:
        self._example = example
        self._writer = writer
        self._width = width
        self._prose = Prose(writer, language)
        self._equations = Equations(example, writer, width, line_width)
        self._marked = False
        self._said: set[str] = set()

    def blocks(self) -> list[Block]:
        """The whole page."""
        problem, graph = self._example.problem, self._example.graph
        network = graph if isinstance(graph, NetworkGraph) else None
        body = [block for part in self._parts(network) for block in part]
        found = [heading(1, self._writer.escape(self._prose.translated(problem.title)))]
        found += [paragraph(self._writer.escape(self._prose.translated(text))) for text in problem.prose.values()]
        found.append(figure(self._figure_text(network)))
        given = given_table(self._example, self._prose, self._writer)
        if given:
            found += [self._heading(2, "given"), given]
        if network and (network.network.samples > 1 or not self._example.has_numbers()):
            note = paragraph(self._prose.say("given", "shapes_note"))
            found += [self._heading(2, "shapes"), shapes_table(network, self._writer), note]
        known = conventions(self._example, self._prose, self._writer)
        if self._marked:
            known.append(self._prose.say("conventions", "mark"))
        if known:
            found += [self._heading(2, "conventions"), bullets(*known)]
        return [*found, *body]

    def _heading(self, level: int, key: str, **words: object) -> Block:
        return heading(level, self._prose.say("headings", key, **words))

    def _figure_text(self, network: NetworkGraph | None) -> str:
        if network is None:
            return self._prose.say("figure", "graph")
        return self._prose.say("figure", "network", sizes="-".join(str(size) for size in network.network.sizes()))

    def _parts(self, network: NetworkGraph | None) -> Iterator[Iterator[Block]]:
        last = ""
        for section in self._example.sections:
            group = {"deltas": "backward"}.get(section.key, section.key)
            if group == "backward" != last and network:
                yield self._slopes(network)
            if group != last:
                yield iter([self._heading(2, group)])
            last = group
            yield self._section(section, network)
        if self._example.options.paths and self._example.graph.root:
            yield self._paths()
        whole = not self._example.options.only and not self._example.options.forward
        if network and not self._example.options.only and network.is_linear:
            from derive.pages.collapsed import scalar_collapse

            yield scalar_collapse(network, self._equations, self._prose, self._writer, self._width)
        if network and whole and self._example.problem.update and self._example.has_numbers():
            yield iter([self._heading(2, "result")])
            yield summary(self._example, network, self._prose, self._writer)

    def _slopes(self, network: NetworkGraph) -> Iterator[Block]:
        lessons = list(slopes(self._example, network, self._prose, self._writer, self._width))
        if lessons:
            yield self._heading(2, "slopes")
            yield from lessons

    # --- sections ------------------------------------------------------------------------------------------------

    def _section(self, section: Section, network: NetworkGraph | None) -> Iterator[Block]:
        if section.key in ("forward", "deltas", "backward") and network:
            yield self._layer_heading(section, network)
        if section.key in ("loss", "definitions", "gradients", "update"):
            several = network is not None and len(network.network.layers[-1].neurons) > 1
            yield paragraph(self._update_words(section.key) or self._prose.say("rules", section.key, several=several))
        if section.key == "forward" and network and (words := self._once(self._forward_words(section, network))):
            yield paragraph(words)
        if section.key in ("forward", "loss", "update", "definitions"):
            yield equations(*(self._equation(line) for step in section.steps for line in step.lines))
            return
        for step in section.steps:
            yield from self._derived(step, section)

    def _update_words(self, key: str) -> str:
        """The sentence before updates that are more than a step against the gradient."""
        rule = self._example.derivation.updates.rule
        if key != "update" or rule.is_plain:
            return ""
        return self._prose.say("optimizer", "network_update", title=rule.recipe.row.title)

    def _layer_heading(self, section: Section, network: NetworkGraph) -> Block:
        layers = len(network.network.layers)
        key = "sample_gradients" if section.key == "backward" and network.network.samples > 1 else "layer"
        last = section.layer == layers
        return self._heading(3, key, layer=section.layer, layers=layers, last=last, sample=section.sample)

    def _forward_words(self, section: Section, network: NetworkGraph) -> str:
        layer = network.network.layers[section.layer - 1]
        return self._prose.say("rules", "forward", bias=any(layer.biases), row=layer.activation.name)

    def _derived(self, step: Step, section: Section) -> Iterator[Block]:
        """A gradient with the factors that it needs, each with the sentence that says why."""
        quantity = self._example.derivation.quantity(step.target)
        if section.key == "selected":
            yield from self._announced(step, quantity)
        collected: list[Equation] = []
        for inner in step.steps:
            words = self._words(inner)
            if words and collected:
                yield equations(*collected)
                collected = []
            if words:
                yield paragraph(words)
            if inner.steps:
                yield from (block for block in self._derived(inner, Section("factors", ())))
            else:
                collected += [self._equation(line) for line in inner.lines]
        if collected:
            yield equations(*collected)
        words = self._words(step) if section.key != "factors" else ""
        if words:
            yield paragraph(words)
        yield equations(*(self._equation(line) for line in step.lines))

    def _announced(self, step: Step, quantity: Quantity) -> Iterator[Block]:
        """A gradient that was asked for begins with its whole chain."""
        yield heading(3, self._writer.quantity(step.target))
        if step.steps and quantity.rule in ("chain", "sum-over-paths"):
            yield paragraph(self._prose.say("rules", "chain"))
            yield equations(self._equations.equation(step.lines[0], numbers=False))
            yield paragraph(self._prose.say("rules", "factors"))

    def _equation(self, line: Line) -> Equation:
        found = self._equations.equation(line)
        self._marked = self._marked or found.marked
        return found

    def _once(self, words: str) -> str:
        """A sentence the first time, nothing when it has been said on this page."""
        if words in self._said:
            return ""
        self._said.add(words)
        return words

    # --- sentences -----------------------------------------------------------------------------------------------

    def _words(self, step: Step) -> str:
        """The sentence before a step; most steps speak for themselves."""
        pair = split_derivative(step.target)
        graph = self._example.graph
        if pair is None or not isinstance(graph, NetworkGraph) or graph.root is None:
            return ""
        top, bottom = pair
        quantity = self._example.derivation.quantity(step.target)
        if quantity.rule == "zero":
            return self._prose.say(
                "rules", "zero", top=self._writer.quantity(top), bottom=self._writer.quantity(bottom)
            )
        if top == graph.root and bottom.startswith("out_"):
            return self._out_words(quantity, bottom, graph)
        if bottom.startswith("net_") and top.startswith("out_") and not graph.layer_of(top).activation.vector:
            neuron = self._writer.escape(split_sample(bottom)[0].removeprefix("net_"))
            return self._prose.say("rules", "slope_of_activation", neuron=neuron)
        if top == graph.root and bottom.startswith("net_"):
            return self._net_words(quantity, bottom)
        if quantity.rule == "sum-over-paths" and graph.node(bottom).parameter:
            return self._shared_words(bottom, graph)
        return ""

    def _out_words(self, quantity: Quantity, out: str, graph: NetworkGraph) -> str:
        nets = graph.children(out)
        if not nets or not nets[0].startswith("net_"):
            neuron = self._writer.escape(split_sample(out)[0].removeprefix("out_"))
            return self._prose.say("rules", "slope_of_loss", neuron=neuron)
        words = {"out": self._writer.quantity(out), "root": self._writer.quantity("E")}
        if quantity.rule == "sum-over-paths":
            return self._prose.say("rules", "fork", n=len(nets), **words)
        return self._prose.say("rules", "one_way", next=self._writer.quantity(nets[0]), **words)

    def _net_words(self, quantity: Quantity, net: str) -> str:
        names = {"loss": self._writer.quantity("E"), "net": self._writer.quantity(net)}
        if quantity.rule == "cancellation":
            if "cancellation" in self._said:
                return ""
            self._said.add("cancellation")
            factor = _leading(quantity.definition)
            share = self._writer.inline(self._equations.plain(factor)) if factor else ""
            return self._prose.say("rules", "cancellation", factor=share, **names)
        if quantity.rule == "sum-over-paths":
            return self._prose.say("rules", "jacobian", **names)
        return self._once(self._prose.say("rules", "delta")) or self._prose.say("rules", "delta_again")

    def _shared_words(self, parameter: str, graph: NetworkGraph) -> str:
        if graph.network.samples > 1:
            return self._once(self._prose.say("rules", "weights_batch", root=self._writer.quantity("E")))
        uses = len(graph.uses(parameter))
        if uses < 2:
            return ""
        return self._prose.say("rules", "shared", name=self._writer.quantity(parameter), n=uses)

    # --- further sections ----------------------------------------------------------------------------------------

    def _paths(self) -> Iterator[Block]:
        """Each path of every gradient on the page that adds up several."""
        from derive.derivation.paths import paths

        root = self._example.graph.root
        assert root is not None
        targets = [step.target for section in self._example.sections for step in section.steps]
        asked = [pair[1] for target in targets if (pair := split_derivative(target)) and pair[0] == root]
        asked = [name for name in asked if self._example.graph.node(name).definition is None]
        if asked:
            yield self._heading(2, "paths")
        for name in asked:
            found, total = paths(self._example.derivation, root, name)
            shown = self._writer.quantity(derivative_name(root, name))
            yield paragraph(self._prose.say("rules", "paths", derivative=shown, n=total, shown=len(found)))
            for path in found:
                yield paragraph(self._along(path.nodes))
                yield equations(self._equations.loose(path.product))

    def _along(self, nodes: tuple[str, ...]) -> str:
        """w1 → net_h1 → out_h1 → …"""
        arrow = {"latex": r" \to ", "unicode": " → ", "ascii": " -> "}[self._writer.style]
        return self._writer.inline(arrow.join(self._writer.name(name) for name in nodes))


def _leading(definition: Expr | None) -> Expr | None:
    """The constant factor in front of a product, where there is one."""
    first = definition.factors[0] if isinstance(definition, Product) else None
    return first if first is not None and is_plain(first) and not isinstance(first, Name) else None
