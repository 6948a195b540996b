"""Plain text on a connection: commands, pipes, limits, and removal of control characters."""

from collections.abc import Callable
from time import thread_time
from types import SimpleNamespace

import pytest

from busware.server.conversation import COMMANDS
from busware.server.tcp.plain_text import ONLY_KEYS, typed_text
from tests.conftest import Database, LineClient
from tests.support.transcript import ASHA, TRAVEL_DAY, receive_until, transcript

TRIP = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}
ALL_TICKETS = "Which tickets? (numbers, or Enter for all)"


def test_plain_text_and_json_share_a_connection(client_socket: LineClient) -> None:
    transcript(client_socket, "> bus\n1 reservation, 2 cancellation\nReservation or cancellation:")
    assert client_socket.call("ping")["server"] == "busware"
    transcript(client_socket, "> res\nDate of journey (2026-12-05, tomorrow, sat or 5 dec):")


@pytest.mark.parametrize("word", ["bus", "book", "BOOK", "search", "waitlist"])
def test_command_line_names_begin_the_bus_dialogue(client_socket: LineClient, word: str) -> None:
    transcript(client_socket, f"> {word}\n1 reservation, 2 cancellation\nReservation or cancellation:")


@pytest.mark.parametrize("word", ["booking", "quote", "change-seat"])
def test_command_line_names_begin_dialogues_about_a_booking(client_socket: LineClient, word: str) -> None:
    transcript(client_socket, f"> {word}\nReference of the booking:")


def test_long_texts_are_wrapped_between_words(client_socket: LineClient) -> None:
    client_socket.send("help\nbus\nres\n?\n+1\n\n\n?\nquit\nSTOP")
    lines = []
    while line := client_socket.receive().decode():
        lines.append(line)
    assert "Bengaluru" in " ".join(lines)
    assert max(map(len, lines)) < 80


def test_help_fits_a_terminal_of_24_rows_and_names_every_command(client_socket: LineClient) -> None:
    client_socket.send("help\nhelp more\nSTOP")
    *lines, stopped = client_socket.read().decode().splitlines()
    assert stopped == "STOPPED"
    more = lines.index("More commands:")
    assert more <= 22 and len(lines) - more <= 22  # with the typed line, and the line of the cursor
    words = " ".join(lines[:more])
    assert all(command in words for command in COMMANDS)
    explained = [line.split()[0] for line in lines if line.startswith("  ")]
    assert explained.count("flight") == 2  # also "flight choose"
    assert all(explained.count(command) == 1 for command in COMMANDS if command != "flight")


def test_empty_line_gets_a_greeting_except_after_json(connect: Callable[[], LineClient]) -> None:
    transcript(connect(), ">\nBusware. Type bus, flight, show or hotel to book, or help for all commands.")
    program = connect()
    program.call("ping")
    program.send(b"\n\r\n")
    assert program.call("ping")["server"] == "busware"


@pytest.mark.parametrize("codes", [b"\x1b]0;gone\x07\x1b[2J", b"\xe2\x80\xae", b"\xc2\x9b31m", b"\x00\x01"])
def test_escape_sequences_of_a_line_are_removed(client_socket: LineClient, codes: bytes) -> None:
    client_socket.send(b"xyz" + codes + b"\n")
    answer = client_socket.receive().decode()
    assert answer.startswith('"xyz') and answer.isprintable()


def test_escape_sequences_of_a_name_are_removed(
    connect: Callable[[], LineClient], database: Database
) -> None:
    database.query("UPDATE bus_info SET name = E'Day\\x1b[2J\\u202eBus' WHERE bus_id = 1")
    book = {
        "bus_id": 1,
        "travel_date": TRAVEL_DAY,
        "origin": "Bengaluru",
        "destination": "Mysuru",
        "count": 1,
    }
    reference = connect().call("book", **book, phone=ASHA)["reference"]
    transcript(connect(), f"> status {reference} {ASHA}\nBooked: {reference}\nKSRTC Day[2JBus (bus 1)")


