"""Forms: their fields, their protection against requests of other sites, and their idempotency keys.

A form that writes has a token. The token is made from a secret that only this browser has, in a cookie, so
another site cannot make one. It is different in each page, so that its text cannot be guessed from the length
of compressed pages.
"""

import hashlib
import hmac
import re
import secrets
from urllib.parse import parse_qsl

from busware.server.protocol import Refusal

MIME_TYPE = "application/x-www-form-urlencoded"
TOKEN, KEY = "token", "key"  # names of hidden fields
MAX_FIELDS = 1000
_QUALITY = re.compile(r"[01](\.\d{0,3})?", re.ASCII)
_NONCE_BYTES = 8
_KEY_BYTES = 12

Fields = dict[str, list[str]]  # the values of each field


def parse(text: str) -> Fields:
    """The fields of a query or of the body of a form. Raises Refusal (bad_request)."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Refusal("bad_request", f"A form has at most {MAX_FIELDS} fields.") from None
    fields: Fields = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value.strip())
    return fields


def accepted(header: str) -> list[str]:
    """The values of a header such as Accept-Language, the most wanted first, without those of quality 0."""
    found = []
    for part in header.split(","):
        value, _, parameter = part.partition(";")
        name, _, text = parameter.partition("=")
        quality = float(text) if name.strip() == "q" and _QUALITY.fullmatch(text.strip()) else 1.0
        if value.strip() and quality:
            found.append((quality, value.strip()))
    return [value for _, value in sorted(found, key=lambda pair: -pair[0])]


def token(secret: str) -> str:
    """A token for a form. secret: of the browser."""
    nonce = secrets.token_hex(_NONCE_BYTES)
    return f"{nonce}{_digest(secret, nonce)}"


def is_token(text: str, secret: str) -> bool:
    """Whether a form's token was made with this secret."""
    nonce = text[: 2 * _NONCE_BYTES]
    return hmac.compare_digest(text.encode(), f"{nonce}{_digest(secret, nonce)}".encode())


def new_key() -> str:
    """A key for a form that is rendered."""
    return secrets.token_urlsafe(_KEY_BYTES)


def idempotency_key(key: str, secret: str) -> str:
    """The idempotency key of a form that is sent.

    It depends on the browser, so that a link with the key of one traveller does not get the booking of
    that traveller to another one.
    """
    return _digest(secret, f"key {key}")


def _digest(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
