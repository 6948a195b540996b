"""The extended dialogues of the terminal client: how many questions they ask, and their defaults."""

from collections.abc import Iterator

import psycopg
import pytest

from busware.server.conversation.words import journey
from busware.server.protocol import Booking, TripList
from tests.conftest import Cluster, Database
from tests.support.playing import Play
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


def test_ticket_takes_at_most_six_questions(play: Play, database: Database) -> None:
    played = play("bus", "bengaluru mysuru", "", "", "", ASHA, "yes")
    assert played.questions == [
        "From and to (such as bengaluru mysuru):",
        "Date of journey (Enter: tomorrow, Wed 2 Dec):",
        "Bus (Enter: 1; or a filter such as ac, non-ac, sleeper):",
        "Seat numbers such as 1 2, or 2 seats (Enter: the server chooses 1):",
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
        ("flight", ["usa ind", "15 dec", "", "", "", "yes"], 6),
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
    assert played.questions[1] == "Bus (Enter: 2; or all, or a filter such as ac, non-ac, sleeper):"
    assert played.texts == [
        "No AC seater bus runs from Bengaluru to Mysuru on Sat 5 Dec 2026. Available on that date:",
        '"truck" is not a bus in the list. Type 1 or 2.',
    ]


def test_full_bus_is_not_the_default(play: Play, database: Database) -> None:
    for bus, count in ((1, 8), (2, 4)):
        database.query("UPDATE bus_info SET max_seats = 8")
        before = play("bus bengaluru mysuru sat").questions
        assert before == [f"Bus (Enter: {bus}; or a filter such as ac, non-ac, sleeper):"]
        play("bus bengaluru mysuru sat", str(bus), f"best {count}", ASHA, "yes")
    played = play("bus bengaluru mysuru sat", "")
    assert played.questions[0] == (
        "Bus (all are full: type a number of the list, such as 1, to join its waitlist; "
        "or a filter such as ac, non-ac, sleeper):"
    )
    assert played.texts == ["An empty line is not a bus in the list. Type 1 or 2."]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("", [None, None]),
        (f"{ASHA}, Asha, Ravi", ["Asha", "Ravi"]),
        (f"{ASHA},,Ravi", [None, "Ravi"]),
        (f"{ASHA} Asha and Ravi", ["Asha", "Ravi"]),
        (f"{ASHA}, Asha, and Ravi", ["Asha", "Ravi"]),
        ("Asha", ["Asha", None]),  # the phone number is the last one
        (",Asha", ["Asha", None]),
    ],
)
def test_phone_number_and_names_in_one_answer(
    play: Play, database: Database, typed: str, names: list[str | None]
) -> None:
    played = play("bus bengaluru mysuru sat", "1", "3 4", typed, "yes", last_phone=ASHA)
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
    assert played.questions[1:] == [
        "From Bengaluru to:",
        "Bus (Enter: 2; or all, or a filter such as ac, non-ac, sleeper):",
    ]


def test_answer_that_is_not_understood_asks_again_for_the_places(play: Play) -> None:
    typed = ["", "tomorrow", "please", "mysuru bengaluru", "ooty"]
    played = play("bus", *typed)
    assert played.questions[:4] == ["From and to (such as bengaluru mysuru):"] * 4
    assert played.questions[4:] == [
        "From Mysuru to:",
        "Bus (Enter: 2; or a filter such as ac, non-ac, sleeper):",
    ]
    assert [text.split(".")[0] for text in played.texts[:2]] == [
        "An empty line names no place",
        '"please" is not a place on any route',
    ]
    assert "Type ? for a list." in played.texts[1]
    assert played.texts[2] == "No bus goes from Mysuru to Bengaluru. From Mysuru you reach Ooty."


