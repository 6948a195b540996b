"""Payments of holds to a provider, and their refunds, in the database. No provider is asked."""

import psycopg
import pytest

from tests.conftest import Clock, Database
from tests.support.fleet import edit_service
from tests.support.payments import (
    FARE,
    accept,
    add_agent,
    booked_online,
    note_refund,
    open_refunds,
    outbox_refunds,
    pay,
    payments,
    result,
    sell_online,
    settle,
    settle_refund,
)
from tests.support.schema_api import DAY, OTHER_DAY, RAVI, Answer, SchemaApi


@pytest.fixture
def online(api: SchemaApi) -> SchemaApi:
    """Service 1 is paid by bank transfer, with two hours to pay."""
    sell_online(api, "manual", minutes=120)
    return api


# Until the payment -----------------------------------------------------------------------------


def test_booking_at_once_is_refused(online: SchemaApi) -> None:
    refused = online.book(1, 2)
    assert (refused["reason"], refused["amount"], refused["currency"]) == (
        "payment_required",
        "520.00",
        "INR",
    )
    assert online.free() == [*range(1, 9)]


def test_hold_shows_what_is_due(online: SchemaApi) -> None:
    held = online.hold(1, 2)
    assert held["payment"] == {"provider": "manual", "state": "due", "amount": "520.00", "currency": "INR"}
    refused = online.change("confirm", held)
    assert (refused["reason"], refused["amount"]) == ("payment_required", "520.00")
    assert online.show(held)["status"] == "held"


def test_payment_names_the_reference_of_the_transfer(online: SchemaApi) -> None:
    held = online.hold(1)
    payment = pay(online, held)
    assert payment["provider_reference"] == held["reference"]
    assert (payment["state"], payment["amount"], payment["currency"]) == ("created", "260.00", "INR")
    assert pay(online, held) == payment
    assert online.show(held)["payment"] == {
        "provider": "manual",
        "state": "created",
        "amount": "260.00",
        "currency": "INR",
    }


def test_seats_are_held_for_the_payment(online: SchemaApi, clock: Clock) -> None:
    """When its provider has accepted it."""
    held = online.hold(1, seconds=600)
    clock.advance(minutes=5)
    payment = pay(online, held)
    assert online.show(held)["expires_at"] == held["expires_at"]
    accept(online, payment)
    assert online.show(held)["expires_at"] == "2026-12-01T11:00:00+05:30"
    clock.advance(minutes=30)
    accept(online, pay(online, held))
    assert online.show(held)["expires_at"] == "2026-12-01T11:00:00+05:30"


def test_payment_does_not_shorten_a_hold(online: SchemaApi) -> None:
    edit_service(online, payment_minutes=10)
    held = online.hold(1, seconds=1800)
    accept(online, pay(online, held))
    assert online.show(held)["expires_at"] == held["expires_at"]


def test_payment_does_not_renew_a_hold_that_has_expired(online: SchemaApi, clock: Clock) -> None:
    """It expired while the provider was asked, and its trip is not settled yet."""
    held = online.hold(1, seconds=60)
    payment = pay(online, held)
    clock.advance(seconds=61)
    accept(online, payment)
    assert online.show(held)["status"] == "expired"
    assert online.free() == [*range(1, 9)]


def test_seats_are_held_no_longer_than_the_stop_is_on_sale(online: SchemaApi, clock: Clock) -> None:
    clock.set("2026-12-05 09:50+05:30")
    held = online.hold(1, seconds=60)
    accept(online, pay(online, held))
    assert online.show(held)["expires_at"] == "2026-12-05T10:00:00+05:30"


@pytest.mark.parametrize("ended", ["release", "expire"])
def test_ended_hold_cannot_be_paid(online: SchemaApi, clock: Clock, ended: str) -> None:
    held = online.hold(1, seconds=600)
    if ended == "release":
        online.change("release", held)
    else:
        clock.advance(minutes=11)
    assert pay(online, held)["reason"] == {"release": "already_cancelled", "expire": "hold_expired"}[ended]
    assert online.change("confirm", held)["reason"] in ("hold_expired", "already_cancelled")


