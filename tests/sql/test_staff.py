"""Staff accounts: who may add and change which, and what a change ends.

kumar, latha and meera are accounts of KSRTC, other is one of SRS Travels, root is an admin, asha a traveller.
"""

import psycopg
import pytest

from tests.conftest import Database
from tests.support.counter import add_counter, sell
from tests.support.race import Race
from tests.support.schema_api import SchemaApi
from tests.support.staff import put_staff, staff, token_digest

KSRTC, SRS = "KSRTC", "SRS Travels"
WAYS_TO_CHANGE = [{"active": False}, {"role": "agent"}, {"reset_password": True}]


@pytest.fixture
def api(counter: SchemaApi) -> SchemaApi:
    """The database with these accounts."""
    counter.conn.execute("SELECT api.register('asha', 'hash', NULL, NULL, NULL, NULL)")
    return counter


def sign_in(api: SchemaApi, username: str, token: str) -> None:
    """Store a session of an account."""
    api.conn.execute("SELECT api.store_token(%s, %s, interval '1 day', 50)", (username, token_digest(token)))


def session(api: SchemaApi, token: str) -> list[tuple[object, ...]]:
    """The account of a session, as servers read it."""
    return api.conn.execute(
        "SELECT username, role, operator FROM api.session(%s)", (token_digest(token),)
    ).fetchall()


def test_operator_sees_the_accounts_of_its_operator_and_an_admin_all(api: SchemaApi) -> None:
    own = [("kumar", "agent", KSRTC), ("latha", "agent", KSRTC), ("meera", "operator", KSRTC)]
    assert staff(api) == own
    assert staff(api, "root", operator=KSRTC) == own
    assert staff(api, "root") == [*own, ("other", "operator", SRS), ("root", "admin", None)]
    assert api.read("staff", account="meera", operator=SRS)["reason"] == "not_yours"
    assert api.read("staff", account="kumar")["reason"] == "not_allowed"


def test_staff_is_listed_in_pages(api: SchemaApi) -> None:
    first = api.read("staff", account="meera", limit=2)
    assert [one["username"] for one in first["staff"]] == ["kumar", "latha"]
    rest = api.read("staff", account="meera", limit=2, after=first["next"])
    assert [one["username"] for one in rest["staff"]] == ["meera"]
    assert "next" not in rest


def test_new_account_gets_a_token_and_no_password(api: SchemaApi) -> None:
    added = put_staff(api, "ravi", role="operator")
    times = {"created_at": "2026-12-01T03:30:00+00:00", "changed_at": "2026-12-01T03:30:00+00:00"}
    assert added == {
        "username": "ravi",
        "role": "operator",
        "operator": KSRTC,
        "active": True,
        "has_password": False,
        "changed_by": "meera",
        "reset_expires_at": "2026-12-03T03:30:00+00:00",
        **times,
    }
    done = api.conn.execute(
        "SELECT username, role, operator FROM api.reset_password(%s, 'hash', %s, interval '1 day', 50)",
        (token_digest("t1"), token_digest("session")),
    ).fetchall()
    assert done == [("ravi", "operator", KSRTC)] == session(api, "session")
    again = put_staff(api, "ravi", token="t2")
    assert (again["has_password"], "reset_expires_at" in again) == (True, False)
    assert session(api, "session"), "a request that changes nothing ends no session"


def test_repeated_request_changes_nothing(api: SchemaApi, database: Database) -> None:
    for token in ("t1", "t1", "t2"):  # t1 twice: the connection was lost after the commit
        assert "reset_expires_at" in put_staff(api, "ravi", role="agent", token=token)
    assert database.value("SELECT count(*) FROM staff_changes") == 1
    assert database.value("SELECT count(*) FROM password_resets") == 2


def test_new_agent_may_sell(api: SchemaApi) -> None:
    put_staff(api, "ravi", role="agent")
    assert sell(api, 1, sold_by="ravi")["status"] == "booked"


@pytest.mark.parametrize("username", ["asha", "other", "root"])
@pytest.mark.parametrize("args", [{"role": "operator"}, {"reset_password": True}, {"active": False}])
def test_accounts_of_others_and_of_travellers_are_taken(
    api: SchemaApi, database: Database, username: str, args: dict[str, object]
) -> None:
    before = database.query("SELECT accounts::text FROM accounts")
    assert put_staff(api, username, **args)["reason"] == "username_taken"
    assert database.query("SELECT accounts::text FROM accounts") == before


def test_admin_does_not_change_a_traveller_either(api: SchemaApi) -> None:
    assert put_staff(api, "asha", "root", role="admin")["reason"] == "username_taken"


def test_nobody_gives_rights_that_it_does_not_have(api: SchemaApi) -> None:
    for username in ("ravi", "kumar"):
        assert put_staff(api, username, role="admin")["reason"] == "not_allowed"
        assert put_staff(api, username, role="operator", operator=SRS)["reason"] == "not_yours"
        assert put_staff(api, username, "kumar", role="agent")["reason"] == "not_allowed"
        assert put_staff(api, username, "asha", role="agent")["reason"] == "not_allowed"
    assert staff(api)[0] == ("kumar", "agent", KSRTC)
    assert put_staff(api, "ravi", "root", role="admin")["role"] == "admin"


