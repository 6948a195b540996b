"""Dates of several words on the command line, without quotes."""

import pytest

from busware import commands


@pytest.mark.parametrize(
    ("line", "field", "date"),
    [
        ("search bengaluru mysuru 5 dec", "date", "5 dec"),
        ("search bengaluru mysuru sat 5 dec 2026 --ac", "date", "sat 5 dec 2026"),
        ("search --ac bengaluru mysuru day after tomorrow", "date", "day after tomorrow"),
        ("search bengaluru mysuru tomorrow --until 7 dec --ac", "until", "7 dec"),
        ("--host localhost book 1 5 dec bengaluru mysuru --count 1", "boarding_date", "5 dec"),
        ("seats 101 dec 5 1 3", "boarding_date", "dec 5"),
        ("seats 101 5 dec 12 15", "boarding_date", "5 dec"),  # from stop 12, not in 2012
        ("seats 101 tomorrow 1 mar", "boarding_date", "tomorrow"),  # from stop 1 to Margao
        ("delay-trip 101 5 dec 30", "travel_date", "5 dec"),
        ("sales 1 dec 31 dec --by travel", "to_date", "31 dec"),
        ("find 5 dec bengaluru 98450 12345", "date", "5 dec"),
        ("cancel-trip 101 5 dec 7 dec is a holiday", "travel_date", "5 dec"),
    ],
)
def test_date_needs_no_quotes(line: str, field: str, date: str) -> None:
    parsed = commands.parse(commands.command_line({}), line.split())
    assert getattr(parsed, field) == date


def test_words_of_a_text_are_no_date() -> None:
    line = "cancel-trip 101 tomorrow 7 dec is a holiday"
    assert commands.parse(commands.command_line({}), line.split()).reason == "7 dec is a holiday"


def test_name_is_no_date() -> None:
    line = "transfer DTABMT9 2 May"
    assert commands.parse(commands.command_line({}), line.split()).name == "May"


def test_date_that_does_not_exist_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        commands.parse(commands.command_line({}), ["search", "bengaluru", "mysuru", "31", "nov"])
    assert '"31 nov": November ' in capsys.readouterr().err
