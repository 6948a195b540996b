"""The reasons of refusals, and the error codes of JSON-RPC."""

from typing import Any

PARSE_ERROR = -32700  # JSON-RPC 2.0, section 5.1
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REFUSED = -32001  # every reason but bad_request

REASONS: dict[str, str] = {
    "unknown_place": "no place has that name, code or alias, or one that begins with it; "
    "`nearest` lists similar ones",
    "ambiguous_place": "several places have that name or alias, or one that begins with it; "
    "`places` lists them: give the code of one",
    "unknown_trip": "the service does not exist or has no trip on that date; `dates` lists the nearest ones",
    "unknown_seat": "the trip has no such seat; `seats` lists the wrong numbers, `seat_count` is its "
    "number of seats",
    "unknown_booking": "no booking has that reference and phone number, or it has no such ticket; `tickets` "
    "lists its tickets",
    "not_on_route": "the service does not go from the origin to the destination; `stops` lists its stops",
    "departed": "the trip has left the boarding stop, or is no longer sold from there",
    "trip_cancelled": "the trip is cancelled",
    "seat_taken": "a seat is taken or held on a part of the segment; `seats` lists such seats",
    "sold_out": "fewer seats are free than requested; `seats_free` is their number",
    "too_many_seats": "a booking may not have so many seats; `limit` is the largest number",
    "too_many_holds": "the account or the address holds too much without payment; `retry_after` is the "
    "number of seconds until enough of it expires, `limit` the largest number of holds or of held seats",
    "queue_full": "the waitlist of the trip is full; `limit` is the number of parties that it may have",
    "hold_expired": "the hold has expired; on confirm, its seats are no longer free, or its fare or its "
    "terms have changed: `fare` is then the fare of today",
    "not_held": "the booking is not a hold, so it cannot be confirmed or released",
    "already_booked": "the booking is already confirmed",
    "already_cancelled": "the booking or the ticket is already cancelled",
    "key_reused": "the idempotency key was used for a different request",
    "bad_request": "a field is missing or wrong; `field` is its name, `takes` describes its values",
    "wrong_password": "no account has that username and password, or the token is not valid",
    "username_taken": "another account has that username",
    "not_signed_in": "the method requires a session, and the caller has none or it has ended",
    "not_yours": "another operator runs the service",
    "not_allowed": "the account role may not use the method, the password is accepted at /hotel only, or a "
    "rate limit is exceeded; `retry_after` is the number of seconds to wait, `limit` the limit",
    "busy": "a limit is reached; try again",
    "draining": "the server is shutting down; try again",
    "outcome_unknown": "the database connection was lost during the commit; try again with the same key",
}


class Refusal(Exception):
    """The server refuses a request. Nothing was changed, except perhaps with reason outcome_unknown.

    reason: one of REASONS. message: a sentence for people. data: the other fields that the reason has.
    """

    def __init__(self, reason: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.data = data

    @property
    def code(self) -> int:
        """The JSON-RPC error code of the reason."""
        return INVALID_PARAMS if self.reason == "bad_request" else REFUSED
