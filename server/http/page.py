"""The OpenAPI document as an HTML page without external resources. Each refusal reason has an anchor."""

import re
from collections.abc import Iterator
from html import escape
from shlex import quote
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
:root { color-scheme: light dark; background: Canvas; color: CanvasText; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid #8886; padding-top: 1rem; }
code, pre { font: 14px/1.4 ui-monospace, monospace; }
code, li { overflow-wrap: anywhere; }
pre { background: #8881; padding: .7rem; overflow-x: auto; }
ul { columns: 20rem; padding: 0; list-style: none; font: 14px/1.7 ui-monospace, monospace; }
table { border-collapse: collapse; }
td, th { padding: .15rem 1rem .15rem 0; text-align: left; vertical-align: top; }
summary { cursor: pointer; } .soft { opacity: .7; }
"""


def render_html(document: Json) -> bytes:
    """Render an OpenAPI document as an HTML page."""
    operations = [
        (verb.upper(), path, operation)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    ]
    title, version, about = (document["info"][name] for name in ("title", "version", "description"))
    contents = (f'<li><a href="#{o["operationId"]}">{v} {escape(path)}</a>' for v, path, o in operations)
    reasons = (
        f'<tr id="{reason}"><td><code>{reason}</code><td>{STATUSES[reason]}<td>{_prose(when)}</tr>'
        for reason, when in REASONS.items()
    )
    (problem,) = document["components"]["responses"]["Problem409"]["content"].values()
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><main>
<h1>{escape(title)} {escape(version)}</h1><p>{_prose(about)}</p>
<p>For programs: <a href="/schema/openapi.json">/schema/openapi.json</a> (OpenAPI 3.1).</p>
<ul>{"".join(contents)}</ul>{"".join(_operation(*operation) for operation in operations)}
<h2>Problems</h2><pre tabindex="0">{_pretty(problem["example"])}</pre>
<table><tr><th>reason<th>status<th>when</tr>{"".join(reasons)}</table></main></html>
""".encode()


def _operation(verb: str, path: str, operation: Json) -> str:
    account = "" if {} in operation.get("security", [{}]) else '<p class="soft">Needs an account.</p>'
    fields = (
        f"<tr><td><code>{escape(name)}</code>{'' if required else '?'}<td>{sent_in}<td>{_prose(about)}</tr>"
        for name, sent_in, required, about in _fields(operation)
    )
    success = next(response for status, response in operation["responses"].items() if status < "300")
    reply = success["content"].get("application/json", {}).get("example", "")
    return f"""<h2 id="{operation["operationId"]}"><b>{verb}</b> <code>{escape(path)}</code></h2>
<p>{_prose(operation["summary"])}</p>{account}<table>{"".join(fields)}</table>
<details><summary>Example</summary><pre tabindex="0">{escape(_curl(verb, path, operation))}

{_pretty(reply)}</pre></details>
<p class="soft">Errors: {", ".join(status for status in operation["responses"] if status >= "400")}.</p>"""


def _fields(operation: Json) -> Iterator[tuple[str, str, bool, str]]:
    """For each field: its name, where it is sent (path, query or body), if it is required, what it is."""
    for parameter in operation.get("parameters", []):
        yield parameter["name"], parameter["in"], parameter["required"], parameter.get("description", "")
    for body in operation.get("requestBody", {}).get("content", {}).values():
        for name, schema in body["schema"]["properties"].items():
            parts = [schema, *schema.get("anyOf", [])]
            about = next((part["description"] for part in parts if "description" in part), "")
            yield name, "body", name in body["schema"]["required"], about


def _curl(verb: str, path: str, operation: Json) -> str:
    """The example as a curl command."""
    query = []
    for parameter in operation.get("parameters", []):
        name, example = parameter["name"], parameter.get("example")
        if example is not None and parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", str(example))
        elif example is not None:
            values = example if isinstance(example, list) else [example]
            query += [f"--data-urlencode {quote(f'{name}={_text(value)}')}" for value in values]
    bodies = operation.get("requestBody", {}).get("content", {}).values()
    command = [f"curl -X {verb} http://localhost:8000{path}", *(["-G", *query] if query else [])]
    return " \\\n  ".join([*command, *(f"--json {quote(_text(body['example']))}" for body in bodies)])


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.encode(value).decode()


def _pretty(example: object) -> str:
    return escape(json.format(json.encode(example), indent=2).decode())


def _prose(text: str) -> str:
    """HTML for a text with code between backticks."""
    return re.sub("`(.+?)`", r"<code>\1</code>", escape(text))
