"""From a line of a derivation to the rows of an equation: symbols, then numbers, then the result."""

from __future__ import annotations

import re
from fractions import Fraction

from derive.derivation.chain_rule import split_derivative
from derive.derivation.steps import Line
from derive.formula.expression import Cases, Expr, Name, Number, Relation, expanded, is_plain, names_in
from derive.formula.printing import seen_width, write, write_lines
from derive.pages.blocks import Equation, Row
from derive.pages.writers import Writer
from derive.worked import WorkedExample

RELATIONS = {
    "=": {"latex": "=", "unicode": "=", "ascii": "="},
    "≈": {"latex": r"\approx", "unicode": "≈", "ascii": "~"},
}
OPPOSITE: dict[Relation, Relation] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "=="}
SHOWN_RELATION: dict[Relation, dict[str, str]] = {
    "<": {"latex": "<", "unicode": "<", "ascii": "<"},
    "<=": {"latex": r"\le", "unicode": "≤", "ascii": "<="},
    ">": {"latex": ">", "unicode": ">", "ascii": ">"},
    ">=": {"latex": r"\ge", "unicode": "≥", "ascii": ">="},
    "==": {"latex": "=", "unicode": "=", "ascii": "=="},
}

_GENERAL = re.compile(r"[\[,][a-z][\],]")
"""A name with a letter for an index stands for all terms of a Σ and has no number."""

OPENING = {True: r"\bigl(", False: "("}
CLOSING = {True: r"\bigr)", False: ")"}
"""Brackets around what goes on over several rows, in LaTeX and elsewhere."""


def _strict_pair(definition: Cases) -> bool:
    """Whether both strict comparisons of the same sides stand before the last piece, which is for equality then."""
    tests = [test for _, test in definition.pieces]
    return len(tests) == 2 and tests[0].left == tests[1].left and tests[0].right == tests[1].right and (
        {test.relation for test in tests} == {"<", ">"}
    )


