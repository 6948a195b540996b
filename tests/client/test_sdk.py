"""Both clients of the SDK on a real server, through a relay that loses, delays and replaces replies."""

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
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from busware import AsyncClient, Client, ConnectionLost, Refusal
from busware.server.protocol import METHODS, Passenger
from tests.conftest import WAIT_SECONDS, Clock, Database
from tests.support.both_clients import Sdk
from tests.support.http_client import HttpClient

DAY = date(2026, 12, 5)
PHONE = "98450 12345"
SEGMENT = (1, DAY, "Bengaluru", "Mandya")

Fault = Callable[[bytes], bytes | None]  # from the server's line to the client's; None: disconnect


class Relay:
    """Forwards lines between clients and the server.

    faults: one for each of the next replies. Later replies pass unchanged. seen: the requests, in order.
    connections: the number of connections so far.
    """

    def __init__(self, server: SimpleNamespace) -> None:
        self.faults: list[Fault] = []
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
                client_end, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(client_end)
            self._threads.append(threading.Thread(target=self._forward, args=(client_end,)))
            self._threads[-1].start()

    def _forward(self, client_end: socket.socket) -> None:
        server_end = socket.create_connection(self._server)
        with (  # the client may disconnect at any time
            client_end,
            server_end,
            client_end.makefile("rb") as requests,
            server_end.makefile("rb") as replies,
            contextlib.suppress(OSError),
        ):
            for request in requests:
                if not request.startswith(b"{"):  # of a client whose server had this port before
                    return
                self.seen.append(json.loads(request))
                server_end.sendall(request)
                reply = replies.readline()
                answer = self.faults.pop(0)(reply) if self.faults else reply
                if answer is None:
                    break
                client_end.sendall(answer)

    def break_connections(self) -> None:
        """Shut every connection down. New connections are accepted."""
        for client_end in self._open:
            with contextlib.suppress(OSError):  # it has ended already
                client_end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.break_connections()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)


def lost(reply: bytes) -> None:
    """The server has executed the request, and the connection breaks before the reply."""


def withheld(reply: bytes) -> bytes:
    """The server has executed the request, and no reply arrives."""
    return b""


def refused(reason: str) -> Fault:
    """A refusal arrives instead of the reply."""
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


# The methods -----------------------------------------------------------------------------------


