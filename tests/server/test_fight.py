"""200 clients in several processes fight over two trips; then the whole database is held against the rules.

What a client was told is what is there: nothing that was acknowledged is lost, nothing that was refused
is done, and no refusal is of a kind that the game does not explain.
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
from tests.support.processes import Served

pytestmark = pytest.mark.system

PROCESSES, CLIENTS, SECONDS = 4, 50, 20
EXPLAINED = {
    "seat_taken", "sold_out", "queue_full", "hold_expired", "not_held", "already_booked", "already_cancelled",
    "unknown_booking",  # a ticket number that the party has not
}  # fmt: skip
MAY_BECOME = {"held": {"held", "expired"}, "pending": {"pending", "booked"}}  # a ticket, by itself


def fight(server: Served, trips: list[tuple[int, str]]) -> list[dict[str, Any]]:
    clients = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.load_client", server.host, str(server.port),
             json.dumps(trips), str(first), str(CLIENTS), str(SECONDS)],
            stdout=subprocess.PIPE,
        )
        for first in range(0, PROCESSES * CLIENTS, CLIENTS)
    ]  # fmt: skip
    return [json.loads(client.communicate(timeout=SECONDS + 60)[0]) for client in clients]


def tickets_of(conn: psycopg.Connection[Any], reference: str) -> dict[str, list[Any]]:
    """The status and the seat of each ticket of a booking, as psql would show them."""
    rows = conn.execute(
        "SELECT ticket_no, status, seat_no FROM bookings WHERE reference = %s", (reference,)
    ).fetchall()
    return {str(n): [status, seat] for n, status, seat in rows}


def test_two_hundred_clients_fight_over_two_trips(data_folder: Path) -> None:
    with Served("0", "--data", str(data_folder)) as server:
        date = load_timetable(data_folder)
        eve = str(datetime.date.fromisoformat(date) - datetime.timedelta(days=1))
        results = fight(server, [(1, date), (1, eve)])
        urls = read_urls(data_folder)
        assert urls
        with psycopg.connect(urls.owner, autocommit=True) as conn:
            findings = conn.execute("SELECT * FROM api.audit()").fetchall()
            assert findings == []
            acknowledged = {k: v for result in results for k, v in result["acknowledged"].items()}
            for reference, told in acknowledged.items():
                there = tickets_of(conn, reference)
                assert there.keys() == told.keys(), (reference, told, there)
                for n, (status, seat) in told.items():
                    assert there[n][0] in MAY_BECOME.get(status, {status}), (reference, told, there)
                    assert there[n][0] != status or there[n][1] == seat, (reference, told, there)
            (parties,) = conn.execute("SELECT count(DISTINCT reference) FROM passengers").fetchone() or (0,)
            assert parties == len(acknowledged)
        status, said = server.end(15)
        assert status == 0
    refused = sum((Counter(result["refused"]) for result in results), Counter())
    assert [fault for result in results for fault in result["errors"]] == []
    assert set(refused) <= EXPLAINED, refused
    assert len(acknowledged) > PROCESSES * CLIENTS  # they did get at each other
    log = "".join(path.read_text(errors="replace") for path in data_folder.rglob("*.log"))
    assert log, "PostgreSQL's log was not found"
    assert "deadlock" not in log
    assert "Traceback" not in said
