"""The nouns of each kind of service, and dates, amounts, numbers and bookings as text.

Times are local times of a stop, or times in the server's time zone, in every client and in the console. If
the clock of the traveller's computer shows another time, the end of a hold has the name of the place.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import get_args

from busware.server.protocol import (
    OPEN,
    AnyTrip,
    Booking,
    BookingMessage,
    BusType,
    ExchangeAmounts,
    ExchangeTerms,
    Leg,
    ManifestStop,
    Offer,
    OfferedTrip,
    OperatedTrip,
    RefundTier,
    SentNotice,
    Ticket,
    Trip,
    TripList,
)

PHONE_EXAMPLE = "98450 12345"
PHONE_EXAMPLES = f"{PHONE_EXAMPLE} or +44 20 7946 0958"


@dataclass(frozen=True)
class Words:
    """The nouns of one kind of service.

    types: offered as a choice. needs_phone: a booking needs a phone. example: two places. departs, arrives,
    takes: what the times mean. at_venue: the passengers stay at one place.
    """

    kind: str
    service: str
    seat: str
    source: str
    destination: str
    types: tuple[BusType, ...] = ()
    needs_phone: bool = True
    passenger: str = "passenger"
    example: str = ""
    departs: str = "Leaves"
    arrives: str = "Arrives"
    takes: str = "Takes"
    at_venue: bool = False


BUS = Words(
    kind="bus", service="bus", seat="seat", source="Source", destination="Destination",
    types=get_args(get_args(BusType)[0]), example="bengaluru mysuru",
)  # fmt: skip
FLIGHT = Words(
    kind="flight", service="flight", seat="seat", source="From (a country or an airport)",
    destination="To (a country or an airport)", needs_phone=False, example="usa ind",
)  # fmt: skip
SHOW = Words(
    kind="show", service="show", seat="seat", source="Theatre", destination="Curtain", needs_phone=False,
    departs="Begins", arrives="Ends", takes="Lasts", at_venue=True,
)  # fmt: skip
HOTEL = Words(
    kind="hotel", service="hotel", seat="room", source="Hotel", destination="Hotel", needs_phone=False,
    passenger="guest", departs="Check-in", arrives="Check-out", at_venue=True,
)  # fmt: skip

_WORDS = {words.kind: words for words in (BUS, FLIGHT, SHOW, HOTEL)}


_MAX_QUOTED = 18  # characters of a typed text that a message repeats, so that it fits into 79 columns
_MAX_DESTINATIONS = 3  # in the heading of a list of trips


def words_of(kind: str) -> Words:
    """The nouns of a kind of service; general nouns for a kind that is newer than this client."""
    return _WORDS.get(kind) or Words(kind, kind, "seat", "Source", "Destination", needs_phone=False)


def ticket_number(booking: Booking, ticket: Ticket) -> str:
    """A number that is unique among all tickets: the reference, 0, and the ticket's number in the booking.

    It can be read in one way only, because no reference has the digit 0.
    """
    return f"{booking.reference}0{ticket.ticket_no}"


def listed(items: Iterable[object], last: str) -> str:
    """Items as a list in a sentence: "1", "1 or 2", "1, 2 or 3". last: the word before the last item."""
    *first, end = [str(item) for item in items] or ["none"]
    return f"{', '.join(first)} {last} {end}" if first else end


def abridged(names: list[str], most: int) -> list[str]:
    """The names; if there are more than `most`, and more than one is left out, the first and "others"."""
    return names if len(names) <= most + 1 else [*names[:most], "others"]


def quoted(typed: str) -> str:
    """A typed text as the subject of a message, shortened."""
    text = " ".join(typed.split())
    if not text:
        return "An empty line"
    return f'"{text}"' if len(text) <= _MAX_QUOTED else f'"{text[:_MAX_QUOTED]}…"'


def plural(noun: str, items: Sized) -> str:
    """The noun, with an s unless there is one item."""
    return noun if len(items) == 1 else f"{noun}s"


def counted(count: int, noun: str) -> str:
    """A number of things: 1 ticket, 1,234 tickets."""
    return f"{count:,} {plural(noun, range(count))}"


def numbered(noun: str, numbers: list[int]) -> str:
    """Numbers as the subject of a sentence, with its verb: "Seat 7 is", "Seats 7 and 8 are"."""
    verb = "is" if len(numbers) == 1 else "are"
    return f"{plural(noun, numbers).capitalize()} {listed(numbers, 'and')} {verb}"


def day_of(day: date, *, year: bool = True) -> str:
    """A date, such as Sat 5 Dec 2026."""
    return f"{day:%a} {day.day} {day:%b}" + f" {day:%Y}" * year


def clock(at: datetime) -> str:
    """A time of day, such as 22:05."""
    return f"{at:%H:%M}"


def moment(at: datetime) -> str:
    """A date and time, such as Sat 5 Dec 2026 22:05."""
    return f"{day_of(at)} {clock(at)}"


def arrival(arrives: datetime, departs: datetime) -> str:
    """The arrival: 05:10, or 05:10 +1 on the day after the departure. Both are local times."""
    days = (arrives.date() - departs.date()).days
    return clock(arrives) + (f" {days:+d}" if days else "")


def departure(trip: AnyTrip | Leg) -> str:
    """The expected departure: 21:45; of a delayed trip 21:45, scheduled 21:15."""
    scheduled = trip.scheduled_departs_at
    return clock(trip.departs_at) + (f", scheduled {clock(scheduled)}" if scheduled else "")


def delay_line(trip: AnyTrip | ManifestStop) -> str:
    """The expected and the scheduled time, if they differ: Expected 21:45, scheduled 21:15."""
    departs, arrives = trip.scheduled_departs_at, trip.scheduled_arrives_at
    if departs is not None and trip.departs_at is not None:
        return f"Expected {clock(trip.departs_at)}, scheduled {clock(departs)}."
    if arrives is not None and trip.arrives_at is not None:
        return f"Arrival expected {clock(trip.arrives_at)}, scheduled {clock(arrives)}."
    return ""


def duration(departs: datetime, arrives: datetime) -> str:
    """The time between two instants, such as 3h05."""
    minutes = int((arrives - departs).total_seconds()) // 60
    return f"{minutes // 60}h{minutes % 60:02d}"


class AmountStyle:
    """How this process shows amounts.

    locale: of CLDR, such as en_IN; "": as in the plain text of the TCP port, which is published.
    """

    locale = ""


def money(amount: str | Decimal, currency: str | None = None) -> str:
    """An amount with the decimals that it has, those of its currency: 1,234.50, or 5.250 KWD.

    An amount in INR has no code, as in the texts of 0.1.0, which are published. With the locale of
    AmountStyle, it is as people write it there: ₹1,234.50, KWD 5.250.
    """
    number = Decimal(amount)
    if AmountStyle.locale and currency and (text := _local_amount(number, currency, AmountStyle.locale)):
        return text
    return f"{number:,f}" + (f" {currency}" if currency not in (None, "INR") else "")


def is_locale(name: str) -> bool:
    """Whether CLDR has a locale of this name."""
    from babel import Locale, UnknownLocaleError  # as in _local_amount

    try:
        Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        return False
    return True


def _local_amount(number: Decimal, currency: str, locale: str) -> str:
    """An amount in a locale; "" if its currency has other decimals in CLDR, or if there is no such locale."""
    from babel import numbers  # takes a tenth of a second, and most programs do not need it

    decimals = len(format(number, "f").partition(".")[2])
    if not is_locale(locale) or numbers.get_currency_precision(currency) != decimals:
        return ""
    text = numbers.format_currency(number, currency, locale=locale)
    return re.sub(r"(?<=[A-Z])(?=\d)", "\N{NO-BREAK SPACE}", text)  # KWD 5.250, not KWD5.250


def type_code(bus_type: str | None, ac: bool | None, service: str = "") -> str:
    """The type of a service, such as AC SLEEPER bus, without the parts that are unknown."""
    cooling = {True: "AC", False: "NON_AC", None: ""}[ac]
    return " ".join(filter(None, (cooling, bus_type, service)))


def type_text(trip: Trip) -> str:
    """The type of a trip in words: AC semi-sleeper or non-AC seater, without the parts that are unknown."""
    return type_words(trip.bus_type, trip.ac)


def type_words(bus_type: str | None, ac: bool | None, service: str = "") -> str:
    """The type of a service in words, such as non-AC sleeper bus, without the parts that are unknown."""
    cooling = {True: "AC", False: "non-AC", None: ""}[ac]
    return " ".join(filter(None, (cooling, (bus_type or "").lower().replace("_", "-"), service)))


def service_of(trip: Trip | Booking | OfferedTrip) -> str:
    """Operator and name: KSRTC Airavat Club Class. If one contains the other, the longer one."""
    if trip.name in trip.operator:
        return trip.operator
    return trip.name if trip.operator in trip.name else f"{trip.operator} {trip.name}"


def hold_end(booking: Booking, expires_at: datetime, zone: tzinfo | None) -> str:
    """When a hold expires, in the local time of the origin, as the departure: 09:10:00.

    zone: the time zone of this program. If the time differs there: 09:10:00 in New York JFK.
    """
    at, here = expires_at.astimezone(booking.departs_at.tzinfo), expires_at.astimezone(zone)
    place = venue_of(booking) or booking.origin
    where = "" if at.utcoffset() == here.utcoffset() else f" in {place}"
    return f"{at:%H:%M:%S}{where}"


def venue_of(service: Trip | Booking | OperatedTrip) -> str:
    """The place at which the passengers stay, such as a hotel or a theatre; "" for a journey."""
    if not words_of(service.kind).at_venue:
        return ""
    # Ranga Hall, of "Ranga Hall, doors" and "Ranga Hall, curtain"
    names = zip(service.origin.split(", "), service.destination.split(", "), strict=False)
    return ", ".join(name for name, other in names if name == other)


def summary(booking: Booking, *, machine: bool = False) -> str:
    """A booking in one sentence. machine: its date is written as programs read it in a pushed line.

    Example: 7B8ZGUF (flight 701, seat 3) from New York JFK to Delhi Airport, Tue 15 Dec 2026 10:00.
    """
    noun = words_of(booking.kind).seat
    seated_tickets = [t for t in booking.tickets if t.seat_no and t.status in ("held", "booked")]
    seats = [str(t.seat_no) for t in seated_tickets]
    seated = f", {plural(noun, seats)} {', '.join(seats)}" if seats else ""
    ends = "".join(f", {noun} {t.seat_no} {end}" for t in seated_tickets if (end := end_of(t, booking)))
    departs = booking.departs_at
    when = f" on {departs.date()} at {clock(departs)}" if machine else f", {moment(departs)}"
    return f"{booking.reference} ({booking.kind} {booking.bus_id}{seated}) {journey_of(booking)}{when}{ends}."


def journey_of(booking: Booking) -> str:
    """The journey as a part of a sentence: from Bengaluru to Mysuru, at Ranga Hall."""
    venue = venue_of(booking)
    return f"at {venue}" if venue else f"from {booking.origin} to {booking.destination}"


def cancelled_line(before: Booking, after: Booking) -> str:
    """What a cancellation has changed: Tickets 1 and 2 are cancelled. 130.00 is refunded."""
    was_open = {ticket.ticket_no for ticket in before.tickets if ticket.status in OPEN}
    cancelled = {ticket.ticket_no for ticket in after.tickets if ticket.status == "cancelled"}
    return f"{numbered('ticket', sorted(was_open & cancelled))} cancelled. {_refunded(before, after)}"


def ended_line(
    tickets: Sequence[Ticket], where: str, before: Booking, after: Booking, *, there: str = "there"
) -> str:
    """What alighting early has changed. where: at Mandya, or on a date. there: "then" for a date.

    Example: Ticket 1 ends at Mandya. Seat 7 is for sale again from there on. Nothing is refunded.
    """
    noun = plural("ticket", tickets).capitalize()
    numbers = listed((ticket.ticket_no for ticket in tickets), "and")
    verb = "ends" if len(tickets) == 1 else "end"
    seats = numbered(words_of(after.kind).seat, [t.seat_no for t in tickets if t.seat_no is not None])
    return (
        f"{noun} {numbers} {verb} {where}. {seats} for sale again from {there} on. {_refunded(before, after)}"
    )


def exchange_lines(terms: ExchangeTerms) -> Iterator[str]:
    """What an exchange leads to, and what it costs."""
    journey = terms.journey
    seats = [ticket.seat_no for ticket in terms.tickets]
    yield (
        f"{journey.name} ({journey.bus_id}): {journey.origin}, {moment(journey.departs_at)}, to "
        f"{journey.destination}, {moment(journey.arrives_at)}."
    )
    yield f"{plural(words_of(journey.kind).seat, seats).capitalize()} {listed(seats, 'and')}."
    parts = [f"Fare {money(terms.fare, terms.currency)}, paid {money(terms.paid, terms.currency)}"]
    parts += [f"fee {money(terms.fee, terms.currency)}"] if float(terms.fee) else []
    parts += [f"not refunded {money(terms.withheld, terms.currency)}"] if float(terms.withheld) else []
    yield f"{', '.join(parts)}."
    if float(terms.withheld):
        yield "The difference is refunded at the rate of a cancellation."


def exchange_amount(exchange: ExchangeAmounts) -> str:
    """What the traveller does to exchange: pay 40.00, get 40.00 back, or pay nothing."""
    if float(exchange.refund):
        return f"get {money(exchange.refund, exchange.currency)} back"
    return f"pay {money(exchange.due, exchange.currency)}" if float(exchange.due) else "pay nothing"


def exchanged_line(exchange: ExchangeAmounts) -> str:
    """What an exchange has cost: The booking is exchanged. 40.00 is charged."""
    if float(exchange.refund):
        cost = f"{money(exchange.refund, exchange.currency)} is refunded"
    else:
        cost = (
            f"{money(exchange.due, exchange.currency)} is charged"
            if float(exchange.due)
            else "Nothing is charged"
        )
    return f"The booking is exchanged. {cost}."


def seat_line(booking: Booking, ticket_no: int) -> str:
    """What a change of seats has changed: Ticket 1 has seat 9 now."""
    (seat_no,) = [ticket.seat_no for ticket in booking.tickets if ticket.ticket_no == ticket_no]
    return f"Ticket {ticket_no} has {words_of(booking.kind).seat} {seat_no} now."


def name_line(ticket_no: int, name: str) -> str:
    """What a transfer has changed: Ticket 1 has the name Meena Rao now."""
    return f"Ticket {ticket_no} has the name {name} now."


def _refunded(before: Booking, after: Booking) -> str:
    """A sentence: what a change has refunded."""
    refund = Decimal(after.refund) - Decimal(before.refund)
    return f"{money(refund, after.currency)} is refunded." if refund else "Nothing is refunded."


def end_of(ticket: Ticket, booking: Booking) -> str:
    """The end of a ticket, if it is before the end of its booking; empty for other tickets.

    Example: to Mandya, Mon 30 Nov 2026 09:10.
    """
    if ticket.arrives_at is None:
        return ""
    if ticket.destination == booking.destination:  # such as at a hotel
        return f"until {moment(ticket.arrives_at)}"
    return f"to {ticket.destination}, {moment(ticket.arrives_at)}"


def status_of(ticket: Ticket) -> str:
    """The status of a ticket in words: booked, or "checked in" with its time."""
    if ticket.checked_in_at is not None:
        return f"checked in {moment(ticket.checked_in_at)}"
    return "no-show" if ticket.no_show_at is not None else ticket.status


def change_line(booking: Booking, *, machine: bool = False) -> str:
    """A line about a booking that another request, an operator or a time limit has changed.

    machine: in the form that programs read in plain text (server/PROTOCOL.md).
    """
    ended = [str(t.ticket_no) for t in booking.tickets if t.status != booking.status]
    fare = sum((Decimal(t.fare) for t in booking.tickets if t.status == "booked"), Decimal())
    parts = (
        f"Booking {summary(booking, machine=machine)} Status: {booking.status.capitalize()}",
        f"fare {money(fare, booking.currency)}" if fare else "",
        f"without {plural('ticket', ended)} {', '.join(ended)}" if ended else "",
        f"{money(booking.refund, booking.currency)} is given back" if float(booking.refund) else "",
    )
    why = f". {does_not_run(booking)}" if booking.why else ""
    if booking.status == "expired":
        paid = "" if booking.payment else " Nothing was paid."
        why = f". Its time limit has passed.{paid}"
    return ", ".join(filter(None, parts)) + why


def message_details(at: datetime, now: datetime, bus_id: int | None, day: date | None, zone: str = "") -> str:
    """The line after a message of an operator. at: when it was sent. bus_id, day: the trip that it is about.

    now: the time now, in the time zone in which the line shows times. zone: the name of that time zone, if
    this computer's clock shows another time. Example:
    Sent at 14:05, about service 101 of Sat 5 Dec 2026. To answer, type: say TEXT
    """
    local = at.astimezone(now.tzinfo)
    sent = f"at {clock(local)}" if local.date() == now.date() else moment(local)
    sent += f" in {zone}" if zone else ""
    about = f", about service {bus_id} of {day_of(day)}" if bus_id and day else ""
    return f"Sent {sent}{about}. To answer, type: say TEXT"


def message_line(message: BookingMessage) -> str:
    """When a message was sent, by whom, and its text."""
    sender = "Operator" if message.from_operator else "You"
    return f"{moment(message.at)}  {sender}: {message.text}"


def offer_advice(booking: Booking) -> str:
    """How to accept or decline the open offer of a booking; empty if there is none."""
    return f"To accept or decline the offer, type: offer {booking.reference}." if booking.offers else ""


def does_not_run(booking: Booking) -> str:
    """Why a booking's trip was cancelled: The bus does not run. Landslide."""
    why = booking.why or ""
    return f"The {words_of(booking.kind).service} does not run. {why[:1].upper()}{why[1:]}"


