"""Random requests: the functions of schema `api` and the model (tests/support/model.py) agree on each.

Hypothesis generates sequences of requests for a trip and shortens a sequence that fails. After every request
the test compares the status, seat, segment and refund of each ticket, the free seats of each leg, and the
waitlist, and runs the audit. Each sequence has a trip of its own. The clock is `test.now`, a setting of the
session, because PostgreSQL plans all functions again after `api.now()` is replaced.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.conftest import Database
from tests.support import event_log
from tests.support.model import Party, Service, Trip
from tests.support.schema_api import ASHA, Answer, SchemaApi, audit

# About 15 seconds. Raise max_examples to search further.
EFFORT = settings(
    max_examples=80, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)

BUS = 9
SEATS, STOPS = 3, 4
TIMETABLE = """
    Bengaluru  | -     | 10:00 |  0 |  0
    Ramanagara | 10:50 | 11:00 |  1 | 10.01
    Mandya     | 11:50 | 12:00 |  2 | 25.50
    Mysuru     | 14:00 | -     |  3 | 99.99
"""
FARES = [  # by stop number; the first one is that of TIMETABLE
    dict(zip(range(1, STOPS + 1), map(Decimal, fares.split()), strict=True))
    for fares in ("0 10.01 25.50 99.99", "0 10.01 80 99.99", "5 6 6 300.33", "0 0 0 0")
]

segments = st.sampled_from([(1, 4), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4)])
counts = st.sampled_from([1, 2, 3, 4])
holds = st.none() | st.sampled_from([10, 600, 1800])
which = st.integers(0, 5)  # an index of the bookings, the latest first
tickets_or_all = st.none() | st.lists(st.integers(1, SEATS), min_size=1, max_size=2, unique=True)


class Requests(RuleBasedStateMachine):
    """Sends the same requests to the database and to the model, for one trip."""

    def __init__(self, api: SchemaApi, database: Database, day: date) -> None:
        super().__init__()
        self.api, self.database, self.day = api, database, day
        self.last: tuple[Callable[[], Answer], Answer] | None = None
        self.keys = 0
        midnight = datetime.fromisoformat(f"{day}T00:00+05:30")
        departs = {stop: midnight + timedelta(hours=9 + stop) for stop in range(1, STOPS)}
        service = Service(SEATS, departs, FARES[0], 3, 2, Decimal(50), Decimal(25))
        self.trip = Trip(service, midnight + timedelta(hours=8))
        self.set_clock()
        database.query("SELECT api.add_trip(%s, %s)", BUS, day)

    def teardown(self) -> None:
        """Delete the trip, so that the audit stays fast."""
        self.change_fares(FARES[0])
        for table in ("payments", "idempotency_keys", "events", "passengers", "seats", "trips"):
            self.database.query(f"DELETE FROM {table} WHERE bus_id = {BUS}")

    # Requests ------------------------------------------------------------------------------------

    @initialize(
        parties=st.lists(st.tuples(segments, st.integers(1, 2), holds), min_size=1, max_size=4),
        waiting=st.lists(st.tuples(segments, st.integers(1, 2)), max_size=2),
    )
    def fill(
        self,
        parties: list[tuple[tuple[int, int], int, int | None]],
        waiting: list[tuple[tuple[int, int], int]],
    ) -> None:
        for segment, count, seconds in parties:
            self.sell(segment, None, count, False, seconds)
        for segment, count in waiting:
            self.sell(segment, None, count, True, None)

    @rule(segment=segments, seats=st.lists(st.integers(1, SEATS), min_size=1, unique=True), seconds=holds)
    def sell_seats(self, segment: tuple[int, int], seats: list[int], seconds: int | None) -> None:
        self.sell(segment, seats, len(seats), False, seconds)

    @rule(segment=segments, count=counts, seconds=holds)
    def sell_any(self, segment: tuple[int, int], count: int, seconds: int | None) -> None:
        self.sell(segment, None, count, False, seconds)

    @rule(segment=segments, count=counts)
    def sell_or_join_waitlist(self, segment: tuple[int, int], count: int) -> None:
        self.sell(segment, None, count, True, None)

    @precondition(lambda self: self.trip.parties)
    @rule(which=which, accepts_fare=st.booleans())
    def confirm(self, which: int, accepts_fare: bool) -> None:
        _, party = self.booking(which)
        fares = self.trip.service.fares
        fare = sum(
            ticket.fare if ticket.status == "cancelled" else fares[ticket.end] - fares[ticket.start]
            for ticket in party.tickets
        )
        self.change(
            "confirm",
            which,
            lambda party: self.trip.confirm(party, accepts_fare=accepts_fare),
            fare=str(fare) if accepts_fare else None,
        )

    @precondition(lambda self: self.trip.parties)
    @rule(which=which)
    def release(self, which: int) -> None:
        self.change("release", which, self.trip.release)

    @precondition(lambda self: self.trip.parties)
    @rule(which=which, tickets=tickets_or_all)
    def cancel(self, which: int, tickets: list[int] | None) -> None:
        tickets = self.existing(which, tickets)
        self.change("cancel", which, lambda party: self.trip.cancel(party, tickets), tickets=tickets)

    @precondition(lambda self: self.trip.parties)
    @rule(which=which, ticket=st.integers(1, SEATS), seat=st.integers(1, SEATS + 1))
    def change_seat(self, which: int, ticket: int, seat: int) -> None:
        (ticket,) = self.existing(which, [ticket]) or [1]
        self.change(
            "change_seat",
            which,
            lambda party: self.trip.change_seat(party, ticket, seat),
            ticket_no=ticket,
            seat_no=seat,
        )

    @precondition(lambda self: self.trip.parties)
    @rule(which=which, tickets=tickets_or_all, stop=st.integers(1, STOPS))
    def alight(self, which: int, tickets: list[int] | None, stop: int) -> None:
        tickets = self.existing(which, tickets)
        self.change(
            "alight", which, lambda party: self.trip.alight(party, tickets, stop), tickets=tickets, at=stop
        )

    @rule(fares=st.sampled_from(FARES))
    def change_fares(self, fares: dict[int, Decimal]) -> None:
        """Change the fares of later sales. Tickets that are sold keep theirs."""
        for stop, fare in fares.items():
            self.database.query(
                "UPDATE route_table SET fare = %s WHERE bus_id = %s AND stop_no = %s", fare, BUS, stop
            )
        self.trip.service.fares = fares

    @rule(seconds=st.sampled_from([1, 600, 1800, 3600]))
    def advance_clock(self, seconds: int) -> None:
        self.trip.now += timedelta(seconds=seconds)
        self.set_clock()

    @rule()
    def settle(self) -> None:
        self.api.write("settle", bus_id=BUS, travel_date=str(self.day))
        self.trip.settle(self.chosen)

    @precondition(lambda self: self.last)
    @rule()
    def repeat(self) -> None:
        """A repeated idempotency key returns the first answer. The trip is settled; nothing else changes."""
        assert self.last
        send, answer = self.last
        assert send() == answer
        self.trip.settle(self.chosen)

    # Requests to the database and the model -------------------------------------------------------

    def sell(
        self,
        segment: tuple[int, int],
        seats: list[int] | None,
        count: int,
        waitlist: bool,
        seconds: int | None,
    ) -> None:
        method = "book" if seconds is None else "hold"
        wanted: Answer = {"seats": seats} if seats else {"count": count}
        if seconds is not None:
            wanted["seconds"] = seconds
        elif waitlist:
            wanted["waitlist"] = True
        answer = self.send(
            method, bus_id=BUS, travel_date=str(self.day), from_stop=segment[0], to_stop=segment[1], **wanted
        )
        self.trip.settle(self.chosen)
        reason = self.trip.sell(
            lambda: answer["reference"],
            lambda: [ticket["seat_no"] for ticket in answer["tickets"]],
            *segment, seats, count, waitlist, None if seconds is None else timedelta(seconds=seconds),
        )  # fmt: skip
        assert answer.get("reason") == reason

    def change(self, method: str, which: int, expect: Callable[[Party], str | None], **args: Any) -> None:
        """Change a booking in the database, and in the model with `expect`: both refuse it or both do it."""
        reference, party = self.booking(which)
        answer = self.send(method, reference=reference, **{k: v for k, v in args.items() if v is not None})
        self.trip.settle(self.chosen)
        assert answer.get("reason") == expect(party)
        self.trip.promote(self.chosen)

    def send(self, method: str, **args: Any) -> Answer:
        self.keys += 1
        key = f"{self.day} {self.keys}"

        def send() -> Answer:
            return self.api.write(method, key, phone=ASHA, **args)

        answer = send()
        if "reason" not in answer:
            self.last = send, answer
        return answer

    def booking(self, which: int) -> tuple[str, Party]:
        latest_first = list(reversed(self.trip.parties.items()))
        return latest_first[which % len(latest_first)]

    def existing(self, which: int, tickets: list[int] | None) -> list[int] | None:
        """The given ticket numbers that the booking has; if it has none of them, its first ticket."""
        size = len(self.booking(which)[1].tickets)
        return tickets and ([n for n in tickets if n <= size] or [1])

    def chosen(self, reference: str) -> Sequence[int]:
        """The seats that the database gave to a promoted party."""
        return self.database.query(
            "SELECT seat_no FROM passengers WHERE bus_id = %s AND reference = %s AND booked_at IS NOT NULL "
            "AND queue_no IS NOT NULL AND seat_no IS NOT NULL ORDER BY ticket_no",
            BUS,
            reference,
        )

    def set_clock(self) -> None:
        for conn in (self.api.conn, self.database.conn):
            conn.execute("SELECT set_config('test.now', %s, false)", (self.trip.now.isoformat(),))

    # Comparison ----------------------------------------------------------------------------------

    @invariant()
    def tickets_agree(self) -> None:
        real = self.database.query(
            "SELECT p.reference, p.ticket_no, b.status, p.seat_no, lower(p.segment), upper(p.segment), "
            "p.fare, p.refund FROM passengers p JOIN bookings b USING (reference, ticket_no) "
            "WHERE p.bus_id = %s",
            BUS,
        )
        assert sorted(real) == sorted(
            (
                reference,
                n,
                self.trip.status(party, ticket),
                ticket.seat,
                ticket.start,
                ticket.end,
                ticket.fare,
                ticket.refund,
            )
            for reference, party in self.trip.parties.items()
            for n, ticket in enumerate(party.tickets, 1)
        )

    @invariant()
    def taken_seats_agree(self) -> None:
        taken = self.api.conn.execute(
            "SELECT seat_no, leg FROM api.seats_now(%s, %s), generate_series(1, %s) leg WHERE taken @> leg",
            (BUS, self.day, STOPS - 1),
        )
        assert set(taken) == self.trip.taken()

    @invariant()
    def waitlists_agree(self) -> None:
        for position, reference in enumerate(self.trip.waitlist(), 1):
            assert self.api.read("booking", reference=reference, phone=ASHA)["position"] == position

    @invariant()
    def events_agree(self) -> None:
        assert event_log.differences(self.database.conn, BUS) == []

    @invariant()
    def audit_finds_nothing(self) -> None:
        assert audit(self.api.conn) == []


@pytest.fixture
def days(database: Database) -> Iterator[date]:
    """A new travel date for each sequence, of a service made for this test."""
    database.query(
        "SELECT api.add_service(%s, 'Small Bus', 'KSRTC', 'ss.s', %s, runs_on => 'never', max_seats => 3, "
        "alight_refund_percent => 25)",
        BUS,
        TIMETABLE,
    )
    database.query("UPDATE bus_info SET queue_limit = 2 WHERE bus_id = %s", BUS)
    database.query(
        "CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz LANGUAGE sql STABLE "
        "RETURN current_setting('test.now')::timestamptz"
    )
    return (date(2027, 1, 1) + timedelta(days=n) for n in range(10**6))


def test_database_and_model_agree(database: Database, days: Iterator[date]) -> None:
    with database.connect() as conn:
        api = SchemaApi(conn)
        run_state_machine_as_test(lambda: Requests(api, database, next(days)), settings=EFFORT)
