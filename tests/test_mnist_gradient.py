"""`derive mnist gradient`: the derived number, that of backpropagation and a difference quotient, and the page."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

import derive.mnist_gradient as module
from derive.cli import cli
from derive.commands.mnist import _usual_output, hidden_names, loss_names
from derive.derivation.evaluate import Values
from derive.errors import DeriveError
from derive.figures import pixels
from derive.mlp import network as numeric
from derive.mlp.mnist import load_split
from derive.mlp.model import Model
from derive.mnist_gradient import TOLERANCE, Arrays, Image, ImageExample, decimal, row_and_column, three_ways
from derive.pages.image_gradient import page_of
from derive.pages.render import Look
from digits import digits


def model(
    *hidden: int, seed: int = 0, activation: str = "relu", output: str = "softmax", loss: str = "cross-entropy"
) -> Model:
    generator = np.random.default_rng(seed)
    sizes = (784, *hidden, 10)
    weights = tuple(generator.normal(0, 1.2 / np.sqrt(i), (i, j)).astype(np.float32) for i, j in pairwise(sizes))
    biases = tuple(generator.normal(0, 0.1, j).astype(np.float32) for j in sizes[1:])
    return Model(weights, biases, activation, output, loss, {})


def image(number: int = 3) -> Image:
    data = digits()
    return Image(data.train_images[number - 1], int(data.train_labels[number - 1]), "train", number)


def lit(shown: Image) -> int:
    """A pixel that is neither black nor white."""
    return int(np.flatnonzero((shown.pixels > 30) & (shown.pixels < 200))[5]) + 1


def by_hand(network: Model, shown: Image, layer: int, source: int, neuron: int) -> float:
    """∂E/∂W of a ReLU network with softmax and cross-entropy, written once more."""
    outs = [shown.pixels.astype(np.float32) * np.float32(1 / 255)]
    outs = [outs[0].astype(np.float64)]
    for weights, biases in zip(network.weights[:-1], network.biases[:-1], strict=True):
        outs.append(np.maximum(outs[-1] @ weights.astype(float) + biases, 0))
    logits = outs[-1] @ network.weights[-1].astype(float) + network.biases[-1]
    delta = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    delta[shown.label] -= 1
    for place in range(len(network.weights) - 1, layer - 1, -1):
        delta = (network.weights[place].astype(float) @ delta) * (outs[place] > 0)
    return float(delta[neuron - 1] * (outs[layer - 1][source - 1] if source else 1))


# --- the number ------------------------------------------------------------------------------------------------------


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.integers(1, 1400), st.sampled_from([(), (12,), (20, 14), (14, 11, 3)]), st.data())
def test_three_ways_and_a_fourth(seed: int, number: int, hidden: tuple[int, ...], data: st.DataObject) -> None:
    network, shown = model(*hidden, seed=seed), image(number)
    layer = data.draw(st.integers(1, len(network.weights)))
    fan_in, neurons = network.weights[layer - 1].shape
    source, neuron = data.draw(st.integers(0, fan_in)), data.draw(st.integers(1, neurons))
    name = f"W{layer}[{source},{neuron}]" if source else f"B{layer}[{neuron}]"
    numbers = three_ways(ImageExample(network, shown, name))
    assert numbers.largest_disagreement() < TOLERANCE
    expected = by_hand(network, shown, layer, source, neuron)
    assert numbers.derived == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert numbers.backpropagated == pytest.approx(numbers.derived, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("loss", loss_names())
def test_every_loss(loss: str) -> None:
    shown = image()
    example = ImageExample(model(6, output=_usual_output(loss), loss=loss), shown, f"W1[{lit(shown)},2]")
    assert three_ways(example).largest_disagreement() < TOLERANCE


@pytest.mark.parametrize("activation", hidden_names())
def test_every_activation(activation: str) -> None:
    shown = image()
    example = ImageExample(model(6, activation=activation), shown, f"W1[{lit(shown)},2]")
    numbers = three_ways(example)
    assert numbers.largest_disagreement() < TOLERANCE
    assert "One gradient" in page_of(example, numbers, Look())


def test_a_wrong_backpropagation_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = image()
    example = ImageExample(model(6, activation="tanh"), shown, f"W1[{lit(shown)},2]")
    assert three_ways(example).largest_disagreement() < TOLERANCE
    right = numeric.Network.backward

    def wrong(self, x, t, passes):  # type: ignore[no-untyped-def]
        found = right(self, x, t, passes)
        self.gradient *= 1 + 1e-5
        return found

    monkeypatch.setattr(numeric.Network, "backward", wrong)
    numbers = three_ways(example)
    assert numbers.disagreement("backpropagated") > TOLERANCE > numbers.disagreement("quotient")


def test_net_inputs_are_what_their_definition_gives() -> None:
    for activation in ("relu", "leaky-relu", "tanh"):
        example = ImageExample(model(7, 5, activation=activation), image(), "W1[300,3]")
        slow = Values(example.derivation, _Plain(example.given), example.problem.rounding)
        for name in ("net_h1_1", "net_h1_7", "net_h2_5"):
            assert example.exact(name) == slow.exact(name)
            assert example.value(name) == slow.double(name)
        assert isinstance(slow.exact("net_h1_7"), Fraction)


class _Plain(Mapping[str, Fraction]):
    """The given numbers alone, so that net inputs are evaluated from their definition."""

    def __init__(self, given: Arrays) -> None:
        self._given = given

    def __getitem__(self, name: str) -> Fraction:
        return self._given[name].value

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


# --- given numbers ---------------------------------------------------------------------------------------------------


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_decimals_tell_floats_apart(value: float) -> None:
    text = decimal(value)
    assert np.float32(text) == np.float32(value)
    assert re.fullmatch(r"-?\d+(\.\d+)?", text)
    assert text != "-0"


def test_the_arrays_by_name() -> None:
    network, shown = model(5), image()
    given_ = Arrays(network, shown)
    names = list(given_)
    assert len(names) == len(given_) == 784 + 10 + 784 * 5 + 5 + 5 * 10 + 10
    assert len(set(names)) == len(names)
    assert np.float32(given_["W1[300,4]"].written) == network.weights[0][299, 3]
    assert np.float32(given_["B2[10]"].written) == network.biases[1][9]
    assert np.float32(given_["x300"].written) == shown.pixels[299] * np.float32(1 / 255)
    assert [given_[f"y{k}"].value for k in range(1, 11)] == [int(k == shown.label) for k in range(10)]
    for name in ("x1", "y10", "W2[5,10]", "B2[10]"):
        assert name in given_
    for name in ("W1[785,1]", "W3[1,1]", "x785", "y11", "x0", "W1[0,1]", "W0[1,1]", "B1[6]", "z", "W1[a,b]", "net_h1"):
        assert name not in given_


@pytest.mark.parametrize(
    ("written", "expected"),
    [("W1[300,4]", "dE/dW1[300,4]"), ("w1[300, 4]", "dE/dW1[300,4]"), ("dE/dW2[5,10]", "dE/dW2[5,10]"),
     ("∂E/∂B1[5]", "dE/dB1[5]"), ("b2[10]", "dE/dB2[10]")],
)  # fmt: skip
def test_names_are_read_leniently(written: str, expected: str) -> None:
    assert ImageExample(model(5), image(), written).target == expected


@pytest.mark.parametrize(
    "written",
    ["W1[785,1]", "W1[0,1]", "W1[1,6]", "W3[1,1]", "W0[1,1]", "B1[6]", "W1[1]", "B1[1,2]", "w5", "", "W1[1,2"],
)
def test_names_of_nothing(written: str) -> None:
    with pytest.raises(DeriveError, match=r"accepted: W1\[1…784,1…5\], W2\[1…5,1…10\]"):
        ImageExample(model(5), image(), written)


# --- the page --------------------------------------------------------------------------------------------------------


def page(example: ImageExample, **look: object) -> str:
    expand = bool(look.pop("expand", False))
    return page_of(example, three_ways(example), Look(**look), expand=expand)  # type: ignore[arg-type]


def awake(network: Model, shown: Image) -> int:
    nets = shown.pixels / 255 @ network.weights[0] + network.biases[0]
    return int(nets.argmax()) + 1


def test_the_sum_and_its_parts() -> None:
    network, shown = model(15), image()
    j, i = awake(network, shown), lit(shown)
    example = ImageExample(network, shown, f"W1[{i},{j}]")
    text = page(example)
    assert f"= (Σ_{{k=1..10}} δ_o[k]·W2[{j},k])·(1 if net_h{j} > 0 else 0)\n" in text
    assert f"·x{i}\n" in text
    assert f"∂E/∂out_h{j} = Σ_{{k=1..10}} δ_o[k]·W2[{j},k]" in text
    assert f"= x{i}\n" in text
    dark = int((shown.pixels == 0).sum())
    assert f"Of the 784 pixels {dark} are black. Their terms are zero; {784 - dark} are left." in text
    row, column = row_and_column(i)
    assert f"row {row}, column {column}" in " ".join(text.split())
    shown_value = example.shown(example.target)
    assert shown_value is not None
    assert shown_value.replace("-", "−") in text
    for way in ("derivation", "backpropagation", "difference quotient"):
        assert re.search(rf"^{way} +[−0-9]", text, re.MULTILINE), way


def test_written_out() -> None:
    network, shown = model(15), image()
    j, i = awake(network, shown), lit(shown)
    text = page(ImageExample(network, shown, f"W1[{i},{j}]"), expand=True, width=100)
    pixels_ = [int(number) + 1 for number in np.flatnonzero(shown.pixels)]
    net = text[text.index(f"net_h{j} = ") : text.index(f"out_h{j} = ReLU")]
    assert [int(found) for found in re.findall(r"·x(\d+)", net)] == pixels_
    assert "left out where the sum is written out" in " ".join(text.split())
    for k in range(1, 11):
        assert f"δ_o{k}·W2[{j},{k}]" in text
    assert len(re.findall(r"0\.\d+", net)) > len(pixels_)


def test_the_table_of_outputs_adds_up() -> None:
    network, shown = model(15), image()
    example = ImageExample(network, shown, f"W1[{lit(shown)},{awake(network, shown)}]")
    rows = re.findall(r"^(\d+) +(\d) +(\S+) +(\S+) +([01]) +(\S+)$", page(example), re.MULTILINE)
    assert [(int(k), int(digit)) for k, digit, *_ in rows] == [(k, k - 1) for k in range(1, 11)]
    outs, targets, deltas = ([float(row[at].replace("−", "-")) for row in rows] for at in (3, 4, 5))
    assert sum(outs) == pytest.approx(1, abs=1e-5)
    assert [target == 1 for target in targets] == [k == shown.label for k in range(10)]
    assert deltas == pytest.approx([out - target for out, target in zip(outs, targets, strict=True)], abs=2e-6)


def test_a_dark_pixel_and_a_silent_neuron() -> None:
    network, shown = model(15), image()
    dark = int(np.flatnonzero(shown.pixels == 0)[0]) + 1
    j = awake(network, shown)
    text = " ".join(page(ImageExample(network, shown, f"W1[{dark},{j}]")).split())
    assert f"The gradient is exactly zero because ∂net_h{j}/∂W1[{dark},{j}] is." in text
    suggestion = re.search(r"neuron that is awake is (W1\[\d+,\d+\])", text)
    assert suggestion
    assert three_ways(ImageExample(network, shown, suggestion[1])).derived != 0
    silent = int((shown.pixels / 255 @ network.weights[0] + network.biases[0]).argmin()) + 1
    text = " ".join(page(ImageExample(network, shown, f"W1[{lit(shown)},{silent}]")).split())
    assert f"The gradient is exactly zero because ∂out_h{silent}/∂net_h{silent} is." in text


def test_small_layers_keep_their_own_terms() -> None:
    """Two sums of few terms above each other: the terms of one never stand in the table of the other."""
    network, shown = model(4, 3), image()
    example = ImageExample(network, shown, f"W1[{lit(shown)},{awake(network, shown)}]")
    text = page(example)
    tables = re.findall(r"^k +δ_(\S+) .*\n.*\n((?:\d+ .*\n)+)", text, re.MULTILINE)
    assert [(name, len(rows.splitlines())) for name, rows in tables] == [("o[k]", 10), ("h2_[k]", 3)]


def test_a_long_sum_lists_its_largest_terms() -> None:
    network, shown = model(20, 30), image()
    example = ImageExample(network, shown, f"W1[{lit(shown)},{awake(network, shown)}]")
    text = page(example)
    assert "The 10 largest of the 30 terms are listed." in text


@pytest.mark.parametrize("format", ["text", "markdown", "latex"])
@pytest.mark.parametrize("notation", ["net-out", "z-a"])
def test_formats(format: str, notation: str) -> None:
    network, shown = model(15), image()
    example = ImageExample(network, shown, f"W1[{lit(shown)},{awake(network, shown)}]")
    example.problem = replace(example.problem, notation=notation)  # type: ignore[arg-type]
    text = page(example, format=format)
    marks = {"text": "░", "markdown": "data:image/svg+xml;base64,", "latex": r"\begin{tikzpicture}"}
    assert marks[format] in text
    assert "nan" not in text.lower()


def test_ascii_is_ascii() -> None:
    network, shown = model(15), image()
    text = page(ImageExample(network, shown, f"W1[{lit(shown)},{awake(network, shown)}]"), ascii=True, expand=True)
    assert text.isascii()
    assert "[]" in text


def test_only_what_is_asked_for_is_made() -> None:
    """784-400-400-10 has 478,410 parameters; a gradient looks at few of them, in a few seconds."""
    network, shown = model(400, 400), image()
    started = time.perf_counter()
    example = ImageExample(network, shown, "W2[17,5]")
    page(example)
    assert time.perf_counter() - started < 60
    assert len(example.given._made) < 20_000


# --- pictures --------------------------------------------------------------------------------------------------------


def test_letters_show_the_image() -> None:
    grid = [[0, 0, 0], [0, 255, 0], [0, 128, 1]]
    assert pixels.letters(grid) == "██\n▒▒··"
    assert pixels.letters(grid, (1, 1)) == "[]\n  ██\n  ▒▒··"
    assert pixels.letters(grid, ascii=True).isascii()
    assert pixels.letters([[0]]) == ""


def test_png_is_read_back() -> None:
    import struct
    import zlib

    rows = [bytes((0, 128, 255)), bytes((1, 2, 3))]
    made = pixels.png(rows)
    assert made.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">IIBB", made[16:26]) == (3, 2, 8, 0)
    at, chunks = 8, {}
    while at < len(made):
        size, kind = struct.unpack(">I4s", made[at : at + 8])
        body = made[at + 8 : at + 8 + size]
        assert struct.unpack(">I", made[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + body)
        chunks[kind], at = body, at + 12 + size
    assert zlib.decompress(chunks[b"IDAT"]) == b"\0" + rows[0] + b"\0" + rows[1]
    assert struct.unpack(">IIBB", pixels.png([bytes(6)], colour=True)[16:26]) == (2, 1, 8, 2)


# --- the command -----------------------------------------------------------------------------------------------------


def command(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["mnist", "gradient", *arguments])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mnist-run").mkdir()
    Path("mnist-run/model.npz").write_bytes(model(16).as_bytes())
    return tmp_path


@pytest.mark.data
def test_the_command(run: Path) -> None:
    assert run.is_dir()
    result = command("W1[300,4]", "--sample", "42", "--format", "json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    images, labels = load_split(os.environ["DERIVE_MNIST"], "train")
    shown = Image(images[41], int(labels[41]), "train", 42)
    assert found["derived"] == pytest.approx(by_hand(model(16), shown, 1, 300, 4), rel=1e-6, abs=1e-12)
    assert found["image"] == {"set": "train", "number": 42, "label": int(labels[41])}
    assert found["largest_disagreement"] < TOLERANCE


@pytest.mark.data
def test_files(run: Path) -> None:
    assert command("B1[3]", "--set", "test", "-o", "page.md").exit_code == 0
    assert "](page.svg)" in (run / "page.md").read_text()
    assert (run / "page.svg").read_text().startswith("<svg")
    assert command("B1[3]", "-o", "page.tex").exit_code == 0
    assert (run / "page.tex").read_text().startswith(r"\documentclass")


@pytest.mark.data
@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["W1[1,1]", "--sample", "60001"], "--sample 60001; accepted: 1 to 60000, the images of the train set"),
        (["W1[1,1]", "--sample", "10001", "--set", "test"], "accepted: 1 to 10000, the images of the test set"),
        (["W1[1,99]"], '"W1[1,99]" is no parameter of this network'),
        (["W1[1,1]", "--model", "other"], "there is no trained network; `derive mnist train --out other` makes one"),
    ],
)
def test_what_cannot_be_done(arguments: list[str], found: str, run: Path) -> None:
    assert run.is_dir()
    result = command(*arguments)
    assert result.exit_code == 2
    assert found in result.output


@pytest.mark.data
def test_disagreement_is_exit_code_1(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run.is_dir()
    right = module.three_ways
    monkeypatch.setattr(module, "three_ways", lambda example: replace(right(example), quotient=1.0))
    result = command("B1[3]")
    assert result.exit_code == 1
    assert "the three numbers disagree by 7e-01" in result.output