def test_too_long_line_is_refused_and_the_question_stays_open(
    client_socket: LineClient, server: SimpleNamespace
) -> None:
    transcript(client_socket, "> bus\n1 reservation, 2 cancellation\nReservation or cancellation:")
    client_socket.send("x" * (server.settings.max_line_bytes + 1))
    transcript(client_socket, f"The line is too long: at most {server.settings.max_line_bytes} bytes.")
    transcript(client_socket, "> res\nDate of journey (2026-12-05, tomorrow, sat or 5 dec):")


def test_sequences_of_arrow_and_function_keys_are_removed() -> None:
    up, left, delete, f1 = b"\x1b[A", b"\x1bOD", b"\x1b[3~", b"\x1bOP"
    assert typed_text(up + b"bang" + left + delete + b"alore" + f1 + b"\x1b[1;5C") == "bangalore"
    assert typed_text(b"\x1b" * 3 + b"[2") == "[2"  # not a complete sequence


@pytest.mark.parametrize("keys", [b"\x1b[A", b"\x1b[D\x1b[C\r", b"\x1bOP ", b"\x00"])
def test_keys_without_text_are_no_answer(connect: Callable[[], LineClient], keys: bytes) -> None:
    line = connect()
    booked = line.call("book", **TRIP, count=2, phone=ASHA)
    line.send(f"cancel {booked['reference']} {ASHA}")
    receive_until(line, ALL_TICKETS)
    line.send(keys + b"\n")
    transcript(line, f"{ONLY_KEYS}\n{ALL_TICKETS}")
    line.send(b"1x\x7f\n")  # a backspace corrects
    receive_until(line, "Cancel ticket 1 (seat 1), and get 130.00 of 260.00 back? (yes or no)")


def test_erased_line_is_empty(connect: Callable[[], LineClient]) -> None:
    line = connect()
    booked = line.call("book", **TRIP, count=2, phone=ASHA)
    line.send(f"cancel {booked['reference']} {ASHA}")
    receive_until(line, ALL_TICKETS)
    line.send(b"1\x7f\n")
    receive_until(line, "Cancel 2 tickets, and get 260.00 of 520.00 back? (yes or no)")


def test_backspaces_are_applied_in_linear_time() -> None:
    began = thread_time()
    assert typed_text(b"\x08bus" + b"x" * 32_000 + b"\x08" * 16_000 + b"\x7f" * 16_000) == "bus"
    assert thread_time() - began < 2  # CPU seconds; a quadratic loop takes more than ten


def test_piped_dialogue(client_socket: LineClient) -> None:
    client_socket.send(
        f"bus\nres\nsat\nany\nany\nbengaluru\nmysuru\n1\nbest 2\n{ASHA}\nyes\nterminate".encode() + b"\n"
    )
    answers = client_socket.read().decode().splitlines()
    assert any(answer.startswith("Booked: ") for answer in answers)
    assert answers[-1] == "STOPPED"


@pytest.mark.parametrize("end", ["stop", "STOP", "terminate", " Terminate "])
def test_stop_ends_the_connection(client_socket: LineClient, end: str) -> None:
    transcript(client_socket, f"> {end}\nSTOPPED")
    assert client_socket.receive() == b""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("I want to book a bus", '"I want to book a b…" is not a command. Did you mean bus?'),
        ("stats", '"stats" is not a command. Did you mean status?'),
        ("help cancel", "cancel [REFERENCE [PHONE]]: cancel a booking, or some of its tickets."),
        ("? book", "bus [FROM TO [DATE]]: book seats on a bus, or cancel them."),
        ("to mysuru", '"to mysuru" is not a command. Type help for all commands.'),
    ],
)
def test_unknown_line_gets_a_hint(client_socket: LineClient, line: str, message: str) -> None:
    transcript(client_socket, f"> {line}\n{message}")


def test_theatre_is_a_synonym_of_show(client_socket: LineClient) -> None:
    transcript(client_socket, "> theatre\nThere is no show on sale.")  # the database has no show
