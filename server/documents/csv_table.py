"""Rows as CSV (RFC 4180), in UTF-8 with a byte order mark, by which spreadsheets recognize it.

A spreadsheet executes a cell that begins like a formula, and a passenger chooses their own name. Such a cell
gets an apostrophe in front, which marks it as text. A phone number begins with +, so it gets one too.
Numbers, such as a negative amount, get none.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

MIME_TYPE = "text/csv"

_BYTE_ORDER_MARK = "\ufeff"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Cell = str | int | Decimal | None


def encode(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A table with its header as CSV."""
    out = io.StringIO()
    writer = csv.writer(out)  # CRLF, quotes where they are needed
    writer.writerow(header)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return (_BYTE_ORDER_MARK + out.getvalue()).encode()


def _safe(cell: Cell) -> Cell:
    """The cell, with an apostrophe in front if it begins like a formula."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return cell
