"""Promo codes: what they take off, their limits, who may edit them.

KSRTC operates service 1, and SRS Travels operates service 2.
"""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Clock, Database
from tests.support.race import Race
from tests.support.schema_api import ASHA, RAVI, Answer, SchemaApi, book, check, outcomes_of

ADD_ACCOUNTS = """INSERT INTO accounts VALUES ('meera', '', NULL, 'operator', 'KSRTC', now()),
                                              ('other', '', NULL, 'operator', 'SRS Travels', now()),
                                              ('root', '', NULL, 'admin', NULL, now())"""
DASARA = {"code": "DASARA", "percent": "10"}
SEGMENT = {"part": "segment", "amount": "260.00"}


@pytest.fixture(autouse=True)
def accounts(database: Database) -> None:
    database.query(ADD_ACCOUNTS)


def put(database: Database, account: str = "meera", **args: Any) -> Answer:
    """Call api.put_promo_code as an account; with the fields of DASARA, unless args name others."""
    statement = "SELECT refused, answer FROM api.put_promo_code(%s)"
    ((refused, answer),) = database.query(statement, Jsonb({**DASARA, "account": account, **args}))
    assert refused is ("reason" in answer)
    check("put_promo_code", answer)
    return dict(answer)


def uses(database: Database) -> int:
    return int(database.value("SELECT uses FROM promo_codes, api.promo_code_uses(promo_no)"))


# Amounts ---------------------------------------------------------------------------------------


def test_promo_code_is_the_last_part_of_a_fare(api: SchemaApi, database: Database) -> None:
    put(database, amount="4")
    database.query("UPDATE bus_info SET concessions = %s", Jsonb([{"name": "child", "percent": "50"}]))
    booking = api.book(1, 2, promo_code=" dasara ", passengers=[{}, {"concession": "child"}])
    assert [ticket["fare_parts"] for ticket in booking["tickets"]] == [
        [SEGMENT, {"part": "promo", "name": "DASARA", "amount": "-30.00"}],
        [
            SEGMENT,
            {"part": "concession", "name": "child", "amount": "-130.00"},
            {"part": "promo", "name": "DASARA", "amount": "-17.00"},
        ],
    ]
    assert booking["fare"] == "343.00"
    assert api.cancel(booking)["refund"] == "171.50"


@pytest.mark.parametrize(
    ("fields", "bus_id", "message"),
    [
        ({"code": "OTHER"}, 1, 'KSRTC has no promo code "DASARA" for this bus.'),
        ({}, 2, 'SRS Travels has no promo code "DASARA" for this bus.'),
        ({"services": [3]}, 1, 'KSRTC has no promo code "DASARA" for this bus.'),
        ({"first_date": "2026-12-02"}, 1, "The promo code DASARA is valid from 2026-12-02 on."),
        ({"last_date": "2026-11-30"}, 1, "The promo code DASARA is valid up to 2026-11-30."),
    ],
)
def test_promo_code_is_valid_on_its_services_and_dates(
    api: SchemaApi, database: Database, fields: dict[str, Any], bus_id: int, message: str
) -> None:
    database.query("INSERT INTO bus_info (bus_id, name, operator, layout) VALUES (3, 'X', 'KSRTC', 's')")
    put(database, **fields)
    before = api.everything()
    refusal = api.book(1, bus_id=bus_id, promo_code="DASARA")
    assert (refusal["reason"], refusal["message"]) == ("unknown_promo_code", message)
    assert api.everything() == before


# Limits ----------------------------------------------------------------------------------------


def test_each_ticket_is_a_use(api: SchemaApi, database: Database) -> None:
    put(database, max_uses=3)
    api.book(1, 2, promo_code="DASARA")
    before = api.everything()
    refusal = api.book(3, 4, promo_code="DASARA", phone=RAVI)
    assert refusal == {
        "reason": "promo_code_used_up", "uses_left": 1,
        "message": "The promo code DASARA can be used for 1 more ticket; you asked for 2.",
    }  # fmt: skip
    assert api.everything() == before
    assert api.book(3, promo_code="DASARA")["status"] == "booked"
    assert uses(database) == 3


