"""The dialogues about an existing booking, in plain text: cancel, change a seat, status."""

from collections.abc import Callable
from datetime import date

import pytest

from busware.server.conversation import Call, Context, begin
from busware.server.protocol import GetBooking
from tests.conftest import Clock, Database, LineClient
from tests.support.project import PROJECT
from tests.support.transcript import ASHA, RESERVATION, TRAVEL_DAY, receive_until, transcript

TRIP = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}


def test_reservation_and_cancellation_of_a_booking(client_socket: LineClient) -> None:
    known = transcript(client_socket, RESERVATION)
    transcript(
        client_socket,
        """
        > yes
        Booked: {ref}
        KSRTC Day Bus (bus 1)
        Bengaluru, Sat 5 Dec 2026 10:00
          to Mysuru, Sat 5 Dec 2026 12:45
          Ticket 1: seat 7, 260.00
          Ticket 2: seat 8, 260.00
        Fare 520.00
        Keep the reference.
        To see the booking: status {ref}. To cancel it: cancel {ref}.
        After you disconnect, both ask for the phone number.
        > bus
        1 reservation, 2 cancellation
        Reservation or cancellation:
        > cancellation
        Reference of the booking (Enter: {ref}):
        > {ref}
        Booked: {ref}
        KSRTC Day Bus (bus 1)
        Bengaluru, Sat 5 Dec 2026 10:00
          to Mysuru, Sat 5 Dec 2026 12:45
          Ticket 1: seat 7, 260.00
          Ticket 2: seat 8, 260.00
        Fare 520.00
        Which tickets? (numbers, or Enter for all)
        > 2
        The refund is 130.00 if you cancel before Sat 5 Dec 2026 10:00.
        Cancel ticket 2 (seat 8), and get 130.00 of 260.00 back? (yes or no)
        > yes
        Booked: {ref}
        KSRTC Day Bus (bus 1)
        Bengaluru, Sat 5 Dec 2026 10:00
          to Mysuru, Sat 5 Dec 2026 12:45
          Ticket 1: seat 7, 260.00
          Ticket 2: seat 8, 260.00, cancelled, refunded 130.00
        Fare 520.00, refunded 130.00
        Ticket 2 is cancelled. 130.00 is refunded.
        > cancel {ref} 9845012345
        Booked: {ref}
        KSRTC Day Bus (bus 1)
        Bengaluru, Sat 5 Dec 2026 10:00
          to Mysuru, Sat 5 Dec 2026 12:45
          Ticket 1: seat 7, 260.00
          Ticket 2: seat 8, 260.00, cancelled, refunded 130.00
        Fare 520.00, refunded 130.00
        The refund is 130.00 if you cancel before Sat 5 Dec 2026 10:00.
        Cancel ticket 1 (seat 7), and get 130.00 of 260.00 back? (yes or no)
        > no
        Nothing was cancelled.
        > STOP
        STOPPED
        """,
        known,
    )
    assert client_socket.receive() == b""


def test_cancelling_an_unpaid_booking_shows_no_refund(client_socket: LineClient) -> None:
    for _ in range(2):
        client_socket.call("book", **TRIP, count=4, phone=ASHA)
    waiting = client_socket.call("book", **TRIP, count=2, waitlist=True, phone=ASHA)
    transcript(
        client_socket,
        """
        > cancel {ref} 9845012345
        Pending: {ref}
        KSRTC Day Bus (bus 1)
        Bengaluru, Sat 5 Dec 2026 10:00
          to Mysuru, Sat 5 Dec 2026 12:45
          Ticket 1: no seat yet, 260.00
          Ticket 2: no seat yet, 260.00
        Fare 520.00
        Position on the waitlist: 1.
        Which tickets? (numbers, or Enter for all)
        >
        Cancel 2 tickets? You have not paid yet. (yes or no)
        > yes
        Cancelled: {ref}
        KSRTC Day Bus (bus 1)
        Bengaluru, Sat 5 Dec 2026 10:00
          to Mysuru, Sat 5 Dec 2026 12:45
          Ticket 1: no seat yet, 260.00
          Ticket 2: no seat yet, 260.00
        It was not booked, and nothing is to be paid.
        Tickets 1 and 2 are cancelled. Nothing is refunded.
        """,
        {"ref": waiting["reference"]},
    )


