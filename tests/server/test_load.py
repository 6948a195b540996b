"""200 clients in several processes book seats of two trips; then the whole database is audited.

The database has exactly the acknowledged bookings. Every refusal has a reason that competition for seats can
cause.
"""

import datetime
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from busware.server.embedded.data_folder import read_urls
from tests.server.test_start import load_timetable
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.system

PROCESSES, CLIENTS_PER_PROCESS, SECONDS = 4, 50, 20
EXPECTED_REASONS = {
    "seat_taken", "sold_out", "queue_full", "hold_expired", "not_held", "already_booked", "already_cancelled",
    "unknown_booking",  # a ticket number that the booking does not have
}  # fmt: skip
MAY_BECOME = {"held": {"held", "expired"}, "pending": {"pending", "booked"}}  # without a request


def run_clients(server: ServerProcess, trips: list[tuple[int, str]]) -> list[dict[str, Any]]:
    clients = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.load_client", server.host, str(server.port),
             json.dumps(trips), str(first), str(CLIENTS_PER_PROCESS), str(SECONDS)],
            stdout=subprocess.PIPE,
        )
        for first in range(0, PROCESSES * CLIENTS_PER_PROCESS, CLIENTS_PER_PROCESS)
    ]  # fmt: skip
    return [json.loads(client.communicate(timeout=SECONDS + 60)[0]) for client in clients]


def tickets_of(conn: psycopg.Connection[Any], reference: str) -> dict[str, list[Any]]:
    """The status and the seat of each ticket of a booking, from the view `bookings`."""
    rows = conn.execute(
        "SELECT ticket_no, status, seat_no FROM bookings WHERE reference = %s", (reference,)
    ).fetchall()
    return {str(n): [status, seat] for n, status, seat in rows}


def test_two_hundred_clients_book_two_trips(data_folder: Path) -> None:
    exempt = {"BUSWARE_EXEMPT_NETWORKS": "127.0.0.0/8"}  # the clients hold more than one address may
    with ServerProcess("0", "--data", str(data_folder), **exempt) as server:
        date = load_timetable(data_folder)
        day_before = str(datetime.date.fromisoformat(date) - datetime.timedelta(days=1))
        results = run_clients(server, [(1, date), (1, day_before)])
        urls = read_urls(data_folder)
        assert urls
        with psycopg.connect(urls.owner, autocommit=True) as conn:
            findings = conn.execute("SELECT * FROM api.audit()").fetchall()
            assert findings == []
            acknowledged = {k: v for result in results for k, v in result["acknowledged"].items()}
            for reference, replied in acknowledged.items():
                stored = tickets_of(conn, reference)
                assert stored.keys() == replied.keys(), (reference, replied, stored)
                for n, (status, seat) in replied.items():
                    assert stored[n][0] in MAY_BECOME.get(status, {status}), (reference, replied, stored)
                    assert stored[n][0] != status or stored[n][1] == seat, (reference, replied, stored)
            (bookings,) = conn.execute("SELECT count(DISTINCT reference) FROM passengers").fetchone() or (0,)
            assert bookings == len(acknowledged)
        status, output = server.end(15)
        assert status == 0
    refused = sum((Counter(result["refused"]) for result in results), Counter())
    assert [error for result in results for error in result["errors"]] == []
    assert set(refused) <= EXPECTED_REASONS, refused
    assert len(acknowledged) > PROCESSES * CLIENTS_PER_PROCESS  # so the clients competed for seats
    log = "".join(path.read_text(errors="replace") for path in data_folder.rglob("*.log"))
    assert log, "PostgreSQL's log was not found"
    assert "deadlock" not in log
    assert "Traceback" not in output
