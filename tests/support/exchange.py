"""Exchanges of vehicles in tests of the database: the plan is made as the server makes it."""

from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from busware.server import protocol
from busware.server.booking.vehicle_exchange import Basis, planned_seats
from tests.support.schema_api import DAY, Answer, SchemaApi


def read_basis(api: SchemaApi, vehicle: str, account: str = "ksrtc", **trip: Any) -> Answer:
    """The input of the plan of seats, or the refusal."""
    args = {"bus_id": 1, "travel_date": DAY, "account": account, "vehicle": vehicle, **trip}
    statement = "SELECT answer FROM api.read('exchange_vehicle', %s)"
    ((answer,),) = api.conn.execute(statement, (Jsonb(args),)).fetchall()
    return answer


def plan(basis: Answer) -> Answer:
    """The fields of the plan for a basis."""
    return planned_seats(msgspec.convert(basis, Basis))


def apply(api: SchemaApi, vehicle: str, planned: Answer, account: str = "ksrtc", **args: Any) -> Answer:
    """Call api.change_fleet with a plan."""
    call = {"bus_id": 1, "travel_date": DAY, "account": account, "vehicle": vehicle, **planned, **args}
    statement = "SELECT answer FROM api.change_fleet('exchange_vehicle', %s)"
    ((answer,),) = api.conn.execute(statement, (Jsonb(call),)).fetchall()
    if "reason" not in answer:  # the server adds the other fields of the reply
        assert answer.keys() <= set(protocol.VehicleExchange.__struct_fields__)
    return answer


def exchange(api: SchemaApi, vehicle: str, **args: Any) -> Answer:
    """Exchange the vehicle of service 1 on DAY, or plan it with plan=True."""
    basis = read_basis(api, vehicle)
    return basis if "reason" in basis else apply(api, vehicle, plan(basis), **args)
