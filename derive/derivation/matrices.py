"""The layers of a network as matrices whose entries are its quantities, each entry made when asked for.

Rows are samples: X is (samples × inputs), W (what feeds the layer × neurons), B, Y and δ (samples × neurons).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from derive.derivation.chain_rule import Derivation, derivative_name
from derive.derivation.graph import sample_suffix
from derive.derivation.network import NetworkGraph
from derive.formula.expression import ZERO, Expr, Name, Number, add, expanded, multiply, number
from derive.problem.model import Layer


@dataclass(frozen=True, slots=True)
class Matrix:
    """rows × columns; `entry(row, column)` counts from 1."""

    rows: int
    columns: int
    entry: Callable[[int, int], Expr]

    @property
    def transposed(self) -> Matrix:
        return Matrix(self.columns, self.rows, lambda i, j: self.entry(j, i))

    def entries(self) -> tuple[tuple[Expr, ...], ...]:
        """All of them; for small matrices."""
        columns = range(1, self.columns + 1)
        return tuple(tuple(self.entry(i, j) for j in columns) for i in range(1, self.rows + 1))

    def column(self, j: int) -> Matrix:
        return Matrix(self.rows, 1, lambda i, _: self.entry(i, j))

    def row(self, i: int) -> Matrix:
        return Matrix(1, self.columns, lambda _, j: self.entry(i, j))


def grid(rows: Sequence[Sequence[Expr]]) -> Matrix:
    """The matrix with these entries."""
    return Matrix(len(rows), len(rows[0]), lambda i, j: rows[i - 1][j - 1])


def product(left: Matrix, right: Matrix, *, turned: bool = False) -> Matrix:
    """Left @ right; each entry is a row times a column, with `turned` the factor of the column first."""

    def entry(i: int, j: int) -> Expr:
        pairs = ((left.entry(i, k), right.entry(k, j)) for k in range(1, left.columns + 1))
        return add(*(multiply(b, a) if turned else multiply(a, b) for a, b in pairs))

    return Matrix(left.rows, right.columns, cache(entry))


def by_entry(combine: Callable[..., Expr], *matrices: Matrix) -> Matrix:
    """Matrices of one shape, put together entry by entry."""
    first = matrices[0]
    return Matrix(first.rows, first.columns, cache(lambda i, j: combine(*(one.entry(i, j) for one in matrices))))


class NetworkMatrices:
    """The matrices of a network; layers are counted from 1."""

    def __init__(self, derivation: Derivation, graph: NetworkGraph) -> None:
        self.derivation = derivation
        self.network = graph.network
        self.given = graph.given
        self.graph = graph
        self._samples = graph.samples

    @property
    def layers(self) -> range:
        return range(1, len(self.network.layers) + 1)

    def layer(self, number: int) -> Layer:
        return self.network.layers[number - 1]

    # --- forward -------------------------------------------------------------------------------------------------

    def inputs(self) -> Matrix:
        return self._by_sample(self.network.inputs)

    def targets(self) -> Matrix:
        return self._by_sample(self.network.targets)

    def weights(self, number: int) -> Matrix:
        """(what feeds the layer × neurons); 0 where there is no connection."""
        return self._of_weights(number)

    def bias_row(self, number: int) -> Matrix:
        """(1 × neurons); 0 for a neuron without a bias."""
        return self._of_biases(number)

    def biases(self, number: int) -> Matrix:
        """The row of biases once for each sample."""
        row = self.bias_row(number)
        return Matrix(len(self._samples), row.columns, lambda _, j: row.entry(1, j))

    def has_bias(self, number: int) -> bool:
        return any(self.layer(number).biases)

    def feeds(self, number: int) -> Matrix:
        """What the layer is fed with: X, or the outputs of the layer before."""
        return self.inputs() if number == 1 else self.out(number - 1)

    def net(self, number: int) -> Matrix:
        return self._by_sample([f"net_{name}" for name in self.layer(number).neurons])

    def sums(self, number: int) -> Matrix:
        """The weighted sums that the pre-activations are."""
        return by_entry(lambda entry: expanded(self._definition(entry)), self.net(number))

    def out(self, number: int) -> Matrix:
        return self._by_sample([f"out_{name}" for name in self.layer(number).neurons])

    def losses(self) -> Matrix:
        """The loss of each sample, a column; of one sample the loss itself."""
        return self._by_sample(["E"]) if len(self._samples) > 1 else grid(((Name(self.data_loss),),))

    def _definition(self, entry: Expr) -> Expr:
        assert isinstance(entry, Name)
        definition = self.graph.node(entry.name).definition
        assert definition is not None
        return definition

    # --- backward ------------------------------------------------------------------------------------------------

    @property
    def data_loss(self) -> str:
        """The loss without a penalty on the weights."""
        return "E_data" if self.network.penalty else "E"

    def slope(self, matrix: Matrix) -> Matrix:
        """∂E of each entry."""
        return by_entry(_slope_of, matrix)

    def delta(self, number: int) -> Matrix:
        """∂E/∂(pre-activation)."""
        return self.slope(self.net(number))

    def activation_slopes(self, number: int) -> Matrix:
        """f′ of each pre-activation, for an activation that acts on each entry alone."""
        return by_entry(
            lambda out, net: Name(derivative_name(out.name, net.name)), self.out(number), self.net(number)
        )

    def weight_places(self, number: int) -> Matrix:
        """∂E/∂W with every entry of W on its own: feedsᵀ @ δ where there is a connection, else 0.

        A weight that stands in one place only is named; a shared one is the row times the column.
        """
        whole = product(self.feeds(number).transposed, self.named_delta(number), turned=True)
        names = self.weights(number)

        def entry(i: int, j: int) -> Expr:
            name = names.entry(i, j)
            if not isinstance(name, Name):
                return ZERO
            single = len(self.graph.uses(name.name)) == 1
            return Name(derivative_name(self.data_loss, name.name)) if single else whole.entry(i, j)

        return Matrix(names.rows, names.columns, entry)

    def weight_products(self, number: int) -> Matrix:
        """feedsᵀ @ δ written out, 0 where there is no connection."""
        whole = product(self.feeds(number).transposed, self.named_delta(number), turned=True)
        return by_entry(lambda name, entry: entry if name != ZERO else ZERO, self.weights(number), whole)

    def bias_places(self, number: int) -> Matrix:
        """∂E/∂B, a row: each bias on its own."""
        sums = self.bias_sums(number)

        def place(name: Expr, entry: Expr) -> Expr:
            single = isinstance(name, Name) and len(self.graph.uses(name.name)) == 1
            return Name(derivative_name("E", name.name)) if single and isinstance(name, Name) else entry

        return by_entry(place, self.bias_row(number), sums)

    def bias_sums(self, number: int) -> Matrix:
        """The column sums of δ, times the constant input of the bias; 0 for a neuron without a bias."""
        delta, constant = self.named_delta(number), self.layer(number).bias_input

        def entry(_: int, j: int) -> Expr:
            terms = (delta.entry(i, j) for i in range(1, delta.rows + 1))
            return add(*(multiply(term, constant) for term in terms))

        return by_entry(
            lambda name, total: total if name != ZERO else ZERO,
            self.bias_row(number),
            Matrix(1, delta.columns, entry),
        )

    def feed_sums(self, number: int) -> Matrix:
        """δ @ Wᵀ written out."""
        return product(self.named_delta(number), self.weights(number).transposed)

    def named_delta(self, number: int) -> Matrix:
        """δ by its own names, which have the values of ∂E/∂(pre-activation)."""
        return self._by_sample([f"delta_{name}" for name in self.layer(number).neurons])

    def penalty_factor(self) -> Number:
        """What each weight is multiplied by in the slope of the penalty."""
        penalty = self.network.penalty
        if penalty is None:
            return number(0)
        return penalty.strength if penalty.half else number(2 * penalty.strength.value)

    # --- parameters and their updates ------------------------------------------------------------------------------

    def shared(self, number: int) -> list[str]:
        """The parameters of a layer that stand in several places of the network, each once."""
        return [name for name in self._parameters(number) if len(self.graph.uses(name)) > 1]

    def _parameters(self, number: int) -> Iterator[str]:
        layer = self.layer(number)
        weights = iter(()) if layer.weights.by_place else iter(layer.weights)
        return iter(dict.fromkeys([*weights, *(bias for bias in layer.biases if bias)]))

    def has_gap(self, number: int) -> bool:
        """Whether a connection is missing."""
        names = self.layer(number).weights.names
        return names is not None and any(name is None for row in names for name in row)

    def step(self, parameters: Matrix) -> Matrix:
        """The gradient that an update of these parameters takes: 0 where nothing is updated."""
        return by_entry(lambda entry: _slope_of(entry) if self._is_updated(entry) else ZERO, parameters)

    def renewed(self, parameters: Matrix) -> Matrix:
        """The parameters after one update."""

        def new(entry: Expr) -> Expr:
            return Name(f"{entry.name}_new") if isinstance(entry, Name) and self._is_updated(entry) else entry

        return by_entry(new, parameters)

    def updates(self, parameters: Matrix) -> bool:
        """Whether an update changes any of them."""
        return self._updates_anything and any(self._is_updated(parameters.entry(i, j)) for i, j in _places(parameters))

    @cached_property
    def _updates_anything(self) -> bool:
        return self.derivation.updates_anything()

    def all_updated(self, parameters: Matrix) -> bool:
        """Whether every parameter is updated, looked up in small matrices only."""
        if parameters.rows * parameters.columns > MANY:
            return True
        entries = [entry for row in parameters.entries() for entry in row if isinstance(entry, Name)]
        return all(self._is_updated(entry) for entry in entries)

    def _is_updated(self, entry: Expr) -> bool:
        return isinstance(entry, Name) and self.derivation.is_updated(entry.name)

    # --- how they are made -----------------------------------------------------------------------------------------

    def _by_sample(self, names: Sequence[str]) -> Matrix:
        def entry(i: int, j: int) -> Expr:
            return Name(names[j - 1] + sample_suffix(self._samples[i - 1]))

        return Matrix(len(self._samples), len(names), entry)

    def _of_weights(self, number: int) -> Matrix:
        weights = self.layer(number).weights

        def entry(i: int, j: int) -> Expr:
            name = weights.name(j - 1, i - 1)
            return Name(name) if name else ZERO

        return Matrix(weights.fan_in, weights.neurons, entry)

    def _of_biases(self, number: int) -> Matrix:
        biases = self.layer(number).biases

        def entry(_: int, j: int) -> Expr:
            name = biases[j - 1]
            return Name(name) if name else ZERO

        return Matrix(1, len(biases), entry)


MANY = 2000


def _slope_of(entry: Expr) -> Expr:
    return Name(derivative_name("E", entry.name)) if isinstance(entry, Name) else ZERO


def _places(matrix: Matrix) -> Iterator[tuple[int, int]]:
    return ((i, j) for i in range(1, matrix.rows + 1) for j in range(1, matrix.columns + 1))
