"""The flight conversation: the name of a country, and the line that books a flight.

These dialogues are kept to the letter, since scripts look for their lines: the welcome, the question,
`Status: Booked`, the reference. A request is one line, so whatever is wrong with it is told in one
line, too, and the traveller is back at the desk, where the line may be typed again as it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from busware.server.conversation import answers
from busware.server.conversation.dialogue import Ask, Call, Problem, Show, Steps, Tell
from busware.server.conversation.reservation import good_bye, reservation
from busware.server.conversation.words import FLIGHT, clock
from busware.server.protocol import Book, Booking, Place, Places, Refusal, Search, Trip

PROMPT = (
    "Please enter the source country, destination country, and travel date/time "
    "(format: source,destination,date,time):"
)
CHOOSE = "choose"
_FORMAT = "source,destination,date,time, such as USA,IND,2026-12-15,10:00"
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00)?", re.ASCII)


@dataclass(frozen=True)
class _Asked:
    """The four parts of a request line."""

    source: str
    destination: str
    day: date
    time: str


def welcome(line: str, otherwise: str) -> Steps[None]:
    """Welcome to a country that flights serve; a line that names none is told otherwise."""
    places = (yield Call(Places(kind=FLIGHT.kind))).places
    word = next((_spelled(country, line) for country in _countries(places) if _spelled(country, line)), None)
    yield Tell(f"Welcome to {word}") if word else Tell(otherwise)


def flight(today: date, line: str | None = None, *, with_names: bool = False) -> Steps[None]:
    """Book a seat by a request line, or a place in the queue. `choose`: step by step instead."""
    if line is None:
        yield Tell(
            f"A line books a seat at once, at its fare. To see flights and fares first, type: {CHOOSE}.",
            aside=True,
        )
        line = yield Ask(
            PROMPT, str, "flight",
            f"Such as USA,IND,2026-12-15,10:00, which books at once. Or {CHOOSE}: step by step.",
            answers.choices(CHOOSE),
        )  # fmt: skip
    if line.lower() == CHOOSE:
        yield from reservation(FLIGHT, today, with_names=with_names)
        return
    asked = _read(line, today)
    places = (yield Call(Places(kind=FLIGHT.kind))).places
    source, destination = _served(asked.source, places), _served(asked.destination, places)
    found = yield Call(
        Search(origin=source.code, destination=destination.code, date=asked.day, kind=FLIGHT.kind)
    )
    if isinstance(found, Refusal):
        raise Problem(found.message)
    ends = f"from {_word(source, asked.source)} to {_word(destination, asked.destination)}"
    trip = _leaving_at(asked, found.trips, ends)
    booking = yield Call(
        Book(
            bus_id=trip.bus_id, travel_date=trip.travel_date, from_stop=trip.from_stop,
            to_stop=trip.to_stop, count=1, waitlist=True,
        )
    )  # fmt: skip
    if isinstance(booking, Refusal):
        raise Problem(booking.message)
    yield Show(booking, brief=_confirmation_text(booking, f"{ends} on {asked.day} at {asked.time}"))
    yield Tell(good_bye(booking, None), aside=True)


def _read(line: str, today: date) -> _Asked:
    parts = [part.strip() for part in line.split(",")]
    if len(parts) != 4 or not all(parts):
        raise Problem(f"{answers.shown(line)} is no request. It takes four parts: {_FORMAT}.")
    source, destination, day, at = parts
    time = _TIME.fullmatch(at)
    if time is None or int(time[1]) > 23 or int(time[2]) > 59:
        raise Problem(f"{answers.shown(at)} is no time of day. A request is {_FORMAT}.")
    return _Asked(source, destination, answers.any_date(today)(day), f"{int(time[1]):02d}:{time[2]}")


def _served(typed: str, places: Sequence[Place]) -> Place:
    """The country or airport of that name, code or alias."""
    for place in places:
        if _spelled(place, typed):
            return place
    served = answers.listed([country.code for country in _countries(places)], "and")
    raise Problem(f"No flight serves {answers.shown(typed)}. Flights serve {served}.")


def _leaving_at(asked: _Asked, trips: Sequence[Trip], ends: str) -> Trip:
    """The flight that leaves at that time; where several do, one with a free seat."""
    if not trips:
        raise Problem(f"No flight {ends} is on sale for {asked.day}.")
    there = [trip for trip in trips if clock(trip.departs_at) == asked.time]
    if not there:
        times = answers.listed(sorted({clock(trip.departs_at) for trip in trips}), "and")
        raise Problem(
            f"No flight {ends} on {asked.day} is on sale for {asked.time}; those on sale leave at {times}."
        )
    return max(there, key=lambda trip: trip.seats_free > 0)


def _confirmation_text(booking: Booking, ride: str) -> str:
    lines = [
        f"Booking flight {ride}. Status: {booking.status.capitalize()}",
        f"Reference {booking.reference}.",
    ]
    if booking.position is not None:
        lines.append(f"Number {booking.position} in the queue.")
    return "\n".join(lines)


def _countries(places: Sequence[Place]) -> list[Place]:
    """The places that contain others."""
    containers = {place.part_of for place in places}
    return [place for place in places if place.code in containers]


def _spelled(place: Place, typed: str) -> str | None:
    """The place's own spelling of the code, name or alias that was typed; None when it is none of them."""
    word = " ".join(typed.lower().split())
    return next((own for own in (place.code, place.name, *place.aliases) if own.lower() == word), None)


def _word(place: Place, typed: str) -> str:
    return _spelled(place, typed) or place.name
