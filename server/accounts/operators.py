"""The subcommand `operator` of the server: accounts of operators and agents, and their passwords.

It connects as the owner of the database, because the server's role must not create operators. It reads the
password from the terminal, twice, or from the first line of a pipe.
"""

import argparse
import sys

import msgspec
import psycopg

from busware.server.accounts.passwords import Passwords
from busware.server.accounts.sessions import check_new_username, normalize_username
from busware.server.command_line import Parser, ask_new_password
from busware.server.embedded.data_folder import explained, find_urls
from busware.server.installation import subcommand
from busware.server.output import show_done
from busware.server.protocol import Login, Refusal, fold_name
from busware.server.protocol.jsonrpc import decode_params
from busware.server.settings import Settings

_HELP = """\
Accounts of operators and their agents. Exit status: 0 done, 1 not done, 2 the command line is wrong, \
4 done, but the output could not be written."""
_MIN_PASSWORD_LENGTH = 8  # in characters, whatever the setting for travellers

_OPERATORS = "SELECT DISTINCT operator FROM bus_info ORDER BY operator"
_FIRST_OPERATOR = "SELECT 1 FROM accounts WHERE role IN ('operator', 'admin') LIMIT 1"
_ADD = "SELECT api.add_operator(%s, %s, %s)"
_ADD_AGENT = "SELECT api.add_agent(%s, %s, %s)"
_CHANGE_PASSWORD = "SELECT api.change_password(%s, %s)"  # noqa: S105 - a statement, not a password


class UsageError(Exception):
    """The command cannot be executed. The message says why."""


def main(arguments: list[str]) -> None:
    """Run the subcommand. Raises SystemExit on an error."""
    options = _parser().parse_args(arguments)
    settings = Settings.load()
    with (
        explained(UsageError, Refusal),
        psycopg.connect(find_urls(settings).owner, autocommit=True) as conn,
    ):
        username = _validated("username", normalize_username(options.name))
        done = options.run(conn, username, options)
    show_done(done, done)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=subcommand("operator"), description=_HELP)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add = commands.add_parser("add", help="create an account for an operator or an agent")
    add.set_defaults(run=_add)
    scope = add.add_mutually_exclusive_group()
    scope.add_argument("--operator", metavar="OPERATOR", help="run the services of this operator only")
    scope.add_argument(
        "--admin", action="store_true", help="run all services; the default for the first account"
    )
    scope.add_argument(
        "--agent", metavar="OPERATOR", help="sell tickets of this operator at a counter, and run nothing"
    )
    password = commands.add_parser("password", help="change the password of an account, and sign it out")
    password.set_defaults(run=_change_password)
    for command in (add, password):
        command.add_argument("name", metavar="NAME", help="the username")
    return parser


def _add(conn: psycopg.Connection, username: str, options: argparse.Namespace) -> str:
    check_new_username(username)
    has_role = options.operator or options.agent or options.admin
    if not has_role and conn.execute(_FIRST_OPERATOR).fetchone():
        raise UsageError("Give --operator OPERATOR, --agent OPERATOR, or --admin for all services.")
    operator = options.operator or options.agent
    operator = _find_operator(conn, operator) if operator else None
    add = _ADD_AGENT if options.agent else _ADD
    if conn.execute(add, (username, _new_hash(username), operator)).fetchone() != (True,):
        raise UsageError(f'The account "{username}" exists already.')
    rights = f"runs the services of {operator}" if operator else "runs all services (admin)"
    if options.agent:
        rights = f"sells tickets of {operator} (agent)"
    return f'The account "{username}" was created. It {rights}.'


def _change_password(conn: psycopg.Connection, username: str, options: argparse.Namespace) -> str:
    if conn.execute(_CHANGE_PASSWORD, (username, _new_hash(username))).fetchone() != (True,):
        raise UsageError(f'There is no account "{username}".')
    return f'The password of "{username}" was changed, and the account was signed out everywhere.'


def _find_operator(conn: psycopg.Connection, name: str) -> str:
    """The operator's name as the timetable has it, for a name in any case."""
    operators: list[str] = [operator for (operator,) in conn.execute(_OPERATORS).fetchall()]
    matching = [operator for operator in operators if fold_name(operator) == fold_name(name)]
    if name in operators or len(matching) == 1:
        return name if name in operators else matching[0]
    if matching:
        raise UsageError(f"Several operators have that name: {', '.join(matching)}. Type it exactly.")
    raise UsageError(f'No service is run by "{name}". Operators: {", ".join(operators) or "none yet"}.')


def _new_hash(username: str) -> str:
    if sys.stdin.isatty():
        password = ask_new_password(username, _problem_of_password)
    else:
        password = _valid_password(sys.stdin.readline().removesuffix("\n").removesuffix("\r"))
    return Passwords(Settings.load().password_memory_mib).hash(password)


def _problem_of_password(password: str) -> str:
    try:
        _valid_password(password)
    except (UsageError, Refusal) as error:
        return str(error)
    return ""


def _valid_password(password: str) -> str:
    if len(password) < _MIN_PASSWORD_LENGTH:
        raise UsageError(f"The password is too short: it needs at least {_MIN_PASSWORD_LENGTH} characters.")
    return _validated("password", password)


def _validated(field: str, value: str) -> str:
    """The value, if it is valid for this field of the method `login`. Raises Refusal."""
    decode_params(Login, msgspec.json.encode({field: value}))
    return value
