"""The asynchronous link over HTTP, by asyncio's streams. http_link.py has the same name for threads."""

import asyncio
import http.client
import io
import ssl
from typing import Self

from busware.async_links import connect, end


class HttpLink:
    """An HTTP connection that is kept open."""

    @classmethod
    async def open(cls, host: str, port: int, tls: ssl.SSLContext | None) -> Self:
        """Connect. Raises OSError."""
        usual = http.client.HTTP_PORT if tls is None else http.client.HTTPS_PORT
        name = f"[{host}]" if ":" in host else host
        return cls(*await connect(host, port, tls), name if port == usual else f"{name}:{port}")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host
        self.is_open = True

    async def close(self) -> None:
        """Close it; a call that waits in another task raises OSError."""
        self.is_open = False
        await end(self._writer)

    async def ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout_seconds: float
    ) -> tuple[int, bytes]:
        """Send a request; the status and the body of its response. Without one, closes and raises OSError."""
        keep = False
        try:
            async with asyncio.timeout(timeout_seconds):
                self._writer.write(self._head(method, path, body, headers) + (body or b""))
                await self._writer.drain()
                status, answer, keep = await self._response()
            return status, answer
        except (EOFError, ValueError, asyncio.LimitOverrunError, http.client.HTTPException) as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        finally:
            if not keep:  # of a cancelled task too: no later call may take the reply that is on its way
                await self.close()

    def _head(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        fields = {"Host": self._host, **headers}
        if body is not None:
            fields["Content-Length"] = str(len(body))
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header of the request holds the end of a line")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    async def _response(self) -> tuple[int, bytes, bool]:
        """The status, the body, and whether the connection stays open."""
        version, status, *_ = (await self._reader.readuntil(b"\r\n")).split(maxsplit=2)
        if not version.startswith(b"HTTP/1."):
            raise http.client.BadStatusLine(version.decode("latin-1"))
        head = b""
        while not head.endswith((b"\r\n\r\n", b"\n\n")) and head != b"\r\n":
            head += await self._reader.readuntil(b"\n")
        headers = http.client.parse_headers(io.BytesIO(head))
        if status.startswith(b"1"):  # an interim response, which another one follows
            return await self._response()
        closes = version == b"HTTP/1.0" or "close" in headers.get("Connection", "").lower()
        if "chunked" in headers.get("Transfer-Encoding", "").lower():
            return int(status), await self._chunks(), not closes
        if (length := headers.get("Content-Length")) is not None:
            return int(status), await self._reader.readexactly(int(length)), not closes
        return int(status), await self._reader.read(), False  # up to the end of the connection

    async def _chunks(self) -> bytes:
        """The body of a response that comes in chunks."""
        body = b""
        while size := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += await self._reader.readexactly(size)
            await self._reader.readexactly(len(b"\r\n"))
        while await self._reader.readuntil(b"\r\n") != b"\r\n":
            pass  # trailers
        return body
