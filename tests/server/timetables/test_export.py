"""The documents of all timetables that come with Busware, written to files and read again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.db import schema
from busware.server.protocol.services import ServiceData
from busware.server.settings import Settings
from busware.server.timetables import csv_files, export, reader, yaml_files
from busware.server.timetables.files import Fault
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


def written(text: str, file: Path) -> reader.Content:
    """What is read from a text."""
    file.write_text(text)
    content = reader.read([str(file)], 10**7)
    assert content.faults == []
    return content


def test_yaml_has_all_that_the_documents_have(seeded: Database, tmp_path: Path) -> None:
    places, services = export.read(seeded.conn, None)
    assert len(services) == seeded.value("SELECT count(*) FROM bus_info") > 56
    assert len(places) > 50
    content = written(yaml_files.write(places, services), tmp_path / "all.yaml")
    assert [msgspec.to_builtins(document.data) for document in content.places.values()] == places
    assert [msgspec.to_builtins(document.data) for document in content.services.values()] == services


def test_csv_has_all_values_of_the_documents(seeded: Database, tmp_path: Path) -> None:
    _, services = export.read(seeded.conn, None)
    content = written(csv_files.write(services), tmp_path / "all.csv")
    read = [msgspec.to_builtins(document.data) for document in content.services.values()]
    values = [
        {name: value for name, value in service.items() if value not in (None, [])} for service in services
    ]
    assert read == values


NO_VALUES = dict.fromkeys(ServiceData.__struct_encode_fields__)
TEXT = st.text(st.sampled_from("null~ -|#:'\"[]{}&*!%@,?>01:é😀"), min_size=1, max_size=12)
WORD = TEXT.map(str.strip).filter(len)
TIME = st.sampled_from([None, "22:30", "24:30", "5d 14:00"])
SERVICE = st.fixed_dictionaries({
    "bus_id": st.integers(1, 2**63 - 1),
    "name": WORD,
    "ac": st.sampled_from([None, True, False]),
    "layout": st.lists(WORD, min_size=1, max_size=3).map("\n".join),
    "stops": st.lists(
        st.fixed_dictionaries({"place": WORD, "arrives": TIME, "departs": TIME, "km": WORD, "fare": WORD}),
        min_size=1, max_size=3,
    ),
    "days_off": st.lists(st.dates().map(str), max_size=2),
    "nouns": st.fixed_dictionaries({"service": WORD, "seat": WORD}),
})  # fmt: skip


@given(services=st.lists(SERVICE, min_size=1, max_size=3, unique_by=lambda service: service["bus_id"]))
def test_any_text_is_read_as_it_was_written(services: list[dict[str, Any]]) -> None:
    faults: list[Fault] = []
    read = yaml_files.read(yaml_files.write([], services), faults.append)
    assert read.plain() == {"places": [], "services": as_texts(services)}
    columns = csv_files.read(csv_files.write([NO_VALUES | service for service in services]), faults.append)
    assert without_none(columns.plain()["services"]) == without_none(as_texts(services))
    assert faults == []


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
