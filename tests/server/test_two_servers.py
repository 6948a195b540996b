"""Two servers with two processes each on one database, with three operator consoles."""

import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Database
from tests.support.line_client import LineClient, wait_until
from tests.support.operator import Operator, operating
from tests.support.processes import wait_for_end
from tests.support.schema_api import audit
from tests.support.serving import on_each_process, serving, travel_day
from tests.support.transcript import ASHA, message_to, transcript

pytestmark = pytest.mark.system

TRIP = {"bus_id": 1, "origin": "Bengaluru", "destination": "Mysuru", "phone": ASHA}


class TwoServers:
    """Two servers and their consoles."""

    def __init__(
        self, database: Database, connect: Callable[[int], LineClient], *servers: tuple[Operator, int]
    ) -> None:
        (self.console, self.port), (self.other_console, self.other_port) = servers
        self._database = database
        self._connect = connect

    def lines(self) -> list[LineClient]:
        """A client of each process: two of the first server, then two of the second."""
        return [
            line
            for port in (self.port, self.other_port)
            for line in on_each_process(self._database, port, self._connect)
        ]


@pytest.fixture
def servers(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> Iterator[TwoServers]:
    with (
        operating("--processes", "2", **urls) as first,
        operating("--processes", "2", **urls) as second,
    ):
        assert len(serving(database)) == 4
        yield TwoServers(database, line_to, first, second)
    assert audit(database.conn) == []


@pytest.fixture
def third_console(servers: TwoServers, urls: dict[str, str]) -> Iterator[Operator]:
    with Operator("console", **urls) as operator:
        operator.wait_for("This is the operator's console.", "operator>")
        yield operator


def book(line: LineClient, day: str, **args: Any) -> str:
    """Book, and return the reference."""
    return str(line.call("book", travel_date=day, **TRIP, **args)["reference"])


def test_a_message_of_a_client_is_shown_at_every_console(
    servers: TwoServers, third_console: Operator
) -> None:
    for n, line in enumerate(servers.lines()):
        if n % 2:
            transcript(line, f"> say This is number {n}.\nSent to the operator.")
        else:
            assert line.call("say", text=f"This is number {n}.") == {}
    for console in (servers.console, servers.other_console, third_console):
        console.wait_for(*(f"This is number {n}." for n in range(4)))


def test_notices_of_operators_reach_the_clients_of_every_process(
    servers: TwoServers, third_console: Operator, database: Database
) -> None:
    day = travel_day(database)
    lines = program, text, other_program, other_text = servers.lines()
    for line in (text, other_text):
        transcript(line, "> say hello\nSent to the operator.")
    _, number = (
        servers.other_console.wait_for_match(r"message (\d+) from client \d+: hello") for _ in range(2)
    )
    book(program, day, seats=[1])
    reference = book(other_program, day, seats=[2])
    transcript(text, f"> status {reference} {ASHA}\nBooked: {reference}")
    for _ in range(5):
        text.receive()
    servers.console.type_line(f"trip 1 {day} From platform 3.")
    for line in (program, other_program):
        assert line.notification()[1]["text"] == "From platform 3."
    assert message_to(text) == "From platform 3."
    servers.other_console.type_line(f"reply {number} To you alone.")
    assert message_to(other_text) == "To you alone."
    third_console.type_line("all Good evening.")
    for line in lines:
        assert b"Good evening." in line.receive()  # and nothing else before it


def test_a_missed_notice_is_shown_at_the_other_server(servers: TwoServers, database: Database) -> None:
    program, _, _, other = servers.lines()
    reference = book(program, travel_day(database), seats=[1])
    servers.other_console.type_line("connections on")
    servers.other_console.wait_for("Clients that connect or disconnect are shown.")
    program.close()
    servers.other_console.wait_for("disconnected")
    servers.console.type_line(f"to {reference} The bus is red.")
    servers.other_console.wait_for(f"operator to {reference}: The bus is red.")
    assert other.call("booking", reference=reference, phone=ASHA)["status"] == "booked"
    assert other.notification()[1]["text"] == "The bus is red."


def test_a_cancellation_at_one_server_promotes_a_client_of_the_other(
    servers: TwoServers, database: Database
) -> None:
    day = travel_day(database)
    holder, _, waiting, _ = servers.lines()
    reference = book(holder, day, count=6)
    book(waiting, day, count=3, waitlist=True)
    holder.call("cancel", reference=reference, phone=ASHA)
    method, params = waiting.notification()
    assert (method, params["status"]) == ("booking_changed", "booked")


def test_killed_processes_are_replaced(
    servers: TwoServers, third_console: Operator, database: Database
) -> None:
    ports = (servers.port, servers.other_port)
    killed = [serving(database, port)[0] for port in ports]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_for_end(killed)
    for port in ports:
        wait_until(lambda port=port: len({*serving(database, port)} - {*killed}) == 2)
    for n, line in enumerate(servers.lines()):
        line.call("say", text=f"This is number {n}.")
    third_console.wait_for(*(f"This is number {n}." for n in range(4)))


def test_one_server_ends_and_the_other_continues(
    servers: TwoServers, third_console: Operator, database: Database
) -> None:
    program, text, *others = servers.lines()
    for line in (text, *others):
        transcript(line, "> say hello\nSent to the operator.")
    assert program.call("ping")["server"] == "busware"
    servers.console.type_line("exit")
    assert text.receive() == b"Server: I am going down now. Good-bye."
    assert text.receive() == b"" == program.receive()
    assert servers.console.wait_for_exit() == 0
    for console in (servers.other_console, third_console):
        console.wait_for(*[f"server 127.0.0.1:{servers.port}", " disconnected"] * 2)
    assert len(serving(database)) == 2
    third_console.type_line("exit")
    assert third_console.wait_for_exit() == 0
    servers.other_console.type_line("all We go on.")
    for line in others:
        assert line.receive() == b"Server: We go on."


def test_disabled_account_is_signed_out_in_every_process(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    """The processes read a session again only after a change notification."""
    never = {"BUSWARE_TOKEN_RECHECK_SECONDS": "3600", "BUSWARE_REREAD_SECONDS": "3600"}
    with operating("--processes", "2", **urls, **never) as (_, port):
        database.query("SELECT api.add_operator('boss', '', 'KSRTC'), api.add_operator('ravi', '', 'KSRTC')")
        for username in ("boss", "ravi"):
            digest = hashlib.sha256(username.encode()).digest()
            database.query("SELECT api.store_token(%s, %s, interval '1 day', 50)", username, digest)
        lines = on_each_process(database, port, line_to)
        for line in lines:
            assert line.call("login", token="ravi")["operator"] == "KSRTC"
            assert line.call("bookings") == {"bookings": []}
        boss = line_to(port)
        boss.call("login", token="boss")
        assert boss.call("put_staff", username="ravi", active=False)["active"] is False
        for line in lines:
            wait_until(lambda line=line: "data" in line.call("bookings"))
            assert line.call("bookings")["data"]["reason"] == "not_signed_in"
