"""A booking in the language of its traveller: labels and values, and the page of its ticket."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from busware.server.conversation.words import service_of, venue_of, words_of
from busware.server.documents.ticket_pdf import TicketPage
from busware.server.languages import Language
from busware.server.protocol import CODE_PREFIX, Booking, Ticket

_CURRENT = ("booked", "held", "pending", "displaced")


class BookingText:
    """A booking as text."""

    def __init__(self, booking: Booking, language: Language) -> None:
        self.booking = booking
        self._language = language

    @property
    def service(self) -> str:
        """Operator and name of the service."""
        return service_of(self.booking)

    @property
    def journey(self) -> str:
        """Origin and destination, or the place of a stay."""
        return venue_of(self.booking) or f"{self.booking.origin} – {self.booking.destination}"

    @property
    def departs(self) -> str:
        """The expected departure, or the beginning of a stay."""
        return self._language.moment(self.booking.departs_at)

    @property
    def seats(self) -> str:
        """The numbers of the seats, such as 7, 8."""
        return ", ".join(str(ticket.seat_no) for ticket in self.tickets if ticket.seat_no is not None)

    @property
    def tickets(self) -> list[Ticket]:
        """The tickets that are not cancelled or expired."""
        return [ticket for ticket in self.booking.tickets if ticket.status in _CURRENT]

    @property
    def cancelled(self) -> list[int]:
        """The numbers of the cancelled tickets."""
        return [ticket.ticket_no for ticket in self.booking.tickets if ticket.status == "cancelled"]

    def amount(self, amount: str) -> str:
        """An amount in the currency of the booking."""
        return self._language.amount(amount, self.booking.currency)

    def moment(self, at: datetime) -> str:
        """A date and time of the booking, in its own time zone: that of a place."""
        return self._language.moment(at)

    @property
    def due(self) -> str:
        """The fares of the tickets less their refunds, as an amount of the protocol."""
        return str(Decimal(self.booking.fare) - Decimal(self.booking.refund))

    @property
    def had_no_seats(self) -> bool:
        """Whether the party was on the waitlist until now, so that nothing was paid."""
        return all(ticket.seat_no is None for ticket in self.booking.tickets)

    def facts(self) -> list[tuple[str, str]]:
        """Labels and values: the service, the journey, the seats, the amounts."""
        booking, _ = self.booking, self._language.gettext
        at_venue = words_of(booking.kind).at_venue
        facts = [
            (_("Reference"), booking.reference),
            (_("Service"), f"{self.service} ({booking.bus_id})"),
            *([(_("Place"), venue_of(booking))] if at_venue else self._ends()),
            (_("Begins") if at_venue else _("Departure"), self.departs),
            (_("Ends") if at_venue else _("Arrival"), self._language.moment(booking.arrives_at)),
        ]
        if booking.scheduled_departs_at is not None:
            facts.append((_("Timetable"), self._language.moment(booking.scheduled_departs_at)))
        if booking.vehicle:
            facts.append((_("Vehicle"), booking.vehicle))
        if self.seats:
            facts.append((self._seat_label(len(self.tickets)), self.seats))
        facts.append((_("Fare"), self.amount(booking.fare)))
        if float(booking.refund):
            facts.append((_("Refunded"), self.amount(booking.refund)))
        return facts

    def _ends(self) -> list[tuple[str, str]]:
        _ = self._language.gettext
        return [(_("From"), self.booking.origin), (_("To"), self.booking.destination)]

    def _seat_label(self, seats: int) -> str:
        """The label of the numbers of some seats."""
        ngettext = self._language.ngettext
        if words_of(self.booking.kind).seat == "room":
            return ngettext("Room", "Rooms", seats)
        return ngettext("Seat", "Seats", seats)

    @property
    def code(self) -> str:
        """The text of the QR code."""
        return f"{CODE_PREFIX}{self.booking.reference}"

    def page(self, created_at: datetime) -> TicketPage:
        """The page of the ticket. created_at: see TicketPage."""
        _ = self._language.gettext
        rows = [
            (str(t.ticket_no), t.name or "–", str(t.seat_no or "–"), self.amount(t.fare))
            for t in self.tickets
        ]
        return TicketPage(
            title=_("Ticket"),
            reference=self.booking.reference,
            service=self.service,
            journey=self.journey,
            facts=[fact for fact in self.facts() if fact[1] != self.booking.reference],
            header=(_("No."), _("Name"), self._seat_label(1), _("Fare")),
            rows=rows,
            notes=[_("Show this code or the reference when you board. Do not give them to others.")],
            code=self.code,
            created_at=created_at,
            language=self._language.code,
        )


def decode_booking(data: Any) -> Booking:
    """The booking in an event. Raises msgspec.ValidationError."""
    import msgspec

    return msgspec.convert(data, Booking)
