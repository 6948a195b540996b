"""Payments to a provider by state, the settlement of manual ones, and the refunds to pay back by hand."""

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages.kinds import N_
from busware.server.pages.operator import frame
from busware.server.pages.operator.sales import PATH as SALES
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import OpenRefund, OperatorPaymentList, PaymentOutcome, RefundList

PATH, REFUNDS = "/operator/payments", "/operator/refunds"
STATES = {
    "": N_("All"),
    "created": N_("Asked for"),
    "pending": N_("Pending"),
    "succeeded": N_("Arrived"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled"),
}
REFUND_STATES = {"waiting": N_("To be paid back"), "sent": N_("Sent"), "failed": N_("Failed")}
PROVIDERS = {"manual": N_("By transfer"), "stripe": "Stripe"}
OUTCOMES = {  # of a settlement: what it would do, and what it has done
    "booked": (N_("The booking is confirmed."), N_("The booking is confirmed now.")),
    "exchanged": (N_("The booking is exchanged."), N_("The booking is exchanged.")),
    "refunded": (
        N_("Nothing is booked, and the amount is to be paid back."),
        N_("Nothing was booked. The amount is one of the refunds."),
    ),
    "unchanged": (N_("This payment is known. Nothing changes."), N_("This payment was known.")),
    "recorded": (N_("The state of the payment is recorded."), N_("The state of the payment is recorded.")),
}
_FIELDS = ("payment", "amount", "currency", "receipt", "fee")


def show_payments(visit: Visit, plan: PaymentOutcome | None = None) -> Response:
    """The payments, the last ones first, and the form that settles a manual one. plan: what that would do."""
    state = visit.query.get("state", [""])[0]
    listed: OperatorPaymentList = visit.request(
        protocol.OperatorPayments,
        state=state if state in STATES else "",
        after=visit.query.get("after", [""])[0],
    )
    return frame.render(
        visit,
        "operator_payments.html",
        SALES,
        payments=listed.payments,
        next=listed.next,
        state=state,
        states=STATES,
        providers=PROVIDERS,
        plan=plan,
        outcomes=OUTCOMES,
        done=visit.query.get("done", [""])[0],
        fields=_FIELDS,
    )


def settle_payment(visit: Visit) -> Response:
    """Plan the settlement of a manual payment, or settle it."""
    values = {name: visit.value(name) for name in _FIELDS}
    if visit.value("do") != "apply":
        return show_payments(visit, visit.request(protocol.SettlePayment, **values, plan=True))
    settled: PaymentOutcome = visit.request(protocol.SettlePayment, **values, key=visit.key())
    return visit.see(PATH, {"done": settled.outcome})


def show_refunds(visit: Visit, asked: OpenRefund | None = None) -> Response:
    """The refunds that are to be paid back by hand. asked: the one of which the page asks whether it is."""
    listed: RefundList = visit.request(protocol.Refunds, after=visit.query.get("after", [""])[0])
    return frame.render(
        visit,
        "operator_refunds.html",
        SALES,
        refunds=listed.refunds,
        next=listed.next,
        states=REFUND_STATES,
        providers=PROVIDERS,
        asked=asked,
        done=visit.query.get("done", [""])[0],
    )


def settle_refund(visit: Visit) -> Response:
    """Ask whether a refund is paid back, or record it. One that is recorded already is not asked about."""
    reference, refund_id = visit.value("reference"), visit.value("refund_id")
    if visit.value("do") != "apply" and (asked := _open_refund(visit, reference, refund_id)):
        return show_refunds(visit, asked)
    visit.request(protocol.SettleRefund, reference=reference, refund_id=refund_id)
    return visit.see(REFUNDS, {"done": reference})


def _open_refund(visit: Visit, reference: str, refund_id: str) -> OpenRefund | None:
    pages = frame.pages_of(visit, protocol.Refunds)
    listed = (refund for page in pages for refund in page.refunds)
    wanted = (reference, refund_id)
    return next((one for one in listed if (one.reference, str(one.refund_id)) == wanted), None)


PAGES: Table = {
    PATH: frame.operator_page(show_payments, settle_payment),
    REFUNDS: frame.operator_page(show_refunds, settle_refund),
}