def test_text_after_a_cancellation_has_only_the_refund_of_this_cancellation(
    connect: Callable[[], LineClient], database: Database
) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 25, refund_percent = 50 WHERE bus_id = 1")
    paid = connect().call("book", **TRIP, seats=[1, 2], phone=ASHA)
    connect().call("alight", reference=paid["reference"], phone=ASHA, tickets=[1], at="Mandya")  # 20.00
    database.query("UPDATE bus_info SET refund_percent = 0 WHERE bus_id = 1")
    unrefunded = connect().call("book", **TRIP, seats=[3], phone=ASHA)
    line = connect()
    for booking, question, answer in (
        (paid, "Which tickets? (numbers, or Enter for all)", ""),
        (paid, "Cancel 2 tickets, and get 250.00 of 500.00 back? (yes or no)", "yes"),
        (unrefunded, "Cancel ticket 1 (seat 3)? Nothing is refunded. (yes or no)", "yes"),
    ):
        if not question.startswith("Cancel 2"):
            line.send(f"cancel {booking['reference']} {ASHA}")
        receive_until(line, question)
        line.send(answer)
        if booking == paid and answer:
            receive_until(line, "Tickets 1 and 2 are cancelled. 250.00 is refunded.")
    receive_until(line, "Ticket 1 is cancelled. Nothing is refunded.")


def test_alight_shows_the_stops_and_the_refund_first(
    connect: Callable[[], LineClient], database: Database
) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 50 WHERE bus_id = 1")
    known = {"ref": connect().call("book", **TRIP, seats=[4], phone=ASHA)["reference"]}
    traveller = connect()
    transcript(
        traveller,
        """
        > alight {ref} 9845012345
        Booked: {ref}
        KSRTC Day Bus (bus 1)
        Bengaluru, Sat 5 Dec 2026 10:00
          to Mysuru, Sat 5 Dec 2026 12:45
          Ticket 1: seat 4, 260.00
        Fare 260.00
          1  Ramanagara, Sat 5 Dec 2026 10:50, refund 85.00
          2  Mandya, Sat 5 Dec 2026 11:45, refund 40.00
          3  Srirangapatna, Sat 5 Dec 2026 12:20, refund 15.00
        Where do you get off? (1 to 3)
        > Mysuru
        Your ticket ends at Mysuru anyway. Type an earlier stop.
        Where do you get off? (1 to 3)
        > mand
        Get off at Mandya, and get 40.00 of 260.00 back? (yes or no)
        > no
        Nothing was changed.
        > alight
        Reference of the booking (Enter: {ref}):
        >
        Booked: {ref}
        KSRTC Day Bus (bus 1)
        Bengaluru, Sat 5 Dec 2026 10:00
          to Mysuru, Sat 5 Dec 2026 12:45
          Ticket 1: seat 4, 260.00
        Fare 260.00
          1  Ramanagara, Sat 5 Dec 2026 10:50, refund 85.00
          2  Mandya, Sat 5 Dec 2026 11:45, refund 40.00
          3  Srirangapatna, Sat 5 Dec 2026 12:20, refund 15.00
        Where do you get off? (1 to 3)
        > 2
        Get off at Mandya, and get 40.00 of 260.00 back? (yes or no)
        > yes
        Booked: {ref}
        KSRTC Day Bus (bus 1)
        Bengaluru, Sat 5 Dec 2026 10:00
          to Mandya, Sat 5 Dec 2026 11:45
          Ticket 1: seat 4, 260.00, refunded 40.00
        Fare 260.00, refunded 40.00
        Ticket 1 ends at Mandya. Seat 4 is for sale again from there on. 40.00 is
        refunded.
        """,
        known,
    )


def test_some_tickets_of_a_party_alight(connect: Callable[[], LineClient]) -> None:
    reference = connect().call("book", **TRIP, seats=[1, 2, 3], phone=ASHA)["reference"]
    line = connect()
    line.send(f"alight {reference} {ASHA}")
    for question, answer in (
        ("Which tickets? (numbers, or Enter for all)", "2 3"),
        ("Where do you get off? (1 to 3)", "1"),
        ("End tickets 2 and 3 at Ramanagara? Nothing is refunded. (yes or no)", "yes"),
    ):
        receive_until(line, question)
        line.send(answer)
    receive_until(line, "  to Mysuru, Sat 5 Dec 2026 12:45")  # where ticket 1 ends
    receive_until(line, "Tickets 2 and 3 end at Ramanagara. Seats 2 and 3 are for sale again from there")


