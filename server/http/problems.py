"""Errors as problem details (RFC 9457): a status for each reason of a refusal, and a JSON body.

The body has the reason and the data of the refusal beside the members of the RFC. `type` is a link to the
description of the reason at /schema. A problem without a reason (no such path) has the type about:blank.
"""

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from busware.server.protocol import REASONS, Refusal

log = logging.getLogger("busware.http")

PROBLEM = "application/problem+json"
BUSY_RETRY_SECONDS = 1

STATUSES: dict[str, int] = {
    "bad_request": 400,
    "wrong_password": 401,
    "not_signed_in": 401,
    "not_allowed": 403,  # 429 with retry_after
    "not_yours": 403,
    "not_an_agent": 403,
    "own_account": 403,
    "unknown_place": 404,
    "ambiguous_place": 404,
    "unknown_trip": 404,
    "unknown_seat": 404,
    "unknown_booking": 404,
    "unknown_class": 404,
    "unknown_concession": 404,
    "unknown_promo_code": 404,
    "unknown_vehicle": 404,
    "unknown_driver": 404,
    "unknown_agent": 404,
    "unknown_webhook": 404,
    "webhook_not_active": 409,
    "too_many_webhooks": 409,
    "too_many_secrets": 409,
    "departed": 409,
    "trip_cancelled": 409,
    "wrong_trip": 409,
    "stop_skipped": 409,
    "not_departed": 409,
    "checked_in": 409,
    "payment_required": 402,
    "no_payment_due": 409,
    "unknown_payment": 404,
    "no_invoice": 404,
    "refund_under_way": 409,
    "provider_unavailable": 503,
    "unsupported": 501,
    "displaced": 409,
    "no_offer": 404,
    "offer_ended": 409,
    "too_many_transfers": 422,
    "seat_taken": 409,
    "sold_out": 409,
    "other_fare": 409,
    "other_amount": 409,
    "not_exchangeable": 409,
    "promo_code_used_up": 409,
    "quota_used_up": 409,
    "credit_used_up": 409,
    "already_settled": 409,
    "queue_full": 409,
    "hold_expired": 409,
    "not_held": 409,
    "already_booked": 409,
    "already_cancelled": 409,
    "username_taken": 409,
    "not_in_service": 409,
    "service_in_use": 409,
    "wrong_layout": 409,
    "already_assigned": 409,
    "plan_changed": 409,
    "not_on_route": 422,
    "reserved_seat": 409,
    "too_short": 409,
    "too_many_on_trip": 409,
    "too_many_seats": 422,
    "key_reused": 422,
    "too_many_holds": 429,
    "busy": 503,
    "draining": 503,
    "outcome_unknown": 504,
}


class Problem(Exception):
    """An error response. members: the fields of its body beside the status."""

    def __init__(
        self, status: int, members: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(members["detail"])
        self.status = int(status)
        self.body = msgspec.json.encode({**members, "status": self.status})
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The response over HTTP."""
        return Response(self.body, self.status, self.headers, PROBLEM)


def of_refusal(refusal: Refusal, status: int | None = None) -> Problem:
    """The problem for a refusal. status: replaces the status of its reason.

    The functions of a newer database may have reasons that this version does not know.
    """
    status = status or STATUSES.get(refusal.reason, HTTPStatus.CONFLICT)
    headers = {}
    if "retry_after" in refusal.data:
        status = HTTPStatus.TOO_MANY_REQUESTS
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        headers["Retry-After"] = str(refusal.data.get("retry_after") or BUSY_RETRY_SECONDS)
    title = REASONS.get(refusal.reason, "the request is refused").partition(";")[0]
    members = {
        "type": f"/schema#{refusal.reason}",
        "title": title[:1].upper() + title[1:],
        "detail": refusal.message,
        "reason": refusal.reason,
    }
    return Problem(status, refusal.data | members, headers)


def of_status(status: int, detail: str, headers: Mapping[str, str] | None = None, **data: Any) -> Problem:
    """A problem without a reason: the status says what is wrong."""
    members = {"type": "about:blank", "title": HTTPStatus(status).phrase, "detail": detail}
    return Problem(status, members | data, headers)


def of_body(status: int, message: str) -> Problem:
    """The problem for an HTTP request whose body as a whole is invalid."""
    refusal = Refusal("bad_request", message, field="body", takes="a JSON object, as application/json")
    return of_refusal(refusal, status)


def of_error(http: HttpRequest, error: Exception) -> Problem:
    """The problem for an error of the router or of a handler.

    An internal error is logged with a request id. The client gets the request id and no details.
    """
    path = "".join(filter(str.isprintable, http.scope["path"]))[:200]
    match error:
        case Problem():
            return error
        case Refusal():
            return of_refusal(error)
        case ClientDisconnect():  # no client reads the response
            return of_status(400, "The client closed the connection.")
        case HTTPException(status_code=HTTPStatus.METHOD_NOT_ALLOWED):
            detail = f"{path} has no {http.method}; see the header Allow."
            return of_status(error.status_code, detail, error.headers)
        case HTTPException(status_code=HTTPStatus.NOT_FOUND):
            return of_status(error.status_code, f"There is nothing at {path}; see /schema.")
    request_id = secrets.token_hex(4)
    log.error(
        "request %s failed: %s %s", request_id, http.method, http.scope["path"][:200],
        exc_info=error, extra={"request_id": request_id},
    )  # fmt: skip
    message = "Something went wrong inside the server."
    return of_status(HTTPStatus.INTERNAL_SERVER_ERROR, message, request_id=request_id)
