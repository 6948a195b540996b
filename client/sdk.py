# Generated from async_sdk.py by scripts/generate: edit that file.
"""A client with one method for each request.

Each method sends one request of server/protocol and returns its reply, a struct of the same module. A place
is given by its name, code or alias. Where a route passes a place twice, give the stop number instead (an int,
from `search`). A trip is given by one of two dates: travel_date, at its first stop, or boarding_date, at the
origin. Every method raises Refusal if the server refuses the request, and ConnectionLost if there is
no reply. `key` is an idempotency key; if none is given, the client makes one. A program that may repeat a
write after a crash must give the same key both times.
"""

# ruff: noqa: PLR0913 – one parameter for each field of a request

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from msgspec import UNSET, UnsetType

from busware.connection import Connection
from busware.retries import PlaceOrStopNo, segment_fields, service_fields
from busware.server import protocol
from busware.server.protocol import (
    AlightingStop,
    Assignment,
    Booking,
    BusType,
    ChangedPlace,
    ChangedService,
    Driver,
    OperatedTrip,
    Passenger,
    Place,
    Pong,
    PromoCode,
    Quote,
    Seats,
    ServiceData,
    ServiceSummary,
    Session,
    Trip,
    Vehicle,
)


class Client(Connection):
    """A client with a method for each request.

    Connection describes who may share it, and when it sends a request again.
    """

    def ping(self) -> Pong:
        """The server's name and version, and the time zone of its dates."""
        return self.call(protocol.Ping(), Pong)

    def today(self) -> date:
        """Today's date in the server's time zone."""
        return datetime.now(ZoneInfo((self.ping()).time_zone)).date()

    def places(self, kind: str | None = None, *, origin: str | None = None) -> list[Place]:
        """The places that services stop at. kind: services of this kind only.

        origin: only the places that services on sale from there go to.
        """
        return (self.call(protocol.Places(kind=kind, origin=origin), protocol.PlaceList)).places

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
        """The trips that leave origin on date, in order of departure.

        until: the date of arrival (for hotels: the check-out). seats: the minimum number of free seats.
        """
        request = protocol.Search(
            origin=origin, destination=destination, date=date, until=until,
            kind=kind, bus_type=bus_type, ac=ac, seats=seats,
        )  # fmt: skip
        return (self.call(request, protocol.TripList)).trips

    def seat_map(
        self,
        bus_id: int,
        travel_date: date | None = None,
        origin: PlaceOrStopNo | None = None,
        destination: PlaceOrStopNo | None = None,
        *,
        boarding_date: date | None = None,
    ) -> Seats:
        """The seats of a trip, with their state on a segment."""
        return self.call(protocol.SeatMap(
            bus_id=bus_id, travel_date=travel_date, boarding_date=boarding_date,
            **segment_fields(origin, destination),
        ), Seats)  # fmt: skip

    def book(
        self,
        bus_id: int,
        travel_date: date | None = None,
        origin: PlaceOrStopNo | None = None,
        destination: PlaceOrStopNo | None = None,
        *,
        boarding_date: date | None = None,
        seats: list[int] | None = None,
        count: int | None = None,
        phone: str | None = None,
        passengers: list[Passenger] | None = None,
        seat_class: str | None = None,
        promo_code: str | None = None,
        waitlist: bool = False,
        key: str | None = None,
    ) -> Booking:
        """Book these seats, or `count` seats of the server's choice: all of them or none.

        seat_class: the class of these `count` seats; by default the cheapest. promo_code: of the operator.
        waitlist: if fewer than count are free, join the waitlist; the status is then `pending`.
        """
        return self.call(protocol.Book(
            bus_id=bus_id, travel_date=travel_date, boarding_date=boarding_date, seats=seats, count=count,
            phone=phone, passengers=passengers, seat_class=seat_class, promo_code=promo_code,
            waitlist=waitlist, key=key, **segment_fields(origin, destination),
        ), Booking)  # fmt: skip

    def hold(
        self,
        bus_id: int,
        travel_date: date | None = None,
        origin: PlaceOrStopNo | None = None,
        destination: PlaceOrStopNo | None = None,
        *,
        boarding_date: date | None = None,
        seats: list[int] | None = None,
        count: int | None = None,
        phone: str | None = None,
        passengers: list[Passenger] | None = None,
        seat_class: str | None = None,
        promo_code: str | None = None,
        seconds: int | None = None,
        key: str | None = None,
    ) -> Booking:
        """Hold seats until the booking's expires_at. Confirm or release the hold before."""
        return self.call(protocol.Hold(
            bus_id=bus_id, travel_date=travel_date, boarding_date=boarding_date, seats=seats, count=count,
            phone=phone, passengers=passengers, seat_class=seat_class, promo_code=promo_code,
            seconds=seconds, key=key, **segment_fields(origin, destination),
        ), Booking)  # fmt: skip

    def confirm(
        self,
        reference: str,
        phone: str | None = None,
        *,
        fare: str | None = None,
        key: str | None = None,
    ) -> Booking:
        """Turn a hold into a booking. fare: the fare that is accepted if the hold has expired."""
        return self.call(protocol.Confirm(reference=reference, phone=phone, fare=fare, key=key), Booking)

    def release(self, reference: str, phone: str | None = None, *, key: str | None = None) -> Booking:
        """Release a hold."""
        return self.call(protocol.Release(reference=reference, phone=phone, key=key), Booking)

    def booking(self, reference: str, phone: str | None = None) -> Booking:
        """The present state of a booking."""
        return self.call(protocol.GetBooking(reference=reference, phone=phone), Booking)

    def find(self, phone: str, date: date, place: str) -> list[str]:
        """The references of the bookings with this phone number, boarding date and boarding place."""
        return (self.call(protocol.Find(phone=phone, date=date, place=place), protocol.References)).references

    def cancel_quote(
        self, reference: str, phone: str | None = None, *, tickets: list[int] | None = None
    ) -> Quote:
        """The refund if the booking, or these tickets of it, were cancelled now."""
        return self.call(protocol.CancelQuote(reference=reference, phone=phone, tickets=tickets), Quote)

    def cancel(
        self,
        reference: str,
        phone: str | None = None,
        *,
        tickets: list[int] | None = None,
        key: str | None = None,
    ) -> Booking:
        """Cancel the booking, or these tickets of it."""
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
        return self.call(
            protocol.ChangeSeat(
                reference=reference, phone=phone, ticket_no=ticket_no, seat_no=seat_no, key=key
            ),
            Booking,
        )

    def transfer(
        self, reference: str, ticket_no: int, name: str, phone: str | None = None, *, key: str | None = None
    ) -> Booking:
        """Transfer a ticket to another name."""
        request = protocol.Transfer(reference=reference, ticket_no=ticket_no, name=name, phone=phone, key=key)
        return self.call(request, Booking)

    def alight_quote(
        self,
        reference: str,
        phone: str | None = None,
        *,
        at: PlaceOrStopNo | None = None,
        tickets: list[int] | None = None,
    ) -> list[AlightingStop]:
        """The stops at which the booking, or these tickets of it, may end early, with the refunds."""
        return (
            self.call(
                protocol.AlightQuote(reference=reference, phone=phone, at=at, tickets=tickets),
                protocol.AlightingStops,
            )
        ).stops

    def alight(
        self,
        reference: str,
        phone: str | None = None,
        *,
        at: PlaceOrStopNo,
        tickets: list[int] | None = None,
        key: str | None = None,
    ) -> Booking:
        """Shorten the journey of the booking, or of these tickets: leave at a stop before the destination."""
        return self.call(
            protocol.Alight(reference=reference, phone=phone, at=at, tickets=tickets, key=key), Booking
        )

    # Accounts ----------------------------------------------------------------------------------

    def register(self, username: str, password: str, phone: str | None = None) -> Session:
        """Create an account and sign in, on this connection and all later ones."""
        return self.call(protocol.Register(username=username, password=password, phone=phone), Session)

    def login(
        self, username: str | None = None, password: str | None = None, *, token: str | None = None
    ) -> Session:
        """Sign in with a password or a token, on this connection and all later ones."""
        return self.call(protocol.Login(username=username, password=password, token=token), Session)

    def logout(self, *, everywhere: bool = False) -> None:
        """Sign out. everywhere: revoke every token of the account."""
        self.call(protocol.Logout(everywhere=everywhere), protocol.Done)

    def bookings(self, kind: str | None = None, *, current: bool = False) -> Iterator[Booking]:
        """The account's bookings, newest first. current: only those with a journey that has not ended."""
        after = None
        while True:
            page = self.call(protocol.Bookings(kind=kind, current=current, after=after), protocol.BookingList)
            yield from page.bookings
            if (after := page.next) is None:
                return

    # Operators ---------------------------------------------------------------------------------

    def trips(self, date: date) -> Iterator[OperatedTrip]:
        """The operator's trips on a travel date, in order of bus_id."""
        after = None
        while True:
            page = self.call(protocol.OperatorTrips(date=date, after=after), protocol.OperatedTrips)
            yield from page.trips
            if (after := page.next) is None:
                return

    def manifest(self, bus_id: int, travel_date: date) -> protocol.TripManifest:
        """The passengers who board and alight at each stop of a trip."""
        return self.call(protocol.Manifest(bus_id=bus_id, travel_date=travel_date), protocol.TripManifest)

    def check_in(
        self,
        reference: str,
        *,
        tickets: list[int] | None = None,
        at: str | int | None = None,
        bus_id: int | None = None,
        travel_date: date | None = None,
        key: str | None = None,
    ) -> Booking:
        """Check in the passengers of a booking; `reference` may be the text of a ticket's QR code."""
        request = protocol.CheckIn(
            reference=reference, tickets=tickets, at=at, bus_id=bus_id, travel_date=travel_date, key=key
        )
        return self.call(request, Booking)

    def no_shows(
        self,
        bus_id: int,
        travel_date: date,
        at: str | int,
        *,
        release: bool | None = None,
        key: str | None = None,
    ) -> protocol.NoShows:
        """Mark those who board at a stop and are not checked in. release: whether their seats sell again."""
        request = protocol.MarkNoShows(
            bus_id=bus_id, travel_date=travel_date, at=at, release=release, key=key
        )
        return self.call(request, protocol.NoShows)

    def sales(
        self,
        from_date: date,
        to_date: date,
        *,
        group: protocol.SalesGroup | None = None,
        by: protocol.SalesDates | None = None,
    ) -> protocol.SalesReport:
        """The sales of the operator's services, by service, date or segment."""
        request = protocol.Sales(from_date=from_date, to_date=to_date, group=group, by=by)
        return self.call(request, protocol.SalesReport)

    def load(self, bus_id: int, travel_date: date) -> protocol.TripLoad:
        """The booked, held and free seats on each leg of a trip."""
        return self.call(protocol.Load(bus_id=bus_id, travel_date=travel_date), protocol.TripLoad)

    def occupancy(self, bus_id: int, travel_date: date) -> protocol.TripOccupancy:
        """The tickets that have each seat of a trip."""
        return self.call(protocol.Occupancy(bus_id=bus_id, travel_date=travel_date), protocol.TripOccupancy)

    def cancel_trip(
        self, bus_id: int, travel_date: date, reason: str, *, key: str | None = None
    ) -> protocol.CancelledTrip:
        """Cancel a trip. Every passenger whose journey has not ended gets a full refund."""
        return self.call(
            protocol.CancelTrip(bus_id=bus_id, travel_date=travel_date, reason=reason, key=key),
            protocol.CancelledTrip,
        )

    def block_seats(
        self,
        bus_id: int,
        travel_date: date,
        seats: list[int],
        *,
        from_stop: int | None = None,
        to_stop: int | None = None,
        reason: str | None = None,
        key: str | None = None,
    ) -> list[protocol.BlockedSegment]:
        """Take seats of a trip out of sale, on the whole route without stops; return what is blocked."""
        return (
            self.call(
                protocol.BlockSeats(
                    bus_id=bus_id, travel_date=travel_date, seats=seats, from_stop=from_stop,
                    to_stop=to_stop, reason=reason, key=key,
                ),
                protocol.BlockedSeats,
            )
        ).blocked  # fmt: skip

    def unblock_seats(
        self,
        bus_id: int,
        travel_date: date,
        seats: list[int],
        *,
        from_stop: int | None = None,
        to_stop: int | None = None,
        key: str | None = None,
    ) -> list[protocol.BlockedSegment]:
        """Put blocked seats of a trip on sale again; return what is still blocked."""
        return (
            self.call(
                protocol.UnblockSeats(
                    bus_id=bus_id, travel_date=travel_date, seats=seats, from_stop=from_stop,
                    to_stop=to_stop, key=key,
                ),
                protocol.BlockedSeats,
            )
        ).blocked  # fmt: skip

    def promo_codes(self, operator: str | None = None) -> Iterator[PromoCode]:
        """The operator's promo codes, by code, with their uses. operator: only an admin names it."""
        after = None
        while True:
            page = self.call(protocol.PromoCodes(operator=operator, after=after), protocol.PromoCodeList)
            yield from page.promo_codes
            if (after := page.next) is None:
                return

    def put_promo_code(
        self,
        code: str,
        *,
        operator: str | None = None,
        percent: str | None = None,
        amount: str | None = None,
        services: list[int] | None = None,
        first_date: date | None = None,
        last_date: date | None = None,
        max_uses: int | None = None,
        max_uses_per_account: int | None = None,
    ) -> PromoCode:
        """Create a promo code, or replace what it gives: a percentage and an amount off each ticket.

        services: on which it is valid; by default all of the operator. first_date, last_date: of sale.
        """
        return self.call(protocol.PutPromoCode(
            code=code, operator=operator, percent=percent, amount=amount, services=services,
            first_date=first_date, last_date=last_date, max_uses=max_uses,
            max_uses_per_account=max_uses_per_account,
        ), PromoCode)  # fmt: skip

    def open_sales(self, bus_id: int, from_date: date, to_date: date) -> int:
        """Put trips of a bus on sale; return how many were not on sale before."""
        return (
            self.call(
                protocol.OpenSales(bus_id=bus_id, from_date=from_date, to_date=to_date), protocol.OpenedSales
            )
        ).opened

    def services(self) -> Iterator[ServiceSummary]:
        """The operator's services, by number."""
        after = None
        while True:
            page = self.call(protocol.Services(after=after), protocol.ServiceList)
            yield from page.services
            if (after := page.next) is None:
                return

    def service(self, bus_id: int) -> ServiceData:
        """A service with all its fields. As `service` of put_service it changes nothing."""
        return self.call(protocol.GetService(bus_id=bus_id), ServiceData)

    def add_service(
        self, service: ServiceData, *, plan: bool = False, key: str | None = None
    ) -> ChangedService:
        """Add a service under the next number. plan: return what would happen, and change nothing."""
        request = protocol.AddService(**service_fields(service), plan=plan, key=key)
        return self.call(request, ChangedService)

    def put_service(self, bus_id: int, service: ServiceData, *, plan: bool = False) -> ChangedService:
        """Add a service under a number, or edit it: what `service` does not have stays."""
        request = protocol.PutService(bus_id=bus_id, **service_fields(service), plan=plan)
        return self.call(request, ChangedService)

    def end_service(self, bus_id: int, last_date: date | None, *, plan: bool = False) -> ChangedService:
        """Give a service a last date; None removes it, and opens the later trips again."""
        request = protocol.EndService(bus_id=bus_id, last_date=last_date, plan=plan)
        return self.call(request, ChangedService)

    def succeed_service(
        self,
        bus_id: int,
        from_date: date,
        changes: ServiceData | None = None,
        *,
        plan: bool = False,
        key: str | None = None,
    ) -> ChangedService:
        """End a service, and continue it from a date on under the next number, with changes."""
        fields = service_fields(changes or ServiceData())
        request = protocol.SucceedService(bus_id=bus_id, from_date=from_date, **fields, plan=plan, key=key)
        return self.call(request, ChangedService)

    def open_trip(self, bus_id: int, travel_date: date) -> OperatedTrip:
        """Open an extra trip of a service, or a cancelled trip again."""
        return self.call(protocol.OpenTrip(bus_id=bus_id, travel_date=travel_date), OperatedTrip)

    def put_place(
        self,
        code: str,
        *,
        name: str | UnsetType = UNSET,
        aliases: list[str] | UnsetType = UNSET,
        part_of: str | UnsetType | None = UNSET,
        time_zone: str | UnsetType = UNSET,
    ) -> ChangedPlace:
        """Add a place. Only an admin changes one: what is not given stays."""
        return self.call(protocol.PutPlace(
            code=code, name=name, aliases=aliases, part_of=part_of, time_zone=time_zone
        ), ChangedPlace)  # fmt: skip

    def vehicles(self, operator: str | None = None) -> Iterator[Vehicle]:
        """The operator's vehicles, in order of registration. operator: only an admin names it."""
        after = None
        while True:
            page = self.call(protocol.Vehicles(operator=operator, after=after), protocol.VehicleList)
            yield from page.vehicles
            if (after := page.next) is None:
                return

    def put_vehicle(
        self,
        registration: str,
        *,
        operator: str | None = None,
        layout: str | UnsetType = UNSET,
        name: str | UnsetType | None = UNSET,
        notes: str | UnsetType | None = UNSET,
        in_service: bool | UnsetType = UNSET,
    ) -> Vehicle:
        """Add a vehicle, or edit it: what is not given stays. None removes a name or notes."""
        return self.call(protocol.PutVehicle(
            registration=registration, operator=operator, layout=layout, name=name, notes=notes,
            in_service=in_service,
        ), Vehicle)  # fmt: skip

    def drivers(self, operator: str | None = None) -> Iterator[Driver]:
        """The operator's drivers, in order of their codes. operator: only an admin names it."""
        after = None
        while True:
            page = self.call(protocol.Drivers(operator=operator, after=after), protocol.DriverList)
            yield from page.drivers
            if (after := page.next) is None:
                return

    def put_driver(
        self,
        code: str,
        *,
        operator: str | None = None,
        name: str | UnsetType = UNSET,
        phone: str | UnsetType | None = UNSET,
        licence_no: str | UnsetType | None = UNSET,
        active: bool | UnsetType = UNSET,
    ) -> Driver:
        """Add a driver, or edit one: what is not given stays. None removes a phone or a licence number."""
        return self.call(protocol.PutDriver(
            code=code, operator=operator, name=name, phone=phone, licence_no=licence_no, active=active
        ), Driver)  # fmt: skip

    def assign(
        self,
        bus_id: int,
        travel_date: date,
        *,
        vehicle: str | UnsetType | None = UNSET,
        drivers: list[str] | UnsetType | None = UNSET,
        until: date | None = None,
    ) -> Assignment:
        """Assign a vehicle and up to two drivers to a trip; None removes, and what is not given stays.

        until: the last travel date, to assign them to all open trips of the service up to it.
        """
        return self.call(protocol.Assign(
            bus_id=bus_id, travel_date=travel_date, vehicle=vehicle, drivers=drivers, until=until
        ), Assignment)  # fmt: skip

    def say(self, text: str) -> None:
        """Send a message to the operators. An answer arrives as the notification `message`."""
        self.call(protocol.Say(text=text), protocol.Done)

    def notice(self, bus_id: int, travel_date: date, text: str) -> protocol.SentNotice:
        """For operators: send a notice to all passengers of a trip. Returns how many it reaches."""
        return self.call(
            protocol.Notice(bus_id=bus_id, travel_date=travel_date, text=text), protocol.SentNotice
        )
