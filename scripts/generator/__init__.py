"""Generates the synchronous client from the asynchronous one: scripts/generate.

A generated file is its source without `async` and `await`, and without the prefix Async in names. So the
methods and the retries are written once, and both clients are typed. Only the transports are written twice:
client/transport.py and client/async_transport.py. A core without I/O could share the retries, but not the
methods: no type describes a method that returns `list[Trip]` in one client and `Awaitable[list[Trip]]` in the
other.
"""

import re
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).resolve().parents[2] / "client"
# NAME.py is made from async_NAME.py.
NAMES = ("connection", "factory", "http_client", "operator_sdk", "sdk", "webhook_sdk")

_REPLACED = {
    r"\basync (?=def |with |for )": "",
    r"\bawait ": "",
    r"\bAsync(?=[A-Z])": "",  # AsyncClient, AsyncIterator
    r"\basync_(?=\w)": "",  # async_transport
    r"_async\b": "",  # connect_async
    r"__a(?=enter__|exit__)": "__",
    r"\bby the task\b": "by the thread",  # that reads a connection
    r"\basynchronous\b": "synchronous",
    r"\ban synchronous\b": "a synchronous",
}


def generate(name: str) -> str:
    """The text of a generated file."""
    text = (CLIENT / f"async_{name}.py").read_text()
    for pattern, replacement in _REPLACED.items():
        text = re.sub(pattern, replacement, text)
    text = f"# Generated from async_{name}.py by scripts/generate: edit that file.\n{text}"
    # Write loops as `yield from`, which only synchronous generators may use; sort the imports; then format.
    text = _ruff("check", "--fix-only", "--unsafe-fixes", "--select", "I,UP028", name=name, text=text)
    return _ruff("format", name=name, text=text)


def _ruff(*arguments: str, name: str, text: str) -> str:
    file = f"{CLIENT}/{name}.py"
    command = [sys.executable, "-m", "ruff", *arguments, "--quiet", "--stdin-filename", file, "-"]
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True).stdout
