"""Timetables: how `api.add_service` parses a text, and what it refuses; trips on sale; references."""

from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from busware.server.protocol.text import REFERENCE_ALPHABET
from tests.conftest import Clock, Database
from tests.support.schema_api import DAY, SchemaApi, audit, sale

STOPS = """
    Bengaluru | -     | 22:00 |   0 |   0
    Mandya    | 23:40 | 23:45 | 100 | 180
    Mysuru    | 00:50 | -     | 145 | 260
"""
SERVICE_TABLES = ("seat_plan", "route_table", "trips", "seats")  # tables with the rows of a service
SERVICE = {"bus_id": 7, "name": "Night Bus", "operator": "KSRTC", "layout": "ss", "stops": STOPS}


def add(database: Database, **changed: Any) -> bool:
    """Add SERVICE with changed arguments: whether a service was added."""
    service = SERVICE | changed
    named = sql.SQL(", ").join(sql.SQL("{} => %s").format(sql.Identifier(name)) for name in service)
    ((added,),) = database.conn.execute(
        sql.SQL("SELECT api.add_service({})").format(named), list(service.values())
    ).fetchall()
    return bool(added)


def error_of_adding(database: Database, **changed: Any) -> str:
    """The error when SERVICE with changed arguments is refused; checks that nothing was added."""
    before = database.value("SELECT count(*) FROM bus_info")
    with pytest.raises(psycopg.errors.RaiseException) as error:
        add(database, **changed)
    assert database.value("SELECT count(*) FROM bus_info") == before
    return f"{error.value.diag.message_primary} {error.value.diag.message_hint}"


def test_timetable_is_parsed(database: Database) -> None:
    assert add(database) is True
    assert database.query(
        "SELECT stop_no, place, arrives::text, departs::text, km::int, fare::text FROM route_table "
        "WHERE bus_id = 7 ORDER BY stop_no"
    ) == [
        (1, "BLRU", None, "22:00:00", 0, "0.00"),
        (2, "MNDY", "23:40:00", "23:45:00", 100, "180.00"),
        (3, "MYSU", "24:50:00", None, 145, "260.00"),  # a smaller time is on the next day
    ]


