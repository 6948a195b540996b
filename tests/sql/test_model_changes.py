"""Random changes of journeys: the functions of schema `api` and a model agree on seats, statuses and money.

Two services of an operator run the same route on the same day. Travellers book, hold, cancel and exchange;
the operator delays the trips and exchanges their vehicles; offers are accepted, declined, or expire. After
every request the test compares each booking, its payments and its offer, checks that no seat is given twice,
and runs the audit. The database chooses the seats, and the plan of an exchanged vehicle chooses the parties
that are left over: the model uses the same choice, and checks that it is possible.

tests/sql/test_model.py tests the other requests, and explains the clock (`test.now`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
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
from tests.support.exchange import apply, plan, read_basis
from tests.support.fleet import put_vehicle
from tests.support.model import percentage
from tests.support.schema_api import ASHA, Answer, SchemaApi, audit

EFFORT = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)

BUSES = (11, 12)
SEATS = 4
VEHICLES = {f"KA01X{bus}{seats}": (bus, seats) for bus in BUSES for seats in (2, 6)}
LAYOUTS = {2: "s.s", 4: "ss.ss", 6: "ss.s\nss.s"}
FARES = dict(enumerate(map(Decimal, ("0", "10.01", "25.50", "99.99")), 1))
STOPS = """
    Bengaluru  | -     | {:02}:00 | 0 |  0
    Ramanagara | {:02}:50 | {:02}:55 | 1 | 10.01
    Mandya     | {:02}:50 | {:02}:55 | 2 | 25.50
    Mysuru     | {:02}:00 | -     | 3 | 99.99