@pytest.mark.parametrize(
    ("state", "said"),
    [("created", "Nothing was paid."), ("pending", "A payment that still arrives is given back, unless"),
     ("failed", "Nothing was paid."), ("succeeded", "Its payment is given back.")],
)  # fmt: skip
def test_refusal_says_what_becomes_of_the_money(api: SchemaApi, clock: Clock, state: str, said: str) -> None:
    sell_online(api, "stripe")
    held = api.hold(1, seconds=600)
    payment = pay(api, held)
    if state != "created":
        result(api, payment, state, **({"amount": "1.00"} if state == "succeeded" else {}))
    clock.advance(hours=2)
    for method in ("pay", "confirm", "cancel"):
        refused = api.change(method, held)
        assert (refused["reason"], said in refused["message"]) == ("hold_expired", True), refused
    shown = api.show(held).get("payment", {}).get("state")
    assert shown == {"pending": "pending", "succeeded": "returned"}.get(state)


def test_payment_is_shown_after_its_service_has_changed(online: SchemaApi) -> None:
    """The service is paid on board now."""
    booked, held = online.hold(1), online.hold(2)
    settle(online, pay(online, booked))
    payment = accept(online, pay(online, held))
    edit_service(online, payment="none")
    paid = {"provider": "manual", "state": "succeeded", "amount": FARE, "currency": "INR"}
    assert online.show(booked)["payment"] == paid
    assert "payment" not in online.show(held)  # nothing is to be paid before it is confirmed
    assert online.change("confirm", held)["payment"]["state"] == "pending"
    assert settle(online, payment)["outcome"] == "refunded"
    assert online.cancel(booked)["payment"] == paid
    assert sorted(refund["amount"] for refund in open_refunds(online)) == ["130.00", FARE]


def test_service_without_a_provider_has_no_payments(api: SchemaApi) -> None:
    held = api.hold(1)
    assert pay(api, held)["reason"] == "no_payment_due"
    assert "payment" not in api.change("confirm", held)


def test_free_ticket_is_booked_at_once(online: SchemaApi) -> None:
    edit_service(online, segment_fares=[{"from_stop": 1, "to_stop": 5, "fare": "0"}])
    assert online.book(1)["status"] == "booked"
    held = online.hold(2)
    assert "payment" not in held
    assert online.change("confirm", held)["status"] == "booked"


def test_counter_sale_is_paid_in_cash(online: SchemaApi) -> None:
    assert online.book(1, sold_by=add_agent(online))["status"] == "booked"
    held = online.hold(2, sold_by="kumar")
    assert online.change("confirm", held, account="kumar")["status"] == "booked"


# The payment arrives ---------------------------------------------------------------------------


def test_payment_confirms_the_hold(online: SchemaApi) -> None:
    held = online.hold(1)
    settled = settle(online, pay(online, held))
    assert (settled["outcome"], settled["payment"]["state"], settled["payment"]["booked"]) == (
        "booked", "succeeded", True,
    )  # fmt: skip
    booking = online.show(held)
    assert (booking["status"], booking["payment"]) == (
        "booked", {"provider": "manual", "state": "succeeded", "amount": FARE, "currency": "INR"},
    )  # fmt: skip
    assert online.change("confirm", held)["status"] == "booked"


def test_same_result_again_changes_nothing(online: SchemaApi) -> None:
    payment = pay(online, online.hold(1))
    settle(online, payment)
    before = online.everything()
    assert settle(online, payment)["outcome"] == "unchanged"
    assert online.everything() == before