@pytest.mark.parametrize(
    ("line", "departs"),
    [
        ("OOTY | 05:30 | 06:00 | 9 | 9", "30:00:00"),
        ("ooty | 29:30 | 30:00 | 9 | 9", "30:00:00"),  # hours since midnight of the travel date
        ("Udhagamandalam | - | 54:00 | 9 | 9", "54:00:00"),  # more than a day later
        ("Ooty | 22:00 | 22:00 | 9 | 9", "22:00:00"),  # in the same minute
        ("Ooty | 23:50 | 00:10 | 9 | 9", "24:10:00"),  # a stop over midnight
        ("Ooty | 23:00 | 40:00 | 9 | 9", "40:00:00"),  # a long stop
        ("Ooty | 1d 05:30 | 1d 06:00 | 9 | 9", "1 day 06:00:00"),  # by the clock on the next day
        ("Ooty | 1d 11:00 | 14:00 | 9 | 9", "1 day 14:00:00"),  # on the same day
        ("Ooty | 1d 23:50 | 00:10 | 9 | 9", "2 days 00:10:00"),
    ],
)
def test_smaller_time_is_on_the_next_day(database: Database, line: str, departs: str) -> None:
    add(database, stops=f"Bengaluru | - | 22:00 | 0 | 0\n\n# a remark\n{line}\r\nMysuru | 60:00 | - | 9 | 9")
    assert database.value("SELECT departs::text FROM route_table WHERE bus_id = 7 AND stop_no = 2") == departs


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Mysooru | 23:00 | - | 1 | 1", 'No place is called "Mysooru"'),
        ("Mysooru | 23:00 | - | 1 | 1", "Mysuru"),  # the nearest name
        ("Mysuru | 23:00 | - | 1", "A line is: place | arrives | departs | km | fare"),
        ("Mysuru | 23.00 | - | 1 | 1", '"23.00" is not a time'),
        ("Mysuru | 23:60 | - | 1 | 1", '"23:60" is not a time'),
        ("Mysuru | 23:00 | - | -1 | 1", '"-1" is not kilometres'),
        ("Mysuru | 23:00 | - | - | 1", "It is missing"),
        ("Mysuru | 23:00 | - | 1 | 1.005", "1.005 has more decimals than INR has, 2."),
        ("Mysuru | 23:00 | - | 1 | 1.00005", '"1.00005" is not an amount of money'),
        ("Mysuru | - | - | 1 | 1", "Mysuru needs a time"),
        ("Mandya | 23:00 | - | 1 | 1\nMysuru | - | 23:30 | 1 | 1", "Mysuru, needs an arrival time"),
        ("Mysuru | 00:25 | 00:20 | 1 | 1", "It departs before it arrives"),
        ("Mysuru | 00:25 | 00:20 | 1 | 1", "For the next day, write 48:20"),
        ("Mandya | 23:00 | - | 5 | 5\nMysuru | 23:30 | - | 4 | 5", "do not decrease"),
        ("Mandya | 23:00 | - | 5 | 5\nMysuru | 23:30 | - | 5 | 4", "do not decrease"),
        (
            "Mandya | 2d 09:00 | - | 5 | 5\nMysuru | 1d 10:00 | - | 5 | 5",
            "before 2d 09:00 at the stop before",
        ),
        ("Mandya | 2d 09:00 | 1d 10:00 | 5 | 5", "It departs before it arrives"),
        ("Mandya | 2 d 09:00 | - | 5 | 5", '"2 d 09:00" is not a time'),
        ("Bengaluru | 23:00 | - | 5 | 5\nMysuru | 23:30 | - | 5 | 5", "Bengaluru is there twice in a row"),
        ("# nothing more", "at least two stops"),
        ("Mysuru | 23:00 | - | 1 | \u0661", "is not an amount of money"),  # an Arabic digit
        ("Mysuru | 23:00 | - | 1 | 123456789", "is not an amount of money"),  # more than a fare can be
        ("Mysuru | 23:\u00ad00 | - | 1 | 1", 'In the line "Mysuru | 23:\\u00ad00 | - | 1 | 1"'),
        ("Mysu\u2028ru | 23:00 | - | 1 | 1", 'No place is called "Mysu ru"'),
        ("Mysu\u200dru | 23:00 | - | 1 | 1", 'No place is called "Mysu\\u200dru"'),
    ],
)
def test_wrong_line_is_refused(database: Database, line: str, message: str) -> None:
    assert message in error_of_adding(database, stops=f"Bengaluru | - | 22:00 | 0 | 0\n{line}")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"layout": "sxs"}, 'A layout has no symbol "x", in the row "sxs".'),
        ({"layout": "...D"}, "The layout has no seat"),
        ({"layout": "sofa"}, "Give the name of a layout, or draw rows"),
        (
            {"layout": "2+2 nonesuch"},
            'Service 7: No layout is called "2+2 nonesuch". List the layouts',
        ),
        ({"time_zone": "Asia/Mysuru"}, 'There is no time zone "Asia/Mysuru"'),
        ({"runs_on": "Mon Wen"}, '"wen" is not a weekday'),
        ({"runs_on": "Mon/Wed/Fri"}, '"mon/wed/fri" is not a weekday'),
        ({"runs_on": "MonWedFri"}, "or weekdays such as: Mon Wed Fri, Mon-Fri"),
        ({"runs_on": "Monsoon"}, '"monsoon" is not a weekday'),
        ({"runs_on": "Mon-Wed-Fri"}, '"mon-wed-fri" is not a weekday'),
        ({"runs_on": "Mon-"}, '"mon-" is not a weekday'),
        ({"runs_on": "Mon daily"}, '"daily" is not a weekday'),
        ({"runs_on": " "}, '"" is not daily, never, or weekdays'),
        ({"runs_on": "Mon\u200d"}, '"mon\\u200d" is not a weekday'),
        ({"layout": "s\u00ads"}, 'no symbol "\\u00ad", in the row "s\\u00ads".'),
        ({"layout": "upper:\nss\nUpper:\nss"}, 'The layout has the deck "upper" twice.'),
        ({"layout": "ss\nmain:\nss"}, 'The layout has the deck "main" twice.'),
    ],
)
def test_wrong_argument_is_refused(database: Database, changed: dict[str, str], message: str) -> None:
    assert message in error_of_adding(database, **changed)


