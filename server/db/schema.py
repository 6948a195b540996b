"""The schema: brings a database to what this server needs, from empty or from an older version.

sql/1*.sql  migrations: each runs once, in a transaction of its own, and records itself in `migrations`
sql/2*.sql  schema api and the views: all replaced in one transaction when their text has changed; a
            digest of it is the comment on the schema
sql/9*.sql  timetables: run when missing or changed, recorded in `seeds_loaded`; they add what is
            missing and leave what is there

All of it happens under one advisory lock, so that several servers may start at once; whoever comes
second finds nothing to do. The server's own role is made here where it is missing and we may, and is
granted what it needs: to read the tables, and to call the functions of schema api. Those of them that
write for it run with their owner's rights; the others, called by the role itself, could not write.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import conninfo_to_dict

log = logging.getLogger("busware.schema")

Connection = psycopg.Connection[tuple[Any, ...]]

FOLDER = Path(__file__).resolve().parents[2] / "sql"  # in a checkout as in the installed package
OLDEST_POSTGRES = 15
LOCK = 0x62757377617265  # "busware": no other program takes this advisory lock
LOCK_SECONDS = 60  # how long to wait for another server that prepares, or for a table in use
RETRY_SECONDS = 0.2  # the pause before a database that is not there yet is tried again

_LACKING_GRANTS = """
    SELECT format('GRANT CONNECT ON DATABASE %%I TO %%I', current_database(), %(role)s::text)
    WHERE NOT has_database_privilege(%(role)s::text, current_database(), 'CONNECT')
UNION ALL
    SELECT format('GRANT USAGE ON SCHEMA %%I TO %%I', nspname, %(role)s::text) FROM pg_namespace
    WHERE nspname IN ('public', 'api') AND NOT has_schema_privilege(%(role)s::text, oid, 'USAGE')
UNION ALL
    SELECT format('GRANT SELECT ON %%s TO %%I', oid::regclass, %(role)s::text) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
      AND relowner = current_user::regrole AND NOT has_table_privilege(%(role)s::text, oid, 'SELECT')
UNION ALL
    SELECT format('GRANT EXECUTE ON FUNCTION %%s TO %%I', oid::regprocedure, %(role)s::text) FROM pg_proc
    WHERE pronamespace = 'api'::regnamespace AND NOT has_function_privilege(%(role)s::text, oid, 'EXECUTE')
"""


class SchemaError(Exception):
    """The database cannot be made ready. The message says why, and the way out."""


def prepare(owner_url: str, server_url: str, *, seed: bool = True, connect_seconds: float = 10) -> None:
    """Bring the database to this version: tables, functions, the server's rights, timetables.

    owner_url: the owner, who may create. server_url: names the role that will serve, and its password.
    Raises SchemaError, having changed nothing that is half done.
    """
    with _connect(owner_url, connect_seconds) as conn:
        conn.execute(f"SET search_path = public; SET lock_timeout = '{LOCK_SECONDS}s'".encode())
        try:
            conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # released with the connection
            _migrate(conn)
            _replace_functions(conn)
            _grant(conn, _create_role(conn, server_url))
            if seed:
                _load_seeds(conn)
        except psycopg.errors.InsufficientPrivilege as error:
            raise SchemaError(
                f"{conn.info.user} may not make Busware's tables in database {conn.info.dbname}: "
                f"{_said(error)}.\nMake it the owner, ALTER DATABASE {conn.info.dbname} OWNER TO "
                f"{conn.info.user}, or name the owner: BUSWARE_OWNER_URL=postgresql://…"
            ) from error
        except psycopg.errors.FeatureNotSupported as error:
            raise SchemaError(
                f"{_said(error)}.\nPostgreSQL lacks an extension: install its contrib package, "
                "such as apt install postgresql-contrib."
            ) from error
        except psycopg.Error as error:
            raise SchemaError(f"The database refuses the schema: {_said(error)}.") from error


def load_seed(conn: Connection, file: Path, say: Callable[[str], None] = log.info) -> None:
    """Run a timetable, all of it or nothing, and record that.

    say: is told what the file has to say, a line at a time. Raises psycopg.Error.
    """
    text = file.read_bytes()

    def tell(notice: psycopg.errors.Diagnostic) -> None:
        say(f"{file.name}: {notice.message_primary}")

    conn.add_notice_handler(tell)
    try:
        with conn.transaction():
            conn.execute(text)
            conn.execute(
                "INSERT INTO seeds_loaded (name, digest) VALUES (%s, %s) ON CONFLICT (name) "
                "DO UPDATE SET digest = excluded.digest, loaded_at = now()",
                [file.stem, _digest(file)],
            )
    finally:
        conn.remove_notice_handler(tell)


# The steps of prepare --------------------------------------------------------------------------


def _connect(url: str, seconds: float) -> Connection:
    """Connect as the owner, waiting for a database that is just starting."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            conn = psycopg.connect(url, autocommit=True, connect_timeout=max(2, int(seconds)))
            break
        except psycopg.OperationalError as error:
            there = pq.PGconn.ping(url.encode()) == pq.Ping.OK  # then it will not have us, and never will
            if there or time.monotonic() > deadline:
                raise SchemaError(f"The database cannot be reached: {str(error).strip()}") from error
        except psycopg.ProgrammingError as error:
            raise SchemaError(f"The URL of the database is not understood: {error}.") from None
        time.sleep(RETRY_SECONDS)
    version = conn.info.server_version // 10000
    if version < OLDEST_POSTGRES:
        conn.close()
        raise SchemaError(f"The database is PostgreSQL {version}; Busware wants {OLDEST_POSTGRES} or newer.")
    return conn


