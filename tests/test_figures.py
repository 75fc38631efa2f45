from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.errors import DeriveError
from derive.figures import Diagram, Kind, Spot, Wire, svg, tikz
from derive.figures.geometry import Box, overlap, touches
from derive.figures.layout import lay_out
from derive.figures.placed import Layout
from derive.figures.text import runs, tex, width

SVG = "{http://www.w3.org/2000/svg}"


def indexed(text: str) -> str:
    return re.sub(r"\b([a-z])(\d+)", r"\1_{\2}", text)


def network(*sizes: int, values: bool = True, biases: bool = True, target: bool = False) -> Diagram:
    """A fully connected network with every weight labelled, "w1 = 0.15" or "w1"."""
    names = [[f"n{layer}_{row}" for row in range(size)] for layer, size in enumerate(sizes)]
    columns: list[tuple[Spot, ...]] = []
    wires: list[Wire] = []
    for layer, row in enumerate(names):
        kind: Kind = "neuron" if layer else "input"
        spots = [Spot(name, name, "n", "" if layer else "0.05", kind) for name in row]
        if biases and layer < len(sizes) - 1:
            spots.insert(0, Spot(f"bias{layer}", "1", "1", kind="bias"))
        columns.append(tuple(spots))
        for end in row if layer else ():
            sources = names[layer - 1] + ([f"bias{layer - 1}"] if biases else [])
            for source in sources:
                label = f"w{len(wires) + 1}" + (" = 0.15" if values else "")
                wires.append(Wire(source, end, label, indexed(label)))
    if target:
        columns.append(tuple(Spot(f"y{row}", f"y{row}", "y", "0.01", "target") for row in range(sizes[-1])))
        wires += [Wire(name, f"y{row}") for row, name in enumerate(names[-1])]
    return Diagram(tuple(columns), tuple(wires), "A network", tuple(f"column {n}" for n in range(len(columns))))


EXPRESSION = Diagram(
    (
        (Spot("x", "x", "x", "-2", "input"), Spot("y", "y", "y", "5", "input"), Spot("z", "z", "z", "-4", "input")),
        (Spot("q", "q = x + y", "q = x + y", "3", "operation"),),
        (Spot("f", "f = q·z", r"f = q \cdot z", "-12", "operation"),),
    ),
    (Wire("x", "q", "1", "1"), Wire("y", "q", "1", "1"), Wire("q", "f", "-4", "-4"), Wire("z", "f", "3", "3")),
    "(x + y)·z",
)
GAPS = Diagram(
    (
        (Spot("a1", "a1", "a_1"), Spot("gap", "…", "", "782 more", "gap"), Spot("a784", "a784", "a_{784}")),
        (Spot("o", "o", "o"),),
    ),
    (Wire("a1", "o"), Wire("a784", "o")),
)
DIAGRAMS = {
    "neuron": network(2, 1),
    "chain": network(1, 1, 1, target=True),
    "2-2-1": network(2, 2, 1, target=True),
    "2-2-2": network(2, 2, 2, target=True),
    "3-1": network(3, 1),
    "5-2": network(5, 2),
    "2-5-1": network(2, 5, 1, values=False),
    "3-4-4-2": network(3, 4, 4, 2),
    "5-6-4": network(5, 6, 4),
    "expression": EXPRESSION,
    "gaps": GAPS,
    "empty": Diagram((), ()),
    "empty column": Diagram(((Spot("x", "x", "x"),), ()), ()),
    "twice": Diagram(((Spot("x", "x", "x"),), (Spot("p", "·", r"\cdot"),)), (Wire("x", "p", "x"), Wire("x", "p", "x"))),
}
FULLY_LABELLED = ("neuron", "chain", "2-2-1", "2-2-2", "3-1", "5-2", "2-5-1", "expression", "twice")
words = st.text(max_size=12)


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    sizes = draw(st.lists(st.integers(0, 4), min_size=1, max_size=4))
    kinds: st.SearchStrategy[Kind] = st.sampled_from(("input", "neuron", "target", "bias", "operation", "gap"))
    columns = tuple(
        tuple(Spot(f"{c}/{r}", draw(words), "", draw(words), draw(kinds)) for r in range(size))
        for c, size in enumerate(sizes)
    )
    pairs = [(a.name, b.name) for one, two in itertools.combinations(columns, 2) for a in one for b in two]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=8)) if pairs else []
    captions = tuple(draw(words) for _ in columns) if draw(st.booleans()) else ()
    return Diagram(columns, tuple(Wire(a, b, draw(words)) for a, b in chosen), draw(words), captions)


