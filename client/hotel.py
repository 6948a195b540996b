"""The terminal client for hotel guests. It signs in, and executes one command for each line.

Uses the API under /hotel (server/http/hotel.py). A wrong password ends the program. If the input is not a
terminal, it reads the same lines and prints no prompts.
"""

import getpass
import re
import ssl
import sys
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

import msgspec

from busware.dates import today_in, words_of_date
from busware.http_messages import split_url
from busware.http_transport import HttpTransport
from busware.server.command_line import ask_new_password
from busware.server.conversation import InvalidInput, parse_date
from busware.server.conversation.words import money
from busware.server.output import DONE, INTERRUPTED, NotShown, complain, report_not_shown, show

REFUSED, NO_ANSWER = 1, 3  # exit statuses, with those of server/output.py
TIMEOUT_SECONDS = 30.0
_MAX_DIGITS = 18  # of a number; larger ones cannot be sent
_NIGHTS = re.compile(r"\d{1,3}", re.ASCII)
_EXAMPLE = "such as 5 dec 2"

HELP = """\
rooms [DATE NIGHTS]    show which rooms are taken (default: tonight)
book N [DATE NIGHTS]   book any N rooms
query, status          show your rooms
update N, change N     exchange the room you have had longest for room N
checkout, cancel       leave: cancel your nights from tonight on
quit, exit             end the program
NIGHTS: their number, or the date on which you leave. Such as: book 2 5 dec 3"""


class Exit(Exception):
    """Ends the program with a status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def run(url: str, tls: ssl.SSLContext | None) -> int:
    """Execute the guest's commands; return the exit status. tls: for https."""
    try:
        guest = Guest(url, tls, _read_line("Username: "), _read_password())
        guest.sign_in()
        while True:
            guest.execute(_read_line("hotel> "))
    except Exit as end:
        if end.status == DONE:
            show(str(end))
        else:
            complain(str(end))
        return end.status
    except (EOFError, KeyboardInterrupt):
        return DONE
    except OSError as error:
        complain(f"No answer from {url}: {error}")
        return NO_ANSWER
    except msgspec.DecodeError as error:
        complain(f"The answer of {url} is not JSON: {error}. Check the address.")
        return NO_ANSWER


