"""Fares by route and zones, and Fares v2, as fares of stops, and of segments where they must be."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from busware.server.gtfs.fares import table_per_km
from busware.server.gtfs.mapping import Options
from tests.support.gtfs import FEED, changed, documents, read_files

NO_V1: dict[str, Any] = {"fare_attributes.txt": None, "fare_rules.txt": None}
ATTRIBUTES = "fare_id,price,currency_type,payment_method,transfers\n"
RULES = "fare_id,route_id,origin_id,destination_id,contains_id\n"


def fares(folder: Path, files: dict[str, Any]) -> tuple[list[str], dict[tuple[int, int], str]]:
    """The fares of the stops and of the segments of the first service."""
    content = read_files(folder, files)
    assert content.remarks.faults == []
    document = documents(content)[0]
    segments = {(f["from_stop"], f["to_stop"]): f["fare"] for f in document["segment_fares"]}
    return [stop["fare"] for stop in document["stops"]], segments


@pytest.mark.parametrize(
    ("attributes", "rules", "stop_fares", "segment_fares"),
    [
        # additive
        ("a,100,INR,1,0\nb,80,INR,1,0\nc,180,INR,1,0\n", "a,R1,Z1,Z2,\nb,R1,Z2,Z3,\nc,R1,Z1,Z3,\n",
         ["0.00", "100.00", "180.00"], {}),
        # a fare for all: the fare of a later segment is not the difference
        ("a,2.50,INR,1,0\n", "", ["0.00", "2.50", "2.50"], {(2, 3): "2.50"}),
        # the lowest of several
        ("a,9,INR,1,0\nb,7,INR,1,0\n", "a,R1,,,\nb,,Z1,Z2,\n", ["0.00", "7.00", "9.00"], {(2, 3): "9.00"}),
        # zones that the journey passes, all of them and no other
        ("a,9,INR,1,0\nb,5,INR,1,0\n", "a,,,,Z1\na,,,,Z2\na,,,,Z3\nb,,,,Z1\nb,,,,Z2\nb,R1,Z2,Z3,\n",
         ["0.00", "5.00", "9.00"], {(2, 3): "5.00"}),
        # a longer journey that is cheaper: the fares of the stops do not fall
        ("a,9,INR,1,0\nb,7,INR,1,0\n", "a,,Z1,Z2,\nb,,Z1,Z3,\nb,,Z2,Z3,\n",
         ["0.00", "9.00", "9.00"], {(1, 3): "7.00", (2, 3): "7.00"}),
        # a price with more digits than money has
        ("a,1.250000,INR,1,0\n", "a,R1,,,\n", ["0.00", "1.25", "1.25"], {(2, 3): "1.25"}),
    ],
)  # fmt: skip
def test_fares_by_route_and_zones(
    tmp_path: Path,
    attributes: str,
    rules: str,
    stop_fares: list[str],
    segment_fares: dict[tuple[int, int], str],
) -> None:
    files = {"fare_attributes.txt": ATTRIBUTES + attributes, "fare_rules.txt": RULES + rules}
    assert fares(tmp_path, files) == (stop_fares, segment_fares)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (NO_V1, "the feed has no fares: give --fare-per-km"),
        (changed("fare_rules.txt", "Z2,Z3", "Z3,Z2"), "there is no fare from stop 2 to stop 3"),
        (
            changed("fare_attributes.txt", "b,80,INR", "b,80,USD"),
            "its fares are in INR and USD; a service has one currency",
        ),
    ],
)
def test_trip_without_fares_is_left_out(tmp_path: Path, files: dict[str, Any], why: str) -> None:
    content = read_files(tmp_path, files)
    assert content.services == []
    assert [str(remark) for remark in content.remarks.left_out] == [
        f"trips.txt:2: trip t1 is left out: {why}.",
        f"trips.txt:3: trip t2 is left out: {why}.",
    ]


def test_segment_on_which_nobody_travels_needs_no_fare(tmp_path: Path) -> None:
    stop_times = FEED["stop_times.txt"].splitlines()
    text = "\n".join(
        [stop_times[0] + ",pickup_type", *(f"{line},{int(',HILL,' in line)}" for line in stop_times[1:])]
    )
    files = changed("fare_rules.txt", "Z2,Z3", "Z3,Z2") | {"stop_times.txt": text}
    assert fares(tmp_path, files) == (["0.00", "100.00", "180.00"], {})


def test_part_of_a_cent_is_rounded(tmp_path: Path) -> None:
    content = read_files(tmp_path, changed("fare_attributes.txt", "a,100", "a,100.125"))
    assert documents(content)[0]["stops"][1]["fare"] == "100.13"
    assert "fare_attributes.txt:2: price 100.125 is rounded to 100.13." in map(str, content.remarks.left_out)


# Fares v2 --------------------------------------------------------------------------------------

V2 = NO_V1 | {
    "areas.txt": "area_id\ncity\nhills\n",
    "stop_areas.txt": "area_id,stop_id\ncity,NORTH\nhills,HILL\ncity,CENTRAL\n",
    "networks.txt": "network_id\nlocal\n",
    "route_networks.txt": "network_id,route_id\nlocal,R1\n",
    "fare_products.txt": "fare_product_id,amount,currency,rider_category_id\n"
    "one,100,INR,\ntwo,80,INR,adult\ntwo,40,INR,child\nall,180,INR,\n",
    "rider_categories.txt": "rider_category_id,is_default_fare_category\nadult,1\nchild,0\n",
    "fare_leg_rules.txt": "network_id,from_area_id,to_area_id,fare_product_id\n"
    "local,city,hills,one\nlocal,hills,city,two\nlocal,city,city,all\n",
}  # fmt: skip


def test_fares_v2_by_network_and_areas(tmp_path: Path) -> None:
    content = read_files(tmp_path, V2)
    assert content.unread == []
    assert fares(tmp_path, V2) == (["0.00", "100.00", "180.00"], {})
    assert [str(remark) for remark in content.remarks.left_out] == [
        "fare_products.txt:4: the fare of rider category child."
    ]


@pytest.mark.parametrize(
    ("rules", "stop_fares", "segment_fares"),
    [
        # an empty area is any that no other rule names
        ("network_id,from_area_id,to_area_id,fare_product_id\n,city,,all\n,hills,,one\n",
         ["0.00", "180.00", "180.00"], {(2, 3): "100.00"}),
        # with priorities, an empty area is any, and the highest priority decides
        ("network_id,from_area_id,to_area_id,fare_product_id,rule_priority\n,,,all,\n,hills,city,two,5\n",
         ["0.00", "180.00", "180.00"], {(2, 3): "80.00"}),
    ],
)  # fmt: skip
def test_empty_areas_and_priorities(
    tmp_path: Path, rules: str, stop_fares: list[str], segment_fares: dict[tuple[int, int], str]
) -> None:
    assert fares(tmp_path, V2 | {"fare_leg_rules.txt": rules}) == (stop_fares, segment_fares)


def test_rule_for_some_times_of_the_day_is_left_out(tmp_path: Path) -> None:
    rules = "fare_product_id,from_timeframe_group_id\nall,\none,peak\n"
    content = read_files(tmp_path, V2 | {"fare_leg_rules.txt": rules})
    assert [stop["fare"] for stop in documents(content)[0]["stops"]] == ["0.00", "180.00", "180.00"]
    assert "fare_leg_rules.txt:3: the rule holds at some times of the day only." in map(
        str, content.remarks.left_out
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("fare_leg_rules.txt", "hills,one", "hills,none",
         "fare_leg_rules.txt:2: fare_product_id is 'none', which is not in fare_products.txt."),
        ("stop_areas.txt", "NORTH", "NOWHERE",
         "stop_areas.txt:2: stop_id is 'NOWHERE', which is not in stops.txt."),
    ],
)  # fmt: skip
def test_fault_in_fares_v2(tmp_path: Path, name: str, old: str, new: str, fault: str) -> None:
    content = read_files(tmp_path, V2 | {name: V2[name].replace(old, new)}, Options())
    assert [str(found) for found in content.remarks.faults] == [fault]


@pytest.mark.parametrize(
    ("currency", "fares"), [("INR", ["0.00", "12.35"]), ("JPY", ["0", "12"]), ("KWD", ["0.000", "12.345"])]
)
def test_fares_per_kilometre_have_the_decimals_of_the_currency(currency: str, fares: list[str]) -> None:
    table = table_per_km(Decimal("1.2345"), currency, [Decimal(0), Decimal(10)])
    assert [str(fare) for fare in table.stop_fares] == fares