def boxes_of(layout: Layout) -> list[Box]:
    things = [wire.box for wire in layout.wires] + [spot.box for spot in layout.spots]
    return [thing for thing in things if thing] + [spot.value for spot in layout.spots if spot.value]


def assert_readable(layout: Layout) -> None:
    for wire in layout.wires:
        if wire.box is None:
            continue
        others = [box for box in boxes_of(layout) if box is not wire.box]
        assert not any(overlap(wire.box, other) for other in others), wire.text
        for other in layout.wires:
            segments = itertools.pairwise(other.points)
            assert other is wire or not any(touches(wire.box, segment) for segment in segments), wire.text


@pytest.mark.parametrize("name", DIAGRAMS)
def test_no_label_lies_on_a_label_a_spot_or_a_foreign_wire(name: str) -> None:
    layout = lay_out(DIAGRAMS[name])
    assert_readable(layout)
    for one, other in itertools.combinations([spot.box for spot in layout.spots], 2):
        assert not overlap(one, other)
    for box in boxes_of(layout):
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in box.corners())


@settings(max_examples=60, deadline=None)
@given(diagrams())
def test_any_diagram_is_drawn_readable_and_well_formed(diagram: Diagram) -> None:
    assert_readable(lay_out(diagram))
    ElementTree.fromstring(svg(diagram))
    assert svg(diagram) == svg(diagram)
    assert tikz(diagram) == tikz(diagram)


@pytest.mark.parametrize("name", FULLY_LABELLED)
def test_small_diagrams_show_every_label_in_full(name: str) -> None:
    for wire in lay_out(DIAGRAMS[name]).wires:
        assert bool(wire.box) == bool(wire.wire.label)
        assert wire.text == wire.wire.label or not wire.wire.label


def test_labels_are_cut_to_their_names_before_they_are_left_out() -> None:
    shown = {name: [wire.text for wire in lay_out(DIAGRAMS[name]).wires if wire.box] for name in ("3-4-4-2", "5-6-4")}
    assert shown["3-4-4-2"] == [f"w{n + 1}" for n in range(len(DIAGRAMS["3-4-4-2"].wires))]
    assert shown["5-6-4"] == []


@pytest.mark.parametrize(("order", "above"), [("zxy", True), ("xyz", False)])
def test_a_long_wire_passes_the_spots_between_on_its_own_side(order: str, above: bool) -> None:
    inputs = tuple(Spot(name, name, name) for name in order)
    layout = lay_out(Diagram((inputs, *EXPRESSION.columns[1:]), EXPRESSION.wires))
    middle = next(spot.box for spot in layout.spots if spot.spot.name == "q")
    way = next(wire.points for wire in layout.wires if wire.wire.source == "z")
    assert not any(touches(middle, segment) for segment in itertools.pairwise(way))
    assert (way[1][1] < middle.y) is above


@pytest.mark.parametrize("name", DIAGRAMS)
def test_svg_holds_every_spot_wire_and_value(name: str) -> None:
    diagram = DIAGRAMS[name]
    root = ElementTree.fromstring(svg(diagram))
    assert root.get("role") == "img"
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == (diagram.title or "Diagram")
    titles = [element.text or "" for element in root.iter(f"{SVG}title")]
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    for wire in diagram.wires:
        label = f": {wire.label}" if wire.label else ""
        assert f"{wire.source} → {wire.target}{label}" in titles
    for spot in (spot for column in diagram.columns for spot in column):
        assert any(line.startswith(spot.label) for line in titles)
        assert not spot.value or spot.value.replace("-", "−") in texts
    for caption in diagram.captions:
        assert caption in texts


@pytest.mark.parametrize("name", DIAGRAMS)
def test_tikz_holds_every_spot_and_wire_and_fits_the_page(name: str) -> None:
    diagram = DIAGRAMS[name]
    text = tikz(diagram)
    spots = [spot for column in diagram.columns for spot in column]
    assert text.startswith(r"\begin{tikzpicture}")
    assert text.endswith("\\end{tikzpicture}\n")
    assert len(re.findall(r"^\\draw\[(?:wire|compared)\]", text, re.MULTILINE)) == len(diagram.wires)
    assert len(re.findall(r"^\\node\[\w+ spot,", text, re.MULTILINE)) == sum(spot.kind != "gap" for spot in spots)
    corner = re.search(r"rectangle \(([\d.]+),([\d.]+)\)", text)
    scale = re.search(r"scale=([\d.]+)", text)
    assert corner
    assert scale
    assert 0.75 * float(scale[1]) * float(corner[1]) < 432
    assert 0.75 * float(scale[1]) * float(corner[2]) < 602


