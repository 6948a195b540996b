"""Exchange of a booking for another trip, other stops, another class or other seats, with its quote."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Clock, Database
from tests.support.fleet import edit_service
from tests.support.offers import displace
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, RAVI, Answer, SchemaApi

EXPRESS = """
    SELECT api.add_service(
        bus_id => 3, name => 'Express', operator => 'KSRTC', sales_days => 14, layout => 'ss', stops => $$
            Bengaluru | -     | 09:00 |   0 |   0
            Mandya    | 10:30 | 10:35 | 100 | 200
            Mysuru    | 11:30 | -     | 145 | 300
        $$)
"""
CLASSES = [{"name": "Front", "seats": [1, 2, 3, 4], "amount": "40.00"}]
TIERS = [{"hours": 48, "percent": "80"}, {"hours": 2, "percent": "30"}]


@pytest.fixture(autouse=True)
def express(database: Database) -> None:
    """A second service of KSRTC, with two seats."""
    database.query(EXPRESS)


def quote(api: SchemaApi, booking: Answer, **args: Any) -> Answer:
    return api.change("exchange_quote", booking, **args)


def exchange(api: SchemaApi, booking: Answer, **args: Any) -> Answer:
    """Exchange a booking at any amount."""
    return api.change("exchange", booking, **{"due": "9999", **args})


def amounts(answer: Answer) -> tuple[str, ...]:
    return tuple(answer[name] for name in ("paid", "fare", "fee", "withheld", "due", "refund"))


def seats_of(booking: Answer) -> list[int | None]:
    return [ticket["seat_no"] for ticket in booking["tickets"]]


def paid(database: Database) -> Decimal:
    return database.value("SELECT sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) FROM payments")


# What can be exchanged --------------------------------------------------------------------------


def test_another_date(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2)
    shown = quote(api, booking, travel_date=OTHER_DAY)
    assert amounts(shown) == ("520.00", "520.00", "0.00", "0.00", "0.00", "0.00")
    assert shown["journey"]["departs_at"] == "2026-12-06T10:00:00+05:30"
    assert shown["valid_until"] == "2026-12-05T10:00:00+05:30"
    assert [(ticket["ticket_no"], ticket["fare"]) for ticket in shown["tickets"]] == [
        (1, "260.00"),
        (2, "260.00"),
    ]
    assert api.show(booking) == booking  # the quote has changed nothing
    exchanged = api.change("exchange", booking, travel_date=OTHER_DAY)
    assert exchanged["exchange"]["due"] == "0.00"
    assert seats_of(exchanged) == [ticket["seat_no"] for ticket in shown["tickets"]]
    assert (exchanged["reference"], exchanged["travel_date"]) == (booking["reference"], OTHER_DAY)
    assert api.seats("taken") == []
    assert paid(database) == 520


def test_another_service_of_the_operator(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2, from_stop=1, to_stop=3)
    shown = quote(api, booking, bus_id=3)
    assert amounts(shown) == ("360.00", "400.00", "0.00", "0.00", "40.00", "0.00")
    journey = shown["journey"]
    assert (journey["bus_id"], journey["travel_date"], journey["destination"]) == (3, DAY, "Mandya")
    refusal = api.change("exchange", booking, bus_id=3)
    assert (refusal["reason"], refusal["due"]) == ("other_amount", "40.00")
    assert "give it as `due`" in refusal["message"]
    moved = api.change("exchange", booking, bus_id=3, due="40.00")
    assert (moved["bus_id"], moved["fare"], seats_of(moved)) == (3, "400.00", [1, 2])
    assert database.query("SELECT bus_id, kind, amount FROM payments ORDER BY ticket_no, payment_no") == 2 * [
        (3, "charge", Decimal(180)), (3, "charge", Decimal(20))
    ]  # fmt: skip


def test_boarding_date_of_the_new_journey(api: SchemaApi) -> None:
    moved = exchange(api, api.book(1), bus_id=3, boarding_date=OTHER_DAY)
    assert (moved["bus_id"], moved["travel_date"]) == (3, OTHER_DAY)
    assert exchange(api, moved, boarding_date="2026-12-07")["travel_date"] == "2026-12-07"
    refusal = exchange(api, moved, boarding_date="2027-12-07")
    assert refusal["reason"] == "unknown_trip" and refusal["dates"]


@pytest.mark.parametrize(
    ("wanted", "segment", "fare"),
    [
        ({"destination": "Mysuru"}, (1, 5), "260.00"),
        ({"to_stop": 2}, (1, 2), "90.00"),
        ({"origin": "Ramanagara"}, (2, 3), "90.00"),
        ({"from_stop": 3, "to_stop": 5}, (3, 5), "80.00"),
        ({"origin": "Mandya", "to_stop": 4}, (3, 4), "50.00"),
    ],
)
def test_other_stops_of_the_same_trip(
    api: SchemaApi, wanted: Answer, segment: tuple[int, int], fare: str
) -> None:
    """The tickets keep their seats, which are free for them on the new segment."""
    booking = api.book(7, 8, from_stop=1, to_stop=3)
    exchanged = exchange(api, booking, **wanted)
    assert (exchanged["from_stop"], exchanged["to_stop"]) == segment
    assert exchanged["tickets"][0]["fare"] == fare
    assert seats_of(exchanged) == [7, 8]
    assert api.seats("taken") == [7, 8]
    assert api.free(*segment) == [1, 2, 3, 4, 5, 6]


def test_tickets_keep_their_seats_on_another_trip_with_the_same_layout(
    api: SchemaApi, database: Database
) -> None:
    booking = exchange(api, api.book(7, 8), travel_date="2026-12-06")
    assert (booking["travel_date"], seats_of(booking)) == ("2026-12-06", [7, 8])
    api.book(7)
    back = exchange(api, booking, travel_date="2026-12-05")
    assert 7 not in seats_of(back)  # taken there
    assert [terms["seat_no"] for terms in quote(api, booking, bus_id=3)["tickets"]] == [1, 2]  # has no seat 7
    database.query("UPDATE bus_info SET women_seats = '{7}' WHERE bus_id = 1")
    assert 7 not in seats_of(exchange(api, back, travel_date="2026-12-06"))


def test_longer_segment_on_which_a_seat_is_sold(api: SchemaApi) -> None:
    booking = api.book(1, 2, from_stop=1, to_stop=3)
    api.book(2, from_stop=3, to_stop=5, phone=RAVI)
    seats = seats_of(exchange(api, booking, destination="Mysuru"))
    assert len(seats) == 2 and 2 not in seats


def test_seats_of_the_party_itself_are_free_for_it(api: SchemaApi) -> None:
    booking = api.book(1, 2)
    assert seats_of(exchange(api, booking, seats=[2, 1])) == [2, 1]
    assert seats_of(exchange(api, booking, seats=[2, 3])) == [2, 3]
    assert api.seats("taken") == [2, 3]


def test_another_class(api: SchemaApi, database: Database) -> None:
    booking = api.book(8)
    database.query("UPDATE bus_info SET seat_classes = %s WHERE bus_id = 1", json.dumps(CLASSES))
    assert quote(api, booking, destination="Srirangapatna")["tickets"][0]["seat_no"] == 8
    front = exchange(api, booking, seat_class="front")
    assert seats_of(front)[0] in (1, 2, 3, 4)
    assert front["exchange"] == {
        "paid": "260.00", "fare": "300.00", "fee": "0.00", "withheld": "0.00", "due": "40.00",
        "refund": "0.00", "currency": "INR",
    }  # fmt: skip
    other_day = exchange(api, front, travel_date=OTHER_DAY)
    assert seats_of(other_day)[0] in (1, 2, 3, 4)  # the class stays
    without = exchange(api, other_day, bus_id=3)
    assert without["fare"] == "300.00"
    assert exchange(api, without, bus_id=1, seat_class="Sky")["reason"] == "unknown_class"


def test_fares_of_today_with_concession_and_promo_code(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET concessions = %s", json.dumps([{"name": "Student", "percent": "50"}]))
    database.query(
        "INSERT INTO promo_codes (operator, code, percent, max_uses) VALUES ('KSRTC', 'TEN', 10, 1)"
    )
    booking = api.book(1, passengers=[{"name": "Asha", "concession": "Student"}], promo_code="TEN")
    assert booking["fare"] == "117.00"
    moved = exchange(api, booking, bus_id=3)
    assert moved["fare"] == "135.00"  # 300, 50 %, 10 %: the only use of the code is this ticket's
    assert api.book(2, promo_code="TEN", phone=RAVI)["reason"] == "promo_code_used_up"
    database.query("UPDATE promo_codes SET services = '{3}'")
    back = exchange(api, moved, bus_id=1)
    assert back["fare"] == "130.00"
    assert [part["part"] for part in back["tickets"][0]["fare_parts"]] == ["segment", "concession"]
    database.query("UPDATE bus_info SET concessions = NULL")
    assert exchange(api, back, bus_id=3)["reason"] == "unknown_concession"


# Money -------------------------------------------------------------------------------------------


def test_fee_and_lower_fare(api: SchemaApi, database: Database) -> None:
    """A lower fare is refunded as a cancellation refunds it, here 50 %, and the fee is kept."""
    database.query("UPDATE bus_info SET exchange_fee = 15")
    booking = api.book(1, 2)
    shown = quote(api, booking, destination="Mandya")
    assert amounts(shown) == ("520.00", "360.00", "30.00", "80.00", "0.00", "50.00")
    assert api.change("exchange", booking, destination="Mandya", refund="50.01")["reason"] == "other_amount"
    exchanged = api.change("exchange", booking, destination="Mandya", refund="50")
    assert (exchanged["fare"], exchanged["refund"]) == ("360.00", "0.00")
    assert paid(database) == 470
    assert api.cancel(booking)["refund"] == "180.00"


def test_fee_that_is_higher_than_the_refund(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET exchange_fee = 50")
    booking = api.book(1)
    assert amounts(quote(api, booking, destination="Mandya"))[-2:] == ("10.00", "0.00")
    exchange(api, booking, destination="Mandya")
    assert paid(database) == 270


def test_refunded_amount_does_not_count_as_paid(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 50")
    booking = api.book(1)
    api.change("alight", booking, at="Mandya")  # 40 of 260 refunded
    assert amounts(quote(api, booking, destination="Mysuru"))[:5] == (
        "220.00",
        "260.00",
        "0.00",
        "0.00",
        "40.00",
    )
    exchange(api, booking, travel_date=OTHER_DAY, destination="Mysuru")
    assert api.change("alight", booking, at="Mandya")["refund"] == "40.00"
    assert paid(database) == 220


def test_exchange_does_not_escape_the_refund_tiers(api: SchemaApi, database: Database, clock: Clock) -> None:
    database.query("UPDATE bus_info SET refund_tiers = %s", json.dumps(TIERS))
    booking = api.book(1)
    assert quote(api, booking, bus_id=3)["valid_until"] == "2026-12-03T10:00:00+05:30"
    clock.set("2026-12-05 07:00+05:30")  # 30 % is left
    exchange(api, booking, travel_date="2026-12-12")
    assert [tier["percent"] for tier in api.show(booking)["refund_tiers"]] == ["30", "30"]
    assert api.read("cancel_quote", reference=booking["reference"], phone=ASHA)["refund"] == "78.00"
    exchange(api, booking, travel_date="2026-12-13")
    assert api.cancel(booking)["refund"] == "78.00"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hours=st.integers(0, 96),  # at 97 the bus departs, and nothing can be cancelled
    days=st.lists(st.integers(4, 13), min_size=1, max_size=3),
    stops=st.lists(st.sampled_from([2, 3, 4, 5]), min_size=3, max_size=3),
    fee=st.integers(0, 30),
)
def test_exchange_and_cancellation_refund_no_more_than_cancellation(
    database: Database, clock: Clock, hours: int, days: list[int], stops: list[int], fee: int
) -> None:
    """A traveller who exchanges a booking and cancels it has paid no less than one who only cancels."""
    clock.set("2026-12-01 09:00+05:30")
    database.query("UPDATE bus_info SET refund_tiers = %s, exchange_fee = %s", json.dumps(TIERS), fee)
    with SchemaApi.open(database) as api:
        booking, alone = api.book(count=2), api.book(count=2)
        clock.advance(hours=hours)
        alone = api.cancel(alone)
        for day, stop in zip(days, stops, strict=False):
            exchange(api, booking, travel_date=f"2026-12-{day + 1:02}", from_stop=1, to_stop=stop)
        api.cancel(booking)
        kept = dict(
            database.query(
                "SELECT reference, sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END)"
                " FROM payments GROUP BY reference"
            )
        )
        assert kept[booking["reference"]] >= kept[alone["reference"]]


# What cannot be exchanged --------------------------------------------------------------------------


def refused(api: SchemaApi, booking: Answer, **args: Any) -> str:
    """The reason why an exchange and its quote are refused. Neither changes anything."""
    before = api.everything()
    refusal = exchange(api, booking, **args)
    assert quote(api, booking, **{k: v for k, v in args.items() if k != "due"}) == refusal
    assert api.everything() == before
    return str(refusal["reason"])


def test_states_of_a_booking(api: SchemaApi, clock: Clock) -> None:
    held = api.hold(1)
    assert refused(api, held, travel_date=OTHER_DAY) == "not_held"
    cancelled = api.cancel(api.book(2))
    assert refused(api, cancelled, travel_date=OTHER_DAY) == "already_cancelled"
    api.book(3, 4, 5, 6, 7, 8)
    api.book(2)
    waiting = api.book(count=1, waitlist=True)
    assert refused(api, waiting, travel_date=OTHER_DAY) == "not_held"
    clock.set("2026-12-05 10:00+05:30")
    assert exchange(api, held, travel_date=OTHER_DAY)["reason"] == "departed"


def test_checked_in(api: SchemaApi, database: Database, clock: Clock) -> None:
    database.query("SELECT api.add_operator('manager', 'hash', 'KSRTC')")
    booking = api.book(1, 2)
    clock.set("2026-12-05 09:50+05:30")
    api.write("check_in", reference=booking["reference"], account="manager", tickets=[1])
    assert refused(api, booking, travel_date=OTHER_DAY) == "checked_in"


def test_deadline_of_the_service(api: SchemaApi, database: Database, clock: Clock) -> None:
    database.query("UPDATE bus_info SET exchange_until = '4 hours'")
    booking = api.book(1)
    assert quote(api, booking, travel_date=OTHER_DAY)["valid_until"] == "2026-12-05T06:00:00+05:30"
    clock.set("2026-12-05 06:00+05:30")
    assert refused(api, booking, travel_date=OTHER_DAY) == "not_exchangeable"
    assert "until 4 hours before" in exchange(api, booking, travel_date=OTHER_DAY)["message"]
    database.query("UPDATE bus_info SET exchange_until = NULL")
    clock.set("2026-12-01 09:00+05:30")
    assert refused(api, booking, travel_date=OTHER_DAY) == "not_exchangeable"


def test_other_operator_and_other_currency(api: SchemaApi, database: Database) -> None:
    booking = api.book(1)
    assert refused(api, booking, bus_id=2) == "not_exchangeable"
    database.query("UPDATE bus_info SET currency = 'USD' WHERE bus_id = 3")
    assert refused(api, booking, bus_id=3) == "not_exchangeable"
    assert refused(api, booking, bus_id=99) == "unknown_trip"


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"bus_id": 3}, "sold_out"),
        ({"bus_id": 3, "seats": [1, 2]}, "seat_taken"),
        ({"seats": [1]}, "bad_request"),
        ({"seats": [1, 1]}, "bad_request"),
        ({"seats": [1, 99]}, "unknown_seat"),
        ({"travel_date": "2026-11-30"}, "unknown_trip"),
        ({"destination": "Ooty"}, "not_on_route"),
        ({"origin": "Mysuru"}, "not_on_route"),
        ({"destination": "Nowhere"}, "unknown_place"),
        ({"seats": [1, 2], "seat_class": "Front"}, "bad_request"),
    ],
)
def test_refused_exchange_changes_nothing(api: SchemaApi, wanted: Answer, reason: str) -> None:
    booking = api.book(1, 2)
    api.book(1, bus_id=3, phone=RAVI)
    assert refused(api, booking, **wanted) == reason


def test_rules_of_the_new_trip(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2)
    database.query("UPDATE bus_info SET max_seats = 1 WHERE bus_id = 3")
    assert refused(api, booking, bus_id=3) == "too_many_seats"
    database.query("UPDATE bus_info SET max_seats = 6, shortest_segment_km = 146 WHERE bus_id = 3")
    assert refused(api, booking, bus_id=3) == "too_short"
    database.query("UPDATE bus_info SET shortest_segment_km = NULL, women_seats = '{1}' WHERE bus_id = 3")
    assert refused(api, booking, bus_id=3, seats=[1, 2]) == "reserved_seat"
    assert refused(api, booking, bus_id=3) == "sold_out"
    database.query("UPDATE bus_info SET women_seats = NULL, max_seats_per_account = 2")
    assert "reference" in exchange(api, booking, destination="Mandya")  # its own seats do not count twice
    api.book(1, bus_id=3)
    assert refused(api, booking, bus_id=3) == "too_many_on_trip"


def test_cancelled_trip(api: SchemaApi, database: Database) -> None:
    booking = api.book(1)
    database.query("SELECT api.cancel_trip(1, %s, 'Flooded.')", OTHER_DAY)
    assert refused(api, booking, travel_date=OTHER_DAY) == "trip_cancelled"


# Others ------------------------------------------------------------------------------------------


def test_waitlist_of_the_old_trip_is_promoted(api: SchemaApi) -> None:
    booking = api.book(1, 2)
    api.book(3, 4, 5, 6, 7, 8, phone=RAVI)
    waiting = api.book(count=2, waitlist=True, phone=RAVI)
    exchange(api, booking, travel_date=OTHER_DAY)
    assert api.show(waiting, phone=RAVI)["status"] == "booked"


def test_repeated_key_returns_the_recorded_answer(api: SchemaApi, database: Database) -> None:
    booking = api.book(1)
    wanted = {"bus_id": 3, "due": "40"}
    moved = api.change("exchange", booking, key="k", **wanted)
    assert api.change("exchange", booking, key="k", **wanted) == moved
    assert api.change("exchange", booking, key="k", bus_id=3, due="50")["reason"] == "key_reused"
    assert database.value("SELECT count(*) FROM exchanges") == 1


def test_call_for_a_booking_that_an_earlier_call_of_the_batch_has_moved(api: SchemaApi) -> None:
    booking = api.book(1, 2)

    def call(method: str, **args: Any) -> Answer:
        return {"method": method, "args": {"reference": booking["reference"], "phone": ASHA, **args}}

    rename = call("transfer", ticket_no=1, name="Uma")
    renamed, moved, later = api.batch(
        rename, call("exchange", bus_id=3, due="80"), call("cancel", tickets=[2])
    )
    assert renamed and moved
    assert (renamed["bus_id"], moved["bus_id"], moved["tickets"][0]["name"]) == (3, 3, "Uma")
    assert later is None  # it is sent again
    (cancelled,) = api.batch(call("cancel", tickets=[2]))
    assert cancelled and cancelled["refund"] == "150.00"


def test_booking_with_one_ticket_left_is_exchanged(api: SchemaApi, database: Database) -> None:
    booking = api.cancel(api.book(1, 2), 2)
    moved = exchange(api, booking, bus_id=3, seats=[2])
    assert seats_of(moved) == [2, None]
    assert (moved["fare"], moved["refund"]) == ("560.00", "130.00")
    assert paid(database) == 430


def displaced(api: SchemaApi, database: Database) -> Answer:
    """A booking that has lost its seats, with an offer of the other service."""
    booking = api.book(1, 2)
    with database.conn.transaction():
        database.query("SELECT api.lock_trip(1, %s)", DAY)
        database.query("SELECT api.displace(1, %s, %s)", DAY, [booking["reference"]])
        database.query("SELECT api.make_offer(1, %s, 'The bus is smaller.', 'refund')", booking["reference"])
    return api.show(booking)


def test_displaced_booking_is_exchanged_without_fee_and_loss(api: SchemaApi, database: Database) -> None:
    """Its offer is withdrawn, and the seats of the offer are free again."""
    database.query("UPDATE bus_info SET exchange_fee = 15, exchange_until = NULL")
    booking = displaced(api, database)
    assert booking["status"] == "displaced" and booking["offers"]
    shown = quote(api, booking, travel_date=OTHER_DAY, destination="Mandya")
    assert amounts(shown) == ("520.00", "360.00", "0.00", "0.00", "0.00", "160.00")
    assert api.show(booking) == booking
    exchanged = exchange(api, booking, travel_date=OTHER_DAY, destination="Mandya")
    assert (exchanged["status"], "offers" in exchanged) == ("booked", False)
    assert database.query("SELECT state FROM offers") == ["withdrawn"]
    assert api.free(1, 3, bus_id=3) == [1, 2]
    assert paid(database) == 360


# Offers and other terms ------------------------------------------------------------------------


def test_open_offer_of_a_whole_refund_is_kept_by_an_exchange(api: SchemaApi) -> None:
    """A cancellation would refund everything, so there is no fee, and nothing is withheld."""
    edit_service(api, exchange_fee="20", whole_refund_delay="1 hour")
    api.conn.execute("SELECT api.add_operator('conductor', '', 'KSRTC')")
    booking = api.book(1)
    api.write("delay_trip", bus_id=1, travel_date=DAY, account="conductor", minutes=90)
    assert api.read("cancel_quote", reference=booking["reference"], phone=ASHA)["refund"] == "260.00"
    shown = quote(api, booking, destination="Mandya")
    assert amounts(shown) == ("260.00", "180.00", "0.00", "0.00", "0.00", "80.00")
    assert exchange(api, booking, destination="Mandya")["exchange"]["refund"] == "80.00"


def test_quote_for_a_displaced_booking_ends_with_its_offer(api: SchemaApi, database: Database) -> None:
    booking = api.book(1)
    displace(database, booking["reference"])
    (offer,) = api.show(booking)["offers"]
    assert offer["valid_until"] < booking["departs_at"]
    assert quote(api, booking, travel_date=OTHER_DAY)["valid_until"] == offer["valid_until"]


@pytest.mark.parametrize(
    ("before", "refund"),
    [
        ({"refund_percent": "0", "alight_refund_percent": "0"}, "0.00"),
        ({"refund_percent": "30", "alight_refund_percent": "0"}, "90.00"),
        ({"refund_percent": "0", "alight_refund_percent": "20"}, "34.00"),
        ({"refund_percent": "100", "alight_refund_percent": "0"}, "100.00"),
    ],
)
def test_alighting_after_an_exchange_refunds_no_more_than_before_it(
    api: SchemaApi, before: Answer, refund: str
) -> None:
    """The most is what a cancellation or alighting would have refunded at the time of the exchange."""
    edit_service(api, **before)
    booking = api.book(1)
    edit_service(api, 3, alight_refund_percent="100")
    exchange(api, booking, bus_id=3)
    assert api.change("alight", booking, at="Mandya")["refund"] == refund


def test_income_of_a_trip_has_what_exchanges_kept(api: SchemaApi, database: Database) -> None:
    edit_service(api, exchange_fee="15")
    api.cancel(exchange(api, api.book(1, 2), destination="Mandya"), 2)
    income = "SELECT sum(income) FROM busware_reports.trips"
    assert database.value(income) == paid(database)
