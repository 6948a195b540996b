"""The vehicle of a trip: assigns a vehicle and drivers; exchanges the vehicle, after a plan of the seats."""

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages.operator import frame
from busware.server.pages.operator.trip import PATH
from busware.server.pages.operator.trip_changes import done, render, trip_of
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import Assignment, Driver, Refusal, Vehicle, VehicleExchange


def vehicles_of(visit: Visit, operator: str) -> list[Vehicle]:
    """The vehicles of an operator."""
    return [
        one for page in frame.pages_of(visit, protocol.Vehicles, operator=operator) for one in page.vehicles
    ]


def drivers_of(visit: Visit, operator: str) -> list[Driver]:
    """The drivers of an operator."""
    return [
        one for page in frame.pages_of(visit, protocol.Drivers, operator=operator) for one in page.drivers
    ]


def show_assignment(visit: Visit, plan: Assignment | None = None) -> Response:
    """The vehicle and the drivers of a trip, and the form that assigns others. plan: to several trips."""
    trip = trip_of(visit)
    drivers = drivers_of(visit, trip.operator)
    assigned = visit.form.get("driver", []) if visit.is_sent else [driver.code for driver in trip.drivers]
    return render(
        visit,
        "assignment",
        trip,
        vehicles=[one for one in vehicles_of(visit, trip.operator) if one.in_service],
        drivers=[one for one in drivers if one.active or one.code in assigned],
        assigned=assigned,
        plan=plan,
    )


def assign(visit: Visit) -> Response:
    """Assign a vehicle and drivers to a trip, or, after a plan, to all trips up to a date."""
    until = visit.value("until")
    is_planned = bool(until) and visit.value("do") != "apply"
    assigned: Assignment = visit.request(
        protocol.Assign,
        **visit.path,
        vehicle=frame.exactly(visit.value("vehicle") or None),
        drivers=frame.exactly(visit.values("driver") or None),
        until=until,
        plan=is_planned,
    )
    if is_planned:
        return show_assignment(visit, assigned)
    return done(visit, "assignment", "assigned", trips=assigned.assigned)


def show_exchange(visit: Visit, plan: VehicleExchange | None = None) -> Response:
    """The vehicles for which the vehicle of a trip can be exchanged; with a plan, who sits where."""
    trip = trip_of(visit)
    vehicles = [one for one in vehicles_of(visit, trip.operator) if one.in_service]
    vehicles.sort(key=lambda one: one.registration == trip.vehicle)  # the present one last
    return render(visit, "exchange", trip, vehicles=vehicles, plan=plan)


def exchange(visit: Visit) -> Response:
    """Plan an exchange of the vehicle, or carry out the plan that was shown.

    If bookings have changed since the plan was made, the new plan is shown.
    """
    fields = {name: visit.value(name) for name in ("vehicle", "reason")}
    if visit.value("do") == "apply":
        try:
            version, key = visit.value("version"), visit.key()
            visit.request(protocol.ExchangeVehicle, **visit.path, **fields, version=version, key=key)
            return done(visit, "exchange", "exchanged")
        except Refusal as refusal:
            if refusal.reason != "plan_changed":
                raise
            visit.refusal = refusal
    return show_exchange(visit, visit.request(protocol.ExchangeVehicle, **visit.path, **fields, plan=True))


PAGES: Table = {
    f"{PATH}/assignment": frame.operator_page(show_assignment, assign),
    f"{PATH}/exchange": frame.operator_page(show_exchange, exchange),
}
