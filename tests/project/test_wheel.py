"""The wheel contains the files of the source folders, and works without a checkout.

The folder of its user has a client.py and a server.py, which the commands must not import.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.processes import WAIT_SECONDS
from tests.support.project import PROJECT, TIMETABLE

pytestmark = pytest.mark.system

SOURCES = ("client", "server", "sql", "pyproject.toml", "setup.py", "README.md", "LICENSE")
# Folder of a checkout → its folder in the wheel.
FOLDERS = {"client": "busware", "server": "busware/server", "sql": "busware/sql"}
SHIPPED = (".py", ".sql", ".po", ".html", ".txt", "py.typed", "PROTOCOL.md", ".css", ".js", ".svg")


# Building --------------------------------------------------------------------------------------


def copy_sources(folder: Path) -> Path:
    """Copy the sources of the wheel, because a build writes files beside them."""
    for name in SOURCES:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy(source, folder / name)
    return folder


def build(kind: str, sources: Path, out: Path) -> Path:
    """Build a package with setuptools. kind: "wheel" or "sdist"."""
    code = f"import sys; from setuptools import build_meta; print(build_meta.build_{kind}(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-P", "-c", code, out], cwd=sources, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return out / built.stdout.splitlines()[-1]


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sources_of_wheel() -> dict[str, bytes]:
    """The files that a wheel must contain besides its metadata, by name."""
    return {
        f"{target}/{path.relative_to(PROJECT / folder)}": path.read_bytes()
        for folder, target in FOLDERS.items()
        for path in (PROJECT / folder).rglob("*")
        if path.name.endswith(SHIPPED)
    }


def without_metadata(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: text for name, text in files.items() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    return build("wheel", copy_sources(folder / "sources"), folder)


def test_wheel_contains_the_source_files_and_nothing_else(wheel: Path) -> None:
    assert without_metadata(contents(wheel)) == sources_of_wheel()


def test_wheel_lacks_a_package_that_pyproject_does_not_list(tmp_path: Path) -> None:
    sources = copy_sources(tmp_path / "sources")
    project = sources / "pyproject.toml"
    project.write_text(project.read_text().replace('    "busware.server.push",\n', ""))
    missing = sources_of_wheel().keys() - contents(build("wheel", sources, tmp_path)).keys()
    assert "busware/server/push/__init__.py" in missing
    assert all(name.startswith("busware/server/push/") for name in missing)


def test_deleted_file_is_not_in_the_next_wheel(wheel: Path, tmp_path: Path) -> None:
    sources = copy_sources(tmp_path / "sources")
    (sources / "sql" / "26_entry_points.sql").write_text("-- Functions of another version.\n")
    build("wheel", sources, tmp_path)
    (sources / "sql" / "26_entry_points.sql").unlink()
    assert contents(build("wheel", sources, tmp_path)) == contents(wheel)


def test_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build("sdist", copy_sources(tmp_path / "sources"), tmp_path)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert contents(build("wheel", unpacked, tmp_path)) == contents(wheel)


# Installing ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel, and the folder of its user."""

    venv: Path
    folder: Path

    def run_command(self, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the environment in the user's folder."""
        return subprocess.run(
            [self.venv / "bin" / name, *arguments], cwd=self.folder, env=clean_environment(),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS,
        )  # fmt: skip

    def run_program(self, text: str) -> str:
        """Run a Python program in the user's folder; return its output."""
        (self.folder / "mine.py").write_text(text)
        done = self.run_command("python", "mine.py")
        assert done.returncode == 0, done.stderr
        return done.stdout


def clean_environment() -> dict[str, str]:
    """The environment variables without settings of Busware and without the checkout in PYTHONPATH."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("BUSWARE_") and name not in ("DATABASE_URL", "PYTHONPATH")
    }


def make_environment(venv: Path, folder: Path) -> Environment:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    for name in ("client.py", "server.py"):
        (folder / name).write_text("raise SystemExit('this is the user\\'s own module')\n")
    return Environment(venv, folder)


def pip_install(venv: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pip", "--python", venv / "bin/python", "install", "--quiet",
         "--disable-pip-version-check", "--no-compile", *arguments],
        env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel with its dependencies only."""
    folder = tmp_path_factory.mktemp("base")
    environment = make_environment(folder / "venv", folder)
    installed = pip_install(environment.venv, wheel)
    if installed.returncode:
        pytest.skip(f"pip cannot install msgspec and tzdata here: {installed.stderr.splitlines()[-1]}")
    return environment


@pytest.fixture
def complete(wheel: Path, data_folder: Path) -> Environment:
    """The wheel with every extra: it uses the packages of the tests' environment except Busware."""
    environment = make_environment(data_folder / "venv", data_folder)
    (site_packages,) = (environment.venv / "lib").glob("python3*/site-packages")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    (site_packages / "packages_of_the_tests.pth").write_text(f"{packages}\n")
    installed = pip_install(environment.venv, "--no-deps", "--ignore-installed", wheel)
    assert installed.returncode == 0, installed.stderr
    return environment


@contextmanager
def serving(environment: Environment) -> Iterator[tuple[int, int, list[str]]]:
    """Run busware-server with the embedded PostgreSQL. Yields both ports, and the lines that it printed."""
    settings = "BUSWARE_PORT=0\nBUSWARE_HTTP_PORT=0\nBUSWARE_SEED=false\n"
    (environment.folder / ".env").write_text(settings)
    process = subprocess.Popen(
        [environment.venv / "bin" / "busware-server"], cwd=environment.folder, env=clean_environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout
            printed = []
            for line in process.stdout:
                printed.append(line)
                if "Ctrl-C stops it" in line:
                    break
            port, http_port = (
                re.search(pattern, "".join(printed)) for pattern in (r"serves on \S+:(\d+)", r":(\d+)/v1")
            )
            assert port, "".join(printed)
            assert http_port, "".join(printed)
            yield int(port[1]), int(http_port[1]), printed
        finally:
            process.send_signal(signal.SIGTERM)


BOOKING_PROGRAM = """\
from datetime import timedelta

from busware import connect

with connect({where}) as busware:
    day = busware.today() + timedelta(days=1)
    trip = busware.search("Bengaluru", "Mysuru", day)[0]
    booking = busware.book(trip.bus_id, day, "Bengaluru", "Mysuru", seats=[{seat}], phone="98450 12345")
    print(booking.status, booking.tickets[0].seat_no)
"""
BOOKING_ASYNC_PROGRAM = """\
import asyncio
from datetime import timedelta

from busware import Booking, connect_async


async def main() -> Booking:
    async with await connect_async({where}) as busware:
        day = await busware.today() + timedelta(days=1)
        trip = (await busware.search("Bengaluru", "Mysuru", day))[0]
        return await busware.book(
            trip.bus_id, day, trip.origin, trip.destination, seats=[{seat}], phone="98450 12345"
        )


booking = asyncio.run(main())
print(booking.status, booking.tickets[0].seat_no)
"""


@pytest.mark.usefixtures("away_from_midnight")
def test_wheel_serves_and_books(complete: Environment, base: Environment) -> None:
    with serving(complete) as (port, http_port, printed):
        assert (complete.folder / "data" / "postgres").is_dir()
        assert f"busware --port {port} search" in "".join(printed)
        assert "busware-server psql" in "".join(printed)
        assert "scripts/" not in "".join(printed)

        loaded = complete.run_command("busware-server", "seed", str(TIMETABLE))
        assert "2 added" in loaded.stdout, loaded.stderr
        trip = ("tomorrow", "Bengaluru", "Mysuru", "--seats", "1", "--phone", "98450 12345")
        booked = complete.run_command("busware", "--port", str(port), "book", "1", *trip)
        assert "Booked: " in booked.stdout, booked

        http = f'"http://127.0.0.1:{http_port}"'
        for text, where, seat in (
            (BOOKING_PROGRAM, f"port={port}", 2), (BOOKING_PROGRAM, http, 3),
            (BOOKING_ASYNC_PROGRAM, f"port={port}", 4), (BOOKING_ASYNC_PROGRAM, http, 5),
        ):  # fmt: skip
            assert base.run_program(text.format(where=where, seat=seat)) == f"booked {seat}\n"
        counted = complete.run_command("busware-server", "psql", "-Atc", "SELECT count(*) FROM bookings")
        assert counted.stdout == "5\n", counted.stderr
        audit = complete.run_command("busware-server", "audit")
        assert (audit.returncode, audit.stdout) == (0, "Clean: every rule holds.\n"), audit.stderr
    stopped = complete.run_command("busware-server", "audit")
    assert stopped.stderr == (
        f"busware: No server runs on {complete.folder}/data. Start one first: busware-server\n"
    )


@pytest.mark.parametrize(
    ("command", "extra"), [("busware", "terminal"), ("busware-server", "server")], ids=["client", "server"]
)
def test_command_whose_extra_is_missing_names_the_extra(base: Environment, command: str, extra: str) -> None:
    for arguments in ((), ("--help",), ("ping",)):
        done = base.run_command(command, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert f"pip install 'busware[{extra}]'" in done.stderr


def test_help_names_no_script(complete: Environment) -> None:
    for command in (
        "busware", "busware-server", "busware-server psql", "busware-server seed", "busware-server audit",
        "busware-server operator", "busware-server console", "busware completion",
    ):  # fmt: skip
        shown = complete.run_command(*command.split(), "--help")
        assert shown.returncode == 0, shown.stderr
        assert command in shown.stdout
        assert "scripts/" not in shown.stdout
    assert "_shtab_busware" in complete.run_command("busware", "completion", "bash").stdout


@pytest.mark.parametrize(
    "text", [BOOKING_PROGRAM, BOOKING_ASYNC_PROGRAM], ids=["synchronous", "asynchronous"]
)
def test_programs_of_users_are_type_checked(base: Environment, text: str) -> None:
    def check(program: str) -> "subprocess.CompletedProcess[str]":
        (base.folder / "typed.py").write_text(program)
        mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", base.venv / "bin/python"]
        return subprocess.run(
            [*mypy, "--cache-dir", base.folder / "cache", "typed.py"], cwd=base.folder,
            env=clean_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip

    correct = text.format(where="", seat=1)
    checked = check(correct)
    assert checked.returncode == 0, checked.stdout
    wrong = check(correct.replace("trip.bus_id", "trip.bus_number"))
    assert '"Trip" has no attribute "bus_number"' in wrong.stdout
