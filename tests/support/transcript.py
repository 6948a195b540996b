"""Transcripts of plain text: a test reads like a session of `nc`.

A line that begins with ">" is sent. The server has to send every other line exactly. A word in braces, such
as {ref}, matches any reference where it first appears, and the same reference after that.
"""

import re
import textwrap

from tests.conftest import LineClient

TRAVEL_DAY = "2026-12-05"  # a Saturday, four days after the tests' NOW
ASHA = "98450 12345"


def transcript(client: LineClient, text: str, known: dict[str, str] | None = None) -> dict[str, str]:
    """Play a transcript; return the values of the words in braces."""
    known = {} if known is None else known
    for expected in textwrap.dedent(text).strip("\n").splitlines():
        if expected.startswith(">"):
            client.send(expected[1:].strip().format_map(known))
        else:
            match(client.receive().decode(), expected, known)
    return known


def match(received: str, expected: str, known: dict[str, str]) -> None:
    """Compare a line with an expected one, and record the values of new words in braces."""
    pattern = re.escape(expected)
    for name in re.findall(r"\{(\w+)\}", expected):
        stands_for = re.escape(known[name]) if name in known else f"(?P<{name}>[A-Z0-9]+)"
        pattern = pattern.replace(re.escape("{" + name + "}"), stands_for, 1)
    found = re.fullmatch(pattern, received)
    assert found, f"expected: {expected!r}\nreceived: {received!r}"
    known.update(found.groupdict())


RESERVATION = f"""
    > bus
    1 reservation, 2 cancellation
    Reservation or cancellation:
    > reservation
    Date of journey (2026-12-05, tomorrow, sat or 5 dec):
    > sat
    Sat 5 Dec 2026.
    1 SLEEPER, 2 SEMI_SLEEPER, 3 SEATER, 4 any
    SLEEPER, SEMI_SLEEPER, SEATER or any:
    > seater
    1 AC, 2 NON_AC, 3 any
    AC, NON_AC or any:
    > non-ac
    Source:
    > bangalore
    Destination:
    > Mysuru
    Bengaluru to Mysuru, Sat 5 Dec 2026:
       Bus  Leaves  Arrives   Takes       Fare  Free  Service
         1  10:00   12:45      2h45     260.00     8  KSRTC Day Bus, NON_AC SEATER
    Bus id:
    > 1
    main (seats)
    +--- driver +
    | 1 2   3 4 |
    | 5 6   7 8 |
    +-----------+
    A number means free.
    8 of 8 free, 260.00 each.
    Seat numbers, such as 1 2, or best 2 for any two:
    > 7, 8
    Phone number:
    > {ASHA}
    Held: {{ref}}
    KSRTC Day Bus (bus 1)
    Bengaluru, Sat 5 Dec 2026 10:00
      to Mysuru, Sat 5 Dec 2026 12:45
      Ticket 1: seat 7, 260.00
      Ticket 2: seat 8, 260.00
    Fare 520.00
    The hold expires at 09:10:00, in 10 min 00 s.
    If you leave before you answer, the seats are released.
    Confirm, for 520.00? (yes or no)
"""


def receive_until(client: LineClient, last: str) -> None:
    """Receive lines up to this one."""
    while client.receive().decode() != last:
        pass


def message_to(client: LineClient) -> str:
    """Receive the lines of a message of an operator; return its text."""
    first, details = client.receive().decode(), client.receive().decode()
    assert details.startswith("Sent ") and details.endswith("To answer, type: say TEXT")
    return first.removeprefix("Server: ")
