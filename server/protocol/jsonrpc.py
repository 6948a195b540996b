"""JSON-RPC 2.0, one JSON text a line: bytes in, structs out, and structs in, bytes out.

`parse` takes a line and gives what is to be done about it: an `Incoming` request, a `Rejected` one
with the line that answers it, or a list of these for a batch. The `encode_` functions give whole
lines. Nothing here reads a socket, a clock or a database; the client uses the other direction.

What costs nothing is left alone: an id is echoed as the very JSON text it came in (so no number
loses a digit), and the body of an answer passes through as the database wrote it. A request is
decoded straight into its struct; only when that fails is it taken apart field by field, each by
its own type, to find the one to blame. The prose of msgspec's errors is never read.
"""

import difflib
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
)

T = TypeVar("T")

NO_ID = b"null"  # under which a line is answered that has no id, or none that can be read
_SHOWN = 40  # characters of a stranger's word that an error repeats


# A line in -------------------------------------------------------------------------------------


class Incoming(Struct, frozen=True):
    """A request. id: its JSON text, or None for a notification, which gets no reply."""

    id: bytes | None
    request: Request


class Rejected(Struct, frozen=True):
    """What is no request that could be carried out. line: the reply; empty for a notification."""

    line: bytes


class _Frame(Struct):
    """The members of a request object; the rest are ignored."""

    jsonrpc: str
    method: str
    id: Raw | UnsetType = UNSET
    params: Raw = Raw(b"{}")


_frames = msgspec.json.Decoder(_Frame)
_objects = msgspec.json.Decoder(dict[str, Raw])
_arrays = msgspec.json.Decoder(list[Raw])
_params = {kind: msgspec.json.Decoder(kind) for kind in METHODS.values()}
_UNREADABLE = (msgspec.DecodeError, RecursionError)


def parse(line: bytes, max_batch: int) -> Incoming | Rejected | list[Incoming | Rejected]:
    """What a line asks for. max_batch: the most requests in one batch."""
    if not line.isascii():
        try:
            line.decode()
        except UnicodeDecodeError as error:
            return _rejected(NO_ID, PARSE_ERROR, f"Byte {error.start + 1} of the line is not UTF-8.")
    if not line.startswith(b"["):
        return _parse_one(line)
    try:
        members = _arrays.decode(line)
    except _UNREADABLE:
        return _unreadable()
    if not 1 <= len(members) <= max_batch:
        return _rejected(NO_ID, INVALID_REQUEST, f"A batch is 1 to {max_batch} requests.")
    return [_parse_one(member) for member in members]


def _parse_one(text: bytes | Raw) -> Incoming | Rejected:
    try:
        frame = _frames.decode(text)
    except msgspec.ValidationError:
        return _malformed(text)
    except _UNREADABLE:
        return _unreadable()
    id = None if frame.id is UNSET else bytes(frame.id)
    params = bytes(frame.params)
    if frame.jsonrpc != JSONRPC or not _is_id(id) or not params.startswith((b"{", b"[")):
        return _malformed(text)
    kind = METHODS.get(frame.method)
    if kind is None:
        return _rejected(id, METHOD_NOT_FOUND, _no_method(frame.method))
    try:
        return Incoming(id, decode_params(kind, params))
    except Refusal as refusal:
        return Rejected(encode_refusal(id, refusal))


def _is_id(id: bytes | None) -> bool:
    """Whether this may be an id: a string, a number, null, or none at all."""
    return id is None or not id.startswith((b"{", b"[", b"t", b"f"))


def _unreadable() -> Rejected:
    return _rejected(NO_ID, PARSE_ERROR, "The line is not JSON.")


def _malformed(text: bytes | Raw) -> Rejected:
    """The answer to JSON that is no request object: what is wrong with it, under its id if it has one."""
    try:
        members = _objects.decode(text)
    except msgspec.ValidationError:
        return _rejected(NO_ID, INVALID_REQUEST, "A request is a JSON object.")
    except _UNREADABLE:
        return _unreadable()
    id = bytes(members.get("id", Raw(NO_ID)))
    if not _is_id(id):
        return _rejected(NO_ID, INVALID_REQUEST, "id is a string, a number or null.")
    if bytes(members.get("jsonrpc", Raw())) != b'"2.0"':
        problem = 'jsonrpc must be "2.0".'
    elif not bytes(members.get("method", Raw())).startswith(b'"'):
        problem = "method must be a string: the name of a method."
    else:
        problem = "params must be an object: the fields of the request by name."
    return _rejected(id, INVALID_REQUEST, problem)


def _no_method(method: str) -> str:
    nearest = difflib.get_close_matches(method[:_SHOWN], METHODS, 1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(METHODS)}."
    return f"There is no method {_shown(method)}: {hint}"


def _shown(word: str) -> str:
    return f'"{word}"' if len(word) <= _SHOWN else f'"{word[:_SHOWN]}…"'


# Which field is wrong --------------------------------------------------------------------------


def decode_params(kind: type[Request], params: bytes) -> Request:
    """The request with these params, in JSON. Raises Refusal, which names the field to blame."""
    try:
        return _params[kind].decode(params)
    except msgspec.ValidationError:
        raise _blame(kind, params) from None


