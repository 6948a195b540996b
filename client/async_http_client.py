"""The same requests over HTTP: each is the resource that it names, and its reply the same struct.

One connection, kept open; what fails is sent again with the same key, as over TCP. The server sends no
notifications here: to see a change, ask again.
"""

import ssl
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from busware.async_http_link import HttpLink
from busware.async_sdk import AsyncClient
from busware.http_messages import parts, problem
from busware.retries import DEFAULT_TRIES, TIMEOUT_SECONDS
from busware.server.protocol import Request

Reply = TypeVar("Reply")


class AsyncHttpClient(AsyncClient):
    """The requests over HTTP, at the URL of a server; for the rest, see AsyncConnection."""

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tries: int = DEFAULT_TRIES,
        tls: ssl.SSLContext | None = None,
        token: str | None = None,
    ) -> None:
        split = urlsplit(url)
        secure = split.scheme == "https"
        super().__init__(
            split.hostname or "",
            split.port or (443 if secure else 80),
            timeout_seconds=timeout_seconds,
            tries=tries,
            tls=tls if secure else None,
            token=token,
        )
        self._base = split.path.rstrip("/")
        self._http: HttpLink | None = None

    async def _reach(self, request: Request) -> None:
        if self._http is not None and self._http.is_open:
            return
        self._http = await HttpLink.open(self.host, self.port, self._tls)
        if self._closed.is_set():  # meanwhile
            await self._http.close()

    async def _exchange(self, request: Request, reply_type: type[Reply]) -> Reply:
        if self._http is None:
            raise ConnectionError("there is no connection")
        method, path, body, headers = parts(request)
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        status, answer = await self._http.ask(method, self._base + path, body, headers, self._timeout)
        if status >= HTTPStatus.BAD_REQUEST:
            raise problem(answer)
        return msgspec.json.decode(answer, type=reply_type)

    async def _hang_up(self) -> None:
        if self._http is not None:
            await self._http.close()
