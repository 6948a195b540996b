"""Accounts and sessions: registration, passwords, tokens.

The database compares password hashes: this process computes the hash of a password with the parameters of the
stored one, which it never sees. For an unknown username it computes a dummy hash, so the answer and its time
are the same as for a wrong password.

A token is random. The database and this process store its SHA-256 only. The process caches a session for
at most token_recheck_seconds, because another process may revoke its token.
"""

import hashlib
import secrets
import time
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import msgspec
from msgspec import Raw

from busware.server import protocol
from busware.server.accounts.passwords import HashTurns, Passwords
from busware.server.accounts.rate_limits import RateLimiter, too_many
from busware.server.addresses import limited_subject
from busware.server.db.listener import ChangeNotification
from busware.server.db.pool import Pool
from busware.server.protocol import Answer, Caller, Refusal
from busware.server.settings import Settings

_TOKEN_BYTES = 32
_CACHED_SESSIONS = 10_000

_PARAMETERS = "SELECT api.password_parameters(%s)"
_REGISTER = "SELECT * FROM api.register(%s, %s, %s, %s, make_interval(secs => %s), %s, %s, %s)"
_REHASH = "SELECT api.set_password_hash(%s, %s, %s)"
_SIGN_IN = (
    "SELECT * FROM api.sign_in(%s, %s, %s, make_interval(secs => %s), %s, %s, %s::int[], "
    "make_interval(secs => %s))"
)
_SESSION = "SELECT * FROM api.session(%s)"
_SET_EMAIL = "SELECT api.set_email(%s, %s, %s)"
_REQUEST_RESET = "SELECT * FROM api.request_reset(%s, %s, %s::int[])"
_START_RESET = "SELECT email, language FROM api.start_reset(%s, %s, make_interval(secs => %s))"
_RESET_ACCOUNT = "SELECT api.reset_account(%s)"
_RESET_PASSWORD = "SELECT * FROM api.reset_password(%s, %s, %s, make_interval(secs => %s), %s)"  # noqa: S105
_SIGN_OUT = "SELECT api.sign_out(%s, %s)"
_PUT_STAFF = "SELECT refused, answer FROM api.put_staff(%s, %s, make_interval(secs => %s))"

_encode = msgspec.json.Encoder().encode
_DONE = Raw(_encode(protocol.Done()))


class WrongPassword(Refusal):
    """No account has that username and password.

    is_account: whether there is an account with the username. address_failures: the failed attempts from the
    address in the period of the rate limits, with this one. Neither is sent to the caller.
    """

    def __init__(self, *, is_account: bool, address_failures: int) -> None:
        super().__init__("wrong_password", "No account has that username and password.")
        self.is_account = is_account
        self.address_failures = address_failures


class Reset(NamedTuple):
    """A token that sets a new password, the address to which it is sent, and the language of the mail."""

    token: str
    email: str
    language: str | None


