"""Executes each request, whether it came over TCP or HTTP.

A request is a struct; its answer is the JSON that the database returned. This module checks what the type of
a field cannot express: the role of the caller, rate limits, and fields that belong together. It normalizes
strings, and turns phone numbers into E.164. It adds the account of the caller to the request; no request has
a field for the account.
"""

import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
import phonenumbers
from msgspec import UNSET, Raw

from busware.server import protocol
from busware.server.accounts.rate_limits import Attempt, RateLimiter
from busware.server.accounts.sessions import Accounts, normalize_username
from busware.server.booking import permissions
from busware.server.booking.hold_limits import limits_on_holds
from busware.server.booking.vehicle_exchange import VehicleExchanges
from busware.server.db.pool import Pool
from busware.server.db.reader import Reader
from busware.server.db.shard_queues import ShardReaders, ShardWriters
from busware.server.db.standby import StandbyReads
from busware.server.db.writer import Call, Writer
from busware.server.metrics import Metrics
from busware.server.payments.payments import Payments
from busware.server.protocol import Answer, Caller, Refusal, Request
from busware.server.push.messages import Messages
from busware.server.settings import Settings
from busware.server.webhooks import targets
from busware.server.webhooks.carrier import new_secret

_CACHED_PHONES = 10_000  # numbers; parsing one takes longer than everything else here
_UNCHANGED_FIELDS = ("key", "password", "token")  # strings that are not normalized
_USERNAMES = ("username", "agent")
_WITHOUT_SESSION = (  # an ended session is ignored
    protocol.Register,
    protocol.Login,
    protocol.RequestReset,
    protocol.ResetPassword,
    protocol.Ping,
)
# Fields of an exchange that say the same in two ways.
_EXCLUSIVE = (
    ("travel_date", "boarding_date"),
    ("origin", "from_stop"),
    ("destination", "to_stop"),
    ("seats", "seat_class"),
)
_HOST_NAME = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.IGNORECASE)
_FOUND_NOTHING = b'{"references": []}'  # the reply of `find`, as the database writes it

_encode = msgspec.json.Encoder().encode


