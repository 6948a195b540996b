"""docker compose on a separate Docker engine: the commands of docs/docker.md, crashes, an upgrade from 0.1.0.

The base images are replaced (see tests/support/docker_engine.py); docker-compose.yml and Dockerfile are the
project's. The published ports are open in the engine's network only.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pexpect
import pytest

from tests.support.docker_engine import Engine, make_base_images, new_engine, reason_to_skip
from tests.support.line_client import wait_until
from tests.support.processes import WAIT_SECONDS
from tests.support.project import PROJECT

pytestmark = pytest.mark.system

COMPOSE = {"1.29": ["docker-compose"], "2": ["docker", "compose"]}
BUS = "101"  # stops at Bengaluru, Mandya and Mysuru
SEAT = "9"
PSQL = ("psql", "-U", "busware_owner", "busware")
BOOKINGS = "SELECT origin, destination, status FROM bookings ORDER BY created_at"
AUDIT = "SELECT * FROM api.audit()"
MY_ROUTE = """
INSERT INTO places (code, name) VALUES ('CKPT', 'Chikkapete');
SELECT api.add_service(bus_id => 9001, name => 'Night Owl', operator => 'My Travels',
    layout => '2+2 pushback 40', stops => $$
        Chikkapete | -     | 22:30 |   0 |   0
        Mysuru     | 01:20 | -     | 147 | 350 $$);
