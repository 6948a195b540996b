"""The guided dialogues of plain text and of the terminal client, without sockets, clocks or database.

  dialogue      the engine: steps, back, quit          commands      the lines that begin a dialogue
  trips         `bus`: from the date to the trip       reservation   from the trip to the ticket
  flights       `flight`, and the welcome              shows         `show`: the theatre
  nights        `hotel`                                bookings      existing bookings
  offers        `offer`: accept or decline one         exchanges     `exchange`: another trip
  contacts      `email`: where messages go             payments      how a hold is paid
  answers       parsers of answers                     seating       parsers of answers about seats
  dates         parser of dates                        journeys      parser of places, date and type
  extras        class of seats, concessions, infants, promo code
  words         nouns, dates and amounts as text       fares         the parts of fares as text
  drawing       parts of seat maps                     manifest      a manifest as text
  chart         a seat occupancy chart as text

server/tcp/plain_text.py and client/terminal.py execute the same steps and display them differently.
"""

from busware.server.conversation.commands import (
    COMMANDS,
    MORE_COMMANDS,
    WELCOME,
    begin,
    command_named_by,
    ends_connection,
    find_help,
)
from busware.server.conversation.dates import parse_date
from busware.server.conversation.dialogue import (
    BACK,
    HELP,
    QUIT,
    Ask,
    Call,
    Choice,
    Context,
    Dialogue,
    InvalidInput,
    OpenedBookings,
    Show,
    Step,
    Tell,
    no_answer,
    undo_outcome,
)

__all__ = [
    "BACK", "COMMANDS", "HELP", "MORE_COMMANDS", "QUIT", "WELCOME", "Ask", "Call", "Choice", "Context",
    "Dialogue", "InvalidInput", "OpenedBookings", "Show", "Step", "Tell", "begin", "command_named_by",
    "ends_connection", "find_help", "no_answer", "parse_date", "undo_outcome",
]  # fmt: skip
