"""Payments, mails, notices, the waitlist and two servers with shards: the same as with one database."""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from busware import Client, connect
from tests.support.booking_load import BookingLoad
from tests.support.line_client import LineClient, wait_until
from tests.support.mail_server import MailServer
from tests.support.processes import ServerProcess
from tests.support.schema_api import ASHA
from tests.support.shards import FIRST_BUS, STOPS, ShardedInstallation
from tests.support.stripe_server import StripeServer

pytestmark = pytest.mark.system

BOOKINGS = 50
PASSWORD = "a long password"
# Services of both shards, for each way to pay.
STRIPE_BUSES, MANUAL_BUSES, SMALL_BUSES = (201, 202), (203, 204), (205, 206)
BUSES = STRIPE_BUSES + MANUAL_BUSES + SMALL_BUSES
TRIP = {"origin": "Bengaluru", "destination": "Mysuru", "phone": ASHA}


@dataclass
class Office:
    """Two servers of one installation, the first with two processes, and what is around them."""

    servers: list[ServerProcess]
    stripe: StripeServer
    mails: MailServer


@pytest.fixture(scope="module")
def office(
    sharded: ShardedInstallation, stripe_process: StripeServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    for shard, buses in zip(sharded.shards, (BUSES[1::2], BUSES[::2]), strict=True):
        with shard.connect() as conn:
            for bus_id in buses:
                add_service(conn, bus_id)
    stripe_process.clear()
    with ExitStack() as stack:
        mails = stack.enter_context(MailServer.open(tmp_path_factory.mktemp("mails"), security="none"))
        settings = {f"BUSWARE_{name.upper()}": str(value) for name, value in stripe_process.settings.items()}
        settings |= mails.environment(BUSWARE_SMTP_SECURITY="none", BUSWARE_MANUAL_ACCOUNT="4711")
        servers = [
            stack.enter_context(sharded.server(*arguments, **settings))
            for arguments in (("--processes", "2"), ())
        ]
        with connect("127.0.0.1", servers[0].port) as client:
            client.register("clerk", PASSWORD)
        with sharded.proxy.connect() as conn:
            conn.execute("UPDATE accounts SET role = 'operator', operator = 'KSRTC' WHERE username = 'clerk'")
        yield Office(servers, stripe_process, mails)
        for server in servers:
            status, log = server.end(signal.SIGTERM)
            assert (status, "Traceback" in log) == (0, False), log
    assert sharded.audit() == []


def add_service(conn: Any, bus_id: int) -> None:
    """Add a service, which has four seats if it is small."""
    rows = 1 if bus_id in SMALL_BUSES else 20
    conn.execute(
        "SELECT api.add_service(%s, %s, 'KSRTC', %s, sales_days => 14, stops => %s)",
        (bus_id, f"Bus {bus_id}", "...D\n" + "ss.ss\n" * rows, STOPS),
    )
    payment = "stripe" if bus_id in STRIPE_BUSES else "manual" if bus_id in MANUAL_BUSES else "none"
    conn.execute("SELECT api.put_service(NULL, %s)", (Jsonb({"bus_id": bus_id, "payment": payment}),))
    conn.execute("SELECT api.open_sales(%s)", (bus_id,))


@pytest.fixture
def client(office: Office) -> Iterator[Client]:
    """A client of the second server."""
    with connect("127.0.0.1", office.servers[1].port) as client:
        yield client


@pytest.fixture
def clerk(office: Office) -> Iterator[Any]:
    """An operator at the first server."""
    with connect("127.0.0.1", office.servers[0].port) as clerk:
        clerk.login("clerk", PASSWORD)
        yield clerk


@pytest.fixture
def day(client: Client) -> date:
    return client.today() + timedelta(days=5)


def hold(client: Client, bus_id: int, day: date) -> str:
    return str(client.hold(bus_id, day, count=1, **TRIP).reference)


def pay_state(client: Client, reference: str) -> Any:
    """The only payment of a booking."""
    (payment,) = client.payments(reference, ASHA)
    return payment


@pytest.mark.parametrize("bus_id", STRIPE_BUSES)
def test_a_hold_is_paid_with_stripe_and_refunded(
    office: Office, client: Client, day: date, bus_id: int
) -> None:
    office.stripe.send_webhooks_to(f"{office.servers[0].http_url}/providers/stripe/webhook")
    reference = hold(client, bus_id, day)
    payment = client.pay(reference, ASHA)
    assert office.stripe.pay({"provider_reference": payment.provider_reference})
    wait_until(lambda: client.booking(reference, ASHA).status == "booked", 30, 0.1)
    assert client.cancel(reference, phone=ASHA).status == "cancelled"
    wait_until(lambda: pay_state(client, reference).refunds[0].state == "succeeded", 30, 0.1)
    amounts = {r["metadata"]["reference"]: r["amount"] for r in office.stripe.refunds()}
    assert amounts[reference] == 13000


@pytest.mark.parametrize("bus_id", MANUAL_BUSES)
def test_a_hold_is_paid_by_hand_and_refunded(client: Client, clerk: Any, day: date, bus_id: int) -> None:
    reference = hold(client, bus_id, day)
    payment = client.pay(reference, ASHA)
    assert clerk.settle_payment(payment.provider_reference, "260.00", "INR").outcome == "booked"
    assert client.cancel(reference, phone=ASHA).status == "cancelled"
    (refund,) = pay_state(client, reference).refunds
    clerk.settle_refund(reference, refund.refund_id)
    assert pay_state(client, reference).refunds[0].state == "succeeded"


@pytest.mark.parametrize("bus_id", SMALL_BUSES)
def test_the_waitlist_is_served_and_the_traveller_gets_a_mail(
    office: Office, client: Client, day: date, bus_id: int
) -> None:
    full = client.book(bus_id, day, count=4, **TRIP)
    waiting = client.book(bus_id, day, count=1, waitlist=True, **TRIP)
    assert waiting.status == "pending"
    address = f"asha-{bus_id}@example.org"
    client.set_contact(waiting.reference, ASHA, email=address)
    client.cancel(full.reference, phone=ASHA, tickets=[1])
    assert client.booking(waiting.reference, ASHA).status == "booked"
    wait_until(lambda: len(mails_to(office, address)) == 1, 60, 0.1)


def mails_to(office: Office, address: str) -> list[Any]:
    return [mail for _, recipient, mail in office.mails.mails if recipient == address]


@pytest.mark.parametrize("bus_id", STRIPE_BUSES)
def test_notices_and_changes_reach_the_clients_of_other_servers(
    office: Office, client: Client, clerk: Any, day: date, bus_id: int
) -> None:
    reference = hold(client, bus_id, day)
    lines = [LineClient("127.0.0.1", office.servers[0].port) for _ in range(4)]  # of both processes
    try:
        for line in lines:
            assert line.call("booking", reference=reference, phone=ASHA)["status"] == "held"
        clerk.notice(bus_id, day, "The bus is red.")
        for line in lines:
            method, params = line.notification()
            assert (method, params["text"]) == ("message", "The bus is red."), json.dumps(params)
        assert [message.text for message in client.messages(reference, ASHA)] == ["The bus is red."]
        client.release(reference, ASHA)
        for line in lines:
            method, params = line.notification()
            assert (method, params["status"]) == ("booking_changed", "cancelled"), json.dumps(params)
    finally:
        for line in lines:
            line.close()


def test_two_servers_sell_the_trips_of_all_shards(office: Office, sharded: ShardedInstallation) -> None:
    trips = [trip for shard in sharded.shards for trip in sharded.trips(shard) if trip[0] <= FIRST_BUS + 3]
    before = sharded.references()
    with BookingLoad([server.port for server in office.servers], trips) as load:
        load.wait_for(BOOKINGS)
    assert not load.errors
    assert sharded.references() - before == load.acknowledged.keys()
