"""Every table and drawing fits its screen, with the services of all timetables, and nothing is cut off."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from rich.console import Console, RenderableType
from rich.text import Text

from busware import render, screen, seatmap
from busware.server.conversation.commands import help_text
from busware.server.conversation.words import service_of, type_code, type_text, venue_of
from busware.server.protocol import (
    Booking,
    BookingList,
    OperatedTrip,
    OperatedTrips,
    PlaceList,
    Seats,
    Ticket,
    Trip,
    TripList,
)
from busware.server.protocol.operator_replies import ManifestPassenger, ManifestStop, TripManifest
from busware.server.tcp import plain_replies
from tests.conftest import Database
from tests.sql.test_seeds import seeded  # noqa: F401 - a fixture

LONG_NAME = "Srinivasa Ramanujan Iyengar of Kumbakonam, Tamil Nadu, and his large family, too"
FARE = "123456.00"
COLUMNS = [60, 80, 200]


@pytest.fixture(scope="module")
def found(seeded: Database) -> list[TripList]:  # noqa: F811
    """For each service, the trips of a day from its first stop to its last, and to its second."""
    answers = seeded.query(
        """
        SELECT api.search(a.place, b.place, t.day) FROM route_table a
        JOIN route_table b USING (bus_id)
        JOIN bus_info s USING (bus_id)
        JOIN LATERAL (SELECT max(travel_date) + CASE s.kind WHEN 'hotel' THEN 7 ELSE 0 END AS day
            FROM trips WHERE bus_id = a.bus_id) t ON true
        WHERE a.stop_no = 1
            AND b.stop_no IN (2, (SELECT max(stop_no) FROM route_table WHERE bus_id = a.bus_id))
        """
    )
    lists = [msgspec.convert(answer, TripList) for answer in answers if answer.get("trips")]
    return [
        TripList(trips=[msgspec.structs.replace(trip, fare=FARE, seats_free=120) for trip in one.trips])
        for one in lists
    ]


@pytest.fixture(scope="module")
def trips(found: list[TripList]) -> list[Trip]:
    """A trip of each service that was found."""
    return list({trip.bus_id: trip for one in found for trip in one.trips}.values())


@pytest.fixture(scope="module")
def bookings(trips: list[Trip]) -> list[Booking]:
    return [booking_of(trip) for trip in trips]


def booking_of(trip: Trip) -> Booking:
    """A booking of six passengers with long names, of whom one has cancelled."""
    tickets = [
        Ticket(
            ticket_no=n, seat_no=n, name=LONG_NAME, status="booked" if n > 1 else "cancelled",
            fare=FARE, refund="0.00" if n > 1 else FARE,
        )
        for n in range(1, 7)
    ]  # fmt: skip
    return Booking(
        **shared_fields(trip, Booking), reference="ZZZZZZZZZZ", status="booked", refund=FARE, tickets=tickets
    )


def shared_fields(trip: Trip, other: type[msgspec.Struct]) -> dict[str, Any]:
    """The fields of a trip that another struct has too."""
    names = set(trip.__struct_fields__).intersection(other.__struct_fields__)
    return {name: getattr(trip, name) for name in names}


def lines_of(shown: RenderableType, columns: int) -> list[str]:
    """What a terminal displays; asserts that it is not wider than the terminal."""
    console = Console(width=columns, force_terminal=True, highlight=False)
    with console.capture() as captured:
        console.print(shown)
    lines = [line.rstrip() for line in Text.from_ansi(captured.get()).plain.splitlines()]
    assert max(map(len, lines)) <= columns
    return lines


def squeezed(text: Any) -> str:
    """A text without its blanks, line ends and frames, which differ with the width."""
    return "".join(str(text).replace("│", "").split())


def assert_complete(lines: list[str], *texts: object) -> None:
    shown = squeezed("".join(lines))
    assert [text for text in texts if squeezed(text) not in shown] == []


def test_services_of_all_kinds_are_found(trips: list[Trip]) -> None:
    assert {trip.kind for trip in trips} == {"bus", "flight", "show", "hotel"}
    assert len(trips) > 70


def places_of(trip: Booking | OperatedTrip) -> tuple[str, ...]:
    """The place of a theatre or hotel, else both ends of the journey."""
    venue = venue_of(trip)
    return (venue,) if venue else (trip.origin, trip.destination)


@pytest.mark.parametrize("columns", COLUMNS)
def test_tables_of_trips(found: list[TripList], columns: int) -> None:
    for one in found:
        on_terminal = lines_of(screen.trips(one, columns), columns)
        printed = lines_of(render.reply(one, columns), columns)
        for trip in one.trips:
            cells = (trip.bus_id, service_of(trip), type_text(trip), "123,456.00", 120)
            assert_complete(on_terminal, *cells)
            assert_complete(printed, *cells, trip.boarding_date)
        if columns == 200:
            assert len(on_terminal) == len(one.trips) + 2
            assert len(printed) == len(one.trips) + 1


@pytest.mark.parametrize("columns", COLUMNS)
def test_bookings(bookings: list[Booking], columns: int) -> None:
    for booking in bookings:
        lines_of(screen.reply(booking, Console(width=columns, force_terminal=True)), columns)
        frame = lines_of(screen.ticket.draw(booking, columns, with_code=False), columns)
        printed = lines_of(render.reply(booking, columns), columns)
        for lines in (frame, printed):
            assert_complete(lines, booking.reference, service_of(booking), *places_of(booking))
            assert squeezed("".join(lines)).count(squeezed(LONG_NAME.split()[-1])) == 6
    listed = lines_of(render.reply(BookingList(bookings=bookings), columns), columns)
    for booking in bookings:
        assert_complete(listed, service_of(booking), *places_of(booking))
    if columns == 200:
        assert len(listed) == len(bookings) + 1


@pytest.mark.parametrize("columns", COLUMNS)
def test_tables_of_an_operator(trips: list[Trip], columns: int) -> None:
    operated = [
        OperatedTrip(
            **shared_fields(trip, OperatedTrip), state="cancelled", seats=100, booked=100,
            held=100, pending=100, load=100, why="Landslide",
        )
        for trip in trips
    ]  # fmt: skip
    listed = lines_of(render.reply(OperatedTrips(trips=operated), columns), columns)
    rider = ManifestPassenger(
        reference="ZZZZZZZZZZ", ticket_no=12, seat_no=12, name=LONG_NAME, phone="+919845012345"
    )
    for trip in operated:
        assert_complete(listed, f"{trip.name}, {' – '.join(places_of(trip))}")
        stop = ManifestStop(
            stop_no=1, place=trip.origin, arrives_at=None, departs_at=trip.departs_at, boards=[rider],
            alights=[rider], comes_free=list(range(1, 55)),
        )  # fmt: skip
        manifest = TripManifest(**msgspec.structs.asdict(trip), stops=[stop])
        assert_complete(lines_of(render.reply(manifest, columns), columns), LONG_NAME, "51, 52, 53, 54")


@pytest.mark.parametrize("columns", COLUMNS)
def test_table_of_places(seeded: Database, columns: int) -> None:  # noqa: F811
    places = msgspec.convert(seeded.value("SELECT api.places()"), PlaceList)
    lines = lines_of(render.reply(places, columns), columns)
    for place in places.places:
        assert_complete(lines, place.code, place.name, ", ".join(place.aliases), ", ".join(place.kinds))


def test_seat_maps(seeded: Database, trips: list[Trip]) -> None:  # noqa: F811
    for trip in trips:
        answer = seeded.value(
            "SELECT api.seat_map(%s, %s, from_stop => %s, to_stop => %s)",
            trip.bus_id, trip.travel_date, trip.from_stop, trip.to_stop,
        )  # fmt: skip
        seats = msgspec.convert(answer, Seats)
        for columns in (30, *COLUMNS):
            lines = lines_of(seatmap.as_text(seatmap.draw(seats, {1}, columns)), columns)
            assert_complete(lines, *(seat.seat_no for seat in seats.seats))
        plain = plain_replies.seat_map(seats)
        assert max(map(len, plain.splitlines())) <= plain_replies.WIDTH
        assert_complete(plain.splitlines(), *(seat.seat_no for seat in seats.seats))


def test_plain_text(found: list[TripList], bookings: list[Booking]) -> None:
    for one in found:
        lines = plain_replies.trips(one).splitlines()
        assert max(map(len, lines)) <= plain_replies.WIDTH
        for trip in one.trips:
            assert_complete(lines, service_of(trip), type_code(trip.bus_type, trip.ac), "123,456.00")
    for booking in bookings:
        lines = plain_replies.booking(booking, datetime.now(UTC)).splitlines()
        assert max(map(len, lines)) <= plain_replies.WIDTH
        assert_complete(lines, booking.reference, service_of(booking), LONG_NAME, "refunded 123,456.00")
    assert max(map(len, help_text().splitlines())) <= plain_replies.WIDTH
