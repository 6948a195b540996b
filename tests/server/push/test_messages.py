"""Messages between clients and operators: who receives which, and what a client missed is pushed later."""

import io
import json
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import pytest

from busware import __main__ as command
from busware.server.protocol import Caller, Refusal, Say
from tests.conftest import Clock, Database
from tests.support.line_client import LineClient, wait_until
from tests.support.pushing import Console
from tests.support.transcript import ASHA, TRAVEL_DAY, receive_until, transcript

pytestmark = pytest.mark.database

TRIP = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}


def book(line: LineClient, *seats: int, **args: Any) -> dict[str, Any]:
    return line.call("book", **{**TRIP, "seats": list(seats) or [1], "phone": ASHA, **args})


# From clients ----------------------------------------------------------------------------------


def test_a_message_is_stored_with_its_sender(connect: Callable[[], LineClient], console: Console) -> None:
    text, program = connect(), connect()
    transcript(text, "> say Where is my  bus?\nSent to the operator.")
    booking = book(program)
    assert program.call("say", text="Hello – नमस्ते") == {}
    first, second = console.messages()
    assert (first.body, first.audience, first.reference) == ("Where is my bus?", "operators", None)
    assert (second.body, second.reference) == ("Hello – नमस्ते", booking["reference"])
    assert first.sender == f"client {first.client_no}" == f"client {console.number_of(text)}"
    assert second.client_no == console.number_of(program)


def test_a_message_can_be_sent_at_any_question(client_socket: LineClient, console: Console) -> None:
    question = "Date of journey (2026-12-05, tomorrow, sat or 5 dec):"
    transcript(
        client_socket,
        f"""
        > bus
        1 reservation, 2 cancellation
        Reservation or cancellation:
        > reservation
        {question}
        > say Is there a bus on Sunday?
        Sent to the operator.
        {question}
        > say
        Type say and the message on one line, such as: say Where is my bus?
        {question}
        > quit
        You left the dialogue. Nothing was changed.
        > say
        Message to the operator:
        > Thank you
        Sent to the operator.
        """,
    )
    assert [message.body for message in console.messages()] == ["Is there a bus on Sunday?", "Thank you"]


@pytest.mark.parametrize("text", ["", " ", "a\nb", "\x1b[2J", "a\x00", "\x9b2J", "x" * 2001, 5, None])
def test_an_invalid_message_is_refused(client_socket: LineClient, console: Console, text: Any) -> None:
    refused = client_socket.call("say", text=text)
    assert (refused["code"], refused["data"]["field"]) == (-32602, "text")
    assert console.messages() == []


def test_a_message_of_100_000_characters(client_socket: LineClient, console: Console) -> None:
    client_socket.send("say " + "x" * 100_000)
    assert client_socket.receive() == b"The line is too long: at most 65536 bytes."
    client_socket.send("say " + "x" * 60_000)
    assert client_socket.receive() == b"A message is up to 2000 characters on one line."
    transcript(client_socket, f"> say {'x' * 2000}\nSent to the operator.")
    assert [len(message.body) for message in console.messages()] == [2000]


def test_control_characters_are_removed(client_socket: LineClient, console: Console) -> None:
    client_socket.send(b"say a\x1b[2J\x07b\xe2\x80\xae\xc2\x9bc\n")
    assert client_socket.receive() == b"Sent to the operator."
    assert [message.body for message in console.messages()] == ["abc"]


@pytest.mark.settings(says_per_minute=2)
def test_messages_of_one_address_have_a_rate_limit(
    connect: Callable[[], LineClient], console: Console, clock: Clock
) -> None:
    line, other = connect(), connect()
    assert [line.call("say", text="a"), other.call("say", text="b")] == [{}, {}]
    refused = connect().call("say", text="c")
    assert refused["data"] == {"reason": "not_allowed", "limit": 2, "retry_after": 60}
    transcript(connect(), "> say d\nAt most 2 messages a minute are accepted. Try again in a minute.")
    clock.advance(minutes=1)
    assert line.call("say", text="e") == {}


def test_message_with_a_known_key_is_sent_once(connect: Callable[[], LineClient], console: Console) -> None:
    for text in ("a", "a", "b"):
        assert connect().call("say", text=text, key="k") == {}
    assert [message.body for message in console.messages()] == ["a", "b"]


