"""The operator's console: the operator's lines, and what server/console/feed.py shows between them.

It sees and says everything by way of the database, so the operator may sit in the server's own terminal
or in another one (the server's subcommand console), and any number of them at once. A terminal only: where
there is none, nothing is read.
"""

import argparse
import dataclasses
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import FrameType

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.patch_stdout import patch_stdout

from busware.server.console.feed import ConsoleFeed, heading
from busware.server.conversation import InvalidInput, clean_text, parse_date
from busware.server.db.listener import Listener
from busware.server.db.pool import DatabaseUnavailable, InternalError, Pool
from busware.server.embedded.data_folder import read_urls
from busware.server.installation import subcommand
from busware.server.protocol import Refusal
from busware.server.push.messages import Messages
from busware.server.settings import Settings, environment

log = logging.getLogger("busware.console")

PROMPT = "operator> "
WELCOME = "This is the operator's console. Type help for what there is."
STOPS = "drain and stop the service"
LEAVES = "leave; the service goes on"
_MESSAGES_SHOWN = 20
_MOST_DIGITS = 18  # of a bigint


class UsageError(Exception):
    """A line that is no command; the message says what would be."""


@dataclass(frozen=True)
class Command:
    """What a word takes and does."""

    takes: str
    about: str
    run: Callable[["Console", str], None]


