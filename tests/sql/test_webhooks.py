"""Webhooks in the database: their changes, what they get, what is replayed, and what the audit finds."""

from typing import Any

import psycopg
import pytest

from tests.conftest import Clock, Database
from tests.support.race import Race
from tests.support.receiver import change_webhook
from tests.support.schema_api import SchemaApi, audit

URL = "https://receiver.example/busware"


@pytest.fixture(autouse=True)
def operators(database: Database) -> None:
    for name, operator in (("meera", "KSRTC"), ("other", "SRS Travels")):
        database.query("SELECT api.add_operator(%s, 'hash', %s)", name, operator)


def put(database: Database, webhook: str = "accounting", **fields: Any) -> dict[str, Any]:
    return change_webhook(database, "put_webhook", webhook, **{"url": URL, **fields})


def publish(database: Database) -> int:
    return int(database.value("SELECT api.publish_events()"))


def deliveries(database: Database) -> list[tuple[str, str]]:
    """Type and state of each delivery, in their order."""
    return database.query(
        "SELECT payload ->> 'type', state FROM outbox WHERE kind = 'webhook' ORDER BY outbox_no"
    )


def send_all(database: Database, error: str | None = None) -> None:
    """Carry out what is due, with the same outcome for each."""
    while claimed := database.query(
        "SELECT outbox_no, attempts FROM api.claim_delivery('{}', '{}', '1 minute')"
    ):
        for number, attempts in claimed:
            database.query("SELECT api.finish_outbox(%s, %s, %s)", number, attempts, error)


# Changes ---------------------------------------------------------------------------------------


def test_edit_keeps_what_it_does_not_name(api: SchemaApi, database: Database) -> None:
    created = put(database, types=["booking.*"])
    assert created["secret"].startswith("whsec_")
    edited = change_webhook(database, "put_webhook", url=f"{URL}2")
    assert "secret" not in edited
    assert (edited["url"], edited["types"], edited["active"]) == (f"{URL}2", ["booking.*"], True)
    shown = api.read("webhooks", account="meera")["webhooks"]
    assert shown == [edited]
    assert created["secret"] not in str(shown)


def test_new_webhook_needs_a_url(database: Database) -> None:
    assert change_webhook(database, "put_webhook", types=["*"])["field"] == "url"
    assert database.query("SELECT FROM webhooks") == []


def test_number_of_webhooks_is_limited(database: Database) -> None:
    for name in ("a", "b", "c"):
        put(database, name)
    refused = put(database, "d")
    assert (refused["reason"], refused["limit"]) == ("too_many_webhooks", 3)
    assert put(database, "c", active=False)["active"] is False
    assert put(database, "d", account="other")["operator"] == "SRS Travels"


def test_limit_holds_for_two_requests_at_once(race: Race) -> None:
    put(race.database, "a")
    put(race.database, "b")
    statement = (
        "SELECT answer ->> 'reason' FROM api.change_webhook('put_webhook', %s::jsonb, '{\"webhooks\": 3}')"
    )
    args = '{"account": "meera", "webhook": "%s", "url": "https://a.example/", "secret": "whsec_YQ=="}'
    assert race.first.conn.execute(statement, (args % "c",)).fetchall() == [(None,)]
    waiting = race.start(lambda: race.second.conn.execute(statement, (args % "d",)).fetchall())
    assert race.then_commit(waiting) == [("too_many_webhooks",)]


@pytest.mark.parametrize(
    "method", ["delete_webhook", "rotate_webhook_secret", "test_webhook", "replay_webhook"]
)
def test_webhook_of_another_operator_is_unknown(database: Database, method: str) -> None:
    put(database)
    assert change_webhook(database, method, account="other", after="0")["reason"] == "unknown_webhook"
    assert (
        change_webhook(database, method, account="other", operator="KSRTC", after="0")["reason"]
        == "not_yours"
    )


def test_deliveries_of_another_operator_are_not_shown(api: SchemaApi, database: Database) -> None:
    put(database)
    assert api.read("webhooks", account="other") == {"webhooks": []}
    refused = api.read("webhook_deliveries", account="other", webhook="accounting")
    assert refused["reason"] == "unknown_webhook"


def test_deleted_webhook_leaves_nothing(api: SchemaApi, database: Database) -> None:
    put(database)
    api.book(1)
    publish(database)
    assert change_webhook(database, "delete_webhook")["webhook"] == "accounting"
    for table in ("webhooks", "webhook_secrets", "outbox"):
        assert database.value(f"SELECT count(*) FROM {table}") == 0


def test_event_that_is_published_while_its_webhook_is_deleted_goes_nowhere(race: Race) -> None:
    put(race.database)
    race.second.book(1)
    race.first.conn.execute("SELECT api.publish_events()")
    args = '{"account": "meera", "webhook": "accounting"}'
    statement = "SELECT refused FROM api.change_webhook('delete_webhook', %s::jsonb, '{}')"
    waiting = race.start(lambda: race.second.conn.execute(statement, (args,)).fetchall())
    assert race.then_commit(waiting) == [(False,)]
    assert deliveries(race.database) == []


