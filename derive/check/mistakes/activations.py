"""Slips in an activation and in its derivative; the formulas are texts in z (net input) and a (output)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derive.catalogue.activations import ACTIVATIONS, Activation
from derive.check.mistakes.scene import Scene, Slip, slip
from derive.check.mistakes.trees import filled, formula, negated, text, variants
from derive.derivation.chain_rule import Quantity, split_derivative
from derive.derivation.graph import sample_suffix, split_sample
from derive.derivation.points import PointsGraph
from derive.formula.expression import (
    ONE,
    TWO,
    Call,
    Cases,
    Expr,
    Name,
    Number,
    Power,
    multiply,
    names_in,
    number,
    subtract,
)

PLAUSIBLE: Mapping[str, tuple[str, ...]] = {
    "": ("sigmoid", "tanh", "relu", "step"),
    "linear": ("sigmoid", "tanh", "relu"),
    "relu": ("sigmoid", "tanh", "leaky-relu", "softplus", "step"),
    "leaky-relu": ("relu", "sigmoid", "tanh", "elu"),
    "elu": ("relu", "leaky-relu", "sigmoid"),
    "softplus": ("relu", "sigmoid"),
    "step": ("sigmoid",),
}
"""What somebody may take for an activation, "" for any other."""

OTHER_FORMS: Mapping[str, str] = {
    "hard-sigmoid": "hard-sigmoid-keras2", "hard-sigmoid-keras2": "hard-sigmoid",
    "gelu": "gelu-tanh", "gelu-tanh": "gelu",
}  # fmt: skip
"""Activations that go by the same name in two forms."""

VALUES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "sigmoid": (
        ("brackets-left-out", "1/1 + exp(-z)"),
        ("one-left-out", "1/exp(-z)"),
        ("minus-for-plus", "1/(1 - exp(-z))"),
        ("times-for-exponent", "1/(1 + exp(1)*(-z))"),
        ("exponential-to-base-10", "1/(1 + 10^(-z))"),
        ("exponential-to-base-2", "1/(1 + 2^(-z))"),
        ("exponential-left-out", "1/(1 + z)"),
        ("euler-rounded", "1/(1 + 2.7^(-z))"),
        ("euler-rounded", "1/(1 + 2.71^(-z))"),
        ("euler-rounded", "1/(1 + 2.72^(-z))"),
        ("euler-rounded", "1/(1 + 2.718^(-z))"),
    ),
    "tanh": (
        ("brackets-left-out", "exp(z) - exp(-z)/exp(z) + exp(-z)"),
        ("half-of-the-argument", "(exp(z) - 1)/(exp(z) + 1)"),
        ("twice-the-argument", "tanh(2*z)"),
        ("fraction-turned-round", "(exp(z) + exp(-z))/(exp(z) - exp(-z))"),
        ("divisor-left-out", "exp(z) - exp(-z)"),
        ("tangent-for-tanh", "sin(z)/cos(z)"),
        ("degrees-for-radians", "sin(z*pi/180)/cos(z*pi/180)"),
    ),
    "relu": (("smallest-for-largest", "min(0, z)"), ("absolute-value", "abs(z)")),
    "leaky_relu": (
        ("smallest-for-largest", "alpha*z if z > 0 else z"),
        ("sign-turned", "z if z > 0 else -alpha*z"),
        ("default-of-parameter", "z if z > 0 else 0.01*z"),
        ("default-of-parameter", "z if z > 0 else 0.1*z"),
        ("factor-left-out", "z"),
        ("wrong-branch", "alpha*z"),
    ),
    "elu": (
        ("factor-left-out", "z if z > 0 else exp(z) - 1"),
        ("one-left-out", "z if z > 0 else alpha*exp(z)"),
        ("one-left-out", "alpha*exp(z)"),
        ("wrong-branch", "alpha*(exp(z) - 1)"),
        ("exponent-sign-lost", "z if z > 0 else alpha*(exp(-z) - 1)"),
    ),
    "softplus": (
        ("logarithm-to-base-10", "ln(1 + exp(z))/ln(10)"),
        ("logarithm-to-base-2", "ln(1 + exp(z))/ln(2)"),
        ("exponent-sign-lost", "ln(1 + exp(-z))"),
    ),
    "silu": (("factor-left-out", "sigmoid(z)"),),
    "gelu": (
        ("factor-left-out", "1/2*(1 + erf(z/sqrt(2)))"),
        ("half-left-out", "z*(1 + erf(z/sqrt(2)))"),
        ("root-left-out", "1/2*z*(1 + erf(z/2))"),
        ("divisor-left-out", "1/2*z*(1 + erf(z))"),
        ("one-left-out", "1/2*z*erf(z/sqrt(2))"),
        ("other-form-of-activation", "z*sigmoid(1.702*z)"),
    ),
}  # fmt: skip

SLOPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "sigmoid": (
        ("slope-without-a-factor", "1 - a"),
        ("sign-turned", "a*(1 + a)"),
        ("sign-turned", "a*(a - 1)"),
        ("slope-of-exponential", "exp(z)*(1 - exp(z))"),
        ("slope-of-exponential", "exp(-z)*(1 - exp(-z))"),
        ("slope-with-net-and-output", "z*(1 - a)"),
        ("slope-with-net-and-output", "a*(1 - z)"),
        ("slope-squared", "(1 - a)^2"),
        ("slope-squared", "a^2"),
        ("factor-used-twice", "a^2*(1 - a)"),
        ("factor-used-twice", "a*(1 - a)^2"),
        ("slope-of-exponential", "exp(-z)"),
        ("slope-of-exponential", "exp(z)"),
    ),
    "tanh": (
        ("power-left-out", "1 - a"),
        ("sign-turned", "1 + a^2"),
        ("sign-turned", "a^2 - 1"),
        ("term-left-out", "a^2"),
        ("slope-squared", "(1 - a)^2"),
        ("times-for-power", "1 - 2*a"),
    ),
    "relu": (
        ("wrong-branch", "0"),
        ("smallest-for-largest", "0 if z > 0 else 1"),
        ("edge-of-condition", "1 if z >= 0 else 0"),
        ("net-for-slope", "z"),
    ),
    "leaky_relu": (
        ("wrong-branch", "alpha"),
        ("smallest-for-largest", "alpha if z > 0 else 1"),
        ("sign-turned", "1 if z > 0 else -alpha"),
        ("edge-of-condition", "1 if z >= 0 else alpha"),
        ("net-for-slope", "alpha*z"),
        ("net-for-slope", "z"),
        ("wrong-branch", "0"),
    ),
    "elu": (
        ("wrong-branch", "alpha*exp(z)"),
        ("one-left-out", "1 if z > 0 else a"),
        ("sign-turned", "1 if z > 0 else -alpha*exp(z)"),
        ("exponent-sign-lost", "1 if z > 0 else alpha*exp(-z)"),
        ("wrong-branch", "1"),
        ("wrong-branch", "0"),
    ),
    "softplus": (
        ("slope-of-another-activation", "sigmoid(z)*(1 - sigmoid(z))"),
        ("exponent-sign-lost", "1/(1 + exp(z))"),
        ("exponential-left-out", "1/(1 + z)"),
    ),
    "silu": (
        ("product-rule-one-term", "sigmoid(z)"),
        ("product-rule-one-term", "z*sigmoid(z)*(1 - sigmoid(z))"),
        ("product-rule-as-product", "sigmoid(z)*(1 - sigmoid(z))"),
        ("product-rule-minus", "sigmoid(z) - z*sigmoid(z)*(1 - sigmoid(z))"),
        ("factor-left-out", "sigmoid(z) + sigmoid(z)*(1 - sigmoid(z))"),
    ),
    "gelu": (
        ("product-rule-one-term", "1/2*(1 + erf(z/sqrt(2)))"),
        ("product-rule-one-term", "z*exp(-z^2/2)/sqrt(2*pi)"),
        ("product-rule-as-product", "exp(-z^2/2)/sqrt(2*pi)"),
        ("product-rule-minus", "1/2*(1 + erf(z/sqrt(2))) - z*exp(-z^2/2)/sqrt(2*pi)"),
        ("factor-left-out", "1/2*(1 + erf(z/sqrt(2))) + exp(-z^2/2)/sqrt(2*pi)"),
    ),
}  # fmt: skip


def activation(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in out = f(net), and in f at a point."""
    row, definition = quantity.node.activation if quantity.node else None, quantity.definition
    if row is None or definition is None:
        yield from general(scene, quantity)
        return
    z = definition.args[0] if isinstance(definition, Call) and definition.function == row.function else definition
    if row.name == "custom":
        yield from general(scene, quantity)
        return
    names = {"z": z, **_parameters(row, definition)}
    if row.name != "linear":
        yield slip("activation-left-out", quantity, z, "all", activation=row.title, net=text(z))
        again = Call(row.function, (definition, *definition.args[1:])) if isinstance(definition, Call) else definition
        yield slip("activation-twice", quantity, again, "all", activation=row.title)
        if isinstance(definition, Call):
            turned = Call(row.function, (negated(z), *definition.args[1:]))
            mistake = "exponent-sign-lost" if "exp(-z)" in row.formula else "argument-sign-turned"
            yield slip(mistake, quantity, turned, "all", part=text(definition))
    for other in _others(row):
        yield slip("another-activation", quantity, _of(other, z), other.name, activation=row.title, used=other.title)
    for mistake, formula_text in VALUES.get(row.function, ()):
        yield slip(mistake, quantity, filled(formula_text, names), formula_text, **_words(formula_text, row))
    if form := OTHER_FORMS.get(row.name):
        other = ACTIVATIONS[form]
        yield Slip("other-form-of-activation", quantity.name, {quantity.name: _of(other, z)},
                   {"activation": row.title, "used": other.title}, form)  # fmt: skip


