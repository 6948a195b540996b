"""`python -m server`: starts, stops, crashes, restarts, and errors at start."""

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import pq

from busware.server.embedded.data_folder import read_urls
from busware.server.settings import Settings
from busware.server.start import way_into_container
from tests.conftest import LineClient
from tests.support.processes import (
    WAIT_SECONDS,
    ServerProcess,
    fail_to_start,
    postmaster,
    running_on,
    start,
    wait_for_end,
)
from tests.support.project import TIMETABLE

pytestmark = pytest.mark.system

BOOK = {"bus_id": 1, "origin": "Bengaluru", "destination": "Mysuru", "phone": "98450 12345"}


@contextmanager
def line_to(server: ServerProcess) -> Iterator[LineClient]:
    line = LineClient(server.host, server.port)
    try:
        yield line
    finally:
        line.close()


def load_timetable(folder: Path) -> str:
    """Load the tests' timetable into the embedded database. Returns a travel date of its trips."""
    urls = read_urls(folder)
    assert urls
    with psycopg.connect(urls.owner) as conn:
        conn.execute(TIMETABLE.read_bytes())
        (date,) = conn.execute("SELECT max(travel_date)::text FROM trips").fetchone() or ("",)
    return str(date)


def book(server: ServerProcess, folder: Path) -> dict[str, Any]:
    with line_to(server) as line:
        booking = line.call("book", travel_date=load_timetable(folder), seats=[7], **BOOK)
    assert booking["status"] == "booked"
    return booking


def find(server: ServerProcess, booking: dict[str, Any]) -> Any:
    with line_to(server) as line:
        return line.call("booking", reference=booking["reference"], phone=BOOK["phone"])


# From start to stop ----------------------------------------------------------------------------


def test_booking_made_on_a_new_database_survives_a_restart(data_folder: Path) -> None:
    with ServerProcess("0", "--data", str(data_folder)) as server:
        server.read_until("Ctrl-C stops it.")
        output = "".join(server.output)
        assert f"serves on 127.0.0.1:{server.port}, from an embedded PostgreSQL in {data_folder}." in output
        assert f"scripts/client --port {server.port} search" in output
        assert f"BUSWARE_DATA={data_folder} scripts/psql\n" in output
        hints = [line.rstrip() for line in server.output if line.startswith("  ")]
        assert [hint for hint in hints if len(hint) > 80 and str(data_folder) not in hint] == []
        in_container = Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()
        assert ("127.0.0.1 can be reached from inside only." in output) == in_container
        booking = book(server, data_folder)
        status, output = server.end(signal.SIGTERM)
        assert status == 0
        assert "Traceback" not in output
    assert running_on(data_folder) == []
    with ServerProcess("0", "--data", str(data_folder)) as server:
        assert find(server, booking) == booking


def test_start_does_not_load_what_it_may_not_need() -> None:
    """prompt_toolkit is for the console on a terminal, icalendar for mails."""
    code = "import sys, busware.server.start; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True).stdout
    assert not {"prompt_toolkit", "icalendar"} & set(loaded.split())


def test_server_in_a_container_says_how_to_reach_it() -> None:
    published = way_into_container(Settings(host="0.0.0.0", ports=(("chat", 8080),)))
    inside = way_into_container(Settings(host="::1"))
    assert all(len(line) <= 80 for line in (published + inside).splitlines())
    assert "docker run -p 9999:9999 -p 8000:8000 -p 8080:8080" in published
    assert "docker compose exec server scripts/client" in published
    assert "start with --host 0.0.0.0" in inside


def test_ctrl_c_stops_server_and_postgresql_in_order(data_folder: Path) -> None:
    with ServerProcess("0", "--data", str(data_folder)) as server:
        os.killpg(server.process.pid, signal.SIGINT)  # as a terminal does
        status, output = server.end()
        assert status == 0
        assert "Stopping:" in output
        assert "Traceback" not in output
    assert running_on(data_folder) == []
    log = (data_folder / "postgres.log").read_text()
    assert log.endswith("database system is shut down\n")


