"""A worked example as data for other programs: every quantity, every step, as JSON has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from derive.derivation.chain_rule import split_derivative
from derive.derivation.graph import sample_suffix
from derive.derivation.loss import LossGraph
from derive.derivation.names import Reference
from derive.derivation.network import NetworkGraph
from derive.derivation.steps import Line, Section, Step, selected
from derive.formula.expression import Expr, Name, Series, children, expanded, names_in
from derive.formula.grammar import write
from derive.formula.printing import write as print_formula
from derive.formula.resolved import Formulas
from derive.formula.symbols import symbol
from derive.numbers.exact import Undefined
from derive.numbers.rounding import Rounding
from derive.verify.checked import checked
from derive.worked import WorkedExample, quantity_names

FORMAT = 1

MANY_PARAMETERS = 2000
"""Of a larger network only the forward pass and what its page shows are listed."""

EVERY_STEP = 20
"""With more updates than this, only parameters and loss are listed after each …"""

EVERY_PARAMETER = 200
"""… and with more than this, only what holds after the first and the last."""


def as_data(example: WorkedExample) -> dict[str, Any]:
    """The worked example as values for `json.dumps(…, allow_nan=False)`.

    `quantities` holds, by name: `value`, the nearest double (None where there is no number); `exact`, where the value
    is rational; `shown`, as the page prints it; `formula`, in names of the forward pass, and the same as `latex`.
    `verified` says what came of holding the numbers against a second calculation.
    Raises DeriveError for an unknown name in the example's `only`, and where a step has no value.
    """
    problem = example.problem
    steps = [step for section in _sections(example) for step in section.steps]
    formulas = Formulas(example.derivation)
    listed = dict(_listed(example, [step.target for step in _walk(steps)]))
    return {
        "format": FORMAT,
        "title": problem.title,
        "kind": problem.kind,
        "rounding": _rounding(problem.rounding),
        "quantities": {key: _quantity(example, formulas, found) for key, found in listed.items()},
        "steps": [_step(example, step) for step in steps],
        "verified": checked(example).as_data(),
    }


def _sections(example: WorkedExample) -> list[Section]:
    if not example.options.only:
        return example.sections
    names = (example.shown_by(name) for name in example.options.only)
    return selected(example.derivation, [name for name in names if name])


def _rounding(rounding: Rounding) -> dict[str, Any]:
    kind = "decimals" if rounding.significant is None else "significant"
    return {kind: getattr(rounding, kind), "carry": rounding.carry, "mode": rounding.mode}


# --- which quantities ----------------------------------------------------------------------------------------------


def _listed(example: WorkedExample, shown: list[str]) -> Iterator[tuple[str, Reference]]:
    """Each key with the quantity that it stands for; further keys of the same quantity follow it."""
    for name in dict.fromkeys(_names(example, shown)):
        for key in (name, *_aliases(name, example.graph.root)):
            yield key, example.find(key)


def _names(example: WorkedExample, shown: list[str]) -> Iterator[str]:
    if example.options.only:
        asked = [_key(example, name) for name in example.options.only]
        yield from (*asked, *shown)
    elif example.options.forward:
        yield from (*_givens(example), *example.graph.forward())
    elif _is_large(example):
        yield from (*example.graph.forward(), *shown)
    else:
        yield from (*_givens(example), *quantity_names(example), *_updated(example))


def _walk(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield from _walk(step.steps)
        yield step


def _is_large(example: WorkedExample) -> bool:
    graph = example.graph
    return isinstance(graph, NetworkGraph) and graph.network.parameter_count() > MANY_PARAMETERS


def _key(example: WorkedExample, name: str) -> str:
    """The canonical name of what somebody asked for: w5_new for w5', E_new for E@1."""
    found = example.find(name)
    is_new = found.step == 1 and (found.name == example.graph.root or example.derivation.is_carried(found.name))
    return f"{found.name}_new" if is_new else str(found)


def _aliases(name: str, root: str | None) -> tuple[str, ...]:
    """Other names of the same quantity: delta_o1 for dE/dnet_o1, w5@1 for w5_new."""
    pair = split_derivative(name)
    if pair and pair[0] == root and pair[1].startswith("net_"):
        return ("delta_" + pair[1].removeprefix("net_"),)
    if not pair and name.endswith("_new"):
        return (f"{name.removesuffix('_new')}@1",)
    return ()


