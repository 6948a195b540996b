"""A prompt on a terminal above which other threads print, and which a signal handler can end."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from prompt_toolkit import PromptSession


def read_line(
    session: PromptSession[str],
    message: Any,
    *,
    printing: threading.RLock,
    above: AbstractContextManager[Any],
    on_display: Callable[[], None] = lambda: None,
    **options: Any,
) -> str:
    """The line typed at a prompt. Raises EOFError or KeyboardInterrupt.

    above: redirects printing to above the prompt. printing: a lock that each thread holds to print. It is
    held here while the redirection begins and ends, because a line printed then would be lost.
    """
    with ExitStack() as redirecting:
        redirecting.enter_context(printing)
        above.__enter__()

        def displayed() -> None:
            redirecting.close()
            on_display()

        try:
            line: str = session.prompt(message, pre_run=displayed, **options)
            return line
        finally:
            with printing:
                above.__exit__(None, None, None)


def end_prompt(session: PromptSession[str]) -> bool:
    """End the open prompt as the end of input does. False if none is open. For signal handlers."""
    app = session.app
    if not app.is_running or app.loop is None:
        return False
    app.loop.call_soon_threadsafe(lambda: app.is_done or app.exit(exception=EOFError()))
    return True
