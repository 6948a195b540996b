"""The subcommand `timetable` as a process: questions, locks, interruptions, output that cannot be written."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.conftest import WAIT_SECONDS, Database
from tests.support.processes import start
from tests.support.project import PROJECT

pytestmark = pytest.mark.system
EDIT = "services:\n- {bus_id: 1, max_seats: 4}\n- {bus_id: 2, max_seats: 4}\n"
MAX_SEATS = "SELECT max_seats FROM bus_info WHERE bus_id IN (1, 2) ORDER BY bus_id"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "edit.yaml"
    file.write_text(EDIT)
    return file


@pytest.fixture
def urls(database: Database) -> dict[str, str]:
    return {"DATABASE_URL": database.server, "BUSWARE_OWNER_URL": database.owner}


def run(*arguments: str, **settings: str) -> tuple[int, str, str]:
    """The exit status, standard output and standard error of the subcommand."""
    with start("timetable", *arguments, stderr=subprocess.PIPE, **settings) as process:
        shown, errors = process.communicate(timeout=WAIT_SECONDS)
    return process.returncode, shown, errors


def wait_for_lock(database: Database) -> None:
    """Return when a session of the database waits for a lock."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not database.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
        assert time.monotonic() < deadline


@contextmanager
def terminal(file: Path, urls: dict[str, str]) -> Iterator[pexpect.spawn]:
    """The subcommand on a terminal."""
    arguments = ["-m", "server", "timetable", str(file)]
    env = {"PATH": "/usr/bin:/bin", "TERM": "dumb", **urls}
    child = pexpect.spawn(
        sys.executable, arguments, cwd=PROJECT, env=env, timeout=WAIT_SECONDS, encoding="utf-8"
    )
    with child:
        yield child
        child.expect(pexpect.EOF)


@pytest.mark.parametrize(("answer", "shown", "max_seats"), [
    ("y\n", "Done.", [4, 4]), ("n\n", "Nothing is changed.", [6, 6]), ("\x03", "Nothing is changed.", [6, 6]),
])  # fmt: skip
def test_a_terminal_is_asked(
    database: Database, file: Path, urls: Any, answer: str, shown: str, max_seats: Any
) -> None:
    with terminal(file, urls) as child:
        child.expect_exact("max_seats: 6 → 4")
        child.expect_exact("Change this? [y/N] ")
        child.send(answer)
        child.expect_exact(shown)
    assert child.exitstatus == 0
    assert database.query(MAX_SEATS) == max_seats


def test_changes_that_differ_after_the_question_are_asked_again(
    database: Database, file: Path, urls: Any
) -> None:
    with terminal(file, urls) as child:
        child.expect_exact("Change this? [y/N] ")
        database.query("UPDATE bus_info SET max_seats = 5 WHERE bus_id = 2")
        child.sendline("y")
        child.expect_exact("max_seats: 5 → 4")
        child.expect_exact("Change this? [y/N] ")
        assert database.query(MAX_SEATS) == [6, 5]
        child.sendline("y")
        child.expect_exact("Done.")
    assert database.query(MAX_SEATS) == [4, 4]


def test_ctrl_c_changes_nothing(database: Database, file: Path, urls: Any) -> None:
    with database.connect(autocommit=False) as other:
        other.execute("SELECT FROM bus_info WHERE bus_id = 2 FOR UPDATE")
        with start("timetable", str(file), "--apply", BUSWARE_LOCK_WAIT_MS="60000", **urls) as process:
            wait_for_lock(database)  # service 1 is changed, and not committed
            process.send_signal(signal.SIGINT)
            shown, _ = process.communicate(timeout=WAIT_SECONDS)
    assert (process.returncode, shown) == (130, "")
    assert database.query(MAX_SEATS) == [6, 6]


def test_a_locked_service_ends_the_load(database: Database, file: Path, urls: Any) -> None:
    with database.connect(autocommit=False) as other:
        other.execute("SELECT FROM bus_info WHERE bus_id = 2 FOR UPDATE")
        message = (
            "busware: Another transaction has locked a service for 20 ms. Nothing is changed. Try again.\n"
        )
        assert run(str(file), "--apply", BUSWARE_LOCK_WAIT_MS="20", **urls) == (1, "", message)
        status, _, errors = run(
            str(file), "--apply", BUSWARE_LOCK_WAIT_MS="60000", BUSWARE_TIMETABLE_SECONDS="0.05", **urls
        )
        assert (status, errors.startswith("busware: The load takes longer than 0.05 s")) == (1, True), errors
    assert database.query(MAX_SEATS) == [6, 6]


def test_a_plan_does_not_keep_the_locks_of_a_service(database: Database, tmp_path: Path, urls: Any) -> None:
    """It plans service 1, then waits for service 2. Meanwhile another session locks trips of service 1."""
    file = tmp_path / "edit.yaml"
    file.write_text("services:\n- {bus_id: 1, runs_on: Mon-Fri}\n- {bus_id: 2, max_seats: 4}\n")
    with database.connect(autocommit=False) as other:
        other.execute("SELECT FROM bus_info WHERE bus_id = 2 FOR UPDATE")
        with start("timetable", str(file), BUSWARE_LOCK_WAIT_MS="60000", **urls) as process:
            wait_for_lock(database)
            assert database.query("SELECT bus_id FROM trips WHERE bus_id = 1 FOR UPDATE NOWAIT")
            other.rollback()
            shown, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 0
    assert shown.endswith("Nothing is changed yet. Add --apply to change it.\n")


def test_output_that_cannot_be_written(database: Database, file: Path, urls: Any) -> None:
    with Path("/dev/full").open("w") as disk:
        for arguments, status in ((("export",), 5), ((str(file),), 5), ((str(file), "--apply"), 4)):
            with start(
                "timetable", *arguments, stdout=disk.fileno(), stderr=subprocess.PIPE, **urls
            ) as process:
                _, errors = process.communicate(timeout=WAIT_SECONDS)
            assert (process.returncode, "Traceback" in errors) == (status, False), errors
    assert database.query(MAX_SEATS) == [4, 4]


def test_a_reader_may_leave(urls: Any) -> None:
    with start("timetable", "export", stderr=subprocess.PIPE, **urls) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    "arguments", [(), ("missing.yaml",), ("timetable.sql",), ("export", "x"), ("--any",)]
)
def test_a_wrong_command_line_is_refused(urls: Any, arguments: tuple[str, ...]) -> None:
    status, shown, errors = run(*arguments, **urls)
    assert (status, shown) == (2, "")
    assert errors.startswith("usage: scripts/start timetable")
    assert errors.endswith(" --help explains the arguments.\n")