def test_limit_of_an_account_is_also_that_of_a_phone_number(api: SchemaApi, database: Database) -> None:
    put(database, max_uses_per_account=1)
    api.book(1, promo_code="DASARA", phone=ASHA)
    assert api.book(2, promo_code="DASARA", phone=ASHA)["uses_left"] == 0
    api.book(2, promo_code="DASARA", phone=RAVI, account="ravi")
    assert api.book(3, promo_code="DASARA", phone=None, account="ravi")["reason"] == "promo_code_used_up"
    database.query("UPDATE bus_info SET phone_required = false")
    assert api.book(3, promo_code="DASARA", phone=None)["field"] == "phone"


@pytest.mark.parametrize("end", ["expires", "release", "cancel"])
def test_hold_that_ends_unpaid_gives_its_uses_back(
    api: SchemaApi, database: Database, clock: Clock, end: str
) -> None:
    put(database, max_uses=2)
    held = api.hold(1, 2, promo_code="DASARA", seconds=60)
    assert api.book(3, promo_code="DASARA", phone=RAVI)["reason"] == "promo_code_used_up"
    if end == "expires":
        clock.advance(seconds=61)
    else:
        api.change(end, held)
    assert uses(database) == 0
    assert api.book(3, 4, promo_code="DASARA", phone=RAVI)["status"] == "booked"


def test_paid_ticket_stays_a_use_after_its_cancellation(api: SchemaApi, database: Database) -> None:
    put(database, max_uses=1)
    api.cancel(api.book(1, promo_code="DASARA"))
    assert uses(database) == 1


