"""The engine of conversations, on a small script; no server and no socket."""

import itertools
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.conversation.dialogue import (
    LEFT,
    MAX_STEPS,
    NOT_RELEASED,
    OUTCOME_UNKNOWN,
    RELEASED,
    TOO_LONG,
    Ask,
    Call,
    Dialogue,
    InvalidInput,
    Show,
    Step,
    Steps,
    Tell,
    clean,
    clean_text,
    no_answer,
)
from busware.server.protocol import Hold, Ping, Place, Pong, Quote, Refusal, Release

TODAY = date(2026, 12, 1)
PONG = Pong(server="busware", version="1", time_zone="Asia/Kolkata")


def number(typed: str) -> int:
    if not typed.isdigit():
        raise InvalidInput(f"{typed} is no number.")
    return int(typed)


def dialogue(begin: Callable[[], Steps[None]]) -> Dialogue:
    """A dialogue whose keys are 1, 2, 3."""
    keys = itertools.count(1)
    return Dialogue(begin, new_key=lambda: str(next(keys)))


def prompt(talk: Dialogue) -> str:
    """The question that stands, after all that is told before it."""
    while isinstance(talk.step, Tell | Show):
        talk.shown()
    assert isinstance(talk.step, Ask)
    return talk.step.prompt


def holding() -> Steps[None]:
    """Ask for a number, look it up, hold that, ask whether to go on."""
    n = yield Ask("First?", number, hint="Any will do.")
    yield Call(Ping())
    yield Tell("Looked up.")
    second = yield Ask("Second?", number)
    request = Hold(bus_id=n, travel_date=TODAY, from_stop=1, to_stop=second, count=1)
    yield Call(request, undo=lambda reply: Release(reference="BAAAAA"))
    yield Ask("Sure?", number)
    yield Tell("Done.")


def booking() -> Steps[None]:
    """Ask for a number, and do what cannot be undone."""
    n = yield Ask("First?", number)
    yield Call(Hold(bus_id=n, travel_date=TODAY, from_stop=1, to_stop=2, count=1))


# Going on --------------------------------------------------------------------------------------


def test_steps_come_one_at_a_time_and_answers_go_in() -> None:
    talk = dialogue(holding)
    talk.answer("1")
    assert talk.step == Call(Ping())
    talk.replied(PONG)
    assert talk.step == Tell("Looked up.")
    talk.shown()
    talk.answer(" 2 ")
    assert isinstance(talk.step, Call)
    assert talk.step.request == Hold(bus_id=1, travel_date=TODAY, from_stop=1, to_stop=2, count=1, key="1")
    talk.replied(PONG)
    talk.answer("3")
    assert talk.step == Tell("Done.")
    talk.shown()
    assert talk.step is None


def test_a_wrong_answer_is_told_and_asked_again_however_often() -> None:
    talk = dialogue(holding)
    for _ in range(10 * MAX_STEPS):
        talk.answer("one\x1b[2J")
        assert talk.step == Tell("one[2J is no number.", problem=True)
        assert prompt(talk) == "First?"


def test_nothing_is_answered_that_was_not_asked() -> None:
    talk = dialogue(holding)
    talk.answer("1")
    with pytest.raises(TypeError):
        talk.answer("2")


@pytest.mark.parametrize(
    "came_of_it",
    [
        no_answer("The connection is lost."),
        Refusal("busy", "Too many."),
        Refusal("outcome_unknown", "Who knows."),
    ],
)
def test_a_call_that_failed_is_made_again_with_the_same_key(came_of_it: Refusal) -> None:
    talk = at_the_hold()
    first = talk.step
    for _ in range(10):
        talk.replied(came_of_it)
        assert talk.step == Tell(came_of_it.message, problem=True)
        assert prompt(talk).startswith("Press Enter to try again")
        talk.answer("")
        assert talk.step is first


def test_help_tells_of_the_question() -> None:
    talk = dialogue(holding)
    talk.answer("help")
    assert talk.step == Tell("Any will do.")
    assert prompt(talk) == "First?"


def test_it_does_not_go_on_for_ever() -> None:
    def endless() -> Steps[None]:
        while True:
            yield Ask("Again?", number)

    talk = dialogue(endless)
    for _ in range(MAX_STEPS):
        assert prompt(talk) == "Again?"
        talk.answer("1")
    talk.answer("1")
    assert talk.step == Tell(TOO_LONG)


# Going back ------------------------------------------------------------------------------------


def at_the_hold() -> Dialogue:
    talk = dialogue(holding)
    talk.answer("1")
    talk.replied(PONG)
    talk.shown()
    talk.answer("2")
    return talk


def at_the_last_question() -> Dialogue:
    talk = at_the_hold()
    talk.replied(PONG)
    assert prompt(talk) == "Sure?"
    return talk


def undone(step: Step | None) -> None:
    assert isinstance(step, Call)
    assert isinstance(step.request, Release)
    assert step.request.key


def test_back_undoes_what_was_done_since_the_question_before() -> None:
    talk = at_the_last_question()
    talk.answer("back")
    undone(talk.step)
    talk.replied(PONG)
    assert sentences(talk) == [RELEASED]
    assert talk.step == Call(Ping())  # what it showed may have changed: it is looked up again
    talk.replied(PONG)
    assert prompt(talk) == "Second?"
    talk.answer("5")
    assert isinstance(talk.step, Call)
    assert talk.step.request.to_stop == 5  # type: ignore[attr-defined]


