"""The commands for payments: how to pay, settling by hand, and a bank's file."""

# ruff: noqa: F811 – the parameters are the fixtures that are imported

from pathlib import Path

import pytest

from tests.client.test_commands import PHONE, Run, operate, run  # noqa: F401 - fixtures
from tests.conftest import Database
from tests.support.fleet import edit_service
from tests.support.schema_api import SchemaApi

pytestmark = pytest.mark.settings(manual_account="KSRTC, account 12345678")
SEGMENT = ("1", "2026-12-05", "bengaluru", "mysuru")
NEEDS = "Line 1: the header needs each of these columns once"
HEADER = "Date,Reference,Text,Amount,Currency\n"


@pytest.fixture(autouse=True)
def manual(api: SchemaApi) -> None:
    edit_service(api, payment="manual", payment_minutes=120)


def pay(run: Run, database: Database) -> str:
    """Hold a seat and ask for its payment. Returns the reference."""
    assert run("hold", *SEGMENT, "--count", "1", *PHONE).status == 0
    reference = database.value("SELECT reference FROM passengers ORDER BY created_at DESC, reference LIMIT 1")
    held = run("pay", reference, *PHONE)
    assert held.out == (
        f"Pay 260.00 INR to KSRTC, account 12345678. Write {reference} as the reference. "
        "Your seats are booked when it has arrived.\n"
    )
    return str(reference)


def status(database: Database, reference: str) -> str:
    return str(database.value("SELECT min(status) FROM passengers WHERE reference = %s", reference))


def test_payment_is_settled_by_hand(run: Run, operate: Run, database: Database) -> None:
    reference = pay(run, database)
    assert run("confirm", reference, *PHONE).err == (
        f"Booking {reference} is not paid yet. Pay 260.00, then confirm it.\n"
    )
    planned = operate("settle-payment", reference, "260.00", "INR", "--plan")
    assert planned.out == f"Booking {reference} would be booked.\n"
    assert status(database, reference) == "held"
    assert (
        operate("settle-payment", reference.lower(), "260.00", "INR").out
        == f"Booking {reference} is booked.\n"
    )
    assert "Paid: 260.00." in run("booking", reference, *PHONE).out
    assert run("cancel", reference, *PHONE).status == 0
    assert operate("operator-payments", "--payment-state", "pending").out == "There is no such payment.\n"
    assert operate("operator-payments").out.splitlines()[1].split()[:5] == [
        reference, "1", reference, "manual", "succeeded",
    ]  # fmt: skip
    rows = operate("refunds").out.splitlines()
    refund_id = rows[1].split()[0]
    assert operate("settle-refund", reference, refund_id).out.splitlines() == [
        f"Payment of 260.00 INR for booking {reference}: succeeded.",
        "Refund of 130.00 INR: succeeded.",
    ]
    assert operate("refunds").out == "There is no refund to pay back.\n"
    shown = run("payments", reference, *PHONE).out.splitlines()[1].split()
    assert shown[:5] == [reference, "manual", "succeeded", "260.00", "INR"]


def test_bank_file(run: Run, operate: Run, database: Database, tmp_path: Path) -> None:
    first = pay(run, database)
    file = tmp_path / "bank.csv"
    file.write_text(f"{HEADER}2026-12-01,{first},from Asha,260.00,INR\n2026-12-01,{first},again,260.00,INR\n")
    planned = operate("bank-file", str(file), "--plan")
    assert planned.out.splitlines()[-1] == "2 lines, 2 of them new."
    assert status(database, first) == "held"
    done = operate("bank-file", str(file))
    assert done.out.splitlines()[-2:] == [
        f"Line 2: Booking {first} is booked.",
        f"Line 3: Booking {first} is not booked: 260.00 INR is to be paid back. "
        f"Booking {first} is already confirmed.",
    ]
    before = database.query("SELECT payment_id, state FROM payment_intents ORDER BY 1")
    repeated = operate("bank-file", str(file))
    assert repeated.out.splitlines()[-1] == "2 lines, 0 of them new."
    assert database.query("SELECT payment_id, state FROM payment_intents ORDER BY 1") == before


