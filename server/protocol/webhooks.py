"""Webhooks, by which the events of an operator are sent to a URL: the requests and the replies."""

import datetime
import uuid
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from busware.server.protocol.fields import Cursor, Flag, Key, Limit, OperatorName
from busware.server.protocol.replies import Instant
from busware.server.protocol.requests import Request, method
from busware.server.protocol.webhook_events import EVENT_TYPES

WebhookName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9-]{0,39}$(?!\n)",
        description="the name of a webhook: up to 40 small letters, digits and hyphens, such as accounting",
    ),
]
# A host and a path in ASCII, without userinfo and fragment.
WebhookUrl = Annotated[
    str,
    Meta(
        max_length=2048,
        pattern=r"^https://([A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(:[1-9][0-9]{0,4})?"
        r"([/?][A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*)?$(?!\n)",
        description="a URL such as https://example.org/busware, of up to 2048 characters, with https, and "
        "without a user and a fragment (#); write other letters percent-encoded, those of a host as xn--",
    ),
]
EventPattern = Annotated[
    str, Meta(pattern=r"^(\*|[a-z_]{1,40}\.(\*|[a-z_]{1,40}))$(?!\n)", description="a type of events")
]
EventPatterns = Annotated[
    list[EventPattern],
    Meta(
        min_length=1,
        max_length=50,
        description="a list of types of events, such as booking.booked; booking.* is all about bookings, "
        "* all",
    ),
]
DeliveryNo = Annotated[int, Meta(ge=1, le=2**63 - 1, description="the number of a delivery")]
DeliveryState = Annotated[
    Literal["waiting", "delivered", "failed"], Meta(description="waiting, delivered or failed")
]
EventPosition = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,18}(-[0-9a-f]{8})?$(?!\n)",
        description="a position in the log of events, or `next` of an earlier reply: the "
        "events after it are sent",
    ),
]
Since = Annotated[
    datetime.datetime,
    Meta(
        tz=True,
        description="a time with its offset, such as 2026-12-01T09:00:00+05:30: the events since "
        "then are sent",
    ),
]


def unknown_types(patterns: list[str]) -> list[str]:
    """The patterns that match no type of events."""
    families = {f"{kind.partition('.')[0]}.*" for kind in EVENT_TYPES}
    return [pattern for pattern in patterns if pattern not in {*EVENT_TYPES, *families, "*"}]


# Replies ---------------------------------------------------------------------------------------


class Webhook(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A webhook of an operator. waiting, failed: numbers of deliveries; failed ones are not tried again.

    problem: why the server has paused it; missing if it has not. secret: in the reply that creates a webhook
    or a secret, and never again. earlier_secret_until: until when the earlier secret signs, too.
    """

    webhook: str
    operator: str
    url: str
    types: list[str]
    active: bool
    created_at: Instant
    waiting: int
    failed: int
    problem: str | None = None
    secret: str | None = None
    earlier_secret_until: Instant | None = None


class WebhookList(Struct, frozen=True, kw_only=True):
    """The webhooks of an operator, sorted by name."""

    webhooks: list[Webhook]


class Delivery(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A delivery of an event to a webhook. error: why the last attempt failed.

    event_id: the header webhook-id. position: in the log of events; missing for a test. next_at: of the next
    attempt; missing if the delivery has ended, or waits for an earlier one of the same booking or trip.
    ended_at: when it was delivered, or given up.
    """

    delivery_no: int
    event_id: uuid.UUID
    type: str
    state: DeliveryState
    attempts: int
    created_at: Instant
    position: int | None = None
    reference: str | None = None
    error: str | None = None
    next_at: Instant | None = None
    ended_at: Instant | None = None


class DeliveryList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of deliveries, the last ones first. next: the value of `after` for the next page."""

    deliveries: list[Delivery]
    next: str | None = None


class Replay(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a replay sends. replayed: the number of events. next: the position after which to go on.

    more: whether there are events after it.
    """

    replayed: int
    next: str
    more: bool = False


# Requests --------------------------------------------------------------------------------------


class WebhookRequest(Request, frozen=True, kw_only=True):
    """A request about a webhook. operator: only an admin needs to name it."""

    webhook: WebhookName
    operator: OperatorName | None = None


class WebhookWrite(WebhookRequest, frozen=True, kw_only=True):
    """A request that changes a webhook, or sends something to it."""

    key: Key | None = None


@method("webhooks", WebhookList, "GET /v1/webhooks")
class Webhooks(Request, frozen=True, kw_only=True):
    """For operators: list your webhooks."""

    operator: OperatorName | None = None


@method("put_webhook", Webhook, "PUT /v1/webhooks/{webhook}")
class PutWebhook(WebhookWrite, frozen=True, kw_only=True):
    """For operators: create a webhook, or change it. A field that is not given stays as it is.

    The reply to the request that creates it has its secret.
    """

    url: WebhookUrl | UnsetType = UNSET
    types: EventPatterns | UnsetType = UNSET
    active: Flag | UnsetType = UNSET


@method("delete_webhook", Webhook, "DELETE /v1/webhooks/{webhook}")
class DeleteWebhook(WebhookWrite, frozen=True, kw_only=True):
    """For operators: delete a webhook, with the record of its deliveries and what waits for it."""


@method("rotate_webhook_secret", Webhook, "POST /v1/webhooks/{webhook}/secrets")
class RotateWebhookSecret(WebhookWrite, frozen=True, kw_only=True):
    """For operators: give a webhook a new secret. For a time, the earlier one signs, too."""


@method("test_webhook", Delivery, "POST /v1/webhooks/{webhook}/tests")
class TestWebhook(WebhookWrite, frozen=True, kw_only=True):
    """For operators: send an event of the type webhook.test to a webhook."""

    __test__ = False  # pytest takes it for a test


@method("webhook_deliveries", DeliveryList, "GET /v1/webhooks/{webhook}/deliveries")
class WebhookDeliveries(WebhookRequest, frozen=True, kw_only=True):
    """For operators: list what was sent to a webhook, and what became of it, the last deliveries first."""

    state: DeliveryState | None = None
    limit: Limit | None = None
    after: Cursor | None = None


@method("replay_webhook", Replay, "POST /v1/webhooks/{webhook}/replays")
class ReplayWebhook(WebhookWrite, frozen=True, kw_only=True):
    """For operators: send events to a webhook again: that of a delivery, or those after a position or a time.

    Events that wait for the webhook already are left out.
    """

    either = ("after", "since", "delivery_no")

    after: EventPosition | None = None
    since: Since | None = None
    delivery_no: DeliveryNo | None = None
    limit: Limit | None = None
