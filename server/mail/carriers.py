"""Carries the mails and short messages of the outbox out: renders them, and delivers them or writes files.

The contact is read when a message is sent, so a corrected address counts. A message without an address is
done: the address was removed, or has bounced.
"""

import math
from datetime import datetime
from email.utils import parseaddr
from typing import Any

import msgspec

from busware.server.accounts.sessions import Accounts
from busware.server.db.pool import Pool
from busware.server.installation import CLIENT
from busware.server.mail.delivery import Bounced, NotAccepted, NotDelivered
from busware.server.mail.mail_files import MessageFiles
from busware.server.mail.messages import Content, Sender, compose, content
from busware.server.mail.sms import SmsDelivery
from busware.server.mail.smtp import SmtpDelivery
from busware.server.mail.templates import Templates
from busware.server.outbox.worker import GiveUp, OutboxRow, Retry
from busware.server.settings import Settings

_CONTACT = "SELECT email, language, phone FROM api.contact_of(%s, %s)"
_RECORD_BOUNCE = "SELECT api.record_bounce(%s, %s, %s)"


class MessageCarriers:
    """The carriers of the kinds mail and sms."""

    def __init__(self, pool: Pool, accounts: Accounts, settings: Settings) -> None:
        self._pool, self._accounts, self._settings = pool, accounts, settings
        self._smtp = SmtpDelivery(settings) if settings.smtp_host else None
        self._sms = SmsDelivery(settings) if settings.sms_url else None
        self._files = MessageFiles(settings)
        self._templates = Templates(settings.mail_templates)
        name, address = parseaddr(settings.mail_from)
        _, bounces = parseaddr(settings.mail_bounces or address)
        self._sender = Sender(name, address, bounces)

    def carry_mail(self, row: OutboxRow) -> None:
        """Send the mail of a row. Raises Retry or GiveUp."""
        payload = msgspec.json.decode(row.payload)
        if payload["message"] == "password_reset":
            to, what = self._password_reset(payload["username"], row.created_at)
        else:
            to, code, _ = self._contact(row)
            what = self._about_event(row, payload, code) if to else None
        if not to or what is None:
            return
        try:
            mail = compose(what, self._templates, self._sender, to, row.key)
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
        what = self._about_event(row, msgspec.json.decode(row.payload), code)
        text = self._templates.render(what.kind, what.language, what.booking, what.values).sms
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

    def _about_event(self, row: OutboxRow, payload: dict[str, Any], code: str) -> Content:
        """The content of a message about a booking. Raises GiveUp if its event was deleted."""
        event = msgspec.json.decode(row.event) if row.event else {}
        booking = payload.get("booking") or event.get("data")
        if booking is None:
            raise GiveUp("the event of the message was deleted")
        values = {name: booking[name] for name in ("cause", "why", "cancelled") if name in booking}
        data = {**values, "notice": payload.get("notice", ""), "booking": booking}
        at = datetime.fromisoformat(event["at"]) if event else row.created_at
        return content(payload["message"], code, data, at)

    def _password_reset(self, username: str, at: datetime) -> tuple[str | None, Content | None]:
        """The address and the content of a mail with a new token; None if the account has no address."""
        reset = self._accounts.start_reset(username)
        if reset is None:
            return None, None
        link = self._settings.reset_url
        values = {
            "username": username,
            "link": link and link.replace("{token}", reset.token),
            "command": f"{CLIENT} reset-password {reset.token}",
            "minutes": math.floor(self._settings.reset_minutes),
        }
        code = reset.language or self._settings.mail_language
        return reset.email, content("password_reset", code, values, at)
