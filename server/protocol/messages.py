"""The request that reads the messages about a booking, and its reply."""

from msgspec import Struct

from busware.server.protocol.replies import Instant
from busware.server.protocol.requests import BookingRequest, method


class BookingMessage(Struct, frozen=True, kw_only=True):
    """A message about a booking. from_operator: false for one that a passenger has sent."""

    at: Instant
    text: str
    from_operator: bool


class BookingMessages(Struct, frozen=True, kw_only=True):
    """The last 100 messages about a booking, the oldest first."""

    messages: list[BookingMessage]


@method("messages", BookingMessages, "GET /v1/bookings/{reference}/messages")
class GetMessages(BookingRequest, frozen=True, kw_only=True):
    """List the messages about a booking: those of its passengers, and those of the operators to it, to its
    trip and to everyone since it was made."""
