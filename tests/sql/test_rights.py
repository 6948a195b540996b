"""Rights: the server's database role may read tables and execute functions; others have no rights."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from busware.server.db import schema
from busware.server.settings import Settings
from tests.conftest import Database
from tests.support.schema_api import ASHA, DAY, TRIP, SchemaApi, sale

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
SEARCH_PATH = "search_path=pg_catalog, api, public, pg_temp"


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


def test_server_reads_every_table_and_view(database: Database, conn: psycopg.Connection[Any]) -> None:
    views = database.query("SELECT viewname FROM pg_views WHERE schemaname = 'public'")
    assert {"bookings", "vacancy", "manifest"} <= set(views)
    for name in database.query(TABLES) + views:
        conn.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(name)))


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
    assert api.cancel(sold)["status"] == "cancelled"
    assert api.read("seat_map", **TRIP)["seats"]
    for statement in (
        "SELECT * FROM api.due_trips()",
        "SELECT api.open_sales(1)",
        "SELECT api.purge_idempotency_keys()",
        "SELECT * FROM api.audit()",
        "SELECT api.recount_for('{}')",
        f"SELECT api.book(1, '{DAY}', 'Bengaluru', 'Mysuru', count => 1, phone => '{ASHA}')",
    ):
        conn.execute(statement)  # type: ignore[call-overload]
    # Inner functions run with the rights of the caller, who may not write tables.
    assert_denied(conn, "SELECT api.take_seats(1, '2026-12-05', '{1}', '[1,5)')")
    assert_denied(conn, "SELECT api.settle(1, '2026-12-05')")
    assert_denied(conn, "SELECT api.end_service(1, '2026-12-05')")
    assert_denied(conn, "SELECT api.add_trip(1, '2027-12-05')")


def test_security_definer_functions_have_a_fixed_search_path(database: Database) -> None:
    functions = database.query(
        "SELECT proname, proconfig, provolatile FROM pg_proc "
        "WHERE pronamespace = 'api'::regnamespace AND prosecdef ORDER BY 1"
    )
    assert {"batch", "call", "read", "open_sales", "purge_idempotency_keys", "recount_for"} <= {
        f[0] for f in functions
    }
    for name, config, _ in functions:
        assert SEARCH_PATH in config, name


def test_temporary_tables_of_the_caller_are_ignored(database: Database) -> None:
    with database.connect_as_server() as conn:
        conn.execute(
            "CREATE TEMP TABLE seats (bus_id bigint, travel_date date, seat_no int, taken int4multirange)"
        )
        conn.execute("CREATE TEMP TABLE trips (bus_id bigint, travel_date date)")
        conn.execute("SET search_path = pg_temp, public, api")
        assert SchemaApi(conn).write("book", **sale(1))["status"] == "booked"
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


def test_replaced_functions_and_views_get_their_rights(database: Database) -> None:
    views = ("bookings", "vacancy", "manifest")
    database.query("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA api FROM busware")
    database.query("REVOKE ALL ON bookings, vacancy, manifest FROM busware")
    database.query("GRANT EXECUTE ON FUNCTION api.now() TO PUBLIC")
    database.query("COMMENT ON SCHEMA api IS 'another digest'")
    schema.prepare(database.owner, database.server, Settings(seed=False))
    with database.connect_as_server() as conn:
        assert SchemaApi(conn).read("places")["places"]
        for view in views:
            conn.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(view)))
    assert database.query("SELECT proname FROM pg_proc, aclexplode(proacl) AS acl WHERE "
                          "pronamespace = 'api'::regnamespace AND acl.grantee = 0") == []  # fmt: skip
