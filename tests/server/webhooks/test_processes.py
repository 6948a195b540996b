"""Servers in their own processes that send to webhooks: killed around the call, and two at once."""

import signal
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.processes import ServerProcess
from tests.support.receiver import Receiver, change_webhook, status
from tests.support.schema_api import SchemaApi
from tests.support.serving import travel_day

pytestmark = pytest.mark.system

FINISHING = (
    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%api.finish_outbox%'"
)


@pytest.fixture
def environment(urls: dict[str, str], database: Database, receiver: Receiver) -> dict[str, str]:
    """The settings of a server that sends the events of KSRTC to the receiver."""
    database.query("SELECT api.add_operator('meera', 'hash', 'KSRTC')")
    change_webhook(database, "put_webhook", url=receiver.url)
    return {
        **urls, "BUSWARE_WEBHOOK_CA": str(receiver.ca), "BUSWARE_WEBHOOK_NETWORKS": "127.0.0.0/8, ::1/128",
    }  # fmt: skip


@pytest.mark.parametrize("killed_at", ["before the answer", "before the row is finished"])
def test_delivery_of_a_killed_server_is_sent_again_with_the_same_id(
    environment: dict[str, str], database: Database, receiver: Receiver, killed_at: str
) -> None:
    ended, locked = threading.Event(), threading.Event()

    def wait(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        ended.wait(WAIT_SECONDS)

    def answer_when_locked(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        locked.wait(WAIT_SECONDS)
        status(204)(handler, stopping)

    receiver.answers.put(wait if killed_at == "before the answer" else answer_when_locked)
    SchemaApi(database.conn).book(1, travel_date=travel_day(database))
    with database.connect(autocommit=False) as other, ServerProcess("0", **environment) as killed:
        first = receiver.next()
        if killed_at == "before the answer":
            killed.end(signal.SIGKILL)
            ended.set()
        else:  # the lock lets the statement wait that finishes the row
            other.execute("SELECT FROM outbox WHERE attempts = 1 FOR UPDATE")
            locked.set()
            finishing = wait_until(lambda: database.query(FINISHING))
            killed.end(signal.SIGKILL)
            database.query("SELECT pg_terminate_backend(%s)", *finishing)
            wait_until(lambda: not database.query(FINISHING))
    assert database.query("SELECT state, attempts FROM outbox") == [("waiting", 1)]
    database.query(
        "CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz STABLE RETURN now() + interval '5 minutes'"
    )
    with ServerProcess("0", **environment) as following:
        second = receiver.next()
        wait_until(lambda: database.query("SELECT state, attempts FROM outbox") == [("done", 2)])
        assert following.end(signal.SIGTERM)[0] == 0
    assert (second.id, second.body) == (first.id, first.body)
    assert receiver.requests.empty()


def test_two_servers_keep_the_order_of_each_booking(
    environment: dict[str, str], database: Database, receiver: Receiver
) -> None:
    """Each fourth answer is a failure, so later events of its booking wait for the next attempt."""
    day, api = travel_day(database), SchemaApi(database.conn)
    environment |= {"BUSWARE_OUTBOX_RETRY_SECONDS": "0.1"}
    for _ in range(3):
        for answer in (status(204), status(204), status(204), status(503)):
            receiver.answers.put(answer)
    with ServerProcess("0", **environment) as one, ServerProcess("0", **environment) as two:
        for seat in range(1, 7):
            booking = api.book(seat, travel_date=day)
            api.change("change_seat", booking, ticket_no=1, seat_no=8)
            api.cancel(booking)
        wait_until(lambda: database.value("SELECT count(*) FROM outbox WHERE state = 'done'") == 18)
        for server in (one, two):
            assert server.end(signal.SIGTERM)[0] == 0
    received: dict[str, list[str]] = {}
    while not receiver.requests.empty():
        event = receiver.next().event
        types = received.setdefault(event["reference"], [])
        if event["type"] not in types:  # a failed one comes again
            types.append(event["type"])
    assert list(received.values()) == [["booking.booked", "booking.changed", "booking.cancelled"]] * 6
