"""Accounts: registering, signing in and out, tokens, limits on attempts, and the operators' command."""

import hashlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from busware.server.accounts.passwords import DUMMY_HASH, Passwords
from busware.server.accounts.rate_limits import address_subject
from busware.server.booking.operations import Operations
from busware.server.protocol import Caller, Refusal
from busware.server.settings import Settings
from tests.conftest import Clock, Database, LineClient
from tests.support.http_client import HttpClient
from tests.support.project import PROJECT

pytestmark = [pytest.mark.database, pytest.mark.settings(password_wait_seconds=60)]

ASHA = {"username": "asha", "password": "correct horse battery"}
RAVI = {"username": "ravi", "password": "staple of the day"}
TRIP = {"bus_id": 1, "travel_date": "2026-12-02", "origin": "Bengaluru", "destination": "Mysuru"}


def reason(told: Any) -> str:
    return str(told["data"]["reason"])


# Signing in ------------------------------------------------------------------------------------


def test_a_traveller_registers_and_is_signed_in(client_socket: LineClient, database: Database) -> None:
    told = client_socket.call("register", **ASHA, phone="98450 12345")
    assert told == {
        "token": told["token"],
        "username": "asha",
        "role": "traveller",
        "expires_at": "2026-12-31T03:30:00+00:00",
    }
    booked = client_socket.call("book", **TRIP, count=1)
    assert booked["status"] == "booked"
    assert client_socket.call("booking", reference=booked["reference"]) == booked
    assert client_socket.call("bookings") == {"bookings": [booked]}
    assert database.query("SELECT account, phone FROM passengers") == [("asha", None)]


def test_a_token_signs_in_again(client_socket: LineClient, connect: Callable[[], LineClient]) -> None:
    token = client_socket.call("register", **ASHA)["token"]
    again = connect()
    assert reason(again.call("bookings")) == "not_signed_in"
    assert again.call("login", token=token)["username"] == "asha"
    assert again.call("bookings") == {"bookings": []}


def test_a_password_signs_in(client_socket: LineClient, connect: Callable[[], LineClient]) -> None:
    first = client_socket.call("register", **ASHA)["token"]
    again = connect()
    second = again.call("login", username=" Asha ", password=ASHA["password"])["token"]
    assert second != first
    assert again.call("bookings") == {"bookings": []}


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": "asha", "password": "incorrect horse"},
        {"username": "asha", "password": ASHA["password"] + " "},
        {"username": "asha", "password": ASHA["password"].upper()},
        {"username": "nobody", "password": ASHA["password"]},
        {"token": "A" * 43},
        {"token": "'; DROP TABLE tokens"},
    ],
)
def test_wrong_is_wrong(
    client_socket: LineClient, connect: Callable[[], LineClient], wrong: dict[str, str]
) -> None:
    client_socket.call("register", **ASHA)
    assert reason(connect().call("login", **wrong)) == "wrong_password"


def test_nobody_and_somebody_are_told_the_same(client_socket: LineClient) -> None:
    client_socket.call("register", **ASHA)
    known = client_socket.call("login", username="asha", password="something else")
    assert client_socket.call("login", username="nobody", password="something else") == known


def test_an_unknown_username_costs_a_hash_with_the_same_parameters() -> None:
    passwords = Passwords(at_once=1, wait_seconds=1)
    assert not passwords.is_outdated(DUMMY_HASH)
    assert not passwords.matches(None, "something else")


@pytest.mark.parametrize(
    ("method", "params", "field"),
    [
        ("register", {"username": "asha"}, "password"),
        ("register", {"username": "asha", "password": "short"}, "password"),
        ("register", {"username": "asha", "password": "x" * 257}, "password"),
        ("register", {"username": " ", "password": "long enough"}, "username"),
        ("register", {"username": "x" * 65, "password": "long enough"}, "username"),
        ("register", {"username": "a\u0000b", "password": "long enough"}, "username"),
        ("register", {"username": "asha", "password": "long enough", "phone": "12"}, "phone"),
        ("register", {"username": "asha", "password": "long enough", "role": "admin"}, "role"),
        ("login", {}, "username"),
        ("login", {"username": "asha"}, "password"),
        ("login", {"username": "asha", "password": "long enough", "token": "x"}, "token"),
        ("book", {**TRIP, "count": 1, "account": "asha"}, "account"),
    ],
)
def test_what_is_wrong_is_named(client_socket: LineClient, method: str, params: Any, field: str) -> None:
    data = client_socket.call(method, **params)["data"]
    assert (data["reason"], data["field"]) == ("bad_request", field)


