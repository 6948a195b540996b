"""Receivers that attack the server: invalid answers, and no answers, which occupy threads."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.line_client import wait_until
from tests.support.receiver import Hooks, Receiver, endless, raw, silence, status
from tests.support.schema_api import SchemaApi

pytestmark = pytest.mark.settings(outbox_seconds=0.05, publish_ms=1)


@pytest.mark.parametrize(
    "answer",
    [
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\nx"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4611686018427387904\r\n\r\nx"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 30 + b"\r\nx"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3fffffffffffffff\r\n" + b"x" * 300),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nx\r\n0\r\n\r\n"),
        endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: 1\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nRetry-After: Tue, 01 Dec 2099 99999999999999999999:0:0 GMT\r\n\r\n"),
        raw(b"HTTP/1.1 200 \x00\x1b[2J\r\n\r\n"),
    ],
    ids=[
        "huge length", "length of 4 EiB", "negative length", "huge chunk", "chunk of 4 EiB", "negative chunk",
        "endless trailer", "huge hour", "reason with NUL",
    ],
)  # fmt: skip
def test_status_decides_although_the_rest_of_the_answer_is_invalid(
    hooks: Hooks, api: SchemaApi, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    hooks.put()
    hooks.receiver.always = answer
    hooks.start()
    api.book(1)
    wait_until(hooks.attempted)
    assert hooks.states() == [("done", 1)]
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("value", [b"Tue, 01 Dec 2099 99999999999999999999:0:0 GMT", b"9" * 9000, b"\x00"])
def test_invalid_retry_after_is_ignored(
    hooks: Hooks, api: SchemaApi, caplog: pytest.LogCaptureFixture, value: bytes
) -> None:
    hooks.put()
    hooks.receiver.always = raw(b"HTTP/1.1 503 Busy\r\nRetry-After: " + value + b"\r\n\r\n")
    hooks.start()
    api.book(1)
    wait_until(lambda: hooks.errors() == ["The receiver answered 503 Busy: ''"])
    assert "Traceback" not in caplog.text


def test_text_of_a_receiver_is_cleaned_and_cut(
    hooks: Hooks, api: SchemaApi, caplog: pytest.LogCaptureFixture
) -> None:
    """Its reason has a NUL, which PostgreSQL cannot store, an escape sequence and 9000 letters."""
    hooks.put()
    hooks.receiver.always = raw(b"HTTP/1.1 410 a\x00b\x1b[2J" + b"c" * 9000 + b"\r\n\r\n")
    hooks.start()
    api.book(1)
    wait_until(lambda: hooks.database.value("SELECT active FROM webhooks") is False)
    problem = hooks.database.value("SELECT problem FROM webhooks")
    assert problem == ("The receiver answered 410 ab[2J" + "c" * 500)[: len(problem)]
    assert 400 < len(problem) <= 500
    wait_until(lambda: hooks.errors() == [problem])
    assert "Traceback" not in caplog.text
    assert "\x1b" not in caplog.text


def webhooks_being_sent(hooks: Hooks) -> list[str]:
    """The webhook of each delivery that is being sent."""
    return hooks.database.query(
        "SELECT webhook FROM outbox JOIN webhooks USING (webhook_no)"
        " WHERE state = 'waiting' AND attempts = 1 ORDER BY webhook"
    )


def open_receivers(tmp_path: Path, stack: ExitStack, *names: str) -> list[Receiver]:
    """Open a receiver for each name; write the certificates of their authorities to `all.pem`."""
    receivers = []
    for name in names:
        (tmp_path / name).mkdir()
        receivers.append(stack.enter_context(Receiver.open(tmp_path / name)))
    (tmp_path / "all.pem").write_bytes(b"".join(one.ca.read_bytes() for one in receivers))
    return receivers


def test_many_webhooks_of_an_operator_do_not_block_those_of_others(
    hooks: Hooks, api: SchemaApi, tmp_path: Path
) -> None:
    """Neither do webhooks that are created again while deliveries to the deleted ones still wait."""
    hooks.database.query("SELECT api.add_operator('other', 'hash', 'Other')")
    hooks.database.query("UPDATE bus_info SET operator = 'Other' WHERE bus_id = 2")
    with ExitStack() as stack:
        silent, alive = open_receivers(tmp_path, stack, "silent", "alive")
        silent.always = silence
        names = ("a", "b", "c")
        for name in names:
            hooks.put(name, url=silent.url)
        hooks.put("other", account="other", url=alive.url)
        hooks.start(
            webhook_ca=tmp_path / "all.pem", webhook_threads=3, webhook_threads_per_operator=2,
            webhook_threads_per_receiver=1,
        )  # fmt: skip
        api.book(1)
        for _ in range(2):
            silent.next()
        for name in names:
            hooks.change("delete_webhook", name)
            hooks.put(name, url=silent.url)
        api.book(2)
        booking = api.book(1, bus_id=2)
        assert alive.next().event["reference"] == booking["reference"]
        wait_until(lambda: ("done", 1) in hooks.states())
        assert silent.requests.empty()
        silent.stopping.set()


def test_slow_webhooks_share_few_threads(hooks: Hooks, api: SchemaApi, tmp_path: Path) -> None:
    """With `webhook_slow_seconds=0`, every webhook counts as slow after its first answer."""
    with ExitStack() as stack:
        silent, alive = open_receivers(tmp_path, stack, "silent", "alive")
        silent.answers.put(status(204))
        silent.always = silence
        hooks.put("silent", url=silent.url)
        hooks.start(
            webhook_ca=tmp_path / "all.pem", webhook_threads=3, webhook_slow_threads=1,
            webhook_slow_seconds=0, webhook_threads_per_receiver=3,
        )  # fmt: skip
        api.book(1)
        silent.next()
        wait_until(lambda: hooks.states() == [("done", 1)])
        for seat in range(2, 7):
            api.book(seat)
        silent.next()
        wait_until(lambda: len(hooks.states()) == 6)
        hooks.put("alive", url=alive.url)
        booking = api.book(7)
        assert alive.next().event["reference"] == booking["reference"]
        wait_until(lambda: webhooks_being_sent(hooks) == ["silent"])
        assert silent.requests.empty()
        silent.stopping.set()
