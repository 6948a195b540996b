"""A terminal prompt. Other threads can print above it, and a signal handler can end it."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from prompt_toolkit import PromptSession


def read_line(
    session: PromptSession[str],
    message: Any,
    *,
    print_lock: threading.RLock,
    redirection: AbstractContextManager[Any],
    on_display: Callable[[], None] = lambda: None,
    **options: Any,
) -> str:
    """The line typed at a prompt. Raises EOFError or KeyboardInterrupt.

    print_lock: the lock that a thread holds while it prints. redirection: while it is open, printed lines
    appear above the prompt. The lock is held until the prompt is displayed, and while the redirection closes,
    because a line printed in these times would be lost.
    """
    with ExitStack() as held_print_lock:
        held_print_lock.enter_context(print_lock)
        redirection.__enter__()

        def displayed() -> None:
            held_print_lock.close()
            on_display()

        try:
            line: str = session.prompt(message, pre_run=displayed, **options)
            return line
        finally:
            with print_lock:
                redirection.__exit__(None, None, None)


def end_prompt(session: PromptSession[str]) -> bool:
    """End the open prompt as if the input had ended. For signal handlers.

    Returns False if no prompt is open.
    """
    app = session.app
    if not app.is_running or app.loop is None:
        return False
    app.loop.call_soon_threadsafe(lambda: app.is_done or app.exit(exception=EOFError()))
    return True