@pytest.mark.parametrize(("amount", "currency"), [("259.99", "INR"), ("260.01", "INR"), ("260.00", "USD")])
def test_other_amount_or_currency_is_given_back(online: SchemaApi, amount: str, currency: str) -> None:
    held = online.hold(1)
    settled = settle(online, pay(online, held), amount=amount, currency=currency)
    assert settled["outcome"] == "refunded"
    assert settled["payment"]["problem"] == f"{amount} {currency} arrived, and 260.00 INR was asked for."
    (refund,) = payments(online, held)[0]["refunds"]
    assert (refund["state"], refund["amount"], refund["currency"]) == ("waiting", amount, currency)
    shown = online.show(held)
    assert (shown["status"], shown["payment"]["state"], shown["payment"]["amount"]) == ("held", "due", FARE)


def test_payment_of_an_unknown_reference_is_refused(online: SchemaApi) -> None:
    held = online.hold(1)
    refused = settle(online, {"reference": held["reference"], "provider_reference": held["reference"]})
    assert refused["reason"] == "unknown_payment"


def test_payment_after_the_hold_confirms_it_if_its_seats_are_free(online: SchemaApi, clock: Clock) -> None:
    held = online.hold(1)
    payment = pay(online, held)
    clock.advance(hours=3)
    assert online.show(held)["status"] == "expired"
    assert settle(online, payment)["outcome"] == "booked"
    assert online.show(held)["status"] == "booked"


def test_payment_after_the_hold_is_given_back_if_a_seat_is_taken(online: SchemaApi, clock: Clock) -> None:
    held = online.hold(1, 2)
    payment = pay(online, held)
    clock.advance(hours=3)
    other = online.hold(2, phone=RAVI)
    settled = settle(online, payment)
    assert settled["outcome"] == "refunded"
    assert [refund["amount"] for refund in settled["payment"]["refunds"]] == ["520.00"]
    assert (online.show(held)["status"], online.show(other, phone=RAVI)["status"]) == ("expired", "held")
    assert online.show(held)["payment"]["state"] == "returned"


def test_payment_after_the_hold_is_given_back_if_the_fare_has_changed(
    online: SchemaApi, clock: Clock
) -> None:
    held = online.hold(1)
    payment = pay(online, held)
    clock.advance(hours=3)
    edit_service(online, segment_fares=[{"from_stop": 1, "to_stop": 5, "fare": "250"}])
    assert settle(online, payment)["outcome"] == "refunded"
    assert online.show(held)["status"] == "expired"


@pytest.mark.parametrize("change", ["cancel", "release", "cancel_trip"])
def test_payment_of_an_ended_hold_is_given_back(online: SchemaApi, change: str) -> None:
    held = online.hold(1)
    payment = pay(online, held)
    if change == "cancel_trip":
        online.write("cancel_trip", bus_id=1, travel_date="2026-12-05", account="meera")
    else:
        online.change(change, held)
    settled = settle(online, payment)
    assert (settled["outcome"], online.show(held)["status"]) == ("refunded", "cancelled")
    assert [refund["amount"] for refund in settled["payment"]["refunds"]] == ["260.00"]


def test_payment_of_a_part_of_the_party_that_was_cancelled_is_given_back(online: SchemaApi) -> None:
    held = online.hold(1, 2)
    first = pay(online, held)
    online.cancel(held, 2)
    second = pay(online, held)
    assert (second["amount"], second["provider_reference"]) == ("260.00", f"{held['reference']}-2")
    assert settle(online, first)["outcome"] == "refunded"
    assert settle(online, second)["outcome"] == "booked"
    assert online.show(held)["status"] == "booked"


def test_second_receipt_is_given_back_once(online: SchemaApi) -> None:
    """The same line of a bank's file again changes nothing; another line is another payment."""
    held = online.hold(1)
    payment = pay(online, held)
    assert settle(online, payment, receipt="line 1")["outcome"] == "booked"
    assert settle(online, payment, receipt="line 1")["outcome"] == "unchanged"
    assert settle(online, payment, receipt="line 2")["outcome"] == "refunded"
    assert settle(online, payment, receipt="line 2")["outcome"] == "unchanged"
    first, second = sorted(payments(online, held), key=lambda shown: not shown["booked"])
    assert (first["booked"], first["refunds"]) == (True, [])
    assert (second["booked"], [r["amount"] for r in second["refunds"]]) == (False, ["260.00"])


