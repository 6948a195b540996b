"""The pages about money in Chromium: a bank's file is chosen and settled, invoicing begins; accessible."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.server.operator_pages.test_bank_file import references
from tests.server.operator_pages.test_trip_changes_in_browser import sign_in
from tests.support.schema_api import SchemaApi

pytestmark = [pytest.mark.system, pytest.mark.settings(manual_account="KSRTC, account 12345678")]
__all__ = ["references", "sign_in"]  # fixtures


def show_plan(page: Page) -> None:
    page.get_by_role("button", name="Show what would happen").click()


def test_file_of_the_bank_is_chosen_and_settled(
    sign_in: Callable[..., Page],
    violations: Callable[[Page], list[str]],
    references: list[str],
    tmp_path: Path,
) -> None:
    page = sign_in("/operator/payments/bank-file")
    file = page.get_by_label("File", exact=True)
    text = page.get_by_label("Text of the file")
    latin = tmp_path / "latin.csv"
    latin.write_bytes("reference,amount\nRückzahlung,1".encode("latin-1"))
    file.set_input_files(latin)
    expect(page.get_by_role("status")).to_contain_text("The file is not UTF-8.")
    expect(text).to_have_value("")
    transfers = tmp_path / "transfers.csv"
    lines = [
        "\ufeffdate,reference,amount,currency",
        f"2026-12-01,{references[0]},260.00,INR",
        "2026-12-01,,1,INR",
    ]
    transfers.write_text("\n".join(lines))
    file.set_input_files(transfers)
    expect(text).to_have_value("\n".join(lines).removeprefix("\ufeff"))
    show_plan(page)
    expect(page.locator("#problem")).to_contain_text("Line 3: reference is missing.")
    found = {"faults": violations(page)}
    text.fill("\n".join([*lines[:2], "2026-12-01,RENT,900.00,INR"]))
    show_plan(page)
    expect(page.locator("#plan")).to_be_focused()
    found["plan"] = violations(page)
    page.get_by_role("button", name="Settle 1 payment").click()
    expect(page.locator(".done")).to_contain_text("Bookings that are booked now: 1")
    found["done"] = violations(page)
    assert {state: wrong for state, wrong in found.items() if wrong} == {}


def test_invoicing_and_accounts_are_accessible(
    sign_in: Callable[..., Page], violations: Callable[[Page], list[str]], fleet: SchemaApi
) -> None:
    fleet.book(1, 2)
    page = sign_in("/operator/invoices/settings")
    found = {"new": violations(page)}
    page.get_by_label("Prefix of the numbers").fill("KA")
    page.get_by_label("Name of the tax").fill("GST")
    page.get_by_role("button", name="Begin to issue invoices").click()
    expect(page.locator("#problem")).to_be_focused()
    found["fault"] = violations(page)
    page.get_by_label("Rate in percent").fill("5")
    page.get_by_label("Number of the registration").fill("29AAACK1234A1Z5")
    page.get_by_role("button", name="Begin to issue invoices").click()
    expect(page.locator(".done")).to_be_visible()
    found["settings"] = violations(page)
    page.goto("/operator/accounts")
    expect(page.get_by_role("cell", name="₹520.00").first).to_be_visible()
    found["accounts"] = violations(page)
    assert {state: wrong for state, wrong in found.items() if wrong} == {}
