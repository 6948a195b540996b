"""The data of refusals: each reason has the fields that its text names, with the types of RefusalData."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from busware.server import protocol
from tests.support.project import PROJECT
from tests.support.refusals import check_data, fields_of

RECORDED = sorted((PROJECT / "tests/data").glob("*/*.jsonl"))
PROBLEM_MEMBERS = {"type", "title", "status", "detail"}


def refusals(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each refusal in a JSON value: its reason and its data."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for member in members:
        yield from refusals(member)
    if isinstance(value, dict) and value.get("reason") in protocol.REASONS:
        yield value["reason"], {k: v for k, v in value.items() if k not in PROBLEM_MEMBERS | {"reason"}}


def test_every_field_is_named_by_a_reason() -> None:
    named = {field for reason in protocol.REASONS for field in fields_of(reason)}
    assert named == set(protocol.RefusalData.__struct_fields__)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_refusals_have_the_fields_of_their_reasons(path: Any) -> None:
    replies = [json.loads(line).get("reply") for line in path.read_text().splitlines()]
    for reason, data in refusals(replies):
        check_data(reason, data)


def test_the_recorded_refusals_have_most_fields() -> None:
    """The test above compares something."""
    replies = [json.loads(line).get("reply") for path in RECORDED for line in path.read_text().splitlines()]
    seen = {field for _, data in refusals(replies) for field in data}
    assert seen >= {"field", "takes", "nearest", "dates", "stops", "seats", "seat_count", "seats_free"}


@pytest.mark.parametrize(
    ("reason", "data"),
    [("sold_out", {"seats_free": "2"}), ("sold_out", {"seats": [2]}), ("departed", {"limit": 1})],
)
def test_wrong_data_is_found(reason: str, data: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, msgspec.ValidationError)):
        check_data(reason, data)
