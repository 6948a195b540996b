"""The log of the server: one line for each event, on standard error.

Clients choose some of the texts that are logged. So characters that cannot be printed are escaped, phone
numbers, e-mail addresses and password hashes are masked, and a traceback is a part of its event's line. Equal
events are limited to a number a minute. A thread of its own writes the lines: no other thread waits for the
reader of the log, or fails when the disk of the log is full.
"""

import copy
import io
import json
import logging
import os
import queue
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

from busware.server.settings import Settings

log = logging.getLogger("busware.log")

FLUSH_SECONDS = 1.0  # how long the end of the process waits for the reader of the log
MAX_CHARACTERS = 16_384  # of a message or a traceback; of a longer one, the middle is left out
MAX_WAITING_LINES = 1_000  # beyond that, lines are lost, and their number is logged

# What looks like a phone number, with the spaces and signs that people type between its digits: 7 to 15
# digits after + or 00, or after a word for a phone and a sign or a space; 9 to 15 digits in quotes. Dates,
# addresses, numbers of bytes, processes and trips are none of these.
_PHONE = re.compile(
    r"""
    (?P<before> (?<!\d)(?:\+|%2b) | (?<![\w.,:/+-])00(?=[1-9])
    | (?:phone|mobile|\btel|\btarget)[^\w,;]{1,12} )
    (?!DATE) (?P<digits> (?:SEPARATOR{0,2}\d){7,15} )
    | (?P<quote> ["'] )
    (?!DATE) (?P<quoted> (?:SEPARATOR{0,2}\d){9,15} ) (?=\\{0,3}["'])
    """.replace("SEPARATOR", r"[ \u00a0\u2007\u202f()./+-]").replace("DATE", r"\d{4}-\d\d-\d\d(?!\d)"),
    re.VERBOSE | re.IGNORECASE,
)
# An e-mail address; also a user and password before the host in a URL. A search begins at the first character
# of a word only: if it began at each one, it would read a long word once for each of its characters.
_EMAIL = re.compile(
    r"""(?<!CHARACTER)CHARACTER++@(?=[\w-]+(\.[\w-]+)+)""".replace(
        "CHARACTER", r"""[^\s<>()\[\]:;@\\,"'/=]"""
    )
)
_PASSWORD_HASH = re.compile(r"\$argon2[\w$=,+/-]+")


def configure(settings: Settings) -> None:
    """Log every event of this process: log records, warnings, and exceptions that no code handles.

    Libraries log each step of their work as INFO, such as the glyphs of a ticket: their level is WARNING.
    """
    stream = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115 - standard error may be closed
    logging.basicConfig(level=logging.WARNING, handlers=[LogHandler(settings, stream)])  # of libraries
    logging.getLogger("busware").setLevel(settings.log_level)
    logging.captureWarnings(True)
    sys.excepthook = _log_exception
    threading.excepthook = _log_exception_of_thread
    sys.unraisablehook = _log_ignored_exception


def flush() -> None:
    """Wait until the lines are written, for FLUSH_SECONDS at most."""
    for handler in logging.getLogger().handlers:
        handler.flush()


def relay(line: str) -> None:
    """Write a line of another process, which has formatted it, to the log of this process."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LogHandler):
            handler.write(printable(masked(line)))


# The text of a line ----------------------------------------------------------------------------


def masked(text: str) -> str:
    """The text without password hashes, and with masked phone numbers and e-mail addresses.

    A number is +91***345, an address a***@example.org.
    """
    text = _EMAIL.sub(lambda found: f"{found[0][0]}***@", text)
    return _PASSWORD_HASH.sub("$argon2***", _PHONE.sub(_mask_phone, text))


def _mask_phone(found: re.Match[str]) -> str:
    before = found["before"] or found["quote"]
    digits = re.sub(r"\D", "", found["digits"] or found["quoted"])
    return f"{before}{digits[:2]}***{digits[-3:]}"


def printable(text: str) -> str:
    r"""The text with escapes, such as \n and \x1b, for the characters that cannot be printed."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _shortened(text: str) -> str:
    half = MAX_CHARACTERS // 2
    left_out = len(text) - 2 * half
    return text if left_out <= 0 else f"{text[:half]} ({left_out} characters left out) {text[-half:]}"


class _Formatter(logging.Formatter):
    """What both formats have in common."""

    def message(self, record: logging.LogRecord) -> str:
        """The message of a record, masked."""
        return masked(_shortened(record.getMessage()))

    def trace(self, record: logging.LogRecord) -> str:
        """The traceback of a record, masked; empty if it has none."""
        texts = (record.exc_info and self.formatException(record.exc_info), record.stack_info)
        return masked(_shortened("\n".join(text for text in texts if text)))


