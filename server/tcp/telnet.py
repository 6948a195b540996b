"""What telnet negotiates (RFC 854, 855): cut out of what a client sends, and answered with a no.

Telnet's own commands come in the middle of lines, and without a line's end: after Ctrl-C, a telnet asks
for a mark in what it is sent (DO TIMING-MARK) and shows nothing more until it has an answer. So they are
found in the bytes as they arrive. A newline ends a line wherever it stands, and a line of JSON, in which
no byte of a command can be, is left as it is.
"""

import re

_IAC = b"\xff"
_NO = {b"\xfd": b"\xfc", b"\xfb": b"\xfe"}  # DO x: WONT x, WILL x: DONT x; those two are never answered
_MOST_BYTES = 256  # of a subnegotiation, which nobody was asked for
_PART = re.compile(
    rb"(?P<json>^[{\[].*)"
    rb"|\xff(?:"
    rb"(?P<byte>\xff)"  # a byte 255 that was typed
    rb"|(?P<verb>[\xfb-\xfe])(?P<option>[\x00-\xff])"
    rb"|\xfa(?:[^\xff\n]|\xff\xff){0,%d}\xff\xf0"  # a subnegotiation
    rb"|(?P<begun>(?:[\xfb-\xfe]|\xfa(?:[^\xff\n]|\xff\xff){0,%d}\xff?)?\Z)"  # its end has not come
    rb"|[^\xff\n]?)" % (_MOST_BYTES, _MOST_BYTES),  # any other command is two bytes
    re.MULTILINE,
)


class Telnet:
    """One client's bytes in; what was typed, and what telnet is to be answered, out."""

    def __init__(self) -> None:
        self._line = b""  # how the line began whose end has not come: { for JSON, else a dot
        self._begun = b""  # a command whose end has not come

    def read(self, chunk: bytes) -> tuple[bytes, bytes]:
        """The chunk without telnet's commands, and the answer to them; empty where there is none."""
        if not self._begun and _IAC not in chunk:  # as with every client but a telnet
            if chunk.endswith(b"\n"):
                self._line = b""
            else:
                self._follow(chunk)
            return chunk, b""
        line, data = self._line, self._begun + chunk
        self._follow(chunk)
        self._begun, answer = b"", bytearray()

        def typed(part: re.Match[bytes]) -> bytes:
            if part["begun"] is not None:
                self._begun = part[0]
            if part["verb"] in _NO:
                answer.extend(_IAC + _NO[part["verb"]] + part["option"])
            return part["json"] or part["byte"] or (b"\n" if part["option"] == b"\n" else b"")

        return _PART.sub(typed, line + data)[len(line) :], bytes(answer)

    def _follow(self, chunk: bytes) -> None:
        """See how the line begins that goes on after this chunk."""
        start = chunk.rfind(b"\n") + 1
        if start or not self._line:
            first = chunk[start : start + 1]
            self._line = b"{" if first in (b"{", b"[") else b"." if first else b""