def test_ticket_that_ends_early_is_shown_with_its_end(connect: Callable[[], LineClient]) -> None:
    """Its seat is changed on its own segment: seat 8 is free there, and taken after it."""
    paid = connect().call("book", **TRIP, seats=[1, 2], phone=ASHA)
    early = {"reference": paid["reference"], "phone": ASHA, "tickets": [2]}
    connect().call("alight", **early, at="Mandya")
    connect().call("book", **(TRIP | {"origin": "Mandya"}), seats=[8], phone="+919845099999")
    line = connect()
    for question, answer in (
        ("", f"change {paid['reference']} {ASHA}"),
        ("  Ticket 1: seat 1, 260.00", ""),
        ("  Ticket 2: seat 2, 260.00, to Mandya, Sat 5 Dec 2026 11:45", ""),
        ("Which ticket?", "2"),
        ("Which seat instead of seat 2?", "8"),
        ("  Ticket 2: seat 8, 260.00, to Mandya, Sat 5 Dec 2026 11:45", ""),
        ("Ticket 2 has seat 8 now.", f"find 5 dec bengaluru {ASHA}"),
        ("10:00, seat 8 to Mandya, Sat 5 Dec 2026 11:45.", ""),
    ):
        receive_until(line, question) if question else None
        line.send(answer) if answer else None
    connect().call("alight", **early, at="Ramanagara")
    line.send(f"alight {paid['reference']} {ASHA}")
    receive_until(line, "Which tickets? (numbers, or Enter for all)")
    line.send("2")
    receive_until(line, "There is no stop before Ramanagara at which you can still get off.")


def test_room_that_is_left_early_is_shown_with_its_last_day(
    connect: Callable[[], LineClient], database: Database
) -> None:
    database.conn.execute((PROJECT / "sql/99_seed_hotel.sql").read_bytes())
    line = connect()
    search = {"origin": "Brindavan House", "destination": "Brindavan House", "kind": "hotel"}
    (stay,) = line.call("search", **search, date="2026-12-08", until="2026-12-11")["trips"]
    segment = {name: stay[name] for name in ("bus_id", "travel_date", "from_stop", "to_stop")}
    paid = line.call("book", **segment, seats=[4, 5], phone=ASHA)
    line.call("alight", reference=paid["reference"], phone=ASHA, tickets=[1], at=stay["from_stop"] + 1)
    line.send(f"status {paid['reference']} {ASHA}")
    receive_until(line, "  Ticket 1: room 4, 7,200.00, until Wed 9 Dec 2026 11:00, refunded 2,400.00")


def test_guest_leaves_a_hotel_earlier(connect: Callable[[], LineClient], database: Database) -> None:
    database.conn.execute((PROJECT / "sql/99_seed_hotel.sql").read_bytes())
    line = connect()
    for question, answer in (
        ("", "hotel"),
        ("Check-in date (2026-12-05, tomorrow, sat or 5 dec):", "8 dec"),
        ("Check-out date, or how many nights (such as 2):", "nights"),
        ('"nights" is not a date such as 5 dec, or a number of nights.', "0"),
        ("Stay at least 1 night.", "61 nights"),
        ("Stay at most 60 nights.", "three nights"),
        ("3 nights, Tue 8 Dec 2026 to Fri 11 Dec 2026: 7,200.00 for each room.", "4"),
        ("Phone number (Enter: none):", ""),
        ("Check-out Fri 11 Dec 2026 11:00", ""),
        ("Confirm, for 7,200.00? (yes or no)", "yes"),
        ("Keep the reference.", "alight"),
    ):
        receive_until(line, question) if question else None
        line.send(answer)
    while not line.receive().startswith(b"Reference of the booking (Enter: "):
        pass
    line.send("")
    receive_until(line, "  1  Wed 9 Dec 2026 11:00, refund 2,400.00")
    receive_until(line, "  2  Thu 10 Dec 2026 11:00, refund 1,200.00")
    receive_until(line, "When do you leave? (1 to 2)")
    for typed, message in (
        ("", "An empty line is not one of the days. Type a number, or Wed 9 Dec 2026 or Thu 10 Dec 2026."),
        ("?", "The number of the day, or its date."),
    ):
        line.send(typed)
        assert line.receive().decode() == message
        receive_until(line, "When do you leave? (1 to 2)")
    line.send("10 dec")
    receive_until(line, "Leave on Thu 10 Dec 2026, and get 1,200.00 of 7,200.00 back? (yes or no)")
    line.send("yes")
    receive_until(line, "Ticket 1 ends on Thu 10 Dec 2026. Room 4 is for sale again from then on.")
    receive_until(line, "1,200.00 is refunded.")


