"""The limits of the HTTP server on heads, bodies, connections and failed credentials, and its timeouts."""

import json
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from tests.conftest import Clock, Database
from tests.server.http.test_http import BOOK, PHONE, problem
from tests.support.http_client import HttpClient
from tests.support.line_client import wait_until


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
    assert refused.headers["Retry-After"] == "900"
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
    raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert read_all(raw).endswith(b'{"status":"ok"}')


@pytest.mark.settings(http_connections=1)
def test_connection_past_the_limit_is_503(http: HttpClient, raw: socket.socket) -> None:
    raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert raw.recv(65536).startswith(b"HTTP/1.1 200 OK")
    answer = http.call("GET", "/healthz")
    assert problem(answer) == (503, "busy")


def test_bytes_that_are_not_http_are_400(raw: socket.socket) -> None:
    raw.sendall(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    assert read_all(raw).startswith(b"HTTP/1.1 400 Bad Request\r\n")
