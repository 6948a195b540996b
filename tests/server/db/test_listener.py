"""The notification listener on a real PostgreSQL: its notifications, and which processes are listed."""

import time
import weakref
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import Raw

from busware.server.db.deadlines import Deadlines
from busware.server.db.listener import ChangeNotification, Listener
from busware.server.db.writer import Call
from busware.server.push.messages import Messages
from tests.conftest import Database, LineClient
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.tcp_proxy import TcpProxy
from tests.support.transcript import ASHA, TRAVEL_DAY

BOOK = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru", "phone": ASHA}


class ListeningProcess:
    """A process with a listener. received: its notifications, in order."""

    def __init__(self, url: str, settings: Any, role: str = "server") -> None:
        self.listener = Listener(url, settings, Deadlines(settings), role)
        self.received: list[ChangeNotification] = []
        self.unsubscribe = self.listener.subscribe(self.received.append)
        self.listener.start(f"the {role} of the tests")

    def wait_for(self, wanted: Callable[[ChangeNotification], Any]) -> ChangeNotification:
        """Return the first notification that matches, waiting for it. Remove it and all before it."""
        n = wait_until(lambda: [n for n, change in enumerate(self.received) if wanted(change)])[0]
        found = self.received[n]
        del self.received[: n + 1]
        return found


@pytest.fixture
def listen(database: Database, settings: Any) -> Iterator[Callable[..., ListeningProcess]]:
    processes: list[ListeningProcess] = []

    def start(role: str = "server") -> ListeningProcess:
        processes.append(ListeningProcess(database.server, settings, role))
        return processes[-1]

    yield start
    for process in processes:
        if process.listener.process_no is not None:
            process.listener.stop()


def kill(database: Database) -> None:
    """End the connection of every listener."""
    ended = database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'busware listener' AND datname = current_database()"
    )
    assert ended and all(ended)


# Notifications ---------------------------------------------------------------------------------


def test_subscribers_read_everything_on_connect(listen: Callable[..., ListeningProcess]) -> None:
    assert listen().wait_for(lambda change: change.everything)


def test_every_process_is_notified_of_a_committed_write(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, listen: Callable[..., ListeningProcess]
) -> None:
    here, there = listen(), listen()
    line = connect()
    booked = line.call("book", **BOOK, seats=[1])
    for process in (here, there):
        assert process.wait_for(lambda change: change.trips).trips == {(1, TRAVEL_DAY)}
    line.call("cancel", reference=booked["reference"], phone=ASHA)
    for process in (here, there):
        assert process.wait_for(lambda change: change.trips).trips == {(1, TRAVEL_DAY)}


def test_settling_a_trip_sends_a_notification(
    pushing: SimpleNamespace, listen: Callable[..., ListeningProcess]
) -> None:
    process = listen()
    pushing.writer.submit(Call("settle", Raw(b'{"bus_id": 1, "travel_date": "%s"}' % TRAVEL_DAY.encode())))
    assert process.wait_for(lambda change: change.trips).trips == {(1, TRAVEL_DAY)}


def test_a_notification_that_arrives_with_a_result_is_received_at_once(
    database: Database, settings: Any, proxy: TcpProxy
) -> None:
    """libpq reads both at once, and the socket does not become readable again."""
    process = ListeningProcess(proxy.url, settings)
    try:
        process.wait_for(lambda change: change.everything)
        proxy.hold_replies()
        change = Raw(b'{"bus_id": 1, "travel_date": "%s"}' % TRAVEL_DAY.encode())
        process.listener.queue_changes([(change, Raw(b"{}"))])
        wait_until(lambda: b"SELECT 1" in proxy.held_replies)  # the result of its own NOTIFY
        database.query("""SELECT pg_notify('busware', '{"messages":true}')""")
        wait_until(lambda: b"messages" in proxy.held_replies)
        proxy.release_replies()
        assert process.wait_for(lambda change: change.messages)
    finally:
        process.listener.stop()


def test_reads_and_refusals_send_no_notification(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, listen: Callable[..., ListeningProcess]
) -> None:
    line = connect()
    line.call("book", **BOOK, seats=[1])
    process = listen()
    process.wait_for(lambda change: change.everything)
    assert line.call("book", **BOOK, seats=[1])["data"]["reason"] == "seat_taken"
    line.call("places")
    line.call("book", **(BOOK | {"travel_date": "2026-12-06"}), seats=[1])
    assert process.wait_for(lambda change: change.trips).trips == {(1, "2026-12-06")}


def test_many_changes_are_sent_in_few_notifications(
    database: Database, settings: Any, listen: Callable[..., ListeningProcess]
) -> None:
    """Thousands of writes to a few hundred trips; each notification fits the payload limit."""
    sender, process = listen(), listen()
    process.wait_for(lambda change: change.everything)
    trips = {(10**18 + n, "2026-12-05") for n in range(400)}
    done = [
        (Raw(b"{}"), Raw(b'{"bus_id":%d,"travel_date":"%s"}' % (bus, day.encode()))) for bus, day in trips
    ]
    for _ in range(20):
        sender.listener.queue_changes(done)
    received = process.wait_for(lambda change: change.trips)
    while received.trips != trips:
        received |= process.wait_for(lambda change: change.trips)
    assert len(process.received) <= 6


