"""Clients that send wrong bytes or disconnect too early: the server logs no warning for them."""

import json
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from busware.server import tls
from busware.server.http import HttpServer
from busware.server.logs import TextFormatter
from tests.conftest import WAIT_SECONDS, Database
from tests.support.http_client import HttpClient
from tests.support.line_client import reset_on_close, wait_until

HEAD = b"Host: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /v1/places HTTP/1.1\r\n" + HEAD + b"\r\n"
STREAM = (
    b"GET /v1/trips/1/seats?travel_date=2026-12-02&origin=Bengaluru&destination=Mysuru HTTP/1.1\r\n"
    b"Accept: text/event-stream\r\n" + HEAD + b"\r\n"
)


def post(path: bytes, rest: bytes) -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\n" + HEAD + rest


SENT = {  # what a client sends before it disconnects
    "in a body": post(b"/v1/bookings", b'Content-Length: 100\r\n\r\n{"'),
    "in a body for the hotel": post(b"/hotel/book", b'Content-Length: 100\r\n\r\n{"'),
    "in a chunk": post(b"/v1/bookings", b"Transfer-Encoding: chunked\r\n\r\n50\r\n{"),
    "before a body": post(b"/v1/bookings", b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n"),
    "before the answers": GET * 5,
    "in the second request": GET + GET[:20],
    "in an event stream": STREAM,
    "after wrong bytes": b"\x16\x03\x01wrong\r\n\r\n",
    "after a wrong chunk": post(b"/v1/bookings", b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{"),
    "after a wrong upgrade": b"GET /v1/places HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
}


def reset(connection: socket.socket) -> None:
    """Close a connection with RST."""
    reset_on_close(connection)
    connection.close()


@pytest.fixture
def https(server: SimpleNamespace, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """The HTTP server with TLS: `.port`, `.context` for its clients, and `.drain()`."""
    certificate = trustme.CA().issue_cert("localhost")
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    certificate.private_key_pem.write_to_path(str(key))
    chain.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    http = HttpServer(server.settings, server.operations, tls.server_context(chain, key))
    http.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    yield SimpleNamespace(port=http.port, context=context, drain=http.drain)
    http.drain()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The messages of level WARNING and above."""
    return [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]


@pytest.mark.parametrize("close", [socket.socket.close, reset])
def test_a_client_that_leaves_causes_no_warning(
    http: HttpClient, caplog: pytest.LogCaptureFixture, close: Callable[[socket.socket], None]
) -> None:
    for sent in SENT.values():
        connection = socket.create_connection(("127.0.0.1", http.server.port), WAIT_SECONDS)
        connection.sendall(sent)
        close(connection)
    assert http.call("GET", "/v1/places").status_code == 200
    http.server.drain()  # returns when each answer is written or its connection is closed
    assert warnings(caplog) == []


@pytest.mark.parametrize("close", [socket.socket.close, reset])
@pytest.mark.parametrize("with_close_notify", [True, False])
def test_a_client_that_leaves_tls_causes_no_warning(
    https: SimpleNamespace,
    caplog: pytest.LogCaptureFixture,
    close: Callable[[socket.socket], None],
    with_close_notify: bool,
) -> None:
    for sent in SENT.values():
        plain = socket.create_connection(("127.0.0.1", https.port), WAIT_SECONDS)
        connection = https.context.wrap_socket(plain)
        connection.sendall(sent)
        if with_close_notify:
            connection.settimeout(0)
            with pytest.raises((ssl.SSLWantReadError, OSError)):
                connection.unwrap()
        close(connection)
    for sent in (b"", GET, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x16\x03\x01\x00\x05hello"):
        plain = socket.create_connection(("127.0.0.1", https.port), WAIT_SECONDS)
        plain.sendall(sent)
        close(plain)
    last = https.context.wrap_socket(socket.create_connection(("127.0.0.1", https.port), WAIT_SECONDS))
    with last:  # answered after all handshakes
        last.sendall(GET)
        assert last.recv(12) == b"HTTP/1.1 200"
    https.drain()
    assert warnings(caplog) == []


@pytest.mark.settings(event_streams=1)
@pytest.mark.parametrize(
    "pipelined",
    [
        pytest.param(GET, id="one"),
        pytest.param(GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n{}") + GET, id="two"),
    ],
)
def test_an_event_stream_with_pipelined_requests_ends_with_its_connection(
    http: HttpClient, pipelined: bytes
) -> None:
    connection = socket.create_connection(("127.0.0.1", http.server.port), WAIT_SECONDS)
    connection.sendall(STREAM.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n{}") + pipelined)
    assert connection.recv(12) == b"HTTP/1.1 200"
    connection.close()
    stream = {"headers": {"Accept": "text/event-stream"}, "stream": True}
    path = STREAM.split()[1].decode()
    wait_until(lambda: http.call("GET", path, **stream).status_code == 200)


@pytest.mark.settings(http_connections=4, http_connections_per_address=2)
def test_refused_connections_that_do_not_end_tls_do_not_count(https: SimpleNamespace) -> None:
    def connect(address: str) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", https.port), WAIT_SECONDS, (address, 0))
        return stack.enter_context(https.context.wrap_socket(plain))

    with ExitStack() as stack:
        admitted = [connect("127.0.0.2") for _ in range(2)]
        for connection in admitted:
            connection.sendall(SENT["before a body"])
            assert connection.recv(12) == b"HTTP/1.1 100"  # so this connection is not idle
        for _ in range(4):
            assert connect("127.0.0.2").recv(12) == b"HTTP/1.1 503"
        other = connect("127.0.0.3")
        other.sendall(GET)
        assert other.recv(12) == b"HTTP/1.1 200"


@pytest.mark.settings(reread_seconds=0.05, event_pause_ms=1)
def test_an_internal_error_of_an_event_stream_is_its_last_event(
    http: HttpClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", http.server.port), WAIT_SECONDS) as connection:
        stream = connection.makefile("rb")
        connection.sendall(STREAM)
        assert b"event: seats\n" in stream
        database.query("ALTER FUNCTION api.read RENAME TO read_no_more")
        assert b"event: problem\n" in stream  # reads up to this line
        event = json.loads(stream.readline().removeprefix(b"data: "))
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert (event["status"], event["request_id"]) == (500, record.__dict__["request_id"])


def test_the_path_of_a_failed_request_is_logged_in_one_line(
    http: HttpClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.query("ALTER FUNCTION api.read RENAME TO read_no_more")
    answer = http.call("GET", "/v1/bookings/AB\u2028CD\u202e", params={"phone": "98450 12345"})
    assert answer.status_code == 500
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.__dict__["request_id"] == answer.json()["request_id"]
    assert r"failed: GET /v1/bookings/AB\u2028CD\u202e | Traceback" in TextFormatter().format(record)


def test_a_problem_repeats_a_path_without_control_characters(http: HttpClient) -> None:
    detail = http.call("GET", "/v1/places%0d%0a%1b[2J%c2%9b").json()["detail"]
    assert detail == "There is nothing at /v1/places[2J; see /schema."