"""
PHONE = "9845012345"
COMMIT_OF_0_1_0 = "552b393"
HEALTH_SECONDS = 600  # a container must be healthy within this time, on a slow machine too
# Without the base image. 36 MB are the data of Babel, 13 MB are stripe, 37 MB are fpdf2 and fonts.
MAX_IMAGE_BYTES = 200 * 10**6
USER_ID = 10001
PASSWORD = "a password of a test"


class Installation:
    """A copy of the project in a folder, run by docker compose until the end of the `with`.

    command: docker compose in the version under test.
    """

    def __init__(self, engine: Engine, command: list[str], folder: Path) -> None:
        self.engine = engine
        self.command = command
        self.folder = folder

    def compose(self, *arguments: str, text: str = "") -> str:
        """Run docker compose and return its output. text: its standard input."""
        return self.engine.run(*self.command, *arguments, cwd=self.folder, text=text).stdout

    def __enter__(self) -> "Installation":
        return self

    def __exit__(self, *_: object) -> None:
        self.compose("down", "--volumes", "--rmi", "local", "--timeout", "5")

    def up(self, *options: str) -> None:
        """Start both containers, and wait until they are healthy."""
        started = time.time()
        self.compose("up", "--detach", *options)
        self.wait_until_healthy(started, "postgres", "server")

    def container(self, service: str) -> str:
        label = f"label=com.docker.compose.service={service}"
        return self.engine.run("docker", "ps", "--all", "--quiet", "--filter", label).stdout.strip()

    def wait_until_healthy(self, since: float, *services: str) -> None:
        """Wait until each of the containers has become healthy after the time `since`."""
        for service in services:
            span = ("--since", f"{since:.6f}", "--until", f"{since + HEALTH_SECONDS:.6f}")
            chosen = ("--filter", f"container={self.container(service)}", "--filter", "event=health_status")
            healthy = self.engine.prints("health_status: healthy", "docker", "events", *span, *chosen)
            assert healthy, f"{service} is not healthy:\n{self.compose('logs', '--tail=50')}"

    def wait_for_line(self, service: str, text: str) -> None:
        """Wait until a container prints a line with this text."""
        assert self.engine.prints(text, "docker", "logs", "--follow", self.container(service))

    def execute(self, service: str, *command: str, text: str = "") -> str:
        """Run a command in a container and return its output."""
        return self.compose("exec", "-T", service, *command, text=text)

    @contextmanager
    def terminal(self, service: str, *command: str) -> Iterator["pexpect.spawn[str]"]:
        """Run a command in a container at a terminal. The end of the `with` ends it by Ctrl-D."""
        with pexpect.spawn(
            self.command[0],
            [*self.command[1:], "exec", service, *command],
            cwd=str(self.folder),
            env=self.engine.environment,
            encoding="utf-8",
            timeout=WAIT_SECONDS,
            dimensions=(40, 120),
        ) as terminal:
            yield terminal
            terminal.sendeof()
            terminal.expect(pexpect.EOF)

    def psql(self, statement: str) -> list[str]:
        """Run a statement with the psql command of docs/docker.md. Returns the rows that it prints."""
        return self.execute("postgres", *PSQL, "-At", "-c", statement).splitlines()

    def client(self, *arguments: str) -> dict[str, Any]:
        """Run scripts/client on the host. Returns the reply or refusal that it prints."""
        done = self.engine.run_in_network(PROJECT / "scripts/client", *arguments, "--json", check=False)
        assert done.stdout, done.stderr
        reply: dict[str, Any] = json.loads(done.stdout)
        return reply

    def book(self, date: str, origin: str, destination: str) -> dict[str, Any]:
        """Book SEAT with scripts/client."""
        return self.client(*booking_command(date, origin, destination))


def booking_command(date: str, origin: str, destination: str) -> tuple[str, ...]:
    return ("book", BUS, date, origin, destination, "--seats", SEAT, "--phone", PHONE)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    if reason := reason_to_skip():
        pytest.skip(reason)
    with new_engine() as engine:
        make_base_images(engine)
        yield engine


@pytest.fixture(params=COMPOSE)
def command(request: pytest.FixtureRequest, engine: Engine) -> list[str]:
    command = COMPOSE[request.param]
    if not shutil.which(command[0]) or engine.run(*command, "version", check=False).returncode != 0:
        pytest.skip(f"{' '.join(command)} is missing; .ci/run installs it")
    return command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "busware"


@pytest.fixture
def tomorrow() -> str:
    return str(datetime.now(ZoneInfo("Asia/Kolkata")).date() + timedelta(days=1))


def copy_project(folder: Path) -> None:
    """Copy this version without its tests."""
    left_out = shutil.ignore_patterns(".git", ".venv", ".env", "*.egg-info", "__pycache__", "data", "tests")
    shutil.copytree(PROJECT, folder, ignore=left_out, dirs_exist_ok=True)


def copy_0_1_0(folder: Path) -> None:
    """Copy version 0.1.0 from the git history."""
    archive = subprocess.run(
        ["git", "-C", PROJECT, "archive", COMMIT_OF_0_1_0], capture_output=True, check=False
    )
    if archive.returncode != 0:
        pytest.skip(f"the git history does not contain 0.1.0: {archive.stderr.decode()}")
    subprocess.run(["tar", "--extract", "--directory", folder], input=archive.stdout, check=True)


def check_out(folder: Path, copy: Callable[[Path], None]) -> None:
    """Replace the files in the folder by a version of the project, but keep .env."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != ".env":
            path.unlink()
    copy(folder)


def check_confinement(busware: Installation) -> None:
    """Check that the server has no capabilities, a read-only file system, and a small image."""
    server, run = busware.container("server"), busware.engine.run
    process_status = busware.execute(
        "server", "grep", "-E", "Uid|CapBnd|NoNewPrivs", "/proc/1/status"
    ).split()
    assert process_status == ["Uid:", *4 * [str(USER_ID)], "CapBnd:", 16 * "0", "NoNewPrivs:", "1"]
    refused = run("docker", "exec", "--user=0", server, "touch", "/written", check=False)
    assert "Read-only file system" in refused.stderr
    image = run("docker", "inspect", "--format={{.Image}}", server).stdout.strip()
    size, base_size = (
        int(run("docker", "image", "inspect", "--format={{.Size}}", name).stdout)
        for name in (image, "python:3.11-slim")
    )
    assert size - base_size < MAX_IMAGE_BYTES


