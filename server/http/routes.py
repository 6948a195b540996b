"""Resources, one for each method of the protocol: they make its request from the parts of an HTTP request.

The path has some fields of the request. The others are in the query of a GET or a DELETE, and in the body of
a POST; the idempotency key is a header. A resource puts all of them together as JSON, and the decoder of the
TCP server (server/protocol/jsonrpc.py) decodes it. So both servers accept the same values and name the same
field in an error.

Values in a path or a query have no types: a text becomes a number or a boolean if its field takes one and
the text looks like one. This module does no I/O.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Raw, inspect

from busware.server.documents.formats import FORMATS, Format
from busware.server.protocol import METHODS, Booking, Refusal, Request
from busware.server.protocol.jsonrpc import decode_params

KEY = "key"  # the field that is a header: Idempotency-Key
FORMAT = "format"  # in the query: the format of the reply, for links, which cannot set the header Accept
_MAX_QUERY_FIELDS = 100

_object_decoder = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.Encoder().encode


class Resource:
    """A method of the protocol as a resource.

    request_type: the struct of its requests. target: HTTP method and path.
    """

    def __init__(self, request_type: type[Request], target: str) -> None:
        self.request_type = request_type
        self.http_method, self.path = target.split(" ")
        self.path_fields = re.findall(r"{(\w+)}", self.path)
        fields = [field.encode_name for field in msgspec.structs.fields(request_type)]
        self.has_key = KEY in fields
        self.makes_booking = request_type.reply is Booking and request_type.status == HTTPStatus.CREATED
        elsewhere = {*self.path_fields, KEY}
        if elsewhere & {*request_type.either}:  # one of them is in the path, so the others are not given
            elsewhere |= {*request_type.either}
        rest = [name for name in fields if name not in elsewhere]
        self.has_body = self.http_method not in ("GET", "DELETE")
        self.query_fields = [] if self.has_body else rest
        self.body_fields = rest if self.has_body else []
        self.formats = FORMATS.get(request_type, {})

    def request(self, path: Mapping[str, str], query: str, body: bytes, key: str | None) -> Request:
        """Make a request from the parts of an HTTP request. Raises Refusal (bad_request)."""
        params: dict[str, Any] = {name: self._value(name, [text]) for name, text in path.items()}
        params |= self._query_values(query)
        if key is not None and self.has_key:
            params[KEY] = key
        if self.has_body:
            members = _body_members(body)
            for name in members:
                if name == KEY or (name in params and params[name] != msgspec.json.decode(members[name])):
                    where = "header Idempotency-Key" if name == KEY else "path"
                    raise self.request_type.wrong(name, f"Give {name} in the {where}, not in the body.")
            params |= members
        return decode_params(self.request_type, _encode(params))

    @classmethod
    def of(cls, request_type: type[Request]) -> "Resource":
        """The first resource of a method."""
        return RESOURCES[next(iter(request_type.resources))]

    def request_of_texts(self, texts: Mapping[str, Sequence[str]], **values: Any) -> Request:
        """Make a request from texts, such as those of a form, and from other values.

        A text that is empty counts as not given. Raises Refusal (bad_request).
        """
        given = {name: [text for text in found if text] for name, found in texts.items()}
        params = {name: self._value(name, found) for name, found in given.items() if found}
        return decode_params(self.request_type, _encode(params | values))

    def format(self, query: str, accept: str) -> Format | None:
        """The format that a request asks for in its query or its header Accept; None: JSON.

        Raises Refusal (bad_request) for an unknown one in the query.
        """
        if not self.formats:
            return None
        for name, text in _query_pairs(query):
            if name == FORMAT and text not in (*self.formats, "json"):
                takes = f"{', '.join(self.formats)} or json"
                raise Refusal("bad_request", f"{FORMAT} takes {takes}.", field=FORMAT, takes=takes)
            if name == FORMAT:
                return self.formats.get(text)
        return next((form for form in self.formats.values() if form.mime_type in accept), None)

    def _query_values(self, query: str) -> dict[str, Any]:
        texts: dict[str, list[str]] = {}
        for name, text in _query_pairs(query):
            if name == FORMAT and self.formats:
                continue
            if name in (*self.path_fields, *self.body_fields, KEY):
                takes = ", ".join(self.query_fields) or "no fields"
                message = f"The query does not take {name}. It takes {takes}."
                raise Refusal("bad_request", message, field=name, takes=takes)
            texts.setdefault(name, []).append(text)
        return {name: self._value(name, values) for name, values in texts.items()}

    def _value(self, name: str, texts: list[str]) -> Any:
        """The value of a field in a path or a query. A text that does not fit its field stays a text."""
        types = self._field_types.get(name, ())
        values: list[Any] = texts
        if inspect.IntType in types:
            values = [int(t) if re.fullmatch(r"[+-]?\d{1,19}", t, re.ASCII) else t for t in texts]
        elif inspect.BoolType in types:
            values = [{"true": True, "false": False}.get(text, text) for text in texts]
        return values if inspect.ListType in types or len(values) > 1 else values[0]

    @cached_property
    def _field_types(self) -> dict[str, list[type[inspect.Type]]]:
        """The types that the type of each field consists of: IntType and NoneType for `int | None`."""
        info = inspect.type_info(self.request_type)
        assert isinstance(info, inspect.StructType)  # noqa: S101 - for the type checker
        return {field.encode_name: list(_simple_types(field.type)) for field in info.fields}


RESOURCES = {
    name: Resource(request_type, target)
    for request_type in METHODS.values()
    for name, target in request_type.resources.items()
}


def _query_pairs(query: str) -> list[tuple[str, str]]:
    """The fields of a query. Raises Refusal (bad_request) if there are too many."""
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS)
    except ValueError:
        takes = f"up to {_MAX_QUERY_FIELDS} fields"
        raise Refusal("bad_request", f"The query takes {takes}.", field="query", takes=takes) from None


def _body_members(body: bytes) -> dict[str, Raw]:
    """The members of a body; an empty body has none. Raises Refusal (bad_request)."""
    if not body.strip():
        return {}
    try:
        body.decode()  # msgspec does not check the values that it does not decode
        return _object_decoder.decode(body)
    except UnicodeDecodeError as error:
        message = f"Byte {error.start + 1} of the body is not UTF-8."
    except msgspec.ValidationError:
        message = "The body must be an object: the fields of the request by name."
    except (msgspec.DecodeError, RecursionError):
        message = "The body is not JSON."
    raise Refusal("bad_request", message, field="body", takes="a JSON object, with each field once")


def _simple_types(kind: inspect.Type) -> Iterator[type[inspect.Type]]:
    match kind:
        case inspect.Metadata():
            yield from _simple_types(kind.type)
        case inspect.UnionType():
            for part in kind.types:
                yield from _simple_types(part)
        case inspect.ListType():
            yield inspect.ListType
            yield from _simple_types(kind.item_type)
        case _:
            yield type(kind)
