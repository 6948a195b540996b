"""Ends, successors, extra trips and places, as an operator's account changes them."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Database
from tests.sql.test_put_service import VAN, document, everything, faults
from tests.support.race import Race
from tests.support.schema_api import DAY, SchemaApi, book

TABLES = "SELECT count(*) FROM bus_info", "SELECT count(*) FROM trips WHERE state = 'open'"


@pytest.fixture(autouse=True)
def accounts(database: Database) -> None:
    database.query(
        "INSERT INTO accounts (username, password_hash, role, operator, created_at) VALUES "
        "('conductor', '', 'operator', 'KSRTC', now()), ('boss', '', 'admin', NULL, now())"
    )


def change(
    database: Database, method: str, *, account: str | None = "conductor", key: str | None = None, **args: Any
) -> Any:
    """The answer of api.change_service to the server's role; a refusal and a plan change nothing."""
    before = everything(database)
    with database.connect_as_server() as conn:
        row = conn.execute(
            "SELECT refused, answer FROM api.change_service(%s, %s, %s)",
            (method, Jsonb(args if account is None else args | {"account": account}), key),
        ).fetchone()
    assert row is not None
    refused, answer = row
    assert refused is ("reason" in answer)
    if refused or args.get("plan"):
        assert everything(database) == before
    return answer


@pytest.mark.parametrize(
    ("account", "reason"), [(None, "not_signed_in"), ("asha", "not_allowed"), ("deleted", "not_allowed")]
)
def test_caller_who_is_no_operator_changes_nothing(
    database: Database, account: str | None, reason: str
) -> None:
    database.query(
        "INSERT INTO accounts (username, password_hash, role, created_at) "
        "VALUES ('asha', '', 'traveller', now())"
    )
    for method in ("add_service", "put_service", "end_service", "succeed_service", "open_trip", "put_place"):
        answer = change(database, method, account=account, **VAN | {"bus_id": 1}, last_date=None, code="XX")
        assert answer["reason"] == reason


# End and successor -----------------------------------------------------------------------------


def test_service_ends_and_opens_again(database: Database, api: SchemaApi) -> None:
    api.book(1)
    refused = change(database, "end_service", bus_id=1, last_date="2026-12-04")
    assert (refused["reason"], refused["dates"], refused["possible_date"]) == (
        "service_in_use",
        [DAY],
        "2026-12-06",
    )
    assert "on 2026-12-05. Choose 2026-12-05 or a later last date" in refused["message"]
    planned = change(database, "end_service", bus_id=1, last_date=DAY, plan=True)
    ended = change(database, "end_service", bus_id=1, last_date=DAY)
    assert ended == planned
    assert (ended["removed"][0], len(ended["removed"])) == ("2026-12-06", 10)
    assert change(database, "end_service", bus_id=1, last_date=None)["opened"] == ended["removed"]
    assert change(database, "end_service", bus_id=99, last_date=None)["reason"] == "unknown_trip"
    assert change(database, "end_service", bus_id=2, last_date=None)["reason"] == "not_yours"


def test_service_is_continued_under_a_new_number(database: Database, api: SchemaApi) -> None:
    booked = api.book(1)
    change(
        database, "put_service", bus_id=1, source_id="feed:1", extra_days=["2026-12-03", "2026-12-10"],
        segment_fares=[{"from_stop": 1, "to_stop": 3, "fare": "99"}],
        concessions=[{"name": "child", "percent": "50"}],
    )  # fmt: skip
    database.query("SELECT api.add_agent('kumar', '', 'KSRTC')")
    database.query("INSERT INTO agent_quotas (bus_id, agent, seats) VALUES (1, 'kumar', 2)")
    before = document(database, 1)
    args = {"bus_id": 1, "from_date": "2026-12-06", "layout": "ss", "name": "Small Bus"}
    refused = change(database, "succeed_service", **args | {"from_date": DAY})
    assert (refused["reason"], refused["possible_date"]) == ("service_in_use", "2026-12-06")
    planned = change(database, "succeed_service", **args, plan=True)
    answer = change(database, "succeed_service", **args)
    assert answer | {"bus_id": planned["bus_id"]} == planned
    assert answer["ended"]["changes"] == [
        {"field": "last_date", "from": None, "to": DAY},
        {"field": "source_id", "from": "feed:1", "to": None},
    ]
    assert answer["opened"] == answer["ended"]["removed"]
    successor = document(database, answer["bus_id"])
    assert successor == before | {
        "bus_id": answer["bus_id"], "first_date": "2026-12-06", "layout": "ss", "name": "Small Bus",
        "extra_days": ["2026-12-10"],
    }  # fmt: skip
    quotas = database.query("SELECT bus_id, agent, seats FROM agent_quotas ORDER BY bus_id")
    assert quotas == [(1, "kumar", 2), (answer["bus_id"], "kumar", 2)]
    assert api.show(booked)["status"] == "booked"
    found = api.read("search", origin="Bengaluru", destination="Mysuru", date="2026-12-07", kind="bus")[
        "trips"
    ]
    assert answer["bus_id"] in [trip["bus_id"] for trip in found]
    assert 1 not in [trip["bus_id"] for trip in found]