def test_compose_serves_and_survives_crashes(
    engine: Engine, command: list[str], folder: Path, tomorrow: str
) -> None:
    check_out(folder, copy_project)
    engine.run(folder / "scripts/env")
    with Installation(engine, command, folder) as busware:
        busware.up()

        # commands on the host
        assert busware.book(tomorrow, "Bengaluru", "Mandya")["status"] == "booked"
        assert busware.book(tomorrow, "Mandya", "Mysuru")["status"] == "booked"
        taken = busware.book(tomorrow, "Bengaluru", "Mysuru")
        assert taken["error"]["data"]["reason"] == "seat_taken"
        query = f"origin=Bengaluru&destination=Mysuru&date={tomorrow}"
        trips = engine.run_in_network("curl", "--fail", f"http://localhost:8000/v1/trips?{query}").stdout
        assert int(BUS) in [trip["bus_id"] for trip in json.loads(trips)["trips"]]

        # commands in the containers
        table = busware.execute("server", "busware", "search", "bengaluru", "mysuru", tomorrow)
        assert "KSRTC Airavat Club Class" in table
        bookings = busware.psql(BOOKINGS)
        assert bookings == ["Bengaluru|Mandya|booked", "Mandya|Mysuru|booked"]
        busware.execute("postgres", *PSQL, text=MY_ROUTE)
        assert len(busware.client("search", "chikkapete", "mysuru", tomorrow)["trips"]) == 1
        operator = ("operator", "add", "asha", "--operator", "My Travels")
        busware.execute("server", "busware-server", *operator, text=f"{PASSWORD}\n")
        assert busware.psql("SELECT role FROM accounts WHERE username = 'asha'") == ["operator"]
        with busware.terminal("server", "busware") as terminal:
            terminal.expect_exact("Welcome to Busware")
            terminal.expect_exact("What would you like?")
        check_confinement(busware)

        for service in "server", "postgres":
            killed = time.time()
            engine.kill_container(busware.container(service))
            busware.wait_until_healthy(killed, service)
        ready = ("curl", "--fail", "http://localhost:8000/readyz")
        wait_until(lambda: engine.run_in_network(*ready, check=False).returncode == 0)
        assert busware.book(tomorrow, "Bengaluru", "Mysuru") == taken
        assert busware.psql(BOOKINGS) == bookings
        assert busware.psql(AUDIT) == []


@pytest.mark.parametrize("command", ["2"], indirect=True)
def test_compose_upgrades_from_0_1_0(engine: Engine, command: list[str], folder: Path, tomorrow: str) -> None:
    """The upgrade replaces the files, and keeps .env and the volume."""
    check_out(folder, copy_0_1_0)
    engine.run(folder / "scripts/env")
    with Installation(engine, command, folder) as busware:
        busware.compose("up", "--detach")
        busware.wait_for_line("server", "serves on")  # version 0.1.0 has no health check
        client_of_0_1_0 = ("python", "-m", "client", "--host", "127.0.0.1", "--json")
        first = booking_command(tomorrow, "Bengaluru", "Mandya")
        booked = json.loads(busware.execute("server", *client_of_0_1_0, *first))

        check_out(folder, copy_project)
        busware.up("--build")
        found = busware.client("booking", booked["reference"], "--phone", PHONE)
        (ticket,) = found["tickets"]
        assert ticket.pop("seated_at") is not None
        assert found.pop("boarding_date") == tomorrow
        assert found.pop("currency") == "INR"
        assert found == booked  # without these fields, which 0.1.0 did not have
        assert busware.book(tomorrow, "Mandya", "Mysuru")["status"] == "booked"
        taken = busware.book(tomorrow, "Bengaluru", "Mysuru")
        assert taken["error"]["data"]["reason"] == "seat_taken"
        assert busware.psql(AUDIT) == []
