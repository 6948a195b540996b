"""The steps that lead to a trip: the search, its alternatives, and the choice of one trip."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import msgspec

from busware.server.conversation import answers
from busware.server.conversation.dates import EXAMPLES
from busware.server.conversation.dialogue import (
    Ask,
    Call,
    Choice,
    Context,
    InvalidInput,
    Show,
    Steps,
    Tell,
    require,
)
from busware.server.conversation.extras import NO_EXTRAS, Extras
from busware.server.conversation.journeys import ANY, Filter, Journey, find_filter, parse_journey
from busware.server.conversation.words import (
    Words,
    abridged,
    arrival,
    clock,
    day_of,
    listed,
    money,
    service_of,
    type_code,
    type_words,
)
from busware.server.protocol import (
    Booking,
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

_MAX_PLACES_LISTED = 3  # in the message about a destination that is not reached
_MAX_PLACES_SEARCHED = 20  # with more places, they are not filtered by operator
_MAX_PLACES_IN_HINT = 60  # so that a terminal of 24 lines shows the whole text
_PLACES_SHOWN = 20  # of a longer list
_NEARBY_DAYS = (1, -1, 2, -2, 3, -3, 4, 5, 6, 7)  # added to the requested date, the nearest first


@dataclass
class BookingDraft:
    """The traveller's answers so far."""

    day: date
    origin: Place
    destination: Place
    wanted: Filter = ANY
    phone: str | None = None
    phone_known: bool = False  # the question was answered; phone is None if the answer was empty
    names: tuple[str | None, ...] = ()  # of the passengers, if they were given
    extras: Extras = NO_EXTRAS
    exchanged: Booking | None = None  # the booking for which another trip of its operator is wanted

    @property
    def route(self) -> str:
        """The places as a part of a sentence, such as "from Bengaluru to Mysuru"."""
        return f"from {self.origin.name} to {self.destination.name}"


