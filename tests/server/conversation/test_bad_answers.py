"""Bad answers to every question of every dialogue: each gets a sentence, and the conversation goes on."""

import logging
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import psycopg
import pytest

from busware.server.conversation import flights, shows
from busware.server.conversation.dialogue import RETRY_QUESTION
from busware.server.protocol import Caller
from busware.server.tcp import plain_replies
from busware.server.tcp.plain_text import PlainText, RequestFailed
from tests.conftest import Cluster, Database, LineClient
from tests.support.project import PROJECT
from tests.support.transcript import ASHA, TRAVEL_DAY, transcript

pytestmark = pytest.mark.settings(attempts_per_address=10**6, token_recheck_seconds=0.001)

BAD_ANSWERS = [
    "", " ", "\t", "\0", "\x1b[2J", "\x7f", "\u202e", "\u2028", "é", "½", "٣", "x" * 10_000, "9" * 10_000,
    "0001-01-01", "0000-01-01", "9999-12-31", "10000-01-01", "31 feb", "31.12.9999", "1/1/0001", "dec 99",
    "+9999", "in 9999 days", "+99999", "yesterday", "24:00", "-1", "0", "1-99999", "99999-1", "1-100",
    "2147483648", "9223372036854775808", "1e9", "nan", "best 999", "best 0", "#1", "+", ",", "'", "%s{}",
    "help", "?", "say", "USA,IND,9999-12-31,10:00", "A" * 18, "A" * 19, "AAAAAA 1", "99 nights",
]  # fmt: skip
# Answers that take minutes if a parser reads the rest of the line again at each character or word.
BAD_ANSWERS += [
    (part * 60_000)[:60_000] for part in (",", " , ", "a ", "1 2 ", "and ", "& ", "10:00 ", "'", "mysuru ")
]
BAD_ANSWERS += [f"{number}{' ' * 60_000}x" for number in ("1", "9845012345", "9845012345,", "none", "a")]
LONG_LINES = (
    flights.PROMPT,  # programs rely on it
    "is not a phone number, such as 98450 12345 or +44 20 7946 0958.",  # programs get this message too
)
BOOK_BUS = ["bus", "reservation", TRAVEL_DAY, "any", "any", "bangalore", "mysuru", "1", "best 1", ASHA]
DIALOGUES = [  # a good answer to each question, up to the last one
    BOOK_BUS,
    ["bus", "cancellation", "$ref", ASHA],
    ["flight", "choose", "2026-12-15", "usa", "ind", "701", "best 1", ""],
    ["show", "2"],
    ["hotel", "8 dec", "2", "best 1", ""],
    ["status", "$ref"],
    ["cancel", "$ref", ASHA],
    ["change", "$ref", ASHA],
    ["find", ASHA, TRAVEL_DAY],
    ["say"],
]
ARGUMENTS = [
    "",
    "flight ",
    "show ",
    "show 18:30 ",
    "status ",
    "cancel ",
    "change ",
    "find ",
    "hotel ",
    "bus ",
]


@pytest.fixture(scope="module")
def template(cluster: Cluster, template: str) -> Iterator[str]:
    """The template database with the services of all kinds."""
    with cluster.database("kinds", template_dbname=template, as_template=True):
        with psycopg.connect(cluster.urls("kinds")[0], autocommit=True) as conn:
            for seed in ("97_seed_flights", "98_seed_theatre", "99_seed_hotel"):
                conn.execute((PROJECT / "sql" / f"{seed}.sql").read_bytes())
        yield "kinds"


@pytest.fixture
def converse(server: SimpleNamespace) -> Callable[[], Callable[[str], list[str]]]:
    """A function that ends the last conversation and begins one; it returns a function that sends a line."""

    def log_error(what: str) -> RequestFailed:
        logging.exception(what)
        return RequestFailed(what)

    conversations: list[PlainText] = []

    def begin() -> Callable[[str], list[str]]:
        for conversation in conversations:
            conversation.close()
        text = PlainText(
            lambda request: server.operations.perform(request, Caller()), server.tcp.now, log_error
        )
        conversations[:] = [text]
        return lambda line: text.handle_line(line.encode()).decode().splitlines()

    return begin


