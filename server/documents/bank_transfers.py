"""The transfers in a bank's file, and what their settlement does.

The file is CSV in UTF-8, with the columns reference, amount, currency, date and perhaps id and fee; others
are ignored. A transfer is identified by the bank's id, if its line has one. Otherwise it is identified by its
content, and by its number among the lines with the same content.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from busware.server.protocol import PaymentOutcome, Refusal

COLUMNS = ("reference", "amount", "currency", "date")
MAX_BYTES = 10_000_000  # of a file
MAX_ID = 100  # characters of an id, as of a receipt
_SKIPPED_REASONS = ("unknown_payment", "not_yours")  # reasons to skip a transfer: it is for something else
_AMOUNT = re.compile(r"\d{1,10}(\.\d{1,4})?", re.ASCII)


class Transfer(NamedTuple):
    """A line of the file. receipt: what identifies it, the same in each file. fee: of the bank."""

    line: int
    payment: str
    amount: str
    currency: str
    receipt: str
    fee: str | None = None


class FaultyFile(Exception):
    """The file has faults: sentences, each with its line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def read(path: Path) -> list[Transfer]:
    """The transfers in a file. Raises FaultyFile."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FaultyFile([f"{path} cannot be read: {error.strerror}."]) from None
    if len(content) > MAX_BYTES:
        raise FaultyFile([f"{path} has {len(content)} bytes; the most are {MAX_BYTES}."])
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FaultyFile([f"Line {line} is not UTF-8."]) from None
    return parse(text)


def parse(text: str) -> list[Transfer]:
    """The transfers in the text of a file. Raises FaultyFile."""
    faults: list[str] = []
    transfers = list(_transfers(text.removeprefix("\ufeff"), faults))
    if faults:
        raise FaultyFile(faults)
    return transfers


class Outcome(NamedTuple):
    """What the settlement of a transfer does; a Refusal if it is not for a payment of this operator."""

    transfer: Transfer
    outcome: PaymentOutcome | Refusal

    @property
    def is_new(self) -> bool:
        """Whether the settlement changes something."""
        return not isinstance(self.outcome, Refusal) and self.outcome.outcome != "unchanged"


def outcomes(transfers: list[Transfer], settle: Callable[[Transfer], PaymentOutcome]) -> list[Outcome]:
    """What the settlement of each transfer does. settle: settles one, or plans that; it may raise Refusal.

    Raises FaultyFile if an amount cannot be one of its currency, for example, and any other Refusal.
    """
    faults: list[str] = []
    found: list[Outcome] = []
    for transfer in transfers:
        try:
            found.append(Outcome(transfer, settle(transfer)))
        except Refusal as refusal:
            if refusal.reason in _SKIPPED_REASONS:
                found.append(Outcome(transfer, refusal))
            elif refusal.reason == "bad_request":
                faults.append(f"Line {transfer.line}: {refusal.message}")
            else:
                raise
    if faults:
        raise FaultyFile(faults)
    return found


def _transfers(text: str, faults: list[str]) -> Iterator[Transfer]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    seen = Counter[str]()
    line = 1
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        if missing := [name for name in COLUMNS if header.count(name) != 1]:
            faults.append(f"Line 1: the header needs each of these columns once: {', '.join(missing)}.")
            return
        line = rows.line_num + 1
        for cells in rows:
            if any(map(str.strip, cells)):
                values = dict(zip(header, map(str.strip, cells), strict=False))
                if found := list(_faults(values)):
                    faults += [f"Line {line}: {fault}" for fault in found]
                else:
                    yield _transfer(line, values, seen)
            line = rows.line_num + 1
    except csv.Error as error:
        faults.append(f"Line {line}: the row that begins here is not CSV: {error}.")


def _transfer(line: int, values: dict[str, str], seen: Counter[str]) -> Transfer:
    """The transfer of a line without faults. seen: how often each content was seen in the lines before."""
    payment, currency = values["reference"].upper(), values["currency"].upper()
    amount = f"{Decimal(values['amount']).normalize():f}"
    content = f"{payment} {date.fromisoformat(values['date'])} {amount} {currency}"
    seen[content] += 1
    receipt = values.get("id") or f"{content} {seen[content]}"
    return Transfer(line, payment, amount, currency, receipt, values.get("fee") or None)


def _faults(values: dict[str, str]) -> Iterator[str]:
    """What is wrong in the values of a line."""
    for name in COLUMNS:
        if not values.get(name):
            yield f"{name} is missing."
    amount, currency, day, fee = (values.get(name, "") for name in ("amount", "currency", "date", "fee"))
    if amount and not (_AMOUNT.fullmatch(amount) and Decimal(amount)):
        yield f"{amount!r} is not an amount above 0, such as 1300.00."
    if fee and not _AMOUNT.fullmatch(fee):
        yield f"{fee!r} is not a fee, such as 5.90."
    if len(values.get("id", "")) > MAX_ID:
        yield f"the id has more than {MAX_ID} characters."
    if currency and not re.fullmatch(r"[A-Za-z]{3}", currency):
        yield f"{currency!r} is not a currency, such as INR."
    try:
        date.fromisoformat(day or "2000-01-01")
    except ValueError:
        yield f"{day!r} is not a date, YYYY-MM-DD."
