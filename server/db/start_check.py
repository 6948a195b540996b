"""The check at the start that the URLs of the settings lead to a PostgreSQL that the server can use."""

import logging
from contextlib import closing

import psycopg

from busware.server.db.deadlines import Deadlines, connection_parameters
from busware.server.db.pool import DatabaseUnavailable, connect
from busware.server.db.requirements import (
    explain_lossy_commits,
    explain_transaction_pooler,
    receives_notifications,
)
from busware.server.settings import Settings

log = logging.getLogger("busware")


def _connect_without_session(url: str, settings: Settings, deadlines: Deadlines) -> psycopg.Connection:
    parameters = connection_parameters(url, settings)
    return deadlines.connection_class.connect(url, autocommit=True, **parameters)


def check_database(server_url: str, session_url: str, settings: Settings) -> None:
    """Check that PostgreSQL meets the requirements of the server. Raises DatabaseUnavailable.

    server_url: for the pool. session_url: for the connections that need a session.
    """
    deadlines = Deadlines(settings)
    try:
        with (
            closing(connect(session_url, settings, "start", deadlines)) as session,
            closing(_connect_without_session(server_url, settings, deadlines)) as other,
        ):
            if why := explain_lossy_commits(session):
                log.warning("BUSWARE_ACCEPT_DATA_LOSS is true: a crash may lose bookings, because %s.", why)
            if not receives_notifications(session, other):
                raise DatabaseUnavailable(
                    "BUSWARE_LISTEN_URL leads to another database than DATABASE_URL, or to a pooler in "
                    "transaction mode. Set it to the same database without that pooler."
                    if settings.listen_url
                    else explain_transaction_pooler("DATABASE_URL")
                )
    except psycopg.Error as error:
        raise DatabaseUnavailable(str(error)) from error
