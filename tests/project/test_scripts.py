"""The files of scripts/, run through a symlink from a folder outside of the project."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Database
from tests.support.processes import ServerProcess, running_on, wait_for_end
from tests.support.project import PROJECT, TIMETABLE


def script(link: Path, name: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a script through a symlink, from a folder outside of the project."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("BUSWARE_") and k != "DATABASE_URL"}
    return subprocess.run(
        [link / name, *arguments],
        cwd=link.parent,
        env={**environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def link(tmp_path: Path) -> Path:
    """A symlink to scripts/. Beside it is a module `server` that the scripts must not import."""
    (tmp_path / "scripts").symlink_to(PROJECT / "scripts")
    (tmp_path / "server.py").write_text("raise SystemExit('the wrong module')")
    return tmp_path / "scripts"


TRANSACTION_CONTROL = ("COMMIT", "ROLLBACK", "\\set ON_ERROR_STOP 0\nCOMMIT AND CHAIN")


def test_scripts_find_the_running_database(data_folder: Path, link: Path) -> None:
    environment = {"BUSWARE_DATA": str(data_folder)}
    with ServerProcess("0", "--data", str(data_folder)) as server:
        loaded = script(link, "seed", str(TIMETABLE), **environment)
        assert "2 added" in loaded.stdout, loaded.stderr
        trip = ("1", "+1", "Bengaluru", "Mysuru", "--seats", "7", "--phone", "9845012345")
        booked = script(link, "client", "--port", str(server.port), "book", *trip)
        assert booked.returncode == 0, booked
        shown = script(link, "psql", "-At", "-c", "SELECT status, seat_no FROM bookings", **environment)
        assert shown.stdout == "booked|7\n", shown.stderr

        clean = script(link, "audit", **environment)
        assert (clean.returncode, clean.stdout) == (0, "Clean: every rule holds.\n"), clean.stderr
        script(link, "psql", "-c", "UPDATE seats SET taken = '{[1,2)}' WHERE seat_no = 1", **environment)
        found = script(link, "audit", **environment)
        assert found.returncode == 1
        assert all(finding.startswith("taken | ") for finding in found.stdout.splitlines())

        (link.parent / "mine.sql").write_text(
            "INSERT INTO places (code, name) VALUES ('XX', 'Mine') ON CONFLICT DO NOTHING;\n"
            "SELECT api.add_service(bus_id => 99, name => 'N', operator => 'O', layout => 'ss',\n"
            "    stops => $$ Mine | - | 10:00 | 0 | 0\n Mandya | 11:00 | - | 9 | 10 $$);"
        )
        (link.parent / "wrong.sql").write_text(
            "UPDATE places SET name = 'Theirs' WHERE code = 'XX';\nSELECT 1 / 0;"
        )
        for counts in ("1 added, 0 there already", "0 added, 1 there already"):
            loaded = script(link, "seed", "mine.sql", **environment)
            assert loaded.returncode == 0, loaded.stderr
            assert f"mine.sql is loaded: {counts}" in loaded.stdout
        wrong = script(link, "seed", "wrong.sql", **environment)
        assert wrong.returncode != 0
        assert "wrong.sql:2: ERROR:  division by zero" in wrong.stderr
        mine = (link.parent / "mine.sql").read_text().replace("99", "98")
        (link.parent / "mine.sql").write_text(mine.replace("11:00", "11h"))
        wrong = script(link, "seed", "mine.sql", **environment)
        assert '"11h" is not a time since the travel date began' in wrong.stderr
        assert "HINT:" in wrong.stderr
        assert "CONTEXT:" not in wrong.stderr
        for control in TRANSACTION_CONTROL:
            (link.parent / "half.sql").write_text(
                f"UPDATE places SET name = 'Half' WHERE code = 'XX';\n{control};\n"
                "UPDATE places SET name = 'Other half' WHERE code = 'XX';\n"
            )
            half = script(link, "seed", "half.sql", **environment)
            assert half.returncode != 0, control
            assert "Nothing of half.sql is loaded." in half.stderr
            assert "COMMIT" not in control or "Remove BEGIN, COMMIT and ROLLBACK" in half.stderr
        name = script(link, "psql", "-At", "-c", "SELECT name FROM places WHERE code = 'XX'", **environment)
        assert name.stdout == "Mine\n"
        server.end(signal.SIGTERM)

    no_server = f"busware: No server runs on {data_folder}. Start one first: scripts/start\n"
    for name, status in (("psql", 1), ("audit", 2), ("seed", 1)):
        stopped = script(link, name, *(["mine.sql"] if name == "seed" else []), **environment)
        assert (stopped.returncode, stopped.stdout, stopped.stderr) == (status, "", no_server)


def test_missing_server_and_missing_file_are_explained(data_folder: Path, link: Path) -> None:
    stopped = script(link, "psql", BUSWARE_DATA=str(data_folder))
    assert stopped.returncode == 1
    assert stopped.stderr == f"busware: No server runs on {data_folder}. Start one first: scripts/start\n"
    assert script(link, "seed").returncode == 2
    missing = script(link, "seed", "nothing.sql", BUSWARE_DATA=str(data_folder))
    assert "File nothing.sql does not exist, or cannot be read." in missing.stderr


SCRIPTS = {path.name for path in (PROJECT / "scripts").iterdir() if path.is_file()}


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_help_of_every_script_describes_it_and_does_nothing_else(name: str, link: Path) -> None:
    before = sorted(path.name for path in PROJECT.iterdir())
    shown = script(link, name, "--help", BUSWARE_DATA=str(link.parent / "data"))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert len(shown.stdout.splitlines()) > 0
    assert sorted(path.name for path in PROJECT.iterdir()) == before
    assert not (link.parent / "data").exists()


def test_python_without_the_packages_prints_one_line_that_names_scripts_python() -> None:
    for run in ("-m server", "-m client", "-c 'import client'"):
        done = subprocess.run(
            f"{sys.executable} -S {run}", shell=True, cwd=PROJECT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert "Use scripts/python" in done.stderr


def test_scripts_start_works_in_any_folder(data_folder: Path, link: Path) -> None:
    with subprocess.Popen(
        [link / "start", "0", "--data", data_folder.name],
        cwd=data_folder.parent,  # `--data` is relative to it
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "BUSWARE_SEED": "false"},
    ) as process:
        assert process.stdout
        assert f"in {data_folder}." in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    assert running_on(data_folder) == []


def test_scripts_python_uses_the_venv_and_the_code_of_the_project(link: Path) -> None:
    shown = script(link, "python", "-c", "import sys, server; print(sys.prefix, server.__file__)")
    assert shown.stdout == f"{PROJECT}/.venv {PROJECT}/server/__init__.py\n", shown.stderr
    assert sys.version_info >= (3, 11)


# scripts/bench ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("book-64", "batch", "nosuch"), "unknown: nosuch."),
        (("book-64", "list"), "list: use it without other names"),
    ],
)
def test_bench_takes_several_names(link: Path, names: tuple[str, ...], problem: str) -> None:
    done = script(link, "bench", *names)
    assert done.returncode == 2
    assert problem in done.stderr


BENCHMARK = """
import signal, sys
from busware.server.embedded.data_folder import Urls
from scripts.benchmark.__main__ import exit_on_sigterm
from scripts.benchmark.sides import run_server

exit_on_sigterm()
with run_server(Urls(*sys.argv[1:])) as server:
    print(server.process.pid, flush=True)
    signal.pause()
"""


def test_benchmark_stops_its_server_at_sigterm(database: Database) -> None:
    command = [sys.executable, "-c", BENCHMARK, database.owner, database.server]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as benchmark:
        assert benchmark.stdout
        server = int(benchmark.stdout.readline())
        benchmark.terminate()
    assert benchmark.returncode == 128 + signal.SIGTERM
    wait_for_end([server])
