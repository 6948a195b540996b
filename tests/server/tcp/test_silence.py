"""Messages without line ends on the port for all clients: silence ends them, and breaks no line.

Where a test needs a silence of one client, another client gets the reply to a message: it is sent after the
reply is due at the first client.
"""

import json
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import psycopg
import pytest

from busware.server.tcp.lines import Lines
from busware.server.tcp.plain_text import STOPPED
from tests.conftest import Cluster, Database, LineClient
from tests.support.message_client import MessageClient
from tests.support.project import PROJECT

pytestmark = pytest.mark.settings(silence_ms=1)

FLIGHT_QUESTION = (
    "Please enter the source country, destination country, and travel date/time "
    "(format: source,destination,date,time):\n"
)
BUS_QUESTION = "Reservation or cancellation:\n"
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
IAC_WILL_ECHO, IAC_DONT_ECHO = b"\xff\xfb\x01", b"\xff\xfe\x01"


@pytest.fixture(scope="module")
def template(cluster: Cluster, template: str) -> Iterator[str]:
    """The template database with the seeded flights."""
    with cluster.database("silence", template_dbname=template, as_template=True):
        with psycopg.connect(cluster.urls("silence")[0], autocommit=True) as conn:
            conn.execute((PROJECT / "sql" / "97_seed_flights.sql").read_bytes())
        yield "silence"


@pytest.fixture
def program(server: SimpleNamespace) -> Iterator[Callable[[], MessageClient]]:
    """A function that connects a small program to the server."""
    clients: list[MessageClient] = []

    def connect() -> MessageClient:
        clients.append(MessageClient(server.host, server.port))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def pass_silence(program: Callable[[], MessageClient]) -> Callable[[], None]:
    """A function that returns when a message of another client, sent now, has ended by silence."""
    other = program()

    def wait() -> None:
        assert other.ask("USA") == "Welcome to USA\n"

    return wait


# Messages --------------------------------------------------------------------------------------


def test_small_program_books_a_flight(program: Callable[[], MessageClient], database: Database) -> None:
    client = program()
    assert client.ask("USA") == "Welcome to USA\n"
    assert client.ask("flight") == FLIGHT_QUESTION
    reply = client.ask("USA,IND,2026-12-15,10:00")
    assert reply.startswith("Booking flight from USA to IND on 2026-12-15 at 10:00. Status: Booked\n")
    assert client.ask("terminate") == f"{STOPPED}\n"
    assert client.receive() == ""
    assert database.value("SELECT count(*) FROM passengers") == 1


def test_one_character_is_a_message_after_the_first_message(
    program: Callable[[], MessageClient],
) -> None:
    client = program()
    assert client.ask("bus").endswith(BUS_QUESTION)
    reply = client.ask("1")
    assert reply.endswith(":\n")  # a question
    assert client.ask("quit").startswith("You left the dialogue.")


def test_message_may_arrive_in_parts() -> None:
    lines = Lines(1024)
    for part in (b"Hello", b" ", b"server!"):
        assert lines.feed(part) == []
        assert lines.ends_by_silence
    assert lines.end_message() == b"Hello server!"
    assert not lines.ends_by_silence


@pytest.mark.settings(max_line_bytes=2048)
def test_message_that_is_too_long_is_refused(program: Callable[[], MessageClient]) -> None:
    client = program()
    assert client.ask("x" * 3000) == "The line is too long: at most 2048 bytes.\n"
    assert client.ask("USA") == "Welcome to USA\n"


@pytest.mark.settings(idle_seconds=1)
def test_client_that_is_silent_after_its_message_is_disconnected(
    program: Callable[[], MessageClient],
) -> None:
    client = program()
    assert client.ask("USA") == "Welcome to USA\n"
    assert client.receive() == ""


@pytest.mark.settings(silence_ms=60_000)
def test_message_that_waits_is_executed_when_the_client_ends_its_stream(
    program: Callable[[], MessageClient],
) -> None:
    client = program()
    client.send("USA")
    client.socket.shutdown(socket.SHUT_WR)
    assert client.receive() == "Welcome to USA\n"
    assert client.receive() == ""


@pytest.mark.settings(silence_ms=60_000)
def test_message_that_waits_is_discarded_when_the_server_drains(
    program: Callable[[], MessageClient], server: SimpleNamespace
) -> None:
    client = program()
    client.send("bus")
    client.wait_until_read()
    server.tcp.drain()
    assert client.receive() == ""


# Lines -----------------------------------------------------------------------------------------


def test_line_that_a_program_interrupts_is_kept(
    connect: Callable[[], LineClient], pass_silence: Callable[[], None]
) -> None:
    client = connect()
    client.send("USA")
    assert client.receive() == b"Welcome to USA"
    client.send(b"fli")
    pass_silence()
    client.send(b"ght\n")
    assert client.receive().decode() == FLIGHT_QUESTION.strip()


def test_line_end_after_messages_ends_them(
    program: Callable[[], MessageClient], pass_silence: Callable[[], None]
) -> None:
    client = program()
    assert client.ask("USA") == "Welcome to USA\n"
    assert client.ask("USA\n") == "Welcome to USA\n"
    client.send("fli")
    pass_silence()
    assert client.ask("ght\n") == FLIGHT_QUESTION


@pytest.mark.parametrize(
    ("keys", "reply"),
    [
        ([*"flight", "\r\n"], FLIGHT_QUESTION),
        (["é", "\n"], '"é" is not a command. Type help for all commands.\n'),
        (["\x1b[A", *"flight", "\n"], FLIGHT_QUESTION),  # an arrow key is first
    ],
)
def test_line_typed_into_telnet_in_character_mode(
    program: Callable[[], MessageClient], pass_silence: Callable[[], None], keys: list[str], reply: str
) -> None:
    """Telnet sends each key as it is typed: a character, or the escape sequence of an arrow key."""
    client = program()
    for key in keys:
        client.send(key)
        client.wait_until_read()  # each key is a chunk of its own
        pass_silence()
    assert client.receive() == reply


def test_client_that_negotiates_telnet_options_ends_its_lines(
    program: Callable[[], MessageClient], pass_silence: Callable[[], None]
) -> None:
    client = program()
    client.send(IAC_WILL_ECHO)
    assert client.socket.recv(3) == IAC_DONT_ECHO
    client.send("fli")
    pass_silence()
    assert client.ask("ght\r\n") == FLIGHT_QUESTION


@pytest.mark.parametrize("line", [PING, b"[" + PING + b"]"])
def test_line_of_json_is_not_ended_by_silence(
    program: Callable[[], MessageClient], pass_silence: Callable[[], None], line: bytes
) -> None:
    client = program()
    client.send(line[:20])
    pass_silence()
    client.send(line[20:] + b"\n")
    reply = json.loads(client.receive())
    assert (reply[0] if isinstance(reply, list) else reply)["result"]["server"] == "busware"


def test_json_after_messages_is_not_ended_by_silence(
    program: Callable[[], MessageClient], pass_silence: Callable[[], None]
) -> None:
    client = program()
    assert client.ask("USA") == "Welcome to USA\n"
    client.send(PING[:20])
    pass_silence()
    assert json.loads(client.ask(PING[20:].decode() + "\n"))["result"]["server"] == "busware"
