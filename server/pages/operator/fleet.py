"""The vehicles and the drivers of an operator, and the places at which services stop."""

from busware.server import protocol
from busware.server.pages.kinds import N_
from busware.server.pages.operator import frame
from busware.server.pages.operator.form_fields import FormField
from busware.server.pages.operator.records import Records
from busware.server.pages.operator.services import PATH as SERVICES
from busware.server.pages.visits import Table

_VEHICLES = "/operator/vehicles"
_NUMBERS = N_("Numbers, separated by commas.")

VEHICLES = Records(
    path=_VEHICLES,
    template="operator_vehicles.html",
    section=_VEHICLES,
    listing=protocol.Vehicles,
    name="vehicles",
    put=protocol.PutVehicle,
    key="registration",
    fields=[
        FormField("name", "nullable", N_("Make, model or name")),
        FormField(
            "layout",
            "text",
            N_("Layout"),
            N_("The name of a layout, or a drawing of the seats: a line for each row, s for a seat."),
            rows=8,
        ),
        FormField(
            "seat_classes",
            "classes",
            N_("Classes of seats"),
            N_("Such as Premium: 1, 2; Standard: 3, 4. For trips that get the seats of this vehicle."),
        ),
        FormField("women_seats", "numbers", N_("Seats for women"), _NUMBERS),
        FormField("accessible_seats", "numbers", N_("Accessible seats"), _NUMBERS),
        FormField("notes", "nullable", N_("Notes"), N_("Only operators read them.")),
        FormField("in_service", "flag", N_("In service")),
    ],
    new={"in_service": True},
)
DRIVERS = Records(
    path="/operator/drivers",
    template="operator_drivers.html",
    section=_VEHICLES,
    listing=protocol.Drivers,
    name="drivers",
    put=protocol.PutDriver,
    key="code",
    fields=[
        FormField("name", "text", N_("Name")),
        FormField("phone", "nullable", N_("Phone number")),
        FormField("licence_no", "nullable", N_("Number of the licence")),
        FormField("active", "flag", N_("May be assigned to trips")),
    ],
    new={"active": True},
)
PLACES = Records(
    path="/operator/places",
    template="operator_places.html",
    section=SERVICES,
    listing=protocol.Places,
    name="places",
    put=protocol.PutPlace,
    key="code",
    fields=[
        FormField("name", "text", N_("Name")),
        FormField("aliases", "names", N_("Other names"), N_("Names, separated by commas.")),
        FormField(
            "part_of", "nullable", N_("Part of"), N_("The code of the place that contains this one, if any.")
        ),
        FormField("time_zone", "text", N_("Time zone"), N_("Such as Asia/Kolkata.")),
    ],
    is_owned=False,
    has_pages=False,
)

PAGES: Table = {
    **{one.path: frame.owned_page(one.show, one.submit) for one in (VEHICLES, DRIVERS)},
    PLACES.path: frame.operator_page(PLACES.show, PLACES.submit),
}
