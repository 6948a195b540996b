"""Limits on holds and waitlist entries: what an account or an address may have at once without payment."""

from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.race import Race
from tests.support.schema_api import DAY, OTHER_DAY, Answer, SchemaApi, call, outcomes_of, sale

GUEST = "address:192.0.2.1"
STRANGER = "address:192.0.2.2"


def limits(subject: str = GUEST, holds: int = 100, seats: int = 100, percent: int = 100) -> Answer:
    return {"subject": subject, "holds": holds, "seats": seats, "percent": percent}


def held_by(*of: Answer, count: int = 1, key: str | None = None, **args: Any) -> Answer:
    """A call of `hold` with limits, for a batch."""
    return call("hold", key, **sale(count=count, **args)) | {"limits": list(of)}


def hold(api: SchemaApi, *of: Answer, count: int = 1, key: str | None = None, **args: Any) -> Answer:
    (answer,) = api.batch(held_by(*of, count=count, key=key, **args))
    assert answer is not None
    return answer


def holders(database: Database) -> list[Any]:
    return database.query("SELECT subject, ticket_no FROM holders ORDER BY expires_at, reference, 1, 2")


def test_one_guest_cannot_hold_all_seats_of_a_trip(api: SchemaApi) -> None:
    """Service 1 has 8 seats, and 6 in one booking."""
    guest = limits(percent=30)
    assert hold(api, guest, count=3)["status"] == "held"
    assert hold(api, guest, count=3)["status"] == "held"
    assert hold(api, guest) == {
        "reason": "too_many_holds",
        "message": "Your network address holds 6 seats of this bus, and may hold 6 of its 8; "
        "you asked for 1. Confirm or release a hold, or try again in 10 minutes.",
        "limit": 6,
        "retry_after": 600,
    }
    assert hold(api, guest, count=6, travel_date=OTHER_DAY)["status"] == "held"  # of another trip
    assert hold(api, limits(STRANGER, percent=30), count=2)["status"] == "held"


