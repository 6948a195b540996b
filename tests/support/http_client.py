"""A client of the HTTP face, and the fixture that starts one: see tests/conftest.py."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from tests.support.line_client import WAIT_SECONDS


class HttpClient:
    """A client of the HTTP face, which is `.server`."""

    def __init__(self, url: str, server: Any) -> None:
        self.url = url
        self.server = server
        self.session = requests.Session()

    def call(
        self, method: str, path: str, *, token: str | None = None, key: str | None = None, **how: Any
    ) -> requests.Response:
        """Send a request; how: what else `requests` takes (params, json, data, headers)."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= how.pop("headers", {})
        return self.session.request(method, self.url + path, headers=headers, timeout=WAIT_SECONDS, **how)


@pytest.fixture
def http(server: SimpleNamespace) -> Iterator[HttpClient]:
    from busware.server.http import HttpServer

    face = HttpServer(server.settings, server.operations, listener=server.listener)
    face.executor.now = server.tcp.now
    face.start()
    client = HttpClient(f"http://{server.host}:{face.port}", face)
    yield client
    client.session.close()
    face.drain()
