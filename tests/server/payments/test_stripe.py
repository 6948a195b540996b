"""Payments with Stripe over real HTTP: a server in this process, localstripe in another one."""

import dataclasses
import json
import threading
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from busware.server.outbox.worker import Outbox
from busware.server.payments.providers import ProviderRefused, RefundOrder
from busware.server.payments.stripe_payments import (
    StripePayments,
    from_smallest_unit,
    in_smallest_unit,
)
from busware.server.settings import Settings
from tests.conftest import Clock, Database
from tests.support.http_client import HttpClient
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.payments import FARE, WEBHOOK_SECRET, sell_online, signature
from tests.support.schema_api import ASHA, OTHER_DAY, TRIP, SchemaApi, audit
from tests.support.stripe_server import StripeServer

WEBHOOK = "/providers/stripe/webhook"


@pytest.fixture
def settings(settings: Settings, stripe_server: StripeServer) -> Settings:
    return dataclasses.replace(settings, **stripe_server.settings, payment_page="https://example.org/pay")


@pytest.fixture
def buyer(http: HttpClient, api: SchemaApi, stripe_server: StripeServer) -> "Buyer":
    sell_online(api, "stripe")
    return Buyer(http, stripe_server)


class Buyer:
    """A traveller of service 1, over HTTP. stripe: the server to which the payments go."""

    def __init__(self, http: HttpClient, stripe: StripeServer) -> None:
        self.http, self.stripe = http, stripe
        self.payments = http.server.executor.operations.payments

    def hold(self, *seats: int) -> str:
        held = self.http.call("POST", "/v1/holds", json={**TRIP, "seats": list(seats), "phone": ASHA})
        assert held.status_code == 201, held.text
        return str(held.json()["reference"])

    def post(self, reference: str, action: str, **body: Any) -> Any:
        return self.http.call("POST", f"/v1/bookings/{reference}/{action}", json={"phone": ASHA, **body})

    def pay(self, reference: str) -> dict[str, Any]:
        answer = self.post(reference, "payments")
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def show(self, reference: str, what: str = "") -> dict[str, Any]:
        answer = self.http.call("GET", f"/v1/bookings/{reference}{what}", params={"phone": ASHA})
        return dict(answer.json())

    def wait_for(self, reference: str, status: str, payment_state: str = "succeeded") -> dict[str, Any]:
        """Read a booking until it and its payment have these states, because of a webhook."""
        wait_until(lambda: _states(self.show(reference)) == (status, payment_state))
        return self.show(reference)

    def webhook(self, event: dict[str, Any], *, secret: str = WEBHOOK_SECRET, age: float = 0) -> int:
        """Send a webhook, signed as Stripe signs it, `age` seconds ago. Returns the status."""
        body = json.dumps(event)
        headers = signature(body, secret=secret, age=age)
        return self.http.call("POST", WEBHOOK, data=body, headers=headers).status_code


def _states(booking: dict[str, Any]) -> tuple[str, str]:
    return booking["status"], booking["payment"]["state"]


def event(payment: dict[str, Any], kind: str = "payment_intent.succeeded", **fields: Any) -> dict[str, Any]:
    """An event about a payment. fields: replace those of the PaymentIntent, such as amount_received."""
    metadata = {"payment_id": payment["payment_id"], "reference": payment["reference"]}
    about = {
        "id": payment["provider_reference"],
        "amount_received": 26000,
        "currency": "inr",
        "metadata": metadata,
    }
    return {"type": kind, "data": {"object": about | fields}}


def test_payment_is_confirmed_by_webhook(buyer: Buyer) -> None:
    """hold → pay → the traveller pays → Stripe's signed event → booked."""
    buyer.stripe.send_webhooks_to(buyer.http.url + WEBHOOK)
    reference = buyer.hold(1)
    assert buyer.post(reference, "confirm").status_code == 402
    payment = buyer.pay(reference)
    assert (payment["state"], payment["amount"], payment["provider"]) == ("pending", FARE, "stripe")
    (intent,) = buyer.stripe.intents()
    secret = intent["client_secret"]
    assert (intent["id"], intent["amount"], intent["currency"]) == (
        payment["provider_reference"],
        26000,
        "inr",
    )
    assert payment["pay"] == {
        "text": f"Pay 260.00 INR at https://example.org/pay#{secret}",
        "url": f"https://example.org/pay#{secret}",
        "client_secret": secret,
        "publishable_key": "pk_test_busware",
    }
    buyer.stripe.pay(payment)
    assert buyer.wait_for(reference, "booked")["payment"]["state"] == "succeeded"
    assert buyer.post(reference, "confirm").json()["status"] == "booked"