def test_a_username_is_one_in_any_case_and_from_any_keyboard(client_socket: LineClient) -> None:
    client_socket.call("register", username="Ünal Ⅳ", password="long enough")
    for same in ("ünal iv", "U\u0308NAL IV"):
        assert (
            reason(client_socket.call("register", username=same, password="long enough")) == "username_taken"
        )
        assert client_socket.call("login", username=same, password="long enough")["username"] == "ünal iv"


def test_two_register_one_name_at_once(connect: Callable[[], LineClient]) -> None:
    lines, told = [connect() for _ in range(4)], []
    threads = [
        threading.Thread(target=lambda one=one: told.append(one.call("register", **ASHA))) for one in lines
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reason(one) for one in told if "token" not in one] == 3 * ["username_taken"]


# Signing out -----------------------------------------------------------------------------------


def test_a_logout_ends_the_token(client_socket: LineClient, connect: Callable[[], LineClient]) -> None:
    token = client_socket.call("register", **ASHA)["token"]
    other = connect()
    other.call("login", token=token)
    assert client_socket.call("logout") == {}
    assert reason(client_socket.call("bookings")) == "not_signed_in"
    assert client_socket.call("places")["places"]  # as a guest
    assert reason(other.call("places")) == "not_signed_in"  # whoever thinks to be signed in is told
    assert reason(other.call("login", token=token)) == "wrong_password"
    assert other.call("login", **ASHA)["username"] == "asha"


def test_a_logout_everywhere(client_socket: LineClient, connect: Callable[[], LineClient]) -> None:
    client_socket.call("register", **ASHA)
    other, ravi = connect(), connect()
    other.call("login", **ASHA)
    ravi.call("register", **RAVI)
    client_socket.call("logout", everywhere=True)
    assert reason(other.call("bookings")) == "not_signed_in"
    assert ravi.call("bookings") == {"bookings": []}


def test_no_token_looks_like_an_option_of_a_command_line(client_socket: LineClient) -> None:
    assert re.fullmatch("[0-9a-f]{64}", client_socket.call("register", **ASHA)["token"])


@pytest.mark.settings(token_recheck_seconds=1e-6)
def test_a_token_that_another_process_revoked(client_socket: LineClient, database: Database) -> None:
    client_socket.call("register", **ASHA)
    database.query("DELETE FROM tokens")
    assert reason(client_socket.call("bookings")) == "not_signed_in"


@pytest.mark.settings(token_recheck_seconds=1e-6, token_hours=1)
def test_a_token_expires(
    client_socket: LineClient, clock: Clock, database: Database, server: SimpleNamespace
) -> None:
    token = client_socket.call("register", **ASHA)["token"]
    clock.advance(minutes=59)
    assert client_socket.call("login", token=token)["expires_at"] == "2026-12-01T04:30:00+00:00"
    clock.advance(minutes=1)
    assert reason(client_socket.call("bookings")) == "not_signed_in"
    assert reason(client_socket.call("login", token=token)) == "wrong_password"
    assert server.pool.execute("SELECT api.purge_accounts(interval '15 minutes')") == [(1,)]
    assert database.value("SELECT count(*) FROM tokens") == 0


@pytest.mark.settings(tokens_per_account=2)
def test_an_account_has_so_many_tokens(client_socket: LineClient, clock: Clock) -> None:
    tokens = [client_socket.call("register", **ASHA)["token"]]
    for _ in range(2):
        clock.advance(seconds=1)
        tokens.append(client_socket.call("login", **ASHA)["token"])
    told = [client_socket.call("login", token=token) for token in tokens]
    assert ["token" in one for one in told] == [False, True, True]


def test_what_is_kept_gives_nobody_away(client_socket: LineClient, database: Database) -> None:
    token = client_socket.call("register", **ASHA)["token"]
    kept = database.value("SELECT password_hash FROM accounts")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert database.query("SELECT digest FROM tokens") == [hashlib.sha256(token.encode()).digest()]
    everything = database.query("SELECT accounts::text FROM accounts") + database.query(
        "SELECT tokens::text FROM tokens"
    )
    assert not any(ASHA["password"] in row or token in row for row in everything)


