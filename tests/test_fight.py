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

from server.cluster import read_urls
from tests.processes import Served
from tests.test_start import load_timetable

PROCESSES, CLIENTS, SECONDS = 4, 50, 20
EXPLAINED = {
    "seat_taken", "sold_out", "queue_full", "hold_expired", "not_held", "already_booked", "already_cancelled",
    "unknown_booking",  # a ticket number that the party has not
}  # fmt: skip
MAY_BECOME = {"held": {"held", "expired"}, "pending": {"pending", "booked"}}  # by itself, unasked


def fight(server: Served, trips: list[tuple[int, str]]) -> list[dict[str, Any]]:
    fighters = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.fighter", server.host, str(server.port), json.dumps(trips),
             str(first), str(CLIENTS), str(SECONDS)],
            stdout=subprocess.PIPE,
        )
        for first in range(0, PROCESSES * CLIENTS, CLIENTS)
    ]  # fmt: skip
    return [json.loads(fighter.communicate(timeout=SECONDS + 60)[0]) for fighter in fighters]


def state_of(conn: psycopg.Connection[Any], reference: str) -> tuple[str, dict[str, int]]:
    """A booking's status and the seats it has, as psql would show them."""
    rows = conn.execute(
        "SELECT ticket_no, seat_no, status FROM bookings WHERE reference = %s", (reference,)
    ).fetchall()
    statuses = [status for _, _, status in rows]
    for status in ("booked", "held", "pending", "cancelled", "expired"):
        if status in statuses:
            return status, {str(n): seat for n, seat, state in rows if state in ("booked", "held")}
    raise AssertionError(f"booking {reference} was acknowledged and is not there")


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
                status, seats = state_of(conn, reference)
                assert status in MAY_BECOME.get(told["status"], {told["status"]}), (reference, told, status)
                if status == told["status"]:
                    assert seats == told["seats"], (reference, told, seats)
            (parties,) = conn.execute("SELECT count(DISTINCT reference) FROM passengers").fetchone() or (0,)
            assert parties == len(acknowledged)
        status, said = server.end(15)
        assert status == 0
    refused = sum((Counter(result["refused"]) for result in results), Counter())
    assert [fault for result in results for fault in result["faults"]] == []
    assert set(refused) <= EXPLAINED, refused
    assert len(acknowledged) > PROCESSES * CLIENTS  # they did get at each other
    log = "".join(path.read_text(errors="replace") for path in data_folder.rglob("*.log"))
    assert log, "PostgreSQL's log was not found"
    assert "deadlock" not in log
    assert "Traceback" not in said
