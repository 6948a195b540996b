"""The dialogue of `flight`, which books a flight by one line; and the countries that flights serve.

Programs rely on the lines of this dialogue (server/PROTOCOL.md). A request is one line; an error in it is
reported in one line and ends the dialogue, so that the line can be typed again.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from busware.server.conversation import answers
from busware.server.conversation.dialogue import (
    CHOOSE,
    Ask,
    Context,
    InvalidInput,
    Show,
    Steps,
    Tell,
    answered,
    require,
)
from busware.server.conversation.reservation import (
    book_directly,
    fare_of_direct_booking,
    reference_advice,
    reservation,
)
from busware.server.conversation.seating import Wanted
from busware.server.conversation.trips import BookingDraft, ask_place, sale_of
from busware.server.conversation.words import FLIGHT, clock, day_of, listed, quoted
from busware.server.protocol import Place, Places, Refusal, Search, Trip, fold_name

PROMPT = (
    "Please enter the source country, destination country, and travel date/time "
    "(format: source,destination,date,time):"
)
_MAX_COUNTRY_NAME = 40  # characters
_COMMAS = 3  # of a request line
_EXAMPLE = "such as USA,IND,2026-12-15,10:00"


def find_country(typed: str) -> Steps[str | None]:
    """The code, name or alias of a country, as it is stored, if flights serve that country; else None."""
    if not 2 <= len(typed) <= _MAX_COUNTRY_NAME:
        return None
    places = (yield from require(Places(kind=FLIGHT.kind))).places
    found = _find(typed, _countries(places))
    return found[0] if found else None


def flight(context: Context, typed: str) -> Steps[None]:
    """The command `flight`: book a seat by a request line, or join the waitlist.

    With `choose`, or with the two ends of a journey, the dialogue asks questions instead.
    """
    ask_flight = Ask(
        PROMPT, str, "flight",
        f"USA,IND,2026-12-15,10:00 books a seat at once. {CHOOSE} asks questions, and shows the fare first.",
        answers.choices(CHOOSE),
    )  # fmt: skip
    if context.extended:
        example = FLIGHT.example
        served = ask_place("", "", (yield from require(Places(kind=FLIGHT.kind))).places)
        ask_flight = replace(
            ask_flight, prompt=f"From and to (such as {example}):", parse=_flight_or_journey, field="journey",
            hint=f"{served.hint} If you like, with a date: {example} 15 dec. "
            f"Or source,destination,date,time, {_EXAMPLE}. The fare is shown before you book.",
            choices=served.choices,
        )  # fmt: skip
    line = yield from answered(ask_flight, typed)
    while line.count(",") == _COMMAS or not (context.extended or (yield from _chooses(context, line))):
        try:
            yield from _book_by_line(context, line)
            return
        except (InvalidInput, Refusal) as error:
            if not context.extended:
                raise
            yield Tell(str(error), problem=True)
            line = yield ask_flight
    first, _, rest = line.partition(" ")
    yield from reservation(context, FLIGHT, rest if first.lower() == CHOOSE else line)


def _flight_or_journey(typed: str) -> str:
    """A request line, or places and maybe a date. Raises InvalidInput if it is empty."""
    if not typed:
        raise InvalidInput(f"{quoted(typed)} names no place. Type two, such as {FLIGHT.example}.")
    return typed


def _chooses(context: Context, line: str) -> Steps[bool]:
    """Whether a line without commas asks for a flight by questions: it has two places, or a misspelt one."""
    if line.partition(" ")[0].lower() == CHOOSE:
        return True
    if "," in line or " " not in line:
        return False
    if (yield from find_country(line)):  # a country of two words, such as United Kingdom
        return False
    journey = (yield from sale_of(context, FLIGHT)).read(line)
    return bool((journey.origin or journey.destination) and (journey.problems or journey.unknown)) or bool(
        journey.origin and journey.destination
    )


def _book_by_line(context: Context, line: str) -> Steps[None]:
    """Book a seat on the flight of a request line. Raises InvalidInput or Refusal.

    A line that is only the name of a country gets a welcome.
    """
    parts = [part.strip() for part in line.split(",")]
    if len(parts) != 4 or not all(parts):
        if country := (yield from find_country(line)):
            yield Tell(f"Welcome to {country}")
            return
        raise InvalidInput(f"{quoted(line)} does not have the form source,destination,date,time.")
    source, target, day_text, time_text = parts
    time = answers.time_of_day(time_text)
    if time is None:
        raise InvalidInput(f"{quoted(time_text)} is not a time. Type a line {_EXAMPLE}.")
    day = answers.any_date(context.today())(day_text)
    places = (yield from require(Places(kind=FLIGHT.kind))).places
    origin_name, origin = _find_served(source, places)
    destination_name, destination = _find_served(target, places)
    found = yield from require(
        Search(origin=origin.code, destination=destination.code, date=day, kind=FLIGHT.kind)
    )
    route = f"from {origin_name} to {destination_name}"
    trip = _departing_at(time, day, found.trips, route)
    draft = BookingDraft(day, origin, destination)
    booking = yield from book_directly(context, FLIGHT, draft, trip, Wanted(1, waits=True))
    if booking is None:
        yield Tell("Nothing was booked.")
        return
    if isinstance(booking, Refusal):
        raise booking
    brief = (
        f"Booking flight {route} on {day} at {time}. Status: {booking.status.capitalize()}\n"
        f"Reference {booking.reference}."
    )
    if booking.position is not None:
        brief += f"\nNumber {booking.position} in the queue."
    yield Show(booking, brief=brief)
    yield from fare_of_direct_booking(context, booking)
    yield Tell(reference_advice(booking, None))


def _departing_at(time: str, day: date, trips: Sequence[Trip], route: str) -> Trip:
    """The flight that departs at this time; if several do, one with a free seat. Raises InvalidInput."""
    if not trips:
        raise InvalidInput(f"No flight {route} is on sale for {day_of(day)}.")
    found = [trip for trip in trips if clock(trip.departs_at) == time]
    if not found:
        times = listed(sorted({clock(trip.departs_at) for trip in trips}), "and")
        raise InvalidInput(f"No flight {route} leaves at {time}. On {day_of(day)}: {times}.")
    return max(found, key=lambda trip: trip.seats_free > 0)


def _find_served(typed: str, places: Sequence[Place]) -> tuple[str, Place]:
    """The stored spelling of a name, and the country or airport that it names. Raises InvalidInput."""
    if found := _find(typed, places):
        return found
    if place := answers.PlaceNames(places).beginning_with(typed):  # bengaluru is Bengaluru Airport
        return place.name, place
    countries = listed((country.code for country in _countries(places)), "and")
    raise InvalidInput(f"No flight serves {quoted(typed)}. Flights serve {countries}.")


def _find(typed: str, places: Sequence[Place]) -> tuple[str, Place] | None:
    place = answers.PlaceNames(places).named(typed)
    if place is None:
        return None
    word = fold_name(typed)
    return next((name, place) for name in answers.spellings(place) if fold_name(name) == word)


def _countries(places: Sequence[Place]) -> list[Place]:
    """The places that contain others."""
    containers = {place.part_of for place in places}
    return [place for place in places if place.code in containers]
