"""A client of the server's, line by line, over a raw socket."""

import json
import socket
import time
from collections.abc import Callable
from typing import Any

WAIT_SECONDS = 20  # how long a test waits for a line; reached only when something is broken


class LineClient:
    """A client of the server's, line by line."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=WAIT_SECONDS)
        self._lines = self.socket.makefile("rb")
        self._last_id = 0

    def send(self, line: bytes | str | object) -> None:
        """Send a line: bytes as they are, text with its newline added, anything else as JSON."""
        if isinstance(line, str):
            line = line.encode() + b"\n"
        elif not isinstance(line, bytes):
            line = json.dumps(line).encode() + b"\n"
        self.socket.sendall(line)

    def receive(self) -> bytes:
        """The next line without its newline; b"" when the server has closed."""
        return self._lines.readline().removesuffix(b"\n")

    def ask(self, line: bytes | str | object) -> Any:
        """Send a line, and decode the JSON of the next one."""
        self.send(line)
        return json.loads(self.receive())

    def call(self, method: str, **params: Any) -> Any:
        """Call a method: its result, or its error object."""
        self._last_id += 1
        reply = self.ask({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})
        assert reply["id"] == self._last_id
        return reply["result"] if "result" in reply else reply["error"]

    def told(self) -> tuple[str, dict[str, Any]]:
        """The next line, which is a notification: its method and params."""
        notification = json.loads(self.receive())
        assert "id" not in notification, notification
        return notification["method"], notification["params"]

    @property
    def address(self) -> str:
        """By which the server knows it."""
        host, port = self.socket.getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        self._lines.close()
        self.socket.close()


def wait_until(condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    """Look again and again for what another thread or process brings about; answer it."""
    give_up_at = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up_at, "it never happened"
        time.sleep(0.002)
    return found
