"""Refusals over HTTP: a status for each reason, and a body as RFC 9457 has it.

The body has the reason and the data of the refusal beside the members of the RFC; `type` leads to what is
said of the reason in the description. What is no refusal of ours (no such path, a method it has not) has
a status and a sentence.
"""

from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from busware.server.protocol import REASONS, Refusal

PROBLEM = "application/problem+json"
TYPE = "/schema#"  # and the reason
SOON_SECONDS = 1  # when to try again what was busy

STATUSES: dict[str, int] = {
    "bad_request": 400,
    "wrong_password": 401,
    "not_signed_in": 401,
    "not_allowed": 403,  # 429 where it was too often
    "not_yours": 403,
    "unknown_place": 404,
    "unknown_trip": 404,
    "unknown_seat": 404,
    "unknown_booking": 404,
    "departed": 409,
    "trip_cancelled": 409,
    "seat_taken": 409,
    "sold_out": 409,
    "queue_full": 409,
    "hold_expired": 409,
    "not_held": 409,
    "already_booked": 409,
    "already_cancelled": 409,
    "username_taken": 409,
    "not_on_route": 422,
    "too_many_seats": 422,
    "key_reused": 422,
    "busy": 503,
    "draining": 503,
    "outcome_unknown": 504,
}


class Problem(NamedTuple):
    """An answer that says what is wrong."""

    status: int
    headers: dict[str, str]
    body: bytes


def of_refusal(refusal: Refusal, status: int = 0) -> Problem:
    """The problem that a refusal is; with another status than its reason's, if one is given."""
    status, wait = status or STATUSES[refusal.reason], refusal.data.get("retry_after")
    if wait is not None:
        status = HTTPStatus.TOO_MANY_REQUESTS
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR or wait is not None:
        headers["Retry-After"] = str(wait or SOON_SECONDS)
    title = REASONS[refusal.reason].partition(";")[0]
    members = {"type": TYPE + refusal.reason, "title": title[:1].upper() + title[1:], "status": int(status)}
    told = {"detail": refusal.message, "reason": refusal.reason}
    return Problem(status, headers, msgspec.json.encode({**refusal.data, **members, **told}))


def of_status(status: int, detail: str, headers: dict[str, str] | None = None, **data: Any) -> Problem:
    """A problem that HTTP has a status for, and the wire no reason."""
    members = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Problem(status, headers or {}, msgspec.json.encode(members | data))


def of_body(status: int, message: str) -> Problem:
    """The body of a request is not what it should be."""
    refusal = Refusal("bad_request", message, field="body", takes="a JSON object, as application/json")
    return of_refusal(refusal, status)