def test_transfer_for_something_else_is_skipped(
    run: Run, operate: Run, database: Database, tmp_path: Path
) -> None:
    reference = pay(run, database)
    file = tmp_path / "bank.csv"
    file.write_text(f"{HEADER}2026-12-01,RENT,,1.00,INR\n2026-12-01,{reference},,260.00,INR\n")
    assert operate("bank-file", str(file)).out.splitlines() == [
        "Line 2 is skipped: No payment has the reference RENT.",
        f"Line 3: Booking {reference} would be booked.",
        "2 lines, 1 of them new.",
        f"Line 3: Booking {reference} is booked.",
    ]


@pytest.mark.parametrize(
    ("header", "first", "again", "outcomes"),
    [
        ("", "260.00,INR,2026-12-01", "260,inr,20261201", 0),
        (",ID", "260.00,INR,2026-12-01,T1", "260.0,INR,2026-12-01,T1", 0),
        (",ID", "260.00,INR,2026-12-01,T1", "260.00,INR,2026-12-01,T2", 1),
    ],
)
def test_transfer_in_two_files(
    run: Run,
    operate: Run,
    database: Database,
    tmp_path: Path,
    header: str,
    first: str,
    again: str,
    outcomes: int,
) -> None:
    """A transfer that is written in another way is the same. One with another id of the bank is new."""
    reference = pay(run, database)
    file = tmp_path / "bank.csv"
    for line, new in ((first, 1), (again, outcomes)):
        file.write_text(f"Reference,Amount,Currency,Date{header}\n{reference},{line}\n")
        assert f"1 line, {new} of them new." in operate("bank-file", str(file)).out
        assert database.value("SELECT count(*) FROM refunds") == (outcomes if line == again else 0)
    assert status(database, reference) == "booked"


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("2026-12-01,{first},,260.00", "Line 2: currency is missing."),
        ("2026-12-01,,,260.00,INR", "Line 2: reference is missing."),
        ("2026-12-01,{first},,260,00,INR", "Line 2: '00' is not a currency, such as INR."),
        ("2026-12-01,{first},,-260.00,INR", "Line 2: '-260.00' is not an amount above 0, such as 1300.00."),
        ("2026-12-01,{first},,0.00,INR", "Line 2: '0.00' is not an amount above 0, such as 1300.00."),
        ("2026-12-01,{first},,260.00,RUPEES", "Line 2: 'RUPEES' is not a currency, such as INR."),
        ("2026-13-01,{first},,260.00,INR", "Line 2: '2026-13-01' is not a date, YYYY-MM-DD."),
        (
            '2026-12-01,"{first},,260.00,INR',
            "Line 2: the row that begins here is not CSV: unexpected end of data.",
        ),
    ],
)
def test_faulty_line_settles_nothing(
    run: Run,
    operate: Run,
    database: Database,
    tmp_path: Path,
    lines: str,
    fault: str,
) -> None:
    first = pay(run, database)
    good = f"2026-12-01,{first},,260.00,INR\n"
    file = tmp_path / "bank.csv"
    file.write_text(HEADER + lines.format(first=first) + "\n" + ("" if '"' in lines else good))
    refused = operate("bank-file", str(file))
    assert (refused.status, refused.err) == (1, f"{fault}\n1 fault. Nothing was settled.\n")
    assert status(database, first) == "held"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", f"{NEEDS}: reference, amount, currency, date."),
        (b"reference;amount;currency;date\n", f"{NEEDS}: reference, amount, currency, date."),
        (b"reference,amount,currency,date,date\n", f"{NEEDS}: date."),
        (b"reference,amount,currency,date\n\xff\n", "Line 2 is not UTF-8."),
    ],
)
def test_faulty_file(operate: Run, tmp_path: Path, content: bytes, fault: str) -> None:
    file = tmp_path / "bank.csv"
    file.write_bytes(content)
    assert operate("bank-file", str(file)).err == f"{fault}\n1 fault. Nothing was settled.\n"


def test_missing_file(operate: Run, tmp_path: Path) -> None:
    refused = operate("bank-file", str(tmp_path / "none.csv"))
    assert refused.err.startswith(f"{tmp_path}/none.csv cannot be read: ")


def test_file_of_another_operator_settles_nothing(run: Run, database: Database, tmp_path: Path) -> None:
    reference = pay(run, database)
    file = tmp_path / "bank.csv"
    file.write_text(f"{HEADER}2026-12-01,{reference},,260.00,INR\n")
    assert run("bank-file", str(file)).err.startswith("settle_payment requires a session: log in first.")
    assert status(database, reference) == "held"
