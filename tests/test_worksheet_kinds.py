"""Sheets of perceptrons and of activations, of optimizers, losses and counts: every kind of problem file."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from derive.cli import cli
from derive.errors import DeriveError
from derive.problem.file import bundled, text_of
from derive.worked import WorkedExample
from derive.worksheet.plan import Plan, Style
from derive.worksheet.press import Entry, Press
from derive.worksheet.run import run
from derive.worksheet.search import look
from derive.worksheet.source import Source, read_source
from worksheets import ACTIVATION, EXPRESSION, PERCEPTRON, SMALL, plan, worksheet

VARYING = tuple(name for name, *_ in bundled() if "[vary]" in text_of(name))


def _keys(made: Plan, places: Sequence[int]) -> list[dict[str, Any]]:
    """What the key of each of these sheets says, as data."""
    press = Press(Plan(made.sources, made.seed, made.ask, made.allow, Style(format="json")))
    return [json.loads(sheet.key) for sheet in press.make([Entry(place) for place in places])]


def _first_fit(made: Plan, count: int) -> list[int]:
    press = Press(made)
    picks = made.space.drawn(made.seed, range(min(64, made.space.size)))
    return list(look(made, press.tables(picks), press.slips, 0).fit[:count])


# --- problems of the package ---------------------------------------------------------------------------------------


def test_every_kind_has_a_problem_in_the_package_that_varies() -> None:
    kinds = {read_source(name).problem().kind for name in VARYING}
    assert kinds == {"network", "expression", "training", "loss", "optimizer", "perceptron", "activation"}
    assert len(VARYING) >= 30


@pytest.mark.parametrize("name", VARYING)
def test_a_problem_of_the_package_gives_a_class_its_sheets(name: str) -> None:
    """At least one variant in ten is fit; the numbers of a key are those of the exact engine."""
    made = Plan((read_source(name),), seed=7)
    tried = min(64, made.space.size)
    fit = _first_fit(made, tried)
    assert len(fit) >= tried / 10
    assert made.space.size >= 100
    for place, key in zip(fit[-1:], _keys(made, fit[-1:]), strict=True):
        drawn = made.space.picks(made.space.stream(7).at(place))
        exact = WorkedExample(made.space.problem(0, drawn))
        for quantity, answer in key["problems"][0]["answers"].items():
            assert Decimal(answer) == Decimal(str(exact.shown(quantity))), quantity


# --- the round trip ------------------------------------------------------------------------------------------------

NEURON = """
inputs = [0.3, 0.5]
targets = [1]
[[layers]]
neurons = ["o"]
activation = "sigmoid"
weights = [[0.7, 0.4]]
[update]
optimizer = "OPTIMIZER"
learning_rate = 0.5
[vary]
weights = { from = 0.1, to = 0.9, step = 0.05 }
inputs = { from = 0.1, to = 0.9, step = 0.05 }
"""
TRIPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("perceptron-or", ()),
    ("perceptron-xor", ("error[3]", "w1[6]", "b[6]", "epochs", "converged")),
    ("sigmoid", ()),
    ("relu-3-5", ()),
    ("softmax-1-2-3", ()),
    ("adam-two-gradients", ()),
    ("epochs-1050", ()),
    (NEURON.replace("OPTIMIZER", "sgd"), ("w1@2", "dE/dw1@2", "E@1", "w1_new")),
    (NEURON.replace("OPTIMIZER", "adam"), ("w1@2", "m_w1@2")),
)


@pytest.mark.parametrize(("name", "ask"), TRIPS)
def test_keys_are_right_for_their_own_sheet_and_no_other(name: str, ask: tuple[str, ...], tmp_path: Path) -> None:
    if "\n" in name:
        path = tmp_path / "problem.toml"
        path.write_text(name, encoding="utf-8")
        name = str(path)
    allow = ("mistake",) if ask and "m_w1@2" in ask else ()
    made = Plan((read_source(name),), seed=3, ask=ask, allow=allow, style=Style(bundle=True))
    folder, count = tmp_path / "sheets", 2
    run(made, folder, count)
    rows = list(csv.reader((folder / "answers.csv").read_text(encoding="utf-8").splitlines()))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    data = _keys(made, [sheet["place"] for sheet in manifest["sheets"]])
    keys = [list(key["problems"][0]["answers"].values()) for key in data]
    for shift in (0, 1):
        filled = [row[:2] + keys[(place + shift) % count] for place, row in enumerate(rows[1:])]
        verdicts = _checked(name, [rows[0], *filled], folder, tmp_path)
        for place, verdict in enumerate(verdicts):
            own, answer = keys[place // len(keys[0])][place % len(keys[0])], Decimal(verdict["answer"])
            right = verdict["status"] == "correct"
            assert right == (answer == Decimal(own)), verdict
        assert len(verdicts) == count * len(keys[0])


def _checked(name: str, rows: list[list[str]], folder: Path, tmp_path: Path) -> list[dict[str, Any]]:
    path = tmp_path / "answers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    result = CliRunner().invoke(cli, ["check", name, str(path), "--variants", str(folder), "--format", "jsonl"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


# --- perceptrons ---------------------------------------------------------------------------------------------------


def _by_hand(given: dict[str, str], inputs: int, points: int, label: bool) -> dict[str, Fraction]:
    """The run of a perceptron, written down without any of the package: at most 20 epochs."""
    w = [Fraction(given[f"w{i}"]) for i in range(1, inputs + 1)]
    b, eta, found = Fraction(given["b"]), Fraction(given["eta"]), dict[str, Fraction]()
    for epoch in range(20):
        mistakes = 0
        for k in range(1, points + 1):
            place = epoch * points + k
            x = [Fraction(given[f"x{i}[{k}]"]) for i in range(1, inputs + 1)]
            y = Fraction(given[f"y[{k}]"])
            net = sum((a * c for a, c in zip(w, x, strict=True)), b)
            out = Fraction(1) if net >= 0 else Fraction(-1 if label else 0)
            step = (y if out != y else Fraction(0)) if label else y - out
            mistakes += out != y
            w = [a + eta * step * c for a, c in zip(w, x, strict=True)]
            b += eta * step
            found |= {f"net[{place}]": net, f"out[{place}]": out, f"error[{place}]": y - out, f"b[{place}]": b}
            found |= {f"w{i}[{place}]": a for i, a in enumerate(w, 1)}
        if not mistakes:
            return found | {"converged": Fraction(1), "epochs": Fraction(epoch + 1)}
    return found | {"converged": Fraction(0), "epochs": Fraction(20)}


@pytest.mark.parametrize("label", [False, True])
def test_a_key_holds_the_run_of_the_perceptron(label: bool) -> None:
    text = PERCEPTRON.replace("[0, 0, 0, 1]", "[-1, 1, -1, 1]") if label else PERCEPTRON
    text = text.replace("bias    = 0\n", "bias    = 0\nepochs = 20\n")
    own = ("epochs", "converged", *(("error[4]",) if not label else ()))
    made = plan(text, ask=("net[1]", "out[2]", "w1[3]", "w2[4]", "b[4]", *own))
    answered = set()
    for key in _keys(made, range(20)):
        problem = key["problems"][0]
        given = {name: str(number.value) for name, number in made.space.problems[0].given.items()} | problem["given"]
        wanted = _by_hand(given, 2, 4, label)
        answers = {name: Fraction(text) for name, text in problem["answers"].items()}
        assert answers == {name: wanted[name] for name in made.asked[0]}
        answered.add(problem["answers"]["epochs"])
    assert len(answered) > 1


def test_a_sheet_of_a_perceptron_asks_for_one_epoch_in_order() -> None:
    made = plan(PERCEPTRON)
    assert made.asked[0][:7] == ("net[1]", "out[1]", "error[1]", "w1[1]", "w2[1]", "b[1]", "net[2]")
    assert len(made.asked[0]) == 24
    sheet = Press(plan(PERCEPTRON, level="full")).make([Entry(3)])[0].sheet
    starts = (r"\mathrm{net}^{(2)} &= ", r"\mathrm{error}^{(2)} = ", "w_{1}^{(2)} &= ")
    places = [sheet.index(start) for start in starts]
    assert places == sorted(places)
    assert r"| Point | $`x_{1}`$ | $`x_{2}`$ | $`y`$ |" in sheet
    assert "Every number on this page is exact." in sheet


def test_numbers_of_a_perceptron_are_shown_in_full_whatever_varies() -> None:
    """The file's own weights have no decimals, those of some variants have two."""
    text = PERCEPTRON.replace("[0.5, -0.5]", "[0, 0]").replace("step = 0.5 }\nb", "step = 0.25 }\nb")
    for key in _keys(plan(text), range(8)):
        answers = key["problems"][0]["answers"]
        assert all(len(answers[name].partition(".")[2]) == 2 for name in ("net[1]", "w1[4]", "b[4]"))
        assert answers["out[1]"] in ("0", "1")
    rounded = plan(text + "[rounding]\ndecimals = 1\n")
    assert rounded.space.problems[0].rounding.decimals == 1


