"""The preparation of a database: migrations, functions, the server's role, timetables."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors

from busware.server.db import schema
from busware.server.db.schema import SchemaError, load_seed, prepare
from busware.server.settings import Settings
from tests.support.later_release import prepare as prepare_database
from tests.support.schema_text import REVIEWED, schema_text

RIGHTS = "SELECT array_agg(relname || ' ' || relacl::text ORDER BY 1) FROM pg_class WHERE relacl IS NOT NULL"


# Tables and functions --------------------------------------------------------------------------


def test_every_migration_records_itself_under_its_own_name(empty_database: Any) -> None:
    prepare_database(empty_database)
    files = sorted(file.stem for file in schema.FOLDER.glob("1*.sql"))
    assert empty_database.query("SELECT name FROM migrations ORDER BY name") == files


def test_a_second_preparation_changes_nothing(empty_database: Any) -> None:
    state = "SELECT (SELECT array_agg(oid ORDER BY oid) FROM pg_proc), (SELECT count(*) FROM migrations)"
    prepare_database(empty_database)
    before = empty_database.query(state), empty_database.query(RIGHTS)
    prepare_database(empty_database)
    assert (empty_database.query(state), empty_database.query(RIGHTS)) == before


def test_the_schema_is_the_reviewed_one(empty_database: Any) -> None:
    """The file shows the schema that results from all migrations, so that reviewers see each change of it."""
    prepare_database(empty_database)
    now = schema_text(empty_database.conn)
    if os.environ.get("BUSWARE_TEST_RENEW"):
        REVIEWED.write_text(now)
    assert now == REVIEWED.read_text(), (
        "The schema has changed. If this is intended, renew the file and review its diff: "
        "BUSWARE_TEST_RENEW=1 scripts/python -m pytest tests/server/db/test_schema.py -k reviewed"
    )


def test_functions_of_another_version_are_replaced(empty_database: Any) -> None:
    prepare_database(empty_database)
    empty_database.query("COMMENT ON SCHEMA api IS 'another version''s'")
    empty_database.query("CREATE FUNCTION api.of_another_version() RETURNS int RETURN 1")
    prepare_database(empty_database)
    assert empty_database.value("SELECT to_regproc('api.of_another_version') IS NULL")
    with empty_database.connect_as_server() as conn:  # it has its rights again
        assert conn.execute("SELECT refused FROM api.read('places', '{}')").fetchone() == (False,)


def test_a_new_migration_is_applied_once(empty_database: Any, sql_folder: Path) -> None:
    prepare_database(empty_database)
    empty_database.query("INSERT INTO places (code, name) VALUES ('OLD', 'Old')")
    (sql_folder / "19_more.sql").write_text(
        "CREATE TABLE more (x int); INSERT INTO more VALUES (1);"
        "INSERT INTO migrations (name) VALUES ('19_more');"
    )
    prepare_database(empty_database)
    prepare_database(empty_database)
    assert empty_database.query("SELECT x FROM more") == [1]
    assert empty_database.query("SELECT code FROM places") == ["OLD"]


def test_a_failing_migration_is_rolled_back(empty_database: Any, sql_folder: Path) -> None:
    (sql_folder / "19_more.sql").write_text("CREATE TABLE more (x int); SELECT 1 / 0;")
    with pytest.raises(SchemaError, match="rejects the schema: division by zero"):
        prepare_database(empty_database)
    assert "19_more" not in empty_database.query("SELECT name FROM migrations")
    assert empty_database.value("SELECT to_regclass('more') IS NULL")
    (sql_folder / "19_more.sql").unlink()
    prepare_database(empty_database)


def test_two_servers_can_prepare_concurrently(empty_database: Any) -> None:
    begin, failures = threading.Barrier(3), []

    def prepare_once() -> None:
        begin.wait()
        try:
            prepare_database(empty_database, seed=True)
        except Exception as error:  # noqa: BLE001 - every exception is a failure
            failures.append(error)

    threads = [threading.Thread(target=prepare_once) for _ in range(2)]
    for thread in threads:
        thread.start()
    begin.wait()
    for thread in threads:
        thread.join()
    assert failures == []
    assert empty_database.value("SELECT count(*) FROM seeds_loaded") == len(
        list(schema.FOLDER.glob("9*.sql"))
    )
    assert empty_database.query("SELECT * FROM api.audit()") == []


# The server's role -----------------------------------------------------------------------------


@pytest.fixture
def as_server(database: Any) -> Iterator[psycopg.Connection[Any]]:
    with database.connect_as_server() as conn:
        yield conn


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (x int)",
        "CREATE FUNCTION api.mine() RETURNS int RETURN 1",
        "DROP SCHEMA api CASCADE",
        "SELECT api.add_trip(1, '2027-01-01')",
        "SELECT api.add_service(1, replace => true)",
        "SELECT api.end_service(1, '2026-12-02')",
        "SELECT setval('bus_id_seq', 1)",
    ],
)
def test_the_server_can_only_write_through_its_entry_points(as_server: Any, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        as_server.execute(statement)


def test_nothing_is_granted_to_public(database: Any) -> None:
    open_to_all = database.query(
        "SELECT p.oid::regprocedure FROM pg_proc p, "
        "aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS granted "
        "WHERE p.pronamespace = 'api'::regnamespace AND granted.grantee = 0"
    )
    assert open_to_all == []


def test_the_role_is_created_with_the_password_of_the_url(empty_database: Any) -> None:
    role, password = 'odd "role"', "odd p@ss:word/'"
    url = urlsplit(empty_database.server)
    server = f"postgresql://odd%20%22role%22:odd%20p%40ss%3Aword%2F'@{url.hostname}:{url.port}/{empty_database.conn.info.dbname}"
    try:
        prepare(empty_database.owner, server, Settings(seed=False))
        with psycopg.connect(server) as conn:
            assert (conn.info.user, conn.info.password) == (role, password)
            conn.execute("SELECT * FROM api.read('places', '{}')")
    finally:
        empty_database.query('DROP OWNED BY "odd ""role"""')
        empty_database.query('DROP ROLE "odd ""role"""')


