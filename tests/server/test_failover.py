"""Failures of the installation of docs/scaling.md while clients book through two servers.

After each failure bookings go on by themselves. Then the database of each machine has exactly the
acknowledged bookings, and its audit finds nothing. BUSWARE_TEST_FAILOVERS is the number of rounds; with more
than one, etcd and the standby are away for longer than the ttl of Patroni, and the test prints a table:

    BUSWARE_TEST_FAILOVERS=5 scripts/python -m pytest -s tests/server/test_failover.py
"""

import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date

import pytest

from tests.conftest import temporary_folder
from tests.support.booking_load import BookingLoad
from tests.support.line_client import wait_until
from tests.support.patroni import Node, PatroniCluster, reason_to_skip
from tests.support.processes import ServerProcess
from tests.support.project import TIMETABLE
from tests.support.schema_api import audit

pytestmark = pytest.mark.system

ROUNDS = int(os.environ.get("BUSWARE_TEST_FAILOVERS", "1"))
FIRST_BUS, BUSES, ROWS = 101, 4, 40  # services with 160 seats
BOOKINGS = 50  # before and after each failure
OUTAGE_SECONDS = 25 if ROUNDS > 1 else 0  # of etcd and of the standby; more than the ttl of patroni.yml
REPLAY_SECONDS = 60  # until the standbys have replayed everything
COMPARED = ("passengers", "payments", "idempotency_keys", "events", "seats", "trips")  # tables
STOPS = """
    Bengaluru     | -     | 10:00 |   0 |   0
    Ramanagara    | 10:50 | 10:55 |  50 |  90
    Mandya        | 11:45 | 11:50 | 100 | 180
    Srirangapatna | 12:20 | 12:25 | 128 | 230
    Mysuru        | 12:45 | -     | 145 | 260
"""


@dataclass(frozen=True)
class Outcome:
    """What one failure did.

    pause: the longest time without an acknowledged booking, in seconds. lost: bookings that were acknowledged
    and are not stored. doubled: bookings that are stored and were not acknowledged, as when a request that is
    sent again books twice. errors: what clients saw, by reason.
    """

    failure: str
    pause: float
    bookings: int
    lost: int
    doubled: int
    errors: Counter[str]


class Installation:
    """The cluster and two servers, and what clients have booked until now.

    bookings: the references of all acknowledged bookings.
    """

    def __init__(self, cluster: PatroniCluster, ports: list[int], trips: list[tuple[int, date]]) -> None:
        self.cluster = cluster
        self._ports, self._trips = ports, trips
        self.bookings: set[str] = set()
        self.outcomes: list[Outcome] = []

    @contextmanager
    def booking(self) -> Iterator[BookingLoad]:
        """Clients that book, until the end of the `with`."""
        with BookingLoad(self._ports, self._trips) as load:
            load.wait_for(BOOKINGS)
            yield load
            load.wait_for(BOOKINGS)
        self.bookings |= load.acknowledged.keys()

    def check(self) -> tuple[int, int]:
        """Compare the machines. Returns how many bookings are lost, and how many are doubled (Outcome)."""
        self.cluster.wait_until_complete()
        with self.cluster.find("primary").connect() as conn:
            conn.execute("ANALYZE")  # a new primary does not know what has changed: the audit would be slow
        nodes = self.cluster.nodes
        wait_until(lambda: len({node.position() for node in nodes}) == 1, REPLAY_SECONDS, 0.1)
        digests, differences = set(), set()
        for node in nodes:
            with node.connect() as conn:
                assert audit(conn) == [], node.name
                digests.add(tuple(conn.execute(digest_query(table)).fetchone() for table in COMPARED))
                rows = conn.execute("SELECT DISTINCT reference FROM passengers").fetchall()
            stored = {reference for (reference,) in rows}
            differences.add((len(self.bookings - stored), len(stored - self.bookings)))
        assert len(digests) == 1, "the machines do not have the same rows"
        (difference,) = differences
        return difference


def digest_query(table: str) -> bytes:
    return f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {table} AS t".encode()


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    if reason := reason_to_skip():
        pytest.skip(reason)
    folder = temporary_folder()
    try:
        with ExitStack() as stack:
            cluster = stack.enter_context(PatroniCluster(folder))
            settings = {
                "DATABASE_URL": cluster.url(),
                "BUSWARE_OWNER_URL": cluster.url("busware_owner"),
                "BUSWARE_EXEMPT_NETWORKS": "127.0.0.0/8",
                "BUSWARE_LOG_LEVEL": "error",
            }
            servers = [stack.enter_context(ServerProcess("0", **settings)) for _ in range(2)]
            trips = add_services(cluster.find("primary"))
            installation = Installation(cluster, [server.port for server in servers], trips)
            yield installation
            if ROUNDS > 1:
                print_table(installation.outcomes)
    finally:
        shutil.rmtree(folder)


