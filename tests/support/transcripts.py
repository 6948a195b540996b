"""Plays requests to a running server, and compares its replies with those of an older version.

A transcript is a list of entries, which are JSON objects. An entry has an action and, after recording, the
reply of the server. The kinds of entries, each with a member of its own:

send    a line of JSON over the TCP connection named by `on`; a string is sent as it is. `silent`: no reply
await   the next notification of that method on the connection `on`; with `text`, the next with that text
type    plain text on the connection `on`. `fixed`: lines that must be received, in this order; other lines
        may come between them. In a fixed line, {name} is a word to keep, and … at the end is any text.
        `said`: the lines up to the last fixed one; they are not compared
http    an HTTP method, with `path` and maybe `query`, `headers`, `json`, `data`. `stream`: read one event;
        `unread`: leave the body out
sql     a statement, executed as the owner of the database. `wait`: repeat it until it returns rows
clock   the time to which the clock of the database and of the server is set
stop    stops the TCP server

`pad` extends the text of `send` or `data` with blanks to this number of characters. `times` repeats the
action, and records the last reply.

`keep` names values of the reply, such as {"booking": "result.reference"}. After that, "$booking" stands for
the value, in requests and in replies. So a recorded file has no value that differs between two runs.

Two replies agree if the new one has every field of the old one, with the same type and value. The new one
may have more fields. Messages (TEXTS) and generated values (GENERATED) may differ, but must have the same
type and not be empty. A time to wait (WAITS) may be shorter.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.support.line_client import wait_until

Entry = dict[str, Any]

TEXTS = {"message", "detail", "title", "takes"}
GENERATED = {"message_id", "request_id", "version", "etag"}
WAITS = {"retry_after", "retry-after"}
EXACT_PATHS = "/hotel"  # their texts are compared, too
HEADERS = ("content-type", "etag", "location", "retry-after", "www-authenticate")
# A shorter kept value is not replaced by its name in replies: it may be a part of other texts by chance.
MIN_NAMED_LENGTH = 6
CLOSED = "<closed>"  # stands for the end of a connection, as a line of plain text


class BrokenProtocol(Exception):
    """The server has broken the protocol, so the transcript cannot continue."""


class TranscriptPlayer:
    """Plays entries to a running server, through the functions that it is given.

    connect: opens a TCP connection (.send, .receive). call: sends an HTTP request, as the fixture `http`.
    query: runs SQL as the owner. set_clock: sets the clock. stop: stops the TCP server.
    kept: the values that were kept, by name.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        call: Callable[..., Any],
        query: Callable[..., list[Any]],
        set_clock: Callable[[str], object],
        stop: Callable[[], None],
    ) -> None:
        self.kept: dict[str, str] = {}
        self._connect, self._call, self._query = connect, call, query
        self._set_clock_to, self._stop_tcp = set_clock, stop
        self._connections: dict[str, Any] = {}
        self._notifications: dict[str, list[Any]] = {}

    def play(self, entry: Entry) -> Any:
        """Execute an entry. Return the reply, with names for the values that were kept.

        Raises BrokenProtocol.
        """
        play = next(getattr(self, f"_{kind}") for kind in KINDS if kind in entry)
        try:
            for _ in range(entry.get("times", 1)):
                reply = play(self._filled({name: value for name, value in entry.items() if name != "reply"}))
        except (OSError, ValueError) as error:
            raise BrokenProtocol(f"{type(error).__name__}: {error}") from error
        for name, path in entry.get("keep", {}).items():
            self.kept[name] = str(_look_up(reply, path))
        return self._named(reply)

    # The kinds of entry ------------------------------------------------------------------------

    def _send(self, entry: Entry) -> Any:
        line = entry["send"] if isinstance(entry["send"], str) else json.dumps(entry["send"])
        self._connection(entry).send(line.ljust(entry.get("pad", 0)))
        return None if entry.get("silent") else self._reply(entry["on"])

    def _await(self, entry: Entry) -> Any:
        waiting = self._notifications.setdefault(entry["on"], [])

        def is_awaited(notification: Any) -> bool:
            method, text = notification["method"], notification["params"].get("text")
            return bool(method == entry["await"] and text == entry.get("text", text))

        while not (found := list(filter(is_awaited, waiting))):
            received = self._receive(entry["on"])
            if "id" in received:
                raise BrokenProtocol(f"a reply came where a notification was awaited: {received}")
            waiting.append(received)
        waiting.remove(found[0])
        return found[0]

    def _type(self, entry: Entry) -> list[str]:
        line = self._connection(entry)
        if entry["type"] is not None:
            line.send(entry["type"])
        said: list[str] = []
        for fixed in entry["fixed"]:
            found = None
            while not found:
                try:
                    received = line.receive() if CLOSED not in said else b""
                except TimeoutError:
                    received = None
                if received is None or CLOSED in said:
                    raise BrokenProtocol(f"the line {fixed!r} did not come; these came: {self._named(said)}")
                said.append(received.decode() or CLOSED)
                found = re.fullmatch(_pattern(fixed), said[-1])
            self.kept |= found.groupdict()
        return said

    def _http(self, entry: Entry) -> Any:
        data = entry["data"].ljust(entry.get("pad", 0)) if "data" in entry else None
        how = {"params": entry.get("query"), "json": entry.get("json"), "data": data}
        headers, stream = entry.get("headers", {}), entry.get("stream", False)
        with self._call(entry["http"], entry["path"], headers=headers, stream=stream, **how) as response:
            shown = {name: response.headers[name] for name in HEADERS if name in response.headers}
            kind = shown["content-type"] = shown.get("content-type", "").partition(";")[0]
            body: Any = None
            if stream:
                body = _first_event(response.iter_lines())
            elif kind.endswith("json") and response.content and not entry.get("unread"):
                body = response.json()
            return {"status": response.status_code, "headers": shown, "body": body}

    def _sql(self, entry: Entry) -> Any:
        def rows() -> list[Any]:
            return self._query(entry["sql"], *entry.get("args", []))

        return wait_until(rows) if entry.get("wait") else rows()

    def _clock(self, entry: Entry) -> None:
        self._set_clock_to(entry["clock"])

    def _stop(self, entry: Entry) -> None:
        self._stop_tcp()

    # Shared ------------------------------------------------------------------------------------

    def _connection(self, entry: Entry) -> Any:
        name = entry["on"]
        if name not in self._connections:
            self._connections[name] = self._connect()
        return self._connections[name]

    def _receive(self, connection: str) -> Any:
        line = self._connections[connection].receive()
        if not line:
            raise BrokenProtocol("the server closed the connection")
        return json.loads(line)

    def _reply(self, connection: str) -> Any:
        """The next line that is not a notification. Notifications are stored."""
        while True:
            received = self._receive(connection)
            if isinstance(received, list) or "id" in received:
                return received
            self._notifications.setdefault(connection, []).append(received)

    def _filled(self, value: Any) -> Any:
        """A request, with the kept values in place of their names."""
        return _map_texts(
            value, lambda text: re.sub(r"\$(\w+)", lambda name: self.kept.get(name[1], name[0]), text)
        )

    def _named(self, value: Any) -> Any:
        """A reply, with names in place of the kept values."""

        def name(text: str) -> str:
            for known, kept in self.kept.items():
                if len(kept) >= MIN_NAMED_LENGTH:
                    text = text.replace(kept, f"${known}")
            return text

        return _map_texts(value, name)


