"""Many bookings while everything around the server fails: Stripe, cards, the mail server, the server itself.

Afterwards each booking has one outcome, Stripe and the ledger have the same money for it, and each message
has arrived, with the same Message-ID if it has arrived twice. BUSWARE_TEST_BOOKINGS sets the number of
bookings.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from busware import Client, ConnectionLost, Refusal, connect
from busware.server.protocol import Payment
from tests.conftest import Database
from tests.support.fleet import edit_service
from tests.support.line_client import wait_until
from tests.support.mail_server import MailServer
from tests.support.payments import FARE
from tests.support.processes import ServerProcess
from tests.support.schema_api import SchemaApi, audit
from tests.support.stripe_server import StripeServer

pytestmark = pytest.mark.system

BOOKINGS = int(os.environ.get("BUSWARE_TEST_BOOKINGS", "100"))
FAILING_PERCENT = 5  # of the requests to Stripe, and of the cards
TRAVELLERS = 12  # at the same time
BUS, ROWS = 4, 40  # a service with 160 seats
PHONE = "+919845012345"
WAIT_SECONDS = 60 + BOOKINGS  # until everything is delivered
ATTEMPTS = 200  # of a request that waits for Stripe, or for the server that was killed

OUTCOMES = {  # what becomes of a booking: its status, and what is left of its fare
    "booked": ("booked", FARE),
    "cancelled": ("cancelled", "130.00"),
    "not paid": ("cancelled", "0"),
}


class Traveller:
    """Makes bookings, each with its outcome. bookings: the outcome of each reference."""

    def __init__(self, client: Client, stripe: StripeServer, days: list[Any]) -> None:
        self._client, self._stripe, self._days = client, stripe, days
        self.bookings: dict[str, str] = {}

    def book(self, n: int) -> None:
        """Make the nth booking. What the traveller does follows from n."""
        held = self._client.hold(
            BUS, self._days[n % len(self._days)], "Bengaluru", "Mysuru", count=1, phone=PHONE,
            email=f"traveller{n}@example.net", seconds=1800,
        )  # fmt: skip
        does = _PLANS[n % len(_PLANS)]
        self.bookings[held.reference] = does(self, held.reference)

    def pays(self, reference: str) -> str:
        assert self._stripe.pay(self._pay(reference))
        self._until_done(lambda: self._client.confirm(reference, PHONE))
        return "booked"

    def pays_and_cancels(self, reference: str) -> str:
        self.pays(reference)
        self._until_done(lambda: self._client.cancel(reference, PHONE))
        return "cancelled"

    def has_no_money(self, reference: str) -> str:
        assert not self._stripe.pay(self._pay(reference), "pm_card_chargeCustomerFail")
        self._until_done(lambda: self._client.release(reference, PHONE))
        return "not paid"

    def pays_too_late(self, reference: str) -> str:
        payment = self._pay(reference)
        self._until_done(lambda: self._client.release(reference, PHONE))
        self._stripe.pay(payment)  # unless the server has cancelled it at Stripe
        return "not paid"

    def pays_while_releasing(self, reference: str) -> str:
        """The webhook and the request compete: which one comes first decides."""
        payment = self._pay(reference)
        paying = threading.Thread(target=self._stripe.pay, args=(payment,))
        paying.start()
        try:
            released = self._until_done(lambda: self._client.release(reference, PHONE))
        finally:
            paying.join()
        return "not paid" if released else "booked"

    def _pay(self, reference: str) -> dict[str, Any]:
        paid: list[Payment] = []
        self._until_done(lambda: paid.append(self._client.pay(reference, PHONE)))
        return {"provider_reference": paid[0].provider_reference}

    @staticmethod
    def _until_done(request: Callable[[], Any]) -> bool:
        """Repeat a request until it is done. Returns False if the booking is booked instead."""
        for _ in range(ATTEMPTS):
            try:
                request()
            except ConnectionLost:  # the server is being started again
                continue
            except Refusal as refusal:
                if refusal.reason == "already_booked":
                    return False
                assert refusal.reason in ("provider_unavailable", "payment_required", "busy"), refusal
            else:
                return True
        raise AssertionError("it was not done")


_PLANS = (  # of 20 bookings
    *[Traveller.pays] * 13,
    *[Traveller.pays_and_cancels] * 4,
    Traveller.has_no_money,
    Traveller.pays_too_late,
    Traveller.pays_while_releasing,
)


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer.open(tmp_path, security="none") as opened:
        opened.flaps = True
        yield opened


@pytest.fixture
def settings_of_server(
    urls: dict[str, str], database: Database, stripe_server: StripeServer, mail_server: MailServer
) -> dict[str, str]:
    with database.connect() as conn:
        add_service(SchemaApi(conn))
    settings = {
        "smtp_host": "localhost",
        "smtp_port": mail_server.port,
        "smtp_security": "none",
        "mail_from": "tickets@example.org",
        "exempt_networks": "127.0.0.0/8",
        "outbox_retry_seconds": 0.2,
        "outbox_retry_max_seconds": 1,
        "outbox_seconds": 0.2,
        "outbox_lease_seconds": 10,
        "payment_check_seconds": 1,
        "log_level": "error",
    }
    settings |= stripe_server.settings
    return urls | {f"BUSWARE_{name.upper()}": str(value) for name, value in settings.items()}


def add_service(api: SchemaApi) -> None:
    stops = f"Bengaluru | - | 10:00 | 0 | 0 \n Mysuru | 12:45 | - | 145 | {FARE}"
    api.conn.execute(
        "SELECT api.add_service(%s, 'Long Bus', 'KSRTC', %s, sales_days => 14, stops => %s)",
        (BUS, "...D\n" + "ss.ss\n" * ROWS, stops),
    )
    edit_service(api, BUS, payment="stripe", refund_percent="50")
    api.conn.execute("SELECT api.open_sales(%s)", (BUS,))


def test_each_booking_has_one_outcome(
    settings_of_server: dict[str, str],
    database: Database,
    stripe_server: StripeServer,
    mail_server: MailServer,
) -> None:
    bookings = run(settings_of_server, database, stripe_server)
    assert len(bookings) == BOOKINGS
    for reference, outcome in bookings.items():
        status, left = OUTCOMES[outcome]
        assert database.query("SELECT status FROM passengers WHERE reference = %s", reference) == [status]
        assert ledger(database, reference) == Decimal(left), (reference, outcome)
    money = money_at_stripe(stripe_server)
    assert {reference: money[reference] for reference in bookings} == {
        reference: Decimal(OUTCOMES[outcome][1]) for reference, outcome in bookings.items()
    }
    assert at_most_once(stripe_server.intents(), "payment_id")
    assert at_most_once(stripe_server.refunds(), "refund_id")
    check_mails(database, mail_server, bookings)
    assert audit(database.conn) == []


def run(settings: dict[str, str], database: Database, stripe: StripeServer) -> dict[str, str]:
    """Make all bookings, and kill the server in the middle. Returns the outcomes when all has ended."""
    days = database.query("SELECT travel_date FROM trips WHERE bus_id = %s ORDER BY 1", BUS)[2:]
    numbers = iter(range(BOOKINGS))
    half_is_done = threading.Event()
    travellers: list[Traveller] = []
    stripe.order_failures(FAILING_PERCENT)
    with ExitStack() as stack:
        server = stack.enter_context(ServerProcess("0", **settings))
        stripe.send_webhooks_to(f"{server.http_url}/providers/stripe/webhook")
        ports = server.port, server.http_url.rpartition(":")[2]

        def travel() -> None:
            with connect("127.0.0.1", ports[0], tries=30) as client:
                traveller = Traveller(client, stripe, days)
                travellers.append(traveller)
                for n in numbers:
                    traveller.book(n)
                    if n >= BOOKINGS / 2:
                        half_is_done.set()

        threads = stack.enter_context(ThreadPoolExecutor(TRAVELLERS))
        running = [threads.submit(travel) for _ in range(TRAVELLERS)]
        half_is_done.wait(WAIT_SECONDS)
        server.end(signal.SIGKILL)
        again = settings | {"BUSWARE_HTTP_PORT": ports[1]}
        stack.enter_context(ServerProcess(str(ports[0]), **again))
        for traveller in running:
            traveller.result()
        wait_until(lambda: database.query(_OPEN) == [], WAIT_SECONDS)
    return {reference: outcome for t in travellers for reference, outcome in t.bookings.items()}


_OPEN = """
    SELECT 'payment' FROM payment_intents WHERE state NOT IN ('succeeded', 'cancelled')
    UNION ALL SELECT 'refund' FROM refunds WHERE state <> 'succeeded'
    UNION ALL SELECT 'event' FROM events WHERE position IS NULL
    UNION ALL SELECT kind FROM outbox WHERE state = 'waiting'
