"""Servers behind PgBouncer, configured as docs/administration.md says."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import psycopg
import pytest
import requests

from busware.server.db import requirements
from busware.server.db.deadlines import Deadlines
from busware.server.db.pool import DatabaseUnavailable, Pool
from busware.server.db.schema import SchemaError, prepare
from busware.server.db.start_check import check_database
from busware.server.db.writer import Writer
from busware.server.service import serve
from busware.server.settings import Settings
from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS, LineClient, wait_until
from tests.support.pgbouncer import PgBouncer
from tests.support.schema_api import audit
from tests.support.serving import travel_day
from tests.support.writing import book as book_seat

TRIP = {"bus_id": 1, "origin": "Bengaluru", "destination": "Mysuru", "phone": "+919845012345"}
# Records the time limits of each session that sells tickets.
RECORD_LIMITS = """
CREATE TABLE limits (statement_timeout text, lock_timeout text);
CREATE FUNCTION record_limits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.limits VALUES (current_setting('statement_timeout'), current_setting('lock_timeout'));
    RETURN NULL;
END $$;
CREATE TRIGGER record_limits AFTER INSERT ON passengers EXECUTE FUNCTION record_limits();
"""


def start(stack: ExitStack, bouncer: PgBouncer, database: Database) -> tuple[LineClient, str]:
    """Start a server behind the pooler. Returns a client of its TCP port, and the URL of its HTTP port."""
    settings = Settings(
        database_url=bouncer.url,
        listen_url=database.server,
        owner_url=database.owner,
        port=0,
        http_port=0,
        seed=False,
    )
    prepare(database.owner, database.server, settings)
    check_database(bouncer.url, database.server, settings)
    served = serve(settings, bouncer.url, stack, lambda reason: None)
    line = stack.enter_context(closing(LineClient("127.0.0.1", served.port)))
    return line, f"http://127.0.0.1:{served.http_port}/v1"


@pytest.fixture
def servers(
    urls: dict[str, str], pgbouncer: PgBouncer, database: Database
) -> Iterator[tuple[tuple[LineClient, str], tuple[LineClient, str]]]:
    """Two servers in transaction mode; the second one replaces the functions of the database at its start."""
    with ExitStack() as stack:
        first = start(stack, pgbouncer, database)
        assert first[0].call("places")["places"]
        database.query("COMMENT ON SCHEMA api IS ''")
        yield first, start(stack, pgbouncer, database)
    assert audit(database.conn) == []


def test_two_servers_in_transaction_mode_serve_every_kind_of_request(
    servers: tuple[tuple[LineClient, str], tuple[LineClient, str]], database: Database
) -> None:
    (line, url), (other, _) = servers
    day = travel_day(database)
    trip = {**TRIP, "travel_date": day}
    with requests.get(
        f"{url}/trips/1/seats",
        {"boarding_date": day, "origin": "Bengaluru", "destination": "Mysuru"},
        headers={"Accept": "text/event-stream"},
        stream=True,
        timeout=WAIT_SECONDS,
    ) as stream:
        events = (event for event in stream.iter_lines() if event.startswith(b"data:"))
        assert states(next(events))[:2] == ["free", "free"]
        held = other.call("hold", **trip, seats=[1])
        assert states(next(events))[:2] == ["held", "free"]
    assert line.call("search", origin="Bengaluru", destination="Mysuru", date=day)["trips"]
    assert line.call("booking", reference=held["reference"], phone=TRIP["phone"])["status"] == "held"
    assert other.call("confirm", reference=held["reference"], phone=TRIP["phone"])["status"] == "booked"
    method, pushed = line.notification()
    assert (method, pushed["reference"], pushed["status"]) == ("booking_changed", held["reference"], "booked")
    booked = other.call("book", **trip, count=2)
    assert other.call("cancel", reference=booked["reference"], phone=TRIP["phone"])["status"] == "cancelled"
    assert "token" in line.call("register", username="asha", password="correct horse battery")
    assert "token" in other.call("login", username="asha", password="correct horse battery")
    database.query("SELECT api.notice('The bridge is closed.', bus_id => 1, travel_date => %s::date)", day)
    assert line.notification()[1]["text"] == "The bridge is closed."


def test_bookings_survive_the_end_of_the_pooler(
    servers: tuple[tuple[LineClient, str], tuple[LineClient, str]], database: Database, pgbouncer: PgBouncer
) -> None:
    (line, _), (other, _) = servers
    trip = {**TRIP, "travel_date": travel_day(database)}
    pgbouncer.kill()
    booked = line.call("book", **trip, count=1)  # the writer does not use the pooler
    pgbouncer.start()
    found = wait_until(lambda: seen(other, booked["reference"]))
    assert found["status"] == "booked"
    database.query(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'busware'"
        " AND datname = current_database()"
    )
    key = str(uuid.uuid4())
    again = wait_until(lambda: booked_once(line, trip, key))
    assert wait_until(lambda: seen(other, again["reference"]))["tickets"]


def states(event: bytes) -> list[str]:
    """The states of the seats in an event of a stream."""
    return [seat["state"] for seat in json.loads(event.removeprefix(b"data:"))["seats"]]


def seen(line: LineClient, reference: str) -> Any:
    reply = line.call("booking", reference=reference, phone=TRIP["phone"])
    return reply if "reference" in reply else None


def booked_once(line: LineClient, trip: dict[str, Any], key: str) -> Any:
    reply = line.call("book", **trip, count=1, key=key)
    return reply if "reference" in reply else None


def test_transaction_mode_leaves_nothing_in_the_sessions_of_the_pooler(
    database: Database, pgbouncer: PgBouncer
) -> None:
    settings = Settings(database_url=pgbouncer.url, listen_url=database.server, statement_seconds=7)
    with closing(Pool(pgbouncer.url, settings, Deadlines(settings))) as pool:
        pool.open()
        for _ in range(12):
            pool.execute("SELECT refused, answer FROM api.read('places', '{}')")
        ((first,),) = pool.execute("SELECT pg_backend_pid()")
        left = (
            "SELECT pg_backend_pid(), (SELECT count(*) FROM pg_prepared_statements),"
            " current_setting('statement_timeout'),"
            " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())"
        )
        with closing(psycopg.connect(pgbouncer.url, autocommit=True)) as other:
            assert other.execute(left).fetchone() == (first, 0, "0", 0)


@pytest.mark.pool_mode("session")
def test_session_mode_keeps_the_time_limits_of_a_connection(database: Database, pgbouncer: PgBouncer) -> None:
    settings = Settings(database_url=pgbouncer.url, statement_seconds=7, lock_wait_ms=400)
    check_database(pgbouncer.url, pgbouncer.url, settings)
    with closing(Pool(pgbouncer.url, settings, Deadlines(settings))) as pool:
        pool.open()
        assert pool.execute("SELECT current_setting('statement_timeout')") == [("7s",)]
    database.conn.execute(RECORD_LIMITS)
    writer = Writer(pgbouncer.url, settings, Deadlines(settings))
    writer.start()
    try:
        assert not writer.submit(book_seat(1)).refused
    finally:
        writer.stop()
    assert database.query("SELECT statement_timeout, lock_timeout FROM limits") == [("7s", "400ms")]


# URLs that cannot be used ----------------------------------------------------------------------


@pytest.fixture
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "NOTIFICATION_SECONDS", 0.3)


@pytest.mark.usefixtures("_short_wait")
def test_transaction_mode_without_listen_url_is_refused(database: Database, pgbouncer: PgBouncer) -> None:
    settings = Settings(database_url=pgbouncer.url, owner_url=database.owner)
    with pytest.raises(
        DatabaseUnavailable,
        match=r"DATABASE_URL leads to a pooler in transaction mode.* Set BUSWARE_LISTEN_URL too",
    ):
        check_database(pgbouncer.url, pgbouncer.url, settings)


@pytest.mark.usefixtures("_short_wait")
@pytest.mark.parametrize(
    ("variable", "given"),
    [("BUSWARE_OWNER_URL", {"owner_url"}), ("BUSWARE_LISTEN_URL", {"listen_url"}), ("DATABASE_URL", set())],
)
def test_preparing_the_database_in_transaction_mode_is_refused(
    database: Database, pgbouncer: PgBouncer, variable: str, given: set[str]
) -> None:
    settings = Settings(database_url=pgbouncer.url, **dict.fromkeys(given, pgbouncer.owner_url))
    with pytest.raises(SchemaError, match=f"^{variable} leads to a pooler in transaction mode"):
        prepare(pgbouncer.owner_url, pgbouncer.url, settings)
    advisory = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    assert database.value(advisory) == 0


@pytest.mark.usefixtures("_short_wait")
def test_listen_url_of_another_database_is_refused(
    database: Database, new_database: Any, template: str, pgbouncer: PgBouncer
) -> None:
    other = new_database("other", template)
    settings = Settings(database_url=pgbouncer.url, listen_url=other.server)
    with pytest.raises(
        DatabaseUnavailable, match="BUSWARE_LISTEN_URL leads to another database than DATABASE_URL"
    ):
        check_database(pgbouncer.url, other.server, settings)
