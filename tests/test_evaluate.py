"""Values: exact where they can be, correctly rounded where they are shown, carried as a page says."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.errors import DeriveError
from derive.problem.file import from_dict
from derive.worked import WorkedExample, quantity_names

TWO_TWO_ONE: dict[str, Any] = {
    "inputs": [Decimal("0.05"), Decimal("0.10")],
    "targets": [Decimal("0.01")],
    "layers": [
        {
            "neurons": 2,
            "activation": "sigmoid",
            "weights": [[Decimal("0.15"), Decimal("0.20")], [Decimal("0.25"), Decimal("0.30")]],
            "bias": Decimal("0.35"),
        },
        {
            "neurons": 1,
            "activation": "sigmoid",
            "weights": [[Decimal("0.40"), Decimal("0.45")]],
            "bias": Decimal("0.60"),
        },
    ],
    "update": {"learning_rate": Decimal("0.5"), "frozen": ["b1", "b2"]},
}


def _example(problem: dict[str, Any], **more: Any) -> WorkedExample:
    return WorkedExample(from_dict(problem | more))


def _neuron(activation: object, inputs: list[object], weights: list[object], **more: Any) -> WorkedExample:
    layer = {"neurons": 1, "activation": activation, "weights": weights}
    return _example({"inputs": inputs, "layers": [layer]}, **more)


def _formula(text: str, rounding: dict[str, Any] | None = None, **values: object) -> WorkedExample:
    found = {"kind": "expression", "given": values, "define": {"f": text}}
    return _example(found, rounding=rounding) if rounding else _example(found)


# -- exactness


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("net_h1", Fraction(151, 400)),
        ("net_h2", Fraction(157, 400)),
        ("x1", Fraction(1, 20)),
        ("dnet_o1/dout_h1", Fraction(2, 5)),
        ("dE/dE", Fraction(1)),
        ("dnet_h1/dw3", Fraction(0)),
        ("dnet_h1/db1", Fraction(1)),
        ("out_h1", None),
        ("dE/dw5", None),
    ],
)
def test_rational_where_it_is(name: str, exact: Fraction | None) -> None:
    assert _example(TWO_TWO_ONE).exact(name) == exact


def test_a_linear_network_stays_rational() -> None:
    example = _example(
        {
            "inputs": [Decimal("0.1"), Decimal("0.3")],
            "targets": [Decimal(1)],
            "layers": [{"neurons": 1, "activation": "linear", "weights": [[Decimal("0.7"), Decimal("-0.2")]]}],
            "update": {"learning_rate": Decimal("0.1")},
        }
    )
    error = Fraction(1, 100) - 1
    assert example.exact("out_o1") == Fraction(1, 100)
    assert example.exact("E") == error**2 / 2
    assert example.exact("w2_new") == Fraction(-1, 5) - Fraction(1, 10) * error * Fraction(3, 10)


EXACT = [
    ("sigmoid", 0, Fraction(1, 2), Fraction(1, 4)),
    ("tanh", 0, Fraction(0), Fraction(1)),
    ("relu", 3, Fraction(3), Fraction(1)),
    ("relu", 0, Fraction(0), Fraction(0)),
    ("relu", -3, Fraction(0), Fraction(0)),
    ("leaky-relu", -3, Fraction(-3, 100), Fraction(1, 100)),
    ("leaky-relu", 0, Fraction(0), Fraction(1, 100)),
    ("elu", 2, Fraction(2), Fraction(1)),
    ("elu", 0, Fraction(0), Fraction(1)),
    ("z^2 - z", Decimal("0.5"), Fraction(-1, 4), Fraction(0)),
]


@pytest.mark.parametrize(("activation", "z", "value", "slope"), EXACT)
def test_exact_activation(activation: str, z: object, value: Fraction, slope: Fraction) -> None:
    example = _neuron(activation, [z], [1], targets=[1])
    assert (example.exact("out_o1"), example.exact("dout_o1/dnet_o1")) == (value, slope)


def test_equal_logits_share_alike() -> None:
    layer = {"neurons": 3, "activation": "softmax", "weights": [[Decimal("0.7")]] * 3}
    example = _example({"inputs": [Decimal("1.3")], "targets": [1, 0, 0], "loss": "cross-entropy", "layers": [layer]})
    assert example.exact("out_o2") == Fraction(1, 3)
    assert example.exact("dout_o1/dnet_o2") == Fraction(-1, 9)
    assert example.exact("dE/dnet_o1") == Fraction(-2, 3)
    assert example.value("E") == math.log(3)


# -- far out


@pytest.mark.parametrize(
    ("activation", "z", "value", "slope"),
    [
        ("sigmoid", 700, 1.0, 9.859676543759770e-305),
        ("sigmoid", -700, 9.859676543759770e-305, 9.859676543759770e-305),
        ("tanh", Decimal("1e-200"), 1e-200, 1.0),
        ("tanh", 400, 1.0, 4 * math.exp(-800) if math.exp(-800) else 0.0),
        ("softplus", 800, 800.0, 1.0),
        ("softplus", -700, 9.859676543759770e-305, 9.859676543759770e-305),
        ("elu", -800, -1.0, 0.0),
    ],
)
def test_saturated(activation: str, z: object, value: float, slope: float) -> None:
    example = _neuron(activation, [z], [1], targets=[1])
    assert example.value("out_o1") == pytest.approx(value, rel=1e-14, abs=0)
    assert example.value("dout_o1/dnet_o1") == pytest.approx(slope, rel=1e-14, abs=1e-306)


def test_softmax_of_far_logits() -> None:
    layer = {"neurons": 2, "activation": "softmax", "weights": [[1], [-1]]}
    example = _example({"inputs": [400], "targets": [1, 0], "loss": "cross-entropy", "layers": [layer]})
    assert example.value("out_o1") == 1.0
    assert example.value("out_o2") == pytest.approx(0.0, abs=1e-300)
    assert example.value("E") == pytest.approx(0.0, abs=1e-300)


# -- logarithms of zero


def _certain(target: int, **more: Any) -> WorkedExample:
    """A linear output of exactly 0 under binary cross-entropy."""
    layer = {"neurons": 1, "activation": "linear", "weights": [[1]]}
    problem = {"inputs": [0], "targets": [target], "loss": "binary-cross-entropy", "layers": [layer]}
    return _example(problem, **more)


def test_zero_times_the_logarithm_of_zero_is_zero() -> None:
    assert _certain(0).exact("E") == 0


def test_the_logarithm_of_zero_is_an_error_with_the_place() -> None:
    with pytest.raises(DeriveError, match="E: "):
        _certain(1).value("E")


def test_carrying_a_one_into_a_logarithm_says_to_show_more_digits() -> None:
    layer = {"neurons": 1, "activation": "sigmoid", "weights": [[1]]}
    problem = {"inputs": [20], "targets": [0], "loss": "binary-cross-entropy", "layers": [layer]}
    assert _example(problem).value("E") == pytest.approx(20.000000002061153, rel=1e-15)
    with pytest.raises(DeriveError, match="more digits"):
        _example(problem, rounding={"decimals": 4, "carry": "displayed"}).value("E")


# -- what is shown


@pytest.mark.parametrize(
    ("x", "rounding", "shown"),
    [
        ("0.125", {"decimals": 2}, "0.13"),
        ("0.125", {"decimals": 2, "mode": "half-even"}, "0.12"),
        ("-0.125", {"decimals": 2}, "-0.13"),
        ("0.135", {"decimals": 2, "mode": "half-even"}, "0.14"),
        ("1.005", {"decimals": 2}, "1.01"),
        ("2.675", {"decimals": 2}, "2.68"),
        ("-0.000004", {"decimals": 5}, "0.00000"),
        ("0.37745", {"significant": 4}, "0.3775"),
        ("1234.5", {"significant": 2}, "1200"),
        ("0.0000123456", {"significant": 3}, "0.0000123"),
        ("9.9996", {"significant": 4}, "10.00"),
    ],
)
def test_ties_and_digits(x: str, rounding: dict[str, Any], shown: str) -> None:
    example = _neuron("linear", [Decimal(x)], [1], rounding=rounding)
    assert example.shown("net_o1") == shown


def test_a_tie_that_only_a_proof_decides() -> None:
    """√2·√2/16 is 0.125 exactly, though no enclosure says so."""
    assert _formula("sqrt(x)*sqrt(x)/16", {"decimals": 2}, x=2).shown("f") == "0.13"
    assert _formula("exp(ln(x))", {"decimals": 2}, x=Decimal("0.125")).shown("f") == "0.13"


def test_symbols_have_no_numbers() -> None:
    example = _example({"inputs": 2, "targets": True, "layers": [{"neurons": 1, "activation": "sigmoid"}]})
    assert [example.value("E"), example.exact("net_o1"), example.shown("dE/dw1")] == [None, None, None]
    assert not example.has_numbers()
    assert example.exact("dnet_o1/dnet_o1") == 1


def test_what_does_not_hang_on_a_symbol_has_a_number() -> None:
    layers = [{"neurons": 1, "activation": "linear", "weights": [[2]]}, {"neurons": 1, "activation": "linear"}]
    example = _example({"inputs": [3], "layers": layers})
    assert example.exact("out_h1") == 6
    assert example.exact("net_o1") is None


# -- displayed numbers carried on


def _by_hand(decimals: int, mode: str) -> dict[str, Decimal]:
    """Every line of the page of the 2-2-1 network as somebody writes it who rounds each line."""

    def line(value: Decimal) -> Decimal:
        return value.quantize(Decimal(1).scaleb(-decimals), mode)

    def activated(net: Decimal) -> Decimal:
        return line(1 / (1 + (-net).exp()))

    with localcontext() as context:
        context.prec = 60
        x1, x2, y, eta = Decimal("0.05"), Decimal("0.10"), Decimal("0.01"), Decimal("0.5")
        w = dict(zip(range(1, 7), map(Decimal, "0.15 0.20 0.25 0.30 0.40 0.45".split()), strict=True))
        b1, b2 = Decimal("0.35"), Decimal("0.60")
        found = {"net_h1": line(w[1] * x1 + w[2] * x2 + b1), "net_h2": line(w[3] * x1 + w[4] * x2 + b1)}
        found |= {f"out_{h}": activated(found[f"net_{h}"]) for h in ("h1", "h2")}
        found["net_o1"] = line(w[5] * found["out_h1"] + w[6] * found["out_h2"] + b2)
        o = found["out_o1"] = activated(found["net_o1"])
        found["E"] = line((y - o) ** 2 / 2)
        found["dE/dout_o1"] = line(o - y)
        found["dout_o1/dnet_o1"] = line(o * (1 - o))
        delta = found["dE/dnet_o1"] = line(found["dE/dout_o1"] * found["dout_o1/dnet_o1"])
        for neuron, weight, (a, b) in (("h1", 5, (1, 2)), ("h2", 6, (3, 4))):
            out = found[f"out_{neuron}"]
            found[f"dE/dw{weight}"] = line(found["dE/dout_o1"] * found["dout_o1/dnet_o1"] * out)
            slope = found[f"dE/dout_{neuron}"] = line(delta * w[weight])
            own = found[f"dout_{neuron}/dnet_{neuron}"] = line(out * (1 - out))
            below = found[f"dE/dnet_{neuron}"] = line(slope * own)
            long = found["dE/dout_o1"] * found["dout_o1/dnet_o1"] * w[weight] * own
            assert abs(long - below) < Decimal(1).scaleb(1 - decimals)
            found |= {f"dE/dw{a}": line(long * x1), f"dE/dw{b}": line(long * x2)}
        found |= {f"w{i}_new": line(w[i] - eta * found[f"dE/dw{i}"]) for i in w}
    return found


@pytest.mark.parametrize("decimals", [3, 5, 8])
@pytest.mark.parametrize("mode", ["half-up", "half-even"])
def test_a_page_with_displayed_numbers_carried_on(decimals: int, mode: str) -> None:
    rounding = {"decimals": decimals, "carry": "displayed", "mode": mode}
    example = _example(TWO_TWO_ONE, rounding=rounding)
    by_hand = _by_hand(decimals, {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN}[mode])
    assert {name: example.exact(name) for name in by_hand} == {n: Fraction(value) for n, value in by_hand.items()}


@pytest.mark.parametrize("name", ["out_h1", "out_o1", "dE/dw5", "w1_new", "E@1"])
def test_carrying_makes_a_difference(name: str) -> None:
    full = _example(TWO_TWO_ONE, rounding={"decimals": 3}).exact(name)
    carried = _example(TWO_TWO_ONE, rounding={"decimals": 3, "carry": "displayed"}).exact(name)
    assert full is None
    assert carried is not None
    assert (carried * 1000).denominator == 1


@pytest.mark.parametrize("carry", ["full", "displayed"])
def test_displayed_lines_are_reproducible(carry: str) -> None:
    """Carrying what is displayed, every line gives its own result; carrying more, some do not."""
    found = [
        example.reproducible(name)
        for decimals in (3, 5, 8)
        for example in [_example(TWO_TWO_ONE, rounding={"decimals": decimals, "carry": carry})]
        for name in quantity_names(example)
    ]
    assert all(found) == (carry == "displayed")


# -- updates


def test_updates_use_the_old_weights() -> None:
    example = _example(TWO_TWO_ONE)
    w1, w5 = 0.15, 0.40
    assert example.value("w5_new") == example.value("w5@1")
    assert example.value("w5@0") == w5
    slope = example.value("dE/dw1")
    assert slope is not None
    assert example.value("w1@1") == pytest.approx(w1 - 0.5 * slope, rel=1e-15)
    by_hand = (example.value("delta_o1") or 0) * w5 * (example.value("dout_h1/dnet_h1") or 0) * 0.05
    assert slope == pytest.approx(by_hand, rel=1e-14)


def test_the_second_update_starts_where_the_first_ends() -> None:
    first = _example(TWO_TWO_ONE)
    layers = [dict(layer) for layer in TWO_TWO_ONE["layers"]]
    new = [Decimal(repr(first.value(f"w{i}@1"))) for i in range(1, 7)]
    layers[0]["weights"], layers[1]["weights"] = [new[:2], new[2:4]], [new[4:]]
    second = _example(TWO_TWO_ONE, layers=layers)
    for name in ("E", "w1_new", "w6_new", "dE/dw3", "out_h2"):
        later = first.value(name.replace("_new", "") + "@2") if name.endswith("_new") else first.value(f"{name}@1")
        assert later == pytest.approx(second.value(name), rel=1e-14)


def test_frozen_parameters_stay() -> None:
    example = _example(TWO_TWO_ONE)
    assert example.exact("b1@3") == Fraction(35, 100)
    assert [example.derivation.is_updated(name) for name in ("b1", "b2", "w1")] == [False, False, True]
    with pytest.raises(DeriveError):
        example.find("b1_neww")


def test_long_runs_agree_with_short_ones() -> None:
    """From the 21st update on the parameters are carried with 50 digits."""
    example = _example(TWO_TWO_ONE)
    enclosed = example.values
    for _ in range(25):
        enclosed = enclosed._next
    assert example.value("w5@25") == enclosed.double("w5")
    assert example.value("E@25") == enclosed.double("E")


def test_the_loss_falls() -> None:
    example = _example(TWO_TWO_ONE)
    losses = [example.value(f"E@{step}") or 0.0 for step in (0, 1, 2, 10, 30)]
    assert losses == sorted(losses, reverse=True)


# -- properties

small = st.integers(-300, 300).map(lambda n: Decimal(n) / 100)


@given(st.lists(st.tuples(small, small), min_size=1, max_size=5), small, st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_weighted_sums_are_exact_and_correctly_rounded(
    terms: list[tuple[Decimal, Decimal]], bias: Decimal, decimals: int
) -> None:
    layer = {"neurons": 1, "activation": "linear", "weights": [[weight for weight, _ in terms]], "bias": bias}
    inputs = [value for _, value in terms]
    example = _example({"inputs": inputs, "layers": [layer]}, rounding={"decimals": decimals})
    total = sum((weight * value for weight, value in terms), bias)
    assert example.exact("net_o1") == Fraction(total)
    rounded = total.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    assert Decimal(example.shown("net_o1") or "") == rounded


@given(small, small)
@settings(max_examples=40, deadline=None)
def test_displayed_digits_contain_the_value(weight: Decimal, value: Decimal) -> None:
    example = _neuron("sigmoid", [value], [weight], rounding={"decimals": 12})
    shown, double = example.shown("out_o1"), example.value("out_o1")
    assert shown is not None
    assert double is not None
    assert abs(Fraction(shown) - Fraction(double)) <= Fraction(1, 2 * 10**12) + Fraction(1, 10**16)
