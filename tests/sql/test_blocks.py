"""`block_seats` and `unblock_seats`: segments of a seat that are taken without a ticket."""

from typing import Any

import psycopg
import pytest

from tests.conftest import Clock, Database
from tests.support.race import Race
from tests.support.schema_api import DAY, RAVI, TRIP, Answer, SchemaApi

OPERATOR = {"account": "meera", "bus_id": 1, "travel_date": DAY}
ADD_OPERATORS = """INSERT INTO accounts VALUES ('meera', '', NULL, 'operator', 'KSRTC', now()),
                                               ('other', '', NULL, 'operator', 'SRS Travels', now())"""


@pytest.fixture(autouse=True)
def operators(database: Database) -> None:
    database.query(ADD_OPERATORS)


def block(api: SchemaApi, *seats: int, **args: Any) -> Answer:
    return api.write("block_seats", **OPERATOR | {"seats": list(seats)} | args)


def unblock(api: SchemaApi, *seats: int, **args: Any) -> Answer:
    return api.write("unblock_seats", **OPERATOR | {"seats": list(seats)} | args)


def test_blocked_seat_is_taken(api: SchemaApi) -> None:
    assert block(api, 8, 7, reason="Broken.")["blocked"] == [
        {"seat_no": seat, "from_stop": 1, "to_stop": None, "reason": "Broken."} for seat in (7, 8)
    ]
    assert api.free() == [1, 2, 3, 4, 5, 6]
    assert (
        api.read("search", origin="Bengaluru", destination="Mysuru", date=DAY)["trips"][0]["seats_free"] == 6
    )
    assert api.book(7)["reason"] == "seat_taken"
    assert api.book(count=6)["status"] == "booked"
    assert api.book(count=1)["reason"] == "sold_out"


def test_rest_of_a_blocked_seat_is_sold(api: SchemaApi) -> None:
    block(api, 1, from_stop=2, to_stop=4)
    assert api.book(1, from_stop=1, to_stop=3)["reason"] == "seat_taken"
    assert api.book(1, from_stop=1, to_stop=2)["status"] == "booked"
    assert api.book(1, from_stop=4, to_stop=5)["status"] == "booked"


def test_blocks_of_a_seat_add_up(api: SchemaApi) -> None:
    block(api, 1, from_stop=1, to_stop=2, reason="A guide.")
    blocked = block(api, 1, from_stop=2, to_stop=4)["blocked"]
    assert blocked == [{"seat_no": 1, "from_stop": 1, "to_stop": 4, "reason": None}]
    assert [b["from_stop"] for b in unblock(api, 1, from_stop=2, to_stop=3)["blocked"]] == [1, 3]
    assert unblock(api, 1, 2)["blocked"] == []
    assert api.free() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_sold_seat_is_not_blocked(api: SchemaApi) -> None:
    booking, held = api.book(1, from_stop=1, to_stop=3), api.hold(2)
    before = api.everything()
    refusal = block(api, 1, 2, 3)
    assert refusal["reason"] == "seat_taken"
    assert refusal["seats"] == [1, 2]
    assert refusal["sold"] == [
        {"reference": booking["reference"], "ticket_no": 1, "seat_no": 1},
        {"reference": held["reference"], "ticket_no": 1, "seat_no": 2},
    ]
    assert booking["reference"] in refusal["message"]
    assert api.everything() == before
    api.change("change_seat", booking, ticket_no=1, seat_no=4)
    assert block(api, 1)["blocked"][0]["seat_no"] == 1


def test_expired_hold_does_not_prevent_a_block(api: SchemaApi, clock: Clock) -> None:
    held = api.hold(1)
    clock.advance(minutes=11)
    assert len(block(api, 1)["blocked"]) == 1
    assert api.change("confirm", held)["reason"] == "hold_expired"


def test_ticket_does_not_move_to_a_blocked_seat(api: SchemaApi) -> None:
    booking = api.book(1)
    block(api, 2)
    assert api.change("change_seat", booking, ticket_no=1, seat_no=2)["reason"] == "seat_taken"


def test_block_stays_when_a_trip_is_cancelled_and_recounted(api: SchemaApi, database: Database) -> None:
    block(api, 1, from_stop=2, to_stop=3)
    api.book(1, from_stop=3, to_stop=5)
    api.write("cancel_trip", account="meera", bus_id=1, travel_date=DAY, reason="Flood.")
    assert database.value("SELECT taken::text FROM seats WHERE taken <> '{}'") == "{[2,3)}"
    database.query("UPDATE seats SET taken = '{[1,5)}' WHERE blocked IS NOT NULL")
    assert database.value("SELECT api.recount(1, %s, '{1}')", DAY) == 1
    assert database.value("SELECT taken::text FROM seats WHERE blocked IS NOT NULL") == "{[2,3)}"


def test_unblocked_seat_goes_to_the_waitlist(api: SchemaApi) -> None:
    block(api, 1, 2, 3, 4, 5, 6, 7, 8)
    waiting = api.book(count=2, waitlist=True)
    assert waiting["status"] == "pending"
    unblock(api, 5, 6)
    assert [ticket["seat_no"] for ticket in api.show(waiting)["tickets"]] == [5, 6]


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"account": "other"}, "not_yours"),
        ({"travel_date": "2030-01-01"}, "unknown_trip"),
        ({"seats": [8, 9, 10]}, "unknown_seat"),
        ({"from_stop": 3, "to_stop": 3}, "not_on_route"),
        ({"from_stop": 5}, "not_on_route"),
        ({"to_stop": 6}, "not_on_route"),
    ],
)
def test_wrong_block_is_refused(api: SchemaApi, args: dict[str, Any], reason: str) -> None:
    before = api.everything()
    assert block(api, 1, **args)["reason"] == unblock(api, 1, **args)["reason"] == reason
    assert api.everything() == before


def test_a_repeated_block_with_its_key_gets_the_first_answer(api: SchemaApi) -> None:
    first = block(api, 1, key="k")
    unblock(api, 1)
    assert block(api, 1, key="k") == first
    assert 1 in api.free()


def test_manifest_lists_blocked_seats(api: SchemaApi) -> None:
    assert "blocked" not in api.read("manifest", **OPERATOR)
    blocked = block(api, 3, to_stop=2)["blocked"]
    assert api.read("manifest", **OPERATOR)["blocked"] == blocked


def test_seat_that_a_service_blocks_has_a_reason(api: SchemaApi, database: Database) -> None:
    database.query("""SELECT api.put_service(NULL, '{"bus_id": 1, "blocked_seats": [3]}')""")
    (blocked,) = api.read("manifest", **OPERATOR)["blocked"]
    assert (blocked["seat_no"], blocked["reason"]) == (3, "Blocked on all trips of Day Bus.")


def test_a_block_by_hand_is_a_part_of_taken(database: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="blocked_is_taken"):
        database.query("UPDATE seats SET blocked = '{[1,2)}' WHERE bus_id = 1")


# Races -----------------------------------------------------------------------------------------


def test_a_sale_before_a_block(race: Race) -> None:
    race.first.book(1)
    refused = race.start(lambda: block(race.second, 1))
    assert race.then_commit(refused)["reason"] == "seat_taken"


def test_a_block_before_a_sale(race: Race) -> None:
    block(race.first, 1)
    refused = race.start(lambda: race.second.write("book", **TRIP, seats=[1], phone=RAVI))
    assert race.then_commit(refused)["reason"] == "seat_taken"
