"""`api.audit` and scripts/audit: each rule is broken by hand, and the audit finds it."""

import os
import subprocess

import pytest

from tests.conftest import Clock, Database
from tests.support.project import PROJECT
from tests.support.schema_api import DAY, RAVI, SchemaApi, audit, sale

PAYMENT = (  # of the booking, which it has booked at a time
    "INSERT INTO payment_intents"
    " (bus_id, payment_id, reference, provider, amount, currency, created_at, checked_at)"
    " VALUES (1, '00000000-0000-4000-8000-000000000001', '{{booking}}', 'stripe', 520, 'INR', now(), now());"
    "UPDATE payment_intents SET state = 'succeeded', received = 520, received_currency = 'INR',"
    " succeeded_at = now(), booked_at = {};"
)
REFUND = (
    "INSERT INTO refunds (bus_id, refund_id, payment_id, amount, currency, created_at, checked_at) VALUES"
    " (1, gen_random_uuid(), '00000000-0000-4000-8000-000000000001', {}, 'INR', now(), now())"
)
INVOICE = (  # of the first ticket of the booking: its number, the amount and the tax of its line
    "INSERT INTO invoicing VALUES ('KSRTC', 'KA', NULL, '2030-01-01');"
    "INSERT INTO invoices (operator, kind, year, invoice_no, number, bus_id, reference, position, dated,"
    " issued_at, currency, seller, journey) VALUES ('KSRTC', 'invoice', 2026, {0}, 'KA-2026-00000{0}', 1,"
    " '{{booking}}', 1, '2026-12-01', now(), 'INR', 'KSRTC', '{{{{}}}}');"
    "INSERT INTO invoice_lines VALUES (1, '{{booking}}', 1, 1, 'KSRTC', 'invoice', 2026, {0}, {1}, {2})"
)
# (rule, SQL that breaks it, a part of the finding). {booking}, {hold} and {waiting} are references.
BROKEN = [
    (
        "contact",
        "INSERT INTO contacts (bus_id, reference, sms) VALUES (2, '{booking}', true)",
        "the contact of {booking} is of no booking of the service",
    ),
    (
        "invoice_number",
        INVOICE.format(2, 260, 0),
        "invoice KA-2026-000002 of KSRTC has the number 2, as the 1. of 2026 at position 1",
    ),
    (
        "invoice_number",
        INVOICE.format(1, 260, 0) + "; ALTER TABLE invoices DISABLE TRIGGER USER;"
        "UPDATE invoices SET number = 'KA-2026-000009'",
        "invoice KA-2026-000009 of KSRTC has the number 1",
    ),
    (
        "invoice",
        INVOICE.format(1, 250, 0),
        "KA-2026-000001 has 250 INR for payment {booking}/1/1, which is a charge of 260.00 INR",
    ),
    (
        "invoice",
        INVOICE.format(1, 260, 0) + "; ALTER TABLE invoice_lines DISABLE TRIGGER USER;"
        "UPDATE invoice_lines SET payment_no = 7",
        "for payment {booking}/1/7, which is not there",
    ),
    (
        "invoice",
        INVOICE.format(1, 260, 0) + "; ALTER TABLE invoice_lines DISABLE TRIGGER USER;"
        "DELETE FROM invoice_lines",
        "KA-2026-000001 has no line",
    ),
    (
        "not_invoiced",
        "INSERT INTO invoicing VALUES ('KSRTC', 'KA', NULL, '2020-01-01');"
        "SELECT api.publish_events(); ALTER TABLE invoice_lines DISABLE TRIGGER USER;"
        "DELETE FROM invoice_lines WHERE reference = '{booking}' AND ticket_no = 1",
        "payment {booking}/1/1 (charge of 260.00) of",
    ),
    (
        "tax",
        INVOICE.format(1, 260, 3),
        "ticket {booking}/1: tax 3 in 260 at",
    ),
    (
        "event_order",
        "UPDATE events SET position = event_no * 2",
        "which are",
    ),
    (
        "event_order",
        "INSERT INTO events (event_no, type, reference, at, data, position)"
        " SELECT n, 'booking.changed', '{booking}', now(), '{{}}', 1000000 - n"
        " FROM generate_series(900001, 900002) AS n",
        "event 900002 of booking {booking} is at position 99998, and an earlier one at 99999",
    ),
    (
        "event_missing",
        "DELETE FROM events WHERE reference = '{booking}';"
        "UPDATE passengers SET created_at = created_at + interval '1 s' WHERE reference = '{booking}'",
        "ticket {booking}/1 is booked, by the last event of its booking nothing",
    ),
    (
        "event_missing",
        "UPDATE events SET data = jsonb_set(data, '{{tickets,0,status}}', '\"held\"')"
        " WHERE reference = '{booking}'",
        "ticket {booking}/1 is booked, by the last event of its booking held",
    ),
    (
        "outbox",
        "SELECT api.enqueue('mail', '{{}}'); UPDATE outbox SET state = 'done', done_at = now()",
        "(mail) is done after 0 attempts, with the error none",
    ),
    (
        "outbox",
        "SELECT api.enqueue('mail', '{{}}', ordered_by => 'a'); UPDATE outbox SET due_at = 'infinity'",
        "(mail) is waiting after 0 attempts, with the error none",
    ),
    (
        "webhook",
        "INSERT INTO webhooks (operator, webhook, url, types, created_at)"
        " VALUES ('KSRTC', 'books', 'https://example.org', '{{*}}', now())",
        "webhook books of KSRTC has no current secret",
    ),
    (
        "currency",
        "UPDATE payments SET currency = 'USD' WHERE reference = '{booking}'",
        "payment {booking}/1/1 is in USD, its service in INR",
    ),
    (
        "decimals",
        "UPDATE payments SET amount = amount + 0.001 WHERE reference = '{booking}'",
        "payment {booking}/1/1: 260.001 INR",
    ),
    (
        "decimals",
        "UPDATE passengers SET refund = 0.005 WHERE reference = '{booking}'",
        "ticket {booking}/1: 0.005 INR",
    ),
    (
        "decimals",
        "UPDATE passengers SET fare = trim_scale(fare) WHERE reference = '{booking}'",
        "ticket {booking}/1: 260 INR",
    ),
    ("decimals", "UPDATE route_table SET fare = 0.001 WHERE bus_id = 1 AND stop_no = 1", "stop 1: 0.001 INR"),
    (
        "decimals",
        "UPDATE bus_info SET currency = 'JPY', exchange_fee = 0.5 WHERE bus_id = 1",
        "exchange fee: 0.5 JPY",
    ),
    (
        "decimals",
        "SELECT api.add_agent('kumar', '', 'KSRTC'); UPDATE agents SET credit_limit = 1.5, currency = 'JPY'",
        "credit limit of kumar: 1.5 JPY",
    ),
    (
        "decimals",
        PAYMENT.format("NULL") + "UPDATE payment_intents SET received_currency = 'JPY', received = 0.5",
        "payment_intent 00000000-0000-4000-8000-000000000001: 0.5 JPY",
    ),
    ("decimals", PAYMENT.format("NULL") + REFUND.format("0.001"), ": 0.001 INR"),
    (
        "no_show",
        "UPDATE passengers SET checked_in_at = now() WHERE reference = '{waiting}'",
        "ticket {waiting}/1 (pending): segment [1,5) of , checked in 20",
    ),
    (
        "no_show",
        "UPDATE passengers SET no_show_at = now(), no_show_segment = segment WHERE reference = '{booking}'",
        "ticket {booking}/1 (booked): segment [1,5) of [1,5), checked in , no-show 20",
    ),
    (
        "transfer",
        "INSERT INTO transfers VALUES (1, '{booking}', 1, 1, 'Asha', 'Uma', NULL, now())",
        "ticket {booking}/1 has the name",
    ),
    (
        "displaced",
        "UPDATE passengers SET status = 'displaced', seat_no = NULL WHERE reference = '{booking}'",
        "ticket {booking}/1 is displaced and has no open offer",
    ),
    (
        "offer",
        "INSERT INTO offers VALUES (1, '{booking}', 1, '2026-12-05', 'A bus.', '{{1}}', 'refund', NULL, NULL,"
        " now(), 'open', now(), NULL)",
        "offer 1 to booking {booking} (if unanswered: refund): its tickets are booked, its hold is nothing",
    ),
    (
        "offer_refund",
        "INSERT INTO offers VALUES (1, '{booking}', 1, '2026-12-05', 'A bus.', '{{1}}', 'keep', NULL, NULL,"
        " now(), 'declined', now(), now())",
        "ticket {booking}/1 (booked): offer 1 is declined, fare 260.00, refund 0.00",
    ),
    (
        "paid_online",
        PAYMENT.format("NULL"),
        "booking {booking}: 520 INR arrived, 0 is given back; charged 0, refunded 0",
    ),
    (
        "paid_online",
        PAYMENT.format("now()") + REFUND.format(60),
        "booking {booking}: 520 INR arrived, 60 is given back; charged 520.00, refunded 0",
    ),
    (
        "paid_online",
        PAYMENT.format("NULL") + REFUND.format(521),
        "booking {booking}: 520 INR arrived, 521 is given back; charged 0, refunded 0",
    ),
    (
        "refund_order",
        PAYMENT.format("NULL") + REFUND.format(520),
        "of booking {booking} waits, and is not in the outbox",
    ),
    (
        "fee_order",
        PAYMENT.format("now()") + "UPDATE payment_intents SET provider_reference = 'pi_1'",
        "the fee of pi_1 of booking {booking} is not known, and is not asked for",
    ),
    (
        "fee",
        PAYMENT.format("now()") + "INSERT INTO provider_fees VALUES"
        " (1, '00000000-0000-4000-8000-000000000001', 'txn_1', NULL, 10, 500, 'INR', now())",
        "transaction txn_1 of booking {booking}: fee 10, net 500 INR; the amount is 520",
    ),
    (
        "exchange",
        "INSERT INTO exchanges VALUES"
        " (1, '{booking}', 1, 1, 1, '2026-12-05', '[1,5)', 1, 200, 0, 0, 50, now())",
        "ticket {booking}/1, exchange 1: amount 50, fare 260.00, before 200, refund 0, kept 0",
    ),
    (
        "moved",
        "INSERT INTO moved_bookings VALUES (1, '{booking}', 2)",
        "booking {booking} is not on service 2 alone",
    ),
    (
        "moved",
        "INSERT INTO exchanges VALUES"
        " (1, '{booking}', 1, 1, 2, '2026-12-05', '[1,5)', 1, 260, 0, 0, 0, now())",
        "booking {booking} has left service 2, and is not in moved_bookings with service 1",
    ),
    (
        "stop_skipped",
        "UPDATE trips SET skipped = '{{1}}' WHERE bus_id = 1 AND travel_date = '2026-12-05'",
        "ticket {booking}/1 (booked): segment [1,5), the trip skips {{1}}",
    ),
    (
        "delays",
        "UPDATE trips SET delays = ARRAY['0', '4 h', '0', '0', '0']::interval[] "
        "WHERE bus_id = 1 AND travel_date = '2026-12-05'",
        "the trip leaves stop 2 at",
    ),
    (
        "agent",
        "UPDATE payments SET agent = 'kumar' WHERE reference = '{booking}'",
        "payment {booking}/1/1 is of agent kumar in settlement none, the ticket was sold by none",
    ),
    (
        "agent",
        "UPDATE payments SET settlement_no = 1 WHERE reference = '{booking}'",
        "payment {booking}/1/1 is of agent none in settlement 1, the ticket was sold by none",
    ),
    (
        "settlement",
        "SELECT api.add_agent('kumar', '', 'KSRTC');"
        "INSERT INTO settlements VALUES ('kumar', 1, now(), 'meera', 5, 260, 0, 0, 0, 0)",
        "settlement 1 of kumar: carried 5, charges 260, refunds 0; its payments are 0 and 0",
    ),
    (
        "sold_twice",
        "ALTER TABLE passengers DROP CONSTRAINT segment_sold_once;"
        "UPDATE passengers SET seat_no = 3 WHERE reference = '{booking}' AND ticket_no = 1",
        "seat 3: tickets",
    ),
    (
        "taken",
        "UPDATE seats SET taken = '{{}}' WHERE taken <> '{{}}' AND seat_no = 1",
        "seat 1: taken is {{}}, its live tickets are {{[1,5)}}",
    ),
    (
        "taken",
        "UPDATE seats SET taken = '{{[2,3)}}' WHERE bus_id = 2 AND travel_date = '2026-12-05'",
        "seat 1: taken is {{[2,3)}}, its live tickets are {{}}",
    ),
    (
        "taken",
        "UPDATE seats SET taken = '{{[1,5)}}', blocked = '{{[3,5)}}' WHERE seat_no = 1 AND taken <> '{{}}'",
        "seat 1: taken is {{[1,5)}}, its live tickets are {{[1,5)}}, blocked is {{[3,5)}}",
    ),
    (
        "off_route",
        "UPDATE passengers SET segment = '[1,6)' WHERE reference = '{booking}' AND ticket_no = 1",
        "ticket {booking}/1: segment [1,6) is not on the route",
    ),
    (
        "money",
        "DELETE FROM payments WHERE reference = '{booking}' AND ticket_no = 2",
        "ticket {booking}/2 (booked): fare 260.00, charged 0; refund 0.00, paid back 0",
    ),
    (
        "money",
        "UPDATE passengers SET fare = 1 WHERE reference = '{booking}' AND ticket_no = 2",
        "ticket {booking}/2 (booked): fare 1, charged 260.00;",
    ),
    (
        "money",
        "INSERT INTO payments VALUES (1, '{booking}', 1, 2, 'refund', 10, now())",
        "ticket {booking}/1 (booked): fare 260.00, charged 260.00; refund 0.00, paid back 10",
    ),
    (
        "money",
        "UPDATE passengers SET refund = 10 WHERE reference = '{booking}' AND ticket_no = 1",
        "refund 10, paid back 0",
    ),
    (
        "money",
        "UPDATE passengers SET refund = 300 WHERE reference = '{booking}' AND ticket_no = 1;"
        "INSERT INTO payments VALUES (1, '{booking}', 1, 2, 'refund', 300, now())",
        "refund 300, paid back 300",
    ),
    (
        "money",
        "INSERT INTO payments VALUES (1, '{hold}', 1, 1, 'charge', 260, now())",
        "ticket {hold}/1 (held): fare 260.00, charged 260;",
    ),
    (
        "money",
        "UPDATE passengers SET booked_at = NULL WHERE reference = '{booking}' AND ticket_no = 1;"
        "DELETE FROM payments WHERE reference = '{booking}' AND ticket_no = 1",
        "ticket {booking}/1 (booked)",
    ),
    (
        "refund",
        "UPDATE passengers SET alight_refunds = '{{17,8,3}}' WHERE reference = '{ended}'",
        "ticket {ended}/1 (booked): fare 260.00, refund 20.00, by its terms 8",
    ),
    (
        "refund",
        "UPDATE passengers SET refund_percent = 10 WHERE reference = '{left}'",
        "ticket {left}/1 (cancelled): fare 260.00, refund 140.00, by its terms 44.00",
    ),
    (
        "refund",
        "UPDATE passengers SET refund = fare WHERE reference = '{left}'",
        "ticket {left}/1 (cancelled): fare 260.00, refund 260.00, by its terms 140.00",
    ),
    (
        "refund",
        'UPDATE passengers SET refund_tiers = \'[{{"hours": 0, "percent": "10"}}]\' '
        "WHERE reference = '{left}'",
        "ticket {left}/1 (cancelled): fare 260.00, refund 140.00, by its terms 44.00",
    ),
    (
        "half_booked",
        "UPDATE passengers SET travel_date = '2026-12-06' WHERE reference = '{booking}' AND ticket_no = 2",
        "booking {booking}: 1 booked 2026-12-05, 2 booked 2026-12-06",
    ),
    (
        "half_booked",
        "UPDATE passengers SET status = 'expired' WHERE reference = '{booking}' AND ticket_no = 2",
        "booking {booking}: 1 booked 2026-12-05, 2 expired 2026-12-05",
    ),
    (
        "half_booked",
        "UPDATE passengers SET status = 'held', expires_at = '2027-01-01' "
        "WHERE reference = '{booking}' AND ticket_no = 2",
        "booking {booking}: 1 booked 2026-12-05, 2 held 2026-12-05",
    ),
    (
        "half_booked",
        "UPDATE passengers SET phone = '+4420794600958' WHERE reference = '{booking}' AND ticket_no = 2",
        "booking {booking}:",
    ),
    (
        "half_booked",
        "DELETE FROM passengers WHERE reference = '{hold}' AND ticket_no = 1",
        "booking {hold}: 2 held",
    ),
    (
        "answered_twice",
        "INSERT INTO idempotency_keys "
        "SELECT bus_id, caller, 'again', method, digest, answer, at FROM idempotency_keys",
        "booking {booking} is the answer to 2 requests",
    ),
    (
        "answer_lost",
        'UPDATE idempotency_keys SET answer = answer || \'{{"reference": "BZZZZZ"}}\'',
        "the answer to the request with key k is booking BZZZZZ, which does not exist",
    ),
    (
        "unsettled",
        "UPDATE trips SET settle_at = NULL",
        "ticket {hold}/1 expires at",
    ),
    (
        "unsettled",
        "UPDATE trips SET settle_at = settle_at + interval '1 second' WHERE settle_at IS NOT NULL",
        "the trip is settled at",
    ),
    (
        "holder_kept",
        "INSERT INTO holders VALUES (1, '{hold}', 1, 'address:192.0.2.1', '2026-12-05', '2027-01-01');"
        "INSERT INTO holders VALUES (1, '{booking}', 2, 'account:asha', '2026-12-05', '2027-01-01')",
        "ticket {booking}/2 is neither held nor on the waitlist, but its holder is stored",
    ),
    (
        "outlasts_sale",
        "UPDATE bus_info SET sells_until = '-5 days'",
        "its stop is sold until 2026-11-30 ",
    ),
    (
        "wrongly_ended",
        "SELECT api.end_service(2, '2026-12-06');"
        "UPDATE bus_info SET last_date = '2026-12-07' WHERE bus_id = 2",
        "the trip is cancelled because the service had ended, but its last date is 2026-12-07",
    ),
    (
        "sold_by_two_trips",
        "UPDATE bus_info SET runs_on = '{{}}', repeat_legs = 1 WHERE bus_id = 2;"
        "UPDATE trips SET state = 'cancelled' WHERE bus_id = 2;"
        "UPDATE trips SET state = 'open' WHERE bus_id = 2 AND travel_date IN ('2026-12-02', '2026-12-03');"
        "UPDATE route_table SET arrives = '80:00' WHERE bus_id = 2 AND stop_no = 4",
        "the trip begins before the end of the trip of 2026-12-02",
    ),
    (
        "kept_waiting",
        "UPDATE passengers SET status = 'cancelled' WHERE reference = '{hold}';"
        "UPDATE seats SET taken = '{{}}' WHERE seat_no IN (3, 4)",
        "booking {waiting} waits for 1 seat on segment [1,5), free seats: 2",
    ),
    (
        "hidden_characters",
        "INSERT INTO accounts SELECT name, '', NULL, 'traveller', NULL, now()"
        " FROM unnest(ARRAY['asha', U&'as\\200Dha', U&'ravi\\2764\\FE0F']) AS name"
        " WHERE name NOT IN (SELECT username FROM accounts)",
        'the usernames "asha" and "as\\u200dha" look the same',
    ),
    (
        "hidden_characters",
        "UPDATE passengers SET name = U&'Asha\\202E' WHERE reference = '{booking}' AND ticket_no = 1",
        'ticket {booking}/1: the name is "Asha\\u202e"',
    ),
    (
        "hidden_characters",
        "UPDATE passengers SET name = U&'Asha\\+0E0041' WHERE reference = '{booking}' AND ticket_no = 1",
        'ticket {booking}/1: the name is "Asha\\U000e0041"',
    ),
    (
        "hidden_characters",
        "UPDATE passengers SET name = U&'\\3164' WHERE reference = '{booking}' AND ticket_no = 1",
        'ticket {booking}/1: the name is "\\u3164"',
    ),
    (
        "hidden_characters",
        "UPDATE passengers SET infant = U&'Devi\\202E' WHERE reference = '{booking}' AND ticket_no = 1",
        'ticket {booking}/1: the name is "Devi\\u202e"',
    ),
    (
        "fare_parts",
        'UPDATE passengers SET fare_parts = \'[{{"part": "segment", "amount": "259.00"}}]\' '
        "WHERE reference = '{booking}' AND ticket_no = 1",
        "ticket {booking}/1: fare 260.00, its parts ",
    ),
    (
        "fare_parts",
        "UPDATE passengers SET promo_no = 1 WHERE reference = '{booking}' AND ticket_no = 1",
        "ticket {booking}/1: fare 260.00, its parts ",
    ),
    (
        "own_seats",
        "UPDATE trips SET own_seats = jsonb_build_object('layout', 'ss')"
        " WHERE (bus_id, travel_date) = (1, '2026-12-05')",
        "the layout of the trip has 2 seats, on sale are {{1,2,",
    ),
    (
        "former_seat",
        "UPDATE passengers SET former_seat = 7 WHERE reference = '{booking}'",
        "former seat 7",
    ),
    (
        "promo_code",
        "INSERT INTO promo_codes (operator, code, percent, max_uses) VALUES ('KSRTC', 'DASARA', 10, 1);"
        "UPDATE passengers SET promo_no = (SELECT promo_no FROM promo_codes) WHERE reference = '{booking}'",
        "promo code DASARA of KSRTC: 2 uses, at most 1",
    ),
    (
        "assigned_times",
        "UPDATE assignments SET period = tstzrange(lower(period), upper(period) + interval '1 hour') "
        "WHERE vehicle IS NOT NULL",
        "vehicle KA1 is assigned for",
    ),
    (
        "assigned_twice",
        "ALTER TABLE assignments DROP CONSTRAINT driver_on_one_trip;"
        "UPDATE bus_info SET operator = 'KSRTC';"
        "INSERT INTO assignments SELECT 2, travel_date, 1, s.operator, NULL, 'D1', "
        "period FROM assignments, bus_info s WHERE s.bus_id = 2 AND vehicle IS NOT NULL",
        "driver D1 is also on the trip of 2026-12-05 of service 2",
    ),
    ("assigned_wrongly", "UPDATE trips SET state = 'cancelled' WHERE bus_id = 1", "the trip is cancelled"),
    (
        "assigned_wrongly",
        "UPDATE bus_info SET operator = 'SRS Travels' WHERE bus_id = 1",
        "vehicle KA1 of KSRTC: the trip is operated by SRS Travels",
    ),
    ("assigned_wrongly", "UPDATE vehicles SET layout = 's'", "seats are missing: 1, 2, 3, 4, 5, 6, 7, 8"),
]


