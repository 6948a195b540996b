"""Threads and signals in the terminal client: printing, Ctrl-C, reconnection."""

import io
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby
from typing import Any

import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session, get_app
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console
from rich.live import Live

from busware.prompts import PromptAsker
from busware.server.conversation import Ask
from busware.terminal import FollowedBookings, wait_with_spinner
from tests.client.test_ticket import make_booking

pytestmark = pytest.mark.system

PHONE = "+919845012345"
SHOW_CURSOR = "\x1b[?25h"
PROMPT = PromptSession.prompt


class ObservedOutput(DummyOutput):
    """A screen that calls a function each time a question has been drawn."""

    on_flush: Callable[[], None] | None = None

    def flush(self) -> None:
        if self.on_flush is not None:
            self.on_flush()


def new_asker() -> PromptAsker:
    return PromptAsker(coloured=False, today=lambda: make_booking().travel_date)


def test_change_made_by_the_traveller_is_not_reported() -> None:
    """While the client opens a booking again after a reconnection, the traveller cancels it."""
    followed = FollowedBookings()
    followed.add(make_booking("booked"), PHONE)
    (request,) = followed.open_requests()
    assert (request.reference, request.phone) == (make_booking().reference, PHONE)
    followed.add(make_booking("cancelled"), PHONE)
    assert followed.update(make_booking("cancelled")).status == "cancelled"
    assert followed.open_requests() == []


def test_change_made_by_another_is_reported_once() -> None:
    followed = FollowedBookings()
    followed.add(make_booking("pending"), PHONE)
    assert followed.update(make_booking("booked")).status == "pending"
    assert followed.update(make_booking("booked")).status == "booked"
    assert len(followed.open_requests()) == 1


def test_ctrl_c_as_soon_as_the_spinner_is_visible_removes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(live: Live, refresh: bool = False) -> None:
        start(live, refresh)
        raise KeyboardInterrupt

    start = Live.start
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with monkeypatch.context() as patched:
        patched.setattr(Live, "start", interrupt)
        with pytest.raises(KeyboardInterrupt):
            wait_with_spinner(Future(), console)
    assert isinstance(console.file, io.StringIO)
    assert SHOW_CURSOR in console.file.getvalue()


def test_signal_between_two_questions_ends_the_next_one() -> None:
    def end_when_answered() -> None:
        if get_app().is_done:
            asker.end()

    screen = ObservedOutput()
    with create_pipe_input() as keys, create_app_session(keys, screen):
        asker = new_asker()
        screen.on_flush = end_when_answered
        keys.send_text("bus\rshow\r")
        with suppress(EOFError):
            assert asker.ask(Ask("First?", str)) == "bus"
        with pytest.raises(EOFError):
            asker.ask(Ask("Second?", str))


def test_no_thread_prints_while_a_question_appears(monkeypatch: pytest.MonkeyPatch) -> None:
    def may_print() -> bool:
        acquired = asker.print_lock.acquire(blocking=False)
        if acquired:
            asker.print_lock.release()
        return acquired

    def observe() -> None:
        seen.append(other.submit(may_print).result())

    def prompt(*arguments: Any, **options: Any) -> str:
        observe()
        screen.on_flush = observe
        return PROMPT(*arguments, **options)

    seen: list[bool] = []
    screen = ObservedOutput()
    monkeypatch.setattr(PromptSession, "prompt", prompt)
    with ThreadPoolExecutor(1) as other, create_pipe_input() as keys, create_app_session(keys, screen):
        asker = new_asker()
        keys.send_text("bus\r")
        assert asker.ask(Ask("First?", str)) == "bus"
    before, after, *_ = [allowed for allowed, _ in groupby(seen)]  # before and after the question is drawn
    assert (before, after) == (False, True)
