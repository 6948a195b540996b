"""What can become of a message that is delivered: three errors that the carriers tell apart."""


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
