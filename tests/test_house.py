"""The house: who may import whom, how long a file may be, how it opens, and what has no place in it.

Reads the text of every file of the project; runs nothing and needs no git. Each rule is a test, which
lists every file that breaks it.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from server.settings import PROJECT

# Who may import whom ---------------------------------------------------------------------------

_FACE = "accounts codec conversation metrics notices operations plain settings text tls wire"

# For each module of the server, the others of it that it may import. The faces are the last ones;
# __main__ puts all together, and __init__ is only a map.
MAY_IMPORT = {
    "settings": "",
    "wire": "",
    "tls": "",
    "codec": "wire",
    "conversation": "wire",
    "cluster": "settings",
    "postgres": "cluster settings",
    "schema": "settings",
    "storage": "settings wire",
    "reads": "settings storage wire",
    "calls": "storage wire",
    "link": "settings storage",
    "writer": "calls link settings storage wire",
    "notices": "settings storage wire",
    "housekeeping": "calls settings storage wire writer",
    "rights": "wire",
    "passwords": "wire",
    "attempts": "settings storage wire",
    "accounts": "attempts passwords settings storage wire",
    "metrics": "reads settings storage wire writer",
    "doors": "settings tls",
    "staff": "accounts cluster passwords settings",
    "messages": "settings storage wire",
    "operations": "accounts attempts calls messages metrics reads rights settings storage wire writer",
    "watch": "wire",
    "presence": "messages notices watch wire",
    "delivery": "messages notices presence settings storage watch wire",
    "outbox": "tls",
    "telnet": "",
    "plain": "conversation wire",
    "text": "conversation plain wire",
    "connection": f"{_FACE} delivery messages outbox telnet",
    "tcp": f"{_FACE} connection delivery",
    "web": f"{_FACE} rights",
    "news": "conversation messages notices storage wire",
    "console": "cluster conversation messages news notices settings storage wire",
    "service": "delivery housekeeping messages metrics notices operations settings storage tcp web writer",
    "supervisor": "service settings",
}
CLIENT_MAY_IMPORT = {"codec", "conversation", "tls", "wire"}
MAY_USE_PSYCOPG = {
    "cluster",
    "link",
    "notices",
    "postgres",
    "schema",
    "staff",
    "storage",
    "writer",
}  # and scripts, and tests

# Files -----------------------------------------------------------------------------------------

TOP_LEVEL = {
    ".ci", ".dockerignore", ".env.example", ".gitignore", ".squawk.toml",
    "CHANGELOG.md", "Dockerfile", "LICENSE", "README.md", "docker-compose.yml", "pyproject.toml",
    "client", "docs", "scripts", "server", "sql", "tests",
}  # fmt: skip
BELONGS = {  # what each folder may hold
    "client": r"\w+\.py",
    "docs": r"[\w-]+\.(md|svg|png)",
    "scripts": r"[a-z]+|[a-z]+/\w+\.py",
    "server": r"PROTOCOL\.md|\w+\.py|(conversation|web|wire)/[\w.-]+",
    "sql": r"\d\d_\w+\.sql",  # flat: PostgreSQL's image runs no folder within the folder
    "tests": r"\w+\.(py|sql)",
}
NO_NAME = {"utils", "util", "common", "helpers", "helper", "misc"}
MOST_LINES = 320
MOST_LINES_OF_A_TEST = 400  # its cases are lists

# What people say of the place where they work, and not of the house.
_WORKPLACE = re.compile(
    r"\bshared/|/(work|home|root|Users)/|(?i:\bhelpers?\b|\b(earlier|last|next|our|previous) sessions?\b)"
)
_NAMED_FILE = re.compile(r"(?<![\w/.*-])(?:client|docs|scripts|server|sql|tests)/[\w.*/-]*[\w*]")
_DEFINER_PATH = "SET search_path = pg_catalog, api, public, pg_temp"


def files() -> Iterator[Path]:
    """Every file of the project, but for what .gitignore names."""
    ignored = [line.strip("/") for line in (PROJECT / ".gitignore").read_text().split()] + [".git"]

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if not any(fnmatch(path.name, pattern) for pattern in ignored):
                yield from walk(path) if path.is_dir() else [path]

    return walk(PROJECT)


NAMES = [str(path.relative_to(PROJECT)) for path in files()]
TEXTS = {name: (PROJECT / name).read_text() for name in NAMES if not name.endswith((".png", ".svg"))}
RULEBOOK = "tests/test_house.py"  # names what it forbids


def in_folder(*starts: str) -> list[str]:
    """The names of the text files that start so."""
    return [name for name in TEXTS if name.startswith(starts)]


def breaking(names: Iterable[str], breaks: Callable[[str], object]) -> list[str]:
    """Those whose text breaks a rule."""
    return [name for name in names if breaks(TEXTS[name])]


def imports(name: str) -> Iterator[str]:
    """The modules that a file imports, dotted; `from server import wire` is server.wire."""
    for node in ast.walk(ast.parse(TEXTS[name])):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = [node.module or ""]
            if parts == ["server"]:
                parts = [f"server.{alias.name}" for alias in node.names]
            yield from parts


def forbidden(name: str, of_server: set[str], top: tuple[str, ...]) -> list[str]:
    """What a file imports though it may not: modules of the server but these, and packages among those."""
    return [
        f"{name} imports {module}"
        for module in imports(name)
        if (module.startswith("server.") and module.split(".")[1] not in of_server)
        or module.split(".")[0] in top
    ]


# The rules -------------------------------------------------------------------------------------


def test_the_server_imports_from_below() -> None:
    found = []
    for name in in_folder("server/"):
        module = name.split("/")[1].removesuffix(".py")
        if name.endswith(".py") and module not in ("__main__", "__init__"):
            assert module in MAY_IMPORT, f"say in MAY_IMPORT where {name} belongs"
            above = ("client", "scripts", "tests", *(() if module in MAY_USE_PSYCOPG else ("psycopg",)))
            found += forbidden(name, {module, *MAY_IMPORT[module].split()}, above)
    assert found == []


def test_the_client_knows_the_wire_alone() -> None:
    above = ("psycopg", "scripts", "tests")
    assert [
        wrong for name in in_folder("client/") for wrong in forbidden(name, CLIENT_MAY_IMPORT, above)
    ] == []


def test_no_file_is_too_long() -> None:
    found = []
    for name, text in TEXTS.items():
        most = MOST_LINES_OF_A_TEST if name.startswith("tests/test_") else MOST_LINES
        lines = len(text.splitlines())
        if lines > most and not name.endswith(".md"):
            found.append(f"{name} has {lines} lines")
    assert found == []


def test_every_file_opens_by_saying_what_it_is() -> None:
    python = [name for name in TEXTS if name.endswith(".py")]
    assert breaking(python, lambda text: not ast.get_docstring(ast.parse(text))) == []
    sql = [name for name in TEXTS if name.endswith(".sql")]
    assert breaking(sql, lambda text: not text.startswith("-- ")) == []
    scripts = [name for name in in_folder("scripts/", ".ci/") if not name.endswith(".py")]
    assert breaking(scripts, lambda text: not re.match(r"#!/usr/bin/env bash\n# \w", text)) == []
    assert [name for name in scripts if not (PROJECT / name).stat().st_mode & 0o111] == []


def test_there_are_no_strays() -> None:
    assert {name.split("/")[0] for name in NAMES} - TOP_LEVEL == set()
    placed = [(name, *name.split("/", 1)) for name in NAMES if name.split("/")[0] in BELONGS]
    assert [name for name, folder, rest in placed if not re.fullmatch(BELONGS[folder], rest)] == []
    assert [name for name in NAMES if NO_NAME & set(re.split(r"[/_.-]", name))] == []


def test_every_file_is_tidy() -> None:
    assert breaking(TEXTS, lambda text: re.search(r"(?m)[ \t]+$|\r", text)) == []
    assert breaking(TEXTS, lambda text: not text.endswith("\n")) == []


def test_every_file_speaks_of_the_house_alone() -> None:
    assert [name for name in breaking(TEXTS, _WORKPLACE.search) if name != RULEBOOK] == []


def test_the_files_that_are_named_are_there() -> None:
    named = {(name, file) for name, text in TEXTS.items() for file in _NAMED_FILE.findall(text)}
    missing = [f"{name}: {file}" for name, file in named if not list(PROJECT.glob(file))]
    assert [line for line in sorted(missing) if not line.startswith(RULEBOOK)] == []


def test_sql_hides_nothing_and_can_be_sharded() -> None:
    sql = in_folder("sql/")
    assert breaking(sql, re.compile(r"(?i)\bwhen\s+others\b").search) == []
    assert breaking(sql, re.compile(r"(?i)\bcreate\s+(or\s+replace\s+|constraint\s+)*trigger\b").search) == []


def test_what_runs_with_its_owners_rights_looks_nowhere_else() -> None:
    heads = [
        head.partition("AS $$")[0]
        for name in in_folder("sql/2")
        for head in re.split(r"CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE) ", TEXTS[name])[1:]
    ]
    definers = [head for head in heads if "SECURITY DEFINER" in head]
    assert definers
    assert [head.partition("(")[0] for head in definers if _DEFINER_PATH not in head] == []


def test_no_kind_of_service_is_a_special_case() -> None:
    """What makes a flight differ from a bus is data: a column, or a word."""
    kinds = r"\(?['\"](bus|flight|show|hotel)\b"
    python = [name for name in in_folder("server/") if name.endswith(".py")]
    assert breaking(python, re.compile(rf"\bkind\s*(==|!=|in)\s*{kinds}").search) == []
    assert breaking(in_folder("sql/1", "sql/2"), re.compile(rf"\bkind\s*(=|!=|<>|IN)\s*{kinds}").search) == []
