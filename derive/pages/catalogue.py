"""The catalogue as a page in Markdown: every activation, loss, optimizer, schedule and initializer of the tables."""

from __future__ import annotations

from collections.abc import Iterator

from derive.calculus.loss_terms import OVER_ALL, read_loss
from derive.catalogue.activations import ROWS as ACTIVATIONS
from derive.catalogue.activations import Activation, Vector
from derive.catalogue.initializers import ROWS as INITIALIZERS
from derive.catalogue.initializers import Initializer
from derive.catalogue.losses import ROWS as LOSSES
from derive.catalogue.losses import Loss
from derive.catalogue.optimizers import ROWS as OPTIMIZERS
from derive.catalogue.optimizers import Optimizer
from derive.catalogue.recipes import SCHEDULE_ROWS, Recipe, Schedule
from derive.formula.expression import Call, Expr, Name, Number, Sum, names_in, rebuild
from derive.formula.grammar import read
from derive.formula.printing import write
from derive.pages.prose import Prose
from derive.pages.update_rule import spoken
from derive.pages.writers import Writer, writer

Bullets = Iterator[str]


def catalogue() -> str:
    """The page; the same text every time."""
    pen = writer("markdown", "github", "net-out")
    prose = Prose(pen)
    lines = [f"# {_say(prose, 'title')}", "", _say(prose, "about"), ""]
    sections = (
        ("activations", [(row.title, row.name, list(_activation(row, prose, pen))) for row in ACTIVATIONS]),
        ("losses", [(row.title, row.name, list(_loss(row, prose, pen))) for row in LOSSES]),
        ("optimizers", [(row.title, row.name, list(_optimizer(row, prose, pen))) for row in OPTIMIZERS]),
        ("schedules", [(row.title, row.name, list(_schedule(row, prose, pen))) for row in SCHEDULE_ROWS]),
        ("initializers", [(row.title, row.name, list(_initializer(row, prose, pen))) for row in INITIALIZERS]),
    )
    for key, entries in sections:
        lines += [f"## {_say(prose, key)}", "", _say(prose, f"about_{key}"), ""]
        for title, name, bullets in entries:
            lines += [f"### {pen.escape(title[0].upper() + title[1:])}", "", f"- `{name}`"]
            lines += [f"- {bullet}" for bullet in bullets]
            lines.append("")
    return "\n".join(lines)


def _say(prose: Prose, key: str, **words: object) -> str:
    return prose.say("catalogue", key, **words)


def _math(pen: Writer, left: str, right: Expr, relation: str = "=") -> str:
    return pen.inline(f"{left} {relation} {_written(right, pen)}")


def _written(expr: Expr, pen: Writer) -> str:
    return write(expr, pen.style, pen.name, pen.constant)


def _parameters(pairs: tuple[tuple[str, Number], ...], prose: Prose, pen: Writer) -> Bullets:
    if pairs:
        written = ", ".join(pen.inline(f"{pen.name(key)} = {pen.constant(value)}") for key, value in pairs)
        yield _say(prose, "parameters", parameters=written)


# --- activations -----------------------------------------------------------------------------------------------------


def _activation(row: Activation, prose: Prose, pen: Writer) -> Bullets:
    if row.vector:
        yield from _vector(row.vector, prose, pen)
    else:
        known = {"z", "a", *(key for key, _ in row.parameters)}
        yield _math(pen, "f(z)", read(row.formula, names=known))
        slope = _math(pen, "f'(z)", read(row.derivative, names=known))
        yield _say(prose, "with_output", slope=slope) if _uses_output(row) else slope
    yield from _parameters(row.parameters, prose, pen)
    for kink in row.kinks:
        at, slope = (_written(read(text), pen) for text in (kink.at, kink.derivative))
        yield _say(prose, "kink", at=pen.inline(f"z = {at}"), slope=pen.inline(slope))
    ends = row.ends()
    if ends:
        low, high = (_end(text, pen) for text in (ends.low, ends.high))
        brackets = "[" if ends.has_low else "(", "]" if ends.has_high else ")"
        centred = _say(prose, "zero_centred") if row.zero_centred else ""
        yield _say(prose, "range", range=pen.inline(f"{brackets[0]}{low}, {high}{brackets[1]}"), centred=centred)


def _uses_output(row: Activation) -> bool:
    return "a" in set(names_in(read(row.derivative)))


def _end(text: str, pen: Writer) -> str:
    if text.endswith("oo"):
        return text.replace("oo", r"\infty")
    return ("\\approx " if text.startswith("~") else "") + _written(read(text.removeprefix("~")), pen)