def test_confirm_asks_stripe(buyer: Buyer) -> None:
    """Without a webhook, `confirm` finds out that the payment has succeeded."""
    reference = buyer.hold(1)
    payment = buyer.pay(reference)
    assert buyer.post(reference, "confirm").status_code == 402
    buyer.stripe.pay(payment)
    assert buyer.post(reference, "confirm").json()["status"] == "booked"


def test_declined_card_can_be_tried_again(buyer: Buyer) -> None:
    buyer.stripe.send_webhooks_to(buyer.http.url + WEBHOOK)
    reference = buyer.hold(1)
    payment = buyer.pay(reference)
    buyer.stripe.pay(payment, "pm_card_chargeCustomerFail")
    buyer.wait_for(reference, "held", payment_state="failed")
    (failed,) = buyer.show(reference, "/payments")["payments"]
    assert (failed["state"], failed["problem"]) == ("failed", "Your card was declined.")
    again = buyer.pay(reference)
    assert (again["payment_id"], again["state"]) == (payment["payment_id"], "pending")
    assert again["pay"]["client_secret"] == payment["pay"]["client_secret"]
    assert len(buyer.stripe.intents()) == 1
    assert buyer.webhook(event(again)) == 200  # localstripe takes no second card
    assert buyer.show(reference)["status"] == "booked"


def test_refunds_reach_stripe_once(buyer: Buyer, server: SimpleNamespace, database: Database) -> None:
    """The same order twice, as after a server died, is one refund."""
    payment = booked(buyer, 1, 2)
    buyer.post(payment["reference"], "cancel", tickets=[2])
    (order,) = database.query("SELECT payload FROM outbox WHERE kind = 'refund'")
    for _ in range(2):
        assert server.operations.payments.refund(msgspec.convert(order, RefundOrder)).state == "succeeded"
    (refund,) = buyer.stripe.refunds()
    assert (refund["amount"], refund["metadata"]["refund_id"]) == (13000, order["refund_id"])
    (shown,) = buyer.show(payment["reference"], "/payments")["payments"]
    assert [(r["state"], r["provider_reference"]) for r in shown["refunds"]] == [("succeeded", refund["id"])]


def test_fees_are_in_the_accounts(
    buyer: Buyer, server: SimpleNamespace, api: SchemaApi, database: Database, clock: Clock
) -> None:
    """Stripe charges 2 % of a payment, and nothing for a refund. A repeated order adds no fee."""
    payment = booked(buyer, 1, 2)
    buyer.post(payment["reference"], "cancel", tickets=[2])
    outbox = Outbox(server.pool, server.settings)
    outbox.register("refund", server.operations.payments.carry_refund)
    outbox.register("fee", server.operations.payments.carry_fee)
    buyer.stripe.order_fault("refuse", "GET", "/v1/payment_intents")
    outbox.start()
    try:
        failed = "SELECT count(*) FROM outbox WHERE kind = 'fee' AND error LIKE 'Stripe does not answer%'"
        wait_until(lambda: database.value(failed) == 1)
        buyer.stripe.order_fault(None)
        database.query(
            "INSERT INTO outbox (key, kind, payload, created_at, due_at) SELECT gen_random_uuid(), kind,"
            " payload, created_at, due_at FROM outbox WHERE kind = 'fee' RETURNING 1"
        )
        clock.advance(hours=1)
        outbox.schedule()
        wait_until(lambda: database.value("SELECT bool_and(state = 'done') FROM outbox WHERE kind <> 'mail'"))
    finally:
        outbox.stop()
    charged = "SELECT amount, net, currency, refund_id IS NULL FROM provider_fees ORDER BY amount DESC"
    fee, net = Decimal("10.40"), Decimal("509.60")
    refunded = Decimal("-130.00")
    assert database.query(charged) == [(fee, net, "INR", True), (Decimal("0.00"), refunded, "INR", False)]
    ((day, shown),) = database.query("SELECT date, fees FROM busware_reports.accounts WHERE fees <> 0")
    assert shown == fee
    report = api.read("accounts", account="meera", **{"from": str(day), "to": str(day)})
    assert [row["fees"] for row in report["rows"]] == ["10.40"]
    assert audit(api.conn) == []


