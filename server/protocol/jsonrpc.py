"""JSON-RPC 2.0 with one JSON text per line: decodes lines to structs, encodes structs to lines.

No socket, no clock, no database. `parse` returns the request of a line, or the line that rejects it. The
last part of this module is for the client.

An id is returned as the JSON text that was received, so no digit of a number is lost. The JSON of an answer
is copied as the database wrote it. If a request cannot be decoded, its fields are decoded one by one to find
the wrong one. The text of msgspec's error is parsed only for a wrong value inside of a list or an object.
"""

import difflib
import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from busware.server.protocol import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    JSONRPC,
    METHOD_NOT_FOUND,
    METHODS,
    PARSE_ERROR,
    Answer,
    Refusal,
    Request,
    ServiceFields,
)

T = TypeVar("T")

NO_ID = b"null"  # the id in the reply to a line without a readable id
_MAX_ECHOED = 40  # characters of an unknown name that an error message repeats
_PARAMS = "params must be an object: the fields of the request by name."

# Requests --------------------------------------------------------------------------------------


class Incoming(Struct, frozen=True):
    """A request. id: its JSON text; None for a notification, which gets no reply."""

    id: bytes | None
    request: Request


class _Frame(Struct):
    """The members of a request object. Others are ignored."""

    jsonrpc: Any = None
    method: Any = None
    id: Raw = Raw()
    params: Raw = Raw(b"{}")


_frames = msgspec.json.Decoder(_Frame)
_objects = msgspec.json.Decoder(dict[str, Raw])
_arrays = msgspec.json.Decoder(list[Raw])
_params = {kind: msgspec.json.Decoder(kind) for kind in METHODS.values()}
_NOT_JSON = (msgspec.DecodeError, RecursionError)


def parse(line: bytes, max_batch: int) -> Incoming | bytes | list[Incoming | bytes]:
    """The request of a line, or the reply that rejects it; a list of these for a batch.

    max_batch: limit on the requests of a batch.
    """
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return _error(NO_ID, PARSE_ERROR, f"Byte {error.start + 1} of the line is not UTF-8.")
    try:
        if not line.startswith(b"["):
            return _parse_request(line)
        members = _arrays.decode(line)
        if not 1 <= len(members) <= max_batch:
            return _error(NO_ID, INVALID_REQUEST, f"A batch has 1 to {max_batch} requests.")
        return [_parse_request(member) for member in members]
    except _NOT_JSON:
        return _error(NO_ID, PARSE_ERROR, "The line is not JSON.")


def _parse_request(text: bytes | Raw) -> Incoming | bytes:
    try:
        frame = _frames.decode(text)
    except msgspec.ValidationError:
        return _error(NO_ID, INVALID_REQUEST, "A request is a JSON object.")
    id, params, problem = bytes(frame.id) or None, bytes(frame.params), ""
    if id and id.startswith((b"{", b"[", b"t", b"f")):
        id, problem = None, "id is a string, a number or null."
    elif frame.jsonrpc != JSONRPC:
        problem = 'jsonrpc must be "2.0".'
    elif not isinstance(frame.method, str):
        problem = "method must be a string: the name of a method."
    elif not params.startswith((b"{", b"[")):
        problem = _PARAMS
    if problem:
        return _error(id or NO_ID, INVALID_REQUEST, problem)
    kind = METHODS.get(frame.method)
    if kind is None:
        nearest = _nearest(frame.method, METHODS)
        hint = f": {nearest}" if nearest else f". Methods: {', '.join(METHODS)}."
        return _error(id, METHOD_NOT_FOUND, f"There is no method {_echo(frame.method)}{hint}")
    try:
        return Incoming(id, decode_params(kind, params))
    except Refusal as refusal:
        return encode_refusal(id, refusal)


def _echo(name: str) -> str:
    return f'"{name}"' if len(name) <= _MAX_ECHOED else f'"{name[:_MAX_ECHOED]}…"'


def _nearest(name: str, names: Iterable[str]) -> str:
    """A suggestion for a misspelt name; empty if none of the names is like it."""
    found = difflib.get_close_matches(name[:_MAX_ECHOED], names, 1)
    return f"did you mean {found[0]}?" if found else ""


# Wrong fields ----------------------------------------------------------------------------------


def decode_params(kind: type[Request], params: bytes) -> Request:
    """Decode params, which are JSON. Raises Refusal (bad_request), which names the wrong field."""
    try:
        return _params[kind].decode(params)
    except msgspec.ValidationError:
        raise _find_wrong_field(kind, params) from None


def _find_wrong_field(kind: type[Request], params: bytes) -> Refusal:
    """The refusal of params: for the first field that is unknown, missing or wrong."""
    if params.startswith(b"["):
        return _wrong_params(_PARAMS)
    given = _objects.decode(params)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in (name for name in given if name not in fields):
        takes = ", ".join(fields) or "no fields"
        hint = _nearest(name, fields) or f"{kind.method} takes {takes}."
        message = f"{kind.method} has no field {_echo(name)}: {hint}"
        return Refusal("bad_request", message, field=name[:_MAX_ECHOED], takes=takes)
    for name, field in fields.items():
        try:
            if name in given:
                msgspec.json.decode(given[name], type=field.type)
            elif field.required:
                return kind.wrong(name, f"{name} is missing.")
        except msgspec.ValidationError as error:
            inner = _describe_inner(name, error) if issubclass(kind, ServiceFields) else None
            return kind.wrong(name, inner or _describe_control_character(name, given[name]))
    # msgspec checks every value of a repeated field; the loop above sees the last one
    return _wrong_params("A field of params is given twice.")


