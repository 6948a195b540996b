"""Exchanges of the vehicle of a trip: new seats for all tickets. See tests/support/exchange.py."""

from typing import Any

import psycopg
import pytest

from tests.conftest import Clock
from tests.support.exchange import apply, exchange, plan, read_basis
from tests.support.fleet import add_service, assign, assigned, edit_service, put_vehicle
from tests.support.schema_api import ASHA, DAY, RAVI, Answer, SchemaApi

FOUR = "...D\nss.ss"  # the layout of the service, SEATS, has eight seats
TEN = "...D\nss.ss\nss.ss\ns...s"
TRIP = {"bus_id": 1, "travel_date": DAY}


@pytest.fixture
def small(fleet: SchemaApi) -> SchemaApi:
    """The fleet with vehicles of four and of ten seats."""
    put_vehicle(fleet, "KA09S4", layout=FOUR)
    put_vehicle(fleet, "KA09B10", layout=TEN)
    return fleet


def seats_of(api: SchemaApi, booking: Answer, **args: Any) -> list[int]:
    return [ticket["seat_no"] for ticket in api.show(booking, **args)["tickets"]]


def messages(api: SchemaApi) -> list[str]:
    return [body for (body,) in api.conn.execute("SELECT body FROM messages ORDER BY message_id")]


def test_tickets_move_to_the_new_seats(small: SchemaApi) -> None:
    stays, moves = small.book(2), small.book(7, 8, phone=RAVI)
    before = small.everything()
    planned = exchange(small, "KA09S4", plan=True)
    assert (small.everything(), messages(small), assigned(small)) == (before, [], (None, []))
    done = exchange(small, "KA09S4", reason="The air conditioning is broken.")
    assert {name: done[name] for name in done if name != "trip"} == {
        name: planned[name] for name in planned if name != "trip"
    }
    assert (done["tickets"], done["seated"], done["left_over"]) == (3, 3, [])
    assert (done["trip"]["seats"], done["trip"]["vehicle"]) == (4, "KA09S4")
    new = seats_of(small, moves, phone=RAVI)
    assert {*new, *seats_of(small, stays)} < {1, 2, 3, 4}
    assert len({*new, *seats_of(small, stays)}) == 3
    changed = [move for move in done["moves"] if move["reference"] == moves["reference"]]
    assert {move["from_seat_no"]: move["seat_no"] for move in changed} == dict(zip((7, 8), new, strict=True))
    assert done["moved"] == len(done["moves"])
    (message,) = (body for body in messages(small) if f"Booking {moves['reference']}" in body)
    assert len(messages(small)) == len({move["reference"] for move in done["moves"]})
    seats = f"You now have seats {new[0]} and {new[1]}."
    assert f"The bus was exchanged. {seats} The air conditioning is broken." in message
    assert (len(small.free()), assigned(small)) == (1, ("KA09S4", []))


def test_a_seat_is_given_again_on_another_segment(small: SchemaApi) -> None:
    bookings = [small.book(seat, from_stop=1, to_stop=3) for seat in (5, 6, 7, 8)]
    bookings += [small.book(seat, from_stop=3, to_stop=5) for seat in (1, 6, 7, 8)]
    assert exchange(small, "KA09S4")["left_over"] == []
    for half in (bookings[:4], bookings[4:]):
        assert sorted(seat for booking in half for seat in seats_of(small, booking)) == [1, 2, 3, 4]


def test_parties_without_seats_are_left_over_whole(small: SchemaApi) -> None:
    party, alone, held = small.book(1, 2, 3), small.book(4), small.hold(5, 6)
    waiting = small.book(seats=None, count=3, waitlist=True)
    assert waiting["status"] == "pending"
    done = exchange(small, "KA09S4")
    assert done["left_over"] == [{"reference": held["reference"], "tickets": 2}]
    assert [small.show(b)["status"] for b in (party, alone, held)] == ["booked", "booked", "cancelled"]
    assert any(held["reference"] in body and "Nothing was paid" in body for body in messages(small))
    exchange(small, "KA09F1")
    assert small.show(waiting)["status"] == "booked"


