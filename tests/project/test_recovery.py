"""The commands of docs/backup.md recover a database on an empty machine, as it was at a chosen time.

They run for a PostgreSQL with its own superuser, as Debian makes it, and for the embedded one. The test gives
the variables of the page other values, and does what the page asks of `systemctl`.
"""

import csv
import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dotenv import dotenv_values

from busware.server.embedded.data_folder import find_programs, read_urls
from tests.support.line_client import LineClient, wait_until
from tests.support.processes import ServerProcess, running_on, wait_for_end
from tests.support.project import PROJECT, TIMETABLE

pytestmark = pytest.mark.system

PAGE = (PROJECT / "docs" / "backup.md").read_text()
COMMAND_SECONDS = 120  # a command that takes longer fails the test
VARIABLES = (
    "backups",
    "wal",
    "busware",
    "user",
    "service",
    "data",
    "psql",
    "pg_basebackup",
    "base",
    "target",
)
TRIP = {"bus_id": 1, "origin": "Bengaluru", "destination": "Mysuru", "phone": "98450 12345"}
RUN_AS_POSTGRES = "runuser -u postgres --" if os.geteuid() == 0 else ""  # PostgreSQL does not run as root
USER = "postgres" if os.geteuid() == 0 else getpass.getuser()


def blocks(heading: str) -> list[str]:
    """The commands under a heading of the page, a text for each block."""
    (text,) = re.findall(rf"(?ms)^## {heading}\n(.*?)(?=^## |\Z)", PAGE)
    found = re.findall(r"(?ms)^```sh\n(.*?)^```$", text)
    assert found
    return found


