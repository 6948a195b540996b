"""Hints between processes, over a real PostgreSQL: what is sent, heard, lost, and who is there."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import Raw

from busware.server.db.listener import Hint, Notices
from busware.server.db.writer import Call
from busware.server.push.messages import Messages
from tests.conftest import Database, Line
from tests.support.line import WAIT_SECONDS, until
from tests.support.road import Road
from tests.support.transcript import ASHA, TRAVEL_DAY

BOOK = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru", "phone": ASHA}


class Listener:
    """A process that listens. heard: the hints, in order."""

    def __init__(self, url: str, settings: Any, role: str = "server") -> None:
        self.notices = Notices(url, settings, role)
        self.heard: list[Hint] = []
        self.unsubscribe = self.notices.subscribe(self.heard.append)
        self.notices.start(f"the {role} of the tests")

    def wait_for(self, wanted: Callable[[Hint], Any]) -> Hint:
        """The first hint that has it, from now or before; forgets it and those before it."""
        n = until(lambda: [n for n, hint in enumerate(self.heard) if wanted(hint)])[0]
        found = self.heard[n]
        del self.heard[: n + 1]
        return found


@pytest.fixture
def listen(database: Database, settings: Any) -> Iterator[Callable[..., Listener]]:
    listeners: list[Listener] = []

    def start(role: str = "server") -> Listener:
        listeners.append(Listener(database.server, settings, role))
        return listeners[-1]

    yield start
    for listener in listeners:
        if listener.notices.process_no is not None:
            listener.notices.stop()


def kill(database: Database) -> None:
    """End every connection that listens."""
    ended = database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'busware notices' AND datname = current_database()"
    )
    assert ended and all(ended)


# Hints -----------------------------------------------------------------------------------------


def test_everybody_reads_everything_on_connect(listen: Callable[..., Listener]) -> None:
    assert listen().wait_for(lambda hint: hint.everything)


def test_a_write_is_told_to_every_process_once_it_is_committed(
    connect: Callable[[], Line], telling: SimpleNamespace, listen: Callable[..., Listener]
) -> None:
    here, there = listen(), listen()
    line = connect()
    booked = line.call("book", **BOOK, seats=[1])
    for listener in (here, there):
        assert listener.wait_for(lambda hint: hint.trips).trips == {(1, TRAVEL_DAY)}
    line.call("cancel", reference=booked["reference"], phone=ASHA)
    for listener in (here, there):
        assert listener.wait_for(lambda hint: hint.trips).trips == {(1, TRAVEL_DAY)}


def test_what_settles_by_itself_is_told(telling: SimpleNamespace, listen: Callable[..., Listener]) -> None:
    listener = listen()
    telling.writer.submit(Call("settle", Raw(b'{"bus_id": 1, "travel_date": "%s"}' % TRAVEL_DAY.encode())))
    assert listener.wait_for(lambda hint: hint.trips).trips == {(1, TRAVEL_DAY)}


def test_what_arrives_together_with_an_answer_is_heard_at_once(
    database: Database, settings: Any, road: Road
) -> None:
    """It is read with the answer then, and the socket has nothing more that would wake anybody."""
    listener = Listener(road.url, settings)
    try:
        listener.wait_for(lambda hint: hint.everything)
        road.hold()
        change = Raw(b'{"bus_id": 1, "travel_date": "%s"}' % TRAVEL_DAY.encode())
        listener.notices.committed([(change, Raw(b"{}"))])
        until(lambda: b"SELECT 1" in road.held)  # the answer to what it sent
        database.query("""SELECT pg_notify('busware', '{"messages":true}')""")
        until(lambda: b"messages" in road.held)
        road.release()
        assert listener.wait_for(lambda hint: hint.messages)
    finally:
        listener.notices.stop()


def test_reads_and_refusals_are_not_told(
    connect: Callable[[], Line], telling: SimpleNamespace, listen: Callable[..., Listener]
) -> None:
    line = connect()
    line.call("book", **BOOK, seats=[1])
    listener = listen()
    listener.wait_for(lambda hint: hint.everything)
    assert line.call("book", **BOOK, seats=[1])["data"]["reason"] == "seat_taken"
    line.call("places")
    line.call("book", **(BOOK | {"travel_date": "2026-12-06"}), seats=[1])
    assert listener.wait_for(lambda hint: hint.trips).trips == {(1, "2026-12-06")}


def test_many_changes_are_one_hint(
    database: Database, settings: Any, listen: Callable[..., Listener]
) -> None:
    """Thousands of writes to a few hundred trips, in a few notifications of which each fits."""

    sender, listener = listen(), listen()
    listener.wait_for(lambda hint: hint.everything)
    trips = {(10**18 + n, "2026-12-05") for n in range(400)}
    done = [
        (Raw(b"{}"), Raw(b'{"bus_id":%d,"travel_date":"%s"}' % (bus, day.encode()))) for bus, day in trips
    ]
    for _ in range(20):
        sender.notices.committed(done)
    heard = listener.wait_for(lambda hint: hint.trips)
    while heard.trips != trips:
        heard |= listener.wait_for(lambda hint: hint.trips)
    assert len(listener.heard) <= 6


def test_hints_are_spaced_out(database: Database, settings: Any, listen: Callable[..., Listener]) -> None:

    sender, listener = listen(), listen()
    listener.wait_for(lambda hint: hint.everything)
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        sender.notices.committed([(Raw(b"{}"), Raw(b'{"bus_id":1,"travel_date":"2026-12-05"}'))])
        time.sleep(0.001)
    until(lambda: len(listener.heard) >= 2)
    elapsed = time.monotonic() - began
    assert len(listener.heard) <= elapsed * 1000 / settings.hint_ms + 2


def test_whoever_unsubscribes_hears_no_more_and_a_fault_of_one_harms_nobody(
    database: Database, listen: Callable[..., Listener], caplog: pytest.LogCaptureFixture
) -> None:
    listener = listen()
    other: list[Hint] = []

    def fail(hint: Hint) -> None:
        raise ValueError("my fault")

    listener.notices.subscribe(fail)
    unsubscribe = listener.notices.subscribe(other.append)
    database.query("SELECT pg_notify('busware', '{\"messages\":true}')")
    until(lambda: [hint for hint in other if hint.messages])  # it is told after the one that fails
    listener.wait_for(lambda hint: hint.messages)
    assert "my fault" in caplog.text
    unsubscribe()
    before = len(other)
    database.query("SELECT pg_notify('busware', '{\"messages\":true}')")
    listener.wait_for(lambda hint: hint.messages)
    assert len(other) == before


@pytest.mark.parametrize(
    "payload", ["", "look!", "{}", '{"trips":5}', '{"trips":[[1]]}', "[" * 5000, '{"a":' + "[" * 5000]
)
def test_a_notification_by_hand_is_worth_a_look_at_most(
    database: Database, listen: Callable[..., Listener], payload: str
) -> None:
    listener = listen()
    listener.wait_for(lambda hint: hint.everything)
    database.query("SELECT pg_notify('busware', %s)", payload)
    database.query("SELECT pg_notify('busware', '{\"messages\":true}')")
    assert listener.wait_for(lambda hint: hint.messages)


def test_after_the_connection_broke_everything_is_read_again(
    database: Database, listen: Callable[..., Listener], caplog: pytest.LogCaptureFixture
) -> None:
    listener = listen()
    listener.wait_for(lambda hint: hint.everything)
    number = listener.notices.process_no
    kill(database)
    assert listener.wait_for(lambda hint: hint.everything)
    assert listener.notices.process_no != number
    assert "the database is away" in caplog.text
    database.query("SELECT pg_notify('busware', '{\"messages\":true}')")
    assert listener.wait_for(lambda hint: hint.messages)


def test_what_is_committed_while_there_is_no_connection_is_told_afterwards_and_takes_no_room(
    database: Database, settings: Any, listen: Callable[..., Listener], road: Road
) -> None:
    other, sender = listen(), Listener(road.url, settings)
    try:
        sender.wait_for(lambda hint: hint.everything)
        road.cut()
        for _ in range(1000):
            sender.notices.committed([(Raw(b"{}"), Raw(b'{"bus_id":1,"travel_date":"2026-12-05"}'))])
        until(lambda: not sender.notices._committed)
        road.mend()
        assert other.wait_for(lambda hint: hint.trips).trips == {(1, "2026-12-05")}
    finally:
        sender.notices.stop()


# Processes -------------------------------------------------------------------------------------


def test_who_is_there_and_who_is_gone(
    server: SimpleNamespace, database: Database, settings: Any, listen: Callable[..., Listener]
) -> None:
    desk = Messages(server.storage, settings)
    first, console = listen(), listen("console")

    def roles() -> list[tuple[str, int]]:
        return [(one.role, one.process_no) for one in desk.present().processes]

    assert roles() == [("server", first.notices.process_no), ("console", console.notices.process_no)]
    console.heard.clear()
    number = first.notices.process_no
    first.notices.stop()
    assert console.wait_for(lambda hint: hint.clients)
    assert roles() == [("console", console.notices.process_no)]
    first.notices.process_no = None
    again = listen()
    assert again.notices.process_no not in (number, None)


def test_a_process_that_dies_is_gone_with_its_clients(
    server: SimpleNamespace, database: Database, settings: Any, listen: Callable[..., Listener]
) -> None:
    desk = Messages(server.storage, settings)
    with database.connect_as_server() as dies:
        ((number,),) = dies.execute("SELECT api.enlist('server', 'one that dies')").fetchall()
        introduce = "SELECT * FROM api.presence(%s, %s, '{}')"
        visitor = '[{"connection_no": 1, "address": "192.0.2.1:1", "face": "text"}]'
        dies.execute(introduce, (number, visitor))
        assert [one.address for one in desk.present().clients] == ["192.0.2.1:1"]
    give_up_at = time.monotonic() + WAIT_SECONDS
    while desk.present().processes:
        assert time.monotonic() < give_up_at
    assert desk.present().clients == []
    listen()  # sweeps up what is left
    assert database.value("SELECT count(*) FROM clients") == 0
