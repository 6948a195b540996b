"""Fields of forms that edit a record: its values as texts, and back.

A field whose text was not changed is not sent, so an edit does not undo changes that others have made to
other fields.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from busware.server.pages.forms import Fields

Kind = Literal[
    "text",
    "nullable",
    "number",
    "nullable number",
    "date",
    "flag",
    "dates",
    "numbers",
    "names",
    "tiers",
    "classes",
]


class FormField(NamedTuple):
    """A field of a form. kind: how its text becomes a value. rows: of a text with several lines."""

    name: str
    kind: Kind
    label: str
    hint: str = ""
    rows: int = 0


def texts_of(fields: Iterable[FormField], record: Mapping[str, Any]) -> dict[str, Any]:
    """The texts of fields. record: plain values by name."""
    return {field.name: _text(record.get(field.name), field.kind) for field in fields}


def typed(fields: Iterable[FormField], form: Fields) -> dict[str, Any]:
    """The texts that a form has."""
    return {field.name: form.get(field.name, [""])[0] for field in fields}


def changed(
    fields: Iterable[FormField], before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of the fields whose texts differ.

    A text that cannot become a value stays a text: the server says what the field takes.
    """
    return {
        field.name: _value(after[field.name], field.kind)
        for field in fields
        if after[field.name] != before.get(field.name)
    }


def encode(texts: Mapping[str, Any]) -> str:
    """The texts as a hidden field: the form is compared with them when it is sent."""
    return msgspec.json.encode(texts).decode()


def decode(text: str) -> dict[str, Any]:
    """The texts of the hidden field; empty if it has none."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _text(value: Any, kind: Kind) -> str:
    if value is None:
        return ""
    if kind == "flag":
        return "on" if value else ""
    if kind == "tiers":
        return ", ".join(f"{tier['hours']}h: {tier['percent']}" for tier in value)
    if kind == "classes":
        return "; ".join(f"{one['name']}: {', '.join(map(str, one['seats']))}" for one in value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _value(text: str, kind: Kind) -> Any:
    return None if not text and kind in _NULLABLE else _READERS[kind](text)


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text) if part]


def _number(text: str) -> int | str:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text


def _numbers(text: str) -> list[int | str]:
    return [_number(part) for part in _parts(text)]


def _tiers(text: str) -> Any:
    tiers = []
    for part in filter(None, re.split(r"[,;]\s*", text)):
        found = re.fullmatch(r"([0-9]{1,5})\s*h?\s*:\s*(\S{1,6}?)\s*%?", part)
        if not found:
            return text
        tiers.append({"hours": int(found[1]), "percent": found[2]})
    return tiers


def _classes(text: str) -> Any:
    classes = []
    for part in filter(None, re.split(r";\s*", text)):
        name, colon, seats = part.partition(":")
        if not colon:
            return text
        classes.append({"name": name.strip(), "seats": _numbers(seats)})
    return classes


_NULLABLE: tuple[Kind, ...] = ("nullable", "nullable number", "date")
_READERS: dict[Kind, Callable[[str], Any]] = {
    "text": str,
    "nullable": str,
    "date": str,
    "number": _number,
    "nullable number": _number,
    "flag": lambda text: text == "on",
    "dates": _parts,
    "numbers": _numbers,
    "names": lambda text: [part for part in map(str.strip, text.split(",")) if part],
    "tiers": _tiers,
    "classes": _classes,
}
