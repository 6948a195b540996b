"""What the command lines share: a parser that explains errors, and questions on a terminal."""

import argparse
import difflib
import getpass
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NoReturn

from busware.server.installation import EXIT_USAGE
from busware.server.output import complain, show, writing

PASSWORD_TRIES = 3
_OPTION_SIMILARITY = 0.8  # of a suggested option to the unknown one, from 0 to 1; all begin with two dashes


class Parser(argparse.ArgumentParser):
    """A parser whose errors show the usage of the subcommand in which the wrong argument is."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The parsed arguments, and no others. Exits if an argument is unknown.

        argparse leaves the unknown arguments of a subcommand to the main parser, which would show its own
        usage.
        """
        args = sys.argv[1:] if args is None else list(args)
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            options = [arg for arg in args[: args.index(unknown[0])] if arg.startswith("-")]
            hint = self.hint_about(unknown[0], options[-1] if options else "")
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint and '. '}{hint}")
        return parsed, unknown

    def hint_about(self, unknown: str, option: str) -> str:
        """What to change if an argument is unknown: a similar option. option: the last one before it."""
        known = self._option_string_actions if unknown.startswith("-") else {}
        similar = similar_command(unknown.partition("=")[0], known, _OPTION_SIMILARITY)
        return similar and f"Did you mean {similar}?"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """As in argparse; but the error for an unknown subcommand names a similar one, if there is one."""
        subcommands = action.choices if isinstance(action.choices, dict) else {}
        similar = similar_command(str(value), subcommands)
        if similar and value not in subcommands:
            raise argparse.ArgumentError(None, f"'{value}' is not a command. Did you mean {similar}?")
        super()._check_value(action, value)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Write a message. Raises NotShown, where argparse ignores that standard output cannot be written."""
        if file is sys.stdout and file is not None:
            with writing():
                file.write(message)
        else:
            super()._print_message(message, file)

    def error(self, message: str) -> NoReturn:
        """Exit with the usage, the error and a pointer to the help."""
        usage = self.format_usage()
        self.exit(EXIT_USAGE, f"{usage}{self.prog}: {message}\n{self.prog} --help explains the arguments.\n")


def similar_command(typed: str, commands: Iterable[str], similarity: float = 0.6) -> str:
    """The command that a word is similar to; empty if there is none. similarity: the least, from 0 to 1."""
    return next(iter(difflib.get_close_matches(typed, list(commands), 1, similarity)), "")


def on_terminal() -> bool:
    """Whether a person can be asked: standard input and output are a terminal."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def in_foreground() -> bool:
    """Whether this process is in the foreground of a terminal: it may read what a person types."""
    with suppress(OSError):
        return on_terminal() and os.tcgetpgrp(0) == os.getpgrp()
    return False


def confirmed(question: str, facts: str = "") -> bool:
    """Show facts, and ask a question until the answer is yes or no. Enter, Ctrl-C and Ctrl-D mean no."""
    if facts:
        show(facts)
    while True:
        try:
            answer = input(f"{question} [y/N] ").strip().lower()
        except (EOFError, KeyboardInterrupt):
            show("")
            return False
        if answer in ("y", "yes"):
            return True
        if answer in ("", "n", "no"):
            return False
        show("Type yes or no.")


def ask_new_password(
    name: str, problem_of: Callable[[str], str] = lambda password: "", typed: str | None = None
) -> str:
    """A new password, which was typed twice. Raises SystemExit after PASSWORD_TRIES tries.

    problem_of: what is wrong with a password; empty if nothing is. typed: the password, if it has been typed
    once.
    """
    for _ in range(PASSWORD_TRIES):
        password = getpass.getpass(f"New password for {name}: ") if typed is None else typed
        typed = None
        problem = problem_of(password)
        if not problem and getpass.getpass("Repeat the password: ") == password:
            return password
        complain(problem or "The two passwords are different.")
    raise SystemExit("The password was not set.")
