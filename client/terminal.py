"""The traveller's terminal: the guided conversation of server/conversation, with everything shown well.

The conversation says what to ask, to call and to show; this module carries it out: a question by
client/prompts.py, a reply by client/screen.py, a call in a thread of its own, so that a spinner turns
while it takes long. Lines that the server sends by itself, and what becomes of the connection, are
printed above the question that stands.
"""

import concurrent.futures
import os
import signal
import ssl
import sys
import threading
from contextlib import suppress
from datetime import date
from types import FrameType
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from busware import screen
from busware.dates import today_in
from busware.prompts import Asker, Lines, Prompts
from busware.retries import ConnectionLost
from busware.sdk import Client
from busware.server.conversation import (
    BACK,
    COMMANDS,
    END,
    HELP,
    QUIT,
    Ask,
    Call,
    Choice,
    Context,
    Dialogue,
    Show,
    Step,
    Tell,
    begin,
    clean_text,
    commands,
    no_answer,
    undo_outcome,
)
from busware.server.conversation.dialogue import OUTCOME_UNKNOWN
from busware.server.conversation.words import changed
from busware.server.installation import CLIENT, SERVER
from busware.server.protocol import OPEN, Booking, GetBooking, Ping, Pong, Refusal, Request, Seats
from busware.server.protocol.jsonrpc import RpcError

DONE, NO_ANSWER = 0, 3  # exit statuses
SPINNER_SECONDS = 0.5  # a call that takes longer shows that it does
TERMINAL_TRIES = 10  # how often a request is sent before the traveller is asked: half a minute or less
RECONNECT_SECONDS = 2.0  # the pause between attempts while nobody asks for anything
MAX_FOLLOWED_BOOKINGS = (
    20  # bookings, of those that were opened last, that are looked at after a lost connection
)
PIPED_COLUMNS = 79

WELCOME = "Welcome to Busware. Choose with Tab and Enter, or type: bus books seats, help tells the rest."
GOOD_BYE = "Good-bye."
WAITING = "Waiting for the server … (Ctrl-C waits no longer)"
INTERRUPTED = "Interrupted: there is no answer."
INTERRUPTED_WRITE = "Interrupted. What you asked for may be done; asked again, it is done once."
LOST = "The connection is lost. It is being made again; what you typed is kept."
CONNECTED = "Connected again."
START_HINT = f"Is the server running? {SERVER} starts one. Commands are listed by {CLIENT} --help."

_COMMAND = Ask(
    "What would you like?",
    str,
    "command",
    choices=(
        *(Choice(word, command.about) for word, command in COMMANDS.items()),
        Choice(HELP, "what there is"),
        Choice(QUIT, "end"),
    ),
)


class EndRequested(Exception):
    """The traveller has ended it."""


