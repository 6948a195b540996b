"""Rules of the layout: imports between modules, names and lengths of files, first lines, forbidden text.

The tests read every file of the project and run nothing. Each rule is a test that lists the files that
break it.
"""

import ast
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.project import PROJECT

# Imports ---------------------------------------------------------------------------------------

# For each package and module of the server, the others that it may import, without cycles.
# __main__, which runs the subcommands, may import all; __init__ has a docstring only.
MAY_IMPORT = {
    "installation": "",
    "command_line": "installation output",
    "output": "",
    "setting_kinds": "installation",
    "message_settings": "setting_kinds",
    "payment_settings": "setting_kinds",
    "webhook_settings": "setting_kinds",
    "database_settings": "setting_kinds",
    "settings": (
        "database_settings installation message_settings payment_settings setting_kinds webhook_settings"
    ),
    "addresses": "settings",
    "health": "command_line installation output settings",
    "logs": "settings",
    "ports": "installation settings",
    "protocol": "",
    "terminal": "",
    "tls": "",
    "conversation": "protocol",
    "db": "protocol settings",
    "embedded": "command_line db installation output settings",
    "timetables": "command_line embedded installation output protocol settings",
    "gtfs": "command_line embedded installation output protocol settings",
    "metrics": "db protocol settings",
    "outbox": "command_line db embedded installation output protocol settings worker_thread",
    "worker_thread": "db protocol",
    "certificates": "tls worker_thread",
    "housekeeping": "accounts db protocol settings worker_thread",
    "push": "addresses db protocol settings worker_thread",
    "accounts": "addresses command_line db embedded installation output protocol setting_kinds settings",
    "payments": "db outbox protocol settings worker_thread",
    "webhooks": "db outbox protocol settings",
    "booking": "accounts addresses db metrics payments protocol push settings webhooks",
    "tcp": "addresses booking conversation ports protocol push setting_kinds settings tls",
    "documents": "conversation protocol",
    "reconciliation": "command_line documents embedded installation output payments protocol settings",
    "languages": "protocol",
    "mail": "accounts command_line conversation db documents embedded installation languages outbox output "
    "protocol settings",
    "http": "accounts addresses booking db documents metrics payments ports protocol settings tls",
    "pages": "booking conversation documents http languages mail protocol settings timetables",
    "console": "command_line conversation db embedded installation logs protocol push settings terminal "
    "worker_thread",
    "service": "booking certificates db housekeeping http mail outbox pages push settings tcp tls webhooks",
    "shards": "command_line db embedded installation output settings",
    "supervisor": "logs ports settings",
    "systemd": "",
    "start": "command_line console db embedded installation logs mail output ports protocol service "
    "setting_kinds settings supervisor systemd tls",
}
CLIENT_MAY_IMPORT = {
    "command_line", "conversation", "documents", "installation", "output", "protocol", "terminal", "tls"
}  # fmt: skip
MAY_USE_PSYCOPG = {  # besides scripts/ and tests/
    "accounts", "db", "embedded", "gtfs", "mail", "outbox", "reconciliation", "shards", "timetables"
}  # fmt: skip
PACKAGES = {  # package → its folder
    "busware": "client",
    "busware.server": "server",
    "busware.sql": "sql",
}

# Files -----------------------------------------------------------------------------------------

TOP_LEVEL = {
    ".ci", ".dockerignore", ".env.example", ".gitignore", ".pre-commit-config.yaml", ".squawk.toml",
    "CHANGELOG.md", "CONTRIBUTING.md", "Dockerfile", "LICENSE", "README.md", "SECURITY.md",
    "docker-compose.ha.yml", "docker-compose.shards.yml", "docker-compose.yml", "pyproject.toml", "setup.py",
    "client", "docs", "ha", "scripts", "server", "sql", "tests",
}  # fmt: skip
ALLOWED_FILES = {  # the names of files in each folder
    "client": r"\w+\.py|py\.typed",
    "docs": r"[\w-]+\.(md|svg|png)|operations/[\w-]+\.(json|service|yaml)",
    "ha": r"Dockerfile|create_database|haproxy\.cfg|patroni\.yml",
    "scripts": r"[a-z]+|[a-z]+/\w+\.py",
    "server": r"PROTOCOL\.md|\w+\.py|[a-z]+/\w+\.py|mail/templates/\w+\.(txt|html)|[a-z]+/languages/\w+\.po"
    r"|pages/operator/\w+\.py|pages/templates/\w+\.html|pages/static/\w+\.(css|js|svg)",
    "sql": r"(shards/)?\d[\da-z]_\w+\.sql",  # flat, because psql runs the files in name order
    "tests": r"conftest\.py|data/[\d.]+/\w+\.(jsonl?|sql)|support/(\w+\.(py|sql)|images/[a-z]+/\w+)"
    r"|(client|project|sql|server(/[a-z_]+)?)/test_\w+\.py",
}
VAGUE_NAMES = {"utils", "util", "common", "helpers", "helper", "misc"}
MAX_LINES = 600

