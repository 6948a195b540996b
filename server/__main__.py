"""The command busware-server: starts the server, or runs the subcommand that the first argument names.

Only the modules that the subcommand needs are loaded. `--help` lists the subcommands.
"""

import sys
from importlib import import_module

from busware.server import output
from busware.server.installation import EXIT_USAGE, require

_PACKAGES = (  # of the extra [server], by the names by which they are imported
    "argon2", "babel", "dotenv", "httptools", "icalendar", "jinja2", "phonenumbers", "prometheus_client",
    "prompt_toolkit", "psycopg", "psycopg_pool", "segno", "starlette", "uvicorn", "yaml",
)  # fmt: skip
_FUNCTIONS = {  # subcommand → module of the server, function
    "audit": ("embedded.psql", "audit"),
    "bounce": ("mail.bounce_command", "main"),
    "console": ("console.prompt", "main"),
    "gtfs": ("gtfs.commands", "main"),
    "health": ("health", "main"),
    "operator": ("accounts.operators", "main"),
    "outbox": ("outbox.command", "main"),
    "reconcile": ("reconciliation.command", "main"),
    "pg_basebackup": ("embedded.psql", "run_pg_basebackup"),
    "psql": ("embedded.psql", "run_psql"),
    "seed": ("embedded.psql", "seed"),
    "shards": ("shards.command", "main"),
    "timetable": ("timetables.command", "main"),
    "worker": ("start", "work"),  # run by the supervisor; not in the help
}


def main(arguments: list[str]) -> None:
    """Run the command line. Raises SystemExit."""
    require("server", *_PACKAGES)
    from busware.server.settings import SettingsError

    module, function = "start", "main"
    if arguments and arguments[0] in _FUNCTIONS:
        module, function = _FUNCTIONS[arguments[0]]
        arguments = arguments[1:]
    try:
        getattr(import_module(f"busware.server.{module}"), function)(arguments)
    except SettingsError as error:
        print(f"busware: {error}", file=sys.stderr)
        raise SystemExit(EXIT_USAGE) from None


def run() -> None:
    """Entry point of the installed command."""
    output.run(main)


if __name__ == "__main__":
    run()
