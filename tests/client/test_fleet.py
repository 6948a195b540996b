"""The commands for vehicles, drivers and their assignments, and the text of refund tiers."""

from tests.client.test_commands import PHONE, Run, book, operate, run  # noqa: F401 - fixtures
from tests.conftest import Database

KSRTC = ("--operator", "KSRTC")
TRIP = ("1", "2026-12-05")


def add_fleet(operate: Run) -> None:  # noqa: F811
    """A vehicle and two drivers."""
    assert operate("put-vehicle", "ka 09 f 1", *KSRTC, "--layout", "...D\nss.ss\nss.ss").status == 0
    for code, name in (("d1", "Kumar"), ("d2", "Ravi Varma")):
        assert operate("put-driver", code, *KSRTC, "--full-name", name).status == 0


def test_vehicles_and_drivers_are_listed(operate: Run) -> None:  # noqa: F811
    assert operate("vehicles", *KSRTC).out == "You have no vehicle.\n"
    add_fleet(operate)
    operate(
        "put-vehicle", "KA09F1", *KSRTC, "--model", "Volvo 9600", "--notes", "Spare key", "--no-in-service"
    )
    assert operate("vehicles", *KSRTC).out == (
        "Registration  Seats  In service  Name        Notes\n"
        "KA09F1            8  no          Volvo 9600  Spare key\n"
    )
    edited = operate("put-vehicle", "KA09F1", *KSRTC, "--notes", "none", "--in-service")
    assert edited.out.splitlines()[1] == "KA09F1            8  yes         Volvo 9600"
    edited = operate("put-driver", "D1", *KSRTC, "--phone", "98450 12345", "--licence", "KA 2026 7")
    assert edited.out.splitlines()[1].split() == ["D1", "Kumar", "+919845012345", "KA", "2026", "7", "yes"]
    assert operate("drivers", *KSRTC).out.count("\n") == 3


def test_assignments(operate: Run, run: Run) -> None:  # noqa: F811
    add_fleet(operate)
    reference = book(run, "--seats", "1")["reference"]
    assert operate("assign", *TRIP, "--vehicle", "KA09F1", "--driver", "D1", "--driver", "D2").out == (
        "1 trip: Vehicle KA09F1. Drivers Kumar and Ravi Varma.\n"
    )
    assert "Vehicle KA09F1. Drivers Kumar and Ravi Varma.\n" in operate("manifest", *TRIP).out
    assert operate("trips", TRIP[1]).out.splitlines()[0].endswith("Vehicle")
    assert "Vehicle KA09F1.\n" in run("booking", reference, *PHONE).out
    assert operate("assign", *TRIP, "--to", "2026-12-07", "--vehicle", "KA09F1").out.startswith("3 trips: ")
    assert operate("assign", *TRIP, "--vehicle", "none").out == "1 trip: Drivers Kumar and Ravi Varma.\n"
    assert operate("assign", *TRIP, "--driver", "none").out == "1 trip: No vehicle and no driver.\n"
    refused = operate("assign", *TRIP, "--driver", "D9")
    assert (refused.status, refused.err) == (
        1,
        "KSRTC has no driver D9. Drivers that are free: D1, D2.\n",
    )


def test_refund_tiers_are_a_sentence(run: Run, database: Database) -> None:  # noqa: F811
    database.query(
        """SELECT api.put_service(NULL, '{"bus_id": 1, "refund_tiers": [{"hours": 48, "percent": "90"},
           {"hours": 0, "percent": "0"}]}')"""
    )
    reference = book(run, "--seats", "1")["reference"]
    assert (
        "Cancel until Thu 3 Dec 2026 10:00: 90 % back; later: nothing.\n"
        in run("booking", reference, *PHONE).out
    )
    quoted = "Refund 162.00, if cancelled before Thu 3 Dec 2026 10:00.\n"
    assert run("quote", reference, *PHONE).out == quoted
