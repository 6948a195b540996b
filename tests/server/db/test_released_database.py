"""A database of a released version works with this version after its upgrade.

tests/support/release.py describes its content. The clock is stopped at the time of the dump.
"""

import json
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace

import pytest
from psycopg import errors
from psycopg.types.json import Jsonb

from busware.server.db import schema
from busware.server.settings import Settings
from tests.conftest import Clock, Cluster, Database, LineClient, stop_clock
from tests.support.calls_json_rpc import ASHA, DAY, PASSWORD, RAVI
from tests.support.release import DATA, VERSIONS, restore
from tests.support.schema_text import REVIEWED, schema_text

pytestmark = [pytest.mark.database, pytest.mark.settings(password_wait_seconds=60)]

TICKETS = "SELECT status, count(*) FROM passengers GROUP BY status ORDER BY status"
# As servers of 0.1.0 sign in.
SIGN_IN = (
    "SELECT password_hash, role, operator FROM accounts WHERE username = 'asha'",
    "SELECT api.sign_in('asha', sha256('a token'), interval '1 hour', 50)",
)
STATUSES = {"held", "booked", "pending", "cancelled", "expired"}


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def saved(version: str) -> dict[str, str]:
    """The values that record_release.py saved: references and tokens by name, and the clock."""
    values: dict[str, str] = json.loads((DATA / version / "left.json").read_text())
    return values


@pytest.fixture
def restored(
    version: str,
    cluster: Cluster,
    new_database: Callable[..., Database],
    template: str,  # creates the server's role
) -> Database:
    """The database as the release left it."""
    database = new_database("restored")
    restore(cluster, database, DATA / version / "database.sql")
    return database


@pytest.fixture
def database(restored: Database, saved: dict[str, str]) -> Database:
    """The database, upgraded."""
    before = restored.query(TICKETS)
    assert {status for status, _ in before} == STATUSES
    schema.prepare(restored.owner, restored.server, Settings(seed=False))
    assert restored.query(TICKETS) == before
    stop_clock(restored.conn, datetime.fromisoformat(saved["clock"]))
    return restored


@pytest.fixture
def clock(database: Database, saved: dict[str, str]) -> Clock:
    return Clock(database.conn, datetime.fromisoformat(saved["clock"]))


def test_the_audit_has_no_findings_and_all_views_have_rows(database: Database) -> None:
    assert database.query("SELECT * FROM api.audit()") == []
    for view in ("bookings", "vacancy", "manifest"):
        assert database.value(f"SELECT count(*) FROM {view}") > 0
    audiences = {"operators", "all", "trip", "booking", "client"}
    assert set(database.query("SELECT DISTINCT audience FROM messages")) == audiences


def test_amounts_are_in_rupees(database: Database, client_socket: LineClient, saved: dict[str, str]) -> None:
    for table in ("bus_info", "payments", "bookings", "busware_reports.sales"):
        assert database.query(f"SELECT DISTINCT currency FROM {table}") == ["INR"]
    shown = client_socket.call("booking", reference=saved["kept"], phone=ASHA)
    assert (shown["fare"], shown["currency"]) == ("260.00", "INR")


def test_the_schema_is_that_of_a_new_database(database: Database) -> None:
    assert schema_text(database.conn) == REVIEWED.read_text()


def test_the_functions_of_the_release_work_on_the_migrated_tables(
    restored: Database, saved: dict[str, str]
) -> None:
    """An upgrade replaces the functions a moment after the last migration, while servers call them."""
    stop_clock(restored.conn, datetime.fromisoformat(saved["clock"]))
    schema.migrate(restored.conn, Settings())
    args = {**DAY, "travel_date": "2026-12-10", "seats": [6], "phone": ASHA}
    with restored.connect_as_server() as server:
        call = "SELECT refused, answer ->> 'reference' FROM api.batch(%s)"
        calls = [
            Jsonb([{"method": "book", "caller": "", "key": key, "args": args}]) for key in ("a", "a", "b")
        ]
        first, repeated, other = [server.execute(call, [batch]).fetchone() for batch in calls]
        assert first == repeated
        assert (first[0], other) == (False, (True, None))
        assert server.execute("SELECT api.purge_requests(interval '0') > 0").fetchone() == (True,)
    assert "a" in restored.query("SELECT key FROM idempotency_keys")
    assert restored.query("SELECT * FROM api.audit()") == []


def test_a_later_end_opens_the_trips_that_the_release_cancelled_at_an_earlier_one(database: Database) -> None:
    database.query("SELECT api.end_service(4, '2026-12-05')")
    states = "SELECT travel_date::text, state FROM trips WHERE bus_id = 4 AND travel_date > %s ORDER BY 1"
    assert database.query(states, "2026-12-03")[:3] == [
        ("2026-12-04", "open"),
        ("2026-12-05", "open"),
        ("2026-12-06", "cancelled"),
    ]


