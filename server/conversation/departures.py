"""The first half of a reservation: what the traveller wishes, the trip that is chosen, a look at its seats.

Where nothing runs, what runs instead is shown: other types on the date, else the nearest date.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from busware.server.conversation import answers
from busware.server.conversation.dialogue import Ask, Call, Choice, Problem, Show, Steps, Tell
from busware.server.conversation.words import Words, clock, day_of, money, named, service_of
from busware.server.protocol import (
    Booking,
    BusType,
    Passenger,
    Place,
    Places,
    Refusal,
    Search,
    SeatMap,
    Seats,
    Trip,
    TripList,
)

# Where else to look when nothing runs on a date, in days from it, the nearest first.
_OTHER_DAYS = (1, -1, 2, -2, 3, -3, 4, 5, 6, 7)


@dataclass
class BookingDraft:
    """What the traveller has said so far."""

    day: date
    origin: Place
    destination: Place
    bus_type: BusType | None = None
    ac: bool | None = None
    phone: str | None = None
    phone_known: bool = False  # it was asked for; some services need none
    names: tuple[str | None, ...] = ()  # of the passengers, where the face asks for them

    @property
    def route(self) -> str:
        """The two ends, in words."""
        return f"from {self.origin.name} to {self.destination.name}"

    def passengers(self) -> list[Passenger] | None:
        """The names, where some were given."""
        return [Passenger(name=name) for name in self.names] if any(self.names) else None


def ask_place(prompt: str, field: str, places: list[Place], other: Place | None = None) -> Ask:
    """The question for a place. other: the one it must differ from."""
    return Ask(
        prompt, answers.place(places, other), field,
        f"One of: {', '.join(place.name for place in places)}.",
        tuple(Choice(place.name, ", ".join((place.code, *place.aliases))) for place in places),
    )  # fmt: skip


def choose_venue(words: Words) -> Steps[Place]:
    """The theatre, or the hotel: which, where there are several."""
    places = (yield Call(Places(kind=words.kind))).places
    venues: list[Place] = [place for place in places if place.part_of is None]
    if not venues:
        raise Problem(f"There is no {words.service}.")
    if len(venues) == 1:
        return venues[0]
    venue: Place = yield ask_place(f"{words.source}:", "origin", venues)
    return venue


# The trip --------------------------------------------------------------------------------------


def choose_trip(
    words: Words, draft: BookingDraft, today: date, places: list[Place], ask_day: Ask
) -> Steps[Trip]:
    """One of the trips that were found; the date and the destination are asked again while none is."""
    while True:
        found = yield Call(_search(words, draft, draft.day, draft.bus_type, draft.ac))
        if isinstance(found, Refusal):
            yield Tell(found.message, problem=True)
            draft.day = yield ask_day
            continue
        trips = found.trips or (yield from _find_alternatives(words, draft, today))
        if trips:
            break
        draft.destination = yield ask_place("Another destination:", "destination", places, draft.origin)
    yield Show(TripList(trips=trips))
    about = {
        trip.bus_id: f"{clock(trip.departs_at)} {service_of(trip)}, "
        f"{money(trip.fare)}{', full' * (not trip.seats_free)}"
        for trip in trips
    }
    bus_id = yield Ask(
        f"{words.service.capitalize()} id:", answers.number_of(about, words.service), "bus_id",
        f"The number in the first column: it says which {words.service} you take.",
        tuple(Choice(str(number), text) for number, text in about.items()),
    )  # fmt: skip
    same = [trip for trip in trips if trip.bus_id == bus_id]
    if len(same) > 1:
        return (yield from _which(words, same))
    return same[0]


def read_seat_map(ride: Trip | Booking) -> Steps[Seats | None]:
    """The seats over that stretch as they are now; None, which is told why, when the trip is no more."""
    seat_map: Seats | Refusal = yield Call(
        SeatMap(
            bus_id=ride.bus_id, travel_date=ride.travel_date,
            from_stop=ride.from_stop, to_stop=ride.to_stop,
        )
    )  # fmt: skip
    if isinstance(seat_map, Refusal):
        yield Tell(seat_map.message, problem=True)
        return None
    return seat_map


def _which(words: Words, trips: list[Trip]) -> Steps[Trip]:
    """One bus may go to several places that were asked for at once, such as the towns of Goa."""
    for n, trip in enumerate(trips, 1):
        ends = f"{trip.origin} {clock(trip.departs_at)} to {trip.destination} {clock(trip.arrives_at)}"
        yield Tell(f"  {n}  {ends}, {money(trip.fare)}")
    numbers = range(1, len(trips) + 1)
    number: int = yield Ask(
        f"This {words.service} goes to each of these. Which? (1 to {len(trips)})",
        answers.number_of(numbers, "number"), "segment", "The number before the two places.",
        answers.choices(*map(str, numbers)),
    )  # fmt: skip
    return trips[number - 1]


def _find_alternatives(words: Words, draft: BookingDraft, today: date) -> Steps[list[Trip]]:
    """What runs instead: other types on the date, else on the nearest date what was wished, else others."""
    none = f"No {named(draft.bus_type, draft.ac, words.service)} goes {draft.route} on {day_of(draft.day)}."
    if draft.bus_type is not None or draft.ac is not None:
        found = yield Call(_search(words, draft, draft.day, None, None))
        if isinstance(found, TripList) and found.trips:
            yield Tell(f"{none} These do:")
            return found.trips
    days = [other for n in _OTHER_DAYS if (other := draft.day + timedelta(days=n)) >= today]
    wished = dict.fromkeys([(draft.bus_type, draft.ac), (None, None)])
    for bus_type, ac in wished:
        which = "" if (bus_type, ac) == (draft.bus_type, draft.ac) else f" of any other {words.service}"
        for day in days:
            found = yield Call(_search(words, draft, day, bus_type, ac))
            if isinstance(found, TripList) and found.trips:
                yield Tell(f"{none} The nearest date{which} is {day_of(day)}:")
                return found.trips
    yield Tell(f"No {words.service} goes {draft.route} on that date or in the week after it.", problem=True)
    return []


def _search(
    words: Words, draft: BookingDraft, day: date, bus_type: BusType | None, ac: bool | None
) -> Search:
    return Search(
        origin=draft.origin.code, destination=draft.destination.code, date=day,
        kind=words.kind, bus_type=bus_type, ac=ac,
    )  # fmt: skip