def ask_place(
    prompt: str,
    field: str,
    places: list[Place],
    excluded: Place | None = None,
    relation: str = "You leave from",
) -> Ask:
    """The question for a place. excluded: the other end of the journey.

    relation: the words before the name of the other end, in the message that refuses it.
    """
    labels = [answers.label(place, places) for place in places]
    separator = "; " if any("," in label for label in labels) else ", "
    hint = f"One of: {separator.join(labels)}."
    if len(labels) > _MAX_PLACES_IN_HINT:
        shown, others = labels[:_PLACES_SHOWN], len(labels) - _PLACES_SHOWN
        hint = f"One of: {separator.join(shown)} and {others} others. To list those with M, type: ? m"
    return Ask(
        prompt, answers.place(places, excluded, relation), field, hint,
        tuple(
            Choice(place.name, ", ".join((place.code, *place.aliases))) if label == place.name
            else Choice(place.code, ", ".join((place.name, *place.aliases)))
            for place, label in zip(places, labels, strict=True)
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class Sale:
    """What a dialogue can sell: the places that services of a kind call at, and the dates on sale."""

    context: Context
    words: Words
    places: list[Place]
    first: date
    last: date

    def ask_day(self, question: str, hint: str) -> Ask:
        """The question for a date. In an extended dialogue, Enter answers tomorrow, or the first date."""
        today = self.context.today()
        parse = answers.date_on_sale(today, self.first, self.last)
        hint = f"{hint}, up to {day_of(self.last)}."
        if not self.context.extended:
            prompt = f"{question} ({EXAMPLES}):"
            return Ask(prompt, parse, "date", hint, echo=_day_in_full)
        default = today + timedelta(days=1)
        day = f"tomorrow, {day_of(default, year=False)}"
        if not self.first <= default <= self.last:
            default, day = self.first, day_of(self.first)
        return Ask(
            f"{question} (Enter: {day}):",
            answers.with_default(parse, default),
            "date",
            f"{hint} Such as {EXAMPLES}.",
            enter=f"{question}: {day_of(default)}.",
            again=day_of,
        )

    def read(self, typed: str, otherwise: str = "") -> Journey:
        """The journey that a text describes. otherwise: as for parse_journey."""
        find_date = answers.finds_date_on_sale(self.context.today(), self.first, self.last)
        first, _, rest = typed.partition(" ")
        journey = rest if first.lower() == self.words.service else typed  # bus bengaluru mysuru
        return parse_journey(journey, self.places, find_date, otherwise)

    def reached_from(self, origin: Place) -> Steps[list[Place]]:
        """The places to which services on sale go from an origin, and the places that contain them."""
        reached: PlaceList = yield from require(Places(kind=self.words.kind, origin=origin.code))
        return reached.places

    def run_by(self, operator: str, day: date, origin: Place, reached: list[Place]) -> Steps[list[Place]]:
        """The places to which an operator goes on a date; all reached ones if they are many, or none fit."""
        if len(reached) > _MAX_PLACES_SEARCHED:
            return reached
        found = []
        for place in reached:
            trips = yield Call(
                Search(origin=origin.code, destination=place.code, date=day, kind=self.words.kind)
            )
            if isinstance(trips, TripList) and any(trip.operator == operator for trip in trips.trips):
                found.append(place)
        return found or reached

    def unreached(self, origin: Place, destination: Place, reached: list[Place]) -> str:
        """The message about a destination to which no service goes from the origin."""
        route = f"from {origin.name} to {destination.name}"
        return f"No {self.words.service} goes {route}. {self._reach(origin, reached)}"

    def unknown(self, origin: Place, typed: str, reached: list[Place]) -> str:
        """The message about a destination that is no place. Suggests what is reached from the origin."""
        names = answers.PlaceNames([place for place in reached if place != origin])
        everywhere = answers.PlaceNames([place for place in self.places if place != origin])
        if names.similar(typed):
            return names.unknown(typed)
        if everywhere.similar(typed):
            why = f"No {self.words.service} goes there from {origin.name}."
            return f"{everywhere.unknown(typed)} {why} {answers.LIST_PLACES}"
        own = answers.PlaceNames([origin])
        if own.similar(typed):
            return f"{own.unknown(typed)} You leave from there. {answers.LIST_PLACES}"
        return names.unknown(typed, answers.LIST_PLACES)

    def _reach(self, origin: Place, reached: list[Place]) -> str:
        """Some of the places that are reached from an origin, in a sentence."""
        names = [answers.label(place, reached) for place in reached if place.code != origin.code]
        return f"From {origin.name} you reach {listed(abridged(names, _MAX_PLACES_LISTED), 'and')}."

    def ask_destination(self, prompt: str, origin: Place, reached: list[Place], default: str = "") -> Ask:
        """The question for one of the places that are reached from the origin. default: what Enter means."""
        ask = ask_place(prompt, "destination", reached, origin)
        names = answers.PlaceNames(self.places)

        def parse(typed: str) -> Place:
            typed = typed or default
            try:
                return ask.parse(typed)  # type: ignore[no-any-return]
            except answers.AmbiguousPlace:
                raise
            except InvalidInput:
                found = names.named(typed) or names.beginning_with(typed)
                if found is None:
                    raise InvalidInput(self.unknown(origin, typed, reached)) from None
                if found == origin:
                    raise InvalidInput(f"You leave from {origin.name}. Type another place.") from None
                raise InvalidInput(self.unreached(origin, found, reached)) from None

        return replace(ask, parse=parse)


def _day_in_full(typed: str, day: date) -> str:
    """The date that a typed line has meant, unless it was typed in full, as programs do."""
    return "" if typed == day.isoformat() else f"{day_of(day)}."


def sale_of(context: Context, words: Words) -> Steps[Sale]:
    """What services of a kind sell. Raises InvalidInput, Refusal."""
    served: PlaceList = yield from require(Places(kind=words.kind))
    if served.on_sale_from is None or served.on_sale_until is None:
        raise InvalidInput(f"There is no {words.service} on sale.")
    return Sale(context, words, served.places, served.on_sale_from, served.on_sale_until)


def choose_venue(sale: Sale) -> Steps[Place]:
    """The theatre or the hotel; asks if there are several."""
    venues = [place for place in sale.places if place.part_of is None]
    if len(venues) == 1:
        return venues[0]
    venue: Place = yield ask_place(f"{sale.words.source}:", "origin", venues)
    return venue


def choose_from_list(prompt: str, options: Mapping[int, str], noun: str, field: str) -> Steps[int]:
    """Show a line for each number, and ask for one of them."""
    for number, about in options.items():
        yield Tell(f"  {number}  {about}")
    chosen: int = yield answers.ask_number(prompt, options, noun, field, "The number at the start of a line.")
    return chosen


def choose_trip(sale: Sale, draft: BookingDraft, ask_day: Ask) -> Steps[Trip]:
    """One of the trips found. While there is none, asks for another date or destination. Raises Refusal.

    In an extended dialogue, a type is an answer too: it filters the trips.
    """
    words = sale.words
    chosen: int | Filter | Trip | None = None
    while not isinstance(chosen, int | Trip):
        trips = yield from _find_trips(sale, draft, ask_day)
        yield Show(TripList(trips=trips))
        chosen = yield _ask_trip(sale, draft, trips, (yield from _hidden(sale, draft, trips)))
        if isinstance(chosen, Filter):
            draft.wanted = chosen
    if isinstance(chosen, Trip):
        return chosen
    # A search for a place that contains others, such as Goa, may find one service several times.
    segments = dict(enumerate((trip for trip in trips if trip.bus_id == chosen), 1))
    if len(segments) == 1:
        return segments[1]
    described = {
        n: f"{trip.origin} {clock(trip.departs_at)} to {trip.destination} "
        f"{arrival(trip.arrives_at, trip.departs_at)}, {money(trip.fare, trip.currency)}"
        for n, trip in segments.items()
    }
    for number, about in described.items():
        yield Tell(f"  {number}  {about}")
    stop: Trip = yield Ask(
        f"Which stops of this {words.service}? (1 to {len(described)}, or a name)",
        _segment_by_number_or_name(segments, sale.places), "segment", "The number, or a stop of its line.",
        tuple(Choice(str(number), about) for number, about in described.items()),
    )  # fmt: skip
    return stop


def _by_number_or_stop(
    parse_number: Callable[[str], int], trips: list[Trip], places: list[Place], service: str
) -> Callable[[str], int | Trip]:
    """A parser of a number, or of the only trip that a number and a stop, or a stop alone, may mean.

    Examples: 501, "501 panaji", panaji.
    """

    def parse(typed: str) -> int | Trip:
        try:
            return parse_number(typed)
        except InvalidInput:
            first, _, rest = answers.without_noun(typed, service).partition(" ")
            numbered = [trip for trip in trips if str(trip.bus_id) == first]
            stop = (
                _segment_named(numbered, places, rest) if numbered else _segment_named(trips, places, typed)
            )
            if stop is None:
                raise
            return stop

    return parse


def _segment_named(segments: Collection[Trip], places: list[Place], typed: str) -> Trip | None:
    """The only segment that has the stops named; None if there is none or several."""
    ends = {trip.origin for trip in segments}, {trip.destination for trip in segments}
    found = parse_journey(typed, [place for place in places if place.name in ends[0] | ends[1]])
    named = {place.name for place in (found.origin, found.destination) if place}
    meant = [trip for trip in segments if named and named <= {trip.origin, trip.destination}]
    return meant[0] if len(meant) == 1 and not (found.problems or found.unknown) else None


def _segment_by_number_or_name(segments: Mapping[int, Trip], places: list[Place]) -> Callable[[str], Trip]:
    """A parser of one of the segments of a trip, by its number, or by the stops in which it differs."""
    by_number = answers.number_of(segments, "number")

    def parse(typed: str) -> Trip:
        try:
            return segments[by_number(typed)]
        except InvalidInput:
            if named := _segment_named(segments.values(), places, typed):
                return named
            raise

    return parse


def _find_trips(sale: Sale, draft: BookingDraft, ask_day: Ask) -> Steps[list[Trip]]:
    """The trips of a draft, or alternatives. Asks for another date or destination. Raises Refusal."""
    while True:
        search = Search(
            origin=draft.origin.code, destination=draft.destination.code, date=draft.day,
            kind=sale.words.kind, bus_type=draft.wanted.bus_type, ac=draft.wanted.ac,
        )  # fmt: skip
        found = yield Call(search)
        if isinstance(found, Refusal) and found.data.get("field") != "date":
            raise found
        trips: list[Trip] = [] if isinstance(found, Refusal) else _possible(draft, found.trips)
        trips = trips or (yield from _find_alternatives(sale, draft, search))
        if trips:
            return trips
        if isinstance(found, Refusal):  # other origins have trips on this date
            yield Tell(found.message, problem=True)
            draft.day = yield ask_day
            continue
        reached = yield from sale.reached_from(draft.origin)
        prompt, default = "Another destination:", ""
        if draft.exchanged:
            default = draft.exchanged.destination
            prompt = f"Another destination (Enter: {default}, as now):"
        draft.destination = yield sale.ask_destination(prompt, draft.origin, reached, default)


def _hidden(sale: Sale, draft: BookingDraft, shown: list[Trip]) -> Steps[set[int]]:
    """The services on the date of the trips shown that the traveller's filter hides."""
    if not sale.context.extended or draft.wanted == ANY:
        return set()
    every = yield from _trips(
        draft,
        Search(
            origin=draft.origin.code, destination=draft.destination.code, date=shown[0].boarding_date,
            kind=sale.words.kind,
        )
    )  # fmt: skip
    return {trip.bus_id for trip in every} - {trip.bus_id for trip in shown}


def _ask_trip(sale: Sale, draft: BookingDraft, trips: list[Trip], hidden: Collection[int]) -> Ask:
    """The question for a trip. hidden: the services that the filter hides.

    In an extended dialogue, and for an exchange, Enter answers the service of the booking that is exchanged,
    or else the first one with free seats.
    """
    words, wanted = sale.words, draft.wanted
    options = {
        trip.bus_id: f"{clock(trip.departs_at)} {service_of(trip)}, {money(trip.fare, trip.currency)}"
        f"{'' if trip.seats_free else ', full'}"
        for trip in reversed(trips)  # of a service that is found several times, the first one counts
    }
    service, hint = words.service.capitalize(), "The number in the first column."
    options = {trip.bus_id: options[trip.bus_id] for trip in trips}
    ask = answers.ask_number(f"{service} id:", options, words.service, "bus_id", hint)
    parse_trip = _by_number_or_stop(ask.parse, trips, sale.places, words.service)
    if not (sale.context.extended or draft.exchanged):
        return replace(ask, parse=parse_trip)
    own = [trip for trip in trips if draft.exchanged and trip.bus_id == draft.exchanged.bus_id]
    first = next((trip for trip in [*own, *trips] if trip.seats_free or trip in own), None)
    default = None if first is None else first.bus_id
    full = "all are full"
    if not draft.exchanged:
        full = f"{full}: type a number of the list, such as {trips[0].bus_id}, to join its waitlist"
    notes = [full if default is None else f"Enter: {default}"]
    if len(options) < len(trips):
        notes.append("the stop is asked next")
    if words.types:
        every = "" if wanted == ANY else "all, or "
        notes.append(f"or {every}a filter such as ac, non-ac, sleeper")
        hint += " A filter such as ac, non-ac, sleeper or ac seater shows those only; all or any shows all."

    def parse(typed: str) -> int | Filter | Trip:
        if not typed and default is not None:
            return default
        if chosen := find_filter(typed) if words.types else None:
            return chosen
        number = answers.without_noun(typed, words.service)
        if number in map(str, hidden):
            kind = type_words(wanted.bus_type, wanted.ac, words.service)
            raise InvalidInput(f"{number} is not a {kind}: type all to see every {words.service}.")
        return parse_trip(typed)

    enter = f"{service} {first.bus_id}, {clock(first.departs_at)} {service_of(first)}." if first else ""
    return replace(ask, prompt=f"{service} ({'; '.join(notes)}):", parse=parse, hint=hint, enter=enter)


def read_seat_map(trip: Trip | Booking, to_stop: int | None = None) -> Steps[Seats]:
    """The current seat map of a trip's segment. Raises Refusal if the trip is no longer on sale.

    to_stop: the end of a ticket that ends before its booking.
    """
    seat_map: Seats = yield from require(
        SeatMap(
            bus_id=trip.bus_id, travel_date=trip.travel_date,
            from_stop=trip.from_stop, to_stop=to_stop or trip.to_stop,
        )
    )  # fmt: skip
    return seat_map


def _find_alternatives(sale: Sale, draft: BookingDraft, search: Search) -> Steps[list[Trip]]:
    """Other types on the date; else the same type on the nearest date; else any type on the nearest date."""
    in_words = type_words if sale.context.extended else type_code
    wanted_service = in_words(draft.wanted.bus_type, draft.wanted.ac, sale.words.service)
    operator = f" of {draft.exchanged.operator}" if draft.exchanged else ""
    none = f"No {wanted_service}{operator} runs {draft.route} on {day_of(draft.day)}."
    any_type = msgspec.structs.replace(search, bus_type=None, ac=None)
    if any_type != search and (trips := (yield from _trips(draft, any_type))):
        yield Tell(f"{none} Available on that date:")
        return trips
    days = [day for n in _NEARBY_DAYS if (day := draft.day + timedelta(days=n)) >= sale.first]
    for wanted in dict.fromkeys((search, any_type)):
        for day in days:
            if trips := (yield from _trips(draft, msgspec.structs.replace(wanted, date=day))):
                other = "" if wanted == search else f" of any other {sale.words.service}"
                yield Tell(f"{none} The nearest date{other} is {day_of(day)}:")
                return trips
    yield Tell(f"No {sale.words.service}{operator} runs {draft.route} near that date.", problem=True)
    return []


def _trips(draft: BookingDraft, search: Search) -> Steps[list[Trip]]:
    found = yield Call(search)
    return _possible(draft, found.trips) if isinstance(found, TripList) else []


def _possible(draft: BookingDraft, trips: list[Trip]) -> list[Trip]:
    """For an exchange, the trips of the booking's operator; otherwise all of them."""
    exchanged = draft.exchanged
    return [trip for trip in trips if exchanged is None or trip.operator == exchanged.operator]
