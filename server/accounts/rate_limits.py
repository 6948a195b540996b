"""Rate limits for failed credentials, wrong promo codes and registrations; their rules: sql/26_attempts.sql.

Failures are counted in the database, so the limits hold for all processes and servers together. Up to a
limit, attempts are free. After that, the next one is refused for a time that doubles with each further
failure.

Before a booking is opened, the database is asked only if a subject of the attempt has failed in this process.
So a request without earlier failures needs no query. Attempts that have not ended count as failures, but only
in their own process: with n processes, simultaneous attempts may fail n times as often as the limit. Before a
password is compared, the database is always asked, because the query costs little compared with the hash;
simultaneous attempts wait for each other there, in all processes.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil, inf
from typing import NamedTuple

from busware.server.addresses import SubjectCounts, address_subject, limited_subject
from busware.server.db.pool import Pool
from busware.server.protocol import Caller, Refusal
from busware.server.setting_kinds import MOST
from busware.server.settings import Settings

_MAX_FAILURES = 10_000  # that a process remembers
_REGISTRATION_SECONDS = 3600  # the period of registrations; the database stores them for that long

_REACHED_LIMIT = "SELECT * FROM api.reached_limit(%s, %s, %s, %s::int[], make_interval(secs => %s))"
_COUNT_FAILURE = "SELECT api.count_failure(%s, %s, %s)"
_COUNT_REGISTRATION = "SELECT * FROM api.count_registration(%s, %s, make_interval(secs => %s))"
_NOTE_KNOWN_ADDRESSES = "SELECT api.note_known_addresses(%s)"


class Attempt(NamedTuple):
    """An attempt with credentials that may be wrong.

    address, pair, target: its subjects. target: None if failures of others do not count. limits: the most
    failures of each subject; None for no limit.
    """

    address: str
    pair: str
    target: str | None
    limits: tuple[int | None, int, int]


class RateLimiter:
    """Counts failures, and refuses attempts after too many of them."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings
        self.period_seconds = settings.attempt_minutes * 60
        self._lock = threading.Lock()  # for all below
        self._failures = deque[tuple[float, Attempt]]()  # of this process in the period, with their times
        self._failed = SubjectCounts()  # the same, by subject
        self._queues: dict[str, _Queue] = {}  # of attempts to open a booking, by subject
        self._known = set[str]()  # pairs whose credentials were right since note_known_addresses was called

    # Attempts ----------------------------------------------------------------------------------

    def sign_in(self, username: str, address: str) -> Attempt:
        """The attempt to sign in by a password."""
        return self._attempt(address, f"account:{username}", self._settings.attempts_per_account)

    def opening(self, target: str, caller: Caller, *, by_account: bool) -> Attempt:
        """The attempt to open a booking, or to find the bookings of a phone number.

        by_account: the credential is the caller's account. Then failures of others do not count, because they
        must not lock the owner out.
        """
        attempt = self._attempt(caller.address, target, self._settings.attempts_per_booking)
        if by_account:
            return attempt._replace(pair=f"account:{caller.account} {target}", target=None)
        return attempt

    def promo_code(self, caller: Caller) -> Attempt:
        """The attempt to use a promo code. Failures of others do not count.

        An account counts by itself, and a guest by their address. An exempt address, such as that of a web
        site with many travellers, has no limit for guests.
        """
        attempt = self._attempt(caller.address, "promo_code", self._settings.attempts_per_booking)
        if caller.account is not None:
            return attempt._replace(pair=f"account:{caller.account} promo_code", target=None)
        address_limit, pair_limit, target_limit = attempt.limits
        limits = (address_limit, MOST if address_limit is None else pair_limit, target_limit)
        return attempt._replace(target=None, limits=limits)

    def _attempt(self, address: str, target: str, limit: int) -> Attempt:
        subject = address_subject(address)
        is_limited = limited_subject(address, self._settings) is not None
        address_limit = self._settings.attempts_per_address if is_limited else None
        limits = (address_limit, limit, min(limit * self._settings.unknown_address_factor, MOST))
        return Attempt(subject, f"{subject} {target}", target, limits)

    # Checks ------------------------------------------------------------------------------------

    def check(self, attempt: Attempt) -> None:
        """Raises Refusal (not_allowed) if the attempt has reached a limit."""
        for limit, seconds in self._pool.execute(
            _REACHED_LIMIT, (*attempt[:3], list(attempt.limits), self.period_seconds)
        ):
            raise too_many("wrong attempts", limit, seconds)

    def count_registration(self, address: str) -> None:
        """Count a registration from an address. Raises Refusal (not_allowed)."""
        subject = limited_subject(address, self._settings)
        if subject is not None:
            parameters = (subject, self._settings.registrations_per_address, _REGISTRATION_SECONDS)
            for reached, seconds in self._pool.execute(_COUNT_REGISTRATION, parameters):
                raise too_many("registrations", reached, seconds)

    @contextmanager
    def turn(self, attempt: Attempt) -> Iterator[None]:
        """Context of an attempt to open a booking. Raises Refusal (not_allowed, busy).

        If a pair or an address may fail n more times, at most n of its attempts run at once, and the others
        wait. So simultaneous attempts do not exceed the limit.
        """
        address_limit, pair_limit, _ = attempt.limits
        deadline = time.monotonic() + self._settings.read_wait_seconds
        with (
            self._turn(attempt.pair, pair_limit, deadline),
            self._turn(attempt.address, inf if address_limit is None else address_limit, deadline),
        ):
            with self._lock:
                has_failed = any(subject in self._failed for subject in attempt[:3])
            if has_failed:
                self.check(attempt)
            yield

    @contextmanager
    def _turn(self, subject: str, limit: float, deadline: float) -> Iterator[None]:
        """Context of an attempt, for one of its subjects. Raises Refusal (busy)."""
        with self._lock:
            self._forget_failures()
            queue = self._queues.setdefault(subject, _Queue(self._lock))
            queue.attempts += 1
        try:
            with self._lock:
                if not queue.turn_ended.wait_for(
                    lambda: queue.under_way < max(1, limit - self._failed[subject]),
                    deadline - time.monotonic(),
                ):
                    raise Refusal("busy", "Too many attempts are under way: nothing was done, try again.")
                queue.under_way += 1
            try:
                yield
            finally:
                with self._lock:
                    queue.under_way -= 1
                    queue.turn_ended.notify()
        finally:
            with self._lock:
                queue.attempts -= 1
                if not queue.attempts:
                    del self._queues[subject]

    # Outcomes ----------------------------------------------------------------------------------

    def record_failure(self, attempt: Attempt) -> None:
        """Count a failure."""
        with self._lock:
            self._failures.append((time.monotonic(), attempt))
            self._failed.update(_counted(attempt))
            self._forget_failures()
        self._pool.execute(_COUNT_FAILURE, attempt[:3])

    def _forget_failures(self) -> None:
        """Forget the failures that are older than the period, and the oldest if there are too many."""
        start = time.monotonic() - self.period_seconds
        while self._failures and (self._failures[0][0] < start or len(self._failures) > _MAX_FAILURES):
            _, attempt = self._failures.popleft()
            for subject in _counted(attempt):
                self._failed.decrease(subject)

    def record_success(self, attempt: Attempt) -> None:
        """The credentials were right. `note_known_addresses` stores this later, with others."""
        if attempt.target is not None:
            with self._lock:
                self._known.add(attempt.pair)

    def note_known_addresses(self) -> None:
        """Store the addresses whose credentials were right since the last call, in one statement."""
        with self._lock:
            pairs, self._known = self._known, set()
        try:
            if pairs:
                self._pool.execute(_NOTE_KNOWN_ADDRESSES, (sorted(pairs),))
        except BaseException:
            with self._lock:
                self._known |= pairs  # for the next call
            raise


class _Queue:
    """The attempts of one subject. attempts: how many there are. under_way: how many of them do not wait."""

    def __init__(self, lock: threading.Lock) -> None:
        self.attempts = self.under_way = 0
        self.turn_ended = threading.Condition(lock)


def _counted(attempt: Attempt) -> list[str]:
    """The subjects of an attempt that are counted."""
    return [subject for subject in attempt[:3] if subject is not None]


def too_many(what: str, limit: int, seconds_left: float) -> Refusal:
    """The refusal of an attempt that has reached a limit."""
    seconds = max(1, ceil(seconds_left))
    wait = f"{seconds} s" if seconds < 120 else f"{ceil(seconds / 60)} minutes"
    message = f"Too many {what}: try again in {wait}."
    return Refusal("not_allowed", message, limit=limit, retry_after=seconds)