class Machine:
    """A machine with Busware and its database, and a shell that runs the commands of the page on it.

    folder: everything that belongs to the machine. backups: the folder of the backups, which outlives it.
    port: of Debian's PostgreSQL.
    """

    is_embedded: bool

    def __init__(self, folder: Path, backups: Path, port: int) -> None:
        self.folder, self.port, self._variables = folder, port, folder / "variables"
        self.server: ServerProcess | None = None
        folder.mkdir(mode=0o711)
        self.set(backups=str(backups), wal=f"{backups}/wal", user=USER, busware=f"{PROJECT}/scripts/start")

    # To be defined for each kind of PostgreSQL

    data: Path  # PostgreSQL's data directory

    def environment(self) -> dict[str, str]:
        """The settings of Busware and the variables of libpq."""
        raise NotImplementedError

    def start_postgres(self) -> None:
        """Start PostgreSQL, as the service does."""
        raise NotImplementedError

    def stop_postgres(self) -> None:
        """Stop PostgreSQL, if it runs."""
        raise NotImplementedError

    def owner_url(self) -> str:
        """The URL of the database for its owner."""
        raise NotImplementedError

    # Busware

    def start_busware(self) -> None:
        """Start the server, unless it serves."""
        if not self.server:
            self.server = ServerProcess("0", **self.environment())

    def stop_busware(self) -> None:
        """Stop the server, if it serves."""
        if self.server:
            assert self.server.end(signal.SIGTERM)[0] == 0
            self.server = None

    def lose(self) -> None:
        """Kill what runs on the machine."""
        if self.server:
            self.server.end(signal.SIGKILL)
            self.server = None

    def call(self, method: str, **params: Any) -> Any:
        """Send a request to the server."""
        assert self.server
        with closing(LineClient(self.server.host, self.server.port)) as line:
            return line.call(method, **params)

    # The page

    def set(self, **variables: str) -> None:
        """Set variables of the page."""
        with self._variables.open("a") as file:
            file.writelines(f"{name}='{value}'\n" for name, value in variables.items())

    def run(self, script: str) -> str:
        """Run commands. Returns their output."""
        keep = f"trap 'declare -p {' '.join(VARIABLES)} >{self._variables} 2>/dev/null || true' EXIT"
        done = subprocess.run(
            ["bash", "-e", "-u", "-c", f". {self._variables}; {keep}\n{script}"],
            cwd="/", env={**os.environ, **self.environment()}, timeout=COMMAND_SECONDS,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{script}\nended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def run_block(self, block: str) -> str:
        """Run a block of the page, without those for the other kind of PostgreSQL. Returns its output."""
        if "urls.env" in block and not self.is_embedded:
            return ""
        printed = ""
        for part in re.split(r'(?m)^(systemctl \w+ "\$service"\n)', block):
            if part.startswith("systemctl "):
                verb = part.split()[1]
                if verb in ("stop", "restart"):
                    self.stop_service()
                if verb in ("start", "restart"):
                    self.start_service()
            elif part:
                printed += self.run(part)
        return printed

    def start_service(self) -> None:
        """Start the service of the page: PostgreSQL, or the server with the embedded one."""
        (self.start_busware if self.is_embedded else self.start_postgres)()

    def stop_service(self) -> None:
        """Stop the service of the page."""
        (self.stop_busware if self.is_embedded else self.stop_postgres)()


class EmbeddedMachine(Machine):
    """Busware with its embedded PostgreSQL."""

    is_embedded = True

    def __init__(self, folder: Path, backups: Path, port: int) -> None:
        super().__init__(folder, backups, port)
        self.data = folder / "data" / "postgres"
        start = f"{PROJECT}/scripts/start"
        self.set(
            data=str(self.data),
            service="busware",
            psql=f"{start} psql",
            pg_basebackup=f"{start} pg_basebackup",
        )

    def environment(self) -> dict[str, str]:
        return {"BUSWARE_DATA": str(self.data.parent)}

    def start_postgres(self) -> None:
        """The server does it."""

    def stop_postgres(self) -> None:
        """The server does it."""

    def lose(self) -> None:
        super().lose()
        wait_for_end(running_on(self.data))  # PostgreSQL stops by itself, and archives the rest of its log

    def owner_url(self) -> str:
        urls = read_urls(self.data.parent)
        assert urls
        return urls.owner


class DebianMachine(Machine):
    """Busware with a PostgreSQL that has a superuser of its own, on a Unix socket, and roles for Busware."""

    is_embedded = False

    def __init__(self, folder: Path, backups: Path, port: int) -> None:
        super().__init__(folder, backups, port)
        self.data = folder / "main"
        self.programs = [*find_programs()][-1]  # Debian's, if it is installed
        self.set(data=str(self.data), service="postgresql", psql=f"{RUN_AS_POSTGRES} psql",
                 pg_basebackup=f"{RUN_AS_POSTGRES} pg_basebackup")  # fmt: skip
        shutil.chown(folder, USER)
        self._as_postgres("initdb", f"--pgdata={self.data}", "--auth-local=peer", "--auth-host=scram-sha-256")

    def _as_postgres(self, program: str, *arguments: str) -> None:
        command = [*RUN_AS_POSTGRES.split(), str(self.programs / program), *arguments]
        subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "PGHOST": str(self.folder), "PGPORT": str(self.port), "PGDATABASE": "postgres",
            **{name: value for name, value in dotenv_values(self.folder / ".env").items() if value},
        }  # fmt: skip

    def owner_url(self) -> str:
        return self.environment()["BUSWARE_OWNER_URL"]

    def start_postgres(self) -> None:
        options = f"--options=-p {self.port} -k {self.folder} -h 127.0.0.1"
        self._as_postgres(
            "pg_ctl", "start", f"--pgdata={self.data}", "--wait", f"--log={self.folder}/log", options
        )

    def make_database(self) -> None:
        """Run the commands of docs/systemd.md that make the roles, the database and .env."""
        text = (PROJECT / "docs" / "systemd.md").read_text().partition("## Your own PostgreSQL")[2]
        (block,) = re.findall(r"(?ms)^```sh\napt install postgresql\n(.*?)^```$", text)
        block = block.replace("runuser -u postgres --", RUN_AS_POSTGRES).replace(
            "/var/lib/busware", str(self.folder)
        )
        self.run(block.replace("localhost:5432", f"127.0.0.1:{self.port}"))

    def stop_postgres(self) -> None:
        self._stop_postgres("fast")

    def _stop_postgres(self, mode: str) -> None:
        if (self.data / "postmaster.pid").exists():
            self._as_postgres("pg_ctl", "stop", f"--pgdata={self.data}", f"--mode={mode}")

    def lose(self) -> None:
        super().lose()
        self._stop_postgres("immediate")


KINDS = {"embedded": EmbeddedMachine, "debian": DebianMachine}


