"""The text of timetable files, and what is read from it: nodes that know their lines, and faults.

A reader of a format makes a tree of nodes from a text. All its scalars are texts: the type of a field, not
the file format, decides what `22:30` or `on` means.
"""

import difflib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

# The text of a file has no control characters but tabs and line ends. U+2028 and U+2029 end a line in YAML,
# and not in an editor, which would show other line numbers.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_INDEX_OR_NAME = re.compile(r"\d+|\w+")


class Fault(NamedTuple):
    """What is wrong in a line of a file. line: 0 for the whole file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


AddFault = Callable[[int, str], None]  # records a fault of the file that is read: its line and message


class Unreadable(Exception):
    """A file cannot be read further, because of what is in a line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Node:
    """A value in a file, and the line on which it begins: a text, None, or nodes in a list or by name."""

    value: "str | list[Node] | dict[str, Node] | None"
    line: int

    def plain(self) -> Any:
        """The value without lines."""
        match self.value:
            case list(items):
                return [item.plain() for item in items]
            case dict(items):
                return {name: item.plain() for name, item in items.items()}
        return self.value

    def fields(self) -> "dict[str, Node]":
        """The nodes by name; none if this is not a mapping."""
        return self.value if isinstance(self.value, dict) else {}

    def line_of(self, path: str) -> int:
        """The line of the value at a path, such as stops[2].fare, or of the value that lacks it."""
        node = self
        for step in _INDEX_OR_NAME.findall(path):
            match node.value:
                case list(items) if step.isdecimal() and int(step) < len(items):
                    node = items[int(step)]
                case dict(items) if step in items:
                    node = items[step]
                case _:
                    break
        return node.line


def unknown_name(name: str, known: Collection[str]) -> str:
    """The message for an unknown name: those that are known, the similar ones first."""
    similar = difflib.get_close_matches(name.lower(), known, len(known))
    others = [other for other in known if other not in similar]
    guess = f" Did you mean {similar[0]}?" if similar else ""
    return f'There is no "{name}".{guess} The names are: {", ".join(similar + others)}.'


def read_text(path: Path, max_bytes: int) -> str:
    """The text of a file, with \\n as line ends. Raises Unreadable, or OSError."""
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)  # no more, even from a device or a file that grows
    if len(content) > max_bytes:
        raise Unreadable(
            0,
            f"The file is longer than {max_bytes} bytes. Divide it, or set BUSWARE_TIMETABLE_FILE_BYTES to a "
            "higher number.",
        )
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        lines = error.object[: error.start].count(b"\n") + 1
        raise Unreadable(
            lines, f"Byte 0x{error.object[error.start]:02x} is not UTF-8. Save the file as UTF-8."
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if fault := control_character(text):
        raise fault
    return text


def control_character(text: str, line: int = 1) -> Unreadable | None:
    """The fault of the first control character in a text that begins on a line."""
    found = _CONTROL.search(text)
    if not found:
        return None
    line += text.count("\n", 0, found.start())
    return Unreadable(line, f"The control character U+{ord(found[0]):04X} is not allowed. Remove it.")
