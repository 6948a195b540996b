"""The contract of released versions: their recorded transcripts, and the names that they published.

tests/data has a folder for each version; tests/support/record_release.py records it.
"""

import json
from typing import Any

import pytest

from tests.conftest import Database, LineClient
from tests.support.http_client import HttpClient
from tests.support.published import missing_names, published
from tests.support.release import (
    CALLS,
    DATA,
    VERSIONS,
    database,  # noqa: F401 - a fixture
    player,  # noqa: F401 - a fixture
    read_transcript,
)
from tests.support.transcripts import TranscriptPlayer, compare, differences

pytestmark = pytest.mark.settings(
    password_wait_seconds=60,  # a hash takes long on a busy machine
    hotel_named_failures=100,  # more than the transcripts have
)


_DEFAULT_DATE = "The trips of a day have a default date, so a guest without a date has to sign in."
# The deliberate differences from a version, and the reason of each. The test fails for any other difference,
# and for one of these that no longer occurs.
DELIBERATE_DIFFERENCES: dict[str, dict[str, str]] = {
    "0.1.0": {
        "http.jsonl line 100, /hotel/book: "
        "reply.body.error was 'No rooms available.', is 'Only 8 rooms are available.'": (
            "Nine rooms are wanted and eight are free: the old message says that none is free."
        ),
        "http.jsonl line 101, /hotel/book: "
        "reply.body.error was 'num_rooms must be a positive integer.', "
        "is 'username, password, and num_rooms required.'": (
            "Zero rooms: the program that /hotel replaces gives this message."
        ),
        "http.jsonl line 109, /hotel/update: reply.status was 400, is 200": (
            "The room is a string, '8': the program that /hotel replaces accepts it."
        ),
        "http.jsonl line 109, /hotel/update: reply.body.error is missing": "As above.",
        **{
            f"http.jsonl line 77, /v1/operator/trips: reply.{difference}": _DEFAULT_DATE
            for difference in (
                "status was 400, is 401",
                "body.field is missing",
                "body.takes is missing",
                "body.type was '/schema#bad_request', is '/schema#not_signed_in'",
                "body.status was 400, is 401",
                "body.reason was 'bad_request', is 'not_signed_in'",
            )
        },
    }
}


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_transcripts_of_a_version(version: str, player: TranscriptPlayer) -> None:  # noqa: F811
    found = []
    for name in CALLS:
        file = DATA / version / f"{name}.jsonl"
        if file.exists():  # a version that is older than these calls has no file
            found += [f"{name}.jsonl {difference}" for difference in compare(read_transcript(file), player)]
    deliberate = DELIBERATE_DIFFERENCES.get(version, {})
    unknown = [difference for difference in found if difference not in deliberate]
    assert unknown == [], "\n".join(unknown)
    assert deliberate.keys() <= set(found)


@pytest.mark.parametrize("version", VERSIONS)
def test_names_published_by_a_version(
    version: str,
    client_socket: LineClient,
    http: HttpClient,
    database: Database,  # noqa: F811
) -> None:
    assert client_socket.call("places")["places"]  # creates the metrics of requests
    old = json.loads((DATA / version / "published.json").read_text())
    found = list(missing_names(old, published(http.call, database.query)))
    assert found == [], "\n".join(found)


# The comparison itself -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("new", "found"),
    [
        ({"fare": "180.00", "tickets": [{"seat_no": 7}], "message": "Another text.", "more": 1}, []),
        ({"fare": "180.00", "tickets": [{"seat_no": 7}]}, ["reply.message is missing"]),
        (
            {"price": "180.00", "tickets": [{"seat": 7}], "message": "Text."},
            ["reply.fare is missing", "reply.tickets.0.seat_no is missing"],
        ),
        (
            {"fare": 180.0, "tickets": [], "message": ""},
            [
                "reply.fare was '180.00', is 180.0",
                "reply.tickets had 1 items, has 0: []",
                "reply.message is empty",
            ],
        ),
        (
            {"fare": "180.01", "tickets": [{"seat_no": None}], "message": None},
            [
                "reply.fare was '180.00', is '180.01'",
                "reply.tickets.0.seat_no was 7, is None",
                "reply.message was 'Text.', is None",
            ],
        ),
    ],
)
def test_differences_are_found(new: Any, found: list[str]) -> None:
    old = {"fare": "180.00", "tickets": [{"seat_no": 7}], "message": "Text."}
    assert list(differences(old, new, "reply")) == found
