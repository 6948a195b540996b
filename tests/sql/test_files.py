"""psql creates the same database from the files of sql/, in name order, as the server does."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from busware.server.db.schema import prepare
from tests.support.project import PROJECT

SQL = PROJECT / "sql"


def test_folder_is_flat_and_files_have_no_psql_commands() -> None:
    files = [path for path in SQL.iterdir() if path != SQL / "shards"]
    for path in (*files, *(SQL / "shards").iterdir()):
        assert path.is_file()
        assert re.fullmatch(r"[\d][a-z\d]_[a-z0-9_]+\.sql", path.name), path.name
        assert not re.search(r"^\s*\\|\bFROM\s+stdin\b", path.read_text(), re.IGNORECASE | re.MULTILINE), (
            path.name
        )


def load_by_psql(database: Any, programs: Path) -> None:
    for file in sorted(SQL.glob("*.sql")):
        command = [programs / "psql", "-v", "ON_ERROR_STOP=1", "--no-password", "--no-psqlrc", "--quiet"]
        done = subprocess.run(
            [*command, "--output", "/dev/null", "--file", file, database.owner],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def schema_of(database: Any, programs: Path) -> str:
    """The schema as a text that pg_dump writes."""
    dumped = subprocess.run(
        [programs / "pg_dump", "--schema-only", "--no-comments", "--no-privileges", database.owner],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return re.sub(r"^\\(un)?restrict .*\n", "", dumped, flags=re.MULTILINE)  # these lines have a random key


def timetable_of(database: Any) -> list[Any]:
    return [
        database.query(
            f"SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)), count(*) FROM {table} AS t"
        )
        for table in ("places", "layouts", "bus_info", "seat_plan", "route_table", "trips", "seats")
    ]


@pytest.mark.usefixtures("away_from_midnight")
def test_psql_and_server_create_the_same_database(new_database: Callable[[str], Any], cluster: Any) -> None:
    by_psql, by_server = new_database("by_psql"), new_database("by_server")
    load_by_psql(by_psql, cluster.programs)
    prepare(by_server.owner, by_server.server)
    assert schema_of(by_psql, cluster.programs) == schema_of(by_server, cluster.programs)
    assert timetable_of(by_psql) == timetable_of(by_server)

    prepare(by_psql.owner, by_psql.server)  # the first start of a server on the database that psql made
    assert schema_of(by_psql, cluster.programs) == schema_of(by_server, cluster.programs)
    assert timetable_of(by_psql) == timetable_of(by_server)
    with by_psql.connect_as_server() as conn:
        assert conn.execute("SELECT refused FROM api.read('places', '{}')").fetchone() == (False,)
