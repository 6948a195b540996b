"""Reads timetable files: the documents in them, and the faults that are found without the database.

A document is not checked here. The database knows its fields, and checks it as a whole (api.put_service).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from busware.server.timetables import csv_files, yaml_files
from busware.server.timetables.files import AddFault, Fault, Node, Unreadable, read_text, unknown_name

READERS: dict[str, Callable[[str, AddFault], Node]] = {  # by the ending of the file's name
    ".csv": csv_files.read,
    ".yaml": yaml_files.read,
    ".yml": yaml_files.read,
}
_KEYS = {"places": "code", "services": "bus_id"}  # the lists in a file → the key of their documents


@dataclass(frozen=True)
class Document:
    """A place or a service in a file."""

    file: str
    node: Node


@dataclass
class Content:
    """What files contain."""

    files: list[str] = field(default_factory=list)
    places: dict[str, Document] = field(default_factory=dict)  # by code
    services: dict[str, Document] = field(default_factory=dict)  # by bus_id
    faults: list[Fault] = field(default_factory=list)


def read(files: Iterable[str], max_bytes: int) -> Content:
    """Read files. max_bytes: the limit for each file. Raises OSError."""
    content = Content()
    for file in files:
        content.files.append(file)

        def add_fault(line: int, message: str, file: str = file) -> None:
            content.faults.append(Fault(file, line, message))

        try:
            root = READERS[Path(file).suffix.lower()](read_text(Path(file), max_bytes), add_fault)
            _add_documents(content, file, root, add_fault)
        except Unreadable as error:
            add_fault(error.line, str(error))
    return content


def _add_documents(content: Content, file: str, root: Node, add_fault: AddFault) -> None:
    if not isinstance(root.value, dict):
        add_fault(root.line, "A file has a list of places, a list of services, or both.")
    for name, node in root.fields().items():
        if name not in _KEYS:
            add_fault(node.line, unknown_name(name, _KEYS))
        elif not isinstance(node.value, list):
            add_fault(node.line, f"{name} must be a list: each entry begins with a dash.")
        else:
            for entry in node.value:
                _add_document(getattr(content, name), _KEYS[name], Document(file, entry), add_fault)


def _add_document(known: dict[str, Document], key: str, document: Document, add_fault: AddFault) -> None:
    node = document.node
    number = node.fields().get(key, Node(None, node.line))
    if not isinstance(number.value, str):
        add_fault(number.line, f"{key} is missing.")
    elif (first := known.setdefault(number.value, document)) is not document:
        where = f"{first.file}:{first.node.line}"
        add_fault(number.line, f"{key} {number.value} is given twice: also in {where}.")
