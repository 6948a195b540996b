"""Requests and replies over HTTP, without I/O: the synchronous and the asynchronous client share them."""

import re
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from busware.server.protocol import INTERNAL_ERROR, Refusal, Request
from busware.server.protocol.jsonrpc import RpcError

Reply = TypeVar("Reply")

_PATH_FIELD = re.compile(r"{(\w+)}")
_PROBLEM_MEMBERS = ("type", "title", "status", "detail", "reason")  # the others are data of the refusal


def split_url(url: str) -> tuple[str, int, str]:
    """The host, the port and the path of a server's URL."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.hostname or "", port, parts.path.rstrip("/")


def encode_request(
    request: Request, base_path: str, token: str | None
) -> tuple[str, str, bytes | None, dict[str, str]]:
    """A request over HTTP: method, path with its query, body, headers."""
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(request))
    targets = request.resources.values()  # the first one whose path has only fields that are given
    target = next(target for target in targets if fields.keys() >= {*_PATH_FIELD.findall(target)})
    method, path = target.split(" ")
    headers = {"Accept": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if key := fields.pop("key", None):
        headers["Idempotency-Key"] = key
    for name in _PATH_FIELD.findall(path):
        path = path.replace(f"{{{name}}}", quote(str(fields.pop(name)), safe=""))
    if method in ("GET", "DELETE"):
        query = {
            name: str(value).lower() if isinstance(value, bool) else value for name, value in fields.items()
        }
        return method, f"{base_path}{path}?{urlencode(query, doseq=True)}".rstrip("?"), None, headers
    headers["Content-Type"] = "application/json"
    return method, base_path + path, msgspec.json.encode(fields), headers


def decode_reply(status: int, body: bytes, reply_type: type[Reply]) -> Reply:
    """The reply in a response. Raises Refusal or RpcError, or DecodeError if it is not Busware's."""
    if status < HTTPStatus.BAD_REQUEST:
        return msgspec.json.decode(body, type=reply_type)
    problem = msgspec.json.decode(body, type=dict[str, Any])
    data = {name: value for name, value in problem.items() if name not in _PROBLEM_MEMBERS}
    message = str(problem.get("detail", "The server answers with an error."))
    if "reason" in problem:
        raise Refusal(problem["reason"], message, **data)
    raise RpcError(INTERNAL_ERROR, message, data)