def test_notifications_are_sent_at_most_every_hint_ms(
    database: Database, settings: Any, listen: Callable[..., ListeningProcess]
) -> None:
    sender, process = listen(), listen()
    process.wait_for(lambda change: change.everything)
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        sender.listener.queue_changes([(Raw(b"{}"), Raw(b'{"bus_id":1,"travel_date":"2026-12-05"}'))])
        time.sleep(0.001)
    wait_until(lambda: len(process.received) >= 2)
    elapsed = time.monotonic() - began
    assert len(process.received) <= elapsed * 1000 / settings.hint_ms + 2


def test_unsubscribing_ends_the_calls_and_a_failing_subscriber_does_not_affect_others(
    database: Database, listen: Callable[..., ListeningProcess], caplog: pytest.LogCaptureFixture
) -> None:
    process = listen()
    other: list[ChangeNotification] = []

    def fail(change: ChangeNotification) -> None:
        raise ValueError("a bug")

    process.listener.subscribe(fail)
    unsubscribe = process.listener.subscribe(other.append)
    database.query("SELECT pg_notify('busware', '{\"messages\":true}')")
    wait_until(lambda: [change for change in other if change.messages])  # subscribed after `fail`
    process.wait_for(lambda change: change.messages)
    assert "a bug" in caplog.text
    unsubscribe()
    before = len(other)
    database.query("SELECT pg_notify('busware', '{\"messages\":true}')")
    process.wait_for(lambda change: change.messages)
    assert len(other) == before


@pytest.mark.parametrize(
    "payload", ["", "text", "{}", '{"trips":5}', '{"trips":[[1]]}', "[" * 5000, '{"a":' + "[" * 5000]
)
def test_any_payload_sent_by_hand_is_accepted(
    database: Database, listen: Callable[..., ListeningProcess], payload: str
) -> None:
    process = listen()
    process.wait_for(lambda change: change.everything)
    database.query("SELECT pg_notify('busware', %s)", payload)
    database.query("SELECT pg_notify('busware', '{\"messages\":true}')")
    assert process.wait_for(lambda change: change.messages)


def test_subscribers_read_everything_after_a_reconnect(
    database: Database, listen: Callable[..., ListeningProcess], caplog: pytest.LogCaptureFixture
) -> None:
    process = listen()
    process.wait_for(lambda change: change.everything)
    number = process.listener.process_no
    kill(database)
    assert process.wait_for(lambda change: change.everything)
    assert process.listener.process_no != number
    assert "the database is unavailable" in caplog.text
    database.query("SELECT pg_notify('busware', '{\"messages\":true}')")
    assert process.wait_for(lambda change: change.messages)


def test_changes_without_a_connection_are_sent_after_the_reconnect(
    database: Database, settings: Any, listen: Callable[..., ListeningProcess], proxy: TcpProxy
) -> None:
    """Without a connection, the listener stores each changed trip once, and does not store the calls."""

    class Calls(list[tuple[Raw, Raw]]):
        """A list that can be referenced weakly."""

    other, sender = listen(), ListeningProcess(proxy.url, settings)
    queued: list[weakref.ref[Calls]] = []
    try:
        sender.wait_for(lambda change: change.everything)
        proxy.stop()
        for _ in range(1000):
            calls = Calls([(Raw(b"{}"), Raw(b'{"bus_id":1,"travel_date":"2026-12-05"}'))])
            queued.append(weakref.ref(calls))
            sender.listener.queue_changes(calls)
        del calls
        wait_until(lambda: not any(ref() for ref in queued))
        proxy.restart()
        assert other.wait_for(lambda change: change.trips).trips == {(1, "2026-12-05")}
    finally:
        sender.listener.stop()


# Processes -------------------------------------------------------------------------------------


def test_processes_are_listed_until_they_stop(
    server: SimpleNamespace, database: Database, settings: Any, listen: Callable[..., ListeningProcess]
) -> None:
    messages = Messages(server.pool, settings)
    first, console = listen(), listen("console")

    def roles() -> list[tuple[str, int]]:
        return [(process.role, process.process_no) for process in messages.presence().processes]

    assert roles() == [("server", first.listener.process_no), ("console", console.listener.process_no)]
    console.received.clear()
    number = first.listener.process_no
    first.listener.stop()
    assert console.wait_for(lambda change: change.clients)
    assert roles() == [("console", console.listener.process_no)]
    first.listener.process_no = None
    again = listen()
    assert again.listener.process_no not in (number, None)


def test_a_process_that_dies_is_not_listed_nor_are_its_clients(
    server: SimpleNamespace, database: Database, settings: Any, listen: Callable[..., ListeningProcess]
) -> None:
    messages = Messages(server.pool, settings)
    with database.connect_as_server() as dying:
        ((number,),) = dying.execute("SELECT api.register_process('server', 'a dying process')").fetchall()
        add_clients = "SELECT * FROM api.presence(%s, %s, '{}')"
        client = '[{"connection_no": 1, "address": "192.0.2.1:1", "face": "text"}]'
        dying.execute(add_clients, (number, client))
        assert [client.address for client in messages.presence().clients] == ["192.0.2.1:1"]
    deadline = time.monotonic() + WAIT_SECONDS
    while messages.presence().processes:
        assert time.monotonic() < deadline
    assert messages.presence().clients == []
    listen()  # api.register_process deletes the rows of dead processes
    assert database.value("SELECT count(*) FROM clients") == 0
