"""The dialogue engine, with small dialogues; no server and no socket."""

import itertools
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.conversation.dialogue import (
    LEFT_DIALOGUE,
    MAX_STEPS,
    NOT_RELEASED,
    OUTCOME_UNKNOWN,
    RELEASED,
    SAY_WITHOUT_TEXT,
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
    """A dialogue whose idempotency keys are 1, 2, 3."""
    keys = itertools.count(1)
    return Dialogue(begin, new_key=lambda: str(next(keys)))


def next_prompt(talk: Dialogue) -> str:
    """The next question, after the texts before it."""
    while isinstance(talk.step, Tell | Show):
        talk.shown()
    assert isinstance(talk.step, Ask)
    return talk.step.prompt


def hold_dialogue() -> Steps[None]:
    """A dialogue with a read, a hold that can be undone, and a last question."""
    n = yield Ask("First?", number, hint="Any will do.")
    yield Call(Ping())
    yield Tell("Looked up.")
    second = yield Ask("Second?", number)
    request = Hold(bus_id=n, travel_date=TODAY, from_stop=1, to_stop=second, count=1)
    yield Call(request, undo=lambda reply: Release(reference="BAAAAA"))
    yield Ask("Sure?", number)
    yield Tell("Done.")


def write_dialogue() -> Steps[None]:
    """A dialogue with a write that cannot be undone."""
    n = yield Ask("First?", number)
    yield Call(Hold(bus_id=n, travel_date=TODAY, from_stop=1, to_stop=2, count=1))


# Forward ---------------------------------------------------------------------------------------


def test_dialogue_returns_steps_in_order() -> None:
    talk = dialogue(hold_dialogue)
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


def test_invalid_answer_repeats_the_question_without_limit() -> None:
    talk = dialogue(hold_dialogue)
    for _ in range(10 * MAX_STEPS):
        talk.answer("one\x1b[2J")
        assert talk.step == Tell("one[2J is no number.", problem=True)
        assert next_prompt(talk) == "First?"


def test_answer_without_a_question_raises_type_error() -> None:
    talk = dialogue(hold_dialogue)
    talk.answer("1")
    with pytest.raises(TypeError):
        talk.answer("2")


@pytest.mark.parametrize(
    "reply",
    [
        no_answer("The connection is lost."),
        Refusal("busy", "Too many."),
        Refusal("outcome_unknown", "Who knows."),
    ],
)
def test_failed_call_is_sent_again_with_the_same_key(reply: Refusal) -> None:
    talk = at_the_hold()
    first = talk.step
    for _ in range(10):
        talk.replied(reply)
        assert talk.step == Tell(reply.message, problem=True)
        assert next_prompt(talk).startswith("Press Enter to try again")
        talk.answer("")
        assert talk.step is first


def test_help_shows_the_hint_of_the_question() -> None:
    talk = dialogue(hold_dialogue)
    talk.answer("help")
    assert talk.step == Tell("Any will do.")
    assert next_prompt(talk) == "First?"


def test_number_of_steps_is_limited() -> None:
    def endless() -> Steps[None]:
        while True:
            yield Ask("Again?", number)

    talk = dialogue(endless)
    for _ in range(MAX_STEPS):
        assert next_prompt(talk) == "Again?"
        talk.answer("1")
    talk.answer("1")
    assert talk.step == Tell(TOO_LONG)


# Back and quit ---------------------------------------------------------------------------------


def at_the_hold() -> Dialogue:
    talk = dialogue(hold_dialogue)
    talk.answer("1")
    talk.replied(PONG)
    talk.shown()
    talk.answer("2")
    return talk


def at_the_last_question() -> Dialogue:
    talk = at_the_hold()
    talk.replied(PONG)
    assert next_prompt(talk) == "Sure?"
    return talk


def assert_releases(step: Step | None) -> None:
    assert isinstance(step, Call)
    assert isinstance(step.request, Release)
    assert step.request.key


def test_back_undoes_calls_since_the_previous_question() -> None:
    talk = at_the_last_question()
    talk.answer("back")
    assert_releases(talk.step)
    talk.replied(PONG)
    assert texts_of(talk) == [RELEASED]
    assert talk.step == Call(Ping())  # its reply may be out of date
    talk.replied(PONG)
    assert next_prompt(talk) == "Second?"
    talk.answer("5")
    assert isinstance(talk.step, Call)
    assert talk.step.request.to_stop == 5  # type: ignore[attr-defined]


def test_back_at_the_first_question_ends_the_dialogue() -> None:
    talk = dialogue(hold_dialogue)
    talk.answer("back")
    assert isinstance(talk.step, Tell)
    talk.shown()
    assert talk.step is None


def test_quit_and_abandon_undo_calls() -> None:
    talk = at_the_last_question()
    talk.answer("QUIT")
    assert_releases(talk.step)
    (request,) = at_the_last_question().abandon()
    assert isinstance(request, Release)
    assert at_the_hold().abandon() == []


def test_refused_undo_shows_its_message() -> None:
    talk = at_the_last_question()
    talk.answer("quit")
    talk.replied(Refusal("already_booked", "Booking BAAAAA is already confirmed."))
    assert "Booking BAAAAA is already confirmed." in texts_of(talk)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (PONG, RELEASED),
        (Refusal("hold_expired", "It ran out."), RELEASED),
        (no_answer("The connection is lost."), NOT_RELEASED),
        (Refusal("outcome_unknown", "Who knows."), NOT_RELEASED),
    ],
)
def test_quit_shows_the_outcome_of_the_release(reply: Any, message: str) -> None:
    talk = at_the_last_question()
    talk.answer("quit")
    talk.replied(reply)
    assert texts_of(talk) == [message, LEFT_DIALOGUE]


