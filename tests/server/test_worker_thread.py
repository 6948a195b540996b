"""The worker thread: when it executes its work, and what it does after a failure."""

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


def test_work_scheduled_several_times_while_it_runs_is_done_once_more() -> None:
    calls, proceed = queue.SimpleQueue[int](), threading.Semaphore(0)
    # the second call returns a delay of 0 s, which causes the third call
    delays: list[float | None] = [None, 0.0, None]

    def work() -> float | None:
        calls.put(3 - len(delays))
        assert proceed.acquire(timeout=WAIT_SECONDS)
        return delays.pop(0)

    with running(work) as worker:
        worker.schedule()
        assert calls.get(timeout=WAIT_SECONDS) == 0
        for _ in range(5):
            worker.schedule()
        for n in (1, 2):
            proceed.release()
            assert calls.get(timeout=WAIT_SECONDS) == n
        proceed.release()
    assert calls.empty()


def test_work_scheduled_before_the_start_is_done() -> None:
    done = threading.Event()
    worker = WorkerThread("test work", done.set)
    worker.schedule()
    worker.start()
    assert done.wait(WAIT_SECONDS)
    worker.stop()


def test_work_is_done_again_after_the_returned_delay() -> None:
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


def test_failing_work_is_repeated_and_logged_as_a_warning_once(caplog: pytest.LogCaptureFixture) -> None:
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
