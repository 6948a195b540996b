"""A booking on the screen of the terminal client: in a frame, with a QR code once it is booked.

The code contains BUSWARE: and the reference. That is enough to look the booking up, and it fits the smallest
QR code, so that a whole ticket fits a screen of 80 × 24.
"""

import math
from datetime import UTC, datetime

import segno
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from busware.server.conversation.contacts import contact_line
from busware.server.conversation.fares import part_lines
from busware.server.conversation.payments import due_line, payment_lines
from busware.server.conversation.words import (
    arrival,
    clock,
    day_of,
    delay_line,
    does_not_run,
    duration,
    end_of,
    hold_end,
    moment,
    money,
    offer_lines,
    refund_line,
    service_of,
    venue_of,
    words_of,
)
from busware.server.protocol import CODE_PREFIX, Booking, Payment, Ticket

_NARROW_COLUMNS = 72  # on a screen narrower than this, the code is below the text
_BORDER = 2  # modules around the code; the standard asks for 4, phones read it with 2
_HALF_BLOCKS = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}  # by upper and lower module
_TITLES_AND_COLOURS = {  # by status
    "booked": ("Ticket", "green"),
    "held": ("Held for you", "yellow"),
    "pending": ("On the waitlist", "yellow"),
    "displaced": ("Without seats", "red"),
    "cancelled": ("Cancelled", "red"),
    "expired": ("Expired", "red"),
}


def draw(
    booking: Booking, columns: int = 80, *, coloured: bool = True, with_code: bool = True
) -> RenderableType:
    """A booking in a frame."""
    title, style = _TITLES_AND_COLOURS[booking.status]
    details = Group(*_head(booking, style), Text(), _tickets(booking), Text(), *_summary(booking))
    shown: RenderableType = details
    if booking.status == "booked" and with_code:
        qr_code = code(booking.reference, coloured=coloured)
        if columns < _NARROW_COLUMNS:
            shown = Group(details, Text(), qr_code)
        else:
            shown = Table.grid(padding=(0, 3, 0, 0))
            shown.add_row(details, qr_code)
    return Panel(shown, title=Text(title, "bold"), title_align="left", border_style=style, expand=False)


def _tickets(booking: Booking) -> Table:
    words = words_of(booking.kind)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("No", justify="right")
    table.add_column(words.seat.capitalize(), justify="right")
    names = [_name_and_remarks(ticket, booking) for ticket in booking.tickets]
    if any(names):
        table.add_column(words.passenger.capitalize(), overflow="fold")  # a name is never cut
    table.add_column("Fare", justify="right")
    for ticket, name in zip(booking.tickets, names, strict=True):
        cells = [str(ticket.ticket_no), str(ticket.seat_no or "–")]
        cells += [name or "–"] if any(names) else []
        cells.append(money(ticket.fare, booking.currency))
        style = "dim" if ticket.status != booking.status else ""
        table.add_row(*(Text(cell) for cell in cells), style=style)
    return table


def _name_and_remarks(ticket: Ticket, booking: Booking) -> str:
    """The passenger's name, and in what the ticket differs from its booking; empty if there is neither."""
    remarks = [end_of(ticket, booking), ticket.status if ticket.status != booking.status else ""]
    shown = [f"({remark})" for remark in remarks if remark]
    return " ".join([ticket.name or "–", *shown]) if ticket.name or shown else ""


def _head(booking: Booking, style: str) -> list[RenderableType]:
    reference = Text.assemble(("Reference ", "dim"), (booking.reference, f"bold {style}"))
    return [
        # a hold that is not to be paid first needs its reference only after it is confirmed
        *([] if booking.status == "held" and booking.payment is None else [reference]),
        Text(service_of(booking)),
        Text(", ".join(filter(None, (f"{booking.kind} {booking.bus_id}", booking.vehicle))), "dim"),
        Text(),
        *_journey(booking),
    ]


def _journey(booking: Booking) -> list[RenderableType]:
    """Origin, destination and times; for a stay at one place, the place and the times."""
    departs, arrives = booking.departs_at, booking.arrives_at
    delay = [Text(line, "bold yellow") for line in filter(None, [delay_line(booking)])]
    if venue := venue_of(booking):
        named = [] if venue == service_of(booking) else [Text(venue, "bold")]
        return [*named, Text(moment(departs)), Text(f"until {moment(arrives)}"), *delay]
    return [
        Text(f"{booking.origin} → {booking.destination}", "bold"),
        Text(f"{day_of(departs.date())}"),
        Text(f"{clock(departs)} → {arrival(arrives, departs)}  ({duration(departs, arrives)})"),
        *delay,
    ]


def _summary(booking: Booking) -> list[RenderableType]:
    """The fare, the refund, and the next step or the reason of a cancellation."""
    lines = [Text(line, "dim") for line in part_lines(booking)]
    lines.append(Text(f"Fare {money(booking.fare, booking.currency)}", "bold"))
    if float(booking.refund):
        lines.append(Text(f"Refunded {money(booking.refund, booking.currency)}", "bold green"))
    if booking.expires_at is not None:
        minutes = math.ceil((booking.expires_at - datetime.now(UTC)).total_seconds() / 60)
        before = hold_end(booking, booking.expires_at, None)
        act = "Confirm"
        if booking.payment is not None:
            act = f"Pay {money(booking.payment.amount, booking.payment.currency)}"
        lines.append(Text(f"{act} within {minutes} minutes, before {before}", "yellow"))
    if due := due_line(booking):
        lines.append(Text(due, "bold" if booking.status == "held" else "dim"))
    if booking.position is not None:
        lines.append(Text(f"Position {booking.position} on the waitlist", "bold yellow"))
    if booking.refund_tiers is not None:
        lines.append(Text(refund_line(booking.refund_tiers), "dim"))
    for offer in booking.offers or ():
        lines += [Text(line, "yellow") for line in offer_lines(offer)]
    if contact := contact_line(booking):
        is_wrong = booking.contact is not None and booking.contact.bounced_at is not None
        lines.append(Text(contact, "bold red" if is_wrong else "dim"))
    if booking.why is not None:
        lines.append(Text(does_not_run(booking), "bold red"))
    return [*lines]


def draw_payment(payment: Payment, *, coloured: bool = True, with_code: bool = True) -> RenderableType:
    """How to pay a payment, with the QR code of its UPI URI."""
    lines: list[RenderableType] = [Text(line) for line in payment_lines(payment)]
    if with_code and payment.pay is not None and payment.pay.upi:
        lines.append(_qr(payment.pay.upi, coloured=coloured))
    return Group(*lines)


def code(reference: str, *, coloured: bool = True) -> Text:
    """The QR code of a reference, dark on light."""
    return _qr(f"{CODE_PREFIX}{reference}", coloured=coloured)


def _qr(content: str, *, coloured: bool) -> Text:
    """A QR code, two rows of modules on each line, dark on light.

    Without colours, the light modules are drawn, which is correct on a dark terminal only.
    """
    rows = [list(row) for row in segno.make_qr(content, error="m").matrix_iter(border=_BORDER)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    text = Text(no_wrap=True, end="")
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        blocks = (
            _HALF_BLOCKS[a ^ (not coloured), b ^ (not coloured)] for a, b in zip(upper, lower, strict=True)
        )
        text.append("".join(blocks), "black on white" if coloured else "")
        text.append("\n")
    return text
