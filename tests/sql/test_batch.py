"""Schema api, the batch: many requests in one transaction, each with an answer of its own.

Order, idempotency, deferral of what somebody else holds, and what a fault does to the others.
"""

from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from busware.server.db.pool import SESSION
from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, OTHER_DAY, RAVI, Answer, SchemaApi, book, call, reasons, sale

# Order -----------------------------------------------------------------------------------------


def test_an_empty_batch(api: SchemaApi) -> None:
    assert api.batch() == []


def test_a_batch_of_one(api: SchemaApi) -> None:
    (answer,) = api.batch(book(1))
    assert answer == api.show(answer)


def test_members_are_decided_in_their_order(api: SchemaApi) -> None:
    answers = api.batch(book(1), book(1), book(2), book(2, 3), book(3))
    assert reasons(answers) == ["booked", "seat_taken", "booked", "seat_taken", "booked"]


def test_a_member_sees_what_those_before_it_did(api: SchemaApi) -> None:
    first, second = api.hold(1), api.book(2)
    answers = api.batch(
        call("release", reference=first["reference"], phone=ASHA),
        book(1, phone=RAVI),
        book(2, phone=RAVI),
        call("cancel", reference=second["reference"], phone=ASHA),
        book(2, phone=RAVI),
    )
    assert reasons(answers) == ["cancelled", "booked", "seat_taken", "cancelled", "booked"]


def test_a_batch_is_of_many_trips_and_methods(api: SchemaApi, database: Database) -> None:
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
    assert reasons(answers[:4]) == ["unknown_seat", "booked", "booked", "unknown_trip"]
    assert reasons(answers[4:7]) == ["unknown_trip", "unknown_booking", "held"]
    assert answers[7:] == [{}, {}]
    assert database.value("SELECT count(*) FROM payments") == 2


def test_answers_show_the_bookings_as_the_batch_leaves_them(api: SchemaApi, database: Database) -> None:
    full = [api.book(1, 2, 3, 4), api.book(5, 6, 7, 8)]
    answers = api.batch(
        book(count=1, waitlist=True, phone=RAVI),
        call("cancel", reference=full[0]["reference"], phone=ASHA, tickets=[1]),
        call("cancel", reference=full[0]["reference"], phone=ASHA, tickets=[2]),
    )
    assert reasons(answers) == ["booked", "booked", "booked"]
    assert answers[1] == answers[2]
    assert answers[2]["refund"] == "260.00"
    assert database.value("SELECT count(*) FROM payments WHERE kind = 'refund'") == 2
    assert database.value("SELECT count(*) FROM payments WHERE kind = 'charge'") == 9


def test_a_batch_settles_first(api: SchemaApi, clock: Clock) -> None:
    hold = api.hold(1, 2)
    clock.advance(minutes=10)
    answers = api.batch(book(1), call("confirm", reference=hold["reference"], phone=ASHA), book(2), book(2))
    assert reasons(answers) == ["booked", "hold_expired", "booked", "seat_taken"]


# Idempotency -----------------------------------------------------------------------------------


def test_a_key_is_answered_as_it_was_before(api: SchemaApi, clock: Clock) -> None:
    (first,) = api.batch(book(1, key="k"))
    before = api.everything()
    assert api.batch(book(1, key="k")) == [first]
    assert api.write("book", "asha", "k", **sale(1)) == first
    assert api.everything() == before
    clock.advance(hours=47)
    api.cancel(first)
    assert api.batch(book(1, key="k")) == [first]  # the answer of then, not the state of now
    assert api.free() == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("other", [{"seats": [2]}, {"travel_date": OTHER_DAY}, {"waitlist": True}])
def test_a_key_with_other_content_is_refused(api: SchemaApi, other: dict[str, Any]) -> None:
    api.batch(book(1, key="k"))
    before = api.everything()
    (refusal,) = api.batch(call("book", "k", **{**sale(1), **other}))
    assert refusal == {
        "reason": "key_reused",
        "message": "This key was used for another request. A new request takes a new key.",
    }
    assert reasons(api.batch(call("hold", "k", **sale(1)))) == ["key_reused"]
    assert api.everything() == before


def test_a_key_is_judged_within_one_bus_and_one_caller(api: SchemaApi) -> None:
    answers = api.batch(book(1, key="k"), book(1, key="k", bus_id=2), book(2, key="k", caller="ravi"))
    assert reasons(answers) == ["booked", "booked", "booked"]
    assert len({answer["reference"] for answer in answers}) == 3


def test_every_write_has_its_key(api: SchemaApi) -> None:
    hold, full = api.hold(1, 2, 3, 4), api.book(5, 6, 7, 8)
    mine = {"reference": hold["reference"], "phone": ASHA}
    calls = [
        call("confirm", "1", **mine),
        call("change_seat", "2", ticket_no=1, seat_no=1, **mine),
        call("alight", "3", tickets=[2], at=3, **mine),
        call("cancel", "4", tickets=[3], **mine),
        call("cancel", "5", reference=full["reference"], phone=ASHA),
        call(
            "release",
            "6",
            reference=api.hold(9 - 1, bus_id=1, travel_date=OTHER_DAY)["reference"],
            phone=ASHA,
        ),
    ]
    answers = [api.batch(one) for one in calls]
    assert all(answer["status"] in ("booked", "cancelled") for (answer,) in answers)
    before = api.everything()
    assert [api.batch(one) for one in calls] == answers
    assert api.batch(*calls) == [answer for (answer,) in answers]
    assert api.everything() == before


