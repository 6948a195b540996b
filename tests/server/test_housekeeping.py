"""Housekeeping: trips are settled and put on sale, old records are deleted; failures delay nothing else."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from ipaddress import ip_network
from types import SimpleNamespace

import pytest

from busware.server.housekeeping import Housekeeper
from tests.conftest import Clock, Database, LineClient
from tests.support.line_client import wait_until

RunHousekeeping = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def housekeeping(server: SimpleNamespace) -> RunHousekeeping:
    """A function that returns a context manager, which runs the housekeeper."""

    @contextmanager
    def run() -> Iterator[None]:
        rate_limiter = server.operations.accounts.rate_limiter
        housekeeper = Housekeeper(server.pool, server.settings, rate_limiter)
        housekeeper.start()
        try:
            yield
        finally:
            housekeeper.stop()

    return run


@pytest.mark.settings(settle_seconds=0.01, exempt_networks=(ip_network("127.0.0.0/8"),))
def test_trips_are_settled_and_put_on_sale_and_old_keys_are_deleted(
    database: Database, clock: Clock, client_socket: LineClient, housekeeping: RunHousekeeping
) -> None:
    trip = {"bus_id": 1, "travel_date": "2026-12-02", "origin": "Bengaluru", "destination": "Mysuru"}
    guest = {"phone": "9845012345"}
    held = client_socket.call("hold", **trip, **guest, seats=[1, 2, 3, 4, 5, 6], seconds=60)
    client_socket.call("hold", **trip, **guest, seats=[7, 8], seconds=60)
    pending = client_socket.call("book", **trip, **guest, count=1, waitlist=True, key="k")
    assert (held["status"], pending["status"], pending["position"]) == ("held", "pending", 1)
    clock.advance(days=3)  # the bus has left, so the holds and the waitlist entry have expired
    trips = database.value("SELECT count(*) FROM trips")

    def is_done() -> bool:
        statuses = database.query("SELECT DISTINCT status FROM passengers")
        opened = database.value("SELECT count(*) FROM trips") - trips
        keys = database.value("SELECT count(*) FROM idempotency_keys")
        return (statuses, opened, keys) == (["expired"], 6, 0)

    with housekeeping():
        wait_until(is_done)
    search = {"origin": "Bengaluru", "destination": "Mandya", "date": "2026-12-02"}
    assert client_socket.call("search", **search)["data"]["reason"] == "bad_request"


@pytest.mark.settings(settle_seconds=0.01)
def test_locked_trips_do_not_delay_other_trips(
    database: Database, clock: Clock, client_socket: LineClient, housekeeping: RunHousekeeping
) -> None:
    """The trips that are due first are locked in another session. The last trip is settled meanwhile."""
    trips = [(1, f"2026-12-0{day}", "Mysuru", 60) for day in (2, 3, 4)] + [(2, "2026-12-02", "Ooty", 61)]
    for bus, day, to, seconds in trips:
        trip = {"bus_id": bus, "travel_date": day, "origin": "Bengaluru", "destination": to}
        client_socket.call("hold", **trip, phone="9845012345", seats=[1], seconds=seconds)
    clock.advance(minutes=2)
    assert database.query("SELECT bus_id FROM api.due_trips()") == [1, 1, 1, 2]
    expired = "SELECT bus_id FROM passengers WHERE status = 'expired' ORDER BY bus_id"
    with database.connect(autocommit=False) as locking:
        locking.execute("SELECT FROM trips WHERE bus_id = 1 FOR UPDATE")
        with housekeeping():
            wait_until(lambda: database.query(expired) == [2])
            locking.commit()
            wait_until(lambda: database.query(expired) == [1, 1, 1, 2])


def test_records_that_cannot_be_deleted_do_not_stop_other_deletions(
    database: Database, clock: Clock, housekeeping: RunHousekeeping, caplog: pytest.LogCaptureFixture
) -> None:
    database.query("SELECT api.notice('Welcome.')")
    database.query("ALTER FUNCTION api.purge_idempotency_keys RENAME TO purge_nothing")
    clock.advance(days=91)
    with housekeeping():
        wait_until(lambda: database.value("SELECT count(*) FROM messages") == 0)
    assert "purge failed, retrying in 3600 s: 42883" in caplog.text


def test_service_that_cannot_be_put_on_sale_does_not_delay_others(
    database: Database, clock: Clock, housekeeping: RunHousekeeping, caplog: pytest.LogCaptureFixture
) -> None:
    database.query("UPDATE bus_info SET time_zone = 'Mars/Olympus' WHERE bus_id = 1")
    trips = "SELECT count(*) FROM trips WHERE bus_id = 2"
    before = database.value(trips)
    clock.advance(days=3)
    with housekeeping():
        wait_until(lambda: database.value(trips) == before + 3)
    assert "open sales failed, retrying in 3600 s: 22023: time zone" in caplog.text
