"""The log of events: each change of a booking or trip records one, and readers of the log miss none."""

from typing import Any

import psycopg
import pytest

from tests.conftest import Clock, Database
from tests.support.race import Race
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, RAVI, Answer, SchemaApi, call, sale

TRIP_OF_OPERATOR = {"bus_id": 1, "travel_date": DAY, "account": "conductor"}


@pytest.fixture(autouse=True)
def operators(database: Database) -> None:
    database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")


def log(api: SchemaApi, since: int = 0) -> list[tuple[str, str | None, str | None]]:
    """Type, reference and cause of each event after a number, in order."""
    rows = api.conn.execute(
        "SELECT type, reference, data ->> 'cause' FROM events WHERE event_no > %s ORDER BY event_no", (since,)
    )
    return rows.fetchall()


def last(api: SchemaApi) -> int:
    """The number of the last event; 0 if there is none."""
    ((number,),) = api.conn.execute("SELECT coalesce(max(event_no), 0) FROM events").fetchall()
    return int(number)


def types(api: SchemaApi, booking: Answer) -> list[str]:
    """The types of the events of a booking."""
    return [kind for kind, reference, _ in log(api) if reference == booking["reference"]]


def publish(api: SchemaApi, count: int = 500) -> int | None:
    ((published,),) = api.conn.execute("SELECT api.publish_events(%s)", (count,)).fetchall()
    return published


def published(api: SchemaApi) -> list[tuple[int, str | None]]:
    """Position and reference of each published event, in order."""
    rows = api.conn.execute(
        "SELECT position, reference FROM events WHERE position IS NOT NULL ORDER BY position"
    )
    return rows.fetchall()


# Changes of a booking --------------------------------------------------------------------------


def test_sales_and_their_ends(api: SchemaApi, clock: Clock) -> None:
    booked, held, released, expired = api.book(1), api.hold(2), api.hold(3), api.hold(4, seconds=60)
    api.change("confirm", held)
    api.change("release", released)
    api.cancel(booked)
    clock.advance(minutes=2)
    api.change("settle", held)
    assert types(api, booked) == ["booking.booked", "booking.cancelled"]
    assert types(api, held) == ["booking.held", "booking.booked"]
    assert types(api, released) == ["booking.held", "booking.released"]
    assert types(api, expired) == ["booking.held", "booking.expired"]


def test_waitlist(api: SchemaApi) -> None:
    first = api.book(*range(1, 7))
    api.book(7, 8, phone=RAVI)
    waiting = api.book(count=2, waitlist=True)
    api.cancel(first, 1, 2)
    assert types(api, waiting) == ["booking.waitlisted", "booking.promoted"]
    assert types(api, first) == ["booking.booked", "booking.cancelled"]


def test_waitlist_within_a_batch_is_in_order(api: SchemaApi) -> None:
    first = api.book(*range(1, 7))
    api.book(7, 8, phone=RAVI)
    waiting, _ = api.batch(
        call("book", **sale(count=2, waitlist=True)), call("cancel", reference=first["reference"], phone=ASHA)
    )
    assert waiting is not None
    assert types(api, waiting) == ["booking.waitlisted", "booking.promoted"]


def test_changes(api: SchemaApi) -> None:
    booking = api.book(1, passengers=[{"name": "Asha"}])
    since = last(api)
    api.change("change_seat", booking, ticket_no=1, seat_no=2)
    api.change("transfer", booking, ticket_no=1, name="Uma")
    api.change("exchange", booking, travel_date=OTHER_DAY, due="1000")
    api.change("alight", booking, at=4)
    changed = "booking.changed"
    assert [(kind, cause) for kind, _, cause in log(api, since)] == [
        (changed, "seat"), (changed, "transfer"), (changed, "exchange"), (changed, "segment"),
    ]  # fmt: skip


def test_call_that_changes_nothing_records_nothing(api: SchemaApi) -> None:
    booking = api.book(1, passengers=[{"name": "Asha"}], key="k")
    hold = api.hold(2)
    since = last(api)
    api.change("change_seat", booking, ticket_no=1, seat_no=1)
    api.change("transfer", booking, ticket_no=1, name="Asha")
    api.change("exchange_quote", booking, travel_date=OTHER_DAY)
    assert api.book(1)["reason"] == "seat_taken"
    assert api.book(1, passengers=[{"name": "Asha"}], key="k") == booking
    assert api.change("release", hold, phone=RAVI)["reason"] == "unknown_booking"
    assert log(api, since) == []


