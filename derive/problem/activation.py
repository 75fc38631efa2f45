"""The activation of a layer: a name of the catalogue, a table with its parameters, or an expression in z."""

from __future__ import annotations

import re

from derive.catalogue.activations import ACTIVATIONS, Activation, activation_named, custom
from derive.formula.expression import Number, names_in
from derive.formula.grammar import Unreadable, read
from derive.problem.keys import ACTIVATION_NAME, FORMULA_IN_Z
from derive.problem.shape import Report, Table, in_words, join, quote, shown, suggestion

MOST_PIECES = 12


def read_activation(value: object, place: str, report: Report) -> Activation | None:
    """An activation from a name, a formula in z, or a table that passed the shape of the key."""
    if isinstance(value, Table):
        return _activation_from_table(value, place, report)
    text = str(value)
    if row := activation_named(text):
        return row
    if _looks_like_formula(text):
        return custom(text) if _readable(text, {"z"}, place, report) else None
    ACTIVATION_NAME.read(text, place, report)
    return None


def _looks_like_formula(text: str) -> bool:
    has_z = re.search(r"(?<!\w)z(?!\w)", text) is not None
    return text == "z" or (has_z and re.search(r"[-+*/^(){}\\²³]", text) is not None)


def _readable(text: str, names: set[str], place: str, report: Report) -> bool:
    try:
        tree = read(text, names=names)
    except Unreadable as error:
        report.add(place, f"{quote(text)}, column {error.column}: {error.found}", error.accepted)
        return False
    if names == {"z"} and "z" not in names_in(tree):
        report.add(place, f"{quote(text)}, in which there is no z", FORMULA_IN_Z)
        return False
    return True


def _activation_from_table(table: Table, place: str, report: Report) -> Activation | None:
    if table.wrong:
        return None
    if "expression" in table:
        return _typed_activation(table, place, report)
    if "name" not in table:
        report.add(place, "neither name nor expression", f'{{name = "leaky-relu", alpha = 0.1}} or {FORMULA_IN_Z}')
        return None
    row_name = table.get("name")
    if not isinstance(row_name, str):
        report.add(join(place, "name"), "a number", in_words(ACTIVATIONS))
        return None
    row = activation_named(row_name)
    if row is None:
        ACTIVATION_NAME.read(row_name, join(place, "name"), report)
        return None
    parameters = [key for key, _ in row.parameters]
    right = True
    for key, value in table.values.items():
        if key == "name":
            continue
        if key not in parameters:
            known = f"the parameters {', '.join(parameters)}" if parameters else f"no parameters for {row_name}"
            report.add(join(place, key), f"unknown parameter{suggestion(key, parameters)}", known)
            right = False
        elif not isinstance(value, Number):
            report.add(join(place, key), shown(value), "a number")
            right = False
        elif key == "pieces" and not (value.value.denominator == 1 and 2 <= value.value <= MOST_PIECES):
            report.add(join(place, key), f"the number {value.written}", f"a whole number from 2 to {MOST_PIECES}")
            right = False
    return row.with_parameters({key: value for key, value in table.values.items() if key != "name"}) if right else None


def _typed_activation(table: Table, place: str, report: Report) -> Activation | None:
    right = True
    for key, value in table.values.items():
        where = join(place, key)
        if key not in {"expression", "derivative"}:
            report.add(where, f"unknown key{suggestion(key, ('derivative',))}", "the keys expression, derivative")
            right = False
        elif not isinstance(value, str):
            report.add(where, "a number", FORMULA_IN_Z)
            right = False
        else:
            right &= _readable(value, {"z"} if key == "expression" else {"z", "a"}, where, report)
    return custom(table.get("expression"), table.get("derivative", "")) if right else None
