"""The option --name of `book` and `hold`: a passenger, with what a seat or a fare requires."""

import pytest

from busware import commands
from busware.server.protocol import Passenger


@pytest.mark.parametrize(
    ("typed", "passenger"),
    [
        ("Asha", Passenger(name="Asha")),
        ("Asha/female", Passenger(name="Asha", gender="female")),
        ("Asha / female", Passenger(name="Asha", gender="female")),
        ("Ravi/accessible/male", Passenger(name="Ravi", gender="male", accessible=True)),
        ("/female", Passenger(gender="female")),
        ("Ravi S/O Kumar", Passenger(name="Ravi S/O Kumar")),
        ("A/other:senior+Devi", Passenger(name="A", gender="other", concession="senior", infant="Devi")),
        (":child", Passenger(concession="child")),
    ],
)
def test_name_of_a_passenger(typed: str, passenger: Passenger) -> None:
    line = ["book", "1", "5 dec", "Bengaluru", "Mysuru", "--count", "1", "--name", typed]
    assert commands.command_line({}).parse_args(line).passengers == [passenger]
