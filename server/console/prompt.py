"""The operator's console on a terminal: a prompt for commands; server/console/feed.py shows events above it.

It works through the database. So it runs in the terminal of the server, or as the subcommand `console` in
another one, and several consoles may run at once. Without a terminal there is no console.
"""

import dataclasses
import logging
import os
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType

from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.patch_stdout import patch_stdout

from busware.server import logs
from busware.server.command_line import Parser, in_foreground
from busware.server.console.commands import COMMANDS, LEAVE, Console
from busware.server.console.feed import ConsoleFeed
from busware.server.db.deadlines import Deadlines
from busware.server.db.listener import Listener
from busware.server.db.pool import DatabaseUnavailable, Pool
from busware.server.embedded.data_folder import PostgresError, find_urls
from busware.server.installation import subcommand
from busware.server.protocol import clean_text
from busware.server.push.messages import Messages
from busware.server.settings import Settings, environment
from busware.server.terminal import end_prompt, read_line

log = logging.getLogger("busware.console")

EXIT_STOPS_SERVER = "stop the server, after the replies under way"
EXIT_LEAVES_CONSOLE = "leave the console; the server continues"
_MIN_COLUMNS = 20  # of a line
_HIGHLIGHTED = "\n\x1b[1;33m{}\x1b[0m"  # a blank line, then bold and yellow
_HIGHLIGHTED_WITHOUT_COLOR = "\n{}"


def operate(
    url: str, settings: Settings, exit_help: str, on_outdated: Callable[[str], None] = lambda why: None
) -> None:
    """Run a console on a database until the operator leaves. Raises DatabaseUnavailable.

    on_outdated: called, with the reason, when a breaking migration outdates this process.
    """
    os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")  # some terminals never report the cursor's position
    settings = dataclasses.replace(settings, read_connections=1)
    print_lock = threading.RLock()

    with ExitStack() as stack:
        deadlines = Deadlines(settings)
        pool = Pool(url, settings, deadlines)
        stack.callback(pool.close)
        pool.open()
        messages = Messages(pool, settings)
        listener = Listener(settings.listen_url or url, settings, deadlines, role="console")
        listener.on_outdated = on_outdated
        session = PromptSession[str](
            completer=WordCompleter([*COMMANDS, *LEAVE]),
            complete_while_typing=False,
            rprompt=lambda: feed.counts,
        )
        has_color = session.app.color_depth != ColorDepth.DEPTH_1_BIT
        highlighted_format = _HIGHLIGHTED if has_color else _HIGHLIGHTED_WITHOUT_COLOR

        def out(text: str, *, highlighted: bool = False) -> None:
            line = wrapped(clean_text(text), session.output.get_size().columns)
            with print_lock:
                print(highlighted_format.format(line) if highlighted else line)

        def read(question: str) -> str:
            return read_line(session, question, print_lock=print_lock, redirection=_above_the_prompt())

        feed = ConsoleFeed(messages, listener, out, settings.now, on_counts=lambda: redraw(session.app))
        feed.start()  # first: it shows every message that is sent after the process is registered
        stack.callback(feed.stop)
        listener.start(f"in process {os.getpid()}")
        stack.callback(listener.stop)

        def end(number: int, frame: FrameType | None) -> None:
            if not end_prompt(session):
                raise EOFError

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGHUP, end)  # the terminal was closed
        Console(messages, feed, settings.now, read, out, exit_help).run()


def redraw(app: Application[str]) -> None:
    """Draw the prompt again, if there is one; any thread may call it.

    Application.invalidate raises RuntimeError in another thread while the prompt ends, so the loop calls it.
    """
    if loop := app.loop:
        with suppress(RuntimeError):  # the loop was closed: the next prompt is drawn anew
            loop.call_soon_threadsafe(app.invalidate)


def wrapped(text: str, columns: int) -> str:
    """The text in lines of fewer columns, broken between words; the lines after the first are indented."""
    width = max(columns - 1, _MIN_COLUMNS)
    indents = (" " * (len(line) - len(line.lstrip()) + 2) for line in text.split("\n"))
    return "\n".join(
        textwrap.fill(line, width, subsequent_indent=indent, break_on_hyphens=False)
        for line, indent in zip(text.split("\n"), indents, strict=True)
    )


@contextmanager
def _above_the_prompt() -> Iterator[None]:
    """While it lasts, printed and logged lines appear above the prompt."""
    with patch_stdout(raw=True), ExitStack() as restoring:
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler):
                restoring.callback(handler.setStream, handler.stream)
                handler.setStream(sys.stderr)
        yield


def main(arguments: list[str]) -> None:
    """The subcommand `console`. Raises SystemExit."""
    parser = Parser(
        prog=subcommand("console"),
        description="An operator's console for a running server.",
    )
    parser.add_argument("--data", metavar="DIR", help="the embedded database's folder (BUSWARE_DATA, ./data)")
    options = parser.parse_args(arguments)
    given = {"BUSWARE_DATA": str(Path(options.data).absolute())} if options.data else {}
    settings = Settings.load(environment() | given)
    if not in_foreground():
        raise SystemExit("busware: the console needs a terminal.")
    logs.configure(dataclasses.replace(settings, log_level="ERROR"))
    try:
        operate(find_urls(settings).server, settings, EXIT_LEAVES_CONSOLE, _leave)
    except PostgresError as error:
        raise SystemExit(f"busware: {error}") from None
    except DatabaseUnavailable as error:
        raise SystemExit(f"busware: the server is not running. {error}") from None


def _leave(why: str) -> None:
    """End the console because a breaking migration outdates this version."""
    log.error("the console ends: %s", why)
    os.kill(os.getpid(), signal.SIGTERM)
