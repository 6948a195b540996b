"""A small socket program: it sends messages without line ends, and prints what one recv returns."""

import re
import socket
from pathlib import Path

from tests.support.line_client import WAIT_SECONDS, wait_until

_RECEIVE_BYTES = 65536  # more than any reply, which arrives in one piece over the loopback


class MessageClient:
    """A client that sends messages as they are, and receives the reply with one recv."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=WAIT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, message: str | bytes) -> None:
        """Send a message without a line end."""
        self.socket.sendall(message.encode() if isinstance(message, str) else message)

    def receive(self) -> str:
        """What one recv returns; empty after the server has closed the connection."""
        return self.socket.recv(_RECEIVE_BYTES).decode()

    def ask(self, message: str) -> str:
        """Send a message, and receive the reply."""
        self.send(message)
        return self.receive()

    def wait_until_read(self) -> None:
        """Wait until the server, which runs on this machine, has read everything that was sent."""
        here, there = (f":{end[1]:04X}" for end in (self.socket.getsockname(), self.socket.getpeername()))

        def is_read() -> bool:
            ends = {  # (local port, remote port) → (bytes that are not acknowledged, bytes that are not read)
                (local[-5:], remote[-5:]): (int(unsent, 16), int(unread, 16))
                for local, remote, unsent, unread in re.findall(
                    r"\d+: (\S+) (\S+) \S+ (\w+):(\w+)", Path("/proc/net/tcp").read_text()
                )
            }
            # An end may be missing, because the file changes while it is read.
            mine, others = ends.get((here, there)), ends.get((there, here))
            return bool(mine and others) and mine[0] == 0 and others[1] == 0

        wait_until(is_read)

    @property
    def address(self) -> str:
        """The address of this client as operators see it."""
        host, port = self.socket.getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        self.socket.close()
