"""Password hashes: Argon2id, a limited number at once.

A hash takes tens of milliseconds and 64 MiB, so only a few are computed at once, however many clients there
are. A caller that waits too long for its turn is refused.
"""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

import argon2

from busware.server.protocol import Refusal

# Verified if there is no account, so that this takes as long as for a real one. Its salt and hash are all
# zeros; no known password has this hash.
DUMMY_HASH = f"$argon2id$v=19$m=65536,t=3,p=4${'A' * 22}${'A' * 43}"


class Passwords:
    """Computes and compares password hashes.

    max_concurrent: how many hashes are computed at the same time. wait_seconds: how long a caller waits for
    its turn.
    """

    def __init__(self, max_concurrent: int, wait_seconds: float) -> None:
        self._argon2 = argon2.PasswordHasher()  # with the parameters of RFC 9106, section 4
        self._turns = threading.BoundedSemaphore(max_concurrent)
        self._wait_seconds = wait_seconds

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Context in which hash and matches may be called. Raises Refusal (busy)."""
        if not self._turns.acquire(timeout=self._wait_seconds):
            raise Refusal("busy", "Too many passwords are being checked: nothing was done, try again.")
        try:
            yield
        finally:
            self._turns.release()

    def hash(self, password: str) -> str:
        """The hash of a password, with its parameters and a random salt."""
        return self._argon2.hash(_normalize(password))

    def matches(self, hashed: str | None, password: str) -> bool:
        """Whether a hash is that of the password. If hashed is None, returns False after the same time."""
        try:
            self._argon2.verify(hashed or DUMMY_HASH, _normalize(password))
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether a hash has other parameters than those of new hashes."""
        return self._argon2.check_needs_rehash(hashed)


def _normalize(password: str) -> str:
    """The same characters for the same text, however a keyboard composes them."""
    return unicodedata.normalize("NFC", password)
