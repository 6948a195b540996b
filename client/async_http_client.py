"""The client over HTTP, with the same methods and the same replies as the client over TCP.

It keeps one connection open and sends a failed request again with the same key, as over TCP. The server
sends no notifications over HTTP: to see a change, send a request again.
"""

import ssl

from busware.async_http_transport import HttpTransport
from busware.async_sdk import AsyncClient
from busware.http_messages import Reply, decode_reply, encode_request, split_url
from busware.retries import DEFAULT_TRIES, TIMEOUT_SECONDS
from busware.server.protocol import Request


class AsyncHttpClient(AsyncClient):
    """The client over HTTP, at the URL of a server. The other arguments are those of AsyncConnection."""

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tries: int = DEFAULT_TRIES,
        tls: ssl.SSLContext | None = None,
        token: str | None = None,
    ) -> None:
        host, port, self._base_path = split_url(url)
        super().__init__(host, port, timeout_seconds=timeout_seconds, tries=tries, tls=tls, token=token)
        self._http = HttpTransport(host, port, tls)

    async def _ensure_connected(self, request: Request) -> None:
        if not self._http.is_open:
            self._http = HttpTransport(self.host, self.port, self._tls)
        if self._closed.is_set():  # close() ran meanwhile, and has not closed this transport
            await self._http.close()

    async def _exchange(self, request: Request, reply_type: type[Reply]) -> Reply:
        message = encode_request(request, self._base_path, self._token)
        return decode_reply(*await self._http.send(*message, self._timeout), reply_type)

    async def _disconnect(self) -> None:
        await self._http.close()
