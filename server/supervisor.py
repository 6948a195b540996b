"""Several processes on one port: the supervisor starts them, and replaces one that dies.

The supervisor does what is done once (database, schema, timetables) and owns the terminal; those who
serve are processes of their own (`python -m server worker`), each with its own writer and its own reads,
which share the port by SO_REUSEPORT: the kernel spreads new clients over them. As that option would let
two unrelated servers share a port in silence, the supervisor takes a lock on the port first, and keeps
a socket bound to it that never listens, so that the port stays ours while a process is replaced.

A worker lives as long as its standard input, of which only the supervisor holds the other end: however
the supervisor ends, the workers drain and end, too. A worker that serves prints READY, a line of its own;
one that a breaking migration outdates prints OUTDATED; whatever else it prints is passed on.
"""

import errno
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from busware.server.service import port_taken
from busware.server.settings import Settings, environment

log = logging.getLogger("busware.supervisor")

READY = "ready"
OUTDATED = "outdated"
_RESTART_SECONDS = 1.0  # the pause before a process that died young is replaced
_YOUNG_SECONDS = 10.0
_STOP_SECONDS = 10.0  # to end after its drain; then it is killed


class PortLock:
    """A port that is ours alone, to be shared among our own processes. port: 0 for any free one."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._wanted = port
        self._sockets = ExitStack()  # those that are open
        self._lock = self._sockets.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))

    def take(self) -> int:
        """Take it, and answer its number. Raises OSError when somebody has it."""
        family, _, _, _, address = socket.getaddrinfo(
            self._host, self._wanted, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        holder = self._sockets.enter_context(socket.socket(family, socket.SOCK_STREAM))
        if self._wanted:
            self._take_lock(self._wanted)
            with socket.create_server(address[:2], family=family):
                pass  # whoever listens there, by whatever option, would not let us
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(address)
        port = int(holder.getsockname()[1])
        if not self._wanted:
            self._take_lock(port)
        return port

    def _take_lock(self, port: int) -> None:
        # A name in the kernel's own space, which goes with the process however it ends. Like ports, such
        # names belong to the network namespace.
        self._lock.bind(f"\0busware-port-{port}")

    def release(self) -> None:
        """Leave it to others; also what `take` had of it when it failed."""
        self._sockets.close()


class Worker:
    """One of the processes, and whoever takes its place when it dies.

    on_outdated: called when it says that a breaking migration outdates it, from any thread.
    """

    def __init__(self, number: int, settings: Settings, told: dict[str, str]) -> None:
        self.on_outdated: Callable[[], None] = lambda: None
        self._name = f"worker {number}"
        self._patience = settings.drain_seconds + _STOP_SECONDS
        self._environment = told
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._changing = threading.Lock()  # held to start one, and to decide that there is no next
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._keep, name=self._name, daemon=True)

    def start(self) -> None:
        """Start it."""
        self._thread.start()

    def wait_until_ready(self) -> None:
        """Wait until it serves. Raises OSError when it does not come to that."""
        self._ready.wait()
        if self._stopping.is_set():
            raise OSError(f"{self._name} does not start; what it said stands above")

    def stop(self) -> None:
        """Have it drain and end; `join` waits for that."""
        with self._changing:
            self._stopping.set()
            if self._process and self._process.stdin:
                self._process.stdin.close()

    def join(self) -> None:
        """Wait until it has ended; one that takes too long is killed."""
        self._thread.join(self._patience)
        if self._thread.is_alive() and self._process:
            log.warning("%s has not ended in time: killed", self._name)
            self._process.kill()
            self._thread.join()

    def _keep(self) -> None:
        while True:
            began = time.monotonic()
            end = self._run()
            if self._stopping.is_set():
                return
            if not self._ready.is_set():  # it never served
                log.error("%s", end)
                self._stopping.set()
                self._ready.set()
                return
            log.error("%s: replaced", end)
            if time.monotonic() - began < _YOUNG_SECONDS:
                self._stopping.wait(_RESTART_SECONDS)

    def _run(self) -> str:
        """Start a process, and wait for its end; what there is to say of that."""
        try:
            with self._changing:
                if self._stopping.is_set():
                    return f"{self._name} is not wanted any more"
                process = self._process = self._spawn()
        except OSError as error:  # there are too many, or there is no room
            return f"{self._name} cannot be started: {error}"
        self._pass_on(process)
        return f"{self._name}, process {process.pid}, ended with status {process.wait()}"

    def _spawn(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "busware.server", "worker"],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C is for the supervisor alone
        )

    def _pass_on(self, process: "subprocess.Popen[str]") -> None:
        """Print what it prints, to its end, whether or not there is anybody left to read it."""
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        with process.stdout as lines:
            for line in lines:
                if line.rstrip() == READY:
                    self._ready.set()
                elif line.rstrip() == OUTDATED:
                    self.on_outdated()
                else:
                    with suppress(OSError):
                        print(line, end="", file=sys.stderr, flush=True)


class Supervisor:
    """The processes that serve. `port`, `http_port`: those they share, once started.

    on_outdated: called once when a breaking migration outdates them, from any thread.
    """

    def __init__(self, settings: Settings, owner_url: str, server_url: str) -> None:
        self.on_outdated: Callable[[], None] = lambda: None
        self.port, self.http_port = settings.port, settings.http_port
        self._settings = settings
        self._urls = {"BUSWARE_OWNER_URL": owner_url, "DATABASE_URL": server_url}
        self._outdated = threading.Lock()  # taken by the first worker that says so, and kept
        self._locks: list[PortLock] = []
        self._workers: list[Worker] = []

    def start(self) -> None:
        """Take the ports and start the processes; returns when all serve. Raises OSError."""
        settings = self._settings
        try:
            self.port = self._take(settings.port)
            self.http_port = self._take_http(settings.http_port)
            told = environment() | self._urls | {
                "BUSWARE_HOST": settings.host, "BUSWARE_PORT": str(self.port),
                "BUSWARE_HTTP_PORT": str(self.http_port), "BUSWARE_LOG_LEVEL": settings.log_level,
            }  # fmt: skip
            self._workers = [Worker(n, settings, told) for n in range(1, settings.processes + 1)]
            for worker in self._workers:
                worker.on_outdated = self._leave
                worker.start()
            for worker in self._workers:
                worker.wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Have every process drain and end."""
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.join()
        for lock in self._locks:
            lock.release()

    def _leave(self) -> None:
        if self._outdated.acquire(blocking=False):
            self.on_outdated()

    def _take(self, port: int) -> int:
        lock = PortLock(self._settings.host, port)
        self._locks.append(lock)
        try:
            return lock.take()
        except OSError as error:
            raise port_taken(self._settings.host, port, error) from error

    def _take_http(self, port: int) -> int:
        """The HTTP port; another where the usual one is taken, and nobody asked for that one."""
        try:
            return self._take(port)
        except OSError as error:
            if not isinstance(error.__cause__, OSError) or error.__cause__.errno != errno.EADDRINUSE:
                raise
            if port != Settings.http_port:
                raise
        log.warning("port %d is taken: HTTP is served on another", port)
        return self._take(0)
