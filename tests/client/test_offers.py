"""Offers to displaced bookings: the commands, the Python client, and what connected clients receive."""

import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from tests.client.test_commands import PHONE, Run, operate, run  # noqa: F401 - fixtures
from tests.conftest import Database, LineClient
from tests.support.both_clients import Sdk
from tests.support.offers import LATER, add_later_bus, displace
from tests.support.schema_api import ASHA, DAY, SchemaApi, audit


@pytest.fixture(autouse=True)
def later_bus(database: Database) -> None:
    add_later_bus(database)


def book(run: Run) -> str:  # noqa: F811
    """Book two seats of the whole route, and return the reference."""
    booked = run("book", "1", DAY, "bengaluru", "mysuru", "--seats", "1,2", *PHONE, "--json")
    return str(json.loads(booked.out)["reference"])


def test_commands_show_an_offer_and_accept_it(operate: Run, run: Run, database: Database) -> None:  # noqa: F811
    reference = book(run)
    displace(database, reference)
    shown = run("booking", reference, *PHONE).out
    assert "Displaced: " in shown
    assert "Offer 1: A smaller bus runs.\nInstead: KSRTC Later Bus (bus 3), Sat 5 Dec 2026 12:00, " in shown
    assert "or decline it: then 520.00 is refunded, as without an answer.\n" in shown
    assert run("offers", reference, *PHONE).out.startswith(
        f"Booking {reference}\nOffer 1: A smaller bus runs."
    )
    accepted = run("accept", reference, *PHONE).out
    assert "KSRTC Later Bus (3) of Sat 5 Dec 2026" in accepted
    assert "Accepted, " in operate("trip-offers", "1", DAY).out
    refused = run("accept", reference, *PHONE)
    assert (refused.status, refused.err) == (1, f"Offer 1 of booking {reference} is accepted.\n")
    assert audit(database.conn) == []


def test_commands_decline_an_offer(run: Run, database: Database) -> None:  # noqa: F811
    reference = book(run)
    refused = run("decline", reference, *PHONE)
    assert (refused.status, refused.err) == (1, f"Booking {reference} has no offer.\n")
    displace(database, reference)
    assert "refund 520.00." in run("decline", reference, "--offer", "1", "--yes", *PHONE).out
    assert run("offers", reference, *PHONE).out.endswith("Declined, Tue 1 Dec 2026 09:00.\n")


def test_python_client_answers_offers(sdk: Sdk, server: SimpleNamespace, database: Database) -> None:
    with SchemaApi.open(database) as api:
        accepted, declined = api.book(1, 2)["reference"], api.book(3)["reference"]
        displace(database, accepted, declined)
        with sdk.connect(server.host, server.port) as client:
            (offer,) = client.offers(accepted, ASHA)
            assert (offer.state, offer.refund, offer.trip.bus_id) == ("open", "520.00", LATER)
            moved = client.accept(accepted, ASHA, offer_no=offer.offer_no)
            assert [ticket.seat_no for ticket in moved.tickets] == offer.trip.seats
            assert client.decline(declined, ASHA).refund == "260.00"


@pytest.mark.usefixtures("pushing")
def test_connected_client_is_informed_once_and_follows_the_booking(
    connect: Callable[[], LineClient], database: Database
) -> None:
    line, other = connect(), connect()
    with SchemaApi.open(database) as api:
        booking = {"reference": api.book(1, 2)["reference"], "phone": ASHA}
        line.call("booking", **booking)
        displace(database, booking["reference"])
        database.query("SELECT api.notify_trip(1, %s)", DAY)
        pushed = dict(line.notification() for _ in range(2))
        assert "A smaller bus runs. Offer 1, until" in pushed["message"]["text"]
        assert pushed["booking_changed"]["status"] == "displaced"
        assert [offer["offer_no"] for offer in pushed["booking_changed"]["offers"]] == [1]
        assert other.call("accept", **booking)["bus_id"] == LATER
        method, moved = line.notification()
        assert (method, moved["bus_id"], moved["status"]) == ("booking_changed", LATER, "booked")
        other.call("cancel", **booking)
        assert line.notification()[1]["status"] == "cancelled"
