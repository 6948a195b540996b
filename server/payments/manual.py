"""Manual payments: a bank transfer or UPI by reference. The operator says when the money has arrived.

A payment needs BUSWARE_MANUAL_ACCOUNT, BUSWARE_MANUAL_UPI, or both. There are no webhooks, and the operator
pays refunds by hand.
"""

from urllib.parse import quote, urlencode

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

_UPI_CURRENCY = "INR"  # UPI carries no other currency


class ManualPayments:
    """The provider `manual`."""

    name = "manual"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def start(self, payment: Payment) -> tuple[PaymentReport, HowToPay]:
        """The payment is pending. Raises ProviderUnavailable if the settings name no account in its
        currency."""
        return self.status(payment), self._how_to_pay(payment)

    def status(self, payment: Payment) -> PaymentReport:
        """Pending, until the operator settles it."""
        return _report(payment, "pending")

    def cancel(self, payment: Payment) -> PaymentReport:
        """Stop waiting for the transfer. If it arrives later, it is settled all the same."""
        return _report(payment, "cancelled")

    def refund(self, order: RefundOrder) -> RefundReport:
        """Raises ProviderRefused: the operator pays the refund by hand."""
        raise ProviderRefused(f"Refund {order.refund_id} is paid back by hand.")

    def refund_status(self, order: RefundOrder) -> RefundReport:
        """Raises ProviderRefused."""
        return self.refund(order)

    def fees(self, order: FeeOrder) -> list[Fee]:
        """Raises ProviderRefused: the operator gives the fees when settling the payment."""
        raise ProviderRefused(f"The fees of payment {order.payment_id} are named by the operator.")

    def webhook(self, body: bytes, signature: str) -> PaymentReport | RefundReport | None:
        """Raises ForgedWebhook, because manual payments have no webhook."""
        raise ForgedWebhook("manual payments have no webhook")

    def _how_to_pay(self, payment: Payment) -> HowToPay:
        account, upi = self._settings.manual_account, None
        if self._settings.manual_upi and payment.currency == _UPI_CURRENCY:
            upi = upi_uri(payment, self._settings.manual_upi, self._settings.manual_payee)
        ways = [
            f"to {account}" if account else "",
            f"by UPI to {self._settings.manual_upi}" if upi else "",
        ]
        ways = [way for way in ways if way]
        if not ways:
            raise ProviderUnavailable(
                f"There is no account for payments in {payment.currency}: set BUSWARE_MANUAL_ACCOUNT."
            )
        done = "Your booking is exchanged" if payment.exchange else "Your seats are booked"
        text = (
            f"Pay {payment.amount} {payment.currency} {', or '.join(ways)}. "
            f"Write {payment.provider_reference} as the reference. {done} when it has arrived."
        )
        return HowToPay(text=text, upi=upi)


def upi_uri(payment: Payment, address: str, payee: str | None) -> str:
    """The URI of a payment for apps of UPI (NPCI, UPI Linking Specification).

    address: of the payee, such as busware@bank. payee: its name.
    """
    fields = {
        "pa": address,
        "pn": payee or address,
        "am": payment.amount,
        "cu": payment.currency,
        "tn": payment.provider_reference or payment.reference,
    }
    return f"upi://pay?{urlencode(fields, quote_via=quote, safe='@')}"


def _report(payment: Payment, state: str) -> PaymentReport:
    return PaymentReport(
        provider="manual",
        reference=payment.reference,
        state=state,  # type: ignore[arg-type]
        payment_id=payment.payment_id,
    )
