"""The commands for vehicles, drivers and their assignments, and the text of refund tiers."""

import json

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


def test_classes_and_reserved_seats_of_a_vehicle(operate: Run, database: Database) -> None:  # noqa: F811
    add_fleet(operate)
    seats = ("--class-seats", "Premium=1,2", "--class-seats", "Sofa = 3", "--women-seats", "4")
    assert operate("put-vehicle", "KA09F1", *KSRTC, *seats, "--accessible-seats", "5,6").status == 0
    stored = "SELECT (seat_classes, women_seats, accessible_seats)::text FROM vehicles"
    assert "Premium" in database.query(stored)[0]
    refused = operate("put-vehicle", "KA09F1", *KSRTC, "--women-seats", "9")
    assert (refused.status, "The layout has no seat 9" in refused.err) == (1, True)
    none = ("--class-seats", "none", "--women-seats", "none", "--accessible-seats", "none")
    assert operate("put-vehicle", "KA09F1", *KSRTC, *none).status == 0
    assert database.query(stored) == ["(,,)"]


def test_a_vehicle_is_exchanged(operate: Run, run: Run) -> None:  # noqa: F811
    add_fleet(operate)
    assert operate("put-vehicle", "KA09S2", *KSRTC, "--layout", "...D\nss").status == 0
    booked = book(run, "--seats", "7,8", "--name", "Asha")
    left = book(run, "--seats", "1")
    arguments = ("exchange-vehicle", *TRIP, "KA09S2")
    planned = operate(*arguments, "--plan")
    assert "Day Bus (1) of Sat 5 Dec 2026: the plan; nothing was changed.\n" in planned.out
    assert (
        f"No seats for {left['reference']} (1 ticket): they get an offer, or the whole fare back."
        in planned.out
    )
    version = json.loads(operate(*arguments, "--plan", "--json").out)["version"]
    done = operate(*arguments, "--plan-version", version)
    assert done.out == planned.out.replace("the plan; nothing was changed.", "the vehicle is exchanged.")
    assert done.out.splitlines()[0].split() == [
        "Reference",
        "Ticket",
        "Name",
        "Status",
        "Seat",
        "New",
        "seat",
        "Class",
        "Refund",
    ]
    assert f"{booked['reference']}          1  Asha  booked     7         1" in done.out
    refused = operate(*arguments, "--plan-version", version)
    assert (refused.status, "make a new plan" in refused.err) == (1, True)
    assert operate(*arguments, "--yes").out == (
        "Day Bus (1) of Sat 5 Dec 2026: the vehicle is exchanged.\n"
        "2 of 2 tickets have a seat: 2 with the same number, 0 with another one.\n"
    )
