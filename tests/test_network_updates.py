"""Updates of a network by every optimizer, against torch; what is carried from update to update; names; long runs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from derive.problem.file import find, loads
from derive.worked import WorkedExample

torch = pytest.importorskip("torch")
OPTIM = torch.optim

NETWORK = """
inputs = [[0.05, 0.10], [0.3, -0.2]]
targets = [0.01, 0.4]
[[layers]]
neurons = 2
activation = "sigmoid"
weights = [[0.15, 0.20], [0.25, 0.30]]
bias = 0.35
[[layers]]
neurons = ["o1"]
activation = "sigmoid"
weights = [[0.40, 0.45]]
bias = 0.60
[update]
learning_rate = 0.05
"""
NAMES = ["w1", "w2", "w3", "w4", "w5", "w6", "b1", "b2"]
Make = Callable[[list[Any]], Any]


@pytest.fixture(autouse=True)
def _doubles() -> Iterator[None]:
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(usual)


def ours(update: str, rounding: str = "") -> WorkedExample:
    return WorkedExample(loads(f"{NETWORK}{update}\n{rounding}"))


def theirs(make: Make, steps: int, before: Make | None = None, schedule: Make | None = None) -> list[float]:
    first, second = ([[0.15, 0.2], [0.25, 0.3]], [[0.4, 0.45]])
    parameters = [torch.tensor(value, requires_grad=True) for value in (first, 0.35, second, 0.6)]
    w1, b1, w2, b2 = parameters
    inputs, targets = torch.tensor([[0.05, 0.1], [0.3, -0.2]]), torch.tensor([[0.01], [0.4]])
    optimizer = make(parameters)
    scheduler = schedule(optimizer) if schedule else None
    for _ in range(steps):
        optimizer.zero_grad()
        out = torch.sigmoid(torch.sigmoid(inputs @ w1.T + b1) @ w2.T + b2)
        (0.5 * (out - targets) ** 2).mean().backward()
        if before:
            before(parameters)
        optimizer.step()
        if scheduler:
            scheduler.step()
    return [*w1.flatten().tolist(), *w2.flatten().tolist(), b1.item(), b2.item()]


RULES: dict[str, tuple[str, Make]] = {
    "sgd": ('optimizer = "sgd"', lambda p: OPTIM.SGD(p, lr=0.05)),
    "sgd, decay": (
        'optimizer = { name = "sgd", weight_decay = 0.1, decay = "decoupled" }',
        lambda p: OPTIM.SGD(p, lr=0.05),
    ),
    "momentum": (
        'optimizer = { name = "momentum", library = "pytorch", dampening = 0.2, weight_decay = 0.1 }',
        lambda p: OPTIM.SGD(p, lr=0.05, momentum=0.9, dampening=0.2, weight_decay=0.1),
    ),
    "nesterov": ('optimizer = "nesterov"', lambda p: OPTIM.SGD(p, lr=0.05, momentum=0.9, nesterov=True)),
    "adagrad": ('optimizer = "adagrad"', lambda p: OPTIM.Adagrad(p, lr=0.05)),
    "rmsprop": (
        'optimizer = { name = "rmsprop", library = "pytorch", centered = true, momentum = 0.5 }',
        lambda p: OPTIM.RMSprop(p, lr=0.05, centered=True, momentum=0.5),
    ),
    "adadelta": ('optimizer = "adadelta"', lambda p: OPTIM.Adadelta(p, lr=0.05)),
    "adam": ('optimizer = "adam"', lambda p: OPTIM.Adam(p, lr=0.05)),
    "adamw": ('optimizer = "adamw"', lambda p: OPTIM.AdamW(p, lr=0.05)),
    "amsgrad": ('optimizer = "amsgrad"', lambda p: OPTIM.Adam(p, lr=0.05, amsgrad=True)),
    "nadam": ('optimizer = "nadam"', lambda p: OPTIM.NAdam(p, lr=0.05)),
}


@pytest.mark.parametrize("steps", [1, 3, 26])
@pytest.mark.parametrize("name", [name for name in RULES if name != "sgd, decay"])
def test_torch(name: str, steps: int) -> None:
    """26 updates: the last are beyond those that are enclosed step by step."""
    update, make = RULES[name]
    example = ours(f"{update}\nsteps = {steps}")
    found = [example.value(f"{parameter}@{steps}") for parameter in NAMES]
    assert found == pytest.approx(theirs(make, steps), rel=1e-11, abs=1e-13)


def test_every_optimizer_is_tried() -> None:
    from derive.catalogue.optimizers import OPTIMIZERS

    assert {name.split(",")[0] for name in RULES} == set(OPTIMIZERS)


def test_clipping_and_schedule() -> None:
    example = ours('optimizer = "adam"\nschedule = { name = "step", every = 2, factor = 0.5 }\nclip_norm = 0.05\n'
                   "clip_epsilon = 0.000001\nsteps = 5")  # fmt: skip
    clipped = theirs(
        lambda p: OPTIM.Adam(p, lr=0.05),
        5,
        lambda p: torch.nn.utils.clip_grad_norm_(p, 0.05),
        lambda o: OPTIM.lr_scheduler.StepLR(o, step_size=2, gamma=0.5),
    )
    assert [example.value(f"{name}@5") for name in NAMES] == pytest.approx(clipped, rel=1e-11)
    assert [example.exact(f"eta@{step}") for step in (1, 2, 3, 5)] == [
        Fraction(1, 20), Fraction(1, 20), Fraction(1, 40), Fraction(1, 80)
    ]  # fmt: skip


# --- names and what is carried ---------------------------------------------------------------------------------------


def test_gradient_descent_stays_as_it_is() -> None:
    from derive.formula.grammar import write

    example = WorkedExample(find("backprop-2-2-1"))
    definition = example.derivation.quantity("w5_new").definition
    assert definition is not None
    assert write(definition) == "w5 - eta*dE/dw5"
    assert not [name for name in example.json()["quantities"] if name.startswith(("m_", "v_", "t"))]


def test_states_of_the_first_updates() -> None:
    example = ours('optimizer = "adam"\nsteps = 2')
    slopes = [example.value(name) for name in ("dE/dw5", "dE/dw5@1")]
    assert None not in slopes
    first, second = (float(slope or 0) for slope in slopes)
    assert example.value("m_w5") == 0
    assert example.value("m_w5@1") == pytest.approx(0.1 * first, rel=1e-12)
    assert example.value("m_w5_new") == example.value("m_w5@1")
    assert example.value("m_w5@2") == pytest.approx(0.09 * first + 0.1 * second, rel=1e-12)
    assert example.value("v_w5@2") == pytest.approx(0.000999 * first**2 + 0.001 * second**2, rel=1e-12)
    assert example.value("m_hat_w5@2") == pytest.approx((0.09 * first + 0.1 * second) / 0.19, rel=1e-12)


def test_frozen_parameters_have_no_state_and_no_part_in_the_norm() -> None:
    example = ours('optimizer = "adam"\nfrozen = ["b1", "w1"]\nclip_norm = 0.01\nsteps = 2')
    with pytest.raises(Exception, match="no quantity"):
        example.value("m_b1@1")
    assert example.exact("b1@2") == Fraction("0.35")
    slopes = [example.value(f"dE/d{name}") or 0.0 for name in NAMES if name not in ("b1", "w1")]
    assert example.value("g_norm@1") == pytest.approx(np.linalg.norm(slopes), rel=1e-12)


def test_names_of_the_problem_come_first() -> None:
    text = NETWORK.replace("[[layers]]", 'target_names = ["t"]\ninput_names = ["beta1", "m_w5"]\n[[layers]]', 1)
    example = WorkedExample(loads(f'{text}optimizer = "adam"\nsteps = 2'))
    plain = ours('optimizer = "adam"\nsteps = 2')
    assert example.exact("t[1]") == Fraction("0.01")
    assert example.exact("beta1[2]") == Fraction("0.3")
    assert example.value("w5@2") == plain.value("w5@2")
    assert example.json()["quantities"]["w5@2"]["value"] == plain.value("w5@2")


def test_a_single_sample_with_the_names_of_the_rule() -> None:
    text = """
