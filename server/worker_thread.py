"""A thread that works each time it is scheduled, and tries again after a failure."""

import logging
import threading
from collections.abc import Callable

from busware.server.db.pool import InternalError
from busware.server.protocol import Refusal

log = logging.getLogger("busware.worker")


class WorkerThread:
    """Calls `work` in a thread of its own, when it is scheduled, and after the delay that `work` returned.

    work: returns the seconds until the next call, or None to wait for `schedule`. While it runs, several
    calls of `schedule` cause one more call. Its exceptions are logged. Refusal and InternalError mean that
    the database is not available, so they are logged as a warning once, and then not until a call succeeds.
    retry_seconds: the pause after a failure; only `stop` ends it early.
    """

    def __init__(self, name: str, work: Callable[[], float | None], retry_seconds: float = 1.0) -> None:
        self._name = name
        self._work = work
        self._retry_seconds = retry_seconds
        self._scheduled = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.is_idle = False  # it waits, and works as soon as it is scheduled

    def start(self) -> None:
        """Start the thread. If `schedule` was called before, `work` is called now."""
        self._thread.start()

    def schedule(self) -> None:
        """Call `work` as soon as possible. May be called from any thread."""
        self._scheduled.set()

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called. A `work` of many steps ends when it sees that."""
        return self._stopping.is_set()

    def begin_stop(self) -> None:
        """Do not call `work` again. Does not wait for a call that is running."""
        self._stopping.set()
        self._scheduled.set()

    def stop(self, seconds: float = threading.TIMEOUT_MAX) -> bool:
        """End the thread, after the call that is running. Returns whether the thread has ended.

        seconds: the most time to wait.
        """
        self.begin_stop()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        delay: float | None = None
        failing = False
        while True:
            self.is_idle = True
            self._scheduled.wait(delay)
            self.is_idle = False
            self._scheduled.clear()
            if self._stopping.is_set():
                return
            try:
                delay = self._work()
                failing = False
                continue
            except (Refusal, InternalError) as error:
                log.log(
                    logging.DEBUG if failing else logging.WARNING,
                    "%s failed, retrying in %g s: %s", self._name, self._retry_seconds, error,
                )  # fmt: skip
                failing = True
            except Exception:
                log.exception("%s failed, retrying in %g s", self._name, self._retry_seconds)
            self._stopping.wait(self._retry_seconds)
            delay = 0.0
