"""Slips in the run of a perceptron: the threshold, the rule, the bias, the order of things."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derive.check.mistakes.scene import Every, Scene, Slip, slip
from derive.check.mistakes.trees import negated, renamed, text
from derive.derivation.chain_rule import Quantity
from derive.derivation.graph import split_sample
from derive.derivation.perceptron import PerceptronGraph
from derive.formula.expression import (
    ZERO,
    Call,
    Cases,
    Condition,
    Expr,
    Name,
    add,
    multiply,
    names_in,
    number,
    replace_names,
    subtract,
)


def perceptron(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in out[i] and in the weights after presentation i."""
    graph = scene.graph
    head, place = split_sample(quantity.name)
    if not isinstance(graph, PerceptronGraph) or not place or quantity.definition is None:
        return
    if head == "out":
        yield from _out(graph, quantity, place)
    elif head in graph.perceptron.parameters:
        yield from _update(graph, quantity, head, place)


def sums(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in net[i] that come of the order of things: weights from the wrong time, the wrong point."""
    graph = scene.graph
    _, place = split_sample(quantity.name)
    if not isinstance(graph, PerceptronGraph) or quantity.definition is None or not graph.perceptron.target:
        return
    shape = graph.perceptron
    before = {name: graph.before(name, place).name for name in shape.parameters}
    for mistake, earlier in (("start-weights-used", 1), ("weights-of-epoch-start", _epoch_start(graph, place)),
                        ("weights-before-last-update", place - 1)):  # fmt: skip
        if not 1 <= earlier < place:
            continue
        names = {now: graph.before(name, earlier).name for name, now in before.items()}
        yield slip(mistake, quantity, renamed(quantity.definition, names), "all", used=next(iter(names.values())))
    points = {graph.run.point(place) % shape.samples + 1, (graph.run.point(place) - 2) % shape.samples + 1}
    for point in sorted(points - {graph.run.point(place)}):
        names = {graph.input(name, place).name: shape.of_point(name, point) for name in shape.inputs}
        yield slip("wrong-sample", quantity, renamed(quantity.definition, names), "",
                   right=str(graph.run.point(place)), used=str(point))  # fmt: skip


def _epoch_start(graph: PerceptronGraph, place: int) -> int:
    """The presentation that begins the epoch of this one, in a run that goes round and round."""
    return place - (place - 1) % graph.perceptron.samples


def _out(graph: PerceptronGraph, quantity: Quantity, place: int) -> Iterator[Slip]:
    definition = quantity.definition
    if not isinstance(definition, Cases):
        return
    lower, upper = (number(label) for label in graph.perceptron.labels)
    net = Name(f"net[{place}]")
    for relation in (">", ">="):
        other = Cases(((upper, Condition(net, relation, ZERO)),), lower)
        if other != definition:
            yield replace(slip("threshold-at-zero", quantity, other, relation, net=net.name), convention=True)
    sign = Cases(((upper, Condition(net, ">", ZERO)), (lower, Condition(net, "<", ZERO))), ZERO)
    if sign != definition:
        yield replace(slip("threshold-at-zero", quantity, sign, "sign", net=net.name), convention=True)
    yield slip("threshold-turned-round", quantity, Cases(((lower, Condition(net, ">=", ZERO)),), upper), "all",
               net=net.name)  # fmt: skip
    yield slip("net-for-output", quantity, net, "all", used=net.name, right=quantity.name)
    yield slip("activation-left-out", quantity, net, "all", activation="step", net=net.name)
    sigmoid = Call("sigmoid", (net,))
    yield slip("another-activation", quantity, sigmoid, "sigmoid", activation="step", used="sigmoid")
    labels = Cases(((number(1), Condition(net, ">=", ZERO)),), number(-1 if lower == ZERO else 0))
    yield replace(slip("labels-convention", quantity, labels, "all", net=net.name), convention=True)
    one = Cases(((upper, Condition(net, ">=", number("0.5"))),), lower)
    yield slip("threshold-elsewhere", quantity, one, "half", net=net.name)


def _update(graph: PerceptronGraph, quantity: Quantity, head: str, place: int) -> Iterator[Slip]:
    shape, definition = graph.perceptron, quantity.definition
    assert definition is not None
    assert shape.target is not None
    old, wanted, out = graph.before(head, place), graph.input(shape.target, place), Name(f"out[{place}]")
    is_bias = head == shape.bias
    feeds: Expr = shape.bias_input if is_bias else graph.input(shape.inputs[shape.weights.index(head)], place)
    eta, error = Name("eta"), subtract(wanted, out)
    if shape.update != "difference":
        error = Cases(((wanted, Condition(multiply(wanted, out), "<=", ZERO)),), ZERO)
    words = {"parameter": head, "output": out.name, "target": wanted.name}
    ways: list[tuple[str, Expr]] = [
        ("error-turned-round", add(old, multiply(eta, negated(error), feeds))),
        ("rate-left-out", add(old, multiply(error, feeds))),
        ("rate-used-twice", add(old, multiply(eta, eta, error, feeds))),
        ("not-updated", old),
        ("old-weight-left-out", multiply(eta, error, feeds)),
        ("absolute-error", add(old, multiply(eta, Call("abs", (error,)), feeds))),
        ("input-left-out", add(old, multiply(eta, error))),
        ("updated-on-right-answer", add(old, multiply(eta, wanted, feeds))),
        ("target-left-out", add(old, multiply(eta, negated(out), feeds))),
        ("net-for-output", add(old, multiply(eta, subtract(wanted, Name(f"net[{place}]")), feeds))),
        ("step-times-old-weight", add(old, multiply(eta, error, feeds, old))),
        ("half-too-many", add(old, multiply(number("0.5"), eta, error, feeds))),
        ("two-too-many", add(old, multiply(number(2), eta, error, feeds))),
        ("input-added", add(old, multiply(eta, feeds))),
        ("input-subtracted", subtract(old, multiply(eta, feeds))),
    ]
    if is_bias:
        inputs = (graph.input(name, place) for name in shape.inputs)
        ways += [("bias-times-input", add(old, multiply(eta, error, each))) for each in inputs]
    else:
        ways += [
            ("wrong-input", add(old, multiply(eta, error, graph.input(name, place))))
            for name in shape.inputs
            if graph.input(name, place) != feeds
        ]
        ways.append(("weight-for-input", add(old, multiply(eta, error, old))))
    for mistake, wrong in ways:
        kind = Every((mistake, is_bias), mistake) if "input" not in mistake else _unnumbered(mistake, wrong, head)
        extra = {"net": f"net[{place}]", "right": text(feeds), "used": text(wrong), "input": text(feeds), "bias": head,
                 "weight": head, "rate": "eta", "factor": "eta", "part": text(error)}  # fmt: skip
        if mistake == "net-for-output":
            extra |= {"used": f"net[{place}]", "right": out.name}
        if mistake == "not-updated" and is_bias:
            mistake = "bias-not-updated"
        yield slip(mistake, quantity, wrong, kind, **words, **extra)
    yield from _other_rule(graph, quantity, old, wanted, out, feeds)
    yield from _carried(graph, quantity, head, place, old)


def _unnumbered(mistake: str, wrong: Expr, head: str) -> Every:
    """The same at each presentation, for one parameter and for all of them."""
    inputs = ",".join(sorted({split_sample(name)[0] for name in names_in(wrong)}))
    return Every((head, inputs), mistake)


def _other_rule(
    graph: PerceptronGraph, quantity: Quantity, old: Expr, wanted: Expr, out: Expr, feeds: Expr
) -> Iterator[Slip]:
    """Labels -1 and 1: the error y - o, which is 0 or ±2, against the label itself after a wrong answer."""
    eta, by_label = Name("eta"), graph.perceptron.update != "difference"
    if -1 not in graph.perceptron.labels:
        return
    difference = add(old, multiply(eta, subtract(wanted, out), feeds))
    label = Cases(((add(old, multiply(eta, wanted, feeds)), Condition(multiply(wanted, out), "<=", ZERO)),), old)
    used, right = (subtract(wanted, out), wanted) if by_label else (wanted, subtract(wanted, out))
    found = slip("rule-convention", quantity, difference if by_label else label, "all", used=text(used),
                 right=text(right))  # fmt: skip
    yield replace(found, convention=True)


def _carried(graph: PerceptronGraph, quantity: Quantity, head: str, place: int, old: Name) -> Iterator[Slip]:
    """The old weight taken from the start instead of from the presentation before."""
    assert quantity.definition is not None
    start = graph.before(head, 1)
    if old != start:
        names: dict[str, Expr] = {old.name: start}
        yield slip("start-weights-used", quantity, replace_names(quantity.definition, names), "all", used=start.name)
