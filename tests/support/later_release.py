"""Releases of Busware that never were: their sql folders, and servers that run from these.

`python -m tests.support.later_release FOLDER VERSION …` is the server of a release: its sql, its version.
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
    """A copy of the folder sql, which the test may change, in place of the project's."""
    copy = tmp_path / "sql"
    shutil.copytree(schema.FOLDER, copy)
    monkeypatch.setattr(schema, "FOLDER", copy)
    return copy


def prepare(database: Any, **settings: Any) -> None:
    """Bring the database to the version of schema.FOLDER."""
    told = Settings(**{"seed": False, "connect_seconds": 0.1, **settings})
    schema.prepare(database.owner, database.server, told)


def version_of(n: int) -> str:
    """The version of the nth release after the present one."""
    return f"1.{n}.0"


def make_release(folder: Path, n: int) -> Path:
    """The sql folder of the nth release, made from the present one.

    It has one more migration than the release before, which adds a column to a table in use. All reads and
    writes call a function that no other release has. Every third release changes a composite type, every
    third another function's result type.
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


def replace(file: Path, old: str, new: str) -> None:
    """Change a file where it says `old`, once."""
    text = file.read_text()
    assert text.count(old) == 1, f"{file.name} has changed: {old!r} is not there once"
    file.write_text(text.replace(old, new))


if __name__ == "__main__":
    schema.FOLDER, schema.VERSION = Path(sys.argv[1]), sys.argv[2]
    main(sys.argv[3:])
