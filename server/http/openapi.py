"""The OpenAPI 3.1 document, made from the structs of the protocol and their descriptions.

The schema of a field is the schema of its type, which the decoder checks too. The error statuses of an
operation follow from its fields and from the account roles that may use it.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import json

from busware.server import protocol
from busware.server.booking import permissions
from busware.server.http import openapi_webhooks, problems
from busware.server.http.event_streams import EVENT_NAMES, EVENT_STREAM
from busware.server.http.examples import EXAMPLES, PROBLEMS
from busware.server.http.executor import JSON
from busware.server.http.routes import FORMAT, RESOURCES, Resource

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_TEXT = {"type": "string"}
# Fields that name a thing, such as a booking: the thing may not exist.
_LOOKUP_FIELDS = {
    "origin",
    "place",
    "reference",
    "bus_id",
    "after",
    "agent",
    "payment",
    "refund_id",
    "webhook",
    "delivery_no",
}
_STATUSES_OF_EVERY_PATH = (400, 403, 408, 412, 421, 431, 500, 503)
_TAGS = {
    "health": "Health checks and metrics, for programs that monitor the server",
    "ping": "The version of the server",
    "places": "The places that services call at",
    "trips": "Trips, their seats, and for operators their passengers",
    "bookings": "Bookings, from the sale to the refund",
    "holds": "Seats that are held for a time",
    "references": "Lost references",
    "accounts": "New accounts",
    "sessions": "Signing in and out",
    "password-resets": "New passwords by mail or by a token of an operator",
    "operator": "For operators: the trips of a date",
    "events": "For operators: what happened to bookings and trips",
    "services": "For operators: their services, and the dates on sale",
    "promo-codes": "For operators: promo codes",
    "vehicles": "For operators: vehicles",
    "drivers": "For operators: drivers",
    "agents": "For operators: agents, who sell at a counter",
    "staff": "For operators: the accounts of agents, operators and admins",
    "payments": "For operators: payments that have arrived",
    "refunds": "For operators: refunds to pay back",
    "webhooks": "For operators: URLs to which events are sent",
    "settlement": "For operators and agents: the cash of an agent",
    "invoices": "For operators: invoices and credit notes",
    "invoicing": "For operators: what is on their invoices",
    "messages": "Messages to the operators",
}
_RATE_LIMITED = (
    protocol.BookingRequest,
    protocol.PartyRequest,
    protocol.Find,
    protocol.Say,
    protocol.Register,
    protocol.Login,
    protocol.RequestReset,
    protocol.SetEmail,
)
_NEEDS_PAYMENT = (protocol.Book, protocol.Confirm)
_BEARER: Json = {"bearer": []}
_STREAM = (
    "with `Accept: text/event-stream`: the same reply as an event, at once and after each change; if the "
    "server cannot read it again, the last event is `problem`"
)
_ABOUT = """\
Seats for segments of a route: buses, flights, shows and hotel nights. The fields are those of the TCP
protocol. A write takes the header Idempotency-Key: a write that is sent again with the same key is done
once. A request of another web page gets 403, unless a setting allows its origin. If-Match is refused (412).
An error is a problem (RFC 9457) with a `reason`; 429, 503 and 504 have the header Retry-After. A GET
has an ETag: with If-None-Match, an unchanged reply is 304. POST /v1/sessions returns a token: send it as
Authorization: Bearer.
"""


def document() -> Json:
    """Make the OpenAPI document."""
    replies = [resource.request_type.reply for resource in RESOURCES.values()]
    events = dict.fromkeys(protocol.SENT_EVENTS.values())
    _, schemas = json.schema_components([*replies, *events, protocol.RefusalData], ref_template=_REF)
    problem = _problem(schemas.pop(protocol.RefusalData.__name__)["properties"])
    paths = _health()
    for name, resource in RESOURCES.items():
        operations = paths.setdefault(resource.path, {})
        operations[resource.http_method.lower()] = _operation(name, resource, schemas)
    for schema in schemas.values():
        for member in schema.get("properties", {}).values():
            member.pop("default", None)  # null: to generated clients, a member with a default is always there
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Busware",
            "version": protocol.VERSION,
            "description": _ABOUT,
            "contact": {"name": "The operator of this server"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": about} for name, about in _TAGS.items()],
        "security": [{}, _BEARER],  # apart from the operations that need an account
        "paths": paths,
        "webhooks": openapi_webhooks.webhooks(_REF),
        "components": {
            "schemas": {**schemas, "Problem": problem},
            "responses": {f"Problem{status}": _problem_response(status) for status in sorted(PROBLEMS)},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(name: str, resource: Resource, schemas: Json) -> Json:
    """The operation with this name. Adds the schemas that the operation uses to `schemas`."""
    request_type = resource.request_type
    example = EXAMPLES[request_type.method].request
    fields = {field.encode_name: field for field in msgspec.structs.fields(request_type)}
    types = [field.type for field in fields.values()]
    found_schemas, components = json.schema_components(types, ref_template=_REF)
    schemas |= components
    field_schemas = dict(zip(fields, found_schemas, strict=True))
    parameters = [(field, field, "path") for field in resource.path_fields]
    parameters += [(field, field, "query") for field in resource.query_fields]
    parameters += [("key", "Idempotency-Key", "header")] if resource.has_key else []
    operation: Json = {
        "operationId": name,
        "summary": _first_line(request_type),
        "description": _description(request_type),
        "tags": [resource.path.split("/")[2]],
        "parameters": [
            {
                "name": parameter,
                "in": location,
                "required": location == "path" or fields[field].required,
                **_schema_and_description(field_schemas[field]),
                **({"example": example[field]} if field in example else {}),
            }
            for field, parameter, location in parameters
        ],
        "responses": _responses(resource),
    }
    if resource.formats:
        formats = {"type": "string", "enum": ["json", *resource.formats]}
        about = "the format of the reply, instead of the header Accept"
        parameter = {
            "name": FORMAT,
            "in": "query",
            "required": False,
            "schema": formats,
            "description": about,
        }
        operation["parameters"].append(parameter)
    if _needs_account(request_type):
        operation["security"] = [_BEARER]
    if resource.has_body:
        required = [field for field in resource.body_fields if fields[field].required]
        schema = {
            "type": "object",
            "properties": {field: field_schemas[field] for field in resource.body_fields},
            "required": required,
            "additionalProperties": False,
        }
        body = {"schema": schema, "example": {k: v for k, v in example.items() if k in resource.body_fields}}
        operation["requestBody"] = {"required": bool(required), "content": {JSON: body}}
    return operation


def _schema_and_description(schema: Json) -> Json:
    """The schema and description of a parameter. Removes null: a path or a query cannot express it."""
    types = [part for part in schema.get("anyOf", [schema]) if part != {"type": "null"}]
    schema = types[0] if len(types) == 1 else {**schema, "anyOf": types}
    return {"schema": schema, **{k: v for k, v in schema.items() if k == "description"}}


def _responses(resource: Resource) -> Json:
    request_type = resource.request_type
    reference = _REF.format(name=request_type.reply.__name__)
    reply = {"schema": {"$ref": reference}, "example": EXAMPLES[request_type.method].reply}
    success: Json = {"description": _first_line(request_type.reply), "content": {JSON: reply}}
    responses = {str(request_type.status): success, **_problem_references(_error_statuses(resource))}
    for form in resource.formats.values():
        success["content"][form.mime_type] = {"schema": {"type": "string"}}
    if request_type in EVENT_NAMES:
        success["content"][EVENT_STREAM] = {"schema": {**_TEXT, "description": _STREAM}}
    if resource.http_method == "GET":
        success["headers"] = {"ETag": {"schema": _TEXT}}
        responses["304"] = {"description": "Not changed: If-None-Match has the ETag of the reply."}
    elif resource.makes_booking:
        success["headers"] = {"Location": {"schema": _TEXT}}
        success["links"] = {
            name: {"operationId": name, "parameters": {"path.reference": "$response.body#/reference"}}
            for name, other in RESOURCES.items()
            if issubclass(other.request_type, protocol.BookingRequest) and "reference" in other.path_fields
        }
    return responses


def _error_statuses(resource: Resource) -> list[int]:
    request_type = resource.request_type
    conditions = {
        (401,): True,
        (402,): issubclass(request_type, _NEEDS_PAYMENT),
        (413, 415): resource.has_body,
        (404, 409, 422): resource.path_fields
        or _LOOKUP_FIELDS.intersection(resource.body_fields or resource.query_fields),
        (429,): issubclass(request_type, _RATE_LIMITED),
        (409,): request_type is protocol.Register,
        (501,): True,
        (422, 504): resource.has_key,
    }
    others = {status for statuses, applies in conditions.items() if applies for status in statuses}
    return sorted({*_STATUSES_OF_EVERY_PATH, *others})


def _description(request_type: type[protocol.Request]) -> str:
    """What the first line does not say: the rest of the docstring, the method, and who may send it."""
    rest = (request_type.__doc__ or "").partition("\n")[2]
    sentences = [" ".join(rest.split()), f"The method `{request_type.method}` of the TCP protocol."]
    roles = permissions.RIGHTS[request_type]
    if roles != permissions.ALL:
        sentences.append(f"For accounts with the role {' or '.join(roles)}.")
    if "key" in request_type.__struct_fields__:
        sentences.append("If the answer is lost, send the request again with the same Idempotency-Key.")
    return " ".join(filter(None, sentences))


def _needs_account(request_type: type[protocol.Request]) -> bool:
    return "guest" not in permissions.RIGHTS[request_type]


def _first_line(documented: type) -> str:
    return (documented.__doc__ or "").split("\n", 1)[0]


# Problems --------------------------------------------------------------------------------------


def _problem(refusal_data: Json) -> Json:
    """The schema of an error. refusal_data: the schemas of the fields that a refusal may have."""
    return {
        "type": "object",
        "description": "A problem (RFC 9457) with the reason and the data of the refusal.",
        "properties": {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": {**_TEXT, "description": "a sentence for people"},
            "reason": {**_TEXT, "enum": sorted(protocol.REASONS)},
            **refusal_data,
            "request_id": {**_TEXT, "description": "of an internal error: its id in the log of the server"},
        },
        "required": ["type", "title", "status", "detail"],
    }


def _problem_references(statuses: Iterable[int]) -> Json:
    return {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in statuses}


def _problem_response(status: int) -> Json:
    """An error response: its reasons, and an example."""
    reasons = [reason for reason in protocol.REASONS if problems.STATUSES[reason] == status]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        reasons.append("not_allowed")
    about = "; ".join(f"`{reason}`: {protocol.REASONS[reason]}" for reason in reasons)
    content = {"schema": {"$ref": _REF.format(name="Problem")}, "example": json.decode(PROBLEMS[status].body)}
    retry_after = {"Retry-After": {"schema": _TEXT, "description": "seconds"}}
    return {
        "description": about or HTTPStatus(status).phrase,
        "content": {problems.PROBLEM: content},
        "headers": retry_after if status in (429, 503, 504) else {},
    }


# Health ----------------------------------------------------------------------------------------


def _health() -> Json:
    """The paths of health checks and metrics."""
    schema = {"type": "object", "properties": {"status": _TEXT}, "required": ["status"]}
    ok = {JSON: {"schema": schema, "example": {"status": "ok"}}}
    healthy = {"description": "The server answers.", "content": ok}
    ready = {"description": "The server reaches its database.", "content": ok}
    unready = {
        "description": "The database is unavailable, or the server is stopping.",
        "content": {
            JSON: {"schema": schema, "example": {"status": "away"}},
            problems.PROBLEM: {"schema": {"$ref": _REF.format(name="Problem")}},
        },
    }
    metrics = {"description": "The metrics.", "content": {"text/plain": {"schema": _TEXT}}}
    return {
        f"/{name}": {
            "get": {
                "operationId": name,
                "summary": summary,
                "description": f"{description} No account is needed.",
                "tags": ["health"],
                "responses": _problem_references(_STATUSES_OF_EVERY_PATH) | responses,
            }
        }
        for name, summary, description, responses in (
            ("healthz", "Does the server answer?", "It does not ask the database.", {"200": healthy}),
            (
                "readyz",
                "Does the server reach its database?",
                "If not, or if the server is stopping: 503.",
                {"200": ready, "503": unready},
            ),
            (
                "metrics",
                "Metrics for Prometheus",
                "Only for this machine, and for networks that a setting names.",
                {"200": metrics},
            ),
        )
    }