def test_the_password_in_the_url_replaces_a_changed_password(empty_database: Any) -> None:
    role = empty_database.server.replace("//busware:", "//busware_second:")
    try:
        prepare(empty_database.owner, role, Settings(seed=False))
        with psycopg.connect(role, autocommit=True) as conn:
            conn.execute("ALTER ROLE busware_second PASSWORD 'another'")
        prepare(empty_database.owner, role, Settings(seed=False))
        with psycopg.connect(role) as conn:
            assert conn.execute("SELECT refused FROM api.read('places', '{}')").fetchone() == (False,)
    finally:
        empty_database.query("DROP OWNED BY busware_second")
        empty_database.query("DROP ROLE busware_second")


def test_the_log_says_that_the_owner_may_not_change_the_password(
    empty_database: Any, plain_owner: str, caplog: pytest.LogCaptureFixture
) -> None:
    drop_tables(empty_database)
    wrong = empty_database.server.replace("//busware:", "//busware:wrong")
    prepare(plain_owner, wrong, Settings(seed=False))
    assert "Role busware cannot connect" in caplog.text
    assert "ALTER ROLE busware LOGIN PASSWORD" in caplog.text


def test_a_role_without_the_right_to_connect_gets_it(
    empty_database: Any, plain_owner: str, caplog: pytest.LogCaptureFixture
) -> None:
    drop_tables(empty_database)
    empty_database.query("REVOKE CONNECT ON DATABASE empty FROM PUBLIC, busware")
    prepare(plain_owner, empty_database.server, Settings(seed=False))
    assert "cannot connect" not in caplog.text
    with empty_database.connect_as_server() as conn:
        assert conn.execute("SELECT refused FROM api.read('places', '{}')").fetchone() == (False,)


def test_a_role_at_its_connection_limit_does_not_prevent_a_start(
    empty_database: Any, plain_owner: str
) -> None:
    drop_tables(empty_database)
    empty_database.query("ALTER ROLE busware CONNECTION LIMIT 0")
    try:
        prepare(plain_owner, empty_database.server, Settings(seed=False))
    finally:
        empty_database.query("ALTER ROLE busware CONNECTION LIMIT -1")
    with empty_database.connect_as_server() as conn:
        assert conn.execute("SELECT refused FROM api.read('places', '{}')").fetchone() == (False,)


def test_two_roles_can_serve_one_database(empty_database: Any) -> None:
    prepare_database(empty_database)
    second = empty_database.server.replace("//busware:", "//busware_second:")
    try:
        prepare(empty_database.owner, second, Settings(seed=False))
        with psycopg.connect(second) as conn:
            conn.execute("SELECT * FROM api.read('places', '{}')")
    finally:
        empty_database.query("DROP OWNED BY busware_second")
        empty_database.query("DROP ROLE busware_second")


def drop_tables(empty_database: Any) -> None:
    """Drop the tables and functions, so that the role of the server exists and nothing else."""
    prepare_database(empty_database)  # creates the role
    empty_database.query("DROP SCHEMA api, busware_reports, public CASCADE; CREATE SCHEMA public")
    empty_database.query("ALTER SCHEMA public OWNER TO pg_database_owner")


