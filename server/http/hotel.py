"""The hotel's own executor, /hotel, for clients that others wrote: their paths, words and statuses.

A night is a stop of the hotel's season and a stay a stretch of it, so that all here is said in requests of
the wire, as whoever gave the password. Tonight is the first night that is still on sale. A stay that ends
after it is current; leaving one early gives its nights back from tonight on, which is a cancellation when
that is all of them.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeGuard

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException
from msgspec import Raw

from busware.server import protocol
from busware.server.accounts.sessions import normalize_username
from busware.server.http import problems
from busware.server.http.executor import JSON, Executor, Http, Rejected, fault
from busware.server.protocol import Booking, Caller, Refusal, Ticket, Trip

KIND = "hotel"
PLACE = "HOTEL"  # the code of the house
ONE_NIGHT = timedelta(days=1)
_MOST = 100  # what the wire takes: rooms of a booking, stays of a page

JsonObject = dict[str, Any]


class Wrong(Exception):
    """What is answered instead: a status, and an object that says what is wrong."""

    def __init__(self, status: int, error: str | None = None, **told: Any) -> None:
        super().__init__(error)
        self.status = status
        self.told = {"error": error, **told} if error else told


class Asked(NamedTuple):
    """A request: its fields, and where it comes from."""

    fields: JsonObject
    address: str


class Hotel:
    """What the hotel's clients may ask."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._asks: dict[tuple[str, str], Callable[[Asked], JsonObject]] = {
            ("GET", "rooms"): self.rooms,
            ("POST", "book"): self.book,
            ("POST", "query"): self.query,
            ("PUT", "update"): self.update,
            ("DELETE", "checkout"): self.checkout,
        }

    async def answer(self, http: Http) -> Response[bytes]:
        """The response to any request under /hotel."""
        headers: dict[str, str] = {}
        try:
            status, told = 200, await self._answer(http)
        except Wrong as wrong:
            status, told = wrong.status, wrong.told
        except Refusal as refusal:
            status, headers, _ = problems.of_refusal(refusal)
            told = {"error": refusal.message}
        except Rejected as rejected:
            status, headers, _ = rejected.problem
            told = {"error": "The request took too long."}
        except HTTPException as error:
            status, told = error.status_code, {"error": error.detail}
        except Exception as error:  # noqa: BLE001 - it is logged, and answered in the hotel's words
            problem = fault(http, error)
            status, told = problem.status, {"error": "Something went wrong inside the server."}
        body = msgspec.json.encode(told)
        return Response(body, media_type=JSON, status_code=status, headers=headers)

    async def _answer(self, http: Http) -> JsonObject:
        what = http.scope["path"].removeprefix("/hotel").strip("/")
        ask = self._asks.get((http.method, what))
        if ask is None:
            raise Wrong(404, "Endpoint not found.")
        if http.method == "GET":
            fields: JsonObject = dict(http.query_params.items())
        else:
            fields = _object(await self._executor.raw_body(http))
        asked = Asked(fields, self._executor.address(http))
        return await self._executor.run(lambda: ask(asked), slow=http.method != "GET")

    # What they ask -----------------------------------------------------------------------------

    def rooms(self, asked: Asked) -> JsonObject:
        """Which rooms are taken, tonight or over the nights that are asked for."""
        trip = self._nights(asked)
        wish = protocol.SeatMap(bus_id=trip.bus_id, travel_date=trip.travel_date, **_stretch(trip))
        seats = self._ask(wish, Caller(address=asked.address)).seats
        return {"rooms": [{"room_number": s.seat_no, "is_occupied": s.state != "free"} for s in seats]}

    def book(self, asked: Asked) -> JsonObject:
        """Book any so many rooms. Whoever is unknown is registered by that."""
        count = asked.fields.get("num_rooms")
        if not (asked.fields.get("username") and asked.fields.get("password")) or count is None:
            raise Wrong(400, "username, password, and num_rooms required.")
        if not _is_whole(count) or count < 1:
            raise Wrong(400, "num_rooms must be a positive integer.")
        guest = self._guest(asked, register=True)
        trip = self._nights(asked)
        count = min(count, _MOST)
        wish = protocol.Book(bus_id=trip.bus_id, travel_date=trip.travel_date, count=count, **_stretch(trip))
        try:
            stay = self._ask(wish, guest)
        except Refusal as refusal:
            if refusal.reason not in ("sold_out", "too_many_seats"):
                raise
            free = refusal.data.get("seats_free", trip.seats_free)
            raise Wrong(409, "No rooms available.", rooms_free=free) from None
        return {"message": f"Rooms booked successfully: {_rooms([stay])}"}

    def query(self, asked: Asked) -> JsonObject:
        """The rooms of the guest's stays that are not over."""
        rooms = _rooms(self._stays(self._guest(asked), self._tonight()))
        return {"message": f"Your booked rooms: {rooms}" if rooms else "You have not booked any rooms."}

    def update(self, asked: Asked) -> JsonObject:
        """Move from the first room to another."""
        _credentials(asked)
        room = asked.fields.get("new_room")
        if not _is_whole(room):
            raise Wrong(400, "new_room must be integer.")
        guest = self._guest(asked)
        stays = self._stays(guest, self._tonight())
        tickets = {room: (stay, ticket) for stay in stays for room, ticket in _booked(stay).items()}
        if not tickets:
            raise Wrong(400, "You have no booking to update.")
        if room in tickets:
            return {"message": f"You already have room {room}."}
        first = min(tickets)
        stay, ticket = tickets[first]
        try:
            msgspec.convert(room, protocol.SeatNo)
        except msgspec.ValidationError:
            raise Wrong(400, "Invalid room number.") from None
        wish = protocol.ChangeSeat(reference=stay.reference, ticket_no=ticket.ticket_no, seat_no=room)
        try:
            self._ask(wish, guest)
        except Refusal as refusal:
            if refusal.reason == "unknown_seat":
                raise Wrong(400, "Invalid room number.") from None
            if refusal.reason == "seat_taken":
                raise Wrong(409, f"Room {room} is already occupied.") from None
            raise
        return {"message": f"Updated booking: released {first}, assigned {room}."}

    def checkout(self, asked: Asked) -> JsonObject:
        """Leave: give back what is left of every stay."""
        guest, tonight = self._guest(asked), self._tonight()
        stays = self._stays(guest, tonight)
        if not stays:
            raise Wrong(400, message="You have no booked rooms.")
        refund = sum((self._leave(stay, tonight, guest) for stay in stays), Decimal())
        message = f"Checked out successfully. Released rooms: {_rooms(stays)}"
        return {"message": message, "refund": f"{refund:.2f}"}

    # How it is done ----------------------------------------------------------------------------

    def _ask(self, request: protocol.Request, caller: Caller) -> Any:
        """The reply to a request of the wire. Raises Refusal."""
        answer = self._executor.operations.perform(request, caller)
        if answer.refused:
            raise answer.refusal()
        return msgspec.json.decode(answer.body, type=request.reply)

    def _guest(self, asked: Asked, *, register: bool = False) -> Caller:
        """Whose username and password these are. Raises Wrong, or Refusal."""
        username, password = _credentials(asked)
        accounts = self._executor.operations.accounts
        account = None
        if not accounts.exists(username):
            if not register:
                raise Wrong(404, "User not found.")
            account = accounts.add(username, password, asked.address)
        try:
            return account or accounts.verify(username, password, asked.address)
        except Refusal as refusal:
            if refusal.reason != "wrong_password":
                raise
            raise Wrong(401, "Invalid password.") from None

    def _nights(self, asked: Asked) -> Trip:
        """The nights that are asked for, tonight unless told. Raises Wrong, or Refusal."""
        first, last = (asked.fields.get(name) for name in ("check_in", "check_out"))
        if first is None and last is None:
            return self._tonight()
        try:
            check_in: date = msgspec.convert(first, type=date)
            check_out: date = msgspec.convert(last, type=date)
        except msgspec.ValidationError:
            raise Wrong(400, "check_in and check_out must be dates, YYYY-MM-DD.") from None
        if check_out <= check_in:
            raise Wrong(400, "check_out must be after check_in.")
        stay = self._stay(check_in, check_out)
        if stay is None:
            raise Wrong(400, f"The nights from {check_in} to {check_out} are not on sale.")
        return stay

    def _tonight(self) -> Trip:
        """The first night that is on sale; that of yesterday is, in the small hours."""
        today = self._executor.now().date()
        for check_in in (today - ONE_NIGHT, today):
            with suppress(Refusal):
                if night := self._stay(check_in, check_in + ONE_NIGHT):
                    return night
        raise Wrong(503, "The hotel is closed.")

    def _stay(self, check_in: date, check_out: date) -> Trip | None:
        """Those nights, as a trip; None where they are not on sale. Raises Refusal."""
        wish = protocol.Search(origin=PLACE, destination=PLACE, date=check_in, until=check_out, kind=KIND)
        trips: list[Trip] = self._ask(wish, Caller()).trips
        return trips[0] if trips else None

    def _stays(self, guest: Caller, tonight: Trip) -> list[Booking]:
        """The guest's stays with a night from tonight on, newest first."""
        found, after = [], None
        while True:
            page = self._ask(protocol.Bookings(kind=KIND, current=True, limit=_MOST, after=after), guest)
            found += [
                stay
                for stay in page.bookings
                if _booked(stay)
                and (stay.travel_date, stay.to_stop) > (tonight.travel_date, tonight.from_stop)
            ]
            if page.next is None:
                return found
            after = page.next

    def _leave(self, stay: Booking, tonight: Trip, guest: Caller) -> Decimal:
        """End a stay; what it gives back. Somebody may have ended it meanwhile."""
        begun = (stay.travel_date, stay.from_stop) < (tonight.travel_date, tonight.from_stop)
        wish: protocol.Request = protocol.Cancel(reference=stay.reference)
        if begun:
            wish = protocol.Alight(reference=stay.reference, at=tonight.from_stop)
        try:
            left: Booking = self._ask(wish, guest)
        except Refusal as refusal:
            if refusal.reason not in ("already_cancelled", "not_on_route"):
                raise
            return Decimal()
        return Decimal(left.refund) - Decimal(stay.refund)


