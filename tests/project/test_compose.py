"""docker compose: the file is understood, and PostgreSQL's image makes the schema that the server does.

The image runs the *.sql files of its init folder, and of no folder below, in name order, each by psql
as the superuser POSTGRES_USER, in database POSTGRES_DB.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from busware.server.db.schema import prepare
from tests.support.project import PROJECT

SQL = PROJECT / "sql"


def compose(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    shutil.copy(PROJECT / "docker-compose.yml", folder)
    known = {name: value for name, value in os.environ.items() if not name.startswith("BUSWARE_")}
    return subprocess.run(
        ["docker-compose", *arguments], cwd=folder, env=known, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="there is no docker-compose")
def test_compose_understands_the_file_with_what_scripts_env_has_written(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(PROJECT / "scripts" / "env", tmp_path / "scripts")
    (tmp_path / ".env").touch()
    without = compose(tmp_path, "config")
    assert without.returncode != 0
    assert "run scripts/env first" in without.stderr
    (tmp_path / ".env").unlink()

    subprocess.run([tmp_path / "scripts" / "env"], check=True, stdout=subprocess.DEVNULL)
    understood = compose(tmp_path, "config")
    assert understood.returncode == 0, understood.stderr
    owner, server = re.findall(r"_PASSWORD=([0-9a-f]{32})\n", (tmp_path / ".env").read_text())
    assert owner != server
    for expected in (
        f"POSTGRES_PASSWORD: {owner}",
        f"BUSWARE_OWNER_URL: postgresql://busware_owner:{owner}@postgres:5432/busware",
        f"DATABASE_URL: postgresql://busware:{server}@postgres:5432/busware",
        f"{tmp_path}/sql:/docker-entrypoint-initdb.d:ro",
        "postgres:/var/lib/postgresql:rw",
    ):
        assert expected in understood.stdout


def test_scripts_env_leaves_an_env_alone(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(PROJECT / "scripts" / "env", tmp_path / "scripts")
    (tmp_path / ".env").write_text("mine")
    told = subprocess.run([tmp_path / "scripts" / "env"], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "is there already" in told.stderr
    assert (tmp_path / ".env").read_text() == "mine"


def test_the_folder_holds_nothing_that_the_image_would_not_run() -> None:
    for path in SQL.iterdir():
        assert path.is_file()
        assert re.fullmatch(r"[129]\d_[a-z0-9_]+\.sql", path.name), path.name
        assert not re.search(r"^\s*\\|\bFROM\s+stdin\b", path.read_text(), re.IGNORECASE | re.MULTILINE), (
            path.name
        )


def init_as_the_image_does(database: Any, programs: Path) -> None:
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
    """Tables, columns, constraints, indexes, functions and views, as text."""
    dumped = subprocess.run(
        [programs / "pg_dump", "--schema-only", "--no-comments", "--no-privileges", database.owner],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return re.sub(r"^\\(un)?restrict .*\n", "", dumped, flags=re.MULTILINE)  # a new key in each dump


def timetable_of(database: Any) -> list[Any]:
    return [
        database.query(
            f"SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)), count(*) FROM {table} AS t"
        )
        for table in ("places", "layouts", "bus_info", "seat_plan", "route_table", "trips", "seats")
    ]


@pytest.mark.usefixtures("one_day")
def test_the_image_makes_what_the_server_makes(new_database: Callable[[str], Any], cluster: Any) -> None:
    image, ours = new_database("image"), new_database("ours")
    init_as_the_image_does(image, cluster.programs)
    prepare(ours.owner, ours.server)
    assert schema_of(image, cluster.programs) == schema_of(ours, cluster.programs)
    assert timetable_of(image) == timetable_of(ours)

    prepare(image.owner, image.server)  # the server's first start on it
    assert schema_of(image, cluster.programs) == schema_of(ours, cluster.programs)
    assert timetable_of(image) == timetable_of(ours)
    with image.connect_as_server() as conn:
        assert conn.execute("SELECT refused FROM api.read('places', '{}')").fetchone() == (False,)
