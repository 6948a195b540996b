"""What a provider of payments does: start, status, cancel and refund of a payment, and webhooks.

The server calls a provider outside of any transaction, and again after a failure. So each function of a
provider may be called twice with the same payment or refund, and does the work once. It returns a report,
which the server gives to the database. The database decides what follows (sql/25_settle_payment.sql).
"""

from typing import Literal, Protocol

from msgspec import Struct

from busware.server.protocol import HowToPay, Payment, Refusal


class PaymentReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of a payment at its provider.

    amount, currency: the money that arrived, if the payment succeeded. problem: why it failed. retried: a
    payment that failed may be paid again.
    """

    provider: str
    reference: str  # of the booking
    state: Literal["pending", "succeeded", "failed", "cancelled"]
    payment_id: str
    provider_reference: str | None = None
    amount: str | None = None
    currency: str | None = None
    problem: str | None = None
    retried: bool = False


class RefundOrder(Struct, frozen=True, kw_only=True):
    """A refund to carry out. payment_reference: of the payment at its provider."""

    bus_id: int
    refund_id: str
    reference: str
    payment_id: str
    provider: str
    payment_reference: str
    amount: str
    currency: str


class RefundReport(Struct, frozen=True, kw_only=True):
    """The state of a refund at its provider. sent: the provider has the refund, and has not completed it."""

    bus_id: int
    refund_id: str
    state: Literal["sent", "succeeded", "failed"]
    provider_reference: str | None = None
    problem: str | None = None


class FeeOrder(Struct, frozen=True, kw_only=True):
    """The payment or refund whose fees are asked for. provider_reference: its id at the provider."""

    bus_id: int
    payment_id: str
    refund_id: str | None
    provider: str
    provider_reference: str


class Fee(Struct, frozen=True, kw_only=True):
    """What a provider charged in a transaction. amount: below 0 if the provider gave the fee back.

    net: what the transaction added to the balance. currency: of the balance. at: RFC 3339.
    """

    transaction_id: str
    amount: str
    net: str
    currency: str
    at: str


class ProviderUnavailable(Exception):
    """A provider does not answer, or not now. The same call may succeed later."""


class ProviderRefused(Exception):
    """A provider refuses a call, and would refuse it again."""


class ForgedWebhook(Exception):
    """A webhook is not signed by the provider, or its signature is too old."""


class Provider(Protocol):
    """A provider of payments. Each function but `webhook` raises ProviderUnavailable or ProviderRefused."""

    name: str

    def start(self, payment: Payment) -> tuple[PaymentReport, HowToPay]:
        """Begin a payment, or find it if it was begun. Returns its state, and how the traveller pays it."""

    def status(self, payment: Payment) -> PaymentReport:
        """The state of a payment that was begun."""

    def cancel(self, payment: Payment) -> PaymentReport:
        """Cancel a payment, unless it has succeeded, and return its state."""

    def refund(self, order: RefundOrder) -> RefundReport:
        """Refund a part of a payment, or find that refund. One that failed is begun again."""

    def refund_status(self, order: RefundOrder) -> RefundReport:
        """The state of a refund that was begun."""

    def fees(self, order: FeeOrder) -> list[Fee]:
        """The fees of a payment or a refund that was carried out. Raises ProviderUnavailable while they are
        not known."""

    def webhook(self, body: bytes, signature: str) -> PaymentReport | RefundReport | None:
        """The report in a webhook; None: about another system's payment or refund. Raises ForgedWebhook."""


def unavailable(message: str) -> Refusal:
    """The refusal of a request that needs a provider."""
    return Refusal("provider_unavailable", message)
