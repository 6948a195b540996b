"""What an exchange of the vehicle refunds, if a passenger gets a seat of a cheaper class."""

import pytest

from tests.conftest import Clock
from tests.support.exchange import exchange
from tests.support.fleet import edit_service, put_vehicle
from tests.support.schema_api import DAY, Answer, SchemaApi, audit

PREMIUM = {"name": "Premium", "seats": [1, 2], "amount": "50.00"}


@pytest.fixture
def classes(fleet: SchemaApi) -> SchemaApi:
    """The fleet with a class on service 1, and a vehicle without classes."""
    edit_service(fleet, seat_classes=[PREMIUM], concessions=[{"name": "Student", "percent": "50"}])
    put_vehicle(fleet, "KA09S4", layout="...D\nss.ss")
    return fleet


def parts(booking: Answer) -> list[tuple[str, str]]:
    return [(part["part"], part["amount"]) for part in booking["tickets"][0]["fare_parts"]]


def refund(api: SchemaApi) -> str:
    """Exchange the vehicle, and audit."""
    refund: str = exchange(api, "KA09S4")["refund"]
    assert audit(api.conn) == []
    return refund


@pytest.mark.parametrize("amount", ["60", "-60"])
def test_later_fares_do_not_change_the_refund_of_a_class(classes: SchemaApi, amount: str) -> None:
    booking = classes.book(1)
    edit_service(classes, fare_rules=[{"name": "Season", "amount": amount}])
    assert refund(classes) == "50.00"
    shown = classes.show(booking)
    assert (shown["fare"], parts(shown)) == ("260.00", [("segment", "260.00")])


def test_concession_that_was_withdrawn_still_counts(classes: SchemaApi) -> None:
    booking = classes.book(1, passengers=[{"concession": "Student"}])
    assert booking["fare"] == "155.00"
    edit_service(classes, concessions=[])
    assert refund(classes) == "25.00"
    assert parts(classes.show(booking)) == [("segment", "260.00"), ("concession", "-130.00")]


@pytest.mark.parametrize("percent", ["0", "50"])
def test_early_end_of_a_ticket_is_not_refunded_with_the_class(classes: SchemaApi, percent: str) -> None:
    edit_service(classes, alight_refund_percent=percent)
    booking = classes.book(1)
    alighted = classes.change("alight", booking, at="Ramanagara")
    paid = float(alighted["fare"]) - float(alighted["refund"])
    given = float(refund(classes))
    assert given == pytest.approx(50 * paid / 310, abs=0.005)
    assert float(classes.show(booking)["fare"]) == pytest.approx(paid - given)


def test_no_show_gets_nothing_back_for_a_class(classes: SchemaApi, clock: Clock) -> None:
    edit_service(classes, no_show_sells=True)
    booking = classes.book(1)
    clock.set("2026-12-05T10:05:00+05:30")
    classes.write("no_shows", account="ksrtc", at=1, bus_id=1, travel_date=DAY)
    assert refund(classes) == "0.00"
    assert classes.show(booking)["fare"] == booking["fare"]


def test_held_ticket_costs_less(classes: SchemaApi) -> None:
    hold = classes.hold(1)
    assert (refund(classes), classes.show(hold)["fare"]) == ("0.00", "260.00")
    assert classes.change("confirm", hold)["status"] == "booked"
    assert audit(classes.conn) == []


def test_cheaper_class_of_the_new_vehicle(classes: SchemaApi) -> None:
    edit_service(
        classes,
        seat_classes=[PREMIUM, {"name": "Comfort", "seats": [3], "percent": "10"}],
        fare_rules=[{"name": "Season", "percent": "20"}],
    )
    booking = classes.book(1)
    assert booking["fare"] == "372.00"
    put_vehicle(classes, "KA09S4", seat_classes=[{"name": "Comfort", "seats": [1, 2, 3, 4]}])
    assert refund(classes) == "28.80"  # 50.00 - 26.00, and a fifth more
    expected = [("segment", "260.00"), ("class", "26.00"), ("date", "57.20")]
    assert parts(classes.show(booking)) == expected