def test_exchange_is_paid_at_stripe(buyer: Buyer, database: Database) -> None:
    """Without a webhook, the next `pay` for the exchange finds out that the payment has succeeded."""
    database.query("UPDATE bus_info SET exchange_fee = 10 WHERE bus_id = 1")
    reference = booked(buyer, 1)["reference"]
    wanted = {"travel_date": OTHER_DAY}
    assert buyer.post(reference, "exchange", **wanted, due="10").status_code == 402
    payment = buyer.post(reference, "payments", **wanted).json()
    assert (payment["amount"], payment["exchange"]["travel_date"]) == ("10.00", OTHER_DAY)
    buyer.stripe.pay(payment)
    done = buyer.post(reference, "payments", **wanted).json()
    assert (done["payment_id"], done["state"], done["booked"]) == (payment["payment_id"], "succeeded", True)
    assert buyer.show(reference)["travel_date"] == OTHER_DAY


def booked(buyer: Buyer, *seats: int) -> dict[str, Any]:
    """Seats that are held, paid and booked: the payment."""
    payment = buyer.pay(buyer.hold(*seats))
    buyer.stripe.pay(payment)
    assert buyer.post(payment["reference"], "confirm").json()["status"] == "booked"
    return payment


# Bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "age", "status"),
    [("whsec_other", 0, 400), (WEBHOOK_SECRET, 600, 400), (WEBHOOK_SECRET, 0, 200)],
)
def test_webhook_is_signed_and_recent(buyer: Buyer, secret: str, age: float, status: int) -> None:
    reference = buyer.hold(1)
    succeeded = event(buyer.pay(reference))
    assert buyer.webhook(succeeded, secret=secret, age=age) == status
    assert buyer.show(reference)["status"] == ("booked" if status == 200 else "held")


@pytest.mark.parametrize(
    "signature", ["", "t=1", "v1=abc", "t=x,v1=y", "t=1,v1=\u00e9".encode().decode("latin-1")]
)
@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b"[1]", b'{"type": 1}'])
def test_malformed_webhook_is_refused(buyer: Buyer, signature: str, body: bytes) -> None:
    headers = {"Stripe-Signature": signature.encode("latin-1")} if signature else {}
    assert buyer.http.call("POST", WEBHOOK, data=body, headers=headers).status_code == 400


def test_webhook_without_a_secret_in_the_settings(buyer: Buyer, settings: Settings) -> None:
    """An empty secret would be one that everybody knows."""
    payment = buyer.pay(buyer.hold(1))
    without = dataclasses.replace(settings, stripe_webhook_secret=None)
    buyer.payments.providers["stripe"] = StripePayments(without)
    assert buyer.webhook(event(payment), secret="") == 400
    assert buyer.show(payment["reference"])["status"] == "held"


def test_webhook_of_an_unknown_provider(buyer: Buyer) -> None:
    assert buyer.http.call("POST", "/providers/paypal/webhook", data=b"{}").status_code == 404
    assert buyer.http.call("POST", "/providers/manual/webhook", data=b"{}").status_code == 400


def test_replayed_webhook_changes_nothing(buyer: Buyer, database: Database) -> None:
    payment = buyer.pay(buyer.hold(1))
    assert [buyer.webhook(event(payment)) for _ in range(3)] == [200] * 3
    assert database.value("SELECT count(*) FROM payments") == 1
    assert database.value("SELECT count(*) FROM refunds") == 0