def test_alight_says_why_a_booking_cannot_end_earlier(
    connect: Callable[[], LineClient], clock: Clock
) -> None:
    booked = connect().call("book", **TRIP, seats=[1], phone=ASHA)
    held = connect().call("hold", **TRIP, seats=[2], phone=ASHA, seconds=1800)
    short = connect().call("book", **TRIP | {"destination": "Ramanagara"}, seats=[3], phone=ASHA)
    line = connect()
    for booking, message in (
        (held, f"Booking {held['reference']} has no booked ticket that can end earlier."),
        (short, "There is no stop before Ramanagara at which you can still get off."),
    ):
        line.send(f"alight {booking['reference']} {ASHA}")
        receive_until(line, message)
    clock.set("2026-12-05 11:50+05:30")
    line.send(f"alight {booked['reference']} {ASHA}")
    receive_until(line, "  1  Srirangapatna, Sat 5 Dec 2026 12:20")
    receive_until(line, "Where do you get off? (1)")
    clock.set("2026-12-05 12:40+05:30")
    for answer in ("1", "yes"):
        line.send(answer)
    receive_until(line, "The bus has already left that stop.")


@pytest.mark.parametrize("word", ["quit", "QUIT", "exit", "bye", " quit​ "])
def test_quit_ends_the_connection_when_no_question_is_open(client_socket: LineClient, word: str) -> None:
    transcript(
        client_socket,
        """
        > status
        Reference of the booking:
        """,
    )
    client_socket.send(word)
    receive_until(client_socket, "You left the dialogue. Nothing was changed.")
    client_socket.send(word)
    receive_until(client_socket, "STOPPED")
    assert client_socket.receive() == b""


def test_change_moves_a_ticket_to_another_seat(connect: Callable[[], LineClient]) -> None:
    trip = {
        "bus_id": 1,
        "travel_date": TRAVEL_DAY,
        "origin": "Bengaluru",
        "destination": "Mysuru",
        "phone": ASHA,
    }
    other = connect()
    known = {"ref": other.call("book", **trip, seats=[3])["reference"]}
    transcript(
        connect(),
        """
        > change {ref} 98450 12345
        Booked: {ref}
        KSRTC Day Bus (bus 1)
        Bengaluru, Sat 5 Dec 2026 10:00
          to Mysuru, Sat 5 Dec 2026 12:45
          Ticket 1: seat 3, 260.00
        Fare 260.00
        main (seats)
        +--- driver +
        | 1 2   * 4 |
        | 5 6   7 8 |
        +-----------+
        A number means free, * yours.
        7 of 8 free.
        Which seat instead of seat 3?
        > window
        "window" is not a seat. Type the number of a free seat, such as 1.
        Which seat instead of seat 3?
        > 3
        You have seat 3 already. Type another number, or: back.
        Which seat instead of seat 3?
        > 5
        Booked: {ref}
        KSRTC Day Bus (bus 1)
        Bengaluru, Sat 5 Dec 2026 10:00
          to Mysuru, Sat 5 Dec 2026 12:45
          Ticket 1: seat 5, 260.00
        Fare 260.00
        Ticket 1 has seat 5 now.
        """,
        known,
    )