def _wrong_params(message: str) -> Refusal:
    return Refusal("bad_request", message, field="params", takes="an object, with each field once")


def _describe_inner(name: str, error: msgspec.ValidationError) -> str | None:
    """A sentence on a wrong value inside a list or an object, as services have; else None."""
    problem, _, path = str(error).partition(" - at `$")
    return f"{name}{path.removesuffix('`')}: {problem}." if path.removesuffix("`") else None


def _describe_control_character(name: str, value: Raw) -> str | None:
    """A sentence that names the first control character in a JSON string, if there is one."""
    text = msgspec.json.decode(value, type=str) if bytes(value).startswith(b'"') else ""
    found = re.search(r"[\x00-\x1f\x7f-\x9f]", text)
    return f"{name} has the control character U+{ord(found[0]):04X}." if found else None


# Replies: lines, empty if the request was a notification -----------------------------------------


def encode_reply(id: bytes | None, answer: Answer) -> bytes:
    """The reply to a request: its result, or its refusal."""
    if answer.refused:
        return encode_refusal(id, answer.refusal())
    if id is None:
        return b""
    return b"".join((b'{"jsonrpc":"2.0","id":', id, b',"result":', answer.body, b"}\n"))


def encode_refusal(id: bytes | None, refusal: Refusal) -> bytes:
    """The reply that refuses a request."""
    return _error(id, refusal.code, refusal.message, {"reason": refusal.reason, **refusal.data})


def encode_internal_error(id: bytes | None, request_id: str) -> bytes:
    """The reply for an internal error. request_id: under which the server logged it."""
    return _error(id, INTERNAL_ERROR, "Something went wrong inside the server.", {"request_id": request_id})


def encode_too_long(max_bytes: int) -> bytes:
    """The reply to a line that is longer than max_bytes."""
    return _error(NO_ID, INVALID_REQUEST, f"The line is too long: at most {max_bytes} bytes.")


def encode_batch(replies: Iterable[bytes]) -> bytes:
    """The reply to a batch, from the replies to its requests."""
    objects = [line[:-1] for line in replies if line]
    return b"[" + b",".join(objects) + b"]\n" if objects else b""


def _error(id: bytes | None, code: int, message: str, data: dict[str, Any] | None = None) -> bytes:
    if id is None:
        return b""
    error = {"code": code, "message": message} | ({"data": data} if data else {})
    return b"".join((b'{"jsonrpc":"2.0","id":', id, b',"error":', msgspec.json.encode(error), b"}\n"))


def encode_notification(method: str, params: Raw) -> bytes:
    """A notification to the client."""
    name = msgspec.json.encode(method)
    return b"".join((b'{"jsonrpc":"2.0","method":', name, b',"params":', params, b"}\n"))


# For the client --------------------------------------------------------------------------------


class RpcError(Exception):
    """An error reply without a reason: an internal error, or a line that the server could not read."""

    def __init__(self, code: int, message: str, data: dict[str, Any]) -> None:
        request_id = data.get("request_id")
        logged = f" Its log has the details: request {request_id}." if request_id else ""
        super().__init__(f"{message}{logged}")
        self.code = code
        self.message = message
        self.data = data


class _ErrorObject(Struct, frozen=True):
    code: int
    message: str
    data: dict[str, Any] = {}


class _Reply(Struct, frozen=True):
    result: Raw | UnsetType = UNSET
    error: _ErrorObject | None = None


class Notification(Struct, frozen=True):
    """A line that the server sends unasked."""

    method: str = ""
    params: dict[str, Any] = {}


_replies = msgspec.json.Decoder(_Reply)
_notifications = msgspec.json.Decoder(Notification)


def encode_request(id: int, request: Request) -> bytes:
    """The line that sends a request."""
    frame = {"jsonrpc": JSONRPC, "id": id, "method": request.method, "params": request}
    return msgspec.json.encode(frame) + b"\n"


def decode_notification(line: bytes) -> Notification | None:
    """The notification of a line; None if the line is a reply. Raises msgspec.DecodeError."""
    notification = _notifications.decode(line)
    return notification if notification.method else None


def decode_reply(line: bytes, kind: type[T]) -> T:
    """The result in a reply.

    Raises Refusal or RpcError if the reply is an error, msgspec.DecodeError if the line is not a reply.
    """
    reply = _replies.decode(line)
    if reply.error:
        data = dict(reply.error.data)
        if "reason" in data:
            raise Refusal(data.pop("reason"), reply.error.message, **data)
        raise RpcError(reply.error.code, reply.error.message, data)
    if reply.result is UNSET:
        raise msgspec.ValidationError("the line is not a reply")
    return msgspec.json.decode(reply.result, type=kind)
