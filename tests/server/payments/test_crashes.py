"""At each step of a payment and of a refund, the server is killed, or the connection to Stripe or to the
database is lost.

The table in docs/architecture.md has the same rows. localstripe waits in the middle of a request, so the step
is exact. After the server was killed, another one recovers.
"""

import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS, LineClient, wait_until
from tests.support.payments import FARE, sell_online, signature
from tests.support.processes import ServerProcess
from tests.support.schema_api import ASHA, SchemaApi, audit
from tests.support.serving import travel_day
from tests.support.stripe_server import StripeServer
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.system

NEVER, OFTEN = "3600", "0.2"  # seconds between two checks: longer than a test, and shorter
REFUNDS = "/v1/refunds"
INTENTS = "/v1/payment_intents"
SERVER, STRIPE, DATABASE = "server", "stripe", "database"


@dataclass
class Scene:
    """A database, a Stripe, and a server. breaks: SERVER is killed; or the connection to STRIPE or DATABASE
    is lost."""

    breaks: str
    database: Database
    stripe: StripeServer
    urls: dict[str, str]
    server: ServerProcess
    line: LineClient
    threads: ThreadPoolExecutor
    proxy: TcpProxy  # between the server and the database

    def fail(self) -> None:
        """Kill the server, or break its connection."""
        if self.breaks == SERVER:
            self.server.end(signal.SIGKILL)
        elif self.breaks == DATABASE:
            self.proxy.held_replies = None
            self.proxy.break_connections()
        self.stripe.release()

    @contextmanager
    def recovering(self, check_seconds: str = OFTEN) -> Iterator[tuple[ServerProcess, LineClient]]:
        """The server that goes on: another one if the first was killed."""
        with ExitStack() as stack:
            server = self.server
            if self.breaks == SERVER:
                settings = self.urls | {"BUSWARE_PAYMENT_CHECK_SECONDS": check_seconds}
                server = stack.enter_context(ServerProcess("0", **settings))
            yield server, stack.enter_context(closing(LineClient("127.0.0.1", server.port)))

    def hold(self) -> str:
        held = self.line.call(
            "hold", bus_id=1, travel_date=travel_day(self.database), origin="Bengaluru", destination="Mysuru",
            count=1, phone=ASHA,
        )  # fmt: skip
        return str(held["reference"])

    def pay(self, line: LineClient, reference: str) -> dict[str, Any]:
        return dict(line.call("pay", reference=reference, phone=ASHA))

    def in_thread(self, call: Callable[[], Any]) -> None:
        """Begin a call whose answer is lost with the server."""

        def run() -> None:
            with suppress(OSError, AssertionError, requests.RequestException):
                call()

        self.threads.submit(run)

    def booked(self) -> dict[str, Any]:
        """A hold that is paid and booked."""
        payment = self.pay(self.line, self.hold())
        self.stripe.pay(payment)
        confirmed = self.line.call("confirm", reference=payment["reference"], phone=ASHA)
        assert confirmed["status"] == "booked"
        return payment

    def cancel(self, payment: dict[str, Any]) -> None:
        assert self.line.call("cancel", reference=payment["reference"], phone=ASHA)["status"] == "cancelled"

    def webhook(self, payment: dict[str, Any], server: ServerProcess | None = None) -> int:
        """Send the signed event of a payment that has succeeded, as Stripe repeats it."""
        metadata = {"payment_id": payment["payment_id"], "reference": payment["reference"]}
        about = {"id": payment["provider_reference"], "amount_received": 26000, "currency": "inr"}
        event = {"type": "payment_intent.succeeded", "data": {"object": about | {"metadata": metadata}}}
        body = json.dumps(event)
        http = (server or self.server).http_url
        return requests.post(
            f"{http}/providers/stripe/webhook", body, headers=signature(body), timeout=WAIT_SECONDS
        ).status_code

    def metrics(self) -> str:
        return requests.get(f"{self.server.http_url}/metrics", timeout=WAIT_SECONDS).text

    def states(self, table: str) -> list[str]:
        return [str(state) for state in self.database.query(f"SELECT state FROM {table} ORDER BY created_at")]