def journey(found: TripList) -> str:
    """What the trips of a search have in common: Bengaluru to Mysuru, Sat 5 Dec 2026."""
    first, differ = found.trips[0], differing_ends(found)
    origin = "" if "origin" in differ else f"{first.origin} "
    destinations = list(dict.fromkeys(trip.destination for trip in found.trips))
    destination = f"{'to' if origin else 'To'} {listed(abridged(destinations, _MAX_DESTINATIONS), 'or')}"
    places = ("" if differ else venue_of(first)) or f"{origin}{destination}"
    return ", ".join(filter(None, (places, day_of(first.departs_at.date()))))


def differing_ends(found: TripList) -> list[str]:
    """Which of origin and destination differ between the trips, and so are shown for each trip."""
    return [end for end in ("origin", "destination") if len({getattr(trip, end) for trip in found.trips}) > 1]


def sent_line(notice: SentNotice) -> str:
    """Whom a notice to a trip reaches."""
    if not notice.bookings:
        return "The notice reaches no passenger. The trip has no bookings, or their journeys have ended."
    bookings, tickets = counted(notice.bookings, "booking"), counted(notice.tickets, "ticket")
    return f"Sent to the passengers of {bookings} ({tickets})."


def refund_line(tiers: list[RefundTier]) -> str:
    """The sentence that says what a cancellation refunds, and until when."""
    refunding = [tier for tier in tiers if float(tier.percent)]
    if not refunding:
        return "A cancellation refunds nothing."
    first, *others = (f"until {moment(tier.until)}: {tier.percent} %" for tier in refunding)
    return "; ".join((f"Cancel {first} back", *others, "later: nothing."))


def offer_lines(offer: Offer) -> list[str]:
    """What an operator has changed, what is offered instead, and how to answer until when."""
    lines = [f"Offer {offer.offer_no}: {offer.cause}"]
    if (trip := offer.trip) is not None:
        seats = f"{plural(words_of(trip.kind).seat, trip.seats)} {listed(trip.seats, 'and')}"
        departs = f"{service_of(trip)} ({trip.kind} {trip.bus_id}), {moment(trip.departs_at)}"
        lines.append(f"Instead: {departs}, {seats}, at the fare that is paid.")
    if offer.refund is None:
        decided = f", {moment(offer.decided_at)}" if offer.decided_at else ""
        return [*lines, f"{offer.state.capitalize()}{decided}."]
    until, refund = moment(offer.valid_until), money(offer.refund, offer.currency)
    if offer.trip is None:
        how = f"The booking stays as it is now, unless you decline the offer before {until}"
        return [*lines, f"{how}: then {refund} is refunded."]
    how = f"Accept the offer before {until}, or decline it: then {refund} is refunded, as without an answer."
    return [*lines, how]
