"""The worker thread: when it does its work, and how it goes on after a failure."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from busware.server.db.pool import InternalError
from busware.server.worker_thread import WorkerThread
from tests.support.line_client import WAIT_SECONDS


@contextmanager
def running(work: Callable[[], float | None], retry_seconds: float = 0.01) -> Iterator[WorkerThread]:
    worker = WorkerThread("test work", work, retry_seconds)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def test_requests_while_it_works_become_one_more_call() -> None:
    still_scheduled, proceed = queue.SimpleQueue[bool](), threading.Semaphore(0)

    def work() -> None:
        still_scheduled.put(worker._scheduled.is_set())
        assert proceed.acquire(timeout=WAIT_SECONDS)

    with running(work) as worker:
        worker.schedule()
        assert not still_scheduled.get(timeout=WAIT_SECONDS)
        for _ in range(5):
            worker.schedule()
        proceed.release()
        assert not still_scheduled.get(timeout=WAIT_SECONDS)
        proceed.release()
    assert still_scheduled.empty()


def test_work_that_was_scheduled_before_the_start_is_done() -> None:
    done = threading.Event()
    worker = WorkerThread("test work", done.set)
    worker.schedule()
    worker.start()
    assert done.wait(WAIT_SECONDS)
    worker.stop()


def test_the_delay_that_work_returned_ends_without_a_request() -> None:
    delays, done = [0.01, 0.01, None], threading.Event()

    def work() -> float | None:
        delay = delays.pop(0)
        if not delays:
            done.set()
        return delay

    with running(work) as worker:
        worker.schedule()
        assert done.wait(WAIT_SECONDS)
    assert delays == []


def test_failed_work_is_tried_again_and_logged_as_a_warning_once(caplog: pytest.LogCaptureFixture) -> None:
    errors: list[Exception] = [
        InternalError("no table"),
        InternalError("no table"),
        ValueError("a bug"),
        InternalError("no table"),
    ]
    done = threading.Event()

    def work() -> None:
        if errors:
            raise errors.pop(0)
        done.set()

    caplog.set_level(logging.DEBUG, logger="busware.worker")
    with running(work) as worker:
        worker.schedule()
        assert done.wait(WAIT_SECONDS)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "test work failed, retrying in 0.01 s: no table"),
        ("DEBUG", "test work failed, retrying in 0.01 s: no table"),
        ("ERROR", "test work failed, retrying in 0.01 s"),
        ("DEBUG", "test work failed, retrying in 0.01 s: no table"),
    ]


def test_stop_ends_the_pause_after_a_failure() -> None:
    failed = threading.Event()

    def work() -> None:
        failed.set()
        raise InternalError("no table")

    with running(work, retry_seconds=threading.TIMEOUT_MAX) as worker:
        worker.schedule()
        assert failed.wait(WAIT_SECONDS)
