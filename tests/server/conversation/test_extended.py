"""The extended dialogues of the terminal client: how many questions they ask, and their defaults."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import msgspec
import psycopg
import pytest

from busware.server.conversation import Ask, Call, Context, Show, begin
from busware.server.protocol import Booking, Caller, GetBooking, TripList
from tests.conftest import Cluster, Database
from tests.support.project import PROJECT
from tests.support.transcript import ASHA


@pytest.fixture(scope="module")
def template(cluster: Cluster, template: str) -> Iterator[str]:
    """The template database with the services of all kinds."""
    with cluster.database("kinds", template_dbname=template, as_template=True):
        with psycopg.connect(cluster.urls("kinds")[0], autocommit=True) as conn:
            for seed in ("97_seed_flights", "98_seed_theatre", "99_seed_hotel"):
                conn.execute((PROJECT / "sql" / f"{seed}.sql").read_bytes())
        yield "kinds"


@dataclass
class Played:
    """The questions of a dialogue, its texts, and the replies that it showed."""

    questions: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    shown: list[Any] = field(default_factory=list)


Play = Callable[..., Played]


@pytest.fixture
def play(server: SimpleNamespace) -> Play:
    """A function that begins a dialogue by a line, and answers its questions with the other lines."""

    def play(line: str, *answers: str, last_booking: GetBooking | None = None) -> Played:
        played, remaining = Played(), list(answers)
        today = server.tcp.now().date
        dialogue = begin(line, Context(today=today, extended=True, last_booking=last_booking))
        while (step := dialogue.step) is not None:
            match step:
                case Ask():
                    played.questions.append(step.prompt)
                    if not remaining:
                        return played
                    dialogue.answer(remaining.pop(0))
                case Call(request):
                    answer = server.operations.perform(request, Caller())
                    dialogue.replied(
                        answer.refusal()
                        if answer.refused
                        else msgspec.json.decode(answer.body, type=request.reply)
                    )
                case Show():
                    played.shown.append(step.reply)
                    dialogue.shown()
                case _:
                    played.texts.append(step.text)
                    dialogue.shown()
        assert not remaining
        return played

    return play


def test_ticket_takes_at_most_six_questions(play: Play, database: Database) -> None:
    played = play("bus", "bengaluru mysuru", "", "", "", ASHA, "yes")
    assert played.questions == [
        "From and to (such as bengaluru mysuru):",
        "Date of journey (Enter: tomorrow, Wed 2 Dec):",
        "Bus (Enter: 1; or a filter such as ac, non-ac, sleeper):",
        "Seats (Enter: best 1):",
        "Phone number (such as 98450 12345; names may follow):",
        "Confirm, for 260.00? (yes or no)",
    ]
    assert isinstance(played.shown[-1], Booking)
    assert database.query("SELECT bus_id, travel_date::text, status FROM passengers") == [
        (1, "2026-12-02", "booked")
    ]


@pytest.mark.parametrize(
    ("line", "answers", "fewest"),
    [
        ("bus bengaluru mysuru tomorrow", ["", "", ASHA, "yes"], 4),
        ("flight", ["", "usa ind", "15 dec", "", "", "", "yes"], 7),
        ("flight choose usa ind 15 dec", ["", "", "", "yes"], 4),
        ("flight USA,IND,2026-12-15,10:00", ["yes"], 1),
        ("show", ["", "", "", "yes"], 4),
        ("hotel", ["", "", "", "", "yes"], 5),
    ],
)
def test_questions_up_to_a_ticket(
    play: Play, database: Database, line: str, answers: list[str], fewest: int
) -> None:
    assert len(play(line, *answers).questions) == fewest
    assert database.value("SELECT count(*) FROM passengers WHERE status = 'booked'") == 1


def test_filters_of_the_buses(play: Play) -> None:
    wanted = ["ac", "seater", "ac seater", "any", "truck", "2"]
    played = play("bus bengaluru mysuru sat", *wanted)
    tables = [[trip.bus_id for trip in reply.trips] for reply in played.shown if isinstance(reply, TripList)]
    assert tables == [[1, 2], [2], [1], [1, 2], [1, 2]]
    assert played.questions[1] == "Bus (Enter: 2; or a filter such as ac, non-ac, sleeper):"
    assert played.texts == [
        "No AC SEATER bus runs from Bengaluru to Mysuru on Sat 5 Dec 2026. Available on that date:",
        '"truck" is not a bus in the list. Type 1 or 2.',
    ]


def test_full_bus_is_not_the_default(play: Play, database: Database) -> None:
    for bus, count in ((1, 8), (2, 4)):
        database.query("UPDATE bus_info SET max_seats = 8")
        before = play("bus bengaluru mysuru sat").questions
        assert before == [f"Bus (Enter: {bus}; or a filter such as ac, non-ac, sleeper):"]
        play("bus bengaluru mysuru sat", str(bus), f"best {count}", ASHA, "yes")
    played = play("bus bengaluru mysuru sat", "")
    assert played.questions[0] == "Bus (a filter such as ac, non-ac, sleeper):"
    assert played.texts == ["An empty line is not a bus in the list. Type 1 or 2."]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("", [None, None]),
        (f"{ASHA}, Asha, Ravi", ["Asha", "Ravi"]),
        (f"{ASHA},,Ravi", [None, "Ravi"]),
        ("Asha", ["Asha", None]),  # the phone number is the last one
        (",Asha", ["Asha", None]),
    ],
)
def test_phone_number_and_names_in_one_answer(
    play: Play, database: Database, typed: str, names: list[str | None]
) -> None:
    last = GetBooking(reference="CVK7GHJ", phone=ASHA)
    played = play("bus bengaluru mysuru sat", "1", "3 4", typed, "yes", last_booking=last)
    assert played.questions[2] == f"Phone number (Enter: {ASHA}; names may follow):"
    assert database.query("SELECT name FROM passengers ORDER BY seat_no") == names
    assert database.query("SELECT DISTINCT phone FROM passengers") == ["+919845012345"]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", '"" has no phone number'),
        ("Asha", '"Asha" is not a phone number, such as 98450 12345'),
        ("none", '"none" is not a phone number'),
        (f"{ASHA}, A, B, C", "You typed 3 names for 2 seats. Type at most one name for each seat."),
        (f"{ASHA}, 12", '"12" is not a name.'),
    ],
)
def test_wrong_phone_number_or_names(play: Play, typed: str, message: str) -> None:
    played = play("bus bengaluru mysuru sat", "1", "3 4", typed)
    assert message.replace('""', "An empty line") in played.texts[-1]


@pytest.mark.parametrize(
    ("typed", "name"), [("none", None), ("NO", None), ("-", None), ("none, Asha", "Asha"), ("Asha", "Asha")]
)
def test_none_is_no_phone_number_and_no_name(
    play: Play, database: Database, typed: str, name: str | None
) -> None:
    play("flight choose usa ind 15 dec", "", "", typed, "yes")
    assert database.query("SELECT name, phone FROM passengers") == [(name, None)]


def test_names_are_asked_for_again_if_the_party_has_become_smaller(play: Play, database: Database) -> None:
    contact = f"{ASHA}, Asha, Ravi"
    played = play("bus bengaluru mysuru sat", "1", "3 4", contact, "no", "5", "Ravi", "yes")
    assert played.questions[-2] == f"Phone number (Enter: {ASHA}; names may follow):"
    assert database.query("SELECT seat_no, name FROM passengers WHERE status = 'booked'") == [(5, "Ravi")]


def test_only_an_origin_leads_to_the_question_for_the_destination(play: Play) -> None:
    played = play("bus", "bengaluru tomorrow ac", "mandya")
    assert played.questions[1:] == ["To:", "Bus (Enter: 2; or a filter such as ac, non-ac, sleeper):"]


def test_answer_that_is_not_understood_asks_again_for_the_places(play: Play) -> None:
    typed = ["", "tomorrow", "bengaluru mysoor", "bengaluru mysuru please", "mysuru bengaluru", "ooty"]
    played = play("bus", *typed)
    assert played.questions[:5] == ["From and to (such as bengaluru mysuru):"] * 5
    assert played.questions[5:] == ["To:", "Bus (Enter: 2; or a filter such as ac, non-ac, sleeper):"]
    assert [text.split(".")[0] for text in played.texts[:3]] == [
        "An empty line names no place",
        '"mysoor" is not a place on any route',
        '"please" is not understood',
    ]
    assert played.texts[3] == "No bus goes from Mysuru to Bengaluru. From there you reach Ooty."


@pytest.mark.parametrize(
    ("typed", "problem", "question"),
    [
        ("mandya bengaluru to mysuru sat", 'It is not clear which place is the origin: "mandya" or', "From:"),
        ("101", '"101" is not a place on any route.', "From and to"),  # ? may be about another question
        ("bengaluru mysuru sat - sun", "There are 2 dates: 2026-12-05 and 2026-12-06.", "Date of journey"),
    ],
)
def test_what_is_not_clear_on_the_line_is_asked_for(
    play: Play, typed: str, problem: str, question: str
) -> None:
    played = play(f"bus {typed}")
    assert played.texts[0].startswith(problem)
    assert "Type ?" not in played.texts[0]
    assert played.questions[0].startswith(question)


def test_back_through_all_questions(play: Play, database: Database) -> None:
    answers = ["bengaluru mysuru", "", "", "", ASHA]
    played = play("bus", *answers, *["back"] * 6)
    assert played.questions[6:] == played.questions[4::-1]
    assert played.texts[0] == "Your hold is released."
    assert played.texts[-1] == "You left the dialogue. Nothing was changed."
    assert database.query("SELECT DISTINCT status FROM passengers") == ["cancelled"]


def test_wrong_line_for_a_flight_is_asked_for_again(play: Play) -> None:
    played = play("flight", "USA,IND", "USA,IND,2026-12-15,10:01", "", "usa ind")
    assert [question.partition(",")[0] for question in played.questions[:3]] == ["Flight"] * 3
    assert played.questions[3].startswith("From and to")
    assert all(text.endswith(" Or press Enter to choose from a list.") for text in played.texts[:2])
    assert play("find tomorow").questions == ["From (where you board):"]
