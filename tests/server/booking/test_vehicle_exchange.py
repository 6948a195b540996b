"""`exchange_vehicle` through the server: the plan, a trip that is sold meanwhile, and a full trip."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import WAIT_SECONDS, Database, LineClient
from tests.support.schema_api import DAY, SchemaApi, audit, book

TRIP = {"bus_id": 1, "travel_date": DAY}
FORTY = "...D\n" + "\n".join(["ss.ss"] * 10)
THIRTY_TWO = "...D\n" + "\n".join(["ss.ss"] * 8)
STOPS = 11
PHONE = "98450 12345"


@pytest.fixture
def operator(client_socket: LineClient, database: Database) -> LineClient:
    """A client that is signed in as KSRTC, with the vehicles KA09F40 and KA09F32."""
    client_socket.call("register", username="ksrtc", password="correct horse battery")
    database.query("UPDATE accounts SET role = 'operator', operator = 'KSRTC'")
    client_socket.call("login", username="ksrtc", password="correct horse battery")
    for seats, layout in ((40, FORTY), (32, THIRTY_TWO)):
        added = client_socket.call("put_vehicle", registration=f"KA09F{seats}", layout=layout)
        assert added["seats"] == seats
    return client_socket


@pytest.fixture
def long_route(database: Database) -> None:
    """Service 1 has 40 seats and eleven stops at one place."""
    stops = "\n".join(
        f"Bengaluru | {'-' if n == 0 else f'{10 + n}:00'} | {'-' if n == STOPS - 1 else f'{10 + n}:05'} "
        f"| {10 * n} | {20 * n}"
        for n in range(STOPS)
    )
    database.query(
        "SELECT api.add_service(1, 'Long Bus', 'KSRTC', %s, sales_days => 14, stops => %s, replace => true)",
        FORTY,
        stops,
    )


def waits_for_trip(database: Database) -> None:
    """Wait until a statement waits for a lock of a row."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not database.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
        assert time.monotonic() < deadline, "no statement waits for a lock"


@pytest.mark.parametrize(
    "refused", [False, pytest.param(True, marks=pytest.mark.settings(exchange_attempts=1))]
)
def test_a_trip_that_is_sold_meanwhile_is_planned_again(
    operator: LineClient, database: Database, refused: bool
) -> None:
    """The exchange has read the trip and waits for its lock; then a booking is committed."""
    with database.connect(autocommit=False) as other, ThreadPoolExecutor(1) as threads:
        (booked,) = SchemaApi(other).batch(book(7))
        done = threads.submit(operator.call, "exchange_vehicle", **TRIP, vehicle="KA09F32")
        waits_for_trip(database)
        other.commit()
        answer = done.result(WAIT_SECONDS)
    assert booked is not None
    if refused:
        assert answer["data"]["reason"] == "plan_changed"
        assert database.query("SELECT own_seats FROM trips WHERE own_seats IS NOT NULL") == []
    else:
        assert (answer["tickets"], answer["seated"]) == (1, 1)
    assert audit(database.conn) == []


def test_a_plan_is_executed_or_refused(operator: LineClient) -> None:
    call = {**TRIP, "vehicle": "KA09F32"}
    plan = operator.call("exchange_vehicle", **call, plan=True)
    assert "vehicle" not in operator.call("trips", date=DAY)["trips"][0]
    booked = operator.call("book", **TRIP, from_stop=1, to_stop=5, seats=[1], phone=PHONE)
    assert booked["status"] == "booked"
    refused = operator.call("exchange_vehicle", **call, version=plan["version"])
    assert refused["data"]["reason"] == "plan_changed"
    plan = operator.call("exchange_vehicle", **call, plan=True)
    done = operator.call("exchange_vehicle", **call, version=plan["version"])
    assert done == plan


def fill(operator: LineClient, seed: int) -> list[dict[str, Any]]:
    """Book parties on random segments until twenty in a row find no seats."""
    random_ = random.Random(seed)
    booked: list[dict[str, Any]] = []
    refused = 0
    while refused < 20:
        from_stop = random_.randrange(1, STOPS)
        segment = {"from_stop": from_stop, "to_stop": random_.randrange(from_stop + 1, STOPS + 1)}
        party = random_.choice([1, 1, 2, 2, 3, 4])
        answer = operator.call("book", **TRIP, **segment, count=party, phone=PHONE)
        if "reference" in answer:
            booked.append(answer)
            refused = 0
        else:
            assert answer["data"]["reason"] == "sold_out"
            refused += 1
    return booked


@pytest.mark.usefixtures("long_route")
def test_forty_seats_become_thirty_two(operator: LineClient, database: Database) -> None:
    booked = fill(operator, 15)
    tickets = sum(len(booking["tickets"]) for booking in booked)
    assert tickets > 100
    done = operator.call("exchange_vehicle", **TRIP, vehicle="KA09F32", reason="Breakdown.")
    left_over = {party["reference"]: party["tickets"] for party in done["left_over"]}
    assert left_over
    assert done["tickets"] == tickets == done["seated"] + sum(left_over.values())
    now = {b["reference"]: operator.call("booking", reference=b["reference"], phone=PHONE) for b in booked}
    for before in booked:
        after = now[before["reference"]]
        if before["reference"] in left_over:  # no other trip goes there
            assert (after["status"], after["refund"]) == ("cancelled", before["fare"])
        else:
            assert all(1 <= ticket["seat_no"] <= 32 for ticket in after["tickets"])
            assert (after["status"], after["fare"], after["refund"]) == ("booked", before["fare"], "0.00")
    informed = database.query("SELECT reference FROM messages WHERE audience = 'booking' ORDER BY 1")
    moved = {move["reference"] for move in done["moves"]}
    assert informed == sorted(moved | left_over.keys())  # one message for each
    assert audit(database.conn) == []
    back = operator.call("exchange_vehicle", **TRIP, vehicle="KA09F40")
    assert (back["moves"], back["left_over"], back["trip"]["seats"]) == ([], [], 40)
    assert audit(database.conn) == []


def test_the_passengers_are_pushed_their_new_seats(
    pushing: SimpleNamespace, operator: LineClient, connect: Callable[[], LineClient]
) -> None:
    traveller = connect()
    booked = traveller.call("book", **TRIP, from_stop=1, to_stop=5, seats=[8], phone=PHONE)
    assert operator.call("put_vehicle", registration="KA09F2", layout="...D\nss")["seats"] == 2
    assert operator.call("exchange_vehicle", **TRIP, vehicle="KA09F2")["moved"] == 1
    pushed = dict(traveller.notification() for _ in range(2))
    assert pushed.keys() == {"message", "booking_changed"}
    assert booked["reference"] in pushed["message"]["text"]