KINDS = ("send", "await", "type", "http", "sql", "clock", "stop")


def record(entries: Iterable[Entry], player: TranscriptPlayer) -> Iterator[Entry]:
    """Play the entries; yield each with its reply."""
    for entry in entries:
        reply = player.play(entry)
        yield {**entry, "said" if "type" in entry else "reply": reply}


def compare(entries: Iterable[Entry], player: TranscriptPlayer) -> Iterator[str]:
    """Play recorded entries; yield a line for each difference from what is recorded."""
    for number, entry in enumerate(entries, 1):
        asked = next((entry[name] for name in ("send", "type", "path", "sql") if entry.get(name)), entry)
        place = f"line {number}, {asked if isinstance(asked, str) else json.dumps(asked)}"
        try:
            reply = player.play(entry)
        except BrokenProtocol as broken:
            yield f"{place}: {broken}"
            return
        if "reply" in entry:
            texts = TEXTS if not entry.get("path", "").startswith(EXACT_PATHS) else set()
            yield from (
                f"{place}: {difference}" for difference in differences(entry["reply"], reply, "reply", texts)
            )


def differences(old: Any, new: Any, where: str, texts: set[str] = TEXTS) -> Iterator[str]:
    """A line for each field of an old reply that differs in a new one. where: the path of this part."""
    name = where.rpartition(".")[2]
    if type(old) is not type(new):
        yield f"{where} was {old!r}, is {new!r}"
    elif isinstance(old, dict):
        yield from (f"{where}.{key} is missing" for key in old.keys() - new.keys())
        for key in [key for key in old if key in new]:
            yield from differences(old[key], new[key], f"{where}.{key}", texts)
    elif isinstance(old, list):
        if len(old) != len(new):
            yield f"{where} had {len(old)} items, has {len(new)}: {new!r}"
        for n, items in enumerate(zip(old, new, strict=False)):
            yield from differences(*items, f"{where}.{n}", texts)
    elif name in GENERATED or (name in texts and isinstance(old, str)):
        if new == "":
            yield f"{where} is empty"
    elif old != new and not (name in WAITS and 0 < int(new) <= int(old)):
        yield f"{where} was {old!r}, is {new!r}"


def _look_up(reply: Any, path: str) -> Any:
    """The value under a path such as result.tickets.0.seat_no. Raises BrokenProtocol."""
    value = reply
    for step in path.split("."):
        try:
            value = value[int(step) if isinstance(value, list | tuple) else step]
        except (LookupError, TypeError, ValueError):
            raise BrokenProtocol(f"there is no {path} in {reply}") from None
    return value


def _pattern(fixed: str) -> str:
    """The regular expression of a fixed line."""
    whole = re.escape(fixed.removesuffix("…"))
    whole = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[A-Z0-9]+)", whole)
    return whole + ".*" * fixed.endswith("…")


def _first_event(lines: Iterable[bytes]) -> dict[str, Any]:
    """The first server-sent event that has data."""
    event: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.decode().partition(": ")
        if name == "event":
            event["event"] = value
        elif name == "data":
            return event | {"data": json.loads(value)}
    raise BrokenProtocol("the stream ended without an event")


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple):
        return [_map_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _map_texts(item, change) for key, item in value.items()}
    return value
