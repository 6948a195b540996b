"""The hotel's API under /hotel, for existing clients: its own paths, fields, messages and statuses.

A night is a leg of the hotel's trip, and a stay is a segment of it. So this module executes each call as
requests of the protocol, with the guest's account as the caller. Tonight is the first night that is on sale.
A stay that ends after tonight is current. Checkout releases the nights from tonight on.

The clients were written for another program. This module checks fields in the order of that program, and
takes a number in every form that Python's int() takes: tests/server/http/test_hotel_replay.py.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from busware.server import protocol
from busware.server.accounts.sessions import WrongPassword, normalize_username
from busware.server.http import problems
from busware.server.http.executor import JSON, Executor, Threads, address_of
from busware.server.protocol import Booking, Caller, Refusal, Seat, Ticket, Trip
from busware.server.protocol.currencies import round_amount

KIND = "hotel"
PLACE = "HOTEL"  # the code of the hotel's only place
ONE_NIGHT = timedelta(days=1)
_STAYS_PER_PAGE = 100  # the maximum of Bookings.limit
_MAX_ROOMS = 100  # the maximum of Book.count

JsonObject = dict[str, Any]


class HotelError(Exception):
    """An error response: a status and the fields of its body."""

    def __init__(self, status: int, **fields: Any) -> None:
        super().__init__(fields)
        self.status = status
        self.fields = fields


class HotelCall(NamedTuple):
    """The fields of a call, and the address of the client."""

    fields: JsonObject
    address: str


class Hotel:
    """The calls of the hotel's API, on worker threads."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._calls: dict[tuple[str, str], Callable[[HotelCall], JsonObject]] = {
            ("GET", "/hotel/rooms"): self.rooms,
            ("POST", "/hotel/book"): self.book,
            ("POST", "/hotel/query"): self.query,
            ("PUT", "/hotel/update"): self.update,
            ("DELETE", "/hotel/checkout"): self.checkout,
        }

    async def answer(self, http: HttpRequest) -> Response:
        """The response to any request under /hotel."""
        headers: dict[str, str] = {}
        try:
            status, fields = 200, await self._answer(http)
        except HotelError as error:
            status, fields = error.status, error.fields
        except Exception as error:  # noqa: BLE001 - problems.of_error logs it
            problem = problems.of_error(http, error)
            status, fields, headers = problem.status, {"error": str(problem)}, problem.headers
        return Response(msgspec.json.encode(fields), status, headers, JSON)

    async def _answer(self, http: HttpRequest) -> JsonObject:
        reads = http.method not in ("POST", "PUT", "DELETE")
        fields = dict(http.query_params) if reads else _decode_fields(await self._executor.body(http))
        function = self._calls.get((http.method, http.scope["path"]))
        if function is None:
            raise HotelError(404, error="Endpoint not found.")
        call = HotelCall(fields, address_of(http))
        threads: Threads = "http" if reads else "registration" if function == self.book else "login"
        return await self._executor.run(http, lambda: function(call), threads)

    # The calls ---------------------------------------------------------------------------------

    def rooms(self, call: HotelCall) -> JsonObject:
        """Which rooms are taken, tonight or in the given nights."""
        seats = self._seats(self._nights(call))
        return {"rooms": [{"room_number": s.seat_no, "is_occupied": s.state != "free"} for s in seats]}

    def book(self, call: HotelCall) -> JsonObject:
        """Book a number of rooms: all of them or none. Registers an unknown username."""
        count = _integer(call.fields.get("num_rooms", 0))
        if count is None:
            raise HotelError(400, error="num_rooms must be a positive integer.")
        if not (call.fields.get("username") and call.fields.get("password")) or count < 1:
            raise HotelError(400, error="username, password, and num_rooms required.")
        guest = self._guest(call, register=True)
        nights = self._nights(call)
        try:
            if count > _MAX_ROOMS:
                message = f"You asked for {count} rooms. One booking may have 1 to {_MAX_ROOMS}."
                raise Refusal("too_many_seats", message, limit=_MAX_ROOMS)
            stay = self._perform(protocol.Book(**_segment(nights), count=count), guest)
        except Refusal as refusal:
            if refusal.reason not in ("sold_out", "too_many_seats"):
                raise
            free = refusal.data.get("seats_free", nights.seats_free)
            if refusal.reason == "too_many_seats" and free >= count:
                raise
            error = "No rooms available."
            if free:
                error = f"Only {free} {'room is' if free == 1 else 'rooms are'} available."
            raise HotelError(409, error=error, rooms_free=free) from None
        return {"message": f"Rooms booked successfully: {_rooms(_booked([stay]))}"}

    def query(self, call: HotelCall) -> JsonObject:
        """The rooms of the guest's current stays."""
        rooms = _rooms(_booked(self._stays(self._guest(call), self._tonight())))
        return {"message": f"Your booked rooms: {rooms}" if rooms else "You have not booked any rooms."}

    def update(self, call: HotelCall) -> JsonObject:
        """Exchange the room that the guest has had longest for another room."""
        room = _integer(call.fields.get("new_room"))
        if room is None:
            raise HotelError(400, error="new_room must be integer.")
        guest, tonight = self._guest(call), self._tonight()
        booked = _booked(self._stays(guest, tonight))
        if not booked:
            self._check_room(room, tonight)
            raise HotelError(400, error="You have no booking to update.")
        if room in _rooms(booked):
            return {"message": f"You already have room {room}."}
        stay, ticket = booked[0]
        fields = {"reference": stay.reference, "ticket_no": ticket.ticket_no, "seat_no": room}
        try:
            self._perform(msgspec.convert(fields, protocol.ChangeSeat), guest)
        except msgspec.ValidationError:
            raise _invalid_room() from None
        except Refusal as refusal:
            if refusal.reason == "unknown_seat":
                raise _invalid_room() from None
            if refusal.reason == "seat_taken":
                raise _occupied(room) from None
            raise
        return {"message": f"Updated booking: released {ticket.seat_no}, assigned {room}."}

    def checkout(self, call: HotelCall) -> JsonObject:
        """In every current stay, release the nights from tonight on."""
        guest, tonight = self._guest(call), self._tonight()
        stays = self._stays(guest, tonight)
        if not stays:
            raise HotelError(400, message="You have no booked rooms.")
        refund = sum((self._end(stay, tonight, guest) for stay in stays), Decimal())
        message = f"Checked out successfully. Released rooms: {_rooms(_booked(stays))}"
        currency = stays[0].currency
        return {"message": message, "refund": f"{round_amount(refund, currency)}", "currency": currency}

    # Parts of the calls ------------------------------------------------------------------------

    def _perform(self, request: protocol.Request, caller: Caller) -> Any:
        """The reply to a request of the protocol. Raises Refusal."""
        return msgspec.json.decode(self._executor.perform(request, caller), type=request.reply)

    def _guest(self, call: HotelCall, *, register: bool = False) -> Caller:
        """The guest, by username and password. Raises HotelError or Refusal.

        After some failures of an address, all failures have the same error, so that it does not show who is a
        guest. For the same reason, an unknown username that may not be registered counts as a failure.
        """
        username, password = _credentials(call, register=register)
        accounts, settings = self._executor.operations.accounts, self._executor.settings
        unknown: Exception = HotelError(404, error="User not found.")
        if register and not accounts.exists(username):
            try:
                if account := accounts.add(username, password, call.address):
                    return account
            except Refusal as refusal:
                if refusal.reason != "not_allowed":
                    raise
                unknown = refusal
        try:
            return accounts.verify(username, password, call.address)
        except WrongPassword as wrong:
            named = settings.is_exempt(call.address) or (
                wrong.address_failures <= settings.hotel_named_failures
            )
            if not named:
                raise HotelError(401, error="Wrong username or password.") from None
            raise HotelError(401, error="Invalid password.") if wrong.is_account else unknown from None

    def _seats(self, nights: Trip) -> list[Seat]:
        """The rooms, with their state in these nights."""
        seats: list[Seat] = self._perform(protocol.SeatMap(**_segment(nights)), Caller()).seats
        return seats

    def _check_room(self, room: int, nights: Trip) -> None:
        """Raises HotelError unless the room exists and is free."""
        states = {seat.seat_no: seat.state for seat in self._seats(nights)}
        if room not in states:
            raise _invalid_room()
        if states[room] != "free":
            raise _occupied(room)

    def _nights(self, call: HotelCall) -> Trip:
        """The nights that a call asks for, as a trip; tonight by default. Raises HotelError or Refusal."""
        dates = [call.fields.get(name) for name in ("check_in", "check_out")]
        if dates == [None, None]:
            return self._tonight()
        try:
            check_in, check_out = msgspec.convert(dates, type=tuple[date, date])
        except msgspec.ValidationError:
            raise HotelError(400, error="check_in and check_out must be dates, YYYY-MM-DD.") from None
        if check_out <= check_in:
            raise HotelError(400, error="check_out must be after check_in.")
        if nights := self._search(check_in, check_out):
            return nights
        raise HotelError(400, error=f"The nights from {check_in} to {check_out} are not on sale.")

    def _tonight(self) -> Trip:
        """The first night on sale, as a trip. After midnight it can be the night that began yesterday."""
        today = self._perform(protocol.Places(kind=KIND), Caller()).on_sale_from
        dates = [] if today is None else [today - ONE_NIGHT, today, today + ONE_NIGHT]
        for check_in in dates:  # tomorrow, if on_sale_from is yesterday's date at another hotel
            with suppress(Refusal):
                if night := self._search(check_in, check_in + ONE_NIGHT):
                    return night
        raise HotelError(503, error="The hotel is closed.")

    def _search(self, check_in: date, check_out: date) -> Trip | None:
        """The nights between two dates as a trip; None if they are not on sale. Raises Refusal."""
        request = protocol.Search(origin=PLACE, destination=PLACE, date=check_in, until=check_out, kind=KIND)
        return next(iter(self._perform(request, Caller()).trips), None)

    def _stays(self, guest: Caller, tonight: Trip) -> list[Booking]:
        """The guest's stays with a night from tonight on, newest first."""
        stays: list[Booking] = []
        request: protocol.Bookings | None = protocol.Bookings(kind=KIND, current=True, limit=_STAYS_PER_PAGE)
        while request:
            page = self._perform(request, guest)
            stays += page.bookings
            request = msgspec.structs.replace(request, after=page.next) if page.next else None
        tonight_start = (tonight.travel_date, tonight.from_stop)
        return [
            stay
            for stay in stays
            if stay.status == "booked" and (stay.travel_date, stay.to_stop) > tonight_start
        ]

    def _end(self, stay: Booking, tonight: Trip, guest: Caller) -> Decimal:
        """End a stay tonight; return the refund, which is 0 if another call has ended the stay."""
        has_begun = (stay.travel_date, stay.from_stop) < (tonight.travel_date, tonight.from_stop)
        request: protocol.Request = protocol.Cancel(reference=stay.reference)
        if has_begun:
            request = protocol.Alight(reference=stay.reference, at=tonight.from_stop)
        try:
            ended: Booking = self._perform(request, guest)
        except Refusal as refusal:
            if refusal.reason not in ("already_cancelled", "not_on_route"):
                raise
            return Decimal()
        return Decimal(ended.refund) - Decimal(stay.refund)


