"""The calls of the plain-text transcripts: dialogues, with the lines that programs rely on.

These lines are fixed: those that PROTOCOL.md shows without `…` for flights, the theatre and pushes; short
questions; the first line of a booking; and the last line. Other texts may change.
"""

from tests.support.transcripts import CLOSED, Entry

ASHA = "98450 12345"
FLIGHT_QUESTION = (
    "Please enter the source country, destination country, and travel date/time "
    "(format: source,destination,date,time):"
)


def type_(text: str | None, *fixed: str, on: str = "person") -> Entry:
    """A line to type, and the lines that the server has to send."""
    return {"on": on, "type": text, "fixed": list(fixed)}


HALL = ["0 0 0 0 0"] * 5
RESERVATION = ["bus", "reservation", "12 dec", "SLEEPER", "AC", "Bangalore", "Mysuru", "2", "2 4", ASHA]

CALLS = [
    {"clock": "2026-12-01T13:10:00+05:30"},  # while the holds of the JSON-RPC transcript last
    # A bus, from the first question to the ticket, and back.
    type_("bus", "Reservation or cancellation:"),
    type_("reservation", "Date of journey…"),
    type_("12 dec", "SLEEPER, SEMI_SLEEPER, SEATER or any:"),
    type_("SLEEPER", "AC, NON_AC or any:"),
    type_("AC", "Source:"),
    type_("Bangalore", "Destination:"),
    type_("Mysuru", "Bus id:"),
    type_("2", "Seat numbers…"),
    type_("1 3", "Phone number:"),
    type_(ASHA, "Held: {p_bus}", "Fare 1,000.00", "Confirm, for 1,000.00? (yes or no)"),
    type_("yes", "Booked: $p_bus", "Fare 1,000.00"),
    type_(f"status $p_bus {ASHA}", "Booked: $p_bus", "Fare 1,000.00"),
    type_("bus", "Reservation or cancellation:"),
    type_("quit"),
    # The same lines sent at once, as from a file. The hold ends with the connection.
    type_("\n".join(RESERVATION), "Held: {p_unconfirmed}", "Confirm, for 1,000.00? (yes or no)", on="pipe"),
    type_("STOP", "STOPPED", CLOSED, on="pipe"),
    # A ticket is cancelled.
    type_(f"cancel $p_bus {ASHA}", "Booked: $p_bus"),
    type_("2"),
    type_("yes", "Booked: $p_bus", "Fare 1,000.00, refunded 250.00"),
    # Flights.
    type_("usa", "Welcome to USA", on="traveller"),
    type_("India", "Welcome to India", on="traveller"),
    type_("flight", FLIGHT_QUESTION, on="traveller"),
    type_("USA,IND,2026-12-15,10:00",
          "Booking flight from USA to IND on 2026-12-15 at 10:00. Status: Booked", "Reference {p_flight}.",
          on="traveller"),
    type_("status $p_flight", "Booked: $p_flight", "Fare 62,000.00", on="traveller"),
    type_("flight choose", "Date of journey…"),
    type_("quit"),
    # Three more bookings, one of them without the command. Then the flight is full.
    *[
        type_(
            f"{flight}USA,IND,2026-12-15,10:00",
            "Booking flight from USA to IND on 2026-12-15 at 10:00. Status: Booked",
            f"Reference {{p_flight{n}}}.",
            on="traveller",
        )
        for n, flight in enumerate(("", "flight ", "FLIGHT "), 2)
    ],
    type_("USA,IND,2026-12-15,10:00",
          "Booking flight from USA to IND on 2026-12-15 at 10:00. Status: Pending", "Reference {p_queue}.",
          "Number 1 in the queue.", on="queue"),
    type_("cancel $p_flight", on="traveller"),
    type_("yes", "Cancelled: $p_flight", on="traveller"),
    type_(None, "Booking $p_queue (flight 701, seat 1) from New York JFK to Delhi Airport on 2026-12-15 "
          "at 10:00. Status: Booked, fare 62,000.00", on="queue"),
    # The theatre.
    type_("show 18:30 5 dec", "How many seats? (Hayavadana, Sat 5 Dec 2026 18:30, 25 free, 300.00 each)"),
    type_("2", *HALL, "0 is free, 1 is not.", "Seat numbers, 2 of them, from 1 to 25:"),
    type_("7 8", "Ticket {p_ticket1} reserved", "Ticket {p_ticket2} reserved", "Reference {p_show}."),
    type_("show 18:30 5 Dec", "How many seats? (Hayavadana, Sat 5 Dec 2026 18:30, 23 free, 300.00 each)"),
    type_("1", "0 0 0 0 0", "0 1 1 0 0", "0 0 0 0 0", "0 0 0 0 0", "0 0 0 0 0", "0 is free, 1 is not.",
          "Seat number, from 1 to 25:"),
    type_("7", "Warning: …", "0 0 0 0 0", "0 1 1 0 0", "0 is free, 1 is not.", "Seat number, from 1 to 25:"),
    type_("9", "Ticket {p_ticket3} reserved", "Reference {p_show2}."),
    type_("theatre 18:30 5 dec", "How many seats? (Hayavadana, Sat 5 Dec 2026 18:30, 22 free, 300.00 each)",
          on="crowd"),
    type_("30", "Only 22 seats are free: 30 cannot be booked.", CLOSED, on="crowd"),
    # The hotel, held and confirmed.
    type_("hotel", "Check-in date…"),
    type_("8 dec", "Check-out date…"),
    type_("2", "Room numbers…"),
    type_("1", "Phone number (Enter: none):"),
    type_("", "Held: {p_stay}", "Fare 4,800.00", "Confirm, for 4,800.00? (yes or no)"),
    type_("yes", "Booked: $p_stay", "Fare 4,800.00"),
    # A change of seat.
    type_(f"change $p_bus {ASHA}"),
    type_("4", "Booked: $p_bus", "Booked: $p_bus"),
    {"sql": "SELECT status, seat_no FROM bookings WHERE reference = %s ORDER BY ticket_no",
     "args": ["$p_bus"]},
    # Pushes.
    {"sql": "SELECT api.notice('The bus leaves from bay 4.', bus_id => 2, travel_date => '2026-12-12')"},
    type_(None, "Server: The bus leaves from bay 4."),
    {"sql": "SELECT api.call('cancel_trip', jsonb_build_object('bus_id', 2, 'travel_date', '2026-12-12',"
            " 'reason', 'Landslide at Maddur.', 'account', 'boss'))"},
    type_(None, "Booking $p_bus (bus 2) from Bengaluru to Mysuru on 2026-12-12 at 22:00. Status: Cancelled, "
          "750.00 is given back. The bus does not run. Landslide at Maddur."),
    type_("say Thank you."),
    type_("stop", "STOPPED", CLOSED),
    {"sql": "SELECT * FROM api.audit()"},
]  # fmt: skip

# The end of the server, after everything else: a client that has sent lines, and one that has not.
STOPPING = [
    type_("help", on="last"),
    type_("bus", "Reservation or cancellation:", on="last"),
    {"stop": True},
    type_(None, "Server: I am going down now. Good-bye.", CLOSED, on="last"),
]  # fmt: skip
