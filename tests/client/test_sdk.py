"""The SDK, both of its clients, on a real server: through a relay that loses, delays and replaces lines."""

import asyncio
import contextlib
import json
import queue
import signal
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from types import SimpleNamespace

import pytest

from busware import AsyncClient, Client, ConnectionLost, Refusal
from busware.server.protocol import METHODS, Passenger
from tests.conftest import WAIT_SECONDS, Database
from tests.support.both_clients import Sdk

DAY = date(2026, 12, 5)
PHONE = "98450 12345"
RIDE = (1, DAY, "Bengaluru", "Mandya")

Fate = Callable[[bytes], bytes | None]  # what the client gets for the server's line; None: the end


class Relay:
    """Stands between a client and the server, a line at a time.

    fates: what befalls the replies to come, the first one first; those after pass. seen: the
    requests, in order. connections: how many there were.
    """

    def __init__(self, server: SimpleNamespace) -> None:
        self.fates: list[Fate] = []
        self.seen: list[dict] = []
        self.connections = 0
        self._server = (server.host, server.port)
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(near)
            self._threads.append(threading.Thread(target=self._carry, args=(near,)))
            self._threads[-1].start()

    def _carry(self, near: socket.socket) -> None:
        far = socket.create_connection(self._server)
        # the client may go at any time
        with (
            near,
            far,
            near.makefile("rb") as requests,
            far.makefile("rb") as replies,
            contextlib.suppress(OSError),
        ):
            for request in requests:
                self.seen.append(json.loads(request))
                far.sendall(request)
                reply = replies.readline()
                told = self.fates.pop(0)(reply) if self.fates else reply
                if told is None:
                    break
                near.sendall(told)

    def hang_up(self) -> None:
        """Break every connection; the next ones are taken."""
        for near in self._open:
            with contextlib.suppress(OSError):  # it has gone by itself
                near.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)


def lost(reply: bytes) -> None:
    """The server has done it, and the connection breaks before the client knows."""


def kept_back(reply: bytes) -> bytes:
    """The server has done it, and nothing comes."""
    return b""


def refused(reason: str) -> Fate:
    """Instead of the reply comes a refusal."""
    error = {"code": -32001, "message": "Not now.", "data": {"reason": reason}}
    return lambda reply: (
        json.dumps({"jsonrpc": "2.0", "id": json.loads(reply)["id"], "error": error}).encode() + b"\n"
    )


@pytest.fixture
def relay(server: SimpleNamespace) -> Iterator[Relay]:
    relay = Relay(server)
    yield relay
    relay.close()


@pytest.fixture
def busware(server: SimpleNamespace, sdk: Sdk) -> Iterator[Client]:
    with sdk.connect(server.host, server.port) as busware:
        yield busware


# What the methods answer -----------------------------------------------------------------------


def test_from_search_to_refund(busware: Client) -> None:
    (trip, _) = busware.search("bangalore", "mandya", DAY)
    assert (trip.bus_id, trip.origin, trip.fare, trip.seats_free) == (1, "Bengaluru", "180.00", 8)
    assert trip.departs_at.isoformat() == "2026-12-05T10:00:00+05:30"

    held = busware.hold(
        *RIDE, seats=[3, 4], phone=PHONE, passengers=[Passenger(name="Asha"), Passenger()], seconds=60
    )
    assert (held.status, held.fare, held.expires_at is not None) == ("held", "360.00", True)
    seats = busware.seat_map(1, DAY, "Bengaluru", "Mysuru")
    assert [seat.state for seat in seats.seats] == ["free", "free", "held", "held", *["free"] * 4]

    booked = busware.confirm(held.reference, PHONE)
    assert [(t.seat_no, t.name, t.status) for t in booked.tickets] == [
        (3, "Asha", "booked"),
        (4, None, "booked"),
    ]
    moved = busware.change_seat(held.reference, PHONE, ticket_no=2, seat_no=8)
    assert [t.seat_no for t in moved.tickets] == [3, 8]
    shortened = busware.alight(held.reference, PHONE, at="Ramanagara", tickets=[1])
    assert shortened.to_stop == 3  # the party's: the other ticket rides on

    assert busware.find(PHONE, DAY, "Bangalore") == [held.reference]
    assert busware.cancel_quote(held.reference, PHONE, tickets=[2]).refund == "90.00"
    cancelled = busware.cancel(held.reference, PHONE, tickets=[2])
    assert (cancelled.status, cancelled.refund) == ("booked", "90.00")
    assert busware.booking(held.reference, PHONE) == cancelled


