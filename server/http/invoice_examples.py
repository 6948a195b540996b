"""Examples of invoices for the OpenAPI document: Asha gets an invoice for her two seats."""

from busware.server.http.payment_examples import Json

_TAX: Json = {"name": "GST", "percent": "5", "number": "29AAACK1234A1Z5"}
_SELLER = "KSRTC, Shanthinagar, Bengaluru 560027"
_PERIOD: Json = {"from": "2026-12-01", "to": "2026-12-31"}
_INVOICE: Json = {
    "number": "KA-2026-000123",
    "kind": "invoice",
    "date": "2026-12-01",
    "issued_at": "2026-12-01T03:30:01Z",
    "operator": "KSRTC",
    "seller": _SELLER,
    "reference": "DTK7GHJ",
    "currency": "INR",
    "amount": "520.00",
    "net": "495.24",
    "journey": {
        "kind": "bus",
        "name": "Airavat Club Class",
        "bus_id": 101,
        "travel_date": "2026-12-05",
        "origin": "Bengaluru",
        "destination": "Mysuru",
        "departs_at": "2026-12-05T22:00:00+05:30",
    },
    "lines": [
        {"ticket_no": ticket_no, "payment_no": 1, "amount": "260.00", "tax": "12.38", "seat_no": seat_no}
        for ticket_no, seat_no in ((1, 7), (2, 8))
    ],
    "tax": {**_TAX, "amount": "24.76"},
}
_SUMS: Json = {
    "currency": "INR",
    "charges": "520.00",
    "refunds": "0.00",
    "income": "520.00",
    "tax": "24.76",
    "kept": "0.00",
    "commission": "0.00",
    "fees": "9.44",
}
_INVOICING: Json = {
    "operator": "KSRTC",
    "taxes": [{"valid_from": "2026-12-01T00:00:00+05:30", **_TAX}],
    "prefix": "KA",
    "year_begins": 4,
    "seller": _SELLER,
    "since": "2026-11-30T10:00:00+05:30",
}
# By method: the fields of a request and of its reply.
INVOICE_EXAMPLES: dict[str, tuple[Json, Json]] = {
    "invoice": ({"reference": "DTK7GHJ", "phone": "98450 12345"}, {"invoices": [_INVOICE]}),
    "invoices": ({**_PERIOD, "limit": 1}, {"invoices": [_INVOICE], "next": "KA-2026-000123"}),
    "accounts": (
        _PERIOD,
        {"operator": "KSRTC", "rows": [{"date": "2026-12-01", **_SUMS}], "totals": [_SUMS]},
    ),
    "invoicing": ({}, _INVOICING),
    "put_invoicing": ({"prefix": "KA", "seller": _SELLER, "tax": _TAX, "tax_from": "2026-12-01"}, _INVOICING),
}
