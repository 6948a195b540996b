"""Calendars: the document of a service has exactly the dates of the calendars of its trips."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.gtfs.calendars import document_of, format_weekdays, parse_weekdays
from busware.server.gtfs.extension import Extension, runs
from busware.server.gtfs.feed import Calendar, Period
from tests.support.gtfs import dates

START = date(2026, 12, 1)
days = st.integers(0, 120).map(lambda n: START + timedelta(n))
weekdays = st.frozensets(st.integers(1, 7))


@st.composite
def calendar(draw: st.DrawFn) -> Calendar:
    first, last = sorted((draw(days), draw(days)))
    period = draw(st.one_of(st.none(), st.just(Period(first, last, draw(weekdays)))))
    added = draw(st.sets(days, max_size=5))
    return Calendar("c", period, added, draw(st.sets(days, max_size=5)) - added)


@given(st.lists(calendar(), min_size=1, max_size=4))
def test_document_has_the_dates_of_all_calendars(calendars: list[Calendar]) -> None:
    expected = frozenset().union(*(calendar.dates for calendar in calendars))
    if not expected:
        return
    document = document_of(tuple(calendars))
    around = dates("2026-11-20", "2027-04-20")
    assert {day for day in around if runs(document, day)} == expected
    seasons = [(s["first_date"], s["last_date"]) for s in document["seasons"]]
    assert all(first <= last for first, last in seasons)
    assert all(a[1] < b[0] for a, b in pairwise(seasons))
    assert not set(document["days_off"]) & set(document["extra_days"])
    assert document["first_date"] <= min(expected).isoformat()
    assert document["last_date"] >= max(expected).isoformat()


@given(weekdays)
def test_weekdays_are_read_as_they_were_written(days: frozenset[int]) -> None:
    assert parse_weekdays(format_weekdays(days)) == days


@pytest.mark.parametrize(
    ("days", "text"),
    [((), "never"), (range(1, 8), "daily"), ((1, 2, 3, 4, 5), "Mon-Fri"), ((1, 2, 6), "Mon Tue Sat")],
)
def test_weekdays_in_words(days: tuple[int, ...], text: str) -> None:
    assert format_weekdays(days) == text


def period(first: str, last: str, days: str) -> Calendar:
    return Calendar("c", Period(date.fromisoformat(first), date.fromisoformat(last), parse_weekdays(days)))


def test_one_period_gives_the_weekdays_of_the_service() -> None:
    calendar = period("2026-12-01", "2027-11-30", "Mon-Fri")
    calendar.removed.add(date(2026, 12, 25))
    calendar.added.add(date(2026, 12, 26))
    assert document_of((calendar,)) == {
        "first_date": "2026-12-01", "last_date": "2027-11-30", "runs_on": "Mon-Fri", "seasons": [],
        "days_off": ["2026-12-25"], "extra_days": ["2026-12-26"],
    }  # fmt: skip


def test_periods_after_one_another_are_seasons() -> None:
    summer = period("2027-06-01", "2027-08-31", "daily")
    document = document_of(
        (
            period("2026-12-01", "2027-05-31", "Mon-Fri"),
            summer,
        )
    )
    assert document["runs_on"] == "never"
    assert document["seasons"] == [
        {"first_date": "2026-12-01", "last_date": "2027-05-31", "runs_on": "Mon-Fri"},
        {"first_date": "2027-06-01", "last_date": "2027-08-31", "runs_on": "daily"},
    ]
    assert document["days_off"] == document["extra_days"] == []


def test_calendars_of_one_period_are_merged() -> None:
    document = document_of(
        (period("2026-12-01", "2027-11-30", "Mon-Fri"), period("2026-12-05", "2027-11-28", "Sat"))
    )
    assert (document["runs_on"], document["seasons"]) == ("Mon-Sat", [])


def test_dates_without_a_period_give_their_usual_weekdays() -> None:
    saturdays = {date(2026, 12, 5) + timedelta(7 * n) for n in range(20)} - {date(2026, 12, 26)}
    document = document_of((Calendar("c", None, saturdays | {date(2027, 1, 1)}),))
    assert (document["runs_on"], document["days_off"], document["extra_days"]) == (
        "Sat", ["2026-12-26"], ["2027-01-01"],
    )  # fmt: skip


# The calendar of an exported service -----------------------------------------------------------

OWN = {
    "runs_on": "daily", "first_date": None, "last_date": None, "seasons": [], "days_off": ["2026-12-25"],
    "extra_days": [],
}  # fmt: skip


def merged(present: set[date]) -> dict[str, object]:
    return Extension(2, date(2026, 12, 30), dict(OWN)).document({"stops": []}, START, present)


def test_exported_calendar_stays_as_it_was() -> None:
    assert merged(set(dates("2026-12-01", "2026-12-30")) - {date(2026, 12, 25)}) == OWN | {"stops": []}


def test_dates_that_were_changed_in_the_feed_are_exceptions() -> None:
    present = set(dates("2026-12-02", "2026-12-30")) | {date(2027, 3, 1)}
    assert merged(present) == OWN | {"stops": [], "days_off": ["2026-12-01"], "extra_days": ["2026-12-25"]}
