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

from busware.server import protocol
from busware.server.accounts.rate_limits import address_subject
from busware.server.accounts.sessions import Accounts, normalize_username
from busware.server.booking import permissions
from busware.server.db.pool import Pool
from busware.server.db.reader import Reader
from busware.server.db.writer import Call, Writer
from busware.server.metrics import Metrics
from busware.server.protocol import Answer, Caller, Refusal, Request
from busware.server.push.messages import Messages
from busware.server.settings import Settings

_PHONES_REMEMBERED = 10_000  # numbers; to read one costs more than all else that is done here

_encode = msgspec.json.Encoder().encode

_AS_GIVEN = ("key", "password", "token")  # texts in which every blank counts
_FOUND_NONE = b'{"references": []}'  # as the database writes it


class Operations:
    """What the server can do. `accounts`: who may ask for it. `metrics`: what was asked for."""

    def __init__(self, pool: Pool, writer: Writer, settings: Settings) -> None:
        self._pool = pool
        self._reader = Reader(pool, settings)
        self._writer = writer
        self._region = settings.phone_region
        pong = protocol.Pong(server=protocol.SERVER, version=protocol.VERSION, time_zone=settings.time_zone)
        self._pong = Answer(Raw(_encode(pong)), refused=False)
        self._messages = Messages(pool, settings)
        self.accounts = Accounts(pool, settings)
        self.metrics = Metrics(pool, self._reader, writer, settings)
        self._table: dict[type[Request], Callable[[Any, Caller], Answer]] = {
            protocol.Ping: self._ping,
            protocol.Places: self._read,
            protocol.Search: self._read,
            protocol.SeatMap: self._seat_map,
            protocol.GetBooking: self._read,
            protocol.Find: self._read,
            protocol.CancelQuote: self._read,
            protocol.Book: self._sell,
            protocol.Hold: self._sell,
            protocol.Confirm: self._write,
            protocol.Release: self._write,
            protocol.Cancel: self._write,
            protocol.ChangeSeat: self._write,
            protocol.Alight: self._write,
            protocol.Bookings: self._read,
            protocol.Register: self.accounts.register,
            protocol.Login: self.accounts.login,
            protocol.Logout: self.accounts.logout,
            protocol.OperatorTrips: self._read,
            protocol.Manifest: self._read,
            protocol.CancelTrip: self._write,
            protocol.OpenSales: self._open_sales,
            protocol.Say: self._say,
            protocol.Notice: self._notice,
        }

    def perform(self, request: Request, caller: Caller) -> Answer:
        """Carry a request out.

        Raises Refusal for what is refused before the database sees it, InternalError for what failed there.
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
            self.metrics.observe_request(request.method, outcome, time.perf_counter() - began)

    def check(self) -> None:
        """Raises Refusal when nothing could be carried out: the database is away."""
        if not self._writer.is_running:
            raise Refusal("busy", "There is nobody to write: nothing was done, try again.")
        self._pool.execute("SELECT 1")

    def _perform(self, request: Request, caller: Caller) -> Answer:
        if caller.session and not isinstance(request, _WITHOUT_SESSION):
            caller = self.accounts.current(caller)
        permissions.check(request, caller)
        request = self._normalize(request)
        subjects = _rate_limited_subjects(request, caller)
        if subjects:
            self.accounts.rate_limiter.check_if_suspect(*subjects)
        answer = self._table[type(request)](request, caller)
        if subjects and _booking_not_found(request, answer):
            self.accounts.rate_limiter.record_failure(*subjects)
        return answer

    def _ping(self, request: protocol.Ping, caller: Caller) -> Answer:
        return self._pong

    def _read(self, request: Request, caller: Caller) -> Answer:
        return self._reader.read(request.method, _args(request, caller))

    def _seat_map(self, request: protocol.SeatMap, caller: Caller) -> Answer:
        _check_segment(request)
        return self._read(request, caller)

    def _sell(self, request: protocol.Book | protocol.Hold, caller: Caller) -> Answer:
        _check_segment(request)
        _check_party(request)
        return self._write(request, caller)

    def _write(self, request: Any, caller: Caller) -> Answer:
        key = request.key or ""
        if key:  # it is no part of the content
            request = msgspec.structs.replace(request, key=None)
        args = Raw(_args(request, caller))
        return self._writer.submit(Call(request.method, args, _key_owner(request, caller), key))

    def _open_sales(self, request: protocol.OpenSales, caller: Caller) -> Answer:
        return self._pool.open_dates(caller.account, request.bus_id, request.from_date, request.to_date)

    def _say(self, request: protocol.Say, caller: Caller) -> Answer:
        return self._messages.say(request.text, caller)

    def _notice(self, request: protocol.Notice, caller: Caller) -> Answer:
        return self._messages.notice_by(caller.account, request.bus_id, request.travel_date, request.text)

    def _normalize(self, request: Request) -> Request:
        """The request with its texts as they are kept. Raises Refusal for a blank text or a bad number."""
        normal: dict[str, Any] = {}
        for field in request.__struct_fields__:
            text = getattr(request, field)
            if isinstance(text, str) and field not in _AS_GIVEN:
                normal[field] = text.strip()
                if not normal[field]:
                    raise request.wrong(field)
            elif field == "passengers" and text:
                normal[field] = [protocol.Passenger(name=(one.name or "").strip() or None) for one in text]
        if "phone" in normal:
            normal["phone"] = _e164(normal["phone"], self._region)
            if not normal["phone"]:
                raise request.wrong("phone", f'"{getattr(request, "phone", "")}" is no phone number.')
        if "reference" in normal:
            normal["reference"] = normal["reference"].upper()
        if "username" in normal:
            normal["username"] = normalize_username(normal["username"])
        return msgspec.structs.replace(request, **normal) if normal else request


_WITHOUT_SESSION = (
    protocol.Register,
    protocol.Login,
    protocol.Ping,
)  # they are answered even if the session has ended


def _args(request: Request, caller: Caller) -> bytes:
    """The request in JSON, with the account of who asks."""
    args = _encode(request)
    if caller.account is None:
        return args
    account = b'"account":' + _encode(caller.account) + b"}"
    return b"{" + account if args == b"{}" else args[:-1] + b"," + account


def _rate_limited_subjects(request: Request, caller: Caller) -> tuple[str, ...]:
    """Whom it is held against if this request misses: nobody, for most requests."""
    if caller.role not in ("guest", "traveller"):
        return ()
    if isinstance(request, protocol.Find):
        return f"phone:{request.phone}", address_subject(caller.address)
    if not isinstance(request, protocol.AboutBooking):
        return ()
    if caller.account and request.phone is None:  # as its owner, who cannot be locked out by others
        return (address_subject(caller.address),)
    return f"booking:{request.reference}", address_subject(caller.address)


def _booking_not_found(request: Request, answer: Answer) -> bool:
    """Whether a booking was asked for that there is not, or not for the caller."""
    if not answer.refused:
        return isinstance(request, protocol.Find) and bytes(answer.body) == _FOUND_NONE
    refusal = answer.refusal()
    return refusal.reason == "unknown_booking" and "tickets" not in refusal.data


def _key_owner(request: Request, caller: Caller) -> str:
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


def _check_segment(request: protocol.SegmentRequest) -> None:
    """Both places, or both positions."""
    stops = [field for field in ("from_stop", "to_stop") if getattr(request, field) is not None]
    if stops and (request.origin or request.destination):
        raise request.wrong(stops[0], "Give places or positions, not both.")
    for field in ("from_stop", "to_stop") if stops else ("origin", "destination"):
        if getattr(request, field) is None:
            raise request.wrong(field, f"{field} is missing.")


def _check_party(request: protocol.Book | protocol.Hold) -> None:
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
