"""A day of a company of twelve buses, from the sale to the settlement, as a story.

Over real sockets, hundreds of travellers book, wait, cancel, exchange and change. On the day a smaller bus
comes, one bus is late, one is very late, one skips a stop, one is cancelled, passengers miss their bus, and
an agent sells at a counter. At the end the audit finds nothing, the money adds up to the paisa in every
report, and each booking was informed of each change exactly once.

A seed decides what the travellers want. It is printed; BUSWARE_TEST_SEED=2 tries another one.
"""

import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from busware import Booking, Client, Refusal, connect
from busware.server.accounts.passwords import Passwords
from busware.server.protocol import Passenger, SalesRow
from tests.conftest import Clock, Database
from tests.support.company import (
    DAY,
    DEPARTURES,
    EXPECTED_REASONS,
    FULL,
    NEXT_DAY,
    OPERATOR,
    PROMO_CODE,
    Traveller,
    state_of,
    write_timetable,
)
from tests.support.line_client import wait_until
from tests.support.processes import start

PASSWORD = "correct horse battery"
LIVE = ("held", "booked", "pending")
THREADS = 6  # each serves the travellers of two services, so a seed decides the order of their requests


class Company:
    """The company: its accounts, its travellers, and the facts of the story so far."""

    def __init__(self, server: SimpleNamespace, database: Database, clock: Clock, seed: int) -> None:
        self.server, self.database, self.clock, self.seed = server, database, clock, seed
        self.travellers: list[Traveller] = []
        self.cancelled: list[Traveller] = []  # by the cancellation of their trip
        self.notified: set[str] = set()  # the bookings that a notice to their trip must reach
        self.customers = ""  # the reference of three seats that the agent has sold
        self.meera = self._sign_in("add_operator", "meera")
        self.kumar = self._sign_in("add_agent", "kumar")

    def _sign_in(self, function: str, name: str) -> Client:
        hashed = Passwords(memory_mib=1).hash(PASSWORD)
        self.database.query(f"SELECT api.{function}(%s, %s, %s)", name, hashed, OPERATOR)
        client = connect(self.server.host, self.server.port)
        client.login(name, PASSWORD)
        return client

    def close(self) -> None:
        """Close all connections."""
        for client in (self.meera, self.kumar, *(t.client for t in self.travellers)):
            if client is not None:
                client.close()

    def connect_travellers(self, bus_id: int, number: int) -> None:
        """Connect travellers of a service."""
        for n in range(number):
            phone = f"+9198{bus_id:03}{n:05}"
            random = Random(f"{self.seed} {bus_id} {n}")
            address = (self.server.host, self.server.port)
            self.travellers.append(Traveller(f"Traveller {bus_id} {n}", phone, bus_id, random, address))
            self.travellers[-1].arrive()

    def each(self, action: Callable[[Traveller], object]) -> None:
        """Let all travellers act, in several threads."""
        services = list(DEPARTURES)

        def serve(n: int) -> None:
            for traveller in self.travellers:
                if traveller.client and services.index(traveller.bus_id) % THREADS == n:
                    action(traveller)

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(serve, range(THREADS)))

    def set_time(self, at: str) -> None:
        """Set the clock, and settle what is due then, as the server's timer does."""
        self.clock.set(f"{at}+05:30")
        for bus_id, travel_date in self.server.pool.execute("SELECT * FROM api.due_trips()"):
            self.server.pool.execute("SELECT api.settle_due(%s, %s)", (bus_id, travel_date))

    # What the database has ------------------------------------------------------------------------

    def live(self, bus_id: int, condition: str = "true") -> set[str]:
        """The bookings of a trip of the day with live tickets, read in SQL."""
        return set(self.database.query(
            f"SELECT DISTINCT reference FROM passengers WHERE bus_id = %s AND travel_date = %s"
            f" AND status IN ('held', 'booked', 'pending') AND {condition}", bus_id, DAY,
        ))  # fmt: skip

    def concerned(self, bus_id: int, condition: str = "true") -> set[str]:
        """The bookings that a change of a trip of the day concerns.

        They are those with live tickets, and those to which seats of the trip are offered.
        """
        offered = dict(self.database.query(
            "SELECT hold, reference FROM offers WHERE state = 'open' AND hold_bus_id = %s", bus_id
        ))  # fmt: skip
        return {offered.get(reference, reference) for reference in self.live(bus_id, condition)}

    def seats_of(self, bus_id: int) -> dict[tuple[str, int], int | None]:
        """The seat of each live ticket of a trip of the day."""
        return {(reference, n): seat for reference, n, seat in self.database.query(
            "SELECT reference, ticket_no, seat_no FROM passengers WHERE bus_id = %s AND travel_date = %s"
            " AND status IN ('held', 'booked')", bus_id, DAY,
        )}  # fmt: skip

    def sum_of(self, condition: str = "true") -> Decimal:
        """The charges less the refunds of the payments that a condition selects."""
        return Decimal(self.database.value(
            "SELECT coalesce(sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END), 0) FROM payments y"
            f" WHERE {condition}"
        ))  # fmt: skip

    def last_message(self) -> int:
        """The number of the last message."""
        return int(self.database.value("SELECT api.last_message()"))

    @contextmanager
    def informs(self, affected: Iterable[str | None]) -> Iterator[set[str | None]]:
        """Check that exactly one message is written for each of these bookings, and no other message.

        None is a message to a whole trip.
        """
        expected, before = set(affected), self.last_message()
        yield expected
        sent = self.database.query("SELECT reference FROM messages WHERE message_id > %s", before)
        assert Counter(sent) == Counter(expected)

    def client_of(self, reference: str) -> tuple[Client | None, str | None]:
        """The client that has a booking, and the phone number that it needs; no client while it is away."""
        for traveller in self.of([reference]):
            return traveller.client, traveller.phone
        return self.kumar, None

    def of(self, references: Iterable[str]) -> list[Traveller]:
        """The travellers who have these bookings."""
        wanted = set(references)
        return [t for t in self.travellers if t.booking and t.reference in wanted]


