"""Amounts have the decimals of their currency, and amounts in two currencies are never added up."""

from decimal import Decimal
from typing import Any

import pytest
from babel.core import get_global
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from busware.server.protocol.currencies import decimals_of
from tests.conftest import Clock, Database
from tests.support.payments import pay, result, sell_online
from tests.support.schema_api import DAY, Answer, SchemaApi, audit

FEE = {"currency": "KWD", "exchange_fee": "0.125"}


@pytest.fixture(autouse=True)
def manager(database: Database) -> None:
    database.query("SELECT api.add_operator('manager', 'hash', 'KSRTC')")


def use(database: Database, currency: str, bus_id: int = 1) -> None:
    """Give a service without tickets a currency, and fares that have all its decimals."""
    database.query("UPDATE bus_info SET currency = %s WHERE bus_id = %s", currency, bus_id)
    database.query(
        "UPDATE route_table SET fare = api.round_amount(fare * 1.2345, %s) WHERE bus_id = %s",
        currency,
        bus_id,
    )


def put(database: Database, **data: Any) -> Answer:
    ((_, answer),) = database.query("SELECT refused, answer FROM api.put_service(NULL, %s)", Jsonb(data))
    return dict(answer)


def decimals(amount: str) -> int:
    return len(amount.partition(".")[2])


def amounts_in(answer: Any) -> list[str]:
    """All amounts of an answer."""
    if isinstance(answer, list):
        return [amount for one in answer for amount in amounts_in(one)]
    names = {"fare", "refund", "amount", "charges", "refunds", "income"}
    fields = answer.items() if isinstance(answer, dict) else ()
    return [
        amount
        for name, value in fields
        for amount in ([value] if name in names and isinstance(value, str) else amounts_in(value))
    ]


@pytest.mark.parametrize(
    ("text", "known"),
    [
        *((code, True) for code in ("INR", "JPY", "KWD", "CLF", "XOF", "UYW", "AED", "ZWG")),
        *((text, False) for text in ("IRN", "XXX", "XTS", "XAU", "HRK", "inr", "IN", "INRS", "", "AED|AFN")),
    ],
)
def test_service_has_a_currency_of_iso_4217(database: Database, text: str, known: bool) -> None:
    value, fault = database.query(
        "SELECT canonical, fault FROM api.read_value(to_jsonb(%s::text), 'currency')", text
    )[0]
    assert (value, fault is None) == ((text, True) if known else (None, False))


def test_tender_of_each_country_is_a_currency(database: Database) -> None:
    """As in CLDR, whose list of tenders may be older than that of ISO 4217."""
    tenders = {
        code
        for currencies in get_global("territory_currencies").values()
        for code, _, end, tender in currencies
        if tender and end is None
    }
    unknown = database.query(
        "SELECT code FROM unnest(%s::text[]) AS code"
        " WHERE (api.read_value(to_jsonb(code), 'currency')).fault IS NOT NULL",
        sorted(tenders),
    )
    assert len(tenders) > 140
    assert set(unknown) <= {"ANG", "BGN", "CUC", "SLL", "ZWL"}  # they have ended since


@pytest.mark.parametrize("currency", ["INR", "JPY", "KWD", "CLF", "XOF", "BHD", "USD", "XXX"])
def test_server_and_database_know_the_same_decimals(database: Database, currency: str) -> None:
    assert database.value("SELECT api.currency_decimals(%s)", currency) == decimals_of(currency)


@pytest.mark.parametrize(
    ("amount", "currency", "text", "message"),
    [
        ("1234.5", "INR", "1234.50", "1,234.50"),
        ("1234.005", "INR", "1234.01", "1,234.01"),
        ("-0.005", "INR", "-0.01", "-0.01"),
        ("1234.5", "JPY", "1235", "1,235 JPY"),
        ("-0.5", "JPY", "-1", "-1 JPY"),
        ("5.25", "KWD", "5.250", "5.250 KWD"),
        (None, "KWD", None, None),
    ],
)
def test_amount_as_text(
    database: Database, amount: str | None, currency: str, text: str | None, message: str | None
) -> None:
    assert database.value("SELECT api.amount_text(%s::numeric, %s)", amount, currency) == text
    assert database.value("SELECT api.format_amount(%s::numeric, %s)", amount, currency) == message


@pytest.fixture(params=["INR", "JPY", "KWD"])
def currency(request: pytest.FixtureRequest, database: Database) -> str:
    """The currency of service 1."""
    use(database, request.param)
    return str(request.param)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(percent=st.decimals(0, 100, places=2), refund_percent=st.integers(0, 100), alights=st.booleans())