def test_receipt_of_a_payment_that_was_settled_by_hand(online: SchemaApi) -> None:
    """The receipt of the file is that of the payment, and not a second payment."""
    payment = pay(online, online.hold(1))
    assert settle(online, payment)["outcome"] == "booked"
    assert settle(online, payment, receipt="line 1")["outcome"] == "unchanged"
    assert settle(online, payment, receipt="line 2")["outcome"] == "refunded"


def test_plan_of_a_settlement_changes_nothing(online: SchemaApi) -> None:
    held = online.hold(1)
    payment = pay(online, held)
    before = online.everything()
    assert settle(online, payment, plan=True)["outcome"] == "booked"
    assert online.everything() == before


def test_amount_with_more_decimals_than_its_currency_is_refused(online: SchemaApi) -> None:
    payment = pay(online, online.hold(1))
    refused = settle(online, payment, amount="260.005", receipt="line 1")
    assert (refused["reason"], refused["field"]) == ("bad_request", "amount")
    assert open_refunds(online) == []


def test_only_the_operator_settles_by_hand(online: SchemaApi) -> None:
    payment = pay(online, online.hold(1))
    assert settle(online, payment, account="other")["reason"] == "not_yours"


# What a provider says --------------------------------------------------------------------------


@pytest.fixture
def stripe(api: SchemaApi) -> SchemaApi:
    """Service 1 is paid to Stripe."""
    sell_online(api, "stripe")
    return api


def test_states_of_a_payment(stripe: SchemaApi) -> None:
    held = stripe.hold(1)
    payment = pay(stripe, held)
    assert result(stripe, payment, "pending", provider_reference="pi_1")["payment"]["state"] == "pending"
    failed = result(stripe, payment, "failed", problem="The card was declined.")["payment"]
    assert (failed["state"], failed["problem"]) == ("failed", "The card was declined.")
    assert result(stripe, payment, "pending")["outcome"] == "unchanged"
    assert result(stripe, payment, "pending", retried=True)["payment"]["state"] == "pending"
    assert result(stripe, payment, "succeeded", amount="260.00", currency="INR")["outcome"] == "booked"
    for state in ("pending", "failed", "cancelled", "succeeded"):
        said = result(stripe, payment, state, amount="260.00", currency="INR")
        assert (said["outcome"], said["payment"]["state"]) == ("unchanged", "succeeded")


def test_cancelled_payment_whose_money_arrives_is_given_back(stripe: SchemaApi) -> None:
    held = stripe.hold(1)
    payment = pay(stripe, held)
    result(stripe, payment, "cancelled")
    stripe.change("release", held)
    settled = result(stripe, payment, "succeeded", amount="260.00", currency="INR")
    assert (settled["outcome"], settled["payment"]["state"]) == ("refunded", "succeeded")


def test_two_payments_of_one_hold(stripe: SchemaApi) -> None:
    """The first to arrive books the seats; the second is given back."""
    held = stripe.hold(1)
    first = pay(stripe, held)
    result(stripe, first, "cancelled")
    second = pay(stripe, held)
    assert second["payment_id"] != first["payment_id"]
    assert result(stripe, first, "succeeded", amount="260.00", currency="INR")["outcome"] == "booked"
    assert result(stripe, second, "succeeded", amount="260.00", currency="INR")["outcome"] == "refunded"


def test_payment_of_another_provider_is_unknown(stripe: SchemaApi) -> None:
    payment = pay(stripe, stripe.hold(1))
    refused = result(stripe, payment, "succeeded", provider="manual", amount="260.00", currency="INR")
    assert refused["reason"] == "unknown_payment"


