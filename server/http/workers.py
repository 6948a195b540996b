"""Worker threads with a fair queue: addresses take turns, and one address never has all threads.

An address gets another thread while it has fewer than are free: half of the threads if it is alone, a half of
the rest if there is another such address, and so on. So one address whose requests wait for a locked trip
leaves half of 64 threads to others, three leave 8, and seven leave none: then a request waits for its turn.
This module runs on the event loop, so it has no locks.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from busware.server.addresses import SubjectCounts, limited_subject
from busware.server.protocol import Refusal
from busware.server.settings import Settings

T = TypeVar("T")


def start_threads(count: int, name: str) -> ThreadPoolExecutor:
    """An executor whose threads run already.

    Later, the system may have no thread left. Then submit() raises RuntimeError, but keeps the function in
    its queue: a write that is refused as busy would be executed after all.
    """
    threads = ThreadPoolExecutor(count, name)
    all_started = threading.Barrier(count)
    try:
        for _ in range(count):
            threads.submit(all_started.wait)
    except RuntimeError as error:
        all_started.abort()
        raise OSError(f"{count} threads for HTTP requests cannot be started: {error}") from error
    return threads


class Workers:
    """Threads, and the calls that wait for one.

    name: the prefix of the threads' names. wait_seconds: how long a call waits for a thread.
    """

    def __init__(self, name: str, count: int, wait_seconds: float, settings: Settings) -> None:
        self._settings = settings
        self._wait_seconds = wait_seconds
        self._threads = start_threads(count, name)
        self._free_count = count
        self._used_counts = SubjectCounts()  # of each address that has threads
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # of each address, in the order of turns

    def close(self) -> None:
        """Wait for the running functions, then end the threads."""
        self._threads.shutdown()

    async def run(self, address: str, function: Callable[[], T]) -> T:
        """The result of a function that blocks, called on a thread. Raises Refusal (busy)."""
        subject = limited_subject(address, self._settings) or ""
        if subject not in self._waiting and self._may_run(subject):
            self._take(subject)
        else:
            await self._wait(subject)
        loop, call = asyncio.get_running_loop(), self._threads.submit(function)
        try:
            return await asyncio.wrap_future(call)
        finally:
            if call.done():
                self._give_back(subject)
            else:  # the request is cancelled, but its thread is still used
                call.add_done_callback(lambda _: loop.call_soon_threadsafe(self._give_back, subject))

    def _may_run(self, subject: str) -> bool:
        """Whether the address gets a thread now. The empty subject is that of all exempt addresses."""
        return self._free_count > (self._used_counts[subject] if subject else 0)

    def _take(self, subject: str) -> None:
        self._free_count -= 1
        self._used_counts[subject] += 1

    def _give_back(self, subject: str) -> None:
        self._free_count += 1
        self._used_counts.decrease(subject)
        if self._waiting:
            self._start_waiting()

    def _start_waiting(self) -> None:
        """Give each address, in turn, a thread for one of its waiting requests, if there is one for it."""
        for subject in [subject for subject in self._waiting if self._may_run(subject)]:
            if self._may_run(subject):  # still, after the turns of the others
                turns = self._waiting.pop(subject)
                self._take(subject)
                turns.popleft().set_result(None)
                if turns:
                    self._waiting[subject] = turns  # behind the other addresses

    async def _wait(self, subject: str) -> None:
        """Wait until this request has a thread. Raises Refusal (busy)."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(subject, deque()).append(turn)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await turn
        except BaseException as error:
            if turn.cancelled():
                self._leave(subject, turn)
            else:  # it got a thread at the same time
                self._give_back(subject)
            if isinstance(error, TimeoutError):
                message = "The server has too many requests: nothing was done, try again."
                raise Refusal("busy", message) from None
            raise

    def _leave(self, subject: str, turn: asyncio.Future[None]) -> None:
        self._waiting[subject].remove(turn)
        if not self._waiting[subject]:
            del self._waiting[subject]
