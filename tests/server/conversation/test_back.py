"""`back` in plain text: it releases a hold, and repeats questions, also those that words have answered."""

import pytest

from tests.conftest import Database, LineClient
from tests.support.transcript import RESERVATION, receive_until, transcript


def test_back_releases_the_hold_and_repeats_questions(client_socket: LineClient, database: Database) -> None:
    transcript(client_socket, RESERVATION)
    assert database.value("SELECT count(*) FROM passengers WHERE status = 'held'") == 2
    transcript(
        client_socket,
        """
        > back
        Your hold is released. Nothing was paid.
        Phone number:
        > back
        main (seats)
        +--- driver +
        | 1 2   3 4 |
        | 5 6   7 8 |
        +-----------+
        A number means free.
        8 of 8 free, 260.00 each.
        Seat numbers, such as 1 2, or best 2 for any two:
        > back
        Bengaluru to Mysuru, Sat 5 Dec 2026:
           Bus  Leaves  Arrives   Takes       Fare  Free  Service
             1  10:00   12:45      2h45     260.00     8  KSRTC Day Bus, NON_AC SEATER
        Bus id:
        > back
        Destination:
        > back
        Source:
        > back
        1 AC, 2 NON_AC, 3 any
        AC, NON_AC or any:
        > back
        1 SLEEPER, 2 SEMI_SLEEPER, 3 SEATER, 4 any
        SLEEPER, SEMI_SLEEPER, SEATER or any:
        > back
        Date of journey (2026-12-05, tomorrow, sat or 5 dec):
        > back
        1 reservation, 2 cancellation
        Reservation or cancellation:
        > back
        You left the dialogue. Nothing was changed.
        > back
        No question is open. Type help for all commands, or quit to disconnect.
        """,
    )
    assert database.query("SELECT status FROM passengers") == ["cancelled", "cancelled"]


@pytest.mark.parametrize(
    ("line", "questions"),
    [
        ("bus bengaluru mysuru sat", ["Destination:", "Source:", "Date of journey"]),
        ("bus bengaluru mysuru sat ac", ["Destination:", "Source:", "AC, NON_AC or any:", "Date of journey"]),
        ("bus bengaluru mysuru sat seater", ["Destination:", "Source:", "SLEEPER, SEMI_", "Date of journey"]),
    ],
)
def test_back_asks_what_the_command_line_has_answered(
    client_socket: LineClient, line: str, questions: list[str]
) -> None:
    client_socket.send(line)
    receive_until(client_socket, "Bus id:")
    for question in questions:
        client_socket.send("back")
        while not (received := client_socket.receive().decode()).startswith(question):
            assert received.startswith("1 "), received  # the options of the question
    transcript(client_socket, "> back\nYou left the dialogue. Nothing was changed.")


def test_other_destination_after_back(client_socket: LineClient) -> None:
    client_socket.send("bus bengaluru mysuru sat")
    receive_until(client_socket, "Bus id:")
    transcript(client_socket, "> back\nDestination:\n> ooty\nBengaluru to Ooty, Sat 5 Dec 2026:")
