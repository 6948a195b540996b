"""Functions of schema `api` that are called in psql: writes by name, cancelled trips, operators' reads."""

import pytest

from tests.conftest import Clock, Database
from tests.support.project import PROJECT
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, SchemaApi, audit

KEY = "6d1d1a7e-0000-4000-8000-000000000001"


# Writes ----------------------------------------------------------------------------------------


def test_release_by_name(api: SchemaApi, database: Database) -> None:
    held = api.hold(1)
    released = database.value("SELECT api.release(%s, phone => %s)", held["reference"], ASHA)
    assert (released["status"], api.free()[0]) == ("cancelled", 1)


@pytest.mark.parametrize("at", ['"Mandya"', "3"])
def test_alight_by_name(api: SchemaApi, database: Database, at: str) -> None:
    party = api.book(1, 2)
    alighted = database.value(
        "SELECT api.alight(%s, %s, phone => %s, tickets => '{2}')", party["reference"], at, ASHA
    )
    assert alighted["status"] == "booked"
    assert api.seats("taken", 3, 5) == [1]
    assert api.seats("taken", 1, 3) == [1, 2]


def test_cancel_trip_by_name_settles_the_trip_first(api: SchemaApi, database: Database, clock: Clock) -> None:
    held = api.hold(1)
    clock.advance(minutes=11)
    assert database.value("SELECT (api.cancel_trip(1, %s)).reply ->> 'tickets'", DAY) == "0"
    assert api.show(held)["status"] == "expired"
    assert database.query("SELECT status FROM passengers") == ["expired"]
    again = "SELECT (api.cancel_trip(1, %s)).refusal ->> 'message'"
    assert database.value(again, DAY) == "The trip is already cancelled."