def _blame(kind: type[Request], params: bytes) -> Refusal:
    """Why params are not those of a request: the first misspelt, missing or wrong field."""
    if params.startswith(b"["):
        return _wrong_params("params must be an object: the fields of the request by name.")
    given = _objects.decode(params)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in given:
        if name not in fields:
            return _unknown_field(kind, name, fields)
    for name, field in fields.items():
        if name not in given:
            if field.required:
                return kind.wrong(name, f"{name} is missing.")
            continue
        try:
            msgspec.json.decode(given[name], type=field.type)
        except msgspec.ValidationError:
            return kind.wrong(name, _control_character(name, given[name]))
    return _wrong_params("A field of params is there twice.")  # the last was looked at, and is right


def _wrong_params(message: str) -> Refusal:
    return Refusal("bad_request", message, field="params", takes="an object, with each field once")


def _unknown_field(kind: type[Request], name: str, fields: Iterable[str]) -> Refusal:
    nearest = difflib.get_close_matches(name[:_SHOWN], fields, 1)
    takes = ", ".join(fields) or "no fields"
    hint = f"did you mean {nearest[0]}?" if nearest else f"{kind.method} takes {takes}."
    message = f"{kind.method} has no field {_shown(name)}: {hint}"
    return Refusal("bad_request", message, field=name[:_SHOWN], takes=takes)


def _control_character(name: str, value: Raw) -> str | None:
    """A sentence on the control character in a text, if that is what is wrong with it."""
    if not bytes(value).startswith(b'"'):
        return None
    found = [c for c in msgspec.json.decode(value, type=str) if c < " " or "\x7f" <= c <= "\x9f"]
    return f"{name} has the control character U+{ord(found[0]):04X}." if found else None


# Replies out, empty for a notification ----------------------------------------------------------


def encode_reply(id: bytes | None, answer: Answer) -> bytes:
    """The line that answers the request of that id: its result, or its refusal."""
    if answer.refused:
        return encode_refusal(id, answer.refusal())
    if id is None:
        return b""
    return b"".join((b'{"jsonrpc":"2.0","id":', id, b',"result":', answer.body, b"}\n"))


def encode_refusal(id: bytes | None, refusal: Refusal) -> bytes:
    """The line that refuses the request of that id."""
    return _error(id, refusal.code, refusal.message, {"reason": refusal.reason, **refusal.data})


def encode_internal_error(id: bytes | None, request_id: str) -> bytes:
    """The line for a fault inside: an id to find it in the server's log, and nothing else."""
    return _error(id, INTERNAL_ERROR, "Something went wrong inside the server.", {"request_id": request_id})


def encode_too_long(max_bytes: int) -> bytes:
    """The line that answers one that was too long to be read."""
    return _error(NO_ID, INVALID_REQUEST, f"The line is too long: at most {max_bytes} bytes.")


def encode_batch(replies: Iterable[bytes]) -> bytes:
    """The line that answers a batch, of those of its members."""
    objects = [line[:-1] for line in replies if line]
    return b"[" + b",".join(objects) + b"]\n" if objects else b""


def _rejected(id: bytes | None, code: int, message: str) -> Rejected:
    return Rejected(_error(id, code, message))


def _error(id: bytes | None, code: int, message: str, data: dict[str, Any] | None = None) -> bytes:
    if id is None:
        return b""
    error = {"code": code, "message": message} | ({"data": data} if data else {})
    return b"".join((b'{"jsonrpc":"2.0","id":', id, b',"error":', msgspec.json.encode(error), b"}\n"))


def encode_notification(method: str, params: Raw) -> bytes:
    """The line that tells something without being asked."""
    name = msgspec.json.encode(method)
    return b"".join((b'{"jsonrpc":"2.0","method":', name, b',"params":', params, b"}\n"))


# The client's side -----------------------------------------------------------------------------


class RpcError(Exception):
    """An error reply that is no refusal: the server's fault, or a request it could not read."""

    def __init__(self, code: int, message: str, data: dict[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class _ErrorObject(Struct, frozen=True):
    code: int
    message: str
    data: dict[str, Any] = {}


class _Told(Struct, frozen=True):
    """The members of any line of the server."""

    id: Raw | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    error: _ErrorObject | UnsetType = UNSET
    method: str | UnsetType = UNSET
    params: dict[str, Any] = {}


class Notification(Struct, frozen=True):
    """A line of the server that answers nothing."""

    method: str
    params: dict[str, Any]


_told = msgspec.json.Decoder(_Told)


def encode_request(id: int, request: Request) -> bytes:
    """The line that asks for a request."""
    frame = {"jsonrpc": JSONRPC, "id": id, "method": request.method, "params": request}
    return msgspec.json.encode(frame) + b"\n"


def decode_notification(line: bytes) -> Notification | None:
    """The notification that a line is; None for another. Raises msgspec.DecodeError."""
    told = _told.decode(line)
    return Notification(told.method, told.params) if told.method else None


def decode_reply(line: bytes, kind: type[T]) -> T:
    """The result that a reply brings.

    Raises Refusal or RpcError when it brings an error, msgspec.DecodeError when it is no such reply.
    """
    told = _told.decode(line)
    if told.error is not UNSET:
        data = dict(told.error.data)
        if "reason" in data:
            raise Refusal(data.pop("reason"), told.error.message, **data)
        raise RpcError(told.error.code, told.error.message, data)
    if told.result is UNSET:
        raise msgspec.ValidationError("the line is no reply")
    return msgspec.json.decode(told.result, type=kind)
