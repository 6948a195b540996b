"""The log: one line for each event, masked phone numbers, limits, and an output that cannot be written."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from busware.server import logs
from busware.server.logs import FORMATTERS, MAX_CHARACTERS, MAX_WAITING_LINES, LineLimit, LogHandler
from busware.server.mail import delivery
from busware.server.settings import Settings
from tests.conftest import Database, LineClient
from tests.support.processes import WAIT_SECONDS, start

PIPE_SIZE = 65_536  # bytes
FORGED = "/v1/x\r\n2026-12-01 09:00:00,000 [1] INFO busware.tcp: forged\x1b[2J\x9b\u2028\u202e\x00\ud800"


def line_of(form: str, message: str, *args: Any, error: BaseException | None = None) -> str:
    """The line of a log record."""
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("busware.test", logging.ERROR, __file__, 1, message, args, info)
    return FORMATTERS[form]().format(record)


def error_of(function: Callable[[], Any]) -> Exception:
    """The exception that a function raises, with its traceback."""
    with pytest.raises(Exception) as raised:
        function()
    return raised.value


@pytest.fixture
def handler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LogHandler]:
    """A handler that writes to the file `log` of tmp_path."""
    monkeypatch.setattr(logs, "FLUSH_SECONDS", WAIT_SECONDS)
    with (tmp_path / "log").open("w") as stream:
        handler = LogHandler(Settings(log_lines_per_minute=10**6), stream)
        yield handler
        handler.close()


def logger_to(handler: logging.Handler) -> logging.Logger:
    logger = logging.Logger("busware.test")
    logger.addHandler(handler)
    return logger


# One line an event -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_text_of_a_client_cannot_begin_a_line_or_control_a_terminal(form: str) -> None:
    line = line_of(form, "request %s failed: GET %s", "1234abcd", FORGED)
    assert line.isprintable()
    assert r"/v1/x\r\n2026-12-01" in line
    assert re.search(r"forged\\(x1b|u001b)\[2J\\(x9b|u009b)\\u2028\\u202e\\(x00|u0000)\\ud800", line)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_is_a_part_of_its_line(form: str) -> None:
    error = error_of(lambda: int(FORGED))
    line = line_of(form, "request %s failed", "1234abcd", error=error)
    assert line.isprintable()
    for part in ("request 1234abcd failed", "Traceback (most recent call last)", "in error_of", "ValueError"):
        assert part in line


def test_a_line_of_text_has_time_process_level_and_logger() -> None:
    pattern = rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d,\d{{3}} \[{os.getpid()}\] ERROR busware\.test: hello 7"
    assert re.fullmatch(pattern, line_of("text", "hello %d", 7))


def test_a_line_of_json_has_fields_for_programs() -> None:
    fields = json.loads(line_of("json", "hello %d", 7))
    assert datetime.fromisoformat(fields.pop("time")).utcoffset() is not None
    assert fields == {
        "level": "ERROR", "logger": "busware.test", "message": "hello 7", "process": os.getpid(),
    }  # fmt: skip


def test_a_line_of_json_has_the_exception_and_the_request_id() -> None:
    error = error_of(lambda: int("x\ny"))
    record = logging.LogRecord("a", logging.ERROR, "", 1, "failed", (), (type(error), error, None))
    record.request_id = "1234abcd"
    fields = json.loads(FORMATTERS["json"]().format(record))
    assert (fields["request_id"], fields["exception"]) == ("1234abcd", "ValueError")
    assert fields["exception_message"] == str(error)
    assert "ValueError: invalid literal" in fields["traceback"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_middle_of_a_very_long_message_is_left_out(form: str) -> None:
    line = line_of(form, "begin %s end", "x" * 10**6)
    assert len(line) < MAX_CHARACTERS + 300
    assert "begin xxx" in line
    assert "characters left out" in line
    assert "xxx end" in line


# E-mail addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("550 5.1.1 <asha@example.org>: user unknown", "550 5.1.1 <a***@example.org>: user unknown"),
        ("Key (email)=(asha.rao+bus@mail.example.org)", "Key (email)=(a***@mail.example.org)"),
        ("to आशा@example.org, ravi@example.org", "to आ***@example.org, r***@example.org"),
    ],
)
def test_an_email_address_is_masked(form: str, text: str, masked: str) -> None:
    line = line_of(form, "before %s after", text)
    message = json.loads(line)["message"] if form == "json" else line.partition(": ")[2]
    assert message == f"before {masked} after"


@pytest.mark.parametrize("mask", [logs.masked, delivery.masked])
@pytest.mark.parametrize("part", ["x", "'x", "x.", "x+"])
def test_each_character_of_a_long_word_is_read_once(mask: Callable[[str], str], part: str) -> None:
    """Hours pass if the word is read again from each of its characters."""
    word = part * 500_000
    assert mask(word) == word


# Phone numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Key (phone)=(+919845012345) already exists.", "Key (phone)=(+91***345) already exists."),
        ("Failing row contains (7, +442079460958, Asha).", "Failing row contains (7, +44***958, Asha)."),
        ("subject phone:+919845012345", "subject phone:+91***345"),
        ("GET /v1/bookings/ABC?phone=98450+12345", "GET /v1/bookings/ABC?phone=98***345"),
        ("GET /v1/bookings/ABC?phone=%2B919845012345", "GET /v1/bookings/ABC?phone=%2B91***345"),
        ("phone='098450-12345'", "phone='09***345'"),
        ("phone: (080) 2222 3333", "phone: (08***333"),
        ("cannot parse '98450 12345'", "cannot parse '98***345'"),
        ("+44 20 7946 0958, +91-98450-12345", "+44***958, +91***345"),
        ("phone=९८४५०१२३४५", "phone=९८***३४५"),
        ("target 9845012345, tel 098450 12345", "target 98***345, tel 09***345"),
        ("mobile: 98450/12345", "mobile: 98***345"),
        ("0091 98450 12345, (0044) 20 7946 0958", "0091***345, (0044***958"),
        ("+91/98450/12345, +91\u00a098450\u202f12345", "+91***345, +91***345"),
        (r'"{\"a\": \"98450 12345\"}"', r'"{\"a\": \"98***345\"}"'),
        (
            r'"{\\\"phone\\\": \\\"4512345\\\", \\\"b\\\": \\\"98450 12345\\\"}"',
            r'"{\\\"phone\\\": \\\"45***345\\\", \\\"b\\\": \\\"98***345\\\"}"',
        ),
    ],
)
def test_a_phone_number_is_masked(form: str, text: str, masked: str) -> None:
    line = line_of(form, "before %s after", text)
    message = json.loads(line)["message"] if form == "json" else line.partition(": ")[2]
    assert message == f"before {masked} after"


@pytest.mark.parametrize(
    "text",
    [
        "client 27 (127.0.0.1:40112) connected",
        "client 1234567 (2001:db8::1234:40112) left after 1234567890 lines",
        "2026-12-01 09:00:00,123 [1234567] INFO",
        "between 2026-12-01 09:00:00.123456+00 and 2026-12-05 23:59:59+05:30",
        "put 1234567 trips on sale: service 101 on 2026-12-01, '2026-12-01', \"01-12-2026\"",
        "1073741824 bytes, 17592186044416 bytes",
        "message 1234567890123, request 12345678 failed, reference DT7VKKK, ticket BAVKGHJP01",
        "0/16B3748, 0x7f3a12345678, key 5e2f8a1c-1111-2222-3333-444455556666",
        "fare 1250.00, seats 1, 2, 3, 40, status -9, 3 + 4",
        "subject phone 2026-12-01, passenger phone, 1234567 rows, hotel 1234567, phone 2026-12-01 09:00:00",
        "0012, 0x0012345678, 00:12:34, 0.0012345678, 000123456789",
        "the process 4242 ended with status 1 after 98450 12345 bytes",
    ],
)
def test_other_numbers_are_not_masked(text: str) -> None:
    assert line_of("text", "%s", text).partition("test: ")[2] == text


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_phone_number_in_an_error_of_postgresql_is_masked(form: str, database: Database) -> None:
    database.query("CREATE TEMP TABLE a (phone text PRIMARY KEY, name text CHECK (name <> ''))")
    database.query("INSERT INTO a VALUES ('+919845012345', 'Asha')")
    for name, detail in (("Asha", "Key (phone)=(+91***345)"), ("", "Failing row contains (+91***345, )")):
        error = error_of(lambda: database.query("INSERT INTO a VALUES ('+919845012345', %s)", name))  # noqa: B023
        line = line_of(form, "failed: %s", error, error=error)
        assert detail in line
        assert "98450" not in line


# The limit -------------------------------------------------------------------------------------


def test_equal_lines_are_limited_to_a_number_a_minute() -> None:
    now = 1000.0
    limit = LineLimit(3, lambda: now)

    def notes(message: str, count: int) -> list[str]:
        records = [logging.LogRecord("a", logging.INFO, "", 1, message, (n,), None) for n in range(count)]
        return [record.__dict__["note"] for record in records if limit.admits(record)]

    ended = "equal lines are left out for the rest of the minute"
    assert notes("client %d connected", 10) == ["", "", ended]
    assert notes("client %d left", 2) == ["", ""]
    now += 60
    assert notes("client %d connected", 2) == ["7 equal lines before this one were left out", ""]
    now += 600
    assert notes("client %d connected", 4) == ["", "", ended]
    now += 600
    assert notes("client %d connected", 1) == ["1 equal lines before this one were left out"]


def test_different_exceptions_are_different_events() -> None:
    limit = LineLimit(1, lambda: 0.0)
    records = [
        logging.LogRecord("a", logging.ERROR, "", 1, "request %s failed", ("1",), (type(error), error, None))
        for error in (ValueError(), KeyError(), ValueError())
    ]
    assert [limit.admits(record) for record in records] == [True, True, False]


# An output that cannot be written --------------------------------------------------------------


def test_a_full_disk_delays_nothing_and_the_lost_lines_are_counted(
    handler: LogHandler, tmp_path: Path
) -> None:
    logger, file = logger_to(handler), handler.stream
    with Path("/dev/full").open("w") as full:
        handler.setStream(full)
        for n in range(3):
            logger.error("lost %d", n)
        handler.setStream(file)
    logger.error("written")
    handler.flush()
    first, second = (tmp_path / "log").read_text().splitlines()
    assert "WARNING busware.log: 3 lines could not be written to the log, and are lost" in first
    assert second.endswith("ERROR busware.test: written")


def test_a_reader_that_does_not_read_delays_nothing(handler: LogHandler) -> None:
    read_end, write_end = os.pipe()
    logger, count = logger_to(handler), MAX_WAITING_LINES + 200
    with os.fdopen(write_end, "w") as blocked:
        handler.stream = blocked
        for n in range(count):
            logger.error("%d %s", n, "x" * 4096)  # far more than a pipe holds
        text = ""
        while not (lost := re.findall(r"(\d+) lines could not be written", text[-PIPE_SIZE:])):
            text += os.read(read_end, PIPE_SIZE).decode()
            logger.error("the reader reads again")
        assert text.count(" xxxx") + int(lost[0]) >= count
    os.close(read_end)


def test_a_reader_that_has_left_delays_nothing(handler: LogHandler, tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    logger, file = logger_to(handler), handler.stream
    with os.fdopen(write_end, "w") as abandoned:
        handler.setStream(abandoned)
        logger.error("lost")
        handler.setStream(file)
    logger.error("written")
    handler.flush()
    assert "1 lines could not be written" in (tmp_path / "log").read_text()


def test_another_stream_delays_no_other_thread(tmp_path: Path) -> None:
    flushes = threading.Event()

    class Handler(LogHandler):
        def flush(self) -> None:
            flushes.set()
            super().flush()

    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as blocked, os.fdopen(read_end) as reader:
        handler = Handler(Settings(), blocked)
        logger = logger_to(handler)
        for _ in range(20):
            logger.error("x" * 16_000)  # far more than a pipe holds
        with (tmp_path / "log").open("w") as file:
            changing = threading.Thread(target=handler.setStream, args=(file,))
            changing.start()
            assert flushes.wait(WAIT_SECONDS)
            logger.error("not delayed")
            assert changing.is_alive()
            while "not delayed" not in reader.readline():
                pass
            changing.join()
            handler.close()


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_record_that_cannot_be_formatted_is_logged_as_it_is(form: str, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        handler = LogHandler(Settings(log_format=form), stream)
        logger_to(handler).error("%d of +919845012345\n", "+919845012346")
        handler.close()
    (line,) = (tmp_path / "log").read_text().splitlines()
    message = json.loads(line)["message"] if form == "json" else line.partition(" ERROR busware.test: ")[2]
    assert "%d of +91***345" in message
    assert "cannot be formatted: TypeError" in message
    assert "98450" not in line


def test_a_line_of_json_has_a_note_only_if_lines_are_left_out(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        handler = LogHandler(Settings(log_format="json", log_lines_per_minute=2), stream)
        logger = logger_to(handler)
        logger.error("first")
        logger.error("second")
        logger.error("second")
        handler.close()
    notes = [json.loads(line).get("note") for line in (tmp_path / "log").read_text().splitlines()]
    assert notes == [None, None, "equal lines are left out for the rest of the minute"]


def test_many_threads_write_whole_lines(handler: LogHandler, tmp_path: Path) -> None:
    logger = logger_to(handler)
    threads = [
        threading.Thread(target=lambda: [logger.error("line %s", "x" * 100) for _ in range(50)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handler.flush()
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 400
    assert all(line.endswith(f"line {'x' * 100}") for line in lines)


# Whole processes -------------------------------------------------------------------------------

UNHANDLED = """
import threading, warnings
from busware.server import logs
from busware.server.settings import Settings
class Unfortunate:
    def __del__(self):
        raise ValueError("on deletion\\n")
