"""`api.put_service`: adds, edits and plans services from documents; refuses edits that move tickets."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Clock, Database
from tests.support.schema_api import DAY, SchemaApi

Document = dict[str, Any]
VAN = {
    "name": "Van", "operator": "My Travels", "layout": "D....\nss.ss",
    "stops": [
        {"place": "MNDY", "departs": "22:30", "km": "0", "fare": "0"},
        {"place": "Mysore", "arrives": "24:10", "departs": "24:15", "km": "45.0", "fare": "90"},
        {"place": "Udhagamandalam", "arrives": "28:00", "km": 170, "fare": "400.5"},
    ],
}  # fmt: skip
TABLES = (
    "bus_info", "route_table", "seasons", "calendar_dates", "seat_plan", "trips", "seats",
    "passengers", "idempotency_keys",
)  # fmt: skip


def put(database: Database, *, plan: bool = False, account: str | None = None, **data: Any) -> Any:
    """The answer of api.put_service; checks that a plan and a refusal change nothing."""
    before = everything(database)
    statement = "SELECT refused, answer FROM api.put_service(%s, %s, %s)"
    ((refused, answer),) = database.conn.execute(statement, (account, Jsonb(data), plan)).fetchall()
    assert refused is ("reason" in answer)
    if plan or refused:
        assert everything(database) == before
    return answer


def everything(database: Database) -> list[Any]:
    return [database.query(f"SELECT to_jsonb(t) FROM {name} t ORDER BY 1") for name in TABLES]


def document(database: Database, bus_id: int) -> Any:
    return database.value("SELECT api.service(%s)", bus_id)


def faults(answer: Any) -> dict[str, str]:
    assert answer["reason"] == "bad_request"
    assert answer["field"] == answer["faults"][0]["field"]
    return {fault["field"]: fault["message"] for fault in answer["faults"]}


# Add and edit ----------------------------------------------------------------------------------


def test_service_is_added_with_the_defaults(database: Database) -> None:
    answer = put(database, **VAN)
    assert answer["created"] is True
    assert (len(answer["opened"]), answer["removed"], answer["changes"]) == (61, [], [])
    added = document(database, answer["bus_id"])
    assert added["stops"][1] == {
        "place": "Mysuru", "arrives": "24:10", "departs": "24:15", "km": "45", "fare": "90.00"
    }  # fmt: skip
    assert (added["runs_on"], added["refund_percent"], added["max_seats"]) == ("daily", "50", 6)
    assert put(database, **(VAN | {"bus_id": 10003}))["bus_id"] == 10003
    assert put(database, **VAN)["bus_id"] == 10002
    assert put(database, **VAN)["bus_id"] == 10004  # 10003 was taken


def test_document_that_was_read_changes_nothing(database: Database) -> None:
    for bus_id in (1, 2):
        before = everything(database)
        answer = put(database, **document(database, bus_id))
        assert (answer["created"], answer["changes"], answer["opened"], answer["removed"]) == (
            False,
            [],
            [],
            [],
        )
        assert everything(database) == before


def test_edit_keeps_what_it_does_not_name(database: Database) -> None:
    whole = {
        "bus_type": "SLEEPER", "ac": True, "currency": "EUR", "source_id": "feed:1",
        "time_zone": "Asia/Colombo",
        "segment_fares": [
            {"from_stop": 1, "to_stop": 3, "fare": "99"}, {"from_stop": 1, "to_stop": 2, "fare": 9},
        ],
        "runs_on": "monday-wed", "first_date": "2026-12-02", "last_date": "2027-12-02",
        "seasons": [
            {"first_date": "2027-03-01", "last_date": "2027-03-31", "runs_on": "never"},
            {"first_date": "2027-01-01", "last_date": "2027-01-31", "runs_on": "daily"},
        ],
        "days_off": ["2027-01-03", "2027-01-02"], "extra_days": ["2026-12-04"], "sales_days": 30,
        "sells_until": "90 minutes", "refund_percent": "33.30", "alight_refund_percent": "100",
        "max_seats": 3,
        "queue_limit": 0, "phone_required": False, "nouns": {"service": "van", "seat": "place"},
    }  # fmt: skip
    bus_id = put(database, **VAN, **whole)["bus_id"]
    before = document(database, bus_id)
    shown = {
        "segment_fares": [
            {"from_stop": 1, "to_stop": 2, "fare": "9.00"}, {"from_stop": 1, "to_stop": 3, "fare": "99.00"}
        ],
        "runs_on": "Mon-Wed", "seasons": whole["seasons"][::-1], "days_off": ["2027-01-02", "2027-01-03"],
        "sells_until": "1 hour 30 minutes", "refund_percent": "33.3",
    }  # fmt: skip
    assert before == {**before, **whole, **shown}
    answer = put(database, bus_id=bus_id, name="New Van", ac=None, source_id=None, extra_days=[])
    assert answer["changes"] == [
        {"field": "ac", "from": True, "to": None},
        {"field": "name", "from": "Van", "to": "New Van"},
        {"field": "source_id", "from": "feed:1", "to": None},
        {"field": "extra_days", "from": ["2026-12-04"], "to": []},
    ]
    assert answer["removed"] == ["2026-12-04"]
    changed = {"name": "New Van", "ac": None, "source_id": None, "extra_days": []}
    assert document(database, bus_id) == before | changed


def test_plan_returns_what_the_edit_returns(database: Database) -> None:
    edit = {"bus_id": 1, "runs_on": "Mon Sat", "last_date": "2026-12-06", "sales_days": 60, "layout": "ss.ss"}
    planned = put(database, plan=True, **edit)
    assert planned["removed"][:3] == ["2026-12-01", "2026-12-02", "2026-12-03"]
    assert [change["field"] for change in planned["changes"]] == [
        "layout",
        "runs_on",
        "last_date",
        "sales_days",
    ]
    assert put(database, **edit) == planned
    assert put(database, bus_id=1, last_date=None)["opened"][:2] == ["2026-12-07", "2026-12-12"]


def test_plan_of_a_new_service(database: Database) -> None:
    planned = put(database, plan=True, bus_id=7, **VAN)
    assert (planned["created"], len(planned["opened"])) == (True, 61)
    assert put(database, bus_id=7, **VAN) == planned


# Faults ----------------------------------------------------------------------------------------


def test_every_fault_is_named(database: Database) -> None:
    stops = [
        {"place": "Mysuru", "departs": "09:00", "km": "0", "fare": "0"},
        {"place": "Mysuru", "arrives": "08:00", "km": "-1", "fare": "20.00005"},
        {"place": "Bngaluru", "arrives": "9", "departs": "10:30", "km": "5", "fare": "10"},
        {"place": "Ooty", "arrives": "11:00", "departs": "10:50", "km": "4", "fare": "5", "gate": 3},
        "Mandya",
    ]
    answer = put(
        database, bus_id=7, layout="sxs", stops=stops, time_zone="Mars", max_seats=101,
        phone_required="perhaps",
        refund_percent="100.5", runs_on="Mon-Fry", seasons={}, days_off=["2026-02-30"], nam="x", nouns=3,
        sells_until="soon", first_date="2027-01-01", last_date="2026-01-01", currency="inr", source_id=7,
    )  # fmt: skip
    beginnings = {
        "layout": 'A layout has no symbol "x", in the row "sxs".',
        "currency": '"inr" is not a currency of ISO 4217, such as INR.',
        "time_zone": 'There is no time zone "Mars".',
        "stops[1].km": '"-1" is not kilometres from the first stop, such as 102.5.',
        "stops[1].fare": '"20.00005" is not an amount of money, such as 520.00.',
        "stops[2].place": 'No place is called "Bngaluru". Did you mean Bengaluru?',
        "stops[2].arrives": '"9" is not a time since the travel date began, such as 23:40, 24:25 on',
        "stops[3].gate": 'There is no field "gate". The fields are: place, arrives, departs, km, fare.',
        "stops[4]": "It is not an object with the fields place, arrives, departs, km, fare.",
        "runs_on": '"mon-fry" is not a weekday or a range of weekdays, in "Mon-Fry". Write daily, never,',
        "seasons": "It is not a list.",
        "days_off[0]": '"2026-02-30" is not a date, YYYY-MM-DD.',
        "sells_until": '"soon" is not a duration, such as 30 minutes or 16 hours.',
        "refund_percent": '"100.5" is not a percentage, 0 to 100, such as 50.',
        "max_seats": "101 is not a number of seats, 1 to 100.",
        "phone_required": '"perhaps" is not true or false.',
        "nouns": "It is not an object with the fields service, seat.",
        "nam": 'There is no field "nam". The fields are: kind, name, operator, ',
        "name": "A new service needs name, operator, layout and stops.",
        "operator": "A new service needs name, operator, layout and stops.",
        "stops[1].arrives": "Mysuru is reached at 08:00, before 09:00 at the stop before it.",
        "stops[1].place": "Mysuru is there twice in a row. Give one stop with both times.",
        "stops[3].departs": "It departs before it arrives: from Ooty at 10:50, but it arrives at 11:00.",
        "stops[3].km": "It is 4 km from the first stop, less than the 5 km of the stop before it",
        "stops[3].fare": "The fare from the first stop is 5.00, less than 10.00 to the stop before it",
        "stops[4].departs": "stop 5 needs a time: arrives, departs, or both.",
        "last_date": "The service begins on 2027-01-01, after 2026-01-01. Choose a last date",
    }
    found = faults(answer)
    assert {field: found[field][: len(text)] for field, text in beginnings.items()} == beginnings
    assert found.keys() == beginnings.keys()
    assert answer["message"].splitlines()[0] == f"layout: {found['layout']}"


@pytest.mark.parametrize(
    ("edit", "fault", "message"),
    [
        ({"stops": VAN["stops"][:1]}, "stops", "at least two stops"),
        ({"stops": None}, "stops", "It cannot be null."),
        ({"bus_id": "x"}, "bus_id", '"x" is not a number of a service, from 1 to 999999999999999999.'),
        (
            {"seasons": [
                {"first_date": "2026-12-05", "last_date": "2026-12-05", "runs_on": "never"},
                {"first_date": "2026-12-01", "last_date": DAY, "runs_on": "daily"},
            ]},
            "seasons[1].first_date",
            "overlaps that from 2026-12-05 to 2026-12-05",
        ),
        (
            {"seasons": [{"first_date": "2026-12-05", "last_date": "2026-12-04", "runs_on": "never"}]},
            "seasons[0].last_date",
            "The season begins on 2026-12-05, after 2026-12-04.",
        ),
        ({"days_off": [DAY], "extra_days": [DAY]}, "extra_days[0]", "2026-12-05 is there twice."),
        ({"days_off": [DAY, DAY]}, "days_off[1]", "2026-12-05 is there twice."),
        ({"extra_days": [DAY], "first_date": "2026-12-06"}, "extra_days[0]", "before the first date"),
        ({"extra_days": [DAY], "last_date": "2026-12-04"}, "extra_days[0]", "after the last date"),
        ({"repeat_legs": 1}, "repeat_legs", "A repeating route has runs_on never"),
        ({"repeat_legs": 4, "runs_on": "never"}, "repeat_legs", "The last 4 legs cannot repeat."),
        (
            {"segment_fares": [{"from_stop": 1, "to_stop": 6, "fare": "1"}]},
            "segment_fares[0].to_stop",
            "The route has no stop 6: it has 5.",
        ),
        (
            {"segment_fares": [{"from_stop": 2, "to_stop": 2, "fare": "1"}]},
            "segment_fares[0].to_stop",
            "Stop 2 is not after stop 2.",
        ),
        (
            {"segment_fares": [{"from_stop": 1, "to_stop": 2, "fare": "1"}] * 2},
            "segment_fares[1].from_stop",
            "The segment from stop 1 to stop 2 has a fare already.",
        ),
        ({"source_id": "x", "operator": "SRS Travels"}, "source_id", "Service 2 of this operator has it"),
    ],
)  # fmt: skip
def test_fault_of_an_edit(database: Database, edit: Document, fault: str, message: str) -> None:
    database.query("UPDATE bus_info SET source_id = 'x' WHERE bus_id = 2")
    found = faults(put(database, **({"bus_id": 1} | edit)))
    assert message in found.pop(fault)
    assert found == {}


def test_refusal_says_what_the_first_wrong_field_takes(database: Database) -> None:
    answer = put(database, bus_id=1, max_seats=101, currency="inr")
    assert (answer["field"], answer["takes"]) == ("currency", "a currency of ISO 4217, such as INR")
    assert [fault.keys() for fault in answer["faults"]] == [{"field", "message"}] * 2


def test_segment_fares_are_named_when_the_stops_change(database: Database) -> None:
    put(database, bus_id=1, segment_fares=[{"from_stop": 1, "to_stop": 3, "fare": "99"}])
    stops = document(database, 1)["stops"]
    dearer = [*stops[:4], stops[4] | {"fare": "300"}]
    assert put(database, bus_id=1, stops=dearer)["changes"] == [
        {"field": "stops[4].fare", "from": "260.00", "to": "300.00"}
    ]
    fewer = [stops[0], *stops[2:]]
    assert "give segment_fares too" in faults(put(database, bus_id=1, stops=fewer))["segment_fares"]
    put(database, bus_id=1, stops=fewer, segment_fares=[])
    assert [stop["place"] for stop in document(database, 1)["stops"]][:2] == ["Bengaluru", "Mandya"]


# Edits of services with tickets ----------------------------------------------------------------


def test_fares_change_for_later_sales_only(database: Database, api: SchemaApi) -> None:
    booked = api.book(1)
    stops = document(database, 1)["stops"]
    answer = put(database, bus_id=1, stops=[*stops[:4], stops[4] | {"fare": "300", "km": "146"}], name="Bus")
    assert len(answer["changes"]) == 3
    assert api.show(booked)["fare"] == "260.00"
    assert api.book(2)["fare"] == "300.00"


@pytest.mark.parametrize(
    "edit",
    [
        {"stops": VAN["stops"]},
        {"time_zone": "Asia/Colombo"},
        {"currency": "EUR"},
        {"layout": "ss"},  # seat 4 is gone
        {"layout": "...D\nss..ss\nss..ss"},  # seat 4 is in another place
        {"layout": "...D\nbb.bb\nss.ss"},
        {"runs_on": "Mon"},
        {"first_date": "2026-12-06"},
        {"seasons": [{"first_date": DAY, "last_date": DAY, "runs_on": "never"}]},
        {"days_off": [DAY]},
    ],
)
def test_edit_that_would_move_tickets_is_refused(database: Database, api: SchemaApi, edit: Document) -> None:
    api.book(4, travel_date="2026-12-01")
    api.book(4)
    answer = put(database, bus_id=1, name="New", **edit)
    assert answer["reason"] == "service_in_use"
    assert answer["fields"] == [*edit]
    assert answer["possible_date"] == "2026-12-06"
    assert "from 2026-12-06 on (succeed_service)" in answer["message"]
    assert DAY in answer["dates"]


@pytest.mark.parametrize(
    ("edit", "seats"),
    [
        ({"layout": "...D\nss.ss\nss.ss\nss.ss"}, 12),  # one row more
        ({"layout": "...D\nss.ss\ns"}, 5),
        ({"days_off": ["2026-12-06"]}, 8),
        ({"runs_on": "Sat"}, 8),
    ],
)
def test_edit_that_moves_no_ticket_is_possible(
    database: Database, api: SchemaApi, edit: Document, seats: int
) -> None:
    booked = api.book(4)
    api.cancel(api.book(4, travel_date="2026-12-12"))
    assert put(database, bus_id=1, **edit)["changes"]
    assert api.show(booked)["status"] == "booked"
    assert len(api.free()) == seats - 1


def test_new_seats_go_to_the_waitlist(database: Database, api: SchemaApi) -> None:
    api.book(count=6)
    api.book(count=2)
    waiting = api.book(count=2, waitlist=True)
    put(database, bus_id=1, layout="...D\nss.ss\nss.ss\nss.ss")
    assert [ticket["seat_no"] for ticket in api.show(waiting)["tickets"]] == [9, 10]


def test_past_trips_keep_their_seats(database: Database, api: SchemaApi, clock: Clock) -> None:
    booked = api.book(8, travel_date="2026-12-02")
    clock.set("2026-12-03 09:00+05:30")
    put(database, bus_id=1, layout="ss")
    assert api.show(booked)["tickets"][0]["seat_no"] == 8
    seats = "SELECT count(*) FROM seats WHERE bus_id = 1 AND travel_date = %s"
    assert [database.value(seats, f"2026-12-0{day}") for day in (2, 3)] == [8, 2]


def test_end_of_sales_cannot_move_before_the_end_of_a_hold(
    database: Database, api: SchemaApi, clock: Clock
) -> None:
    clock.set(f"{DAY} 09:55+05:30")
    api.hold(1, seconds=120)
    answer = put(database, bus_id=1, sells_until="-5 minutes")
    assert (answer["reason"], answer["fields"]) == ("service_in_use", ["sells_until"])
    assert "until 2026-12-05 09:57:00" in answer["message"]
    assert put(database, bus_id=1, sells_until="-3 minutes")["changes"] == [
        {"field": "sells_until", "from": "0 minutes", "to": "-3 minutes"}
    ]


def test_fares_of_a_repeating_route_change_with_tickets_on_later_nights(
    database: Database, api: SchemaApi
) -> None:
    nights = [{"place": "Mysuru", "departs": "14:00", "km": 0, "fare": 0}] + [
        {"place": "Mysuru", "arrives": f"{n}d 11:00", "departs": f"{n}d 14:00", "km": 0, "fare": 100 * n}
        for n in range(1, 3)
    ]
    lodge = VAN | {"stops": nights, "repeat_legs": 1, "runs_on": "never", "sales_days": 20}
    put(database, bus_id=7, **lodge)
    assert len(document(database, 7)["stops"]) == 3
    database.query("SELECT api.add_trip(7, '2026-12-01'), api.open_sales(7)")
    stay = api.book(1, bus_id=7, travel_date="2026-12-01", from_stop=15, to_stop=18)
    assert stay["fare"] == "300.00"
    length = database.value("SELECT max(stop_no) FROM route_table WHERE bus_id = 7")
    answer = put(database, bus_id=7, stops=[*nights[:2], nights[2] | {"fare": 250}])
    assert answer["changes"] == [{"field": "stops[2].fare", "from": "200.00", "to": "250.00"}]
    assert database.value("SELECT max(stop_no) FROM route_table WHERE bus_id = 7") == length
    assert api.book(2, bus_id=7, travel_date="2026-12-01", from_stop=15, to_stop=18)["fare"] == "450.00"
    earlier = [nights[0], nights[1] | {"arrives": "1d 10:00"}, nights[2] | {"fare": 250}]
    assert put(database, bus_id=7, stops=earlier)["fields"] == ["stops"]


# Accounts --------------------------------------------------------------------------------------


@pytest.fixture
def accounts(database: Database) -> None:
    database.query(
        "INSERT INTO accounts (username, password_hash, role, operator, created_at) VALUES "
        "('conductor', '', 'operator', 'KSRTC', now()), ('boss', '', 'admin', NULL, now())"
    )


@pytest.mark.usefixtures("accounts")
def test_operator_has_the_services_of_one_operator(database: Database) -> None:
    mine = {key: value for key, value in VAN.items() if key != "operator"}
    answer = put(database, account="conductor", **mine)
    assert document(database, answer["bus_id"])["operator"] == "KSRTC"
    for data in (VAN, {"bus_id": 2, "name": "Mine"}, {"bus_id": 1, "operator": "SRS Travels"}):
        assert put(database, account="conductor", **data)["reason"] == "not_yours"
    assert put(database, account="conductor", bus_id=1, operator="KSRTC")["changes"] == []
    assert put(database, account="boss", bus_id=2, operator="KSRTC")["changes"]
    assert put(database, account="conductor", bus_id=2, name="Mine")["changes"]
    assert "operator" in faults(put(database, account="boss", **mine))
