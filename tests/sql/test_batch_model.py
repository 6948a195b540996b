"""`api.batch`: many requests in one batch have the same results as the same requests one by one.

A batch delays some writes to do them for all its requests at once. No result may depend on that. Two dates
of a service get the same bookings and then the same random requests: one date in a batch, the other one
request at a time. Refusals, tickets, payments and taken segments must be the same.
"""

import random
from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, Answer, SchemaApi, call, sale

BOOKINGS_BEFORE = 6
REQUESTS = 14


def fill_trip(api: SchemaApi, chance: random.Random, day: str) -> list[Answer]:
    """Bookings, holds and waitlist entries before the batch; the short holds expire before it."""
    sold = []
    while len(sold) < BOOKINGS_BEFORE:
        start = chance.randint(1, 3)
        wanted = {
            "from_stop": start,
            "to_stop": chance.randint(start + 1, 5),
            "count": chance.randint(1, 3),
            "travel_date": day,
        }
        if chance.random() < 0.4:
            answer = api.hold(seconds=chance.choice([60, 900]), **wanted)
        else:
            answer = api.book(**wanted)
        if "reason" in answer:
            answer = api.book(waitlist=True, **wanted)
        sold.append(answer)
    return sold


def random_request(chance: random.Random, key: str, day: str, sold: list[Answer]) -> Answer:
    """A random request."""
    start = chance.randint(1, 4)
    segment = {"from_stop": start, "to_stop": chance.randint(start + 1, 5), "travel_date": day}
    booking = {"reference": chance.choice(sold)["reference"], "phone": ASHA}
    return chance.choice(
        [
            call("book", key, **sale(*chance.sample(range(1, 9), chance.randint(1, 2)), **segment)),
            call("book", key, **sale(count=chance.randint(1, 4), **segment)),
            call("book", key, **sale(count=chance.randint(1, 4), waitlist=True, **segment)),
            call("hold", key, **sale(count=chance.randint(1, 3), **segment)),
            call(chance.choice(["confirm", "release", "cancel"]), key, **booking),
            call("cancel", key, tickets=[1], **booking),
            call("change_seat", key, ticket_no=1, seat_no=chance.randint(1, 8), **booking),
            call("alight", key, at=chance.randint(2, 4), **booking),
        ]
    )


def state(database: Database, day: str) -> list[list[Any]]:
    """The state of a date without its random references."""
    statements = [
        "SELECT array_agg(ARRAY[status, seat_no::text, segment::text, fare::text, refund::text, "
        "(queue_no IS NULL)::text] ORDER BY ticket_no) AS party "
        "FROM passengers WHERE travel_date = %s GROUP BY reference ORDER BY party",
        "SELECT seat_no, taken::text FROM seats WHERE bus_id = 1 AND travel_date = %s ORDER BY seat_no",
        "SELECT y.kind, y.payment_no, y.amount::text FROM payments y "
        "JOIN passengers USING (bus_id, reference, ticket_no) WHERE travel_date = %s ORDER BY 1, 2, 3",
    ]
    return [database.query(statement, day) for statement in statements]


@pytest.mark.parametrize("seed", range(25))
def test_batch_equals_single_requests(api: SchemaApi, database: Database, clock: Clock, seed: int) -> None:
    sold = [fill_trip(api, random.Random(seed), day) for day in (DAY, OTHER_DAY)]
    clock.advance(minutes=2)
    chances = [random.Random(f"requests {seed}") for _ in sold]
    calls = [
        [random_request(chance, f"{day} {n}", day, before) for n in range(REQUESTS)]
        for chance, day, before in zip(chances, (DAY, OTHER_DAY), sold, strict=True)
    ]
    in_one_batch = api.batch(*calls[0])
    one_by_one = [api.batch(one)[0] for one in calls[1]]
    assert [answer and answer.get("reason") for answer in in_one_batch] == [
        answer and answer.get("reason") for answer in one_by_one
    ]
    assert state(database, DAY) == state(database, OTHER_DAY)