HOSTILE = Diagram(
    ((Spot("a", "<script>", "", "\\input{x}"),), (Spot('b"]', "\\input{x}", "", "a&b \x00\ud800", "target"),)),
    (Wire("a", 'b"]', "</text>$^$\\x"),),
    "</title><script>",
    ("%_#&", "日本 δ"),
)


def test_untrusted_text_is_escaped() -> None:
    picture = svg(HOSTILE)
    assert "<script" not in picture
    assert "&lt;script&gt;" in picture
    ElementTree.fromstring(picture)
    source = tikz(HOSTILE)
    assert r"\input" not in source
    assert r"\textbackslash{}input\{x\}" in source
    assert r"\%\_\#\&" in source
    assert r"?? $\delta$" in source


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX here")
def test_tex_sets_every_diagram_within_the_text_block(tmp_path: Path) -> None:
    head = r"\documentclass[a4paper,12pt]{article}\usepackage[margin=2.5cm]{geometry}\usepackage{tikz}"
    pictures = "\n\n".join(tikz(diagram) for diagram in [*DIAGRAMS.values(), HOSTILE])
    page = head + r"\usetikzlibrary{positioning,arrows.meta}\begin{document}" + f"\n{pictures}\n" + r"\end{document}"
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert run.returncode == 0, run.stdout.decode(errors="replace")[-2000:]
    assert b"Overfull" not in run.stdout


@pytest.mark.parametrize(
    ("diagram", "message"),
    [
        (Diagram(((Spot("x", "", ""), Spot("x", "", "")),), ()), 'two spots are named "x"'),
        (Diagram(((Spot("x", "", ""),),), (Wire("x", "q"),)), 'a wire ends at "q"'),
        (Diagram(((Spot("x", "", ""),), (Spot("y", "", ""),)), (Wire("y", "x"),)), "does not lead to a later column"),
        (Diagram(((Spot("x", "", ""),),), (), captions=("a", "b")), "2 captions for 1 columns"),
    ],
)
def test_what_does_not_fit_together_is_refused(diagram: Diagram, message: str) -> None:
    for draw in (svg, tikz):
        with pytest.raises(DeriveError, match=re.escape(message)):
            draw(diagram)


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("w1 = -0.15", ["w:i", "1:x", " = −0.15"]),
        ("h1_2", ["h:i", "1,2:x"]),
        ("out_h1", ["out", "h1:x"]),
        ("relu", ["relu"]),
        ("x - 1", ["x:i", " - 1"]),
        ("MP3", ["MP", "3"]),
        ("W1[300,17]", ["W:i", "1:x", "[300,17]"]),
    ],
)
def test_letters_are_italic_and_indices_low(label: str, shown: list[str]) -> None:
    marks = {(False, False): "", (True, False): ":i", (False, True): ":x"}
    assert [run.text + marks[run.italic, run.index] for run in runs(label)] == shown


@given(words)
def test_a_label_keeps_its_characters_and_tex_stays_balanced(text: str) -> None:
    plain = text.replace("-", "−").replace("_", "").replace(",", "")
    assert "".join(run.text for run in runs(text)).replace("-", "−").replace("_", "").replace(",", "") == plain
    assert width(text, 10) >= 0
    bare = re.sub(r"\\[{}]", "", tex(text))
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"(?<!\\)[%&#]", bare)


BOXES = [
    (Box(0, 0, 10, 5), Box(19, 0, 10, 5), True),
    (Box(0, 0, 10, 5), Box(21, 0, 10, 5), False),
    (Box(0, 0, 10, 1), Box(0, 8, 10, 1), False),
    (Box(0, 0, 10, 1), Box(0, 8, 10, 1, 90), True),
    (Box(0, 0, 10, 1, 45), Box(6, -6, 3, 3), False),
    (Box(0, 0, 10, 1, 45), Box(6, 6, 3, 3), True),
]


@pytest.mark.parametrize(("one", "other", "meet"), BOXES)
def test_boxes_overlap(one: Box, other: Box, meet: bool) -> None:
    assert overlap(one, other) is overlap(other, one) is meet
    corners = [*other.corners(), other.corners()[0]]
    crossed = any(touches(one, side) for side in itertools.pairwise(corners))
    assert crossed is meet


def test_large_diagrams_stay_small_and_quick() -> None:
    start = time.process_time()
    small, large = len(svg(network(10, 10))), len(svg(network(20, 20)))
    assert large < 5 * small
    assert len(tikz(network(20, 20))) < 60_000
    assert len(svg(network(784, 10, biases=False))) < 3_000_000
    assert time.process_time() - start < 5
