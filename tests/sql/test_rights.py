"""Rights: the server's database role may execute the functions that servers call; others have no rights."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from busware.server.db import schema
from busware.server.settings import Settings
from tests.conftest import Clock, Database
from tests.support.project import PROJECT
from tests.support.schema_api import ASHA, DAY, TRIP, SchemaApi, sale

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
SEARCH_PATH = "search_path=pg_catalog, api, public, pg_temp"
# CONNECT is left out, because a cloned database does not have the rights on the template.
GRANTED = "SELECT privilege, object FROM api.granted_rights('busware') WHERE privilege <> 'CONNECT'"
READABLE = {"bus_info", "migrations", "seeds_loaded"}
# Modules of server/ that connect as the owner of the database.
AS_OWNER = (
    "accounts/operators.py",
    "embedded/psql.py",
    "db/schema.py",
    "db/shard_move.py",
    "db/shards.py",
    "gtfs/exporting.py",
    "gtfs/importing.py",
    "mail/bounce_command.py",
    "outbox/command.py",
    "timetables/export.py",
)


@pytest.fixture
def conn(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the server's database role."""
    with database.connect_as_server() as conn:
        yield conn


def assert_denied(conn: psycopg.Connection[Any], statement: sql.Composable | str) -> None:
    """Check that a statement fails for lack of rights."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)  # type: ignore[call-overload]


# The server's role -----------------------------------------------------------------------------


def functions_called_by_the_server() -> set[str]:
    """The functions of schema api that the code of the server calls as its database role."""
    folder = PROJECT / "server"
    files = set(folder.rglob("*.py")) - {folder / name for name in AS_OWNER}
    called = {
        name
        for file in files
        for name in re.findall(r"(?:FROM|SELECT|unnest\() ?api\.(\w+)\(", file.read_text())
    }
    called -= {"note_shard", "shard_map"}  # of the proxy of an installation with shards
    purges = re.findall(r'"(purge_\w+)"', (folder / "housekeeping.py").read_text())
    return called | set(purges)


def test_server_may_execute_the_functions_that_it_calls_and_no_others(database: Database) -> None:
    granted = database.query(GRANTED + " AND privilege = 'EXECUTE'")
    functions = Counter(re.findall(r"FUNCTION api\.(\w+)\(", "\n".join(name for _, name in granted)))
    assert functions == Counter(functions_called_by_the_server())
    others = database.query(GRANTED + " AND privilege <> 'EXECUTE' ORDER BY 1, 2")
    assert others == [
        *(("SELECT", f"TABLE public.{table}") for table in sorted(READABLE)),
        ("USAGE", "SCHEMA api"),
        ("USAGE", "SCHEMA public"),
    ]


def test_rights_are_documented(database: Database) -> None:
    _, _, section = (
        (PROJECT / "docs" / "administration.md").read_text().partition("## Rights of the database role")
    )
    table = "\n".join(line for line in section.partition("\n## ")[0].splitlines() if line.startswith("|"))
    granted = re.findall(
        r"^[A-Z]+ (?:\w+\.)?(\w+)", "\n".join(name for _, name in database.query(GRANTED)), re.MULTILINE
    )
    assert set(re.findall(r"`(\w+)`", table)) == set(granted)


def test_server_reads_no_personal_data(database: Database, conn: psycopg.Connection[Any]) -> None:
    """It has no such right through PUBLIC either, nor on a single column."""
    relations = database.query(TABLES) + database.query(
        "SELECT viewname FROM pg_views WHERE schemaname = 'public'"
    )
    assert {"accounts", "tokens", "passengers", "idempotency_keys", "bookings", "manifest"} <= set(relations)
    for name in relations:
        read = sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(name))
        if name in READABLE:
            conn.execute(read)
        else:
            assert_denied(conn, read)
    readable_columns = database.query(
        "SELECT DISTINCT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'S') AND attnum > 0 "
        "AND has_column_privilege('busware', c.oid, attnum, 'SELECT')"
    )
    assert set(readable_columns) == READABLE


def test_server_writes_no_table(database: Database, conn: psycopg.Connection[Any]) -> None:
    tables = database.query(TABLES)
    assert {"passengers", "seats", "trips", "payments", "idempotency_keys", "bus_info", "migrations"} <= set(
        tables
    )
    for name in tables:
        table = sql.Identifier(name)
        assert_denied(conn, sql.SQL("INSERT INTO {} DEFAULT VALUES").format(table))
        assert_denied(conn, sql.SQL("DELETE FROM {}").format(table))
        assert_denied(conn, sql.SQL("TRUNCATE {}").format(table))
    writable = database.query(
        "SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND attnum > 0 "
        "AND has_column_privilege(%s, c.oid, attnum, 'INSERT, UPDATE, REFERENCES')",
        urlsplit(database.server).username,
    )
    assert writable == []


def test_server_creates_nothing(conn: psycopg.Connection[Any]) -> None:
    assert_denied(conn, "CREATE TABLE mine (n int)")
    assert_denied(conn, "CREATE FUNCTION api.mine() RETURNS int LANGUAGE sql RETURN 1")
    assert_denied(
        conn, "CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz STABLE RETURN pg_catalog.now()"
    )
    assert_denied(conn, "SELECT nextval('queue_no_seq')")
    assert_denied(conn, "DROP SCHEMA api CASCADE")


def test_server_writes_through_the_entry_points_only(
    database: Database, conn: psycopg.Connection[Any]
) -> None:
    api = SchemaApi(conn)
    (sold,) = api.batch({"method": "book", "args": sale(1), "caller": "", "key": "k"})
    assert sold is not None
    args = {"reference": sold["reference"], "phone": ASHA}
    (cancelled,) = api.batch({"method": "cancel", "args": args, "caller": "", "key": "c"})
    assert cancelled is not None
    assert cancelled["status"] == "cancelled"
    assert api.read("seat_map", **TRIP)["seats"]
    for statement in ("SELECT api.open_sales(1)", "SELECT api.recount_for('{}')"):
        conn.execute(statement)  # type: ignore[call-overload]
    # The other functions are for the owner, or are called by entry points.
    assert_denied(conn, "SELECT * FROM api.audit()")
    assert_denied(conn, "SELECT api.add_operator('asha', 'a hash')")
    assert_denied(conn, "SELECT api.change_password('asha', 'a hash')")
    assert_denied(conn, f"SELECT api.book(1, '{DAY}', 'Bengaluru', 'Mysuru', count => 1, phone => '{ASHA}')")
    assert_denied(conn, "SELECT api.take_seats(1, '2026-12-05', '{1}', '[1,5)')")
    assert_denied(conn, "SELECT api.settle(1, '2026-12-05')")
    assert_denied(conn, "SELECT api.end_service(1, '2026-12-05')")
    assert_denied(conn, "SELECT api.add_trip(1, '2027-12-05')")


def test_security_definer_functions_have_a_fixed_search_path(database: Database) -> None:
    functions = database.query(
        "SELECT proname, proconfig, provolatile FROM pg_proc "
        "WHERE pronamespace = 'api'::regnamespace AND prosecdef ORDER BY 1"
    )
    assert {"batch", "read", "open_sales", "purge_idempotency_keys", "recount_for"} <= {
        f[0] for f in functions
    }
    for name, config, _ in functions:
        assert SEARCH_PATH in config, name


def test_functions_that_disable_plans_disable_compilation(database: Database) -> None:
    """A disabled plan that is used costs 10^10: PostgreSQL would compile it, for up to a second."""
    functions = database.query(
        "SELECT proname, proconfig FROM pg_proc "
        "WHERE pronamespace = 'api'::regnamespace AND 'enable_seqscan=off' = ANY (proconfig) ORDER BY 1"
    )
    assert {"claim_delivery", "claim_outbox", "read"} <= {name for name, _ in functions}
    assert [name for name, config in functions if "jit=off" not in config] == []


def test_temporary_tables_of_the_caller_are_ignored(database: Database) -> None:
    with database.connect_as_server() as conn:
        conn.execute(
            "CREATE TEMP TABLE seats (bus_id bigint, travel_date date, seat_no int, taken int4multirange)"
        )
        conn.execute("CREATE TEMP TABLE trips (bus_id bigint, travel_date date)")
        conn.execute("SET search_path = pg_temp, public, api")
        (booked,) = SchemaApi(conn).batch({"method": "book", "args": sale(1), "caller": "", "key": None})
        assert booked is not None
        assert booked["status"] == "booked"
    assert database.value("SELECT count(*) FROM seats WHERE taken <> '{}'") == 1


# Other roles -----------------------------------------------------------------------------------


def test_public_has_no_rights(database: Database) -> None:
    assert database.query(
        "SELECT proname FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) AS acl "
        "WHERE pronamespace = 'api'::regnamespace AND acl.grantee = 0"
    ) == []  # fmt: skip
    assert database.query(
        "SELECT relname FROM pg_class, aclexplode(relacl) AS acl "
        "WHERE relnamespace = 'public'::regnamespace AND acl.grantee = 0"
    ) == []  # fmt: skip
    assert database.query(
        "SELECT acl FROM pg_namespace, aclexplode(nspacl) AS acl WHERE nspname = 'api' AND acl.grantee = 0"
    ) == []  # fmt: skip


def test_unknown_role_has_no_rights(database: Database) -> None:
    database.query("CREATE ROLE busware_other")
    try:
        database.query("SET ROLE busware_other")
        for name in ("passengers", "bookings", "bus_info"):
            assert_denied(database.conn, sql.SQL("SELECT FROM {}").format(sql.Identifier(name)))
        assert_denied(database.conn, "SELECT api.now()")
        assert_denied(database.conn, "SELECT * FROM api.batch('[]')")
    finally:
        database.query("RESET ROLE")
        database.query("DROP ROLE busware_other")


def test_replaced_functions_get_their_rights(database: Database) -> None:
    before = sorted(database.query(GRANTED))
    database.query("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA api FROM busware")
    database.query("GRANT EXECUTE ON FUNCTION api.now() TO PUBLIC")
    database.query("GRANT CREATE ON SCHEMA public TO PUBLIC")  # as up to PostgreSQL 14
    database.query("COMMENT ON SCHEMA api IS 'another digest'")
    schema.prepare(database.owner, database.server, Settings(seed=False))
    assert sorted(database.query(GRANTED)) == before
    assert database.query("SELECT proname FROM pg_proc, aclexplode(proacl) AS acl WHERE "
                          "pronamespace = 'api'::regnamespace AND acl.grantee = 0") == []  # fmt: skip
    assert database.value("SELECT NOT has_schema_privilege('busware', 'public', 'CREATE')")


def test_rights_that_an_operator_grants_to_another_role_do_not_grow(database: Database) -> None:
    database.query("CREATE ROLE busware_reports")
    try:
        database.query("GRANT USAGE ON SCHEMA api TO busware_reports")
        database.query("GRANT EXECUTE ON FUNCTION api.stats() TO busware_reports")
        database.query("COMMENT ON SCHEMA api IS 'another digest'")
        schema.prepare(database.owner, database.server, Settings(seed=False))
        assert database.query(
            "SELECT privilege, object FROM api.granted_rights('busware_reports') ORDER BY 1"
        ) == [
            ("EXECUTE", "FUNCTION api.stats()"),
            ("USAGE", "SCHEMA api"),
        ]
    finally:
        database.query("DROP OWNED BY busware_reports")
        database.query("DROP ROLE busware_reports")


# Surplus rights --------------------------------------------------------------------------------


def test_surplus_rights_are_revoked(database: Database, conn: psycopg.Connection[Any]) -> None:
    needed = sorted(database.query(GRANTED))
    database.query("GRANT SELECT ON ALL TABLES IN SCHEMA public TO busware")
    database.query("GRANT UPDATE (fare) ON passengers TO busware")
    database.query("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO busware")
    database.query("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA api TO busware")
    database.query("GRANT CREATE ON SCHEMA api, public TO busware")
    database.query("GRANT CREATE, TEMPORARY ON DATABASE test TO busware")
    revoke = "SELECT api.revoke_surplus_rights()"
    surplus = len(database.query(GRANTED)) - len(needed)
    with database.connect() as preparing:
        preparing.execute("SELECT pg_advisory_lock(%s)", [schema.PREPARE_LOCK])
        assert conn.execute(revoke).fetchone() == (0,)
        preparing.execute("SELECT pg_advisory_unlock(%s)", [schema.PREPARE_LOCK])
    assert conn.execute(revoke).fetchone() == (surplus,)
    assert sorted(database.query(GRANTED)) == needed
    assert conn.execute(revoke).fetchone() == (0,)
    assert database.value(revoke) == 0  # the owner loses nothing
    database.query("TABLE accounts")


def test_rights_of_the_previous_version_stay_while_one_of_its_processes_is_alive(
    database: Database, conn: psycopg.Connection[Any]
) -> None:
    needed = sorted(database.query(GRANTED))
    with database.connect() as server_of_0_1_0:
        server_of_0_1_0.execute("SELECT api.enlist('server', 'an older one')")
        schema.prepare(database.owner, database.server, Settings(seed=False))
        conn.execute("SELECT api.revoke_surplus_rights()")
        for statement in ("TABLE accounts", "TABLE bookings", "SELECT api.purge_requests()"):
            conn.execute(statement)  # type: ignore[call-overload]
        conn.execute("SELECT api.register_process('server', 'a newer one')")
        server_of_0_1_0.execute("SELECT pg_advisory_unlock_all()")  # as at its end
        assert conn.execute("SELECT api.revoke_surplus_rights() > 0").fetchone() == (True,)
    assert sorted(database.query(GRANTED)) == needed


# Deletions -------------------------------------------------------------------------------------


KEY = (
    "INSERT INTO idempotency_keys (bus_id, caller, key, method, digest, answer, at) "
    "VALUES (1, '', 'k', 'book', md5('')::uuid, '{}', %s)"
)
MESSAGE = (
    "INSERT INTO messages (message_id, key, at, sender, audience, body) "
    "VALUES (1, gen_random_uuid(), %s, 'operator', 'all', 'hello')"
)


EVENT = (
    "INSERT INTO events (event_no, type, at, data, position) "
    "VALUES (1, 'trip.notice', %s, '{}', 1), (2, 'trip.notice', 'infinity', '{}', 2)"
)
DONE = (
    "INSERT INTO outbox (key, kind, payload, state, created_at, due_at, done_at) "
    "SELECT gen_random_uuid(), 'mail', '{}', 'done', t, t, t FROM (VALUES (%s::timestamptz)) AS v (t)"
)


@pytest.mark.parametrize(
    ("purge", "seconds", "insert"),
    [
        ("purge_idempotency_keys", 3600, KEY),
        ("purge_requests", 3600, KEY),
        ("purge_messages", 86400, MESSAGE),
        ("purge_events", 86400, EVENT),
        ("purge_outbox", 86400, DONE),
        ("purge_known_addresses", 86399, "INSERT INTO known_addresses (pair, at) VALUES ('a b', %s)"),
    ],
)
def test_recent_records_cannot_be_deleted(
    database: Database, clock: Clock, purge: str, seconds: int, insert: str
) -> None:
    database.query(insert, clock.now)
    clock.advance(seconds=seconds)
    for keep in ("0", "-1 year"):
        assert database.value(f"SELECT api.{purge}(%s::interval)", keep) == 0
    clock.advance(seconds=1)
    assert database.value(f"SELECT api.{purge}('0')") == 1