def test_parts_sales_and_payments_add_up(
    api: SchemaApi, database: Database, currency: str, percent: Decimal, refund_percent: int, alights: bool
) -> None:
    database.query(
        "UPDATE bus_info SET refund_percent = %s, alight_refund_percent = %s, seat_classes = %s, "
        "concessions = %s WHERE bus_id = 1",
        refund_percent,
        refund_percent,
        Jsonb([{"name": "premium", "seats": [1, 2], "percent": str(percent)}]),
        Jsonb([{"name": "child", "percent": str(percent)}]),
    )
    booking = api.book(1, 3, passengers=[{"concession": "child"}, {}])
    done = booking
    try:
        for ticket in booking["tickets"]:
            parts = [Decimal(part["amount"]) for part in ticket.get("fare_parts", [])]
            assert not parts or sum(parts) == Decimal(ticket["fare"])
        if alights:
            api.change("alight", booking, at="Mandya")
    finally:
        done = api.cancel(booking)
    report = api.read("sales", account="manager", **{"from": DAY, "to": DAY})
    amounts = amounts_in(booking) + amounts_in(done) + amounts_in(report)
    assert {decimals(amount) for amount in amounts} == {decimals_of(currency)}
    assert {booking["currency"], done["currency"], report["currency"]} == {currency}
    paid = (
        "SELECT sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) FROM payments WHERE currency = %s"
    )
    assert Decimal(report["income"]) == database.value(paid, currency)
    assert database.value(paid + " AND reference = %s", currency, booking["reference"]) == (
        Decimal(done["fare"]) - Decimal(done["refund"])
    )
    assert audit(database.conn) == []


