"""Accounts and sessions: registration, passwords, tokens.

For an unknown username the password is compared with a dummy hash, so the answer and its time are the same
as for a wrong password.

A token is random. The database and this process store its SHA-256 only. The process caches a session for
at most token_recheck_seconds, because another process may revoke its token.
"""

import hashlib
import secrets
import time
import unicodedata
from functools import lru_cache

import msgspec
from msgspec import Raw

from busware.server import protocol
from busware.server.accounts.passwords import Passwords
from busware.server.accounts.rate_limits import RateLimiter, address_subject
from busware.server.db.pool import Pool
from busware.server.protocol import Answer, Caller, Refusal
from busware.server.settings import Settings

_TOKEN_BYTES = 32
_CACHED_SESSIONS = 10_000

_ACCOUNT = "SELECT password_hash, role, operator FROM accounts WHERE username = %s"
_REGISTER = "SELECT api.register(%s, %s, %s)"
_REHASH = "SELECT api.set_password_hash(%s, %s, %s)"
_SIGN_IN = "SELECT api.sign_in(%s, %s, make_interval(secs => %s), %s)"
_SESSION = "SELECT * FROM api.session(%s)"
_SIGN_OUT = "SELECT api.sign_out(%s, %s)"

_encode = msgspec.json.Encoder().encode
_DONE = Raw(_encode(protocol.Done()))