@pytest.fixture
def company(pushing: SimpleNamespace, database: Database, clock: Clock) -> Iterator[Company]:
    seed = int(os.environ.get("BUSWARE_TEST_SEED", 1))
    print(f"BUSWARE_TEST_SEED={seed}")
    company = Company(pushing, database, clock, seed)
    try:
        yield company
    finally:
        company.close()


@pytest.mark.settings(exempt_networks=(ip_network("127.0.0.0/8"),))
def test_day_of_a_company(company: Company, tmp_path: Path) -> None:
    load_timetable(company, tmp_path)
    open_sales(company)
    reconsider_the_evening_before(company)
    exchange_for_a_smaller_bus(company)
    send_a_notice(company)
    delay_one_bus_a_little(company)
    delay_one_bus_for_long(company)
    skip_a_stop(company)
    answer_offers(company)
    board_the_first_bus(company)
    sell_the_seats_of_no_shows(company)
    cancel_a_trip(company)
    end_the_day(company)
    everybody_was_informed_exactly_once(company)
    money_of_each_booking_adds_up(company)
    reports_add_up(company)
    settle_the_agent(company)
    assert company.database.query("SELECT * FROM api.audit()") == []
    refused = sum((traveller.refused for traveller in company.travellers), Counter())
    assert set(refused) <= EXPECTED_REASONS, refused


# The days before -------------------------------------------------------------------------------


def load_timetable(company: Company, folder: Path) -> None:
    urls = {"DATABASE_URL": company.database.server, "BUSWARE_OWNER_URL": company.database.owner}
    file = write_timetable(folder)
    with start("timetable", str(file), "--apply", stderr=subprocess.STDOUT, **urls) as process:
        output, _ = process.communicate()
    assert process.returncode == 0, output
    company.meera.put_promo_code(PROMO_CODE, percent="10")
    company.meera.put_agent("kumar", commission_percent="5", credit_limit="50000")
    assert [trip.bus_id for trip in company.meera.trips(DAY)] == list(DEPARTURES)


def open_sales(company: Company) -> None:
    for bus_id in DEPARTURES:
        company.connect_travellers(bus_id, 60 if bus_id in FULL else 20)
    company.customers = sell_at_the_counter(company, 101, "Hubballi", "Bengaluru", 3)
    sell_at_the_counter(company, 202, "Bengaluru", "Davanagere", 2)
    sell_at_the_counter(company, 105, "Haveri", "Bengaluru", 1)  # service 105 will not stop at Haveri
    for _ in range(2):  # all of its class, so that more than 32 seats are taken in the end
        sell_at_the_counter(company, 102, "Hubballi", "Bengaluru", 4, seat_class="Premium")
    company.each(Traveller.buy)
    statuses = Counter(traveller.status for traveller in company.travellers)
    assert statuses["booked"] > 150
    assert statuses["pending"] > 0
    assert statuses["held"] > 0


