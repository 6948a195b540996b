"""The requests of operators about services, places and extra trips: a class for each method."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from busware.server.protocol.fields import BusId, Cursor, Date, Flag, Key, Limit, PlaceName
from busware.server.protocol.operator_replies import OperatedTrip
from busware.server.protocol.requests import Request, TripRequest, method
from busware.server.protocol.services import (
    ChangedPlace,
    ChangedService,
    ServiceData,
    ServiceFields,
    ServiceList,
    TimeZone,
)

_Code = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z0-9-]{2,16}$(?!\n)",
        description="2 to 16 characters of A-Z, 0-9 and -, such as CKPT",
    ),
]
_Names = Annotated[list[PlaceName], Meta(description="a list of names")]


@method("services", ServiceList, "GET /v1/services")
class Services(Request, frozen=True, kw_only=True):
    """For operators: list your services."""

    limit: Limit | None = None
    after: Cursor | None = None


@method("service", ServiceData, "GET /v1/services/{bus_id}")
class GetService(Request, frozen=True, kw_only=True):
    """For operators: show a service with all its fields."""

    bus_id: BusId


@method("add_service", ChangedService, "POST /v1/services", status=201)
class AddService(Request, ServiceFields, frozen=True, kw_only=True):
    """For operators: add a service under the next number. plan: return what would happen; change nothing."""

    plan: Flag = False
    key: Key | None = None


@method("put_service", ChangedService, "PUT /v1/services/{bus_id}")
class PutService(Request, ServiceFields, frozen=True, kw_only=True):
    """For operators: add a service under a number, or edit it. A field that is not given stays as it is."""

    bus_id: BusId
    plan: Flag = False


@method("end_service", ChangedService, "POST /v1/services/{bus_id}/end")
class EndService(Request, frozen=True, kw_only=True):
    """For operators: give a service a last date, or none. Its later trips are cancelled, or open again."""

    bus_id: BusId
    last_date: Date | None
    plan: Flag = False


@method("succeed_service", ChangedService, "POST /v1/services/{bus_id}/successor", status=201)
class SucceedService(Request, ServiceFields, frozen=True, kw_only=True):
    """For operators: end a service, and continue it from a date on under the next number, with changes."""

    bus_id: BusId
    from_date: Date
    plan: Flag = False
    key: Key | None = None


@method("open_trip", OperatedTrip, "POST /v1/trips/{bus_id}/{travel_date}/open")
class OpenTrip(TripRequest, frozen=True, kw_only=True):
    """For operators: open an extra trip of a service, or a cancelled trip again."""


@method("put_place", ChangedPlace, "PUT /v1/places/{code}")
class PutPlace(Request, frozen=True, kw_only=True):
    """For operators: add a place. Only an admin changes one; a field that is not given stays as it is."""

    code: _Code
    name: PlaceName | UnsetType = UNSET
    aliases: _Names | UnsetType = UNSET
    part_of: _Code | UnsetType | None = UNSET
    time_zone: TimeZone | UnsetType = UNSET
