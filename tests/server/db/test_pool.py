"""The pool of connections, and the timers that use it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from busware.server.db.pool import DatabaseUnavailable, Pool
from busware.server.housekeeping import Housekeeper
from busware.server.protocol import Refusal
from tests.support.line_client import WAIT_SECONDS, wait_until


@pytest.fixture
def pool(database, settings):
    pool = Pool(database.server, settings)
    pool.open()
    yield pool
    pool.close()


@pytest.mark.settings(read_connections=1, read_wait_seconds=0.1)
def test_who_gets_no_connection_is_told_that_it_is_busy(pool, database):
    with database.connect(autocommit=False) as held, ThreadPoolExecutor(1) as threads:
        held.execute("LOCK TABLE trips IN ACCESS EXCLUSIVE MODE")
        waiting = threads.submit(pool.execute, "SELECT count(*) > 0 FROM trips")
        wait_until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        with pytest.raises(Refusal, match="No database connection was free within") as refused:
            pool.execute("SELECT 1")
        assert refused.value.reason == "busy"
        held.rollback()
        assert waiting.result(WAIT_SECONDS) == [(True,)]


@pytest.mark.settings(connect_seconds=0.1)
def test_a_database_that_is_not_there(settings):
    pool = Pool("postgresql://nobody@127.0.0.1:1/nothing", settings)
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        pool.open()


# The timers ------------------------------------------------------------------------------------


@pytest.mark.settings(settle_seconds=0.01)
def test_the_timers_settle_open_sales_and_forget(database, clock, server, client_socket):
    trip = {"bus_id": 1, "travel_date": "2026-12-02", "origin": "Bengaluru", "destination": "Mysuru"}
    guest = {"phone": "9845012345"}
    held = client_socket.call("hold", **trip, **guest, seats=[1, 2, 3, 4, 5, 6], seconds=60)
    client_socket.call("hold", **trip, **guest, seats=[7, 8], seconds=60)
    pending = client_socket.call("book", **trip, **guest, count=1, waitlist=True, key="k")
    assert (held["status"], pending["status"], pending["position"]) == ("held", "pending", 1)
    clock.advance(days=3)  # the bus has left; the holds and the one who waits have run out
    trips = database.value("SELECT count(*) FROM trips")

    def done():
        states = database.query("SELECT DISTINCT status FROM passengers")
        opened = database.value("SELECT count(*) FROM trips") - trips
        return (states, opened, database.value("SELECT count(*) FROM idempotency_keys")) == (
            ["expired"],
            6,
            0,
        )

    housekeeper = Housekeeper(server.pool, server.writer, server.settings)
    housekeeper.start()
    try:
        wait_until(done)
    finally:
        housekeeper.stop()
    search = {"origin": "Bengaluru", "destination": "Mandya", "date": "2026-12-02"}
    assert client_socket.call("search", **search)["data"]["reason"] == "bad_request"


@pytest.mark.settings(settle_seconds=0.01, write_wait_seconds=0.2)
def test_a_trip_that_cannot_be_settled_is_in_nobodys_way(database, clock, server, client_socket):
    for bus, to in ((1, "Mysuru"), (2, "Ooty")):
        trip = {"bus_id": bus, "travel_date": "2026-12-02", "origin": "Bengaluru", "destination": to}
        client_socket.call("hold", **trip, phone="9845012345", seats=[1], seconds=60)
    clock.advance(minutes=2)
    ((first,),) = server.pool.execute("SELECT bus_id FROM api.due_trips() LIMIT 1")
    expired = "SELECT count(*) FROM passengers WHERE status = 'expired'"
    housekeeper = Housekeeper(server.pool, server.writer, server.settings)
    with database.connect(autocommit=False) as held:
        held.execute("SELECT FROM trips WHERE bus_id = %s FOR UPDATE", [first])
        housekeeper.start()
        try:
            wait_until(lambda: database.value(expired) == 1)
            held.commit()
            wait_until(lambda: database.value(expired) == 2)
        finally:
            housekeeper.stop()


def test_a_service_that_cannot_be_opened_is_in_nobodys_way(database, clock, server, caplog):
    database.query("UPDATE bus_info SET time_zone = 'Mars/Olympus' WHERE bus_id = 1")
    opened = "SELECT count(*) FROM trips WHERE bus_id = 2"
    before = database.value(opened)
    clock.advance(days=3)
    housekeeper = Housekeeper(server.pool, server.writer, server.settings)
    housekeeper.start()
    try:
        wait_until(lambda: database.value(opened) == before + 3)
    finally:
        housekeeper.stop()
    assert "open sales failed, retrying in 3600 s: 22023: time zone" in caplog.text