def test_a_key_shows_how_many_epochs_by_the_weights_after_each() -> None:
    text = PERCEPTRON.replace("bias    = 0\n", "bias    = 0\nepochs = 20\n")
    for place in range(4):
        made = plan(text, ask=("epochs", "converged"), level="scaffold")
        given = {name: str(number.value) for name, number in made.space.problems[0].given.items()}
        drawn = _keys(made, [place])[0]["problems"][0]["given"]
        wanted = _by_hand(given | drawn, 2, 4, label=False)
        sheet = Press(made).make([Entry(place)])[0]
        assert r"\mathrm{epochs} &= " + str(wanted["epochs"]) in sheet.key
        for epoch in range(1, int(wanted["epochs"]) + 1):
            last = 4 * epoch
            row = [f"w_{{{i}}}^{{({last})}} = {float(wanted[f'w{i}[{last}]']):.2f}" for i in (1, 2)]
            assert ", ".join((*row, f"b^{{({last})}} = {float(wanted[f'b[{last}]']):.2f}")) in sheet.key
        assert "\\mathrm{epochs} = \\rule" in sheet.sheet


ENDLESS = """
kind = "perceptron"
inputs  = [[1], [1]]
targets = [0, 1]
weights = [0.5]
bias = 0
epochs  = 30
[vary]
weights = { from = -1, to = 1, step = 0.5 }
"""


