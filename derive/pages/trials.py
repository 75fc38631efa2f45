"""The experiment on the page of an initializer: one random layer, then many of them, against what was derived."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.catalogue.activations import ACTIVATIONS, Activation
from derive.catalogue.initializers import INITIALIZERS, Initializer
from derive.derivation.evaluator import Evaluator
from derive.derivation.initializer import activation_of, kept_share, written_variance
from derive.derivation.signal import one_layer, through
from derive.formula.expression import Expr
from derive.formula.languages import said
from derive.numbers.rounding import Rounding, show
from derive.pages.blocks import Block, heading, paragraph, table
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.problem.initializer import Initialization

DIGITS = 2
"""So few digits of a random outcome that machines cannot differ in them."""

CANDIDATES: tuple[tuple[str, dict[str, str]], ...] = (
    ("lecun-normal", {}),
    ("he-normal", {}),
    ("normal", {"deviation": "0.01"}),
    ("normal", {"deviation": "1"}),
)
"""What a layer is compared with; in square layers Xavier has the variance of LeCun."""


def variance_of(row: Initializer, fan_in: int, fan_out: int) -> float:
    """The variance as a double."""
    return _number(written_variance(row), row, fan_in, fan_out)


def _number(tree: Expr, row: Initializer, fan_in: int, fan_out: int) -> float:
    from derive.derivation.evaluate import Enclosed
    from derive.numbers.rounding import nearest_double

    names = {"fan_in": Fraction(fan_in), "fan_out": Fraction(fan_out)}
    names |= {key: number.value for key, number in row.parameters}
    value = nearest_double(Evaluator(Enclosed(40), names.__getitem__).value(tree))
    assert value is not None
    return value


def trials(body: Initialization, prose: Prose, writer: Writer) -> Iterator[Block]:
    """Both experiments."""
    yield heading(2, prose.say("initializer", "heading_experiment"))
    yield paragraph(prose.say("initializer", "generator", seed=body.seed, samples=body.samples))
    yield _one(body, prose, writer)
    rows = [activation_of(body.initializer)]
    if rows[0].name == "linear":
        rows.append(ACTIVATIONS["tanh"])
    for row in rows:
        yield from _deep(body, row, prose, writer)


def _cell(value: float, writer: Writer) -> str:
    large = value >= 10**5
    text = f"{value:.{DIGITS - 1}e}" if large else show(Fraction(value), Rounding(decimals=None, significant=DIGITS))
    shown = writer.number(text)
    return writer.inline(shown) if "e" in text and writer.style == "latex" else shown


def _one(body: Initialization, prose: Prose, writer: Writer) -> Block:
    row, fan_in, fan_out = body.initializer, body.fan_in, body.fan_out
    variance = variance_of(row, fan_in, fan_out)
    found = one_layer(row.distribution, variance, fan_in, fan_out, body.samples, body.seed)
    derived = (variance, fan_in * variance, fan_out * variance)
    measured = (found.weights, found.nets / found.inputs, found.back / found.gradients)
    labels = (
        writer.name("variance"),
        {"latex": r"\mathrm{E}[\mathrm{net}^2]/\mathrm{E}[x^2]", "unicode": "E[net²]/E[x²]"}.get(writer.style)
        or "E[net^2]/E[x^2]",
        {
            "latex": r"\mathrm{E}[(\partial E/\partial x)^2]/\mathrm{E}[\delta^2]",
            "unicode": "E[(∂E/∂x)²]/E[δ²]",
        }.get(writer.style)
        or "E[(dE/dx)^2]/E[delta^2]",
    )
    header = ("", prose.say("initializer", "derived"), prose.say("initializer", "measured"))
    return table(
        header,
        [
            (writer.inline(label), _cell(wanted, writer), _cell(seen, writer))
            for label, wanted, seen in zip(labels, derived, measured, strict=True)
        ],
    )


def _columns(body: Initialization) -> list[tuple[str, Initializer]]:
    """The initializer of the page first, then what has another variance in square layers."""
    from derive.formula.expression import number

    own = body.initializer
    found = [(own.name, own)]
    seen = {variance_of(own, body.width, body.width)}
    for name, given in CANDIDATES:
        row = INITIALIZERS[name].with_parameters({key: number(value) for key, value in given.items()})
        variance = variance_of(row, body.width, body.width)
        if variance not in seen:
            seen.add(variance)
            deviation = given.get("deviation")
            found.append((f"{name}, {deviation}" if deviation else name, row))
    return found


def _deep(body: Initialization, row: Activation, prose: Prose, writer: Writer) -> Iterator[Block]:
    columns = _columns(body)
    variances = tuple(variance_of(column, body.width, body.width) for _, column in columns)
    found = through(row, body.initializer.distribution, variances, body.width, body.layers, body.samples, body.seed)
    yield paragraph(
        prose.say("initializer", "deep_" + ("tanh" if row.name == "tanh" else "straight"), title=row.title,
                  layers=body.layers, width=body.width)
    )  # fmt: skip
    shown = [k for k in (1, 2, 5, body.layers) if k <= body.layers]
    titles = (writer.escape(said(title, writer.language, "unicode")) for title, _ in columns)
    header = (prose.say("initializer", "after_layer"), *titles)
    rows = [(str(k), *(_cell(column[k], writer) for column in found)) for k in dict.fromkeys(shown)]
    if row.name != "tanh":
        share = _number(kept_share(body.initializer), body.initializer, 1, 1)
        factors = [share * body.width * variance for variance in variances]
        rows.insert(0, (prose.say("initializer", "factor"), *(_cell(factor, writer) for factor in factors)))
        last = [factor**body.layers for factor in factors]
        rows.append((prose.say("initializer", "derived_after", n=body.layers), *(_cell(v, writer) for v in last)))
    yield table(header, rows)
    yield paragraph(prose.say("initializer", "deep_words_" + ("tanh" if row.name == "tanh" else "straight")))