def sell_at_the_counter(
    company: Company, bus_id: int, origin: str, destination: str, seats: int, **args: Any
) -> str:
    """Let the agent sell seats for cash. Returns the reference."""
    customer = [Passenger(name=f"Customer {n}", gender="male") for n in range(seats)]
    sold = company.kumar.book(
        bus_id, DAY, origin, destination, count=seats, passengers=customer, phone="+919845000000", **args
    )
    assert sold.status == "booked"
    return sold.reference


def reconsider_the_evening_before(company: Company) -> None:
    """Holds have expired. Travellers change their minds; every tenth one disconnects for the night."""
    company.set_time("2026-12-04T18:00")
    company.each(Traveller.reconsider)
    assert any(traveller.kept for traveller in company.travellers)
    assert company.database.value("SELECT count(*) FROM passengers WHERE travel_date = %s", NEXT_DAY) > 0
    company.each(lambda traveller: traveller.booking and traveller.follow())
    for traveller in company.travellers[::10]:
        traveller.leave()


# The day ---------------------------------------------------------------------------------------


def exchange_for_a_smaller_bus(company: Company) -> None:
    """Service 102 runs with 32 seats. The plan is shown, and then executed as it was shown."""
    company.set_time("2026-12-05T05:00")
    company.meera.put_vehicle("KA63F0032", layout="\n".join(["ss.ss"] * 8))
    before = company.seats_of(102)
    last = company.last_message()
    plan = company.meera.exchange_vehicle(102, DAY, "KA63F0032", plan=True)
    assert (company.seats_of(102), company.last_message()) == (before, last)
    assert plan.left_over
    done = company.meera.exchange_vehicle(
        102, DAY, "KA63F0032", version=plan.version, reason="The engine is broken."
    )
    assert (done.moves, done.left_over) == (plan.moves, plan.left_over)
    after = company.seats_of(102)
    changed = {reference for (reference, n), seat in before.items() if after.get((reference, n)) != seat}
    changed |= {move.reference for move in done.moves if Decimal(move.refund)}
    sent = company.database.query("SELECT reference FROM messages WHERE message_id > %s", last)
    assert Counter(sent) == Counter(changed)
    assert {party.reference for party in done.left_over} <= changed


def send_a_notice(company: Company) -> None:
    """One message for the whole trip reaches all passengers of service 101."""
    company.notified = company.live(101)
    with company.informs([None]):
        sent = company.meera.notice(101, DAY, "Today the bus leaves from platform 4.")
    assert sent.bookings == len(company.notified)


def delay_one_bus_a_little(company: Company) -> None:
    """Service 103 is half an hour late from Haveri on."""
    company.set_time("2026-12-05T05:10")
    with company.informs(company.concerned(103, "upper(segment) >= 2")) as affected:
        delay = company.meera.delay_trip(103, DAY, 30, at="Haveri", reason="Roadworks at Haveri.")
    assert (delay.bookings, delay.offers) == (len(affected), 0)


def delay_one_bus_for_long(company: Company) -> None:
    """Service 104 is two and a half hours late, so its passengers may decline it for the whole fare."""
    company.set_time("2026-12-05T05:15")
    with company.informs(company.concerned(104)) as affected:
        delay = company.meera.delay_trip(104, DAY, 150, reason="The bus waits for a driver.")
    assert delay.bookings == len(affected)
    assert delay.offers > 2


def skip_a_stop(company: Company) -> None:
    """Service 105 does not stop at Haveri."""
    company.set_time("2026-12-05T05:20")
    with company.informs(company.concerned(105, "2 IN (lower(segment), upper(segment))")) as affected:
        skipped = company.meera.skip_stop(105, DAY, "Haveri", reason="The road is closed.")
    assert skipped.bookings == len(affected) > 0


