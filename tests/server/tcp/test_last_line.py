"""The last line of a stream without a newline: executed only if the client itself has ended the stream."""

import json
import logging
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from busware.server import tls
from busware.server.settings import Settings
from busware.server.tcp.send_buffer import SendBuffer
from busware.server.tcp.server import TcpServer
from tests.conftest import WAIT_SECONDS, Database, LineClient
from tests.support.line_client import reset_on_close, wait_until
from tests.support.pushing import Console
from tests.support.transcript import ASHA, TRAVEL_DAY

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
BOOK = {
    "bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru",
    "count": 1, "phone": ASHA,
}  # fmt: skip
BOOKING = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "book", "params": BOOK}).encode()


@pytest.fixture
def incomplete(client_socket: LineClient) -> LineClient:
    """A client that has sent a request without its newline."""
    client_socket.send(PING + b"\n" + BOOKING)
    assert client_socket.receive().startswith(b'{"jsonrpc":"2.0","id":1')
    return client_socket


@pytest.fixture
def tls_server(server: SimpleNamespace, settings: Settings, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A second TCP server, with TLS: `.tcp`, and `.context` for its clients."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    key, chain, trusted = (tmp_path / f"{name}.pem" for name in ("key", "chain", "trusted"))
    certificate.private_key_pem.write_to_path(str(key))
    chain.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    authority.cert_pem.write_to_path(str(trusted))
    tcp = TcpServer(settings, server.operations, server.pusher, tls.server_context(chain, key))
    tcp.start()
    yield SimpleNamespace(tcp=tcp, context=tls.client_context(trusted))
    tcp.drain()


def read_lines(client: LineClient) -> list[bytes]:
    """The lines up to the end of the connection."""
    return client.read().splitlines()


def count_tickets(database: Database) -> int:
    return int(database.value("SELECT count(*) FROM passengers"))


def wait_for_disconnects() -> None:
    """Wait until no client is connected, which is when no thread of a client runs."""
    wait_until(lambda: not any(thread.name.startswith("client ") for thread in threading.enumerate()))


# Executed --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [b"STOP", b"bus\r\nSTOP", b"STOP\r"])
def test_a_last_line_of_plain_text_without_a_newline_is_executed(
    client_socket: LineClient, text: bytes
) -> None:
    client_socket.send(text)
    client_socket.socket.shutdown(socket.SHUT_WR)
    assert read_lines(client_socket)[-1] == b"STOPPED"


def test_a_last_line_of_json_without_a_newline_is_executed(
    incomplete: LineClient, database: Database
) -> None:
    incomplete.socket.shutdown(socket.SHUT_WR)
    (reply,) = read_lines(incomplete)
    assert json.loads(reply)["result"]["status"] == "booked"
    assert count_tickets(database) == 1


def test_a_last_line_from_nc_is_executed(server: SimpleNamespace) -> None:
    nc = shutil.which("nc")
    if nc is None:
        pytest.skip("nc is not installed: apt install netcat-openbsd")
    nc_run = subprocess.run(
        [nc, "-N", server.host, str(server.port)], input=b"help", capture_output=True, timeout=WAIT_SECONDS
    )
    assert nc_run.stdout.startswith(b"Commands:\n")


@pytest.mark.parametrize("text", [b"", b"bus\n", b"bus\n\r", b"bus\n\xff\xf4\xff\xfd", b"bus\n\xff"])
def test_an_empty_last_line_is_ignored(client_socket: LineClient, text: bytes) -> None:
    client_socket.send(text)
    client_socket.socket.shutdown(socket.SHUT_WR)
    question = [b"1 reservation, 2 cancellation", b"Reservation or cancellation:"]
    assert read_lines(client_socket) == question * (b"bus" in text)


@pytest.mark.settings(max_line_bytes=2048)
def test_a_last_line_that_is_too_long(client_socket: LineClient) -> None:
    client_socket.send(b"x" * 5000)
    client_socket.socket.shutdown(socket.SHUT_WR)
    assert read_lines(client_socket) == [b"The line is too long: at most 2048 bytes."]


# Discarded -------------------------------------------------------------------------------------


def test_an_incomplete_line_is_discarded_after_a_reset(incomplete: LineClient, database: Database) -> None:
    reset_on_close(incomplete.socket)
    incomplete.close()
    wait_for_disconnects()
    assert count_tickets(database) == 0


@pytest.mark.settings(idle_seconds=0.5)
def test_an_incomplete_line_is_discarded_after_idle_seconds(
    incomplete: LineClient, database: Database
) -> None:
    assert read_lines(incomplete) == []
    assert count_tickets(database) == 0


def test_an_incomplete_line_is_discarded_when_the_server_drains(
    incomplete: LineClient, server: SimpleNamespace, database: Database
) -> None:
    server.tcp.drain()
    assert read_lines(incomplete) == []
    assert count_tickets(database) == 0


@pytest.mark.settings(outbox_bytes=4096)
def test_an_incomplete_line_is_discarded_when_the_server_disconnects_the_client(
    incomplete: LineClient, console: Console, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    incomplete.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for _ in range(2000):
        if "was disconnected" in caplog.text:
            break
        console.notice("x" * 1900)
    wait_for_disconnects()
    assert "does not read what is pushed to it" in caplog.text
    assert count_tickets(database) == 0


def test_a_push_to_a_client_that_has_left_is_not_reported_as_unread(caplog: pytest.LogCaptureFixture) -> None:
    mine, theirs = socket.socketpair()
    buffer = SendBuffer("client 1", mine, max_bytes=4096)
    theirs.close()
    buffer.push(b"news\n")
    buffer.close()
    assert (buffer.is_shut_down, caplog.text) == (True, "")


@pytest.mark.settings(send_seconds=0.05)
def test_a_client_that_is_silent_during_the_handshake_is_disconnected(
    tls_server: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with socket.create_connection(("127.0.0.1", tls_server.tcp.port), WAIT_SECONDS) as silent:
        assert silent.recv(1) == b""
    wait_for_disconnects()
    assert "was lost (the TLS handshake waited for the client for send_seconds)" in caplog.text
    assert "idle_seconds" not in caplog.text


@pytest.mark.parametrize("with_close_notify", [True, False])
def test_an_incomplete_line_is_discarded_without_the_close_notify_of_tls(
    tls_server: SimpleNamespace, database: Database, with_close_notify: bool
) -> None:
    plain = socket.create_connection(("127.0.0.1", tls_server.tcp.port), WAIT_SECONDS)
    with tls.TlsSocket(plain, tls_server.context, "127.0.0.1") as line:
        line.handshake()
        line.sendall(PING + b"\n" + BOOKING)
        assert line.recv(1000).startswith(b'{"jsonrpc":"2.0","id":1')
        if not with_close_notify:
            line.shutdown(socket.SHUT_WR)
            assert line.recv(1000) == b""
    wait_for_disconnects()
    assert count_tickets(database) == with_close_notify
