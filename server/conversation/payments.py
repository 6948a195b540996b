"""Payments to a provider: how a hold is paid, and whether it is paid by now."""

from busware.server.conversation.dialogue import Call, Show, Steps, Tell
from busware.server.conversation.words import hold_end, money
from busware.server.protocol import Booking, Confirm, GetBooking, Pay, Payment, PaymentOutcome, Refusal

_IF_IT_ARRIVES = "If it arrives now, it is given back, unless it can book the same seats at the same fare."


def amount_of(payment: Payment) -> str:
    """The amount of a payment with its currency: 1,260.00 INR."""
    return f"{money(payment.amount)} {payment.currency}"


def payment_lines(payment: Payment) -> list[str]:
    """How to pay a payment, or its state."""
    if payment.pay is not None:
        return [payment.pay.text, *([payment.pay.upi] if payment.pay.upi else [])]
    lines = [f"Payment of {amount_of(payment)} for booking {payment.reference}: {payment.state}."]
    lines += [payment.problem] if payment.problem else []
    for refund in payment.refunds:
        lines.append(f"Refund of {money(refund.amount)} {refund.currency}: {refund.state}.")
    return lines


def outcome_line(outcome: PaymentOutcome, *, plan: bool = False) -> str:
    """What the settlement of a payment did, or would do."""
    payment = outcome.payment
    wanted = "exchanged" if payment.exchange else "booked"
    received = f"{payment.received} {payment.received_currency}"
    done = {
        "booked": f"{'would be' if plan else 'is'} booked",
        "exchanged": f"{'would be' if plan else 'is'} exchanged",
        "refunded": f"{'would not be' if plan else 'is not'} {wanted}: {received} is to be paid back",
        "unchanged": "does not change: this receipt is known",
        "recorded": "does not change",
    }[outcome.outcome]
    problem = f". {payment.problem}" if outcome.outcome == "refunded" and payment.problem else "."
    return f"Booking {payment.reference} {done}{problem}"


def due_line(booking: Booking) -> str:
    """What is to be paid for a hold to a provider, or that it is paid; or that it was never booked."""
    never_booked = "It was not booked, and nothing is to be paid." if booking.never_booked else ""
    if booking.payment is None:
        return never_booked
    amount = money(booking.payment.amount, booking.payment.currency)
    if booking.status != "held":
        return {
            "succeeded": f"Paid: {amount}.",
            "returned": f"The payment of {amount} came too late, or was another amount. It is given back.",
            "pending": f"The payment of {amount} has not arrived. {_IF_IT_ARRIVES}",
        }.get(booking.payment.state, never_booked)
    if booking.payment.state == "failed":
        return f"The payment of {amount} has failed. To pay again: pay {booking.reference}"
    return f"To be paid before it is booked: {amount}. How to pay: pay {booking.reference}"


def begin(held: Booking, phone: str | None) -> Steps[Booking | Refusal]:
    """Ask for the payment of a hold, and show how to pay it. Returns the booking as it is then."""
    payment: Payment | Refusal = yield Call(Pay(reference=held.reference, phone=phone))
    if isinstance(payment, Refusal):
        return payment
    yield Show(payment)
    booking: Booking | Refusal = yield Call(GetBooking(reference=held.reference, phone=phone))
    if isinstance(booking, Booking) and booking.status == "held" and booking.expires_at is not None:
        until = hold_end(booking, booking.expires_at, None)
        yield Tell(f"Your seats are held until {until}. When you have paid, type: pay {held.reference}")
    return booking


def pay_opened(booking: Booking, phone: str | None) -> Steps[None]:
    """Confirm a booking that is paid by now; or show how to pay it."""
    if booking.payment is None or booking.status != "held":
        yield Show(booking)
        yield Tell(f"There is nothing to pay for booking {booking.reference} now.")
        return
    if booking.payment.state != "due":
        confirmed: Booking | Refusal = yield Call(Confirm(reference=booking.reference, phone=phone))
        if isinstance(confirmed, Booking):
            yield Show(confirmed)
            return
        yield Tell(
            "The payment has not arrived yet."
            if confirmed.reason == "payment_required"
            else confirmed.message,
            problem=True,
        )
        if confirmed.reason not in ("payment_required", "provider_unavailable"):
            return
    refused = yield from begin(booking, phone)
    if isinstance(refused, Refusal):
        yield Tell(refused.message, problem=True)
