"""Rights: the server's role calls and reads, and writes no table; nobody else has any right at all."""

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
    """A connection of the server's role."""
    with database.connect_as_server() as conn:
        yield conn


def denied(conn: psycopg.Connection[Any], statement: sql.Composable | str) -> None:
    """That a statement is not allowed."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)  # type: ignore[call-overload]


# The server's role -----------------------------------------------------------------------------


def test_it_reads_every_table_and_view(database: Database, conn: psycopg.Connection[Any]) -> None:
    views = database.query("SELECT viewname FROM pg_views WHERE schemaname = 'public'")
    assert {"bookings", "vacancy", "manifest"} <= set(views)
    for name in database.query(TABLES) + views:
        conn.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(name)))


def test_it_writes_no_table(database: Database, conn: psycopg.Connection[Any]) -> None:
    tables = database.query(TABLES)
    assert {"passengers", "seats", "trips", "payments", "idempotency_keys", "bus_info", "migrations"} <= set(
        tables
    )
    for name in tables:
        table = sql.Identifier(name)
        denied(conn, sql.SQL("INSERT INTO {} DEFAULT VALUES").format(table))
        denied(conn, sql.SQL("DELETE FROM {}").format(table))
        denied(conn, sql.SQL("TRUNCATE {}").format(table))
    writable = database.query(
        "SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND attnum > 0 "
        "AND has_column_privilege(%s, c.oid, attnum, 'INSERT, UPDATE, REFERENCES')",
        urlsplit(database.server).username,
    )
    assert writable == []


def test_it_makes_nothing_of_its_own(conn: psycopg.Connection[Any]) -> None:
    denied(conn, "CREATE TABLE mine (n int)")
    denied(conn, "CREATE FUNCTION api.mine() RETURNS int LANGUAGE sql RETURN 1")
    denied(conn, "CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz STABLE RETURN pg_catalog.now()")
    denied(conn, "SELECT nextval('queue_no_seq')")
    denied(conn, "DROP SCHEMA api CASCADE")


def test_it_sells_by_the_entry_points_alone(database: Database, conn: psycopg.Connection[Any]) -> None:
    api = SchemaApi(conn)
    (sold,) = api.batch({"method": "book", "args": sale(1), "caller": "", "key": "k"})
    assert sold is not None
    assert api.cancel(sold)["status"] == "cancelled"
    assert api.read("seat_map", **TRIP)["seats"]
    for housekeeping in (
        "SELECT * FROM api.due_trips()",
        "SELECT api.open_sales(1)",
        "SELECT api.purge_idempotency_keys()",
        "SELECT * FROM api.audit()",
        "SELECT api.recount_for('{}')",
        f"SELECT api.book(1, '{DAY}', 'Bengaluru', 'Mysuru', count => 1, phone => '{ASHA}')",
    ):
        conn.execute(housekeeping)  # type: ignore[call-overload]
    denied(
        conn, "SELECT api.take_seats(1, '2026-12-05', '{1}', '[1,5)')"
    )  # the parts write with the caller's rights
    denied(conn, "SELECT api.settle(1, '2026-12-05')")
    denied(conn, "SELECT api.end_service(1, '2026-12-05')")
    denied(conn, "SELECT api.add_trip(1, '2027-12-05')")


def test_what_runs_with_the_owners_rights_looks_nowhere_else(database: Database) -> None:
    """Otherwise a table or an operator of the caller's own could be slipped under it."""
    functions = database.query(
        "SELECT proname, proconfig, provolatile FROM pg_proc "
        "WHERE pronamespace = 'api'::regnamespace AND prosecdef ORDER BY 1"
    )
    assert {"batch", "call", "read", "open_sales", "purge_idempotency_keys", "recount_for"} <= {
        f[0] for f in functions
    }
    for name, config, _ in functions:
        assert SEARCH_PATH in config, name


def test_a_table_of_the_callers_own_is_not_taken_for_ours(database: Database) -> None:
    with database.connect_as_server() as conn:
        conn.execute(
            "CREATE TEMP TABLE seats (bus_id bigint, travel_date date, seat_no int, taken int4multirange)"
        )
        conn.execute("CREATE TEMP TABLE trips (bus_id bigint, travel_date date)")
        conn.execute("SET search_path = pg_temp, public, api")
        assert SchemaApi(conn).write("book", **sale(1))["status"] == "booked"
    assert database.value("SELECT count(*) FROM seats WHERE taken <> '{}'") == 1


# Anybody else ----------------------------------------------------------------------------------


def test_nothing_is_granted_to_the_public(database: Database) -> None:
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


def test_a_stranger_can_do_nothing(database: Database) -> None:
    database.query("CREATE ROLE busware_stranger")
    try:
        database.query("SET ROLE busware_stranger")
        for name in ("passengers", "bookings", "bus_info"):
            denied(database.conn, sql.SQL("SELECT FROM {}").format(sql.Identifier(name)))
        denied(database.conn, "SELECT api.now()")
        denied(database.conn, "SELECT * FROM api.batch('[]')")
    finally:
        database.query("RESET ROLE")
        database.query("DROP ROLE busware_stranger")


def test_rights_come_back_with_new_functions(database: Database) -> None:
    """A changed file of sql/2*.sql makes schema api and the views anew, and their grants with them."""
    database.query("COMMENT ON SCHEMA api IS 'another digest'")
    schema.prepare(database.owner, database.server, Settings(seed=False))
    with database.connect_as_server() as conn:
        assert SchemaApi(conn).read("places")["places"]
        for view in ("bookings", "vacancy", "manifest"):
            conn.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(view)))
    assert database.query("SELECT proname FROM pg_proc, aclexplode(proacl) AS acl WHERE "
                          "pronamespace = 'api'::regnamespace AND acl.grantee = 0") == []  # fmt: skip
