"""The hotel's API answers as the program that it replaces, except for what is listed here.

tests/data/hotel-requests.json has 100 requests in order, and what that program answered. Its status is null
if the program crashed.
"""

import json
from collections import Counter
from ipaddress import ip_network
from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.http_client import HttpClient
from tests.support.project import PROJECT

ROWS = json.loads((PROJECT / "tests/data/hotel-requests.json").read_text())["rows"]

# Fields that our answers have in addition. They were published with version 0.1.0.
ADDED = {"refund", "currency", "rooms_free"}

_ALL_OR_NONE = "A party gets all its rooms or none. The program booked the four that were free."
_LIMITED = "An account's password has at most 256 characters, everywhere."
_FOLDED = "A username is the same in any case and with blanks around it, as everywhere."
_CRASHED = "The program crashed."
_TAKES = {
    "error": "username and password: a username of up to 64 characters, "
    "and a password of up to 256 characters."
}
_POSITIVE = {"error": "num_rooms must be a positive integer."}
_MINE = {"message": "Your booked rooms: [6, 8, 1, 9, 2, 10]"}

# By the label of a row: our status and body, and the reason. A second row with a label has a number after it.
DIFFERENCES: dict[str, tuple[int, Any, str]] = {
    "book by second guest (more than free)": (
        409,
        {"error": "Only 4 rooms are available."},
        _ALL_OR_NONE,
    ),
    "query b": (200, {"message": "You have not booked any rooms."}, _ALL_OR_NONE),
    "book by second guest 2": (200, {"message": "Rooms booked successfully: [3]"}, _ALL_OR_NONE),
    "query b 2": (200, {"message": "Your booked rooms: [3]"}, _ALL_OR_NONE),
    "checkout b": (200, {"message": "Checked out successfully. Released rooms: [3]"}, _ALL_OR_NONE),
    "book 'two'": (400, _POSITIVE, _CRASHED),
    "book None": (400, _POSITIVE, _CRASHED),
    "book [1]": (400, _POSITIVE, _CRASHED),
    "book {}": (400, _POSITIVE, _CRASHED),
    "password number": (400, _TAKES, _CRASHED),
    "bad utf8": (400, {"error": "Invalid JSON."}, _CRASHED),
    "json list": (400, {"error": "Invalid JSON."}, _CRASHED),
    "json string": (400, {"error": "Invalid JSON."}, _CRASHED),
    "NaN": (400, {"error": "Invalid JSON."}, _CRASHED),
    "trailing slash": (
        200,
        {"rooms": [{"room_number": n, "is_occupied": n in (1, 2, 6, 8, 9, 10)} for n in range(1, 11)]},
        "A slash at the end of a path is ignored, as everywhere.",
    ),
    "HEAD-like OPTIONS": (204, None, "OPTIONS is answered, as everywhere: it lists the methods of a path."),
    "PATCH": (404, {"error": "Endpoint not found."}, "An unknown method has the answer of an unknown path."),
    "username case": (200, _MINE, _FOLDED),
    "username blanks": (200, _MINE, _FOLDED),
    "long password": (400, _TAKES, _LIMITED),
    "checkout c": (400, _TAKES, _LIMITED),
}  # fmt: skip


@pytest.mark.settings(
    exempt_networks=(ip_network("127.0.0.0/8"),), hotel_named_failures=100, password_wait_seconds=60
)
def test_answers_are_those_of_the_replaced_program(
    http: HttpClient, database: Database, clock: Clock
) -> None:
    database.query((PROJECT / "sql/99_seed_hotel.sql").read_text())
    seen: Counter[str] = Counter()
    expected: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    for row in ROWS:
        clock.advance(seconds=1)  # the rooms of a guest are in the order in which the guest got them
        seen[row["label"]] += 1
        label = row["label"] if seen[row["label"]] == 1 else f"{row['label']} {seen[row['label']]}"
        data = row["raw"].encode("latin-1") if "raw" in row else None
        answer = http.call(
            row["method"], f"/hotel{row['path']}",
            json=row.get("body"), data=data, headers=row.get("headers", {}),
        )  # fmt: skip
        body = answer.json() if answer.content else None
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if name not in ADDED}
        answers[label] = [answer.status_code, body]
        expected[label] = [row["status"], row["answer"]]
    differing = {label: answer for label, answer in answers.items() if answer != expected[label]}
    assert len(answers) == 100
    assert differing == {label: [status, body] for label, (status, body, _) in DIFFERENCES.items()}
    assert database.query("SELECT * FROM api.audit()") == []