@pytest.mark.parametrize(
    ("typed", "problem", "question"),
    [
        (
            "mandya bengaluru to mysuru sat",
            'It is not clear which place is the origin: "mandya" or',
            "To Mysuru from:",
        ),
        ("101", '"101" is not a place on any route.', "From and to"),  # ? may be about another question
        (
            "bengaluru mysuru sat - sun",
            "There are 2 dates: Sat 5 Dec 2026 and Sun 6 Dec 2026.",
            "Date of journey",
        ),
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
    assert [one.partition(" (")[0] for one in played.questions[6:]] == [
        one.partition(" (")[0] for one in played.questions[4::-1]
    ]
    assert "Your hold is released. Nothing was paid." in played.texts
    assert played.texts[-1] == "You left the dialogue. Nothing was changed."
    assert database.query("SELECT DISTINCT status FROM passengers") == ["cancelled"]


def test_flight_lists_its_places_at_the_first_question(play: Play) -> None:
    played = play("flight", "?", "usa ind", "back", "back")
    assert {"Delhi Airport", "New York JFK"} <= set(played.choices[0])
    assert "Delhi Airport" in played.texts[0]
    assert played.questions[-1].startswith("From and to")  # and the next `back` leaves
    assert played.texts[-1] == "You left the dialogue. Nothing was changed."


def test_flight_by_places_or_by_a_line(play: Play) -> None:
    played = play("flight", "", "USA,IND,2026-12-15,10:01", "jfk to del")
    assert played.questions[:3] == ["From and to (such as usa ind):"] * 3
    assert played.texts[0] == "An empty line names no place. Type two, such as usa ind."
    assert played.texts[1].startswith("No flight from USA to IND leaves at 10:01. On Tue 15 Dec 2026:")
    assert played.questions[3].startswith("Date of journey")
    assert play("flight usa ind").questions[0].startswith("Date of journey")
    found = play("flight usa ind 15 dec").shown[0]
    assert journey(found) == "To Delhi Airport, Mumbai Airport or Bengaluru Airport, Tue 15 Dec 2026"
    assert play("flight", "USA,IND,2026-12-15,10:00").questions[1] == "Confirm, for 62,000.00? (yes or no)"
    assert "at once" not in play("help").texts[0]
    assert play("find tomorow").questions == ["From (where you board):"]


def test_find_offers_the_phone_number_of_the_session(play: Play) -> None:
    played = play("find tomorrow mysuru", "", last_phone=ASHA)
    assert played.questions[0] == f"Phone number of the booking (Enter: {ASHA}):"
    assert played.texts == [
        "No open booking has that phone number, date and boarding place.\n"
        "A booking without a phone number cannot be found: only its reference opens it."
    ]


@pytest.mark.parametrize(
    ("typed", "stay", "asked"),
    [
        ("tomorrow 2", "2 nights, Wed 2 Dec 2026 to Fri 4 Dec 2026", "Room numbers"),
        ("5 dec 3 nights", "3 nights, Sat 5 Dec 2026 to Tue 8 Dec 2026", "Room numbers"),
        ("5 dec 7 dec", "2 nights, Sat 5 Dec 2026 to Mon 7 Dec 2026", "Room numbers"),
        ("2026-12-05 2026-12-06", "1 night, Sat 5 Dec 2026 to Sun 6 Dec 2026", "Room numbers"),
        ("5 dec", "", "Check-out date"),
        ("2 nights", "", "Check-in date"),
        ("yesterday 2", "Mon 30 Nov 2026 is in the past. Today is Tue 1 Dec 2026.", "Check-in date"),
        ("nonsense", '"nonsense" is not a date such as', "Check-in date"),
        ("tomorrow 99", "Stay at most 60 nights.", "Check-out date"),
    ],
)
def test_hotel_uses_the_words_of_the_command(play: Play, typed: str, stay: str, asked: str) -> None:
    played = play(f"hotel {typed}")
    assert played.questions[0].startswith(asked)
    assert "".join(played.texts[:1]).startswith(stay)


@pytest.mark.parametrize("typed", ["803", "18:30 tomorrow", "tomorrow 18:30"])
def test_performance_of_the_command(play: Play, typed: str) -> None:
    played = play(f"show {typed}")
    assert played.questions == ["How many seats? (Enter: 1)"]
    assert played.texts[0].startswith("Hayavadana, ")


def test_performance_that_is_not_understood_is_asked_for(play: Play) -> None:
    played = play("show operetta", "803")
    assert played.texts[0] == 'No performance in the list is called "operetta".'
    assert [question.partition(" ")[0] for question in played.questions] == ["Performance", "How"]


def test_performance_by_a_word_of_its_title(play: Play, database: Database) -> None:
    database.query("UPDATE bus_info SET name = 'The Second Word' WHERE bus_id = 803")
    played = play("show second")
    assert played.questions == ["How many seats? (Enter: 1)"]
    assert played.texts[0].startswith("The Second Word, ")


def test_question_for_seats_of_a_trip_with_one_free_seat(play: Play) -> None:
    play("bus bengaluru mysuru sat", "1", "1-4", ASHA, "yes")
    play("bus bengaluru mysuru sat", "1", "5 6 8", ASHA, "yes")
    played = play("bus bengaluru mysuru sat", "1", "?")
    assert played.questions[1] == "Seat number, such as 7 (Enter: the server chooses 1):"
    assert played.texts[0].startswith("7 is seat 7.")


def test_find_asks_in_the_order_of_its_help(play: Play) -> None:
    played = play("find", "sat", "mysuru", ASHA)
    assert [question.split(" ")[0] for question in played.questions] == ["Date", "From", "Phone", "From"]
    assert "MYSU" not in played.questions[3]  # the place where no booking was found


def test_say_tells_where_the_answer_appears(play: Play) -> None:
    assert play("say Which gate?").texts == [
        "Sent to the operator.",
        "An answer appears here. About your booking, messages shows it again later.",
    ]


# What Enter answers ----------------------------------------------------------------------------


def test_answer_of_enter_is_shown(play: Play) -> None:
    played = play("bus bengaluru mysuru", "", "", "", "", last_phone=ASHA)
    assert played.texts == [
        "Date of journey: Wed 2 Dec 2026.",
        "Bus 1, 10:00 KSRTC Day Bus.",
        f"Phone number: {ASHA}.",
        "The server has chosen seat 1.",
        "If you leave before you answer, the seats are released.",
    ]


def test_phone_number_of_the_session_is_offered_for_a_room(play: Play, database: Database) -> None:
    played = play("hotel", "", "", "", "", "yes", last_phone=ASHA)
    assert f"Phone number (Enter: {ASHA}; names may follow):" in played.questions
    assert database.query("SELECT phone FROM passengers") == [("+919845012345")]


@pytest.mark.parametrize("typed", ["2 seats", "any 2", "best 2", "2 Seats", "any 2 seats", "two"])
def test_number_of_seats(play: Play, database: Database, typed: str) -> None:
    play("bus bengaluru mysuru sat", "1", typed, ASHA)
    assert database.query("SELECT seat_no FROM passengers ORDER BY 1") == [1, 2]


def test_number_alone_is_a_seat(play: Play, database: Database) -> None:
    played = play("bus bengaluru mysuru sat", "1", "2", ASHA)
    assert played.questions[1] == "Seat numbers such as 1 2, or 2 seats (Enter: the server chooses 1):"
    assert database.query("SELECT seat_no FROM passengers") == [2]


# The choice of a bus ---------------------------------------------------------------------------


@pytest.mark.parametrize("every", ["all", "any", "ALL"])
def test_bus_that_a_filter_hides(play: Play, every: str) -> None:
    played = play("bus bengaluru mysuru sat", "sleeper", "1", "bus 1", every, "bus 1")
    assert played.texts == ["1 is not a sleeper bus: type all to see every bus."] * 2
    assert "or all, or a filter" in played.questions[1]
    assert "all" not in played.questions[-2]
    assert played.questions[-1].startswith("Seat numbers")


def test_stops_of_a_bus_are_named_or_numbered(play: Play) -> None:
    played = play("bus KA ooty sat", "2", "nowhere", "mysuru")
    assert played.texts[:2] == [
        "  1  Mysuru 01:00 to Ooty 05:30, 400.50",
        "  2  Bengaluru 22:00 to Ooty 05:30 +1, 900.50",
    ]
    assert played.questions[1] == "Which stops of this bus? (1 to 3, or a name)"


# Places ----------------------------------------------------------------------------------------


def test_only_places_that_are_reached_are_suggested(play: Play) -> None:
    played = play("bus mysuru oooty", "bengalooru", "xyz")
    assert played.questions == ["From Mysuru to:"] * 3
    assert played.texts[0] == '"oooty" is not a place on any route. Did you mean Ooty?'
    suggested = "Did you mean Bengaluru? No bus goes there from Mysuru. Type ? for a list."
    assert played.texts[1] == f'"bengalooru" is not a place on any route. {suggested}'
    assert played.texts[2] == ('"xyz" is not a place on any route. Type ? for a list.')
    assert play("bus mysuru misore").texts == [
        '"misore" is not a place on any route. Did you mean Mysuru? You leave from there. Type ? for a list.'
    ]


@pytest.mark.parametrize(
    ("typed", "problem", "question"),
    [
        ("bengaluru bengaluru", "You leave from Bengaluru. Type another place.", "From Bengaluru to:"),
        ("bengaluru", None, "From Bengaluru to:"),
        ("xyzzy mysuru", '"xyzzy" is not a place on any route. Type ? for a list.', "To Mysuru from:"),
        ("bengaluru mysuru please", '"please" is not understood.', "Date of journey (Enter: tomorrow,"),
    ],
)
def test_what_is_understood_of_an_answer_is_kept(
    play: Play, typed: str, problem: str | None, question: str
) -> None:
    played = play("bus", typed)
    assert played.texts == ([problem] if problem else [])
    assert played.questions[1].startswith(question)


def test_long_list_of_places_is_shown_in_parts(play: Play, database: Database) -> None:
    database.query(
        """INSERT INTO places (code, name) SELECT 'Q' || n, 'Quarter ' || n FROM generate_series(100, 170) n;
        SELECT api.add_service(bus_id => 77, name => 'X', operator => 'Y', kind => 'bus', layout => 'cabin 4',
            stops => (SELECT string_agg(format('Q%s | %s | %s | %s | %s', n,
                CASE n WHEN 100 THEN '-' ELSE left(make_interval(mins => n)::text, 5) END,
                CASE n WHEN 170 THEN '-' ELSE left(make_interval(mins => n)::text, 5) END, n - 100, n - 100),
                E'\\n' ORDER BY n) FROM generate_series(100, 170) n))"""
    )
    played = play("bus", "bengaluru", "back", "to mysuru", "?", "? QUARTER 16", "? zz")
    assert " others. To list those with M, type: ? m" in played.texts[0]
    assert played.texts[0].count(",") == 20
    assert played.texts[2] == f"{', '.join(f'Quarter {n}' for n in range(160, 170))}."
    assert played.texts[3] == 'No answer in the list begins with "zz".'


# Back ------------------------------------------------------------------------------------------


def test_back_after_a_whole_command_goes_to_its_last_part(play: Play) -> None:
    played = play("bus bengaluru mysuru tomorrow", "back", "sat", "back", "back", "bengaluru ooty", "")
    assert played.questions == [
        "Bus (Enter: 1; or a filter such as ac, non-ac, sleeper):",
        "Date of journey (Enter: Wed 2 Dec 2026):",
        "Bus (Enter: 1; or a filter such as ac, non-ac, sleeper):",
        "Date of journey (Enter: Sat 5 Dec 2026):",
        "From and to (such as bengaluru mysuru):",
        "Bus (Enter: 2; or a filter such as ac, non-ac, sleeper):",
        "Seat numbers such as 1 2, or 2 seats (Enter: the server chooses 1):",
    ]


def test_back_after_a_flight_line_asks_for_another_line(play: Play) -> None:
    played = play("flight USA,IND,2026-12-15,10:00", "back")
    assert played.questions == [
        "Confirm, for 62,000.00? (yes or no)",
        "From and to (such as usa ind):",
    ]


# The time or the date of a show ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("show 5.12", "5 Dec"),
        ("show 18.30", "1 Dec 2026 18:30"),
        ("show 18.30 5.12", "5 Dec 2026 18:30"),
        ("show 5.12 18.30", "5 Dec 2026 18:30"),
        ("show 18:30", "1 Dec 2026 18:30"),
    ],
)
def test_time_and_date_with_dots(play: Play, typed: str, shown: str) -> None:
    played = play(typed, *([""] if typed == "show 5.12" else []))
    assert any(shown in text for text in played.texts)


