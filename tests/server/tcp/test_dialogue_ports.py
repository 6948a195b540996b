"""The ports for one dialogue, with small programs that send no line ends and wait for one recv.

A program that receives first waits for the first question. A program that sends first must send within
silence_ms. So that the result does not depend on time, these tests send a PROXY header and the message at
once: the server waits for the header, then reads the message.
"""

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
import trustme

from busware.server import tls
from busware.server.setting_kinds import DIALOGUES
from busware.server.settings import Settings
from busware.server.tcp.dialogue_ports import CHAT_HELP
from busware.server.tcp.lines import Lines
from busware.server.tcp.server import TcpServer
from tests.conftest import Cluster, Database, LineClient
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.message_client import MessageClient
from tests.support.processes import ServerProcess, fail_to_start
from tests.support.project import PROJECT
from tests.support.pushing import Console
from tests.support.serving import on_each_process
from tests.support.writing import writer_waits_for_lock

PORTS = tuple((dialogue, 0) for dialogue in DIALOGUES)
pytestmark = pytest.mark.settings(silence_ms=1, ports=PORTS, says_per_minute=10_000)
behind_a_balancer = pytest.mark.settings(tcp_proxies=(ip_network("127.0.0.0/8"),))

PROXY_HEADER = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"  # version 2, the command LOCAL: it has no address
IAC_WILL_ECHO, IAC_DONT_ECHO = b"\xff\xfb\x01", b"\xff\xfe\x01"
FLIGHT = "Please enter the source country, destination country, and travel date/time "
FLIGHT += "(format: source,destination,date,time):\n"
BOOKED = "Booking flight from USA to IND on 2026-12-15 at 10:00. Status: Booked\n"
SHOW = "How many seats? (The Clay Cart, Tue 1 Dec 2026 11:00, {} free, 150.00 each)\n"
WELCOME = "Busware. Type bus, flight, show or hotel to book, or help for all commands.\n"
DRAINING = "The server is shutting down: nothing was done, try again.\n"
BUS = "Reservation or cancellation:\n"
GOOD_BYE = "Server: I am going down now. Good-bye.\n"

Open = Callable[[str], MessageClient]


@pytest.fixture(scope="module")
def template(cluster: Cluster, template: str) -> Iterator[str]:
    """The template database with the seeded flights and theatre, and without a hotel."""
    with cluster.database("ports", template_dbname=template, as_template=True):
        with psycopg.connect(cluster.urls("ports")[0], autocommit=True) as conn:
            for seed in ("97_seed_flights", "98_seed_theatre"):
                conn.execute((PROJECT / "sql" / f"{seed}.sql").read_bytes())
        yield "ports"


@pytest.fixture
def program(server: SimpleNamespace) -> Iterator[Open]:
    """A function that connects a small program to the port of a dialogue."""
    clients: list[MessageClient] = []
    ports = dict(server.tcp.ports)

    def connect(dialogue: str) -> MessageClient:
        clients.append(MessageClient(server.host, ports[dialogue]))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def first_reply(client: MessageClient, message: str, question: str = "") -> str:
    """The reply to the first message. question: it comes before; without one, the client sends first."""
    if question:
        assert client.receive().endswith(question)
        return client.ask(message)
    client.send(PROXY_HEADER + message.encode())
    return client.receive()


# Bus -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [BUS, pytest.param("", marks=behind_a_balancer)])
def test_bus(program: Open, database: Database, question: str) -> None:
    client = program("bus")
    assert first_reply(client, "1", question).startswith("Date of journey")
    for answer, asks in [
        ("sat", "SLEEPER, SEMI_SLEEPER, SEATER or any:"),
        ("SEATER", "AC, NON_AC or any:"),
        ("any", "Source:"),
        ("Bengaluru", "Destination:"),
        ("Mysuru", "Bus id:"),
        ("1", "Seat numbers, such as 1 2, or best 2 for any two:"),
        ("7 8", "Phone number:"),
        ("9845012345", "Confirm, for 520.00? (yes or no)"),
    ]:
        assert client.ask(answer).endswith(f"{asks}\n")
    reply = client.ask("yes")
    assert reply.startswith("Booked: ")
    assert reply.endswith(BUS)  # the dialogue begins again
    assert database.query("SELECT seat_no FROM passengers WHERE status = 'booked' ORDER BY 1") == [7, 8]


def test_bus_takes_both_places_in_one_message(program: Open) -> None:
    client = program("bus")
    client.receive()
    for answer in ("1", "sat", "3", "any"):
        client.ask(answer)
    assert client.ask("Bengaluru Mysuru").endswith("Bus id:\n")
    client.ask("quit")
    assert client.ask("bus bengaluru mysuru sat").endswith("Bus id:\n")


