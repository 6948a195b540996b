"""A full disk of the database: callers read what is wrong, the operator what to do, and no data is wrong."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from busware.server.db import pool
from busware.server.embedded.data_folder import PostgresError
from busware.server.embedded.process import EmbeddedPostgres
from tests.conftest import Database, LineClient
from tests.support.http_client import HttpClient
from tests.support.small_disk import fill, small_disk
from tests.support.transcript import TRAVEL_DAY

BOOK = {
    "bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru",
    "phone": "98450 12345",
}  # fmt: skip
FULL = "The disk of the database is full: nothing was done. The operator is informed; try again later."


@pytest.fixture(autouse=True)
def no_shortage_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_shortages", {})


@pytest.fixture
def disk_of_tickets(database: Database) -> Iterator[Path]:
    """A folder with a small file system, where PostgreSQL stores the tickets."""
    data = Path(database.value("SHOW data_directory"))
    folder, owner = data.parent / "small_disk", data.stat()
    folder.mkdir()
    with small_disk(folder, megabytes=4):
        tablespace = folder / "tablespace"
        tablespace.mkdir()
        os.chown(tablespace, owner.st_uid, owner.st_gid)
        database.conn.execute(f"CREATE TABLESPACE small_disk LOCATION '{tablespace}'")
        database.query("ALTER TABLE passengers SET TABLESPACE small_disk")
        yield folder
        database.query("ALTER TABLE passengers SET TABLESPACE pg_default")
        database.query("DROP TABLESPACE small_disk")
    folder.rmdir()


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_bookings_on_a_full_disk_are_refused_until_there_is_space(
    disk_of_tickets: Path,
    connect: Callable[[], LineClient],
    http: HttpClient,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file, answers = fill(disk_of_tickets), []

    def book(seat: int) -> None:
        answers.append(connect().call("book", **BOOK, seats=[seat]))

    threads = [threading.Thread(target=book, args=(seat,)) for seat in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(a["data"]["reason"], a["message"]) for a in answers] == [("busy", FULL)] * 4
    answer = http.call("POST", "/v1/bookings", json={**BOOK, "seats": [5]})
    assert (answer.status_code, answer.json()["detail"]) == (503, FULL)
    client = connect()
    assert client.call("search", origin="Bengaluru", destination="Mysuru", date=TRAVEL_DAY)["trips"]
    (error,) = errors(caplog)
    assert error.startswith("The disk of the database is full. Requests that need it are refused. Free some")
    assert "No space left on device" in error
    file.unlink()
    assert client.call("book", **BOOK, seats=[1])["status"] == "booked"
    assert database.query("SELECT * FROM api.audit()") == []


@pytest.mark.parametrize(
    ("sqlstate", "what"),
    [
        ("53100", "The disk of the database is full"),
        ("53200", "The database has no memory left"),
        ("58030", "The disk of the database cannot be read or written"),
    ],
)
def test_a_shortage_is_named_in_reads_and_writes_and_logged_once(
    client_socket: LineClient,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    sqlstate: str,
    what: str,
) -> None:
    body = f"BEGIN RAISE EXCEPTION 'shortage' USING ERRCODE = '{sqlstate}'; END"
    for name in ("batch", "read"):
        function = database.value("SELECT pg_get_functiondef(%s::regproc)", f"api.{name}")
        head = function.partition(" LANGUAGE")[0]
        database.conn.execute(f"{head} LANGUAGE plpgsql AS '{body.replace(chr(39), chr(39) * 2)}'")
    for method, params in (("places", {}), ("book", {**BOOK, "seats": [1]}), ("places", {})):
        refused = client_socket.call(method, **params)
        assert refused["data"]["reason"] == "busy"
        assert refused["message"].startswith(f"{what}: nothing was done.")
    assert len(errors(caplog)) == 1
    assert errors(caplog)[0].startswith(f"{what}. Requests that need it are refused. ")


def test_postgresql_that_does_not_start_on_a_full_disk_is_reported_with_the_cause(data_folder: Path) -> None:
    with small_disk(data_folder, megabytes=100):
        postgres = EmbeddedPostgres(data_folder, options={"fsync": "off"})
        postgres.start()
        postgres.stop()
        file = fill(data_folder)
        with pytest.raises(PostgresError, match=r"does not start\. The disk of \S+ is full: free some space"):
            EmbeddedPostgres(data_folder).start()
        file.unlink()
        postgres = EmbeddedPostgres(data_folder, options={"fsync": "off"})
        postgres.start()
        postgres.stop()