inputs = [0.3, 0.7]
input_names = ["m_w1", "beta1"]
targets = [1]
target_names = ["t"]
[[layers]]
neurons = ["o"]
activation = "sigmoid"
weights = [[0.5, -0.2]]
[update]
optimizer = "adam"
learning_rate = 0.1
"""
    example = WorkedExample(loads(text))
    assert example.exact("m_w1") == Fraction("0.3")
    slope = example.value("dE/dw1") or 0.0
    assert example.value("m_w1_adam@1") == pytest.approx(0.1 * slope, rel=1e-12)
    assert example.value("w1_new") == pytest.approx(0.5 + 0.1, rel=1e-6)
    assert "m_w1_adam" in example.text()


def test_json_lists_states_and_reads_back() -> None:
    example = ours('optimizer = "nadam"\nsteps = 3\nschedule = { name = "exponential", factor = 0.5 }')
    listed = example.json()["quantities"]
    for name in ("m_w5", "m_w5_new", "m_w5@1", "v_b2@3", "m_bar_w1@2", "mu_product@3", "eta@2", "beta1", "t", "eta_0"):
        assert listed[name]["value"] is not None, name
        assert example.value(name) == listed[name]["value"]
    formula = listed["m_bar_w1@2"]["formula"]
    assert "mu_next@2" in formula
    assert "m_w1@2" in formula
    assert "_new" not in formula
    assert listed["eta@2"]["formula"] == "eta_0*gamma^((2 - 1)/n)"


def test_formulas_of_json_have_the_values_beside_them() -> None:
    """Every formula of an update, evaluated by a plain reader in doubles, gives its value."""
    example = ours('optimizer = "adam"\nsteps = 3\nclip_norm = 0.01')
    listed = example.json()["quantities"]
    values = {name: entry["value"] for name, entry in listed.items()}
    tried = 0
    for name, entry in listed.items():
        if not re.fullmatch(r"(m|v|m_hat|v_hat|w5|w1|g_clip|g_norm)(_\w+?)?@[123]", name):
            continue
        names = sorted(set(re.findall(r"[A-Za-z_]\w*(?:\[\d+\])?(?:@\d+)?", entry["formula"])) - {"sqrt"}, key=len)
        text = entry["formula"]
        for used in reversed(names):
            text = re.sub(rf"(?<![\w@]){re.escape(used)}(?![\w@\[])", f"({values[used]!r})", text)
        from derive.derivation.evaluator import Evaluator
        from derive.derivation.long_run import Decimals
        from derive.formula.grammar import read

        found = Evaluator(Decimals(30), lambda missing: pytest.fail(missing)).value(read(text))
        assert float(found) == pytest.approx(entry["value"], rel=1e-9), name
        tried += 1
    assert tried > 50


def test_a_gradient_of_the_command_line_shows_what_an_update_needs() -> None:
    from derive.worked import Options

    problem = loads(f'{NETWORK}optimizer = "adam"')
    [section] = WorkedExample(problem, Options(only=("w5_new",))).sections
    [step] = section.steps
    inside = [inner.target for inner in step.steps]
    assert inside == ["m_hat_w5_new", "v_hat_w5_new"]
    assert [inner.target for inner in step.steps[0].steps] == ["m_w5_new"]
    text = WorkedExample(problem, Options(only=("w5_new",))).text()
    assert "m_hat_w5⁺" in text
    assert "∂E/∂w5" in text


# --- displayed carry, long runs ---------------------------------------------------------------------------------------


def test_displayed_numbers_are_carried() -> None:
    example = ours('optimizer = { name = "momentum", form = "pytorch" }\nsteps = 30',
                   '[rounding]\ndecimals = 4\ncarry = "displayed"')  # fmt: skip
    for step in (1, 2, 25, 30):
        slope = Fraction(example.shown(f"dE/dw5@{step - 1}") or "")
        before = Fraction(example.shown(f"v_w5@{step - 1}") or "") if step > 1 else Fraction(0)
        velocity = Fraction(9, 10) * before + slope
        shown = Fraction(example.shown(f"v_w5@{step}") or "")
        assert abs(shown - velocity) <= Fraction(1, 20000)
        weight = Fraction(example.shown(f"w5@{step - 1}" if step > 1 else "w5") or "") - Fraction(1, 20) * shown
        assert abs(Fraction(example.shown(f"w5@{step}") or "") - weight) <= Fraction(1, 20000)


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_a_thousand_updates_are_fast(name: str) -> None:
    update, make = RULES[name]
    example = ours(f"{update}\nsteps = 1000")
    began = time.process_time()
    found = [example.value(f"{parameter}@1000") for parameter in NAMES]
    assert time.process_time() - began < 12
    assert found == pytest.approx(theirs(make, 1000), rel=1e-8, abs=1e-10)
    assert example.value("v_w5@1000") is not None
    if name == "adam":
        assert example.value("m_hat_w5@1000") == pytest.approx(example.value("m_w5@1000"), rel=1e-12)


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
def test_pages(name: str) -> None:
    update, _ = RULES[name]
    example = ours(f"{update}\nsteps = 3\nclip_value = 0.1")
    text, latex = example.text(), example.latex()
    example.markdown(dialect="github")
    assert "w5⁺" in text
    assert "†" in text
    if name != "sgd":
        assert "Update by" in text
        assert r"\leftarrow" in latex
    assert re.search(r"^3 +−?[0-9]", text, re.MULTILINE)


def test_the_page_says_whose_conventions_these_are() -> None:
    text = " ".join(ours('optimizer = "adam"').text().split())
    assert "These conventions are those of PyTorch Adam" in text
    assert "Keras Adam has instead: epsilon_place = uncorrected" in text


def test_a_large_network_is_updated_by_adam() -> None:
    text = """
inputs = 50
targets = true
[[layers]]
neurons = 30
activation = "relu"
bias = true
[[layers]]
neurons = 5
activation = "softmax"
bias = true
[update]
optimizer = "adam"
learning_rate = 0.1
"""
    example = WorkedExample(loads(text.replace("inputs = 50", "inputs = 60")))
    page = example.text()
    assert "m_hat_W1[60,30]⁺" in page
    assert len(page.splitlines()) < 1500
