"""How this copy of Busware is installed: the names of its commands, and missing packages.

In a checkout the commands are the scripts in scripts/; else they are the commands that pip installs. Imports
nothing of the project, because the settings, the server and the client use it.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

EXIT_USAGE = 2  # the command line, a setting or the installation is wrong

_FOLDER = Path(__file__).resolve().parent.parent
CHECKOUT = _FOLDER if (_FOLDER / "scripts" / "start").exists() else None  # the folder of a checkout, or None

CLIENT = "scripts/client" if CHECKOUT else "busware"
SERVER = "scripts/start" if CHECKOUT else "busware-server"
SUBCOMMANDS = {  # of the server; server/__main__.py runs them
    "psql": "run psql on the running database, as its owner",
    "pg_basebackup": "run pg_basebackup on the running database, as its owner",
    "seed": "load timetables from SQL files",
    "timetable": "load services from YAML or CSV files, or write them to a file",
    "gtfs": "import and export timetables as GTFS",
    "audit": "check the whole database",
    "operator": "manage operator accounts",
    "bounce": "record mails that came back",
    "outbox": "list, retry or discard what could not be sent",
    "reconcile": "compare payments and refunds with those of their provider",
    "shards": "list, add or move shards",
    "console": "open the operator's console of a running server",
    "health": "check whether the running server is ready",
}


def subcommand(name: str) -> str:
    """The command line of a subcommand of the server, such as psql."""
    if CHECKOUT and (CHECKOUT / "scripts" / name).exists():
        return f"scripts/{name}"
    return f"{SERVER} {name}"


def require(extra: str, *modules: str) -> None:
    """Exit with an error that says what to install, unless all modules of an extra are installed."""
    if any(find_spec(module) is None for module in modules):
        command = f"{sys.executable} -m pip install 'busware[{extra}]'"
        print(f"busware: this command needs more packages. Run: {command}", file=sys.stderr)
        raise SystemExit(EXIT_USAGE)
