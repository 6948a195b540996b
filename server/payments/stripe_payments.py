"""Stripe: a PaymentIntent for each payment, by the official library.

Calls to Stripe carry the id of the payment or refund as idempotency key. Stripe forgets a key after a day,
so a refund also has its id in its metadata, and is looked for before it is begun.

Sources: Stripe's API reference, PaymentIntents, Refunds, Balance Transactions, Expanding Responses,
Idempotent requests, Webhooks, and Currencies (its list of currencies without decimals differs from ISO 4217).
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import stripe

from busware.server.payments.providers import (
    Fee,
    FeeOrder,
    ForgedWebhook,
    PaymentReport,
    ProviderRefused,
    ProviderUnavailable,
    RefundOrder,
    RefundReport,
)
from busware.server.protocol import HowToPay, Payment
from busware.server.settings import Settings

# Stripe counts the amounts of most currencies in hundredths of the unit. These two lists are the exceptions:
# currencies that it counts in units, and in thousandths.
_WITHOUT_DECIMALS = (
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
)  # fmt: skip
_WITH_THREE_DECIMALS = ("BHD", "JOD", "KWD", "OMR", "TND")
_DECIMALS = dict.fromkeys(_WITHOUT_DECIMALS, 0) | dict.fromkeys(_WITH_THREE_DECIMALS, 3)

_verify: Callable[[str, str, str, int], bool] = stripe.WebhookSignature.verify_header  # it has no types

_REFUNDS_IN_LIST = 100  # the most refunds that one call to Stripe lists
_BUS_ID = re.compile(r"[1-9][0-9]{0,17}")
_STATES = {"succeeded": "succeeded", "canceled": "cancelled"}  # of a PaymentIntent; any other is pending
_EVENTS = {  # type of an event → state of its payment
    "payment_intent.succeeded": "succeeded",
    "payment_intent.payment_failed": "failed",
    "payment_intent.canceled": "cancelled",
}
_REFUND_EVENTS = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
_REFUND_STATES = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}  # any other is sent


class StripePayments:
    """The provider `stripe`. The settings have its key."""

    name = "stripe"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = stripe_client(settings)

    def start(self, payment: Payment) -> tuple[PaymentReport, HowToPay]:
        """Create the PaymentIntent, or read it."""
        if payment.provider_reference:
            intent = self._read(payment)
        else:
            with stripe_errors():
                intent = self._client.v1.payment_intents.create(
                    {
                        "amount": in_smallest_unit(payment.amount, payment.currency),
                        "currency": payment.currency.lower(),
                        "metadata": {"payment_id": payment.payment_id, "reference": payment.reference},
                    },
                    {"idempotency_key": payment.payment_id},
                )
        page, secret = self._settings.payment_page, intent.client_secret
        url = f"{page}#{secret}" if page and secret else None
        amount = f"{payment.amount} {payment.currency}"
        text = f"Pay {amount} at {url}" if url else f"Pay {amount} in the app or on the page of the operator."
        how = HowToPay(
            text=text,
            url=url,
            client_secret=secret,
            publishable_key=self._settings.stripe_publishable_key,
        )
        return self._report(payment, intent), how

    def status(self, payment: Payment) -> PaymentReport:
        """The state of the PaymentIntent."""
        return self._report(payment, self._read(payment))

    def cancel(self, payment: Payment) -> PaymentReport:
        """Cancel the PaymentIntent. If that is impossible, such as after it succeeded, read it."""
        if not payment.provider_reference:  # nobody has its client_secret, so nobody can pay it
            return _payment_report(payment, "cancelled")
        try:
            with stripe_errors():
                intent = self._client.v1.payment_intents.cancel(payment.provider_reference)
        except ProviderRefused:
            intent = self._read(payment)
        return self._report(payment, intent)

    def refund(self, order: RefundOrder) -> RefundReport:
        """Find the refund at Stripe, or begin it."""
        refunds = self._find_refunds(order)
        if refunds and refunds[-1].status not in ("failed", "canceled"):
            return _refund_report(order.bus_id, order.refund_id, refunds[-1])
        with stripe_errors():
            refund = self._client.v1.refunds.create(
                {
                    "payment_intent": order.payment_reference,
                    "amount": in_smallest_unit(order.amount, order.currency),
                    "metadata": {
                        "refund_id": order.refund_id,
                        "bus_id": str(order.bus_id),
                        "reference": order.reference,
                    },
                },
                # Stripe repeats its answer to a key, so an attempt after a failure needs another one
                {"idempotency_key": f"{order.refund_id}-{len(refunds)}"},
            )
        return _refund_report(order.bus_id, order.refund_id, refund)

    def refund_status(self, order: RefundOrder) -> RefundReport:
        """The state of the last refund at Stripe. Raises ProviderRefused if there is none."""
        refunds = self._find_refunds(order)
        if not refunds:
            raise ProviderRefused(f"Stripe has no refund {order.refund_id}.")
        return _refund_report(order.bus_id, order.refund_id, refunds[-1])

    def fees(self, order: FeeOrder) -> list[Fee]:
        """The fees of the balance transactions. A payment has one, and a refund that failed may have two."""
        with stripe_errors():
            if order.refund_id is None:
                intent = self._client.v1.payment_intents.retrieve(
                    order.provider_reference, {"expand": ["latest_charge.balance_transaction"]}
                )
                found = [(intent.get("latest_charge") or {}).get("balance_transaction")]
            else:
                refund = self._client.v1.refunds.retrieve(
                    order.provider_reference,
                    {"expand": ["balance_transaction", "failure_balance_transaction"]},
                )
                found = [refund.get("balance_transaction"), refund.get("failure_balance_transaction")]
                if refund.status in ("failed", "canceled") and not any(found):
                    return []  # it never changed the balance
        transactions = [_fee(transaction) for transaction in found if transaction]
        if not transactions:
            raise ProviderUnavailable(f"Stripe has no balance transaction of {order.provider_reference} yet.")
        return transactions

    def webhook(self, body: bytes, signature: str) -> PaymentReport | RefundReport | None:
        """Check the signature and its time; read the event."""
        secret = self._settings.stripe_webhook_secret
        if not secret:
            raise ForgedWebhook("BUSWARE_STRIPE_WEBHOOK_SECRET is not set")
        try:
            max_age_seconds = int(self._settings.stripe_webhook_seconds)
            _verify(body.decode(), signature, secret, max_age_seconds)
            event = msgspec.json.decode(body)
            return _event(event["type"], event["data"]["object"])
        except (stripe.SignatureVerificationError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ForgedWebhook(str(error)) from None

    def _read(self, payment: Payment) -> stripe.PaymentIntent:
        if not payment.provider_reference:
            raise ProviderRefused(f"Payment {payment.payment_id} was not begun.")
        with stripe_errors():
            return self._client.v1.payment_intents.retrieve(payment.provider_reference)

    def _report(self, payment: Payment, intent: stripe.PaymentIntent) -> PaymentReport:
        return _payment_report(payment, _STATES.get(intent.status, "pending"), intent)

    def _find_refunds(self, order: RefundOrder) -> list[stripe.Refund]:
        """The refunds at Stripe with this id, the oldest first."""
        with stripe_errors():
            listed = self._client.v1.refunds.list(
                {"payment_intent": order.payment_reference, "limit": _REFUNDS_IN_LIST}
            )
            refunds = [
                r for r in listed.auto_paging_iter() if (r.metadata or {}).get("refund_id") == order.refund_id
            ]
        return sorted(refunds, key=lambda refund: refund.created)


def stripe_client(settings: Settings) -> stripe.StripeClient:
    """The library, with the key and the URL of the settings."""
    assert settings.stripe_key  # noqa: S101 - for the type checker
    return stripe.StripeClient(
        settings.stripe_key,
        base_addresses={"api": settings.stripe_url},
        http_client=stripe.RequestsClient(timeout=settings.provider_seconds),
        max_network_retries=0,  # the callers try again
    )


def in_smallest_unit(amount: str, currency: str) -> int:
    """An amount as Stripe takes it: 26000 for 260.00 INR. Raises ProviderRefused if it has more decimals.

    Of a currency with three decimals, the last must be 0.
    """
    number = Decimal(amount).scaleb(_DECIMALS.get(currency, 2))
    if number != int(number) or (currency in _WITH_THREE_DECIMALS and number % 10):
        raise ProviderRefused(f"Stripe does not take {amount} {currency}: it has too many decimals.")
    return int(number)


def from_smallest_unit(number: int, currency: str) -> str:
    """The amount of a number that Stripe gives: 260.00 for 26000 in INR."""
    return str(Decimal(number).scaleb(-_DECIMALS.get(currency, 2)))


def _event(kind: str, about: Any) -> PaymentReport | RefundReport | None:
    """The report in an event. None: the event has no ids of Busware; another system uses the account too."""
    metadata = about.get("metadata") or {}
    reference = metadata.get("reference", "")
    if kind in _EVENTS and is_uuid(metadata.get("payment_id")):
        payment = _PaymentIds(payment_id=metadata["payment_id"], reference=reference)
        return _payment_report(payment, _EVENTS[kind], about)
    if (
        kind in _REFUND_EVENTS
        and is_uuid(metadata.get("refund_id"))
        and _BUS_ID.fullmatch(metadata.get("bus_id", ""))
    ):
        return RefundReport(
            bus_id=int(metadata["bus_id"]),
            refund_id=metadata["refund_id"],
            state=_REFUND_STATES.get(about.get("status"), "sent"),  # type: ignore[arg-type]
            provider_reference=about["id"],
            problem=about.get("failure_reason"),
        )
    return None


class _PaymentIds(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of a payment in an event."""

    payment_id: str
    reference: str