@pytest.fixture
def scene(
    breaks: str, urls: dict[str, str], database: Database, stripe_server: StripeServer
) -> Iterator[Scene]:
    with database.connect() as conn:
        sell_online(SchemaApi(conn), "stripe")
    proxy = TcpProxy(database.server)
    settings = urls | {"BUSWARE_OUTBOX_SECONDS": "0.05", "BUSWARE_OUTBOX_LEASE_SECONDS": "2"}
    settings["BUSWARE_OUTBOX_RETRY_SECONDS"] = "0.2"
    # With more threads, each would keep a connection while replies are held, and the report needs one
    settings |= {"BUSWARE_OUTBOX_PAYMENT_THREADS": "1", "BUSWARE_OUTBOX_THREADS": "1"}
    settings |= {f"BUSWARE_{name.upper()}": value for name, value in stripe_server.settings.items()}
    first = settings | {"DATABASE_URL": proxy.url, "BUSWARE_PAYMENT_CHECK_SECONDS": NEVER}
    first["BUSWARE_LISTEN_URL"] = proxy.url
    with (
        closing(proxy),
        ThreadPoolExecutor(2) as threads,
        ServerProcess("0", **first) as server,
        closing(LineClient("127.0.0.1", server.port)) as line,
    ):
        yield Scene(breaks, database, stripe_server, settings, server, line, threads, proxy)
        stripe_server.release()


# The steps. Each returns the payment, or the reference of the hold. ---------------------------------


def in_pay_before_stripe_has_the_request(scene: Scene) -> dict[str, Any]:
    return _fail_in_pay(scene, "before", intents=0)


def in_pay_after_stripe_has_begun_it(scene: Scene) -> dict[str, Any]:
    return _fail_in_pay(scene, "after", intents=1)


def _fail_in_pay(scene: Scene, fault: str, intents: int) -> dict[str, Any]:
    reference = scene.hold()
    scene.stripe.order_fault(fault, path=INTENTS)
    scene.in_thread(lambda: scene.pay(scene.line, reference))
    scene.stripe.wait_for_request()
    assert scene.states("payment_intents") == ["created"]
    assert len(scene.stripe.intents()) == intents
    scene.fail()
    return {"reference": reference}


def before_the_report_is_committed(scene: Scene) -> dict[str, Any]:
    """The trip is locked, so the report waits in the server."""
    payment = scene.pay(scene.line, scene.hold())
    scene.stripe.pay(payment)
    with scene.database.connect(autocommit=False) as conn:
        conn.execute("SELECT FROM trips FOR UPDATE")
        scene.in_thread(lambda: scene.webhook(payment))
        wait_until(lambda: "busware_write_queue 1.0" in scene.metrics())
        assert scene.states("payment_intents") == ["pending"]
        scene.fail()
    return payment


def after_the_report_is_committed(scene: Scene) -> dict[str, Any]:
    """No reply of the database reaches the server, so it does not answer the webhook."""
    payment = scene.pay(scene.line, scene.hold())
    scene.stripe.pay(payment)
    scene.proxy.hold_replies()
    scene.in_thread(lambda: scene.webhook(payment))
    wait_until(lambda: scene.states("payment_intents") == ["succeeded"])
    scene.fail()
    return payment


def before_the_cancellation_is_committed(scene: Scene) -> dict[str, Any]:
    """The trip is locked, so the request waits in the server. The traveller cancels again."""
    payment = scene.booked()
    with scene.database.connect(autocommit=False) as conn:
        conn.execute("SELECT FROM trips FOR UPDATE")
        scene.in_thread(lambda: scene.cancel(payment))
        wait_until(lambda: "busware_write_queue 1.0" in scene.metrics())
        assert scene.states("refunds") == []
        scene.fail()
    return payment


def before_stripe_has_the_refund(scene: Scene) -> dict[str, Any]:
    return _fail_in_refund(scene, "before", refunds=0)


def after_stripe_has_refunded(scene: Scene) -> dict[str, Any]:
    return _fail_in_refund(scene, "after", refunds=1)


def _fail_in_refund(scene: Scene, fault: str, refunds: int) -> dict[str, Any]:
    payment = scene.booked()
    scene.stripe.order_fault(fault, path=REFUNDS)
    scene.cancel(payment)
    scene.stripe.wait_for_request()
    assert scene.states("refunds") == ["waiting"]
    assert len(scene.stripe.refunds()) == refunds
    scene.fail()
    return payment