@pytest.fixture(params=KINDS)
def machines(request: pytest.FixtureRequest, data_folder: Path) -> Iterator[tuple[Machine, Machine]]:
    """Two machines of one kind, of which the second is empty. They share the folder of the backups."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    first, second = (KINDS[request.param](data_folder / name, data_folder / "backups", port) for name in "ab")
    try:
        yield first, second
    finally:
        for machine in (first, second):
            machine.lose()


def prepare(machine: Machine) -> str:
    """Start the machine, with the timetable of the tests. Returns a travel date on sale."""
    machine.start_postgres()
    if isinstance(machine, DebianMachine):
        machine.make_database()
    machine.start_busware()
    with psycopg.connect(machine.owner_url()) as conn:
        conn.execute(TIMETABLE.read_bytes())
        (date,) = conn.execute("SELECT max(travel_date)::text FROM trips").fetchone() or ("",)
    return str(date)


def value(machine: Machine, statement: str) -> str:
    """The single value that a statement returns, as text."""
    with psycopg.connect(machine.owner_url()) as conn:
        (found,) = conn.execute(statement).fetchone() or ("",)
    return str(found)


def archive_all(machine: Machine) -> None:
    """Wait until all that was committed is in the archive."""
    ask = "$psql --tuples-only --no-align --command="
    file = machine.run(f"{ask}'SELECT pg_walfile_name(pg_switch_wal())'")
    archived = "SELECT coalesce(last_archived_wal, chr(32)) FROM pg_stat_archiver"
    wait_until(lambda: machine.run(f"{ask}'{archived}'") >= file, COMMAND_SECONDS)


def test_variables_are_the_same_for_both_kinds() -> None:
    common, debian, embedded = (re.findall(r"(?m)^(\w+)=", block) for block in blocks("Names"))
    assert debian == embedded
    assert {*common, *debian, "base", "target"} == set(VARIABLES)


def test_bookings_up_to_a_time_are_recovered_on_an_empty_machine(machines: tuple[Machine, Machine]) -> None:
    old, new = machines
    date = prepare(old)
    for block in blocks("Archive the write-ahead log"):
        old.run_block(block)

    def book(machine: Machine, seat: int, key: str) -> Any:
        return machine.call("book", **TRIP, travel_date=date, seats=[seat], key=key)

    wait_until(lambda: "places" in old.call("places"))  # PostgreSQL was started again
    before_backup = book(old, 1, "before the backup")
    for block in blocks("Make a base backup"):
        old.run_block(block)
    after_backup = book(old, 2, "after the backup")
    target = value(old, "SELECT clock_timestamp()")
    lost = book(old, 3, "after the target")
    undone = old.call("cancel", reference=before_backup["reference"], phone=TRIP["phone"])
    assert (lost["status"], undone["status"]) == ("booked", "cancelled")
    archive_all(old)

    *_, base = re.findall(r"\bbase=\"?([^\"\n]+)", old.run("declare -p base"))
    choose, list_later, replace, put_back, start, check = blocks("Recover")
    old.set(target=target)
    old.run_block(list_later)
    backups = Path(old.run('echo "$backups"').strip())
    with (backups / "later.csv").open() as file:
        later = {row["reference"]: (row["type"], row["phone"]) for row in csv.DictReader(file)}
    phone = "+919845012345"
    assert later == {
        lost["reference"]: ("booking.booked", phone),
        before_backup["reference"]: ("booking.cancelled", phone),
    }
    old.lose()
    archived = sorted((backups / "wal").iterdir())

    with suppress(FileNotFoundError):  # the embedded PostgreSQL needs no settings
        shutil.copy(old.folder / ".env", new.folder)

    def recover(to: str) -> None:
        new.run(choose)
        new.set(base=base, target=to)
        for block in (replace, put_back, start):
            new.run_block(block)

    recover(to="")  # the end of the archive
    assert value(new, f"SELECT status FROM bookings WHERE reference = '{lost['reference']}'") == "booked"
    new.stop_busware()
    assert sorted((backups / "wal").iterdir()) == archived  # one can begin again
    recover(to=target)
    new.start_busware()
    assert "Clean: every rule holds.\n" in new.run_block(check)
    for block in [*blocks("Archive the write-ahead log"), *blocks("Make a base backup")[:2]]:
        new.run_block(block)

    wait_until(lambda: "places" in new.call("places"))
    for booking in (before_backup, after_backup):
        assert new.call("booking", reference=booking["reference"], phone=TRIP["phone"]) == booking
    unknown = new.call("booking", reference=lost["reference"], phone=TRIP["phone"])
    assert unknown["data"]["reason"] == "unknown_booking"
    assert book(new, 2, "after the backup") == after_backup  # the answer to the key is kept
    again = book(new, 3, "after the target")  # the key is unknown
    assert again["status"] == "booked"
    assert book(new, 3, "after the target") == again
    assert new.run("$busware audit") == "Clean: every rule holds.\n"
    archive_all(new)
    assert (backups / "wal" / "00000002.history").exists()
