"""`python -m server` and the scripts: started, used, stopped, killed, started again, and refused."""

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

from server.cluster import read_urls
from server.settings import PROJECT
from tests.conftest import Line
from tests.processes import Served, fail_to_start, postmaster, running_on, start, wait_for_end

HERE = Path(__file__).parent
BOOK = {"bus_id": 1, "origin": "Bengaluru", "destination": "Mysuru", "phone": "98450 12345"}


@contextmanager
def line_to(server: Served) -> Iterator[Line]:
    line = Line(server.host, server.port)
    try:
        yield line
    finally:
        line.close()


def load_timetable(folder: Path) -> str:
    """Load the tests' timetable into the embedded database. Answers a date on which its buses run."""
    urls = read_urls(folder)
    assert urls
    with psycopg.connect(urls.owner) as conn:
        conn.execute((HERE / "timetable.sql").read_bytes())
        (date,) = conn.execute("SELECT max(travel_date)::text FROM trips").fetchone() or ("",)
    return str(date)


def book(server: Served, folder: Path) -> dict[str, Any]:
    """A booking, to be found again."""
    with line_to(server) as line:
        booking = line.call("book", travel_date=load_timetable(folder), seats=[7], **BOOK)
    assert booking["status"] == "booked"
    return booking


def find(server: Served, booking: dict[str, Any]) -> Any:
    with line_to(server) as line:
        return line.call("booking", reference=booking["reference"], phone=BOOK["phone"])


# From start to stop ----------------------------------------------------------------------------


def test_from_nothing_to_a_booking_that_is_still_there_after_a_stop(data_folder: Path) -> None:
    with Served("0", "--data", str(data_folder)) as server:
        server.read_until("Ctrl-C stops it.")
        said = "".join(server.said)
        assert f"serves on 127.0.0.1:{server.port}, from an embedded PostgreSQL, in {data_folder}." in said
        assert f"scripts/client --port {server.port} search" in said
        assert f"BUSWARE_DATA={data_folder} scripts/psql\n" in said
        booking = book(server, data_folder)
        status, said = server.end(signal.SIGTERM)
        assert status == 0
        assert "Traceback" not in said
    assert running_on(data_folder) == []
    with Served("0", "--data", str(data_folder)) as server:
        assert find(server, booking) == booking


def test_ctrl_c_stops_all_of_it_in_order(data_folder: Path) -> None:
    with Served("0", "--data", str(data_folder)) as server:
        os.killpg(server.process.pid, signal.SIGINT)  # what a terminal does
        status, said = server.end()
        assert status == 0
        assert "Stopping:" in said
        assert "Traceback" not in said
    assert running_on(data_folder) == []
    log = (data_folder / "postgres.log").read_text()
    assert log.endswith("database system is shut down\n")


def test_a_stop_while_it_starts(data_folder: Path) -> None:
    with start("0", "--data", str(data_folder)) as process:
        assert process.stdout
        assert "Making a new database" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    assert running_on(data_folder) == []
    with Served("0", "--data", str(data_folder)):
        pass


def test_the_timetables_are_loaded(data_folder: Path) -> None:
    with Served("0", "--data", str(data_folder), BUSWARE_SEED="true") as server, line_to(server) as line:
        assert len(line.call("places")["places"]) > 50


@contextmanager
def write_under_way(server: Served, folder: Path) -> Iterator[tuple[Line, psycopg.Connection[Any]]]:
    """A booking that waits for its trip, which the connection holds."""
    date, urls = load_timetable(folder), read_urls(folder)
    assert urls
    with line_to(server) as line, closing(psycopg.connect(urls.owner)) as holder:
        holder.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = %s FOR UPDATE", [date])
        params = {"travel_date": date, "seats": [7], **BOOK}
        line.send({"jsonrpc": "2.0", "id": 1, "method": "book", "params": params})
        wait_until_received(line)
        yield line, holder


def test_an_answer_under_way_is_sent_before_the_stop(data_folder: Path) -> None:
    with Served("0", "--data", str(data_folder)) as server:
        with write_under_way(server, data_folder) as (line, holder):
            server.process.send_signal(signal.SIGTERM)
            server.read_until("Stopping:")
            holder.rollback()
            assert b'"booked"' in line.receive()
            assert line.receive() == b""
        assert server.end()[0] == 0
    assert running_on(data_folder) == []


