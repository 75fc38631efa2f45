"""The mistakes, a row each: how common one is; its sentence stands in templates/prose under the same id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """likelihood from 1 (rare) to 9 (everybody's first); `group` is what it happens at, for lists of mistakes."""

    likelihood: int
    group: str


_FORWARD: Mapping[str, int] = {
    "bias-left-out": 8, "bias-used-twice": 3, "bias-subtracted": 4, "bias-times-input": 4, "bias-multiplied": 2,
    "wrong-bias": 3, "weights-left-out": 3, "inputs-left-out": 2, "inputs-exchanged": 5, "net-for-output": 6,
    "weights-of-another-neuron": 5, "wrong-sample": 4, "start-weights-used": 5, "weights-of-epoch-start": 6,
    "weights-before-last-update": 4, "inputs-for-outputs": 3,
}  # fmt: skip
_ACTIVATION: Mapping[str, int] = {
    "activation-left-out": 7, "activation-twice": 4, "another-activation": 5, "exponent-sign-lost": 7,
    "argument-sign-turned": 2, "other-form-of-activation": 6, "one-left-out": 4, "minus-for-plus": 4,
    "times-for-exponent": 2, "euler-rounded": 2, "half-of-the-argument": 4, "twice-the-argument": 2,
    "tangent-for-tanh": 3, "degrees-for-radians": 3, "default-of-parameter": 3, "absolute-value": 2,
    "smallest-for-largest": 4, "exponential-to-base-10": 2, "exponential-to-base-2": 1, "exponential-left-out": 3,
    "wrong-branch": 4, "edge-of-condition": 3,
}  # fmt: skip
_SLOPE: Mapping[str, int] = {
    "output-for-slope": 6, "slope-of-net-for-output": 7, "slope-at-output": 6, "slope-of-another-activation": 5,
    "slope-without-a-factor": 5, "slope-of-exponential": 2, "slope-with-net-and-output": 4, "slope-squared": 2,
    "net-for-slope": 3, "slope-of-another-neuron": 5, "derivative-squared": 3, "slope-of-error": 2,
    "slope-of-another-layer": 5,
}  # fmt: skip
_SOFTMAX: Mapping[str, int] = {
    "softmax-without-exp": 7, "softmax-not-divided": 5, "softmax-own-term-left-out": 4, "softmax-term-left-out": 4,
    "softmax-by-the-largest": 3, "sigmoid-for-softmax": 5, "exponential-squared": 1, "exponential-of-the-sum": 3,
    "softmax-over-samples": 3, "jacobian-diagonal-only": 7, "jacobian-like-diagonal": 4,
    "jacobian-like-off-diagonal": 3,
}  # fmt: skip
_LOSS: Mapping[str, int] = {
    "square-left-out": 6, "absolute-for-square": 4, "difference-of-squares": 4, "plus-for-minus": 3, "two-for-half": 3,
    "fraction-bar-lost": 2, "half-squared": 4, "root-taken": 4, "target-left-out": 4,
    "logarithm-to-base-10": 7, "logarithm-to-base-2": 5, "logarithm-of-the-rest": 4, "logarithm-left-out": 3,
    "target-and-output-exchanged": 5, "output-in-front": 3, "squared-error-for-cross-entropy": 4,
    "binary-for-categorical": 4, "second-term-left-out": 6, "first-term-left-out": 4, "terms-exchanged": 4,
    "mean-squared-twice": 2, "mean-over-wrong-count": 4, "wrong-target": 5, "target-minus-output": 8,
    "two-too-many": 4, "half-too-many": 4, "loss-for-slope": 3, "cancelled-form": 4, "one-part-only": 5,
    "part-left-out": 4, "penalty-left-out": 6, "penalty-without-strength": 8, "penalty-on-biases": 5,
    "half-left-out": 6, "loss-without-half": 7, "loss-with-half": 6, "mean-over-outputs": 6,
    "sum-over-outputs": 6, "half-mean-over-outputs": 4, "sum-over-samples": 8, "mean-over-samples": 6,
    "delta-target-minus-output": 6, "output-left-out": 2, "errors-of-all-outputs": 4, "error-without-sign": 2,
    "square-of-the-sum": 4, "another-loss": 4, "difference-for-sign": 3, "penalty-not-differentiated": 4,
    "sign-for-weight": 4,
    "loss-for-delta": 3,
}  # fmt: skip
_CHAIN: Mapping[str, int] = {
    "factor-left-out": 8, "factor-used-twice": 2, "two-factors-left-out": 3, "division-for-product": 2,
    "sum-for-product": 2, "sign-lost": 6, "sign-turned": 4, "wrong-weight": 5, "wrong-delta": 4, "wrong-factor": 4,
    "wrong-input": 6, "weight-for-input": 5, "output-for-weight": 4, "transposed-weights": 6,
    "gradient-of-another-weight": 4, "one-path-only": 8, "path-left-out": 5, "paths-averaged": 4,
    "one-sample-only": 6, "sample-left-out": 4, "samples-averaged": 5, "shared-parameter-one-use": 7,
    "shared-parameter-use-left-out": 5, "shared-parameter-averaged": 6, "product-for-sum": 3, "product-of-sums": 4,
    "paths-crossed": 4, "slope-not-cancelled": 6, "output-for-error": 4, "bias-for-its-slope": 5,
    "bias-slope-zero": 3, "updated-weight-used-early": 9, "weights-numbered-by-source": 5, "upstream-left-out": 4,
    "updated-one-after-the-other": 5, "updated-after-each-sample": 6,
}  # fmt: skip
_FORMULA: Mapping[str, int] = {
    "term-left-out": 5, "sum-averaged": 2, "brackets-left-out": 5, "divisor-left-out": 4, "fraction-turned-round": 3,
    "product-for-division": 2, "power-left-out": 4, "times-for-power": 4, "difference-turned-round": 5,
    "root-left-out": 5, "absolute-value-left-out": 4, "cosine-for-sine": 3, "own-value-for-slope": 5,
    "value-for-slope": 3,
}  # fmt: skip
_CALCULUS: Mapping[str, int] = {
    "inner-derivative-left-out": 9, "power-factor-left-out": 9, "exponent-not-reduced": 6, "product-rule-as-product": 6,
    "product-rule-one-term": 6, "product-rule-minus": 5, "quotient-rule-order": 6, "quotient-rule-square-left-out": 4,
    "quotient-rule-as-quotient": 8, "quotient-rule-plus": 4, "constant-kept": 4, "sign-of-cosine": 5,
    "slope-of-logarithm": 5, "slope-of-root": 4, "gradient-to-both": 4, "gradient-to-the-other": 5,
    "slope-of-sigmoid": 9, "slope-of-tanh": 8, "antiderivative": 4, "reduced-exponent-in-front": 3,
    "slope-at-inner-derivative": 4,
}  # fmt: skip
_UPDATE: Mapping[str, int] = {
    "ascent-for-descent": 8, "rate-left-out": 8, "rate-used-twice": 5, "rate-divides": 2, "old-weight-left-out": 6,
    "not-updated": 9, "step-times-old-weight": 3, "gradient-for-update": 4, "gradient-left-out": 2,
    "gradient-of-another-update": 5, "before-the-update": 5, "one-update-too-few": 6, "one-update-too-many": 5,
    "gradient-not-computed-again": 6, "layer-not-updated": 5, "biases-not-updated": 5,
    "brackets-put": 3, "rate-at-the-weight": 2, "frozen-parameter-updated": 8, "tenfold-step": 2,
    "tenth-of-step": 2,
}  # fmt: skip
_OPTIMIZER: Mapping[str, int] = {
    "one-minus-beta-left-out": 6, "epsilon-left-out": 4, "bias-correction-left-out": 8, "power-of-beta-left-out": 5,
    "shares-exchanged": 6, "betas-exchanged": 5, "old-state-used": 5, "epsilon-place": 5, "momentum-convention": 7,
    "decay-convention": 6, "centred-convention": 4, "maximum-convention": 4,
    "shares-left-out": 4, "same-share": 3, "mean-for-sum": 4, "gradient-for-average": 5, "power-of-another-step": 4,
    "bias-correction-made": 5, "one-minus-momentum-used": 5, "step-of-another-rule": 6,
}  # fmt: skip
_PERCEPTRON: Mapping[str, int] = {
    "threshold-at-zero": 7, "threshold-turned-round": 3, "threshold-elsewhere": 4, "labels-convention": 4,
    "error-turned-round": 7, "absolute-error": 5, "input-left-out": 5, "updated-on-right-answer": 5, "input-added": 3,
    "input-subtracted": 3, "bias-not-updated": 7, "rule-convention": 7,
}  # fmt: skip

GROUPS: Mapping[str, Mapping[str, int]] = {
    "weighted sum": _FORWARD, "activation": _ACTIVATION, "slope of an activation": _SLOPE, "softmax": _SOFTMAX,
    "loss": _LOSS, "chain rule": _CHAIN, "formula": _FORMULA, "calculus": _CALCULUS, "update": _UPDATE,
    "optimizer": _OPTIMIZER, "perceptron": _PERCEPTRON,
}  # fmt: skip

ROWS: Mapping[str, Row] = {
    mistake: Row(likelihood, group) for group, rows in GROUPS.items() for mistake, likelihood in rows.items()
}

HABITS = frozenset((
    "euler-rounded", "exponential-to-base-10", "exponential-to-base-2", "times-for-exponent", "tangent-for-tanh",
    "degrees-for-radians", "half-of-the-argument", "twice-the-argument", "default-of-parameter",
    "betas-exchanged", "epsilon-left-out", "labels-convention", "threshold-turned-round", "error-without-sign",
))  # fmt: skip
"""What somebody does everywhere or nowhere: made at one place alone only where there is one place."""

CONVENTIONS = frozenset(("edge-of-condition", "other-form-of-activation", "threshold-at-zero", "labels-convention"))
"""What is right wherever a page says so; most other conventions are slips as well, in one place alone."""
