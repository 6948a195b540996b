"""The parts of an HTTP request, and the request of the wire that they are.

The path names some fields. What it does not name is in the query of a GET or a DELETE, in the body of
anything else; the idempotency key is a header. All of it is put together as the JSON that the TCP port
would have got and decoded by the same decoder (server/protocol/jsonrpc.py): each field takes the same, and
an error blames the same field. A query has no types: a text is a number or a flag where its field takes
one and it looks like one, and stays a text otherwise, for the decoder to blame. Pure: no socket.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Raw, inspect

from busware.server.protocol import METHODS, Booking, Refusal, Request
from busware.server.protocol.jsonrpc import decode_params

KEY = "key"  # the field that is a header: Idempotency-Key
_MOST_FIELDS = 100  # in a query

_objects = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.Encoder().encode


class Resource:
    """A method of the wire as a resource of HTTP."""

    def __init__(self, kind: type[Request]) -> None:
        self.kind = kind
        self.http_method, self.path = kind.resource.split(" ")
        self.in_path = re.findall(r"{(\w+)}", self.path)
        fields = [field.encode_name for field in msgspec.structs.fields(kind)]
        self.has_key = KEY in fields
        self.makes_booking = kind.reply is Booking and kind.status == HTTPStatus.CREATED
        rest = [name for name in fields if name not in (*self.in_path, KEY)]
        self.has_body = self.http_method not in ("GET", "DELETE")
        self.in_query = [] if self.has_body else rest
        self.in_body = rest if self.has_body else []

    def request(self, path: Mapping[str, str], query: str, body: bytes, key: str | None) -> Request:
        """The request that these parts are. Raises Refusal (bad_request)."""
        params: dict[str, Any] = {name: self._typed(name, [text]) for name, text in path.items()}
        params |= self._of_query(query)
        if key is not None and self.has_key:
            params[KEY] = key
        if self.has_body:
            given = _of_body(body)
            for name in given:
                if name in params or name == KEY:
                    where = "header Idempotency-Key" if name == KEY else "path"
                    raise self.kind.wrong(name, f"{name} is given in the {where}, not in the body.")
            params |= given
        return decode_params(self.kind, _encode(params))

    def _of_query(self, query: str) -> dict[str, Any]:
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            takes = f"up to {_MOST_FIELDS} fields"
            message = f"The query takes {takes}."
            raise Refusal("bad_request", message, field="query", takes=takes) from None
        texts: dict[str, list[str]] = {}
        for name, text in pairs:
            texts.setdefault(name, []).append(text)
        for name in texts:
            if name in (*self.in_path, *self.in_body, KEY):
                takes = ", ".join(self.in_query) or "no fields"
                message = f"{name} is not given in the query, which takes {takes}."
                raise Refusal("bad_request", message, field=name, takes=takes)
        return {name: self._typed(name, values) for name, values in texts.items()}

    def _typed(self, name: str, texts: list[str]) -> Any:
        """The value of a field in a path or a query."""
        read, many = self._readers.get(name, (_text, False))
        values = [read(text) for text in texts]
        return values if many or len(values) > 1 else values[0]

    @cached_property
    def _readers(self) -> "dict[str, tuple[Any, bool]]":
        """How a text of each field is read, and whether the field is a list."""
        info = inspect.type_info(self.kind)
        assert isinstance(info, inspect.StructType)  # noqa: S101 - for the type checker
        return {field.encode_name: _reader(field.type) for field in info.fields}


RESOURCES = {method: Resource(kind) for method, kind in METHODS.items()}


def _of_body(body: bytes) -> dict[str, Raw]:
    """The members of a body; none of an empty one. Raises Refusal (bad_request)."""
    if not body.strip():
        return {}
    try:
        return _objects.decode(body)
    except msgspec.ValidationError:
        message = "The body must be an object: the fields of the request by name."
    except (msgspec.DecodeError, RecursionError):
        message = "The body is not JSON."
    raise Refusal("bad_request", message, field="body", takes="a JSON object, with each field once")


def _reader(kind: inspect.Type) -> tuple[Any, bool]:
    match kind:
        case inspect.Metadata():
            return _reader(kind.type)
        case inspect.UnionType():
            return next(_reader(one) for one in kind.types if not isinstance(one, inspect.NoneType))
        case inspect.ListType():
            return _reader(kind.item_type)[0], True
        case inspect.IntType():
            return _number, False
        case inspect.BoolType():
            return _flag, False
    return _text, False


def _text(text: str) -> str:
    return text


def _number(text: str) -> int | str:
    return int(text) if re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII) else text


def _flag(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)
