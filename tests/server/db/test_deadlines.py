"""A database that does not answer: every request gets an outcome, and the server stops.

The proxy holds all replies of PostgreSQL back, so it looks as if PostgreSQL were frozen.
"""

import dataclasses
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import msgspec
import psycopg
import pytest

from busware.server.db import schema
from busware.server.db.deadlines import Deadlines
from busware.server.db.listener import Listener
from busware.server.db.pool import DatabaseUnavailable, Pool
from busware.server.db.reader import Reader
from busware.server.db.writer import Writer
from busware.server.protocol import Refusal
from busware.server.settings import Settings
from tests.conftest import Database
from tests.support.line_client import LineClient, wait_until
from tests.support.processes import ServerProcess
from tests.support.serving import travel_day
from tests.support.tcp_proxy import TcpProxy
from tests.support.writing import DATE, book, outcome, seats_of

READ = ("places", b"{}")


@pytest.fixture
def pool(proxy: TcpProxy, settings: Settings, deadlines: Deadlines) -> Iterator[Pool]:
    pool = Pool(proxy.url, settings, deadlines)
    pool.open()
    yield pool
    pool.close()


@contextmanager
def frozen(proxy: TcpProxy, deadlines: Deadlines) -> Iterator[None]:
    """PostgreSQL does not answer. The limits are short only in this block: other statements may be slow."""
    before = deadlines.statement_seconds, deadlines.host_connect_seconds
    deadlines.statement_seconds = deadlines.host_connect_seconds = 0.2
    proxy.hold_replies()
    try:
        yield
    finally:
        deadlines.statement_seconds, deadlines.host_connect_seconds = before
        thaw(proxy)


def thaw(proxy: TcpProxy) -> None:
    proxy.held_replies = None
    proxy.break_connections()


# A database that hangs -------------------------------------------------------------------------


@pytest.mark.settings(connect_seconds=0.3)
def test_the_outcome_of_a_write_is_unknown_while_the_database_hangs(
    database: Database, submit: Any, proxy: TcpProxy, deadlines: Deadlines
) -> None:
    with frozen(proxy, deadlines):
        assert outcome(submit(book(1, key="k"))) == "outcome_unknown"
        assert outcome(submit(book(2))) == "busy"  # nothing was sent, because there is no connection
    assert seats_of(outcome(submit(book(1, key="k")))) == [1]
    assert database.value("SELECT count(*) FROM passengers") == 1


@pytest.mark.settings(statement_seconds=3600, write_wait_seconds=2)
def test_a_queued_write_is_busy_while_the_database_hangs(
    writer: Writer, submit: Any, proxy: TcpProxy, database: Database
) -> None:
    proxy.hold_replies()
    sent = submit(book(1))
    wait_until(lambda: proxy.held_replies)
    queued = [submit(book(seat)) for seat in (2, 3)]
    assert [outcome(future) for future in queued] == ["busy", "busy"]
    assert not sent.done()
    assert writer.waiting == 0
    thaw(proxy)
    assert seats_of(outcome(sent)) == [1]
    assert database.value("SELECT count(*) FROM passengers") == 1


@pytest.mark.settings(read_wait_seconds=0.2)
def test_a_read_is_busy_while_the_database_hangs(
    pool: Pool, settings: Settings, proxy: TcpProxy, deadlines: Deadlines
) -> None:
    reader = Reader(pool, settings)
    with frozen(proxy, deadlines):
        for _ in range(settings.read_connections + 1):
            with pytest.raises(Refusal) as refused:
                reader.read(*READ)
            assert refused.value.reason == "busy"
    wait_until(lambda: succeeds(lambda: reader.read(*READ)))


