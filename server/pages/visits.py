"""One request of a page: what a view needs to read, and makes its answer with.

A view is a function that runs on a worker thread. It sends requests of the protocol, as a program would over
the API, so permissions and limits are the same. Page.show answers GET. Page.submit answers POST, and raises
the Refusal of a request that is refused: then Page.show shows the form again, with what was typed and with
the refusal at its field.
"""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from babel import negotiate_locale
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response

from busware.server import protocol
from busware.server.booking.permissions import OPERATORS
from busware.server.http.executor import Executor, Threads
from busware.server.http.routes import Resource
from busware.server.languages import CODES, DEFAULT, Language, language
from busware.server.pages import forms, refusals, rendering, static_files
from busware.server.pages.cookies import Cookies
from busware.server.protocol import Caller, ClientConnection, Refusal

T = TypeVar("T")

_COMPRESSED_BYTES = 1000  # a shorter page is not compressed
_COMPRESSION = 5  # the level of gzip: of 1 to 9
_MAX_NUMBERS = 100  # that are read of the fields of a name
_MAX_DIGITS = 9
_MARGIN = timedelta(days=7)  # for the dates that pages offer beside a date
_PERSONAL = ("/bookings", "/account", "/operator")  # browsers store none of these pages
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send forms with the Origin "null"
    "Vary": "Accept-Encoding, Accept-Language, Cookie",
    "X-Content-Type-Options": "nosniff",
}


