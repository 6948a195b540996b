"""The parser of journeys: places, date and type in one text."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.conversation import answers
from busware.server.conversation.dates import parse_date
from busware.server.conversation.journeys import ANY, Filter, Journey, find_filter, parse_journey
from busware.server.conversation.trips import ask_place
from busware.server.protocol import Place

TODAY = date(2026, 12, 1)  # a Tuesday
LAST = date(2027, 1, 31)
BLRU = Place(code="BLRU", name="Bengaluru", aliases=["Bangalore"], kinds=["bus"])
MYSU = Place(code="MYSU", name="Mysuru", aliases=["Mysore"], kinds=["bus"])
MNDY = Place(code="MNDY", name="Mandya", aliases=[], kinds=["bus"])
MNGL = Place(code="MNGL", name="Mangaluru", aliases=["Mangalore"], kinds=["bus"])
MNGO = Place(code="MNGO", name="Mangaon", aliases=[], kinds=["bus"])
NDEL = Place(code="NDEL", name="New Delhi", aliases=[], kinds=["bus"])
DEL = Place(code="DEL", name="Delhi", aliases=["New"], kinds=["bus"])
HALL = Place(code="HALL", name="Hall, doors", aliases=[], kinds=["bus"])
CAN = Place(code="CNCN", name="Canacona", aliases=[], kinds=["bus"])
HYD = Place(code="HYD", name="Hyderabad", aliases=[], kinds=["bus"])
PLACES = [BLRU, MYSU, MNDY, MNGL, MNGO, NDEL, DEL, HALL, CAN, HYD]
TOMORROW = TODAY + timedelta(days=1)
SAT = date(2026, 12, 5)
AC_SLEEPER = Filter("SLEEPER", ac=True)


def read(typed: str) -> Journey:
    return parse_journey(typed, PLACES, answers.finds_date_on_sale(TODAY, TODAY, LAST))


@pytest.mark.parametrize(
    ("typed", "journey"),
    [
        ("", Journey()),
        ("bengaluru mysuru", Journey(BLRU, MYSU)),
        ("Bangalore,Mandya", Journey(BLRU, MNDY)),
        ("bengaluru to mysuru", Journey(BLRU, MYSU)),
        ("to mysuru from bengaluru", Journey(BLRU, MYSU)),
        ("mysuru from bengaluru", Journey(BLRU, MYSU)),
        ("to mysuru", Journey(None, MYSU)),
        ("mysuru", Journey(MYSU)),
        ("beng - mys", Journey(BLRU, MYSU)),
        ("bengaluru mysuru tomorrow", Journey(BLRU, MYSU, TOMORROW)),
        ("tomorrow beng mys", Journey(BLRU, MYSU, TOMORROW)),
        ("bengaluru to mysuru on 5 dec ac sleeper", Journey(BLRU, MYSU, SAT, AC_SLEEPER)),
        ("sleeper bengaluru mysuru in 3 days ac", Journey(BLRU, MYSU, date(2026, 12, 4), AC_SLEEPER)),
        ("bengaluru mysuru dec 5, 2026", Journey(BLRU, MYSU, SAT)),
        ("bengaluru mysuru 05-12", Journey(BLRU, MYSU, SAT)),
        ("bengaluru mysuru +4", Journey(BLRU, MYSU, SAT)),
        (f"mysuru tomorrow{' ' * 40}mandya", Journey(MYSU, MNDY, TOMORROW)),
        ("bengaluru mysuru sat 12 dec", Journey(BLRU, MYSU, date(2026, 12, 12))),
        ("the day after tomorrow", Journey(day=date(2026, 12, 3))),
        ("sat non-ac semi sleeper", Journey(day=SAT, wanted=Filter("SEMI_SLEEPER", ac=False))),
        ("no ac", Journey(wanted=Filter(ac=False))),
        ("bengaluru mysuru not an ac sleeper", Journey(BLRU, MYSU, None, Filter("SLEEPER", ac=False))),
        ("without AC, seater", Journey(wanted=Filter("SEATER", ac=False))),
        ("any", Journey(wanted=ANY)),
        ("new delhi delhi", Journey(NDEL, DEL)),  # the longest name first
        ("new, delhi", Journey(DEL, None, problems=("You leave from Delhi. Type another place.",))),
        ("hall, doors, mandya", Journey(HALL, MNDY)),
        ("BLRU mndy", Journey(BLRU, MNDY)),
    ],
)  # fmt: skip
def test_parts_are_found(typed: str, journey: Journey) -> None:
    assert read(typed) == journey


@pytest.mark.parametrize(
    ("typed", "journey", "problem"),
    [
        ("bengaluru mysuru please", Journey(BLRU, MYSU), '"please" is not understood.'),
        ("a bengaluru b mysuru", Journey(BLRU, MYSU), '"a" and "b" are not understood.'),
        ("can i go from bengaluru to mysuru", Journey(BLRU, MYSU), '"can" and "i go" are not understood.'),
        ("mysuru express from bengaluru to hyderabad", Journey(BLRU, HYD), '"mysuru" and "express"'),
        ("via mandya from bengaluru to mysuru", Journey(BLRU, MYSU), '"via" and "mandya" are not'),
        ("from bengaluru via mandya to mysuru", Journey(BLRU, MYSU), '"via" and "mandya" are not'),
        ("i want to go from bengaluru to mysuru", Journey(BLRU, MYSU), '"i want" and "go" are not'),
        ("like to go beng to mysuru", Journey(BLRU, MYSU), '"like" and "go" are not understood.'),
        ("bengaluru to mysuru please", Journey(BLRU, MYSU), '"please" is not understood.'),
        ("please bengaluru, to mysuru", Journey(BLRU, MYSU), '"please" is not understood.'),
        ("bengalooru mysuru", Journey(None, MYSU), '"bengalooru" is not a place on any route. Did you mean'),
        ("old town, mysuru", Journey(None, MYSU), '"old town" is not a place on any route.'),
        ("mang bengaluru", Journey(None, BLRU), 'Several places begin with "mang": Mangaluru (MNGL) and'),
        ("bengaluru mysuru tue", Journey(BLRU, MYSU), "Today is a Tuesday. Type today, or 8 Dec for"),
        ("bengaluru mysuru 31 nov", Journey(BLRU, MYSU), "November 2026 has no day 31"),
        ("bengaluru mysuru yesterday", Journey(BLRU, MYSU), "is in the past. Today is Tue 1 Dec 2026."),
        ("bengaluru mysuru +99", Journey(BLRU, MYSU), "is too far ahead."),
        ("bengaluru mysuru sun 5 dec", Journey(BLRU, MYSU), "5 Dec 2026 is a Saturday."),
        ("sat sun", Journey(), "There are 2 dates: Sat 5 Dec 2026 and Sun 6 Dec 2026."),
        ("sat sun sat", Journey(), "There are 2 dates: Sat 5 Dec 2026 and Sun 6 Dec 2026."),
        ("beng mys tomorrow, 5 dec, sun", Journey(BLRU, MYSU), "There are 3 dates: "),
        (
            "banglore mysoor",
            Journey(),
            '"banglore mysoor" is not a place on any route. Did you mean Bengaluru and Mysuru?',
        ),
        (
            "bengaluru mysuru tomorrow 2",
            Journey(BLRU, MYSU, TOMORROW),
            '"2" is not understood. Seats are asked for later.',
        ),
        ("bengaluru mysuru not sleeper", Journey(BLRU, MYSU), '"not sleeper" is not understood.'),
        ("beng mys not a semi sleeper", Journey(BLRU, MYSU), '"not a semi sleeper" is not understood.'),
        ("bengaluru mysuru ac non ac", Journey(BLRU, MYSU), '"ac" and "non ac" contradict each other.'),
        ("ac sleeper seater ac", Journey(), '"sleeper" and "seater" contradict each other.'),
        ("bengaluru mysuru " + "x " * 60, Journey(BLRU, MYSU), '"x x x x x x'),
    ],
)
def test_what_is_not_understood_is_said(typed: str, journey: Journey, problem: str) -> None:
    found = read(typed)
    assert replace(found, problems=()) == journey
    assert len(found.problems) == 1
    assert problem in found.problems[0]


@pytest.mark.parametrize(
    ("typed", "journey", "candidates"),
    [
        ("bengaluru mysuru mandya", Journey(), '"bengaluru", "mysuru" or "mandya"'),
        ("mang bengaluru mysuru", Journey(), '"mang", "bengaluru" or "mysuru"'),  # "mang" may mean two places
        ("please, bengaluru mysoor", Journey(), '"please", "bengaluru" or "mysoor"'),
        ("can you book bengaluru to mysuru", Journey(None, MYSU), '"can" or "bengaluru"'),
        ("mandya bengaluru to mysuru", Journey(None, MYSU), '"mandya" or "bengaluru"'),
        ("banglore to mysuru via mandya", Journey(None, MYSU), '"banglore" or "mandya"'),
        ("from bengaluru mysuru mandya", Journey(BLRU), '"mysuru" or "mandya"'),
        ("from bengaluru to mysuru to mandya", Journey(BLRU), '"mysuru" or "mandya"'),
    ],
)
def test_origin_or_destination_that_is_not_clear_is_not_chosen(
    typed: str, journey: Journey, candidates: str
) -> None:
    found = read(typed)
    assert replace(found, problems=()) == journey
    assert re.fullmatch(f"It is not clear which .*: {candidates}\\.", found.problems[-1])


@pytest.mark.parametrize(
    ("typed", "journey"),
    [
        ("bengaluru mysoor tomorrow", Journey(BLRU, None, TOMORROW, unknown="mysoor")),
        ("from mysuru to bengalooru", Journey(MYSU, None, unknown="bengalooru")),
        ("mysuru my", Journey(MYSU, None, unknown="my")),  # too short
    ],
)
def test_unknown_destination_of_a_known_origin_is_kept(typed: str, journey: Journey) -> None:
    assert read(typed) == journey


def test_misspelt_origin_is_not_replaced_by_the_next_place() -> None:
    found = read("from bengaloor mysuru to mandya")
    assert (found.origin, found.destination) == (None, MNDY)
    assert found.problems[0] == '"mysuru" is not understood.'
    assert found.problems[1].startswith('"bengaloor" is not a place on any route. Did you mean Bengaluru')


def test_list_of_places_can_be_read_if_a_name_has_a_comma() -> None:
    assert ask_place("", "", [BLRU, MNDY]).hint == "One of: Bengaluru, Mandya."
    assert ask_place("", "", [HALL, MNDY]).hint == "One of: Hall, doors; Mandya."


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("ac", Filter(ac=True)),
        ("NON_AC sleeper", Filter("SLEEPER", ac=False)),
        ("any", ANY),
        ("", None),
        ("101", None),
        ("ac tomorrow", None),
        ("ac please", None),
        ("no ac", Filter(ac=False)),
        ("ac or non ac", None),
        ("not sleeper", None),
    ],
)
def test_filter_is_a_text_of_types_only(typed: str, wanted: Filter | None) -> None:
    assert find_filter(typed) == wanted


FILTERS = {"": None, "ac": Filter(ac=True), "non ac seater": Filter("SEATER", ac=False), "any": ANY}


@given(
    st.permutations(["journey", "day", "wanted"]),
    st.sampled_from(["{} {}", "{} to {}", "{}, {}", "from {} to {}"]),
    st.sampled_from([(a, b) for a in PLACES for b in PLACES if a != b]),
    st.dates(TODAY, LAST),
    st.sampled_from(["%Y-%m-%d", "%d %b %Y", "on %d/%m/%Y", "%B %d, %Y", "%d-%m-%y"]),
    st.sampled_from([*FILTERS]),
    st.sampled_from([str.upper, str.lower, str.title]),
    st.integers(0, 1),
)  # fmt: skip
def test_parts_are_found_in_any_order(order, form, ends, day, day_form, wanted, case, spelling) -> None:  # type: ignore[no-untyped-def]
    names = [(place.name, place.code)[spelling] for place in ends]
    parts = {"journey": form.format(*names), "day": day.strftime(day_form), "wanted": wanted}
    typed = case(" ".join(parts[part] for part in order))
    assert read(typed) == Journey(*ends, day, FILTERS[wanted]), typed


WORDS = ["bengaluru", "mysuru", "mang", "new", "delhi", "from", "to", "on", ",", "5", "dec", "sat", "+3",
         "tomorrow", "31/2", "ac", "non", "sleeper", "any", "x", "-", "½"]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=60))
def test_any_text_is_read(typed: str) -> None:
    found = read(typed)
    assert all(problem.strip() for problem in found.problems)
    assert found.origin is None or found.origin != found.destination
    if found == Journey():
        assert not any(
            word.isalnum() for word in typed.lower().split() if word not in ("on", "and", "to", "from")
        )


@given(st.text(max_size=30))
def test_a_lone_date_is_read_as_the_parser_of_dates_reads_it(typed: str) -> None:
    try:
        day = parse_date(typed, TODAY)
    except answers.InvalidInput:
        return
    found = read(typed)
    assert found.day == day or found.problems
