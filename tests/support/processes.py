"""Servers as processes of their own, and the processes that they leave behind."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import pexpect

from tests.support.project import PROJECT

WAIT_SECONDS = 60  # a wait that is longer fails the test


def running_on(folder: Path) -> list[int]:
    """The ids of the processes whose command line names a folder, PostgreSQL's among them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue  # it has just ended
            if os.fsencode(folder) in command:
                found.append(int(entry.name))
    return found


def postmaster(folder: Path) -> int:
    """The process id of the PostgreSQL that runs on a data folder."""
    return int((folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])


def kill(child: pexpect.spawn) -> None:
    """Kill a program in a pseudo-terminal, and wait for its end. pexpect waits for a fixed time only."""
    child.kill(signal.SIGKILL)
    child.wait()
    child.close()


def wait_for_end(pids: Iterable[int]) -> None:
    """Wait until processes have ended."""
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ended, _, _ = select.select([handle], [], [], WAIT_SECONDS)
            assert ended, f"process {pid} has not ended"
        finally:
            os.close(handle)


class ServerProcess:
    """A running `python -m server`; at the end of a `with` it is killed, if it has not ended.

    output: the lines that it has printed.
    """

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.process = start(*arguments, **environment)
        self.output: list[str] = []
        ready = self.read_until("serves on")
        self.host, _, port = ready.split("serves on ")[1].split(",")[0].rpartition(":")
        self.port = int(port)

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        with self.process:  # closes its pipes
            pass

    @cached_property
    def http_url(self) -> str:
        """The URL of its HTTP server, which it prints after the line with its port."""
        return self.read_until("HTTP:").split("HTTP:")[1].partition("/v1,")[0].strip()

    def read_until(self, text: str) -> str:
        """Read its output up to a line that contains the text. Returns the line."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.output.append(line)
            if text in line:
                return line
        with self.process:
            raise AssertionError(f"it ended with {self.process.wait()}:\n{''.join(self.output)}")

    def end(self, signal: int | None = None) -> tuple[int, str]:
        """Send a signal, unless it is None, and wait for the end. Returns the exit status and all output."""
        if signal is not None:
            self.process.send_signal(signal)
        rest, _ = self.process.communicate(timeout=WAIT_SECONDS)
        return self.process.returncode, "".join(self.output) + rest


def start(
    *arguments: str,
    program: Sequence[str] = ("-m", "server"),
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.STDOUT,  # by default a part of its output
    **environment: str,
) -> "subprocess.Popen[str]":
    """Start `python -m server`, or another program, with these settings only."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BUSWARE_") and k != "DATABASE_URL"}
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        env={**inherited, "BUSWARE_SEED": "false", "BUSWARE_HTTP_PORT": "0", **environment},
        cwd=PROJECT,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        text=True,
        start_new_session=True,  # a test can send a signal to the whole group, as a terminal does
    )


def fail_to_start(*arguments: str, **environment: str) -> tuple[int, str]:
    """Start a server that fails. Returns its exit status and its output."""
    process = start(*arguments, **environment)
    output, _ = process.communicate(timeout=WAIT_SECONDS)
    return process.returncode, output
