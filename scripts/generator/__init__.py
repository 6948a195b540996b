"""The synchronous client, made from the asynchronous one: scripts/generate.

A generated file is its source without `async` and `await`, and without Async in front of a name. So the
methods, the retries and connect() are written once and typed for both clients; only the sockets are written
twice (client/links.py, client/async_links.py …). A core without I/O and two thin drivers could share the
retries, but not the methods: no type says that one method returns `list[Trip]` and its twin
`Awaitable[list[Trip]]`.
"""

import re
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).resolve().parents[2] / "client"
NAMES = ("connection", "factory", "http_client", "sdk")  # NAME.py is made from async_NAME.py

_REPLACED = {
    r"\basync (?=def |with |for )": "",
    r"\bawait ": "",
    r"\bAsync(?=[A-Z])": "",  # AsyncClient, AsyncIterator
    r"\basync_(?=\w)": "",  # async_links
    r"_async\b": "",  # connect_async
    r"__a(?=enter__|exit__)": "__",
    r"\basynchronous\b": "synchronous",
    r"\ban synchronous\b": "a synchronous",
}


def generate(name: str) -> str:
    """The text of a generated file."""
    text = (CLIENT / f"async_{name}.py").read_text()
    for pattern, replacement in _REPLACED.items():
        text = re.sub(pattern, replacement, text)
    text = f"# Generated from async_{name}.py by scripts/generate: edit that one.\n{text}"
    # `yield from`, which is for synchronous generators alone; then the order of imports and the line breaks
    text = _ruff("check", "--fix-only", "--unsafe-fixes", "--select", "I,UP028", name=name, text=text)
    return _ruff("format", name=name, text=text)


def _ruff(*arguments: str, name: str, text: str) -> str:
    command = [
        sys.executable,
        "-m",
        "ruff",
        *arguments,
        "--quiet",
        "--stdin-filename",
        f"{CLIENT}/{name}.py",
        "-",
    ]
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True).stdout