def test_a_far_presentation_can_be_asked_for() -> None:
    made = plan(ENDLESS, ask=("w1[60]",), allow=("mistake",))
    given = {name: str(number.value) for name, number in made.space.problems[0].given.items()}
    problem = _keys(made, [1])[0]["problems"][0]
    wanted = _by_hand(given | problem["given"], 1, 2, label=False)
    assert Fraction(problem["answers"]["w1[60]"]) == wanted["w1[40]"] == wanted["w1[20]"]


def test_targets_vary_too() -> None:
    made = plan(PERCEPTRON + "targets = { choose = [0, 1] }\n")
    drawn = {tuple(key["problems"][0]["given"][f"y[{k}]"] for k in range(1, 5)) for key in _keys(made, range(12))}
    assert len(drawn) > 4


# --- activations ---------------------------------------------------------------------------------------------------


def test_an_activation_is_asked_at_points_with_names() -> None:
    made = plan(ACTIVATION)
    assert made.asked == (("f(z1)", "f'(z2)"),)
    for key in _keys(made, range(6)):
        problem = key["problems"][0]
        z1, z2 = (float(problem["given"][name]) for name in ("z1", "z2"))
        out = 1 / (1 + math.exp(-z2))
        assert problem["answers"]["f(z1)"] == f"{1 / (1 + math.exp(-z1)):.5f}"
        assert problem["answers"]["f'(z2)"] == f"{out * (1 - out):.5f}"


def test_a_vector_has_one_name() -> None:
    text = ACTIVATION.replace('"sigmoid"', '"softmax"').replace("[-2, 1]", "[[1, 2, 3], [0, 1, 2]]")
    made = plan(text.replace('"f(-2)", "f\'(1)"', '"f2(1,2,3)", "df1/dz3(0,1,2)"'))
    assert made.asked == (("f2(z[1])", "df1/dz3(z[2])"),)
    given, answers = _keys(made, [5])[0]["problems"][0]["given"], _keys(made, [5])[0]["problems"][0]["answers"]
    powers = [[math.exp(float(given[f"z{i}[{k}]"])) for i in (1, 2, 3)] for k in (1, 2)]
    assert answers["f2(z[1])"] == f"{powers[0][1] / sum(powers[0]):.5f}"
    assert answers["df1/dz3(z[2])"] == f"{-powers[1][0] * powers[1][2] / sum(powers[1]) ** 2:.5f}"
    sheet = Press(made).make([Entry(5)])[0].sheet
    assert r"$`z^{(1)} = (z_{1}^{(1)}, z_{2}^{(1)}, z_{3}^{(1)})`$ is a vector." in sheet