def test_what_may_be_a_time_and_a_date_is_asked_for(play: Play, database: Database) -> None:
    database.query("UPDATE route_table SET departs = '11:12' WHERE bus_id = 801 AND stop_no = 1")
    assert play("show 11.12").texts == ["Type 11:12 for the time, or 11 Dec for the date."]


@pytest.fixture
def reserved(database: Database) -> None:
    """Seat 1 is for women, seat 8 is accessible."""
    database.query("UPDATE bus_info SET women_seats = '{1}', accessible_seats = '{8}' WHERE bus_id = 1")


@pytest.mark.usefixtures("reserved")
def test_reserved_seats_ask_about_their_passengers(play: Play, database: Database) -> None:
    played = play("bus bengaluru mysuru sat", "1", "1 3 8", "yes", "yes", f"{ASHA}, Asha, Ravi", "yes")
    assert played.questions[2:4] == [
        "Seat 1 is for women. Is the passenger a woman? (yes or no)",
        "Seat 8 is accessible. Does the passenger need an accessible one? (yes or no)",
    ]
    assert database.query("SELECT seat_no, name, gender, accessible FROM passengers ORDER BY 1") == [
        (1, "Asha", "female", None),
        (3, "Ravi", None, None),
        (8, None, None, True),
    ]


@pytest.mark.usefixtures("reserved")
def test_a_reserved_seat_of_another_passenger_is_chosen_again(play: Play) -> None:
    played = play("bus bengaluru mysuru sat", "1", "1", "no", "3", ASHA, "yes")
    assert played.questions[2] == "Seat 1 is for women. Is the passenger a woman? (yes or no)"
    assert played.questions[1].startswith("Seat numbers such as")
    assert played.questions[3].startswith("Seat numbers such as")
    assert [ticket.seat_no for ticket in played.shown[-1].tickets] == [3]