def run(host: str, port: int, tls: ssl.SSLContext | None = None, token: str | None = None) -> int:
    """Talk to the traveller until they leave; return the exit status.

    tls: to speak TLS. token: to be signed in by.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PIPED_COLUMNS)
    try:  # once: nobody wants to wait for a server that is not there
        with Client(host, port, tries=1, tls=tls, token=token) as probe:
            probe.ping()
    except (ConnectionLost, Refusal, RpcError) as error:
        hint = f"\n{START_HINT}" if isinstance(error, ConnectionLost) else ""
        console.print(Text(f"{error}{hint}", "red"))
        return NO_ANSWER
    with Client(host, port, tries=TERMINAL_TRIES, tls=tls, token=token) as client:
        return Terminal(client, console).run()


class Terminal:
    """One traveller, at a terminal or behind a pipe. Takes over what the client hears of by itself."""

    def __init__(self, client: Client, console: Console) -> None:
        self._client = client
        self._console = console
        self._interactive = console.is_terminal and sys.stdin.isatty()
        self._asker: Asker = (
            Prompts(coloured=screen.coloured(console), today=self._today)
            if self._interactive
            else Lines(self._say)
        )
        self._context = Context(today=self._today, with_names=True)
        self._zone: str | None = None  # the server's, once it is known
        self._dialogue: Dialogue | None = None  # that is under way
        self._watching = threading.Lock()  # held to look at the watched ones, which several threads do
        self._watched: dict[str, tuple[GetBooking, Booking]] = {}  # how each is opened, and as it is known
        self._calls = concurrent.futures.ThreadPoolExecutor(1, "call")
        self._lost = False
        self._closing = threading.Event()

    def run(self) -> int:
        """Commands and conversations, until the end."""
        self._client.on_notification, self._client.on_change = self._notified, self._changed
        signal.signal(signal.SIGTERM, self._terminated)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(signal.SIGHUP, self._hung_up)
        try:
            pong = self._call(Ping())  # so that there is a connection for what the server says by itself
            if isinstance(pong, Pong):
                self._zone = pong.time_zone
            self._say(WELCOME if self._interactive else commands.WELCOME, "bold")
            while True:
                self._command(self._line(_COMMAND))
        except (EndRequested, EOFError, KeyboardInterrupt):
            self._say(GOOD_BYE)
            return DONE
        finally:
            self._closing.set()
            self._calls.shutdown(wait=False, cancel_futures=True)

    def _today(self) -> date:
        return today_in(self._zone)

    def _command(self, line: str) -> None:
        word = line.strip().lower()
        if word == QUIT:
            raise EndRequested
        if word in ("", BACK):
            return
        self._converse(begin(line, self._context))

    def _converse(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        try:
            while (step := dialogue.step) is not None:
                self._carry_out(step, dialogue)
        except (EndRequested, EOFError):
            if isinstance(dialogue.step, Call):  # a signal did not wait for it
                dialogue.replied(no_answer(INTERRUPTED))
            if dialogue.unresolved:
                self._say(OUTCOME_UNKNOWN, "yellow")
            for request in dialogue.abandon():
                self._say(undo_outcome(self._call(request)).text, "yellow")
            raise

    def _carry_out(self, step: Step, dialogue: Dialogue) -> None:
        match step:
            case Ask():
                try:
                    dialogue.answer(self._line(step))
                except KeyboardInterrupt:
                    dialogue.answer(QUIT)
            case Call():
                dialogue.replied(self._call(step.request))
            case Show():
                self._show(step)
                dialogue.shown()
            case Tell():
                self._say(step.text, "yellow" if step.problem else "")
                dialogue.shown()

    def _terminated(self, number: int, frame: FrameType | None) -> None:
        """Somebody wants the end: as if the traveller did."""
        if not self._asker.end():
            raise EndRequested

    def _hung_up(self, number: int, frame: FrameType | None) -> None:
        """The window was closed, and there is nobody to be told: what is held is given up."""
        for again in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):  # a shell passes it on when it has ended
            signal.signal(again, lambda number, frame: None)
        for request in self._dialogue.abandon() if self._dialogue else ():
            with suppress(ConnectionLost, Refusal, RpcError):
                self._client.call(request, request.reply)
        os._exit(128 + number)

    def _line(self, question: Ask) -> str:
        line = self._asker.ask(question)
        if line.strip().lower() in END:
            raise EndRequested
        return line

    # What is shown -----------------------------------------------------------------------------

    def _show(self, step: Show) -> None:
        reply = step.reply
        self._asker.held = reply if isinstance(reply, Booking) and reply.status == "held" else None
        if isinstance(reply, Seats):
            self._asker.seat_map, self._asker.yours = reply, step.yours
            if self._interactive and reply.free:
                return  # the question for the seats draws it
        self._console.print(screen.reply(reply, self._console, step.yours))

    def _say(self, text: str, style: str = "") -> None:
        with self._asker.printing:
            self._console.print(Text(clean_text(text), style))

    # The server --------------------------------------------------------------------------------

    def _call(self, request: Request) -> Any:
        """The reply to a request, or the Refusal, or why there is none."""
        call = self._calls.submit(self._client.call, request, request.reply)
        try:
            reply = self._wait(call)
            if isinstance(reply, Booking):
                self._watch(reply, getattr(request, "phone", None))
            return reply
        except Refusal as refusal:
            return refusal
        except ConnectionLost as lost:
            return no_answer(f"There is {lost}.")
        except RpcError as error:
            return no_answer(error.message)
        except KeyboardInterrupt:
            return no_answer(INTERRUPTED_WRITE if request.writes else INTERRUPTED)

    def _wait(self, call: "concurrent.futures.Future[Any]") -> Any:
        done, _ = concurrent.futures.wait([call], SPINNER_SECONDS)
        if done or not self._interactive:
            return call.result()
        spinner = self._console.status(WAITING)
        try:  # no with: Ctrl-C may come when it is seen, and not yet entered
            spinner.start()
            return call.result()
        finally:
            spinner.stop()

    def _notified(self, method: str, params: dict[str, Any]) -> None:
        """The server says something by itself."""
        match method, params:
            case "message", {"text": str(text)}:
                bus_id, day = params.get("bus_id"), params.get("travel_date")
                about = f", about {bus_id} of {day}" if bus_id and day else ""
                self._say(f"Server{about}: {text}", "bold cyan")
            case "booking_changed", _:
                self._tell_changed(msgspec.convert(params, Booking))

    def _tell_changed(self, booking: Booking) -> None:
        if self._asker.held is not None and booking.reference == self._asker.held.reference:
            self._asker.held = None
        with self._watching:
            if booking.reference in self._watched:
                self._watched[booking.reference] = self._watched[booking.reference][0], booking
        self._say(changed(booking), "bold cyan")

    def _watch(self, booking: Booking, phone: str | None) -> None:
        """Remember a booking as it is now, and how it is opened."""
        with self._watching:
            self._watched.pop(booking.reference, None)
            self._watched[booking.reference] = GetBooking(reference=booking.reference, phone=phone), booking
            while len(self._watched) > MAX_FOLLOWED_BOOKINGS:
                del self._watched[next(iter(self._watched))]

    def _changed(self, connected: bool) -> None:
        """The connection broke, or is made."""
        if connected and self._lost:
            self._lost = False
            self._say(CONNECTED, "green")
        elif not connected and not self._lost and not self._closing.is_set():
            self._lost = True
            self._say(LOST, "yellow")
            threading.Thread(target=self._reconnect, name="reconnect", daemon=True).start()

    def _reconnect(self) -> None:
        """Make the connection again, so that what the server says is heard, and see what it has said."""
        while self._lost and not self._closing.is_set():
            try:
                self._client.ping()
            except (ConnectionLost, Refusal, RpcError):
                self._closing.wait(RECONNECT_SECONDS)
        with self._watching:
            watched = [*self._watched.values()]
        for opens, known in watched:
            if known.status in OPEN and not self._closing.is_set():
                self._look_again(opens)

    def _look_again(self, opens: GetBooking) -> None:
        """Open a booking on the new connection, so that its changes are heard there; tell those missed."""
        with suppress(ConnectionLost, Refusal, RpcError):
            booking = self._client.call(opens, Booking)
            with self._watching:  # as it is known by now: the traveller has gone on meanwhile
                _, known = self._watched.get(booking.reference, (opens, booking))
            if (booking.status, booking.tickets) != (known.status, known.tickets):
                self._tell_changed(booking)
