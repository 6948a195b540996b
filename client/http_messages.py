"""Requests and errors as HTTP has them. Pure: the synchronous and the asynchronous client share it."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from busware.server.protocol import INTERNAL_ERROR, Refusal, Request
from busware.server.protocol.jsonrpc import RpcError

_MEMBERS = ("type", "title", "status", "detail", "reason")  # of a problem; the rest is data


def parts(request: Request) -> tuple[str, str, bytes | None, dict[str, str]]:
    """A request as HTTP has it: method, path with its query, body, headers."""
    method, path = request.resource.split(" ")
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(request))
    headers = {"Accept": "application/json"}
    if key := fields.pop("key", None):
        headers["Idempotency-Key"] = key
    for name in re.findall(r"{(\w+)}", path):
        path = path.replace(f"{{{name}}}", quote(str(fields.pop(name)), safe=""))
    if method in ("GET", "DELETE"):
        return method, path + _query(fields), None, headers
    headers["Content-Type"] = "application/json"
    return method, path, msgspec.json.encode(fields), headers


def problem(body: bytes) -> Refusal | RpcError:
    """The error that a problem document describes. Raises msgspec.DecodeError when it is not Busware's."""
    told = msgspec.json.decode(body, type=dict[str, Any])
    data = {name: value for name, value in told.items() if name not in _MEMBERS}
    message = str(told.get("detail", "The server answers with an error."))
    if "reason" in told:
        return Refusal(told["reason"], message, **data)
    return RpcError(INTERNAL_ERROR, message, data)


def _query(fields: Mapping[str, Any]) -> str:
    """A query of the fields, or nothing."""
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in fields.items()}
    return "?" + urlencode(texts, doseq=True) if texts else ""