class Console:
    """One operator. today: where the service is. out: prints a line. at_exit: what `exit` does, in words."""

    def __init__(
        self,
        messages: Messages,
        feed: ConsoleFeed,
        today: Callable[[], date],
        out: Callable[[str], None],
        at_exit: str,
    ) -> None:
        self._messages = messages
        self._today = today
        self._out = out
        self._at_exit = at_exit
        self._feed = feed

    def run(self, ask: Callable[[], str]) -> None:
        """Carry out the lines that are asked for, until `exit`, the end of them, or Ctrl-C."""
        self._out(WELCOME)
        with suppress(EOFError, KeyboardInterrupt):
            while self.carry_out(ask()):
                pass

    def carry_out(self, line: str) -> bool:
        """Do what a line says. False: it is the end."""
        word, _, rest = clean_text(line).strip().partition(" ")
        if word.lower() == "exit":
            return False
        command = COMMANDS.get(word.lower())
        try:
            if command is not None:
                command.run(self, rest.strip())
            elif word:
                raise UsageError(f'"{word}" is no command, and nothing was sent. help lists what there is.')
        except (UsageError, Refusal, InternalError) as problem:
            self._out(clean_text(str(problem)))
        return True

    # Lines to clients --------------------------------------------------------------------------

    def _to(self, rest: str) -> None:
        whom, _, text = rest.partition(" ")
        if not text.strip():
            raise UsageError("It takes: to NUMBER TEXT, or to REFERENCE TEXT. clients lists the numbers.")
        if _is_number(whom):
            self._messages.notice(text.strip(), client_no=int(whom))
        else:
            self._messages.notice(text.strip(), reference=whom)

    def _all(self, rest: str) -> None:
        if not rest:
            raise UsageError(
                "It takes: all TEXT. Who is connected reads it now, passengers when they come back."
            )
        self._messages.notice(rest)

    def _trip(self, rest: str) -> None:
        bus, _, rest = rest.partition(" ")
        day, _, text = rest.strip().partition(" ")
        if not _is_number(bus) or not text.strip():
            raise UsageError(
                "It takes: trip BUS DATE TEXT, such as trip 101 tomorrow We leave from platform 3."
            )
        self._messages.notice(text.strip(), bus_id=int(bus), travel_date=self._day(day))

    def _reply(self, rest: str) -> None:
        spoke = self._feed.last_message
        if not rest or spoke is None:
            nobody = "" if spoke else ": nobody yet"
            raise UsageError(f"It takes: reply TEXT. It answers whoever spoke last{nobody}.")
        if spoke.client_no is not None:
            self._messages.notice(rest, client_no=spoke.client_no)
        elif spoke.reference is not None:
            self._messages.notice(rest, reference=spoke.reference)
        else:
            raise UsageError(f"{spoke.sender} keeps no line open by which to answer.")

    # What there is -----------------------------------------------------------------------------

    def _clients(self, rest: str) -> None:
        here = [one for one in self._messages.present().clients if one.left_at is None]
        for one in here:
            known = " ".join(filter(None, (one.account, one.reference)))
            since = f"{one.since.astimezone():%H:%M:%S}"
            self._show(f"{one.client_no:>5}  since {since}  {one.address:21}  {one.protocol:4}  {known}")
        self._out(f"{len(here)} connected." if here else "Nobody is connected.")

    def _trips(self, rest: str) -> None:
        found = self._messages.trips(self._day(rest) if rest else self._today())
        for trip in found["trips"]:
            leaves = datetime.fromisoformat(trip["departs_at"])
            sold = f"{trip['booked']} booked, {trip['held']} held, {trip['pending']} waiting"
            state = "" if trip["state"] == "open" else f" ({trip['state']})"
            ends = f"{trip['origin']} to {trip['destination']}"
            service = f"{trip['kind']} {trip['bus_id']}"
            self._show(f"{service}  {leaves:%H:%M}  {ends}: {sold}, {trip['seats']} seats{state}")
        self._out(f"Trips with passengers: {len(found['trips'])}, without: {found['others']}.")

    def _day(self, text: str) -> date:
        try:
            return parse_date(text, self._today())
        except InvalidInput as error:
            raise UsageError(str(error)) from None

    def _stats(self, rest: str) -> None:
        stats, present = self._messages.stats(), self._messages.present()
        for process in present.processes:
            mine = [c for c in present.clients if c.process_no == process.process_no and c.left_at is None]
            clients = f", clients: {len(mine)}" if process.role == "server" else ""
            since = f"{process.since.astimezone():%d %b %H:%M}"
            self._show(f"{process.role} {process.name}, since {since}{clients}")
        tickets = ", ".join(f"{n} {status}" for status, n in sorted(stats["tickets"].items())) or "none"
        self._show(f"tickets from today on: {tickets}")
        self._show(f"{stats['services']} services, {stats['trips']} trips on sale")
        self._show(f"{stats['messages']} messages kept")

    def _recent(self, rest: str) -> None:
        for message in self._messages.recent(_MESSAGES_SHOWN):
            self._show(f"{message.at.astimezone():%d %b %H:%M:%S}  {heading(message)}: {message.body}")

    def _help(self, rest: str) -> None:
        lines = [(f"{word} {command.takes}".strip(), command.about) for word, command in COMMANDS.items()]
        for words, about in [*lines, ("exit", self._at_exit)]:
            self._show(f"{words:24}  {about}")

    def _show(self, text: str) -> None:
        self._out(clean_text(f"  {text}").rstrip())


COMMANDS = {
    "to": Command("NUMBER|REFERENCE TEXT", "say something to one client, or to a booking", Console._to),
    "all": Command("TEXT", "say something to everybody", Console._all),
    "trip": Command("BUS DATE TEXT", "say something to all passengers of a trip", Console._trip),
    "reply": Command("TEXT", "answer whoever spoke last", Console._reply),
    "clients": Command("", "who is connected", Console._clients),
    "trips": Command("[DATE]", "the trips with passengers, today or on a date", Console._trips),
    "messages": Command("", "the last messages", Console._recent),
    "stats": Command("", "processes, tickets, services", Console._stats),
    "help": Command("", "this", Console._help),
}


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= _MOST_DIGITS


# At a terminal ---------------------------------------------------------------------------------


def on_a_terminal() -> bool:
    """Whether somebody sits at our terminal, with us in its foreground."""
    with suppress(OSError):
        return sys.stdin.isatty() and sys.stdout.isatty() and os.tcgetpgrp(0) == os.getpgrp()
    return False