def test_late_failure_does_not_undo_a_success(buyer: Buyer) -> None:
    payment = buyer.pay(buyer.hold(1))
    for kind in ("payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled"):
        assert buyer.webhook(event(payment, kind)) == 200
    assert buyer.show(payment["reference"])["payment"]["state"] == "succeeded"


def test_repeated_key_begins_no_second_payment(buyer: Buyer) -> None:
    """A repeated key gets the answer to the first request, also after Stripe has lost the payment."""
    path, body = f"/v1/bookings/{buyer.hold(1)}/payments", {"phone": ASHA}
    first, again = (buyer.http.call("POST", path, json=body, key="pay-1").json() for _ in range(2))
    assert again == first
    assert first["provider_reference"]
    buyer.stripe.clear()
    assert buyer.http.call("POST", path, json=body, key="pay-1").status_code == 503
    assert buyer.webhook(event(first)) == 200
    paid = buyer.http.call("POST", path, json=body, key="pay-1").json()
    assert (paid["state"], paid["booked"], "pay" in paid) == ("succeeded", True, False)
    assert buyer.stripe.intents() == []


@pytest.mark.parametrize(
    "fields", [{"amount_received": 25999}, {"amount_received": 26001}, {"currency": "usd"}]
)
def test_payment_of_another_amount_or_currency_is_refunded(
    buyer: Buyer, database: Database, fields: dict[str, Any]
) -> None:
    payment = buyer.pay(buyer.hold(1))
    assert buyer.webhook(event(payment, **fields)) == 200
    assert buyer.show(payment["reference"])["status"] == "held"
    arrived = (fields.get("amount_received", 26000), fields.get("currency", "inr").upper())
    (refund,) = database.query("SELECT payload FROM outbox WHERE kind = 'refund'")
    assert (in_smallest_unit(refund["amount"], refund["currency"]), refund["currency"]) == arrived


@pytest.mark.parametrize(
    "fields",
    [
        *({"amount_received": number} for number in (-1, 0, 2**63, 1.5, "abc", True, None)),
        *({"currency": code} for code in ("rupees", "", None)),
    ],
)
def test_invalid_amount_or_currency_is_refused(buyer: Buyer, fields: dict[str, Any]) -> None:
    payment = buyer.pay(buyer.hold(1))
    assert buyer.webhook(event(payment, **fields)) == 400
    assert buyer.show(payment["reference"])["payment"]["state"] == "pending"


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        None,
        {"payment_id": "1"},
        {"payment_id": "00000000-0000-4000-8000-000000000000", "reference": "D2222222"},
        {"payment_id": "00000000-0000-4000-8000-000000000000"},
        {"payment_id": ["x"], "reference": {"a": 1}},
        {"refund_id": "00000000-0000-4000-8000-000000000000", "bus_id": "9" * 30},
    ],
)
def test_event_of_another_system_is_accepted(buyer: Buyer, metadata: Any) -> None:
    """Another system may use the same account. Without status 200, Stripe would send the event for days."""
    payment = buyer.pay(buyer.hold(1))
    for kind in ("payment_intent.succeeded", "refund.updated"):
        assert buyer.webhook(event(payment, kind, metadata=metadata)) == 200
    assert buyer.show(payment["reference"])["status"] == "held"


def test_provider_that_is_down(buyer: Buyer) -> None:
    reference = buyer.hold(1)
    buyer.stripe.order_fault("refuse")
    refused = buyer.post(reference, "payments")
    assert (refused.status_code, refused.json()["reason"]) == (503, "provider_unavailable")
    assert buyer.show(reference)["payment"]["state"] == "created"
    buyer.stripe.order_fault(None)
    assert buyer.pay(reference)["state"] == "pending"


def test_hold_is_not_extended_before_stripe_has_accepted(buyer: Buyer) -> None:
    reference = buyer.hold(1)
    before = buyer.show(reference)["expires_at"]
    buyer.stripe.order_fault("refuse")
    assert buyer.post(reference, "payments").status_code == 503
    assert buyer.show(reference)["expires_at"] == before
    buyer.stripe.order_fault(None)
    buyer.pay(reference)
    assert buyer.show(reference)["expires_at"] > before


