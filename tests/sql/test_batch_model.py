"""Schema api, the batch against itself: many requests at once come to what they come to one by one.

A batch decides first and writes later what can be written for all at once; nobody may be able to tell.
Two dates are given the same bookings, then the same random requests: one date in a batch, the other
one by one. Refusals, tickets, money and what is taken of each seat have to be the same.
"""

import random
from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, Answer, SchemaApi, call, sale

PRIOR = 6  # bookings that are there before the batch
REQUESTS = 14  # in it


def prior(api: SchemaApi, dice: random.Random, day: str) -> list[Answer]:
    """What is sold, held and waited for before: some holds run out as the clock moves on."""
    sold = []
    while len(sold) < PRIOR:
        a = dice.randint(1, 3)
        wanted = {
            "from_stop": a,
            "to_stop": dice.randint(a + 1, 5),
            "count": dice.randint(1, 3),
            "travel_date": day,
        }
        answer = (
            api.hold(seconds=dice.choice([60, 900]), **wanted) if dice.random() < 0.4 else api.book(**wanted)
        )
        if "reason" in answer:
            answer = api.book(waitlist=True, **wanted)
        sold.append(answer)
    return sold


def request(dice: random.Random, key: str, day: str, sold: list[Answer]) -> Answer:
    """Something that a traveller might ask for."""
    a = dice.randint(1, 4)
    ride = {"from_stop": a, "to_stop": dice.randint(a + 1, 5), "travel_date": day}
    mine = {"reference": dice.choice(sold)["reference"], "phone": ASHA}
    return dice.choice(
        [
            call("book", key, **sale(*dice.sample(range(1, 9), dice.randint(1, 2)), **ride)),
            call("book", key, **sale(count=dice.randint(1, 4), **ride)),
            call("book", key, **sale(count=dice.randint(1, 4), waitlist=True, **ride)),
            call("hold", key, **sale(count=dice.randint(1, 3), **ride)),
            call(dice.choice(["confirm", "release", "cancel"]), key, **mine),
            call("cancel", key, tickets=[1], **mine),
            call("change_seat", key, ticket_no=1, seat_no=dice.randint(1, 8), **mine),
            call("alight", key, at=dice.randint(2, 4), **mine),
        ]
    )


def outcome(database: Database, day: str) -> list[list[Any]]:
    """All that became of a date, but for its random references."""
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
def test_at_once_or_one_by_one(api: SchemaApi, database: Database, clock: Clock, seed: int) -> None:
    sold = [prior(api, random.Random(seed), day) for day in (DAY, OTHER_DAY)]
    clock.advance(minutes=2)
    dice = [random.Random(f"requests {seed}") for _ in sold]
    calls = [
        [request(d, f"{day} {n}", day, before) for n in range(REQUESTS)]
        for d, day, before in zip(dice, (DAY, OTHER_DAY), sold, strict=True)
    ]
    at_once = api.batch(*calls[0])
    one_by_one = [api.batch(one)[0] for one in calls[1]]
    assert [told and told.get("reason") for told in at_once] == [
        told and told.get("reason") for told in one_by_one
    ]
    assert outcome(database, DAY) == outcome(database, OTHER_DAY)
