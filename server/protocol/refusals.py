"""The refusals: the reasons that programs act on, and the codes of JSON-RPC."""

from typing import Any

PARSE_ERROR = -32700  # JSON-RPC 2.0, section 5.1
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REFUSED = -32001  # every refusal of the house but bad_request; `reason` says which

REASONS: dict[str, str] = {
    "unknown_place": "no place has that name, code or alias; `nearest` names some that are like it",
    "unknown_trip": "the bus does not exist, or does not run on that date; `dates` names the nearest ones",
    "unknown_seat": "the bus has no such seat; `seats` says which, `seat_count` how many it has",
    "unknown_booking": "no booking has that reference and phone, or no such ticket",
    "not_on_route": "the bus does not go from there to there; `stops` names its stops in order",
    "departed": "it no longer sells from that stop, or has passed it",
    "trip_cancelled": "the trip does not run",
    "seat_taken": "somebody has the seat over part of the stretch; `seats` says which are gone",
    "sold_out": "fewer seats are free than asked for; `seats_free` says how many",
    "too_many_seats": "more seats than one booking may have; `limit` says how many",
    "queue_full": "the waiting list of the trip is full; `limit` says how long it may be",
    "hold_expired": "the hold ran out; on confirm, the seats went to somebody else",
    "not_held": "the booking is no hold that could be confirmed or released",
    "already_booked": "the booking is confirmed already",
    "already_cancelled": "the booking, or the ticket, is cancelled already",
    "key_reused": "the idempotency key was used with other content",
    "bad_request": "a field is missing or wrong; `field` says which, `takes` what it takes",
    "wrong_password": "no account has that username and password, or the token is worth nothing any more",
    "username_taken": "somebody has that username already",
    "not_signed_in": "this is for those who are signed in, and the caller is not, or not any more",
    "not_yours": "the service is somebody else's to run",
    "not_allowed": "this is not for the caller to do; or too often wrong: `retry_after` says how many "
    "seconds to wait, `limit` how often is too often",
    "busy": "a limit is reached: nothing was done, try again",
    "draining": "the server is going down: nothing was done, try again",
    "outcome_unknown": "the database went away during the commit: ask again with the same key",
}


class Refusal(Exception):
    """A request that is not carried out, for a reason the caller can act on.

    reason: one of REASONS. message: a sentence for people. data: more fields for programs.
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
