"""Plans of seats for the passengers of an exchanged vehicle: rules that hold for every plan."""

from busware.server.booking.reseating import Party, Rows, Seat, Ticket, plan_seats


def bus(rows: int, columns: int = 4) -> list[Seat]:
    """A bus with one deck and no classes."""
    return [
        Seat(row * columns + column + 1, "main", row + 1) for row in range(rows) for column in range(columns)
    ]


def test_seats_in_as_few_rows_as_a_party_needs_are_together() -> None:
    rows = Rows(bus(3))
    assert rows.sit_together([1, 4])
    assert not rows.sit_together([4, 5])
    assert rows.sit_together([2, 3, 4, 5, 7])
    assert not rows.sit_together([1, 5, 6, 7, 9])
    assert not rows.sit_together([3])


def test_party_without_enough_seats_is_left_over_whole() -> None:
    pair = Party("PAIR", (Ticket(1, 1, 1, 3), Ticket(2, 2, 1, 3)))
    single = Party("ONE", (Ticket(1, 3, 2, 3, priority=True),))
    plan = plan_seats(bus(1), bus(1, 2), [pair, single])
    assert (dict(plan.seats), plan.left_over) == ({("ONE", 1): 1}, ("PAIR",))
