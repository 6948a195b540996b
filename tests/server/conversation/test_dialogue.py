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
    NOTHING_CHANGED,
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
    no_answer,
)
from busware.server.protocol import Hold, Ping, Place, Pong, Quote, Refusal, Release, clean_text

TODAY = date(2026, 12, 1)
PONG = Pong(server="busware", version="1", time_zone="Asia/Kolkata")


def number(typed: str) -> int:
    if not typed.isdigit():
        raise InvalidInput(f"{typed} is not a number.")
    return int(typed)


def new_dialogue(begin: Callable[[], Steps[None]]) -> Dialogue:
    """A dialogue whose idempotency keys are 1, 2, 3."""
    keys = itertools.count(1)
    return Dialogue(begin, new_key=lambda: str(next(keys)))


def next_prompt(dialogue: Dialogue) -> str:
    """The next question, after the texts before it."""
    while isinstance(dialogue.step, Tell | Show):
        dialogue.shown()
    assert isinstance(dialogue.step, Ask)
    return dialogue.step.prompt


def hold_dialogue() -> Steps[None]:
    """A dialogue with a read, a hold that can be undone, and a last question."""
    n = yield Ask("First?", number, hint="Type any number.")
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


# Answers and retries ---------------------------------------------------------------------------


def test_dialogue_returns_steps_in_order() -> None:
    dialogue = new_dialogue(hold_dialogue)
    dialogue.answer("1")
    assert dialogue.step == Call(Ping())
    dialogue.replied(PONG)
    assert dialogue.step == Tell("Looked up.")
    dialogue.shown()
    dialogue.answer(" 2 ")
    assert isinstance(dialogue.step, Call)
    assert dialogue.step.request == Hold(
        bus_id=1, travel_date=TODAY, from_stop=1, to_stop=2, count=1, key="1"
    )
    dialogue.replied(PONG)
    dialogue.answer("3")
    assert dialogue.step == Tell("Done.")
    dialogue.shown()
    assert dialogue.step is None


def test_invalid_answer_repeats_the_question_without_limit() -> None:
    dialogue = new_dialogue(hold_dialogue)
    for _ in range(10 * MAX_STEPS):
        dialogue.answer("one\x1b[2J")
        assert dialogue.step == Tell("one[2J is not a number.", problem=True)
        assert next_prompt(dialogue) == "First?"


def test_answer_without_a_question_raises_type_error() -> None:
    dialogue = new_dialogue(hold_dialogue)
    dialogue.answer("1")
    with pytest.raises(TypeError):
        dialogue.answer("2")


@pytest.mark.parametrize(
    "reply",
    [
        no_answer("The connection is lost."),
        Refusal("busy", "Too many."),
        Refusal("outcome_unknown", "The outcome is unknown."),
    ],
)
def test_failed_call_is_sent_again_with_the_same_key(reply: Refusal) -> None:
    dialogue = at_the_hold()
    first = dialogue.step
    for _ in range(10):
        dialogue.replied(reply)
        assert dialogue.step == Tell(reply.message, problem=True)
        assert next_prompt(dialogue).startswith("Press Enter to try again")
        dialogue.answer("")
        assert dialogue.step is first


def test_help_shows_the_hint_of_the_question() -> None:
    dialogue = new_dialogue(hold_dialogue)
    dialogue.answer("help")
    assert dialogue.step == Tell("Type any number.")
    assert next_prompt(dialogue) == "First?"


def test_number_of_steps_is_limited() -> None:
    def endless() -> Steps[None]:
        while True:
            yield Ask("Again?", number)

    dialogue = new_dialogue(endless)
    for _ in range(MAX_STEPS):
        assert next_prompt(dialogue) == "Again?"
        dialogue.answer("1")
    dialogue.answer("1")
    assert dialogue.step == Tell(TOO_LONG)


# Back and quit ---------------------------------------------------------------------------------


def at_the_hold() -> Dialogue:
    """A hold_dialogue whose next step is the hold."""
    dialogue = new_dialogue(hold_dialogue)
    dialogue.answer("1")
    dialogue.replied(PONG)
    dialogue.shown()
    dialogue.answer("2")
    return dialogue


def at_the_last_question() -> Dialogue:
    """A hold_dialogue that has its hold and asks the last question."""
    dialogue = at_the_hold()
    dialogue.replied(PONG)
    assert next_prompt(dialogue) == "Sure?"
    return dialogue


def assert_releases(step: Step | None) -> None:
    assert isinstance(step, Call)
    assert isinstance(step.request, Release)
    assert step.request.key


def test_back_undoes_calls_since_the_previous_question() -> None:
    dialogue = at_the_last_question()
    dialogue.answer("back")
    assert_releases(dialogue.step)
    dialogue.replied(PONG)
    assert texts_of(dialogue) == [RELEASED]
    assert dialogue.step == Call(Ping())  # its reply may be out of date
    dialogue.replied(PONG)
    assert next_prompt(dialogue) == "Second?"
    dialogue.answer("5")
    assert isinstance(dialogue.step, Call)
    assert dialogue.step.request.to_stop == 5  # type: ignore[attr-defined]


def test_back_at_the_first_question_ends_the_dialogue() -> None:
    dialogue = new_dialogue(hold_dialogue)
    dialogue.answer("back")
    assert isinstance(dialogue.step, Tell)
    dialogue.shown()
    assert dialogue.step is None


