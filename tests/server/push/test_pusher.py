"""Pushes: changed bookings, the end of the server, presence; and clients that do not read what is pushed."""

import logging
import socket
from collections.abc import Callable
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from busware.server.console.feed import ConsoleFeed
from busware.server.db.deadlines import Deadlines
from busware.server.db.listener import ChangeNotification, Listener
from busware.server.push.messages import Messages
from tests.conftest import Clock, Database
from tests.support.line_client import WAIT_SECONDS, LineClient, wait_until
from tests.support.offers import add_later_bus, displace
from tests.support.pushing import Console
from tests.support.transcript import ASHA, TRAVEL_DAY, receive_until, transcript

TRIP = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}


def book(line: LineClient, *seats: int, **args: Any) -> dict[str, Any]:
    return line.call("book", **{**TRIP, "seats": list(seats) or [1], "phone": ASHA, **args})


# Start -----------------------------------------------------------------------------------------


def test_a_message_before_the_first_notification_is_pushed(
    server: SimpleNamespace, connect: Callable[[], LineClient]
) -> None:
    line = connect()
    transcript(line, "> bus\n1 reservation, 2 cancellation\nReservation or cancellation:")
    server.pusher.start()
    Console(server.pool, server.settings).notice("Good morning.")
    server.listener.start("late")
    try:
        transcript(line, "Server: Good morning.")
    finally:
        server.listener.stop()
        server.pusher.stop()


# Changed bookings ------------------------------------------------------------------------------


def test_a_cancellation_by_another_client_is_pushed_with_its_refund(
    connect: Callable[[], LineClient], pushing: SimpleNamespace
) -> None:
    text, program = connect(), connect()
    booked = book(program)
    transcript(text, f"> status {booked['reference']} {ASHA}\nBooked: {booked['reference']}")
    for _ in range(5):
        text.receive()
    refund = program.call("cancel", reference=booked["reference"], phone=ASHA)["refund"]
    assert text.receive().decode().endswith(f" Status: Cancelled, {refund} is given back")


def test_a_ticket_that_another_client_ends_early_is_pushed(
    connect: Callable[[], LineClient], pushing: SimpleNamespace
) -> None:
    """Nothing is refunded, and the booking still ends where ticket 1 does."""
    text, program = connect(), connect()
    reference = book(program, 1, 2)["reference"]
    transcript(text, f"> status {reference} {ASHA}\nBooked: {reference}")
    for _ in range(6):
        text.receive()
    program.call("alight", reference=reference, phone=ASHA, tickets=[2], at="Mandya")
    assert text.receive().decode() == (
        f"Booking {reference} (bus 1, seats 1, 2) from Bengaluru to Mysuru on {TRAVEL_DAY} at 10:00, "
        "seat 2 to Mandya, Sat 5 Dec 2026 11:45. Status: Booked, fare 520.00"
    )


def test_an_exchange_for_another_service_and_later_changes_are_pushed(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, database: Database
) -> None:
    database.query("""
        SELECT api.add_service(bus_id => 3, name => 'Car', operator => 'KSRTC', layout => 's', stops => $$
            Bengaluru | -     | 09:00 |   0 |   0
            Mysuru    | 11:30 | -     | 145 | 260
        $$)
    """)
    text, program = connect(), connect()
    booking = {"reference": book(program)["reference"], "phone": ASHA}
    transcript(text, f"> status {booking['reference']} {ASHA}\nBooked: {booking['reference']}")
    for _ in range(5):
        text.receive()
    assert program.call("exchange", **booking, bus_id=3)["bus_id"] == 3
    assert text.receive().decode().startswith(f"Booking {booking['reference']} (bus 3, seat 1)")
    program.call("cancel", **booking)
    assert text.receive().decode().endswith(" Status: Cancelled, 130.00 is given back")


