"""Feeds with faults: each fault is reported with its file and line, and the whole feed is refused."""

from pathlib import Path
from typing import Any

import pytest

from busware.server.gtfs.archive import Remark
from tests.support.gtfs import FEED, changed, read_files


def faults(folder: Path, files: dict[str, Any]) -> list[str]:
    content = read_files(folder, files)
    assert content.services == []
    return [str(fault) for fault in content.remarks.faults]


def test_feed_without_faults(tmp_path: Path) -> None:
    content = read_files(tmp_path)
    assert content.remarks.faults == content.remarks.left_out == []
    assert content.unread == []
    assert [service.ids for service in content.services] == [["t1"], ["t2"]]


# file | text | other text, then the fault
FAULTS = r"""
agency.txt | Asia/Kolkata | Asia/Mysore
    agency.txt:2: agency_timezone is 'Asia/Mysore'; it takes a time zone such as Asia/Kolkata.
stops.txt | HILL, | NORTH,
    stops.txt:3: the id 'NORTH' is there twice.
stops.txt | Hill Road |
    stops.txt:3: stop_name has no value.
stops.txt | 12.52 | 125.2
    stops.txt:3: stop_lat is '125.2'; it takes a number up to 90.
stops.txt | 12.52 | 1e1
    stops.txt:3: stop_lat is '1e1'; it takes a number up to 90.
stops.txt | 0,CENTRAL | 0,NORTH
    stops.txt:5: parent_station is 'NORTH', which is not a station of stops.txt.
stops.txt | ,,1, | ,,1,CENTRAL
    stops.txt:4: a station has no parent_station.
stops.txt | Z2,0, | Z2,0,,9
    stops.txt:3: the line has 8 values for 7 columns.
routes.txt | HC | XX
    routes.txt:2: agency_id is 'XX', which is not in agency.txt.
routes.txt | 7,North - Central | ,
    routes.txt:2: the route has neither a short nor a long name.
routes.txt | ,3 | ,bus
    routes.txt:2: route_type is 'bus'; it takes a number of a type of route, such as 3 for buses.
calendar.txt | WK,1 | WK,x
    calendar.txt:2: monday is 'x'; it takes 0 or 1.
calendar.txt | 1,0,0,20261201,20271130 | 1,0,0,20261201,20260230
    calendar.txt:2: end_date is '20260230'; it takes a date such as 20261231.
calendar.txt | 1,0,0,20261201,20271130 | 1,0,0,20261201,20261130
    calendar.txt:2: end_date 2026-11-30 is before start_date 2026-12-01.
calendar_dates.txt | 1225,2 | 1225,3
    calendar_dates.txt:2: exception_type is '3'; it takes 1 (runs) or 2 (does not run).
calendar_dates.txt | 20261225,2 | 20261225,2\nWK,20261225,1
    calendar_dates.txt:3: 2026-12-25 is there twice for this service_id.
trips.txt | R1,WK,t2 | R2,WK,t2
    trips.txt:3: route_id is 'R2', which is not in routes.txt.
trips.txt | WK,t2 | XX,t2
    trips.txt:3: service_id is 'XX', which is not in calendar.txt or calendar_dates.txt.
trips.txt | t2 |
    trips.txt:3: trip_id has no value.
stop_times.txt | t1,09:30:00 | t9,09:30:00
    stop_times.txt:3: trip_id is 't9', which is not in trips.txt.
stop_times.txt | 09:35:00,HILL | 09:35:00,HULL
    stop_times.txt:3: stop_id is 'HULL', which is not a stop of stops.txt.
stop_times.txt | 09:30:00 | 9:30
    stop_times.txt:3: arrival_time is '9:30'; it takes a time such as 8:05:00 or 24:10:00.
stop_times.txt | 09:30:00 | 09:36:00
    stop_times.txt:3: the times of trip t1 go backwards. A time after midnight is written as 24:10:00.
stop_times.txt | 25:20:00,25:20:00 | 01:20:00,01:20:00
    stop_times.txt:7: the times of trip t2 go backwards. A time after midnight is written as 24:10:00.
stop_times.txt | 10:30:00,10:30:00 | ,
    stop_times.txt:4: the first and the last stop of a trip need a time.
stop_times.txt | HILL,2,100\nt1 | HILL,3,100\nt1
    stop_times.txt:4: trip t1 has stop_sequence 3 twice.
stop_times.txt | HILL,2,100\nt1 | HILL,two,100\nt1
    stop_times.txt:3: stop_sequence is 'two'; it takes a whole number, 0 or more.
frequencies.txt | 06:00:00,07:00:00 | 06:00:00,05:00:00
    frequencies.txt:2: end_time is not after start_time.
frequencies.txt | 1800 | 0
    frequencies.txt:2: headway_secs is '0'; it takes a number of seconds, 1 or more.
frequencies.txt | 1800 | 1800\nt2,06:30:00,08:00:00,600
    frequencies.txt:3: the period overlaps another one of trip t2.
fare_attributes.txt | 80 | -80
    fare_attributes.txt:3: price is '-80'; it takes an amount such as 12.50.
fare_attributes.txt | 80,INR | 80,Rs
    fare_attributes.txt:3: currency_type is 'Rs'; it takes a currency such as INR.
fare_rules.txt | b,R1 | x,R1
    fare_rules.txt:3: fare_id is 'x', which is not in fare_attributes.txt.
fare_rules.txt | b,R1 | b,R9
    fare_rules.txt:3: route_id is 'R9', which is not in routes.txt.
fare_rules.txt | Z2,Z3 | Z2,Z9
    fare_rules.txt:3: destination_id is 'Z9', which is not a zone_id of stops.txt.
busware_services.txt | [] | {
    busware_services.txt:2: the row is not as Busware has exported it. Remove it, or the file.
busware_services.txt | [] | {}
    busware_services.txt:2: the row is not as Busware has exported it. Remove it, or the file.
busware_services.txt | [] | "{""bus_id"":1,""runs_on"":""always"",""seasons"":[]}"
    busware_services.txt:2: the row is not as Busware has exported it. Remove it, or the file.
"""
MORE = {
    "frequencies.txt": "trip_id,start_time,end_time,headway_secs\nt2,06:00:00,07:00:00,1800\n",
    "busware_services.txt": "trip_id,on_sale_until,service\nt1,20261231,[]\n",
}

