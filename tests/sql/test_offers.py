"""Offers to bookings whose journey the operator has changed, and the ends of an offer."""

from datetime import date
from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.offers import CAUSE, LATER, add_later_bus, add_service, displace
from tests.support.schema_api import ASHA, DAY, RAVI, Answer, SchemaApi, audit

TRAVEL_DATE = date.fromisoformat(DAY)


@pytest.fixture(autouse=True)
def later_bus(database: Database) -> None:
    database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")
    add_later_bus(database)


def keep(database: Database, booking: Answer) -> int | None:
    """Make an offer to a booking that stays booked without an answer."""
    with database.connect() as conn:
        query = "SELECT api.make_offer(%s, %s, %s, 'keep')"
        ((offer_no,),) = conn.execute(query, (booking["bus_id"], booking["reference"], CAUSE)).fetchall()
        return offer_no


def messages(database: Database, booking: Answer) -> list[str]:
    query = "SELECT body FROM messages WHERE reference = %s ORDER BY message_id"
    return database.query(query, booking["reference"])


def held(database: Database, bus_id: int = LATER) -> list[Any]:
    return database.query(
        "SELECT seat_no FROM passengers WHERE bus_id = %s AND status = 'held' ORDER BY 1", bus_id
    )


def refunds(database: Database, booking: Answer) -> list[str]:
    query = "SELECT amount::text FROM payments WHERE reference = %s AND kind = 'refund' ORDER BY ticket_no"
    return database.query(query, booking["reference"])


# What is offered -------------------------------------------------------------------------------


def test_displaced_party_is_offered_seats_of_the_next_trip(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2)
    displace(database, booking["reference"])
    shown = api.show(booking)
    assert (shown["status"], [t["seat_no"] for t in shown["tickets"]], shown["refund"]) == (
        "displaced", [None, None], "0.00",
    )  # fmt: skip
    (offer,) = shown["offers"]
    assert offer == {
        "reference": booking["reference"], "offer_no": 1, "state": "open", "cause": CAUSE,
        "unanswered": "refund",
        "valid_until": "2026-12-02T09:00:00+05:30", "refund": "520.00", "currency": "INR",
        "trip": {
            "kind": "bus", "name": "Later Bus", "operator": "KSRTC", "bus_id": LATER, "travel_date": DAY,
            "boarding_date": DAY, "origin": "Bengaluru", "destination": "Mysuru",
            "from_stop": 1, "to_stop": 2,
            "departs_at": "2026-12-05T12:00:00+05:30", "arrives_at": "2026-12-05T14:45:00+05:30",
            "seats": held(database),
        },
    }  # fmt: skip
    assert len(held(database)) == 2
    assert {1, 2} <= set(api.free())
    assert messages(database, booking) == [
        f"Booking {booking['reference']}, Day Bus (1) of 2026-12-05 from Bengaluru to Mysuru: "
        "A smaller bus runs. Offer 1, until 2026-12-02 09:00: Later Bus (bus 3), departs 2026-12-05 12:00, "
        f"seats {held(database)[0]} and {held(database)[1]}. Accept it at the fare that is paid, or decline "
        "it: then 520.00 is refunded, as without an answer."
    ]
    assert audit(database.conn) == []


def test_nearest_trip_is_offered(api: SchemaApi, database: Database) -> None:
    add_service(database, 4, "09:00", "11:45")
    booking = api.book(1)
    displace(database, booking["reference"])
    assert api.show(booking)["offers"][0]["trip"]["bus_id"] == 4


def test_trip_of_another_operator_place_time_or_class_is_not_offered(
    api: SchemaApi, database: Database
) -> None:
    """Without another trip, the whole fare is refunded at once."""
    database.query("UPDATE bus_info SET operator = 'SRS Travels' WHERE bus_id = 3")
    add_service(database, 4, "12:00", "14:45")
    database.query("UPDATE bus_info SET alternative_hours = 1 WHERE bus_id = 1")
    booking = api.book(1, 2)
    displace(database, booking["reference"])
    shown = api.show(booking)
    assert (shown["status"], shown["refund"], "offers" in shown) == ("cancelled", "520.00", False)
    assert refunds(database, booking) == ["260.00", "260.00"]
    (offer,) = api.read("offers", reference=booking["reference"], phone=ASHA)["offers"]
    assert (offer["state"], "trip" in offer) == ("expired", False)
    assert messages(database, booking)[0].endswith(
        "No other trip has seats for the booking, so 520.00 is refunded."
    )


def test_party_keeps_its_class(api: SchemaApi, database: Database) -> None:
    classes = '[{"name": "Front", "seats": [1, 2], "percent": 10}]'
    database.query("UPDATE bus_info SET seat_classes = %s WHERE bus_id IN (1, 3)", classes)
    booking, other = api.book(1, 2), api.book(3)
    displace(database, booking["reference"], other["reference"])
    assert api.show(booking)["offers"][0]["trip"]["seats"] == [1, 2]
    assert api.show(other)["offers"][0]["trip"]["seats"][0] > 2