def test_a_second_signal_does_not_wait(data_folder: Path) -> None:
    with Served("0", "--data", str(data_folder), BUSWARE_DRAIN_SECONDS="600") as server:
        with write_under_way(server, data_folder):
            left = running_on(data_folder)
            server.process.send_signal(signal.SIGTERM)
            server.read_until("Stopping:")
            status, _ = server.end(signal.SIGTERM)
        assert status == 128 + signal.SIGTERM
        wait_for_end(left)
    assert running_on(data_folder) == []


def wait_until_received(line: Line) -> None:
    """Wait until the server has read all that was sent, by asking the kernel of either side."""
    mine, theirs = line.socket.getsockname()[1], line.socket.getpeername()[1]
    while True:
        for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, _, queues, *_ = row.split()
            if (int(local.split(":")[1], 16), int(remote.split(":")[1], 16)) == (theirs, mine):
                if queues.split(":")[1] == "00000000":
                    return
                break


# Killed ----------------------------------------------------------------------------------------


def test_a_server_that_is_killed_leaves_nothing_running_and_loses_nothing(data_folder: Path) -> None:
    with Served("0", "--data", str(data_folder)) as server:
        booking = book(server, data_folder)
        left = running_on(data_folder)
        assert len(left) > 3
        server.end(signal.SIGKILL)
        wait_for_end(left)
    assert running_on(data_folder) == []
    with Served("0", "--data", str(data_folder)) as server:
        assert find(server, booking) == booking


def test_the_server_survives_a_postgresql_that_is_killed(data_folder: Path) -> None:
    with Served("0", "--data", str(data_folder)) as server:
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


# Refused ---------------------------------------------------------------------------------------


def test_started_twice_says_where_the_first_one_is(data_folder: Path) -> None:
    with Served("0", "--data", str(data_folder)) as server:
        status, said = fail_to_start(str(server.port), "--data", str(data_folder))
        assert status == 1
        assert (
            f"already running on {data_folder}: 127.0.0.1:{server.port}, process {server.process.pid}."
            in said
        )
        assert "Traceback" not in said
        with line_to(server) as line:
            assert line.call("ping")["server"] == "busware"


def test_a_port_that_somebody_has(data_folder: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        status, said = fail_to_start(str(port), "--data", str(data_folder))
    assert status == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use. Choose another port" in said
    assert "Traceback" not in said
    assert not (data_folder / "postgres").exists(), "it was found out late"
    assert running_on(data_folder) == []


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (["http"], {}, "BUSWARE_PORT takes a whole number from 0 to 65535; it is 'http'."),
        ([], {"BUSWARE_MAX_CLIENTS": "many"}, "BUSWARE_MAX_CLIENTS takes a whole number, 1 or more"),
        ([], {"BUSWARE_OWNER_URL": "postgresql://a@b/c"}, "is given without DATABASE_URL"),
        (["--colour"], {}, "unrecognized arguments: --colour"),
    ],
)
def test_a_bad_setting_ends_with_2(arguments: list[str], environment: dict[str, str], expected: str) -> None:
    status, said = fail_to_start(*arguments, **environment)
    assert status == 2
    assert expected in said
    assert "Traceback" not in said


def test_a_database_that_is_away() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as once:
        nobody = once.getsockname()[1]
    url = f"postgresql://me:secret@127.0.0.1:{nobody}/busware"
    status, said = fail_to_start("0", DATABASE_URL=url, BUSWARE_CONNECT_SECONDS="0.1")
    assert status == 1
    assert "The database cannot be reached" in said
    assert "secret" not in said
    assert "Traceback" not in said


# Any other PostgreSQL --------------------------------------------------------------------------


def test_database_url_serves_and_nothing_is_embedded(empty_database: Any) -> None:
    with Served("0", DATABASE_URL=empty_database.server, BUSWARE_OWNER_URL=empty_database.owner) as server:
        assert "from DATABASE_URL" in "".join(server.said)
        with line_to(server) as line:
            assert line.call("places") == {"places": []}
        users = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name LIKE 'busware%'"
        assert empty_database.query(users) == ["busware"]
        assert server.end(signal.SIGTERM)[0] == 0


def test_two_servers_start_at_once_on_an_empty_database(empty_database: Any) -> None:
    environment = {
        "DATABASE_URL": empty_database.server,
        "BUSWARE_OWNER_URL": empty_database.owner,
        "BUSWARE_SEED": "true",
    }
    servers: list[Served] = []
    threads = [threading.Thread(target=lambda: servers.append(Served("0", **environment))) for _ in range(2)]
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


