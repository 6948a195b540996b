"""Bookings that have lost their seats, and the trips that are offered to them."""

from typing import TYPE_CHECKING, Any

from tests.support.schema_api import DAY

if TYPE_CHECKING:
    from tests.conftest import Database

LATER = 3  # a service with the route of service 1, two hours later
CAUSE = "A smaller bus runs."


def add_later_bus(database: "Database") -> None:
    """Add service LATER."""
    add_service(database, LATER, "12:00", "14:45")


def add_service(database: "Database", bus_id: int, departs: str, arrives: str) -> None:
    """Add a service from Bengaluru to Mysuru."""
    stops = f"Bengaluru | - | {departs} | 0 | 0\nMysuru | {arrives} | - | 145 | 300"
    database.query(
        "SELECT api.add_service(bus_id => %s, name => 'Later Bus', operator => 'KSRTC', sales_days => 14,"
        " layout => %s, stops => %s)",
        bus_id, "ss.ss\nss.ss", stops,
    )  # fmt: skip


def displace(database: "Database", *references: Any, bus_id: int = 1) -> None:
    """Displace bookings of a service, and make an offer to each, as an exchange of the vehicle does."""
    with database.connect(autocommit=False) as conn:
        conn.execute("SELECT api.lock_trip(%s, %s)", (bus_id, DAY))
        conn.execute("SELECT api.displace(%s, %s, %s)", (bus_id, DAY, list(references)))
        for reference in references:
            conn.execute("SELECT api.make_offer(%s, %s, %s, 'refund')", (bus_id, reference, CAUSE))
        conn.execute("SELECT api.promote(%s, %s)", (bus_id, DAY))
        conn.commit()
