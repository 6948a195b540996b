"""Password hashes: Argon2id, a limited number at once.

A hash takes tens of milliseconds and, by default, 64 MiB. So only a few are computed at once, however many
clients there are. A caller that waits too long for its turn is refused, and so is an address with too many
callers.
"""

import base64
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

import argon2
from argon2.low_level import hash_secret

from busware.server.addresses import SubjectCounts
from busware.server.protocol import Refusal


class Passwords:
    """Computes password hashes, with the parameters of RFC 9106, section 4, except for the memory.

    memory_mib: the memory of a hash, in MiB; the RFC recommends 64.
    """

    def __init__(self, memory_mib: int) -> None:
        self._argon2 = argon2.PasswordHasher(memory_cost=1024 * memory_mib)
        # The hash to check for a name without an account, so that the check takes as long as with one.
        self.dummy_hash = f"$argon2id$v=19$m={1024 * memory_mib},t=3,p=4${'A' * 22}${'A' * 43}"

    def hash(self, password: str) -> str:
        """The hash of a password, with its parameters and a random salt."""
        return self._argon2.hash(_normalize(password))

    def hash_like(self, stored: str | None, password: str) -> str:
        """The hash of a password with the parameters and salt of another hash; if it is None, of a dummy."""
        stored = stored or self.dummy_hash
        try:
            parameters = argon2.extract_parameters(stored)
        except argon2.exceptions.InvalidHashError:
            return self.hash_like(self.dummy_hash, password)
        salt = stored.split("$")[-2]
        return hash_secret(
            _normalize(password).encode(), base64.b64decode(salt + "=" * (-len(salt) % 4)),
            parameters.time_cost, parameters.memory_cost, parameters.parallelism, parameters.hash_len,
            parameters.type, parameters.version,
        ).decode()  # fmt: skip

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash has other parameters than those of new hashes."""
        return self._argon2.check_needs_rehash(stored)


class HashTurns:
    """Limits how many hashes are computed at once.

    max_concurrent: how many hashes are computed at the same time. max_of_address: how many callers of one
    address may compute or wait. wait_seconds: how long a caller waits for its turn.
    """

    def __init__(self, max_concurrent: int, max_of_address: int, wait_seconds: float) -> None:
        self._turns = threading.BoundedSemaphore(max_concurrent)
        self._max_of_address = max_of_address
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._callers = SubjectCounts()  # by address

    @contextmanager
    def take(self, address: str | None) -> Iterator[None]:
        """Context in which a hash may be computed. Raises Refusal (busy).

        address: the caller's; None for an address without a limit.
        """
        with self._lock:
            if address is not None and self._callers[address] >= self._max_of_address:
                message = "Too many passwords of this address are being checked: nothing was done, try again."
                raise Refusal("busy", message)
            self._callers[address or ""] += 1
        try:
            if not self._turns.acquire(timeout=self._wait_seconds):
                raise Refusal("busy", "Too many passwords are being checked: nothing was done, try again.")
            try:
                yield
            finally:
                self._turns.release()
        finally:
            with self._lock:
                self._callers.decrease(address or "")


def _normalize(password: str) -> str:
    """The same characters for the same text, however a keyboard composes them."""
    return unicodedata.normalize("NFC", password)
