"""Subcommands of the server whose output cannot be written: their exit status and error say what was done."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import WAIT_SECONDS, Database
from tests.support.processes import start
from tests.support.project import PROJECT

pytestmark = pytest.mark.system


def run_on_a_full_disk(database: Database, *arguments: str, typed: str = "") -> tuple[int, str]:
    """The exit status of a subcommand, and what it writes to stderr."""
    urls = {"DATABASE_URL": database.server, "BUSWARE_OWNER_URL": database.owner}
    with (
        Path("/dev/full").open("w") as disk,
        start(
            *arguments, stdin=subprocess.PIPE, stdout=disk.fileno(), stderr=subprocess.PIPE, **urls
        ) as process,
    ):
        _, errors = process.communicate(typed, timeout=WAIT_SECONDS)
    assert "Traceback" not in errors
    assert "Exception" not in errors
    return process.returncode, errors


def test_change_that_cannot_be_shown_is_reported_as_done(database: Database) -> None:
    done = "Done, but the output could not be written (No space left on device). "
    status, errors = run_on_a_full_disk(database, "operator", "add", "anna", typed="long enough\n")
    assert (status, errors) == (4, f'{done}The account "anna" was created. It runs all services (admin).\n')
    assert database.query("SELECT username FROM accounts") == ["anna"]
    file = PROJECT / "sql" / "99_seed_hotel.sql"
    status, errors = run_on_a_full_disk(database, "seed", str(file))
    assert (status, errors.startswith(f"{done}{file} is loaded: ")) == (4, True), errors


def test_characters_that_the_output_cannot_encode_are_replaced(database: Database) -> None:
    urls = {"DATABASE_URL": database.server, "BUSWARE_OWNER_URL": database.owner}
    with start(
        "operator", "add", "ரவி", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        PYTHONIOENCODING="latin-1", **urls,
    ) as process:  # fmt: skip
        shown, errors = process.communicate("long enough\n", timeout=WAIT_SECONDS)
    assert (process.returncode, errors) == (0, "")
    assert shown == 'The account "???" was created. It runs all services (admin).\n'
    assert database.query("SELECT username FROM accounts") == ["ரவி"]


def test_findings_that_cannot_be_written_are_not_reported_as_a_clean_database(database: Database) -> None:
    assert run_on_a_full_disk(database, "audit") == (
        2, "busware: the findings (0) could not be written: No space left on device.\n"
    )  # fmt: skip
    database.query("UPDATE seats SET taken = '{[1,2)}' WHERE seat_no = 1")
    status, errors = run_on_a_full_disk(database, "audit")
    assert (status, errors.startswith("busware: the findings (")) == (2, True)


def test_help_that_cannot_be_written_ends_without_a_traceback(database: Database) -> None:
    for arguments in (("--help",), ("psql", "--help"), ("audit", "--help")):
        assert run_on_a_full_disk(database, *arguments) == (
            5, "The output could not be written: No space left on device.\n"
        )  # fmt: skip
