"""Contacts of bookings, and the messages that their events add to the outbox."""

from datetime import datetime
from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import DAY, OTHER_DAY, RAVI, SchemaApi

EMAIL = "asha@example.org"
MESSAGES = (
    "SELECT kind, coalesce(payload ->> 'message', '') FROM outbox WHERE kind IN ('mail', 'sms') "
    "ORDER BY outbox_no"
)


def messages(database: Database) -> list[Any]:
    """The messages in the outbox, after all events are published."""
    while database.value("SELECT api.publish_events(2)"):
        pass
    return database.query(MESSAGES)


def test_booking_without_contact_writes_no_contact(api: SchemaApi, database: Database) -> None:
    sold = api.book(1)
    assert "contact" not in sold
    assert database.value("SELECT count(*) FROM contacts") == 0
    assert messages(database) == []


def test_booking_shows_a_masked_address(api: SchemaApi, database: Database) -> None:
    sold = api.book(1, email=EMAIL, language="kn", sms=True)
    assert sold["contact"] == {"email": "a***@example.org", "language": "kn", "sms": True}
    assert database.query("SELECT email, language, sms FROM contacts") == [(EMAIL, "kn", True)]
    assert EMAIL not in str(database.query("SELECT data::text FROM events"))


def test_each_change_sends_one_message(api: SchemaApi, database: Database) -> None:
    held = api.hold(1, email=EMAIL)
    assert messages(database) == []  # a hold is not worth a mail
    api.change("confirm", held)
    assert messages(database) == [("mail", "booked")]
    api.change("change_seat", held, ticket_no=1, seat_no=2)
    api.cancel(held)
    assert messages(database) == [("mail", "booked"), ("mail", "changed"), ("mail", "cancelled")]


@pytest.mark.parametrize(("sms", "kinds"), [(False, ["mail"]), (True, ["mail", "sms"])])
def test_sms_is_sent_if_the_traveller_wants_it(
    api: SchemaApi, database: Database, sms: bool, kinds: list[str]
) -> None:
    api.book(1, email=EMAIL, sms=sms)
    assert [kind for kind, _ in messages(database)] == kinds


def test_contact_can_be_corrected_and_removed(api: SchemaApi, database: Database) -> None:
    sold = api.book(1, email="asha@example.com")
    changed = api.change("set_contact", sold, email=EMAIL)
    assert changed["contact"] == {"email": "a***@example.org"}
    assert messages(database) == [("mail", "booked"), ("mail", "booked")]
    recipient = "SELECT email FROM api.contact_of(1, %s)"
    assert database.query(recipient, sold["reference"]) == [EMAIL]
    assert "contact" not in api.change("set_contact", sold)
    assert database.query(recipient, sold["reference"]) == []
    assert len(messages(database)) == 2


def test_contact_that_stays_the_same_sends_nothing(api: SchemaApi, database: Database) -> None:
    sold = api.book(1, email=EMAIL, language="hi")
    before = messages(database)
    api.change("set_contact", sold, email=EMAIL, language="hi")
    assert messages(database) == before
    api.change("set_contact", sold, email=EMAIL, language="kn")
    assert len(messages(database)) == len(before) + 1


