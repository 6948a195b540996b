"""Schema `api` as Python calls, for the tests of the database.

A `SchemaApi` uses one connection as the owner of the database. It checks every answer against the protocol: a
reply has only the fields of its struct, and a refusal has a known reason and a message. A request has
defaults for what the test does not name: service 1, travel date DAY, the whole route, the phone number ASHA.
`SchemaApi.open` checks at its end that `api.audit()` finds nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from busware.server import protocol
from busware.server.webhooks.carrier import sent_event
from tests.support.refusals import check_data

if TYPE_CHECKING:
    from tests.conftest import Database

DAY = "2026-12-05"  # a Saturday, four days after the tests' NOW
OTHER_DAY = "2026-12-06"
ASHA, RAVI = "+919845012345", "+919880099000"
TRIP = {"bus_id": 1, "travel_date": DAY, "origin": "Bengaluru", "destination": "Mysuru"}

PAYMENT_REPLY = protocol.PaymentOutcome  # to what a provider says, which is no method of the protocol

Answer = dict[str, Any]


class SchemaApi:
    """The functions of schema `api` for bookings, on one connection."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn = conn

    @classmethod
    @contextmanager
    def open(cls, database: "Database") -> Iterator["SchemaApi"]:
        """Connect, and check the audit at the end of the `with`."""
        with database.connect() as conn:
            yield cls(conn)
            assert audit(conn) == []
            check_events(conn)

    # The entry points --------------------------------------------------------------------------

    def read(self, method: str, **args: Any) -> Answer:
        """Call api.read."""
        ((refused, answer),) = self.conn.execute(
            "SELECT refused, answer FROM api.read(%s, %s)", (method, Jsonb(args))
        ).fetchall()
        assert refused is ("reason" in answer)
        check(method, answer)
        return answer

    def write(self, method: str, key: str | None = None, **args: Any) -> Answer:
        """Call api.call, which waits for the lock of the trip."""
        statement = "SELECT api.call(%s, %s, key => %s)"
        ((answer,),) = self.conn.execute(statement, (method, Jsonb(args), key)).fetchall()
        check(method, answer)
        return answer

    def batch(self, *calls: Answer) -> list[Answer | None]:
        """Call api.batch: the answers in the order of the calls; None for a deferred call."""
        rows = self.conn.execute("SELECT n, refused, answer FROM api.batch(%s)", (Jsonb(calls),)).fetchall()
        assert sorted(n for n, _, _ in rows) == list(range(len(calls)))
        for n, refused, answer in rows:
            assert refused is (None if answer is None else "reason" in answer)
            if answer is not None:
                check(calls[n]["method"], answer)
        return [answer for _, _, answer in sorted(rows, key=lambda row: row[0])]

    def change_fleet(self, method: str, **args: Any) -> Answer:
        """Call api.change_fleet."""
        ((refused, answer),) = self.conn.execute(
            "SELECT refused, answer FROM api.change_fleet(%s, %s)", (method, Jsonb(args))
        ).fetchall()
        assert refused is ("reason" in answer)
        check(method, answer)
        return answer

    # Requests ----------------------------------------------------------------------------------

    def book(self, *seats: int, count: int | None = None, **args: Any) -> Answer:
        """Book these seats, or `count` of any; args may name another segment than TRIP's."""
        return self.write("book", **sale(*seats, count=count, **args))

    def hold(self, *seats: int, count: int | None = None, **args: Any) -> Answer:
        """Hold these seats, or `count` of any."""
        return self.write("hold", **sale(*seats, count=count, **args))

    def cancel(self, booking: Answer, *tickets: int, **args: Any) -> Answer:
        """Cancel these tickets of a booking, or all of them."""
        return self.change("cancel", booking, **({"tickets": list(tickets)} if tickets else {}), **args)

    def change(self, method: str, booking: Answer, **args: Any) -> Answer:
        """Call a write on a booking; with ASHA's phone number, unless args name another."""
        return self.write(method, **{"reference": booking["reference"], "phone": ASHA, **args})

    def show(self, booking: Answer, **args: Any) -> Answer:
        """Read a booking."""
        return self.read("booking", **{"reference": booking["reference"], "phone": ASHA, **args})

    # State -------------------------------------------------------------------------------------

    def free(self, from_stop: int = 1, to_stop: int = 5, **args: Any) -> list[int]:
        """The seats that are free on a segment, by the seat map."""
        return self.seats("free", from_stop, to_stop, **args)

    def seats(self, state: str, from_stop: int = 1, to_stop: int = 5, **args: Any) -> list[int]:
        """The seats that have this state on a segment, by the seat map."""
        trip = {"bus_id": 1, "travel_date": DAY, "from_stop": from_stop, "to_stop": to_stop}
        shown = self.read("seat_map", **(trip | args))
        return [seat["seat_no"] for seat in shown["seats"] if seat["state"] == state]

    def everything(self) -> list[list[Any]]:
        """The rows of all tables that a write changes, to compare before and after a refusal."""
        tables = ("trips", "seats", "passengers", "payments", "idempotency_keys")
        return [self.conn.execute(f"TABLE {name} ORDER BY 1, 2, 3").fetchall() for name in tables]  # type: ignore[arg-type]


@pytest.fixture
def api(database: "Database") -> Iterator[SchemaApi]:
    with SchemaApi.open(database) as api:
        yield api


def sale(*seats: int, count: int | None = None, **args: Any) -> Answer:
    """The arguments of `book` and `hold`; without seats and count: any one seat."""
    wanted = {"seats": list(seats)} if seats else {"count": count or 1}
    trip = TRIP if "from_stop" not in args else {"bus_id": 1, "travel_date": DAY}
    return {**trip, "phone": ASHA, **wanted, **args}


def call(method: str, key: str | None = None, **args: Any) -> Answer:
    """One call of a batch."""
    return {"method": method, "args": args, "key": key}


def book(*seats: int, key: str | None = None, **args: Any) -> Answer:
    """A call of `book`, for a batch."""
    return call("book", key, **sale(*seats, **args))


def outcomes_of(answers: list[Answer | None]) -> list[str | None]:
    """The status or the refusal's reason of each answer; None for a deferred call."""
    return [answer and answer.get("status", answer.get("reason")) for answer in answers]


def check(method: str, answer: Answer) -> None:
    """Check that an answer is as the protocol defines it."""
    if "reason" in answer:
        assert answer["message"].strip() and "None" not in answer["message"]
        data = {name: value for name, value in answer.items() if name not in ("reason", "message")}
        check_data(answer["reason"], data)
    elif method != "settle":
        reply = PAYMENT_REPLY if method == "payment_result" else protocol.METHODS[method].reply
        msgspec.convert(answer, reply)
        assert answer.keys() <= set(reply.__struct_fields__)


def check_events(conn: psycopg.Connection[Any]) -> None:
    """Check that what webhooks get of each event is as the protocol defines it."""
    for (row,) in conn.execute(
        "SELECT to_jsonb(e) FROM events e WHERE bus_id > 0 ORDER BY event_no"
    ).fetchall():
        event = sent_event({**row, "position": row["position"] or 1})
        sent = msgspec.convert(event, protocol.SENT_EVENTS[row["type"]])
        assert event["data"].keys() - set(sent.data.__struct_fields__) == set(), row["type"]


def audit(conn: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """The findings of `api.audit()`."""
    return conn.execute("SELECT * FROM api.audit()").fetchall()
