"""How this copy of Busware is installed: what its commands are called, and whether an extra is missing.

In a checkout people type the scripts of scripts/; elsewhere, the commands that pip installs. Imports nothing
of the project, since the settings, the server and the client all use it.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

USAGE = 2  # exit status: the command line, a setting or the installation is wrong

_FOLDER = Path(__file__).resolve().parent.parent
CHECKOUT = _FOLDER if (_FOLDER / "scripts" / "start").exists() else None  # the folder of a checkout, or None

CLIENT = "scripts/client" if CHECKOUT else "busware"
SERVER = "scripts/start" if CHECKOUT else "busware-server"


def subcommand(word: str) -> str:
    """How people type a subcommand of the server, such as psql."""
    if CHECKOUT and (CHECKOUT / "scripts" / word).exists():
        return f"scripts/{word}"
    return f"{SERVER} {word}"


def require(extra: str, *modules: str) -> None:
    """Exit with a line that says what to install, unless every module of an extra is installed."""
    if any(find_spec(module) is None for module in modules):
        command = f"{sys.executable} -m pip install 'busware[{extra}]'"
        print(f"busware: this command needs more packages. Run: {command}", file=sys.stderr)
        raise SystemExit(USAGE)
