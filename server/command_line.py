"""A parser of command lines that explains errors."""

import argparse
from typing import Any, NoReturn

from busware.server.installation import EXIT_USAGE


class Parser(argparse.ArgumentParser):
    """A parser whose errors show the usage of the subcommand in which the wrong argument is."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The parsed arguments, and no others. Exits if an argument is unknown.

        argparse leaves the unknown arguments of a subcommand to the main parser, which would show its own
        usage.
        """
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        """Exit with the usage, the error and a pointer to the help."""
        usage = self.format_usage()
        self.exit(EXIT_USAGE, f"{usage}{self.prog}: {message}\n{self.prog} --help explains the arguments.\n")