class Accounts:
    """Registers accounts, signs callers in and out, and finds the caller of a token."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings
        limits = settings.password_checks_per_address, settings.password_wait_seconds
        self._passwords = Passwords(settings.password_memory_mib)
        self._sign_ins = HashTurns(settings.password_hashes, *limits)
        self._registrations = HashTurns(settings.registration_hashes, *limits)
        self._cached_session = lru_cache(_CACHED_SESSIONS)(lambda digest, period: self._session(digest))
        self.rate_limiter = RateLimiter(pool, settings)

    # Requests ----------------------------------------------------------------------------------

    def register(self, request: protocol.Register, caller: Caller) -> Answer:
        """Create an account, and sign in. Raises Refusal (bad_request, username_taken, not_allowed, busy)."""
        self._check_length(request)
        token = _Token()
        account, expires_at = self._add(
            request.username,
            request.password,
            caller.address,
            (request.phone, request.email, request.language),
            token.digest,
        )
        if account is None:
            raise Refusal("username_taken", f'The username "{request.username}" is taken: choose another.')
        return _session_answer(token.text, account, expires_at)

    def login(self, request: protocol.Login, caller: Caller) -> Answer:
        """Sign in. Raises Refusal (wrong_password, not_allowed, bad_request, busy)."""
        if request.token is not None:
            if request.username or request.password:
                raise request.wrong("token", "Give a token, or username and password.")
            return self._sign_in_by_token(request.token, caller)
        if not request.username or not request.password:
            field = "password" if request.username else "username"
            raise request.wrong(field, f"{field} is missing.")
        length = self._settings.password_length
        token = _Token() if len(request.password) >= length else None
        digest = token.digest if token else None
        account, expires_at = self._verify(request.username, request.password, caller.address, digest)
        if token is None:
            raise Refusal(
                "not_allowed",
                "The password is right, but it is accepted at /hotel only: elsewhere, a password needs at "
                f"least {length} characters. Register another account.",
            )
        return _session_answer(token.text, account, expires_at)

    def logout(self, request: protocol.Logout, caller: Caller) -> Answer:
        """Revoke the token of the caller, or all tokens of the account."""
        self._pool.execute(_SIGN_OUT, (caller.session, request.everywhere))
        self._forget_sessions()
        return Answer(_DONE, refused=False, caller=Caller(address=caller.address))

    def set_email(self, request: protocol.SetEmail, caller: Caller) -> Answer:
        """Set the e-mail address of the caller's account. Raises Refusal (wrong_password, not_allowed, busy).

        It asks for the password, because a mail to this address can set a new one.
        """
        self._verify(caller.account or "", request.password, caller.address)
        self._pool.execute(_SET_EMAIL, (caller.account, request.email, request.language))
        return Answer(_DONE, refused=False)

    def request_reset(self, request: protocol.RequestReset, caller: Caller) -> Answer:
        """Request mails that set a new password. Raises Refusal (not_allowed, busy).

        The answer is the same whether an account matches or not.
        """
        settings = self._settings
        limits = [settings.resets_per_address, settings.resets_per_account]
        address = limited_subject(caller.address, settings)
        account = normalize_username(request.account)
        for limit, seconds in self._pool.write(_REQUEST_RESET, (account, address, limits)):
            raise too_many("requests", limit, seconds)
        return Answer(_DONE, refused=False)

    def start_reset(self, username: str) -> "Reset | None":
        """Make a token that sets a new password of an account; None if its mail would go nowhere."""
        token = _Token()
        seconds = self._settings.reset_minutes * 60
        for email, language in self._pool.execute(_START_RESET, (username, token.digest, seconds)):
            return Reset(token.text, email, language)
        return None

    def reset_password(self, request: protocol.ResetPassword, caller: Caller) -> Answer:
        """Set a new password by a token, and sign in. Raises Refusal (wrong_password, bad_request, busy).

        A token cannot be guessed, so a wrong one is not counted. It is looked up before the hash is computed.
        """
        self._check_length(request)
        digest = _digest(request.reset_token)
        token = _Token()
        ((username,),) = self._pool.execute(_RESET_ACCOUNT, (digest,))
        found = []
        if username is not None:
            with self._registrations.take(limited_subject(caller.address, self._settings)):
                hashed = self._passwords.hash(request.password)
            found = self._pool.execute(_RESET_PASSWORD, (digest, hashed, token.digest, *self._token_limits()))
        if not found:
            raise Refusal("wrong_password", "The token has expired, was used, or is wrong: request another.")
        ((username, role, operator, expires_at),) = found
        self._forget_sessions()
        account = Caller(
            address=caller.address, account=username, role=role, operator=operator, session=token.digest
        )
        return _session_answer(token.text, account, expires_at)

    def put_staff(self, request: protocol.PutStaff, caller: Caller) -> Answer:
        """Add a staff account, or change it. Raises Refusal (bad_request, busy).

        While the account has no password, the reply has a new token that sets one.
        """
        check_new_username(request.username)
        token = _Token()
        args = msgspec.to_builtins(request) | {"account": caller.account}
        lasts = self._settings.staff_reset_hours * 3600
        ((refused, answer),) = self._pool.execute(_PUT_STAFF, (Raw(_encode(args)), token.digest, lasts))
        self._forget_sessions()
        if not refused:
            account = msgspec.json.decode(answer)
            if "reset_expires_at" in account:
                answer = Raw(_encode(account | {"reset_token": token.text}))
        return Answer(answer, refused)

    def _check_length(self, request: protocol.Register | protocol.ResetPassword) -> None:
        """Raises Refusal (bad_request) if the new password is too short."""
        length = self._settings.password_length
        if len(request.password) < length:
            problem = f"The password is too short: it needs at least {length} characters."
            raise request.wrong("password", problem)

    # Callers -----------------------------------------------------------------------------------

    def add(self, username: str, password: str, address: str) -> Caller | None:
        """Create a traveller's account; None if the username is taken.

        Raises Refusal (bad_request, not_allowed, busy).
        """
        account, _ = self._add(username, password, address)
        return account

    def exists(self, username: str) -> bool:
        """Whether there is an account with this username."""
        return self._parameters(username) is not None

    def verify(self, username: str, password: str, address: str) -> Caller:
        """The account with this password. Raises WrongPassword, Refusal (not_allowed, busy)."""
        account, _ = self._verify(username, password, address)
        return account

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

    def receive(self, notification: ChangeNotification) -> None:
        """Read all sessions again if another process has changed an account."""
        if notification.accounts or notification.everything:
            self._forget_sessions()

    def _forget_sessions(self) -> None:
        self._cached_session.cache_clear()

    # Sessions ----------------------------------------------------------------------------------

    def _session(self, digest: bytes) -> tuple[Caller, str]:
        """The caller of a session, and when it expires. Raises Refusal (not_signed_in)."""
        found = self._pool.execute(_SESSION, (digest,))
        if not found:
            raise Refusal("not_signed_in", "The token has expired or was revoked: log in again.")
        ((username, role, operator, expires_at),) = found
        return Caller(account=username, role=role, operator=operator, session=digest), expires_at

    def _add(
        self,
        username: str,
        password: str,
        address: str,
        contact: tuple[str | None, str | None, str | None] = (None, None, None),
        digest: bytes | None = None,
    ) -> tuple[Caller | None, str]:
        """Create an account, and store the digest of its token, if there is one.

        contact: phone number, e-mail address and language.
        """
        phone, *mail = contact
        check_new_username(username)
        with self._registrations.take(limited_subject(address, self._settings)):
            self.rate_limiter.count_registration(address)
            hashed = self._passwords.hash(password)
        ((added, expires_at),) = self._pool.execute(
            _REGISTER, (username, hashed, phone, digest, *self._token_limits(), *mail)
        )
        if not added:
            return None, ""
        return Caller(address=address, account=username, role="traveller", session=digest), expires_at

    def _verify(
        self, username: str, password: str, address: str, digest: bytes | None = None
    ) -> tuple[Caller, str]:
        """Compare a password, and store the digest of a token, if there is one."""
        attempt = self.rate_limiter.sign_in(username, address)
        with self._sign_ins.take(limited_subject(address, self._settings)):
            self.rate_limiter.check(attempt)
            parameters = self._parameters(username)
            hashed = self._passwords.hash_like(parameters, password)
            ((limit, retry_after, failures, role, operator, expires_at),) = self._pool.execute(
                _SIGN_IN,
                (
                    username, hashed, digest, *self._token_limits(),
                    attempt.address, list(attempt.limits), self.rate_limiter.period_seconds,
                ),
            )  # fmt: skip
            if limit is not None:
                raise too_many("wrong attempts", limit, retry_after)
            if role is None:
                raise WrongPassword(is_account=parameters is not None, address_failures=failures)
            if self._passwords.is_outdated(hashed):
                self._pool.execute(_REHASH, (username, hashed, self._passwords.hash(password)))
        return Caller(
            address=address, account=username, role=role, operator=operator, session=digest
        ), expires_at

    def _parameters(self, username: str) -> str | None:
        """The parameters of the password hash of an account; None if there is no account."""
        parameters: str | None = self._pool.execute(_PARAMETERS, (username,))[0][0]
        return parameters

    def _token_limits(self) -> tuple[float, int]:
        return self._settings.token_hours * 3600, self._settings.tokens_per_account

    def _sign_in_by_token(self, token: str, caller: Caller) -> Answer:
        """Sign in by a token. A token cannot be guessed, so a wrong one is not counted."""
        try:
            account, expires_at = self._session(_digest(token))
        except Refusal as refusal:
            if refusal.reason != "not_signed_in":
                raise
            message = "The token has expired, was revoked, or is wrong: log in again."
            raise Refusal("wrong_password", message) from None
        return _session_answer(token, msgspec.structs.replace(account, address=caller.address), expires_at)


class _Token:
    """A new token: its text, for the client, and its digest, for the database."""

    def __init__(self) -> None:
        # hexadecimal: a command line cannot take it for an option
        self.text = secrets.token_hex(_TOKEN_BYTES)
        self.digest = _digest(self.text)


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
