"""What the threads of the terminal client do at once; and Ctrl-C, or a signal, at an odd moment."""

import io
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console
from rich.live import Live

from busware.prompts import Prompts
from busware.sdk import Client
from busware.server.conversation import Ask
from busware.server.protocol import GetBooking
from busware.terminal import Terminal
from tests.client.test_ticket import party

pytestmark = pytest.mark.system

OPENS = GetBooking(reference="DT7VKKK", phone="+919845012345")


class Travelled(Client):
    """A client, not connected, of a traveller who cancels a booking before it is looked at again."""

    terminal: Terminal

    def call(self, request: Any, reply_type: Any) -> Any:
        self.terminal._watch(party("cancelled"), OPENS.phone)
        return party("cancelled")


def console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=80)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_who_cancels_after_a_lost_connection_is_not_told_so_as_news() -> None:
    client, out = Travelled(), console()
    client.terminal = Terminal(client, out)
    client.terminal._watch(party("booked"), OPENS.phone)
    client.terminal._reconnect()
    assert printed(out) == ""


def test_ctrl_c_as_soon_as_the_spinner_is_seen_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(live: Live, refresh: bool = False) -> None:
        start(live, refresh)
        raise KeyboardInterrupt

    start = Live.start

    out = console()
    terminal = Terminal(Client(), out)
    terminal._interactive = True
    with monkeypatch.context() as patched:
        patched.setattr(Live, "start", interrupt)
        with pytest.raises(KeyboardInterrupt):
            terminal._wait(Future())
    assert out._live_stack == []


def test_a_signal_just_after_enter_ends_the_next_question() -> None:
    with create_pipe_input() as keys, create_app_session(keys, DummyOutput()):
        asker = Prompts(coloured=False, today=lambda: party().travel_date)
        asker._session.app.after_render += lambda app: bool(app.is_done and asker.end())
        keys.send_text("bus\rshow\r")
        with suppress(EOFError):
            assert asker.ask(Ask("First?", str)) == "bus"
        with pytest.raises(EOFError):
            asker.ask(Ask("Second?", str))


def test_nobody_prints_while_a_question_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another thread writes as the question is drawn first could take its place."""
    seen: list[bool] = []

    def may_print() -> bool:
        if had := asker.printing.acquire(blocking=False):
            asker.printing.release()
        return had

    def prompt(*arguments: Any, **options: Any) -> str:
        seen.append(other.submit(may_print).result())
        return ask(*arguments, **options)

    with create_pipe_input() as keys, create_app_session(keys, DummyOutput()), ThreadPoolExecutor(1) as other:
        asker = Prompts(coloured=False, today=lambda: party().travel_date)
        asker._session.app.after_render += lambda app: seen.append(other.submit(may_print).result())
        ask = asker._session.prompt
        monkeypatch.setattr(asker._session, "prompt", prompt)
        keys.send_text("bus\r")
        assert asker.ask(Ask("First?", str)) == "bus"
    assert seen[:2] == [False, True]