def operate(
    url: str, settings: Settings, at_exit: str, on_outdated: Callable[[str], None] = lambda why: None
) -> None:
    """Be the console of this terminal, on that database, until the operator ends it.

    on_outdated: called, with the reason, when a breaking migration outdates this process.
    Raises DatabaseUnavailable.
    """
    words = WordCompleter([*COMMANDS, "exit"])
    os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")  # a terminal that does not answer would hold us up
    settings = dataclasses.replace(settings, read_connections=1)
    with ExitStack() as stack:
        pool = Pool(url, settings)
        stack.callback(pool.close)
        pool.open()
        messages = Messages(pool, settings)
        listener = Listener(url, settings, role="console")
        listener.on_outdated = on_outdated
        printing = threading.RLock()
        feed = ConsoleFeed(messages, listener, lambda text: _print(text, printing))
        feed.start()  # before the process is registered: messages sent to operators after that are shown
        stack.callback(feed.stop)
        listener.start(f"in process {os.getpid()}")
        stack.callback(listener.stop)
        session = PromptSession[str](completer=words, complete_while_typing=False)
        _end_by_signals(session)
        console = Console(messages, feed, lambda: settings.now().date(), print, at_exit)
        console.run(lambda: _ask(session, printing))


def _print(text: str, printing: threading.RLock) -> None:
    with printing:
        print(text)


def _ask(session: PromptSession[str], printing: threading.RLock) -> str:
    """The next line. Nobody else prints while the prompt comes or goes: one of the two would be lost."""
    with ExitStack() as quiet:
        quiet.enter_context(printing)
        above = _above_the_prompt()
        above.__enter__()
        try:
            return session.prompt(PROMPT, pre_run=quiet.close)
        finally:
            with printing:
                above.__exit__(None, None, None)


def _end_by_signals(session: PromptSession[str]) -> None:
    """Have SIGTERM, and SIGHUP of a terminal that was closed, end the session as the end of input does."""

    def end(number: int, frame: FrameType | None) -> None:
        app = session.app
        if not app.is_running or app.loop is None:
            raise EOFError
        app.loop.call_soon_threadsafe(lambda: app.is_done or app.exit(exception=EOFError()))

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


@contextmanager
def _above_the_prompt() -> Iterator[None]:
    """What is printed or logged appears above the line that is being typed."""
    handlers = [one for one in logging.getLogger().handlers if isinstance(one, logging.StreamHandler)]
    streams = [handler.stream for handler in handlers]
    with patch_stdout():
        for handler in handlers:
            handler.setStream(sys.stderr)
        try:
            yield
        finally:
            for handler, stream in zip(handlers, streams, strict=True):
                handler.setStream(stream)


def main(arguments: list[str]) -> None:
    """Be a console on a service that runs. Raises SystemExit."""
    parser = argparse.ArgumentParser(
        prog=subcommand("console"),
        description="An operator's console on a service that is running.",
    )
    parser.add_argument("--data", metavar="DIR", help="the embedded database's folder (BUSWARE_DATA, ./data)")
    told = parser.parse_args(arguments)
    given = {"BUSWARE_DATA": str(Path(told.data).absolute())} if told.data else {}
    settings = Settings.load(environment() | given)
    if not on_a_terminal():
        raise SystemExit("busware: the console wants a terminal.")
    urls = read_urls(settings.data)
    url = settings.database_url or (urls.server if urls else None)
    if url is None:
        raise SystemExit(f"busware: no service has its database in {settings.data}. Is one running?")
    logging.basicConfig(level=logging.ERROR, format="%(name)s: %(message)s", stream=sys.stderr)
    try:
        operate(url, settings, LEAVES, _leave)
    except DatabaseUnavailable as error:
        raise SystemExit(f"busware: the service is not running. {error}") from None


def _leave(why: str) -> None:
    """End the session because a breaking migration outdates this version."""
    log.error("This console ends. %s", why)
    os.kill(os.getpid(), signal.SIGTERM)
