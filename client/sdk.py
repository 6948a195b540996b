# Generated from async_sdk.py by scripts/generate: edit that one.
"""The requests as methods: what a user's program calls.

Each method sends one request of server/protocol and returns its reply, a struct of the same module.
A place is its name, code or alias; where a route passes a place twice, the position of the stop (an
int, from `search`) stands instead. Every method raises Refusal when the server refuses the request, and
ConnectionLost when it gives no reply. Every write takes an idempotency key, or makes one: a program that
repeats a write later, say after a crash, has to repeat its key.
"""

# ruff: noqa: PLR0913 – a method has an argument for each field of its request

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from busware.connection import Connection
from busware.server import protocol
from busware.server.protocol import (
    Booking,
    BusType,
    OperatedTrip,
    Passenger,
    Place,
    Pong,
    Quote,
    Seats,
    Session,
    Trip,
)

Stop = str | int


class Client(Connection):
    """A method for each request. Connection says how it is shared, and what it does about failures."""

    def ping(self) -> Pong:
        """The server's name and version, and the time zone of its dates."""
        return self.call(protocol.Ping(), Pong)

    def today(self) -> date:
        """The date where the service is, which need not be the date here."""
        pong = self.ping()
        return datetime.now(ZoneInfo(pong.time_zone)).date()

    def places(self, kind: str | None = None) -> list[Place]:
        """The places that services (of a kind) call at."""
        reply = self.call(protocol.Places(kind=kind), protocol.PlaceList)
        return reply.places

    def search(
        self,
        origin: str,
        destination: str,
        date: date,
        *,
        until: date | None = None,
        kind: str | None = None,
        bus_type: BusType | None = None,
        ac: bool | None = None,
        seats: int | None = None,
    ) -> list[Trip]:
        """The trips that leave origin on date, by departure.

        until: they reach the destination on that date (for nights). seats: so many are free.
        """
        request = protocol.Search(
            origin=origin, destination=destination, date=date, until=until,
            kind=kind, bus_type=bus_type, ac=ac, seats=seats,
        )  # fmt: skip
        reply = self.call(request, protocol.TripList)
        return reply.trips

    def seat_map(self, bus_id: int, travel_date: date, origin: Stop, destination: Stop) -> Seats:
        """The seats of a trip, and which are free over a stretch."""
        return self.call(
            protocol.SeatMap(bus_id=bus_id, travel_date=travel_date, **stretch(origin, destination)), Seats
        )

    def book(
        self,
        bus_id: int,
        travel_date: date,
        origin: Stop,
        destination: Stop,
        *,
        seats: list[int] | None = None,
        count: int | None = None,
        phone: str | None = None,
        passengers: list[Passenger] | None = None,
        waitlist: bool = False,
        key: str | None = None,
    ) -> Booking:
        """Book these seats, or any so many, all of them or none.

        waitlist: when fewer than count are free, wait for them: status `pending`.
        """
        request = protocol.Book(
            bus_id=bus_id, travel_date=travel_date, seats=seats, count=count, phone=phone,
            passengers=passengers, waitlist=waitlist, key=key, **stretch(origin, destination),
        )  # fmt: skip
        return self.call(request, Booking)

    def hold(
        self,
        bus_id: int,
        travel_date: date,
        origin: Stop,
        destination: Stop,
        *,
        seats: list[int] | None = None,
        count: int | None = None,
        phone: str | None = None,
        passengers: list[Passenger] | None = None,
        seconds: int | None = None,
        key: str | None = None,
    ) -> Booking:
        """Keep seats until the booking's expires_at, to be confirmed or released before."""
        request = protocol.Hold(
            bus_id=bus_id, travel_date=travel_date, seats=seats, count=count, phone=phone,
            passengers=passengers, seconds=seconds, key=key, **stretch(origin, destination),
        )  # fmt: skip
        return self.call(request, Booking)

    def confirm(self, reference: str, phone: str | None = None, *, key: str | None = None) -> Booking:
        """Turn a hold into a booking."""
        return self.call(protocol.Confirm(reference=reference, phone=phone, key=key), Booking)

    def release(self, reference: str, phone: str | None = None, *, key: str | None = None) -> Booking:
        """Give a hold up."""
        return self.call(protocol.Release(reference=reference, phone=phone, key=key), Booking)

    def booking(self, reference: str, phone: str | None = None) -> Booking:
        """A booking as it stands."""
        return self.call(protocol.GetBooking(reference=reference, phone=phone), Booking)

    def find(self, phone: str, date: date, place: str) -> list[str]:
        """The references of a guest's bookings, for who knows the phone, the date and the boarding place."""
        reply = self.call(protocol.Find(phone=phone, date=date, place=place), protocol.References)
        return reply.references

    def cancel_quote(
        self, reference: str, phone: str | None = None, *, tickets: list[int] | None = None
    ) -> Quote:
        """What cancelling the booking, or these tickets of it, would give back."""
        return self.call(protocol.CancelQuote(reference=reference, phone=phone, tickets=tickets), Quote)

    def cancel(
        self,
        reference: str,
        phone: str | None = None,
        *,
        tickets: list[int] | None = None,
        key: str | None = None,
    ) -> Booking:
        """Cancel the booking, or these tickets of it; its refund says what is given back."""
        return self.call(protocol.Cancel(reference=reference, phone=phone, tickets=tickets, key=key), Booking)

    def change_seat(
        self,
        reference: str,
        phone: str | None = None,
        *,
        ticket_no: int,
        seat_no: int,
        key: str | None = None,
    ) -> Booking:
        """Move a ticket to another free seat of its trip."""
        request = protocol.ChangeSeat(
            reference=reference, phone=phone, ticket_no=ticket_no, seat_no=seat_no, key=key
        )
        return self.call(request, Booking)

    def alight(
        self,
        reference: str,
        phone: str | None = None,
        *,
        at: Stop,
        tickets: list[int] | None = None,
        key: str | None = None,
    ) -> Booking:
        """Get down early, at a stop before the destination."""
        request = protocol.Alight(reference=reference, phone=phone, at=at, tickets=tickets, key=key)
        return self.call(request, Booking)

    # Accounts ----------------------------------------------------------------------------------

    def register(self, username: str, password: str, phone: str | None = None) -> Session:
        """Open an account, and be signed in from now on, on every connection that is made."""
        return self.call(protocol.Register(username=username, password=password, phone=phone), Session)

    def login(
        self, username: str | None = None, password: str | None = None, *, token: str | None = None
    ) -> Session:
        """Sign in, by username and password or by a token; on every connection that is made from now on."""
        return self.call(protocol.Login(username=username, password=password, token=token), Session)

    def logout(self, *, everywhere: bool = False) -> None:
        """Sign out. everywhere: no token of the account is worth anything any more."""
        self.call(protocol.Logout(everywhere=everywhere), protocol.Done)

    def bookings(self, kind: str | None = None, *, current: bool = False) -> Iterator[Booking]:
        """One's own bookings, newest first. current: those with a ride that has not ended."""
        after = None
        while True:
            page = self.call(protocol.Bookings(kind=kind, current=current, after=after), protocol.BookingList)
            yield from page.bookings
            if (after := page.next) is None:
                return

    # Operators ---------------------------------------------------------------------------------

    def trips(self, date: date) -> Iterator[OperatedTrip]:
        """The trips of a travel date that one runs, by bus."""
        after = None
        while True:
            page = self.call(protocol.OperatorTrips(date=date, after=after), protocol.OperatedTrips)
            yield from page.trips
            if (after := page.next) is None:
                return

    def manifest(self, bus_id: int, travel_date: date) -> protocol.TripManifest:
        """Who boards and who alights at each stop of a trip."""
        return self.call(protocol.Manifest(bus_id=bus_id, travel_date=travel_date), protocol.TripManifest)

    def cancel_trip(
        self, bus_id: int, travel_date: date, reason: str, *, key: str | None = None
    ) -> protocol.CancelledTrip:
        """Cancel a trip; everybody on it gets the whole fare back."""
        request = protocol.CancelTrip(bus_id=bus_id, travel_date=travel_date, reason=reason, key=key)
        return self.call(request, protocol.CancelledTrip)

    def open_sales(self, bus_id: int, from_date: date, to_date: date) -> int:
        """Put the trips of a bus on sale; how many were not before."""
        request = protocol.OpenSales(bus_id=bus_id, from_date=from_date, to_date=to_date)
        reply = self.call(request, protocol.OpenedSales)
        return reply.opened

    def say(self, text: str) -> None:
        """Say something to the operators. Their answers come by on_notification, as `message`."""
        self.call(protocol.Say(text=text), protocol.Done)

    def notice(self, bus_id: int, travel_date: date, text: str) -> None:
        """For operators: say something to all passengers of a trip."""
        self.call(protocol.Notice(bus_id=bus_id, travel_date=travel_date, text=text), protocol.Done)


def stretch(origin: Stop, destination: Stop) -> dict[str, Any]:
    """The fields of a stretch: a place for a str, a position for an int."""
    return {
        "origin" if isinstance(origin, str) else "from_stop": origin,
        "destination" if isinstance(destination, str) else "to_stop": destination,
    }