LINES = FAULTS.strip().splitlines()


@pytest.mark.parametrize(("change", "fault"), list(zip(LINES[::2], LINES[1::2], strict=True)))
def test_fault_is_reported_with_its_line(tmp_path: Path, change: str, fault: str) -> None:
    name, old, new = (part.strip().replace("\\n", "\n") for part in change.split("|"))
    text = (FEED | MORE)[name]
    assert old in text
    assert fault.strip() in faults(tmp_path, {name: text.replace(old, new, 1)})


def test_agencies_in_different_time_zones_are_a_fault(tmp_path: Path) -> None:
    agencies = FEED["agency.txt"] + "X,X,https://example.org/,Europe/London\n"
    assert (
        "agency.txt:3: agency_timezone is Europe/London, and Asia/Kolkata before. "
        "All agencies of a feed have the same." in faults(tmp_path, {"agency.txt": agencies})
    )


def test_every_fault_is_reported(tmp_path: Path) -> None:
    files = changed("stops.txt", "Hill Road", "") | changed("trips.txt", "R1,WK,t2", "R2,WK,t2")
    without_fares = {"fare_attributes.txt": None, "fare_rules.txt": None}
    found = read_files(tmp_path, files | without_fares).remarks.faults
    assert sorted(found) == [
        Remark("stop_times.txt", 3, "stop_id is 'HILL', which is not a stop of stops.txt."),
        *(
            Remark("stop_times.txt", line, "trip_id is 't2', which is not in trips.txt.")
            for line in (5, 6, 7)
        ),
        Remark("stops.txt", 3, "stop_name has no value."),
        Remark("trips.txt", 3, "route_id is 'R2', which is not in routes.txt."),
    ]


def test_fault_in_a_row_of_several_lines_has_its_first_line(tmp_path: Path) -> None:
    stops = FEED["stops.txt"].replace("Hill Road", '"Hill\n\nRoad"').replace("12.31,76.65,Z3", "x,76.65,Z3")
    content = read_files(tmp_path, {"stops.txt": stops})
    assert content.feed.stops["HILL"].line == 3
    assert content.remarks.faults[0] == Remark("stops.txt", 7, "stop_lat is 'x'; it takes a number up to 90.")