def say_from(server: SimpleNamespace, *addresses: str) -> list[str]:
    """Send a message from each address: `sent` or the reason of the refusal."""
    answers = [server.operations.perform(Say(text="a"), Caller(address=address)) for address in addresses]
    return [answer.refusal().reason if answer.refused else "sent" for answer in answers]


@pytest.mark.settings(says_per_minute=1, exempt_networks=(ip_network("192.0.2.0/24"),))
@pytest.mark.parametrize(
    ("addresses", "outcome"),
    [
        (("2001:db8:0:1::1", "2001:db8:0:1::2"), "not_allowed"),  # one customer has both
        (("2001:db8:0:1::1", "2001:db8:0:2::1"), "sent"),
        (("192.0.2.1", "192.0.2.1"), "sent"),  # exempt
    ],
)
def test_rate_limit_of_messages_applies_to_the_network_of_a_customer(
    server: SimpleNamespace, addresses: tuple[str, str], outcome: str
) -> None:
    assert say_from(server, *addresses) == ["sent", outcome]


@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8:1:2:3:4:5:6"])
def test_sender_without_a_tcp_connection_is_its_address(
    server: SimpleNamespace, console: Console, address: str
) -> None:
    assert say_from(server, address) == ["sent"]
    assert [message.sender for message in console.messages()] == [f"client at {address}"]


@pytest.mark.settings(says_per_minute=2)
def test_rate_limit_of_messages_is_shared_with_servers_of_0_1_0(
    server: SimpleNamespace, database: Database
) -> None:
    assert database.value("SELECT api.say('a', gen_random_uuid(), '203.0.113.7', 2)") == {}
    assert say_from(server, "203.0.113.7", "203.0.113.7") == ["sent", "not_allowed"]
    assert (
        database.value("SELECT api.say('a', gen_random_uuid(), '203.0.113.7', 2)")["reason"] == "not_allowed"
    )


# From operators --------------------------------------------------------------------------------


def test_a_notice_to_one_client_reaches_only_that_client(
    connect: Callable[[], LineClient], console: Console
) -> None:
    text, program, other = connect(), connect(), connect()
    for line in (text, program, other):
        transcript(line, "> say hello\nSent to the operator.")
    program.call("ping")
    console.notice("To you alone.", client_no=console.number_of(text))
    assert text.receive() == b"Server: To you alone."
    console.notice("And to you.", client_no=console.number_of(program))
    method, params = program.notification()
    assert (method, params["text"], params["from"]) == ("message", "And to you.", "operator")
    console.notice("To all.")
    assert other.receive() == b"Server: To all."


