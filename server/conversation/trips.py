"""The steps that lead to a trip: the search, its alternatives, and the choice of one trip."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from busware.server.conversation import answers
from busware.server.conversation.dialogue import Ask, Call, Choice, InvalidInput, Show, Steps, Tell, require
from busware.server.conversation.words import Words, clock, day_of, money, service_of, type_code
from busware.server.protocol import (
    Booking,
    BusType,
    Passenger,
    Place,
    PlaceList,
    Places,
    Refusal,
    Search,
    SeatMap,
    Seats,
    Trip,
    TripList,
)

_NEARBY_DAYS = (1, -1, 2, -2, 3, -3, 4, 5, 6, 7)  # added to the requested date, the nearest first


@dataclass
class BookingDraft:
    """The traveller's answers so far."""

    day: date
    origin: Place
    destination: Place
    bus_type: BusType | None = None
    ac: bool | None = None
    phone: str | None = None
    phone_known: bool = False  # the question was answered; phone is None if the answer was empty
    names: tuple[str | None, ...] = ()  # of the passengers, where the dialogue asks for them

    @property
    def route(self) -> str:
        """The places as a part of a sentence, such as "from Bengaluru to Mysuru"."""
        return f"from {self.origin.name} to {self.destination.name}"

    def passengers(self) -> list[Passenger] | None:
        """The passengers' names; None if there are none."""
        return [Passenger(name=name) for name in self.names] if any(self.names) else None


def ask_place(prompt: str, field: str, places: list[Place], excluded: Place | None = None) -> Ask:
    """The question for a place. excluded: the origin, which cannot be the destination too."""
    labels = [answers.label(place, places) for place in places]
    return Ask(
        prompt, answers.place(places, excluded), field, f"One of: {', '.join(labels)}.",
        tuple(
            Choice(place.name, ", ".join((place.code, *place.aliases))) if label == place.name
            else Choice(place.code, ", ".join((place.name, *place.aliases)))
            for place, label in zip(places, labels, strict=True)
        ),
    )  # fmt: skip


def places_on_sale(words: Words) -> Steps[tuple[list[Place], date, date]]:
    """The places that services of a kind call at, and the first and the last date on sale.

    Raises InvalidInput, Refusal.
    """
    served: PlaceList = yield from require(Places(kind=words.kind))
    if served.on_sale_from is None or served.on_sale_until is None:
        raise InvalidInput(f"There is no {words.service} on sale.")
    return served.places, served.on_sale_from, served.on_sale_until


def choose_venue(words: Words) -> Steps[tuple[Place, date, date]]:
    """The theatre or the hotel, the first and the last date on sale; asks if there are several venues."""
    places, first, last = yield from places_on_sale(words)
    venues = [place for place in places if place.part_of is None]
    if len(venues) == 1:
        return venues[0], first, last
    venue: Place = yield ask_place(f"{words.source}:", "origin", venues)
    return venue, first, last


def choose_from_list(prompt: str, options: Mapping[int, str], noun: str, field: str) -> Steps[int]:
    """Show a line for each number, and ask for one of them."""
    for number, about in options.items():
        yield Tell(f"  {number}  {about}")
    chosen: int = yield answers.ask_number(prompt, options, noun, field, "The number at the start of a line.")
    return chosen


def choose_trip(
    words: Words, draft: BookingDraft, first: date, places: list[Place], ask_day: Ask
) -> Steps[Trip]:
    """One of the trips found. While there is none, asks for another date or destination. Raises Refusal.

    first: the first date on sale.
    """
    while True:
        search = Search(
            origin=draft.origin.code, destination=draft.destination.code, date=draft.day,
            kind=words.kind, bus_type=draft.bus_type, ac=draft.ac,
        )  # fmt: skip
        found = yield Call(search)
        if isinstance(found, Refusal) and found.data.get("field") != "date":
            raise found
        trips: list[Trip] = [] if isinstance(found, Refusal) else found.trips
        trips = trips or (yield from _find_alternatives(words, draft, search, first))
        if trips:
            break
        if isinstance(found, Refusal):  # other origins have trips on this date
            yield Tell(found.message, problem=True)
            draft.day = yield ask_day
            continue
        draft.destination = yield ask_place("Another destination:", "destination", places, draft.origin)
    yield Show(TripList(trips=trips))
    options = {
        trip.bus_id: f"{clock(trip.departs_at)} {service_of(trip)}, {money(trip.fare)}"
        f"{'' if trip.seats_free else ', full'}"
        for trip in trips
    }
    bus_id = yield answers.ask_number(
        f"{words.service.capitalize()} id:",
        options,
        words.service,
        "bus_id",
        "The number in the first column.",
    )
    # A search for a place that contains others, such as Goa, may find one service several times.
    segments = dict(enumerate((trip for trip in trips if trip.bus_id == bus_id), 1))
    if len(segments) == 1:
        return segments[1]
    described = {
        n: f"{trip.origin} {clock(trip.departs_at)} to {trip.destination} {clock(trip.arrives_at)}, "
        f"{money(trip.fare)}"
        for n, trip in segments.items()
    }
    question = f"Which stops of this {words.service}? (1 to {len(described)})"
    return segments[(yield from choose_from_list(question, described, "number", "segment"))]


def read_seat_map(trip: Trip | Booking) -> Steps[Seats]:
    """The current seat map of a trip's segment. Raises Refusal if the trip is no longer on sale."""
    seat_map: Seats = yield from require(
        SeatMap(
            bus_id=trip.bus_id, travel_date=trip.travel_date,
            from_stop=trip.from_stop, to_stop=trip.to_stop,
        )
    )  # fmt: skip
    return seat_map


def _find_alternatives(words: Words, draft: BookingDraft, search: Search, first: date) -> Steps[list[Trip]]:
    """Other types on the date; else the same type on the nearest date; else any type on the nearest date."""
    wanted_service = type_code(draft.bus_type, draft.ac, words.service)
    none = f"No {wanted_service} runs {draft.route} on {day_of(draft.day)}."
    any_type = msgspec.structs.replace(search, bus_type=None, ac=None)
    if any_type != search and (trips := (yield from _trips(any_type))):
        yield Tell(f"{none} Available on that date:")
        return trips
    days = [day for n in _NEARBY_DAYS if (day := draft.day + timedelta(days=n)) >= first]
    for wanted in dict.fromkeys((search, any_type)):
        for day in days:
            if trips := (yield from _trips(msgspec.structs.replace(wanted, date=day))):
                other = "" if wanted == search else f" of any other {words.service}"
                yield Tell(f"{none} The nearest date{other} is {day_of(day)}:")
                return trips
    dates = "on that date, in the 3 days before it or in the week after it"
    yield Tell(f"No {words.service} runs {draft.route} {dates}.", problem=True)
    return []


def _trips(search: Search) -> Steps[list[Trip]]:
    found = yield Call(search)
    return found.trips if isinstance(found, TripList) else []
