"""What an update computes for each parameter and for all of them together: names, definitions, first numbers.

m_w5 is the state m of w5 before an update and m_w5_new after it; what an update needs only for itself, such as
m_hat_w5, is carried along the same way, so that m_hat_w5@3 is the one of update 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from derive.derivation.graph import SERIES_FROM
from derive.formula.expression import TWO, Expr, Name, Number, Power, Series, add, names_in, replace_names
from derive.problem.rule import GRADIENT, NEW, PARAMETER, RATE, TOTAL, Assignment, UpdateRule


class Updates:
    """A rule at work on the parameters of a graph.

    slope       the name of the gradient of a parameter
    is_updated  whether the rule changes the parameter of that name
    is_node     whether the graph has a node of that name; then the rule's own name gets the optimizer behind it
    parameters  every parameter that changes, asked for only where a definition needs them all
    """

    def __init__(
        self,
        rule: UpdateRule,
        slope: Callable[[str], str],
        is_updated: Callable[[str], bool],
        is_node: Callable[[str], bool],
        parameters: Callable[[], tuple[str, ...]],
    ) -> None:
        self.rule = rule
        self._slope = slope
        self._is_updated = is_updated
        self._is_node = is_node
        self._parameters = parameters
        self._suffix = f"_{rule.recipe.row.name}"
        fixed = (*rule.shared, *rule.numbers, *rule.counters)
        self._alone = {self._free(name): name for name in fixed}
        self._split: dict[str, tuple[str, str] | None] = {}

    def _free(self, name: str) -> str:
        return f"{name}{self._suffix}" if name != RATE and self._is_node(name) else name

    # --- names -----------------------------------------------------------------------------------------------------

    def knows(self, name: str) -> bool:
        """Whether a name, without `_new`, is one of the rule's."""
        return name in self._alone or self._taken_apart(name) is not None

    def carries(self, name: str) -> bool:
        """Whether an update gives the name a new value."""
        alone = self._alone.get(name)
        return alone in self.rule.shared if alone else self._taken_apart(name) is not None

    def _taken_apart(self, name: str) -> tuple[str, str] | None:
        """("m", "w5") for m_w5."""
        if not self.rule.own:
            return None
        if name not in self._split:
            self._split[name] = self._found(name)
        return self._split[name]

    def _found(self, name: str) -> tuple[str, str] | None:
        if self._is_node(name):
            return None
        plain = name.removesuffix(self._suffix)
        for whole in dict.fromkeys((name, plain)):
            for target in self.rule.own:
                parameter = whole.removeprefix(f"{target}_")
                if parameter != whole and self._is_updated(parameter) and self._own(target, parameter) == name:
                    return target, parameter
        return None

    def _own(self, target: str, parameter: str) -> str:
        return self._free(f"{target}_{parameter}")

    def computed(self, parameters: Iterable[str]) -> Iterator[str]:
        """What an update computes, in order: for all parameters together, then for each of these, itself last."""
        yield from map(self._free, self.rule.shared)
        for parameter in parameters:
            for each in self.rule.assignments:
                if not each.shared:
                    yield parameter if each.target == PARAMETER else self._own(each.target, parameter)

    def remembered(self, parameters: Iterable[str]) -> Iterator[str]:
        """What the next update starts from, besides the parameters: the states."""
        parameters = tuple(parameters)
        for state in self.rule.starts:
            if state in self.rule.shared:
                yield self._free(state)
            else:
                yield from (self._own(state, parameter) for parameter in parameters)

    def of_all(self) -> Iterator[str]:
        """What an update computes once for all parameters."""
        yield from map(self._free, self.rule.shared)

    def of_each(self, state: str, parameters: Iterable[str]) -> Iterator[str]:
        """A state of each of these parameters; nothing for a state that all share."""
        if state not in self.rule.shared:
            yield from (self._own(state, parameter) for parameter in parameters)

    def constants(self) -> Iterator[str]:
        """The hyper-parameters and counters."""
        yield from (name for name, plain in self._alone.items() if plain not in self.rule.shared)

    # --- numbers and definitions -----------------------------------------------------------------------------------

    def number(self, name: str, step: int) -> Number | None:
        """What is known without an evaluation, after so many updates: hyper-parameters, counters, first states."""
        alone = self._alone.get(name)
        if alone in self.rule.counters:
            return self.rule.count(alone, step)
        if alone is not None and alone in self.rule.numbers:
            return self.rule.numbers[alone]
        apart = None if alone else self._taken_apart(name)
        return self.rule.starts.get(alone or (apart[0] if apart else ""))

    def definition(self, name: str) -> Expr | None:
        """The definition of …_new by the name without it; None for a name that an update does not compute."""
        if name in self._alone:
            return self._of(self._alone[name], "")
        if apart := self._taken_apart(name):
            return self._of(*apart)
        return self._of(PARAMETER, name) if self._is_updated(name) else None

    def _of(self, target: str, parameter: str) -> Expr | None:
        assignment = next((each for each in self.rule.assignments if each.target == target), None)
        return None if assignment is None else self._named(assignment, parameter)

    def _named(self, assignment: Assignment, parameter: str) -> Expr:
        names = set(names_in(assignment.definition))
        return replace_names(assignment.definition, {name: self._meant(name, parameter) for name in names})

    def _meant(self, name: str, parameter: str) -> Expr:
        if name == TOTAL:
            return self._squares()
        if name == PARAMETER:
            return Name(parameter)
        if name == GRADIENT:
            return Name(self._slope(parameter))
        base, new = (name.removesuffix(NEW), NEW) if name.endswith(NEW) else (name, "")
        if base in self.rule.own:
            return Name(self._own(base, parameter) + new)
        return Name(self._free(base) + new)

    def _squares(self) -> Expr:
        """The sum of the squares of all gradients, in Σ form where it is long."""
        slopes = [self._slope(name) for name in self._parameters()]
        return sum_of_squares(slopes)


def sum_of_squares(slopes: list[str]) -> Expr:
    if len(slopes) < SERIES_FROM:
        return add(*(Power(Name(slope), TWO) for slope in slopes))
    return Series("i", len(slopes), Power(Name("g[i]"), TWO), lambda i: Power(Name(slopes[i - 1]), TWO))
