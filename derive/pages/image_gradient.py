"""The page of one gradient on one image: what it needs of the forward pass, the chain, its factors, its checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from derive.derivation.chain_rule import derivative_name, split_derivative
from derive.derivation.network import NetworkGraph
from derive.derivation.steps import Line, line
from derive.figures import pixels
from derive.formula.expression import (
    Expr,
    Name,
    Product,
    Series,
    Sum,
    add,
    multiply,
    names_in,
    rebuild,
    replace_names,
)
from derive.formula.grammar import write as text_of
from derive.mlp.mnist import SIDE
from derive.mnist_gradient import ImageExample, Numbers, row_and_column
from derive.pages.blocks import Block, Equation, Row, bullets, display, equations, figure, heading, paragraph, table
from derive.pages.conventions import conventions
from derive.pages.equations import RELATIONS, Equations
from derive.pages.kinds import Sheet
from derive.pages.prose import Prose
from derive.pages.render import Look, put_together, sheet_for
from derive.pages.writers import Writer

MOST, LARGEST = 12, 10
"""Of a sum with more terms than the first of these so many are listed, the largest ones."""

DIGITS = 10
"""Significant digits of the three numbers that are held against each other."""


@dataclass(frozen=True, slots=True)
class Level:
    """A sum over the neurons of a layer, ∂E/∂out of a neuron below; `layer` is counted from 1."""

    layer: int
    out: str
    series: Series


class ImageGradientPage:
    """Builds the blocks; with `expand` every Σ is written out; `drawing` is the image for terminal text."""

    def __init__(
        self, example: ImageExample, numbers: Numbers, sheet: Sheet, *, expand: bool = False, drawing: str = ""
    ) -> None:
        self._example, self._numbers, self._expand, self._drawing = example, numbers, expand, drawing
        self._writer: Writer = sheet.writer
        self._prose = Prose(sheet.writer, sheet.language)
        self._equations = Equations(example, sheet.writer, sheet.width, sheet.line_width)
        graph = example.graph
        assert isinstance(graph, NetworkGraph)
        self._graph = graph
        self._marked = False

    def blocks(self) -> list[Block]:
        """The whole page."""
        body = [*self._forward(), *self._gradient(), *self._checks()]
        known = conventions(self._example, self._prose, self._writer)
        if self._marked:
            known.append(self._prose.say("conventions", "mark"))
        head = [heading(1, self._writer.escape(self._example.problem.title)), *self._about()]
        return [*head, heading(2, self._prose.say("headings", "conventions")), bullets(*known), *body]

    def _say(self, key: str, /, **words: object) -> str:
        return self._prose.say("image_gradient", key, **words)

    def _number(self, name: str) -> str:
        shown = self._example.written(name)
        return self._writer.number(shown or "")

    # --- what it is about ----------------------------------------------------------------------------------------

    def _about(self) -> Iterator[Block]:
        example, image = self._example, self._example.image
        outs = [f"out_{name}" for name in self._graph.network.layers[-1].neurons]
        values = [example.value(name) or 0.0 for name in outs]
        best = max(range(len(values)), key=values.__getitem__)
        count = self._graph.network.parameter_count()
        yield paragraph(
            self._say(
                "about", count=f"{count:,}", split=image.split, number=image.number, label=image.label, best=best,
                output=self._writer.quantity(outs[best]), value=self._inline("≈", self._number(outs[best])),
                loss=self._assigned("E"), right=best == image.label, target=self._writer.quantity(example.target),
            )
        )  # fmt: skip
        words = {"split": image.split, "number": image.number, "label": image.label}
        yield display(self._drawing) if self._drawing else figure(self._say("figure", **words))
        if example.place.layer == 1 and example.place.source:
            row, column = row_and_column(example.place.source)
            pixel, name = example.place.source, f"x{example.place.source}"
            grey = int(image.pixels[pixel - 1])
            yield paragraph(self._say("pixel", pixel=pixel, row=row, column=column, grey=grey, x=self._given(name)))

    def _inline(self, sign: str, text: str) -> str:
        return self._writer.inline(f"{RELATIONS[sign][self._writer.style]} {text}")

    def _assigned(self, name: str) -> str:
        sign = "≈" if self._example.is_rounded(name) else "="
        relation = RELATIONS[sign][self._writer.style]
        return self._writer.inline(f"{self._writer.name(name)} {relation} {self._number(name)}")

    def _given(self, name: str) -> str:
        return self._writer.inline(f"{self._writer.name(name)} = {self._number(name)}")

    # --- forward pass --------------------------------------------------------------------------------------------

    def _forward(self) -> Iterator[Block]:
        place = self._example.place
        layer = self._graph.network.layers[place.layer - 1]
        neuron = layer.neurons[place.neuron - 1]
        yield heading(2, self._prose.say("headings", "forward"))
        if place.layer < len(self._graph.network.layers):
            yield from self._net(f"net_{neuron}", place.layer)
            yield equations(self._equation(line(self._example.derivation.quantity(f"out_{neuron}"))))
        yield paragraph(self._say("outputs"))
        yield equations(*self._output_lines())
        yield self._outputs()

    def _net(self, net: str, layer: int) -> Iterator[Block]:
        """The weighted sum in Σ form, with its nonzero terms written out where that was asked for."""
        definition = self._example.derivation.quantity(net).definition
        assert definition is not None
        zeros, whole = self._without_zeros(definition)
        count = self._graph.network.layers[layer - 1].weights.fan_in
        if zeros:
            key = "dark" if layer == 1 else "silent"
            yield paragraph(self._say(key, count=count, zeros=zeros, left=count - zeros, written=self._expand))
        forms = tuple(dict.fromkeys((definition, whole))) if self._expand else (definition,)
        yield equations(self._summed(Line(net, forms)))

    def _without_zeros(self, definition: Expr) -> tuple[int, Expr]:
        """How many terms of the Σ in a weighted sum have an input of zero, and the sum of the others written out."""
        parts = definition.terms if isinstance(definition, Sum) else (definition,)
        terms: list[Expr] = []
        zeros = 0
        for part in parts:
            if not isinstance(part, Series):
                terms.append(part)
                continue
            written = [part.term(i) for i in range(1, part.count + 1)]
            lit = [term for term in written if not self._is_zero(term)]
            zeros += len(written) - len(lit)
            terms += lit
        return zeros, add(*terms)

    def _is_zero(self, term: Expr) -> bool:
        """Whether the input in a weight times an input is exactly zero."""
        return self._example.exact(list(names_in(term))[-1]) == Fraction(0)

    def _output_lines(self) -> Iterator[Equation]:
        """What every output is computed by, with k for its number."""
        network = self._graph.network
        layer, prefix = len(network.layers), _prefix(network.layers[-1].neurons)
        source = "x[i]" if layer == 1 else f"out_{_prefix(network.layers[-2].neurons)}[i]"
        term = Product((Name(f"W{layer}[i,k]"), Name(source)))
        series = Series("i", network.sizes()[-2], term, lambda _: term)
        yield self._equations.equation(
            Line(f"net_{prefix}[k]", (Sum((series, Name(f"B{layer}[k]"))),)), numbers=False
        )

    def _outputs(self) -> Block:
        """Every output with its net input, its target and its δ."""
        outputs = self._graph.network.layers[-1].neurons
        columns = ("net_{0}", "out_{0}", "y{1}", "delta_{0}")
        prefix = _prefix(outputs)
        header = tuple(
            self._writer.quantity(column.format(f"{prefix}[k]", "[k]")) for column in columns
        )
        rows = []
        for k, neuron in enumerate(outputs, 1):
            names = (f"net_{neuron}", f"out_{neuron}", f"y{k}", derivative_name("E", f"net_{neuron}"))
            rows.append((f"{k}", f"{k - 1}", *(self._writer.inline(self._number(name)) for name in names)))
        return table((self._writer.inline("k"), self._say("digit"), *header), rows)

    # --- gradient ------------------------------------------------------------------------------------------------

    def _gradient(self) -> Iterator[Block]:
        example, derivation = self._example, self._example.derivation
        quantity = derivation.quantity(example.target)
        assert quantity.definition is not None
        levels = list(self._levels())
        yield heading(2, self._prose.say("headings", "gradients"))
        yield paragraph(self._prose.say("rules", "chain"))
        yield equations(self._equations.equation(Line(example.target, self._chain_forms(levels)), numbers=False))
        yield paragraph(self._prose.say("rules", "factors"))
        yield from self._deltas(levels)
        for level in reversed(levels):
            yield from self._sum(level)
        for factor in self._factors(quantity.definition):
            if factor.name != f"dE/dout_{self._neuron}" or not levels:
                yield equations(self._factor(factor.name))
        yield paragraph(self._say("together"))
        yield equations(self._equation(Line(example.target, (quantity.definition,))))
        yield from self._why_zero(quantity.definition)

    @property
    def _neuron(self) -> str:
        place = self._example.place
        return self._graph.network.layers[place.layer - 1].neurons[place.neuron - 1]

    def _levels(self) -> Iterator[Level]:
        """The sums over paths that the gradient goes through, from the layer of the parameter upwards."""
        layers = self._graph.network.layers
        out = f"out_{self._neuron}"
        for layer in range(self._example.place.layer, len(layers)):
            quantity = self._example.derivation.quantity(derivative_name("E", out))
            general, found = self._graph.general_fork(out), quantity.definition
            assert general is not None
            assert found is not None
            series = found if isinstance(found, Series) else _series(found, general)
            yield Level(layer + 1, out, series)
            if layer + 1 == len(layers):
                return
            out = f"out_{self._largest(series)}"

    def _largest(self, series: Series) -> str:
        """The neuron whose term is the largest."""
        def size(k: int) -> float:
            return abs(self._value(series.term(k)))

        best = max(range(1, series.count + 1), key=size)
        return self._delta_in(series.term(best)).removeprefix("delta_")

    @staticmethod
    def _delta_in(term: Expr) -> str:
        return next(name for name in names_in(term) if name.startswith("delta_"))

    def _value(self, term: Expr) -> float:
        values = [self._example.value(name) or 0.0 for name in names_in(term)]
        product = 1.0
        for value in values:
            product *= value
        return product

    def _chain_forms(self, levels: list[Level]) -> tuple[Expr, ...]:
        """The chain in derivatives, then as one formula: Σ times slope times input."""
        definition = self._example.derivation.quantity(self._example.target).definition
        assert definition is not None
        first = f"dE/dout_{self._neuron}"
        swapped: dict[str, Expr] = {first: levels[0].series} if levels else {}
        for factor in self._factors(definition):
            found = self._example.derivation.quantity(factor.name)
            if found.rule in ("local-derivative", "cancellation") and found.definition is not None:
                swapped[factor.name] = found.definition
        formula = _multiplied(definition, swapped)
        return tuple(dict.fromkeys((definition, formula)))

    @staticmethod
    def _factors(definition: Expr) -> list[Name]:
        parts = definition.factors if isinstance(definition, Product) else (definition,)
        return [part for part in parts if isinstance(part, Name) and split_derivative(part.name)]

    def _deltas(self, levels: list[Level]) -> Iterator[Block]:
        """δ of every output, in general, and of every hidden neuron in between."""
        layers = self._graph.network.layers
        general = self._general_delta()
        if general is not None:
            prefix = _prefix(layers[-1].neurons)
            net = f"net_{prefix}[1]"
            cancels = self._example.derivation.quantity(f"dE/dnet_{layers[-1].neurons[0]}").rule == "cancellation"
            words = {"loss": self._writer.quantity("E"), "net": self._writer.quantity(net.replace("[1]", "[k]"))}
            yield paragraph(self._prose.say("rules", "cancellation", **words) if cancels else self._say("delta"))
            yield equations(self._equations.equation(Line(f"dE/dnet_{prefix}[k]", (general,)), numbers=False))
        elif levels:
            neuron = layers[-1].neurons[self._example.image.label]
            yield paragraph(self._say("delta_of_one", net=self._writer.quantity(f"net_{neuron}")))
            yield equations(self._equation(line(self._example.derivation.quantity(f"dE/dnet_{neuron}"))))
        for level in reversed(levels[:-1]):
            yield paragraph(self._say("hidden_delta", layer=level.layer))
            yield equations(self._hidden_delta(level.layer))

    def _general_delta(self) -> Expr | None:
        """δ of the k-th neuron of the last layer, None where it does not look alike for all of them."""
        network = self._graph.network
        first, prefix = network.layers[-1].neurons[0], _prefix(network.layers[-1].neurons)
        resolved = self._in_nodes(Name(f"dE/dnet_{first}"))
        general: dict[str, Expr] = {
            f"net_{first}": Name(f"net_{prefix}[k]"), f"out_{first}": Name(f"out_{prefix}[k]"), "y1": Name("y[k]"),
        }  # fmt: skip
        if not set(names_in(resolved)) <= set(general):
            return None
        return replace_names(resolved, general)

    def _in_nodes(self, expr: Expr) -> Expr:
        """An expression with derivatives exchanged for what they are, until nodes alone are left."""
        if isinstance(expr, Name) and split_derivative(expr.name):
            definition = self._example.derivation.quantity(expr.name).definition
            assert definition is not None
            return self._in_nodes(definition)
        return rebuild(expr, self._in_nodes)

    def _hidden_delta(self, layer: int) -> Equation:
        """δ of the k-th neuron of a hidden layer: a Σ over the layer above, times the slope."""
        layers = self._graph.network.layers
        own, above = _prefix(layers[layer - 1].neurons), _prefix(layers[layer].neurons)
        first = layers[layer - 1].neurons[0]
        term = Product((Name(f"delta_{above}[m]"), Name(f"W{layer + 1}[k,m]")))
        series = Series("m", len(layers[layer].neurons), term, lambda _: term)
        slope = self._example.derivation.quantity(f"dout_{first}/dnet_{first}").definition
        assert slope is not None
        named = replace_names(slope, {f"net_{first}": Name(f"net_{own}[k]"), f"out_{first}": Name(f"out_{own}[k]")})
        return self._equations.equation(Line(f"dE/dnet_{own}[k]", (multiply(series, named),)), numbers=False)

    def _sum(self, level: Level) -> Iterator[Block]:
        """The sum over paths: its terms in a table, its value."""
        neurons = self._graph.network.layers[level.layer - 1].neurons
        out = self._writer.quantity(level.out)
        yield paragraph(self._prose.say("rules", "fork", out=out, root=self._writer.quantity("E"), n=len(neurons)))
        if len(neurons) > MOST:
            yield paragraph(self._say("largest", n=LARGEST, count=len(neurons)))
        yield self._terms(level)
        target = derivative_name("E", level.out)
        forms: tuple[Expr, ...] = (level.series,)
        if self._expand:
            forms = (level.series, add(*(level.series.term(k) for k in range(1, level.series.count + 1))))
        yield equations(self._summed(Line(target, forms)))

    def _summed(self, line: Line) -> Equation:
        """A sum and its value; its terms with their numbers where they are written out."""
        if self._expand:
            return self._equation(line)
        found = self._equations.equation(line, numbers=False)
        sign = RELATIONS["≈" if self._example.is_rounded(line.target) else "="][self._writer.style]
        return replace(found, rows=(*found.rows, Row(sign, self._number(line.target))))

    def _terms(self, level: Level) -> Block:
        """The terms of a sum, or the largest of them."""
        places = list(range(1, level.series.count + 1))
        terms = {k: level.series.term(k) for k in places}
        if len(places) > MOST:
            places = sorted(sorted(places, key=lambda k: -abs(self._value(terms[k])))[:LARGEST])
        prefix = _prefix(self._graph.network.layers[level.layer - 1].neurons)
        weight = next(name for name in names_in(level.series.general) if name.startswith("W"))
        product = self._equations.plain(level.series.general)
        header = (
            self._writer.inline("k"), self._writer.quantity(f"delta_{prefix}[k]"), self._writer.quantity(weight),
            self._writer.inline(product),
        )  # fmt: skip
        rows: list[tuple[str, ...]] = []
        for k in places:
            shown = [self._number(name) for name in names_in(terms[k])]
            value = self._example.values.shown_of(terms[k]) or ""
            rows.append((str(k), *map(self._writer.inline, (*shown, self._writer.number(value)))))
        return table(header, rows)

    def _factor(self, name: str) -> Equation:
        """A local derivative; a weighted sum is differentiated in its Σ form."""
        return self._equation(line(self._example.derivation.quantity(name)))

    def _why_zero(self, definition: Expr) -> Iterator[Block]:
        """Which factor makes a gradient exactly zero, and a parameter whose gradient is not."""
        if self._example.exact(self._example.target) != 0:
            return
        zero = [factor.name for factor in self._factors(definition) if self._example.exact(factor.name) == 0]
        names = ", ".join(self._writer.quantity(name) for name in zero)
        yield paragraph(self._say("zero", names=names, several=len(zero) > 1, other=self._lively()))

    def _lively(self) -> str:
        """A weight of the first layer from a lit pixel to a neuron that is awake."""
        lit = max(range(1, 785), key=lambda i: self._example.given.inputs[i - 1])
        for neuron, name in enumerate(self._graph.network.layers[0].neurons, 1):
            if (self._example.value(f"out_{name}") or 0) > 0:
                return self._writer.code(f"W1[{lit},{neuron}]")
        return ""

    # --- checks --------------------------------------------------------------------------------------------------

    def _checks(self) -> Iterator[Block]:
        numbers = self._numbers
        yield heading(2, self._say("checks"))
        yield paragraph(self._say("about_checks"))
        rows: list[tuple[str, ...]] = [(self._say("derived"), self._digits(numbers.derived), "")]
        for which in ("backpropagated", "quotient"):
            value = getattr(numbers, which)
            rows.append((self._say(which), self._digits(value), self._relative(numbers.disagreement(which))))
        yield table((self._say("way"), self._writer.quantity(self._example.target), self._say("difference")), rows)

    def _digits(self, value: float) -> str:
        return self._writer.inline(self._writer.number(f"{value:.{DIGITS}g}"))

    def _relative(self, value: float) -> str:
        return self._writer.inline(self._writer.number(f"{value:.0e}" if value else "0"))

    def _equation(self, line: Line) -> Equation:
        found = self._equations.equation(line)
        self._marked = self._marked or found.marked
        return found


def _series(written: Expr, general: Expr) -> Series:
    """A sum that is written out, as a Σ."""
    terms = written.terms if isinstance(written, Sum) else (written,)
    return Series("k", len(terms), general, lambda k: terms[k - 1])


def _multiplied(definition: Expr, swapped: dict[str, Expr]) -> Expr:
    """A product with factors exchanged for what they are; a difference among them is kept as one factor."""
    parts = definition.factors if isinstance(definition, Product) else (definition,)
    new = [swapped.get(part.name, part) if isinstance(part, Name) else part for part in parts]
    flat = [factor for part in new for factor in (part.factors if isinstance(part, Product) else (part,))]
    return multiply(*flat)


def _prefix(neurons: tuple[str, ...]) -> str:
    """What the names of a layer begin with: o of o1, o2 …, h1_ of h1_1, h1_2 …"""
    return neurons[0].removesuffix("1")


def page_of(example: ImageExample, numbers: Numbers, look: Look, *, expand: bool = False) -> str:
    """The page in a format, with the image."""
    grid, mark = _grid(example)
    drawing = pixels.letters(grid, mark, ascii=look.ascii) if look.format == "text" else ""
    sheet = sheet_for(look, example.problem.notation)
    blocks = ImageGradientPage(example, numbers, sheet, expand=expand, drawing=drawing).blocks()
    if look.format == "latex":
        return put_together(blocks, look, pixels.tikz(grid, mark))
    embedded = pixels.data_uri(picture_of(example).encode(), "image/svg+xml")
    return put_together(blocks, look, embedded if look.figure == "embed" else look.figure)


def picture_of(example: ImageExample) -> str:
    """The image as SVG, with the pixel of a weight of the first layer framed."""
    grid, mark = _grid(example)
    return pixels.svg(grid, f"Image {example.image.number}", mark)


def _grid(example: ImageExample) -> tuple[list[list[int]], tuple[int, int] | None]:
    place = example.place
    mark = row_and_column(place.source) if place.layer == 1 and place.source else None
    return example.image.pixels.reshape(SIDE, SIDE).tolist(), mark


def data_of(example: ImageExample, numbers: Numbers) -> dict[str, Any]:
    """The gradient as data: what it is of, every factor of its chain, the number three ways."""
    quantity = example.derivation.quantity(example.target)
    assert quantity.definition is not None
    names = list(dict.fromkeys(name for name in names_in(quantity.definition)))
    image, model = example.image, example.model
    return {
        "quantity": example.target,
        "network": "-".join(map(str, model.sizes)),
        "activation": model.activation,
        "output": model.output,
        "loss": model.loss,
        "image": {"set": image.split, "number": image.number, "label": image.label},
        "formula": text_of(quantity.definition),
        "factors": {name: example.value(name) for name in names},
        "E": example.value("E"),
        "derived": numbers.derived,
        "shown": example.shown(example.target),
        "backpropagated": numbers.backpropagated,
        "difference_quotient": numbers.quotient,
        "largest_disagreement": numbers.largest_disagreement(),
    }