def test_a_change_with_an_offer_says_how_to_decide(
    connect: Callable[[], LineClient], database: Database, pushing: SimpleNamespace
) -> None:
    add_later_bus(database)
    text = connect()
    reference = book(connect())["reference"]
    text.send(f"status {reference} {ASHA}")
    receive_until(text, "Fare 260.00")
    displace(database, reference)
    book(connect(), 2)  # notifies of the trip
    receive_until(text, f"To accept or decline the offer, type: offer {reference}.")


def test_a_promotion_from_the_waitlist_is_pushed(
    connect: Callable[[], LineClient], pushing: SimpleNamespace
) -> None:
    holder, program, text = connect(), connect(), connect()
    booked = holder.call(
        "book", bus_id=2, travel_date=TRAVEL_DAY, origin="Bengaluru", destination="Ooty", count=4, phone=ASHA
    )
    trip = {"bus_id": 2, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Ooty"}
    waiting = program.call("book", **trip, count=1, phone=ASHA, waitlist=True)
    assert waiting["position"] == 1
    other = program.call("book", **trip, count=1, phone=ASHA, waitlist=True)
    transcript(text, f"> status {other['reference']} {ASHA}\nPending: {other['reference']}")
    for _ in range(6):
        text.receive()
    assert holder.call("cancel", reference=booked["reference"], phone=ASHA, tickets=[2])["refund"] == "450.25"
    method, params = program.notification()
    assert (method, params["reference"], params["status"]) == (
        "booking_changed",
        waiting["reference"],
        "booked",
    )
    assert params["tickets"][0]["seat_no"] == 2
    holder.call("cancel", reference=booked["reference"], phone=ASHA)
    assert program.notification()[1]["reference"] == other["reference"]
    details = f"(bus 2, seat 1) from Bengaluru to Ooty on {TRAVEL_DAY} at 22:00"
    assert text.receive().decode() == f"Booking {other['reference']} {details}. Status: Booked, fare 900.50"


def test_a_client_is_not_pushed_its_own_changes(
    connect: Callable[[], LineClient], pushing: SimpleNamespace
) -> None:
    line, other = connect(), connect()
    for _ in range(30):
        booking = book(line)
        line.call("change_seat", reference=booking["reference"], phone=ASHA, ticket_no=1, seat_no=2)
        assert line.call("cancel", reference=booking["reference"], phone=ASHA)["status"] == "cancelled"
        held = line.call("hold", **TRIP, seats=[3], phone=ASHA)
        assert line.call("confirm", reference=held["reference"], phone=ASHA)["status"] == "booked"
        other.call("booking", reference=held["reference"], phone=ASHA)
        line.call("cancel", reference=held["reference"], phone=ASHA)
        method, params = other.notification()
        assert (method, params["reference"], params["status"]) == (
            "booking_changed",
            held["reference"],
            "cancelled",
        )
    assert line.call("ping")["server"] == "busware"


def test_an_expired_hold_is_pushed(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, clock: Clock
) -> None:
    line = connect()
    held = line.call("hold", **TRIP, seats=[1], phone=ASHA)
    clock.advance(minutes=11)
    book(connect(), 1)
    method, params = line.notification()
    assert (method, params["reference"], params["status"]) == (
        "booking_changed",
        held["reference"],
        "expired",
    )


def test_the_cancellation_of_a_trip_is_pushed(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, database: Database
) -> None:
    line = connect()
    booking = book(line)
    database.query("SELECT api.cancel_trip(1, %s, 'Landslide.')", TRAVEL_DAY)  # in SQL: no notification
    # A payload that is not JSON makes the server read everything again.
    database.query("SELECT pg_notify('busware', 'look')")
    method, params = line.notification()
    assert (method, params["reference"], params["refund"], params["why"]) == (
        "booking_changed",
        booking["reference"],
        "260.00",
        "Landslide.",
    )


def test_the_reason_of_a_cancelled_trip_is_pushed_in_plain_text_and_shown_later(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, database: Database
) -> None:
    line = connect()
    book(line)
    line.send("help")  # from here on its pushes are plain text
    while b"STOP" not in line.receive():
        pass
    database.query("SELECT api.cancel_trip(1, %s, 'Landslide.')", TRAVEL_DAY)
    database.query("SELECT pg_notify('busware', 'look')")
    pushed = line.receive().decode()
    assert pushed.endswith("Status: Cancelled, 260.00 is given back. The bus does not run. Landslide.")
    reference = pushed.split()[1]
    line.send(f"status {reference} {ASHA}")
    while not (shown := line.receive().decode()).startswith("The bus"):
        pass
    assert shown == "The bus does not run. Landslide."


def test_the_pause_after_a_slow_comparison_is_limited(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, database: Database
) -> None:
    line = connect()
    booking = book(line)
    with database.connect(autocommit=False) as slow:
        slow.execute("LOCK TABLE passengers IN ACCESS EXCLUSIVE MODE")
        database.query("SELECT pg_notify('busware', 'look')")
        wait_until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0)
        slow.execute("SELECT pg_sleep(0.5)")  # fifty times as long a pause would exceed WAIT_SECONDS
    connect().call("cancel", reference=booking["reference"], phone=ASHA)
    assert line.notification()[1]["status"] == "cancelled"


