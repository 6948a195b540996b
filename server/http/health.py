"""Health checks and metrics. They use no worker thread of the requests, so they answer while all are busy."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Generic, TypeVar

from msgspec import json
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from busware.server import metrics
from busware.server.http import problems
from busware.server.http.executor import JSON, Executor, address_of
from busware.server.protocol import Refusal

T = TypeVar("T")


class _SharedCall(Generic[T]):
    """Calls a function on its thread. Requests that arrive during a call share its result."""

    def __init__(self, function: Callable[[], T], thread: ThreadPoolExecutor, wait_seconds: float) -> None:
        self._function = function
        self._thread = thread
        self._wait_seconds = wait_seconds
        self._running: asyncio.Future[T] | None = None

    async def result(self) -> T:
        """The result of the function. Raises TimeoutError if it takes too long, and what it raises."""
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().run_in_executor(self._thread, self._function)
        async with asyncio.timeout(self._wait_seconds):
            return await asyncio.shield(self._running)


def handlers(executor: Executor) -> dict[str, dict[str, Callable[[HttpRequest], Awaitable[Response]]]]:
    """The handlers, by path and method."""
    settings, operations = executor.settings, executor.operations
    check = _SharedCall(operations.check, executor.start_thread("readiness"), settings.http_wait_seconds)
    measurement = _SharedCall(
        operations.metrics.text, executor.start_thread("metrics"), settings.http_wait_seconds
    )

    async def is_alive(http: HttpRequest) -> Response:
        return _status("ok")

    async def is_ready(http: HttpRequest) -> Response:
        if executor.draining:
            return _status("draining", HTTPStatus.SERVICE_UNAVAILABLE)
        try:
            await check.result()
        except (Refusal, TimeoutError):
            return _status("away", HTTPStatus.SERVICE_UNAVAILABLE)
        return _status("ok")

    async def measure(http: HttpRequest) -> Response:
        address = address_of(http)
        if not settings.may_read_metrics(address):
            detail = f"The metrics are not for {address}. To allow it, set BUSWARE_METRICS_NETWORKS."
            raise problems.of_status(HTTPStatus.FORBIDDEN, detail)
        try:
            return Response(await measurement.result(), media_type=metrics.CONTENT_TYPE)
        except TimeoutError:
            raise Refusal("busy", "The metrics take too long: try again.") from None

    return {"/healthz": {"GET": is_alive}, "/readyz": {"GET": is_ready}, "/metrics": {"GET": measure}}


def _status(status: str, code: int = HTTPStatus.OK) -> Response:
    return Response(json.encode({"status": status}), code, media_type=JSON)