def answer_offers(company: Company) -> None:
    """Of three offers one is accepted, one is declined, and one is not answered within the hour."""
    answers = Counter[str]()
    for bus_id in (102, 104, 105):
        for offer in company.meera.trip_offers(bus_id, DAY):
            client, phone = company.client_of(offer.reference)
            if offer.state != "open" or client is None:
                continue
            mine, booking = (offer.reference, phone), client.booking(offer.reference, phone)
            answer = ("accept", "decline", "none")[answers.total() % 3]
            answers[answer] += 1
            for traveller in company.of([offer.reference] if answer != "none" else []):
                traveller.follows_since = None
            if answer == "accept":
                accepted = client.accept(*mine)
                assert accepted.bus_id == (offer.trip or booking).bus_id
                assert accepted.status == "booked"
                assert paid_for(accepted) == paid_for(booking)
            elif answer == "decline":
                declined = client.decline(*mine)
                assert declined.status == "cancelled"
                assert Decimal(declined.refund) == Decimal(booking.refund) + Decimal(offer.refund or "0")
    assert answers["none"] > 2
    moved = company.database.query(
        "SELECT reference FROM offers WHERE unanswered = 'refund' AND state = 'accepted'"
    )
    assert moved, "no booking was moved to another bus"
    company.set_time("2026-12-05T05:40")


def paid_for(booking: Booking) -> Decimal:
    """The fare of a booking, less its refund."""
    return Decimal(booking.fare) - Decimal(booking.refund)


def board_the_first_bus(company: Company) -> None:
    """Conductors check passengers in at Hubballi. The agent's customers and some others do not come."""
    manifest = company.meera.manifest(101, DAY)
    boards = sorted({rider.reference for rider in manifest.stops[0].boards})
    come = [reference for n, reference in enumerate(boards) if n % 4 and reference != company.customers]
    for reference in come:
        company.meera.check_in(reference, bus_id=101, travel_date=DAY, at="Hubballi")
    with pytest.raises(Refusal) as refusal:
        company.meera.no_shows(101, DAY, "Hubballi")
    assert refusal.value.reason == "not_departed"
    company.set_time("2026-12-05T06:05")
    missing = company.meera.no_shows(101, DAY, "Hubballi")
    assert {ticket.reference for ticket in missing.tickets} == set(boards) - set(come)


def sell_the_seats_of_no_shows(company: Company) -> None:
    """The agent sells a seat of its customers from Haveri on; then its first passenger comes too late."""
    riders = company.meera.manifest(101, DAY).stops[0].boards
    late = next(rider for rider in riders if rider.reference == company.customers)
    assert late.no_show_at
    sold = company.kumar.book(101, DAY, "Haveri", "Bengaluru", seats=[late.seat_no], phone="+919845000001",
                              passengers=[Passenger(name="Lata", gender="female")])  # fmt: skip
    assert sold.status == "booked"
    with pytest.raises(Refusal) as refusal:
        company.meera.check_in(late.reference, tickets=[late.ticket_no], bus_id=101, travel_date=DAY)
    assert refusal.value.reason == "seat_taken"


def cancel_a_trip(company: Company) -> None:
    """Service 106 does not run. Its passengers get the whole fare."""
    company.set_time("2026-12-05T09:00")
    affected = company.live(106)
    fares = company.database.value(
        "SELECT sum(fare - refund) FROM passengers WHERE bus_id = 106 AND travel_date = %s"
        " AND status = 'booked'", DAY,
    )  # fmt: skip
    with company.informs(()):  # the changed booking says it
        cancelled = company.meera.cancel_trip(106, DAY, "The bus has broken down.")
    assert Decimal(cancelled.refund) == fares > 0
    company.cancelled = company.of(affected)


def end_the_day(company: Company) -> None:
    """All buses have arrived. Every client shows its booking as it is, and those that were away connect."""
    company.set_time("2026-12-05T23:55")
    assert company.database.query("SELECT * FROM offers WHERE state = 'open'") == []
    with connect(company.server.host, company.server.port) as reader:
        for traveller in company.travellers:
            if traveller.client and traveller.follows_since is not None:
                state = state_of(reader.booking(traveller.reference, traveller.phone))
                wait_until(lambda t=traveller, state=state: t.shown() == state)
    for traveller in company.travellers:
        if traveller.client is None:
            traveller.arrive()
    company.each(lambda traveller: traveller.booking and traveller.look())


# What must be true then ------------------------------------------------------------------------


def cancellations(traveller: Traveller) -> list[Any]:
    """The notifications that a trip was cancelled."""
    changes = traveller.notifications("booking_changed")
    return [change for change in changes if change.get("why") == "The bus has broken down."]


