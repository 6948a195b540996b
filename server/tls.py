"""TLS over a socket that one thread reads and any thread writes.

OpenSSL does not allow two threads in one SSL object, and a thread that waits in a read would block the
writers. So the SSL object works on two memory buffers, under a lock that is never held while a thread waits.
Threads wait on the socket itself, with its own timeouts. Used by the connections of the server
(server/tcp/server.py) and of the client (client/transport.py).
"""

import io
import ipaddress
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

_CHUNK_BYTES = 16 * 1024  # the most that a TLS record holds


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """The TLS context of a server. Raises OSError or ssl.SSLError if the files cannot be used."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def client_context(authority: Path | None = None) -> ssl.SSLContext:
    """The TLS context of a client. authority: trusted certificates; None: those of the machine."""
    return ssl.create_default_context(cafile=authority)


def is_loopback(host: str) -> bool:
    """Whether the address reaches only this machine, so that no TLS is needed."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class TlsSocket(io.RawIOBase):
    """A connected socket with TLS. hostname: the server to verify; None: this end is the server.

    truncated: the stream ended without TLS's closing message, so an attacker may have ended it.
    """

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, hostname: str | None = None) -> None:
        self._plain = plain
        self.shutdown = plain.shutdown
        self.setsockopt = plain.setsockopt
        self.settimeout = plain.settimeout
        self.truncated = False
        self._received, self._to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._received, self._to_send, server_side=hostname is None, server_hostname=hostname
        )
        self._tls_lock = threading.Lock()  # for _tls and its two buffers
        # Acquired before _tls_lock, so that records are sent in the order in which they were encrypted.
        self._send_lock = threading.Lock()

    def handshake(self) -> None:
        """Do the TLS handshake. Raises OSError."""
        while True:
            try:
                with self._tls_lock:
                    self._tls.do_handshake()
                self._flush()
                return
            except ssl.SSLWantReadError:
                self._flush()
                if not self._receive():
                    raise ConnectionError("the connection was closed during the TLS handshake") from None
            except ssl.SSLError:
                with suppress(OSError):
                    self._flush()  # the alert with the reason
                raise

    def recv(self, size: int) -> bytes:
        """Receive at most `size` bytes; b"" at the end of the stream. Raises OSError."""
        while True:
            try:
                with self._tls_lock:
                    return self._tls.read(size)
            except ssl.SSLWantReadError:
                if self._to_send.pending:
                    self._flush()
                if not self._receive():
                    self.truncated = True
                    return b""
            except ssl.SSLZeroReturnError:  # TLS's closing message
                return b""

    def sendall(self, data: bytes) -> None:
        """Send all data. Raises OSError."""
        with self._send_lock:
            self._plain.sendall(self._encrypt(data))

    def send(self, data: bytes, flags: int = 0) -> int:
        """Send all data in one call, or return 0 or raise OSError: then the caller must disconnect."""
        with self._send_lock:
            encrypted = self._encrypt(data)
            return len(data) if self._plain.send(encrypted, flags) == len(encrypted) else 0

    def close(self) -> None:
        """Send TLS's closing message if that does not block, and close the socket."""
        if not self.closed:
            with suppress(OSError):
                self._plain.setblocking(False)
                with self._tls_lock, suppress(ssl.SSLError):
                    self._tls.unwrap()
                self._flush()
            self._plain.close()
        super().close()

    def readable(self) -> bool:
        """Whether it can be read, for io.BufferedReader."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Receive into a buffer, for io.BufferedReader."""
        chunk = self.recv(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def makefile(self, mode: str) -> io.BufferedReader:
        """The received bytes as a file. mode: rb."""
        return io.BufferedReader(self)

    def _encrypt(self, data: bytes) -> bytes:
        """The records of the data, preceded by those that the TLS session still has to send."""
        with self._tls_lock:
            self._tls.write(data)
            return self._to_send.read()

    def _receive(self) -> bool:
        """Wait for encrypted bytes. False: the stream has ended."""
        chunk = self._plain.recv(_CHUNK_BYTES)
        self._received.write(chunk)
        return bool(chunk)

    def _flush(self) -> None:
        """Send what the TLS session has to send, such as handshake messages."""
        with self._send_lock:
            with self._tls_lock:
                encrypted = self._to_send.read()
            if encrypted:
                self._plain.sendall(encrypted)