def test_a_booking_without_seats_gets_an_offer_or_its_fare(small: SchemaApi) -> None:
    parties = {b["reference"]: b for b in (small.book(1, 2, 3), small.book(4, 5))}
    (party,) = exchange(small, "KA09S4")["left_over"]
    booking = parties.pop(party["reference"])
    assert len(booking["tickets"]) == party["tickets"]
    assert [small.show(other)["status"] for other in parties.values()] == ["booked"]
    assert small.show(booking)["status"] == "displaced"  # the trip of the next day is offered
    assert sum(party["reference"] in body for body in messages(small)) == 1


def test_a_booking_without_seats_can_have_another_trip(small: SchemaApi) -> None:
    stops = "Bengaluru | - | 11:00 | 0 | 0 \n Mysuru | 14:00 | - | 145 | 260"
    add_service(small, 3, stops)
    booking, other = small.book(1, 2, 3), small.book(4, 5, phone=RAVI)
    left_over = {party["reference"] for party in exchange(small, "KA09S4")["left_over"]}
    displaced, phone = (booking, ASHA) if booking["reference"] in left_over else (other, RAVI)
    shown = small.show(displaced, phone=phone)
    assert (shown["status"], shown["refund"], shown["offers"][0]["trip"]["bus_id"]) == (
        "displaced",
        "0.00",
        3,
    )
    declined = small.change("decline", displaced, phone=phone, offer_no=1)
    assert (declined["status"], declined["refund"]) == ("cancelled", displaced["fare"])


def test_the_passengers_who_are_checked_in_come_first(small: SchemaApi, clock: Clock) -> None:
    large = small.book(1, 2, 3)
    pair = small.book(4, 5, phone=RAVI)
    clock.set("2026-12-05T09:50:00+05:30")
    small.write("check_in", account="ksrtc", reference=pair["reference"])
    assert exchange(small, "KA09S4")["left_over"] == [{"reference": large["reference"], "tickets": 3}]


def test_journeys_that_are_over_need_no_seat(small: SchemaApi, clock: Clock) -> None:
    over = [small.book(seat, from_stop=1, to_stop=2) for seat in (1, 2, 3, 4)]
    on_board = [small.book(seat, from_stop=1, to_stop=5) for seat in (5, 6)]
    later = [small.book(seat, from_stop=3, to_stop=5) for seat in (7, 8)]
    clock.set("2026-12-05T11:15:00+05:30")  # it has left stop 2
    done = exchange(small, "KA09S4")
    assert (done["tickets"], done["seated"], done["left_over"]) == (4, 4, [])
    assert sorted(seat for b in on_board + later for seat in seats_of(small, b)) == [1, 2, 3, 4]
    assert [seats_of(small, b) for b in over] == [[1], [2], [3], [4]]  # where they sat
    manifest = small.read("manifest", account="ksrtc", **TRIP)["stops"]
    assert [p["seat_no"] for p in manifest[1]["alights"]] == [1, 2, 3, 4]


def test_ended_tickets_keep_the_number_of_their_seat(small: SchemaApi, clock: Clock) -> None:
    cancelled, held = small.book(8), small.hold(3)
    small.cancel(cancelled)
    clock.advance(minutes=20)
    assert exchange(small, "KA09S4")["moves"] == []
    assert (seats_of(small, cancelled), seats_of(small, held)) == ([8], [3])
    refused = small.change("confirm", held)
    assert refused["reason"] == "hold_expired"
    assert "Book again" in refused["message"]


def test_a_cheaper_class_is_refunded_and_a_dearer_one_is_free(small: SchemaApi) -> None:
    edit_service(small, seat_classes=[{"name": "Premium", "seats": [1, 2], "amount": "50.00"}])
    put_vehicle(small, "KA09S4", seat_classes=[{"name": "premium", "seats": [4]}])
    premium = [small.book(seat) for seat in (1, 2)]
    plain = [small.book(seat) for seat in (3, 4)]
    held = small.hold(5, from_stop=1, to_stop=2)
    small.change("release", held)
    done = exchange(small, "KA09S4")
    assert done["seated"] == 4
    lowered = [move for move in done["moves"] if move["refund"] != "0.00"]
    assert {(move["from_class"], move["refund"], move["seat_class"]) for move in lowered} == {
        ("Premium", "50.00", None)
    }
    assert float(done["refund"]) == 50 * len(lowered)
    paid = sum(float(b["fare"]) for b in (*plain, *premium)) - 50 * len(lowered)
    assert paid_total(small) == paid == sum(float(small.show(b)["fare"]) for b in (*plain, *premium))
    assert sum("50.00 is refunded" in body for body in messages(small)) == len(lowered)
    exchange(small, "KA09F1")  # nobody pays again
    assert paid_total(small) == paid


