"""`derive mnist train`: accuracy, the files it writes, kill and resume, early stopping, the report."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from derive.cli import cli
from derive.commands.mnist import TEXTBOOK
from derive.errors import DeriveError
from derive.mlp.mnist import Mnist
from derive.mlp.model import Model, read_model
from derive.mlp.run import CHECKPOINT, HISTORY, MODEL, TABLE, Plan, confusion, predictions, train
from derive.training_report.report import report, worst
from digits import digits

ROOT = Path(__file__).resolve().parent.parent
QUICK = Plan(hidden=(32,), rate=3e-3, epochs=8)
TIMED = ("seconds", "samples_per_second")


def command(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["mnist", "train", *arguments])


def process(*arguments: str) -> subprocess.Popen[str]:
    """The command in a process of its own, where it can ask for one thread."""
    return subprocess.Popen(
        [sys.executable, "-m", "derive", "mnist", "train", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def untimed(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in record.items() if key not in TIMED} for record in records]


def history(folder: Path) -> list[dict[str, Any]]:
    return untimed(json.loads((folder / HISTORY).read_text())["epochs"])


# --- what training reaches -------------------------------------------------------------------------------------------


def test_digits_are_learned(tmp_path: Path) -> None:
    run = train(QUICK, digits(), tmp_path)
    assert run.records[-1]["test_accuracy"] > 0.88
    assert run.records[-1]["loss"] < run.records[0]["loss"] / 4
    assert [record["epoch"] for record in run.records] == list(range(1, 9))


def test_the_textbook_network_learns(tmp_path: Path) -> None:
    run = train(replace(Plan(**TEXTBOOK), epochs=20), digits(), tmp_path)
    assert run.model.sizes == (784, 30, 10)
    assert run.records[-1]["test_accuracy"] > 0.9


@pytest.mark.data
def test_mnist_is_learned(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with process("--samples", "12000", "--epochs", "3", "--out", str(out)) as running:
        told, progress = running.communicate(timeout=60)
    assert running.returncode == 0
    model = read_model(out / MODEL)
    assert model.about["test_accuracy"] > 0.94
    assert f"{100 * model.about['test_accuracy']:.2f} % of the test images are recognised after epoch 3" in told
    assert [line.split(":")[0] for line in progress.splitlines()] == ["epoch 1", "epoch 2", "epoch 3"]
    assert {path.name for path in out.iterdir()} == {
        CHECKPOINT, MODEL, HISTORY, TABLE, "report.html", "report.md", "report",
    }  # fmt: skip


@pytest.mark.data
def test_the_options_reach_the_plan(tmp_path: Path) -> None:
    given = "--hidden 20,12 --activation tanh --loss half-squared-error --optimizer sgd --rate 0.5 --batch 50"
    more = "--epochs 1 --seed 4 --l2 0.001 --dropout 0.1 --validation 0.1 --samples 1000"
    assert command(*given.split(), *more.split(), "--out", str(tmp_path)).exit_code == 0
    found = json.loads((tmp_path / HISTORY).read_text())["plan"]
    assert found == {
        "hidden": [20, 12], "activation": "tanh", "output": "sigmoid", "loss": "half-squared-error", "optimizer": "sgd",
        "rate": 0.5, "schedule": "constant", "batch": 50, "epochs": 1, "seed": 4, "l2": 0.001, "dropout": 0.1,
        "validation": 0.1, "patience": 0, "samples": 1000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"samples": 100}, "--samples 100; accepted: 200 to 1400"),
        ({"samples": 1401}, "--samples 1401; accepted: 200 to 1400"),
        ({"validation": 1300.0}, "--validation 1300 holds out 1300 of 1400 images"),
        ({"validation": 0.0001}, "holds out 0 of 1400 images"),
        ({"patience": 2}, "--patience watches the loss on held-out images; accepted: --validation"),
        ({"rate": 1e30, "optimizer": "sgd", "loss": "half-squared-error", "output": "linear"}, "training has diverged"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_refused(settings: dict[str, Any], found: str, tmp_path: Path) -> None:
    with pytest.raises(DeriveError, match=re.escape(found)):
        train(Plan(**({"epochs": 2} | settings)), digits(), tmp_path)
    assert not (tmp_path / CHECKPOINT).exists()


@pytest.mark.parametrize("value", ["0", "12,", "a", "5000", "-3"])
def test_sizes_that_are_none(value: str) -> None:
    result = command("--hidden", value)
    assert result.exit_code == 2
    assert "accepted: neurons of each hidden layer" in result.output


# --- the files -------------------------------------------------------------------------------------------------------


def test_the_history(tmp_path: Path) -> None:
    run = train(replace(QUICK, epochs=2, validation=0.2), digits(), tmp_path)
    kept = json.loads((tmp_path / HISTORY).read_text())
    assert kept["epochs"] == list(run.records)
    assert kept["plan"]["hidden"] == [32]
    rows = list(csv.DictReader((tmp_path / TABLE).read_text().splitlines()))
    assert [{key: float(value) for key, value in row.items()} for row in rows] == list(run.records)
    assert set(run.records[0]) == {
        "epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "test_loss", "test_accuracy", *TIMED,
    }  # fmt: skip


def test_the_model_is_the_network(tmp_path: Path) -> None:
    data = digits()
    run = train(replace(QUICK, epochs=2), data, tmp_path)
    found = read_model(tmp_path / MODEL)
    right = predictions(found, data.test_images).argmax(1) == data.test_labels
    assert right.mean() == run.records[-1]["test_accuracy"]
    with np.load(tmp_path / MODEL, allow_pickle=False) as arrays:
        assert arrays["W1"].shape == (784, 32)
        assert np.array_equal(arrays["B2"], found.biases[1])
        hidden = np.maximum(data.test_images / np.float32(255) @ arrays["W1"] + arrays["B1"], 0)
        by_hand = hidden @ arrays["W2"] + arrays["B2"]
    assert (by_hand.argmax(1) == predictions(found, data.test_images).argmax(1)).mean() > 0.99


MODEL_BYTES = Model(
    (np.ones((784, 3), np.float32), np.ones((3, 10), np.float32)),
    (np.ones(3, np.float32), np.ones(10, np.float32)), "relu", "softmax", "cross-entropy", {},
).as_bytes()  # fmt: skip


@pytest.mark.parametrize(
    "content", [b"", b"no archive", MODEL_BYTES[:-100], MODEL_BYTES[:2000]], ids=["empty", "words", "end", "start"]
)
def test_a_broken_model(content: bytes, tmp_path: Path) -> None:
    (tmp_path / MODEL).write_bytes(content)
    with pytest.raises(DeriveError, match=r"accepted: a file that `derive mnist train` wrote"):
        read_model(tmp_path / MODEL)


@pytest.mark.parametrize(
    ("weights", "biases", "found"),
    [
        ((), (), "found no network"),
        (((784, 3), (4, 10)), ((3,), (10,)), r"W2 has the shape \(4, 10\)"),
        (((784, 3), (3, 10)), ((3,), (9,)), r"B2 \(9,\)"),
    ],
)
def test_a_model_that_does_not_fit(weights: Any, biases: Any, found: str, tmp_path: Path) -> None:
    made, more = (tuple(np.ones(shape, np.float32) for shape in shapes) for shapes in (weights, biases))
    (tmp_path / MODEL).write_bytes(Model(made, more, "relu", "softmax", "cross-entropy", {}).as_bytes())
    with pytest.raises(DeriveError, match=found):
        read_model(tmp_path / MODEL)


def test_a_model_with_objects_is_not_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / MODEL, W1=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DeriveError, match="allow_pickle"):
        read_model(tmp_path / MODEL)


# --- kill and resume -------------------------------------------------------------------------------------------------

SCRIPT = """
import sys
from pathlib import Path
from derive.mlp.threads import use_one
use_one()
import numpy
from derive.mlp.mnist import Mnist
from derive.mlp.run import Plan, train
with numpy.load(sys.argv[2]) as kept:
    data = Mnist(**kept)
