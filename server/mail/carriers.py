"""Carries the mails and short messages of the outbox out: renders them, and delivers them or writes files.

The contact is read when a message is sent, so a corrected address counts. A message without an address is
done: the address was removed, or has bounced.
"""

import math
from datetime import datetime
from email.utils import parseaddr
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from busware.server.accounts.sessions import Accounts, Reset
from busware.server.db.pool import Pool
from busware.server.installation import CLIENT
from busware.server.mail.delivery import (
    Bounced,
    Message,
    NotAccepted,
    NotDelivered,
    Sender,
    has_documents,
)
from busware.server.mail.mail_files import MessageFiles
from busware.server.mail.sms import SmsDelivery
from busware.server.mail.smtp import SmtpDelivery
from busware.server.outbox.worker import GiveUp, OutboxRow, Retry
from busware.server.protocol import InvoicesOfBooking
from busware.server.settings import Settings

if TYPE_CHECKING:
    from busware.server.mail.messages import Composer

_CONTACT = "SELECT email, language, phone FROM api.contact_of(%s, %s)"
_RECORD_BOUNCE = "SELECT api.record_bounce(%s, %s, %s)"
_COUNT = "SELECT wait_seconds FROM api.count_mail(%s, %s)"
_INVOICES = "SELECT api.invoices_until(%s, %s)"
_EVENT_KEYS = ("cause", "why", "offer_state", "cancelled")  # keys of an event's data beside the booking


class MessageCarriers:
    """The carriers of the kinds mail and sms."""

    def __init__(self, pool: Pool, accounts: Accounts, settings: Settings) -> None:
        self._pool, self._accounts, self._settings = pool, accounts, settings
        self._smtp = SmtpDelivery(settings) if settings.smtp_host else None
        self._sms = SmsDelivery(settings) if settings.sms_url else None
        self._files = MessageFiles(settings)
        name, address = parseaddr(settings.mail_from)
        _, bounces = parseaddr(settings.mail_bounces or address)
        self._sender = Sender(name, address, bounces)

    @cached_property
    def _composer(self) -> "Composer":
        from busware.server.mail.messages import Composer  # with Jinja and Babel, a quarter of a second

        return Composer(self._settings.mail_templates, self._sender)

    def carry_mail(self, row: OutboxRow) -> None:
        """Send the mail of a row. Raises Retry or GiveUp."""
        payload = msgspec.json.decode(row.payload)
        if payload["message"] == "password_reset":
            to, message = self._password_reset(payload["usernames"], row.created_at)
        else:
            to, code, _ = self._contact(row)
            message = self._about_event(row, payload, code) if to else None
            if message and has_documents(message.kind):
                message.data["invoices"] = self._invoices(row)
        if not to or message is None:
            return
        most = self._settings.mails_per_address
        for (seconds,) in self._pool.execute(_COUNT, (to, most)):
            raise Retry(f"mails were sent to the address {most} times in an hour", seconds)
        try:
            mail = self._composer.mail(message, to, row.key)
            if self._smtp:
                self._smtp.deliver(mail, self._sender.bounces, to)
            else:
                self._files.write_mail(mail, str(row.key))
        except Bounced as error:
            self._pool.execute(_RECORD_BOUNCE, (row.key, to, str(error)))
            raise GiveUp(f"the address does not work: {error}") from None
        except NotAccepted as error:
            raise GiveUp(str(error)) from None
        except NotDelivered as error:
            raise Retry(str(error), error.after_seconds) from None

    def carry_sms(self, row: OutboxRow) -> None:
        """Send the short message of a row. Raises Retry or GiveUp."""
        _, code, phone = self._contact(row)
        if not phone:
            return
        text = self._composer.text(self._about_event(row, msgspec.json.decode(row.payload), code))
        try:
            if self._sms:
                self._sms.deliver(phone, text, str(row.key))
            else:
                self._files.write_text(phone, text, str(row.key))
        except NotAccepted as error:
            raise GiveUp(str(error)) from None
        except NotDelivered as error:
            raise Retry(str(error), error.after_seconds) from None

    def _contact(self, row: OutboxRow) -> tuple[str | None, str, str | None]:
        """E-mail address, language and phone number of a booking; None where no message goes."""
        for email, code, phone in self._pool.execute(_CONTACT, (row.bus_id, row.reference)):
            return email, code or self._settings.mail_language, phone
        return None, self._settings.mail_language, None

    def _invoices(self, row: OutboxRow) -> InvoicesOfBooking | None:
        """What was issued for a booking up to the event of a message: the same at each attempt."""
        position = msgspec.json.decode(row.event)["position"] if row.event else 0
        ((found,),) = self._pool.execute(_INVOICES, (row.reference, position))
        return msgspec.json.decode(found, type=InvoicesOfBooking) if found else None

    def _about_event(self, row: OutboxRow, payload: dict[str, Any], code: str) -> Message:
        """A message about a booking. Raises GiveUp if its event was deleted."""
        event = msgspec.json.decode(row.event) if row.event else {}
        booking = payload.get("booking") or event.get("data")
        if booking is None:
            raise GiveUp("the event of the message was deleted")
        page = self._settings.booking_url
        data = {
            **{name: booking[name] for name in _EVENT_KEYS if name in booking},
            "notice": payload.get("notice", ""),
            "booking": booking,
            "links": [page.replace("{reference}", booking["reference"])] if page else [],
        }
        at = datetime.fromisoformat(event["at"]) if event else row.created_at
        return Message(payload["message"], code, data, at)

    def _password_reset(self, usernames: list[str], at: datetime) -> tuple[str | None, Message | None]:
        """The address and a mail with a new token for each of its accounts; None if none has an address."""
        started = [(username, self._accounts.start_reset(username)) for username in usernames]
        resets = [(username, reset) for username, reset in started if reset is not None]
        if not resets:
            return None, None
        _, first = resets[0]
        same = [(username, reset) for username, reset in resets if reset.email.lower() == first.email.lower()]
        ways = {username: self._way_to_reset(reset) for username, reset in same}
        data = {
            "usernames": ", ".join(ways),
            "count": len(ways),
            "lines": [
                line
                for username, way in ways.items()
                for line in ([way] if len(ways) == 1 else [f"{username}:", way])
            ],
            "links": [*ways.values()] if self._settings.reset_url else [],
            "minutes": math.floor(self._settings.reset_minutes),
        }
        return first.email, Message(
            "password_reset", first.language or self._settings.mail_language, data, at
        )

    def _way_to_reset(self, reset: Reset) -> str:
        """The address of the page, or the command, that sets a new password."""
        page = self._settings.reset_url
        return page.replace("{token}", reset.token) if page else f"{CLIENT} reset-password {reset.token}"
