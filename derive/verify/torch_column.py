"""A problem in torch: doubles, its own activations where it has them, autograd, and its own optimizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from derive.catalogue.recipes import Recipe
from derive.derivation.chain_rule import split_derivative
from derive.problem.loss import LossSetting
from derive.problem.model import Definitions, Network, Problem
from derive.problem.points import ActivationPoints
from derive.verify.arithmetic import Arithmetic
from derive.verify.functions import SCALARS, Scalar
from derive.verify.plain_network import PlainNetwork
from derive.verify.plain_points import loss_program, point_program
from derive.verify.program import Formulas, Program


class _Functions:
    """The functions of `derive.verify.arithmetic` for tensors without a dimension."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self.exp, self.log, self.log1p, self.expm1 = torch.exp, self._log, torch.log1p, torch.expm1
        self.sinh, self.tanh, self.sin, self.cos = torch.sinh, torch.tanh, torch.sin, torch.cos
        self.erf, self.erfc, self.pi = torch.erf, torch.erfc, torch.pi

    def _log(self, z: Any) -> Any:
        return self._torch.log(self._tensor(z))

    def sqrt(self, z: Any) -> Any:
        return self._torch.sqrt(self._tensor(z))

    def _tensor(self, z: Any) -> Any:
        return self._torch.as_tensor(z, dtype=self._torch.float64)


def _natives(torch: Any) -> Mapping[str, Scalar]:
    """Activations as torch has them; those that it has not, or only in single precision, are written out."""
    own = torch.nn.functional
    return {
        **SCALARS,
        "sigmoid": lambda _f, z, _p: torch.sigmoid(z),
        "relu": lambda _f, z, _p: own.relu(z),
        "leaky-relu": lambda _f, z, p: own.leaky_relu(z, _float(p["alpha"])),
        "relu6": lambda _f, z, _p: own.relu6(z),
        "elu": lambda _f, z, p: own.elu(z, _float(p["alpha"])),
        "softplus": lambda _f, z, _p: own.softplus(z, threshold=700),
        "softsign": lambda _f, z, _p: own.softsign(z),
        "hard-tanh": lambda _f, z, _p: own.hardtanh(z),
        "silu": lambda _f, z, _p: own.silu(z),
        "gelu": lambda _f, z, _p: own.gelu(z),
        "gelu-tanh": lambda _f, z, _p: own.gelu(z, approximate="tanh"),
        "mish": lambda _f, z, _p: own.mish(z),
        "log-sigmoid": lambda _f, z, _p: own.logsigmoid(z),
        "tanh-shrink": lambda _f, z, _p: own.tanhshrink(z),
    }


def _float(value: Any) -> Any:
    """A parameter as torch's functions take it."""
    return value.item() if hasattr(value, "item") else value


def torch_arithmetic(torch: Any) -> Arithmetic:
    return _TorchArithmetic(_Functions(torch), torch, 15, _natives(torch))


class _TorchArithmetic(Arithmetic):
    def number(self, value: Fraction) -> Any:
        return self.context.tensor(float(value), dtype=self.context.float64)


class _Asked:
    """A program of tensors and the slopes of its nodes by autograd, those of one top all at once."""

    def __init__(self, torch: Any, program: Program) -> None:
        self._torch, self._program = torch, program

    def number(self, name: str) -> float | None:
        pair = split_derivative(name)
        if pair is None:
            return float(self._program.value(name).detach())
        top, bottom = (self._program.value(part) for part in pair)
        if not (isinstance(top, self._torch.Tensor) and top.requires_grad and bottom.requires_grad):
            return None
        slope = self._torch.autograd.grad(top, bottom, allow_unused=True, retain_graph=True)[0]
        return 0.0 if slope is None else float(slope)


