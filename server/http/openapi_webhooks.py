"""The part `webhooks` of the OpenAPI document: what is sent to webhooks, by type of event."""

from typing import Any

from msgspec import Struct

from busware.server import protocol
from busware.server.http.examples import EXAMPLES
from busware.server.http.executor import JSON
from busware.server.http.webhook_examples import EVENT_ID

Json = dict[str, Any]

_HEADERS = {
    "webhook-id": ("the id of the event, the same each time it is sent", EVENT_ID),
    "webhook-timestamp": ("when it was sent, in seconds since 1970", "1796095800"),
    "webhook-signature": (
        "the signature of each valid secret, with blanks between them",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}
_RESPONSES: Json = {
    "2XX": {"description": "The event is delivered."},
    "410": {"description": "The receiver is gone: the webhook is paused."},
    "4XX": {"description": "The delivery has failed, and is tried again. Retry-After says when."},
    "5XX": {"description": "The delivery has failed, and is tried again. Retry-After says when."},
}
_BOOKING: Json = EXAMPLES["booking"].reply
_PAYMENT: Json = EXAMPLES["settle_payment"].reply["payment"]
_REFUND: Json = EXAMPLES["settle_refund"].reply["refunds"][0]
_BOOKING_FIELDS = {name: _BOOKING[name] for name in ("bus_id", "travel_date", "reference")}
# The example of each struct: its fields beside type, timestamp and position.
_EXAMPLES: dict[type[Struct], Json] = {
    protocol.BookingEvent: {**_BOOKING_FIELDS, "data": _BOOKING},
    protocol.NoticeEvent: {
        **_BOOKING_FIELDS,
        "data": {**_BOOKING_FIELDS, "message_id": 12, "text": "The bus leaves from platform 4."},
    },
    protocol.PaymentEvent: {
        **_BOOKING_FIELDS,
        "data": {**_BOOKING, "cause": "payment", "transaction": _PAYMENT},
    },
    protocol.RefundEvent: {
        **_BOOKING_FIELDS,
        "data": {**_BOOKING, "cause": "payment", "transaction": _REFUND},
    },
    protocol.TripEvent: {
        "bus_id": EXAMPLES["open_trip"].reply["bus_id"],
        "travel_date": EXAMPLES["open_trip"].reply["travel_date"],
        "data": EXAMPLES["open_trip"].reply,
    },
    protocol.TestEvent: {"data": {}},
}


def example_of(name: str) -> Json:
    """An event of a type, as it is sent."""
    struct = protocol.SENT_EVENTS[name]
    position = {"position": 17} if "position" in struct.__struct_fields__ else {}
    return {"type": name, "timestamp": "2026-12-01T03:30:00Z", **position, **_EXAMPLES[struct]}


def webhooks(ref_template: str) -> Json:
    """The path item of each type. ref_template: of the schemas, which are those of protocol.SENT_EVENTS."""
    return {
        name: {
            "post": {
                "operationId": f"receive_{name.replace('.', '_')}",
                "summary": (struct.__doc__ or "").split("\n", 1)[0],
                "description": f"An event of the type `{name}`. docs/webhooks.md explains how it is signed.",
                "tags": ["webhooks"],
                "security": [],
                "parameters": [
                    {
                        "name": header,
                        "in": "header",
                        "required": True,
                        "description": about,
                        "schema": {"type": "string"},
                        "example": example,
                    }
                    for header, (about, example) in _HEADERS.items()
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        JSON: {
                            "schema": {"$ref": ref_template.format(name=struct.__name__)},
                            "example": example_of(name),
                        }
                    },
                },
                "responses": _RESPONSES,
            }
        }
        for name, struct in protocol.SENT_EVENTS.items()
    }
