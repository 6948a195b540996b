"""The payments and refunds of the database, as records to compare."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import psycopg

from busware.server.reconciliation.records import Record, State

_STATES: dict[str, State] = {
    "created": "open", "pending": "open", "waiting": "open", "sent": "open",
    "succeeded": "succeeded", "failed": "failed", "cancelled": "cancelled", "by hand": "paid back by hand",
}  # fmt: skip
# The columns are the fields of Record. The last one is `expected`: the provider has no record of a payment
# that was not begun, and none of a refund that an operator has paid back by hand.
_PAYMENTS = """
    SELECT 'payment', i.payment_id::text, i.reference, i.provider_reference, coalesce(i.received, i.amount),
           coalesce(i.received_currency, i.currency),
           CASE i.state WHEN 'failed' THEN 'pending' ELSE i.state END,  -- it can be paid again
           i.provider_reference IS NOT NULL
    FROM payment_intents i
    WHERE i.provider = %(provider)s
      AND (i.created_at >= %(since)s AND i.created_at < %(until)s OR i.payment_id = ANY (%(ids)s::uuid[]))
    ORDER BY i.created_at, i.payment_id
"""
_REFUNDS = """
    SELECT 'refund', r.refund_id::text, i.reference, r.provider_reference, r.amount, r.currency,
           CASE WHEN r.account IS NULL THEN r.state ELSE 'by hand' END,
           r.account IS NULL AND r.provider_reference IS NOT NULL
    FROM refunds r JOIN payment_intents i USING (bus_id, payment_id)
    WHERE i.provider = %(provider)s
      AND (r.created_at >= %(since)s AND r.created_at < %(until)s OR r.refund_id = ANY (%(ids)s::uuid[]))
    ORDER BY r.created_at, r.refund_id
"""
_RECEIPTS = """
    SELECT 'payment', i.receipt, i.reference, i.provider_reference, i.received,
           i.received_currency, i.state, true
    FROM payment_intents i
    WHERE i.provider = 'manual' AND i.state = 'succeeded'
      AND (i.succeeded_at >= %(since)s AND i.succeeded_at < %(until)s OR i.receipt = ANY (%(ids)s))
    ORDER BY i.succeeded_at, i.payment_id
"""

# A refund by hand is a transfer with the reference of the booking.
_PAID_BACK = """
    SELECT 'refund', NULL, i.reference, i.reference, r.amount, r.currency, r.state, true
    FROM refunds r JOIN payment_intents i USING (bus_id, payment_id)
    WHERE r.account IS NOT NULL AND r.state = 'succeeded'
      AND r.succeeded_at >= %(since)s AND r.succeeded_at < %(until)s
    ORDER BY r.succeeded_at, r.refund_id
"""


def payments_and_refunds(
    conn: psycopg.Connection[Any], provider: str, since: datetime, until: datetime, ids: Sequence[str]
) -> list[Record]:
    """The payments and refunds that were created in a period, and those with these ids."""
    terms = {"provider": provider, "since": since, "until": until, "ids": list(ids)}
    return [record for query in (_PAYMENTS, _REFUNDS) for record in _records(conn, query, terms)]


def receipts(
    conn: psycopg.Connection[Any], since: datetime, until: datetime, ids: Sequence[str]
) -> list[Record]:
    """The manual payments that were settled in a period, and those with these receipts.

    The receipt of a payment is the id of its record.
    """
    return list(_records(conn, _RECEIPTS, {"since": since, "until": until, "ids": list(ids)}))


def paid_back(conn: psycopg.Connection[Any], since: datetime, until: datetime) -> list[Record]:
    """The refunds that operators have paid back by hand in a period. They have no ids."""
    return list(_records(conn, _PAID_BACK, {"since": since, "until": until}))


def _records(conn: psycopg.Connection[Any], query: str, terms: dict[str, Any]) -> Iterator[Record]:
    for kind, id_, reference, at_provider, amount, currency, state, expected in conn.execute(query, terms):
        yield Record(
            kind=kind,
            id=id_,
            reference=reference,
            at_provider=at_provider,
            amount=amount,
            currency=currency,
            state=_STATES[state],
            expected=expected,
        )