# Text about the place where people work on the project, which is not a part of it.
_WORKPLACE = re.compile(
    r"\bshared/|/(work|home|root|Users)/|(?i:\bhelpers?\b|\b(earlier|last|next|our|previous) sessions?\b)"
)
_NAMED_FILE = re.compile(r"(?<![\w/.*-])(?:client|docs|scripts|server|sql|tests)/[\w.*/-]*[\w*]")
_DEFINER_PATH = "SET search_path = pg_catalog, api, public, pg_temp"


def files() -> Iterator[Path]:
    """Every file of the project, except those that .gitignore names."""
    ignored = [line.strip("/") for line in (PROJECT / ".gitignore").read_text().split()] + [".git"]

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if not any(fnmatch(path.name, pattern) for pattern in ignored):
                yield from walk(path) if path.is_dir() else [path]

    return walk(PROJECT)


NAMES = [str(path.relative_to(PROJECT)) for path in files()]
TEXTS = {  # without pictures and recorded data
    name: (PROJECT / name).read_text()
    for name in NAMES
    if not name.endswith((".png", ".svg")) and not name.startswith("tests/data/")
}
THIS_FILE = "tests/project/test_layout.py"  # contains what it forbids


def in_folder(*starts: str) -> list[str]:
    """The names of the text files that begin with one of these."""
    return [name for name in TEXTS if name.startswith(starts)]


def violations(names: Iterable[str], breaks: Callable[[str], object]) -> list[str]:
    """The names of the files whose text breaks a rule."""
    return [name for name in names if breaks(TEXTS[name])]


@cache
def parse(text: str) -> ast.Module:
    """The syntax tree of a Python source."""
    return ast.parse(text)


def imports(text: str) -> Iterator[str]:
    """The modules that a source text imports; for `from busware.server import db`, busware.server.db."""
    for node in ast.walk(parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if module in PACKAGES:  # the imported names may be modules
                yield from (f"{module}.{alias.name}" for alias in node.names)
            else:
                yield module


def forbidden(text: str, of_server: Iterable[str], top: tuple[str, ...]) -> list[str]:
    """The forbidden imports of a source text: parts of the server that are not in `of_server`, the top-level
    packages in `top`, relative imports, and imports by the name of a folder."""
    found = []
    for module in imports(text):
        first, *others = module.split(".")
        in_server = others[:1] == ["server"] and first == "busware"
        if (
            first in ("", "client", "server", *top)
            or (in_server and (len(others) == 1 or others[1] not in of_server))
            or (first == "busware" and not in_server and "busware" in top)
        ):
            found.append(module)
    return found


def forbidden_in_server(part: str, text: str) -> list[str]:
    """The forbidden imports of a source text in a package or module of the server."""
    psycopg = () if part in MAY_USE_PSYCOPG else ("psycopg", "psycopg_pool")
    of_client = [m for m in imports(text) if m.startswith("busware") and not m.startswith("busware.server")]
    return of_client + forbidden(text, {part, *MAY_IMPORT[part].split()}, ("scripts", "tests", *psycopg))


def module_of(name: str) -> str:
    """The dotted module of a file: server/db/pool.py is busware.server.db.pool."""
    dotted = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return re.sub(r"^client(?=\.|$)", "busware", re.sub(r"^server(?=\.|$)", "busware.server", dotted))


# Parsed while pytest collects. CPython 3.11 may fail to parse while other threads compile ("AST constructor
# recursion depth mismatch").
for _name, _text in TEXTS.items():
    if _name.endswith(".py"):
        parse(_text)


# The rules -------------------------------------------------------------------------------------


def test_imports_of_the_server() -> None:
    found = []
    for name in in_folder("server/"):
        part = name.split("/")[1].removesuffix(".py")
        if name.endswith(".py") and part not in ("__main__", "__init__"):
            assert part in MAY_IMPORT, f"MAY_IMPORT has no entry for {name}"
            found += [f"{name} imports {module}" for module in forbidden_in_server(part, TEXTS[name])]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "from busware.server.tcp.connection import Connection",
        "from busware.server import tcp",
        "import busware.server.tcp.connection",
        "import busware.server",
        "def late():\n    from busware.server.http import HttpServer",
        "from server.db import pool",
        "from . import pool",
        "from .pool import Pool",
        "from busware import connect",
        "from busware.sdk import Requests",
        "import tests.conftest",
    ],
)
def test_forbidden_import_is_found(text: str) -> None:
    assert forbidden_in_server("db", text)


def test_forbidden_psycopg_is_found() -> None:
    assert forbidden_in_server("booking", "import psycopg") == ["psycopg"]
    assert forbidden_in_server("db", "import psycopg") == []


