"""The symbols of whole matrices: W, Y with the index of its layer, ∂E/∂W, the transpose."""

from __future__ import annotations

from derive.formula.languages import named
from derive.pages.writers import Writer
from derive.problem.model import Layer


class Symbols:
    """The names of whole matrices in one style; `several` layers are numbered."""

    def __init__(self, writer: Writer, several: bool) -> None:
        self._latex = writer.style == "latex"
        self._style = writer.style
        self._several = several
        self._writer = writer

    def letter(self, letter: str, layer: int = 0, below: str = "") -> str:
        """W, W_1, Y_{1,pre}: `layer` 0 for a matrix that there is only one of."""
        index = [str(layer)] if layer and self._several else []
        if self._latex:
            inside = ",".join([*index, *([rf"\mathrm{{{below}}}"] if below else [])])
            return letter + (f"_{{{inside}}}" if inside else "")
        return letter + "".join(index) + (f"_{below}" if below else "")

    def feeds(self, layer: int) -> str:
        return "X" if layer == 1 else self.letter("Y", layer - 1)

    def pre(self, layer: int) -> str:
        return self.letter("Y", layer, "pre")

    def delta(self, layer: int) -> str:
        return self.letter({"latex": r"\delta", "unicode": "δ", "ascii": "delta"}[self._style], layer)

    def neuron(self, letter: str, name: str, below: str = "") -> str:
        """A column of one neuron: W_{h1}, Y_{h1,pre}."""
        if self._latex:
            shown = rf"\text{{neuron {name}}}" if name.isdecimal() else self._writer.name(name)
            inside = ",".join([shown, *([rf"\mathrm{{{below}}}"] if below else [])])
            return f"{letter}_{{{inside}}}"
        shown = f"neuron{name}" if name.isdecimal() else self._writer.name(name)
        return f"{letter}_{shown}" + (f"_{below}" if below else "")

    def losses(self) -> str:
        """The column of the losses of the samples."""
        return named(r"E_{\mathrm{samples}}" if self._latex else "E_samples", self._writer.language)

    def slope(self, below: str, above: str = "E") -> str:
        """∂E/∂W"""
        if self._latex:
            return rf"\frac{{\partial {above}}}{{\partial {below}}}"
        d = "∂" if self._style == "unicode" else "d"
        return f"{d}{above}/{d}{below}"

    def transposed(self, symbol: str) -> str:
        if self._latex:
            return f"{symbol}^{{\\top}}"
        return symbol + ("ᵀ" if self._style == "unicode" else "^T")

    def renewed(self, symbol: str) -> str:
        """W after one update."""
        return symbol + {"latex": "^{+}", "unicode": "⁺", "ascii": "_new"}[self._style]

    def function(self, layer: Layer, inside: str, prime: bool = False) -> str:
        """f(inside), f′(inside)"""
        row = layer.activation
        name = {"latex": row.latex, "unicode": row.text}.get(self._style, row.function)
        dash = ("'" if self._style != "unicode" else "′") if prime else ""
        return f"{name}{dash}({inside})"
