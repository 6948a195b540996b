"""A stay: the nights, the rooms, and then as with any reservation.

A hotel's season is a trip whose stops are its nights, all at the venue; a stay is a stretch of it, from
the stop that leaves on the check-in date to the one that arrives on the check-out date.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta

from busware.server.conversation import answers
from busware.server.conversation.departures import BookingDraft, choose_venue
from busware.server.conversation.dialogue import Ask, Call, Problem, Show, Steps, Tell
from busware.server.conversation.reservation import book, good_bye
from busware.server.conversation.words import EXAMPLES, HOTEL, day_of, money, service_of
from busware.server.protocol import Refusal, Search, Trip, TripList

MOST_NIGHTS = 60
_NIGHTS = re.compile(r"(\d{1,2})(?:\s*nights?)?", re.ASCII)


def stay(today: date, *, with_names: bool = False) -> Steps[None]:
    """Find rooms for some nights, choose among them, hold them, confirm."""
    venue = yield from choose_venue(HOTEL)
    while True:
        arrives = yield Ask(
            f"Check-in date ({EXAMPLES}):", answers.travel_date(today), "date",
            "The date of the first night.",
        )  # fmt: skip
        leaves = yield Ask(
            "Check-out date, or how many nights (such as 2):", _until(arrives, today), "until",
            "The morning on which you leave.",
        )  # fmt: skip
        found = yield Call(
            Search(origin=venue.code, destination=venue.code, date=arrives, until=leaves, kind=HOTEL.kind)
        )
        if isinstance(found, Refusal):
            yield Tell(found.message, problem=True)
        elif not found.trips:
            yield Tell(f"No room is on sale from {day_of(arrives)} to {day_of(leaves)}.", problem=True)
        else:
            trip = yield from _which(found)
            nights = (leaves - arrives).days
            yield Tell(f"{nights} night{'s' * (nights > 1)}: {money(trip.fare)} in all, for each room.")
            draft = BookingDraft(arrives, venue, venue)
            booking = yield from book(HOTEL, draft, trip, with_names)
            if booking is not None:
                yield Show(booking)
                yield Tell(good_bye(booking, draft.phone))
                return


def _until(arrives: date, today: date) -> Callable[[str], date]:
    """A date after the check-in, or a number of nights."""

    def parse(typed: str) -> date:
        nights = _NIGHTS.fullmatch(typed.lower())
        leaves = arrives + timedelta(days=int(nights[1])) if nights else answers.any_date(today)(typed)
        if not arrives < leaves <= arrives + timedelta(days=MOST_NIGHTS):
            last = arrives + timedelta(days=MOST_NIGHTS)
            raise Problem(f"You leave after {arrives}, and by {last} at the latest; {leaves} is not between.")
        return leaves

    return parse


def _which(found: TripList) -> Steps[Trip]:
    """Which hotel, where the venue has more than one to offer."""
    trips = {trip.bus_id: trip for trip in found.trips}
    if len(trips) == 1:
        return found.trips[0]
    for trip in trips.values():
        yield Tell(f"  {trip.bus_id}  {service_of(trip)}, {money(trip.fare)}, {trip.seats_free} free")
    number = yield Ask(
        "Hotel id:", answers.number_of(trips, HOTEL.service), "bus_id", "The number before the hotel.",
        answers.choices(*map(str, trips)),
    )  # fmt: skip
    return trips[number]
