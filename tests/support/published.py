"""The published names: settings, command options, views, functions, metrics, HTTP fields.

`published` lists the names of the running version. `missing_names` compares an older list with it.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.project import PROJECT

VIEWS = """
    SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace GROUP BY 1 ORDER BY 1
"""
ARGUMENTS = """
    SELECT coalesce(proargnames[:pronargs], '{}') FROM pg_proc
    WHERE pronamespace = 'api'::regnamespace AND proname = %s
"""
# The functions that the documentation, the scripts and the timetables call.
FUNCTIONS = [
    "add_operator", "add_service", "add_trip", "alight", "audit", "book", "cancel", "change_seat",
    "confirm", "end_service", "hold", "notice", "open_sales", "release",
]  # fmt: skip
SERVER_COMMANDS = ["operator", "operator add", "operator password", "console"]
HELP = """
import contextlib, io, json, runpy, sys
program, commands = sys.argv[1], json.loads(sys.argv[2])
texts = []
for command in commands:
    sys.argv = [program, *command.split(), "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
        runpy.run_module(program, run_name="__main__")
    texts.append(printed.getvalue())
print(json.dumps(texts))
"""


def published(call: Callable[..., Any], query: Callable[..., list[Any]]) -> dict[str, Any]:
    """The names of the running version. call: sends an HTTP request. query: executes SQL as the owner."""
    return {
        "settings": sorted(set(re.findall(r"(?m)^# ([A-Z_]+)=", (PROJECT / ".env.example").read_text()))),
        "commands": dict(_commands("server", SERVER_COMMANDS))
        | dict(_commands("client", _client_commands())),
        "views": dict(query(VIEWS)),
        "functions": {name: next(iter(query(ARGUMENTS, name)), None) for name in FUNCTIONS},
        "metrics": _metrics(call("GET", "/metrics").text),
        "http": _http(call("GET", "/schema/openapi.json").json()),
    }


def missing_names(old: Any, new: Any, where: str = "") -> Iterator[str]:
    """A line for each name of an older list that a newer one does not have."""
    if isinstance(old, dict):
        for name, value in old.items():
            if name in new:
                yield from missing_names(value, new[name], f"{where} {name}")
            else:
                yield f"{where} {name} is missing"
    elif where.startswith(" functions"):  # arguments may be passed by position
        if new is None or new[: len(old)] != old:
            yield f"{where} had the arguments {old}, has {new}"
    else:
        yield from (f"{where} {name} is missing" for name in old if name not in new)


# The parts -------------------------------------------------------------------------------------


def _help(program: str, commands: list[str]) -> list[str]:
    """What each command of a program prints by --help, run one after the other by one Python."""
    printed = subprocess.run(
        [sys.executable, "-c", HELP, program, json.dumps(commands)],
        cwd=PROJECT, env={**os.environ, "COLUMNS": "100"}, stdout=subprocess.PIPE, text=True, check=True,
    ).stdout  # fmt: skip
    texts: list[str] = json.loads(printed)
    return texts


def _commands(program: str, commands: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The program and each of its commands, with their options and variables of the environment."""
    for command, text in zip(["", *commands], _help(program, ["", *commands]), strict=True):
        lines = re.findall(r"(?m)^  (-.*?)(?:  |$)", text)
        options = {option for line in lines for option in re.findall(r"--[a-z-]+", line)}
        variables = set(re.findall(r"\b(?:BUSWARE_[A-Z_]+|NO_COLOR)\b", text))
        yield f"{program} {command}".strip(), sorted(options | variables)


def _client_commands() -> list[str]:
    """The commands of the client, and their aliases."""
    (text,) = _help("client", [""])
    listed = re.findall(r"(?m)^    ([a-z-]+)(?: \(([a-z, -]+)\))?(?:\s|$)", text.split("COMMAND\n", 1)[1])
    return [name for command, aliases in listed for name in (command, *re.findall(r"[a-z-]+", aliases))]


def _metrics(text: str) -> dict[str, list[str]]:
    """Each metric with its labels."""
    found: dict[str, list[str]] = {}
    for name in re.findall(r"(?m)^# TYPE (busware\w+)(?<!_created) ", text):
        samples = re.findall(rf"(?m)^{name}\w*(?:{{(.*?)}})?", text)
        found[name] = sorted({label for labels in samples for label in re.findall(r"(\w+)=", labels)})
    return found


def _http(document: dict[str, Any]) -> dict[str, list[str]]:
    """Each operation with the fields that it takes, and the place of each field."""
    found = {}
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            fields = [f"{field['in']}: {field['name']}" for field in operation.get("parameters", [])]
            for body in operation.get("requestBody", {}).get("content", {}).values():
                fields += [f"body: {name}" for name in body["schema"]["properties"]]
            found[f"{verb.upper()} {path}"] = sorted(fields)
    return found
