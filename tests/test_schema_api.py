"""The description of the HTTP face at /schema, held against the server by schemathesis: whatever is asked,
no fault, and no answer that the description does not have. Half of what is asked is about what is there:
a bus, a booking, a trip that was cancelled. Bounded by a number of examples for each operation; which ones
is the same every time.
"""

import dataclasses
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from server import wire
from server.settings import Settings
from server.web.examples import EXAMPLES
from server.web.problems import STATUSES
from server.web.resources import RESOURCES
from tests.web import Web

EXAMPLES_EACH = 50
RIDE = {"bus_id": 1, "travel_date": "2026-12-03", "origin": "Bengaluru", "destination": "Mysuru"}
CHECKS = (
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Limits that so many wrong requests from one address do not reach."""
    return dataclasses.replace(settings, attempts_per_address=10**6, password_wait_seconds=60)


@pytest.fixture
def admin(web: Web, database: Any) -> str:
    """The token of somebody who may ask everything."""
    asha = {"username": "asha", "password": "correct horse battery"}
    web.call("POST", "/v1/accounts", json=asha)
    database.query("UPDATE accounts SET role = 'admin'")
    return str(web.call("POST", "/v1/sessions", json=asha).json()["token"])


@pytest.fixture
def there(web: Web, admin: str) -> dict[str, list[Any]]:
    """What there is to ask about, by field."""
    references = [
        web.call("POST", path, token=admin, json={**RIDE, "count": 1}).json()["reference"]
        for path in ("/v1/bookings", "/v1/holds")
    ]
    web.call("POST", "/v1/trips/1/2026-12-04/cancel", token=admin, json={"reason": "Flood"})
    return {
        "bus_id": [1],
        "travel_date": ["2026-12-03", "2026-12-04"],
        "date": ["2026-12-03", "2026-12-04"],
        "origin": ["Bengaluru"],
        "destination": ["Mysuru"],
        "place": ["Mandya"],
        "at": ["Mandya", 3],
        "reference": references,
    }


@pytest.mark.parametrize("method", [*RESOURCES, "healthz", "readyz", "metrics"])
def test_whatever_is_asked_is_answered_as_described(
    web: Web, admin: str, there: dict[str, list[Any]], database: Any, method: str
) -> None:
    """Requests as they should be, and as they should not be."""
    schema = schemathesis.openapi.from_url(f"{web.url}/schema")
    operation = schema.find_operation_by_id(method)
    headers = {} if method == "logout" else {"Authorization": f"Bearer {admin}"}

    modes = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]
    something = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in there.items()})

    @given(case=st.one_of(modes), known=st.none() | something)
    @hypothesis_settings(
        max_examples=EXAMPLES_EACH,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answered(case: schemathesis.Case, known: dict[str, Any] | None) -> None:
        for fields in (case.path_parameters, case.query, case.body):
            if known and isinstance(fields, dict):
                fields.update({name: known[name] for name in fields if name in known})
        case.call_and_validate(headers=headers, checks=CHECKS, session=web.session)

    answered()
    assert database.query("SELECT * FROM api.audit()") == []


# What it says ----------------------------------------------------------------------------------


def test_every_method_is_a_resource() -> None:
    assert RESOURCES.keys() == wire.METHODS.keys() == EXAMPLES.keys()
    places = [kind.resource for kind in wire.METHODS.values()]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("method", EXAMPLES)
def test_an_example_is_one(method: str) -> None:
    example, kind = EXAMPLES[method], wire.METHODS[method]
    msgspec.convert(example.asks, kind)
    assert msgspec.to_builtins(msgspec.convert(example.reply, kind.reply)) == example.reply


def test_every_reason_has_a_status() -> None:
    assert STATUSES.keys() == wire.REASONS.keys()


def test_the_description_is_what_a_program_gets(web: Web) -> None:
    answer = web.call("GET", "/schema")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == web.call("GET", "/schema/openapi.json").json()
    assert answer.json()["openapi"] == "3.1.0"
    again = web.call("GET", "/schema", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


class Loads(HTMLParser):
    """What a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe", "object", "embed"):
            self.found.append(tag)
        self.found += [
            f"{name}={value}" for name, value in attributes if name in ("src", "style") or name[:2] == "on"
        ]


def test_the_page_for_people_loads_nothing(web: Web) -> None:
    answer = web.call("GET", "/schema", headers={"Accept": "text/html,*/*"})
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    page = Loads()
    page.feed(answer.text)
    assert page.found == []
    assert "url(" not in answer.text and "@import" not in answer.text
    for method in RESOURCES:
        assert f'<h2 id="{method}">' in answer.text
    for reason in wire.REASONS:
        assert f'id="{reason}"' in answer.text
