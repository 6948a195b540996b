"""Limits on holds, over TCP, HTTP and plain text."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from tests.conftest import Database, LineClient
from tests.support.http_client import HttpClient
from tests.support.schema_api import ASHA, OTHER_DAY, sale
from tests.support.transcript import transcript

LOOPBACK = (ip_network("127.0.0.0/8"),)
PHONES = [f"+9198450123{n}" for n in range(10, 30)]
PASSWORD = "correct horse"


def outcomes(line: LineClient, holds: int, **args: Any) -> list[str]:
    """Hold a seat `holds` times, each for another phone number; return the statuses or reasons."""
    answers = [line.call("hold", **sale(phone=PHONES[n], **args)) for n in range(holds)]
    return [answer["data"]["reason"] if "data" in answer else answer["status"] for answer in answers]


def test_guest_cannot_hold_all_seats_of_a_bus(connect: Callable[[], LineClient], http: HttpClient) -> None:
    """The limit is 30 % of the 8 seats, but at least the 6 seats that one booking may have."""
    first, second = connect(), connect()
    assert first.call("hold", **sale(1, 2, 3, seconds=1800))["status"] == "held"
    assert second.call("hold", **sale(4, 5, 6, phone=PHONES[0], seconds=1800))["status"] == "held"
    message = (
        "Your network address holds 6 seats of this bus, and may hold 6 of its 8; you asked for 2. "
        "Confirm or release a hold, or try again in 30 minutes."
    )
    data = {"reason": "too_many_holds", "limit": 6, "retry_after": 1800}
    assert first.call("hold", **sale(7, 8)) == {"code": -32001, "message": message, "data": data}
    refused = http.call("POST", "/v1/holds", json=sale(7, 8))
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1800")
    assert refused.json() == {
        "type": "/schema#too_many_holds",
        "title": "The account or the address holds too much without payment",
        "status": 429, "detail": message, **data,
    }  # fmt: skip
    assert first.call("book", **sale(7, 8))["status"] == "booked"


def test_conversation_says_why_and_asks_for_the_seats_again(connect: Callable[[], LineClient]) -> None:
    holding, typing = connect(), connect()
    for seats in ((1, 2, 3), (4, 5, 6)):
        held = holding.call("hold", **sale(*seats))
    typing.send("bus\nres\nsat\nany\nany\nBengaluru\nMysuru\n1\n7 8\n98450 12345")
    while not typing.receive().startswith(b"Phone number:"):
        pass
    transcript(
        typing,
        """
        Your network address holds 6 seats of this bus, and may hold 6 of its 8; you asked for 2. \
Confirm or release a hold, or try again in 10 minutes.
        main (seats)
        +--- driver +
        | ~ ~   ~ ~ |
        | ~ ~   7 8 |
        +-----------+
        A number means free, ~ held by another traveller.
        2 of 8 free, 260.00 each.
        Seat numbers, such as 7 8, or best 2 for any two:
        """,
    )
    holding.call("release", reference=held["reference"], phone=ASHA)
    transcript(typing, "> 7 8\nHeld: {ref}")


@pytest.mark.settings(holds_per_address=2)
def test_limit_of_an_address_is_the_same_over_every_connection(
    connect: Callable[[], LineClient], http: HttpClient
) -> None:
    assert outcomes(connect(), 1) + outcomes(connect(), 1, travel_date=OTHER_DAY) == ["held", "held"]
    assert outcomes(connect(), 1, bus_id=2) == ["too_many_holds"]
    assert http.call("POST", "/v1/holds", json=sale(bus_id=2)).json()["limit"] == 2


@pytest.mark.settings(holds_per_address=1, held_seats_per_address=1, exempt_networks=LOOPBACK)
def test_exempt_network_has_no_limit(connect: Callable[[], LineClient], database: Database) -> None:
    assert outcomes(connect(), 8) == ["held"] * 8
    assert database.query("SELECT subject FROM holders") == []


@pytest.mark.settings(holds_per_account=2, exempt_networks=LOOPBACK)
def test_limit_of_an_account_applies_in_an_exempt_network(connect: Callable[[], LineClient]) -> None:
    asha, guest = connect(), connect()
    assert asha.call("register", username="asha", password=PASSWORD)["username"] == "asha"
    assert outcomes(asha, 3) == ["held", "held", "too_many_holds"]
    assert outcomes(guest, 3) == ["held"] * 3


@pytest.mark.settings(holds_per_address=2)
def test_accounts_of_one_address_share_its_limit(connect: Callable[[], LineClient]) -> None:
    lines = {name: connect() for name in ("asha", "ravi", "meena")}
    for name, line in lines.items():
        line.call("register", username=name, password=PASSWORD)
    assert [outcomes(line, 1) for line in lines.values()] == [["held"], ["held"], ["too_many_holds"]]


@pytest.mark.settings(holds_per_account=1, holds_per_address=1)
def test_operators_have_no_limit(connect: Callable[[], LineClient], database: Database) -> None:
    operator = connect()
    operator.call("register", username="boss", password=PASSWORD)
    database.query("UPDATE accounts SET role = 'admin' WHERE username = 'boss'")
    operator.call("login", username="boss", password=PASSWORD)
    assert outcomes(operator, 8) == ["held"] * 8
    assert database.query("SELECT subject FROM holders") == []


@pytest.mark.settings(holds_per_address=2)
def test_stranger_who_knows_a_phone_number_does_not_block_its_owner(
    connect: Callable[[], LineClient], database: Database
) -> None:
    stranger, owner = connect(), connect()
    for n in (1, 2):
        assert stranger.call("hold", **sale(n))["status"] == "held"
    database.query("UPDATE holders SET subject = 'address:192.0.2.1'")  # as if the stranger had this address
    assert owner.call("hold", **sale(3))["status"] == "held"


def test_guest_cannot_fill_the_waitlist(connect: Callable[[], LineClient], database: Database) -> None:
    database.query("UPDATE bus_info SET queue_limit = 7 WHERE bus_id = 1")
    guest = connect()
    guest.call("book", **sale(1, 2, 3, 4, 5, 6))
    guest.call("book", **sale(7, 8))
    waiting = [guest.call("book", **sale(phone=PHONES[n], waitlist=True)) for n in range(3)]
    assert [answer.get("status") for answer in waiting] == ["pending", "pending", None]
    assert waiting[2]["data"] == {"reason": "queue_full", "limit": 2}
