"""A server or console in a pseudo-terminal: types lines, and reads output without terminal codes."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import pexpect

from tests.support.processes import kill
from tests.support.project import PROJECT

WAIT_SECONDS = 30
CTRL_C, CTRL_D = "\x03", "\x04"
_CODES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>])|\r|\x07")


class Operator:
    """`python -m server …` in a terminal; killed at the end of a `with` if it is still running.

    unmatched: the output after the last text that was waited for.
    """

    def __init__(self, *arguments: str, **environment: str) -> None:
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith("BUSWARE_") and k != "DATABASE_URL"
        }
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "server", *arguments],
            env={
                **inherited,
                "BUSWARE_SEED": "false",
                "BUSWARE_HTTP_PORT": "0",
                "TERM": "xterm",
                **environment,
            },
            cwd=str(PROJECT),
            dimensions=(50, 200),
            timeout=WAIT_SECONDS,
            encoding="utf-8",
            codec_errors="replace",
        )
        self.unmatched = ""

    def __enter__(self) -> "Operator":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        kill(self.child)

    def wait_for(self, *texts: str) -> None:
        """Wait for texts, in this order, after the last one that was waited for."""
        for text in texts:
            self.wait_for_match(f"({re.escape(text)})")

    def wait_for_match(self, pattern: str) -> str:
        """Wait for a pattern; return its group."""
        while not (found := re.search(pattern, self.unmatched)):
            try:
                self.unmatched += _CODES.sub("", self.child.read_nonblocking(4096, WAIT_SECONDS))
            except (pexpect.TIMEOUT, pexpect.EOF) as end:
                raise AssertionError(f"{pattern!r} did not appear; seen since: {self.unmatched!r}") from end
        self.unmatched = self.unmatched[found.end() :]
        return found[1]

    def type_line(self, line: str) -> None:
        """Type a line, and Enter."""
        self.child.send(f"{line}\r")

    def wait_for_exit(self) -> int:
        """Wait for the end; return the exit status."""
        self.unmatched += _CODES.sub("", self.child.read())
        self.child.wait()
        self.child.close()
        return int(self.child.exitstatus if self.child.exitstatus is not None else -self.child.signalstatus)


@contextmanager
def operating(*arguments: str, **environment: str) -> Iterator[tuple[Operator, int]]:
    """A server with its console, and its port."""
    with Operator("0", *arguments, **environment) as operator:
        port = int(operator.wait_for_match(r"serves on 127\.0\.0\.1:(\d+),"))
        operator.wait_for("This is the operator's console.", "operator>")
        yield operator, port