def test_back_from_the_first_question_leaves() -> None:
    talk = dialogue(holding)
    talk.answer("back")
    assert isinstance(talk.step, Tell)
    talk.shown()
    assert talk.step is None


def test_quit_and_a_traveller_who_is_gone_undo_what_was_done() -> None:
    talk = at_the_last_question()
    talk.answer("QUIT")
    undone(talk.step)
    (request,) = at_the_last_question().abandon()
    assert isinstance(request, Release)
    assert at_the_hold().abandon() == []


def test_what_could_not_be_undone_is_told() -> None:
    talk = at_the_last_question()
    talk.answer("quit")
    talk.replied(Refusal("already_booked", "Booking BAAAAA is confirmed already."))
    assert "Booking BAAAAA is confirmed already." in sentences(talk)


@pytest.mark.parametrize(
    ("came_of_it", "told"),
    [
        (PONG, RELEASED),
        (Refusal("hold_expired", "It ran out."), RELEASED),
        (no_answer("The connection is lost."), NOT_RELEASED),
        (Refusal("outcome_unknown", "Who knows."), NOT_RELEASED),
    ],
)
def test_what_became_of_a_hold_is_told(came_of_it: Any, told: str) -> None:
    talk = at_the_last_question()
    talk.answer("quit")
    talk.replied(came_of_it)
    assert sentences(talk) == [told, LEFT]


@pytest.mark.parametrize(
    "came_of_it", [no_answer("The connection is lost."), Refusal("outcome_unknown", "Who knows.")]
)
@pytest.mark.parametrize("way_out", ["quit", "back"])
def test_who_leaves_a_write_without_an_answer_is_told_that_it_may_be_done(
    came_of_it: Refusal, way_out: str
) -> None:
    talk = dialogue(booking)
    talk.answer("1")
    without_an_answer(talk, came_of_it)
    talk.answer(way_out)
    assert sentences(talk) == [OUTCOME_UNKNOWN]


@pytest.mark.parametrize(
    ("of_the_same", "of_the_undoing", "told"),
    [
        (PONG, PONG, [RELEASED]),
        (Refusal("seat_taken", "By then."), None, []),
        (no_answer("The connection is lost."), None, [OUTCOME_UNKNOWN]),
        (Refusal("busy", "Too many."), None, [OUTCOME_UNKNOWN]),
    ],
)
@pytest.mark.parametrize("way_out", ["quit", "back"])
def test_a_hold_without_an_answer_is_asked_for_again_to_be_given_up(
    of_the_same: Any, of_the_undoing: Any, told: list[str], way_out: str
) -> None:
    talk = at_the_hold()
    asked = talk.step
    without_an_answer(talk, no_answer("The connection is lost."))
    talk.answer(way_out)
    assert talk.step == asked  # by the same key
    talk.replied(of_the_same)
    if of_the_undoing:
        undone(talk.step)
        talk.replied(of_the_undoing)
    assert sentences(talk) == told + [LEFT] * (way_out == "quit" and told != [OUTCOME_UNKNOWN])
    assert talk.step == (None if way_out == "quit" else Call(Ping()))


def without_an_answer(talk: Dialogue, came_of_it: Refusal) -> None:
    """Have a call tried twice, and up to the question whether to try again."""
    for what in (came_of_it, Refusal("busy", "Too many.")):  # the second try does not undo the first
        talk.replied(what)
        talk.shown()
        if what is came_of_it:
            talk.answer("")


def test_who_leaves_a_write_that_was_refused_is_told_that_nothing_was_done() -> None:
    talk = at_the_hold()
    talk.replied(Refusal("busy", "Too many."))
    talk.shown()
    talk.answer("quit")
    assert sentences(talk) == [LEFT]


def sentences(talk: Dialogue) -> list[str]:
    """What is told next."""
    told = []
    while isinstance(talk.step, Tell):
        told.append(talk.step.text)
        talk.shown()
    return told


def test_back_works_where_a_call_has_failed() -> None:
    talk = at_the_hold()
    talk.replied(Refusal("busy", "Too many."))
    talk.shown()
    talk.answer("back")
    assert talk.step == Call(Ping())


# What reaches a screen -------------------------------------------------------------------------


def test_replies_and_refusals_are_cleaned_all_the_way_down() -> None:
    refusal = clean(Refusal("unknown_place", "No\x1b[2J\x9b31m.", nearest=["A\u202eB"], limit=3))
    assert (refusal.message, refusal.data) == ("No[2J31m.", {"nearest": ["AB"], "limit": 3})
    place = Place(code="X", name="M\x07\u200bysuru", aliases=["\x1b"], kinds=["bus"])
    assert clean(place) == Place(code="X", name="Mysuru", aliases=[""], kinds=["bus"])


def test_times_are_cleaned_into_themselves() -> None:
    quote = Quote(refund="1.00", stands_until=datetime.fromisoformat("2026-12-05T10:00:00+05:30"))
    assert clean(quote) == quote


def test_names_of_other_scripts_stay_whole() -> None:
    for name in ("ക്‍ഷ", "می‌خواهم", "Ülkü – 東京"):
        assert clean_text(name) == name


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    assert all(c == "\n" or c.isprintable() or not c.isascii() for c in clean_text(text))
