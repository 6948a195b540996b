"""The OpenAPI document at /schema, compared with the server by schemathesis.

Each operation is called with its example and with generated requests, valid and invalid, by callers of each
role. No call may cause an internal error, or get a response that the document does not describe. Half of the
generated requests name a service, a booking or a trip that exists. The requests are the same in every run.
"""

from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from busware.server import protocol
from busware.server.http import openapi, openapi_webhooks
from busware.server.http.examples import EXAMPLES, PROBLEMS
from busware.server.http.problems import STATUSES
from busware.server.http.routes import RESOURCES
from tests.support.http_client import HttpClient

REQUESTS_PER_OPERATION = 25
PASSWORD = "correct horse battery"
TRIP = {"bus_id": 1, "travel_date": "2026-12-03", "origin": "Bengaluru", "destination": "Mysuru"}
CHECKS = (
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
)


def register(http: HttpClient, username: str) -> str:
    """The token of a new account."""
    new = {"username": username, "password": PASSWORD}
    return str(http.call("POST", "/v1/accounts", json=new).json()["token"])


# The many wrong requests come from one address, so its rate limit is high. A changed role applies at once.
pytestmark = pytest.mark.settings(
    attempts_per_address=10**6,
    password_wait_seconds=60,
    token_recheck_seconds=0.001,
    manual_account="KSRTC, account 12345678",
)


@pytest.fixture
def admin(http: HttpClient, database: Any) -> str:
    """The token of an admin."""
    token = register(http, "asha")
    database.query("UPDATE accounts SET role = 'admin'")
    return token


@pytest.fixture
def traveller(http: HttpClient) -> str:
    """The token of a traveller without bookings."""
    return register(http, "ravi")


@pytest.fixture
def existing(http: HttpClient, admin: str, database: Any) -> dict[str, list[Any]]:
    """Values that exist in the database, by field. An example gets the first value of each of its fields."""
    booked, held = (
        http.call("POST", path, token=admin, json={**TRIP, "count": 1}).json()["reference"]
        for path in ("/v1/bookings", "/v1/holds")
    )
    http.call("POST", "/v1/trips/1/2026-12-04/cancel", token=admin, json={"reason": "Flood"})
    database.query("SELECT api.add_agent('counter1', '', 'KSRTC')")
    webhook = {"operator": "KSRTC", "url": "https://example.org/busware"}
    http.call("PUT", "/v1/webhooks/accounting", token=admin, json=webhook)
    return {
        "bus_id": [1],
        "agent": ["counter1"],
        "webhook": ["accounting"],
        "travel_date": ["2026-12-03", "2026-12-04"],
        "date": ["2026-12-03", "2026-12-04"],
        "origin": ["Bengaluru"],
        "destination": ["Mysuru"],
        "place": ["Mandya"],
        "at": ["Mandya", 3],
        "reference": [booked, held],
        "seat_no": [5],
    }


# Values that replace those of the examples, because the test database differs.
REPLACED: dict[str, dict[str, Any]] = {
    "search": {"ac": "false"},
    "events": {"after": "0"},
    "cancel_quote": {"tickets": [1]},
    "cancel": {"tickets": [1]},
    "register": {"username": "meera"},
    **{key: {"operator": "KSRTC"} for key in ("vehicles", "put_vehicle", "drivers", "put_driver")},
    **{key: {"operator": "KSRTC"} for key in ("promo_codes", "put_promo_code")},
    "assign": {"vehicle": None, "drivers": []},
    **{key: {"operator": "KSRTC"} for key in ("agents", "settlement", "staff", "put_staff")},
    **{key: {"operator": "KSRTC"} for key in ("invoices", "accounts", "invoicing", "put_invoicing")},
    **{key: {"operator": "KSRTC"} for key in ("webhooks", "put_webhook", "rotate_webhook_secret")},
    **{key: {"operator": "KSRTC"} for key in ("test_webhook", "webhook_deliveries", "delete_webhook")},
    "replay_webhook": {"operator": "KSRTC"},
    "put_agent": {"operator": "KSRTC", "quotas": [{"bus_id": 1, "seats": 6}]},
    "settle_agent": {"operator": "KSRTC", "settlement_no": 1},
}
# The status of each example that the server refuses in the test.
REFUSED = {
    "no_shows": 409,  # the trip has not left the stop yet
    "accept": 404,  # the booking has no offer
    "decline": 404,
    "exchange_vehicle": 404,  # the operator has no such vehicle
    "reset_password": 401,  # no mail has the token
    # The service is not paid to a provider: see test_payment_is_documented_from_the_hold_to_the_refund.
    "pay": 409,
    "settle_payment": 404,
    "settle_refund": 404,
    "invoice": 404,  # the operator issues no invoices
}
NEEDS_HOLD = ("confirm", "release", "pay")  # their examples use the second reference, a hold