# --- every format --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [PERCEPTRON, ACTIVATION])
@pytest.mark.parametrize("format", ["markdown", "latex", "html", "notebook", "moodle", "qti"])
def test_every_format_has_the_same_numbers(text: str, format: str) -> None:
    """Each answer of the key, with a comma in German, is in it; of a sheet that is no export none is given away."""
    german = format in ("markdown", "latex")
    made = plan(text, format=format, language="de" if german else "en", level="scaffold", allow=("mistake",))
    sheet = Press(made).make([Entry(2)])[0]
    answers = list(_keys(made, [2])[0]["problems"][0]["answers"].values())
    page = sheet.sheet if format in ("moodle", "qti") else sheet.key
    shown = [answer.replace(".", "{,}") if german else answer for answer in answers]
    assert all(answer.lstrip("-") in page for answer in shown)
    assert "None" not in page
    assert ("Gegeben" in sheet.sheet) == german


# --- what a file says of its sheets --------------------------------------------------------------------------------


def test_a_file_says_what_its_sheets_say_and_ask() -> None:
    said = '[sheet]\ntitle = "Slopes"\ncontext = "Two points."\nask = ["f\'(z1)"]\n[prose]\ncontext = "Not this."\n'
    made = plan(ACTIVATION + said)
    sheet = Press(made).make([Entry(1)])[0].sheet
    assert sheet.startswith("# Slopes\n")
    assert "Two points." in sheet
    assert "Not this." not in sheet
    assert made.asked == (("f'(z1)",),)
    assert plan(ACTIVATION + said, ask=("f(z2)",)).asked == (("f(z2)",),)
    assert made.space.fingerprint == plan(ACTIVATION).space.fingerprint


TRAINING = 'kind = "training"\nsamples = 1050\nbatch = 100\nepochs = 10\n[vary]\n'
NO_SHEET = [
    ('kind = "initializer"\ninitializer = "zeros"\nfan_in = 2\nfan_out = 2\n', "nobody does by hand; accepted: netw"),
    (PERCEPTRON.replace("[vary]", 'order = "restart"\n[vary]'), 'order: "restart": which point comes next'),
    (PERCEPTRON.replace("[vary]", 'step_at_zero = "mistake"\n[vary]') + "targets = { choose = [0, 1] }\n", "sum of 0"),
    (PERCEPTRON + "targets = { choose = [0, 2] }\n", "found 2; accepted: 0 and 1"),
    (PERCEPTRON + "w3 = { choose = [0, 2] }\n", 'nothing that is given is called "w3"'),
    (ACTIVATION + "z3 = { choose = [0, 2] }\n", 'nothing that is given is called "z3"'),
    (ACTIVATION.partition("[vary]")[0], "at = { from = -3, to = 3, step = 0.5 }"),
    (TRAINING + "samples = { from = 1000, to = 2000, step = 50 }\n", "1000 samples in batches of 100 leave 0"),
    (TRAINING + "batch = { choose = [100, 0] }\n", "vary.batch: found 0; accepted: whole numbers from 1"),
]


@pytest.mark.parametrize(("text", "words"), NO_SHEET)
def test_where_there_is_no_sheet_the_message_says_why(text: str, words: str) -> None:
    with pytest.raises(DeriveError) as error:
        _ = plan(text).space
    assert words in str(error.value)
    assert "accepted: " in str(error.value)


NO_QUESTION = [
    (PERCEPTRON, "w1", "is given"),
    (ACTIVATION, "z1", "is given"),
    (PERCEPTRON, "w1[999]", "presentations; accepted: 1 to"),
    (PERCEPTRON.replace("[0, 0, 0, 1]", "[0, 1, 1, 0]"), "w1[61]", "first 60 presentations; accepted: 1 to 60"),
    (PERCEPTRON, "w9[1]", "is no quantity"),
    (SMALL, "w1@13", "the first 12 updates; accepted: w1@12"),
    (SMALL, "x1@2", "is given"),
    (SMALL.replace("[update]\nlearning_rate = 0.1\n", ""), "E@1", "nothing is updated"),
    (EXPRESSION, "x@2", "is updated"),
]


@pytest.mark.parametrize(("text", "name", "words"), NO_QUESTION)
def test_what_cannot_be_asked_is_said(text: str, name: str, words: str) -> None:
    with pytest.raises(DeriveError) as error:
        _ = plan(text, ask=(name,)).asked
    assert words in str(error.value)


def test_the_command_says_it_too(tmp_path: Path) -> None:
    result = worksheet("initializer-he")
    assert result.exit_code == 2
    assert "no worksheets for a problem of the kind" in result.output
    made = tmp_path / "p.toml"
    made.write_text(PERCEPTRON, encoding="utf-8")
    assert worksheet(made, "--level", "full", "--lang", "de").exit_code == 0