def _decode_fields(body: bytes) -> JsonObject:
    """The fields of a JSON body. Raises HotelError.

    No field of the API takes an object or an array. Such a value is not decoded and stays JSON text, because
    decoding deeply nested values overflows the stack.
    """
    try:
        fields = msgspec.json.decode(body, type=dict[str, Raw])
        return {
            name: value if bytes(value).startswith((b"{", b"[")) else msgspec.json.decode(value)
            for name, value in fields.items()
        }
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise HotelError(400, error="Invalid JSON.") from None


def _credentials(call: HotelCall, *, register: bool) -> tuple[str, str]:
    """The normalized username, and the password. Raises HotelError.

    register: whether the username may be that of a new account. If not, a username that no account can have
    is refused as an unknown one.
    """
    username, password = (call.fields.get(name) for name in ("username", "password"))
    if not (username and password) or (isinstance(username, str) and not normalize_username(username)):
        raise HotelError(400, error="username and password required.")
    takes = f"{protocol.Login.takes('username')}, and {protocol.Login.takes('password')}"
    try:
        password = msgspec.convert(password, protocol.Password)
    except msgspec.ValidationError:
        raise HotelError(400, error=f"username and password: {takes}.") from None
    try:
        return normalize_username(msgspec.convert(username, protocol.Username)), password
    except msgspec.ValidationError:
        if register:
            raise HotelError(400, error=f"username and password: {takes}.") from None
        raise HotelError(404, error="User not found.") from None


def _integer(value: object) -> int | None:
    """The integer that Python's int() makes of a value; None if it makes none."""
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return None


def _invalid_room() -> HotelError:
    return HotelError(400, error="Invalid room number.")


def _occupied(room: int) -> HotelError:
    return HotelError(409, error=f"Room {room} is already occupied.")


def _segment(nights: Trip) -> JsonObject:
    return {name: getattr(nights, name) for name in ("bus_id", "travel_date", "from_stop", "to_stop")}


def _booked(stays: list[Booking]) -> list[tuple[Booking, Ticket]]:
    """The booked tickets of stays, each with its stay, in the order in which they got their rooms."""
    booked = [(stay, ticket) for stay in stays for ticket in stay.tickets if ticket.status == "booked"]
    return sorted(booked, key=lambda pair: (pair[1].seated_at, pair[1].seat_no))


def _rooms(booked: list[tuple[Booking, Ticket]]) -> list[int | None]:
    """The numbers of the rooms of booked tickets, each once."""
    return list(dict.fromkeys(ticket.seat_no for _, ticket in booked))
