"""How a page writes matrices: their symbols, their entries as names, sums and numbers, and the marks of its lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from derive.derivation.evaluate import Enclosed
from derive.derivation.evaluator import Evaluator
from derive.derivation.matrices import Matrix
from derive.derivation.steps import Line
from derive.formula.expression import Expr, Name, Number, Series, Sum, children, names_in, rebuild
from derive.formula.printing import write, write_lines
from derive.numbers.rounding import show_real
from derive.pages.blocks import Block, Equation, Row
from derive.pages.blocks import display as display_block
from derive.pages.equations import RELATIONS, Equations
from derive.pages.matrices import DOTS, TIMES, Form, Shown, Term, display, shown_places
from derive.pages.matrix_symbols import Symbols
from derive.pages.writers import Writer
from derive.worked import WorkedExample

SIGNS = {
    "latex": {"@": r"\mathbin{@}", "⊙": r"\odot", "-": "-", "+": "+"},
    "unicode": {"@": "@", "⊙": "⊙", "-": "−", "+": "+"},
    "ascii": {"@": "@", "⊙": "(*)", "-": "-", "+": "+"},
}
WIDER = {"latex": 12, "unicode": 0, "ascii": 0}
"""So many more characters of a display fit on a row than of running formulas, as most of them are indices."""

MARK = {"latex": r"\dagger", "unicode": "†", "ascii": "[+]"}


class MatrixPen:
    """Writes the matrices of one worked example in one way; remembers whether a line was marked."""

    def __init__(self, example: WorkedExample, writer: Writer, equations: Equations, width: int, several: bool) -> None:
        self.example = example
        self.symbols = Symbols(writer, several)
        self.marked = False
        self._writer = writer
        self.equations = equations
        self._width = width + WIDER[writer.style]
        self.line_width = width
        self._signs = SIGNS[writer.style]

    # --- parts of a display --------------------------------------------------------------------------------------

    def term(self, operator: str, body: str | Shown, factor: str = "") -> Term:
        return Term(self._signs.get(operator, operator), body, factor)

    def form(self, *parts: str | Shown, relation: str = "=", factor: str = "") -> Form:
        """Operands with operators between them, such as X, @, W; `factor` stands before the first."""
        terms = [self.term("", parts[0], factor)]
        terms += [self.term(str(sign), body) for sign, body in zip(parts[1::2], parts[2::2], strict=True)]
        return Form(RELATIONS[relation][self._writer.style], tuple(terms))

    def affine(
        self, feeds: str | Shown, weights: str | Shown, bias: str | Shown | None, constant: Number, relation: str = "="
    ) -> Form:
        """Feeds @ weights + constant bias, or without a bias."""
        terms = [self.term("", feeds), self.term("@", weights)]
        if bias is not None:
            size = Number(abs(constant.value), constant.written.removeprefix("-"))
            factor = "" if size.value == 1 else self.times(self._writer.constant(size))
            terms.append(self.term("-" if constant.value < 0 else "+", bias, factor))
        return Form(RELATIONS[relation][self._writer.style], tuple(terms))

    def product(self, *factors: Shown) -> Form:
        """The product of several matrices."""
        first, *others = factors
        terms = (self.term("", first), *(self.term("@", one) for one in others))
        return Form(RELATIONS["="][self._writer.style], terms)

    def sign(self, sign: str) -> str:
        return self._signs[sign]

    def in_brackets(self, text: str) -> str:
        return rf"\left({text}\right)" if self._writer.style == "latex" else f"({text})"

    def times(self, factor: str) -> str:
        """A factor before a matrix."""
        return factor + {"latex": r" \cdot", "unicode": " ·", "ascii": " *"}[self._writer.style]

    def names(self, matrix: Matrix) -> Shown:
        """Every entry in symbols."""
        return Shown(matrix, lambda entry, terms: self._sum(entry, terms, self._writer.name))

    def substituted(self, matrix: Matrix) -> Shown:
        """Every entry with numbers for names."""
        return Shown(matrix, lambda entry, terms: self._sum(entry, terms, self._number_of))

    def numbers(self, matrix: Matrix) -> Shown:
        """Every entry as its number, as its symbol where it has none."""
        return Shown(matrix, self._number, is_number=True)

    def _number(self, entry: Expr, terms: int) -> str:
        text = self.text_of(entry)
        return self._sum(entry, terms, self._writer.name) if text is None else self._writer.number(text)

    def text_of(self, entry: Expr) -> str | None:
        """The number of an entry as displayed; None where it is symbolic."""
        if isinstance(entry, Name):
            return self.example.written(entry.name)
        if isinstance(entry, Number):
            return self._writer.constant(entry)
        return self.example.values.shown_of(entry)

    def _number_of(self, name: str) -> str:
        text = self.example.written(name)
        return self._writer.name(name) if text is None else text

    def _sum(self, entry: Expr, most: int, name: Callable[[str], str]) -> str:
        """An entry; of a long sum the first terms and the last."""
        style = self._writer.style

        def text(expr: Expr) -> str:
            return write(expr, style, name, self._writer.constant)

        if not isinstance(entry, Sum) or len(entry.terms) <= most:
            return text(entry)
        first = entry.terms[: max(most - 1, 1)]
        start = text(first[0]) if len(first) == 1 else text(Sum(first))
        end = f" + {text(entry.terms[-1])}" if most > 1 else ""
        return f"{start} + {DOTS[style][0]}{end}"

    # --- displays ------------------------------------------------------------------------------------------------

    def display(self, left: str, *forms: Form, mark: bool = False) -> Block:
        """Left = form = form …; repeated forms are left out."""
        self.marked = self.marked or mark
        text = display(
            left, forms, self._writer.style, self._width,
            whole=self.example.options.whole, mark=MARK[self._writer.style] if mark else "",
        )  # fmt: skip
        return display_block(text)

    def given(self, left: str, matrix: Matrix) -> Block:
        """Left = names = numbers."""
        forms = [self.form(self.names(matrix))]
        if self.has_numbers(matrix):
            forms.append(self.form(self.numbers(matrix)))
        return self.display(left, *forms)

    def result(self, matrix: Matrix) -> Form:
        """The numbers of a matrix after = or ≈."""
        return self.form(self.numbers(matrix), relation="≈" if self._is_rounded(matrix) else "=")

    def relation(self, *operands: Matrix) -> str:
        """What stands before a form with the numbers of these matrices: ≈ where some are rounded."""
        rounded = any(self._is_rounded(matrix) for matrix in operands)
        return "≈" if rounded and self.example.problem.rounding.carry == "full" else "="

    def difference(self, left: str | Shown, factor: str, right: str | Shown, relation: str = "=") -> Form:
        """Left − factor right"""
        return Form(RELATIONS[relation][self._writer.style], (self.term("", left), self.term("-", right, factor)))

    def row_of(self, parts: Sequence[str]) -> Form:
        """[W1 W2]: matrices side by side."""
        if self._writer.style == "latex":
            text = rf"\begin{{bmatrix}} {' & '.join(parts)} \end{{bmatrix}}"
        else:
            text = f"[ {'  '.join(parts)} ]"
        return self.form(text)

    def bracketed(self, factor: str, left: str, sign: str, right: str) -> str:
        """Factor (left sign right)"""
        opening, closing = (r"\left(", r"\right)") if self._writer.style == "latex" else ("(", ")")
        return f"{self.times(factor)} {opening}{left} {self._signs[sign]} {right}{closing}"

    def shape(self, matrix: Matrix) -> str:
        return f"{matrix.rows}{TIMES[self._writer.style]}{matrix.columns}"

    def has_numbers(self, *matrices: Matrix) -> bool:
        """Whether an entry of each matrix has a number."""
        if not self.example.problem.given:
            return False
        return all(any(self._known(entry) for entry in self.shown_entries(matrix)) for matrix in matrices)

    def _known(self, entry: Expr) -> bool:
        return not isinstance(entry, Number) and self.text_of(entry) is not None

    def shown_entries(self, matrix: Matrix) -> list[Expr]:
        """The entries that are on the page."""
        rows, columns = (shown_places(count) for count in (matrix.rows, matrix.columns))
        return [matrix.entry(i, j) for i in rows for j in columns if i and j]

    def _is_rounded(self, matrix: Matrix) -> bool:
        return any(self._differs(entry) for entry in self.shown_entries(matrix))

    def _differs(self, entry: Expr) -> bool:
        """Whether the displayed number of an entry is not its value."""
        if isinstance(entry, Number):
            return False
        if not isinstance(entry, Name):
            text = self.example.values.shown_of(entry)
            return text is not None and any(self.example.is_rounded(name) for name in names_in(entry))
        text = self.example.written(entry.name)
        exact = self.example.values.exact_result(entry.name) if text is not None else None
        return text is not None and (exact is None or exact != Fraction(text))

    # --- marks -----------------------------------------------------------------------------------------------------

    def strays(self, result: Matrix, definition: Matrix) -> bool:
        """Whether the printed operands of an entry give other digits than those printed for it."""
        pairs = zip(self.shown_entries(result), self.shown_entries(definition), strict=True)
        return any(self._strays(entry, formula) for entry, formula in pairs)

    def _strays(self, entry: Expr, formula: Expr) -> bool:
        if isinstance(formula, Name | Number) or (shown := self.text_of(entry)) is None:
            return False
        texts = {name: self.example.written(name) for name in names_in(formula)}
        operands = {name: Fraction(text) for name, text in texts.items() if text is not None}
        if len(operands) < len(texts):
            return False
        value = Evaluator(Enclosed(40), operands.__getitem__).value(formula)
        return show_real(value, self.example.problem.rounding) != shown

    def irreproducible(self, result: Matrix) -> bool:
        """The same for entries whose own definition was applied, an activation or its slope."""
        if self.example.problem.rounding.carry != "full":
            return False
        names = [entry.name for entry in self.shown_entries(result) if isinstance(entry, Name)]
        return any(not self.example.reproducible(name) for name in names)

    # --- scalar lines ------------------------------------------------------------------------------------------------

    def line(self, line: Line) -> Equation:
        """One entry: target = form = … = its number; of long sums the first terms and the last."""
        if any(_has_long_sum(form) for form in line.forms) and not self.example.options.expand:
            return self._short_line(line)
        found = self.equations.equation(line)
        self.marked = self.marked or found.marked
        return found

    def _short_line(self, line: Line) -> Equation:
        forms = [_without_middle(form) for form in line.forms]
        rows = [row for form in forms for row in self._row("=", form, self._writer.name)]
        text = self.example.written(line.target)
        if text is not None:
            rows += self._row("≈", forms[-1], self._number_of)
            sign = "≈" if self._differs(Name(line.target)) else "="
            rows.append(Row(RELATIONS[sign][self._writer.style], self._writer.number(text)))
        return Equation(self._writer.name(line.target), tuple(rows))

    def _row(self, relation: str, form: Expr, name: Callable[[str], str]) -> list[Row]:
        style = self._writer.style

        def leaf(text: str) -> str:
            return DOTS[style][0] if text == LEFT_OUT else name(text)

        lines = write_lines(form, style, leaf, self.line_width - 10, self._writer.constant)
        return [Row(RELATIONS[relation][style] if place == 0 else "", text) for place, text in enumerate(lines)]


LONG = 12
"""A sum of more terms is shown by its first two and its last."""

LEFT_OUT = "⋯"


def _has_long_sum(expr: Expr) -> bool:
    if isinstance(expr, Sum) and len(expr.terms) > LONG:
        return True
    return not isinstance(expr, Series) and any(_has_long_sum(part) for part in children(expr))


def _without_middle(expr: Expr) -> Expr:
    if isinstance(expr, Sum) and len(expr.terms) > LONG:
        return Sum((*expr.terms[:2], Name(LEFT_OUT), expr.terms[-1]))
    return expr if isinstance(expr, Series) else rebuild(expr, _without_middle)


def named(entry: Expr) -> str:
    """The name of an entry that is a quantity."""
    assert isinstance(entry, Name)
    return entry.name
