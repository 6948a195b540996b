"""Random sales and changes: the accounts, the invoices and the payments have the same money, to the cent.

Travellers and an agent book, hold, confirm, cancel, exchange and alight; passengers miss the bus; the
operator cancels trips and changes its tax; events are published now and then. Then the test adds the
payments up by itself, with decimal numbers, and compares them with the accounts and with the invoices.
"""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Clock, Database
from tests.support.counter import add_counter, change, put_agent, settlement
from tests.support.fleet import edit_service
from tests.support.invoices import GST, publish, put_invoicing
from tests.support.schema_api import DAY, OTHER_DAY, Answer, SchemaApi, audit

EFFORT = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
FARES = {1: "0", 2: "33.33", 3: "66.67", 4: "99.99", 5: "260.01"}  # of the stops of service 1
PERIOD = {"from": "2026-12-01", "to": "2026-12-31"}
FIRST, AFTER_DEPARTURE = "2026-12-01T09:00:00+05:30", "2026-12-05T11:00:00+05:30"
AMOUNTS = ("charges", "refunds", "income", "tax", "kept", "commission")

indexes = st.integers(0, 10)  # an index of the bookings, the latest first
steps = st.one_of(
    st.tuples(
        st.sampled_from(["book", "book", "hold", "sell"]),
        st.sampled_from([(1, 5), (1, 3), (2, 4), (4, 5)]),
        st.integers(1, 2),
        st.sampled_from([DAY, OTHER_DAY]),
    ),
    st.tuples(st.sampled_from(["cancel", "cancel_one", "alight", "confirm", "confirm"]), indexes),
    st.tuples(st.just("exchange"), indexes, st.sampled_from([DAY, OTHER_DAY]), st.sampled_from([3, 4, 5])),
    st.tuples(st.sampled_from(["publish", "settle", "wait"])),
    st.tuples(st.just("tax"), st.sampled_from([None, "0", "5", "12.5", "33.333"])),
)


class RandomSales:
    """Sends random requests on one database."""

    def __init__(self, api: SchemaApi, clock: Clock) -> None:
        self.api, self.clock = api, clock
        self.clock.set(FIRST)
        self.bookings: list[Answer] = []
        self.taxes: list[tuple[Any, Decimal]] = []  # from when, and the rate in percent

    def do(self, name: str, *args: Any) -> None:
        if name in ("publish", "settle", "wait", "tax"):
            getattr(self, name)(*args)
        elif name in ("book", "hold", "sell"):
            self.start(name, *args)
        elif self.bookings:
            booking = self.bookings[-1 - args[0] % len(self.bookings)]
            getattr(self, name)(booking, *args[1:])

    def start(self, method: str, segment: tuple[int, int], count: int, day: str) -> None:
        places = dict(zip(("from_stop", "to_stop"), segment, strict=True))
        args = {"count": count, "travel_date": day, **places}
        if method == "sell":
            answer = self.api.book(sold_by="kumar", **args)
        else:
            answer = getattr(self.api, method)(**args)
        if "reference" in answer:
            self.bookings.append(answer)

    def confirm(self, booking: Answer) -> None:
        self.api.change("confirm", booking)

    def cancel(self, booking: Answer) -> None:
        self.api.cancel(booking)

    def cancel_one(self, booking: Answer) -> None:
        self.api.cancel(booking, 1)

    def alight(self, booking: Answer) -> None:
        self.api.change("alight", booking, at=3)

    def exchange(self, booking: Answer, day: str, to_stop: int) -> None:
        caller = {"account": "kumar"} if booking.get("sold_by") else {}
        self.api.change("exchange", booking, travel_date=day, to_stop=to_stop, due="10000", **caller)

    def publish(self) -> None:
        publish(self.api)

    def settle(self) -> None:
        due = settlement(self.api, account="meera", agent="kumar")
        now = {"settlement_no": due["settlement_no"], "handed_over": due["due"]}
        change(self.api, "settle_agent", **now)

    def wait(self) -> None:
        self.clock.advance(hours=5, minutes=7)

    def tax(self, percent: str | None) -> None:
        self.clock.advance(minutes=1)
        put_invoicing(self.api, tax=percent and {**GST, "percent": percent})
        self.taxes.append((self.clock.now, Decimal(percent or 0)))
        self.clock.advance(minutes=1)

    def end(self) -> None:
        """The bus leaves without those who are not there; the other trip is cancelled."""
        self.clock.set(AFTER_DEPARTURE)
        self.api.write("no_shows", bus_id=1, travel_date=DAY, at=1, account="meera")
        reason = {"reason": "Flood", "account": "meera"}
        self.api.write("cancel_trip", bus_id=1, travel_date=OTHER_DAY, **reason)
        self.settle()
        self.publish()

    def percent_at(self, booked_at: Any) -> Decimal:
        return next(percent for since, percent in reversed(self.taxes) if since <= booked_at)


def signed(kind: str, amount: Decimal) -> Decimal:
    return amount if kind in ("charge", "invoice") else -amount


