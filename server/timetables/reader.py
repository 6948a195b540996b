"""Reads timetable files: the documents in them, and all their faults that can be found without a database."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from busware.server.protocol.services import ServiceData
from busware.server.timetables import csv_files, yaml_files
from busware.server.timetables.documents import PlaceData, Timetable, faults_of
from busware.server.timetables.files import Fault, Faulty, Node, Unreadable, read_text

READERS: dict[str, Callable[[str, Faulty], Node]] = {  # by the ending of the file's name
    ".csv": csv_files.read,
    ".yaml": yaml_files.read,
    ".yml": yaml_files.read,
}


@dataclass(frozen=True)
class Document:
    """A place or a service in a file."""

    file: str
    node: Node
    data: Any  # PlaceData or ServiceData


@dataclass(frozen=True)
class Content:
    """What files contain. A document in which a fault was found is not there."""

    places: dict[Any, Document] = field(default_factory=dict)  # by code
    services: dict[Any, Document] = field(default_factory=dict)  # by bus_id
    faults: list[tuple[str, Fault]] = field(default_factory=list)  # each with its file


def read(files: Iterable[str], max_bytes: int) -> Content:
    """What files contain. max_bytes: of a file. Raises OSError."""
    content = Content()
    for file in files:
        faults: list[Fault] = []
        try:
            root = READERS[Path(file).suffix.lower()](read_text(Path(file), max_bytes), faults.append)
            faults += _add_documents(content, file, root)
        except Unreadable as error:
            faults.append(error.fault)
        content.faults.extend((file, fault) for fault in sorted(faults))
    return content


def _add_documents(content: Content, file: str, root: Node) -> Iterator[Fault]:
    """Add the documents of a file to the content. Returns the faults of the others."""
    if wrong := list(faults_of(root, Timetable, "The file")):
        yield from wrong
        return
    for name, struct, key, known in (
        ("places", PlaceData, "code", content.places),
        ("services", ServiceData, "bus_id", content.services),
    ):
        for node in root.entries(name):
            if wrong := list(faults_of(node, struct, "An entry")):
                yield from wrong
                continue
            document = Document(file, node, msgspec.convert(node.plain(), struct, strict=False))
            if (value := getattr(document.data, key)) is UNSET:
                yield Fault(node.line, f"{key} is missing. In a file, a service has its number.")
            elif (first := known.setdefault(value, document)) is not document:
                where = f"{first.file}:{first.node.line}"
                yield Fault(node.line_of(key), f"{key} {value} is given twice: also in {where}.")