def test_refund_of_a_cheaper_class_is_paid_from_the_cash_of_the_agent(small: SchemaApi) -> None:
    edit_service(small, seat_classes=[{"name": "Premium", "seats": [1, 2], "amount": "50.00"}])
    small.conn.execute("SELECT api.add_agent('kumar', '', 'KSRTC')")
    assert small.book(1, sold_by="kumar")["fare"] == "310.00"
    assert exchange(small, "KA09S4")["refund"] == "50.00"
    settlement = small.read("settlement", account="kumar")
    assert (settlement["charges"], settlement["refunds"]) == ("310.00", "50.00")


def paid_total(api: SchemaApi) -> float:
    statement = "SELECT sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) FROM payments"
    ((total,),) = api.conn.execute(statement).fetchall()
    return float(total)


def test_back_to_the_first_vehicle(small: SchemaApi) -> None:
    assign(small, vehicle="KA09F1", drivers=["D1"])
    booking = small.book(7, 8)
    exchange(small, "KA09S4")
    seats = seats_of(small, booking)
    assert (len(small.free()), assigned(small)) == (2, ("KA09S4", ["D1"]))
    done = exchange(small, "KA09F1")
    assert done["moves"] == []
    assert seats_of(small, booking) == seats
    assert small.free() == sorted({1, 2, 3, 4, 5, 6, 7, 8} - set(seats))
    assert small.conn.execute("SELECT own_seats FROM trips WHERE own_seats IS NOT NULL").fetchall() == []


def test_a_larger_vehicle_sells_more_seats(small: SchemaApi) -> None:
    booked = [small.book(1, 2, 3, 4, 5, 6), small.book(7, 8)]
    waiting = small.book(count=2, waitlist=True)
    assert exchange(small, "KA09B10")["moves"] == []
    assert [seats_of(small, b) for b in booked] == [[1, 2, 3, 4, 5, 6], [7, 8]]
    assert (small.show(waiting)["status"], seats_of(small, waiting)) == ("booked", [9, 10])


def test_blocked_seats_stay_blocked(small: SchemaApi) -> None:
    small.write("block_seats", account="ksrtc", seats=[1, 8], **TRIP)
    small.write("block_seats", account="ksrtc", seats=[2], from_stop=1, to_stop=3, **TRIP)
    bookings = [small.book(5), small.book(6, from_stop=3, to_stop=5), small.book(7)]
    assert exchange(small, "KA09S4")["left_over"] == []
    assert sorted(seat for b in bookings for seat in seats_of(small, b)) == [2, 3, 4]
    assert seats_of(small, bookings[1]) == [2]
    assert (small.free(1, 3), small.free(3, 5)) == ([], [])
    exchange(small, "KA09F1")
    assert 1 not in small.free()


def test_blocked_seats_of_the_service_come_back(small: SchemaApi) -> None:
    edit_service(small, blocked_seats=[8])
    booking = small.book(7)
    exchange(small, "KA09S4")
    exchange(small, "KA09F1")
    assert small.free() == sorted({1, 2, 3, 4, 5, 6, 7} - set(seats_of(small, booking)))


def test_seats_for_women_are_for_women(small: SchemaApi) -> None:
    put_vehicle(small, "KA09S4", women_seats=[3, 4])
    man = small.book(3)
    woman = small.book(8, passengers=[{"name": "Asha", "gender": "female"}])
    exchange(small, "KA09S4")
    assert seats_of(small, man)[0] in (1, 2)
    assert small.book(count=3)["reason"] == "sold_out"
    assert seats_of(small, woman)[0] in (1, 2, 3, 4)


def test_accessible_seats_are_for_passengers_who_ask_for_one(small: SchemaApi) -> None:
    edit_service(small, accessible_seats=[8])
    put_vehicle(small, "KA09S4", accessible_seats=[1])
    other, asked = small.book(1), small.book(8, passengers=[{"name": "Asha", "accessible": True}])
    exchange(small, "KA09S4")
    assert (seats_of(small, asked), seats_of(small, other)[0] > 1) == ([1], True)


