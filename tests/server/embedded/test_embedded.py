"""The embedded PostgreSQL: starts, stops, crashes, restarts, and errors at start."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import pq

from busware.server.embedded import process as embedded_process
from busware.server.embedded.data_folder import (
    DataFolder,
    PostgresError,
    find_programs,
    find_urls,
    read_urls,
)
from busware.server.embedded.process import EmbeddedPostgres
from busware.server.settings import Settings
from tests.support import processes
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.project import PROJECT

pytestmark = pytest.mark.system

# A process that starts an embedded PostgreSQL and waits to be killed.
SERVER = """
import signal, sys
from pathlib import Path
from busware.server.embedded.process import EmbeddedPostgres
EmbeddedPostgres(Path(sys.argv[1])).start()
print("ready", flush=True)
signal.pause()
"""


@contextmanager
def running(folder: Path) -> Iterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    try:
        yield postgres
    finally:
        postgres.stop()


@contextmanager
def killable_server(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", SERVER, str(folder)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def create_table(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.data_folder.urls.owner) as conn:
        conn.execute("CREATE TABLE numbers AS SELECT 42 AS x")


def read_table(url: str) -> int:
    with psycopg.connect(url) as conn:
        (x,) = conn.execute("SELECT x FROM numbers").fetchone() or (None,)
        return int(x)


def make_database(folder: Path) -> None:
    with running(folder) as postgres:
        create_table(postgres)


# Start and stop --------------------------------------------------------------------------------


def test_data_survives_a_restart_and_no_process_is_left(data_folder: Path) -> None:
    with running(data_folder) as first:
        create_table(first)
        assert processes.running_on(data_folder)
    assert processes.running_on(data_folder) == []
    with running(data_folder) as second:
        assert read_table(second.data_folder.urls.owner) == 42
        assert second.data_folder.urls == first.data_folder.urls


def test_folder_is_created_with_its_parents(data_folder: Path) -> None:
    folder = data_folder / "a" / "b"
    with running(folder):
        assert (folder / "postgres" / "PG_VERSION").exists()


def test_postgresql_does_not_run_as_root(data_folder: Path) -> None:
    with running(data_folder):
        owner = Path(f"/proc/{processes.postmaster(data_folder)}").stat().st_uid
        assert owner != 0
        assert (data_folder / "postgres").stat().st_uid == owner
        assert stat.S_IMODE((data_folder / "postgres").stat().st_mode) == 0o700


def test_postgresql_listens_on_loopback_only_and_requires_the_password(data_folder: Path) -> None:
    with running(data_folder) as postgres:
        url = urlsplit(postgres.data_folder.urls.owner)
        assert url.hostname == "127.0.0.1"
        with psycopg.connect(postgres.data_folder.urls.owner) as conn:
            addresses, sockets = conn.execute(
                "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')"
            ).fetchone() or ("", "")
            assert (addresses, sockets) == ("127.0.0.1", "")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(postgres.data_folder.urls.owner.replace(str(url.password), "guess"))


def test_other_users_cannot_read_the_passwords(data_folder: Path) -> None:
    with running(data_folder) as postgres:
        file = data_folder / "urls.env"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert read_urls(data_folder) == postgres.data_folder.urls
        assert find_urls(Settings(data=data_folder)) == postgres.data_folder.urls
        assert not (data_folder / "password").exists()
        passwords = {urlsplit(url).password for url in postgres.data_folder.urls}
        assert len(passwords) == 2
        command_lines = "".join(
            Path(f"/proc/{p}/cmdline").read_text() for p in processes.running_on(data_folder)
        )
        assert not any(str(password) in command_lines for password in passwords)


def open_to_others(folder: Path) -> list[str]:
    """What another user may enter, read or write, in a folder and below it."""
    return [str(path) for path in (folder, *folder.rglob("*")) if path.lstat().st_mode & 0o007]


def test_other_users_can_read_nothing_in_the_folder(data_folder: Path) -> None:
    folder = data_folder / "data"
    with running(folder):
        assert open_to_others(folder) == []
        is_group_of_postgres = (folder / "postgres").stat().st_gid == folder.stat().st_gid
        assert stat.S_IMODE(folder.stat().st_mode) == (0o710 if os.geteuid() == 0 else 0o700)
        assert is_group_of_postgres
        files = {path.name for path in folder.iterdir() if stat.S_IMODE(path.lstat().st_mode) == 0o600}
        assert files == {"lock", "postgres.log", "urls.env"}


def test_a_folder_of_an_earlier_version_is_closed_to_other_users(data_folder: Path) -> None:
    folder = data_folder / "data"
    make_database(folder)
    (folder / "postgres.log.1").touch()
    (folder / "backup").mkdir()
    (folder / "elsewhere").symlink_to(data_folder)
    before = data_folder.stat().st_mode
    folder.chmod(0o711)
    modes = {"lock": 0o644, "postgres.log": 0o644, "postgres.log.1": 0o666, "backup": 0o755}
    for name, mode in modes.items():
        (folder / name).chmod(mode)
    with running(folder) as postgres:
        (folder / "elsewhere").unlink()
        assert open_to_others(folder) == []
        assert read_table(postgres.data_folder.urls.owner) == 42
    assert data_folder.stat().st_mode == before


def test_the_log_has_no_values_of_parameters_and_rows(data_folder: Path) -> None:
    hashed, phone, reference = "$argon2id$v=19$m=65536$c2FsdA$aGFzaA", "+919845012345", "DT7VKKK"
    with running(data_folder) as postgres:
        with psycopg.connect(postgres.data_folder.urls.owner, autocommit=True) as conn:
            conn.execute("SET log_min_duration_statement = 0")
            conn.execute("CREATE TABLE secrets (hash text CHECK (hash = ''), phone text PRIMARY KEY, n int)")
            conn.execute("SELECT %s::text, %s::text, %s::text", [hashed, phone, reference])
            conn.execute("INSERT INTO secrets VALUES ('', %s)", [phone])
            for values in (("", phone, 1), (hashed, "other", 1)):
                with pytest.raises(psycopg.errors.IntegrityError):
                    conn.execute("INSERT INTO secrets VALUES (%s, %s, %s)", values)
            with pytest.raises(psycopg.errors.DivisionByZero):
                conn.execute("SELECT %s::text, 1 / (length(%s::text) - 7)", [phone, reference])
            with pytest.raises(psycopg.errors.DuplicateObject):
                conn.execute("CREATE ROLE busware_owner PASSWORD 'SCRAM-SHA-256$4096:salt$stored:server'")
        log = postgres.data_folder.log.read_text()
    assert "duration: " in log
    assert "division by zero" in log
    assert not [secret for secret in (hashed, phone, reference, "SCRAM-SHA-256") if secret in log]


def test_a_folder_of_something_else_is_refused(data_folder: Path) -> None:
    (data_folder / "photos").mkdir()
    data_folder.chmod(0o755)
    assert f"{data_folder} is not a data folder of Busware: it contains photos." in start_error(data_folder)
    assert stat.S_IMODE(data_folder.stat().st_mode) == 0o755


def test_unfinished_initdb_is_done_again(data_folder: Path) -> None:
    (data_folder / "postgres.new").mkdir()
    (data_folder / "postgres.new" / "PG_VERSION").write_text("18\n")
    make_database(data_folder)
    assert not (data_folder / "postgres.new").exists()


def test_port_in_use_is_replaced_by_another_one_that_is_kept(data_folder: Path) -> None:
    with running(data_folder) as first:
        old = urlsplit(first.data_folder.urls.owner).port
        create_table(first)
    with closing(socket.create_server(("127.0.0.1", old or 0))), running(data_folder) as second:
        assert urlsplit(second.data_folder.urls.owner).port != old
        assert read_table(second.data_folder.urls.owner) == 42
        assert read_urls(data_folder) == second.data_folder.urls
    with running(data_folder) as third:
        assert third.data_folder.urls == second.data_folder.urls


def test_folder_runs_with_the_version_that_made_it(data_folder: Path) -> None:
    programs = list(find_programs())[-1]  # Debian's, where there is one
    older = EmbeddedPostgres(data_folder, programs=programs)
    older.start()
    create_table(older)
    older.stop()
    with running(data_folder) as restarted:
        assert restarted.data_folder.programs == programs
        assert read_table(restarted.data_folder.urls.owner) == 42


# Crashes ---------------------------------------------------------------------------------------


def test_postgresql_stops_when_the_server_is_killed(data_folder: Path) -> None:
    make_database(data_folder)
    with killable_server(data_folder) as process:
        pids = processes.running_on(data_folder)
        assert processes.postmaster(data_folder) in pids
        process.kill()
        processes.wait_for_end(pids)
    assert processes.running_on(data_folder) == []
    assert not (data_folder / "postgres" / "postmaster.pid").exists()  # a clean stop removes it
    with running(data_folder) as again:
        assert read_table(again.data_folder.urls.owner) == 42


def test_frozen_postgresql_is_killed_at_the_stop(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_process, "STOP_SECONDS", 0.1)
    monkeypatch.setattr(embedded_process, "IMMEDIATE_STOP_SECONDS", 0.1)
    with running(data_folder) as postgres:
        create_table(postgres)
        for pid in processes.running_on(data_folder):  # the shell and the postmaster
            os.kill(pid, signal.SIGSTOP)
    assert processes.running_on(data_folder) == []
    with running(data_folder) as restarted:
        assert read_table(restarted.data_folder.urls.owner) == 42


def test_a_stop_unlocks_the_folder_even_if_postgresql_keeps_running(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embedded_process, "STOP_SECONDS", 0.1)
    monkeypatch.setattr(embedded_process, "IMMEDIATE_STOP_SECONDS", 0.1)
    monkeypatch.setattr(embedded_process, "KILL_SECONDS", -1)  # the wait for their end fails at once
    with running(data_folder) as postgres:
        create_table(postgres)
        for pid in processes.running_on(data_folder):
            os.kill(pid, signal.SIGSTOP)
    assert "PostgreSQL could not be stopped" in caplog.text
    monkeypatch.undo()
    with running(data_folder) as restarted:
        assert read_table(restarted.data_folder.urls.owner) == 42


def test_new_server_starts_while_postgresql_of_a_killed_one_stops(data_folder: Path) -> None:
    make_database(data_folder)
    with killable_server(data_folder) as process:
        process.kill()
        process.wait()
        with running(data_folder) as again:
            assert read_table(again.data_folder.urls.owner) == 42
    assert processes.running_on(data_folder) == []


def test_killed_postgresql_is_started_again(data_folder: Path) -> None:
    with running(data_folder) as postgres:
        create_table(postgres)
        first = processes.postmaster(data_folder)
        with psycopg.connect(postgres.data_folder.urls.owner) as idle:
            os.kill(first, signal.SIGKILL)
            with pytest.raises(psycopg.OperationalError):
                while True:
                    idle.execute("SELECT 1")
        assert read_after_restart(postgres.data_folder.urls.owner) == 42
        assert processes.postmaster(data_folder) != first
    assert processes.running_on(data_folder) == []


def read_after_restart(url: str) -> int:
    for _ in range(100_000):
        with suppress(psycopg.OperationalError):
            return read_table(url)
    raise AssertionError("PostgreSQL was not started again")


def test_start_after_server_and_postgresql_were_killed(data_folder: Path) -> None:
    make_database(data_folder)
    with killable_server(data_folder) as process:
        pids, postmaster = processes.running_on(data_folder), processes.postmaster(data_folder)
        process.kill()
        with suppress(ProcessLookupError):
            os.kill(postmaster, signal.SIGKILL)
        processes.wait_for_end(pids)
    with running(data_folder) as again:
        assert read_table(again.data_folder.urls.owner) == 42


def test_orphaned_postgresql_is_found_and_stopped(data_folder: Path) -> None:
    make_database(data_folder)
    with killable_server(data_folder) as process:
        orphan = processes.postmaster(data_folder)
        others = [pid for pid in processes.running_on(data_folder) if pid != orphan]
        # stopped first, so that the shell cannot stop PostgreSQL when the server ends
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in others:
                with suppress(ProcessLookupError):  # it has just ended
                    os.kill(pid, number)
        processes.wait_for_end(others)
        assert process.wait()
    assert orphan in processes.running_on(data_folder)
    with running(data_folder) as again:
        assert read_table(again.data_folder.urls.owner) == 42
        assert processes.postmaster(data_folder) != orphan
    assert processes.running_on(data_folder) == []


def test_unusable_postmaster_pid_does_not_prevent_a_start(data_folder: Path) -> None:
    make_database(data_folder)
    file = data_folder / "postgres" / "postmaster.pid"
    of_another_program = f"{os.getpid()}\n{data_folder}/postgres\n1\n1\n\n127.0.0.1\n0 0\nready   \n"
    for content in (b"", b"\0" * 100, b"no number\n", b"\xff\n", of_another_program.encode()):
        file.write_bytes(content)
        os.chown(file, (data_folder / "postgres").stat().st_uid, -1)
        with running(data_folder) as again:
            assert read_table(again.data_folder.urls.owner) == 42


def test_orphaned_postgresql_is_found_without_its_postmaster_pid(data_folder: Path) -> None:
    make_database(data_folder)
    folder = DataFolder(data_folder)
    urls = folder.open()
    directory = folder.data_directory
    command = [f"{folder.programs}/postgres", "-D", ".", "-k", "", "-p", str(urlsplit(urls.owner).port)]
    with subprocess.Popen(command, **{**folder.popen, "cwd": directory}, stderr=subprocess.PIPE) as orphan:
        assert orphan.stderr
        assert any(b"ready to accept connections" in line for line in orphan.stderr)
        (directory / "postmaster.pid").write_text("")
        folder.close()
        with running(data_folder) as again:
            assert orphan.wait() is not None
            assert read_table(again.data_folder.urls.owner) == 42


# Errors at start -------------------------------------------------------------------------------


def start_error(folder: Path) -> str:
    with pytest.raises(PostgresError) as refused:
        EmbeddedPostgres(folder).start()
    assert not [pid for pid in processes.running_on(folder) if pid != os.getpid()]
    return str(refused.value)


def test_second_start_on_a_folder_is_refused(data_folder: Path) -> None:
    with running(data_folder) as first:
        first.data_folder.announce("127.0.0.1:9999")
        with pytest.raises(PostgresError) as refused:
            EmbeddedPostgres(data_folder).start()
        assert f"already running on {data_folder}: 127.0.0.1:9999, process {os.getpid()}." in str(
            refused.value
        )
        assert "BUSWARE_PORT=" in str(refused.value)
        with psycopg.connect(first.data_folder.urls.owner) as conn:  # it still runs
            conn.execute("SELECT 1")


def test_folder_of_a_missing_version_is_refused(data_folder: Path) -> None:
    make_database(data_folder)
    (data_folder / "postgres" / "PG_VERSION").write_text("9\n")
    message = start_error(data_folder)
    assert "made by PostgreSQL 9, and this machine has PostgreSQL " in message
    assert "apt install postgresql-9" in message
    assert "pg_upgrade" in message


def test_folder_without_its_passwords_is_refused(data_folder: Path) -> None:
    make_database(data_folder)
    file = data_folder / "urls.env"
    complete = file.read_text().rstrip()
    for kept in (0, len(complete) // 2, len(complete) - 20, len(complete) - 1):
        file.write_text(complete[:kept])
        assert f"{file} is missing or damaged" in start_error(data_folder)
        assert file.read_text() == complete[:kept]
    file.unlink()
    assert f"{file} is missing or damaged" in start_error(data_folder)
    file.write_text(complete)
    with running(data_folder) as again:
        assert read_table(again.data_folder.urls.owner) == 42


def test_other_files_that_busware_writes_may_be_empty(data_folder: Path) -> None:
    make_database(data_folder)
    for name in ("lock", "postgres.log", "postgres/postgresql.conf"):
        (data_folder / name).write_text("")
    for name in ("urls.env.new", "password"):  # left by an unfinished start
        (data_folder / name).touch()
    with running(data_folder) as again:
        assert read_table(again.data_folder.urls.owner) == 42


def test_start_waits_for_a_long_recovery(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_database(data_folder)
    directory, end = data_folder / "postgres", data_folder / "end"
    (directory / "recovery.signal").touch()
    shutil.chown(directory / "recovery.signal", directory.stat().st_uid)
    with (directory / "postgresql.conf").open("a") as conf:  # finds no file, and ends when `end` exists
        conf.write(f"restore_command = 'for n in $(seq 600); do test -e {end} && exit 1; sleep 0.1; done'\n")
    monkeypatch.setattr(embedded_process, "START_SECONDS", 10)
    postgres = EmbeddedPostgres(data_folder)
    with ThreadPoolExecutor(1) as thread, ExitStack() as stack:
        stack.callback(postgres.stop)
        started = thread.submit(postgres.start)
        urls = read_urls(data_folder)
        assert urls
        wait_until(lambda: pq.PGconn.ping(urls.owner.encode()) == pq.Ping.REJECT)
        answered_at = time.monotonic()
        wait_until(lambda: time.monotonic() > answered_at + 12)  # longer than START_SECONDS
        end.touch()
        assert read_table(started.result(WAIT_SECONDS).owner) == 42


def test_error_quotes_the_log_of_postgresql(data_folder: Path) -> None:
    make_database(data_folder)
    with (data_folder / "postgres" / "postgresql.conf").open("a") as conf:
        conf.write("shared_buffers = 'a lot'\n")
    message = start_error(data_folder)
    assert "PostgreSQL does not start" in message
    assert 'invalid value for parameter "shared_buffers"' in message


def test_urls_of_an_empty_folder_is_refused(data_folder: Path) -> None:
    with pytest.raises(PostgresError, match="No server runs on"):
        find_urls(Settings(data=data_folder))


if os.geteuid() == 0:

    def test_folder_closed_to_postgresql_is_refused(data_folder: Path) -> None:
        (data_folder / "closed").mkdir(mode=0o700)
        message = start_error(data_folder / "closed" / "data")
        assert f"not enter {data_folder}/closed on the way" in message
        assert f"chmod o+x {data_folder}/closed" in message

    @contextmanager
    def acting_as(user: int) -> Iterator[None]:
        groups = os.getgroups()
        os.setgroups([])
        os.setegid(user)
        os.seteuid(user)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(groups)

    def test_a_folder_whose_rights_cannot_be_changed_is_used(
        data_folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        folder = data_folder / "data"
        with running(folder) as postgres:
            user = (folder / "postgres").stat().st_uid
        for path in (folder / "urls.env", folder / "lock", folder / "postgres.log"):
            os.chown(path, user, user)
        (folder / "backup").touch(mode=0o644)
        (folder / "closed backup").touch(mode=0o600)
        os.chown(folder, 0, user)
        folder.chmod(0o2775)
        caplog.clear()
        opened = DataFolder(folder)
        with acting_as(user), closing(opened):
            assert opened.open() == postgres.data_folder.urls
        warnings = [record.args for record in caplog.records]
        problem = "Operation not permitted"
        assert warnings == [(str(folder / "backup"), problem), (str(folder), problem)]

    def test_a_new_folder_whose_rights_cannot_be_changed_is_refused(data_folder: Path) -> None:
        data_folder.chmod(0o777)
        folder = DataFolder(data_folder)
        with acting_as(65534), closing(folder), pytest.raises(PostgresError, match="cannot be changed: Op"):
            folder.open()

else:

    def test_folder_of_another_user_is_refused(data_folder: Path) -> None:
        (data_folder / "postgres").symlink_to("/etc")
        (data_folder / "urls.env").write_text("")
        assert "belongs to another user, number 0" in start_error(data_folder)
