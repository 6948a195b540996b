"""Invoices: their numbers have no gaps, each payment is on one of them, and the tax is a part of the fare."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Clock, Database
from tests.support.counter import add_counter, sell
from tests.support.invoices import GST, invoices_of, numbers, publish, put_invoicing
from tests.support.race import Race
from tests.support.schema_api import ASHA, DAY, SchemaApi


@pytest.fixture
def ksrtc(api: SchemaApi, clock: Clock) -> SchemaApi:
    """KSRTC issues invoices with a tax. A minute later, it sells."""
    add_counter(api)
    put_invoicing(api, prefix="ka", seller="KSRTC, Bengaluru", tax=GST)
    clock.advance(minutes=1)
    return api


def test_booking_has_an_invoice_with_its_tax(ksrtc: SchemaApi) -> None:
    booking = ksrtc.book(1, 2)
    assert booking["tax"] == {**GST, "amount": "24.76"}
    (invoice,) = invoices_of(ksrtc, booking)
    assert invoice["number"] == "KA-2026-000001"
    assert (invoice["kind"], invoice["seller"], invoice["reference"]) == (
        "invoice",
        "KSRTC, Bengaluru",
        booking["reference"],
    )
    assert (invoice["amount"], invoice["net"], invoice["tax"]) == ("520.00", "495.24", booking["tax"])
    assert [(line["ticket_no"], line["amount"], line["tax"]) for line in invoice["lines"]] == [
        (1, "260.00", "12.38"),
        (2, "260.00", "12.38"),
    ]
    assert invoice["journey"]["destination"] == "Mysuru"
    assert ksrtc.show(booking)["tax"] == booking["tax"]


def test_refunds_are_on_credit_notes_and_their_tax_adds_up(ksrtc: SchemaApi) -> None:
    booking = ksrtc.book(1, 2)
    ksrtc.cancel(booking, 1)
    publish(ksrtc)
    ksrtc.cancel(booking, 2)
    invoices = invoices_of(ksrtc, booking)
    assert numbers(invoices) == ["KA-2026-000001", "KA-2026-C000001", "KA-2026-C000002"]
    assert [invoice["amount"] for invoice in invoices] == ["520.00", "130.00", "130.00"]
    assert invoices[1]["corrects"] == ["KA-2026-000001"]
    assert [invoice["tax"]["amount"] for invoice in invoices] == ["24.76", "6.19", "6.19"]


def test_tax_of_a_fare_that_is_refunded_in_parts_is_refunded_as_a_whole(ksrtc: SchemaApi) -> None:
    """Alone, each part would have its tax rounded."""
    ksrtc.conn.execute("UPDATE bus_info SET alight_refund_percent = 33.33 WHERE bus_id = 1")
    booking = ksrtc.book(1)
    ksrtc.change("alight", booking, at=3)
    publish(ksrtc)
    ksrtc.write("cancel_trip", bus_id=1, travel_date=DAY, reason="Flood", account="meera")
    charged, *refunded = invoices_of(ksrtc, booking)
    assert len(refunded) == 2
    cents = [int(invoice["tax"]["amount"].replace(".", "")) for invoice in (charged, *refunded)]
    assert cents[0] == sum(cents[1:])


def test_numbers_have_no_gaps_when_publication_fails(ksrtc: SchemaApi) -> None:
    """A failed publication rolls its numbers back; later bookings are invoiced, and that one in the end."""
    bookings = [ksrtc.book(seat) for seat in (1, 2, 3)]
    ksrtc.conn.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.reference = '{bookings[1]['reference']}' THEN RAISE check_violation; END IF; RETURN NEW;"
        " END $$;"
        "CREATE TRIGGER fail AFTER INSERT ON invoice_lines FOR EACH ROW EXECUTE FUNCTION fail()"
    )
    ksrtc.conn.execute("SELECT api.publish_events()")
    assert numbers(all_invoices(ksrtc)) == ["KA-2026-000001", "KA-2026-000002"]
    ksrtc.conn.execute("DROP TRIGGER fail ON invoice_lines")
    (last,) = invoices_of(ksrtc, bookings[1])
    assert last["number"] == "KA-2026-000003"


def all_invoices(api: SchemaApi, **args: Any) -> list[Any]:
    period = {"from": "2026-01-01", "to": "2026-12-31"}
    return list(api.read("invoices", **{**period, "account": "meera", **args})["invoices"])


def test_year_is_that_of_the_time_zone_of_the_service(ksrtc: SchemaApi, clock: Clock) -> None:
    """Half past six on 31 December in UTC is the new year in India, with numbers from 1 again."""
    before = ksrtc.book(1)
    clock.set("2026-12-31T18:29:59+00:00")
    ksrtc.conn.execute("SELECT api.open_sales(1)")
    old = ksrtc.book(1, travel_date="2027-01-05")
    clock.set("2026-12-31T18:30:01+00:00")
    new = ksrtc.book(2, travel_date="2027-01-05")
    found = [*invoices_of(ksrtc, before), *invoices_of(ksrtc, old), *invoices_of(ksrtc, new)]
    assert numbers(found) == ["KA-2026-000001", "KA-2026-000002", "KA-2027-000001"]
    assert [invoice["date"] for invoice in found] == ["2026-12-01", "2026-12-31", "2027-01-01"]


def test_year_of_a_number_is_the_financial_year(api: SchemaApi, clock: Clock) -> None:
    """31 March 2027 is in the year 2026 of an operator whose years begin in April, 1 April in 2027."""
    add_counter(api)
    put_invoicing(api, prefix="KA", year_begins=4)
    found = invoices_of(api, api.book(1))
    for seat, now in ((2, "2027-03-31T18:29:59+00:00"), (3, "2027-03-31T18:30:01+00:00")):
        clock.set(now)
        api.conn.execute("SELECT api.open_sales(1)")
        found += invoices_of(api, api.book(seat, travel_date="2027-04-05"))
    assert numbers(found) == ["KA-2026-000001", "KA-2026-000002", "KA-2027-000001"]
    assert [invoice["date"] for invoice in found] == ["2026-12-01", "2027-03-31", "2027-04-01"]
    assert put_invoicing(api, year_begins=1)["field"] == "year_begins"
    assert put_invoicing(api, year_begins=4)["year_begins"] == 4


def test_later_tax_is_that_of_later_sales(ksrtc: SchemaApi, clock: Clock) -> None:
    held = ksrtc.hold(4)
    sold = ksrtc.book(1)
    put_invoicing(ksrtc, tax={**GST, "percent": "12.5"}, tax_from="2026-12-03")
    assert ksrtc.show(sold)["tax"]["percent"] == "5"
    early = ksrtc.book(2)
    clock.set("2026-12-02T18:30:00+00:00")
    late = ksrtc.book(3)
    ksrtc.cancel(sold)
    taxes = [ksrtc.show(booking)["tax"]["percent"] for booking in (sold, early, late)]
    assert taxes == ["5", "5", "12.5"]
    assert [invoice["tax"]["percent"] for invoice in invoices_of(ksrtc, sold)] == ["5", "5"]
    assert invoices_of(ksrtc, late)[0]["tax"]["amount"] == "28.89"
    assert held["tax"]["percent"] == "5"


def test_planned_tax_is_replaced_by_what_is_put_later(ksrtc: SchemaApi, clock: Clock) -> None:
    put_invoicing(ksrtc, tax={**GST, "percent": "18"}, tax_from="2026-12-10")
    shown = put_invoicing(ksrtc, tax=None, tax_from="2026-12-08")
    assert [(tax.get("percent"), tax["valid_from"][:10]) for tax in shown["taxes"]] == [
        ("5", "2026-12-01"),
        (None, "2026-12-08"),
    ]
    assert put_invoicing(ksrtc, tax=None, tax_from="2026-12-08") == shown
    clock.set("2026-12-10T12:00:00+05:30")
    booking = ksrtc.book(1, travel_date="2026-12-12")
    assert "tax" not in booking
    assert "tax" not in invoices_of(ksrtc, booking)[0]


def test_operator_without_invoicing_has_no_invoices(api: SchemaApi) -> None:
    add_counter(api)
    booking = api.book(1)
    assert "tax" not in booking
    publish(api)
    refusal = api.read("invoice", reference=booking["reference"], phone=ASHA)
    assert refusal["reason"] == "no_invoice"
    assert "KSRTC issues no invoices" in refusal["message"]
    assert all_invoices(api) == []


def test_booking_from_before_the_first_invoice(api: SchemaApi, clock: Clock) -> None:
    """Its charge is on no invoice, and its later refund on a credit note without a tax."""
    add_counter(api)
    booking = api.book(1)
    clock.advance(minutes=1)
    put_invoicing(api, prefix="KA", tax=GST)
    publish(api)
    refusal = api.read("invoice", reference=booking["reference"], phone=ASHA)
    assert "before KSRTC issued invoices" in refusal["message"]
    assert "tax" not in api.show(booking)
    clock.advance(minutes=1)
    api.cancel(booking)
    (note,) = invoices_of(api, booking)
    assert (note["kind"], note["corrects"], note["amount"]) == ("credit_note", [], "130.00")
    assert "tax" not in note


def test_exchange_charges_or_refunds_the_difference(ksrtc: SchemaApi) -> None:
    booking = ksrtc.book(1, from_stop=1, to_stop=3)
    publish(ksrtc)
    exchanged = ksrtc.change("exchange", booking, from_stop=1, to_stop=5, due="1000")
    publish(ksrtc)
    ksrtc.change("exchange", booking, from_stop=1, to_stop=3)
    first, more, back = invoices_of(ksrtc, booking)
    assert [first["kind"], more["kind"], back["kind"]] == ["invoice", "invoice", "credit_note"]
    assert more["amount"] == exchanged["exchange"]["due"]
    assert back["corrects"] == ["KA-2026-000001", "KA-2026-000002"]


def test_agent_is_on_the_invoice_of_its_sale(ksrtc: SchemaApi) -> None:
    booking = sell(ksrtc, 1)
    (invoice,) = invoices_of(ksrtc, booking, phone=None, account="kumar")
    assert invoice["agent"] == "kumar"


def test_pages_of_invoices(ksrtc: SchemaApi) -> None:
    for seat in (1, 2, 3):
        ksrtc.book(seat)
    publish(ksrtc)
    period = {"account": "meera", "from": "2026-12-01", "to": "2026-12-01"}
    first = ksrtc.read("invoices", **period, limit=2)
    second = ksrtc.read("invoices", **period, limit=2, after=first["next"])
    assert numbers(first["invoices"] + second["invoices"]) == [f"KA-2026-00000{n}" for n in (1, 2, 3)]
    assert "next" not in second
    assert ksrtc.read("invoices", **{**period, "from": "2026-11-01", "to": "2026-11-30"})["invoices"] == []
    refusal = ksrtc.read("invoices", **period, after="KA-2026-000009")
    assert (refusal["reason"], refusal["field"]) == ("bad_request", "after")


def test_pages_of_a_day_have_invoices_that_are_issued_between_two_reads(ksrtc: SchemaApi) -> None:
    """A credit note that was issued between two pages was before the second one."""
    bookings = [ksrtc.book(seat) for seat in (1, 2)]
    publish(ksrtc)
    period = {"account": "meera", "from": "2026-11-01", "to": "2026-12-01", "limit": 1}
    page = ksrtc.read("invoices", **period)
    found = numbers(page["invoices"])
    for booking in bookings:
        ksrtc.cancel(booking)
        publish(ksrtc)
        page = ksrtc.read("invoices", **period, after=page["next"])
        found += numbers(page["invoices"])
    while "next" in page:
        page = ksrtc.read("invoices", **period, after=page["next"])
        found += numbers(page["invoices"])
    assert found == ["KA-2026-000001", "KA-2026-000002", "KA-2026-C000001", "KA-2026-C000002"]
    late = ksrtc.read(
        "invoices", account="meera", **{"from": "2026-12-02", "to": "2026-12-03"}, after=found[0]
    )
    assert late["invoices"] == []


def test_accounts_of_a_day_read_its_payments_only(ksrtc: SchemaApi) -> None:
    """The entries of a day are found by the indexes of their times, also among many."""
    booking = ksrtc.book(1)
    publish(ksrtc)
    ksrtc.conn.execute(
        "INSERT INTO payments (bus_id, reference, ticket_no, payment_no, kind, amount, at, currency)"
        " SELECT bus_id, reference, ticket_no, n, 'refund', 0, at + n * interval '10 minutes', currency"
        " FROM payments, generate_series(2, 60000) AS n WHERE reference = %s",
        [booking["reference"]],
    )
    ksrtc.conn.execute("SELECT brin_summarize_new_values('payments_by_time')")
    ksrtc.conn.execute("ANALYZE payments")
    plan = ksrtc.conn.execute(
        "EXPLAIN (ANALYZE, FORMAT JSON) SELECT sum(charge) FROM busware_reports.account_entries"
        " WHERE about_at >= '2026-11-30T10:00Z' AND about_at < '2026-12-02T12:00Z'"
    ).fetchall()[0][0]
    (scan,) = [node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == "payments"]
    assert scan["Node Type"] == "Bitmap Heap Scan"
    assert scan["Actual Rows"] + scan["Rows Removed by Index Recheck"] < 3000
    day = {"from": "2026-12-01", "to": "2026-12-01"}
    ksrtc.conn.execute("SELECT pg_stat_force_next_flush()")  # else the counters include the last second
    with ksrtc.conn.transaction():
        (shown,) = ksrtc.read("accounts", account="meera", **day)["rows"]
        read = ksrtc.conn.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'payments'"
        ).fetchall()
    assert shown["charges"] == booking["fare"]
    assert read[0][0] < 3000
    ksrtc.conn.execute("DELETE FROM payments WHERE payment_no > 1")


def test_exchange_for_another_time_zone_keeps_the_days_of_the_accounts(
    ksrtc: SchemaApi, database: Database
) -> None:
    database.query(
        "SELECT api.add_service(bus_id => 3, name => 'Express', operator => 'KSRTC', sales_days => 14,"
        " time_zone => 'America/New_York', layout => 'ss',"
        " stops => 'Bengaluru | - | 09:00 | 0 | 0\nMysuru | 11:30 | - | 145 | 300')"
    )

    def days() -> list[str]:
        period = {"from": "2026-11-01", "to": "2026-12-31"}
        return [row["date"] for row in ksrtc.read("accounts", account="meera", **period)["rows"]]

    booking = ksrtc.book(1)
    assert days() == ["2026-12-01"]
    ksrtc.change("exchange", booking, bus_id=3, due="9999")
    assert database.query("SELECT bus_id FROM payments GROUP BY 1") == [3]
    assert days() == ["2026-12-01"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan."""
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"account": "other", "operator": "KSRTC", "prefix": "KB"}, "not_yours"),
        ({"account": "kumar"}, "not_allowed"),
        ({"account": "other", "prefix": "KA"}, "prefix"),
        ({"account": "other", "seller": "SRS"}, "prefix"),
        ({"prefix": "KB"}, "prefix"),
        ({"tax_from": "2026-12-03"}, "tax_from"),
        ({"account": "root", "prefix": "KB"}, "operator"),
    ],
)
def test_wrong_invoicing_changes_nothing(ksrtc: SchemaApi, args: dict[str, Any], field: str) -> None:
    ksrtc.book(1)
    publish(ksrtc)
    before = ksrtc.conn.execute("TABLE invoicing").fetchall()
    refusal = put_invoicing(ksrtc, **args)
    assert field in (refusal["reason"], refusal.get("field"))
    assert ksrtc.conn.execute("TABLE invoicing").fetchall() == before