def test_a_refusal_is_not_remembered(api: SchemaApi) -> None:
    taken = api.book(1)
    assert reasons(api.batch(book(1, key="k"))) == ["seat_taken"]
    api.cancel(taken)
    assert reasons(api.batch(book(1, key="k"))) == ["booked"]


def test_without_a_key_every_request_is_a_new_one(api: SchemaApi) -> None:
    answers = api.batch(book(), book())
    assert answers[0]["reference"] != answers[1]["reference"]
    assert api.conn.execute("SELECT count(*) FROM idempotency_keys").fetchone() == (0,)


def test_a_key_twice_in_a_batch_is_answered_in_the_next(api: SchemaApi) -> None:
    first, second = api.batch(book(1, key="k"), book(1, key="k"))
    assert second is None
    assert api.batch(book(1, key="k")) == [first]
    answers = api.batch(book(2, key="m"), book(3, key="m"), book(2, key="m"))
    assert reasons(answers) == ["booked", None, None]
    assert reasons(api.batch(book(3, key="m"), book(2, key="m"))) == ["key_reused", "booked"]
    assert api.seats("taken") == [1, 2]


def test_the_record_of_a_request_is_kept_for_a_while(
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


# Cost ------------------------------------------------------------------------------------------


def test_a_table_that_was_empty_when_it_was_planned_for_is_not_read_whole(
    api: SchemaApi, database: Database
) -> None:
    """There are no statistics here, as on the first day of a server, and the writer keeps its plans."""
    for setting in SESSION.items():
        api.conn.execute("SELECT set_config(%s, %s, false)", setting)
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


# Deferral --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "held_by",
    [
        "SELECT FROM trips WHERE bus_id = 1 AND travel_date = '2026-12-05' FOR UPDATE",
        "UPDATE trips SET reason = 'Checked.' WHERE bus_id = 1 AND travel_date = '2026-12-05'",
        "INSERT INTO passengers (bus_id, reference, ticket_no, travel_date, segment, fare, refund_percent, "
        "status, created_at) VALUES (1, 'BBBBBB', 1, '2026-12-05', '[1,5)', 0, 0, 'cancelled', now())",
    ],
)
def test_what_somebody_else_holds_is_deferred_and_the_rest_goes_on(
    api: SchemaApi, database: Database, held_by: str
) -> None:
    booking = api.book(8)
    mine = {"reference": booking["reference"], "phone": ASHA}
    members = [
        book(1, key="k"),
        book(1, travel_date=OTHER_DAY),
        call("cancel", **mine),
        book(1, bus_id=2),
        book(1, bus_id=99),
    ]
    with database.connect(autocommit=False) as psql:
        psql.execute(held_by)
        answers = api.batch(*members)  # at once: it waits for nobody
        assert reasons(answers) == [None, "booked", None, "booked", "unknown_trip"]
        assert reasons(api.batch(members[0], members[2])) == [None, None]
        psql.rollback()
    assert reasons(api.batch(members[0], members[2])) == ["booked", "cancelled"]


def test_what_was_answered_is_answered_even_while_the_trip_is_held(
    api: SchemaApi, database: Database
) -> None:
    answered = api.batch(book(1, key="k"))
    with database.connect(autocommit=False) as psql:
        psql.execute("SELECT FROM trips FOR UPDATE")
        assert api.batch(book(1, key="k")) == answered


def test_a_row_beside_the_trips_holds_nobody_up(api: SchemaApi, database: Database) -> None:
    with database.connect(autocommit=False) as psql:
        psql.execute("SELECT FROM bus_info FOR SHARE")
        psql.execute("SELECT FROM trips WHERE travel_date = %s FOR UPDATE", (OTHER_DAY,))
        assert reasons(api.batch(book(1), book(1, travel_date=OTHER_DAY))) == ["booked", None]


# Faults ----------------------------------------------------------------------------------------


def fault(api: SchemaApi, *calls: Answer) -> str:
    """The SQLSTATE that a batch fails with; it leaves nothing behind."""
    before = api.everything()
    with pytest.raises(psycopg.Error) as error:
        api.conn.execute("SELECT * FROM api.batch(%s)", (Jsonb(calls),))
    assert api.everything() == before
    return error.value.sqlstate or ""


def test_a_fault_undoes_the_whole_batch_and_alone_each_member_stands(api: SchemaApi) -> None:
    members = [book(1), call("book", **{**sale(2), "travel_date": "soon"}), book(3)]
    assert fault(api, *members) == "22007"
    assert fault(api, members[1]) == "22007"
    assert reasons(api.batch(members[0])) == reasons(api.batch(members[2])) == ["booked"]


def test_a_seat_sold_by_hand_is_a_fault_until_the_trip_is_counted_anew(
    api: SchemaApi, database: Database
) -> None:
    api.book(1)
    database.query("UPDATE seats SET taken = '{}' WHERE bus_id = 1 AND seat_no = 1")
    members = [book(2), book(1, phone=RAVI), book(1, travel_date=OTHER_DAY)]
    assert fault(api, *members) == fault(api, members[1]) == "23P01"
    assert api.conn.execute("SELECT api.recount_for(%s)", (Jsonb(members[1]["args"]),)).fetchone() == (1,)
    assert reasons(api.batch(*members)) == ["booked", "seat_taken", "booked"]


def test_an_unknown_method_is_a_fault(api: SchemaApi) -> None:
    booking = api.book(1)
    assert fault(api, book(2), call("nonesuch", reference=booking["reference"], phone=ASHA)) == "20000"
