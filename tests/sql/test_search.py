"""Reads: places, search, the seat map, and their refusals."""

from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import DAY, TRIP, SchemaApi

MANDYA_OOTY = "Mandya | - | 10:00 | 0 | 0\nOoty | 12:00 | - | 9 | 9"


def search(api: SchemaApi, **args: Any) -> list[Any]:
    """The trips that a search returns; by default from Bengaluru to Mysuru on DAY."""
    return api.read("search", **{"origin": "Bengaluru", "destination": "Mysuru", "date": DAY, **args})[
        "trips"
    ]


def names_from(api: SchemaApi, origin: str, **args: Any) -> list[str]:
    """The names of the places that `places` returns for an origin."""
    return [place["name"] for place in api.read("places", origin=origin, **args)["places"]]


def buses(api: SchemaApi, **args: Any) -> list[int]:
    return [trip["bus_id"] for trip in search(api, **args)]


# Places ----------------------------------------------------------------------------------------


def test_places_with_stops_and_the_regions_around_them(api: SchemaApi) -> None:
    places = api.read("places")["places"]
    assert [place["name"] for place in places] == [
        "Bengaluru", "Karnataka", "Mandya", "Mysuru", "Ooty", "Ramanagara", "Srirangapatna",
    ]  # fmt: skip
    assert places[0] == {
        "code": "BLRU", "name": "Bengaluru", "aliases": ["Bangalore"], "kinds": ["bus"], "part_of": "KA",
    }  # fmt: skip


def test_places_of_a_kind(api: SchemaApi) -> None:
    assert api.read("places", kind="flight") == {"places": [], "on_sale_from": None, "on_sale_until": None}
    served = api.read("places", kind="bus")
    assert len(served["places"]) == 7
    assert served["on_sale_from"] == "2026-12-01"
    assert served["on_sale_until"] == "2026-12-16"  # the trip of the 15th departs from Mysuru after midnight


def test_places_that_services_from_an_origin_go_to(api: SchemaApi) -> None:
    assert names_from(api, "Bengaluru") == [
        "Karnataka", "Mandya", "Mysuru", "Ooty", "Ramanagara", "Srirangapatna",
    ]  # fmt: skip
    assert names_from(api, "mysore") == ["Ooty"]
    assert names_from(api, "Karnataka") == names_from(api, "Bengaluru")
    assert (
        names_from(api, "Chennai") == names_from(api, "Ooty") == names_from(api, "mys", kind="flight") == []
    )
    assert api.read("places", origin="Bengalooru")["reason"] == "unknown_place"


def test_kinds_and_dates_of_an_origin(api: SchemaApi, database: Database) -> None:
    database.query(
        "SELECT api.add_service(3, 'Ship', 'KSRTC', 's', %s, kind => 'ship', sales_days => 20)", MANDYA_OOTY
    )
    reached = api.read("places", origin="mand")
    assert {place["name"]: place["kinds"] for place in reached["places"]} == {
        "Karnataka": ["bus"], "Mysuru": ["bus"], "Ooty": ["bus", "ship"], "Srirangapatna": ["bus"],
    }  # fmt: skip
    assert (reached["on_sale_from"], reached["on_sale_until"]) == ("2026-12-01", "2026-12-21")
    assert api.read("places", origin="ooty")["on_sale_until"] is None
    assert names_from(api, "mand", kind="ship") == ["Ooty"]