def rounded(amount: Decimal, percent: Decimal) -> Decimal:
    return (amount * percent / (100 + percent)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def expected_days(sales: RandomSales, database: Database) -> dict[str, dict[str, Decimal]]:
    """The accounts by day, from the rows of the payments and the terms of the tickets."""
    days: dict[str, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(AMOUNTS, Decimal(0)))
    rows = database.query(
        "SELECT y.reference, y.ticket_no, (y.at AT TIME ZONE 'Asia/Kolkata')::date::text, y.kind, y.amount,"
        " p.booked_at FROM payments y JOIN passengers p USING (bus_id, reference, ticket_no)"
        " ORDER BY y.reference, y.ticket_no, y.payment_no"
    )
    for _, of_ticket in groupby(rows, key=lambda row: row[:2]):
        paid = Decimal(0)
        for _, _, day, kind, amount, booked_at in of_ticket:
            percent = sales.percent_at(booked_at)
            before, paid = rounded(paid, percent), paid + signed(kind, amount)
            days[day]["charges" if kind == "charge" else "refunds"] += amount
            days[day]["income"] += signed(kind, amount)
            days[day]["tax"] += rounded(paid, percent) - before
    return days


@EFFORT
@given(plan=st.lists(steps, min_size=5, max_size=30))
def test_accounts_invoices_and_payments_agree(
    api: SchemaApi, database: Database, clock: Clock, seasons: None, plan: list[tuple[Any, ...]]
) -> None:
    sales = RandomSales(api, clock)
    forget(database)
    add_money(sales)
    for step in plan:
        sales.do(*step)
    sales.end()

    report = api.read("accounts", account="meera", **PERIOD)
    days = expected_days(sales, database)
    shown = {row["date"]: row for row in report["rows"]}
    for day, sums in days.items():
        for name in ("charges", "refunds", "income", "tax"):
            assert Decimal(shown[day][name]) == sums[name], (day, name)
    for name in ("charges", "refunds", "income", "tax"):
        total = sum((Decimal(row[name]) for row in report["rows"]), Decimal(0))
        assert total == sum((sums[name] for sums in days.values()), Decimal(0))
        assert total == Decimal(report["totals"][0][name] if report["totals"] else 0)
    check_kept_and_commission(report, database)
    check_invoices(api, days)
    assert audit(api.conn) == []


def check_kept_and_commission(report: Answer, database: Database) -> None:
    """What is kept is the income without what is paid for the tickets that are still booked."""
    income, kept, commission = (
        sum((Decimal(row[name]) for row in report["rows"]), Decimal(0))
        for name in ("income", "kept", "commission")
    )
    paid = database.value("SELECT coalesce(sum(fare - refund), 0) FROM passengers WHERE status = 'booked'")
    assert kept == income - paid
    assert commission == database.value("SELECT coalesce(sum(commission), 0) FROM settlements")


def check_invoices(api: SchemaApi, days: dict[str, dict[str, Decimal]]) -> None:
    """The invoices of a day have its charges, its credit notes its refunds; numbers have no gaps."""
    listed: list[Answer] = []
    answer = api.read("invoices", account="meera", **PERIOD, limit=7)
    listed += answer["invoices"]
    while "next" in answer:
        answer = api.read("invoices", account="meera", **PERIOD, limit=7, after=answer["next"])
        listed += answer["invoices"]
    for kind, amounts, letter in (("invoice", "charges", ""), ("credit_note", "refunds", "C")):
        ours = [invoice for invoice in listed if invoice["kind"] == kind]
        numbers = sorted(invoice["number"] for invoice in ours)
        assert numbers == [f"KA-2026-{letter}{n:06}" for n in range(1, len(ours) + 1)]
        for day, sums in days.items():
            of_day = (Decimal(invoice["amount"]) for invoice in ours if invoice["date"] == day)
            assert sum(of_day, Decimal(0)) == sums[amounts], (kind, day)
    for invoice in listed:
        lines = [(Decimal(line["amount"]), Decimal(line["tax"])) for line in invoice["lines"]]
        amount, tax = (sum(column, Decimal(0)) for column in zip(*lines, strict=True))
        assert (Decimal(invoice["amount"]), Decimal(invoice["net"])) == (amount, amount - tax)


@pytest.fixture
def seasons(api: SchemaApi, database: Database) -> None:
    """Fares that make amounts to round, and terms that keep a part of them."""
    add_counter(api)
    for stop, fare in FARES.items():
        database.query("UPDATE route_table SET fare = %s WHERE bus_id = 1 AND stop_no = %s", fare, stop)
    edit_service(
        api,
        refund_percent="33.33",
        alight_refund_percent="66.67",
        exchange_fee="7.77",
        exchange_until="0 minutes",
    )


def add_money(sales: RandomSales) -> None:
    put_agent(sales.api, agent="kumar", commission_percent="3.33")
    put_invoicing(sales.api, prefix="KA", tax={**GST, "percent": "5"})
    sales.taxes.append((sales.clock.now, Decimal(5)))


def forget(database: Database) -> None:
    """Delete what the previous plan has left, also what is never deleted."""
    tables = (
        "invoice_lines, invoices, taxes, invoicing, settlements, events, payments, exchanges, "
        "moved_bookings, idempotency_keys, holders, offers, assignments, outbox, contacts, messages, "
        "transfers, passengers"
    )
    database.query(f"TRUNCATE {tables} CASCADE")
    database.query("UPDATE seats SET taken = '{}'")
    database.query("UPDATE trips SET state = 'open', reason = NULL, cancelled_at = NULL, settle_at = NULL")
