"""The words of the pages for each kind of service, as texts of the catalogue."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from busware.server.languages import Language


def N_(text: str) -> str:
    """Mark a text for the catalogue. It is translated where it is shown."""
    return text


class Counted(NamedTuple):
    """The text of a number of things: for one, and for several."""

    one: str
    several: str


def NN_(one: str, several: str) -> Counted:
    """Mark the text of a number of things for the catalogue. It is translated where it is shown."""
    return Counted(one, several)


_SEATS = NN_("%(count)s seat", "%(count)s seats")
_TRIPS = NN_("%(count)s trip", "%(count)s trips")
_NUMBERED = NN_("Seat %(numbers)s", "Seats %(numbers)s")


@dataclass(frozen=True)
class Kind:
    """The words of one kind of service.

    title: of the choice between the kinds. origin, destination, date, until: labels of the search; a kind
    without a destination is at one place, and one without `until` needs no second date. departs, arrives:
    what the times mean. seats, trips: the texts of their numbers. numbered: the text of chosen seats. none:
    no trip is found. full: no seat is free. each: what a fare is for. all_of_day: the link to all trips
    of the search. to_pay: the amount that is not paid before. front: what the seats face, where no driver is
    drawn. has_windows: whether the seats at the sides are beside windows.
    """

    name: str
    title: str
    question: str
    search: str
    origin: str
    destination: str | None
    date: str
    until: str | None
    how_many: str
    departs: str
    arrives: str
    seat: str
    passenger: str
    choose: str = N_("Choose seats")
    none: str = N_("No trips")
    full: str = N_("All seats are taken.")
    each: str = N_("per seat")
    all_of_day: str = N_("All trips of the day")
    to_pay: str = N_("To pay on arrival: %(amount)s")
    seats: Counted = _SEATS
    numbered: Counted = _NUMBERED
    trips: Counted = _TRIPS
    needs_phone: bool = False
    front: str | None = None
    has_windows: bool = False

    def count(self, language: Language, number: int) -> str:
        """A number of seats as a text."""
        return _counted(self.seats, language, number)

    def listed(self, language: Language, numbers: Iterable[int]) -> str:
        """Seats by their numbers as a text."""
        texts = [str(number) for number in numbers]
        text = language.ngettext(self.numbered.one, self.numbered.several, len(texts))
        return text % {"numbers": ", ".join(texts)}

    def found(self, language: Language, number: int) -> str:
        """A number of trips as a text."""
        return _counted(self.trips, language, number)


def _counted(text: Counted, language: Language, number: int) -> str:
    return language.ngettext(text.one, text.several, number) % {"count": language.number(number)}


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name="bus",
            title=N_("Buses"),
            question=N_("Where do you want to go?"),
            search=N_("Find buses"),
            origin=N_("From"),
            destination=N_("To"),
            date=N_("Date"),
            until=None,
            how_many=N_("Seats"),
            departs=N_("Leaves"),
            arrives=N_("Arrives"),
            seat=N_("Seat"),
            passenger=N_("Passenger"),
            to_pay=N_("To pay on board: %(amount)s"),
            needs_phone=True,
            has_windows=True,
        ),
        Kind(
            name="flight",
            title=N_("Flights"),
            question=N_("Where do you want to fly?"),
            search=N_("Find flights"),
            origin=N_("From"),
            destination=N_("To"),
            date=N_("Date"),
            until=None,
            how_many=N_("Seats"),
            departs=N_("Departs"),
            arrives=N_("Arrives"),
            seat=N_("Seat"),
            passenger=N_("Passenger"),
            none=N_("No flights"),
            all_of_day=N_("All flights of the day"),
            trips=NN_("%(count)s flight", "%(count)s flights"),
            front=N_("Front"),
            has_windows=True,
        ),
        Kind(
            name="show",
            title=N_("Shows"),
            question=N_("Which day do you want to go out?"),
            search=N_("Find shows"),
            origin=N_("Theatre"),
            destination=None,
            date=N_("Date"),
            until=None,
            how_many=N_("Seats"),
            departs=N_("Begins"),
            arrives=N_("Ends"),
            seat=N_("Seat"),
            passenger=N_("Guest"),
            none=N_("No shows"),
            all_of_day=N_("All shows of the day"),
            trips=NN_("%(count)s show", "%(count)s shows"),
            front=N_("Stage"),
        ),
        Kind(
            name="hotel",
            title=N_("Hotels"),
            question=N_("When do you want to stay?"),
            search=N_("Find rooms"),
            origin=N_("Hotel"),
            destination=None,
            date=N_("Check-in"),
            until=N_("Check-out"),
            how_many=N_("Rooms"),
            departs=N_("Check-in"),
            arrives=N_("Check-out"),
            seat=N_("Room"),
            passenger=N_("Guest"),
            choose=N_("Choose rooms"),
            none=N_("No hotels"),
            full=N_("All rooms are taken."),
            each=N_("per room, all nights"),
            all_of_day=N_("All hotels"),
            seats=NN_("%(count)s room", "%(count)s rooms"),
            numbered=NN_("Room %(numbers)s", "Rooms %(numbers)s"),
            trips=NN_("%(count)s hotel", "%(count)s hotels"),
        ),
    )
}
FIRST = next(iter(KINDS))

BUS_TYPES = {
    "SLEEPER": N_("Sleeper"),
    "SEMI_SLEEPER": N_("Semi-sleeper"),
    "SEATER": N_("Seater"),
}


def kind_of(name: str) -> Kind:
    """The words of a kind; those of the first kind for one that is newer than this server."""
    return KINDS.get(name) or KINDS[FIRST]
