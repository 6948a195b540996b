"""Clients that generators make from the OpenAPI document: the commands and programs of docs/http.md.

A test installs the generator that the page names in a temporary folder, generates the client from the running
server, and runs the page's program: it searches, books and cancels. On a trip with too few seats it reads the
number of free seats from the refusal.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.conftest import Database
from tests.support import node
from tests.support.http_client import HttpClient
from tests.support.project import PROJECT

pytestmark = pytest.mark.system

_PAGE = (PROJECT / "docs/http.md").read_text()
_SECTION = _PAGE.partition("## Generate a client\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"(?ms)^```(\w+)\n(.*?)^```$", _SECTION)
((PYTHON_PROGRAM,), (TYPESCRIPT_PROGRAM,)) = (
    [text for kind, text in BLOCKS if kind == wanted] for wanted in ("python", "ts")
)
PYTHON_COMMANDS, NODE_COMMANDS, NODE_PROGRAM = (text.splitlines() for kind, text in BLOCKS if kind == "sh")

Run = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for the generator and its client. It is large, so it is deleted."""
    with TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def run(folder: Path, http: HttpClient) -> Run:
    """A function that runs a command of the page in the folder."""

    def run(command: str) -> subprocess.CompletedProcess[str]:
        command = command.replace("http://localhost:8000", http.url)
        done = node.run(folder, "bash", "-c", command)
        print(f"$ {command}\n{done.stdout}{done.stderr}")
        return done

    return run


def check_program(run: Run, command: str, http: HttpClient, database: Database) -> None:
    """Run the program with enough seats on the trip, and with one seat."""
    done = run(command)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"booked \w+ cancelled 260\.00\n", done.stdout)
    assert database.query("SELECT status, count(*) FROM passengers GROUP BY status") == [("cancelled", 2)]
    date = http.call("GET", "/v1/places", params={"origin": "Bengaluru"}).json()["on_sale_until"]
    trip = {"bus_id": 1, "travel_date": date, "origin": "Bengaluru", "destination": "Mysuru"}
    for count in (6, 1):
        sold = http.call("POST", "/v1/bookings", json={**trip, "count": count, "phone": "98800 99000"})
        assert sold.status_code == 201
    done = run(command)
    assert done.returncode != 0
    assert "sold_out, free seats: 1" in done.stderr


def test_python_client(run: Run, folder: Path, http: HttpClient, database: Database) -> None:
    pip, *commands = PYTHON_COMMANDS
    assert node.run(folder, sys.executable, "-m", "venv", str(folder)).returncode == 0
    node.run_installation(folder, "bash", "-c", pip)
    run("pip list")
    for command in commands:
        assert run(command).returncode == 0
    (folder / "booking.py").write_text(PYTHON_PROGRAM.replace("http://localhost:8000", http.url))
    check_program(run, "python booking.py", http, database)


def test_typescript_client(run: Run, folder: Path, http: HttpClient, database: Database) -> None:
    if not shutil.which("npm"):
        pytest.skip("npm is not installed: apt install nodejs npm")
    npm, generate = NODE_COMMANDS
    compile_program, run_program = NODE_PROGRAM
    node.run_installation(folder, "bash", "-c", npm)
    run("npm list")
    program = folder / "booking.mts"
    program.write_text(TYPESCRIPT_PROGRAM.replace("http://localhost:8000", http.url))
    assert run(generate).returncode == 0
    assert run(compile_program).returncode == 0
    check_program(run, run_program, http, database)
    program.write_text(TYPESCRIPT_PROGRAM.replace("problem.seats_free", "problem.seats_free?.trim()"))
    assert "Property 'trim' does not exist on type 'number'" in run(compile_program).stdout
