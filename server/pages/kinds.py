"""The words of the pages for each kind of service, as texts of the catalogue."""

from collections.abc import Callable
from dataclasses import dataclass

from busware.server.languages import Language


def N_(text: str) -> str:
    """Mark a text for the catalogue. It is translated where it is shown."""
    return text


def _seats(language: Language, count: int) -> str:
    text = language.ngettext("%(count)s seat", "%(count)s seats", count)
    return text % {"count": language.number(count)}


def _rooms(language: Language, count: int) -> str:
    text = language.ngettext("%(count)s room", "%(count)s rooms", count)
    return text % {"count": language.number(count)}


def _trips(language: Language, count: int) -> str:
    text = language.ngettext("%(count)s trip", "%(count)s trips", count)
    return text % {"count": language.number(count)}


def _shows(language: Language, count: int) -> str:
    text = language.ngettext("%(count)s show", "%(count)s shows", count)
    return text % {"count": language.number(count)}


def _hotels(language: Language, count: int) -> str:
    text = language.ngettext("%(count)s hotel", "%(count)s hotels", count)
    return text % {"count": language.number(count)}


@dataclass(frozen=True)
class Kind:
    """The words of one kind of service.

    title: of the choice between the kinds. origin, destination, date, until: labels of the search; a kind
    without a destination is at one place, and one without `until` needs no second date. departs, arrives:
    what the times mean. count, found: a number of seats, of trips. front: what the seats face, where no
    driver is drawn. has_windows: whether the seats at the sides are beside windows.
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
    count: Callable[[Language, int], str] = _seats
    found: Callable[[Language, int], str] = _trips
    needs_phone: bool = False
    front: str | None = None
    has_windows: bool = False


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
            front=N_("Front"),
            has_windows=True,
        ),
        Kind(
            name="show",
            title=N_("Shows"),
            question=N_("Which evening do you want to go out?"),
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
            found=_shows,
            front=N_("Stage"),
        ),
        Kind(
            name="hotel",
            title=N_("Hotel"),
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
            count=_rooms,
            found=_hotels,
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
