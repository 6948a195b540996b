"""What clients are told without asking: bookings that change, the server's end; and those who do not read."""

import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.line import Line, until
from tests.support.pushing import Console
from tests.support.transcript import ASHA, TRAVEL_DAY, transcript

TRIP = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}


def book(line: Line, *seats: int, **args: Any) -> dict[str, Any]:
    return line.call("book", **{**TRIP, "seats": list(seats) or [1], "phone": ASHA, **args})


# From the first moment -------------------------------------------------------------------------


def test_what_is_said_before_the_first_hint_is_told(
    server: SimpleNamespace, connect: Callable[[], Line]
) -> None:
    line = connect()
    transcript(line, "> bus\nReservation or cancellation:")
    server.pusher.start()
    Console(server.storage, server.settings).notice("Good morning.")
    server.listener.start("late")
    try:
        transcript(line, "Server: Good morning.")
    finally:
        server.listener.stop()
        server.pusher.stop()


# Bookings that change --------------------------------------------------------------------------


def test_whose_booking_is_cancelled_is_told_what_comes_back(
    connect: Callable[[], Line], pushing: SimpleNamespace
) -> None:
    text, program = connect(), connect()
    booked = book(program)
    transcript(text, f"> status {booked['reference']} {ASHA}\nBooked: {booked['reference']}")
    for _ in range(5):
        text.receive()
    back = program.call("cancel", reference=booked["reference"], phone=ASHA)["refund"]
    assert text.receive().decode().endswith(f" Status: Cancelled, {back} is given back")


