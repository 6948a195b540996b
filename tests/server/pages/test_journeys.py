"""The search form, the trips that are found, filters and dates, over HTTP and without JavaScript."""

import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Database
from tests.support.http_client import HttpClient
from tests.support.page_visitor import SEARCH, Visitor


def test_search_form_leads_to_trips_and_to_seats(visitor: Visitor) -> None:
    form = visitor.get("/").form("/trips")
    trips = visitor.send(form, origin="Bengaluru", destination="Mysuru", date="2026-12-05", seats="2")
    assert "2 trips" in trips.text
    assert "Day Bus" in trips.text
    assert "10:00" in trips.text
    assert "2 h 45 min" in trips.text
    assert "₹260" in trips.text
    assert "8 seats free" in trips.text
    seats = visitor.get(trips.link("Day Bus"))
    assert seats.form("/passengers").method == "get"


def test_unknown_place_stays_in_the_form_with_similar_names(visitor: Visitor) -> None:
    page = visitor.get(SEARCH.replace("origin=Bengaluru", "origin=Bengalru"))
    assert page.form("/trips").value("origin") == "Bengalru"
    assert page.form("/trips").value("destination") == "Mysuru"
    assert 'aria-invalid="true"' in page.html
    assert "2 trips" in visitor.get(page.link("Bengaluru")).text


def test_empty_fields_of_the_search_are_all_said(visitor: Visitor) -> None:
    page = visitor.get("/trips?kind=bus&date=2026-12-05")
    assert page.status == 400
    assert {"Enter where you start.", "Enter where you want to go."} <= page.links.keys()
    assert page.html.count('aria-invalid="true"') == 2
    no_date = visitor.get("/trips?kind=bus&origin=Bengaluru&destination=Mysuru")
    assert "Choose a date." in no_date.links
    assert no_date.form("/trips").value("date") == ""
    hindi = visitor.get("/trips?kind=hotel", headers={"Accept-Language": "hi"})
    assert "Choose" not in hindi.text
    assert "missing" not in hindi.text


def test_places_are_not_markup(visitor: Visitor) -> None:
    script = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
    page = visitor.get(SEARCH.replace("origin=Bengaluru", f"origin={script}"))
    assert "<script" not in page.html


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("&type=SLEEPER", "Night Sleeper"),
        ("&ac=non_ac", "Day Bus"),
        ("&time=evening", "Night Sleeper"),
        ("&max_fare=300", "Day Bus"),
    ],
)
def test_filter_leaves_the_trips_that_pass(visitor: Visitor, query: str, expected: str) -> None:
    page = visitor.get(SEARCH + query)
    assert "1 trip of 2" in page.text
    assert [name for name in ("Day Bus", "Night Sleeper") if name in page.text] == [expected]


def test_filter_by_class(visitor: Visitor, database: Database) -> None:
    classes = [{"name": "premium", "seats": [1, 2], "percent": "20"}]
    database.query("UPDATE bus_info SET seat_classes = %s WHERE bus_id = 1", Jsonb(classes))
    page = visitor.get(SEARCH + "&class=premium")
    assert "1 trip of 2" in page.text
    assert "Day Bus" in page.text


def test_order_by_fare(visitor: Visitor) -> None:
    cheapest_last = visitor.get(SEARCH).text
    assert cheapest_last.index("Day Bus") < cheapest_last.index("Night Sleeper")
    assert "2 trips" in visitor.get(SEARCH + "&sort=fare").text


def test_neighbouring_dates_say_how_many_trips_they_have(visitor: Visitor, database: Database) -> None:
    database.query("UPDATE trips SET state = 'cancelled' WHERE travel_date = '2026-12-06' AND bus_id = 1")
    database.query("UPDATE trips SET state = 'cancelled' WHERE travel_date = '2026-12-07'")
    links = visitor.get(SEARCH).links
    assert {"Sun 6 Dec 1 trip", "Mon 7 Dec none", "Fri 4 Dec 2 trips"} <= links.keys()