class Operations:
    """Executes requests. accounts: of callers. payments: to providers. metrics: counts the requests.

    standby: executes the reads of the protocol, if it is not None. readers: the same with several shards.
    """

    def __init__(
        self,
        pool: Pool,
        writer: Writer | ShardWriters,
        settings: Settings,
        standby: StandbyReads | None = None,
        readers: ShardReaders | None = None,
    ) -> None:
        self._pool = pool
        self._reader = readers or Reader(standby or pool, settings)
        self._writer = writer
        self._settings = settings
        # phonenumbers reads its files at first use. If that fails, as without a free file descriptor, it
        # keeps its lock, and the next number waits without end. So the files are read now.
        phonenumbers.PhoneMetadata.load_all()
        pong = protocol.Pong(server=protocol.SERVER, version=protocol.VERSION, time_zone=settings.time_zone)
        self._pong = Answer(Raw(_encode(pong)), refused=False)
        messages = Messages(pool, settings)
        self._exchanges = VehicleExchanges(self._reader, pool, settings.exchange_attempts)
        self.accounts = Accounts(pool, settings)
        self.payments = Payments(pool, writer, settings)
        self.metrics = Metrics(pool, self._reader, writer, settings, standby)
        self._handlers: dict[type[Request], Callable[[Any, Caller], Answer]] = {  # else: _read or _write
            protocol.Ping: lambda request, caller: self._pong,
            protocol.Register: self.accounts.register,
            protocol.Login: self.accounts.login,
            protocol.Logout: self.accounts.logout,
            protocol.SetEmail: self.accounts.set_email,
            protocol.RequestReset: self.accounts.request_reset,
            protocol.ResetPassword: self.accounts.reset_password,
            protocol.Events: self._events,
            protocol.ExchangeQuote: self._quote_exchange,
            protocol.OpenSales: self._open_sales,
            protocol.AddService: self._change_service,
            protocol.PutService: self._change_service,
            protocol.EndService: self._change_service,
            protocol.SucceedService: self._change_service,
            protocol.OpenTrip: self._change_service,
            protocol.PutPlace: self._change_service,
            protocol.PutVehicle: self._change_fleet,
            protocol.PutDriver: self._change_fleet,
            protocol.Assign: self._change_fleet,
            protocol.ExchangeVehicle: self._exchange_vehicle,
            protocol.PutPromoCode: self._put_promo_code,
            protocol.PutInvoicing: self._put_invoicing,
            protocol.PutAgent: self._change_agent,
            protocol.SettleAgent: self._change_agent,
            protocol.PutStaff: self.accounts.put_staff,
            protocol.PutWebhook: self._put_webhook,
            protocol.DeleteWebhook: self._change_webhook,
            protocol.RotateWebhookSecret: self._change_webhook,
            protocol.TestWebhook: self._change_webhook,
            protocol.ReplayWebhook: self._replay_webhook,
            protocol.Confirm: self._confirm,
            protocol.Pay: self._pay,
            protocol.SettlePayment: self._settle_payment,
            protocol.SettleRefund: self._settle_refund,
            protocol.Say: messages.say,
            protocol.Notice: messages.notice_to_trip,
        }

    def perform(self, request: Request, caller: Caller) -> Answer:
        """Execute a request. The answer is a reply, or a refusal of the database.

        Raises Refusal if the request is refused before it reaches the database, InternalError if it fails.
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
        """Check that the writer and the database are available. Raises Refusal (busy)."""
        if not self._writer.is_running:
            raise Refusal("busy", "The writer is not running: nothing was done, try again.")
        self._pool.execute("SELECT 1")

    def _perform(self, request: Request, caller: Caller) -> Answer:
        if caller.session and not isinstance(request, _WITHOUT_SESSION):
            caller = self.accounts.current(caller)
        permissions.check(request, caller)
        request = self._normalize(request)
        if isinstance(request, protocol.SegmentRequest):
            _check_segment(request)
            _check_either(request)
        if isinstance(request, protocol.PartyRequest):
            _check_party(request)
        if isinstance(request, protocol.ExchangeRequest):
            _check_exchange(request)
        handler = self._handlers.get(type(request)) or (self._write if request.writes else self._read)
        rate_limiter = self.accounts.rate_limiter
        attempt = _attempt_to_open(request, caller, rate_limiter)
        if attempt is None:
            return handler(request, caller)
        with rate_limiter.turn(attempt):
            answer = handler(request, caller)
            if _found_nothing(request, answer):
                rate_limiter.record_failure(attempt)
            elif not answer.refused:
                rate_limiter.record_success(attempt)
            return answer

    def _read(self, request: Request, caller: Caller) -> Answer:
        return self._reader.read(request.method, _args(request, caller))

    def _write(self, request: Any, caller: Caller) -> Answer:
        key = request.key or ""
        if key:  # the database compares a repeated request without its key
            request = msgspec.structs.replace(request, key=None)
        args = Raw(_args(request, caller))
        unpaid = isinstance(request, protocol.Hold) or getattr(request, "waitlist", False)
        limits = limits_on_holds(caller, self._settings) if unpaid else ()
        return self._writer.submit(Call(request.method, args, key, limits or UNSET))

    def _events(self, request: protocol.Events, caller: Caller) -> Answer:
        args = msgspec.to_builtins(request) | {"account": caller.account, "scan": self._settings.event_scan}
        return self._reader.read(request.method, _encode(args))

    def _quote_exchange(self, request: protocol.ExchangeQuote, caller: Caller) -> Answer:
        """Execute an exchange that the database undoes: it chooses seats under the locks of both trips."""
        return self._writer.submit(Call(request.method, Raw(_args(request, caller))))

    def _open_sales(self, request: protocol.OpenSales, caller: Caller) -> Answer:
        return self._pool.open_dates(caller.account, request.bus_id, request.from_date, request.to_date)

    def _change_service(self, request: Request, caller: Caller) -> Answer:
        key = getattr(request, "key", None)
        if key:  # as in _write
            request = msgspec.structs.replace(request, key=None)
        return self._pool.change_service(request.method, Raw(_args(request, caller)), key)

    def _change_fleet(self, request: Request, caller: Caller) -> Answer:
        return self._pool.change_fleet(request.method, Raw(_args(request, caller)))

    def _exchange_vehicle(self, request: protocol.ExchangeVehicle, caller: Caller) -> Answer:
        return self._exchanges.exchange(request, caller.account)

    def _put_promo_code(self, request: protocol.PutPromoCode, caller: Caller) -> Answer:
        return self._pool.put_promo_code(Raw(_args(request, caller)))

    def _put_invoicing(self, request: protocol.PutInvoicing, caller: Caller) -> Answer:
        return self._pool.put_invoicing(Raw(_args(request, caller)))

    def _change_agent(self, request: Request, caller: Caller) -> Answer:
        return self._pool.change_agent(request.method, Raw(_args(request, caller)))

    def _put_webhook(self, request: protocol.PutWebhook, caller: Caller) -> Answer:
        if request.types is not UNSET and (unknown := protocol.unknown_types(request.types)):
            raise request.wrong("types", f"There are no events of the type {unknown[0]}.")
        if request.url is not UNSET:
            try:
                targets.check(request.url, self._settings)
            except targets.Refused as refused:
                raise request.wrong("url", str(refused)) from None
        return self._change_webhook(request, caller)

    def _replay_webhook(self, request: protocol.ReplayWebhook, caller: Caller) -> Answer:
        _check_either(request)
        return self._change_webhook(request, caller)

    def _change_webhook(self, request: protocol.WebhookWrite, caller: Caller) -> Answer:
        """Execute a write on webhooks. Each has a new secret, which the database uses if it needs one."""
        unkeyed = msgspec.structs.replace(request, key=None)
        args = msgspec.to_builtins(unkeyed) | {"account": caller.account, "secret": new_secret()}
        limits = {
            "webhooks": self._settings.webhooks_per_operator,
            "secrets": self._settings.webhook_secrets,
            "secret_seconds": self._settings.webhook_secret_hours * 3600,
        }
        return self._pool.change_webhook(
            request.method, Raw(_encode(args)), Raw(_encode(limits)), request.key
        )

    def _confirm(self, request: protocol.Confirm, caller: Caller) -> Answer:
        """Confirm a hold. If it is not paid, ask the provider first whether it is paid by now."""
        answer = self._write(request, caller)
        if answer.refused and answer.refusal().reason == "payment_required":
            question = protocol.Payments(reference=request.reference, phone=request.phone)
            listed = msgspec.json.decode(self._read(question, caller).body, type=protocol.PaymentList)
            if self.payments.refresh(listed.payments):
                return self._write(request, caller)
        return answer

    def _pay(self, request: protocol.Pay, caller: Caller) -> Answer:
        asked = self._write(request, caller)
        return asked if asked.refused else self.payments.begin(asked)

    def _settle_payment(self, request: protocol.SettlePayment, caller: Caller) -> Answer:
        """Settle a manual payment: the operator plays the part of its provider."""
        transfer = request.payment.upper()
        arrived = {"amount": request.amount, "currency": request.currency}
        report = {"provider": "manual", "provider_reference": transfer} | arrived
        if request.receipt:
            report["receipt"] = request.receipt
        if request.fee:
            report["fee"] = request.fee
        args = {
            "reference": transfer.partition("-")[0],  # of the booking: sql/25_pay.sql
            "account": caller.account,
            "plan": request.plan,
            "payment": report,
        }
        return self._writer.submit(Call(request.method, Raw(_encode(args)), request.key or ""))

    def _settle_refund(self, request: protocol.SettleRefund, caller: Caller) -> Answer:
        return self._pool.settle_refund(Raw(_args(request, caller)))

    def _normalize(self, request: Request) -> Request:
        """The request with its strings as they are stored. Raises Refusal for an empty or invalid one."""
        normal: dict[str, Any] = {}
        for field in request.__struct_fields__:
            value = getattr(request, field)
            if isinstance(value, str) and field not in _UNCHANGED_FIELDS:
                normalize = normalize_username if field in _USERNAMES else protocol.normalize_text
                normal[field] = normalize(value)
                if not normal[field]:
                    raise request.wrong(field)
            elif field == "passengers" and value:
                normal[field] = [_normalize_passenger(passenger) for passenger in value]
        if "phone" in normal:
            normal["phone"] = _e164(normal["phone"], self._settings.phone_region)
            if not normal["phone"]:
                takes = request.takes("phone")
                message = f'"{getattr(request, "phone", "")}" is not {takes}.'
                raise Refusal("bad_request", message, field="phone", takes=takes)
        if "email" in normal:
            normal["email"] = _mailbox(normal["email"])
            if not normal["email"]:
                raise request.wrong("email", f'"{getattr(request, "email", "")}" is not an e-mail address.')
        if "reference" in normal:
            normal["reference"] = normal["reference"].upper().removeprefix(protocol.CODE_PREFIX)
        return msgspec.structs.replace(request, **normal) if normal else request


def _normalize_passenger(passenger: protocol.Passenger) -> protocol.Passenger:
    """The passenger without texts that are empty."""
    texts = {
        name: protocol.normalize_text(text) or None
        for name, text in msgspec.structs.asdict(passenger).items()
        if isinstance(text, str)
    }
    return msgspec.structs.replace(passenger, **texts)


def _args(request: Request, caller: Caller) -> bytes:
    """The request as JSON, with the caller's account: as `sold_by` if an agent sells, else as `account`."""
    if caller.account is None:
        return _encode(request)
    is_sale = caller.role == "agent" and isinstance(request, protocol.PartyRequest)
    field = "sold_by" if is_sale else "account"
    return _encode(msgspec.to_builtins(request) | {field: caller.account})


