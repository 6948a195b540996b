"""api.put_place: places are added and edited as documents, by role; every fault of a document is named."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Database


def put(db: Database, account: str | None = None, plan: bool = False, **data: Any) -> tuple[bool, Any]:
    """Call api.put_place: whether it is refused, and the answer."""
    ((refused, answer),) = db.query("SELECT * FROM api.put_place(%s, %s, %s)", account, Jsonb(data), plan)
    return refused, answer


def test_place_is_added_edited_and_unchanged(database: Database) -> None:
    new = {"code": "HSUR", "name": "Hosur", "aliases": ["Hosuru"], "part_of": "KA"}
    assert put(database, plan=True, **new) == (False, {"code": "HSUR", "created": True, "changes": []})
    assert put(database, **new) == (False, {"code": "HSUR", "created": True, "changes": []})
    assert put(database, **new) == (False, {"code": "HSUR", "created": False, "changes": []})
    assert put(database, code="HSUR", latitude="12.74", longitude=-7.5e-05)[1]["changes"] == [
        {"field": "latitude", "from": None, "to": 12.74},
        {"field": "longitude", "from": None, "to": -7.5e-05},
    ]  # fmt: skip
    assert put(database, code="HSUR", latitude="12.740")[1]["changes"] == []
    changes = [{"field": "part_of", "from": "KA", "to": None}]
    assert put(database, code="HSUR", part_of=None)[1]["changes"] == changes
    assert database.query("SELECT name, aliases, part_of, time_zone FROM places WHERE code = 'HSUR'") == [
        ("Hosur", ["Hosuru"], None, "Asia/Kolkata")
    ]


def test_only_an_admin_changes_a_place(database: Database) -> None:
    database.query("SELECT api.add_operator('depot', 'x', 'KSRTC'), api.add_operator('boss', 'x', NULL)")
    assert put(database, "depot", code="HSUR", name="Hosur")[0] is False
    assert put(database, "depot", code="HSUR", name="Hosur")[0] is False
    refused, answer = put(database, "depot", code="HSUR", name="Hosur Road")
    assert (refused, answer["reason"]) == (True, "not_yours")
    assert put(database, "boss", code="HSUR", name="Hosur Road")[0] is False


@pytest.mark.parametrize(("data", "fields"), [
    ({"code": "HSUR"}, ["name"]),
    ({"name": "Hosur"}, ["code"]),
    ({"code": "hosur", "name": "", "kind": "town"}, ["kind", "code", "name"]),
    ({"code": "HSUR", "name": "a\nb"}, ["name"]),
    ({"code": "HSUR", "name": ["Hosur"]}, ["name"]),
    ({"code": "HSUR", "name": "Hosur", "aliases": "Hosuru"}, ["aliases"]),
    ({"code": "HSUR", "name": "Hosur", "aliases": ["Hosuru", 7, None, {}]}, ["aliases[2]", "aliases[3]"]),
    ({"code": "HSUR", "name": "Hosur", "aliases": None}, ["aliases"]),
    ({"code": "HSUR", "name": "Hosur", "part_of": "TN"}, ["part_of"]),
    ({"code": "HSUR", "name": "Hosur", "part_of": "HSUR"}, ["part_of"]),
    ({"code": "KA", "part_of": "MYSU"}, ["part_of"]),
    ({"code": "HSUR", "name": "Hosur", "latitude": "91", "longitude": "west"}, ["latitude", "longitude"]),
    ({"code": "HSUR", "name": "Hosur", "time_zone": "Asia/Hosur"}, ["time_zone"]),
])  # fmt: skip
def test_each_fault_names_its_field(database: Database, data: dict[str, Any], fields: list[str]) -> None:
    before = database.query("TABLE places ORDER BY code")
    refused, answer = put(database, **data)
    assert (refused, answer["reason"]) == (True, "bad_request")
    assert [fault["field"] for fault in answer["faults"]][: len(fields)] == fields
    assert database.query("TABLE places ORDER BY code") == before