def test_from_search_to_refund(busware: Client) -> None:
    (trip, _) = busware.search("bangalore", "mandya", DAY)
    assert (trip.bus_id, trip.origin, trip.fare, trip.seats_free) == (1, "Bengaluru", "180.00", 8)
    assert trip.departs_at.isoformat() == "2026-12-05T10:00:00+05:30"

    held = busware.hold(
        *SEGMENT, seats=[3, 4], phone=PHONE, passengers=[Passenger(name="Asha"), Passenger()], seconds=60
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
    (stop,) = busware.alight_quote(held.reference, PHONE, at="Ramanagara", tickets=[1])
    assert (stop.stop_no, stop.refund) == (2, "0.00")
    assert busware.alight_quote(held.reference, PHONE) == [stop]
    shortened = busware.alight(held.reference, PHONE, at="Ramanagara", tickets=[1])
    assert shortened.to_stop == 3  # the end of the longest ticket

    assert busware.find(PHONE, DAY, "Bangalore") == [held.reference]
    assert busware.cancel_quote(held.reference, PHONE, tickets=[2]).refund == "90.00"
    cancelled = busware.cancel(held.reference, PHONE, tickets=[2])
    assert (cancelled.status, cancelled.refund) == ("booked", "90.00")
    assert busware.booking(held.reference, PHONE) == cancelled


def test_expired_hold_is_confirmed_at_its_new_fare(busware: Client, database: Database, clock: Clock) -> None:
    held = busware.hold(*SEGMENT, seats=[3, 4], phone=PHONE, seconds=60)
    database.query("UPDATE route_table SET fare = 200 WHERE bus_id = 1 AND stop_no = 3")
    clock.advance(minutes=2)
    with pytest.raises(Refusal) as refused:
        busware.confirm(held.reference, PHONE)
    assert (refused.value.reason, refused.value.data) == (
        "hold_expired",
        {"currency": "INR", "fare": "400.00"},
    )
    booked = busware.confirm(held.reference, PHONE, fare="400.00")
    assert (booked.status, booked.fare) == ("booked", "400.00")


def test_connect_uses_the_environment(
    sdk: Sdk, server: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSWARE_HOST", server.host)
    monkeypatch.setenv("BUSWARE_PORT", str(server.port))
    with sdk.connect() as busware:
        assert (busware.host, busware.port) == (server.host, server.port)


def test_every_method_has_a_python_method() -> None:
    assert METHODS.keys() <= set(dir(Client))
    assert METHODS.keys() <= set(dir(AsyncClient))


def test_stop_numbers_instead_of_places(busware: Client) -> None:
    booking = busware.book(1, DAY, 2, 3, count=1, phone=PHONE)
    assert (booking.origin, booking.destination) == ("Ramanagara", "Mandya")
    held = busware.hold(1, DAY, 3, 5, seats=[1], phone=PHONE)
    assert busware.release(held.reference, PHONE).status == "cancelled"


@pytest.mark.parametrize("over_http", [False, True])
def test_boarding_date_instead_of_the_travel_date(
    sdk: Sdk, server: SimpleNamespace, http: HttpClient, over_http: bool
) -> None:
    """Bus 2 leaves Bengaluru on DAY at 22:00, and Mysuru at 01:00 of the next day."""
    boarding_date = DAY + timedelta(days=1)
    boarding = {"origin": "Mysuru", "destination": "Ooty", "boarding_date": boarding_date}
    with sdk.connect(*([http.url] if over_http else [server.host, server.port])) as busware:
        (trip,) = busware.search("Mysuru", "Ooty", boarding_date)
        seats = busware.seat_map(2, **boarding)
        booked = busware.book(2, count=1, phone=PHONE, **boarding)
        held = busware.hold(2, count=1, phone=PHONE, **boarding)
        assert {(found.travel_date, found.boarding_date) for found in (trip, seats, booked, held)} == {
            (DAY, boarding_date)
        }
        with pytest.raises(Refusal, match="Give travel_date or boarding_date, not both"):
            busware.seat_map(2, DAY, "Mysuru", "Ooty", boarding_date=boarding_date)


def test_places_and_ping(busware: Client) -> None:
    assert busware.ping().server == "busware"
    assert ("BLRU", "Bengaluru", ["Bangalore"]) in [
        (place.code, place.name, place.aliases) for place in busware.places(kind="bus")
    ]
    assert [place.name for place in busware.places("bus", origin="mys")] == ["Ooty"]


def test_refusal_is_raised_with_its_data(busware: Client) -> None:
    busware.book(*SEGMENT, seats=[7], phone=PHONE)
    with pytest.raises(Refusal) as refusal:
        busware.book(*SEGMENT, seats=[6, 7], phone=PHONE)
    assert (refusal.value.reason, refusal.value.data) == ("seat_taken", {"seats": [7]})
    with pytest.raises(Refusal, match="Did you mean Mysuru"):
        busware.search("Bengaluru", "Mysru", DAY)


# When the connection breaks --------------------------------------------------------------------


def party_count(database: Database) -> int:
    return database.value("SELECT count(DISTINCT reference)::int FROM passengers")


@pytest.mark.parametrize("fault", [lost, withheld, refused("outcome_unknown"), refused("draining")])
def test_write_is_executed_once_if_its_reply_is_lost(
    sdk: Sdk, relay: Relay, database: Database, fault: Fault
) -> None:
    timeout_seconds = 2 if fault is withheld else WAIT_SECONDS
    with sdk.client("127.0.0.1", relay.port, timeout_seconds=timeout_seconds) as busware:
        relay.faults = [fault, fault]
        booking = busware.book(*SEGMENT, seats=[7], phone=PHONE)
        assert busware.booking(booking.reference, PHONE) == booking
    first, second, third, _ = relay.seen
    assert uuid.UUID(first["params"]["key"])
    assert first["params"] == second["params"] == third["params"]
    assert relay.connections == 3
    assert party_count(database) == 1


def test_client_reconnects_if_the_connection_broke_between_calls(
    sdk: Sdk, relay: Relay, database: Database
) -> None:
    with sdk.connect("127.0.0.1", relay.port) as busware:
        relay.break_connections()
        booking = busware.book(*SEGMENT, seats=[7], phone=PHONE)
        relay.break_connections()
        assert busware.cancel(booking.reference, PHONE).refund == "90.00"
    assert party_count(database) == 1


def test_client_signs_in_again_after_a_reconnection(sdk: Sdk, relay: Relay) -> None:
    with sdk.connect("127.0.0.1", relay.port) as busware:
        busware.register("asha", "correct horse battery")
        relay.break_connections()
        assert list(busware.bookings()) == []
        assert relay.connections == 2


def test_lost_write_can_be_repeated_with_its_key(sdk: Sdk, relay: Relay, database: Database) -> None:
    relay.faults = [lost, lost]
    with sdk.client("127.0.0.1", relay.port, tries=2) as busware:
        with pytest.raises(ConnectionLost, match="No answer from") as broken:
            busware.book(*SEGMENT, seats=[7], phone=PHONE)
        key = broken.value.key
        assert key == relay.seen[0]["params"]["key"]
        booking = busware.book(*SEGMENT, seats=[7], phone=PHONE, key=key)
    assert booking.status == "booked"
    assert party_count(database) == 1


def test_unknown_outcome_is_raised_with_the_key(sdk: Sdk, relay: Relay) -> None:
    relay.faults = [refused("outcome_unknown")] * 2
    with sdk.client("127.0.0.1", relay.port, tries=2) as busware, pytest.raises(Refusal) as refusal:
        busware.book(*SEGMENT, seats=[7], phone=PHONE)
    assert refusal.value.data == {"key": relay.seen[0]["params"]["key"]}


def test_busy_is_raised_without_another_try(sdk: Sdk, relay: Relay) -> None:
    relay.faults = [refused("busy")]
    with sdk.client("127.0.0.1", relay.port) as busware, pytest.raises(Refusal) as refusal:
        busware.places()
    assert (refusal.value.reason, refusal.value.data, len(relay.seen)) == ("busy", {}, 1)


def test_port_without_a_server_raises_connection_lost(sdk: Sdk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionLost, match="Connection refused") as broken:
        sdk.connect("127.0.0.1", port, tries=2)
    assert broken.value.key is None


def test_server_that_is_not_busware_raises_connection_lost(sdk: Sdk, relay: Relay) -> None:
    relay.faults = [lambda reply: b"HTTP/1.1 400 Bad Request\r\n"]
    with pytest.raises(ConnectionLost, match="No Busware server at"):
        sdk.connect("127.0.0.1", relay.port)


def test_draining_server_is_reported_until_another_replies(sdk: Sdk, relay: Relay) -> None:
    changes: list[bool] = []
    with sdk.client("127.0.0.1", relay.port, tries=2) as busware:
        busware.on_change = changes.append
        busware.ping()
        relay.faults = [refused("draining")] * 2
        with pytest.raises(Refusal):
            busware.ping()
        assert changes == [True, False]
        busware.ping()
        assert changes == [True, False, True]


def test_broken_connection_is_reported(sdk: Sdk, relay: Relay) -> None:
    changes = queue.SimpleQueue[bool]()
    with sdk.client("127.0.0.1", relay.port) as busware:
        busware.on_change = changes.put
        busware.ping()
        assert changes.get(timeout=WAIT_SECONDS) is True
        relay.break_connections()
        assert changes.get(timeout=WAIT_SECONDS) is False


def test_close_ends_a_call_of_another_thread(sdk: Sdk, relay: Relay) -> None:
    sent = threading.Event()

    def withhold(reply: bytes) -> bytes:
        sent.set()
        return b""

    relay.faults = [withhold]
    busware = sdk.client("127.0.0.1", relay.port)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(busware.places)
        assert sent.wait(WAIT_SECONDS)
        busware.close()
        assert isinstance(waiting.exception(WAIT_SECONDS), ConnectionLost)


def test_close_ends_a_call_over_http(sdk: Sdk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as pool:
        busware = sdk.http_client(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=WAIT_SECONDS)
        waiting = pool.submit(busware.places)
        with silent.accept()[0] as accepted:
            assert accepted.recv(4) == b"GET "
            busware.close()
            assert isinstance(waiting.exception(WAIT_SECONDS / 2), ConnectionLost)


def test_reply_of_an_interrupted_call_does_not_answer_the_next(relay: Relay) -> None:
    def interrupt(reply: bytes) -> bytes:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return b""

    relay.faults = [interrupt]
    # A background job ignores SIGINT.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with Client("127.0.0.1", relay.port) as busware:
            with pytest.raises(KeyboardInterrupt):
                busware.places()
            assert busware.ping().server == "busware"
    finally:
        signal.signal(signal.SIGINT, before)
    assert relay.connections == 2


def test_reply_of_a_cancelled_call_does_not_answer_the_next(relay: Relay) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with AsyncClient("127.0.0.1", relay.port) as busware:
            call = asyncio.create_task(busware.places())

            def cancel(reply: bytes) -> bytes:
                loop.call_soon_threadsafe(call.cancel)
                return b""

            relay.faults = [cancel]
            with pytest.raises(asyncio.CancelledError):
                await call
            assert (await busware.ping()).server == "busware"

    asyncio.run(main())
    assert relay.connections == 2


# Threads and notifications ---------------------------------------------------------------------


def test_threads_share_a_client(busware: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        bookings = list(pool.map(lambda seat: busware.book(*SEGMENT, seats=[seat], phone=PHONE), range(1, 9)))
    assert [booking.tickets[0].seat_no for booking in bookings] == list(range(1, 9))


def test_client_works_after_an_error_of_the_notification_callback(sdk: Sdk, relay: Relay) -> None:
    received: list[tuple[str, dict]] = []

    def fail(method: str, params: dict) -> None:
        received.append((method, params))
        raise ValueError("an error of the callback")

    line = b'{"jsonrpc":"2.0","method":"message","params":{"text":"The bus is late."}}\n'
    relay.faults = [lambda reply: line + reply + line]
    with sdk.connect("127.0.0.1", relay.port, on_notification=fail) as busware:
        assert busware.places()
        assert busware.ping().server == "busware"
    assert received == [("message", {"text": "The bus is late."})] * 2
