"""The commands for agents, their settlements, and the accounts of an operator."""

import io

import pytest

from tests.client.test_commands import Run, operate, run  # noqa: F401 - fixtures
from tests.conftest import Database

KSRTC = ("--operator", "KSRTC")


def test_terms_and_settlement_of_an_agent(operate: Run, run: Run, database: Database) -> None:  # noqa: F811
    assert operate("agents", *KSRTC).out.startswith("You have no agent.")
    database.query("SELECT api.add_agent('kumar', '', 'KSRTC')")
    edited = operate("put-agent", "Kumar", *KSRTC, "--commission", "5", "--credit", "1000", "--quota", "1:6")
    assert edited.out == (
        "Agent  Sells  Commission  Cash  Held    Credit  Seats on a trip\n"
        "kumar  yes           5 %  0.00  0.00  1,000.00  1: 6\n"
    )
    edited = operate("put-agent", "kumar", *KSRTC, "--credit", "none", "--quota", "none", "--no-selling")
    assert edited.out.splitlines()[1] == "kumar  no            5 %  0.00  0.00       –"
    edited = operate("put-agent", "kumar", *KSRTC, "--currency", "KWD", "--credit", "5")
    assert "5.000 KWD" in edited.out
    operate("put-agent", "kumar", *KSRTC, "--selling", "--currency", "INR", "--credit", "none")
    database.query(
        """SELECT api.call('book', '{"bus_id": 1, "travel_date": "2026-12-05", "from_stop": 1, "to_stop": 5,
           "count": 1, "phone": "+919845012345", "sold_by": "kumar"}')"""
    )
    shown = operate("settlement", "--agent", "kumar", *KSRTC).out.splitlines()
    assert shown[1].split()[-3:] == ["2026-12-05", "charge", "260.00"]
    assert shown[2:] == [
        "Settlement 1 of kumar, not settled yet.",
        "Charges 260.00, refunds 0.00.",
        "Commission of 5 %: 13.00.",
        "Due 247.00.",
    ]
    settled = operate("settle-agent", "kumar", "1", "240.00", *KSRTC).out.splitlines()
    assert settled[2].startswith("Settlement 1 of kumar, settled ")
    assert settled[-1] == "Handed over 240.00, balance 7.00."
    refused = operate("settle-agent", "kumar", "1", "-5", *KSRTC)
    assert (refused.status, refused.err) == (1, "The open settlement of kumar has the number 2, not 1.\n")
    assert "Due 7.00, with 7.00 carried over." in operate("settlement", "--agent", "kumar", *KSRTC).out
    database.query(
        """SELECT api.call('book', '{"bus_id": 1, "travel_date": "2026-12-05", "from_stop": 1, "to_stop": 5,
           "count": 1, "phone": "+919845012345"}')"""
    )
    sales = operate("sales", "2026-12-01", "2026-12-31", "--group", "agent").out.splitlines()
    assert sorted(row.split() for row in sales[1:3]) == [
        ["kumar", "1", "260.00", "0.00", "260.00"],
        ["none", "1", "260.00", "0.00", "260.00"],
    ]


def test_settlement_as_csv(operate: Run, run: Run, database: Database, tmp_path) -> None:  # noqa: F811
    database.query("SELECT api.add_agent('kumar', '', 'KSRTC')")
    file = tmp_path / "settlement.csv"
    assert operate("settlement", "--agent", "kumar", *KSRTC, "--csv", str(file)).status == 0
    assert file.read_text("utf-8-sig") == (
        "agent,settlement_no,at,kind,amount,reference,ticket_no,bus_id,travel_date,currency\n"
    )


def test_quota_that_is_wrong(run: Run) -> None:  # noqa: F811
    refused = run("put-agent", "kumar", "--quota", "101")
    assert refused.status == 2
    assert "'101' is not BUS:N; write one such as 101:6" in refused.err


def test_accounts_are_added_and_changed(
    operate: Run,  # noqa: F811
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    added = operate("put-staff", "Latha", "--role", "agent", *KSRTC).out.splitlines()
    assert added[1].split()[:5] == ["latha", "agent", "KSRTC", "yes", "no"]
    assert added[2].startswith("Token for the password, until ")
    token = added[2].split()[-1]
    monkeypatch.setattr("sys.stdin", io.StringIO("keys of the depot\n"))
    assert run("reset-password", token).status == 0
    changed = operate("put-staff", "latha", "--no-signs-in").out.splitlines()
    assert changed[1].split()[:5] == ["latha", "agent", "KSRTC", "no", "yes"]
    assert len(changed) == 2
    assert "Token for the password" in operate("put-staff", "latha", "--signs-in", "--reset-password").out
    listed = operate("staff").out
    assert "boss" in listed
    assert "latha" in listed
    assert "Token" not in listed