def test_servers_of_the_release_keep_their_functions_and_rights_until_they_end(
    restored: Database, saved: dict[str, str]
) -> None:
    with restored.connect_as_server() as server, restored.connect_as_server() as newer:
        ((number,),) = server.execute("SELECT api.enlist('server', 'an older one', NULL)").fetchall()
        schema.prepare(restored.owner, restored.server, Settings(seed=False))
        stop_clock(restored.conn, datetime.fromisoformat(saved["clock"]))
        newer.execute("SELECT api.register_process('server', 'a newer one')")
        newer.execute("SELECT api.revoke_surplus_rights()")
        server.execute(
            "SELECT api.say('hello', gen_random_uuid(), '127.0.0.1', 60, %s, 7, '127.0.0.1:4711', 'json', "
            "NULL, NULL)",
            [number],
        )
        kept = "SELECT reference, state FROM api.booking_states(ARRAY[api.reference_bus(%s)], ARRAY[%s])"
        assert server.execute(kept, [saved["kept"]] * 2).fetchall() == [
            (saved["kept"], "1 booked 4 0.00 to 5")
        ]
        for statement in SIGN_IN:
            assert server.execute(statement).rowcount == 1
        assert server.execute("SELECT api.purge_requests(interval '1 year')").fetchone() == (0,)
        server.execute("SELECT api.purge_accounts(interval '1 year')")
        ((again,),) = server.execute("SELECT api.enlist('server', 'an older one', %s)", [number]).fetchall()
        newer.execute("SELECT api.revoke_surplus_rights()")
        server.execute("SELECT api.leave(%s)", [again])
        assert restored.query("SELECT name FROM processes") == ["a newer one"]
        assert newer.execute("SELECT api.revoke_surplus_rights() > 0").fetchone() == (True,)
        for statement in SIGN_IN:
            with pytest.raises(errors.InsufficientPrivilege):
                server.execute(statement)
    assert restored.query("SELECT body FROM messages ORDER BY message_id DESC LIMIT 1") == ["hello"]


def test_a_second_upgrade_changes_nothing(database: Database) -> None:
    described = "SELECT obj_description('api'::regnamespace, 'pg_namespace')"
    before = database.value(described)
    schema.prepare(database.owner, database.server, Settings(seed=False))
    assert database.value(described) == before


def test_bookings_of_every_status_can_be_opened(client_socket: LineClient, saved: dict[str, str]) -> None:
    opened = {
        name: client_socket.call("booking", reference=saved[name], phone=phone)["status"]
        for name, phone in (
            ("open_hold", ASHA), ("kept", ASHA), ("pair", RAVI), ("car_queue", RAVI), ("resold", RAVI),
            ("expired", ASHA),
        )
    }  # fmt: skip
    assert opened == {
        "open_hold": "held",
        "kept": "booked",
        "pair": "booked",  # one of its two tickets; the other one is cancelled
        "car_queue": "pending",
        "resold": "cancelled",
        "expired": "expired",
    }


def test_holds_keys_and_the_waitlist_still_work(
    database: Database, client_socket: LineClient, saved: dict[str, str]
) -> None:
    again = client_socket.call(
        "book", **DAY | {"travel_date": "2026-12-10"}, seats=[4], phone=ASHA, key="kept"
    )
    assert again["reference"] == saved["kept"]
    confirmed = client_socket.call("confirm", reference=saved["open_hold"], phone=ASHA)
    assert (confirmed["status"], confirmed["fare"]) == ("booked", "520.00")
    assert client_socket.call("release", reference=saved["other_hold"], phone=RAVI)["status"] == "cancelled"
    cancelled = client_socket.call("cancel", reference=saved["kept"], phone=ASHA)
    assert (cancelled["status"], cancelled["refund"]) == ("cancelled", "130.00")
    waiting = {"reference": saved["car_queue"], "phone": RAVI}
    assert client_socket.call("booking", **waiting)["status"] == "pending"
    client_socket.call("cancel", reference=saved["car_taken"], phone=ASHA)
    assert client_socket.call("booking", **waiting)["status"] == "booked"
    assert database.query("SELECT * FROM api.audit()") == []


def test_accounts_sign_in(client_socket: LineClient, saved: dict[str, str]) -> None:
    for username, role in (("asha", "traveller"), ("conductor", "operator"), ("boss", "admin")):
        assert client_socket.call("login", username=username, password=PASSWORD)["role"] == role
        assert (
            client_socket.call("login", token=saved[username.replace("boss", "boss_again")])["role"] == role
        )
    assert client_socket.call("login", token=saved["ravi"])["data"] == {"reason": "wrong_password"}
    client_socket.call("login", token=saved["asha"])
    own = client_socket.call("bookings")["bookings"]
    assert {booking["reference"] for booking in own} == {saved["own"], saved["own_too"]}


def test_an_unread_message_is_pushed(
    pushing: SimpleNamespace, client_socket: LineClient, saved: dict[str, str]
) -> None:
    client_socket.call("booking", reference=saved["h_seat"], phone=ASHA)
    texts = []
    while "Seat 8 has a new cushion." not in texts:  # a message to all may come first
        method, params = client_socket.notification()
        texts.append(params["text"])
    assert method == "message"
