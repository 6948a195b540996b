"""What each request means: a table finds a short function for it, whatever face it came by.

A request comes as its struct, with who asks; an answer goes back as the JSON that the database decided.
What is done here is what a type cannot say and the database need not decide: whether the caller's role
may ask this, and has not been wrong too often; texts are stripped, phone numbers become E.164, and fields
that belong together are there together. The account goes to the database with the request, from here
alone: no request has a field for it.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
import phonenumbers
from msgspec import Raw

from server import rights, wire
from server.accounts import Accounts, as_username
from server.attempts import by_address
from server.calls import Call
from server.messages import Messages
from server.metrics import Metrics
from server.reads import Reads
from server.settings import Settings
from server.storage import Storage
from server.wire import Answer, Caller, Refusal, Request
from server.writer import Writer

_PHONES_REMEMBERED = 10_000  # numbers; to read one costs more than all else that is done here

_encode = msgspec.json.Encoder().encode

_AS_GIVEN = ("key", "password", "token")  # texts in which every blank counts
_FOUND_NONE = b'{"references": []}'  # as the database writes it


class Operations:
    """What the server can do. `accounts`: who may ask for it. `metrics`: what was asked for."""

    def __init__(self, storage: Storage, writer: Writer, settings: Settings) -> None:
        self._storage = storage
        self._reads = Reads(storage, settings)
        self._writer = writer
        self._region = settings.phone_region
        pong = wire.Pong(server=wire.SERVER, version=wire.VERSION, time_zone=settings.time_zone)
        self._pong = Answer(Raw(_encode(pong)), refused=False)
        self._messages = Messages(storage, settings)
        self.accounts = Accounts(storage, settings)
        self.metrics = Metrics(storage, self._reads, writer, settings)
        self._table: dict[type[Request], Callable[[Any, Caller], Answer]] = {
            wire.Ping: self._ping,
            wire.Places: self._read,
            wire.Search: self._read,
            wire.SeatMap: self._seat_map,
            wire.GetBooking: self._read,
            wire.Find: self._read,
            wire.CancelQuote: self._read,
            wire.Book: self._sell,
            wire.Hold: self._sell,
            wire.Confirm: self._write,
            wire.Release: self._write,
            wire.Cancel: self._write,
            wire.ChangeSeat: self._write,
            wire.Alight: self._write,
            wire.Bookings: self._read,
            wire.Register: self.accounts.register,
            wire.Login: self.accounts.login,
            wire.Logout: self.accounts.logout,
            wire.OperatorTrips: self._read,
            wire.Manifest: self._read,
            wire.CancelTrip: self._write,
            wire.OpenSales: self._open_sales,
            wire.Say: self._say,
            wire.Notice: self._notice,
        }

    def perform(self, request: Request, caller: Caller) -> Answer:
        """Carry a request out.

        Raises Refusal for what is refused before the database sees it, Fault for what failed there.
        """
        began, outcome = time.perf_counter(), "fault"
        try:
            answer = self._perform(request, caller)
            outcome = answer.refusal().reason if answer.refused else "ok"
            return answer
        except Refusal as refusal:
            outcome = refusal.reason
            raise
        finally:
            self.metrics.request(request.method, outcome, time.perf_counter() - began)

    def check(self) -> None:
        """Raises Refusal when nothing could be carried out: the database is away."""
        if not self._writer.works:
            raise Refusal("busy", "There is nobody to write: nothing was done, try again.")
        self._storage.check()

    def _perform(self, request: Request, caller: Caller) -> Answer:
        if caller.session and not isinstance(request, _WHOEVER):
            caller = self.accounts.current(caller)
        rights.check(request, caller)
        request = self._tidy(request)
        subjects = _guessed(request, caller)
        if subjects:
            self.accounts.attempts.check_suspects(*subjects)
        answer = self._table[type(request)](request, caller)
        if subjects and _missed(request, answer):
            self.accounts.attempts.note(*subjects)
        return answer

    def _ping(self, request: wire.Ping, caller: Caller) -> Answer:
        return self._pong

    def _read(self, request: Request, caller: Caller) -> Answer:
        return self._reads.read(request.method, _args(request, caller))

    def _seat_map(self, request: wire.SeatMap, caller: Caller) -> Answer:
        _check_stretch(request)
        return self._read(request, caller)

    def _sell(self, request: wire.Book | wire.Hold, caller: Caller) -> Answer:
        _check_stretch(request)
        _check_party(request)
        return self._write(request, caller)

    def _write(self, request: Any, caller: Caller) -> Answer:
        key = request.key or ""
        if key:  # it is no part of the content
            request = msgspec.structs.replace(request, key=None)
        args = Raw(_args(request, caller))
        return self._writer.submit(Call(request.method, args, _whose_key(request, caller), key))

    def _open_sales(self, request: wire.OpenSales, caller: Caller) -> Answer:
        return self._storage.open_dates(caller.account, request.bus_id, request.from_date, request.to_date)

    def _say(self, request: wire.Say, caller: Caller) -> Answer:
        return self._messages.say(request.text, caller)

    def _notice(self, request: wire.Notice, caller: Caller) -> Answer:
        return self._messages.notice_by(caller.account, request.bus_id, request.travel_date, request.text)

    def _tidy(self, request: Request) -> Request:
        """The request with its texts as they are kept. Raises Refusal for a blank text or a bad number."""
        tidy: dict[str, Any] = {}
        for field in request.__struct_fields__:
            text = getattr(request, field)
            if isinstance(text, str) and field not in _AS_GIVEN:
                tidy[field] = text.strip()
                if not tidy[field]:
                    raise request.wrong(field)
            elif field == "passengers" and text:
                tidy[field] = [wire.Passenger(name=(one.name or "").strip() or None) for one in text]
        if "phone" in tidy:
            tidy["phone"] = _e164(tidy["phone"], self._region)
            if not tidy["phone"]:
                raise request.wrong("phone", f'"{getattr(request, "phone", "")}" is no phone number.')
        if "reference" in tidy:
            tidy["reference"] = tidy["reference"].upper()
        if "username" in tidy:
            tidy["username"] = as_username(tidy["username"])
        return msgspec.structs.replace(request, **tidy) if tidy else request


_WHOEVER = (wire.Register, wire.Login, wire.Ping)  # they are answered even if the session has ended


def _args(request: Request, caller: Caller) -> bytes:
    """The request in JSON, with the account of who asks."""
    args = _encode(request)
    if caller.account is None:
        return args
    account = b'"account":' + _encode(caller.account) + b"}"
    return b"{" + account if args == b"{}" else args[:-1] + b"," + account


def _guessed(request: Request, caller: Caller) -> tuple[str, ...]:
    """Whom it is held against if this request misses: nobody, for most requests."""
    if caller.role not in ("guest", "traveller"):
        return ()
    if isinstance(request, wire.Find):
        return f"phone:{request.phone}", by_address(caller.address)
    if not isinstance(request, wire.AboutBooking):
        return ()
    if caller.account and request.phone is None:  # as its owner, who cannot be locked out by others
        return (by_address(caller.address),)
    return f"booking:{request.reference}", by_address(caller.address)


def _missed(request: Request, answer: Answer) -> bool:
    """Whether a booking was asked for that there is not, or not for the caller."""
    if not answer.refused:
        return isinstance(request, wire.Find) and bytes(answer.body) == _FOUND_NONE
    refusal = answer.refusal()
    return refusal.reason == "unknown_booking" and "tickets" not in refusal.data


def _whose_key(request: Request, caller: Caller) -> str:
    """Whose idempotency keys that of this request is among."""
    if caller.account:
        return f"account:{caller.account}"
    if phone := getattr(request, "phone", None):
        return f"phone:{phone}"
    if reference := getattr(request, "reference", None):
        return f"ref:{reference}"
    return ""


@lru_cache(_PHONES_REMEMBERED)
def _e164(text: str, region: str) -> str | None:
    """A phone number as the world writes it, +919845012345; None when it is none."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _check_stretch(request: wire.Stretch) -> None:
    """Both places, or both positions."""
    stops = [field for field in ("from_stop", "to_stop") if getattr(request, field) is not None]
    if stops and (request.origin or request.destination):
        raise request.wrong(stops[0], "Give places or positions, not both.")
    for field in ("from_stop", "to_stop") if stops else ("origin", "destination"):
        if getattr(request, field) is None:
            raise request.wrong(field, f"{field} is missing.")


def _check_party(request: wire.Book | wire.Hold) -> None:
    """Either seats or how many, and no more passengers than that."""
    if request.seats and request.count:
        raise request.wrong("count", "Give seats or count, not both.")
    size = len(request.seats) if request.seats else request.count
    if size is None:
        raise request.wrong("seats", "Neither seats nor count is given.")
    if request.seats and len(set(request.seats)) < size:
        raise request.wrong("seats", "A seat is listed twice.")
    if request.passengers and len(request.passengers) > size:
        raise request.wrong("passengers", f"There are more passengers than seats ({size}).")