def test_booking_made_last_is_offered_and_needs_no_phone_number(connect: Callable[[], LineClient]) -> None:
    traveller = connect()
    known = transcript(traveller, RESERVATION)
    advice = "After you disconnect, both ask for the phone number."
    traveller.send("yes")
    receive_until(traveller, advice)
    for line in ("status", "cancel", "change"):
        traveller.send(line)
        assert traveller.receive().decode() == f"Reference of the booking (Enter: {known['ref']}):"
        traveller.send("back")
        receive_until(traveller, "You left the dialogue. Nothing was changed.")
    traveller.send("status")
    traveller.receive()
    traveller.send("")
    assert traveller.receive().decode() == f"Booked: {known['ref']}"
    receive_until(traveller, "Fare 520.00")
    traveller.send(f"status {known['ref']}")
    assert traveller.receive().decode() == f"Booked: {known['ref']}"
    stranger = connect()
    transcript(
        stranger,
        """
        > status
        Reference of the booking:
        > {ref}
        Phone number of the booking (Enter: it was booked without one):
        >
        No booking has that reference and phone number.
        Reference of the booking (Enter: {ref}):
        """,
        known,
    )


def test_booking_opened_last_is_offered_until_another_one_is_opened(
    connect: Callable[[], LineClient],
) -> None:
    other = connect()
    first, second = (other.call("book", **TRIP, seats=[n], phone=ASHA)["reference"] for n in (3, 4))
    traveller = connect()
    for opened, offered in ((first, ""), (second, f" (Enter: {first})")):
        traveller.send("status")
        assert traveller.receive().decode() == f"Reference of the booking{offered}:"
        traveller.send(opened)
        assert (
            traveller.receive().decode() == "Phone number of the booking (Enter: it was booked without one):"
        )
        traveller.send(ASHA)
        receive_until(traveller, "Fare 260.00")
    traveller.send(f"cancel {second}")
    receive_until(traveller, "Cancel ticket 1 (seat 4), and get 130.00 of 260.00 back? (yes or no)")
    traveller.send("quit")
    receive_until(traveller, "You left the dialogue. Nothing was changed.")


def test_command_is_not_taken_for_a_reference(connect: Callable[[], LineClient]) -> None:
    line = connect()
    reference = line.call("book", **TRIP, seats=[3], phone=ASHA)["reference"]
    line.send(f"status {reference} {ASHA}")
    receive_until(line, "Fare 260.00")
    transcript(
        line,
        """
        > change
        Reference of the booking (Enter: {ref}):
        > cancel
        cancel is no answer to this question. To use cancel, type quit first.
        Reference of the booking (Enter: {ref}):
        > BAAAAA
        Phone number of the booking (Enter: it was booked without one):
        >
        No booking has that reference and phone number.
        Reference of the booking (Enter: BAAAAA):
        > {ref}
        Booked: {ref}
        """,
        {"ref": reference},
    )


def test_ticket_that_is_cancelled_cannot_be_chosen(connect: Callable[[], LineClient]) -> None:
    reference = connect().call("book", **TRIP, seats=[1, 2, 3], phone=ASHA)["reference"]
    connect().call("cancel", reference=reference, phone=ASHA, tickets=[1])
    line = connect()
    for command, question in (
        ("cancel", "Which tickets? (numbers, or Enter for all)"),
        ("alight", "Which tickets? (numbers, or Enter for all)"),
        ("change", "Which ticket?"),
    ):
        line.send(f"{command} {reference} {ASHA}")
        receive_until(line, question)
        for typed, message in (("1", "Ticket 1 is cancelled already."), ("21", "")):
            line.send(typed)
            received = line.receive().decode()
            assert received == message or (not message and "cancelled" not in received)
            assert line.receive().decode() == question
        line.send("quit")
        receive_until(line, "You left the dialogue. Nothing was changed.")


def test_ticket_is_chosen_by_its_seat_or_name(connect: Callable[[], LineClient]) -> None:
    party = {"seats": [5, 6, 7], "passengers": [{"name": "Asha"}, {"name": "Ravi Kumar"}, {"name": "Asha"}]}
    reference = connect().call("book", **TRIP, **party, phone=ASHA)["reference"]
    line = connect()
    for typed in ("seat 6", "ravi  kumar", "Seat 6 Ravi Kumar", "2"):
        line.send(f"change {reference} {ASHA}")
        receive_until(line, "Which ticket?")
        for ambiguous in ("asha", "seat 8", ""):
            line.send(ambiguous)
            assert b"is not a ticket in the list." in line.receive()
            receive_until(line, "Which ticket?")
        line.send(typed)
        receive_until(line, "Which seat instead of seat 6?")
        line.send("quit")
        receive_until(line, "You left the dialogue. Nothing was changed.")
    line.send(f"cancel {reference} {ASHA}")
    receive_until(line, "Which tickets? (numbers, or Enter for all)")
    line.send("seat 7")
    receive_until(line, "Cancel ticket 3 (seat 7), and get 130.00 of 260.00 back? (yes or no)")