@pytest.mark.settings(reread_seconds=0.2)
def test_a_change_without_a_notification_is_pushed_at_the_next_reread(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, database: Database
) -> None:
    line = connect()
    booking = book(line)
    database.query("SELECT api.cancel(%s, '+919845012345')", booking["reference"])
    assert line.notification()[1]["status"] == "cancelled"


def test_a_booking_deleted_by_hand_does_not_stop_other_pushes(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, database: Database
) -> None:
    line = connect()
    deleted, booking = book(line, 1), book(line, 2)
    for table in ("payments", "passengers"):
        database.query(f"DELETE FROM {table} WHERE reference = %s", deleted["reference"])
    connect().call("cancel", reference=booking["reference"], phone=ASHA)
    assert line.notification()[1]["reference"] == booking["reference"]


@pytest.mark.settings(watched_bookings=2)
def test_only_the_last_bookings_of_a_connection_are_followed(
    connect: Callable[[], LineClient], pushing: SimpleNamespace
) -> None:
    line, other = connect(), connect()
    references = [book(line, seat)["reference"] for seat in (1, 2, 3)]
    for reference in references:
        other.call("cancel", reference=reference, phone=ASHA)
    assert sorted(line.notification()[1]["reference"] for _ in range(2)) == sorted(references[1:])
    assert line.call("ping")["server"] == "busware"


# Clients that do not read ----------------------------------------------------------------------


