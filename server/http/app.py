"""The paths, and what answers them. Whatever goes wrong becomes a problem here, and only here."""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from litestar import HttpMethod, Litestar, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from msgspec import json

from busware.server import metrics
from busware.server.http import openapi, page, problems
from busware.server.http.event_streams import Events, wanted
from busware.server.http.executor import JSON, Executor, Http, Rejected, fault, tagged
from busware.server.http.hotel import Hotel
from busware.server.http.problems import Problem
from busware.server.http.routes import RESOURCES, Resource
from busware.server.protocol import Refusal

Handler = Callable[[Http], Awaitable[Response[Any]]]
Routes = dict[str, dict[str, Handler]]  # path, in which {name} is a parameter → method → what answers it


def make(executor: Executor, events: Events) -> Litestar:
    """The application."""
    routes = _resources(executor, events) | _health(executor) | _description()
    return Litestar(
        [*(_route(path, handlers) for path, handlers in routes.items()), _hotel(Hotel(executor))],
        exception_handlers={
            Refusal: lambda http, error: _response(problems.of_refusal(error)),
            Rejected: lambda http, error: _response(error.problem),
            HTTPException: _of_http,
            Exception: lambda http, error: _response(fault(http, error)),
        },
        openapi_config=None,
        logging_config=None,
        request_max_body_size=executor.settings.http_body_bytes,
    )


def _route(path: str, handlers: dict[str, Handler]) -> HTTPRouteHandler:
    """Everything that answers at a path."""
    if "GET" in handlers:
        handlers = {**handlers, "HEAD": handlers["GET"]}

    async def answer(request: Http) -> Response[Any]:
        return await handlers[request.method](request)

    methods = [HttpMethod(method) for method in handlers]
    return HTTPRouteHandler(path.replace("}", ":str}"), http_method=methods, status_code=200)(answer)


def _resources(executor: Executor, events: Events) -> Routes:
    """The methods of the wire."""
    routes: Routes = {}
    for resource in RESOURCES.values():
        routes.setdefault(resource.path, {})[resource.http_method] = _handler(executor, events, resource)
    return routes


def _handler(executor: Executor, events: Events, resource: Resource) -> Handler:
    async def answer(http: Http) -> Response[Any]:
        if wanted(resource, http):
            return await events.stream(resource, http)
        return await executor.answer(resource, http)

    return answer


def _hotel(hotel: Hotel) -> HTTPRouteHandler:
    """Everything under /hotel, which says in its own words that there is nothing."""
    methods = [method for method in HttpMethod if method != HttpMethod.OPTIONS]

    async def answer(request: Http) -> Response[bytes]:
        return await hotel.answer(request)

    return HTTPRouteHandler(["/hotel", "/hotel/{rest:path}"], http_method=methods, status_code=200)(answer)


def _description() -> Routes:
    """What there is, for programs and for people; made when it is first asked for."""

    @lru_cache
    def document() -> bytes:
        return json.encode(openapi.document())

    @lru_cache
    def html() -> bytes:
        return page.html(json.decode(document()))

    async def for_programs(http: Http) -> Response[bytes]:
        return tagged(http, document())

    async def for_anybody(http: Http) -> Response[bytes]:
        if "text/html" not in http.headers.get("accept", ""):
            return await for_programs(http)
        response = tagged(http, html(), "text/html")
        response.headers.update(page.HEADERS)
        return response

    return {"/schema": {"GET": for_anybody}, "/schema/openapi.json": {"GET": for_programs}}


def _health(executor: Executor) -> Routes:
    """For those who watch over the process."""

    async def alive(http: Http) -> Response[bytes]:
        return _said("ok")

    async def ready(http: Http) -> Response[bytes]:
        if executor.draining:
            return _said("draining", HTTPStatus.SERVICE_UNAVAILABLE)
        try:
            await executor.run(executor.operations.check)
        except Refusal:
            return _said("away", HTTPStatus.SERVICE_UNAVAILABLE)
        return _said("ok")

    async def measures(http: Http) -> Response[bytes]:
        text = await executor.run(executor.operations.metrics.text)
        return Response(text, media_type=metrics.CONTENT_TYPE)

    return {"/healthz": {"GET": alive}, "/readyz": {"GET": ready}, "/metrics": {"GET": measures}}


def _said(status: str, code: int = HTTPStatus.OK) -> Response[bytes]:
    return Response(json.encode({"status": status}), media_type=JSON, status_code=code)


def _of_http(http: Any, error: HTTPException) -> Response[bytes]:
    """What is wrong with the request before it comes to be one of ours."""
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        limit = http.app.request_max_body_size
        return _response(problems.of_body(413, f"The body is too long: at most {limit} bytes."))
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _response(fault(http, error))
    path = http.scope["path"][:200]
    said = {
        HTTPStatus.NOT_FOUND: f"There is nothing at {path}; see /schema.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{path} has no {http.method}; see the header Allow.",
    }
    detail = said.get(HTTPStatus(error.status_code), error.detail)
    return _response(problems.of_status(error.status_code, detail, error.headers))


def _response(problem: Problem) -> Response[bytes]:
    return Response(
        problem.body, media_type=problems.PROBLEM, status_code=problem.status, headers=problem.headers
    )
