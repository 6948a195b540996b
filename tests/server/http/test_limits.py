"""The limits of the HTTP server on heads, bodies, connections and failed credentials, and its timeouts."""

import asyncio
import itertools
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from ipaddress import ip_network
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from tests.conftest import Clock, Database
from tests.server.http.test_http import BOOK, PHONE, problem
from tests.support.http_client import HttpClient
from tests.support.line_client import wait_until

PING = b"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def raw(http: HttpClient) -> Iterator[socket.socket]:
    """A TCP connection to the HTTP server."""
    url = urlsplit(http.url)
    with socket.create_connection((url.hostname, url.port), timeout=20) as connection:
        yield connection


def read_all(connection: socket.socket) -> bytes:
    """The bytes up to the end of the connection."""
    chunks = []
    while chunk := connection.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def read_answer(connection: socket.socket) -> bytes:
    """The next answer; b"" if the connection has ended."""
    received = b""
    while not (head := re.match(rb"(?is).*?\r\ncontent-length: (\d+)\r\n.*?\r\n\r\n", received)) or (
        len(received) < head.end() + int(head[1])
    ):
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        received += chunk
    return received


@pytest.mark.settings(write_queue=1)
def test_busy_has_retry_after(http: HttpClient, server: SimpleNamespace, database: Database) -> None:
    with database.connect(autocommit=False) as locking:
        locking.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = '2026-12-02' FOR UPDATE")
        waiting = threading.Thread(target=http.call, args=("POST", "/v1/bookings"), kwargs={"json": BOOK})
        waiting.start()
        wait_until(lambda: server.writer.waiting)
        answer = http.call("POST", "/v1/bookings", json=BOOK)
        locking.commit()
    waiting.join()
    assert problem(answer) == (503, "busy")
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.settings(attempts_per_booking=2)
def test_rate_limit_has_retry_after(http: HttpClient, clock: Clock) -> None:
    location = http.call("POST", "/v1/bookings", json=BOOK).headers["Location"]
    for _ in range(2):
        assert problem(http.call("GET", location, params={"phone": "9880099000"})) == (404, "unknown_booking")
    refused = http.call("GET", location, params=PHONE)
    assert problem(refused) == (429, "not_allowed")
    assert refused.headers["Retry-After"] == "1"
    clock.advance(minutes=15)
    assert http.call("GET", location, params=PHONE).status_code == 200


@pytest.mark.settings(http_header_bytes=2048)
@pytest.mark.parametrize(
    "head", ["GET /%s HTTP/1.1\r\n", "GET / HTTP/1.1\r\nX: %s", "GET / HTTP/1.1\r\n%s: x"]
)
def test_long_head_is_431(http: HttpClient, raw: socket.socket, head: str) -> None:
    raw.sendall((head % ("x" * 3000)).encode())
    assert read_all(raw).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


@pytest.mark.settings(http_header_bytes=2048)
def test_many_small_headers_are_431(raw: socket.socket) -> None:
    raw.sendall(b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 2000 + b"\r\n")
    assert read_all(raw).startswith(b"HTTP/1.1 431 ")


@pytest.mark.settings(http_header_bytes=2048)
@pytest.mark.parametrize("sent", [b"5;%s", b"0\r\nX: %s", b"0\r\n%s"], ids=["chunk", "value", "name"])
def test_long_line_after_a_head_is_431(raw: socket.socket, sent: bytes) -> None:
    head = b"POST /v1/bookings HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    raw.sendall(head + b"2\r\n{}\r\n" + sent % (b"x" * 6000))
    assert read_all(raw).startswith(b"HTTP/1.1 431 ")


@pytest.mark.settings(http_header_bytes=2048)
def test_body_does_not_count_as_head(http: HttpClient) -> None:
    for _ in range(2):  # on one connection
        answer = http.call("POST", "/v1/bookings", data=json.dumps(BOOK).encode() + b" " * 60_000)
        assert answer.status_code in (201, 409)


@pytest.mark.settings(http_read_seconds=0.1)
@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /heal", b"POST /v1/bookings HTTP/1.1\r\nContent-Length: 10\r\n\r\n{"],
    ids=["nothing", "half a head", "half a body"],
)
def test_slow_request_is_408(raw: socket.socket, sent: bytes) -> None:
    raw.sendall(sent)
    response = read_all(raw)
    assert response.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"\r\nconnection: close\r\n" in response.lower()


