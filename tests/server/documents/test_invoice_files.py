"""Invoices and accounts over HTTP: as PDF, as CSV, and what is refused."""

import csv
import io
from typing import Any

import pytest
from pypdf import PdfReader

from tests.conftest import Database
from tests.support.http_client import HttpClient
from tests.support.invoices import GST, publish_events
from tests.support.schema_api import ASHA, TRIP, Answer

PERIOD = {"from": "2026-12-01", "to": "2026-12-31"}
SELLER = "KSRTC, ಶಾಂತಿನಗರ, Bengaluru 560027"


@pytest.fixture
def token(http: HttpClient, database: Database) -> str:
    """The token of an operator of KSRTC, which issues invoices with a tax."""
    account = {"username": "meera", "password": "correct horse battery"}
    token = str(http.call("POST", "/v1/accounts", json=account).json()["token"])
    database.query("UPDATE accounts SET role = 'operator', operator = 'KSRTC'")
    put = http.call("PUT", "/v1/invoicing", token=token, json={"prefix": "KA", "seller": SELLER, "tax": GST})
    assert (put.status_code, put.json()["prefix"], put.json()["seller"]) == (200, "KA", SELLER)
    return token


@pytest.fixture
def booking(http: HttpClient, token: str, database: Database) -> Answer:
    """A booking of two tickets, of which one is cancelled."""
    sold = http.call("POST", "/v1/bookings", json={**TRIP, "seats": [1, 2], "phone": ASHA}).json()
    publish_events(database)
    cancel = {"phone": ASHA, "tickets": [2]}
    http.call("POST", f"/v1/bookings/{sold['reference']}/cancel", json=cancel)
    publish_events(database)
    return dict(sold)


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_invoice_as_pdf(http: HttpClient, booking: Answer) -> None:
    params = {"phone": ASHA, "format": "pdf"}
    answer = http.call("GET", f"/v1/bookings/{booking['reference']}/invoice", params=params)
    assert answer.headers["content-type"] == "application/pdf"
    invoice, note = (page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    for text in (
        "Invoice KA-2026-000001", "Date: 2026-12-01", "Bengaluru 560027", "GST number: 29AAACK1234A1Z5",
        f"Booking: {booking['reference']}", "Bengaluru – Mysuru", "Ticket 1", "12.38", "260.00",
        "Without tax: 495.24 INR", "GST 5 %: 24.76 INR", "Total: 520.00 INR",
    ):  # fmt: skip
        assert text in invoice
    for text in ("Credit note KA-2026-C000001", "For: KA-2026-000001", "Total given back: 130.00 INR"):
        assert text in note
    again = http.call("GET", f"/v1/bookings/{booking['reference']}/invoice", params=params)
    assert again.content == answer.content


def test_invoices_as_csv(http: HttpClient, token: str, booking: Answer) -> None:
    params = {**PERIOD, "format": "csv"}
    answer = http.call("GET", "/v1/invoices", token=token, params=params)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    invoice, note = rows(answer.content)
    assert (invoice["number"], invoice["amount"], invoice["net"], invoice["tax"]) == (
        "KA-2026-000001", "520.00", "495.24", "24.76",
    )  # fmt: skip
    assert (note["kind"], note["amount"], note["tax"]) == ("credit_note", "-130.00", "-6.19")
    assert (note["corrects"], note["tickets"]) == ("KA-2026-000001", "1")
    assert (note["tax_name"], note["tax_percent"], note["tax_number"]) == tuple(GST.values())
    after = http.call("GET", "/v1/invoices", token=token, params={**params, "after": invoice["number"]})
    assert rows(after.content) == [note]


def test_accounts_as_csv(http: HttpClient, token: str, booking: Answer) -> None:
    answer = http.call("GET", "/v1/operator/accounts", token=token, params={**PERIOD, "format": "csv"})
    assert rows(answer.content) == [
        {
            "operator": "KSRTC", "date": "2026-12-01", "currency": "INR", "charges": "520.00",
            "refunds": "130.00", "income": "390.00", "tax": "18.57", "kept": "130.00", "commission": "0.00",
            "fees": "0.00",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"prefix": "K-A"}, "prefix"),
        ({"prefix": "KARNATAKA"}, "prefix"),
        ({"prefix": "K\nA"}, "prefix"),
        ({"prefix": "ÄÖ"}, "prefix"),
        ({"tax": {**GST, "percent": "-1"}}, "tax"),
        ({"tax": {**GST, "percent": "100.1"}}, "tax"),
        ({"tax": {**GST, "percent": "5.1234"}}, "tax"),
        ({"tax": {**GST, "percent": "5\n"}}, "tax"),
        ({"tax": {**GST, "number": "29A\n"}}, "tax"),
        ({"tax": {"name": "GST", "percent": "5"}}, "tax"),
        ({"tax": GST, "tax_from": "tomorrow"}, "tax_from"),
        ({"seller": "KSRTC\nBengaluru"}, "seller"),
    ],
)
def test_wrong_invoicing_is_refused(http: HttpClient, token: str, fields: dict[str, Any], field: str) -> None:
    before = http.call("GET", "/v1/invoicing", token=token).json()
    answer = http.call("PUT", "/v1/invoicing", token=token, json=fields)
    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text
    assert http.call("GET", "/v1/invoicing", token=token).json() == before