@pytest.fixture
def references(database: Database, clock: Clock) -> dict[str, str]:
    """A trip with tickets in every status, a vehicle and a driver: the references of five bookings."""
    database.query("UPDATE bus_info SET alight_refund_percent = 25 WHERE bus_id = 1")
    with SchemaApi.open(database) as api:
        booking = api.write("book", "k", **sale(1, 2))
        hold = api.hold(3, 4)
        api.cancel(api.book(5, 6, 7), 2)
        ended = api.change("alight", api.book(8, phone=RAVI), at=3, phone=RAVI)
        left = api.cancel(api.change("alight", api.book(6), at=3))
        api.book(6, phone=RAVI)
        waiting = api.book(count=1, waitlist=True)
        api.conn.execute("INSERT INTO vehicles SELECT operator, 'KA1', layout FROM bus_info WHERE bus_id = 1")
        api.conn.execute("INSERT INTO drivers VALUES ('KSRTC', 'D1', 'Kumar')")
        api.conn.execute(
            "INSERT INTO assignments SELECT 1, %s, n, operator, vehicle, driver, api.trip_period(s, %s) "
            "FROM bus_info s, (VALUES (0, 'KA1', NULL), (1, NULL, 'D1')) AS a (n, vehicle, driver) "
            "WHERE bus_id = 1",
            (DAY, DAY),
        )
        return {name: answer["reference"] for name, answer in locals().items() if isinstance(answer, dict)}


