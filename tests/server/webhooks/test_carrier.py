"""Deliveries to webhooks: signed, in order for each booking, again after a failure, to no private network."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from busware.server.outbox.worker import Outbox, OutboxRow
from busware.server.webhooks.carrier import new_secret
from tests.conftest import Clock
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.receiver import Hooks, Receiver, close, endless, silence, status
from tests.support.schema_api import DAY, SchemaApi

pytestmark = pytest.mark.settings(outbox_seconds=0.05, publish_ms=1)


# What is sent ----------------------------------------------------------------------------------


def test_event_is_delivered_with_a_signature(hooks: Hooks, api: SchemaApi) -> None:
    secret = hooks.put()["secret"]
    booking = api.book(1)
    hooks.start()
    received = hooks.receiver.next()
    received.verify(secret)
    with pytest.raises(WebhookVerificationError):
        received.verify(new_secret())
    ((event_id, position, data),) = hooks.database.query("SELECT event_id, position, data FROM events")
    assert received.id == str(event_id)
    assert received.event == {
        "type": "booking.booked", "timestamp": "2026-12-01T03:30:00Z", "position": position, "bus_id": 1,
        "travel_date": DAY, "reference": booking["reference"], "data": data,
    }  # fmt: skip
    assert received.path == "/busware"
    assert received.headers["content-type"] == "application/json"
    wait_until(lambda: hooks.states() == [("done", 1)])


def test_phone_numbers_and_addresses_are_masked(hooks: Hooks, api: SchemaApi) -> None:
    hooks.put()
    api.book(1, email="asha@example.org", account=None)
    hooks.start()
    body = hooks.receiver.next().body.decode()
    assert "a***@example.org" in body
    assert "asha@" not in body
    assert "9845012345" not in body


def test_only_events_of_the_operator_and_of_the_types_are_sent(hooks: Hooks, api: SchemaApi) -> None:
    hooks.put("cancellations", types=["booking.cancelled"])
    hooks.put("trips", types=["trip.*"])
    hooks.put("off", active=False)
    hooks.database.query("UPDATE bus_info SET operator = 'Other' WHERE bus_id = 2")
    api.cancel(api.book(1))
    api.book(1, bus_id=2)
    api.write("cancel_trip", account="meera", bus_id=1, travel_date=DAY, reason="Flood.")
    hooks.start()
    sent = sorted(
        (one.event["type"], one.event["bus_id"]) for one in (hooks.receiver.next(), hooks.receiver.next())
    )
    assert sent == [("booking.cancelled", 1), ("trip.cancelled", 1)]
    assert hooks.database.value("SELECT count(*) FROM events WHERE position IS NULL") == 0
    assert len(hooks.states()) == 2


def test_rotated_secret_signs_beside_the_new_one_for_a_time(
    hooks: Hooks, api: SchemaApi, clock: Clock
) -> None:
    first = hooks.put()["secret"]
    second = hooks.change("rotate_webhook_secret")["secret"]
    third = hooks.change("rotate_webhook_secret")["secret"]
    assert hooks.change("rotate_webhook_secret")["reason"] == "too_many_secrets"
    hooks.start()
    api.book(1)
    received = hooks.receiver.next()
    for secret in (first, second, third):
        received.verify(secret)
    clock.advance(seconds=3601)
    api.book(2)
    received = hooks.receiver.next()
    received.verify(third)
    for secret in (first, second):
        with pytest.raises(WebhookVerificationError):
            received.verify(secret)


def test_test_event_is_sent(hooks: Hooks) -> None:
    secret = hooks.put()["secret"]
    delivery = hooks.change("test_webhook")
    hooks.start()
    received = hooks.receiver.next()
    received.verify(secret)
    assert received.id == delivery["event_id"]
    assert received.event == {"type": "webhook.test", "timestamp": "2026-12-01T03:30:00Z", "data": {}}


# Failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (status(500, b"out of order"), "The receiver answered 500 Internal Server Error: 'out of order'"),
        (status(404), "The receiver answered 404 Not Found: ''"),
        (status(301, Location="https://127.0.0.1/"), "The receiver answered 301 Moved Permanently: ''"),
        (close, "The receiver cannot be reached: RemoteDisconnected: "),
        (
            endless(b"HTTP/1.1 200 OK\r\n", b"X-Long: 0\r\n"),
            "The receiver cannot be reached: HTTPException: ",
        ),
        (endless(b"", b"garbage"), "The receiver cannot be reached: "),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "The receiver cannot be reached: "),
    ],
    ids=["500", "404", "redirect", "close", "many headers", "garbage", "continue"],
)
def test_failed_delivery_is_tried_again_with_the_same_id(
    hooks: Hooks, api: SchemaApi, clock: Clock, answer: Any, error: str
) -> None:
    secret = hooks.put()["secret"]
    hooks.receiver.answers.put(answer)
    hooks.start()
    api.book(1)
    first = hooks.receiver.next()
    wait_until(lambda: hooks.errors()[0] is not None)
    assert hooks.errors()[0].startswith(error)
    clock.advance(seconds=5)
    second = hooks.receiver.next()
    second.verify(secret)
    assert (second.id, second.body) == (first.id, first.body)
    wait_until(lambda: hooks.states() == [("done", 2)])


@pytest.mark.parametrize(
    "answer",
    [silence, endless(b"", b"H", 0.02), endless(b"HTTP/1.1 200 OK\r\n", b"X", 0.02)],
    ids=["silence", "slow status", "slow header"],
)
def test_answer_that_takes_too_long_is_a_failure(hooks: Hooks, api: SchemaApi, answer: Any) -> None:
    hooks.put()
    hooks.receiver.always = answer
    hooks.start(webhook_seconds=0.5)
    api.book(1)
    wait_until(lambda: hooks.errors() == ["The receiver did not answer within 0.5 s."])


@pytest.mark.parametrize(
    "answer",
    [
        endless(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n", b"x" * 65536),
        endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.02),
        endless(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 65536),
    ],
    ids=["10 GB", "chunks", "slow", "long header"],
)
def test_status_decides_although_the_answer_does_not_end(hooks: Hooks, api: SchemaApi, answer: Any) -> None:
    hooks.put()
    hooks.receiver.always = answer
    hooks.start(webhook_seconds=1, webhook_answer_bytes=4096)
    api.book(1)
    wait_until(lambda: hooks.states() == [("done", 1)])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("Tue, 01 Dec 2099 00:00:00 GMT", 3600), ("soon", None), ("-5", None), ("9" * 40, 3600)],
)
def test_receiver_says_when_to_try_again(
    hooks: Hooks, api: SchemaApi, value: str, seconds: int | None
) -> None:
    hooks.put()
    hooks.receiver.answers.put(status(429, Retry_After=value))
    hooks.start()
    api.book(1)
    hooks.receiver.next()
    wait_until(lambda: hooks.errors()[0] is not None)
    pause = hooks.database.value("SELECT due_at - api.now() FROM outbox")
    assert pause == timedelta(seconds=seconds) if seconds else timedelta(0) < pause <= timedelta(seconds=5)


def test_certificate_of_another_name_is_not_accepted(hooks: Hooks, api: SchemaApi, tmp_path: Any) -> None:
    with Receiver.open(tmp_path, "other.example") as other:
        hooks.put(url=other.url)
        hooks.start(webhook_ca=other.ca)
        api.book(1)
        wait_until(lambda: "CERTIFICATE_VERIFY_FAILED" in str(hooks.errors()))
        assert other.requests.empty()


def test_certificate_of_an_unknown_authority_is_not_accepted(hooks: Hooks, api: SchemaApi) -> None:
    hooks.put()
    hooks.start(webhook_ca=None)
    api.book(1)
    wait_until(lambda: "CERTIFICATE_VERIFY_FAILED" in str(hooks.errors()))
    assert hooks.receiver.requests.empty()


def test_private_network_gets_nothing(hooks: Hooks, api: SchemaApi) -> None:
    hooks.put()
    hooks.start(webhook_networks=None)
    api.book(1)
    wait_until(lambda: "not of the public internet" in str(hooks.errors()))
    assert hooks.receiver.requests.empty()


# Order -----------------------------------------------------------------------------------------


def test_events_of_a_booking_are_in_order_and_delay_no_others(
    hooks: Hooks, api: SchemaApi, clock: Clock
) -> None:
    hooks.put()
    hooks.receiver.answers.put(status(500))
    hooks.start()
    first = api.book(1)
    hooks.receiver.next()
    wait_until(lambda: hooks.states() == [("waiting", 1)])
    api.cancel(first)
    other = api.book(2)
    assert hooks.receiver.next().event["reference"] == other["reference"]
    wait_until(lambda: hooks.states() == [("waiting", 1), ("waiting", 0), ("done", 1)])
    clock.advance(seconds=5)
    sent = [hooks.receiver.next().event for _ in range(2)]
    assert [event["type"] for event in sent] == ["booking.booked", "booking.cancelled"]
    wait_until(lambda: hooks.states() == [("done", 2), ("done", 1), ("done", 1)])


def test_receiver_that_does_not_answer_delays_nothing_else(
    hooks: Hooks, api: SchemaApi, tmp_path: Any
) -> None:
    """Its deliveries fill its threads, and many are due. Mails and other receivers go on."""
    hooks.receiver.always = silence
    hooks.put("dead")
    (tmp_path / "alive").mkdir()
    with Receiver.open(tmp_path / "alive") as alive:
        certificates = tmp_path / "both.pem"
        certificates.write_bytes(hooks.receiver.ca.read_bytes() + alive.ca.read_bytes())
        for seat in range(1, 8):
            api.book(seat)
        hooks.database.query("SELECT api.publish_events()")
        mails: list[OutboxRow] = []
        hooks.start(webhook_ca=certificates, webhook_threads=3)
        for _ in range(2):
            hooks.receiver.next()
        hooks.put("alive", url=alive.url)
        booking = api.book(8)
        assert alive.next().event["reference"] == booking["reference"]
        hooks.database.query("SELECT api.enqueue('mail', '{}')")
        mailing = Outbox(hooks.pool, hooks.settings)
        mailing.register("mail", mails.append)
        mailing.register("webhook", lambda row: hooks.receiver.stopping.wait() and None)
        mailing.start()
        wait_until(lambda: len(mails) == 1)
        hooks.receiver.stopping.set()
        mailing.stop()


def test_two_servers_send_each_event_once(hooks: Hooks, api: SchemaApi) -> None:
    hooks.put()
    for seat in range(1, 9):
        api.cancel(api.book(seat))
    hooks.start()
    hooks.start()
    sent = [hooks.receiver.next().event for _ in range(16)]
    wait_until(lambda: hooks.states() == [("done", 1)] * 16)
    assert hooks.receiver.requests.empty()
    by_booking: dict[str, list[str]] = {}
    for event in sent:
        by_booking.setdefault(event["reference"], []).append(event["type"])
    assert list(by_booking.values()) == [["booking.booked", "booking.cancelled"]] * 8


# Pauses ----------------------------------------------------------------------------------------


def paused(hooks: Hooks) -> list[Any]:
    return hooks.database.query("SELECT active, problem FROM webhooks")


def test_receiver_that_is_gone_pauses_its_webhook(hooks: Hooks, api: SchemaApi, caplog: Any) -> None:
    hooks.put()
    booking = api.book(1)
    api.cancel(booking)
    api.book(2)
    hooks.receiver.always = status(410, b"moved")
    hooks.start(webhook_threads=1)
    problem = "The receiver answered 410 Gone: 'moved'"
    wait_until(lambda: paused(hooks) == [(False, problem)])
    wait_until(lambda: {state for state, _ in hooks.states()} == {"dead"})
    assert (
        f"the webhook of KSRTC, accounting is paused, until its operator activates it: {problem}"
        in caplog.text
    )
    assert hooks.change("test_webhook")["message"] == (
        f"Webhook accounting is not active. Reason: {problem} Activate it first: put_webhook with active."
    )
    assert hooks.change("replay_webhook", after="0")["reason"] == "webhook_not_active"
    hooks.receiver.always = status(204)
    assert "problem" not in hooks.put(active=True)
    replay = hooks.change("replay_webhook", after="0")
    assert (replay["replayed"], replay["next"].partition("-")[0]) == (3, "3")
    wait_until(lambda: hooks.states() == [("done", 1)] * 3)


def test_receiver_that_fails_for_days_pauses_its_webhook(hooks: Hooks, api: SchemaApi, clock: Clock) -> None:
    hooks.put()
    api.book(1)
    hooks.database.query("SELECT api.publish_events()")
    clock.advance(hours=71)
    api.book(2)
    hooks.database.query("SELECT api.publish_events()")
    clock.advance(hours=1)
    hooks.receiver.always = status(503)
    hooks.start()
    wait_until(lambda: paused(hooks) == [(False, "The receiver answered 503 Service Unavailable: ''")])
    wait_until(lambda: [state for state, _ in hooks.states()] == ["dead", "dead"])


def test_one_event_that_fails_for_days_pauses_nothing(hooks: Hooks, api: SchemaApi, clock: Clock) -> None:
    hooks.put()
    hooks.start()
    hooks.receiver.answers.put(status(500))
    api.book(1)
    hooks.receiver.next()
    wait_until(lambda: hooks.states() == [("waiting", 1)])
    clock.advance(seconds=1)
    api.book(2)
    wait_until(lambda: hooks.states() == [("waiting", 1), ("done", 1)])
    hooks.receiver.answers.put(status(500))
    clock.advance(hours=72)
    wait_until(lambda: hooks.states() == [("dead", 2), ("done", 1)])
    assert paused(hooks) == [(True, None)]


@pytest.mark.parametrize("method", ["delete_webhook", "put_webhook"])
def test_webhook_that_ends_while_a_delivery_is_sent(hooks: Hooks, api: SchemaApi, method: str) -> None:
    """Its other deliveries are not sent."""
    hooks.put()
    began, go_on = threading.Event(), threading.Event()

    def wait(handler: Any, stopping: threading.Event) -> None:
        began.set()
        go_on.wait(WAIT_SECONDS)
        status(204)(handler, stopping)

    hooks.receiver.answers.put(wait)
    hooks.start(webhook_threads=1)
    booking = api.book(1)
    assert began.wait(WAIT_SECONDS)
    api.cancel(booking)
    hooks.database.query("SELECT api.publish_events()")
    hooks.change(method, **({"active": False} if method == "put_webhook" else {}))
    go_on.set()
    hooks.receiver.next()
    api.book(2)
    wait_until(lambda: hooks.database.value("SELECT count(*) FROM events WHERE position IS NULL") == 0)
    assert {state for state, _ in hooks.states()} == ({"dead"} if method == "put_webhook" else set())
    assert hooks.receiver.requests.empty()


def test_delivery_whose_event_was_deleted_is_given_up(hooks: Hooks, api: SchemaApi) -> None:
    hooks.put()
    api.book(1)
    hooks.database.query("SELECT api.publish_events()")
    hooks.database.query("DELETE FROM events")
    hooks.start()
    wait_until(lambda: hooks.states() == [("dead", 1)])
    assert hooks.receiver.requests.empty()
