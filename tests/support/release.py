"""A server for the transcripts, and the recorded data of the released versions.

The folder of a version in tests/data has:
  *.jsonl         transcripts, in the order of CALLS: see tests/support/transcripts.py
  database.sql    a dump of the database before the last transcript, while the server is running
  left.json       the clock, and the values that the transcripts kept, such as references and tokens
  published.json  the published names: see tests/support/published.py
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from busware.server.db import schema
from busware.server.settings import Settings
from tests.conftest import NOW, Clock, Cluster, Database, stop_clock
from tests.support import calls_http, calls_json_rpc, calls_plain_text
from tests.support.http_client import HttpClient
from tests.support.transcripts import Entry, TranscriptPlayer

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
VERSIONS = sorted(folder.name for folder in DATA.iterdir() if folder.is_dir())

CALLS: dict[str, list[Entry]] = {  # by the name of the file
    "http": calls_http.CALLS,
    "json_rpc": calls_json_rpc.CALLS,
    "plain_text": calls_plain_text.CALLS,
    "stopping": calls_plain_text.STOPPING,
}


@pytest.fixture
def database(new_database: Callable[..., Database]) -> Database:
    """The services of services.sql, with the clock at NOW."""
    database = new_database("released")
    schema.prepare(database.owner, database.server, Settings(seed=False))
    stop_clock(database.conn, NOW)
    database.conn.execute((HERE / "services.sql").read_bytes())
    return database


@pytest.fixture
def player(
    pushing: SimpleNamespace, connect: Callable[[], Any], http: HttpClient, database: Database, clock: Clock
) -> TranscriptPlayer:
    """The running server, with HTTP and pushes."""
    return TranscriptPlayer(connect, http.call, database.query, clock.set, pushing.tcp.drain)


def read_transcript(file: Path) -> list[Entry]:
    """The entries of a recorded transcript."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def write_transcript(file: Path, entries: list[Entry]) -> None:
    """Write the entries, a line each."""
    file.write_text("".join(f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in entries))


def dump(cluster: Cluster, database: Database, file: Path) -> None:
    """Dump the database with grants and comments, so that PostgreSQL 15 and later can restore it.

    First set api.now() back to the system clock, as in any database of a server.
    """
    database.query(
        "CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz LANGUAGE sql STABLE RETURN now()"
    )
    made = subprocess.run(
        [cluster.programs / "pg_dump", "--no-owner", database.owner],
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout  # fmt: skip
    # unknown to older versions, or random:
    newer = ("SET transaction_timeout", "\\restrict", "\\unrestrict", "-- Dumped ")
    kept = [line for line in made.splitlines() if not line.startswith(newer)]
    head = "-- What a Busware server left behind: a dump of its database. Recorded; do not edit it.\n"
    file.write_text(head + "\n".join(kept).strip("\n") + "\n")


def restore(cluster: Cluster, database: Database, file: Path) -> None:
    """Load a dump into an empty database, by psql."""
    subprocess.run(
        [cluster.programs / "psql", "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file", file,
         database.owner],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
