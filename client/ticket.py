"""The ticket: what a traveller shows the conductor, with its QR code. Any booking is drawn with it.

The code says BUSWARE: and the reference, which is all that is needed to look the booking up; so it
is of the smallest size, and a whole ticket fits a screen of 80 × 24.
"""

import math
from datetime import UTC, datetime

import segno
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from busware.server.conversation.words import (
    arrival,
    clock,
    day_of,
    does_not_run,
    duration,
    moment,
    money,
    service_of,
    words_of,
)
from busware.server.protocol import Booking

_NARROW = 72  # columns, below which the code stands under the words and not beside them
_BORDER = 2  # modules around the code; phones manage with two
_HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
_STYLES = {"booked": "green", "held": "yellow", "pending": "yellow", "cancelled": "red", "expired": "red"}
_TITLES = {
    "booked": "Ticket",
    "held": "Held for you",
    "pending": "Waiting",
    "cancelled": "Cancelled",
    "expired": "Expired",
}


def draw(
    booking: Booking, columns: int = 80, *, coloured: bool = True, with_code: bool = True
) -> RenderableType:
    """A booking in a frame; once it is booked, with its code."""
    style = _STYLES[booking.status]
    table = Table(box=None, pad_edge=False, show_header=True, padding=(0, 2, 0, 0), header_style="dim")
    words = words_of(booking.kind)
    for head in ("No", words.seat.capitalize()):
        table.add_column(head, justify="right")
    table.add_column(words.passenger.capitalize(), overflow="fold")  # a name is never cut
    table.add_column("Fare", justify="right")
    for one in booking.tickets:
        ended = one.status != booking.status
        name = f"{one.name or '–'}" + (f" ({one.status})" if ended else "")
        cells = (str(one.ticket_no), str(one.seat_no or "–"), name, money(one.fare))
        table.add_row(*(Text(cell, "dim" if ended else "") for cell in cells))
    details = Group(*_head(booking, style), Text(), table, Text(), *_money(booking))
    shown: RenderableType = details
    if booking.status == "booked" and with_code:
        its_code = code(booking.reference, coloured=coloured)
        if columns < _NARROW:
            shown = Group(details, Text(), its_code)
        else:
            shown = Table.grid(padding=(0, 3, 0, 0))
            shown.add_row(details, its_code)
    return Panel(
        shown,
        title=Text(_TITLES[booking.status], "bold"),
        title_align="left",
        border_style=style,
        expand=False,
    )


def _head(booking: Booking, style: str) -> list[RenderableType]:
    reference = Text.assemble(("Reference ", "dim"), (booking.reference, f"bold {style}"))
    return [
        *([] if booking.status == "held" else [reference]),  # which is of no use before it is confirmed
        Text(service_of(booking)),
        Text(f"{booking.kind} {booking.bus_id}", "dim"),
        Text(),
        *_ride(booking),
    ]


def _ride(booking: Booking) -> list[RenderableType]:
    """From where to where, and when; or, of a stay in one place, from when to when."""
    departs, arrives = booking.departs_at, booking.arrives_at
    if booking.origin == booking.destination:
        return [Text(booking.origin, "bold"), Text(moment(departs)), Text(f"until {moment(arrives)}")]
    return [
        Text(f"{booking.origin} → {booking.destination}", "bold"),
        Text(f"{day_of(departs.date())}"),
        Text(f"{clock(departs)} → {arrival(arrives, departs)}  ({duration(departs, arrives)})"),
    ]


def _money(booking: Booking) -> list[RenderableType]:
    lines = [Text(f"Fare {money(booking.fare)}", "bold")]
    if float(booking.refund):
        lines.append(Text(f"Refunded {money(booking.refund)}", "bold green"))
    if booking.expires_at is not None:
        minutes = math.ceil((booking.expires_at - datetime.now(UTC)).total_seconds() / 60)
        until = f"{booking.expires_at.astimezone():%H:%M:%S} on your clock"
        lines.append(Text(f"For {minutes} minutes, until {until}", "yellow"))
    if booking.position is not None:
        lines.append(Text(f"Number {booking.position} in the queue", "bold yellow"))
    if booking.why is not None:
        lines.append(Text(does_not_run(booking), "bold red"))
    return [*lines]


def code(reference: str, *, coloured: bool = True) -> Text:
    """The QR code of a reference, two rows of it a line, dark on light.

    Without colours the light is drawn: on a dark terminal that comes to the same.
    """
    rows = [list(row) for row in segno.make_qr(f"BUSWARE:{reference}", error="m").matrix_iter(border=_BORDER)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    text = Text(no_wrap=True, end="")
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        halves = (
            (bool(a), bool(b)) if coloured else (not a, not b) for a, b in zip(upper, lower, strict=True)
        )
        text.append("".join(_HALVES[a, b] for a, b in halves), "black on white" if coloured else "")
        text.append("\n")
    return text
