"""Carries the deliveries to webhooks out: signs an event, sends it, and says what becomes of the delivery.

A delivery is done with an answer 2xx. Everything else is tried again, until the outbox gives the delivery up.
The answer 410 pauses the webhook, and so does the end of a delivery after which nothing was delivered.
"""

import logging
import secrets
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import msgspec
from standardwebhooks import Webhook

from busware.server.db.pool import Pool
from busware.server.outbox.worker import GiveUp, OutboxRow, Retry, storable
from busware.server.protocol import VERSION
from busware.server.settings import Settings
from busware.server.webhooks import targets
from busware.server.webhooks.post import NotAnswered, Sender

log = logging.getLogger("busware.webhooks")

_TARGET = "SELECT name, url, secrets FROM api.webhook_target(%s)"
_PAUSE = "SELECT api.pause_webhook(%s, %s, %s)"
_SECRET_BYTES = 32
# The fields of an event that are sent besides type, timestamp and data.
_SENT_FIELDS = ("position", "bus_id", "travel_date", "reference")


def new_secret() -> str:
    """A new secret, in the form of Standard Webhooks."""
    return f"whsec_{b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


class WebhookCarrier:
    """The carrier of the kind webhook. Raises SettingsError if the certificates cannot be read."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool, self._settings = pool, settings
        self._sender = Sender(settings)

    def carry(self, row: OutboxRow) -> None:
        """Send a delivery once. Raises Retry or GiveUp."""
        found = self._pool.execute(_TARGET, (row.webhook_no,))
        if not found:
            raise GiveUp("The webhook is not active.")
        ((name, url, keys),) = found
        body = self._body(row)
        try:
            headers = _headers(_event_id(row), body, keys)
            answer = self._sender.post(targets.target_of(url), headers, body.encode())
        except (targets.Refused, NotAnswered) as error:
            problem, retry_after = str(error), None
        else:
            if 200 <= answer.status < 300:
                return
            shown = answer.body.decode(errors="replace")
            problem = f"The receiver answered {answer.status} {answer.reason}: {shown!r}"
            retry_after = answer.retry_after
            if answer.status == HTTPStatus.GONE:
                self._pause(row, name, problem, gone=True)
                raise GiveUp(problem)
        if row.age >= timedelta(hours=self._settings.outbox_hours):  # the last attempt
            self._pause(row, name, problem, gone=False)
        raise Retry(problem, retry_after)

    def _body(self, row: OutboxRow) -> str:
        """What is sent: the same at each attempt. Raises GiveUp if the event was deleted."""
        payload = msgspec.json.decode(row.payload)
        if "event_id" not in payload:
            return _json({"type": payload["type"], "timestamp": _time(row.created_at), "data": {}})
        if row.event is None:
            raise GiveUp("The event was deleted, because it is old.")
        return _json(sent_event(msgspec.json.decode(row.event)))

    def _pause(self, row: OutboxRow, name: str, problem: str, *, gone: bool) -> None:
        problem = storable(problem)
        ((paused,),) = self._pool.execute(_PAUSE, (row.outbox_no, problem, gone))
        if paused:
            log.warning("the webhook of %s is paused, until its operator activates it: %s", name, problem)


def sent_event(event: dict[str, Any]) -> dict[str, Any]:
    """What is sent of a row of table events: a struct of protocol.SENT_EVENTS, as JSON."""
    fields = {name: event[name] for name in _SENT_FIELDS if event[name] is not None}
    timestamp = _time(datetime.fromisoformat(event["at"]))
    return {"type": event["type"], "timestamp": timestamp, **fields, "data": event["data"]}


def _event_id(row: OutboxRow) -> str:
    """What the receiver recognizes the event by: the same for each delivery of it."""
    return str(msgspec.json.decode(row.payload).get("event_id", row.key))


def _headers(event_id: str, body: str, keys: list[str]) -> dict[str, str]:
    """The headers, with a signature of each secret."""
    now = datetime.now(UTC)
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Busware/{VERSION}",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(event_id, now, body) for key in keys),
    }


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