def test_a_notice_is_kept_until_a_client_sends_its_first_line(
    connect: Callable[[], LineClient], console: Console
) -> None:
    text, program, active = connect(), connect(), connect()
    for line in (text, program):
        console.number_of(line)  # it is connected
    transcript(active, "> say hello\nSent to the operator.")
    console.notice("Hello, all.")
    assert active.receive() == b"Server: Hello, all."
    program.send({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert json.loads(program.receive())["id"] == 1
    assert program.notification()[1]["text"] == "Hello, all."
    transcript(text, "> say hello\nSent to the operator.\nServer: Hello, all.")


def test_a_notice_to_a_trip_reaches_its_passengers(
    connect: Callable[[], LineClient], console: Console
) -> None:
    booked, waiting, cancelled, elsewhere = connect(), connect(), connect(), connect()
    book(booked, 1, 2, 3, 4, 5, 6)
    book(elsewhere, travel_date="2026-12-06")
    reference = book(cancelled, 7)["reference"]
    cancelled.call("cancel", reference=reference, phone=ASHA)
    book(cancelled, 7, travel_date="2026-12-07")
    pending = waiting.call("book", **TRIP, count=3, phone=ASHA, waitlist=True)
    assert pending["status"] == "pending"
    console.notice("Platform 3.", bus_id=1, travel_date=TRAVEL_DAY)
    assert booked.notification()[1]["text"] == waiting.notification()[1]["text"] == "Platform 3."
    console.notice("To all.")
    for line in (cancelled, elsewhere, booked):
        assert line.notification()[1]["text"] == "To all."


def test_a_notice_has_the_boarding_date_of_its_recipient(
    connect: Callable[[], LineClient], console: Console
) -> None:
    """Bus 2 leaves Bengaluru on TRAVEL_DAY, and Mysuru on the next day."""
    trip = {"bus_id": 2, "travel_date": TRAVEL_DAY}
    lines = {origin: connect() for origin in ("Bengaluru", "Mysuru")}
    bookings = {
        origin: line.call("book", **trip, origin=origin, destination="Ooty", count=1, phone=ASHA)
        for origin, line in lines.items()
    }
    console.notice("Platform 3.", **trip)
    found = [line.notification()[1] for line in lines.values()]
    assert [(params["travel_date"], params["boarding_date"]) for params in found] == [
        (TRAVEL_DAY, TRAVEL_DAY),
        (TRAVEL_DAY, "2026-12-06"),
    ]
    console.notice("To you.", reference=bookings["Mysuru"]["reference"])
    assert lines["Mysuru"].notification()[1]["boarding_date"] == "2026-12-06"
    console.notice("To all.")
    assert lines["Mysuru"].notification()[1]["boarding_date"] is None


def test_a_missed_notice_has_the_boarding_date_of_its_recipient(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, console: Console
) -> None:
    trip = {"bus_id": 2, "travel_date": TRAVEL_DAY}
    asha = connect()
    asha.call("register", username="asha", password="correct horse")
    booking = asha.call("book", **trip, origin="Mysuru", destination="Ooty", count=1, phone=ASHA)
    number = console.number_of(asha)
    asha.close()
    console.wait_until_left(number)
    console.notice("Platform 3.", **trip)
    console.notice("To you.", reference=booking["reference"])
    wait_until(lambda: pushing.pusher.last_pushed == console.last_message_id())
    signed_in, opened = connect(), connect()
    signed_in.call("login", username="asha", password="correct horse")
    opened.call("booking", reference=booking["reference"], phone=ASHA)
    for line in (signed_in, opened):
        assert [line.notification()[1]["boarding_date"] for _ in range(2)] == ["2026-12-06"] * 2


def test_a_notice_appears_during_a_conversation(connect: Callable[[], LineClient], console: Console) -> None:
    line = connect()
    transcript(line, "> bus\n1 reservation, 2 cancellation\nReservation or cancellation:")
    console.notice("Good morning.")
    transcript(
        line,
        """
        Server: Good morning.
        Sent at 09:00. To answer, type: say TEXT
        The question is still open: Reservation or cancellation:
        > reservation
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        """,
    )


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ({"client_no": 4711}, "bad_request"),
        ({"reference": "NOSUCH1"}, "unknown_booking"),
        ({"bus_id": 99, "travel_date": TRAVEL_DAY}, "unknown_trip"),
        ({"bus_id": 1, "travel_date": "2020-01-01"}, "unknown_trip"),
    ],
)
def test_a_notice_to_an_unknown_recipient_is_refused(
    console: Console, to: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refusal) as refused:
        console.notice("Hello?", **to)
    assert refused.value.reason == reason
    assert console.messages() == []


def test_control_characters_of_operators_are_removed(
    connect: Callable[[], LineClient], console: Console, database: Database
) -> None:
    with pytest.raises(Refusal):
        console.notice("\x1b[2J")
    line = connect()
    transcript(line, "> say hello\nSent to the operator.")
    database.query("SELECT api.notice(E'right\\u202e to left\\u2066')")  # by hand, in psql
    assert line.receive().decode() == "Server: right to left"


# Missed ----------------------------------------------------------------------------------------


