"""The ASGI application: the table of paths and handlers. Every error becomes a problem here."""

from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from typing import Protocol

from msgspec import json
from starlette.datastructures import MutableHeaders
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from busware.server.http import health, openapi, page, problems
from busware.server.http.event_streams import EventStreams
from busware.server.http.executor import Executor, response_with_etag
from busware.server.http.hotel import Hotel
from busware.server.http.limits import check_head
from busware.server.http.origins import Origins
from busware.server.http.payment_webhooks import PATH as WEBHOOK_PATH
from busware.server.http.payment_webhooks import PaymentWebhooks
from busware.server.http.routes import RESOURCES, Resource

_NO_IF_MATCH = "If-Match is not supported, so the request was not executed. Send it without If-Match."

Handler = Callable[[HttpRequest], Awaitable[Response]]
Handlers = dict[str, dict[str, Handler]]  # path → method → handler


class Pages(Protocol):
    """The pages for people."""

    handlers: Handlers

    def answer_error(self, http: HttpRequest, error: Exception) -> Response:
        """The page about an error."""


def make_app(executor: Executor, streams: EventStreams, pages: Pages | None = None) -> ASGIApp:
    """Make the application. Browsers get a page about an error, except for the paths of programs."""
    handlers = _resources(executor, streams) | health.handlers(executor) | _description() | _hotel(executor)
    handlers[WEBHOOK_PATH] = {"POST": PaymentWebhooks(executor).answer}
    program_segments = {_first_segment(path) for path in handlers}
    handlers |= pages.handlers if pages else {}
    router = Router([_route(*item) for item in handlers.items()], redirect_slashes=False)
    origins = Origins(executor.settings)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = app  # the router raises HTTPException instead of answering in plain text
        scope["path"] = scope["path"].rstrip("/") or "/"
        headers: dict[str, str] = {}  # of the response, besides those of its handler

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                sent.setdefault("Cache-Control", "no-store")
                sent.update(headers)
            await send(message)

        try:
            check_head(scope, executor.settings)
            received = dict(scope["headers"])
            headers = origins.check(received.get(b"host", b""), received.get(b"origin", b""))
            await router(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 - problems.of_error logs it
            http = HttpRequest(scope)
            if pages and accepts_page(http) and _first_segment(scope["path"]) not in program_segments:
                response = pages.answer_error(http, error)
            else:
                response = problems.of_error(http, error).response()
            await response(scope, receive, send_with_headers)

    return app


def accepts_page(http: HttpRequest) -> bool:
    """Whether a client asks for a page. Browsers do; most programs ask for JSON or anything."""
    return "text/html" in http.headers.get("accept", "")


def _first_segment(path: str) -> str:
    return path.split("/")[1]


def _route(path: str, handlers: dict[str, Handler]) -> Route:
    async def answer(http: HttpRequest) -> Response:
        if http.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": ", ".join(methods)})
        if "if-match" in http.headers:
            raise problems.of_status(HTTPStatus.PRECONDITION_FAILED, _NO_IF_MATCH)
        return await handlers["GET" if http.method == "HEAD" else http.method](http)

    route = Route(path, answer, methods=[*handlers, "OPTIONS"])
    methods = sorted(route.methods or ())
    return route


def _resources(executor: Executor, streams: EventStreams) -> Handlers:
    """The methods of the protocol."""
    handlers: Handlers = {}
    for resource in RESOURCES.values():
        handlers.setdefault(resource.path, {})[resource.http_method] = _handler(executor, streams, resource)
    return handlers


def _handler(executor: Executor, streams: EventStreams, resource: Resource) -> Handler:
    async def answer(http: HttpRequest) -> Response:
        if streams.accepts(resource, http):
            return await streams.stream(resource, http)
        return await executor.answer(resource, http)

    return answer


def _hotel(executor: Executor) -> Handlers:
    """Every path under /hotel: the hotel's API has error responses of its own."""
    hotel = Hotel(executor)
    handlers: dict[str, Handler] = dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), hotel.answer)
    return {"/hotel": handlers, "/hotel/{rest:path}": handlers}


def _description() -> Handlers:
    """The OpenAPI document and its page, made on first use."""

    @cache
    def document() -> bytes:
        return json.encode(openapi.document())

    @cache
    def html() -> bytes:
        return page.render_html(json.decode(document()))

    async def answer_json(http: HttpRequest) -> Response:
        return response_with_etag(http, document())

    async def answer_html_or_json(http: HttpRequest) -> Response:
        if not accepts_page(http):
            return response_with_etag(http, document())
        response = response_with_etag(http, html(), "text/html")
        response.headers.update(page.HEADERS)
        return response

    return {"/schema": {"GET": answer_html_or_json}, "/schema/openapi.json": {"GET": answer_json}}