def after_the_report_of_the_refund_is_committed(scene: Scene) -> dict[str, Any]:
    """The row of the outbox is not finished: no reply of the database reaches the server."""
    payment = scene.booked()
    scene.stripe.order_fault("after", path=REFUNDS, answers=True)
    scene.cancel(payment)
    scene.stripe.wait_for_request()
    scene.proxy.hold_replies()
    scene.stripe.release()
    wait_until(lambda: scene.states("refunds") == ["succeeded"])
    assert scene.database.query("SELECT state FROM outbox WHERE kind = 'refund'") == ["waiting"]
    scene.fail()
    return payment


def before_stripe_has_completed_the_refund(scene: Scene) -> dict[str, Any]:
    """Stripe has the refund, and its webhook is lost."""
    payment = _fail_in_refund(scene, "after", refunds=1)
    (refund,) = scene.stripe.refunds()
    scene.stripe.set_refund(refund["id"], "pending")
    with scene.recovering(NEVER):
        wait_until(lambda: scene.states("refunds") == ["sent"])
    scene.stripe.set_refund(refund["id"], "succeeded")
    return payment


def while_stripe_refuses_the_refund(scene: Scene) -> dict[str, Any]:
    payment = scene.booked()
    scene.stripe.order_fault("refuse", path=REFUNDS)
    scene.cancel(payment)
    wait_until(
        lambda: scene.database.query("SELECT 1 FROM outbox WHERE kind = 'refund' AND error IS NOT NULL")
    )
    assert scene.states("refunds") == ["waiting"]
    scene.fail()
    scene.stripe.order_fault(None)
    return payment


Step = Callable[[Scene], dict[str, Any]]

ANY = (SERVER, STRIPE, DATABASE)
# For each step: the status of the booking in the end, the amount that is paid and not refunded, what breaks
STEPS: dict[Step, tuple[str, str, tuple[str, ...]]] = {
    in_pay_before_stripe_has_the_request: ("booked", FARE, ANY),
    in_pay_after_stripe_has_begun_it: ("booked", FARE, ANY),
    before_the_report_is_committed: ("booked", FARE, (SERVER, DATABASE)),
    after_the_report_is_committed: ("booked", FARE, (SERVER, DATABASE)),
    before_the_cancellation_is_committed: ("cancelled", "130.00", (SERVER, DATABASE)),
    before_stripe_has_the_refund: ("cancelled", "130.00", ANY),
    after_stripe_has_refunded: ("cancelled", "130.00", ANY),
    after_the_report_of_the_refund_is_committed: ("cancelled", "130.00", (SERVER, DATABASE)),
    before_stripe_has_completed_the_refund: ("cancelled", "130.00", (SERVER,)),
    while_stripe_refuses_the_refund: ("cancelled", "130.00", ANY),
}
CASES = [(step, breaks) for step, (_, _, can_break) in STEPS.items() for breaks in can_break]


@pytest.mark.parametrize(("step", "breaks"), CASES, ids=lambda case: getattr(case, "__name__", case))
def test_both_sides_agree_after_the_recovery(scene: Scene, step: Step) -> None:
    status, left, _ = STEPS[step]
    payment = step(scene)
    with scene.recovering() as (server, line):
        if "payment_id" not in payment:  # the traveller has no answer, so she asks again
            payment = scene.pay(line, payment["reference"])
            scene.stripe.pay(payment)
        elif step is before_the_cancellation_is_committed:
            line.call("cancel", reference=payment["reference"], phone=ASHA)
        if status == "booked" and (step is after_the_report_is_committed or scene.breaks != SERVER):
            assert scene.webhook(payment, server) == 200
        ended = wait_until(lambda: _ended(scene, status), seconds=60)
        assert ended == payment["reference"]
        wait_until(lambda: scene.states("outbox WHERE state = 'waiting'") == [])
    assert len(scene.stripe.intents()) == 1
    taken = sum(intent["amount"] for intent in scene.stripe.intents() if intent["status"] == "succeeded")
    given_back = sum(refund["amount"] for refund in scene.stripe.refunds())
    assert Decimal(taken - given_back) / 100 == Decimal(left)
    assert scene.database.value(
        "SELECT sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) FROM payments"
    ) == Decimal(left)
    assert audit(scene.database.conn) == []


def _ended(scene: Scene, status: str) -> Any:
    """The reference of the booking, once it has the status and no refund is open."""
    if any(state != "succeeded" for state in scene.states("refunds")):
        return None
    return next(
        iter(scene.database.query("SELECT reference FROM passengers WHERE status = %s", status)), None
    )