def test_share_of_a_trip_with_many_seats_is_more_than_one_booking(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET max_seats = 2 WHERE bus_id = 1")
    guest = limits(percent=50)
    assert [hold(api, guest, count=2).get("status") for _ in range(3)] == ["held", "held", None]
    assert hold(api, guest)["limit"] == 4


def test_number_of_holds_is_limited(api: SchemaApi, clock: Clock) -> None:
    guest = limits(holds=2)
    hold(api, guest, seconds=300)
    clock.advance(minutes=1)
    hold(api, guest, travel_date=OTHER_DAY)
    assert hold(api, guest, bus_id=2) == {
        "reason": "too_many_holds",
        "message": "Your network address has 2 holds, and may have 2 at once. "
        "Confirm or release a hold, or try again in 4 minutes.",
        "limit": 2,
        "retry_after": 240,
    }
    clock.advance(minutes=4)  # the trip of the first hold is not settled
    assert hold(api, guest, bus_id=2)["status"] == "held"


def test_refusal_says_when_enough_seats_are_free_again(api: SchemaApi, clock: Clock) -> None:
    guest = limits(seats=5)
    hold(api, guest, count=2, seconds=60)
    hold(api, guest, count=1, seconds=90)
    hold(api, guest, count=2, seconds=120, travel_date=OTHER_DAY)
    assert hold(api, guest, bus_id=2)["retry_after"] == 60
    assert hold(api, guest, count=3, bus_id=2) == {
        "reason": "too_many_holds",
        "message": "Your network address holds 5 seats, and may hold 5 at once; you asked for 3. "
        "Confirm or release a hold, or try again in 90 s.",
        "limit": 5,
        "retry_after": 90,
    }
    clock.advance(seconds=90)
    assert hold(api, guest, count=3, bus_id=2)["status"] == "held"


def test_first_hold_is_allowed_whatever_the_limits(api: SchemaApi) -> None:
    guest = limits(holds=1, seats=1, percent=1)
    assert hold(api, guest, count=6)["status"] == "held"
    assert hold(api, guest, bus_id=2)["reason"] == "too_many_holds"


def test_signed_in_traveller_counts_for_account_and_address(api: SchemaApi) -> None:
    asha, ravi = limits("account:asha", holds=1), limits("account:ravi", holds=1)
    address = limits(holds=2)
    assert hold(api, asha, address)["status"] == "held"
    assert hold(api, asha, limits(STRANGER))["message"].startswith("Your account has 1 hold, and may have 1")
    assert hold(api, ravi, address)["status"] == "held"
    assert hold(api, limits("account:meena", holds=1), address)["limit"] == 2
    assert hold(api, address, account="meena")["limit"] == 2


@pytest.mark.parametrize("end", ["confirm", "release", "cancel"])
def test_hold_that_ends_does_not_count_and_its_holder_is_forgotten(
    api: SchemaApi, database: Database, end: str
) -> None:
    guest = limits(holds=1)
    held = hold(api, guest, limits("account:asha"), count=2)
    assert holders(database) == [("account:asha", 1), ("account:asha", 2), (GUEST, 1), (GUEST, 2)]
    api.change(end, held)
    assert holders(database) == []
    assert hold(api, guest)["status"] == "held"


def test_cancelled_ticket_of_a_hold_does_not_count(api: SchemaApi, database: Database) -> None:
    guest = limits(seats=3)
    held = hold(api, guest, count=3)
    api.cancel(held, 2)
    assert holders(database) == [(GUEST, 1), (GUEST, 3)]
    assert hold(api, guest, count=2)["limit"] == 3
    assert hold(api, guest)["status"] == "held"


def test_holder_of_an_expired_hold_is_forgotten(api: SchemaApi, database: Database, clock: Clock) -> None:
    held = hold(api, limits(), count=2, seconds=60)
    hold(api, limits(), seconds=120)
    clock.advance(minutes=1)
    api.write("settle", bus_id=1, travel_date=DAY)
    assert holders(database) == [(GUEST, 1)]
    assert api.change("confirm", held)["status"] == "booked"
    assert holders(database) == [(GUEST, 1)]


def test_holders_of_a_cancelled_trip_are_forgotten(api: SchemaApi, database: Database) -> None:
    hold(api, limits())
    hold(api, limits(), travel_date=OTHER_DAY)
    database.query("SELECT api.cancel_trip(1, %s)", DAY)
    assert database.query("SELECT travel_date::text FROM holders") == [OTHER_DAY]


def test_calls_without_limits_have_none(api: SchemaApi, database: Database) -> None:
    """Servers of version 0.1.0, psql, and callers that are exempt."""
    for _ in range(8):
        assert api.hold()["status"] == "held"
    assert holders(database) == []


def test_party_on_the_waitlist_holds_nothing(api: SchemaApi, database: Database) -> None:
    api.book(1, 2, 3, 4, 5, 6)
    assert hold(api, limits(holds=1), count=3, waitlist=True)["status"] == "pending"
    assert hold(api, limits(holds=1), count=2)["status"] == "held"
    assert hold(api, limits(holds=1))["reason"] == "too_many_holds"


def test_one_guest_cannot_fill_the_waitlist(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET queue_limit = 10 WHERE bus_id = 1")
    booked = [api.book(1, 2, 3, 4, 5, 6), api.book(7, 8)]
    waiting = held_by(limits(percent=30), waitlist=True) | {"method": "book"}
    answers = api.batch(*[waiting] * 4)
    assert outcomes_of(answers) == ["pending"] * 3 + ["queue_full"]
    assert answers[3] == {
        "reason": "queue_full",
        "message": "Your network address has as many parties on the waitlist as it may have: 3. "
        "Cancel one to add another.",
        "limit": 3,
    }
    stranger = waiting | {"limits": [limits(STRANGER, percent=30)]}
    assert outcomes_of(api.batch(stranger)) == ["pending"]
    assert answers[0] is not None
    api.cancel(answers[0])
    assert outcomes_of(api.batch(waiting, waiting)) == ["pending", "queue_full"]
    for booking in booked:
        api.cancel(booking)
    assert database.query("SELECT DISTINCT status FROM passengers WHERE status <> 'cancelled'") == ["booked"]
    assert holders(database) == []


def test_limits_on_holds_do_not_refuse_a_booking(api: SchemaApi) -> None:
    hold(api, limits(holds=1))
    booking = held_by(limits(holds=1), waitlist=True) | {"method": "book"}
    assert outcomes_of(api.batch(booking)) == ["booked"]


def test_limit_holds_within_one_batch(api: SchemaApi) -> None:
    answers = api.batch(*[held_by(limits(seats=3)) for _ in range(5)])
    assert outcomes_of(answers) == ["held"] * 3 + ["too_many_holds"] * 2


def test_repeated_request_gets_the_first_answer_although_the_limit_is_reached(api: SchemaApi) -> None:
    first = hold(api, limits(holds=1), key="k")
    assert hold(api, limits(STRANGER, holds=1), key="k") == first
    assert hold(api, limits(holds=1), key="k2")["reason"] == "too_many_holds"


def test_refused_hold_changes_nothing(api: SchemaApi, database: Database) -> None:
    hold(api, limits(holds=1))
    before = api.everything(), holders(database)
    assert hold(api, limits(holds=1))["reason"] == "too_many_holds"
    assert (api.everything(), holders(database)) == before


def test_two_servers_cannot_both_use_the_rest_of_a_limit(race: Race) -> None:
    guest = limits(holds=1)
    assert outcomes_of(race.first.batch(held_by(guest))) == ["held"]
    other_trip = held_by(guest, travel_date=OTHER_DAY)
    stranger = held_by(limits(STRANGER, holds=1), bus_id=2)
    assert outcomes_of(race.second.batch(other_trip, stranger)) == [None, "held"]
    race.first.conn.commit()
    assert outcomes_of(race.second.batch(other_trip)) == ["too_many_holds"]
