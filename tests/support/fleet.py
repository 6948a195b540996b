"""A fleet for tests: two vehicles and two drivers of KSRTC, and a second service of KSRTC.

Service 1 runs from 10:00 to 12:45, service 3 from 12:00 to 14:00: a vehicle cannot be on both.
"""

import pytest
from psycopg.types.json import Jsonb

from tests.support.schema_api import DAY, Answer, SchemaApi

SEATS = "...D\nss.ss\nss.ss"  # the layout of services 1 and 3
MORNING, NOON = ({"bus_id": bus_id, "travel_date": DAY} for bus_id in (1, 3))


def add_fleet(api: SchemaApi) -> None:
    """Add the service, the vehicles KA09F1 and KA09F2, the drivers D1 and D2, and accounts."""
    api.conn.execute("""
        INSERT INTO accounts (username, password_hash, role, operator, created_at) VALUES
            ('ksrtc', '', 'operator', 'KSRTC', now()), ('srs', '', 'operator', 'SRS Travels', now()),
            ('boss', '', 'admin', NULL, now())""")
    add_service(api, 3, "Mandya | - | 12:00 | 0 | 0 \n Mysuru | 14:00 | - | 45 | 90")
    for registration in ("KA09F1", "KA09F2"):
        put_vehicle(api, registration, layout=SEATS)
    for code, name in (("D1", "Kumar"), ("D2", "Ravi")):
        put_driver(api, code, name=name)


def add_service(api: SchemaApi, bus_id: int, stops: str) -> None:
    """Add a daily service of KSRTC, or give an existing one these stops."""
    api.conn.execute(
        "SELECT api.add_service(%s, 'Bus ' || %s, 'KSRTC', %s, "
        "sales_days => 14, stops => %s, replace => true)",
        (bus_id, bus_id, SEATS, stops),
    )


def edit_service(api: SchemaApi, bus_id: int = 1, **fields: object) -> Answer:
    """Edit a service by its document."""
    statement = "SELECT answer FROM api.put_service(NULL, %s)"
    ((answer,),) = api.conn.execute(statement, (Jsonb({"bus_id": bus_id, **fields}),)).fetchall()
    return answer


def put_vehicle(api: SchemaApi, registration: str, account: str = "ksrtc", **fields: object) -> Answer:
    """Add or edit a vehicle."""
    return api.change_fleet("put_vehicle", account=account, registration=registration, **fields)


def put_driver(api: SchemaApi, code: str, account: str = "ksrtc", **fields: object) -> Answer:
    """Add or edit a driver."""
    return api.change_fleet("put_driver", account=account, code=code, **fields)


def assign(api: SchemaApi, trip: Answer = MORNING, account: str = "ksrtc", **fields: object) -> Answer:
    """Assign a vehicle or drivers to a trip."""
    return api.change_fleet("assign", account=account, **trip, **fields)


def assigned(api: SchemaApi, trip: Answer = MORNING) -> tuple[str | None, list[str]]:
    """The vehicle and the drivers of a trip, as its manifest has them."""
    shown = api.read("manifest", account="boss", **trip)
    return shown.get("vehicle"), [driver["code"] for driver in shown.get("drivers", [])]


@pytest.fixture
def fleet(api: SchemaApi) -> SchemaApi:
    add_fleet(api)
    return api