@pytest.mark.settings(provider_requests=1)
def test_requests_that_wait_for_stripe_are_limited(buyer: Buyer) -> None:
    """A request above the limit is refused at once. The same request succeeds later."""
    first, second = buyer.hold(1), buyer.hold(2)
    buyer.stripe.order_fault("before", path="/v1/payment_intents")
    waiting = threading.Thread(target=buyer.post, args=(first, "payments"))
    waiting.start()
    buyer.stripe.wait_for_request()
    refused = buyer.post(second, "payments")
    assert (refused.status_code, refused.json()["reason"]) == (503, "busy")
    buyer.stripe.release()
    waiting.join(WAIT_SECONDS)
    assert [buyer.pay(reference)["state"] for reference in (first, second)] == ["pending"] * 2


# Checks of open payments -----------------------------------------------------------------------


def test_lost_webhook(buyer: Buyer, clock: Clock) -> None:
    payment = buyer.pay(buyer.hold(1))
    buyer.stripe.pay(payment)
    clock.advance(seconds=61)
    buyer.payments.check_due()
    assert buyer.show(payment["reference"])["status"] == "booked"


def test_payment_of_an_ended_hold_is_cancelled_at_stripe(buyer: Buyer, clock: Clock) -> None:
    payment = buyer.pay(buyer.hold(1))
    buyer.post(payment["reference"], "release")
    clock.advance(seconds=61)
    buyer.payments.check_due()
    assert [intent["status"] for intent in buyer.stripe.intents()] == ["canceled"]
    assert buyer.show(payment["reference"], "/payments")["payments"][0]["state"] == "cancelled"


def test_payment_that_succeeded_after_the_hold_is_refunded(
    buyer: Buyer, clock: Clock, database: Database
) -> None:
    """The payment cannot be cancelled at Stripe any more, so it is settled."""
    payment = buyer.pay(buyer.hold(1))
    buyer.post(payment["reference"], "release")
    buyer.stripe.pay(payment)
    clock.advance(seconds=61)
    buyer.payments.check_due()
    (shown,) = buyer.show(payment["reference"], "/payments")["payments"]
    assert (shown["state"], shown["booked"], shown["refunds"][0]["amount"]) == ("succeeded", False, FARE)


def test_stop_waits_only_for_the_call_under_way(buyer: Buyer, settings: Settings, clock: Clock) -> None:
    """The other payments are not checked."""
    payments = [buyer.pay(buyer.hold(seat)) for seat in (1, 2, 3)]
    for payment in payments:
        buyer.stripe.pay(payment)
    patient = dataclasses.replace(settings, provider_seconds=2 * WAIT_SECONDS)
    buyer.payments.providers["stripe"] = StripePayments(patient)
    clock.advance(seconds=61)
    buyer.stripe.order_fault("before", method="GET", path="/v1/payment_intents")
    buyer.payments.start()
    buyer.stripe.wait_for_request()
    stopping = threading.Thread(target=buyer.payments.stop)
    stopping.start()
    wait_until(lambda: buyer.payments.is_stopping)
    buyer.stripe.release()
    stopping.join(WAIT_SECONDS)
    assert not stopping.is_alive()
    assert [buyer.show(payment["reference"])["status"] for payment in payments] == ["held"] * 3


# Amounts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "currency", "number"),
    [
        ("260.00", "INR", 26000),
        ("0.01", "USD", 1),
        ("500", "JPY", 500),
        ("1.250", "KWD", 1250),
        ("500", "UGX", 50000),
    ],
)
def test_amounts_of_stripe(amount: str, currency: str, number: int) -> None:
    assert in_smallest_unit(amount, currency) == number
    assert float(from_smallest_unit(number, currency)) == float(amount)


@pytest.mark.parametrize(("amount", "currency"), [("0.413", "KWD"), ("0.001", "INR"), ("0.5", "JPY")])
def test_amount_that_stripe_does_not_take(amount: str, currency: str) -> None:
    with pytest.raises(ProviderRefused, match="does not take"):
        in_smallest_unit(amount, currency)
