"""One [[layers]] table: its activation, its weights and its biases, with their names and numbers."""

from __future__ import annotations

from dataclasses import dataclass

from derive.catalogue.activations import Activation, activation_named
from derive.formula.expression import ONE, Number
from derive.problem.activation import read_activation
from derive.problem.model import MANY_WEIGHTS, Layer, Weights
from derive.problem.names import Names, Owner
from derive.problem.shape import Grid, Report, Table, join

NO_CONNECTION = 'a number; where there is no connection, "" in weight_names at the same place'


@dataclass(frozen=True, slots=True)
class Matrix:
    """Entries by neuron and source, and the place of each in the file."""

    rows: tuple[tuple[object, ...], ...]
    place: str
    by_input: bool
    flat: bool

    def where(self, neuron: int, source: int) -> str:
        if self.flat:
            return f"{self.place}[{max(neuron, source) + 1}]"
        row, column = (source, neuron) if self.by_input else (neuron, source)
        return f"{self.place}[{row + 1}][{column + 1}]"


def _matrix(
    grid: Grid[object], place: str, size: int, fan_in: int, by_input: bool, report: Report, gaps: Matrix | None = None
) -> Matrix | None:
    """The grid as a row of `fan_in` for each of `size` neurons; `gaps` are names that say what may be left out."""
    rows = grid.rows
    if grid.flat and (size == 1 or (by_input and fan_in == 1)):
        rows = rows if size == 1 else tuple((entry,) for entry in rows[0])
        return _full_rows(Matrix(rows, place, by_input, flat=True), size, fan_in, report, gaps)
    outer, inner = (fan_in, size) if by_input else (size, fan_in)
    each = "input" if by_input else "neuron"
    accepted = f"{_count(outer, 'row')} of {inner}: a row for each {each}"
    if grid.flat:
        report.add(place, f"a plain list of {len(rows[0])}", accepted)
        return None
    if len(rows) != outer:
        turned = len(rows) == inner and all(len(row) == outer for row in rows)
        hint = f'; or weights_by = "{"neuron" if by_input else "input"}" for this layout' if turned else ""
        report.add(place, _count(len(rows), "row"), accepted + hint)
        return None
    matrix = Matrix(rows, place, by_input, flat=False)
    if not by_input:
        return _full_rows(matrix, size, fan_in, report, gaps)
    wrong = [i for i, row in enumerate(rows) if len(row) != inner]
    for i in wrong:
        report.add(f"{place}[{i + 1}]", f"a row of {len(rows[i])}", f"a row of {inner}: an entry for each neuron")
    return None if wrong else Matrix(tuple(zip(*rows, strict=True)), place, by_input, flat=False)


def _full_rows(matrix: Matrix, size: int, fan_in: int, report: Report, gaps: Matrix | None) -> Matrix | None:
    """The matrix with rows of `fan_in`; a row may leave out exactly the entries that have no connection."""
    if len(matrix.rows) != size:
        report.add(matrix.place, f"a plain list of {len(matrix.rows)}", f"a list of {size}, an entry for each neuron")
        return None
    rows, right = [], True
    for i, row in enumerate(matrix.rows):
        if len(row) == fan_in:
            rows.append(row)
        elif gaps is not None and len(row) == sum(1 for name in gaps.rows[i] if name):
            present = iter(row)
            rows.append(tuple(next(present) if name else "" for name in gaps.rows[i]))
        else:
            where = matrix.place if matrix.flat else f"{matrix.place}[{i + 1}]"
            report.add(where, f"a row of {len(row)}", f"a row of {fan_in}: an entry for each of what feeds the neuron")
            right = False
    return Matrix(tuple(rows), matrix.place, matrix.by_input, matrix.flat) if right else None


