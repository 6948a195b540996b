"""The hotel's desk, as a guest: username and password first, then rooms, book, query, update, checkout.

Speaks to /hotel, the door that any client of the hotel's may use (server/http/hotel.py). A wrong password
ends it. Behind a pipe it reads the same lines, and prompts for nothing.
"""

import getpass
import http.client
import ssl
import sys
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import msgspec

from busware.dates import day, today_in
from busware.server.conversation import InvalidInput

DONE, REFUSED, NO_ANSWER = 0, 1, 3
TIMEOUT_SECONDS = 30.0

HELP = """\
rooms [CHECK-IN CHECK-OUT]     which rooms are taken, tonight unless told
book N [CHECK-IN CHECK-OUT]    book any N rooms
query                          your rooms
update N                       move from your first room to room N
checkout                       leave, and give back what is left of your stay
exit                           leave this desk"""


class Leave(Exception):
    """There is nothing more to say; status: that of the program."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def run(url: str, tls: ssl.SSLContext | None) -> int:
    """Serve a guest until they leave; return the exit status. tls: for https."""
    try:
        guest = Guest(url, tls, _line("Username: "), _password())
        guest.enter()
        while True:
            guest.do(_line("hotel> "))
    except Leave as leave:
        print(leave, file=sys.stderr if leave.status else sys.stdout)
        return leave.status
    except (EOFError, KeyboardInterrupt):
        return DONE
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        print(f"There is no answer from {url}: {error}", file=sys.stderr)
        return NO_ANSWER


class Guest:
    """Somebody at the desk."""

    def __init__(self, url: str, tls: ssl.SSLContext | None, username: str, password: str) -> None:
        self._url = urlsplit(url)
        self._tls = tls
        self._who = {"username": username, "password": password}

    def enter(self) -> None:
        """Say who it is. Raises Leave when the password is wrong."""
        status, told = self._ask("POST", "query", **self._who)
        if status == http.client.NOT_FOUND:
            print("Welcome. Your first booking registers you.")
        elif status == http.client.OK:
            print(f"Welcome back. {told['message']}")
        else:
            raise Leave(REFUSED, _said(told))
        print("Type rooms, book, query, update, checkout or exit; help says more.")

    def do(self, line: str) -> None:
        """Do what a line says. Raises Leave."""
        command, *words = line.split() or [""]
        commands = {"rooms": self._rooms, "book": self._book, "query": self._query, "update": self._update}
        commands |= {"checkout": self._checkout}
        if command.lower() in ("exit", "quit"):
            raise Leave(DONE, "Goodbye.")
        if command.lower() not in commands:
            print(HELP)
            return
        try:
            commands[command.lower()](words)
        except (ValueError, InvalidInput) as error:
            print(error)

    def _rooms(self, words: list[str]) -> None:
        nights = self._nights(words)
        query = "&".join(f"{name}={night}" for name, night in nights.items())
        status, told = self._ask("GET", f"rooms?{query}" if query else "rooms")
        if status != http.client.OK:
            print(_said(told))
            return
        for room in told["rooms"]:
            print(f"Room {room['room_number']:2}  {'occupied' if room['is_occupied'] else 'free'}")

    def _book(self, words: list[str]) -> None:
        count = _number(words[0] if words else _line("How many rooms: "))
        self._tell("POST", "book", num_rooms=count, **self._nights(words[1:]))

    def _query(self, words: list[str]) -> None:
        self._tell("POST", "query")

    def _update(self, words: list[str]) -> None:
        self._tell("PUT", "update", new_room=_number(words[0] if words else _line("Which room: ")))

    def _checkout(self, words: list[str]) -> None:
        self._tell("DELETE", "checkout")

    def _nights(self, words: list[str]) -> dict[str, str]:
        """Check-in and check-out, as people type dates; it is today where the hotel is."""
        if not words:
            return {}
        if len(words) != 2:
            raise ValueError("Give check-in and check-out, such as 2026-12-05 2026-12-07.")
        first, last = (day(word, self._today) for word in words)
        return {"check_in": str(first), "check_out": str(last)}

    def _today(self) -> date:
        _, told = self._ask("GET", "/v1/ping")
        return today_in(told.get("time_zone"))

    def _tell(self, method: str, path: str, **fields: object) -> None:
        """Ask as the guest, and print what is said. Raises Leave when the password is wrong."""
        status, told = self._ask(method, path, **self._who, **fields)
        if status == http.client.UNAUTHORIZED:
            raise Leave(REFUSED, _said(told))
        print(_said(told))

    def _ask(self, method: str, path: str, **fields: object) -> tuple[int, dict[str, Any]]:
        """The answer of the desk, or at /… of its server. Raises OSError, HTTPException or DecodeError."""
        host, port = self._url.hostname or "", self._url.port
        line = (
            http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
            if self._tls is None
            else http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=self._tls)
        )
        body = msgspec.json.encode(fields) if method != "GET" else None
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            line.request(
                method, path if path[0] == "/" else f"{self._url.path.rstrip('/')}/{path}", body, headers
            )
            response = line.getresponse()
            return response.status, msgspec.json.decode(response.read(), type=dict[str, Any])
        finally:
            line.close()


def _line(prompt: str) -> str:
    """What is typed. Raises EOFError."""
    return input(prompt if sys.stdin.isatty() else "").strip()


def _password() -> str:
    return getpass.getpass() if sys.stdin.isatty() else input()


def _number(word: str) -> int:
    if not word.isdecimal():
        raise ValueError(f"'{word}' is no number; write one such as 2.")
    return int(word)


def _said(told: dict[str, Any]) -> str:
    """What an answer says, with what it gives back or how much is left."""
    said = str(told.get("message") or told.get("error") or told)
    if "refund" in told:
        said += f" Refund: {told['refund']}."
    if "rooms_free" in told:
        said += f" Free: {told['rooms_free']}."
    return said
