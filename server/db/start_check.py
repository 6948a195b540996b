"""The check of the database's settings at the start, before the server accepts clients."""

import logging

import psycopg

from busware.server.db.pool import DatabaseUnavailable, connect
from busware.server.db.requirements import explain_lossy_commits
from busware.server.settings import Settings

log = logging.getLogger("busware")


def check_database(server_url: str, settings: Settings) -> None:
    """Check that PostgreSQL meets the requirements of the server. Raises DatabaseUnavailable.

    server_url: has the server's role and password.
    """
    try:
        with connect(server_url, settings, "start") as connection:
            if why := explain_lossy_commits(connection):
                log.warning("BUSWARE_ACCEPT_DATA_LOSS is true: a crash may lose bookings, because %s.", why)
    except psycopg.Error as error:
        raise DatabaseUnavailable(str(error)) from error