PAYMENTS = "payment_intents"
FORBIDDEN = [
    *((PAYMENTS, "succeeded", state) for state in ("created", "pending", "failed", "cancelled")),
    *((PAYMENTS, "cancelled", state) for state in ("created", "pending", "failed")),
    *((PAYMENTS, state, "created") for state in ("pending", "failed")),
    *(("refunds", "succeeded", state) for state in ("waiting", "sent")),
    *(("refunds", state, "waiting") for state in ("sent", "failed")),
]


@pytest.mark.parametrize(("table", "former", "state"), FORBIDDEN)
def test_database_refuses_other_transitions(
    stripe: SchemaApi, database: Database, table: str, former: str, state: str
) -> None:
    payment = booked_online(stripe, 1)["payment"]
    if table == PAYMENTS and former != "succeeded":
        payment = pay(stripe, stripe.hold(2))
        result(stripe, payment, former)
    elif table == "refunds":
        stripe.cancel({"reference": payment["reference"]})
        for said in ["sent"] if former == "sent" else ["sent", former]:
            note_refund(database, said)
    with pytest.raises(psycopg.errors.CheckViolation, match=f"{former}.* cannot change to .*{state}"):
        database.query(f"UPDATE {table} SET state = '{state}' WHERE state = '{former}'")


# Refunds ---------------------------------------------------------------------------------------


def test_cancellation_is_refunded_to_the_payment(stripe: SchemaApi, database: Database) -> None:
    payment = booked_online(stripe, 1, 2)["payment"]
    stripe.cancel(payment, 2)
    (shown,) = payments(stripe, payment)
    assert [(r["tickets"], r["amount"], r["state"]) for r in shown["refunds"]] == [([2], "130.00", "waiting")]
    assert outbox_refunds(database) == [(payment["reference"], "130.00")]
    stripe.cancel(payment)
    (shown,) = payments(stripe, payment)
    assert sorted(r["tickets"] for r in shown["refunds"]) == [[1], [2]]
    assert outbox_refunds(database) == [(payment["reference"], "130.00")] * 2


def test_refund_of_a_manual_payment_waits_for_the_operator(online: SchemaApi, database: Database) -> None:
    held = online.hold(1)
    settle(online, pay(online, held))
    online.cancel(held)
    assert outbox_refunds(database) == []
    (refund,) = open_refunds(online)
    assert (refund["reference"], refund["amount"], refund["state"]) == (
        held["reference"],
        "130.00",
        "waiting",
    )
    assert open_refunds(online, account="other") == []
    assert settle_refund(online, refund, account="other")["reason"] == "not_yours"
    (paid_back,) = settle_refund(online, refund)["refunds"]
    assert paid_back["state"] == "succeeded"
    assert settle_refund(online, refund)["refunds"] == [paid_back]
    assert open_refunds(online) == []


def test_operator_does_not_pay_back_what_stripe_carries_out(stripe: SchemaApi, database: Database) -> None:
    payment = booked_online(stripe, 1)["payment"]
    stripe.cancel(payment)
    (refund,) = payments(stripe, payment)[0]["refunds"]
    refund["reference"] = payment["reference"]
    assert open_refunds(stripe) == []
    assert settle_refund(stripe, refund)["reason"] == "refund_under_way"
    assert note_refund(database, "failed", "The account is closed.")
    assert [r["problem"] for r in open_refunds(stripe)] == ["The account is closed."]
    assert settle_refund(stripe, refund)["refunds"][0]["state"] == "succeeded"


def test_refund_is_reported_once(stripe: SchemaApi, database: Database) -> None:
    """After it failed, only another attempt is new; the bank may return what had succeeded."""
    stripe.cancel(booked_online(stripe, 1)["payment"])
    said = [
        ("sent", "re_1", True),
        ("sent", "re_1", False),
        ("failed", "re_1", True),
        ("failed", "re_1", False),
        ("succeeded", "re_1", False),
        ("sent", "re_2", True),
        ("succeeded", "re_2", True),
        ("succeeded", "re_2", False),
        ("failed", "re_1", False),
        ("failed", "re_2", True),
    ]
    reported = [note_refund(database, state, reference=reference) for state, reference, _ in said]
    assert reported == [is_new for _, _, is_new in said]


