"""The terminal client in a pseudo-terminal: types lines, and waits for output."""

import os
import shlex
import signal
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pexpect

from busware.server.settings import Settings
from tests.conftest import WAIT_SECONDS
from tests.support.project import PROJECT

ROWS, COLUMNS = 24, 80
ESCAPE, CTRL_C, CTRL_D = "\x1b", "\x03", "\x04"

SEATS = "chooses 1):"  # the end of the question about seats; a narrow screen breaks it between words

# The questions of a reservation up to the fare, each with its answer.
STEPS = [
    ("What would you like?", "bus"),
    ("From and to (such as bengaluru mysuru):", "Bangalore mysuru"),
    ("Date of journey (Enter: tomorrow,", "tomorrow"),
    ("Bus (Enter: 1; or a filter", "1"),
    (SEATS, "3 4"),
    ("Phone number (such as 98450 12345; names may follow):", "98450 12345, Asha"),
]


def tomorrow() -> str:
    """The date of tomorrow in the server's time zone."""
    return str(datetime.now(ZoneInfo(Settings.time_zone)).date() + timedelta(days=1))


def restore_signal_handlers() -> None:
    """Restore the default handlers of SIGINT and SIGHUP.

    A shell starts background programs with SIGINT ignored, and nohup ignores SIGHUP. Children inherit this.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Traveller:
    """A client in a terminal. shell: a shell starts it, so that it can be suspended."""

    def __init__(
        self, port: int, columns: int = COLUMNS, rows: int = ROWS, *, shell: bool = False, **environment: str
    ) -> None:
        client = [sys.executable, "-m", "client", "127.0.0.1", str(port)]
        program, *arguments = ["bash", "--norc", "-i"] if shell else client
        self.child = pexpect.spawn(
            program,
            arguments,
            env=client_environment(
                TERM="xterm-256color", PROMPT_TOOLKIT_NO_CPR="1", PS1="shell> ", **environment
            ),
            dimensions=(rows, columns),
            encoding="utf-8",
            timeout=WAIT_SECONDS,
            cwd=str(PROJECT),
            preexec_fn=restore_signal_handlers,
        )
        if shell:
            self.type_line(shlex.join(client))

    def wait_for(self, *texts: str) -> str:
        """Wait for texts, in this order; return the output up to the last one."""
        return "".join(self._wait_for(text) for text in texts)

    def _wait_for(self, text: str) -> str:
        self.child.expect_exact(text)
        return str(self.child.before + self.child.after)

    def type_line(self, line: str) -> None:
        """Type a line, and Enter."""
        self.child.send(line + "\r")

    def answer(self, *steps: tuple[str, str]) -> None:
        """Wait for each question, and type its answer."""
        for question, answer in steps:
            self.wait_for(question)
            self.type_line(answer)

    def wait_for_exit(self) -> int:
        """Wait for the end; return the exit status."""
        self.child.expect(pexpect.EOF)
        self.child.wait()
        self.child.close()
        return int(self.child.exitstatus)


def client_environment(**more: str) -> dict[str, str]:
    """The environment of a client, without variables that change its output."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {"LC_ALL": "C.UTF-8", **inherited, **more}
