"""A writer with a road to PostgreSQL that can be broken, calls for it, and ways to hold it up."""

import json
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec
import pytest

from busware.server.db.pool import InternalError
from busware.server.db.writer import Call, Writer
from busware.server.protocol import Refusal
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.tcp_proxy import TcpProxy

DATE = "2026-12-02"


@pytest.fixture
def proxy(database):
    proxy = TcpProxy(database.server)
    yield proxy
    proxy.close()


@pytest.fixture(name="writer")
def writer_through_proxy(database, settings, proxy):
    writer = Writer(proxy.url, settings)
    writer.start()
    yield writer
    writer.stop()


@pytest.fixture
def submit(writer):
    """Submit a call from a thread of its own: its future."""
    with ThreadPoolExecutor(64) as threads:

        def submit(call) -> Future:
            return threads.submit(writer.submit, call)

        yield submit


@pytest.fixture
def held(database):
    """Somebody's transaction, for whatever the test wants to be in the writer's way."""
    with database.connect(autocommit=False) as conn:
        yield conn


def book(seat=1, *, date=DATE, bus=1, key="", **fields):
    args = {"bus_id": bus, "travel_date": date, "from_stop": 1, "to_stop": 2, "seats": [seat], **fields}
    return Call("book", msgspec.Raw(msgspec.json.encode(args | {"phone": "+919845012345"})), "phone:1", key)


def outcome(future):
    """The reply, or the reason of the refusal, or the exception, that a submitted call came to."""
    try:
        answer = future.result(WAIT_SECONDS)
    except Refusal as refusal:
        return refusal.reason
    except InternalError as fault:
        return fault
    told = json.loads(bytes(answer.body))
    return told["reason"] if answer.refused else told


def seats_of(booking):
    return [ticket["seat_no"] for ticket in booking["tickets"]]


def writer_is_stuck(database):
    return database.value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'busware writer' AND wait_event_type = 'Lock'"
    )


def hold_trip(held, date=DATE):
    held.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = %s FOR UPDATE", [date])


def hold_writer(held, database, submit, **fields):
    """Have the writer stuck in the middle of a batch of one, which holds its trip by then."""
    call = book(1, **{"date": "2026-12-03", **fields})
    args = json.loads(bytes(call.args))
    held.execute("SELECT FROM seats WHERE (bus_id, travel_date, seat_no) = (%s, %s, 1) FOR UPDATE",
                 [args["bus_id"], args["travel_date"]])  # fmt: skip
    stuck = submit(call)
    wait_until(lambda: writer_is_stuck(database))
    return stuck
