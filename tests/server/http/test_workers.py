"""The worker threads of the HTTP server: shares of addresses, turns, and the limit of the wait."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any

import pytest
import requests

from busware.server.http.workers import Workers
from busware.server.protocol import Refusal
from busware.server.settings import Settings
from tests.conftest import Database
from tests.server.http.test_http import BOOK, problem
from tests.support.http_client import HttpClient
from tests.support.line_client import wait_until

A, B, C = "192.0.2.1", "192.0.2.2", "192.0.2.3"


def test_all_threads_run_before_the_first_request(settings: Settings) -> None:
    workers = Workers("early", 7, settings.http_wait_seconds, settings)
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith("early")]
    assert len(names) == 7
    workers.close()


class Calls:
    """Calls on worker threads that wait until the test ends them. started: their names, in order."""

    def __init__(self, settings: Settings) -> None:
        self.workers = Workers("test", settings.http_threads, settings.http_wait_seconds, settings)
        self.started: list[str] = []
        self.ends: dict[str, threading.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def send(self, address: str, *names: str) -> None:
        """Begin calls of an address."""
        for name in names:
            self.ends[name] = threading.Event()
            self.tasks[name] = asyncio.create_task(
                self.workers.run(address, lambda name=name: self._run(name))
            )

    def _run(self, name: str) -> None:
        self.started.append(name)
        self.ends[name].wait()

    async def have_started(self, *names: str) -> None:
        """Wait until exactly these calls, in any order, have started."""
        while {*self.started} != {*names}:
            await asyncio.sleep(0)

    async def end(self, name: str) -> None:
        """End a call, and wait for its result."""
        self.ends[name].set()
        await self.tasks[name]

    async def end_all(self) -> None:
        for event in self.ends.values():
            event.set()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        self.workers.close()


def run(test: Callable[[Calls], Coroutine[Any, Any, None]], **settings: Any) -> None:
    """Run a test on an event loop."""

    async def run_and_end() -> None:
        calls = Calls(Settings(**settings))
        try:
            async with asyncio.timeout(20):
                await test(calls)
        finally:
            await calls.end_all()

    asyncio.run(run_and_end())


def test_one_address_never_has_all_threads() -> None:
    async def test(calls: Calls) -> None:
        calls.send(A, "a1", "a2", "a3")
        await calls.have_started("a1", "a2")
        calls.send(B, "b1", "b2")
        await calls.have_started("a1", "a2", "b1")
        calls.send(C, "c1", "c2")
        await calls.have_started("a1", "a2", "b1", "c1")

    run(test, http_threads=4)


def test_addresses_take_turns() -> None:
    async def test(calls: Calls) -> None:
        calls.send(A, "a1")
        await calls.have_started("a1")
        calls.send(A, "a2", "a3")
        calls.send(B, "b1", "b2")
        for last, following in (("a1", "a2"), ("a2", "b1"), ("b1", "a3"), ("a3", "b2")):
            await calls.end(last)
            await calls.have_started(*calls.started, following)
        assert calls.started == ["a1", "a2", "b1", "a3", "b2"]

    run(test, http_threads=1)


def test_exempt_address_may_have_all_threads() -> None:
    async def test(calls: Calls) -> None:
        calls.send(A, "a1", "a2", "a3")
        await calls.have_started("a1", "a2", "a3")

    run(test, http_threads=3, exempt_networks=(ip_network(f"{A}/32"),))


def test_call_that_waits_too_long_is_refused_and_not_made() -> None:
    async def test(calls: Calls) -> None:
        calls.send(A, "a1")
        await calls.have_started("a1")
        with pytest.raises(Refusal, match="too many requests"):
            await calls.workers.run(B, lambda: calls.started.append("b1"))
        await calls.end("a1")
        calls.send(B, "b2")
        await calls.have_started("a1", "b2")

    run(test, http_threads=1, http_wait_seconds=0.05)


def test_cancelled_call_uses_its_thread_until_it_ends() -> None:
    async def test(calls: Calls) -> None:
        calls.send(A, "a1")
        await calls.have_started("a1")
        calls.tasks["a1"].cancel()
        calls.send(B, "b1", "b2")
        await asyncio.sleep(0)
        calls.tasks["b1"].cancel()  # while it waits
        assert calls.started == ["a1"]
        calls.ends["a1"].set()
        await calls.have_started("a1", "b2")

    run(test, http_threads=1)


def test_no_thread_is_left_after_a_drain(http: HttpClient) -> None:
    names = ("http_", "login_", "registration_", "readiness_", "metrics_")
    started = [thread for thread in threading.enumerate() if thread.name.startswith(names)]
    assert len({thread.name.partition("_")[0] for thread in started}) == len(names)
    http.server.drain()
    for thread in started:
        thread.join(20)
        assert not thread.is_alive()


# The server -----------------------------------------------------------------------------------


@contextmanager
def frozen_connections(database: Database) -> Iterator[None]:
    """The server's connections to PostgreSQL get no answer and no error."""
    pids = database.query("SELECT pid FROM pg_stat_activity WHERE usename = 'busware' AND datname = 'test'")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.settings(http_threads=2, http_wait_seconds=0.2, read_connections=1)
def test_requests_are_busy_and_the_server_is_not_ready_while_the_database_hangs(
    http: HttpClient, database: Database
) -> None:
    with ThreadPoolExecutor(2) as clients:
        with frozen_connections(database):
            places = [clients.submit(requests.get, f"{http.url}/v1/places", timeout=20) for _ in range(2)]
            (refused,), (executed,) = wait(places, return_when=FIRST_COMPLETED)
            assert problem(refused.result()) == (503, "busy")
            for _ in range(2):
                assert http.call("GET", "/readyz").json() == {"status": "away"}
            for path in ("/v1/ping", "/healthz", "/schema"):
                assert http.call("GET", path).status_code == 200
        assert executed.result().status_code == 200
    wait_until(lambda: http.call("GET", "/readyz").json() == {"status": "ok"})


@pytest.mark.settings(http_threads=4, http_wait_seconds=0.2, write_wait_seconds=60)
def test_writes_that_wait_for_a_locked_trip_leave_threads_for_other_addresses(
    http: HttpClient, database: Database
) -> None:
    with ThreadPoolExecutor(6) as clients:
        with database.connect(autocommit=False) as locking:
            locking.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = '2026-12-02' FOR UPDATE")
            url = f"{http.url}/v1/bookings"
            bodies = [{**BOOK, "seats": [seat]} for seat in range(1, 7)]
            booked = [clients.submit(requests.post, url, json=body, timeout=20) for body in bodies]
            wait_until(lambda: sum(answer.done() for answer in booked) == 4)
            with http.from_address("127.0.0.2") as other:
                assert other.call("GET", "/v1/places").status_code == 200
            locking.commit()
        assert sorted(answer.result().status_code for answer in booked) == [201, 201, 503, 503, 503, 503]
