"""Timetable files loaded into a database: the plan, what it changes, and every fault with its line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from busware.server.timetables import command
from tests.conftest import Database
from tests.support.schema_api import SchemaApi, audit

NIGHT_OWL = """\
places:
- {code: CKPT, name: Chikkapete, aliases: [Chickpet], part_of: KA}
services:
- bus_id: 9001
  name: Night Owl
  operator: My Travels
  bus_type: SEATER
  ac: true
  layout: |
    ss.ss
    ss.ss
  runs_on: Fri
  days_off: [2026-12-25]
  sales_days: 40
  stops: |
    Chikkapete | -     | 22:30 |   0 |   0
    Mandya     | 23:55 | 24:05 | 102 | 240
    Mysuru     | 25:20 | -     | 147 | 350
"""
STOPS = NIGHT_OWL[NIGHT_OWL.index("  stops") :]
DAY_BUS = "services:\n- bus_id: 1\n"  # a service of the database

Load = Callable[..., tuple[int, str, str]]


@pytest.fixture
def load(
    database: Database,
    clock: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Load:
    """A function that runs the subcommand on texts: load("--apply", a_yaml="…").

    Returns the exit status, standard output and standard error.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database.server)
    monkeypatch.setenv("BUSWARE_OWNER_URL", database.owner)

    def load(*arguments: str, **texts: str | bytes) -> tuple[int, str, str]:
        files = [name.replace("_", ".") for name in texts]
        for file, text in zip(files, texts.values(), strict=True):
            Path(file).write_bytes(text if isinstance(text, bytes) else text.encode())
        try:
            command.main([*files, *arguments])
            status: Any = 0
        except SystemExit as error:
            status = error.code
        shown = capsys.readouterr()
        return (1, shown.out, status) if isinstance(status, str) else (status, shown.out, shown.err)

    return load


def contents(database: Database) -> list[Any]:
    """All rows that files could change."""
    tables = database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return [
        database.query(f"SELECT to_jsonb(t) FROM {table} AS t ORDER BY to_jsonb(t)::text") for table in tables
    ]


# What changes ----------------------------------------------------------------------------------


def test_new_service_is_planned_then_loaded_then_unchanged(load: Load, database: Database) -> None:
    before = contents(database)
    plan = """\
Place CKPT: new
Service 9001: new
  trips that go on sale: 2026-12-04, 2026-12-11, 2026-12-18, 2027-01-01, 2027-01-08
"""
    hint = "Nothing is changed yet. Add --apply to change it.\n"
    assert load(a_yaml=NIGHT_OWL) == (0, plan + hint, "")
    assert contents(database) == before
    assert load("--apply", a_yaml=NIGHT_OWL) == (0, plan + "Done.\n", "")
    with SchemaApi.open(database) as api:
        (trip,) = api.read("search", origin="Chickpet", destination="Mysuru", date="2026-12-04")["trips"]
    assert (trip["bus_id"], trip["fare"], trip["seats_free"]) == (9001, "350.00", 8)
    loaded = contents(database)
    assert load("--apply", a_yaml=NIGHT_OWL) == (0, "Nothing to change.\n", "")
    assert contents(database) == loaded


def test_an_edit_shows_each_field_that_differs(load: Load, database: Database) -> None:
    text = (
        DAY_BUS
        + """\
  max_seats: 4
  name: Day Bus
  runs_on: Mon-Fri
  stops: |
    Bengaluru     | -     | 10:00 |   0 |   0
    Ramanagara    | 10:50 | 10:55 |  50 |  95
    Mandya        | 11:45 | 11:50 | 100 | 180
    Srirangapatna | 12:20 | 12:25 | 128 | 230
    Mysuru        | 12:45 | -     | 145 | 260
- bus_id: 2
  ac: true
"""
    )
    changes = """\
Service 1: changed
  max_seats: 6 → 4
  runs_on: daily → Mon-Fri
  stops[1].fare: 90.00 → 95.00
  trips that are no longer on sale: 2026-12-05, 2026-12-06, 2026-12-12, 2026-12-13
Unchanged: 1.
Done.
"""
    status, shown, errors = load("--apply", a_yaml=text)
    assert (status, sorted(shown.splitlines()), errors) == (0, sorted(changes.splitlines()), "")
    assert database.query("SELECT max_seats, runs_on FROM bus_info WHERE bus_id = 1") == [
        (4, [1, 2, 3, 4, 5])
    ]
    assert database.value("SELECT fare::text FROM route_table WHERE bus_id = 1 AND stop_no = 2") == "95.00"
    assert audit(database.conn) == []


def test_csv_loads_what_yaml_loads(load: Load, database: Database) -> None:
    text = """\
bus_id,name,operator,ac,layout,days_off,place,arrives,departs,km,fare
9002,Van,My Travels,FALSE,"ss.ss
ss.ss",[2026-12-25],Mandya,,22:30,0,0
,,,,,,Mysuru,25:20,,45,90
1,,,,,,,,,,
"""
    assert load("--apply", a_csv=text)[0] == 0
    data = database.value("SELECT api.service(9002)")
    assert (data["ac"], data["layout"], data["days_off"]) == (False, "ss.ss\nss.ss", ["2026-12-25"])
    assert [(stop["place"], stop["arrives"], stop["departs"]) for stop in data["stops"]] == [
        ("Mandya", None, "22:30"), ("Mysuru", "25:20", None),
    ]  # fmt: skip


def test_files_are_loaded_together(load: Load, database: Database) -> None:
    places, services = NIGHT_OWL.split("services:\n")
    assert load("--apply", b_yaml="services:\n" + services, a_yaml=places)[0] == 0
    assert database.value("SELECT count(*) FROM route_table WHERE place = 'CKPT'") == 1


