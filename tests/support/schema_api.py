"""The booking api: schema api as Python calls, for the tests that face the database.

A `SchemaApi` sits on one connection of the server's own role, which may only call and read. Every answer
that comes by it is checked against the vocabulary of the wire: a reply has exactly the fields of its
struct, a refusal a known reason and a sentence. What a test does not say is a sensible request: the
day bus, DAY, all of its road, ASHA's phone. `SchemaApi.open` looks, in the end, whether the audit is clean.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from busware.server import protocol

if TYPE_CHECKING:
    from tests.conftest import Database

DAY = "2026-12-05"  # a Saturday, four days after the tests' NOW
OTHER_DAY = "2026-12-06"
ASHA, RAVI = "+919845012345", "+919880099000"
TRIP = {"bus_id": 1, "travel_date": DAY, "origin": "Bengaluru", "destination": "Mysuru"}
LEGS = {"Bengaluru": 1, "Ramanagara": 2, "Mandya": 3, "Srirangapatna": 4, "Mysuru": 5}

Answer = dict[str, Any]


class SchemaApi:
    """The api of a database, by the entry points that the server uses."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn = conn

    @classmethod
    @contextmanager
    def open(cls, database: "Database") -> Iterator["SchemaApi"]:
        """A desk on a connection of its own."""
        with database.connect_as_server() as conn:
            yield cls(conn)
            assert audit(conn) == []

    # The entry points --------------------------------------------------------------------------

    def read(self, method: str, **args: Any) -> Answer:
        """What api.read answers."""
        ((refused, answer),) = self.conn.execute(
            "SELECT refused, answer FROM api.read(%s, %s)", (method, Jsonb(args))
        ).fetchall()
        assert refused is ("reason" in answer)
        check(method, answer)
        return answer

    def write(self, method: str, caller: str = "", key: str | None = None, **args: Any) -> Answer:
        """What api.call answers, which waits for the trip."""
        ((answer,),) = self.conn.execute(
            "SELECT api.call(%s, %s, %s, %s)", (method, Jsonb(args), caller, key)
        ).fetchall()
        check(method, answer)
        return answer

    def batch(self, *calls: Answer) -> list[Answer | None]:
        """What api.batch answers, in the order of the calls; None: deferred."""
        rows = self.conn.execute("SELECT n, refused, answer FROM api.batch(%s)", (Jsonb(calls),)).fetchall()
        assert sorted(n for n, _, _ in rows) == list(range(len(calls)))
        for n, refused, answer in rows:
            assert refused is (None if answer is None else "reason" in answer)
            if answer is not None:
                check(calls[n]["method"], answer)
        return [answer for _, _, answer in sorted(rows, key=lambda row: row[0])]

    # Requests ----------------------------------------------------------------------------------

    def book(self, *seats: int, count: int | None = None, **args: Any) -> Answer:
        """Book these seats, or any; over a stretch other than TRIP by origin, destination or positions."""
        return self.write("book", **sale(*seats, count=count, **args))

    def hold(self, *seats: int, count: int | None = None, **args: Any) -> Answer:
        """Hold these seats, or any."""
        return self.write("hold", **sale(*seats, count=count, **args))

    def cancel(self, booking: Answer, *tickets: int, **args: Any) -> Answer:
        """Cancel these tickets of a booking, or all."""
        return self.change("cancel", booking, **({"tickets": list(tickets)} if tickets else {}), **args)

    def change(self, method: str, booking: Answer, **args: Any) -> Answer:
        """Any write to ASHA's booking, unless another phone is given."""
        return self.write(method, **{"reference": booking["reference"], "phone": ASHA, **args})

    def show(self, booking: Answer, **args: Any) -> Answer:
        """The booking as it is now."""
        return self.read("booking", **{"reference": booking["reference"], "phone": ASHA, **args})

    # What is there -----------------------------------------------------------------------------

    def free(self, from_stop: int = 1, to_stop: int = 5, **args: Any) -> list[int]:
        """The seats that the map shows as free over a stretch."""
        return self.seats("free", from_stop, to_stop, **args)

    def seats(self, state: str, from_stop: int = 1, to_stop: int = 5, **args: Any) -> list[int]:
        """The seats that the map shows in a state over a stretch."""
        trip = {"bus_id": 1, "travel_date": DAY, "from_stop": from_stop, "to_stop": to_stop}
        shown = self.read("seat_map", **(trip | args))
        return [seat["seat_no"] for seat in shown["seats"] if seat["state"] == state]

    def everything(self) -> list[list[Any]]:
        """All that is sold and recorded, to see that a refusal has changed nothing."""
        tables = ("trips", "seats", "passengers", "payments", "requests")
        return [self.conn.execute(f"TABLE {name} ORDER BY 1, 2, 3").fetchall() for name in tables]  # type: ignore[arg-type]


@pytest.fixture
def api(database: "Database") -> Iterator[SchemaApi]:
    with SchemaApi.open(database) as api:
        yield api


def sale(*seats: int, count: int | None = None, **args: Any) -> Answer:
    """The arguments of book and hold; no seats and no count: one seat, whichever."""
    wanted = {"seats": list(seats)} if seats else {"count": count or 1}
    stretch = TRIP if "from_stop" not in args else {"bus_id": 1, "travel_date": DAY}
    return {**stretch, "phone": ASHA, **wanted, **args}


def call(method: str, key: str | None = None, caller: str = "asha", **args: Any) -> Answer:
    """A member of a batch."""
    return {"method": method, "args": args, "caller": caller, "key": key}


def book(*seats: int, key: str | None = None, caller: str = "asha", **args: Any) -> Answer:
    return call("book", key, caller, **sale(*seats, **args))


def reasons(answers: list[Answer | None]) -> list[str | None]:
    """The status or the reason of each answer; None: deferred."""
    return [answer and answer.get("status", answer.get("reason")) for answer in answers]


def check(method: str, answer: Answer) -> None:
    """That an answer is what the wire says of it."""
    if "reason" in answer:
        assert answer["reason"] in protocol.REASONS
        assert answer["message"].strip() and "None" not in answer["message"]
    elif method != "settle":
        reply = protocol.METHODS[method].reply
        msgspec.convert(answer, reply)
        assert answer.keys() <= set(reply.__struct_fields__)


def audit(conn: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """The findings of the audit."""
    return conn.execute("SELECT * FROM api.audit()").fetchall()