def test_no_place_is_reached_from_an_origin_whose_sale_has_ended(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    assert names_from(api, "Mysuru") == ["Ooty"]
    clock.set("2026-12-15 23:44+05:30")  # the last trip is in Mandya
    assert names_from(api, "Mandya") == ["Karnataka", "Mysuru", "Ooty"]
    clock.set("2026-12-15 23:45+05:30")
    assert (names_from(api, "Mandya"), names_from(api, "Mysuru")) == ([], ["Ooty"])
    assert names_from(api, "Karnataka") == ["Ooty"]
    database.query("SELECT api.end_service(2, '2026-12-14')")
    assert names_from(api, "Mysuru") == []


def test_ambiguous_origin_means_the_place_that_services_leave(api: SchemaApi, database: Database) -> None:
    database.query("INSERT INTO places (code, name) VALUES ('MNDR', 'Mandara')")
    assert names_from(api, "mand") == ["Karnataka", "Mysuru", "Ooty", "Srirangapatna"]
    database.query(
        "SELECT api.add_service(3, 'Ship', 'KSRTC', 's', %s, kind => 'ship')",
        MANDYA_OOTY.replace("Mandya", "Mandara"),
    )
    assert api.read("places", origin="mand")["reason"] == "ambiguous_place"
    assert names_from(api, "mand", kind="ship") == ["Ooty"]


@pytest.mark.parametrize("name", ["Mysuru", "mysuru", "MYSORE", "mysu", "mys", "myso", "MYSUR"])
def test_place_by_name_code_or_alias_in_any_case(api: SchemaApi, name: str) -> None:
    assert buses(api, destination=name) == [1, 2]


def test_unknown_place_is_refused_with_the_nearest_names(api: SchemaApi) -> None:
    assert api.read("search", origin="Bengalooru", destination="Mysuru", date=DAY) == {
        "reason": "unknown_place",
        "message": 'No place is called "Bengalooru". Did you mean Bengaluru?',
        "nearest": ["Bengaluru"],
    }
    unlike = api.read("search", origin="Bengaluru", destination="Xyzzy", date=DAY)
    assert unlike["nearest"] == []
    assert unlike["message"] == 'No place is called "Xyzzy", and no name is similar.'


@pytest.mark.parametrize(
    ("renamed", "guess"),
    [
        ({"Mysuru": "Mandyas"}, "Mandya or Mandyas"),
        ({"Mysuru": "Mandyas", "Srirangapatna": "Mandyasi"}, "Mandya, Mandyas or Mandyasi"),
    ],
)
def test_several_similar_names_are_alternatives(
    api: SchemaApi, database: Database, renamed: dict[str, str], guess: str
) -> None:
    for name, similar in renamed.items():
        database.query("UPDATE places SET name = %s WHERE name = %s", similar, name)
    message = api.read("search", origin="Bengaluru", destination="Mandyo", date=DAY)["message"]
    assert message == f'No place is called "Mandyo". Did you mean {guess}?'


# Search ----------------------------------------------------------------------------------------


def test_fields_of_a_found_trip(api: SchemaApi) -> None:
    assert search(api, kind="bus", ac=False) == [
        {
            "bus_id": 1, "kind": "bus", "name": "Day Bus", "operator": "KSRTC", "bus_type": "SEATER",
            "ac": False, "travel_date": DAY, "boarding_date": DAY, "origin": "Bengaluru",
            "destination": "Mysuru",
            "from_stop": 1, "to_stop": 5, "departs_at": "2026-12-05T10:00:00+05:30",
            "arrives_at": "2026-12-05T12:45:00+05:30", "fare": "260.00", "currency": "INR",
            "seats_free": 8,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [1, 2]),
        ({"kind": "bus"}, [1, 2]),
        ({"kind": "hotel"}, []),
        ({"bus_type": "SLEEPER"}, [2]),
        ({"bus_type": "SEMI_SLEEPER"}, []),
        ({"ac": True}, [2]),
        ({"ac": False, "bus_type": "SLEEPER"}, []),
        ({"seats": 4}, [1, 2]),
        ({"seats": 5}, [1]),
        ({"seats": 9}, []),
        ({"until": DAY}, [1]),
        ({"until": "2026-12-06"}, [2]),
    ],
)
def test_filters(api: SchemaApi, filters: dict[str, Any], found: list[int]) -> None:
    assert buses(api, **filters) == found


@pytest.mark.parametrize(("origin", "destination"), [("Mysuru", "Bengaluru"), ("Mandya", "Mandya")])
def test_no_trip_in_the_opposite_direction(api: SchemaApi, origin: str, destination: str) -> None:
    assert buses(api, origin=origin, destination=destination) == []


