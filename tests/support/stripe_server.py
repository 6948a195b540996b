"""localstripe as a fixture: the other side of a payment with Stripe, over real HTTP."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.line_client import WAIT_SECONDS
from tests.support.payments import WEBHOOK_SECRET

KEY = "sk_test_busware"
_PAGE = 100  # payments or refunds, the most that Stripe lists at once
_PROGRAM = Path(__file__).with_name("stripe_process.py")


class StripeServer:
    """A running localstripe. `.url`: of its API. `settings`: those with which Busware uses it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.settings = {
            "stripe_url": url,
            "stripe_key": KEY,
            "stripe_publishable_key": "pk_test_busware",
            "stripe_webhook_secret": WEBHOOK_SECRET,
        }

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request as the account's owner, or as a payer's browser. Returns the answer's JSON."""
        answer = requests.request(method, self.url + path, auth=(KEY, ""), timeout=WAIT_SECONDS, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def clear(self) -> None:
        """Forget everything."""
        self.order_fault(None)
        self.order_failures(0)
        self.call("DELETE", "/_config/data")

    def send_webhooks_to(self, url: str) -> None:
        """Send the events to a webhook of Busware."""
        self.call("POST", "/_config/webhooks/busware", json={"url": url, "secret": WEBHOOK_SECRET})

    def pay(self, payment: dict[str, Any], card: str = "pm_card_visa") -> bool:
        """Pay with a card, as a payer does. Returns whether Stripe has taken the money."""
        intent = f"/v1/payment_intents/{payment['provider_reference']}"
        method = self.call("GET", f"/v1/payment_methods/{card}")["id"]
        self.call("POST", intent, json={"payment_method": method})
        answer = requests.post(self.url + intent + "/confirm", auth=(KEY, ""), timeout=WAIT_SECONDS)
        assert answer.ok or "declined" in answer.text or self._status(intent) == "canceled", answer.text
        return answer.ok

    def _status(self, intent: str) -> str:
        return str(self.call("GET", intent)["status"])

    def intents(self) -> list[dict[str, Any]]:
        """The PaymentIntents, each with status and metadata."""
        return list(self._all("payment_intents"))

    def refunds(self) -> list[dict[str, Any]]:
        """The refunds, with amount and metadata."""
        return list(self._all("refunds"))

    def _all(self, kind: str) -> Iterator[dict[str, Any]]:
        after = ""
        while after is not None:
            page = self.call("GET", f"/v1/{kind}?limit={_PAGE}{after}")
            yield from page["data"]
            after = f"&starting_after={page['data'][-1]['id']}" if page["has_more"] else None

    def set_refund(self, refund_id: str, status: str) -> None:
        """Set the status of a refund, as Stripe and the bank do."""
        self.call("POST", f"/v1/refunds/{refund_id}", json={"status": status})

    def order_fault(
        self, fault: str | None, method: str = "POST", path: str = "/v1", *, answers: bool = False
    ) -> None:
        """See stripe_process.py. None: no fault. answers: the request is answered after the wait."""
        ordered = {"fault": fault, "method": method, "path": path} if fault else {}
        if answers:
            ordered["answers"] = "yes"
        self.call("POST", "/_config/fault", json=ordered)

    def order_failures(self, percent: float) -> None:
        """See stripe_process.py."""
        self.call("POST", "/_config/failures", json={"percent": percent})

    def wait_for_request(self) -> None:
        """Wait until a request waits, because of a fault."""
        self.call("GET", "/_config/waiting")

    def release(self) -> None:
        """End the wait of a request."""
        self.call("POST", "/_config/release")


@pytest.fixture(scope="session")
def stripe_process() -> Iterator[StripeServer]:
    with subprocess.Popen(
        [sys.executable, _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdin
        port = int(process.stdout.readline())
        yield StripeServer(f"http://127.0.0.1:{port}")
        process.stdin.close()
        process.wait(WAIT_SECONDS)


@pytest.fixture
def stripe_server(stripe_process: StripeServer) -> StripeServer:
    """A localstripe without data and faults."""
    stripe_process.clear()
    return stripe_process
