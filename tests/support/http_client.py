"""A client of the HTTP server, and a fixture that starts both."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from tests.support.line_client import WAIT_SECONDS


class HttpClient:
    """Sends requests to the HTTP server of the test, which is `.server`."""

    def __init__(self, url: str, server: Any) -> None:
        self.url = url
        self.server = server
        self.session = requests.Session()

    def call(
        self, method: str, path: str, *, token: str | None = None, key: str | None = None, **options: Any
    ) -> requests.Response:
        """Send a request. options: further arguments of `requests` (params, json, data, headers)."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= options.pop("headers", {})
        return self.session.request(method, self.url + path, headers=headers, timeout=WAIT_SECONDS, **options)

    @contextmanager
    def from_address(self, address: str) -> Iterator["HttpClient"]:
        """A client of the same server that connects from another address of this machine."""
        other = HttpClient(self.url, self.server)
        other.session.get_adapter(self.url).init_poolmanager(1, 1, source_address=(address, 0))
        with other.session:
            yield other


@pytest.fixture
def http(server: SimpleNamespace) -> Iterator[HttpClient]:
    from busware.server.http import HttpServer
    from busware.server.pages.pages import Pages

    http_server = HttpServer(server.settings, server.operations, listener=server.listener, make_pages=Pages)
    http_server.start()
    client = HttpClient(f"http://{server.host}:{http_server.port}", http_server)
    yield client
    client.session.close()
    http_server.drain()
