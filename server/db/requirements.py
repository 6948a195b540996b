"""What the server requires of PostgreSQL, checked on every new connection: a committed booking is durable.

After a failover, the next connection may lead to another host with other settings.
"""

import logging

import psycopg

from busware.server.settings import Settings

log = logging.getLogger("busware.requirements")

# The settings with which PostgreSQL acknowledges a commit that it may lose.
_LOSSY = """
SELECT name, setting, source, sourcefile || ', line ' || sourceline FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'
   OR name = 'synchronous_commit' AND (setting = 'off'
      OR setting = 'local' AND current_setting('synchronous_standby_names') <> '')
ORDER BY name
"""

# The values of pg_settings.source, as a person sets them.
_SET_BY = {
    "command line": "on the command line of PostgreSQL",
    "configuration file": "in the configuration file of PostgreSQL",
    "database": "by ALTER DATABASE … SET",
    "user": "by ALTER ROLE … SET",
    "database user": "by ALTER ROLE … IN DATABASE … SET",
    "client": "in the options of the URL, or in PGOPTIONS",
}


class LossyCommits(psycopg.OperationalError):
    """The connection cannot be used, because PostgreSQL may lose what it commits."""


def explain_lossy_commits(connection: psycopg.Connection) -> str:
    """The settings with which PostgreSQL may lose a commit, and where they are set. '' if there are none.

    PostgreSQL shows the name of a configuration file to some roles only.
    """
    return " and ".join(
        f"{name} is {setting}, set {f'in {place}' if place else _SET_BY.get(source, f'by {source}')}"
        for name, setting, source, place in connection.execute(_LOSSY)
    )


def require_durable_commits(connection: psycopg.Connection, settings: Settings) -> None:
    """Raise LossyCommits if PostgreSQL may lose a commit, unless accept_data_loss permits it."""
    if settings.accept_data_loss:
        return
    if why := explain_lossy_commits(connection):
        raise LossyCommits(
            f"PostgreSQL can lose acknowledged bookings in a crash or a failover: {why}. Set it to on. "
            "If the loss of bookings is acceptable, set BUSWARE_ACCEPT_DATA_LOSS=true."
        )