def test_short_messages_need_a_phone_number(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET phone_required = false WHERE bus_id = 1")
    sold = api.book(1, phone=None)
    refused = api.change("set_contact", sold, sms=True)
    assert (refused["reason"], refused["field"]) == ("bad_request", "sms")


def test_signed_in_traveller_gets_mail_at_the_address_of_the_account(
    api: SchemaApi, database: Database
) -> None:
    database.query(
        "INSERT INTO accounts (username, password_hash, email, language, created_at) "
        "VALUES ('asha', '', %s, 'hi', now())",
        EMAIL,
    )
    assert api.book(1, account="asha")["contact"] == {"email": "a***@example.org", "language": "hi"}
    assert api.book(2, account="asha", email="r@example.org")["contact"] == {"email": "r***@example.org"}


def test_operator_gets_no_mail_about_bookings_for_others(api: SchemaApi, database: Database) -> None:
    database.query(
        "INSERT INTO accounts (username, password_hash, email, role, operator, created_at) "
        "VALUES ('op', '', %s, 'operator', 'Busware', now())",
        EMAIL,
    )
    assert "contact" not in api.book(1, account="op")


def test_notice_to_a_trip_reaches_each_contact_once(api: SchemaApi, database: Database) -> None:
    first = api.book(1, email=EMAIL)
    api.book(2, email="ravi@example.org", sms=True)
    api.book(3)
    gone = api.book(4, email="gone@example.org")
    api.cancel(gone)
    before = len(messages(database))
    database.query("SELECT api.notice('Platform 4.', bus_id => 1, travel_date => %s)", DAY)
    assert sorted(messages(database)[before:]) == [("mail", "notice"), ("mail", "notice"), ("sms", "notice")]
    payload = database.value(
        "SELECT payload FROM outbox WHERE reference = %s ORDER BY outbox_no DESC LIMIT 1", first["reference"]
    )
    assert payload["notice"] == "Platform 4."
    assert payload["booking"]["reference"] == first["reference"]


def test_notice_to_a_trip_reaches_no_traveller_whose_journey_has_ended(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    """A notice to their booking reaches them."""
    ended = api.book(1, from_stop=1, to_stop=2, email=EMAIL)
    rides = api.book(2, from_stop=1, to_stop=5, email=EMAIL)
    before = len(messages(database))
    arrives = max(map(datetime.fromisoformat, (ended["arrives_at"], rides["departs_at"])))
    assert arrives < datetime.fromisoformat(rides["arrives_at"])
    clock.set(arrives)
    database.query("SELECT api.notice('Detour.', bus_id => 1, travel_date => %s)", DAY)
    database.query("SELECT api.notice('You forgot a bag.', reference => %s)", ended["reference"])
    messages(database)
    references = database.query("SELECT reference FROM outbox ORDER BY outbox_no")[before:]
    assert references == [rides["reference"], ended["reference"]]


def test_what_changes_nothing_for_the_traveller_sends_no_message(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    """A check-in that is undone, and an offer without an answer that leaves the booking as it is."""
    database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")
    database.query("UPDATE bus_info SET whole_refund_delay = interval '1 hour' WHERE bus_id = 1")
    sold = api.book(1, email=EMAIL)
    trip = {"bus_id": 1, "travel_date": DAY, "account": "conductor"}
    api.write("delay_trip", minutes=90, **trip)
    assert messages(database) == [("mail", "booked"), ("mail", "offered")]
    clock.set(sold["departs_at"])
    for undo in (False, True):
        assert "reason" not in api.write(
            "check_in", reference=sold["reference"], account="conductor", undo=undo
        )
    clock.advance(hours=24)
    database.query("SELECT api.settle_due(1, %s)", DAY)
    assert database.query("SELECT state FROM offers") == ["expired"]
    assert len(messages(database)) == 2


def test_party_that_waited_in_vain_gets_a_message(api: SchemaApi, database: Database, clock: Clock) -> None:
    """An expired hold sends none."""
    api.book(*range(1, 7))
    api.book(7, 8, phone=RAVI)
    api.hold(1, travel_date=OTHER_DAY, email=EMAIL)
    api.book(count=2, waitlist=True, email=EMAIL)
    clock.advance(days=10)
    for day in (DAY, OTHER_DAY):
        database.query("SELECT api.settle_due(1, %s)", day)
    assert messages(database) == [("mail", "waitlisted"), ("mail", "cancelled")]


def test_notice_to_a_booking_reaches_that_booking(api: SchemaApi, database: Database) -> None:
    sold = api.book(1, email=EMAIL)
    api.book(2, email="ravi@example.org")
    before = len(messages(database))
    database.query("SELECT api.notice('Come to platform 4.', reference => %s)", sold["reference"])
    assert messages(database)[before:] == [("mail", "notice")]


def bounce(database: Database, address: str, reason: str = "5.1.1 no such user") -> bool:
    """Report that the last mail to an address came back."""
    found: bool = database.value(
        "SELECT api.record_bounce(o.key, %s, %s) FROM outbox o WHERE o.kind = 'mail' "
        "ORDER BY o.outbox_no DESC LIMIT 1",
        address,
        reason,
    )
    return found


def test_bounced_address_gets_no_more_mail(api: SchemaApi, database: Database) -> None:
    sold = api.book(1, email="Asha@example.org")
    messages(database)
    assert bounce(database, "ASHA@example.org")
    shown = api.show(sold)["contact"]
    assert (shown["email"], shown["bounce"]) == ("A***@example.org", "5.1.1 no such user")
    assert database.query("SELECT email FROM api.contact_of(1, %s)", sold["reference"]) == [None]
    api.cancel(sold)
    api.book(2, email="asha@example.org")
    assert len(messages(database)) == 1
    assert database.value("SELECT api.forget_bounce('asha@example.org')")
    api.book(3, email="asha@example.org")
    assert len(messages(database)) == 2


def test_manifest_shows_the_address_and_that_it_has_bounced(api: SchemaApi, database: Database) -> None:
    api.book(1, email=EMAIL)
    api.book(2)
    messages(database)
    bounce(database, EMAIL)
    (stop, *_) = database.value("SELECT api.trip_manifest(1, %s)", DAY)["stops"]
    assert [(p.get("email"), p.get("email_bounced")) for p in stop["boards"]] == [(EMAIL, True), (None, None)]


def test_forged_report_blocks_no_address(api: SchemaApi, database: Database) -> None:
    api.book(1, email=EMAIL)
    messages(database)
    assert not bounce(database, "other@example.org")
    assert not database.value("SELECT api.record_bounce(gen_random_uuid(), %s, 'forged')", EMAIL)
    assert database.value("SELECT count(*) FROM bounces") == 0
