"""Whatever is exchanged, cancelled or ended early: what a provider has of a booking is what the ledger has.

The ledger has charges and refunds of tickets; a provider has payments, and gets orders to give back a part.
If two tickets of a party swap seats of two classes, one is refunded in the ledger and one is charged, and no
money leaves the provider.
"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from tests.conftest import Database
from tests.support.fleet import edit_service
from tests.support.payments import booked_online, sell_online
from tests.support.schema_api import DAY, OTHER_DAY, Answer, SchemaApi, audit

AT_PROVIDER = """
    SELECT coalesce(sum(i.received) FILTER (WHERE i.booked_at IS NOT NULL), 0) - coalesce(sum(r.amount), 0)
    FROM payment_intents i
    LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM refunds GROUP BY 1) AS r USING (payment_id)
    WHERE i.reference = %s
"""
IN_LEDGER = """
    SELECT coalesce(sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END), 0) FROM payments
    WHERE reference = %s
"""
CLASSES = {
    "INR": [
        {"name": "Front", "seats": [1, 2, 3], "amount": "40.00"},
        {"name": "Rear", "seats": [7, 8], "percent": "-12.5"},
    ],
    "KWD": [
        {"name": "Front", "seats": [1, 2, 3], "amount": "0.350"},
        {"name": "Rear", "seats": [7, 8], "percent": "-12.5"},
    ],
}
FARES = {"KWD": ["0", "1.110", "2.250", "2.990", "3.330"]}  # of the stops of service 1

seats = st.lists(st.sampled_from([1, 2, 5, 6, 7, 8]), min_size=2, max_size=4, unique=True)
tickets = st.sets(st.integers(1, 4), min_size=1, max_size=2)
exchange = st.fixed_dictionaries(
    {},
    optional={
        "seats": st.permutations(range(1, 9)),
        "travel_date": st.sampled_from([DAY, OTHER_DAY]),
        "to_stop": st.integers(3, 5),
    },
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("exchange"), exchange),
        st.tuples(st.just("exchange"), st.fixed_dictionaries({"swaps": st.just(True)})),  # within the party
        st.tuples(st.just("cancel"), st.fixed_dictionaries({"tickets": tickets.map(sorted)})),
        st.tuples(st.just("alight"), st.fixed_dictionaries({"at": st.just("Mandya")})),
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture(params=["INR", "KWD"])
def currency(request: pytest.FixtureRequest, database: Database) -> str:
    """The currency of service 1, which has fares with all decimals that Stripe charges."""
    for stop_no, fare in enumerate(FARES.get(request.param, []), start=1):
        database.query("UPDATE route_table SET fare = %s WHERE bus_id = 1 AND stop_no = %s", fare, stop_no)
    database.query("UPDATE bus_info SET currency = %s WHERE bus_id = 1", request.param)
    return str(request.param)


def carry_out(api: SchemaApi, booking: Answer, party: int, method: str, args: dict[str, Any]) -> str | None:
    """Send the request, with as many seats as the booking has booked tickets. Returns a refusal's reason."""
    args = dict(args)
    own = [ticket["seat_no"] for ticket in api.show(booking)["tickets"] if ticket["status"] == "booked"]
    if args.pop("swaps", False):
        args["seats"] = own[1:] + own[:1] or [1]
    elif "seats" in args:
        args["seats"] = list(args["seats"][: len(own) or party])
    due = {"due": "999"} if method == "exchange" else {}
    answer = api.change(method, booking, **args, **due)
    reason: str | None = answer.get("reason")
    return reason


@settings(  # without shrinking: the database keeps what an example has done
    max_examples=60, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(chosen=seats, steps=steps, fee=st.sampled_from(["0", "0", "0.250"]), percent=st.integers(0, 100))
def test_provider_has_what_the_ledger_has(
    api: SchemaApi,
    database: Database,
    currency: str,
    chosen: list[int],
    steps: list[tuple[str, dict[str, Any]]],
    fee: str,
    percent: int,
) -> None:
    sell_online_once(api, database)
    edit_service(
        api, exchange_until="1 hour", exchange_fee=fee, refund_percent=str(percent),
        alight_refund_percent=str(percent), seat_classes=CLASSES[currency],
    )  # fmt: skip
    booking = booked_online(api, *chosen)["payment"]
    try:
        for method, args in steps:
            before = at_provider(database, booking)
            reason = carry_out(api, booking, len(chosen), method, args)
            event(f"{method}: {reason or 'done'}")
            after = at_provider(database, booking)
            assert after == database.value(IN_LEDGER, booking["reference"])
            assert Decimal(0) <= after <= before
            assert reason is None or after == before
    finally:
        api.cancel(booking)
    assert at_provider(database, booking) == database.value(IN_LEDGER, booking["reference"])
    orders = database.query("SELECT amount FROM refunds")
    assert all(amount == round(amount, 2) for amount in orders)  # Stripe carries them out
    assert audit(database.conn) == []


def at_provider(database: Database, booking: Answer) -> Decimal:
    """What a provider has of a booking, less the refunds that were ordered."""
    amount: Decimal = database.value(AT_PROVIDER, booking["reference"])
    return amount


def sell_online_once(api: SchemaApi, database: Database) -> None:
    """Have service 1 paid to Stripe, unless an earlier example has done it."""
    if not database.query("SELECT FROM accounts WHERE username = 'meera'"):
        sell_online(api, "stripe")