# Faults ----------------------------------------------------------------------------------------


def stops(*lines: str) -> str:
    """The stops of a service, the first in line 4 of DAY_BUS."""
    return "  stops: |\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(("fields", "expected"), [
    ("  max_seat: 4\n", '3: max_seat: There is no field "max_seat". '),
    ("  max_seats: six\n", '3: max_seats: "six" is not a number of seats, 1 to 100.'),
    ("  max_seats: [1]\n", "3: max_seats: "),
    ("  max_seats: 101\n", "3: max_seats: "),
    ("  name: null\n", "3: name: It cannot be null."),
    ("  ac: on\n", '3: ac: "on" is not true or false.'),
    ("  days_off:\n  - 2026-12-25\n  - 25.12.2026\n", '5: days_off[1]: "25.12.2026" is not a date'),
    ("  days_off: [2026-02-30]\n", "3: days_off[0]: "),
    ("  days_off: [2026-12-25, 2026-12-25]\n", "3: days_off[1]: 2026-12-25 is there twice."),
    ("  seasons:\n  - {first_date: 2026-12-20, last_date: 2027-01-05, runs_on: daily}\n"
     "  - {first_date: 2027-01-05, last_date: 2027-01-09, runs_on: never}\n", "5: first_date: The season "),
    ("  runs_on: Sundey\n", "3: runs_on: "),
    ("  nouns: bus\n", "3: nouns: "),
    ("  layout: Sleeper 99\n", "3: layout: No layout is called"),
    ("  layout: |\n    ss\n    xy\n", "3: layout: "),
    (stops("Mandya | - | 22:30 | 0 | 0"), "3: stops: A timetable has at least two stops."),
    (stops("Mandya | - | 22:30 | 0 | 0", "Nowhere | 23:00 | - | 1 | 1"), "5: place: No place is called "),
    (stops("Mandya | - | 22:30 | 0 | 0", " | 23:00 | - | 1 | 1"), "5: place: "),
    ("  stops:\n  - {place: Mandya, departs: 22:30, km: 0, fare: 0}\n"
     "  - {place: Mysuru, arrives: 21:00, km: 1, fare: 1}\n", "5: arrives: Mysuru is reached at 21:00, "),
    (stops("Mandya | - | 22:30 | 0 | 0", "Mandya | 23:00 | 23:30 | 1 | 1", "Mysuru | 24:00 | - | 2 | 2"),
     "5: place: Mandya is there twice in a row."),
    (stops("Mandya | - | 22:30 | 5 | 0", "Mysuru | 23:00 | - | 1 | 1"), "5: km: "),
    (stops("Mandya | - | 22:30 | 0 | 9", "Mysuru | 23:00 | - | 1 | 1.50"), "5: fare: The fare from "),
    (stops("Mandya | - | 22:30 | 0 | 0", "Mysuru | 23:00 | - | 1 | many"), "5: fare: "),
    (stops("Mandya | - | - | 0 | 0", "Mysuru | 23:00 | - | 1 | 1"), "4: departs: Mandya needs a time"),
    ("  stops:\n  - {place: Mandya, departs: 22:30, km: 0, fare: 0}\n"
     "  - place: Mysuru\n    arrives: 23:00\n    km: 1\n",
     "5: fare: It is missing."),
    ("  stops: Mandya\n", "3: stops: "),
    ("  segment_fares:\n  - {from_stop: 1, to_stop: 9, fare: 1}\n", "4: to_stop: The route has no stop 9"),
])  # fmt: skip
def test_fault_has_its_line(load: Load, database: Database, fields: str, expected: str) -> None:
    before = contents(database)
    status, shown, errors = load("--apply", a_yaml=DAY_BUS + fields)
    assert (status, shown) == (1, "")
    assert errors.startswith(f"a.yaml:{expected}"), errors
    assert contents(database) == before


def test_a_file_is_refused_as_a_whole_with_all_its_faults(load: Load, database: Database) -> None:
    before = contents(database)
    text = (
        NIGHT_OWL
        + """\
- bus_id: 1
  max_seats: six
  ac: on
- bus_id: 9003
  name: Van
"""
    )
    status, shown, errors = load("--apply", a_yaml=text, b_csv="bus_id,nmae\n1,x\n")
    assert (status, shown) == (1, "")
    lines = [line.partition(": ")[0] for line in errors.splitlines()]
    assert lines == ["a.yaml:20", "a.yaml:21", *["a.yaml:22"] * 3, "b.csv:1", "Nothing is changed"]
    assert contents(database) == before


def test_a_layout_without_a_sold_seat_is_refused_with_the_alternative(load: Load, database: Database) -> None:
    with SchemaApi.open(database) as api:
        api.book(8)
    status, shown, errors = load("--apply", a_yaml=DAY_BUS + "  layout: |\n    ss.ss\n")
    assert (status, shown) == (1, "")
    assert errors.startswith("a.yaml:")
    assert "succeed" in errors


def test_operator_of_a_file(load: Load, database: Database) -> None:
    others = """\
services:
- bus_id: 1
- bus_id: 2
- bus_id: 9001
  operator: SRS Travels
"""
    status, _, errors = load("--operator", "KSRTC", a_yaml=others)
    assert (status, errors.splitlines()) == (1, [
        "a.yaml:3: Service 2 is operated by SRS Travels, not by KSRTC.",
        "a.yaml:5: Service 9001 is operated by SRS Travels, not by KSRTC.",
        "Nothing is changed: 2 faults.",
    ])  # fmt: skip
    text = NIGHT_OWL.replace("  operator: My Travels\n", "")
    assert load("--operator", "KSRTC", "--apply", a_yaml=text)[0] == 0
    assert database.value("SELECT operator FROM bus_info WHERE bus_id = 9001") == "KSRTC"