def test_sales_in_two_currencies_are_not_added_up(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET operator = 'KSRTC' WHERE bus_id = 2")
    use(database, "USD", 2)
    api.book(1, 2)
    api.book(1, bus_id=2, origin="Mandya", destination="Ooty")
    days = {"from": "2026-12-01", "to": "2026-12-31"}
    for group in ("service", "date", "segment", "agent"):
        report = api.read("sales", account="manager", group=group, **days)
        assert {row["currency"] for row in report["rows"]} == {"INR", "USD"}
        assert [total["currency"] for total in report["totals"]] == ["INR", "USD"]
        for total in report["totals"]:
            rows = [row for row in report["rows"] if row["currency"] == total["currency"]]
            assert sum(Decimal(row["income"]) for row in rows) == Decimal(total["income"])
            assert Decimal(total["charges"]) == database.value(
                "SELECT sum(amount) FROM payments WHERE currency = %s", total["currency"]
            )
        assert (report["currency"], report["tickets"]) == ("INR", 2)
    assert audit(database.conn) == []


@pytest.mark.parametrize(
    ("fields", "path", "amount"),
    [
        ({"currency": "JPY", "exchange_fee": "0.50"}, "exchange_fee", "0.50"),
        ({"exchange_fee": "0.125"}, "exchange_fee", "0.125"),
        ({"concessions": [{"name": "child", "amount": "1.005"}]}, "concessions[0].amount", "1.005"),
        (
            {"segment_fares": [{"from_stop": 1, "to_stop": 2, "fare": "9.999"}]},
            "segment_fares[0].fare",
            "9.999",
        ),
        (
            {"currency": "KWD", "fare_rules": [{"name": "a", "amount": "-0.1255"}]},
            "fare_rules[0].amount",
            "-0.1255",
        ),
    ],
)
def test_amount_with_more_decimals_than_the_currency_has_is_refused(
    database: Database, fields: dict[str, Any], path: str, amount: str
) -> None:
    answer = put(database, bus_id=1, **fields)
    (fault,) = answer["faults"]
    currency = fields.get("currency", "INR")
    assert (fault["field"], fault["message"]) == (
        path, f"{amount} has more decimals than {currency} has, {decimals_of(currency)}."
    )  # fmt: skip


@pytest.mark.parametrize(("currency", "more", "valid"), [("INR", "0.001", "0.01"), ("JPY", "0.1", "1.0")])
@pytest.mark.parametrize("expired", [False, True])
def test_fare_of_confirm_has_the_decimals_of_its_currency(
    api: SchemaApi, database: Database, clock: Clock, currency: str, more: str, valid: str, expired: bool
) -> None:
    use(database, currency)
    hold = api.hold(1)
    if expired:
        clock.advance(minutes=30)
    refused = api.change("confirm", hold, fare=str(Decimal(hold["fare"]) + Decimal(more)))
    assert (refused["reason"], refused["field"]) == ("bad_request", "fare")
    other = api.change("confirm", hold, fare=str(Decimal(hold["fare"]) + Decimal(valid)))
    assert other.get("reason") == ("hold_expired" if expired else None)
    assert expired == (api.show(hold)["status"] == "expired")


@pytest.mark.parametrize("field", ["due", "refund"])
def test_amount_of_an_exchange_has_the_decimals_of_its_currency(api: SchemaApi, field: str) -> None:
    booking = api.book(1)
    before = api.everything()
    refused = api.change("exchange", booking, seats=[2], **{field: "0.001"})
    assert (refused["reason"], refused["field"]) == ("bad_request", field)
    assert api.everything() == before
    assert "reason" not in api.change("exchange", booking, seats=[2], **{field: "0.00"})


def test_document_has_the_decimals_of_its_currency(database: Database) -> None:
    assert "reason" not in put(database, bus_id=1, **FEE)
    document = database.value("SELECT api.service(1)")
    assert (document["exchange_fee"], document["stops"][1]["fare"]) == ("0.125", "90.000")
    assert "reason" not in put(database, bus_id=1, currency="JPY", exchange_fee="1")
    document = database.value("SELECT api.service(1)")
    assert (document["exchange_fee"], document["stops"][1]["fare"]) == ("1", "90")
    assert put(database, **document)["changes"] == []


def test_stored_fare_with_more_decimals_than_the_currency_is_sold_rounded(
    api: SchemaApi, database: Database
) -> None:
    """The audit reports the fare. Tickets and payments have the amount that is shown."""
    sell_online(api, "stripe")
    database.query("UPDATE bus_info SET currency = 'JPY' WHERE bus_id = 1")
    database.query("UPDATE route_table SET fare = fare + 0.5 WHERE bus_id = 1 AND stop_no = 5")
    payment = pay(api, api.hold(1))
    assert payment["amount"] == "261"
    assert result(api, payment, "succeeded")["outcome"] == "booked"
    assert database.query("SELECT p.fare, y.amount FROM passengers p JOIN payments y USING (reference)") == [
        (261, 261)
    ]
    (finding,) = audit(database.conn)
    assert "stop 5: 260.50 JPY" in str(finding)
    database.query("UPDATE route_table SET fare = 261 WHERE bus_id = 1 AND stop_no = 5")


def test_promo_code_is_of_one_currency(api: SchemaApi, database: Database) -> None:
    code = {"account": "manager", "code": "POOJA", "amount": "0.125"}
    wrong = database.value("SELECT answer FROM api.put_promo_code(%s)", Jsonb(code))
    assert (wrong["reason"], wrong["field"]) == ("bad_request", "amount")
    promo = database.value("SELECT answer FROM api.put_promo_code(%s)", Jsonb(code | {"currency": "KWD"}))
    assert (promo["amount"], promo["currency"]) == ("0.125", "KWD")
    assert api.book(1, promo_code="POOJA")["reason"] == "unknown_promo_code"
    use(database, "KWD")
    assert api.book(1, promo_code="POOJA")["currency"] == "KWD"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"exchange_fee": "0.125"}, "exchange_fee"),
        ({"concessions": [{"name": "child", "amount": "0.005"}]}, "concessions[0].amount"),
        ({"segment_fares": [{"from_stop": 1, "to_stop": 5, "fare": "3.333"}]}, "segment_fares[0].fare"),
    ],
)
def test_thousandth_parts_are_not_charged_by_stripe(
    database: Database, fields: dict[str, Any], path: str
) -> None:
    """The service is refused, and not each of its payments."""
    document = {"bus_id": 1, "currency": "KWD", **fields}
    refused = put(database, payment="stripe", **document)
    ((wrong,),) = [[fault for fault in refused["faults"] if fault["field"] == path]]
    assert "the last of three decimals must be 0" in wrong["message"]
    put(database, payment="manual", **document)
    refused = put(database, bus_id=1, payment="stripe")
    assert path in {fault["field"] for fault in refused["faults"]}


def test_percentages_are_rounded_for_stripe(api: SchemaApi, database: Database) -> None:
    put(
        database, bus_id=1, currency="KWD", refund_percent="50",
        concessions=[{"name": "child", "percent": "50"}],
        segment_fares=[{"from_stop": 1, "to_stop": 5, "fare": "5.250"}],
    )  # fmt: skip
    assert api.hold(1, passengers=[{"concession": "child"}])["fare"] == "2.625"
    sell_online(api, "stripe")
    held = api.hold(2, passengers=[{"concession": "child"}])
    assert held["fare"] == "2.620"
    result(api, pay(api, held), "succeeded")
    assert api.cancel(held)["refund"] == "1.310"
    assert audit(database.conn) == []


def test_views_with_amounts_have_a_currency(database: Database) -> None:
    views = database.query(
        """SELECT c.oid::regclass::text, array_agg(a.attname::text)
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
           WHERE c.relkind = 'v'
             AND c.relnamespace IN ('public'::regnamespace, 'busware_reports'::regnamespace)
             AND (a.atttypid = 'numeric'::regtype AND a.attname !~ 'km|percent' OR a.attname = 'currency')
           GROUP BY c.oid"""
    )
    assert {"vacancy", "bookings", "busware_reports.sales"} <= {view for view, _ in views}
    assert [view for view, columns in views if "currency" not in columns] == []
