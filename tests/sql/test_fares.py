"""The fare of each ticket: seat classes, fare rules, concessions, infants; the parts that add up to it.

Service 1 costs 260.00 from Bengaluru to Mysuru; seats 1 to 4 are its first row. DAY is a Saturday.
"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from tests.conftest import Clock, Database
from tests.support.schema_api import DAY, RAVI, TRIP, SchemaApi, audit, book, outcomes_of

PREMIUM = {"name": "premium", "seats": [1, 2], "percent": "20"}
BACK = {"name": "back", "seats": [7, 8], "amount": "-30"}
WEEKEND = {"name": "Weekend", "runs_on": "Sat Sun", "percent": "10"}
DASARA = {"name": "Dasara", "first_date": "2026-12-01", "last_date": "2026-12-05", "amount": "25.50"}
CHILD = {"name": "child", "percent": "50", "max_age": 12}
SENIOR = {"name": "senior", "amount": "40"}
INFANT = {"name": "infant", "percent": "90", "seat": False}


def set_rules(database: Database, **columns: list[dict[str, Any]]) -> None:
    """Set columns of service 1, as an operator who edits it."""
    for column, rules in columns.items():
        database.query(f"UPDATE bus_info SET {column} = %s WHERE bus_id = 1", Jsonb(rules))


def parts_of(ticket: dict[str, Any]) -> list[tuple[str, str | None, str]] | None:
    parts = ticket.get("fare_parts")
    return parts and [(part["part"], part.get("name"), part["amount"]) for part in parts]


SEGMENT = ("segment", None, "260.00")


@pytest.mark.parametrize(
    ("rules", "seat", "passenger", "fare", "parts"),
    [
        ({}, 1, {}, "260.00", None),
        ({"seat_classes": [PREMIUM]}, 3, {}, "260.00", None),
        ({"seat_classes": [PREMIUM]}, 1, {}, "312.00", [SEGMENT, ("class", "premium", "52.00")]),
        ({"seat_classes": [PREMIUM, BACK]}, 8, {}, "230.00", [SEGMENT, ("class", "back", "-30.00")]),
        ({"fare_rules": [WEEKEND]}, 1, {}, "286.00", [SEGMENT, ("date", "Weekend", "26.00")]),
        ({"fare_rules": [WEEKEND | {"runs_on": "Mon-Fri"}]}, 1, {}, "260.00", None),
        ({"fare_rules": [DASARA | {"last_date": "2026-12-04"}]}, 1, {}, "260.00", None),
        (  # rules of one travel date do not raise each other
            {"fare_rules": [DASARA, WEEKEND]}, 1, {}, "311.50",
            [SEGMENT, ("date", "Dasara", "25.50"), ("date", "Weekend", "26.00")],
        ),
        (  # but the percentage of a date rule includes the part of the class
            {"seat_classes": [PREMIUM], "fare_rules": [WEEKEND]}, 1, {}, "343.20",
            [SEGMENT, ("class", "premium", "52.00"), ("date", "Weekend", "31.20")],
        ),
        (
            {"fare_rules": [WEEKEND], "concessions": [CHILD]}, 1, {"concession": "Child"}, "143.00",
            [SEGMENT, ("date", "Weekend", "26.00"), ("concession", "child", "-143.00")],
        ),
        ({"concessions": [CHILD]}, 1, {"name": "Asha"}, "260.00", None),
        ({"concessions": [SENIOR]}, 1, {"concession": "senior"}, "220.00",
         [SEGMENT, ("concession", "senior", "-40.00")]),
        (  # a discount takes no more than is left
            {"concessions": [SENIOR | {"amount": "300"}]}, 1, {"concession": "senior"}, "0.00",
            [SEGMENT, ("concession", "senior", "-260.00")],
        ),
        (  # the infant pays a part of the whole fare, not of the concession of its companion
            {"concessions": [SENIOR, INFANT]}, 1, {"concession": "senior", "infant": "Devi"}, "246.00",
            [SEGMENT, ("concession", "senior", "-40.00"), ("infant", "infant", "26.00")],
        ),
        ({"concessions": [INFANT | {"percent": "100"}]}, 1, {"infant": "Devi"}, "260.00",
         [SEGMENT, ("infant", "infant", "0.00")]),
    ],
)  # fmt: skip
def test_fare_and_its_parts(
    api: SchemaApi, database: Database, rules: dict[str, Any], seat: int, passenger: dict[str, str],
    fare: str, parts: list[Any] | None,
) -> None:  # fmt: skip
    set_rules(database, **rules)
    (ticket,) = api.book(seat, passengers=[passenger])["tickets"]
    assert (ticket["fare"], parts_of(ticket)) == (fare, parts)
    assert ticket.get("infant") == passenger.get("infant")
    assert database.query("SELECT amount::text FROM payments") == [fare]


@pytest.mark.parametrize("surcharge", [{"amount": "99999999.99"}, {"percent": "999.99"}])
def test_fare_is_at_most_what_a_ticket_stores(
    api: SchemaApi, database: Database, surcharge: dict[str, str]
) -> None:
    """Else the tickets of a whole batch could not be inserted."""
    database.query("UPDATE route_table SET fare = 60000000 WHERE bus_id = 1 AND stop_no = 5")
    set_rules(database, fare_rules=[{"name": "x", **surcharge}, {"name": "y", "amount": "1"}])
    added = {"part": "date", "name": "x", "amount": "39999999.99"}
    (found, *_) = api.read("search", origin="Bengaluru", destination="Mysuru", date=DAY)["trips"]
    assert found["fare"] == "99999999.99"
    answers = api.batch(book(1), book(2, bus_id=2))
    assert outcomes_of(answers) == ["booked", "booked"]
    assert answers[0] and answers[0]["tickets"][0]["fare_parts"][1] == added


def test_each_ticket_has_its_own_fare(api: SchemaApi, database: Database) -> None:
    set_rules(database, seat_classes=[PREMIUM], concessions=[CHILD])
    booking = api.book(1, 3, 4, passengers=[{"concession": "child"}, {}, {"concession": "child"}])
    assert [ticket["fare"] for ticket in booking["tickets"]] == ["156.00", "260.00", "130.00"]
    assert booking["fare"] == "546.00"
    assert api.cancel(booking, 1)["refund"] == "78.00"
    assert api.cancel(booking)["refund"] == "273.00"


def test_ticket_with_a_withdrawn_concession_keeps_its_class(api: SchemaApi, database: Database) -> None:
    set_rules(
        database, seat_classes=[{"name": "front", "seats": [1, 2]}], concessions=[INFANT | {"percent": "100"}]
    )
    booking = api.book(3, passengers=[{"infant": "Devi"}])
    set_rules(database, concessions=[])
    assert api.change("change_seat", booking, ticket_no=1, seat_no=1)["reason"] == "unknown_concession"
    assert api.change("change_seat", booking, ticket_no=1, seat_no=4)["tickets"][0]["seat_no"] == 4
    assert audit(api.conn) == []


@pytest.mark.parametrize(
    ("passenger", "message"),
    [
        ({"concession": "student"}, 'has no concession "student". Its concessions: child.'),
        ({"concession": "infant"}, 'has no concession "infant". Its concessions: child.'),
        ({"infant": "Devi"}, None),
    ],
)
def test_concessions_are_those_of_the_service(
    api: SchemaApi, database: Database, passenger: dict[str, str], message: str | None
) -> None:
    refusal = api.book(1, passengers=[passenger])
    assert refusal["reason"] == "unknown_concession"
    assert refusal["concessions"] == []
    set_rules(database, concessions=[CHILD, INFANT])
    before = api.everything()
    answer = api.book(1, passengers=[{}, passenger][-1:])
    if message is None:
        assert answer["status"] == "booked"
    else:
        assert message in answer["message"]
        assert answer["concessions"] == ["child"]
        assert api.everything() == before


# Seats by count --------------------------------------------------------------------------------


def test_seats_by_count_are_of_the_cheapest_class(api: SchemaApi, database: Database) -> None:
    set_rules(database, seat_classes=[PREMIUM, BACK])
    booking = api.book(count=2)
    assert ([t["seat_no"] for t in booking["tickets"]], booking["fare"]) == ([7, 8], "460.00")
    refusal = api.book(count=1)
    assert (refusal["reason"], refusal["seats_free"]) == ("sold_out", 0)
    assert refusal["message"] == (
        "No seat is free between Bengaluru and Mysuru in this class. "
        "Free in all classes: 0 back at 230.00, 4 others at 260.00, 2 premium at 312.00."
    )
    assert refusal["classes"] == [
        {"name": "back", "fare": "230.00", "seats_free": 0},
        {"name": None, "fare": "260.00", "seats_free": 4},
        {"name": "premium", "fare": "312.00", "seats_free": 2},
    ]
    booking = api.book(count=2, seat_class="Premium")
    assert ([t["seat_no"] for t in booking["tickets"]], booking["fare"]) == ([1, 2], "624.00")


def test_unknown_class_is_refused(api: SchemaApi, database: Database) -> None:
    assert api.book(count=1, seat_class="premium")["class_names"] == []
    set_rules(database, seat_classes=[PREMIUM])
    refusal = api.book(count=1, seat_class="first")
    assert (refusal["reason"], refusal["class_names"]) == ("unknown_class", ["premium"])
    assert api.book(1, seat_class="premium")["field"] == "seat_class"


def test_waitlist_is_for_a_class(api: SchemaApi, database: Database) -> None:
    set_rules(database, seat_classes=[PREMIUM])
    premium = api.book(1, 2)
    others = api.book(3, 4, 5, 6, 7, 8)
    waiting = api.book(count=1, seat_class="premium", waitlist=True, phone=RAVI)
    assert (waiting["status"], waiting["fare"]) == ("pending", "312.00")
    api.cancel(others)
    assert api.show(waiting, phone=RAVI)["status"] == "pending"
    api.cancel(premium, 2)
    promoted = api.show(waiting, phone=RAVI)
    assert [(t["status"], t["seat_no"], t["fare"]) for t in promoted["tickets"]] == [("booked", 2, "312.00")]
    assert promoted["fare"] == "312.00"


def test_party_does_not_wait_while_seats_of_its_class_are_free(api: SchemaApi, database: Database) -> None:
    set_rules(database, seat_classes=[PREMIUM])
    api.book(1, 2)
    waiting = api.book(count=1, seat_class="premium", waitlist=True, phone=RAVI)
    set_rules(database, seat_classes=[PREMIUM | {"seats": [1, 2, 3]}])
    assert [rule for rule, *_ in audit(api.conn)] == ["kept_waiting"]
    api.write("settle", bus_id=1, travel_date=DAY)
    database.query("SELECT api.recount_for(%s)", Jsonb({"bus_id": 1, "travel_date": DAY}))
    assert api.show(waiting, phone=RAVI)["tickets"][0]["seat_no"] == 3


# Changes ---------------------------------------------------------------------------------------


def test_seat_of_another_fare_is_refused(api: SchemaApi, database: Database) -> None:
    set_rules(database, seat_classes=[PREMIUM, {"name": "window", "seats": [5], "amount": "0"}])
    booking = api.book(3)
    before = api.everything()
    refusal = api.change("change_seat", booking, ticket_no=1, seat_no=1)
    assert refusal == {
        "reason": "other_fare", "currency": "INR", "fare": "312.00", "ticket_fare": "260.00",
        "message": "Seat 1 costs 312.00, and ticket 1 has cost 260.00. "
        "Choose a seat at the fare of the ticket.",
    }  # fmt: skip
    assert api.everything() == before
    moved = api.change("change_seat", booking, ticket_no=1, seat_no=5)
    assert parts_of(moved["tickets"][0]) == [SEGMENT, ("class", "window", "0.00")]
    assert api.change("change_seat", booking, ticket_no=1, seat_no=4)["fare"] == "260.00"


def test_seat_of_the_same_class_is_free_to_take_after_its_fare_has_changed(
    api: SchemaApi, database: Database
) -> None:
    set_rules(database, seat_classes=[PREMIUM])
    booking = api.book(1)
    set_rules(database, seat_classes=[PREMIUM | {"percent": "50"}])
    moved = api.change("change_seat", booking, ticket_no=1, seat_no=2)
    assert (moved["tickets"][0]["seat_no"], moved["fare"]) == (2, "312.00")


def test_edit_of_the_rules_does_not_change_sold_and_held_tickets(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    set_rules(database, seat_classes=[PREMIUM], concessions=[CHILD])
    sold = api.book(1, passengers=[{"concession": "child"}])
    held = api.hold(2, passengers=[{"concession": "child"}], seconds=600)
    late = api.hold(3, passengers=[{"concession": "child"}], seconds=60)
    set_rules(
        database, seat_classes=[PREMIUM | {"seats": [1, 2, 3]}], concessions=[CHILD | {"percent": "25"}]
    )
    assert api.change("confirm", held)["fare"] == "156.00"
    assert api.show(sold)["fare"] == "156.00"
    clock.advance(seconds=61)
    refusal = api.change("confirm", late)
    assert (refusal["reason"], refusal["fare"]) == ("hold_expired", "234.00")
    confirmed = api.change("confirm", late, fare="234.00")
    assert parts_of(confirmed["tickets"][0]) == [
        SEGMENT, ("class", "premium", "52.00"), ("concession", "child", "-78.00")
    ]  # fmt: skip


def test_expired_hold_is_confirmed_at_the_fares_of_its_tickets(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    set_rules(database, seat_classes=[PREMIUM], concessions=[CHILD, INFANT])
    held = api.hold(1, 3, passengers=[{"infant": "Devi"}, {"concession": "child"}], seconds=60)
    assert held["fare"] == "473.20"
    clock.advance(seconds=61)
    assert api.change("confirm", held)["fare"] == "473.20"


def test_expired_hold_with_a_concession_that_has_ended_is_refused(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    set_rules(database, concessions=[CHILD])
    held = api.hold(1, passengers=[{"concession": "child"}], seconds=60)
    clock.advance(seconds=61)
    set_rules(database, concessions=[SENIOR])
    assert api.change("confirm", held)["reason"] == "unknown_concession"


def test_alight_refund_is_in_proportion_to_the_fare(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 50 WHERE bus_id = 1")
    set_rules(database, concessions=[CHILD])
    booking = api.book(1, 2, passengers=[{"concession": "child"}])
    booking = api.change("alight", booking, at="Mandya")
    assert [ticket["refund"] for ticket in booking["tickets"]] == ["20.00", "40.00"]


# What is shown ---------------------------------------------------------------------------------


def found(api: SchemaApi) -> dict[str, Any]:
    trips: list[dict[str, Any]] = api.read("search", origin="Bengaluru", destination="Mysuru", date=DAY)[
        "trips"
    ]
    return next(trip for trip in trips if trip["bus_id"] == 1)


def test_search_shows_the_lowest_fare_and_the_classes(api: SchemaApi, database: Database) -> None:
    assert found(api).keys().isdisjoint({"fare_parts", "classes"})
    set_rules(database, seat_classes=[PREMIUM], fare_rules=[WEEKEND])
    trip = found(api)
    assert (trip["fare"], parts_of(trip)) == ("286.00", [SEGMENT, ("date", "Weekend", "26.00")])
    assert trip["classes"] == [
        {"name": None, "fare": "286.00", "seats_free": 6},
        {"name": "premium", "fare": "343.20", "seats_free": 2},
    ]
    api.book(3, 4, 5, 6, 7, 8)
    trip = found(api)
    assert (trip["fare"], trip["seats_free"]) == ("343.20", 2)


def test_seat_map_shows_classes_and_fares(api: SchemaApi, database: Database) -> None:
    set_rules(database, seat_classes=[PREMIUM, BACK | {"amount": "0"}], concessions=[CHILD, INFANT])
    shown = api.read("seat_map", **TRIP)
    assert (shown["fare"], shown["concessions"]) == ("260.00", [CHILD, INFANT])
    classes = {s["seat_no"]: (s.get("seat_class"), s.get("fare")) for s in shown["seats"]}
    assert classes == {
        1: ("premium", "312.00"), 2: ("premium", "312.00"), 3: (None, None), 4: (None, None),
        5: (None, None), 6: (None, None), 7: ("back", None), 8: ("back", None),
    }  # fmt: skip
    assert [c["name"] for c in shown["classes"]] == [None, "back", "premium"]


def test_manifest_shows_class_concession_and_infant(api: SchemaApi, database: Database) -> None:
    set_rules(database, seat_classes=[PREMIUM], concessions=[CHILD, INFANT])
    api.book(1, 3, passengers=[{"name": "Ravi", "concession": "child"}, {"name": "Asha", "infant": "Devi"}])
    (boarding,) = database.query("SELECT boards FROM api.trip_stops(1, %s) WHERE boards IS NOT NULL", DAY)
    shown = [{k: p[k] for k in ("name", "seat_class", "concession", "infant") if k in p} for p in boarding]
    assert shown == [
        {"name": "Ravi", "seat_class": "premium", "concession": "child"},
        {"name": "Asha", "infant": "Devi"},
    ]


# Invariants ------------------------------------------------------------------------------------

_money = st.decimals("-400", "400", places=2).map(str)
_percent = st.decimals("-100", "200", places=2).map(str)
_change = st.one_of(
    st.fixed_dictionaries({"percent": _percent}), st.fixed_dictionaries({"amount": _money}),
    st.fixed_dictionaries({"percent": _percent, "amount": _money}),
)  # fmt: skip
_discount = st.fixed_dictionaries(
    {
        "percent": st.decimals("0", "100", places=2).map(str),
        "amount": st.decimals("0", "99", places=2).map(str),
    }
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seat_class=_change, rules=st.lists(_change, max_size=3), child=_discount,
    infant_percent=st.decimals("0", "100", places=2), alights=st.booleans(),
    refund_percent=st.integers(0, 100),
)  # fmt: skip
def test_money_adds_up(
    api: SchemaApi, database: Database, seat_class: dict[str, str], rules: list[dict[str, str]],
    child: dict[str, str], infant_percent: Decimal, alights: bool, refund_percent: int,
) -> None:  # fmt: skip
    database.query("UPDATE bus_info SET refund_percent = %s, alight_refund_percent = %s WHERE bus_id = 1",
                   refund_percent, refund_percent)  # fmt: skip
    set_rules(
        database, seat_classes=[{"name": "premium", "seats": [1, 2], **seat_class}],
        fare_rules=[{"name": str(n), **rule} for n, rule in enumerate(rules)],
        concessions=[CHILD | child, INFANT | {"percent": str(infant_percent)}],
    )  # fmt: skip
    booking = api.book(1, 3, 4, passengers=[{"infant": "Devi"}, {"concession": "child", "infant": "Anu"}, {}])
    try:
        fares = [Decimal(ticket["fare"]) for ticket in booking["tickets"]]
        for ticket, fare in zip(booking["tickets"], fares, strict=True):
            parts = [
                Decimal(part["amount"]) for part in ticket.get("fare_parts", [{"amount": ticket["fare"]}])
            ]
            assert sum(parts) == fare >= 0
        assert sum(fares) == Decimal(booking["fare"])
        if alights:
            api.change("alight", booking, at="Mandya")
        api.cancel(booking, 2)
    finally:
        booking = api.cancel(booking)
    for ticket in booking["tickets"]:
        assert 0 <= Decimal(ticket["refund"]) <= Decimal(ticket["fare"])
    paid = database.value(
        "SELECT sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) FROM payments WHERE reference = %s",
        booking["reference"],
    )
    assert paid == Decimal(booking["fare"]) - Decimal(booking["refund"])


def test_audit_finds_parts_that_do_not_add_up(api: SchemaApi, database: Database) -> None:
    set_rules(database, seat_classes=[PREMIUM])
    api.book(1)
    database.query("UPDATE passengers SET fare_parts = jsonb_set(fare_parts, '{1,amount}', '\"51.00\"')")
    assert [rule for rule, *_ in audit(api.conn)] == ["fare_parts"]
    database.query("UPDATE passengers SET fare_parts = jsonb_set(fare_parts, '{1,amount}', '\"52.00\"')")
