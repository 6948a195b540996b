"""The documents of a timetable file: nodes → the structs of the protocol, or the faults of their types.

The database finds the other faults of a document (api.put_service): it knows the places, layouts and tickets.
"""

import difflib
from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from busware.server.protocol import PlaceName
from busware.server.protocol.services import TimeZone
from busware.server.timetables.files import Fault, Node

PlaceCode = Annotated[
    str, Meta(pattern="^[A-Z0-9-]{2,16}$", description="2 to 16 characters of A-Z, 0-9 and -, such as CKPT")
]


class PlaceData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A place as a document. An edit keeps the fields that it does not name."""

    code: PlaceCode
    name: PlaceName
    aliases: list[PlaceName] | UnsetType = UNSET
    part_of: PlaceCode | UnsetType | None = UNSET
    time_zone: TimeZone | UnsetType = UNSET


_MAX_ECHOED = 40  # characters of a wrong text that a message repeats
_DESCRIPTIONS = {int: "a whole number", bool: "true or false", str: "a text"}  # of types without their own


class Timetable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of a file. Its documents are checked one by one."""

    places: list[Any] = []
    services: list[Any] = []


def faults_of(node: Node, kind: Any, name: str) -> Iterator[Fault]:
    """The faults of a value that must have a type. name: of the value.

    A list or a mapping has no fault of its own if it contains one.
    """
    try:
        msgspec.convert(node.plain(), kind, strict=False)
    except msgspec.ValidationError:
        inner = list(_inner_faults(node, kind, name))
        given = (
            f', not "{node.value}"' if isinstance(node.value, str) and len(node.value) <= _MAX_ECHOED else ""
        )
        yield from inner or [Fault(node.line, f"{name} takes {_takes(kind)}{given}.")]


def _inner_faults(node: Node, kind: Any, name: str) -> Iterator[Fault]:
    for part in _alternatives(kind):
        if isinstance(node.value, list) and get_origin(part) is list:
            (kind_of_items,) = get_args(part)
            for item in node.value:
                yield from faults_of(item, kind_of_items, name)
        elif isinstance(node.value, dict) and _is_struct(part):
            yield from _faults_of_fields(node, node.value, part)


def _faults_of_fields(node: Node, given: dict[str, Node], struct: type[Struct]) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for name, value in given.items():
        if name in fields:
            yield from faults_of(value, fields[name].type, name)
        else:
            yield Fault(value.line, unknown_name(name, fields))
    for name, field in fields.items():
        if field.required and name not in given:
            yield Fault(node.line, f"{name} is missing: {_takes(field.type)}.")


def unknown_name(name: str, known: Iterable[str]) -> str:
    """The message for an unknown name: those that are known, the similar ones first."""
    names = list(known)
    similar = difflib.get_close_matches(name.lower(), names, len(names))
    others = [other for other in names if other not in similar]
    guess = f" Did you mean {similar[0]}?" if similar else ""
    return f'There is no field "{name}".{guess} Fields: {", ".join(similar + others)}.'


def fields_of(kind: Any) -> tuple[str, ...]:
    """The names of the fields of a struct, or of the structs in a list."""
    for part in _alternatives(kind):
        if _is_struct(part):
            return tuple(part.__struct_encode_fields__)
        if get_origin(part) is list:
            return fields_of(*get_args(part))
    return ()


def is_structured(kind: Any) -> bool:
    """Whether the values of a type are lists or mappings."""
    return any(_is_struct(part) or get_origin(part) in (list, dict) for part in _alternatives(kind))


def _takes(kind: Any) -> str:
    """What a type takes: its description, or one that is made from its parts."""
    for meta in getattr(kind, "__metadata__", ()):
        if meta.description:
            return str(meta.description)
    parts = get_args(kind)
    if get_origin(kind) in (Union, UnionType, Annotated):
        without = (NoneType, UnsetType)
        return " or ".join(
            _takes(part) for part in parts if part not in without and not isinstance(part, Meta)
        )
    if get_origin(kind) is Literal:
        return " or ".join(parts)
    if get_origin(kind) is list:
        return f"a list; each of its values is {_takes(parts[0])}"
    if names := fields_of(kind):
        return f"a mapping with the fields {', '.join(names)}"
    return _DESCRIPTIONS.get(kind, "a value")


def _alternatives(kind: Any) -> list[Any]:
    """The types that a value may have, without annotations."""
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [part for option in get_args(kind) for part in _alternatives(option)]
    return [kind]


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)
