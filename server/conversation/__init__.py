"""The guided conversation: a booking by question and answer. Pure: no socket, no clock, no database.

  dialogue      the engine: steps, back and quit       commands      what a line begins
  reservation   from the date to the ticket            departures    the first half of it: up to the trip
  flights       flights, by a request line             shows         the theatre
  nights        the hotel                              bookings      status, cancel, change, find
  answers       what an answer means                   seating       which seats it means
  dates         dates as people type them              words         what a kind of service is called
  drawing       for pictures of a seat map             cleaning      what may reach a screen

The plain-text face (server/tcp/plain_text.py) and the terminal client (client/terminal.py) carry out the same
steps, each in its own way.
"""

from busware.server.conversation.cleaning import clean_text
from busware.server.conversation.commands import COMMANDS, END, WELCOME, Conversation
from busware.server.conversation.dates import DateError, parse_date
from busware.server.conversation.dialogue import (
    BACK,
    HELP,
    QUIT,
    Ask,
    Call,
    Choice,
    Dialogue,
    Failed,
    Show,
    Step,
    Tell,
    clean,
    given_up,
)

__all__ = [
    "BACK",
    "COMMANDS",
    "END",
    "HELP",
    "QUIT",
    "WELCOME",
    "Ask",
    "Call",
    "Choice",
    "Conversation",
    "DateError",
    "Dialogue",
    "Failed",
    "Show",
    "Step",
    "Tell",
    "clean",
    "clean_text",
    "given_up",
    "parse_date",
]  # fmt: skip