def test_dialogue_that_is_left_begins_again(program: Open) -> None:
    client = program("bus")
    client.receive()
    assert client.ask("reservation").startswith("Date of journey")
    reply = client.ask("quit")
    assert reply.startswith("You left the dialogue. Nothing was changed.\n")
    assert reply.endswith(BUS)
    assert client.ask("back").endswith(BUS)
    assert client.ask("reservation").startswith("Date of journey")


def test_quit_at_the_first_question_ends_the_connection(program: Open) -> None:
    client = program("bus")
    client.receive()
    assert client.ask("quit") == "STOPPED\n"
    assert client.receive() == ""


def test_first_question_after_back_is_like_the_first_time(program: Open) -> None:
    client = program("bus")
    client.receive()
    for command in ("status ABCDEFG", "booking ABCDEFG"):  # the second is another word for the first
        client.ask("1")
        assert client.ask("back").endswith(BUS)
        assert client.ask(command).startswith("Phone number of the booking")
        client.ask("quit")
    assert client.ask("1").startswith("Date of journey")
    assert client.ask("back").endswith(BUS)
    assert client.ask("quit") == "STOPPED\n"


def test_own_command_asks_the_first_question_again(program: Open) -> None:
    client = program("bus")
    client.receive()
    assert client.ask("bus") == client.ask("BUS")
    assert client.ask("book").startswith("Date of journey")  # it is an answer
    client.ask("back")
    client.ask("bus")
    assert client.ask("quit") == "STOPPED\n"


def test_wrong_answer_is_explained_and_the_question_stays_open(program: Open) -> None:
    client = program("bus")
    client.receive()
    reply = client.ask('{"id":1}')  # JSON is plain text, too
    assert reply.startswith('"{"id":1}" is not ')
    assert reply.endswith(BUS)
    assert client.ask("help").endswith(BUS)
    assert client.ask("reservation").startswith("Date of journey")


# Flight ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [FLIGHT, pytest.param("", marks=behind_a_balancer)])
def test_flight(program: Open, database: Database, question: str) -> None:
    client = program("flight")
    assert first_reply(client, "USA", question) == f"Welcome to USA\n{FLIGHT}"
    assert client.ask("flight") == FLIGHT
    assert client.ask("USA,Nowhere,2026-12-15,10:00").endswith(FLIGHT)
    reply = client.ask("USA,IND,2026-12-15,10:00")
    assert reply.startswith(BOOKED)
    assert reply.endswith(FLIGHT)
    assert database.value("SELECT count(*) FROM passengers") == 1


def test_other_commands_are_accepted_at_the_first_question(program: Open) -> None:
    """So a ticket can be cancelled as the reply to the booking says."""
    client = program("flight")
    client.receive()
    (reference,) = re.findall(r"Reference (\w+)\.", client.ask("USA,IND,2026-12-15,10:00"))
    assert client.ask(f"status {reference}").startswith(f"Booked: {reference}\n")
    assert "(yes or no)" in client.ask(f"cancel {reference}")
    reply = client.ask("yes")
    assert f"Cancelled: {reference}\n" in reply
    assert reply.endswith(FLIGHT)
    assert client.ask("bus").endswith(BUS)
    assert client.ask("quit").endswith(FLIGHT)


# Show ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [SHOW.format(25), pytest.param("", marks=behind_a_balancer)])
def test_show(program: Open, question: str) -> None:
    client = program("show")
    seat_map = first_reply(client, "2", question)
    assert seat_map.startswith("0 0 0 0 0\n" * 5 + "0 is free, 1 is not.\n")
    assert seat_map.endswith("Seat numbers, 2 of them, from 1 to 25:\n")
    reply = client.ask("7 8")
    assert re.match(r"Ticket \w+01 reserved\nTicket \w+02 reserved\nReference \w+\.\n", reply)
    assert reply.endswith(SHOW.format(23))
    assert client.ask("30") == "Only 23 seats are free: 30 cannot be booked.\n"
    assert client.receive() == ""


def test_show_with_a_time_begins_at_the_first_question(program: Open) -> None:
    client = program("show")
    client.receive()
    assert client.ask("show 18:30").startswith("How many seats? (")


# Text, hotel -----------------------------------------------------------------------------------


def test_text_greets_with_a_line_that_names_help(program: Open) -> None:
    client = program("text")
    assert client.receive() == WELCOME
    assert client.ask("USA") == "Welcome to USA\n"
    assert client.ask("flight") == FLIGHT
    assert client.ask("USA,IND,2026-12-15,10:00").startswith(BOOKED)


def test_dialogue_that_cannot_begin_says_why(program: Open) -> None:
    client = program("hotel")
    for _ in range(2):
        assert client.receive() == "There is no hotel on sale.\n"
        client.send("1")


