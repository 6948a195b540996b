"""The description of the HTTP face, OpenAPI 3.1, made of the structs of the wire and their words.

What a field takes is the schema of its type, which is what the decoder checks; what an answer has is the
schema of its reply; which errors there can be follows from what the request is about. Nothing is written
twice, so that nothing can differ from what the server does.
"""

from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import json

from busware.server import protocol
from busware.server.booking import permissions
from busware.server.http import problems
from busware.server.http.event_streams import EVENT_NAMES, EVENT_STREAM
from busware.server.http.examples import EXAMPLES, PROBLEMS, Example
from busware.server.http.executor import JSON
from busware.server.http.routes import RESOURCES, Resource

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_ALWAYS = (400, 401, 408, 431, 500, 503)
_OF_A_BODY = (413, 415)
_OF_A_THING = (404, 409, 422)  # that may be none, or in another state
_THINGS = {"origin", "place", "reference", "bus_id", "after"}
_GUESSES = (protocol.AboutBooking, protocol.Find, protocol.Login)  # after too many, 429
_STREAM = (
    "with `Accept: text/event-stream`: the same as an event, now and whenever it has changed; a last event "
    "`problem` where it is refused on the way"
)
_ABOUT = """\
Seats over stretches of a route: buses, flights, shows and hotel nights alike. What is said here of a field
is what the TCP port takes, too. A write takes the header Idempotency-Key: with the same key it is done
once, however often it is sent. An error is a problem (RFC 9457) with a `reason`; with 503 and 429 comes
Retry-After. A GET has an ETag: with If-None-Match, what has not changed is 304. Sign in for a token
(POST /v1/sessions), and send it as Authorization: Bearer.
"""


