"""`api.batch`: many calls in one transaction, each with its own answer.

The order of calls, idempotency keys, deferred calls of locked trips, and errors.
"""

from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Clock, Database
from tests.support.schema_api import (
    ASHA,
    DAY,
    OTHER_DAY,
    RAVI,
    Answer,
    SchemaApi,
    book,
    call,
    outcomes_of,
    sale,
)

# Order -----------------------------------------------------------------------------------------


def test_empty_batch(api: SchemaApi) -> None:
    assert api.batch() == []


def test_batch_of_one_call(api: SchemaApi) -> None:
    (answer,) = api.batch(book(1))
    assert answer == api.show(answer)


def test_calls_are_executed_in_order(api: SchemaApi) -> None:
    answers = api.batch(book(1), book(1), book(2), book(2, 3), book(3))
    assert outcomes_of(answers) == ["booked", "seat_taken", "booked", "seat_taken", "booked"]


def test_call_sees_the_effects_of_earlier_calls(api: SchemaApi) -> None:
    first, second = api.hold(1), api.book(2)
    answers = api.batch(
        call("release", reference=first["reference"], phone=ASHA),
        book(1, phone=RAVI),
        book(2, phone=RAVI),
        call("cancel", reference=second["reference"], phone=ASHA),
        book(2, phone=RAVI),
    )
    assert outcomes_of(answers) == ["cancelled", "booked", "seat_taken", "cancelled", "booked"]


def test_batch_with_several_trips_and_methods(api: SchemaApi, database: Database) -> None:
    hold = api.hold(1)
    answers = api.batch(
        book(5, bus_id=2, from_stop=1, to_stop=2),
        book(1, travel_date=OTHER_DAY),
        call("confirm", reference=hold["reference"], phone=ASHA),
        book(1, bus_id=99),
        book(1, travel_date="2030-01-01"),
        call("cancel", reference="BAAAAA", phone=ASHA),
        call("hold", **sale(2)),
        call("settle", bus_id=1, travel_date=DAY),
        call("settle", bus_id=99, travel_date=DAY),
    )
    assert outcomes_of(answers[:4]) == ["unknown_seat", "booked", "booked", "unknown_trip"]
    assert outcomes_of(answers[4:7]) == ["unknown_trip", "unknown_booking", "held"]
    assert answers[7:] == [{}, {}]
    assert database.value("SELECT count(*) FROM payments") == 2


def test_answers_show_the_bookings_after_the_whole_batch(api: SchemaApi, database: Database) -> None:
    full = [api.book(1, 2, 3, 4), api.book(5, 6, 7, 8)]
    answers = api.batch(
        book(count=1, waitlist=True, phone=RAVI),
        call("cancel", reference=full[0]["reference"], phone=ASHA, tickets=[1]),
        call("cancel", reference=full[0]["reference"], phone=ASHA, tickets=[2]),
    )
    assert outcomes_of(answers) == ["booked", "booked", "booked"]
    assert answers[1] == answers[2]
    assert answers[2]["refund"] == "260.00"
    assert database.value("SELECT count(*) FROM payments WHERE kind = 'refund'") == 2
    assert database.value("SELECT count(*) FROM payments WHERE kind = 'charge'") == 9


def test_batch_settles_the_trip_first(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1, 2)
    clock.advance(minutes=10)
    answers = api.batch(book(1), call("confirm", reference=hold["reference"], phone=ASHA), book(2), book(2))
    assert outcomes_of(answers) == ["booked", "hold_expired", "booked", "seat_taken"]


# Idempotency -----------------------------------------------------------------------------------


def test_repeated_key_returns_the_first_answer(api: SchemaApi, clock: Clock) -> None:
    (first,) = api.batch(book(1, key="k"))
    before = api.everything()
    assert api.batch(book(1, key="k")) == [first]
    assert api.write("book", "k", **sale(1)) == first
    assert api.everything() == before
    clock.advance(hours=47)
    api.cancel(first)
    assert api.batch(book(1, key="k")) == [first]  # the first answer, not the current state
    assert api.free() == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("other", [{"seats": [2]}, {"travel_date": OTHER_DAY}, {"waitlist": True}])
def test_key_with_other_content_is_refused(api: SchemaApi, other: dict[str, Any]) -> None:
    api.batch(book(1, key="k"))
    before = api.everything()
    (refusal,) = api.batch(call("book", "k", **{**sale(1), **other}))
    assert refusal == {
        "reason": "key_reused",
        "message": "This key was used for another request. A new request needs a new key.",
    }
    assert outcomes_of(api.batch(call("hold", "k", **sale(1)))) == ["key_reused"]
    assert api.everything() == before


