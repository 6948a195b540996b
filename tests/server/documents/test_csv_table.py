"""CSV for spreadsheets: no cell is a formula, and nothing is lost."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.documents import csv_table

FORMULA_STARTS = tuple("=+-@\t\r\n")


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_table_has_a_byte_order_mark_and_crlf() -> None:
    content = csv_table.encode(["name", "seat"], [["Asha, Rao", 7], ['"Ravi"', None]])
    assert content == b'\xef\xbb\xbfname,seat\r\n"Asha, Rao",7\r\n"""Ravi""",\r\n'


@pytest.mark.parametrize(
    "cell", ["=1+1", '=HYPERLINK("http://x")', "+919845012345", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =1"]
)
def test_cell_that_begins_like_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert read(csv_table.encode(["name"], [[cell]]))[1] == [f"'{cell}"]


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2)))
def test_every_text_is_read_again_and_is_no_formula(rows: list[list[str]]) -> None:
    found = read(csv_table.encode(["a", "b"], rows))[1:]
    assert [[cell.removeprefix("'") for cell in row] for row in found] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]
    assert not any(cell.lstrip(" ").startswith(FORMULA_STARTS) for row in found for cell in row)
