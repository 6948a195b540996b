"""What the server requires of PostgreSQL: durable commits, and sessions.

durable commits  checked on every new connection, because after a failover it may lead to another host
sessions         LISTEN and advisory locks last as long as the connection; checked at the start. A pooler in
                 transaction mode runs each transaction of a connection in any session
"""

import secrets

import psycopg

from busware.server.settings import Settings

NOTIFICATION_SECONDS = 5.0  # how long a notification may take to arrive

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


def receives_notifications(listening: psycopg.Connection, notifying: psycopg.Connection) -> bool:
    """Whether a notification of one connection reaches the other. Both are in autocommit mode.

    If not, the listening one has no session, or they lead to different databases.
    """
    channel = f"busware_{secrets.token_hex(8)}"
    listening.execute(f"LISTEN {channel}".encode())
    notifying.execute("SELECT pg_notify(%s, '')", (channel,))
    return bool(list(listening.notifies(timeout=NOTIFICATION_SECONDS, stop_after=1)))


def explain_transaction_pooler(variable: str) -> str:
    """What to do if the URL of a setting leads to a pooler in transaction mode."""
    remedy = "Set BUSWARE_LISTEN_URL too," if variable == "DATABASE_URL" else "Set it"
    return (
        f"{variable} leads to a pooler in transaction mode, in which LISTEN and advisory locks have no "
        f"effect. {remedy} to the same database without that pooler."
    )