def test_misspelt_layout_is_refused_with_the_nearest_name(database: Database) -> None:
    database.query("INSERT INTO layouts VALUES ('2+2 pushback 40', 'ss.ss'), ('1+1 luxury 24', 's.s')")
    assert 'Similar names: "2+2 pushback 40".' in error_of_adding(database, layout="2+2 pushbak 40")


def test_layout_is_parsed_into_numbered_seats(database: Database) -> None:
    assert database.query(
        "SELECT seat_no, deck, row_no, column_no, kind FROM api.layout_seats(%s)",
        "Lower:\n..D\n b.b \n\nupper:\nb.r\n..s",
    ) == [
        (1, "lower", 2, 1, "berth"),
        (2, "lower", 2, 3, "berth"),
        (3, "upper", 1, 1, "berth"),
        (4, "upper", 1, 3, "room"),
        (5, "upper", 2, 3, "seat"),
    ]


SPACES = "\t\x0b\x0c\x85\xa0\u1680\u2000\u2007\u200a\u200b\u2028\u202f\u205f\u2060\u3000\ufeff"


def test_any_white_space_may_surround_cells_and_lines(database: Database) -> None:
    def spaced(text: str) -> str:
        return SPACES + text.replace("|", f"{SPACES}|{SPACES}").replace("\n", f"{SPACES}\n{SPACES}") + SPACES

    add(database, stops=spaced(STOPS), layout=f"{SPACES}upper:{SPACES}\n{SPACES}ss{SPACES}")
    assert database.query("SELECT place, km::int FROM route_table WHERE bus_id = 7 ORDER BY stop_no") == [
        ("BLRU", 0),
        ("MNDY", 100),
        ("MYSU", 145),
    ]
    assert database.query("SELECT deck, column_no FROM seat_plan WHERE bus_id = 7 ORDER BY seat_no") == [
        ("upper", 1),
        ("upper", 2),
    ]


def test_layout_by_name(database: Database) -> None:
    database.query("INSERT INTO layouts VALUES ('two berths', 'b.b')")
    add(database, layout="two berths")
    assert database.value("SELECT layout FROM bus_info WHERE bus_id = 7") == "b.b"
    assert database.query("SELECT column_no FROM seat_plan WHERE bus_id = 7 ORDER BY seat_no") == [1, 3]