def test_missed_messages_are_pushed_once_when_the_booking_is_opened(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, console: Console, clock: Clock
) -> None:
    first = connect()
    console.notice("Before the booking.", bus_id=1, travel_date=TRAVEL_DAY)
    clock.advance(seconds=1)
    reference = book(first)["reference"]
    number = console.number_of(first)
    first.close()
    console.wait_until_left(number)
    console.notice("To the trip.", bus_id=1, travel_date=TRAVEL_DAY)
    console.notice("To another trip.", bus_id=1, travel_date="2026-12-06")
    console.notice("To the booking.", reference=reference)
    console.notice("To all.")
    wait_until(lambda: pushing.pusher.last_pushed == console.last_message_id())
    back = connect()
    back.send(
        {"jsonrpc": "2.0", "id": 1, "method": "booking", "params": {"reference": reference, "phone": ASHA}}
    )
    assert json.loads(back.receive())["result"]["reference"] == reference
    assert [back.notification()[1]["text"] for _ in range(3)] == [
        "To the trip.",
        "To the booking.",
        "To all.",
    ]
    again, text = connect(), connect()
    again.call("booking", reference=reference, phone=ASHA)
    transcript(text, f"> status {reference} {ASHA}\nBooked: {reference}")
    for line in (back, again):
        assert line.call("ping")["server"] == "busware"
    console.notice("Later.", reference=reference)
    assert back.notification()[1]["text"] == again.notification()[1]["text"] == "Later."


def test_a_client_that_connects_during_a_push_receives_the_next_message(
    connect: Callable[[], LineClient], console: Console, database: Database
) -> None:
    present = connect()
    reference = book(present)["reference"]
    with database.connect(autocommit=False) as slow:
        slow.execute("LOCK TABLE messages_read IN ACCESS EXCLUSIVE MODE")
        console.notice("First.", reference=reference)
        assert present.notification()[1]["text"] == "First."  # not marked as read yet
        wait_until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0)
        newcomer = connect()
        newcomer.call("booking", reference=reference, phone=ASHA)
        console.notice("Later.", reference=reference)
    assert present.notification()[1]["text"] == newcomer.notification()[1]["text"] == "Later."


def test_reply_to_a_client_that_connected_during_a_push_is_pushed(
    connect: Callable[[], LineClient], console: Console, database: Database
) -> None:
    present = connect()
    reference = book(present)["reference"]
    with database.connect(autocommit=False) as slow:
        slow.execute("LOCK TABLE messages_read IN ACCESS EXCLUSIVE MODE")
        console.notice("First.", reference=reference)
        wait_until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0)
        newcomer = connect()
        newcomer.call("say", text="Which platform?")
        (question,) = (message for message in console.messages() if message.audience == "operators")
        console.notice("Platform 3.", client_no=question.client_no)
    assert newcomer.notification()[1]["text"] == "Platform 3."


def test_messages_of_a_passenger_are_still_unread_after_a_check_in(
    connect: Callable[[], LineClient], pushing: SimpleNamespace, console: Console, database: Database
) -> None:
    passenger, conductor, back = connect(), connect(), connect()
    reference = book(passenger)["reference"]
    number = console.number_of(passenger)
    passenger.close()
    console.wait_until_left(number)
    console.notice("To the booking.", reference=reference)
    signing_in = {"username": "boss", "password": "correct horse battery"}
    connect().call("register", **signing_in)
    database.query("UPDATE accounts SET role = 'admin'")
    assert conductor.call("login", **signing_in)["role"] == "admin"
    checked_in = conductor.call("check_in", reference=reference, bus_id=1, travel_date=TRAVEL_DAY)
    assert checked_in["reference"] == reference
    console.notice("To all.")
    assert conductor.notification()[1]["text"] == "To all."
    back.send(
        {"jsonrpc": "2.0", "id": 1, "method": "booking", "params": {"reference": reference, "phone": ASHA}}
    )
    received = [json.loads(back.receive()) for _ in range(3)]
    texts = [line["params"]["text"] for line in received if line.get("method") == "message"]
    assert sorted(texts) == ["To all.", "To the booking."]


def test_missed_messages_are_pushed_in_plain_text(
    connect: Callable[[], LineClient], console: Console
) -> None:
    first = connect()
    reference = book(first)["reference"]
    number = console.number_of(first)
    first.close()
    console.wait_until_left(number)
    console.notice("Platform 3.", reference=reference)
    back = connect()
    back.send(f"status {reference} {ASHA}")
    lines = [back.receive().decode() for _ in range(8)]
    assert "Server: Platform 3." in lines
    assert f"Booked: {reference}" in lines


