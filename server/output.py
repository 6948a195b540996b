"""The output of a command: a command that has changed something says so, even if it cannot write its output.

Standard output may be a full disk, a pipe that its reader has closed, or a terminal that is gone. `show`
writes and flushes at once, so that the exit status is decided after the output.
"""

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn, TextIO

DONE = 0
DONE_NOT_SHOWN = 4  # something was changed, and standard output cannot be written
NOT_SHOWN = 5  # nothing was changed, and standard output cannot be written
INTERRUPTED = 130


class NotShown(Exception):
    """Standard output cannot be written. The message says why. reader_left: the reader closed the pipe."""

    def __init__(self, message: str, *, reader_left: bool = False) -> None:
        super().__init__(message)
        self.reader_left = reader_left


def show(text: str, end: str = "\n") -> None:
    """Write to standard output, and flush it. Raises NotShown; after that, further output is discarded.

    Ctrl-C while it waits for the reader raises NotShown too.
    """
    with writing():
        if sys.stdout is None:  # it was closed before the start
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        print(text, end=end, flush=True)


@contextmanager
def writing() -> Iterator[None]:
    """Raise NotShown if standard output cannot be written inside of this context."""
    try:
        yield
    except KeyboardInterrupt:
        _discard(sys.stdout)
        raise NotShown("interrupted") from None
    except OSError as error:
        _discard(sys.stdout)
        raise NotShown(error.strerror or str(error), reader_left=isinstance(error, BrokenPipeError)) from None


def complain(*lines: str) -> None:
    """Write the lines that are not empty to standard error, if that is possible."""
    try:
        if sys.stderr is not None:  # else print would write to standard output
            print(*filter(None, lines), sep="\n", file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


def report_not_shown(error: NotShown, done: str = "") -> int:
    """Report on standard error that something was not shown. Returns the exit status.

    done: what was changed; empty if nothing was. If nothing was changed and the reader closed the pipe, there
    is no report.
    """
    if done:
        complain(f"Done, but the output could not be written ({error}). {done}")
        return DONE_NOT_SHOWN
    if error.reader_left:
        return DONE
    complain(f"The output could not be written: {error}.")
    return NOT_SHOWN


def show_done(done: str, changed: str = "") -> None:
    """Write what a command has done to standard output. Raises SystemExit if that is impossible.

    changed: what it has changed; empty if that is nothing.
    """
    try:
        show(done)
    except NotShown as error:
        raise SystemExit(report_not_shown(error, changed)) from None


def run(main: Callable[[list[str]], int | None]) -> NoReturn:
    """Run the command of this process, and exit with its status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # its encoding may lack a character
    try:
        status = _status_of(main)
        if not status and sys.stdout is not None:
            show("", end="")  # argparse does not flush the help
    except NotShown as error:
        status = report_not_shown(error)
    except (KeyboardInterrupt, EOFError):  # Ctrl-C, or Ctrl-D at a question for a password
        status = INTERRUPTED
    sys.exit(status)


def _status_of(main: Callable[[list[str]], int | None]) -> int | None:
    try:
        return main(sys.argv[1:])
    except SystemExit as left:
        if isinstance(left.code, str):  # an error message
            complain(left.code)
            return 1
        return left.code


def _discard(stream: TextIO | None) -> None:
    """Let a stream write to /dev/null, so that what it has buffered is no error at the end of the process."""
    with suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]