class TorchColumn:
    """The numbers of a problem in torch; None where torch has nothing to say."""

    def __init__(self, problem: Problem, given: Mapping[str, float]) -> None:
        import torch

        self._torch, self._problem = torch, problem
        self._arithmetic = torch_arithmetic(torch)
        self._given = {name: self._leaf(value) for name, value in given.items()}
        self._asked: dict[Any, _Asked] = {}
        self._parameters: list[dict[str, float]] = []
        self._make_optimizer = _optimizer(torch, problem)

    def _leaf(self, value: float) -> Any:
        return self._torch.tensor(value, dtype=self._torch.float64, requires_grad=True)

    def number(self, name: str, step: int) -> float | None:
        try:
            return self._number(name, step)
        except (KeyError, ValueError, ArithmeticError, RuntimeError):
            return None

    def _number(self, name: str, step: int) -> float | None:
        body = self._problem.body
        if isinstance(body, ActivationPoints):
            symbol, _, texts = name.partition("(")
            return self._of(texts).number("df/dz" if symbol == "f'" else symbol)
        if not isinstance(body, Network):
            return self._of("").number(name)
        if step and not self._make_optimizer:
            return None
        if step:
            self._advance(body, step)
            if name in self._parameters[step]:
                return self._parameters[step][name]
        return self._of(step).number(name)

    def _of(self, key: Any) -> _Asked:
        if key not in self._asked:
            self._asked[key] = _Asked(self._torch, self._program(key))
        return self._asked[key]

    def _program(self, key: Any) -> Program:
        body, arithmetic = self._problem.body, self._arithmetic
        if isinstance(body, Network):
            now = {name: self._leaf(value) for name, value in self._parameters[key].items()} if key else {}
            return PlainNetwork(body, {**self._given, **now}.__getitem__, arithmetic)
        if isinstance(body, ActivationPoints):
            point = tuple(self._leaf(float(Fraction(text))) for text in key.rstrip(")").split(","))
            return point_program(body.activation, point, arithmetic)
        if isinstance(body, LossSetting):
            return loss_program(body, self._given, arithmetic)
        if isinstance(body, Definitions):
            return Formulas(dict(body.define), self._given, arithmetic)
        raise KeyError(key)

    # --- updates -----------------------------------------------------------------------------------------------------

    def _advance(self, network: Network, step: int) -> None:
        """Run torch's optimizer up to that update."""
        update = self._problem.update
        assert update is not None
        assert self._make_optimizer is not None
        if not self._parameters:
            names = [name for name in network.parameters() if name not in update.frozen]
            self._leaves = {name: self._leaf(self._given[name].item()) for name in names}
            self._optimizer = self._make_optimizer(list(self._leaves.values()))
            self._parameters.append({name: leaf.item() for name, leaf in self._leaves.items()})
        while len(self._parameters) <= step:
            now = PlainNetwork(network, {**self._given, **self._leaves}.__getitem__, self._arithmetic)
            self._optimizer.zero_grad()
            now.value("E").backward(inputs=list(self._leaves.values()))
            for leaf in self._leaves.values():
                if leaf.grad is None:  # torch would leave the parameter alone, its decay included
                    leaf.grad = self._torch.zeros_like(leaf)
            self._step()
            self._parameters.append({name: leaf.item() for name, leaf in self._leaves.items()})

    def _step(self) -> None:
        """One update; NAdam keeps its product of momenta in the default type, which has to be double."""
        usual = self._torch.get_default_dtype()
        self._torch.set_default_dtype(self._torch.float64)
        try:
            self._optimizer.step()
        finally:
            self._torch.set_default_dtype(usual)


def _optimizer(torch: Any, problem: Problem) -> Callable[[list[Any]], Any] | None:
    """Torch's own optimizer, where it has one of the same conventions."""
    update = problem.update
    if update is None or not isinstance(problem.body, Network) or not problem.body.targets:
        return None
    recipe, rate = update.recipe, float(update.learning_rate.value)
    if recipe.clip or recipe.is_scheduled():
        return None
    found = _settings(recipe)
    if found is None:
        return None
    name, settings = found
    common = {"lr": rate, "weight_decay": float(recipe.value("weight_decay").value)}
    if recipe.option("maximize") == "true":
        common["maximize"] = True
    return lambda leaves: getattr(torch.optim, name)(leaves, **common, **settings)


def _settings(recipe: Recipe) -> tuple[str, dict[str, Any]] | None:
    """The class of torch.optim and its arguments; None where torch does it in another way."""
    options = {choice.key: recipe.option(choice.key) for choice in recipe.row.all_choices()}
    numbers = {hyper.key: float(recipe.value(hyper.key).value) for hyper in recipe.row.all_hypers()}
    if options.get("epsilon_place", "outside") != "outside" or options.get("bias_correction", "true") != "true":
        return None
    if (options["decay"] == "decoupled") != (recipe.row.name == "adamw") and numbers["weight_decay"]:
        return None
    betas = {"betas": (numbers["beta1"], numbers["beta2"]), "eps": numbers["epsilon"]} if "beta1" in numbers else {}
    own: dict[str, tuple[str, dict[str, Any], bool]] = {
        "sgd": ("SGD", {}, True),
        "momentum": (
            "SGD", {"momentum": numbers.get("momentum"), "dampening": numbers.get("dampening")},
            options.get("form") == "pytorch",
        ),
        "nesterov": (
            "SGD", {"momentum": numbers.get("momentum"), "nesterov": True},
            options.get("form") == "pytorch" and bool(numbers.get("momentum")),
        ),
        "adagrad": (
            "Adagrad", {"eps": numbers.get("epsilon"), "initial_accumulator_value": numbers.get("start")}, True,
        ),
        "rmsprop": (
            "RMSprop",
            {"alpha": numbers.get("rho"), "eps": numbers.get("epsilon"), "momentum": numbers.get("momentum"),
             "centered": options.get("centered") == "true"},
            options.get("rate_place") == "outside" and not numbers.get("start"),
        ),
        "adadelta": ("Adadelta", {"rho": numbers.get("rho"), "eps": numbers.get("epsilon")}, True),
        "adam": ("Adam", betas, True),
        "adamw": ("AdamW", betas, True),
        "amsgrad": ("Adam", {**betas, "amsgrad": True}, options.get("maximum_of") == "v"),
        "nadam": (
            "NAdam", {**betas, "momentum_decay": numbers.get("psi")}, options.get("momentum_schedule") == "rising",
        ),
    }  # fmt: skip
    name, settings, same = own[recipe.row.name]
    return (name, settings) if same else None