@pytest.fixture
def plain_owner(empty_database: Any) -> Iterator[str]:
    """The URL of an owner that is not a superuser and may not create roles."""
    url = urlsplit(empty_database.owner)
    empty_database.query("CREATE ROLE plain LOGIN PASSWORD 'plain'")
    empty_database.query("ALTER DATABASE empty OWNER TO plain")
    yield url._replace(netloc=f"plain:plain@{url.hostname}:{url.port}").geturl()
    empty_database.query("ALTER DATABASE empty OWNER TO CURRENT_USER")
    empty_database.query("DROP OWNED BY plain CASCADE")
    empty_database.query("DROP ROLE plain")


def test_an_owner_need_not_be_a_superuser(empty_database: Any, plain_owner: str) -> None:
    drop_tables(empty_database)
    prepare(plain_owner, empty_database.server)
    with empty_database.connect_as_server() as conn:
        assert conn.execute("SELECT refused FROM api.read('places', '{}')").fetchone() == (False,)


def test_the_error_says_that_the_owner_may_not_create_the_role(empty_database: Any, plain_owner: str) -> None:
    unknown = empty_database.server.replace("//busware:", "//stranger:")
    with pytest.raises(
        SchemaError, match=r"role stranger, which does not exist, .* CREATE ROLE stranger LOGIN PASSWORD"
    ):
        prepare(plain_owner, unknown, Settings(seed=False))


def test_one_role_can_be_owner_and_server(empty_database: Any, plain_owner: str) -> None:
    prepare(plain_owner, plain_owner, Settings(seed=False))


def test_a_server_without_an_owner_url_can_serve_a_prepared_database(empty_database: Any) -> None:
    prepare_database(empty_database, seed=True)
    prepare(empty_database.server, empty_database.server)


def test_a_server_without_an_owner_url_cannot_prepare(empty_database: Any, cluster: Any) -> None:
    prepare_database(empty_database)  # creates the role
    empty_database.query("DROP SCHEMA api CASCADE")
    with pytest.raises(SchemaError, match=r"(?s)busware may not create .* BUSWARE_OWNER_URL="):
        prepare(empty_database.server, empty_database.server)


# The database ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("/empty", "/nowhere", 'database "nowhere" does not exist'),
        ("busware_owner:", "busware_owner:x", "password"),
    ],
)
def test_a_rejected_connection_is_not_repeated(
    empty_database: Any, right: str, wrong: str, message: str
) -> None:
    with pytest.raises(SchemaError, match=f"cannot be reached: .*{message}"):
        prepare(
            empty_database.owner.replace(right, wrong), empty_database.server, Settings(connect_seconds=1e9)
        )


def test_an_unreachable_database_is_reported_after_connect_seconds(empty_database: Any) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        unused_port = server.getsockname()[1]
    unreachable = f"postgresql://busware_owner:x@127.0.0.1:{unused_port}/empty"
    with pytest.raises(SchemaError, match=r"cannot be reached: .*refused"):
        prepare(unreachable, unreachable, Settings(connect_seconds=0.5))


def test_an_invalid_url_is_reported(empty_database: Any) -> None:
    with pytest.raises(SchemaError, match="not valid"):
        prepare("postgresql://a:b@c/d?colour=blue", empty_database.server, Settings(connect_seconds=0.1))


# Timetables ------------------------------------------------------------------------------------


def test_a_timetable_is_loaded_when_missing_and_when_changed(empty_database: Any, sql_folder: Path) -> None:
    for file in sql_folder.glob("9*.sql"):
        file.unlink()
    seed = sql_folder / "90_mine.sql"
    seed.write_text("INSERT INTO places (code, name) VALUES ('AA', 'one')")
    prepare_database(empty_database, seed=True)
    prepare_database(empty_database, seed=True)
    seed.write_text("UPDATE places SET name = name || ' more'")
    prepare_database(empty_database)  # without timetables
    assert empty_database.query("SELECT name FROM places") == ["one"]
    prepare_database(empty_database, seed=True)
    prepare_database(empty_database, seed=True)
    assert empty_database.query("SELECT name FROM places") == ["one more"]


def test_a_failing_timetable_is_rolled_back(database: Any, tmp_path: Path) -> None:
    seed = tmp_path / "mine.sql"
    seed.write_text("INSERT INTO places (code, name) VALUES ('AA', 'one');\nSELECT 1 / 0;")
    with pytest.raises(errors.DivisionByZero):
        load_seed(database.conn, seed)
    assert database.value("SELECT count(*) FROM places WHERE code = 'AA'") == 0
    assert database.query("SELECT name FROM seeds_loaded") == []


def test_notices_of_a_timetable_are_passed_on(database: Any, tmp_path: Path) -> None:
    seed, notices = tmp_path / "mine.sql", []
    seed.write_text("DO $$ BEGIN RAISE NOTICE 'thirteen'; END $$")
    load_seed(database.conn, seed, notices.append)
    assert notices == ["mine.sql: thirteen"]
    assert database.query("SELECT name FROM seeds_loaded") == ["mine"]