def test_imports_of_the_client() -> None:
    packages = ("psycopg", "psycopg_pool", "scripts", "tests")
    assert [
        f"{name} imports {module}"
        for name in in_folder("client/")
        if name.endswith(".py")
        for module in forbidden(TEXTS[name], CLIENT_MAY_IMPORT, packages)
    ] == []
    assert forbidden("from busware.server.db import pool", CLIENT_MAY_IMPORT, packages)


def test_imports_have_no_cycle() -> None:
    names = {module_of(name): name for name in in_folder("client/", "server/") if name.endswith(".py")}
    graph: dict[str, set[str]] = {}
    for module, name in names.items():
        if not name.endswith("__init__.py"):  # it re-exports modules of its package
            graph[module] = {other for other in imports(TEXTS[name]) if other in names} - {module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a cycle of imports: {error.args[1]}")


def test_every_package_is_installed() -> None:
    """pip installs the packages that pyproject.toml lists, and no others."""
    listed = tomllib.loads(TEXTS["pyproject.toml"])["tool"]["setuptools"]["packages"]
    folders = {module_of(name) for name in in_folder("client/", "server/") if name.endswith("/__init__.py")}
    assert folders | {"busware.sql"} == set(listed)


def test_no_file_is_too_long() -> None:
    lines = {name: len(text.splitlines()) for name, text in TEXTS.items() if re.search(r"\.(py|sql)$", name)}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_every_file_begins_with_its_description() -> None:
    python = [name for name in TEXTS if name.endswith(".py")]
    assert violations(python, lambda text: not ast.get_docstring(parse(text))) == []
    sql = [name for name in TEXTS if name.endswith(".sql")]
    assert violations(sql, lambda text: not text.startswith("-- ")) == []
    scripts = [name for name in in_folder("scripts/", ".ci/") if not name.endswith(".py")]
    assert violations(scripts, lambda text: not re.match(r"#!/usr/bin/env bash\n# \w", text)) == []
    assert [name for name in scripts if not (PROJECT / name).stat().st_mode & 0o111] == []


def test_every_file_is_in_its_folder() -> None:
    assert {name.split("/")[0] for name in NAMES} - TOP_LEVEL == set()
    in_folders = [(name, *name.split("/", 1)) for name in NAMES if name.split("/")[0] in ALLOWED_FILES]
    assert [name for name, folder, rest in in_folders if not re.fullmatch(ALLOWED_FILES[folder], rest)] == []
    assert [name for name in NAMES if VAGUE_NAMES & set(re.split(r"[/_.-]", name))] == []


def test_no_file_has_stray_whitespace() -> None:
    assert violations(TEXTS, lambda text: re.search(r"(?m)[ \t]+$|\r", text)) == []
    assert violations(TEXTS, lambda text: not text.endswith("\n")) == []


def test_no_file_mentions_the_workplace() -> None:
    assert [name for name in violations(TEXTS, _WORKPLACE.search) if name != THIS_FILE] == []


def test_named_files_exist() -> None:
    named = {(name, file) for name, text in TEXTS.items() for file in _NAMED_FILE.findall(text)}
    missing = [f"{name}: {file}" for name, file in named if not list(PROJECT.glob(file))]
    assert [line for line in sorted(missing) if not line.startswith(THIS_FILE)] == []


def test_sql_has_no_catch_all_and_no_trigger() -> None:
    sql = in_folder("sql/")
    assert violations(sql, re.compile(r"(?i)\bwhen\s+others\b").search) == []
    triggers = re.compile(r"(?i)\bcreate\s+(or\s+replace\s+|constraint\s+)*trigger\b").search
    # those that refuse transitions of a state, changes of what never changes, and services of other shards
    allowed = [
        "sql/1y_payment_intents.sql",
        "sql/1z_invoices.sql",
        "sql/1z_staff.sql",
        "sql/shards/00_owned.sql",
    ]
    assert violations(sql, triggers) == allowed


def test_security_definer_functions_set_the_search_path() -> None:
    heads = [
        head.partition("AS $$")[0]
        for name in in_folder("sql/2")
        for head in re.split(r"CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE) ", TEXTS[name])[1:]
    ]
    definers = [head for head in heads if "SECURITY DEFINER" in head]
    assert definers
    assert [head.partition("(")[0] for head in definers if _DEFINER_PATH not in head] == []


def test_no_kind_of_service_is_a_special_case() -> None:
    """A flight differs from a bus in data only."""
    kinds = r"\(?['\"](bus|flight|show|hotel)\b"
    python = [name for name in in_folder("server/") if name.endswith(".py")]
    assert violations(python, re.compile(rf"\bkind\s*(==|!=|in)\s*{kinds}").search) == []
    assert (
        violations(in_folder("sql/1", "sql/2"), re.compile(rf"\bkind\s*(=|!=|<>|IN)\s*{kinds}").search) == []
    )