# Chat ------------------------------------------------------------------------------------------


def test_every_message_of_hundreds_of_clients_is_stored_and_answered(
    program: Open, console: Console, database: Database
) -> None:
    clients = {f"This is number {n}.": program("chat") for n in range(300)}
    for text, client in clients.items():
        client.send(text)
    count = "SELECT count(*) FROM messages WHERE audience = 'operators'"
    wait_until(lambda: database.value(count) == len(clients))
    senders = dict(database.query("SELECT body, client_no FROM messages WHERE audience = 'operators'"))
    assert senders.keys() == clients.keys()
    for text, client_no in senders.items():
        console.notice(f"Answer to: {text}", client_no=client_no)
    for text, client in clients.items():
        assert client.receive() == f"Answer to: {text}\n"


def test_chat_is_not_confirmed(program: Open, console: Console) -> None:
    """The first line that a program receives is a message of the operator."""
    client = program("chat")
    console.notice("Good morning.", client_no=console.number_of(client))  # before its first message
    assert client.receive() == "Good morning.\n"
    for text in ("Hello server!", "bus", '{"id":1}', "bye"):
        client.send(text)
        client.wait_until_read()
    client.send("Where is it?\n\nThank you.\nterminate")  # line ends work as well
    assert client.receive() == "STOPPED\n"
    said = [m.body for m in console.messages() if m.audience == "operators"]
    assert "".join(said) == 'Hello server!bus{"id":1}byeWhere is it?Thank you.'


def test_chat_explains_itself_after_an_empty_line_before_the_first_message(program: Open) -> None:
    client = program("chat")
    assert client.ask("\n") == f"{CHAT_HELP}\n"
    assert client.ask("Where is it?\n\nterminate") == "STOPPED\n"


def test_help_at_the_first_question_lists_the_commands_too(program: Open) -> None:
    for dialogue in ("bus", "flight", "show"):
        client = program(dialogue)
        question = client.receive()
        for line in ("help", "?"):
            reply = client.ask(line)
            assert reply.startswith("Commands:\n")
            assert "\n  status [REFERENCE [PHONE]]" in reply
            assert reply.endswith(question)
            assert len(reply.splitlines()) <= 22  # of 24 rows: the typed line and the cursor have one each
        more = client.ask("help more")
        assert more.startswith("More commands:\n") and more.endswith(question)
    assert not client.ask("2\nhelp").startswith("Commands:")


@pytest.mark.settings(says_per_minute=1)
def test_limit_on_messages_is_reported_in_chat(program: Open) -> None:
    client = program("chat")
    reply = client.ask("Hello\nagain")
    assert reply == "At most 1 messages a minute are accepted. Try again in a minute.\n"


# Refusals between two dialogues ----------------------------------------------------------------


def test_reply_with_a_ticket_omits_the_refusal_of_the_next_dialogue(
    program: Open, server: SimpleNamespace, other_session: psycopg.Connection, database: Database
) -> None:
    client = program("show")
    client.receive()
    client.ask("1")
    other_session.execute("SELECT FROM seats FOR UPDATE")
    client.send("7")
    wait_until(lambda: writer_waits_for_lock(database))
    server.tcp.draining = True  # requests are refused from now on
    other_session.rollback()
    assert re.fullmatch(r"(?s)Ticket \w+01 reserved\n.*To cancel it: cancel \w+\.\n", client.receive())
    assert client.ask("2") == DRAINING
    server.tcp.draining = False
    assert client.ask("2").endswith("Seat numbers, 2 of them, from 1 to 25:\n")


@pytest.mark.parametrize("begins", ["server", pytest.param("client", marks=behind_a_balancer)])
def test_first_question_that_was_refused_is_tried_again_at_each_message(
    program: Open, server: SimpleNamespace, begins: str
) -> None:
    server.tcp.draining = True
    client = program("show")
    if begins == "server":
        assert client.receive() == DRAINING
    else:
        assert first_reply(client, "2") == DRAINING
    assert client.ask("2") == DRAINING
    server.tcp.draining = False
    assert client.ask("2").endswith("Seat numbers, 2 of them, from 1 to 25:\n")


# Every port ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialogue", DIALOGUES)
@pytest.mark.parametrize("end", ["terminate", "STOP"])
def test_terminate_ends_the_connection(program: Open, dialogue: str, end: str) -> None:
    client = program(dialogue)
    if dialogue != "chat":
        assert client.receive()
    assert client.ask(end) == "STOPPED\n"
    assert client.receive() == ""


