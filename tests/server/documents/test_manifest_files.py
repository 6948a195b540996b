"""The manifest as PDF and CSV: over HTTP, and what a PDF shows."""

import csv
import io
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from busware.server.documents import manifest_pdf
from busware.server.protocol import ManifestPassenger, ManifestStop, TripManifest
from tests.conftest import Database, LineClient
from tests.support.http_client import HttpClient
from tests.support.schema_api import ASHA, DAY

RESOURCE = f"/v1/trips/1/{DAY}/manifest"
DEPARTS = datetime.fromisoformat("2026-12-05T10:00:00+05:30")


@pytest.fixture
def conductor(http: HttpClient, database: Database) -> str:
    """The token of an operator of KSRTC."""
    account = {"username": "conductor", "password": "correct horse battery"}
    token = http.call("POST", "/v1/accounts", json=account).json()["token"]
    database.query("UPDATE accounts SET role = 'operator', operator = 'KSRTC'")
    return str(token)


def manifest(*names: str | None) -> TripManifest:
    """A manifest with a passenger of each name."""
    boards = [
        ManifestPassenger(reference=f"DT{n:05}", ticket_no=1, seat_no=n, name=name, phone=ASHA)
        for n, name in enumerate(names, 1)
    ]
    stop = ManifestStop(
        stop_no=1, place="Bengaluru", arrives_at=None, departs_at=DEPARTS, boards=boards, alights=[],
        comes_free=[],
    )  # fmt: skip
    return TripManifest(
        bus_id=1, kind="bus", name="Day Bus", operator="KSRTC", travel_date=date(2026, 12, 5),
        origin="Bengaluru", destination="Mysuru", departs_at=DEPARTS, arrives_at=DEPARTS, state="open",
        seats=8, booked=len(names), held=0, pending=0, load=0, stops=[stop], blocked=[],
    )  # fmt: skip


def pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


@pytest.mark.parametrize("asked", [{"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
def test_manifest_as_csv(
    http: HttpClient, conductor: str, connect: Callable[[], LineClient], asked: dict[str, Any]
) -> None:
    sale = {"bus_id": 1, "travel_date": DAY, "seats": [7], "phone": ASHA, "passengers": [{"name": "=1+1"}]}
    booking = connect().call("book", origin="Bengaluru", destination="Mandya", **sale)
    answer = http.call("GET", RESOURCE, token=conductor, **asked)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="manifest-1-{DAY}.csv"'
    boards, alights = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert boards == {
        "stop_no": "1", "stop": "Bengaluru", "arrives_at": "", "departs_at": "2026-12-05T10:00:00+05:30",
        "action": "boards", "seat_no": "7", "name": "'=1+1", "phone": f"'{ASHA}",
        "reference": booking["reference"], "ticket_no": "1",
        "checked_in_at": "", "no_show_at": "", "scheduled_arrives_at": "", "scheduled_departs_at": "",
        "sold_by": "",
        "email": "",
    }  # fmt: skip
    assert (alights["stop"], alights["action"]) == ("Mandya", "alights")


def test_manifest_as_pdf(http: HttpClient, conductor: str) -> None:
    by_query = http.call("GET", RESOURCE, token=conductor, params={"format": "pdf"})
    by_header = http.call("GET", RESOURCE, token=conductor, headers={"Accept": "application/pdf"})
    assert by_query.headers["content-type"] == "application/pdf"
    assert by_query.content == by_header.content
    assert "No passenger has a booked ticket." in pages(by_query.content)[0]


def test_refusals_of_a_file_are_problems(http: HttpClient, conductor: str) -> None:
    unknown = http.call("GET", RESOURCE, token=conductor, params={"format": "xls"}).json()
    assert (unknown["reason"], unknown["takes"]) == ("bad_request", "csv, pdf or json")
    other = http.call("GET", f"/v1/trips/2/{DAY}/manifest", token=conductor, params={"format": "pdf"})
    assert other.json()["reason"] == "not_yours"
    place = http.call("GET", "/v1/places", params={"format": "csv"})
    assert place.json()["reason"] == "bad_request"
    assert http.call("GET", RESOURCE, token=conductor, params={"format": "json"}).json()["booked"] == 0


def test_pdf_has_numbered_pages_with_every_passenger() -> None:
    names = [f"Passenger {n}" for n in range(1, 61)]
    found = pages(manifest_pdf.encode(manifest(*names)))
    assert [f"Page {n} of {len(found)}" in text for n, text in enumerate(found, 1)] == [True] * len(found)
    assert len(found) > 1
    shown = "\n".join(found)
    for n, name in enumerate(names, 1):
        assert name in shown
        assert f"DT{n:05}/1" in shown
    assert shown.count(ASHA) == len(names)


def test_letters_of_every_script_are_shown_or_are_question_marks() -> None:
    (text,) = pages(manifest_pdf.encode(manifest("Élodie", "आशा", "ஆஷா", "ఆశా", "𓀀𓀁", None)))
    for name in ("Élodie", "आशा", "ஆஷா", "ఆశా", "??"):
        assert name in text
    assert text.count(ASHA) == 6


def test_pdf_of_the_same_manifest_is_the_same_file() -> None:
    assert manifest_pdf.encode(manifest("Asha")) == manifest_pdf.encode(manifest("Asha"))
