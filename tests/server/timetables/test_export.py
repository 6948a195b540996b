"""Timetables written to files: all those that come with Busware are loaded again as they were."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from busware.server.db import schema
from busware.server.protocol.services import ServiceData
from busware.server.settings import Settings
from busware.server.timetables import csv_files, export, reader, yaml_files
from busware.server.timetables.changes import Changes, Loader
from tests.conftest import NOW, Cluster, Database, stop_clock


@pytest.fixture(scope="module")
def seeded(cluster: Cluster) -> Iterator[Database]:
    """A database with the timetables. No test changes it."""
    urls = cluster.urls("exported")
    with cluster.database("exported"):
        schema.prepare(*urls, Settings(seed=False))
        with psycopg.connect(urls[0], autocommit=True) as conn:
            stop_clock(conn, NOW)
            schema.prepare(*urls)
            yield Database(*urls, conn)


@pytest.fixture
def conn(seeded: Database) -> Iterator[psycopg.Connection[Any]]:
    """A connection whose transaction is rolled back after the test."""
    with seeded.connect(autocommit=False) as conn:
        yield conn
        conn.rollback()


def load(conn: psycopg.Connection[Any], text: str, file: Path) -> Changes:
    """What a text changes."""
    file.write_text(text)
    content = reader.read([str(file)], 10**7)
    changes = Loader(conn, content, None, Settings(timetable_seconds=600)).load(plan=False)
    assert changes.faults == []
    return changes


def test_written_files_change_nothing(conn: psycopg.Connection[Any], tmp_path: Path) -> None:
    places, services = export.read(conn, None)
    assert len(places) > 100
    assert len(services) >= 79
    changes = load(conn, yaml_files.write(places, services), tmp_path / "all.yaml")
    assert (changes.texts, changes.unchanged) == ([], len(places) + len(services))
    changes = load(conn, csv_files.write(services), tmp_path / "all.csv")
    assert (changes.texts, changes.unchanged) == ([], len(services))


def test_deleted_services_are_loaded_again(conn: psycopg.Connection[Any], tmp_path: Path) -> None:
    places, services = export.read(conn, "KSRTC")
    text = yaml_files.write(places, services)
    conn.execute("TRUNCATE bus_info CASCADE")
    assert len(load(conn, text, tmp_path / "gone.yaml").texts) == len(services)
    assert export.read(conn, "KSRTC") == (places, services)


CURRENCIES = {"JPY": ("1260", "100", "-5"), "KWD": ("12.125", "0.250", "-0.005")}


@pytest.mark.parametrize("currency", CURRENCIES)
def test_amounts_keep_the_decimals_of_their_currency(
    conn: psycopg.Connection[Any], tmp_path: Path, currency: str
) -> None:
    """Out and in again, as YAML and as CSV."""
    fare, fee, discount = CURRENCIES[currency]
    (number,) = conn.execute("SELECT min(bus_id) FROM bus_info WHERE operator = 'KSRTC'").fetchone() or ()
    conn.execute("UPDATE bus_info SET operator = 'Others' WHERE bus_id <> %s", (number,))
    conn.execute("UPDATE bus_info SET currency = %s WHERE bus_id = %s", (currency, number))
    conn.execute("UPDATE route_table SET fare = 0, fares = '{}' WHERE bus_id = %s", (number,))
    document = {
        "bus_id": number, "exchange_fee": fee, "fare_rules": [{"name": "Autumn", "amount": discount}],
        "segment_fares": [{"from_stop": 1, "to_stop": 2, "fare": fare}],
    }  # fmt: skip
    ((_, answer),) = conn.execute("SELECT refused, answer FROM api.put_service(NULL, %s)", (Jsonb(document),))
    assert "reason" not in answer, answer
    places, services = export.read(conn, "KSRTC")
    assert (services[0]["exchange_fee"], services[0]["segment_fares"][0]["fare"]) == (fee, fare)
    for name, text in (
        ("all.yaml", yaml_files.write(places, services)),
        ("all.csv", csv_files.write(services)),
    ):
        assert load(conn, text, tmp_path / name).texts == []
        if name == "all.yaml":
            conn.execute("TRUNCATE bus_info CASCADE")
            assert len(load(conn, text, tmp_path / "gone.yaml").texts) == 1
            assert export.read(conn, "KSRTC") == (places, services)


NO_VALUES = dict.fromkeys(ServiceData.__struct_encode_fields__)
TEXT = st.text(st.sampled_from("null~ -|#:'\"[]{}&*!%@,?>01:é😀"), min_size=1, max_size=12)
WORD = TEXT.map(str.strip).filter(len)
STOP = ("place", "arrives", "departs", "km", "fare")
AMOUNT = st.decimals(0, 999, places=2).map(str)
TIME = st.sampled_from([None, "22:30", "24:30", "5d 14:00"])
SERVICE = st.fixed_dictionaries({
    "bus_id": st.integers(1, 2**63 - 1),
    "name": WORD,
    "ac": st.sampled_from([None, True, False]),
    "layout": st.lists(WORD, min_size=1, max_size=3).map("\n".join),
    "stops": st.lists(
        st.fixed_dictionaries(dict(zip(STOP, (WORD, TIME, TIME, AMOUNT, AMOUNT), strict=True))),
        min_size=1, max_size=3,
    ),
    "days_off": st.lists(st.dates().map(str), max_size=2),
    "nouns": st.fixed_dictionaries({"service": WORD, "seat": WORD}),
})  # fmt: skip


@given(services=st.lists(SERVICE, min_size=1, max_size=3, unique_by=lambda service: service["bus_id"]))
def test_any_text_is_read_as_it_was_written(services: list[dict[str, Any]]) -> None:
    read = yaml_files.read(yaml_files.write([], services), refuse).plain()
    for service in read["services"]:
        service["stops"] = [stop if isinstance(stop, dict) else cells(stop) for stop in service["stops"]]
    assert read == {"places": [], "services": as_texts(services)}
    columns = csv_files.read(csv_files.write([NO_VALUES | service for service in services]), refuse)
    assert without_none(columns.plain()["services"]) == without_none(as_texts(services))


def refuse(line: int, message: str) -> None:
    """A fault is an error."""
    raise AssertionError(f"{line}: {message}")


def cells(line: str) -> dict[str, str | None]:
    """A stop that is written as a line."""
    texts = [cell.strip() for cell in line.split("|")]
    return {name: None if text == "-" else text for name, text in zip(STOP, texts, strict=True)}


def as_texts(value: Any) -> Any:
    """A value with its numbers and truth values as files have them."""
    match value:
        case dict():
            return {name: as_texts(item) for name, item in value.items()}
        case list():
            return [as_texts(item) for item in value]
    return value if value is None or isinstance(value, str) else json.dumps(value)


def without_none(value: Any) -> Any:
    """A value without the parts that CSV does not write."""
    match value:
        case dict():
            return {name: without_none(item) for name, item in value.items() if item not in (None, [])}
        case list():
            return [without_none(item) for item in value]
    return value
