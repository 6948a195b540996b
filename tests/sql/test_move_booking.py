"""api.move_booking moves a booking to another trip, and other functions find it there."""

from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, Answer, SchemaApi

HILLS = {"bus_id": 3, "travel_date": "2026-12-03"}
ROW = "bus_id, ticket_no, travel_date::text, seat_no, segment::text, fare, refund, status"


@pytest.fixture(autouse=True)
def hills(database: Database) -> None:
    """A service of the same operator with two seats, from Mysuru to Ooty."""
    database.query("""
        SELECT api.add_service(
            bus_id => 3, name => 'Hill Car', operator => 'KSRTC', layout => 'ss', stops => $$
            Mysuru | -     | 07:00 |   0 |   0
            Ooty   | 11:00 | -     | 125 | 700
        $$)
    """)


def move(
    database: Database, booking: Answer, bus_id: int, travel_date: str, segment: str, seats: list[int],
    fare: str = "260.00", kept: str = "0",
) -> None:  # fmt: skip
    """Move the booked tickets of a booking in one transaction. fare, kept: of each ticket."""
    tickets = [ticket["ticket_no"] for ticket in booking["tickets"] if ticket["status"] == "booked"]
    b = "api.open_booking(%s, %s) AS b"
    opened = booking["reference"], ASHA
    with database.conn.transaction():
        database.query("SELECT api.lock_trip(%s, %s)", booking["bus_id"], booking["travel_date"])
        database.query("SELECT api.lock_trip(%s, %s)", bus_id, travel_date)
        database.query(f"SELECT api.set_aside(b, %s) FROM {b}", tickets, *opened)
        database.query(
            "SELECT api.move_booking(b, %s, %s, %s, %s, %s, "
            "array_fill(ROW(%s, NULL, '{}')::api.ticket_price, ARRAY[%s]), "
            f"array_fill(%s::numeric, ARRAY[%s])) FROM {b}",
            tickets, bus_id, travel_date, segment, seats, fare, len(tickets), kept, len(tickets), *opened,
        )  # fmt: skip
        database.query("SELECT api.promote(%s, %s)", booking["bus_id"], booking["travel_date"])


def rows(database: Database) -> list[Any]:
    return database.query(f"SELECT {ROW} FROM passengers ORDER BY created_at, ticket_no")


def payments(database: Database) -> list[Any]:
    return database.query("SELECT bus_id, kind, amount FROM payments ORDER BY ticket_no, payment_no")


def test_booking_moves_to_another_service_and_back(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, passengers=[{"name": "Asha"}])
    api.change("transfer", booking, ticket_no=1, name="Uma")
    move(database, booking, 3, HILLS["travel_date"], "[1,2)", [1], "700.00", "25.00")
    assert rows(database) == [(3, 1, HILLS["travel_date"], 1, "[1,2)", Decimal(700), 0, "booked")]
    assert payments(database) == [(3, "charge", Decimal(260)), (3, "charge", Decimal(465))]
    moved = api.show(booking)
    assert (moved["reference"], moved["bus_id"], moved["destination"]) == (booking["reference"], 3, "Ooty")
    assert api.seats("taken") == []
    assert database.query("TABLE moved_bookings") == [(1, booking["reference"], 3)]

    move(database, moved, 1, OTHER_DAY, "[1,3)", [8], "180.00", "0")
    assert database.query("TABLE moved_bookings") == []
    assert api.show(booking)["travel_date"] == OTHER_DAY
    assert payments(database)[2:] == [(1, "refund", Decimal(520))]
    assert api.cancel(booking)["refund"] == "90.00"