# --- for good ------------------------------------------------------------------------------------------------------

STORED: dict[str, tuple[str, str]] = {
    "adam-2-2-1": ("CGK0-2026-00038", "52861f1f98db"),
    "adam-two-gradients": ("BRD4-2026-00038", "2735345e6b7e"),
    "backprop-2-2-1": ("927N-2026-00031", "198efefdabe8"),
    "backprop-2-2-1-matrix": ("927N-2026-00031", "198efefdabe8"),
    "epochs-1000": ("ARAR-2026-0003X", "a74665e8fb18"),
    "epochs-1050": ("S20P-2026-0003T", "87540b95c1ab"),
    "expression-graph": ("WHCB-2026-0003A", "59d5c522586b"),
    "huber": ("DG2A-2026-00037", "c34eedb9ef36"),
    "leaky-relu": ("3Y41-2026-0003C", "2cdceb9cc7f7"),
    "leaky-relu-0.1": ("P45E-2026-0003P", "f6e28b465d5a"),
    "maxout-neuron": ("1JDK-2026-0003W", "a949c3588b60"),
    "mazur-2-2-2": ("335T-2026-0003N", "5f5021a37a51"),
    "momentum-steps": ("14FR-2026-0003P", "3269a5872f0f"),
    "mse-3": ("BSR8-2026-0003X", "5aabbf2f4bc2"),
    "multiclass-hinge": ("3CRX-2026-0003M", "8b51d86f23ab"),
    "neuron-0.55": ("MVAH-2026-00031", "dd56eb2668cb"),
    "neuron-3.1": ("5RJ8-2026-00030", "4b4df8f36806"),
    "pass-fail-neuron": ("4CNG-2026-0003V", "10a975bd5909"),
    "perceptron-and": ("V0SK-2026-0003G", "a35843caa252"),
    "perceptron-or": ("Y1WQ-2026-0003Y", "f992ebd741e8"),
    "perceptron-pass-fail": ("RYJX-2026-0003B", "50360cdf582c"),
    "perceptron-xor": ("EBW9-2026-00039", "abf6de625fc6"),
    "prelu-neuron": ("EKD3-2026-0003T", "2d73243cfd4f"),
    "relu-3-5": ("BQT6-2026-0003W", "de0c794b3906"),
    "sgd-step": ("9SYM-2026-0003E", "c09e3800c751"),
    "sigmoid": ("HB99-2026-0003R", "23dab7a1a33b"),
    "sigmoid-binary-cross-entropy": ("B5V5-2026-0003N", "6b80a0eb2068"),
    "softmax-1-2-3": ("7BFD-2026-0003R", "1d60891ee5c4"),
    "softmax-cross-entropy": ("WX27-2026-00032", "e0263dfcaf28"),
    "tanh": ("87XM-2026-0003J", "01222b1e0c11"),
    "small": ("C8GB-2026-00033", "dfd4d3daddad"),
    "expression": ("DV75-2026-0003H", "be12910fefaf"),
    "perceptron": ("SRPP-2026-00035", "0ba93ee64bf2"),
    "activation": ("2ESQ-2026-0003W", "6d8954387f06"),
}


def _stored(source: Source) -> tuple[str, str]:
    """The id of a sheet, and the hash of the numbers of its key and of the next one, but a fixed learning rate."""
    press = Press(Plan((source,), 2026, style=Style(format="json")))
    made = press.make([Entry(3), Entry(4)])
    keys = [json.loads(sheet.key) for sheet in made]
    space = press.plan.space
    if "eta" not in {*space.problems[0].given, *(varied.name for varied in space.varied)}:
        for key in keys:
            key["problems"][0]["given"].pop("eta", None)
    text = "".join(json.dumps(key, ensure_ascii=False, indent=2) + "\n" for key in keys)
    return made[0].variant, sha256(text.encode()).hexdigest()[:12]


@pytest.mark.parametrize("name", [*VARYING, "small", "expression", "perceptron", "activation"])
def test_a_sheet_is_the_stored_one(name: str) -> None:
    """Years later and on another machine: a changed id or number here breaks sheets that have been handed out."""
    texts = {"small": SMALL, "expression": EXPRESSION, "perceptron": PERCEPTRON, "activation": ACTIVATION}
    assert _stored(Source(name, texts[name], {}) if name in texts else read_source(name)) == STORED[name]