def test_it_may_open_as_many_files_as_the_system_lets_it(empty_database: Any) -> None:
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, most))
    try:
        url = {"DATABASE_URL": empty_database.server, "BUSWARE_OWNER_URL": empty_database.owner}
        with Served("0", **url) as server:
            assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (most, most)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))


# The scripts -----------------------------------------------------------------------------------


def script(link: Path, name: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a script by way of a symlink, from a folder that is not the project's."""
    known = {k: v for k, v in os.environ.items() if not k.startswith("BUSWARE_") and k != "DATABASE_URL"}
    return subprocess.run(
        [link / name, *arguments],
        cwd=link.parent,
        env={**known, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def link(tmp_path: Path) -> Path:
    (tmp_path / "scripts").symlink_to(PROJECT / "scripts")
    (tmp_path / "server.py").write_text("raise SystemExit('the wrong module')")
    return tmp_path / "scripts"


def test_the_scripts_find_the_running_database(data_folder: Path, link: Path) -> None:
    environment = {"BUSWARE_DATA": str(data_folder)}
    with Served("0", "--data", str(data_folder)) as server:
        booking = book(server, data_folder)
        shown = script(link, "psql", "-At", "-c", "SELECT reference, status FROM bookings", **environment)
        assert shown.stdout == f"{booking['reference']}|booked\n", shown.stderr

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
        for told in ("1 added, 0 that were there", "0 added, 1 that were there"):
            loaded = script(link, "seed", "mine.sql", **environment)
            assert loaded.returncode == 0, loaded.stderr
            assert f"mine.sql is loaded: {told}" in loaded.stdout
        wrong = script(link, "seed", "wrong.sql", **environment)
        assert wrong.returncode != 0
        assert "wrong.sql:2: ERROR:  division by zero" in wrong.stderr
        name = script(link, "psql", "-At", "-c", "SELECT name FROM places WHERE code = 'XX'", **environment)
        assert name.stdout == "Mine\n"
        server.end(signal.SIGTERM)

    said = f"busware: No server runs on {data_folder}. Start one first: scripts/start\n"
    for name, status in (("psql", 1), ("audit", 2), ("seed", 1)):
        gone = script(link, name, *(["mine.sql"] if name == "seed" else []), **environment)
        assert (gone.returncode, gone.stdout, gone.stderr) == (status, "", said)


def test_the_scripts_say_what_they_want(data_folder: Path, link: Path) -> None:
    nothing = script(link, "psql", BUSWARE_DATA=str(data_folder))
    assert nothing.returncode == 1
    assert nothing.stderr == f"busware: No server runs on {data_folder}. Start one first: scripts/start\n"
    assert script(link, "seed").returncode == 2
    missing = script(link, "seed", "nothing.sql", BUSWARE_DATA=str(data_folder))
    assert "there is no file nothing.sql to read" in missing.stderr


SCRIPTS = {path.name for path in (PROJECT / "scripts").iterdir() if path.is_file()}


@pytest.mark.parametrize("name", sorted(SCRIPTS - {"bench"}))  # whose help is the benchmark's own
def test_every_script_says_what_it_is_for_and_does_nothing_else(name: str, link: Path) -> None:
    before = sorted(path.name for path in PROJECT.iterdir())
    told = script(link, name, "--help", BUSWARE_DATA=str(link.parent / "data"))
    assert (told.returncode, told.stderr) == (0, "")
    assert len(told.stdout.splitlines()) > 0
    assert sorted(path.name for path in PROJECT.iterdir()) == before
    assert not (link.parent / "data").exists()


def test_a_python_that_lacks_something_is_told_of_the_one_that_has_it() -> None:
    for run in ("-m server", "-m client", "-c 'import client'"):
        done = subprocess.run(
            f"{sys.executable} -S {run}", shell=True, cwd=PROJECT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert "Use scripts/python" in done.stderr


def test_scripts_start_serves_from_anywhere(data_folder: Path, link: Path) -> None:
    with subprocess.Popen(
        [link / "start", "0", "--data", data_folder.name],
        cwd=data_folder.parent,  # from where the folder is seen
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


def test_the_python_of_the_scripts_is_the_projects(link: Path) -> None:
    told = script(link, "python", "-c", "import sys, server; print(sys.prefix, server.__file__)")
    assert told.stdout == f"{PROJECT}/.venv {PROJECT}/server/__init__.py\n", told.stderr
    assert sys.version_info >= (3, 11)