def test_cancellation_names_the_tickets(connect: Callable[[], LineClient]) -> None:
    reference = connect().call("book", **TRIP, seats=[5, 6, 7], phone=ASHA)["reference"]
    line = connect()
    for typed, question in (
        ("3", "Cancel ticket 3 (seat 7), and get 130.00 of 260.00 back? (yes or no)"),
        ("1 3", "Cancel tickets 1 and 3 (seats 5 and 7), and get 260.00 of 520.00 back? (yes or no)"),
        ("all", "Cancel 3 tickets, and get 390.00 of 780.00 back? (yes or no)"),
    ):
        line.send(f"cancel {reference} {ASHA}")
        receive_until(line, "Which tickets? (numbers, or Enter for all)")
        line.send(typed)
        receive_until(line, question)
        line.send("no")
        receive_until(line, "Nothing was cancelled.")


def test_released_hold_is_not_offered(client_socket: LineClient) -> None:
    transcript(client_socket, RESERVATION)
    for line, last in (("quit", "You left the dialogue."), ("status", "Reference of the booking:")):
        client_socket.send(line)
        receive_until(client_socket, last)


def test_command_is_normalized_as_an_answer_is() -> None:
    dialogue = begin("status\u200b \u00a0DT7VKKK\u200b", Context(today=lambda: date(2026, 12, 1)))
    assert dialogue.step == Call(GetBooking(reference="DT7VKKK"))


def test_wrong_phone_and_wrong_reference_get_the_same_message(client_socket: LineClient) -> None:
    no_reference = '"!!" is not a reference, such as CVK7GHJ.'
    transcript(
        client_socket,
        """
        > status
        Reference of the booking:
        > ?
        The reference is on the ticket. If you lost it, type quit, and then find.
        Or type: back (previous question), quit (leave), say TEXT (ask the operator).
        Reference of the booking:
        > !!
        {no_reference}
        Reference of the booking:
        > BAAAAA
        Phone number of the booking (Enter: it was booked without one):
        > 98450 12345
        No booking has that reference and phone number.
        Reference of the booking (Enter: BAAAAA):
        >
        Phone number of the booking (Enter: it was booked without one):
        > 98450 54321
        No booking has that reference and phone number.
        Reference of the booking (Enter: BAAAAA):
        > quit
        You left the dialogue. Nothing was changed.
        """,
        {"no_reference": no_reference},
    )


@pytest.mark.parametrize(
    "steps",
    [
        [
            ("cancel", "Reference of the booking", "!!", "{ref}"),
            ("", "Phone number of the booking", "maybe", ASHA),
            ("", "Which tickets?", "seven", "2"),
            ("", "Cancel ticket 2 (seat 4)", "maybe", "no"),
        ],
        [
            ("change {ref} 9845012345", "Which ticket?", "9", "1"),
            ("", "Which seat instead of seat 3", "99", "5"),
        ],
        [
            ("find", "Phone number of the booking", "call me", ASHA),
            ("", "Date of journey", "soon", TRAVEL_DAY),
            ("", "Source", "nowhere", "Bengaluru"),
        ],
        [("say", "Message to the operator", "", "hello")],
    ],
)
def test_question_about_a_booking_accepts_ten_invalid_answers(
    connect: Callable[[], LineClient], steps: list[tuple[str, str, str, str]]
) -> None:
    reference = connect().call("book", **TRIP, seats=[3, 4], phone=ASHA)["reference"]
    line = connect()
    for command, question, wrong, right in steps:
        if command:
            line.send(command.format(ref=reference))
        while not (asked := line.receive().decode()).startswith(question):
            pass
        for _ in range(10):
            line.send(wrong)
            assert not line.receive().decode().startswith(question)  # the message
            assert line.receive().decode() == asked
        line.send(right.format(ref=reference))
    last_message = line.receive().decode()  # the dialogue has ended
    assert not last_message.startswith(tuple(question for _, question, _, _ in steps))
