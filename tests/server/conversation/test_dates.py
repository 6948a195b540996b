"""The parser of dates: valid texts on a given day, and the messages about invalid ones."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.conversation.dates import parse_date
from busware.server.conversation.dialogue import InvalidInput

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-12-05", date(2026, 12, 5)),
        ("2026-1-5", date(2026, 1, 5)),  # a past date is valid here; the server refuses it
        ("today", FRIDAY),
        ("Tomorrow", date(2026, 11, 21)),
        ("tom", date(2026, 11, 21)),
        ("tod", FRIDAY),
        ("tonight", FRIDAY),
        ("  SAT ", date(2026, 11, 21)),
        ("saturday", date(2026, 11, 21)),
        ("thu", date(2026, 11, 26)),
        ("thurs", date(2026, 11, 26)),
        ("+0", FRIDAY),
        ("+3", date(2026, 11, 23)),
        ("in 3 days", date(2026, 11, 23)),
        ("day after tomorrow", date(2026, 11, 22)),
        ("on 5 dec", date(2026, 12, 5)),
        ("5 dec", date(2026, 12, 5)),
        ("5dec", date(2026, 12, 5)),
        ("5th December", date(2026, 12, 5)),
        ("5-dec-2027", date(2027, 12, 5)),
        ("dec 5", date(2026, 12, 5)),
        ("Dec 5, 2026", date(2026, 12, 5)),
        ("1 sept 27", date(2027, 9, 1)),
        ("20 nov", FRIDAY),
        ("19 nov", date(2026, 11, 19)),  # it has just passed
        ("19 oct", date(2027, 10, 19)),  # it has passed this year
        ("this sat", date(2026, 11, 21)),
        ("next fri", date(2026, 11, 27)),
        ("5/12", date(2026, 12, 5)),  # day first
        ("5/1", date(2027, 1, 5)),
        ("05-12", date(2026, 12, 5)),
        ("5-12", date(2026, 12, 5)),
        ("5-12-2026", date(2026, 12, 5)),
        ("5.12.", date(2026, 12, 5)),
        ("05-12-2026", date(2026, 12, 5)),
        ("5/12/26", date(2026, 12, 5)),
        ("29 feb 2028", date(2028, 2, 29)),
        ("Sat 5 Dec", date(2026, 12, 5)),
        ("on saturday, 5 December 2026", date(2026, 12, 5)),
        ("fri 20 nov", FRIDAY),
        (f"5 dec{' ' * 40}2027", date(2027, 12, 5)),
    ],
)
def test_valid_text_is_parsed(text: str, value: date) -> None:
    assert parse_date(text, FRIDAY) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "An empty line is not a date such as 2026-12-05"),
        ("soon", '"soon" is not a date such as 2026-12-05'),
        ("5", '"5" is not a date'),
        ("dec", '"dec" is not a date'),
        ("5 juvember", '"5 juvember" is not a date such as'),
        ("12/25", '"12/25" has no valid month. The day comes first, as in 25/12'),
        ("2026-13-01", "no valid month. The day comes first, as in 25/12, or the year, as in 2026-12-25."),
        ("31 april", "April 2027 has no day 31"),
        ("29 feb", "February 2027 has no day 29"),
        ("2026-02-30", "February 2026 has no day 30"),
        ("+99999", '"+99999" is not a date'),
        ("-1", '"-1" is not a date'),
        ("yes", '"yes" is not a date'),
        ("friday", "Today is a Friday. Type today, or 27 Nov for the next one."),
        ("next saturday", '"next saturday" may be 21 Nov or 28 Nov. Type one of these dates.'),
        ("this fri", "Today is a Friday. Type today, or 27 Nov for the next one."),
        ("Fri", "Today is a Friday. Type today, or 27 Nov for the next one."),
        ("٥ dec", "is not a date"),
        ("sun 5 dec", '"sun 5 dec": 5 Dec 2026 is a Saturday.'),
        ("sat 31 april", "April 2027 has no day 31"),
        ("sat tomorrow", '"sat tomorrow" is not a date'),
        (f"5 dec {'and ' * 10}2027", '"5 dec and and and …" is not a date such as'),
        (f"5 dec{'.' * 40}2027", "is not a date such as"),
    ],
)
def test_invalid_text_gets_a_message(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as error:
        parse_date(text, FRIDAY)
    assert message in str(error.value)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.dates(date(2000, 1, 1), date(2090, 12, 31)))
def test_date_with_a_year_does_not_depend_on_today(day: date, today: date) -> None:
    for form in ("%Y-%m-%d", "%d %b %Y", "%B %d, %Y", "%d/%m/%Y", "%d.%m.%y"):
        assert parse_date(day.strftime(form), today) == day


@given(st.text(max_size=20), st.dates(date(2000, 1, 1), date(2090, 12, 31)))
def test_any_text_is_parsed_or_raises_invalid_input(text: str, today: date) -> None:
    try:
        assert isinstance(parse_date(text, today), date)
    except InvalidInput as error:
        assert str(error)
