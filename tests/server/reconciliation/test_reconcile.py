"""The command `reconcile`: it finds what one side has and the other lacks, and changes nothing.

The other side is localstripe over real HTTP, or a bank's file.
"""

import csv
import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from busware.server.payments.stripe_payments import StripePayments
from busware.server.protocol import Payment
from busware.server.reconciliation import command
from busware.server.settings import Settings
from tests.conftest import Database
from tests.support.payments import (
    FARE,
    note_refund,
    open_refunds,
    pay,
    payments,
    result,
    sell_online,
    settle,
    settle_refund,
)
from tests.support.schema_api import Answer, SchemaApi
from tests.support.stripe_server import KEY, StripeServer

Run = Callable[..., tuple[int, list[str]]]
OURS = ("--from", "2026-12-01", "--to", "2026-12-01")  # the day of the clock of the database
RENAMED = {"metadata[payment_id]": "00000000-0000-4000-8000-000000000001"}


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs the command; returns its exit status and the lines that it prints."""
    monkeypatch.setenv("DATABASE_URL", database.server)
    monkeypatch.setenv("BUSWARE_OWNER_URL", database.owner)

    def run(*arguments: object) -> tuple[int, list[str]]:
        with pytest.raises(SystemExit) as left:
            command.main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return int(left.value.code or 0), (shown.out + shown.err).splitlines()

    return run


class Shop:
    """Sells seats of service 1, which are paid to Stripe."""

    def __init__(self, api: SchemaApi, stripe: StripeServer) -> None:
        self.api, self.stripe = api, stripe
        settings: dict[str, Any] = stripe.settings
        self.provider = StripePayments(dataclasses.replace(Settings(), **settings))

    def begin(self, seat: int) -> Answer:
        """Hold a seat, and begin its payment on both sides."""
        asked = pay(self.api, self.api.hold(seat))
        reported, _ = self.provider.start(msgspec.convert(asked, Payment, strict=False))
        report = {"provider_reference": reported.provider_reference}
        return result(self.api, asked, "pending", **report)["payment"] | report

    def sell(self, seat: int) -> Answer:
        """Sell a seat that is paid on both sides."""
        payment = self.begin(seat)
        self.stripe.pay(payment)
        result(self.api, payment, "succeeded", provider_reference=payment["provider_reference"])
        return payment


@pytest.fixture
def shop(api: SchemaApi, stripe_server: StripeServer, monkeypatch: pytest.MonkeyPatch) -> Shop:
    sell_online(api, "stripe")
    monkeypatch.setenv("BUSWARE_STRIPE_URL", stripe_server.url)
    monkeypatch.setenv("BUSWARE_STRIPE_KEY", KEY)
    return Shop(api, stripe_server)


def test_nothing_on_both_sides(shop: Shop, run: Run) -> None:
    assert run() == (0, ["0 here, 0 there: equal."])


def test_equal_sides(shop: Shop, run: Run, database: Database) -> None:
    """One payment has succeeded, one waits, one is given back."""
    shop.sell(1)
    shop.begin(2)
    payment = shop.sell(3)
    shop.api.cancel(payment)
    ((refund_id, amount),) = database.query("SELECT refund_id, amount FROM refunds")
    begun = shop.stripe.call("POST", "/v1/refunds", json={
        "payment_intent": payment["provider_reference"], "amount": int(amount * 100),
        "metadata": {"refund_id": str(refund_id), "bus_id": "1", "reference": payment["reference"]},
    })  # fmt: skip
    assert run()[0] == 1, "the refund is here still open"
    assert note_refund(database, "succeeded", reference=begun["id"])
    before = database.query("SELECT payment_intents::text FROM payment_intents ORDER BY 1")
    for period in ((), OURS):
        assert run(*period) == (0, ["4 here, 4 there: equal."])
    assert database.query("SELECT payment_intents::text FROM payment_intents ORDER BY 1") == before


def test_payment_that_only_stripe_has(shop: Shop, run: Run) -> None:
    """A payment of another database on the same account, or one that was lost in a recovery."""
    payment = shop.sell(1)
    intent = f"/v1/payment_intents/{payment['provider_reference']}"
    shop.stripe.call("POST", intent, data=RENAMED)
    at_stripe = f"{payment['reference']} {RENAMED['metadata[payment_id]']} {payment['provider_reference']}"
    missing = f"missing here: payment {at_stripe}; here nothing; there {FARE} INR, succeeded"
    for period in ((), OURS):  # by the clock of Stripe, and by that of the database
        status, lines = run(*period)
        assert status == 1
        assert lines.count(missing) == 1
    assert lines[-1] == "1 here, 1 there: 2 differences."


def test_payment_of_another_system_with_an_id_of_its_own(shop: Shop, run: Run) -> None:
    """It names its id as Busware does, but the id is no UUID. It is found, and the others are compared."""
    payment = shop.begin(1)
    others = shop.stripe.call("POST", "/v1/payment_intents", data={
        "amount": 100, "currency": "inr", "metadata[payment_id]": "order 7",
    })  # fmt: skip
    assert run() == (0, ["1 here, 2 there: equal."])
    shop.stripe.pay({"provider_reference": others["id"]})
    status, lines = run()
    assert (status, lines[-1]) == (1, "1 here, 2 there: 1 differences.")
    assert lines[0].startswith(f"missing here: payment {others['id']}; here nothing")
    assert payment["provider_reference"] not in lines[0]


def test_payment_that_only_busware_has(shop: Shop, run: Run) -> None:
    payment = shop.sell(1)
    shop.stripe.clear()
    status, lines = run(*OURS)
    assert (status, lines[-1]) == (1, "1 here, 0 there: 1 differences.")
    assert lines[0].startswith(f"missing there: payment {payment['reference']}")


def test_payment_in_another_state(shop: Shop, run: Run) -> None:
    payment = shop.begin(1)
    shop.stripe.pay(payment)
    status, lines = run()
    assert status == 1
    assert lines[0].endswith(f"here {FARE} INR, open; there {FARE} INR, succeeded")


def test_another_amount(shop: Shop, run: Run, database: Database) -> None:
    shop.sell(1)
    database.query("UPDATE payment_intents SET booked_at = NULL, received = 250")
    shown = run("--csv")
    database.query("UPDATE payment_intents SET received = amount, booked_at = succeeded_at")
    (row,) = csv.DictReader(io.StringIO("\r\n".join(shown[1]).removeprefix("\ufeff")))
    assert (shown[0], row["problem"], row["amount"], row["amount_there"]) == (
        1,
        "other amount",
        "250.00",
        "260.00",
    )


def test_stripe_does_not_answer(shop: Shop, run: Run) -> None:
    shop.stripe.order_fault("refuse", "GET")
    status, (line,) = run()
    assert status == 3
    assert "Stripe does not answer" in line


def test_bank_file(api: SchemaApi, database: Database, run: Run, tmp_path: Path) -> None:
    """A transfer that was settled from the file, one by hand, and one that nobody settled."""
    sell_online(api, "manual")
    first, second, third = (pay(api, api.hold(seat)) for seat in (1, 2, 3))
    settle(api, first, receipt="N1")
    settle(api, second)
    lines = [
        "reference,amount,currency,date,id",
        f"{first['provider_reference']},260,INR,2026-12-01,N1",
        f"{second['provider_reference']},260,INR,2026-12-01,N2",
    ]
    path = tmp_path / "bank.csv"
    path.write_text("\n".join(lines))
    arguments = ("--provider", "manual", "--bank-file", path, *OURS)
    assert run(*arguments) == (0, ["2 here, 2 there: equal."])
    path.write_text("\n".join([*lines[:2], f"{third['provider_reference']},260,INR,2026-12-01,N3"]))
    status, shown = run(*arguments)
    assert (status, shown[-1]) == (1, "2 here, 2 there: 2 differences.")
    assert {line.partition(":")[0] for line in shown[:-1]} == {"missing here", "missing there"}
    assert payments(api, third)[0]["state"] == "created"
    path.write_text("reference\n")
    assert run(*arguments)[0] == 3


def test_file_of_paid_out_transfers(api: SchemaApi, database: Database, run: Run, tmp_path: Path) -> None:
    """A refund that was paid back and recorded, one only recorded, and one only paid back."""
    sell_online(api, "manual")
    sold = [pay(api, api.hold(seat)) for seat in (1, 2, 3)]
    for payment in sold:
        settle(api, payment, receipt=payment["payment_id"])
        api.cancel(payment)
    references = [payment["reference"] for payment in sold]
    recorded = [refund for refund in open_refunds(api) if refund["reference"] in references[:2]]
    for refund in recorded:
        settle_refund(api, refund)
    lines = ["reference,amount,currency,date,id"]
    lines += [f"{reference},130,INR,2026-12-01,{n}" for n, reference in enumerate(references)]
    path = tmp_path / "paid.csv"
    path.write_text("\n".join(lines[:3]))
    arguments = ("--provider", "manual", "--paid-file", path, *OURS)
    assert run(*arguments) == (0, ["2 here, 2 there: equal."])
    path.write_text("\n".join([*lines[:2], lines[3]]))
    assert run(*arguments) == (1, [
        f"missing there: refund {references[1]} {references[1]}; here 130.00 INR, succeeded; there nothing",
        f"missing here: refund {references[2]} 2 line 3; here nothing; there 130.00 INR, succeeded",
        "2 here, 2 there: 2 differences.",
    ])  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("--from", "2026-12-02", "--to", "2026-12-01"),
        ("--from", "1926-12-02", "--to", "2026-12-01"),
        ("--from", "yesterday"),
        ("--from", "9999-12-31", "--to", "9999-12-31"),
        ("--to", "0001-01-01"),
        ("--provider", "manual"),
        ("--bank-file", "bank.csv"),
        ("--provider", "paypal"),
    ],
)
def test_wrong_command_line(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2


def test_stripe_without_a_key(run: Run) -> None:
    status, lines = run()
    assert status == 2
    assert "BUSWARE_STRIPE_KEY is not set." in "\n".join(lines)