def test_deactivated_webhook_gives_up_what_waits(api: SchemaApi, database: Database) -> None:
    put(database)
    api.cancel(api.book(1))
    publish(database)
    put(database, active=False)
    assert deliveries(database) == [("booking.booked", "dead"), ("booking.cancelled", "dead")]
    api.book(2)
    publish(database)
    assert len(deliveries(database)) == 2
    assert audit(database.conn) == []


def test_pages_of_deliveries(api: SchemaApi, database: Database) -> None:
    put(database)
    for seat in (1, 2, 3):
        api.book(seat)
    publish(database)
    asked = {"account": "meera", "webhook": "accounting", "limit": 2}
    page = api.read("webhook_deliveries", **asked)
    rest = api.read("webhook_deliveries", **asked, after=page["next"])
    numbers = [one["delivery_no"] for one in page["deliveries"] + rest["deliveries"]]
    assert numbers == sorted(numbers, reverse=True) and len(numbers) == 3
    assert "next" not in rest
    assert api.read("webhook_deliveries", **asked, state="failed") == {"deliveries": []}
    assert api.read("webhook_deliveries", **asked, after="x")["field"] == "after"


def test_second_test_replaces_one_that_waits(database: Database) -> None:
    """So tests of a receiver that does not answer do not pile up."""
    put(database)
    put(database, "other")
    first = change_webhook(database, "test_webhook")
    other = change_webhook(database, "test_webhook", "other")
    second = change_webhook(database, "test_webhook")
    waiting = database.query("SELECT outbox_no FROM outbox ORDER BY outbox_no")
    assert waiting == [other["delivery_no"], second["delivery_no"]]
    assert first["event_id"] != second["event_id"]
    send_all(database)
    change_webhook(database, "test_webhook")
    assert deliveries(database) == [("webhook.test", state) for state in ("done", "done", "waiting")]


def test_publication_and_the_end_of_a_webhook_wait_for_each_other(race: Race) -> None:
    """Both lock the rows of bookings whose deliveries wait, in different orders: that was a deadlock."""
    put(race.database)
    bookings = [race.second.book(seat) for seat in (1, 2)]
    publish(race.database)
    race.database.query("UPDATE outbox SET due_at = due_at + interval '1 hour' WHERE outbox_no = 1")
    for booking in bookings:
        race.second.cancel(booking)
    enqueue = "SELECT FROM events e, api.enqueue_webhooks(e) WHERE e.event_no = %s"
    first, second = race.database.query(
        "SELECT event_no FROM events WHERE position IS NULL ORDER BY event_no"
    )
    race.first.conn.execute(enqueue, [first])
    args = '{"account": "meera", "webhook": "accounting", "active": false}'
    statement = "SELECT refused FROM api.change_webhook('put_webhook', %s::jsonb, '{\"webhooks\": 3}')"
    waiting = race.start(lambda: race.second.conn.execute(statement, (args,)).fetchall())
    race.first.conn.execute(enqueue, [second])
    race.then_commit(waiting)
    assert [state for _, state in deliveries(race.database)] == ["dead"] * 4


def test_event_that_is_published_after_its_webhook_has_ended_goes_nowhere(race: Race) -> None:
    """The publication waits for the end of the webhook."""
    put(race.database)
    race.second.book(1)
    args = '{"account": "meera", "webhook": "accounting", "active": false}'
    statement = "SELECT refused FROM api.change_webhook('put_webhook', %s::jsonb, '{\"webhooks\": 3}')"
    assert race.first.conn.execute(statement, (args,)).fetchall() == [(False,)]
    published = race.start(lambda: race.second.conn.execute("SELECT api.publish_events()").fetchone())
    assert race.then_commit(published) == (1,)
    assert deliveries(race.database) == []


# Claims ----------------------------------------------------------------------------------------


def test_full_webhook_is_left_out(api: SchemaApi, database: Database) -> None:
    put(database, "a")
    put(database, "b")
    api.book(1)
    publish(database)
    full, other = database.query("SELECT webhook_no FROM webhooks ORDER BY webhook")
    claim = "SELECT webhook_no FROM api.claim_delivery(%s, %s, '1 minute')"
    assert database.query(claim, [full], ["Other"]) == [other]
    assert database.query(claim, [full], []) == []
    assert database.query(claim, [], ["KSRTC"]) == []
    assert database.query(claim, [], []) == [full]
    assert database.query("SELECT outbox_no FROM api.claim_outbox('{webhook}', 9, '1 minute')") == []


