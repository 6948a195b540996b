"""What can become of a message that is delivered: three errors that the carriers tell apart.

Their texts are written to the log and shown to travellers, so they have no whole address.
"""

import re

_ADDRESS = re.compile(r"([^\s<>()\[\]:;,@\"'])[^\s<>()\[\]:;,@\"]*@(?=[^\s<>@])")
# X.1 is about an address and X.2 about a mailbox. Of those, .2.2 is a full mailbox, which may be emptied.
_ADDRESS_FAILS = re.compile(r"5\.(1\.\d+|2\.(?!2\b)\d+)\b")


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