def _givens(example: WorkedExample) -> Iterator[str]:
    graph = example.graph
    if isinstance(graph, NetworkGraph):
        for sample in graph.samples:
            given = (*graph.network.inputs, *graph.network.targets)
            yield from (name + sample_suffix(sample) for name in given)
    yield from graph.leaves()
    if isinstance(graph, LossGraph):
        yield from graph.targets
    if example.problem.update:
        yield "eta"
        yield from example.derivation.updates.constants()
        yield from example.derivation.updates.remembered(example.derivation.updated())


def _updated(example: WorkedExample) -> Iterator[str]:
    """The loss after the first update; every parameter, the forward pass and every δ after each."""
    update = example.problem.update
    if update is None or example.graph.root is None:
        return
    yield f"{example.graph.root}_new"
    steps = range(1, update.steps + 1) if update.steps <= EVERY_STEP else (1, update.steps)
    forward = tuple(example.graph.forward())
    deltas = tuple("delta_" + name.removeprefix("net_") for name in forward if name.startswith("net_"))
    derivation = example.derivation
    carried = [name for name in derivation.computed(derivation.updated()) if not derivation.is_updated(name)]
    between = range(2, update.steps) if EVERY_STEP < update.steps <= EVERY_PARAMETER else ()
    for step in steps:
        yield from (f"{name}@{step}" for name in (*example.graph.leaves(), *carried, *forward, *deltas))
    for step in between:
        yield from (f"{name}@{step}" for name in (*example.graph.leaves(), example.graph.root))


# --- a quantity ----------------------------------------------------------------------------------------------------


def _quantity(example: WorkedExample, formulas: Formulas, found: Reference) -> dict[str, Any]:
    values = example.values_after(found.step)
    formula = formulas.formula(found.name, found.step)
    try:
        value, exact, shown = values.double(found.name), values.exact(found.name), example.written(found.name, values)
    except Undefined:
        value, exact, shown = None, None, None
    entry: dict[str, Any] = {"value": value}
    if exact is not None:
        entry["exact"] = str(exact)
    text = (shown or found.name) if formula is None else write(formula)
    latex = (shown or _latex(example, Name(found.name))) if formula is None else _latex(example, formula)
    return {**entry, "shown": shown, "formula": text, "latex": latex}


def _latex(example: WorkedExample, formula: Expr) -> str:
    return print_formula(formula, "latex", lambda name: symbol(name, "latex", example.problem.notation))


# --- a step --------------------------------------------------------------------------------------------------------


def _step(example: WorkedExample, step: Step) -> dict[str, Any]:
    lines = [entry for line in step.lines for entry in _lines(example, line)]
    return {
        "rule": step.rule,
        "target": step.target,
        "lines": lines,
        "steps": [_step(example, inner) for inner in step.steps],
    }


def _lines(example: WorkedExample, line: Line) -> Iterator[dict[str, Any]]:
    """One entry for each way in which the target is written, from the general to the definition."""
    shown = example.written(line.target)
    if line.differentiated:
        definition, wrt = line.differentiated
        yield {"symbolic": f"d/d{wrt} ({_symbolic(example, definition)})", "substituted": None, "shown": shown}
    for form in line.forms:
        numbers = _substituted(example, form) if form == line.forms[-1] or _carries_full(example) else None
        yield {"symbolic": _symbolic(example, form), "substituted": numbers, "shown": shown}


def _carries_full(example: WorkedExample) -> bool:
    """Where displayed numbers are carried on, only the definition itself gives the number shown."""
    return example.problem.rounding.carry == "full"


def _symbolic(example: WorkedExample, form: Expr) -> str:
    return print_formula(form, "ascii", str) if _stays_series(example, form) else write(form)


def _substituted(example: WorkedExample, form: Expr) -> str | None:
    """The form with numbers for names; None where no name in it has a number, and for a Σ that stays one."""
    if _stays_series(example, form):
        return None
    numbers = {name: example.written(name) for name in names_in(form)}
    if not any(numbers.values()):
        return None
    return print_formula(expanded(form), "ascii", lambda name: numbers[name] or name)


def _stays_series(example: WorkedExample, form: Expr) -> bool:
    return not example.options.expand and _has_series(form)


def _has_series(expr: Expr) -> bool:
    return isinstance(expr, Series) or any(_has_series(part) for part in children(expr))