logs.configure(Settings(log_format="json"))
warnings.warn("a\\nwarning", stacklevel=1)
thread = threading.Thread(target=lambda: int("in a thread\\n"))
thread.start()
thread.join()
Unfortunate()
int("in the main thread\\n")
"""
LOG_OF_LIBRARIES = """
import logging
from busware.server import logs
from busware.server.settings import Settings
logs.configure(Settings(log_level="DEBUG"))
for name in ("busware.payments", "stripe", "fontTools.subset"):
    logging.getLogger(name).info("of %s", name)
    logging.getLogger(name).warning("a warning of %s", name)
"""
CLOSE_STDERR = """
import os, sys
os.close(2)
os.execv(sys.executable, [sys.executable, "-m", "server", *sys.argv[1:]])
"""


@pytest.mark.system
def test_warnings_and_exceptions_that_no_code_handles_are_logged() -> None:
    ended = subprocess.run([sys.executable, "-c", UNHANDLED], capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert (ended.returncode, ended.stdout) == (1, "")
    assert [(line["level"], line.get("exception")) for line in lines] == [
        ("WARNING", None), ("CRITICAL", "ValueError"), ("ERROR", "ValueError"), ("CRITICAL", "ValueError"),
    ]  # fmt: skip
    assert "a\nwarning" in lines[0]["message"]


@pytest.mark.system
def test_libraries_log_warnings_only() -> None:
    """What libraries log as INFO is about their work: the requests to Stripe, the glyphs of a ticket."""
    ended = subprocess.run(
        [sys.executable, "-c", LOG_OF_LIBRARIES], capture_output=True, text=True, check=True
    )
    assert [line.partition(": ")[2] for line in ended.stderr.splitlines()] == [
        "of busware.payments",
        "a warning of busware.payments",
        "a warning of stripe",
        "a warning of fontTools.subset",
    ]


@pytest.mark.system
def test_every_line_of_all_processes_is_json(urls: dict[str, str], tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        server = start("0", "--processes", "2", stderr=log.fileno(), BUSWARE_LOG_FORMAT="json", **urls)
        with server:
            assert server.stdout
            port = next(line for line in server.stdout if "serves on" in line).split(",")[0].split(":")[-1]
            for _ in range(4):
                client = LineClient("127.0.0.1", int(port))
                client.call("ping")
                client.close()
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=WAIT_SECONDS)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert server.returncode == 0
    connected = [line for line in lines if line["message"].endswith("connected")]
    assert len(connected) == 4
    assert {line["logger"] for line in lines} >= {"busware", "busware.tcp"}


@pytest.mark.system
@pytest.mark.parametrize("unwritable", ["stdout", "closed stderr"])
def test_a_server_whose_output_cannot_be_written_serves(urls: dict[str, str], unwritable: str) -> None:
    if unwritable == "stdout":
        with Path("/dev/full").open("w") as full:
            server = start("0", stdout=full.fileno(), stderr=subprocess.PIPE, **urls)
    else:
        server = start("0", program=("-c", CLOSE_STDERR), **urls)
    with server:
        output = server.stderr if unwritable == "stdout" else server.stdout
        assert output
        address = next(line for line in output if "serves on" in line)
        if unwritable == "stdout":
            assert "Standard output cannot be written: No space left on device. Busware " in address
        client = LineClient("127.0.0.1", int(re.findall(r"serves on [\d.]+:(\d+)", address)[0]))
        assert client.call("ping")["server"] == "busware"
        client.close()
        server.send_signal(signal.SIGTERM)
        assert server.wait(WAIT_SECONDS) == 0
