"""The subcommands psql, seed and audit: PostgreSQL's psql on the running database, as its owner.

psql is the one on the PATH, or else the one beside the embedded PostgreSQL's programs. It is told where the
database is by environment variables, since every user of the machine can read a command line.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from psycopg import pq

from busware.server.embedded.data_folder import PostgresError, find_programs, owner_url
from busware.server.installation import USAGE, subcommand
from busware.server.settings import Settings

FINDINGS, NOT_CHECKED = 1, 2  # exit statuses of audit, beside 0

_PSQL_HELP = """\
psql on the running database, as its owner. Takes psql's arguments, which {prog} -? lists."""
_SEED_HELP = """\
Load timetables into the running database. Each file is loaded whole or not at all. \
docs/timetables.md says how to write one."""
_AUDIT_HELP = """\
Check the whole database against the rules of Busware: a line for each finding. \
Exit status: 0 clean, 1 findings, 2 it could not be checked."""
_PLAIN = ("--no-psqlrc", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1")  # rows, for programs


def run_psql(arguments: list[str]) -> None:
    """Become psql. Raises SystemExit when there is none, or no database."""
    if arguments[:1] == ["--help"]:
        print(_PSQL_HELP.format(prog=subcommand("psql")))
        return
    try:
        program, environment = _find_psql()
    except PostgresError as error:
        raise SystemExit(f"busware: {error}") from None
    os.execve(program, ["psql", *arguments], environment)  # noqa: S606 - there is no shell to misread them


def seed(arguments: list[str]) -> None:
    """Load files of timetables, each in one transaction. Raises SystemExit."""
    parser = argparse.ArgumentParser(prog=subcommand("seed"), description=_SEED_HELP)
    parser.add_argument("files", nargs="+", metavar="FILE", help="SQL that calls api.add_service")
    for file in parser.parse_args(arguments).files:
        if not os.access(file, os.R_OK):
            print(f"busware: there is no file {file} to read", file=sys.stderr)
            raise SystemExit(USAGE)
        try:
            done = _query("--quiet", "--set", "SHOW_CONTEXT=never", "--single-transaction", "--file", file)
        except PostgresError as error:
            raise SystemExit(f"busware: {error}") from None
        if done.returncode:
            raise SystemExit(done.returncode)
        answers = done.stdout.splitlines()  # of api.add_service: t, or f
        added, left = answers.count("t"), answers.count("f")
        print(f"{file} is loaded: {added} added, {left} there already and left as they were.")


def audit(arguments: list[str]) -> None:
    """Check the whole database. Raises SystemExit unless it is clean."""
    argparse.ArgumentParser(prog=subcommand("audit"), description=_AUDIT_HELP).parse_args(arguments)
    try:
        done = _query("--field-separator", " | ", "--command", "SELECT * FROM api.audit()")
    except PostgresError as error:
        print(f"busware: {error}", file=sys.stderr)
        raise SystemExit(NOT_CHECKED) from None
    if done.returncode:
        raise SystemExit(NOT_CHECKED)
    if done.stdout:
        print(done.stdout, end="")
        raise SystemExit(FINDINGS)
    print("Clean: every rule holds.")


def _query(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run psql and collect the rows; its errors go to stderr. Raises PostgresError."""
    program, environment = _find_psql()
    return subprocess.run(
        [program, *_PLAIN, *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=False
    )


def _find_psql() -> tuple[str, dict[str, str]]:
    """The path of psql, and an environment that leads it to the database. Raises PostgresError."""
    url = owner_url(Settings.load())
    psql = shutil.which("psql") or next((str(Path(folder, "psql")) for folder in find_programs()), None)
    if psql is None:
        raise PostgresError("There is no psql on this machine: apt install postgresql-client")
    options = ((option.envvar, option.val) for option in pq.Conninfo.parse(url.encode()))
    known = {name.decode(): value.decode() for name, value in options if name and value}
    return psql, {**os.environ, **known}