def test_refund_that_the_bank_returns_is_still_owed(stripe: SchemaApi, database: Database) -> None:
    stripe.cancel(booked_online(stripe, 1)["payment"])
    assert note_refund(database, "succeeded")
    assert open_refunds(stripe) == []
    assert note_refund(database, "failed", "expired_or_canceled_card")
    (refund,) = open_refunds(stripe)
    assert (refund["state"], refund["problem"]) == ("failed", "expired_or_canceled_card")
    assert "succeeded_at" not in refund
    assert settle_refund(stripe, refund)["refunds"][0]["state"] == "succeeded"
    assert not note_refund(database, "failed")


def test_cancelled_trip_refunds_everything(stripe: SchemaApi, database: Database) -> None:
    first, second = booked_online(stripe, 1, 2), booked_online(stripe, 3, phone=RAVI)
    stripe.book(1, travel_date=OTHER_DAY, sold_by=add_agent(stripe))
    for day in (DAY, OTHER_DAY):
        stripe.write("cancel_trip", bus_id=1, travel_date=day, account="meera")
    assert sorted(outbox_refunds(database)) == sorted(
        [(first["payment"]["reference"], "520.00"), (second["payment"]["reference"], "260.00")]
    )


def test_refund_by_hand_and_by_the_provider(stripe: SchemaApi, database: Database) -> None:
    """The order in the outbox was given up, but Stripe had carried it out."""
    payment = booked_online(stripe, 1)["payment"]
    stripe.cancel(payment)
    database.query("UPDATE outbox SET state = 'dead', attempts = 9, done_at = now(), error = 'no answer'")
    (refund,) = open_refunds(stripe)
    settle_refund(stripe, refund)
    assert [note_refund(database, "succeeded") for _ in range(2)] == [True, False]
    (shown,) = payments(stripe, payment)[0]["refunds"]
    assert shown["problem"] == "Paid back by hand by meera, and by the provider, too."


# What else can arrive under a reference ---------------------------------------------------------


def test_second_payment_at_stripe_is_given_back(stripe: SchemaApi, database: Database) -> None:
    """Two PaymentIntents of one payment, both paid."""
    payment = pay(stripe, stripe.hold(1))
    said = [result(stripe, payment, "succeeded", provider_reference=f"pi_{n}") for n in (1, 2, 2, 1)]
    assert [answer["outcome"] for answer in said] == ["booked", "refunded", "unchanged", "unchanged"]
    orders = database.query(
        "SELECT kind, coalesce(payload ->> 'payment_reference', payload ->> 'provider_reference'),"
        " payload ->> 'amount' FROM outbox ORDER BY outbox_no"
    )
    assert [tuple(order) for order in orders] == [
        ("fee", "pi_1", None), ("refund", "pi_2", FARE), ("fee", "pi_2", None)
    ]  # fmt: skip


def test_transfer_with_the_reference_of_an_earlier_payment(online: SchemaApi) -> None:
    """The payer writes the reference of the booking, and pays what the booking costs now."""
    held = online.hold(1, 2)
    first = pay(online, held)
    online.cancel(held, 2)
    second = pay(online, held)
    settled = settle(online, first, amount=second["amount"], receipt="line 1")
    assert (settled["outcome"], settled["payment"]["payment_id"]) == ("booked", second["payment_id"])
    assert settle(online, first, amount=second["amount"], receipt="line 1")["outcome"] == "unchanged"
    assert settle(online, first, receipt="line 2")["outcome"] == "refunded"


