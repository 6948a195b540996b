"""Executes requests on worker threads: finds the caller, performs the request, makes the response.

Operations that use the database block, so they do not run on the event loop. Sign-ins have threads of their
own, and so have registrations: they compute slow hashes of passwords, which must not delay other requests. A
reply is the JSON that the database wrote.
"""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Literal, TypeVar

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from busware.server import protocol
from busware.server.booking.operations import Operations
from busware.server.documents.formats import Format
from busware.server.http import problems
from busware.server.http.routes import Resource
from busware.server.http.workers import Workers, start_threads
from busware.server.protocol import Caller, Refusal
from busware.server.settings import Settings

T = TypeVar("T")

JSON = "application/json"
Threads = Literal["http", "login", "registration"]
_PASSWORD_REQUESTS: dict[type[protocol.Request], Threads] = {
    protocol.Register: "registration",
    protocol.Login: "login",
    protocol.SetEmail: "login",
    protocol.ResetPassword: "registration",
}
_THREADS_PER_HASH = 4  # so that a thread waits for the next hash while others use the database
_WITHOUT_SESSION = (protocol.Register, protocol.Login, protocol.ResetPassword)  # make a session
_WITHOUT_DATABASE = (protocol.Ping,)  # unless the caller has a token


class _Reference(msgspec.Struct):
    reference: str


class Executor:
    """Executes requests. draining: whether to refuse new requests."""

    def __init__(self, operations: Operations, settings: Settings) -> None:
        self.operations = operations
        self.settings = settings
        self.draining = False
        self._single_threads: list[ThreadPoolExecutor] = []
        logins = settings.password_hashes * _THREADS_PER_HASH
        registrations = settings.registration_hashes * _THREADS_PER_HASH
        wait_seconds = settings.password_wait_seconds
        self._workers: dict[Threads, Workers] = {
            "http": Workers("http", settings.http_threads, settings.http_wait_seconds, settings),
            "login": Workers("login", logins, wait_seconds, settings),
            "registration": Workers("registration", registrations, wait_seconds, settings),
        }

    def close(self) -> None:
        """Wait for the running requests, then end the threads."""
        for workers in self._workers.values():
            workers.close()
        for thread in self._single_threads:
            thread.shutdown(wait=False)

    def start_thread(self, name: str) -> ThreadPoolExecutor:
        """A thread for other calls, which ends after `close`."""
        thread = start_threads(1, name)
        self._single_threads.append(thread)
        return thread

    async def answer(self, resource: Resource, http: HttpRequest) -> Response:
        """The response to a request for a resource. Raises Refusal or Problem."""
        body = await self._json_body(http) if resource.has_body else b""
        request = self.parse(resource, http, body)
        form = resource.format(_query(http), http.headers.get("accept", ""))

        def perform() -> bytes:
            reply = self.perform(request, self.caller(http, request))
            return form.encode(msgspec.json.decode(reply, type=request.reply)) if form else reply

        if isinstance(request, _WITHOUT_DATABASE) and "authorization" not in http.headers:
            reply = perform()
        else:
            reply = await self.run(http, perform, _PASSWORD_REQUESTS.get(type(request), "http"))
        return _file(form, request, http, reply) if form else _success(resource, http, reply)

    def parse(self, resource: Resource, http: HttpRequest, body: bytes = b"") -> protocol.Request:
        """Decode an HTTP request into a request of the protocol. Raises Refusal (bad_request)."""
        return resource.request(http.path_params, _query(http), body, http.headers.get("idempotency-key"))

    def perform(self, request: protocol.Request, caller: Caller) -> bytes:
        """The reply to a request, as JSON; blocks. Raises Refusal or InternalError."""
        answer = self.operations.perform(request, caller)
        if answer.refused:
            raise answer.refusal()
        return bytes(answer.body)

    def caller(self, http: HttpRequest, request: protocol.Request) -> Caller:
        """The caller of a request, by the token in its header. Raises Refusal (not_signed_in, draining)."""
        authorization = http.headers.get("authorization")
        if authorization is None or isinstance(request, _WITHOUT_SESSION):
            return self.caller_with(http, None)
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Refusal("not_signed_in", 'The header Authorization must be "Bearer", a space and a token.')
        return self.caller_with(http, token.strip())

    def caller_with(self, http: HttpRequest, token: str | None) -> Caller:
        """The caller with a token, or a guest. Raises Refusal (not_signed_in, draining)."""
        if self.draining:
            raise Refusal("draining", "The server is shutting down: nothing was done, try again.")
        address = address_of(http)
        return self.operations.accounts.by_token(token, address) if token else Caller(address=address)

    async def run(self, http: HttpRequest, function: Callable[[], T], threads: Threads = "http") -> T:
        """The result of a function that blocks, called on one of these threads. Raises Refusal (busy)."""
        return await self._workers[threads].run(address_of(http), function)

    async def body(self, http: HttpRequest) -> bytes:
        """The body of a request. Raises Problem (too long, too slow)."""
        body, limit, seconds = bytearray(), self.settings.http_body_bytes, self.settings.http_read_seconds
        try:
            async with asyncio.timeout(seconds):
                async for chunk in http.stream():
                    body += chunk
                    if len(body) > limit:
                        raise problems.of_body(413, f"The body is too long: at most {limit} bytes.")
        except TimeoutError:
            message = f"The body did not arrive within {seconds:g} s."
            raise problems.of_status(408, message, {"Connection": "close"}) from None
        return bytes(body)

    async def _json_body(self, http: HttpRequest) -> bytes:
        content_type = http.headers.get("content-type", JSON)
        mime_type = content_type.partition(";")[0].strip().lower()
        if mime_type != JSON and not (mime_type.startswith("application/") and mime_type.endswith("+json")):
            raise problems.of_body(415, f"The body must be application/json; it is {content_type[:80]}.")
        return await self.body(http)


def _query(http: HttpRequest) -> str:
    return str(http.scope["query_string"].decode("latin-1"))


def _file(form: Format, request: protocol.Request, http: HttpRequest, content: bytes) -> Response:
    """A reply as a file, which a browser saves under a name."""
    response = response_with_etag(http, content, form.mime_type)
    name = "-".join(str(value) for value in (request.method, *msgspec.structs.astuple(request)) if value)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form.extension}"'
    return response


def address_of(http: HttpRequest) -> str:
    """The address of the client."""
    return http.client.host if http.client else ""


def response_with_etag(http: HttpRequest, body: bytes, media_type: str = JSON) -> Response:
    """A response with an ETag; 304 without a body if the client has it already."""
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in http.headers.get("if-none-match", "").replace("W/", "").split(", "):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def _success(resource: Resource, http: HttpRequest, reply: bytes) -> Response:
    if resource.http_method == "GET":
        return response_with_etag(http, reply)
    headers = {}
    if resource.makes_booking:
        reference = msgspec.json.decode(reply, type=_Reference).reference
        headers["Location"] = f"/v1/bookings/{reference}"
    return Response(reply, resource.request_type.status, headers, JSON)