def document() -> Json:
    """The description."""
    kinds = [resource.kind for resource in RESOURCES.values()]
    _, schemas = json.schema_components([kind.reply for kind in kinds], ref_template=_REF)
    paths: dict[str, Json] = {}
    for method, resource in RESOURCES.items():
        operation, more = _operation(method, resource)
        paths.setdefault(resource.path, {})[resource.http_method.lower()] = operation
        schemas |= more
    return {
        "openapi": "3.1.0",
        "info": {"title": "Busware", "version": protocol.VERSION, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": {**paths, **_watching()},
        "components": {
            "schemas": {**schemas, "Problem": _problem()},
            "responses": {f"Problem{status}": _error(status) for status in sorted(PROBLEMS)},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(method: str, resource: Resource) -> tuple[Json, Json]:
    """An operation, and the schemas that it needs."""
    kind = resource.kind
    fields = msgspec.structs.fields(kind)
    found, schemas = json.schema_components([field.type for field in fields], ref_template=_REF)
    takes = dict(zip([field.encode_name for field in fields], found, strict=True))
    required = {field.encode_name for field in fields if field.required}
    example = EXAMPLES.get(method, Example({}, {}))
    operation: Json = {
        "operationId": method,
        "summary": (kind.__doc__ or "").split("\n", 1)[0],
        "tags": [resource.path.split("/")[2]],
        "parameters": _parameters(resource, takes, required, example),
        "responses": _responses(resource, example),
        "security": _security(kind),
    }
    if resource.has_body:
        names = resource.in_body
        schema = {
            "type": "object",
            "properties": {name: takes[name] for name in names},
            "required": [name for name in names if name in required],
            "additionalProperties": False,
        }
        body = {"schema": schema, "example": {k: v for k, v in example.asks.items() if k in names}}
        operation["requestBody"] = {"required": bool(schema["required"]), "content": {JSON: body}}
    return operation, schemas


def _parameters(resource: Resource, takes: Json, required: set[str], example: Example) -> list[Json]:
    places = [(name, name, "path") for name in resource.in_path]
    places += [(name, name, "query") for name in resource.in_query]
    places += [("key", "Idempotency-Key", "header")] if resource.has_key else []
    parameters = []
    for field, name, place in places:
        schema = _without_null(takes[field])
        parameter = {"name": name, "in": place, "schema": schema, "required": field in required}
        if about := schema.get("description"):
            parameter["description"] = about
        if field in example.asks:
            parameter["example"] = example.asks[field]
        parameters.append(parameter)
    return parameters


def _without_null(schema: Json) -> Json:
    """The schema of what is there: in a path or a query, null would be a word."""
    kinds = [one for one in schema.get("anyOf", [schema]) if one != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else {**schema, "anyOf": kinds}


def _responses(resource: Resource, example: Example) -> Json:
    kind = resource.kind
    reply = {"schema": {"$ref": _REF.format(name=kind.reply.__name__)}, "example": example.reply}
    success: Json = {"description": (kind.reply.__doc__ or "").split("\n", 1)[0], "content": {JSON: reply}}
    responses = {str(kind.status): success}
    if kind in EVENT_NAMES:
        success["content"][EVENT_STREAM] = {"schema": {"type": "string", "description": _STREAM}}
    if resource.http_method == "GET":
        success["headers"] = {"ETag": {"schema": {"type": "string"}}}
        responses["304"] = {"description": "It is what it was, by If-None-Match."}
    elif resource.makes_booking:
        success["headers"] = {"Location": {"schema": {"type": "string"}}}
        success["links"] = {
            method: _link(method, other)
            for method, other in RESOURCES.items()
            if other.in_path == ["reference"] and issubclass(other.kind, protocol.AboutBooking)
        }
    for status in _errors(resource):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return responses


def _link(method: str, resource: Resource) -> Json:
    """How to go on from a booking that was made: its reference, and the phone that was given with it."""
    phone = "$request.body#/phone"
    parameters = {"path.reference": "$response.body#/reference"}
    if resource.has_body:
        return {"operationId": method, "parameters": parameters, "requestBody": {"phone": phone}}
    return {"operationId": method, "parameters": {**parameters, "query.phone": phone}}


def _errors(resource: Resource) -> list[int]:
    """What can be wrong."""
    kind = resource.kind
    statuses = {*_ALWAYS}
    if resource.has_body:
        statuses |= {*_OF_A_BODY}
    if resource.in_path or _THINGS & {*resource.in_body, *resource.in_query}:
        statuses |= {*_OF_A_THING}
    if issubclass(kind, _GUESSES):
        statuses |= {429}
    if "guest" not in permissions.RIGHTS[kind]:
        statuses |= {403}
    if kind is protocol.Register:
        statuses |= {409}
    if kind.writes:
        statuses |= {422, 504}
    return sorted(statuses)


def _security(kind: type[protocol.Request]) -> list[Json]:
    needed: list[Json] = [{"bearer": []}]
    return [{}, *needed] if "guest" in permissions.RIGHTS[kind] else needed


# Problems --------------------------------------------------------------------------------------


def _problem() -> Json:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "RFC 9457, with the reason and whatever a program can use.",
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "a sentence for people"},
            "reason": {"type": "string", "enum": sorted(protocol.REASONS)},
            "field": {"type": "string", "description": "the field that is wrong"},
            "takes": {"type": "string", "description": "what it takes"},
        },
        "required": ["type", "title", "status", "detail"],
    }


def _error(status: int) -> Json:
    """What an error status says, and how it looks."""
    reasons = [reason for reason in protocol.REASONS if problems.STATUSES[reason] == status]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        reasons = ["not_allowed"]
    about = "; ".join(f"`{reason}`: {protocol.REASONS[reason]}" for reason in reasons)
    problem = {"schema": {"$ref": _REF.format(name="Problem")}, "example": json.decode(PROBLEMS[status].body)}
    answer: Json = {
        "description": about or HTTPStatus(status).phrase,
        "content": {problems.PROBLEM: problem},
    }
    if status in (429, 503, 504):
        answer["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "seconds"}}
    return answer


# For those who watch over the process ----------------------------------------------------------


def _watching() -> Json:
    status = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
    said = {JSON: {"schema": status, "example": {"status": "ok"}}}
    away = {JSON: {"schema": status, "example": {"status": "away"}}}
    busy = {problems.PROBLEM: {"schema": {"$ref": _REF.format(name="Problem")}}}
    unready = {"description": "The database is away, or the server is going down.", "content": away | busy}

    wrong = {str(s): {"$ref": f"#/components/responses/Problem{s}"} for s in (408, 431, 500, 503)}

    def get(name: str, about: str, responses: Json) -> Json:
        told = responses | {status: problem for status, problem in wrong.items() if status not in responses}
        return {"get": {"operationId": name, "summary": about, "tags": ["health"], "responses": told}}

    well = {"200": {"description": "It is.", "content": said}}
    measures = {"description": "They are", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {
        "/healthz": get("healthz", "Is the process there?", well),
        "/readyz": get("readyz", "Is the database there too?", {**well, "503": unready}),
        "/metrics": get("metrics", "Measures, for Prometheus", {"200": measures}),
    }
