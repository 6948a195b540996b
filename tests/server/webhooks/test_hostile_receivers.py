"""Answers that are made to harm the sender: impossible numbers, and texts for databases and terminals."""

from typing import Any

import pytest

from tests.support.line_client import wait_until
from tests.support.receiver import Hooks, endless, raw
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
def test_impossible_rest_of_an_answer_does_not_matter(
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
def test_impossible_time_of_the_next_attempt_does_not_matter(
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
