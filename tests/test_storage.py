"""The reads: on a pool, through a restart of the database, and what its errors come to."""

import json
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from server.housekeeping import Housekeeper
from server.storage import Away, Fault, Storage
from server.wire import Refusal

WAIT_SECONDS = 20
SEARCH = b'{"origin":"Bengaluru","destination":"Mandya","date":"2026-12-02"}'
LOSE = (
    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
    " WHERE application_name LIKE 'busware%' AND datname = current_database()"
)


@pytest.fixture
def storage(database, settings):
    storage = Storage(database.server, settings)
    storage.open()
    yield storage
    storage.close()


def until(condition):
    """Poll for what another thread, or PostgreSQL, brings about."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, "it never happened"
        time.sleep(0.001)


def test_an_answer_is_what_the_database_wrote(storage, database):
    answer = storage.read("search", SEARCH)
    assert not answer.refused
    assert bytes(answer.body).decode() == database.value(
        "SELECT answer::text FROM api.read('search', %s)", SEARCH.decode()
    )


def test_a_refusal_is_told_from_an_answer(storage):
    answer = storage.read("search", b'{"origin":"Mandia","destination":"Mysuru","date":"2026-12-02"}')
    assert answer.refused
    assert answer.refusal().reason == "unknown_place"
    assert answer.refusal().data["nearest"][0] == "Mandya"


def test_reads_go_on_after_every_connection_was_lost(storage, database):
    for _ in range(3):
        assert database.value(LOSE) >= 1
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: storage.read("search", SEARCH), range(16)))
        assert {answer.refused for answer in answers} == {False}


@pytest.mark.settings(read_connections=1, read_wait_seconds=0.1)
def test_a_read_that_gets_no_connection_is_busy(storage, database):
    with database.connect(autocommit=False) as held, ThreadPoolExecutor(1) as threads:
        held.execute("LOCK TABLE trips IN ACCESS EXCLUSIVE MODE")
        waiting = threads.submit(storage.read, "search", SEARCH)
        until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        with pytest.raises(Refusal, match="gave no connection within") as refused:
            storage.read("search", SEARCH)
        assert refused.value.reason == "busy"
        held.commit()
        assert not waiting.result(WAIT_SECONDS).refused


def is_waiting_for_an_answer(thread):
    """Whether it is in Future.result, as those are who share another's answer."""
    frame = sys._current_frames().get(thread.ident)
    while frame and frame.f_code is not Future.result.__code__:
        frame = frame.f_back
    return frame is not None


@pytest.mark.settings(read_connections=1)
def test_who_asks_what_another_waits_to_ask_gets_the_same_answer(storage, database):
    answers = []

    def ask(args):
        answers.append(storage.read("search", args))

    def asking(args, count):
        threads = [threading.Thread(target=ask, args=[args], daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        return threads

    with database.connect(autocommit=False) as held:
        held.execute("LOCK TABLE trips IN ACCESS EXCLUSIVE MODE")
        first = asking(SEARCH, 1)  # it is sent, and nobody joins it
        until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        others = asking(SEARCH, 4)
        until(lambda: storage.connections()["wanted"] == 1)
        until(lambda: sum(map(is_waiting_for_an_answer, others)) == 3)
        different = asking(SEARCH.replace(b"Mandya", b"Mysuru"), 1)
        until(lambda: storage.connections()["wanted"] == 2)
        held.rollback()
    for thread in first + others + different:
        thread.join(WAIT_SECONDS)
    bodies = [answer.body for answer in answers]
    assert len(bodies) == 6
    assert len({id(body) for body in bodies}) == 3
    assert len({bytes(body) for body in bodies}) == 2


@pytest.mark.settings(read_connections=1, read_wait_seconds=0.1)
def test_who_shares_a_read_shares_its_failure_too(storage, database):
    with database.connect(autocommit=False) as held, ThreadPoolExecutor(5) as threads:
        held.execute("LOCK TABLE trips IN ACCESS EXCLUSIVE MODE")
        sent = threads.submit(storage.read, "search", SEARCH)
        until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        for read in [threads.submit(storage.read, "search", SEARCH) for _ in range(4)]:
            with pytest.raises(Refusal, match="gave no connection within"):
                read.result(WAIT_SECONDS)
        held.rollback()
        assert not sent.result(WAIT_SECONDS).refused
        assert not storage.read("search", SEARCH).refused  # nothing is left of those that failed


@pytest.mark.settings(statement_seconds=0.1)
def test_a_read_that_takes_too_long_is_busy(storage, database):
    with database.connect(autocommit=False) as held:
        held.execute("LOCK TABLE trips IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Refusal) as refused:
            storage.read("search", SEARCH)
        assert refused.value.reason == "busy"


def test_a_read_that_fails_is_a_fault(storage):
    with pytest.raises(Fault, match=r"^22P02: invalid input syntax for type bigint"):
        storage.read("seat_map", b'{"bus_id":"one"}')


def test_reads_after_the_end_are_refused(database, settings):
    storage = Storage(database.server, settings)
    storage.open()
    storage.close()
    with pytest.raises(Refusal) as refused:
        storage.read("search", SEARCH)
    assert refused.value.reason == "draining"


@pytest.mark.settings(connect_seconds=0.1)
def test_a_database_that_is_not_there(settings):
    storage = Storage("postgresql://nobody@127.0.0.1:1/nothing", settings)
    with pytest.raises(Away, match="does not answer"):
        storage.open()


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
        return (states, opened, database.value("SELECT count(*) FROM requests")) == (["expired"], 6, 0)

    housekeeper = Housekeeper(server.storage, server.writer, server.settings)
    housekeeper.start()
    try:
        until(done)
    finally:
        housekeeper.stop()
    assert json.loads(bytes(server.storage.read("search", SEARCH).body))["reason"] == "bad_request"


@pytest.mark.settings(settle_seconds=0.01, write_wait_seconds=0.2)
def test_a_trip_that_cannot_be_settled_is_in_nobodys_way(database, clock, server, client_socket):
    for bus, to in ((1, "Mysuru"), (2, "Ooty")):
        trip = {"bus_id": bus, "travel_date": "2026-12-02", "origin": "Bengaluru", "destination": to}
        client_socket.call("hold", **trip, phone="9845012345", seats=[1], seconds=60)
    clock.advance(minutes=2)
    first = json.loads(bytes(server.storage.due_trips()[0]))["bus_id"]
    expired = "SELECT count(*) FROM passengers WHERE status = 'expired'"
    housekeeper = Housekeeper(server.storage, server.writer, server.settings)
    with database.connect(autocommit=False) as held:
        held.execute("SELECT FROM trips WHERE bus_id = %s FOR UPDATE", [first])
        housekeeper.start()
        try:
            until(lambda: database.value(expired) == 1)
            held.commit()
            until(lambda: database.value(expired) == 2)
        finally:
            housekeeper.stop()