def test_ended_tickets_move_along(api: SchemaApi, database: Database) -> None:
    booking = api.cancel(api.book(1, 2, 3), 2)
    move(database, booking, 1, OTHER_DAY, "[2,4)", [4, 5], "140.00")
    assert [row[2:] for row in rows(database)] == [
        (OTHER_DAY, 4, "[2,4)", Decimal(140), 0, "booked"),
        (OTHER_DAY, None, "[2,4)", Decimal(260), Decimal(130), "cancelled"),
        (OTHER_DAY, 5, "[2,4)", Decimal(140), 0, "booked"),
    ]
    assert database.query("SELECT amount FROM exchanges ORDER BY ticket_no") == [-120, None, -120]
    assert api.cancel(booking)["refund"] == "270.00"


def test_refund_before_the_move_is_not_refunded_again(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 50")
    booking = api.book(1)
    api.change("alight", booking, at=3)
    move(database, booking, 1, OTHER_DAY, "[1,5)", [1])
    assert [row[1:] for row in payments(database)] == [
        ("charge", Decimal(260)), ("refund", Decimal(40)), ("charge", Decimal(40))
    ]  # fmt: skip
    assert api.cancel(booking)["refund"] == "130.00"


def test_tickets_of_a_booking_swap_seats(api: SchemaApi, database: Database) -> None:
    """Each ticket gets a seat that another ticket of the booking has."""
    booking = api.book(1, 2)
    move(database, booking, 1, DAY, "[1,5)", [2, 1])
    assert [row[3] for row in rows(database)] == [2, 1]
    assert api.seats("taken") == [1, 2]


def test_writes_find_a_booking_that_has_moved(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, passengers=[{"name": "Asha"}])
    move(database, booking, 3, HILLS["travel_date"], "[1,2)", [1])
    renamed = api.change("transfer", booking, key="k", ticket_no=1, name="Uma")
    assert renamed["tickets"][0]["name"] == "Uma"
    assert api.change("transfer", booking, key="k", ticket_no=1, name="Uma") == renamed
    assert api.change("transfer", booking, key="k", ticket_no=1, name="Ravi")["reason"] == "key_reused"
    assert database.query("SELECT bus_id FROM idempotency_keys") == [1]
    assert api.read("find", phone=ASHA, date=HILLS["travel_date"], place="Mysuru")["references"] == [
        booking["reference"]
    ]
    assert api.cancel(booking)["status"] == "cancelled"


def test_key_from_before_the_move_is_known_after_it(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2)
    cancelled = api.change("cancel", booking, key="k", tickets=[2])
    move(database, cancelled, 3, HILLS["travel_date"], "[1,2)", [1])
    assert api.change("cancel", booking, key="k", tickets=[2]) == cancelled
    assert api.show(booking)["status"] == "booked"


def test_bookings_are_listed_in_the_order_in_which_they_were_made(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    database.query("INSERT INTO accounts VALUES ('asha', 'hash', %s, 'traveller', NULL, api.now())", ASHA)
    made = []
    for seat in (1, 2, 3):
        made.append(api.book(seat, account="asha"))
        clock.advance(minutes=1)
    move(database, made[1], 3, HILLS["travel_date"], "[1,2)", [1])
    page = api.read("bookings", account="asha", limit=2)
    assert [b["bus_id"] for b in page["bookings"]] == [1, 3]
    (last,) = api.read("bookings", account="asha", limit=2, after=page["next"])["bookings"]
    assert last["reference"] == made[0]["reference"]
    assert api.read("bookings", account="asha", after=made[1]["reference"])["bookings"] == [last]


def test_messages_follow_the_booking(api: SchemaApi, database: Database) -> None:
    booking = api.book(1)
    move(database, booking, 3, HILLS["travel_date"], "[1,2)", [1])
    for bus_id, day in ((1, DAY), (3, HILLS["travel_date"])):
        database.query("SELECT api.notice('To the trip', bus_id => %s, travel_date => %s)", bus_id, day)
    database.query("SELECT api.notice('To the booking', reference => %s)", booking["reference"])
    missed = database.value("SELECT api.missed_messages(%s)", [booking["reference"]])
    assert [(m["message"]["bus_id"], m["message"]["body"]) for m in missed] == [
        (3, "To the trip"), (3, "To the booking")
    ]  # fmt: skip