# Answers that newcomers type -------------------------------------------------------------------


def test_back_does_not_repeat_the_problem_of_an_earlier_answer(play: Play) -> None:
    play("bus bengaluru mysuru sat", "1", "3", ASHA, "yes")
    played = play("bus bengaluru mysuru sat", "1", "3", "4", "back", "3")
    problem = "Seat 3 is not free."
    assert [text.startswith(problem) for text in played.texts].count(True) == 2  # once for each answer
    played = play("bus mysuru to mysuru", "back")
    assert played.texts.count("You leave from Mysuru. Type another place.") == 1


def test_help_at_the_confirmation_explains_an_expired_hold(play: Play) -> None:
    played = play("bus bengaluru mysuru sat", "1", "3", ASHA, "?")
    assert any("the seats may still be free: yes tries to book them, no leaves" in t for t in played.texts)


def test_title_of_several_performances_is_asked_for(play: Play, database: Database) -> None:
    played = play("show", "haya", "Hayavadana", "804")
    assert played.texts[0] == ('"haya" may be 803 Hayavadana 18:30 or 804 Hayavadana 21:30. Type the number.')
    database.query("UPDATE bus_info SET name = 'Other' WHERE bus_id = 804")
    assert play("show", "haya").questions[1] == "How many seats? (Enter: 1)"