def test_a_hash_of_old_is_made_anew(client_socket: LineClient, database: Database) -> None:
    import argon2

    client_socket.call("register", **ASHA)
    old = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(ASHA["password"])
    database.query("UPDATE accounts SET password_hash = %s", old)
    assert "token" in client_socket.call("login", **ASHA)
    assert "m=65536,t=3,p=4" in database.value("SELECT password_hash FROM accounts")
    assert "token" in client_socket.call("login", **ASHA)


# Limits ----------------------------------------------------------------------------------------


@pytest.mark.settings(attempts_per_account=3, attempt_minutes=10)
def test_passwords_are_not_guessed(
    client_socket: LineClient, connect: Callable[[], LineClient], clock: Clock
) -> None:
    client_socket.call("register", **ASHA)
    guess = {"username": "asha", "password": "a guess of it"}
    assert [reason(connect().call("login", **guess)) for _ in range(3)] == 3 * ["wrong_password"]
    refused = connect().call("login", **ASHA)["data"]  # even the right one
    assert refused == {"reason": "not_allowed", "limit": 3, "retry_after": 600}
    assert client_socket.call("bookings") == {"bookings": []}  # who is signed in goes on
    clock.advance(minutes=10)
    assert "token" in connect().call("login", **ASHA)


@pytest.mark.settings(attempts_per_account=3)
def test_a_name_that_nobody_has_is_limited_in_the_same_way(client_socket: LineClient) -> None:
    guess = {"username": "nobody", "password": "a guess of it"}
    told = [reason(client_socket.call("login", **guess)) for _ in range(4)]
    assert told == [*3 * ["wrong_password"], "not_allowed"]


@pytest.mark.settings(attempts_per_address=3)
def test_an_address_is_limited(client_socket: LineClient, http: HttpClient) -> None:
    """Over both faces together."""
    client_socket.call("login", username="a", password="guess")
    http.call("POST", "/v1/sessions", json={"username": "b", "password": "guess"})
    client_socket.call("booking", reference="BAAAAA", phone="9845012345")
    assert reason(client_socket.call("login", username="c", password="guess")) == "not_allowed"
    assert http.call("GET", "/v1/bookings/BAAAAB?phone=9845012345").status_code == 429


@pytest.mark.settings(attempts_per_booking=2)
@pytest.mark.parametrize("signed_in", [False, True])
def test_no_phone_of_a_booking_is_guessed(
    connect: Callable[[], LineClient], clock: Clock, signed_in: bool
) -> None:
    owner, stranger = connect(), connect()
    if signed_in:
        stranger.call("register", **RAVI)
    booked = owner.call("book", **TRIP, count=1, phone="98450 12345")
    opened = {"reference": booked["reference"], "phone": "98450 12345"}
    for phone in ("98450 12346", "98450 12347"):
        assert reason(stranger.call("booking", **{**opened, "phone": phone})) == "unknown_booking"
    assert reason(stranger.call("booking", **opened)) == "not_allowed"
    assert reason(stranger.call("cancel", **opened)) == "not_allowed"
    clock.advance(minutes=15)
    assert stranger.call("booking", **opened) == booked


@pytest.mark.settings(attempts_per_booking=2)
def test_an_owner_is_not_locked_out_by_others(connect: Callable[[], LineClient]) -> None:
    owner, stranger = connect(), connect()
    owner.call("register", **ASHA)
    booked = owner.call("book", **TRIP, count=1)
    for _ in range(3):
        stranger.call("booking", reference=booked["reference"], phone="98450 12346")
    assert owner.call("booking", reference=booked["reference"]) == booked


@pytest.mark.settings(attempts_per_booking=2)
def test_a_ticket_that_is_none_is_no_guess(client_socket: LineClient) -> None:
    booked = client_socket.call("book", **TRIP, count=1, phone="98450 12345")
    opened = {"reference": booked["reference"], "phone": "98450 12345"}
    for _ in range(4):
        assert reason(client_socket.call("cancel_quote", **opened, tickets=[7])) == "unknown_booking"