def test_a_plan_is_refused_after_a_booking_or_a_change_of_the_vehicle(small: SchemaApi) -> None:
    small.book(7)
    planned = plan(read_basis(small, "KA09S4"))
    small.book(8, phone=RAVI)
    before = small.everything()
    assert apply(small, "KA09S4", planned)["reason"] == "plan_changed"
    assert small.everything() == before
    planned = plan(read_basis(small, "KA09S4"))
    put_vehicle(small, "KA09S4", women_seats=[1])
    assert apply(small, "KA09S4", planned)["reason"] == "plan_changed"
    assert "reason" not in apply(small, "KA09S4", plan(read_basis(small, "KA09S4")))


@pytest.mark.parametrize(
    ("seats", "left_over"),
    [([], []), ([1], []), ([1, 1], []), ([1, 5], []), ([1, 2], True), ([1], True)],
)
def test_wrong_seats_change_nothing(small: SchemaApi, seats: list[int], left_over: list[str] | bool) -> None:
    booking = small.book(7, 8)
    reference = booking["reference"]
    chosen = [{"reference": reference, "ticket_no": n, "seat_no": seat} for n, seat in enumerate(seats, 1)]
    planned = {"version": read_basis(small, "KA09S4")["version"], "counts": {}, "seats": chosen}
    before = small.everything()
    with pytest.raises(psycopg.Error):
        apply(small, "KA09S4", planned | {"left_over": [reference] if left_over else []})
    assert small.everything() == before


def test_exchanges_that_are_refused(small: SchemaApi, clock: Clock) -> None:
    assert exchange(small, "KA09X9")["reason"] == "unknown_vehicle"
    put_vehicle(small, "KA09S5", layout=FOUR, in_service=False)
    assert exchange(small, "KA09S5")["reason"] == "not_in_service"
    assert read_basis(small, "KA09S4", "srs")["reason"] == "not_yours"
    assert read_basis(small, "KA09S4", travel_date="2025-01-01")["reason"] == "unknown_trip"
    assign(small, {"bus_id": 3, "travel_date": DAY}, vehicle="KA09B10")
    before = small.everything()
    refused = exchange(small, "KA09B10")
    assert (refused["reason"], refused["other_trip"]["bus_id"]) == ("already_assigned", 3)
    assert small.everything() == before
    planned = plan(read_basis(small, "KA09S4"))
    small.conn.execute("SELECT api.cancel_trip(1, %s)", (DAY,))
    assert apply(small, "KA09S4", planned)["reason"] == "trip_cancelled"
    clock.set("2026-12-05T23:00:00+05:30")
    small.conn.execute("UPDATE trips SET state = 'open' WHERE bus_id = 1 AND travel_date = %s", (DAY,))
    assert exchange(small, "KA09S4")["reason"] == "departed"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"women_seats": [5]}, "women_seats[0]"),
        ({"women_seats": [1], "accessible_seats": [1]}, "accessible_seats[0]"),
        ({"seat_classes": [{"name": n, "seats": [1]} for n in "Aa"]}, "seat_classes[1].name"),
        ({"seat_classes": [{"name": "A", "seats": [9]}]}, "seat_classes[0].seats[0]"),
    ],
)
def test_wrong_seats_of_a_vehicle_are_refused(small: SchemaApi, fields: Answer, field: str) -> None:
    refused = put_vehicle(small, "KA09S4", **fields)
    assert (refused["reason"], refused["field"]) == ("bad_request", field)


def test_the_seats_of_a_vehicle_are_edited(small: SchemaApi) -> None:
    lists = {"seat_classes": [{"name": "A", "seats": [1]}], "women_seats": [2], "accessible_seats": [3]}
    shown = put_vehicle(small, "KA09S4", **lists)
    assert shown.items() >= lists.items()
    assert not lists.keys() & put_vehicle(small, "KA09S4", **{name: [] for name in lists}).keys()


def test_passengers_who_keep_their_seats_get_no_message(small: SchemaApi) -> None:
    small.book(1, phone=ASHA)
    exchange(small, "KA09S4")
    assert messages(small) == []
