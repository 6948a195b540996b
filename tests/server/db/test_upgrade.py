"""Upgrades of a database in use: two releases at once, locks, breaking migrations, and 64 clients.

BUSWARE_TEST_UPGRADES sets the number of upgrades under the load of the clients (3).
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from busware.server.db import schema
from busware.server.db.deadlines import Deadlines
from busware.server.db.listener import Listener
from busware.server.db.pool import DatabaseUnavailable, Pool, SchemaChanged
from busware.server.db.schema import SchemaError
from busware.server.db.writer import Writer
from busware.server.settings import Settings
from tests.conftest import Database
from tests.support.later_release import (
    add_migration,
    make_release,
    prepare,
    release_of,
    replace,
    version_of,
)
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.operator import Operator
from tests.support.processes import ServerProcess, fail_to_start, start
from tests.support.schema_api import audit
from tests.support.traffic import Traffic
from tests.support.writing import book

UPGRADES = int(os.environ.get("BUSWARE_TEST_UPGRADES", "3"))
CLIENTS, ANSWERS = 64, 300
COMMENT = "SELECT obj_description('api'::regnamespace, 'pg_namespace')"
FUNCTIONS = "SELECT oid, proname, prosrc FROM pg_proc WHERE pronamespace = 'api'::regnamespace ORDER BY oid"
MIGRATIONS = "SELECT name FROM migrations ORDER BY name"


@pytest.fixture
def second_role(empty_database: Database) -> Iterator[str]:
    """The URL of another role that serves the database."""
    yield empty_database.server.replace("//busware:", "//busware_second:")
    empty_database.query("DROP OWNED BY busware_second")
    empty_database.query("DROP ROLE busware_second")


# Traffic ---------------------------------------------------------------------------------------


@pytest.mark.system
def test_upgrades_fail_no_request(urls: dict[str, str], database: Database, tmp_path: Path) -> None:
    days = database.query("SELECT travel_date FROM trips WHERE bus_id = 1 ORDER BY travel_date OFFSET 1")
    quiet, logs = {**urls, "BUSWARE_LOG_LEVEL": "WARNING"}, []
    with ExitStack() as stack:
        servers = [stack.enter_context(ServerProcess("0", **quiet)) for _ in range(2)]
        traffic = stack.enter_context(Traffic(CLIENTS, days, [server.port for server in servers]))
        for n in range(1, UPGRADES + 1):
            traffic.wait_for(ANSWERS)
            program = release_of(make_release(tmp_path, n), version_of(n))
            servers.append(stack.enter_context(ServerProcess("0", program=program, **quiet)))
            assert database.value("SELECT api.step()::int") == n
            assert database.value("SELECT to_regproc(%s) IS NULL", f"api.step_{n - 1}")
            traffic.wait_for(ANSWERS)  # from two older servers, with the new functions
            oldest = servers.pop(0)
            traffic.ports[:] = [server.port for server in servers]
            status, log = oldest.end(signal.SIGTERM)
            assert status == 0
            logs.append(log)
        traffic.wait_for(ANSWERS)
        traffic.stop()
        logs += [server.end(signal.SIGTERM)[1] for server in servers]
    assert traffic.failures == [], logs
    assert "Traceback" not in "".join(logs)
    assert audit(database.conn) == []
    assert dict(database.query("SELECT reference, status FROM bookings")) == traffic.bookings


# Replacing functions ---------------------------------------------------------------------------


def test_functions_are_replaced_in_place(
    empty_database: Database, second_role: str, sql_folder: Path
) -> None:
    prepare(empty_database)
    schema.prepare(empty_database.owner, second_role, Settings(seed=False))
    empty_database.query("CREATE VIEW mine AS SELECT api.now() AS at")
    before = {name: oid for oid, name, _ in empty_database.query(FUNCTIONS)}
    replace(sql_folder / "21_now.sql", "RETURN now()", "RETURN now() + interval '1 day'")
    (sql_folder / "21_more.sql").write_text(
        "CREATE FUNCTION api.more() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1"
    )
    prepare(empty_database)
    after = {name: oid for oid, name, _ in empty_database.query(FUNCTIONS)}
    assert after.pop("more")
    assert after == before
    assert empty_database.value("SELECT at > now() FROM mine")
    with psycopg.connect(second_role) as conn:
        assert conn.execute("SELECT api.more()").fetchone() == (1,)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("20_schema.sql", "reason text, account text", "reason text, account text, more int"),
        ("21_now.sql", "RETURNS timestamptz\nLANGUAGE sql STABLE\nRETURN now()",
         "RETURNS timestamp\nLANGUAGE sql STABLE\nRETURN now()"),
        ("27_count_tickets.sql", "TABLE (status text, tickets bigint)", "TABLE (status text, n bigint)"),
        ("28_views.sql", "p.name AS passenger", "p.name::varchar AS passenger"),
    ],
)  # fmt: skip
def test_the_schema_is_created_again_if_it_cannot_be_replaced_in_place(
    empty_database: Database, second_role: str, sql_folder: Path, file: str, old: str, new: str
) -> None:
    prepare(empty_database)
    schema.prepare(empty_database.owner, second_role, Settings(seed=False))
    replace(sql_folder / file, old, new)
    prepare(empty_database)
    assert empty_database.value(COMMENT).startswith(schema.VERSION)
    with psycopg.connect(second_role) as conn:
        assert conn.execute("SELECT refused FROM api.read('places', '{}')").fetchone() == (False,)


def test_an_older_server_keeps_the_functions_of_a_newer_one(
    empty_database: Database, sql_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(sql_folder / "21_now.sql", "RETURN now()", "RETURN now() + interval '1 day'")
    add_migration(sql_folder, "CREATE TABLE more (x int)")
    with monkeypatch.context() as newer:
        newer.setattr(schema, "VERSION", "10.0.0")
        prepare(empty_database)
    before = empty_database.query(FUNCTIONS), empty_database.value(COMMENT)
    (sql_folder / "19_more.sql").unlink()
    replace(sql_folder / "21_now.sql", "interval '1 day'", "interval '2 days'")
    monkeypatch.setattr(schema, "VERSION", "9.0.0")
    prepare(empty_database, seed=True)
    assert (empty_database.query(FUNCTIONS), empty_database.value(COMMENT)) == before
    assert empty_database.query("SELECT name FROM seeds_loaded") == []
    monkeypatch.setattr(schema, "VERSION", "11.0.0")
    prepare(empty_database)
    assert empty_database.value("SELECT api.now() > now() + interval '1 day'")


def test_two_servers_can_upgrade_concurrently(empty_database: Database, sql_folder: Path) -> None:
    prepare(empty_database)
    replace(sql_folder / "20_schema.sql", "reason text, account text", "reason text, account text, more int")
    add_migration(sql_folder, "ALTER TABLE trips ADD COLUMN more int")
    failures: list[Exception] = []

    def upgrade() -> None:
        try:
            prepare(empty_database)
        except Exception as error:  # noqa: BLE001 - every exception is a failure
            failures.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert "19_more" in empty_database.query(MIGRATIONS)
    with empty_database.connect_as_server() as conn:
        assert conn.execute("SELECT refused FROM api.read('places', '{}')").fetchone() == (False,)


@pytest.mark.database
@pytest.mark.system
def test_a_killed_upgrade_leaves_the_old_functions(
    urls: dict[str, str], database: Database, tmp_path: Path
) -> None:
    release = make_release(tmp_path, 3)  # which creates schema api again
    (release / "28_zz.sql").write_text("SELECT pg_sleep(3600)")
    before = database.query(FUNCTIONS), database.value(COMMENT)
    killed = start("0", program=release_of(release), **urls)
    with killed:
        sleeping = (
            "SELECT pid FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(3600)' AND pid <> pg_backend_pid()"
        )
        (pid,) = wait_until(lambda: database.query(sleeping))
        with database.connect_as_server() as conn:
            conn.execute("SELECT * FROM api.read('places', '{}')")
        killed.kill()
    database.query("SELECT pg_terminate_backend(%s, %s)", pid, WAIT_SECONDS * 1000)
    assert (database.query(FUNCTIONS), database.value(COMMENT)) == before
    (release / "28_zz.sql").unlink()
    with ServerProcess("0", program=release_of(release), **urls):
        assert database.value("SELECT api.step()::int") == 3


# Statements that fail because of an upgrade ------------------------------------------------------


def create_failing(database: Database, times: int, sqlstate: str) -> None:
    """Create a function `failing` that fails a number of times."""
    database.query("CREATE SEQUENCE tries")
    database.query(f"""
        CREATE FUNCTION failing() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
            IF nextval('public.tries') <= {times} THEN
                RAISE EXCEPTION 'cache lookup failed' USING ERRCODE = '{sqlstate}';
            END IF;
            RETURN 1;
        END $$""")


@pytest.mark.parametrize("too_often", [False, True])
@pytest.mark.parametrize("state", ["42883", "42804", "XX000", "3F000", "0A000"])
def test_a_read_that_fails_because_of_an_upgrade_is_repeated(
    database: Database, settings: Settings, state: str, too_often: bool
) -> None:
    create_failing(database, settings.upgrade_retries + too_often, state)
    pool = Pool(database.server, settings, Deadlines(settings))
    pool.open()
    with closing(pool):
        if too_often:
            with pytest.raises(SchemaChanged):
                pool.execute("SELECT failing()")
        assert pool.execute("SELECT failing()") == [(1,)]


@pytest.mark.parametrize("too_often", [False, True])
def test_a_write_that_fails_because_of_an_upgrade_is_repeated(
    database: Database, settings: Settings, too_often: bool
) -> None:
    create_failing(database, settings.upgrade_retries + too_often, "42883")
    definition = database.value("SELECT pg_get_functiondef('api.parse_calls(jsonb)'::regprocedure)")
    database.query(definition.replace("SELECT", "SELECT FROM public.failing(); SELECT", 1))
    writer = Writer(database.server, settings, Deadlines(settings))
    writer.start()
    try:
        if too_often:
            with pytest.raises(SchemaChanged):
                writer.submit(book(1))
        assert not writer.submit(book(1)).refused
    finally:
        writer.stop()


# Locks -----------------------------------------------------------------------------------------


def test_a_migration_rolls_back_and_tries_again(empty_database: Database, sql_folder: Path) -> None:
    prepare(empty_database)
    add_migration(sql_folder, "ALTER TABLE trips ADD COLUMN more int")
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'trips'::regclass AND NOT granted"
    with empty_database.connect(autocommit=False) as reader:
        reader.execute("SELECT * FROM trips")
        upgrade = threading.Thread(target=prepare, args=(empty_database,), kwargs={"upgrade_retry_ms": 1000})
        upgrade.start()
        wait_until(lambda: empty_database.value(waiting) == 1)
        wait_until(lambda: empty_database.value(waiting) == 0)
        assert empty_database.query("SELECT * FROM trips") == []
        assert "19_more" not in empty_database.query(MIGRATIONS)
        reader.rollback()
    upgrade.join()
    assert "19_more" in empty_database.query(MIGRATIONS)


def test_an_upgrade_fails_if_it_gets_no_lock_in_time(empty_database: Database, sql_folder: Path) -> None:
    prepare(empty_database)
    add_migration(sql_folder, "ALTER TABLE trips ADD COLUMN more int")
    before = empty_database.query(FUNCTIONS)
    with empty_database.connect(autocommit=False) as backup:
        backup.execute("SELECT * FROM trips")
        with pytest.raises(SchemaError, match=r"did not get a lock within 0\.1 s"):
            prepare(empty_database, upgrade_lock_ms=10, upgrade_retry_ms=10, upgrade_wait_seconds=0.1)
    assert "19_more" not in empty_database.query(MIGRATIONS)
    assert empty_database.query(FUNCTIONS) == before


def test_maintenance_blocks_an_upgrade_only_on_tables_whose_comments_change(
    empty_database: Database, sql_folder: Path
) -> None:
    prepare(empty_database)
    rights = sql_folder / "29_rights.sql"
    rights.write_text(f"{rights.read_text()}-- another version\n")
    with empty_database.connect(autocommit=False) as maintenance:
        for (table,) in maintenance.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            maintenance.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE".encode())
        before = empty_database.value(COMMENT)
        prepare(empty_database)
        assert empty_database.value(COMMENT) != before
        replace(sql_folder / "29_comments.sql", "'Tickets: a row for", "'Tickets, a row for")
        with pytest.raises(SchemaError, match="VACUUM or another maintenance command"):
            prepare(empty_database, upgrade_lock_ms=10, upgrade_retry_ms=10, upgrade_wait_seconds=0.1)
    prepare(empty_database)


# Breaking migrations ---------------------------------------------------------------------------


def test_is_breaking_agrees_with_the_record_of_a_migration(
    empty_database: Database, sql_folder: Path
) -> None:
    add_migration(sql_folder, "CREATE TABLE more (x int)", breaking=True)
    prepare(empty_database)
    recorded = dict(empty_database.query("SELECT name, breaking FROM migrations"))
    assert recorded == {file.stem: schema.is_breaking(file) for file in sql_folder.glob("1*.sql")}
    assert [name for name in recorded if recorded[name]] == ["19_more"]


def test_an_older_server_does_not_start_after_a_breaking_migration(empty_database: Database) -> None:
    prepare(empty_database)
    empty_database.query("INSERT INTO migrations (name) VALUES ('98_of_next_year')")
    prepare(empty_database)
    empty_database.query("INSERT INTO migrations (name, breaking) VALUES ('99_of_next_year', true)")
    refusal = (
        r"newer Busware: this one, \S+, cannot work with its migration 99_of_next_year\. Start the newer"
    )
    with pytest.raises(SchemaError, match=refusal):
        prepare(empty_database)
    with pytest.raises(DatabaseUnavailable, match=refusal):
        Writer(empty_database.server, Settings(), Deadlines(Settings())).start()


@pytest.mark.system
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_breaking_migration_stops_the_older_server_before_it_runs(
    urls: dict[str, str], database: Database, sql_folder: Path, line_to: Callable[[int], Any], processes: str
) -> None:
    add_migration(sql_folder, "ALTER TABLE trips ADD COLUMN more int", breaking=True)
    trip = {"bus_id": 1, "origin": "Bengaluru", "destination": "Mysuru", "phone": "+919845012345"}
    day = str(database.value("SELECT max(travel_date) FROM trips"))
    with ServerProcess("0", "--processes", processes, **urls) as old:
        line = line_to(old.port)
        assert line.call("book", travel_date=day, seats=[1], **trip)["status"] == "booked"
        with ServerProcess("0", program=release_of(sql_folder), **urls) as new:
            status, output = old.end()
            assert status == 0
            assert "Busware 9.0.0 is about to run migration 19_more" in output
            assert "Traceback" not in output
            assert line_to(new.port).call("book", travel_date=day, seats=[2], **trip)["status"] == "booked"
            status, output = fail_to_start("0", **urls)
            assert status == 1
            assert "cannot work with its migration 19_more. Start the newer version." in output
    assert audit(database.conn) == []


@pytest.mark.system
def test_a_breaking_migration_ends_consoles(
    urls: dict[str, str], database: Database, sql_folder: Path
) -> None:
    add_migration(sql_folder, "ALTER TABLE trips ADD COLUMN more int", breaking=True)
    with Operator("console", **urls) as operator:
        operator.wait_for("This is the operator's console.", "operator>")
        prepare(database)
        operator.wait_for("is about to run migration 19_more")
        assert operator.wait_for_exit() == 0


def test_a_breaking_migration_waits_for_servers_that_do_not_stop(
    empty_database: Database, sql_folder: Path
) -> None:
    prepare(empty_database)
    add_migration(sql_folder, "ALTER TABLE trips ADD COLUMN more int", breaking=True)
    replace(sql_folder / "21_now.sql", "RETURN now()", "RETURN now() + interval '1 day'")
    before = empty_database.query(FUNCTIONS), empty_database.query(MIGRATIONS)
    with empty_database.connect_as_server() as not_listening:
        not_listening.execute("SELECT api.register_process('server', '127.0.0.1:9999, process 7')")
        with pytest.raises(SchemaError, match=r"have not: server 127\.0\.0\.1:9999, process 7\. Nothing was"):
            prepare(empty_database, upgrade_leave_seconds=0.1)
    with empty_database.connect_as_server() as writing:
        schema.prevent_breaking_migrations(writing)
        with pytest.raises(SchemaError, match="have not: a writer"):
            prepare(empty_database, upgrade_leave_seconds=0.1)
    assert (empty_database.query(FUNCTIONS), empty_database.query(MIGRATIONS)) == before
    prepare(empty_database)
    assert "19_more" in empty_database.query(MIGRATIONS)


def test_no_writer_connects_while_a_breaking_migration_runs(database: Database, settings: Settings) -> None:
    with database.connect() as migrating:
        migrating.execute("SELECT pg_advisory_lock(%s)", [schema.WRITERS_LOCK])
        with pytest.raises(DatabaseUnavailable, match="A newer Busware is upgrading the database"):
            Writer(database.server, settings, Deadlines(settings)).start()


@pytest.mark.settings(reread_seconds=0.02)
def test_a_server_that_missed_the_announcement_finds_the_migration(
    database: Database, settings: Settings
) -> None:
    reasons: list[str] = []
    listener = Listener(database.server, settings, Deadlines(settings))
    listener.on_outdated = reasons.append
    listener.start("a process that missed it")
    database.query("INSERT INTO migrations (name, breaking) VALUES ('99_of_next_year', true)")
    wait_until(lambda: reasons)
    listener.stop()
    assert len(reasons) == 1
    assert "cannot work with its migration 99_of_next_year" in reasons[0]