@pytest.mark.settings(http_idle_seconds=1)
def test_idle_connection_is_closed(raw: socket.socket) -> None:
    raw.sendall(PING)
    assert read_all(raw).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.settings(http_idle_seconds=1)
def test_line_ends_between_requests_do_not_keep_a_connection_open(raw: socket.socket) -> None:
    raw.sendall(PING)
    assert read_answer(raw).startswith(b"HTTP/1.1 200 OK")
    raw.sendall(b"\r\n")
    assert read_all(raw) == b""


# Connections ----------------------------------------------------------------------------------


def connect_from(address: str, http: HttpClient) -> socket.socket:
    """A TCP connection to the HTTP server from an address of this machine."""
    url = urlsplit(http.url)
    return socket.create_connection((url.hostname, url.port), timeout=20, source_address=(address, 0))


def ping(connection: socket.socket) -> bytes:
    """The answer to a ping; b"" if the connection has ended."""
    with suppress(ConnectionError):
        connection.sendall(PING)
        return read_answer(connection)
    return b""


@pytest.mark.settings(http_connections=1)
def test_connection_past_the_limit_is_503(http: HttpClient, raw: socket.socket) -> None:
    post = b"POST /v1/bookings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
    raw.sendall(post + b"Expect: 100-continue\r\n\r\n")
    assert raw.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"  # so this connection is not idle
    assert problem(http.call("GET", "/healthz")) == (503, "busy")
    raw.sendall(b"{}")
    assert read_answer(raw).startswith(b"HTTP/1.1 400 Bad Request")


@pytest.mark.settings(http_connections=3)
def test_the_oldest_idle_connection_of_the_address_with_most_is_closed_for_a_new_one(
    http: HttpClient,
) -> None:
    with ExitStack() as stack:
        older, newer = (stack.enter_context(connect_from("127.0.0.2", http)) for _ in range(2))
        other = stack.enter_context(connect_from("127.0.0.3", http))
        for connection in (other, older, newer):
            assert ping(connection)
        assert http.call("GET", "/healthz").status_code == 200
        assert [bool(ping(connection)) for connection in (other, older, newer)] == [True, False, True]


@pytest.mark.settings(http_connections_per_address=2)
def test_connections_of_one_address_are_limited(http: HttpClient) -> None:
    with connect_from("127.0.0.2", http) as first, connect_from("127.0.0.2", http) as second:
        assert ping(first) and ping(second)
        with connect_from("127.0.0.2", http) as third:
            assert read_all(third).startswith(b"HTTP/1.1 503 Service Unavailable")
        assert http.call("GET", "/healthz").status_code == 200
        second.close()
        wait_until(lambda: ping_from_a_new_connection(http).startswith(b"HTTP/1.1 200 OK"))


def ping_from_a_new_connection(http: HttpClient) -> bytes:
    with connect_from("127.0.0.2", http) as connection:
        return ping(connection)


@pytest.mark.parametrize(
    "exemption",
    [
        pytest.param(None, marks=pytest.mark.settings(http_proxies="127.0.0.2"), id="proxy"),
        pytest.param(
            None, marks=pytest.mark.settings(exempt_networks=(ip_network("127.0.0.2/32"),)), id="network"
        ),
    ],
)
@pytest.mark.settings(http_connections_per_address=1)
def test_connections_of_proxies_and_exempt_networks_are_not_limited_by_address(
    http: HttpClient, exemption: None
) -> None:
    with connect_from("127.0.0.2", http) as first, connect_from("127.0.0.2", http) as second:
        assert ping(first) and ping(second)


# Requests on one connection ---------------------------------------------------------------------


def test_requests_sent_ahead_are_answered_in_order(raw: socket.socket) -> None:
    book = json.dumps(BOOK).replace(", ", ",\r\n\r\n").encode()  # the body contains the end of a head
    post = b"POST /v1/bookings HTTP/1.1\r\nHost: localhost\r\n"
    chunks = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(book), book)
    length = b"Content-Length: %d\r\n\r\n%s" % (len(book), book)
    round_of_requests = PING + post + chunks + b"GET /none HTTP/1.1\r\n\r\n" + post + length
    requests_sent = round_of_requests * 100 + PING.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    sending = threading.Thread(target=raw.sendall, args=(requests_sent,))
    sending.start()
    answers = read_all(raw)
    sending.join()
    statuses = [int(status) for status in re.findall(rb"(?:^|})HTTP/1\.1 (\d+)", answers)]
    assert len(statuses) == 401
    assert statuses[:5] == [200, 201, 404, 409, 200]
    assert statuses[5:] == [409, 404, 409, 200] * 99


