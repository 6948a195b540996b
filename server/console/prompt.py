"""The operator's console: a prompt for commands; server/console/feed.py shows events above it.

It works through the database. So it runs in the terminal of the server, or as the subcommand `console` in
another one, and several consoles may run at once. Without a terminal there is no console.
"""

import dataclasses
import logging
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import FrameType

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.patch_stdout import patch_stdout

from busware.server import logs
from busware.server.command_line import Parser
from busware.server.console.feed import ConsoleFeed, heading
from busware.server.conversation import InvalidInput, parse_date
from busware.server.db.deadlines import Deadlines
from busware.server.db.listener import Listener
from busware.server.db.pool import DatabaseUnavailable, InternalError, Pool
from busware.server.embedded.data_folder import PostgresError, find_urls
from busware.server.installation import subcommand
from busware.server.protocol import Refusal, clean_text, normalize_text
from busware.server.push.messages import Messages
from busware.server.settings import Settings, environment
from busware.server.terminal import end_prompt, read_line

log = logging.getLogger("busware.console")

PROMPT = "operator> "
WELCOME = "This is the operator's console. Type help for its commands."
EXIT_STOPS_SERVER = "stop the server, after it has answered its open requests"
EXIT_LEAVES_CONSOLE = "leave the console; the server continues"
_MESSAGES_SHOWN = 20
_MAX_DIGITS = 18  # of a bigint


class UsageError(Exception):
    """The arguments of a command are missing or wrong; the message explains them."""


@dataclass(frozen=True)
class Command:
    """A command of the console. takes: its arguments."""

    takes: str
    about: str
    run: Callable[["Console", str], None]


@dataclass(frozen=True)
class Console:
    """Executes commands. today: in the server's time zone. out: prints a line. exit_help: of `exit`."""

    messages: Messages
    feed: ConsoleFeed
    today: Callable[[], date]
    out: Callable[[str], None]
    exit_help: str

    def run(self, read: Callable[[], str]) -> None:
        """Execute lines until `exit`, the end of input, or Ctrl-C."""
        self.out(WELCOME)
        with suppress(EOFError, KeyboardInterrupt):
            while self.execute(read()):
                pass

    def execute(self, line: str) -> bool:
        """Execute a line. Returns False if it is `exit`."""
        word, _, rest = normalize_text(line).partition(" ")
        command = COMMANDS.get(word.lower())
        try:
            if command is not None:
                command.run(self, rest.strip())
            elif word and word.lower() != "exit":
                self.out(f'"{word}" is not a command. Nothing was sent. Type help for all commands.')
        except UsageError as error:
            self.out(f"Usage: {word} {command.takes if command else ''}. {error}")
        except (InvalidInput, Refusal, InternalError) as error:
            self.out(clean_text(str(error)))
        return word.lower() != "exit"

    # Messages and notices -----------------------------------------------------------------------

    def _to(self, rest: str) -> None:
        to, _, text = rest.partition(" ")
        if not text.strip():
            raise UsageError('The command "clients" lists the numbers of the clients.')
        if _is_number(to):
            self.messages.notice(text.strip(), client_no=int(to))
        else:
            self.messages.notice(text.strip(), reference=to)

    def _all(self, rest: str) -> None:
        if not rest:
            raise UsageError("Connected clients get the message now, passengers when they connect again.")
        self.messages.notice(rest)

    def _trip(self, rest: str) -> None:
        bus, _, rest = rest.partition(" ")
        day, _, text = rest.strip().partition(" ")
        if not _is_number(bus) or not text.strip():
            raise UsageError("Example: trip 101 tomorrow We leave from platform 3.")
        self.messages.notice(text.strip(), bus_id=int(bus), travel_date=parse_date(day, self.today()))

    def _reply(self, rest: str) -> None:
        message = self.feed.last_message
        if message is None:
            raise InvalidInput("No client has sent a message yet.")
        if not rest:
            raise UsageError("The reply goes to the sender of the last message.")
        if message.client_no is not None:
            self.messages.notice(rest, client_no=message.client_no)
        elif message.reference is not None:
            self.messages.notice(rest, reference=message.reference)
        else:
            raise InvalidInput(f"{message.sender} has no connection and no booking. A reply cannot reach it.")

    # Lists -------------------------------------------------------------------------------------

    def _clients(self, rest: str) -> None:
        clients = [client for client in self.messages.presence().clients if client.left_at is None]
        for client in clients:
            since = f"{client.since.astimezone():%H:%M:%S}"
            columns = f"{client.client_no:>5}  since {since}  {client.address:21}  {client.protocol:4}"
            self._show(" ".join(filter(None, (f"{columns} ", client.account, client.reference))))
        self.out(f"Connected clients: {len(clients)}.")

    def _trips(self, rest: str) -> None:
        found = self.messages.trips(parse_date(rest, self.today()) if rest else self.today())
        for trip in found["trips"]:
            departs = datetime.fromisoformat(trip["departs_at"])
            tickets = f"{trip['booked']} booked, {trip['held']} held, {trip['pending']} waiting"
            state = "" if trip["state"] == "open" else f" ({trip['state']})"
            ends = f"{trip['origin']} to {trip['destination']}"
            service = f"{trip['kind']} {trip['bus_id']}"
            self._show(f"{service}  {departs:%H:%M}  {ends}: {tickets}, {trip['seats']} seats{state}")
        trips, others = len(found["trips"]), found["others"]
        self.out(f"Trips with tickets or a waitlist: {trips}. Other open trips: {others}.")

    def _stats(self, rest: str) -> None:
        stats, presence = self.messages.stats(), self.messages.presence()
        clients = Counter(client.process_no for client in presence.clients if client.left_at is None)
        for process in presence.processes:
            count = f", clients: {clients[process.process_no]}" if process.role == "server" else ""
            since = f"{process.since.astimezone():%d %b %H:%M}"
            self._show(f"{process.role} {process.name}, since {since}{count}")
        tickets = ", ".join(f"{n} {status}" for status, n in sorted(stats["tickets"].items())) or "none"
        self._show(f"tickets for today and later: {tickets}")
        self._show(f"services: {stats['services']}, trips on sale: {stats['trips']}")
        self._show(f"stored messages: {stats['messages']}")

    def _recent(self, rest: str) -> None:
        for message in self.messages.recent(_MESSAGES_SHOWN):
            self._show(f"{message.at.astimezone():%d %b %H:%M:%S}  {heading(message)}: {message.body}")

    def _help(self, rest: str) -> None:
        lines = [(f"{word} {command.takes}".strip(), command.about) for word, command in COMMANDS.items()]
        for words, about in [*lines, ("exit", self.exit_help)]:
            self._show(f"{words:24}  {about}")

    def _show(self, text: str) -> None:
        self.out(clean_text(f"  {text}").rstrip())


