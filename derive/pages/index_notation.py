"""Formulas of the table of losses in index notation: Σ over i, and k for the output that a line is about."""

from __future__ import annotations

from collections.abc import Mapping

from derive.calculus.loss_terms import OTHERS, OVER_ALL, LossTerms, read_loss
from derive.catalogue.losses import Loss
from derive.derivation.network import tidy
from derive.formula.expression import (
    ONE,
    Call,
    Expr,
    Name,
    Negative,
    Product,
    Quotient,
    Series,
    multiply,
    number,
    rebuild,
    replace_names,
)
from derive.formula.printing import write
from derive.pages.writers import Writer


class IndexNotation:
    """Writes the formulas of one loss with so many outputs.

    `letters` says what stands for t, o and z; the output that a line is about has the index k where there are several.
    """

    def __init__(self, loss: Loss, outputs: int, writer: Writer, letters: Mapping[str, str] | None = None) -> None:
        self._loss = loss
        self._outputs = outputs
        self._writer = writer
        self._letters = {"t": "t", "o": "o", "z": "z", **(letters or {})}
        self._placed: dict[str, str] = {}

    def formula(self) -> tuple[str, str]:
        """The loss of one sample, and the constant factor in front of it (empty where there is none)."""
        if self._outputs == 1:
            whole = tidy(LossTerms(self._loss, (Name("t"),), (Name("o"),)).whole())
            factor, _ = _split(whole)
            return self._write(whole), self._write(factor) if factor is not None else ""
        if self._loss.whole:
            return self.text(self._loss.whole), ""
        factor, rest = _split(self._read(self._loss.part))
        if self._loss.over == "mean":
            factor = Quotient(ONE, number(self._outputs))
        is_negative = isinstance(rest, Negative)
        inside = rest.arg if isinstance(rest, Negative) else rest
        body = multiply(factor or ONE, Series("k", self._outputs, inside, lambda _: inside))
        return self._write(Negative(body) if is_negative else body), self._write(factor) if factor is not None else ""

    def text(self, source: str) -> str:
        return self._write(self._read(source))

    def tree(self, source: str) -> Expr:
        """A formula with Σ for what stands over all outputs, for a printer that asks `name` for its leaves."""
        return self._read(source)

    def name(self, name: str) -> str:
        """t, o, z and s with the index that they have here."""
        if name in self._placed:
            return self._placed[name]
        head, _, index = name.partition("_")
        own = index or ("k" if self._outputs > 1 else "")
        if head == "s":
            return self._slope(self._indexed("o", own), self._indexed("z", "k" if self._outputs > 1 else ""))
        return self._indexed(head, own) if head in self._letters else name

    def _indexed(self, head: str, index: str) -> str:
        letter = self._letters[head]
        if not index:
            return letter
        return f"{letter}_{{{index}}}" if self._writer.style == "latex" else f"{letter}_{index}"

    def _slope(self, top: str, bottom: str) -> str:
        if self._writer.style == "latex":
            return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"
        d = "∂" if self._writer.style == "unicode" else "d"
        return f"{d}{top}/{d}{bottom}"

    def derivative(self, top: str, bottom: str) -> str:
        """∂E/∂z_k and its like."""
        return self._slope(top, self._indexed(bottom, "k" if self._outputs > 1 else ""))

    # --- how -------------------------------------------------------------------------------------------------------

    def _read(self, source: str) -> Expr:
        constants: dict[str, Expr] = {"n": number(self._outputs), **dict(self._loss.parameters)}
        return self._summed(tidy(replace_names(read_loss(source), constants)))

    def _summed(self, expr: Expr) -> Expr:
        expr = rebuild(expr, self._summed)
        if not isinstance(expr, Call) or expr.function not in (*OVER_ALL, OTHERS):
            return expr
        body = expr.args[0]
        if expr.function in ("sum_i", "sum_j"):
            return Series(OVER_ALL[expr.function], self._outputs, body, lambda _: body)
        text = self._write(body)
        place = f"#{len(self._placed)}"
        self._placed[place] = self._largest(text) if expr.function == "largest_i" else self._others(text)
        return Name(place)

    def _largest(self, text: str) -> str:
        return rf"\max_{{i}} \left\{{ {text} \right\}}" if self._writer.style == "latex" else f"max_i{{{text}}}"

    def _others(self, text: str) -> str:
        return {
            "latex": rf"\sum_{{i \ne k}} {text}", "unicode": f"Σ_{{i≠k}} {text}", "ascii": f"sum_{{i!=k}} {text}"
        }[self._writer.style]  # fmt: skip

    def _write(self, expr: Expr) -> str:
        return write(expr, self._writer.style, self.name, self._writer.constant)


def _split(part: Expr) -> tuple[Expr | None, Expr]:
    """The constant factor of a loss and the rest."""
    if isinstance(part, Product) and isinstance(part.factors[0], Quotient):
        rest = part.factors[1:]
        return part.factors[0], rest[0] if len(rest) == 1 else Product(rest)
    return None, part
