"""The PROXY protocol: behind a named balancer, a client has the address in the header. Limits by address."""

import ipaddress
import logging
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from busware.server.setting_kinds import Networks
from busware.server.settings import Settings
from busware.server.tcp.server import TcpServer
from busware.server.tls import server_context
from tests.conftest import WAIT_SECONDS, LineClient
from tests.support.line_client import wait_until

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
TCP4, TCP6 = 0x11, 0x21
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
PONG = b'{"jsonrpc":"2.0","id":1,"result":'
SAY = {"jsonrpc": "2.0", "id": 1, "method": "say", "params": {"text": "Hello."}}
FULL = (
    b'{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"There are too many clients from your '
    b'address: nothing was done, try again later.","data":{"reason":"busy"}}}'
)


def networks(*names: str) -> Networks:
    return tuple(map(ipaddress.ip_network, names))


LOOPBACK = networks("127.0.0.0/8")
behind_a_balancer = pytest.mark.settings(tcp_proxies=LOOPBACK)


def header(source: str, port: int = 4711, *, command: int = PROXY, more: bytes = b"") -> bytes:
    """A header. more: the fields after the addresses."""
    ip = ipaddress.ip_address(source)
    family = TCP4 if ip.version == 4 else TCP6
    body = ip.packed + bytes(len(ip.packed)) + struct.pack("!HH", port, 9999) + more
    return SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


