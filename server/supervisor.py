"""Several processes on one port: the supervisor starts worker processes and replaces one that ends.

The supervisor prepares the database and owns the terminal. The workers (`python -m busware.server worker`)
serve, each with its own writer and reader. They share the ports by SO_REUSEPORT: the kernel distributes new
connections.

The standard input of all workers is one pipe, of which only the supervisor has the write end. When the
supervisor ends, in any way, the pipe closes, and the workers drain and end. On its standard output a worker
prints the line READY when it serves, and a line that begins with OUTDATED when a breaking migration outdates
it. The supervisor writes all other lines to its own log.
"""

import dataclasses
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from queue import SimpleQueue

from busware.server import logs
from busware.server.ports import PortSetting, share_port
from busware.server.settings import Settings, environment

log = logging.getLogger("busware.supervisor")

READY = "ready"
OUTDATED = "outdated: "  # the reason follows
_RESTART_SECONDS = 1.0  # the pause before a worker that ended early is replaced
_EARLY_SECONDS = 10.0  # a process that runs for a shorter time has ended early
STOP_SECONDS = 10.0  # how long a worker may take to end after its drain; then it is killed


class Supervisor:
    """The workers of one server. url: leads to the database, as the server's role.

    on_outdated: called once, with the reason, when a breaking migration outdates the workers; in any thread.
    """

    def __init__(self, settings: Settings, url: str, on_outdated: Callable[[str], None]) -> None:
        self._settings = settings
        self._on_outdated = on_outdated
        # an empty variable is not set: the workers do not need the owner's password
        self._environment = environment() | {"DATABASE_URL": url, "BUSWARE_OWNER_URL": ""}
        self._ports = ExitStack()
        self._outdated = threading.Lock()  # acquired when the first worker is outdated, never released
        self._stopping = threading.Event()
        self._stdin, self._stdin_write_end = os.pipe()
        self._threads: list[threading.Thread] = []  # one for each worker
        self._processes: dict[str, subprocess.Popen[str]] = {}  # the last process of each worker
        self._ready: set[str] = set()  # the workers that have served
        self._start_results = SimpleQueue[str]()  # one for each worker: "", or why it does not start

    def start(self) -> Settings:
        """Start the workers. Returns the settings with the ports of the workers when all serve.

        Raises OSError if a worker does not start; the others run until `stop`.
        """
        settings = dataclasses.replace(
            self._settings,
            port=self._share(self._settings.port, "port"),
            http_port=self._share(self._settings.http_port, "http_port"),
            ports=tuple(
                (dialogue, self._share(port, "ports")) for dialogue, port in self._settings.ports or ()
            ),
        )
        self._environment |= {
            "BUSWARE_HOST": settings.host, "BUSWARE_LOG_LEVEL": settings.log_level,
            "BUSWARE_PORT": str(settings.port), "BUSWARE_HTTP_PORT": str(settings.http_port),
            "BUSWARE_PORTS": ",".join(f"{dialogue}:{port}" for dialogue, port in settings.ports or ()),
        }  # fmt: skip
        for number in range(1, self._settings.processes + 1):
            name = f"worker {number}"
            thread = threading.Thread(target=self._keep_running, args=(name,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        for _ in self._threads:
            if failure := self._start_results.get():
                raise OSError(failure)
        return settings

    def _share(self, port: int, chosen_by: PortSetting) -> int:
        """Reserve a port for the workers until `stop`. Returns its number."""
        return self._ports.enter_context(share_port(self._settings, port, chosen_by))

    def stop(self) -> None:
        """Stop the workers: they drain and end. A worker that takes too long is killed."""
        self._stopping.set()
        os.close(self._stdin_write_end)
        kill_at = time.monotonic() + self._settings.drain_seconds + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, kill_at - time.monotonic()))
            if thread.is_alive():
                log.warning("%s has not ended in time, and is killed.", thread.name)
                self._processes[thread.name].kill()
                thread.join()
        self._ports.close()
        os.close(self._stdin)

    def _keep_running(self, name: str) -> None:
        """The thread of a worker: runs a process, and another one when it ends."""
        while True:
            started_at = time.monotonic()
            end = self._run(name)
            if self._stopping.is_set():
                return
            if name not in self._ready:
                log.error("%s.", end)
                self._start_results.put(f"{name} does not start: its output is above")
                return
            log.error("%s. Starting another process.", end)
            if time.monotonic() - started_at < _EARLY_SECONDS:
                self._stopping.wait(_RESTART_SECONDS)

    def _run(self, name: str) -> str:
        """Run a process to its end. Returns how it ended, for the log."""
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "busware.server", "worker"],
                env=self._environment,
                stdin=self._stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # Ctrl-C in the terminal reaches the supervisor alone
            )
        except OSError as error:
            return f"{name} cannot be started: {error}"
        self._processes[name] = process
        with process:
            for line in process.stdout or ():
                self._handle(name, line)
        return f"{name}, process {process.pid}, ended with status {process.returncode}"

    def _handle(self, name: str, line: str) -> None:
        """Handle a line that a worker has printed."""
        if line.rstrip() == READY:
            if name not in self._ready:
                self._ready.add(name)
                self._start_results.put("")
        elif line.startswith(OUTDATED):
            if self._outdated.acquire(blocking=False):
                self._on_outdated(line.removeprefix(OUTDATED).rstrip())
        else:
            logs.relay(line.rstrip("\n"))
