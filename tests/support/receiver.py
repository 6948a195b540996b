"""A receiver of webhooks on this machine, which can answer wrongly; it has a certificate authority."""

import dataclasses
import queue
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import trustme
from msgspec import json
from psycopg.types.json import Jsonb
from standardwebhooks import Webhook

from busware.server.outbox.worker import Outbox
from busware.server.setting_kinds import networks
from busware.server.settings import Settings
from busware.server.webhooks.carrier import WebhookCarrier, new_secret
from tests.support.line_client import WAIT_SECONDS

if TYPE_CHECKING:
    from tests.conftest import Database


class Received(NamedTuple):
    """A request. headers: with names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """What was sent, as JSON."""
        return json.decode(self.body)

    @property
    def id(self) -> str:
        """What the event is recognized by."""
        return self.headers["webhook-id"]

    def verify(self, secret: str) -> None:
        """Raises standardwebhooks.WebhookVerificationError if the signature is not one of the secret."""
        Webhook(secret).verify(self.body, self.headers)


Answer = Callable[[BaseHTTPRequestHandler, threading.Event], None]


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer with a status. headers: with _ instead of -."""

    def answer(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def raw(answer_bytes: bytes) -> Answer:
    """Answer with these bytes."""

    def answer(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        handler.wfile.write(answer_bytes)

    return answer


def silence(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
    """Never answer."""
    stopping.wait()


def close(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
    """End the connection without an answer."""


def endless(beginning: bytes, piece: bytes, pause_seconds: float = 0.0) -> Answer:
    """Answer with a piece again and again, until the sender ends the connection."""

    def answer(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        handler.wfile.write(beginning)
        while not stopping.wait(pause_seconds):
            handler.wfile.write(piece)

    return answer


class Receiver:
    """Records requests. answers: to the next requests, in order. always: to all others, by default 204."""

    def __init__(self, folder: Path, name: str) -> None:
        self.requests = queue.Queue[Received]()
        self.answers = queue.Queue[Answer]()
        self.always = status(204)
        self.stopping = threading.Event()
        self.ca = folder / "receiver-ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] - the sender ends early
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        """A URL of the receiver."""
        return f"https://localhost:{self.port}/busware"

    def settings(self, settings: Settings, **others: Any) -> Settings:
        """The settings with which a server sends here."""
        mine = {"webhook_ca": self.ca, "webhook_networks": networks("127.0.0.0/8,::1/128")}
        return dataclasses.replace(settings, **{**mine, **others})

    def next(self) -> Received:
        """The next request; waits for it."""
        return self.requests.get(timeout=WAIT_SECONDS)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.put(Received(self.path, headers, body))
                try:
                    answer = receiver.answers.get_nowait()
                except queue.Empty:
                    answer = receiver.always
                self.close_connection = True
                with suppress(OSError):  # the sender has ended the connection
                    answer(self, receiver.stopping)

            def log_message(self, *_: object) -> None:
                """Write no log."""

        return Handler

    @classmethod
    @contextmanager
    def open(cls, folder: Path, name: str = "localhost") -> Iterator["Receiver"]:
        """Receive until the end of the `with`. name: in the certificate."""
        receiver = cls(folder, name)
        thread = threading.Thread(target=receiver._server.serve_forever, name="receiver")
        thread.start()
        try:
            yield receiver
        finally:
            receiver.stopping.set()
            receiver._server.shutdown()
            thread.join()
            receiver._server.server_close()


def change_webhook(
    database: "Database", method: str, webhook: str = "accounting", **fields: Any
) -> dict[str, Any]:
    """Execute a write as the operator `meera`, who may have three webhooks with three secrets."""
    limits = {"webhooks": 3, "secrets": 3, "secret_seconds": 3600}
    args = {"account": "meera", "webhook": webhook, "secret": new_secret(), **fields}
    return database.value(
        "SELECT answer FROM api.change_webhook(%s, %s, %s)", method, Jsonb(args), Jsonb(limits)
    )


class Hooks:
    """The webhooks of KSRTC, which lead to `receiver`, and the outboxes that send to them."""

    def __init__(self, database: "Database", receiver: Receiver, server: SimpleNamespace) -> None:
        self.database, self.receiver = database, receiver
        self.pool, self.settings = server.pool, server.settings
        self._started: list[Outbox] = []

    def change(self, method: str, webhook: str = "accounting", **fields: Any) -> dict[str, Any]:
        """Execute a write as the operator `meera`."""
        return change_webhook(self.database, method, webhook, **fields)

    def put(self, webhook: str = "accounting", **fields: Any) -> dict[str, Any]:
        """Create or change a webhook."""
        return self.change("put_webhook", webhook, **{"url": self.receiver.url, **fields})

    def start(self, **others: Any) -> Outbox:
        """Start an outbox whose webhooks may go to the receiver. others: settings."""
        settings = self.receiver.settings(self.settings, **others)
        outbox = Outbox(self.pool, settings)
        outbox.register("webhook", WebhookCarrier(self.pool, settings).carry)
        outbox.start()
        self._started.append(outbox)
        return outbox

    def stop(self) -> None:
        """Stop the outboxes; the receiver ends the answers that it has begun."""
        self.receiver.stopping.set()
        for outbox in self._started:
            outbox.stop()

    def states(self) -> list[tuple[str, int]]:
        """State and attempts of each delivery, the oldest first."""
        return self.database.query(
            "SELECT state, attempts FROM outbox WHERE kind = 'webhook' ORDER BY outbox_no"
        )

    def attempted(self) -> bool:
        """Whether an attempt of a delivery has ended."""
        return bool(self.database.value("SELECT bool_or(state = 'done' OR error IS NOT NULL) FROM outbox"))

    def errors(self) -> list[str | None]:
        """The last error of each delivery, the oldest first."""
        return self.database.query("SELECT error FROM outbox WHERE kind = 'webhook' ORDER BY outbox_no")


@pytest.fixture
def hooks(database: "Database", receiver: Receiver, server: SimpleNamespace) -> Iterator[Hooks]:
    database.query("SELECT api.add_operator('meera', 'hash', 'KSRTC')")
    opened = Hooks(database, receiver, server)
    yield opened
    opened.stop()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver.open(tmp_path) as opened:
        yield opened