def test_line_ends_work_as_well(server: SimpleNamespace) -> None:
    with closing(LineClient(server.host, dict(server.tcp.ports)["flight"])) as line:
        assert line.receive() == FLIGHT.strip().encode()
        line.send(b"USA\r\nUSA,IND,2026-12-15,10:00\r\n")
        assert [line.receive() for _ in range(2)] == [b"Welcome to USA", FLIGHT.strip().encode()]
        assert line.receive() == BOOKED.strip().encode()


def test_silence_ends_messages_after_a_line_end() -> None:
    lines = Lines(1024, one_dialogue=True)
    for first in (b"USA\n1", b"1", b'{"id":1}'):
        lines.feed(first)
        assert lines.ends_by_silence
        lines.end_message()
        assert not lines.ends_by_silence


def test_client_that_negotiates_telnet_options_gets_the_question(program: Open) -> None:
    client = program("flight")
    client.send(IAC_WILL_ECHO)
    received = b""
    while len(received) < len(IAC_DONT_ECHO + FLIGHT.encode()):
        received += client.socket.recv(1024)
    assert received.replace(IAC_DONT_ECHO, b"", 1) == FLIGHT.encode()  # either may come first


@pytest.mark.settings(max_line_bytes=2048)
def test_message_that_is_too_long_is_refused(program: Open) -> None:
    client = program("flight")
    client.receive()
    assert client.ask("x" * 3000) == "The line is too long: at most 2048 bytes.\n"
    assert client.ask("USA") == f"Welcome to USA\n{FLIGHT}"


@pytest.mark.settings(idle_seconds=1)
def test_silent_client_is_disconnected(program: Open) -> None:
    client = program("flight")
    assert client.receive() == FLIGHT
    assert client.receive() == ""


@pytest.mark.settings(max_clients=1)
def test_client_beyond_the_limit_is_refused_in_plain_text(program: Open) -> None:
    assert program("flight").receive() == FLIGHT
    other = program("chat")
    assert other.receive() == "There are too many clients: nothing was done, try again later.\n"
    assert other.receive() == ""


def test_draining_closes_every_port(program: Open, server: SimpleNamespace, console: Console) -> None:
    clients = [program(dialogue) for dialogue in DIALOGUES]
    for dialogue, client in zip(DIALOGUES, clients, strict=True):
        if dialogue == "chat":
            console.notice("Good morning.", client_no=console.number_of(client))
        assert client.receive()
    with closing(program("chat")) as last:
        assert last.ask("STOP") == "STOPPED\n"
    server.tcp.drain()
    for client in clients:
        assert client.receive() == GOOD_BYE
    for _, port in server.tcp.ports:
        with pytest.raises(ConnectionRefusedError):
            MessageClient(server.host, port)


def test_ports_use_tls(server: SimpleNamespace, settings: Settings, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    key, chain, trusted = (tmp_path / f"{name}.pem" for name in ("key", "chain", "trusted"))
    certificate.private_key_pem.write_to_path(str(key))
    chain.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    authority.cert_pem.write_to_path(str(trusted))
    tcp = TcpServer(settings, server.operations, server.pusher, tls.server_context(chain, key))
    tcp.start()
    client = MessageClient(server.host, dict(tcp.ports)["flight"])
    context = ssl.create_default_context(cafile=str(trusted))
    with context.wrap_socket(client.socket, server_hostname="127.0.0.1") as client.socket:
        client.socket.settimeout(WAIT_SECONDS)
        assert client.receive() == FLIGHT
        assert client.ask("USA") == f"Welcome to USA\n{FLIGHT}"
        tcp.drain()
        assert client.receive() == GOOD_BYE


# Servers in their own processes ----------------------------------------------------------------


@pytest.mark.system
def test_processes_share_the_ports(urls: dict[str, str], database: Database) -> None:
    with (
        ServerProcess("0", "--processes", "2", "--ports", "text:0,show:0", **urls) as server,
        ExitStack() as stack,
    ):
        addresses = server.read_until("Ports:")
        ports = dict(re.findall(r"(\w+):(\d+)", addresses))
        assert ports.keys() == {"text", "show"}

        def connect(_: int) -> MessageClient:
            return stack.enter_context(closing(MessageClient(server.host, int(ports["text"]))))

        clients = on_each_process(database, server.port, connect)
        assert [client.receive() for client in clients] == [WELCOME] * 2


@pytest.mark.system
def test_port_in_use_is_an_error(urls: dict[str, str], server: SimpleNamespace) -> None:
    for processes in ("1", "2"):
        status, output = fail_to_start(
            "0", "--processes", processes, "--ports", f"chat:{server.port}", **urls
        )
        assert status == 1
        assert f"cannot listen on 127.0.0.1:{server.port}: Address already in use." in output
        assert "BUSWARE_PORTS, or " in output
