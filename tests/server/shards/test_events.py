"""The log of events of an operator whose services are in two databases, and its webhooks."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from busware import Client, Refusal, connect
from busware.server.db import shard_move
from tests.support.line_client import wait_until
from tests.support.schema_api import ASHA, Answer, check
from tests.support.shards import STOPS, ShardedInstallation

pytestmark = pytest.mark.system

Connection = psycopg.Connection[Any]
OPERATOR, ACCOUNT = "Log Lines", "loglines"
FIRST, SECOND = 501, 502  # in different databases
DAY = date.today() + timedelta(days=4)


@pytest.fixture(scope="module")
def proxy(sharded: ShardedInstallation) -> Iterator[Connection]:
    for machine in sharded.shards:
        with machine.connect() as conn:
            conn.execute(
                "SELECT api.add_service(n, 'Bus ' || n, %s, %s, sales_days => 14, stops => %s) "
                "FROM generate_series(%s::int, %s) AS n",
                (OPERATOR, "...D\n" + "ss.ss\n" * 10, STOPS, FIRST, SECOND),
            )
            conn.execute("SELECT api.open_sales(bus_id) FROM bus_info")
    with sharded.proxy.connect() as conn:
        conn.execute("SELECT api.add_operator(%s, 'no hash', %s)", (ACCOUNT, OPERATOR))
        yield conn
    assert sharded.audit() == []


def write(conn: Connection, method: str, **args: Any) -> Answer:
    calls = Jsonb([{"method": method, "args": args, "key": None}])
    ((refused, answer),) = conn.execute("SELECT refused, answer FROM api.batch(%s)", (calls,)).fetchall()
    assert not refused, answer
    return dict(answer)


def read(conn: Connection, method: str, **args: Any) -> Answer:
    arguments = (method, Jsonb({"account": ACCOUNT} | args))
    ((answer,),) = conn.execute("SELECT answer FROM api.read(%s, %s)", arguments).fetchall()
    check(method, answer)
    return dict(answer)


def book_and_cancel(conn: Connection, bus_id: int) -> str:
    """The reference of a booking that is cancelled at once."""
    trip = {"bus_id": bus_id, "travel_date": str(DAY), "from_stop": 1, "to_stop": 5}
    booking = write(conn, "book", count=1, phone=ASHA, **trip)
    write(conn, "cancel", reference=booking["reference"], phone=ASHA)
    return str(booking["reference"])


def publish(*databases: Connection) -> None:
    """Publish the events of databases, as their servers do."""
    for conn in databases:
        while conn.execute("SELECT api.publish_events()").fetchone() != (0,):
            pass


@pytest.fixture
def publish_all(sharded: ShardedInstallation, proxy: Connection) -> Iterator[Any]:
    shards = [machine.connect() for machine in sharded.shards]

    def all_databases() -> None:
        publish(*shards, proxy)
        publish(proxy)  # tells the shards what is in the log

    yield all_databases
    for conn in shards:
        conn.close()


def log(conn: Connection, after: str | None = None) -> list[Answer]:
    """The events after a position, read in small pages."""
    found: list[Answer] = []
    while True:
        page = read(conn, "events", limit=3, **({"after": after} if after else {}))
        found += page["events"]
        after = page["next"]
        if not page.get("more"):
            return found


def end_of_log(conn: Connection) -> str:
    return str(read(conn, "events", limit=1000)["next"])


def test_the_log_has_the_events_of_all_shards_once_and_in_order(
    sharded: ShardedInstallation, proxy: Connection, publish_all: Any
) -> None:
    publish_all()
    end = end_of_log(proxy)
    booked = [book_and_cancel(proxy, bus_id) for bus_id in (FIRST, SECOND, FIRST, SECOND)]
    with sharded.proxy.connect() as conn:  # of another operator
        book_and_cancel(conn, 101)
    publish_all()
    events = log(proxy, end)
    assert {event["reference"] for event in events} == {*booked}
    for reference in booked:
        types = [event["type"] for event in events if event["reference"] == reference]
        assert types == ["booking.booked", "booking.cancelled"]
    positions = [event["position"] for event in events]
    assert positions == sorted(set(positions))
    publish_all()
    assert log(proxy, end) == events
    for machine in sharded.shards:
        with machine.connect() as shard:
            assert shard.execute("SELECT count(*) FROM shards.uncollected").fetchone() == (0,)


def test_a_move_keeps_the_events_of_a_booking_in_order(
    sharded: ShardedInstallation, proxy: Connection, publish_all: Any
) -> None:
    publish_all()
    end = end_of_log(proxy)
    virtual = FIRST % 64
    home = sharded.home(virtual)
    with (
        sharded.shards[home - 1].connect() as first,
        sharded.shards[2 - home].connect() as second,
        sharded.proxy.connect() as moving,
    ):
        references = [book_and_cancel(proxy, FIRST)]
        publish(first)
        proxy.execute("SELECT api.publish_events()")  # it is in the log, and the shard does not know it
        references.append(book_and_cancel(proxy, FIRST))
        publish(first)  # it is not in the log
        references.append(book_and_cancel(proxy, FIRST))  # it is not published
        shard_move.move(moving, first, second, virtual, 3 - home)
        references.append(book_and_cancel(proxy, FIRST))
        publish_all()
        shard_move.move(moving, second, first, virtual, home)
        publish_all()
    assert [(event["reference"], event["type"]) for event in log(proxy, end)] == [
        (reference, event) for reference in references for event in ("booking.booked", "booking.cancelled")
    ]


def test_a_webhook_gets_the_events_of_all_shards(proxy: Connection, publish_all: Any) -> None:
    publish_all()
    args = {"account": ACCOUNT, "webhook": "all", "url": "https://example.org/", "secret": "whsec_1"}
    change = "SELECT refused, answer FROM api.change_webhook(%s, %s, '{\"webhooks\": 20}')"
    ((refused, answer),) = proxy.execute(change, ("put_webhook", Jsonb(args))).fetchall()
    assert not refused, answer
    booked = {book_and_cancel(proxy, bus_id) for bus_id in (FIRST, SECOND)}
    publish_all()
    deliveries = read(proxy, "webhook_deliveries", webhook="all")["deliveries"]
    assert {(delivery["reference"], delivery["type"]) for delivery in deliveries} == {
        (reference, event) for reference in booked for event in ("booking.booked", "booking.cancelled")
    }
    claim = "SELECT event ->> 'type', reference FROM api.claim_delivery('{}', '{}', '1 minute')"
    claimed = {proxy.execute(claim).fetchone() for _ in booked}
    assert claimed == {("booking.booked", reference) for reference in booked}
    ((refused, answer),) = proxy.execute(change, ("delete_webhook", Jsonb(args))).fetchall()
    assert not refused, answer


def test_a_server_collects_events(sharded: ShardedInstallation, proxy: Connection) -> None:
    end = end_of_log(proxy)
    with sharded.server() as server, connect("127.0.0.1", server.port, tries=1) as client:
        for bus_id in (FIRST, SECOND):
            wait_until(lambda bus_id=bus_id: book_or_none(client, bus_id), 60, 0.1)
        found = wait_until(lambda: len(events := log(proxy, end)) == 2 and events, 60, 0.1)
        answers = "SELECT count(*) FROM shards.databases WHERE away"
        wait_until(lambda: proxy.execute(answers).fetchone() == (0,), 60, 0.1)  # as other tests expect it
    assert {event["bus_id"] for event in found} == {FIRST, SECOND}


def book_or_none(client: Client, bus_id: int) -> str | None:
    """The reference of a booking; None while the server does not reach its shard in time."""
    try:
        booking = client.book(bus_id, DAY, "Bengaluru", "Mysuru", count=1, phone=ASHA, key=f"bus {bus_id}")
    except Refusal as refusal:
        assert refusal.reason in ("busy", "outcome_unknown")
        return None
    return str(booking.reference)
