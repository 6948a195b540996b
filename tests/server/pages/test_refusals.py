"""Refusals as texts of the pages."""

import pytest

from busware.server.languages import language
from busware.server.pages import refusals
from busware.server.protocol import Refusal


@pytest.mark.parametrize(
    ("refusal", "shown"),
    [
        (Refusal("seat_taken", "Seats 3 and 4 are taken.", seats=[3, 4]), ["3, 4"]),
        (
            Refusal(
                "seat_taken",
                "Sold.",
                seats=[3],
                sold=[{"reference": "DT7VKKK", "ticket_no": 1, "seat_no": 3}],
            ),
            ["बंद करें", "3", "DT7VKKK"],
        ),
        (
            Refusal("unknown_trip", "No trip.", dates=["2026-12-05", "2026-12-06"]),
            ["5 दिस॰ 2026", "6 दिस॰ 2026"],
        ),
        (Refusal("hold_expired", "Expired.", fare="1234.50", currency="INR"), ["₹1,234.50"]),
        (Refusal("not_allowed", "Wait.", limit=2, retry_after=61.5), ["2 मिनट"]),
        (Refusal("bad_request", "Wrong.", field="phone", takes="a phone number"), ["98450\u00a012345"]),
        (Refusal("sold_out", "Full.", seats_free=0), ["सीटें"]),
    ],
)
def test_refusal_in_hindi_says_what_it_is_about(refusal: Refusal, shown: list[str]) -> None:
    text = refusals.text(refusal, language("hi"))
    assert [part for part in shown if part not in text] == []
    assert refusal.message not in text
    assert refusals.text(refusal, language("en")) == refusal.message
