"""The commands of an operator's day: check-in, no-shows, transfers, sales."""

import csv
from pathlib import Path

from tests.client.test_commands import PHONE, Run, book, operate, run  # noqa: F401 - fixtures
from tests.conftest import Clock

TRIP = ("1", "2026-12-05")


def test_check_in_and_no_shows(operate: Run, run: Run, clock: Clock) -> None:  # noqa: F811
    present = book(run, "--seats", "1", "--name", "Asha")["reference"]
    missing = book(run, "--seats", "2", "--name", "Ravi")["reference"]
    clock.set("2026-12-05 09:45+05:30")
    of_trip = ("--trip-bus", "1", "--trip-date", "2026-12-05", "--at", "bengaluru")
    assert operate("check-in", f"BUSWARE:{present}", *of_trip).status == 0
    assert "Asha" in operate("manifest", *TRIP).out
    assert "checked in 09:45" in operate("manifest", *TRIP).out
    early = operate("no-shows", *TRIP, "bengaluru")
    assert (early.status, early.err) == (1, "The bus has not left that stop yet.\n")
    clock.set("2026-12-05 10:05+05:30")
    shown = operate("no-shows", *TRIP, "bengaluru", "--release").out.splitlines()
    assert len(shown) == 2
    assert shown[1].split(maxsplit=4) == [missing, "1", "2", "Ravi", "no-show, the seat is for sale again"]
    operate("check-in", missing)
    assert operate("check-in", missing, "--undo").status == 0
    operate("check-in", missing)
    assert operate("no-shows", *TRIP, "bengaluru").out == "No passenger is missing at Bengaluru.\n"
    refused = run("check-in", present)
    assert refused.status == 1


def test_transfer(operate: Run, run: Run) -> None:  # noqa: F811
    reference = book(run, "--seats", "1", "--name", "Asha")["reference"]
    assert "Ticket 1 has the name Uma now.\nBooking " in run("transfer", reference, "1", "Uma", *PHONE).out
    assert "earlier Asha" in operate("manifest", *TRIP).out
    refused = run("transfer", reference, "2", "Uma", *PHONE)
    assert refused.status == 1


def test_sales(operate: Run, run: Run) -> None:  # noqa: F811
    assert operate("sales", "2026-12-05", "2026-12-05").out.endswith("0 tickets, income 0.00.\n")
    book(run, "--seats", "1,2")
    cancelled = book(run, "--seats", "3")["reference"]
    run("cancel", cancelled, *PHONE)
    header, row, sums = operate("sales", "2026-12-05", "2026-12-05", "--group", "date").out.splitlines()
    assert header.split() == ["Date", "Tickets", "Charges", "Refunds", "Income", "Occupied"]
    assert row.split()[:5] == ["2026-12-05", "3", "540.00", "90.00", "450.00"]
    assert sums == "3 tickets, income 450.00."


def test_sales_by_segment_and_by_date_of_payment(operate: Run, run: Run) -> None:  # noqa: F811
    book(run, "--seats", "1,2")
    header, row, sums = operate("sales", "2026-12-05", "2026-12-05", "--group", "segment").out.splitlines()
    assert header.split()[:2] == ["Bus", "Service"]
    assert {"Bengaluru", "Mandya", "360.00"} <= set(row.split())
    assert sums == "2 tickets, income 360.00."
    by_payment = ("--group", "date", "--by", "payment")
    _, row, _ = operate("sales", "2026-11-30", "2026-12-04", *by_payment).out.splitlines()
    assert row.split()[1:] == ["2", "360.00", "0.00", "360.00"]
    nothing = operate("sales", "2026-12-05", "2026-12-05", *by_payment).out.splitlines()
    assert nothing[-1] == "0 tickets, income 0.00."


def test_sales_as_csv(operate: Run, run: Run, tmp_path: Path) -> None:  # noqa: F811
    book(run, "--seats", "1,2")
    path = tmp_path / "sales.csv"
    assert operate("sales", "2026-12-05", "2026-12-05", "--group", "date", "--csv", str(path)).status == 0
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert [(row["date"], row["tickets"], row["income"]) for row in rows] == [("2026-12-05", "2", "360.00")]