def test_fields_are_checked(api: SchemaApi) -> None:
    for args, field in (
        ({}, "role"),
        ({"role": "operator"}, "operator"),
        ({"role": "operator", "operator": "Nobody"}, "operator"),
        ({"role": "admin", "operator": KSRTC}, "operator"),
    ):
        refused = put_staff(api, "ravi", "root", **args)
        assert (refused["reason"], refused["field"]) == ("bad_request", field)


@pytest.mark.parametrize("args", WAYS_TO_CHANGE)
@pytest.mark.parametrize("account", ["meera", "root"])
def test_own_account_is_not_changed(api: SchemaApi, account: str, args: dict[str, object]) -> None:
    operator = {"operator": KSRTC} if account == "root" and "role" in args else {}
    sign_in(api, account, "s")
    assert put_staff(api, account, account, **args, **operator)["reason"] == "own_account"
    assert session(api, "s")
    assert put_staff(api, account, account)["username"] == account


@pytest.mark.parametrize("args", WAYS_TO_CHANGE)
def test_change_ends_the_sessions_of_the_account(api: SchemaApi, args: dict[str, object]) -> None:
    put_staff(api, "ravi", role="operator")
    sign_in(api, "ravi", "s")
    put_staff(api, "ravi", **args)
    assert session(api, "s") == []


def test_disabled_account_does_nothing(api: SchemaApi, database: Database) -> None:
    put_staff(api, "ravi", role="operator")
    put_staff(api, "ravi", active=False)
    put_staff(api, "kumar", active=False)
    assert database.value("SELECT count(*) FROM password_resets") == 0
    # A session that was stored meanwhile, and a server that has not read the account again:
    sign_in(api, "ravi", "s")
    assert session(api, "s") == []
    assert api.read("staff", account="ravi")["reason"] == "not_allowed"
    assert api.read("manifest", account="ravi", bus_id=1, travel_date="2026-12-02")["reason"] == "not_yours"
    assert sell(api, 1)["reason"] == "not_an_agent"
    signed_in = (
        "SELECT role FROM api.sign_in(%s, %s, NULL, interval '1 day', 50, 'here', '{9,9,9}', '1 hour')"
    )
    assert api.conn.execute(signed_in, ("kumar", "")).fetchall() == [(None,)]
    put_staff(api, "kumar", active=True)
    assert api.conn.execute(signed_in, ("kumar", "")).fetchall() == [("agent",)]
    assert sell(api, 1)["status"] == "booked"


def test_disabled_account_gets_no_mail_for_a_new_password(api: SchemaApi, database: Database) -> None:
    api.conn.execute("SELECT api.set_email('kumar', 'kumar@example.org', 'en')")
    put_staff(api, "kumar", active=False)
    api.conn.execute("SELECT * FROM api.request_reset('kumar', 'here', '{9,9}')")
    assert database.value("SELECT count(*) FROM outbox") == 0
    start = "SELECT email FROM api.start_reset('kumar', %s, interval '1 hour')"
    assert api.conn.execute(start, (token_digest("t"),)).fetchall() == []


def test_agent_with_another_role_sells_no_more_and_keeps_its_operator(api: SchemaApi) -> None:
    put_staff(api, "kumar", "root", role="admin")
    sign_in(api, "kumar", "s")
    assert session(api, "s") == [("kumar", "admin", None)]
    assert sell(api, 1)["reason"] == "not_an_agent"
    assert api.read("settlement", account="kumar", operator=KSRTC, agent="latha")["agent"] == "latha"
    refused = put_staff(api, "kumar", "root", role="agent", operator=SRS)
    assert (refused["reason"], refused["field"]) == ("bad_request", "operator")
    put_staff(api, "kumar", "root", role="agent", operator=KSRTC)
    assert sell(api, 1)["status"] == "booked"


def test_changes_are_recorded_and_the_record_stays(api: SchemaApi, database: Database) -> None:
    put_staff(api, "ravi", role="agent")
    put_staff(api, "ravi", "root", role="operator", active=False, reset_password=True)
    assert database.query("SELECT username, account, changes FROM staff_changes ORDER BY change_no") == [
        ("ravi", "meera", {"role": "agent", "operator": KSRTC, "active": True}),
        ("ravi", "root", {"role": "operator", "active": False, "reset_password": True}),
    ]
    for change in ("UPDATE staff_changes SET account = 'other'", "DELETE FROM staff_changes"):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            database.query(change)


def test_two_admins_disable_each_other_and_one_remains(race: Race) -> None:
    add_counter(race.second)
    put_staff(race.second, "boss", "root", role="admin")
    assert put_staff(race.first, "boss", "root", active=False)["active"] is False
    waiting = race.start(lambda: put_staff(race.second, "root", "boss", active=False)["reason"])
    assert race.then_commit(waiting) == "not_allowed"
    assert race.database.query("SELECT username FROM accounts WHERE role = 'admin' AND active") == ["root"]


def test_new_account_and_registration_of_one_username(race: Race) -> None:
    add_counter(race.second)
    race.first.conn.execute("SELECT api.register('ravi', 'hash', NULL, NULL, NULL, NULL)")
    waiting = race.start(lambda: put_staff(race.second, "ravi", role="operator")["reason"])
    assert race.then_commit(waiting) == "username_taken"
    assert race.database.query("SELECT role, password_hash FROM accounts WHERE username = 'ravi'") == [
        ("traveller", "hash")
    ]