COMMANDS = {
    "to": Command("NUMBER|REFERENCE TEXT", "send a message to a client, or to a booking", Console._to),
    "all": Command("TEXT", "send a message to all clients and passengers", Console._all),
    "trip": Command(
        "BUS DATE TEXT", "send a notice to all passengers of a trip; DATE: its travel date", Console._trip
    ),
    "reply": Command("TEXT", "answer the last message from a client", Console._reply),
    "clients": Command("", "list the connected clients", Console._clients),
    "trips": Command(
        "[DATE]", "list the trips with passengers; DATE: their travel date, or today", Console._trips
    ),
    "messages": Command("", f"list the last {_MESSAGES_SHOWN} messages", Console._recent),
    "stats": Command("", "show processes, and count tickets, services and messages", Console._stats),
    "help": Command("", "show this list", Console._help),
}


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= _MAX_DIGITS


# At a terminal ---------------------------------------------------------------------------------


def on_a_terminal() -> bool:
    """Whether this process is in the foreground of a terminal."""
    with suppress(OSError):
        return sys.stdin.isatty() and sys.stdout.isatty() and os.tcgetpgrp(0) == os.getpgrp()
    return False


def operate(
    url: str, settings: Settings, exit_help: str, on_outdated: Callable[[str], None] = lambda why: None
) -> None:
    """Run a console on a database until the operator leaves. Raises DatabaseUnavailable.

    on_outdated: called, with the reason, when a breaking migration outdates this process.
    """
    os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")  # some terminals never report the cursor's position
    settings = dataclasses.replace(settings, read_connections=1)
    print_lock = threading.RLock()

    def out(text: str) -> None:
        with print_lock:
            print(text)

    with ExitStack() as stack:
        deadlines = Deadlines(settings)
        pool = Pool(url, settings, deadlines)
        stack.callback(pool.close)
        pool.open()
        messages = Messages(pool, settings)
        listener = Listener(settings.listen_url or url, settings, deadlines, role="console")
        listener.on_outdated = on_outdated
        feed = ConsoleFeed(messages, listener, out)
        feed.start()  # first: it shows every message that is sent after the process is registered
        stack.callback(feed.stop)
        listener.start(f"in process {os.getpid()}")
        stack.callback(listener.stop)
        completer = WordCompleter([*COMMANDS, "exit"])
        session = PromptSession[str](completer=completer, complete_while_typing=False)

        def end(number: int, frame: FrameType | None) -> None:
            if not end_prompt(session):
                raise EOFError

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGHUP, end)  # the terminal was closed
        Console(messages, feed, lambda: settings.now().date(), out, exit_help).run(
            lambda: read_line(session, PROMPT, print_lock=print_lock, redirection=_above_the_prompt())
        )


@contextmanager
def _above_the_prompt() -> Iterator[None]:
    """While it lasts, printed and logged lines appear above the prompt."""
    with patch_stdout(), ExitStack() as restoring:
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
    if not on_a_terminal():
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