def test_party_of_several_classes_is_not_divided(api: SchemaApi, database: Database) -> None:
    classes = '[{"name": "Front", "seats": [1, 2], "percent": 10}]'
    database.query("UPDATE bus_info SET seat_classes = %s WHERE bus_id IN (1, 3)", classes)
    booking = api.book(1, 3)
    displace(database, booking["reference"])
    assert api.show(booking)["status"] == "cancelled"


def test_full_trip_is_left_out(api: SchemaApi, database: Database) -> None:
    add_service(database, 4, "14:00", "16:45")
    api.book(count=6, bus_id=LATER)
    booking = api.book(1, 2, 3)
    displace(database, booking["reference"])
    assert api.show(booking)["offers"][0]["trip"]["bus_id"] == 4


def test_offer_lasts_until_the_sale_of_the_other_trip_ends(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    booking = api.book(1)
    clock.set("2026-12-05 09:00+05:30")
    displace(database, booking["reference"])
    assert api.show(booking)["offers"][0]["valid_until"] == "2026-12-05T12:00:00+05:30"


def test_hold_is_released_and_waitlist_promoted(api: SchemaApi, database: Database) -> None:
    booking, hold = api.book(1, 2, 3), api.hold(4)
    api.book(5, 6, 7, 8)
    waiting = api.book(count=2, waitlist=True)
    displace(database, booking["reference"], hold["reference"])
    assert api.show(hold)["status"] == "cancelled"
    assert "Nothing was paid." in messages(database, hold)[0]
    assert api.show(waiting)["status"] == "booked"


def test_new_offer_withdraws_the_earlier_one(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2)
    displace(database, booking["reference"])
    database.query("SELECT api.make_offer(1, %s, 'An earlier bus runs.', 'refund')", booking["reference"])
    offers = api.read("offers", reference=booking["reference"], phone=ASHA)["offers"]
    assert [offer["state"] for offer in offers] == ["withdrawn", "open"]
    assert len(held(database)) == 2
    assert [offer["offer_no"] for offer in api.show(booking)["offers"]] == [2]


def test_displaced_booking_is_found_and_current(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, account="asha")
    displace(database, booking["reference"])
    assert api.read("find", phone=ASHA, date=DAY, place="Bengaluru")["references"] == [booking["reference"]]
    current = api.read("bookings", account="asha", current=True)["bookings"]
    assert [b["reference"] for b in current] == [booking["reference"]]


# Its ends --------------------------------------------------------------------------------------


def test_accepted_booking_moves_to_the_held_seats(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2, phone=ASHA, passengers=[{"name": "Asha"}, {"name": "Ravi"}])
    displace(database, booking["reference"])
    seats = held(database)
    accepted = api.change("accept", booking, key="k")
    assert (accepted["reference"], accepted["bus_id"], accepted["status"], accepted["fare"]) == (
        booking["reference"], LATER, "booked", "520.00",
    )  # fmt: skip
    assert [(t["name"], t["seat_no"]) for t in accepted["tickets"]] == [
        ("Asha", seats[0]),
        ("Ravi", seats[1]),
    ]
    assert "offers" not in accepted
    assert api.change("accept", booking, key="k") == accepted
    assert api.change("accept", booking)["state"] == "accepted"
    assert api.change("decline", booking)["state"] == "accepted"
    assert api.show(booking)["bus_id"] == LATER
    assert api.seats("taken", 1, 2, bus_id=LATER) == seats
    assert refunds(database, booking) == []
    assert api.cancel(booking)["refund"] == "260.00"


def test_remaining_tickets_move(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2, 3)
    displace(database, booking["reference"])
    first, _, last = held(database)
    api.cancel(booking, 2)
    accepted = api.change("accept", booking)
    assert [t["seat_no"] for t in accepted["tickets"]] == [first, None, last]
    assert api.seats("taken", 1, 2, bus_id=LATER) == [first, last]


def test_seat_that_an_accepted_offer_leaves_goes_to_the_waitlist(api: SchemaApi, database: Database) -> None:
    """The waitlist of the other trip gets the seat of a cancelled ticket, and none of the moved ones."""
    booking = api.book(1, 2)
    api.book(count=6, bus_id=LATER)
    displace(database, booking["reference"])
    waiting = [api.book(count=n, bus_id=LATER, waitlist=True) for n in (2, 1)]
    api.cancel(booking, 1)
    assert api.change("accept", booking)["status"] == "booked"
    assert [api.show(party)["status"] for party in waiting] == ["pending", "booked"]


def test_accepted_offer_to_keep_ends_the_right_to_decline(api: SchemaApi, database: Database) -> None:
    booking = api.book(1)
    keep(database, booking)
    accepted = api.change("accept", booking, offer_no=1)
    assert (accepted["status"], accepted["bus_id"], "offers" in accepted) == ("booked", 1, False)
    assert api.change("decline", booking)["state"] == "accepted"
    assert api.cancel(booking)["refund"] == "130.00"


def test_offer_of_another_trip_after_an_accepted_one(api: SchemaApi, database: Database) -> None:
    """Offers are numbered in their booking, wherever it is."""
    booking = api.book(1)
    displace(database, booking["reference"])
    accepted = api.change("accept", booking)
    assert keep(database, accepted) == 2
    offers = api.read("offers", reference=booking["reference"], phone=ASHA)["offers"]
    assert [offer["state"] for offer in offers] == ["accepted", "open"]


def test_accept_is_refused_if_the_other_trip_is_no_longer_possible(
    api: SchemaApi, database: Database
) -> None:
    booking = api.book(1)
    displace(database, booking["reference"])
    database.query("SELECT api.cancel_trip(%s, %s, 'Flood.')", LATER, DAY)
    assert api.change("accept", booking)["state"] == "expired"
    assert api.show(booking)["refund"] == "260.00"


def test_declined_offer_refunds_the_whole_fare(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2)
    displace(database, booking["reference"])
    declined = api.change("decline", booking, key="k")
    assert (declined["status"], declined["refund"], "offers" in declined) == ("cancelled", "520.00", False)
    assert held(database) == []
    assert api.change("decline", booking, key="k") == declined
    refusal = api.change("decline", booking)
    assert (refusal["reason"], refusal["state"]) == ("offer_ended", "declined")


def test_unanswered_offer_expires(api: SchemaApi, database: Database, clock: Clock) -> None:
    booking = api.book(1, 2)
    displace(database, booking["reference"])
    clock.advance(hours=24)
    assert database.query("SELECT * FROM api.due_trips() ORDER BY 1") == [
        (1, TRAVEL_DATE),
        (LATER, TRAVEL_DATE),
    ]
    assert database.value("SELECT api.settle_due(1, %s)", DAY)
    shown = api.show(booking)
    assert (shown["status"], shown["refund"]) == ("cancelled", "520.00")
    assert refunds(database, booking) == ["260.00", "260.00"]
    assert api.change("decline", booking)["state"] == "expired"
    assert len(messages(database, booking)) == 1


def test_answer_after_the_end_is_refused(api: SchemaApi, database: Database, clock: Clock) -> None:
    """The answer itself settles the trip."""
    booking = api.book(1)
    displace(database, booking["reference"])
    clock.advance(hours=25)
    assert api.change("decline", booking)["state"] == "expired"
    assert api.show(booking)["refund"] == "260.00"


def test_cancelling_a_displaced_booking_declines(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2)
    displace(database, booking["reference"])
    assert api.read("cancel_quote", reference=booking["reference"], phone=ASHA)["refund"] == "520.00"
    one = api.cancel(booking, 1)
    assert (one["status"], one["refund"], one["offers"][0]["refund"]) == ("displaced", "260.00", "260.00")
    both = api.cancel(booking)
    assert (both["status"], both["refund"]) == ("cancelled", "520.00")
    (offer,) = api.read("offers", reference=booking["reference"], phone=ASHA)["offers"]
    assert (offer["state"], held(database)) == ("declined", [])


def test_displaced_booking_can_be_declined_after_the_departure(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    booking = api.book(1, 2)
    clock.set("2026-12-05 09:00+05:30")
    displace(database, booking["reference"])
    clock.set("2026-12-05 11:00+05:30")
    api.cancel(booking, 2)
    assert api.change("decline", booking)["refund"] == "520.00"


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("change_seat", {"ticket_no": 1, "seat_no": 3}), ("alight", {"at": "Mandya"}), ("confirm", {}),
        ("release", {}), ("check_in", {"account": "conductor", "bus_id": 1, "travel_date": DAY}),
    ],
)  # fmt: skip
def test_uses_of_the_seat_of_a_displaced_ticket_are_refused(
    api: SchemaApi, database: Database, method: str, args: dict[str, Any]
) -> None:
    booking = api.book(1)
    displace(database, booking["reference"])
    before = api.everything()
    assert api.change(method, booking, **args)["reason"] == "displaced"
    assert api.everything() == before


