"""Optimizers against torch.optim and against rules written by hand in NumPy; exact numbers; extremes; mutations."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import rules_by_hand as by_hand
import sympy

from derive.calculus.symbolic import to_sympy
from derive.catalogue import optimizers as catalogue
from derive.catalogue.optimizers import OPTIMIZERS, ROWS, Line
from derive.catalogue.recipes import SCHEDULES, Recipe
from derive.errors import ProblemError
from derive.formula.expression import names_in, number
from derive.problem.file import find, from_dict, loads
from derive.problem.optimizer import OptimizerRun
from derive.problem.rule import UpdateRule
from derive.worked import WorkedExample

torch = pytest.importorskip("torch")



@pytest.fixture(autouse=True)
def _doubles() -> Iterator[None]:
    """NAdam keeps the product of its momenta in the default type of torch."""
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(usual)


Gradients = Sequence[Sequence[str]]
Table = dict[str, Any]

RANDOM = random.Random(5)
GRADIENTS = [[f"{RANDOM.uniform(-2, 2):.4f}", f"{RANDOM.uniform(-2, 2):.4f}"] for _ in range(7)]
WITH_ZEROS = [["0", "0.5"], ["0", "0"], ["0.3", "-0.2"], ["-0.1", "0"]]
SMALL = [["1e-9", "-3e-7"], ["2e-8", "0.5"], ["-1e-9", "1e-5"]]
STARTS = ("0.5", "-1.25")


def run(optimizer: str | Table, gradients: Gradients = GRADIENTS, rate: str = "0.1", **more: Any) -> WorkedExample:
    """Updates of a and b on given gradients."""
    data = {
        "kind": "optimizer",
        "optimizer": optimizer,
        "learning_rate": Decimal(rate),
        "parameters": {"a": Decimal(STARTS[0]), "b": Decimal(STARTS[1])},
        "gradients": [[Decimal(entry) for entry in row] for row in gradients],
    }
    return WorkedExample(from_dict(data | more))


def path(example: WorkedExample, steps: int, names: Sequence[str] = ("a", "b")) -> list[list[float]]:
    found = [[example.value(f"{name}@{step}") for name in names] for step in range(1, steps + 1)]
    return [[value for value in row if value is not None] for row in found]


def decimals(**settings: Any) -> Table:
    return {key: Decimal(value) if isinstance(value, str) and value[0].isdigit() else value
            for key, value in settings.items()}  # fmt: skip


# --- torch ---------------------------------------------------------------------------------------------------------

OPTIM = torch.optim
ADAM = {"lr": 0.1}
TORCH: dict[str, tuple[Table, Callable[[list[Any]], Any]]] = {
    "sgd": ({"name": "sgd"}, lambda p: OPTIM.SGD(p, lr=0.1)),
    "sgd, decay": (decimals(name="sgd", weight_decay="0.3"), lambda p: OPTIM.SGD(p, lr=0.1, weight_decay=0.3)),
    "sgd, maximize": ({"name": "sgd", "maximize": True}, lambda p: OPTIM.SGD(p, lr=0.1, maximize=True)),
    "momentum": ({"name": "momentum", "library": "pytorch"}, lambda p: OPTIM.SGD(p, lr=0.1, momentum=0.9)),
    "momentum, all": (
        decimals(name="momentum", form="pytorch", momentum="0.8", dampening="0.3", weight_decay="0.2", maximize=True),
        lambda p: OPTIM.SGD(p, lr=0.1, momentum=0.8, dampening=0.3, weight_decay=0.2, maximize=True),
    ),
    "nesterov": (
        decimals(name="nesterov", form="pytorch", momentum="0.8", weight_decay="0.1"),
        lambda p: OPTIM.SGD(p, lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.1),
    ),
    "nesterov, keras form": ({"name": "nesterov"}, lambda p: OPTIM.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
    "adagrad": ({"name": "adagrad", "library": "pytorch"}, lambda p: OPTIM.Adagrad(p, lr=0.1)),
    "adagrad, all": (
        decimals(name="adagrad", epsilon="0.001", start="0.2", weight_decay="0.1", maximize=True),
        lambda p: OPTIM.Adagrad(
            p, lr=0.1, eps=0.001, initial_accumulator_value=0.2, weight_decay=0.1, maximize=True
        ),
    ),
    "rmsprop": ({"name": "rmsprop", "library": "pytorch"}, lambda p: OPTIM.RMSprop(p, lr=0.1)),
    "rmsprop, centered": (
        decimals(name="rmsprop", library="pytorch", centered=True, epsilon="0.001"),
        lambda p: OPTIM.RMSprop(p, lr=0.1, centered=True, eps=0.001),
    ),
    "rmsprop, all": (
        decimals(name="rmsprop", rho="0.7", momentum="0.6", epsilon="0.01", weight_decay="0.2", maximize=True),
        lambda p: OPTIM.RMSprop(p, lr=0.1, alpha=0.7, momentum=0.6, eps=0.01, weight_decay=0.2, maximize=True),
    ),
    "adadelta": ({"name": "adadelta"}, lambda p: OPTIM.Adadelta(p, lr=0.1)),
    "adadelta, all": (
        decimals(name="adadelta", rho="0.8", epsilon="0.001", weight_decay="0.2", maximize=True),
        lambda p: OPTIM.Adadelta(p, lr=0.1, rho=0.8, eps=0.001, weight_decay=0.2, maximize=True),
    ),
    "adam": ({"name": "adam"}, lambda p: OPTIM.Adam(p, **ADAM)),
    "adam, all": (
        decimals(name="adam", beta1="0.7", beta2="0.95", epsilon="0.01", weight_decay="0.2", maximize=True),
        lambda p: OPTIM.Adam(p, lr=0.1, betas=(0.7, 0.95), eps=0.01, weight_decay=0.2, maximize=True),
    ),
    "adam, decoupled": (
        decimals(name="adam", weight_decay="0.2", decay="decoupled"),
        lambda p: OPTIM.Adam(p, lr=0.1, weight_decay=0.2, decoupled_weight_decay=True),
    ),
    "adamw": ({"name": "adamw"}, lambda p: OPTIM.AdamW(p, lr=0.1)),
    "adamw, maximize": (
        decimals(name="adamw", weight_decay="0.3", maximize=True),
        lambda p: OPTIM.AdamW(p, lr=0.1, weight_decay=0.3, maximize=True),
    ),
    "amsgrad": ({"name": "amsgrad"}, lambda p: OPTIM.Adam(p, lr=0.1, amsgrad=True)),
    "amsgrad, decay": (
        decimals(name="amsgrad", beta2="0.6", epsilon="0.01", weight_decay="0.3", decay="decoupled"),
        lambda p: OPTIM.AdamW(p, lr=0.1, betas=(0.9, 0.6), eps=0.01, weight_decay=0.3, amsgrad=True),
    ),
    "nadam": ({"name": "nadam", "library": "pytorch"}, lambda p: OPTIM.NAdam(p, lr=0.1)),
    "nadam, all": (
        decimals(name="nadam", beta1="0.8", psi="0.1", epsilon="0.01", weight_decay="0.2", maximize=True),
        lambda p: OPTIM.NAdam(
            p, lr=0.1, betas=(0.8, 0.999), momentum_decay=0.1, eps=0.01, weight_decay=0.2, maximize=True
        ),
    ),
    "nadam, decoupled": (
        decimals(name="nadam", weight_decay="0.2", decay="decoupled"),
        lambda p: OPTIM.NAdam(p, lr=0.1, weight_decay=0.2, decoupled_weight_decay=True),
    ),
}


def torch_path(
    make: Callable[[list[Any]], Any],
    gradients: Gradients,
    schedule: Callable[[Any], Any] | None = None,
    clip: Callable[[list[Any]], Any] | None = None,
) -> list[list[float]]:
    parameters = [torch.tensor(float(start), dtype=torch.float64, requires_grad=True) for start in STARTS]
    optimizer = make(parameters)
    scheduler = schedule(optimizer) if schedule else None
    found = []
    for row in gradients:
        for parameter, gradient in zip(parameters, row, strict=True):
            parameter.grad = torch.tensor(float(gradient), dtype=torch.float64)
        if clip:
            clip(parameters)
        optimizer.step()
        if scheduler:
            scheduler.step()
        found.append([parameter.item() for parameter in parameters])
    return found


@pytest.mark.parametrize("gradients", [GRADIENTS, WITH_ZEROS, SMALL], ids=["random", "zeros", "small"])
@pytest.mark.parametrize("name", TORCH)
def test_torch(name: str, gradients: Gradients) -> None:
    settings, make = TORCH[name]
    ours = path(run(settings, gradients), len(gradients))
    np.testing.assert_allclose(ours, torch_path(make, gradients), rtol=1e-12, atol=1e-14)


SCHEDULED: dict[str, tuple[Table, Callable[[Any], Any]]] = {
    "step": (
        decimals(name="step", factor="0.5", every=2),
        lambda o: OPTIM.lr_scheduler.StepLR(o, step_size=2, gamma=0.5),
    ),
    "exponential": (
        decimals(name="exponential", factor="0.8"), lambda o: OPTIM.lr_scheduler.ExponentialLR(o, gamma=0.8)
    ),
    "cosine": (
        decimals(name="cosine", over=7, least="0.01"),
        lambda o: OPTIM.lr_scheduler.CosineAnnealingLR(o, T_max=7, eta_min=0.01),
    ),
    "inverse-time": (
        decimals(name="inverse-time", factor="0.3"),
        lambda o: OPTIM.lr_scheduler.LambdaLR(o, lambda step: 1 / (1 + 0.3 * step)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "momentum, all", "nadam, decoupled"])
@pytest.mark.parametrize("name", SCHEDULED)
def test_torch_schedules(name: str, optimizer: str) -> None:
    schedule, theirs = SCHEDULED[name]
    settings, make = TORCH[optimizer]
    ours = path(run(settings, schedule=schedule), len(GRADIENTS))
    np.testing.assert_allclose(ours, torch_path(make, GRADIENTS, theirs), rtol=1e-12)


def test_every_schedule_is_tried() -> None:
    assert {*SCHEDULED, "constant"} == set(SCHEDULES)


def test_torch_clipping() -> None:
    utils = torch.nn.utils
    settings, make = TORCH["momentum"]
    by_norm = run(settings, clip_norm=Decimal("0.7"), clip_epsilon=Decimal("1e-6"))
    theirs = torch_path(make, GRADIENTS, clip=lambda p: utils.clip_grad_norm_(p, 0.7))
    np.testing.assert_allclose(path(by_norm, 7), theirs, rtol=1e-12)
    by_value = run(settings, clip_value=Decimal("0.7"))
    theirs = torch_path(make, GRADIENTS, clip=lambda p: utils.clip_grad_value_(p, 0.7))
    np.testing.assert_allclose(path(by_value, 7), theirs, rtol=1e-12)


def test_a_small_norm_is_not_clipped() -> None:
    plain, clipped = run("sgd", WITH_ZEROS), run("sgd", WITH_ZEROS, clip_norm=1)
    assert path(plain, 4) == path(clipped, 4)


# --- by hand -------------------------------------------------------------------------------------------------------



def worked_by_hand(rule: by_hand.Rule, gradients: Gradients = GRADIENTS) -> list[list[float]]:
    w = np.array([float(start) for start in STARTS])
    states: dict[str, Any] = {}
    found = []
    for t, row in enumerate(gradients, 1):
        w = rule(w, np.array([float(entry) for entry in row]), t, states)
        found.append(list(w))
    return found


HAND: dict[str, tuple[Table, by_hand.Rule]] = {
    "classical": ({"name": "momentum"}, by_hand.classical),
    "change": ({"name": "momentum", "form": "change"}, by_hand.classical),
    "average": ({"name": "momentum", "library": "ng"}, by_hand.average),
    "nesterov": ({"name": "nesterov", "library": "keras"}, by_hand.nesterov),
    "adagrad inside": ({"name": "adagrad", "library": "keras"}, by_hand.adagrad_inside),
    "rmsprop keras": (decimals(name="rmsprop", library="keras", momentum="0.5"), by_hand.rmsprop_keras),
    "rmsprop centered": ({"name": "rmsprop", "library": "keras", "centered": True}, by_hand.rmsprop_centered),
    "rmsprop tensorflow": ({"name": "rmsprop", "library": "tensorflow"}, by_hand.rmsprop_tf1),
    "adam keras": ({"name": "adam", "library": "keras"}, by_hand.adam_keras),
    "adam inside": (decimals(name="adam", epsilon="0.01", epsilon_place="inside"), by_hand.adam_inside),
    "adam uncorrected": (decimals(name="adam", epsilon="0.01", bias_correction=False), by_hand.adam_uncorrected),
    "adamw keras": ({"name": "adamw", "library": "keras"}, by_hand.adamw_keras),
    "amsgrad optax": (decimals(name="amsgrad", library="optax", beta2="0.7"), by_hand.amsgrad_optax),
    "amsgrad keras": (decimals(name="amsgrad", library="keras", beta2="0.7"), by_hand.amsgrad_keras),
    "amsgrad reddi": (decimals(name="amsgrad", library="reddi", beta2="0.7"), by_hand.amsgrad_reddi),
    "adam bare, inside": (
        decimals(name="adam", epsilon="0.01", epsilon_place="inside", bias_correction=False), by_hand.adam_bare_inside
    ),
    "amsgrad inside": (
        decimals(name="amsgrad", beta2="0.7", epsilon="0.01", epsilon_place="inside"), by_hand.amsgrad_inside(False)
    ),
    "amsgrad inside, of v_hat": (
        decimals(name="amsgrad", beta2="0.7", epsilon="0.01", epsilon_place="inside", maximum_of="v_hat"),
        by_hand.amsgrad_inside(True),
    ),
    "amsgrad bare, inside": (
        decimals(name="amsgrad", beta2="0.7", epsilon="0.01", epsilon_place="inside", bias_correction=False),
        by_hand.amsgrad_bare_inside,
    ),
    "rmsprop centered, momentum": (
        decimals(name="rmsprop", library="keras", momentum="0.5", centered=True), by_hand.rmsprop_centered_momentum
    ),
    "nadam inside": (
        decimals(name="nadam", library="optax", epsilon="0.01", epsilon_place="inside"), by_hand.nadam_inside
    ),
    "nadam optax": ({"name": "nadam", "library": "optax"}, by_hand.nadam_optax),
    "nadam keras": ({"name": "nadam", "library": "keras"}, by_hand.nadam_keras),
}  # fmt: skip


@pytest.mark.parametrize("name", HAND)
def test_by_hand(name: str) -> None:
    settings, rule = HAND[name]
    np.testing.assert_allclose(path(run(settings), len(GRADIENTS)), worked_by_hand(rule), rtol=1e-12, atol=1e-14)


# --- a broken rule is caught ----------------------------------------------------------------------------------------


def _comparison(line: Line) -> tuple[Table, list[list[float]]] | None:
    """Settings that use the line, and what somebody else gets with them."""
    for settings, make in TORCH.values():
        if line in _recipe(settings).lines():
            return settings, torch_path(make, GRADIENTS)
    for settings, rule in HAND.values():
        if line in _recipe(settings).lines():
            return settings, worked_by_hand(rule)
    return None


def _recipe(settings: Table) -> Recipe:
    body = run(settings).problem.body
    assert isinstance(body, OptimizerRun)
    return body.recipe


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_line_is_compared_and_a_broken_one_is_caught(
    row: catalogue.Optimizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in row.lines:
        found = _comparison(line)
        assert found, f"nothing is compared with {line}"
        wrong = replace(line, formula=f"{line.formula} + 1/1000")
        compared = OPTIMIZERS[found[0]["name"]]
        with monkeypatch.context() as patch:
            lines = tuple(wrong if each == line else each for each in compared.lines)
            patch.setitem(OPTIMIZERS, compared.name, replace(compared, lines=lines))
            ours = path(run(found[0]), len(GRADIENTS))
        assert not np.allclose(ours, found[1], rtol=1e-12, atol=1e-12), line


# --- the table ------------------------------------------------------------------------------------------------------


def _every_recipe(row: catalogue.Optimizer) -> Iterator[Recipe]:
    """The row under every combination of conventions, and with every hyper-parameter zero or not."""
    choices = [[(choice.key, option) for option, _ in choice.options] for choice in row.all_choices()]
    hypers = [[(hyper.key, value) for value in (number(0), number("0.5"))]
              for hyper in row.all_hypers()]  # fmt: skip
    for options in itertools.product(*choices):
        for numbers in itertools.product(*hypers):
            yield Recipe(row, numbers, options)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_combination_of_conventions_is_one_rule(row: catalogue.Optimizer) -> None:
    reached: set[Line] = set()
    for recipe in _every_recipe(row):
        lines = recipe.lines()
        targets = [line.target for line in lines]
        assert len(set(targets)) == len(targets), recipe.settings()
        assert targets[-1] == "w"
        reached |= set(lines)
    assert set(row.lines) <= reached


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rules_need_only_what_is_there(row: catalogue.Optimizer) -> None:
    for recipe in _every_recipe(row):
        rule = UpdateRule(recipe, number("0.1"))
        known = {"w", "g", "eta", *rule.numbers, *rule.counters, *rule.starts}
        for each in rule.assignments:
            used = set(names_in(each.definition))
            assert used <= known, (row.name, each.target, used - known)
            known.add(f"{each.target}_new")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_libraries_have_settings_that_there_are(row: catalogue.Optimizer) -> None:
    hypers = {hyper.key for hyper in row.all_hypers()}
    options = {choice.key: {option for option, _ in choice.options} for choice in row.all_choices()}
    for library in row.libraries:
        for key, text in library.settings:
            assert text in options[key] if key in options else key in hypers and Decimal(text) >= 0
        assert path(run({"name": row.name, "library": library.key}), 2)


# --- what SymPy proves ------------------------------------------------------------------------------------------------


def _symbolic(optimizer: Table, steps: int) -> sympy.Expr:
    """The parameter after so many updates, as one expression in w, the gradients and the hyper-parameters."""
    data = {"kind": "optimizer", "optimizer": optimizer, "learning_rate": 1, "parameters": {"w": 1},
            "gradients": [[1]] * steps}  # fmt: skip
    example = WorkedExample(from_dict(data))
    values: dict[sympy.Basic, sympy.Basic] = {}
    known = {name: value for name, value in example.problem.given.items() if name.split("_")[0] in ("v", "m", "s")}
    for name, value in known.items():
        values[sympy.Symbol(name, real=True)] = sympy.Rational(value.value)
    found: sympy.Expr = sympy.Integer(0)
    for name in example.graph.forward():
        definition = example.derivation.quantity(name).definition
        assert definition is not None
        found = to_sympy(definition).subs(values)
        values[sympy.Symbol(name, real=True)] = found
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"name": "momentum"}, {"name": "momentum", "form": "change"}),
        ({"name": "momentum"}, {"name": "momentum", "form": "pytorch"}),
        ({"name": "nesterov"}, {"name": "nesterov", "form": "pytorch"}),
        ({"name": "adam", "epsilon": 0}, {"name": "adam", "epsilon": 0, "epsilon_place": "uncorrected"}),
        ({"name": "adam", "epsilon": 0}, {"name": "adam", "epsilon": 0, "epsilon_place": "inside"}),
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_forms_that_are_one_rule(one: Table, other: Table) -> None:
    positive = {name: sympy.Symbol(name, positive=True) for name in ("beta1", "beta2", "g_w@1", "g_w@2")}
    difference = (_symbolic(one, 2) - _symbolic(other, 2)).subs({"epsilon": 0, sympy.Symbol("epsilon", real=True): 0})
    difference = difference.subs({sympy.Symbol(name, real=True): symbol for name, symbol in positive.items()})
    exact = {positive["beta1"]: sympy.Rational(9, 10), positive["beta2"]: sympy.Rational(99, 100)}
    assert sympy.simplify(difference.subs(exact)) == 0


def test_forms_that_are_not_one_rule() -> None:
    assert path(run({"name": "momentum"}), 3) != path(run({"name": "momentum", "form": "average"}), 3)


# --- exact numbers --------------------------------------------------------------------------------------------------


def test_the_step_of_the_notes_is_exact() -> None:
    example = WorkedExample(find("sgd-step"))
    assert example.exact("w@1") == Fraction(23, 50)
    assert example.shown("w_new") == "0.46"


def test_rules_without_a_root_are_exact() -> None:
    example = run(decimals(name="nesterov", weight_decay="0.1"))
    w, v = Fraction("0.5"), Fraction(0)
    for step, row in enumerate(GRADIENTS, 1):
        g = Fraction(row[0]) + Fraction(1, 10) * w
        v = Fraction(9, 10) * v - Fraction(1, 10) * g
        w = w + Fraction(9, 10) * v - Fraction(1, 10) * g
        assert example.exact(f"a@{step}") == w
        assert example.exact(f"v_a@{step}") == v


def test_adam_on_two_gradients() -> None:
    example = WorkedExample(find("adam-two-gradients"))
    exact = {"m_w@1": "1/25", "v_w@1": "1/6250", "m_hat_w@1": "2/5", "v_hat_w@1": "4/25", "m_w@2": "33/500"}
    assert {name: str(example.exact(name)) for name in exact} == exact
    assert example.exact("w@1") == Fraction(1, 2) - Fraction(1, 25) / (Fraction(2, 5) + Fraction(1, 10**8))


# --- many digits ----------------------------------------------------------------------------------------------------


def test_thirty_digits() -> None:
    """Adam, RMSprop and Nadam by mpmath at 60 digits: the 30 digits shown are right."""
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(60):
        mpf, sqrt = mpmath.mpf, mpmath.sqrt
        beta1, beta2, rate, epsilon = mpf("0.9"), mpf("0.999"), mpf("0.1"), mpf("1e-8")
        paths = {name: [mpf("0.5"), mpf(0), mpf(0), mpf(1)] for name in ("adam", "rmsprop", "nadam")}
        for t, (text, _) in enumerate(GRADIENTS, 1):
            g = mpf(text)
            for name, (w, m, v, product) in paths.items():
                keep = mpf("0.9") if name == "rmsprop" else beta2
                m, v = beta1 * m + (1 - beta1) * g, keep * v + (1 - keep) * g**2
                now, later = (beta1 * (1 - mpf("0.96") ** (mpf("0.004") * k) / 2) for k in (t, t + 1))
                product *= now
                ahead = {
                    "adam": m / (1 - beta1**t),
                    "rmsprop": g,
                    "nadam": later * m / (1 - product * later) + (1 - now) * g / (1 - product),
                }[name]
                root = sqrt(v) if name == "rmsprop" else sqrt(v / (1 - beta2**t))
                paths[name] = [w - rate * ahead / (root + epsilon), m, v, product]
        for name, (w, *_) in paths.items():
            shown = run({"name": name}, rounding={"significant": 30}).shown(f"a@{len(GRADIENTS)}")
            assert abs(mpf(shown) - w) <= abs(w) * mpf("1e-29"), name


# --- extremes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("size", ["0", "1e-299", "1e299", "-1e299"])
def test_extreme_gradients(row: catalogue.Optimizer, size: str) -> None:
    example = run({"name": row.name}, [[size, "0"], [size, size], ["0", "0.1"]])
    for name in example.graph.forward():
        value = example.value(name)
        assert value is None or math.isfinite(value), name
        assert example.shown(name)
    for step in (1, 2, 3):
        assert example.value(f"a@{step}") is not None


@pytest.mark.parametrize("name", ["adam", "amsgrad", "nadam", "rmsprop", "adagrad"])
def test_the_step_does_not_grow_with_the_gradient(name: str) -> None:
    huge, large = (run({"name": name}, [[size, "1"]]).value("a@1") for size in ("1e299", "1e20"))
    assert huge == pytest.approx(large, rel=1e-9)


def test_without_epsilon_a_zero_gradient_is_said_to_be_undefined() -> None:
    from derive.numbers.exact import Undefined

    with pytest.raises(Undefined, match="division by zero"):
        run(decimals(name="adam", epsilon="0.0"), [["0", "1"]]).value("a@1")


# --- objectives and names --------------------------------------------------------------------------------------------


def on(objective: str, steps: int, optimizer: str | Table = "sgd", **starts: str) -> WorkedExample:
    data = {
        "kind": "optimizer", "optimizer": optimizer, "learning_rate": Decimal("0.1"), "objective": objective,
        "steps": steps, "parameters": {name: Decimal(text) for name, text in starts.items()},
    }  # fmt: skip
    return WorkedExample(from_dict(data))


def test_objective() -> None:
    example = on("w^2", 3, w="1")
    assert [example.exact(f"w@{step}") for step in (1, 2, 3)] == [Fraction(4, 5) ** step for step in (1, 2, 3)]
    assert example.exact("g_w@2") == Fraction(8, 5)
    assert example.exact("E@3") == Fraction(4, 5) ** 6


def test_the_gradient_of_an_objective_is_that_of_autograd() -> None:
    example = on("exp(a*b) + ln(1 + a^2) - sin(b)", 5, "adam", a="0.3", b="-0.7")
    a, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (0.3, -0.7))
    optimizer = torch.optim.Adam([a, b], lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        (torch.exp(a * b) + torch.log(1 + a**2) - torch.sin(b)).backward()
        optimizer.step()
    assert example.value("a@5") == pytest.approx(a.item(), rel=1e-12)
    assert example.value("b@5") == pytest.approx(b.item(), rel=1e-12)


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        ("w_new", "w@1"), ("w'", "w@1"), ("w@0", "w"), ("dE/dw", "g_w@1"), ("dE/dw@1", "g_w@2"), ("eta@2", "eta"),
        ("∂E/∂w", "g_w@1"), ("m_w_new", "m_w@1"), ("g_w", "g_w@1"), ("dE_dw", "g_w@1"), ("dE/dw@2", "dE@2/dw@2"),
    ],
)  # fmt: skip
def test_names(asked: str, same: str) -> None:
    example = on("w^2", 2, "adam", w="1")
    assert example.find(asked).name == same


def test_a_step_that_is_not_made_has_no_name() -> None:
    with pytest.raises(Exception, match="no quantity"):
        on("w^2", 2, w="1").value("w@3")


def test_many_steps_of_an_objective() -> None:
    example = on("w^2 + 1", 300, "adam", w="1")
    w = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        (w**2 + 1).backward()
        optimizer.step()
    assert example.value("w@300") == pytest.approx(w.item(), abs=1e-12)


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_pages(row: catalogue.Optimizer) -> None:
    for library in row.libraries:
        gradients = WITH_ZEROS[::3] if library.settings and dict(library.settings).get("epsilon") != "0" else GRADIENTS
        example = run({"name": row.name, "library": library.key}, gradients[:2], clip_norm=1, schedule="constant")
        text, markdown, latex = example.text(), example.markdown(), example.latex()
        assert row.title.lower() in text.lower()
        assert "`" not in text + latex
        for piece in (r"\leftarrow", "a^{[1]}"):
            assert piece in markdown
            assert piece in latex
    example = run({"name": row.name, "weight_decay": 1})
    assert all(library.name in example.text() for library in row.libraries)


def test_a_page_of_many_steps_is_short() -> None:
    text = on("w^2", 500, "momentum", w="1").text()
    assert "…" in text
    assert len(text.splitlines()) < 150


# --- files -----------------------------------------------------------------------------------------------------------

GOOD = 'kind = "optimizer"\nlearning_rate = 0.1\nparameters = { w = 1 }\n'
BROKEN = {
    "no gradients": (GOOD, "gradients", "missing"),
    "two sources": (GOOD + 'gradients = [[1]]\nobjective = "w"\n', "objective", "beside gradients"),
    "steps beside gradients": (GOOD + "gradients = [[1]]\nsteps = 2\n", "steps", "beside gradients"),
    "row of two": (GOOD + "gradients = [[1, 2]]\n", "gradients[1]", "a row of 2"),
    "unknown name": (GOOD + 'objective = "v^2"\n', "objective", "v"),
    "no formula": (GOOD + 'objective = "w +"\n', "objective", "column"),
    "misspelt": (GOOD + 'gradients = [[1]]\noptimizer = "adaam"\n', "optimizer", 'did you mean "adam"'),
    "another's key": (
        GOOD + 'gradients = [[1]]\noptimizer = { name = "sgd", beta1 = 0.9 }\n', "optimizer.beta1", "sgd has no beta1"
    ),
    "another's option": (
        GOOD + 'gradients = [[1]]\noptimizer = { name = "adagrad", epsilon_place = "uncorrected" }\n',
        "optimizer.epsilon_place", "adagrad has not",
    ),
    "another's library": (
        GOOD + 'gradients = [[1]]\noptimizer = { name = "adam", library = "zeiler" }\n', "optimizer.library", "zeiler"
    ),
    "beta of 1": (
        GOOD + 'gradients = [[1]]\noptimizer = { name = "adam", beta1 = 1 }\n', "optimizer.beta1", "number 1"
    ),
    "two clippings": (GOOD + "gradients = [[1]]\nclip_norm = 1\nclip_value = 1\n", "clip_value", "beside clip_norm"),
    "clip_epsilon alone": (GOOD + "gradients = [[1]]\nclip_epsilon = 1\n", "clip_epsilon", "without clip_norm"),
    "schedule without its number": (GOOD + 'gradients = [[1]]\nschedule = "step"\n', "schedule.every", "missing"),
    "schedule with another's": (
        GOOD + 'gradients = [[1]]\nschedule = { name = "cosine", over = 3, every = 2 }\n',
        "schedule.every", "has no every",
    ),
    "a taken name": (
        'kind = "optimizer"\nlearning_rate = 0.1\nparameters = { w = 1, m_w = 2 }\ngradients = [[1, 1]]\n'
        'optimizer = "adam"\n',
        "parameters.m_w", "uses for something else",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files(case: str) -> None:
    text, place, found = BROKEN[case]
    with pytest.raises(ProblemError) as error:
        loads(text)
    [mistake] = [one for one in error.value.mistakes if one.place == place]
    assert found in mistake.found
    assert mistake.accepted
    assert len(error.value.mistakes) == 1
