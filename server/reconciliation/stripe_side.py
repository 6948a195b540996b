"""The payments and refunds of Stripe, as records to compare.

Sources: Stripe's API reference, List all PaymentIntents, List all refunds (filter `created`).
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import stripe

from busware.server.payments.providers import ProviderRefused
from busware.server.payments.stripe_payments import (
    from_smallest_unit,
    is_uuid,
    stripe_client,
    stripe_errors,
)
from busware.server.reconciliation.records import Record, State
from busware.server.settings import Settings

_PAGE = 100  # the most of a page
_PAYMENT_STATES: dict[str, State] = {"succeeded": "succeeded", "canceled": "cancelled"}  # else it is open
_REFUND_STATES: dict[str, State] = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}


class StripeSide:
    """Reads payments and refunds at Stripe. Each function raises ProviderUnavailable or ProviderRefused."""

    def __init__(self, settings: Settings) -> None:
        self._client = stripe_client(settings)

    def records(self, since: datetime, until: datetime) -> list[Record]:
        """All payments and refunds that were created at Stripe in a period."""
        period: Any = {
            "created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())},
            "limit": _PAGE,
        }
        with stripe_errors():
            intents = self._client.v1.payment_intents.list(period).auto_paging_iter()
            refunds = self._client.v1.refunds.list(period).auto_paging_iter()
            return [*map(_payment, intents), *map(_refund, refunds)]

    def find(self, records: list[Record]) -> Iterator[Record]:
        """Those of these records that Stripe has, whenever they were created there."""
        for record in records:
            if record.at_provider:
                try:
                    with stripe_errors():
                        yield self._find(record.kind, record.at_provider)
                except ProviderRefused:
                    continue  # Stripe does not have it

    def _find(self, kind: str, at_provider: str) -> Record:
        if kind == "payment":
            return _payment(self._client.v1.payment_intents.retrieve(at_provider))
        return _refund(self._client.v1.refunds.retrieve(at_provider))


def _payment(intent: stripe.PaymentIntent) -> Record:
    state = _PAYMENT_STATES.get(intent.status, "open")
    number = intent.get("amount_received", intent.amount) if state == "succeeded" else intent.amount
    return _record("payment", "payment_id", intent, number, state)


def _refund(refund: stripe.Refund) -> Record:
    return _record(
        "refund", "refund_id", refund, refund.amount, _REFUND_STATES.get(refund.status or "", "open")
    )


def _record(kind: Any, id_field: str, about: Any, number: int, state: State) -> Record:
    metadata, currency = about.get("metadata") or {}, str(about.currency).upper()
    named = metadata.get(id_field)
    return Record(
        kind=kind,
        id=named if is_uuid(named) else None,
        reference=metadata.get("reference"),
        at_provider=about.id,
        amount=Decimal(from_smallest_unit(number, currency)),
        currency=currency,
        state=state,
    )
