"""A TCP client that sends and receives single lines."""

import json
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

WAIT_SECONDS = 20  # a test fails if what it waits for takes longer


def reset_on_close(connection: socket.socket) -> None:
    """Let close() reset a connection (RST)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class LineClient:
    """A TCP client of the server: JSON-RPC or plain text, line by line."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=WAIT_SECONDS)
        self._received = self.socket.makefile("rb")
        self._last_id = 0

    def send(self, line: bytes | str | object) -> None:
        """Send bytes as they are, a text with a newline added, or any other object as a line of JSON."""
        if isinstance(line, str):
            line = line.encode() + b"\n"
        elif not isinstance(line, bytes):
            line = json.dumps(line).encode() + b"\n"
        self.socket.sendall(line)

    def receive(self) -> bytes:
        """The next line without its newline; b"" after the server has closed the connection."""
        return self._received.readline().removesuffix(b"\n")

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes; without a size, everything until the server closes the connection."""
        return self._received.read(size)

    def ask(self, line: bytes | str | object) -> Any:
        """Send a line, and decode the JSON of the next received one."""
        self.send(line)
        return json.loads(self.receive())

    def call(self, method: str, **params: Any) -> Any:
        """Call a JSON-RPC method: its result, or its error object."""
        self._last_id += 1
        reply = self.ask({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})
        assert reply["id"] == self._last_id
        return reply["result"] if "result" in reply else reply["error"]

    def notification(self) -> tuple[str, dict[str, Any]]:
        """Receive a line that must be a JSON-RPC notification: its method and params."""
        notification = json.loads(self.receive())
        assert "id" not in notification, notification
        return notification["method"], notification["params"]

    @property
    def address(self) -> str:
        """The address of this client as the server logs it."""
        host, port = self.socket.getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        self._received.close()
        self.socket.close()


def wait_until(condition: Callable[[], Any], seconds: float = WAIT_SECONDS, pause: float = 0.002) -> Any:
    """Poll until the condition returns a true value, and return it. For the work of other threads.

    pause: seconds between two polls.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"the condition was not true within {seconds} s"
        time.sleep(pause)
    return found
