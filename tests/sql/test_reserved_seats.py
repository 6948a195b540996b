"""Seats for women and accessible seats: seats 1 and 2 are for women, seat 8 is accessible."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Database
from tests.support.schema_api import ASHA, DAY, RAVI, Answer, SchemaApi

WOMAN, MAN, UNKNOWN = {"name": "Asha", "gender": "female"}, {"name": "Ravi", "gender": "male"}, {"name": "X"}
WHEELCHAIR = {"name": "Meera", "accessible": True}


@pytest.fixture(autouse=True)
def reserved(database: Database) -> None:
    database.query("UPDATE bus_info SET women_seats = '{1,2}', accessible_seats = '{8}' WHERE bus_id = 1")


def seats_of(booking: Answer) -> list[int]:
    return [ticket["seat_no"] for ticket in booking["tickets"]]


@pytest.mark.parametrize(
    ("seats", "passengers", "refused"),
    [
        ([1], [WOMAN], []),
        ([1, 3], [WOMAN, MAN], []),
        ([3, 1], [WOMAN, MAN], [1]),
        ([1, 2], [WOMAN], [2]),
        ([1], [MAN], [1]),
        ([2, 1], [UNKNOWN, MAN], [1, 2]),
        ([2], None, [2]),
        ([8], [WHEELCHAIR], []),
        ([8, 3], [WHEELCHAIR, MAN], []),
        ([3, 8], [WHEELCHAIR, MAN], [8]),
        ([8], [WOMAN], [8]),
    ],
)
def test_chosen_seats(api: SchemaApi, seats: list[int], passengers: Any, refused: list[int]) -> None:
    before = api.everything()
    answer = api.book(*seats, passengers=passengers)
    if not refused:
        assert seats_of(answer) == seats
        return
    assert (answer["reason"], answer["seats"]) == ("reserved_seat", refused)
    women = [p.get("gender") for p in passengers or []] == ["female"] * len(seats)
    assert answer["free_seats"] == [n for n in ([1, 2] if women else []) + [3, 4, 5, 6, 7] if n not in seats]
    assert api.everything() == before


def test_message_says_what_would_be_right(api: SchemaApi) -> None:
    assert api.book(1)["message"] == (
        "Seat 1 is for women. Give `gender` of the passenger, or choose another seat. Free: 3, 4, 5, 6, 7."
    )
    assert api.book(8)["message"] == (
        "Seat 8 is an accessible seat. Ask for it with `accessible` of the passenger, or choose another seat."
        " Free: 3, 4, 5, 6, 7."
    )


def test_seats_by_count(api: SchemaApi) -> None:
    assert seats_of(api.book(count=5)) == [3, 4, 5, 6, 7]
    assert seats_of(api.book(count=2, passengers=[WOMAN, WOMAN])) == [1, 2]
    assert seats_of(api.book(count=1)) == [8]  # nothing else is free


def test_a_party_of_women_may_have_any_seat(api: SchemaApi) -> None:
    assert set(seats_of(api.book(count=6, passengers=[WOMAN] * 6))) <= {1, 2, 3, 4, 5, 6, 7}


def test_accessible_seat_goes_to_the_passenger_who_asks_for_it(api: SchemaApi) -> None:
    assert seats_of(api.book(count=3, passengers=[MAN, WHEELCHAIR, MAN]))[1] == 8
    assert seats_of(api.book(count=1, passengers=[WHEELCHAIR]))[0] in {3, 4, 5, 6, 7}


def test_sold_out_names_the_seats_for_women(api: SchemaApi) -> None:
    api.book(3, 4, 5, 6, 7)
    api.book(8, passengers=[WHEELCHAIR])
    refusal = api.book(count=1)
    assert (refusal["reason"], refusal["seats_free"], refusal["women_seats"]) == ("sold_out", 0, [1, 2])
    assert refusal["message"] == (
        "No seat is free between Bengaluru and Mysuru. For a party of women: seats 1 and 2."
    )
    assert seats_of(api.book(count=1, passengers=[WOMAN])) == [1]


def test_accessible_seat_is_sold_to_anyone_when_no_other_is_free(api: SchemaApi) -> None:
    api.book(3, 4, 5, 6, 7)
    assert seats_of(api.book(8, passengers=[MAN])) == [8]


def test_change_of_seats(api: SchemaApi) -> None:
    booking = api.book(3, 4, 5, passengers=[WOMAN, MAN, WHEELCHAIR])
    assert api.change("change_seat", booking, ticket_no=2, seat_no=1)["seats"] == [1]
    assert api.change("change_seat", booking, ticket_no=2, seat_no=8)["reason"] == "reserved_seat"
    assert seats_of(api.change("change_seat", booking, ticket_no=1, seat_no=1)) == [1, 4, 5]
    assert seats_of(api.change("change_seat", booking, ticket_no=3, seat_no=8)) == [1, 4, 8]


def test_waitlist(api: SchemaApi) -> None:
    api.book(1, passengers=[WOMAN])
    women = api.book(2, passengers=[WOMAN])
    others = api.book(3, 4, 5, 6, 7)
    api.book(8, passengers=[WHEELCHAIR])
    man = api.book(count=1, passengers=[MAN], waitlist=True, phone=RAVI)
    woman = api.book(count=1, passengers=[WOMAN], waitlist=True, phone=RAVI)
    api.cancel(women)
    assert seats_of(api.show(woman, phone=RAVI)) == [2]
    assert api.show(man, phone=RAVI)["status"] == "pending"
    api.cancel(others, 3)
    assert seats_of(api.show(man, phone=RAVI)) == [5]


def test_reserved_seats_are_shown(api: SchemaApi) -> None:
    seats = api.read("seat_map", bus_id=1, travel_date=DAY, from_stop=1, to_stop=5)["seats"]
    assert [seat.get("reserved_for") for seat in seats] == ["women"] * 2 + [None] * 5 + ["accessible"]
    api.book(1, 3, passengers=[WOMAN, MAN])
    (trip,) = (
        trip
        for trip in api.read("search", origin="Bengaluru", destination="Mysuru", date=DAY)["trips"]
        if trip["bus_id"] == 1
    )
    assert (trip["seats_free"], trip["women_seats_free"], trip["accessible_seats_free"]) == (6, 1, 1)


def test_booking_and_manifest_show_gender_and_accessible(api: SchemaApi, database: Database) -> None:
    database.query("INSERT INTO accounts VALUES ('meera', '', NULL, 'operator', 'KSRTC', now())")
    booking = api.book(1, 8, 3, passengers=[WOMAN, WHEELCHAIR, UNKNOWN])
    shown = [(ticket.get("gender"), ticket.get("accessible")) for ticket in booking["tickets"]]
    assert shown == [("female", None), (None, True), (None, None)]
    (first, _) = api.read("manifest", account="meera", bus_id=1, travel_date=DAY)["stops"]
    assert [(p.get("gender"), p.get("accessible")) for p in first["boards"]] == [
        ("female", None), (None, None), (None, True),
    ]  # fmt: skip


def test_blocked_seats_are_marked_for_the_operator(api: SchemaApi, database: Database) -> None:
    database.query("INSERT INTO accounts VALUES ('meera', '', NULL, 'operator', 'KSRTC', now())")
    api.write("block_seats", account="meera", bus_id=1, travel_date=DAY, seats=[4], to_stop=3)

    def marked(from_stop: int, **caller: str) -> list[int]:
        shown = api.read("seat_map", bus_id=1, travel_date=DAY, from_stop=from_stop, to_stop=5, **caller)
        return [seat["seat_no"] for seat in shown["seats"] if seat.get("blocked")]

    assert marked(1, account="meera") == [4]
    assert marked(3, account="meera") == marked(1) == marked(1, account="ravi") == []


passenger = st.fixed_dictionaries(
    {}, optional={"gender": st.sampled_from(["female", "male", "other"]), "accessible": st.booleans()}
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parties=st.lists(st.lists(passenger, min_size=1, max_size=3), min_size=1, max_size=6))
def test_seats_by_count_follow_the_reservations(api: SchemaApi, parties: list[list[dict[str, Any]]]) -> None:
    booked = []
    for party in parties:
        answer = api.book(count=len(party), passengers=party, phone=ASHA)
        if "reason" in answer:
            continue
        booked.append(answer)
        for ticket in answer["tickets"]:
            assert ticket["seat_no"] not in {1, 2} or ticket.get("gender") == "female"
        asking = [ticket["seat_no"] for ticket in answer["tickets"] if ticket.get("accessible")]
        seats = seats_of(answer)
        assert len(set(seats)) == len(party)
        if asking and 8 in seats:
            assert 8 in asking
    for booking in booked:
        api.cancel(booking)