@pytest.mark.parametrize("answers", DIALOGUES, ids=lambda answers: " ".join(answers[:2]))
def test_bad_answer_gets_a_sentence(
    converse: Callable[[], Callable[[str], list[str]]],
    connect: Callable[[], LineClient],
    database: Database,
    caplog: pytest.LogCaptureFixture,
    answers: list[str],
) -> None:
    book = {"bus_id": 1, "travel_date": TRAVEL_DAY, "from_stop": 1, "to_stop": 2}
    reference = connect().call("book", **book, seats=[1, 2], phone=ASHA)["reference"]
    path = [answer.replace("$ref", reference) for answer in answers]
    asked = set()
    for length in range(1, len(path) + 1):
        question = ""
        for bad in BAD_ANSWERS:
            if not question:  # the last answer was accepted, or ended the dialogue
                say = converse()
                *_, question = [say(line) for line in path[:length]][-1]
                asked.add(question)
            replies = say(bad)
            assert replies, f"{bad!r} got no reply at {question!r}"
            assert not any("Internal error" in reply for reply in replies), (question, bad)
            lines = [reply for reply in replies if not reply.endswith(LONG_LINES)]
            too_long = [line for line in lines if len(line) > plain_replies.WIDTH]
            assert too_long == []
            question = question if replies[-1] == question else ""
    assert len(asked) >= len(path)  # a question that names seats or an amount has several texts
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert database.query("SELECT * FROM api.audit()") == []


@pytest.mark.parametrize("command", ARGUMENTS)
def test_bad_argument_of_a_command_gets_a_sentence(
    converse: Callable[[], Callable[[str], list[str]]], caplog: pytest.LogCaptureFixture, command: str
) -> None:
    for bad in BAD_ANSWERS:
        replies = converse()(command + bad)
        assert replies, f"{command + bad!r} got no reply"
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_last_date_of_the_calendar_is_too_far_ahead(client_socket: LineClient) -> None:
    transcript(client_socket, "> hotel\nCheck-in date (2026-12-05, tomorrow, sat or 5 dec):")
    client_socket.send("9999-12-31")
    assert client_socket.receive().startswith(b"Fri 31 Dec 9999 is too far ahead. Sales are open up to ")
    transcript(client_socket, "Check-in date (2026-12-05, tomorrow, sat or 5 dec):")


def test_ended_session_is_reported(client_socket: LineClient, database: Database) -> None:
    client_socket.call("register", username="asha", password="correct horse battery")
    database.query("DELETE FROM tokens")
    for command in ("bus\nreservation", "show", "hotel", "find", "USA", "USA,IND,2026-12-15,10:00"):
        client_socket.send(command)
        while b"cancellation" in (line := client_socket.receive()):
            pass
        assert line == b"The token has expired or was revoked: log in again.", command
        if command != "USA":  # which begins no dialogue
            assert client_socket.receive().startswith(b"The dialogue has ended."), command


# Internal errors -------------------------------------------------------------------------------


def test_internal_error_of_a_dialogue_is_logged_and_the_conversation_goes_on(
    client_socket: LineClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(shows, "_parse_time_and_date", fail)
    client_socket.send("show")
    assert_logged_once(client_socket.receive().decode(), caplog)
    transcript(client_socket, "> bus\n1 reservation, 2 cancellation\nReservation or cancellation:")


def test_reply_that_cannot_be_drawn_is_replaced_and_the_dialogue_goes_on(
    client_socket: LineClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> str:
        raise ValueError("no columns")

    monkeypatch.setattr(plain_replies, "seat_map", fail)
    client_socket.send("\n".join(BOOK_BUS[:-2]))
    for line in iter(client_socket.receive, b""):
        if line.startswith(b"Internal error"):
            break
    assert_logged_once(line.decode(), caplog)
    transcript(
        client_socket,
        f"""
        Seat numbers, such as 1 2, or best 2 for any two:
        > 7
        Phone number:
        > {ASHA}
        Held: {{ref}}
        """,
    )


def test_internal_error_at_a_hold_releases_it(
    client_socket: LineClient, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    client_socket.send("\n".join(BOOK_BUS))
    for line in iter(client_socket.receive, b""):
        if line.startswith(b"Confirm"):
            break

    def fail(typed: str) -> bool:
        raise RecursionError(typed)

    monkeypatch.setattr("busware.server.conversation.dialogue.clean_text", fail)
    client_socket.send("perhaps")
    assert client_socket.receive().startswith(b"Internal error of the server.")
    assert client_socket.receive() == b"Your hold is released. Nothing was paid."
    assert database.query("SELECT DISTINCT status FROM passengers") == ["cancelled"]


def test_failed_request_can_be_sent_again(client_socket: LineClient, database: Database) -> None:
    database.query("ALTER FUNCTION api.places RENAME TO other")
    client_socket.send("show")
    assert client_socket.receive().startswith(b"Internal error of the server.")
    assert client_socket.receive().decode() == RETRY_QUESTION
    database.query("ALTER FUNCTION api.other RENAME TO places")
    client_socket.send("")
    assert client_socket.receive().startswith(b"How many seats?")


def assert_logged_once(sentence: str, caplog: pytest.LogCaptureFixture) -> None:
    found = re.fullmatch(
        r"Internal error of the server\. Its log has the details: request ([0-9a-f]{8})\.", sentence
    )
    assert found
    assert [found[1] in record.message for record in caplog.records if record.exc_info] == [True]
