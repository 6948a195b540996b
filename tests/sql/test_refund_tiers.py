"""Refunds by the time before departure. Service 1 leaves Bengaluru at 10:00 on DAY, and Mandya at 11:50."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.conftest import NOW, Clock
from tests.support.fleet import edit_service
from tests.support.schema_api import ASHA, DAY, RAVI, Answer, SchemaApi

TIERS = [{"hours": 48, "percent": "90"}, {"hours": 24, "percent": "50"}, {"hours": 0, "percent": "0"}]
DEPARTS = datetime.fromisoformat("2026-12-05T10:00+05:30")
BEFORE_48, BEFORE_24 = "2026-12-03T10:00:00+05:30", "2026-12-04T10:00:00+05:30"


def set_tiers(api: SchemaApi, tiers: list[dict[str, Any]] | None) -> None:
    answer = edit_service(api, refund_tiers=tiers or [])
    assert "reason" not in answer, answer


@pytest.fixture
def tiered(api: SchemaApi, clock: Clock) -> SchemaApi:
    set_tiers(api, TIERS)
    return api


def quote(api: SchemaApi, booking: Answer, **args: Any) -> Answer:
    return api.read("cancel_quote", reference=booking["reference"], phone=ASHA, **args)


@pytest.mark.parametrize(
    ("before", "refund", "valid_until"),
    [
        (timedelta(hours=48, seconds=1), "234.00", BEFORE_48),
        (timedelta(hours=48), "130.00", BEFORE_24),
        (timedelta(hours=24, seconds=1), "130.00", BEFORE_24),
        (timedelta(hours=24), "0.00", "2026-12-05T10:00:00+05:30"),
        (timedelta(seconds=1), "0.00", "2026-12-05T10:00:00+05:30"),
    ],
)
def test_the_tier_at_the_time_of_the_cancellation_decides(
    tiered: SchemaApi, clock: Clock, before: timedelta, refund: str, valid_until: str
) -> None:
    booking = tiered.book(1)
    clock.set(DEPARTS - before)
    quoted = quote(tiered, booking)
    assert (quoted["refund"], quoted["valid_until"]) == (refund, valid_until)
    assert quoted["stands_until"] == valid_until
    assert tiered.cancel(booking)["refund"] == refund


def test_a_quote_lists_the_refunds_of_the_tiers_ahead(tiered: SchemaApi, clock: Clock) -> None:
    booking = tiered.book(1, 2)
    assert quote(tiered, booking)["refunds"] == [
        {"until": BEFORE_48, "refund": "468.00"},
        {"until": BEFORE_24, "refund": "260.00"},
        {"until": "2026-12-05T10:00:00+05:30", "refund": "0.00"},
    ]
    clock.set(DEPARTS - timedelta(hours=48))
    assert quote(tiered, booking, tickets=[2])["refunds"][0] == {"until": BEFORE_24, "refund": "130.00"}


def test_the_departure_of_the_passenger_counts(tiered: SchemaApi, clock: Clock) -> None:
    booking = tiered.book(1, from_stop=3, to_stop=5)
    assert quote(tiered, booking)["valid_until"] == "2026-12-03T11:50:00+05:30"


def test_tiers_are_shown_before_payment(tiered: SchemaApi, clock: Clock) -> None:
    shown = [
        {"until": BEFORE_48, "percent": "90"},
        {"until": BEFORE_24, "percent": "50"},
        {"until": "2026-12-05T10:00:00+05:30", "percent": "0"},
    ]
    seats = tiered.read("seat_map", bus_id=1, travel_date=DAY, from_stop=1, to_stop=5)
    assert seats["refund_tiers"] == shown
    hold = tiered.hold(1)
    assert hold["refund_tiers"] == shown
    clock.set(DEPARTS - timedelta(hours=30))
    assert tiered.show(tiered.book(2))["refund_tiers"] == shown[1:]
    assert "refund_tiers" not in tiered.show(hold)  # it has expired


def test_service_without_tiers_shows_one_percentage(api: SchemaApi) -> None:
    booking = api.book(1)
    assert "refund_tiers" not in booking
    assert quote(api, booking).keys() - {"currency", "refund", "valid_until", "stands_until"} == {
        "refund_percent"
    }
    seats = api.read("seat_map", bus_id=1, travel_date=DAY, from_stop=1, to_stop=4)
    quoted = quote(api, api.hold(2))
    assert (seats["refund_percent"], quoted["refund_percent"]) == ("50", "50")
    assert seats["refund_until"] == quoted["valid_until"]


def test_a_ticket_keeps_the_tiers_of_its_sale(tiered: SchemaApi) -> None:
    booking = tiered.book(1)
    set_tiers(tiered, [{"hours": 0, "percent": "10"}])
    assert tiered.cancel(booking)["refund"] == "234.00"
    set_tiers(tiered, None)
    assert tiered.cancel(tiered.book(1))["refund"] == "130.00"


def test_a_waitlist_entry_keeps_the_tiers_of_its_request(tiered: SchemaApi) -> None:
    sold = tiered.book(count=6), tiered.book(count=2)
    waiting = tiered.book(count=1, waitlist=True, phone=RAVI)
    set_tiers(tiered, None)
    tiered.cancel(sold[1], 1)
    assert tiered.cancel(waiting, phone=RAVI)["refund"] == "234.00"


@pytest.mark.parametrize("tiers", [None, [{"hours": 0, "percent": "90"}]])
def test_an_expired_hold_is_sold_at_the_tiers_of_today(tiered: SchemaApi, clock: Clock, tiers: Any) -> None:
    hold = tiered.hold(1)
    clock.advance(minutes=11)
    set_tiers(tiered, tiers)
    refused = tiered.change("confirm", hold)
    assert refused["reason"] == "hold_expired"
    assert "terms have changed" in refused["message"]
    booking = tiered.change("confirm", hold, fare=refused["fare"])
    assert tiered.cancel(booking)["refund"] == ("234.00" if tiers else "130.00")


def test_an_expired_hold_with_the_same_tiers_is_confirmed(tiered: SchemaApi, clock: Clock) -> None:
    hold = tiered.hold(1)
    clock.advance(minutes=11)
    assert tiered.change("confirm", hold)["status"] == "booked"


def test_refund_for_alighting_early_does_not_follow_the_tiers(tiered: SchemaApi) -> None:
    tiered.conn.execute("UPDATE bus_info SET alight_refund_percent = 25 WHERE bus_id = 1")
    booking = tiered.change("alight", tiered.book(1), at=3)
    assert booking["refund"] == "20.00"
    assert tiered.cancel(booking)["refund"] == "236.00"  # and 90 percent of the remaining 240.00


def test_a_cancelled_trip_refunds_everything(tiered: SchemaApi, clock: Clock) -> None:
    booking = tiered.book(1)
    clock.set(DEPARTS - timedelta(hours=1))
    tiered.conn.execute("SELECT api.cancel_trip(1, '2026-12-05')")
    assert tiered.show(booking)["refund"] == "260.00"


tiers = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 10_000)), min_size=1, max_size=5).map(
    lambda pairs: [
        {"hours": hours, "percent": str(Decimal(percent) / 100)}
        for hours, percent in zip(
            sorted({hours for hours, _ in pairs}, reverse=True),
            sorted((percent for _, percent in pairs), reverse=True),
            strict=False,
        )
    ]
)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    tiers=tiers, hours=st.lists(st.integers(1, 90), min_size=2, max_size=4), order=st.permutations([1, 2, 3])
)
def test_refunds_never_grow_and_parts_add_up(
    api: SchemaApi, clock: Clock, tiers: list[dict[str, Any]], hours: list[int], order: list[int]
) -> None:
    clock.set(NOW)
    set_tiers(api, tiers)
    whole, parts = api.book(count=3), api.book(count=3)
    refunds = []
    for before in sorted(hours, reverse=True):
        clock.set(DEPARTS - timedelta(hours=before))
        refunds.append(Decimal(quote(api, whole)["refund"]))
    assert refunds == sorted(refunds, reverse=True)
    assert all(0 <= refund <= Decimal(whole["fare"]) for refund in refunds)
    for ticket_no in order:
        cancelled = api.cancel(parts, ticket_no)
    assert Decimal(cancelled["refund"]) == Decimal(api.cancel(whole)["refund"]) == refunds[-1]


def test_tiers_are_a_field_of_the_document(api: SchemaApi) -> None:
    set_tiers(api, TIERS[::-1])
    ((document,),) = api.conn.execute("SELECT api.service(1)").fetchall()
    assert document["refund_tiers"] == TIERS
    assert edit_service(api, refund_tiers=TIERS)["changes"] == []


@pytest.mark.parametrize(
    ("tiers", "field"),
    [
        ([(48, "90"), (48, "50")], "refund_tiers[1].hours"),
        ([(48, "50"), (24, "90")], "refund_tiers[1].percent"),
        ([(24, "90"), (48, "50")], "refund_tiers[0].percent"),
        ([(-1, "90")], "refund_tiers[0].hours"),
        ([(24, "101")], "refund_tiers[0].percent"),
    ],
)
def test_wrong_tiers_are_faults(api: SchemaApi, tiers: list[tuple[int, str]], field: str) -> None:
    written = [{"hours": hours, "percent": percent} for hours, percent in tiers]
    faults = edit_service(api, refund_tiers=written)["faults"]
    assert [fault["field"] for fault in faults] == [field]