def received(traveller: Traveller) -> list[int]:
    """The ids of the messages that the client of a traveller has received."""
    return [params["message_id"] for params in traveller.notifications("message")]


def everybody_was_informed_exactly_once(company: Company) -> None:
    """A booking that came to the trip after the notice may get the notice too: it is pushed later."""
    (notice,) = company.database.query("SELECT message_id FROM messages WHERE audience = 'trip'")
    for traveller in company.travellers:
        if traveller.booking is None:
            assert received(traveller) == []
            continue
        sent = company.database.query(
            "SELECT message_id FROM messages WHERE reference = %s OR audience = 'trip' AND %s ORDER BY 1",
            traveller.reference, traveller.reference in company.notified,
        )  # fmt: skip
        wait_until(lambda t=traveller, sent=sent: {*sent} <= {*received(t)})
        assert traveller.client
        traveller.client.ping()  # what was pushed before the reply has arrived now
        came_later = traveller.booking.bus_id == 101 and notice not in sent
        may_be = [sent, sorted([*sent, notice])] if came_later else [sent]
        assert received(traveller) in may_be
    away = set(map(id, company.travellers[::10]))
    for traveller in company.cancelled:
        assert len(cancellations(traveller)) == (0 if id(traveller) in away else 1)
        assert traveller.booking
        assert traveller.booking.why == "The bus has broken down."


def money_of_each_booking_adds_up(company: Company) -> None:
    for traveller in company.travellers:
        if traveller.booking:
            assert company.sum_of(f"y.reference = '{traveller.reference}'") == traveller.paid(), traveller


def reports_add_up(company: Company) -> None:
    """The sales by service, date, segment and agent are the payments, added up in SQL."""
    keys = {
        "service": "y.bus_id",
        "date": "p.travel_date",
        "segment": "y.bus_id, lower(sold.segment), upper(sold.segment)",
        "agent": "y.agent",
    }
    for group, key in keys.items():
        *_, report = reports = [
            company.meera.sales(DAY.replace(day=1), NEXT_DAY, group=group, by=by)
            for by in ("payment", "travel")
        ]
        paid = {tuple(row[:-3]): row[-3:] for row in company.database.query(
            f"SELECT {key}, count(*) FILTER (WHERE payment_no = 1),"
            " coalesce(sum(amount) FILTER (WHERE y.kind = 'charge'), 0),"
            " coalesce(sum(amount) FILTER (WHERE y.kind = 'refund'), 0)"
            " FROM payments y JOIN passengers p USING (bus_id, reference, ticket_no)"
            " CROSS JOIN LATERAL (SELECT coalesce(p.no_show_segment, p.segment) AS segment) AS sold"
            f" GROUP BY {key}"
        )}  # fmt: skip
        assert {key_of(row, group): sums_of(row) for row in report.rows if any(sums_of(row))} == paid
        for other in reports:
            assert Decimal(other.income) == company.sum_of() > 0
            assert sum(Decimal(row.income) for row in other.rows) == company.sum_of()


def key_of(row: SalesRow, group: str) -> tuple[Any, ...]:
    """The columns by which a row of sales is grouped."""
    match group:
        case "service":
            return (row.bus_id,)
        case "date":
            return (row.date,)
        case "segment":
            return row.bus_id, row.from_stop, row.to_stop
        case _:
            return (row.agent,)


def sums_of(row: SalesRow) -> tuple[int, Decimal, Decimal]:
    """The tickets, the charges and the refunds of a row of sales."""
    return row.tickets, Decimal(row.charges), Decimal(row.refunds)


def settle_the_agent(company: Company) -> None:
    """The agent hands over the cash less the commission, and nothing is left open."""
    cash = company.sum_of("agent = 'kumar'")
    due = company.meera.settlement("kumar")
    assert Decimal(due.charges) - Decimal(due.refunds) == cash > 0
    settled = company.meera.settle_agent("kumar", due.settlement_no, due.due)
    assert Decimal(settled.handed_over) + Decimal(settled.commission) == cash
    assert settled.balance == "0.00"
    assert company.kumar.settlement().payments == []
    sums = {row.agent: Decimal(row.income) for row in company.meera.sales(DAY, NEXT_DAY, group="agent").rows}
    assert sums["kumar"] == cash
