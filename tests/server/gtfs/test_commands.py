"""The command `gtfs`: what it shows, its exit statuses, and that it asks before it changes anything."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from busware.server.gtfs import commands
from tests.conftest import Database
from tests.support.gtfs import FEED, archive, changed

OPTIONS = ("--layout", "ss.ss", "--name", "hill")
SERVICES = "SELECT count(*) FROM bus_info WHERE source_id LIKE 'hill:%'"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs the command; returns its exit status and its output with its errors."""
    monkeypatch.setenv("DATABASE_URL", database.server)
    monkeypatch.setenv("BUSWARE_OWNER_URL", database.owner)

    def run(*arguments: object) -> tuple[int, str]:
        status: Any = 0
        try:
            commands.main([str(argument) for argument in arguments])
        except SystemExit as left:
            status = left.code
        shown = capsys.readouterr()
        if isinstance(status, str):
            return 1, f"{shown.out}{shown.err}{status}\n"
        return status or 0, shown.out + shown.err

    return run


def test_plan_is_shown_and_nothing_is_changed(run: Run, database: Database, tmp_path: Path) -> None:
    feed = archive(tmp_path, {"shapes.txt": "shape_id\n"})
    assert run("import", feed, *OPTIONS) == (0, """\
Feed hill: 1 agency, 4 stops, 1 route, 2 trips; 2 services.
Ignored files: shapes.txt.
Places: 4 new.
  new: North Gate (NORTH)
  new: Hill Road (HILL)
  new: Central (CENTRAL)
  new: Central (SOUTH)
Services: 2 new, 0 changed, 0 unchanged, 0 ended, 0 refused.
  new: 7 North - Central, 08:00 from NORTH (trip t1)
  new: 7 North - Central, 22:30 from NORTH (trip t2)
Nothing is changed. Add --apply to change this.
""")  # fmt: skip
    assert database.value(SERVICES) == 0


def test_import_and_a_second_import(run: Run, database: Database, tmp_path: Path) -> None:
    feed = archive(tmp_path)
    status, shown = run("import", feed, *OPTIONS, "--apply")
    assert (status, shown.splitlines()[-1], database.value(SERVICES)) == (0, "Done.", 2)
    status, shown = run("import", feed, *OPTIONS, "--apply")
    assert (status, shown.splitlines()[-1]) == (0, "Nothing to change.")
    feed = archive(tmp_path, changed("fare_attributes.txt", "c,180", "c,200"))
    status, shown = run("import", feed, *OPTIONS)
    assert "Services: 0 new, 2 changed, 0 unchanged, 0 ended, 0 refused.\n" in shown
    assert "08:00 from NORTH (trip t1): stops[2].fare 180.00 → 200.00; segment_fares [] → [" in shown