def authorization(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("method", EXAMPLES)
def test_example_gets_a_documented_response(
    http: HttpClient, admin: str, existing: dict[str, list[Any]], method: str
) -> None:
    operation = schemathesis.openapi.from_url(f"{http.url}/schema").find_operation_by_id(method)
    resource, fields = RESOURCES[method], EXAMPLES[method].request
    known = {name: values[method in NEEDS_HOLD and name == "reference"] for name, values in existing.items()}
    fields = {name: known.get(name, value) for name, value in fields.items()} | REPLACED.get(method, {})
    query = {name: fields[name] for name in resource.query_fields if name in fields}
    body = {"body": {name: fields[name] for name in resource.body_fields if name in fields}}
    case = operation.Case(
        path_parameters={name: fields[name] for name in resource.path_fields},
        query={name: "true" if value is True else value for name, value in query.items()},
        **(body if resource.has_body else {}),
    )
    answer = case.call_and_validate(headers=authorization(admin), checks=CHECKS, session=http.session)
    assert answer.status_code == REFUSED.get(method, resource.request_type.status)


def test_payment_is_documented_from_the_hold_to_the_refund(
    http: HttpClient, admin: str, database: Any
) -> None:
    database.query("UPDATE bus_info SET payment = 'manual' WHERE bus_id = 1")

    def call(name: str, status: int, body: dict[str, Any] | None = None, **path: str) -> Any:
        operation = schemathesis.openapi.from_url(f"{http.url}/schema").find_operation_by_id(name)
        case = operation.Case(path_parameters=path, **({} if body is None else {"body": body}))
        answer = case.call_and_validate(headers=authorization(admin), checks=CHECKS, session=http.session)
        assert answer.status_code == status
        return answer.json()

    assert call("book", 402, {**TRIP, "count": 1})["reason"] == "payment_required"
    reference = call("hold", 201, {**TRIP, "count": 1})["reference"]
    assert call("confirm", 402, {}, reference=reference)["reason"] == "payment_required"
    payment = call("pay", 201, {}, reference=reference)
    money = {name: payment[name] for name in ("amount", "currency")}
    settled = call("settle_payment", 200, money, payment=payment["provider_reference"])
    assert settled["outcome"] == "booked"
    call("cancel", 200, {}, reference=reference)
    (refund,) = call("refunds", 200)["refunds"]
    paid_back = call("settle_refund", 200, reference=reference, refund_id=refund["refund_id"])
    assert [refund["state"] for refund in paid_back["refunds"]] == ["succeeded"]
    assert call("payments", 200, reference=reference)["payments"] == [paid_back]


@pytest.mark.parametrize("method", [*RESOURCES, "healthz", "readyz", "metrics"])
def test_generated_requests_get_documented_responses(
    http: HttpClient, admin: str, traveller: str, existing: dict[str, list[Any]], database: Any, method: str
) -> None:
    """Valid and invalid requests."""
    operation = schemathesis.openapi.from_url(f"{http.url}/schema").find_operation_by_id(method)
    callers = [traveller, "unknown token", None, *([] if method == "logout" else [admin, admin, admin])]
    modes = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]
    known_fields = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in existing.items()})

    @given(case=st.one_of(modes), known=st.none() | known_fields, token=st.sampled_from(callers))
    @hypothesis_settings(
        max_examples=REQUESTS_PER_OPERATION,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def call(case: schemathesis.Case, known: dict[str, Any] | None, token: str | None) -> None:
        for fields in (case.path_parameters, case.query, case.body):
            if known and isinstance(fields, dict):
                fields.update({name: known[name] for name in fields if name in known})
        case.call_and_validate(headers=authorization(token), checks=CHECKS, session=http.session)

    call()
    assert database.query("SELECT * FROM api.audit()") == []


# The document ---------------------------------------------------------------------------------


def test_every_method_is_a_resource() -> None:
    assert {resource.request_type.method for resource in RESOURCES.values()} == {*EXAMPLES}
    assert protocol.METHODS.keys() == EXAMPLES.keys() <= RESOURCES.keys()
    targets = [target for kind in protocol.METHODS.values() for target in kind.resources.values()]
    assert len(set(targets)) == len(targets)


@pytest.mark.parametrize("method", EXAMPLES)
def test_example_matches_its_structs(method: str) -> None:
    example, kind = EXAMPLES[method], protocol.METHODS[method]
    msgspec.convert(example.request, kind)
    assert msgspec.to_builtins(msgspec.convert(example.reply, kind.reply)) == example.reply


def test_every_reason_has_a_status_and_every_status_an_example() -> None:
    assert STATUSES.keys() == protocol.REASONS.keys()
    assert {*STATUSES.values()} <= PROBLEMS.keys()


@pytest.mark.parametrize("name", protocol.SENT_EVENTS)
def test_example_of_an_event_matches_its_struct(name: str) -> None:
    example = openapi_webhooks.example_of(name)
    assert msgspec.to_builtins(msgspec.convert(example, protocol.SENT_EVENTS[name])) == example


def test_document_is_valid_openapi() -> None:
    described = msgspec.json.decode(msgspec.json.encode(openapi.document()))
    assert list(OpenAPIV31SpecValidator(described).iter_errors()) == []
    for name, problem in described["components"]["responses"].items():
        (content,) = problem["content"].values()
        assert content["example"]["status"] == int(name.removeprefix("Problem"))


def schemas_of(name: str, part: Any) -> list[dict[str, Any]]:
    """The schemas, without null, of all parameters and members with this name in a part of the document."""
    found = []
    if isinstance(part, dict):
        found += [part["properties"][name]] if name in part.get("properties", {}) else []
        found += [part["schema"]] if part.get("name") == name and "schema" in part else []
    for member in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        found += schemas_of(name, member)
    return [kind for schema in found for kind in schema.get("anyOf", [schema]) if kind != {"type": "null"}]


def test_large_numbers_amounts_and_dates_have_a_format() -> None:
    described = msgspec.json.decode(msgspec.json.encode(openapi.document()))
    assert {(s["format"], s["maximum"]) for s in schemas_of("bus_id", described)} == {("int64", 2**63 - 1)}
    assert {s["format"] for s in schemas_of("date", described)} == {"date"}
    for name in ("fare", "refund"):
        assert all("pattern" in str(schema) for schema in schemas_of(name, described))
    assert len(schemas_of("fare", described)) > 5


def test_problem_has_the_fields_of_every_refusal() -> None:
    problem = openapi.document()["components"]["schemas"]["Problem"]
    assert problem["properties"].keys() >= {*protocol.RefusalData.__struct_fields__, "request_id"}
    assert all({"type", "$ref", "allOf"} & schema.keys() for schema in problem["properties"].values())


def test_schema_is_json_for_programs(http: HttpClient) -> None:
    answer = http.call("GET", "/schema")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == http.call("GET", "/schema/openapi.json").json()
    assert answer.json()["openapi"] == "3.1.0"
    again = http.call("GET", "/schema", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


class ActiveContent(HTMLParser):
    """Collects the parts of a page that a browser would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe", "object", "embed"):
            self.found.append(tag)
        self.found += [
            f"{name}={value}" for name, value in attributes if name in ("src", "style") or name[:2] == "on"
        ]


def test_page_loads_nothing(http: HttpClient) -> None:
    answer = http.call("GET", "/schema", headers={"Accept": "text/html,*/*"})
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    page = ActiveContent()
    page.feed(answer.text)
    assert page.found == []
    assert "url(" not in answer.text and "@import" not in answer.text
    for method in RESOURCES:
        assert f'<h2 id="{method}">' in answer.text
    for reason in protocol.REASONS:
        assert f'id="{reason}"' in answer.text