def test_expired_hold_is_confirmed_while_its_promo_code_is_left(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    put(database, max_uses=2)
    held = api.hold(1, 2, promo_code="DASARA", seconds=60)
    clock.advance(seconds=61)
    other = api.hold(3, promo_code="DASARA", phone=RAVI)
    refusal = api.change("confirm", held)
    assert (refusal["reason"], refusal["uses_left"]) == ("promo_code_used_up", 1)
    api.change("release", other, phone=RAVI)
    assert api.change("confirm", held)["fare"] == "468.00"
    assert uses(database) == 2


def test_party_on_the_waitlist_has_its_uses(api: SchemaApi, database: Database) -> None:
    put(database, max_uses=1)
    full = api.book(1, 2, 3, 4, 5, 6)
    api.book(7, 8)
    waiting = api.book(count=1, promo_code="DASARA", waitlist=True, phone=RAVI)
    assert (waiting["status"], waiting["fare"]) == ("pending", "234.00")
    api.cancel(full, 1)
    assert api.show(waiting, phone=RAVI)["status"] == "booked"
    assert uses(database) == 1


# Concurrency -----------------------------------------------------------------------------------


def test_one_batch_does_not_sell_more_than_is_left(api: SchemaApi, database: Database) -> None:
    put(database, max_uses=2)
    calls = [book(seat, promo_code="DASARA", phone=RAVI) for seat in (1, 2, 3)]
    assert outcomes_of(api.batch(*calls)) == ["booked", "booked", "promo_code_used_up"]


def test_two_batches_on_two_trips_use_the_last_one(race: Race) -> None:
    """The second batch does not wait for the first: its call is deferred, and refused when sent again."""
    put(race.database, max_uses=1)
    assert outcomes_of(race.first.batch(book(1, promo_code="DASARA"))) == ["booked"]
    late = book(1, promo_code="DASARA", travel_date="2026-12-06", phone=RAVI)
    assert outcomes_of(race.second.batch(late, book(2, travel_date="2026-12-06"))) == [None, "booked"]
    race.first.conn.commit()
    assert outcomes_of(race.second.batch(late)) == ["promo_code_used_up"]


def test_last_use_is_left_if_the_first_transaction_rolls_back(race: Race) -> None:
    put(race.database, max_uses=1)
    race.first.book(1, promo_code="DASARA")
    second = race.start(
        lambda: race.second.book(1, promo_code="DASARA", travel_date="2026-12-06", phone=RAVI)
    )
    assert race.then_rollback(second)["status"] == "booked"


def test_confirmation_of_an_expired_hold_competes_for_the_last_use(race: Race, clock: Clock) -> None:
    put(race.database, max_uses=1)
    held = race.second.hold(1, promo_code="DASARA", seconds=60)
    clock.advance(seconds=61)
    race.first.book(1, promo_code="DASARA", travel_date="2026-12-06", phone=RAVI)
    confirm = {"method": "confirm", "args": {"reference": held["reference"], "phone": ASHA}, "key": None}
    assert outcomes_of(race.second.batch(confirm)) == [None]
    race.first.conn.commit()
    assert outcomes_of(race.second.batch(confirm)) == ["promo_code_used_up"]


def test_lower_limit_waits_for_the_sales_with_the_code(race: Race) -> None:
    put(race.database, max_uses=2)
    race.first.book(1, 2, promo_code="DASARA")
    args = Jsonb({**DASARA, "account": "meera", "max_uses": 1})
    lower = race.start(
        lambda: race.second.conn.execute("SELECT answer FROM api.put_promo_code(%s)", [args]).fetchone()
    )
    (answer,) = race.then_commit(lower)
    assert answer["message"] == "2 tickets have the promo code DASARA. To end it, set last_date."


# Editing ---------------------------------------------------------------------------------------


def test_operator_creates_replaces_and_lists_promo_codes(api: SchemaApi, database: Database) -> None:
    new = put(database, code="pooja-7", amount="5", services=[1], max_uses=9, last_date="2026-12-31")
    assert new == {
        "operator": "KSRTC", "code": "POOJA-7", "percent": "10", "amount": "5.00", "currency": "INR",
        "services": [1],
        "first_date": None, "last_date": "2026-12-31", "max_uses": 9, "max_uses_per_account": None, "uses": 0,
    }  # fmt: skip
    assert put(database, **new) == new
    api.book(1, promo_code="POOJA-7")
    changed = put(database, code="POOJA-7", percent="20")
    assert (changed["percent"], changed["amount"], changed["services"], changed["uses"]) == (
        "20",
        "0.00",
        None,
        1,
    )
    put(database, account="other", code="SRS")
    put(database, code="ALPHA")
    page = api.read("promo_codes", account="meera", limit=1)
    assert ([c["code"] for c in page["promo_codes"]], page["next"]) == (["ALPHA"], "ALPHA")
    page = api.read("promo_codes", account="meera", after="ALPHA")
    assert page == {"promo_codes": [changed]}
    assert [
        c["code"] for c in api.read("promo_codes", account="root", operator="SRS Travels")["promo_codes"]
    ] == ["SRS"]


@pytest.mark.parametrize(
    ("account", "args", "refused"),
    [
        ("other", {"operator": "KSRTC"}, "not_yours"),
        ("root", {}, "operator"),
        ("meera", {"services": [2]}, "services"),
        ("meera", {"code": "A B"}, "code"),
        ("meera", {"percent": None}, "percent"),
        ("meera", {"percent": "0", "amount": "0"}, "percent"),
        ("meera", {"first_date": "2026-12-02", "last_date": "2026-12-01"}, "last_date"),
    ],
)
def test_wrong_promo_code_is_refused(
    database: Database, account: str, args: dict[str, Any], refused: str
) -> None:
    answer = put(database, account=account, **args)
    assert refused in (answer["reason"], answer.get("field"))
    assert database.query("SELECT code FROM promo_codes") == []
