"""The subcommand operator of the server: makes and changes the accounts of operators.

It writes as the owner of the database: whoever may do so has the keys to everything anyhow, and the
server's own role could not. A password is asked for twice, or read from the first line of a pipe.
"""

import argparse
import getpass
import sys

import psycopg

from busware.server.accounts.passwords import Passwords
from busware.server.accounts.sessions import normalize_username
from busware.server.embedded.data_folder import PostgresError, owner_url
from busware.server.installation import subcommand
from busware.server.settings import Settings

_SHORTEST = 8  # characters, of whoever may refund a bus; whatever travellers may have
_LONGEST = 256  # as server.wire.Password takes
_LONGEST_NAME = 64  # as server.wire.Username takes

_OPERATORS = "SELECT DISTINCT operator FROM bus_info ORDER BY operator"
_ANY = "SELECT 1 FROM accounts WHERE role IN ('operator', 'admin') LIMIT 1"
_ADD = "SELECT api.add_operator(%s, %s, %s)"
_PASSWORD = "SELECT api.change_password(%s, %s)"  # noqa: S105 - no password


class UsageError(Exception):
    """What was asked for cannot be done; the message says why."""


def main(arguments: list[str]) -> None:
    """Do what the arguments say. Raises SystemExit."""
    told = _parser().parse_args(arguments)
    settings = Settings.load()
    try:
        with psycopg.connect(owner_url(settings), autocommit=True) as conn:
            print(told.run(conn, _username(told.name), told))
    except (UsageError, PostgresError) as error:
        raise SystemExit(f"busware: {error}") from None
    except psycopg.Error as error:
        raise SystemExit(f"busware: the database: {str(error).strip()}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=subcommand("operator"), description="The operators' accounts.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add = commands.add_parser("add", help="make an account for an operator")
    add.set_defaults(run=_add)
    add.add_argument("name", metavar="NAME", help="the username")
    runs = add.add_mutually_exclusive_group()
    runs.add_argument("--operator", metavar="OPERATOR", help="runs the services of this operator alone")
    runs.add_argument(
        "--admin",
        action="store_true",
        help="changes all services, as the first account does if no option is given",
    )
    password = commands.add_parser("password", help="give an account another password, and sign it out")
    password.set_defaults(run=_change_password)
    password.add_argument("name", metavar="NAME", help="the username")
    return parser


def _add(conn: psycopg.Connection, username: str, told: argparse.Namespace) -> str:
    if not told.operator and not told.admin and conn.execute(_ANY).fetchone():
        raise UsageError(f'Say what "{username}" runs: --operator OPERATOR, or --admin for every service.')
    operator = _operator(conn, told.operator) if told.operator else None
    if conn.execute(_ADD, (username, _new_hash(username), operator)).fetchone() != (True,):
        raise UsageError(f'There is an account "{username}" already.')
    runs = f"the services of {operator}" if operator else "every service (admin)"
    return f'"{username}" may sign in, and runs {runs}.'


def _change_password(conn: psycopg.Connection, username: str, told: argparse.Namespace) -> str:
    if conn.execute(_PASSWORD, (username, _new_hash(username))).fetchone() != (True,):
        raise UsageError(f'There is no account "{username}".')
    return f'"{username}" has another password, and is signed out everywhere.'


def _username(name: str) -> str:
    username = normalize_username(name)
    if not 0 < len(username) <= _LONGEST_NAME or not username.isprintable():
        raise UsageError(f"A username has 1 to {_LONGEST_NAME} characters, on one line.")
    return username


def _operator(conn: psycopg.Connection, name: str) -> str:
    """An operator's name as the timetable writes it."""
    known = [operator for (operator,) in conn.execute(_OPERATORS).fetchall()]
    for operator in known:
        if operator.casefold() == name.strip().casefold():
            return str(operator)
    raise UsageError(f'No service is run by "{name}". There are: {", ".join(known) or "none yet"}.')


def _new_hash(username: str) -> str:
    if sys.stdin.isatty():
        password = _typed_twice(username)
    else:
        password = _fit(sys.stdin.readline().removesuffix("\n").removesuffix("\r"))
    return Passwords(at_once=1, wait_seconds=1).hash(password)


def _typed_twice(username: str) -> str:
    """A password, asked for until it will do: whoever types on must not type it into their shell."""
    while True:
        try:
            password = _fit(getpass.getpass(f"Password for {username}: "))
            if getpass.getpass("The same again: ") == password:
                return password
            raise UsageError("These were two different passwords.")
        except UsageError as error:
            print(error, file=sys.stderr)


def _fit(password: str) -> str:
    """A password by which one can sign in, and others not so easily."""
    if len(password) < _SHORTEST:
        raise UsageError(f"A password has {_SHORTEST} characters at least.")
    if len(password) > _LONGEST:
        raise UsageError(f"A password has {_LONGEST} characters at most.")
    return password