# The main thread blocks SIGTERM. So the kernel delivers it to another thread, and no system call of the main
# thread is interrupted. A signal that arrives just before a system call does not interrupt it either.
SIGNAL_TO_OTHER_THREAD = """
import signal, sys, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
from busware.server.__main__ import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(("argument", "ready"), [("0", "Ctrl-C stops it."), ("worker", "ready")])
def test_signal_that_interrupts_no_system_call_stops_the_server(
    urls: dict[str, str], argument: str, ready: str
) -> None:
    with start(
        argument, program=("-c", SIGNAL_TO_OTHER_THREAD), stdin=subprocess.PIPE, BUSWARE_PORT="0", **urls
    ) as server:
        assert server.stdout
        assert any(ready in line for line in server.stdout)
        server.send_signal(signal.SIGTERM)
        try:
            assert server.wait(WAIT_SECONDS) == 0
        finally:
            server.kill()


def test_signal_during_the_start_stops_the_server(data_folder: Path) -> None:
    with start("0", "--data", str(data_folder)) as process:
        assert process.stdout
        assert "Making a new database" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    assert running_on(data_folder) == []
    with ServerProcess("0", "--data", str(data_folder)):
        pass


def test_timetables_are_loaded_at_start(data_folder: Path) -> None:
    with (
        ServerProcess("0", "--data", str(data_folder), BUSWARE_SEED="true") as server,
        line_to(server) as line,
    ):
        assert len(line.call("places")["places"]) > 50


@contextmanager
def write_under_way(
    server: ServerProcess, folder: Path
) -> Iterator[tuple[LineClient, psycopg.Connection[Any]]]:
    """A client whose booking waits for its trip, and the connection that has locked the trip."""
    date, urls = load_timetable(folder), read_urls(folder)
    assert urls
    with line_to(server) as line, closing(psycopg.connect(urls.owner)) as locking:
        locking.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = %s FOR UPDATE", [date])
        params = {"travel_date": date, "seats": [7], **BOOK}
        line.send({"jsonrpc": "2.0", "id": 1, "method": "book", "params": params})
        wait_until_received(line)
        yield line, locking


def test_request_under_way_is_answered_before_the_stop(data_folder: Path) -> None:
    with ServerProcess("0", "--data", str(data_folder)) as server:
        with write_under_way(server, data_folder) as (line, locking):
            server.process.send_signal(signal.SIGTERM)
            server.read_until("Stopping:")
            locking.rollback()
            assert b'"booked"' in line.receive()
            assert line.receive() == b""
        assert server.end()[0] == 0
    assert running_on(data_folder) == []


def test_second_signal_stops_at_once(data_folder: Path) -> None:
    with ServerProcess("0", "--data", str(data_folder), BUSWARE_DRAIN_SECONDS="600") as server:
        with write_under_way(server, data_folder):
            pids = running_on(data_folder)
            server.process.send_signal(signal.SIGTERM)
            server.read_until("Stopping:")
            status, _ = server.end(signal.SIGTERM)
        assert status == 128 + signal.SIGTERM
        wait_for_end(pids)
    assert running_on(data_folder) == []


def wait_until_received(line: LineClient) -> None:
    """Wait until the server has read all that was sent: its receive queue in the kernel is empty."""
    mine, theirs = line.socket.getsockname()[1], line.socket.getpeername()[1]
    while True:
        for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, _, queues, *_ = row.split()
            if (int(local.split(":")[1], 16), int(remote.split(":")[1], 16)) == (theirs, mine):
                if queues.split(":")[1] == "00000000":
                    return
                break


# Crashes ---------------------------------------------------------------------------------------


def test_killed_server_leaves_no_process_and_loses_no_booking(data_folder: Path) -> None:
    with ServerProcess("0", "--data", str(data_folder)) as server:
        booking = book(server, data_folder)
        pids = running_on(data_folder)
        assert len(pids) > 3
        server.end(signal.SIGKILL)
        wait_for_end(pids)
    assert running_on(data_folder) == []
    with ServerProcess("0", "--data", str(data_folder)) as server:
        assert find(server, booking) == booking


def test_server_survives_killed_postgresql(data_folder: Path) -> None:
    with ServerProcess("0", "--data", str(data_folder)) as server:
        booking = book(server, data_folder)
        os.kill(postmaster(data_folder), signal.SIGKILL)
        answer = find(server, booking)
        while answer != booking:
            assert answer["data"]["reason"] in ("busy", "draining"), answer
            answer = find(server, booking)
        with line_to(server) as line:
            answer = line.call("cancel", reference=booking["reference"], phone=BOOK["phone"])
            assert answer["status"] == "cancelled"
        assert server.end(signal.SIGTERM)[0] == 0
    assert running_on(data_folder) == []


# Errors at start -------------------------------------------------------------------------------


def test_second_server_on_a_folder_reports_the_first_one(data_folder: Path) -> None:
    with ServerProcess("0", "--data", str(data_folder)) as server:
        status, output = fail_to_start(str(server.port), "--data", str(data_folder))
        assert status == 1
        assert (
            f"already running on {data_folder}: 127.0.0.1:{server.port}, process {server.process.pid}."
            in output
        )
        assert "Traceback" not in output
        with line_to(server) as line:
            assert line.call("ping")["server"] == "busware"


def test_port_in_use_is_refused_before_anything_is_created(data_folder: Path) -> None:
    new_folder = data_folder / "data"
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        status, output = fail_to_start(str(port), "--data", str(new_folder))
    assert status == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use. Choose another port" in output
    assert "Traceback" not in output
    assert not new_folder.exists()


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (["helth"], {}, 'there is no command "helth", and it is not a port (0 to 65535)'),
        (["9x"], {}, "BUSWARE_PORT takes a whole number from 0 to 65535; it is '9x'."),
        (
            [],
            {"BUSWARE_MAX_CLIENTS": "many"},
            "BUSWARE_MAX_CLIENTS takes a whole number from 1 to 2147483647",
        ),
        ([], {"BUSWARE_OWNER_URL": "postgresql://a@b/c"}, "is set without DATABASE_URL"),
        (["--colour"], {}, "unrecognized arguments: --colour"),
    ],
)
def test_wrong_setting_exits_with_2(arguments: list[str], environment: dict[str, str], expected: str) -> None:
    status, output = fail_to_start(*arguments, **environment)
    assert status == 2
    assert expected in output
    assert "Traceback" not in output


def test_unreachable_database_exits_with_1() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    url = f"postgresql://me:secret@127.0.0.1:{port}/busware"
    status, output = fail_to_start("0", DATABASE_URL=url, BUSWARE_CONNECT_SECONDS="0.1")
    assert status == 1
    assert "The database cannot be reached" in output
    assert "secret" not in output
    assert "Traceback" not in output


# The environment -------------------------------------------------------------------------------

LIBPQ_VARIABLES = {option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar} | {
    "PGDATA", "PGDATESTYLE", "PGGEQO", "PGLOCALEDIR", "PGSERVICEFILE", "PGSYSCONFDIR", "PGTZ",
}  # fmt: skip
UNUSABLE_ENVIRONMENT = dict.fromkeys(LIBPQ_VARIABLES, "unusable") | {
    "PGSSLMODE": "require", "PGHOSTADDR": "192.0.2.1", "PGTARGETSESSIONATTRS": "standby",
    "LC_ALL": "xx_YY.UTF-8", "TZ": "Nowhere/Nothing",
}  # fmt: skip


def test_embedded_database_ignores_the_environment_of_libpq(data_folder: Path) -> None:
    environment = {"BUSWARE_DATA": str(data_folder), "BUSWARE_PORT": "0", **UNUSABLE_ENVIRONMENT}
    with ServerProcess(BUSWARE_PROCESSES="2", **environment) as server:
        for arguments, expected in (
            (("seed", str(TIMETABLE)), "2 added"),
            (("psql", "-At", "-c", "SELECT count(*) FROM bus_info"), "2\n"),
            (("operator", "add", "anna"), 'The account "anna" was created.'),
            (("audit",), "Clean: every rule holds."),
        ):
            with start(*arguments, stdin=subprocess.PIPE, **environment) as command:
                output, _ = command.communicate("long enough\n", timeout=WAIT_SECONDS)
                assert (command.returncode, expected in output) == (0, True), output
        with line_to(server) as line:
            assert line.call("places")["places"] != []
        status, output = server.end(signal.SIGTERM)
        assert (status, "Traceback" in output) == (0, False), output


def test_environment_of_libpq_applies_to_a_database_url(empty_database: Any) -> None:
    url = {"DATABASE_URL": empty_database.server, "BUSWARE_OWNER_URL": empty_database.owner}
    status, output = fail_to_start("0", **url, PGSSLMODE="require", BUSWARE_CONNECT_SECONDS="0.1")
    assert status == 1
    assert "server does not support SSL" in output


# Another PostgreSQL ----------------------------------------------------------------------------


def test_database_url_replaces_the_embedded_postgresql(empty_database: Any) -> None:
    with ServerProcess(
        "0", DATABASE_URL=empty_database.server, BUSWARE_OWNER_URL=empty_database.owner
    ) as server:
        assert "from DATABASE_URL" in "".join(server.output)
        with line_to(server) as line:
            assert line.call("places")["places"] == []
        users = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name LIKE 'busware%'"
        assert empty_database.query(users) == ["busware"]
        assert server.end(signal.SIGTERM)[0] == 0


def test_two_servers_start_together_on_an_empty_database(empty_database: Any) -> None:
    environment = {
        "DATABASE_URL": empty_database.server,
        "BUSWARE_OWNER_URL": empty_database.owner,
        "BUSWARE_SEED": "true",
    }
    servers: list[ServerProcess] = []
    threads = [
        threading.Thread(target=lambda: servers.append(ServerProcess("0", **environment))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert len(servers) == 2
        for server in servers:
            with line_to(server) as line:
                assert len(line.call("places")["places"]) > 50
        assert empty_database.query("SELECT * FROM api.audit()") == []
    finally:
        assert [server.end(signal.SIGTERM)[0] for server in servers] == [0, 0]


def test_open_files_limit_is_raised_to_the_hard_limit(empty_database: Any) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        url = {"DATABASE_URL": empty_database.server, "BUSWARE_OWNER_URL": empty_database.owner}
        with ServerProcess("0", **url) as server:
            assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