class _Received(msgspec.Struct, frozen=True, kw_only=True):
    """The money of a PaymentIntent that has succeeded, in the smallest unit of its currency."""

    number: Annotated[int, msgspec.Meta(gt=0, lt=2**53)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)")]


def _payment_report(payment: Payment | _PaymentIds, state: str, intent: Any = None) -> PaymentReport:
    """The report of a payment. intent: the PaymentIntent; None if Stripe has none.

    Raises msgspec.ValidationError if an intent that has succeeded has no valid amount or currency.
    """
    intent = {} if intent is None else intent
    received = None
    if state == "succeeded":
        number = intent.get("amount_received", intent.get("amount"))
        money = {"number": number, "currency": str(intent.get("currency")).upper()}
        received = msgspec.convert(money, _Received)
    problem = (intent.get("last_payment_error") or {}).get("message") if state == "failed" else None
    return PaymentReport(
        provider="stripe",
        reference=payment.reference,
        state=state,  # type: ignore[arg-type]
        payment_id=payment.payment_id,
        provider_reference=intent.get("id"),
        amount=from_smallest_unit(received.number, received.currency) if received else None,
        currency=received.currency if received else None,
        problem=problem,
    )


def _refund_report(bus_id: int, refund_id: str, refund: stripe.Refund) -> RefundReport:
    return RefundReport(
        bus_id=bus_id,
        refund_id=refund_id,
        state=_REFUND_STATES.get(refund.status or "", "sent"),  # type: ignore[arg-type]
        provider_reference=refund.id,
        problem=refund.get("failure_reason"),
    )


def is_uuid(text: Any) -> bool:
    """Whether a value is an id of Busware. Another system on the same account may store other values."""
    try:
        return str(uuid.UUID(text)) == str(text)
    except (ValueError, TypeError, AttributeError):
        return False


def _fee(transaction: Any) -> Fee:
    """The fee of a BalanceTransaction."""
    currency = str(transaction["currency"]).upper()
    return Fee(
        transaction_id=transaction["id"],
        amount=from_smallest_unit(transaction["fee"], currency),
        net=from_smallest_unit(transaction["net"], currency),
        currency=currency,
        at=datetime.fromtimestamp(transaction["created"], UTC).isoformat(),
    )


@contextmanager
def stripe_errors() -> Iterator[None]:
    """Turn the errors of the library into ProviderUnavailable and ProviderRefused."""
    try:
        yield
    except (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError) as error:
        raise ProviderRefused(f"Stripe refuses: {error.user_message or error}") from error
    except stripe.StripeError as error:  # no connection, a limit, a wrong key, a failure at Stripe
        raise ProviderUnavailable(
            f"Stripe does not answer: {error.user_message or type(error).__name__}"
        ) from error