class Visit:
    """One request of a page.

    path: the fields of its path. query, form: those of its query and of the form that is sent. refusal: why
    the form was refused. missing: what to enter in each field of a form that was sent without it.
    """

    def __init__(self, http: HttpRequest, executor: Executor, body: bytes = b"") -> None:
        self._http = http
        self._executor = executor
        self.settings = executor.settings
        self.path: Mapping[str, str] = http.path_params
        self.query = forms.parse(http.scope["query_string"].decode("latin-1"))
        self.is_sent = http.method == "POST"
        self.form = forms.parse(body.decode("utf-8", "replace")) if self.is_sent else {}
        self.cookies = Cookies(http.cookies, secure=http.url.scheme == "https")
        self.language = self._language()
        self.refusal: Refusal | None = None
        self.missing: dict[str, str] = {}
        self.session_ended = False

    # Reading -----------------------------------------------------------------------------------

    @property
    def address(self) -> str:
        """The path and the query of this request, for links back to it."""
        query = self._http.scope["query_string"].decode("latin-1")
        return self.here + (f"?{query}" if query else "")

    def with_query(self, name: str, value: str) -> str:
        """The address of this page with another value of a field."""
        return address(self.here, self.query | {name: [value]})

    def link_for_others(self, path: str, query: Mapping[str, Any]) -> str:
        """The whole address of a page of this server, which a person may open elsewhere."""
        return str(self._http.url.replace(path="", query="", fragment="")).rstrip("?/#") + address(
            path, query
        )

    @property
    def here(self) -> str:
        """The path of this request."""
        return str(self._http.scope["path"])

    def value(self, name: str, default: str = "") -> str:
        """What was typed into a field, or the value in the query."""
        return self.values(name, default)[0]

    def values(self, name: str, *default: str) -> list[str]:
        """What was typed into the fields of a name, or the values in the query."""
        return self.form.get(name) or self.query.get(name) or list(default)

    def whole_number(self, name: str, default: int) -> int:
        """The value of a field as a number; the default if it is none."""
        text = self.value(name)
        return int(text) if _is_whole_number(text) else default

    def whole_numbers(self, name: str) -> list[int]:
        """The values of the fields of a name that are numbers, each once."""
        texts = self.values(name)[:_MAX_NUMBERS]
        return [int(text) for text in dict.fromkeys(texts) if _is_whole_number(text)]

    def day(self, name: str) -> date | None:
        """The value of a field as a date; None if it is none, or at an end of the calendar."""
        try:
            day = date.fromisoformat(self.value(name))
        except ValueError:
            return None
        return day if date.min + _MARGIN <= day <= date.max - _MARGIN else None

    @cached_property
    def now(self) -> datetime:
        """The time, in the time zone of the server."""
        return datetime.now(ZoneInfo(self.settings.time_zone))

    @property
    def tomorrow(self) -> date:
        """The day after today."""
        return self.now.date() + timedelta(days=1)

    def check_form(self) -> None:
        """Check that a page of this server has sent the form. Raises Refusal (form_expired).

        Its token needs the cookie of the browser. The Origin of the request is checked before
        (server/http/origins.py).
        """
        token, secret = self.form.get(forms.TOKEN, [""])[0], self.cookies.get("form")
        if not secret or not forms.is_token(token, secret):
            raise Refusal("form_expired", "This page was open for too long. Send the form again.")

    @cached_property
    def form_key(self) -> str:
        """The key that the forms of this page have, as a hidden field.

        A form that is shown again keeps its key: if the outcome of the first request is unknown, sending it
        again does nothing twice. Only a key that belongs to other values is replaced.
        """
        used = self.refusal is not None and self.refusal.reason == "key_reused"
        return ("" if used else self.value(forms.KEY)) or forms.new_key()

    def key(self, what: str = "") -> str:
        """The idempotency key of the form.

        what: what the form does, if forms of the page that do something else have the same hidden key.
        """
        key = self.form.get(forms.KEY, [""])[0] or forms.new_key()
        return forms.idempotency_key(f"{self.here} {what} {key}", self.cookies.secret())

    # Requests of the protocol ------------------------------------------------------------------

    @cached_property
    def caller(self) -> Caller:
        """The caller. If its session has ended, the cookie is removed, and the caller is a guest.

        Raises Refusal (session_ended) if a form is sent: it may be meant for the account.
        """
        try:
            return self._executor.caller_with(self._http, self.cookies.get("session"))
        except Refusal as refusal:
            if refusal.reason != "not_signed_in":
                raise
            self.cookies.set("session", None)
            self.session_ended = True
            if self.is_sent:
                raise Refusal("session_ended", "Your session has ended. Nothing was done.") from None
            return self._executor.caller_with(self._http, None)

    def _is_operator(self) -> bool:
        """Whether the caller runs services: then the head of the page leads to the pages for operators."""
        try:
            return self.caller.role in OPERATORS
        except Refusal:
            return False

    def request(self, method: type[protocol.Request], /, **values: Any) -> Any:
        """The reply to a request. values: texts, which may be empty, or values of its fields.

        Raises Refusal or InternalError.
        """
        return msgspec.json.decode(self.perform(method, **values), type=method.reply)

    def perform(self, method: type[protocol.Request], /, **values: Any) -> bytes:
        """The reply to a request, as JSON."""
        texts = {name: [value] for name, value in values.items() if isinstance(value, str)}
        others = {name: value for name, value in values.items() if not isinstance(value, str) and value}
        request = Resource.of(method).request_of_texts(texts, **others)
        without_session = isinstance(request, protocol.Register | protocol.Login | protocol.ResetPassword)
        caller = self._executor.caller_with(self._http, None) if without_session else self.caller
        return self._executor.perform(request, caller)

    def say(self, reference: str, text: str) -> None:
        """Send the operators a message about a booking, which the caller may open, once. Raises Refusal."""
        connection = ClientConnection(reference=reference, account=self.caller.account)
        caller = msgspec.structs.replace(self.caller, connection=connection)
        texts = {"text": [" ".join(text.split())], "key": [self.key()]}
        request = Resource.of(protocol.Say).request_of_texts(texts)
        self._executor.perform(request, caller)

    def opened(self, reference: str) -> dict[str, str]:
        """The fields of a request about a booking: its phone number too, if this browser has opened it."""
        return {"reference": reference, "phone": self.cookies.bookings().get(reference) or ""}

    # Answers -----------------------------------------------------------------------------------

    def render(self, template: str, http_status: int = HTTPStatus.OK, **values: Any) -> Response:
        """A page. values: of its template."""
        context = {
            "visit": self,
            "language": self.language,
            "kind": None,
            "token": lambda: forms.token(self.cookies.secret()),
            "key": self.form_key,
            "signed_in": bool(self.cookies.get("session")),
            "is_operator": self._is_operator,
            **values,
        }
        text = rendering.render(template, self.language, context)
        return self.send(text.encode(), "text/html", http_status)

    def send_file(self, content: bytes, mime_type: str, name: str) -> Response:
        """An answer with a file, which the browser saves under a name."""
        response = self.send(content, mime_type)
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def send(self, content: bytes, mime_type: str, status: int = HTTPStatus.OK) -> Response:
        """An answer with this content, compressed if the browser takes that."""
        storage = "no-store" if self.here.startswith(_PERSONAL) else "private, no-cache"
        headers = {"Cache-Control": storage, **HEADERS}
        if len(content) > _COMPRESSED_BYTES and static_files.accepts_gzip(self._http):
            content = gzip.compress(content, _COMPRESSION)
            headers["Content-Encoding"] = "gzip"
        response = Response(content, status, headers, mime_type)
        self.cookies.add_to(response)
        return response

    def see(self, path: str, query: Mapping[str, Any] | None = None) -> Response:
        """Send the browser to another page, which it gets with GET."""
        response = RedirectResponse(address(path, query), HTTPStatus.SEE_OTHER, HEADERS)
        self.cookies.add_to(response)
        return response

    # Refusals ----------------------------------------------------------------------------------

    @cached_property
    def problem(self) -> str:
        """Why the form was refused, in the language of the traveller; empty if it was not."""
        return refusals.text(self.refusal, self.language) if self.refusal else ""

    @cached_property
    def wrong_field(self) -> str:
        """The name of the field that the refusal is about; empty if it is about none."""
        return refusals.field_of(self.refusal, self.form or self.query) if self.refusal else ""

    def problem_of(self, name: str) -> str:
        """What is wrong with a field, in the language of the traveller; empty if nothing is."""
        if name in self.missing:
            return self.language.gettext(self.missing[name])
        return self.problem if name == self.wrong_field else ""

    def _language(self) -> Language:
        chosen = self.cookies.get("language")
        if chosen in CODES:
            return language(chosen)
        accepted = forms.accepted(self._http.headers.get("accept-language", ""))
        wanted = [code.partition("-")[0] for code in accepted]
        return language(negotiate_locale(wanted, CODES) or DEFAULT)


View = Callable[[Visit], Response]


@dataclass(frozen=True)
class Page:
    """A page. show: answers GET. submit: answers POST. threads: on which POST runs."""

    show: View
    submit: View | None = None
    threads: Threads = "http"


@dataclass(frozen=True)
class Stream:
    """An event stream. name: of its events.

    read: reads what is sent, as JSON with the fields of a trip, or with trips.
    """

    name: str
    read: Callable[[Visit], bytes]


Table = dict[str, Page]  # path → page


def address(path: str, query: Mapping[str, Any] | None = None) -> str:
    """A path with a query. Values that are empty are left out; a list is a field for each member."""
    given = {name: value for name, value in (query or {}).items() if value not in (None, "", [])}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def _is_whole_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS


def is_local(path: str) -> bool:
    """Whether a path leads to this server: browsers read "//host" and "/\\host" as another one."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