@pytest.mark.settings(attempts_per_account=4)
def test_the_limits_hold_for_all_processes_together(server: SimpleNamespace, settings: Settings) -> None:
    from busware.server.protocol import Login

    processes = [Operations(server.pool, server.writer, settings) for _ in range(3)]
    guess = Login(username="asha", password="a guess of it")
    told = []
    for n in range(6):
        with pytest.raises(Refusal) as refused:
            processes[n % 3].perform(guess, Caller(address=f"10.0.0.{n}"))
        told.append(refused.value.reason)
    assert told == [*4 * ["wrong_password"], *2 * ["not_allowed"]]


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("127.0.0.1", "address:127.0.0.1"),
        ("::ffff:10.1.2.3", "address:10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::"),
        ("2001:db8:1:2::9", "address:2001:db8:1:2::"),
        ("", "address:"),
    ],
)
def test_whom_an_address_belongs_to(address: str, subject: str) -> None:
    assert address_subject(address) == subject


def test_so_many_hashes_at_once() -> None:
    passwords = Passwords(at_once=1, wait_seconds=0.01)
    with passwords.turn(), pytest.raises(Refusal) as refused, passwords.turn():
        pass
    assert refused.value.reason == "busy"
    with passwords.turn():
        pass


# The operators' command ------------------------------------------------------------------------


def operator(database: Database, *arguments: str, password: str = "keys of the depot\n") -> tuple[int, str]:
    """`python -m server operator …`: its status, and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "server", "operator", *arguments],
        input=password, text=True, cwd=PROJECT, capture_output=True, check=False,
        env={"PATH": "/usr/bin:/bin", "DATABASE_URL": database.server, "BUSWARE_OWNER_URL": database.owner},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_operators_are_made(database: Database, client_socket: LineClient) -> None:
    said = 'The account "boss" was created. It runs all services (admin).\n'
    assert operator(database, "add", "Boss", "--admin") == (0, said)
    said = 'The account "depot" was created. It runs the services of KSRTC.\n'
    assert operator(database, "add", "depot", "--operator", "ksrtc") == (0, said)
    told = client_socket.call("login", username="boss", password="keys of the depot")
    assert (told["role"], "operator" in told) == ("admin", False)
    told = client_socket.call("login", username="depot", password="keys of the depot")
    assert (told["role"], told["operator"]) == ("operator", "KSRTC")
    assert [trip["bus_id"] for trip in client_socket.call("trips", date="2026-12-02")["trips"]] == [1]


def test_operators_that_are_not_made(database: Database) -> None:
    said = 'The account "boss" was created. It runs all services (admin).\n'
    assert operator(database, "add", "boss") == (0, said)  # the first
    said = 'busware: The account "boss" exists already.\n'
    assert operator(database, "add", "BOSS", "--admin") == (1, said)
    said = 'busware: No service is run by "Nobody Travels". Operators: KSRTC, SRS Travels.\n'
    assert operator(database, "add", "depot", "--operator", "Nobody Travels") == (1, said)
    status, said = operator(database, "add", "depot", "--admin", password="short\n")
    assert (status, said) == (1, "busware: A password has at least 8 characters.\n")
    status, said = operator(database, "add", "depot", "--admin", password="x" * 257)
    assert (status, said) == (1, "busware: password takes a password of up to 256 characters.\n")
    assert operator(database, "add", " ", "--admin")[0] == 1
    said = "busware: Give --operator OPERATOR, or --admin for all services.\n"
    assert operator(database, "add", "depot") == (1, said)
    assert operator(database, "add", "x", "--admin", "--operator", "KSRTC")[0] == 2
    assert database.query("SELECT username FROM accounts") == ["boss"]


@pytest.mark.settings(token_recheck_seconds=1e-6)
def test_a_password_is_changed(database: Database, client_socket: LineClient) -> None:
    client_socket.call("register", **ASHA)
    assert operator(database, "password", "asha")[0] == 0
    assert reason(client_socket.call("bookings")) == "not_signed_in"
    assert reason(client_socket.call("login", **ASHA)) == "wrong_password"
    assert "token" in client_socket.call("login", username="asha", password="keys of the depot")
    assert operator(database, "password", "nobody") == (1, 'busware: There is no account "nobody".\n')


def test_a_password_is_not_logged(
    client_socket: LineClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.query("DROP FUNCTION api.register(text, text, text)")
    assert client_socket.call("register", **ASHA)["code"] == -32603
    client_socket.send({"jsonrpc": "2.0", "id": 1, "method": "register", "params": {**ASHA, "oops": 1}})
    assert ASHA["password"] not in json.dumps(json.loads(client_socket.receive()))
    assert ASHA["password"] not in caplog.text