def test_check_in_and_no_show(api: SchemaApi, clock: Clock) -> None:
    boards, missing = api.book(1), api.book(2)
    clock.set(f"{DAY} 09:30+05:30")
    for undo in (False, False, True, True, False):
        api.write("check_in", reference=boards["reference"], account="conductor", undo=undo)
    clock.set(f"{DAY} 10:10+05:30")
    for _ in range(2):
        api.write("no_shows", at=1, **TRIP_OF_OPERATOR)
    assert types(api, boards) == [
        "booking.booked",
        "booking.checked_in",
        "booking.changed",
        "booking.checked_in",
    ]
    assert types(api, missing) == ["booking.booked", "booking.no_show"]


# Changes of a trip -----------------------------------------------------------------------------


def test_cancelled_trip(api: SchemaApi) -> None:
    booking, hold = api.book(1), api.hold(2)
    since = last(api)
    api.write("cancel_trip", reason="Landslide.", **TRIP_OF_OPERATOR)
    assert log(api, since)[0] == ("trip.cancelled", None, None)
    assert sorted(log(api, since)[1:]) == sorted(
        ("booking.cancelled", b["reference"], "trip") for b in (booking, hold)
    )
    since = last(api)
    api.conn.execute("SELECT api.add_trip(1, %s)", (DAY,))
    assert log(api, since) == [("trip.restored", None, None)]


def test_delay_records_the_new_times(api: SchemaApi) -> None:
    booking = api.book(1)
    since = last(api)
    assert api.write("delay_trip", minutes=30, plan=True, **TRIP_OF_OPERATOR)["bookings"] == 1
    assert log(api, since) == []
    api.write("delay_trip", minutes=30, reason="Rain.", **TRIP_OF_OPERATOR)
    api.write("delay_trip", minutes=30, reason="Rain.", **TRIP_OF_OPERATOR)
    assert log(api, since) == [
        ("trip.delayed", None, "times"), ("booking.changed", booking["reference"], "times"),
    ]  # fmt: skip
    (data,) = api.conn.execute("SELECT data FROM events ORDER BY event_no DESC LIMIT 1").fetchone()
    assert data.pop("why").endswith("Rain.")
    assert data.pop("cause") == "times"
    assert data == api.show(booking)


def test_skipped_stop(api: SchemaApi) -> None:
    booking, hold = api.book(1, from_stop=1, to_stop=3), api.hold(2, from_stop=3, to_stop=5)
    since = last(api)
    api.write("skip_stop", at=3, reason="Flood.", **TRIP_OF_OPERATOR)
    assert sorted(log(api, since)) == sorted([
        ("booking.released", hold["reference"], "segment"),
        ("booking.offered", booking["reference"], "segment"),
        ("trip.stop_skipped", None, "segment"),
    ])  # fmt: skip
    since = last(api)
    for _ in range(2):
        api.write("serve_stop", at=3, **TRIP_OF_OPERATOR)
    assert log(api, since) == [("trip.stop_served", None, None)]


def test_notice_is_recorded_once(api: SchemaApi, database: Database) -> None:
    booking = api.book(1)
    since = last(api)
    key = database.value("SELECT gen_random_uuid()")
    for _ in range(2):
        database.query("SELECT api.notice('Rain.', bus_id => 1, travel_date => %s, key => %s)", DAY, key)
    database.query("SELECT api.notice('Come early.', reference => %s)", booking["reference"])
    database.query("SELECT api.notice('Hello.')")
    assert log(api, since) == [
        ("trip.notice", None, None), ("booking.notice", booking["reference"], None),
    ]  # fmt: skip


# Publication -----------------------------------------------------------------------------------