class TextFormatter(_Formatter):
    """A line of text. The lines of a traceback follow the message, separated by " | "."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        head = f"{self.formatTime(record)} [{record.process}] {record.levelname} {record.name}:"
        parts = [self.message(record), *self.trace(record).splitlines()]
        note = getattr(record, "note", "")
        text = " | ".join(map(printable, parts)) + (note and f" ({note})")
        return f"{head} {text}"


class JsonFormatter(_Formatter):
    """A line of JSON, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        fields = {
            "time": datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message(record),
            "process": record.process,
            "request_id": getattr(record, "request_id", None),
            "note": getattr(record, "note", None) or None,
            "traceback": self.trace(record) or None,
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            fields["exception"] = type(error).__qualname__
            fields["exception_message"] = masked(_shortened(str(error)))
        return json.dumps({name: value for name, value in fields.items() if value is not None})


FORMATTERS = {"text": TextFormatter, "json": JsonFormatter}


# Limits ----------------------------------------------------------------------------------------


class LineLimit:
    """Limits equal events: same logger, level, message before its arguments are inserted, and exception type.

    clock: the time in seconds.
    """

    def __init__(self, lines_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = lines_per_minute
        self._clock = clock
        self._minute = 0
        self._counts = Counter[object]()  # the events of this minute
        self._left_out = Counter[object]()  # those of earlier minutes that were not admitted

    def admits(self, record: logging.LogRecord) -> bool:
        """Whether to log a record. The last one of a minute, and the first one after it, get a note."""
        minute = int(self._clock() // 60)
        if minute != self._minute:
            over = {event: count - self._limit for event, count in self._counts.items()}
            self._left_out.update({event: count for event, count in over.items() if count > 0})
            self._minute = minute
            self._counts.clear()
        event = (record.name, record.levelno, str(record.msg), record.exc_info and record.exc_info[0])
        self._counts[event] += 1
        notes = []
        if left_out := self._left_out.pop(event, 0):
            notes.append(f"{left_out} equal lines before this one were left out")
        if self._counts[event] == self._limit:
            notes.append("equal lines are left out for the rest of the minute")
        record.note = ", ".join(notes)
        return self._counts[event] <= self._limit


class LogHandler(logging.StreamHandler[TextIO]):
    """Writes records in a thread of its own. A line that cannot be written is counted."""

    def __init__(self, settings: Settings, stream: TextIO) -> None:
        super().__init__(stream)
        self.setFormatter(FORMATTERS[settings.log_format]())
        self._limit = LineLimit(settings.log_lines_per_minute)
        self._waiting = queue.SimpleQueue[str | threading.Event | None]()
        self._dropped = 0  # lines that were lost since the last written line, because too many waited
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

        # Only the thread uses these.
        self._failed = 0  # lines that were lost since the last written line, because a write failed
        self._cut = False  # the last thing that was written is a part of a line
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, if the limit admits it."""
        if not self._limit.admits(record):
            return
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 - an event that cannot be formatted must not fail
            plain = copy.copy(record)
            plain.msg, plain.args = "%r cannot be formatted: %r", (record.msg, error)
            plain.exc_info = plain.exc_text = plain.stack_info = None
            line = self.format(plain)
        self.write(line)

    def write(self, line: str) -> None:
        """Write a line that is formatted."""
        self.acquire()
        if self._waiting.qsize() >= MAX_WAITING_LINES:
            self._dropped += 1
        else:
            self._waiting.put(self._report(self._dropped) + line)
            self._dropped = 0
        self.release()

    def flush(self) -> None:
        """Wait until the lines are written, for FLUSH_SECONDS at most."""
        written = threading.Event()
        self._waiting.put(written)
        if self._thread.is_alive():
            written.wait(FLUSH_SECONDS)

    def setStream(self, stream: TextIO) -> TextIO:
        """Write further lines to another stream; return the previous one."""
        self.flush()  # before it locks the handler, so that no other thread waits
        self.acquire()
        previous, self.stream = self.stream, stream
        self.release()
        return previous

    def close(self) -> None:
        """Write the lines, and end the thread."""
        self.flush()
        self._waiting.put(None)
        super().close()

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
            else:
                self._write(item)

    def _write(self, line: str) -> None:
        try:
            self._output(f"{self._report(self._failed)}{line}\n")
            self._failed = 0
        except (OSError, ValueError):  # a full disk, a closed pipe; a closed stream
            self._failed += 1

    def _report(self, lost: int) -> str:
        """The line that reports lost lines; empty if there are none."""
        if not lost:
            return ""
        text = "%d lines could not be written to the log, and are lost"
        record = logging.LogRecord(log.name, logging.WARNING, "", 0, text, (lost,), None)
        return f"{self.format(record)}\n"

    def _output(self, text: str) -> None:
        stream = self.stream
        if not isinstance(stream, io.TextIOWrapper):  # of prompt_toolkit, while a prompt is open
            stream.write(text)
            stream.flush()
            return
        # Not through the stream's buffer, which would keep what cannot be written.
        rest = memoryview(("\n" * self._cut + text).encode(stream.encoding, "backslashreplace"))
        while rest:
            written = os.write(stream.fileno(), rest)
            rest = rest[written:]
            self._cut = bool(rest)


# Exceptions that no code handles -----------------------------------------------------------------


def _log_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("this process ends by an exception", exc_info=(kind, error, trace))


def _log_exception_of_thread(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread else "?"
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        error = (args.exc_type, args.exc_value, args.exc_traceback)
        log.critical("the thread %s ends by an exception", name, exc_info=error)


def _log_ignored_exception(args: "sys.UnraisableHookArgs") -> None:
    if args.exc_value is not None:
        error = (args.exc_type, args.exc_value, args.exc_traceback)
        log.error("%s: %r", args.err_msg or "exception ignored in", args.object, exc_info=error)
