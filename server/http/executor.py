"""From a request of HTTP to its answer: who asks, carrying it out, and what is sent.

Operations block, so that they run on threads. Those that check a password have threads of their own: a
crowd that signs in holds nobody else up. An answer passes through as the JSON that the database wrote.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from litestar import Request as HttpRequest
from litestar import Response

from busware.server import protocol
from busware.server.booking.operations import Operations
from busware.server.http import problems
from busware.server.http.problems import Problem
from busware.server.http.routes import Resource
from busware.server.protocol import Answer, Caller, Refusal
from busware.server.settings import Settings

T = TypeVar("T")
Http = HttpRequest[Any, Any, Any]

log = logging.getLogger("busware.http_client")

JSON = "application/json"
_PASSWORDS = (protocol.Register, protocol.Login)


class _Reference(msgspec.Struct):
    reference: str


class Executor:
    """Carries requests out. draining: whoever comes now is told that the server is going down. now: of the
    hotel's guests.
    """

    def __init__(self, operations: Operations, settings: Settings) -> None:
        self.operations = operations
        self.settings = settings
        self.draining = False
        self.now: Callable[[], datetime] = settings.now
        self._threads = ThreadPoolExecutor(settings.http_threads, "http")
        self._password_threads = ThreadPoolExecutor(settings.http_threads, "password")

    def close(self) -> None:
        """Let the threads go, after what they are doing."""
        self._threads.shutdown()
        self._password_threads.shutdown()

    async def answer(self, resource: Resource, http: Http) -> Response[bytes]:
        """The response to a request for a resource. Raises Refusal."""
        body = await self.body(http) if resource.has_body else b""
        request = resource.request(
            http.path_params,
            http.scope["query_string"].decode("latin-1"),
            body,
            http.headers.get("idempotency-key"),
        )
        slow = isinstance(request, _PASSWORDS)
        answer = await self.run(lambda: self.perform(request, http), slow=slow)
        if answer.refused:
            raise answer.refusal()
        return _success(resource, http, bytes(answer.body))

    def perform(self, request: protocol.Request, http: Http) -> Answer:
        """Carry a request out for whoever sent it; blocks. Raises Refusal or InternalError."""
        return self.operations.perform(request, self.caller(http, request))

    def caller(self, http: Http, request: protocol.Request | None = None) -> Caller:
        """Who sent a request. Raises Refusal (not_signed_in, draining)."""
        if self.draining:
            raise Refusal("draining", "The server is going down: nothing was done, try again.")
        address = self.address(http)
        given = http.headers.get("authorization")
        if given is None or isinstance(request, _PASSWORDS):
            return Caller(address=address)
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Refusal("not_signed_in", "The header Authorization takes: Bearer, and a token.")
        return self.operations.accounts.by_token(token.strip(), address)

    def address(self, http: Http) -> str:
        """Where a request comes from."""
        return http.client.host if http.client else ""

    async def run(self, work: Callable[[], T], *, slow: bool = False) -> T:
        """Do something that blocks on a thread; slow: it checks a password."""
        threads = self._password_threads if slow else self._threads
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    async def body(self, http: Http) -> bytes:
        """The body of a request: JSON, not too long, and in time. Raises Rejected."""
        kind = http.headers.get("content-type")
        if kind is not None and not _is_json(kind):
            raise Rejected(problems.of_body(415, f"The body is application/json, not {kind[:80]}."))
        return await self.raw_body(http)

    async def raw_body(self, http: Http) -> bytes:
        """The body of a request, whatever it says it is; not too long, and in time. Raises Rejected."""
        try:
            async with asyncio.timeout(self.settings.http_read_seconds):
                return await http.body()
        except TimeoutError:
            message = f"The body did not arrive within {self.settings.http_read_seconds:g} s."
            raise Rejected(
                problems.of_status(HTTPStatus.REQUEST_TIMEOUT, message, {"Connection": "close"})
            ) from None


class Rejected(Exception):
    """A request that is answered with a problem, and is none of a Refusal's."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.status)
        self.problem = problem


def fault(http: Http, error: Exception) -> Problem:
    """The problem of a fault inside: an id to find it in the server's log, and nothing else."""
    request_id = secrets.token_hex(4)
    log.error("request %s failed: %s %s", request_id, http.method, http.scope["path"], exc_info=error)
    message = "Something went wrong inside the server."
    return problems.of_status(HTTPStatus.INTERNAL_SERVER_ERROR, message, request_id=request_id)


def tagged(http: Http, body: bytes, media_type: str = JSON) -> Response[bytes]:
    """A response that a client may keep, and ask whether it is still the same."""
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in http.headers.get("if-none-match", "").replace("W/", "").split(", "):
        return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type=media_type, headers=headers, status_code=HTTPStatus.OK)


def _success(resource: Resource, http: Http, body: bytes) -> Response[bytes]:
    if resource.http_method == "GET":
        return tagged(http, body)
    headers = {"Cache-Control": "no-store"}
    if resource.kind.status == HTTPStatus.CREATED and resource.kind.reply is protocol.Booking:
        reference = msgspec.json.decode(body, type=_Reference).reference
        headers["Location"] = f"/v1/bookings/{reference}"
    return Response(body, media_type=JSON, status_code=resource.kind.status, headers=headers)


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == JSON or (kind.startswith("application/") and kind.endswith("+json"))
