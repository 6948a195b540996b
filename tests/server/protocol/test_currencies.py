"""Each amount of money in a reply has its currency: in the same object, or in one that contains it."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from msgspec import Struct, inspect

from busware.server import protocol
from busware.server.http.examples import EXAMPLES, PROBLEMS
from busware.server.protocol.refusals import RefusalData
from busware.server.protocol.replies import Balance, Money, SignedMoney
from busware.server.protocol.webhook_events import SENT_EVENTS

PATTERNS = {get_args(kind)[1].pattern for kind in (Money, SignedMoney, Balance)}
AMOUNT = re.compile(r"-?\d+\.\d{2,4}")
NO_AMOUNTS = {"percent", "refund_percent", "commission_percent", "occupancy", "version"}


def amounts(
    type_: inspect.Type, path: str, *, known: bool, within: tuple[type, ...] = ()
) -> Iterator[tuple[str, bool]]:
    """Each amount in a type: its path, and whether the currency is known there.

    known: whether it is known outside of the type. within: the structs that contain it.
    """
    match type_:
        case inspect.Metadata(type=inner):
            yield from amounts(inner, path, known=known, within=within)
        case inspect.StrType(pattern=pattern) if pattern in PATTERNS:
            yield path, known
        case inspect.UnionType(types=types):
            for one in types:
                yield from amounts(one, path, known=known, within=within)
        case inspect.ListType(item_type=item):
            yield from amounts(item, f"{path}[]", known=known, within=within)
        case inspect.StructType(cls=struct, fields=fields) if struct not in within:
            known = known or "currency" in {field.encode_name for field in fields}
            for field in fields:
                name = f"{path}.{field.encode_name}"
                yield from amounts(field.type, name, known=known, within=(*within, struct))


def amounts_of(value: Any, path: str, *, known: bool) -> Iterator[tuple[str, bool]]:
    """The same for a value."""
    match value:
        case dict():
            known = known or "currency" in value
            for name in value.keys() - NO_AMOUNTS:
                yield from amounts_of(value[name], f"{path}.{name}", known=known)
        case list():
            for item in value:
                yield from amounts_of(item, f"{path}[]", known=known)
        case str() if AMOUNT.fullmatch(value):
            yield path, known


def without_currency(found: Iterator[tuple[str, bool]]) -> set[str]:
    return {path for path, known in found if not known}


REPLIES: dict[str, type[Struct]] = {
    **{name: method.reply for name, method in protocol.METHODS.items()},
    **SENT_EVENTS,
    "refusal": RefusalData,
}


@pytest.mark.parametrize("name", REPLIES)
def test_amount_of_a_reply_has_a_currency(name: str) -> None:
    assert without_currency(amounts(inspect.type_info(REPLIES[name]), name, known=False)) == set()


def test_amounts_are_found() -> None:
    found = {name for name, reply in REPLIES.items() if [*amounts(inspect.type_info(reply), "", known=False)]}
    assert {"search", "accounts", "settlement", "payments", "invoice", "refund.failed", "refusal"} <= found
    assert without_currency(amounts(inspect.type_info(protocol.Ticket), "", known=False)) >= {".fare"}
    assert without_currency(amounts_of({"a": [{"b": "1.00"}]}, "", known=False)) == {".a[].b"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_amount_of_an_example_has_a_currency(name: str) -> None:
    assert without_currency(amounts_of(EXAMPLES[name].reply, name, known=False)) == set()


@pytest.mark.parametrize("status", PROBLEMS)
def test_amount_of_a_problem_has_a_currency(status: int) -> None:
    body = json.loads(PROBLEMS[status].body)
    assert without_currency(amounts_of(body, str(status), known=False)) == set()
