"""Passwords: Argon2id, so many at once.

A hash costs tens of milliseconds and 64 MiB on purpose. So only a few are computed at a time, whatever the
number of clients, and who would wait too long for a turn is told to try again.
"""

import base64
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

import argon2

from busware.server.protocol import Refusal


class Passwords:
    """Makes hashes and compares with them. at_once: how many; wait_seconds: how long for a turn."""

    def __init__(self, at_once: int, wait_seconds: float) -> None:
        self._argon2 = argon2.PasswordHasher()  # with the parameters of RFC 9106, section 4
        self._turns = threading.BoundedSemaphore(at_once)
        self._wait_seconds = wait_seconds
        self._nobodys = _hash_of_nothing(self._argon2)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and have it for as long as a `with` lasts. Raises Refusal (busy)."""
        if not self._turns.acquire(timeout=self._wait_seconds):
            raise Refusal("busy", "Too many passwords are being checked: nothing was done, try again.")
        try:
            yield
        finally:
            self._turns.release()

    def hash(self, password: str) -> str:
        """The hash to keep, with its parameters and its salt. Wants a turn."""
        return self._argon2.hash(_normal(password))

    def fits(self, known: str | None, password: str) -> bool:
        """Whether that is the password of a hash. None fits no hash, in the same time. Wants a turn."""
        try:
            self._argon2.verify(known or self._nobodys, _normal(password))
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return known is not None

    def better(self, known: str, password: str) -> str | None:
        """A hash by today's parameters, where the one that is kept has others. Wants a turn."""
        return self.hash(password) if self._argon2.check_needs_rehash(known) else None


def _hash_of_nothing(argon2id: argon2.PasswordHasher) -> str:
    """What looks like a hash, and takes as long to compare with; random, so that no password is known."""
    salt, result = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (argon2id.salt_len, argon2id.hash_len)
    )
    costs = f"m={argon2id.memory_cost},t={argon2id.time_cost},p={argon2id.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${result}"


def _normal(password: str) -> str:
    """The same characters, however a keyboard composes them."""
    return unicodedata.normalize("NFC", password)
