"""A command whose output cannot be written: its exit status and its error say what was done."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import WAIT_SECONDS, Database
from tests.support.http_client import HttpClient
from tests.support.project import PROJECT
from tests.support.traveller import STEPS, client_environment, restore_signal_handlers

SEGMENT = ("1", "2026-12-05", "bengaluru", "mandya")
PHONE = ("--phone", "98450 12345")
BOOK = ("book", *SEGMENT, "--count", "1", *PHONE)
DONE_NOT_SHOWN, NOT_SHOWN = 4, 5


@contextmanager
def full_disk() -> Iterator[int]:
    with Path("/dev/full").open("w") as file:
        yield file.fileno()


@contextmanager
def closed_pipe() -> Iterator[int]:
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


@contextmanager
def lost_terminal() -> Iterator[int]:
    main, terminal = pty.openpty()
    os.close(main)
    yield terminal
    os.close(terminal)


@contextmanager
def not_open() -> Iterator[None]:
    yield None


OUTPUTS = [full_disk, closed_pipe, lost_terminal, not_open]


def start(
    server: SimpleNamespace, *arguments: str, stdout: int | None, unbuffered: bool = False, **more: Any
) -> "subprocess.Popen[str]":
    line = [sys.executable, "-m", "client", *arguments]
    environment = client_environment(BUSWARE_HOST=server.host, BUSWARE_PORT=str(server.port))
    if unbuffered:
        environment["PYTHONUNBUFFERED"] = "1"
    if stdout is None:
        line = ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *line]
    return subprocess.Popen(
        line, stdout=stdout, text=True, cwd=PROJECT,
        env=environment, preexec_fn=restore_signal_handlers,
        **({"stderr": subprocess.PIPE} | more),
    )  # fmt: skip


def run(
    server: SimpleNamespace, *arguments: str, stdout: int | None, unbuffered: bool = False
) -> tuple[int, str]:
    """The exit status of a command, and what it writes to stderr."""
    with start(server, *arguments, stdout=stdout, unbuffered=unbuffered) as process:
        _, errors = process.communicate(timeout=WAIT_SECONDS)
    assert "Traceback" not in errors
    assert "Exception" not in errors
    return process.returncode, errors


def booked(database: Database) -> list[Any]:
    return database.query("SELECT DISTINCT reference FROM passengers WHERE status = 'booked'")


@pytest.mark.parametrize("output", OUTPUTS)
def test_booking_that_cannot_be_shown_is_reported_as_done(
    server: SimpleNamespace, database: Database, output: Any
) -> None:
    for arguments in (BOOK, (*BOOK, "--json")):
        before = booked(database)
        with output() as stdout:
            status, errors = run(server, *arguments, stdout=stdout)
        assert status == DONE_NOT_SHOWN, errors
        (reference,) = set(booked(database)) - set(before)
        assert errors.count("\n") == 1
        assert errors.startswith("Done, but the output could not be written (")
        assert f"Reference: {reference}. " in errors
        key = errors.split()[-1]
        with start(server, *arguments, "--key", key, stdout=subprocess.PIPE) as again:
            reply, _ = again.communicate(timeout=WAIT_SECONDS)
        assert (again.returncode, reference in reply) == (0, True)


def test_every_command_that_changes_something_is_reported_as_done(
    server: SimpleNamespace, database: Database
) -> None:
    with full_disk() as stdout:
        status, errors = run(server, "forgot-password", "asha", stdout=stdout)
    assert (status, "The method request_reset was executed." in errors) == (DONE_NOT_SHOWN, True)
    say = ("say", "Where is my bus?")
    with full_disk() as stdout:
        status, errors = run(server, *say, stdout=stdout)
    assert (status, "repeat the command" in errors) == (DONE_NOT_SHOWN, True)
    with start(server, *say, "--key", errors.split()[-1], stdout=subprocess.PIPE) as again:
        again.communicate(timeout=WAIT_SECONDS)
    assert again.returncode == 0
    assert database.query("SELECT body FROM messages") == ["Where is my bus?"]


def test_read_that_cannot_be_shown_changed_nothing(server: SimpleNamespace) -> None:
    for output, because in ((full_disk, "No space left on device"), (not_open, "Bad file descriptor")):
        for arguments in (("places",), ("places", "--json"), ("completion", "bash")):
            with output() as stdout:
                outcome = run(server, *arguments, stdout=stdout)
            assert outcome == (NOT_SHOWN, f"The output could not be written: {because}.\n")
    with full_disk() as stdout:
        assert run(server, "--help", stdout=stdout)[0] == NOT_SHOWN
    with closed_pipe() as stdout:  # the reader has read enough
        assert run(server, "places", stdout=stdout) == (0, "")


def test_refusal_that_cannot_be_shown_keeps_its_status(server: SimpleNamespace, database: Database) -> None:
    unknown = ("book", "99", *BOOK[2:])
    with full_disk() as stdout:
        status, errors = run(server, *unknown, "--json", stdout=stdout)
        assert (status, json.loads(errors)["error"]["data"]["reason"]) == (1, "unknown_trip")
        for arguments, expected in ((unknown, 1), ((*unknown, "--json"), 1), (BOOK, DONE_NOT_SHOWN)):
            with start(server, *arguments, stdout=stdout, stderr=stdout) as process:
                assert process.wait(WAIT_SECONDS) == expected
    assert len(booked(database)) == 1


def test_output_without_a_buffer_has_the_same_status(server: SimpleNamespace, database: Database) -> None:
    for arguments, expected in ((("book", "99", *BOOK[2:]), 1), (BOOK, DONE_NOT_SHOWN)):
        with (
            full_disk() as stdout,
            start(server, *arguments, stdout=stdout, stderr=stdout, unbuffered=True) as process,
        ):
            assert process.wait(WAIT_SECONDS) == expected
    with full_disk() as stdout:
        status, errors = run(server, "booking", booked(database)[0], *PHONE, stdout=stdout, unbuffered=True)
    assert (status, errors) == (NOT_SHOWN, "The output could not be written: No space left on device.\n")


def test_ctrl_c_while_the_reply_is_written_is_reported_as_done(
    server: SimpleNamespace, database: Database
) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while True:
            os.write(write, bytes(4096))
    os.set_blocking(write, True)
    with start(server, *BOOK, stdout=write) as process:
        while Path(f"/proc/{process.pid}/syscall").read_text().split()[1:2] != ["0x1"]:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=WAIT_SECONDS)
    os.close(read)
    os.close(write)
    assert process.returncode == DONE_NOT_SHOWN, errors
    assert f"(interrupted). Reference: {booked(database)[0]}. " in errors


# Dialogues -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "status"), [("yes", "booked"), ("no", "cancelled"), ("", "cancelled")])
def test_terminal_that_cannot_write_releases_its_hold_and_reports_the_last_change(
    server: SimpleNamespace, database: Database, answer: str, status: str
) -> None:
    with start(server, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        typed = [SEGMENT[1] if answer == "tomorrow" else answer for _, answer in STEPS]
        process.stdin.write("\n".join(typed) + "\n")
        process.stdin.flush()
        assert any("Confirm, for" in line for line in process.stdout)
        process.stdout.close()
        process.stdin.write(answer and f"{answer}\n")
        process.stdin.close()
        assert process.stderr
        errors = process.stderr.read()
    found = database.query("SELECT DISTINCT status FROM passengers")
    assert found == [status]
    reference = database.query("SELECT reference FROM bookings")[0]
    assert errors == (
        f"Done, but the output could not be written (Broken pipe). Booking {reference} is {status}.\n"
    )
    assert process.returncode == DONE_NOT_SHOWN


def test_terminal_without_an_output_ends(server: SimpleNamespace) -> None:
    with full_disk() as stdout, start(server, stdout=stdout, stdin=subprocess.PIPE) as process:
        _, errors = process.communicate("bus\n", timeout=WAIT_SECONDS)
    assert (process.returncode, errors) == (
        NOT_SHOWN, "The output could not be written: No space left on device.\n"
    )  # fmt: skip


def test_hotel_that_cannot_write_reports_what_was_booked(
    server: SimpleNamespace, database: Database, http: HttpClient
) -> None:
    hotel = (PROJECT / "sql" / "99_seed_hotel.sql").read_bytes()
    database.conn.execute(hotel)
    command = ("hotel", "--url", f"{http.url}/hotel")
    for typed, expected in (
        ("book 2", (DONE_NOT_SHOWN, "Rooms booked successfully: [1, 2]")),
        ("query", (0, "")),
        ("update 3", (DONE_NOT_SHOWN, "Updated booking: released 1, assigned 3.")),
    ):
        with start(server, *command, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write("asha\npw\n")
            process.stdin.flush()
            assert any("Commands:" in line for line in process.stdout)
            process.stdout.close()
            process.stdin.write(f"{typed}\n")
            process.stdin.close()
            assert process.stderr
            errors = process.stderr.read()
        assert (process.returncode, expected[1] in errors) == (expected[0], True), errors