class Guest:
    """A guest with a username and a password. Executes the guest's commands."""

    def __init__(self, url: str, tls: ssl.SSLContext | None, username: str, password: str) -> None:
        self._host, self._port, self._base_path = split_url(url)
        self._tls = tls
        self._credentials = {"username": username, "password": password}

    def sign_in(self) -> None:
        """Check the password, and print the guest's rooms. Raises Exit if the password is wrong."""
        status, reply = self._send("POST", f"{self._base_path}/query", **self._credentials)
        if status == HTTPStatus.NOT_FOUND:
            show("Welcome. Your first booking registers you.")
            self._repeat_password()
        elif status == HTTPStatus.OK:
            show(f"Welcome back. {reply['message']}")
        else:
            raise Exit(REFUSED, _reply_text(reply))
        show("Commands: rooms, book, query, update, checkout, quit. Type help to read more.")

    def _repeat_password(self) -> None:
        """Ask a new guest on a terminal for the password once more. Raises SystemExit."""
        if sys.stdin.isatty():
            username, password = self._credentials.values()
            self._credentials["password"] = ask_new_password(username, typed=password)

    def execute(self, line: str) -> None:
        """Execute a command. Raises Exit."""
        command, *words = line.split() or [""]
        try:
            match command.lower():
                case "rooms":
                    self._rooms(self._nights(words))
                case "book":
                    count = _read_number(words, "How many rooms: ")
                    self._send_and_print("POST", "book", num_rooms=count, **self._nights(words[1:]))
                case "query" | "status":
                    self._send_and_print("POST", "query")
                case "update" | "change":
                    self._send_and_print("PUT", "update", new_room=_read_number(words, "Which room: "))
                case "checkout" | "cancel":
                    self._send_and_print("DELETE", "checkout")
                case "exit" | "quit" | "bye":
                    raise Exit(DONE, "Goodbye.")
                case _:
                    show(HELP)
        except (ValueError, InvalidInput) as error:
            show(str(error))

    def _rooms(self, nights: dict[str, str]) -> None:
        query = "&".join(f"{name}={night}" for name, night in nights.items())
        status, reply = self._send("GET", f"{self._base_path}/rooms?{query}".rstrip("?"))
        if status != HTTPStatus.OK:
            show(_reply_text(reply))
            return
        for room in reply["rooms"]:
            show(f"Room {room['room_number']:2}  {'occupied' if room['is_occupied'] else 'free'}")

    def _nights(self, words: list[str]) -> dict[str, str]:
        """Check-in and check-out of DATE NIGHTS, or of two dates. Raises ValueError or InvalidInput."""
        if not words:
            return {}
        today = self._today()
        first = words_of_date(words, today)
        check_in = parse_date(" ".join(words[:first]), today)
        match words[first:]:
            case []:
                raise ValueError(f"Give the date of the first night and the number of nights, {_EXAMPLE}.")
            case [nights] | [nights, "night" | "nights"] if _NIGHTS.fullmatch(nights):
                check_out = check_in + timedelta(days=int(nights))
            case last_day:
                check_out = parse_date(" ".join(last_day), today)
        return {"check_in": str(check_in), "check_out": str(check_out)}

    def _today(self) -> date:
        """Today's date in the server's time zone."""
        _, reply = self._send("GET", "/v1/ping")
        return today_in(reply.get("time_zone"))

    def _send_and_print(self, method: str, name: str, **fields: object) -> None:
        """Send a request as the guest and print the reply.

        Raises Exit if the password is wrong, SystemExit if the reply cannot be written.
        """
        try:
            status, reply = self._send(method, f"{self._base_path}/{name}", **self._credentials, **fields)
        except KeyboardInterrupt:
            raise Exit(
                INTERRUPTED,
                "Interrupted. The command may have been executed. Start again; query shows your rooms.",
            ) from None
        text = _reply_text(reply)
        if status == HTTPStatus.UNAUTHORIZED:
            raise Exit(REFUSED, text)
        try:
            show(text)
        except NotShown as error:
            done = "" if name == "query" or status >= HTTPStatus.BAD_REQUEST else text
            raise SystemExit(report_not_shown(error, done)) from None

    def _send(self, method: str, path: str, **fields: object) -> tuple[int, dict[str, Any]]:
        """The status and the fields of a response. Raises OSError or DecodeError."""
        transport = HttpTransport(self._host, self._port, self._tls)
        body = msgspec.json.encode(fields) if fields else None
        headers = {"Content-Type": "application/json"} if fields else {}
        try:
            status, reply = transport.send(method, path, body, headers, TIMEOUT_SECONDS)
        finally:
            transport.close()
        return status, msgspec.json.decode(reply, type=dict[str, Any])


def _read_line(prompt: str) -> str:
    """A line of input. Raises EOFError."""
    try:
        return input(prompt if sys.stdin.isatty() else "").strip()
    except OSError:  # the terminal is gone
        raise EOFError from None


def _read_password() -> str:
    return getpass.getpass() if sys.stdin.isatty() else input()


def _read_number(words: list[str], prompt: str) -> int:
    """The number after a command. If there is none, prompt for it. Raises ValueError."""
    word = words[0] if words else _read_line(prompt)
    if not word.isdecimal() or len(word) > _MAX_DIGITS:
        raise ValueError(f"'{word}' is not a number. Type a number such as 2.")
    return int(word)


def _reply_text(reply: dict[str, Any]) -> str:
    """The message of a reply, with the refund."""
    text = str(reply.get("message") or reply.get("error") or reply)
    if "refund" in reply:
        text += f" Refund: {money(reply['refund'], reply.get('currency'))}."
    return text