def _vector(vector: Vector, prose: Prose, pen: Writer) -> Bullets:
    nets, outs = ([Name(f"{letter}{k}") for k in (1, 2)] for letter in "za")
    first = pen.name("a1")
    yield _say(prose, "two_nets", formula=_math(pen, first, vector.output(0, nets)))
    if vector.slope:
        for k in (0, 1):
            left = rf"\frac{{\partial {first}}}{{\partial {pen.name(f'z{k + 1}')}}}"
            yield _math(pen, left, vector.slope(0, k, outs))


# --- losses ----------------------------------------------------------------------------------------------------------


def _loss(row: Loss, prose: Prose, pen: Writer) -> Bullets:
    if row.whole:
        yield pen.inline(f"E = {_over_all(read_loss(row.whole), pen)}")
    else:
        part = _over_all(read_loss(row.part), pen)
        yield _say(prose, "part", part=pen.inline(part), over=row.over)
    if row.derivative:
        yield pen.inline(rf"\frac{{\partial E}}{{\partial o}} = {_over_all(read_loss(row.derivative), pen)}")
    yield from _parameters(row.parameters, prose, pen)
    if row.cancels:
        net = rf"\frac{{\partial E}}{{\partial z}} = {_over_all(read_loss(row.cancelled), pen)}"
        yield _say(prose, "cancels", activation=pen.escape(row.cancels), slope=pen.inline(net))
    if row.labels:
        yield _say(prose, "labels")
    if row.targets == "signs":
        yield _say(prose, "signs")


def _over_all(expr: Expr, pen: Writer) -> str:
    """The formula with Σ for sum_i(…) and max for largest_i(…)."""
    written: dict[str, str] = {}

    def marked(part: Expr) -> Expr:
        if isinstance(part, Call) and part.function in OVER_ALL:
            inside = text(part.args[0])
            body = rf"\left({inside}\right)" if isinstance(part.args[0], Sum) else inside
            operator = r"\max" if part.function.startswith("largest") else r"\sum"
            place = f"#{len(written)}"
            written[place] = rf"{operator}_{{{OVER_ALL[part.function]}}} {body}"
            return Name(place)
        return rebuild(part, marked)

    def text(tree: Expr) -> str:
        return write(marked(tree), pen.style, lambda name: written.get(name) or pen.name(name), pen.constant)

    return text(expr)


# --- optimizers ------------------------------------------------------------------------------------------------------


def _optimizer(row: Optimizer, prose: Prose, pen: Writer) -> Bullets:
    yield spoken(row.about, pen)
    recipe = Recipe(row)
    for line in recipe.lines():
        yield _math(pen, pen.name(line.target), read(line.formula), r"\leftarrow")
    if recipe.is_decoupled():
        yield _say(prose, "decoupled", step=_math(pen, pen.name("w"), read("w - eta*lambda*w"), r"\leftarrow"))
    starts = [f"{pen.name(state)} = {pen.constant(value)}" for state, value in recipe.states().items()]
    if starts:
        yield _say(prose, "starts", states=", ".join(map(pen.inline, starts)))
    yield from _parameters(tuple((hyper.symbol, recipe.value(hyper.key)) for hyper in row.hypers), prose, pen)
    for choice in row.choices:
        options = "; ".join(f"`{option}`: {spoken(meaning, pen)}" for option, meaning in choice.options)
        about = spoken(choice.about.removesuffix("."), pen)
        yield _say(prose, "choice", which=choice.key, about=about, options=options)
    yield _say(prose, "libraries", libraries=", ".join(pen.escape(library.name) for library in row.libraries))


def _schedule(row: Schedule, prose: Prose, pen: Writer) -> Bullets:
    yield _math(pen, pen.name("eta"), read(row.formula))
    yield from _parameters(tuple((hyper.symbol, hyper.default) for hyper in row.hypers), prose, pen)
    if row.libraries:
        yield _say(prose, "libraries", libraries=pen.escape(row.libraries))


# --- initializers ----------------------------------------------------------------------------------------------------


def _initializer(row: Initializer, prose: Prose, pen: Writer) -> Bullets:
    if row.distribution == "constant":
        yield _math(pen, "w", read(row.value))
    else:
        symbols = {"fan_in": r"n_{\mathrm{in}}", "fan_out": r"n_{\mathrm{out}}"}
        variance = write(read(row.variance), "latex", lambda name: symbols.get(name) or pen.name(name), pen.constant)
        yield _say(prose, row.distribution, variance=pen.inline(rf"\mathrm{{Var}}(w) = {variance}"))
    yield from _parameters(row.parameters, prose, pen)
    calls = ", ".join(pen.escape(f"{library} {call}") for library, call in row.libraries)
    yield _say(prose, "libraries", libraries=calls)
    yield _say(prose, "source", source=pen.escape(row.source))
