"""One HTTP connection to a server, for asyncio: a thread executes the requests of http_transport.py."""

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor

from busware import http_transport


class HttpTransport:
    """The asynchronous counterpart of http_transport.HttpTransport."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._transport = http_transport.HttpTransport(host, port, tls)
        self._thread = ThreadPoolExecutor(1, f"busware http {host}:{port}")

    @property
    def is_open(self) -> bool:
        """Whether a request may be sent on it."""
        return self._transport.is_open

    async def close(self) -> None:
        """Close the connection. A request that waits in another task raises OSError."""
        self._transport.close()
        self._thread.shutdown(wait=False)

    async def send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout_seconds: float
    ) -> tuple[int, bytes]:
        """Send a request; return the status and body of its response. Closes the connection on an OSError."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(
                self._thread, self._transport.send, method, path, body, headers, timeout_seconds
            )
        except BaseException:  # also if the task is cancelled: closing ends the request in the thread
            await self.close()
            raise
