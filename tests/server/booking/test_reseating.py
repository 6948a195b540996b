"""Plans of seats for the passengers of an exchanged vehicle: rules that hold for every plan."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from busware.server.booking.reseating import Criteria, Party, Plan, Seat, Ticket, plan_seats
from busware.server.booking.reseating_problem import Rows


def bus(rows: int, columns: int = 4) -> list[Seat]:
    """A bus with one deck, of which the first row is of another class."""
    return [
        Seat(row * columns + column + 1, "main", row + 1, "gold" if row == 0 else None)
        for row in range(rows)
        for column in range(columns)
    ]


def test_seats_in_as_few_rows_as_a_party_needs_are_together() -> None:
    rows = Rows(bus(3))
    assert rows.sit_together([1, 4])
    assert not rows.sit_together([4, 5])
    assert rows.sit_together([2, 3, 4, 5, 7])
    assert not rows.sit_together([1, 5, 6, 7, 9])
    assert not rows.sit_together([3])
    decks = [Seat(1, "lower", 1), Seat(2, "lower", 1), Seat(3, "upper", 1), Seat(4, "upper", 1)]
    assert not Rows(decks).sit_together([1, 2, 3])


def test_party_without_enough_seats_is_left_over_whole() -> None:
    pair = Party("PAIR", (Ticket(1, 1, 1, 3), Ticket(2, 2, 1, 3)))
    single = Party("ONE", (Ticket(1, 3, 2, 3, priority=True),))
    plan = plan_seats(bus(1), bus(1, 2), [pair, single])
    assert (len(plan.seats), plan.left_over) == (1, ("PAIR",))
    assert plan.criteria == Criteria(priority=1, seated=1, same_class=0, together=0, moved=1)


def test_passenger_keeps_the_bought_class_before_the_seat() -> None:
    plan = plan_seats(bus(2), bus(2), [Party("ONE", (Ticket(1, 5, 1, 2, "gold"),))])
    assert plan.seats["ONE", 1] in (1, 2, 3, 4)


def test_party_that_sat_together_sits_together_in_another_row() -> None:
    """Seat 5 does not exist any more, so both move to one row."""
    party = Party("PAIR", (Ticket(1, 4, 1, 2), Ticket(2, 3, 1, 2)))
    new = [seat for seat in bus(3) if seat.seat_no not in (2, 3, 1)]
    plan = plan_seats(bus(3), new, [party])
    assert Rows(bus(3)).sit_together([plan.seats["PAIR", 1], plan.seats["PAIR", 2]])


def test_trip_without_passengers_has_an_empty_plan() -> None:
    assert plan_seats(bus(2), bus(1), []) == Plan({}, (), Criteria(0, 0, 0, 0, 0))


def test_seat_changes_of_others_make_room() -> None:
    """Seat 3 is missing, and neither seat is free on the whole segment of its passenger."""
    old = [Seat(1, "main", 1), Seat(2, "main", 1), Seat(3, "main", 1)]
    tickets = [Ticket(1, 1, 1, 3), Ticket(1, 2, 3, 5), Ticket(1, 3, 1, 5)]
    parties = [Party(f"P{n}", (ticket,)) for n, ticket in enumerate(tickets)]
    plan = plan_seats(old, old[:2], parties)
    assert (plan.criteria.seated, plan.criteria.moved, plan.left_over) == (3, 2, ())


# Every plan --------------------------------------------------------------------------------------


@st.composite
def trips(draw: st.DrawFn, seats: int = 12, stops: int = 6) -> list[Party]:
    """Parties in seats 1 to `seats`, of which some may only have even seats."""
    taken: dict[int, list[Ticket]] = {n: [] for n in range(1, seats + 1)}
    parties: list[Party] = []
    segment = st.tuples(st.integers(1, stops - 1), st.integers(1, stops - 1)).map(
        lambda s: (min(s), max(s) + 1)
    )
    for n in range(draw(st.integers(1, 12))):
        first, last = draw(segment)
        free = [
            seat
            for seat, tickets in taken.items()
            if all(last <= ticket.from_stop or ticket.to_stop <= first for ticket in tickets)
        ]
        size = draw(st.integers(1, 4))
        if len(free) < size:
            continue
        start = draw(st.integers(0, len(free) - size))
        seat_class = draw(st.sampled_from(["gold", None]))
        priority = draw(st.booleans())
        allowed = draw(st.sampled_from([None, None, frozenset(range(2, seats + 1, 2))]))
        tickets = tuple(
            Ticket(k, seat, first, last, seat_class, allowed, priority)
            for k, seat in enumerate(free[start : start + size], 1)
        )
        for ticket in tickets:
            taken[ticket.seat_no].append(ticket)
        parties.append(Party(f"P{n}", tickets))
    return parties


def broken_rules(new: Sequence[Seat], parties: Sequence[Party], plan: Plan) -> list[str]:
    """The rules that a plan breaks."""
    seat_nos = {seat.seat_no for seat in new}
    broken, on = [], set()
    for party in parties:
        keys = [(party.reference, ticket.ticket_no) for ticket in party.tickets]
        if [key in plan.seats for key in keys] != [party.reference not in plan.left_over] * len(keys):
            broken.append(f"{party.reference} is divided")
        for ticket, seat_no in (
            (t, plan.seats[k]) for t, k in zip(party.tickets, keys, strict=True) if k in plan.seats
        ):
            if seat_no not in seat_nos or (ticket.allowed is not None and seat_no not in ticket.allowed):
                broken.append(f"{party.reference} may not have seat {seat_no}")
            legs = {(seat_no, leg) for leg in range(ticket.from_stop, ticket.to_stop)}
            if legs & on:
                broken.append(f"seat {seat_no} is sold twice")
            on |= legs
    if plan.criteria.seated != len(plan.seats):
        broken.append("a ticket is counted twice")
    return broken


@settings(max_examples=25, deadline=None)
@given(trips(), st.integers(1, 4), st.integers(1, 4))
def test_every_plan_follows_the_rules(parties: list[Party], rows: int, columns: int) -> None:
    new = bus(rows, columns)
    plan = plan_seats(bus(3), new, parties)
    assert broken_rules(new, parties, plan) == []
    assert plan == plan_seats(bus(3), new, parties)


@settings(max_examples=25, deadline=None)
@given(trips())
def test_vehicle_of_the_same_layout_moves_nobody(parties: list[Party]) -> None:
    """The passengers have the class that they bought, and seats that they may have."""
    classes = {seat.seat_no: seat.seat_class for seat in bus(3)}
    parties = [
        Party(
            party.reference,
            tuple(
                Ticket(t.ticket_no, t.seat_no, t.from_stop, t.to_stop, classes[t.seat_no])
                for t in party.tickets
            ),
        )
        for party in parties
    ]
    plan = plan_seats(bus(3), bus(3), parties)
    assert plan.seats == {(p.reference, t.ticket_no): t.seat_no for p in parties for t in p.tickets}


@settings(max_examples=20, deadline=None)
@given(trips())
def test_larger_vehicle_leaves_nobody_over(parties: list[Party]) -> None:
    parties = [
        Party(p.reference, tuple(Ticket(t.ticket_no, t.seat_no, t.from_stop, t.to_stop) for t in p.tickets))
        for p in parties
    ]
    assert plan_seats(bus(3), bus(5, 3), parties).left_over == ()


def test_passenger_who_asked_for_an_accessible_seat_gets_one_before_others() -> None:
    new = [Seat(1, "main", 1, accessible=True), Seat(2, "main", 1)]
    asked = Party("ASKED", (Ticket(1, 8, 1, 2, accessible=True),))
    plan = plan_seats(bus(2), new, [Party("OTHER", (Ticket(1, 1, 1, 2),)), asked])
    assert plan.seats == {("ASKED", 1): 1, ("OTHER", 1): 2}
    assert plan.criteria.same_class == 2