def connected(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The addresses of the clients that have connected, with their ports, as logged."""
    messages = [record.getMessage() for record in caplog.records]
    return [text.split("(")[1].split(")")[0] for text in messages if text.endswith(" connected")]


# The header ------------------------------------------------------------------------------------


@behind_a_balancer
@pytest.mark.parametrize(
    ("start", "address"),
    [
        (header("192.0.2.7"), "192.0.2.7:4711"),
        (header("2001:db8::7"), "2001:db8::7:4711"),
        (header("::ffff:192.0.2.7"), "192.0.2.7:4711"),
        (header("192.0.2.7", more=b"\x04\x00\x03abc" * 100), "192.0.2.7:4711"),
        (header("192.0.2.7", command=LOCAL), ""),  # a connection of the balancer itself
        (SIGNATURE + b"\x20\x00\x00\x00", ""),
        (SIGNATURE + b"\x21\x00\x00\x00", ""),  # a client without a known address
        (SIGNATURE + b"\x21\x31\x00\xd8" + bytes(216), ""),  # a client of a Unix socket
    ],
)
def test_client_has_the_address_in_the_header(
    client_socket: LineClient, caplog: pytest.LogCaptureFixture, start: bytes, address: str
) -> None:
    caplog.set_level(logging.DEBUG, "busware.tcp")
    client_socket.send(start + PING)
    assert client_socket.receive().startswith(PONG)
    assert connected(caplog) == [address or client_socket.address]


@behind_a_balancer
def test_header_may_arrive_byte_by_byte_and_with_the_first_line(client_socket: LineClient) -> None:
    client_socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    start = header("192.0.2.7")
    for byte in start[:-1]:
        client_socket.send(bytes([byte]))
    client_socket.send(start[-1:] + PING)
    assert client_socket.receive().startswith(PONG)


@behind_a_balancer
@pytest.mark.parametrize(
    ("start", "why"),
    [
        (PING, "it does not begin with a header of the PROXY protocol, version 2"),
        (b"\r\nhelp\r\n", "it does not begin with a header of the PROXY protocol, version 2"),
        (
            b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 9999\r\n",
            "it sends version 1 of the PROXY protocol: configure",
        ),
        (SIGNATURE + b"\x11\x11\x00\x0c", "its PROXY header has the unknown version and command 0x11"),
        (SIGNATURE + b"\x22\x11\x00\x0c", "its PROXY header has the unknown version and command 0x22"),
        (SIGNATURE + b"\x21\x11\x10\x01", "its PROXY header is longer than 4096 bytes"),
        (SIGNATURE + b"\x21\x11\x00\x04\x00\x00\x00\x00", "its PROXY header is too short for its addresses"),
    ],
)
def test_connection_of_a_balancer_without_a_valid_header_is_closed(
    client_socket: LineClient, caplog: pytest.LogCaptureFixture, start: bytes, why: str
) -> None:
    client_socket.send(start)
    with suppress(ConnectionResetError):  # bytes of the client were not read
        assert client_socket.receive() == b""
    wait_until(lambda: caplog.text)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"client 1 ({client_socket.address}) was closed: {why}")


@pytest.mark.settings(tcp_proxies=LOOPBACK, send_seconds=0.2)
def test_header_that_does_not_arrive_is_logged(
    client_socket: LineClient, caplog: pytest.LogCaptureFixture
) -> None:
    client_socket.send(header("192.0.2.7")[:-1])
    assert client_socket.receive() == b""
    assert "its PROXY header did not arrive within send_seconds" in caplog.text


@behind_a_balancer
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (header("192.0.2.7", command=LOCAL), "left after 0 lines"),
        (b"", "was lost (it ended before the end of its PROXY header)"),
    ],
)
def test_health_check_is_logged_for_debugging_only(
    connect: Callable[[], LineClient], caplog: pytest.LogCaptureFixture, start: bytes, end: str
) -> None:
    caplog.set_level(logging.DEBUG, "busware.tcp")
    client = connect()
    client.send(start)
    client.close()
    wait_until(lambda: end in caplog.text)
    assert {record.levelname for record in caplog.records} == {"DEBUG"}


@pytest.mark.settings(tcp_proxies=networks("192.0.2.0/24"))
def test_bytes_of_a_header_from_another_address_are_data_of_a_client(
    connect: Callable[[], LineClient], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "busware.tcp")
    client = connect()
    client.send(PING + header("192.0.2.7"))
    assert client.receive().startswith(PONG)
    assert client.read().endswith(b"STOPPED\n")  # the signature of a header has the line QUIT
    assert connected(caplog) == [client.address]


@behind_a_balancer
def test_header_comes_before_tls(
    server: SimpleNamespace, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "busware.tcp")
    authority = trustme.CA()
    issued, files = authority.issue_cert("127.0.0.1"), (tmp_path / "certificate.pem", tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(files[0])
    issued.private_key_pem.write_to_path(files[1])
    tcp = TcpServer(settings, server.operations, server.pusher, server_context(*files))
    tcp.start()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    try:
        plain = socket.create_connection(("127.0.0.1", tcp.port), timeout=WAIT_SECONDS)
        plain.sendall(header("192.0.2.7"))
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as client:
            client.sendall(PING)
            assert client.recv(4096).startswith(PONG)
    finally:
        tcp.drain()
    assert connected(caplog) == ["192.0.2.7:4711"]


# Limits by address -----------------------------------------------------------------------------


@pytest.mark.settings(says_per_minute=1, tcp_proxies=LOOPBACK)
def test_rate_limits_count_the_address_in_the_header(connect: Callable[[], LineClient]) -> None:
    outcomes = []
    for source in ("192.0.2.7", "192.0.2.7", "192.0.2.8"):
        client = connect()
        client.send(header(source))
        outcomes.append("result" in client.ask(SAY))
    assert outcomes == [True, False, True]


@pytest.mark.settings(clients_per_address=2)
def test_clients_of_an_address_beyond_the_limit_are_refused(
    connect: Callable[[], LineClient], caplog: pytest.LogCaptureFixture
) -> None:
    first, second = connect(), connect()
    assert first.ask(PING) == second.ask(PING)
    third = connect()
    assert third.receive() == FULL
    assert third.receive() == b""
    assert f"refused {third.address}: there are 2 clients from its address" in caplog.text
    first.socket.shutdown(socket.SHUT_WR)
    assert first.receive() == b""
    assert connect().ask(PING) == second.ask(PING)


@pytest.mark.settings(clients_per_address=1, exempt_networks=LOOPBACK)
def test_exempt_network_has_no_limit_of_clients(connect: Callable[[], LineClient]) -> None:
    clients = [connect() for _ in range(3)]
    assert all("result" in client.ask(PING) for client in clients)


@pytest.mark.settings(clients_per_address=1, tcp_proxies=LOOPBACK)
@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        (header("192.0.2.7"), header("192.0.2.7"), True),
        (header("192.0.2.7"), header("192.0.2.8"), False),
        (header("2001:db8:0:1::7"), header("2001:db8:0:1::8"), True),  # of one customer
        (header("2001:db8:0:1::7"), header("2001:db8:0:2::7"), False),
        (header("192.0.2.7", command=LOCAL), header("192.0.2.7", command=LOCAL), False),
    ],
)
def test_limit_of_clients_counts_the_address_in_the_header_and_not_the_balancer(
    connect: Callable[[], LineClient], first: bytes, second: bytes, refused: bool
) -> None:
    client, other = connect(), connect()
    client.send(first + PING)
    assert client.receive().startswith(PONG)
    other.send(second)
    if refused:
        assert other.receive() == FULL
    else:
        assert "result" in other.ask(PING)