def test_date_is_the_boarding_date(api: SchemaApi) -> None:
    (trip,) = search(api, origin="Mysuru", destination="Ooty", date="2026-12-06")
    assert (trip["travel_date"], trip["departs_at"]) == (DAY, "2026-12-06T01:00:00+05:30")
    (trip,) = search(api, origin="Mandya", destination="Ooty", date=DAY)
    assert (trip["travel_date"], trip["departs_at"]) == (DAY, "2026-12-05T23:45:00+05:30")


def test_region_includes_its_places(api: SchemaApi) -> None:
    found = search(api, origin="Karnataka", destination="Ooty", date="2026-12-06")
    assert [(trip["origin"], trip["travel_date"]) for trip in found] == [
        ("Mysuru", "2026-12-05"),
        ("Bengaluru", "2026-12-06"),
        ("Mandya", "2026-12-06"),
    ]


def test_departed_trips_are_left_out_unless_the_service_sells_longer(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    today = "2026-12-01"
    assert buses(api, date=today) == [1, 2]
    clock.set("2026-12-01 09:59:59+05:30")
    assert buses(api, date=today) == [1, 2]
    clock.set("2026-12-01 10:00+05:30")
    assert buses(api, date=today) == [2]
    assert buses(api, date=today, origin="Mandya") == [1, 2]
    database.query("UPDATE bus_info SET sells_until = '16 hours' WHERE bus_id = 1")
    assert buses(api, date=today) == [1, 2]


def test_cancelled_trip_is_left_out(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE trips SET state = 'cancelled' WHERE bus_id = 1 AND travel_date = %s", DAY)
    assert buses(api) == [2]


def test_seats_free_counts_seats_free_on_the_whole_segment(api: SchemaApi, clock: Clock) -> None:
    api.book(1, from_stop=1, to_stop=3)
    api.book(2, from_stop=3, to_stop=5)
    api.hold(3, 4, seconds=60)
    free = {
        (origin, destination): search(api, origin=origin, destination=destination, ac=False)[0]["seats_free"]
        for origin, destination in [("Bengaluru", "Mysuru"), ("Bengaluru", "Mandya"), ("Mandya", "Mysuru")]
    }
    assert list(free.values()) == [4, 5, 5]
    clock.advance(seconds=60)
    assert search(api, ac=False)[0]["seats_free"] == 6


@pytest.mark.parametrize(
    ("date", "message"),
    [
        ("2026-11-30", "2026-11-30 is in the past; today is 2026-12-01."),
        ("2027-01-01", "Sales are open up to 2026-12-15."),
    ],
)
def test_date_without_sales_is_refused_with_the_dates_on_sale(
    api: SchemaApi, date: str, message: str
) -> None:
    refusal = api.read("search", origin="Bengaluru", destination="Mysuru", date=date)
    assert (refusal["reason"], refusal["field"], refusal["message"]) == ("bad_request", "date", message)


def test_times_are_in_the_time_zone_of_their_stop(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE places SET time_zone = 'America/St_Johns' WHERE code = 'OOTY'")  # UTC-03:30
    (trip,) = search(api, origin="Mandya", destination="Ooty")
    assert trip["departs_at"] == "2026-12-05T23:45:00+05:30"
    assert trip["arrives_at"] == "2026-12-05T20:30:00-03:30"  # 05:30 on the 6th in India


def test_date_is_in_the_time_zone_of_the_place(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE places SET time_zone = 'Pacific/Honolulu' WHERE code = 'BLRU'")  # UTC-10:00
    assert [trip["travel_date"] for trip in search(api, date="2026-12-04", ac=False)] == [DAY]


def test_route_that_visits_a_place_twice_ends_at_the_first_visit_after_boarding(
    api: SchemaApi, database: Database
) -> None:
    there_and_back = """
        Chennai | -     | 06:00 | 0 | 0
        Mandya  | 07:00 | 07:05 | 9 | 10
        Chennai | 08:00 | 08:05 | 18 | 20
        Mandya  | 09:00 | -     | 27 | 30
    """
    database.query("SELECT api.add_service(3, 'Shuttle', 'KSRTC', 'ss', %s)", there_and_back)
    found = search(api, origin="Chennai", destination="Mandya")
    assert [(trip["from_stop"], trip["to_stop"]) for trip in found] == [(1, 2), (3, 4)]
    by_name = api.book(bus_id=3, origin="Chennai", destination="Mandya")
    assert (by_name["from_stop"], by_name["to_stop"]) == (1, 2)
    by_position = api.book(bus_id=3, from_stop=1, to_stop=4)
    assert (by_position["origin"], by_position["destination"]) == ("Chennai", "Mandya")


# The seat map ----------------------------------------------------------------------------------


def test_seat_map_shows_positions_and_states(api: SchemaApi) -> None:
    api.book(1, from_stop=1, to_stop=3)
    api.hold(2, from_stop=2, to_stop=3)
    shown = api.read("seat_map", **TRIP)
    assert shown["layout"] == "...D\nss.ss\nss.ss"
    assert shown["fare"] == "260.00"
    assert shown["seats"][2] == {
        "seat_no": 3,
        "deck": "main",
        "row": 2,
        "column": 4,
        "kind": "seat",
        "state": "free",
    }
    assert (api.seats("taken"), api.seats("held"), api.free()) == ([1], [2], [3, 4, 5, 6, 7, 8])


def test_seat_map_of_each_segment(api: SchemaApi) -> None:
    api.book(1, from_stop=2, to_stop=4)
    segments = [(start, end) for start in range(1, 5) for end in range(start + 1, 6)]
    taken = {segment for segment in segments if api.seats("taken", *segment)}
    assert taken == {(start, end) for start, end in segments if start < 4 and end > 2}


def test_seat_of_an_expired_hold_is_free_in_the_map(api: SchemaApi, clock: Clock) -> None:
    api.hold(2, seconds=60)
    clock.advance(seconds=59)
    assert api.seats("held") == [2]
    clock.advance(seconds=1)
    assert api.seats("held") == []
    assert 2 in api.free()


def test_rows_are_numbered_per_deck(api: SchemaApi) -> None:
    shown = api.read("seat_map", **(TRIP | {"bus_id": 2}))
    assert [(seat["deck"], seat["row"], seat["column"], seat["kind"]) for seat in shown["seats"]] == [
        ("lower", 2, 1, "berth"),
        ("lower", 2, 3, "berth"),
        ("upper", 1, 1, "berth"),
        ("upper", 1, 3, "berth"),
    ]


# Refusals of a trip and a segment ---------------------------------------------------------------

UNKNOWN_TRIPS = [
    ({"bus_id": 99}, "There is no bus 99. A search lists the numbers of the buses.", None),
    (
        {"travel_date": "2027-02-01"},
        "Day Bus (bus 1) has no trip on 2027-02-01. The nearest: 2026-12-13, 2026-12-14, 2026-12-15.",
        ["2026-12-13", "2026-12-14", "2026-12-15"],
    ),
    (
        {"travel_date": "2020-01-01"},
        "Day Bus (bus 1) has no trip on 2020-01-01. The nearest: 2026-12-01, 2026-12-02, 2026-12-03.",
        ["2026-12-01", "2026-12-02", "2026-12-03"],
    ),
]


@pytest.mark.parametrize(("changed", "message", "dates"), UNKNOWN_TRIPS)
@pytest.mark.parametrize("method", ["seat_map", "book", "hold"])
def test_unknown_trip_is_refused(
    api: SchemaApi, method: str, changed: dict[str, Any], message: str, dates: list[str] | None
) -> None:
    send = api.read if method == "seat_map" else api.write
    refusal = send(method, **(TRIP | changed))
    assert (refusal["reason"], refusal["message"], refusal.get("dates")) == ("unknown_trip", message, dates)


POSITIONS = {"origin": None, "destination": None}


@pytest.mark.parametrize(
    ("changed", "reason", "message"),
    [
        (
            {"origin": "Mysuru", "destination": "Mandya"},
            "not_on_route",
            "does not go from Mysuru to Mandya. Its stops: ",
        ),
        ({"destination": "Chennai"}, "not_on_route", "does not go from Bengaluru to Chennai. Its stops: "),
        (
            {"destination": "Bengaluru"},
            "not_on_route",
            "does not go from Bengaluru to Bengaluru. Its stops: ",
        ),
        ({"destination": "Mysroe"}, "unknown_place", "Did you mean Mysuru?"),
        ({**POSITIONS, "from_stop": 3, "to_stop": 3}, "not_on_route", "from stop 3 to stop 3"),
        ({**POSITIONS, "from_stop": 4, "to_stop": 2}, "not_on_route", "from stop 4 to stop 2"),
        ({**POSITIONS, "from_stop": 1, "to_stop": 6}, "not_on_route", "from stop 1 to stop 6"),
        ({**POSITIONS, "from_stop": 0, "to_stop": 2}, "not_on_route", "from stop 0 to stop 2"),
        (POSITIONS, "bad_request", "Give origin and destination"),
        ({"origin": None}, "bad_request", "Give origin and destination"),
        ({**POSITIONS, "from_stop": 1}, "bad_request", "Give origin and destination"),
        ({**POSITIONS, "to_stop": 2}, "bad_request", "Give origin and destination"),
        ({"destination": None, "to_stop": 2}, "bad_request", "Give origin and destination"),
    ],
)
@pytest.mark.parametrize("method", ["seat_map", "book"])
def test_wrong_segment_is_refused(
    api: SchemaApi, method: str, changed: dict[str, Any], reason: str, message: str
) -> None:
    before = api.everything()
    send = api.read if method == "seat_map" else api.write
    refusal = send(method, **(TRIP | changed))
    assert refusal["reason"] == reason
    assert message in refusal["message"]
    if reason == "not_on_route":
        assert refusal["stops"] == ["Bengaluru", "Ramanagara", "Mandya", "Srirangapatna", "Mysuru"]
    assert api.everything() == before


# The dates around ------------------------------------------------------------------------------

_ON_SALE = ("on_sale_from", "on_sale_until")


def test_numbers_of_trips_on_the_dates_around_are_those_of_searches(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    clock.set("2026-12-04 10:01+05:30")  # the bus by day has left Bengaluru
    database.query("UPDATE trips SET state = 'cancelled' WHERE travel_date = '2026-12-06' AND bus_id = 1")
    database.query("UPDATE trips SET skipped = '{4}' WHERE travel_date = '2026-12-07' AND bus_id = 2")
    database.query(
        "UPDATE bus_info SET shortest_segment_km = 110, short_segments_open = '3 days' WHERE bus_id = 2"
    )
    segments: list[dict[str, Any]] = [
        {}, {"origin": "Mandya", "destination": "Ooty"}, {"origin": "Karnataka"}, {"ac": True},
        {"kind": "bus"}, {"kind": "show"}, {"bus_type": "SLEEPER"}, {"origin": "Mandya"},
    ]  # fmt: skip
    for segment in segments:
        wanted = {"origin": "Bengaluru", "destination": "Mysuru", "date": "2026-12-05"} | segment
        found = api.read("search", **wanted, days_around=3)
        shown = {one["date"]: one["trips"] for one in found["dates"]}
        counted = {day: len(search(api, date=day, **segment)) for day in shown if day >= "2026-12-04"}
        past = dict.fromkeys(("2026-12-02", "2026-12-03"), 0)
        assert shown == past | counted
        places = api.read("places", origin=wanted["origin"])
        assert [found[name] for name in _ON_SALE] == [places[name] for name in _ON_SALE]
    only_searched = api.read("search", origin="Bengaluru", destination="Mysuru", date=DAY)
    assert only_searched.keys() == {"trips"}