def _object(body: bytes) -> JsonObject:
    """The fields of a body, of which none that is used has parts: what has stays JSON, since to build
    what a stranger has nested ends the process where it is deeper than the stack. Raises Wrong.
    """
    try:
        fields = msgspec.json.decode(body, type=dict[str, Raw])
        return {
            name: value if bytes(value).startswith((b"{", b"[")) else msgspec.json.decode(value)
            for name, value in fields.items()
        }
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Wrong(400, "Invalid JSON.") from None


def _credentials(asked: Asked) -> tuple[str, str]:
    """The username, as it is kept, and the password. Raises Wrong."""
    username, password = (asked.fields.get(name) for name in ("username", "password"))
    if not (username and password and isinstance(username, str) and isinstance(password, str)):
        raise Wrong(400, "username and password required.")
    try:
        msgspec.convert(username, protocol.Username)
        msgspec.convert(password, protocol.Password)
    except msgspec.ValidationError:
        takes = f"{protocol.Login.takes('username')}, and {protocol.Login.takes('password')}"
        raise Wrong(400, f"username and password: {takes}.") from None
    if not normalize_username(username):
        raise Wrong(400, "username and password required.")
    return normalize_username(username), password


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _stretch(trip: Trip) -> dict[str, Any]:
    return {"from_stop": trip.from_stop, "to_stop": trip.to_stop}


def _booked(stay: Booking) -> dict[int, Ticket]:
    """The rooms of a stay, each with its ticket."""
    return {t.seat_no: t for t in stay.tickets if t.status == "booked" and t.seat_no is not None}


def _rooms(stays: list[Booking]) -> list[int]:
    return sorted({room for stay in stays for room in _booked(stay)})