def test_quit_and_abandon_undo_calls() -> None:
    dialogue = at_the_last_question()
    dialogue.answer("QUIT")
    assert_releases(dialogue.step)
    (request,) = at_the_last_question().abandon()
    assert isinstance(request, Release)
    assert at_the_hold().abandon() == []


def test_refused_undo_shows_its_message() -> None:
    dialogue = at_the_last_question()
    dialogue.answer("quit")
    dialogue.replied(Refusal("already_booked", "Booking BAAAAA is already confirmed."))
    assert "Booking BAAAAA is already confirmed." in texts_of(dialogue)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (PONG, RELEASED),
        (Refusal("hold_expired", "The hold has expired."), RELEASED),
        (no_answer("The connection is lost."), NOT_RELEASED),
        (Refusal("outcome_unknown", "The outcome is unknown."), NOT_RELEASED),
    ],
)
def test_quit_shows_the_outcome_of_the_release(reply: Any, message: str) -> None:
    dialogue = at_the_last_question()
    dialogue.answer("quit")
    dialogue.replied(reply)
    assert texts_of(dialogue) == [message, LEFT_DIALOGUE]


@pytest.mark.parametrize(
    "reply", [no_answer("The connection is lost."), Refusal("outcome_unknown", "The outcome is unknown.")]
)
@pytest.mark.parametrize("command", ["quit", "back"])
def test_leaving_after_a_write_without_reply_shows_a_warning(reply: Refusal, command: str) -> None:
    dialogue = new_dialogue(write_dialogue)
    dialogue.answer("1")
    fail_twice(dialogue, reply)
    dialogue.answer(command)
    assert texts_of(dialogue) == [OUTCOME_UNKNOWN]


@pytest.mark.parametrize(
    ("second_reply", "undo_reply", "texts"),
    [
        (PONG, PONG, [RELEASED]),
        (Refusal("seat_taken", "Taken meanwhile."), None, []),
        (no_answer("The connection is lost."), None, [OUTCOME_UNKNOWN]),
        (Refusal("busy", "Too many."), None, [OUTCOME_UNKNOWN]),
    ],
)
@pytest.mark.parametrize("command", ["quit", "back"])
def test_hold_without_reply_is_sent_again_and_released(
    second_reply: Any, undo_reply: Any, texts: list[str], command: str
) -> None:
    dialogue = at_the_hold()
    hold = dialogue.step
    fail_twice(dialogue, no_answer("The connection is lost."))
    dialogue.answer(command)
    assert dialogue.step == hold  # with the same key
    dialogue.replied(second_reply)
    if undo_reply:
        assert_releases(dialogue.step)
        dialogue.replied(undo_reply)
    assert texts_of(dialogue) == texts + [LEFT_DIALOGUE] * (command == "quit" and texts != [OUTCOME_UNKNOWN])
    assert dialogue.step == (None if command == "quit" else Call(Ping()))


def fail_twice(dialogue: Dialogue, reply: Refusal) -> None:
    """Let a call fail twice, up to the second retry question.

    The second failure does not tell whether the first call was executed.
    """
    dialogue.replied(reply)
    dialogue.shown()
    dialogue.answer("")
    dialogue.replied(Refusal("busy", "Too many."))
    dialogue.shown()


def test_leaving_after_a_refused_write_shows_no_warning() -> None:
    dialogue = at_the_hold()
    dialogue.replied(Refusal("busy", "Too many."))
    dialogue.shown()
    dialogue.answer("quit")
    assert texts_of(dialogue) == [NOTHING_CHANGED]


def texts_of(dialogue: Dialogue) -> list[str]:
    """The texts of the next steps, up to a step that is not a Tell."""
    texts = []
    while isinstance(dialogue.step, Tell):
        texts.append(dialogue.step.text)
        dialogue.shown()
    return texts


def test_back_works_at_the_retry_question() -> None:
    dialogue = at_the_hold()
    dialogue.replied(Refusal("busy", "Too many."))
    dialogue.shown()
    dialogue.answer("back")
    assert dialogue.step == Call(Ping())


# Cleaning --------------------------------------------------------------------------------------


def test_nested_texts_of_replies_and_refusals_are_cleaned() -> None:
    refusal = clean(Refusal("unknown_place", "No\x1b[2J\x9b31m.", nearest=["A\u202eB"], limit=3))
    assert (refusal.message, refusal.data) == ("No[2J31m.", {"nearest": ["AB"], "limit": 3})
    place = Place(code="X", name="M\x07\u200bysuru", aliases=["\x1b"], kinds=["bus"])
    assert clean(place) == Place(code="X", name="Mysuru", aliases=[""], kinds=["bus"])


def test_cleaning_keeps_times() -> None:
    until = datetime.fromisoformat("2026-12-05T10:00:00+05:30")
    quote = Quote(currency="INR", refund="1.00", valid_until=until, stands_until=until)
    assert clean(quote) == quote


def test_cleaning_keeps_zero_width_joiners() -> None:
    for name in ("ക്‍ഷ", "می‌خواهم", "Ülkü – 東京"):
        assert clean_text(name) == name


@given(st.text())
def test_cleaning_removes_all_control_characters(text: str) -> None:
    assert all(c == "\n" or c.isprintable() or not c.isascii() for c in clean_text(text))


def test_say_without_a_message_is_explained_and_not_taken_for_the_answer() -> None:
    dialogue = new_dialogue(hold_dialogue)
    dialogue.answer("say")
    assert dialogue.step == Tell(SAY_WITHOUT_TEXT, problem=True)
    assert next_prompt(dialogue) == "First?"
