"""Sales and occupancy of an operator: their sums equal the payments to the paisa."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Clock, Database
from tests.support.schema_api import DAY, OTHER_DAY, RAVI, Answer, SchemaApi

GROUPS = ("service", "date", "segment")
AMOUNTS = ("tickets", "charges", "refunds", "income")
PAID = """
    SELECT count(*) FILTER (WHERE payment_no = 1), coalesce(sum(amount) FILTER (WHERE kind = 'charge'), 0),
           coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0)
    FROM payments y JOIN passengers p USING (bus_id, reference, ticket_no) WHERE bus_id = 1
"""
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["book", "cancel", "alight", "exchange", "wait"]),
        st.integers(1, 4),
        st.integers(1, 8),
    ),
    max_size=12,
)


@pytest.fixture(autouse=True)
def accounts(database: Database) -> None:
    database.query("SELECT api.add_operator('manager', 'hash', 'KSRTC')")
    database.query("SELECT api.add_operator('other', 'hash', 'SRS Travels')")


def sales(api: SchemaApi, account: str = "manager", **args: Any) -> Answer:
    return api.read("sales", account=account, **{"from": "2026-12-01", "to": "2026-12-31", **args})


def sums(rows: list[Answer]) -> tuple[Decimal, ...]:
    return tuple(sum((Decimal(row[name]) for row in rows), Decimal(0)) for name in AMOUNTS)


def test_rows_of_each_group(api: SchemaApi) -> None:
    booking = api.book(1, 2)
    api.cancel(booking, 2)
    api.book(1, travel_date=OTHER_DAY, from_stop=1, to_stop=3)
    api.book(1, bus_id=2, origin="Mysuru", destination="Ooty")
    by_service = sales(api)
    assert by_service["rows"] == [
        {
            "bus_id": 1, "name": "Day Bus", "currency": "INR", "tickets": 3,
            "charges": "700.00", "refunds": "130.00",
            "income": "570.00", "occupancy": by_service["rows"][0]["occupancy"],
        }
    ]  # fmt: skip
    dates = {row["date"]: row for row in sales(api, group="date")["rows"]}
    assert dates[DAY]["income"] == "390.00"
    assert dates[OTHER_DAY]["income"] == "180.00"
    assert dates["2026-12-07"] == {
        "date": "2026-12-07", "currency": "INR", "tickets": 0,
        "charges": "0.00", "refunds": "0.00", "income": "0.00",
        "occupancy": "0.0",
    }  # fmt: skip
    segments = sales(api, group="segment")["rows"]
    assert [(row["origin"], row["destination"], row["tickets"], row["income"]) for row in segments] == [
        ("Bengaluru", "Mandya", 1, "180.00"), ("Bengaluru", "Mysuru", 2, "390.00")
    ]  # fmt: skip
    assert [row["bus_id"] for row in sales(api, "other")["rows"]] == [2]


def test_occupancy_is_weighted_by_kilometres(api: SchemaApi, database: Database) -> None:
    for seat in (1, 2, 3, 4):
        api.book(seat, from_stop=1, to_stop=3)  # 100 of 145 km, 2 of 4 legs
    day = {"from": DAY, "to": DAY}
    assert sales(api, **day)["rows"][0]["occupancy"] == "34.5"
    assert sales(api, group="segment", **day)["rows"][0]["occupancy"] == "50.0"
    assert "occupancy" not in sales(api, by="payment")["rows"][0]
    database.query("UPDATE route_table SET km = 0")
    assert sales(api, **day)["rows"][0]["occupancy"] == "25.0"


def test_dates_of_payment_are_those_of_the_service(api: SchemaApi, clock: Clock) -> None:
    clock.set("2026-12-01 23:59+05:30")
    booking = api.book(1)
    clock.set("2026-12-02 00:01+05:30")
    api.cancel(booking)
    rows = sales(api, group="date", by="payment")["rows"]
    assert [(row["date"], row["tickets"], row["income"]) for row in rows] == [
        ("2026-12-01", 1, "260.00"), ("2026-12-02", 0, "-130.00")
    ]  # fmt: skip


def test_no_show_counts_for_the_segment_that_was_sold(api: SchemaApi, clock: Clock) -> None:
    api.book(2)
    clock.set("2026-12-05 10:05+05:30")
    trip = {"bus_id": 1, "travel_date": DAY}
    api.write("no_shows", account="manager", at=1, release=True, **trip)
    assert [row["to_stop"] for row in sales(api, group="segment")["rows"]] == [5]


@pytest.mark.parametrize("to", ["2026-11-30", "2027-12-02"])
def test_range_of_dates_is_limited(api: SchemaApi, to: str) -> None:
    refusal = sales(api, to=to)
    assert (refusal["reason"], refusal["field"]) == ("bad_request", "to")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_rows_add_up_to_the_payments(database: Database, clock: Clock, steps: list[Any]) -> None:
    """Bookings, exchanges, cancellations and tickets that end early, on two travel dates and several days."""
    database.query(
        "UPDATE bus_info SET refund_percent = 33.33, alight_refund_percent = 66.67, exchange_fee = 7.77"
    )
    with SchemaApi.open(database) as api:
        booked: list[Answer] = []
        for step, stop, seat in steps:
            if step == "book":
                day = DAY if seat % 2 else OTHER_DAY
                booking = api.book(seat, travel_date=day, from_stop=stop, to_stop=5, phone=RAVI)
                booked += [booking] if "reference" in booking else []
            elif step == "wait":
                clock.advance(hours=3)
            elif booked and step == "cancel":
                api.change("cancel", booked[seat % len(booked)], phone=RAVI)
            elif booked and step == "exchange":
                day = OTHER_DAY if stop % 2 else DAY
                wanted = {"travel_date": day, "from_stop": stop, "to_stop": 5, "due": "9999"}
                api.change("exchange", booked[seat % len(booked)], phone=RAVI, **wanted)
            elif booked:
                api.change("alight", booked[seat % len(booked)], at=stop + 1, phone=RAVI)
        ((tickets, charges, refunds),) = database.query(PAID)
        for group in GROUPS:
            for by in ("travel", "payment"):
                report = sales(api, group=group, by=by)
                assert sums(report["rows"]) == (tickets, charges, refunds, charges - refunds)
                assert sums([report]) == sums(report["rows"])
        assert database.query(
            "SELECT sum(tickets), sum(charges), sum(refunds) FROM busware_reports.sales WHERE bus_id = 1"
        ) in ([(tickets, charges, refunds)], [(None, None, None)])