def add_services(primary: Node) -> list[tuple[int, date]]:
    """Add the services. Returns their trips."""
    with primary.connect() as conn:
        conn.execute(TIMETABLE.read_bytes())
        conn.execute(
            "SELECT api.add_service(n, 'Bus ' || n, 'KSRTC', %s, sales_days => 14, stops => %s) "
            "FROM generate_series(%s::int, %s) AS n",
            ("...D\n" + "ss.ss\n" * ROWS, STOPS, FIRST_BUS, FIRST_BUS + BUSES - 1),
        )
        conn.execute("SELECT api.open_sales(bus_id) FROM bus_info")
        later = "SELECT bus_id, travel_date FROM trips WHERE bus_id >= %s AND travel_date > current_date + 1"
        return conn.execute(later, (FIRST_BUS,)).fetchall()


# The failures ----------------------------------------------------------------------------------

# Each returns when bookings go on and what failed is started again.


def kill_postgres(cluster: PatroniCluster, load: BookingLoad) -> None:
    """The PostgreSQL of the primary is killed; Patroni goes on."""
    os.kill(cluster.find("primary").postmaster(), signal.SIGKILL)
    load.wait_for(BOOKINGS)


def kill_machine(cluster: PatroniCluster, load: BookingLoad) -> None:
    """The machine of the primary ends, and starts again later."""
    node = cluster.find("primary")
    node.kill()
    load.wait_for(BOOKINGS)
    node.start()


def freeze_machine(cluster: PatroniCluster, load: BookingLoad) -> None:
    """The machine of the primary is frozen until another one is the primary; then it continues."""
    node = cluster.find("primary")
    node.freeze()
    load.wait_for(BOOKINGS)
    node.send(signal.SIGCONT)
    load.wait_for(BOOKINGS)


def switch_over(cluster: PatroniCluster, load: BookingLoad) -> None:
    """The operator makes the synchronous standby the primary."""
    cluster.switch_over()
    load.wait_for(BOOKINGS)


def lose_etcd(cluster: PatroniCluster, load: BookingLoad) -> None:
    """etcd ends, for longer than the leader key of the primary is valid."""
    node = cluster.find("primary")
    cluster.etcd.kill()
    time.sleep(OUTAGE_SECONDS)
    wait_until(lambda: node.state().get("failsafe_mode_is_active"), 60, 0.1)
    load.wait_for(BOOKINGS)
    cluster.etcd.start()


def lose_standby(cluster: PatroniCluster, load: BookingLoad) -> None:
    """The machine of the synchronous standby is frozen: its connections stay open."""
    node = cluster.find("sync_standby")
    node.freeze()
    load.wait_for(BOOKINGS)
    time.sleep(OUTAGE_SECONDS)
    node.kill()
    node.start()


FAILURES = [kill_postgres, kill_machine, freeze_machine, switch_over, lose_etcd, lose_standby]


@pytest.mark.parametrize("fail", FAILURES, ids=lambda fail: fail.__name__)
@pytest.mark.parametrize("_round", range(ROUNDS))
def test_bookings_go_on_and_none_is_lost(
    installation: Installation, fail: Callable[[PatroniCluster, BookingLoad], None], _round: int
) -> None:
    with installation.booking() as load:
        began = time.monotonic()
        fail(installation.cluster, load)
    pause = load.longest_pause(began)
    lost, doubled = installation.check()
    outcome = Outcome(fail.__name__, pause, len(load.acknowledged), lost, doubled, load.errors)
    installation.outcomes.append(outcome)
    print(outcome)
    assert (lost, doubled) == (0, 0)


def print_table(outcomes: list[Outcome]) -> None:
    print("\n| failure | longest pause, s | bookings | lost | doubled | errors that clients saw |")
    print("|---|---|---|---|---|---|")
    for name in dict.fromkeys(outcome.failure for outcome in outcomes):
        same_failure = [outcome for outcome in outcomes if outcome.failure == name]
        pauses = sorted(f"{outcome.pause:.1f}" for outcome in same_failure)
        bookings, lost, doubled = (
            sum(getattr(outcome, field) for outcome in same_failure)
            for field in ("bookings", "lost", "doubled")
        )
        errors = dict(sum((outcome.errors for outcome in same_failure), Counter[str]()))
        print(f"| {name} | {', '.join(pauses)} | {bookings} | {lost} | {doubled} | {errors or 'none'} |")
