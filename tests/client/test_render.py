"""Replies as text: what a command prints of each reply."""

import io
import json
from datetime import date
from typing import Any

import msgspec
from rich.console import Console as RichConsole

from busware import render
from busware.server.http.examples import EXAMPLES
from busware.server.protocol import METHODS
from tests.support.project import PROJECT

DAY = date(2026, 12, 5)
TRIP_OF_SEATS: dict[str, Any] = {
    "bus_id": 1, "travel_date": DAY, "boarding_date": DAY, "from_stop": 1, "to_stop": 3,
}  # fmt: skip


def with_new_fields(method: str, result: dict[str, Any]) -> dict[str, Any]:
    """A reply of release 0.1.0, with the fields that it does not have yet."""
    if "places" in result:
        result["on_sale_from"] = str(DAY)
    if "stands_until" in result:
        result["valid_until"] = result["stands_until"]
    if method == "notice":
        return {"bookings": 1, "tickets": 2}
    for reply in (result, *result.get("trips", []), *result.get("bookings", [])):
        if "booked" in reply:
            reply["load"] = reply["booked"]
        reply["currency"] = "INR"
        if "from_stop" in reply:
            reply["boarding_date"] = reply["departs_at"][:10]
    return TRIP_OF_SEATS | result if "layout" in result else result


def test_every_reply_can_be_printed() -> None:
    """Prints the replies in the transcript of release 0.1.0, and the examples of the HTTP port."""
    out = io.StringIO()
    printed = set()
    for line in (PROJECT / "tests/data/0.1.0/json_rpc.jsonl").read_text().splitlines():
        match json.loads(line):
            case {"send": {"method": str(method)}, "reply": {"result": result}}:
                reply_type = METHODS[method].reply
                reply = msgspec.convert(with_new_fields(method, result), reply_type)
                RichConsole(file=out, width=80).print(render.reply(reply, 80))
                printed.add(reply_type)
    for method, example in EXAMPLES.items():
        reply_type = METHODS[method].reply
        RichConsole(file=out, width=80).print(render.reply(msgspec.convert(example.reply, reply_type), 80))
        printed.add(reply_type)
    assert printed == {request_type.reply for request_type in METHODS.values()}


def test_sales_have_a_sum_of_each_currency() -> None:
    totals = [
        {"currency": currency, "tickets": tickets, "charges": income, "refunds": "0", "income": income}
        for currency, tickets, income in (("INR", 2, "520.00"), ("JPY", 1, "190"))
    ]
    report = msgspec.convert({"rows": [], "totals": totals, **totals[0]}, METHODS["sales"].reply)
    out = io.StringIO()
    RichConsole(file=out, width=80).print(render.reply(report, 80))
    assert out.getvalue().splitlines()[1:] == ["2 tickets, income 520.00.", "1 ticket, income 190 JPY."]
