"""The prompt of the console, and its lines on narrow terminals."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from busware.server.console.prompt import redraw, wrapped
from tests.support.line_client import WAIT_SECONDS


class Paused:
    """The event `on_invalidate` of an application; in other threads it waits until the prompt has ended."""

    def __init__(self, event: Any) -> None:
        self.fire_in_loop = event.fire
        self.loop_thread = threading.current_thread()
        self.reached, self.prompt_ended = threading.Event(), threading.Event()

    @property
    def fire(self) -> Any:
        self.reached.set()
        if threading.current_thread() is not self.loop_thread:
            assert self.prompt_ended.wait(WAIT_SECONDS)
        return self.fire_in_loop


def test_prompt_may_end_while_another_thread_redraws_it() -> None:
    with create_pipe_input() as keys, ThreadPoolExecutor(1) as other:
        session = PromptSession[str](input=keys, output=DummyOutput())
        session.app.on_invalidate = paused = Paused(session.app.on_invalidate)  # type: ignore[assignment]
        redrawn: list[Future[None]] = []

        def redraw_and_answer() -> None:
            redrawn.append(other.submit(redraw, session.app))
            answering.start()

        def answer() -> None:
            paused.reached.wait(WAIT_SECONDS)
            keys.send_text("exit\r")

        answering = threading.Thread(target=answer)
        assert session.prompt(pre_run=redraw_and_answer) == "exit"
        paused.prompt_ended.set()
        answering.join()
        redrawn[0].result(WAIT_SECONDS)
        redraw(session.app)  # without a prompt


def test_long_lines_are_broken_between_words() -> None:
    line = "  bus 101  07:00  Bengaluru to Mysuru: 12 booked, 0 held, 3 waiting, 40 seats (cancelled)"
    assert wrapped(line, 60).split("\n") == [
        "  bus 101  07:00  Bengaluru to Mysuru: 12 booked, 0 held, 3",
        "    waiting, 40 seats (cancelled)",
    ]
    assert wrapped(f"a\n{line}", 120) == f"a\n{line}"