@pytest.mark.parametrize("method", ["invoices", "accounts"])
@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"from": "2026-12-02", "to": "2026-12-01"}, "to"),
        ({"from": "1926-12-02", "to": "2026-12-01"}, "to"),
        ({"account": "other", "operator": "KSRTC"}, "not_yours"),
    ],
)
def test_wrong_report(ksrtc: SchemaApi, method: str, args: dict[str, Any], field: str) -> None:
    period = {"account": "meera", "from": "2026-12-01", "to": "2026-12-01"}
    refusal = ksrtc.read(method, **(period | args))
    assert field in (refusal["reason"], refusal.get("field"))


@pytest.mark.parametrize("table", ["invoices", "invoice_lines", "taxes"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET operator = 'x'", "DELETE FROM {}"])
def test_rows_never_change(ksrtc: SchemaApi, table: str, statement: str) -> None:
    ksrtc.book(1)
    publish(ksrtc)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="never changed"):
        ksrtc.conn.execute(statement.format(table))


def test_booking_that_is_published_while_the_first_prefix_waits_is_invoiced(race: Race) -> None:
    add_counter(race.second)
    booking = race.second.book(1)
    publish(race.first)
    waiting = race.start(lambda: put_invoicing(race.second, prefix="KA"))
    race.then_commit(waiting)
    assert numbers(invoices_of(race.second, booking)) == ["KA-2026-000001"]


def test_publication_reads_the_lines_of_its_booking_only(ksrtc: SchemaApi) -> None:
    """Its plan is made while there are no invoices, and is kept."""
    for seat in range(1, 13):
        ksrtc.book(seat)
        publish(ksrtc)
    ksrtc.book(13)
    ksrtc.conn.execute("SELECT pg_stat_force_next_flush()")  # else the counters include the last second
    with ksrtc.conn.transaction():
        publish(ksrtc)
        read = ksrtc.conn.execute(
            "SELECT sum(seq_tup_read + idx_tup_fetch)::int FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('invoices', 'invoice_lines')"
        ).fetchall()
    assert read[0][0] <= 4


def test_sold_service_keeps_its_operator_if_one_of_them_issues_invoices(ksrtc: SchemaApi) -> None:
    """Otherwise the new operator would issue the invoices for what the earlier one has sold."""
    edit = Jsonb({"bus_id": 1, "operator": "SRS Travels"})
    ksrtc.book(1)
    ((answer,),) = ksrtc.conn.execute("SELECT answer FROM api.put_service(NULL, %s)", [edit]).fetchall()
    assert (answer["reason"], answer["fields"]) == ("service_in_use", ["operator"])
