"""The real api against the model of it (tests/support/model.py): whatever travellers do, the two agree.

Hypothesis makes up what they do, and when one disagrees, the shortest story that shows it. After every
step: each ticket's status, seat, stretch and refund, the seats free on each leg, the queue, the audit.
A story is about a trip of its own, and its clock is a setting of the session, since to replace
api.now() makes PostgreSQL plan everything anew.
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
from tests.support.model import Party, Service, Trip
from tests.support.schema_api import ASHA, Answer, SchemaApi, audit

# Some fifteen seconds; to look for what these stories do not find, tell many more of them.
STORIES = settings(
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
FARES = {1: "0", 2: "10.01", 3: "25.50", 4: "99.99"}

stretches = st.sampled_from([(1, 4), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4)])
counts = st.sampled_from([1, 2, 3, 4])
holds = st.none() | st.sampled_from([10, 600, 1800])
which = st.integers(0, 5)  # of the bookings so far, the latest first
some = st.none() | st.lists(st.integers(1, SEATS), min_size=1, max_size=2, unique=True)


class Travellers(RuleBasedStateMachine):
    """What travellers do to one trip."""

    def __init__(self, api: SchemaApi, database: Database, day: date) -> None:
        super().__init__()
        self.api, self.database, self.day = api, database, day
        self.last: tuple[Callable[[], Answer], Answer] | None = None
        self.keys = 0
        database.query("SELECT api.add_trip(%s, %s)", BUS, day)
        midnight = datetime.fromisoformat(f"{day}T00:00+05:30")
        departs = {stop: midnight + timedelta(hours=9 + stop) for stop in range(1, STOPS)}
        fares = {stop: Decimal(fare) for stop, fare in FARES.items()}
        service = Service(SEATS, departs, fares, 3, 2, Decimal(50), Decimal(25))
        self.trip = Trip(service, midnight + timedelta(hours=8))
        self.set_clock()

    def teardown(self) -> None:
        """Leave the trip as if it had never been, so that the audit stays quick."""
        for table in ("payments", "requests", "passengers", "seats", "trips"):
            self.database.query(f"DELETE FROM {table} WHERE bus_id = {BUS}")

    # What they do --------------------------------------------------------------------------------

    @initialize(
        parties=st.lists(st.tuples(stretches, st.integers(1, 2), holds), min_size=1, max_size=4),
        waiting=st.lists(st.tuples(stretches, st.integers(1, 2)), max_size=2),
    )
    def a_bus_that_fills(
        self,
        parties: list[tuple[tuple[int, int], int, int | None]],
        waiting: list[tuple[tuple[int, int], int]],
    ) -> None:
        for stretch, count, seconds in parties:
            self.sell(stretch, None, count, False, seconds)
        for stretch, count in waiting:
            self.sell(stretch, None, count, True, None)

    @rule(stretch=stretches, seats=st.lists(st.integers(1, SEATS), min_size=1, unique=True), seconds=holds)
    def sell_named(self, stretch: tuple[int, int], seats: list[int], seconds: int | None) -> None:
        self.sell(stretch, seats, len(seats), False, seconds)

    @rule(stretch=stretches, count=counts, seconds=holds)
    def sell_any(self, stretch: tuple[int, int], count: int, seconds: int | None) -> None:
        self.sell(stretch, None, count, False, seconds)

    @rule(stretch=stretches, count=counts)
    def sell_or_wait(self, stretch: tuple[int, int], count: int) -> None:
        self.sell(stretch, None, count, True, None)

    @precondition(lambda self: self.trip.parties)
    @rule(which=which)
    def confirm(self, which: int) -> None:
        self.change("confirm", which, self.trip.confirm)

    @precondition(lambda self: self.trip.parties)
    @rule(which=which)
    def release(self, which: int) -> None:
        self.change("release", which, self.trip.release)

    @precondition(lambda self: self.trip.parties)
    @rule(which=which, tickets=some)
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
    @rule(which=which, tickets=some, stop=st.integers(1, STOPS))
    def alight(self, which: int, tickets: list[int] | None, stop: int) -> None:
        tickets = self.existing(which, tickets)
        self.change(
            "alight", which, lambda party: self.trip.alight(party, tickets, stop), tickets=tickets, at=stop
        )

    @rule(seconds=st.sampled_from([1, 600, 1800, 3600]))
    def time_passes(self, seconds: int) -> None:
        self.trip.now += timedelta(seconds=seconds)
        self.set_clock()

    @rule()
    def settle(self) -> None:
        self.api.write("settle", bus_id=BUS, travel_date=str(self.day))
        self.trip.settle(self.chosen)

    @precondition(lambda self: self.last)
    @rule()
    def ask_again(self) -> None:
        """With the same key: the same answer, and nothing is done but to settle."""
        assert self.last
        ask, answer = self.last
        assert ask() == answer
        self.trip.settle(self.chosen)

    # How it is done ------------------------------------------------------------------------------

    def sell(
        self, ends: tuple[int, int], seats: list[int] | None, count: int, waitlist: bool, seconds: int | None
    ) -> None:
        method = "book" if seconds is None else "hold"
        wanted: Answer = {"seats": seats} if seats else {"count": count}
        if seconds is not None:
            wanted["seconds"] = seconds
        elif waitlist:
            wanted["waitlist"] = True
        answer = self.ask(
            method, bus_id=BUS, travel_date=str(self.day), from_stop=ends[0], to_stop=ends[1], **wanted
        )
        self.trip.settle(self.chosen)
        reason = self.trip.sell(
            lambda: answer["reference"],
            lambda: [ticket["seat_no"] for ticket in answer["tickets"]],
            *ends, seats, count, waitlist, None if seconds is None else timedelta(seconds=seconds),
        )  # fmt: skip
        assert answer.get("reason") == reason

    def change(self, method: str, which: int, judge: Callable[[Party], str | None], **args: Any) -> None:
        """Ask for a change of a booking, and let the model judge what becomes of it."""
        reference, party = self.booking(which)
        answer = self.ask(method, reference=reference, **{k: v for k, v in args.items() if v is not None})
        self.trip.settle(self.chosen)
        assert answer.get("reason") == judge(party)
        self.trip.promote(self.chosen)

    def ask(self, method: str, **args: Any) -> Answer:
        self.keys += 1
        key = f"{self.day} {self.keys}"

        def ask() -> Answer:
            return self.api.write(method, "asha", key, phone=ASHA, **args)

        answer = ask()
        if "reason" not in answer:
            self.last = ask, answer
        return answer

    def booking(self, which: int) -> tuple[str, Party]:
        latest_first = list(reversed(self.trip.parties.items()))
        return latest_first[which % len(latest_first)]

    def existing(self, which: int, tickets: list[int] | None) -> list[int] | None:
        """Those of the tickets that the booking has, or its first."""
        size = len(self.booking(which)[1].tickets)
        return tickets and ([n for n in tickets if n <= size] or [1])

    def chosen(self, reference: str) -> Sequence[int]:
        """The seats that somebody who waited was given."""
        return self.database.query(
            "SELECT seat_no FROM passengers WHERE bus_id = %s AND reference = %s AND booked_at IS NOT NULL "
            "AND queue_no IS NOT NULL AND seat_no IS NOT NULL ORDER BY ticket_no",
            BUS,
            reference,
        )

    def set_clock(self) -> None:
        for conn in (self.api.conn, self.database.conn):
            conn.execute("SELECT set_config('test.now', %s, false)", (self.trip.now.isoformat(),))

    # What is compared ----------------------------------------------------------------------------

    @invariant()
    def tickets_agree(self) -> None:
        real = self.database.query(
            "SELECT p.reference, p.ticket_no, b.status, p.seat_no, lower(p.segment), upper(p.segment), "
            "p.refund FROM passengers p JOIN bookings b USING (reference, ticket_no) WHERE p.bus_id = %s",
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
                ticket.refund,
            )
            for reference, party in self.trip.parties.items()
            for n, ticket in enumerate(party.tickets, 1)
        )

    @invariant()
    def vacancy_agrees(self) -> None:
        taken = self.api.conn.execute(
            "SELECT seat_no, leg FROM api.seats_now(%s, %s), generate_series(1, %s) leg WHERE taken @> leg",
            (BUS, self.day, STOPS - 1),
        )
        assert set(taken) == self.trip.taken()

    @invariant()
    def queues_agree(self) -> None:
        for position, reference in enumerate(self.trip.queue(), 1):
            assert self.api.read("booking", reference=reference, phone=ASHA)["position"] == position

    @invariant()
    def the_audit_is_clean(self) -> None:
        assert audit(self.api.conn) == []


@pytest.fixture
def days(database: Database) -> Iterator[date]:
    """The dates of the stories, one after another, on a bus made for them."""
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


def test_whatever_travellers_do(database: Database, days: Iterator[date]) -> None:
    with database.connect_as_server() as conn:
        api = SchemaApi(conn)
        run_state_machine_as_test(lambda: Travellers(api, database, next(days)), settings=STORIES)
