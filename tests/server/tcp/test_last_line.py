"""A last line without its newline: it counts where the client has ended it, and no one else did."""

import json
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from busware.server import tls
from busware.server.settings import Settings
from busware.server.tcp.server import TcpServer
from tests.conftest import WAIT_SECONDS, Database, LineClient
from tests.support.transcript import ASHA, TRAVEL_DAY

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
BOOK = {
    "bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru",
    "count": 1, "phone": ASHA,
}  # fmt: skip
BOOKING = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "book", "params": BOOK}).encode()


@pytest.fixture
def half_said(client_socket: LineClient) -> LineClient:
    """A client whose request is read by the server, but for its newline."""
    client_socket.send(PING + b"\n" + BOOKING)
    assert client_socket.receive().startswith(b'{"jsonrpc":"2.0","id":1')
    return client_socket


@pytest.fixture
def sealed(server: SimpleNamespace, settings: Settings, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """The same server once more, with TLS: its port, and what a client of it needs."""
    authority = trustme.CA()
    papers = authority.issue_cert("127.0.0.1")
    key, chain, trusted = (tmp_path / f"{name}.pem" for name in ("key", "chain", "trusted"))
    papers.private_key_pem.write_to_path(str(key))
    chain.write_bytes(b"".join(pem.bytes() for pem in papers.cert_chain_pems))
    authority.cert_pem.write_to_path(str(trusted))
    tcp = TcpServer(settings, server.operations, server.pusher, tls.server_context(chain, key))
    tcp.start()
    yield SimpleNamespace(tcp=tcp, context=tls.client_context(trusted))
    tcp.drain()


def all_of(line: LineClient) -> list[bytes]:
    """What comes up to the end of the connection."""
    return line.read().splitlines()


def booked(database: Database) -> int:
    return int(database.value("SELECT count(*) FROM passengers"))


def wait_for_end(server: SimpleNamespace) -> None:
    """Wait until nobody is connected any more."""
    for connection in list(server.tcp._connections):
        connection.thread.join(WAIT_SECONDS)
    assert not server.tcp._connections


# It counts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [b"STOP", b"bus\r\nSTOP", b"STOP\r"])
def test_plain_text_may_lack_its_newline(client_socket: LineClient, said: bytes) -> None:
    client_socket.send(said)
    client_socket.socket.shutdown(socket.SHUT_WR)
    assert all_of(client_socket)[-1] == b"STOPPED"


def test_json_may_lack_its_newline(half_said: LineClient, database: Database) -> None:
    half_said.socket.shutdown(socket.SHUT_WR)
    (reply,) = all_of(half_said)
    assert json.loads(reply)["result"]["status"] == "booked"
    assert booked(database) == 1


def test_printf_and_nc(server: SimpleNamespace) -> None:
    nc = shutil.which("nc")
    if nc is None:
        pytest.skip("there is no nc here: apt install netcat-openbsd")
    said = subprocess.run(
        [nc, "-N", server.host, str(server.port)], input=b"help", capture_output=True, timeout=WAIT_SECONDS
    )
    assert said.stdout.startswith(b"Type one of these:\n")


@pytest.mark.parametrize("nothing", [b"", b"bus\n", b"bus\n\r", b"bus\n\xff\xf4\xff\xfd", b"bus\n\xff"])
def test_nothing_is_no_line(client_socket: LineClient, nothing: bytes) -> None:
    client_socket.send(nothing)
    client_socket.socket.shutdown(socket.SHUT_WR)
    assert all_of(client_socket) == [b"Reservation or cancellation:"] * (b"bus" in nothing)


@pytest.mark.settings(max_line_bytes=2048)
def test_it_may_be_too_long(client_socket: LineClient) -> None:
    client_socket.send(b"x" * 5000)
    client_socket.socket.shutdown(socket.SHUT_WR)
    assert all_of(client_socket) == [b"The line is too long: at most 2048 bytes."]


# It does not -----------------------------------------------------------------------------------


def test_a_broken_connection_ends_no_line(
    half_said: LineClient, server: SimpleNamespace, database: Database
) -> None:
    reset = struct.pack("ii", 1, 0)  # close without a goodbye
    half_said.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
    half_said.close()
    wait_for_end(server)
    assert booked(database) == 0


@pytest.mark.settings(idle_seconds=0.5)
def test_silence_ends_no_line(half_said: LineClient, database: Database) -> None:
    assert all_of(half_said) == []
    assert booked(database) == 0


@pytest.mark.parametrize("how", ["stop", "cut"])
def test_the_server_ends_no_line(
    half_said: LineClient, server: SimpleNamespace, database: Database, how: str
) -> None:
    (connection,) = server.tcp._connections
    if how == "cut":
        connection.cut()
        wait_for_end(server)
    else:
        server.tcp.drain()
    assert all_of(half_said) == []
    assert booked(database) == 0


@pytest.mark.parametrize("with_goodbye", [True, False])
def test_with_tls_only_a_goodbye_ends_a_line(
    sealed: SimpleNamespace, database: Database, with_goodbye: bool
) -> None:
    plain = socket.create_connection(("127.0.0.1", sealed.tcp.port), WAIT_SECONDS)
    with tls.TlsSocket(plain, sealed.context, "127.0.0.1") as line:
        line.handshake()
        line.sendall(PING + b"\n" + BOOKING)
        assert line.recv(1000).startswith(b'{"jsonrpc":"2.0","id":1')
        if not with_goodbye:
            line.shutdown(socket.SHUT_WR)
            assert line.recv(1000) == b""
    wait_for_end(sealed)
    assert booked(database) == with_goodbye