@pytest.mark.parametrize("typed", ["803", "show 803", "3"])
def test_performance_by_its_number(play: Play, typed: str) -> None:
    played = play("show", typed)
    assert played.questions[0] == ("Performance (its number, time or title; Enter: 11:00), or another date:")
    assert played.questions[1] == "How many seats? (Enter: 1)"
    assert played.texts[0].startswith("Hayavadana, ")


@pytest.mark.parametrize(("typed", "origin"), [("2 mysuru", "Mysuru"), ("bus 2 mandya", "Mandya")])
def test_bus_with_its_stop(play: Play, typed: str, origin: str) -> None:
    played = play("bus KA ooty sat", typed, "", ASHA)
    assert played.questions[0].startswith("Bus (Enter: 2; the stop is asked next; or a filter")
    assert played.questions[1].startswith("Seat numbers")
    assert played.shown[-1].origin == origin


def test_message_about_seats_has_the_words_of_the_question(play: Play) -> None:
    played = play("bus bengaluru mysuru sat", "1", "abc")
    assert played.texts == ['"abc" is not a list of numbers, such as 1 and 2, or 2 seats.']


def test_places_may_be_typed_as_after_the_command(play: Play) -> None:
    assert play("bus", "bus to mysore").questions[1] == "To Mysuru from:"
    assert play("bus", "bus bengaluru mysuru").questions[1].startswith("Date of journey")


def test_date_that_has_just_passed_is_in_the_past(play: Play) -> None:
    played = play("bus bengaluru mysuru", "30/11")
    assert played.texts == ["Mon 30 Nov 2026 is in the past. Today is Tue 1 Dec 2026."]