@pytest.mark.parametrize(("rule", "statements", "finding"), BROKEN)
def test_broken_rule_is_found(
    database: Database, references: dict[str, str], rule: str, statements: str, finding: str
) -> None:
    for statement in statements.format(**references).split(";"):
        database.query(statement)
    findings = audit(database.conn)
    assert any(found[0] == rule and finding.format(**references) in found[3] for found in findings), findings
    assert {found[1] for found in findings} <= {1, 2, None}


def test_list_of_broken_rules_is_complete(database: Database) -> None:
    source = database.value("SELECT prosrc FROM pg_proc WHERE oid = 'api.audit'::regproc")
    rules = {line.split("'")[1] for line in source.splitlines() if line.strip().startswith("SELECT '")}
    assert rules == {rule for rule, _, _ in BROKEN}


def test_expired_holds_are_no_finding(database: Database, references: dict[str, str], clock: Clock) -> None:
    clock.advance(days=30)
    assert audit(database.conn) == []


def test_joined_names_are_no_finding(database: Database, references: dict[str, str]) -> None:
    database.query("UPDATE passengers SET name = 'അവന്‍ 👩🏽‍⚕️'")
    database.query("INSERT INTO accounts VALUES ('അവന്‍', '', NULL, 'traveller', NULL, now())")
    assert audit(database.conn) == []


