"""The embedded PostgreSQL: a real one, on the data folder of a Cluster, alive as long as we are.

It is the child of a shell that reads a pipe whose other end only this process has. However this
process ends, kill -9 included, the pipe closes and the shell stops PostgreSQL. When it is
PostgreSQL that ends, a thread starts it again, on the same port. It listens on loopback alone, and
wants a password from everybody.
"""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import pq

from busware.server.embedded.data_folder import Cluster, PostgresError, Urls

log = logging.getLogger("busware.postgres")

START_SECONDS = 120  # how long PostgreSQL may take to accept connections: it may have to recover first
STOP_SECONDS = 60  # how long a clean stop may take; then it is cut short, and the next start recovers
RETRY_SECONDS = 2  # the pause before PostgreSQL, which would not start again, is tried once more
MAX_LOG_BYTES = 16 * 2**20  # a longer postgres.log is put aside, as postgres.log.1, at start

# $@ is PostgreSQL. (A shell gives a command in the background no input: hence the way round by 3.)
_SUPERVISE = """
exec 3<&0
"$@" 3<&- & postgres=$!
{ read -r _; kill -INT $postgres; } <&3 & watch=$!
exec 3<&-
wait $postgres; status=$?
kill $watch 2>/dev/null; wait $watch 2>/dev/null
exit $status
"""


class EmbeddedPostgres:
    """The PostgreSQL of a data folder, from `start()` to `stop()`.

    options: settings of PostgreSQL for this run. programs: the folder of PostgreSQL's programs; found
    when not given.
    """

    def __init__(
        self,
        data: Path,
        *,
        options: Mapping[str, str] | None = None,
        programs: Path | None = None,
    ) -> None:
        self.cluster = Cluster(data, programs)
        self._options = dict(options or {})
        self._stopping = threading.Event()
        self._changing = threading.Lock()  # held by whoever starts or stops PostgreSQL
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: threading.Thread | None = None

    def start(self) -> Urls:
        """Start PostgreSQL, and first make it in an empty folder; returns when it accepts connections.

        Raises PostgresError, having left nothing running.
        """
        try:
            urls = self.cluster.open()
            process = self._launch()
        except BaseException:
            self.stop()
            raise
        self._watch = threading.Thread(target=self._keep, args=(process,), name="postgres-watch", daemon=True)
        self._watch.start()
        return urls

    def stop(self) -> None:
        """Stop PostgreSQL cleanly and leave the folder to others; does nothing when it is stopped."""
        self._stopping.set()
        with self._changing:
            self._end()
        if self._watch:
            self._watch.join()
        self.cluster.close()

    def _launch(self) -> "subprocess.Popen[bytes]":
        """Start PostgreSQL and wait until it accepts connections; raises PostgresError."""
        crashed = end_orphan(self.cluster)
        deadline = time.monotonic() + START_SECONDS
        while True:
            process = self._process = self._spawn()
            if self._becomes_ready(process, deadline):
                return process
            self._end()
            if not crashed or time.monotonic() > deadline or self._stopping.is_set():
                said = self.cluster.log.read_text(errors="replace").splitlines()[-5:]
                raise PostgresError("PostgreSQL does not start. It says:\n" + "\n".join(said))
            time.sleep(0.1)  # the processes of the one that crashed are still ending

    def _spawn(self) -> "subprocess.Popen[bytes]":
        cluster = self.cluster
        if cluster.log.exists() and cluster.log.stat().st_size > MAX_LOG_BYTES:
            cluster.log.replace(cluster.log.with_suffix(".log.1"))
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(urlsplit(cluster.urls.owner).port),
            "unix_socket_directories": "",
            **self._options,
        }
        command = [f"{cluster.programs}/postgres", "-D", str(cluster.folder)]
        command += [f"--{name}={value}" for name, value in options.items()]
        with cluster.log.open("ab") as output:
            return subprocess.Popen(
                ["/bin/sh", "-c", _SUPERVISE, "busware-postgres", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the server alone, which still has to drain
                **cluster.popen,
            )

    def _becomes_ready(self, process: "subprocess.Popen[bytes]", deadline: float) -> bool:
        """Whether PostgreSQL came to accept connections; makes our database where there is none."""
        url = self.cluster.urls.owner.removesuffix("/busware") + "/postgres"
        while process.poll() is None and time.monotonic() < deadline and not self._stopping.is_set():
            if pq.PGconn.ping(url.encode()) == pq.Ping.OK:
                with psycopg.connect(url, autocommit=True) as conn:
                    if not conn.execute("SELECT 1 FROM pg_database WHERE datname = 'busware'").fetchone():
                        conn.execute("CREATE DATABASE busware")
                return True
            time.sleep(0.02)
        return False

    def _end(self) -> None:
        """Close the pipe, upon which the shell stops PostgreSQL, and wait for that."""
        if not self._process or not self._process.stdin:
            return
        self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("PostgreSQL has not stopped in %s s; cutting it short.", STOP_SECONDS)
            end_orphan(self.cluster)
            self._process.wait()

    def _keep(self, process: "subprocess.Popen[bytes]") -> None:
        """The thread that starts PostgreSQL again whenever it ends by itself."""
        while True:
            status = process.wait()
            with self._changing:
                if self._stopping.is_set():
                    return
                self._end()
                log.error("PostgreSQL ended by itself, with status %s; starting it again.", status)
                try:
                    process = self._launch()
                except (PostgresError, OSError, psycopg.Error) as error:
                    log.error("%s", error)
            self._stopping.wait(0 if process.poll() is None else RETRY_SECONDS)


def end_orphan(cluster: Cluster) -> bool:
    """Stop a PostgreSQL that runs on the folder without us; says whether the last one did not end well.

    Raises PostgresError when it does not stop.
    """
    file = cluster.folder / "postmaster.pid"
    try:
        pid = int(file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return False
    if not _serves(pid, cluster):
        if _is_running(pid):  # the number of a process long gone, which something else has now;
            file.unlink()  # PostgreSQL would take it for another PostgreSQL, and not start
        return True
    log.warning("Stopping the PostgreSQL that was left on %s, process %d.", cluster.folder, pid)
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, at once
        with suppress(ProcessLookupError):
            os.kill(pid, how)
        deadline = time.monotonic() + STOP_SECONDS / 3
        while time.monotonic() < deadline:
            if not _serves(pid, cluster):
                return True
            time.sleep(0.02)
    raise PostgresError(f"Another PostgreSQL, process {pid}, runs on {cluster.folder} and does not stop.")


def _serves(pid: int, cluster: Cluster) -> bool:
    """Whether the process is a PostgreSQL on the cluster's folder."""
    try:
        return str(cluster.folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def _is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