def test_request_is_parsed_only_after_the_previous_answer(raw: socket.socket) -> None:
    raw.sendall(PING * 3 + b"nonsense\r\n\r\n")
    statuses = re.findall(rb"HTTP/1\.1 (\d+)", read_all(raw))
    assert statuses == [b"200", b"200", b"200", b"400"]


def test_requests_sent_ahead_by_one_address_are_parsed_in_turns_of_the_event_loop(http: HttpClient) -> None:
    loop, turns, count = http.server._loop, itertools.count(), 20

    async def count_turns() -> None:
        while True:
            next(turns)
            await asyncio.sleep(0)

    with ExitStack() as stack:
        connections = [stack.enter_context(connect_from("127.0.0.2", http)) for _ in range(count)]
        counting = asyncio.run_coroutine_threadsafe(count_turns(), loop)
        stack.callback(counting.cancel)
        for connection in connections:
            connection.sendall(PING * (count - 1) + PING[:-2] + b"Connection: close\r\n\r\n")
        for connection in connections:
            assert read_all(connection).count(b"HTTP/1.1 200") == count
        # the first request of a connection is parsed when it arrives, each of the others in a turn of its own
        assert next(turns) >= count * (count - 1)


def test_trailers_after_a_body_are_ignored(raw: socket.socket) -> None:
    book = json.dumps(BOOK).encode()
    head = b"POST /v1/bookings HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    trailers = b"Authorization: Bearer none\r\n" + b"X: y\r\n" * 10_000
    raw.sendall(head + b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(book), book, trailers))
    assert read_answer(raw).startswith(b"HTTP/1.1 201 Created")
    assert ping(raw).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("name", ["Idempotency-Key", "Authorization", "Host", "Origin", "Content-Type"])
def test_repeated_header_is_400(http: HttpClient, raw: socket.socket, database: Database, name: str) -> None:
    book = json.dumps(BOOK).encode()
    head = f"POST /v1/bookings HTTP/1.1\r\nContent-Length: {len(book)}\r\n{name}: a\r\n{name}: b\r\n\r\n"
    raw.sendall(head.encode() + book)
    answer = read_answer(raw)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")
    assert f"The header {name} is repeated: send it once.".encode() in answer
    assert database.value("SELECT count(*) FROM passengers") == 0


@pytest.mark.parametrize("sent_at_once", [True, False])
@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_another_protocol_is_not_offered(raw: socket.socket, protocol: bytes, sent_at_once: bool) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHTTP2-Settings: AA\r\n" % protocol
    book = json.dumps(BOOK).encode()
    post = b"POST /v1/bookings HTTP/1.1\r\nHost: localhost\r\n"
    length = b"Content-Length: %d\r\n\r\n%s" % (len(book), book)
    chunks = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(book), book)
    requests_sent = [PING[:-2] + upgrade + b"\r\n", post + upgrade + length, post + upgrade + chunks, PING]
    if sent_at_once:
        raw.sendall(b"".join([*requests_sent[:-1], b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"]))
        statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", read_all(raw))]
        assert statuses == [200, 201, 409, 404]
    else:
        for sent, status in zip(requests_sent, (b"200", b"201", b"409", b"200"), strict=True):
            for byte in sent:
                raw.sendall(bytes((byte,)))
            assert read_answer(raw).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("head_end", [b" HTTP/1.1\r\nConnection: close\r\nHost: localhost", b" HTTP/1.0"])
def test_last_request_that_asks_for_another_protocol_is_answered(raw: socket.socket, head_end: bytes) -> None:
    upgrade = b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    book = json.dumps(BOOK).encode()
    raw.sendall(b"POST /v1/bookings" + head_end + upgrade + b"Content-Length: %d\r\n\r\n" % len(book) + book)
    assert read_all(raw).startswith(b"HTTP/1.1 201 Created")


@pytest.mark.parametrize("target", [b"localhost:80", b"/v1/ping", b"http://localhost/v1/ping"])
def test_connect_is_refused(raw: socket.socket, target: bytes) -> None:
    raw.sendall(b"CONNECT %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target)
    assert read_all(raw).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_bytes_that_are_not_http_are_400(raw: socket.socket) -> None:
    raw.sendall(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    assert read_all(raw).startswith(b"HTTP/1.1 400 Bad Request\r\n")