def test_positions_have_no_gap(api: SchemaApi) -> None:
    references = [api.book(n)["reference"] for n in range(1, 6)]
    assert [publish(api, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert published(api) == list(enumerate(references, 1))


def test_event_that_commits_late_is_not_missed(race: Race) -> None:
    """The first transaction takes the lower event_no and commits after the second was published."""
    late = race.first.book(1)
    early = race.second.book(1, travel_date=OTHER_DAY)
    assert publish(race.second) == 1
    assert published(race.second) == [(1, early["reference"])]
    race.first.conn.commit()
    assert publish(race.second) == 1
    assert published(race.second) == [(1, early["reference"]), (2, late["reference"])]
    numbers = race.second.conn.execute("SELECT event_no FROM events ORDER BY position").fetchall()
    assert numbers == sorted(numbers, reverse=True)


def test_one_session_publishes_at_a_time(race: Race) -> None:
    race.second.book(1)
    assert publish(race.first) == 1
    race.second.book(2)
    assert publish(race.second) is None
    assert published(race.second) == []
    race.first.conn.commit()
    assert publish(race.second) == 1
    assert [position for position, _ in published(race.second)] == [1, 2]


def test_rolled_back_publication_leaves_no_gap(race: Race) -> None:
    race.second.book(1)
    assert publish(race.first) == 1
    race.first.conn.rollback()
    assert publish(race.second) == 1
    assert [position for position, _ in published(race.second)] == [1]


def test_publication_that_was_planned_for_an_empty_log_reads_each_event_a_few_times(api: SchemaApi) -> None:
    events = 300
    api.conn.execute("ANALYZE events")
    assert publish(api) == 0
    api.conn.execute(
        "INSERT INTO events (event_no, type, at, data) "
        "SELECT nextval('event_no_seq'), 'trip.delayed', api.now(), '{}' FROM generate_series(1, %s)",
        (events,),
    )
    with api.conn.transaction():
        assert publish(api) == events
        ((read,),) = api.conn.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'events'"
        ).fetchall()
    assert read < 10 * events


def fail_fan_out(api: SchemaApi, reference: str, sqlstate: str = "P0001") -> None:
    """Replace api.fan_out by one that fails for the events of a booking."""
    api.conn.execute(
        "CREATE OR REPLACE FUNCTION api.fan_out(e events) RETURNS void LANGUAGE plpgsql AS"
        f" $$BEGIN IF e.reference = '{reference}'"
        f"  THEN RAISE 'broken' USING ERRCODE = '{sqlstate}'; END IF; END$$"
    )


def test_event_that_cannot_be_published_does_not_stop_others(api: SchemaApi) -> None:
    booking = api.book(1)
    broken, other = booking["reference"], api.book(2)["reference"]
    api.cancel(booking)
    last = api.book(3)["reference"]
    fail_fan_out(api, broken)
    assert publish(api) == 2
    assert published(api) == [(1, other), (2, last)]
    later = api.book(4)["reference"]
    assert publish(api, 1) == 1
    assert published(api) == [(1, other), (2, last), (3, later)]
    assert api.conn.execute("SELECT count FROM api.count_outbox() WHERE kind = 'event'").fetchall() == [(2,)]
    fail_fan_out(api, "nothing")
    assert publish(api) == 2
    assert published(api)[3:] == [(4, broken), (5, broken)]


def test_shortage_stops_the_publication(api: SchemaApi) -> None:
    """What is no fault of an event, such as a full disk, leaves all events unpublished."""
    broken = api.book(1)["reference"]
    api.book(2)
    fail_fan_out(api, broken, "53100")
    with pytest.raises(psycopg.errors.DiskFull):
        publish(api)
    assert published(api) == []


def test_rolled_back_change_has_no_event(race: Race) -> None:
    race.first.book(1)
    race.first.conn.rollback()
    assert log(race.second) == []


# Deletion --------------------------------------------------------------------------------------


def test_deletion_leaves_no_gap_and_continues_the_positions(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    for n in (1, 2, 3):
        api.book(n)
    publish(api)
    needed = database.value("SELECT event_no FROM events WHERE position = 2")
    database.query("SELECT api.enqueue('mail', '{}', event_no => %s)", needed)
    clock.advance(days=2)
    assert database.value("SELECT api.purge_events('1 day')") == 1
    database.query("UPDATE outbox SET state = 'dead', done_at = now(), error = 'x', attempts = 1")
    assert database.value("SELECT api.purge_events('1 day')") == 1
    assert database.value("SELECT api.purge_events('1 day')") == 0
    api.book(4)
    assert publish(api) == 1
    assert [position for position, _ in published(api)] == [3, 4]


# The method `events` ---------------------------------------------------------------------------


def read(api: SchemaApi, account: str = "conductor", **args: Any) -> tuple[list[str], str, bool]:
    """The references of a page, the position in `next`, and whether there are more."""
    page = api.read("events", account=account, **args)
    position = page["next"].partition("-")[0]
    return [event["reference"] for event in page["events"]], position, page.get("more", False)


def test_pages(api: SchemaApi) -> None:
    assert read(api) == ([], "0", False)
    a, b, c = (api.book(n)["reference"] for n in (1, 2, 3))
    assert read(api) == ([], "0", False)  # they are not published
    publish(api)
    assert read(api, limit=2) == ([a, b], "2", True)
    assert read(api, limit=2, after="2") == ([c], "3", False)
    assert read(api, after="3") == ([], "3", False)
    for unknown in ("x", "3-", "3-x", "3-01234567-"):
        refused = api.read("events", account="conductor", after=unknown)
        assert (refused["reason"], refused["takes"]) == ("bad_request", "the `next` of an earlier page")


def test_reader_learns_that_the_database_was_recovered(api: SchemaApi, database: Database) -> None:
    """The log lost its last event, and perhaps has another one in its place."""
    api.book(1)
    api.book(2)
    publish(api)
    before = api.read("events", account="conductor", limit=1)["next"]
    after = api.read("events", account="conductor")["next"]
    database.query("DELETE FROM events WHERE position = 2")
    for seat in (3, 4):
        refused = api.read("events", account="conductor", after=after)
        assert (refused["reason"], refused["field"]) == ("bad_request", "after")
        assert "recovered to an earlier time" in refused["message"]
        other = api.book(seat)["reference"]
        publish(api)
    assert refused["takes"] == "2 or an earlier `next`"
    assert read(api, after=before)[0][-1] == other


def test_event_has_the_booking(api: SchemaApi) -> None:
    booking = api.book(1)
    publish(api)
    (event,) = api.read("events", account="conductor")["events"]
    assert (event["type"], event["reference"], event["position"]) == (
        "booking.booked",
        booking["reference"],
        1,
    )
    assert (event["bus_id"], event["travel_date"], event["at"]) == (1, DAY, "2026-12-01T09:00:00+05:30")
    assert event["data"] == booking


def test_operator_reads_the_events_of_its_services_only(api: SchemaApi, database: Database) -> None:
    database.query("SELECT api.add_operator('other', 'hash', 'SRS Travels')")
    database.query("SELECT api.add_operator('root', 'hash', NULL)")
    (own,) = database.query("SELECT operator FROM bus_info WHERE bus_id = 1")
    assert own == "KSRTC"
    mine = api.book(1)["reference"]
    publish(api)
    assert read(api)[0] == read(api, "root")[0] == [mine]
    assert read(api, "other") == ([], "1", False)


def test_page_without_own_events_continues(api: SchemaApi, database: Database) -> None:
    """One call reads a limited number of events of all operators."""
    database.query(
        "INSERT INTO events (event_no, type, bus_id, at, data, position) "
        "SELECT n, 'trip.notice', -1, api.now(), '{}', n FROM generate_series(1, 15) AS n"
    )
    database.query("SELECT setval('event_no_seq', 15)")
    own = api.book(1)["reference"]
    publish(api)
    assert read(api, scan=10) == ([], "10", True)
    assert read(api, scan=10, after="10") == ([own], "16", False)


def test_reader_learns_that_events_were_deleted(api: SchemaApi, database: Database, clock: Clock) -> None:
    for n in (1, 2, 3):
        api.book(n)
    publish(api)
    clock.advance(days=2)
    later = api.book(4)["reference"]
    publish(api)
    assert database.value("SELECT api.purge_events('1 day')") == 3
    refused = api.read("events", account="conductor", after="1")
    assert (refused["reason"], refused["takes"]) == ("bad_request", "3 or a later `next`")
    assert read(api, after="3") == read(api) == ([later], "4", False)
