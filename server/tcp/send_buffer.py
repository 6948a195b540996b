"""Sends lines to one client: replies from the client's own thread, and lines that other threads push.

All use one socket; a lock ensures that a line is not sent in the middle of another one. The client's thread
waits while the client does not read, for SO_SNDTIMEO at most. A push never waits: if the lock is held, its
holder sends the line. A client is disconnected if a pushed line does not fit into the buffer of the socket,
or if more than max_bytes of pushed lines wait for the lock. Pushed lines would hide the question that a
person is to answer, so a line that repeats it follows them.
"""

import logging
import socket
import threading
from collections import deque
from contextlib import suppress

from busware.server.tls import TlsSocket

log = logging.getLogger("busware.tcp")


class SendBuffer:
    """Sends lines to a client. name: its name in the log. max_bytes: limit of the waiting pushed lines.

    reminder: the line that follows pushed lines; empty while no question is open.
    """

    def __init__(self, name: str, client: socket.socket | TlsSocket, max_bytes: int) -> None:
        self.name = name
        self.reminder = b""
        self._socket = client
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._pushed = deque[bytes]()
        self.is_shut_down = False

    def send(self, line: bytes, reminder: bytes = b"") -> None:
        """Send a line; wait while the client does not read. Raises OSError, after SO_SNDTIMEO at most.

        reminder: the line that repeats the question at the end of this line.
        """
        try:
            with self._lock:
                self._socket.sendall(line)
                self.reminder = reminder
        except BlockingIOError:
            raise TimeoutError("did not read its replies") from None
        self._send_pushed()

    def push(self, line: bytes) -> None:
        """Send a line without waiting, from any thread. Disconnect the client if there is no room."""
        self._pushed.append(line)
        if sum(map(len, self._pushed)) > self._max_bytes:
            self._disconnect()
        else:
            self._send_pushed()

    def shut_down(self) -> None:
        """End the connection at once."""
        self.is_shut_down = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket, when no thread sends any more."""
        with self._lock:
            self.is_shut_down = True
            self._socket.close()

    def _send_pushed(self) -> None:
        # Checks again after releasing the lock, because a line may have been pushed while it was held.
        while self._pushed and self._lock.acquire(blocking=False):
            try:
                lines = [self._pushed.popleft() for _ in range(len(self._pushed))]
                for line in filter(None, [*lines, self.reminder]):
                    if self._socket.send(line, socket.MSG_DONTWAIT) < len(line):
                        raise BlockingIOError
            except BlockingIOError:  # the buffer is full and may end with a part of a line
                self._disconnect()
            except OSError:  # the client has left
                self._pushed.clear()
                self.shut_down()
            finally:
                self._lock.release()

    def _disconnect(self) -> None:
        self._pushed.clear()
        if not self.is_shut_down:
            log.info("%s was disconnected: it does not read what is pushed to it", self.name)
            self.shut_down()