def _parameters(row: Activation, definition: Expr) -> dict[str, Expr]:
    """The parameters of an activation as the definition has them."""
    values = definition.args[1:] if isinstance(definition, Call) and definition.function == row.function else ()
    given = dict(row.parameters)
    return {**given, **dict(zip(given, values, strict=False))}


def _others(row: Activation) -> Iterator[Activation]:
    names = PLAUSIBLE.get(row.name, PLAUSIBLE[""])
    yield from (ACTIVATIONS[name] for name in names if name not in (row.name, OTHER_FORMS.get(row.name)))


def _of(row: Activation, z: Expr) -> Expr:
    return Call(row.function, (z, *(value for _, value in row.parameters)))


_FACTORS: Mapping[str, str] = {"a^2*(1 - a)": "a", "a*(1 - a)^2": "1 - a"}
"""What is used twice in a formula of the tables."""


def _words(formula_text: str, row: Activation) -> dict[str, str]:
    """What the sentences of the tables may need."""
    return {
        "part": formula_text, "term": "1", "branch": formula_text,
        "factor": _FACTORS.get(formula_text, "alpha" if row.parameters else "z"),
        "divisor": "sqrt(2)" if row.function == "gelu" else "exp(z) + exp(-z)", "condition": "z > 0",
        "activation": row.title, "formula": formula_text,
        "used": "sigmoid" if row.function == "softplus" else "z*sigmoid(1.702*z)",
    }  # fmt: skip


