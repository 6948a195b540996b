"""The commands of docs/http.md, run with curl on the timetables of sql/9*.sql.

The reference and the token of the page are replaced by those that the server returned.
"""

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from busware.server.db import schema
from busware.server.settings import Settings
from tests.conftest import NOW, Database, stop_clock
from tests.support.http_client import HttpClient
from tests.support.project import PROJECT

pytestmark = pytest.mark.system

BLOCKS = re.findall(r"(?ms)^```sh\n(.*?)^```$", (PROJECT / "docs/http.md").read_text())
COMMANDS = [command for block in BLOCKS for command in re.findall(r"(?ms)^curl .*?(?=^curl |\Z)", block)]
DAY = "2026-12-05"  # replaces the page's `date` command, because the clock of the test stands still


@pytest.fixture
def database(new_database: Callable[..., Database]) -> Database:
    """A database with the timetables, loaded at NOW."""
    database = new_database("http_doc")
    schema.prepare(database.owner, database.server, Settings(seed=False))
    stop_clock(database.conn, NOW)
    schema.prepare(database.owner, database.server)
    return database


def test_every_command_works(http: HttpClient, database: Database) -> None:
    replies: dict[str, Any] = {}
    for command in COMMANDS:
        typed = command.replace("localhost:8000", http.url.removeprefix("http://"))
        typed = typed.replace("DTK7GHJ", replies.get("reference", "")).replace(
            "TOKEN", replies.get("token", "")
        )
        typed = typed.replace("curl ", "curl --silent --show-error --fail-with-body ", 1)
        answer = subprocess.run(
            ["bash", "-c", f"day={DAY}\n{typed}"], capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, f"{command}\n{answer.stdout}{answer.stderr}"
        replies |= json.loads(answer.stdout)
    assert len(COMMANDS) == 10
    assert {"trips", "reference", "stands_until", "token", "bookings", "rooms", "message"} <= replies.keys()
    assert database.query("SELECT count(*), sum(refund) FROM passengers WHERE bus_id = 101") == [(2, 130)]
    assert replies["message"] == "Checked out successfully. Released rooms: [1, 2]"
    assert database.query("SELECT * FROM api.audit()") == []