def test_key_is_unique_per_service_and_owner(api: SchemaApi) -> None:
    answers = api.batch(
        book(1, key="k"),
        book(1, key="k", bus_id=2),
        book(2, key="k", phone=RAVI),
        book(3, key="k", phone=None, account="asha"),
        book(4, key="k", phone=None, account="ravi"),
    )
    assert outcomes_of(answers) == ["booked"] * 5
    assert len({answer["reference"] for answer in answers}) == 5


@pytest.mark.parametrize("accounts", [(None, "asha"), ("asha", None), ("asha", "ravi")])
def test_key_with_the_same_phone_is_the_same_request_for_any_account(
    api: SchemaApi, database: Database, accounts: tuple[str | None, str | None]
) -> None:
    first, again = (book(1, 2, key="k", **({"account": name} if name else {})) for name in accounts)
    answers = api.batch(first, again)
    assert outcomes_of(answers) == ["booked", None]
    assert api.batch(again, first) == [answers[0], answers[0]]
    assert database.query("SELECT DISTINCT account FROM passengers") == [accounts[0]]
    before = api.everything()
    assert outcomes_of(api.batch(call("hold", "k", **again["args"]))) == ["key_reused"]
    assert api.everything() == before
    assert outcomes_of(api.batch(book(3, key="k", phone=RAVI))) == ["booked"]


@pytest.mark.parametrize("phones", [(ASHA, RAVI), (None, ASHA), (ASHA, None)])
def test_key_with_another_phone_is_refused_for_the_same_account(
    api: SchemaApi, phones: tuple[str | None, str | None]
) -> None:
    first, other = (book(1, key="k", phone=phone, account="asha") for phone in phones)
    assert outcomes_of(api.batch(first)) == ["booked"]
    assert outcomes_of(api.batch(other)) == ["key_reused"]


@pytest.mark.parametrize("phones", [(ASHA, RAVI), (None, ASHA), (ASHA, None), (None, None)])
def test_second_call_with_a_key_of_the_same_account_is_deferred(
    api: SchemaApi, phones: tuple[str | None, str | None]
) -> None:
    first, other = (book(1, key="k", phone=phone, account="asha") for phone in phones)
    others = book(2, key="k", phone=None, account="ravi"), book(3, key="k", phone="+919900000001")
    assert outcomes_of(api.batch(first, other, *others)) == ["booked", None, "booked", "booked"]
    assert outcomes_of(api.batch(other)) == ["booked" if phones[0] == phones[1] else "key_reused"]


def test_key_with_records_of_account_and_phone_gets_the_answer_to_the_same_request(api: SchemaApi) -> None:
    (by_phone,) = api.batch(book(1, key="k"))
    (by_account,) = api.batch(book(2, key="k", phone=None, account="asha"))
    assert api.batch(book(1, key="k", account="asha")) == [by_phone]
    assert api.batch(book(2, key="k", phone=None, account="asha")) == [by_account]
    assert outcomes_of(api.batch(book(3, key="k", account="asha"))) == ["key_reused"]


def test_key_of_the_previous_version_is_found_by_its_account(api: SchemaApi, database: Database) -> None:
    """Its record belongs to the account only, and its digest contains the account."""
    (first,) = api.batch(book(1, key="k", account="asha"))
    database.query("DELETE FROM idempotency_keys WHERE caller LIKE 'phone:%'")
    database.query(
        "UPDATE idempotency_keys SET digest = api.request_digest('book', %s)",
        Jsonb(book(1, account="asha")["args"]),
    )
    assert api.batch(book(1, key="k", account="asha")) == [first]
    assert outcomes_of(api.batch(book(2, key="k", account="asha"))) == ["key_reused"]
    assert outcomes_of(api.batch(book(3, key="k"))) == ["booked"]


def test_answer_about_a_booking_is_only_for_callers_who_may_open_it(api: SchemaApi) -> None:
    """The account opened the booking, with a phone number that does not."""
    (booked,) = api.batch(book(1, account="asha"))
    cancel = {"reference": booked["reference"], "phone": RAVI}
    (cancelled,) = api.batch(call("cancel", "k", account="asha", **cancel))
    assert cancelled["status"] == "cancelled"
    assert outcomes_of(api.batch(call("cancel", "k", **cancel))) == ["unknown_booking"]
    assert outcomes_of(api.batch(call("cancel", "k", account="ravi", **cancel))) == ["unknown_booking"]
    assert api.batch(call("cancel", "k", account="asha", **cancel)) == [cancelled]


