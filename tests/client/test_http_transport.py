"""The HTTP transports of the synchronous and the asynchronous client read the same responses."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import trustme

from busware import async_http_transport, http_transport
from tests.conftest import WAIT_SECONDS

RESPONSES = {
    "a body of a given length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "an error": b"HTTP/1.1 404 Not Found\r\nContent-Type: x\r\nContent-Length: 4\r\n\r\nnone",
    "no body": b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n"
    b"0\r\n\r\n",
    "Connection: close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
    "a body that ends with the connection": b"HTTP/1.0 200 OK\r\n\r\nall of it",
    "an interim response first": b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    "a body that is cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "not HTTP": b"220 mail.example ESMTP\r\n",
    "nothing": b"",
}
FAILURES = ("a body that is cut short", "not HTTP", "nothing")
REQUEST = ("POST", "/v1/bookings", b"{}", {"Accept": "application/json"}, WAIT_SECONDS)


@pytest.fixture
def serve_response() -> Iterator[Callable[[bytes], int]]:
    """Starts a server that reads a request, sends a response and closes. Returns its port."""
    threads = []

    def serve(response: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))

        def answer() -> None:
            with listener, listener.accept()[0] as connection:
                request = b""
                while not request.endswith(b"\r\n\r\n{}"):
                    chunk = connection.recv(65536)
                    assert chunk, "the client has closed the connection"
                    request += chunk
                connection.sendall(response)

        threads.append(threading.Thread(target=answer))
        threads[-1].start()
        return int(listener.getsockname()[1])

    yield serve
    for thread in threads:
        thread.join(WAIT_SECONDS)


def ask(port: int) -> tuple[int, bytes, bool] | None:
    """What the synchronous transport returns: status, body, whether it stays open. None if it raises."""
    transport = http_transport.HttpTransport("127.0.0.1", port, None)
    try:
        return *transport.send(*REQUEST), transport.is_open
    except ConnectionError:
        assert not transport.is_open
        return None
    finally:
        transport.close()


async def ask_async(port: int) -> tuple[int, bytes, bool] | None:
    """What the asynchronous transport returns."""
    transport = async_http_transport.HttpTransport("127.0.0.1", port, None)
    try:
        return *(await transport.send(*REQUEST)), transport.is_open
    except ConnectionError:
        assert not transport.is_open
        return None
    finally:
        await transport.close()


@pytest.mark.parametrize("name", RESPONSES)
def test_both_transports_return_the_same(name: str, serve_response: Callable[[bytes], int]) -> None:
    result = ask(serve_response(RESPONSES[name]))
    assert asyncio.run(ask_async(serve_response(RESPONSES[name]))) == result
    assert (result is None) == (name in FAILURES)


def test_header_with_line_break_is_not_sent() -> None:
    transport = http_transport.HttpTransport("127.0.0.1", 9, None)  # raises before it connects
    headers = {"Authorization": "Bearer x\r\nX-Forwarded-For: y"}
    with pytest.raises(ConnectionError, match="a header of the request") as error:
        transport.send("GET", "/", None, headers, WAIT_SECONDS)
    assert "Bearer" not in str(error.value)


def test_cancelled_request_closes_the_connection() -> None:
    async def cancel() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            transport = async_http_transport.HttpTransport("127.0.0.1", listener.getsockname()[1], None)
            task = asyncio.create_task(transport.send(*REQUEST))
            connection, _ = await asyncio.to_thread(listener.accept)
            with connection:
                received = b""
                while not received.endswith(b"{}"):
                    received += await asyncio.to_thread(connection.recv, 65536)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert not transport.is_open
                assert await asyncio.to_thread(connection.recv, 65536) == b""

    asyncio.run(cancel())


def test_close_just_before_a_read_under_tls_raises_connection_error() -> None:
    """SSLSocket.shutdown would make the read raise ValueError."""
    about_to_read, closed = threading.Event(), threading.Event()

    class PausedSocket(ssl.SSLSocket):
        def read(self, *arguments: Any) -> Any:
            about_to_read.set()
            assert closed.wait(WAIT_SECONDS)
            return super().read(*arguments)

    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    client.sslsocket_class = PausedSocket
    with socket.create_server(("localhost", 0)) as listener, ThreadPoolExecutor() as threads:
        accepted = threads.submit(lambda: server.wrap_socket(listener.accept()[0], server_side=True))
        transport = http_transport.HttpTransport("localhost", listener.getsockname()[1], client)
        response = threads.submit(transport.send, *REQUEST)
        with accepted.result(WAIT_SECONDS):
            assert about_to_read.wait(WAIT_SECONDS)
            transport.close()
            closed.set()
            assert isinstance(response.exception(WAIT_SECONDS), ConnectionError)
            assert "header" not in str(response.exception())
