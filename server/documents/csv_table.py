"""Rows as CSV (RFC 4180) for spreadsheets: UTF-8 with a byte order mark, so that they read every script.

A spreadsheet executes a cell that begins like a formula, and a passenger chooses their own name. Such a cell
gets an apostrophe in front, which a spreadsheet takes as "this is text". A phone number begins with + and so
gets one too. Numbers of this server, such as an amount, are written as they are.
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
