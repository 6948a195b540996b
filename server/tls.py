"""TLS over a socket that one thread reads and any thread writes.

An SSL object of OpenSSL is not for two threads at once, and a thread that waits in a read would keep the
others from writing. So the session lives in memory, between two buffers, under a lock that is held only
while bytes pass through it; the waiting is done on the socket itself, with its own timeouts. Both ends use
this: the server's connections (server/tcp/server.py) and the client's (client/connection.py).
"""

import io
import ipaddress
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

_CHUNK_BYTES = 16 * 1024  # read at a time: what a record holds


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """For the end that listens. Raises OSError (ssl.SSLError is one) when the files will not do."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def client_context(authority: Path | None = None) -> ssl.SSLContext:
    """For the end that connects: it verifies the other by the machine's authorities, or by one's own."""
    return ssl.create_default_context(cafile=authority)


def is_loopback(host: str) -> bool:
    """Whether only this machine is reached by that address, so that nobody can read along."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class TlsSocket(io.RawIOBase):
    """A connected socket, with TLS. hostname: whom to expect; without it, this is the server's end.

    cut_short: the other end is gone without a goodbye, so that somebody on the way may have ended it.
    """

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, hostname: str | None = None) -> None:
        self._plain = plain
        self.cut_short = False
        self._arrived, self._to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._arrived, self._to_send, server_side=hostname is None, server_hostname=hostname
        )
        self._session = threading.Lock()
        self._sending = threading.Lock()  # taken first: what comes out of the session goes out in that order

    def handshake(self) -> None:
        """Agree with the other end. Raises OSError."""
        while True:
            try:
                with self._session:
                    self._tls.do_handshake()
                self._flush()
                return
            except ssl.SSLWantReadError:
                self._flush()
                if not self._receive():
                    raise ConnectionError("it closed the connection before TLS was agreed on") from None
            except ssl.SSLError:
                with suppress(OSError):
                    self._flush()  # the alert that says why
                raise

    def recv(self, size: int) -> bytes:
        """What has come, at most so many bytes; empty at the end. Raises OSError."""
        while True:
            try:
                with self._session:
                    return self._tls.read(size)
            except ssl.SSLWantReadError:
                if self._to_send.pending:
                    self._flush()
                if not self._receive():
                    self.cut_short = True
                    return b""
            except ssl.SSLZeroReturnError:  # it has said goodbye
                return b""

    def sendall(self, data: bytes) -> None:
        """Send it all. Raises OSError."""
        with self._sending:
            self._plain.sendall(self._seal(data))

    def send(self, data: bytes, flags: int = 0) -> int:
        """Send it all at once, or answer 0 or raise OSError: then the connection is good for nothing more."""
        with self._sending:
            sealed = self._seal(data)
            return len(data) if self._plain.send(sealed, flags) == len(sealed) else 0

    def shutdown(self, how: int) -> None:
        """End a half of the socket, or both. Raises OSError."""
        self._plain.shutdown(how)

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        """Set an option of the socket."""
        self._plain.setsockopt(level, option, value)

    def settimeout(self, seconds: float | None) -> None:
        """How long the socket may wait."""
        self._plain.settimeout(seconds)

    def close(self) -> None:
        """Say goodbye, and close the socket."""
        if not self.closed:
            with suppress(OSError):
                self._plain.setblocking(False)
                with self._session, suppress(ssl.SSLError):
                    self._tls.unwrap()
                self._flush()
            self._plain.close()
        super().close()

    def readable(self) -> bool:
        """For io.BufferedReader."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """For io.BufferedReader."""
        chunk = self.recv(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What comes, as a file. mode: rb."""
        return io.BufferedReader(self)

    def _seal(self, data: bytes) -> bytes:
        """What is to be sent for it, and before it."""
        with self._session:
            self._tls.write(data)
            return self._to_send.read()

    def _receive(self) -> bool:
        """Wait for bytes of the other end; False when there will be none."""
        chunk = self._plain.recv(_CHUNK_BYTES)
        self._arrived.write(chunk)
        return bool(chunk)

    def _flush(self) -> None:
        """Send what the session itself has to say."""
        with self._sending:
            with self._session:
                sealed = self._to_send.read()
            if sealed:
                self._plain.sendall(sealed)
