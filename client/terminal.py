"""The terminal client: carries out the dialogues of server/conversation on a terminal or in a pipe.

A dialogue yields steps. prompts.py asks the questions, and screen.py draws the replies. Calls run in another
thread, so that this one can display a spinner. Notifications and changes of the connection are printed above
the open question.
"""

import os
import signal
import ssl
import sys
import threading
import traceback
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import date, datetime
from tempfile import NamedTemporaryFile
from types import FrameType
from typing import Any

import msgspec
from rich.console import Console, RenderableType
from rich.text import Text

from busware import render, screen, seatkeys
from busware.dates import now_in, today_in
from busware.prompts import LineAsker, PromptAsker
from busware.retries import ConnectionLost
from busware.sdk import Client
from busware.server.conversation import (
    BACK,
    COMMANDS,
    HELP,
    MORE_COMMANDS,
    QUIT,
    Ask,
    Call,
    Choice,
    Context,
    Dialogue,
    OpenedBookings,
    Show,
    Step,
    Tell,
    begin,
    commands,
    ends_connection,
    no_answer,
    undo_outcome,
)
from busware.server.conversation.dialogue import OUTCOME_UNKNOWN
from busware.server.conversation.reservation import after_expiry
from busware.server.conversation.words import (
    change_line,
    counted,
    message_details,
    money,
    offer_advice,
    words_of,
)
from busware.server.output import DONE, NotShown, report_not_shown, show
from busware.server.protocol import (
    OPEN,
    Booking,
    GetBooking,
    Refusal,
    Request,
    SeatMap,
    Seats,
    clean_text,
)
from busware.server.protocol.jsonrpc import RpcError

NO_ANSWER = 3  # an exit status; server/output.py has the others
SPINNER_SECONDS = 0.5  # a call that takes longer shows a spinner
TERMINAL_TRIES = 10  # at most half a minute; then the traveller is asked whether to try again
RECONNECT_SECONDS = 2.0  # between two attempts to reconnect while no call is made
MAX_FOLLOWED_BOOKINGS = 20  # read again after a reconnection
MAX_SHOWN_MESSAGES = 1000  # message_ids that are remembered, so that no message is displayed twice
PIPED_COLUMNS = 79

WELCOME = "Welcome to Busware. Choose a command with Tab and Enter, or type it. Type help for all commands."
GOOD_BYE = "Good-bye."
WAITING = "Waiting for the server … (Ctrl-C stops waiting)"
INTERRUPTED = "Interrupted before the server answered."
INTERRUPTED_WRITE = (
    "Interrupted. The server may have executed the request. If you try again, it executes it only once."
)
LOST = "The connection is lost. Reconnecting … You can continue to type."
CONNECTED = "Connected again."

_COMMAND = Ask(
    "What would you like?",
    str,
    "command",
    choices=(
        *(Choice(word, command.about, if_typed=word in MORE_COMMANDS) for word, command in COMMANDS.items()),
        Choice(HELP, "list all commands"),
        Choice(QUIT, "end"),
    ),
)


def run(host: str, port: int, tls: ssl.SSLContext | None, token: str | None, hint: str) -> int:
    """Run the terminal client; return the exit status.

    tls: the context for TLS, or None. token: signs in. hint: printed if there is no server.
    """
    console = render.ReplyConsole(highlight=False)
    if not console.is_terminal:
        console.width = PIPED_COLUMNS
    with Client(host, port, tries=1, tls=tls, token=token) as client:
        terminal = Terminal(client, console)
        try:
            terminal.connect()
        except (ConnectionLost, Refusal, RpcError) as error:
            lost = isinstance(error, ConnectionLost)
            show(render.text(console, Text(f"{error}.\n{hint}" if lost else str(error), "red")))
            return NO_ANSWER
        client.tries = TERMINAL_TRIES
        return terminal.run()