def test_it_connects_where_the_environment_says(
    sdk: Sdk, server: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSWARE_HOST", server.host)
    monkeypatch.setenv("BUSWARE_PORT", str(server.port))
    with sdk.connect() as busware:
        assert (busware.host, busware.port) == (server.host, server.port)


def test_every_method_has_a_python_method() -> None:
    assert METHODS.keys() <= vars(Client).keys()
    assert METHODS.keys() <= vars(AsyncClient).keys()


def test_positions_stand_for_places(busware: Client) -> None:
    booking = busware.book(1, DAY, 2, 3, count=1, phone=PHONE)
    assert (booking.origin, booking.destination) == ("Ramanagara", "Mandya")
    held = busware.hold(1, DAY, 3, 5, seats=[1], phone=PHONE)
    assert busware.release(held.reference, PHONE).status == "cancelled"


def test_places_and_ping(busware: Client) -> None:
    assert busware.ping().server == "busware"
    assert ("BLRU", "Bengaluru", ["Bangalore"]) in [
        (place.code, place.name, place.aliases) for place in busware.places(kind="bus")
    ]


def test_a_refusal_is_raised_with_its_data(busware: Client) -> None:
    busware.book(*RIDE, seats=[7], phone=PHONE)
    with pytest.raises(Refusal) as refusal:
        busware.book(*RIDE, seats=[6, 7], phone=PHONE)
    assert (refusal.value.reason, refusal.value.data) == ("seat_taken", {"seats": [7]})
    with pytest.raises(Refusal, match="Did you mean Mysuru"):
        busware.search("Bengaluru", "Mysru", DAY)


# When the connection breaks --------------------------------------------------------------------


def party_count(database: Database) -> int:
    return database.value("SELECT count(DISTINCT reference)::int FROM passengers")


@pytest.mark.parametrize("fate", [lost, kept_back, refused("outcome_unknown"), refused("draining")])
def test_a_write_whose_answer_is_lost_is_done_once(
    sdk: Sdk, relay: Relay, database: Database, fate: Fate
) -> None:
    patience = 2 if fate is kept_back else WAIT_SECONDS
    with sdk.client("127.0.0.1", relay.port, timeout_seconds=patience) as busware:
        relay.fates = [fate, fate]
        booking = busware.book(*RIDE, seats=[7], phone=PHONE)
        assert busware.booking(booking.reference, PHONE) == booking
    first, second, third, _ = relay.seen
    assert uuid.UUID(first["params"]["key"])
    assert first["params"] == second["params"] == third["params"]
    assert relay.connections == 3
    assert party_count(database) == 1


def test_a_connection_that_broke_between_calls_is_made_again(
    sdk: Sdk, relay: Relay, database: Database
) -> None:
    with sdk.connect("127.0.0.1", relay.port) as busware:
        relay.hang_up()
        booking = busware.book(*RIDE, seats=[7], phone=PHONE)
        relay.hang_up()
        assert busware.cancel(booking.reference, PHONE).refund == "90.00"
    assert party_count(database) == 1


def test_after_all_the_tries_the_key_is_told_and_settles_it(
    sdk: Sdk, relay: Relay, database: Database
) -> None:
    relay.fates = [lost, lost]
    with sdk.client("127.0.0.1", relay.port, tries=2) as busware:
        with pytest.raises(ConnectionLost, match="no answer from") as broken:
            busware.book(*RIDE, seats=[7], phone=PHONE)
        key = broken.value.key
        assert key == relay.seen[0]["params"]["key"]
        booking = busware.book(*RIDE, seats=[7], phone=PHONE, key=key)
    assert booking.status == "booked"
    assert party_count(database) == 1


def test_an_unknown_outcome_is_raised_with_the_key(sdk: Sdk, relay: Relay) -> None:
    relay.fates = [refused("outcome_unknown")] * 2
    with sdk.client("127.0.0.1", relay.port, tries=2) as busware, pytest.raises(Refusal) as refusal:
        busware.book(*RIDE, seats=[7], phone=PHONE)
    assert refusal.value.data == {"key": relay.seen[0]["params"]["key"]}


def test_busy_is_raised_at_once(sdk: Sdk, relay: Relay) -> None:
    relay.fates = [refused("busy")]
    with sdk.client("127.0.0.1", relay.port) as busware, pytest.raises(Refusal) as refusal:
        busware.places()
    assert (refusal.value.reason, refusal.value.data, len(relay.seen)) == ("busy", {}, 1)


def test_nobody_listens(sdk: Sdk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionLost, match="Connection refused") as broken:
        sdk.connect("127.0.0.1", port, tries=2)
    assert broken.value.key is None


def test_who_answers_is_no_busware_server(sdk: Sdk, relay: Relay) -> None:
    relay.fates = [lambda reply: b"HTTP/1.1 400 Bad Request\r\n"]
    with pytest.raises(ConnectionLost, match="no Busware server at"):
        sdk.connect("127.0.0.1", relay.port)


def test_a_server_that_goes_down_is_told_of_until_another_answers(sdk: Sdk, relay: Relay) -> None:
    changes: list[bool] = []
    with sdk.client("127.0.0.1", relay.port, tries=2) as busware:
        busware.on_change = changes.append
        busware.ping()
        relay.fates = [refused("draining")] * 2
        with pytest.raises(Refusal):
            busware.ping()
        assert changes == [True, False]
        busware.ping()
        assert changes == [True, False, True]


def test_a_connection_that_breaks_is_reported(sdk: Sdk, relay: Relay) -> None:
    changes = queue.SimpleQueue[bool]()
    with sdk.client("127.0.0.1", relay.port) as busware:
        busware.on_change = changes.put
        busware.ping()
        assert changes.get(timeout=WAIT_SECONDS) is True
        relay.hang_up()
        assert changes.get(timeout=WAIT_SECONDS) is False


def test_close_ends_the_wait_of_another_thread(sdk: Sdk, relay: Relay) -> None:
    sent = threading.Event()

    def keep_back(reply: bytes) -> bytes:
        sent.set()
        return b""

    relay.fates = [keep_back]
    busware = sdk.client("127.0.0.1", relay.port)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(busware.places)
        assert sent.wait(WAIT_SECONDS)
        busware.close()
        assert isinstance(waiting.exception(WAIT_SECONDS), ConnectionLost)


def test_close_ends_the_wait_over_http_too(sdk: Sdk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as pool:
        busware = sdk.http_client(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=WAIT_SECONDS)
        waiting = pool.submit(busware.places)
        with silent.accept()[0] as asked:
            assert asked.recv(4) == b"GET "
            busware.close()
            assert isinstance(waiting.exception(WAIT_SECONDS / 2), ConnectionLost)


def test_an_interrupted_call_leaves_nothing_to_the_next(relay: Relay) -> None:
    def interrupt(reply: bytes) -> bytes:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return b""

    relay.fates = [interrupt]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        with Client("127.0.0.1", relay.port) as busware:
            with pytest.raises(KeyboardInterrupt):
                busware.places()
            assert busware.ping().server == "busware"
    finally:
        signal.signal(signal.SIGINT, before)
    assert relay.connections == 2


def test_a_cancelled_call_leaves_nothing_to_the_next(relay: Relay) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with AsyncClient("127.0.0.1", relay.port) as busware:
            call = asyncio.create_task(busware.places())

            def cancel(reply: bytes) -> bytes:
                loop.call_soon_threadsafe(call.cancel)
                return b""

            relay.fates = [cancel]
            with pytest.raises(asyncio.CancelledError):
                await call
            assert (await busware.ping()).server == "busware"

    asyncio.run(main())
    assert relay.connections == 2


# Threads and notifications ---------------------------------------------------------------------


def test_threads_share_a_client(busware: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        bookings = list(pool.map(lambda seat: busware.book(*RIDE, seats=[seat], phone=PHONE), range(1, 9)))
    assert [booking.tickets[0].seat_no for booking in bookings] == list(range(1, 9))


def test_notifications_go_to_the_callback_and_its_faults_nowhere(sdk: Sdk, relay: Relay) -> None:
    told: list[tuple[str, dict]] = []

    def note(method: str, params: dict) -> None:
        told.append((method, params))
        raise ValueError("a fault of the callback's")

    line = b'{"jsonrpc":"2.0","method":"message","params":{"text":"The bus is late."}}\n'
    relay.fates = [lambda reply: line + reply + line]
    with sdk.connect("127.0.0.1", relay.port, on_notification=note) as busware:
        assert busware.places()
        assert busware.ping().server == "busware"
    assert told == [("message", {"text": "The bus is late."})] * 2
