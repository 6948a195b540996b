"""Timetable files as they are read: values are texts, and each fault has its line. No database."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.timetables import reader

MAX_BYTES = 20_000

YAML = """\
places:
- {code: CKPT, name: Chikkapete, aliases: [Chickpet]}
services:
- bus_id: 9001
  name: 101
  operator: On
  ac: false
  bus_type: null
  days_off: [2026-12-25]
  layout: |
    ss.ss
    ss.ss
  stops: |
    # place     | arrives | departs | km | fare
    Chikkapete  | -       | 22:30   | 0  | 0

    Mandya      | 24:30   | -       | 102 | 240
- bus_id: 9002
  stops:
  - {place: Chikkapete, departs: 22:30, km: 0, fare: 0}
  - {place: Mandya, arrives: 24:30, km: 102, fare: 240}
"""
CSV = """\
bus_id,name,operator,ac,days_off,layout,place,arrives,departs,km,fare
9001,101,On,FALSE,"[2026-12-25, 2026-12-26]","ss.ss
ss.ss",Chikkapete,,22:30,0,0
,,,,,,Mandya,24:30,,102,240

9002,,,,,,Chikkapete,,22:30,0,0
9002,,,,,,Mandya,24:30,,102,240
"""
STOPS = [
    {"place": "Chikkapete", "departs": "22:30", "km": "0", "fare": "0"},
    {"place": "Mandya", "arrives": "24:30", "km": "102", "fare": "240"},
]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that reads texts as files: read(a_yaml="…", b_csv=b"…")."""
    monkeypatch.chdir(tmp_path)

    def read(**texts: str | bytes) -> reader.Content:
        files = [name.replace("_", ".") for name in texts]
        for file, text in zip(files, texts.values(), strict=True):
            Path(file).write_bytes(text if isinstance(text, bytes) else text.encode())
        return reader.read(files, MAX_BYTES)

    return read


def data(content: reader.Content) -> Any:
    """The services as the database gets them."""
    assert content.faults == []
    return [document.node.plain() for document in content.services.values()]


def faults(content: reader.Content) -> list[str]:
    """The faults as they are printed."""
    return [str(fault) for fault in content.faults]


def service(fields: str) -> str:
    """A file with a service that has these fields, the first of them in line 3."""
    return "services:\n- bus_id: 9001\n" + "".join(f"  {line}\n" for line in fields.splitlines())


# Values ----------------------------------------------------------------------------------------


def test_values_of_yaml_are_what_is_written(read) -> None:
    first, second = data(read(a_yaml=YAML))
    assert (first["name"], first["operator"], first["ac"], first["bus_type"]) == ("101", "On", "false", None)
    assert (first["days_off"], first["layout"]) == (["2026-12-25"], "ss.ss\nss.ss\n")
    assert [[cell.strip() for cell in line.split("|")] for line in first["stops"]] == [
        ["Chikkapete", "-", "22:30", "0", "0"], ["Mandya", "24:30", "-", "102", "240"],
    ]  # fmt: skip
    assert second == {"bus_id": "9002", "stops": STOPS}


def test_values_of_csv_are_what_is_written(read) -> None:
    first, second = data(read(a_csv=CSV))
    assert (first["name"], first["operator"], first["ac"]) == ("101", "On", "false")
    assert (first["days_off"], first["layout"]) == (["2026-12-25", "2026-12-26"], "ss.ss\nss.ss")
    assert first["stops"] == STOPS
    assert second == {"bus_id": "9002", "stops": STOPS}


def test_null_is_a_value_and_not_a_text(read) -> None:
    text = service("first_date: null\nlast_date: ~\nsource_id:\nname: 'null'")
    assert data(read(a_yaml=text)) == [
        {"bus_id": "9001", "first_date": None, "last_date": None, "source_id": None, "name": "null"}
    ]


@pytest.mark.parametrize("change", [
    lambda text: b"\xef\xbb\xbf" + text.encode(), lambda text: text.replace("\n", "\r\n").encode(),
], ids=["byte order mark", "\\r\\n"])  # fmt: skip
@pytest.mark.parametrize("file", [{"a_yaml": YAML}, {"a_csv": CSV}], ids=["yaml", "csv"])
def test_byte_order_marks_and_line_ends_of_windows_are_removed(read, file, change) -> None:
    ((name, text),) = file.items()
    assert data(read(**{name: change(text)})) == data(read(**file))


def test_a_service_of_csv_may_have_no_stops(read) -> None:
    assert data(read(a_csv="bus_id,max_seats\n101,4\n102,5\n")) == [
        {"bus_id": "101", "max_seats": "4"}, {"bus_id": "102", "max_seats": "5"},
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["services: []", "places: []\nservices: []\n"])
def test_a_file_may_have_no_service(read, text) -> None:
    assert data(read(a_yaml=text)) == []


# Faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fields", "expected"), [
    ("name: A\nname: B", "4: name is given twice: also in line 3."),
    ("name: !!python/object:os.system x", "3: The tag tag:yaml.org,2002:python/"),
    ("name: &a x\noperator: *a", "3: Anchors and aliases (& and *) are not allowed."),
    ("? [name]\n: A", "3: A name is expected here, such as bus_id:"),
    ('name: "a\\0b"', "3: The control character U+0000 is not allowed."),
    ("stops: |\n  A | - | 22:30 | 0 | 0\n  B | 23:00 | -", "5: A stop is a line: place | "),
    ("name: [A", "4: This is not YAML: "),
    ("name: A: B", "3: This is not YAML: mapping values are not allowed"),
])  # fmt: skip
def test_fault_in_yaml_has_its_line(read, fields, expected) -> None:
    first, *_ = faults(read(a_yaml=service(fields)))
    assert first.startswith(f"a.yaml:{expected}"), first


