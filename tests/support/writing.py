"""Fixtures and functions for tests of the writer: calls, outcomes, and ways to block it."""

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
def writer_through_proxy(database, settings, deadlines, proxy):
    writer = Writer(proxy.url, settings, deadlines)
    writer.start()
    yield writer
    writer.stop()


@pytest.fixture
def submit(writer):
    """A function that submits a call in a thread of its own, and returns its future."""
    with ThreadPoolExecutor(64) as threads:

        def submit(call) -> Future:
            return threads.submit(writer.submit, call)

        yield submit


@pytest.fixture
def other_session(database):
    """Another session, in a transaction, to lock rows that the writer needs."""
    with database.connect(autocommit=False) as conn:
        yield conn


def book(seat=1, *, date=DATE, bus=1, key="", **fields):
    args = {"bus_id": bus, "travel_date": date, "from_stop": 1, "to_stop": 2, "seats": [seat], **fields}
    return Call("book", msgspec.Raw(msgspec.json.encode(args | {"phone": "+919845012345"})), key)


def outcome(future):
    """The outcome of a submitted call: its reply, the reason of its refusal, or its InternalError."""
    try:
        answer = future.result(WAIT_SECONDS)
    except Refusal as refusal:
        return refusal.reason
    except InternalError as error:
        return error
    reply = json.loads(bytes(answer.body))
    return reply["reason"] if answer.refused else reply


def seats_of(booking):
    return [ticket["seat_no"] for ticket in booking["tickets"]]


def writer_waits_for_lock(database):
    return database.value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'busware writer' AND wait_event_type = 'Lock'"
    )


def lock_trip(other_session, date=DATE):
    other_session.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = %s FOR UPDATE", [date])


def block_writer(other_session, database, submit, **fields):
    """Submit a call and block it by a row lock, while it has the write lock and its trip's row lock."""
    call = book(1, **{"date": "2026-12-03", **fields})
    args = json.loads(bytes(call.args))
    other_session.execute(
        "SELECT FROM seats WHERE (bus_id, travel_date, seat_no) = (%s, %s, 1) FOR UPDATE",
        [args["bus_id"], args["travel_date"]],
    )
    blocked = submit(call)
    wait_until(lambda: writer_waits_for_lock(database))
    return blocked
