"""The server. docs/architecture.md says what each package and module does.

__main__ finds the subcommand. Module start starts the embedded PostgreSQL, migrates the database (db/schema),
and runs one server process (service.py) or a supervisor of several. The database decides everything that
must be atomic, in the functions of sql/.
"""

from importlib.util import find_spec

if find_spec("busware") is None or find_spec("msgspec") is None:  # a checkout without its environment
    raise SystemExit(
        "busware: this Python lacks packages of Busware. Use scripts/python, which installs them."
    )