"""


def ledger(database: Database, reference: str) -> Decimal:
    """What the ledger has charged for a booking, less what it has refunded."""
    statement = "SELECT sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) FROM payments"
    return database.value(f"{statement} WHERE reference = %s", reference) or Decimal(0)


def money_at_stripe(stripe: StripeServer) -> Counter[str]:
    """What has arrived for each booking, less what was given back."""
    money: Counter[str] = Counter()
    for intent in stripe.intents():
        money[intent["metadata"]["reference"]] += _amount(intent) * (intent["status"] == "succeeded")
    for refund in stripe.refunds():
        money[refund["metadata"]["reference"]] -= _amount(refund)
    return money


def _amount(about: dict[str, Any]) -> Any:
    return Decimal(about["amount"]) / 100


def at_most_once(listed: list[dict[str, Any]], name: str) -> bool:
    """Whether Stripe has done each order of Busware at most once."""
    counts = Counter(about["metadata"][name] for about in listed)
    return max(counts.values()) == 1


def check_mails(database: Database, mail_server: MailServer, bookings: dict[str, str]) -> None:
    """Each mail of the outbox has arrived, and a mail that has arrived twice is the same mail."""
    rows = database.query(
        "SELECT '<' || key || '@example.org>', state, reference, payload ->> 'message' FROM outbox "
        "WHERE kind = 'mail'"
    )
    assert {state for _, state, _, _ in rows} == {"done"}
    arrived: dict[str, set[tuple[str, str]]] = {}
    for _, to, mail in mail_server.mails:
        arrived.setdefault(mail["Message-ID"], set()).add((to, mail["Subject"]))
    assert arrived.keys() == {message_id for message_id, _, _, _ in rows}
    assert all(len(copies) == 1 for copies in arrived.values())
    assert len(mail_server.mails) > len(arrived)  # the connection was lost after some were stored
    messages = Counter((reference, message) for _, _, reference, message in rows)
    for reference, outcome in bookings.items():
        assert messages[reference, "booked"] == (outcome != "not paid")
        assert messages[reference, "cancelled"] == (outcome == "cancelled")