@pytest.mark.parametrize(
    "reply", [no_answer("The connection is lost."), Refusal("outcome_unknown", "Who knows.")]
)
@pytest.mark.parametrize("way_out", ["quit", "back"])
def test_leaving_after_a_write_without_reply_shows_a_warning(reply: Refusal, way_out: str) -> None:
    talk = dialogue(write_dialogue)
    talk.answer("1")
    fail_twice(talk, reply)
    talk.answer(way_out)
    assert texts_of(talk) == [OUTCOME_UNKNOWN]


@pytest.mark.parametrize(
    ("second_reply", "undo_reply", "texts"),
    [
        (PONG, PONG, [RELEASED]),
        (Refusal("seat_taken", "By then."), None, []),
        (no_answer("The connection is lost."), None, [OUTCOME_UNKNOWN]),
        (Refusal("busy", "Too many."), None, [OUTCOME_UNKNOWN]),
    ],
)
@pytest.mark.parametrize("way_out", ["quit", "back"])
def test_hold_without_reply_is_sent_again_and_released(
    second_reply: Any, undo_reply: Any, texts: list[str], way_out: str
) -> None:
    talk = at_the_hold()
    hold = talk.step
    fail_twice(talk, no_answer("The connection is lost."))
    talk.answer(way_out)
    assert talk.step == hold  # with the same key
    talk.replied(second_reply)
    if undo_reply:
        assert_releases(talk.step)
        talk.replied(undo_reply)
    assert texts_of(talk) == texts + [LEFT_DIALOGUE] * (way_out == "quit" and texts != [OUTCOME_UNKNOWN])
    assert talk.step == (None if way_out == "quit" else Call(Ping()))


def fail_twice(talk: Dialogue, reply: Refusal) -> None:
    """Let a call fail twice, up to the second retry question.

    The second failure does not say what became of the first call.
    """
    talk.replied(reply)
    talk.shown()
    talk.answer("")
    talk.replied(Refusal("busy", "Too many."))
    talk.shown()


def test_leaving_after_a_refused_write_shows_no_warning() -> None:
    talk = at_the_hold()
    talk.replied(Refusal("busy", "Too many."))
    talk.shown()
    talk.answer("quit")
    assert texts_of(talk) == [LEFT_DIALOGUE]


def texts_of(talk: Dialogue) -> list[str]:
    """The texts up to the next other step."""
    texts = []
    while isinstance(talk.step, Tell):
        texts.append(talk.step.text)
        talk.shown()
    return texts


def test_back_works_at_the_retry_question() -> None:
    talk = at_the_hold()
    talk.replied(Refusal("busy", "Too many."))
    talk.shown()
    talk.answer("back")
    assert talk.step == Call(Ping())


# Cleaning --------------------------------------------------------------------------------------


def test_nested_texts_of_replies_and_refusals_are_cleaned() -> None:
    refusal = clean(Refusal("unknown_place", "No\x1b[2J\x9b31m.", nearest=["A\u202eB"], limit=3))
    assert (refusal.message, refusal.data) == ("No[2J31m.", {"nearest": ["AB"], "limit": 3})
    place = Place(code="X", name="M\x07\u200bysuru", aliases=["\x1b"], kinds=["bus"])
    assert clean(place) == Place(code="X", name="Mysuru", aliases=[""], kinds=["bus"])


def test_cleaning_keeps_times() -> None:
    until = datetime.fromisoformat("2026-12-05T10:00:00+05:30")
    quote = Quote(refund="1.00", valid_until=until, stands_until=until)
    assert clean(quote) == quote


def test_cleaning_keeps_joiners_of_other_scripts() -> None:
    for name in ("ക്‍ഷ", "می‌خواهم", "Ülkü – 東京"):
        assert clean_text(name) == name


@given(st.text())
def test_cleaning_removes_all_control_characters(text: str) -> None:
    assert all(c == "\n" or c.isprintable() or not c.isascii() for c in clean_text(text))


def test_say_without_a_message_is_explained_and_not_taken_for_the_answer() -> None:
    talk = dialogue(hold_dialogue)
    talk.answer("say")
    assert talk.step == Tell(SAY_WITHOUT_TEXT, problem=True)
    assert next_prompt(talk) == "First?"
