"""PostgreSQL that may lose what it commits: the server refuses to use it."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from busware.server.db.deadlines import Deadlines
from busware.server.db.pool import Pool, connect
from busware.server.db.requirements import LossyCommits, explain_lossy_commits
from busware.server.embedded.process import EmbeddedPostgres
from busware.server.protocol import Refusal
from busware.server.settings import Settings
from tests.conftest import Database, temporary_folder
from tests.support.line_client import wait_until
from tests.support.processes import ServerProcess, fail_to_start
from tests.support.writing import book, outcome, seats_of

SET_FOR_ROLE = "ALTER ROLE busware IN DATABASE test SET synchronous_commit = "
DISCONNECT = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = 'busware'"
)


@pytest.fixture(scope="module")
def lossy() -> Iterator[str]:
    """The owner's URL of a PostgreSQL whose configuration may lose commits in three ways."""
    options = {
        "fsync": "off", "full_page_writes": "off", "synchronous_commit": "local",
        "synchronous_standby_names": "standby",
    }  # fmt: skip
    folder = temporary_folder()
    postgres = EmbeddedPostgres(folder, options=options)
    try:
        yield postgres.start().owner
    finally:
        postgres.stop()
        shutil.rmtree(folder)


def test_settings_of_the_cluster_are_explained(lossy: str) -> None:
    with psycopg.connect(lossy) as conn:
        assert explain_lossy_commits(conn) == (
            "fsync is off, set on the command line of PostgreSQL"
            " and full_page_writes is off, set on the command line of PostgreSQL"
            " and synchronous_commit is local, set on the command line of PostgreSQL"
        )


def test_connection_is_refused_if_the_cluster_may_lose_commits(lossy: str) -> None:
    with pytest.raises(LossyCommits, match="fsync is off, set on the command line"):
        connect(lossy, Settings(), "test", Deadlines(Settings()))
    accepting = Settings(accept_data_loss=True)
    connect(lossy, accepting, "test", Deadlines(accepting)).close()


@pytest.mark.parametrize(
    ("statement", "options", "place"),
    [
        (SET_FOR_ROLE + "off", "", "by ALTER ROLE … IN DATABASE … SET"),
        ("ALTER DATABASE test SET synchronous_commit = off", "", "by ALTER DATABASE … SET"),
        ("SELECT 1", "?options=-csynchronous_commit%3Doff", "in the options of the URL, or in PGOPTIONS"),
    ],
)
def test_connection_is_refused_wherever_synchronous_commit_is_off(
    database: Database, settings: Settings, statement: str, options: str, place: str
) -> None:
    database.query(statement)
    with pytest.raises(LossyCommits, match=f"synchronous_commit is off, set {place}"):
        connect(database.server + options, settings, "test", Deadlines(settings))


@pytest.mark.parametrize("value", ["local", "remote_write", "remote_apply"])
def test_without_a_synchronous_standby_other_values_are_accepted(
    database: Database, settings: Settings, value: str
) -> None:
    database.query(SET_FOR_ROLE + value)
    with closing(connect(database.server, settings, "test", Deadlines(settings))) as conn:
        assert conn.execute("SHOW synchronous_commit").fetchone() == (value,)


def test_server_does_not_start_if_acknowledged_bookings_may_be_lost(
    urls: dict[str, str], database: Database
) -> None:
    database.query(SET_FOR_ROLE + "off")
    status, output = fail_to_start("0", **urls)
    assert status == 1
    assert output.splitlines()[-1] == (
        "busware: PostgreSQL can lose acknowledged bookings in a crash or a failover: "
        "synchronous_commit is off, set by ALTER ROLE … IN DATABASE … SET. Set it to on. "
        "If the loss of bookings is acceptable, set BUSWARE_ACCEPT_DATA_LOSS=true."
    )
    with ServerProcess("0", **urls, BUSWARE_ACCEPT_DATA_LOSS="true") as server:
        assert "a crash may lose bookings, because synchronous_commit is off" in "".join(server.output)


@pytest.mark.settings(connect_seconds=0.2)
def test_writer_is_busy_after_a_failover_to_a_lossy_database(
    database: Database, submit: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    database.query(SET_FOR_ROLE + "off")
    database.query(DISCONNECT)
    assert outcome(submit(book(1))) == "busy"
    assert outcome(submit(book(1))) == "busy"
    assert caplog.text.count("synchronous_commit is off") == 1
    database.query(SET_FOR_ROLE + "on")
    assert seats_of(outcome(submit(book(1)))) == [1]


@pytest.mark.settings(read_wait_seconds=0.2)
def test_pool_is_busy_after_a_failover_to_a_lossy_database(
    database: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Pool(database.server, settings, Deadlines(settings))) as pool:
        pool.open()
        database.query(SET_FOR_ROLE + "off")
        database.query(DISCONNECT)
        for _ in range(2):
            with pytest.raises(Refusal) as refused:
                pool.execute("SELECT 1")
            assert refused.value.reason == "busy"
        assert caplog.text.count("synchronous_commit is off") == 1
        database.query(SET_FOR_ROLE + "on")
        wait_until(lambda: answers(pool))


def answers(pool: Pool) -> bool:
    try:
        return pool.execute("SELECT 1") == [(1,)]
    except Refusal:
        return False
