"""A mail with its parts: text, HTML with the QR code, ticket and invoices as PDF, the calendar entry.

The Message-ID is the key of the outbox row, so a mail that arrives twice can be recognized.
"""

from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from busware.server.documents import invoice_pdf, ticket_pdf
from busware.server.languages import language
from busware.server.mail import calendar_entry
from busware.server.mail.booking_text import BookingText, decode_booking
from busware.server.mail.delivery import Message, NotAccepted, Sender, has_documents
from busware.server.mail.templates import Rendered, Templates
from busware.server.protocol import InvoicesOfBooking

_CODE_PIXELS = 6  # of a module of the code in the HTML part


class Content(NamedTuple):
    """What a message says. booking: what it is about, None for another message. values: see Templates.

    invoices: of the booking, None without any.

    at: when the cause of the message happened; with the key it makes a repeated message the same.
    """

    kind: str
    language: str
    booking: BookingText | None
    values: dict[str, Any]
    at: datetime
    invoices: InvoicesOfBooking | None


_NO_VALUES = {"cause": None, "why": None, "offer_state": None, "notice": "", "cancelled": None}


def content(kind: str, code: str, data: dict[str, Any], at: datetime) -> Content:
    """The content of a message about an event with these data. Raises msgspec.ValidationError."""
    values = {**_NO_VALUES, **data}
    booking, invoices = values.pop("booking", None), values.pop("invoices", None)
    text = BookingText(decode_booking(booking), language(code)) if booking else None
    return Content(kind, code, text, values, at, invoices)


class Composer:
    """Makes messages from their data. templates: the operator's, or None."""

    def __init__(self, templates: Path | None, sender: Sender) -> None:
        self._templates, self._sender = Templates(templates), sender

    def mail(self, message: Message, to: str, key: UUID) -> EmailMessage:
        """The mail to an address. Raises as `compose` does."""
        return compose(content(*message), self._templates, self._sender, to, key)

    def text(self, message: Message) -> str:
        """The text of a short message. Raises jinja2.TemplateError for a wrong template of the operator."""
        what = content(*message)
        return self._templates.render(what.kind, what.language, what.booking, what.values).sms


def compose(content: Content, templates: Templates, sender: Sender, to: str, key: UUID) -> EmailMessage:
    """The mail to an address.

    Raises NotAccepted for an address that cannot be in a header, and jinja2.TemplateError for a wrong
    template of the operator.
    """
    text = content.booking
    with_ticket = text is not None and text.booking.status == "booked"
    code_id = f"code-{key}@{sender.domain}" if with_ticket else None
    rendered = templates.render(content.kind, content.language, text, {**content.values, "code_id": code_id})
    mail = _mail(rendered, sender, to, key, content)
    if text is not None and code_id:
        _, html = mail.iter_parts()
        image = ticket_pdf.code_image(text.code, _CODE_PIXELS)
        html.add_related(image, "image", "png", cid=f"<{code_id}>", disposition="inline")
    if text is not None and with_ticket:
        mail.add_attachment(
            ticket_pdf.encode(text.page(content.at)),
            "application",
            "pdf",
            filename=f"ticket-{text.booking.reference}.pdf",
        )
    if text is not None and content.invoices is not None:
        mail.add_attachment(
            invoice_pdf.encode(content.invoices),
            "application",
            "pdf",
            filename=f"invoice-{text.booking.reference}.pdf",
        )
    if text is not None and _changes_calendar(content.kind, text.booking.status):
        entry, method = calendar_entry.entry(text, content.at)
        mail.add_attachment(
            entry,
            "text",
            "calendar",
            filename=f"{text.booking.reference}.ics",
            params={"method": method, "charset": "utf-8"},
        )
    return mail


def _mail(rendered: Rendered, sender: Sender, to: str, key: UUID, content: Content) -> EmailMessage:
    """The headers, the text and the HTML."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = rendered.subject
    mail["From"] = _address(sender.address, sender.name)
    mail["To"] = _address(to)
    mail["Date"] = format_datetime(content.at)
    mail["Message-ID"] = message_id(key, sender.domain)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answer, please
    mail["Content-Language"] = language(content.language).code
    mail.set_content(rendered.text)
    mail.add_alternative(rendered.html, subtype="html")
    return mail


def _changes_calendar(kind: str, status: str) -> bool:
    """Whether a message has the calendar entry of the booking."""
    return has_documents(kind) and status not in ("held", "pending")


def message_id(key: UUID, domain: str) -> str:
    """The Message-ID of an outbox row. `bounces` finds the row by it."""
    return f"<{key}@{domain}>"


def _address(address: str, name: str = "") -> Address:
    """An address for a header, with its domain in ASCII. Raises NotAccepted for an invalid one."""
    local, _, domain = address.rpartition("@")
    if "=?" in address:  # a header decodes the words of RFC 2047 when it is written
        raise NotAccepted("the address has an encoded word")
    try:
        return Address(display_name=name, username=local, domain=domain.encode("idna").decode())
    except (ValueError, HeaderParseError):
        raise NotAccepted("the address is invalid") from None
