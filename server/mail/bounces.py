"""Reads a delivery status notification (RFC 3464): a mail that could not be delivered has come back."""

import re
from contextlib import suppress
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from typing import NamedTuple, cast
from uuid import UUID

from busware.server.mail.delivery import address_fails, masked

_MESSAGE_ID = re.compile(
    r"<(?P<key>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@[^\s<>]+>", re.IGNORECASE
)


class Bounce(NamedTuple):
    """A mail that has failed. key: of its outbox row. address: to which it was sent. reason: the status."""

    key: UUID
    address: str
    reason: str


def read_bounce(message: bytes) -> Bounce | None:
    """The bounce in a mail; None if it is another mail, a delay, or a report about a mail of others.

    The report must have the headers of the mail that failed: its Message-ID cannot be guessed, so a forged
    report blocks no address.
    """
    mail = BytesParser(policy=policy.default).parsebytes(message)
    if mail.get_content_type() != "multipart/report":
        return None
    key = _key(mail)
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            for fields in cast("list[Message]", part.get_payload()):
                if key and fields.get("Action", "").strip().lower() == "failed":
                    return _bounce(key, fields)
    return None


def _bounce(key: UUID, fields: Message) -> Bounce | None:
    """The bounce in the fields of a recipient; None without an address, or if the address works."""
    recipient = fields.get("Original-Recipient") or fields.get("Final-Recipient") or ""
    address = str(recipient).partition(";")[2].strip().strip("<>")
    status = str(fields.get("Status", "")).strip()
    if not address or not address_fails(status):
        return None
    local, _, domain = address.rpartition("@")
    with suppress(UnicodeError):  # as the server stores it: reports have it in ASCII
        address = f"{local}@{domain.encode().decode('idna')}"
    detail = " ".join(str(fields.get("Diagnostic-Code", "")).split())
    return Bounce(key, address, masked(f"{status} {detail}".strip()))


def _key(mail: EmailMessage) -> UUID | None:
    """The key in the Message-ID of the mail that came back, as a whole or as its headers."""
    for part in mail.walk():
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers"):
            returned = part.get_payload(0) if part.is_multipart() else None
            text = (
                str(returned.get("Message-ID", ""))
                if isinstance(returned, Message)
                else _header(part.get_payload(decode=True))
            )
            if found := _MESSAGE_ID.search(text):
                return UUID(found["key"])
    return None


def _header(headers: object) -> str:
    """The Message-ID in a block of headers."""
    text = headers.decode(errors="replace") if isinstance(headers, bytes) else ""
    found = re.search(r"(?im)^Message-ID:\s*(<[^>\r\n]+>)", text)
    return found[1] if found else ""
