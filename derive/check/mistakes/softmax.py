"""Slips in softmax and in its Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from derive.check.mistakes.activations import general
from derive.check.mistakes.scene import Scene, Slip, slip
from derive.check.mistakes.trees import negated, text
from derive.derivation.chain_rule import Quantity, split_derivative
from derive.derivation.graph import split_sample
from derive.formula.expression import (
    ONE,
    TWO,
    ZERO,
    Call,
    Expr,
    Name,
    Negative,
    Power,
    Product,
    Quotient,
    Sum,
    add,
    multiply,
    names_in,
    number,
    subtract,
)

Nets = Sequence[Expr]


def softmax(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in exp(net_i)/Σ exp(net_j)."""
    nets = softmax_nets(quantity.definition)
    if nets is None:
        yield from general(scene, quantity)
        return
    own, everything = nets
    words = {"output": quantity.name, "net": text(own), "part": text(_exp(own)), "activation": "softmax"}
    for mistake, wrong in _WRONG:
        yield slip(mistake, quantity, wrong(own, everything), "all", **words)
    for other in everything:
        if other != own:
            wrong_net = Quotient(_exp(other), add(*map(_exp, everything)))
            yield slip("wrong-input", quantity, wrong_net, "", right=text(own), used=text(other))
            left = add(*(_exp(net) for net in everything if net != other))
            yield slip("softmax-term-left-out", quantity, Quotient(_exp(own), left), "", term=text(_exp(other)))
    yield from _over_samples(scene, quantity, own)


def softmax_nets(definition: Expr | None) -> tuple[Expr, tuple[Expr, ...]] | None:
    """(own, all) of exp(own)/(exp(…) + …)."""
    if not isinstance(definition, Quotient) or not isinstance(definition.top, Call):
        return None
    if not isinstance(definition.bottom, Sum):
        return None
    calls = [term for term in definition.bottom.terms if isinstance(term, Call) and term.function == "exp"]
    if len(calls) < len(definition.bottom.terms):
        return None
    return definition.top.args[0], tuple(call.args[0] for call in calls)


def _exp(net: Expr) -> Expr:
    return Call("exp", (net,))


def _others(own: Expr, nets: Nets) -> list[Expr]:
    """All nets but one time the own."""
    left = list(nets)
    left.remove(own)
    return left


def _share(own: Expr, nets: Nets, of: Callable[[Expr], Expr]) -> Expr:
    return Quotient(of(own), add(*map(of, nets)))


_WRONG: tuple[tuple[str, Callable[[Expr, Nets], Expr]], ...] = (
    ("softmax-without-exp", lambda own, nets: Quotient(own, add(*nets))),
    ("softmax-not-divided", lambda own, nets: _exp(own)),
    ("softmax-own-term-left-out", lambda own, nets: Quotient(_exp(own), add(*map(_exp, _others(own, nets))))),
    ("softmax-by-the-largest", lambda own, nets: Quotient(_exp(own), _exp(Call("max", tuple(nets))))),
    ("sigmoid-for-softmax", lambda own, nets: Call("sigmoid", (own,))),
    ("activation-left-out", lambda own, nets: own),
    ("argument-sign-turned", lambda own, nets: _share(own, nets, lambda net: _exp(negated(net)))),
    ("exponential-to-base-10", lambda own, nets: _share(own, nets, lambda net: Power(number(10), net))),
    ("exponential-to-base-2", lambda own, nets: _share(own, nets, lambda net: Power(TWO, net))),
    ("sum-averaged", lambda own, nets: multiply(number(len(nets)), _share(own, nets, _exp))),
    ("absolute-value", lambda own, nets: _share(own, nets, lambda net: Call("abs", (net,)))),
    ("exponential-squared", lambda own, nets: _share(own, nets, lambda net: Power(net, TWO))),
    ("fraction-turned-round", lambda own, nets: Quotient(add(*map(_exp, nets)), _exp(own))),
    ("exponential-of-the-sum", lambda own, nets: Quotient(_exp(own), _exp(add(*nets)))),
)


def _over_samples(scene: Scene, quantity: Quantity, own: Expr) -> Iterator[Slip]:
    """The sum over the samples of one output instead of the outputs of one sample."""
    network = scene.network
    if network is None or network.samples < 2 or not isinstance(own, Name):
        return
    head, _ = split_sample(own.name)
    column = [Name(f"{head}[{sample}]") for sample in range(1, network.samples + 1)]
    yield slip("softmax-over-samples", quantity, _share(own, column, _exp), "all", output=quantity.name)


# --- the Jacobian ----------------------------------------------------------------------------------------------------


def jacobian(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in ∂out_i/∂net_j of a network or of a loss with logits."""
    pair = split_derivative(quantity.name)
    if pair is None or quantity.definition is None:
        return
    outputs = list(dict.fromkeys(names_in(quantity.definition)))
    if len(outputs) == 1:
        yield from _diagonal(quantity, Name(outputs[0]), Name(pair[1]))
    elif len(outputs) == 2:
        yield from _off_diagonal(quantity, Name(outputs[0]), Name(outputs[1]))
    else:
        yield from general(scene, quantity)


def _diagonal(quantity: Quantity, a: Name, z: Name) -> Iterator[Slip]:
    words = {"activation": "softmax", "output": a.name, "net": z.name, "part": f"{a.name}*(1 - {a.name})"}
    yield slip("output-for-slope", quantity, a, "all", **words)
    yield slip("slope-without-a-factor", quantity, subtract(ONE, a), "all", **words)
    yield slip("factor-left-out", quantity, ONE, "slope", factor=quantity.name)
    yield slip("slope-of-net-for-output", quantity, multiply(z, subtract(ONE, z)), "all", **words)
    yield slip("jacobian-like-off-diagonal", quantity, Negative(Product((a, a))), "all", **words)
    yield slip("sign-turned", quantity, multiply(a, subtract(a, ONE)), "all", **words)
    yield slip("slope-of-another-activation", quantity, subtract(ONE, Power(a, TWO)), "tanh", used="tanh", **words)


def _off_diagonal(quantity: Quantity, a: Name, b: Name) -> Iterator[Slip]:
    words = {"part": f"-{a.name}*{b.name}", "output": a.name, "other": b.name}
    yield slip("jacobian-diagonal-only", quantity, ZERO, "all", **words)
    yield slip("sign-lost", quantity, Product((a, b)), "all", **words)
    for own, used in ((a, b), (b, a)):
        wrong = multiply(own, subtract(ONE, used))
        yield slip("jacobian-like-diagonal", quantity, wrong, "", **words)
    yield slip("jacobian-like-diagonal", quantity, multiply(a, subtract(ONE, a)), "all", **words)


def jacobian_at_point(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """The same for df1/dz2(1,2,3)."""
    outputs = list(dict.fromkeys(names_in(quantity.definition))) if quantity.definition is not None else []
    if len(outputs) == 1:
        value = scene.definition(outputs[0])
        nets = softmax_nets(value)
        net = nets[0] if nets else ONE
        for each in _diagonal(quantity, Name(outputs[0]), Name(outputs[0])):
            if each.id != "slope-of-net-for-output":
                yield each
        wrong = multiply(net, subtract(ONE, net))
        yield slip("slope-of-net-for-output", quantity, wrong, "all", net=text(net), output=outputs[0],
                   activation="softmax")  # fmt: skip
    elif len(outputs) == 2:
        yield from _off_diagonal(quantity, Name(outputs[0]), Name(outputs[1]))
    else:
        yield from general(scene, quantity)