class Accounts:
    """Registers accounts, signs callers in and out, and finds the caller of a token."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings
        self._passwords = Passwords(settings.password_hashes, settings.password_wait_seconds)
        self._cached_session = lru_cache(_CACHED_SESSIONS)(lambda digest, period: self._session(digest))
        self.rate_limiter = RateLimiter(pool, settings)

    # Requests ----------------------------------------------------------------------------------

    def register(self, request: protocol.Register, caller: Caller) -> Answer:
        """Create an account, and sign in. Raises Refusal (bad_request, username_taken, busy)."""
        if len(request.password) < self._settings.password_length:
            length = self._settings.password_length
            problem = f"The password is too short: it needs at least {length} characters."
            raise request.wrong("password", problem)
        account = self.add(request.username, request.password, caller.address, request.phone)
        if account is None:
            raise Refusal("username_taken", f'The username "{request.username}" is taken: choose another.')
        return self._sign_in(account)

    def login(self, request: protocol.Login, caller: Caller) -> Answer:
        """Sign in. Raises Refusal (wrong_password, not_allowed, bad_request, busy)."""
        if request.token is not None:
            if request.username or request.password:
                raise request.wrong("token", "Give a token, or username and password.")
            return self._sign_in_by_token(request.token, caller)
        if not request.username or not request.password:
            field = "password" if request.username else "username"
            raise request.wrong(field, f"{field} is missing.")
        return self._sign_in(self.verify(request.username, request.password, caller.address))

    def logout(self, request: protocol.Logout, caller: Caller) -> Answer:
        """Revoke the token of the caller, or all tokens of the account."""
        self._pool.execute(_SIGN_OUT, (caller.session, request.everywhere))
        self._cached_session.cache_clear()
        return Answer(_DONE, refused=False, caller=Caller(address=caller.address))

    # Callers -----------------------------------------------------------------------------------

    def add(self, username: str, password: str, address: str, phone: str | None = None) -> Caller | None:
        """Create a traveller's account; None if the username is taken. Raises Refusal (bad_request, busy)."""
        check_new_username(username)
        with self._passwords.turn():
            hashed = self._passwords.hash(password)
        ((added,),) = self._pool.execute(_REGISTER, (username, hashed, phone))
        return Caller(address=address, account=username, role="traveller") if added else None

    def exists(self, username: str) -> bool:
        """Whether there is an account with this username."""
        return bool(self._pool.execute(_ACCOUNT, (username,)))

    def verify(self, username: str, password: str, address: str) -> Caller:
        """The account with this password. Raises Refusal (wrong_password, not_allowed, busy)."""
        subjects = (f"account:{username}", address_subject(address))
        with self._passwords.turn():  # the check too: so simultaneous attempts pass the limit by few at most
            self.rate_limiter.check(*subjects)
            found = self._pool.execute(_ACCOUNT, (username,))
            hashed, role, operator = found[0] if found else (None, "guest", None)
            if not self._passwords.matches(hashed, password):
                self.rate_limiter.record_failure(*subjects)
                raise Refusal("wrong_password", "No account has that username and password.")
            if hashed and self._passwords.is_outdated(hashed):
                self._pool.execute(_REHASH, (username, hashed, self._passwords.hash(password)))
        return Caller(address=address, account=username, role=role, operator=operator)

    def by_token(self, token: str, address: str) -> Caller:
        """The caller with this token. Raises Refusal (not_signed_in)."""
        return self.current(Caller(address=address, session=_digest(token)))

    def current(self, caller: Caller) -> Caller:
        """The caller with its account as it is now. Raises Refusal (not_signed_in) if the session has ended.

        The first byte of the digest shifts the period, so that not all sessions are read again at once.
        """
        digest = caller.session or b"\0"
        period = int(time.monotonic() / self._settings.token_recheck_seconds + digest[0] / 256)
        current, _ = self._cached_session(digest, period)
        return msgspec.structs.replace(current, address=caller.address)

    # Sessions ----------------------------------------------------------------------------------

    def _session(self, digest: bytes) -> tuple[Caller, str]:
        """The caller of a session, and when it expires. Raises Refusal (not_signed_in)."""
        found = self._pool.execute(_SESSION, (digest,))
        if not found:
            raise Refusal("not_signed_in", "The token has expired or was revoked: log in again.")
        ((username, role, operator, expires_at),) = found
        return Caller(account=username, role=role, operator=operator, session=digest), expires_at

    def _sign_in(self, account: Caller) -> Answer:
        token = secrets.token_hex(_TOKEN_BYTES)  # hexadecimal: a command line cannot take it for an option
        digest = _digest(token)
        seconds, max_tokens = self._settings.token_hours * 3600, self._settings.tokens_per_account
        ((expires_at,),) = self._pool.execute(_SIGN_IN, (account.account, digest, seconds, max_tokens))
        return _session_answer(token, msgspec.structs.replace(account, session=digest), expires_at)

    def _sign_in_by_token(self, token: str, caller: Caller) -> Answer:
        subject = address_subject(caller.address)
        self.rate_limiter.check(subject)
        try:
            account, expires_at = self._session(_digest(token))
        except Refusal as refusal:
            if refusal.reason != "not_signed_in":
                raise
            self.rate_limiter.record_failure(subject)
            message = "The token has expired, was revoked, or is wrong: log in again."
            raise Refusal("wrong_password", message) from None
        return _session_answer(token, msgspec.structs.replace(account, address=caller.address), expires_at)


def _session_answer(token: str, caller: Caller, expires_at: str) -> Answer:
    session = {"token": token, "username": caller.account, "role": caller.role, "expires_at": expires_at}
    if caller.operator:
        session["operator"] = caller.operator
    return Answer(Raw(_encode(session)), refused=False, caller=caller)


def normalize_username(text: str) -> str:
    """A username as it is stored: the same for any case, and for equivalent Unicode characters."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def check_new_username(username: str) -> None:
    """Raises Refusal (bad_request) if a part of the username, or all of it, cannot be seen.

    With such usernames, two accounts could look the same. Accounts that already have one can sign in.
    """
    if hidden := protocol.hidden_character(username):
        problem = f"The username has a character that cannot be seen, {hidden}: leave it out."
        raise protocol.Register.wrong("username", problem)
    if not protocol.normalize_text(username):
        raise protocol.Register.wrong("username", "The username has no visible character: choose another.")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
