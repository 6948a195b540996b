"""Telnet's option negotiation (RFC 854, 855): removed from the received bytes, and refused.

Telnet sends commands in the middle of lines. After Ctrl-C it sends DO TIMING-MARK, and displays nothing more
until it has a reply. So commands are processed when they arrive, not when their line ends. A newline ends a
line even within a command. A line of JSON is not changed: it is UTF-8, which never contains the byte 255 with
which a command begins.
"""

import re

_IAC = b"\xff"
_REFUSALS = {b"\xfd": b"\xfc", b"\xfb": b"\xfe"}  # DO: WONT, WILL: DONT. DONT and WONT get no reply.
_MAX_SUBNEGOTIATION_BYTES = 256
_PART = re.compile(
    rb"(?P<json>^[{\[].*)"
    rb"|\xff(?:"
    rb"(?P<byte>\xff)"  # the escaped byte 255
    rb"|(?P<verb>[\xfb-\xfe])(?P<option>[\x00-\xff])"
    rb"|\xfa(?:[^\xff\n]|\xff\xff){0,%d}\xff\xf0"  # a subnegotiation
    rb"|(?P<incomplete>(?:[\xfb-\xfe]|\xfa(?:[^\xff\n]|\xff\xff){0,%d}\xff?)?\Z)"
    rb"|[^\xff\n]?)" % (_MAX_SUBNEGOTIATION_BYTES, _MAX_SUBNEGOTIATION_BYTES),  # other commands: two bytes
    re.MULTILINE,
)


class Telnet:
    """Separates telnet's commands from the bytes of one client.

    negotiated: the client has sent such a command.
    """

    def __init__(self) -> None:
        self.negotiated = False
        self._line_start = b""  # of the current line: { for JSON, a dot for text, empty before its first byte
        self._incomplete = b""  # a command whose end has not been received

    def read(self, chunk: bytes) -> tuple[bytes, bytes]:
        """The chunk without telnet's commands, and the reply to them; either may be empty."""
        if not self._incomplete and _IAC not in chunk:  # the usual case
            self._update_line_start(chunk)
            return chunk, b""
        line_start, data = self._line_start, self._incomplete + chunk
        self._update_line_start(chunk)
        self._incomplete, reply = b"", bytearray()

        def replace(part: re.Match[bytes]) -> bytes:
            self.negotiated |= part["json"] is None
            if part["incomplete"] is not None:
                self._incomplete = part[0]
            if part["verb"] in _REFUSALS:
                reply.extend(_IAC + _REFUSALS[part["verb"]] + part["option"])
            return part["json"] or part["byte"] or (b"\n" if part["option"] == b"\n" else b"")

        return _PART.sub(replace, line_start + data)[len(line_start) :], bytes(reply)

    def _update_line_start(self, chunk: bytes) -> None:
        """Note how the last line of a chunk begins."""
        start = chunk.rfind(b"\n") + 1
        if start or not self._line_start:
            first = chunk[start : start + 1]
            self._line_start = b"{" if first in (b"{", b"[") else b"." if first else b""