def _count(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def pieces_of(table: Table) -> int:
    """How many pieces each neuron of a maxout layer has; 0 for other layers."""
    written = table.get("activation")
    name = written.get("name") if isinstance(written, Table) else written
    row = activation_named(name) if isinstance(name, str) else None
    if row is None or row.vector is None or not row.vector.single:
        return 0
    pieces = dict(row.parameters)["pieces"]
    if isinstance(written, Table) and isinstance(given := written.get("pieces"), Number):
        pieces = given
    return int(pieces.value) if pieces.value.denominator == 1 else 0


@dataclass(slots=True)
class LayerReader:
    """Reads the layers from the first to the last, numbering weights and biases on the way."""

    names: Names
    weights_by: str
    first_weight: int = 1
    first_bias: int = 1
    by_place: bool = False
    layers_trained: int = 0

    @property
    def report(self) -> Report:
        return self.names.report

    def layer(self, table: Table, index: int, neurons: tuple[str, ...] | None, fan_in: int | None) -> Layer | None:
        """The layer, or None when something in it was reported; None for sizes that are not known."""
        place = f"layers[{index}]"
        before = len(self.report.mistakes)
        activation = self._activation(table, place, neurons)
        if neurons is None:
            return None
        weights = self._weights(table, place, index, neurons, fan_in)
        biases = self._biases(table, place, index, neurons, fan_in)
        if "bias_input" in table and not ("bias" in table or "bias_names" in table):
            self.report.add(join(place, "bias_input"), "a layer without a bias", "bias or bias_names beside it")
        if activation is None or weights is None or biases is None or len(self.report.mistakes) > before:
            return None
        trained = self._trained(activation, place)
        return Layer(neurons, activation, weights, biases, table.get("bias_input", ONE), trained)

    def _trained(self, activation: Activation, place: str) -> tuple[tuple[str, str], ...]:
        """The name alpha1 for alpha in the first layer that trains one, alpha2 in the second."""
        if not activation.trained:
            return ()
        self.layers_trained += 1
        where = join(place, "activation")
        values = dict(activation.parameters)
        found = tuple((key, f"{key}{self.layers_trained}") for key in activation.trained)
        for key, name in found:
            self.names.claim(name, Owner("activation", where, made=True, value=values[key], value_place=where))
        return found

    def _activation(self, table: Table, place: str, neurons: tuple[str, ...] | None) -> Activation | None:
        written = table.get("activation")
        if written is None:
            return None
        where = join(place, "activation")
        activation = read_activation(written, where, self.report)
        if activation is not None and activation.vector and neurons is not None and len(neurons) == 1:
            found = f'"{activation.name}" on a layer of one neuron, whose output would never change'
            self.report.add(where, found, '"sigmoid" for one output, or two neurons and more')
            return None
        return activation

    # weights

    def _weights(
        self, table: Table, place: str, index: int, neurons: tuple[str, ...], fan_in: int | None
    ) -> Weights | None:
        size = len(neurons)
        if fan_in is None:
            return None
        by_input = table.get("weights_by", self.weights_by) == "input"
        matrices: dict[str, Matrix | None] = {}
        for key in ("weight_names", "weights"):
            grid = table.get(key)
            gaps = matrices.get("weight_names")
            where = join(place, key)
            matrices[key] = grid and _matrix(grid, where, size, fan_in, by_input, self.report, gaps)
        names, values = matrices["weight_names"], matrices["weights"]
        if any(key in table and matrices[key] is None for key in matrices):
            return None
        if names is not None:
            return self._named_weights(names, values, index, size, fan_in)
        weights = Weights(index, fan_in, size, self.first_weight, by_place=self.by_place)
        self._numbered_weights(weights, values, place)
        return weights

    def _named_weights(self, names: Matrix, values: Matrix | None, index: int, size: int, fan_in: int) -> Weights:
        for neuron, row in enumerate(names.rows):
            if not any(row):
                found = f"nothing that feeds neuron {neuron + 1}"
                self.report.add(names.place, found, "at least one connection for each neuron")
            for source, name in enumerate(row):
                value = values.rows[neuron][source] if values else None
                where = values.where(neuron, source) if values else ""
                self._named_weight(str(name), names.where(neuron, source), value, where)
        rows = tuple(tuple(str(name) or None for name in row) for row in names.rows)
        weights = Weights(index, fan_in, size, self.first_weight, rows)
        self.first_weight += sum(1 for _ in weights)
        return weights

    def _named_weight(self, name: str, place: str, value: object, value_place: str) -> None:
        if not name:
            if isinstance(value, Number) and value.value != 0:
                self.report.add(value_place, f"the weight {value.written} of no connection ({place})", '0 or ""')
            return
        if value == "":
            self.report.add(value_place, f"no number for the weight {name}", NO_CONNECTION)
        weight = value if isinstance(value, Number) else None
        self.names.claim(name, Owner("weight", place, made=False, value=weight, value_place=value_place))

    def _numbered_weights(self, weights: Weights, values: Matrix | None, place: str) -> None:
        if values is None and weights.by_place:
            return
        for neuron in range(weights.neurons):
            for source in range(weights.fan_in):
                name = str(weights.name(neuron, source))
                value = values.rows[neuron][source] if values else None
                if values and not isinstance(value, Number):
                    self.report.add(values.where(neuron, source), "no number", NO_CONNECTION)
                elif weights.by_place and isinstance(value, Number):
                    self.names.given[name] = value
                else:
                    where = values.where(neuron, source) if values else place
                    owned = value if isinstance(value, Number) else None
                    self.names.claim(name, Owner("weight", where, made=True, value=owned, value_place=where))
        if not weights.by_place:
            self.first_weight += weights.neurons * weights.fan_in

    # biases

    def _biases(
        self, table: Table, place: str, index: int, neurons: tuple[str, ...], fan_in: int | None
    ) -> tuple[str | None, ...] | None:
        """A name for each neuron; None for the whole when something was wrong."""
        size = len(neurons)
        bias, written = table.get("bias"), table.get("bias_names")
        where, names_place = join(place, "bias"), join(place, "bias_names")
        if "bias" in table.wrong or "bias_names" in table.wrong:
            return None
        if bias is False and written is not None:
            self.report.add(names_place, "names of biases beside bias = false", "one of the two")
            return None
        if bias is False or (bias is None and written is None):
            return (None,) * size
        if isinstance(bias, tuple) and len(bias) != size:
            self.report.add(where, f"a list of {len(bias)}", f"a list of {size}, or one number shared by the layer")
            return None
        if isinstance(written, str):
            written = (written,)
        if written is not None and len(written) != size and (len(written) != 1 or isinstance(bias, tuple)):
            accepted = f"a list of {size}" if isinstance(bias, tuple) else f"a list of {size}, or one name"
            self.report.add(names_place, f"a list of {len(written)}", accepted)
            return None
        if written is not None:
            return self._named_biases(bias, tuple(written), where, names_place, size)
        large = fan_in is not None and fan_in * size > MANY_WEIGHTS
        return self._numbered_biases(bias, where, index, size, large)

    def _named_biases(
        self, bias: object, written: tuple[str, ...], where: str, names_place: str, size: int
    ) -> tuple[str | None, ...]:
        names = written if len(written) == size else written * size
        for i, name in enumerate(names):
            value = bias[i] if isinstance(bias, tuple) else bias
            number = value if isinstance(value, Number) else None
            value_place = f"{where}[{i + 1}]" if isinstance(bias, tuple) else where
            name_place = f"{names_place}[{min(i, len(written) - 1) + 1}]"
            if not name and isinstance(bias, tuple) and number is not None and number.value != 0:
                self.report.add(value_place, f"the bias {number.written} of a neuron without one", '0 or ""')
            elif name and value == "":
                self.report.add(value_place, f"no number for the bias {name}", "a number")
            elif name:
                self.names.claim(name, Owner("bias", name_place, made=False, value=number, value_place=value_place))
        self.first_bias += len({name for name in names if name})
        return tuple(name or None for name in names)

    def _numbered_biases(self, bias: object, where: str, index: int, size: int, large: bool) -> tuple[str | None, ...]:
        if isinstance(bias, Number):
            name = f"b{self.first_bias}"
            self.first_bias += 1
            self.names.claim(name, Owner("bias", where, made=True, value=bias, value_place=where))
            return (name,) * size
        names = tuple(f"B{index}[{i}]" if large else f"b{self.first_bias + i - 1}" for i in range(1, size + 1))
        self.first_bias += 0 if large else size
        for i, name in enumerate(names):
            value = bias[i] if isinstance(bias, tuple) else None
            place = f"{where}[{i + 1}]" if isinstance(bias, tuple) else where
            if value == "":
                self.report.add(place, "no number", 'a number; where a neuron has no bias, "" in bias_names')
                continue
            self.names.claim(name, Owner("bias", place, made=True, value=value, value_place=place))
        return names