@pytest.mark.parametrize(("text", "expected"), [
    ("bus_id,nmae\n101,x\n", '1: There is no "nmae". Did you mean name? The names are: name, '),
    ("bus_id,departs_at\n", '1: There is no "departs_at". Did you mean departs? The names are: departs, '),
    ("bus_id;name\n101;x\n", "1: The columns are separated by ';'. Separate them by commas."),
    ("bus_id,name,name\n101,x,y\n", "1: There are 2 columns name. Remove all but one."),
    ("name\nx\n", "1: The column bus_id is missing."),
    ("", "1: The column bus_id is missing."),
    ("bus_id,\n101,\n", '1: There is no "". The names are: bus_id, kind, '),
    ("bus_id,name\n101\n", "2: The row has 1 cells, and the header has 2."),
    ("bus_id,name\n,x\n", "2: bus_id is missing. The first row of a service has it."),
    ("bus_id,name\n101,x\n101,y\n", "3: name differs from line 2. A service has one value."),
    ("bus_id,place,fare\n101,A,0\n102,A,0\n101,B,1\n",
     "4: Service 101 has rows from line 2 on. Write them together."),
    ('bus_id,name\n101,x\n102,"x\n\n', "3: The row that begins here is not CSV: unexpected end of data."),
    ("bus_id,days_off\n101,[2026-12-25\n", "2: days_off: This is not YAML: "),
])  # fmt: skip
def test_fault_in_csv_has_its_line(read, text, expected) -> None:
    first, *_ = faults(read(a_csv=text))
    assert first.startswith(f"a.csv:{expected}"), first


def test_all_faults_of_all_files_are_found(read) -> None:
    found = faults(read(
        a_yaml=service("name: 1\nname: 2\nac: on\nac: off\n") + "- max_seats: 6\n",
        b_csv="bus_id,name,days_off\n9002,x,[\n9001,x\n9003,y,2\n",
        c_yml="service: []\nplaces: A\n",
        d_yaml=YAML.replace("9001", "9004"),
        e_csv="bus_id\n9001\n9004\n",
    ))  # fmt: skip
    assert [fault.partition(": ")[0] for fault in found] == [
        "a.yaml:4", "a.yaml:6", "a.yaml:7", "b.csv:2", "b.csv:3", "c.yml:1", "c.yml:2",
        "d.yaml:18", "e.csv:2", "e.csv:3",
    ]  # fmt: skip
    assert found[-1].endswith("bus_id 9004 is given twice: also in d.yaml:4.")


@pytest.mark.parametrize(("content", "expected"), [
    (YAML.encode("utf-16"), "1: Byte 0xff is not UTF-8. Save the file as UTF-8."),
    (YAML.replace("Mandya", "Maṇḍya").replace("101", "é").encode("utf-8").replace("é".encode(), b"\xe9"),
     "5: Byte 0xe9 is not UTF-8."),
    (YAML.replace("101", "a\0b").encode(), "5: The control character U+0000 is not allowed. Remove it."),
    (YAML.replace("101", "a\u2028b").encode(), "5: The control character U+2028 is not allowed. Remove it."),
    (b"x" * (MAX_BYTES + 1), f" The file is longer than {MAX_BYTES} bytes. "),
])  # fmt: skip
@pytest.mark.parametrize("name", ["a_yaml", "a_csv"])
def test_a_file_that_is_no_text_is_refused(read, name, content, expected) -> None:
    (found,) = faults(read(**{name: content}))
    assert found.startswith(f"{name.replace('_', '.')}:{expected}"), found


NO_LIST = "A file has a list of places, a list of services, or both."


@pytest.mark.parametrize(("text", "expected"), [
    ("services: []\n---\nservices: []\n", "2: A second document begins here. A file has one."),
    ("services: []\n}\n", "2: This is not YAML: "),
    ("", f"1: {NO_LIST}"),
    ("- bus_id: 1\n", f"1: {NO_LIST}"),
    ("services:\n", "1: services must be a list: each entry begins with a dash."),
    ("services:\n- 101\n", "2: bus_id is missing."),
    ("services:\n- bus_id: [1]\n", "2: bus_id is missing."),
    ("service: []\n", '1: There is no "service". Did you mean services? The names are: services, places.'),
])  # fmt: skip
def test_fault_in_the_form_of_yaml_has_its_line(read, text, expected) -> None:
    (found,) = faults(read(a_yaml=text))
    assert found.startswith(f"a.yaml:{expected}"), found


@pytest.mark.parametrize("text", [
    "[" * 15_000, "{a: " * 4_000, "- " * 10_000, "? " * 10_000, "services:\n" + "[" * 30 + "]" * 30,
    "a: &a [x]\nb: [" + "*a," * 1000 + "]",
], ids=["flow", "mappings", "block", "keys", "closed", "aliases"])  # fmt: skip
def test_a_small_file_cannot_expand_to_a_large_document(read, text) -> None:
    assert len(faults(read(a_yaml=text))) == 1


@given(text=st.text(st.sampled_from("services:bus_id \n-[]{},'\"|>&*!#?%@`~0A\t"), max_size=200))
def test_any_text_is_read_or_has_a_fault(tmp_path_factory, text) -> None:
    folder = tmp_path_factory.getbasetemp()
    for name in ("any.yaml", "any.csv"):
        (folder / name).write_text(text)
        for fault in reader.read([str(folder / name)], MAX_BYTES).faults:
            assert fault.file.endswith(name)
            assert 0 < fault.line <= text.count("\n") + 2
