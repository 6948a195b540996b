"""Protection of forms: tokens, the header Origin, cookies, and sessions that end."""

import re

import pytest

from busware.server.pages import forms
from tests.conftest import Database
from tests.support.http_client import HttpClient
from tests.support.page_visitor import PHONE, Visitor


def tickets(database: Database) -> int:
    """The number of tickets."""
    return int(database.value("SELECT count(*) FROM passengers"))


@pytest.mark.parametrize("token", ["", "0" * 48, None])
def test_form_with_a_wrong_token_is_shown_again(
    visitor: Visitor, database: Database, token: str | None
) -> None:
    page = visitor.send(visitor.choose(3).form("/passengers"), phone=PHONE, token=token)
    assert page.status == 409
    assert "open for too long" in page.text
    assert page.form("/passengers").value("phone") == PHONE
    assert tickets(database) == 0


def test_form_without_the_cookie_is_shown_again_and_works_then(visitor: Visitor, database: Database) -> None:
    form = visitor.choose(3).form("/passengers")
    visitor.session.cookies.clear()
    page = visitor.send(form, phone=PHONE)
    assert "open for too long" in page.text
    assert "Held for you" in visitor.send(page.form("/passengers")).text


def test_token_of_another_browser_is_refused(visitor: Visitor, other_visitor: Visitor) -> None:
    token = other_visitor.choose(3).form("/passengers").value("token")
    assert "open for too long" in visitor.send(visitor.choose(4).form("/passengers"), token=token).text


def test_form_of_another_site_is_refused(visitor: Visitor, http: HttpClient, database: Database) -> None:
    form = visitor.choose(3).form("/passengers")
    response = visitor.session.post(
        http.url + form.action,
        data=dict(form.fields) | {"phone": PHONE},
        headers={"Origin": "https://evil.example"},
        timeout=30,
    )
    assert response.status_code == 403
    assert tickets(database) == 0


def test_json_is_no_form(visitor: Visitor) -> None:
    response = visitor.session.post(f"{visitor.url}/bookings", json={"reference": "X"}, timeout=30)
    assert response.status_code == 415


def test_cookies_are_not_for_scripts_and_other_sites(visitor: Visitor) -> None:
    page = visitor.hold(3)
    response = page.response.history[0]
    sent = response.headers["Set-Cookie"]
    assert re.search(r"busware-bookings=[^;]+; HttpOnly; Max-Age=\d+; Path=/; SameSite=lax", sent)
    assert PHONE not in page.path


def test_cookies_over_tls_are_for_this_host_only(visitor: Visitor) -> None:
    from starlette.responses import Response

    from busware.server.pages.cookies import Cookies

    cookies, response = Cookies({}, secure=True), Response()
    cookies.secret()
    cookies.add_to(response)
    sent = response.headers["Set-Cookie"]
    assert sent.startswith("__Host-busware-form=")
    assert "; Secure" in sent
    assert "Domain" not in sent


def test_tokens_differ_and_belong_to_a_secret() -> None:
    first, second = forms.token("a"), forms.token("a")
    assert first != second
    assert forms.is_token(first, "a")
    assert forms.is_token(second, "a")
    assert not forms.is_token(first, "b")
    assert not forms.is_token("ü", "a")


def test_form_with_too_many_fields_is_refused(visitor: Visitor) -> None:
    page = visitor.get("/?" + "&".join(f"a{n}=1" for n in range(forms.MAX_FIELDS + 1)))
    assert page.status == 400


@pytest.mark.settings(token_recheck_seconds=0.001)
def test_session_that_has_ended_keeps_the_form(visitor: Visitor, database: Database) -> None:
    registered = visitor.send(
        visitor.get("/register").form("/register"), username="asha", password="correct horse"
    )
    assert "My bookings" in registered.text
    form = visitor.choose(3).form("/passengers")
    database.query("DELETE FROM tokens")
    page = visitor.send(form, phone=PHONE, **{"name-0": "Asha"})
    assert "session has ended" in page.text
    assert page.form("/passengers").value("name-0") == "Asha"
    assert tickets(database) == 0
    assert "Held for you" in visitor.send(page.form("/passengers")).text
