"""What comes out of a perceptron's run: the separating line, or the proof that there is none, and the cycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from derive.derivation.perceptron import PerceptronGraph
from derive.derivation.perceptron_run import Separation
from derive.formula.expression import Expr, Name, Negative, Number, Product, Quotient, add, multiply, number
from derive.formula.printing import write, write_lines
from derive.numbers.inequalities import Contradiction, Solution, solve
from derive.numbers.rounding import show
from derive.pages.blocks import Block, Equation, Row, equations, paragraph, table
from derive.pages.equations import RELATIONS, SHOWN_RELATION
from derive.pages.perceptron_tables import cell
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.worked import WorkedExample

ON_A_LINE = 4


@dataclass(frozen=True, slots=True)
class Common:
    """A point that is a mixture of points of either class: shares by point, counted from 1."""

    place: tuple[Fraction, ...]
    upper: Mapping[int, Fraction]
    lower: Mapping[int, Fraction]


def common_point(graph: PerceptronGraph) -> Common | None:
    """The point of the contradiction that lies between points of both classes; None where there is none.

    It exists where there is a bias: the multipliers of the two classes then have the same sum.
    """
    shape, found = graph.perceptron, graph.separation
    if found is None or not isinstance(found.verdict, Contradiction) or not shape.bias or shape.target is None:
        return None
    given = graph.problem.given
    points = {place + 1: Fraction(times) for place, times in found.verdict.multipliers.items()}
    upper = {p: n for p, n in points.items() if given[shape.of_point(shape.target, p)].value == shape.labels[1]}
    lower = {p: n for p, n in points.items() if p not in upper}
    total = sum(upper.values())
    place = tuple(
        sum((times * given[shape.of_point(name, p)].value for p, times in upper.items()), Fraction(0)) / total
        for name in shape.inputs
    )
    shares = [{p: times / total for p, times in side.items()} for side in (upper, lower)]
    return Common(place, *shares)


class Verdict:
    """Builds the last section of the page of a perceptron."""

    def __init__(
        self, example: WorkedExample, graph: PerceptronGraph, prose: Prose, writer: Writer, width: int
    ) -> None:
        self._example = example
        self._graph = graph
        self._shape = graph.perceptron
        self._run = graph.run
        self._prose = prose
        self._writer = writer
        self._width = width

    def blocks(self) -> Iterator[Block]:
        if self._run.converged:
            yield from self._converged()
            return
        mistakes = self._run.mistakes(self._run.epochs)
        yield paragraph(self._say("stopped", n=self._run.epochs, mistakes=mistakes))
        found = self._graph.separation
        if found is None:
            yield paragraph(self._say("too_many", figure=self._figure()))
        elif isinstance(found.verdict, Contradiction):
            yield from self._proof(found, found.verdict)
        else:
            yield from self._separable(found, found.verdict)
        yield from self._cycle()

    def _say(self, key: str, /, **words: object) -> str:
        return self._prose.say("perceptron", key, **words)

    def _figure(self) -> str:
        return self._say(f"figure_{min(len(self._shape.inputs), 4)}")

    def _write(self, expr: Expr) -> str:
        return write(expr, self._writer.style, self._writer.name, self._writer.constant)

    def _sign(self, relation: str) -> str:
        return RELATIONS[relation][self._writer.style]

    # --- converged -----------------------------------------------------------------------------------------------

    def _converged(self) -> Iterator[Block]:
        run = self._run
        yield paragraph(self._say("converged", n=run.epochs, presentations=run.presentations, updates=run.updates()))
        weights = run.weights(run.presentations)
        yield equations(*self._values(weights))
        if not any(weights[: len(self._shape.weights)]):
            yield paragraph(self._say("no_boundary"))
            return
        yield paragraph(self._say("boundary", figure=self._figure()))
        yield equations(*self._boundary(weights))
        yield from self._on_boundary()

    def _values(self, weights: Sequence[Fraction]) -> Iterator[Equation]:
        """w1 = 2, w2 = 1, b = −3, a few on each line."""
        gap = r", \quad " if self._writer.style == "latex" else ", "
        parts = [self._value(*pair) for pair in zip(self._shape.parameters, weights, strict=True)]
        for start in range(0, len(parts), ON_A_LINE):
            first, *others = parts[start : start + ON_A_LINE]
            yield Equation(first[0], (Row(first[1], gap.join([first[2], *map(" ".join, others)])),))

    def _value(self, name: str, value: Fraction) -> tuple[str, str, str]:
        text = show(value, self._example.problem.rounding)
        sign = self._sign("=" if Fraction(text) == value else "≈")
        return self._writer.name(name), sign, self._writer.number(text)

    def _boundary(self, weights: Sequence[Fraction]) -> Iterator[Equation]:
        """The sum with its numbers, = 0; with one or two inputs solved for the last of them."""
        shape = self._shape
        terms = dict(zip(shape.inputs, weights, strict=False))
        shift = weights[-1] * shape.bias_input.value if shape.bias else Fraction(0)
        whole = _linear([*terms.items(), ("", shift)])
        lines = write_lines(whole, self._writer.style, self._writer.name, self._width, self._writer.constant)
        rows = [Row("" if place else self._sign("="), text) for place, text in enumerate(lines)]
        yield Equation("0", tuple(rows))
        if len(shape.inputs) > 2:
            return
        *others, solved = [name for name in shape.inputs if terms[name]]
        free = [(name, -terms[name] / terms[solved]) for name in others]
        right = _linear([*free, ("", -shift / terms[solved])])
        yield Equation(self._writer.name(solved), (Row(self._sign("="), self._write(right)),))

    def _on_boundary(self) -> Iterator[Block]:
        last = self._run.of_epoch(self._run.epochs)
        found = [self._run.presentation(place) for place in last]
        on = [one.point for one in found if not one.net]
        if on and self._shape.at_zero is not None:
            key = "on_boundary_several" if len(on) > 1 else "on_boundary"
            out = cell(self._shape.at_zero, self._writer)
            yield paragraph(self._say(key, points=", ".join(map(str, on)), out=out))

    # --- not converged -------------------------------------------------------------------------------------------

    def _separable(self, found: Separation, solution: Solution) -> Iterator[Block]:
        yield paragraph(self._say("separable"))
        yield equations(*self._values(solution.values))
        full = self._example.problem.rounding.carry == "full"
        if self._run.converges_in:
            yield paragraph(self._say("later", n=self._run.converges_in))
        elif full and isinstance(solve(found.rows, [True] * len(found.rows)), Solution):
            yield paragraph(self._say("theorem"))

    def _proof(self, found: Separation, proof: Contradiction) -> Iterator[Block]:
        shape = self._shape
        assert shape.target is not None
        yield paragraph(self._say("inseparable", figure=self._figure()))
        header = (
            self._say("point"), self._writer.quantity(shape.target), self._say("asks"), self._say("form"),
            self._say("times"),
        )  # fmt: skip
        rows: list[tuple[str, ...]] = []
        for place, times in proof.multipliers.items():
            target = self._graph.problem.given[shape.of_point(shape.target, place + 1)]
            upper = target.value == shape.labels[1]
            own = found.rows[place] if upper else tuple(-entry for entry in found.rows[place])
            asked = self._inequality(own, (">" if found.strict[place] else ">=") if upper else
                                     ("<" if found.strict[place] else "<="))  # fmt: skip
            turned = self._inequality(found.rows[place], ">" if found.strict[place] else ">=")
            rows.append((str(place + 1), cell(target.written, self._writer), asked, turned, cell(times, self._writer)))
        yield table(header, rows)
        yield paragraph(self._say("add_up"))
        yield equations(self._sum(found, proof))
        yield paragraph(self._say("impossible"))
        yield from self._common()

    def _inequality(self, row: Sequence[Fraction], relation: str) -> str:
        left = self._write(_linear(list(zip(self._shape.parameters, row, strict=True))))
        return self._writer.inline(f"{left} {SHOWN_RELATION[relation][self._writer.style]} 0")  # type: ignore[index]  # one of the relations

    def _sum(self, found: Separation, proof: Contradiction) -> Equation:
        """0 = 1·(−b) + 1·(w2 + b) + … > 0"""
        terms = tuple(
            Product((number(times), _linear(list(zip(self._shape.parameters, found.rows[place], strict=True)))))
            for place, times in proof.multipliers.items()
        )
        lines = write_lines(add(*terms), self._writer.style, self._writer.name, self._width, self._writer.constant)
        rows = [Row("" if place else self._sign("="), text) for place, text in enumerate(lines)]
        return Equation("0", (*rows, Row(SHOWN_RELATION[">"][self._writer.style], "0")))

    def _common(self) -> Iterator[Block]:
        found = common_point(self._graph)
        if found is None or len(self._shape.inputs) > 2:
            return
        lower, upper = self._shape.labels
        yield paragraph(
            self._say(
                "common" if len(self._shape.inputs) == 2 else "common_line",
                point=self._writer.inline(self._point(found.place)),
                upper=self._mixture(found.upper),
                lower=self._mixture(found.lower),
                one=cell(upper, self._writer),
                zero=cell(lower, self._writer),
            )
        )

    def _mixture(self, shares: Mapping[int, Fraction]) -> str:
        """1/2·(0, 1) + 1/2·(1, 0)"""
        given, shape = self._graph.problem.given, self._shape
        times = {"latex": r" \cdot ", "unicode": "·"}.get(self._writer.style, "*")
        parts = []
        for point, share in shares.items():
            place = self._point([given[shape.of_point(name, point)].value for name in shape.inputs])
            parts.append(place if share == 1 else f"{self._write(_constant(share))}{times}{place}")
        return self._writer.inline(" + ".join(parts))

    def _point(self, place: Sequence[Fraction]) -> str:
        minus = self._writer.number("-")
        entries = ", ".join(f"{minus if value < 0 else ''}{self._write(_constant(abs(value)))}" for value in place)
        return f"({entries})" if len(place) > 1 else entries

    def _cycle(self) -> Iterator[Block]:
        cycle = self._run.cycle
        if cycle is None:
            return
        again = cycle.first + cycle.period
        presentations = cycle.period * self._shape.samples if self._shape.order == "cycle" else 0
        yield paragraph(
            self._say("period", first=cycle.first, again=again, period=cycle.period, presentations=presentations)
        )


def _linear(terms: Sequence[tuple[str, Fraction]]) -> Expr:
    """2·x1 − 1/2·x2 + 3 without the terms that are 0; the name "" stands for the constant term."""
    parts: list[Expr] = []
    for name, factor in terms:
        if not factor:
            continue
        size = _constant(abs(factor))
        term = multiply(size, Name(name)) if name else size
        parts.append(Negative(term) if factor < 0 else term)
    return add(*parts)


def _constant(value: Fraction) -> Expr:
    """A number with its decimals where it has few, else a fraction."""
    for places in range(5):
        if 10**places % value.denominator == 0:
            digits = str(abs(value.numerator) * (10**places // value.denominator)).rjust(places + 1, "0")
            text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
            return Number(value, f"-{text}" if value < 0 else text)
    bottom = Number(Fraction(value.denominator), str(value.denominator))
    top: Expr = Quotient(Number(Fraction(abs(value.numerator)), str(abs(value.numerator))), bottom)
    return Negative(top) if value < 0 else top
