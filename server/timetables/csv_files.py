"""Timetables in CSV: a row for each stop. The columns have the names of the fields of services and of stops.

The values of the service are repeated in the rows of its stops, or only in the first. An empty cell gives no
value. A list or a mapping is a cell in YAML's short form, such as [2026-12-25, 2026-12-26].
"""

import csv
import io
import json
from collections.abc import Iterator
from itertools import compress
from typing import Any

from msgspec import inspect

from busware.server.protocol.services import ServiceData, Stop
from busware.server.timetables import yaml_files
from busware.server.timetables.files import AddFault, Node, Unreadable, unknown_name

_FIELDS = {field.encode_name: field.type for field in inspect.type_info(ServiceData).fields}  # type: ignore[attr-defined]


def _fields_of(*kinds: type[inspect.Type]) -> set[str]:
    """The fields of a service whose values may have one of these types."""
    options = {name: getattr(kind, "types", (kind,)) for name, kind in _FIELDS.items()}
    return {
        name
        for name, types in options.items()
        # A type with a description is an object with the attribute `type`.
        if any(isinstance(getattr(kind, "type", kind), kinds) for kind in types)
    }


_SERVICE_COLUMNS = ["bus_id", *(name for name in _FIELDS if name not in ("bus_id", "stops"))]
_STOP_COLUMNS = list(Stop.__struct_encode_fields__)
_STRUCTURED = _fields_of(inspect.ListType, inspect.DictType, inspect.StructType)
_FLAGS = _fields_of(inspect.BoolType)
COLUMNS = _SERVICE_COLUMNS + _STOP_COLUMNS


def read(text: str, add_fault: AddFault) -> Node:
    """The value of a text. Raises Unreadable if it cannot be read further."""
    rows = _rows(text)
    columns = [name.strip() for name in next(rows, (1, []))[1]]
    problems = list(_problems_of(columns))
    for problem in problems:
        add_fault(1, problem)
    services: dict[str, Node] = {}
    bus_id = ""  # of the row above
    for line, cells in [] if problems else rows:
        if len(cells) != len(columns):
            add_fault(line, f"The row has {len(cells)} cells, and the header has {len(columns)}.")
            continue
        given = ((name, cell.strip()) for name, cell in zip(columns, cells, strict=True))
        row = {name: _node(name, cell, line, add_fault) for name, cell in given if cell}
        above, bus_id = bus_id, str(row["bus_id"].value) if "bus_id" in row else bus_id
        if not bus_id:
            add_fault(line, "bus_id is missing. The first row of a service has it.")
            continue
        if bus_id != above and bus_id in services:
            add_fault(
                line, f"Service {bus_id} has rows from line {services[bus_id].line} on. Write them together."
            )
        _add_row(services.setdefault(bus_id, Node({}, line)), row, line, add_fault)
    return Node({"services": Node(list(services.values()), 1)}, 1)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(line, f"The row that begins here is not CSV: {error}.") from None


def _problems_of(columns: list[str]) -> Iterator[str]:
    """What is wrong with the header."""
    if len(columns) == 1 and (separator := next(filter(columns[0].count, ";\t"), "")):
        yield f"The columns are separated by {separator!r}. Separate them by commas."
        return
    for name in dict.fromkeys(columns):
        if name not in COLUMNS:
            yield unknown_name(name, COLUMNS)
        elif columns.count(name) > 1:
            yield f"There are {columns.count(name)} columns {name}. Remove all but one."
    if "bus_id" not in columns:
        yield "The column bus_id is missing."


def _node(name: str, cell: str, line: int, add_fault: AddFault) -> Node:
    try:
        if name in _STRUCTURED:
            return yaml_files.read(cell, add_fault, line)
        return Node(cell.lower() if name in _FLAGS else cell, line)  # a spreadsheet writes TRUE
    except Unreadable as error:
        add_fault(line, f"{name}: {error}")
        return Node([], line)


def _add_row(service: Node, row: dict[str, Node], line: int, add_fault: AddFault) -> None:
    """Add a row to its service: the values that it does not have yet, and a stop."""
    fields: Any = service.value
    for name in filter(row.__contains__, _SERVICE_COLUMNS):
        first = fields.setdefault(name, row[name])
        if first.plain() != row[name].plain():
            add_fault(line, f"{name} differs from line {first.line}. A service has one value.")
    if stop := {name: row[name] for name in _STOP_COLUMNS if name in row}:
        fields.setdefault("stops", Node([], line)).value.append(Node(stop, line))


# Writing ---------------------------------------------------------------------------------------


def write(services: list[dict[str, Any]]) -> str:
    """The text of a file with these documents. The values of a service are in its first row."""
    rows = []
    for service in services:
        values = {name: service[name] for name in _SERVICE_COLUMNS}
        for stop in service["stops"]:
            rows.append([_text((values | stop).get(name)) for name in COLUMNS])
            values = {"bus_id": service["bus_id"]}
    used = [any(column) for column in zip(*rows, strict=True)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(compress(row, used) for row in [COLUMNS, *rows])
    return text.getvalue()


def _text(value: Any) -> str:
    """The cell of a value; empty for none, and for an empty list or mapping."""
    if value is None or value in ([], {}):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
