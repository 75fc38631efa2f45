"""`MLP`: a network that is trained and asked in the manner of scikit-learn."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from derive.catalogue.activations import Activation
from derive.catalogue.losses import Loss
from derive.catalogue.recipes import Recipe
from derive.errors import DeriveError
from derive.mlp import choices, state
from derive.mlp.arrays import Targets, inputs, rows, scale_of, targets
from derive.mlp.choices import Choice
from derive.mlp.initializers import draw
from derive.mlp.network import Arrays, Network, Pass, Reduction, Shape
from derive.mlp.optimizers import Optimizer
from derive.mlp.training import Progress, train

Array = NDArray[Any]
Record = dict[str, Any]
CHUNK = 2000
"""Samples that are predicted at once."""


@dataclass(frozen=True, slots=True)
class Gradients:
    """The loss of a batch and its gradients, an array for each layer; `trained` are parameters of activations."""

    loss: float
    weights: list[Array]
    biases: list[Array]
    trained: list[Array]
    inputs: Array


class MLP:
    """A multilayer perceptron on NumPy.

    hidden         neurons of each hidden layer
    activation     of the hidden layers: a name of the catalogue, or a table such as {"name": "elu", "alpha": 0.5}; a
                   list of them says one for each layer
    output, loss   activation of the last layer, and the loss; "softmax" with "cross-entropy" takes labels
    optimizer      a name, or a table with hyper-parameters and conventions: {"name": "adam", "library": "keras"}
    schedule       of the learning rate, counted in updates: {"name": "cosine", "over": 9375}; for "cosine" without
                   `over` the end is the end of training
    clip_norm      the largest norm of all gradients together; `clip_value`: the largest size of each
    initializer    of weights, drawn with `seed`; None: He before a ReLU and its kin, else Xavier, both uniform
    bias_initializer   of biases
    l2             adds l2/2·ΣW² to the loss
    dropout        the share of outputs of hidden layers that is dropped in training, the rest scaled by 1/(1 − dropout)
    reduction      whether the loss of a batch is the "mean" or the "sum" of those of its samples
    scale          what inputs are multiplied by; None: 1/255 for bytes, 1 for all else

    After `fit`: weights_ (a (fan_in, nets) array for each layer), biases_, classes_ (None without labels), history_ (a
    record of each epoch).  The same seed, data and number of threads give the same bits.
    """

    _estimator_type = "classifier"
    network_: Network
    optimizer_: Optimizer
    generator_: np.random.Generator
    classes_: Array | None
    n_features_in_: int
    epoch_: int
    updates_: int
    history_: list[Record]

    def __init__(
        self,
        hidden: Sequence[int] = (128,),
        *,
        activation: Choice | Activation | Sequence[Choice | Activation] = "relu",
        output: Choice | Activation = "softmax",
        loss: Choice | Loss = "cross-entropy",
        optimizer: Choice | Recipe = "adam",
        learning_rate: float = 1e-3,
        schedule: Choice | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        batch_size: int = 32,
        epochs: int = 5,
        initializer: Choice | None = None,
        bias_initializer: Choice = "zeros",
        l2: float = 0.0,
        dropout: float = 0.0,
        reduction: Reduction = "mean",
        dtype: str = "float32",
        scale: float | None = None,
        shuffle: bool = True,
        seed: int = 0,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.output = output
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.batch_size = batch_size
        self.epochs = epochs
        self.initializer = initializer
        self.bias_initializer = bias_initializer
        self.l2 = l2
        self.dropout = dropout
        self.reduction = reduction
        self.dtype = dtype
        self.scale = scale
        self.shuffle = shuffle
        self.seed = seed

    # --- parameters, as scikit-learn asks for them -------------------------------------------------------------------

    @classmethod
    def parameter_names(cls) -> list[str]:
        return list(inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 (no parameter is an estimator)
        """What the network was made with."""
        return {name: getattr(self, name) for name in self.parameter_names()}

    def set_params(self, **given: Any) -> Self:
        """Other values for some parameters, for the next `fit`."""
        for name, value in given.items():
            if name not in self.parameter_names():
                raise DeriveError(f"MLP has no parameter {name}; accepted: {', '.join(self.parameter_names())}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = {name: each.default for name, each in inspect.signature(type(self)).parameters.items()}
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value != defaults[name]]
        return f"MLP({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier", target_tags=TargetTags(required=True), transformer_tags=None,
            classifier_tags=ClassifierTags(), regressor_tags=None, input_tags=InputTags(),
        )  # fmt: skip

    # --- training ----------------------------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,  # noqa: N803
        y: Any,
        *,
        validation: tuple[Any, Any] | None = None,
        on_epoch: Callable[[MLP, Record], bool | None] | None = None,
        on_batch: Callable[[Progress], None] | None = None,
    ) -> Self:
        """Train from fresh weights, or go on from where `resume_from` set the network.

        X            (samples, inputs), or images; bytes stay bytes and are scaled batch by batch
        y            labels, or a row of real targets for each sample
        validation   inputs and targets that loss and accuracy are measured on after each epoch
        on_epoch     called with the network and the record of the epoch; training ends where it answers True
        on_batch     called after each update
        """
        self._check()
        x = inputs(X, self.dtype)
        resumed = self.__dict__.pop("_resumed", False)
        wanted = targets(y, self.dtype, *((self.classes_, self._outputs()) if resumed else ()))
        if len(x) != len(wanted) or not len(x):
            raise DeriveError(f"X has {len(x)} samples and y {len(wanted)}; accepted: as many of both, at least one")
        if resumed:
            inputs(X[:1], self.dtype, self.n_features_in_)
        else:
            self._begin(x.shape[1], wanted, self._updates(len(x)))
        train(self, x, wanted, validation, on_epoch, on_batch)
        return self

    def _updates(self, samples: int) -> int:
        return self.epochs * -(-samples // self.batch_size)

    def _check(self) -> None:
        wrong = [
            (name, getattr(self, name), accepted)
            for name, accepted, holds in (
                ("batch_size", "a whole number from 1", lambda value: value >= 1 and value == int(value)),
                ("epochs", "a whole number from 0", lambda value: value >= 0 and value == int(value)),
                ("dropout", "a number from 0 and below 1", lambda value: 0 <= value < 1),
                ("l2", "a number from 0", lambda value: value >= 0),
                ("dtype", "float32 or float64", lambda value: value in ("float32", "float64")),
                ("reduction", "mean or sum", lambda value: value in ("mean", "sum")),
            )
            if not holds(getattr(self, name))
        ]
        if wrong:
            raise DeriveError("; ".join(f"{name} = {value!r}; accepted: {accepted}" for name, value, accepted in wrong))

    def _begin(self, width: int, wanted: Targets, updates: int) -> None:
        """Fresh weights, states and records."""
        self.n_features_in_, self.classes_ = width, wanted.classes
        self._build(self._shapes(wanted.outputs), updates)
        self.generator_ = np.random.default_rng(self.seed)
        biases = choices.initializer(self.bias_initializer)
        for layer, shape in zip(self.network_.layers, self.network_.shapes, strict=True):
            weights = choices.initializer(self.initializer or _usual(shape.activation))
            fan_in, nets = layer.weights.shape
            layer.weights[:] = draw(weights, layer.weights.shape, fan_in, nets, self.generator_, self.dtype)
            layer.biases[:] = draw(biases, layer.biases.shape, fan_in, nets, self.generator_, self.dtype)

    def _shapes(self, outputs: int, biases: Sequence[int] = ()) -> list[Shape]:
        if isinstance(self.activation, str | Mapping | Activation):
            hidden = [self.activation] * len(self.hidden)
        else:
            hidden = list(self.activation)
        if len(hidden) != len(self.hidden):
            raise DeriveError(
                f"activation names {len(hidden)} activations; "
                f"accepted: one, or {len(self.hidden)} as there are hidden layers"
            )
        found = [choices.activation(each) for each in (*hidden, self.output)]
        counts = biases or [-1] * len(found)
        sizes = (*self.hidden, outputs)
        return [Shape(int(size), *rest) for size, rest in zip(sizes, zip(found, counts, strict=True), strict=True)]

    def _build(self, shapes: list[Shape], updates: int) -> None:
        self.network_ = Network(
            self.n_features_in_, shapes, choices.loss(self.loss),
            reduction=self.reduction, l2=self.l2, dtype=self.dtype,
        )  # fmt: skip
        schedule = self.schedule
        if schedule in ("cosine", {"name": "cosine"}):
            schedule = {"name": "cosine", "over": max(1, updates)}
        recipe = choices.recipe(self.optimizer, schedule, self.clip_norm, self.clip_value)
        self.optimizer_ = Optimizer(recipe, self.learning_rate)
        self.optimizer_.begin(self.network_.parameters)
        self.updates_ = updates
        self.epoch_, self.history_ = 0, []

    def update(self, X: Any, y: Any) -> float:  # noqa: N803
        """One step of the optimizer on one batch; the loss before it."""
        found = self.gradients(X, y)
        self.optimizer_.step(self.network_.parameters, self.network_.gradient)
        return found.loss

    @classmethod
    def with_weights(
        cls,
        weights: Sequence[Any],
        biases: Sequence[Any],
        activations: Sequence[Choice | Activation],
        loss: Choice | Loss,
        **parameters: Any,
    ) -> Self:
        """A network with explicit weights, in doubles unless `dtype` says otherwise: for verification.

        weights   a (fan_in, nets) array for each layer; neuron k of maxout has the nets k·pieces to (k + 1)·pieces − 1
        biases    an array for each layer: one for each net, one that all share, or None
        Other keywords are those of MLP.  Trained parameters of activations start at the values of `activations`.
        """
        given = {"dtype": "float64"} | parameters
        model = cls(activation=list(activations[:-1]), output=activations[-1], loss=loss, **given)
        model._check()
        matrices = [np.asarray(each, given["dtype"]) for each in weights]
        vectors = [np.zeros(0) if each is None else np.ravel(np.asarray(each, given["dtype"])) for each in biases]
        found = [choices.activation(each) for each in activations]
        pieces = [int(dict(row.parameters)["pieces"].value) if row.name == "maxout" else 1 for row in found]
        shapes = [
            Shape(matrix.shape[1] // each, row, len(vector))
            for matrix, vector, row, each in zip(matrices, vectors, found, pieces, strict=True)
        ]
        model.hidden = tuple(shape.neurons for shape in shapes[:-1])
        model.n_features_in_, model.classes_ = matrices[0].shape[0], None
        model._build(shapes, 1)
        model.generator_ = np.random.default_rng(model.seed)
        for layer, matrix, vector in zip(model.network_.layers, matrices, vectors, strict=True):
            if matrix.shape != layer.weights.shape or len(vector) not in (0, 1, matrix.shape[1]):
                raise DeriveError(
                    f"weights of the shape {matrix.shape} with {len(vector)} biases; accepted: {layer.weights.shape}"
                )
            layer.weights[:], layer.biases[:] = matrix, vector
        return model

    # --- questions ---------------------------------------------------------------------------------------------------

    def forward(self, X: Any) -> list[Pass]:  # noqa: N803
        """Net inputs and outputs of every layer, (samples, nets) and (samples, neurons)."""
        return self._fitted().forward(self._rows(X))

    def gradients(self, X: Any, y: Any) -> Gradients:  # noqa: N803
        """The loss of one batch, and its gradients by backpropagation; all are copies."""
        network = self._fitted()
        x, t = self._rows(X), self._targets(y)
        passes = network.forward(x)
        each = network.losses(t, passes)
        slope = network.backward(x, t, passes)
        loss = float(each.mean() if self.reduction == "mean" else each.sum()) + network.penalty()
        weights, biases, trained = (
            [getattr(layer, name).copy() for layer in network.slopes] for name in ("weights", "biases", "trained")
        )
        return Gradients(loss, weights, biases, trained, slope)

    def loss_and_gradients(self, X: Any, y: Any) -> tuple[float, list[Array], list[Array]]:  # noqa: N803
        """The loss of one batch, ∂E/∂W and ∂E/∂b of each layer."""
        found = self.gradients(X, y)
        return found.loss, found.weights, found.biases

    def optimizer_states(self) -> dict[str, list[Arrays] | float]:
        """The states of the optimizer by name, layer by layer; a state of all parameters together as one number."""
        size = self._fitted().parameters.size
        return {
            name: list(self.network_.views(found)) if found.size == size else float(found[0])
            for name, found in self.optimizer_.states.items()
        }

    def predict_proba(self, X: Any) -> Array:  # noqa: N803
        """The outputs of the last layer, (samples, outputs); with softmax, probabilities."""
        network = self._fitted()
        x = inputs(X, self.dtype, self.n_features_in_)
        scale = scale_of(x, self.scale)
        found = np.empty((len(x), self._outputs()), self.dtype)
        for start in range(0, len(x), CHUNK):
            part = rows(x[start : start + CHUNK], scale, self.dtype)
            found[start : start + CHUNK] = network.forward(part)[-1].out
        return found

    def predict(self, X: Any) -> Array:  # noqa: N803
        """The class with the largest output; without classes the outputs themselves."""
        found = self.predict_proba(X)
        return found if self.classes_ is None else np.asarray(self.classes_[found.argmax(1)])

    def evaluate(self, X: Any, y: Any) -> dict[str, float]:  # noqa: N803
        """The mean loss of the samples, without penalty, and the share of right classes where there are classes."""
        network = self._fitted()
        x = inputs(X, self.dtype, self.n_features_in_)
        wanted = targets(y, self.dtype, self.classes_, self._outputs())
        if len(x) != len(wanted) or not len(x):
            raise DeriveError(f"X has {len(x)} samples and y {len(wanted)}; accepted: as many of both, at least one")
        scale, loss, right = scale_of(x, self.scale), 0.0, 0
        for start in range(0, len(x), CHUNK):
            chosen = slice(start, start + CHUNK)
            passes = network.forward(rows(x[chosen], scale, self.dtype))
            t = wanted.rows(chosen, network.loss.row, self.dtype)
            loss += float(network.losses(t, passes).sum(dtype=np.float64))
            if wanted.labels is not None:
                right += int((passes[-1].out.argmax(1) == wanted.labels[chosen]).sum())
        accuracy = {"accuracy": right / len(x)} if wanted.labels is not None else {}
        return {"loss": loss / len(x), **accuracy}

    def score(self, X: Any, y: Any) -> float:  # noqa: N803
        """The accuracy; without classes the share R² of the variance that is explained."""
        found = self.evaluate(X, y)
        if "accuracy" in found:
            return found["accuracy"]
        t = targets(y, np.float64).values
        assert t is not None
        rest, whole = ((t - self.predict_proba(X)) ** 2).sum(), ((t - t.mean(0)) ** 2).sum()
        return float(1 - rest / whole) if whole else 0.0

    @property
    def weights_(self) -> list[Array]:
        return [layer.weights for layer in self._fitted().layers]

    @property
    def biases_(self) -> list[Array]:
        return [layer.biases for layer in self._fitted().layers]

    @property
    def trained_(self) -> list[Array]:
        """The trained parameters of each layer's activation."""
        return [layer.trained for layer in self._fitted().layers]

    def __sklearn_is_fitted__(self) -> bool:
        return "network_" in self.__dict__

    def _fitted(self) -> Network:
        if "network_" not in self.__dict__:
            raise DeriveError("this MLP has no weights yet; accepted: a call of fit, or MLP.with_weights")
        return self.network_

    def _outputs(self) -> int:
        return self._fitted().shapes[-1].neurons

    def _rows(self, X: Any) -> Array:  # noqa: N803
        self._fitted()
        x = inputs(X, self.dtype, self.n_features_in_)
        return rows(x, scale_of(x, self.scale), self.dtype)

    def _targets(self, y: Any) -> Array:
        network = self._fitted()
        known = self.classes_ if self.classes_ is not None else np.arange(self._outputs())
        return targets(y, self.dtype, known, self._outputs()).rows(slice(None), network.loss.row, self.dtype)

    # --- state -------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Array]:
        """Everything that training needs to go on bit for bit, as arrays without objects (for `numpy.savez`)."""
        self._fitted()
        return state.saved(self)

    @classmethod
    def from_state(cls, saved: Mapping[str, Array]) -> Self:
        """The network that `state` was asked of; `fit` goes on with its next epoch."""
        return cls(**state.settings(saved)).resume_from(saved)

    def resume_from(self, saved: Mapping[str, Array]) -> Self:
        """Take over weights, states of the optimizer, random numbers and history; the next `fit` goes on from there."""
        state.restore(self, saved)
        self._resumed = True
        return self


_RECTIFIERS = ("relu", "leaky-relu", "parametric-relu", "relu6", "elu", "celu", "silu", "gelu", "gelu-tanh", "mish")


def _usual(row: Activation) -> str:
    return "he-uniform" if row.name in _RECTIFIERS else "xavier-uniform"