def test_successor_with_a_fault_ends_nothing(database: Database) -> None:
    answer = change(
        database, "succeed_service", bus_id=1, from_date="2026-12-06", layout="x", first_date="2026-12-07"
    )
    assert "no symbol" in faults(answer)["layout"]
    assert document(database, 1)["last_date"] is None
    answer = change(database, "succeed_service", bus_id=1, from_date="2026-12-06", last_date=DAY)
    assert "begins on 2026-12-06, after 2026-12-05" in faults(answer)["last_date"]
    assert change(database, "succeed_service", bus_id=2, from_date=DAY)["reason"] == "not_yours"
    assert change(database, "succeed_service", bus_id=99, from_date=DAY)["reason"] == "unknown_trip"


def test_repeated_request_is_executed_once(database: Database) -> None:
    mine = {key: value for key, value in VAN.items() if key != "operator"}
    first = change(database, "add_service", key="k", **mine)
    assert change(database, "add_service", key="k", **mine) == first
    assert change(database, "add_service", key="k", **mine | {"name": "Other"})["reason"] == "key_reused"
    assert change(database, "add_service", key="k", account="boss", **VAN)["bus_id"] == first["bus_id"] + 1
    assert change(database, "add_service", key="l", plan=True, **mine)["created"] is True
    assert change(database, "add_service", key="l", **mine)["created"] is True  # a plan uses no key
    succeed = {"bus_id": 1, "from_date": "2026-12-06"}
    answer = change(database, "succeed_service", key="s", **succeed)
    assert change(database, "succeed_service", key="s", **succeed) == answer


@pytest.mark.parametrize(
    ("service", "from_date", "message"),
    [
        ("last_date = '2026-12-05'", "2026-12-06", "The service ends on 2026-12-05. Its successor begins on"),
        (
            "first_date = '2026-12-03'",
            "2026-12-03",
            "The service begins on 2026-12-03. Its successor begins later.",
        ),
    ],
)
def test_successor_on_an_impossible_date_is_refused(
    database: Database, service: str, from_date: str, message: str
) -> None:
    database.query(f"UPDATE bus_info SET {service} WHERE bus_id = 1")
    answer = change(database, "succeed_service", bus_id=1, from_date=from_date)
    assert message in faults(answer)["from_date"]


# Trips and places ------------------------------------------------------------------------------


def test_extra_and_cancelled_trips_are_opened(database: Database, api: SchemaApi) -> None:
    booked = api.book(1)
    database.query("SELECT api.cancel_trip(1, %s, 'Landslide.')", DAY)
    trip = change(database, "open_trip", bus_id=1, travel_date=DAY)
    assert (trip["state"], trip["booked"]) == ("open", 0)
    assert change(database, "open_trip", bus_id=1, travel_date=DAY) == trip
    assert api.show(booked)["status"] == "cancelled"
    assert change(database, "open_trip", bus_id=1, travel_date="2027-02-01")["seats"] == 8
    for bus_id, day, reason in (
        (1, "2026-11-30", "departed"), (1, "2029-01-01", "bad_request"), (2, DAY, "not_yours"),
        (9, DAY, "unknown_trip"),
    ):  # fmt: skip
        assert change(database, "open_trip", bus_id=bus_id, travel_date=day)["reason"] == reason
    change(database, "end_service", bus_id=1, last_date=DAY)
    late = change(database, "open_trip", bus_id=1, travel_date="2026-12-06")
    assert late["message"] == "Service 1 ends on 2026-12-05."


def test_trip_of_a_repeating_route_is_opened_only_where_no_other_one_is(database: Database) -> None:
    stops = [
        {"place": "Mysuru", "departs": "14:00", "km": 0, "fare": 0},
        {"place": "Mysuru", "arrives": "1d 11:00", "departs": "1d 14:00", "km": 0, "fare": 100},
        {"place": "Mysuru", "arrives": "2d 11:00", "km": 0, "fare": 200},
    ]
    lodge = {
        "bus_id": 7,
        "name": "Lodge",
        "layout": "ss",
        "stops": stops,
        "repeat_legs": 1,
        "runs_on": "never",
    }
    change(database, "put_service", **lodge)
    assert change(database, "open_trip", bus_id=7, travel_date="2026-12-01")["state"] == "open"
    answer = change(database, "open_trip", bus_id=7, travel_date="2026-12-02")
    assert answer["message"] == "The trip of 2026-12-01 sells this day too, until 2026-12-03."