@pytest.mark.settings(outbox_bytes=4096)
def test_a_client_that_never_reads_is_disconnected(
    connect: Callable[[], LineClient], console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    silent, other = connect(), connect()
    silent.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for line in (silent, other):
        transcript(line, "> say hello\nSent to the operator.")
    for n in range(2000):
        console.notice(f"{n} " + "x" * 1900)
        assert other.receive().startswith(f"Server: {n} ".encode())  # other clients do not wait
        assert other.receive().startswith(b"Sent at ")
        if "was disconnected" in caplog.text:
            break
    assert "was disconnected: it does not read what is pushed to it" in caplog.text
    transcript(other, "> say still here\nSent to the operator.")


@pytest.mark.settings(outbox_bytes=4096)
def test_the_disconnection_of_a_client_that_never_reads_is_logged_once(
    client_socket: LineClient,
    pushing: SimpleNamespace,
    console: Console,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    client_socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    transcript(client_socket, "> say hello\nSent to the operator.")
    many = "SELECT count(api.notice(repeat('x', 1900))) FROM generate_series(1, 900)"
    assert database.value(many) == 900  # in one transaction, so they are read at once
    wait_until(lambda: "was disconnected" in caplog.text)
    assert caplog.text.count("was disconnected") == 1


def test_the_end_of_the_server_is_pushed(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, console: Console
) -> None:
    text, program = connect(), connect()
    transcript(text, "> say hello\nSent to the operator.")
    program.call("ping")
    console.number_of(program)
    pushing.tcp.drain()
    assert text.receive() == b"Server: I am going down now. Good-bye."
    assert text.receive() == b"" == program.receive()


def test_a_client_is_published_until_it_leaves(connect: Callable[[], LineClient], console: Console) -> None:
    line = connect()
    number = console.number_of(line)
    transcript(line, "> STOP\nSTOPPED")
    (client,) = wait_until(
        lambda: [c for c in console.presence().clients if c.client_no == number and c.left_at]
    )
    assert client.protocol in ("", "text")


def test_without_a_console_only_clients_that_have_sent_a_message_are_published(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, database: Database
) -> None:
    silent, asking = connect(), connect()
    silent.call("ping")
    booking = book(asking)
    asking.call("say", text="Where is my bus?")
    clients = "SELECT client_no, address, reference FROM clients"
    published = wait_until(lambda: [row for row in database.query(clients) if row[2]])
    number = published[0][0]
    assert published == database.query(clients) == [(number, asking.address, booking["reference"])]
    database.query("SELECT api.notice('At the corner.', client_no => %s)", number)
    assert asking.notification()[1]["text"] == "At the corner."


def test_clients_are_published_from_the_first_console_to_the_last(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, database: Database
) -> None:
    early, received = connect(), SimpleQueue[ChangeNotification]()
    early.call("ping")

    def leave(conn: psycopg.Connection[Any], number: int) -> None:
        """Unregister a console, and wait until the process is notified of it.

        A notification about processes may be a late one of a registration, so another one marks the end:
        notifications arrive in the order of the commits.
        """
        conn.execute("SELECT api.unregister_process(%s)", (number,))
        conn.execute("SELECT pg_notify('busware', %s)", ('{"messages":true}',))
        while not received.get(timeout=WAIT_SECONDS).messages:
            pass

    with database.connect_as_server() as first, database.connect_as_server() as second:
        numbers = [
            c.execute("SELECT api.register_process('console', '')").fetchall()[0][0] for c in (first, second)
        ]
        console = Console(pushing.pool, pushing.settings)
        number = console.number_of(early)
        pushing.listener.subscribe(received.put)
        leave(first, numbers[0])
        late = connect()
        console.number_of(late)
        leave(second, numbers[1])
    unseen = connect()
    unseen.call("ping")
    transcript(early, "> STOP\nSTOPPED")
    console.wait_until_left(number)
    assert {c.address for c in console.presence().clients} == {early.address, late.address}


def test_a_console_shows_the_clients_that_connect_after_it(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, database: Database
) -> None:
    database.query("CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz STABLE RETURN now()")
    early = connect()
    early.call("ping")
    lines = SimpleQueue[str]()
    listener = Listener(database.server, pushing.settings, Deadlines(pushing.settings), role="console")
    messages = Messages(pushing.pool, pushing.settings)
    feed = ConsoleFeed(
        messages, listener, lambda text, *, highlighted=False: lines.put(text), pushing.settings.now
    )
    feed.shows_connections = True
    feed.start()
    listener.start("of the test")
    try:
        console = Console(pushing.pool, pushing.settings)
        console.number_of(early)
        late = connect()
        assert lines.get(timeout=WAIT_SECONDS).endswith(f"connected from {late.address}")
    finally:
        listener.stop()
        feed.stop()


def test_clients_are_published_and_pushed_to_after_the_listener_reconnects(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, database: Database, console: Console
) -> None:
    line = connect()
    booking = book(line)
    number = console.number_of(line)
    process_no = pushing.listener.process_no
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'busware listener'"
    )
    assert database.query(kill) == [True]
    wait_until(lambda: pushing.listener.process_no != process_no)
    connect().call("cancel", reference=booking["reference"], phone=ASHA)
    assert line.notification()[1]["status"] == "cancelled"
    assert wait_until(lambda: console.number_of(line)) == number
    console.notice("Still you.", client_no=number)
    assert line.notification()[1]["text"] == "Still you."