def test_empty_result_says_what_to_change(visitor: Visitor, database: Database) -> None:
    database.query("UPDATE trips SET state = 'cancelled' WHERE travel_date = '2026-12-05'")
    page = visitor.get(SEARCH)
    assert "No trips Nothing is found on Sat 5 Dec. Choose another date." in page.text
    database.query("UPDATE trips SET state = 'cancelled'")
    assert "Nothing is found on these dates. Change the search." in visitor.get(SEARCH).text


def test_neighbouring_dates(visitor: Visitor) -> None:
    page = visitor.get(SEARCH)
    assert "date=2026-12-06" in page.link("Sun 6 Dec")
    first = visitor.get(SEARCH.replace("12-05", "12-02"))
    assert not any("30 Nov" in text for text in first.links)  # in the past


def test_date_in_the_past_is_refused_at_its_field(visitor: Visitor) -> None:
    page = visitor.get(SEARCH.replace("2026-12-05", "2026-11-01"))
    assert "Sun 1 Nov 2026 is in the past; today is Tue 1 Dec 2026." in page.text
    assert page.form("/trips").value("origin") == "Bengaluru"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("kn-IN,en;q=0.5", "ಬಸ್‌ಗಳನ್ನು ಹುಡುಕಿ"),
        ("hi", "बसें खोजें"),
        ("fr, en;q=0.5", "Find buses"),
        ("en;q=0.1,kn;q=0.9", "ಬಸ್‌ಗಳನ್ನು ಹುಡುಕಿ"),
        ("hi;q=0, en", "Find buses"),
    ],
)
def test_language_of_the_browser(visitor: Visitor, language: str, expected: str) -> None:
    visitor.session.headers["Accept-Language"] = language
    assert expected in visitor.get("/").text


def test_chosen_language_is_kept_and_leads_back(visitor: Visitor) -> None:
    page = visitor.get(visitor.get(SEARCH).link("ಕನ್ನಡ"))
    assert "2 ಪ್ರಯಾಣಗಳು" in page.text
    assert "origin=Bengaluru" in page.path
    assert 'lang="kn"' in visitor.get("/").html


@pytest.mark.parametrize("path", ["//example.org", "/\\example.org", "https://example.org"])
def test_language_menu_leads_to_no_other_site(visitor: Visitor, path: str) -> None:
    sent = visitor.session.get(
        f"{visitor.url}/language/kn", params={"to": path}, allow_redirects=False, timeout=30
    )
    assert sent.headers["Location"] == "/"


def test_browser_gets_a_page_about_a_wrong_path_and_a_program_a_problem(
    visitor: Visitor, http: HttpClient
) -> None:
    page = visitor.get("/nothing")
    assert (page.status, "This page does not exist" in page.text) == (404, True)
    for path in ("/nothing", "/"):
        response = http.call("GET", path, headers={"Accept": "application/json"})
        assert (response.status_code, response.json()["type"]) == (404, "about:blank")
    api = visitor.get("/v1/nothing")
    assert api.response.headers["Content-Type"] == "application/problem+json"


def test_policy_of_every_page(visitor: Visitor) -> None:
    for path in ("/", SEARCH, "/nothing"):
        headers = visitor.get(path).response.headers
        assert "default-src 'none'; script-src 'self'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_static_file_is_kept_by_the_browser(visitor: Visitor) -> None:
    path = visitor.get("/").html.partition('rel="stylesheet" href="')[2].partition('"')[0]
    response = visitor.session.get(visitor.url + path, timeout=30)
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Encoding"] == "gzip"
    other = visitor.session.get(f"{visitor.url}/static/other/site.css", timeout=30)
    assert (other.status_code, other.headers["Cache-Control"]) == (200, "private, no-cache")
    assert visitor.get("/static/other/nothing.css").status == 404