def test_operator_adds_places_and_an_admin_changes_them(database: Database) -> None:
    place = {"code": "CKPT", "name": "Chikkapete", "aliases": ["Chickpet"]}
    added = place | {"part_of": None, "time_zone": "Asia/Kolkata"}
    assert change(database, "put_place", **place) == added
    assert change(database, "put_place", **place) == added
    assert change(database, "put_place", code="CKPT", name="Chick")["reason"] == "not_yours"
    assert change(database, "put_place", account="boss", code="CKPT", part_of="KA") == added | {
        "part_of": "KA"
    }
    assert change(database, "put_place", account="boss", code="CKPT", part_of=None) == added
    assert "MYSU is called" in faults(change(database, "put_place", code="NEW", name="mysore"))["name"]
    wrong = change(database, "put_place", code="x", name="", part_of="ka", time_zone="Mars", aliases="x")
    assert faults(wrong).keys() == {"code", "name", "part_of", "time_zone", "aliases"}
    assert "name" in faults(change(database, "put_place", code="NEW"))
    circle = change(database, "put_place", account="boss", code="KA", part_of="MYSU")
    assert faults(circle) == {"part_of": "The place MYSU is a part of this place."}
    assert faults(change(database, "put_place", code="NEW", name="New", part_of="NONE")) == {
        "part_of": 'No place has the code "NONE".'
    }


def test_services_are_listed_by_page(database: Database, api: SchemaApi) -> None:
    (mine,) = api.read("services", account="conductor")["services"]
    assert (mine["bus_id"], mine["origin"], mine["departs"], mine["arrives"]) == (
        1,
        "Bengaluru",
        "10:00",
        "12:45",
    )
    assert (mine["seats"], mine["trips"], mine["runs_on"]) == (8, 15, "daily")
    page = api.read("services", account="boss", limit=1)
    assert (page["services"], page["next"]) == ([mine], "1")
    rest = api.read("services", account="boss", after=page["next"])
    assert ([service["bus_id"] for service in rest["services"]], "next" in rest) == ([2], False)
    assert api.read("services", account="boss", after="x")["reason"] == "bad_request"
    assert api.read("service", account="conductor", bus_id=2)["reason"] == "not_yours"
    assert api.read("service", account="conductor", bus_id=1) == document(database, 1)


# Races -----------------------------------------------------------------------------------------

MOVES = "SELECT answer FROM api.put_service(NULL, %s)"


def edit(race: Race, conn: Any, **data: Any) -> Any:
    ((answer,),) = conn.execute(MOVES, (Jsonb({"bus_id": 1} | data),)).fetchall()
    return answer


@pytest.mark.parametrize("seat", [8, 1])
def test_sale_and_edit_that_would_take_its_seat(race: Race, seat: int) -> None:
    """The edit waits for the sale. It leaves seats 1 to 4."""
    booked = race.first.book(seat)
    late = race.start(lambda: edit(race, race.second.conn, layout="...D\nss.ss"))
    answer = race.then_commit(late)
    assert answer.get("reason") == ("service_in_use" if seat == 8 else None)
    assert race.second.show(booked)["status"] == "booked"


def test_edit_that_takes_seats_and_sale(race: Race) -> None:
    assert edit(race, race.first.conn, layout="...D\nss.ss")["changes"]
    late = race.start(lambda: race.second.book(8))
    assert race.then_commit(late)["reason"] == "unknown_seat"


def test_batch_is_not_blocked_by_an_edit(race: Race) -> None:
    """A call for a locked trip is deferred; after the edit is undone, it is executed."""
    edit(race, race.first.conn, layout="...D\nss.ss")
    assert race.second.batch(book(8)) == [None]
    race.first.conn.rollback()
    (answer,) = race.second.batch(book(8))
    assert answer is not None and answer["status"] == "booked"


def test_two_edits_at_once(race: Race) -> None:
    """The second one compares with what the first one wrote."""
    edit(race, race.first.conn, max_seats=3, name="First")
    late = race.start(lambda: edit(race, race.second.conn, max_seats=4, name="First"))
    assert race.then_commit(late)["changes"] == [{"field": "max_seats", "from": 3, "to": 4}]


def test_plan_and_edit_without_changes_lock_no_trip(race: Race, database: Database) -> None:
    same = document(database, 1)
    ((answer,),) = race.first.conn.execute(MOVES, (Jsonb(same),)).fetchall()
    assert answer["changes"] == []
    edit(race, race.first.conn, name="New", refund_percent="60")
    assert race.second.book(1)["status"] == "booked"  # waits for no lock


def test_plan_leaves_no_lock(race: Race, database: Database) -> None:
    """The transaction of a plan may go on, as that of a feed with many services does."""
    plan = "SELECT answer FROM api.put_service(NULL, %s, true)"
    data = {"bus_id": 1, "layout": "...D\nss.ss", "max_seats": 3}
    ((answer,),) = race.first.conn.execute(plan, (Jsonb(data),)).fetchall()
    assert len(answer["changes"]) == 2
    # raises an exception if it is locked
    race.second.conn.execute("SELECT FROM bus_info WHERE bus_id = 1 FOR UPDATE NOWAIT")
    assert race.second.book(8)["status"] == "booked"


def test_hold_and_end(race: Race) -> None:
    race.first.hold(1)
    late = race.start(lambda: edit(race, race.second.conn, last_date="2026-12-04"))
    assert race.then_commit(late)["reason"] == "service_in_use"


def test_end_and_hold(race: Race) -> None:
    assert edit(race, race.first.conn, last_date="2026-12-04")["removed"]
    late = race.start(lambda: race.second.hold(1))
    assert race.then_commit(late)["reason"] == "trip_cancelled"
