"""Vehicles, drivers and places on the pages for operators: listed, added, edited, and only one's own."""

from tests.conftest import Database
from tests.support.operator_visitor import AddAccount, sign_in
from tests.support.page_visitor import Form, Page, Visitor
from tests.support.schema_api import SchemaApi

VEHICLES, DRIVERS, PLACES = "/operator/vehicles", "/operator/drivers", "/operator/places"


def record_form(page: Page) -> Form:
    return next(form for form in page.forms if "was" in form.names())


def add_vehicle(visitor: Visitor, **values: object) -> Page:
    form = record_form(visitor.get(VEHICLES))
    return visitor.send(form, **{"registration": "ka 09 f 77", "layout": "ss.ss\nss.ss", **values})


def test_vehicle_is_added_and_edited(operator: Visitor, database: Database) -> None:
    page = add_vehicle(
        operator, name="Volvo 9600", seat_classes="Premium: 1, 2; Standard: 3", women_seats="5"
    )
    assert page.status == 200
    assert "ka 09 f 77 is saved." in page.text
    assert "KA09F77 Volvo 9600 8 Yes" in page.text
    form = record_form(operator.get(page.link("KA09F77")))
    assert (form.value("layout"), form.value("in_service")) == ("ss.ss\nss.ss", "on")
    assert form.value("seat_classes") == "Premium: 1, 2; Standard: 3"
    page = operator.send(form, name="", in_service=None)
    assert "KA09F77 8 No" in page.text
    assert database.query("SELECT name, in_service, women_seats FROM vehicles") == [(None, False, [5])]


def test_wrong_layout_is_refused_at_its_field_and_kept(operator: Visitor, database: Database) -> None:
    page = add_vehicle(operator, layout="sxs", notes="Old.")
    assert page.status == 400
    form = record_form(page)
    assert (form.value("layout"), form.value("notes"), form.value("registration")) == (
        "sxs",
        "Old.",
        "ka 09 f 77",
    )
    assert 'name="layout" rows="8" class="code" spellcheck="false" aria-invalid="true"' in page.html
    assert database.value("SELECT count(*) FROM vehicles") == 0


def test_edit_of_an_old_tab_keeps_what_others_changed(
    operator: Visitor, fleet: SchemaApi, database: Database
) -> None:
    old = record_form(operator.get(f"{DRIVERS}?edit=D1"))
    operator.send(record_form(operator.get(f"{DRIVERS}?edit=D1")), phone="98450 11111")
    operator.send(old, name="Kumar Rao")
    kept = database.query("SELECT name, phone FROM drivers WHERE code = 'D1'")
    assert kept == [("Kumar Rao", "+919845011111")]


def test_records_of_another_operator_are_not_shown(operator: Visitor, other_operator: Visitor) -> None:
    add_vehicle(operator)
    operator.send(record_form(operator.get(DRIVERS)), code="D1", name="Kumar")
    for path, key, shown in ((VEHICLES, "KA09F77", "KA09F77"), (DRIVERS, "D1", "Kumar")):
        assert shown in operator.get(path).text
        assert shown not in other_operator.get(f"{path}?edit={key}").text
        assert other_operator.get(f"{path}?operator=KSRTC").status == 403


def test_admin_names_the_operator(
    visitor: Visitor, add_account: AddAccount, fleet: SchemaApi, database: Database
) -> None:
    add_account("chief", None)
    database.query("UPDATE accounts SET role = 'admin' WHERE username = 'chief'")
    page = sign_in(visitor, "chief", VEHICLES)
    page = visitor.send(page.form(VEHICLES), operator="KSRTC")
    assert "KA09F1" in page.text
    form = record_form(visitor.get(page.link("KA09F1")))
    assert "Volvo" in visitor.send(form, name="Volvo").text


def test_place_is_added_once_and_not_changed(operator: Visitor, database: Database) -> None:
    form = record_form(operator.get(PLACES))
    added = {"code": "CKPT", "name": "Chikkapete", "aliases": "Chickpet, Chick Pete"}
    assert "CKPT is saved." in operator.send(form, **added).text
    assert "CKPT is saved." in operator.send(form, **added).text
    assert database.value("SELECT aliases FROM places WHERE code = 'CKPT'") == ["Chickpet", "Chick Pete"]
    page = operator.send(form, code="MYSU", name="Elsewhere")
    assert page.status == 403
    assert record_form(page).value("name") == "Elsewhere"
