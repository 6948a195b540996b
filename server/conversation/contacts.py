"""The dialogues of `email` and `messages`: where the messages of a booking go, and what they say."""

import msgspec

from busware.server.conversation.bookings import open_booking
from busware.server.conversation.dialogue import (
    Ask,
    Context,
    InvalidInput,
    Show,
    Steps,
    Tell,
    answered,
    require,
)
from busware.server.conversation.words import message_line, quoted
from busware.server.protocol import Booking, BookingMessages, Contact, Email, GetMessages, SetContact


def email(context: Context, typed: str) -> Steps[None]:
    """The command `email [ADDRESS [REFERENCE [PHONE]]]`: send the ticket and later messages to an address.

    Without a reference, it is about the booking that the connection made or opened last.
    """
    typed_address, _, named_booking = typed.partition(" ")
    question = Ask(
        "E-mail address:", _address, "email", "Where the ticket is sent, such as asha@example.org."
    )
    address = yield from answered(question, typed_address)
    booking, phone = yield from open_booking(context, named_booking or context.opened.last)
    contact = booking.contact or Contact()
    changed = yield from require(
        SetContact(
            reference=booking.reference,
            phone=phone,
            email=address,
            language=contact.language,
            sms=contact.sms,
        )
    )
    if context.extended:
        yield Show(changed)
    yield Tell(sent_line(changed))


def messages(context: Context, typed: str) -> Steps[None]:
    """The command `messages [REFERENCE [PHONE]]`: the messages about a booking, also those shown before."""
    booking, phone = yield from open_booking(context, typed)
    found: BookingMessages = yield from require(GetMessages(reference=booking.reference, phone=phone))
    lines = [message_line(message) for message in found.messages]
    yield Tell("\n".join(lines) or f"There are no messages about booking {booking.reference}.")


def sent_line(booking: Booking) -> str:
    """Where the messages of a booking go: The ticket is sent to a***@example.org, and later messages too."""
    if booking.contact and booking.contact.bounced_at is not None:
        return contact_line(booking)
    address = booking.contact.email if booking.contact else None
    what = "The ticket is" if booking.status == "booked" else "Messages about the booking are"
    later = ", and later messages too" if booking.status == "booked" else ""
    return f"{what} sent to {address}{later}."


def contact_line(booking: Booking) -> str:
    """Where the messages of a booking go, or that its address does not work; empty without a contact."""
    contact = booking.contact
    if contact is None:
        return ""
    if contact.bounced_at is not None:
        return f"Mail to {contact.email} cannot be delivered. Give another address: email ADDRESS."
    ways = [f"mail to {contact.email}"] * (contact.email is not None) + ["SMS"] * contact.sms
    return f"Messages by {' and '.join(ways)}."


def _address(typed: str) -> str:
    try:
        return msgspec.convert(typed, Email)
    except msgspec.ValidationError:
        raise InvalidInput(f"{quoted(typed)} is not an e-mail address, such as asha@example.org.") from None
