"""Why the slopes of a loss are what they are: its derivative rule by rule, and what cancels against an activation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derive.calculus.loss_terms import LossTerms, read_loss
from derive.calculus.rules import by_rules
from derive.calculus.symbolic import partial
from derive.catalogue.cancellations import CANCELLATIONS
from derive.catalogue.losses import SMOOTHED, Loss
from derive.derivation.network import tidy
from derive.formula.expression import Cases, Expr, Name, Sum, number, replace_names
from derive.formula.printing import write, write_lines
from derive.pages.blocks import Block, Equation, Row, equations, paragraph
from derive.pages.index_notation import IndexNotation
from derive.pages.prose import Prose
from derive.pages.writers import Writer


def loss_slope(loss: Loss, outputs: int, writer: Writer, width: int) -> Equation:
    """∂/∂o of the part of one output: rule by rule, as SymPy simplifies it, in textbook form."""
    names = IndexNotation(loss, outputs, writer)
    constants: dict[str, Expr] = {"n": number(outputs), **dict(loss.parameters)}
    part = tidy(replace_names(read_loss(loss.part), constants))
    simplified, textbook = partial(part, "o"), tidy(replace_names(read_loss(loss.derivative), constants))
    forms = [tidy(by_rules(part, "o")), *([] if isinstance(simplified, Cases) else [simplified]), textbook]
    first = _operator(write(part, writer.style, names.name, writer.constant), names.name("o"), writer)
    top = "E" if outputs == 1 else {"latex": "E_{o_k}"}.get(writer.style, "E_o_k")
    return _chain(names.derivative(top, "o"), first, forms, names, writer, width)


def _operator(inside: str, bottom: str, writer: Writer) -> str:
    if writer.style == "latex":
        return rf"\frac{{\partial}}{{\partial {bottom}}} \left({inside}\right)"
    d = "∂" if writer.style == "unicode" else "d"
    return f"{d}/{d}{bottom} ({inside})"


def _chain(
    left: str, first: str, forms: list[Expr], names: IndexNotation, writer: Writer, width: int
) -> Equation:
    """Left = first = form = form …, each that is new."""
    rows, seen = [Row("=", first)] if first else [], {first}
    for form in forms:
        lines = write_lines(form, writer.style, names.name, width, writer.constant)
        if lines[0] not in seen:
            seen.add(lines[0])
            rows += [Row("=" if place == 0 else "", line) for place, line in enumerate(lines)]
    return Equation(left, tuple(rows))


# --- the cancellation


def cancellation(
    loss: Loss, outputs: int, prose: Prose, writer: Writer, width: int, letters: Mapping[str, str] | None = None
) -> Iterator[Block]:
    """The general lines, in index notation, with the sentences that they need."""
    is_smoothed = loss.cancelled != "o - t"
    t = {"latex": r"\tilde{t}", "unicode": "t̃", "ascii": "s"}[writer.style] if is_smoothed else "t"
    size = outputs if loss.cancels == "softmax" else 1
    names = IndexNotation(loss, size, writer, {**(letters or {}), "t": t})
    if is_smoothed:
        plain = IndexNotation(loss, size, writer, letters)
        formula = f"{names.name('t')} = {plain.text(SMOOTHED)}"
        yield paragraph(prose.say("loss", "smoothed", formula=writer.inline(formula)))
    key = "cancel_ce" if loss.cancels == "softmax" else "cancel_bce"
    yield paragraph(prose.say("rules", key, letter=(letters or {}).get("o", "o"), title=loss.title))
    forms = [names.tree(line) for line in CANCELLATIONS[loss.cancels]]
    yield equations(_chain(names.derivative("E", "z"), "", forms, names, writer, width))


MOST_WRITTEN_OUT = 4
"""With more outputs than this the lines of a cancellation stay in index notation."""


def written_out(terms: LossTerms, position: int, net: str) -> list[Expr]:
    """The same lines with every term, for the output at a position whose activation takes `net`."""
    outs = [out.name for out in terms.outputs if isinstance(out, Name)]
    slopes: dict[str, Expr] = {f"s[{k}]": Name(f"d{out}/d{net}") for k, out in enumerate(outs, 1)}
    slopes["s"] = slopes[f"s[{position}]"]
    return [_one_sum(tidy(terms.of(line, position, slopes))) for line in CANCELLATIONS[terms.loss.cancels]]


def _one_sum(expr: Expr) -> Expr:
    """The terms of a sum inside a sum beside the others."""
    if not isinstance(expr, Sum):
        return expr
    return Sum(tuple(inner for term in expr.terms for inner in (term.terms if isinstance(term, Sum) else (term,))))