plan = Plan(hidden=(32,), epochs=12, dropout=0.1, l2=1e-4, validation=0.1, patience=50)
train(plan, data, Path(sys.argv[1]), resume=True, on_epoch=lambda record: print(record["epoch"], flush=True))
"""


def start(folder: Path, data: Path) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", SCRIPT, str(folder), str(data)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})


def finish(folder: Path, data: Path) -> None:
    with start(folder, data) as running:
        assert running.communicate(timeout=60)
    assert running.returncode == 0


def test_killed_and_resumed_ends_with_the_same_bits(tmp_path: Path) -> None:
    data, whole, broken = (tmp_path / name for name in ("digits.npz", "whole", "broken"))
    found = digits()
    np.savez(data, **{name: getattr(found, name) for name in Mnist.__slots__})
    finish(whole, data)
    generator = np.random.default_rng(time.time_ns())
    for epoch in ("2", "6"):
        with start(broken, data) as running:
            assert running.stdout is not None
            while running.stdout.readline().strip() != epoch:
                pass
            time.sleep(generator.uniform(0, 0.05))
            running.kill()
        assert running.returncode == -signal.SIGKILL
    assert 6 <= len(history(broken)) < 12
    finish(broken, data)
    assert (broken / MODEL).read_bytes() == (whole / MODEL).read_bytes()
    assert history(broken) == history(whole)
    assert not list(broken.glob(".*"))


@pytest.mark.data
def test_a_killed_command_resumes(tmp_path: Path) -> None:
    """The command itself, killed once anywhere between its start and its end."""
    arguments = ["--samples", "1000", "--epochs", "2"]
    first, second = tmp_path / "first", tmp_path / "second"
    with process(*arguments, "--out", str(first)) as running:
        assert running.communicate(timeout=60)
    assert running.returncode == 0
    with process(*arguments, "--out", str(second)) as running:
        assert running.stderr is not None
        assert running.stderr.readline().startswith("epoch 1: loss ")
        running.kill()
    with process("--resume", "--out", str(second)) as running:
        assert running.communicate(timeout=60)
    assert running.returncode == 0
    assert (second / "report.html").exists()
    assert (first / MODEL).read_bytes() == (second / MODEL).read_bytes()


def test_more_epochs_go_on(tmp_path: Path) -> None:
    train(replace(QUICK, epochs=2), digits(), tmp_path / "a")
    train(replace(QUICK, epochs=4), digits(), tmp_path / "a", resume=True)
    train(replace(QUICK, epochs=4), digits(), tmp_path / "b")
    assert history(tmp_path / "a") == history(tmp_path / "b")


def test_nothing_is_left_to_do(tmp_path: Path) -> None:
    first = train(replace(QUICK, epochs=2), digits(), tmp_path)
    before = (tmp_path / MODEL).read_bytes()
    again = train(replace(QUICK, epochs=2), digits(), tmp_path, resume=True)
    assert again.records == first.records
    assert (tmp_path / MODEL).read_bytes() == before


def test_a_run_is_not_overwritten(tmp_path: Path) -> None:
    plan = replace(QUICK, epochs=1)
    train(plan, digits(), tmp_path)
    before = (tmp_path / MODEL).read_bytes()
    with pytest.raises(DeriveError, match="holds a run already; accepted: --resume"):
        train(replace(plan, seed=1), digits(), tmp_path)
    with pytest.raises(DeriveError, match=r"is of a run with rate 0\.003 and not 0\.1, seed 0 and not 1; accepted"):
        train(replace(plan, seed=1, rate=0.1), digits(), tmp_path, resume=True)
    assert (tmp_path / MODEL).read_bytes() == before
    train(replace(plan, seed=1), digits(), tmp_path, overwrite=True)
    assert (tmp_path / MODEL).read_bytes() != before


def test_a_broken_checkpoint(tmp_path: Path) -> None:
    train(replace(QUICK, epochs=1), digits(), tmp_path)
    path = tmp_path / CHECKPOINT
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DeriveError, match=re.escape(f"{path}: cannot be read")):
        train(replace(QUICK, epochs=2), digits(), tmp_path, resume=True)


# --- early stopping --------------------------------------------------------------------------------------------------


def test_early_stopping_keeps_the_best(tmp_path: Path) -> None:
    plan = Plan(hidden=(64,), rate=0.02, epochs=60, validation=300.0, patience=3)
    run = train(plan, digits(), tmp_path)
    losses = [record["validation_loss"] for record in run.records]
    assert run.stopped
    assert run.best == 1 + int(np.argmin(losses))
    assert len(losses) == run.best + 3
    data = digits()
    held = (data.train_images[1100:], data.train_labels[1100:])
    right = (predictions(run.model, held[0]).argmax(1) == held[1]).mean()
    assert right == run.records[run.best - 1]["validation_accuracy"]
    before = (tmp_path / MODEL).read_bytes()
    again = train(plan, data, tmp_path, resume=True)
    assert len(again.records) == len(losses)
    assert (tmp_path / MODEL).read_bytes() == before


# --- the report ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Mnist]:
    run = train(replace(QUICK, epochs=3, validation=100.0), digits(), tmp_path_factory.mktemp("run"))
    return run, digits()


def test_the_confusion_matrix_by_hand() -> None:
    outputs = np.eye(10)[[0, 1, 1, 9, 3]]
    found = confusion(outputs, np.array([0, 1, 2, 9, 9], np.uint8))
    expected = np.zeros((10, 10), int)
    expected[0, 0] = expected[1, 1] = expected[2, 1] = expected[9, 9] = expected[9, 3] = 1
    assert np.array_equal(found, expected)


def test_the_worst_mistakes_by_hand() -> None:
    outputs = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.0, 1.0]])
    found = worst(outputs, np.zeros((4, 784), np.uint8), np.array([1, 0, 0, 0], np.uint8))
    assert [(each.number, each.label, each.taken, each.confidence) for each in found] == [
        (4, 0, 1, 1.0), (1, 1, 0, 0.9), (2, 0, 1, 0.8),
    ]  # fmt: skip


def test_the_report_says_what_was_found(trained: tuple[Any, Mnist], tmp_path: Path) -> None:
    run, data = trained
    made = report(run, data.test_images, data.test_labels)
    outputs = predictions(run.model, data.test_images)
    counts = confusion(outputs, data.test_labels)
    share = f"{100 * np.trace(counts) / counts.sum():.2f} %"
    assert share == f"{100 * run.records[-1]['test_accuracy']:.2f} %"
    page, markdown = made.html(), made.markdown()
    assert f"<b>{share}</b>" in page
    assert f"**{share}** of the 397 test images are recognised" in markdown
    matrix = page[page.index('<table class="confusion">') :]
    cells = re.findall(r'<td style="[^"]*">(\d*)</td>', matrix[: matrix.index("</table>")])
    assert [int(cell or 0) for cell in cells] == counts.ravel().tolist()
    rows = [line for line in markdown.splitlines() if re.match(r"\| \*\*\d\*\* \|", line)]
    shown = [[int(cell.strip(" *·") or 0) for cell in row.split("|")[2:12]] for row in rows]
    assert shown == counts.tolist()
    for record in run.records:
        assert f"| {record['epoch']} | {record['loss']:.4f} | {100 * record['accuracy']:.2f} % |" in markdown
    for path, content in made.files(tmp_path).items():
        assert content, path


def test_the_report_stands_alone(trained: tuple[Any, Mnist]) -> None:
    run, data = trained
    page = report(run, data.test_images, data.test_labels).html()
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!data:)[^"]*"', page)
    assert page.count("<svg") == page.count("</svg>") == 4
    for word in ("Confusion matrix", "The worst mistakes", "What the first layer looks for", "held out", "seed"):
        assert word in page


def test_the_pictures(trained: tuple[Any, Mnist]) -> None:
    run, data = trained
    made = report(run, data.test_images, data.test_labels)
    roots = {name: ET.fromstring(text) for name, text in made.pictures.items()}
    space = "{http://www.w3.org/2000/svg}"
    wrong = (predictions(run.model, data.test_images).argmax(1) != data.test_labels).sum()
    assert len(roots["mistakes.svg"].findall(f".//{space}image")) == min(24, wrong)
    assert len(roots["weights.svg"].findall(f".//{space}image")) == 32
    for name in ("loss.svg", "accuracy.svg"):
        assert len(roots[name].findall(f".//{space}circle")) == 9  # three curves, three epochs
        assert [each for each in roots[name].iter(f"{space}text") if each.text in ("1", "2", "3")]
    assert "](report/weights.svg)" in made.markdown()


def test_pixels_that_are_never_lit_keep_their_weights(trained: tuple[Any, Mnist]) -> None:
    run, data = trained
    dark = int((data.train_images[:1300] == 0).all(axis=0).sum())
    assert dark > 200
    text = report(run, data.test_images, data.test_labels).markdown()
    assert f"The weights of {dark} pixels are still those of the random start" in text


def test_a_network_without_mistakes(trained: tuple[Any, Mnist]) -> None:
    run, data = trained
    right = predictions(run.model, data.test_images).argmax(1) == data.test_labels
    made = report(run, data.test_images[right], data.test_labels[right])
    assert "There is none: every image is recognised." in made.html()
    assert "**100.00 %**" in made.markdown()