def _migrate(conn: Connection) -> None:
    """Run the migrations that the database lacks."""
    files = {file.stem: file for file in sorted(FOLDER.glob("1*.sql"))}
    done = _column(conn, "name", "migrations")
    if newer := done - files.keys():
        raise SchemaError(
            f"The database belongs to a newer Busware, which has made {', '.join(sorted(newer))}: "
            "start that one; this one does not know these tables."
        )
    for name in sorted(files.keys() - done):
        log.info("Migration %s.", name)
        with conn.transaction():
            conn.execute(files[name].read_bytes())


def _replace_functions(conn: Connection) -> None:
    """Make schema api and the views anew, unless they are this version's."""
    files = sorted(FOLDER.glob("2*.sql"))
    digest = _digest(*files)
    comment = conn.execute("SELECT obj_description(to_regnamespace('api'), 'pg_namespace')").fetchone()
    if comment == (digest,):
        return
    with conn.transaction():
        for file in files:
            conn.execute(file.read_bytes())
        conn.execute(sql.SQL("COMMENT ON SCHEMA api IS {}").format(digest))


def _create_role(conn: Connection, server_url: str) -> str:
    """Make the role that serves, if it is missing. Answers its name."""
    told = conninfo_to_dict(server_url)
    role, password = str(told.get("user") or ""), str(told.get("password") or "")
    if not role:
        raise SchemaError("DATABASE_URL names no role: postgresql://role:password@host/database")
    if conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        return role
    secret = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
    try:
        conn.execute(create.format(sql.Identifier(role), secret if password else None))
    except psycopg.errors.InsufficientPrivilege as error:
        raise SchemaError(
            f"There is no role {role}, whom DATABASE_URL names, and {conn.info.user} may not make it. "
            f"Let somebody who may do so: CREATE ROLE {role} LOGIN PASSWORD '…'"
        ) from error
    return role


def _grant(conn: Connection, role: str) -> None:
    """Grant the role what it lacks for serving: to read, and to call, which is how it writes."""
    lacking = conn.execute(_LACKING_GRANTS, {"role": role}).fetchall()
    with conn.transaction():
        for (grant,) in lacking:
            conn.execute(grant.encode())


def _load_seeds(conn: Connection) -> None:
    loaded = _column(conn, "name || ' ' || digest", "seeds_loaded")
    for file in sorted(FOLDER.glob("9*.sql")):
        if f"{file.stem} {_digest(file)}" not in loaded:
            log.info("Timetable %s.", file.stem)
            load_seed(conn, file)


# What they share -------------------------------------------------------------------------------


def _column(conn: Connection, expression: str, table: str) -> set[str]:
    """The values of a column of a table of ours; none when the table is not there yet."""
    there = conn.execute("SELECT to_regclass(%s)", [f"public.{table}"]).fetchone()
    if there == (None,):
        return set()
    return {row[0] for row in conn.execute(f"SELECT {expression} FROM {table}".encode())}  # noqa: S608 - ours


def _digest(*files: Path) -> str:
    return hashlib.sha256(
        b"".join(file.name.encode() + b"\n" + file.read_bytes() for file in files)
    ).hexdigest()


def _said(error: psycopg.Error) -> str:
    """What PostgreSQL said: the message, and its hint."""
    words = [error.diag.message_primary or str(error), error.diag.message_hint]
    return " ".join(word.strip() for word in words if word).rstrip(".")