class Equations:
    """Writes the lines of one worked example in one way.

    `width` is what fits on the right of an equation; a whole chain of `line_width` at most stands on one row.
    """

    def __init__(self, example: WorkedExample, writer: Writer, width: int, line_width: int) -> None:
        self._example = example
        self._writer = writer
        self._width = width
        self._line_width = line_width

    def equation(self, line: Line, *, numbers: bool = True) -> Equation:
        """The whole chain of a line, or its symbols only."""
        rows: list[Row] = []
        left = self._left(line, rows)
        forms = [expanded(form) if self._example.options.expand else form for form in line.forms]
        if line.differentiated:
            rows += self._operator(*line.differentiated)
        for form in forms:
            last = self._formula(form)
            rows += last
        marked = numbers and self._add_numbers(rows, line.target, forms[-1], [row.right for row in last])
        return Equation(left, self._joined(left, rows), marked)

    def _joined(self, left: str, rows: list[Row]) -> tuple[Row, ...]:
        """The whole chain on one row where it fits."""
        whole = " ".join(f"{row.relation} {row.right}" for row in rows)
        fits = seen_width(f"{left} {whole}", self._writer.style) <= self._line_width
        if any("since" in row.right for row in rows[:-1]):
            return tuple(rows)
        if not fits or not all(row.relation for row in rows):
            return tuple(rows)
        return (Row(rows[0].relation, whole.removeprefix(f"{rows[0].relation} ")),)

    def _left(self, line: Line, rows: list[Row]) -> str:
        """δ_o1 = ∂E/∂net_o1 for the slope of a net input, else the symbol alone."""
        pair = split_derivative(line.target)
        root = self._example.graph.root
        if pair and pair[0] == root and pair[1].startswith("net_"):
            rows.append(Row(self._sign("="), self._writer.name(line.target)))
            return self._writer.name("delta_" + pair[1].removeprefix("net_"))
        return self._writer.name(line.target)

    def _sign(self, relation: str) -> str:
        return RELATIONS[relation][self._writer.style]

    def _operator(self, definition: Expr, wrt: str) -> list[Row]:
        """∂/∂w (definition), with a long Σ written out where that was asked for."""
        latex, name = self._writer.style == "latex", self._writer.name(wrt)
        d = "∂" if self._writer.style == "unicode" else "d"
        front = rf"\frac{{\partial}}{{\partial {name}}}" if latex else f"{d}/{d}{name}"
        if not self._example.options.expand or expanded(definition) == definition:
            inside = write(definition, self._writer.style, self._writer.name, self._writer.constant)
            return [Row(self._sign("="), rf"{front} \left({inside}\right)" if latex else f"{front} ({inside})")]
        rows = self._formula(expanded(definition))
        rows[0] = Row(self._sign("="), f"{front} {OPENING[latex]} {rows[0].right}")
        rows[-1] = Row(rows[-1].relation, f"{rows[-1].right} {CLOSING[latex]}")
        return rows

    def _formula(self, form: Expr, relation: str = "=") -> list[Row]:
        lines = write_lines(form, self._writer.style, self._writer.name, self._width, self._writer.constant)
        return [Row(self._sign(relation) if place == 0 else "", text) for place, text in enumerate(lines)]

    # --- numbers -------------------------------------------------------------------------------------------------

    def _add_numbers(self, rows: list[Row], target: str, definition: Expr, symbolic: list[str]) -> bool:
        """Add the substituted row and the result; true where the printed operands do not give it."""
        if is_plain(definition) and not isinstance(definition, Name):
            return False
        if isinstance(definition, Cases):
            self._add_cases(rows, target, definition)
            return False
        shown = self._example.written(target)
        if shown is None and (self._is_symbolic(target) or self._of_slopes(target, definition)):
            return False
        last = self.substituted(definition)
        if last != symbolic and not isinstance(definition, Name):
            rounded = any(self._example.is_rounded(name) for name in set(names_in(definition)))
            sign = self._sign("≈" if rounded and self._is_full() else "=")
            rows += [Row(sign if place == 0 else "", text) for place, text in enumerate(last)]
        if shown is None:
            return False
        marked = self._is_full() and not self._example.reproducible(target)
        result = self._result(target, shown)
        if [result.right] != last or isinstance(definition, Name):
            rows.append(result)
        return marked

    def _is_symbolic(self, target: str) -> bool:
        """Whether a node hangs on nothing that has a number, found without a look at each of its terms."""
        example = self._example
        if example.problem.given or example.derivation.quantity(target).node is None or split_derivative(target):
            return False
        return all(example.written(parent) is None for parent in example.graph.parents(target))

    def _of_slopes(self, target: str, definition: Expr) -> bool:
        """Whether a line without a number is made of derivatives; where nothing is given no term is looked at."""
        if split_derivative(target) and not self._example.problem.given:
            return True
        return any(map(split_derivative, names_in(definition)))

    def _is_full(self) -> bool:
        return self._example.problem.rounding.carry == "full"

    def _result(self, target: str, shown: str) -> Row:
        exact = self._example.values.exact_result(target)
        relation = "=" if exact is not None and exact == Fraction(shown) else "≈"
        return Row(self._sign(relation), self._writer.number(shown))

    def substituted(self, definition: Expr) -> list[str]:
        """The definition with numbers for names, on as many lines as it needs; names without a number stay."""
        return write_lines(
            expanded(definition) if self._example.options.expand else definition,
            self._writer.style,
            self._number_of,
            self._width,
            self._writer.constant,
        )

    def _number_of(self, name: str) -> str:
        if _GENERAL.search(name):
            return self._writer.name(name)
        text = self._example.written(name)
        return self._writer.name(name) if text is None else text

    def _add_cases(self, rows: list[Row], target: str, definition: Cases) -> None:
        """The piece that holds, and the comparison that chose it."""
        shown = self._example.written(target)
        if shown is None:
            return
        piece, reason = self._chosen(definition)
        text = write(piece, self._writer.style, self._number_of, self._writer.constant)
        since = rf" \quad \text{{since }} {reason}" if self._writer.style == "latex" else f"   since {reason}"
        if isinstance(piece, Name | Number):
            rows.append(Row(self._result(target, shown).relation, self._writer.number(shown) + since))
            return
        rows.append(Row(self._sign("="), text + since))
        rows.append(self._result(target, shown))

    def _chosen(self, definition: Cases) -> tuple[Expr, str]:
        values = self._example.values
        for piece, test in definition.pieces:
            sides = [
                write(side, self._writer.style, self._number_of, self._writer.constant)
                for side in (test.left, test.right)
            ]
            holds = values.holds(test)
            relation = test.relation if holds else OPPOSITE[test.relation]
            if not holds and _strict_pair(definition):
                relation = "=="
            reason = f"{sides[0]} {SHOWN_RELATION[relation][self._writer.style]} {sides[1]}"
            if holds:
                return piece, reason
        return definition.otherwise, reason

    # --- equations that are no quantity ----------------------------------------------------------------------------

    def plain(self, expr: Expr) -> str:
        """An expression on one line, in symbols."""
        return write(expr, self._writer.style, self._writer.name, self._writer.constant)

    def loose(self, expr: Expr) -> Equation:
        """An expression = its numbers = its value, for what has no name of its own."""
        first, *rest = write_lines(expr, self._writer.style, self._writer.name, self._width, self._writer.constant)
        rows = [Row("", text) for text in rest]
        shown = self._example.values.shown_of(expr)
        if shown is not None:
            numbers = self.substituted(expr)
            rows += [Row(self._sign("≈") if place == 0 else "", text) for place, text in enumerate(numbers)]
            rows.append(Row(self._sign("≈"), self._writer.number(shown)))
        return Equation("", (Row("", first), *rows))
