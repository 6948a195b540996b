"""The dialogue of `offer`: an operator has changed a trip, and offers another one or the fare back."""

from busware.server.conversation import answers
from busware.server.conversation.bookings import open_booking
from busware.server.conversation.dialogue import Context, Show, Steps, Tell, require
from busware.server.conversation.words import money
from busware.server.protocol import Accept, Decline


def offer(context: Context, typed: str) -> Steps[None]:
    """The command `offer [REFERENCE [PHONE]]`: accept or decline the open offer of a booking."""
    booking, phone = yield from open_booking(context, typed)
    yield Show(booking)  # with its offers
    if not booking.offers:
        yield Tell(f"Booking {booking.reference} has no open offer.")
        return
    opened = booking.offers[0]
    accepts: bool = yield answers.ask_option(
        "Accept or decline:", {"accept": True, "decline": False}, "offer",
        "accept: take what is offered. decline: cancel the booking, and get the whole fare back.",
    )  # fmt: skip
    refund = money(opened.refund or "0", opened.currency)
    if not accepts and not (
        yield answers.ask_yes_no(f"Decline the offer, and get {refund} back?", "no: the offer stays open.")
    ):
        yield Tell("The offer is still open.")
        return
    answer = Accept if accepts else Decline
    decided = yield from require(answer(reference=booking.reference, phone=phone, offer_no=opened.offer_no))
    yield Show(decided)
    yield Tell("The offer is accepted." if accepts else f"The offer is declined. {refund} is refunded.")
