"""Rate limits: how long attempts are refused, whose failures count, and that no stored hash is given away."""

from typing import Any

import psycopg
import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import SchemaApi

ADDRESS, OTHER, TARGET = "address:10.0.0.1", "address:10.0.0.2", "account:asha"
HASH = f"$argon2id$v=19$m=65536,t=3,p=4${'c2FsdHNhbHRzYWx0c2Fs'}${'B' * 43}"


@pytest.fixture
def conn(api: SchemaApi) -> psycopg.Connection[Any]:
    """A connection as the server's database role."""
    return api.conn


def fail(conn: psycopg.Connection[Any], address: str = ADDRESS) -> None:
    conn.execute("SELECT api.count_failure(%s, %s, %s)", (address, f"{address} {TARGET}", TARGET))


def refusal(
    conn: psycopg.Connection[Any], address: str = ADDRESS, limits: Any = (None, 3, None)
) -> tuple[int, float] | None:
    """The limit that an attempt has reached, and the seconds to wait, in a period of 15 minutes."""
    return conn.execute(
        "SELECT most, retry_after FROM api.reached_limit(%s, %s, %s, %s::int[], '15 minutes')",
        (address, f"{address} {TARGET}", TARGET, list(limits)),
    ).fetchone()


def sign_in(conn: psycopg.Connection[Any], hashed: str, digest: bytes | None = b"token") -> dict[str, Any]:
    """The values that api.sign_in returns, without NULL."""
    done = conn.execute(
        "SELECT to_jsonb(s) FROM api.sign_in('asha', %s, %s, '1 hour', 5, %s, '{2,2,2}', '15 minutes') s",
        (hashed, digest, ADDRESS),
    ).fetchall()
    return {name: value for name, value in done[0][0].items() if value is not None}


# The delay -------------------------------------------------------------------------------------


def test_delay_doubles_with_each_failure_after_the_limit(conn: psycopg.Connection[Any], clock: Clock) -> None:
    delays = []
    for _ in range(12):
        fail(conn)
        if found := refusal(conn):
            delays.append(found[1])
            clock.advance(seconds=found[1])
            assert refusal(conn) is None
    assert delays == [2.0**n for n in range(10)]


def test_delay_is_at_most_the_period(conn: psycopg.Connection[Any], clock: Clock) -> None:
    for _ in range(100):
        fail(conn)
    assert refusal(conn) == (3, 900.0)
    clock.advance(minutes=15)
    assert refusal(conn) is None


def test_longest_delay_is_reported(conn: psycopg.Connection[Any]) -> None:
    for _ in range(4):
        fail(conn)
    assert refusal(conn, limits=(4, 3, None)) == (3, 2.0)
    assert refusal(conn, limits=(2, 3, None)) == (2, 4.0)
    assert refusal(conn, limits=(None, None, None)) is None


# Whose failures count --------------------------------------------------------------------------


def test_failures_of_an_address_do_not_delay_another(conn: psycopg.Connection[Any]) -> None:
    for _ in range(3):
        fail(conn)
    assert refusal(conn) == (3, 1.0)
    assert refusal(conn, OTHER) is None


def test_failures_of_all_unknown_addresses_delay_unknown_ones(
    conn: psycopg.Connection[Any], clock: Clock
) -> None:
    conn.execute("SELECT api.note_known_addresses(%s)", ([f"{OTHER} {TARGET}"],))
    limits = (None, None, 2)
    fail(conn, OTHER)  # of a known address: counts there only
    fail(conn)
    assert refusal(conn, limits=limits) is None
    fail(conn, "address:10.0.0.3")
    assert refusal(conn, limits=limits) == (2, 1.0)
    assert refusal(conn, OTHER, limits) is None
    clock.advance(days=1)
    assert conn.execute("SELECT api.purge_known_addresses('1 day')").fetchall() == [(1,)]
    assert conn.execute("SELECT api.purge_known_addresses('1 day')").fetchall() == [(0,)]


