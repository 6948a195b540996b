"""The drain of the HTTP server with TLS: it waits for answers, and for nothing else."""

import logging
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from busware.server.http import HttpServer
from busware.server.tls import server_context
from tests.conftest import WAIT_SECONDS
from tests.support.line_client import wait_until


class Client:
    """A TLS client whose handshake has two steps."""

    def __init__(self, authority: trustme.CA, port: int) -> None:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        self.received, self.sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.received, self.sent, server_hostname="127.0.0.1")
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(WAIT_SECONDS)
        self.socket.connect(("127.0.0.1", port))

    def begin_handshake(self) -> None:
        """Send the first message, and receive the server's."""
        with suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        self.socket.sendall(self.sent.read())
        self.received.write(self.socket.recv(65536))

    def end_handshake(self) -> None:
        while True:
            with suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
                break
            self.received.write(self.socket.recv(65536))
        self.socket.sendall(self.sent.read())

    def send(self, path: str) -> None:
        self.tls.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.socket.sendall(self.sent.read())

    def receive(self) -> bytes:
        """Some bytes; none at the end of the connection."""
        while True:
            with suppress(ssl.SSLWantReadError):
                return self.tls.read(65536)
            self.received.write(data := self.socket.recv(65536))
            if not data:
                return b""


@pytest.fixture
def https(server: SimpleNamespace, tmp_path: Path) -> Iterator[SimpleNamespace]:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    http = HttpServer(
        server.settings, server.operations, server_context(tmp_path / "chain.pem", tmp_path / "key.pem")
    )
    http.start()
    yield SimpleNamespace(http=http, connect=lambda: Client(authority, http.port))
    http.drain()


def is_closed(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), WAIT_SECONDS).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("state", ["idle", "in its handshake", "after a handshake in the drain"])
def test_a_client_that_does_nothing_delays_no_drain(
    https: SimpleNamespace, caplog: pytest.LogCaptureFixture, state: str
) -> None:
    client = https.connect()
    client.begin_handshake()
    if state == "idle":
        client.end_handshake()
        client.send("/healthz")
        assert client.receive().startswith(b"HTTP/1.1 200")
    drain = threading.Thread(target=https.http.drain)
    drain.start()
    wait_until(lambda: is_closed(https.http.port))
    if state == "after a handshake in the drain":
        client.end_handshake()
    drain.join()
    client.socket.close()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_slow_client_gets_its_whole_answer_in_the_drain(https: SimpleNamespace) -> None:
    client = https.connect()
    client.begin_handshake()
    client.end_handshake()
    client.send("/schema")
    answer = client.receive()
    drain = threading.Thread(target=https.http.drain)
    drain.start()
    wait_until(lambda: is_closed(https.http.port))
    length = int(re.findall(rb"content-length: (\d+)", answer)[0])
    while data := client.receive():
        answer += data
    drain.join()
    client.socket.close()
    assert len(answer.partition(b"\r\n\r\n")[2]) == length > 65536
