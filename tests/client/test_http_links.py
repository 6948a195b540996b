"""The HTTP connections of both clients read the same responses."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from busware import async_http_link, http_link
from tests.conftest import WAIT_SECONDS

RESPONSES = {
    "a body of a given length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "an error": b"HTTP/1.1 404 Not Found\r\nContent-Type: x\r\nContent-Length: 4\r\n\r\nnone",
    "no body": b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n"
    b"0\r\n\r\n",
    "a response that closes": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
    "a body up to the end": b"HTTP/1.0 200 OK\r\n\r\nall of it",
    "an interim response first": b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    "a body that is cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "nothing": b"",
}


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], int]]:
    """Starts a server that reads a request, sends a response and closes. Answers its port."""
    threads = []

    def serve(response: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))

        def answer() -> None:
            with listener, listener.accept()[0] as line:
                request = b""
                while not request.endswith(b"\r\n\r\n{}"):
                    chunk = line.recv(65536)
                    assert chunk, "the client has closed the connection"
                    request += chunk
                line.sendall(response)

        threads.append(threading.Thread(target=answer))
        threads[-1].start()
        return int(listener.getsockname()[1])

    yield serve
    for thread in threads:
        thread.join(WAIT_SECONDS)


ASKS = ("POST", "/v1/bookings", b"{}", {"Accept": "application/json"}, WAIT_SECONDS)


def read(port: int) -> tuple[int, bytes, bool] | str:
    """What the synchronous link reads: status, body, whether it stays open; or that it fails."""
    link = http_link.HttpLink.open("127.0.0.1", port, None)
    try:
        return *link.ask(*ASKS), link.is_open
    except ConnectionError:
        return "fails"
    finally:
        link.close()


async def read_async(port: int) -> tuple[int, bytes, bool] | str:
    """The same of the asynchronous link."""
    link = await async_http_link.HttpLink.open("127.0.0.1", port, None)
    try:
        return *(await link.ask(*ASKS)), link.is_open
    except ConnectionError:
        return "fails"
    finally:
        await link.close()


@pytest.mark.parametrize("name", RESPONSES)
def test_both_links_read_the_same(name: str, answering: Callable[[bytes], int]) -> None:
    response = RESPONSES[name]
    came = read(answering(response))
    assert asyncio.run(read_async(answering(response))) == came
    assert (came == "fails") == (name in ("a body that is cut short", "no HTTP", "nothing"))


def test_a_header_cannot_hold_another(answering: Callable[[bytes], int]) -> None:
    async def ask(port: int) -> None:
        link = await async_http_link.HttpLink.open("127.0.0.1", port, None)
        await link.ask("GET", "/", None, {"Authorization": "Bearer x\r\nX-Forwarded-For: y"}, WAIT_SECONDS)

    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(ConnectionError, match="end of a line"),
    ):
        asyncio.run(ask(listener.getsockname()[1]))