@pytest.mark.parametrize(("answer", "services"), [("y", 2), ("n", 0)])
def test_terminal_asks(
    run: Run, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, services: int
) -> None:
    monkeypatch.setattr(commands, "on_terminal", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    status, shown = run("import", archive(tmp_path), *OPTIONS)
    assert status == 0
    assert shown.endswith("Done.\n") == bool(services)
    assert database.value(SERVICES) == services


def test_ticket_that_is_sold_before_the_answer_prevents_the_change(
    run: Run, database: Database, clock: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("import", archive(tmp_path), *OPTIONS, "--apply")[0] == 0
    number = database.value("SELECT bus_id FROM bus_info WHERE source_id = 'hill:t1'")

    def sell_a_ticket(question: str) -> str:
        book = "SELECT api.book(%s, '2026-12-03', 'NORTH', 'SOUTH', count => 1, phone => '98450 12345')"
        assert database.value(book, number)["status"] == "booked"
        return "y"

    monkeypatch.setattr(commands, "on_terminal", lambda: True)
    monkeypatch.setattr("builtins.input", sell_a_ticket)
    earlier = changed("stop_times.txt", "08:00:00,08:00:00", "07:55:00,07:55:00")
    status, shown = run("import", archive(tmp_path, earlier), *OPTIONS)
    assert status == 1
    assert "\n  refused: trips.txt:2: 7 North - Central, " in shown
    assert "Done." not in shown


def test_faults_are_listed_up_to_a_limit(
    run: Run, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSWARE_GTFS_LINES", "2")
    text = FEED["stop_times.txt"].replace("HILL", "HULL").replace("SOUTH", "SUTH")
    assert run("import", archive(tmp_path, {"stop_times.txt": text}), *OPTIONS, "--apply") == (1, """\
  stop_times.txt:3: stop_id is 'HULL', which is not a stop of stops.txt.
  stop_times.txt:4: stop_id is 'SUTH', which is not a stop of stops.txt.
  … and 2 more
busware: The feed has 4 faults. Nothing is changed.
""")  # fmt: skip
    assert database.value(SERVICES) == 0


def test_refused_services_are_listed_with_their_lines(run: Run, database: Database, tmp_path: Path) -> None:
    status, shown = run("import", archive(tmp_path), "--layout", "none of these 40", "--apply")
    assert status == 1
    assert "  refused: trips.txt:2: 7 North - Central, 08:00 from NORTH (trip t1): layout: " in shown
    assert shown.endswith(
        "busware: Nothing is changed. --partial leaves these services as they are, and changes the others.\n"
    )


def test_feed_without_fares_needs_a_fare_per_kilometre(run: Run, database: Database, tmp_path: Path) -> None:
    feed = archive(tmp_path, {"fare_attributes.txt": None, "fare_rules.txt": None})
    status, shown = run("import", feed, *OPTIONS)
    assert "  trips.txt:2: trip t1 is left out: the feed has no fares: give --fare-per-km.\n" in shown
    status, shown = run("import", feed, *OPTIONS, "--fare-per-km", "1.5", "--currency", "EUR", "--apply")
    assert (status, shown.splitlines()[-1]) == (0, "Done.")
    assert database.query("SELECT DISTINCT currency FROM bus_info WHERE source_id IS NOT NULL") == ["EUR"]


def test_locked_service_ends_the_import(run: Run, database: Database, tmp_path: Path) -> None:
    assert run("import", archive(tmp_path), *OPTIONS, "--apply")[0] == 0
    feed = archive(tmp_path, changed("fare_attributes.txt", "c,180", "c,200"))
    with database.connect(autocommit=False) as other:
        other.execute("SELECT FROM bus_info WHERE source_id = 'hill:t2' FOR UPDATE")
        status, shown = run("import", feed, *OPTIONS, "--apply")
    assert status == 1
    assert shown.endswith(
        "busware: Another session changes the same services. Nothing is changed. Try again.\n"
    )
    assert database.query("SELECT DISTINCT fare::text FROM route_table WHERE place = 'SOUTH'") == ["180.00"]


def test_export_and_import(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "exported.zip"
    status, shown = run("export", path)
    assert status == 0
    assert shown.splitlines()[-1] == f"{path}: 2 services."
    assert [file.name for file in tmp_path.iterdir()] == ["exported.zip"]
    assert run("import", path)[1].endswith("\nNothing to change.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("import", "none.zip"), "busware: none.zip cannot be read: No such file or directory.\n"),
        (
            ("export", "none/feed.zip"),
            "busware: none/feed.zip cannot be written: No such file or directory.\n",
        ),
        (("export", "feed.zip", "--operator", "Nobody"), "busware: No service can be exported.\n"),
    ],
)
def test_errors(run: Run, arguments: tuple[str, ...], message: str) -> None:
    assert run(*arguments) == (1, message)


@pytest.mark.parametrize(
    "arguments",
    [
        ("import",),
        ("import", "x.zip", "--fare-per-km", "1e3"),
        ("import", "x.zip", "--name", "a:b"),
        ("list",),
    ],
)
def test_wrong_command_line(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2
