"""Records the data of the current version, for the tests of later versions.

    scripts/python -m pytest tests/support/record_release.py

plays the calls of calls_http.py, calls_json_rpc.py and calls_plain_text.py to this version, and writes the
transcripts, the dump and the published names into a new folder of tests/data. This is a step of a release.
The data of an older version is never recorded again. To record this version again, remove its folder first.

It is a test module because it needs the fixtures: a PostgreSQL, and a server with a stopped clock.
"""

import json

import pytest

from tests.conftest import Clock, Cluster, Database
from tests.support.http_client import HttpClient
from tests.support.published import published
from tests.support.release import CALLS, DATA, database, dump, player, write_transcript  # noqa: F401
from tests.support.transcripts import TranscriptPlayer, record

pytestmark = pytest.mark.settings(password_wait_seconds=60)  # a hash takes long on a busy machine


def test_record_release(
    player: TranscriptPlayer,  # noqa: F811 - a fixture
    http: HttpClient,
    cluster: Cluster,
    database: Database,  # noqa: F811
    clock: Clock,
) -> None:
    folder = DATA / http.call("GET", "/v1/ping").json()["version"]
    folder.mkdir()
    for name, calls in CALLS.items():
        if name == "stopping":  # it stops the server
            lists = published(http.call, database.query)
            (folder / "published.json").write_text(json.dumps(lists, indent=1) + "\n")
            final_values = {"clock": clock.now.isoformat(), **player.kept}
            (folder / "left.json").write_text(json.dumps(final_values, indent=1) + "\n")
            dump(cluster, database, folder / "database.sql")
        write_transcript(folder / f"{name}.jsonl", list(record(calls, player)))