def test_right_amount_after_a_wrong_one_books(online: SchemaApi) -> None:
    held = online.hold(1)
    payment = pay(online, held)
    assert settle(online, payment, amount="200.00", receipt="line 1")["outcome"] == "refunded"
    assert settle(online, payment, amount="100.00", receipt="line 2")["outcome"] == "refunded"
    assert settle(online, payment, receipt="line 3")["outcome"] == "booked"
    assert settle(online, payment, receipt="line 3")["outcome"] == "unchanged"
    assert settle(online, payment, receipt="line 4")["outcome"] == "refunded"
    assert online.show(held)["payment"] == {
        "provider": "manual",
        "state": "succeeded",
        "amount": FARE,
        "currency": "INR",
    }
    assert sorted(refund["amount"] for refund in open_refunds(online)) == ["100.00", "200.00", FARE]


def test_other_amount_after_a_payment_was_settled_by_hand(online: SchemaApi) -> None:
    """It is not the receipt of the payment."""
    payment = pay(online, online.hold(1))
    assert settle(online, payment)["outcome"] == "booked"
    assert settle(online, payment, amount="100.00", receipt="line 1")["outcome"] == "refunded"
    assert settle(online, payment, receipt="line 2")["outcome"] == "unchanged"
    assert [refund["amount"] for refund in open_refunds(online)] == ["100.00"]


@pytest.mark.parametrize(("amount", "currency"), [("100.00", "INR"), (FARE, "USD")])
def test_other_money_by_hand_needs_a_receipt(online: SchemaApi, amount: str, currency: str) -> None:
    """The same command again is the same money. Other money without a receipt would not be the same again."""
    payment = pay(online, online.hold(1))
    assert settle(online, payment)["outcome"] == "booked"
    assert settle(online, payment)["outcome"] == "unchanged"
    refused = settle(online, payment, amount=amount, currency=currency)
    assert (refused["reason"], refused["field"]) == ("bad_request", "receipt")
    assert refused["message"] == (
        f"{FARE} INR has arrived for {payment['provider_reference']}. "
        f"If {amount} {currency} has arrived too, give its receipt."
    )
    other = settle(online, payment, amount=amount, currency=currency, receipt="T2")
    assert other["outcome"] == "refunded"


# The waitlist ----------------------------------------------------------------------------------


def fill(api: SchemaApi) -> tuple[Answer, Answer]:
    """Sell all seats of service 1 at a counter."""
    return api.book(count=6, sold_by=add_agent(api)), api.book(count=2, sold_by="kumar")


def test_promoted_party_gets_a_time_to_pay(online: SchemaApi, clock: Clock) -> None:
    _, last = fill(online)
    waiting = online.book(count=1, phone=RAVI, waitlist=True)
    next_one = online.hold(count=1, waitlist=True)
    assert (waiting["status"], next_one["status"]) == ("pending", "pending")
    online.cancel(last, 1)
    promoted = online.show(waiting, phone=RAVI)
    assert (promoted["status"], promoted["expires_at"]) == ("held", "2026-12-01T11:00:00+05:30")
    assert promoted["payment"] == {"provider": "manual", "state": "due", "amount": FARE, "currency": "INR"}
    assert online.show(next_one)["status"] == "pending"
    clock.advance(hours=2, seconds=1)
    online.write("settle", bus_id=1, travel_date=DAY)
    assert online.show(waiting, phone=RAVI)["status"] == "expired"
    assert online.show(next_one)["status"] == "held"
    assert settle(online, pay(online, next_one))["outcome"] == "booked"


def test_promoted_party_holds_no_longer_than_it_would_have_waited(online: SchemaApi, clock: Clock) -> None:
    _, last = fill(online)
    waiting = online.book(count=1, phone=RAVI, waitlist=True)
    clock.set("2026-12-05 09:30+05:30")
    online.cancel(last, 1)
    assert online.show(waiting, phone=RAVI)["expires_at"] == "2026-12-05T10:00:00+05:30"


def test_promoted_party_without_a_fare_is_booked(online: SchemaApi) -> None:
    edit_service(online, segment_fares=[{"from_stop": 1, "to_stop": 5, "fare": "0"}])
    _, last = fill(online)
    waiting = online.book(count=1, phone=RAVI, waitlist=True)
    online.cancel(last, 1)
    assert online.show(waiting, phone=RAVI)["status"] == "booked"
