"""The command busware-server: starts the server, or runs the subcommand that the first argument names.

A subcommand loads its own modules alone. `--help` lists the subcommands (server/start.py).
"""

import sys

from busware.server.installation import USAGE, require

_PACKAGES = (  # of the extra [server], as they are imported
    "argon2", "dotenv", "httptools", "litestar", "phonenumbers", "prometheus_client", "prompt_toolkit",
    "psycopg", "psycopg_pool", "uvicorn",
)  # fmt: skip


def main(arguments: list[str]) -> None:
    """Do what the arguments say. Raises SystemExit."""
    require("server", *_PACKAGES)
    from busware.server.settings import SettingsError

    try:
        _run(arguments)
    except SettingsError as error:
        print(f"busware: {error}", file=sys.stderr)
        raise SystemExit(USAGE) from None


def _run(arguments: list[str]) -> None:
    match arguments:
        case ["health", *rest]:
            from busware.server import health

            health.main(rest)
        case ["psql", *rest]:
            from busware.server.embedded import psql

            psql.run_psql(rest)
        case ["seed", *rest]:
            from busware.server.embedded import psql

            psql.seed(rest)
        case ["audit", *rest]:
            from busware.server.embedded import psql

            psql.audit(rest)
        case ["operator", *rest]:
            from busware.server.accounts import operators

            operators.main(rest)
        case ["console", *rest]:
            from busware.server.console import prompt

            prompt.main(rest)
        case ["worker", *_]:
            from busware.server import start

            start.work()
        case _:
            from busware.server import start

            start.main(arguments)


def run() -> None:
    """The command busware-server, as pip installs it."""
    main(sys.argv[1:])


if __name__ == "__main__":
    run()
