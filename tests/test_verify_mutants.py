"""Nothing that is broken on purpose goes unnoticed: every row of every table, and the code of the chain rule.

A mutant is off by a millionth, has the wrong sign, or lacks a term.  The line of a page and the command both find it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from derive.catalogue import recipes
from derive.catalogue.activations import ACTIVATIONS, BY_FUNCTION, Activation, Vector
from derive.catalogue.losses import LOSSES, Loss
from derive.catalogue.optimizers import OPTIMIZERS, UNUSED, USED, Line, Optimizer
from derive.catalogue.recipes import SCHEDULES
from derive.cli import cli
from derive.derivation.chain_rule import Derivation
from derive.derivation.network import NetworkGraph
from derive.formula.expression import Expr, Name, Negative, Product, Sum, add, number, rebuild
from derive.formula.grammar import read, write
from derive.problem import rule
from derive.problem.file import from_dict, loads
from derive.verify.checked import checked
from derive.verify.table import verified
from derive.worked import WorkedExample

SLIGHTLY = "1.000001"


def offsets(text: str) -> Iterator[str]:
    """A formula off by a factor, by its sign, by a little."""
    if text != "0":
        yield f"{SLIGHTLY}*({text})"
        yield f"-({text})"
    yield f"({text}) + 0.000001"


def dropped(text: str) -> str | None:
    """The formula without the last term of the first sum in it; None where there is none."""
    found: list[Expr] = []

    def without(expr: Expr) -> Expr:
        if found or not isinstance(expr, Sum):
            return rebuild(expr, without)
        found.append(expr)
        return add(*expr.terms[:-1])

    tree = without(read(text))
    return write(tree) if found else None


def is_found(problem: dict[str, Any], by: str = "mlp") -> None:
    """The page and the table say so; `by` is a witness that has to notice besides the difference quotients."""
    assert not checked(WorkedExample(from_dict(problem))).agrees, "the page's line says nothing"
    table = verified(WorkedExample(from_dict(problem)), torch=False)
    witnesses = {witness for line in table.wrong for witness in line.wrong}
    assert {"again", by} <= witnesses, witnesses


# -- activations

SCALARS = [name for name, row in ACTIVATIONS.items() if not row.vector]
POINTS = {"thresholded-relu": 1.5}


def broken(monkeypatch: pytest.MonkeyPatch, row: Activation) -> None:
    monkeypatch.setitem(ACTIVATIONS, row.name, row)
    monkeypatch.setitem(BY_FUNCTION, row.function, row)


def at_points(name: str) -> dict[str, Any]:
    return {"kind": "activation", "activation": name, "at": [POINTS.get(name, 0.7), -0.6]}


def in_network(name: str) -> dict[str, Any]:
    """The hidden layer has it, with net inputs on both sides of every kink."""
    weight = 2 * POINTS.get(name, 0.7)
    return {
        "inputs": [0.5, -0.25], "targets": [0.3],
        "layers": [
            {"neurons": 2, "activation": name, "weights": [[weight, 0.1], [-0.9, 0.4]]},
            {"neurons": 1, "activation": "linear", "weights": [[0.7, -0.4]]},
        ],
    }  # fmt: skip


@pytest.mark.parametrize("problem", [at_points, in_network])
@pytest.mark.parametrize("name", SCALARS)
def test_unbroken_activations_agree(name: str, problem: Callable[[str], dict[str, Any]]) -> None:
    assert checked(WorkedExample(from_dict(problem(name)))).agrees
    assert verified(WorkedExample(from_dict(problem(name))), torch=False).agrees


@pytest.mark.parametrize("name", SCALARS)
def test_derivatives_of_activations(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ACTIVATIONS[name]
    for text in offsets(row.derivative):
        broken(monkeypatch, replace(row, derivative=text))
        is_found(at_points(name))
        is_found(in_network(name))


SUMS = [name for name in SCALARS if dropped(ACTIVATIONS[name].derivative)]


@pytest.mark.parametrize("name", SUMS)
def test_derivatives_that_lack_a_term(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ACTIVATIONS[name]
    text = dropped(row.derivative)
    assert text is not None
    broken(monkeypatch, replace(row, derivative=text))
    is_found(at_points(name))
    is_found(in_network(name))


LOSS_SUMS = [
    name
    for name, row in LOSSES.items()
    if row.derivative and "_i(" not in row.derivative and "_j(" not in row.derivative and dropped(row.derivative)
    if name != "huber"
]
"""The first sum in the slope of the Huber loss stands in a condition."""


@pytest.mark.parametrize("name", LOSS_SUMS)
def test_slopes_of_losses_that_lack_a_term(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = LOSSES[name]
    text = dropped(row.derivative)
    assert text is not None
    monkeypatch.setitem(LOSSES, name, replace(row, derivative=text))
    assert not checked(WorkedExample(from_dict(of_loss(row)))).agrees
    assert not verified(WorkedExample(from_dict(of_loss(row))), torch=False).agrees


@pytest.mark.parametrize("name", [name for name in SCALARS if name != "linear"])
def test_formulas_of_activations(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linear has none: its output is the net input itself."""
    row = ACTIVATIONS[name]
    for text in offsets(row.numeric or row.formula):
        broken(monkeypatch, replace(row, formula=text, numeric=""))
        is_found(at_points(name))
        is_found(in_network(name))


