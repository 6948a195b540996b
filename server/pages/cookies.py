"""The cookies of the pages. A script cannot read them, and no other site sends them with a form.

session    the token of the account
bookings   the bookings that were opened in this browser, with their phone numbers: these are not in addresses
           of pages, which are stored and shown in many places
language   the chosen language
form       a secret of this browser, from which the tokens of forms are made
shown      the new secret of a webhook, or the token for a password of another account, until the page that
           shows it is loaded
"""

import secrets
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote

from starlette.responses import Response

_DAYS = 86_400  # seconds
_SHOWN_SECONDS = 60
_MAX_AGE = {
    "session": 30 * _DAYS,
    "bookings": 180 * _DAYS,
    "language": 365 * _DAYS,
    "form": 30 * _DAYS,
    "shown": _SHOWN_SECONDS,
}
_MAX_BOOKINGS = 20  # the latest ones; a browser keeps at most 4,096 bytes in a cookie
_SECRET_BYTES = 16


class Cookies:
    """The cookies of one request, and those that its response sets. secure: the browser uses TLS."""

    def __init__(self, sent: Mapping[str, str], *, secure: bool) -> None:
        self._secure = secure
        prefix = "__Host-busware-" if secure else "busware-"
        self._names = {name: prefix + name for name in _MAX_AGE}
        self._values = {name: sent[full] for name, full in self._names.items() if full in sent}
        self._changed: dict[str, str | None] = {}

    def get(self, name: str) -> str | None:
        """The value of a cookie."""
        return self._values.get(name) or None

    def set(self, name: str, value: str | None) -> None:
        """Set a cookie, or remove it."""
        if value:
            self._values[name] = value
        else:
            self._values.pop(name, None)
        self._changed[name] = value

    def add_to(self, response: Response) -> None:
        """Add the changed cookies to a response."""
        for name, value in self._changed.items():
            response.set_cookie(
                self._names[name],
                value or "",
                max_age=_MAX_AGE[name] if value else 0,
                secure=self._secure,
                httponly=True,
                samesite="lax",
            )

    def secret(self) -> str:
        """The secret of this browser; a new one if it has none."""
        if not (secret := self.get("form")):
            secret = secrets.token_hex(_SECRET_BYTES)
            self.set("form", secret)
        return secret

    # The bookings ------------------------------------------------------------------------------

    def bookings(self) -> dict[str, str | None]:
        """The phone number of each booking that was opened, None without one, the latest first."""
        return dict(self._pairs())

    def add_booking(self, reference: str, phone: str | None) -> None:
        """Keep a booking as the latest one."""
        others = {other: number for other, number in self.bookings().items() if other != reference}
        self._set_bookings({reference: phone} | others)

    def remove_booking(self, reference: str) -> None:
        """Forget a booking."""
        self._set_bookings({other: phone for other, phone in self.bookings().items() if other != reference})

    def _set_bookings(self, bookings: Mapping[str, str | None]) -> None:
        kept = list(bookings.items())[:_MAX_BOOKINGS]
        encoded = [f"{quote(reference, safe='')}:{quote(phone or '', safe='')}" for reference, phone in kept]
        self.set("bookings", "|".join(encoded))

    def _pairs(self) -> Iterator[tuple[str, str | None]]:
        for pair in (self.get("bookings") or "").split("|")[:_MAX_BOOKINGS]:
            reference, _, phone = pair.partition(":")
            if reference:
                yield unquote(reference), unquote(phone) or None