"""
OFFER = timedelta(hours=24)
DELAY_FOR_REFUND = 60  # minutes
REFUND_PERCENT = Decimal(50)
DAYS_BEFORE = 6  # days from the first request to the travel date; no sequence reaches the departure
OPERATOR = "conductor"

buses = st.sampled_from(BUSES)
segments = st.sampled_from([(1, 4), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4)])
which = st.integers(0, 5)  # an index of the bookings, the latest first


@dataclass
class Offer:
    """An open offer. hold: the reference of the hold on the other trip; None: the tickets stay booked."""

    valid_until: datetime
    hold: str | None


@dataclass
class Party:
    """A booking. value: the fare of a ticket, which is its full refund. net: charges minus refunds."""

    bus: int
    segment: tuple[int, int]
    seats: list[int]
    status: str
    value: Decimal
    net: Decimal = Decimal("0.00")
    expires_at: datetime | None = None
    offer: Offer | None = None
    is_offered: bool = False  # whether it is the hold of an offer, which no traveller can change
    count: int = field(init=False)

    def __post_init__(self) -> None:
        self.count = len(self.seats)

    @property
    def is_live(self) -> bool:
        """Whether it has seats."""
        return self.status in ("held", "booked")

    def legs(self) -> set[tuple[int, int]]:
        """The (seat, leg) pairs that it takes."""
        return {(seat, leg) for seat in self.seats for leg in range(*self.segment)} if self.is_live else set()

    def refund(self) -> Decimal:
        """What a cancellation refunds."""
        return (
            self.refund_of(self.value) * self.count if self.status in ("booked", "displaced") else Decimal(0)
        )

    def refund_of(self, amount: Decimal) -> Decimal:
        """What is refunded of an amount of a ticket: all, if the operator has changed the journey."""
        return amount if self.status == "displaced" or self.offer else percentage(amount, REFUND_PERCENT)


class Changes(RuleBasedStateMachine):
    """Sends requests to the database and to the model, for two trips."""

    def __init__(self, api: SchemaApi, database: Database, day: date) -> None:
        super().__init__()
        self.api, self.database, self.day = api, database, day
        self.parties: dict[str, Party] = {}
        self.seat_counts = dict.fromkeys(BUSES, SEATS)
        self.vehicles: dict[int, str] = {}
        self.delays = dict.fromkeys(BUSES, 0)
        self.trip_events: list[str] = []
        self.now = datetime.fromisoformat(f"{day}T00:00+05:30") - timedelta(days=DAYS_BEFORE)
        self.ends_at = self.now + timedelta(days=DAYS_BEFORE - 1)
        self.set_clock()
        for bus in BUSES:
            database.query("SELECT api.add_trip(%s, %s)", bus, day)

    def teardown(self) -> None:
        """Delete the trips, so that the audit stays fast."""
        self.database.query("DELETE FROM messages")
        tables = (
            "offers", "payments", "idempotency_keys", "exchanges", "moved_bookings", "assignments", "holders",
            "events", "passengers", "seats", "trips",
        )  # fmt: skip
        for table in tables:
            self.database.query(f"DELETE FROM {table} WHERE bus_id = ANY (%s)", list(BUSES))

    # Requests of travellers ----------------------------------------------------------------------

    @initialize(parties=st.lists(st.tuples(segments, st.integers(1, 2)), min_size=3, max_size=6))
    def fill(self, parties: list[tuple[tuple[int, int], int]]) -> None:
        for segment, count in parties:
            self.sell("book", BUSES[0], segment, count)

    @rule(bus=buses, segment=segments, count=st.integers(1, 3))
    def book(self, bus: int, segment: tuple[int, int], count: int) -> None:
        self.sell("book", bus, segment, count)

    @rule(bus=buses, segment=segments, count=st.integers(1, 3), seconds=st.sampled_from([600, 1800]))
    def hold(self, bus: int, segment: tuple[int, int], count: int, seconds: int) -> None:
        self.sell("hold", bus, segment, count, seconds=seconds)

    @rule(which=which)
    def confirm(self, which: int) -> None:
        if not (found := self.choose(which, "held")):
            return
        reference, party = found
        assert "reason" not in self.change("confirm", reference)
        party.status, party.net, party.expires_at = "booked", party.value * party.count, None

    @rule(which=which)
    def cancel(self, which: int) -> None:
        if not (found := self.choose(which, "booked", "displaced")):
            return
        reference, party = found
        assert "reason" not in self.change("cancel", reference)
        self.end(party, party.refund())
        self.settle()

    @rule(which=which, bus=buses, segment=segments)
    def exchange(self, which: int, bus: int, segment: tuple[int, int]) -> None:
        """Exchange a booking for another trip or segment, at the amount of the quote."""
        if not (found := self.choose(which, "booked", "displaced")):
            return
        reference, party = found
        wanted = {"bus_id": bus, "travel_date": str(self.day), "from_stop": segment[0], "to_stop": segment[1]}
        quote = self.change("exchange_quote", reference, **wanted)
        own = [party, self.parties[party.offer.hold]] if party.offer and party.offer.hold else [party]
        if len(self.free(bus, segment, without=own)) < party.count:
            assert quote["reason"] == "sold_out"
            return
        value = fare(segment)
        refund = party.refund_of(max(party.value - value, Decimal(0)))
        due = max(value - party.value, Decimal(0))
        assert (Decimal(quote["due"]), Decimal(quote["refund"])) == (due * party.count, refund * party.count)
        assert self.change("exchange", reference, due=quote["due"], **wanted)["reference"] == reference
        self.close_offer(party)
        party.net += (due - refund) * party.count
        party.bus, party.segment, party.value, party.status = bus, segment, value, "booked"
        self.take(reference, party)
        self.settle()

    @rule(which=which)
    def accept(self, which: int) -> None:
        if not (found := self.choose(which, "booked", "displaced")):
            return
        reference, party = found
        answer = self.change("accept", reference)
        if not party.offer:
            assert answer["reason"] in ("no_offer", "offer_ended")
        elif party.offer.hold:
            held = self.parties[party.offer.hold]
            party.bus, party.segment, party.status = held.bus, held.segment, "booked"
            self.close_offer(party)
            self.take(reference, party)
            assert party.seats == held.seats
        party.offer = None
        self.settle()

    @rule(which=which)
    def decline(self, which: int) -> None:
        if not (found := self.choose(which, "booked", "displaced")):
            return
        reference, party = found
        answer = self.change("decline", reference)
        if not party.offer:
            assert answer["reason"] in ("no_offer", "offer_ended")
        else:
            self.end(party, party.value * party.count)
        self.settle()

    # Requests of the operator --------------------------------------------------------------------

    @rule(bus=buses, minutes=st.sampled_from([0, 30, 60, 90]))
    def delay(self, bus: int, minutes: int) -> None:
        answer = self.api.write(
            "delay_trip", bus_id=bus, travel_date=str(self.day), account=OPERATOR, minutes=minutes
        )
        refundable = [
            party
            for party in self.parties.values()
            if party.bus == bus and party.status == "booked"
            and minutes >= DELAY_FOR_REFUND and minutes > self.delays[bus]
        ]  # fmt: skip
        assert answer["offers"] == len(refundable)
        for party in refundable:
            party.offer = Offer(self.now + OFFER, None)
        if minutes != self.delays[bus]:
            self.trip_events.append("trip.delayed")
        self.delays[bus] = minutes
        self.settle()

    @rule(vehicle=st.sampled_from(sorted(VEHICLES)))
    def exchange_vehicle(self, vehicle: str) -> None:
        bus, seats = VEHICLES[vehicle]
        if self.vehicles.get(bus) == vehicle:
            return
        trip = {"account": OPERATOR, "bus_id": bus, "travel_date": str(self.day)}
        answer = apply(self.api, vehicle, plan(read_basis(self.api, vehicle, **trip)), **trip)
        self.trip_events.append("trip.vehicle_exchanged")
        self.seat_counts[bus], self.vehicles[bus] = seats, vehicle
        left_over = sorted(party["reference"] for party in answer["left_over"])
        on_trip = {r: party for r, party in self.parties.items() if party.bus == bus and party.is_live}
        assert set(left_over) <= on_trip.keys()
        stay = [party for reference, party in on_trip.items() if reference not in left_over]
        for reference in left_over:
            assert any(
                sum(party.count for party in [*stay, on_trip[reference]] if leg in range(*party.segment))
                > seats
                for leg in range(*on_trip[reference].segment)
            )
        for party in on_trip.values():
            party.seats = []
        for reference in left_over:
            party = on_trip[reference]
            party.status = "displaced" if party.status == "booked" else "cancelled"
        for reference, party in on_trip.items():
            if reference not in left_over:
                self.take(reference, party)
        for reference in left_over:
            if on_trip[reference].status == "displaced":
                self.offer_seats(reference, on_trip[reference])
        self.settle()

    @precondition(lambda self: self.now + timedelta(hours=25) < self.ends_at)
    @rule(minutes=st.sampled_from([1, 11, 60, 25 * 60]))
    def advance_clock(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.set_clock()
        self.settle()

    # The model -----------------------------------------------------------------------------------

    def sell(self, method: str, bus: int, segment: tuple[int, int], count: int, **args: Any) -> None:
        from_stop, to_stop = segment
        answer = self.api.write(
            method, bus_id=bus, travel_date=str(self.day), from_stop=from_stop, to_stop=to_stop, count=count,
            phone=ASHA, **args,
        )  # fmt: skip
        if count > len(self.free(bus, segment)):
            assert answer["reason"] == "sold_out"
            return
        value = fare(segment)
        party = Party(bus, segment, [0] * count, "booked", value, value * count)
        if seconds := args.get("seconds"):
            party.status, party.net = "held", Decimal("0.00")
            party.expires_at = self.now + timedelta(seconds=seconds)
        self.parties[answer["reference"]] = party
        self.take(answer["reference"], party)

    def offer_seats(self, reference: str, party: Party) -> None:
        """Offer seats of the other trip to a displaced party; without such seats, refund the whole fare."""
        party.offer = None
        (other,) = set(BUSES) - {party.bus}
        if len(self.free(other, party.segment)) < party.count:
            self.end(party, party.value * party.count)
            return
        query = "SELECT hold FROM offers WHERE reference = %s AND state = 'open'"
        party.offer = Offer(self.now + OFFER, self.database.value(query, reference))
        held = Party(other, party.segment, [0] * party.count, "held", party.value, is_offered=True)
        held.expires_at = party.offer.valid_until
        self.parties[party.offer.hold] = held
        self.take(party.offer.hold, held)

    def settle(self) -> None:
        """Settle both trips, as the server does when they are due: holds expire, then offers."""
        for bus in BUSES * 2:  # an offer of the first trip may end because of the second one
            self.database.query("SELECT api.settle_due(%s, %s)", bus, self.day)
        for party in self.parties.values():
            if party.status == "held" and party.expires_at and party.expires_at <= self.now:
                party.status, party.seats = "expired", []
        for party in self.parties.values():
            offer = party.offer
            if offer and offer.hold and not self.parties[offer.hold].is_live:
                self.end(party, party.value * party.count)
            elif offer and offer.valid_until <= self.now:
                party.offer = None

    def end(self, party: Party, refund: Decimal) -> None:
        """Cancel a booking."""
        self.close_offer(party)
        party.status, party.seats = "cancelled", []
        party.net -= refund

    def close_offer(self, party: Party) -> None:
        """End the offer of a booking, with its hold."""
        if party.offer and party.offer.hold:
            self.parties[party.offer.hold].status = "cancelled"
        party.offer = None

    def free(self, bus: int, segment: tuple[int, int], without: list[Party] | None = None) -> set[int]:
        """The seats of a trip that are free on a segment. without: parties whose seats count as free."""
        taken = {
            pair
            for party in self.parties.values()
            if party.bus == bus and not any(party is other for other in without or [])
            for pair in party.legs()
        }
        seats = range(1, self.seat_counts[bus] + 1)
        return {seat for seat in seats if not any((seat, leg) in taken for leg in range(*segment))}

    def take(self, reference: str, party: Party) -> None:
        """Give a party the seats that the database gave to it."""
        party.seats = []
        seats = self.database.query(
            "SELECT seat_no FROM passengers WHERE reference = %s AND seat_no IS NOT NULL ORDER BY ticket_no",
            reference,
        )
        assert len(seats) == party.count
        assert set(seats) <= self.free(party.bus, party.segment)
        party.seats = seats

    def of_travellers(self, *statuses: str) -> list[tuple[str, Party]]:
        """The bookings with one of these statuses, without the holds of offers."""
        return [
            (r, party)
            for r, party in self.parties.items()
            if party.status in statuses and not party.is_offered
        ]

    def choose(self, which: int, *statuses: str) -> tuple[str, Party] | None:
        """Choose a booking with one of these statuses, and among them one with an open offer if there is one.

        Returns None if no booking has such a status. `which` is an index and not a reference, because the
        database generates the references, and Hypothesis must be able to repeat a sequence.
        """
        latest_first = self.of_travellers(*statuses)[::-1]
        latest_first = [found for found in latest_first if found[1].offer] or latest_first
        return latest_first[which % len(latest_first)] if latest_first else None

    def change(self, method: str, reference: str, **args: Any) -> Answer:
        return self.api.write(method, reference=reference, phone=ASHA, **args)

    def set_clock(self) -> None:
        for conn in (self.api.conn, self.database.conn):
            conn.execute("SELECT set_config('test.now', %s, false)", (self.now.isoformat(),))

    # Comparison ----------------------------------------------------------------------------------

    @invariant()
    def bookings_agree(self) -> None:
        real = self.database.query(
            "SELECT p.reference, p.bus_id, p.status, "
            "array_agg(p.seat_no ORDER BY p.ticket_no) FILTER (WHERE p.status IN ('held', 'booked')), "
            "lower(p.segment), upper(p.segment) FROM passengers p "
            "WHERE p.bus_id = ANY (%s) GROUP BY 1, 2, 3, p.segment",
            list(BUSES),
        )
        expected = {r: party for r, party in self.parties.items() if party.is_live or not party.is_offered}
        assert sorted(row for row in real if row[0] in expected) == sorted(
            (r, party.bus, party.status, party.seats or None, *party.segment) for r, party in expected.items()
        )

    @invariant()
    def payments_agree(self) -> None:
        real = self.database.query(
            "SELECT * FROM ("
            "SELECT reference, sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) AS net "
            "FROM payments WHERE bus_id = ANY (%s) GROUP BY 1) AS p WHERE net <> 0",
            list(BUSES),
        )
        assert sorted(real) == sorted((r, party.net) for r, party in self.parties.items() if party.net)

    @invariant()
    def offers_agree(self) -> None:
        real = self.database.query(
            "SELECT reference, valid_until, hold FROM offers WHERE bus_id = ANY (%s) AND state = 'open'",
            list(BUSES),
        )
        assert sorted(real) == sorted(
            (r, party.offer.valid_until, party.offer.hold) for r, party in self.parties.items() if party.offer
        )

    @invariant()
    def events_agree(self) -> None:
        assert event_log.differences(self.database.conn, *BUSES) == []
        assert event_log.types(self.database.conn, *BUSES) == self.trip_events

    @invariant()
    def audit_finds_nothing(self) -> None:
        assert audit(self.api.conn) == []


def fare(segment: tuple[int, int]) -> Decimal:
    """The fare of a segment."""
    return FARES[segment[1]] - FARES[segment[0]]


@pytest.fixture
def days(database: Database, api: SchemaApi) -> Iterator[date]:
    """Create the two services. Returns travel dates: a new one for each sequence of requests."""
    database.query("SELECT api.add_operator(%s, 'hash', 'KSRTC')", OPERATOR)
    for bus, hour in zip(BUSES, (10, 13), strict=True):
        hours = (hour, hour, hour, hour + 1, hour + 1, hour + 3)
        database.query(
            "SELECT api.add_service(%s, 'Bus ' || %s, 'KSRTC', %s, %s, runs_on => 'never')",
            bus, bus, LAYOUTS[SEATS], STOPS.format(*hours),
        )  # fmt: skip
    database.query(
        "UPDATE bus_info SET whole_refund_delay = %s, alternative_hours = 12 WHERE bus_id = ANY (%s)",
        timedelta(minutes=DELAY_FOR_REFUND), list(BUSES),
    )  # fmt: skip
    for vehicle, (_, seats) in VEHICLES.items():
        put_vehicle(api, vehicle, account=OPERATOR, layout=LAYOUTS[seats])
    database.query(
        "CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz LANGUAGE sql STABLE "
        "RETURN current_setting('test.now')::timestamptz"
    )
    return (date(2027, 1, 1) + timedelta(days=10 * n) for n in range(10**6))


def test_database_and_model_agree_on_changes(
    api: SchemaApi, database: Database, days: Iterator[date]
) -> None:
    run_state_machine_as_test(lambda: Changes(api, database, next(days)), settings=EFFORT)
