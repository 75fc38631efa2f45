"""Published perceptrons, losses, activations and optimizers, as an author proof-reads them: with `derive check`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_activations import KERAS, keras
from test_loss_cases import PROBLEMS, meaning

from cases import Case, Printed, cases, folder
from derive.cli import cli
from derive.problem.file import from_dict
from derive.worked import WorkedExample

pytestmark = pytest.mark.skipif(folder() is None, reason="no folder of published cases; DERIVE_CASES may name it")

Problem = Mapping[str, Any]
Row = tuple[Printed, str, str]
"""A printed number, the quantity that it is of, and it as an answer."""

AT_THE_DIGITS_WRITTEN = {"hard_sigmoid.0", "hard_sigmoid.2"}
"""Marked wrong there, and right as they are printed: 1/3 as 0.3 and 2/3 as 0.7."""


def toml(value: Any) -> str:
    match value:
        case bool() | str():
            return json.dumps(value)
        case list() | tuple():
            return f"[{', '.join(map(toml, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{json.dumps(key)} = {toml(part)}' for key, part in value.items())}}}"
        case _:
            text = format(Decimal(str(value)), "f")
            return text if isinstance(value, int) or "." in text else f"{text}.0"


def of_kind(kind: str) -> dict[str, Case]:
    return {case.name[:2]: case for case in cases(kind)}


def after(printed: Printed, names: Mapping[str, str]) -> str:
    """gd.4 is x@5: what was printed after a number of updates, counted from 0."""
    kind, place = printed.key.split(".")
    return f"{names[kind]}@{int(place) + 1}"


def number(printed: Printed) -> str:
    return printed.text.replace("...", "")


# --- each case as problems, with what its keys stand for -------------------------------------------------------------


def cornell() -> Iterator[tuple[Problem, list[Row]]]:
    case = of_kind("perceptron")["28"]
    rows, (*weights, bias) = case.inputs["data"], case.inputs["start"]
    problem = {
        "kind": "perceptron", "inputs": [row[:-2] for row in rows], "targets": [row[-1] for row in rows],
        "bias_input": rows[0][-2], "bias": bias, "weights": weights, "learning_rate": case.inputs["learning_rate"],
        "step_at_zero": 1,
    }  # fmt: skip
    names = {"dot.{}": "net[{}]", "out.{}": "out[{}]", "w.{}.0": "w1[{}]", "w.{}.1": "w2[{}]", "w.{}.2": "b[{}]"}
    meant = {key.format(place): name.format(place + 1) for place in range(6) for key, name in names.items()}
    yield problem, [(one, meant[one.key], one.text) for one in case.printed]


def li_hang() -> Iterator[tuple[Problem, list[Row]]]:
    case = of_kind("perceptron")["30"]
    rows = case.inputs["data"]
    problem = {
        "kind": "perceptron", "inputs": [row[:-1] for row in rows], "targets": [row[-1] for row in rows], "bias": 0,
        "weights": [0, 0], "learning_rate": 1, "order": "restart", "step_at_zero": "mistake",
    }  # fmt: skip
    updates = (1, 4, 7, 10, 11, 14, 17)  # the presentations that change the weights
    names = {"w.{}.0": "w1[{}]", "w.{}.1": "w2[{}]", "b.{}": "b[{}]"}
    meant = {key.format(n): name.format(place) for n, place in enumerate(updates) for key, name in names.items()}
    yield problem, [(one, meant[one.key], one.text) for one in case.printed if one.key in meant]


def boone() -> Iterator[tuple[Problem, list[Row]]]:
    """XOR with the two sets of weights that are printed; the order of the samples in which OR was learned is not."""
    case = of_kind("perceptron")["33"]
    printed = {one.key: one for one in case.printed}
    rows = case.inputs["xor_data"]
    for letter, weights in (("a", (Decimal("0.1"), 0, Decimal("0.1"))), ("b", (0, Decimal("0.1"), 0))):
        layer = {"neurons": 1, "activation": {"name": "step", "at_zero": 0}, "weights": [weights[1:]],
                 "bias": weights[0]}  # fmt: skip
        problem = {"inputs": [row[1:3] for row in rows], "targets": [row[3] for row in rows], "layers": [layer],
                   "loss": "mean-absolute-error"}  # fmt: skip
        meant = {f"xor_pred_{letter}.{place}": f"out_o1[{place + 1}]" for place in range(4)}
        meant |= {"xor_meanerr_a": "E"} if letter == "a" else {}
        yield problem, [(printed[key], name, printed[key].text) for key, name in meant.items()]
    for given, keys in (({"tp": 2, "fp": 2, "fn": 0}, ("xor_f1_a",)), ({"tp": 1, "fp": 1, "fn": 1}, ("xor_f1_b",))):
        define = {"precision": "tp/(tp + fp)", "recall": "tp/(tp + fn)", "f": "2*precision*recall/(precision + recall)"}
        of_counts = {"kind": "expression", "output": "f", "given": given, "define": define}
        yield of_counts, [(printed[key], "f", printed[key].text) for key in keys]


def losses() -> Iterator[tuple[Problem, list[Row]]]:
    """What is one quantity of a problem; each problem as often as a number of it is printed."""
    for case in of_kind("loss").values():
        problems = PROBLEMS[case.name](case.inputs)
        found: dict[tuple[str, int], dict[str, Row]] = {}
        for one in case.printed:
            meant = meaning(case.name, one.key)
            (problem, name, share), *others = meant.terms
            if others or meant.factor * share != 1 or meant.root:
                continue
            turn = next(n for n in range(9) if name not in found.get((problem, n), {}))
            found.setdefault((problem, turn), {})[name] = (one, name, number(one))
        for (problem, _), rows in found.items():
            yield {key: value for key, value in problems[problem].items() if key != "rounding"}, list(rows.values())


def activations() -> Iterator[tuple[Problem, list[Row]]]:
    found: dict[str, tuple[dict[str, Any], list[tuple[Printed, int]]]] = {}
    for one, inputs in keras():
        key, _, place = one.key.rpartition(".")
        if key == "glu":
            continue
        row = KERAS[key][1]
        points = [inputs] if row in ("softmax", "log-softmax") else inputs
        problem = {"kind": "activation", "activation": row, "at": points}
        found.setdefault(key, (problem, []))[1].append((one, int(place)))
    for problem, printed in found.values():
        forward = WorkedExample(from_dict(problem)).graph.forward()
        names = [name for name in forward if name.startswith("f") and "'" not in name]
        rows = {names[place]: (one, names[place], number(one)) for one, place in reversed(printed)}
        yield problem, list(rows.values())


def optimizers() -> Iterator[tuple[Problem, list[Row]]]:
    tf, plain, grad = (of_kind("optimizer")[name] for name in ("46", "48", "50"))
    printed = {one.key: one for one in tf.printed}

    def one_run(key: str, optimizer: Any, name: str, steps: int = 1, **more: Any) -> tuple[Problem, list[Row]]:
        given = tf.inputs.get(key, tf.inputs["momentum"])
        problem = {"kind": "optimizer", "optimizer": optimizer, "learning_rate": given["lr"],
                   "parameters": {"v": given["var"]}} | (more or {"objective": "1/2*v^2", "steps": steps})  # fmt: skip
        return problem, [(printed[key], name, printed[key].text)]

    change = {"name": "momentum", "momentum": tf.inputs["momentum"]["momentum"], "form": "change"}
    numbers = {key: Decimal(str(value)) for key, value in tf.inputs["rmsprop"].items()}
    yield one_run("sgd", "sgd", "v@1")
    yield one_run("mom_step1", change, "v_v@1", 2)
    yield one_run("mom_step2", change, "v_v@2", 2)
    rmsprop = {"name": "rmsprop", "library": "keras", "rho": numbers["rho"], "epsilon": numbers["eps"]}
    yield one_run("rmsprop", rmsprop, "v@1")
    for key in ("adam", "nadam"):
        given = tf.inputs[key]
        rule = {"name": key, "beta1": given["b1"], "beta2": given["b2"], "epsilon": Decimal(str(given["eps"]))}
        yield one_run(key, rule, "v@1")
    decay = {"name": "sgd", "library": "keras", "weight_decay": tf.inputs["decay"]["weight_decay"]}
    yield one_run("clip", "sgd", "v@1", gradients=[[tf.inputs["clip"]["grad"]]], clip_value=1)
    yield one_run("decay", decay, "v@1", gradients=[[0]])
    start, rate, mu = (plain.inputs[key] for key in ("x0", "lr", "momentum"))
    for begins, which in (("gd", "sgd"), ("mom", {"name": "momentum", "form": "change", "momentum": mu})):
        problem = {"kind": "optimizer", "optimizer": which, "learning_rate": rate, "parameters": {"x": start},
                   "objective": "x^2", "steps": 30}  # fmt: skip
        shown = [one for one in plain.printed if one.key.startswith(begins)]
        yield problem, [(one, after(one, {begins: "x", f"{begins}_f": "E"}), one.text) for one in shown]
    rule = {"name": "adagrad", "epsilon": Decimal(str(grad.inputs["eps"]))}
    problem = {"kind": "optimizer", "optimizer": rule, "learning_rate": grad.inputs["lr"],
               "parameters": dict(zip("xy", grad.inputs["x0"], strict=True)), "objective": "x^2 + y^2",
               "steps": 13}  # fmt: skip
    yield problem, [(one, after(one, {"x": "x", "y": "y", "f": "E"}), one.text) for one in grad.printed]


# --- as a user would -------------------------------------------------------------------------------------------------


def checked(problem: Problem, rows: list[Row], place: Path) -> dict[str, dict[str, Any]]:
    """The verdicts of `derive check` on a problem file and a table of answers, by quantity."""
    answers = "".join(f'printed,"{name}",{text}\n' for _, name, text in rows)
    (place / "problem.toml").write_text("".join(f"{key} = {toml(value)}\n" for key, value in problem.items()))
    (place / "answers.csv").write_text(f"student,quantity,answer\n{answers}")
    files = [str(place / name) for name in ("problem.toml", "answers.csv")]
    result = CliRunner().invoke(cli, ["check", *files, "--format", "jsonl"])
    assert result.exit_code in (0, 1), result.output
    return {found["quantity"]: found for found in map(json.loads, result.stdout.splitlines())}


def not_judged_rightly(rows: list[Row], verdicts: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    found = []
    for (one, name, text), verdict in zip(rows, verdicts.values(), strict=True):
        assert verdict["answer"] == text, name
        is_wrong = one.verdict == "wrong" and one.key not in AT_THE_DIGITS_WRITTEN
        accepted = ("wrong", "follow-through") if is_wrong else ("correct", "rounded")
        if verdict["status"] not in accepted:
            found.append((one.key, text, verdict["status"]))
    return found


SOURCES: dict[str, tuple[Callable[[], Iterator[tuple[Problem, list[Row]]]], int]] = {
    "cornell": (cornell, 30), "li_hang": (li_hang, 21), "boone": (boone, 11), "losses": (losses, 55),
    "activations": (activations, 65), "optimizers": (optimizers, 90),
}  # fmt: skip
"""With the number of numbers that each has at least."""


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_right_is_accepted_and_what_is_wrong_is_not(source: str, tmp_path: Path) -> None:
    counted = 0
    found, least = SOURCES[source]
    for problem, rows in found():
        verdicts = checked(problem, rows, tmp_path)
        assert not_judged_rightly(rows, verdicts) == []
        counted += len(rows)
    assert counted >= least


def test_the_slip_that_a_case_states_is_named(tmp_path: Path) -> None:
    """The exact GELU for its tanh form, which was asked for."""
    named: dict[str, str | None] = {}
    for problem, rows in activations():
        if any(one.verdict == "wrong" for one, _, _ in rows):
            verdicts = checked(problem, rows, tmp_path)
            named |= {one.key: (verdicts[name]["mistake"] or {}).get("id") for one, name, _ in rows}
    assert named["gelu.0"] == named["gelu.2"] == "other-form-of-activation"
