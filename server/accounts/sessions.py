"""Accounts: passwords, tokens, and who is asking.

Passwords are hashed (server/accounts/passwords.py). An unknown username is checked against a dummy hash: the
same answer, after the same time, as for a wrong password.

A token is random; the database keeps its SHA-256 alone, and so does this process, with who it is: it asks
again every few seconds, since another process may have revoked it.
"""

import hashlib
import secrets
import threading
import time
import unicodedata
from collections import OrderedDict
from typing import NamedTuple

import msgspec
from msgspec import Raw

from busware.server import protocol
from busware.server.accounts.passwords import Passwords
from busware.server.accounts.rate_limits import RateLimiter, address_subject
from busware.server.db.pool import Pool
from busware.server.protocol import Answer, Caller, Refusal, Role
from busware.server.settings import Settings

_TOKEN_BYTES = 32
_SESSIONS_REMEMBERED = 10_000

_ACCOUNT = "SELECT password_hash, role, operator FROM accounts WHERE username = %s"
_REGISTER = "SELECT api.register(%s, %s, %s)"
_REHASH = "SELECT api.set_password_hash(%s, %s, %s)"
_SIGN_IN = "SELECT api.sign_in(%s, %s, make_interval(secs => %s), %s)"
_SESSION = "SELECT * FROM api.session(%s)"
_SIGN_OUT = "SELECT api.sign_out(%s, %s)"

_encode = msgspec.json.Encoder().encode
_DONE = Raw(_encode(protocol.Done()))


class Account(NamedTuple):
    """An account, its password given."""

    username: str
    role: Role
    operator: str | None


class Accounts:
    """Registers, signs in and out, and knows who has a token. `rate_limiter`: how often it was not known."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings
        self._passwords = Passwords(settings.password_hashes, settings.password_wait_seconds)
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()  # with when it was asked
        self.rate_limiter = RateLimiter(pool, settings)

    # Requests ----------------------------------------------------------------------------------

    def register(self, request: protocol.Register, caller: Caller) -> Answer:
        """Open an account. Raises Refusal (bad_request, username_taken, busy)."""
        if len(request.password) < self._settings.password_length:
            problem = f"A password has {self._settings.password_length} characters at least."
            raise request.wrong("password", problem)
        account = self.add(request.username, request.password, request.phone)
        if account is None:
            raise Refusal("username_taken", f'The username "{request.username}" is taken: choose another.')
        return self._sign_in(account, caller)

    def login(self, request: protocol.Login, caller: Caller) -> Answer:
        """Sign in. Raises Refusal (wrong_password, not_allowed, bad_request, busy)."""
        if request.token is not None:
            if request.username or request.password:
                raise request.wrong("token", "Give a token, or username and password.")
            return self._sign_in_again(request.token, caller)
        for field in ("username", "password"):
            if not getattr(request, field):
                raise request.wrong(field, f"{field} is missing.")
        return self._sign_in(
            self.verify(request.username or "", request.password or "", caller.address), caller
        )

    def logout(self, request: protocol.Logout, caller: Caller) -> Answer:
        """Revoke the token of the caller, or all of the account's."""
        revoked = self._pool.execute(_SIGN_OUT, (caller.session, request.everywhere))
        with self._lock:
            for (digest,) in revoked:
                self._known.pop(digest, None)
        return Answer(_DONE, refused=False, caller=Caller(address=caller.address))

    # Who it is ---------------------------------------------------------------------------------

    def add(self, username: str, password: str, phone: str | None = None) -> Account | None:
        """Open a traveller's account; None when the username is another's. Raises Refusal (busy)."""
        with self._passwords.turn():
            hashed = self._passwords.hash(password)
        ((added,),) = self._pool.execute(_REGISTER, (username, hashed, phone))
        return Account(username, "traveller", None) if added else None

    def exists(self, username: str) -> bool:
        """Whether there is such an account."""
        return bool(self._pool.execute(_ACCOUNT, (username,)))

    def verify(self, username: str, password: str, address: str) -> Account:
        """The account with that password. Raises Refusal (wrong_password, not_allowed, busy)."""
        subjects = (f"account:{username}", address_subject(address))
        with self._passwords.turn():  # so that a crowd of guesses is not let in before the first is noted
            self.rate_limiter.check(*subjects)
            found = self._pool.execute(_ACCOUNT, (username,))
            known, role, operator = found[0] if found else (None, "guest", None)
            if not self._passwords.fits(known, password):
                self.rate_limiter.record_failure(*subjects)
                raise Refusal("wrong_password", "No account has that username and password.")
            if known and (better := self._passwords.better(known, password)):
                self._pool.execute(_REHASH, (username, known, better))
        return Account(username, role, operator)

    def by_token(self, token: str, address: str) -> Caller:
        """Whose token it is. Raises Refusal (not_signed_in)."""
        return self.current(Caller(address=address, session=_digest(token)))

    def current(self, caller: Caller) -> Caller:
        """Who has the caller's session now. Raises Refusal (not_signed_in) when it has ended."""
        digest = caller.session or b""
        with self._lock:
            known, since = self._known.get(digest, (None, 0.0))
        if known is None or time.monotonic() - since > self._settings.token_recheck_seconds:
            known = self._look_up(digest)
        return msgspec.structs.replace(known, address=caller.address)

    # Tokens ------------------------------------------------------------------------------------

    def _look_up(self, digest: bytes) -> Caller:
        """Who has a session, by the database; remembered for a while. Raises Refusal (not_signed_in)."""
        found = self._pool.execute(_SESSION, (digest,))
        if not found:
            with self._lock:
                self._known.pop(digest, None)
            raise Refusal("not_signed_in", "The token has expired or was revoked: log in again.")
        ((username, role, operator, _),) = found
        caller = Caller(account=username, role=role, operator=operator, session=digest)
        self._remember(digest, caller)
        return caller

    def _remember(self, digest: bytes, caller: Caller) -> None:
        with self._lock:
            self._known[digest] = caller, time.monotonic()
            self._known.move_to_end(digest)
            while len(self._known) > _SESSIONS_REMEMBERED:
                self._known.popitem(last=False)

    def _sign_in(self, account: Account, caller: Caller) -> Answer:
        token = secrets.token_hex(_TOKEN_BYTES)  # nothing that a command line takes for an option
        seconds, at_most = self._settings.token_hours * 3600, self._settings.tokens_per_account
        ((expires_at,),) = self._pool.execute(_SIGN_IN, (account.username, _digest(token), seconds, at_most))
        return self._signed_in(token, account, expires_at, caller)

    def _sign_in_again(self, token: str, caller: Caller) -> Answer:
        subject = address_subject(caller.address)
        self.rate_limiter.check(subject)
        found = self._pool.execute(_SESSION, (_digest(token),))
        if not found:
            self.rate_limiter.record_failure(subject)
            raise Refusal("wrong_password", "That token has expired, was revoked, or never was one.")
        ((username, role, operator, expires_at),) = found
        return self._signed_in(token, Account(username, role, operator), expires_at, caller)

    def _signed_in(self, token: str, account: Account, expires_at: str, caller: Caller) -> Answer:
        digest = _digest(token)
        now = Caller(
            address=caller.address,
            account=account.username,
            role=account.role,
            operator=account.operator,
            session=digest,
        )
        self._remember(digest, now)
        told = {"token": token, "username": account.username, "role": account.role, "expires_at": expires_at}
        if account.operator:
            told["operator"] = account.operator
        return Answer(Raw(_encode(told)), refused=False, caller=now)


def normalize_username(text: str) -> str:
    """A username as it is kept: whoever types it in another case, or on another keyboard, is the same."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