def test_dead_delivery_is_deleted_like_one_that_is_done(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    put(database)
    api.book(1)
    publish(database)
    send_all(database, "refused")
    database.query("SELECT api.enqueue('mail', '{}')")
    database.query("UPDATE outbox SET state = 'dead', done_at = api.now(), error = 'x' WHERE kind = 'mail'")
    clock.advance(days=31)
    assert database.value("SELECT api.purge_outbox('30 days')") == 1
    assert database.query("SELECT kind FROM outbox") == ["mail"]


# Replays ---------------------------------------------------------------------------------------


def test_replay_after_a_position(api: SchemaApi, database: Database) -> None:
    for seat in (1, 2, 3):
        api.book(seat)
    publish(database)
    put(database)
    first = change_webhook(database, "replay_webhook", after="0", limit=2)
    assert (first["replayed"], first["more"]) == (2, True)
    second = change_webhook(database, "replay_webhook", after=first["next"])
    assert (second["replayed"], "more" in second) == (1, False)
    assert change_webhook(database, "replay_webhook", after="0")["replayed"] == 0  # they wait
    send_all(database)
    assert change_webhook(database, "replay_webhook", after="0")["replayed"] == 3
    for after in ("4", "999999999999999999"):
        assert change_webhook(database, "replay_webhook", after=after)["field"] == "after"
    assert change_webhook(database, "replay_webhook", after="3-00000000")["field"] == "after"


def test_replay_leaves_out_other_types_and_operators(api: SchemaApi, database: Database) -> None:
    put(database, types=["booking.cancelled"])
    api.cancel(api.book(1))
    api.cancel(api.book(1, bus_id=2))
    publish(database)
    send_all(database)
    assert change_webhook(database, "replay_webhook", after="0")["replayed"] == 1


def test_failed_delivery_is_replaced_by_its_replay(api: SchemaApi, database: Database) -> None:
    put(database)
    api.book(1)
    publish(database)
    send_all(database, "refused")
    number = database.value("SELECT outbox_no FROM outbox")
    assert change_webhook(database, "replay_webhook", delivery_no=number)["replayed"] == 1
    assert deliveries(database) == [("booking.booked", "waiting")]
    assert change_webhook(database, "replay_webhook", delivery_no=number)["field"] == "delivery_no"


def test_replay_since_a_time(api: SchemaApi, database: Database, clock: Clock) -> None:
    put(database)
    for seat in range(1, 5):
        api.book(seat)
        clock.advance(hours=1)
    publish(database)
    send_all(database)
    counts = {"2026-12-01T11:00+05:30": 2, "2026-12-01T11:30+05:30": 1, "2000-01-01Z": 4, "2030-01-01Z": 0}
    for since, count in counts.items():
        assert change_webhook(database, "replay_webhook", since=since)["replayed"] == count
        send_all(database)


def test_position_before_a_time_among_many_events(database: Database) -> None:
    """Two events of the last page were published late."""
    database.query(
        "INSERT INTO events (event_no, type, at, data, position)"
        " SELECT n, 'trip.notice', api.now() + n * interval '1 minute', '{}', n"
        " FROM generate_series(1, 3500) AS n"
    )
    database.query("UPDATE events SET at = api.now() WHERE position IN (3400, 3500)")
    for first in (1, 999, 1000, 1001, 2500, 3399):
        since = database.value("SELECT at FROM events WHERE position = %s", first)
        assert database.value("SELECT api.position_before(%s)", since) == first - 1


def test_replay_of_an_old_event_does_not_keep_it(api: SchemaApi, database: Database, clock: Clock) -> None:
    """An operator could keep the events of all operators for ever, by replays to a receiver that fails."""
    put(database)
    api.book(1)
    publish(database)
    clock.advance(days=2)
    api.book(2)
    publish(database)
    purge = "SELECT api.purge_events('2 days')"
    assert database.value(purge) == 0  # its first delivery waits
    send_all(database)
    clock.advance(hours=1)
    assert change_webhook(database, "replay_webhook", after="0", limit=1)["replayed"] == 1
    assert database.value(purge) == 1


# The audit -------------------------------------------------------------------------------------


def test_audit_finds_a_webhook_without_a_secret_and_rows_of_an_inactive_one(
    api: SchemaApi, database: Database
) -> None:
    put(database)
    api.book(1)
    publish(database)
    database.query("UPDATE webhooks SET active = false")
    database.query("DELETE FROM webhook_secrets")
    found = audit(database.conn)
    assert [rule for rule, *_ in found] == ["webhook", "webhook"]
    database.query("DELETE FROM webhooks")


def test_event_waits_for_a_webhook_once(api: SchemaApi, database: Database) -> None:
    put(database)
    api.book(1)
    publish(database)
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.query(
            "INSERT INTO outbox (key, kind, event_no, webhook_no, payload, created_at, due_at)"
            " SELECT gen_random_uuid(), kind, event_no, webhook_no, payload, created_at, due_at FROM outbox"
        )
