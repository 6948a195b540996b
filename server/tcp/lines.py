"""Splits the bytes of a client into lines, and tells which message ends by silence.

Small programs send a message without a line end and wait for its reply. Such a message ends when the client
has sent nothing more for silence_ms. But a program may send a line in parts, and telnet may send each
character when it is typed. So on the port for all clients, silence ends a message only if

- the client has never sent a line end, and has not negotiated telnet options (server/tcp/telnet.py),
- the message is plain text, and
- its first part has two characters or more, or silence has ended a message of this client before.
"""

from busware.server.tcp.plain_text import typed_text

JSON = (b"{", b"[")  # with which a line of JSON begins


class Lines:
    """Splits a stream of bytes into lines.

    A line longer than max_bytes is truncated to max_bytes + 1 or + 2, and so remains too long.
    one_dialogue: whether the port is for one dialogue, where silence ends every message.
    ends_by_silence: whether the incomplete line is a message, if the client sends nothing more now.
    """

    def __init__(self, max_bytes: int, *, one_dialogue: bool = False) -> None:
        self.ends_by_silence = False
        self._one_dialogue = one_dialogue
        self._kept_bytes = max_bytes + 2  # one for \r, one that shows that the line is too long
        self._rest = bytearray()  # the beginning of an incomplete line
        self._has_line_end = False  # the client has sent one
        self._has_message = False  # silence has ended a message of the client

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that end in this chunk, without their line ends."""
        *ended, rest = chunk.split(b"\n")
        self._has_line_end |= bool(ended)
        if ended or not self._rest:
            self.ends_by_silence = bool(rest) and self._begins_message(rest)
        if ended and self._rest:
            ended[0] = bytes(self._rest) + ended[0]
            self._rest.clear()
        self._rest += rest[: self._kept_bytes - len(self._rest)]
        return [line[: self._kept_bytes].removesuffix(b"\r") for line in ended]

    def end_message(self) -> bytes:
        """The incomplete line, which silence has ended."""
        self._has_message, self.ends_by_silence = True, False
        return self.take_rest()

    def take_rest(self) -> bytes:
        """The incomplete line; empty if there is none."""
        rest = bytes(self._rest).removesuffix(b"\r")
        self._rest.clear()
        return rest

    def _begins_message(self, chunk: bytes) -> bool:
        """Whether a chunk without a line end is the first part of a message that silence may end."""
        if self._one_dialogue:
            return True
        if self._has_line_end or chunk.startswith(JSON):
            return False
        return self._has_message or len(typed_text(chunk)) > 1