@pytest.mark.parametrize("name", [name for name, row in ACTIVATIONS.items() if row.vector])
def test_vector_activations(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ACTIVATIONS[name]
    assert row.vector is not None
    output, slope = row.vector.output, row.vector.slope

    def larger(made: Callable[..., Expr]) -> Callable[..., Expr]:
        return lambda *args: Product((number(SLIGHTLY), made(*args)))

    mutants = [Vector(larger(output), slope, row.vector.single)]
    if slope:
        mutants += [replace(row.vector, slope=larger(slope)), replace(row.vector, slope=lambda *a: Negative(slope(*a)))]
    for mutant in mutants:
        broken(monkeypatch, replace(row, vector=mutant))
        is_found({"kind": "activation", "activation": name, "at": [[0.3, 1.1, -0.4]]})


# -- losses

OUTPUTS = {"signs": ([0.3, -0.4], [1, -1]), "sum-to-one": ([0.3, -0.4, 0.2], [0, 1, 0])}
USUAL = ([0.35, 0.2, 0.45], [0.25, 0.6, 0.15])


def of_loss(row: Loss, **more: Any) -> dict[str, Any]:
    predictions, targets = OUTPUTS.get(row.targets, USUAL)
    if row.name == "huber":
        predictions = [2.5, *predictions[1:]]
    if row.name in ("categorical-hinge", "multiclass-hinge"):
        targets = [0, 1, 0]
    return {"kind": "loss", "loss": row.name, "predictions": predictions, "targets": targets, **more}


def with_formula(row: Loss, field: str, text: str) -> Loss:
    match field:
        case "part":
            return replace(row, part=text)
        case "whole":
            return replace(row, whole=text)
        case _:
            return replace(row, derivative=text)


def mutants(row: Loss) -> Iterator[tuple[Loss, dict[str, Any]]]:
    """Each field that holds a formula, broken in each way, with a problem that uses it."""
    for field in ("part", "whole", "derivative"):
        for text in offsets(getattr(row, field)) if getattr(row, field) else ():
            yield with_formula(row, field, text), of_loss(row)
    for text in offsets(row.cancelled) if row.cancels else ():
        yield replace(row, cancelled=text), of_loss(row, activation=row.cancels)
    for target, slope in row.edges if row.outputs == "probability" else ():  # an output of Poisson loss is never 0
        for text in offsets(slope):
            edges = ((target, text), *((other, kept) for other, kept in row.edges if other != target))
            at = {"predictions": [int(target)], "targets": [int(target)]}
            yield replace(row, edges=edges), of_loss(row) | at


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = LOSSES[name]
    assert checked(WorkedExample(from_dict(of_loss(row)))).agrees
    for mutant, problem in mutants(row):
        monkeypatch.setitem(LOSSES, name, mutant)
        found = checked(WorkedExample(from_dict(problem)))
        assert not found.agrees, mutant
    assert not verified(WorkedExample(from_dict(problem)), torch=False).agrees


@pytest.mark.parametrize("name", [name for name, row in LOSSES.items() if row.outputs != "above-minus-one"])
def test_losses_in_networks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = LOSSES[name]
    outputs = "linear" if row.outputs == "any" else "sigmoid"
    targets = {"signs": [1, -1]}.get(row.targets, [0, 1] if row.labels else [0.3, 0.6])
    problem = {
        "inputs": [0.5, -0.2], "targets": targets, "loss": name,
        "layers": [{"neurons": 2, "activation": outputs, "weights": [[0.3, 0.4], [-0.2, 0.6]]}],
    }  # fmt: skip
    assert checked(WorkedExample(from_dict(problem))).agrees
    field = "derivative" if row.derivative else "whole"
    mutant = with_formula(row, field, f"{SLIGHTLY}*({getattr(row, field)})")
    monkeypatch.setitem(LOSSES, name, replace(mutant, cancels=""))
    is_found(problem)


# -- optimizers, schedules, clipping


def settings_for(row: Optimizer, when: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The optimizer with conventions under which a line is used."""
    choices = {choice.key: choice for choice in row.all_choices()}
    chosen: dict[str, Any] = {"name": row.name}
    for key, allowed in when:
        option = allowed.split("|")[0]
        if key in choices:
            chosen[key] = option == "true" if choices[key].is_flag else option
        else:
            chosen[key] = {USED: 0.5, UNUSED: 0}[option]
    return chosen


def updates(optimizer: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "kind": "optimizer", "optimizer": optimizer, "learning_rate": 0.1, "parameters": {"w": 0.5, "u": -0.8},
        "gradients": [[0.4, -0.3], [0.3, 0.25], [-0.2, 0.1]], **more,
    }  # fmt: skip


def off(line: Line) -> Iterator[Line]:
    """A line off by a millionth, and with its sign changed; a new parameter off by a share of the old one."""
    if line.target == "w":
        yield replace(line, formula=f"{line.formula} - 0.000001*w")
        yield replace(line, formula=f"w + 1.000001*(({line.formula}) - w)")
    else:
        yield replace(line, formula=f"{SLIGHTLY}*({line.formula})")
        yield replace(line, formula=f"({line.formula}) + 0.000001")


LINES = [(name, place) for name, row in OPTIMIZERS.items() for place in range(len(row.lines))]


@pytest.mark.parametrize(("name", "place"), LINES)
def test_lines_of_optimizers(name: str, place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    row = OPTIMIZERS[name]
    line = row.lines[place]
    problem = updates(settings_for(row, line.when))
    assert checked(WorkedExample(from_dict(problem))).agrees
    for mutant in off(line):
        lines = (*row.lines[:place], mutant, *row.lines[place + 1 :])
        monkeypatch.setitem(OPTIMIZERS, name, replace(row, lines=lines))
        is_found(problem)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "sgd"])
def test_states_that_start_elsewhere(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = OPTIMIZERS[name]
    states = tuple(replace(state, start="0.001") for state in row.states)
    monkeypatch.setitem(OPTIMIZERS, name, replace(row, states=states))
    is_found(updates({"name": name}))


SCHEDULED: dict[str, dict[str, float]] = {
    "step": {"every": 2},
    "exponential": {"factor": 0.5},
    "cosine": {"over": 4},
    "inverse-time": {"factor": 2},
}


@pytest.mark.parametrize("name", SCHEDULED)
def test_schedules(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = SCHEDULES[name]
    problem = updates({"name": "sgd"}, schedule={"name": name, **SCHEDULED[name]})
    assert checked(WorkedExample(from_dict(problem))).agrees
    for text in offsets(row.formula):
        monkeypatch.setitem(SCHEDULES, name, replace(row, formula=text))
        is_found(problem)


@pytest.mark.parametrize(
    ("lines", "more", "decay"),
    [
        ("_CLIPPED_BY_VALUE", {"clip_value": 0.2}, 0),
        ("_CLIPPED_BY_NORM", {"clip_norm": 0.2}, 0),
        ("_CLIPPED_BY_NORM", {"clip_norm": 0.2, "clip_epsilon": 0.01}, 0),
        ("_COUPLED_DECAY", {}, 0.1),
    ],
)
def test_clipping_and_decay(lines: str, more: dict[str, Any], decay: float, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = updates({"name": "momentum", "weight_decay": decay}, **more)
    assert checked(WorkedExample(from_dict(problem))).agrees
    rows = getattr(recipes, lines)
    used = {line.target for line in WorkedExample(from_dict(problem)).problem.body.recipe.lines()}  # type: ignore[attr-defined]
    for place, line in enumerate(rows):
        if line.target in used and not _is_other(line, more):
            mutant = (*rows[:place], replace(line, formula=f"{SLIGHTLY}*({line.formula})"), *rows[place + 1 :])
            monkeypatch.setattr(recipes, lines, mutant)
            is_found(problem)


def _is_other(line: Line, more: dict[str, Any]) -> bool:
    """Whether a line is for the other setting of clip_epsilon."""
    return dict(line.when).get("clip_epsilon") == (UNUSED if "clip_epsilon" in more else USED)


def test_decoupled_decay_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "_with_decay", lambda update, _: update)
    is_found(updates({"name": "adamw"}))


# -- the chain rule and the graph

SHARED = """
inputs = [[0.5, -0.2], [0.1, 0.7]]
targets = [[0.3, 0.9], [0.8, 0.1]]
l2 = 0.1
[[layers]]
neurons = 2
activation = "tanh"
weights = [[0.4, -0.3], [0.2, 0.4]]
weight_names = [["s", "w2"], ["w3", "s"]]
bias = 0.1
[[layers]]
neurons = 2
activation = "softmax"
weights = [[0.4, 0.6], [-0.5, 0.4]]
weight_names = [["s", "w4"], ["w5", "s"]]
bias = [0.3, -0.2]
[update]
learning_rate = 0.5
steps = 2
"""


def without_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    true = Derivation._terms

    def terms(self: Derivation, top: str, bottom: str, through: list[str]) -> list[Expr]:
        return true(self, top, bottom, through[:-1] if len(through) > 1 else through)

    monkeypatch.setattr(Derivation, "_terms", terms)


def shared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    true = NetworkGraph._users
    monkeypatch.setattr(NetworkGraph, "_users", lambda self, name: true(self, name)[:1])


def without_a_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    true = Derivation._factors_to
    monkeypatch.setattr(Derivation, "_factors_to", lambda self, top, child: true(self, top, child)[:0])


def one_neuron_fed(monkeypatch: pytest.MonkeyPatch) -> None:
    true = NetworkGraph._fed_by
    monkeypatch.setattr(NetworkGraph, "_fed_by", lambda self, *place: true(self, *place)[:1])


def own_net_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Softmax as if each output hung on its own net input alone."""
    true = NetworkGraph._outs_of

    def outs_of(self: NetworkGraph, place: Any) -> tuple[str, ...]:
        outs = true(self, place)
        return outs if len(outs) == 1 else (outs[place.position - 1],)

    monkeypatch.setattr(NetworkGraph, "_outs_of", outs_of)


def sum_for_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    def over_samples(self: NetworkGraph) -> Expr:
        return add(*(Name(f"E[{sample}]") for sample in self.samples))

    monkeypatch.setattr(NetworkGraph, "_over_samples", over_samples)


def penalty_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    true = NetworkGraph._penalty
    monkeypatch.setattr(NetworkGraph, "_penalty", lambda self: Product((number(2), true(self))))


def wrong_local_slope(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a weighted sum by a weight: the weight itself in place of what it is multiplied by."""
    true = Derivation.local

    def local(self: Derivation, node: Any, parent: str) -> Expr:
        return Name(parent) if node.rule == "weighted-sum" and parent == "w2" else true(self, node, parent)

    monkeypatch.setattr(Derivation, "local", local)


BREAKAGES = [
    without_a_path, shared_once, without_a_factor, one_neuron_fed, own_net_only, sum_for_mean, penalty_doubled,
    wrong_local_slope,
]  # fmt: skip


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_the_chain_rule(breakage: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(loads_example()).agrees
    breakage(monkeypatch)
    assert not checked(loads_example()).agrees
    wrong = {witness for line in verified(loads_example(), torch=False).wrong for witness in line.wrong}
    assert wrong == {"mlp", "again"}


def loads_example() -> WorkedExample:
    return WorkedExample(loads(SHARED))


def test_an_expression_without_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'kind = "expression"\n[given]\nx = 2\n[define]\na = "x^2"\nb = "3*x"\nf = "a*b + x"\n'
    assert checked(WorkedExample(loads(text))).agrees
    without_a_path(monkeypatch)
    assert "dE" not in text
    assert "df/dx" in checked(WorkedExample(loads(text))).wrong


# -- what a user sees


def test_page_and_command_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ACTIVATIONS["sigmoid"]
    broken(monkeypatch, replace(row, derivative=f"{SLIGHTLY}*({row.derivative})"))
    example = WorkedExample(from_dict(in_network("sigmoid")))
    for page in (example.text(), example.markdown(), example.latex()):
        assert "WARNING: do not rely on this page" in " ".join(page.split())
    verdict = example.json()["verified"]
    assert verdict["agrees"] is False
    assert "dE/dw1" in verdict["disagree"]
    found = CliRunner().invoke(cli, ["verify", "backprop-2-2-1", "--no-torch"])
    assert found.exit_code == 1
    assert "DIFFER" in found.output
    assert "DISAGREE: dE/dnet_o1" in found.output


def test_a_random_network_that_disagrees_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    row = LOSSES["half-squared-error"]
    monkeypatch.setitem(LOSSES, row.name, replace(row, derivative="t - o"))
    found = CliRunner().invoke(cli, ["verify", "--random", "2", "--seed", "7", "--no-torch"])
    assert found.exit_code == 1
    assert "Random network 0 of seed 7 disagrees" in found.output
    text = found.output.partition("This problem file shows it:\n\n")[2].partition("\n\n2 random")[0]
    assert not checked(WorkedExample(loads(text))).agrees