def test_who_waits_is_told_of_the_promotion(connect: Callable[[], Line], pushing: SimpleNamespace) -> None:
    holder, program, text = connect(), connect(), connect()
    booked = holder.call(
        "book", bus_id=2, travel_date=TRAVEL_DAY, origin="Bengaluru", destination="Ooty", count=4, phone=ASHA
    )
    stretch = {"bus_id": 2, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Ooty"}
    waiting = program.call("book", **stretch, count=1, phone=ASHA, waitlist=True)
    assert waiting["position"] == 1
    other = program.call("book", **stretch, count=1, phone=ASHA, waitlist=True)
    transcript(text, f"> status {other['reference']} {ASHA}\nPending: {other['reference']}")
    for _ in range(6):
        text.receive()
    assert holder.call("cancel", reference=booked["reference"], phone=ASHA, tickets=[2])["refund"] == "450.25"
    method, params = program.told()
    assert (method, params["reference"], params["status"]) == (
        "booking_changed",
        waiting["reference"],
        "booked",
    )
    assert params["tickets"][0]["seat_no"] == 2
    holder.call("cancel", reference=booked["reference"], phone=ASHA)
    assert program.told()[1]["reference"] == other["reference"]
    ride = f"(bus 2, seat 1) from Bengaluru to Ooty on {TRAVEL_DAY} at 22:00"
    assert text.receive().decode() == f"Booking {other['reference']} {ride}. Status: Booked, fare 900.50"


def test_nobody_is_told_of_what_they_did_themselves(
    connect: Callable[[], Line], pushing: SimpleNamespace
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
        method, params = other.told()
        assert (method, params["reference"], params["status"]) == (
            "booking_changed",
            held["reference"],
            "cancelled",
        )
    assert line.call("ping")["server"] == "busware"


def test_a_hold_that_runs_out_is_told(
    connect: Callable[[], Line], pushing: SimpleNamespace, clock: Clock
) -> None:
    line = connect()
    held = line.call("hold", **TRIP, seats=[1], phone=ASHA)
    clock.advance(minutes=11)
    book(connect(), 1)
    method, params = line.told()
    assert (method, params["reference"], params["status"]) == (
        "booking_changed",
        held["reference"],
        "expired",
    )


def test_the_operators_cancellation_of_a_trip_is_told(
    connect: Callable[[], Line], pushing: SimpleNamespace, database: Database
) -> None:
    line = connect()
    booking = book(line)
    database.query("SELECT api.cancel_trip(1, %s, 'Landslide.')", TRAVEL_DAY)  # by hand: nobody hints
    database.query("SELECT pg_notify('busware', 'look')")
    method, params = line.told()
    assert (method, params["reference"], params["refund"], params["why"]) == (
        "booking_changed",
        booking["reference"],
        "260.00",
        "Landslide.",
    )


def test_in_plain_text_its_reason_is_told_and_shown_later(
    connect: Callable[[], Line], pushing: SimpleNamespace, database: Database
) -> None:
    line = connect()
    book(line)
    line.send("help")  # from here on it speaks plain text
    while b"STOP" not in line.receive():
        pass
    database.query("SELECT api.cancel_trip(1, %s, 'Landslide.')", TRAVEL_DAY)
    database.query("SELECT pg_notify('busware', 'look')")
    told = line.receive().decode()
    assert told.endswith("Status: Cancelled, 260.00 is given back. The bus does not run. Landslide.")
    reference = told.split()[1]
    line.send(f"status {reference} {ASHA}")
    while not (shown := line.receive().decode()).startswith("The bus"):
        pass
    assert shown == "The bus does not run. Landslide."


def test_after_a_comparison_that_took_long_nobody_waits_for_long(
    connect: Callable[[], Line], pushing: SimpleNamespace, database: Database
) -> None:
    line = connect()
    booking = book(line)
    with database.connect(autocommit=False) as slow:
        slow.execute("LOCK TABLE passengers IN ACCESS EXCLUSIVE MODE")
        database.query("SELECT pg_notify('busware', 'look')")
        until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0)
        slow.execute("SELECT pg_sleep(0.5)")  # fifty times that is longer than the test waits
    connect().call("cancel", reference=booking["reference"], phone=ASHA)
    assert line.told()[1]["status"] == "cancelled"


@pytest.mark.settings(reread_seconds=0.2)
def test_a_lost_hint_costs_promptness_alone(
    connect: Callable[[], Line], pushing: SimpleNamespace, database: Database
) -> None:
    line = connect()
    booking = book(line)
    database.query("SELECT api.cancel(%s, '+919845012345')", booking["reference"])
    assert line.told()[1]["status"] == "cancelled"


def test_a_booking_that_was_deleted_by_hand_keeps_nobody_from_being_told(
    connect: Callable[[], Line], pushing: SimpleNamespace, database: Database
) -> None:
    line = connect()
    deleted, booking = book(line, 1), book(line, 2)
    for table in ("payments", "passengers"):
        database.query(f"DELETE FROM {table} WHERE reference = %s", deleted["reference"])
    connect().call("cancel", reference=booking["reference"], phone=ASHA)
    assert line.told()[1]["reference"] == booking["reference"]


@pytest.mark.settings(watched_bookings=2)
def test_only_the_last_bookings_of_a_connection_are_watched(
    connect: Callable[[], Line], pushing: SimpleNamespace
) -> None:
    line, other = connect(), connect()
    references = [book(line, seat)["reference"] for seat in (1, 2, 3)]
    for reference in references:
        other.call("cancel", reference=reference, phone=ASHA)
    assert sorted(line.told()[1]["reference"] for _ in range(2)) == sorted(references[1:])
    assert line.call("ping")["server"] == "busware"


# Who does not read -----------------------------------------------------------------------------


@pytest.mark.settings(outbox_bytes=4096)
def test_a_client_that_never_reads_what_is_pushed_is_cut_off(
    connect: Callable[[], Line], console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    deaf, other = connect(), connect()
    deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for line in (deaf, other):
        transcript(line, "> say hello\nSent to the operator.")
    for n in range(2000):
        console.notice(f"{n} " + "x" * 1900)
        assert other.receive().startswith(f"Server: {n} ".encode())  # nobody else has to wait
        if "was cut off" in caplog.text:
            break
    assert "was cut off: it does not read what is pushed to it" in caplog.text
    transcript(other, "> say still here\nSent to the operator.")


@pytest.mark.settings(outbox_bytes=4096)
def test_that_it_was_cut_off_is_logged_once(
    client_socket: Line,
    pushing: SimpleNamespace,
    console: Console,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client_socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    transcript(client_socket, "> say hello\nSent to the operator.")
    many = "SELECT count(api.notice(repeat('x', 1900))) FROM generate_series(1, 900)"
    assert database.value(many) == 900  # in one transaction: they are read, and pushed, in one go
    until(lambda: pushing.pusher._read_to == console.last())
    assert caplog.text.count("was cut off") == 1


def test_the_end_is_told(connect: Callable[[], Line], pushing: SimpleNamespace, console: Console) -> None:
    text, program = connect(), connect()
    transcript(text, "> say hello\nSent to the operator.")
    program.call("ping")
    console.number_of(program)
    pushing.tcp.drain()
    assert text.receive() == b"Server: I am going down now. Good-bye."
    assert text.receive() == b"" == program.receive()


def test_who_comes_and_goes_is_known(connect: Callable[[], Line], console: Console) -> None:
    line = connect()
    number = console.number_of(line)
    transcript(line, "> STOP\nSTOPPED")
    (visitor,) = until(lambda: [c for c in console.present().clients if c.client_no == number and c.left_at])
    assert visitor.face in ("", "text")


def test_after_the_connection_broke_everybody_is_introduced_and_told_again(
    connect: Callable[[], Line], pushing: SimpleNamespace, database: Database, console: Console
) -> None:
    line = connect()
    booking = book(line)
    number = console.number_of(line)
    process_no = pushing.listener.process_no
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'busware listener'"
    )
    assert database.query(kill) == [True]
    until(lambda: pushing.listener.process_no != process_no)
    connect().call("cancel", reference=booking["reference"], phone=ASHA)
    assert line.told()[1]["status"] == "cancelled"
    assert until(lambda: console.number_of(line)) == number
    console.notice("Still you.", client_no=number)
    assert line.told()[1]["text"] == "Still you."