def test_messages_of_a_booking_can_be_read_again(connect: Callable[[], LineClient], console: Console) -> None:
    first = connect()
    reference = book(first)["reference"]
    later = connect()
    none = f"There are no messages about booking {reference}."
    transcript(later, f"> messages {reference} {ASHA}\n{none}")
    console.notice("Platform 3.", reference=reference)
    for line in (connect(), connect()):
        line.send(f"messages {reference} {ASHA}")
        receive_until(line, "Tue 1 Dec 2026 09:00  Operator: Platform 3.")


def test_missed_messages_are_shown_by_a_command(
    connect: Callable[[], LineClient],
    pushing: SimpleNamespace,
    console: Console,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = connect()
    reference = book(first)["reference"]
    number = console.number_of(first)
    first.close()
    console.wait_until_left(number)
    console.notice("Platform 3.", reference=reference)
    errors = io.StringIO()

    class LateOutput(io.StringIO):
        """Delays the reply until the message has arrived, because the command ends after its reply."""

        def write(self, text: str) -> int:
            wait_until(errors.getvalue)
            return super().write(text)

    monkeypatch.setattr(sys, "stderr", errors)
    monkeypatch.setattr(sys, "stdout", LateOutput())
    where = ("--host", pushing.host, "--port", str(pushing.port))
    assert command.main(["booking", reference, "--phone", ASHA, *where]) == 0
    assert errors.getvalue() == "Message from the operator: Platform 3.\n"


def test_missed_messages_are_pushed_when_the_owner_signs_in(
    connect: Callable[[], LineClient], console: Console
) -> None:
    first = connect()
    assert first.call("register", username="asha", password="mango chutney")["token"]
    reference = book(first)["reference"]
    number = console.number_of(first)
    first.close()
    console.wait_until_left(number)
    console.notice("To the booking.", reference=reference)
    console.notice("To the client that has left.", client_no=number)
    back = connect()
    assert back.call("login", username="asha", password="mango chutney")["token"]
    assert [back.notification()[1]["text"] for _ in range(2)] == [
        "To the booking.",
        "To the client that has left.",
    ]
    again = connect()
    again.call("login", username="asha", password="mango chutney")
    console.notice("Later.", reference=reference)
    assert back.notification()[1]["text"] == again.notification()[1]["text"] == "Later."


def test_a_notice_to_a_client_that_left_is_pushed_when_its_booking_is_opened(
    connect: Callable[[], LineClient], console: Console
) -> None:
    line = connect()
    reference = book(line)["reference"]
    line.call("say", text="Which platform?")
    (asked,) = console.messages()
    line.close()
    console.wait_until_left(asked.client_no)
    console.notice("Platform 3.", client_no=asked.client_no)
    back = connect()
    back.call("booking", reference=reference, phone=ASHA)
    assert back.notification()[1]["text"] == "Platform 3."
    stranger = connect()
    transcript(stranger, "> say hello\nSent to the operator.")
    left = console.number_of(stranger)
    stranger.close()
    console.wait_until_left(left)
    with pytest.raises(Refusal, match="has disconnected, and its booking is not known"):
        console.notice("Good-bye.", client_no=left)


def test_messages_are_numbered_in_commit_order(console: Console, database: Database) -> None:
    """A reader of "all after N" would miss a message that commits after one with a higher number."""
    with closing(database.connect(autocommit=False)) as slow:
        slow.execute("SELECT api.notice('first')")
        with closing(database.connect()) as quick:
            other = threading.Thread(target=quick.execute, args=("SELECT api.notice('second')",))
            other.start()
            waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            wait_until(lambda: database.value(waits))
            assert console.messages() == []
            slow.commit()
            other.join()
    assert [message.body for message in console.messages()] == ["first", "second"]


def test_a_message_that_is_sent_again_with_its_key_is_stored_once(
    database: Database, console: Console
) -> None:
    say = "SELECT api.send_message('hello', '6d1d1a7e-0000-4000-8000-000000000001', '127.0.0.1')"
    assert [database.value(say), database.value(say)] == [{}, {}]
    assert len(console.messages()) == 1


def test_old_messages_are_deleted(server: SimpleNamespace, console: Console, clock: Clock) -> None:
    console.notice("Old.")
    clock.advance(days=server.settings.message_days + 1)
    console.notice("New.")
    assert server.pool.execute("SELECT api.purge_messages(interval '90 days')") == [(1,)]
    assert [message.body for message in console.messages()] == ["New."]
