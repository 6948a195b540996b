"""The document of a service as YAML, as in the files of timetables: a text, and values with their lines."""

from typing import Any

import msgspec

from busware.server.protocol import Refusal, ServiceData
from busware.server.timetables import yaml_files
from busware.server.timetables.files import Node, Unreadable, control_character

_NONE = "-"  # in a line of a stop
_STOP = ("place", "arrives", "departs", "km", "fare")


def write(service: dict[str, Any]) -> str:
    """The text of a document."""
    return yaml_files.write_service(service)


class Document:
    """A document that was written. fields: its values by name. Raises Refusal (bad_request), with faults."""

    def __init__(self, text: str) -> None:
        faults: list[dict[str, Any]] = []
        self._node = Node({}, 1)
        text = text.replace("\r\n", "\n")
        try:
            if fault := control_character(text):
                raise fault
            self._node = yaml_files.read(text, lambda line, message: faults.append(_fault(line, message)))
        except Unreadable as error:
            faults.append(_fault(error.line, str(error)))
        plain = self._node.plain()
        if not faults and not isinstance(plain, dict):
            faults.append(_fault(1, "A document begins with a field, such as name: Day Bus"))
        if faults:
            raise _refusal(faults)
        if isinstance(plain.get("stops"), list):
            plain["stops"] = [_stop(stop) for stop in plain["stops"]]
        try:
            data = msgspec.convert(plain, ServiceData, strict=False)
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `$")
            field = path.strip(".`")
            where = f"{field}: {message}" if field else message
            raise _refusal([_fault(self.line_of(field), where)]) from None
        self.fields: dict[str, Any] = msgspec.to_builtins(data)

    def line_of(self, field: str) -> int:
        """The line of a field, such as stops[2].fare."""
        return self._node.line_of(field)

    def with_lines(self, refusal: Refusal) -> Refusal:
        """The refusal of the document by the database, with the lines of its faults."""
        faults = refusal.data.get("faults", [])
        if not faults:
            return refusal
        return _refusal(
            [
                _fault(self.line_of(fault["field"]), f"{fault['field']}: {fault['message']}")
                for fault in faults
            ]
        )


def _stop(stop: Any) -> Any:
    """A stop that is written as a line, as an object."""
    if not isinstance(stop, str):
        return stop
    cells = [cell.strip() for cell in stop.split("|")]
    return {name: None if cell == _NONE else cell for name, cell in zip(_STOP, cells, strict=False)}


def _fault(line: int, message: str) -> dict[str, Any]:
    return {"line": line, "message": message}


def _refusal(faults: list[dict[str, Any]]) -> Refusal:
    message = f"Line {faults[0]['line']}: {faults[0]['message']}"
    return Refusal("bad_request", message, field="document", faults=faults)
