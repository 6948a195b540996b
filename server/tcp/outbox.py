"""What is sent to one client: the answers of its own thread, and the lines that others push to it.

Both share a socket, and a line goes out whole: one lock. The client's thread waits for a slow reader
(the socket's SO_SNDTIMEO says how long); whoever pushes never waits. What has been pushed while the
lock was somebody else's is sent by its holder. The bound is the socket's own buffer, and as much again
of pushed lines: whoever leaves more unread than that has its connection cut.
"""

import socket
import threading
from collections import deque
from contextlib import suppress

from busware.server.tls import TlsSocket


class Outbox:
    """The way out to a client. max_bytes: of pushed lines that wait."""

    def __init__(self, to: socket.socket | TlsSocket, max_bytes: int) -> None:
        self._socket = to
        self._max_bytes = max_bytes
        self._sending = threading.Lock()
        self._pushed = deque[bytes]()
        self.is_cut = False  # what is pushed from now on goes nowhere

    def send(self, line: bytes) -> None:
        """Send a line; waits while the client does not read. Raises OSError, after SO_SNDTIMEO at most."""
        try:
            with self._sending:
                self._socket.sendall(line)
        except BlockingIOError:
            raise TimeoutError("did not read its answers") from None
        if self._pushed:
            self._send_pushed()

    def push(self, line: bytes) -> bool:
        """Send a line without waiting, from any thread. False: there is no room, and the client is cut."""
        self._pushed.append(line)
        if sum(map(len, self._pushed)) > self._max_bytes:
            self.cut()
            return False
        return self._send_pushed()

    def cut(self) -> None:
        """End the connection at once."""
        self.is_cut = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the socket, which nobody is sending on by then."""
        with self._sending:
            self.is_cut = True
            self._socket.close()

    def _send_pushed(self) -> bool:
        # Whoever lets the lock go looks once more, so that nothing pushed meanwhile is left lying.
        while self._pushed and self._sending.acquire(blocking=False):
            try:
                while self._pushed:
                    line = self._pushed.popleft()
                    if self._socket.send(line, socket.MSG_DONTWAIT) < len(line):
                        raise BlockingIOError
            except OSError:  # the buffer is full, and half a line may be in it; or the client is gone
                self._pushed.clear()
                was_cut = self.is_cut
                self.cut()
                return was_cut
            finally:
                self._sending.release()
        return True