@pytest.mark.parametrize(
    ("runs_on", "days"),
    [
        ("daily", [1, 2, 3, 4, 5, 6, 7]),
        ("never", []),
        ("Mon Wed Fri", [1, 3, 5]),
        (" sunday, tuesday ", [7, 2]),
        ("Mon-Fri", [1, 2, 3, 4, 5]),
        ("Sat - Mon, wednesday", [6, 7, 1, 3]),
        ("Fri–Fri", [5]),
        ("Mon,Mon-Tue Tue", [1, 2]),
        ("\u00a0Mon\u202fWed\t\ufeff", [1, 3]),
        (" DAILY ", [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_weekdays(database: Database, runs_on: str, days: list[int]) -> None:
    assert database.value("SELECT api.parse_weekdays(%s)", runs_on) == days


# Edits -----------------------------------------------------------------------------------------


def test_existing_service_is_not_changed(database: Database) -> None:
    add(database)
    database.query("UPDATE bus_info SET name = 'Edited' WHERE bus_id = 7")
    assert add(database, operator="Others") is False
    assert database.query("SELECT name, operator FROM bus_info WHERE bus_id = 7") == [("Edited", "KSRTC")]


def test_service_without_tickets_is_replaced(database: Database) -> None:
    add(database)
    assert add(database, name="New Bus", layout="sss", replace=True) is True
    assert database.query("SELECT name FROM bus_info WHERE bus_id = 7") == ["New Bus"]
    assert database.value("SELECT count(*) FROM seats WHERE bus_id = 7 AND travel_date = %s", DAY) == 3
    with SchemaApi.open(database) as api:
        assert api.book(3, bus_id=7)["status"] == "booked"


def test_edit_keeps_the_columns_that_it_does_not_name(database: Database) -> None:
    add(
        database, bus_type="SLEEPER", ac=True, runs_on="Mon Sat", kind="coach", time_zone="Asia/Colombo",
        refund_percent=70, alight_refund_percent=20, sells_until=timedelta(minutes=5), max_seats=3,
        phone_required=False, sales_days=30, first_date=date(2026, 12, 2), last_date=date(2027, 2, 1),
        nouns=Jsonb({"service": "coach", "seat": "berth"}), queue_limit=9,
    )  # fmt: skip
    columns = "SELECT to_jsonb(b) - 'name' FROM bus_info b WHERE bus_id = 7"
    tables = [f"SELECT to_jsonb(t) FROM {name} t WHERE bus_id = 7 ORDER BY 1" for name in SERVICE_TABLES]
    before = [database.query(query) for query in [columns, *tables]]
    assert all(before)
    database.query("SELECT api.add_service(7, name => 'New Name', replace => true)")
    assert [database.query(query) for query in [columns, *tables]] == before
    assert database.value("SELECT name FROM bus_info WHERE bus_id = 7") == "New Name"
    assert add(database, max_seats=4, queue_limit=8, replace=True) is True
    edited = "SELECT max_seats, queue_limit, refund_percent, sales_days FROM bus_info WHERE bus_id = 7"
    assert database.query(edited) == [(4, 8, 70, 30)]


def test_edit_that_moves_no_ticket_is_possible_with_tickets(database: Database) -> None:
    with SchemaApi.open(database) as api:
        add(database)
        booked = api.book(1, bus_id=7, from_stop=1, to_stop=3)
        held = api.hold(2, bus_id=7, from_stop=1, to_stop=3)
        database.query("SELECT api.add_service(7, max_seats => 1, refund_percent => 10, replace => true)")
        assert api.show(booked) == booked
        assert api.show(held) == held
        too_many = api.write("book", "k", **sale(3, 4, bus_id=7, from_stop=1, to_stop=3))
        assert too_many["reason"] == "too_many_seats"
        with pytest.raises(psycopg.errors.RaiseException, match="tickets on 2026-12-05, so its runs_on"):
            database.query("SELECT api.add_service(7, runs_on => 'Mon', replace => true)")


def test_edit_keeps_cancelled_extra_and_early_trips(database: Database) -> None:
    add(database, runs_on="Mon Fri", sales_days=10)
    database.query("SELECT api.cancel_trip(7, '2026-12-07', 'Landslide.')")
    database.query("SELECT api.add_trip(7, %s)", DAY)  # a Saturday
    database.query("SELECT api.open_sales(7, '2027-03-01', '2027-03-01')")
    add(database, layout="sss", runs_on="Tue Fri", replace=True)
    # 2027-03-01 is a Monday, on which the service does not run any more
    assert database.query(
        "SELECT travel_date::text, state, reason FROM trips WHERE bus_id = 7 ORDER BY 1"
    ) == [
        ("2026-12-01", "open", None),
        ("2026-12-04", "open", None),
        (DAY, "open", None),
        ("2026-12-07", "cancelled", "Landslide."),
        ("2026-12-08", "open", None),
        ("2026-12-11", "open", None),
    ]
    database.query("SELECT api.open_sales(7, '2027-03-02', '2027-03-02')")
    add(database, layout="s", replace=True)
    assert dates(database, 7)[-1] == date(2027, 3, 2)
    assert database.query("SELECT DISTINCT seat_no FROM seats WHERE bus_id = 7") == [1]
    assert database.value("SELECT count(*) FROM seats WHERE bus_id = 7") == 7


def test_edit_of_the_dates_is_followed_by_the_trips(database: Database) -> None:
    add(database, sales_days=5)
    database.query(
        "SELECT api.add_service(7, first_date => '2026-12-03', last_date => '2026-12-04', replace => true)"
    )
    states = "SELECT travel_date::text, state FROM trips WHERE bus_id = 7 ORDER BY 1"
    assert database.query(states) == [
        ("2026-12-03", "open"),
        ("2026-12-04", "open"),
        (DAY, "cancelled"),
        ("2026-12-06", "cancelled"),
    ]
    database.query(
        "SELECT api.add_service(7, first_date => '2026-12-02', last_date => %s, replace => true)", DAY
    )
    assert database.query(states) == [
        ("2026-12-02", "open"),
        ("2026-12-03", "open"),
        ("2026-12-04", "open"),
        (DAY, "open"),
        ("2026-12-06", "cancelled"),
    ]


def test_new_service_needs_its_name_operator_layout_and_stops(database: Database) -> None:
    for name in ("name", "operator", "layout", "stops"):
        message = "Service 7: A new service needs name, operator, layout and stops. It is in the field "
        assert error_of_adding(database, **{name: None}) == f"{message}{name}."
        assert error_of_adding(database, **{name: None}, replace=True) == f"{message}{name}."


def test_unpaid_tickets_do_not_prevent_an_edit(database: Database, clock: Clock) -> None:
    """An expired hold, a released one, and two waitlist entries: one left the waitlist, one expired on it."""
    with SchemaApi.open(database) as api:
        add(database)
        segment = {"bus_id": 7, "from_stop": 1, "to_stop": 3}
        api.change("release", api.hold(1, **segment))
        expired = api.write("hold", "k", **sale(1, 2, seconds=10, **segment))
        api.cancel(api.book(count=1, waitlist=True, **segment))
        api.book(count=1, waitlist=True, **segment)
        clock.set(f"{DAY} 23:00+05:30")  # after the departure; nothing has settled the trip
        add(
            database, layout="s", stops="Mandya | - | 22:00 | 0 | 0\nMysuru | 23:00 | - | 9 | 9", replace=True
        )
        assert api.show(expired)["reason"] == "unknown_booking"
        again = api.write("hold", "k", **sale(1, seconds=10, bus_id=7, travel_date="2026-12-06",
                                                      from_stop=1, to_stop=2))  # fmt: skip
        assert again["status"] == "held"


@pytest.mark.parametrize("waits", [False, True])
def test_live_hold_or_waitlist_entry_prevents_an_edit_for_its_time(
    database: Database, clock: Clock, waits: bool
) -> None:
    with SchemaApi.open(database) as api:
        add(database, layout="s")
        segment = {"bus_id": 7, "from_stop": 1, "to_stop": 3}
        api.hold(1, seconds=10, **segment)
        tickets, until = "1 ticket", "2026-12-01 09:00:10"
        if waits:
            api.book(count=1, waitlist=True, **segment)
            tickets, until = "2 tickets", f"{DAY} 22:00:00"
        edit = {"stops": STOPS.replace("23:45", "23:50"), "replace": True}
        error = error_of_adding(database, **edit)
        assert f"Service 7 (Night Bus) has {tickets} on hold or on the waitlist until {until}" in error
        clock.advance(seconds=10)  # the hold expires, and a party that waits gets the seat
        if waits:
            assert "Service 7 (Night Bus) has 1 ticket, so" in error_of_adding(database, **edit)
        else:
            assert add(database, **edit) is True


@pytest.mark.parametrize("cancelled", [False, True])
def test_service_with_tickets_is_ended_and_not_replaced(database: Database, cancelled: bool) -> None:
    with SchemaApi.open(database) as api:
        booking = api.book(1)
        if cancelled:
            api.cancel(booking)
        error = error_of_adding(database, bus_id=1, replace=True)
        assert "Service 1 (Day Bus) has 1 ticket, so its stops, layout cannot change" in error
        assert f"from {'2026-12-01' if cancelled else '2026-12-06'} on (succeed_service)" in error
        database.query("SELECT api.end_service(1, %s)", DAY)  # sells nothing after DAY
        assert api.book(2)["status"] == "booked"
        assert api.book(2, travel_date="2026-12-06")["reason"] == "trip_cancelled"
        assert database.value("SELECT api.open_sales(1)") == 0
        assert add(database, bus_id=8) is True


def test_service_does_not_end_before_its_last_passenger(database: Database, clock: Clock) -> None:
    with SchemaApi.open(database) as api:
        booking = api.book(1)
        with pytest.raises(psycopg.errors.RaiseException, match=f"has passengers after .*: on {DAY}"):
            database.query("SELECT api.end_service(1, '2026-12-03')")
        assert database.value("SELECT last_date FROM bus_info WHERE bus_id = 1") is None
        api.cancel(booking)
        api.hold(1, seconds=10)
        clock.advance(seconds=10)  # nothing settles the trip
        database.query("SELECT api.end_service(1, '2026-12-03')")
        assert api.book(1)["reason"] == "trip_cancelled"


def test_later_end_opens_the_trips_between(database: Database) -> None:
    add(database, runs_on="Mon Tue Wed Thu Fri Sat", sales_days=9)
    database.query("SELECT api.add_trip(7, '2026-12-06')")  # an extra trip on a Sunday
    with SchemaApi.open(database) as api:
        trip = {"bus_id": 7, "from_stop": 1, "to_stop": 3}
        api.cancel(api.book(1, travel_date="2026-12-04", **trip))  # this trip keeps a ticket
        database.query("SELECT api.cancel_trip(7, '2026-12-07', 'Landslide.')")
        database.query("SELECT api.end_service(7, '2026-12-03')")
        assert api.book(1, **trip)["message"].endswith("does not run on 2026-12-05. The service has ended.")
        database.query("SELECT api.end_service(7, '2026-12-08')")
        for day in (4, 5, 6, 8):
            assert api.book(1, travel_date=f"2026-12-0{day}", **trip)["status"] == "booked"
        assert api.book(1, travel_date="2026-12-07", **trip)["message"].endswith("Landslide.")
        assert api.book(1, travel_date="2026-12-09", **trip)["reason"] == "trip_cancelled"
        database.query("SELECT api.end_service(7, NULL)")
        assert api.book(1, travel_date="2026-12-09", **trip)["status"] == "booked"


def test_trips_follow_a_later_last_date_set_by_hand(database: Database) -> None:
    database.query("SELECT api.end_service(1, %s)", DAY)
    database.query("UPDATE bus_info SET last_date = '2026-12-07' WHERE bus_id = 1")
    assert [rule for rule, *_ in audit(database.conn)] == ["wrongly_ended"] * 2
    assert database.value("SELECT api.open_sales(1)") == 2
    assert audit(database.conn) == []


def test_end_in_the_past_cancels_no_trip_that_has_ended(database: Database, clock: Clock) -> None:
    with SchemaApi.open(database) as api:
        api.book(1, travel_date="2026-12-02")
        clock.set("2026-12-03 12:00+05:30")  # the trip of the 3rd is under way
        database.query("SELECT api.end_service(1, '2026-12-01')")
        cancelled = "SELECT min(travel_date)::text FROM trips WHERE bus_id = 1 AND state = 'cancelled'"
        assert database.value(cancelled) == "2026-12-03"


def test_wrong_end_is_refused(database: Database) -> None:
    add(database, first_date=date(2026, 12, 5))
    for bus_id, message in ((7, "begins on 2026-12-05, after 2026-12-04."), (99, "no bus 99")):
        with pytest.raises(psycopg.errors.RaiseException, match=message):
            database.query("SELECT api.end_service(%s, '2026-12-04')", bus_id)


# Trips on sale ---------------------------------------------------------------------------------


def dates(database: Database, bus_id: int) -> list[date]:
    return database.query("SELECT travel_date FROM trips WHERE bus_id = %s ORDER BY 1", bus_id)


def test_sales_open_for_the_sales_days_of_the_service(database: Database, clock: Clock) -> None:
    add(database, sales_days=3)
    assert dates(database, 7) == [date(2026, 12, day) for day in (1, 2, 3, 4)]
    assert database.value("SELECT api.open_sales(7)") == 0
    clock.advance(days=2)
    assert database.value("SELECT api.open_sales(7)") == 2
    assert dates(database, 7)[-1] == date(2026, 12, 6)
    assert database.value("SELECT count(*) FROM seats WHERE bus_id = 7") == 2 * 6


def test_today_is_in_the_time_zone_of_the_service(database: Database, clock: Clock) -> None:
    clock.set("2026-12-01 23:00+00:00")  # the 2nd in India
    add(database, sales_days=1)
    assert dates(database, 7) == [date(2026, 12, 2), date(2026, 12, 3)]


def test_sales_open_on_weekdays_between_first_and_last_date(database: Database) -> None:
    add(
        database, runs_on="Mon Fri", first_date=date(2026, 12, 5), last_date=date(2026, 12, 14), sales_days=60
    )
    assert dates(database, 7) == [date(2026, 12, 7), date(2026, 12, 11), date(2026, 12, 14)]


def test_cancelled_trip_stays_cancelled_and_a_trip_is_added(database: Database) -> None:
    add(database, runs_on="Sat", sales_days=10)
    database.query("UPDATE trips SET state = 'cancelled', reason = 'Strike.' WHERE bus_id = 7")
    assert database.value("SELECT api.open_sales(7)") == 0
    assert database.value("SELECT api.add_trip(7, '2026-12-08')") is True
    assert database.value("SELECT api.add_trip(7, '2026-12-08')") is False
    assert database.query("SELECT travel_date::text, state FROM trips WHERE bus_id = 7 ORDER BY 1") == [
        (DAY, "cancelled"),
        ("2026-12-08", "open"),
    ]
    with SchemaApi.open(database) as api:
        refusal = api.book(1, bus_id=7)
        assert (refusal["reason"], refusal["message"]) == (
            "trip_cancelled",
            "Night Bus (bus 7) does not run on 2026-12-05. Strike.",
        )
        assert api.book(1, bus_id=7, travel_date="2026-12-08")["status"] == "booked"


def test_cancelled_trip_is_opened_again(database: Database) -> None:
    with SchemaApi.open(database) as api:
        booking = api.book(1)
        database.query("SELECT api.cancel_trip(1, %s, 'Strike.')", DAY)
        assert database.value("SELECT api.add_trip(1, %s)", DAY) is True
        assert api.show(booking)["status"] == "cancelled"
        assert api.book(1)["status"] == "booked"
        assert database.value("SELECT reason FROM trips WHERE bus_id = 1 AND travel_date = %s", DAY) is None


def test_waitlist_is_promoted_when_a_cancelled_trip_is_opened_again(database: Database) -> None:
    with SchemaApi.open(database) as api:
        full = api.book(count=6), api.book(count=2)
        waiting = api.book(count=1, waitlist=True)
        database.query("UPDATE trips SET state = 'cancelled' WHERE bus_id = 1 AND travel_date = %s", DAY)
        api.cancel(full[1])
        database.query("SELECT api.add_trip(1, %s)", DAY)
        assert api.show(waiting)["status"] == "booked"


def test_sales_open_for_a_range_of_dates(database: Database) -> None:
    add(database, runs_on="daily", sales_days=1)
    day = date(2027, 1, 30)
    assert database.value("SELECT api.open_sales(7, %s, %s)", day, day + timedelta(days=3)) == 4
    assert database.value("SELECT api.open_sales(99)") == 0  # an unknown service


# References ------------------------------------------------------------------------------------


def test_conversation_and_database_have_the_same_alphabet(database: Database) -> None:
    """Dialogues recognize a reference among other words, also in a client, which has no database."""
    assert database.value("SELECT api.reference_alphabet()") == REFERENCE_ALPHABET


@pytest.mark.parametrize("bus_id", [1, 27, 28, 783, 784, 10001, 28**13 - 1])
def test_reference_names_its_service(database: Database, bus_id: int) -> None:
    references = database.query("SELECT api.new_reference(%s) FROM generate_series(1, 20)", bus_id)
    assert len(set(references)) >= 19  # two of them are equal in one of 90,000 runs
    for reference in references:
        assert set(reference) <= set(REFERENCE_ALPHABET)
        assert database.value("SELECT api.reference_bus(%s)", reference) == bus_id


@pytest.mark.parametrize("reference", ["", "B", "BAAAA", "B-AAAAA", "0AAAAAA", "A" * 19, "bAAAAA"])
def test_wrong_reference_names_no_service(database: Database, reference: str) -> None:
    assert database.value("SELECT api.reference_bus(%s)", reference) is None


def test_add_service_reads_tables_by_key_only(database: Database) -> None:
    """This holds also in a session whose plans were made while the tables were almost empty."""
    tables = "('places', 'layouts', 'bus_info', 'trips', 'seats', 'route_table', 'seat_plan')"
    read = "SELECT sum(%s)::int FROM pg_stat_xact_user_tables WHERE relname IN %s"
    scans, places = read % ("seq_scan", tables), read % ("coalesce(idx_tup_fetch, 0)", "('places')")
    database.query(
        "INSERT INTO places (code, name) SELECT 'A' || n, 'No ' || n FROM generate_series(1, 20000) n"
    )
    database.query("ANALYZE")  # the other tables are small
    with database.conn.transaction():
        before = database.value(scans), database.value(places)
        add(database)
        assert database.value(scans) == before[0]
        assert database.value(places) - before[1] < 10 * 3  # a few for each stop