def test_finding_names_service_and_date(database: Database, references: dict[str, str]) -> None:
    database.query("UPDATE seats SET taken = '{[1,2)}' WHERE bus_id = 2 AND travel_date = %s", DAY)
    findings = audit(database.conn)
    assert [(rule, bus_id, str(day)) for rule, bus_id, day, _ in findings] == [("taken", 2, DAY)] * 4


# scripts/audit ---------------------------------------------------------------------------------


def run_script(database: Database, owner_url: str | None = None) -> tuple[int, str]:
    """Run scripts/audit on a database; return its exit status and output."""
    urls = {"DATABASE_URL": database.server, "BUSWARE_OWNER_URL": owner_url or database.owner}
    ran = subprocess.run(
        [PROJECT / "scripts" / "audit"],
        env={**os.environ, **urls},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout


def test_script_reports_no_finding(database: Database, references: dict[str, str]) -> None:
    assert run_script(database) == (0, "Clean: every rule holds.\n")


def test_script_prints_a_line_for_each_finding(database: Database, references: dict[str, str]) -> None:
    database.query("DELETE FROM payments WHERE reference = %s AND ticket_no = 1", references["booking"])
    status, printed = run_script(database)
    assert status == 1
    assert printed == (
        f"money | 1 | {DAY} | ticket {references['booking']}/1 (booked): "
        "fare 260.00, charged 0; refund 0.00, paid back 0\n"
    )


def test_script_fails_without_database(database: Database) -> None:
    assert run_script(database, database.owner + "_missing") == (2, "")
