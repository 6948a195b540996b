"""Sends a short message (SMS) by one HTTP request, which the settings describe.

The placeholders {to}, {text} and {key} of BUSWARE_SMS_URL and BUSWARE_SMS_BODY are replaced: in the URL
percent-encoded, in the body as its Content-Type needs it. {key} is the same at each attempt, for providers
that recognize a repeated request.
"""

import json
import re
from collections.abc import Callable
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import quote, quote_plus
from urllib.request import HTTPRedirectHandler, Request, build_opener

from busware.server.mail.delivery import NotAccepted, NotDelivered
from busware.server.settings import Settings, SettingsError

_PLACEHOLDER = re.compile(r"\{(to|text|key)\}")
_SHOWN_BYTES = 200  # of an answer that refuses a message
_RETRIED = (408, 425, 429)  # after these statuses, and all from 500 on, the outbox sends the message again


def check_settings(settings: Settings) -> None:
    """Raises SettingsError if a text cannot be written in the body that the settings describe."""
    if settings.sms_body and _encoding(_headers_of(settings)["Content-Type"]) is None:
        raise SettingsError(
            "BUSWARE_SMS_HEADERS has a Content-Type in which Busware cannot write a text: use "
            "application/json or application/x-www-form-urlencoded."
        )


class _NoRedirects(HTTPRedirectHandler):
    """Follows no redirect: the request has credentials."""

    def redirect_request(self, *args: object) -> None:
        """Return None, so that the redirect is an error."""


class SmsDelivery:
    """Sends short messages as the settings say."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opener = build_opener(_NoRedirects)

    def deliver(self, to: str, text: str, key: str) -> None:
        """Send a text to a phone number in E.164. Raises NotAccepted or NotDelivered."""
        settings = self._settings
        values = {"to": to, "text": shortened(text, settings.sms_characters), "key": key}
        headers = _headers_of(settings)
        encode = _encoding(headers["Content-Type"])
        request = Request(  # noqa: S310 - the setting takes http and https only
            _filled(settings.sms_url or "", values, lambda value: quote(value, safe="")),
            data=_filled(settings.sms_body, values, encode).encode()
            if settings.sms_body and encode
            else None,
            headers=headers,
            method=settings.sms_method,
        )
        try:
            with self._opener.open(request, timeout=settings.sms_seconds):
                return
        except HTTPError as error:
            with error:
                shown = f"{error.code} {error.read(_SHOWN_BYTES).decode(errors='replace')!r}"
                if error.code < 500 and error.code not in _RETRIED:
                    raise NotAccepted(shown) from None
                raise NotDelivered(shown, _retry_after(error)) from None
        except (OSError, HTTPException) as error:
            raise NotDelivered(f"{type(error).__name__}: {error}") from None


def shortened(text: str, characters: int) -> str:
    """The text, cut at a space, with … at its end if it is longer."""
    if len(text) <= characters:
        return text
    cut = text[: characters - 1]
    return f"{cut.rpartition(' ')[0] or cut}…"


def _filled(template: str, values: dict[str, str], encode: Callable[[str], str]) -> str:
    return _PLACEHOLDER.sub(lambda found: encode(values[found[1]]), template)


def _headers_of(settings: Settings) -> dict[str, str]:
    """The headers of a request, each name written like Content-Type."""
    given = {name.title(): value for name, value in settings.sms_headers or ()}
    return {"Content-Type": "application/json", **given}


def _encoding(content_type: str) -> Callable[[str], str] | None:
    """How a value is written in a body of this type; None for a type that check_settings refuses."""
    if "json" in content_type.lower():
        return lambda value: json.dumps(value)[1:-1]
    return quote_plus if "urlencoded" in content_type.lower() else None


def _retry_after(error: HTTPError) -> float | None:
    """The seconds of the header Retry-After; None if it is missing or a date."""
    value = error.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
