"""Accounts that operators add, change and disable, over both ports. tests/sql/test_staff.py has the rules."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Database, LineClient
from tests.support.http_client import HttpClient
from tests.support.operator_visitor import AddAccount

PASSWORD = "keys of the depot"
# No session is read again within the time of a test.
pytestmark = [
    pytest.mark.database,
    pytest.mark.settings(password_wait_seconds=60, token_recheck_seconds=3600),
]


@pytest.fixture
def boss(client_socket: LineClient, database: Database, add_account: AddAccount) -> LineClient:
    """The connection of an operator of KSRTC."""
    add_account("boss", "KSRTC")
    assert (
        client_socket.call("login", username="boss", password="correct horse battery")["operator"] == "KSRTC"
    )
    return client_socket


def reason(reply: Any) -> str:
    return str(reply["data"]["reason"])


def add_conductor(boss: LineClient, line: LineClient) -> str:
    """Add an account, and set its password on a connection. Returns the token of its session."""
    added = boss.call("put_staff", username="Ravi", role="operator")
    assert (added["username"], added["has_password"]) == ("ravi", False)
    session = line.call("reset_password", reset_token=added["reset_token"], password=PASSWORD)
    assert (session["username"], session["role"], session["operator"]) == ("ravi", "operator", "KSRTC")
    return str(session["token"])


def test_new_account_sets_its_password_once_and_works(
    boss: LineClient, connect: Callable[[], LineClient]
) -> None:
    ravi, other = connect(), connect()
    token = boss.call("put_staff", username="ravi", role="operator")["reset_token"]
    assert reason(ravi.call("login", username="ravi", password=PASSWORD)) == "wrong_password"
    assert "token" in ravi.call("reset_password", reset_token=token, password=PASSWORD)
    assert reason(other.call("reset_password", reset_token=token, password=PASSWORD)) == "wrong_password"
    assert [trip["bus_id"] for trip in ravi.call("trips", date="2026-12-02")["trips"]] == [1]
    assert other.call("login", username="ravi", password=PASSWORD)["role"] == "operator"
    (one,) = [one for one in boss.call("staff")["staff"] if one["username"] == "ravi"]
    assert (one["has_password"], "reset_token" in one) == (True, False)


@pytest.mark.parametrize("change", [{"active": False}, {"role": "agent"}, {"reset_password": True}])
def test_change_ends_sessions_at_once_over_both_ports(
    boss: LineClient, connect: Callable[[], LineClient], http: HttpClient, change: dict[str, Any]
) -> None:
    ravi = connect()
    token = add_conductor(boss, ravi)
    assert "trips" in ravi.call("trips")
    assert http.call("GET", "/v1/operator/trips", token=token).status_code == 200
    boss.call("put_staff", username="ravi", **change)
    assert reason(ravi.call("trips")) == "not_signed_in"
    assert http.call("GET", "/v1/operator/trips", token=token).status_code == 401
    assert ("token" in connect().call("login", username="ravi", password=PASSWORD)) is ("role" in change)


def test_username_that_looks_like_another_one_is_refused(boss: LineClient) -> None:
    data = boss.call("put_staff", username="bo\u200bss", role="operator")["data"]
    assert (data["reason"], data["field"]) == ("bad_request", "username")


def test_token_is_stored_and_logged_nowhere(
    boss: LineClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = boss.call("put_staff", username="ravi", role="operator")["reset_token"]
    database.query("ALTER FUNCTION api.put_staff(jsonb, bytea, interval) RENAME TO put_staff_elsewhere")
    assert boss.call("put_staff", username="ravi", reset_password=True)["code"] == -32603
    assert token not in caplog.text
    for table in ("accounts", "tokens", "password_resets", "staff_changes", "idempotency_keys"):
        assert token not in str(database.query(f"SELECT t::text FROM {table} t"))
