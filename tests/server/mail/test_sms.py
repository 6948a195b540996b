"""Short messages over HTTP to a real server: their requests, and the effect of each answer."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from busware.server.mail.delivery import NotAccepted, NotDelivered
from busware.server.mail.sms import SmsDelivery, check_settings, shortened
from busware.server.settings import Settings, SettingsError

TO, KEY = "+919845012345", "0c1e6bfb-33f2-4d0a-9f29-9a2d0d0b9a55"
TEXT = 'Seat 7 & "8": ಟಿಕೆಟ್'


class Received(NamedTuple):
    """A request that the provider has received."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


class SmsProvider(ThreadingHTTPServer):
    """A provider of short messages. status, headers: of its answers. hangs: it does not answer."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []
        self.status, self.headers = 200, dict[str, str]()
        self.hangs = False
        self.released = threading.Event()

    def settings(self, **others: Any) -> Settings:
        """Settings of a Busware server that sends its messages here."""
        values = {"sms_url": f"http://127.0.0.1:{self.server_port}/send", "sms_seconds": 20} | others
        return Settings(**values)


class _Handler(BaseHTTPRequestHandler):
    server: SmsProvider

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.received.append(Received(self.command, self.path, dict(self.headers), body))
        if self.server.hangs:
            self.server.released.wait()
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"the answer")

    do_POST = do_PUT = do_GET = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def provider() -> Iterator[SmsProvider]:
    with SmsProvider() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def test_default_request_is_json(provider: SmsProvider) -> None:
    SmsDelivery(provider.settings(sms_headers=(("Authorization", "Bearer x"),))).deliver(TO, TEXT, KEY)
    (request,) = provider.received
    assert (request.method, request.path) == ("POST", "/send")
    assert json.loads(request.body) == {"to": TO, "text": TEXT}
    assert (request.headers["Authorization"], request.headers["Content-Type"]) == (
        "Bearer x",
        "application/json",
    )


@pytest.mark.parametrize("name", ["Content-Type", "content-type", "CONTENT-TYPE"])
def test_request_as_a_form(provider: SmsProvider, name: str) -> None:
    settings = provider.settings(
        sms_method="PUT",
        sms_headers=((name, "application/x-www-form-urlencoded"),),
        sms_body="to={to}&text={text}&key={key}",
    )
    SmsDelivery(settings).deliver("+91 1", "a&b=ಟಿ", KEY)
    (request,) = provider.received
    assert request.body == f"to=%2B91+1&text=a%26b%3D%E0%B2%9F%E0%B2%BF&key={KEY}"


def test_body_in_which_a_text_cannot_be_written_is_refused() -> None:
    headers = (("content-type", "text/xml"),)
    with pytest.raises(SettingsError, match="BUSWARE_SMS_HEADERS"):
        check_settings(Settings(sms_headers=headers, sms_body="<to>{to}</to><text>{text}</text>"))
    check_settings(Settings(sms_headers=headers, sms_body=None))
    check_settings(Settings())


def test_request_in_the_url(provider: SmsProvider) -> None:
    url = f"http://127.0.0.1:{provider.server_port}/send?to={{to}}&text={{text}}"
    SmsDelivery(provider.settings(sms_url=url, sms_method="GET", sms_body=None)).deliver(TO, "a b/&", KEY)
    (request,) = provider.received
    assert (request.method, request.path) == ("GET", "/send?to=%2B919845012345&text=a%20b%2F%26")


def test_text_with_a_placeholder_is_text(provider: SmsProvider) -> None:
    SmsDelivery(provider.settings()).deliver(TO, "{to} {key}", KEY)
    assert json.loads(provider.received[0].body)["text"] == "{to} {key}"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, NotAccepted), (401, NotAccepted), (404, NotAccepted), (302, NotAccepted),
        (408, NotDelivered), (429, NotDelivered), (500, NotDelivered), (503, NotDelivered),
    ],
)  # fmt: skip
def test_status_says_what_becomes_of_the_message(
    provider: SmsProvider, status: int, error: type[Exception]
) -> None:
    provider.status = status
    provider.headers = {"Location": "/elsewhere", "Retry-After": "7"}
    with pytest.raises((NotAccepted, NotDelivered)) as raised:
        SmsDelivery(provider.settings()).deliver(TO, TEXT, KEY)
    assert raised.type is error
    assert str(raised.value).startswith(str(status))
    assert len(provider.received) == 1
    if isinstance(raised.value, NotDelivered):
        assert raised.value.after_seconds == 7


def test_silent_provider_is_given_up_after_the_time_limit(provider: SmsProvider) -> None:
    provider.hangs = True
    with pytest.raises(NotDelivered, match="timed out"):
        SmsDelivery(provider.settings(sms_seconds=0.2)).deliver(TO, TEXT, KEY)


def test_provider_that_is_not_there_is_tried_again() -> None:
    with pytest.raises(NotDelivered, match="refused"):
        SmsDelivery(Settings(sms_url="http://127.0.0.1:1/")).deliver(TO, TEXT, KEY)


@pytest.mark.parametrize(
    ("text", "shown"), [("abc", "abc"), ("abcd efgh", "abcd…"), ("abcdefghi", "abcdefg…"), ("a" * 8, "a" * 8)]
)
def test_long_text_is_cut(text: str, shown: str) -> None:
    assert shortened(text, 8) == shown
    assert len(shortened(text, 8)) <= 8
