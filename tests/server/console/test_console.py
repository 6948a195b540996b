"""The operator's console in a pseudo-terminal: the server's own, and the subcommand `console`."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pexpect
import pytest

from busware.server.conversation.words import day_of
from busware.server.embedded.data_folder import read_urls
from tests.conftest import Database, LineClient
from tests.support.line_client import wait_until
from tests.support.operator import CTRL_C, CTRL_D, PROJECT, Operator, operating
from tests.support.processes import ServerProcess, running_on
from tests.support.transcript import ASHA, message_to, transcript

pytestmark = pytest.mark.system

TRIP = {"bus_id": 1, "origin": "Bengaluru", "destination": "Mysuru", "phone": ASHA}


def test_console_shows_clients_and_exchanges_messages_with_them(
    urls: dict[str, str], line_to: Callable[[int], LineClient]
) -> None:
    with operating(**urls) as (operator, port):
        operator.type_line("connections on")
        operator.wait_for("Clients that connect or disconnect are shown.")
        asha = line_to(port)
        number = operator.wait_for_match(r"client (\d+) connected from 127\.0\.0\.1:\d+")
        transcript(asha, "> say Where is my bus?\nSent to the operator.")
        operator.wait_for(f"client {number}: Where is my bus?")
        operator.type_line(f"to {number} At the corner.")
        assert message_to(asha) == "At the corner."
        operator.wait_for(f"operator to client {number}: At the corner.")
        ravi = line_to(port)
        other = operator.wait_for_match(r"client (\d+) connected")
        transcript(ravi, "> say And mine?\nSent to the operator.")
        operator.wait_for(f"client {other}: And mine?")
        operator.type_line("reply Behind it.")
        assert message_to(ravi) == "Behind it."
        operator.type_line("all We leave in five minutes.")
        operator.wait_for("Sent to 2 connected clients.")
        assert message_to(asha) == message_to(ravi) == "We leave in five minutes."
        transcript(asha, "> terminate\nSTOPPED")
        operator.wait_for(f"client {number} disconnected")
        operator.type_line("exit")
        assert ravi.receive() == b"Server: I am going down now. Good-bye."
        assert ravi.receive() == b""
        assert operator.wait_for_exit() == 0


def test_notice_to_a_trip_and_lists_of_the_console(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    with operating(**urls) as (operator, port):
        day = str(database.value("SELECT max(travel_date) FROM trips"))
        passenger = line_to(port)
        reference = passenger.call("book", travel_date=day, seats=[1], **TRIP)["reference"]
        operator.type_line(f"trip 1 {day} From platform 3.")
        operator.wait_for("Sent to the passengers of 1 booking (1 ticket).")
        assert b'"text":"From platform 3."' in passenger.receive()
        operator.type_line(f"to {reference} You have the best seat.")
        assert b'"text":"You have the best seat."' in passenger.receive()
        operator.wait_for(f"Sent to booking {reference} (1 ticket).")
        operator.type_line(f"trips {day}")
        operator.wait_for(
            "bus 1",
            "Bengaluru to Mysuru: 1 booked, 0 held, 0 waiting, 8 seats",
            "Trips with tickets or a waitlist: 1. Other open trips: ",
        )
        operator.type_line("clients")
        operator.wait_for("json", reference, "Connected clients: 1.")
        held = passenger.call("hold", travel_date=day, seats=[2], **TRIP)["reference"]
        passenger.call("release", reference=held, phone=TRIP["phone"])
        operator.type_line("stats")
        operator.wait_for(f"server 127.0.0.1:{port}, process {operator.child.pid}", "clients: 1")
        operator.wait_for("1 booked, 1 released")
        operator.type_line("messages")
        operator.wait_for(f"operator to {reference}: You have the best seat.")


INVALID_COMMANDS = {  # line: the message that it gets
    "hello everybody": '"hello" is not a command. Nothing was sent.',
    "to 4711 hello": "There is no client 4711.",
    "to NOSUCH1 hello": "There is no booking NOSUCH1.",
    "to 7": "Usage: to NUMBER|REFERENCE TEXT.",
    "all": "Usage: all TEXT.",
    "trip 1 someday hello": '"someday" is not a date such as',
    "trip one tomorrow hello": "Usage: trip BUS DATE TEXT.",
    "trip 99 tomorrow hello": "There is no bus 99.",
    "trip 99 5 dec hello": "There is no bus 99.",
    "reply hello": "No message waits for a reply.",
    "reply 4711 hello": "No message 4711 waits for a reply",
    "connections": "Usage: connections on|off.",
    "trips someday": '"someday" is not a date such as',
    "manifest": "Usage: manifest BUS [DATE].",
    "manifest 1 someday": '"someday" is not a date such as',
    "manifest 99": "There is no bus 99.",
    "chart": "Usage: chart BUS [DATE].",
    "chart 99": "There is no bus 99.",
    "cancel 1 tomorrow": "Usage: cancel BUS DATE REASON.",
    "cancel one tomorrow Landslide": "Usage: cancel BUS DATE REASON.",
    "cancel 1 someday Landslide": '"someday" is not a date such as',
    "cancel 99 tomorrow Landslide": "There is no bus 99.",
    "cancel 99 on 5 dec Landslide": "There is no bus 99.",
    "cancel 1 5 dec": "Usage: cancel BUS DATE REASON.",
    f"cancel 1 tomorrow {'x' * 201}": "A reason has up to 200 characters.",
    f"all {'x' * 2001}": "A message is up to 2000 characters on one line.",
}


def test_invalid_command_gets_a_message_and_sends_nothing(attached: Operator, database: Database) -> None:
    for line, problem in INVALID_COMMANDS.items():
        attached.type_line(line)
        attached.wait_for(problem)
    assert database.value("SELECT count(*) FROM messages") == 0
    attached.type_line("help")
    attached.wait_for(
        "to NUMBER|REFERENCE TEXT", "all TEXT", "trip BUS DATE TEXT", "clients", "trips", "stats", "exit"
    )


def test_help_fits_80_columns(attached: Operator) -> None:
    attached.type_line("?")
    shown = attached.wait_for_match(r"(?s)(  to NUMBER.*)\n  DATE is ")
    assert [line for line in shown.splitlines() if len(line) > 80] == []


@pytest.fixture
def attached(urls: dict[str, str]) -> Iterator[Operator]:
    """A console in a process of its own, on the database of the test."""
    with Operator("console", **urls) as operator:
        operator.wait_for("This is the operator's console.", "operator>")
        yield operator


def test_stats_say_what_is_not_sent_and_since_when(attached: Operator, database: Database) -> None:
    for at in ("2026-11-30 12:00+00", "2026-11-29 12:00+00"):
        database.query("SELECT api.enqueue('sms', '{}')")
        database.query("UPDATE outbox SET created_at = %s WHERE created_at > %s RETURNING 1", at, at)
    attached.type_line("stats")
    attached.wait_for("not sent, see", "2 sms waiting since Sun 29 Nov 17:30")  # in the server's time zone


def test_escape_sequences_of_a_client_are_removed(
    urls: dict[str, str], attached: Operator, database: Database
) -> None:
    evil = "\\x1b]0;gone\\x07\\x1b[2J\\u202e"
    database.query("ALTER TABLE messages DROP CONSTRAINT messages_body_check")
    database.query(f"SELECT api.insert_message(ROW(NULL, NULL, NULL, E'client{evil} 1', 'operators', NULL,"
                   f" NULL, NULL, E'REF{evil}', NULL, NULL, E'boo{evil}!')::messages)")  # fmt: skip
    attached.wait_for_match(r"(client\]0;gone\[2J 1 \[REF\]0;gone\[2J\]: boo\]0;gone\[2J!)")


def test_message_right_after_registration_is_shown(urls: dict[str, str], database: Database) -> None:
    say = (
        "PERFORM api.insert_message(ROW(NULL, NULL, NULL, 'client 1', 'operators', NULL, NULL, NULL, NULL,"
        " NULL, NULL, 'You are here!')::messages); RETURN NEW"
    )
    database.query(f"CREATE FUNCTION greet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {say}; END $$")
    database.query("CREATE TRIGGER greet AFTER INSERT ON processes FOR EACH ROW EXECUTE FUNCTION greet()")
    with Operator("console", **urls) as late:
        before = late.wait_for_match(r"(?s)(.*)client 1: You are here!")
        assert " connected" not in before  # its own registration is not shown


def test_console_does_not_report_its_own_reconnection(attached: Operator, database: Database) -> None:
    (number,) = database.query("SELECT process_no FROM processes WHERE role = 'console'")
    attached.type_line("all Before.")
    attached.wait_for("to all: Before.")
    name = "application_name = 'busware listener'"
    database.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {name}")
    registered_again = "SELECT 1 FROM processes WHERE role = 'console' AND process_no > %s"
    wait_until(lambda: database.query(registered_again, number))
    attached.type_line("all After.")
    assert "disconnected" not in attached.wait_for_match(r"(?s)(.*)to all: After\.")


def test_events_read_together_are_shown_in_order(attached: Operator, database: Database) -> None:
    """The connection is shown before the message, and the disconnection after it."""
    attached.type_line("connections on")
    attached.wait_for("are shown.")
    (number,) = database.query("SELECT process_no FROM processes")
    say = "SELECT api.send_message('hello', gen_random_uuid(), '127.0.0.1', 60, %s, 7, '127.0.0.1:4711')"
    with database.conn.transaction():
        database.query(say, number)
        database.query("SELECT api.presence(%s, '[]', '{7}')", number)
    attached.wait_for("connected from 127.0.0.1:4711", ": hello", " disconnected")


def test_messages_and_clients_are_shown_across_servers_and_consoles(
    urls: dict[str, str], attached: Operator, line_to: Callable[[int], LineClient]
) -> None:
    with operating(**urls) as (operator, port), ServerProcess("0", **urls) as other:
        attached.wait_for(
            f"server 127.0.0.1:{port}", " connected", f"server 127.0.0.1:{other.port}", " connected"
        )
        here, there = line_to(port), line_to(other.port)
        transcript(here, "> say I am here.\nSent to the operator.")
        transcript(there, "> say I am there.\nSent to the operator.")
        attached.wait_for("I am here.", "I am there.")
        operator.wait_for("I am here.")
        number = operator.wait_for_match(r"message (\d+) from client \d+: I am there\.")
        attached.type_line("all Good morning.")
        assert message_to(here) == message_to(there) == "Good morning."
        operator.wait_for("operator to all: Good morning.")
        operator.type_line(f"reply {number} To you there.")
        assert message_to(there) == "To you there."
        other.end(signal.SIGTERM)
        assert there.receive() == b"Server: I am going down now. Good-bye."
        for console in (operator, attached):
            console.wait_for(f"server 127.0.0.1:{other.port}", " disconnected")
        attached.type_line("exit")
        assert attached.wait_for_exit() == 0
        operator.wait_for("console in process", " disconnected")
        transcript(here, "> say Still here.\nSent to the operator.")
        operator.wait_for("Still here.")


# Messages without a reply ----------------------------------------------------------------------


def ask(database: Database, text: str, connection_no: int, reference: str | None = None) -> int:
    """Send the operators a message, as a client of the only process; return the number of the message."""
    (process,) = database.query("SELECT process_no FROM processes")
    database.query(
        "SELECT api.send_message(%s, gen_random_uuid(), '127.0.0.1', 60, %s, %s, 'an address', 'text', %s)",
        text, process, connection_no, reference,
    )  # fmt: skip
    return int(database.value("SELECT max(message_id) FROM messages"))


def test_message_of_a_client_stands_out_and_clients_are_counted(
    urls: dict[str, str], line_to: Callable[[int], LineClient]
) -> None:
    with operating(**urls) as (operator, port):
        operator.wait_for("clients: 0, unanswered: 0")
        asha = line_to(port)
        transcript(asha, "> say Where is my bus?\nSent to the operator.")
        before = operator.wait_for_match(
            r"(?s)(.*)\n\d\d:\d\d:\d\d  message \d+ from client \d+: Where is my bus\?"
        )
        assert "connected" not in before  # and an empty line is before the message
        operator.wait_for("clients: 1, unanswered: 1")
        operator.type_line("reply At the corner.")
        assert message_to(asha) == "At the corner."
        operator.wait_for(": At the corner.", "clients: 1, unanswered: 0")


def test_clients_that_connect_are_shown_until_that_is_switched_off(
    urls: dict[str, str], line_to: Callable[[int], LineClient]
) -> None:
    with operating(**urls) as (operator, port):
        operator.type_line("connections on")
        operator.wait_for("are shown.")
        first = line_to(port)
        number = operator.wait_for_match(r"client (\d+) connected from 127\.0\.0\.1:\d+")
        operator.type_line("connections off")
        operator.wait_for("are not shown.")
        transcript(first, "> terminate\nSTOPPED")
        transcript(line_to(port), "> say Hello.\nSent to the operator.")
        assert f"client {number} disconnected" not in operator.wait_for_match(r"(?s)(.*)Hello\.")


def test_reply_goes_to_the_message_with_its_number(attached: Operator, database: Database) -> None:
    first, second = ask(database, "Which platform?", 7), ask(database, "Which bus?", 8)
    attached.wait_for("Which platform?", "Which bus?")
    attached.type_line("unanswered")
    attached.wait_for(f"message {first} from client", f"message {second} from client")
    attached.wait_for("Messages without a reply: 2.")
    attached.type_line(f"reply {first}   Platform 3.")
    attached.wait_for(f", in reply to message {first}: Which platform?")
    attached.type_line(f"reply {first} Again.")
    attached.wait_for(f"No message {first} waits for a reply")
    attached.type_line("reply Bus 7.")
    attached.wait_for(f", in reply to message {second}: Which bus?")
    sent = "SELECT client_no, body FROM messages WHERE audience = 'client' ORDER BY message_id"
    asked = "SELECT client_no FROM messages WHERE audience = 'operators' ORDER BY message_id"
    assert database.query(sent) == [*zip(database.query(asked), ("Platform 3.", "Bus 7."), strict=True)]
    attached.type_line("unanswered")
    attached.wait_for("Messages without a reply: 0.")


def test_reply_without_a_number_is_refused_while_messages_of_several_senders_wait(
    attached: Operator, database: Database
) -> None:
    first, second = ask(database, "Which platform?", 7), ask(database, "Which bus?", 8)
    attached.wait_for("Which platform?", "Which bus?")
    attached.type_line("reply Platform 3.")
    attached.wait_for(
        f"Messages {first} and {second} wait for a reply. Type the number of one before your text: ",
        f"reply {second} TEXT.",
    )
    assert database.query("SELECT count(*) FROM messages WHERE audience = 'client'") == [0]


def test_reply_says_that_the_sender_has_left(attached: Operator, database: Database) -> None:
    number = ask(database, "Hello?", 7)
    attached.wait_for("Hello?")
    (process,) = database.query("SELECT process_no FROM processes")
    database.query("SELECT api.presence(%s, '[]', '{7}')", process)
    for line in (f"reply {number} Good morning.", "reply Good morning."):
        attached.type_line(line)
        attached.wait_for("is not connected and has no booking. A reply cannot reach it.")
    assert database.query("SELECT count(*) FROM messages WHERE audience = 'client'") == [0]


def test_reply_answers_the_other_messages_of_its_client(attached: Operator, database: Database) -> None:
    first, second, third = (ask(database, f"Hello {word}?" + " Well" * 20, 7) for word in ("a", "b", "c"))
    attached.wait_for("Hello a?", "Hello b?", "Hello c?")
    attached.type_line(f"reply {second} Yes.")
    attached.wait_for(f", in reply to message {second}: Hello b? Well", " …\n")
    attached.wait_for(
        f"Messages {first} and {third} of the same sender no longer wait for a reply. To add one"
    )
    attached.wait_for("unanswered: 0")


def test_new_console_says_which_messages_have_no_reply(
    urls: dict[str, str], attached: Operator, database: Database
) -> None:
    number = ask(database, "Is anybody there?", 7)
    attached.wait_for("Is anybody there?")
    with Operator("console", **urls) as late:
        late.wait_for('Messages without a reply: 1. The command "unanswered" lists them.')
        late.type_line("unanswered")
        late.wait_for(f"message {number} from client", ": Is anybody there?")
        late.type_line("reply I am.")
        late.wait_for(": I am.")
        attached.wait_for(": I am.", "unanswered: 0")


def test_only_messages_that_can_get_a_reply_wait_for_one(
    attached: Operator, database: Database, line_to: Callable[[int], LineClient]
) -> None:
    (process,) = database.query("SELECT process_no FROM processes")
    ask(database, "I leave.", 7)
    with_booking = ask(database, "I have a booking.", 8, "NOSUCH1")
    database.query("SELECT api.presence(%s, '[]', '{7, 8}')", process)
    assert [m["message_id"] for m in database.value("SELECT api.unanswered_messages()")] == [with_booking]
    assert database.value("SELECT api.unanswered_messages(0)") == []


# Trips -----------------------------------------------------------------------------------------

DAY = "SELECT max(travel_date) FROM trips WHERE bus_id = 1"


def test_manifest_lists_passengers_by_stop(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    day = str(database.value(DAY))
    with operating(**urls) as (operator, port):
        operator.type_line(f"manifest 1 {day}")
        shown = day_of(date.fromisoformat(day))
        operator.wait_for(f"(1), travel date {shown}", "No passenger has a booked ticket.")
        booking = line_to(port).call("book", travel_date=day, seats=[1], **TRIP)
        operator.type_line(f"manifest 1 {day}")
        operator.wait_for("Bengaluru", f"boards   seat 1: +919845012345, {booking['reference']}/1")
        operator.wait_for("Mysuru", "alights  seat 1", "free from here: 1")
        operator.type_line(f"chart 1 {day}")
        operator.wait_for("Ramanagara", f"1  [{booking['reference']}", "taken  1")
        operator.type_line("manifest 1 1999-12-31")
        operator.wait_for("has no trip on 1999-12-31. The nearest: ")


@pytest.mark.parametrize("answer", ["no\r", "perhaps\rn\r", CTRL_C])
def test_trip_is_not_cancelled_without_a_yes(attached: Operator, database: Database, answer: str) -> None:
    attached.type_line(f"cancel 1 {database.value(DAY)} Landslide.")
    attached.wait_for("0 tickets of 0 bookings, refund 0.00", "Cancel this trip? (yes or no)")
    attached.child.send(answer)
    attached.wait_for("The trip is not cancelled.", "operator>")
    assert database.value("SELECT count(*) FROM trips WHERE state = 'cancelled'") == 0


def test_trip_is_cancelled_and_its_passengers_get_a_message(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    day = str(database.value(DAY))
    with operating(**urls) as (operator, port):
        passenger = line_to(port)
        booking = passenger.call("book", travel_date=day, seats=[1, 2], **TRIP)
        passenger.call("hold", travel_date=day, seats=[3], **TRIP)
        operator.type_line(f"cancel 1 {day} The bridge is closed.")
        operator.wait_for("bus 1, ", "departs ", f": 3 tickets of 2 bookings, refund {booking['fare']}")
        operator.wait_for("Cancel this trip? (yes or no)")
        operator.type_line("yes")
        operator.wait_for(f"The trip is cancelled: 3 tickets, {booking['fare']} refunded.")
        for _ in range(2):
            pushed = json.loads(passenger.receive())["params"]
            assert (pushed["status"], pushed["why"]) == ("cancelled", "The bridge is closed.")
        operator.type_line(f"cancel 1 {day} Again.")
        operator.wait_for("The trip is already cancelled. The bridge is closed.")
    assert database.query("SELECT * FROM api.audit()") == []


def test_past_trip_cannot_be_cancelled(attached: Operator, database: Database) -> None:
    database.query("SELECT api.add_trip(1, DATE '2020-01-01')")
    attached.type_line("cancel 1 2020-01-01 Landslide.")
    attached.wait_for("The trip has ended.", "operator>")


# The end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["exit", "quit", CTRL_D, CTRL_C, signal.SIGTERM, signal.SIGHUP])
def test_exit_command_key_or_signal_ends_the_console_and_stops_the_server(
    data_folder: Path, line_to: Callable[[int], LineClient], way: str | signal.Signals
) -> None:
    with operating("--data", str(data_folder)) as (operator, port):
        client = line_to(port)
        transcript(client, "> say hello\nSent to the operator.")
        operator.wait_for("hello")
        if isinstance(way, signal.Signals):
            operator.child.kill(way)
        else:
            operator.child.send(f"{way}\r" if way.isalpha() else way)
        assert client.receive() == b"Server: I am going down now. Good-bye."
        assert operator.wait_for_exit() == 0
        assert "Traceback" not in operator.unmatched
    assert running_on(data_folder) == []


def test_attached_console_survives_the_end_of_the_server(
    data_folder: Path, line_to: Callable[[int], LineClient]
) -> None:
    here = ("--data", str(data_folder))
    with operating(*here) as (operator, port), Operator("console", *here) as attached:
        attached.wait_for("This is the operator's console.")
        operator.wait_for("console in process", " connected")
        transcript(line_to(port), "> say hello\nSent to the operator.")
        attached.wait_for("hello")
        operator.type_line("exit")
        assert operator.wait_for_exit() == 0
        attached.wait_for(" disconnected")
        attached.type_line("exit")
        assert attached.wait_for_exit() == 0


def test_log_lines_appear_above_the_prompt(urls: dict[str, str], database: Database) -> None:
    with operating(**urls) as (operator, _):
        operator.child.send("all We le")
        operator.wait_for("all We le")
        kill = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%% listener'"
        )
        database.query(kill)
        operator.wait_for("WARNING busware.listener", "operator> all We le")
        operator.type_line("ave now.")
        operator.wait_for("operator to all: We leave now.")


# No terminal -----------------------------------------------------------------------------------


def test_no_console_without_a_terminal(urls: dict[str, str]) -> None:
    with ServerProcess("0", **urls) as server:
        status, output = server.end(signal.SIGTERM)
    assert status == 0
    assert "operator" not in output
    asked = subprocess.run(
        [sys.executable, "-m", "server", "console"],
        cwd=PROJECT,
        input="help\n",
        capture_output=True,
        text=True,
    )
    assert (asked.returncode, asked.stderr) == (1, "busware: the console needs a terminal.\n")


def test_server_in_the_background_does_not_read_the_terminal(data_folder: Path) -> None:
    """The kernel would stop a background job that reads from its terminal."""
    plain = {"TERM": "dumb", "BUSWARE_SEED": "false", "BUSWARE_HTTP_PORT": "0", "PATH": os.environ["PATH"]}
    shell = pexpect.spawn("/bin/bash", ["--norc", "-i"], cwd=str(PROJECT), timeout=60, env=plain)
    try:
        shell.sendline(f"'{sys.executable}' -m server 0 --data {data_folder} &")
        shell.expect_exact("Ctrl-C stops it")
        shell.sendline("jobs")
        shell.expect_exact("Running")
        shell.sendline("kill %1; wait; echo all is ov''er")
        shell.expect_exact("all is over")
    finally:
        shell.close(force=True)
    assert running_on(data_folder) == []


def test_console_reports_a_database_without_a_server(tmp_path: Path) -> None:
    with Operator("console", "--data", str(tmp_path)) as operator:
        assert operator.wait_for_exit() == 1
        assert f"No server runs on {tmp_path}" in operator.unmatched


def test_console_reports_a_stopped_server(data_folder: Path) -> None:
    with ServerProcess("0", "--data", str(data_folder), BUSWARE_HTTP_PORT="0") as server:
        server.end(signal.SIGTERM)
    assert read_urls(data_folder)
    with Operator("console", "--data", str(data_folder)) as operator:
        assert operator.wait_for_exit() == 1
        assert f"No server runs on {data_folder}" in operator.unmatched


def test_password_is_asked_until_it_is_valid(urls: dict[str, str]) -> None:
    """Input typed during the message about a short password must not reach the shell."""
    command = [sys.executable, "-m", "server", "operator", "add", "boss"]
    plain = {"TERM": "dumb", "PATH": os.environ["PATH"], **urls}
    adding = pexpect.spawn(command[0], command[1:], cwd=str(PROJECT), timeout=60, env=plain)
    for first, again, message in (
        ("short", None, "at least 8 characters"),
        ("long enough", "not the same", "are different"),
    ):
        adding.expect_exact("New password for boss:")
        adding.sendline(first)
        if again:
            adding.expect_exact("Repeat the password:")
            adding.sendline(again)
        adding.expect_exact(message)
    for asked in ("New password for boss:", "Repeat the password:"):
        adding.expect_exact(asked)
        adding.sendline("long enough")
    adding.expect_exact("was created")
    adding.expect(pexpect.EOF)
    adding.close()
    assert adding.exitstatus == 0
