"""The commands of the operator's console. Each reads or changes the database; none knows the terminal."""

import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from textwrap import shorten
from typing import Any

from busware.server.console.feed import ConsoleFeed, Out, heading
from busware.server.conversation import InvalidInput, parse_date
from busware.server.conversation.answers import yes_or_no
from busware.server.conversation.chart import chart_lines
from busware.server.conversation.dates import leading_date
from busware.server.conversation.manifest import manifest_lines
from busware.server.conversation.words import (
    clock,
    counted,
    day_of,
    listed,
    moment,
    money,
    plural,
    sent_line,
    venue_of,
    words_of,
)
from busware.server.db.pool import InternalError
from busware.server.installation import subcommand
from busware.server.protocol import Refusal, normalize_text
from busware.server.push.messages import Client, Message, Messages

PROMPT = "operator> "
WELCOME = "This is the operator's console. Type help for its commands."
LEAVE = ("exit", "quit")
_INDENT = 2  # columns before a line of a list
_MESSAGES_SHOWN = 20
_QUOTED_CHARACTERS = 60  # of the message that a reply answers
_MAX_DIGITS = 18  # of a bigint
_REASON_CHARACTERS = 200  # as in the method cancel_trip


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
    """Executes commands. now: the time in the server's time zone. exit_help: what `help` says of `exit`.

    read: asks a question and returns the line that the operator types; raises KeyboardInterrupt for Ctrl-C,
    and EOFError at the end of input. out: prints a line.
    """

    messages: Messages
    feed: ConsoleFeed
    now: Callable[[], datetime]
    read: Callable[[str], str]
    out: Out
    exit_help: str

    def run(self) -> None:
        """Execute lines until `exit`, the end of input, or Ctrl-C."""
        self.out(WELCOME)
        if waiting := len(self.feed.unanswered):
            self.out(f'Messages without a reply: {waiting}. The command "unanswered" lists them.')
        with suppress(EOFError, KeyboardInterrupt):
            while self.execute(self.read(PROMPT)):
                pass

    def execute(self, line: str) -> bool:
        """Execute a line. Returns False if the operator leaves."""
        word, _, rest = normalize_text(line).partition(" ")
        command = COMMANDS.get("help" if word == "?" else word.lower())
        try:
            if command is not None:
                command.run(self, rest.strip())
            elif word and word.lower() not in LEAVE:
                self.out(f'"{word}" is not a command. Nothing was sent. Type help for all commands.')
        except UsageError as error:
            self.out(f"Usage: {word} {command.takes if command else ''}. {error}")
        except (InvalidInput, Refusal, InternalError) as error:
            self.out(str(error))
        return word.lower() not in LEAVE

    # Messages and notices -----------------------------------------------------------------------

    def _to(self, rest: str) -> None:
        to, _, text = rest.partition(" ")
        if not text.strip():
            raise UsageError('The command "clients" lists the numbers.')
        recipient: dict[str, Any] = {"client_no": int(to)} if _is_number(to) else {"reference": to.upper()}
        self._send(text.strip(), **recipient)

    def _all(self, rest: str) -> None:
        if not rest:
            raise UsageError("Passengers who are not connected read it later.")
        self._send(rest)

    def _trip(self, rest: str) -> None:
        bus_id, day, text = self._trip_and_text(rest, "Example: trip 101 tomorrow We leave from platform 3.")
        self._send(text, bus_id=bus_id, travel_date=day)

    def _reply(self, rest: str) -> None:
        word, _, text = rest.partition(" ")
        text = text.strip() if _is_number(word) else rest
        if not text:
            raise UsageError("Without NUMBER, it answers the last message, if one sender waits.")
        waited = self.messages.unanswered()
        message = self._unanswered(word) if _is_number(word) else self._last_message(waited)
        quoted = shorten(message.body, _QUOTED_CHARACTERS, placeholder=" …")
        sender = self._sender(message)
        self._send(text, f", in reply to message {message.message_id}: {quoted}", **sender)
        waiting = [message.message_id, *(other.message_id for other in self.messages.unanswered())]
        if others := [other.message_id for other in waited if other.message_id not in waiting]:
            subject, verb = plural("message", others).capitalize(), "waits" if len(others) == 1 else "wait"
            self.out(
                f"{subject} {listed(others, 'and')} of the same sender no longer {verb} for a reply. "
                f"To add one: to {listed(sender.values(), 'or')} TEXT."
            )

    def _send(self, text: str, end: str = ".", **to: Any) -> None:
        """Send a notice, and print a sentence on whom it reaches. end: how it ends. to: see Messages."""
        reached = self.messages.notice(text, **to)
        if "client_no" in to:
            self.out(f"Sent to client {to['client_no']}{end}")
        elif reached is None:
            clients = counted(len(self._connected_clients()), "connected client")
            self.out(f"Sent to {clients}. Passengers who are not connected read it when they connect.")
        elif "reference" in to:
            open_tickets = counted(reached.tickets, "ticket") if reached.tickets else "no open ticket"
            self.out(f"Sent to booking {to['reference']} ({open_tickets}){end}")
        else:
            self.out(sent_line(reached))

    def _unanswered(self, number: str) -> Message:
        """The message with that number, if it has no reply."""
        for message in self.messages.unanswered():
            if message.message_id == int(number):
                return message
        for message in self.messages.recent(_MESSAGES_SHOWN):
            if message.message_id == int(number) and message.audience == "operators":
                self._sender(message)  # raises InvalidInput if the sender has left
        raise InvalidInput(
            f'No message {number} waits for a reply: "unanswered" lists those that do. If {number} is the '
            "first word of your reply, type the number of a message before it."
        )

    def _last_message(self, waiting: list[Message]) -> Message:
        """The last message that waits for a reply; if none does, the last one that this console has shown.

        Raises InvalidInput if messages of several senders wait.
        """
        if len({message.reference or message.client_no for message in waiting}) > 1:
            numbers = [message.message_id for message in waiting]
            raise InvalidInput(
                f"Messages {listed(numbers, 'and')} wait for a reply. "
                f"Type the number of one before your text: reply {numbers[-1]} TEXT."
            )
        for message in filter(None, (*waiting[-1:], self.feed.last_message)):
            return message
        raise InvalidInput("No message waits for a reply.")

    def _sender(self, message: Message) -> dict[str, Any]:
        """The sender of a message, as the recipient of a notice."""
        clients = {client.client_no for client in self._connected_clients()}
        if message.client_no in clients:
            return {"client_no": message.client_no}
        if message.reference is not None:
            return {"reference": message.reference}
        raise InvalidInput(f"{message.sender} is not connected and has no booking. A reply cannot reach it.")

    # Trips -------------------------------------------------------------------------------------

    def _manifest(self, rest: str) -> None:
        bus, _, day = rest.partition(" ")
        if not _is_number(bus):
            raise UsageError("Example: manifest 101 tomorrow")
        for line, _ in manifest_lines(self.messages.manifest(int(bus), self._date(day))):
            self._show(line)

    def _chart(self, rest: str) -> None:
        bus, _, day = rest.partition(" ")
        if not _is_number(bus):
            raise UsageError("Example: chart 101 tomorrow")
        trip = self.messages.occupancy(int(bus), self._date(day))
        for line in chart_lines(trip, shutil.get_terminal_size().columns - _INDENT):
            self._show("".join(piece.text for piece in line))

    def _cancel(self, rest: str) -> None:
        bus_id, day, reason = self._trip_and_text(rest, "Example: cancel 101 tomorrow Landslide.")
        if len(reason) > _REASON_CHARACTERS:
            raise InvalidInput(f"A reason has up to {_REASON_CHARACTERS} characters.")
        quote = self.messages.cancel_quote(bus_id, day)
        self._show(f"{quote.trip.kind} {bus_id}, {quote.trip.name}")
        ends = f"{counted(quote.tickets, 'ticket')} of {counted(quote.bookings, 'booking')}"
        self._show(
            f"departs {moment(quote.trip.departs_at)}: {ends}, refund {money(quote.refund, quote.currency)}"
        )
        if not self._confirm("Cancel this trip?"):
            self.out("The trip is not cancelled.")
            return
        done = self.messages.cancel_trip(bus_id, day, reason)
        self.out(
            f"The trip is cancelled: {counted(done.tickets, 'ticket')}, "
            f"{money(done.refund, done.currency)} refunded."
        )

    def _confirm(self, question: str) -> bool:
        """Ask until the answer is yes or no. Ctrl-C means no."""
        with suppress(KeyboardInterrupt):
            while True:
                try:
                    return yes_or_no(self.read(f"{question} (yes or no) "))
                except InvalidInput as error:
                    self.out(str(error))
        return False

    def _trip_and_text(self, rest: str, example: str) -> tuple[int, date, str]:
        """The number of a service, a date and a text. Raises InvalidInput, UsageError with the example."""
        bus, _, rest = rest.partition(" ")
        day, text = leading_date(rest, self._today())
        if not day:
            day, _, text = text.partition(" ")
        if not _is_number(bus) or not text:
            raise UsageError(example)
        return int(bus), parse_date(day, self._today()), text

    def _today(self) -> date:
        return self.now().date()

    def _local(self, at: datetime) -> datetime:
        """A time in the server's time zone."""
        return at.astimezone(self.now().tzinfo)

    def _since(self, at: datetime) -> str:
        """A date and time in the server's time zone, such as Sat 5 Dec 22:05."""
        return f"{day_of(self._local(at), year=False)} {clock(self._local(at))}"

    def _date(self, typed: str) -> date:
        """The date that the operator has typed, or today."""
        return parse_date(typed, self._today()) if typed.strip() else self._today()

    # Lists -------------------------------------------------------------------------------------

    def _clients(self, rest: str) -> None:
        clients = self._connected_clients()
        for client in clients:
            since = f"{self._local(client.since):%H:%M:%S}"
            columns = f"{client.client_no:>5}  since {since}  {client.address:21}  {client.protocol:4}"
            self._show(" ".join(filter(None, (f"{columns} ", client.account, client.reference))))
        self.out(f"Connected clients: {len(clients)}.")

    def _connected_clients(self) -> list[Client]:
        return [client for client in self.messages.presence().clients if client.left_at is None]

    def _trips(self, rest: str) -> None:
        day = self._date(rest)
        found = self.messages.trips(day)
        for trip in found.trips:
            departs = clock(trip.departs_at)
            if trip.travel_date != day:  # it is under way, such as a hotel's
                departs = f"since {moment(trip.departs_at)}"
            tickets = f"{trip.booked} booked, {trip.held} held, {trip.pending} waiting"
            state = "" if trip.state == "open" else f" ({trip.state})"
            ends = venue_of(trip) or f"{trip.origin} to {trip.destination}"
            seats = counted(trip.seats, words_of(trip.kind).seat)
            self._show(f"{trip.kind} {trip.bus_id}  {departs}  {ends}: {tickets}, {seats}{state}")
        self.out(f"Trips with tickets or a waitlist: {len(found.trips)}. Other open trips: {found.others}.")

    def _stats(self, rest: str) -> None:
        stats, presence = self.messages.stats(), self.messages.presence()
        clients = Counter(client.process_no for client in presence.clients if client.left_at is None)
        for process in presence.processes:
            count = f", clients: {clients[process.process_no]}" if process.role == "server" else ""
            self._show(f"{process.role} {process.name}, since {self._since(process.since)}{count}")
        tickets = ", ".join(f"{n} {status}" for status, n in sorted(stats["tickets"].items())) or "none"
        self._show(f"tickets for today and later: {tickets}")
        self._show(f"services: {stats['services']}, trips on sale: {stats['trips']}")
        self._show(f"stored messages: {stats['messages']}")
        if stats["outbox"]:
            since = stats["outbox_since"]
            not_sent = ", ".join(
                f"{n} {kind} since {self._since(datetime.fromisoformat(since[kind]))}"
                for kind, n in sorted(stats["outbox"].items())
            )
            self._show(f"not sent, see {subcommand('outbox')}: {not_sent}")

    def _recent(self, rest: str) -> None:
        self._show_messages(self.messages.recent(_MESSAGES_SHOWN))

    def _list_unanswered(self, rest: str) -> None:
        waiting = self.messages.unanswered()
        self._show_messages(waiting)
        self.out(f"Messages without a reply: {len(waiting)}.")

    def _show_messages(self, messages: list[Message]) -> None:
        for message in messages:
            at = self._local(message.at)
            self._show(f"{day_of(at, year=False)} {at:%H:%M:%S}  {heading(message)}: {message.body}")

    def _connections(self, rest: str) -> None:
        if rest.lower() not in ("on", "off"):
            raise UsageError("on: show clients that connect or disconnect.")
        self.feed.shows_connections = rest.lower() == "on"
        shown = "shown" if self.feed.shows_connections else "not shown"
        self.out(f"Clients that connect or disconnect are {shown}.")

    def _help(self, rest: str) -> None:
        lines = [(f"{word} {command.takes}".strip(), command.about) for word, command in COMMANDS.items()]
        for words, about in [*lines, (" or ".join(LEAVE), self.exit_help)]:
            self._show(f"{words:24}  {about}")
        self._show("DATE is the travel date of a trip: 2026-12-05, 5 dec, tomorrow or sat.")

    def _show(self, text: str) -> None:
        self.out(f"{' ' * _INDENT}{text}".rstrip())


