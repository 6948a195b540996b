"""`api.put_service`: the classes, the fare rules and the concessions of a service, and their faults."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Database
from tests.support.schema_api import SchemaApi

PREMIUM = {"name": "premium", "seats": [1, 2], "percent": "20"}
CHILD = {"name": "child", "percent": "50", "max_age": 12}
INFANT = {"name": "infant", "percent": "100", "seat": False}
DASARA = {"name": "Dasara", "first_date": "2026-12-01", "last_date": "2026-12-05", "amount": "25.50"}


def put(database: Database, **data: Any) -> Any:
    """The answer of api.put_service for service 1, as the owner of the database."""
    return database.value("SELECT answer FROM api.put_service(NULL, %s)", Jsonb({"bus_id": 1, **data}))


def faults(answer: Any) -> dict[str, str]:
    assert answer["reason"] == "bad_request"
    return {fault["field"]: fault["message"] for fault in answer["faults"]}


def test_rules_are_edited_and_removed_with_the_document(api: SchemaApi, database: Database) -> None:
    rules = {"seat_classes": [PREMIUM], "fare_rules": [DASARA], "concessions": [CHILD, INFANT]}
    put(database, **rules)
    shown = database.value("SELECT api.service(1)")
    assert {name: shown[name] for name in rules} == rules
    assert put(database, **shown)["changes"] == []
    booking = api.book(1, passengers=[{"concession": "child"}])
    assert booking["fare"] == "168.75"
    put(database, seat_classes=[], fare_rules=[], concessions=[])
    columns = "SELECT num_nonnulls(seat_classes, fare_rules, concessions) FROM bus_info WHERE bus_id = 1"
    assert database.value(columns) == 0
    assert api.show(booking)["fare"] == "168.75"
    assert api.book(2)["fare"] == "260.00"


@pytest.mark.parametrize(
    ("field", "rules", "fault", "message"),
    [
        ("seat_classes", [PREMIUM | {"seats": [1, 9]}], "[0].seats[1]", "The layout has no seat 9."),
        ("seat_classes", [PREMIUM, PREMIUM | {"name": "x", "seats": [3, 2]}], "[1].seats[1]",
         "Seat 2 is in a class already."),
        ("seat_classes", [PREMIUM, {"name": "Premium", "seats": []}], "[1].name",
         'An earlier entry of the list has the name "Premium". Give each entry a name of its own.'),
        ("seat_classes", [PREMIUM | {"percent": "-101"}], "[0].percent",
         "It takes more than the fare off. Give a percentage of at least -100."),
        ("fare_rules", [{"name": "None"}], "[0].percent",
         "It changes no fare. Give percent, amount or both."),
        ("fare_rules", [DASARA | {"first_date": "2026-12-06"}], "[0].last_date",
         "It is before first_date, 2026-12-06."),
        ("concessions", [CHILD | {"percent": "101"}], "[0].percent",
         "A concession takes off from 0 to 100 percent."),
        ("concessions", [CHILD | {"amount": "-1"}], "[0].amount",
         "A concession takes off an amount of at least 0."),
        ("concessions", [CHILD | {"min_age": 13}], "[0].max_age", "It is below min_age, 13."),
        ("concessions", [INFANT | {"amount": "5"}], "[0].amount",
         "An infant without a seat pays a part of the fare: give percent, and no amount."),
        ("concessions", [INFANT, INFANT | {"name": "baby"}], "[1].seat",
         "A service has at most one concession for infants without a seat."),
    ],
)  # fmt: skip
def test_wrong_rule_is_a_fault_of_its_field(
    database: Database, field: str, rules: list[dict[str, Any]], fault: str, message: str
) -> None:
    assert faults(put(database, **{field: rules})) == {f"{field}{fault}": message}


def test_layout_without_the_seats_of_a_class_is_a_fault(database: Database) -> None:
    put(database, seat_classes=[PREMIUM])
    assert faults(put(database, layout="D\ns")) == {"seat_classes[0].seats[1]": "The layout has no seat 2."}