def test_other_trip_is_cancelled(api: SchemaApi, database: Database) -> None:
    """The passengers get a message and the whole fare."""
    booking = api.book(1, 2)
    displace(database, booking["reference"])
    database.query("SELECT api.cancel_trip(%s, %s, 'Flood.')", LATER, DAY)
    assert "offers" not in api.show(booking)
    assert database.query("SELECT * FROM api.due_trips()") == [(1, TRAVEL_DATE)]
    assert database.value("SELECT api.settle_due(1, %s)", DAY)
    assert api.show(booking)["refund"] == "520.00"
    assert messages(database, booking)[1].endswith(
        "The trip of offer 1 is no longer possible, so 520.00 is refunded."
    )


def test_own_trip_is_cancelled(api: SchemaApi, database: Database, clock: Clock) -> None:
    """The offer of a displaced booking stays open; that of a booked one is withdrawn, with a full refund."""
    displaced, kept = api.book(1, 2), api.book(3)
    displace(database, displaced["reference"])
    keep(database, kept)
    reply = database.value("SELECT (api.cancel_trip(1, %s, 'Flood.')).reply", DAY)
    assert (reply["tickets"], reply["refund"]) == (1, "260.00")
    assert api.read("offers", reference=kept["reference"], phone=ASHA)["offers"][0]["state"] == "withdrawn"
    assert api.show(displaced)["offers"][0]["state"] == "open"
    clock.advance(hours=24)
    assert database.value("SELECT api.settle_due(1, %s)", DAY)
    assert api.show(displaced)["refund"] == "520.00"