def test_known_address_stays_known_while_it_is_used(
    conn: psycopg.Connection[Any], database: Database, clock: Clock
) -> None:
    for hours in (0, 0.5, 2):
        clock.advance(hours=hours)
        conn.execute("SELECT api.note_known_addresses('{a,a,b}')")
    assert database.query("SELECT pair, at = api.now() FROM known_addresses ORDER BY 1") == [
        ("a", True),
        ("b", True),
    ]


def test_registrations_are_counted_for_an_hour(conn: psycopg.Connection[Any], clock: Clock) -> None:
    def register() -> list[Any]:
        return conn.execute("SELECT * FROM api.count_registration(%s, 2, '1 hour')", (ADDRESS,)).fetchall()

    assert [register() for _ in range(3)] == [[], [], [(2, 1.0)]]
    clock.advance(minutes=59)
    conn.execute("SELECT api.purge_tokens_and_attempts('15 minutes')")
    assert [register(), register()] == [[], [(2, 2.0)]]
    assert refusal(conn, limits=(1, 1, 1)) is None


def test_registrations_of_two_addresses_do_not_wait_for_each_other(
    conn: psycopg.Connection[Any], database: Database
) -> None:
    register = "SELECT * FROM api.count_registration(%s, 2, '1 hour')"
    with database.connect(autocommit=False) as slow:
        slow.execute(register, (ADDRESS,))
        conn.execute("SET lock_timeout = '1s'")
        assert conn.execute(register, (OTHER,)).fetchall() == []
        with pytest.raises(psycopg.errors.LockNotAvailable):
            conn.execute(register, (ADDRESS,))


# Signing in ------------------------------------------------------------------------------------


@pytest.fixture
def asha(database: Database) -> None:
    """An account whose hash is HASH."""
    database.query("SELECT api.register('asha', %s)", HASH)


@pytest.mark.usefixtures("asha")
def test_parameters_of_a_password_have_no_digest(conn: psycopg.Connection[Any]) -> None:
    start = HASH.rpartition("$")[0]
    found = conn.execute("SELECT api.password_parameters('asha'), api.password_parameters('nobody')")
    assert found.fetchall() == [(f"{start}${'A' * 43}", None)]


@pytest.mark.usefixtures("asha")
def test_right_hash_signs_in(conn: psycopg.Connection[Any], database: Database) -> None:
    assert sign_in(conn, HASH) == {"role": "traveller", "expires_at": "2026-12-01T04:30:00+00:00"}
    assert conn.execute("SELECT username FROM api.session('token')").fetchall() == [("asha",)]
    assert sign_in(conn, HASH, None) == {"role": "traveller"}
    assert database.value("SELECT count(*) FROM tokens") == 1
    assert database.query("SELECT pair FROM known_addresses") == [f"{ADDRESS} {TARGET}"]
    assert database.query("SELECT * FROM attempts") == []


@pytest.mark.usefixtures("asha")
def test_wrong_hash_is_counted_and_stores_no_token(conn: psycopg.Connection[Any], database: Database) -> None:
    assert sign_in(conn, HASH[:-1]) == {"failures": 1}
    assert sign_in(conn, HASH + "B") == {"failures": 2}
    assert sign_in(conn, HASH) == {"limit_reached": 2, "retry_after": 1}
    assert database.query("SELECT * FROM tokens") == database.query("SELECT * FROM known_addresses") == []


@pytest.mark.usefixtures("asha")
def test_hash_is_replaced_only_by_a_caller_who_knows_it(
    conn: psycopg.Connection[Any], database: Database
) -> None:
    conn.execute("SELECT api.set_password_hash('asha', 'another', 'new')")
    assert database.query("SELECT password_hash FROM accounts") == [HASH]
    conn.execute("SELECT api.set_password_hash('asha', %s, 'new')", (HASH,))
    assert database.query("SELECT password_hash FROM accounts") == ["new"]
