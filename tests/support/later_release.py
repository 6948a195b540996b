"""Later releases of Busware, made up for the tests of upgrades: their sql folders and their servers.

`python -m tests.support.later_release FOLDER VERSION …` runs a server with the SQL and version of a release.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from busware.server.__main__ import main
from busware.server.db import schema
from busware.server.settings import Settings

_TABLES = ("trips", "passengers", "seats", "idempotency_keys", "bus_info")
_LAST_FIELD = "at jsonb, reason text, account text"  # of api.request


@pytest.fixture
def sql_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder sql that the server uses instead of the original; the test may change it."""
    copy = tmp_path / "sql"
    shutil.copytree(schema.FOLDER, copy)
    monkeypatch.setattr(schema, "FOLDER", copy)
    return copy


def prepare(database: Any, **settings: Any) -> None:
    """Bring the database to the version of schema.FOLDER."""
    defaults = {"seed": False, "connect_seconds": 0.1}
    schema.prepare(database.owner, database.server, Settings(**{**defaults, **settings}))


def version_of(n: int) -> str:
    """The version of the nth release after the present one."""
    return f"1.{n}.0"


def make_release(folder: Path, n: int) -> Path:
    """Make the sql folder of the nth release from the present one.

    It has one more migration than release n - 1, which adds a column to a table in use. All reads and writes
    call a function that no other release has. Every third release changes a composite type, and every third
    one the result type of a function.
    """
    sql = folder / f"sql_{n}"
    shutil.copytree(schema.FOLDER, sql)
    for step in range(1, n + 1):
        name = f"19_step_{step:02}"
        (sql / f"{name}.sql").write_text(
            f"ALTER TABLE {_TABLES[step % len(_TABLES)]} ADD COLUMN step_{step} int;\n"
            f"INSERT INTO migrations (name) VALUES ('{name}');\n"
        )
    result = "bigint" if (n + 1) // 3 % 2 else "int"
    (sql / "21_step.sql").write_text(
        f"CREATE OR REPLACE FUNCTION api.step() RETURNS {result} LANGUAGE sql RETURN {n};\n"
        f"CREATE OR REPLACE FUNCTION api.step_{n}() RETURNS int LANGUAGE sql RETURN {n};\n"
    )
    replace(sql / "20_schema.sql", _LAST_FIELD, f"{_LAST_FIELD}, step_{n // 3} text")
    for name, place in (("read", "    CASE method   --"), ("batch", "            o := api.dispatch")):
        replace(sql / f"26_{name}.sql", place, f"    PERFORM api.step_{n}();\n{place}")
    return sql


def add_migration(sql_folder: Path, sql: str, *, breaking: bool = False) -> None:
    """Add a migration to a release."""
    record = "(name, breaking) VALUES ('19_more', true)" if breaking else "(name) VALUES ('19_more')"
    (sql_folder / "19_more.sql").write_text(f"{sql};\nINSERT INTO migrations {record};\n")


def release_of(sql_folder: Path, version: str = "9.0.0") -> tuple[str, ...]:
    """The arguments of Python that run a server of a release."""
    return "-m", "tests.support.later_release", str(sql_folder), version


def replace(file: Path, old: str, new: str) -> None:
    """Replace the only occurrence of `old` in a file."""
    text = file.read_text()
    assert text.count(old) == 1, f"{file.name} contains {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new))


if __name__ == "__main__":
    schema.FOLDER, schema.VERSION = Path(sys.argv[1]), sys.argv[2]
    main(sys.argv[3:])
