"""Timetables in YAML: `places:` and `services:`, each a list of documents.

The reader takes the events of PyYAML's parser and not its objects, because it needs each value as it is
written, with its line: YAML 1.1 reads 22:30 as 1350, and `on` as true. It refuses anchors, aliases, tags and
deep nesting, so that a small file cannot become a large value.
"""

import re
from collections.abc import Iterable
from typing import Any

import yaml

from busware.server.timetables.files import AddFault, Node, Unreadable, control_character

_MAX_DEPTH = 20  # levels of lists and mappings in each other; a timetable has six
_NULL = ("", "~", "null")  # the scalars without quotes that mean no value
_CELLS = ("place", "arrives", "departs", "km", "fare")  # of a stop that is written as a line
_NO_TIME = "-"
_PLACE_IN_A_LINE = re.compile(r"\w([^|\U00010000-\U0010ffff]*[^|\s\U00010000-\U0010ffff])?")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML may be installed without libyaml
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def read(text: str, add_fault: AddFault, first_line: int = 1) -> Node:
    """The value of a text that begins on a line. Raises Unreadable if it cannot be read further."""
    try:
        return _Builder(add_fault, first_line).build(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + first_line if mark else first_line
        raise Unreadable(line, f"This is not YAML: {error.problem}.") from None


class _Builder:
    """Makes nodes from events. `_open` has the lists and mappings that have not ended."""

    def __init__(self, add_fault: AddFault, first_line: int) -> None:
        self._add_fault = add_fault
        self._first_line = first_line
        self._open: list[Node] = []
        self._names: list[Node | None] = []  # for each of them: the name whose value follows
        self._root: Node | None = None

    def build(self, events: Iterable[Any]) -> Node:  # the stubs of PyYAML lack attributes of events
        for event in events:
            line = event.start_mark.line + self._first_line
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise Unreadable(
                    line, "Anchors and aliases (& and *) are not allowed. Write the value itself."
                )
            if getattr(event, "tag", None):
                raise Unreadable(line, f"The tag {event.tag} is not allowed. Write the value without it.")
            match event:
                case yaml.DocumentStartEvent() if self._root:
                    raise Unreadable(line, "A second document begins here. A file has one.")
                case yaml.ScalarEvent():
                    self._add(self._scalar(event, line))
                case yaml.SequenceStartEvent():
                    self._begin(Node([], line))
                case yaml.MappingStartEvent():
                    self._begin(Node({}, line))
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._names.pop()
                    self._add(self._open.pop())
        return self._root or Node(None, self._first_line)

    def _begin(self, node: Node) -> None:
        if len(self._open) == _MAX_DEPTH:
            raise Unreadable(node.line, f"The values are nested deeper than {_MAX_DEPTH} levels.")
        self._open.append(node)
        self._names.append(None)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Node:
        if fault := control_character(event.value, line):  # written as an escape, such as "\0"
            raise fault
        name = self._names[-1] if self._names else None
        if event.style == "|" and name and name.value == "stops":
            return _lines(event.value, line, self._add_fault)
        is_null = event.implicit[0] and event.value in _NULL
        return Node(None if is_null else event.value, line)

    def _add(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        container, name = self._open[-1].value, self._names[-1]
        if isinstance(container, list):
            container.append(node)
        elif isinstance(container, dict) and name is None:
            if not isinstance(node.value, str):
                raise Unreadable(node.line, "A name is expected here, such as bus_id:")
            self._names[-1] = node
        elif isinstance(container, dict) and name:
            first = container.setdefault(str(name.value), node)
            if first is not node:
                self._add_fault(name.line, f"{name.value} is given twice: also in line {first.line}.")
            self._names[-1] = None


def _lines(text: str, line: int, add_fault: AddFault) -> Node:
    """The stops in a text that begins below `line`: one for each line that is not empty or a comment."""
    lines = []
    for number, written in enumerate(text.split("\n"), line + 1):
        cells = written.count("|") + 1
        if written.strip() and not written.lstrip().startswith("#"):
            if cells == len(_CELLS):
                lines.append(Node(written, number))
            else:
                add_fault(number, f"A stop is a line: {' | '.join(_CELLS)}. This line has {cells} cells.")
    return Node(lines, line)


# Writing ---------------------------------------------------------------------------------------


class _Writer(_Dumper):  # type: ignore[misc]
    """Writes texts of several lines as such."""


def _represent_text(writer: Any, text: str) -> yaml.ScalarNode:
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)  # type: ignore[no-any-return]


_Writer.add_representer(str, _represent_text)


def write(places: list[Any], services: list[Any]) -> str:
    """The text of a file with these documents."""
    return _dump({"places": places, "services": [_with_lines(service) for service in services]})


def write_service(service: dict[str, Any]) -> str:
    """The text of one document."""
    return _dump(_with_lines(service))


def _dump(content: dict[str, Any]) -> str:
    text: str = yaml.dump(content, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=110)
    return text


def _with_lines(service: dict[str, Any]) -> dict[str, Any]:
    """A document with its stops as lines, if lines can express all fields of the stops.

    libyaml writes a text with a character above U+FFFF on one line, with escapes.
    """
    stops = service["stops"]
    if any(stop.keys() != set(_CELLS) or not _PLACE_IN_A_LINE.fullmatch(stop["place"]) for stop in stops):
        return service
    rows = [[stop[name] or _NO_TIME for name in _CELLS] for stop in stops]
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = [" | ".join([place.ljust(first), *map(str.rjust, cells, others)]) for place, *cells in rows]
    return service | {"stops": "\n".join(lines) + "\n"}