def test_every_write_accepts_a_key(api: SchemaApi) -> None:
    hold, full = api.hold(1, 2, 3, 4), api.book(5, 6, 7, 8)
    booking = {"reference": hold["reference"], "phone": ASHA}
    calls = [
        call("confirm", "1", **booking),
        call("change_seat", "2", ticket_no=1, seat_no=1, **booking),
        call("alight", "3", tickets=[2], at=3, **booking),
        call("cancel", "4", tickets=[3], **booking),
        call("cancel", "5", reference=full["reference"], phone=ASHA),
        call(
            "release",
            "6",
            reference=api.hold(8, travel_date=OTHER_DAY)["reference"],
            phone=ASHA,
        ),
    ]
    answers = [api.batch(one_call) for one_call in calls]
    assert all(answer["status"] in ("booked", "cancelled") for (answer,) in answers)
    before = api.everything()
    assert [api.batch(one_call) for one_call in calls] == answers
    assert api.batch(*calls) == [answer for (answer,) in answers]
    assert api.everything() == before


def test_refusal_is_not_recorded(api: SchemaApi) -> None:
    taken = api.book(1)
    assert outcomes_of(api.batch(book(1, key="k"))) == ["seat_taken"]
    api.cancel(taken)
    assert outcomes_of(api.batch(book(1, key="k"))) == ["booked"]


def test_calls_without_key_are_independent(api: SchemaApi) -> None:
    answers = api.batch(book(), book())
    assert answers[0]["reference"] != answers[1]["reference"]
    assert api.conn.execute("SELECT count(*) FROM idempotency_keys").fetchone() == (0,)


def test_second_call_with_a_key_is_deferred_to_the_next_batch(api: SchemaApi) -> None:
    first, second = api.batch(book(1, key="k"), book(1, key="k"))
    assert second is None
    assert api.batch(book(1, key="k")) == [first]
    answers = api.batch(book(2, key="m"), book(3, key="m"), book(2, key="m"))
    assert outcomes_of(answers) == ["booked", None, None]
    assert outcomes_of(api.batch(book(3, key="m"), book(2, key="m"))) == ["key_reused", "booked"]
    assert api.seats("taken") == [1, 2]


def test_call_with_the_key_of_a_refused_call_is_executed(api: SchemaApi) -> None:
    answers = api.batch(book(1), book(1, key="k"), book(2, key="k"), book(3, key="k"))
    assert outcomes_of(answers) == ["booked", "seat_taken", "booked", None]


def test_idempotency_keys_are_deleted_after_two_days(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    api.batch(book(1, key="old"))
    clock.advance(hours=48)
    api.batch(book(2, key="new"))
    assert api.conn.execute("SELECT api.purge_idempotency_keys()").fetchone() == (0,)
    clock.advance(seconds=1)
    assert api.conn.execute("SELECT api.purge_idempotency_keys()").fetchone() == (1,)
    assert database.query("SELECT key FROM idempotency_keys") == ["new"]
    assert api.conn.execute("SELECT api.purge_idempotency_keys(interval '1 second')").fetchone() == (0,)


# Query plans -----------------------------------------------------------------------------------


def test_plans_made_for_empty_tables_do_not_scan_them_later(api: SchemaApi, database: Database) -> None:
    """The tables have no statistics, as on the first day of a server, and the connection keeps its plans."""
    for n in range(12):
        for bus_id in (1, 2):
            api.batch(
                *[book(key=f"{n} {d}", travel_date=f"2026-12-{d:02}", bus_id=bus_id) for d in range(2, 10)]
            )
    api.conn.execute("SELECT pg_stat_force_next_flush()")
    read = "SELECT relname::text, seq_tup_read FROM pg_stat_user_tables WHERE relname = ANY (%s)"
    sales = ["trips", "seats", "passengers", "payments", "idempotency_keys"]
    assert dict(database.query(read, sales)) == dict.fromkeys(sales, 0)
    assert database.value("SELECT count(*) FROM passengers") > 50


def test_booking_does_not_read_the_contacts_of_other_bookings(api: SchemaApi) -> None:
    """The plan is made while there are no contacts, and is kept. The tables have no statistics."""
    for n in range(1, 13):
        api.batch(book(n, key=f"{n}", email="asha@example.org"))
    api.conn.execute("SELECT pg_stat_force_next_flush()")  # else the counters include the last second
    with api.conn.transaction():
        api.batch(book(13, key="13"))
        read = api.conn.execute(
            "SELECT (seq_tup_read + idx_tup_fetch)::int FROM pg_stat_xact_user_tables"
            " WHERE relname = 'contacts'"
        ).fetchall()
    assert read == [(0,)]


# Deferral --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lock",
    [
        "SELECT FROM trips WHERE bus_id = 1 AND travel_date = '2026-12-05' FOR UPDATE",
        "UPDATE trips SET reason = 'Checked.' WHERE bus_id = 1 AND travel_date = '2026-12-05'",
        "INSERT INTO passengers (bus_id, reference, ticket_no, travel_date, segment, fare, refund_percent, "
        "status, created_at) VALUES (1, 'BBBBBB', 1, '2026-12-05', '[1,5)', 0, 0, 'cancelled', now())",
    ],
)
def test_calls_of_a_locked_trip_are_deferred_and_others_are_not(
    api: SchemaApi, database: Database, lock: str
) -> None:
    booking = {"reference": api.book(8)["reference"], "phone": ASHA}
    calls = [
        book(1, key="k"),
        book(1, travel_date=OTHER_DAY),
        call("cancel", **booking),
        book(1, bus_id=2),
        book(1, bus_id=99),
    ]
    with database.connect(autocommit=False) as psql:
        psql.execute(lock)
        answers = api.batch(*calls)  # does not wait for the lock
        assert outcomes_of(answers) == [None, "booked", None, "booked", "unknown_trip"]
        assert outcomes_of(api.batch(calls[0], calls[2])) == [None, None]
        psql.rollback()
    assert outcomes_of(api.batch(calls[0], calls[2])) == ["booked", "cancelled"]


