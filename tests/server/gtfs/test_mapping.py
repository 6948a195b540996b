"""The services of a feed: which trips are one service, its stops and times, and what is left out."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from busware.server.gtfs.mapping import Options
from tests.support.gtfs import FEED, changed, documents, read_files

PER_KM = Options(fare_per_km=Decimal("1.5"), currency="INR")


def left_out(folder: Path, files: dict[str, Any], options: Options | None = None) -> list[str]:
    return [str(remark) for remark in read_files(folder, files, options).remarks.left_out]


def only(folder: Path, files: dict[str, Any] | None = None, options: Options = PER_KM) -> dict[str, Any]:
    """The document of the first service."""
    return documents(read_files(folder, files, options), options)[0]


def times(document: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    return [(stop["place"], stop["arrives"], stop["departs"]) for stop in document["stops"]]


def test_document_of_a_service(tmp_path: Path) -> None:
    by_day, by_night = documents(read_files(tmp_path))
    assert by_day == {
        "kind": "bus", "nouns": {"service": "bus", "seat": "seat"}, "name": "7 North - Central",
        "operator": "Hill Coaches", "time_zone": "Asia/Kolkata", "currency": "INR",
        "stops": [
            {"place": "NORTH", "arrives": None, "departs": "08:00", "km": "0.0", "fare": "0.00"},
            {"place": "HILL", "arrives": "09:30", "departs": "09:35", "km": "100.0", "fare": "100.00"},
            {"place": "SOUTH", "arrives": "10:30", "departs": None, "km": "145.0", "fare": "180.00"},
        ],
        "segment_fares": [],
        "first_date": "2026-12-01", "last_date": "2027-11-30", "runs_on": "Mon-Fri", "seasons": [],
        "days_off": ["2026-12-25"], "extra_days": [],
    }  # fmt: skip
    assert times(by_night) == [
        ("NORTH", None, "22:30"), ("HILL", "24:10", "24:15"), ("SOUTH", "25:20", None),
    ]  # fmt: skip


# Which trips are one service -------------------------------------------------------------------

THIRD = FEED["stop_times.txt"] + "".join(
    line.replace("t1", "t3") + "\n" for line in FEED["stop_times.txt"].splitlines() if line.startswith("t1")
)


def test_trips_that_share_no_date_are_one_service(tmp_path: Path) -> None:
    content = read_files(tmp_path, {"trips.txt": FEED["trips.txt"] + "R1,WE,t3\n", "stop_times.txt": THIRD})
    assert [service.ids for service in content.services] == [["t1", "t3"], ["t2"]]
    document = documents(content)[0]
    assert (document["runs_on"], document["days_off"]) == ("daily", ["2026-12-25"])


def test_trips_on_the_same_date_are_two_services(tmp_path: Path) -> None:
    content = read_files(tmp_path, {"trips.txt": FEED["trips.txt"] + "R1,WK,t3\n", "stop_times.txt": THIRD})
    assert [service.ids for service in content.services] == [["t1"], ["t3"], ["t2"]]


def test_frequencies_are_a_service_for_each_departure(tmp_path: Path) -> None:
    frequencies = "trip_id,start_time,end_time,headway_secs,exact_times\n" \
        "t1,06:00:00,07:00:00,1800,1\nt1,23:50:00,24:00:30,630,0\n"  # fmt: skip
    content = read_files(tmp_path, {"frequencies.txt": frequencies})
    assert [service.ids[0] for service in content.services] == ["t1@06:00", "t1@06:30", "t1@23:50", "t2"]
    assert [times(document)[0][2] for document in documents(content)] == ["06:00", "06:30", "23:50", "22:30"]
    assert times(documents(content)[2])[-1] == ("SOUTH", "26:20", None)
    assert [str(remark) for remark in content.remarks.left_out] == [
        "frequencies.txt:3: the trips have no exact times; "
        "each departure becomes a service with a fixed time."
    ]


# Stops and times -------------------------------------------------------------------------------


def test_missing_times_are_interpolated_by_distance(tmp_path: Path) -> None:
    files = changed("stop_times.txt", "09:30:00,09:35:00,HILL,2,100", ",,HILL,2,116")
    assert times(only(tmp_path, files))[1] == ("HILL", "10:00", "10:00")


def test_missing_times_are_interpolated_evenly_without_distances(tmp_path: Path) -> None:
    stop_times = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" \
        "t1,08:00:00,,NORTH,1\nt1,,,HILL,2\nt1,10:30:00,,SOUTH,30\n"  # fmt: skip
    stops = "stop_id,stop_name\nNORTH,N\nHILL,H\nSOUTH,S\n"
    files = {"stop_times.txt": stop_times, "stops.txt": stops}
    assert times(only(tmp_path, files)) == [
        ("NORTH", None, "08:00"), ("HILL", "09:15", "09:15"), ("SOUTH", "10:30", None),
    ]  # fmt: skip


def test_seconds_are_rounded_down(tmp_path: Path) -> None:
    files = changed("stop_times.txt", "09:30:00,09:35:00", "09:30:59,09:35:30")
    assert times(only(tmp_path, files))[1] == ("HILL", "09:30", "09:35")


def test_stop_without_boarding_or_alighting(tmp_path: Path) -> None:
    head, *lines = FEED["stop_times.txt"].splitlines()
    rules = [head + ",pickup_type,drop_off_type", *(line + ",0,0" for line in lines)]
    rules[2] = rules[2].replace(",0,0", ",1,0")
    rules[5] = rules[5].replace(",0,0", ",0,1")
    by_day, by_night = documents(read_files(tmp_path, {"stop_times.txt": "\n".join(rules) + "\n"}, PER_KM))
    assert times(by_day)[1] == ("HILL", "09:30", None)
    assert times(by_night)[1] == ("HILL", None, "24:15")


@pytest.mark.parametrize(
    ("closed", "places", "km"),
    [
        ({1: "1,0"}, ["HILL", "SOUTH"], ["0.0", "45.0"]),  # no boarding at the first stop
        ({3: "0,1"}, ["NORTH", "HILL"], ["0.0", "100.0"]),  # no alighting at the last
        ({2: "1,1"}, ["NORTH", "SOUTH"], ["0.0", "145.0"]),  # neither
    ],
)
def test_stop_without_boarding_and_alighting_is_left_out(
    tmp_path: Path, closed: dict[int, str], places: list[str], km: list[str]
) -> None:
    head, *lines = FEED["stop_times.txt"].splitlines()
    rules = [f"{line},{closed.get(n, '0,0')}" for n, line in enumerate(lines, 1)]
    text = "\n".join([head + ",pickup_type,drop_off_type", *rules]) + "\n"
    document = only(tmp_path, {"stop_times.txt": text})
    assert [stop["place"] for stop in document["stops"]] == places
    assert [stop["km"] for stop in document["stops"]] == km
    assert (document["stops"][0]["arrives"], document["stops"][-1]["departs"]) == (None, None)


def test_two_stop_times_at_one_stop_are_one_stop(tmp_path: Path) -> None:
    stop_times = changed("stop_times.txt", "t1,10:30", "t1,09:50:00,09:55:00,HILL,3,100\nt1,10:30")
    stop_times["stop_times.txt"] = stop_times["stop_times.txt"].replace("SOUTH,3,145\nt2", "SOUTH,4,145\nt2")
    assert times(only(tmp_path, stop_times)) == [
        ("NORTH", None, "08:00"), ("HILL", "09:30", "09:55"), ("SOUTH", "10:30", None),
    ]  # fmt: skip


# Kilometres ------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1, 1000, 1 / 1.609344, 3280.84])
def test_unit_of_distances_is_found_by_the_coordinates(tmp_path: Path, unit: float) -> None:
    text = FEED["stop_times.txt"]
    for km in (100, 145):
        text = text.replace(f",{km}\n", f",{km * unit:.3f}\n")
    document = only(tmp_path, {"stop_times.txt": text})
    assert [stop["km"] for stop in document["stops"]] == ["0.0", "100.0", "145.0"]


def test_distances_are_great_circles_if_the_feed_has_none(tmp_path: Path) -> None:
    text = FEED["stop_times.txt"].replace(",100\n", ",\n")
    assert [stop["km"] for stop in only(tmp_path, {"stop_times.txt": text})["stops"]] == [
        "0.0",
        "89.1",
        "124.1",
    ]


def test_distances_do_not_decrease(tmp_path: Path) -> None:
    text = FEED["stop_times.txt"].replace(",100\n", ",150\n")
    km = [stop["km"] for stop in only(tmp_path, {"stop_times.txt": text})["stops"]]
    assert km == ["0.0", "150.0", "150.0"]


# What is left out ------------------------------------------------------------------------------


def test_type_of_route_gives_the_word_for_the_service(tmp_path: Path) -> None:
    for number, kind, noun in (
        (2, "bus", "train"),
        (4, "bus", "ferry"),
        (1102, "flight", "flight"),
        (702, "bus", "bus"),
    ):
        document = only(tmp_path, changed("routes.txt", "Central,3", f"Central,{number}"))
        assert (document["kind"], document["nouns"]["service"]) == (kind, noun)


def test_trip_that_cannot_be_taken_is_left_out_with_its_line(tmp_path: Path) -> None:
    removed = "service_id,date,exception_type\n" + "".join(f"XX,2026120{n},2\n" for n in range(1, 3))
    trips = FEED["trips.txt"] + "R1,XX,t3\nR1,WK,t4\n"
    assert left_out(tmp_path, {"trips.txt": trips, "calendar_dates.txt": removed}) == [
        "trips.txt:4: trip t3 is left out: it runs on no date.",
        "trips.txt:5: trip t4 is left out: it has fewer than two stops.",
    ]


def test_trip_of_a_zone_is_left_out(tmp_path: Path) -> None:
    text = FEED["stop_times.txt"].replace("shape_dist_traveled", "location_id")
    text = text.replace("HILL,2,100\nt1", ",2,zone\nt1").replace(",100\n", ",\n").replace(",145\n", ",\n")
    assert left_out(tmp_path, {"stop_times.txt": text.replace(",0\n", ",\n")}) == [
        "stop_times.txt:3: trip t1 serves a zone instead of a stop.",
        "trips.txt:2: trip t1 is left out: it has fewer than two stops.",
    ]


def test_options_replace_what_the_feed_says(tmp_path: Path) -> None:
    options = Options(None, "Valley Buses", Decimal("1.5"), "USD", {"layout": "2+2 pushback 40", "ac": True})
    document = only(tmp_path, {}, options)
    assert (document["operator"], document["currency"], document["layout"], document["ac"]) == (
        "Valley Buses", "USD", "2+2 pushback 40", True,
    )  # fmt: skip
    assert [stop["fare"] for stop in document["stops"]] == ["0.00", "150.00", "217.50"]
