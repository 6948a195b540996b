"""Payments between the database and the providers.

A request for a payment is a row first. Then the provider is called, outside of any transaction, and its
report is one write through the writer. The report in a webhook is such a write too, and so is the report that
a worker asks for while a payment stays open. So a server that dies between two steps loses nothing: the step
is done again.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec
from msgspec import Raw

from busware.server.db.pool import InternalError, Pool
from busware.server.db.shard_queues import ShardWriters
from busware.server.db.writer import Call, Writer
from busware.server.outbox.worker import GiveUp, OutboxRow, Retry
from busware.server.payments.manual import ManualPayments
from busware.server.payments.providers import (
    FeeOrder,
    ForgedWebhook,
    PaymentReport,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
    RefundOrder,
    RefundReport,
    unavailable,
)
from busware.server.protocol import Answer, Payment, PaymentOutcome, Refusal
from busware.server.settings import Settings
from busware.server.worker_thread import WorkerThread

log = logging.getLogger("busware.payments")

_DUE_PAYMENTS = "SELECT payment, ended FROM api.due_payments(make_interval(secs => %s), %s)"
_DUE_REFUNDS = "SELECT refund FROM api.due_refunds(make_interval(secs => %s), %s)"
_IS_OPEN = "SELECT api.is_refund_open(%s, %s)"
_PAYMENT = "SELECT api.payment_now(%s, %s)"
_NOTE_FEES = "SELECT api.note_fees(%s, %s, %s, %s)"
_NOTE_REFUND = "SELECT api.note_refund(%s, %s, %s, %s, %s)"

_encode = msgspec.json.Encoder().encode

T = TypeVar("T")


class UnknownProvider(Exception):
    """There is no such provider, or the settings have no credentials for it."""


def make_providers(settings: Settings) -> dict[str, Provider]:
    """The providers that the settings have credentials for, by their name."""
    providers: list[Provider] = [ManualPayments(settings)]
    if settings.stripe_key:
        from busware.server.payments.stripe_payments import StripePayments  # its import takes half a second

        providers.append(StripePayments(settings))
    return {provider.name: provider for provider in providers}


class Payments:
    """Calls the providers, and records their reports in the database. providers: by name."""

    def __init__(self, pool: Pool, writer: Writer | ShardWriters, settings: Settings) -> None:
        self.providers = make_providers(settings)
        self._pool, self._writer, self._settings = pool, writer, settings
        self._turns = threading.BoundedSemaphore(settings.provider_requests)
        self._worker = WorkerThread("payments", self.check_due, settings.payment_check_seconds)

    def start(self) -> None:
        """Begin to check the payments that have been open for a time."""
        self._worker.schedule()
        self._worker.start()

    def stop(self) -> None:
        """Stop, after the call to a provider that is running. The next start checks the other payments."""
        self._worker.stop()

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._worker.is_stopping

    # Requests ----------------------------------------------------------------------------------

    def begin(self, answer: Answer) -> Answer:
        """Begin a payment at its provider. answer: what the database answered to `pay`.

        Returns the payment as it is now, with how to pay it unless it has ended. `answer` may be older: a
        repeated key returns the first answer. Raises Refusal (busy, provider_unavailable), or as
        Writer.submit does; then `pay` may be sent again.
        """
        earlier = msgspec.json.decode(answer.body, type=Payment)
        ((now,),) = self._pool.execute(_PAYMENT, (earlier.reference, earlier.payment_id))
        payment = msgspec.json.decode(now, type=Payment) if now else earlier
        if payment.state in ("succeeded", "cancelled"):
            return Answer(Raw(_encode(payment)), refused=False)
        provider = self.providers.get(payment.provider)
        if provider is None:
            raise unavailable(f"Payments with {payment.provider} are not set up on this server.")
        report, how = self._ask(lambda: provider.start(payment))
        settled = self.record(msgspec.structs.replace(report, retried=True))
        if settled is None:  # what is in the database is newer
            raise unavailable("The payment has changed meanwhile. Ask for it again.")
        return Answer(Raw(_encode(msgspec.structs.replace(settled.payment, pay=how))), refused=False)

    def refresh(self, payments: list[Payment]) -> bool:
        """Ask the provider about the last payment of a booking, if it is open.

        Returns whether it has confirmed the booking. Raises Refusal (busy, provider_unavailable), or as
        Writer.submit does.
        """
        open_payments = [
            p for p in payments if p.state in ("pending", "failed") and p.provider in self.providers
        ]
        if not open_payments:
            return False
        payment = open_payments[-1]
        report = self._ask(lambda: self.providers[payment.provider].status(payment))
        if report.state == "pending":
            return False
        settled = self.record(report)
        return settled is not None and settled.payment.booked

    def _ask(self, question: Callable[[], T]) -> T:
        """Call a provider for a request of a traveller. Raises Refusal (busy, provider_unavailable)."""
        if not self._turns.acquire(blocking=False):
            raise Refusal("busy", "Too many requests wait for a provider of payments. Try again.")
        try:
            return question()
        except (ProviderUnavailable, ProviderRefused) as error:
            log.warning("%s", error)
            raise unavailable(f"{error} Try again.") from error
        finally:
            self._turns.release()

    # Reports of providers ----------------------------------------------------------------------

    def record(self, report: PaymentReport) -> PaymentOutcome | None:
        """Record the report of a payment. None: the database refuses it, such as for an unknown payment.

        Raises as Writer.submit does; then it may be recorded again.
        """
        fields = msgspec.to_builtins(report)
        args = _encode({"reference": fields.pop("reference"), "payment": fields})
        answer = self._writer.submit(Call("payment_result", Raw(args)))
        if answer.refused:
            log.warning("the report of %s about payment %s is not recorded: %s", report.provider,
                        report.payment_id, answer.refusal().message)  # fmt: skip
            return None
        settled = msgspec.json.decode(answer.body, type=PaymentOutcome)
        if settled.outcome == "refunded":
            log.info("payment %s of booking %s is given back: %s", report.payment_id, report.reference,
                     settled.payment.problem)  # fmt: skip
        return settled

    def record_refund(self, report: RefundReport) -> None:
        """Record the report of a refund. Raises Refusal or InternalError."""
        fields = (report.bus_id, report.refund_id, report.state, report.provider_reference, report.problem)
        self._pool.execute(_NOTE_REFUND, fields)

    def refund(self, order: RefundOrder) -> RefundReport:
        """Have a refund carried out, and record the report of its provider.

        Raises ProviderUnavailable, ProviderRefused, Refusal or InternalError; then it may be called again.
        """
        provider = self._provider(order.provider)
        try:
            report = provider.refund(order)
        except ProviderRefused as error:
            failed = RefundReport(
                bus_id=order.bus_id, refund_id=order.refund_id, state="failed", problem=str(error)
            )
            self.record_refund(failed)
            raise
        self.record_refund(report)
        return report

    def _provider(self, name: str) -> Provider:
        if name not in self.providers:
            raise ProviderUnavailable(f"Payments with {name} are not set up on this server.")
        return self.providers[name]

    def carry_refund(self, row: OutboxRow) -> None:
        """Carry out a refund of the outbox. Raises Retry or GiveUp."""
        order = msgspec.json.decode(row.payload, type=RefundOrder)
        try:
            ((is_open,),) = self._pool.execute(_IS_OPEN, (order.bus_id, order.refund_id))
            if is_open:
                self.refund(order)
        except ProviderRefused as error:
            raise GiveUp(str(error)) from error
        except (ProviderUnavailable, Refusal, InternalError) as error:
            raise Retry(str(error)) from error

    def carry_fee(self, row: OutboxRow) -> None:
        """Ask a provider for the fees of an order of the outbox, and record them. Raises Retry or GiveUp."""
        order = msgspec.json.decode(row.payload, type=FeeOrder)
        try:
            fees = self._provider(order.provider).fees(order)
            args = (order.bus_id, order.payment_id, order.refund_id, _encode(fees).decode())
            self._pool.execute(_NOTE_FEES, args)
        except ProviderRefused as error:
            raise GiveUp(str(error)) from error
        except (ProviderUnavailable, Refusal, InternalError) as error:
            raise Retry(str(error)) from error

    def receive(self, name: str, body: bytes, signature: str) -> None:
        """Accept a webhook of a provider, and record its report.

        Raises UnknownProvider, ForgedWebhook, or as `record` and `record_refund`; then the provider sends it
        again.
        """
        provider = self.providers.get(name)
        if provider is None:
            raise UnknownProvider(name)
        try:
            report = provider.webhook(body, signature)
        except ForgedWebhook as error:
            log.warning("a webhook of %s is refused: %s", name, error)
            raise
        if isinstance(report, PaymentReport):
            self.record(report)
        elif isinstance(report, RefundReport):
            self.record_refund(report)

    # Workers -----------------------------------------------------------------------------------

    def check_due(self) -> float:
        """Check the payments and refunds that have been open for longer than payment_check_seconds.

        A payment whose hold has ended is cancelled at the provider, so that it is not paid later.
        """
        limits = (self._settings.payment_check_seconds, self._settings.payment_checks)
        payments = self._pool.execute(_DUE_PAYMENTS, limits)
        for row, ended in payments:
            if self.is_stopping:
                break
            self._check(msgspec.json.decode(row, type=Payment), ended=ended)
        refunds = self._pool.execute(_DUE_REFUNDS, limits)
        for (row,) in refunds:
            if self.is_stopping:
                break
            order = msgspec.json.decode(row, type=RefundOrder)
            if provider := self.providers.get(order.provider):
                self._check_refund(provider, order)
        all_checked = max(len(payments), len(refunds)) < self._settings.payment_checks
        return self._settings.payment_check_seconds if all_checked else 0.0

    def _check(self, payment: Payment, *, ended: bool) -> None:
        provider = self.providers.get(payment.provider)
        if provider is None or not (ended or payment.provider_reference):
            return
        with _logged():
            report = provider.cancel(payment) if ended else provider.status(payment)
            if report.state != "pending" or payment.state == "created":
                self.record(report)

    def _check_refund(self, provider: Provider, order: RefundOrder) -> None:
        with _logged():
            self.record_refund(provider.refund_status(order))


@contextmanager
def _logged() -> Iterator[None]:
    """Log the failure of a check; the next check tries again."""
    try:
        yield
    except (ProviderUnavailable, ProviderRefused, Refusal, InternalError) as error:
        log.warning("a payment could not be checked: %s", error)