def test_recorded_answer_is_returned_while_the_trip_is_locked(api: SchemaApi, database: Database) -> None:
    answered = api.batch(book(1, key="k"))
    with database.connect(autocommit=False) as psql:
        psql.execute("SELECT FROM trips FOR UPDATE")
        assert api.batch(book(1, key="k")) == answered


def test_recorded_answer_waits_for_the_synchronous_standby(api: SchemaApi, database: Database) -> None:
    """Its transaction writes, so its commit waits; the recorded call may not have reached the standby."""
    answered = api.batch(book(1, key="k"))
    with database.connect(autocommit=False) as psql, database.connect(autocommit=False) as repeating:
        psql.execute("SELECT FROM trips FOR UPDATE")
        assert SchemaApi(repeating).batch(book(1, key="k")) == answered
        ((written_by,),) = repeating.execute("SELECT pg_current_xact_id_if_assigned()::text").fetchall()
        assert written_by is not None


def test_locks_of_other_rows_do_not_defer_a_call(api: SchemaApi, database: Database) -> None:
    with database.connect(autocommit=False) as psql:
        psql.execute("SELECT FROM bus_info FOR SHARE")
        psql.execute("SELECT FROM trips WHERE travel_date = %s FOR UPDATE", (OTHER_DAY,))
        assert outcomes_of(api.batch(book(1), book(1, travel_date=OTHER_DAY))) == ["booked", None]


# Errors ----------------------------------------------------------------------------------------


def sqlstate_of_batch(api: SchemaApi, *calls: Answer) -> str:
    """The SQLSTATE with which a batch fails; checks that it changed nothing."""
    before = api.everything()
    with pytest.raises(psycopg.Error) as error:
        api.conn.execute("SELECT * FROM api.batch(%s)", (Jsonb(calls),))
    assert api.everything() == before
    return error.value.sqlstate or ""


def test_error_undoes_the_batch_and_its_other_calls_succeed_alone(api: SchemaApi) -> None:
    calls = [book(1), call("book", **{**sale(2), "travel_date": "soon"}), book(3)]
    assert sqlstate_of_batch(api, *calls) == "22007"
    assert sqlstate_of_batch(api, calls[1]) == "22007"
    assert outcomes_of(api.batch(calls[0])) == outcomes_of(api.batch(calls[2])) == ["booked"]


def test_wrong_taken_column_fails_a_batch_until_the_trip_is_recounted(
    api: SchemaApi, database: Database
) -> None:
    api.book(1)
    database.query("UPDATE seats SET taken = '{}' WHERE bus_id = 1 AND seat_no = 1")
    calls = [book(2), book(1, phone=RAVI), book(1, travel_date=OTHER_DAY)]
    assert sqlstate_of_batch(api, *calls) == sqlstate_of_batch(api, calls[1]) == "23P01"
    assert api.conn.execute("SELECT api.recount_for(%s)", (Jsonb(calls[1]["args"]),)).fetchone() == (1,)
    assert outcomes_of(api.batch(*calls)) == ["booked", "seat_taken", "booked"]


def test_unknown_method_fails(api: SchemaApi) -> None:
    unknown = call("nonesuch", reference=api.book(1)["reference"], phone=ASHA)
    assert sqlstate_of_batch(api, book(2), unknown) == "20000"
