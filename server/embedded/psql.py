"""The subcommands psql, pg_basebackup, seed and audit: they connect to the running database, as its owner.

All but audit run a program of PostgreSQL, from the PATH or from the programs of the embedded PostgreSQL. The
password is passed in the environment, because every user of the machine can read a command line.
"""

import os
import shutil
import subprocess
from collections.abc import Callable

import psycopg
from psycopg import pq

from busware.server.command_line import Parser
from busware.server.db.shards import audit_shards
from busware.server.embedded.data_folder import PostgresError, find_programs, find_urls
from busware.server.installation import EXIT_USAGE, subcommand
from busware.server.output import NotShown, complain, show, show_done
from busware.server.settings import Settings

FINDINGS, NOT_CHECKED = 1, 2  # exit statuses of audit; 0: no findings

_PSQL_HELP = """\
Run psql on the running database, as its owner. Takes psql's arguments, which {prog} -? lists."""
_BASE_BACKUP_HELP = """\
Run pg_basebackup on the running database, as its owner. Takes pg_basebackup's arguments, which {prog} -? \
lists. docs/backup.md says how to back up and recover a database."""
_SEED_HELP = """\
Load timetables into the running database. A file is loaded completely or not at all. \
docs/timetables.md says how to write one. \
Exit status: 0 loaded, 4 loaded, but the output could not be written; else not loaded."""
_AUDIT_HELP = """\
Check the whole database against the rules of Busware, and print a line for each finding. \
Exit status: 0 no findings, 1 findings, 2 the database could not be checked, or the findings not written."""
_SEED_OPTIONS = (  # print rows only; stop at the first error
    "--no-psqlrc", "--tuples-only", "--no-align", "--quiet",
    "--set", "ON_ERROR_STOP=1", "--set", "SHOW_CONTEXT=never",
)  # fmt: skip

# A file is loaded in one transaction, and cannot end it. A COMMIT in the file fires the deferred trigger,
# which raises an exception. After a ROLLBACK, statements that write fail, because the session is read-only.
_BEFORE_SEED = (
    "SET default_transaction_read_only = on",
    "BEGIN READ WRITE",
    "CREATE TEMP TABLE seed_in_progress ()",
    """CREATE FUNCTION pg_temp.refuse_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM pg_temp.seed_in_progress) THEN
            RAISE EXCEPTION 'The file ends its transaction, so nothing of it is loaded.'
                USING HINT = 'Remove BEGIN, COMMIT and ROLLBACK: a file is loaded in one transaction.';
        END IF;
        RETURN NULL;
    END $$""",
    "CREATE CONSTRAINT TRIGGER refuse_commit AFTER INSERT ON pg_temp.seed_in_progress"
    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse_commit()",
    "INSERT INTO pg_temp.seed_in_progress DEFAULT VALUES",
)
_AFTER_SEED = (
    r"\set ON_ERROR_STOP 1",
    "DELETE FROM pg_temp.seed_in_progress",  # fails after a ROLLBACK, which has dropped the table
    "COMMIT",
)


def run_psql(arguments: list[str]) -> None:
    """Replace this process by psql. Raises SystemExit."""
    _run("psql", _find_psql, _PSQL_HELP, arguments)


def run_pg_basebackup(arguments: list[str]) -> None:
    """Replace this process by pg_basebackup. Raises SystemExit."""
    _run("pg_basebackup", _find_pg_basebackup, _BASE_BACKUP_HELP, arguments)


def _run(name: str, find: Callable[[], str], about: str, arguments: list[str]) -> None:
    """Replace this process by a program of PostgreSQL, or print what it does. Raises SystemExit."""
    if arguments[:1] == ["--help"]:
        show(about.format(prog=subcommand(name)))
        return
    program, environment = find(), _environment()
    os.execve(program, [name, *arguments], environment)  # noqa: S606 - no shell is needed


def seed(arguments: list[str]) -> None:
    """Load SQL files of timetables, each in one transaction. Raises SystemExit."""
    parser = Parser(prog=subcommand("seed"), description=_SEED_HELP)
    parser.add_argument("files", nargs="+", metavar="FILE", help="SQL that calls api.add_service")
    for file in parser.parse_args(arguments).files:
        if not os.access(file, os.R_OK):
            complain(f"busware: File {file} does not exist, or cannot be read.")
            raise SystemExit(EXIT_USAGE)
        psql, environment = _find_psql(), _environment()
        before = (f"--command={statement}" for statement in _BEFORE_SEED)
        after = (f"--command={statement}" for statement in _AFTER_SEED)
        command = [psql, *_SEED_OPTIONS, *before, "--file", file, *after]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            complain(f"busware: Nothing of {file} is loaded. Correct it, and load it again.")
            raise SystemExit(done.returncode)
        answers = done.stdout.splitlines()  # api.add_service returns t if it added the service, else f
        added, left = answers.count("t"), answers.count("f")
        loaded = f"{file} is loaded: {added} added, {left} there already and left unchanged."
        show_done(loaded, loaded)


def audit(arguments: list[str]) -> None:
    """Check the whole database, and print the findings. Raises SystemExit, unless there are none."""
    Parser(prog=subcommand("audit"), description=_AUDIT_HELP).parse_args(arguments)
    try:
        settings = Settings.load()
        urls = find_urls(settings)
        if settings.shards:
            findings = list(audit_shards(urls.owner, urls.server, settings))
        else:
            with psycopg.connect(urls.owner) as connection:
                findings = connection.execute("SELECT * FROM api.audit()").fetchall()
    except (PostgresError, psycopg.Error) as error:
        complain(f"busware: {error}")
        raise SystemExit(NOT_CHECKED) from None
    try:
        show("\n".join(" | ".join(map(str, finding)) for finding in findings) or "Clean: every rule holds.")
    except NotShown as error:
        complain(f"busware: the findings ({len(findings)}) could not be written: {error}.")
        raise SystemExit(NOT_CHECKED) from None
    if findings:
        raise SystemExit(FINDINGS)


def _find_psql() -> str:
    """The path of psql: the one of the PATH, if there is one. Raises SystemExit."""
    psql = shutil.which("psql") or _find_program("psql")
    if psql is None:
        raise SystemExit("busware: There is no psql on this machine: apt install postgresql-client")
    return psql


def _find_pg_basebackup() -> str:
    """The path of the newest pg_basebackup: it must not be older than the server. Raises SystemExit."""
    program = _find_program("pg_basebackup") or shutil.which("pg_basebackup")
    if program is None:
        raise SystemExit("busware: There is no pg_basebackup on this machine: apt install postgresql-client")
    return program


def _find_program(name: str) -> str | None:
    """The path of a program of the embedded PostgreSQL, or of the newest one that Debian has installed."""
    programs = (folder / name for folder in find_programs())
    return next((str(program) for program in programs if program.exists()), None)


def _environment() -> dict[str, str]:
    """The environment with which a program of PostgreSQL connects to the database. Raises SystemExit."""
    try:
        url = find_urls(Settings.load()).owner
    except PostgresError as error:
        raise SystemExit(f"busware: {error}") from None
    options = ((option.envvar, option.val) for option in pq.Conninfo.parse(url.encode()))
    known = {name.decode(): value.decode() for name, value in options if name and value}
    return {**os.environ, **known}
