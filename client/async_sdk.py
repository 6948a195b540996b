"""A client with one method for each request.

Each method sends one request of server/protocol and returns its reply, a struct of the same module. A place
is given by its name, code or alias. Where a route passes a place twice, give the stop number instead (an int,
from `search`). A trip is given by one of two dates: travel_date, at its first stop, or boarding_date, at the
origin. Every method raises Refusal if the server refuses the request, and ConnectionLost if there is
no reply. `key` is an idempotency key; if none is given, the client makes one. A program that may repeat a
write after a crash must give the same key both times.
"""

# ruff: noqa: PLR0913 – one parameter for each field of a request

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from busware.async_operator_sdk import AsyncOperatorClient
from busware.retries import PlaceOrStopNo, segment_fields
from busware.server import protocol
from busware.server.protocol import (
    AlightingStop,
    Booking,
    BusType,
    ExchangeTerms,
    Invoice,
    Language,
    Passenger,
    Payment,
    Place,
    Pong,
    Quote,
    Seats,
    Session,
    Trip,
)


class AsyncClient(AsyncOperatorClient):
    """A client with a method for each request.

    Its base class AsyncConnection says which callers may share a client.
    """

    async def ping(self) -> Pong:
        """The server's name and version, and the time zone of its dates."""
        return await self.call(protocol.Ping(), Pong)

    async def today(self) -> date:
        """Today's date in the server's time zone."""
        return datetime.now(ZoneInfo((await self.ping()).time_zone)).date()

    async def places(self, kind: str | None = None, *, origin: str | None = None) -> list[Place]:
        """The places that services stop at. kind: services of this kind only.

        origin: only the places that passengers can reach from there.
        """
        return (await self.call(protocol.Places(kind=kind, origin=origin), protocol.PlaceList)).places

    async def search(
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
        return (await self.call(request, protocol.TripList)).trips

    async def seat_map(
        self,
        bus_id: int,
        travel_date: date | None = None,
        origin: PlaceOrStopNo | None = None,
        destination: PlaceOrStopNo | None = None,
        *,
        boarding_date: date | None = None,
    ) -> Seats:
        """The seats of a trip, with their state on a segment."""
        return await self.call(protocol.SeatMap(
            bus_id=bus_id, travel_date=travel_date, boarding_date=boarding_date,
            **segment_fields(origin, destination),
        ), Seats)  # fmt: skip

    async def book(
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
        email: str | None = None,
        language: Language | None = None,
        sms: bool = False,
        key: str | None = None,
    ) -> Booking:
        """Book these seats, or `count` seats of the server's choice: all of them or none.

        seat_class: the class of these `count` seats; by default the cheapest. promo_code: a code of the
        operator. waitlist: if fewer than count are free, join the waitlist; the status is then `pending`.
        email: where the ticket and later messages go, in this language. sms: short messages to the phone.
        """
        return await self.call(protocol.Book(
            bus_id=bus_id, travel_date=travel_date, boarding_date=boarding_date, seats=seats, count=count,
            phone=phone, passengers=passengers, seat_class=seat_class, promo_code=promo_code,
            waitlist=waitlist, email=email, language=language, sms=sms, key=key,
            **segment_fields(origin, destination),
        ), Booking)  # fmt: skip

    async def hold(
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
        email: str | None = None,
        language: Language | None = None,
        sms: bool = False,
        key: str | None = None,
    ) -> Booking:
        """Hold seats until the booking's expires_at. Confirm or release the hold before."""
        return await self.call(protocol.Hold(
            bus_id=bus_id, travel_date=travel_date, boarding_date=boarding_date, seats=seats, count=count,
            phone=phone, passengers=passengers, seat_class=seat_class, promo_code=promo_code,
            seconds=seconds, email=email, language=language, sms=sms, key=key,
            **segment_fields(origin, destination),
        ), Booking)  # fmt: skip

    async def confirm(
        self,
        reference: str,
        phone: str | None = None,
        *,
        fare: str | None = None,
        key: str | None = None,
    ) -> Booking:
        """Turn a hold into a booking. fare: the fare that is accepted if the hold has expired."""
        return await self.call(
            protocol.Confirm(reference=reference, phone=phone, fare=fare, key=key), Booking
        )

    async def pay(
        self,
        reference: str,
        phone: str | None = None,
        *,
        bus_id: int | None = None,
        travel_date: date | None = None,
        boarding_date: date | None = None,
        origin: PlaceOrStopNo | None = None,
        destination: PlaceOrStopNo | None = None,
        seats: list[int] | None = None,
        seat_class: str | None = None,
        key: str | None = None,
    ) -> Payment:
        """Ask for the payment of a hold. `pay` of the reply says how to pay.

        With the fields of `exchange`, ask for the payment of the amount that this exchange charges. `booking`
        and `confirm` show whether the payment has arrived.
        """
        request = protocol.Pay(
            reference=reference, phone=phone, bus_id=bus_id, travel_date=travel_date,
            boarding_date=boarding_date, seats=seats, seat_class=seat_class, key=key,
            **segment_fields(origin, destination),
        )  # fmt: skip
        return await self.call(request, Payment)

    async def payments(self, reference: str, phone: str | None = None) -> list[Payment]:
        """The payments of a booking, with their refunds, the oldest first."""
        request = protocol.Payments(reference=reference, phone=phone)
        return (await self.call(request, protocol.PaymentList)).payments

    async def invoice(self, reference: str, phone: str | None = None) -> list[Invoice]:
        """The invoices and credit notes of a booking, in the order in which they were issued."""
        request = protocol.GetInvoice(reference=reference, phone=phone)
        return (await self.call(request, protocol.InvoicesOfBooking)).invoices

    async def release(self, reference: str, phone: str | None = None, *, key: str | None = None) -> Booking:
        """Release a hold."""
        return await self.call(protocol.Release(reference=reference, phone=phone, key=key), Booking)

    async def booking(self, reference: str, phone: str | None = None) -> Booking:
        """The present state of a booking."""
        return await self.call(protocol.GetBooking(reference=reference, phone=phone), Booking)

    async def find(self, phone: str, date: date, place: str) -> list[str]:
        """The references of the bookings with this phone number, boarding date and boarding place."""
        return (
            await self.call(protocol.Find(phone=phone, date=date, place=place), protocol.References)
        ).references

    async def cancel_quote(
        self, reference: str, phone: str | None = None, *, tickets: list[int] | None = None
    ) -> Quote:
        """The refund if the booking, or these tickets of it, were cancelled now."""
        return await self.call(protocol.CancelQuote(reference=reference, phone=phone, tickets=tickets), Quote)

    async def cancel(
        self,
        reference: str,
        phone: str | None = None,
        *,
        tickets: list[int] | None = None,
        key: str | None = None,
    ) -> Booking:
        """Cancel the booking, or these tickets of it."""
        return await self.call(
            protocol.Cancel(reference=reference, phone=phone, tickets=tickets, key=key), Booking
        )

    async def change_seat(
        self,
        reference: str,
        phone: str | None = None,
        *,
        ticket_no: int,
        seat_no: int,
        key: str | None = None,
    ) -> Booking:
        """Move a ticket to another free seat of its trip."""
        return await self.call(
            protocol.ChangeSeat(
                reference=reference, phone=phone, ticket_no=ticket_no, seat_no=seat_no, key=key
            ),
            Booking,
        )

    async def transfer(
        self,
        reference: str,
        ticket_no: int,
        name: str,
        phone: str | None = None,
        *,
        gender: Literal["female", "male", "other"] | None = None,
        concession: str | None = None,
        key: str | None = None,
    ) -> Booking:
        """Transfer a ticket to another name. gender, concession: of the new passenger."""
        request = protocol.Transfer(
            reference=reference,
            ticket_no=ticket_no,
            name=name,
            phone=phone,
            gender=gender,
            concession=concession,
            key=key,
        )
        return await self.call(request, Booking)

    async def offers(self, reference: str, phone: str | None = None) -> list[protocol.Offer]:
        """All offers that were made to a booking because its trip was changed."""
        return (await self.call(protocol.Offers(reference=reference, phone=phone), protocol.OfferList)).offers

    async def accept(
        self,
        reference: str,
        phone: str | None = None,
        *,
        offer_no: int | None = None,
        key: str | None = None,
    ) -> Booking:
        """Accept an offer, by default the open one. The booking moves to the trip offered, if any."""
        request = protocol.Accept(reference=reference, phone=phone, offer_no=offer_no, key=key)
        return await self.call(request, Booking)

    async def decline(
        self,
        reference: str,
        phone: str | None = None,
        *,
        offer_no: int | None = None,
        key: str | None = None,
    ) -> Booking:
        """Decline an offer, by default the open one. The whole fare is refunded."""
        request = protocol.Decline(reference=reference, phone=phone, offer_no=offer_no, key=key)
        return await self.call(request, Booking)

    async def exchange_quote(
        self,
        reference: str,
        phone: str | None = None,
        *,
        bus_id: int | None = None,
        travel_date: date | None = None,
        boarding_date: date | None = None,
        origin: PlaceOrStopNo | None = None,
        destination: PlaceOrStopNo | None = None,
        seats: list[int] | None = None,
        seat_class: str | None = None,
    ) -> ExchangeTerms:
        """What an exchange for another trip, stops, class or seats would cost. What is not named stays."""
        request = protocol.ExchangeQuote(
            reference=reference, phone=phone, bus_id=bus_id, travel_date=travel_date,
            boarding_date=boarding_date, seats=seats, seat_class=seat_class,
            **segment_fields(origin, destination),
        )  # fmt: skip
        return await self.call(request, ExchangeTerms)

    async def exchange(
        self,
        reference: str,
        phone: str | None = None,
        *,
        bus_id: int | None = None,
        travel_date: date | None = None,
        boarding_date: date | None = None,
        origin: PlaceOrStopNo | None = None,
        destination: PlaceOrStopNo | None = None,
        seats: list[int] | None = None,
        seat_class: str | None = None,
        due: str | None = None,
        refund: str | None = None,
        key: str | None = None,
    ) -> Booking:
        """Exchange the booking. It charges at most `due`, and refunds at least `refund`."""
        request = protocol.Exchange(
            reference=reference, phone=phone, bus_id=bus_id, travel_date=travel_date,
            boarding_date=boarding_date, seats=seats, seat_class=seat_class, due=due, refund=refund, key=key,
            **segment_fields(origin, destination),
        )  # fmt: skip
        return await self.call(request, Booking)

    async def alight_quote(
        self,
        reference: str,
        phone: str | None = None,
        *,
        at: PlaceOrStopNo | None = None,
        tickets: list[int] | None = None,
    ) -> list[AlightingStop]:
        """The stops at which the booking, or these tickets of it, may end early, with the refunds."""
        return (
            await self.call(
                protocol.AlightQuote(reference=reference, phone=phone, at=at, tickets=tickets),
                protocol.AlightingStops,
            )
        ).stops

    async def alight(
        self,
        reference: str,
        phone: str | None = None,
        *,
        at: PlaceOrStopNo,
        tickets: list[int] | None = None,
        key: str | None = None,
    ) -> Booking:
        """Shorten the journey of the booking, or of these tickets: leave at a stop before the destination."""
        return await self.call(
            protocol.Alight(reference=reference, phone=phone, at=at, tickets=tickets, key=key), Booking
        )

    async def set_contact(
        self,
        reference: str,
        phone: str | None = None,
        *,
        email: str | None = None,
        language: Language | None = None,
        sms: bool = False,
        key: str | None = None,
    ) -> Booking:
        """Set where the messages of the booking go, and send its ticket there.

        What is not given is removed.
        """
        request = protocol.SetContact(
            reference=reference, phone=phone, email=email, language=language, sms=sms, key=key
        )
        return await self.call(request, Booking)

    # Accounts ----------------------------------------------------------------------------------

    async def register(
        self,
        username: str,
        password: str,
        phone: str | None = None,
        *,
        email: str | None = None,
        language: Language | None = None,
    ) -> Session:
        """Create an account and sign in, on this connection and all later ones."""
        return await self.call(
            protocol.Register(
                username=username, password=password, phone=phone, email=email, language=language
            ),
            Session,
        )

    async def set_email(
        self, password: str, email: str | None = None, *, language: Language | None = None
    ) -> None:
        """Set the e-mail address of the account, or remove it. password: of the account, again."""
        await self.call(protocol.SetEmail(password=password, email=email, language=language), protocol.Done)

    async def request_reset(self, account: str) -> None:
        """Request a mail that sets a new password. account: its username or e-mail address."""
        await self.call(protocol.RequestReset(account=account), protocol.Done)

    async def reset_password(self, reset_token: str, password: str) -> Session:
        """Set a new password by the token of a mail, and sign in."""
        request = protocol.ResetPassword(reset_token=reset_token, password=password)
        return await self.call(request, Session)

    async def login(
        self, username: str | None = None, password: str | None = None, *, token: str | None = None
    ) -> Session:
        """Sign in with a password or a token, on this connection and all later ones."""
        return await self.call(protocol.Login(username=username, password=password, token=token), Session)

    async def logout(self, *, everywhere: bool = False) -> None:
        """Sign out. everywhere: revoke every token of the account."""
        await self.call(protocol.Logout(everywhere=everywhere), protocol.Done)

    async def bookings(self, kind: str | None = None, *, current: bool = False) -> AsyncIterator[Booking]:
        """The account's bookings, newest first. current: only those with a journey that has not ended."""
        async for page in self._pages(protocol.Bookings(kind=kind, current=current), protocol.BookingList):
            for booking in page.bookings:
                yield booking

    async def say(self, text: str, *, key: str | None = None) -> None:
        """Send a message to the operators. An answer arrives as the notification `message`."""
        await self.call(protocol.Say(text=text, key=key), protocol.Done)

    async def messages(self, reference: str, phone: str | None = None) -> list[protocol.BookingMessage]:
        """The messages about a booking: of its passengers and of the operators, the oldest first."""
        request = protocol.GetMessages(reference=reference, phone=phone)
        return (await self.call(request, protocol.BookingMessages)).messages