class FollowedBookings:
    """The bookings that were opened last, each with its last known state. Several threads use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bookings: dict[str, tuple[GetBooking, Booking]] = {}  # by reference; with the request for it

    def add(self, booking: Booking, phone: str | None) -> None:
        """Follow a booking. phone: the number that opens it."""
        with self._lock:
            self._bookings.pop(booking.reference, None)
            self._bookings[booking.reference] = GetBooking(reference=booking.reference, phone=phone), booking
            while len(self._bookings) > MAX_FOLLOWED_BOOKINGS:
                del self._bookings[next(iter(self._bookings))]

    def update(self, booking: Booking) -> Booking:
        """Record the state of a followed booking; return the last known one."""
        with self._lock:
            request, known = self._bookings.get(booking.reference, (None, booking))
            if request is not None:
                self._bookings[booking.reference] = request, booking
            return known

    def open_requests(self) -> list[GetBooking]:
        """The requests for the bookings that may still change."""
        with self._lock:
            return [request for request, booking in self._bookings.values() if booking.status in OPEN]


class Terminal:
    """One traveller's session. It takes over the callbacks of its client."""

    def __init__(self, client: Client, console: Console) -> None:
        self._client = client
        self._console = console
        self._interactive = console.is_terminal and sys.stdin.isatty()
        self._asker = (
            PromptAsker(coloured=screen.coloured(console), today=self._today)
            if self._interactive
            else LineAsker(self._print_question)
        )
        self._opened = OpenedBookings()
        self._last_phone: str | None = None  # of a booking that was made, opened or held
        self._time_zone: str | None = None  # the server's, once connected
        self._dialogue: Dialogue | None = None
        self._texts: list[Tell] = []  # texts of the dialogue that are not displayed yet
        self._followed = FollowedBookings()
        self._shown_messages = deque[Any](maxlen=MAX_SHOWN_MESSAGES)  # message_ids
        self._last_change: Booking | None = None  # the reply to the last write
        self._not_shown: NotShown | None = None  # why the output cannot be written
        self._calls = ThreadPoolExecutor(1, "call")
        self._lost = False
        self._closing = threading.Event()

    def connect(self) -> None:
        """Open the connection. Raises ConnectionLost, Refusal or RpcError."""
        self._client.on_notification, self._client.on_change = self._notified, self._connection_changed
        self._time_zone = self._client.ping().time_zone

    def run(self) -> int:
        """Carry out commands until the end; return the exit status.

        The session ends too if its output cannot be written.
        """
        signal.signal(signal.SIGTERM, self._terminate)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it
            signal.signal(signal.SIGHUP, self._hang_up)
        try:
            self._print(WELCOME if self._interactive else commands.WELCOME, "bold")
            while True:
                self._carry_out_command(self._read_line(_COMMAND))
        except (EOFError, KeyboardInterrupt):
            self._print(GOOD_BYE)
            return report_not_shown(self._not_shown, self._last_change_line()) if self._not_shown else DONE
        finally:
            self._closing.set()
            self._calls.shutdown(wait=False, cancel_futures=True)

    def _today(self) -> date:
        return today_in(self._time_zone)

    def _carry_out_command(self, line: str) -> None:
        if line.strip().lower() in ("", BACK):
            return
        self._dialogue = None
        try:
            context = Context(self._today, True, self._opened, self._last_phone)
            self._dialogue = dialogue = begin(line, context)
            while (step := dialogue.step) is not None:
                self._carry_out(step, dialogue)
                self._require_output()
            self._print_texts()
        except EOFError:  # the end of the input, a word that ends the session, or a signal
            if self._dialogue and isinstance(self._dialogue.step, Call):  # a signal interrupted it
                self._dialogue.replied(no_answer(INTERRUPTED))
            self._end_dialogue()
            raise
        except Exception:  # noqa: BLE001 - it is logged
            self._print(_log_error(), "red")
            self._end_dialogue()

    def _end_dialogue(self) -> None:
        """End the dialogue, if there is one; undo what it has not finished, and print the outcome."""
        self._print_texts()
        dialogue, self._dialogue = self._dialogue, None
        if dialogue is None:
            return
        if dialogue.unresolved:
            self._print(OUTCOME_UNKNOWN, "yellow")
        for request in dialogue.abandon():
            self._print(undo_outcome(self._call(request)).text, "yellow")

    def _carry_out(self, step: Step, dialogue: Dialogue) -> None:
        if not self._leads_to_map(step):
            self._print_texts()
        match step:
            case Ask():
                self._asker.texts, self._texts = self._texts, []
                try:
                    line = self._read_line(step)
                    if self._asker.draws_map(step) and line.strip().lower() in (HELP, "?"):
                        assert self._asker.seat_map is not None  # noqa: S101 - for the type checker
                        self._texts.append(Tell(seatkeys.help_text(self._asker.seat_map)))
                    dialogue.answer(line)
                except KeyboardInterrupt:
                    dialogue.answer(QUIT)
            case Call():
                dialogue.replied(self._call(step.request))
            case Show():
                self._show(step)
                dialogue.shown()
            case Tell():
                self._texts.append(step)
                dialogue.shown()

    def _leads_to_map(self, step: Step) -> bool:
        """Whether the step is, or comes before, a question that draws the seat map above the texts."""
        match step:
            case Ask():
                return self._asker.draws_map(step)
            case Call(request=SeatMap()) | Show(reply=Seats(free=[_, *_])):
                return self._interactive
        return isinstance(step, Tell)

    def _print_texts(self) -> None:
        """Print the texts of the dialogue, unless a question has displayed them."""
        texts, self._texts = self._texts, []
        for tell in texts:
            self._print(tell.text, "yellow" if tell.problem else "")

    def _read_line(self, question: Ask) -> str:
        try:
            line = self._asker.ask(question)
        except OSError as error:  # the terminal is gone
            self._not_shown = NotShown(error.strerror or str(error))
            raise EOFError from None
        if ends_connection(line, question_open=question is not _COMMAND):
            raise EOFError
        return line

    # Signals -----------------------------------------------------------------------------------

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        """End the session, as if the traveller had quit: raise EOFError, unless an open question does."""
        if not self._asker.end():
            raise EOFError

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        """Release what is held, and exit. The terminal is closed, so nothing can be printed."""
        for ignored in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):  # the shell may send these too
            signal.signal(ignored, lambda number, frame: None)
        for request in self._dialogue.abandon() if self._dialogue else ():
            with suppress(ConnectionLost, Refusal, RpcError):
                self._client.call(request, request.reply)
        os._exit(128 + number)

    # Output ------------------------------------------------------------------------------------

    def _show(self, step: Show) -> None:
        reply = step.reply
        self._asker.held = reply if isinstance(reply, Booking) and reply.status == "held" else None
        if isinstance(reply, Seats):
            self._asker.seat_map, self._asker.own_seats = reply, step.own_seats
            if self._interactive and reply.free:
                return  # the next question draws the map
        try:
            self._write(screen.reply(reply, self._console, step.own_seats))
        except Exception:  # noqa: BLE001 - it is logged; the dialogue continues without the reply
            self._print(_log_error(), "red")

    def _print(self, text: str, style: str = "") -> None:
        self._write(Text(clean_text(text), style))

    def _print_question(self, text: str) -> None:
        self._print(text)
        self._require_output()

    def _write(self, shown: RenderableType) -> None:
        """Print in any thread. If that is impossible, `_require_output` ends the session."""
        with self._asker.print_lock:
            try:
                show(render.text(self._console, shown))
            except NotShown as error:
                self._not_shown = self._not_shown or error

    def _require_output(self) -> None:
        """Raise EOFError if the output cannot be written."""
        if self._not_shown:
            raise EOFError

    def _last_change_line(self) -> str:
        booking = self._last_change
        return f"Booking {booking.reference} is {booking.status}." if booking else ""

    # Calls -------------------------------------------------------------------------------------

    def _call(self, request: Request) -> Any:
        """The reply to a request, or its Refusal; without an answer, a Refusal that says so."""
        call = self._calls.submit(self._client.call, request, request.reply)
        try:
            reply = wait_with_spinner(call, self._console if self._interactive else None)
            self._opened.record(request, reply)
            if isinstance(reply, Booking):
                if request.writes:
                    self._last_change = reply
                phone = getattr(request, "phone", None)
                self._last_phone = phone or self._last_phone
                self._followed.add(reply, phone)
            return reply
        except Refusal as refusal:
            return refusal
        except ConnectionLost as lost:
            return no_answer(f"{lost}.")
        except RpcError as error:
            return no_answer(str(error))
        except KeyboardInterrupt:
            return no_answer(INTERRUPTED_WRITE if request.writes else INTERRUPTED)
        except (EOFError, OSError):  # a signal, or the output is closed
            raise
        except Exception:  # noqa: BLE001 - it is logged
            return no_answer(_log_error())

    # Notifications and reconnection ------------------------------------------------------------

    def _notified(self, method: str, params: dict[str, Any]) -> None:
        try:
            self._print_notification(method, params)
        except Exception:  # noqa: BLE001 - it is logged
            self._print(_log_error(), "red")

    def _print_notification(self, method: str, params: dict[str, Any]) -> None:
        match method, params:
            case "message", {"text": str(text)}:
                if params.get("message_id") not in self._shown_messages:
                    self._shown_messages.append(params.get("message_id"))
                    self._print(f"Message from the operator: {text}", "bold cyan")
                    self._print(self._details_of(params))
            case "booking_changed", _:
                booking = msgspec.convert(params, Booking)
                self._print_change(booking, self._followed.update(booking))

    def _details_of(self, message: dict[str, Any]) -> str:
        """The line after a message of an operator: when it was sent, about which trip, and how to answer.

        Its time is in the server's time zone, which is named if the clock of this computer differs.
        """
        day = message.get("boarding_date") or message.get("travel_date")
        here, there = now_in(None), now_in(self._time_zone)
        return message_details(
            datetime.fromisoformat(message["at"]), there, message.get("bus_id"),
            date.fromisoformat(day) if day else None,
            "" if here.utcoffset() == there.utcoffset() else self._time_zone or "",
        )  # fmt: skip

    def _print_change(self, booking: Booking, before: Booking) -> None:
        """Print what has changed. before: the last known state."""
        line = f"{change_line(booking).removesuffix('.')}. {offer_advice(booking)}".rstrip()
        if before.status == "pending" and booking.status in ("booked", "held"):
            seats = counted(len(booking.tickets), words_of(booking.kind).seat)
            charged = f" {money(booking.fare, booking.currency)} is charged." * (booking.status == "booked")
            line = f"You have {seats} from the waitlist.{charged}\n{line}"
        if self._asker.held is not None and booking.reference == self._asker.held.reference:
            self._asker.held = None
            if booking.status == "expired":
                line = f"{line} {after_expiry(booking)}"
        self._print(line, "bold cyan")

    def _connection_changed(self, connected: bool) -> None:
        if connected and self._lost:
            self._lost = False
            self._print(CONNECTED, "green")
        elif not connected and not self._lost and not self._closing.is_set():
            self._lost = True
            self._print(LOST, "yellow")
            threading.Thread(target=self._reconnect, name="reconnect", daemon=True).start()

    def _reconnect(self) -> None:
        """Connect again, and open the followed bookings, so that this connection receives their changes."""
        while self._lost and not self._closing.is_set():
            try:
                self._client.ping()
            except (ConnectionLost, Refusal, RpcError):
                self._closing.wait(RECONNECT_SECONDS)
        for request in self._followed.open_requests():
            if not self._closing.is_set():
                with suppress(ConnectionLost, Refusal, RpcError):
                    booking = self._client.call(request, Booking)
                    before = self._followed.update(booking)
                    if (booking.status, booking.tickets) != (before.status, before.tickets):
                        self._print_change(booking, before)


def _log_error() -> str:
    """Write the exception that is being handled to a new file; return a sentence that names the file."""
    with NamedTemporaryFile("w", prefix="busware-", suffix=".log", delete=False) as file:
        traceback.print_exc(file=file)
    return f"Internal error of this program. The file {file.name} has the details."


def wait_with_spinner(call: "Future[Any]", console: Console | None) -> Any:
    """The result of a call. Displays a spinner on the console if it takes long."""
    done, _ = wait([call], SPINNER_SECONDS)
    if done or console is None:
        return call.result()
    spinner = console.status(WAITING)
    try:  # not `with`: Ctrl-C during start() would leave the spinner on the screen
        spinner.start()
        return call.result()
    finally:
        spinner.stop()
