"""Timetables in YAML: `places:` and `services:`, each a list of documents.

The reader takes the events of PyYAML's parser and not its objects, because it needs each value as it is
written, with its line: YAML 1.1 reads 22:30 as 1350, and `on` as true. It refuses anchors, aliases, tags and
deep nesting, so that a small file cannot become a large value.
"""

from collections.abc import Iterable
from typing import Any

import yaml

from busware.server.timetables.files import Fault, Faulty, Node, Unreadable, control_character

_MAX_DEPTH = 20  # levels of lists and mappings in each other; a timetable has six
_NULL = ("", "~", "null")  # the scalars without quotes that mean no value
_CELLS = ("place", "arrives", "departs", "km", "fare")  # of a stop that is written as a line
_NO_TIME = "-"
_LAST_CHARACTER = "\uffff"  # that libyaml writes as it is
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML may be installed without libyaml
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def read(text: str, faulty: Faulty, first_line: int = 1) -> Node:
    """The value of a text that begins on a line. Raises Unreadable if it cannot be read further."""
    try:
        return _Builder(faulty, first_line).build(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + first_line if mark else first_line
        raise Unreadable(line, f"This is not YAML: {error.problem}.") from None


class _Builder:
    """Makes nodes from events. `_open` has the lists and mappings that have not ended."""

    def __init__(self, faulty: Faulty, first_line: int) -> None:
        self._faulty = faulty
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
            return _stops(event.value, line, self._faulty)
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
                self._faulty(Fault(name.line, f"{name.value} is given twice: also in line {first.line}."))
            self._names[-1] = None


def _stops(text: str, line: int, faulty: Faulty) -> Node:
    """The stops of a text that begins below a line: a line for each stop, as in api.add_service."""
    stops = []
    for number, written in enumerate(text.split("\n"), line + 1):
        cells = [cell.strip() for cell in written.split("|")]
        if not written.strip() or written.lstrip().startswith("#"):
            continue
        if len(cells) == len(_CELLS):
            place, arrives, departs, km, fare = (Node(cell, number) for cell in cells)
            times = (Node(None, number) if time.value == _NO_TIME else time for time in (arrives, departs))
            stops.append(Node(dict(zip(_CELLS, (place, *times, km, fare), strict=True)), number))
        else:
            message = f"A stop is a line: {' | '.join(_CELLS)}. This line has {len(cells)} cells."
            faulty(Fault(number, message))
    return Node(stops, line)


# Writing ---------------------------------------------------------------------------------------


class _Writer(_Dumper):  # type: ignore[misc]
    """Writes texts of several lines as such."""


def _represent_text(writer: Any, text: str) -> yaml.ScalarNode:
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)  # type: ignore[no-any-return]


_Writer.add_representer(str, _represent_text)


def write(places: list[Any], services: list[Any]) -> str:
    """The text of a file with these documents."""
    content = {"places": places, "services": [_with_lines(service) for service in services]}
    text: str = yaml.dump(content, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=110)
    return text


def _with_lines(service: dict[str, Any]) -> dict[str, Any]:
    """A document with its stops as lines, if they are read as they were written."""
    rows = [[stop.get(name) or _NO_TIME for name in _CELLS] for stop in service["stops"]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    text = ""
    for row in rows:
        _, *cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        text += " | ".join([row[0].ljust(widths[0]), *cells]) + "\n"
    stops = _stops(text, 0, lambda fault: None).plain()
    is_written = max(text) <= _LAST_CHARACTER and stops == service["stops"]
    return service | ({"stops": text} if is_written else {})
