"""The table of the pages, and the pages about errors."""

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from busware.server.http import problems
from busware.server.http.app import accepts_page
from busware.server.http.event_streams import EventStreams
from busware.server.http.executor import Executor
from busware.server.pages import (
    accounts,
    bookings,
    changes,
    exchanges,
    forms,
    holds,
    journeys,
    languages,
    static_files,
)
from busware.server.pages.operator import accounts as accounts_of_money
from busware.server.pages.operator import (
    agents,
    bank_file,
    check_in,
    fleet,
    frame,
    invoices,
    invoicing,
    manifest,
    payments,
    promo_codes,
    sales,
    services,
    staff,
    trip,
    trip_changes,
    trip_vehicle,
    trips,
    webhooks,
)
from busware.server.pages.operator import bookings as operator_bookings
from busware.server.pages.visits import Page, Stream, Table, Visit
from busware.server.protocol import Refusal

Handler = Callable[[HttpRequest], Awaitable[Response]]

_PAGES: Table = {
    **journeys.PAGES,
    **holds.PAGES,
    **bookings.PAGES,
    **changes.PAGES,
    **exchanges.PAGES,
    **accounts.PAGES,
    **languages.PAGES,
    **trips.PAGES,
    **trip.PAGES,
    **manifest.PAGES,
    **operator_bookings.PAGES,
    **check_in.PAGES,
    **trip_changes.PAGES,
    **trip_vehicle.PAGES,
    **sales.PAGES,
    **services.PAGES,
    **promo_codes.PAGES,
    **fleet.PAGES,
    **invoices.PAGES,
    **invoicing.PAGES,
    **accounts_of_money.PAGES,
    **payments.PAGES,
    **bank_file.PAGES,
    **webhooks.PAGES,
    **staff.PAGES,
    **agents.PAGES,
}


_STREAMS: dict[str, Stream] = {  # path → event stream
    bookings.EVENTS: Stream("booking", bookings.read_event),
    trip.EVENTS: Stream("trip", trip.read_event),
    trips.EVENTS: Stream("trips", trips.read_event),
}


class Pages:
    """The pages. handlers: path → method → handler, for the HTTP server."""

    def __init__(self, executor: Executor, streams: EventStreams) -> None:
        self._executor = executor
        self._streams = streams
        self.handlers: dict[str, dict[str, Handler]] = {static_files.PATH: {"GET": static_files.answer}}
        for path, page in _PAGES.items():
            handler: Handler = partial(self._answer, page)
            self.handlers[path] = {"GET": handler} | ({"POST": handler} if page.submit else {})
        for path, stream in _STREAMS.items():
            self.handlers[path] = {"GET": partial(self._stream, stream)}

    async def _answer(self, page: Page, http: HttpRequest) -> Response:
        if http.scope["path"] == "/" and not accepts_page(http):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        try:
            is_sent = http.method == "POST"
            body = await self._form(http) if is_sent else b""
            visit = Visit(http, self._executor, body)
            answer = partial(_submit if is_sent else _show, page, visit)
            return await self._executor.run(http, answer, page.threads if is_sent else "http")
        except Exception as error:  # noqa: BLE001 - problems.of_error logs it
            return self.answer_error(http, error)

    async def _stream(self, stream: Stream, http: HttpRequest) -> Response:
        read = partial(stream.read, Visit(http, self._executor))
        return await self._streams.stream_of(stream.name, http, read)

    def answer_error(self, http: HttpRequest, error: Exception) -> Response:
        """The page about an error."""
        problem = problems.of_error(http, error)
        visit = Visit(_without_query(http), self._executor)
        if isinstance(error, Refusal):
            visit.refusal = error
        request_id = msgspec.json.decode(problem.body).get("request_id")
        if f"{visit.here}/".startswith(f"{trips.PATH}/"):
            response = frame.render_error(visit, problem.status, request_id=request_id)
        else:
            response = visit.render(
                "error.html",
                problem.status,
                status=problem.status,
                request_id=request_id,
                is_operator=lambda: False,  # reading the account could block the event loop
            )
        response.headers.update(problem.headers)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def _form(self, http: HttpRequest) -> bytes:
        """The body of a form. Raises Problem."""
        mime_type = http.headers.get("content-type", "").partition(";")[0].strip().lower()
        if mime_type != forms.MIME_TYPE:
            raise problems.of_status(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"A form must be {forms.MIME_TYPE}.")
        return await self._executor.body(http)


def _show(page: Page, visit: Visit) -> Response:
    return page.show(visit)


def _submit(page: Page, visit: Visit) -> Response:
    """Carry out a form; if that is refused, show it again, with the status of the refusal."""
    assert page.submit is not None  # noqa: S101 - for the type checker: it has a handler of POST
    try:
        visit.check_form()
        return page.submit(visit)
    except Refusal as refusal:
        visit.refusal = refusal
        problem = problems.of_refusal(refusal)
    response = page.show(visit)
    if response.status_code == HTTPStatus.OK:
        response.status_code = problem.status
        response.headers.update(problem.headers)
        response.headers["Cache-Control"] = "no-store"
    return response


def _without_query(http: HttpRequest) -> HttpRequest:
    """The request without its query, which may be what is wrong."""
    return HttpRequest({**http.scope, "query_string": b"", "method": "GET"})
