"""The process of the embedded PostgreSQL, which runs as long as the server.

PostgreSQL is the child of a shell that reads a pipe, of which only the server has the write end. When the
server ends, in any way, the pipe closes and the shell stops PostgreSQL. When PostgreSQL ends by itself, a
thread starts it again on the same port. It listens on loopback only, and every connection needs a password.
"""

import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from busware.server.embedded.data_folder import DataFolder, PostgresError, Urls, open_private

log = logging.getLogger("busware.postgres")

START_SECONDS = 120  # how long PostgreSQL may take to answer a client, also with "I am starting up"
RECOVERY_LOG_SECONDS = 10  # a recovery that takes longer is logged
MIN_PING_SECONDS = 0.02  # the first pause between two pings; each pause is longer than the one before,
MAX_PING_SECONDS = 1.0  # up to this one, because PostgreSQL logs each ping that it rejects
STOP_SECONDS = 30  # how long a fast shutdown may take; then an immediate one, with recovery at the next start
IMMEDIATE_STOP_SECONDS = 10  # how long an immediate shutdown may take; then the processes are killed
KILL_SECONDS = 10  # how long killed processes may take to end
CONNECT_SECONDS = 5  # how long an attempt to connect may take
RETRY_SECONDS = 2  # the pause after PostgreSQL could not be started again
SEGMENT_BYTES = 16 * 2**20  # of the write-ahead log; PostgreSQL ends if it cannot write one
MAX_LOG_BYTES = 16 * 2**20  # a longer postgres.log is renamed to postgres.log.1 at start

# The log has no values of parameters and rows, such as password hashes, phones and references. Arguments of
# PostgreSQL override postgresql.conf, so this holds for the folders of earlier versions too.
_LOG_OPTIONS = (
    "--log_parameter_max_length=0",  # of a slow statement
    "--log_parameter_max_length_on_error=0",
    "--log_error_verbosity=terse",  # no DETAIL: it quotes the row that breaks a constraint
    "--log_min_error_statement=panic",  # no text of a failed statement: one that is typed has values in it
    "--log_file_mode=0600",  # of log files that an operator configures in postgresql.conf
)

# "$@" is the command line of PostgreSQL. A shell connects the input of a background command to /dev/null, so
# the pipe is passed to `read` as file descriptor 3.
_SUPERVISE = """
exec 3<&0
"$@" 3<&- & postgres=$!
{ read -r _; kill -INT $postgres; } <&3 & reader=$!
exec 3<&-
wait $postgres; status=$?
kill $reader 2>/dev/null; wait $reader 2>/dev/null
exit $status
"""

# Prints the ids of the processes of PostgreSQL whose working directory is "$1". The user of PostgreSQL runs
# it: other users may not read the working directory of its processes; in a container, root may not either.
_FIND_PROCESSES = """
for folder in /proc/[0-9]*; do
    read -r name <$folder/comm && [ "$name" = postgres ] && [ $folder/cwd -ef "$1" ] && echo ${folder#/proc/}
done 2>/dev/null
exit 0
"""


