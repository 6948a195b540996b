"""The description for people: one page, made here, that loads nothing from anywhere."""

import re
from html import escape
from typing import Any

from msgspec import json

from busware.server.http.problems import STATUSES
from busware.server.protocol import REASONS

Json = dict[str, Any]

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid #8886; padding-top: 1rem; }
code, pre { font: 14px/1.4 ui-monospace, monospace; }
pre { background: #8881; padding: .7rem; overflow-x: auto; }
ul { columns: 20rem; padding: 0; list-style: none; font: 14px/1.7 ui-monospace, monospace; }
table { border-collapse: collapse; }
td, th { padding: .15rem 1rem .15rem 0; text-align: left; vertical-align: top; }
summary { cursor: pointer; } .verb { font-weight: bold; } .soft { opacity: .7; }
:root { color-scheme: light dark; }
"""


def html(document: Json) -> bytes:
    """The page of a description."""
    operations = [
        _operation(path, verb, operation)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    ]
    title, about = document["info"]["title"], document["info"]["description"]
    (conflict,) = document["components"]["responses"]["Problem409"]["content"].values()
    parts = [
        f"<h1>{escape(title)} {escape(document['info']['version'])}</h1>",
        f"<p>{_prose(about)}</p>",
        '<p>For programs: <a href="/schema/openapi.json">/schema/openapi.json</a> (OpenAPI 3.1).</p>',
        _contents(document["paths"]),
        *operations,
        f"<h2>Problems</h2><pre>{_shown(conflict['example'])}</pre>",
        "<table><tr><th>reason<th>status<th>when</tr>",
        *(
            f'<tr id="{reason}"><td><code>{reason}</code><td>{STATUSES[reason]}<td>{_prose(when)}</tr>'
            for reason, when in REASONS.items()
        ),
        "</table>",
    ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
    head += '<meta name="viewport" content="width=device-width">'
    return f"{head}<style>{_STYLE}</style>\n{''.join(parts)}</html>\n".encode()


def _contents(paths: Json) -> str:
    """The way to each operation."""
    links = (
        f'<li><a href="#{operation["operationId"]}">{verb.upper()} {escape(path)}</a>'
        for path, verbs in paths.items()
        for verb, operation in verbs.items()
    )
    return f"<ul>{''.join(links)}</ul>"


def _operation(path: str, verb: str, operation: Json) -> str:
    name = operation["operationId"]
    needs = operation.get("security", [{}])
    errors = ", ".join(status for status in operation["responses"] if status >= "400")
    parts = [
        f'<h2 id="{name}"><span class="verb">{verb.upper()}</span> <code>{escape(path)}</code></h2>',
        f"<p>{_prose(operation['summary'])}</p>",
        "" if {} in needs else '<p class="soft">For those who are signed in.</p>',
        _fields(operation),
        _example(path, verb, operation),
        f'<p class="soft">Errors: {errors or "none"}.</p>',
    ]
    return "\n".join(part for part in parts if part)


def _fields(operation: Json) -> str:
    rows = [
        (p["name"], p["in"], p["required"], p.get("description", "")) for p in operation.get("parameters", [])
    ]
    for body in _bodies(operation):
        schema = body["schema"]
        for name, takes in schema["properties"].items():
            rows.append((name, "body", name in schema["required"], _about(takes)))
    if not rows:
        return ""
    lines = (
        f"<tr><td><code>{escape(name)}</code>{'' if required else '?'}<td>{place}<td>{_prose(about)}</tr>"
        for name, place, required, about in rows
    )
    return f"<table>{''.join(lines)}</table>"


def _about(schema: Json) -> str:
    options = [schema, *schema.get("anyOf", [])]
    return next((str(one["description"]) for one in options if "description" in one), "")


def _example(path: str, verb: str, operation: Json) -> str:
    """The request as curl sends it, and the answer."""
    query = []
    for parameter in operation.get("parameters", []):
        value = parameter.get("example")
        if value is not None and parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(value))
        elif value is not None and parameter["in"] == "query":
            values = value if isinstance(value, list) else [value]
            query += [f"--data-urlencode '{parameter['name']}={_plain(one)}'" for one in values]
    command = [f"curl -X {verb.upper()} http://localhost:8000{path}"]
    command += ["-G " + " ".join(query)] if query else []
    for body in _bodies(operation):
        command.append(f"--json '{json.encode(body['example']).decode()}'")
    shown = escape(" \\\n  ".join(command))
    content = next(iter(operation["responses"].values())).get("content", {}).get("application/json", {})
    if "example" in content:
        shown += f"\n\n{_shown(content['example'])}"
    return f"<details><summary>Example</summary><pre>{shown}</pre></details>"


def _bodies(operation: Json) -> list[Json]:
    return list(operation.get("requestBody", {}).get("content", {}).values())


def _shown(example: object) -> str:
    return escape(json.format(json.encode(example), indent=2).decode())


def _prose(text: str) -> str:
    """Words for people, with what is between backticks as code."""
    return re.sub("`(.+?)`", r"<code>\1</code>", escape(text))


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