def test_change_notifications_are_received_again_after_the_database_hung(
    database: Database,
    settings: Settings,
    proxy: TcpProxy,
    deadlines: Deadlines,
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener = Listener(proxy.url, settings, deadlines)
    everything = threading.Event()
    listener.subscribe(lambda change: everything.set() if change.everything else None)
    listener.start("test")
    assert everything.wait(60)
    everything.clear()
    with frozen(proxy, deadlines):
        listener.queue_changes([(msgspec.Raw(msgspec.json.encode({"bus_id": 1, "travel_date": DATE})),) * 2])
        wait_until(lambda: "no change notifications, the database is unavailable" in caplog.text)
    assert everything.wait(60)
    listener.stop()


def succeeds(read: Callable[[], object]) -> bool:
    try:
        read()
    except Refusal:
        return False
    return True


# Several hosts ---------------------------------------------------------------------------------


@pytest.fixture
def frozen_first_host(database: Database) -> Iterator[Callable[[str], str]]:
    """A function that adds a first host to a URL. That host accepts connections, and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as frozen:
        port = frozen.getsockname()[1]

        def add(url: str) -> str:
            parameters = psycopg.conninfo.conninfo_to_dict(url)
            hosts = f"127.0.0.1:{port},{parameters['host']}:{parameters['port']}"
            return url.replace(f"{parameters['host']}:{parameters['port']}", hosts)

        yield add


@pytest.mark.settings(host_connect_seconds=1, connect_seconds=30)
def test_a_frozen_first_host_is_skipped(
    database: Database, settings: Settings, deadlines: Deadlines, frozen_first_host: Callable[[str], str]
) -> None:
    owner, url = frozen_first_host(database.owner), frozen_first_host(database.server)
    schema.prepare(owner, url, dataclasses.replace(settings, seed=False))
    pool, writer = Pool(url, settings, deadlines), Writer(url, settings, deadlines)
    listener = Listener(url, settings, deadlines)
    pool.open()
    assert pool.execute("SELECT 1") == [(1,)]
    writer.start()
    assert b'"booked"' in bytes(writer.submit(book(1)).body)
    listener.start("test")
    assert listener.process_no is not None
    listener.stop()
    writer.stop()
    pool.close()


# Not the primary -------------------------------------------------------------------------------


def fail_twice_as_a_standby(database: Database, function: str, then: str) -> None:
    """Replace a function: its first two calls fail as on a standby, later ones execute `then`."""
    database.query("CREATE SEQUENCE api.calls")
    database.query(
        f"CREATE OR REPLACE FUNCTION {function} LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        "  IF nextval('api.calls') <= 2 THEN"
        "    RAISE EXCEPTION 'read-only' USING ERRCODE = 'read_only_sql_transaction';"
        f"  END IF; {then}; END $$"
    )


@pytest.mark.settings(connect_seconds=60)
def test_a_write_that_reached_a_standby_is_sent_again(database: Database, submit: Any) -> None:
    fail_twice_as_a_standby(
        database,
        "api.batch(calls jsonb) RETURNS TABLE (n int, refused boolean, answer jsonb)",
        "RETURN QUERY SELECT 0, false, '{\"tickets\": []}'::jsonb",
    )
    assert outcome(submit(book(1))) == {"tickets": []}


@pytest.mark.settings(connect_seconds=0.1)
def test_a_write_is_busy_if_there_is_no_primary_in_time(database: Database, submit: Any) -> None:
    batch = "api.batch(calls jsonb) RETURNS TABLE (n int, refused boolean, answer jsonb)"
    database.query("CREATE SEQUENCE api.calls")
    database.query(
        f"CREATE OR REPLACE FUNCTION {batch} LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " RAISE EXCEPTION 'read-only' USING ERRCODE = 'read_only_sql_transaction'; END $$"
    )
    assert outcome(submit(book(1))) == "busy"  # not outcome_unknown: the statement was rolled back


def test_a_statement_of_the_pool_that_reached_a_standby_is_sent_again(
    database: Database, settings: Settings, pool: Pool
) -> None:
    database.query("CREATE TABLE calls (n serial)")
    fail_once = (
        "CREATE FUNCTION api.fail_once() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        "  IF nextval('calls_n_seq') <= 1 THEN"
        "    RAISE EXCEPTION 'read-only' USING ERRCODE = 'read_only_sql_transaction';"
        "  END IF; RETURN 7; END $$"
    )
    database.query(fail_once)
    database.query("GRANT EXECUTE ON FUNCTION api.fail_once TO PUBLIC")
    assert pool.execute("SELECT api.fail_once()") == [(7,)]


def test_a_database_that_is_read_only_is_not_connected_to(database: Database, settings: Settings) -> None:
    name = database.value("SELECT current_database()")
    database.query(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(DatabaseUnavailable, match="read-only"):
        Writer(database.server, settings, Deadlines(settings)).start()


# Descriptors -----------------------------------------------------------------------------------


@pytest.mark.system
def test_a_server_without_free_descriptors_is_busy_and_recovers(
    database: Database, urls: dict[str, str], line_to: Callable[[int], LineClient]
) -> None:
    places = {"origin": "Bengaluru", "destination": "Mysuru"}
    request = {"bus_id": 1, "travel_date": travel_day(database), **places, "count": 1, "phone": "98450 12345"}
    limits = {"BUSWARE_CONNECT_SECONDS": "2", "BUSWARE_READ_WAIT_SECONDS": "1"}
    with ServerProcess("0", **{**urls, **limits}) as server:
        pid = server.process.pid
        http_port = int(server.read_until("HTTP:").split("/v1")[0].rpartition(":")[2])
        line = line_to(server.port)
        assert "places" in line.call("places")
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
        database.query(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name LIKE 'busware %' AND datname = current_database()"
        )
        assert line.call("places")["data"]["reason"] == "busy"
        assert line.call("book", **request)["data"]["reason"] == "busy"
        later = line_to(server.port)
        with socket.create_connection(("127.0.0.1", http_port)) as later_http:
            later_http.sendall(b"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            server.read_until("cannot accept")
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
            assert later_http.recv(15) == b"HTTP/1.1 200 OK"
        assert "server" in later.call("ping")
        wait_until(lambda: "places" in line.call("places"))
        wait_until(lambda: "reference" in line.call("book", **request))
        status, output = server.end(signal.SIGTERM)
        assert (status, "Traceback" in output) == (0, False), output


# Stops --------------------------------------------------------------------------------------------


@pytest.mark.system
@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_server_stops_while_the_database_hangs(
    proxy: TcpProxy, urls: dict[str, str], line_to: Callable[[int], LineClient], processes: str
) -> None:
    url = {"DATABASE_URL": proxy.url, "BUSWARE_DRAIN_SECONDS": "0.5", "BUSWARE_STATEMENT_SECONDS": "3600"}
    with ServerProcess("0", "--processes", processes, **{**urls, **url}) as server:
        line = line_to(server.port)
        line.send(b'{"jsonrpc":"2.0","id":1,"method":"places"}\n')
        assert b'"result"' in line.receive()
        proxy.hold_replies()
        hanging = line_to(server.port)
        hanging.send(b'{"jsonrpc":"2.0","id":1,"method":"places"}\n')
        wait_until(lambda: proxy.held_replies)
        line.send(b'{"jsonrpc":"2.0","id":2,"method":"ping"}\n')
        assert b'"result"' in line.receive()
        status, output = server.end(signal.SIGTERM)
        assert (status, "Traceback" in output) == (0, False), output
