"""Who owns which name: every quantity of a problem has a name of its own, and a shared parameter one value."""

from __future__ import annotations

from dataclasses import dataclass, field

from derive.formula.expression import Number
from derive.problem.keys import VARY_GROUPS
from derive.problem.shape import Report, quote

COMPUTED_NAMES = f"a name other than E, eta, {', '.join(VARY_GROUPS)}, E_…, net_…, out_…, delta_… and …_new"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a name is; `made` when the file did not write it and it was numbered."""

    what: str
    place: str
    made: bool
    value: Number | None = None
    value_place: str = ""


@dataclass(slots=True)
class Names:
    """The names of the given quantities, each with its owner, and their numbers."""

    report: Report
    owners: dict[str, Owner] = field(default_factory=dict)
    given: dict[str, Number] = field(default_factory=dict)

    def claim(self, name: str, owner: Owner) -> None:
        """Take a name; only a parameter may take one again, and then with the same number."""
        prior = self.owners.get(name)
        if not owner.made and prior is None and is_computed(name):
            self.report.add(owner.place, f"the name {quote(name)}, which is kept for something else", COMPUTED_NAMES)
        if prior is None:
            self.owners[name] = owner
        elif prior.what == owner.what and owner.what in {"weight", "bias"} and not prior.made and not owner.made:
            self._share(name, prior, owner)
        else:
            self._clash(name, prior, owner)
        if owner.value is not None:
            self.given.setdefault(name, owner.value)

    def _share(self, name: str, prior: Owner, owner: Owner) -> None:
        if prior.value is None:
            self.owners[name] = owner
        elif owner.value is not None and owner.value != prior.value:
            found = f"{name} = {owner.value.written}, but {prior.value_place} gives {name} = {prior.value.written}"
            self.report.add(owner.value_place, found, "the same number wherever a parameter is shared")

    def _clash(self, name: str, prior: Owner, owner: Owner) -> None:
        if owner.made and not prior.made:
            prior, owner = owner, prior
        numbered = " (numbered, as it has no name of its own)" if prior.made else ""
        found = f"the name {quote(name)}, which is also that of the {prior.what} at {prior.place}{numbered}"
        self.report.add(owner.place, found, "a different name for each quantity")


def is_computed(name: str) -> bool:
    """Whether a name is kept for what is computed, or for a group of [vary]."""
    return (
        name in {"E", "eta", *VARY_GROUPS} or name.startswith(("E_", "net_", "out_", "delta_")) or name.endswith("_new")
    )
