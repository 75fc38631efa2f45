"""What the quantities of a problem are called in answers, in canonical spelling."""

from __future__ import annotations

from derive.check.model import Formula
from derive.derivation.names import UnknownQuantity, resolve
from derive.errors import DeriveError
from derive.worked import WorkedExample

MOST_REMEMBERED = 10_000
LONGEST_NAME = 200


class Quantities:
    """Reads names leniently; each spelling is looked up once."""

    def __init__(self, example: WorkedExample) -> None:
        self._example = example
        self._known: dict[str, str | None] = {}

    def find(self, name: str) -> str | None:
        """The canonical name ("dE/dw5" for "dE_dw5", "w5_new" for "w5+"); None for what is no quantity."""
        if name in self._known:
            return self._known[name]
        found = self._found(name) if len(name) <= LONGEST_NAME else None
        if len(self._known) < MOST_REMEMBERED:
            self._known[name] = found
        return found

    def formula(self, text: str) -> Formula:
        """The expression that a text is, in canonical names; raises DeriveError for what is none."""
        from derive.check.formula_text import read_formula

        return read_formula(text, self._example)

    def asked(self, name: str, where: str) -> str:
        """The canonical name of what a teacher asks for; raises DeriveError with the nearest name."""
        if len(name) <= LONGEST_NAME and (found := self.find(name)):
            return found
        try:
            self._example.find(name[:LONGEST_NAME])
        except DeriveError as error:
            raise DeriveError(f"{where}: {error}") from None
        raise DeriveError(f"{where}: a name of {len(name)} characters is no quantity of this problem")

    def _found(self, name: str) -> str | None:
        if not name.strip() or not name.isprintable():
            return None
        try:
            reference = resolve(name, self._example.derivation, suggest=False)
        except UnknownQuantity:
            return None
        if reference.step == 1 and "/" not in reference.name:
            return f"{reference.name}_new"
        return str(reference)