# Offers to keep the booking --------------------------------------------------------------------


def test_booking_stays_if_the_offer_to_decline_it_expires(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    booking = api.book(1)
    assert keep(database, booking) == 1
    (offer,) = api.show(booking)["offers"]
    assert (offer["unanswered"], offer["refund"], "trip" in offer) == ("keep", "260.00", False)
    assert messages(database, booking)[0].endswith(
        "A smaller bus runs. The booking stays as it is now, unless you decline offer 1 until "
        "2026-12-02 09:00: then 260.00 is refunded."
    )
    quote = api.read("cancel_quote", reference=booking["reference"], phone=ASHA)
    assert (quote["refund"], quote["valid_until"]) == ("260.00", "2026-12-02T09:00:00+05:30")
    clock.advance(hours=24)
    assert database.value("SELECT api.settle_due(1, %s)", DAY)
    assert api.show(booking)["status"] == "booked"
    assert api.read("cancel_quote", reference=booking["reference"], phone=ASHA)["refund"] == "130.00"


def test_kept_booking_is_declined(api: SchemaApi, database: Database) -> None:
    booking = api.book(1, 2)
    keep(database, booking)
    one = api.cancel(booking, 1)
    assert (one["refund"], one["status"]) == ("260.00", "booked")
    declined = api.change("decline", booking)
    assert (declined["status"], declined["refund"]) == ("cancelled", "520.00")
    assert {1, 2} <= set(api.free())


def test_offer_to_a_passenger_under_way_is_a_message_only(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    booking = api.book(1)
    clock.set("2026-12-05 10:30+05:30")
    assert keep(database, booking) == 1
    assert messages(database, booking)[0].endswith(CAUSE)
    assert "offers" not in api.show(booking)
    assert api.change("decline", booking)["reason"] == "departed"


# Reads -----------------------------------------------------------------------------------------


def test_offers_of_a_trip_are_for_its_operator(api: SchemaApi, database: Database) -> None:
    booking, other = api.book(1), api.book(2, phone=RAVI)
    displace(database, booking["reference"], other["reference"])
    trip = {"bus_id": 1, "travel_date": DAY}
    offers = api.read("trip_offers", account="conductor", **trip)["offers"]
    assert sorted(offer["reference"] for offer in offers) == sorted(
        [booking["reference"], other["reference"]]
    )
    assert api.read("trip_offers", account="conductor", bus_id=2, travel_date=DAY)["reason"] == "not_yours"
    assert (
        api.read("trip_offers", account="conductor", bus_id=1, travel_date="2030-01-01")["reason"]
        == "unknown_trip"
    )


def test_offers_of_a_booking_are_for_its_passengers(api: SchemaApi) -> None:
    booking = api.book(1)
    assert api.read("offers", reference=booking["reference"], phone=ASHA)["offers"] == []
    assert api.read("offers", reference=booking["reference"], phone=RAVI)["reason"] == "unknown_booking"
    assert api.change("decline", booking)["reason"] == "no_offer"


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        ("UPDATE offers SET state = 'withdrawn', decided_at = api.now()", "displaced"),
        ("UPDATE trips SET settle_at = NULL WHERE bus_id = 1", "offer"),
        ("UPDATE passengers SET status = 'booked', booked_at = api.now() WHERE bus_id = 3", "offer"),
        ("UPDATE offers SET state = 'declined', decided_at = api.now()", "offer_refund"),
    ],
)
def test_audit_finds_broken_offers(database: Database, damage: str, rule: str) -> None:
    with database.connect() as conn:
        api = SchemaApi(conn)
        displace(database, api.book(1)["reference"])
        assert audit(conn) == []
        database.query(damage)
        assert rule in [finding[0] for finding in audit(conn)]