def _attempt_to_open(request: Request, caller: Caller, rate_limiter: RateLimiter) -> Attempt | None:
    """The attempt to open or find a booking, or to use a promo code; None for most requests."""
    if isinstance(request, protocol.Find):
        return rate_limiter.opening(f"phone:{request.phone}", caller, by_account=False)
    if isinstance(request, protocol.BookingRequest):
        by_account = caller.account is not None and request.phone is None
        return rate_limiter.opening(f"booking:{request.reference}", caller, by_account=by_account)
    if isinstance(request, protocol.PartyRequest) and request.promo_code is not None:
        return rate_limiter.promo_code(caller)
    return None


def _found_nothing(request: Request, answer: Answer) -> bool:
    """Whether the caller has given a wrong reference, phone number or promo code."""
    if not answer.refused:
        return isinstance(request, protocol.Find) and bytes(answer.body) == _FOUND_NOTHING
    refusal = answer.refusal()
    return refusal.reason == "unknown_promo_code" or (
        refusal.reason == "unknown_booking" and "tickets" not in refusal.data
    )


@lru_cache(_CACHED_PHONES)
def _e164(text: str, region: str) -> str | None:
    """A phone number in the international form, +919845012345; None if it is not valid."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _mailbox(text: str) -> str | None:
    """An e-mail address with its domain in lower case and its own letters; None if no mail can go there."""
    local, _, domain = text.rpartition("@")
    try:
        in_ascii = domain.lower().encode("idna")
        in_letters = in_ascii.decode("idna")
    except UnicodeError:
        return None
    return f"{local}@{in_letters}" if _HOST_NAME.fullmatch(in_ascii.decode()) else None


def _check_segment(request: protocol.SegmentRequest) -> None:
    """Raises Refusal unless the request has either both places or both positions."""
    stops = [field for field in ("from_stop", "to_stop") if getattr(request, field) is not None]
    if stops and (request.origin or request.destination):
        raise request.wrong(stops[0], "Give places or positions, not both.")
    for field in ("from_stop", "to_stop") if stops else ("origin", "destination"):
        if getattr(request, field) is None:
            raise request.wrong(field, f"{field} is missing.")


def _check_either(request: Request) -> None:
    """Raises Refusal unless the request has exactly one of the fields that `either` of its class names."""
    given = [field for field in request.either if getattr(request, field) is not None]
    choice = " or ".join(request.either)
    if len(given) > 1:
        raise request.wrong(given[-1], f"Give {choice}, not both.")
    if not given:
        raise request.wrong(request.either[0], f"{choice} is missing.")


def _check_exchange(request: protocol.ExchangeRequest) -> None:
    """Raises Refusal if the request names nothing to exchange for, or names one thing in two ways.

    A request for a payment that names nothing is for that of a hold.
    """
    given = [
        field.name
        for field in msgspec.structs.fields(protocol.ExchangeRequest)
        if field.name not in ("reference", "phone") and getattr(request, field.name) is not None
    ]
    if not given and not isinstance(request, protocol.Pay):
        problem = "Name what you want instead: a date, a bus, stops, a class or seats."
        raise Refusal("bad_request", problem, field="travel_date", takes=request.takes("travel_date"))
    for one, other in _EXCLUSIVE:
        if one in given and other in given:
            raise request.wrong(other, f"Give {one} or {other}, not both.")


def _check_party(request: protocol.PartyRequest) -> None:
    """Raises Refusal unless the request has either seats or a count, and no more passengers than seats."""
    if request.seats and request.count:
        raise request.wrong("count", "Give seats or count, not both.")
    size = len(request.seats) if request.seats else request.count
    if size is None:
        raise request.wrong("seats", "Neither seats nor count is given.")
    if request.seats and request.seat_class:
        raise request.wrong("seat_class", "Give seats or seat_class, not both.")
    if request.seats and len(set(request.seats)) < size:
        raise request.wrong("seats", "A seat is listed twice.")
    if request.sms and not request.phone:
        raise request.wrong("sms", "Short messages need a phone number.")
    if request.passengers and len(request.passengers) > size:
        raise request.wrong("passengers", f"There are more passengers than seats ({size}).")