# --- derivatives -----------------------------------------------------------------------------------------------------


def slope(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in ∂out/∂net."""
    pair = split_derivative(quantity.name)
    node = quantity.node
    if node is None or node.activation is None or pair is None or quantity.definition is None:
        return
    row = node.activation
    if row.vector or not pair[1].startswith(("net_", "z")):
        yield from general(scene, quantity)
        return
    given = _parameters(row, node.definition) if node.definition is not None else {}
    yield from slopes(quantity, row, Name(pair[1]), Name(pair[0]), given)
    yield from _of_error(scene, quantity, row, pair[0])
    for other in scene.beside(pair[0]):
        beside = scene.quantity(f"d{other}/d{net_of(other)}")
        if beside is not None and beside.definition is not None and beside.definition != quantity.definition:
            yield slip("slope-of-another-neuron", quantity, beside.definition, "", right=pair[0], used=other)


def _of_error(scene: Scene, quantity: Quantity, row: Activation, output: str) -> Iterator[Slip]:
    """The derivative e(1 - e) of a sigmoid output with the error, or the loss, for e."""
    node, network = quantity.node, scene.network
    if row.name != "sigmoid" or node is None or network is None or node.layer < len(network.layers):
        return
    if node.position > len(network.targets):
        return
    target = Name(f"{network.targets[node.position - 1]}{sample_suffix(split_sample(output)[1])}")
    errors = (subtract(Name(output), target), subtract(target, Name(output)), Name(scene.graph.root or ""))
    for way, error in enumerate(errors):
        yield slip("slope-of-error", quantity, multiply(error, subtract(ONE, error)), way,
                   part=text(error), output=output)  # fmt: skip


def net_of(output: str) -> str:
    return f"net_{output.removeprefix('out_')}"


def point_slope(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in f'(2), a quantity of an activation at points."""
    node, graph = quantity.node, scene.graph
    if not isinstance(graph, PointsGraph) or node is None or node.activation is None or quantity.definition is None:
        return
    symbol, _, inside = quantity.name.partition("(")
    if node.activation.vector or "d" not in symbol.replace("'", "d") or not inside:
        yield from general(scene, quantity)
        return
    value = scene.quantity(f"f({inside}")
    if value is None or value.definition is None:
        return
    at = inside.rstrip(")")
    z = value.definition.args[0] if isinstance(value.definition, Call) else _point(at)
    yield from slopes(quantity, node.activation, z, Name(value.name), _parameters(node.activation, value.definition))


def _point(text: str) -> Expr:
    """The number, or the name of one, where a function is evaluated."""
    return Name(text) if text.startswith("z") else number(text)


def slopes(quantity: Quantity, row: Activation, z: Expr, a: Expr, given: Mapping[str, Expr]) -> Iterator[Slip]:
    """Slips in f'(z), a being f(z)."""
    definition = quantity.definition
    assert definition is not None
    words = {"activation": row.title, "net": text(z), "output": text(a)}
    yield slip("factor-left-out", quantity, ONE, "slope", factor=quantity.name)
    yield slip("output-for-slope", quantity, a, "all", **words)
    yield slip("sign-turned", quantity, negated(definition), "all", part=text(definition))
    if not isinstance(definition, Number | Cases):
        yield slip("derivative-squared", quantity, Power(definition, TWO), "all", **words)
    uses_a = bool(row.derivative) and "a" in set(names_in(formula(row.derivative)))
    if uses_a:
        at_net = filled(row.derivative, {**given, "z": z, "a": z})
        yield slip("slope-of-net-for-output", quantity, at_net, "net", **words)
        again = Call(row.function, (a, *(given[key] for key, _ in row.parameters)))
        yield slip("slope-at-output", quantity, filled(row.derivative, {**given, "z": a, "a": again}), "out", **words)
    elif row.derivative and row.name != "linear":
        yield slip("slope-at-output", quantity, filled(row.derivative, {**given, "z": a, "a": a}), "out", **words)
    for other in _others(row):
        if other.name == "step":
            continue
        wrong = filled(other.derivative, {**dict(other.parameters), "z": z, "a": a})
        yield slip("slope-of-another-activation", quantity, wrong, other.name, used=other.title, **words)
    extra = {**words, "part": text(definition)}
    for mistake, formula_text in SLOPES.get(row.function, ()):
        wrong = filled(formula_text, {**given, "z": z, "a": a})
        yield slip(mistake, quantity, wrong, formula_text, **{**_words(formula_text, row), **extra})
    if form := OTHER_FORMS.get(row.name):
        other = ACTIVATIONS[form]
        wrong = filled(other.derivative, {**dict(other.parameters), "z": z, "a": _of(other, z)})
        yield slip("other-form-of-activation", quantity, wrong, form, activation=row.title, used=other.title)


def general(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """A formula that no table knows, with one place done wrong."""
    if quantity.definition is not None:
        for mistake, wrong, words in variants(quantity.definition):
            yield slip(mistake, quantity, wrong, "", **words)