def test_cancel_trip_cancels_holds_after_their_arrival(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    """If a stop sells for longer than the journey takes, a hold can outlast the journey."""
    database.query("UPDATE bus_info SET sells_until = '16 hours' WHERE bus_id = 1")
    clock.set(f"{DAY} 10:45+05:30")
    booked, held = api.book(1, from_stop=1, to_stop=2), api.hold(2, from_stop=1, to_stop=2)
    clock.set(f"{DAY} 10:52+05:30")  # both have arrived
    database.query("SELECT api.cancel_trip(1, %s, 'Landslide.')", DAY)
    assert audit(api.conn) == []
    assert (api.show(held)["status"], api.show(held)["why"]) == ("cancelled", "Landslide.")
    assert api.show(booked)["status"] == "booked"
    assert "why" not in api.show(booked)


def test_reason_is_shown_where_the_cancellation_of_the_trip_ended_a_ticket(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    own, part, whole = api.book(1), api.book(2, 3), api.book(4)
    assert "why" not in api.cancel(own)
    api.cancel(part, 1)
    clock.advance(minutes=1)
    database.query("SELECT api.cancel_trip(1, %s, 'Landslide.')", DAY)
    assert [api.show(b)["refund"] for b in (own, part, whole)] == ["130.00", "390.00", "260.00"]
    assert [api.show(b).get("why") for b in (own, part, whole)] == [None, "Landslide.", "Landslide."]
    database.query("UPDATE trips SET cancelled_at = NULL")  # as after an upgrade
    assert [api.show(b).get("why") for b in (own, whole)] == ["Landslide."] * 2


def test_ticket_cancelled_before_its_service_ended_does_not_get_that_reason(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    own = api.book(1)
    api.cancel(own)
    clock.advance(minutes=1)
    database.query("SELECT api.end_service(1, %s::date - 1)", DAY)
    assert database.value("SELECT state FROM trips WHERE bus_id = 1 AND travel_date = %s", DAY) == "cancelled"
    assert "why" not in api.show(own)


# Messages and changed bookings ----------------------------------------------------------------


def test_message_with_a_repeated_key_is_stored_once(database: Database) -> None:
    database.query("SELECT api.notice('Before.')")
    notice = f"SELECT api.notice('Once.', key => '{KEY}')"
    first = database.value(notice)
    database.query("SELECT api.notice('Between.')")
    assert database.value(notice) == first
    assert database.value("SELECT message_id FROM messages WHERE key = %s", KEY) == first["message_id"]


def test_notice_says_how_many_it_reaches(api: SchemaApi, database: Database, clock: Clock) -> None:
    """Service 1 reaches Mandya, its stop 3, at 11:45."""

    def reached(recipient: str) -> tuple[int, int]:
        answer = database.value(f"SELECT api.notice('The bus is late.', {recipient})")
        return answer["bookings"], answer["tickets"]

    trip = f"bus_id => 1, travel_date => '{DAY}'"
    assert reached(trip) == (0, 0)
    party, short = api.book(1, 2, 3), api.book(4, origin="Bengaluru", destination="Mandya")
    api.cancel(party, 3)
    api.hold(5)
    api.cancel(api.hold(6))
    api.book(7, travel_date=OTHER_DAY)
    pending = api.book(count=5, waitlist=True)
    assert reached(trip) == (4, 9)
    assert reached(f"reference => '{party['reference']}'") == (1, 2)
    assert reached(f"reference => '{pending['reference']}'") == (1, 5)
    clock.advance(minutes=11)  # the hold has expired
    assert reached(trip) == (3, 8)
    clock.set("2026-12-05 11:46+05:30")
    assert reached(trip) == (1, 2)
    assert reached(f"reference => '{short['reference']}'") == (0, 0)
    assert "bookings" not in database.value("SELECT api.notice('Good morning.')")


@pytest.mark.parametrize("cancelled", [1, 3])
def test_party_with_a_cancelled_ticket_gets_the_notices_of_its_trip(
    api: SchemaApi, database: Database, cancelled: int
) -> None:
    party, other = api.book(1, 2, 3), api.book(4)
    api.cancel(party, cancelled)
    api.cancel(other)
    database.query("SELECT api.notice('The bus is late.', bus_id => 1, travel_date => %s)", DAY)
    missed = "SELECT jsonb_path_query_array(api.missed_messages(ARRAY[%s, %s]), '$[*].reader')"
    assert database.value(missed, party["reference"], other["reference"]) == [party["reference"]]


def test_account_gets_the_missed_messages_of_its_bookings(api: SchemaApi, database: Database) -> None:
    database.query(
        "INSERT INTO accounts (username, password_hash, created_at) VALUES ('asha', 'none', api.now())"
    )
    api.book(1, account="asha")
    database.query("SELECT api.notice('The bus is late.', bus_id => 1, travel_date => %s)", DAY)
    missed = "SELECT jsonb_path_query_array(api.missed_messages(%s), '$[*].reader')"
    assert database.value(missed, ["account:asha", "account:ravi", "asha"]) == ["account:asha"]


def test_to_stop_of_a_booking_ignores_cancelled_tickets(api: SchemaApi) -> None:
    party = api.book(1, 2)
    assert api.cancel(party, 2)["to_stop"] == 5
    assert api.change("alight", party, at="Mandya")["to_stop"] == 3
    assert api.show(party)["to_stop"] == 3


# Reads of operators --------------------------------------------------------------------------


def test_cancelled_trip_is_not_in_use(api: SchemaApi, database: Database) -> None:
    others = "SELECT (api.trips_in_use(%s) ->> 'others')::int"
    assert [database.value(others, day) for day in (DAY, OTHER_DAY)] == [2, 2]
    api.book(1)
    database.query("SELECT api.cancel_trip(2, %s)", OTHER_DAY)
    assert [database.value(others, day) for day in (DAY, OTHER_DAY)] == [1, 1]


def test_trip_that_is_under_way_is_in_use(database: Database) -> None:
    others = "SELECT (api.trips_in_use(%s) ->> 'others')::int"
    before = database.value(others, DAY)
    database.query((PROJECT / "sql/99_seed_hotel.sql").read_text())
    began = database.value("SELECT travel_date::text FROM trips WHERE bus_id = 901")
    assert str(began) < str(DAY)
    assert database.value(others, DAY) == before + 1
