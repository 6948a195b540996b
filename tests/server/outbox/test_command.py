"""The command `outbox`: what it lists, and that it asks before it changes many rows."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from busware.server.outbox import command
from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS
from tests.support.project import PROJECT

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs the command; returns its exit status and its output with its errors."""
    monkeypatch.setenv("DATABASE_URL", database.server)
    monkeypatch.setenv("BUSWARE_OWNER_URL", database.owner)

    def run(*arguments: object) -> tuple[int, str]:
        status: Any = 0
        try:
            command.main([str(argument) for argument in arguments])
        except SystemExit as left:
            status = left.code
        shown = capsys.readouterr()
        if isinstance(status, str):
            return 1, f"{shown.out}{shown.err}{status}\n"
        return status or 0, shown.out + shown.err

    return run


@pytest.fixture
def rows(database: Database) -> list[int]:
    """The numbers of a dead mail, a dead webhook and a mail that is waiting."""
    for kind in ("mail", "webhook", "mail"):
        database.query("SELECT api.enqueue(%s, '{\"to\": \"asha@example.org\"}', 1, 'DTABCDE')", kind)
    numbers = database.query("SELECT outbox_no FROM outbox ORDER BY 1")
    for number in numbers[:2]:
        database.query("SELECT api.claim_outbox('{mail,webhook}', 1, '1 hour')")
        database.query("SELECT api.finish_outbox(%s, 1, 'refused')", number)
    return numbers


def states(database: Database) -> list[str]:
    return database.query("SELECT state FROM outbox ORDER BY outbox_no")


def test_nothing_to_list(run: Run) -> None:
    assert run() == run("list") == (0, "Not sent: nothing.\n")


def test_dead_rows_are_listed(run: Run, rows: list[int]) -> None:
    status, shown = run()
    *listed, counts = shown.splitlines()
    assert status == 0
    assert [line.split()[:2] for line in listed] == [[str(rows[0]), "mail"], [str(rows[1]), "webhook"]]
    assert all("DTABCDE" in line and line.endswith("1 attempts  refused") for line in listed)
    assert counts.startswith("Not sent: mail: 1 dead, the oldest of 2026-12-01")
    assert "; mail: 1 waiting" in counts
    assert "; webhook: 1 dead" in counts


def test_other_rows_are_listed(run: Run, rows: list[int]) -> None:
    assert run("list", "--state", "waiting")[1].split()[0] == str(rows[2])
    assert run("list", "--kind", "webhook")[1].split()[0] == str(rows[1])
    assert run("list", "--limit", "1")[1].count("\n") == 2


def test_row_is_shown(run: Run, rows: list[int]) -> None:
    status, shown = run("show", rows[0])
    assert status == 0
    assert 'payload      {"to": "asha@example.org"}' in shown
    assert "error        refused" in shown
    assert run("show", 99) == (1, "busware: There is no row 99.\n")


def test_named_rows_are_tried_again(run: Run, rows: list[int], database: Database) -> None:
    assert run("retry", rows[1]) == (0, "Rows that were tried again: 1.\n")
    assert states(database) == ["dead", "waiting", "waiting"]  # its number is new
    assert database.value("SELECT count(*) FROM api.claim_outbox('{webhook}', 9, '1 hour')") == 1


def test_row_that_is_not_dead_stays(run: Run, rows: list[int], database: Database) -> None:
    assert run("discard", rows[0], rows[2]) == (
        1, f"busware: Not dead, so not deleted: {rows[2]}. Rows that were deleted: 1.\n",
    )  # fmt: skip
    assert states(database) == ["dead", "waiting"]


def test_many_rows_need_agreement(run: Run, rows: list[int], database: Database) -> None:
    for change in ("retry", "discard"):
        refused = (1, "busware: 2 rows are dead. Add --yes to change all of them.\n")
        assert run(change, "--all") == refused
        assert run(change)[0] == run(change, "--all", rows[0])[0] == 1
    assert run("discard", "--all", "--kind", "mail", "--yes") == (0, "Rows that were deleted: 1.\n")
    assert run("retry", "--all", "--yes") == (0, "Rows that were tried again: 1.\n")
    assert run("retry", "--all", "--yes") == (0, "No row is dead.\n")
    assert states(database) == ["waiting", "waiting"]


def test_named_rows_have_no_kind(run: Run, rows: list[int], database: Database) -> None:
    for change in ("retry", "discard"):
        assert run(change, rows[1], "--kind", "mail") == (
            1, "busware: Give --kind with --all, not with the numbers of rows.\n",
        )  # fmt: skip
    assert states(database) == ["dead", "dead", "waiting"]


def test_text_of_a_receiver_does_not_control_the_terminal(
    run: Run, rows: list[int], database: Database
) -> None:
    database.query("UPDATE outbox SET error = E'550 \\x1b[31mred\\x07' WHERE state = 'dead'")
    for shown in (run()[1], run("show", rows[0])[1]):
        assert "550 [31mred\n" in shown


def test_row_behind_another_is_shown(run: Run, database: Database) -> None:
    for _ in range(2):
        database.query("SELECT api.enqueue('mail', '{}', ordered_by => 'a')")
    status, shown = run("show", database.value("SELECT max(outbox_no) FROM outbox"))
    assert status == 0
    assert "due_at" not in shown


@pytest.mark.system
@pytest.mark.parametrize(("answer", "left"), [("n", ["dead", "dead"]), ("y", ["waiting", "waiting"])])
def test_question_on_a_terminal(rows: list[int], database: Database, answer: str, left: list[str]) -> None:
    main, terminal = pty.openpty()
    urls = {"DATABASE_URL": database.server, "BUSWARE_OWNER_URL": database.owner}
    asked = subprocess.Popen(
        [sys.executable, "-P", "-m", "busware.server", "outbox", "retry", "--all"],
        stdin=terminal,
        stdout=terminal,
        env={**os.environ, **urls},
        cwd=PROJECT,
    )
    os.close(terminal)
    os.write(main, f"{answer}\n".encode())
    assert asked.wait(WAIT_SECONDS) == 0
    os.close(main)
    assert states(database)[:2] == left
