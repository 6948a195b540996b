"""Refusals as texts in the language of the traveller, and the field of a form that a refusal is about.

In English, the message of the refusal is shown, with its dates as people write them: it names the seats, the
places and the amounts. The other languages have a text for each reason, with what the refusal has for
programs.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from busware.server.languages import DEFAULT, Language
from busware.server.pages.kinds import N_
from busware.server.protocol import Refusal

_UNKNOWN_REFERENCE = "unknown_reference"  # an unknown booking that is opened without a phone number
_SOLD_SEAT = "sold_seat"  # a taken seat that an operator blocks
_TEXTS = {
    "form_expired": N_("This page was open for too long. Check the form and send it again."),
    "session_ended": N_("Your session has ended. Sign in, or send the form again as a guest."),
    "address_missing": N_("Type the e-mail address again, or choose to get no e-mails."),
    "unknown_place": N_("There is no place with this name. Choose one of the list."),
    "ambiguous_place": N_("Several places have this name. Choose one of them."),
    "unknown_trip": N_("There is no such trip on this date."),
    "unknown_booking": N_("There is no booking with this reference and phone number."),
    _UNKNOWN_REFERENCE: N_("You have no booking with this reference."),
    "not_on_route": N_("The trip does not go from this place to that one."),
    "departed": N_("The trip has left, or is no longer sold."),
    "trip_cancelled": N_("The trip is cancelled."),
    "stop_skipped": N_("The trip does not stop there."),
    "seat_taken": N_("Another traveller was faster: one of these seats is taken now."),
    "sold_out": N_("Not so many seats are free. Choose fewer seats or another trip."),
    "reserved_seat": N_("One of these seats is reserved for women or for passengers with a disability."),
    "too_short": N_("The trip is not sold for such a short way yet."),
    "too_many_on_trip": N_("You may not have more seats on this trip."),
    "too_many_seats": N_("A booking may not have so many seats."),
    "too_many_holds": N_("You hold too many seats without payment. Wait, or release a hold."),
    "queue_full": N_("The waitlist is full."),
    "hold_expired": N_("The time for this hold is over."),
    "payment_required": N_("The booking has to be paid first."),
    "provider_unavailable": N_("Payments do not work at the moment. Try again."),
    "displaced": N_("The ticket has lost its seat. Accept or decline the offer first."),
    "offer_ended": N_("The offer has ended."),
    "no_offer": N_("The booking has no such offer."),
    "not_held": N_("The booking is not held any more."),
    "already_booked": N_("The booking is confirmed already."),
    "already_cancelled": N_("It is cancelled already."),
    "wrong_trip": N_("The booking is for another trip, another day or another stop."),
    "not_departed": N_("The trip has not left this stop yet."),
    "checked_in": N_("The passenger is checked in, so this is not possible any more."),
    "other_fare": N_("The other seat has another fare."),
    "other_amount": N_("The amounts have changed. Look at them again."),
    "not_exchangeable": N_("This booking cannot be exchanged."),
    "too_many_transfers": N_("The ticket may not be transferred any more."),
    "unknown_concession": N_("The service has no such concession."),
    "unknown_promo_code": N_("This promo code is not valid for this trip."),
    "promo_code_used_up": N_("This promo code is used up."),
    "unknown_class": N_("The service has no such class."),
    "unknown_seat": N_("The trip has no such seat."),
    "key_reused": N_("You have sent this form already, with other values. Check it and send it again."),
    "wrong_password": N_("Username or password is wrong."),
    "username_taken": N_("This username is taken. Choose another one."),
    "not_signed_in": N_("Sign in first."),
    "not_allowed": N_("This is not allowed at the moment. Wait and try again."),
    "unsupported": N_("This server does not support this."),
    "busy": N_("The server is busy. Nothing was done. Try again."),
    "draining": N_("The server restarts. Nothing was done. Try again."),
    "outcome_unknown": N_(
        "It is not known whether this was done. Send the form again: nothing is done twice."
    ),
    "bad_request": N_("This value is not valid. Check it."),
    # Only operators and agents meet these.
    _SOLD_SEAT: N_(
        "Seats are sold. Move their tickets to other seats, or cancel them; then block the seats."
    ),
    "not_yours": N_("This belongs to another operator."),
    "plan_changed": N_("Bookings have changed since you looked. Look at the plan again."),
    "service_in_use": N_("Tickets of the service prevent this change."),
    "unknown_vehicle": N_("You have no such vehicle."),
    "unknown_driver": N_("You have no such driver."),
    "not_in_service": N_("The vehicle is not in service, or the driver is not active. Choose another one."),
    "wrong_layout": N_(
        "The vehicle lacks seats of the service. Choose another one, or exchange the vehicle."
    ),
    "already_assigned": N_("The vehicle or the driver is on another trip at this time. Choose another one."),
    "own_account": N_("This is your own account. Another account has to change it."),
    "not_an_agent": N_("This account is not an agent of yours."),
    "unknown_agent": N_("You have no such agent."),
    "already_settled": N_("This settlement is closed already. Look at the open one."),
    "quota_used_up": N_("The agent may not sell so many seats of this trip."),
    "credit_used_up": N_("The agent would have more cash than its credit."),
    "no_payment_due": N_("Nothing is to be paid before the booking is confirmed."),
    "unknown_payment": N_("There is no such payment or refund."),
    "refund_under_way": N_("The provider pays this refund back. There is nothing to do."),
    "no_invoice": N_("The booking has no invoice."),
    "unknown_webhook": N_("You have no such webhook."),
    "webhook_not_active": N_("The webhook gets no events now. Change it, so that it gets events."),
    "too_many_webhooks": N_("You have as many webhooks as you may have. Delete one."),
    "too_many_secrets": N_("The webhook has as many secrets as it may have. Wait until an earlier one ends."),
}
_DETAILS = {  # reason → fields of its data, each with a text
    "unknown_trip": {"dates": N_("The nearest dates: %(value)s.")},
    "unknown_seat": {"seats": N_("There is no seat: %(value)s.")},
    "not_on_route": {"stops": N_("The stops: %(value)s.")},
    "stop_skipped": {"stops": N_("The stops: %(value)s.")},
    "seat_taken": {"seats": N_("Taken: %(value)s."), "sold": N_("Bookings: %(value)s.")},
    "sold_out": {"seats_free": N_("Free seats: %(value)s.")},
    "reserved_seat": {"seats": N_("Reserved: %(value)s."), "free_seats": N_("Free for you: %(value)s.")},
    "too_short": {"stops": N_("Far enough: %(value)s.")},
    "too_many_on_trip": {"limit": N_("At most: %(value)s.")},
    "too_many_seats": {"limit": N_("At most: %(value)s.")},
    "too_many_holds": {"limit": N_("At most: %(value)s."), "retry_after": N_("Try again in %(value)s min.")},
    "too_many_transfers": {"limit": N_("At most: %(value)s.")},
    "queue_full": {"limit": N_("At most: %(value)s.")},
    "hold_expired": {"fare": N_("The fare of today: %(value)s.")},
    "payment_required": {"amount": N_("To pay: %(value)s.")},
    "other_fare": {
        "fare": N_("Its fare: %(value)s."),
        "ticket_fare": N_("The fare of the ticket: %(value)s."),
    },
    "other_amount": {"due": N_("To pay: %(value)s."), "refund": N_("Refund: %(value)s.")},
    "unknown_concession": {"concessions": N_("The concessions: %(value)s.")},
    "promo_code_used_up": {"uses_left": N_("Tickets that it is still valid for: %(value)s.")},
    "unknown_class": {"class_names": N_("The classes: %(value)s.")},
    "not_allowed": {"retry_after": N_("Try again in %(value)s min.")},
    "service_in_use": {"dates": N_("The trips with such tickets: %(value)s.")},
    "unknown_vehicle": {"vehicles": N_("Free vehicles: %(value)s.")},
    "unknown_driver": {"drivers": N_("Free drivers: %(value)s.")},
    "not_in_service": {
        "vehicles": N_("Free vehicles: %(value)s."),
        "drivers": N_("Free drivers: %(value)s."),
    },
    "wrong_layout": {
        "seats": N_("Missing seats: %(value)s."),
        "vehicles": N_("Free vehicles: %(value)s."),
    },
    "already_settled": {"settlement_no": N_("The number of the open one: %(value)s.")},
    "quota_used_up": {"seats_left": N_("Seats that are left: %(value)s.")},
    "credit_used_up": {"credit_left": N_("Credit that is left: %(value)s.")},
    "too_many_webhooks": {"limit": N_("At most: %(value)s.")},
    "too_many_secrets": {"limit": N_("At most: %(value)s.")},
}
_VALID = {  # fields of requests that are refused with bad_request, each with what is valid
    "role": N_("Choose a role."),
    "operator": N_("Choose an operator."),
    "layout": N_("A layout is a name, or a drawing of the seats: a line for each row, s for a seat."),
    "url": N_("A URL begins with https:// and leads to the public internet."),
    "amount": N_("An amount is valid, such as 520.00."),
    "file": N_("The file has faults. Nothing was settled."),
    "prefix": N_("A prefix has 1 to 8 letters and digits. It stays once an invoice has it."),
    "tax_percent": N_("A rate is from 0 to 100, such as 5."),
    "handed_over": N_("An amount is valid, such as 520.00."),
    "minutes": N_("Minutes are from -1440 to 1440, and not so early that the trip has left."),
    "registration": N_("A registration has up to 16 letters and digits, such as KA09F1234."),
    "phone": N_("A phone number is valid, such as 98450\u00a012345."),
    "email": N_("An e-mail address is valid, such as asha@example.org."),
    "date": N_("Choose another date."),
    "until": N_("Choose a later date."),
    "text": N_("A message has at most 2000 characters."),
    "password": N_("A password is longer."),
    "username": N_("A username has letters, digits and few other characters."),
    "reference": N_("A reference is on the ticket, such as DT7VKKK."),
    "count": N_("Choose as many seats as there are passengers."),
    "seat": N_("Choose one of the free seats."),
    "at": N_("Choose a stop."),
}
_PAGE_ONLY = ("form_expired", "session_ended", "address_missing")  # they have no better message
_FIELDS = {  # of a reason that does not name its field
    "address_missing": "email",
    "wrong_password": "password",
    "username_taken": "username",
    "unknown_booking": "reference",
    "unknown_payment": "payment",
    "unknown_vehicle": "vehicle",
    "not_in_service": "vehicle",
    "wrong_layout": "vehicle",
    "already_assigned": "vehicle",
    "unknown_promo_code": "promo_code",
    "promo_code_used_up": "promo_code",
    "seat_taken": "seat",
    "unknown_seat": "seat",
    "reserved_seat": "seat",
    "too_many_seats": "seats",
    "sold_out": "seats",
}
_ISO_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_MINUTE = 60  # seconds
_OF_PLACES = ("unknown_place", "ambiguous_place")
_NAMES = {"count": "seats", "seats": "seat"}  # fields of the protocol → of the pages


def text(refusal: Refusal, language: Language) -> str:
    """A refusal as a text."""
    known = _TEXTS.get(_case(refusal))
    if known is None or (language.code == DEFAULT and refusal.reason not in _PAGE_ONLY):
        return _ISO_DATE.sub(lambda found: _day(found[0], language), refusal.message)
    return " ".join([language.gettext(known), *_details(refusal, language)])


def _case(refusal: Refusal) -> str:
    """The reason of a refusal, or the special case of it that has a text of its own."""
    if refusal.data.get("without_phone"):
        return _UNKNOWN_REFERENCE
    return _SOLD_SEAT if refusal.data.get("sold") else refusal.reason


def _details(refusal: Refusal, language: Language) -> Iterator[str]:
    """What a refusal has for programs, as sentences."""
    for name, sentence in _DETAILS.get(refusal.reason, {}).items():
        if value := refusal.data.get(name):
            yield language.gettext(sentence) % {"value": _shown(name, value, refusal.data, language)}
    if refusal.reason == "bad_request" and (valid := _VALID.get(str(refusal.data.get("field")))):
        yield language.gettext(valid)


def _day(text: str, language: Language) -> str:
    """A date of ISO 8601 as people write it; another text as it is."""
    try:
        return language.day(date.fromisoformat(text))
    except ValueError:
        return text


def _shown(name: str, value: Any, data: Mapping[str, Any], language: Language) -> str:
    """A value of the data of a refusal."""
    if name == "sold":
        return ", ".join(dict.fromkeys(ticket["reference"] for ticket in value))
    if isinstance(value, list):
        return ", ".join(_day(one, language) if name == "dates" else str(one) for one in value)
    if isinstance(value, str) and "currency" in data:
        return language.amount(value, data["currency"])
    if name == "retry_after":
        value = math.ceil(value / _MINUTE)
    return language.number(value)


def field_of(refusal: Refusal, fields: Mapping[str, Sequence[str]]) -> str:
    """The name of the field that a refusal is about; empty if it is about none. fields: what was typed."""
    if refusal.reason in _OF_PLACES:
        typed = ((name, fields.get(name, [""])[0]) for name in ("origin", "destination"))
        return next((name for name, value in typed if value and value in refusal.message), "origin")
    named = str(refusal.data.get("field", ""))
    return _NAMES.get(named, named) or _FIELDS.get(refusal.reason, "")
