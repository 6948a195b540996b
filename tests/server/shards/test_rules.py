"""Each entry point has a rule that says which database executes it, and the proxy follows the rules."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.project import PROJECT
from tests.support.shards import ShardedInstallation

pytestmark = pytest.mark.system

ENTRY_POINTS = """
SELECT DISTINCT p.proname FROM pg_proc p
WHERE p.pronamespace = 'api'::regnamespace AND p.prosecdef AND p.oid <> ALL (api.previous_entry_points())
"""
OF_PROXY = {"note_shard", "shard_map"}  # entry points that only the proxy has


@pytest.fixture
def proxy(sharded: ShardedInstallation) -> Iterator[psycopg.Connection[Any]]:
    with sharded.proxy.connect() as conn:
        yield conn


def names(conn: psycopg.Connection[Any], statement: str) -> set[str]:
    return {name for (name,) in conn.execute(statement.encode())}


def of_shards_alone() -> set[str]:
    """The functions that only shards have, for the proxy."""
    files = (PROJECT / "sql" / "shards").glob("1?_*.sql")
    return {name for file in files for name in re.findall(r"FUNCTION api\.(\w+)\(", file.read_text())}


def branches(file: str) -> set[str]:
    """The methods of an entry point: the branches of its CASE."""
    return set(re.findall(r"WHEN '(\w+)' THEN", (PROJECT / "sql" / file).read_text()))


def test_each_entry_point_has_one_rule(
    sharded: ShardedInstallation,
    proxy: psycopg.Connection[Any],
) -> None:
    rules = [name for (name,) in proxy.execute("SELECT function FROM shards.rules()")]
    assert len(rules) == len(set(rules))
    functions = {name for name in rules if "." not in name}
    assert functions == names(proxy, ENTRY_POINTS)
    with sharded.shards[0].connect() as shard:
        of_shard = names(shard, ENTRY_POINTS) - of_shards_alone()
        rows = names(shard, "SELECT unnest(shards.row_functions() || shards.list_functions())")
    assert of_shard == functions - OF_PROXY | rows


@pytest.mark.parametrize("function", ["read", "change_service", "change_fleet"])
def test_each_method_of_an_entry_point_has_one_rule(proxy: psycopg.Connection[Any], function: str) -> None:
    of_function = "SELECT split_part(function, '.', 2) FROM shards.rules() WHERE function LIKE "
    assert names(proxy, f"{of_function} '{function}.%'") == branches(f"26_{function}.sql")


def test_what_is_not_supported_is_refused(proxy: psycopg.Connection[Any]) -> None:
    for name in names(proxy, "SELECT function FROM shards.rules() WHERE rule = 'refused'"):
        function, _, method = name.partition(".")
        arguments = ["'{}'"] * 2 if method else []
        if method:
            arguments[0] = f"'{method}'"
        else:
            count = "SELECT pronargs FROM pg_proc WHERE pronamespace = 'api'::regnamespace AND proname = %s"
            ((number,),) = proxy.execute(count, [function]).fetchall()
            arguments = ["NULL"] * number
        ((refused, answer),) = proxy.execute(f"SELECT * FROM api.{function}({', '.join(arguments)})".encode())
        assert (refused, answer["reason"]) == (True, "unsupported"), name
