"""Accounts: registration, signing in and out, tokens, and the subcommand for operators."""

import hashlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import argon2
import pytest

from busware.server.accounts.passwords import Passwords
from busware.server.settings import Settings
from tests.conftest import Clock, Database, LineClient
from tests.support.project import PROJECT

pytestmark = [pytest.mark.database, pytest.mark.settings(password_wait_seconds=60)]

ASHA = {"username": "asha", "password": "correct horse battery"}
RAVI = {"username": "ravi", "password": "staple of the day"}
TRIP = {"bus_id": 1, "travel_date": "2026-12-02", "origin": "Bengaluru", "destination": "Mysuru"}


def reason(reply: Any) -> str:
    return str(reply["data"]["reason"])


# Signing in ------------------------------------------------------------------------------------


def test_a_traveller_registers_and_is_signed_in(client_socket: LineClient, database: Database) -> None:
    reply = client_socket.call("register", **ASHA, phone="98450 12345")
    assert reply == {
        "token": reply["token"],
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
def test_a_wrong_password_or_token_is_refused(
    client_socket: LineClient, connect: Callable[[], LineClient], wrong: dict[str, str]
) -> None:
    client_socket.call("register", **ASHA)
    assert reason(connect().call("login", **wrong)) == "wrong_password"


def test_an_unknown_username_gets_the_same_reply_as_a_wrong_password(client_socket: LineClient) -> None:
    client_socket.call("register", **ASHA)
    known = client_socket.call("login", username="asha", password="something else")
    assert client_socket.call("login", username="nobody", password="something else") == known


def test_an_unknown_username_costs_a_hash_with_the_same_parameters() -> None:
    passwords = Passwords(memory_mib=2)
    dummy = passwords.dummy_hash
    assert not passwords.is_outdated(dummy)
    for unusable in (None, "none"):
        hashed = passwords.hash_like(unusable, "something else")
        assert hashed.rpartition("$")[0] == dummy.rpartition("$")[0]
        assert hashed != dummy


def test_new_hashes_have_the_parameters_of_the_settings() -> None:
    memory = Settings().password_memory_mib
    hashed = Passwords(memory).hash("something else")
    assert hashed.split("$")[3] == "m=65536,t=3,p=4"  # RFC 9106, section 4
    assert Passwords(memory + 1).is_outdated(hashed)


def test_a_hash_is_computed_again_from_its_parameters_and_salt() -> None:
    passwords = Passwords(memory_mib=1)
    for hasher in (argon2.PasswordHasher(), argon2.PasswordHasher(1, 1024, 1, 20, 11, type=argon2.Type.I)):
        hashed = hasher.hash("M\u00fcller")
        start, _, digest = hashed.rpartition("$")
        assert passwords.hash_like(f"{start}${'A' * len(digest)}", "Mu\u0308ller") == hashed


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
def test_a_wrong_field_is_named(client_socket: LineClient, method: str, params: Any, field: str) -> None:
    data = client_socket.call(method, **params)["data"]
    assert (data["reason"], data["field"]) == ("bad_request", field)


def test_usernames_are_compared_in_normalized_form(client_socket: LineClient) -> None:
    client_socket.call("register", username="Ünal Ⅳ", password="long enough")
    for same in ("ünal iv", "U\u0308NAL IV"):
        assert (
            reason(client_socket.call("register", username=same, password="long enough")) == "username_taken"
        )
        assert client_socket.call("login", username=same, password="long enough")["username"] == "ünal iv"


@pytest.mark.parametrize("username", ["as\u200bha", "asha\u202e", "\u3164", "\u0301", "asha\ufe0f"])
def test_username_with_hidden_characters_is_refused(client_socket: LineClient, username: str) -> None:
    client_socket.call("register", **ASHA)
    data = client_socket.call("register", username=username, password="long enough")["data"]
    assert (data["reason"], data["field"]) == ("bad_request", "username")


def test_account_that_has_a_username_with_hidden_characters_can_sign_in(
    client_socket: LineClient, database: Database
) -> None:
    client_socket.call("register", **ASHA)
    database.query(
        "INSERT INTO accounts (username, password_hash, created_at) "
        "SELECT U&'as\\200Bha', password_hash, created_at FROM accounts"
    )
    reply = client_socket.call("login", username="As\u200bha", password=ASHA["password"])
    assert reply["username"] == "as\u200bha"


def test_only_one_of_simultaneous_registrations_of_a_username_succeeds(
    connect: Callable[[], LineClient],
) -> None:
    clients, replies = [connect() for _ in range(4)], []
    threads = [
        threading.Thread(target=lambda client=client: replies.append(client.call("register", **ASHA)))
        for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reason(reply) for reply in replies if "token" not in reply] == 3 * ["username_taken"]


# Signing out -----------------------------------------------------------------------------------


def test_a_logout_revokes_the_token(client_socket: LineClient, connect: Callable[[], LineClient]) -> None:
    token = client_socket.call("register", **ASHA)["token"]
    other = connect()
    other.call("login", token=token)
    assert client_socket.call("logout") == {}
    assert reason(client_socket.call("bookings")) == "not_signed_in"
    assert client_socket.call("places")["places"]  # as a guest
    assert reason(other.call("places")) == "not_signed_in"  # not executed as a guest
    assert reason(other.call("login", token=token)) == "wrong_password"
    assert other.call("login", **ASHA)["username"] == "asha"


def test_a_logout_everywhere_revokes_all_tokens_of_the_account(
    client_socket: LineClient, connect: Callable[[], LineClient]
) -> None:
    client_socket.call("register", **ASHA)
    other, ravi = connect(), connect()
    other.call("login", **ASHA)
    ravi.call("register", **RAVI)
    client_socket.call("logout", everywhere=True)
    assert reason(other.call("bookings")) == "not_signed_in"
    assert ravi.call("bookings") == {"bookings": []}


def test_a_token_is_hexadecimal(client_socket: LineClient) -> None:
    assert re.fullmatch("[0-9a-f]{64}", client_socket.call("register", **ASHA)["token"])


@pytest.mark.settings(token_recheck_seconds=1e-6)
def test_a_token_revoked_by_another_process_is_refused(client_socket: LineClient, database: Database) -> None:
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
    assert server.pool.execute("SELECT api.purge_tokens_and_attempts(interval '15 minutes')") == [(1,)]
    assert database.value("SELECT count(*) FROM tokens") == 0


@pytest.mark.settings(tokens_per_account=2)
def test_the_oldest_token_beyond_the_limit_is_revoked(client_socket: LineClient, clock: Clock) -> None:
    tokens = [client_socket.call("register", **ASHA)["token"]]
    for _ in range(2):
        clock.advance(seconds=1)
        tokens.append(client_socket.call("login", **ASHA)["token"])
    replies = [client_socket.call("login", token=token) for token in tokens]
    assert ["token" in reply for reply in replies] == [False, True, True]


@pytest.mark.settings(password_memory_mib=64)
def test_the_database_stores_hashes_only(client_socket: LineClient, database: Database) -> None:
    token = client_socket.call("register", **ASHA)["token"]
    stored = database.value("SELECT password_hash FROM accounts")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert database.query("SELECT digest FROM tokens") == [hashlib.sha256(token.encode()).digest()]
    everything = database.query("SELECT accounts::text FROM accounts") + database.query(
        "SELECT tokens::text FROM tokens"
    )
    assert not any(ASHA["password"] in row or token in row for row in everything)


@pytest.mark.settings(password_memory_mib=64)
def test_an_outdated_hash_is_replaced_at_sign_in(client_socket: LineClient, database: Database) -> None:
    client_socket.call("register", **ASHA)
    old = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(ASHA["password"])
    database.query("UPDATE accounts SET password_hash = %s", old)
    assert "token" in client_socket.call("login", **ASHA)
    assert "m=65536,t=3,p=4" in database.value("SELECT password_hash FROM accounts")
    assert "token" in client_socket.call("login", **ASHA)


# Operator accounts -----------------------------------------------------------------------------


def operator(database: Database, *arguments: str, password: str = "keys of the depot\n") -> tuple[int, str]:
    """`python -m server operator …`: its exit status and its output."""
    done = subprocess.run(
        [sys.executable, "-m", "server", "operator", *arguments],
        input=password, text=True, cwd=PROJECT, capture_output=True, check=False,
        env={"PATH": "/usr/bin:/bin", "DATABASE_URL": database.server, "BUSWARE_OWNER_URL": database.owner},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_operator_accounts_are_created(database: Database, client_socket: LineClient) -> None:
    output = 'The account "boss" was created. It runs all services (admin).\n'
    assert operator(database, "add", "Boss", "--admin") == (0, output)
    output = 'The account "depot" was created. It runs the services of KSRTC.\n'
    assert operator(database, "add", "depot", "--operator", "ksrtc") == (0, output)
    reply = client_socket.call("login", username="boss", password="keys of the depot")
    assert (reply["role"], "operator" in reply) == ("admin", False)
    reply = client_socket.call("login", username="depot", password="keys of the depot")
    assert (reply["role"], reply["operator"]) == ("operator", "KSRTC")
    assert [trip["bus_id"] for trip in client_socket.call("trips", date="2026-12-02")["trips"]] == [1]


def test_invalid_operator_accounts_are_refused(database: Database) -> None:
    output = 'The account "boss" was created. It runs all services (admin).\n'
    assert operator(database, "add", "boss") == (0, output)  # the first account is an admin
    output = 'busware: The account "boss" exists already.\n'
    assert operator(database, "add", "BOSS", "--admin") == (1, output)
    output = 'busware: No service is run by "Nobody Travels". Operators: KSRTC, SRS Travels.\n'
    assert operator(database, "add", "depot", "--operator", "Nobody Travels") == (1, output)
    status, output = operator(database, "add", "depot", "--admin", password="short\n")
    assert (status, output) == (1, "busware: The password is too short: it needs at least 8 characters.\n")
    status, output = operator(database, "add", "depot", "--admin", password="x" * 257)
    assert (status, output) == (1, "busware: password takes a password of up to 256 characters.\n")
    assert operator(database, "add", " ", "--admin")[0] == 1
    output = "busware: Give --operator OPERATOR, --agent OPERATOR, or --admin for all services.\n"
    assert operator(database, "add", "depot") == (1, output)
    assert operator(database, "add", "x", "--admin", "--operator", "KSRTC")[0] == 2
    status, output = operator(database, "add", "x", "--any")
    assert (status, output.splitlines()) == (
        2,
        [
            "usage: scripts/start operator add [-h]",
            "                                  [--operator OPERATOR | --admin | --agent OPERATOR]",
            "                                  NAME",
            "scripts/start operator add: unrecognized arguments: --any",
            "scripts/start operator add --help explains the arguments.",
        ],
    )
    assert database.query("SELECT username FROM accounts") == ["boss"]


def test_agent_signs_in_and_sells_for_its_operator(database: Database, client_socket: LineClient) -> None:
    assert operator(database, "add", "boss") == (
        0,
        'The account "boss" was created. It runs all services (admin).\n',
    )
    created = 'The account "kumar" was created. It sells tickets of KSRTC (agent).\n'
    assert operator(database, "add", "kumar", "--agent", "ksrtc") == (0, created)
    session = client_socket.call("login", username="kumar", password="keys of the depot")
    assert (session["role"], session["operator"]) == ("agent", "KSRTC")
    trip = {"bus_id": 1, "travel_date": "2026-12-05", "origin": "Bengaluru", "destination": "Mysuru"}
    held = client_socket.call("hold", **trip, seats=[1], phone="98450 12345")
    booked = client_socket.call("confirm", reference=held["reference"])
    assert booked["status"] == "booked"
    assert client_socket.call("settlement")["charges"] == "260.00"
    assert client_socket.call("cancel", reference=held["reference"])["refund"] == "130.00"
    assert client_socket.call("bookings")["bookings"] == []
    assert database.query("SELECT DISTINCT phone, account, sold_by FROM passengers") == [
        ("+919845012345", None, "kumar")
    ]


@pytest.mark.settings(token_recheck_seconds=1e-6)
def test_a_changed_password_signs_the_account_out(database: Database, client_socket: LineClient) -> None:
    client_socket.call("register", **ASHA)
    assert operator(database, "password", "asha")[0] == 0
    assert reason(client_socket.call("bookings")) == "not_signed_in"
    assert reason(client_socket.call("login", **ASHA)) == "wrong_password"
    assert "token" in client_socket.call("login", username="asha", password="keys of the depot")
    assert operator(database, "password", "nobody") == (1, 'busware: There is no account "nobody".\n')


def test_a_password_is_not_logged(
    client_socket: LineClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.query("DROP FUNCTION api.register(text, text, text, bytea, interval, int, text, text)")
    assert client_socket.call("register", **ASHA)["code"] == -32603
    client_socket.send({"jsonrpc": "2.0", "id": 1, "method": "register", "params": {**ASHA, "oops": 1}})
    assert ASHA["password"] not in json.dumps(json.loads(client_socket.receive()))
    assert ASHA["password"] not in caplog.text