COMMANDS = {
    "to": Command("NUMBER|REFERENCE TEXT", "send a message to a client, or to a booking", Console._to),
    "all": Command("TEXT", "send a message to all clients and passengers", Console._all),
    "trip": Command("BUS DATE TEXT", "send a notice to all passengers of a trip", Console._trip),
    "reply": Command("[NUMBER] TEXT", "answer the message that waits, or one by its number", Console._reply),
    "unanswered": Command("", "list the messages of clients without a reply", Console._list_unanswered),
    "messages": Command("", f"list the last {_MESSAGES_SHOWN} messages", Console._recent),
    "clients": Command("", "list the connected clients", Console._clients),
    "connections": Command("on|off", "show clients that connect or disconnect, or not", Console._connections),
    "trips": Command("[DATE]", "list the trips of today or a date with passengers", Console._trips),
    "manifest": Command(
        "BUS [DATE]", "list who boards and alights at each stop of a trip", Console._manifest
    ),
    "chart": Command("BUS [DATE]", "draw which passenger has which seat, leg by leg", Console._chart),
    "cancel": Command("BUS DATE REASON", "cancel a trip and refund its passengers", Console._cancel),
    "stats": Command("", "count processes, tickets, services and messages", Console._stats),
    "help": Command("", "show this list", Console._help),
}


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= _MAX_DIGITS
