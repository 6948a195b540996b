"""The terminal client on a pseudo-terminal of 80 × 24."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import Raw
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from busware.prompts import Choices, fit_keys, keys_of
from busware.server.conversation import WELCOME, Ask, Choice, answers
from busware.server.conversation.answers import ask_option
from busware.server.conversation.words import day_of
from tests.conftest import WAIT_SECONDS, Database, LineClient
from tests.support.processes import ServerProcess, kill
from tests.support.pushing import Console
from tests.support.traveller import (
    COLUMNS,
    CTRL_C,
    CTRL_D,
    ESCAPE,
    PROJECT,
    SEATS,
    STEPS,
    Traveller,
    client_environment,
    tomorrow,
)

pytestmark = pytest.mark.system

COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;\dm]")


@pytest.fixture(autouse=True)
def today(away_from_midnight: None, database: Database) -> None:
    """Let the database use the real time, as the client does, and put trips on sale from today."""
    database.query("CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz STABLE RETURN now()")
    database.query("SELECT api.open_sales(bus_id) FROM bus_info")


@pytest.fixture
def traveller(server: SimpleNamespace) -> Iterator[Callable[..., Traveller]]:
    travellers: list[Traveller] = []

    def start(**options: Any) -> Traveller:
        travellers.append(Traveller(server.port, **options))
        return travellers[-1]

    yield start
    for traveller in travellers:
        kill(traveller.child)


def test_reservation_cancellation_and_change_of_seat(
    traveller: Callable[..., Traveller], database: Database
) -> None:
    asha = traveller()
    asha.wait_for("Welcome to Busware")
    asha.answer(*STEPS)
    asha.wait_for(
        "Held for you", "Asha", "Fare 520.00", "Confirm within 10 minutes, before ", "Confirm, for 520.00?"
    )
    asha.type_line("yes")
    asha.wait_for("Ticket", "KSRTC Day Bus", "▀▀▀▀▀", "To see the booking: status ")
    ((reference, names),) = database.query(
        "SELECT reference, array_agg(name ORDER BY seat_no) FROM passengers GROUP BY 1"
    )
    assert names == ["Asha", None]
    asha.answer(
        ("What would you like?", "cancel"),
        (f"Reference of the booking (Enter: {reference})", ""),
        ("Which tickets?", "2"),
        ("Cancel ticket 2 (seat 4), and get 130.00 of 260.00 back?", "yes"),
    )
    asha.wait_for("(cancelled)", "Refunded 130.00", "Ticket 2 is cancelled. 130.00 is refunded.")
    asha.answer(
        ("What would you like?", f"change {reference} 98450 12345"),
        ("Which seat instead of seat 3?", "7"),
    )
    asha.wait_for("Ticket 1 has seat 7 now.", "What would you like?")
    assert database.query("SELECT seat_no FROM passengers WHERE status = 'booked'") == [7]
    asha.answer(
        ("", "alight"),
        (f"Reference of the booking (Enter: {reference})", ""),
        ("Where do you get off?", "2"),
        ("Get off at Mandya? Nothing is refunded.", "yes"),
    )
    asha.wait_for("Ticket 1 ends at Mandya. Seat 7 is for sale again from there on.", "What would you like?")
    asha.type_line("exit")
    assert asha.wait_for_exit() == 0


def test_new_fare_of_an_expired_hold_is_shown_and_asked_for(
    traveller: Callable[..., Traveller], database: Database
) -> None:
    asha = traveller()
    asha.answer(*STEPS)
    asha.wait_for("Confirm, for 520.00?")
    database.query("UPDATE route_table SET fare = 300 WHERE bus_id = 1 AND stop_no = 5")
    database.query("UPDATE passengers SET expires_at = now()")
    database.query("UPDATE trips SET settle_at = now() WHERE settle_at IS NOT NULL")
    asha.type_line("yes")
    asha.wait_for("The hold has expired", "for the new fare of 600.00?")
    asha.type_line("yes")
    asha.wait_for("Keep the reference.")
    assert database.query("SELECT kind, amount::text FROM payments") == [("charge", "300.00")] * 2


def test_typed_seats_are_marked_on_the_map(traveller: Callable[..., Traveller]) -> None:
    asha = traveller()
    asha.answer(*STEPS[:4])
    asha.wait_for(SEATS)
    asha.child.send("3 7")
    asha.wait_for("[ 3]", "[ 7]")


def test_escape_releases_the_hold(traveller: Callable[..., Traveller], database: Database) -> None:
    asha = traveller()
    asha.answer(*STEPS)
    asha.wait_for("Confirm, for")
    asha.child.send(ESCAPE)
    asha.wait_for("Phone number (Enter: 98450 12345, Asha; names may follow):")
    assert database.query("SELECT DISTINCT status FROM passengers") == ["cancelled"]
    asha.type_line("98450 54321")
    asha.wait_for("Held for you", "Confirm, for")


@pytest.mark.parametrize("leave", [CTRL_C, "quit\r"])
def test_leaving_a_dialogue_releases_the_hold(
    traveller: Callable[..., Traveller], database: Database, leave: str
) -> None:
    asha = traveller()
    asha.answer(*STEPS)
    asha.wait_for("Confirm, for")
    asha.child.send(leave)
    asha.wait_for(
        "Your hold is released.",
        "You left the dialogue.\r",
        "What would you like?",
    )
    assert database.query("SELECT DISTINCT status FROM passengers") == ["cancelled"]


@pytest.mark.parametrize("end", [CTRL_D, "STOP\r"])
def test_end_of_session_releases_the_hold(
    traveller: Callable[..., Traveller], database: Database, end: str
) -> None:
    asha = traveller()
    asha.answer(*STEPS)
    asha.wait_for("Confirm, for")
    asha.child.send(end)
    asha.wait_for("Your hold is released.", "Good-bye.")
    assert asha.wait_for_exit() == 0
    assert database.query("SELECT DISTINCT status FROM passengers") == ["cancelled"]


def test_places_are_completed_by_code_and_alias(traveller: Callable[..., Traveller]) -> None:
    asha = traveller()
    asha.answer(*STEPS[:1])
    asha.wait_for("From and to")
    asha.child.send("bangal")
    asha.wait_for("BLRU, Bangalore")
    asha.child.send("\t\r")
    asha.wait_for("From Bengaluru to:")


def test_first_menu_has_its_last_entry_on_the_screen(traveller: Callable[..., Traveller]) -> None:
    asha = traveller()
    asha.wait_for("What would you like?", "book seats on a bus, or cancel them", "list all commands", "end")


def test_command_that_the_menu_leaves_out_is_completed(traveller: Callable[..., Traveller]) -> None:
    asha = traveller()
    asha.answer(("What would you like?", "help more"))
    asha.wait_for("What would you like?")  # this question does not open its menu
    asha.child.send("tr")
    asha.wait_for("give a ticket to another name")


def test_menu_opens_below_a_full_screen(traveller: Callable[..., Traveller]) -> None:
    asha = traveller()
    asha.answer(("What would you like?", "help"), ("What would you like?", "help"))
    asha.wait_for("What would you like?")
    asha.child.send("\t")
    asha.wait_for("book seats on a bus, or cancel them", "find a lost reference")


@pytest.mark.parametrize("key", ["\t", "\x1b[B"])  # Tab, Down
def test_tab_and_down_open_the_menu_of_commands(traveller: Callable[..., Traveller], key: str) -> None:
    asha = traveller()
    asha.answer(("What would you like?", "help"))
    asha.wait_for("What would you like?")
    asha.child.send(key)
    asha.wait_for("book seats on a bus, or cancel them")
    asha.child.send("\r")
    asha.wait_for("From and to")


def test_arrow_up_recalls_the_answers_to_the_same_question(traveller: Callable[..., Traveller]) -> None:
    asha = traveller()
    asha.answer(("What would you like?", "bus bengaluru mysuru"), ("Date of journey", "tomorrow"))
    asha.answer(("Bus (Enter: 1;", "quit"))
    asha.wait_for("You left the dialogue.", "What would you like?")
    asha.child.send("\x1b[A\r")
    asha.wait_for("bus bengaluru mysuru", "Date of journey")


def test_matches_of_the_name_precede_matches_of_the_description() -> None:
    choices = Choices((Choice("flight", "step by step"), Choice("status", "show a booking"), Choice("show")))
    for typed, found in (("st", ["status", "flight"]), ("sh", ["show", "status"]), ("x", [])):
        assert [one.text for one in choices.get_completions(Document(typed), CompleteEvent())] == found


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("ban", ["Bengaluru"]),
        ("bengaluru my", ["bengaluru Mysuru"]),
        ("Bengaluru,mysore", ["Bengaluru,Mysuru"]),
        ("bengaluru to new d", ["bengaluru to New Delhi"]),
        ("new ", ["New Delhi"]),
        ("mysuru ", ["mysuru Bengaluru", "mysuru Mysuru", "mysuru New Delhi"]),
        ("mysuru x", []),
    ],
)
def test_last_one_of_several_places_is_completed(typed: str, completed: list[str]) -> None:
    places = (Choice("Bengaluru", "BLRU, Bangalore"), Choice("Mysuru", "MYSU, Mysore"), Choice("New Delhi"))
    found = Choices(places, several=True).get_completions(Document(typed), CompleteEvent())
    assert [typed[: len(typed) + one.start_position] + one.text for one in found] == completed


def test_numbered_choices_are_shown_with_their_numbers() -> None:
    question = ask_option("AC, NON_AC or any:", {"AC": True, "NON_AC": False, "any": None}, "ac", "")
    assert question.text == "1 AC, 2 NON_AC, 3 any\nAC, NON_AC or any:"  # in a pipe
    menu = Choices(question.choices, numbered=question.numbered)
    found = list(menu.get_completions(Document("a"), CompleteEvent()))
    assert [(one.display_text, one.text) for one in found] == [("1 AC", "AC"), ("3 any", "any")]


def test_toolbar_says_that_enter_answers_only_if_it_does() -> None:
    keys = ["Esc back", "? help", "Ctrl-C leave", "Ctrl-D end"]
    assert keys_of(Ask("Phone number:", answers.phone, "phone"), "") == keys
    assert keys_of(Ask("Phone number:", answers.optional(answers.phone), "phone"), "") == [
        "Enter answers", *keys,
    ]  # fmt: skip
    assert keys_of(Ask("Which room?", answers.phone, "seat"), "rooms") == [
        *keys[:2], "Arrows and Space mark rooms", "Ctrl-C leave",
    ]  # fmt: skip


def test_toolbar_of_a_narrow_screen_keeps_the_last_keys(traveller: Callable[..., Traveller]) -> None:
    asha = traveller(columns=60)
    asha.answer(*STEPS[:3])
    asha.wait_for("KSRTC Day Bus, non-AC seater", "Bus (")
    keys = ["Enter answers", "Esc back", "? help", "Ctrl-C leave", "Ctrl-D end"]
    assert fit_keys(keys, 80) == " Enter answers · Esc back · ? help · Ctrl-C leave · Ctrl-D end"
    assert fit_keys(keys, 60) == " Esc back · ? help · Ctrl-C leave · Ctrl-D end"
    assert fit_keys(keys, 5) == " Ctrl-D end"


def test_map_is_shown_again_if_a_seat_is_sold_meanwhile(
    traveller: Callable[..., Traveller], database: Database, connect: Callable[[], LineClient]
) -> None:
    asha = traveller()
    asha.answer(*STEPS[:-1])
    asha.wait_for("Phone number (")
    trip = {"bus_id": 1, "travel_date": tomorrow(), "origin": "Bengaluru", "destination": "Mysuru"}
    connect().call("book", **trip, seats=[4], phone="98800 99000")
    asha.type_line(STEPS[-1][1])
    asha.wait_for("××", "╰", "Seat 4 is taken", SEATS)
    asha.type_line("3 7")
    asha.wait_for("Held for you", "Asha", "Confirm, for 520.00?")


def test_full_bus_offers_its_waitlist(
    traveller: Callable[..., Traveller],
    pushing: SimpleNamespace,
    database: Database,
    connect: Callable[[], LineClient],
) -> None:
    trip = {"bus_id": 1, "travel_date": tomorrow(), "origin": "Bengaluru", "destination": "Mysuru"}
    other = connect()
    other.call("book", **trip, seats=[1, 2, 3, 4], phone="98800 99000")
    taken = other.call("book", **trip, seats=[5, 6, 7, 8], phone="98800 99000")
    asha = traveller()
    asha.answer(
        *STEPS[:3],
        ("Bus (Enter: 2;", "1"),  # bus 1 is full
        ("How many seats do you want?", "1"),
        ("Phone number (", "98450 12345, Asha"),
        ("Wait for 1 seat at 260.00 each", "yes"),
    )
    asha.wait_for("On the waitlist", "Position 1 on the waitlist", "You get a message")
    other.call("cancel", reference=taken["reference"], phone="98800 99000", tickets=[1])
    asha.wait_for("You have 1 seat from the waitlist. 260.00 is charged.")
    asha.wait_for("(bus 1, seat 5) from Bengaluru to Mysuru", "Status: Booked, fare 260.00.")


def test_long_call_shows_a_spinner(traveller: Callable[..., Traveller], database: Database) -> None:
    asha = traveller()
    asha.answer(*STEPS[:-1])
    asha.wait_for("Phone number (")
    with database.connect(autocommit=False) as operator:
        operator.execute("SELECT FROM trips WHERE bus_id = 1 FOR UPDATE")
        asha.type_line("98450 12345")
        asha.wait_for("Waiting for the server")
        operator.rollback()
    asha.wait_for("Held for you")


def test_notice_is_printed_above_the_typed_text(
    traveller: Callable[..., Traveller], console: Console, connect: Callable[[], LineClient]
) -> None:
    trip = {"bus_id": 1, "travel_date": tomorrow(), "origin": "Bengaluru", "destination": "Mysuru"}
    reference = connect().call("book", **trip, count=1, phone="98450 12345")["reference"]
    asha = traveller()
    asha.answer(("What would you like?", f"status {reference} 98450 12345"), *STEPS[:1])
    asha.wait_for("From and to")
    asha.child.send("Mys")
    asha.wait_for("Mys")
    console.notice("Road \u202eclosed at Maddur.", bus_id=1, travel_date=tomorrow())
    about = f"about service 1 of {day_of(date.fromisoformat(tomorrow()), year=False)}"
    asha.wait_for(
        "Message from the operator: Road closed at Maddur.", about, "say TEXT", "From and to", "Mys"
    )
    asha.type_line("uru")
    asha.wait_for("From Mysuru to:")


def test_no_colours_with_no_color(traveller: Callable[..., Traveller]) -> None:
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        asha = traveller(**environment)
        seen = asha.wait_for("Welcome")
        for question, answer in STEPS:
            seen += asha.wait_for(question)
            asha.type_line(answer)
        seen += asha.wait_for("Confirm, for")
        asha.type_line("yes")
        seen += asha.wait_for("Keep the reference")
        assert bool(COLOUR.search(seen)) is coloured
        asha.type_line(f"cancel {re.search('([A-Z0-9]+). To cancel it', asha.wait_for('To cancel it'))[1]}")
        asha.answer(("Which tickets", ""), ("Cancel 2 tickets, and get", "yes"))
        asha.wait_for("Refunded")


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # a day and an hour apart
def test_today_is_the_date_at_the_server(server: SimpleNamespace, zone: str, database: Database) -> None:
    address, steps = (
        ("127.0.0.1", str(server.port)),
        "\n".join([answer for _, answer in STEPS] + ["yes", "quit"]),
    )
    search = (
        "--host",
        address[0],
        "--port",
        address[1],
        "search",
        "bengaluru",
        "mysuru",
        "tomorrow",
        "--json",
    )
    for arguments, typed in ((search, ""), (address, f"{steps}\n")):
        done = subprocess.run(
            [sys.executable, "-m", "client", *arguments], input=typed, env=client_environment(TZ=zone),
            capture_output=True, text=True, timeout=WAIT_SECONDS, cwd=PROJECT,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        if arguments is search:
            assert f'"travel_date": "{tomorrow()}"' in done.stdout
    assert database.value("SELECT min(travel_date)::text FROM passengers") == tomorrow()


def test_pipe_gets_plain_lines(server: SimpleNamespace) -> None:
    answers = "\n".join([answer for _, answer in STEPS] + ["yes", "quit"]) + "\n"
    done = subprocess.run(
        [sys.executable, "-m", "client", "127.0.0.1", str(server.port)],
        input=answers, env=client_environment(), capture_output=True, text=True, timeout=WAIT_SECONDS,
        cwd=PROJECT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(WELCOME)  # not the terminal's text, which names keys
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) < COLUMNS
    assert re.search(r"To see the booking: status [A-Z0-9]+\. To cancel it", done.stdout)


def test_internal_error_gets_a_sentence_and_the_terminal_goes_on(
    server: SimpleNamespace, database: Database, connect: Callable[[], LineClient], tmp_path: Path
) -> None:
    """An expires_at in the year 1 makes `status` fail, and the date 9999-12-31 makes a dialogue fail."""
    trip = {"bus_id": 1, "travel_date": tomorrow(), "origin": "Bengaluru", "destination": "Mysuru"}
    reference = connect().call("book", **trip, count=1, phone="98450 12345")["reference"]
    database.query("""
        ALTER FUNCTION api.read RENAME TO original_read;
        CREATE FUNCTION api.read(method text, args jsonb) RETURNS TABLE (refused boolean, answer jsonb)
        LANGUAGE sql STABLE SECURITY DEFINER AS $$
            SELECT r.refused AND args ->> 'date' IS DISTINCT FROM '9999-12-31', CASE
                WHEN args ->> 'date' = '9999-12-31' THEN '{"trips": []}'
                WHEN method = 'places' THEN r.answer || '{"on_sale_until": "9999-12-31"}'
                WHEN method = 'booking' THEN r.answer || '{"expires_at": "0001-01-01T00:00:00+05:30"}'
                ELSE r.answer END
            FROM api.original_read(method, args) r
        $$
    """)
    answers = [answer for _, answer in STEPS]
    typed = [f"status {reference} 9845012345", *answers[:2], "9999-12-31", "quit"]
    done = subprocess.run(
        [sys.executable, "-m", "client", "127.0.0.1", str(server.port)],
        input="\n".join(typed),
        env=client_environment(TMPDIR=str(tmp_path)), cwd=PROJECT, timeout=WAIT_SECONDS,
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    printed = "".join(done.stdout.split())
    files = list(tmp_path.iterdir())
    assert len(files) == 2
    for file in files:
        assert "OverflowError: date value out of range" in file.read_text()
        assert f"Internalerrorofthisprogram.Thefile{file}hasthedetails." in printed
    assert printed.count("Whatwouldyoulike?") == 3
    assert done.stdout.endswith("Good-bye.\n")


def test_notification_that_cannot_be_printed_gets_a_sentence(
    traveller: Callable[..., Traveller], server: SimpleNamespace, tmp_path: Path
) -> None:
    asha = traveller(TMPDIR=str(tmp_path))
    asha.wait_for("What would you like?")
    (connection,) = server.tcp._connections
    connection.push_booking(None, Raw(b'{"reference": 7}'))
    asha.wait_for("Internal error of this program. The file ")
    (file,) = tmp_path.iterdir()
    assert "ValidationError" in file.read_text()
    asha.answer(("What would you like?", "bus"), ("From and to", "quit"))


def test_internal_error_of_the_server_has_its_request_id(server: SimpleNamespace, database: Database) -> None:
    database.query("ALTER FUNCTION api.places RENAME TO other")
    done = subprocess.run(
        [sys.executable, "-m", "client", "127.0.0.1", str(server.port)], input="show\nquit\nquit\n",
        env=client_environment(), cwd=PROJECT, timeout=WAIT_SECONDS, capture_output=True, text=True,
    )  # fmt: skip
    assert re.search(
        r"went wrong inside the server\. Its log has the details:\s+request\s+[0-9a-f]{8}\.", done.stdout
    )
    assert done.stdout.endswith("Nothing was changed.\nWhat would you like?\nGood-bye.\n")


def test_pipe_with_a_small_character_set(server: SimpleNamespace) -> None:
    answers = "\n".join([answer for _, answer in STEPS] + ["yes", "quit"]) + "\n"
    done = subprocess.run(
        [sys.executable, "-m", "client", "127.0.0.1", str(server.port)], input=answers.encode(),
        env=client_environment(PYTHONIOENCODING="latin-1"), cwd=PROJECT, timeout=WAIT_SECONDS,
        capture_output=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"To see the booking: status " in done.stdout


def test_unreachable_server(server: SimpleNamespace) -> None:
    server.tcp.drain()
    asha = Traveller(server.port)
    asha.wait_for("No answer from", "Is the server running?")
    assert asha.wait_for_exit() == 3


def test_server_is_killed_and_restarted_at_every_step(database: Database) -> None:
    """Every second question is answered while the server is down. Nothing is lost or done twice."""
    urls = {"DATABASE_URL": database.server, "BUSWARE_OWNER_URL": database.owner}
    with ServerProcess("0", **urls) as first:
        port, served = first.port, first
        asha = Traveller(port)

        def answer_all(steps: list[tuple[str, str]]) -> None:
            nonlocal served
            for n, (question, answer) in enumerate(steps):
                asha.wait_for(question)
                served.process.kill()
                with served.process:
                    pass
                asha.wait_for("The connection is lost.")
                if n % 2:
                    asha.type_line(answer)
                served = ServerProcess(str(port), **urls)
                asha.wait_for("Connected again.")
                if not n % 2:
                    asha.type_line(answer)

        answer_all([*STEPS, ("Confirm, for 520.00?", "yes")])
        asha.wait_for("Ticket", "To see the booking: status ")
        reference = asha.wait_for(". To cancel it").split()[0].rstrip(".")
        answer_all([
            ("What would you like?", "cancel"), (f"Reference of the booking (Enter: {reference})", ""),
            ("Which tickets?", "2"), ("Cancel ticket 2 (seat 4), and get", "yes"),
        ])  # fmt: skip
        asha.wait_for("Ticket 2 is cancelled. 130.00 is refunded.")
        with served:
            kill(asha.child)
    states = database.query("SELECT status, seat_no, refund::text FROM passengers ORDER BY ticket_no")
    assert states == [("booked", 3, "0.00"), ("cancelled", 4, "130.00")]
