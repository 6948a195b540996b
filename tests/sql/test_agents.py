"""Agents: what they may sell, and to whom the bookings belong (tests/support/counter.py has the accounts)."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Clock, Database
from tests.support.counter import put_agent, sell, settle
from tests.support.fleet import edit_service
from tests.support.offers import LATER, add_later_bus
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, RAVI, SchemaApi, outcomes_of, sale


def cash(api: SchemaApi, agent: str = "kumar") -> tuple[str, str]:
    """What the agent has taken, and the fares of what it holds."""
    shown = {row["agent"]: row for row in api.read("agents", account="meera")["agents"]}[agent]
    return shown["cash"], shown["held"]


# The booking -----------------------------------------------------------------------------------


def test_booking_belongs_to_the_customer_and_its_agent_opens_it(counter: SchemaApi) -> None:
    booking = sell(counter, 1)
    assert booking["status"] == "booked"
    assert "sold_by" not in str(booking)  # nothing for the passenger
    assert counter.show(booking)["reference"] == booking["reference"]
    assert counter.show(booking, phone=None, account="kumar")["reference"] == booking["reference"]
    for account in ("latha", "other"):
        assert counter.show(booking, phone=None, account=account)["reason"] == "unknown_booking"
    assert counter.read("bookings", account="kumar")["bookings"] == []
    stops = counter.read("manifest", bus_id=1, travel_date=DAY, account="meera")["stops"]
    assert [rider["sold_by"] for stop in stops for rider in stop["boards"]] == ["kumar"]


def test_sale_without_a_phone_number_belongs_to_its_agent(counter: SchemaApi) -> None:
    """Neither another agent nor a guest opens it by the reference, or shares its idempotency keys."""
    edit_service(counter, phone_required=False)
    booking = counter.write("book", "k1", **sale(1, phone=None, sold_by="kumar"))
    for account in (None, "latha"):
        assert counter.change("cancel", booking, phone=None, account=account)["reason"] == "unknown_booking"
        assert counter.show(booking, phone=None, account=account)["reason"] == "unknown_booking"
    reference = "SELECT reference FROM busware_reports.tickets"
    assert counter.conn.execute(reference).fetchall() == [(booking["reference"],)]
    assert counter.write("book", "k1", **sale(1, phone=None, sold_by="kumar")) == booking
    for seat, args in ((2, {"sold_by": "latha"}), (3, {"account": "latha"}), (4, {})):
        other = counter.write("book", "k1", **sale(seat, phone=None, **args))
        assert outcomes_of([other]) == ["key_reused" if seat == 3 else "booked"]
    assert counter.change("cancel", booking, phone=None, account="kumar")["refund"] == "130.00"


def test_seats_of_an_account_are_those_of_the_customer(counter: SchemaApi) -> None:
    counter.conn.execute("UPDATE bus_info SET max_seats_per_account = 2")
    assert sell(counter, 1, 2)["status"] == "booked"
    assert sell(counter, 3)["reason"] == "too_many_on_trip"
    assert sell(counter, 3, phone=RAVI)["status"] == "booked"


def test_agent_cancels_what_it_has_sold_on_the_terms_of_the_sale(counter: SchemaApi) -> None:
    booking = sell(counter, 1, 2)
    by_agent = {"phone": None, "account": "kumar"}
    assert counter.cancel(booking, 1, **{**by_agent, "account": "latha"})["reason"] == "unknown_booking"
    assert counter.cancel(booking, 1, **by_agent)["refund"] == "130.00"
    assert cash(counter) == ("390.00", "0.00")
    put_agent(counter, active=False)
    assert counter.cancel(booking, 2, **by_agent)["reason"] == "unknown_booking"
    assert counter.cancel(booking, 2)["refund"] == "260.00"  # the customer
    assert cash(counter) == ("260.00", "0.00")


def test_sale_at_a_counter_does_not_wait(counter: SchemaApi) -> None:
    counter.book(1, 2, 3, 4, 5, 6)
    counter.book(7, 8)
    assert sell(counter, waitlist=True)["reason"] == "sold_out"


# Who may sell what -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"sold_by": "meera"}, 'The account "meera" may not sell tickets at a counter.'),
        ({"sold_by": "nobody"}, 'The account "nobody" may not sell tickets at a counter.'),
        ({"bus_id": 2}, "This is an account of an agent of KSRTC; "),
    ],
)
def test_account_that_is_no_agent_of_the_operator_is_refused(
    counter: SchemaApi, args: dict[str, Any], message: str
) -> None:
    before = counter.everything()
    refusal = sell(counter, 1, **args)
    assert refusal["reason"] == "not_an_agent"
    assert refusal["message"].startswith(message)
    assert counter.everything() == before


def test_agent_that_may_not_sell_any_more(counter: SchemaApi) -> None:
    held = counter.hold(1, sold_by="kumar")
    put_agent(counter, active=False)
    assert sell(counter, 2)["reason"] == "not_an_agent"
    assert counter.change("confirm", held)["reason"] == "not_an_agent"
    assert counter.change("confirm", held, account="kumar")["reason"] == "not_an_agent"


def test_agent_is_no_operator(counter: SchemaApi) -> None:
    """Every request of an operator, with the account of an agent, as a server would send it."""
    trip = {"bus_id": 1, "travel_date": DAY, "account": "kumar"}
    for method in ("manifest", "load", "occupancy"):
        assert counter.read(method, **trip)["reason"] == "not_yours"
    for method in ("cancel_trip", "no_shows", "block_seats"):
        assert counter.write(method, **trip, reason="x", at=1, seats=[1])["reason"] == "not_yours"
    for method in ("agents", "vehicles", "drivers", "promo_codes"):
        assert counter.read(method, account="kumar", operator="KSRTC")["reason"] == "not_allowed"
    assert counter.change_fleet("put_vehicle", account="kumar", registration="KA1")["reason"] == "not_allowed"
    assert put_agent(counter, account="kumar", credit_limit=None)["reason"] == "not_allowed"
    ((refused, answer),) = counter.conn.execute(
        "SELECT refused, answer FROM api.change_service('put_service', %s)",
        [Jsonb({"account": "kumar", "bus_id": 1})],
    ).fetchall()
    assert (refused, answer["reason"]) == (True, "not_allowed")
    assert counter.read("services", account="kumar")["services"] == []
    assert counter.read("trips", account="kumar", date=DAY)["trips"] == []
    assert counter.read("sales", account="kumar", **{"from": DAY, "to": DAY})["reason"] == "not_allowed"
    shown = counter.read("seat_map", bus_id=1, travel_date=DAY, from_stop=1, to_stop=5, account="kumar")
    assert shown == counter.read("seat_map", bus_id=1, travel_date=DAY, from_stop=1, to_stop=5)


# Quota and credit ------------------------------------------------------------------------------


def test_quota_is_the_most_seats_of_a_trip(counter: SchemaApi) -> None:
    put_agent(counter, quotas=[{"bus_id": 1, "seats": 2}])
    booking = sell(counter, 1)
    before = counter.everything()
    assert sell(counter, 2, 3) == {
        "reason": "quota_used_up", "limit": 2, "seats_left": 1,
        "message": "The quota of kumar on this bus is 2 seats, and 1 is left; you asked for 2.",
    }  # fmt: skip
    assert counter.everything() == before
    held = counter.hold(2, sold_by="kumar")
    assert sell(counter, 3)["seats_left"] == 0
    assert sell(counter, 3, sold_by="latha")["status"] == "booked"
    assert sell(counter, 1, 2, travel_date=OTHER_DAY)["status"] == "booked"  # each trip has its own
    counter.change("release", held)
    assert sell(counter, 2)["status"] == "booked"
    counter.cancel(booking)
    assert sell(counter, 1)["status"] == "booked"


def test_credit_is_the_most_cash_that_is_not_handed_over(counter: SchemaApi, clock: Clock) -> None:
    put_agent(counter, credit_limit="520.00")
    booking = sell(counter, 1)
    held = counter.hold(2, sold_by="kumar", seconds=60)
    assert cash(counter) == ("260.00", "260.00")
    before = counter.everything()
    assert sell(counter, 3, bus_id=1, travel_date=OTHER_DAY) == {
        "reason": "credit_used_up", "currency": "INR", "credit_left": "0.00",
        "message": "Your credit is 520.00, and 0.00 of it is left; these tickets cost 260.00. "
        "Hand over the cash to KSRTC.",
    }  # fmt: skip
    assert counter.everything() == before
    counter.cancel(booking)  # 130.00 is paid back
    assert sell(counter, 3)["credit_left"] == "130.00"
    clock.advance(seconds=61)
    assert sell(counter, 3)["status"] == "booked"
    assert counter.change("confirm", held, account="kumar")["credit_left"] == "130.00"
    put_agent(counter, credit_limit=None)
    assert counter.change("confirm", held, account="kumar")["status"] == "booked"
    assert cash(counter) == ("650.00", "0.00")


def test_only_the_agent_confirms_its_hold(counter: SchemaApi) -> None:
    put_agent(counter, credit_limit="260.00")
    held = counter.hold(1, sold_by="kumar")
    before = counter.everything()
    for account in (None, "latha", "meera"):
        assert counter.change("confirm", held, account=account)["reason"] == "not_an_agent"
    assert counter.everything() == before
    assert counter.change("confirm", held, phone=None, account="kumar")["status"] == "booked"
    assert cash(counter) == ("260.00", "0.00")


def test_only_the_agent_exchanges_for_a_higher_fare(counter: SchemaApi) -> None:
    put_agent(counter, credit_limit="280.00")
    booking = sell(counter, 1, from_stop=1, to_stop=3)  # for 180.00
    longer = {"from_stop": 1, "to_stop": 5, "travel_date": OTHER_DAY, "due": "80.00"}
    before = counter.everything()
    refusal = counter.change("exchange", booking, **longer)
    assert refusal["reason"] == "not_an_agent"
    assert counter.everything() == before
    other = sell(counter, 2, from_stop=4, to_stop=5)  # for 30.00
    refusal = counter.change("exchange", booking, **longer, account="kumar")
    assert (refusal["reason"], refusal["credit_left"]) == ("credit_used_up", "70.00")
    counter.cancel(other)
    assert counter.change("exchange", booking, **longer, account="kumar")["fare"] == "260.00"
    assert cash(counter) == ("275.00", "0.00")
    shorter = {"from_stop": 1, "to_stop": 3, "travel_date": OTHER_DAY}
    assert counter.change("exchange", booking, **shorter)["fare"] == "180.00"  # the customer


@pytest.mark.parametrize("account", [None, "kumar"])
def test_exchange_uses_the_quota_of_the_new_trip(counter: SchemaApi, account: str | None) -> None:
    """Also of an agent that may not sell any more: the customer exchanges what costs nothing."""
    put_agent(counter, quotas=[{"bus_id": 1, "seats": 2}], credit_limit="1040")
    booking, later = sell(counter, 1, 2), sell(counter, 1, travel_date=OTHER_DAY)
    put_agent(counter, credit_limit="0", active=account is not None)
    before = counter.everything()
    refusal = counter.change("exchange", booking, travel_date=OTHER_DAY, account=account)
    assert (refusal["reason"], refusal["limit"], refusal["seats_left"]) == ("quota_used_up", 2, 1)
    assert counter.everything() == before
    put_agent(counter, quotas=[{"bus_id": 1, "seats": 1}])
    assert counter.change("exchange", booking, seats=[3, 4], account=account)["fare"] == "520.00"
    counter.cancel(later)
    put_agent(counter, quotas=[{"bus_id": 1, "seats": 2}])
    moved = counter.change("exchange", booking, travel_date=OTHER_DAY, account=account)
    assert moved["travel_date"] == OTHER_DAY


def test_agent_sells_in_the_currency_of_its_credit(counter: SchemaApi, database: Database) -> None:
    add_later_bus(database)
    edit_service(counter, LATER, currency="KWD")
    put_agent(counter, credit_limit="1000")
    refusal = sell(counter, 2, bus_id=LATER)
    assert refusal["reason"] == "not_an_agent"
    assert refusal["message"] == "kumar takes cash in INR; Later Bus (bus 3) is paid in KWD."
    put_agent(counter, agent="latha", currency="KWD", credit_limit="300.125")  # the fare is 300
    assert sell(counter, 2, bus_id=LATER, sold_by="latha")["status"] == "booked"
    refusal = sell(counter, 3, bus_id=LATER, sold_by="latha")
    assert (refusal["reason"], refusal["currency"]) == ("credit_used_up", "KWD")
    assert refusal["credit_left"] == "0.125"


def test_currency_of_an_agent_stays_that_of_its_cash(counter: SchemaApi, clock: Clock) -> None:
    assert put_agent(counter, currency="JPY", credit_limit="1000.50")["field"] == "credit_limit"
    put_agent(counter, credit_limit="1000.50")
    assert put_agent(counter, currency="JPY")["field"] == "credit_limit"
    put_agent(counter, credit_limit=None)
    counter.hold(1, sold_by="kumar", seconds=60)
    before = counter.everything()
    refusal = put_agent(counter, currency="JPY")
    assert (refusal["reason"], refusal["field"]) == ("bad_request", "currency")
    assert counter.everything() == before
    clock.advance(seconds=61)
    assert put_agent(counter, currency="JPY")["currency"] == "JPY"
    put_agent(counter, currency="INR")
    counter.cancel(sell(counter, 1))
    assert put_agent(counter, currency="JPY")["field"] == "currency"
    assert settle(counter, agent="latha", handed_over="100")["balance"] == "-100.00"
    assert put_agent(counter, agent="latha", currency="JPY")["field"] == "currency"


def test_new_agent_has_the_currency_of_most_services_of_its_operator(
    counter: SchemaApi, database: Database
) -> None:
    edit_service(counter, 1, currency="KWD")
    database.query("SELECT api.add_agent('nila', '', 'KSRTC'), api.add_agent('omar', '', 'New Lines')")
    added = database.query("SELECT agent, currency FROM agents WHERE agent IN ('nila', 'omar')")
    assert dict(added) == {"nila": "KWD", "omar": "INR"}


# The terms -------------------------------------------------------------------------------------


def test_edit_of_an_agent_keeps_what_it_does_not_name(counter: SchemaApi) -> None:
    quotas = [{"bus_id": 1, "seats": 4}]
    agent = put_agent(counter, commission_percent="7.5", credit_limit="1000", quotas=quotas)
    assert agent == {
        "agent": "kumar", "operator": "KSRTC", "active": True, "commission_percent": "7.5", "currency": "INR",
        "credit_limit": "1000.00", "cash": "0.00", "held": "0.00", "quotas": quotas,
    }  # fmt: skip
    assert put_agent(counter, active=False) == agent | {"active": False}
    assert "credit_limit" not in put_agent(counter, credit_limit=None, active=True)
    assert put_agent(counter, quotas=[])["quotas"] == []
    page = counter.read("agents", account="meera", limit=1)
    assert ([row["agent"] for row in page["agents"]], page["next"]) == (["kumar"], "kumar")
    page = counter.read("agents", account="root", operator="KSRTC", after="kumar")
    assert [row["agent"] for row in page["agents"]] == ["latha"]


@pytest.mark.parametrize(
    ("args", "refused"),
    [
        ({"agent": "nobody"}, "unknown_agent"),
        ({"account": "other"}, "unknown_agent"),
        ({"account": "other", "operator": "KSRTC"}, "not_yours"),
        ({"account": "root"}, "operator"),
        ({"account": "root", "operator": "KSRTC", "agent": "meera"}, "unknown_agent"),
        ({"quotas": [{"bus_id": 2, "seats": 1}]}, "quotas"),
        ({"quotas": [{"bus_id": 1, "seats": 1}, {"bus_id": 1, "seats": 2}]}, "quotas"),
    ],
)
def test_wrong_edit_is_refused(counter: SchemaApi, args: dict[str, Any], refused: str) -> None:
    answer = put_agent(counter, **args)
    assert refused in (answer["reason"], answer.get("field"))


def test_sales_by_agent(counter: SchemaApi) -> None:
    sell(counter, 1)
    sell(counter, 2, 3, sold_by="latha")
    counter.cancel(counter.book(4), phone=ASHA)
    report = counter.read("sales", account="meera", **{"from": DAY, "to": DAY, "group": "agent"})
    assert [(row.get("agent"), row["tickets"], row["income"]) for row in report["rows"]] == [
        (None, 1, "130.00"),
        ("kumar", 1, "260.00"),
        ("latha", 2, "520.00"),
    ]
    assert report["income"] == "910.00"