class EmbeddedPostgres:
    """The PostgreSQL of a data folder, running from `start()` to `stop()`.

    options: settings of PostgreSQL.
    programs: the folder of PostgreSQL's programs; None: the DataFolder chooses one.
    """

    def __init__(
        self,
        data: Path,
        *,
        options: Mapping[str, str] | None = None,
        programs: Path | None = None,
    ) -> None:
        self.data_folder = DataFolder(data, programs)
        self._options = options or {}
        self._stopping = threading.Event()
        self._start_stop_lock = threading.Lock()  # held while PostgreSQL is started or stopped
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Urls:
        """Start PostgreSQL; returns when it accepts connections. Makes the data directory if there is none.

        Raises PostgresError; then it leaves no process running.
        """
        try:
            urls = self.data_folder.open()
            process = self._launch()
        except BaseException:
            self.stop()
            raise
        self._thread = threading.Thread(
            target=self._keep_running, args=(process,), name="postgres", daemon=True
        )
        self._thread.start()
        return urls

    def stop(self) -> None:
        """Stop PostgreSQL and unlock the folder. May be called again."""
        self._stopping.set()
        with self._start_stop_lock:
            self._end()
        if self._thread:
            self._thread.join()
        self.data_folder.close()

    def _launch(self) -> "subprocess.Popen[bytes]":
        """Start PostgreSQL, and return when it accepts connections. Raises PostgresError."""
        end_orphans(self.data_folder)
        process = self._process = self._spawn()
        if not self._wait_until_ready(process):
            self._end()
            folder = self.data_folder.data_directory
            last_lines = self.data_folder.log.read_text(errors="replace").splitlines()[-5:]
            free = shutil.disk_usage(folder).free
            is_full = f" The disk of {folder} is full: free some space on it." if free < SEGMENT_BYTES else ""
            lines = "\n".join(last_lines)
            raise PostgresError(f"PostgreSQL does not start.{is_full} Its log ends with:\n{lines}")
        return process

    def _spawn(self) -> "subprocess.Popen[bytes]":
        folder = self.data_folder
        if folder.log.exists() and folder.log.stat().st_size > MAX_LOG_BYTES:
            folder.log.replace(folder.log.with_suffix(".log.1"))
        command = [
            f"{folder.programs}/postgres", "-D", str(folder.data_directory), "--listen_addresses=127.0.0.1",
            f"--port={urlsplit(folder.urls.owner).port}", "--unix_socket_directories=", *_LOG_OPTIONS,
            "--hot_standby=off",  # during a recovery, connections are rejected instead of being read-only
            *(f"--{name}={value}" for name, value in self._options.items()),
        ]  # fmt: skip
        with open_private(folder.log, "a") as output:
            return subprocess.Popen(
                ["/bin/sh", "-c", _SUPERVISE, "busware-postgres", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C in the terminal reaches only the server, which drains first
                **folder.popen,
            )

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> bool:
        """Wait until PostgreSQL accepts connections, and create the database busware if there is none.

        While PostgreSQL recovers, from a crash or from an archive, this waits for as long as that takes.
        Returns False if PostgreSQL ends, if it does not answer for START_SECONDS, or if stop() was called.
        """
        url = self.data_folder.urls.owner.removesuffix("/busware") + "/postgres"
        url = make_conninfo(url, connect_timeout=CONNECT_SECONDS)
        started_at = answered_at = time.monotonic()
        pause, is_logged = MIN_PING_SECONDS, False
        while process.poll() is None and not self._stopping.is_set():
            state, now = pq.PGconn.ping(url.encode()), time.monotonic()
            if state == pq.Ping.OK:
                self._prepare(url)
                return True
            if state == pq.Ping.REJECT:
                answered_at = now
                if not is_logged and now - started_at > RECOVERY_LOG_SECONDS:
                    is_logged = True
                    log.info("PostgreSQL recovers its data. %s shows how far it is.", self.data_folder.log)
            elif now - answered_at > START_SECONDS:
                return False
            self._stopping.wait(pause)
            pause = min(1.2 * pause, MAX_PING_SECONDS)
        return False

    def _prepare(self, url: str) -> None:
        """Create the database busware if there is none, and log the version of PostgreSQL."""
        with psycopg.connect(url, autocommit=True) as conn:
            if not conn.execute("SELECT 1 FROM pg_database WHERE datname = 'busware'").fetchone():
                conn.execute("CREATE DATABASE busware")
            version = conn.info.parameter_status("server_version")
            log.info("PostgreSQL %s is running, from %s.", version, self.data_folder.programs)

    def _end(self) -> None:
        """Close the pipe, so that the shell stops PostgreSQL, and wait for its end."""
        if not self._process or not self._process.stdin:
            return
        self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("PostgreSQL has not stopped in %s s: it is stopped at once.", STOP_SECONDS)
            try:
                end_orphans(self.data_folder, (signal.SIGQUIT, signal.SIGKILL))
            except (PostgresError, OSError, subprocess.SubprocessError) as error:
                log.error("PostgreSQL could not be stopped: %s", error)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # the shell, in case it is suspended
            self._process.wait()

    def _keep_running(self, process: "subprocess.Popen[bytes]") -> None:
        """The thread that starts PostgreSQL again when it ends by itself."""
        level = logging.ERROR
        while True:
            status = process.wait()
            with self._start_stop_lock:
                if self._stopping.is_set():
                    return
                self._end()
                log.log(level, "PostgreSQL ended with status %s, and is started again.", status)
                try:
                    process = self._launch()
                    level = logging.ERROR
                except (PostgresError, OSError, psycopg.Error) as error:
                    log.log(level, "%s", error)
                    level = logging.DEBUG  # until it has started
            self._stopping.wait(0 if process.poll() is None else RETRY_SECONDS)


def end_orphans(
    data_folder: DataFolder,
    signals: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL),
) -> None:
    """Stop the processes of PostgreSQL that a killed server has left running, and remove postmaster.pid.

    signals: sent one after the other while processes run: fast shutdown, immediate shutdown, kill.

    The processes are found by their working directory, because after a power cut postmaster.pid may be empty,
    or name a process of another program. Then PostgreSQL would refuse to start. Raises PostgresError if a
    process does not stop.
    """
    running = _find_processes(data_folder)
    for number in signals:
        # Only the postmaster gets SIGINT: after a fast shutdown, the others end with it.
        pids = [pid for pid in running if number != signal.SIGINT or _is_postmaster(pid)]
        if pids:
            names = ", ".join(map(str, pids))
            log.warning("Sending %s to processes %s on %s.", number.name, names, data_folder.data_directory)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        limits = {signal.SIGINT: STOP_SECONDS, signal.SIGQUIT: IMMEDIATE_STOP_SECONDS}
        deadline = time.monotonic() + limits.get(number, KILL_SECONDS)
        while running and time.monotonic() < deadline:
            time.sleep(0.02)
            running = _find_processes(data_folder)
    if running:
        raise PostgresError(
            f"Another PostgreSQL, process {running[0]}, runs on {data_folder.data_directory}, and does not "
            "stop."
        )
    (data_folder.data_directory / "postmaster.pid").unlink(missing_ok=True)


def _find_processes(data_folder: DataFolder) -> list[int]:
    """The processes of PostgreSQL that work in the data directory, as all of its processes do."""
    command = ["/bin/sh", "-c", _FIND_PROCESSES, "sh", str(data_folder.data_directory)]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **data_folder.popen)
    return [int(pid) for pid in found.stdout.split()]


def _is_postmaster(pid: int) -> bool:
    """Whether a process of PostgreSQL is the postmaster. The others have titles: "postgres: checkpointer"."""
    with suppress(OSError):
        return not Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"postgres: ")
    return False
