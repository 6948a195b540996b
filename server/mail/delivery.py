"""What is delivered, who sends it, and what can become of it: three errors that the carriers tell apart.

The texts of errors are written to the log and shown to travellers, so they have no whole address.
"""

import re
from datetime import datetime
from typing import Any, NamedTuple

# A search begins at the first character of a word only, as in server/logs.py.
_ADDRESS = re.compile(
    r"""(?<!CHARACTER)('*+(?!')CHARACTER)CHARACTER*+@(?=[^\s<>@])""".replace(
        "CHARACTER", r"""[^\s<>()\[\]:;,@"]"""
    )
)
# X.1 is about an address and X.2 about a mailbox. Of those, .2.2 is a full mailbox, which may be emptied.
_ADDRESS_FAILS = re.compile(r"5\.(1\.\d+|2\.(?!2\b)\d+)\b")


class Sender(NamedTuple):
    """Who sends the mails. address: of the header From. bounces: where undeliverable mails go."""

    name: str
    address: str
    bounces: str

    @property
    def domain(self) -> str:
        """The domain of the Message-IDs."""
        return self.address.rpartition("@")[2]


class Message(NamedTuple):
    """A message before it has a text. kind: of templates.KINDS. data: of its template, with the booking.

    at: when its cause happened.
    """

    kind: str
    language: str
    data: dict[str, Any]
    at: datetime


def has_documents(kind: str) -> bool:
    """Whether a message of a kind has attachments: the calendar entry, and the invoices of the booking."""
    return kind in ("booked", "promoted", "changed", "cancelled")


def masked(text: str) -> str:
    """A text of a mail server with its addresses as `api.mask_email` shows them."""
    return _ADDRESS.sub(r"\1***@", text)


def address_fails(code: str) -> bool:
    """Whether an enhanced code (RFC 3463), such as 5.1.1, says that an address does not work."""
    return _ADDRESS_FAILS.match(code) is not None


class NotDelivered(Exception):
    """The message was not delivered, or its outcome is unknown. Try again later. The message says why.

    after_seconds: how long the receiver asks to wait; None: it does not say.
    """

    def __init__(self, reason: str, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds


class NotAccepted(Exception):
    """The receiver does not accept this message, and will not later. The message says why."""


class Bounced(NotAccepted):
    """The address of the message does not exist. It gets no more messages."""
