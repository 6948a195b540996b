"""Payments to a provider, for tests: services that are paid online, and what a provider says of a payment."""

import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from tests.support.fleet import edit_service
from tests.support.schema_api import ASHA, Answer, SchemaApi, call, check

if TYPE_CHECKING:
    from tests.conftest import Database

WEBHOOK_SECRET = "whsec_busware"
FARE = "260.00"  # of the whole route of service 1


def sell_online(api: SchemaApi, provider: str, minutes: int = 60) -> None:
    """Have service 1 paid to a provider before it is booked. Adds its operator `meera`, and another one."""
    api.conn.execute(
        "SELECT api.add_operator('meera', '', 'KSRTC'), api.add_operator('other', '', 'SRS Travels')"
    )
    edit_service(api, payment=provider, payment_minutes=minutes)


def pay(api: SchemaApi, held: Answer, **args: Any) -> Answer:
    """Ask for the payment of a hold, with ASHA's phone number unless args say otherwise."""
    return api.change("pay", held, **args)


def accept(api: SchemaApi, payment: Answer) -> Answer:
    """Report that its provider has accepted a payment, as the server does after `pay`. The payment."""
    accepted: Answer = result(api, payment, "pending", provider=payment["provider"], retried=True)["payment"]
    return accepted


def payments(api: SchemaApi, booking: Answer) -> list[Answer]:
    """The payments of a booking."""
    shown: list[Answer] = api.read("payments", reference=booking["reference"], phone=ASHA)["payments"]
    return shown


def settle(
    api: SchemaApi, payment: Answer, account: str = "meera", *, plan: bool = False, **said: Any
) -> Answer:
    """Settle a manual payment as an operator, with its amount unless `said` has another."""
    report = {"provider": "manual", "provider_reference": payment["provider_reference"]}
    report |= {"amount": payment.get("amount"), "currency": payment.get("currency")} | said
    return api.write(
        "settle_payment", reference=payment["reference"], account=account, plan=plan, payment=report
    )


def result_call(payment: Answer, state: str, **said: Any) -> Answer:
    """What Stripe says of a payment, as a call of a batch. Its money, if it succeeded, is its amount."""
    report = {"provider": "stripe", "payment_id": payment["payment_id"], "state": state}
    if state == "succeeded":
        report |= {"amount": payment["amount"], "currency": payment["currency"]}
    return call("payment_result", reference=payment["reference"], payment=report | said)


def result(api: SchemaApi, payment: Answer, state: str, **said: Any) -> Answer:
    """Report what Stripe says of a payment, as the server does."""
    args = result_call(payment, state, **said)["args"]
    return api.write("payment_result", **args)


def booked_online(api: SchemaApi, *seats: int, **args: Any) -> Answer:
    """Hold seats, and settle their payment with Stripe: the settled payment."""
    return result(api, pay(api, api.hold(*seats, **args), **args), "succeeded")


def note_refund(
    database: "Database", state: str, problem: str | None = None, reference: str = "re_1"
) -> bool:
    """Report what Stripe says of the only refund of the database. reference: at Stripe."""
    statement = "SELECT api.note_refund(bus_id, refund_id, %s, %s, %s) FROM refunds"
    return bool(database.value(statement, state, reference, problem))


def outbox_refunds(database: "Database") -> list[tuple[str, str]]:
    """The refunds that wait in the outbox: reference and amount."""
    rows = database.query(
        "SELECT reference, payload ->> 'amount' FROM outbox WHERE kind = 'refund' ORDER BY outbox_no"
    )
    return [tuple(row) for row in rows]


def open_refunds(api: SchemaApi, account: str = "meera") -> list[Answer]:
    """The refunds that an operator has to pay back."""
    shown: list[Answer] = api.read("refunds", account=account)["refunds"]
    return shown


def settle_refund(api: SchemaApi, refund: Answer, account: str = "meera", **said: str) -> Answer:
    """Say as an operator that a refund is paid back."""
    named = {"reference": refund["reference"], "refund_id": refund["refund_id"]}
    fields = Jsonb({"account": account, **named, **said})
    rows = api.conn.execute("SELECT refused, answer FROM api.settle_refund(%s)", (fields,)).fetchall()
    ((refused, answer),) = rows
    assert refused is ("reason" in answer)
    check("settle_refund", answer)
    return dict(answer)


def add_agent(api: SchemaApi) -> str:
    """Add the agent kumar of KSRTC, who sells at a counter. Returns its name."""
    api.conn.execute("SELECT api.add_agent('kumar', '', 'KSRTC')")
    return "kumar"


def signature(body: str, *, secret: str = WEBHOOK_SECRET, age: float = 0) -> dict[str, str]:
    """The header of a webhook that Stripe has signed `age` seconds ago."""
    at = int(time.time() - age)
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={digest}"}
