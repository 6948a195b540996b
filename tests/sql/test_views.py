"""The views for psql: bookings, vacancy and manifest, with names and local times; comments for psql."""

from datetime import datetime
from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, RAVI, SchemaApi


def december(text: str) -> datetime:
    """A time in December 2026: december("05 23:45")."""
    return datetime.fromisoformat(f"2026-12-{text}")


# bookings --------------------------------------------------------------------------------------


def test_bookings_have_names_and_local_times(api: SchemaApi, database: Database) -> None:
    booking = api.book(3, bus_id=2, origin="Mandya", destination="Ooty", passengers=[{"name": "Asha"}])
    assert database.query(
        "SELECT reference, ticket_no, status, service, origin, destination, seat_no, passenger, phone, "
        "departs, arrives, fare::text, refund::text FROM bookings"
    ) == [
        (
            booking["reference"], 1, "booked", "Night Sleeper", "Mandya", "Ooty", 3, "Asha", ASHA,
            december("05 23:45"), december("06 05:30"), "550.50", "0.00",
        )
    ]  # fmt: skip


def test_bookings_show_the_current_status_of_every_ticket(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    api.cancel(api.book(1, 2), 2)
    api.hold(3)
    api.book(2, 4, 5, 6, 7, 8, phone=RAVI)
    api.book(count=1, waitlist=True)
    statuses = f"SELECT status FROM bookings WHERE phone = '{ASHA}' ORDER BY seat_no"
    assert database.query(statuses) == ["booked", "cancelled", "held", "pending"]
    clock.advance(minutes=10)
    assert database.query(statuses) == ["booked", "cancelled", "expired", "pending"]
    clock.set("2026-12-05 10:00+05:30")
    assert database.query(statuses) == ["booked", "cancelled", "expired", "expired"]


# vacancy ---------------------------------------------------------------------------------------


def vacancy(database: Database, day: str = DAY) -> dict[tuple[str, str], list[int]]:
    """The free seats of service 1, by origin and destination."""
    rows = database.query(
        "SELECT origin, destination, seats_free, seat_nos FROM vacancy "
        "WHERE bus_id = 1 AND travel_date = %s ORDER BY from_stop, to_stop",
        day,
    )
    assert all(free == len(seats or []) for _, _, free, seats in rows)
    return {(origin, destination): seats or [] for origin, destination, _, seats in rows}


def test_vacancy_has_every_segment(api: SchemaApi, database: Database) -> None:
    api.book(1, 2, 3, 4, from_stop=2, to_stop=3)
    api.book(5, 6, 7, from_stop=1, to_stop=5)
    api.hold(8, from_stop=4, to_stop=5)
    free = vacancy(database)
    assert list(free) == [
        ("Bengaluru", "Ramanagara"), ("Bengaluru", "Mandya"), ("Bengaluru", "Srirangapatna"),
        ("Bengaluru", "Mysuru"), ("Ramanagara", "Mandya"), ("Ramanagara", "Srirangapatna"),
        ("Ramanagara", "Mysuru"), ("Mandya", "Srirangapatna"), ("Mandya", "Mysuru"),
        ("Srirangapatna", "Mysuru"),
    ]  # fmt: skip
    assert free["Bengaluru", "Ramanagara"] == [1, 2, 3, 4, 8]
    assert free["Bengaluru", "Mysuru"] == []
    assert free["Mandya", "Mysuru"] == [1, 2, 3, 4]
    assert free["Ramanagara", "Srirangapatna"] == [8]


def test_vacancy_equals_the_seat_map(api: SchemaApi, database: Database) -> None:
    api.book(1, from_stop=2, to_stop=3)
    api.hold(2, from_stop=3, to_stop=5)
    stops = ["Bengaluru", "Ramanagara", "Mandya", "Srirangapatna", "Mysuru"]
    assert vacancy(database) == {
        (stops[start - 1], stops[end - 1]): api.free(start, end)
        for start in range(1, 5)
        for end in range(start + 1, 6)
    }


def test_vacancy_leaves_out_trips_and_stops_that_are_not_on_sale(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    api.hold(1)
    clock.advance(minutes=10)
    assert vacancy(database)["Bengaluru", "Mysuru"] == [1, 2, 3, 4, 5, 6, 7, 8]  # the hold has expired
    clock.set("2026-12-05 10:55+05:30")
    assert {origin for origin, _ in vacancy(database)} == {"Mandya", "Srirangapatna"}
    database.query("UPDATE trips SET state = 'cancelled' WHERE bus_id = 1")
    assert vacancy(database) == {}


# manifest --------------------------------------------------------------------------------------


def manifest(database: Database) -> list[Any]:
    return database.query(
        "SELECT stop_no, stop, boards, alights, come_free FROM manifest "
        "WHERE bus_id = 1 AND travel_date = %s ORDER BY stop_no",
        DAY,
    )


def test_manifest_lists_boarding_alighting_and_freed_seats(api: SchemaApi, database: Database) -> None:
    asha = api.book(1, 2, from_stop=1, to_stop=3, passengers=[{"name": "Asha"}])
    ravi = api.book(1, from_stop=3, to_stop=5, phone=RAVI, passengers=[{"name": "Ravi"}])
    api.hold(7)
    api.cancel(api.book(8))
    assert ravi["status"] == "booked"
    assert manifest(database) == [
        (1, "Bengaluru", f"1 Asha, 2 {asha['reference']}", None, None),
        (2, "Ramanagara", None, None, None),
        (3, "Mandya", "1 Ravi", f"1 Asha, 2 {asha['reference']}", [2]),
        (4, "Srirangapatna", None, None, None),
        (5, "Mysuru", None, "1 Ravi", [1]),
    ]
    assert database.query(
        "SELECT arrives, departs FROM manifest WHERE bus_id = 1 AND stop_no = 3 AND travel_date = %s", DAY
    ) == [(december("05 11:45"), december("05 11:50"))]


def test_held_seat_comes_free_when_the_hold_expires(api: SchemaApi, database: Database, clock: Clock) -> None:
    api.book(1, from_stop=1, to_stop=3, passengers=[{"name": "Asha"}])
    api.hold(1, from_stop=3, to_stop=5)
    assert manifest(database)[2] == (3, "Mandya", None, "1 Asha", None)
    clock.advance(minutes=10)
    assert manifest(database)[2] == (3, "Mandya", None, "1 Asha", [1])


# Rights ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["bookings", "vacancy", "manifest"])
def test_owner_may_read_the_views(api: SchemaApi, view: str) -> None:
    api.book(1)
    statement = f"SELECT count(*) FROM {view} WHERE bus_id = 1"
    ((rows,),) = api.conn.execute(statement.encode()).fetchall()
    assert rows > 0


@pytest.mark.parametrize("view", ["bookings", "vacancy", "manifest"])
def test_views_have_the_kind_and_the_operator_of_the_service(
    api: SchemaApi, database: Database, view: str
) -> None:
    api.book(1)
    service = database.query("SELECT kind, operator FROM bus_info WHERE bus_id = 1")
    assert database.query(f"SELECT DISTINCT kind, operator FROM {view} WHERE bus_id = 1") == service


# Comments --------------------------------------------------------------------------------------

UNCOMMENTED = """
SELECT c.relname || coalesce('.' || a.attname, '')
FROM pg_class c
LEFT JOIN LATERAL (
    SELECT attnum, attname FROM pg_attribute
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT 0, NULL
) AS a ON true
WHERE c.relnamespace IN ('public'::regnamespace, 'busware_reports'::regnamespace)
  AND c.relkind IN ('r', 'p', 'v', 'm')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  AND coalesce(CASE a.attnum WHEN 0 THEN obj_description(c.oid, 'pg_class')
                             ELSE col_description(c.oid, a.attnum) END, '') !~ '^[A-Za-z0-9].*[.]$'
ORDER BY 1
"""


def test_every_table_view_and_column_has_a_comment(database: Database) -> None:
    assert database.query(UNCOMMENTED) == []
    database.query("COMMENT ON COLUMN passengers.fare IS NULL")
    assert database.query(UNCOMMENTED) == ["passengers.fare"]
